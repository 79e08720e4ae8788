//! What is asked of a report beyond its sums: its cases, its versions, what came late, whose window did what.

use ledger::day::Day;
use ledger::id::{Scope, UserId};
use replica::entry::{Entry, KIND_REPORT};
use serde_json::{Value, json};

use super::super::county::{County, DIVISIONS, case};
use super::{ROOMS, SAMPLE, autumn, import, report};
use crate::command::{
    AbsenceNote, Assess, CaseDo, CaseNew, Command, ConflictResolve, Cover, Evaluate, Frame, Report, ReportCases,
    ReportFreeze, ReportKept, ReportOf, Table, TableText, Tables, UserAdd,
};
use crate::rig::Seat;
use crate::views::name;

pub(super) fn figure<'r>(report: &'r Value, key: &str) -> &'r Value {
    let found = report["figures"].as_array().unwrap().iter().find(|f| f["key"] == key);
    found.unwrap_or_else(|| panic!("no figure {key}"))
}

fn value(county: &mut County, seat: Seat, key: &str) -> Value {
    let told = report(county, seat, "2026-10", "");
    figure(&told, key)["value"].clone()
}

fn listed(county: &mut County, seat: Seat, figure: &str, rest: bool, page: usize) -> Value {
    let args = ReportCases {
        period: Some("2026-10".to_owned()),
        figure: figure.to_owned(),
        rest,
        page,
        limit: Some(50),
        ..ReportCases::default()
    };
    county.world.run(seat, Command::Report(Report::Cases(args)))
}

pub(super) fn on(text: &str) -> Option<Day> {
    Some(Day::parse(text).unwrap())
}

pub(super) fn receive(
    county: &mut County,
    at: usize,
    person: usize,
    day: &str,
    user: Option<UserId>,
    cover: Option<Cover>,
) -> String {
    let new = CaseNew {
        on: on(day),
        user,
        cover,
        close: Some("6".to_owned()),
        matter: "A06".to_owned(),
        ..case(person)
    };
    let room = county.rooms[at];
    let made = county.world.run(room, Command::CaseNew(new));
    made["project_no"].as_str().unwrap().to_owned()
}

pub(super) fn freeze(county: &mut County, seat: Seat, period: &str) -> Value {
    let args = ReportFreeze {
        period: period.to_owned(),
        ..ReportFreeze::default()
    };
    county.world.run(seat, Command::Report(Report::Freeze(args)))
}

pub(super) fn kept(county: &mut County, seat: Seat, id: &Value) -> Value {
    let id = id.as_str().unwrap().to_owned();
    county.world.run(seat, Command::Report(Report::Kept(ReportKept { id })))
}

#[test]
fn behind_every_figure_stand_as_many_cases_as_it_says_masked_and_on_pages() {
    let mut county = autumn(311);
    for room in county.rooms.clone() {
        import(&mut county, room, SAMPLE);
    }
    county.world.pass(10_000);
    let hub = county.hub;
    let told = report(&mut county, hub, "2026-10", "");
    for row in told["figures"].as_array().unwrap() {
        let key = row["key"].as_str().unwrap();
        let list = listed(&mut county, hub, key, false, 0);
        let expected = match (row["kind"].as_str().unwrap(), key) {
            ("count", _) => row["value"].as_u64().unwrap(),
            (_, "cover") => 0,
            (_, "workdays") => figure(&told, "on_time")["whole"].as_u64().unwrap(),
            (_, "coverage") => figure(&told, "received")["value"].as_u64().unwrap(),
            (_, other) if other.starts_with("coverage") => continue,
            _ => row["part"].as_u64().unwrap(),
        };
        assert_eq!(list["all"], expected, "{key}");
        if row["kind"] == "share" && key != "returned" && !key.starts_with("cover") {
            let rest = listed(&mut county, hub, key, true, 0)["all"].as_u64().unwrap();
            assert_eq!(
                rest + expected,
                row["whole"].as_u64().unwrap(),
                "{key}: those in it and those not"
            );
        }
    }
    let first = listed(&mut county, hub, "received", false, 0);
    let pages = first["pages"].as_u64().unwrap() as usize;
    let mut numbers = Vec::new();
    for page in 0..pages {
        let list = listed(&mut county, hub, "received", false, page);
        numbers.extend(
            list["cases"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c["project_no"].to_string()),
        );
    }
    let all = numbers.len();
    numbers.sort();
    numbers.dedup();
    assert_eq!(
        (numbers.len(), all as u64),
        (all, first["all"].as_u64().unwrap()),
        "no case is listed twice"
    );
    let names = first["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|c| c["name"].as_str());
    assert!(names.into_iter().all(|n| n.contains('*')), "masked");
    let wrong = ReportCases {
        figure: "profit".to_owned(),
        ..ReportCases::default()
    };
    let refused = county
        .world
        .command(hub, Command::Report(Report::Cases(wrong)))
        .unwrap_err();
    assert_eq!(refused.code, "unknown_figure");
}

#[test]
fn a_frozen_month_stays_as_it_was_and_what_comes_late_is_named() {
    let mut county = autumn(312);
    let hub = county.hub;
    for person in 0..6 {
        receive(&mut county, person, person, "2026-10-12", None, None);
    }
    county.world.pass(10_000);
    // One room is cut off and works on.
    let line = county.room_lines[5];
    county.world.cut(line);
    county.world.pass(30_000);
    let late = receive(&mut county, 5, 77, "2026-10-30", None, None);
    let running = ReportFreeze {
        period: "2026-11".to_owned(),
        ..ReportFreeze::default()
    };
    let refused = county
        .world
        .command(hub, Command::Report(Report::Freeze(running)))
        .unwrap_err();
    assert_eq!(refused.code, "period_not_over");
    let first = freeze(&mut county, hub, "2026-10");
    assert_eq!((&first["version"], &first["received"]), (&json!(1), &json!(6)));
    let mark = first["watermark"].as_str().unwrap();
    assert!(
        mark.starts_with("截至 2026-10-31 24:00，148 个村室中 5 个已同步"),
        "{mark}"
    );
    let void = taken_back(&mut county);
    receive(&mut county, 0, 88, "2026-11-03", None, None);
    county.world.heal(line);
    county.world.pass(30_000);
    let shown = kept(&mut county, hub, &first["id"]);
    let received = figure(&shown, "received");
    assert_eq!(
        (&received["value"], &received["now"]),
        (&json!(6), &json!("6")),
        "kept as it was, and what it would be now"
    );
    assert_eq!(figure(&shown, "closed")["shown"], "6");
    let cases = shown["late"]["cases"].as_array().unwrap();
    let of = |number: &str| {
        cases
            .iter()
            .find(|c| c["project_no"] == number)
            .unwrap_or_else(|| panic!("{number} is not named"))
    };
    assert_eq!((cases.len(), &shown["late"]["all"]), (2, &json!(2)), "{cases:?}");
    assert!(of(&late)["gained"].as_array().unwrap().contains(&json!("收件量")));
    assert!(of(&void)["lost"].as_array().unwrap().contains(&json!("办结量")));
    frozen_again(&mut county, &first, &shown);
}

/// A case of the month is made void at the township; its number. A case of November is no affair of October.
pub(super) fn taken_back(county: &mut County) -> String {
    let town = county.townships[0];
    let void = county.cases(county.rooms[0])[0]["project_no"]
        .as_str()
        .unwrap()
        .to_owned();
    let act = CaseDo {
        number: void.clone(),
        event: "void".to_owned(),
        reason: Some("登记有误".to_owned()),
        ..CaseDo::default()
    };
    county.world.run(town, Command::CaseDo(act));
    void
}

fn frozen_again(county: &mut County, first: &Value, shown: &Value) {
    let hub = county.hub;
    // Frozen again it is a further version; the first stays as it was.
    let second = freeze(county, hub, "2026-10");
    assert_eq!(second["version"], 2);
    assert_eq!(kept(county, hub, &second["id"])["late"]["all"], 0);
    assert_eq!(kept(county, hub, &first["id"])["figures"], shown["figures"]);
    let list = county.world.run(hub, Command::Report(Report::List));
    assert_eq!(list.as_array().unwrap().len(), 2);
    let told = report(county, hub, "2026-10", "");
    assert_eq!(told["frozen"].as_array().unwrap().len(), 2);
    // Kept in the journal: a lost index forgets nothing of it.
    county.world.run(hub, Command::Reindex);
    assert_eq!(kept(county, hub, &first["id"])["figures"], shown["figures"]);
    let verified = county.world.run(hub, Command::Verify);
    assert_eq!(verified["clean"], true, "{verified}");
}

#[test]
fn a_township_freezes_its_own_and_the_county_sees_it() {
    let mut county = autumn(313);
    receive(&mut county, 0, 1, "2026-10-12", None, None);
    county.world.pass(10_000);
    let town = county.townships[0];
    let frozen = freeze(&mut county, town, "2026-Q3");
    assert_eq!(frozen["received"], 0);
    let frozen = freeze(&mut county, town, "2026-10");
    county.world.pass(10_000);
    let hub = county.hub;
    let above = kept(&mut county, hub, &frozen["id"]);
    assert_eq!(
        (&above["unit"], &above["figures"][0]["value"]),
        (&json!("511603001000"), &json!(1))
    );
    assert_eq!(above["late"]["all"], 0);
    let other = ReportFreeze {
        period: "2026-10".to_owned(),
        unit: Some("511603003".to_owned()),
        ..ReportFreeze::default()
    };
    let refused = county
        .world
        .command(town, Command::Report(Report::Freeze(other)))
        .unwrap_err();
    assert_eq!(refused.code, "unit_not_below");
    let room = county.rooms[0];
    let refused = county
        .world
        .command(room, Command::Report(Report::Show(ReportOf::default())))
        .unwrap_err();
    assert_eq!(refused.code, "not_a_hub");
}

#[test]
fn a_person_with_one_matter_in_two_rooms_counts_once_until_somebody_says_that_they_are_two() {
    let mut county = autumn(314);
    let hub = county.hub;
    for at in [0, 2] {
        let room = county.rooms[at];
        let new = CaseNew {
            on: on("2026-10-12"),
            ..case(7)
        };
        county.world.run(room, Command::CaseNew(new));
    }
    county.world.pass(10_000);
    assert_eq!(value(&mut county, hub, "received"), 1);
    let item = county.world.run(hub, Command::ConflictList)[0].clone();
    let decide = |county: &mut County, choose: &str| {
        let resolve = ConflictResolve {
            id: item["id"].as_str().unwrap().to_owned(),
            choose: choose.to_owned(),
            ..ConflictResolve::default()
        };
        county.world.run(hub, Command::ConflictResolve(resolve));
        county.world.pass(5_000);
    };
    decide(&mut county, "separate");
    assert_eq!(value(&mut county, hub, "received"), 2);
    decide(&mut county, "undo");
    assert_eq!(value(&mut county, hub, "received"), 1);
    // Decided: the one that leads counts, also when it is the larger number.
    let larger = item["records"]
        .as_array()
        .unwrap()
        .iter()
        .max_by_key(|r| r["project_no"].to_string())
        .unwrap()
        .clone();
    decide(&mut county, larger["record_id"].as_str().unwrap());
    let list = listed(&mut county, hub, "received", false, 0);
    assert_eq!(
        (&list["all"], &list["cases"][0]["project_no"]),
        (&json!(1), &larger["project_no"])
    );
}

#[test]
fn windows_are_assessed_by_what_they_closed_and_whether_an_empty_post_was_filled() {
    let mut county = autumn(315);
    let hub = county.hub;
    let code = ROOMS[0].1;
    let user = |county: &mut County, name: &str| {
        let add = UserAdd {
            unit: code.to_owned(),
            name: name.to_owned(),
            role: "clerk".to_owned(),
        };
        let made = county.world.run(county.townships[0], Command::UserAdd(add));
        county.world.pass(5_000);
        UserId::parse(made["id"].as_str().unwrap())
    };
    let (li, wang) = (user(&mut county, "李芳"), user(&mut county, "王强"));
    let of_li = [0, 1, 2].map(|person| receive(&mut county, 0, person, "2026-11-20", li, None));
    let cover = Cover {
        of: "李芳".to_owned(),
        reason: "病假".to_owned(),
    };
    receive(&mut county, 0, 9, "2026-11-20", wang, Some(cover));
    // This forenoon, when the cover was, and a whole day on which nobody came.
    let noted = county
        .world
        .run(hub, Command::Report(Report::Absence(absent(code, "am", "2026-11-20"))));
    assert_eq!(noted["half_days"], 1);
    county
        .world
        .run(hub, Command::Report(Report::Absence(absent(code, "day", "2026-11-18"))));
    let refused = county
        .world
        .command(
            hub,
            Command::Report(Report::Absence(absent(code, "night", "2026-11-18"))),
        )
        .unwrap_err();
    assert_eq!(refused.code, "bad_half");
    county.world.pass(10_000);
    let told = report(&mut county, hub, "2026-11", "");
    let cover = figure(&told, "cover");
    assert_eq!(
        (&cover["part"], &cover["whole"], &cover["shown"]),
        (&json!(1), &json!(3), &json!("33.33%"))
    );
    assert_assessed(&mut county, code);
    assert_words_count(&mut county, code, &of_li);
}

pub(super) fn absent(unit: &str, half: &str, day: &str) -> AbsenceNote {
    AbsenceNote {
        unit: unit.to_owned(),
        name: "李芳".to_owned(),
        on: Day::parse(day).unwrap(),
        half: half.to_owned(),
        undo: false,
        user: None,
    }
}

fn assert_assessed(county: &mut County, code: &str) {
    let hub = county.hub;
    let args = Assess {
        period: Some("2026-11".to_owned()),
        unit: Some(code.to_owned()),
    };
    let assessed = county.world.run(hub, Command::Report(Report::Assess(args)));
    let people: Vec<Value> = assessed["people"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| {
            json!([
                p["name"],
                p["closed"],
                p["away"],
                p["covered"],
                p["stood_in"],
                p["score"]
            ])
        })
        .collect();
    // Nobody has evaluated: closings 40 and cover 20 make the hundred. Li: 40 + 20 / 3 of 60; Wang: 40 / 3 of 40.
    assert_eq!(
        json!(people),
        json!([["李芳", 3, 3, 1, 0, "77.78"], ["王强", 1, 0, 0, 1, "33.33"]])
    );
    let rooms = assessed["rooms"].as_array().unwrap();
    assert_eq!((rooms.len(), &rooms[0]["closed"]), (1, &json!(4)));
    assert_eq!(assessed["weights"].as_array().unwrap().len(), 3);
}

/// Of three cases of Li one is praised and one is blamed: half of the 40 points, and nothing is scaled up any more.
fn assert_words_count(county: &mut County, code: &str, of_li: &[String; 3]) {
    for (number, rating) in [(&of_li[0], 1), (&of_li[1], 5)] {
        let rate = Evaluate {
            number: number.clone(),
            rating,
            press: number.clone(),
        };
        county.world.run(county.rooms[0], Command::Evaluate(rate));
    }
    county.world.pass(10_000);
    let args = Assess {
        period: Some("2026-11".to_owned()),
        unit: Some(code.to_owned()),
    };
    let assessed = county.world.run(county.hub, Command::Report(Report::Assess(args)));
    let told = |row: &Value| json!([row["name"], row["satisfied"], row["rated"], row["score"]]);
    let all = |key: &str| {
        assessed[key]
            .as_array()
            .unwrap()
            .iter()
            .map(told)
            .collect::<Vec<Value>>()
    };
    // Li: 40 + 40 / 2 + 20 / 3 of 100. Of the room's four closings two were rated: the same points. Wang as before.
    assert_eq!(
        json!(all("people")),
        json!([["李芳", "50.00%", "66.67%", "66.67"], ["王强", "—", "0.00%", "33.33"]])
    );
    assert_eq!(json!(all("rooms")), json!([[null, "50.00%", "50.00%", "66.67"]]));
}

/// The county's table with one village under another township, and into whom it goes.
pub(super) fn reformed(village: &str, parent: &str, into: &str) -> String {
    let mut text = String::new();
    for (at, line) in DIVISIONS.lines().enumerate() {
        let is_village = line.starts_with(village);
        let line = line.replace(if is_village { "511603102000" } else { "-" }, parent);
        let heir = match (at, is_village) {
            (0, _) => "into",
            (_, true) => into,
            _ => "",
        };
        text.push_str(&format!("{line}\t{heir}\n"));
    }
    text
}

#[test]
fn after_a_reform_a_year_can_be_read_as_it_was_and_as_it_would_be_now() {
    let mut county = autumn(316);
    let hub = county.hub;
    receive(&mut county, 2, 1, "2026-06-10", None, None);
    receive(&mut county, 2, 2, "2026-10-12", None, None);
    county.world.pass(10_000);
    // In July the village moved under another township; in November it went into its neighbour. Published as the page does it.
    let village = ROOMS[2].1;
    let table = |parent: &str, into: &str| reformed(village, parent, into);
    let publish = |county: &mut County, text: String, day: &str| {
        let asked = TableText {
            table: Table::Organisation,
            text,
            on: on(day),
            over: None,
        };
        let told = county.world.run(hub, Command::Tables(Tables::Preview(asked.clone())));
        county.world.run(hub, Command::Tables(Tables::Publish(asked)));
        county.world.pass(10_000);
        told
    };
    publish(&mut county, table("511603104000", ""), "2026-07-01");
    let told = publish(&mut county, table("511603104000", "511603102203"), "2026-11-01");
    let row = told["added"]
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["what"].as_str().unwrap().contains("并入 511603102203"));
    assert!(row.is_some(), "the difference says who the heir is: {told:#}");
    let townships = |county: &mut County, frame: Frame| -> Vec<(String, u64)> {
        let args = ReportOf {
            period: Some("2026".to_owned()),
            frame,
            unit: None,
        };
        let told = county.world.run(hub, Command::Report(Report::Show(args)));
        let rows = told["children"].as_array().unwrap().iter();
        rows.map(|r| {
            (
                r["unit"].as_str().unwrap().to_owned(),
                r["figures"]["received"]["value"].as_u64().unwrap(),
            )
        })
        .filter(|(_, received)| *received > 0)
        .collect()
    };
    let of = |code: &str, received| (code.to_owned(), received);
    assert_eq!(
        townships(&mut county, Frame::Then),
        [of("511603102000", 1), of("511603104000", 1)]
    );
    assert_eq!(townships(&mut county, Frame::Now), [of("511603102000", 2)]);
    // It was a mistake: the same day once more, without it, and the village stands as if nothing had been said.
    publish(&mut county, table("511603104000", ""), "2026-11-01");
    let mut now = |frame: Frame| {
        let args = ReportOf {
            period: Some("2026".to_owned()),
            frame,
            unit: Some(village.to_owned()),
        };
        let told = county.world.run(hub, Command::Report(Report::Show(args)));
        figure(&told, "received")["value"].clone()
    };
    assert_eq!((now(Frame::Then), now(Frame::Now)), (json!(2), json!(2)));
}

#[test]
fn a_period_that_is_none_or_to_come_is_refused_with_how_to_write_it() {
    let mut county = autumn(317);
    let hub = county.hub;
    let mut asked = |period: &str| {
        let args = ReportOf {
            period: Some(period.to_owned()),
            ..ReportOf::default()
        };
        county
            .world
            .command(hub, Command::Report(Report::Show(args)))
            .map_or_else(|e| e.code, |_| "told")
    };
    let codes = ["2026-13", "2027-01", "2026-11", " "].map(&mut asked);
    assert_eq!(codes, ["bad_period", "period_to_come", "told", "told"]);
}

#[test]
fn a_room_that_writes_a_frozen_report_of_its_own_is_not_listened_to() {
    let mut county = autumn(318);
    let (hub, room) = (county.hub, county.rooms[0]);
    let ask = ReportFreeze {
        period: "2026-10".to_owned(),
        unit: Some(ROOMS[0].1.to_owned()),
        ..ReportFreeze::default()
    };
    county.world.run(hub, Command::Report(Report::Freeze(ask)));
    let kept = county.world.office(hub).store.kv().prefix(name::KEPT).unwrap();
    assert_eq!(kept.len(), 1);
    // The same words once more, signed by the room in its own book.
    let now = county.world.now(room);
    let office = county.world.office(room);
    let book = Scope::book(office.unit().unwrap());
    let entry = Entry {
        kind: KIND_REPORT,
        body: kept[0].1.clone(),
    };
    office.stage_entries(book, vec![entry]).unwrap();
    office.commit(now).unwrap();
    county.world.pass(10_000);
    assert_eq!(
        county.world.office(hub).store.kv().prefix(name::KEPT).unwrap().len(),
        2,
        "it is kept"
    );
    let list = county.world.run(hub, Command::Report(Report::List));
    assert_eq!(list.as_array().unwrap().len(), 1, "and means nothing");
    assert_eq!(county.world.run(hub, Command::Verify)["clean"], true);
}
