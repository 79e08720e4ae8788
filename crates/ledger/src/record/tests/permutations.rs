//! The same entries, the same record: in every order of arrival, in every split, with anything forged in between.

use proptest::prelude::*;

use super::*;

/// One thing that happens at one of the desks; `Meet` lets one desk hear all of another.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Event(usize, usize, i64),
    Phone(usize, u8),
    Tick(usize, bool),
    Note(usize),
    Meet(usize, usize),
}

const DESKS: [Desk; 4] = [ROOM, ROOM_B, TOWN, COUNTY];

fn act() -> impl Strategy<Value = Act> {
    let desk = 0..DESKS.len();
    prop_oneof![
        8 => (desk.clone(), 0..22usize, 0..3i64).prop_map(|(d, k, n)| Act::Event(d, k, n)),
        1 => (desk.clone(), 0..3u8).prop_map(|(d, b)| Act::Phone(d, b)),
        1 => (desk.clone(), any::<bool>()).prop_map(|(d, r)| Act::Tick(d, r)),
        1 => desk.clone().prop_map(Act::Note),
        4 => (desk.clone(), desk).prop_map(|(a, b)| Act::Meet(a, b)),
    ]
}

pub(super) fn history() -> impl Strategy<Value = Vec<Act>> {
    proptest::collection::vec(act(), 0..24)
}

fn new_event(kind: &str, number: i64, held: &Held) -> NewEvent {
    let folded = fold(&RECORD, &held.entries(), &context());
    let list = Value::List(vec![format!("材料{number}")]);
    let text = |text: &str| Value::Text(text.to_owned());
    let event = NewEvent::new(kind, today().plus(number as i32));
    match kind {
        "ask" | "give_back" => event.with("items", list),
        "close" => event.with("result", Value::Int(number)),
        "evaluate" => event.with("rating", Value::Int(number + 1)),
        "hand_over" => event.with("to", text(&DESKS[number as usize].unit.to_string())),
        "correct_date" => event
            .with(
                "event",
                text(&folded.events.last().map(|e| e.id.clone()).unwrap_or_default()),
            )
            .with("to", Value::Day(today())),
        "resolve" => match folded.conflicts.first() {
            Some(conflict) => {
                let side = &conflict.sides[number as usize % conflict.sides.len()];
                event
                    .with("conflict", text(&conflict.id.to_string()))
                    .with("choice", text(&side.id))
            }
            None => event.with("conflict", text("x")).with("choice", text("y")),
        },
        _ => event,
    }
    .with("reason", text("r"))
}

/// Plays a history; everything that any desk wrote.
pub(super) fn play(acts: &[Act]) -> Held {
    let mut desks = vec![Held::open(ROOM, "SPOT"); DESKS.len()];
    for act in acts {
        match act {
            Act::Event(at, kind, number) => {
                // Mostly what is allowed, so that histories get somewhere; else anything at all.
                let folded = fold(&RECORD, &desks[*at].entries(), &context());
                let matter = &catalogues()[&CATALOGUE].matters[0];
                let allowed = folded.allowed(&DESKS[*at].who(), Form::case(), matter);
                let all: Vec<&str> = Form::case().events.keys().map(String::as_str).collect();
                let kind = if *number == 0 {
                    all[kind % all.len()]
                } else {
                    allowed[kind % allowed.len()]
                };
                let event = new_event(kind, *number, &desks[*at]);
                desks[*at].event(DESKS[*at], event);
            }
            Act::Phone(at, byte) => {
                let value = Value::Sealed(vec![*byte; 20]);
                desks[*at].edit(
                    DESKS[*at],
                    &[Edit::Field {
                        name: "mobile".into(),
                        value,
                    }],
                );
            }
            Act::Tick(at, received) => {
                let value = Value::Flag(*received);
                desks[*at].edit(
                    DESKS[*at],
                    &[Edit::Item {
                        id: "m2".into(),
                        key: "received".into(),
                        value,
                    }],
                );
            }
            Act::Note(at) => drop(desks[*at].edit(DESKS[*at], &[Edit::Note("知悉".into())])),
            Act::Meet(a, b) => {
                let other = desks[*b].clone();
                desks[*a].meet(&other);
            }
        }
    }
    let (first, rest) = desks.split_first_mut().unwrap();
    rest.iter().for_each(|other| first.meet(other));
    first.clone()
}

/// All orders of `n` things.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for order in orders(n - 1) {
        for at in 0..n {
            let mut order = order.clone();
            order.insert(at, n - 1);
            all.push(order);
        }
    }
    all
}

#[test]
fn a_contested_case_folds_alike_in_all_5040_orders_of_arrival() {
    let mut room = Held::open(ROOM, "SPOT");
    room.act(ROOM, "accept");
    let mut town = room.clone();
    let mut b = room.clone();
    room.close(ROOM, 6);
    room.act(ROOM, "deliver");
    town.close(TOWN, 1);
    b.act(ROOM_B, "withdraw");
    b.edit(
        ROOM_B,
        &[Edit::Field {
            name: "mobile".into(),
            value: Value::Sealed(vec![1; 9]),
        }],
    );
    room.meet(&town);
    room.meet(&b);
    assert_eq!(room.0.len(), 7);
    let expected = room.fold();
    assert!(expected.conflicts.len() >= 2, "{:?}", expected.conflicts);
    for order in orders(7) {
        let entries = room.entries();
        let shuffled: Vec<RecordEntry> = order.iter().map(|at| entries[*at].clone()).collect();
        assert_eq!(fold(&RECORD, &shuffled, &context()), expected);
    }
}

/// Leaves out what is void and compares what has come of the rest.
fn void_changes_nothing(folded: &Folded, held: &Held) -> Result<(), TestCaseError> {
    let void = folded.events.iter().filter(|e| e.void.is_some());
    let void = void.map(|e| e.id.clone()).collect();
    let without = fold_without(&RECORD, &held.entries(), &context(), &void);
    let of = |f: &Folded| {
        let clock = (f.received_on, f.accepted_on, f.suspensions.clone());
        let hands = (f.decided_by, f.custody, f.closure.clone(), f.evaluation.clone());
        let papers = (f.notices.clone(), f.outstanding.clone(), f.items.clone());
        (f.state.clone(), clock, hands, papers)
    };
    prop_assert_eq!(of(folded), of(&without), "void: {:?}", void);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_history_folds_alike_in_any_order(acts in history(), seed in any::<u64>()) {
        let held = play(&acts);
        let expected = fold(&RECORD, &held.entries(), &context());
        prop_assert!(expected.set_aside.is_empty() && expected.waiting == 0);
        let mut shuffled = held.entries();
        let mut state = seed | 1;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(at, (state >> 33) as usize % (at + 1));
        }
        let folded = fold(&RECORD, &shuffled, &context());
        prop_assert_eq!(folded.digest(), expected.digest());
        // Every event is in the list once, causes first, and the state is that of the last.
        let ids: BTreeSet<&String> = folded.events.iter().map(|e| &e.id).collect();
        prop_assert_eq!(ids.len(), folded.events.len());
        let document = super::super::document::Document::read(&shuffled);
        let place = |event: &FoldedEvent| document.changes.iter().position(|c| c.change.hash == event.change);
        let places: Vec<usize> = folded.events.iter().filter_map(place).collect();
        prop_assert_eq!(places.len(), folded.events.len());
        for (at, earlier) in places.iter().enumerate() {
            prop_assert!(places[at + 1..].iter().all(|later| !document.precedes(*later, *earlier)));
        }
        let last = folded.events.last().map(|e| e.state.clone()).unwrap_or_default();
        prop_assert!(folded.state == last || folded.state == "double_closed");
    }

    #[test]
    fn of_any_history_void_events_change_nothing(acts in history()) {
        let held = play(&acts);
        let folded = fold(&RECORD, &held.entries(), &context());
        // Decisions and corrections speak of events: who leaves out a void one leaves out what they were about.
        if folded.resolutions.is_empty() && folded.events.iter().all(|e| e.kind != "correct_date") {
            void_changes_nothing(&folded, &held)?;
        }
    }

    #[test]
    fn any_part_of_a_history_folds_without_fault_and_the_rest_mends_it(acts in history(), keep in any::<u32>()) {
        let held = play(&acts);
        let part: Vec<RecordEntry> = held.entries().into_iter().enumerate().filter(|(at, _)| keep >> (at % 32) & 1 == 1).map(|(_, e)| e).collect();
        let folded = fold(&RECORD, &part, &context());
        prop_assert_eq!(folded.set_aside.len(), 0);
        let applied = part.len() - folded.waiting;
        prop_assert!(folded.events.len() <= applied);
    }
}
