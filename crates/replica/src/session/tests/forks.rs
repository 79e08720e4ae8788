//! Forks, restored backups, withdrawn receipts.

use super::super::double::{County, unit};
use super::{COUNTY, ROOM, TOWNSHIP, in_step};
use crate::entry::Tip;
use crate::memory::note;
use crate::receipt::Withdrawal;
use ledger::id::Scope;

/// Two copies of one room's disk, both in use: the second runs at the post of its sister, with the room's key and unit.
fn cloned(common: usize, left: usize, right: usize) -> County {
    let mut county = County::new(3);
    county.record(ROOM, common);
    let copy = county.posts[ROOM].backup();
    county.posts[4].key = county.posts[ROOM].key.clone();
    county.posts[4].unit = county.posts[ROOM].unit;
    county.posts[4].restore(copy);
    county.record(ROOM, left);
    county.record(4, right);
    county
}

#[test]
fn a_fork_reconciles_whatever_the_lengths_of_its_branches() {
    for (common, left, right) in [
        (0, 1, 1),
        (1, 1, 1),
        (5, 1, 40),
        (40, 7, 7),
        (300, 90, 20),
        (300, 20, 90),
        (7, 0, 9),
        (0, 70, 3),
    ] {
        let mut county = cloned(common, left, right);
        county.connect(ROOM, TOWNSHIP);
        county.connect(4, COUNTY);
        county.settle();
        // The authors are gone; the hubs reconcile alone.
        county.cut(0);
        county.cut(1);
        let line = county.connect(TOWNSHIP, COUNTY);
        county.settle();
        println!("{common} {left} {right}: {:?}", county.lines[line].kinds);
        county.assert_equal(TOWNSHIP, COUNTY);
        let entries = county.posts[COUNTY].memory.logs.entries(Scope::book(unit(4)));
        assert_eq!(entries, (common + left + right) as u64, "{common} {left} {right}");
        assert!(
            county.frames(line) < 30,
            "{} frames: {:?}",
            county.frames(line),
            county.lines[line].kinds
        );
    }
}

#[test]
fn a_long_log_that_forked_near_its_end_is_not_sent_again_from_its_start() {
    let mut county = cloned(2_000, 3, 5);
    let whole = county.connect(ROOM, TOWNSHIP);
    county.connect(4, COUNTY);
    county.settle();
    county.cut(0);
    county.cut(1);
    let line = county.connect(TOWNSHIP, COUNTY);
    county.settle();
    county.assert_equal(TOWNSHIP, COUNTY);
    let bytes = |line: usize| -> usize { county.lines[line].bytes.iter().sum() };
    println!("all of it {} bytes, the fork {} bytes", bytes(whole), bytes(line));
    assert!(bytes(line) * 8 < bytes(whole), "{} of {}", bytes(line), bytes(whole));
}

#[test]
fn both_copies_of_a_cloned_disk_get_each_others_cases() {
    let mut county = cloned(20, 5, 6);
    county.connect(ROOM, TOWNSHIP);
    county.connect(4, TOWNSHIP);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
    county.assert_equal(4, TOWNSHIP);
    assert_eq!(county.posts[4].memory.logs.entries(Scope::book(unit(4))), 31);
    county.record(ROOM, 2);
    county.record(4, 2);
    county.settle();
    county.assert_equal(ROOM, 4);
}

#[test]
fn a_room_restored_from_yesterday_gets_back_what_it_forgot() {
    let mut county = County::new(5);
    county.record(ROOM, 30);
    let yesterday = county.posts[ROOM].backup();
    county.record(ROOM, 30);
    let line = county.connect(ROOM, TOWNSHIP);
    county.settle();
    county.cut(line);
    county.posts[ROOM].restore(yesterday);
    let log = county.posts[ROOM].log(Scope::book(unit(4)));
    let forgotten = county.posts[TOWNSHIP].memory.logs.tips(&log)[0];
    county.connect(ROOM, TOWNSHIP);
    county.settle();
    assert!(county.is_held(ROOM, &log, forgotten));
    county.posts[ROOM].epoch = 2;
    county.record(ROOM, 3);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
}

#[test]
fn a_restored_hub_hears_its_own_newer_receipts_and_its_withdrawal_travels_down() {
    let (mut county, line) = in_step();
    let book = Scope::book(unit(4));
    county.cut(line);
    let backup = county.posts[TOWNSHIP].backup();
    let again = county.connect(ROOM, TOWNSHIP);
    county.record(ROOM, 10);
    county.settle();
    county.cut(again);
    county.posts[TOWNSHIP].restore(backup);
    let township = county.posts[TOWNSHIP].device();
    assert_eq!(
        county.posts[TOWNSHIP].receipts.of(&township, 2, book).unwrap().counter,
        40
    );
    let line = county.connect(ROOM, TOWNSHIP);
    county.deliver(line, 1);
    while county.deliver(line, 0) {}
    assert_eq!(
        county.posts[TOWNSHIP].receipts.of(&township, 2, book).unwrap().counter,
        50,
        "the room tells the hub"
    );
    // The hub sees that it holds less than it once said: it withdraws, and begins a new life.
    let withdrawal = Withdrawal::sign(&county.posts[TOWNSHIP].key, 2, 7);
    county.posts[TOWNSHIP].store = 77;
    county.hear(TOWNSHIP, Vec::new(), vec![withdrawal]);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
    assert!(
        county.posts[ROOM].receipts.is_void(&township, 2),
        "the room shows it as withdrawn"
    );
    assert_eq!(county.posts[ROOM].receipts.of(&township, 77, book).unwrap().counter, 50);
    county.cut(line);
    let quiet = county.connect(ROOM, TOWNSHIP);
    county.settle();
    assert_eq!(county.frames(quiet), 2, "{:?}", county.lines[quiet].kinds);
}

#[test]
fn a_withdrawal_made_while_apart_reaches_everybody_at_the_next_meeting() {
    let (mut county, line) = in_step();
    county.cut(line);
    let withdrawal = Withdrawal::sign(&county.posts[TOWNSHIP].key, 2, 7);
    county.hear(TOWNSHIP, Vec::new(), vec![withdrawal]);
    county.connect(TOWNSHIP, COUNTY);
    county.connect(ROOM, COUNTY);
    county.settle();
    let township = county.posts[TOWNSHIP].device();
    for post in [ROOM, COUNTY] {
        assert!(county.posts[post].receipts.is_void(&township, 2));
    }
}

#[test]
fn a_clone_that_forked_from_the_very_first_entry_is_taken_in_whole() {
    let mut county = cloned(0, 3, 4);
    county.connect(ROOM, 4);
    county.settle();
    county.assert_equal(ROOM, 4);
    let log = county.posts[ROOM].log(Scope::book(unit(4)));
    assert_eq!(county.posts[ROOM].memory.logs.tips(&log).len(), 2);
}

#[test]
fn a_case_with_three_forks_reconciles_between_hubs_that_hold_two_each() {
    let mut county = County::new(9);
    county.record(ROOM, 12);
    let log = county.posts[ROOM].log(Scope::book(unit(4)));
    let stem = county.posts[ROOM].memory.logs.tips(&log)[0];
    let key = county.posts[ROOM].key.clone();
    let backup = county.posts[ROOM].backup();
    for (post, name) in [
        (TOWNSHIP, "a"),
        (TOWNSHIP, "b"),
        (COUNTY, "b"),
        (COUNTY, "c"),
        (COUNTY, "d"),
    ] {
        for run in &backup.0 {
            county.posts[post].memory.take(run);
        }
        let mut at: Tip = stem;
        for n in 0..9 {
            at = county.posts[post]
                .memory
                .write(&key, log, at, vec![note(&format!("{name}{n}"))]);
        }
    }
    county.connect(TOWNSHIP, COUNTY);
    county.settle();
    county.assert_equal(TOWNSHIP, COUNTY);
    assert_eq!(county.posts[TOWNSHIP].memory.logs.tips(&log).len(), 4);
}
