//! The list of cases: what each waits for, by when, and how far it has travelled.

use ledger::day::Day;
use serde_json::Value;

use super::layout::{Table, cut, line};
use super::read::{count, is, rows, text};
use super::{Asked, Screen};
use crate::config::Kind;
use crate::words;

/// A matter's name is cut here; its code stands before it.
const MATTER_WIDTH_MAX: usize = 24;
const NAME_WIDTH_MAX: usize = 12;
const UNIT_WIDTH_MAX: usize = 16;

pub(super) fn list(value: &Value, asked: Asked, screen: Screen) -> String {
    let cases = rows(value);
    if cases.is_empty() {
        let empty = match asked {
            Asked::All => words::NO_CASES,
            Asked::Some => words::NO_CASES_THERE,
        };
        return format!("{empty}\n");
    }
    // A room has one unit, which it knows: the column says nothing there.
    let one_unit = cases.iter().all(|case| text(case, "unit") == text(&cases[0], "unit"));
    let mut table = Table::new(&words::CASE_HEAD);
    for case in cases {
        table.row([
            line(text(case, "project_no")),
            if one_unit { String::new() } else { unit(case) },
            cut(&matter(case), MATTER_WIDTH_MAX),
            cut(text(case, "name"), NAME_WIDTH_MAX),
            line(text(case, "on")),
            state(case),
            due(case, screen.today),
            reached(text(case, "receipt"), screen.kind),
        ]);
    }
    let many = |holds: &dyn Fn(&Value) -> bool| cases.iter().filter(|case| holds(case)).count();
    let total = words::cases_total(
        cases.len(),
        &[
            (words::PART_OVERDUE, many(&|c| is_open(c) && is(c, "overdue"))),
            (words::PART_TODAY, many(&|c| is_due_today(c, screen.today))),
            (words::PART_CONFLICT, many(&|c| count(c, "conflicts") > 0)),
            (words::PART_HERE, many(&|c| text(c, "receipt") == "room")),
            (words::PART_TOWNSHIP, many(&|c| text(c, "receipt") == "township")),
        ],
    );
    format!("{}{total}\n", table.text(screen.ink))
}

fn unit(case: &Value) -> String {
    let name = match text(case, "unit_name") {
        "" => text(case, "unit"),
        name => name,
    };
    cut(name, UNIT_WIDTH_MAX)
}

/// `B23 城乡居民参保登记`
pub(super) fn matter(case: &Value) -> String {
    line(&format!("{} {}", text(case, "matter"), text(case, "matter_name")))
}

/// The state as words, or why there is none yet.
pub(super) fn state_word(case: &Value) -> String {
    let label = match text(case, "state_label") {
        "" => words::state(text(case, "state")),
        label => label,
    };
    let status = text(case, "status");
    match (label, status) {
        ("", _) => line(status),
        (label, "" | words::READY) => line(label),
        (label, status) => line(&format!("{label}，{status}")),
    }
}

/// The state with what is out of the ordinary.
fn state(case: &Value) -> String {
    let mut parts = vec![state_word(case)];
    let marks = words::MARKS.iter().filter(|(key, _)| count(case, key) > 0);
    parts.extend(marks.map(|(_, mark)| (*mark).to_owned()));
    if is(case, "deemed_accepted") {
        parts.push(words::DEEMED.to_owned());
    }
    if is(case, "erased") {
        parts.push(words::ERASED.to_owned());
    }
    parts.join("·")
}

/// Whether the clock still runs: a case that has ended is no longer due.
fn is_open(case: &Value) -> bool {
    let ended = ["closed", "delivered", "refused", "withdrawn", "returned", "void"];
    text(case, "closed_on").is_empty() && !ended.contains(&text(case, "state"))
}

fn is_due_today(case: &Value, today: Day) -> bool {
    is_open(case) && text(case, "due_on") == today.to_string()
}

/// The day it is due, and what that means today.
pub(super) fn due(case: &Value, today: Day) -> String {
    let on = line(text(case, "due_on"));
    if on.is_empty() {
        return on;
    }
    let mut said = on;
    let marks = [
        (is(case, "overdue"), words::OVERDUE),
        (is_due_today(case, today), words::DUE_TODAY),
        (is(case, "provisional"), words::PROVISIONAL),
    ];
    for (_, mark) in marks.iter().filter(|(holds, _)| *holds) {
        said = format!("{said} {mark}");
    }
    said
}

/// The highest tier that holds all of it, ticked once it is beyond the place where it was recorded.
fn reached(tier: &str, kind: Kind) -> String {
    match (tier, kind) {
        ("room", Kind::Node) => words::THIS_DEVICE.to_owned(),
        ("township" | "county", _) => format!("{} {}", words::TICK, words::tier(tier)),
        (tier, _) => line(words::tier(tier)),
    }
}
