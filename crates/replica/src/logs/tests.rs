use ledger::id::UnitId;
use proptest::prelude::*;

use super::*;
use crate::memory::{Memory, device, exchange, key, note};
use crate::run::sign;

fn scope() -> Scope {
    Scope::book(UnitId([7; 16]))
}

fn log_of(author: u8) -> LogId {
    LogId {
        scope: scope(),
        device: device(author),
        epoch: 1,
    }
}

#[test]
fn a_run_is_placed_skipped_held_or_told_of_its_gap() {
    let log = log_of(1);
    let mut replica = Memory::default();
    let first = replica.write(&key(1), log, Tip::START, vec![note("a"), note("b"), note("c")]);
    assert_eq!(replica.logs.tips(&log), &[first]);
    let longer = sign(&key(1), log, Tip::START, ["a", "b", "c", "d"].map(note).to_vec());
    let Place::New(attach) = replica.take(&longer) else {
        panic!("the fourth entry is new");
    };
    assert_eq!((attach.skip, attach.branch, attach.after), (3, 0, first));
    assert_eq!(replica.take(&longer), Place::Held);
    let beyond = sign(
        &key(1),
        log,
        Tip {
            seq: 9,
            hash: Hash([9; 32]),
        },
        vec![note("x")],
    );
    assert_eq!(
        replica.take(&beyond),
        Place::Gap {
            have: vec![longer.tip()]
        }
    );
    assert_eq!(replica.logs.entries(scope()), 4);
}

/// A disk that cannot be read just now.
struct Unreadable;

impl Hashes for Unreadable {
    fn hash(&self, _: &LogId, _: Spot) -> Option<Hash> {
        None
    }
}

#[test]
fn an_entry_held_that_cannot_be_read_just_now_is_not_taken_for_a_fork() {
    let log = log_of(1);
    let mut replica = Memory::default();
    let first = replica.write(&key(1), log, Tip::START, vec![note("a"), note("b")]);
    replica.write(&key(1), log, first, vec![note("c"), note("d")]);
    let again = sign(&key(1), log, Tip::START, ["a", "b", "c", "d", "e"].map(note).to_vec());
    assert!(matches!(replica.logs.place(&again, &Unreadable), Place::Gap { .. }));
    let part = sign(&key(1), log, Tip::START, ["a", "b", "c"].map(note).to_vec());
    assert!(matches!(replica.logs.place(&part, &Unreadable), Place::Gap { .. }));
    // What lies behind the tip needs no reading.
    let next = sign(&key(1), log, replica.logs.tips(&log)[0], vec![note("e")]);
    assert!(matches!(replica.logs.place(&next, &Unreadable), Place::New(_)));
    assert_eq!(replica.take(&part), Place::Held);
}

#[test]
fn a_copied_disk_gives_a_log_two_tips_and_both_are_kept() {
    let log = log_of(1);
    let (mut town, mut county) = (Memory::default(), Memory::default());
    let stem = town.write(&key(1), log, Tip::START, vec![note("a"), note("b")]);
    exchange(&mut town, &mut county, scope());
    let left = town.write(&key(1), log, stem, vec![note("left")]);
    let right = county.write(&key(1), log, stem, vec![note("right"), note("right 2")]);
    exchange(&mut town, &mut county, scope());
    let mut both = vec![left, right];
    both.sort();
    assert_eq!(town.logs.tips(&log), both.as_slice());
    assert_eq!(town.logs.digest(scope()), county.logs.digest(scope()));
    let held = Held {
        logs: &town.logs,
        hashes: &town.heap,
    };
    let beyond = |tips: &[Tip]| town.logs.beyond(&log, tips, &town.heap);
    assert_eq!(
        (beyond(&[]), beyond(&[stem]), beyond(&[right]), beyond(&[left, right])),
        (5, 3, 1, 0)
    );
    assert!(held.is_ancestor(&log, stem, left) && held.is_ancestor(&log, stem, right));
    assert!(!held.is_ancestor(&log, left, right) && held.is_ancestor(&log, left, left));
}

#[test]
fn the_peer_that_is_behind_waits_and_the_longer_fork_asks() {
    let log = log_of(1);
    let (mut a, mut b) = (Memory::default(), Memory::default());
    let stem = a.write(&key(1), log, Tip::START, vec![note("a")]);
    exchange(&mut a, &mut b, scope());
    let ahead = a.write(&key(1), log, stem, vec![note("b")]);
    assert_eq!(b.logs.send_plan(&log, &[ahead], &[], &b.heap), SendPlan::Wait);
    assert_eq!(
        a.logs.send_plan(&log, &[stem], &[], &a.heap),
        SendPlan::Send(vec![(stem, ahead)])
    );
    let other = b.write(&key(1), log, stem, vec![note("x")]);
    assert_eq!(
        a.logs.send_plan(&log, &[other], &[], &a.heap),
        SendPlan::Ask(vec![other])
    );
    assert_eq!(
        a.logs.send_plan(&log, &[other], &[Tip::START], &a.heap),
        SendPlan::Send(vec![(Tip::START, ahead)])
    );
    assert_eq!(
        a.logs.send_plan(&log, &[], &[], &a.heap),
        SendPlan::Send(vec![(Tip::START, ahead)])
    );
    assert_eq!(ladder(10), vec![9, 8, 6, 2]);
}

#[test]
fn a_log_cut_back_by_damage_is_whole_again_after_an_exchange() {
    let log = log_of(1);
    let (mut a, mut b) = (Memory::default(), Memory::default());
    let stem = a.write(&key(1), log, Tip::START, vec![note("a"), note("b")]);
    let end = a.write(&key(1), log, stem, vec![note("c")]);
    a.write(&key(1), log, stem, vec![note("fork")]);
    a.write(&key(1), log, end, vec![note("d")]);
    a.write(&key(1), log, end, vec![note("second fork")]);
    exchange(&mut a, &mut b, scope());
    let digest = a.logs.digest(scope());
    a.logs.lower(&log, 0, stem);
    assert_eq!(
        a.logs.tips(&log).len(),
        1,
        "the first fork stays, its stem is not a leaf"
    );
    a.logs.lower(&log, 0, Tip::START);
    assert!(a.logs.tips(&log).is_empty());
    assert_eq!(a.logs.scopes().count(), 0);
    assert_eq!(a.logs.digest(scope()), Hash::ZERO);
    exchange(&mut a, &mut b, scope());
    assert_eq!(a.logs.digest(scope()), digest);
}

#[test]
fn a_log_put_back_from_the_index_is_the_same() {
    let log = log_of(1);
    let mut a = Memory::default();
    let stem = a.write(&key(1), log, Tip::START, vec![note("a"), note("b")]);
    a.write(&key(1), log, stem, vec![note("c")]);
    a.write(&key(1), log, stem, vec![note("d")]);
    a.logs.lower(&log, 1, stem);
    a.write(&key(1), log, stem, vec![note("e")]);
    let state = a.logs.encode_log(&log).unwrap();
    let mut restored = Logs::new();
    restored.restore_log(&log, &state).unwrap();
    assert_eq!(restored.vector(scope()), a.logs.vector(scope()));
    assert_eq!(restored.digest(scope()), a.logs.digest(scope()));
    assert_eq!(restored.entries(scope()), a.logs.entries(scope()));
    assert_eq!(restored.encode_log(&log), Some(state));
}

/// What happens in a simulated county: somebody writes after the newest or an older entry, two replicas meet, or one forgets.
#[derive(Clone, Debug)]
enum Act {
    Write {
        replica: usize,
        author: u8,
        back: u64,
        entries: usize,
    },
    Meet {
        one: usize,
        other: usize,
    },
    Damage {
        replica: usize,
        author: u8,
    },
}

const REPLICAS: usize = 4;

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (0..REPLICAS, 1..4u8, 0..6u64, 1..5usize)
            .prop_map(|(replica, author, back, entries)| Act::Write { replica, author, back: back.saturating_sub(3), entries }),
        3 => (0..REPLICAS, 0..REPLICAS).prop_map(|(one, other)| Act::Meet { one, other }),
        1 => (0..REPLICAS, 1..4u8).prop_map(|(replica, author)| Act::Damage { replica, author }),
    ]
}

fn meet(replicas: &mut [Memory], one: usize, other: usize) {
    if one == other {
        return;
    }
    let (low, high) = (one.min(other), one.max(other));
    let (head, tail) = replicas.split_at_mut(high);
    exchange(&mut head[low], &mut tail[0], scope());
    assert_eq!(head[low].logs.vector(scope()), tail[0].logs.vector(scope()));
}

fn perform(replicas: &mut [Memory], number: usize, act: &Act) {
    match *act {
        Act::Meet { one, other } => meet(replicas, one, other),
        Act::Write {
            replica,
            author,
            back,
            entries,
        } => {
            let memory = &mut replicas[replica];
            let log = log_of(author);
            let after = match memory.logs.tips(&log).last().copied() {
                None => Tip::START,
                Some(tip) => memory
                    .logs
                    .ancestor_at(&log, tip, tip.seq.saturating_sub(back), &memory.heap)
                    .unwrap(),
            };
            let notes = (0..entries).map(|at| note(&format!("{number}/{at}"))).collect();
            memory.write(&key(author), log, after, notes);
        }
        Act::Damage { replica, author } => {
            let memory = &mut replicas[replica];
            let log = log_of(author);
            if let Some(&(branch, after, _)) = memory.logs.branches(&log).last() {
                memory.logs.lower(&log, branch, after);
            }
        }
    }
}

/// Branches say of every pair of places what walking the chain says, and a log's state survives the index.
fn agrees_with_the_chain(replica: &Memory) {
    let held = Held {
        logs: &replica.logs,
        hashes: &replica.heap,
    };
    // What damage took and nobody else had is gone: held is what lies at or below a leaf.
    let mut places: Vec<(LogId, Tip)> = Vec::new();
    for log in replica.logs.logs(scope()) {
        for tip in replica.logs.tips(&log) {
            let mut at = *tip;
            while at != Tip::START && !places.contains(&(log, at)) {
                places.push((log, at));
                at = replica.before[&(log, at)];
            }
        }
    }
    assert_eq!(places.len() as u64, replica.logs.entries(scope()));
    for (log, younger) in &places {
        let mut below = vec![*younger];
        while let Some(prev) = replica.before.get(&(*log, below[below.len() - 1])) {
            below.push(*prev);
        }
        for (other, older) in places.iter().filter(|(other, _)| other == log) {
            assert_eq!(held.is_ancestor(other, *older, *younger), below.contains(older));
        }
        assert_eq!(
            replica.logs.ancestor_at(log, *younger, 1, &replica.heap),
            below.iter().rev().nth(1).copied()
        );
    }
    let mut restored = Logs::new();
    for log in replica.logs.logs(scope()) {
        let state = replica.logs.encode_log(&log).unwrap();
        restored.restore_log(&log, &state).unwrap();
    }
    assert_eq!(restored.vector(scope()), replica.logs.vector(scope()));
    assert_eq!(restored.entries(scope()), replica.logs.entries(scope()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn replicas_that_met_hold_the_same_whatever_forked_and_in_whatever_order(acts in prop::collection::vec(act(), 1..40)) {
        let mut replicas: Vec<Memory> = (0..REPLICAS).map(|_| Memory::default()).collect();
        for (number, act) in acts.iter().enumerate() {
            perform(&mut replicas, number, act);
        }
        for _ in 0..2 {
            for one in 1..REPLICAS {
                meet(&mut replicas, 0, one);
            }
        }
        let digest = replicas[0].logs.digest(scope());
        agrees_with_the_chain(&replicas[0]);
        for replica in &replicas {
            prop_assert_eq!(replica.logs.digest(scope()), digest);
            prop_assert_eq!(replica.logs.entries(scope()), replicas[0].logs.entries(scope()));
        }
    }

    #[test]
    fn a_broken_state_of_a_log_is_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut logs = Logs::new();
        let _ = logs.restore_log(&log_of(1), &bytes);
    }
}
