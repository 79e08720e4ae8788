//! Signed cases by the thousand: what a room's clerks would have typed, made quickly.
//!
//! Each case is three changes (receive, accept, close) as the office makes them, with name, ID number and phone sealed. The later two
//! differ between cases only in the hash they depend on, so they are made once and this is put in.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::{Context as _, Result, ensure};
use ledger::day::Day;
use ledger::form::{Form, Forms};
use ledger::id::{Hash, ProjectNo, RecordId, Tier, UserId};
use ledger::record::{
    self, Author, Context, Creation, Edit, Envelope, Head, ItemSeed, NewEvent, RecordEntry, Standing, Value,
};
use ledger::seal::{RecordKey, seal};
use ledger::seed::Seeds;
use replica::entry::{KIND_RECORD, RecordBody};
use replica::run::sign;
use sha2::{Digest, Sha256};
use store::Store;

use crate::county::{COUNTY, Room, tip_of};

type Change = replica::entry::Entry;

/// In which order the changes of many cases lie in a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// The three of a case follow each other.
    Together,
    /// As clerks work: thirty cases are open at a time.
    Typed,
    /// All cases of a room are received first, then accepted, then closed.
    Interleaved,
}

impl Shape {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Shape::Together => "changes together",
            Shape::Typed => "changes as typed",
            Shape::Interleaved => "changes interleaved",
        }
    }

    /// Cases that are open at a time.
    fn open(self) -> usize {
        match self {
            Shape::Together => 1,
            Shape::Typed => 30,
            Shape::Interleaved => usize::MAX,
        }
    }
}

/// Entries under one signature; the office signs at each group commit, and a day's work is several.
const CHECKPOINT_BYTES: usize = 30 * 1024;
/// Journalled at once.
const COMMIT_ENTRIES: usize = 8_192;
/// Cases of one business date: below what a number can count.
const CASES_A_DAY: usize = 9_000;
const WALL_MS: i64 = 1_760_000_000_000;

/// What every case has in common.
struct Template {
    accept: Vec<u8>,
    close: Vec<u8>,
    created: [u8; 32],
    accepted: [u8; 32],
}

/// One case of a book.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// Its business date, and which one of that date it is, from 0.
    pub(crate) on: Day,
    pub(crate) nth: usize,
    /// Changes that it has: received, accepted, closed.
    pub(crate) changes: usize,
}

/// The case at a place of a book of which all are closed long since.
fn closed(at: usize) -> Result<Case> {
    Ok(Case {
        on: on(at)?,
        nth: at % CASES_A_DAY,
        changes: 3,
    })
}

/// Writes `cases` three-change cases into a room's own log; returns their entries' bytes.
pub(crate) fn fill(room: &Room, catalogue: Hash, cases: usize, shape: Shape) -> Result<u64> {
    let book: Vec<Case> = (0..cases).map(closed).collect::<Result<_>>()?;
    fill_with(room, catalogue, &book, shape)
}

/// A book as a room has it on a working day: `cases` in all, of which the last `recent` came in on the last `days` days up to
/// `today`, and of these two in five are open, half of them accepted.
pub(crate) fn working(cases: usize, recent: usize, days: usize, today: Day) -> Result<Vec<Case>> {
    let old = cases.saturating_sub(recent);
    let mut book: Vec<Case> = (0..old).map(closed).collect::<Result<_>>()?;
    let a_day = recent.div_ceil(days);
    for at in 0..recent {
        let back = i32::try_from(days - 1 - at / a_day)?;
        let changes = match at % 5 {
            0 => 1,
            1 => 2,
            _ => 3,
        };
        let (on, nth) = (today.plus(-back), at % a_day);
        book.push(Case { on, nth, changes });
    }
    Ok(book)
}

/// As [`fill`], for any cases.
pub(crate) fn fill_with(room: &Room, catalogue: Hash, cases: &[Case], shape: Shape) -> Result<u64> {
    let place = room.folder.place.clone();
    let (mut store, _) = Store::open(Box::new(room.folder.disk.clone()), Box::new(place), &mut |_| {})?;
    let mut seed = [5; 32];
    seed.copy_from_slice(&room.device().0);
    let mut seeds = Seeds::new(seed);
    let mut process = [0; 8];
    process.copy_from_slice(&seeds.bytes::<8>());
    let actor = record::actor(&room.device(), process);
    let mut templates: BTreeMap<Day, Template> = BTreeMap::new();
    let mut made = Vec::with_capacity(cases.len());
    for (at, case) in cases.iter().enumerate() {
        let template = match templates.entry(case.on) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(template(room, catalogue, actor, case.on)?),
        };
        let (record, key) = (RecordId(seeds.bytes()), RecordKey(seeds.bytes()));
        store.stage_key(room.log.scope, record, &room.wrap(&key, &record))?;
        let created = creation(room, catalogue, actor, (at, *case), &record, &key)?;
        let mut accept = template.accept.clone();
        put_dep(&mut accept, &template.created, &hash_of(&created))?;
        let mut close = template.close.clone();
        put_dep(&mut close, &template.accepted, &hash_of(&accept))?;
        let wall_ms = WALL_MS + at as i64 * 60_000;
        let mut changes = vec![
            entry(record, wall_ms, created),
            entry(record, wall_ms + 20_000, accept),
            entry(record, wall_ms + 40_000, close),
        ];
        changes.truncate(case.changes);
        made.push(changes);
    }
    let entries = in_order(made, shape);
    let bytes = entries.iter().map(|e| e.body.len() as u64).sum();
    append(&mut store, room, entries)?;
    Ok(bytes)
}

fn in_order(cases: Vec<Vec<Change>>, shape: Shape) -> Vec<Change> {
    let mut all = Vec::with_capacity(cases.len() * 3);
    let mut left = cases.into_iter();
    loop {
        let (mut accepts, mut closes) = (Vec::new(), Vec::new());
        let before = all.len();
        for case in left.by_ref().take(shape.open()) {
            let mut changes = case.into_iter();
            all.extend(changes.next());
            accepts.extend(changes.next());
            closes.extend(changes.next());
        }
        if all.len() == before {
            return all;
        }
        all.extend(accepts.into_iter().chain(closes));
    }
}

/// Signs and journals entries as the next ones of the room's log.
fn append(store: &mut Store, room: &Room, entries: Vec<Change>) -> Result<()> {
    let mut prev = tip_of(store, &room.log);
    let (mut part, mut part_bytes, mut uncommitted) = (Vec::new(), 0, 0);
    let mut left = entries.into_iter().peekable();
    while let Some(next) = left.next() {
        part_bytes += next.body.len() + 4;
        part.push(next);
        if part_bytes < CHECKPOINT_BYTES && left.peek().is_some() {
            continue;
        }
        uncommitted += part.len();
        let run = sign(&room.key, room.log, prev, std::mem::take(&mut part));
        prev = run.tip();
        part_bytes = 0;
        store.stage_run(&run)?;
        if uncommitted >= COMMIT_ENTRIES || left.peek().is_none() {
            store.commit()?;
            uncommitted = 0;
        }
    }
    Ok(())
}

fn entry(record: RecordId, wall_ms: i64, change: Vec<u8>) -> Change {
    let body = RecordBody {
        record,
        user: UserId::ZERO,
        wall_ms,
        skew_ms: Some(120),
        change,
    };
    Change {
        kind: KIND_RECORD,
        body: body.encode(),
    }
}

fn on(at: usize) -> Result<Day> {
    let first = Day::from_ymd(2025, 10, 9).context("no day")?;
    Ok(first.plus(i32::try_from(at / CASES_A_DAY)?))
}

fn creation(
    room: &Room,
    catalogue: Hash,
    actor: [u8; 16],
    (at, case): (usize, Case),
    record: &RecordId,
    key: &RecordKey,
) -> Result<Vec<u8>> {
    const SURNAMES: [&str; 8] = ["张", "王", "李", "赵", "刘", "陈", "杨", "黄"];
    const GIVEN: [&str; 8] = ["秀英", "建国", "桂兰", "志强", "小红", "德华", "淑珍", "文军"];
    let day = case.on;
    let no = ProjectNo::new(COUNTY, room.node, day, u32::try_from(case.nth)? + 1).context("no number")?;
    let tag = u64::from(room.node.value()) * 1_000_003 + at as u64;
    let sealed = |field: &str, text: &str| (field.to_owned(), Value::Sealed(seal(key, record, field, text)));
    let name = format!("{}{}", SURNAMES[at % 8], GIVEN[at / 8 % 8]);
    let form = Form::case();
    let creation = Creation {
        record: *record,
        head: Head {
            form: form.hash(),
            no: no.as_str().to_owned(),
            matter: "B23".to_owned(),
            catalogue,
            unit: room.log.scope.unit,
            clerk: UserId::ZERO,
            on: day,
            import_key: None,
        },
        fields: vec![
            sealed("name", &name),
            sealed("cert_no", &format!("{:018}", 511_603_190_000_000_000 + tag)),
            sealed("mobile", &format!("138{:08}", tag % 100_000_000)),
        ],
        items: ["身份证或户口簿", "参保登记表"]
            .iter()
            .enumerate()
            .map(|(at, name)| ItemSeed {
                id: format!("m{}", at + 1),
                name: (*name).to_owned(),
                received: false,
            })
            .collect(),
        events: vec![NewEvent::new("receive", day)],
    };
    Ok(record::create(actor, &creation, form)?)
}

/// Makes the later changes once, with the rules of the house.
fn template(room: &Room, catalogue: Hash, actor: [u8; 16], day: Day) -> Result<Template> {
    let forms = Forms::compiled();
    let tables = ledger::catalogue::Catalogue::from_tsv(crate::county::MATTERS)?;
    let catalogues = BTreeMap::from([(catalogue, tables)]);
    let ctx = Context {
        forms: &forms,
        catalogues: &catalogues,
    };
    let (record, key) = (RecordId([1; 16]), RecordKey([2; 32]));
    let case = Case { on: day, ..closed(0)? };
    let created = creation(room, catalogue, actor, (0, case), &record, &key)?;
    let envelope = || Envelope {
        standing: Standing::Valid,
        author: Author::Known,
        wall_ms: WALL_MS,
        skew_ms: None,
        device: room.device(),
        unit: room.log.scope.unit,
        tier: Tier::Room,
        user: UserId::ZERO,
    };
    let read = |change| RecordEntry {
        envelope: envelope(),
        change,
    };
    let accept = record::edit(
        &[read(&created)],
        actor,
        &[Edit::Event(NewEvent::new("accept", day))],
        &ctx,
    )?;
    let close = NewEvent::new("close", day).with("result", Value::Int(6));
    let close = record::edit(&[read(&created), read(&accept)], actor, &[Edit::Event(close)], &ctx)?;
    let folded = record::fold(&record, &[read(&created), read(&accept), read(&close)], &ctx);
    ensure!(folded.state == "closed", "a sample case ends {}", folded.state);
    Ok(Template {
        created: hash_of(&created),
        accepted: hash_of(&accept),
        accept,
        close,
    })
}

/// The hash of a raw Automerge change: SHA-256 of all that follows magic and checksum.
fn hash_of(change: &[u8]) -> [u8; 32] {
    Sha256::digest(&change[8..]).into()
}

/// Puts another dependency into a change, and mends its checksum.
fn put_dep(change: &mut [u8], old: &[u8; 32], new: &[u8; 32]) -> Result<()> {
    let at = change
        .windows(32)
        .position(|w| w == old)
        .context("the dependency is not there")?;
    change[at..at + 32].copy_from_slice(new);
    let checksum = hash_of(change);
    change[4..8].copy_from_slice(&checksum[..4]);
    Ok(())
}
