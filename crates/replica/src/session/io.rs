//! What goes into a session, what comes out of it, and why it ends.

use ledger::id::{DeviceId, Hash, RecordId, Scope, UnitId};
use thiserror::Error;

use crate::credential::{CredentialError, Introduced};
use crate::entry::LogId;
use crate::frame::{Aside, Bye, Health, Inbound, JoinRequest, Refusal, RoomHealth, Welcome, WrappedKey};
use crate::receipt::{Receipt, Withdrawal};
use crate::run::{RunError, VerifiedRun};
use crate::wire::WireError;

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A frame came in.
    Frame(Inbound),
    /// The vector of a scope has moved here, by whatever cause, and is durable.
    Changed(Scope),
    /// So many bytes of our frames have left for the network.
    Written(usize),
    /// What [`Effect::Stage`] asked for is durable, or has been refused in part.
    Committed { batch: u64, outcome: Outcome },
    /// Receipts and withdrawals that are new here. Those that the peer should hear of are passed on.
    Receipts(Vec<Receipt>, Vec<Withdrawal>),
    /// Keys are missing here that the peer may have.
    KeysWanted(Vec<(Scope, RecordId)>),
    /// Reports on rooms for the peer, a hub above.
    HealthOut(Vec<RoomHealth>),
    /// What is set aside here, for the peer, whose books it is in.
    AsidesOut(Vec<Aside>),
    /// The answer to [`Effect::Join`]; an error is a text for the newcomer.
    JoinAnswer(Result<Welcome, String>),
    /// The news that the peer's key is revoked has arrived here.
    Revoked,
    /// The news that the peer is held, and what it is told.
    Held(String),
    /// Compare everything again, e.g. after damage on the disk lowered what is held.
    Compare,
    /// This device stops.
    Leave,
    /// The time that [`super::Session::next_wakeup`] named has come.
    Wakeup,
}

/// What became of a staged batch. Runs and keys not named are durable.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// Logs whose entries are not taken.
    pub refused: Vec<(LogId, Refusal)>,
    /// Logs whose runs did not link to anything held.
    pub gaps: Vec<LogId>,
}

/// What is to be done, in this order.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Put these bytes on the stream, and say [`Input::Written`] when they have left.
    Send(Vec<u8>),
    /// Make this durable, and answer with [`Input::Committed`]. Every run is of a shared scope and by an author who may write to it.
    Stage {
        batch: u64,
        runs: Vec<VerifiedRun>,
        keys: Vec<WrappedKey>,
    },
    /// Receipts and withdrawals that came in, signatures proved.
    Receipts(Vec<Receipt>, Vec<Withdrawal>),
    /// A stranger asks to join. Answer with [`Input::JoinAnswer`].
    Join(Box<JoinRequest>),
    /// Our ticket was good.
    Welcomed(Welcome),
    /// A key not known before has proved its admission.
    Introduced(Introduced),
    /// Both sides know each other.
    Met(Met),
    /// Reports on rooms came in from a hub below.
    Health(Vec<RoomHealth>),
    /// What the peer, a hub above, has set aside; all of it.
    Asides(Vec<Aside>),
    /// The peer does not take entries of ours or forwarded by us.
    Refused { log: LogId, reason: Refusal },
    /// What this device holds of a scope is longer to tell than a frame may be: the scope cannot be compared.
    TooLong(Scope),
    /// End the connection once what was sent before has left. The last effect.
    Close(Reason),
}

/// What a hello told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Met {
    pub unit: UnitId,
    /// The peer's clock less ours, milliseconds; half a round trip is in it.
    pub skew_ms: i64,
    pub health: Health,
    /// What both sides held at the time.
    pub summary: Hash,
}

/// Why a session is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// What was to be done is done.
    Done,
    /// The peer ended it.
    Peer(Bye),
    /// The peer's key is revoked.
    Revoked,
    /// The peer is held for a while.
    Held,
    /// The peer did not introduce itself, or not well.
    NotAMember,
    /// The ticket was not accepted.
    JoinRefused,
    /// No version is spoken on both sides.
    Version,
    /// The peer did not speak in time.
    Timeout,
    /// This device stops.
    Leaving,
    /// The peer broke the protocol.
    Fault,
}

/// What a peer did wrong. Always ends the session; nothing of ours is at fault.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum PeerError {
    #[error("a frame of kind {kind} with {len} bytes exceeds {max}")]
    FrameTooLong { kind: u8, len: usize, max: usize },
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("a run of device {} in scope {:?}: {error}", log.device.short(), log.scope)]
    Signature { log: LogId, error: RunError },
    #[error("a receipt of hub {}: {error}", hub.short())]
    ReceiptSignature { hub: DeviceId, error: RunError },
    #[error("scope {0:?} is not shared with this peer")]
    Scope(Scope),
    #[error("a frame of kind {0} from a key that is not known here")]
    Stranger(u8),
    #[error("the introduction does not hold: {0}")]
    Credential(#[from] CredentialError),
    #[error("the introduction is of another device, or of one revoked since")]
    Introduction,
    #[error("the peer speaks versions {min} to {max}")]
    Version { min: u16, max: u16 },
    #[error("{0} out of turn")]
    OutOfTurn(&'static str),
    #[error("too many {0}")]
    TooMany(&'static str),
}
