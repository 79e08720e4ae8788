//! A report is counted slice by slice while people go on recording: it is one cut all the same.

use serde_json::Value;

use super::super::county::{County, case};
use super::{SAMPLE, autumn, import, report};
use crate::command::{CaseDo, CaseNew, Command, Report, ReportCases, ReportFreeze, ReportKept, ReportOf};
use crate::rig::Seat;

/// Counts one row at a time, and lets `between` happen after each of the first slices.
fn slowly(county: &mut County, hub: Seat, asked: Command, between: &mut dyn FnMut(&mut County, usize)) -> Value {
    let now = county.world.now(hub);
    let mut job = county.world.office(hub).begin_report(now, asked).unwrap();
    for slice in 0.. {
        let now = county.world.now(hub);
        if let Some(answer) = county.world.office(hub).count_on(now, &mut job, 8) {
            assert!(slice > 20, "only {slice} slices");
            return answer.unwrap();
        }
        if slice < 6 {
            between(county, slice);
        }
    }
    unreachable!("a report ends");
}

/// What somebody does meanwhile: a case comes, and one of those that were closed is void.
fn meanwhile(county: &mut County, numbers: &[String], nth: usize) {
    let room = county.rooms[nth % county.rooms.len()];
    let new = CaseNew {
        on: ledger::day::Day::parse("2026-10-12"),
        matter: "A06".to_owned(),
        close: Some("6".to_owned()),
        ..case(200 + nth)
    };
    county.world.run(room, Command::CaseNew(new));
    // One at either end of the book, so that some are behind the reader and some before it.
    for number in [&numbers[nth], &numbers[numbers.len() - 1 - nth]] {
        let void = CaseDo {
            number: number.clone(),
            event: "void".to_owned(),
            reason: Some("重复登记".to_owned()),
            ..CaseDo::default()
        };
        let hub = county.hub;
        let seat = county.townships.iter().copied().find(|seat| {
            let show = crate::command::CaseShow {
                number: number.clone(),
                reveal: None,
            };
            county.world.command(*seat, Command::CaseShow(show)).is_ok()
        });
        county.world.run(seat.unwrap_or(hub), Command::CaseDo(void));
    }
    county.world.pass(10_000);
}

fn year() -> ReportOf {
    ReportOf {
        period: Some("2026".to_owned()),
        ..ReportOf::default()
    }
}

fn without_mark(mut told: Value) -> Value {
    told["watermark"] = Value::Null;
    told
}

#[test]
fn a_report_a_list_and_a_frozen_one_are_of_one_moment_whatever_is_recorded_while_they_are_counted() {
    let mut county = autumn(341);
    for room in county.rooms.clone() {
        import(&mut county, room, SAMPLE);
    }
    county.world.pass(10_000);
    let hub = county.hub;
    let numbers = county.numbers(hub);
    let mut nth = 0;
    let mut between = |county: &mut County, _: usize| {
        meanwhile(county, &numbers, nth);
        nth += 1;
    };
    let before = report(&mut county, hub, "2026", "");
    let show = Command::Report(Report::Show(year()));
    let told = slowly(&mut county, hub, show, &mut between);
    assert_eq!(
        without_mark(told),
        without_mark(before.clone()),
        "a report is as of its beginning"
    );
    let after = report(&mut county, hub, "2026", "");
    assert_ne!(
        after["figures"], before["figures"],
        "what came meanwhile is in the next one"
    );

    let list = Command::Report(Report::Cases(ReportCases {
        period: Some("2026".to_owned()),
        figure: "closed".to_owned(),
        limit: Some(2_000),
        ..ReportCases::default()
    }));
    let before = county.world.run(hub, list.clone());
    let told = slowly(&mut county, hub, list, &mut between);
    assert_eq!(told, before, "each line is as it was, too");

    // Frozen while cases change: what changed after the beginning is late, and nothing else.
    let before = report(&mut county, hub, "2026-10", "");
    let freeze = Command::Report(Report::Freeze(ReportFreeze {
        period: "2026-10".to_owned(),
        ..ReportFreeze::default()
    }));
    let frozen = slowly(&mut county, hub, freeze, &mut between);
    assert_eq!(frozen["received"], before["figures"][0]["value"]);
    let id = frozen["id"].as_str().unwrap().to_owned();
    let kept = Command::Report(Report::Kept(ReportKept { id }));
    let told = county.world.run(hub, kept.clone());
    assert_eq!(told["figures"][0]["value"], before["figures"][0]["value"]);
    assert!(told["late"]["all"].as_u64().unwrap() >= 6, "{:#}", told["late"]["all"]);
    let again = slowly(&mut county, hub, kept, &mut |_, _| {});
    assert_eq!(again, told, "in one go or slice by slice");
}
