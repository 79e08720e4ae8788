//! A day book that was taken over: how much, and which rows were not, so that they can be mended.

use serde_json::Value;

use super::layout::line;
use super::read::{all, count, plain, text};
use crate::words;

/// Lines shown one by one; `--json` has them all.
const ROWS_SHOWN: usize = 40;
/// From so many rows on, one reason is said once with how many rows it concerns.
const SAME_MIN: usize = 4;
/// Rows named of those that share a reason.
const NAMED: usize = 3;

pub(super) fn import(value: &Value) -> String {
    let rejected = all(value, "rejected");
    let remarks = all(value, "remarks");
    let mut out = format!(
        "{}\n",
        words::imported(count(value, "imported"), count(value, "unchanged"), rejected.len())
    );
    if !remarks.is_empty() {
        out.push_str(&format!("\n{}\n{}", words::REMARKS, rows(remarks, "remark")));
    }
    if !rejected.is_empty() {
        out.push_str(&format!("\n{}\n{}", words::REJECTED, rows(rejected, "reason")));
        out.push_str(&format!("\n{}\n", words::IMPORT_AGAIN));
    }
    out
}

/// Each reason once where many rows share it, else line by line, in the order of the file.
fn rows(rows: &[Value], key: &str) -> String {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for row in rows {
        let reason = text(row, key);
        let place = *places.entry(reason).or_insert(groups.len());
        if place == groups.len() {
            groups.push((reason, Vec::new()));
        }
        groups[place].1.push(plain(row, "line"));
    }
    let mut lines = Vec::new();
    let mut single: Vec<(usize, String)> = Vec::new();
    for (reason, of) in &groups {
        let reason = line(reason);
        if of.len() >= SAME_MIN {
            lines.push(words::same_rows(of.len(), &of[..NAMED], &reason));
        } else {
            let number = |text: &String| text.parse().unwrap_or(usize::MAX);
            single.extend(of.iter().map(|at| (number(at), words::row(at, &reason))));
        }
    }
    single.sort();
    let left = single.len().saturating_sub(ROWS_SHOWN);
    lines.extend(single.into_iter().take(ROWS_SHOWN).map(|(_, line)| line));
    if left > 0 {
        lines.push(words::more_rows(left));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}
