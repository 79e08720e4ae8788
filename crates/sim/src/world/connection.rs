//! Connections: each end has its own view of whether one still stands.

use std::collections::{BTreeMap, VecDeque};

use office::SessionId;

use super::Seat;
use super::transport::LineId;
use crate::line::Lane;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct ConnectionId(u64);

/// A frame on its way.
pub(super) struct Flying {
    pub(super) bytes: Vec<u8>,
    pub(super) arrives_ms: u64,
}

/// One connection. `ends[0]` dialled.
pub(super) struct Connection {
    pub(super) line: LineId,
    pub(super) seats: [Seat; 2],
    /// `None`: this end is gone, whatever the other believes.
    pub(super) ids: [Option<SessionId>; 2],
    /// What each end has sent.
    pub(super) flying: [VecDeque<Flying>; 2],
    pub(super) flying_bytes: [usize; 2],
    pub(super) lanes: [Lane; 2],
    /// The end has said its last word; the other learns of it after the last frame.
    pub(super) finished: [bool; 2],
    /// Frames of this end wait for the line to work again.
    pub(super) held: [bool; 2],
    pub(super) began_ms: u64,
    /// Somebody has had his hands on its frames.
    pub(super) tampered: bool,
}

#[derive(Default)]
pub(super) struct Connections {
    all: BTreeMap<ConnectionId, Connection>,
    made: u64,
}

impl Connections {
    pub(super) fn add(&mut self, connection: Connection) -> ConnectionId {
        self.made += 1;
        let id = ConnectionId(self.made);
        self.all.insert(id, connection);
        id
    }

    pub(super) fn at(&self, id: ConnectionId) -> Option<&Connection> {
        self.all.get(&id)
    }

    pub(super) fn at_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.all.get_mut(&id)
    }

    /// Forgets a connection that neither end believes in.
    pub(super) fn sweep(&mut self, id: ConnectionId) {
        if self.all.get(&id).is_some_and(|c| c.ids == [None, None]) {
            self.all.remove(&id);
        }
    }

    pub(super) fn of_line(&self, line: LineId) -> Vec<ConnectionId> {
        let ours = self.all.iter().filter(|(_, c)| c.line == line);
        ours.map(|(id, _)| *id).collect()
    }
}
