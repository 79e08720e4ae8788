//! Reports and days: a unit counts where it was on the day, and a reform that is to come changes nothing yet.

use serde_json::{Value, json};

use super::super::county::{County, DIVISIONS, case};
use super::stories::{absent, figure, on, receive, reformed};
use super::{ROOMS, autumn, report};
use crate::command::{
    Assess, CaseDo, CaseNew, Command, Cover, Frame, Report, ReportCases, ReportOf, Table, TableText, Tables,
};

/// A village, the township that it is in, and the one that it comes under.
const VILLAGE: &str = ROOMS[2].1;
const OLD: &str = "511603102";
const NEW: &str = "511603104";

fn publish(county: &mut County, text: String, day: &str) -> Value {
    let hub = county.hub;
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
}

/// What a report says of units: its rows, its sums and what is listed of centres and rooms.
fn told(county: &mut County, period: &str, unit: &str, frame: Frame) -> Value {
    let of = ReportOf {
        period: Some(period.to_owned()),
        unit: Some(unit.to_owned()),
        frame,
    };
    let hub = county.hub;
    let told = county.world.run(hub, Command::Report(Report::Show(of)));
    json!({"children": told["children"], "units": told["units"], "figures": told["figures"]})
}

#[test]
fn a_reform_that_is_to_come_changes_no_figure_before_its_day() {
    let mut county = autumn(341);
    receive(&mut county, 2, 1, "2026-10-12", None, None);
    receive(&mut county, 3, 2, "2026-10-12", None, None);
    county.world.pass(10_000);
    let all = |county: &mut County| -> Vec<Value> {
        let asked = ["511603", OLD, NEW, VILLAGE].map(|unit| [(unit, Frame::Then), (unit, Frame::Now)]);
        let asked = asked.into_iter().flatten();
        asked.map(|(unit, frame)| told(county, "2026", unit, frame)).collect()
    };
    let before = all(&mut county);
    // From the new year the village is under another township, and there is one village more.
    let moved = reformed(VILLAGE, "511603104000", "");
    let preview = publish(
        &mut county,
        format!("{moved}511603104299\t新合村\tvillage\t511603104000\t\n"),
        "2027-01-01",
    );
    let note = preview["notes"][0].as_str().unwrap();
    assert!(
        note.contains("1 个机构自 2027-01-01 起换上级") && note.contains("一到就变"),
        "{note}"
    );
    for (was, is) in before.iter().zip(all(&mut county)) {
        assert_eq!(*was, is, "a village that moves next year");
    }
    // And in February it goes into its neighbour.
    publish(
        &mut county,
        reformed(VILLAGE, "511603104000", "511603102203"),
        "2027-02-01",
    );
    for (was, is) in before.iter().zip(all(&mut county)) {
        assert_eq!(*was, is, "a village that is merged next year");
    }
}

/// Rooms of a township as a report lists them.
fn rooms_of(county: &mut County, period: &str, township: &str) -> u64 {
    let told = told(county, period, "511603", Frame::Then);
    let rows = told["units"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["unit"].as_str().unwrap().starts_with(township));
    row.unwrap()["rooms"].as_u64().unwrap()
}

#[test]
fn rooms_are_listed_as_they_were_at_the_end_of_the_period() {
    let mut county = autumn(342);
    let of = |township: &str| {
        let below = |line: &&str| {
            line.split('\t')
                .nth(3)
                .is_some_and(|parent| parent.starts_with(township))
        };
        DIVISIONS.lines().filter(below).count() as u64
    };
    let moved = reformed(VILLAGE, "511603104000", "");
    publish(
        &mut county,
        format!("{moved}511603102299\t新合村\tvillage\t511603102000\t\n"),
        "2026-11-10",
    );
    // October ended before the one village moved and the other began.
    assert_eq!(rooms_of(&mut county, "2026-10", OLD), of(OLD));
    assert_eq!(rooms_of(&mut county, "2026-10", NEW), of(NEW));
    assert_eq!(rooms_of(&mut county, "2026-11", OLD), of(OLD), "one went, one came");
    assert_eq!(rooms_of(&mut county, "2026-11", NEW), of(NEW) + 1);
    let below = |county: &mut County, period: &str, unit: &str, code: &str| {
        let told = told(county, period, unit, Frame::Then);
        let mut rows = told["children"].as_array().unwrap().iter();
        rows.any(|row| row["unit"].as_str().unwrap().starts_with(code))
    };
    assert!(below(&mut county, "2026-10", OLD, VILLAGE) && !below(&mut county, "2026-10", NEW, VILLAGE));
    assert!(
        below(&mut county, "2026-11", OLD, VILLAGE) && below(&mut county, "2026-11", NEW, VILLAGE),
        "it was in both for a part of the month"
    );
    assert!(!below(&mut county, "2026-10", OLD, "511603102299"), "it had not begun");
    assert!(below(&mut county, "2026-11", OLD, "511603102299"));
}

#[test]
fn an_empty_post_counts_for_the_township_that_the_village_was_in_that_day() {
    let mut county = autumn(343);
    let (hub, room) = (county.hub, county.rooms[2]);
    let new = CaseNew {
        on: on("2026-11-03"),
        matter: "A01".to_owned(),
        ..case(1)
    };
    let made = county.world.run(room, Command::CaseNew(new));
    for (half, day) in [("am", "2026-11-03"), ("day", "2026-11-20")] {
        let note = Command::Report(Report::Absence(absent(VILLAGE, half, day)));
        county.world.run(hub, note);
    }
    // Filled today, on a case of the time before the move, of which people hear only now.
    let ask = CaseDo {
        number: made["project_no"].as_str().unwrap().to_owned(),
        event: "ask".to_owned(),
        items: vec!["公章".to_owned()],
        cover: Some(Cover {
            of: "李芳".to_owned(),
            reason: "病假".to_owned(),
        }),
        ..CaseDo::default()
    };
    county.world.run(room, Command::CaseDo(ask));
    county.world.pass(10_000);
    publish(&mut county, reformed(VILLAGE, "511603104000", ""), "2026-11-10");
    for (township, covered, away) in [(OLD, 0, 1), (NEW, 1, 2)] {
        let told = report(&mut county, hub, "2026-11", township);
        let cover = figure(&told, "cover");
        assert_eq!(
            (&cover["part"], &cover["whole"]),
            (&json!(covered), &json!(away)),
            "{township}"
        );
        for (rest, count) in [(false, covered), (true, away - covered)] {
            let list = ReportCases {
                period: Some("2026-11".to_owned()),
                unit: Some(township.to_owned()),
                figure: "cover".to_owned(),
                rest,
                ..ReportCases::default()
            };
            let list = county.world.run(hub, Command::Report(Report::Cases(list)));
            assert_eq!(list["all"], json!(count), "{township}");
        }
        let assess = Assess {
            period: Some("2026-11".to_owned()),
            unit: Some(township.to_owned()),
        };
        let assessed = county.world.run(hub, Command::Report(Report::Assess(assess)));
        let row = &assessed["rooms"][0];
        assert_eq!(
            (&row["covered"], &row["away"]),
            (&json!(covered), &json!(away)),
            "{township}"
        );
    }
}
