//! Somebody with the disk in his hands: whatever keeps its checksums is still found by a verification.

use super::*;
use crate::disk::Disk;
use crate::types::Position;

/// Where the frames lie that a commit of one fact each makes.
fn facts(store: &mut Store, count: u8) -> Vec<(Position, Position)> {
    (0..count)
        .map(|n| {
            let from = store.head();
            store.stage_fact("step", Some(&[n; 100])).unwrap();
            store.commit().unwrap();
            (from, store.head())
        })
        .collect()
}

fn rewrite(pc: &Pc, name: &str, bytes: &[u8]) {
    let mut disk = pc.disk.clone();
    disk.truncate(name, 0).unwrap();
    disk.append(name, bytes).unwrap();
    disk.sync_data(name).unwrap();
}

#[track_caller]
fn assert_told(pc: &Pc, what: &str) {
    let mut store = pc.open();
    let verified = verify(&mut store);
    assert!(verified.faults.iter().any(|fault| fault.contains(what)), "{verified:?}");
    assert!(!verified.is_clean());
}

#[test]
fn a_frame_taken_out_of_the_journal_is_told_though_every_other_is_sound() {
    let pc = Pc::new(31);
    let mut store = pc.open();
    let places = facts(&mut store, 3);
    drop(store);
    let (from, to) = places[1];
    assert_eq!((from.segment, to.segment), (1, 1));
    let mut bytes = pc.file("journal-00000001");
    bytes.drain(from.offset as usize..to.offset as usize);
    rewrite(&pc, "journal-00000001", &bytes);
    assert_told(&pc, "breaks the chain");
}

#[test]
fn the_end_of_an_earlier_segment_cut_off_is_told_though_every_frame_is_sound() {
    let pc = Pc::new(32);
    let mut store = pc.open();
    let mut places = facts(&mut store, 80);
    drop(store);
    places.retain(|(from, to)| (from.segment, to.segment) == (1, 1));
    let (last, _) = places[places.len() - 1];
    let bytes = pc.file("journal-00000001");
    rewrite(&pc, "journal-00000001", &bytes[..last.offset as usize]);
    assert_told(&pc, "does not continue");
}

#[test]
fn entries_signed_by_nobody_are_told_though_their_chain_is_sound() {
    let pc = Pc::new(33);
    let mut store = pc.open();
    let mut forged = runs(2, &[2])[0].run().clone();
    forged.signature[5] ^= 1;
    assert!(forged.clone().verify().is_err());
    // As it would lie there, had somebody written it into the files with the folder's own salt.
    store.stage_run(&forged.from_own_journal()).unwrap();
    store.commit().unwrap();
    drop(store);
    assert_told(&pc, "signature");
}
