//! Reading results: what is missing or of another kind reads as nothing, so that no answer, however odd, breaks a screen.

use serde_json::Value;

/// A text; empty when there is none.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A whole number.
pub(super) fn number(value: &Value, key: &str) -> Option<i64> {
    value.get(key).and_then(Value::as_i64)
}

/// How many; 0 when it does not say.
pub(super) fn count(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

/// Whether it says yes.
pub(super) fn is(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}

/// A list; empty when there is none.
pub(super) fn all<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The rows of an answer that is a list.
pub(super) fn rows(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The texts of a list.
pub(super) fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    all(value, key).iter().filter_map(Value::as_str).collect()
}

/// A value as it is, on one line: what a field may hold.
pub(super) fn plain(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => super::layout::line(text),
        Some(Value::Number(n)) => n.to_string(),
        Some(Value::Bool(yes)) => crate::words::yes(*yes).to_owned(),
        Some(Value::Array(all)) => {
            let texts: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            super::layout::line(&texts.join("、"))
        }
        _ => String::new(),
    }
}

/// The beginning of a device's or a conflict's id, by which people and commands name it.
pub(super) fn short<'a>(value: &'a Value, key: &str) -> &'a str {
    let id = text(value, key);
    id.get(..8).unwrap_or(id)
}
