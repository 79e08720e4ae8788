//! Logs (日志链) in RAM: the branches of every log, without their entries.
//!
//! A log is a tree: entries are its nodes, a fork (a cloned disk, a restored backup) is a node with several children. It is kept as
//! branches: consecutive entries with a number of their own, the first from the log's start, each other one from an entry of another
//! branch. Branch numbers are local and never reused; vectors speak of leaves only.

use std::cell::Cell;
use std::collections::BTreeMap;

use ledger::id::{DeviceId, Hash, Scope};

use crate::entry::{LogId, Tip};
use crate::run::VerifiedRun;
use crate::vector::Vector;
use crate::wire::WireError;

mod plan;
#[cfg(test)]
mod tests;
mod tree;

use tree::{Tree, Unreadable};

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

static EMPTY: Vector = Vector { logs: BTreeMap::new() };

/// All logs of one replica.
#[derive(Debug, Default)]
pub struct Logs {
    scopes: BTreeMap<Scope, ScopeLogs>,
}

#[derive(Debug, Default)]
struct ScopeLogs {
    trees: BTreeMap<(DeviceId, u64), Tree>,
    vector: Vector,
    digest: Cell<Option<Hash>>,
}

impl ScopeLogs {
    fn refresh(&mut self, key: (DeviceId, u64)) {
        let tips = self.trees.get(&key).map(Tree::leaf_tips).unwrap_or_default();
        self.vector.set(key.0, key.1, tips);
        self.digest.set(None);
    }
}

impl Logs {
    /// No logs.
    pub fn new() -> Self {
        Self::default()
    }

    fn tree(&self, log: &LogId) -> Option<&Tree> {
        self.scopes.get(&log.scope)?.trees.get(&(log.device, log.epoch))
    }

    /// Where `run` belongs. Changes nothing. While what is held at its place cannot be read, it is a gap: taking it in could fork a log
    /// from itself.
    pub fn place(&self, run: &VerifiedRun, hashes: &dyn Hashes) -> Place {
        let prev = run.run().prev;
        let Some(tree) = self.tree(run.log()) else {
            return if prev == Tip::START {
                Place::New(Attach {
                    skip: 0,
                    branch: 0,
                    after: prev,
                    from: None,
                    to: run.tip(),
                })
            } else {
                Place::Gap { have: Vec::new() }
            };
        };
        place_in(tree, run, hashes).unwrap_or_else(|Unreadable| Place::Gap { have: tree.leaf_tips() })
    }

    /// Takes in what [`Logs::place`] answered for a run of `log`. To be called once the entries are journalled.
    pub fn attach(&mut self, log: &LogId, attach: &Attach) {
        let scope = self.scopes.entry(log.scope).or_default();
        let key = (log.device, log.epoch);
        scope.trees.entry(key).or_default().attach(attach);
        scope.refresh(key);
    }

    /// The scopes with at least one entry.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> + '_ {
        self.scopes
            .iter()
            .filter(|(_, logs)| !logs.vector.logs.is_empty())
            .map(|(scope, _)| *scope)
    }

    /// The logs of one scope that hold at least one entry.
    pub fn logs(&self, scope: Scope) -> impl Iterator<Item = LogId> + '_ {
        self.vector(scope)
            .logs
            .keys()
            .map(move |&(device, epoch)| LogId { scope, device, epoch })
    }

    /// What is held of a scope; empty for a scope without entries.
    pub fn vector(&self, scope: Scope) -> &Vector {
        self.scopes.get(&scope).map_or(&EMPTY, |logs| &logs.vector)
    }

    /// The digest of that vector; zero for an empty one. Cached.
    pub fn digest(&self, scope: Scope) -> Hash {
        let Some(logs) = self.scopes.get(&scope) else {
            return Hash::ZERO;
        };
        let digest = logs.digest.get().unwrap_or_else(|| logs.vector.digest(scope));
        logs.digest.set(Some(digest));
        digest
    }

    /// Entries held in a scope, all branches.
    pub fn entries(&self, scope: Scope) -> u64 {
        self.scopes
            .get(&scope)
            .map_or(0, |logs| logs.trees.values().map(Tree::entries).sum())
    }

    /// The leaves of one log, sorted; more than one where it has forked.
    pub fn tips(&self, log: &LogId) -> &[Tip] {
        self.vector(log.scope).tips(log)
    }

    /// The branches of one log that hold entries: number, the place before the first own entry, the last own entry.
    pub fn branches(&self, log: &LogId) -> Vec<(u32, Tip, Tip)> {
        self.tree(log).map(Tree::live_branches).unwrap_or_default()
    }

    /// Whether the entry at `tip` is held; the start always is.
    pub fn holds(&self, log: &LogId, tip: Tip, hashes: &dyn Hashes) -> bool {
        tip == Tip::START || self.locate(log, tip, hashes).is_some()
    }

    /// Where an entry lies; `None` when it is not held, and for the start.
    pub fn locate(&self, log: &LogId, tip: Tip, hashes: &dyn Hashes) -> Option<Spot> {
        self.tree(log)?.locate(log, tip, hashes)
    }

    /// The path from the log's start to the entry at `spot`, as pieces `(branch, first seq, last seq)` in order.
    pub fn path(&self, log: &LogId, spot: Spot) -> Vec<(u32, u64, u64)> {
        self.tree(log).map(|tree| tree.path(spot)).unwrap_or_default()
    }

    /// Whether the entry at `older` is the entry at `younger` or an ancestor of it.
    pub fn is_below(&self, log: &LogId, older: Spot, younger: Spot) -> bool {
        self.path(log, younger)
            .iter()
            .any(|&(branch, first, last)| branch == older.branch && (first..=last).contains(&older.seq))
    }

    /// The entry of the path to `tip` (which must be held) that has this sequence number.
    pub fn ancestor_at(&self, log: &LogId, tip: Tip, seq: u64, hashes: &dyn Hashes) -> Option<Tip> {
        if seq == 0 {
            return Some(Tip::START);
        }
        let tree = self.tree(log)?;
        let spot = tree.locate(log, tip, hashes)?;
        let (branch, ..) = *tree
            .path(spot)
            .iter()
            .find(|(_, first, last)| (*first..=*last).contains(&seq))?;
        let hash = tree.hash_at(log, Spot { branch, seq }, hashes)?;
        Some(Tip { seq, hash })
    }

    /// How many held entries of `log` lie neither at nor below any of `tips`; tips not held count for nothing.
    pub fn beyond(&self, log: &LogId, tips: &[Tip], hashes: &dyn Hashes) -> u64 {
        self.tree(log).map_or(0, |tree| tree.beyond(log, tips, hashes))
    }

    /// What a peer with the tips `theirs` lacks of `log`. `common`: places that both are known to hold, from asking for hashes;
    /// when it is not empty ([`Tip::START`] counts), tips of theirs that are not held here are no reason to ask again.
    pub fn send_plan(&self, log: &LogId, theirs: &[Tip], common: &[Tip], hashes: &dyn Hashes) -> SendPlan {
        match self.tree(log) {
            None => SendPlan::Send(Vec::new()),
            Some(tree) => plan::plan(tree, log, theirs, common, hashes),
        }
    }

    /// Cuts a branch back so that it ends at `to` (an entry of it, or the one before its first), and drops all that grew from what is
    /// cut off. For damage on the disk: what is dropped is fetched again. `to` should be a checkpoint.
    pub fn lower(&mut self, log: &LogId, branch: u32, to: Tip) {
        let Some(scope) = self.scopes.get_mut(&log.scope) else {
            return;
        };
        let key = (log.device, log.epoch);
        if let Some(tree) = scope.trees.get_mut(&key) {
            tree.lower(branch, to);
            scope.refresh(key);
        }
    }

    /// One log's state for the index; `None` when nothing was ever held of it.
    pub fn encode_log(&self, log: &LogId) -> Option<Vec<u8>> {
        self.tree(log).map(Tree::encode)
    }

    /// Puts back what [`Logs::encode_log`] gave, replacing what is there.
    pub fn restore_log(&mut self, log: &LogId, state: &[u8]) -> Result<(), WireError> {
        let tree = Tree::decode(state)?;
        let scope = self.scopes.entry(log.scope).or_default();
        let key = (log.device, log.epoch);
        scope.trees.insert(key, tree);
        scope.refresh(key);
        Ok(())
    }
}

/// The sequence numbers to ask a peer for below one of its tips: falling in doubling steps, the start left out (it is always common).
pub fn ladder(tip_seq: u64) -> Vec<u64> {
    let mut steps = Vec::new();
    let mut step = 1;
    while step < tip_seq {
        steps.push(tip_seq - step);
        step *= 2;
    }
    steps
}

/// Logs together with the hashes of their entries: what answers questions of ancestry.
pub struct Held<'a> {
    pub logs: &'a Logs,
    pub hashes: &'a dyn Hashes,
}

impl Ancestry for Held<'_> {
    fn is_ancestor(&self, log: &LogId, older: Tip, younger: Tip) -> bool {
        // The sequence numbers settle most questions without asking for a hash.
        if older.seq > younger.seq || (older.seq == younger.seq && older != younger) {
            return false;
        }
        let (Some(older), Some(younger)) = (
            self.logs.locate(log, older, self.hashes),
            self.logs.locate(log, younger, self.hashes),
        ) else {
            return false;
        };
        self.logs.is_below(log, older, younger)
    }
}

/// Where a run belongs in a log of which something is held.
fn place_in(tree: &Tree, run: &VerifiedRun, hashes: &dyn Hashes) -> Result<Place, Unreadable> {
    let (log, prev) = (run.log(), run.run().prev);
    let from = match tree.locate(log, prev, hashes) {
        Some(spot) => Some(spot),
        None if prev == Tip::START => None,
        None => {
            return Ok(Place::Gap { have: tree.leaf_tips() });
        }
    };
    let place = |held: usize| Tip {
        seq: prev.seq + held as u64,
        hash: run.hashes()[held - 1],
    };
    // What is held is closed under "comes before", so the held part of a run is a prefix of it, found by halving.
    let count = run.hashes().len();
    let (mut skip, mut last) = (0, from);
    if let Some(spot) = tree.locate_surely(log, place(1), hashes)? {
        if tree.locate_surely(log, place(count), hashes)?.is_some() {
            return Ok(Place::Held);
        }
        (skip, last) = (1, Some(spot));
        let mut beyond = count;
        while beyond - skip > 1 {
            let middle = skip + (beyond - skip) / 2;
            match tree.locate_surely(log, place(middle), hashes)? {
                Some(spot) => (skip, last) = (middle, Some(spot)),
                None => beyond = middle,
            }
        }
    }
    Ok(Place::New(Attach {
        skip,
        branch: tree.branch_after(last),
        after: if skip == 0 { prev } else { place(skip) },
        from: last,
        to: run.tip(),
    }))
}
