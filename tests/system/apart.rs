//! The same case acted on from two sides while apart.

use serde_json::Value;

use crate::rig::{
    Line, NEIGHBOUR, ON_THE_SPOT, PROMISED, act, ask, cert_no, conflicts, new_case, settle, show, state, text, wait,
};

/// What every tier must see alike of a case.
fn essence(case: &Value) -> (Value, Value, Value, Value) {
    let keep = |event: &Value| {
        serde_json::json!([
            event["id"],
            event["event"],
            event["void"],
            event["tier"],
            event["state"]
        ])
    };
    let events = case["events"]
        .as_array()
        .map(|events| events.iter().map(keep).collect());
    (
        case["state"].clone(),
        events.unwrap_or_default(),
        case["fields"].clone(),
        case["closure"].clone(),
    )
}

fn same_everywhere(line: &Line, number: &str) -> Value {
    line.settle();
    let here = show(&line.county, line.room, number);
    for id in [line.township, line.top] {
        wait("every tier shows the case alike", || {
            essence(&show(&line.county, id, number)) == essence(&here)
        });
    }
    here
}

fn apart_on(matter: &str, before: &[&[&str]]) -> (Line, String) {
    let line = Line::found();
    let number = new_case(&line.county, line.room, matter, "张三", &cert_no(1));
    for event in before {
        act(&line.county, line.room, &number, event);
    }
    line.settle();
    wait("the township knows the case", || {
        line.county[line.township].json(&["case", "show", &number]).is_ok()
    });
    line.county.cut(line.room);
    (line, number)
}

#[test]
fn two_different_closings_become_one_conflict_which_the_township_decides() {
    let (line, number) = apart_on(ON_THE_SPOT, &[&["accept"]]);
    act(&line.county, line.room, &number, &["close", "--result", "6"]);
    act(&line.county, line.township, &number, &["close", "--result", "0"]);
    line.county.heal(line.room);
    let case = same_everywhere(&line, &number);
    assert_eq!(case["state"], "double_closed", "not counted as closed: {case}");
    let items = conflicts(&line.county, line.township, "double_closing");
    assert_eq!(items.len(), 1, "{items:?}");
    let id = text(&items[0], "id");
    for tier in [line.room, line.top] {
        assert_eq!(
            text(&conflicts(&line.county, tier, "double_closing")[0], "id"),
            id,
            "all tiers name it alike"
        );
    }

    let choice = items[0]["choices"][0]["choice"].as_str().expect("a choice").to_owned();
    ask(
        &line.county,
        line.township,
        &["conflict", "resolve", &id, "--choose", &choice],
    );
    let case = same_everywhere(&line, &number);
    assert_eq!(case["state"], "closed");
    wait("nothing is open any more", || {
        conflicts(&line.county, line.room, "double_closing").is_empty()
    });
}

#[test]
fn two_equal_closings_are_one_closure() {
    let (line, number) = apart_on(ON_THE_SPOT, &[&["accept"]]);
    act(&line.county, line.room, &number, &["close", "--result", "6"]);
    act(&line.county, line.township, &number, &["close", "--result", "6"]);
    line.county.heal(line.room);
    let case = same_everywhere(&line, &number);
    assert_eq!(case["state"], "closed");
    assert!(conflicts(&line.county, line.top, "double_closing").is_empty());
}

#[test]
fn a_withdrawal_in_the_room_against_an_acceptance_above_folds_alike_everywhere() {
    let (line, number) = apart_on(PROMISED, &[]);
    act(
        &line.county,
        line.room,
        &number,
        &["withdraw", "--reason", "申请人不办了"],
    );
    act(&line.county, line.township, &number, &["accept"]);
    line.county.heal(line.room);
    let case = same_everywhere(&line, &number);
    // The higher tier's event goes first; what is open may still be withdrawn, so both are legal and stand.
    assert_eq!(case["state"], "withdrawn", "{case}");
    assert!(
        case["events"]
            .as_array()
            .expect("events")
            .iter()
            .all(|event| event["void"] == false),
        "{case}"
    );
}

#[test]
fn a_late_withdrawal_never_undoes_a_delivered_case() {
    let (line, number) = apart_on(ON_THE_SPOT, &[&["accept"]]);
    act(
        &line.county,
        line.room,
        &number,
        &["withdraw", "--reason", "听说办不了"],
    );
    act(&line.county, line.township, &number, &["close", "--result", "0"]);
    act(&line.county, line.township, &number, &["deliver"]);
    line.county.heal(line.room);
    let case = same_everywhere(&line, &number);
    assert_eq!(case["state"], "delivered", "{case}");
    assert_eq!(conflicts(&line.county, line.township, "void_event").len(), 1);
}

#[test]
fn a_phone_edited_on_both_sides_keeps_both_values() {
    let (line, number) = apart_on(PROMISED, &[]);
    let edit = |id, value| {
        ask(
            &line.county,
            id,
            &["case", "edit", &number, "--field", "mobile", "--value", value],
        )
    };
    edit(line.room, "13911111111");
    edit(line.township, "13922222222");
    line.county.heal(line.room);
    let case = same_everywhere(&line, &number);
    let fields = case["fields"].as_array().expect("fields");
    let mobile = fields.iter().find(|field| field["name"] == "mobile").expect("a mobile");
    let mut values: Vec<String> = mobile["values"]
        .as_array()
        .expect("values")
        .iter()
        .map(|v| text(v, "value"))
        .collect();
    values.sort();
    assert_eq!(values, ["139****1111", "139****2222"]);
    assert_eq!(mobile["contradicts"], true);
}

#[test]
fn two_notices_while_apart_are_joined_and_the_second_is_flagged() {
    let (line, number) = apart_on(PROMISED, &[]);
    act(&line.county, line.room, &number, &["ask", "--items", "身份证"]);
    act(&line.county, line.township, &number, &["ask", "--items", "户口簿"]);
    line.county.heal(line.room);
    let case = same_everywhere(&line, &number);
    assert_eq!(case["state"], "awaiting_materials");
    let flagged =
        case["events"].as_array().expect("events").iter().filter(|event| {
            event["event"] == "ask" && event["flags"].as_array().is_some_and(|flags| !flags.is_empty())
        });
    assert_eq!(flagged.count(), 1, "二次告知: {case}");
}

#[test]
fn the_same_person_and_matter_in_two_rooms_are_linked_at_the_township() {
    let mut line = Line::found();
    let neighbour = line.county.room(NEIGHBOUR, &[line.township]).expect("a second room");
    line.county.cut(line.room);
    line.county.cut(neighbour);
    let a = new_case(&line.county, line.room, PROMISED, "张三", &cert_no(5));
    let b = new_case(&line.county, neighbour, PROMISED, "张三", &cert_no(5));
    line.county.heal_all();
    settle(&line.county, &[line.top, line.township, line.room, neighbour]);
    wait("the township links them", || {
        conflicts(&line.county, line.township, "duplicate").len() == 1
    });
    let item = conflicts(&line.county, line.township, "duplicate").remove(0);
    let mut linked: Vec<String> = item["records"]
        .as_array()
        .expect("records")
        .iter()
        .map(|record| text(record, "project_no"))
        .collect();
    linked.sort();
    let mut expected = [a.clone(), b.clone()];
    expected.sort();
    assert_eq!(linked, expected);
    wait("the county names it alike", || {
        conflicts(&line.county, line.top, "duplicate")
            .first()
            .map(|c| text(c, "id"))
            == Some(text(&item, "id"))
    });
    for number in [&a, &b] {
        assert_eq!(state(&line.county, line.top, number), "received", "both stay valid");
    }
}
