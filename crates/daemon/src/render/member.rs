//! Devices: who is in, who is out, tickets, and what a newcomer does next.

use serde_json::Value;

use super::Screen;
use super::layout::{Ink, Table, cut, line, moment};
use super::read::{is, number, rows, short, text};
use crate::words;

const NAME_WIDTH_MAX: usize = 20;

pub(super) fn list(value: &Value, screen: Screen) -> String {
    let members = rows(value);
    if members.is_empty() {
        return format!("{}\n", words::NO_MEMBERS);
    }
    let mut table = Table::new(&words::MEMBERS_HEAD);
    for member in members {
        let is_out = text(member, "state") == "revoked";
        let is_held = text(member, "state") == "held";
        let state = match (is_out, is(member, "this_device")) {
            (false, _) if is_held => words::held(&line(text(member, "reason"))),
            (true, _) => words::revoked(&line(text(member, "reason"))),
            (false, true) => words::IN_USE_HERE.to_owned(),
            (false, false) => words::IN_USE.to_owned(),
        };
        let cells = [
            cut(text(member, "unit_name"), NAME_WIDTH_MAX),
            line(text(member, "unit")),
            words::role(text(member, "role")).to_owned(),
            short(member, "device").to_owned(),
            cut(text(member, "name"), NAME_WIDTH_MAX),
            line(text(member, "node_code")),
            state,
        ];
        if is_out {
            table.faint_row(cells);
        } else {
            table.row(cells);
        }
    }
    let out = members
        .iter()
        .filter(|member| text(member, "state") == "revoked")
        .count();
    format!(
        "{}{}\n",
        table.text(screen.ink),
        words::members_total(members.len() - out, out)
    )
}

pub(super) fn revoked(value: &Value) -> String {
    format!(
        "{}\n",
        words::member_revoked(short(value, "device"), &line(text(value, "reason")))
    )
}

pub(super) fn extended(value: &Value) -> String {
    format!("{}\n", words::member_extended(short(value, "device")))
}

pub(super) fn held(value: &Value) -> String {
    format!(
        "{}\n",
        words::member_held(short(value, "device"), &line(text(value, "reason")))
    )
}

pub(super) fn lifted(value: &Value) -> String {
    format!("{}\n", words::member_lifted(short(value, "device")))
}

pub(super) fn renamed(value: &Value) -> String {
    let (from, name) = (line(text(value, "from")), line(text(value, "name")));
    format!("{}\n", words::member_renamed(short(value, "device"), &from, &name))
}

pub(super) fn admitted(value: &Value) -> String {
    format!("{}\n", words::member_admitted(short(value, "device")))
}

/// The ticket alone where it goes on to a file or a program; a person is told what it is for.
pub(super) fn ticket(value: &Value, screen: Screen) -> String {
    let ticket = line(text(value, "ticket"));
    if screen.ink == Ink::Plain {
        return format!("{ticket}\n");
    }
    let unit = format!("{} {}", text(value, "name"), text(value, "unit"));
    let until = number(value, "expires_ms").map_or_else(String::new, moment);
    format!("{ticket}\n\n{}\n", words::ticket_note(&line(&unit), &until))
}

pub(super) fn joined(value: &Value) -> String {
    let unit = line(&format!("{} {}", text(value, "name"), text(value, "unit")));
    let said = words::joined(
        &unit,
        text(value, "role"),
        short(value, "device"),
        &line(text(value, "node_code")),
    );
    let next = if is(value, "settled") {
        words::JOINED_SETTLED
    } else {
        words::JOINED_UNSETTLED
    };
    format!("{said}\n{next}\n")
}

/// A county or a room of its own was begun.
pub(super) fn founded(value: &Value, next: &str) -> String {
    let unit = format!("{} {}", text(value, "name"), text(value, "unit"));
    format!(
        "{}\n{}  {}\n{next}\n",
        line(text(value, "message")),
        line(&unit),
        words::device(short(value, "device"))
    )
}
