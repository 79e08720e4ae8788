//! What a cheating or broken node may send: it convinces nobody, and stops nothing else.

use ::automerge::transaction::Transactable;
use ::automerge::{ActorId, AutoCommit, ObjType, ROOT, ReadDoc};

use super::*;

/// A document as a stranger's program would hold it.
fn loaded(held: &Held, actor: [u8; 16]) -> AutoCommit {
    let mut doc = AutoCommit::new();
    for (_, change) in &held.0 {
        doc.load_incremental(change).unwrap();
    }
    doc.set_actor(ActorId::from(actor));
    doc
}

fn last(doc: &mut AutoCommit) -> Vec<u8> {
    doc.commit();
    doc.get_last_local_change().unwrap().raw_bytes().to_vec()
}

/// Folds with one more entry; the honest entries must come to the same state.
fn with(held: &Held, desk: Desk, change: Vec<u8>) -> Folded {
    let mut more = held.clone();
    more.0.push((desk.envelope(), change));
    let folded = more.fold();
    assert_eq!(folded.state, held.fold().state);
    assert_eq!(folded.head, held.fold().head);
    folded
}

fn reason(held: &Held, desk: Desk, change: Vec<u8>) -> SetAsideReason {
    let folded = with(held, desk, change);
    assert_eq!(folded.set_aside.len(), 1);
    folded.set_aside[0].reason.clone()
}

fn case() -> Held {
    let mut room = Held::open(ROOM, "DIRECT");
    room.act(ROOM, "accept");
    room
}

#[test]
fn a_change_in_another_devices_name_is_set_aside() {
    let held = case();
    let forged = edit(
        &held.entries(),
        TOWN.actor(),
        &[Edit::Event(NewEvent::new("process", today()))],
        &context(),
    )
    .unwrap();
    assert_eq!(reason(&held, ROOM, forged), SetAsideReason::WrongActor);
}

#[test]
fn tier_and_device_come_from_the_envelope_whatever_the_document_says() {
    let mut held = case();
    let forged = NewEvent::new("refuse", today())
        .with("reason", Value::Text("x".into()))
        .with("tier", Value::Text("township".into()))
        .with("device", Value::Text(TOWN.device.to_string()));
    let id = held.event(ROOM, forged);
    let folded = held.fold();
    assert_eq!(folded.state, "accepted");
    assert!(event(&folded, &id).void.is_some());
    assert_eq!(
        (event(&folded, &id).tier, event(&folded, &id).device),
        (Tier::Room, ROOM.device)
    );
}

#[test]
fn a_huge_lamport_time_is_set_aside() {
    let held = case();
    let honest = edit(
        &held.entries(),
        ROOM.actor(),
        &[Edit::Event(NewEvent::new("process", today()))],
        &context(),
    )
    .unwrap();
    let mut forged = ::automerge::Change::try_from(honest.as_slice()).unwrap().decode();
    for counter in [1, 2, 1_000_000, u64::from(u32::MAX)] {
        forged.start_op = counter.try_into().unwrap();
        let bytes = ::automerge::Change::from(forged.clone()).raw_bytes().to_vec();
        assert_eq!(reason(&held, ROOM, bytes), SetAsideReason::WrongCounter, "{counter}");
    }
}

#[test]
fn an_overwritten_event_or_head_is_set_aside_and_the_township_is_told() {
    let held = case();
    let mut writes: Vec<Vec<u8>> = Vec::new();
    let keys: Vec<String> = loaded(&held, ROOM.actor())
        .keys(ROOT)
        .filter(|k| k.starts_with(['e', 'h']))
        .collect();
    assert_eq!(keys.len(), 3);
    for key in keys {
        let mut doc = loaded(&held, TOWN.actor());
        doc.put(ROOT, &key, vec![0u8]).unwrap();
        writes.push(last(&mut doc));
    }
    for change in writes {
        let folded = with(&held, TOWN, change.clone());
        assert_eq!(folded.set_aside[0].reason, SetAsideReason::Overwritten);
        assert_eq!(
            folded.open_conflicts().map(|c| c.kind).collect::<Vec<_>>(),
            [ConflictKind::Overwritten]
        );
        // What builds on it is set aside with it.
        let mut doc = loaded(&held, TOWN.actor());
        doc.load_incremental(&change).unwrap();
        doc.set_actor(ActorId::from(TOWN_B.actor()));
        doc.put(ROOT, "fremark", "x").unwrap();
        let mut more = held.clone();
        more.0.push((TOWN_B.envelope(), last(&mut doc)));
        let folded = with(&more, TOWN, change);
        assert!(
            folded
                .set_aside
                .iter()
                .any(|s| s.reason == SetAsideReason::DependsOnSetAside)
        );
        assert!(!folded.fields.contains_key("remark"));
    }
}

#[test]
fn a_second_creation_does_not_replace_the_record() {
    let held = case();
    let other = creation(TOWN, "SPOT", vec![]);
    let mut more = held.clone();
    more.0.push((TOWN.envelope(), other));
    let folded = more.fold();
    assert_eq!(folded.conflicts[0].kind, ConflictKind::Overwritten);
    assert!(folded.set_aside.iter().any(|s| s.reason == SetAsideReason::Overwritten));
}

#[test]
fn a_forged_creation_with_a_smaller_hash_does_not_replace_what_others_have_acted_upon() {
    let mut held = case();
    held.act(TOWN, "process");
    let honest = change_hash(&held.0[0].1);
    let state = held.fold().state;
    let mut smaller = 0;
    for process in 0..24 {
        let mut forger = ROOM_B.actor();
        forger[8..].copy_from_slice(&[process; 8]);
        let honest_one = creation(ROOM_B, "SPOT", vec![]);
        let mut forged = ::automerge::Change::try_from(honest_one.as_slice()).unwrap().decode();
        forged.actor_id = ActorId::from(forger);
        let forged = ::automerge::Change::from(forged).raw_bytes().to_vec();
        smaller += usize::from(change_hash(&forged) < honest);
        for first in [true, false] {
            let mut more = held.clone();
            let place = if first { 0 } else { more.0.len() };
            more.0.insert(place, (ROOM_B.envelope(), forged.clone()));
            let folded = more.fold();
            assert_eq!((&folded.state, &folded.head), (&state, &held.fold().head));
            assert_eq!(folded.conflicts[0].kind, ConflictKind::Overwritten);
        }
    }
    assert!(smaller > 0, "no forged hash was smaller");
}

#[test]
fn containers_deletions_and_counters_are_not_recognised() {
    let held = case();
    let writes: [fn(&mut AutoCommit); 4] = [
        |doc| drop(doc.put_object(ROOT, "x", ObjType::Map).unwrap()),
        |doc| doc.delete(ROOT, "fmobile").unwrap(),
        |doc| doc.put(ROOT, "c", ::automerge::ScalarValue::counter(1)).unwrap(),
        |doc| drop(doc.put_object(ROOT, "t", ObjType::Text).unwrap()),
    ];
    for write in writes {
        let mut doc = loaded(&held, TOWN.actor());
        write(&mut doc);
        assert_eq!(reason(&held, TOWN, last(&mut doc)), SetAsideReason::NotRecognised);
    }
}

#[test]
fn document_and_compressed_chunks_are_not_even_opened() {
    let held = case();
    let mut doc = loaded(&held, TOWN.actor());
    assert_eq!(reason(&held, TOWN, doc.save()), SetAsideReason::NotARawChange);
    doc.put(ROOT, "fremark", "很长".repeat(20_000)).unwrap();
    doc.commit();
    let compressed = doc.get_last_local_change().unwrap().bytes().into_owned();
    assert!(compressed.len() < 2_000 && compressed[8] == 2);
    assert_eq!(reason(&held, TOWN, compressed), SetAsideReason::NotARawChange);
    let mut two = held.0[0].1.clone();
    two.extend_from_slice(&held.0[1].1);
    assert_eq!(reason(&held, TOWN, two), SetAsideReason::NotARawChange);
    assert_eq!(
        reason(&held, TOWN, vec![0; CHANGE_BYTES_MAX + 1]),
        SetAsideReason::TooLong
    );
    assert_eq!(reason(&held, TOWN, Vec::new()), SetAsideReason::Malformed);
}

#[test]
fn a_flipped_byte_anywhere_is_noticed() {
    let held = case();
    let honest = edit(
        &held.entries(),
        ROOM.actor(),
        &[Edit::Event(NewEvent::new("process", today()))],
        &context(),
    )
    .unwrap();
    for at in 0..honest.len() {
        let mut broken = honest.clone();
        broken[at] ^= 0x10;
        let folded = with(&held, ROOM, broken);
        assert_eq!(folded.set_aside.len(), 1, "byte {at}");
    }
}

/// Gives bytes a right length and checksum, so that only their content is wrong.
fn framed(data: &[u8]) -> Vec<u8> {
    let mut len = Vec::new();
    let mut left = data.len();
    loop {
        let byte = (left & 0x7f) as u8;
        left >>= 7;
        len.push(if left == 0 { byte } else { byte | 0x80 });
        if left == 0 {
            break;
        }
    }
    let mut chunk = vec![1u8];
    chunk.extend_from_slice(&len);
    chunk.extend_from_slice(data);
    let hash = Sha256::digest(&chunk);
    [&[0x85, 0x6f, 0x4a, 0x83], &hash[..4], &chunk].concat()
}

/// What [`framed`] frames, taken out of an honest change.
fn content(change: &[u8]) -> &[u8] {
    let header = 9 + usize::from(change[9] & 0x80 != 0) + 1;
    let data = &change[header..];
    assert_eq!(framed(data), change);
    data
}

#[test]
fn changes_that_make_automerge_panic_or_swell_are_set_aside() {
    let held = case();
    let honest = edit(
        &held.entries(),
        ROOM.actor(),
        &[
            Edit::Event(NewEvent::new("process", today())),
            Edit::Field {
                name: "mobile".into(),
                value: Value::Sealed(vec![3; 27]),
            },
        ],
        &context(),
    )
    .unwrap();
    let data = content(&honest);
    let before = held.fold();
    let mut panics = 0;
    // Hundreds of expected panics would drown the report.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    // Every byte of the content replaced, the checksum made right again.
    for at in 0..data.len() {
        for value in [0x00, 0x01, 0x02, 0x05, 0x08, 0x7e, 0x7f, 0x80, 0xff] {
            let mut crafted = data.to_vec();
            if std::mem::replace(&mut crafted[at], value) == value {
                continue;
            }
            let crafted = framed(&crafted);
            let loads = std::panic::catch_unwind(|| {
                let mut doc = ::automerge::Automerge::new();
                for (_, change) in &held.0 {
                    let _ = doc.load_incremental(change);
                }
                let change = ::automerge::Change::try_from(crafted.as_slice());
                change.map(|c| doc.apply_changes([c]).map(|()| doc.get_heads()))
            });
            let mut more = held.clone();
            more.0.push((ROOM.envelope(), crafted));
            let folded = more.fold();
            assert_eq!(folded.events[..2], before.events, "byte {at} = {value:#x}");
            if loads.is_err() {
                panics += 1;
                assert_eq!(folded.set_aside.len() + folded.waiting, 1, "byte {at} = {value:#x}");
            }
        }
    }
    std::panic::set_hook(hook);
    assert!(
        panics > 0,
        "none of these makes automerge 0.12.0 panic any more: is the guard still needed?"
    );
}

#[test]
fn a_few_bytes_that_claim_many_operations_are_refused_before_they_are_read() {
    let held = case();
    let honest = edit(
        &held.entries(),
        ROOM.actor(),
        &[Edit::Event(NewEvent::new("process", today()))],
        &context(),
    )
    .unwrap();
    let data = content(&honest);
    // The action column of one put: run of one, value one (7e 01 as a literal run).
    let column = data.windows(2).rposition(|w| w == [0x7f, 0x01]).unwrap();
    let spec = data.windows(2).position(|w| w == [0x42, 0x02]).unwrap();
    let mut swollen = data[..column].to_vec();
    swollen.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x07, 0x01]);
    swollen.extend_from_slice(&data[column + 2..]);
    swollen[spec + 1] = 6;
    assert_eq!(reason(&held, ROOM, framed(&swollen)), SetAsideReason::TooMany);
}

#[test]
fn a_few_bytes_that_claim_many_nulls_in_any_column_are_refused_before_they_are_read() {
    let held = case();
    let note = [Edit::Event(NewEvent::new("process", today()))];
    let honest = edit(&held.entries(), ROOM.actor(), &note, &context()).unwrap();
    let data = content(&honest);
    // The layout: number of columns, then the kind and the length of each; the keys (15) come first.
    let layout = (1..data.len() - 2)
        .find(|at| data[*at] == 0x15 && data[*at + 2] == 0x34)
        .unwrap();
    let columns = usize::from(data[layout - 1]);
    let mut at = layout + 2 * columns;
    for column in 0..columns {
        let (kind, len) = (data[layout + 2 * column], layout + 2 * column + 1);
        at += usize::from(data[len]);
        // The last kind is bytes: there a length is what it is.
        if kind & 7 == 7 {
            continue;
        }
        let mut swollen = data.to_vec();
        swollen[len] += 3;
        swollen.splice(at..at, [0x00, 0x89, 0x27]);
        let found = reason(&held, ROOM, framed(&swollen));
        assert_eq!(found, SetAsideReason::TooMany, "column {kind:#x}");
    }
}

#[test]
fn a_column_marked_as_compressed_is_not_even_opened() {
    let held = case();
    let note = [Edit::Event(NewEvent::new("process", today()))];
    let honest = edit(&held.entries(), ROOM.actor(), &note, &context()).unwrap();
    let mut data = content(&honest).to_vec();
    let action = data.windows(2).position(|w| w == [0x42, 0x02]).unwrap();
    data[action] |= 0x08;
    assert_eq!(reason(&held, ROOM, framed(&data)), SetAsideReason::NotARawChange);
}

#[test]
fn a_change_that_names_too_many_causes_is_set_aside() {
    let held = case();
    let note = [Edit::Event(NewEvent::new("process", today()))];
    let honest = edit(&held.entries(), ROOM.actor(), &note, &context()).unwrap();
    let data = content(&honest);
    assert_eq!(data[0], 1, "one cause");
    let naming = |causes: usize| {
        let mut crafted = vec![u8::try_from(causes).unwrap()];
        let known = &data[1..33];
        crafted.extend((1..causes).flat_map(|n| [n as u8; 32]));
        crafted.extend_from_slice(known);
        crafted.extend_from_slice(&data[33..]);
        framed(&crafted)
    };
    assert_eq!(reason(&held, ROOM, naming(DEPS_MAX + 1)), SetAsideReason::TooMany);
}

#[test]
fn a_change_in_two_logs_of_a_copied_disk_has_one_author_whichever_came_first() {
    let mut held = case();
    let (earlier, change) = held.0[1].clone();
    let later = Envelope {
        wall_ms: earlier.wall_ms + 1,
        user: UserId([9; 8]),
        ..earlier.clone()
    };
    held.0.push((later, change));
    // Folding compares several orders of arrival.
    let folded = held.fold();
    assert_eq!((folded.events.len(), folded.events[1].user), (2, earlier.user));
}

#[test]
fn of_two_changes_with_one_sequence_number_the_same_one_applies_everywhere() {
    let held = case();
    let make = |text: &str| {
        let note = [Edit::Note(text.to_owned())];
        edit(&held.entries(), ROOM.actor(), &note, &context()).unwrap()
    };
    let (a, b) = (make("a"), make("b"));
    let (smaller, larger, text) = if change_hash(&a) < change_hash(&b) {
        (a, b, "a")
    } else {
        (b, a, "b")
    };
    let mut both = held.clone();
    both.0
        .extend([(ROOM.envelope(), smaller.clone()), (ROOM.envelope(), larger.clone())]);
    assert_eq!(
        both.fold().notes[0].text,
        text,
        "nobody has built on either: the smaller hash"
    );
    // Somebody who knew only the larger one built on it.
    let mut apart = held.clone();
    apart.0.push((ROOM.envelope(), larger));
    apart.act(TOWN, "process");
    apart.0.push((ROOM.envelope(), smaller));
    let folded = apart.fold();
    assert_eq!((folded.state.as_str(), folded.notes.len()), ("processing", 1));
    assert_ne!(folded.notes[0].text, text);
    let reasons: Vec<_> = folded.set_aside.iter().map(|s| s.reason.clone()).collect();
    assert_eq!(reasons, [SetAsideReason::DuplicateSequence]);
    // The process that made both goes on without counting the same number a third time.
    apart.act(ROOM, "note");
    assert_eq!(apart.fold().set_aside.len(), 1);
}

#[test]
fn a_device_that_makes_its_creation_a_second_time_wipes_out_nothing_that_others_did() {
    let mut held = case();
    held.act(TOWN, "process");
    let honest = held.fold();
    let mut smaller = 0;
    for time in 0..24 {
        // The same process, the same number, another content: only its own device can sign that.
        let mut forged = ::automerge::Change::try_from(held.0[0].1.as_slice()).unwrap().decode();
        forged.time = time;
        let forged = ::automerge::Change::from(forged).raw_bytes().to_vec();
        smaller += usize::from(change_hash(&forged) < change_hash(&held.0[0].1));
        let mut more = held.clone();
        more.0.push((ROOM.envelope(), forged));
        let mut folded = more.fold();
        assert_eq!(folded.set_aside.len(), usize::from(time != 0), "time {time}");
        folded.set_aside.clear();
        assert_eq!(folded, honest, "time {time}");
    }
    assert!(smaller > 0, "no forged hash was smaller");
}

#[test]
fn a_device_cannot_wipe_out_its_own_earlier_change_after_others_acted_on_it() {
    let mut held = case();
    held.act(TOWN, "process");
    // Notes with the number of the creation, and of the acceptance, ground to a small hash.
    for seq in [1, 2] {
        for salt in 0..32 {
            let note = [Edit::Note(format!("{salt}"))];
            let honest = edit(&held.entries(), ROOM.actor(), &note, &context()).unwrap();
            let mut forged = ::automerge::Change::try_from(honest.as_slice()).unwrap().decode();
            forged.seq = seq;
            let forged = ::automerge::Change::from(forged).raw_bytes().to_vec();
            assert_eq!(reason(&held, ROOM, forged), SetAsideReason::WrongCounter);
        }
    }
}

#[test]
fn a_change_waits_for_its_causes_and_counts_when_they_come() {
    let mut held = case();
    held.act(ROOM, "process");
    let mut partial = held.clone();
    let missing = partial.0.remove(1);
    let folded = partial.fold();
    assert_eq!(
        (folded.state.as_str(), folded.waiting, folded.status),
        ("received", 1, Status::Ready)
    );
    let mut headless = held.clone();
    headless.0.remove(0);
    assert_eq!(headless.fold().status, Status::AwaitingEntries(2));
    partial.0.push(missing);
    assert_eq!(partial.fold(), held.fold());
    let nothing_good = Held(vec![(ROOM.envelope(), vec![1, 2, 3])]);
    assert_eq!(nothing_good.fold().status, Status::SetAside);
}

#[test]
fn what_is_not_recognised_yet_is_not_folded_nor_what_builds_on_it() {
    let mut held = case();
    let before = held.fold();
    held.act(ROOM, "process");
    held.act(ROOM_B, "decide");
    for waiting in [
        Envelope {
            standing: Standing::Waiting,
            ..ROOM.envelope()
        },
        Envelope {
            author: Author::Unknown,
            ..ROOM.envelope()
        },
    ] {
        let mut cut = held.clone();
        cut.0[2].0 = waiting;
        let folded = cut.fold();
        assert_eq!((folded.state.as_str(), folded.unrecognised), ("accepted", 2));
        assert_eq!(folded.events, before.events);
        // A later statement lets it in: also where the cut copy lies beside.
        cut.meet(&held);
        let folded = cut.fold();
        assert_eq!((folded.state.as_str(), folded.unrecognised), ("decided", 0));
    }
}

#[test]
fn a_flood_of_concurrent_events_in_one_record_does_not_stop_the_hub() {
    let held = case();
    let mut flood = held.clone();
    for number in 0..RECORD_CHANGES_MAX + 50 {
        let desk = Desk::new(number as u8, 13, Tier::Township);
        let mut actor = desk.actor();
        actor[8..].copy_from_slice(&(number as u64).to_be_bytes());
        let kind = if number % 2 == 0 { "withdraw" } else { "process" };
        let event = NewEvent::new(kind, today());
        let change = edit(&held.entries(), actor, &[Edit::Event(event)], &context()).unwrap();
        flood.0.push((desk.envelope(), change));
    }
    let folded = fold(&RECORD, &flood.entries(), &context());
    assert_eq!(folded.events.len(), RECORD_CHANGES_MAX);
    let too_long = folded
        .set_aside
        .iter()
        .filter(|s| s.reason == SetAsideReason::RecordTooLong);
    assert_eq!(too_long.count(), 52);
    assert!(folded.open_conflicts().count() > 0);
}

#[test]
fn an_edit_over_more_tips_than_a_change_may_name_still_applies() {
    let held = case();
    let mut wide = held.clone();
    for number in 0..DEPS_MAX as u64 + 30 {
        let mut actor = TOWN.actor();
        actor[8..].copy_from_slice(&number.to_be_bytes());
        let note = [Edit::Note(format!("{number}"))];
        wide.0.push((
            TOWN.envelope(),
            edit(&held.entries(), actor, &note, &context()).unwrap(),
        ));
    }
    wide.act(ROOM, "process");
    wide.act(ROOM, "decide");
    let folded = wide.fold();
    assert!(folded.set_aside.is_empty(), "{:?}", folded.set_aside);
    assert_eq!((folded.state.as_str(), folded.notes.len()), ("decided", DEPS_MAX + 30));
}
