//! A set of entries read as one document: what applies, what is set aside, what waits. A function of the set alone.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::change::{ActorId, Change, OpId, Write, change_hash, parse};
use super::payload::{decode_head, of_scalar};
use super::{Author, Envelope, Head, RecordEntry, SetAside, SetAsideReason, Standing, Value, device_mark};
use crate::id::{DeviceId, Hash, UnitId};

/// More changes than this of one record are set aside: an ordinary case has five, the longest known forty.
pub const RECORD_CHANGES_MAX: usize = 2_048;
/// All operations of one record and the predecessors they name; ordering its events is quadratic in them.
const RECORD_OPS_MAX: usize = 4_096;

/// A change that applies, with what its place in the history gives it.
pub(super) struct Applied {
    pub(super) change: Change,
    pub(super) envelope: Envelope,
    /// 1 + the largest among its causes.
    pub(super) lamport: u64,
    /// Places in [`Document::changes`] of its causes.
    pub(super) deps: Vec<usize>,
    ancestors: Vec<u64>,
}

/// Everything that could be read.
pub(super) struct Document {
    /// In the order of (Lamport, hash): causes before effects.
    pub(super) changes: Vec<Applied>,
    pub(super) head: Option<Head>,
    pub(super) set_aside: BTreeSet<SetAside>,
    pub(super) waiting: usize,
    pub(super) unrecognised: usize,
    /// Every (actor, sequence) held, applied or not: none of them may be used again.
    pub(super) taken: BTreeSet<(ActorId, u64)>,
    by_hash: BTreeMap<Hash, Fate>,
    /// Who sent what was set aside.
    units: BTreeMap<Hash, UnitId>,
    ops: usize,
}

/// What became of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Applied(usize),
    SetAside,
    Unrecognised,
    Waiting,
}

impl Document {
    /// Whether change `a` is a cause of change `b`.
    pub(super) fn precedes(&self, a: usize, b: usize) -> bool {
        let ancestors = &self.changes[b].ancestors;
        ancestors.get(a / 64).is_some_and(|word| word >> (a % 64) & 1 == 1)
    }

    pub(super) fn concurrent(&self, a: usize, b: usize) -> bool {
        a != b && !self.precedes(a, b) && !self.precedes(b, a)
    }

    /// True if every change knew all before it, so that nothing was concurrent.
    pub(super) fn is_chain(&self) -> bool {
        let mut changes = self.changes.iter().enumerate().skip(1);
        changes.all(|(at, change)| change.deps.len() == 1 && change.deps[0] == at - 1)
    }

    /// The unit from which a change came that was set aside.
    pub(super) fn unit_of(&self, set_aside: &Hash) -> Option<UnitId> {
        self.units.get(set_aside).copied()
    }

    /// The changes that no other names as its cause.
    pub(super) fn tips(&self) -> Vec<usize> {
        let mut named = vec![false; self.changes.len()];
        for dep in self.changes.iter().flat_map(|c| &c.deps) {
            named[*dep] = true;
        }
        (0..self.changes.len()).filter(|at| !named[*at]).collect()
    }

    /// Reads a set of entries.
    pub(super) fn read(entries: &[RecordEntry]) -> Self {
        let mut document = Self {
            changes: Vec::with_capacity(entries.len()),
            head: None,
            set_aside: BTreeSet::new(),
            waiting: 0,
            unrecognised: 0,
            taken: BTreeSet::new(),
            by_hash: BTreeMap::new(),
            units: BTreeMap::new(),
            ops: 0,
        };
        let candidates = document.candidates(entries);
        document.place(candidates);
        document
    }

    fn put_aside(&mut self, change: Hash, envelope: &Envelope, reason: SetAsideReason) {
        let unit = self.units.entry(change).or_insert(envelope.unit);
        *unit = envelope.unit.min(*unit);
        self.set_aside.insert(SetAside {
            change,
            device: envelope.device,
            reason,
        });
    }

    /// The changes that are well formed, signed by their device and let in; of two with one (actor, sequence) the smaller hash.
    fn candidates(&mut self, entries: &[RecordEntry]) -> BTreeMap<Hash, (Change, Envelope)> {
        let mut candidates: BTreeMap<Hash, (Change, Envelope)> = BTreeMap::new();
        let mut held_back: BTreeMap<Hash, (ActorId, u64)> = BTreeMap::new();
        for entry in entries {
            let envelope = &entry.envelope;
            let recognised = envelope.standing == Standing::Valid && envelope.author == Author::Known;
            let change = match parse(entry.change) {
                Ok(change) => change,
                Err(_) if !recognised => {
                    held_back.insert(change_hash(entry.change), ([0; 16], 0));
                    continue;
                }
                Err(reason) => {
                    self.put_aside(change_hash(entry.change), envelope, reason);
                    continue;
                }
            };
            if !recognised {
                held_back.insert(change.hash, (change.actor, change.seq));
            } else if change.actor[..8] != device_mark(&envelope.device) {
                self.put_aside(change.hash, envelope, SetAsideReason::WrongActor);
            } else {
                // One change in two logs of a device (a copied disk): the same envelope wins wherever it came first.
                let known = candidates
                    .entry(change.hash)
                    .or_insert_with(|| (change, envelope.clone()));
                if *envelope < known.1 {
                    known.1 = envelope.clone();
                }
            }
        }
        for (hash, taken) in held_back {
            if !candidates.contains_key(&hash) {
                self.unrecognised += 1;
                self.by_hash.insert(hash, Fate::Unrecognised);
                self.taken.insert(taken);
            }
        }
        for set_aside in &self.set_aside {
            if !candidates.contains_key(&set_aside.change) {
                self.by_hash.insert(set_aside.change, Fate::SetAside);
            }
        }
        self.drop_duplicates(&mut candidates);
        candidates
    }

    /// Of changes that share (actor, sequence) the one applies on which more devices have built, else the smaller hash: otherwise a
    /// device could wipe out, afterwards, what others have acted upon. One that was built on another of them knew it, and is no rival.
    fn drop_duplicates(&mut self, candidates: &mut BTreeMap<Hash, (Change, Envelope)>) {
        let mut sharing: BTreeMap<(ActorId, u64), Vec<Hash>> = BTreeMap::new();
        for (hash, (change, _)) in candidates.iter() {
            sharing.entry((change.actor, change.seq)).or_default().push(*hash);
        }
        self.taken.extend(sharing.keys());
        for rivals in sharing.into_values().filter(|rivals| rivals.len() > 1) {
            let (knew, mut apart): (Vec<Hash>, Vec<Hash>) =
                rivals.iter().partition(|hash| builds_on(candidates, hash, &rivals));
            by_builders(candidates, &mut apart);
            let reasons = knew.iter().map(|hash| (hash, SetAsideReason::WrongCounter));
            let later = apart
                .iter()
                .skip(1)
                .map(|hash| (hash, SetAsideReason::DuplicateSequence));
            for (hash, reason) in reasons.chain(later) {
                self.by_hash.insert(*hash, Fate::SetAside);
                if let Some((_, envelope)) = candidates.get(hash) {
                    self.put_aside(*hash, &envelope.clone(), reason);
                }
            }
        }
        let by_hash = &self.by_hash;
        candidates.retain(|hash, _| by_hash.get(hash) != Some(&Fate::SetAside));
    }

    /// Applies candidates in the order of (Lamport, hash).
    fn place(&mut self, mut candidates: BTreeMap<Hash, (Change, Envelope)>) {
        self.create(&mut candidates);
        let mut missing: BTreeMap<Hash, usize> = BTreeMap::new();
        let mut dependents: BTreeMap<Hash, Vec<Hash>> = BTreeMap::new();
        let mut ready = BTreeSet::new();
        for (hash, (change, _)) in &candidates {
            let causes: BTreeSet<&Hash> = change.deps.iter().filter(|d| candidates.contains_key(d)).collect();
            for cause in &causes {
                dependents.entry(**cause).or_default().push(*hash);
            }
            if causes.is_empty() {
                ready.insert((self.lamport(&change.deps), *hash));
            } else {
                missing.insert(*hash, causes.len());
            }
        }
        while let Some((_, hash)) = ready.pop_first() {
            let Some((change, envelope)) = candidates.remove(&hash) else {
                continue;
            };
            let fate = self.settle(change, envelope);
            self.by_hash.insert(hash, fate);
            for dependent in dependents.remove(&hash).unwrap_or_default() {
                let Some(left) = missing.get_mut(&dependent) else {
                    continue;
                };
                *left -= 1;
                if let (0, Some((change, _))) = (*left, candidates.get(&dependent)) {
                    ready.insert((self.lamport(&change.deps), dependent));
                }
            }
        }
    }

    /// The creation change goes first. Of several, which only a forger makes, the record's is the one on which more devices have
    /// built, else the smaller hash: a small hash is made in a second, and must not wipe out what others have acted upon.
    fn create(&mut self, candidates: &mut BTreeMap<Hash, (Change, Envelope)>) {
        let mut roots: Vec<Hash> = candidates
            .iter()
            .filter(|(_, (c, _))| c.deps.is_empty())
            .map(|(h, _)| *h)
            .collect();
        by_builders(candidates, &mut roots);
        for hash in roots {
            let Some((change, envelope)) = candidates.remove(&hash) else {
                continue;
            };
            let reason = match (&self.head, creation(&change)) {
                (_, Err(reason)) => reason,
                (Some(_), Ok(_)) => SetAsideReason::Overwritten,
                (None, Ok(head)) => {
                    self.head = Some(head);
                    let fate = self.apply(change, envelope, Vec::new());
                    self.by_hash.insert(hash, fate);
                    continue;
                }
            };
            self.put_aside(hash, &envelope, reason);
            self.by_hash.insert(hash, Fate::SetAside);
        }
    }

    fn lamport(&self, deps: &[Hash]) -> u64 {
        let of = |hash| match self.by_hash.get(hash) {
            Some(Fate::Applied(at)) => self.changes[*at].lamport,
            _ => 0,
        };
        1 + deps.iter().map(of).max().unwrap_or(0)
    }

    /// Decides over a change whose causes are all decided.
    fn settle(&mut self, change: Change, envelope: Envelope) -> Fate {
        let fates = change
            .deps
            .iter()
            .map(|dep| self.by_hash.get(dep).copied().unwrap_or(Fate::Waiting));
        let fates: Vec<Fate> = fates.collect();
        if fates.contains(&Fate::SetAside) {
            self.put_aside(change.hash, &envelope, SetAsideReason::DependsOnSetAside);
            return Fate::SetAside;
        }
        if fates.contains(&Fate::Unrecognised) {
            self.unrecognised += 1;
            return Fate::Unrecognised;
        }
        if fates.contains(&Fate::Waiting) {
            self.waiting += 1;
            return Fate::Waiting;
        }
        let deps = fates
            .iter()
            .filter_map(|f| if let Fate::Applied(at) = f { Some(*at) } else { None });
        let deps: Vec<usize> = deps.collect();
        match self.fits(&change, &deps) {
            Ok(()) => self.apply(change, envelope, deps),
            Err(reason) => {
                self.put_aside(change.hash, &envelope, reason);
                Fate::SetAside
            }
        }
    }

    /// Whether a change says of itself what its causes say of it, and rewrites nothing that is written once.
    fn fits(&self, change: &Change, deps: &[usize]) -> Result<(), SetAsideReason> {
        if self.changes.len() >= RECORD_CHANGES_MAX || self.ops + change.weight() > RECORD_OPS_MAX {
            return Err(SetAsideReason::RecordTooLong);
        }
        let past = self.union(deps);
        let held = |at: usize| past.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1);
        let counter = deps
            .iter()
            .map(|at| self.changes[*at].change.next_op())
            .max()
            .unwrap_or(1);
        let mut earlier = self.changes.iter().enumerate();
        let follows = change.seq == 1
            || earlier.any(|(at, c)| c.change.actor == change.actor && c.change.seq + 1 == change.seq && held(at));
        if change.start_op != counter || !follows {
            return Err(SetAsideReason::WrongCounter);
        }
        for write in &change.writes {
            match write.key.as_bytes().first() {
                Some(b'h') => return Err(SetAsideReason::Overwritten),
                Some(b'e' | b'n') if !write.preds.is_empty() => return Err(SetAsideReason::Overwritten),
                _ => {}
            }
            for pred in &write.preds {
                let known = self.write(pred).is_some_and(|(at, w)| held(at) && w.key == write.key)
                    || change
                        .writes
                        .iter()
                        .any(|w| w.op == *pred && w.op < write.op && w.key == write.key);
                if !known {
                    return Err(SetAsideReason::WrongCounter);
                }
            }
        }
        Ok(())
    }

    /// The write with that id, and the place of its change.
    fn write(&self, op: &OpId) -> Option<(usize, &Write)> {
        self.changes.iter().enumerate().find_map(|(at, applied)| {
            let change = &applied.change;
            let place = op.0.checked_sub(change.start_op).filter(|_| change.actor == op.1)?;
            change.writes.get(usize::try_from(place).ok()?).map(|write| (at, write))
        })
    }

    /// All causes of a change with these direct ones.
    fn union(&self, deps: &[usize]) -> Vec<u64> {
        let mut past = vec![0u64; self.changes.len() / 64 + 1];
        for dep in deps {
            past[dep / 64] |= 1 << (dep % 64);
            for (word, more) in past.iter_mut().zip(&self.changes[*dep].ancestors) {
                *word |= more;
            }
        }
        past
    }

    fn apply(&mut self, change: Change, envelope: Envelope, deps: Vec<usize>) -> Fate {
        let at = self.changes.len();
        self.ops += change.weight();
        self.changes.push(Applied {
            lamport: 1 + deps.iter().map(|d| self.changes[*d].lamport).max().unwrap_or(0),
            ancestors: self.union(&deps),
            change,
            envelope,
            deps,
        });
        Fate::Applied(at)
    }

    /// Every register by its whole key, whoever wrote it: what a new write replaces.
    pub(super) fn registers_all(&self) -> BTreeMap<&str, Vec<Register>> {
        self.registers("", |_, _| true)
    }

    /// The registers whose keys begin with `mark`: by key, the values that no later write replaced. Writes for which
    /// `entitled` says no are left out as if they had never been made.
    pub(super) fn registers<'d>(
        &'d self,
        mark: &str,
        mut entitled: impl FnMut(&Applied, &str) -> bool,
    ) -> BTreeMap<&'d str, Vec<Register>> {
        let mut registers: BTreeMap<&str, Vec<Register>> = BTreeMap::new();
        for (at, applied) in self.changes.iter().enumerate() {
            for write in &applied.change.writes {
                let Some(key) = write.key.strip_prefix(mark) else {
                    continue;
                };
                let Some(value) = of_scalar(&write.value) else { continue };
                if !entitled(applied, key) {
                    continue;
                }
                let values = registers.entry(key).or_default();
                values.retain(|v| !write.preds.contains(&v.op));
                values.push(Register {
                    op: write.op,
                    at,
                    value,
                });
            }
        }
        registers
    }
}

/// One value that stands in a register.
#[derive(Clone)]
pub(super) struct Register {
    pub(super) op: OpId,
    pub(super) at: usize,
    pub(super) value: Value,
}

impl Change {
    /// The counter after this change's last operation.
    pub(super) fn next_op(&self) -> u64 {
        self.start_op.saturating_add(self.writes.len() as u64)
    }

    /// Operations and the predecessors they name: what reading them costs.
    fn weight(&self) -> usize {
        self.writes.iter().map(|w| 1 + w.preds.len()).sum()
    }
}

/// Whether one of the others is among the causes that this change names, directly or not.
fn builds_on(candidates: &BTreeMap<Hash, (Change, Envelope)>, hash: &Hash, others: &[Hash]) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![*hash];
    while let Some(next) = open.pop() {
        let Some((change, _)) = candidates.get(&next) else {
            continue;
        };
        for dep in &change.deps {
            if others.contains(dep) {
                return true;
            }
            if seen.insert(*dep) {
                open.push(*dep);
            }
        }
    }
    false
}

/// Puts changes of which one can stand in order: first that on which more devices have built, of equal ones the smaller hash.
fn by_builders(candidates: &BTreeMap<Hash, (Change, Envelope)>, rivals: &mut [Hash]) {
    if rivals.len() > 1 {
        let builders = builders(candidates, rivals);
        rivals.sort_by_key(|rival| (Reverse(builders.get(rival).map_or(0, BTreeSet::len)), *rival));
    }
}

/// By root: the devices that wrote it or what follows from it. A change that follows from several roots says nothing for any of them.
fn builders(candidates: &BTreeMap<Hash, (Change, Envelope)>, roots: &[Hash]) -> BTreeMap<Hash, BTreeSet<DeviceId>> {
    let mut dependents: BTreeMap<Hash, Vec<Hash>> = BTreeMap::new();
    for (hash, (change, _)) in candidates {
        for dep in &change.deps {
            dependents.entry(*dep).or_default().push(*hash);
        }
    }
    let mut root_of: BTreeMap<Hash, Option<Hash>> = BTreeMap::new();
    for root in roots {
        let mut open = vec![*root];
        while let Some(hash) = open.pop() {
            let claim = match root_of.get(&hash) {
                None => Some(*root),
                Some(held) if *held == Some(*root) || held.is_none() => continue,
                Some(_) => None,
            };
            root_of.insert(hash, claim);
            open.extend(dependents.get(&hash).into_iter().flatten());
        }
    }
    let mut builders: BTreeMap<Hash, BTreeSet<DeviceId>> = BTreeMap::new();
    for (hash, root) in root_of {
        if let (Some(root), Some((_, envelope))) = (root, candidates.get(&hash)) {
            builders.entry(root).or_default().insert(envelope.device);
        }
    }
    builders
}

/// Reads a creation change: it stands first, and writes one head.
fn creation(change: &Change) -> Result<Head, SetAsideReason> {
    if change.seq != 1 || change.start_op != 1 {
        return Err(SetAsideReason::WrongCounter);
    }
    if change.writes.iter().any(|w| !w.preds.is_empty()) {
        return Err(SetAsideReason::Malformed);
    }
    let mut heads = change.writes.iter().filter(|w| w.key.starts_with('h'));
    match (heads.next(), heads.next()) {
        (Some(write), None) if write.key == "h" => match &write.value {
            automerge::ScalarValue::Bytes(bytes) => decode_head(bytes).ok_or(SetAsideReason::Malformed),
            _ => Err(SetAsideReason::Malformed),
        },
        _ => Err(SetAsideReason::Malformed),
    }
}
