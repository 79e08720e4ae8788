//! Logs whose authors mean harm: whatever they sign, the store stays within its bounds and goes on.

use ledger::id::DeviceId;
use replica::entry::{Entry, KIND_RECORD, LogId, Tip};
use replica::limits::{RUN_BYTES_MAX, RUN_ENTRIES_MAX, VECTOR_TIPS_MAX};
use replica::run::sign;

use super::{Pc, key, log_of, stage};
use crate::types::{JournalFrame, Merge, Position};

fn big(number: usize, len: usize) -> Entry {
    let mut body = vec![b'x'; len];
    body[..8].copy_from_slice(&(number as u64).to_be_bytes());
    Entry {
        kind: KIND_RECORD,
        body,
    }
}

/// A log whose first run is as large as may be, and a second one, as large, that forks from just before its end.
fn forked_within(entries: usize, len: usize) -> (Pc, LogId, Tip) {
    let pc = Pc::new(1);
    let mut store = pc.open();
    let log = log_of(3);
    let first = sign(&key(3), log, Tip::START, (0..entries).map(|n| big(n, len)).collect());
    let before = Tip {
        seq: entries as u64 - 1,
        hash: first.hashes()[entries - 2],
    };
    let second = sign(
        &key(3),
        log,
        before,
        (0..entries).map(|n| big(n + 1_000_000, len)).collect(),
    );
    stage(&mut store, &first).unwrap();
    stage(&mut store, &second).unwrap();
    store.commit().unwrap();
    (pc, log, second.tip())
}

#[test]
fn two_runs_that_fork_inside_one_another_are_never_joined_beyond_what_a_peer_takes() {
    for (entries, len) in [(4, 250 * 1024), (RUN_ENTRIES_MAX - 1, 20)] {
        let (pc, log, tip) = forked_within(entries, len);
        let store = pc.open();
        for merge in [Merge::Merged, Merge::Checkpoints] {
            let runs = store.read(&log, Tip::START, tip, 64 * 1024, merge).unwrap_or_default();
            for run in runs {
                assert!(run.entries.len() <= RUN_ENTRIES_MAX, "{} entries", run.entries.len());
                assert!(run.encode().len() <= RUN_BYTES_MAX, "{} bytes", run.encode().len());
                run.verify().unwrap();
            }
        }
    }
}

#[test]
fn what_nobody_signed_is_not_served_when_the_disk_has_lost_what_follows_it() {
    let (pc, log, tip) = forked_within(4, 300);
    let store = pc.open();
    // The way to the second tip leads over a part of the first run, which only the second run's signature covers.
    let mut fork = store
        .frames_after(Position::START, 10)
        .unwrap()
        .into_iter()
        .filter_map(|(_, frame)| match frame {
            JournalFrame::Run(run) => Some(run.entries[0].at),
            _ => None,
        });
    let at = fork.next_back().unwrap();
    pc.disk
        .flip(&format!("journal-{:08}", at.segment), u64::from(at.offset), 0);
    for merge in [Merge::Merged, Merge::Checkpoints] {
        for run in store.read(&log, Tip::START, tip, 64 * 1024, merge).unwrap() {
            run.verify().unwrap();
        }
    }
}

#[test]
fn a_log_with_more_tips_than_a_vector_lists_takes_no_more_forks() {
    let pc = Pc::new(2);
    let mut store = pc.open();
    let log = LogId {
        device: DeviceId(key(3).verifying_key().to_bytes()),
        ..log_of(3)
    };
    let mut taken = 0;
    for number in 0..VECTOR_TIPS_MAX + 3 {
        let run = sign(&key(3), log, Tip::START, vec![big(number, 8)]);
        taken += usize::from(stage(&mut store, &run).is_ok());
        if number % 64 == 0 {
            store.commit().unwrap();
        }
    }
    store.commit().unwrap();
    assert_eq!(taken, VECTOR_TIPS_MAX);
    assert_eq!(store.logs().tips(&log).len(), VECTOR_TIPS_MAX);
    let on = sign(&key(3), log, store.logs().tips(&log)[9], vec![big(1, 9)]);
    stage(&mut store, &on).unwrap();
    store.commit().unwrap();
    let mut bytes = Vec::new();
    store.logs().vector(log.scope).encode(&mut bytes);
    replica::vector::Vector::decode(&mut replica::wire::Reader::new(&bytes)).unwrap();
}
