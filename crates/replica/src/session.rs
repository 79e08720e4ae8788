//! One sync session with one peer, as a pure state machine: no socket, clock or randomness of its own.
//!
//! ```text
//!            WhoAreYou / Introduce           Digests / Vectors               Batch, Receipts, HashAsk, KeyAsk …
//!   Meeting ───────────────────────▶ Open ─────────────────────▶ Open ◀──────────────────────────────────────▶ …  ──▶ Closed
//!      │  Hello both ways            (comparing)                 (in step: silence until something changes)
//!      └─ Join / Welcome
//! ```

mod io;
mod local;
mod quota;

use ledger::id::{DeviceId, Hash, Scope};
use sha2::{Digest, Sha256};

use crate::frame::JoinRequest;
use crate::time::Now;

pub use io::{Effect, Input, Met, Outcome, PeerError, Reason};
pub use local::{Acquaintance, Local};
pub use quota::Quota;

/// Who dialled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialled {
    Us,
    Them,
}

/// How far a session has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// The two sides have not met yet.
    Meeting,
    /// Differences are being found or sent.
    CatchingUp,
    /// As far as this side knows, nothing is left to send or to come.
    InStep,
    /// One side asked the other to come back later.
    Paused,
    Closed,
}

/// One session. See the module.
#[derive(Debug)]
pub struct Session {
    peer: DeviceId,
}

impl Session {
    /// A session over a fresh connection to `peer`, whose key the transport has proved. The first effects are ready at once. `seed`
    /// spreads the times at which this side comes back.
    pub fn new(_now: Now, _dialled: Dialled, _peer: DeviceId, _seed: u64, _local: &mut dyn Local) -> Self {
        todo!()
    }

    /// A session of a newcomer with a ticket: asks to join, ends with [`Effect::Welcomed`] or a farewell, then [`Effect::Close`].
    pub fn join(_now: Now, _peer: DeviceId, _request: JoinRequest) -> Self {
        todo!()
    }

    /// Takes in what happened. On an error the session is closed: the effects then tell the peer why and end the connection.
    pub fn handle(&mut self, _now: Now, _input: Input, _local: &mut dyn Local) -> Result<(), PeerError> {
        todo!()
    }

    /// For an error found before a frame could be passed in (by [`crate::frame::Inbound::decode`]): ends the session likewise.
    pub fn break_off(&mut self, _error: &PeerError) {
        todo!()
    }

    pub fn next_effect(&mut self) -> Option<Effect> {
        todo!()
    }

    /// When [`Input::Wakeup`] is due, in monotonic milliseconds; `None`: an idle session stays idle.
    pub fn next_wakeup(&self) -> Option<u64> {
        todo!()
    }

    pub fn peer(&self) -> DeviceId {
        self.peer
    }

    pub fn progress(&self) -> Progress {
        todo!()
    }
}

/// The digest over the digests of several scopes; empty scopes do not count, so that views of the organisation which differ only in
/// units without content do not matter.
pub fn summary(scopes: impl IntoIterator<Item = (Scope, Hash)>) -> Hash {
    let mut held: Vec<_> = scopes.into_iter().filter(|(_, digest)| *digest != Hash::ZERO).collect();
    held.sort_unstable();
    let mut h = Sha256::new();
    h.update(b"cunlian summary 1");
    for (scope, digest) in held {
        h.update(scope.to_bytes());
        h.update(digest.0);
    }
    Hash(h.finalize().into())
}
