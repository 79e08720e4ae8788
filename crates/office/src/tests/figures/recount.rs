//! A plain recount: every figure once more, of the whole, of each unit below and of each matter, by nothing but `case list`, the two tables
//! that the county was founded with, and for B岗 what the test typed itself.
//!
//! It shares no code with the reports. Days are compared as texts, workdays are counted one by one.

use std::collections::{BTreeMap, BTreeSet};

use ledger::day::Day;
use serde_json::Value;

use super::super::county::{County, HOLIDAYS, MATTERS};
use crate::command::{CaseList, Command};
use crate::rig::Seat;

pub(super) struct Recount {
    cases: Vec<Value>,
    /// Days that are off, and days that are worked although they are at a weekend.
    off: BTreeSet<String>,
    makeup: BTreeSet<String>,
    posts: Posts,
    unit: String,
    from: String,
    until: String,
}

fn text<'v>(case: &'v Value, key: &str) -> &'v str {
    case[key].as_str().unwrap_or_default()
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

/// What some cases count for: by figure so many of so many.
#[derive(Default, Debug)]
struct Tally {
    of: BTreeMap<&'static str, (u64, u64)>,
    workdays: u64,
    timed: u64,
}

impl Tally {
    fn add(&mut self, key: &'static str, part: bool, whole: bool) {
        self.put(key, (u64::from(part && whole), u64::from(whole)));
    }

    fn put(&mut self, key: &'static str, (part, whole): (u64, u64)) {
        let at = self.of.entry(key).or_default();
        (at.0, at.1) = (at.0 + part, at.1 + whole);
    }

    fn take(&mut self, other: &Tally) {
        other.of.iter().for_each(|(key, counts)| self.put(key, *counts));
        self.workdays += other.workdays;
        self.timed += other.timed;
    }

    fn shown(&self, key: &str) -> String {
        let of = |key: &str| self.of.get(key).copied().unwrap_or_default();
        match key {
            "received" | "accepted" | "closed" | "open" | "overdue" => thousands(of(key).1),
            "returned" => percent(of("returned").1, of("received").1),
            "workdays" if self.timed == 0 => "—".to_owned(),
            "workdays" => format!("{} 天", rounded(self.workdays as f64 / self.timed as f64)),
            _ => percent(of(key).0, of(key).1),
        }
    }
}

/// One period's counts.
#[derive(Default, Debug)]
struct Counts {
    all: Tally,
    matters: BTreeMap<String, Tally>,
    units: BTreeMap<String, Tally>,
    used: BTreeSet<String>,
}

/// Half a day of somebody's post: where, on which day, in the forenoon, whose.
type Post = (String, String, bool, String);

/// What was typed about posts in a test: those that were noted as empty, and those that somebody filled with the room whose case it was.
#[derive(Default, Clone)]
pub(super) struct Posts {
    pub(super) noted: BTreeSet<Post>,
    pub(super) filled: BTreeSet<(String, Post)>,
}

impl Recount {
    pub(super) fn of(county: &mut County, seat: Seat, report: &Value, posts: &Posts) -> Self {
        let unit = text(report, "unit").trim_end_matches("000").to_owned();
        // By room, because a list has an end.
        let rooms = super::ROOMS.iter().map(|(_, room)| *room);
        let within = |room: &&str| room.starts_with(&unit);
        let mut cases = Vec::new();
        for room in rooms.filter(within) {
            let args = CaseList {
                unit: Some(room.to_owned()),
                ..CaseList::default()
            };
            let list = county.world.run(seat, Command::CaseList(args));
            cases.extend(list.as_array().unwrap().clone());
        }
        let days = |kind: &str| {
            let rows = HOLIDAYS.lines().map(|l| l.split('\t').collect::<Vec<_>>());
            rows.filter(|cells| cells[2] == kind)
                .map(|cells| cells[0].to_owned())
                .collect()
        };
        Self {
            cases,
            off: days("off"),
            makeup: days("makeup_work"),
            posts: posts.clone(),
            unit: unit.clone(),
            from: text(report, "from").to_owned(),
            until: text(report, "until").to_owned(),
        }
    }

    fn is_workday(&self, day: Day) -> bool {
        let text = day.to_string();
        self.makeup.contains(&text) || (day.weekday() < 5 && !self.off.contains(&text))
    }

    /// Workdays after `a` up to `b`, without those on which the clock stood still.
    fn workdays(&self, a: &str, b: &str, stood: &Value) -> u64 {
        let (mut at, end, mut count) = (day(a), day(b), 0);
        while at < end {
            at = at.plus(1);
            let now = at.to_string();
            let still = stood.as_array().into_iter().flatten().any(|s| {
                now.as_str() >= s[0].as_str().unwrap() && s[1].as_str().is_none_or(|until| now.as_str() < until)
            });
            count += u64::from(self.is_workday(at) && !still);
        }
        count
    }

    fn due(&self, accepted: &str, promised: u64, stood: &Value) -> String {
        let mut at = day(accepted);
        while self.workdays(accepted, &at.to_string(), &still(stood)) < promised {
            at = at.plus(1);
        }
        at.to_string()
    }

    fn count(&self, from: &str, until: &str, today: &str) -> Counts {
        let mut counts = Counts::default();
        for case in &self.cases {
            let result = case["result"].as_i64();
            let out = text(case, "state") == "void" || matches!(result, Some(2 | 3)) || !case["counts_with"].is_null();
            if out || case["is_errand"] == true {
                continue;
            }
            let one = self.count_one(case, (from, until, today));
            let matter = text(case, "matter").to_owned();
            if one.of["received"].1 > 0 {
                counts.used.insert(matter.clone());
            }
            let unit = text(case, "unit").to_owned();
            counts.all.take(&one);
            counts.matters.entry(matter).or_default().take(&one);
            counts.units.entry(unit).or_default().take(&one);
        }
        let within = |code: &String, on: &str| code.starts_with(&self.unit) && on >= from && on <= until;
        let filled = self.posts.filled.iter().filter(|(room, post)| within(room, &post.1));
        let filled: BTreeSet<&Post> = filled.map(|(_, post)| post).collect();
        let noted = self.posts.noted.iter().filter(|post| within(&post.0, &post.1));
        let away = filled.iter().copied().chain(noted).collect::<BTreeSet<_>>();
        counts.all.put("cover", (filled.len() as u64, away.len() as u64));
        counts
    }

    /// The day from which it counts as accepted. Whoever heard nothing on five workdays, no word of what is missing, no acceptance and no
    /// end, is accepted from the day of receipt, whatever was said later.
    fn accepted<'v>(&self, case: &'v Value, today: &str) -> &'v str {
        let mut words: Vec<&str> = ["noticed_on", "accepted_on", "ended_on"]
            .iter()
            .filter_map(|key| case[*key].as_str())
            .collect();
        if matches!(text(case, "state"), "received" | "awaiting_materials") {
            words.push(today);
        }
        let received = text(case, "received_on");
        let first = words.into_iter().min().filter(|_| !received.is_empty());
        match first {
            Some(first) if self.workdays(received, first.min(today), &Value::Null) > 5 => received,
            _ => text(case, "accepted_on"),
        }
    }

    fn count_one(&self, case: &Value, (from, until, today): (&str, &str, &str)) -> Tally {
        let has = |on: &str| !on.is_empty() && on >= from && on <= until;
        let mut one = Tally::default();
        let stood = &case["suspensions"];
        let accepted = self.accepted(case, today);
        let promised = case["promised_workdays"].as_u64();
        let (received, closed) = (has(text(case, "on")), has(text(case, "closed_on")));
        let due = match promised {
            Some(promised) if !accepted.is_empty() => self.due(accepted, promised, stood),
            _ => String::new(),
        };
        one.add("received", true, received);
        one.add("accepted", true, has(accepted));
        one.add("closed", true, closed);
        one.add("spot", case["on_the_spot"] == true, closed);
        let says = !case["rating"].is_null() && case["malicious"] != true;
        one.add("rated", says, closed);
        let rated = closed && says;
        one.add("satisfied", case["rating"].as_i64().is_some_and(|r| r <= 3), rated);
        let timed = closed && !due.is_empty();
        one.add("on_time", text(case, "closed_on") <= due.as_str(), timed);
        let ended = text(case, "ended_on");
        let open = text(case, "on") <= until && (ended.is_empty() || ended > until);
        one.add("open", true, open);
        let late = open && !accepted.is_empty() && accepted <= until && !due.is_empty() && due.as_str() < until;
        one.add("overdue", true, late);
        one.add("told_once", case["notices"] == 1, has(text(case, "noticed_on")));
        one.add("errand", case["has_errand"] == true, received);
        let returned = text(case, "state") == "returned" && has(ended);
        one.add("returned", true, returned);
        if timed {
            one.timed = 1;
            one.workdays = self.workdays(accepted, text(case, "closed_on"), stood);
        }
        one
    }

    pub(super) fn hold(&self, report: &Value) {
        let today = "2026-11-20";
        let this = self.count(&self.from, &self.until, today);
        let year: i32 = self.from[..4].parse::<i32>().unwrap() - 1;
        // No 29th of February is among the periods asked for.
        let before = |on: &str| format!("{year}{}", &on[4..]);
        let last = self.count(&before(&self.from), &before(&self.until), today);
        for figure in report["figures"].as_array().unwrap() {
            let key = text(figure, "key");
            let (told, was) = (self.shown(key, &this), self.shown(key, &last));
            assert_eq!(
                text(figure, "shown"),
                told,
                "{key} of {} to {}: {figure}",
                self.from,
                self.until
            );
            assert_eq!(text(figure, "last"), was, "{key} a year before: {figure}");
            assert_eq!(text(figure, "change"), change(key, &told, &was), "{figure}");
        }
        hold_matters(report, &this, &last);
        hold_units(report, &this, &last);
        let steps = report["trend"].as_array().into_iter().flatten();
        let drawn = steps.fold((0, 0), |all, s| {
            (
                all.0 + s["received"].as_u64().unwrap(),
                all.1 + s["closed"].as_u64().unwrap(),
            )
        });
        assert_eq!(
            drawn,
            (this.all.of["received"].1, this.all.of["closed"].1),
            "the chart shows what the figures say"
        );
    }

    fn shown(&self, key: &str, counts: &Counts) -> String {
        match key {
            "coverage" => self.covered(counts, ""),
            "coverage_approval" => self.covered(counts, "高频行政审批"),
            "coverage_service" => self.covered(counts, "公共服务"),
            "coverage_village" => self.covered(counts, "村级便民"),
            _ => counts.all.shown(key),
        }
    }

    fn covered(&self, counts: &Counts, group: &str) -> String {
        let rows = MATTERS.lines().skip(1).map(|l| l.split('\t').collect::<Vec<_>>());
        let of_group: Vec<String> = rows
            .filter(|c| group.is_empty() || c[2] == group)
            .map(|c| c[0].to_owned())
            .collect();
        let used = of_group.iter().filter(|code| counts.used.contains(*code)).count();
        percent(used as u64, of_group.len() as u64)
    }
}

/// Each row of a matter, and none that something happened in is missing.
fn hold_matters(report: &Value, this: &Counts, last: &Counts) {
    let none = Tally::default();
    let keys = ["received", "accepted", "closed", "open"];
    let mut sums = [0; 4];
    for row in report["matters"].as_array().unwrap() {
        let matter = text(row, "matter");
        let counted = this.matters.get(matter).unwrap_or(&none);
        let before = last.matters.get(matter).unwrap_or(&none);
        for (key, sum) in keys.iter().zip(&mut sums) {
            let told = row[*key].as_u64().unwrap();
            assert_eq!(thousands(told), counted.shown(key), "{key} of {row}");
            *sum += told;
        }
        let grown = change("received", &counted.shown("received"), &before.shown("received"));
        assert_eq!(text(row, "change"), grown, "{row}");
    }
    assert_eq!(sums, keys.map(|key| this.all.of.get(key).map_or(0, |counts| counts.1)));
}

/// Each row of a unit below, in every figure that it has.
fn hold_units(report: &Value, this: &Counts, last: &Counts) {
    let below = |counts: &Counts, code: &str| {
        let mut sum = Tally::default();
        let within = counts.units.iter().filter(|(unit, _)| unit.starts_with(code));
        within.for_each(|(_, one)| sum.take(one));
        sum
    };
    for row in report["children"].as_array().unwrap() {
        let code = text(row, "unit").trim_end_matches("000");
        let (counted, before) = (below(this, code), below(last, code));
        let figures = row["figures"].as_object().unwrap();
        assert_eq!(figures.len(), 9, "{row}");
        for (key, cell) in figures {
            assert_eq!(text(cell, "shown"), counted.shown(key), "{key} of {row}");
        }
        let grown = change("closed", &counted.shown("closed"), &before.shown("closed"));
        assert_eq!(text(row, "change"), grown, "{row}");
    }
}

/// A stretch that still stands pushes nothing out yet.
fn still(stood: &Value) -> Value {
    stood
        .as_array()
        .into_iter()
        .flatten()
        .filter(|s| !s[1].is_null())
        .cloned()
        .collect()
}

fn rounded(value: f64) -> String {
    // Half up at the second decimal, as on paper.
    format!("{:.2}", (value * 100.0 + 0.5 + 1e-9).floor() / 100.0)
}

fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "—".to_owned(),
        _ => format!("{}%", rounded(part as f64 * 100.0 / whole as f64)),
    }
}

fn thousands(number: u64) -> String {
    match number < 1000 {
        true => number.to_string(),
        false => format!("{},{:03}", thousands(number / 1000), number % 1000),
    }
}

/// What was told, held against what was, by the texts alone.
fn change(key: &str, told: &str, was: &str) -> String {
    let number = |text: &str| text.replace([',', '%', '天', ' '], "").parse::<f64>().ok();
    let (Some(this), Some(last)) = (number(told), number(was)) else {
        return "—".to_owned();
    };
    let sign = |value: f64| if value > 0.0 { "+" } else { "" };
    match key {
        "received" | "accepted" | "closed" | "open" | "overdue" if last == 0.0 => "—".to_owned(),
        "received" | "accepted" | "closed" | "open" | "overdue" => {
            let grown = (this - last) / last * 100.0;
            let text = rounded(grown.abs());
            let minus = if grown < 0.0 && text != "0.00" { "-" } else { "" };
            format!("{minus}{}{text}%", if text == "0.00" { "" } else { sign(grown) })
        }
        _ => {
            let grown = ((this - last) * 100.0).round() / 100.0;
            let unit = if key == "workdays" { "天" } else { "个百分点" };
            format!("{}{:.2} {unit}", sign(grown), if grown == 0.0 { 0.0 } else { grown })
        }
    }
}
