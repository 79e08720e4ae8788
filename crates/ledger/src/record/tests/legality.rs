//! DOMAIN's event table, cell by cell: every event, in every state, by every tier, for every kind of matter.

use super::*;

const STATES: [&str; 14] = [
    "received",
    "awaiting_materials",
    "accepted",
    "processing",
    "suspended",
    "forwarded",
    "decided",
    "closed",
    "delivered",
    "refused",
    "withdrawn",
    "returned",
    "void",
    "draft",
];
const OPEN: [&str; 7] = [
    "received",
    "awaiting_materials",
    "accepted",
    "processing",
    "suspended",
    "forwarded",
    "decided",
];
const END: [&str; 6] = ["closed", "delivered", "refused", "withdrawn", "returned", "void"];

/// The table as DOMAIN prints it, written a second time and independently of the form.
fn domain(event: &str, state: &str, tier: Tier, matter: &str, decider: bool, holder: bool) -> bool {
    let spot = matches!(matter, "SPOT" | "AGENT_SPOT");
    let ours = matches!(matter, "SPOT" | "DIRECT" | "AGENT_SPOT");
    let (room, town, county) = (tier == Tier::Room, tier == Tier::Township, tier == Tier::County);
    match event {
        "receive" => state == "draft" && !county,
        "ask" => state == "received" && !county,
        "supply" => state == "awaiting_materials" && !county,
        "accept" => state == "received" && (town || (room && ours)),
        "refuse" => state == "received" && town,
        "process" => state == "accepted" && (!room || ours),
        "suspend" => state == "processing" && !room,
        "resume" => state == "suspended" && !room,
        "forward" => matches!(state, "accepted" | "processing") && town,
        "decide" => matches!(state, "processing" | "forwarded") && (!room || ours),
        "close" => (state == "decided" && decider) || (matches!(state, "accepted" | "processing") && spot),
        "deliver" => state == "closed" && !county,
        "evaluate" => matches!(state, "closed" | "delivered"),
        "withdraw" => OPEN.contains(&state),
        "return" => OPEN.contains(&state) && town,
        "void" => town,
        "reopen" => END.contains(&state) && town,
        "hand_over" => holder,
        "resolve" => !room,
        "note" | "correct_date" => true,
        "give_back" => !county,
        other => panic!("{other} is in the form but not in DOMAIN"),
    }
}

#[test]
fn every_event_is_allowed_exactly_where_and_to_whom_the_domain_says() {
    let folded = Held::open(ROOM, "SPOT").fold();
    let mut asked = 0;
    for matter in &catalogues()[&CATALOGUE].matters {
        for state in STATES {
            for desk in [ROOM, TOWN, COUNTY] {
                for (decided_by, custody) in [
                    (None, TOWN.unit),
                    (Some(desk.unit), desk.unit),
                    (Some(TOWN.unit), ROOM.unit),
                ] {
                    let here = Folded {
                        state: state.to_owned(),
                        decided_by,
                        custody: Some(custody),
                        ..folded.clone()
                    };
                    let allowed = here.allowed(&desk.who(), Form::case(), matter);
                    for event in Form::case().events.keys() {
                        let (decider, holder) = (decided_by == Some(desk.unit), custody == desk.unit);
                        let expected = domain(event, state, desk.tier, &matter.code, decider, holder);
                        let found = allowed.contains(&event.as_str());
                        assert_eq!(
                            found, expected,
                            "{event} in {state} by {:?} for {}",
                            desk.tier, matter.code
                        );
                        asked += 1;
                    }
                }
            }
        }
    }
    assert_eq!(asked, 4 * 14 * 3 * 3 * Form::case().events.len());
}

#[test]
fn every_event_leads_where_the_domain_says() {
    let to = |event: &str| Form::case().events[event].to.as_deref();
    for (event, state) in [
        ("receive", "received"),
        ("ask", "awaiting_materials"),
        ("supply", "received"),
        ("accept", "accepted"),
        ("refuse", "refused"),
        ("process", "processing"),
        ("suspend", "suspended"),
        ("resume", "processing"),
        ("forward", "forwarded"),
        ("decide", "decided"),
        ("close", "closed"),
        ("deliver", "delivered"),
        ("withdraw", "withdrawn"),
        ("return", "returned"),
        ("void", "void"),
        ("reopen", "processing"),
    ] {
        assert_eq!(to(event), Some(state), "{event}");
    }
    for event in ["evaluate", "hand_over", "note", "resolve", "correct_date", "give_back"] {
        assert_eq!(to(event), None, "{event}");
    }
}

#[test]
fn what_is_required_is_asked_for_in_words_that_say_what_to_do() {
    let mut room = Held::open(ROOM, "SPOT");
    room.act(ROOM, "accept");
    let folded = room.fold();
    let says = |event: NewEvent, desk: Desk| folded.check(&event, &desk.who(), &context()).unwrap_err().0;
    let close = NewEvent::new("close", today());
    assert!(says(close.clone(), ROOM).contains("办结结果"));
    assert!(says(close.clone().with("result", Value::Int(9)), ROOM).contains("0–7"));
    assert!(
        says(
            close
                .clone()
                .with("result", Value::Int(1))
                .with("colour", Value::Int(1)),
            ROOM
        )
        .contains("colour")
    );
    assert!(says(NewEvent::new("void", today()), TOWN).contains("理由"));
    assert!(
        says(
            NewEvent::new("void", today()).with("reason", Value::Text(" ".into())),
            TOWN
        )
        .contains("理由")
    );
    assert!(says(NewEvent::new("fly", today()), TOWN).contains("fly"));
    let message = says(NewEvent::new("deliver", today()), ROOM);
    assert!(
        message.contains("已受理") && message.contains("现在可以") && message.contains("办结"),
        "{message}"
    );
    let message = says(NewEvent::new("forward", today()), ROOM);
    assert!(message.contains("不能") && message.contains("转报上级"), "{message}");
    folded
        .check(&close.with("result", Value::Int(0)), &ROOM.who(), &context())
        .unwrap();
    // What was not checked where it was typed is void in the fold.
    room.act(ROOM, "close");
    assert!(matches!(room.fold().events[2].void, Some(VoidReason::BadData { .. })));
}
