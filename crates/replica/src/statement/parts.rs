//! An organisation of a province's size travels in several entries: one holds some three thousand units.

use std::collections::BTreeMap;

use ledger::id::Hash;
use ledger::organisation::{Organisation, Unit};
use ledger::version_hash;
use minicbor::{Decode, Encode};

use super::Statement;
use crate::limits::{NAME_BYTES_MAX, PARTS_MAX, UNITS_MAX};
use crate::wire::WireError;

/// Units of one part in bytes, so that with everything around them they fit into an entry.
const PART_BYTES: usize = 224 * 1024;

/// A part of an organisation that has more units than one entry holds. All parts lie in one log; in their order they are the version
/// whose hash they name, and before the last of them has come they say nothing.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct OrganisationPart {
    /// [`version_hash`] of the whole.
    #[n(0)]
    pub of: Hash,
    #[n(1)]
    pub version: u32,
    /// From 0 on.
    #[n(2)]
    pub at: u32,
    #[n(3)]
    pub parts: u32,
    #[n(4)]
    pub units: Vec<Unit>,
}

impl OrganisationPart {
    pub(super) fn check_limits(&self) -> Result<(), WireError> {
        super::within("parts", self.parts as usize, PARTS_MAX)?;
        super::within("part", self.at as usize + 1, self.parts as usize)?;
        check_units(&self.units)
    }
}

pub(super) fn check_units(units: &[Unit]) -> Result<(), WireError> {
    super::within("units", units.len(), UNITS_MAX)?;
    units
        .iter()
        .try_for_each(|unit| super::within("name", unit.name.len(), NAME_BYTES_MAX))
}

impl Statement {
    /// An organisation as it is stated: in one entry where it fits, which every version reads; in parts otherwise. More parts than the
    /// limits allow are the writer's own mistake: check by decoding before signing.
    pub fn organisation(whole: Organisation) -> Vec<Self> {
        let (mut some, mut bytes) = (vec![Vec::new()], 0);
        for unit in &whole.units {
            let len = minicbor::to_vec(unit).map_or(PART_BYTES, |encoded| encoded.len());
            let is_full = |part: &Vec<Unit>| part.len() == UNITS_MAX || bytes + len > PART_BYTES;
            if some.last().is_none_or(is_full) {
                some.push(Vec::new());
                bytes = 0;
            }
            bytes += len;
            if let Some(part) = some.last_mut() {
                part.push(unit.clone());
            }
        }
        if some.len() == 1 {
            return vec![Self::Organisation(whole)];
        }
        let (of, parts) = (version_hash(&whole), some.len() as u32);
        let part = |(at, units): (usize, Vec<Unit>)| {
            Self::OrganisationPart(OrganisationPart {
                of,
                version: whole.version,
                at: at as u32,
                parts,
                units,
            })
        };
        some.into_iter().enumerate().map(part).collect()
    }
}

/// Parts that one hand has stated, until all of a whole are there.
#[derive(Default)]
pub struct Parts<'a>(BTreeMap<(Hash, u32), BTreeMap<u32, &'a OrganisationPart>>);

impl<'a> Parts<'a> {
    /// Takes one in; of several with one number the first.
    pub fn take(&mut self, part: &'a OrganisationPart) {
        let of = self.0.entry((part.of, part.parts)).or_default();
        of.entry(part.at).or_insert(part);
    }

    /// The wholes that are complete and are what they say.
    pub fn wholes(self) -> impl Iterator<Item = (Hash, Organisation)> {
        self.0.into_iter().filter_map(|((of, parts), all)| {
            if all.len() != parts as usize {
                return None;
            }
            let whole = Organisation {
                version: all.values().next()?.version,
                units: all.values().flat_map(|part| part.units.iter().cloned()).collect(),
            };
            (version_hash(&whole) == of).then_some((of, whole))
        })
    }
}
