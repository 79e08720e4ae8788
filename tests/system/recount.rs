//! A month's report held against nothing but what `cunlian-hub case list --json` prints: the sample day book in two rooms, real processes.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use cunlian_tests::county::{County, PlaceId};
use ledger::day::Day;
use serde_json::Value;

use crate::rig::{act, ask, cert_no, empty, text, wait};

const SAMPLE: &str = include_str!("../../crates/ledger/data/daybook_sample.csv");
const MATTERS: &str = include_str!("../../crates/ledger/data/matters.tsv");
const HOLIDAYS: &str = include_str!("../../crates/ledger/data/holidays.tsv");
const TOWNSHIP: &str = "511603104";
const ROOMS: [&str; 2] = ["511603104002", "511603104239"];
const MONTH: &str = "2026-10";

/// `66.67%`, as on paper; `—` of nothing.
fn percent(part: usize, whole: usize) -> String {
    match whole {
        0 => "—".to_owned(),
        _ => format!("{:.2}%", (part as f64 * 10_000.0 / whole as f64 + 1e-9).round() / 100.0),
    }
}

#[test]
fn a_months_figures_and_its_coverage_are_those_of_the_printed_list_of_cases() {
    let mut county = empty();
    let top = county.found().expect("a county");
    let town = county.township(TOWNSHIP, top).expect("a township");
    let book = county.file("book.csv");
    std::fs::write(&book, SAMPLE).expect("a file");
    let mut imported = 0;
    let mut rooms = Vec::new();
    for code in ROOMS {
        let room = county.room(code, &[town]).expect("a room");
        rooms.push(room);
        let told = ask(&county, room, &["case", "import", &book.display().to_string()]);
        imported += told["imported"].as_u64().expect("a number");
    }
    assert!(imported > 100, "{imported} rows of these rooms");
    imported += out_of_the_ordinary(&county, town, rooms[0]);
    // What the binary prints, read as anybody would.
    let printed = |code: &str| {
        let said = county[top].say(&["case", "list", "--unit", code, "--limit", "5000", "--json"]);
        let said = said.expect("it runs");
        assert_eq!(said.code(), Some(0));
        let list: Value = serde_json::from_str(&said.stdout).expect("JSON");
        list.as_array().expect("a list").clone()
    };
    wait("the county has every row", || {
        ROOMS.iter().map(|code| printed(code).len() as u64).sum::<u64>() >= imported
            && county.in_step(&[top, town]).unwrap_or(false)
    });
    let report = ask(&county, top, &["report", "--month", MONTH]);
    let shown = |key: &str| {
        let figures = report["figures"].as_array().expect("figures");
        text(figures.iter().find(|f| f["key"] == key).expect("a figure"), "shown")
    };
    let cases: Vec<Value> = ROOMS.iter().flat_map(|code| printed(code)).collect();
    let counts = |case: &&Value| {
        let out = case["state"] == "void" || matches!(case["result"].as_i64(), Some(2 | 3));
        !out && case["is_errand"] != true && case["counts_with"].is_null()
    };
    let of_month = |case: &&Value, key: &str| case[key].as_str().is_some_and(|on| on.starts_with(MONTH));
    let received: Vec<&Value> = cases.iter().filter(counts).filter(|c| of_month(c, "on")).collect();
    let closed: Vec<&Value> = cases
        .iter()
        .filter(counts)
        .filter(|c| of_month(c, "closed_on"))
        .collect();
    let rated: Vec<i64> = closed.iter().filter_map(|c| c["rating"].as_i64()).collect();
    let good = rated.iter().filter(|r| **r <= 3).count();
    assert!(
        received.len() > 50 && closed.len() > 20 && !rated.is_empty(),
        "something to count"
    );
    for (key, counted) in [
        ("received", received.len().to_string()),
        ("closed", closed.len().to_string()),
        ("satisfied", percent(good, rated.len())),
        ("rated", percent(rated.len(), closed.len())),
    ] {
        assert_eq!(shown(key), counted, "{key}");
    }
    let counted: Vec<&Value> = cases.iter().filter(counts).collect();
    assert_flow(&counted, (&text(&report, "from"), &text(&report, "until")), &shown);
    assert_told(&counted, (&text(&report, "from"), &text(&report, "until")), &shown);
    let used: BTreeSet<&str> = received.iter().filter_map(|c| c["matter"].as_str()).collect();
    assert_coverage(&used, &shown);
}

/// What the sample has not: told once and told twice what is missing, returned, closed late, open and late, accepted late. How many cases.
fn out_of_the_ordinary(county: &County, town: PlaceId, room: PlaceId) -> u64 {
    let new = |matter: &str, person: u32| {
        let id = cert_no(person);
        let args = [
            "case",
            "new",
            "--matter",
            matter,
            "--name",
            "王小明",
            "--on",
            "2026-10-09",
            "--cert-no",
            &id,
        ];
        text(&ask(county, room, &args), "project_no")
    };
    let step = |at, number: &str, event: &[&str]| act(county, at, number, event);
    let [once, twice, back, late, open, unheard] =
        [("A01", 1), ("A01", 2), ("A01", 3), ("B23", 4), ("B23", 5), ("B23", 6)].map(|(m, p)| new(m, p));
    step(room, &once, &["ask", "--items", "身份证", "--on", "2026-10-13"]);
    step(room, &twice, &["ask", "--items", "身份证", "--on", "2026-10-13"]);
    step(room, &twice, &["supply", "--items", "身份证", "--on", "2026-10-14"]);
    step(room, &twice, &["ask", "--items", "户口簿", "--on", "2026-10-15"]);
    wait("the township has it", || {
        county[town].json(&["case", "show", &back]).is_ok()
    });
    step(town, &back, &["return", "--reason", "不属本镇", "--on", "2026-10-14"]);
    step(room, &late, &["accept", "--on", "2026-10-09"]);
    step(room, &late, &["close", "--result", "6", "--on", "2026-10-30"]);
    step(room, &open, &["accept", "--on", "2026-10-09"]);
    // Accepted after three weeks of silence and closed at once: late all the same.
    step(room, &unheard, &["accept", "--on", "2026-10-30"]);
    step(room, &unheard, &["close", "--result", "6", "--on", "2026-10-30"]);
    6
}

/// Workdays, counted one by one out of the table of holidays.
struct Workdays {
    off: BTreeSet<&'static str>,
    makeup: BTreeSet<&'static str>,
}

impl Workdays {
    fn new() -> Self {
        let of = |kind: &str| {
            let rows = HOLIDAYS
                .lines()
                .map(|line| line.split('\t').collect::<Vec<&'static str>>());
            rows.filter(|cells| cells[2] == kind).map(|cells| cells[0]).collect()
        };
        Self {
            off: of("off"),
            makeup: of("makeup_work"),
        }
    }

    /// After `a` up to `b`.
    fn between(&self, a: &str, b: &str) -> u64 {
        let (mut at, end, mut count) = (Day::parse(a).expect("a day"), Day::parse(b).expect("a day"), 0);
        while at < end {
            at = at.plus(1);
            let now = at.to_string();
            let works = self.makeup.contains(now.as_str()) || (at.weekday() < 5 && !self.off.contains(now.as_str()));
            count += u64::from(works);
        }
        count
    }

    fn due(&self, accepted: &str, promised: u64) -> String {
        let mut at = Day::parse(accepted).expect("a day");
        while self.between(accepted, &at.to_string()) < promised {
            at = at.plus(1);
        }
        at.to_string()
    }

    /// The day of acceptance: whoever had no answer within five workdays counts as accepted on the day of receipt, whatever came later.
    fn accepted(&self, case: &Value, today: &str) -> Option<String> {
        let accepted = case["accepted_on"].as_str();
        let received = case["received_on"].as_str()?;
        let waits = matches!(case["state"].as_str(), Some("received" | "awaiting_materials"));
        let answers = [
            accepted,
            case["noticed_on"].as_str(),
            case["ended_on"].as_str(),
            waits.then_some(today),
        ];
        let first = answers.into_iter().flatten().min();
        let late = first.is_some_and(|on| self.between(received, on.min(today)) > 5);
        let on = if late { Some(received) } else { accepted };
        on.map(str::to_owned)
    }
}

fn today() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    Day::of_wall_ms(now.as_millis() as i64).to_string()
}

/// What was accepted, how long it took, what is open and late.
fn assert_flow(cases: &[&Value], (from, until): (&str, &str), shown: &dyn Fn(&str) -> String) {
    let (days, today) = (Workdays::new(), today());
    let has = |on: Option<&str>| on.is_some_and(|on| on >= from && on <= until);
    let many = |is_so: &dyn Fn(&Value) -> bool| cases.iter().filter(|case| is_so(case)).count();
    let accepted = |case: &Value| days.accepted(case, &today);
    let due = |case: &Value| {
        let due = days.due(&accepted(case)?, case["promised_workdays"].as_u64()?);
        assert_eq!(
            case["suspensions"],
            serde_json::json!([]),
            "no clock stood still: {case}"
        );
        assert_eq!(
            case["due_on"],
            due.as_str(),
            "the printed day is the counted one: {case}"
        );
        Some(due)
    };
    let is_closed = |case: &Value| has(case["closed_on"].as_str());
    let is_open = |case: &Value| {
        let ended = case["ended_on"].as_str();
        case["on"].as_str().is_some_and(|on| on <= until) && ended.is_none_or(|on| on > until)
    };
    let runs = |case: &Value| is_open(case) && accepted(case).is_some_and(|on| on.as_str() <= until);
    let is_late = |case: &Value| runs(case) && due(case).is_some_and(|due| due.as_str() < until);
    let timed: Vec<(&str, &str, String, String)> = cases
        .iter()
        .filter(|case| is_closed(case))
        .filter_map(|case| {
            Some((
                case["project_no"].as_str()?,
                case["closed_on"].as_str()?,
                accepted(case)?,
                due(case)?,
            ))
        })
        .collect();
    let in_time = timed
        .iter()
        .filter(|(_, closed, _, due)| closed <= &due.as_str())
        .count();
    let took: u64 = timed
        .iter()
        .map(|(_, closed, accepted, _)| days.between(accepted, closed))
        .sum();
    let overdue = many(&is_late);
    assert!(
        in_time < timed.len() && took > 0 && overdue > 0,
        "{timed:?} {took} {overdue}"
    );
    let mean = (took as f64 * 100.0 / timed.len() as f64 + 0.5 + 1e-9).floor() / 100.0;
    for (key, counted) in [
        ("accepted", many(&|case| has(accepted(case).as_deref())).to_string()),
        ("open", many(&is_open).to_string()),
        ("overdue", overdue.to_string()),
        ("on_time", percent(in_time, timed.len())),
        (
            "spot",
            percent(
                many(&|case| is_closed(case) && case["on_the_spot"] == true),
                many(&is_closed),
            ),
        ),
        ("workdays", format!("{mean:.2} 天")),
    ] {
        assert_eq!(shown(key), counted, "{key}");
    }
}

/// Who was told what is missing, and what was returned.
fn assert_told(cases: &[&Value], (from, until): (&str, &str), shown: &dyn Fn(&str) -> String) {
    let has = |on: &Value| on.as_str().is_some_and(|on| on >= from && on <= until);
    let many = |is_so: &dyn Fn(&Value) -> bool| cases.iter().filter(|case| is_so(case)).count();
    let received = many(&|case| has(&case["on"]));
    let told = many(&|case| has(&case["noticed_on"]));
    let told_once = many(&|case| has(&case["noticed_on"]) && case["notices"] == 1);
    let returned = many(&|case| case["state"] == "returned" && has(&case["ended_on"]));
    assert!(told_once < told && returned > 0, "{told_once} {told} {returned}");
    assert_eq!(shown("told_once"), percent(told_once, told));
    assert_eq!(shown("returned"), percent(returned, received));
}

/// The 128 matters by group: code, name, group.
fn assert_coverage(used: &BTreeSet<&str>, shown: &dyn Fn(&str) -> String) {
    let rows: Vec<Vec<&str>> = MATTERS.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    for (key, group) in [
        ("coverage", ""),
        ("coverage_approval", "高频行政审批"),
        ("coverage_service", "公共服务"),
        ("coverage_village", "村级便民"),
    ] {
        let all: Vec<&str> = rows
            .iter()
            .filter(|row| group.is_empty() || row[2] == group)
            .map(|row| row[0])
            .collect();
        let count = all.iter().filter(|code| used.contains(*code)).count();
        assert!(count > 0, "{key}: nothing was used");
        assert_eq!(shown(key), percent(count, all.len()), "{key}");
    }
    assert_eq!(rows.len(), 128);
}
