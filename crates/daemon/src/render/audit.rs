//! 审计记录: who did what on this machine, and why.

use serde_json::Value;

use super::layout::{Ink, Table, line};
use super::read::{number, text, texts};
use crate::words;

pub(super) fn list(value: &Value) -> String {
    let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return format!("{}\n", words::AUDIT_EMPTY);
    }
    let mut table = Table::new(&words::AUDIT_HEAD);
    for row in rows {
        let who = match (text(row, "user_name"), text(row, "user")) {
            ("", "") => words::THIS_DEVICE,
            ("", user) => user,
            (name, _) => name,
        };
        let about = [
            text(row, "project_no"),
            text(row, "about"),
            &texts(row, "fields").join("、"),
        ]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| if part.len() == 64 { &part[..8] } else { part })
        .collect::<Vec<_>>()
        .join(" ");
        table.row([
            number(row, "seq").map_or_else(String::new, |n| n.to_string()),
            line(text(row, "at")),
            line(text(row, "act_label")),
            line(who),
            line(&about),
            line(text(row, "reason")),
        ]);
    }
    table.text(Ink::Plain)
}
