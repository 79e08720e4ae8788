//! From entries to a folded record: registers, then events through the transition table, then what clashes.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Document, Register};
use super::effect::{Closing, Machine};
use super::legality::Law;
use super::order::{Order, Raw, event_id};
use super::payload::decode_event;
use super::run::{Outcome, Run, Verdict, corrections};
use super::{
    Closure, Context, Entered, FieldValue, Flag, Folded, FoldedEvent, Head, Item, Note, RecordConflict, RecordEntry,
    Resolution, SetAsideReason, Side, Status, Value,
};
use crate::conflict::{ConflictId, ConflictKind};
use crate::form::{Form, Leads};
use crate::id::RecordId;

/// The state that is shown while two different closings await a decision, if the form declares it.
pub(super) const DOUBLE_CLOSED: &str = "double_closed";

/// Folds a record. Pure: the same *set* of entries and versions gives the same result, byte for byte, in whatever order they
/// came; nothing in an entry makes it fail.
pub fn fold(record: &RecordId, entries: &[RecordEntry], ctx: &Context) -> Folded {
    fold_without(record, entries, ctx, &BTreeSet::new())
}

/// As [`fold`], but some events, by id, are passed over as if nobody had written them. A void event changes no state: whoever wants
/// proof of it folds without the void ones and compares.
pub fn fold_without(record: &RecordId, entries: &[RecordEntry], ctx: &Context, without: &BTreeSet<String>) -> Folded {
    let document = Document::read(entries);
    let mut folded = blank(record, &document);
    overwritten(&mut folded, &document);
    let Some(head) = &document.head else { return folded };
    folded.notes = notes(&document);
    folded.custody = Some(head.unit);
    let form = ctx.forms.of(&head.form);
    folded.items = items(&document);
    fields(&mut folded, &document, form);
    let Some(form) = form else {
        folded.status = Status::AwaitingForm(head.form);
        return folded;
    };
    folded.state.clone_from(&form.initial);
    let matters = ctx
        .catalogues
        .get(&head.catalogue)
        .map(|c| c.matters.as_slice())
        .unwrap_or_default();
    let Some(matter) = matters.iter().find(|m| m.code == head.matter) else {
        folded.status = Status::AwaitingCatalogue(head.catalogue);
        return folded;
    };
    folded.status = Status::Ready;
    let mut raw = raw_events(&document, form);
    raw.retain(|event| !without.contains(&event.id));
    events(&mut folded, &document, &raw, head, Law { form, matter });
    settle_fields(&mut folded, form);
    folded.conflicts.sort_by_key(|c| (c.kind, c.id));
    folded
}

fn blank(record: &RecordId, document: &Document) -> Folded {
    let held = document.waiting + document.unrecognised;
    Folded {
        record: *record,
        head: document.head.clone(),
        status: if held == 0 && !document.set_aside.is_empty() {
            Status::SetAside
        } else {
            Status::AwaitingEntries(held)
        },
        state: String::new(),
        fields: BTreeMap::new(),
        items: BTreeMap::new(),
        events: Vec::new(),
        closure: None,
        evaluation: None,
        notices: Vec::new(),
        outstanding: BTreeSet::new(),
        suspensions: Vec::new(),
        received_on: None,
        accepted_on: None,
        decided_by: None,
        custody: None,
        conflicts: Vec::new(),
        resolutions: BTreeMap::new(),
        notes: Vec::new(),
        set_aside: document.set_aside.iter().cloned().collect(),
        waiting: document.waiting,
        unrecognised: document.unrecognised,
    }
}

/// An attempt to rewrite what is written once is for the township to know.
fn overwritten(folded: &mut Folded, document: &Document) {
    let attempts = document
        .set_aside
        .iter()
        .filter(|s| s.reason == SetAsideReason::Overwritten);
    for attempt in attempts {
        let id = attempt.change.to_string();
        folded.conflicts.push(RecordConflict {
            id: ConflictId::new(ConflictKind::Overwritten, &[folded.record.0.as_slice(), id.as_bytes()]),
            kind: ConflictKind::Overwritten,
            subject: Some(attempt.device.short()),
            sides: vec![Side {
                id: id[..12].to_owned(),
                what: "overwritten".to_owned(),
                unit: document.unit_of(&attempt.change).unwrap_or(crate::id::UnitId::ZERO),
                user: crate::id::UserId::ZERO,
            }],
            resolved: None,
        });
    }
}

fn notes(document: &Document) -> Vec<Note> {
    let mut notes = Vec::new();
    for values in document.registers("n", |_, _| true).into_values() {
        for register in values {
            let envelope = &document.changes[register.at].envelope;
            let Value::Text(text) = register.value else { continue };
            let note = Note {
                text,
                user: envelope.user,
                unit: envelope.unit,
                wall_ms: envelope.wall_ms,
            };
            notes.push(((register.at, register.op), note));
        }
    }
    notes.sort_by_key(|(place, _)| *place);
    notes.into_iter().map(|(_, note)| note).collect()
}

/// The value that stands over the others: the higher tier, then the later (or earlier) in (Lamport, device).
fn leading(document: &Document, values: &[Register], leads: Leads) -> usize {
    let rank = |place: &usize| {
        let change = &document.changes[values[*place].at];
        let time = (change.lamport, change.envelope.device, values[*place].op);
        (change.envelope.tier, time)
    };
    let places = 0..values.len();
    let chosen = match leads {
        Leads::Last => places.max_by_key(rank),
        Leads::First => places.min_by_key(|place| {
            let (tier, time) = rank(place);
            (std::cmp::Reverse(tier), time)
        }),
    };
    chosen.unwrap_or(0)
}

fn items(document: &Document) -> BTreeMap<String, Item> {
    let mut items: BTreeMap<String, Item> = BTreeMap::new();
    for (path, values) in document.registers("i", |_, _| true) {
        let Some((id, key)) = path.rsplit_once('/') else {
            continue;
        };
        let item = items.entry(id.to_owned()).or_default();
        let lead = leading(document, &values, Leads::Last);
        let received = values.iter().any(|v| v.value == Value::Flag(true));
        let value = if received {
            Value::Flag(true)
        } else {
            values[lead].value.clone()
        };
        item.received |= key == "received" && received;
        item.values.insert(key.to_owned(), value);
    }
    items
}

fn fields(folded: &mut Folded, document: &Document, form: Option<&Form>) {
    let mut refused = BTreeSet::new();
    let registers = document.registers("f", |applied, name| {
        let field = form.and_then(|f| f.fields.get(name));
        let entitled = field.is_none_or(|f| f.write.contains(&applied.envelope.tier));
        if !entitled {
            refused.insert(super::SetAside {
                change: applied.change.hash,
                device: applied.envelope.device,
                reason: SetAsideReason::FieldNotEntitled(name.to_owned()),
            });
        }
        entitled
    });
    for (name, values) in registers {
        let leads = form.and_then(|f| f.fields.get(name)).map_or(Leads::Last, |f| f.leads);
        let lead = leading(document, &values, leads);
        let value = |(place, register): (usize, &Register)| {
            let change = &document.changes[register.at];
            FieldValue {
                value: register.value.clone(),
                device: change.envelope.device,
                unit: change.envelope.unit,
                tier: change.envelope.tier,
                user: change.envelope.user,
                wall_ms: change.envelope.wall_ms,
                change: change.change.hash,
                leads: place == lead,
            }
        };
        folded
            .fields
            .insert(name.to_owned(), values.iter().enumerate().map(value).collect());
    }
    folded.set_aside.extend(refused);
}

/// Contradicting values become a conflict item; a decision says which one leads.
fn settle_fields(folded: &mut Folded, form: &Form) {
    for (name, values) in &mut folded.fields {
        let mut distinct: BTreeMap<&Value, Side> = BTreeMap::new();
        for value in values.iter() {
            distinct.entry(&value.value).or_insert_with(|| Side {
                id: value.change.to_string()[..12].to_owned(),
                what: form.fields.get(name).map_or(name, |f| &f.label).clone(),
                unit: value.unit,
                user: value.user,
            });
        }
        if distinct.len() < 2 {
            continue;
        }
        let mut sides: Vec<Side> = distinct.into_values().collect();
        sides.sort();
        let mut subjects: Vec<&[u8]> = vec![&folded.record.0, name.as_bytes()];
        subjects.extend(sides.iter().map(|side| side.id.as_bytes()));
        let id = ConflictId::new(ConflictKind::Field, &subjects);
        let resolved = decision(&folded.resolutions, id, &sides);
        if let Some(resolution) = &resolved {
            let chosen = values
                .iter()
                .position(|v| v.change.to_string().starts_with(&resolution.choice));
            for (place, value) in values.iter_mut().enumerate() {
                value.leads = Some(place) == chosen;
            }
        }
        folded.conflicts.push(RecordConflict {
            id,
            kind: ConflictKind::Field,
            subject: Some(name.clone()),
            sides,
            resolved,
        });
    }
}

fn decision(resolutions: &BTreeMap<ConflictId, Resolution>, id: ConflictId, sides: &[Side]) -> Option<Resolution> {
    let resolution = resolutions.get(&id)?;
    sides
        .iter()
        .any(|side| side.id == resolution.choice)
        .then(|| resolution.clone())
}

/// All events of a document, causes before effects.
fn raw_events<'a>(document: &Document, form: &'a Form) -> Vec<Raw<'a>> {
    let mut events = Vec::new();
    for (at, applied) in document.changes.iter().enumerate() {
        let writes = applied.change.writes.iter().filter(|w| w.key.starts_with('e'));
        for (place, write) in writes.enumerate() {
            let event = match &write.value {
                automerge::ScalarValue::Bytes(bytes) => decode_event(bytes),
                _ => None,
            };
            events.push(Raw {
                at,
                id: event_id(&applied.change.hash, place),
                declared: event.as_ref().and_then(|e| form.events.get(&e.kind)),
                event,
            });
        }
    }
    events
}

fn events(folded: &mut Folded, document: &Document, raw: &[Raw], head: &Head, law: Law) {
    let all: Vec<usize> = (0..raw.len()).collect();
    let nobody = BTreeSet::new();
    let first = Order {
        document,
        events: raw,
        upheld: &nobody,
    };
    let corrections = corrections(&first);
    let apart = Run::new(first, law, head.unit, &corrections).settle(&all);
    let resolutions: BTreeMap<ConflictId, Resolution> = apart
        .machine
        .resolutions
        .iter()
        .map(|(id, (_, r))| (*id, r.clone()))
        .collect();
    let mut conflicts = clashes(folded, document, raw, &apart, &nobody, &resolutions);
    // A decision for an event that gave way lets it stand over its rivals: the events are folded once more in that order.
    let upheld: BTreeSet<String> = conflicts.iter().filter_map(|c| upheld_by(c, raw, &apart)).collect();
    let outcome = if upheld.is_empty() {
        apart
    } else {
        let order = Order {
            document,
            events: raw,
            upheld: &upheld,
        };
        let outcome = Run::new(order, law, head.unit, &corrections).settle(&all);
        let left = clashes(folded, document, raw, &outcome, &upheld, &resolutions);
        conflicts.retain(|c| c.resolved.is_some() && left.iter().all(|l| l.id != c.id));
        conflicts.extend(left);
        outcome
    };
    folded.conflicts.append(&mut conflicts);
    for conflict in folded
        .conflicts
        .iter_mut()
        .filter(|c| c.kind == ConflictKind::Overwritten)
    {
        conflict.resolved = decision(&resolutions, conflict.id, &conflict.sides);
    }
    folded.resolutions = resolutions;
    folded.events = outcome
        .verdicts
        .iter()
        .map(|v| shown(document, raw, v, &outcome, &upheld))
        .collect();
    take(folded, outcome.machine, law.form);
}

/// The event that a decision raised from the void, if this conflict has one.
fn upheld_by(conflict: &RecordConflict, raw: &[Raw], apart: &Outcome) -> Option<String> {
    let chosen = &conflict.resolved.as_ref()?.choice;
    let gave_way = |v: &&Verdict| raw[v.event].id == *chosen && v.blocker.is_some();
    (conflict.kind == ConflictKind::VoidEvent && apart.verdicts.iter().any(|v| gave_way(&v))).then(|| chosen.clone())
}

/// The conflict items that events raise among themselves.
fn clashes(
    folded: &Folded,
    document: &Document,
    raw: &[Raw],
    outcome: &Outcome,
    upheld: &BTreeSet<String>,
    resolutions: &BTreeMap<ConflictId, Resolution>,
) -> Vec<RecordConflict> {
    let item = |kind: ConflictKind, events: &[usize], what: &dyn Fn(usize) -> String| {
        let mut sides: Vec<Side> = Vec::new();
        for event in events {
            let envelope = &document.changes[raw[*event].at].envelope;
            sides.push(Side {
                id: raw[*event].id.clone(),
                what: what(*event),
                unit: envelope.unit,
                user: envelope.user,
            });
        }
        sides.sort();
        let mut subjects: Vec<&[u8]> = vec![&folded.record.0];
        subjects.extend(sides.iter().map(|side| side.id.as_bytes()));
        let id = ConflictId::new(kind, &subjects);
        let resolved = decision(resolutions, id, &sides);
        RecordConflict {
            id,
            kind,
            subject: None,
            sides,
            resolved,
        }
    };
    let kind_of = |event: usize| raw[event].event.as_ref().map(|e| e.kind.clone()).unwrap_or_default();
    let mut conflicts = Vec::new();
    for verdict in &outcome.verdicts {
        let Some(blocker) = verdict.blocker.filter(|b| !upheld.contains(&raw[*b].id)) else {
            continue;
        };
        conflicts.push(item(ConflictKind::VoidEvent, &[blocker, verdict.event], &kind_of));
    }
    let closings = &outcome.machine.closings;
    if disagree(closings) {
        let events: Vec<usize> = closings.iter().map(|c| c.event).collect();
        let result = |event: usize| {
            let closing = closings.iter().find(|c| c.event == event);
            closing.map(|c| c.result.to_string()).unwrap_or_default()
        };
        conflicts.push(item(ConflictKind::DoubleClosing, &events, &result));
    }
    conflicts
}

fn disagree(closings: &[Closing]) -> bool {
    closings.iter().any(|c| c.result != closings[0].result)
}

fn shown(
    document: &Document,
    raw: &[Raw],
    verdict: &Verdict,
    outcome: &Outcome,
    upheld: &BTreeSet<String>,
) -> FoldedEvent {
    let event = &raw[verdict.event];
    let change = &document.changes[event.at];
    let typed = event.event.as_ref();
    let mut flags = BTreeSet::new();
    let mut flag = |flag: Flag, holds: bool| {
        if holds {
            flags.insert(flag);
        }
    };
    flag(Flag::Joined, verdict.joined);
    flag(Flag::Upheld, verdict.void.is_none() && upheld.contains(&event.id));
    flag(Flag::Late, typed.is_some_and(|e| e.entered == Entered::Late));
    flag(Flag::DateCorrected, typed.is_some_and(|e| e.on != verdict.on));
    flag(
        Flag::SecondNotice,
        outcome.machine.notices.iter().any(|n| n.second && n.event == event.id),
    );
    FoldedEvent {
        id: event.id.clone(),
        kind: typed.map(|e| e.kind.clone()).unwrap_or_default(),
        on: verdict.on,
        on_typed: typed.map_or(verdict.on, |e| e.on),
        data: typed.map(|e| e.data.clone()).unwrap_or_default(),
        change: change.change.hash,
        device: change.envelope.device,
        unit: change.envelope.unit,
        tier: change.envelope.tier,
        user: change.envelope.user,
        wall_ms: change.envelope.wall_ms,
        skew_ms: change.envelope.skew_ms,
        lamport: change.lamport,
        void: verdict.void.clone(),
        flags,
        state: verdict.state.clone(),
    }
}

/// Moves what the machine found into the folded record.
fn take(folded: &mut Folded, machine: Machine, form: &Form) {
    folded.state = machine.point.state;
    folded.decided_by = machine.point.decided_by;
    folded.custody = machine.point.custody;
    folded.received_on = machine.received_on;
    folded.accepted_on = machine.accepted_on;
    folded.suspensions = machine.suspensions;
    folded.notices = machine.notices;
    folded.outstanding = machine.outstanding;
    folded.evaluation = machine.evaluation;
    for (id, item) in &mut folded.items {
        let named =
            |name: &String| name == id || matches!(item.values.get("name"), Some(Value::Text(text)) if text == name);
        let supplied = machine.supplied.iter().any(named);
        let given_back = machine.given_back.iter().any(|(name, back)| *back && named(name));
        item.received |= supplied;
        item.given_back = given_back;
    }
    let Some(first) = machine.closings.first() else { return };
    let conflict = folded.conflicts.iter().find(|c| c.kind == ConflictKind::DoubleClosing);
    let chosen = conflict.and_then(|c| c.resolved.as_ref()).map(|r| r.choice.as_str());
    let counted = machine
        .closings
        .iter()
        .find(|c| Some(c.id.as_str()) == chosen)
        .unwrap_or(first);
    let mut closings: Vec<&Closing> = machine.closings.iter().collect();
    closings.sort_by_key(|c| c.id != counted.id);
    let counts = !disagree(&machine.closings) || chosen.is_some();
    folded.closure = Some(Closure {
        events: closings.iter().map(|c| c.id.clone()).collect(),
        result: counted.result,
        on: counted.on,
        by: closings.iter().map(|c| c.user).collect(),
        units: closings.iter().map(|c| c.unit).collect(),
        counts,
    });
    if !counts && form.is_end(&folded.state) && form.states.contains_key(DOUBLE_CLOSED) {
        folded.state = DOUBLE_CLOSED.to_owned();
    }
}
