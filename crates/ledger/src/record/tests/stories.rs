//! What clerks at different windows do, together and apart.

use super::*;

fn items(names: &[&str]) -> Value {
    Value::List(names.iter().map(|n| (*n).to_owned()).collect())
}

fn ask(names: &[&str]) -> NewEvent {
    NewEvent::new("ask", today()).with("items", items(names))
}

#[test]
fn a_case_walks_from_receipt_to_evaluation() {
    let mut room = Held::open(ROOM, "DIRECT");
    for kind in ["accept", "process", "decide"] {
        room.act(ROOM, kind);
    }
    room.close(ROOM, 0);
    room.act(ROOM, "deliver");
    room.event(ROOM, NewEvent::new("evaluate", today()).with("rating", Value::Int(1)));
    let folded = room.fold();
    assert_eq!(folded.state, "delivered");
    assert_eq!(folded.accepted_on, Some(today()));
    assert!(folded.events.iter().all(|e| e.void.is_none()));
    let closure = folded.closure.unwrap();
    assert!(closure.counts && closure.result == 0 && closure.events.len() == 1);
    assert_eq!(folded.evaluation.unwrap().rating, 1);
    assert!(folded.conflicts.is_empty() && folded.set_aside.is_empty());
}

#[test]
fn a_low_late_withdrawal_does_not_undo_a_delivery() {
    // Apart: the room writes down a withdrawal knowing the receipt only; the B post goes all the way to delivery.
    for late in [ROOM, TOWN, COUNTY] {
        let mut one = Held::open(ROOM, "DIRECT");
        let mut other = one.clone();
        let withdrawal = one.act(late, "withdraw");
        for kind in ["accept", "process", "decide"] {
            other.act(ROOM_B, kind);
        }
        other.close(ROOM_B, 6);
        other.act(ROOM_B, "deliver");
        one.meet(&other);
        let folded = one.fold();
        assert_eq!(folded.state, "delivered", "{:?}", late.tier);
        assert!(matches!(
            event(&folded, &withdrawal).void,
            Some(VoidReason::Concurrent { .. })
        ));
        assert_eq!(
            folded
                .open_conflicts()
                .filter(|c| c.kind == ConflictKind::VoidEvent)
                .count(),
            1
        );
        // Afterwards: plainly not possible, and no conflict.
        let after = one.act(ROOM, "withdraw");
        let folded = one.fold();
        assert_eq!(folded.state, "delivered");
        assert!(matches!(
            event(&folded, &after).void,
            Some(VoidReason::WrongState { .. })
        ));
        assert_eq!(folded.conflicts.len(), 1);
    }
}

#[test]
fn what_is_not_possible_moves_nothing_although_nobody_worked_at_the_same_time() {
    let mut one = Held::open(ROOM, "DIRECT");
    let early = one.act(ROOM, "deliver");
    let folded = one.fold();
    assert!(matches!(
        event(&folded, &early).void,
        Some(VoidReason::WrongState { .. })
    ));
    assert_eq!(folded.state, "received");
    one.act(ROOM_B, "accept");
    assert_ne!(one.fold().state, "delivered");
}

#[test]
fn two_closings_with_one_result_are_one_closure_that_names_both() {
    let mut one = Held::open(ROOM, "SPOT");
    one.act(ROOM, "accept");
    let mut other = one.clone();
    let a = one.close(ROOM, 6);
    let b = other.close(TOWN, 6);
    one.meet(&other);
    let folded = one.fold();
    assert_eq!(folded.state, "closed");
    let closure = folded.closure.as_ref().unwrap();
    assert!(closure.counts);
    assert_eq!(
        closure.events,
        [b.clone(), a.clone()],
        "the township's comes first in fold order"
    );
    assert_eq!(closure.by.len(), 2);
    assert!(event(&folded, &a).flags.contains(&Flag::Joined));
    assert!(folded.conflicts.is_empty());
}

#[test]
fn two_closings_with_different_results_do_not_count_until_the_township_decides() {
    let mut one = Held::open(ROOM, "SPOT");
    one.act(ROOM, "accept");
    let mut other = one.clone();
    let a = one.close(ROOM, 6);
    let b = other.close(ROOM_B, 1);
    one.meet(&other);
    let folded = one.fold();
    assert_eq!(folded.state, "double_closed");
    assert!(!folded.closure.as_ref().unwrap().counts);
    let conflict = folded.open_conflicts().next().unwrap().clone();
    assert_eq!((conflict.kind, conflict.sides.len()), (ConflictKind::DoubleClosing, 2));

    let decide = |choice: &str| {
        NewEvent::new("resolve", today())
            .with("conflict", Value::Text(conflict.id.to_string()))
            .with("choice", Value::Text(choice.to_owned()))
    };
    assert!(
        folded.check(&decide(&b), &ROOM.who(), &context()).is_err(),
        "a room decides nothing"
    );
    assert!(folded.check(&decide("x"), &TOWN.who(), &context()).is_err());
    folded.check(&decide(&b), &TOWN.who(), &context()).unwrap();
    one.event(TOWN, decide(&b));
    let folded = one.fold();
    let closure = folded.closure.as_ref().unwrap();
    assert_eq!(
        (folded.state.as_str(), closure.result, closure.counts),
        ("closed", 1, true)
    );
    assert_eq!(folded.open_conflicts().count(), 0);
    // A later decision undoes it.
    one.event(COUNTY, decide(&a));
    assert_eq!(one.fold().closure.unwrap().result, 6);
}

#[test]
fn while_two_closings_differ_nothing_is_offered_that_would_be_void_as_soon_as_it_is_typed() {
    let mut one = Held::open(ROOM, "SPOT");
    one.act(ROOM, "accept");
    let mut other = one.clone();
    one.close(ROOM, 6);
    other.close(ROOM_B, 1);
    one.meet(&other);
    let folded = one.fold();
    assert_eq!(folded.state, "double_closed");
    for (desk, kind) in [(ROOM, "withdraw"), (TOWN, "withdraw"), (TOWN, "return")] {
        let refused = folded.check(&NewEvent::new(kind, today()), &desk.who(), &context());
        let why = refused.unwrap_err().to_string();
        assert!(why.contains("双重办结"), "{kind}: {why}");
    }
    let void_of = |held: &Held, kind: &str| {
        let events = held.fold().events;
        events.into_iter().find(|event| event.kind == kind).unwrap().void
    };
    one.act(TOWN, "note");
    assert_eq!(void_of(&one, "note"), None);
    one.act(TOWN, "return");
    let void = void_of(&one, "return");
    assert!(void.is_some(), "what is refused where it is typed would not count");
}

#[test]
fn two_posts_that_walk_the_same_way_apart_raise_no_conflict() {
    let mut one = Held::open(ROOM, "DIRECT");
    let mut other = one.clone();
    for (held, desk) in [(&mut one, ROOM), (&mut other, ROOM_B)] {
        for kind in ["accept", "process", "decide"] {
            held.act(desk, kind);
        }
        held.close(desk, 6);
    }
    one.meet(&other);
    let folded = one.fold();
    assert_eq!(folded.state, "closed");
    assert!(folded.conflicts.is_empty(), "{:?}", folded.conflicts);
    assert_eq!(folded.closure.unwrap().events.len(), 2);
}

#[test]
fn of_concurrent_events_the_higher_tier_stands_and_a_human_is_told() {
    let mut room = Held::open(ROOM, "DIRECT");
    let mut town = room.clone();
    let accepted = room.act(ROOM, "accept");
    room.act(ROOM, "process");
    let refused = town.event(
        TOWN,
        NewEvent::new("refuse", today()).with("reason", Value::Text("不属本地".into())),
    );
    room.meet(&town);
    let folded = room.fold();
    assert_eq!(folded.state, "refused");
    assert_eq!(
        event(&folded, &accepted).void,
        Some(VoidReason::Concurrent { by: refused.clone() })
    );
    let conflict = folded.open_conflicts().next().unwrap().clone();
    assert_eq!(conflict.kind, ConflictKind::VoidEvent);

    // The county decides for the room's: folded as if that had stood.
    let decision = NewEvent::new("resolve", today())
        .with("conflict", Value::Text(conflict.id.to_string()))
        .with("choice", Value::Text(accepted.clone()));
    room.event(COUNTY, decision.clone());
    let folded = room.fold();
    assert_eq!(folded.state, "processing");
    assert!(event(&folded, &accepted).flags.contains(&Flag::Upheld));
    assert!(event(&folded, &refused).void.is_some());
    assert_eq!(folded.open_conflicts().count(), 0, "{:?}", folded.conflicts);
    // And back.
    room.event(COUNTY, decision.with("choice", Value::Text(refused)));
    let folded = room.fold();
    assert_eq!((folded.state.as_str(), folded.open_conflicts().count()), ("refused", 0));
}

#[test]
fn what_the_township_built_on_a_rooms_step_comes_after_it_though_it_outranks_it() {
    let mut room = Held::open(ROOM, "DIRECT");
    let mut beside = room.clone();
    let accepted = room.act(ROOM, "accept");
    let processed = room.act(TOWN, "process");
    // Something apart, so that the order has to be found.
    beside.edit(ROOM_B, &[Edit::Note("来电询问".into())]);
    beside.act(ROOM_B, "accept");
    room.meet(&beside);
    let folded = room.fold();
    assert_eq!(folded.state, "processing", "{:?}", folded.events);
    let place = |id: &str| folded.events.iter().position(|e| e.id == id);
    assert!(place(&accepted) < place(&processed), "{:?}", folded.events);
}

#[test]
fn an_acceptance_does_not_stand_because_of_a_request_that_it_made_void() {
    // Seed 32: the county withdrew what the room had asked about, the township had accepted it apart. The request, which gave way to the
    // acceptance, kept the withdrawal behind it: the clock of a withdrawn case ran from a day that only a void event had let count.
    let mut room = Held::open(ROOM, "DIRECT");
    let mut town = room.clone();
    let request = room.event(ROOM, ask(&["残疾人证"]));
    let withdrawal = room.act(COUNTY, "withdraw");
    let acceptance = town.act(TOWN, "accept");
    room.meet(&town);
    let folded = room.fold();
    assert_eq!((folded.state.as_str(), folded.accepted_on), ("withdrawn", None));
    assert!(event(&folded, &withdrawal).void.is_none());
    for gave_way in [&request, &acceptance] {
        let void = &event(&folded, gave_way).void;
        assert!(matches!(void, Some(VoidReason::Concurrent { .. })), "{void:?}");
        let told = |c: &&RecordConflict| c.sides.iter().any(|side| side.id == *gave_way);
        assert!(folded.open_conflicts().any(|c| told(&c)));
    }
    let void = BTreeSet::from([request, acceptance]);
    let without = fold_without(&RECORD, &room.entries(), &context(), &void);
    assert_eq!((without.state, without.accepted_on), (folded.state, folded.accepted_on));
}

#[test]
fn a_clock_years_off_decides_nothing() {
    let mut one = Held::open(ROOM, "DIRECT");
    let mut other = one.clone();
    for (held, desk, byte) in [(&mut one, ROOM, 1), (&mut other, ROOM_B, 2)] {
        let mobile = Edit::Field {
            name: "mobile".into(),
            value: Value::Sealed(vec![byte; 20]),
        };
        held.edit(desk, &[mobile]);
        held.act(desk, "accept");
        held.act(desk, "process");
    }
    other.act(ROOM_B, "withdraw");
    one.meet(&other);
    let decided = |held: &Held| {
        let folded = held.fold();
        let events: Vec<(String, bool)> = folded.events.iter().map(|e| (e.id.clone(), e.void.is_some())).collect();
        let leads: Vec<bool> = folded.fields["mobile"].iter().map(|value| value.leads).collect();
        (folded.state, events, leads)
    };
    let expected = decided(&one);
    for years in [-50, 50] {
        for desk in [ROOM, ROOM_B] {
            let mut wrong = one.clone();
            for (number, (envelope, _)) in wrong.0.iter_mut().enumerate() {
                if envelope.device == desk.device {
                    envelope.wall_ms += years * 31_557_600_000 - number as i64 * 60_000;
                }
            }
            assert_eq!(decided(&wrong), expected, "{years} years, {:?}", desk.device);
        }
    }
}

#[test]
fn of_concurrent_decisions_the_higher_tiers_stands() {
    let mut one = Held::open(ROOM, "SPOT");
    one.act(ROOM, "accept");
    let mut other = one.clone();
    let a = one.close(ROOM, 6);
    let b = other.close(ROOM_B, 1);
    one.meet(&other);
    let conflict = one.fold().conflicts[0].id.to_string();
    let decide = |choice: &str| {
        NewEvent::new("resolve", today())
            .with("conflict", Value::Text(conflict.clone()))
            .with("choice", Value::Text(choice.to_owned()))
    };
    let mut county = one.clone();
    let lost = one.event(TOWN, decide(&a));
    county.event(COUNTY, decide(&b));
    one.meet(&county);
    let folded = one.fold();
    assert_eq!(folded.closure.as_ref().unwrap().result, 1);
    assert!(matches!(
        event(&folded, &lost).void,
        Some(VoidReason::Concurrent { .. })
    ));
}

#[test]
fn a_phone_edited_on_both_sides_keeps_both_values_until_somebody_picks() {
    let phone = |byte: u8| Edit::Field {
        name: "mobile".to_owned(),
        value: Value::Sealed(vec![byte; 27]),
    };
    let mut room = Held::open(ROOM, "SPOT");
    let mut town = room.clone();
    room.edit(ROOM, &[phone(1)]);
    town.edit(TOWN, &[phone(2)]);
    room.meet(&town);
    let folded = room.fold();
    assert_eq!(folded.fields["mobile"].len(), 2);
    assert_eq!(
        folded.field("mobile"),
        Some(&Value::Sealed(vec![2; 27])),
        "the township's leads meanwhile"
    );
    let conflict = folded.open_conflicts().next().unwrap().clone();
    assert_eq!(
        (conflict.kind, conflict.subject.as_deref()),
        (ConflictKind::Field, Some("mobile"))
    );
    // By decision …
    let rooms = folded.fields["mobile"]
        .iter()
        .find(|v| v.tier == Tier::Room)
        .unwrap()
        .change;
    let mut decided = room.clone();
    decided.event(
        TOWN,
        NewEvent::new("resolve", today())
            .with("conflict", Value::Text(conflict.id.to_string()))
            .with("choice", Value::Text(rooms.to_string()[..12].to_owned())),
    );
    let folded = decided.fold();
    assert_eq!(folded.field("mobile"), Some(&Value::Sealed(vec![1; 27])));
    assert_eq!((folded.fields["mobile"].len(), folded.open_conflicts().count()), (2, 0));
    // … or by writing it once more.
    room.edit(ROOM, &[phone(3)]);
    let folded = room.fold();
    assert_eq!(folded.fields["mobile"].len(), 1);
    assert!(folded.conflicts.is_empty());
}

#[test]
fn the_same_value_typed_on_both_sides_is_no_conflict() {
    let name = Edit::Field {
        name: "name".to_owned(),
        value: Value::Sealed(vec![5; 20]),
    };
    let mut room = Held::open(ROOM, "SPOT");
    let mut town = room.clone();
    room.edit(ROOM, std::slice::from_ref(&name));
    town.edit(TOWN, &[name]);
    room.meet(&town);
    assert!(room.fold().conflicts.is_empty());
}

#[test]
fn a_field_that_only_the_township_fills_in_ignores_a_rooms_value() {
    let mut room = Held::open(ROOM, "SPOT");
    let field = |text: &str| Edit::Field {
        name: "doc_no".to_owned(),
        value: Value::Text(text.to_owned()),
    };
    room.edit(ROOM, &[field("假")]);
    room.edit(TOWN, &[field("真")]);
    let folded = room.fold();
    assert_eq!(folded.fields["doc_no"].len(), 1);
    assert_eq!(folded.field("doc_no"), Some(&Value::Text("真".into())));
    assert!(matches!(
        folded.set_aside[0].reason,
        SetAsideReason::FieldNotEntitled(_)
    ));
}

#[test]
fn two_sides_creating_the_same_item_keep_both_and_received_wins() {
    let tick = |received: bool, name: &str| {
        let item = |key: &str, value: Value| Edit::Item {
            id: "m2".to_owned(),
            key: key.to_owned(),
            value,
        };
        [
            item("name", Value::Text(name.to_owned())),
            item("received", Value::Flag(received)),
        ]
    };
    let mut room = Held::open(ROOM, "SPOT");
    let mut town = room.clone();
    room.edit(ROOM, &tick(true, "户口簿"));
    town.edit(TOWN, &tick(false, "户口簿"));
    room.meet(&town);
    let folded = room.fold();
    assert!(folded.items["m2"].received);
    assert_eq!(folded.items["m2"].values["received"], Value::Flag(true));
    assert_eq!(folded.items["m2"].values["name"], Value::Text("户口簿".into()));
    assert!(!folded.items["m1"].received);
}

#[test]
fn two_notices_written_apart_are_one_list_and_the_second_is_flagged() {
    let mut room = Held::open(ROOM, "AGENT");
    let mut town = room.clone();
    let first = room.event(ROOM, ask(&["身份证", "户口簿"]));
    town.event(TOWN, ask(&["户口簿", "申请表"]));
    room.meet(&town);
    let folded = room.fold();
    assert_eq!(folded.state, "awaiting_materials");
    assert_eq!(folded.notices.len(), 2);
    assert_eq!(folded.outstanding.len(), 3);
    assert!(folded.notices[1].second && event(&folded, &first).flags.contains(&Flag::SecondNotice));
    assert!(folded.conflicts.is_empty());
    room.event(ROOM, NewEvent::new("supply", today()).with("items", items(&["身份证"])));
    let folded = room.fold();
    assert_eq!((folded.state.as_str(), folded.outstanding.len()), ("received", 2));
    assert!(folded.items["m1"].received, "supplied by its name");
    room.act(ROOM, "supply");
    room.event(
        ROOM,
        NewEvent::new("give_back", today()).with("items", items(&["身份证"])),
    );
    assert!(room.fold().items["m1"].given_back);
}

#[test]
fn a_citizens_last_word_is_the_effective_evaluation() {
    let mut room = Held::open(ROOM, "SPOT");
    room.act(ROOM, "accept");
    room.close(ROOM, 6);
    let rate = |rating: i64, channel: Option<&str>| {
        let event = NewEvent::new("evaluate", today()).with("rating", Value::Int(rating));
        channel.map_or(event.clone(), |c| event.with("channel", Value::Text(c.to_owned())))
    };
    room.event(ROOM, rate(1, Some("default")));
    assert_eq!(room.fold().evaluation, None);
    room.event(ROOM, rate(2, Some("paper")));
    room.event(ROOM, rate(4, None));
    room.event(ROOM, rate(1, Some("default")));
    let folded = room.fold();
    assert_eq!(folded.evaluation.as_ref().unwrap().rating, 4);
    assert_eq!(folded.events.iter().filter(|e| e.kind == "evaluate").count(), 4);
    assert!(
        folded
            .check(&rate(6, None), &ROOM.who(), &context())
            .unwrap_err()
            .0
            .contains("1–5")
    );
}

#[test]
fn a_suspension_stops_the_clock_and_a_corrected_date_moves_it() {
    let day = |d: u32| Day::from_ymd(2026, 10, d).unwrap();
    let mut town = Held::open(TOWN, "AGENT");
    let accepted = town.event(TOWN, NewEvent::new("accept", day(12)));
    town.event(TOWN, NewEvent::new("process", day(12)));
    town.event(TOWN, NewEvent::new("suspend", day(14)).with("type", Value::Int(1)));
    town.event(TOWN, NewEvent::new("resume", day(16)));
    let folded = town.fold();
    assert_eq!(
        folded.suspensions,
        [Suspension {
            from: day(14),
            until: Some(day(16)),
            kind: 1
        }]
    );
    let correction = NewEvent::new("correct_date", day(16))
        .with("event", Value::Text(accepted.clone()))
        .with("to", Value::Day(day(13)))
        .with("reason", Value::Text("写错".into()));
    let foreign = town.event(ROOM, correction.clone());
    assert_eq!(
        town.fold().accepted_on,
        Some(day(12)),
        "a room does not correct the township's date"
    );
    assert_eq!(event(&town.fold(), &foreign).void, Some(VoidReason::NotEntitled));
    town.event(TOWN_B, correction);
    let folded = town.fold();
    assert_eq!(folded.accepted_on, Some(day(13)));
    let event = event(&folded, &accepted);
    assert_eq!((event.on, event.on_typed), (day(13), day(12)));
    assert!(event.flags.contains(&Flag::DateCorrected));
}

#[test]
fn an_end_is_left_only_by_reopening_and_custody_moves_by_events() {
    let mut town = Held::open(TOWN, "SPOT");
    town.act(TOWN, "accept");
    town.close(TOWN, 6);
    let back = town.act(TOWN, "process");
    assert!(event(&town.fold(), &back).void.is_some());
    town.event(
        TOWN,
        NewEvent::new("reopen", today()).with("reason", Value::Text("复核".into())),
    );
    let folded = town.fold();
    assert_eq!((folded.state.as_str(), &folded.closure), ("processing", &None));
    let hand_over = |to: UnitId| NewEvent::new("hand_over", today()).with("to", Value::Text(to.to_string()));
    assert!(
        folded.check(&hand_over(ROOM.unit), &ROOM.who(), &context()).is_err(),
        "not the holder"
    );
    town.event(TOWN, hand_over(ROOM.unit));
    let folded = town.fold();
    assert_eq!(folded.custody, Some(ROOM.unit));
    folded.check(&hand_over(TOWN.unit), &ROOM.who(), &context()).unwrap();
    town.event(
        TOWN,
        NewEvent::new("void", today()).with("reason", Value::Text("重复登记".into())),
    );
    assert_eq!(town.fold().state, "void");
}

#[test]
fn notes_and_notes_as_events_stay() {
    let mut room = Held::open(ROOM, "SPOT");
    let mut town = room.clone();
    room.edit(ROOM, &[Edit::Note("下周来取".into()), Edit::Note("急".into())]);
    town.edit(TOWN, &[Edit::Note("已电话告知".into())]);
    room.meet(&town);
    room.event(
        COUNTY,
        NewEvent::new("note", today()).with("note", Value::Text("知悉".into())),
    );
    let folded = room.fold();
    assert_eq!(folded.notes.len(), 3);
    assert_eq!(folded.state, "received");
}

#[test]
fn a_case_waits_for_its_form_and_its_catalogue_and_is_never_void_for_it() {
    let mut room = Held::open(ROOM, "SPOT");
    room.act(ROOM, "accept");
    let (no_forms, no_catalogues) = (Forms::default(), BTreeMap::new());
    let without = |ctx: Context| fold(&RECORD, &room.entries(), &ctx).status;
    let form = Form::case().hash();
    assert_eq!(
        without(Context {
            forms: &no_forms,
            ..context()
        }),
        Status::AwaitingForm(form)
    );
    let ctx = Context {
        catalogues: &no_catalogues,
        ..context()
    };
    assert_eq!(without(ctx), Status::AwaitingCatalogue(CATALOGUE));
    assert_eq!(room.fold().state, "accepted");
}
