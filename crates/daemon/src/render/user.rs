//! People: who works where, and the code with which they enrol.

use serde_json::Value;

use super::Screen;
use super::layout::{Table, cut, line, moment};
use super::read::{is, number, rows, text};
use crate::words;

const NAME_WIDTH_MAX: usize = 20;

pub(super) fn list(value: &Value, screen: Screen) -> String {
    let users = rows(value);
    if users.is_empty() {
        return format!("{}\n", words::NO_USERS);
    }
    let mut table = Table::new(&words::USERS_HEAD);
    for user in users {
        let cells = [
            cut(text(user, "unit_name"), NAME_WIDTH_MAX),
            line(text(user, "unit")),
            cut(text(user, "name"), NAME_WIDTH_MAX),
            roles(user),
            text(user, "id").to_owned(),
            match is(user, "active") {
                true => words::IN_USE.to_owned(),
                false => words::STOPPED.to_owned(),
            },
        ];
        if is(user, "active") {
            table.row(cells);
        } else {
            table.faint_row(cells);
        }
    }
    table.text(screen.ink)
}

fn roles(user: &Value) -> String {
    let roles = user["roles"].as_array().map(Vec::as_slice).unwrap_or_default();
    let words: Vec<&str> = roles.iter().filter_map(Value::as_str).map(words::user_role).collect();
    words.join("、")
}

/// What a person has to be given: the code on paper.
pub(super) fn one(value: &Value) -> String {
    let who = line(&format!(
        "{} {}（{}）",
        text(value, "unit_name"),
        text(value, "name"),
        roles(value)
    ));
    match value.get("code").and_then(Value::as_str) {
        Some(code) => {
            let until = value
                .get("enrol")
                .and_then(|e| number(e, "until_ms"))
                .map_or_else(String::new, moment);
            format!("{}\n", words::user_code(&who, &line(code), &until))
        }
        None => format!("{}\n", words::user_stopped(&who)),
    }
}
