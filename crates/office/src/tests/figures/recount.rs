//! A plain recount: every figure once more, by nothing but `case list` and the two tables that the county was founded with.
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
    from: String,
    until: String,
}

fn text<'v>(case: &'v Value, key: &str) -> &'v str {
    case[key].as_str().unwrap_or_default()
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

/// One period's counts.
#[derive(Default, Debug)]
struct Counts {
    of: BTreeMap<&'static str, (u64, u64)>,
    matters: BTreeMap<String, (u64, u64)>,
    units: BTreeMap<String, (u64, u64)>,
    used: BTreeSet<String>,
    workdays: u64,
    timed: u64,
}

impl Recount {
    pub(super) fn of(county: &mut County, seat: Seat, report: &Value) -> Self {
        let unit = text(report, "unit").to_owned();
        // By room, because a list has an end.
        let rooms = super::ROOMS.iter().map(|(_, room)| *room);
        let within = |room: &&str| room.starts_with(unit.trim_end_matches("000"));
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
            self.count_one(case, (from, until, today), &mut counts);
        }
        counts
    }

    fn count_one(&self, case: &Value, (from, until, today): (&str, &str, &str), counts: &mut Counts) {
        let has = |on: &str| !on.is_empty() && on >= from && on <= until;
        let mut add = |key: &'static str, part: bool, whole: bool| {
            let at = counts.of.entry(key).or_default();
            at.0 += u64::from(part && whole);
            at.1 += u64::from(whole);
        };
        let stood = &case["suspensions"];
        let waits = matches!(text(case, "state"), "received" | "awaiting_materials");
        let told = if case["noticed_on"].is_null() {
            today
        } else {
            text(case, "noticed_on")
        };
        let silent = waits && self.workdays(text(case, "received_on"), told.min(today), &Value::Null) > 5;
        let accepted = match (text(case, "accepted_on"), silent) {
            ("", true) => text(case, "received_on"),
            (on, _) => on,
        };
        let promised = case["promised_workdays"].as_u64();
        let (received, closed) = (has(text(case, "on")), has(text(case, "closed_on")));
        let due = match promised {
            Some(promised) if !accepted.is_empty() => self.due(accepted, promised, stood),
            _ => String::new(),
        };
        add("received", true, received);
        add("accepted", true, has(accepted));
        add("closed", true, closed);
        add("spot", case["on_the_spot"] == true, closed);
        let says = !case["rating"].is_null() && case["malicious"] != true;
        add("rated", says, closed);
        let rated = closed && says;
        add("satisfied", case["rating"].as_i64().is_some_and(|r| r <= 3), rated);
        let timed = closed && !due.is_empty();
        add("on_time", text(case, "closed_on") <= due.as_str(), timed);
        let ended = text(case, "ended_on");
        let open = text(case, "on") <= until && (ended.is_empty() || ended > until);
        add("open", true, open);
        let late = open && !accepted.is_empty() && accepted <= until && !due.is_empty() && due.as_str() < until;
        add("overdue", true, late);
        add("told_once", case["notices"] == 1, has(text(case, "noticed_on")));
        add("errand", case["has_errand"] == true, received);
        let returned = text(case, "state") == "returned" && has(ended);
        add("returned", true, returned);
        if timed {
            counts.timed += 1;
            counts.workdays += self.workdays(accepted, text(case, "closed_on"), stood);
        }
        let matter = text(case, "matter").to_owned();
        if received {
            counts.used.insert(matter.clone());
        }
        for (map, key) in [
            (&mut counts.matters, matter),
            (&mut counts.units, text(case, "unit").to_owned()),
        ] {
            let at = map.entry(key).or_default();
            at.0 += u64::from(received);
            at.1 += u64::from(closed);
        }
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
            let (mut told, mut was) = (self.shown(key, &this), self.shown(key, &last));
            if key == "cover" {
                // Nobody stood in for anybody here.
                (told, was) = ("—".to_owned(), "—".to_owned());
            }
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
        for row in report["matters"].as_array().unwrap() {
            let counted = this.matters.get(text(row, "matter")).copied().unwrap_or_default();
            let told = (row["received"].as_u64().unwrap(), row["closed"].as_u64().unwrap());
            assert_eq!(told, counted, "{row}");
        }
        let matters: u64 = report["matters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["received"].as_u64().unwrap())
            .sum();
        assert_eq!(matters, this.of["received"].1);
        for row in report["children"].as_array().unwrap() {
            let code = text(row, "unit").trim_end_matches("000");
            let below = this.units.iter().filter(|(unit, _)| unit.starts_with(code));
            let sum = below.fold((0, 0), |all, (_, one)| (all.0 + one.0, all.1 + one.1));
            let of = |key: &str| row["figures"][key]["value"].as_u64().unwrap();
            assert_eq!((of("received"), of("closed")), sum, "{row}");
        }
        let steps = report["trend"].as_array().into_iter().flatten();
        let drawn = steps.fold((0, 0), |all, s| {
            (
                all.0 + s["received"].as_u64().unwrap(),
                all.1 + s["closed"].as_u64().unwrap(),
            )
        });
        assert_eq!(
            drawn,
            (this.of["received"].1, this.of["closed"].1),
            "the chart shows what the figures say"
        );
    }

    fn shown(&self, key: &str, counts: &Counts) -> String {
        let of = |key: &str| counts.of.get(key).copied().unwrap_or_default();
        match key {
            "received" | "accepted" | "closed" | "open" | "overdue" => thousands(of(key).1),
            "returned" => percent(of("returned").1, of("received").1),
            "workdays" if counts.timed == 0 => "—".to_owned(),
            "workdays" => format!("{} 天", rounded(counts.workdays as f64 / counts.timed as f64)),
            "coverage" => self.covered(counts, ""),
            "coverage_approval" => self.covered(counts, "高频行政审批"),
            "coverage_service" => self.covered(counts, "公共服务"),
            "coverage_village" => self.covered(counts, "村级便民"),
            _ => percent(of(key).0, of(key).1),
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
