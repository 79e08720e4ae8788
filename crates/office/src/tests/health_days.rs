//! "County = sum of its rooms" speaks of rooms as they are now: of a PC that was replaced, is silent or is one of two, and of rows
//! that changed although no book has grown.

use ledger::day::Day;
use replica::statement::Role;
use serde_json::{Value, json};

use super::county::County;
use super::work::{LAND, act, receive, step};
use crate::command::{CaseDo, Command, MemberExtend, MemberRevoke, RoomShow, Wall};
use crate::rig::Seat;

const DAY_MS: u64 = 24 * 60 * 60_000;

/// The wall's check at a hub, once the books that it wanted are counted.
fn check(county: &mut County, seat: Seat) -> Value {
    for _ in 0..2 {
        county.world.run(seat, Command::Wall(Wall::default()));
        county.world.pass(1_000);
    }
    county.world.run(seat, Command::Wall(Wall::default()))["check"].clone()
}

/// Of the day `back` days ago: what is counted here, what the rooms say, and who is named.
fn day(check: &Value, back: usize) -> (u64, u64, Vec<String>) {
    let day = &check["days"][back];
    let named = day["named"].as_array().unwrap().iter();
    let named: Vec<String> = named.map(|one| one["unit"].as_str().unwrap().to_owned()).collect();
    assert_eq!(day["equal"], named.is_empty(), "{day:#}");
    (day["here"].as_u64().unwrap(), day["rooms"].as_u64().unwrap(), named)
}

fn compared(check: &Value) -> (u64, u64, u64) {
    let many = |key: &str| check[key].as_u64().unwrap_or(0);
    (many("rooms"), many("waiting"), many("unheard"))
}

fn page(county: &mut County, seat: Seat, code: &str) -> Value {
    let show = RoomShow { unit: code.to_owned() };
    county.world.run(seat, Command::RoomShow(show))["days"][0].clone()
}

fn revoke(county: &mut County, at: Seat, room: Seat) -> String {
    let device = county.world_device(room).to_string();
    let revoke = MemberRevoke {
        device: device.clone(),
        reason: "电脑丢失".to_owned(),
        root_key: None,
    };
    county.world.run(at, Command::MemberRevoke(revoke));
    device
}

/// The day on which something is recorded now.
fn today(county: &mut County) -> Day {
    let at = county.hub;
    Day::of_wall_ms(county.world.now(at).wall_ms)
}

#[test]
fn a_replaced_pc_speaks_no_more_for_its_room_on_that_day_or_any_later() {
    let mut county = County::new(391, 1, 2);
    let (hub, town, old) = (county.hub, county.townships[0], county.rooms[0]);
    let code = county.room_codes[0].clone();
    for person in 1..=3 {
        county.new_case(old, person);
    }
    county.world.pass(10_000);
    county.world.cut(county.room_lines[0]);
    revoke(&mut county, town, old);
    let (new, _) = county.admit(town, &code, Role::Node);
    county.world.pass(10_000);
    for seat in [town, hub] {
        let seen = check(&mut county, seat);
        assert_eq!(day(&seen, 0), (3, 3, vec![]), "three, once: {seen:#}");
        assert_eq!(compared(&seen), (2, 0, 0), "rooms, not PCs: {seen:#}");
    }
    // The next day the old one says what it said: nothing of today. Whoever starts anew has heard no more of it.
    county.world.pass(DAY_MS);
    for person in 4..=8 {
        county.new_case(new, person);
    }
    county.world.pass(10_000);
    county.world.stop(hub);
    county.world.start(hub);
    county.world.pass(20_000);
    for seat in [town, hub] {
        let seen = check(&mut county, seat);
        assert_eq!(day(&seen, 0), (5, 5, vec![]), "{seen:#}");
        assert_eq!(day(&seen, 1), (3, 3, vec![]), "{seen:#}");
        let shown = page(&mut county, seat, &code);
        assert_eq!((&shown["here"], &shown["room"]), (&json!(5), &json!(5)), "{shown:#}");
    }
}

#[test]
fn a_silent_room_is_not_compared_until_it_has_heard_what_was_closed_meanwhile() {
    let mut county = County::new(392, 1, 2);
    let (hub, town, room) = (county.hub, county.townships[0], county.rooms[0]);
    let code = county.room_codes[0].clone();
    let yesterday = today(&mut county).plus(-1);
    let number = receive(&mut county, room, LAND, 1, Some(yesterday));
    county.world.pass(10_000);
    county.world.cut(county.room_lines[0]);
    county.world.pass(10_000);
    for event in ["accept", "process", "decide"] {
        act(&mut county, town, &number, event);
    }
    let close = CaseDo {
        result: Some("6".to_owned()),
        ..step(&number, "close")
    };
    county.world.run(town, Command::CaseDo(close));
    county.world.pass(10_000);
    for seat in [town, hub] {
        let seen = check(&mut county, seat);
        assert_eq!(day(&seen, 0), (0, 0, vec![]), "nobody is sent to look for it: {seen:#}");
        assert_eq!(compared(&seen), (1, 0, 1), "{seen:#}");
        let shown = page(&mut county, seat, &code);
        assert_eq!((&shown["here"], &shown["room"]), (&json!(1), &Value::Null), "{shown:#}");
    }
    county.world.heal(county.room_lines[0]);
    county.world.pass(20_000);
    for seat in [town, hub] {
        let seen = check(&mut county, seat);
        assert_eq!((day(&seen, 0), day(&seen, 1)), ((1, 1, vec![]), (1, 1, vec![])));
        assert_eq!(compared(&seen), (2, 0, 0), "{seen:#}");
        assert_eq!(page(&mut county, seat, &code)["room"], 1);
    }
}

#[test]
fn a_room_with_two_pcs_is_one_room_and_its_cases_are_counted_once() {
    let mut county = County::new(393, 1, 1);
    let (hub, town, first) = (county.hub, county.townships[0], county.rooms[0]);
    let code = county.room_codes[0].clone();
    let (second, second_line) = county.admit(town, &code, Role::Node);
    county.new_case(first, 1);
    county.new_case(second, 2);
    county.world.pass(10_000);
    for seat in [town, hub] {
        let seen = check(&mut county, seat);
        assert_eq!((day(&seen, 0), compared(&seen)), ((2, 2, vec![]), (1, 0, 0)));
    }
    // One of them goes home; the other goes on, and speaks for both.
    county.world.cut(second_line);
    county.new_case(first, 3);
    county.world.pass(10_000);
    for seat in [town, hub] {
        let seen = check(&mut county, seat);
        assert_eq!((day(&seen, 0), compared(&seen)), ((3, 3, vec![]), (1, 0, 0)));
        assert_eq!(page(&mut county, seat, &code)["room"], 3);
    }
}

#[test]
fn what_is_let_in_later_is_counted_although_no_book_has_grown() {
    let mut county = County::new(394, 1, 1);
    let (hub, town, old) = (county.hub, county.townships[0], county.rooms[0]);
    let code = county.room_codes[0].clone();
    county.new_case(old, 1);
    county.world.pass(5_000);
    // The county takes the PC out before it hears of the second case, which waits for a word.
    county.world.cut(county.township_lines[0]);
    county.new_case(old, 2);
    county.world.pass(5_000);
    let device = revoke(&mut county, hub, old);
    county.world.heal(county.township_lines[0]);
    county.world.pass(5_000);
    county.admit(town, &code, Role::Node);
    county.world.pass(10_000);
    for seat in [town, hub] {
        assert_eq!(day(&check(&mut county, seat), 0), (1, 1, vec![]));
    }
    // 采纳: a statement, and not an entry of any book.
    let extend = MemberExtend { device, root_key: None };
    county.world.run(hub, Command::MemberExtend(extend));
    county.world.pass(10_000);
    for seat in [town, hub] {
        let seen = check(&mut county, seat);
        assert_eq!(day(&seen, 0), (2, 2, vec![]), "{seen:#}");
    }
}
