//! A county under siege: one room's key in the wrong hands, an honest room beside it, and what must hold all the while.

use std::cell::Cell;
use std::net::SocketAddr;

use cunlian_tests::county::PlaceId;
use ledger::id::UnitId;
use serde_json::Value;

use crate::foe::{Foe, unit_id};
use crate::rig::{Line, NEIGHBOUR, ROOM, any_case, ask, numbers, settle, verify, wait_for_county};

/// A county one of whose rooms has fallen into the wrong hands, and an honest room beside it.
pub(crate) struct Siege {
    pub(crate) line: Line,
    pub(crate) neighbour: PlaceId,
    pub(crate) foe: Foe,
    recorded: Cell<u32>,
}

impl Siege {
    pub(crate) fn lay() -> Self {
        let mut line = Line::found();
        let neighbour = line.county.room(NEIGHBOUR, &[line.township]).expect("a room");
        any_case(&line.county, line.room, 1);
        any_case(&line.county, neighbour, 2);
        wait_for_county(&line.county, line.room);
        wait_for_county(&line.county, neighbour);
        let foe = Foe::robs(&mut line.county, line.room);
        Self {
            line,
            neighbour,
            foe,
            recorded: Cell::new(2),
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.line.county[self.line.township].listen().expect("it listens")
    }

    pub(crate) fn honest(&self) -> [PlaceId; 3] {
        [self.line.top, self.line.township, self.neighbour]
    }

    pub(crate) fn status(&self, of: PlaceId) -> Value {
        ask(&self.line.county, of, &["status"])
    }

    /// The unit of the honest room.
    pub(crate) fn other(&self) -> UnitId {
        unit_id(&self.status(self.neighbour), NEIGHBOUR)
    }

    /// Entries that the township holds of the foe's book.
    pub(crate) fn held(&self) -> u64 {
        self.held_of("book")
    }

    /// Entries that the township holds of the foe's scope of this kind.
    pub(crate) fn held_of(&self, kind: &str) -> u64 {
        let status = self.status(self.line.township);
        let scopes = status["scopes"].as_array().expect("scopes");
        let of_foe = scopes.iter().filter(|s| s["unit"] == ROOM && s["kind"] == kind);
        of_foe.filter_map(|s| s["entries"].as_u64()).sum()
    }

    /// The county works: a case of the honest room comes to all tiers, and everybody answers.
    pub(crate) fn goes_on(&self) {
        self.recorded.set(self.recorded.get() + 1);
        let number = any_case(&self.line.county, self.neighbour, self.recorded.get());
        wait_for_county(&self.line.county, self.neighbour);
        for place in self.honest() {
            assert!(numbers(&self.line.county, place).contains(&number), "{place:?}");
        }
    }

    /// At the end: the same everywhere, and nothing is off in any folder.
    pub(crate) fn stands(mut self) {
        self.goes_on();
        settle(&self.line.county, &self.honest());
        for place in self.honest() {
            self.line.county[place].stop().expect("it stops");
        }
        verify(&self.line.county, &self.honest());
    }

    /// The most memory that the township's daemon has held, where the system says it.
    pub(crate) fn memory_kib(&self) -> Option<u64> {
        let pid = self.line.county[self.line.township].pid()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// How often a daemon said that a peer broke the protocol.
    pub(crate) fn faults(&self, of: PlaceId) -> usize {
        let log = self.line.county[of].data().with_extension("log");
        let log = std::fs::read_to_string(log).expect("a log");
        log.matches("broke the protocol").count()
    }
}
