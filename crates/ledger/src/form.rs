//! Forms (台账模板): the schema of one kind of record. Written in TOML; a version's name is the hash of its canonical bytes.

mod source;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::id::{Hash, Tier};

pub use source::FormError;

/// A form is at most this long; the largest known ledger needs a tenth.
pub const FORM_BYTES_MAX: usize = 64 * 1024;

const CASE_TOML: &str = include_str!("../forms/case.toml");
const ERRAND_TOML: &str = include_str!("../forms/errand.toml");

/// What a field or a datum holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    Text,
    Int,
    Day,
    Flag,
    List,
}

/// A named check on input; see [`crate::check`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Check {
    Name,
    ResidentId,
    CreditCode,
    Phone,
    Address,
}

/// Which of several values written apart is shown meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leads {
    /// The higher tier, then the later in (Lamport, device).
    Last,
    /// The higher tier, then the earlier.
    First,
}

/// One field of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    pub label: String,
    pub kind: Type,
    pub required: bool,
    /// Personal values are sealed from the first entry on.
    pub personal: bool,
    pub check: Option<Check>,
    pub write: Vec<Tier>,
    pub leads: Leads,
    /// Place on the screen.
    pub place: u32,
}

/// One datum of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Datum {
    pub label: String,
    pub kind: Type,
    pub required: bool,
    pub min: Option<i64>,
    pub max: Option<i64>,
    /// If not empty, the only texts allowed.
    pub options: Vec<String>,
}

/// One state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    pub label: String,
    /// A terminal state reopens only by an explicit event.
    pub end: bool,
}

/// What must hold beside the tier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Condition {
    Always,
    /// 直办: the matter is handled in the village.
    Direct,
    /// 即办件
    OnTheSpot,
    /// The author's unit took the decision.
    Decider,
    /// The author's unit holds the case.
    Holder,
}

/// One kind of author who may emit an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entitled {
    /// `None` means every tier.
    pub tier: Option<Tier>,
    pub condition: Condition,
}

/// From which states, by whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Move {
    pub from: Vec<String>,
    pub who: Vec<Entitled>,
}

/// What an event does beside moving the state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    Nothing,
    Receive,
    Notice,
    Supply,
    Accept,
    Suspend,
    Resume,
    Decide,
    Close,
    Evaluate,
    Reopen,
    Void,
    HandOver,
    /// Whoever claims holds it.
    Claim,
    GiveBack,
    CorrectDate,
    Resolve,
}

/// One event of the transition table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    pub label: String,
    /// `None`: the state stays.
    pub to: Option<String>,
    pub moves: Vec<Move>,
    pub data: BTreeMap<String, Datum>,
    pub effect: Effect,
    /// A concurrent twin joins instead of being void; with a name, twins must agree on that datum or a conflict is raised.
    pub joins: Joins,
    /// Events before which this one steps back when they are concurrent, whatever the tier.
    pub yields_to: Vec<String>,
    /// Place on the screen.
    pub place: u32,
}

/// What becomes of a concurrent event of the same kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Joins {
    No,
    Yes,
    /// Joins, and this datum must agree.
    Agreeing(String),
}

/// How numbers are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numbering {
    /// [`crate::id::ProjectNo`]
    ProjectNo,
    None,
}

/// A secondary order or lookup that the index keeps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Index {
    pub on: Vec<String>,
    /// Lookup by keyed token, for personal values.
    pub token: bool,
}

/// One version of a form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Form {
    pub name: String,
    pub label: String,
    pub version: u32,
    pub initial: String,
    pub numbering: Numbering,
    pub fields: BTreeMap<String, Field>,
    /// Label of the items; their keys.
    pub items_label: String,
    pub item_keys: BTreeMap<String, Type>,
    pub states: BTreeMap<String, State>,
    pub events: BTreeMap<String, Event>,
    pub indexes: BTreeMap<String, Index>,
    hash: Hash,
}

impl Form {
    /// Reads a form.
    ///
    /// # Errors
    /// [`FormError`] names the place: too long, not TOML, an unknown key, a state or datum that is named but not declared.
    pub fn parse(toml: &str) -> Result<Self, FormError> {
        source::parse(toml)
    }

    /// SHA-256 of the canonical bytes: white space, comments and the order of keys do not change it.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The case (办件), compiled in.
    pub fn case() -> &'static Form {
        static CASE: OnceLock<Form> = OnceLock::new();
        CASE.get_or_init(|| Form::parse(CASE_TOML).unwrap_or_else(|e| panic!("forms/case.toml: {e}")))
    }

    /// The errand (代办), compiled in.
    pub fn errand() -> &'static Form {
        static ERRAND: OnceLock<Form> = OnceLock::new();
        ERRAND.get_or_init(|| Form::parse(ERRAND_TOML).unwrap_or_else(|e| panic!("forms/errand.toml: {e}")))
    }

    /// Chinese label of a state; its name if the form does not know it.
    pub fn state_label<'a>(&'a self, state: &'a str) -> &'a str {
        self.states.get(state).map_or(state, |s| &s.label)
    }

    /// Chinese label of an event; its name if the form does not know it.
    pub fn event_label<'a>(&'a self, kind: &'a str) -> &'a str {
        self.events.get(kind).map_or(kind, |e| &e.label)
    }

    /// Whether a record in this state is over.
    pub fn is_end(&self, state: &str) -> bool {
        self.states.get(state).is_some_and(|s| s.end)
    }
}

/// All versions of all forms that are known, by hash.
#[derive(Clone, Debug, Default)]
pub struct Forms {
    by_hash: BTreeMap<Hash, Arc<Form>>,
}

impl Forms {
    /// The forms that are compiled in.
    pub fn compiled() -> Self {
        let mut forms = Self::default();
        forms.add(Form::case().clone());
        forms.add(Form::errand().clone());
        forms
    }

    /// Adds a version; the same version again changes nothing.
    pub fn add(&mut self, form: Form) {
        self.by_hash.entry(form.hash).or_insert_with(|| Arc::new(form));
    }

    /// The version of that hash.
    pub fn of(&self, hash: &Hash) -> Option<&Form> {
        self.by_hash.get(hash).map(Arc::as_ref)
    }

    /// The latest version of that name: highest version, then larger hash.
    pub fn named(&self, name: &str) -> Option<&Form> {
        let versions = self.by_hash.values().filter(|f| f.name == name);
        versions.max_by_key(|f| (f.version, f.hash)).map(Arc::as_ref)
    }

    /// All versions, by hash.
    pub fn iter(&self) -> impl Iterator<Item = &Form> {
        self.by_hash.values().map(Arc::as_ref)
    }
}
