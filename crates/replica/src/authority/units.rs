//! The tree of units as all published versions of the organisation together have it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{Hash, UnitId};
use ledger::organisation::{Organisation, Unit};

/// Deeper trees than this are somebody's mistake; what lies below is outside the tree.
const DEPTH_MAX: u32 = 32;

#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Units {
    top: Option<UnitId>,
    /// Each unit as the latest version that has it knows it.
    latest: BTreeMap<UnitId, Unit>,
    /// The unit above, by the same version; for former units the one they were joined to.
    parent: BTreeMap<UnitId, UnitId>,
    children: BTreeMap<UnitId, BTreeSet<UnitId>>,
    /// All units that any version has strictly above: a moved room's old hub keeps what it wrote.
    above: BTreeMap<UnitId, BTreeSet<UnitId>>,
    rank: BTreeMap<UnitId, u32>,
}

impl Units {
    /// `versions` in any order; `top` is the topmost unit whatever they say.
    pub(super) fn new(top: UnitId, versions: &BTreeMap<Hash, Organisation>) -> Self {
        let mut ordered: Vec<_> = versions.iter().collect();
        ordered.sort_by_key(|(hash, version)| (std::cmp::Reverse(version.version), **hash));
        let mut units = Self {
            top: Some(top),
            ..Self::default()
        };
        units.rank.insert(top, 0);
        for (_, version) in ordered {
            // A unit that moved is listed once for each time; the first one listed is how it stands.
            let parents: BTreeMap<UnitId, UnitId> = version
                .units
                .iter()
                .rev()
                .filter(|unit| unit.id != top)
                .filter_map(|unit| Some((unit.id, unit.parent?)))
                .collect();
            for unit in &version.units {
                if let Entry::Vacant(vacant) = units.latest.entry(unit.id) {
                    vacant.insert(unit.clone());
                    if let Some(parent) = parents.get(&unit.id) {
                        units.parent.insert(unit.id, *parent);
                    }
                }
                let chain = chain(unit.id, &parents);
                units.above.entry(unit.id).or_default().extend(chain);
            }
        }
        for unit in units.latest.keys().copied().collect::<Vec<_>>() {
            let chain = chain(unit, &units.parent);
            if unit != top && chain.last() == Some(&top) {
                units.rank.insert(unit, chain.len() as u32);
            }
        }
        for (unit, parent) in &units.parent {
            units.children.entry(*parent).or_default().insert(*unit);
        }
        units
    }

    /// Hangs a former unit below `joined`; the units of `writers` and those above them may write to it.
    pub(super) fn graft(&mut self, former: UnitId, joined: UnitId, writers: &BTreeSet<UnitId>) {
        let Some(rank) = self.rank(joined) else {
            return;
        };
        self.rank.insert(former, rank + 1);
        self.parent.insert(former, joined);
        self.children.entry(joined).or_default().insert(former);
        for unit in writers {
            let mut above = self.above.get(unit).cloned().unwrap_or_default();
            above.insert(*unit);
            self.above.entry(former).or_default().extend(above);
        }
    }

    pub(super) fn latest(&self, unit: UnitId) -> Option<&Unit> {
        self.latest.get(&unit)
    }

    /// Steps below the topmost unit; `None` for what does not hang below it.
    pub(super) fn rank(&self, unit: UnitId) -> Option<u32> {
        self.rank.get(&unit).copied()
    }

    pub(super) fn parent(&self, unit: UnitId) -> Option<UnitId> {
        self.parent.get(&unit).copied().filter(|_| Some(unit) != self.top)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = UnitId> + '_ {
        self.rank.keys().copied()
    }

    /// Whether `above` had or has a say over `unit`: strictly above it in some version, and nearer to the top today. The second
    /// keeps two units that changed places from ruling each other.
    pub(super) fn rules(&self, above: UnitId, unit: UnitId) -> bool {
        match (self.rank(above), self.rank(unit)) {
            (Some(high), Some(low)) if high < low => self.covers(above, unit),
            _ => false,
        }
    }

    /// Whether `unit` is `above` or lies below it in any version.
    pub(super) fn covers(&self, above: UnitId, unit: UnitId) -> bool {
        above == unit || self.above.get(&unit).is_some_and(|set| set.contains(&above))
    }

    /// Whether `unit` is `above` or lies below it today.
    pub(super) fn is_within(&self, unit: UnitId, above: UnitId) -> bool {
        let mut at = Some(unit);
        for _ in 0..=DEPTH_MAX {
            match at {
                Some(here) if here == above => return true,
                Some(here) => at = self.parent(here),
                None => return false,
            }
        }
        false
    }

    pub(super) fn subtree(&self, unit: UnitId) -> Vec<UnitId> {
        let mut seen = BTreeSet::from([unit]);
        let mut found = vec![unit];
        let mut next = 0;
        while let Some(at) = found.get(next).copied() {
            next += 1;
            for child in self.children.get(&at).into_iter().flatten() {
                if seen.insert(*child) {
                    found.push(*child);
                }
            }
        }
        found
    }
}

/// The units above `unit`, nearest first. Ends where a cycle closes or the depth is absurd.
fn chain(unit: UnitId, parents: &BTreeMap<UnitId, UnitId>) -> Vec<UnitId> {
    let mut chain = Vec::new();
    let mut at = unit;
    while let Some(parent) = parents.get(&at) {
        if *parent == unit || chain.contains(parent) || chain.len() as u32 >= DEPTH_MAX {
            break;
        }
        chain.push(*parent);
        at = *parent;
    }
    chain
}
