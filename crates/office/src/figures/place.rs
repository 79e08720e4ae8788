//! 口径: under which unit a case counts: the one of its day (当时口径), or the one that goes on with it today (现行口径).

use std::collections::BTreeMap;

use ledger::day::Day;
use ledger::id::UnitId;
use ledger::organisation::Organisation;
use replica::authority::Authority;
use serde::{Deserialize, Serialize};

use super::Question;

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

/// A unit for a stretch of days: a unit that moved stands in the organisation once for each time.
struct Stretch {
    from: Option<Day>,
    until: Option<Day>,
    parent: Option<UnitId>,
}

/// Finds the unit directly below the one that is reported on, for every book.
pub(crate) struct Places {
    top: UnitId,
    frame: Frame,
    today: Day,
    /// Without dates in the tree one look per book is enough.
    dated: bool,
    stretches: BTreeMap<UnitId, Vec<Stretch>>,
    known: BTreeMap<(UnitId, Option<Day>), Option<UnitId>>,
}

impl Places {
    pub(crate) fn new(authority: &Authority, q: &Question) -> Self {
        let organisation = authority.organisation();
        let dated = organisation.is_some_and(Organisation::is_dated);
        let mut stretches: BTreeMap<UnitId, Vec<Stretch>> = BTreeMap::new();
        for unit in organisation.filter(|_| dated).map_or(&[][..], |o| o.units.as_slice()) {
            stretches.entry(unit.id).or_default().push(Stretch {
                from: unit.from,
                until: unit.until,
                parent: unit.parent,
            });
        }
        Self {
            top: q.unit.id,
            frame: q.frame,
            today: q.today,
            dated,
            stretches,
            known: BTreeMap::new(),
        }
    }

    /// The unit below the reported one (or that one itself) under which a book's case of that day counts; `None` outside of it.
    pub(crate) fn child(&mut self, authority: &Authority, book: UnitId, on: Option<Day>) -> Option<UnitId> {
        // A reform that is published for a day to come has not happened yet: 现行口径 is how things are today.
        let on = match self.frame {
            Frame::Then => on.unwrap_or(self.today),
            Frame::Now => self.today,
        };
        let key = (book, Some(on).filter(|_| self.dated));
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let found = self.look(authority, book, on);
        self.known.insert(key, found);
        found
    }

    /// Whether the reported unit is the one named, or has it below, as of a day.
    pub(crate) fn covers(&mut self, authority: &Authority, unit: UnitId, on: Day) -> bool {
        self.child(authority, unit, Some(on)).is_some()
    }

    /// The unit above on a day, where the organisation says it of that day.
    fn parent_on(&self, unit: UnitId, on: Day) -> Option<UnitId> {
        let of = self.stretches.get(&unit)?;
        let holds = |s: &&Stretch| s.from.is_none_or(|from| from <= on) && s.until.is_none_or(|until| on < until);
        of.iter().find(holds).or_else(|| of.first())?.parent
    }

    fn look(&self, authority: &Authority, book: UnitId, on: Day) -> Option<UnitId> {
        // A former life counts as the room that it became; it was never a place of its own.
        let unit = authority.unit(book).map_or(book, |unit| unit.id);
        let mut at = match self.frame {
            Frame::Then => unit,
            Frame::Now => authority.organisation().map_or(unit, |o| o.heir(unit, on)),
        };
        let mut below = at;
        for _ in 0..DEPTH_MAX {
            if at == self.top {
                return Some(below);
            }
            below = at;
            let dated = self.dated.then(|| self.parent_on(at, on)).flatten();
            at = dated.or_else(|| authority.parent(at))?;
        }
        None
    }
}
