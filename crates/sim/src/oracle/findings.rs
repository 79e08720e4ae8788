//! What one look has found, and what it has compared.

use std::collections::BTreeMap;

use super::Check;
use crate::world::Seat;

/// One thing that did not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    pub check: Check,
    pub seat: Seat,
    pub what: String,
}

impl Found {
    pub(super) fn new(check: Check, seat: Seat, what: String) -> Self {
        Self { check, seat, what }
    }
}

/// What did not hold, and how often something was compared with something: a check that finds nothing proves nothing by itself.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) found: Vec<Found>,
    pub(super) made: BTreeMap<Check, u64>,
}

impl Findings {
    pub(super) fn push(&mut self, found: Found) {
        self.found.push(found);
    }

    /// So many things have been compared.
    pub(super) fn compared(&mut self, check: Check, times: usize) {
        if times > 0 {
            *self.made.entry(check).or_default() += times as u64;
        }
    }
}
