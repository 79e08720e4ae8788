//! A day of a room (日结): counts, what has not travelled yet, the code that tiers compare, the closings.

use serde_json::Value;

use super::layout::line;
use super::read::{all, count, is, plain, text};
use crate::words;

/// Digits of a digest that people compare.
const CODE_LEN: usize = 16;

pub(super) fn day(value: &Value) -> String {
    let mut out = format!("{} {} {}\n", plain(value, "unit_name"), words::DAY, plain(value, "day"));
    let counts = [
        (words::DAY_RECEIVED, "received"),
        (words::DAY_CLOSED, "closed"),
        (words::DAY_BEHIND, "behind"),
        (words::DAY_OPEN, "open"),
    ];
    for (label, key) in counts {
        out.push_str(&format!("{label} {}\n", count(value, key)));
    }
    for row in all(value, "by_matter") {
        let name = format!("{} {}", text(row, "matter"), text(row, "matter_name"));
        let (received, closed) = (count(row, "received"), count(row, "closed"));
        out.push_str(&format!("  {}：{}\n", line(&name), words::day_row(received, closed)));
    }
    out.push_str(&format!("{} {}\n", words::DAY_CODE, code(value)));
    for row in all(value, "closings") {
        let by = row["by"].as_str().unwrap_or(words::THIS_DEVICE);
        let (received, closed) = (count(row, "received"), count(row, "closed"));
        let same = if is(row, "same") {
            words::DAY_SAME
        } else {
            words::DAY_DIFFERS
        };
        out.push_str(&format!(
            "{} {} {}：{}，{} {}（{same}）\n",
            words::nth_closing(count(row, "nth")),
            plain(row, "at"),
            line(by),
            words::day_row(received, closed),
            words::DAY_CODE,
            code(row),
        ));
    }
    if all(value, "closings").is_empty() {
        out.push_str(&format!("{}\n", words::DAY_NOT_CLOSED));
    }
    out
}

fn code(value: &Value) -> String {
    let head: Vec<char> = text(value, "digest").to_uppercase().chars().take(CODE_LEN).collect();
    let groups: Vec<String> = head.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}
