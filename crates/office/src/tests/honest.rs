//! What a hub shows of its rooms is what is known, as of when it was known; and nobody waits for what takes long.

use serde_json::Value;

use super::county::{County, case, rooms_of};
use crate::command::{CaseNew, Command, MemberRevoke};

const THREE_YEARS_MS: i64 = 3 * 365 * 24 * 3_600_000;

fn room_row(county: &mut County, code: &str) -> Value {
    let rooms = county.world.run(county.hub, Command::Rooms);
    let rows = rooms.as_array().unwrap();
    rows.iter().find(|r| r["unit"] == code).unwrap().clone()
}

#[test]
fn what_a_township_with_a_wrong_clock_says_of_its_rooms_is_told_by_our_clock() {
    let mut county = County::new(61, 1, 1);
    let (township, line) = (county.townships[0], county.township_lines[0]);
    county.world.cut(line);
    county.world.set_skew(township, -THREE_YEARS_MS);
    county.world.pass(5_000);
    county.world.heal(line);
    county.world.pass(10_000);
    let code = county.room_codes[0].clone();
    let row = room_row(&mut county, &code);
    assert_eq!(row["state"], "in_step", "{row:#}");
    assert_eq!(row["last_seen_s"], 0, "{row:#}");

    let room_line = county.room_lines[0];
    county.world.cut(room_line);
    county.world.pass(60_000);
    let row = room_row(&mut county, &code);
    assert_eq!(row["state"], "silent", "{row:#}");
    let seen = row["last_seen_s"].as_i64().unwrap();
    assert!((20..120).contains(&seen), "{row:#}");
}

#[test]
fn rooms_in_step_are_seen_now_however_long_ago_there_was_news_of_them() {
    let mut county = County::new(62, 1, 1);
    county.world.pass(3_600_000);
    let code = county.room_codes[0].clone();
    let row = room_row(&mut county, &code);
    assert_eq!(
        (&row["state"], &row["last_seen_s"]),
        (&"in_step".into(), &0.into()),
        "{row:#}"
    );
}

#[test]
fn a_room_nobody_heard_of_is_unknown_while_the_hub_that_would_meet_it_is_silent() {
    let mut county = County::new(63, 1, 1);
    let other = rooms_of("511603104000", 2)[1].clone();
    assert_eq!(room_row(&mut county, &other)["state"], "never_seen");
    county.world.cut(county.township_lines[0]);
    county.world.pass(60_000);
    let row = room_row(&mut county, &other);
    assert_eq!(row["state"], "unknown", "{row:#}");
    assert!(row["as_of_s"].as_i64().unwrap() >= 30, "{row:#}");
}

#[test]
fn the_county_counts_what_it_holds_of_a_revoked_room_itself() {
    let mut county = County::new(64, 1, 1);
    let (room, code) = (county.rooms[0], county.room_codes[0].clone());
    county.new_case(room, 1);
    county.world.pass(10_000);
    county.world.cut(county.room_lines[0]);
    let device = county.world_device(room).to_string();
    let reason = "丢失".to_owned();
    let revoke = MemberRevoke {
        device,
        reason,
        root_key: None,
    };
    county.world.run(county.hub, Command::MemberRevoke(revoke));
    county.world.pass(10_000);
    let row = room_row(&mut county, &code);
    assert_eq!(row["state"], "revoked");
    assert_eq!((&row["recorded"], &row["at_county"]), (&1.into(), &1.into()), "{row:#}");
}

#[test]
fn cases_are_recorded_while_the_index_is_made_anew() {
    let mut county = County::new(65, 1, 1);
    let room = county.rooms[0];
    let mut numbers: Vec<String> = (0..5).map(|n| county.new_case(room, n)).collect();
    county.world.pass(3_000);
    let now = county.world.now(room);
    let office = county.world.office(room);
    let until = office.prepare(now, &Command::Reindex).unwrap().unwrap();
    assert!(!office.is_applied(until));
    let new = CaseNew { ..case(7) };
    let made = office.command(now, Command::CaseNew(new), &mut |_| {}).unwrap();
    numbers.push(made["project_no"].as_str().unwrap().to_owned());
    while office.apply(now, 1).unwrap() > 0 {}
    assert!(office.is_applied(until));
    assert_eq!(office.rebuilt().done, office.rebuilt().total);
    let done = office.command(now, Command::Reindex, &mut |_| {}).unwrap();
    assert!(done["entries"].as_u64().unwrap() > 6, "{done}");
    numbers.sort();
    assert_eq!(county.numbers(room), numbers);
    let verified = county.world.run(room, Command::Verify);
    assert_eq!(verified["clean"], true, "{verified:#}");
}

#[test]
fn a_look_from_outside_sees_what_is_held_and_changes_nothing() {
    let mut county = County::new(66, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    county.new_case(room, 1);
    county.world.pass(5_000);
    let books = county.books(township);
    let office = county.world.office(township);
    let rows = office.record_rows().unwrap();
    assert_eq!(rows.len(), 1);
    let (of, row) = rows[0].clone();
    let held = office.held(of, row.clone()).unwrap();
    assert_eq!(held.folded, held.without_void);
    assert_eq!(held.folded.digest(), office.digest_of(of, row).unwrap());
    let load = office.load();
    assert_eq!((load.sessions, load.outputs, load.staged), (2, 0, 0), "{load:?}");
    assert!(office.is_current() && office.connected().len() == 2);
    assert_eq!(county.books(township), books);
}
