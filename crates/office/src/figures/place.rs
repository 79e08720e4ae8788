//! 口径: under which unit a case counts: the one of its day (当时口径), or the one that goes on with it today (现行口径).

use std::collections::BTreeMap;

use ledger::day::Day;
use ledger::id::UnitId;
use ledger::organisation::Organisation;
use replica::authority::Authority;
use serde::{Deserialize, Serialize};

/// Deeper than any county is.
pub(crate) const DEPTH_MAX: usize = 32;

/// Under which unit a case counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Frame {
    /// 当时口径
    #[default]
    #[n(0)]
    Then,
    /// 现行口径
    #[n(1)]
    Now,
}

/// Finds the unit directly below the one that is reported on, for every book.
pub(crate) struct Places<'a> {
    authority: &'a Authority,
    organisation: &'a Organisation,
    top: UnitId,
    frame: Frame,
    /// Without dates in the tree one look per book is enough.
    dated: bool,
    known: BTreeMap<(UnitId, Option<Day>), Option<UnitId>>,
}

impl<'a> Places<'a> {
    pub(crate) fn new(authority: &'a Authority, organisation: &'a Organisation, top: UnitId, frame: Frame) -> Self {
        Self {
            authority,
            organisation,
            top,
            frame,
            dated: frame == Frame::Then && organisation.is_dated(),
            known: BTreeMap::new(),
        }
    }

    /// The unit below the reported one (or that one itself) under which a book's case of that day counts; `None` outside of it.
    pub(crate) fn child(&mut self, book: UnitId, on: Option<Day>) -> Option<UnitId> {
        let key = (book, on.filter(|_| self.dated));
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let found = self.look(book, on);
        self.known.insert(key, found);
        found
    }

    /// Whether the reported unit is the one named or has it below.
    pub(crate) fn covers(&mut self, unit: UnitId) -> bool {
        self.child(unit, None).is_some()
    }

    fn look(&self, book: UnitId, on: Option<Day>) -> Option<UnitId> {
        // A former life counts as the room that it became; it was never a place of its own.
        let unit = self.authority.unit(book).map_or(book, |unit| unit.id);
        let mut at = match self.frame {
            Frame::Then => unit,
            Frame::Now => self.organisation.heir(unit),
        };
        let mut below = at;
        for _ in 0..DEPTH_MAX {
            if at == self.top {
                return Some(below);
            }
            below = at;
            at = match (self.frame, on) {
                (Frame::Then, Some(on)) => self.organisation.unit_on(at, on).and_then(|u| u.parent),
                _ => None,
            }
            .or_else(|| self.authority.parent(at))?;
        }
        None
    }
}
