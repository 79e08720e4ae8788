//! The tree of units as all published versions of the organisation together have it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    above: BTreeMap<UnitId, Arc<BTreeSet<UnitId>>>,
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
            // Villages of one township have the same units above them: the set is made once.
            let mut below: BTreeMap<UnitId, Arc<BTreeSet<UnitId>>> = BTreeMap::new();
            for unit in &version.units {
                if let Entry::Vacant(vacant) = units.latest.entry(unit.id) {
                    vacant.insert(unit.clone());
                    if let Some(parent) = parents.get(&unit.id) {
                        units.parent.insert(unit.id, *parent);
                    }
                }
                let Some(parent) = parents.get(&unit.id) else {
                    units.above.entry(unit.id).or_default();
                    continue;
                };
                let above = below.entry(*parent).or_insert_with(|| {
                    let chain = chain(*parent, &parents);
                    Arc::new(chain.into_iter().chain([*parent]).collect())
                });
                // A cycle or an absurd depth ends at the unit itself, so there the set is its own.
                let above = match above.contains(&unit.id) || above.len() as u32 > DEPTH_MAX {
                    true => Arc::new(chain(unit.id, &parents).into_iter().collect()),
                    false => above.clone(),
                };
                units.add_above(unit.id, above);
            }
        }
        let ranks: Vec<(UnitId, u32)> = units
            .latest
            .keys()
            .filter_map(|unit| Some((*unit, units.steps_to(top, *unit)?)))
            .collect();
        units.rank.extend(ranks);
        for (unit, parent) in &units.parent {
            units.children.entry(*parent).or_default().insert(*unit);
        }
        units
    }

    fn add_above(&mut self, unit: UnitId, more: Arc<BTreeSet<UnitId>>) {
        match self.above.entry(unit) {
            Entry::Vacant(vacant) => {
                vacant.insert(more);
            }
            Entry::Occupied(held) if more.is_subset(held.get()) => {}
            Entry::Occupied(mut held) => Arc::make_mut(held.get_mut()).extend(more.iter()),
        }
    }

    /// Steps from a unit up to `top`; `None` for `top` itself and for what does not hang below it.
    fn steps_to(&self, top: UnitId, unit: UnitId) -> Option<u32> {
        let mut at = unit;
        for steps in 1..=DEPTH_MAX {
            at = *self.parent.get(&at)?;
            if at == top {
                return Some(steps);
            }
        }
        None
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
            let above = self.above.get(unit).into_iter().flat_map(|above| above.iter());
            let more = above.copied().chain([*unit]).collect();
            self.add_above(former, Arc::new(more));
        }
    }

    /// A unit, all above it and all below it, in their order; only what hangs below the topmost unit.
    pub(super) fn line_of(&self, unit: UnitId) -> BTreeSet<UnitId> {
        let mut line: BTreeSet<UnitId> = self.subtree(unit).into_iter().collect();
        let mut at = unit;
        while let Some(above) = self.parent(at).filter(|above| line.insert(*above)) {
            at = above;
        }
        line.retain(|unit| self.rank.contains_key(unit));
        line
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

#[cfg(test)]
mod tests {
    use ledger::id::UnitCode;
    use ledger::organisation::UnitKind;
    use proptest::prelude::*;

    use super::*;

    fn id(n: u8) -> UnitId {
        UnitId([n; 16])
    }

    /// Versions in which anybody may be above anybody, cycles and depths included.
    fn versions() -> impl Strategy<Value = BTreeMap<Hash, Organisation>> {
        let parents = prop::collection::vec(0_u8..45, 2..44);
        prop::collection::vec(parents, 1..4).prop_map(|versions| {
            let organisation = |(at, parents): (usize, Vec<u8>)| {
                let unit = |(n, parent): (usize, u8)| Unit {
                    id: id(n as u8 + 1),
                    code: UnitCode::parse(&format!("5116{n:02}")).expect("a code"),
                    name: String::new(),
                    kind: UnitKind::Village,
                    parent: Some(id(parent)),
                    from: None,
                    until: None,
                    into: None,
                };
                let organisation = Organisation {
                    version: at as u32 + 1,
                    units: parents.into_iter().enumerate().map(unit).collect(),
                };
                (ledger::version_hash(&organisation), organisation)
            };
            versions.into_iter().enumerate().map(organisation).collect()
        })
    }

    proptest! {
        #[test]
        fn what_is_above_a_unit_is_what_walking_up_finds(versions in versions()) {
            let top = id(0);
            let units = Units::new(top, &versions);
            let mut above: BTreeMap<UnitId, BTreeSet<UnitId>> = BTreeMap::new();
            for version in versions.values() {
                let parents: BTreeMap<UnitId, UnitId> =
                    version.units.iter().rev().filter_map(|unit| Some((unit.id, unit.parent?))).collect();
                for unit in &version.units {
                    above.entry(unit.id).or_default().extend(chain(unit.id, &parents));
                }
            }
            for (unit, above) in above {
                prop_assert_eq!(units.above[&unit].as_ref(), &above);
                let up = chain(unit, &units.parent);
                let rank = (up.last() == Some(&top)).then_some(up.len() as u32);
                prop_assert_eq!(units.rank(unit), rank);
                let line = units.line_of(unit);
                for other in units.all() {
                    let is_near = units.is_within(unit, other) || units.is_within(other, unit);
                    prop_assert_eq!(line.contains(&other), is_near, "{} and {}", unit, other);
                }
            }
        }
    }
}
