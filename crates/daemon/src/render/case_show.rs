//! One case in full: what a clerk asks for first, then the person, the materials, what happened, and where it is stored.

use serde_json::Value;

use super::layout::{Ink, Table, clock, labelled, line, to_minute};
use super::read::{all, count, is, number, plain, short, text, texts};
use super::{Screen, case_list, conflict};
use crate::config::Kind;
use crate::words;

/// Blanks before what belongs to a title.
const INDENT: usize = 2;

pub(super) fn show(value: &Value, screen: Screen) -> String {
    let mut out = head(value, screen);
    out.push('\n');
    for field in all(value, "fields") {
        self::field(&mut out, field, screen);
    }
    materials(&mut out, value);
    section(&mut out, words::TITLE_EVENTS, &events(value, screen));
    section(&mut out, words::TITLE_STORED, &stored(value, screen));
    section(&mut out, words::TITLE_NOTES, &notes(value));
    section(&mut out, words::TITLE_CONFLICTS, &conflict::of_case(value, screen));
    section(&mut out, words::TITLE_SET_ASIDE, &set_aside(value));
    out
}

fn section(out: &mut String, title: &str, text: &str) {
    if !text.is_empty() {
        out.push_str(&format!("\n{title}\n{text}"));
    }
}

fn head(value: &Value, screen: Screen) -> String {
    let unit = match text(value, "unit_name") {
        "" => text(value, "unit"),
        name => name,
    };
    let mut out = format!(
        "{}  {}\n{}  {}\n",
        line(text(value, "project_no")),
        case_list::matter(value),
        line(unit),
        case_list::state_word(value)
    );
    labelled(&mut out, words::LABEL_RECEIVED, &line(text(value, "received_on")));
    let accepted = line(text(value, "accepted_on"));
    if is(value, "deemed_accepted") {
        labelled(&mut out, words::DEEMED, words::DEEMED_STORY);
    }
    labelled(&mut out, words::LABEL_ACCEPTED, &accepted);
    labelled(&mut out, words::LABEL_DUE, &case_list::due(value, screen.today));
    labelled(&mut out, words::LABEL_CLOSED, &closed(value));
    labelled(&mut out, words::LABEL_RATING, &rated(value));
    for suspension in all(value, "suspensions") {
        let until = match text(suspension, "until") {
            "" => words::UNTIL_NOW,
            until => until,
        };
        let kind = words::suspension(number(suspension, "kind").unwrap_or(0));
        let stretch = format!("{} — {until}  {kind}", text(suspension, "from"));
        labelled(&mut out, words::LABEL_SUSPENDED, &line(&stretch));
    }
    labelled(&mut out, words::LABEL_CLERK, &line(text(value, "clerk")));
    if text(value, "custody") != text(value, "unit") {
        labelled(&mut out, words::LABEL_CUSTODY, &line(text(value, "custody")));
    }
    for (held_back, said) in [
        (is(value, "erased"), words::ERASED.to_owned()),
        (count(value, "waiting") > 0, words::waiting(count(value, "waiting"))),
        (
            count(value, "unrecognised") > 0,
            words::unrecognised(count(value, "unrecognised")),
        ),
    ] {
        if held_back {
            out.push_str(&format!("※ {said}\n"));
        }
    }
    out
}

fn closed(value: &Value) -> String {
    let Some(closure) = value.get("closure").filter(|c| c.is_object()) else {
        return String::new();
    };
    if !is(closure, "counts") {
        return words::CLOSING_OPEN.to_owned();
    }
    let result = number(closure, "result").map_or_else(String::new, words::result);
    line(&format!("{}  {result}", text(closure, "on")))
}

fn rated(value: &Value) -> String {
    let Some(evaluation) = value.get("evaluation").filter(|e| e.is_object()) else {
        return String::new();
    };
    let grade = number(evaluation, "rating").map_or_else(String::new, words::rating);
    let channel = words::channel(text(evaluation, "channel"));
    line(&format!("{}  {grade}  {channel}", text(evaluation, "on")))
}

/// A field with its value; where tiers contradict each other, every value with who wrote it, the leading one first.
fn field(out: &mut String, field: &Value, screen: Screen) {
    let label = line(text(field, "label"));
    let values = all(field, "values");
    if !is(field, "contradicts") || values.len() < 2 {
        let shown = match values.first() {
            Some(value) => content(value),
            None => plain(field, "value"),
        };
        labelled(out, &label, &shown);
        return;
    }
    let mut table = Table::new(&["", "", "", "", ""]);
    let mut sorted: Vec<&Value> = values.iter().collect();
    sorted.sort_by_key(|value| !is(value, "leads"));
    for (at, value) in sorted.into_iter().enumerate() {
        table.row([
            super::layout::pad(if at == 0 { &label } else { "" }, 8),
            content(value),
            writer(value, screen),
            to_minute(text(value, "at")),
            if is(value, "leads") { words::LEADS } else { "" }.to_owned(),
        ]);
    }
    out.push_str(&table.text(Ink::Plain));
}

/// What stands in a field, or why it cannot be shown.
pub(super) fn content(value: &Value) -> String {
    match text(value, "sealed") {
        "" => plain(value, "value"),
        "erased" => words::VALUE_ERASED.to_owned(),
        "no_key" => words::NO_KEY.to_owned(),
        "locked" => words::VALUE_LOCKED.to_owned(),
        why => line(why),
    }
}

/// The tier, and the person if the device knows one.
pub(super) fn writer(value: &Value, screen: Screen) -> String {
    let tier = text(value, "tier");
    let place = match (text(value, "unit_name"), tier, screen.kind) {
        ("", "room", Kind::Node) => words::THIS_DEVICE,
        ("", tier, _) => words::tier(tier),
        (name, _, _) => name,
    };
    line(&format!("{place} {}", text(value, "by")))
}

fn materials(out: &mut String, value: &Value) {
    let items: Vec<String> = all(value, "items")
        .iter()
        .map(|item| {
            let tick = if is(item, "received") { "☑" } else { "☐" };
            format!("{tick} {}", line(text(item, "name")))
        })
        .collect();
    labelled(out, words::LABEL_ITEMS, &items.join("  "));
    labelled(
        out,
        words::LABEL_OUTSTANDING,
        &line(&texts(value, "outstanding").join("、")),
    );
    for notice in all(value, "notices") {
        let second = if is(notice, "second") { words::SECOND_NOTICE } else { "" };
        let told = format!(
            "{}  {}  {second}",
            text(notice, "on"),
            texts(notice, "items").join("、")
        );
        labelled(out, words::LABEL_NOTICE, &line(&told));
    }
}

fn events(value: &Value, screen: Screen) -> String {
    let events = all(value, "events");
    if events.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&words::EVENT_HEAD).indented(INDENT);
    for event in events {
        let is_void = is(event, "void");
        let label = line(match text(event, "label") {
            "" => words::event(text(event, "event")),
            label => label,
        });
        let cells = [
            line(text(event, "on")),
            if is_void {
                format!("{} {label}", words::CROSS)
            } else {
                label
            },
            writer(event, screen),
            clock(text(event, "at"), text(event, "on")),
            remarks(event, value),
        ];
        if is_void {
            table.faint_row(cells);
        } else {
            table.row(cells);
        }
    }
    table.text(screen.ink)
}

/// What was said with an event, its flags, and why it does not count.
fn remarks(event: &Value, case: &Value) -> String {
    let mut parts = Vec::new();
    if is(event, "void") {
        parts.push(words::not_counted(&void_reason(text(event, "void_reason"), case)));
    }
    let double_closed = text(case, "state") == "double_closed" && text(event, "event") == "close";
    let flags = texts(event, "flags").into_iter();
    parts.extend(
        flags
            .filter(|flag| !(double_closed && *flag == words::FLAG_JOINED))
            .map(line),
    );
    if let Some(data) = event.get("data").and_then(Value::as_object) {
        let data_of = event.get("data").unwrap_or(&Value::Null);
        for name in data.keys() {
            parts.push(datum(name, data_of, case));
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join("；")
}

fn datum(name: &str, data: &Value, case: &Value) -> String {
    let said = match (name, number(data, name)) {
        ("result", Some(code)) => words::result(code),
        ("rating", Some(grade)) => words::rating(grade),
        ("type", Some(kind)) => words::suspension(kind).to_owned(),
        ("channel", _) => words::channel(text(data, name)).to_owned(),
        ("conflict", _) => conflict::called(text(data, name), case),
        ("choice", _) => conflict::choice_called(text(data, "conflict"), text(data, name), case)
            .unwrap_or_else(|| name_events(&plain(data, name), case)),
        ("event", _) => name_events(&plain(data, name), case),
        _ => plain(data, name),
    };
    line(&format!("{} {said}", words::datum(name)))
}

/// The reason in words: events and states are called by their names, not by what they are called inside.
fn void_reason(reason: &str, case: &Value) -> String {
    let mut said = name_events(reason, case);
    if let Some((before, rest)) = said.split_once('（')
        && let Some((inner, after)) = rest.split_once('）')
    {
        said = format!("{before}（{}）{after}", words::state(inner));
    }
    line(&said)
}

/// Ids of events of this case become what the event is called.
fn name_events(text_with_ids: &str, case: &Value) -> String {
    let mut said = text_with_ids.to_owned();
    for event in all(case, "events") {
        let id = text(event, "id");
        if !id.is_empty() && said.contains(id) {
            let name = format!("{}的{}", text(event, "unit_name"), text(event, "label"));
            said = said.replace(id, &name);
        }
    }
    said
}

/// Where it was recorded, then each tier with when it said that it holds it, or that it does not yet.
fn stored(value: &Value, screen: Screen) -> String {
    let mut table = Table::new(&["", "", "", "", ""]).indented(INDENT);
    let first = all(value, "events").first();
    let origin = first.map_or("room", |event| text(event, "tier"));
    let own = match (origin, screen.kind) {
        ("room", Kind::Node) => words::THIS_DEVICE,
        (tier, _) => words::tier(tier),
    };
    table.row([
        words::TICK.to_owned(),
        own.to_owned(),
        first.map_or_else(String::new, |event| line(text(event, "unit_name"))),
        first.map_or_else(String::new, |event| to_minute(text(event, "at"))),
        words::RECORDED_THERE.to_owned(),
    ]);
    for tier in ["township", "county"] {
        let receipts: Vec<&Value> = all(value, "receipts")
            .iter()
            .filter(|r| text(r, "tier") == tier)
            .collect();
        if receipts.is_empty() && tier != origin {
            table.row([words::AWAITED, words::tier(tier), words::NOT_YET]);
        }
        for receipt in receipts {
            let (mark, note) = match text(receipt, "state") {
                "whole" => (words::TICK, String::new()),
                "withdrawn" => {
                    let at = to_minute(text(receipt, "withdrawn_at"));
                    (words::CROSS, words::receipt_withdrawn(&at))
                }
                _ => (words::AWAITED, words::IN_PART.to_owned()),
            };
            table.row([
                mark.to_owned(),
                words::tier(tier).to_owned(),
                line(text(receipt, "unit_name")),
                to_minute(text(receipt, "at")),
                note,
            ]);
        }
    }
    table.text(Ink::Plain)
}

fn notes(value: &Value) -> String {
    let mut table = Table::new(&["", "", ""]).indented(INDENT);
    for note in all(value, "notes") {
        let who = format!("{} {}", text(note, "unit_name"), text(note, "by"));
        table.row([to_minute(text(note, "at")), line(&who), line(text(note, "text"))]);
    }
    table.text(Ink::Plain)
}

fn set_aside(value: &Value) -> String {
    let mut table = Table::new(&["", ""]).indented(INDENT);
    for change in all(value, "set_aside") {
        table.row([words::device(short(change, "device")), line(text(change, "reason"))]);
    }
    table.text(Ink::Plain)
}
