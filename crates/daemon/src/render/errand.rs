//! Errands: who asked, what for, who runs it, where it stands.

use serde_json::Value;

use super::Screen;
use super::layout::{Table, cut, line};
use super::read::{all, text};
use crate::words;

const TEXT_WIDTH_MAX: usize = 28;

pub(super) fn list(value: &Value, screen: Screen) -> String {
    let errands = all(value, "errands");
    if errands.is_empty() {
        return format!("{}\n", words::NO_ERRANDS);
    }
    let mut table = Table::new(&words::ERRANDS_HEAD);
    for errand in errands {
        let task = match text(errand, "task") {
            "" => text(errand, "matter_name"),
            task => task,
        };
        let agent = &errand["agent"];
        let agent = match (text(agent, "by"), text(agent, "unit_name")) {
            ("", "") => words::NOBODY_YET.to_owned(),
            ("", unit) => unit.to_owned(),
            (by, unit) => format!("{by}（{unit}）"),
        };
        table.row([
            line(text(errand, "project_no")),
            line(text(errand, "on")),
            cut(text(errand, "name"), TEXT_WIDTH_MAX),
            cut(task, TEXT_WIDTH_MAX),
            line(text(errand, "state_label")),
            cut(&agent, TEXT_WIDTH_MAX),
            cut(text(errand, "holder"), TEXT_WIDTH_MAX),
        ]);
    }
    table.text(screen.ink)
}
