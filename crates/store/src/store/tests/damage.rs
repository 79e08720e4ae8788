//! Disks that age: flipped bits, lost tails, holes.

use super::*;
use crate::disk::Fault;
use crate::types::Position;

/// A room with entries of its own and of another device, all of them known to the hub.
fn in_step(seed: u64) -> (Pc, Pc) {
    let (room, hub) = (Pc::new(seed), Pc::new(seed + 1));
    let (mut below, mut above) = (room.open(), hub.open());
    below.stage_fact("store", Some(b"identity")).unwrap();
    below.commit().unwrap();
    for (number, run) in runs(2, &[3; 30]).iter().enumerate() {
        below.stage_run(run).unwrap();
        let text = format!("own {number} {}", "z".repeat(number * 7));
        below.stage_local(&key(1), book(), EPOCH, vec![entry(&text)]).unwrap();
        below.commit().unwrap();
        if number == 20 {
            below.trust(below.head()).unwrap();
        }
    }
    for device in [1, 2] {
        sync(&below, &mut above, &log_of(device));
    }
    assert_eq!(below.logs().digest(book()), above.logs().digest(book()));
    (room, hub)
}

fn journal_files(pc: &Pc) -> Vec<(String, u64)> {
    use crate::disk::Disk;
    let names = pc.disk.list().unwrap();
    names
        .into_iter()
        .filter(|name| name.starts_with("journal-"))
        .map(|name| (name.clone(), pc.disk.len(&name).unwrap().unwrap()))
        .collect()
}

/// Heals from the hub; afterwards both hold the same and everything proves itself.
fn heal(store: &mut Store, hub: &Pc, told: &str) {
    let above = hub.open();
    for device in [1, 2] {
        let log = log_of(device);
        // Whatever is still served is proved by its chain.
        read_all(store, &log, Merge::Checkpoints);
        sync(&above, store, &log);
    }
    assert_eq!(store.logs().digest(book()), above.logs().digest(book()), "{told}");
    for device in [1, 2] {
        let log = log_of(device);
        let (ours, theirs) = (
            entries_of(&read_all(store, &log, Merge::Checkpoints)),
            entries_of(&read_all(&above, &log, Merge::Merged)),
        );
        assert!(ours == theirs, "{told}: other entries than the hub's");
    }
    let verified = verify(store);
    assert!(verified.is_clean(), "{told}: {verified:?}");
    assert_eq!(
        store.fact("store"),
        Some(b"identity".as_slice()),
        "{told}: a fact is gone"
    );
}

#[test]
fn one_byte_flipped_anywhere_is_reported_never_served_and_fetched_again() {
    let (room, hub) = in_step(1);
    let files = journal_files(&room);
    let total: u64 = files.iter().map(|(_, len)| len).sum();
    let mut dice = Dice(77);
    let mut reported = 0;
    for trial in 0..200 {
        let pc = room.copy();
        let (mut at, bit) = (dice.below(total), dice.below(8) as u8);
        let mut name = "";
        for (file, len) in &files {
            name = file;
            if at < *len {
                break;
            }
            at -= len;
        }
        pc.disk.flip(name, at, bit);
        let told = format!("trial {trial}: bit {bit} of byte {at} of {name}");
        let (mut store, opened) = pc.try_open().unwrap_or_else(|error| panic!("{told}: {error}"));
        reported += u32::from(!opened.damaged.is_empty() || opened.torn > 0);
        heal(&mut store, &hub, &told);
        drop(store);
        let (mut store, opened) = pc.try_open().unwrap();
        assert!(opened.damaged.is_empty(), "{told}: old damage is no news: {opened:?}");
        assert!(verify(&mut store).is_clean(), "{told}");
        store.rebuild(&mut |_| {}).unwrap();
        heal(&mut store, &hub, &told);
    }
    // All but flips in the header's spare copies.
    assert!(reported > 180, "{reported} of 200 were reported");
}

#[test]
fn the_last_segment_cut_at_any_length_opens_and_is_filled_up_again() {
    let (room, hub) = in_step(3);
    let (name, len) = journal_files(&room).pop().unwrap();
    let mut dice = Dice(78);
    for trial in 0..200 {
        let pc = room.copy();
        let cut = dice.below(len);
        pc.disk.cut(&name, cut);
        let told = format!("trial {trial}: {name} cut at {cut} of {len}");
        let (mut store, _) = pc.try_open().unwrap_or_else(|error| panic!("{told}: {error}"));
        heal(&mut store, &hub, &told);
    }
}

#[test]
fn a_header_that_rots_while_the_journal_is_open_is_written_anew_and_costs_nothing_at_the_next_start() {
    let (room, _) = in_step(7);
    let names: Vec<String> = journal_files(&room).into_iter().map(|(name, _)| name).collect();
    assert!(names.len() > 2, "several segments");
    for round in 0..2 {
        let mut store = room.open();
        let digest = store.logs().digest(book());
        for name in &names {
            room.disk.flip(name, 20, 3);
            room.disk.flip(name, 84, 3);
        }
        match round {
            0 => assert!(verify(&mut store).is_clean()),
            _ => assert_eq!(store.scrub(u64::MAX).unwrap(), []),
        }
        drop(store);
        let (store, opened) = room.try_open().unwrap();
        assert_eq!(opened.damaged, [], "round {round}");
        assert_eq!(store.logs().digest(book()), digest, "round {round}");
    }
}

#[test]
fn somebodys_copies_beside_the_journal_are_no_segments() {
    use crate::disk::Disk;
    let (mut room, _) = in_step(6);
    for stray in ["journal-3", "journal-000000700", "journal-00000001.bak"] {
        room.disk.create(stray).unwrap();
    }
    let (mut store, opened) = room.try_open().unwrap();
    assert_eq!((opened.damaged.len(), opened.rebuilt), (0, None));
    assert!(verify(&mut store).is_clean());
}

#[test]
fn a_whole_segment_lost_is_fetched_again() {
    use crate::disk::Disk;
    let (room, hub) = in_step(5);
    let files = journal_files(&room);
    assert!(files.len() > 2, "the story crosses segments");
    for (name, _) in &files {
        let mut pc = room.copy();
        pc.disk.remove(name).unwrap();
        let (mut store, opened) = pc.try_open().unwrap();
        assert!(!opened.damaged.is_empty() || opened.rebuilt.is_some(), "{name}");
        heal(&mut store, &hub, name);
    }
}

#[test]
fn what_has_joined_again_behind_a_hole_is_not_read_again_at_every_run() {
    let (room, hub) = (Pc::new(11), Pc::new(12));
    let (mut store, mut above) = (room.open(), hub.open());
    for run in runs(2, &[1; 40]) {
        store.stage_run(&run).unwrap();
        store.commit().unwrap();
    }
    sync(&store, &mut above, &log_of(2));
    drop(store);
    room.disk.flip("journal-00000001", crate::journal::HEADER_LEN + 40, 3);
    let (mut store, opened) = room.try_open().unwrap();
    assert_eq!(opened.damaged.len(), 1);
    assert_eq!(store.dead.len(), 39);
    let first = above.read(&log_of(2), Tip::START, runs(2, &[1; 3])[2].tip(), 1, Merge::Checkpoints);
    store.stage_run(&first.unwrap().remove(0).verify().unwrap()).unwrap();
    store.commit().unwrap();
    assert_eq!(store.logs().digest(book()), above.logs().digest(book()));
    let left: usize = store.orphans.values().map(|orphans| orphans.len()).sum();
    assert_eq!(left, 0, "runs that have joined are looked at again");
    assert!(verify(&mut store).is_clean());
}

#[test]
fn runs_that_joined_behind_a_filled_hole_join_again_when_the_second_copy_of_one_rots_too() {
    // Seed 71: the first copy lies before what filled the hole, so that reading the journal in order passes it by.
    let (room, hub) = (Pc::new(15), Pc::new(16));
    let (mut store, mut above) = (room.open(), hub.open());
    for run in runs(2, &[1; 6]) {
        store.stage_run(&run).unwrap();
        store.commit().unwrap();
    }
    sync(&store, &mut above, &log_of(2));
    drop(store);
    room.disk.flip("journal-00000001", crate::journal::HEADER_LEN + 40, 3);
    let (mut store, _) = room.try_open().unwrap();
    let end = store.head();
    store.stage_run(&runs(2, &[1; 6])[0]).unwrap();
    store.commit().unwrap();
    let filled = store.head();
    // What is damaged at the very end counts as never written.
    store.stage_run(&runs(3, &[1])[0]).unwrap();
    store.commit().unwrap();
    drop(store);
    let name = "journal-00000001";
    let (from, to) = (u64::from(end.offset), u64::from(filled.offset));
    for at in (from..to).step_by(60) {
        let pc = Pc {
            disk: room.disk.copy(),
            place: Default::default(),
        };
        pc.disk.flip(name, at, 3);
        let (mut store, _) = pc.try_open().unwrap();
        store.adopt_waiting();
        store.commit().unwrap();
        let first_is_lost = store.logs().tips(&log_of(2)).is_empty();
        let whole = store.logs().tips(&log_of(2)) == above.logs().tips(&log_of(2));
        assert!(whole || first_is_lost, "byte {at} of {from}..{to}");
        assert_eq!(verify(&mut store).damaged.is_empty(), whole, "byte {at}");
    }
}

#[test]
fn a_hole_that_can_be_read_again_after_it_was_filled_otherwise_stops_nobody() {
    let (room, hub) = (Pc::new(13), Pc::new(14));
    let (mut store, mut above) = (room.open(), hub.open());
    for run in runs(2, &[5, 2]) {
        store.stage_run(&run).unwrap();
        store.commit().unwrap();
    }
    for run in runs(2, &[3, 2, 2]) {
        above.stage_run(&run).unwrap();
        above.commit().unwrap();
    }
    drop(store);
    let sector = crate::journal::HEADER_LEN + 40;
    room.disk.flip("journal-00000001", sector, 3);
    let (mut store, _) = room.try_open().unwrap();
    let tip = above.logs().tips(&log_of(2))[0];
    for run in above
        .read(&log_of(2), Tip::START, tip, 1 << 20, Merge::Checkpoints)
        .unwrap()
    {
        store.stage_run(&run.verify().unwrap()).unwrap();
        store.commit().unwrap();
    }
    drop(store);
    // The sector answers again, and the index is lost.
    room.disk.flip("journal-00000001", sector, 3);
    let again = Pc {
        disk: room.disk.copy(),
        place: Default::default(),
    };
    let (mut store, _) = again.try_open().unwrap();
    assert_eq!(store.logs().digest(book()), above.logs().digest(book()));
    assert!(verify(&mut store).is_clean());
}

#[test]
fn entries_behind_a_hole_join_again_though_nobody_else_has_them() {
    let (room, hub) = (Pc::new(7), Pc::new(8));
    let (mut store, mut above) = (room.open(), hub.open());
    let log = log_of(1);
    let mut places = Vec::new();
    for text in ["first", "second", "third"] {
        places.push(store.head());
        store.stage_local(&key(1), book(), EPOCH, vec![entry(text)]).unwrap();
        store.commit().unwrap();
        if text == "second" {
            sync(&store, &mut above, &log);
        }
    }
    let whole = store.logs().digest(book());
    drop(store);
    room.disk.flip("journal-00000001", u64::from(places[1].offset) + 40, 3);
    let (mut store, opened) = room.try_open().unwrap();
    assert_eq!(opened.damaged.len(), 1);
    assert_eq!(opened.damaged[0].logs, [log]);
    assert_eq!(store.logs().tips(&log)[0].seq, 1, "lowered to before the hole");
    assert!(!verify(&mut store).is_clean());
    sync(&above, &mut store, &log);
    assert_eq!(store.logs().digest(book()), whole, "the third entry is there again");
    assert!(verify(&mut store).is_clean());
    // Whoever derives rows meets the entries in order, also from the start.
    let seqs: Vec<u64> = store
        .frames_after(Position::START, 100)
        .unwrap()
        .into_iter()
        .filter_map(|(_, frame)| match frame {
            crate::JournalFrame::Run(run) => Some(run.entries[0].tip.seq),
            _ => None,
        })
        .collect();
    assert_eq!(seqs, [1, 2, 3]);
    drop(store);
    let room = Pc {
        disk: room.disk.copy(),
        place: MemPlace::default(),
    };
    assert_eq!(room.open().logs().digest(book()), whole, "an index made anew agrees");
}

#[test]
fn damage_met_while_running_is_not_served_and_repaired() {
    let (room, hub) = in_step(9);
    let mut store = room.open();
    let log = log_of(2);
    let tip = store.logs().tips(&log)[0];
    let places: Vec<_> = store.frames_after(Position::START, 1_000).unwrap();
    let (segment, at) = places
        .iter()
        .filter_map(|(_, frame)| match frame {
            crate::JournalFrame::Run(run) if run.log == log => Some(run.entries[0].at),
            _ => None,
        })
        .map(|at| (at.segment, at))
        .nth(10)
        .unwrap();
    room.disk
        .flip(&format!("journal-{segment:08}"), u64::from(at.offset), 0);
    assert!(store.body(at).is_err());
    let served = store.read(&log, Tip::START, tip, 1 << 20, Merge::Merged).unwrap();
    assert_eq!(entries_of(&served).len(), 30, "up to the hole");
    let damaged = store.repair().unwrap();
    assert_eq!(damaged.len(), 1);
    assert_eq!(store.logs().tips(&log)[0].seq, 30);
    assert!(store.repair().unwrap().is_empty(), "told once");
    heal(&mut store, &hub, "while running");
    // What no read meets the scrub finds, bit by bit.
    let (_, other) = places
        .iter()
        .filter_map(|(_, frame)| match frame {
            crate::JournalFrame::Run(run) if run.log == log => Some(run.entries[1].at),
            _ => None,
        })
        .map(|at| (at.segment, at))
        .nth(20)
        .unwrap();
    room.disk
        .flip(&format!("journal-{:08}", other.segment), u64::from(other.offset), 5);
    let found: usize = (0..100).map(|_| store.scrub(1_000).unwrap().len()).sum();
    assert_eq!(found, 1);
    heal(&mut store, &hub, "after the scrub");
}

#[test]
fn a_damaged_slot_of_the_vault_costs_one_key_only() {
    let pc = Pc::new(11);
    let mut store = pc.open();
    for n in 1..=5 {
        store.stage_key(book(), RecordId([n; 16]), &[n; 48]).unwrap();
    }
    store.commit().unwrap();
    drop(store);
    pc.disk.flip("vault", 96 * 3 + 50, 1);
    pc.disk.flip("vault", 9, 1);
    let (mut store, opened) = pc.try_open().unwrap();
    assert_eq!(opened.keys_damaged, 1);
    // It may be one that was half erased: nothing of it may stay readable.
    assert_eq!(pc.file("vault")[96 * 3..96 * 4], [0; 96]);
    let held = (1..=5)
        .filter(|n| store.key(book(), &RecordId([*n; 16])).is_some())
        .count();
    assert_eq!(held, 4);
    for n in 1..=5 {
        store.stage_key(book(), RecordId([n; 16]), &[n; 48]).unwrap();
    }
    store.commit().unwrap();
    drop(store);
    let (store, opened) = pc.try_open().unwrap();
    assert_eq!((opened.keys_damaged, store.stats().vault_keys), (0, 5));
}

#[test]
fn a_spare_key_that_rotted_before_its_case_came_is_written_again() {
    // Seeds 14, 17, 26, 32: a case recorded hours after the rot had no key on any device.
    let pc = Pc::new(12);
    let mut store = pc.open();
    let spares: Vec<(RecordId, [u8; 48])> = (1..=3).map(|n| (RecordId([n; 16]), [n; 48])).collect();
    store.add_spares(book(), &spares).unwrap();
    store.commit().unwrap();
    pc.disk.flip("vault", 96 + 50, 1);
    // The second cannot be read just now: nobody knows whether it lies there.
    for reads in [None, Some(0), None] {
        reads
            .into_iter()
            .for_each(|reads| pc.disk.fault(Fault::ReadFails(reads)));
        store.spare(book()).unwrap();
        pc.disk.mend();
        store.stage_local(&key(1), book(), EPOCH, vec![entry("case")]).unwrap();
        store.commit().unwrap();
    }
    drop(store);
    pc.cut_power();
    let (store, opened) = pc.try_open().unwrap();
    assert_eq!(opened.keys_damaged, 0);
    for (record, wrapped) in &spares {
        assert_eq!(store.key(book(), record).as_ref(), Some(wrapped));
    }
}

#[test]
fn a_frame_hidden_in_somebodys_entry_is_not_taken_for_one() {
    let pc = Pc::new(13);
    let mut store = pc.open();
    store.stage_fact("role", Some(b"room")).unwrap();
    store.commit().unwrap();
    drop(store);
    // Even who could read our folder once and knows a real frame: in another folder it is none.
    let stolen = pc.file("journal-00000001")[128..].to_vec();
    let victim = Pc::new(14);
    let mut store = victim.open();
    let at = store.head();
    let body = [vec![b'x'; 100], stolen].concat();
    let bomb = Entry {
        kind: KIND_RECORD,
        body,
    };
    let run = sign(&key(2), log_of(2), Tip::START, vec![bomb]);
    store.stage_run(&run).unwrap();
    store.commit().unwrap();
    store.stage_local(&key(1), book(), EPOCH, vec![entry("after")]).unwrap();
    store.commit().unwrap();
    drop(store);
    victim.disk.flip("journal-00000001", u64::from(at.offset) + 5, 7);
    let victim = Pc {
        disk: victim.disk.copy(),
        place: MemPlace::default(),
    };
    let (store, opened) = victim.try_open().unwrap();
    assert_eq!(opened.damaged.len(), 1);
    assert_eq!(store.fact("role"), None);
}

#[test]
fn a_read_that_fails_once_is_doubted_and_is_no_damage() {
    let (room, _) = in_step(15);
    let mut store = room.open();
    let (log, whole) = (log_of(2), store.logs().digest(book()));
    let tip = store.logs().tips(&log)[0];
    let doubts = store.doubts();
    room.disk.fault(crate::Fault::ReadFails(0));
    assert!(store.read(&log, Tip::START, tip, 1 << 20, Merge::Merged).is_err());
    assert!(store.doubts() > doubts && store.is_in_doubt());
    assert!(store.repair().unwrap().is_empty() && !store.is_in_doubt());
    assert_eq!(store.logs().digest(book()), whole);
    let doubts = store.doubts();
    assert!(store.read(&log, Tip::START, tip, 1 << 20, Merge::Merged).is_ok());
    assert_eq!(store.doubts(), doubts);
}

#[test]
fn damage_is_taken_in_whole_or_not_at_all_whenever_the_power_goes() {
    // Seed 8116: the index said that a log was held, and where its entries lie was gone.
    let (room, hub) = in_step(17);
    let mut store = room.open();
    store.trust(store.head()).unwrap();
    let places: Vec<_> = store.frames_after(Position::START, 1_000).unwrap();
    for device in [1, 2] {
        let at = places.iter().find_map(|(_, frame)| match frame {
            crate::JournalFrame::Run(run) if run.log == log_of(device) && run.prev.seq > 20 => Some(run.entries[0].at),
            _ => None,
        });
        let at = at.unwrap();
        let name = format!("journal-{:08}", at.segment);
        room.disk.flip(&name, u64::from(at.offset), 0);
        assert!(store.body(at).is_err());
    }
    let before = room.place.unsynced();
    assert_eq!(store.repair().unwrap().len(), 2);
    for kept in 0..=room.place.unsynced() - before {
        let place = room.place.copy();
        place.cut_power_keeping(before + kept);
        let disk = room.disk.copy();
        let mut store = Pc { disk, place }.open();
        heal(&mut store, &hub, &format!("{kept} writes of the index were kept"));
    }
}

#[test]
fn what_waits_behind_a_hole_that_nobody_fills_is_told_and_waits_no_longer_once_it_was_said_again() {
    let room = Pc::new(9);
    let mut store = room.open();
    let (log, device) = (log_of(1), log_of(1).device);
    let said = |text: &str| Entry {
        kind: replica::entry::KIND_RECORD,
        ..entry(text)
    };
    let mut places = Vec::new();
    for text in ["first", "second", "third", "fourth"] {
        places.push(store.head());
        store.stage_local(&key(1), book(), EPOCH, vec![said(text)]).unwrap();
        store.commit().unwrap();
    }
    assert!(!store.may_strand(&device));
    drop(store);
    room.disk.flip("journal-00000001", u64::from(places[1].offset) + 40, 3);
    // An index made anew no longer knows which logs reached how far.
    let room = Pc {
        disk: room.disk.copy(),
        place: MemPlace::default(),
    };
    let mut store = room.open();
    assert!(store.may_strand(&device));
    let stranded = store.stranded(&device).unwrap();
    let bodies: Vec<Vec<u8>> = stranded.iter().map(|run| run.run().entries[0].body.clone()).collect();
    assert_eq!(bodies, [said("third").body, said("fourth").body]);
    assert!(stranded.iter().all(|run| *run.log() == log));
    assert_eq!(store.stranded(&log_of(2).device).unwrap(), []);
    assert!(!verify(&mut store).is_clean(), "two entries wait");
    let mut unsaid: Vec<Entry> = ["first", "third", "fourth", "third"].map(said).to_vec();
    store.leave_unsaid(&device, book(), &mut unsaid).unwrap();
    assert_eq!(
        unsaid,
        [said("third"), said("fourth")],
        "each once, and not what is held"
    );
    store
        .stage_local(&key(1), book(), EPOCH + 1, vec![said("third")])
        .unwrap();
    store.commit().unwrap();
    assert!(!verify(&mut store).is_clean(), "one entry waits");
    store
        .stage_local(&key(1), book(), EPOCH + 1, vec![said("fourth")])
        .unwrap();
    store.commit().unwrap();
    let verified = verify(&mut store);
    assert!(verified.is_clean(), "{verified:?}");
    assert_eq!(verified.healed.len(), 1);
}
