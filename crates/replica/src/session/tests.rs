//! Promises of the session, told with a small county.

mod faults;
mod floods;
mod forks;
mod keys;
mod speech;

use super::double::{County, unit};
use super::{Effect, Input, Progress};
use crate::memory::note;
use ledger::id::Scope;

pub(super) const COUNTY: usize = 0;
pub(super) const TOWNSHIP: usize = 1;
pub(super) const OTHER_TOWNSHIP: usize = 2;
pub(super) const ROOM: usize = 3;
pub(super) const SISTER: usize = 4;

const HELLO: u8 = 1;

/// A room and its township in step, with some history.
pub(super) fn in_step() -> (County, usize) {
    let mut county = County::new(1);
    county.record(ROOM, 40);
    county.write(
        TOWNSHIP,
        Scope::public(unit(2)),
        vec![note("calendar"), note("catalogue")],
    );
    let line = county.connect(ROOM, TOWNSHIP);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
    (county, line)
}

#[test]
fn reconnecting_with_nothing_new_takes_one_hello_each_and_under_one_kilobyte() {
    let (mut county, line) = in_step();
    county.cut(line);
    let again = county.connect(ROOM, TOWNSHIP);
    county.settle();
    assert_eq!(county.lines[again].kinds, [vec![HELLO], vec![HELLO]]);
    let bytes: usize = county.lines[again].bytes.iter().sum();
    println!("reconnect with nothing new: {bytes} bytes");
    assert!(bytes < 600, "{bytes} bytes");
    for session in &county.lines[again].sessions {
        assert_eq!(session.progress(), Progress::InStep);
        assert_eq!(session.next_wakeup(), None, "idle stays idle");
    }
}

#[test]
fn what_either_side_lacks_arrives_and_then_there_is_silence() {
    let (mut county, line) = in_step();
    county.cut(line);
    county.record(ROOM, 300);
    county.write(TOWNSHIP, Scope::book(unit(4)), vec![note("accepted"), note("decided")]);
    let again = county.connect(ROOM, TOWNSHIP);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
    let frames = county.frames(again);
    println!("frames for a catch-up both ways: {:?}", county.lines[again].kinds);
    assert!(frames <= 14, "{frames} frames");
    county.settle();
    assert_eq!(county.frames(again), frames, "in step, nobody speaks");
}

#[test]
fn a_case_recorded_on_a_live_line_is_pushed_and_receipted_by_both_tiers() {
    let (mut county, line) = in_step();
    let up = county.connect(TOWNSHIP, COUNTY);
    county.settle();
    let before = county.frames(line) + county.frames(up);
    county.record(ROOM, 1);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
    county.assert_equal(ROOM, COUNTY);
    let hubs: Vec<_> = county.posts[ROOM]
        .receipts
        .standing(Scope::book(unit(4)))
        .map(|receipt| receipt.hub)
        .collect();
    assert!(hubs.contains(&county.posts[COUNTY].device()) && hubs.contains(&county.posts[TOWNSHIP].device()));
    // Up: two batches; down: the township's receipt, the county's to the township, the county's to the room; and the township's up.
    let frames = county.frames(line) + county.frames(up) - before;
    assert!(frames <= 6, "{frames} frames for one case");
}

#[test]
fn receipts_won_while_a_room_was_away_come_in_the_first_flight() {
    let (mut county, line) = in_step();
    county.cut(line);
    let up = county.connect(TOWNSHIP, COUNTY);
    county.settle();
    county.cut(up);
    let again = county.connect(ROOM, TOWNSHIP);
    // One flight each way.
    let end = 1;
    while county.deliver(again, end) {}
    while county.deliver(again, 0) {}
    while county.deliver(again, end) {}
    let county_hub = county.posts[COUNTY].device();
    let heard = county.posts[ROOM]
        .receipts
        .standing(Scope::book(unit(4)))
        .any(|receipt| receipt.hub == county_hub);
    assert!(heard, "after one round trip the room knows");
    county.settle();
    assert!(county.frames(again) <= 5, "{:?}", county.lines[again].kinds);
}

#[test]
fn a_sister_room_learns_nothing_of_anothers_book() {
    let (mut county, _) = in_step();
    county.connect(SISTER, TOWNSHIP);
    county.connect(SISTER, ROOM);
    county.settle();
    assert_eq!(county.posts[SISTER].memory.logs.entries(Scope::book(unit(4))), 0);
    assert_eq!(county.posts[SISTER].memory.logs.entries(Scope::public(unit(2))), 2);
}

#[test]
fn a_bare_county_is_rebuilt_from_one_township() {
    let (mut county, _) = in_step();
    let up = county.connect(TOWNSHIP, COUNTY);
    county.settle();
    county.cut(up);
    county.posts[COUNTY].memory = Default::default();
    county.posts[COUNTY].receipts = Default::default();
    county.posts[COUNTY].store = 99;
    county.connect(COUNTY, TOWNSHIP);
    county.settle();
    county.assert_equal(COUNTY, TOWNSHIP);
    assert_eq!(county.posts[COUNTY].memory.logs.entries(Scope::book(unit(4))), 40);
}

#[test]
fn two_live_lines_between_the_same_posts_do_no_harm() {
    let (mut county, _) = in_step();
    county.connect(ROOM, TOWNSHIP);
    county.connect(TOWNSHIP, ROOM);
    county.settle();
    county.record(ROOM, 5);
    county.write(TOWNSHIP, Scope::book(unit(4)), vec![note("x")]);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
}

#[test]
fn whatever_the_order_all_posts_come_into_step_and_fall_silent() {
    for seed in 0..60 {
        println!("seed {seed}");
        let mut county = County::new(seed);
        for (a, b) in [
            (ROOM, TOWNSHIP),
            (SISTER, TOWNSHIP),
            (TOWNSHIP, COUNTY),
            (5, OTHER_TOWNSHIP),
            (OTHER_TOWNSHIP, COUNTY),
            (ROOM, COUNTY),
        ] {
            county.connect(a, b);
        }
        for _ in 0..200 {
            county.step();
            if county.seeds.below(25) == 0 {
                let line = county.seeds.below(6) as usize;
                let [a, b] = county.lines[line].posts;
                if county.lines[line].closed[0].is_none() {
                    county.cut(line);
                    county.connect(a, b);
                }
            }
            if county.seeds.below(40) == 0 {
                let post = county.seeds.below(3) as usize;
                let scope = Scope::public(county.posts[post].unit);
                county.write(post, scope, vec![note(&format!("statement {seed}"))]);
            }
        }
        county.settle();
        for (a, b) in [
            (ROOM, TOWNSHIP),
            (SISTER, TOWNSHIP),
            (TOWNSHIP, COUNTY),
            (5, OTHER_TOWNSHIP),
            (OTHER_TOWNSHIP, COUNTY),
        ] {
            county.assert_equal(a, b);
        }
        for line in county.lines.iter().filter(|line| line.closed[0].is_none()) {
            assert_eq!(line.errors, [None, None]);
            for session in &line.sessions {
                assert_eq!(session.progress(), Progress::InStep);
            }
        }
    }
}

#[test]
fn reports_on_rooms_travel_up() {
    let (mut county, line) = in_step();
    county.input(line, 0, Input::HealthOut(Vec::new()));
    let report = crate::frame::RoomHealth {
        device: county.posts[ROOM].device(),
        unit: unit(4),
        as_of_ms: 5,
        last_seen_ms: Some(4),
        line: crate::frame::RoomLine::Up,
        recorded: 40,
        at_township: 40,
        at_county: 0,
        oldest_pending_ms: None,
        skew_ms: Some(-3),
        disk_free_bytes: 1,
        version: "0.1.0".into(),
        more: None,
    };
    county.input(line, 0, Input::HealthOut(vec![report.clone()]));
    county.settle();
    assert!(county.posts[TOWNSHIP].effects.contains(&Effect::Health(vec![report])));
}
