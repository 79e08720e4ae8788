//! Records (记录): one Automerge document each, made of raw changes that travel as entries of logs, folded to a state.
//!
//! ```text
//! entries ──parse, check──▶ changes ──causal order──▶ registers, events ──transition table──▶ Folded
//! ```
//!
//! **What lies in a document.** Only scalars in the root map: `h` the head, `f` + name a field, `i` + id + `/` + key an item,
//! `e` + counter an event, `n` + counter a note. Heads and events are CBOR in one value, so an event is one operation of a
//! few bytes, and nothing nested can be made twice by two sides and hide one of them.
//!
//! **Why the operations are read directly.** A document of this shape is a set of registers: a value stands until a later
//! operation names it as its predecessor. Reading that off the decoded changes gives exactly what Automerge's `get_all`
//! gives (a test holds both against each other), in a fraction of the time, and a crafted change never reaches the code
//! that would apply it.

mod change;
mod document;
mod edit;
mod effect;
mod fold;
mod legality;
mod order;
mod payload;
mod run;
mod view;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use minicbor::{Decode, Encode};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::catalogue::Catalogue;
use crate::conflict::{ConflictId, ConflictKind};
use crate::day::Day;
use crate::form::Forms;
use crate::id::{DeviceId, Hash, RecordId, Tier, UnitId, UserId};

pub use change::{CHANGE_BYTES_MAX, DEPS_MAX, OPS_MAX, change_hash};
pub use document::RECORD_CHANGES_MAX;
pub use edit::{EditError, create, edit};
pub use fold::{fold, fold_without};
pub use legality::Refusal;
pub use view::{Acceptance, DEEMED_AFTER_WORKDAYS, Replies};

/// The author of changes: eight bytes of the device's hash, which the fold checks against the envelope, and eight random
/// bytes per process, so that two copies of a disk do not count the same sequence.
pub fn actor(device: &DeviceId, process: [u8; 8]) -> [u8; 16] {
    let mut actor = [0; 16];
    actor[..8].copy_from_slice(&device_mark(device));
    actor[8..].copy_from_slice(&process);
    actor
}

fn device_mark(device: &DeviceId) -> [u8; 8] {
    let mut h = Sha256::new();
    h.update(b"cunlian actor 1");
    h.update(device.0);
    let hash = h.finalize();
    let mut mark = [0; 8];
    mark.copy_from_slice(&hash[..8]);
    mark
}

/// One value of a field, an item or an event.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Text(String),
    Int(i64),
    Day(Day),
    Flag(bool),
    /// A personal value under the record's key.
    Sealed(Vec<u8>),
    /// Names of materials; in events only.
    List(Vec<String>),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Value::Int(number) => f.debug_tuple("Int").field(number).finish(),
            Value::Day(day) => f.debug_tuple("Day").field(day).finish(),
            Value::Flag(flag) => f.debug_tuple("Flag").field(flag).finish(),
            // As a list of numbers these bytes would be most of what a record's digest has to read.
            Value::Sealed(bytes) => {
                let text: String = bytes.iter().flat_map(|b| crate::id::hex(*b)).map(char::from).collect();
                write!(f, "Sealed({text})")
            }
            Value::List(names) => f.debug_tuple("List").field(names).finish(),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Text(text) => s.serialize_str(text),
            Value::Int(number) => s.serialize_i64(*number),
            Value::Day(day) => s.collect_str(day),
            Value::Flag(flag) => s.serialize_bool(*flag),
            Value::Sealed(bytes) => s.collect_str(&format_args!("sealed:{}", Hex(bytes))),
            Value::List(names) => names.serialize(s),
        }
    }
}

struct Hex<'a>(&'a [u8]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// What a record is about; written once, at creation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Encode, Decode)]
pub struct Head {
    #[n(0)]
    pub form: Hash,
    /// The printed number (办件编号); it never changes.
    #[n(1)]
    pub no: String,
    /// Code of the matter in the catalogue of that hash.
    #[n(2)]
    pub matter: String,
    #[n(3)]
    pub catalogue: Hash,
    #[n(4)]
    pub unit: UnitId,
    #[n(5)]
    pub clerk: UserId,
    #[n(6)]
    pub on: Day,
    #[n(7)]
    pub import_key: Option<Hash>,
}

/// Whether an event was typed on its business date or afterwards (补录).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Entered {
    InTime,
    Late,
}

/// An event as its author types it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEvent {
    /// The form's English name of the event: `receive`, `ask`, …
    pub kind: String,
    /// Business date (UTC+8), fixed when typed.
    pub on: Day,
    pub entered: Entered,
    /// `reason`, `result`, `rating`, `items`, … as the form's event declares.
    pub data: BTreeMap<String, Value>,
}

impl NewEvent {
    /// An event typed in time and without data.
    pub fn new(kind: &str, on: Day) -> Self {
        Self {
            kind: kind.to_owned(),
            on,
            entered: Entered::InTime,
            data: BTreeMap::new(),
        }
    }

    /// The same event with one more datum.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.data.insert(name.to_owned(), value);
        self
    }
}

/// An item (a material, a party) that exists from the creation on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemSeed {
    pub id: String,
    pub name: String,
    pub received: bool,
}

/// Everything of a new record; becomes one change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Creation {
    pub record: RecordId,
    pub head: Head,
    pub fields: Vec<(String, Value)>,
    pub items: Vec<ItemSeed>,
    pub events: Vec<NewEvent>,
}

/// One edit; several may share a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edit {
    Event(NewEvent),
    Field { name: String, value: Value },
    Item { id: String, key: String, value: Value },
    Note(String),
}

/// Whether the statements let an entry count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Valid,
    /// 待认: above the cut of a revoked or moved device; a later statement may let it in.
    Waiting,
}

/// Whether the tier in an envelope is known from statements; if not, the entry waits like one that is not recognised yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    Known,
    Unknown,
}

/// What the log says of a change: who, where, when. Nothing of it is read from the document.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Envelope {
    pub standing: Standing,
    pub author: Author,
    pub wall_ms: i64,
    pub skew_ms: Option<i32>,
    pub device: DeviceId,
    pub unit: UnitId,
    pub tier: Tier,
    pub user: UserId,
}

/// One entry of a log that belongs to the record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordEntry<'a> {
    pub envelope: Envelope,
    pub change: &'a [u8],
}

/// The versions that records pin.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub forms: &'a Forms,
    pub catalogues: &'a BTreeMap<Hash, Catalogue>,
}

/// Who wants to act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Who {
    pub unit: UnitId,
    pub tier: Tier,
    pub device: DeviceId,
    pub user: UserId,
}

/// Whether a record can be folded yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Ready,
    /// 等待模板
    AwaitingForm(Hash),
    AwaitingCatalogue(Hash),
    /// The creation change has not come (or is not recognised yet); so many entries are held.
    AwaitingEntries(usize),
    /// Nothing of what is held can be used.
    SetAside,
}

/// One of the values of a field. Several stand when they were written apart.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FieldValue {
    pub value: Value,
    pub device: DeviceId,
    pub unit: UnitId,
    pub tier: Tier,
    pub user: UserId,
    pub wall_ms: i64,
    /// The change that wrote it.
    pub change: Hash,
    /// The one shown meanwhile.
    pub leads: bool,
}

/// One material or party.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Item {
    pub values: BTreeMap<String, Value>,
    /// Received wins over missing.
    pub received: bool,
    /// Handed back since, by an event.
    pub given_back: bool,
}

/// Why an event does not count.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidReason {
    /// The form's version does not know it.
    UnknownEvent,
    /// The document holds something that is no event.
    Unreadable,
    /// Not from this state.
    WrongState { state: String },
    /// This author may not, at this point.
    NotEntitled,
    /// Required data is missing or out of range.
    BadData { name: String },
    /// A concurrent event stands.
    Concurrent { by: String },
}

/// What is to be said about an event that counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// 二次告知: not the first notice of missing materials.
    SecondNotice,
    /// Said the same as a concurrent one, which stands for both.
    Joined,
    /// Stands because it was decided so.
    Upheld,
    /// Its business date was corrected later.
    DateCorrected,
    /// Typed after its business date.
    Late,
}

/// One event in fold order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FoldedEvent {
    /// Twelve hexadecimal digits of the change's hash, a dot, the place in the change.
    pub id: String,
    pub kind: String,
    /// The business date, corrected if a later event did so.
    pub on: Day,
    pub on_typed: Day,
    pub data: BTreeMap<String, Value>,
    pub change: Hash,
    pub device: DeviceId,
    pub unit: UnitId,
    pub tier: Tier,
    pub user: UserId,
    pub wall_ms: i64,
    pub skew_ms: Option<i32>,
    pub lamport: u64,
    pub void: Option<VoidReason>,
    pub flags: BTreeSet<Flag>,
    /// The state after this event.
    pub state: String,
}

/// How the case was closed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Closure {
    /// The closing events, the one that counts first.
    pub events: Vec<String>,
    pub result: i64,
    pub on: Day,
    /// Who closed, and where, in the order of `events`.
    pub by: Vec<UserId>,
    pub units: Vec<UnitId>,
    /// False while different results await a decision: not counted as closed.
    pub counts: bool,
}

/// The effective evaluation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Evaluation {
    pub event: String,
    /// 1 very satisfied … 5 very dissatisfied.
    pub rating: i64,
    pub channel: String,
    pub on: Day,
}

/// One notice of missing materials.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Notice {
    pub event: String,
    pub on: Day,
    pub items: Vec<String>,
    /// 二次告知
    pub second: bool,
}

/// A stretch during which the clock stood still.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Suspension {
    pub from: Day,
    pub until: Option<Day>,
    /// 1 extension, 2 other.
    pub kind: i64,
}

/// One side of a conflict: what may be chosen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Side {
    /// The choice that a `resolve` event names.
    pub id: String,
    /// What it is: an event's kind, a result code, a field's name.
    pub what: String,
    pub unit: UnitId,
    pub user: UserId,
}

/// A decision (裁定) on a conflict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Resolution {
    pub choice: String,
    pub reason: Option<String>,
    /// The `resolve` event.
    pub event: String,
    pub unit: UnitId,
    pub user: UserId,
    pub on: Day,
}

/// A conflict inside one record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RecordConflict {
    pub id: ConflictId,
    pub kind: ConflictKind,
    /// The field's name, for a field.
    pub subject: Option<String>,
    pub sides: Vec<Side>,
    pub resolved: Option<Resolution>,
}

/// Why a change is not applied.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum SetAsideReason {
    #[error("变更超过 256 KiB")]
    TooLong,
    #[error("不是单条原始变更")]
    NotARawChange,
    #[error("校验和不符")]
    BadChecksum,
    #[error("内容损坏，无法解析")]
    Malformed,
    #[error("操作或依赖数量超过上限")]
    TooMany,
    #[error("含有本版本不认识的内容，请升级后重试")]
    NotRecognised,
    #[error("署名与设备不符")]
    WrongActor,
    #[error("序号或计数与其依据不符")]
    WrongCounter,
    #[error("改写了办件头或已有事件")]
    Overwritten,
    #[error("同一设备同一序号已有另一条变更")]
    DuplicateSequence,
    #[error("所依据的变更已被搁置")]
    DependsOnSetAside,
    #[error("该记录的变更数量超过上限")]
    RecordTooLong,
    #[error("无权填写字段“{0}”")]
    FieldNotEntitled(String),
}

/// A change that is kept but not applied.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct SetAside {
    pub change: Hash,
    pub device: DeviceId,
    pub reason: SetAsideReason,
}

/// A free note.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Note {
    pub text: String,
    pub user: UserId,
    pub unit: UnitId,
    pub wall_ms: i64,
}

/// A record as it stands. The same set of entries gives the same bytes, in whatever order they came.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Folded {
    pub record: RecordId,
    pub head: Option<Head>,
    pub status: Status,
    /// The state's name in the form; `double_closed` while two different closings await a decision.
    pub state: String,
    pub fields: BTreeMap<String, Vec<FieldValue>>,
    pub items: BTreeMap<String, Item>,
    /// In fold order, void ones included.
    pub events: Vec<FoldedEvent>,
    pub closure: Option<Closure>,
    pub evaluation: Option<Evaluation>,
    pub notices: Vec<Notice>,
    /// Materials told to be missing and not supplied since.
    pub outstanding: BTreeSet<String>,
    pub suspensions: Vec<Suspension>,
    pub received_on: Option<Day>,
    pub accepted_on: Option<Day>,
    /// The unit that decided, and the one that holds the case.
    pub decided_by: Option<UnitId>,
    pub custody: Option<UnitId>,
    pub conflicts: Vec<RecordConflict>,
    /// Every decision in the record, also on conflicts that span records.
    pub resolutions: BTreeMap<ConflictId, Resolution>,
    pub notes: Vec<Note>,
    pub set_aside: Vec<SetAside>,
    /// Entries whose predecessors have not come.
    pub waiting: usize,
    /// 待认: entries that no statement lets in yet, and those that depend on them.
    pub unrecognised: usize,
}

impl Folded {
    /// Hash of everything above; equal wherever the same entries and versions are held by the same software version.
    pub fn digest(&self) -> Hash {
        struct Text(Sha256);
        impl fmt::Write for Text {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.update(text);
                Ok(())
            }
        }
        // Hashed as it is written: a record's text is some kilobytes, and a hub writes thousands of them a second.
        let mut text = Text(Sha256::new());
        let written = fmt::write(&mut text, format_args!("{self:?}"));
        assert!(written.is_ok(), "writing to a hash failed");
        Hash(text.0.finalize().into())
    }

    /// The value shown for a field: the one that leads.
    pub fn field(&self, name: &str) -> Option<&Value> {
        let values = self.fields.get(name)?;
        values.iter().find(|v| v.leads).map(|v| &v.value)
    }

    /// Conflict items that await a decision.
    pub fn open_conflicts(&self) -> impl Iterator<Item = &RecordConflict> {
        self.conflicts.iter().filter(|c| c.resolved.is_none())
    }
}
