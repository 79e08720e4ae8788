//! What was done to a case, in a line or two: the number first, then what to mind.

use serde_json::Value;

use super::layout::line;
use super::read::{is, text, texts};
use crate::words;

pub(super) fn new(value: &Value) -> String {
    let number = line(text(value, "project_no"));
    let mut out = format!("{}\n", words::received(&number));
    if is(value, "late") {
        out.push_str(&format!("{}\n", words::entered_late(&line(text(value, "on")))));
    }
    for warning in texts(value, "warnings") {
        out.push_str(&format!("{}\n", words::mind(&line(warning))));
    }
    out
}

pub(super) fn done(value: &Value) -> String {
    let number = line(text(value, "project_no"));
    let state = match text(value, "state_label") {
        "" => words::state(text(value, "state")).to_owned(),
        label => line(label),
    };
    let mut out = format!("{}\n", words::done(&line(text(value, "event")), &number, &state));
    if is(value, "late") {
        out.push_str(&format!("{}\n", words::EVENT_LATE));
    }
    if text(value, "state") == "double_closed" {
        out.push_str(&format!("{}\n", words::DOUBLE_CLOSED_NEXT));
    }
    out
}

pub(super) fn edited(value: &Value) -> String {
    let number = line(text(value, "project_no"));
    format!("{}\n{}\n", words::done("", &number, ""), words::look_at(&number))
}

pub(super) fn erased(value: &Value) -> String {
    let number = line(text(value, "project_no"));
    let said = if is(value, "erased") {
        words::erased(&number)
    } else {
        words::erasing(&number)
    };
    format!("{said}\n")
}
