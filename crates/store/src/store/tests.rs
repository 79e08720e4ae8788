//! Stories of a disk. Seeds are printed by the assertions, so that every run can be repeated.

mod damage;
mod full;
mod hostile;
mod power;
mod real;
mod tampered;
mod works;

use ed25519_dalek::SigningKey;
use ledger::id::{DeviceId, RecordId, Scope, UnitId, UserId};
use replica::entry::{Entry, KIND_RECORD, KIND_STATEMENT, LogId, RecordBody, Tip};
use replica::logs::{Ancestry, Hashes, Held};
use replica::run::{Run, VerifiedRun, sign};

use super::Store;
use crate::disk::MemDisk;
use crate::kv::MemPlace;
use crate::types::{Merge, Opened, StageRefusal, Staged, StoreError, Verified};

pub(super) const EPOCH: u64 = 7;

/// A device with a disk and an index in memory.
pub(super) struct Pc {
    pub(super) disk: MemDisk,
    pub(super) place: MemPlace,
}

impl Pc {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            disk: MemDisk::new(seed),
            place: MemPlace::default(),
        }
    }

    pub(super) fn copy(&self) -> Pc {
        Pc {
            disk: self.disk.copy(),
            place: self.place.copy(),
        }
    }

    pub(super) fn try_open(&self) -> Result<(Store, Opened), StoreError> {
        Store::open(Box::new(self.disk.clone()), Box::new(self.place.clone()), &mut |_| {})
    }

    pub(super) fn open(&self) -> Store {
        self.try_open().unwrap().0
    }

    pub(super) fn cut_power(&self) {
        self.disk.cut_power();
        self.place.cut_power();
    }

    /// The whole of one file.
    pub(super) fn file(&self, name: &str) -> Vec<u8> {
        crate::disk::read_all(&self.disk, name).unwrap().unwrap_or_default()
    }
}

pub(super) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

pub(super) fn unit(number: u8) -> UnitId {
    UnitId([number; 16])
}

pub(super) fn book() -> Scope {
    Scope::book(unit(1))
}

pub(super) fn log_of(device: u8) -> LogId {
    LogId {
        scope: book(),
        device: DeviceId(key(device).verifying_key().to_bytes()),
        epoch: EPOCH,
    }
}

/// An entry of a record; `text` tells entries apart.
pub(super) fn entry(text: &str) -> Entry {
    let body = RecordBody {
        record: RecordId([3; 16]),
        user: UserId([4; 8]),
        wall_ms: 1_700_000_000_000,
        skew_ms: None,
        change: text.as_bytes().to_vec(),
    };
    Entry {
        kind: KIND_RECORD,
        body: body.encode(),
    }
}

pub(super) fn statement(text: &str) -> Entry {
    Entry {
        kind: KIND_STATEMENT,
        body: text.as_bytes().to_vec(),
    }
}

/// Runs of a log as its author makes them: `counts` entries each.
pub(super) fn runs(device: u8, counts: &[usize]) -> Vec<VerifiedRun> {
    let mut prev = Tip::START;
    let mut number = 0;
    counts
        .iter()
        .map(|count| {
            let entries = (0..*count)
                .map(|_| {
                    number += 1;
                    entry(&format!("case {device}/{number} {}", "x".repeat(number % 50)))
                })
                .collect();
            let run = sign(&key(device), log_of(device), prev, entries);
            prev = run.tip();
            run
        })
        .collect()
}

pub(super) fn stage(store: &mut Store, run: &VerifiedRun) -> Result<Staged, StageRefusal> {
    store.stage_run(run)
}

/// Everything of one log, proved again.
pub(super) fn read_all(store: &Store, log: &LogId, merge: Merge) -> Vec<Run> {
    let mut got = Vec::new();
    for tip in store.logs().tips(log) {
        let mut after = Tip::START;
        while after.seq < tip.seq {
            let runs = store.read(log, after, *tip, 4096, merge).unwrap();
            assert!(!runs.is_empty(), "reading goes on");
            for run in runs {
                assert_eq!(run.prev, after);
                let run = run.verify().unwrap();
                after = run.tip();
                got.push(run.run().clone());
            }
        }
    }
    got
}

pub(super) fn entries_of(runs: &[Run]) -> Vec<Entry> {
    runs.iter().flat_map(|run| run.entries.clone()).collect()
}

pub(super) fn verify(store: &mut Store) -> Verified {
    store.verify(&mut |_| {}).unwrap()
}

/// Sends what `to` lacks of the log from `from`, as peers do.
pub(super) fn sync(from: &Store, to: &mut Store, log: &LogId) {
    let ours = Held {
        logs: from.logs(),
        hashes: from,
    };
    for tip in from.logs().tips(log).to_vec() {
        loop {
            let have = to.logs().tips(log).to_vec();
            if to.logs().holds(log, tip, to as &dyn Hashes) {
                break;
            }
            let after = have
                .into_iter()
                .filter(|held| ours.is_ancestor(log, *held, tip))
                .max()
                .unwrap_or(Tip::START);
            for run in from.read(log, after, tip, 64 * 1024, Merge::Merged).unwrap() {
                to.stage_run(&run.verify().unwrap()).unwrap();
            }
            to.commit().unwrap();
        }
    }
}

/// A small generator for the tests' own choices.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
