//! What a store does while nothing goes wrong.

use super::*;
use replica::receipt::{Receipt, Withdrawal};

use crate::types::{JournalFrame, KeyStaged, Position};

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let pc = Pc::new(1);
    let mut store = pc.open();
    let tip = store
        .stage_local(&key(1), book(), EPOCH, vec![entry("a"), entry("b")])
        .unwrap();
    assert!(store.logs().tips(&log_of(1)).is_empty(), "staged is not seen");
    let committed = store.commit().unwrap();
    assert_eq!((committed.entries, committed.frames), (2, 1));
    assert!(committed.scopes.contains(&book()));
    let next = store.stage_local(&key(1), book(), EPOCH, vec![entry("c")]).unwrap();
    store.stage_fact("store", Some(b"9")).unwrap();
    store.commit().unwrap();
    assert_eq!(next.seq, 3);
    drop(store);
    let mut store = pc.open();
    assert_eq!(store.logs().tips(&log_of(1)), [next]);
    assert_eq!(store.fact("store"), Some(b"9".as_slice()));
    assert!(store.logs().holds(&log_of(1), tip, &store));
    assert_eq!(entries_of(&read_all(&store, &log_of(1), Merge::Checkpoints)).len(), 3);
    assert_eq!(store.stats().entries, 3);
    assert!(verify(&mut store).is_clean());
}

#[test]
fn the_same_run_twice_is_held_and_a_later_one_shows_the_gap() {
    let pc = Pc::new(2);
    let mut store = pc.open();
    let runs = runs(2, &[3, 3, 3]);
    assert!(matches!(stage(&mut store, &runs[1]), Err(StageRefusal::Gap { .. })));
    assert_eq!(stage(&mut store, &runs[0]).unwrap(), Staged::New(3));
    assert_eq!(stage(&mut store, &runs[0]).unwrap(), Staged::Held);
    assert_eq!(
        stage(&mut store, &runs[1]).unwrap(),
        Staged::New(3),
        "behind a staged one"
    );
    store.commit().unwrap();
    assert_eq!(stage(&mut store, &runs[1]).unwrap(), Staged::Held);
    assert_eq!(stage(&mut store, &runs[2]).unwrap(), Staged::New(3));
    store.abandon();
    assert_eq!(store.commit().unwrap().entries, 0);
    assert_eq!(store.logs().tips(&log_of(2)), [runs[1].tip()]);
}

#[test]
fn runs_are_joined_for_the_wire_and_cut_where_the_peer_stands() {
    let pc = Pc::new(3);
    let mut store = pc.open();
    let runs = runs(3, &[5; 40]);
    for run in &runs {
        stage(&mut store, run).unwrap();
    }
    store.commit().unwrap();
    let log = log_of(3);
    let all: Vec<Entry> = runs.iter().flat_map(|run| run.run().entries.clone()).collect();
    assert_eq!(read_all(&store, &log, Merge::Checkpoints).len(), 40);
    let merged = read_all(&store, &log, Merge::Merged);
    assert!(merged.len() < 12, "{} runs", merged.len());
    assert_eq!(entries_of(&merged), all);
    // A peer that got everything joined stands at a checkpoint of ours, or in the middle of our run.
    let peer = Pc::new(4);
    let mut joined = peer.open();
    sync(&store, &mut joined, &log);
    let middle = Tip {
        seq: 7,
        hash: runs[1].hashes()[1],
    };
    let rest = joined
        .read(&log, middle, runs[39].tip(), 1 << 20, Merge::Merged)
        .unwrap();
    assert_eq!(rest[0].prev, middle);
    assert_eq!(entries_of(&rest), all[7..]);
    assert!(
        store.read(&log, middle, runs[0].tip(), 100, Merge::Merged).is_err(),
        "backwards"
    );
    let one = store
        .read(&log, Tip::START, runs[39].tip(), 1, Merge::Checkpoints)
        .unwrap();
    assert_eq!(one.len(), 1, "at least one run, whatever the limit");
}

#[test]
fn both_sides_of_a_fork_are_kept_and_sent() {
    let (a, b, hub) = (Pc::new(5), Pc::new(6), Pc::new(7));
    let mut original = a.open();
    for text in ["1", "2", "3"] {
        original.stage_local(&key(1), book(), EPOCH, vec![entry(text)]).unwrap();
        original.commit().unwrap();
    }
    let log = log_of(1);
    let mut copy = b.open();
    sync(&original, &mut copy, &log);
    original
        .stage_local(&key(1), book(), EPOCH, vec![entry("original")])
        .unwrap();
    original.commit().unwrap();
    copy.stage_local(&key(1), book(), EPOCH, vec![entry("copy")]).unwrap();
    copy.stage_local(&key(1), book(), EPOCH, vec![entry("copy, later")])
        .unwrap();
    copy.commit().unwrap();
    let mut both = hub.open();
    sync(&original, &mut both, &log);
    sync(&copy, &mut both, &log);
    assert_eq!(both.logs().tips(&log).len(), 2);
    assert_eq!(both.logs().entries(book()), 6);
    assert!(verify(&mut both).is_clean());
    // Both go on to a third one, which meets the fork in the middle of a joined run.
    let third = Pc::new(8);
    let mut county = third.open();
    sync(&both, &mut county, &log);
    assert_eq!(county.logs().digest(book()), both.logs().digest(book()));
    drop(both);
    let mut again = hub.open();
    assert_eq!(again.logs().digest(book()), county.logs().digest(book()));
    again.rebuild(&mut |_| {}).unwrap();
    assert_eq!(again.logs().digest(book()), county.logs().digest(book()));
    assert!(verify(&mut again).is_clean());
}

#[test]
fn the_journal_is_read_in_order_with_each_body_where_it_says() {
    let pc = Pc::new(9);
    let mut store = pc.open();
    for run in runs(2, &[2, 3]) {
        stage(&mut store, &run).unwrap();
    }
    store.stage_fact("k", Some(b"v")).unwrap();
    store.commit().unwrap();
    store.stage_fact("k", None).unwrap();
    store.commit().unwrap();
    let (mut at, mut seen, mut facts) = (Position::START, 0, Vec::new());
    loop {
        let frames = store.frames_after(at, 1).unwrap();
        let Some((behind, frame)) = frames.into_iter().next() else {
            break;
        };
        assert!(behind > at);
        at = behind;
        match frame {
            JournalFrame::Run(run) => {
                for held in run.entries {
                    assert_eq!(store.body(held.at).unwrap(), held.entry.body);
                    assert_eq!(crate::EntryAt::from_bytes(held.at.to_bytes()), held.at);
                    seen += 1;
                    assert_eq!(held.tip.seq, seen);
                }
            }
            JournalFrame::Fact { key, value } => facts.push((key, value)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, 5);
    assert_eq!(facts, [("k".to_owned(), Some(b"v".to_vec())), ("k".to_owned(), None)]);
    assert_eq!(at, store.head());
    assert_eq!(store.frames_after(Position::START, 100).unwrap().len(), 4);
}

#[test]
fn opening_replays_only_what_came_after_the_trusted_position() {
    let pc = Pc::new(10);
    let mut store = pc.open();
    let runs = runs(2, &[1; 50]);
    for run in &runs[..40] {
        stage(&mut store, run).unwrap();
        store.commit().unwrap();
    }
    store
        .kv()
        .write({
            let mut rows = crate::Batch::default();
            rows.put(b"view".as_slice(), b"row".as_slice());
            rows
        })
        .unwrap();
    let head = store.head();
    store.trust(head).unwrap();
    store.trust(head).unwrap();
    for run in &runs[40..] {
        stage(&mut store, run).unwrap();
        store.commit().unwrap();
    }
    drop(store);
    pc.cut_power();
    let (store, opened) = pc.try_open().unwrap();
    assert_eq!(opened.rebuilt, None);
    assert!(opened.replayed <= 13, "{}", opened.replayed);
    assert_eq!(store.trusted(), head);
    assert_eq!(store.kv().value(b"view").unwrap().as_deref(), Some(b"row".as_slice()));
    assert_eq!(store.logs().tips(&log_of(2)), [runs[49].tip()]);
    assert_eq!(read_all(&store, &log_of(2), Merge::Checkpoints).len(), 50);
}

#[test]
fn an_index_that_is_lost_old_or_foreign_is_made_anew() {
    let pc = Pc::new(11);
    let mut store = pc.open();
    let runs = runs(2, &[1; 30]);
    for run in &runs[..10] {
        stage(&mut store, run).unwrap();
        store.commit().unwrap();
    }
    let old = pc.place.copy();
    for run in &runs[10..] {
        stage(&mut store, run).unwrap();
        store.commit().unwrap();
    }
    store.trust(store.head()).unwrap();
    let digest = store.logs().digest(book());
    drop(store);
    let foreign = Pc::new(12);
    let mut other = foreign.open();
    for run in &runs {
        stage(&mut other, run).unwrap();
        other.commit().unwrap();
    }
    for place in [MemPlace::default(), old, foreign.place.copy()] {
        let pc = Pc {
            disk: pc.disk.copy(),
            place,
        };
        let (mut store, opened) = pc.try_open().unwrap();
        assert!(opened.rebuilt.is_some());
        assert_eq!(store.trusted(), Position::START);
        assert_eq!(store.logs().digest(book()), digest);
        assert!(verify(&mut store).is_clean());
        drop(store);
        assert_eq!(pc.try_open().unwrap().1.rebuilt, None, "made anew once");
    }
}

#[test]
fn an_index_made_anew_is_not_trusted_before_its_rows_are_derived_again() {
    let pc = Pc::new(18);
    let mut store = pc.open();
    store.stage_local(&key(1), book(), EPOCH, vec![entry("a")]).unwrap();
    store.commit().unwrap();
    store.trust(store.head()).unwrap();
    store.rebuild(&mut |_| {}).unwrap();
    assert_eq!(store.trusted(), Position::START);
    drop(store);
    let mut store = pc.open();
    assert_eq!(
        store.trusted(),
        Position::START,
        "the office had not derived its rows yet"
    );
    let head = store.head();
    store.trust(head).unwrap();
    drop(store);
    assert_eq!(pc.open().trusted(), head);
}

#[test]
fn a_folder_restored_from_yesterday_opens_and_takes_what_it_forgot() {
    let (room, hub) = (Pc::new(13), Pc::new(14));
    let (mut store, mut above) = (room.open(), hub.open());
    let log = log_of(1);
    store
        .stage_local(&key(1), book(), EPOCH, vec![entry("yesterday")])
        .unwrap();
    store.commit().unwrap();
    store.trust(store.head()).unwrap();
    let backup = room.copy();
    store.stage_local(&key(1), book(), EPOCH, vec![entry("today")]).unwrap();
    store.commit().unwrap();
    sync(&store, &mut above, &log);
    let (mut restored, opened) = backup.try_open().unwrap();
    assert_eq!(opened.rebuilt, None);
    sync(&above, &mut restored, &log);
    assert_eq!(restored.logs().digest(book()), store.logs().digest(book()));
    // Only the journal was restored, the index is of today.
    let mixed = Pc {
        disk: backup.disk.copy(),
        place: room.place.copy(),
    };
    let (mixed, opened) = mixed.try_open().unwrap();
    assert_eq!(opened.rebuilt, None, "the copy got the same frames by now");
    assert_eq!(mixed.logs().digest(book()), store.logs().digest(book()));
}

#[test]
fn keys_are_kept_replaced_and_erased_for_ever() {
    let pc = Pc::new(15);
    let mut store = pc.open();
    let (record, other) = (RecordId([1; 16]), RecordId([2; 16]));
    assert_eq!(store.stage_key(book(), record, &[0xaa; 48]).unwrap(), KeyStaged::New);
    assert_eq!(store.stage_key(book(), other, &[0xbb; 48]).unwrap(), KeyStaged::New);
    store.commit().unwrap();
    assert_eq!(store.stage_key(book(), record, &[0xaa; 48]).unwrap(), KeyStaged::Held);
    assert_eq!(
        store.stage_key(book(), record, &[0xcc; 48]).unwrap(),
        KeyStaged::Differs
    );
    assert_eq!(store.replace_key(book(), other, &[0xdd; 48]).unwrap(), KeyStaged::New);
    store.commit().unwrap();
    assert_eq!(store.key(book(), &other), Some([0xdd; 48]));
    assert_eq!(store.key(Scope::book(unit(9)), &other), None, "another scope's");
    store.erase_key(book(), record).unwrap();
    store.commit().unwrap();
    let in_no_file = |when: &str| {
        for name in ["vault", "journal-00000001"] {
            let bytes = pc.file(name);
            for gone in [[0xaa; 8], [0xbb; 8]] {
                let found = bytes.windows(8).any(|eight| eight == gone);
                assert!(!found, "{name} still has a key that is gone, {when}");
            }
        }
    };
    in_no_file("once it is committed");
    drop(store);
    pc.cut_power();
    let mut store = pc.open();
    assert!(store.is_erased(book(), &record));
    assert_eq!(store.key(book(), &record), None);
    assert_eq!(store.stage_key(book(), record, &[0xaa; 48]).unwrap(), KeyStaged::Erased);
    store.commit().unwrap();
    in_no_file("after a power cut");
    assert_eq!(store.stats().vault_keys, 2);
}

#[test]
fn spare_keys_make_a_case_cost_one_sync_and_are_never_given_out_twice() {
    let pc = Pc::new(16);
    let mut store = pc.open();
    let spares: Vec<(RecordId, [u8; 48])> = (1..=4).map(|n| (RecordId([n; 16]), [n; 48])).collect();
    store.add_spares(book(), &spares).unwrap();
    assert_eq!(store.spares(book()), 0, "not before they are durable");
    store.commit().unwrap();
    assert_eq!(store.spares(book()), 4);
    let (record, wrapped) = store.spare(book()).unwrap();
    let before = pc.disk.operations();
    store.stage_local(&key(1), book(), EPOCH, vec![entry("case")]).unwrap();
    store.commit().unwrap();
    assert_eq!(pc.disk.operations() - before, 2, "one write, one sync");
    drop(store);
    let copy = pc.copy();
    for pc in [pc, copy] {
        let mut store = pc.open();
        assert_eq!(store.key(book(), &record), Some(wrapped), "the case's key is held");
        assert_eq!(
            store.spare(book()),
            None,
            "two copies of a folder must not make records of one id"
        );
    }
}

#[test]
fn receipts_and_withdrawals_outlive_the_process_and_the_index() {
    let pc = Pc::new(17);
    let mut store = pc.open();
    store.stage_local(&key(1), book(), EPOCH, vec![entry("a")]).unwrap();
    store.commit().unwrap();
    let vector = store.logs().vector(book()).clone();
    let older = Receipt::sign(&key(8), 1, book(), 1, 1_000, vector.clone());
    let newer = Receipt::sign(&key(8), 1, book(), 2, 2_000, vector.clone());
    let other = Receipt::sign(&key(9), 5, book(), 1, 3_000, vector);
    for receipt in [&newer, &older, &other] {
        store.stage_receipt(receipt).unwrap();
    }
    assert_eq!(store.commit().unwrap().receipts, 2, "the older one is no news");
    store.stage_withdrawal(&Withdrawal::sign(&key(9), 5, 4_000)).unwrap();
    store.commit().unwrap();
    store.trust(store.head()).unwrap();
    drop(store);
    for place in [pc.place.copy(), MemPlace::default()] {
        let store = Pc {
            disk: pc.disk.copy(),
            place,
        }
        .open();
        let standing: Vec<&Receipt> = store.receipts().standing(book()).collect();
        assert_eq!(standing, [&newer]);
        let hub = DeviceId(key(9).verifying_key().to_bytes());
        assert!(store.receipts().is_void(&hub, 5));
    }
}
