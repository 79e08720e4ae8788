//! Is every room alive and in step? The summary first, then the rooms, worst first.

use std::cmp::Reverse;

use serde_json::Value;

use super::NeverSeen;
use super::layout::{Ink, Table, cut, line, moment, span};
use super::read::{count, number, rows as all_rows, short, text};
use crate::words;

/// States from the one that needs somebody most to the one that needs nobody.
const WORST_FIRST: [&str; 7] = [
    "unknown",
    "silent",
    "behind",
    "in_step",
    "held",
    "revoked",
    "never_seen",
];
/// The states as the summary names them.
const SUMMARY: [&str; 7] = [
    "in_step",
    "behind",
    "silent",
    "unknown",
    "held",
    "revoked",
    "never_seen",
];
/// Always in the summary, with zero too.
const ALWAYS: usize = 3;
/// A clock that is off by less is nobody's concern.
const SKEW_TOLD_MS: i64 = 60_000;
const NAME_WIDTH_MAX: usize = 20;
/// Knowledge younger than this is of now.
const NOW_S: i64 = 60;

pub(super) fn rooms(value: &Value, never_seen: NeverSeen) -> String {
    let rooms = all_rows(value);
    if rooms.is_empty() {
        return format!("{}\n", words::NO_ROOMS);
    }
    let of = |state: &str| rooms.iter().filter(|room| text(room, "state") == state).count();
    let parts: Vec<(&str, usize)> = SUMMARY
        .iter()
        .enumerate()
        .map(|(at, state)| (at, (*state, of(state))))
        .filter(|(at, (_, many))| *at < ALWAYS || *many > 0)
        .map(|(_, part)| part)
        .collect();
    let mut units: Vec<&str> = rooms.iter().map(|room| text(room, "unit")).collect();
    units.sort_unstable();
    units.dedup();
    let mut out = format!("{}\n", words::rooms_total(units.len(), &parts));
    let mut listed: Vec<&Value> = rooms
        .iter()
        .filter(|room| never_seen == NeverSeen::Listed || text(room, "state") != "never_seen")
        .collect();
    // Within a state, whoever has waited longest comes first; the order of the codes decides among equals.
    listed.sort_by_key(|room| {
        let rank = WORST_FIRST.iter().position(|state| *state == text(room, "state"));
        (rank.unwrap_or(0), Reverse(number(room, "last_seen_s").unwrap_or(0)))
    });
    if !listed.is_empty() {
        out.push_str(&format!("\n{}", table(&listed)));
    }
    let hidden = rooms.len() - listed.len();
    if listed.is_empty() {
        out.push_str(&format!("{}\n", words::NONE_ONLINE));
    }
    if hidden > 0 {
        out.push_str(&format!("{}\n", words::never_seen(hidden)));
    }
    out
}

fn table(rooms: &[&Value]) -> String {
    let mut head: Vec<&str> = words::ROOMS_HEAD.to_vec();
    head.push(words::LABEL_CLOCK);
    let mut table = Table::new(&head);
    for room in rooms {
        let seen = text(room, "state") != "never_seen";
        let many = |key: &str| {
            if seen {
                count(room, key).to_string()
            } else {
                String::new()
            }
        };
        let ago = |key: &str| number(room, key).map_or_else(String::new, span);
        table.row([
            cut(text(room, "name"), NAME_WIDTH_MAX),
            line(text(room, "unit")),
            words::room_state(text(room, "state")).to_owned(),
            if seen { as_of(room) } else { String::new() },
            many("recorded"),
            many("at_township"),
            many("at_county"),
            ago("oldest_pending_s"),
            last_seen(room),
            short(room, "device").to_owned(),
            clock_off(number(room, "skew_ms")),
        ]);
    }
    table.text(Ink::Plain)
}

fn as_of(room: &Value) -> String {
    match (number(room, "as_of"), number(room, "as_of_s")) {
        (_, Some(..NOW_S)) => words::NOW.to_owned(),
        (Some(at), _) => moment(at),
        _ => String::new(),
    }
}

fn last_seen(room: &Value) -> String {
    match number(room, "last_seen_s") {
        Some(..NOW_S) => words::NOW.to_owned(),
        Some(ago) => words::ago(&span(ago)),
        None => String::new(),
    }
}

/// How far a clock is off, where that is worth a word.
pub(super) fn clock_off(skew_ms: Option<i64>) -> String {
    match skew_ms {
        Some(ms) if ms.unsigned_abs() >= SKEW_TOLD_MS.unsigned_abs() => {
            words::clock_off(ms.signum(), &span(ms.saturating_abs() / 1_000))
        }
        _ => String::new(),
    }
}
