//! Disks that fill up.

use super::*;
use crate::disk::{Disk, Fault};
use crate::types::{Health, JournalFrame, Position, ReadOnlyReason};

const MIB: u64 = 1024 * 1024;

fn fill(store: &mut Store, mib: u64) -> Result<u64, StoreError> {
    let mut done = 0;
    while done < mib * MIB {
        let big = Entry {
            kind: KIND_RECORD,
            body: vec![7; 250_000],
        };
        store.stage_local(&key(1), book(), EPOCH, vec![big])?;
        done += store.commit()?.bytes;
    }
    Ok(done)
}

#[test]
fn a_full_disk_turns_read_only_still_takes_statements_and_recovers() {
    let pc = Pc::new(1);
    let mut store = pc.open();
    store
        .stage_local(&key(1), book(), EPOCH, vec![entry("before")])
        .unwrap();
    store.commit().unwrap();
    let before = store.logs().tips(&log_of(1)).to_vec();
    pc.disk.fault(Fault::Capacity(64 * MIB + 100_000));
    let big = Entry {
        kind: KIND_RECORD,
        body: vec![7; 250_000],
    };
    store.stage_local(&key(1), book(), EPOCH, vec![big.clone()]).unwrap();
    store.stage_fact("with it", Some(b"lost together")).unwrap();
    assert!(matches!(
        store.commit(),
        Err(StoreError::ReadOnly(ReadOnlyReason::DiskFull))
    ));
    assert_eq!(store.health(), Health::ReadOnly(ReadOnlyReason::DiskFull));
    assert_eq!(
        store.logs().tips(&log_of(1)),
        before,
        "all of a commit or nothing of it"
    );
    assert_eq!(store.fact("with it"), None);
    assert!(matches!(
        store.stage_local(&key(1), book(), EPOCH, vec![entry("a case")]),
        Err(StoreError::ReadOnly(_))
    ));
    assert!(matches!(
        store.stage_key(book(), RecordId([1; 16]), &[1; 48]),
        Err(StoreError::ReadOnly(_))
    ));
    // Not a byte is left but the space kept back: revocations, receipts, facts and erasures come out of it.
    pc.disk.fault(Fault::Capacity(64 * MIB));
    let public = Scope::public(unit(1));
    store
        .stage_local(&key(1), public, EPOCH, vec![statement("revoke")])
        .unwrap();
    store.stage_fact("store", Some(b"9")).unwrap();
    store.erase_key(book(), RecordId([1; 16])).unwrap();
    assert_eq!(store.commit().unwrap().entries, 1);
    assert!(store.is_erased(book(), &RecordId([1; 16])));
    drop(store);
    let mut store = pc.open();
    assert_ne!(store.health(), Health::Writable, "still full after opening");
    assert_eq!(store.logs().entries(public), 1);
    store.trust(store.head()).unwrap();
    pc.disk.fault(Fault::Roomy);
    store.stage_local(&key(1), book(), EPOCH, vec![entry("after")]).unwrap();
    store.commit().unwrap();
    assert_eq!(store.health(), Health::Writable);
    assert_eq!(pc.disk.len("reserve").unwrap(), Some(64 * MIB), "kept back again");
    assert!(verify(&mut store).is_clean());
}

#[test]
fn the_store_stops_before_the_index_meets_a_full_disk() {
    let pc = Pc::new(2);
    let mut store = pc.open();
    pc.disk.fault(Fault::Capacity((64 + 36) * MIB));
    let stopped = fill(&mut store, 200);
    assert!(matches!(stopped, Err(StoreError::ReadOnly(_))));
    let free = pc.disk.free_bytes().unwrap();
    assert!(free > 64 * MIB, "{free}");
    drop(store);
    assert!(verify(&mut pc.open()).is_clean());
}

#[test]
fn a_disk_full_to_the_last_byte_refuses_even_statements_and_loses_nothing() {
    let pc = Pc::new(3);
    let mut store = pc.open();
    let public = Scope::public(unit(1));
    store
        .stage_local(&key(1), public, EPOCH, vec![statement("first")])
        .unwrap();
    store.commit().unwrap();
    pc.disk.fault(Fault::Capacity(100));
    store
        .stage_local(&key(1), public, EPOCH, vec![statement("second")])
        .unwrap();
    assert!(matches!(store.commit(), Err(StoreError::ReadOnly(_))));
    assert_eq!(store.logs().entries(public), 1);
    pc.disk.fault(Fault::Roomy);
    store
        .stage_local(&key(1), public, EPOCH, vec![statement("second")])
        .unwrap();
    store.commit().unwrap();
    assert_eq!(store.logs().entries(public), 2);
    assert!(verify(&mut store).is_clean());
}

#[test]
fn damage_that_is_met_on_a_full_disk_is_told_all_the_same() {
    const FACT: &[u8] = b"what this device must not forget";
    let pc = Pc::new(9);
    let mut store = pc.open();
    store.stage_fact("fact", Some(FACT)).unwrap();
    store
        .stage_local(&key(1), book(), EPOCH, vec![entry("a case")])
        .unwrap();
    store.commit().unwrap();
    // The fact stands twice now, the second time among all facts. Both rot, and the case.
    store.trust(store.head()).unwrap();
    let frames = store.frames_after(Position::START, 10).unwrap();
    let case = frames.iter().find_map(|(_, frame)| match frame {
        JournalFrame::Run(run) => Some(run.entries[0].at),
        _ => None,
    });
    let case = case.unwrap();
    let file = format!("journal-{:08}", case.segment);
    let bytes = pc.file(&file);
    let facts = (0..bytes.len()).filter(|from| bytes[*from..].starts_with(FACT));
    let rotten: Vec<u64> = facts.map(|from| from as u64).chain([u64::from(case.offset)]).collect();
    assert_eq!(rotten.len(), 3);
    rotten.iter().for_each(|place| pc.disk.flip(&file, *place, 2));
    pc.disk.fault(Fault::Capacity(0));
    let without_index = Pc {
        disk: pc.disk.copy(),
        place: MemPlace::default(),
    };
    let (_, opened) = without_index.try_open().unwrap();
    assert!(!opened.damaged.is_empty(), "told by an opening");
    assert!(!store.scrub(MIB).unwrap().is_empty(), "told by a store that is open");
    assert_eq!(store.logs().entries(book()), 0, "what cannot be read is not counted");
    // The copy of the facts that could not be written follows with the next trusted position.
    pc.disk.fault(Fault::Roomy);
    store.stage_fact("other", Some(b"1")).unwrap();
    store.commit().unwrap();
    store.trust(store.head()).unwrap();
    let without_index = Pc {
        disk: pc.disk.copy(),
        place: MemPlace::default(),
    };
    assert_eq!(without_index.open().fact("fact"), Some(FACT));
}
