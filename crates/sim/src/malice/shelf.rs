//! What malice remembers between its events: copies on sticks, lines in dishonest hands, what operators still have to see to.

use std::collections::BTreeMap;
use std::fmt;

use ledger::id::DeviceId;
use replica::statement::Role;
use store::{MemDisk, MemPlace};

use crate::county::Member;
use crate::world::{LineId, Seat, World};

/// Copies kept of one device.
const COPIES_MAX: usize = 3;

/// What lies on the shelf of a county. See the module.
#[derive(Clone, Default)]
pub struct Shelf {
    begun: bool,
    copies: BTreeMap<Seat, Vec<(MemDisk, MemPlace)>>,
    /// Lines with dishonest hands on them, and the hub at their end.
    pub(super) tampered: Vec<(LineId, Seat)>,
    /// Second ways up: the line.
    pub(super) second_ways: Vec<LineId>,
    /// Lines that were laid elsewhere: to be laid back to the hub that they belong to.
    pub(super) moved: Vec<(LineId, Seat)>,
    /// Keys to be taken out: lost or stolen, and the unit that they belonged to.
    pub(super) to_revoke: Vec<(DeviceId, String)>,
    pub(super) revoked: Vec<DeviceId>,
    /// Keys whose disks died in honest hands.
    pub(super) dead: Vec<DeviceId>,
    /// Keys that no hub knew when they were to be taken out.
    pub(super) unknown: Vec<DeviceId>,
    /// Devices with an empty disk that wait for a ticket.
    pub(super) to_join: Vec<(Seat, String, Role)>,
    pub(super) clones: usize,
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf")
            .field("to_revoke", &self.to_revoke)
            .field("to_join", &self.to_join)
            .finish_non_exhaustive()
    }
}

impl Shelf {
    /// The first copies, from the first days: what everybody finds in the drawer.
    pub(super) fn begin(&mut self, world: &World, members: &[Member]) {
        if !self.begun {
            self.begun = true;
            for member in members {
                self.keep(member.seat, world.backup(member.seat));
            }
        }
    }

    pub(super) fn keep(&mut self, seat: Seat, copy: (MemDisk, MemPlace)) {
        let copies = self.copies.entry(seat).or_default();
        copies.push(copy);
        if copies.len() > COPIES_MAX {
            copies.remove(1);
        }
    }

    /// Copies of a device; the sticks stay as they are.
    pub(super) fn copies(&self, seat: Seat) -> Vec<(MemDisk, MemPlace)> {
        let copies = self.copies.get(&seat).into_iter().flatten();
        copies.map(|(disk, rows)| (disk.copy(), rows.copy())).collect()
    }

    pub(super) fn seats(&self) -> Vec<Seat> {
        self.copies.keys().copied().collect()
    }

    /// Copies of a disk that carries a key which is out are worth nothing.
    pub(super) fn throw_away(&mut self, seat: Seat) {
        self.copies.remove(&seat);
    }

    pub(super) fn is_clear(&self) -> bool {
        self.to_revoke.is_empty() && self.to_join.is_empty()
    }
}
