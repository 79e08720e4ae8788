//! 日结: counts that do not pretend, a digest that every tier can hold against its own, closings that are only added to.

use serde_json::{Value, json};

use super::county::County;
use crate::command::{CaseDo, CaseNew, Command, DayClose, DayShow};
use crate::rig::Seat;
use ledger::day::Day;

const ZHANG: &str = "11010519491231002X";
const TODAY: &str = "2026-10-09";

fn receive(county: &mut County, matter: &str, on: Option<&str>, close: bool) -> String {
    let new = CaseNew {
        matter: matter.to_owned(),
        name: "张三".to_owned(),
        cert_no: ZHANG.to_owned(),
        on: on.and_then(Day::parse),
        close: close.then(|| "6".to_owned()),
        ..CaseNew::default()
    };
    let made = county.world.run(county.rooms[0], Command::CaseNew(new));
    made["project_no"].as_str().unwrap().to_owned()
}

fn close(county: &mut County, day: Option<&str>) -> Value {
    let close = DayClose {
        day: day.and_then(Day::parse),
        user: None,
        cover: None,
    };
    county.world.run(county.rooms[0], Command::DayClose(close))
}

fn show(county: &mut County, at: Seat, day: &str) -> Value {
    let show = DayShow {
        day: Day::parse(day),
        unit: Some(county.room_codes[0].clone()),
    };
    county.world.run(at, Command::DayShow(show))
}

#[test]
fn a_day_is_closed_without_pretending_and_every_tier_can_hold_it_against_its_own() {
    let mut county = County::new(81, 1, 1);
    let (room, town, top) = (county.rooms[0], county.townships[0], county.hub);
    let yesterday = receive(&mut county, "A01", Some("2026-10-08"), false);
    county.world.pass(5_000);
    county.world.cut(county.room_lines[0]);
    receive(&mut county, "B23", None, false);
    receive(&mut county, "B23", None, false);
    // A06 is done while the applicant waits.
    receive(&mut county, "A06", None, true);
    let day = close(&mut county, None);
    let counts = |v: &Value| json!([v["received"], v["closed"], v["open"], v["behind"], v["cases"]]);
    assert_eq!(counts(&day), json!([3, 1, 3, 3, 3]));
    let matters: Vec<_> = day["by_matter"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| json!([m["matter"], m["received"], m["closed"]]))
        .collect();
    assert_eq!(matters, [json!(["A06", 1, 1]), json!(["B23", 2, 0])]);
    let states: Vec<_> = day["by_state"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| json!([s["state_label"], s["cases"]]))
        .collect();
    assert_eq!(states, [json!(["已办结", 1]), json!(["已收件", 2])]);
    assert_eq!(
        (day["still_open"].as_array().unwrap().len(), &day["added"]),
        (2, &json!(true))
    );

    // The township has the day before, and nothing of today: it says so rather than agreeing.
    let before = show(&mut county, town, TODAY);
    assert_eq!(
        (counts(&before), &before["closings"]),
        (json!([0, 0, 1, 0, 0]), &json!([]))
    );
    county.world.heal(county.room_lines[0]);
    county.world.pass(5_000);
    for tier in [town, top] {
        let there = show(&mut county, tier, TODAY);
        assert_eq!((&there["digest"], &there["same"]), (&day["digest"], &json!(true)));
        assert_eq!(counts(&there), json!([3, 1, 3, 0, 3]));
        // What was true at the closing is what the closing says.
        assert_eq!(there["closings"][0]["behind"], 3);
    }
    // A closing stands in the index beside what follows from records, and is no fault there.
    for tier in [room, town, top] {
        let verified = county.world.run(tier, Command::Verify);
        assert_eq!(verified["clean"], true, "{verified}");
    }
    // Days are told apart.
    let other = show(&mut county, top, "2026-10-08");
    assert_eq!((other["received"].clone(), &other["same"]), (json!(1), &Value::Null));
    assert_ne!(other["digest"], day["digest"]);
    assert!(county.numbers(room).contains(&yesterday));
}

#[test]
fn what_comes_late_is_closed_once_more_and_the_first_closing_stands() {
    let mut county = County::new(82, 1, 1);
    let (room, town) = (county.rooms[0], county.townships[0]);
    receive(&mut county, "B23", None, false);
    let first = close(&mut county, None);
    let again = close(&mut county, None);
    assert_eq!(
        (&again["added"], again["closings"].as_array().unwrap().len()),
        (&json!(false), 1)
    );
    county.world.pass(24 * 3_600_000);
    let late = receive(&mut county, "B23", Some(TODAY), false);
    let shown = show(&mut county, room, TODAY);
    assert_eq!((&shown["same"], &shown["received"]), (&json!(false), &json!(2)));
    let second = close(&mut county, Some(TODAY));
    let of = |day: &Value| {
        let all = day["closings"].as_array().unwrap().iter();
        all.map(|c| json!([c["nth"], c["received"], c["digest"], c["same"]]))
            .collect::<Vec<_>>()
    };
    let expected = [
        json!([1, 1, first["digest"], false]),
        json!([2, 2, second["digest"], true]),
    ];
    assert_eq!(of(&second), expected);
    // The index is made anew from the journal, at another tier too: the same closings stand.
    county.world.pass(5_000);
    county.world.run(town, Command::Reindex);
    let day = show(&mut county, town, TODAY);
    assert_eq!(of(&day), expected);
    // A closing of that day's case, a day later, belongs to its own day and leaves the closed one alone.
    let act = CaseDo {
        number: late,
        event: "withdraw".to_owned(),
        ..CaseDo::default()
    };
    county.world.run(room, Command::CaseDo(act));
    assert_eq!(show(&mut county, room, TODAY)["same"], true);
    let ahead = DayClose {
        day: Day::parse("2026-10-11"),
        user: None,
        cover: None,
    };
    let refused = county.world.command(room, Command::DayClose(ahead)).unwrap_err();
    assert_eq!(refused.code, "future_date");
}

#[test]
fn what_came_forty_days_ago_and_ends_today_is_news_today_and_counts_in_both_the_day_book_and_the_day_close() {
    let mut county = County::new(84, 1, 1);
    let (room, town) = (county.rooms[0], county.townships[0]);
    let old = receive(&mut county, "A06", Some("2026-08-30"), false);
    let refused = receive(&mut county, "A01", Some("2026-08-30"), false);
    // Ended long ago: no news, whatever the township does not say any more.
    let over = receive(&mut county, "A06", Some("2026-08-28"), true);
    county.world.pass(5_000);
    let act = |event: &str, number: &str| CaseDo {
        number: number.to_owned(),
        event: event.to_owned(),
        result: (event == "close").then(|| "6".to_owned()),
        reason: (event == "refuse").then(|| "不符合条件".to_owned()),
        ..CaseDo::default()
    };
    county.world.run(room, Command::CaseDo(act("accept", &old)));
    county.world.run(room, Command::CaseDo(act("close", &old)));
    county.world.run(town, Command::CaseDo(act("refuse", &refused)));
    county.world.pass(5_000);
    let book = county.world.run(room, Command::Today);
    let day = show(&mut county, room, TODAY);
    for counts in [&book["counts"], &day] {
        assert_eq!(
            (&counts["received"], &counts["closed"]),
            (&json!(0), &json!(1)),
            "{counts}"
        );
    }
    assert_eq!(day["cases"], 1);
    let back = book["came_back"].as_array().unwrap();
    let numbers: Vec<&Value> = back.iter().map(|line| &line["project_no"]).collect();
    assert_eq!(
        (numbers, &book["counts"]["came_back"]),
        (vec![&json!(refused)], &json!(1))
    );
    assert!(county.numbers(room).contains(&over));
    // The day it was received has it too, and only what was closed that day as closed.
    let then = show(&mut county, room, "2026-08-30");
    assert_eq!((&then["received"], &then["closed"]), (&json!(2), &json!(0)));
    // Corrected to another day, or void, it leaves the day that it is no longer of.
    county.world.run(
        town,
        Command::CaseDo(CaseDo {
            reason: Some("登错了".to_owned()),
            ..act("void", &old)
        }),
    );
    county.world.pass(5_000);
    let book = county.world.run(room, Command::Today);
    assert_eq!(book["counts"]["closed"], show(&mut county, room, TODAY)["closed"]);
    assert_eq!(book["counts"]["closed"], 0);
}
