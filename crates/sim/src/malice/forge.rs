//! Entries that no honest program of this version writes: of later versions, and of members that keep no rule.

use ledger::day::Day;
use ledger::form::Form;
use ledger::id::{Hash, RecordId, Scope, UserId};
use ledger::record::{self, Creation, Head, NewEvent, Value, create};
use office::Office;
use replica::entry::{Entry, KIND_RECORD, KIND_STATEMENT, RecordBody};
use replica::statement::Role;
use replica::time::Now;

use super::pick;
use crate::county::County;
use crate::dice::Dice;
use crate::fault::Kind;
use crate::world::{Seat, World};

/// Kinds of entries and statements that nobody knows yet.
const LATER_KIND: u8 = 200;

/// A device writes what only a later version understands: it is stored, forwarded, and shown as such.
pub(super) fn later(world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
    let role = if dice.per_mille(700) { Role::Node } else { Role::Hub };
    let seat = pick(world, county, role, dice)?;
    let (now, unit) = (world.now(seat), world.office(seat)?.life()?.unit);
    let what = dice.below(4);
    let (scope, entry) = match what {
        0 => (Scope::book(unit), other(LATER_KIND, dice)),
        1 => (Scope::public(unit), other(LATER_KIND + 1, dice)),
        2 => {
            let mut body = vec![LATER_KIND];
            body.extend_from_slice(&dice.bytes());
            (
                Scope::public(unit),
                Entry {
                    kind: KIND_STATEMENT,
                    body,
                },
            )
        }
        _ => (Scope::book(unit), of_another_form(world.office(seat)?, now, dice)?),
    };
    write(world, seat, now, scope, vec![entry])?;
    world.count(Kind::LaterEntry);
    Some(format!(
        "{} writes what a later version understands ({what})",
        world.name(seat)
    ))
}

fn other(kind: u8, dice: &mut Dice) -> Entry {
    Entry {
        kind,
        body: dice.bytes().to_vec(),
    }
}

fn write(world: &mut World, seat: Seat, now: Now, scope: Scope, entries: Vec<Entry>) -> Option<()> {
    // Nobody has keys for records that were never made in earnest.
    for entry in entries.iter().filter(|e| e.kind == KIND_RECORD) {
        world
            .oracle
            .forged
            .extend(entry.body.get(..16).and_then(RecordId::from_slice));
    }
    world.oracle.forgers.insert(seat);
    let written = world.office_mut(seat)?.forge(now, scope, entries);
    world.stir(seat);
    written.ok().map(|_| ())
}

/// A member writes what no honest program writes. What is not its to write at all it writes only in stolen hands.
pub(super) fn forge(world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
    let stolen: Vec<Seat> = county
        .members
        .iter()
        .filter(|m| m.gone && world.is_up(m.seat))
        .map(|m| m.seat)
        .collect();
    let thief = dice.pick(&stolen).copied().filter(|_| dice.per_mille(600));
    let seat = match thief {
        Some(seat) => seat,
        None => pick(world, county, Role::Node, dice)?,
    };
    let now = world.now(seat);
    let office = world.office(seat)?;
    let unit = office.life()?.unit;
    let book = Scope::book(unit);
    let above = office.authority().parent(unit)?;
    let (scope, entries) = match dice.below(if thief.is_some() { 7 } else { 5 }) {
        0 => (book, vec![junk(dice)]),
        1 => (book, vec![impostor(office, now, dice)?]),
        2 => (book, vec![overreach(office, now, dice)?]),
        3 => (book, twice(office, now, dice)?),
        4 => (Scope::public(unit), vec![statement_of_others(dice)]),
        5 => (Scope::public(above), vec![statement_of_others(dice)]),
        _ => (Scope::book(above), vec![junk(dice)]),
    };
    write(world, seat, now, scope, entries)?;
    world.count(Kind::Forged);
    Some(format!("{} forges {:?}", world.name(seat), scope.kind))
}

/// Bytes that are no change of anything.
fn junk(dice: &mut Dice) -> Entry {
    let mut body = dice.bytes().to_vec();
    body.extend_from_slice(&dice.bytes());
    body.extend_from_slice(&dice.bytes());
    Entry {
        kind: KIND_RECORD,
        body,
    }
}

/// Somebody else's revocation, or bytes that are no statement.
fn statement_of_others(dice: &mut Dice) -> Entry {
    let mut body = vec![1 + u8::try_from(dice.below(11)).unwrap_or(0)];
    body.extend_from_slice(&dice.bytes());
    Entry {
        kind: KIND_STATEMENT,
        body,
    }
}

fn case(office: &Office, now: Now, form: Hash, events: &[&str], dice: &mut Dice) -> Option<(RecordId, Creation)> {
    let catalogues = office.authority().catalogues();
    let (hash, catalogue) = catalogues.iter().next()?;
    let matter = dice.pick(&catalogue.matters)?.code.clone();
    let record = RecordId::from_slice(&dice.bytes()[..16])?;
    let on = Day::of_wall_ms(now.wall_ms);
    let mut made = Vec::new();
    for event in events {
        let mut event = NewEvent::new(event, on);
        if event.kind == "close" {
            event = event.with("result", Value::Int(6));
        }
        if event.kind == "void" {
            event = event.with("reason", Value::Text("伪造".to_owned()));
        }
        made.push(event);
    }
    let creation = Creation {
        record,
        head: Head {
            form,
            no: format!("5116030000262510{:03}0", dice.below(900)),
            matter,
            catalogue: *hash,
            unit: office.life()?.unit,
            clerk: UserId::ZERO,
            on,
            import_key: None,
        },
        fields: Vec::new(),
        items: Vec::new(),
        events: made,
    };
    Some((record, creation))
}

fn entry(record: RecordId, now: Now, change: Vec<u8>) -> Entry {
    let body = RecordBody {
        record,
        user: UserId::ZERO,
        wall_ms: now.wall_ms,
        skew_ms: None,
        change,
    };
    Entry {
        kind: KIND_RECORD,
        body: body.encode(),
    }
}

fn actor(office: &Office, dice: &mut Dice) -> [u8; 16] {
    record::actor(&office.device(), dice.u64().to_be_bytes())
}

/// A case of a form that the county has not published yet.
fn of_another_form(office: &Office, now: Now, dice: &mut Dice) -> Option<Entry> {
    let (record, creation) = case(office, now, Hash(dice.bytes()), &["receive"], dice)?;
    let change = create(actor(office, dice), &creation, Form::case()).ok()?;
    Some(entry(record, now, change))
}

/// A change in the name of another device.
fn impostor(office: &Office, now: Now, dice: &mut Dice) -> Option<Entry> {
    let (record, creation) = case(office, now, Form::case().hash(), &["receive"], dice)?;
    let change = create(dice.bytes()[..16].try_into().ok()?, &creation, Form::case()).ok()?;
    Some(entry(record, now, change))
}

/// A room that decides, closes and voids by itself.
fn overreach(office: &Office, now: Now, dice: &mut Dice) -> Option<Entry> {
    let events = ["receive", "accept", "process", "decide", "close", "void", "reopen"];
    let (record, creation) = case(office, now, Form::case().hash(), &events, dice)?;
    let change = create(actor(office, dice), &creation, Form::case()).ok()?;
    Some(entry(record, now, change))
}

/// One record with two creations.
fn twice(office: &Office, now: Now, dice: &mut Dice) -> Option<Vec<Entry>> {
    let (record, first) = case(office, now, Form::case().hash(), &["receive"], dice)?;
    let (_, mut second) = case(office, now, Form::case().hash(), &["receive"], dice)?;
    second.record = record;
    let mut made = Vec::new();
    for creation in [first, second] {
        let change = create(actor(office, dice), &creation, Form::case()).ok()?;
        made.push(entry(record, now, change));
    }
    Some(made)
}
