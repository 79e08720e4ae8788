//! A replica in RAM for tests: logs with their entries, and a peer-to-peer exchange by [`Logs::send_plan`].

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use ledger::id::{DeviceId, Hash, Scope};

use crate::entry::{Entry, LogId, Tip};
use crate::logs::{Attach, Hashes, Logs, Place, SendPlan, Spot, ladder};
use crate::run::{Run, VerifiedRun, sign};

#[derive(Default)]
pub(crate) struct Heap(BTreeMap<(LogId, Spot), (Hash, Entry)>);

impl Hashes for Heap {
    fn hash(&self, log: &LogId, spot: Spot) -> Option<Hash> {
        self.0.get(&(*log, spot)).map(|(hash, _)| *hash)
    }
}

/// Logs, entries and signatures of one replica.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) logs: Logs,
    pub(crate) heap: Heap,
    pub(crate) signatures: BTreeMap<(LogId, Tip), [u8; 64]>,
    /// Every place ever taken in, and the one before it: what the branches must agree with.
    pub(crate) before: BTreeMap<(LogId, Tip), Tip>,
}

pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

pub(crate) fn device(number: u8) -> DeviceId {
    DeviceId(key(number).verifying_key().to_bytes())
}

pub(crate) fn note(text: &str) -> Entry {
    Entry {
        kind: 200,
        body: text.as_bytes().to_vec(),
    }
}

impl Memory {
    pub(crate) fn take(&mut self, run: &VerifiedRun) -> Place {
        let place = self.logs.place(run, &self.heap);
        if let Place::New(attach) = &place {
            self.keep(run, attach);
        }
        place
    }

    fn keep(&mut self, run: &VerifiedRun, attach: &Attach) {
        let log = *run.log();
        for (at, (hash, entry)) in run
            .hashes()
            .iter()
            .zip(&run.run().entries)
            .enumerate()
            .skip(attach.skip)
        {
            let spot = Spot {
                branch: attach.branch,
                seq: run.run().prev.seq + at as u64 + 1,
            };
            self.heap.0.insert((log, spot), (*hash, entry.clone()));
        }
        let mut prev = run.run().prev;
        for hash in run.hashes() {
            let here = Tip {
                seq: prev.seq + 1,
                hash: *hash,
            };
            self.before.insert((log, here), prev);
            prev = here;
        }
        self.signatures.insert((log, run.tip()), run.run().signature);
        self.logs.attach(&log, attach);
    }

    /// Appends as the author, after any place that is held.
    pub(crate) fn write(&mut self, author: &SigningKey, log: LogId, after: Tip, entries: Vec<Entry>) -> Tip {
        let run = sign(author, log, after, entries);
        assert!(!matches!(self.take(&run), Place::Gap { .. }));
        run.tip()
    }

    pub(crate) fn read(&self, log: &LogId, after: Tip, to: Tip) -> Run {
        let spot = self.logs.locate(log, to, &self.heap).unwrap();
        let entries = self
            .logs
            .path(log, spot)
            .iter()
            .flat_map(|&(branch, first, last)| (first..=last).map(move |seq| Spot { branch, seq }))
            .filter(|spot| spot.seq > after.seq)
            .map(|spot| self.heap.0[&(*log, spot)].1.clone())
            .collect();
        Run {
            log: *log,
            prev: after,
            entries,
            signature: self.signatures[&(*log, to)],
        }
    }

    /// One side's part of an exchange for one scope: sends what the plan says; true when anything new arrived.
    pub(crate) fn send_to(&self, peer: &mut Memory, scope: Scope) -> bool {
        let mut moved = false;
        for log in self.logs.logs(scope).collect::<Vec<_>>() {
            let theirs = peer.logs.tips(&log).to_vec();
            let ranges = match self.logs.send_plan(&log, &theirs, &[], &self.heap) {
                SendPlan::Send(ranges) => ranges,
                SendPlan::Wait => continue,
                SendPlan::Ask(tips) => {
                    let common: Vec<Tip> = tips.iter().map(|tip| self.meet(peer, &log, *tip)).collect();
                    match self.logs.send_plan(&log, &theirs, &common, &self.heap) {
                        SendPlan::Send(ranges) => ranges,
                        other => panic!("asked, and still {other:?}"),
                    }
                }
            };
            for (after, to) in ranges {
                let run = Run::decode(&self.read(&log, after, to).encode())
                    .unwrap()
                    .verify()
                    .unwrap();
                match peer.take(&run) {
                    Place::New(_) => moved = true,
                    Place::Held => {}
                    Place::Gap { have } => panic!("planned {after:?} but the peer has {have:?}"),
                }
            }
        }
        moved
    }

    fn meet(&self, peer: &Memory, log: &LogId, tip: Tip) -> Tip {
        ladder(tip.seq)
            .into_iter()
            .filter_map(|seq| peer.logs.ancestor_at(log, tip, seq, &peer.heap))
            .find(|below| self.logs.holds(log, *below, &self.heap))
            .unwrap_or(Tip::START)
    }
}

/// Both ways until nothing moves; panics when that does not end.
pub(crate) fn exchange(a: &mut Memory, b: &mut Memory, scope: Scope) {
    for _ in 0..64 {
        let moved = a.send_to(b, scope) | b.send_to(a, scope);
        if !moved {
            return;
        }
    }
    panic!("two replicas do not come into step");
}
