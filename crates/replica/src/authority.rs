//! Authority (成员与权限): who belongs, who may write what, and which statements count. A pure function of the set of statements.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::calendar::Calendar;
use ledger::catalogue::Catalogue;
use ledger::id::{DeviceId, Hash, HubPrefix, NodeCode, RecordId, Scope, Tier, UnitId, UserId};
use ledger::organisation::{Organisation, Unit};

use crate::credential::Introduced;
use crate::entry::{LogId, Tip};
use crate::logs::Ancestry;
use crate::receipt::Receipt;
use crate::statement::{Cut, Former, Grant, Role, Statement, User};

/// A statement and where it lies. Shared, so that folding again costs no copies.
#[derive(Clone, PartialEq, Debug)]
pub struct Stated {
    pub log: LogId,
    pub tip: Tip,
    pub statement: Arc<Statement>,
}

/// A device that somebody entitled has let in, as its leading admission has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    pub device: DeviceId,
    pub unit: UnitId,
    pub role: Role,
    /// The unit's tier; `None` until an organisation names the unit.
    pub tier: Option<Tier>,
    pub seal_key: [u8; 32],
    pub name: String,
    pub prefix: Option<HubPrefix>,
    /// Another hub keeps this prefix (given twice while apart): this one should get a new one.
    pub prefix_clash: bool,
    pub admitted_by: DeviceId,
    pub former: Option<Former>,
    /// `None` while at least one admission stands.
    pub revoked: Option<Revoked>,
    /// All units for which it has ever been admitted: its entries in their scopes count up to the cuts.
    pub units: BTreeSet<UnitId>,
    /// The code given at admission, and whether another device keeps it.
    pub code: NodeCode,
    pub code_clash: bool,
    /// Codes given to later epochs, after forks.
    pub codes: BTreeMap<u64, NodeCode>,
}

impl Member {
    /// The node code for case numbers made in `epoch`.
    pub fn node_code(&self, epoch: u64) -> NodeCode {
        self.codes.get(&epoch).copied().unwrap_or(self.code)
    }

    pub fn is_live(&self) -> bool {
        self.revoked.is_none()
    }
}

/// Who took a device out, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revoked {
    pub by: DeviceId,
    pub reason: String,
    /// Up to which entries its logs count, all statements combined.
    pub cuts: Vec<Cut>,
}

/// May a device write to a scope?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Write {
    Yes,
    /// Nothing is known of it yet: no fault, offer it again later.
    AuthorUnknown,
    NotEntitled,
}

/// Does an entry count?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    Valid,
    /// Kept and forwarded, not folded (待认): above the cut of a revoked device, or by nobody known.
    Waiting,
}

/// What all statements together say.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Authority {}

impl Authority {
    /// Folds a set of statements under the pinned `root`. Order and repetition of `statements` do not matter.
    pub fn fold(_root: DeviceId, _statements: &[Stated], _ancestry: &dyn Ancestry) -> Self {
        todo!()
    }

    pub fn root(&self) -> DeviceId {
        todo!()
    }

    /// The unit whose hubs the root admits; `None` before the root has said anything.
    pub fn top(&self) -> Option<UnitId> {
        todo!()
    }

    /// A device that is or was let in, revoked ones included.
    pub fn member(&self, _device: &DeviceId) -> Option<&Member> {
        todo!()
    }

    pub fn members(&self) -> impl Iterator<Item = &Member> {
        std::iter::empty()
    }

    /// True for devices taken out by a statement that counts.
    pub fn is_revoked(&self, _device: &DeviceId) -> bool {
        todo!()
    }

    pub fn tier_of(&self, _device: &DeviceId) -> Option<Tier> {
        todo!()
    }

    /// The unit as the latest organisation that has it knows it.
    pub fn unit(&self, _unit: UnitId) -> Option<&Unit> {
        todo!()
    }

    /// The organisation of the highest version (of equal ones, the one with the smaller hash).
    pub fn organisation(&self) -> Option<&Organisation> {
        todo!()
    }

    /// The unit above in the latest organisation that has `unit`; for a former unit, the one it was joined to.
    pub fn parent(&self, _unit: UnitId) -> Option<UnitId> {
        todo!()
    }

    /// `unit` and all below it, former ones included.
    pub fn subtree(&self, _unit: UnitId) -> Vec<UnitId> {
        todo!()
    }

    /// Whether `unit` is `above` or lies below it, today.
    pub fn is_within(&self, _unit: UnitId, _above: UnitId) -> bool {
        todo!()
    }

    pub fn may_write(&self, _device: &DeviceId, _scope: &Scope) -> Write {
        todo!()
    }

    /// Whether devices of `unit` may hold (read, ask for, be sent) a scope.
    pub fn may_hold(&self, _unit: UnitId, _scope: &Scope) -> bool {
        todo!()
    }

    /// The scopes that devices of both units may hold, public ones first.
    pub fn shared_scopes(&self, _a: UnitId, _b: UnitId) -> Vec<Scope> {
        todo!()
    }

    /// Whether the entry at `tip` counts.
    pub fn standing(&self, _log: &LogId, _tip: Tip, _ancestry: &dyn Ancestry) -> Standing {
        todo!()
    }

    /// Whether a (verified) receipt is from a standing hub that may hold its scope.
    pub fn receipt_counts(&self, _receipt: &Receipt) -> bool {
        todo!()
    }

    /// The standing hubs at or above the units of the given books: those whose receipts matter to a pair of peers.
    pub fn hubs_over(&self, _scopes: &[Scope]) -> BTreeSet<DeviceId> {
        todo!()
    }

    /// Whether an introduced device may stay for now: nobody in its chain is revoked or contradicts what is known.
    pub fn welcomes(&self, _introduced: &Introduced) -> bool {
        todo!()
    }

    pub fn catalogue(&self) -> Option<&Catalogue> {
        todo!()
    }

    pub fn catalogues(&self) -> &BTreeMap<Hash, Catalogue> {
        todo!()
    }

    pub fn calendar(&self) -> Option<&Calendar> {
        todo!()
    }

    pub fn calendars(&self) -> &BTreeMap<Hash, Calendar> {
        todo!()
    }

    /// Forms' TOML texts by the SHA-256 of the text.
    pub fn forms(&self) -> &BTreeMap<Hash, String> {
        todo!()
    }

    pub fn users(&self) -> impl Iterator<Item = &User> {
        std::iter::empty()
    }

    /// A person, as the statement of the highest unit has them.
    pub fn user(&self, _id: &UserId) -> Option<&User> {
        todo!()
    }

    /// The grants to one device that count.
    pub fn grants<'a>(&'a self, _device: &DeviceId) -> impl Iterator<Item = &'a Grant> {
        std::iter::empty()
    }

    /// Whether an erase statement that counts names the record.
    pub fn erased(&self, _record: &RecordId) -> bool {
        todo!()
    }

    pub fn erasures(&self) -> &BTreeSet<RecordId> {
        todo!()
    }

    /// Every prefix that any statement names, void or not: none of them is given again.
    pub fn prefixes_used(&self) -> &BTreeSet<u32> {
        todo!()
    }

    /// Every node code that any statement names, void or not: none of them is given again.
    pub fn node_codes_used(&self) -> &BTreeSet<u32> {
        todo!()
    }

    /// Statements of a kind that this version does not know: 需升级.
    pub fn unknown(&self) -> usize {
        todo!()
    }
}

/// The unit of a room that runs on its own under `root`: derived from the key, so that nobody else can claim it when the room joins a county.
pub fn alone_unit(_root: &DeviceId) -> UnitId {
    todo!()
}
