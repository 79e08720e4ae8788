//! A reason that only the hub's version has for setting a record aside: it reaches the room, and goes when a retry succeeds.

use ledger::form::{Form, Forms};
use serde_json::{Value, json};

use super::county::County;
use super::work::{LAND, receive, show, work};
use crate::command::{Command, QuarantineQueue, QuarantineRetry, Work};
use crate::rig::Seat;

/// The hub's program is older than the room's: it knows errands, and no form of cases.
fn make_older(county: &mut County, hub: Seat) {
    let mut forms = Forms::default();
    forms.add(Form::errand().clone());
    county.world.office(hub).views.know(forms);
}

fn told(county: &mut County, at: Seat, number: &str) -> Vec<Value> {
    show(county, at, number)["set_aside"].as_array().unwrap().clone()
}

fn retry(county: &mut County, at: Seat) -> Value {
    work(county, at, Work::QuarantineRetry(QuarantineRetry::default()))
}

#[test]
fn what_only_the_hub_cannot_read_is_said_at_the_room_and_goes_when_the_hub_was_brought_up_to_date() {
    let mut county = County::new(320, 1, 2);
    let (town, room, other) = (county.townships[0], county.rooms[0], county.rooms[1]);
    make_older(&mut county, town);
    let number = receive(&mut county, room, LAND, 1, None);
    county.world.pass(8_000);
    let queue = work(&mut county, town, Work::Quarantine(QuarantineQueue::default()));
    assert_eq!(
        (&queue["total"], &queue["items"][0]["kind"]),
        (&json!(1), &json!("awaiting_version")),
        "{queue:#}"
    );
    let said = told(&mut county, room, &number);
    assert_eq!(said.len(), 1, "{said:#?}");
    assert_eq!(said[0]["reason"], queue["items"][0]["reason"], "in the hub's own words");
    let town_name = county.status(town)["name"].clone();
    assert_eq!(said[0]["unit_name"], town_name);
    let line = county.cases(room)[0].clone();
    assert_eq!(line["set_aside"], 1, "lists say it too");
    assert!(county.numbers(other).is_empty(), "nobody else's affair");

    // It is a word for people: the room works on, and a restart without a line forgets nothing.
    county.world.cut(county.room_lines[0]);
    county.world.stop(room);
    county.world.start(room);
    assert_eq!(told(&mut county, room, &number), said);
    county.world.heal(county.room_lines[0]);
    county.world.pass(5_000);
    let tried = retry(&mut county, town);
    assert_eq!(
        (&tried["tried"], &tried["left"]),
        (&json!(1), &json!(1)),
        "not yet: {tried:#}"
    );
    assert_eq!(told(&mut county, room, &number).len(), 1);

    county.world.office(town).views.know(Forms::compiled());
    let tried = retry(&mut county, town);
    assert_eq!((&tried["healed"], &tried["left"]), (&json!(1), &json!(0)), "{tried:#}");
    county.world.pass(5_000);
    assert!(
        told(&mut county, room, &number).is_empty(),
        "the room hears that it counts now"
    );
    assert_eq!(county.cases(room)[0]["set_aside"], 0);
    county.assert_in_step();
}

#[test]
fn a_township_passes_on_what_the_county_said_and_nobody_below_is_believed() {
    let mut county = County::new(321, 1, 1);
    let (hub, town, room) = (county.hub, county.townships[0], county.rooms[0]);
    make_older(&mut county, hub);
    let number = receive(&mut county, room, LAND, 1, None);
    county.world.pass(10_000);
    let county_name = county.status(hub)["name"].clone();
    for seat in [town, room] {
        let said = told(&mut county, seat, &number);
        assert_eq!((said.len(), &said[0]["unit_name"]), (1, &county_name), "{said:#?}");
    }
    assert!(told(&mut county, hub, &number).is_empty() || !told(&mut county, hub, &number)[0]["unit_name"].is_string());
    // The room tells its township and the township the county: neither is above.
    let forged = || {
        vec![replica::frame::Aside {
            unit: ledger::id::UnitId([7; 16]),
            record: ledger::id::RecordId([7; 16]),
            reason: "假的".to_owned(),
            by: ledger::id::UnitId([7; 16]),
        }]
    };
    for (from, to) in [(room, town), (town, hub)] {
        let (via, now) = (county.world.device_of(from), county.world.now(to));
        let before = county.world.office(to).asides.news;
        county.world.office(to).take_asides(now, via, forged());
        assert_eq!(county.world.office(to).asides.news, before, "from below");
    }
    county.world.office(hub).views.know(Forms::compiled());
    county
        .world
        .run(hub, Command::Work(Work::QuarantineRetry(QuarantineRetry::default())));
    county.world.pass(10_000);
    assert!(told(&mut county, room, &number).is_empty() && told(&mut county, town, &number).is_empty());
    county.assert_in_step();
}
