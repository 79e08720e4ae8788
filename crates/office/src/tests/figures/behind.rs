//! Behind every number of every table stands a list as long as the number: of a unit below, a matter, a day of the chart, last year, a window,
//! a frozen report.

use serde_json::{Value, json};

use super::super::county::County;
use super::stories::{absent, freeze, kept, on, receive, reformed};
use super::{ROOMS, SAMPLE, autumn, import};
use crate::command::{Assess, Command, Cover, Frame, Report, ReportCases, ReportOf, Table, TableText, Tables, UserAdd};
use crate::rig::Seat;
use ledger::id::UserId;

fn count(county: &mut County, seat: Seat, ask: ReportCases) -> Value {
    let list = county.world.run(seat, Command::Report(Report::Cases(ask)));
    let listed = match (list["half_days"].as_array(), list["matters"].as_array()) {
        (Some(half_days), _) => half_days.len(),
        (_, Some(matters)) => matters.len(),
        _ => list["cases"].as_array().unwrap().len(),
    };
    assert_eq!(list["count"], listed, "{list}");
    list["count"].clone()
}

/// Every number of a report, or of a frozen one, against its list. How many were held.
fn walk(county: &mut County, seat: Seat, told: &Value, base: &ReportCases) -> usize {
    let mut held = 0;
    let mut hold = |county: &mut County, number: &Value, key: &str, more: ReportCases, what: &str| {
        let ask = ReportCases {
            figure: key.to_owned(),
            limit: Some(2_000),
            ..more
        };
        let listed = count(county, seat, ask);
        assert_eq!(*number, listed, "{what}: {key}");
        held += usize::from(listed != 0);
    };
    let base = || base.clone();
    for f in told["figures"].as_array().unwrap() {
        let key = f["key"].as_str().unwrap();
        hold(county, &f["cases"], key, base(), "the county");
        let last = ReportCases { last: true, ..base() };
        hold(county, &f["last_cases"], key, last, "the year before");
        // A share with what is missing from it is the whole.
        if f["kind"] == "share" && key != "returned" {
            let rest = ReportCases { rest: true, ..base() };
            let missing = f["whole"].as_u64().unwrap() - f["part"].as_u64().unwrap();
            hold(county, &json!(missing), key, rest, "what is not in it");
        }
    }
    for row in told["children"].as_array().unwrap() {
        let child = ReportCases {
            child: Some(row["unit"].as_str().unwrap().to_owned()),
            ..base()
        };
        for (key, cell) in row["figures"].as_object().unwrap() {
            if cell["cases"] != 0 {
                hold(county, &cell["cases"], key, child.clone(), &row.to_string());
            }
        }
    }
    for row in told["matters"].as_array().unwrap() {
        for key in ["received", "accepted", "closed", "open"] {
            let matter = ReportCases {
                matter: Some(row["matter"].as_str().unwrap().to_owned()),
                ..base()
            };
            hold(county, &row[key], key, matter, &row.to_string());
        }
    }
    for group in told["coverage"].as_array().unwrap() {
        let key = group["key"].as_str().unwrap().to_owned();
        hold(county, &group["used"], &key, base(), &group.to_string());
    }
    for step in told["trend"].as_array().into_iter().flatten() {
        for key in ["received", "closed"] {
            let period = Some(step["period"].as_str().unwrap().to_owned());
            hold(
                county,
                &step[key],
                key,
                ReportCases { period, ..base() },
                &step.to_string(),
            );
        }
    }
    held
}

fn walk_report(county: &mut County, seat: Seat, period: &str, unit: &str, frame: Frame) -> usize {
    let of = ReportOf {
        period: Some(period.to_owned()),
        unit: Some(unit.to_owned()),
        frame,
    };
    let told = county.world.run(seat, Command::Report(Report::Show(of)));
    let base = ReportCases {
        period: Some(period.to_owned()),
        unit: Some(unit.to_owned()),
        frame,
        ..ReportCases::default()
    };
    walk(county, seat, &told, &base)
}

#[test]
fn every_number_of_a_report_leads_to_as_many_cases() {
    let mut county = autumn(331);
    for room in county.rooms.clone() {
        import(&mut county, room, SAMPLE);
    }
    let last_year = String::from_utf8_lossy(SAMPLE).replace("2026-", "2025-");
    let (town, room) = (county.townships[0], county.rooms[0]);
    import(&mut county, room, last_year.as_bytes());
    county.world.pass(10_000);
    let hub = county.hub;
    assert!(walk_report(&mut county, hub, "2026-10", "511603", Frame::Then) > 200);
    assert!(walk_report(&mut county, hub, "2026", "511603104", Frame::Now) > 20);
    assert!(walk_report(&mut county, town, "2026-Q4", ROOMS[0].1, Frame::Then) > 20);
    // A matter that is in no catalogue, a unit that is none: an empty list, and no other one.
    let nobody = ReportCases {
        figure: "received".to_owned(),
        child: Some("511603999".to_owned()),
        ..ReportCases::default()
    };
    assert_eq!(count(&mut county, hub, nobody), 0);
}

#[test]
fn of_a_village_that_moved_each_township_leads_to_its_own_part() {
    let mut county = autumn(332);
    let hub = county.hub;
    receive(&mut county, 2, 1, "2026-06-10", None, None);
    receive(&mut county, 2, 2, "2026-10-12", None, None);
    receive(&mut county, 3, 3, "2026-10-12", None, None);
    county.world.pass(10_000);
    let asked = TableText {
        table: Table::Organisation,
        text: reformed(ROOMS[2].1, "511603104000", ""),
        on: on("2026-07-01"),
        over: None,
    };
    county.world.run(hub, Command::Tables(Tables::Publish(asked)));
    county.world.pass(10_000);
    for frame in [Frame::Then, Frame::Now] {
        for unit in ["511603", "511603102", "511603104"] {
            assert!(
                walk_report(&mut county, hub, "2026", unit, frame) > 0 || (unit, frame) == ("511603102", Frame::Now)
            );
        }
    }
}

fn user(county: &mut County, name: &str) -> Option<UserId> {
    let add = UserAdd {
        unit: ROOMS[0].1.to_owned(),
        name: name.to_owned(),
        role: "clerk".to_owned(),
    };
    let made = county.world.run(county.townships[0], Command::UserAdd(add));
    county.world.pass(5_000);
    UserId::parse(made["id"].as_str().unwrap())
}

#[test]
fn every_number_of_a_window_leads_to_its_cases_and_half_days() {
    let mut county = autumn(333);
    let hub = county.hub;
    let (li, wang) = (user(&mut county, "李芳"), user(&mut county, "王强"));
    for person in 0..3 {
        receive(&mut county, 0, person, "2026-11-20", li, None);
    }
    let cover = Cover {
        of: "李芳".to_owned(),
        reason: "病假".to_owned(),
    };
    receive(&mut county, 0, 9, "2026-11-20", wang, Some(cover));
    let room = county.rooms[1];
    let book = String::from_utf8_lossy(SAMPLE).replace("2026-10-", "2026-11-");
    import(&mut county, room, book.as_bytes());
    county.world.run(
        hub,
        Command::Report(Report::Absence(absent(ROOMS[0].1, "day", "2026-11-18"))),
    );
    county.world.pass(10_000);
    let args = Assess {
        period: Some("2026-11".to_owned()),
        unit: None,
    };
    let told = county.world.run(hub, Command::Report(Report::Assess(args)));
    let rows = ["people", "rooms"].map(|kind| told[kind].as_array().unwrap().clone());
    assert_eq!(rows.each_ref().map(Vec::len), [2, 2]);
    for row in rows.iter().flatten() {
        let mut hold = |key: &str, rest: bool, number: &Value| {
            let ask = ReportCases {
                period: Some("2026-11".to_owned()),
                window: Some(row["window"].as_str().unwrap().to_owned()),
                figure: key.to_owned(),
                rest,
                limit: Some(2_000),
                ..ReportCases::default()
            };
            assert_eq!(count(&mut county, hub, ask), *number, "{key} of {row}");
        };
        hold("closed", false, &row["closed"]);
        for key in ["on_time", "satisfied", "rated"] {
            hold(key, false, &row["cases"][key]);
            let missing = row["of"][key].as_u64().unwrap() - row["cases"][key].as_u64().unwrap();
            hold(key, true, &json!(missing));
        }
        hold("away", false, &row["away"]);
        hold("cover", false, &row["covered"]);
        hold(
            "cover",
            true,
            &json!(row["away"].as_u64().unwrap() - row["covered"].as_u64().unwrap()),
        );
        if !row["name"].is_null() {
            hold("stood_in", false, &row["stood_in"]);
        }
    }
    no_name_stands_in_the_address(&mut county, &rows[0]);
}

fn no_name_stands_in_the_address(county: &mut County, people: &[Value]) {
    let hub = county.hub;
    // The list says whose it is.
    let li = people.iter().find(|row| row["name"] == "李芳").unwrap();
    assert!(li["window"].as_str().unwrap().bytes().all(|b| b.is_ascii_hexdigit()));
    let ask = ReportCases {
        period: Some("2026-11".to_owned()),
        window: Some(li["window"].as_str().unwrap().to_owned()),
        figure: "away".to_owned(),
        ..ReportCases::default()
    };
    let list = county.world.run(hub, Command::Report(Report::Cases(ask)));
    assert!(list["window_name"].as_str().unwrap().ends_with("李芳"), "{list}");
    let half_days = list["half_days"].as_array().unwrap();
    assert_eq!(half_days.len(), 3, "{list}");
    assert_eq!(
        (&half_days[0]["by"], &half_days[0]["noted"]),
        (&json!(["王强"]), &json!(false))
    );
    assert_eq!(
        (&half_days[1]["by"], &half_days[1]["noted"]),
        (&json!([]), &json!(true))
    );
}

#[test]
fn every_number_of_a_frozen_month_leads_to_the_cases_that_were_counted() {
    let mut county = autumn(334);
    let hub = county.hub;
    for person in 0..6 {
        receive(&mut county, person, person, "2026-10-12", None, None);
    }
    county.world.pass(10_000);
    let line = freeze(&mut county, hub, "2026-10");
    // One comes late, one is taken back: neither changes what stood behind the frozen numbers.
    let late = receive(&mut county, 5, 77, "2026-10-30", None, None);
    let void = super::stories::taken_back(&mut county);
    county.world.pass(10_000);
    let id = line["id"].as_str().unwrap().to_owned();
    let base = ReportCases {
        kept: Some(id),
        ..ReportCases::default()
    };
    let told = kept(&mut county, hub, &line["id"]);
    assert!(walk(&mut county, hub, &told, &base) > 20);
    let mut listed = |fresh: bool| {
        let ask = ReportCases {
            fresh,
            figure: "closed".to_owned(),
            ..base.clone()
        };
        county.world.run(hub, Command::Report(Report::Cases(ask)))
    };
    let numbers = |list: &Value| -> Vec<String> {
        let cases = list["cases"].as_array().unwrap().iter();
        cases.map(|c| c["project_no"].as_str().unwrap().to_owned()).collect()
    };
    let (then, now) = (listed(false), listed(true));
    assert_eq!((&then["frozen"], &then["count"]), (&json!(6), &json!(6)));
    assert!(numbers(&then).contains(&void) && !numbers(&then).contains(&late));
    assert!(!numbers(&now).contains(&void) && numbers(&now).contains(&late));
}
