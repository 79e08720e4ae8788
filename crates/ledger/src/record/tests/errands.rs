//! Stories of errands: who holds one, hop by hop, and what two claims typed apart come to.

use super::*;

/// An errand that the room has written down.
fn entrusted() -> Held {
    let mut head = head(ROOM, "AGENT");
    head.form = Form::errand().hash();
    let creation = Creation {
        record: RECORD,
        head,
        fields: vec![
            ("name".to_owned(), Value::Sealed(vec![1; 22])),
            ("task".to_owned(), Value::Text("代领待遇资格认证".to_owned())),
            ("case_no".to_owned(), Value::Text("51160300112628200129".to_owned())),
        ],
        items: Vec::new(),
        events: vec![NewEvent::new("entrust", today())],
    };
    let change = create(ROOM.actor(), &creation, Form::errand()).unwrap();
    Held(vec![(ROOM.envelope(), change)])
}

fn told(kind: &str, note: &str) -> NewEvent {
    NewEvent::new(kind, today()).with("note", Value::Text(note.to_owned()))
}

fn hand_over(to: Desk) -> NewEvent {
    NewEvent::new("hand_over", today()).with("to", Value::Text(to.unit.to_string()))
}

fn may(held: &Held, desk: Desk) -> Vec<&'static str> {
    let matter = &catalogues()[&CATALOGUE].matters[2];
    held.fold().allowed(&desk.who(), Form::errand(), matter)
}

#[test]
fn an_errand_goes_hop_by_hop_and_every_hop_is_on_record() {
    let mut errand = entrusted();
    assert!(!may(&errand, ROOM).contains(&"return"), "nobody has claimed it");
    errand.act(ROOM, "claim");
    errand.event(ROOM, told("progress", "材料已核对"));
    errand.event(ROOM, hand_over(TOWN));
    assert_eq!(errand.fold().custody, Some(TOWN.unit));
    assert!(!may(&errand, ROOM).contains(&"hand_over"), "the room has given it away");
    assert!(may(&errand, ROOM).contains(&"return"), "the villager comes to the room");
    errand.event(TOWN, told("progress", "窗口已收"));
    errand.event(TOWN, hand_over(ROOM));
    errand.event(ROOM, told("return", "证已送到家"));
    let folded = errand.fold();
    assert_eq!((folded.state.as_str(), folded.custody), ("returned", Some(ROOM.unit)));
    assert!(folded.events.iter().all(|e| e.void.is_none()));
    let kinds: Vec<&str> = folded.events.iter().map(|e| e.kind.as_str()).collect();
    let way = [
        "entrust",
        "claim",
        "progress",
        "hand_over",
        "progress",
        "hand_over",
        "return",
    ];
    assert_eq!(kinds, way);
    assert!(folded.conflicts.is_empty());
}

#[test]
fn of_two_claims_typed_apart_the_first_leads_the_other_helps_and_no_work_is_lost() {
    let mut room = entrusted();
    let mut town = room.clone();
    let late = room.act(ROOM, "claim");
    let step = room.event(ROOM, told("progress", "已去过一趟"));
    let first = town.act(TOWN, "claim");
    room.meet(&town);
    let folded = room.fold();
    // The higher tier's claim comes first in the fold.
    assert_eq!(folded.custody, Some(TOWN.unit));
    assert_eq!(
        (&event(&folded, &first).void, event(&folded, &first).flags.is_empty()),
        (&None, true)
    );
    assert_eq!(event(&folded, &late).void, None);
    assert!(event(&folded, &late).flags.contains(&Flag::Joined));
    assert_eq!(event(&folded, &step).void, None, "what was done on the way stands");
    assert!(folded.conflicts.is_empty() && folded.state == "underway");
    assert!(!may(&room, ROOM).contains(&"hand_over") && may(&room, TOWN).contains(&"hand_over"));

    // Two posts of one room: the earlier in (Lamport, device) leads.
    let mut a = entrusted();
    let mut b = a.clone();
    let one = a.act(ROOM, "claim");
    let two = b.act(ROOM_B, "claim");
    a.meet(&b);
    let folded = a.fold();
    assert!(event(&folded, &one).flags.is_empty() && event(&folded, &two).flags.contains(&Flag::Joined));
}

#[test]
fn what_was_brought_back_is_not_undone_by_a_withdrawal_typed_apart() {
    let mut room = entrusted();
    room.act(ROOM, "claim");
    let mut town = room.clone();
    let back = room.event(ROOM, told("return", "办好了"));
    let wish = town.act(TOWN, "withdraw");
    room.meet(&town);
    let folded = room.fold();
    assert_eq!(folded.state, "returned");
    assert_eq!(event(&folded, &back).void, None);
    assert!(event(&folded, &wish).void.is_some());
}
