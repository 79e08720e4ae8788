//! How much is taken at once, and how much of one record is taken at all.

use replica::entry::{Entry, KIND_RECORD, Tip};
use store::Merge;

use super::world::{Desk, NOW, World, ZHANG, hear, settle};
use super::{assert_clean, show};
use crate::views::row::RECORD_DEVICE_ENTRIES_MAX;

/// Applies so many entries at once until nothing is left; the most that one call took.
fn apply_all(desk: &mut Desk, budget: usize) -> u64 {
    let office = &mut desk.office;
    let (mut most, mut rounds) = (0, 0);
    loop {
        let before = office.views.applied_entries();
        let applied = office
            .views
            .apply(&mut office.store, &office.authority, &office.keys, budget)
            .unwrap();
        most = most.max(office.views.applied_entries() - before);
        rounds += 1;
        assert!(rounds < 10_000, "it never ends");
        if applied.left == 0 {
            return most;
        }
    }
}

#[test]
fn one_long_run_is_applied_in_parts_and_comes_to_the_same_rows() {
    let mut world = World::new();
    world.a.import();
    apply_all(&mut world.town, 1_000);
    let book = world.a.book();
    for log in world.a.office.store.logs().logs(book) {
        for tip in world.a.office.store.logs().tips(&log) {
            let store = &world.a.office.store;
            // As a hub hears it that has nothing yet: in as few runs as possible.
            for run in store.read(&log, Tip::START, *tip, usize::MAX, Merge::Merged).unwrap() {
                assert!(run.entries.len() > 100, "{}", run.entries.len());
                hear(&mut world.town.office, &run.verify().unwrap());
            }
        }
    }
    settle(&mut world.town.office);
    let mut other = world.town.cloned(77);
    assert!(apply_all(&mut world.town, 16) <= 16, "more than was asked for");
    assert!(apply_all(&mut other, 100_000) > 100);
    let rows = world.town.rows();
    assert!(rows.len() > 100);
    assert!(rows == other.rows());
    assert_clean(&mut world.town.office);
    // The same after a process that ended in the middle of a run.
    let again = world.town.cloned(78).restart(79);
    assert!({ again }.rows() == rows);
}

#[test]
fn a_record_that_one_device_writes_without_end_takes_so_much_and_no_more() {
    const BEYOND: usize = 60;
    let mut world = World::new();
    let number = world.a.new_case("B23", ZHANG);
    world.a.rows();
    let (of, _) = world.a.office.find(&number).unwrap();
    let junk = |desk: &mut Desk, n: usize| -> Entry {
        let change = [&[0x85, 0x6f, 0x4a, 0x83][..], &n.to_be_bytes()].concat();
        desk.office.record_entry(NOW, of.record, None, change)
    };
    let held = world.a.office.store.logs().entries(of.scope) as usize;
    for part in 0..5 {
        let count = (RECORD_DEVICE_ENTRIES_MAX + BEYOND - held).div_ceil(5);
        let entries: Vec<Entry> = (0..count).map(|n| junk(&mut world.a, part * count + n)).collect();
        assert!(entries.iter().all(|entry| entry.kind == KIND_RECORD));
        world.a.office.stage_in_book(of.scope, entries).unwrap();
        settle(&mut world.a.office);
        world.a.office.catch_up(NOW).unwrap();
    }
    let row = world.a.office.row(of).unwrap().unwrap();
    assert_eq!(row.entries.len(), RECORD_DEVICE_ENTRIES_MAX);
    let items = world.a.office.quarantine_list(NOW).unwrap();
    let excess = items.as_array().unwrap().iter().filter(|item| item["kind"] == "excess");
    let total = world.a.office.store.logs().entries(of.scope) as usize;
    assert_eq!(excess.count(), total - RECORD_DEVICE_ENTRIES_MAX);
    assert_eq!(show(&mut world.a.office, &number)["state"], "received");
    assert_clean(&mut world.a.office);
}
