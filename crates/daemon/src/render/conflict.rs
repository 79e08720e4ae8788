//! What awaits a decision, as sides next to each other with what to type; and what is set aside.

use serde_json::Value;

use super::case_show::{content, writer};
use super::layout::{Ink, Table, line, to_minute};
use super::read::{all, is, number, plain, rows, short, text};
use super::{Screen, case_list};
use crate::config::Kind;
use crate::words;

/// Sides of one item next to each other; more go below.
const SIDES_ACROSS: usize = 3;
/// Items shown; `--json` has them all.
const ITEMS_SHOWN: usize = 50;
const INDENT: usize = 2;

pub(super) fn list(value: &Value, screen: Screen) -> String {
    let items = rows(value);
    let (open, resolved): (Vec<&Value>, Vec<&Value>) = items.iter().partition(|item| is_open(item));
    if items.is_empty() {
        return format!("{}\n", words::NO_CONFLICTS);
    }
    let mut out = match open.len() {
        0 => format!("{}\n", words::NONE_OPEN),
        many => format!("{}\n", words::conflicts_total(many, resolved.len())),
    };
    if screen.kind == Kind::Node && !open.is_empty() {
        out.push_str(&format!("{}\n", words::ROOMS_WAIT));
    }
    for item in open.iter().take(ITEMS_SHOWN) {
        out.push_str(&format!("\n{}", self::item(item, screen)));
    }
    if open.len() > ITEMS_SHOWN {
        out.push_str(&format!("\n{}\n", words::more_items(open.len() - ITEMS_SHOWN)));
    }
    if !resolved.is_empty() {
        out.push_str(&format!("\n{}\n{}", words::TITLE_RESOLVED, settled(&resolved)));
        if screen.kind == Kind::Hub {
            out.push_str(&format!("{}\n", words::UNDO_HOW));
        }
    }
    out
}

/// The items of one case that await a decision, for its page.
pub(super) fn of_case(case: &Value, screen: Screen) -> String {
    let open = all(case, "conflicts").iter().filter(|item| is_open(item));
    let mut out = String::new();
    for item in open.take(ITEMS_SHOWN) {
        let shown = self::item(item, screen);
        out.extend(shown.lines().map(|line| format!("  {line}\n")));
    }
    if screen.kind == Kind::Node && !out.is_empty() {
        out.push_str(&format!("  {}\n", words::ROOMS_WAIT));
    }
    out
}

/// A conflict of a case as people call it.
pub(super) fn called(id: &str, case: &Value) -> String {
    let item = all(case, "conflicts").iter().find(|item| text(item, "id") == id);
    let kind = item.map_or("", |item| words::conflict(text(item, "kind")));
    line(&format!("{kind} {}", id.get(..8).unwrap_or(id)))
}

/// What was chosen in a conflict of a case; nothing if it is not among the sides any more.
pub(super) fn choice_called(id: &str, choice: &str, case: &Value) -> Option<String> {
    let item = all(case, "conflicts").iter().find(|item| text(item, "id") == id)?;
    let side = all(item, "choices")
        .iter()
        .find(|side| text(side, "choice") == choice)?;
    Some(chosen_words(side, item))
}

fn is_open(item: &Value) -> bool {
    text(item, "state") != "resolved"
}

/// `97d42d4b  双重办结  编号 事项 机构`, the sides, and how to choose.
fn item(item: &Value, screen: Screen) -> String {
    let (id, kind) = (short(item, "id"), text(item, "kind"));
    let mut out = format!("{id}  {}", words::conflict(kind));
    match all(item, "records") {
        [record] => out.push_str(&format!(
            "  {}  {}  {}",
            line(text(record, "project_no")),
            line(text(record, "matter")),
            line(text(record, "unit_name"))
        )),
        _ if kind == "fork" => out.push_str(&format!(
            "  {}  {}  {}",
            line(text(item, "unit_name")),
            line(text(item, "device_name")),
            words::device(short(item, "device"))
        )),
        _ => {}
    }
    out.push('\n');
    for story in [words::conflict_story(kind), text(item, "advice")] {
        if !story.is_empty() {
            out.push_str(&format!("  {}\n", line(story)));
        }
    }
    let choices = all(item, "choices");
    if kind == "overwritten" || choices.is_empty() {
        if screen.kind == Kind::Hub && kind != "fork" {
            out.push_str(&format!("  {}\n", words::how_to_conclude(id)));
        }
        return out;
    }
    for across in choices.chunks(SIDES_ACROSS) {
        let sides: Vec<[String; 5]> = across.iter().map(|choice| side(choice, item, screen)).collect();
        let mut table = Table::new(&[""; SIDES_ACROSS]).indented(INDENT);
        for row in 0..5 {
            if sides.iter().any(|side| !side[row].is_empty()) {
                table.row(sides.iter().map(|side| side[row].clone()));
            }
        }
        out.push_str(&table.text(Ink::Plain));
    }
    if screen.kind == Kind::Hub {
        out.push_str(&format!("  {}\n", words::how_to_choose(id)));
    }
    out
}

/// What a side says, who said it, when, how it stands, and what to type for it.
fn side(choice: &Value, item: &Value, screen: Screen) -> [String; 5] {
    let kind = text(item, "kind");
    let typed = line(text(choice, "choice"));
    let records = all(item, "records");
    let record = records.iter().find(|record| text(record, "record_id") == typed);
    let type_it = |typed: &str| match screen.kind {
        Kind::Hub => words::choose(typed),
        Kind::Node => String::new(),
    };
    if let Some(record) = record {
        // The printed number is what people know; the command takes it as well.
        let number = line(text(record, "project_no"));
        return [
            number.clone(),
            line(text(record, "unit_name")),
            case_list::matter(record),
            words::state(text(record, "state")).to_owned(),
            type_it(&number),
        ];
    }
    let says = match (kind, typed.as_str()) {
        ("duplicate", "separate") => words::SEPARATE.to_owned(),
        ("same_number", "separate") => {
            let numbers: Vec<&str> = records.iter().map(|record| text(record, "project_no")).collect();
            format!("{} {}", numbers.join("、"), words::SEPARATE_KNOWN)
        }
        ("field", _) => match content(choice) {
            shown if shown.is_empty() => line(text(choice, "what")),
            shown => format!("{} {shown}", line(text(choice, "what"))),
        },
        ("double_closing", _) => text(choice, "what")
            .parse()
            .map_or_else(|_| line(text(choice, "what")), words::result),
        _ => words::event(text(choice, "what")).to_owned(),
    };
    [
        says,
        writer(choice, screen),
        to_minute(text(choice, "at")),
        if is(choice, "leads") { words::LEADS } else { "" }.to_owned(),
        type_it(&typed),
    ]
}

/// What has been decided, one line each.
fn settled(items: &[&Value]) -> String {
    let mut table = Table::new(&words::RESOLVED_HEAD).indented(INDENT);
    for item in items.iter().take(ITEMS_SHOWN) {
        let records: Vec<&str> = all(item, "records").iter().map(|r| text(r, "project_no")).collect();
        let decided = item.get("resolved").unwrap_or(&Value::Null);
        let chosen = text(decided, "choice");
        let choice = all(item, "choices").iter().find(|c| text(c, "choice") == chosen);
        let said = choice.map_or_else(|| line(chosen), |choice| chosen_words(choice, item));
        let by = format!(
            "{} {} {}",
            text(decided, "on"),
            text(decided, "unit"),
            text(decided, "reason")
        );
        table.row([
            short(item, "id").to_owned(),
            words::conflict(text(item, "kind")).to_owned(),
            line(&records.join("、")),
            if text(item, "kind") == "fork" {
                words::FORK_SETTLED.to_owned()
            } else {
                said
            },
            line(&by),
        ]);
    }
    let left = items.len().saturating_sub(ITEMS_SHOWN);
    let more = if left > 0 {
        format!("{}\n", words::more_items(left))
    } else {
        String::new()
    };
    table.text(Ink::Plain) + &more
}

fn chosen_words(choice: &Value, item: &Value) -> String {
    let screen_of_hub = Screen {
        kind: Kind::Hub,
        today: ledger::day::Day::of_wall_ms(0),
        ink: Ink::Plain,
    };
    let [says, who, ..] = side(choice, item, screen_of_hub);
    line(&format!("{says} {who}"))
}

pub(super) fn resolved(value: &Value) -> String {
    let (id, kind, choice) = (short(value, "id"), text(value, "kind"), text(value, "choice"));
    let said = match (choice, text(value, "state")) {
        ("undo", _) => words::unresolved(id, kind),
        ("separate", _) => words::resolved(id, kind, words::SEPARATE),
        (choice, _) => words::resolved(id, kind, &line(choice)),
    };
    format!("{said}\n")
}

pub(super) fn quarantine(value: &Value) -> String {
    let items = rows(value);
    if items.is_empty() {
        return format!("{}\n", words::NO_QUARANTINE);
    }
    let mut table = Table::new(&words::QUARANTINE_HEAD);
    let mut advice: Vec<&str> = Vec::new();
    for item in items {
        let (label, what_to_do) = words::quarantine(text(item, "kind"));
        if !what_to_do.is_empty() && !advice.contains(&what_to_do) {
            advice.push(what_to_do);
        }
        let many = number(item, "count").filter(|many| *many > 1);
        table.row([
            line(label),
            plain(item, "project_no"),
            plain(item, "unit"),
            short(item, "device").to_owned(),
            many.map_or_else(String::new, |many| many.to_string()),
            line(text(item, "reason")),
        ]);
    }
    let advice: String = advice.iter().map(|line| format!("{line}\n")).collect();
    format!(
        "{}\n{}\n{advice}",
        words::quarantine_total(items.len()),
        table.text(Ink::Plain)
    )
}
