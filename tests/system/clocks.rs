//! Clocks that are wrong: shown, never believed, and nobody falls out of step for it.

use cunlian_tests::county::{County, PlaceId};
use cunlian_tests::place::Kind;
use serde_json::Value;

use crate::rig::{
    PROMISED, ROOM, TOWNSHIP, act, any_case, ask, cert_no, empty, numbers, refused, settle, show, text, verify, wait,
    wait_for_county,
};

const THREE_YEARS_S: i64 = 3 * 365 * 86_400;
const TWO_DAYS_S: i64 = 2 * 86_400;
/// A clock further off than this is flagged.
const SHOWN_MS: i64 = 5 * 60_000;

/// A place whose clock is off by so many seconds, joined and started.
fn place_with_clock(county: &mut County, kind: Kind, unit: &str, hub: PlaceId, off_s: i64) -> PlaceId {
    let id = county.place(unit, kind);
    turn(county, id, off_s);
    let ticket = county.ticket(id, unit, hub).expect("a ticket");
    county
        .join_with(id, &ticket, &[hub])
        .expect("a ticket is judged by the clock that gave it");
    county.start(id).expect("it starts");
    id
}

fn turn(county: &mut County, id: PlaceId, off_s: i64) {
    county[id].set_env(net::CLOCK_OFFSET_S, off_s.to_string());
}

/// The clock of a place that runs jumps, as at a restart after the battery is empty.
fn jump(county: &mut County, id: PlaceId, off_s: i64) {
    county[id].stop().expect("it stops");
    turn(county, id, off_s);
    county.start(id).expect("it starts");
}

/// How far a place sees the clock of its peer in that unit ahead of its own.
fn skew(county: &County, of: PlaceId, unit: &str) -> Option<i64> {
    let status = ask(county, of, &["status"]);
    let peers = status["peers"].as_array()?;
    peers.iter().find(|peer| peer["unit"] == unit)?["skew_ms"].as_i64()
}

fn is_about(skew: Option<i64>, seconds: i64) -> bool {
    skew.is_some_and(|ms| (ms - seconds * 1_000).abs() < 60_000)
}

#[test]
fn a_hub_three_years_ahead_and_a_room_whose_clock_jumps_back_stay_in_step() {
    let mut county = empty();
    let top = county.found().expect("a county");
    let township = place_with_clock(&mut county, Kind::Hub, TOWNSHIP, top, THREE_YEARS_S);
    let room = place_with_clock(&mut county, Kind::Node, ROOM, township, 0);
    let all = [top, township, room];
    let mut recorded = vec![any_case(&county, room, 1)];
    wait_for_county(&county, room);
    jump(&mut county, room, -TWO_DAYS_S);
    recorded.push(any_case(&county, room, 2));
    recorded.push(any_case(&county, room, 3));
    // What it recorded before lies in its future now; work goes on all the same, and a date to come is told, not guessed.
    act(&county, room, &recorded[0], &["ask", "--items", "身份证"]);
    let received = text(&show(&county, room, &recorded[0]), "on");
    let person = ["--name", "王小明", "--cert-no", &cert_no(9)];
    let dated = [&["case", "new", "--matter", PROMISED, "--on", &received][..], &person].concat();
    let told = county[room].say(&dated).expect("it runs");
    assert_ne!(told.code(), Some(0), "{told:?}");
    assert!(told.stderr.contains("校准"), "{told:?}");
    act(&county, township, &recorded[1], &["accept"]);
    wait_for_county(&county, room);
    settle(&county, &all);
    recorded.sort();
    recorded.dedup();
    assert_eq!(recorded.len(), 3, "two cases with one number");
    for place in all {
        assert_eq!(numbers(&county, place), recorded);
    }
    let of_room = THREE_YEARS_S + TWO_DAYS_S;
    assert!(is_about(skew(&county, room, "511603102000"), of_room));
    assert!(is_about(skew(&county, township, ROOM), -of_room));
    assert!(is_about(skew(&county, top, "511603102000"), THREE_YEARS_S));
    is_shown(&county, &all, &recorded);
    // The clock is put right again.
    jump(&mut county, room, 0);
    recorded.push(any_case(&county, room, 4));
    wait_for_county(&county, room);
    recorded.sort();
    recorded.dedup();
    assert_eq!(numbers(&county, top), recorded);
    settle(&county, &all);
    verify(&county, &all);
}

/// Skew is shown with rooms and with what was done while a clock was off.
fn is_shown(county: &County, all: &[PlaceId; 3], recorded: &[String]) {
    let off = |value: &Value| value["skew_ms"].as_i64().is_some_and(|ms| ms.abs() > SHOWN_MS);
    for hub in &all[..2] {
        wait("the room's clock is seen to be off", || {
            let rooms = ask(county, *hub, &["rooms"]);
            let rooms = rooms.as_array().expect("rooms");
            rooms.iter().any(|room| room["unit"] == ROOM && off(room))
        });
    }
    for place in all {
        let shown: Vec<Value> = recorded.iter().map(|number| show(county, *place, number)).collect();
        let events = shown
            .iter()
            .flat_map(|case| case["events"].as_array().expect("events").clone());
        assert!(events.filter(|event| off(event)).count() >= 2, "{shown:#?}");
    }
}

#[test]
fn a_ticket_runs_out_by_the_clock_that_gave_it() {
    let mut county = empty();
    let top = county.found().expect("a county");
    let township = place_with_clock(&mut county, Kind::Hub, TOWNSHIP, top, -THREE_YEARS_S);
    let late = county.place("late", Kind::Node);
    let addr = county.line(late, township).expect("a line");
    let said = ask(
        &county,
        township,
        &["invite", "--unit", ROOM, "--addr", &addr, "--expires", "1s"],
    );
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    // By its own clock the newcomer would be three years late, or early: neither says anything.
    for off_s in [0, -THREE_YEARS_S - 1_000] {
        turn(&mut county, late, off_s);
        refused(&county, late, &["join", &text(&said, "ticket")]);
    }
    turn(&mut county, late, THREE_YEARS_S);
    let ticket = county.ticket(late, ROOM, township).expect("a ticket");
    county
        .join_with(late, &ticket, &[township])
        .expect("a fresh one is good");
}
