//! Reports on a screen: the figures with last year's beside them, what was frozen, and how windows were assessed.

use serde_json::Value;

use super::layout::{Ink, Table, line};
use super::read::{all, count, plain, rows, text};
use crate::words;

pub(super) fn report(value: &Value) -> String {
    let name = format!("{} {}", plain(value, "unit_name"), plain(value, "label"));
    let mark = &value["watermark"];
    let mut out = format!("{name}\n{}；{}\n\n", plain(mark, "text"), plain(value, "frame_label"));
    let mut figures = Table::new(&words::REPORT_HEAD);
    for figure in all(value, "figures") {
        figures.row(["label", "shown", "last", "change", "now"].map(|key| line(text(figure, key))));
    }
    out.push_str(&figures.text(Ink::Plain));
    let mut below = Table::new(&words::REPORT_UNITS_HEAD);
    for child in all(value, "children") {
        let shown = |key: &str| line(text(&child["figures"][key], "shown"));
        let cells = [
            "received",
            "accepted",
            "closed",
            "open",
            "overdue",
            "on_time",
            "satisfied",
        ]
        .map(shown);
        below.row([vec![line(text(child, "name"))], cells.to_vec()].concat());
    }
    if !all(value, "children").is_empty() {
        out.push_str(&format!("\n{}", below.text(Ink::Plain)));
    }
    if let Some(late) = value.get("late") {
        out.push_str(&format!("\n{} {}\n", words::REPORT_LATE, count(late, "all")));
        for case in all(late, "cases") {
            let words = [all(case, "gained"), all(case, "lost")].map(|labels| {
                let labels: Vec<&str> = labels.iter().filter_map(Value::as_str).collect();
                labels.join("、")
            });
            let number = plain(case, "project_no");
            out.push_str(&format!("  {number}  +{}  -{}\n", line(&words[0]), line(&words[1])));
        }
    }
    out
}

pub(super) fn frozen(value: &Value) -> String {
    list(std::slice::from_ref(value))
}

pub(super) fn list_all(value: &Value) -> String {
    match rows(value) {
        [] => format!("{}\n", words::REPORT_NONE_FROZEN),
        rows => list(rows),
    }
}

fn list(rows: &[Value]) -> String {
    let mut table = Table::new(&words::REPORT_FROZEN_HEAD);
    for row in rows {
        table.row([
            plain(row, "id"),
            plain(row, "label"),
            line(text(row, "unit_name")),
            count(row, "version").to_string(),
            plain(row, "at"),
            plain(row, "watermark"),
        ]);
    }
    table.text(Ink::Plain)
}

pub(super) fn assessed(value: &Value) -> String {
    let mut out = format!("{} {}\n", plain(value, "unit_name"), plain(value, "label"));
    out.push_str(&format!("{}\n", plain(value, "watermark")));
    for weight in all(value, "weights") {
        let of = format!("{} {}", plain(weight, "label"), count(weight, "points"));
        out.push_str(&format!("  {of}：{}\n", plain(weight, "definition")));
    }
    for kind in ["people", "rooms"] {
        let mut table = Table::new(&words::ASSESS_HEAD);
        for window in all(value, kind) {
            let shown = ["on_time", "satisfied", "cover", "score"].map(|key| line(text(window, key)));
            let [on_time, satisfied, cover, score] = shown;
            let closed = count(window, "closed").to_string();
            let (name, unit) = (line(text(window, "name")), line(text(window, "unit_name")));
            table.row([name, unit, closed, on_time, satisfied, cover, score]);
        }
        if !all(value, kind).is_empty() {
            out.push_str(&format!("\n{}", table.text(Ink::Plain)));
        }
    }
    out
}

pub(super) fn absent(value: &Value) -> String {
    let (name, on) = (line(text(value, "name")), plain(value, "on"));
    let said = match value["undone"] == true {
        true => words::absent_undone,
        false => words::absent,
    };
    format!("{}\n", said(&name, &on, count(value, "half_days")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_fits_on_a_screen_with_its_watermark_first() {
        let shown = report(&json!({
            "unit_name": "西充县", "label": "2026年10月", "frame_label": "当时口径",
            "watermark": {"text": "截至 2026-10-31 24:00，462 个村室中 451 个已同步"},
            "figures": [{"label": "收件量", "shown": "1,130", "last": "1,000", "change": "+13.00%"}],
            "children": [],
            "late": {"all": 1, "cases": [{"project_no": "51160300112628200011", "gained": ["收件量"], "lost": []}]},
        }));
        assert_eq!(
            shown,
            "西充县 2026年10月\n截至 2026-10-31 24:00，462 个村室中 451 个已同步；当时口径\n\n\
             指标    本期   上年同期  同比\n收件量  1,130  1,000     +13.00%\n\n补报 1\n  51160300112628200011  +收件量  -\n"
        );
        assert!(list_all(&json!([])).contains("还没有定稿"));
    }
}
