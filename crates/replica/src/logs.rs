//! Logs (日志链) in RAM: the branches of every log, without their entries.
//!
//! A log is a tree: entries are its nodes, a fork (a cloned disk, a restored backup) is a node with several children. It is kept as
//! branches: consecutive entries with a number of their own, the first from the log's start, each other one from an entry of another
//! branch. Branch numbers are local and never reused; vectors speak of leaves only.

use ledger::id::{Hash, Scope};

use crate::entry::{LogId, Tip};
use crate::run::VerifiedRun;
use crate::vector::Vector;
use crate::wire::WireError;

/// Where entries of a log lie here. Local: two replicas number the branches of a fork differently.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Spot {
    pub branch: u32,
    pub seq: u64,
}

/// Hashes of held entries, answered by whoever keeps them.
pub trait Hashes {
    /// The hash of the entry of `log` at `spot`; `None` when it is not held. Asked only for spots within a branch's own entries.
    fn hash(&self, log: &LogId, spot: Spot) -> Option<Hash>;
}

/// Whether one entry lies below another in a log.
pub trait Ancestry {
    /// True when `older` is `younger` or an ancestor of it and both are held. What is not held is not known, hence false.
    fn is_ancestor(&self, log: &LogId, older: Tip, younger: Tip) -> bool;
}

/// What a run means to what is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// All but the first `skip` entries are new; they go onto `branch` after `after`. Pass it to [`Logs::attach`].
    New(Attach),
    /// Every entry is held already.
    Held,
    /// The entry before the run is not held; these are the tips that are.
    Gap { have: Vec<Tip> },
}

/// Where the new entries of a run go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attach {
    /// Entries at the run's start that are held already.
    pub skip: usize,
    /// The branch that gets them: an existing one that ends at `after`, or the next new number.
    pub branch: u32,
    /// The entry before the first new one, and where it lies; `None` before the first entry of the log.
    pub after: Tip,
    pub from: Option<Spot>,
    pub to: Tip,
}

/// What to send of one log to a peer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SendPlan {
    /// These ranges, in this order (a fork's stem before its branches). Empty when the peer has everything.
    Send(Vec<(Tip, Tip)>),
    /// The peer names tips not held here and is shorter: ask it for hashes below these, then plan again with what is common.
    Ask(Vec<Tip>),
    /// The peer is ahead and will send first; plan again when its runs have come.
    Wait,
}

/// All logs of one replica.
#[derive(Debug, Default)]
pub struct Logs {}

impl Logs {
    pub fn new() -> Self {
        todo!()
    }

    /// Where `run` belongs. Changes nothing.
    pub fn place(&self, _run: &VerifiedRun, _hashes: &dyn Hashes) -> Place {
        todo!()
    }

    /// Takes in what [`Logs::place`] answered for a run of `log`. To be called once the entries are journalled.
    pub fn attach(&mut self, _log: &LogId, _attach: &Attach) {
        todo!()
    }

    /// The scopes with at least one entry.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> + '_ {
        std::iter::empty()
    }

    /// The logs of one scope.
    pub fn logs(&self, _scope: Scope) -> impl Iterator<Item = LogId> + '_ {
        std::iter::empty()
    }

    /// What is held of a scope; empty for a scope without entries.
    pub fn vector(&self, _scope: Scope) -> &Vector {
        todo!()
    }

    /// The digest of that vector; zero for an empty one. Cached.
    pub fn digest(&self, _scope: Scope) -> Hash {
        todo!()
    }

    /// Entries held in a scope, all branches.
    pub fn entries(&self, _scope: Scope) -> u64 {
        todo!()
    }

    pub fn tips(&self, _log: &LogId) -> &[Tip] {
        todo!()
    }

    pub fn holds(&self, _log: &LogId, _tip: Tip, _hashes: &dyn Hashes) -> bool {
        todo!()
    }

    /// Where an entry lies; `None` when it is not held, and for the start.
    pub fn locate(&self, _log: &LogId, _tip: Tip, _hashes: &dyn Hashes) -> Option<Spot> {
        todo!()
    }

    /// The path from the log's start to the entry at `spot`, as pieces `(branch, first seq, last seq)` in order.
    pub fn path(&self, _log: &LogId, _spot: Spot) -> Vec<(u32, u64, u64)> {
        todo!()
    }

    /// Whether the entry at `older` is the entry at `younger` or an ancestor of it.
    pub fn is_below(&self, _log: &LogId, _older: Spot, _younger: Spot) -> bool {
        todo!()
    }

    /// The entry of the path to `tip` (which must be held) that has this sequence number.
    pub fn ancestor_at(&self, _log: &LogId, _tip: Tip, _seq: u64, _hashes: &dyn Hashes) -> Option<Tip> {
        todo!()
    }

    /// What a peer with the tips `theirs` lacks of `log`. `common`: places that both are known to hold, from asking for hashes;
    /// when it is not empty ([`Tip::START`] counts), tips of theirs that are not held here are no reason to ask again.
    pub fn send_plan(&self, _log: &LogId, _theirs: &[Tip], _common: &[Tip], _hashes: &dyn Hashes) -> SendPlan {
        todo!()
    }

    /// Cuts a branch back so that it ends at `to` (an entry of it, or the one before its first), and drops all that grew from what is
    /// cut off. For damage on the disk: what is dropped is fetched again.
    pub fn lower(&mut self, _log: &LogId, _branch: u32, _to: Tip) {
        todo!()
    }

    /// One log's state for the index; `None` when nothing is held of it.
    pub fn encode_log(&self, _log: &LogId) -> Option<Vec<u8>> {
        todo!()
    }

    /// Puts back what [`Logs::encode_log`] gave, replacing what is there.
    pub fn restore_log(&mut self, _log: &LogId, _state: &[u8]) -> Result<(), WireError> {
        todo!()
    }
}

/// Logs together with the hashes of their entries: what answers questions of ancestry.
pub struct Held<'a> {
    pub logs: &'a Logs,
    pub hashes: &'a dyn Hashes,
}

impl Ancestry for Held<'_> {
    fn is_ancestor(&self, _log: &LogId, _older: Tip, _younger: Tip) -> bool {
        todo!()
    }
}
