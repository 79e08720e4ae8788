//! The wall's figures against figures made by hand; what is shown of a room that nobody can see; sorting, filtering, finding.

use replica::frame::RoomHealth;
use serde_json::{Value, json};

use super::county::{County, TOWNSHIPS};
use crate::command::{Command, Hold, Members, RoomShow, Wall, WallSort};
use crate::rig::Seat;

const MINUTE_MS: u64 = 60_000;
const HOUR_S: i64 = 3_600;

fn wall(county: &mut County, seat: Seat, wall: Wall) -> Value {
    county.world.run(seat, Command::Wall(wall))
}

fn tiles(wall: &Value) -> Vec<Value> {
    let towns = wall["towns"].as_array().unwrap().iter();
    towns
        .flat_map(|town| town["tiles"].as_array().unwrap().clone())
        .collect()
}

fn tile(county: &mut County, seat: Seat, code: &str) -> Value {
    let all = wall(county, seat, Wall::default());
    tiles(&all).into_iter().find(|tile| tile["unit"] == code).unwrap()
}

fn page(county: &mut County, seat: Seat, code: &str) -> Value {
    let show = RoomShow { unit: code.to_owned() };
    county.world.run(seat, Command::RoomShow(show))
}

/// The township says otherwise of one of its rooms.
fn says(county: &mut County, room: usize, change: impl FnOnce(&mut RoomHealth)) {
    let (hub, now) = (county.hub, county.world.now(county.hub));
    let device = county.world_device(county.rooms[room]);
    let township = county.townships[room / 3];
    let township = county.world_device(township);
    let office = county.world.office(hub);
    let mut report = office.reports.heard[&device].report.clone();
    change(&mut report);
    office.take_reports(now, township, vec![report]);
}

fn near(value: &Value, seconds: i64) -> bool {
    value.as_i64().is_some_and(|s| (s - seconds).abs() <= 40)
}

#[test]
fn ages_of_the_newest_receipt_rooms_in_step_and_the_oldest_unsent_are_what_one_reckons_by_hand() {
    let mut county = County::new(371, 2, 3);
    let (hub, codes) = (county.hub, county.room_codes.clone());
    // One case each, ten minutes apart; the two last rooms have none.
    for room in 0..4 {
        county.new_case(county.rooms[room], room);
        county.world.pass(10 * MINUTE_MS);
    }
    // 40, 30, 20 and 10 minutes ago: half of the four rooms are within 20, all but one in twenty within 40.
    let seen = wall(&mut county, hub, Wall::default());
    let newest = &seen["newest"];
    assert_eq!(newest["rooms"], 4, "{newest}");
    assert!(
        near(&newest["p50_s"], 20 * 60) && near(&newest["p95_s"], 40 * 60),
        "{newest}"
    );
    assert_eq!((&seen["counts"]["in_step"], &seen["oldest"]), (&json!(6), &Value::Null));

    // Three rooms speak of what they wait with: three hours, five hours, and one that has brought everything since.
    let now_ms = county.world.now(hub).wall_ms;
    let waits = |more: u64, hours: i64| {
        move |r: &mut RoomHealth| {
            (r.recorded, r.oldest_pending_ms) = (r.recorded + more, Some(now_ms - hours * 3_600_000))
        }
    };
    says(&mut county, 0, waits(1, 3));
    says(&mut county, 4, waits(7, 5));
    says(&mut county, 2, waits(0, 9));
    let seen = wall(&mut county, hub, Wall::default());
    assert_eq!(
        (&seen["oldest"]["unit"], &seen["oldest"]["s"]),
        (&json!(codes[4]), &json!(5 * HOUR_S)),
        "{:#}",
        seen["oldest"]
    );
    assert_eq!(
        (&seen["counts"]["in_step"], &seen["counts"]["behind"]),
        (&json!(4), &json!(2))
    );
    let behind = tile(&mut county, hub, &codes[4]);
    assert_eq!(
        (&behind["behind"], &behind["since_s"]),
        (&json!(7), &json!(5 * HOUR_S)),
        "{behind:#}"
    );
    let device = page(&mut county, hub, &codes[2])["devices"][0].clone();
    assert_eq!(
        (&device["pending"], &device["oldest_pending_s"]),
        (&json!(0), &Value::Null)
    );
}

#[test]
fn the_age_of_what_waits_is_told_by_our_clock_whatever_the_rooms_clock_says() {
    let mut county = County::new(372, 1, 1);
    let (room, town, code) = (county.rooms[0], county.townships[0], county.room_codes[0].clone());
    // Ten hours behind: without care what it records now would have waited for ten hours.
    let behind_ms = 10 * 3_600_000;
    county.world.cut(county.room_lines[0]);
    county.world.set_skew(room, -behind_ms);
    county.world.heal(county.room_lines[0]);
    county.world.pass(MINUTE_MS);
    // The room says by its own clock what it recorded half an hour ago and has not sent.
    let now = county.world.now(town);
    let device = county.world_device(room);
    let office = county.world.office(town);
    let mut report = office.reports.heard[&device].report.clone();
    report.recorded += 1;
    report.oldest_pending_ms = Some(now.wall_ms - behind_ms - 30 * 60_000);
    office.take_reports(now, device, vec![report]);
    let at_town = wall(&mut county, town, Wall::default())["oldest"].clone();
    assert_eq!(at_town["unit"], code.as_str(), "{at_town}");
    assert!(near(&at_town["s"], 30 * 60), "{at_town}");
    // And so it travels on.
    county.world.pass(5_000);
    let at_county = {
        let hub = county.hub;
        wall(&mut county, hub, Wall::default())["oldest"].clone()
    };
    assert!(near(&at_county["s"], 30 * 60), "{at_county}");
}

#[test]
fn what_is_not_from_now_says_from_when_it_is_and_nobody_is_sent_to_ring_a_room_that_nobody_can_see() {
    let mut county = County::new(373, 1, 2);
    let (hub, codes) = (county.hub, county.room_codes.clone());
    let age_s =
        |county: &mut County, tile: &Value| (county.world.now(hub).wall_ms - tile["as_of_ms"].as_i64().unwrap()) / 1000;
    county.world.run(hub, Command::HealthWatch);
    let now = tile(&mut county, hub, &codes[0]);
    assert_eq!(age_s(&mut county, &now), 0, "{now:#}");
    county.world.cut(county.room_lines[0]);
    for _ in 0..40 {
        county.world.pass(MINUTE_MS);
        county.world.run(hub, Command::HealthWatch);
    }
    let silent = tile(&mut county, hub, &codes[0]);
    assert_eq!(
        (&silent["state"], &silent["reasons"]),
        (&json!("silent"), &json!(["上班时间静默"])),
        "{silent:#}"
    );
    assert!((2_390..=2_410).contains(&age_s(&mut county, &silent)), "{silent:#}");
    let next = page(&mut county, hub, &codes[0])["next"].clone();
    assert!(next.as_str().unwrap().contains("请给村室打电话"), "{next}");
    // Its hub goes as well: the room may be back for all we know.
    county.world.cut(county.township_lines[0]);
    county.world.pass(5 * MINUTE_MS);
    for code in &codes {
        let unknown = tile(&mut county, hub, code);
        assert_eq!(
            (&unknown["state"], &unknown["reasons"]),
            (&json!("unknown"), &json!([])),
            "{unknown:#}"
        );
        let age = age_s(&mut county, &unknown);
        assert!((290..=310).contains(&age), "since the township was heard: {age} s");
        let shown = page(&mut county, hub, code);
        let next = shown["next"].as_str().unwrap();
        assert!(next.starts_with("它上面的中心联系不上"), "{next}");
        let as_of = &shown["devices"][0]["as_of_s"];
        assert!((290..=310).contains(&as_of.as_i64().unwrap()), "{as_of}");
    }
    county.world.heal(county.township_lines[0]);
    county.world.pass(5_000);
    let silent = tile(&mut county, hub, &codes[0]);
    assert_eq!(
        (&silent["state"], &silent["reasons"]),
        (&json!("silent"), &json!(["上班时间静默"])),
        "known again"
    );
}

/// One room silent, one held, one behind; the others in step.
fn held_behind_and_silent(seed: u64) -> County {
    let mut county = County::new(seed, 2, 3);
    county.world.cut(county.room_lines[4]);
    let device = county.world_device(county.rooms[1]).to_string();
    let hold = Hold {
        device,
        reason: "电脑送修".to_owned(),
        root_key: None,
    };
    county
        .world
        .run(county.townships[0], Command::Members(Members::Hold(hold)));
    county.world.pass(MINUTE_MS);
    says(&mut county, 0, |r| r.recorded += 3);
    county
}

#[test]
fn the_wall_is_sorted_by_need_or_by_name() {
    let mut county = held_behind_and_silent(374);
    let hub = county.hub;
    let all = wall(&mut county, hub, Wall::default());
    let states = |of: &Value| -> Vec<String> {
        let each = tiles(of)
            .into_iter()
            .map(|tile| tile["state"].as_str().unwrap().to_owned());
        each.filter(|state| state != "never_seen").collect()
    };
    // The township with the silent room first, in each the worst room first; held rooms need nobody.
    assert_eq!(all["towns"][0]["unit"], TOWNSHIPS[1]);
    assert_eq!(
        states(&all),
        ["silent", "in_step", "in_step", "behind", "in_step", "held"]
    );
    let by_name = wall(
        &mut county,
        hub,
        Wall {
            sort: WallSort::Name,
            ..Wall::default()
        },
    );
    let towns = by_name["towns"].as_array().unwrap();
    let names = |rows: &Value| -> Vec<String> {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    assert!(names(&by_name["towns"]).is_sorted());
    assert!(
        towns
            .iter()
            .all(|town| names(&town["tiles"]).is_sorted() && names(&town["tiles"]).len() > 2)
    );
}

#[test]
fn a_state_a_township_and_a_search_hold_together_and_what_is_filtered_away_still_counts() {
    let mut county = held_behind_and_silent(375);
    let (hub, codes) = (county.hub, county.room_codes.clone());
    let all = wall(&mut county, hub, Wall::default());
    // A state, a township, a piece of the name or the beginning of the code; all of them at once.
    let found = |county: &mut County, state: &str, town: &str, search: &str| -> Vec<String> {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let asked = Wall {
            state: some(state),
            town: some(town),
            search: some(search),
            sort: WallSort::Code,
        };
        let seen = wall(county, hub, asked);
        let units: Vec<String> = tiles(&seen)
            .iter()
            .map(|tile| tile["unit"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(seen["matching"], units.len());
        assert_eq!(seen["rooms"], all["rooms"], "what is filtered away still counts");
        units
    };
    assert_eq!(found(&mut county, "held", "", ""), [codes[1].clone()]);
    assert_eq!(found(&mut county, "in_step", TOWNSHIPS[0], ""), [codes[2].clone()]);
    assert_eq!(found(&mut county, "", "", &codes[5]), [codes[5].clone()]);
    let name = tile(&mut county, hub, &codes[3])["name"].as_str().unwrap().to_owned();
    let middle: String = name.chars().skip(1).take(2).collect();
    assert!(found(&mut county, "in_step", "", &middle).contains(&codes[3]));
    assert_eq!(found(&mut county, "silent", TOWNSHIPS[0], ""), Vec::<String>::new());
    assert_eq!(found(&mut county, "", "", "没有这个村"), Vec::<String>::new());
}
