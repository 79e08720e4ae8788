//! Cases on the screen: what a clerk writes on the paper, and everything about one case.

use serde_json::Value;

use super::{View, cell, list, pad_label, table};
use crate::words;

/// The head of a case: keys of the result in the order in which a clerk asks for them.
const HEAD: &[&str] = &[
    "project_no",
    "matter",
    "matter_name",
    "unit_name",
    "unit",
    "state",
    "status",
    "due_on",
    "receipt",
    "received_on",
    "accepted_on",
    "closed_on",
    "result",
    "rating",
];

/// Columns of the events.
const EVENTS: &[&str] = &[
    "on",
    "label",
    "tier",
    "unit_name",
    "device",
    "by",
    "note",
    "void_reason",
];

/// Columns of the receipts.
const RECEIPTS: &[&str] = &["tier", "unit_name", "device", "state", "at", "withdrawn_at"];

/// What was done, in one line, and what to look at.
pub(super) fn done(view: View, value: &Value) -> String {
    let number = cell("project_no", value.get("project_no").unwrap_or(&Value::Null));
    let mut out = match view {
        View::CaseNew => format!("已收件，编号 {number}\n"),
        _ => {
            let state = value.get("state_label").or_else(|| value.get("state"));
            let state = state.map_or_else(String::new, |s| format!("，现在是“{}”", cell("state", s)));
            format!("已登记，编号 {number}{state}\n")
        }
    };
    for warning in value.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        out.push_str(&format!("请注意：{}\n", cell("", warning)));
    }
    out
}

/// One case in full.
pub(super) fn show(value: &Value) -> String {
    let mut out = String::new();
    for key in HEAD {
        if let Some(value) = value.get(key).filter(|v| !v.is_null()) {
            out.push_str(&format!("{}  {}\n", pad_label(words::label(key)), cell(key, value)));
        }
    }
    for (key, mark) in [
        ("provisional", "截止日为暂定：日历还没有公布到那一天"),
        ("overdue", "已超期"),
        ("deemed_accepted", "视为受理：五个工作日内没有告知补正"),
        ("erased", "当事人信息已销毁"),
    ] {
        if value.get(key) == Some(&Value::Bool(true)) {
            out.push_str(&format!("※ {mark}\n"));
        }
    }
    for field in all(value, "fields") {
        out.push_str(&self::field(field));
    }
    for item in all(value, "items") {
        let tick = if item.get("received") == Some(&Value::Bool(true)) {
            "☑"
        } else {
            "☐"
        };
        out.push_str(&format!("{tick} {}\n", word(item, "name")));
    }
    let events: Vec<Value> = all(value, "events").map(with_note).collect();
    section(&mut out, "经过", &table(&events, &used(EVENTS, &events)), &events);
    let receipts: Vec<Value> = all(value, "receipts").cloned().collect();
    section(
        &mut out,
        "回执",
        &table(&receipts, &used(RECEIPTS, &receipts)),
        &receipts,
    );
    for (key, title) in [
        ("notices", "补正告知"),
        ("suspensions", "特别程序"),
        ("notes", "备注"),
        ("conflicts", "需要裁定"),
        ("set_aside", "被隔离的改动"),
    ] {
        let rows: Vec<Value> = all(value, key).cloned().collect();
        section(&mut out, title, &list(key, &rows), &rows);
    }
    out
}

fn section(out: &mut String, title: &str, text: &str, rows: &[Value]) {
    if !rows.is_empty() {
        out.push_str(&format!("\n{title}\n{text}"));
    }
}

/// A field with its value; where tiers contradict each other, every value with who said it.
fn field(field: &Value) -> String {
    let label = pad_label(&word(field, "label"));
    if field.get("contradicts") != Some(&Value::Bool(true)) {
        return format!("{label}  {}\n", word(field, "value"));
    }
    let lines = all(field, "values").map(|value| {
        let leads = if value.get("leads") == Some(&Value::Bool(true)) {
            "（暂以此为准）"
        } else {
            ""
        };
        let tier = cell("tier", value.get("tier").unwrap_or(&Value::Null));
        format!(
            "{label}  {}{leads}，{tier} {} 填写\n",
            word(value, "value"),
            word(value, "at")
        )
    });
    lines.collect()
}

/// The event with what was said about it as one more column.
fn with_note(event: &Value) -> Value {
    let mut event = event.clone();
    let said = event
        .get("data")
        .map(|data| cell("data", data))
        .filter(|said| !said.is_empty());
    if let (Some(said), Some(fields)) = (said, event.as_object_mut()) {
        fields.insert("note".to_owned(), Value::String(said));
    }
    event
}

fn all<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn word(value: &Value, key: &str) -> String {
    value.get(key).map_or_else(|| "—".to_owned(), |v| cell(key, v))
}

/// The columns in which some row has something.
fn used(columns: &[&str], rows: &[Value]) -> Vec<String> {
    let some = |column: &&&str| rows.iter().any(|row| row.get(**column).is_some_and(|v| !v.is_null()));
    columns.iter().filter(some).map(|c| (*c).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_contradicted_field_is_shown_with_every_value_and_who_wrote_it() {
        let shown = show(&json!({
            "project_no": "1", "state": "closed",
            "fields": [{"label": "手机", "contradicts": true, "values": [
                {"value": "138", "tier": "room", "at": "2026-10-09 09:00", "leads": true},
                {"value": "139", "tier": "township", "at": "2026-10-09 09:01", "leads": false},
            ]}],
            "items": [{"name": "身份证", "received": true}],
            "events": [{"on": "2026-10-09", "label": "收件", "tier": "room", "data": {"reason": "急"}}],
        }));
        assert!(
            shown.contains("138（暂以此为准），村室 2026-10-09 09:00 填写"),
            "{shown}"
        );
        assert!(shown.contains("139，乡镇 2026-10-09 09:01 填写"), "{shown}");
        assert!(shown.contains("☑ 身份证"), "{shown}");
        assert!(shown.contains("原因 急"), "{shown}");
    }

    #[test]
    fn a_new_case_says_its_number_and_what_to_mind() {
        let value = json!({"project_no": "511603", "warnings": ["电话少一位"]});
        assert_eq!(done(View::CaseNew, &value), "已收件，编号 511603\n请注意：电话少一位\n");
    }
}
