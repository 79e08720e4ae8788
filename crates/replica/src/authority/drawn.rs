//! The tree as it was published, kept from fold to fold.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::id::{Hash, UnitId};
use ledger::organisation::Organisation;
use ledger::version_hash;

use super::Stated;
use super::units::Units;
use crate::entry::{LogId, Tip};
use crate::statement::{Parts, Statement};

/// What some statements draw. Of ten thousand units that takes longer than all the rest of a fold, and a county publishes its tree
/// some times a year: as long as the same statements do, it is the same.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Drawn {
    top: Option<UnitId>,
    by: Vec<(LogId, Tip)>,
    /// The leading version.
    pub(super) organisation: Option<Arc<Organisation>>,
    pub(super) units: Arc<Units>,
}

impl Drawn {
    /// `publishing`: those statements that count and hold versions or parts of them, in the order of the set.
    pub(super) fn of(top: UnitId, publishing: &[&Stated], before: Option<&Self>) -> Self {
        let by: Vec<(LogId, Tip)> = publishing.iter().map(|stated| (stated.log, stated.tip)).collect();
        if let Some(same) = before.filter(|before| before.top == Some(top) && before.by == by) {
            return same.clone();
        }
        let versions = versions(publishing);
        let units = Arc::new(Units::new(top, &versions));
        let leading = versions
            .into_iter()
            .min_by_key(|(hash, version)| (Reverse(version.version), *hash));
        Self {
            top: Some(top),
            by,
            organisation: leading.map(|(_, version)| Arc::new(version)),
            units,
        }
    }
}

fn versions(publishing: &[&Stated]) -> BTreeMap<Hash, Organisation> {
    let mut versions = BTreeMap::new();
    let mut parts: BTreeMap<LogId, Parts<'_>> = BTreeMap::new();
    for stated in publishing {
        match stated.statement.as_ref() {
            Statement::Organisation(whole) => drop(versions.insert(version_hash(whole), whole.clone())),
            Statement::OrganisationPart(part) => parts.entry(stated.log).or_default().take(part),
            _ => {}
        }
    }
    versions.extend(parts.into_values().flat_map(Parts::wholes));
    versions
}
