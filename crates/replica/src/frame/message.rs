//! What the frames say.

use ledger::day::Day;
use ledger::id::{DeviceId, Hash, RecordId, Scope, UnitId};
use minicbor::{Decode, Encode};

use crate::credential::{self, Credential};
use crate::entry::{LogId, Tip};
use crate::limits::NAME_BYTES_MAX;
use crate::receipt::StoreId;
use crate::statement::{Former, Role};
use crate::vector::Vector;

/// The first frame to a member. Small: with nothing new it is all that two peers say.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Hello {
    /// The protocol versions spoken, lowest and highest. The highest that both speak is used.
    #[n(0)]
    pub version_min: u16,
    #[n(1)]
    pub version_max: u16,
    #[n(2)]
    pub unit: UnitId,
    /// The sender's wall clock, UTC milliseconds, for the pairwise skew.
    #[n(3)]
    pub wall_ms: i64,
    /// The digest over all scopes that both may hold (see [`crate::session::summary`]).
    #[n(4)]
    pub summary: Hash,
    /// The digest over the receipts and withdrawals for those scopes.
    #[n(5)]
    pub receipts: Hash,
    #[n(6)]
    pub health: Health,
}

/// What a device says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Health {
    /// The software and its version, e.g. `cunlian-node 0.1.0`.
    #[n(0)]
    pub software: String,
    /// The operating system, e.g. `windows`, `linux`.
    #[n(1)]
    pub os: String,
    #[n(2)]
    pub disk_free_bytes: u64,
    /// Entries in the books of its own unit.
    #[n(3)]
    pub recorded: u64,
    /// Its own entries that no township or county holds yet, as far as it knows.
    #[n(4)]
    pub pending: u64,
    /// Wall time (UTC ms) of the oldest of them.
    #[n(5)]
    pub oldest_pending_ms: Option<i64>,
    /// How often it has been started; a PC that dies of power cuts shows here.
    #[n(6)]
    pub power_ups: u64,
    /// The epoch of its own logs: a new one tells of a fork.
    #[n(7)]
    pub epoch: u64,
    /// How far it thinks its clock is off, milliseconds.
    #[n(8)]
    pub skew_ms: Option<i32>,
}

impl Health {
    /// With its texts cut to a length that can be kept and passed on for thousands of rooms.
    pub(crate) fn bounded(mut self) -> Self {
        cut(&mut self.software, NAME_BYTES_MAX);
        cut(&mut self.os, NAME_BYTES_MAX);
        self
    }
}

impl RoomHealth {
    /// With its text and lists cut to a length that can be kept and passed on for thousands of rooms.
    pub(crate) fn bounded(mut self) -> Self {
        cut(&mut self.version, NAME_BYTES_MAX);
        if let Some(more) = &mut self.more {
            more.days.truncate(RoomMore::DAYS_MAX);
        }
        self
    }
}

/// A record that a hub keeps and does not count, or not wholly, as it tells those in whose books it is.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Aside {
    /// Whose book.
    #[n(0)]
    pub unit: UnitId,
    #[n(1)]
    pub record: RecordId,
    /// In words, for a person.
    #[n(2)]
    pub reason: String,
    /// The unit of the hub that says so.
    #[n(3)]
    pub by: UnitId,
}

impl Aside {
    /// Told to one peer at most.
    pub const MAX: usize = 200;
    const REASON_BYTES_MAX: usize = 300;

    /// With its text cut to a length that can be kept.
    pub fn bounded(mut self) -> Self {
        cut(&mut self.reason, Self::REASON_BYTES_MAX);
        self
    }
}

/// Cuts a text at the last character that ends within `max` bytes.
fn cut(text: &mut String, max: usize) {
    let end = (0..=text.len().min(max)).rev().find(|&at| text.is_char_boundary(at));
    text.truncate(end.unwrap_or(0));
}

/// What a hub knows of one room below it. Travels upward through the hubs.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct RoomHealth {
    #[n(0)]
    pub device: DeviceId,
    #[n(1)]
    pub unit: UnitId,
    /// When the hub that meets the room knew this (UTC ms, that hub's clock). Of two reports the later stands.
    #[n(2)]
    pub as_of_ms: i64,
    /// When that hub last heard from the room (UTC ms); `None`: never.
    #[n(3)]
    pub last_seen_ms: Option<i64>,
    #[n(4)]
    pub line: RoomLine,
    /// Entries in the book of its unit, as the room itself last said.
    #[n(5)]
    pub recorded: u64,
    /// How many of them the township holds durably.
    #[n(6)]
    pub at_township: u64,
    /// How many of them the county holds durably, as far as the reporting hub knows.
    #[n(7)]
    pub at_county: u64,
    /// Wall time (UTC ms) of the room's oldest entry held by no township or above.
    #[n(8)]
    pub oldest_pending_ms: Option<i64>,
    #[n(9)]
    pub skew_ms: Option<i32>,
    #[n(10)]
    pub disk_free_bytes: u64,
    /// The room's software and its version.
    #[n(11)]
    pub version: String,
    /// What versions from the console on say besides.
    #[n(12)]
    pub more: Option<RoomMore>,
}

/// What is known of a room besides, for its page and for alerts. Everything may be unknown.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct RoomMore {
    /// Its own entries that no township or county holds yet, as the room itself last said.
    #[n(0)]
    pub pending: Option<u64>,
    /// Round trip to the hub that meets it, milliseconds.
    #[n(1)]
    pub rtt_ms: Option<u64>,
    #[n(2)]
    pub disk_total_bytes: Option<u64>,
    /// How often it has been started.
    #[n(3)]
    pub power_ups: Option<u64>,
    /// Entries and records that it has set aside.
    #[n(4)]
    pub quarantined: Option<u64>,
    /// The last session that is over, as the hub that meets the room saw it.
    #[n(5)]
    pub session: Option<LastSession>,
    /// What the room counts on each of the last days; at most [`RoomMore::DAYS_MAX`].
    #[n(6)]
    pub days: Vec<DayCount>,
}

impl RoomMore {
    /// A week and the day that is under way.
    pub const DAYS_MAX: usize = 8;
}

/// How many cases of its book a room counts on a day: received or closed then.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct DayCount {
    #[n(0)]
    pub day: Day,
    #[n(1)]
    pub cases: u64,
}

/// What came of a session with a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct LastSession {
    /// By the clock of the hub that meets the room (UTC ms).
    #[n(0)]
    pub began_ms: i64,
    #[n(1)]
    pub ended_ms: i64,
    /// Bytes of frames from the room.
    #[n(2)]
    pub bytes_in: u64,
    /// Bytes of frames to the room.
    #[n(3)]
    pub bytes_out: u64,
    /// Entries that the room sent.
    #[n(4)]
    pub entries: u64,
    #[n(5)]
    pub ended: Ending,
}

/// How a session ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Ending {
    /// The line went without a word.
    #[n(1)]
    Lost,
    /// One side stopped as it should.
    #[n(2)]
    Left,
    /// One side did not speak in time.
    #[n(3)]
    Timeout,
    /// One side broke the protocol.
    #[n(4)]
    Fault,
    /// The room's key was revoked, or is not known.
    #[n(5)]
    Refused,
    /// No common version.
    #[n(6)]
    Version,
}

impl Ending {
    pub const ALL: [Self; 6] = [
        Self::Lost,
        Self::Left,
        Self::Timeout,
        Self::Fault,
        Self::Refused,
        Self::Version,
    ];

    /// For programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Left => "left",
            Self::Timeout => "timeout",
            Self::Fault => "fault",
            Self::Refused => "refused",
            Self::Version => "version",
        }
    }
}

/// Whether a room's line is up, as the hub that meets it sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum RoomLine {
    #[n(1)]
    Up,
    #[n(2)]
    Down,
}

/// What a newcomer asks with its ticket. Its device key is the key of the connection; its unit is in the ticket, at the hub.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct JoinRequest {
    /// The ticket's secret.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub secret: [u8; 16],
    /// X25519 public key to which scope keys are to be sealed.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub seal_key: [u8; 32],
    /// Shown to operators, e.g. the PC's name.
    #[n(2)]
    pub name: String,
    #[n(3)]
    pub role: Role,
    /// The life that the device led on its own, which it wants to bring along.
    #[n(4)]
    pub former: Option<Former>,
    /// The former root's admission of this device, which proves that life.
    #[n(5)]
    #[cbor(with = "chain", has_nil)]
    pub former_chain: Vec<Credential>,
}

// Written by hand: the ticket's secret must not get into a log with something else.
impl std::fmt::Debug for JoinRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinRequest")
            .field("name", &self.name)
            .field("role", &self.role)
            .field("former", &self.former)
            .finish_non_exhaustive()
    }
}

/// The answer to a good ticket.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Welcome {
    /// The unit for which the newcomer is admitted.
    #[n(0)]
    pub unit: UnitId,
    /// The county's root, as the ticket named it.
    #[n(1)]
    pub root: DeviceId,
    /// From the root down to the newcomer's own admission, which also holds its node code.
    #[n(2)]
    #[cbor(with = "chain", has_nil)]
    pub credentials: Vec<Credential>,
    /// Where hubs listen.
    #[n(3)]
    pub addrs: Vec<String>,
}

/// A chain of credentials as one byte string within CBOR.
mod chain {
    use super::{Credential, credential};
    use minicbor::decode::{Decoder, Error};
    use minicbor::encode::{Encoder, Error as EncodeError, Write};

    pub(super) fn encode<C, W: Write>(
        chain: &[Credential],
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.bytes(&credential::encode_chain(chain))?;
        Ok(())
    }

    pub(super) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Vec<Credential>, Error> {
        credential::decode_chain(d.bytes()?).map_err(|_| Error::message("chain of credentials"))
    }

    pub(super) fn nil() -> Option<Vec<Credential>> {
        Some(Vec::new())
    }

    pub(super) fn is_nil(chain: &[Credential]) -> bool {
        chain.is_empty()
    }
}

/// Whether an answer is expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speech {
    /// "This is what I hold."
    Tell,
    /// "This is what I hold; tell me what you hold."
    Ask,
}

/// The digests of scopes, each of which the sender thereby says it shares. Zero: nothing held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Digests {
    pub speech: Speech,
    pub scopes: Vec<(Scope, Hash)>,
}

/// The vectors of scopes, each of which the sender thereby says it shares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vectors {
    pub speech: Speech,
    pub scopes: Vec<(Scope, Vector)>,
}

/// "These receipts I know": without their vectors and signatures.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    pub marks: Vec<Mark>,
    /// Stores whose receipts are withdrawn.
    pub withdrawn: Vec<(DeviceId, StoreId)>,
}

/// The newest receipt known of one hub's store for one scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    pub hub: DeviceId,
    pub store: StoreId,
    pub scope: Scope,
    pub counter: u64,
}

/// "Which hashes do you have on the way to your tip `tip`, at these places?" Falling; only places below the tip.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HashAsk {
    pub log: LogId,
    pub tip: Tip,
    pub seqs: Vec<u64>,
}

/// The answer to [`HashAsk`]; empty when the tip is not held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hashes {
    pub log: LogId,
    pub tip: Tip,
    pub places: Vec<Tip>,
}

/// "I hold these records but lack their keys."
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyAsk {
    pub keys: Vec<(Scope, RecordId)>,
}

/// "I do not take this."
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Which log; for [`Refusal::NotShared`] only its scope means something.
    pub log: LogId,
    pub reason: Refusal,
}

/// Why runs are not taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Refusal {
    /// Nothing is known of the author yet. No fault; will be asked for once the author is known.
    AuthorUnknown,
    /// The author may not write to this scope.
    NotEntitled,
    /// The sender may not read this scope, as far as is known here.
    NotShared,
    /// A record or statement breaks a limit.
    Limit,
    /// A reason of a later version.
    Other(u8),
}

/// "Not now." Whatever was sent meanwhile was not taken: compare again afterwards.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Busy {
    #[n(0)]
    pub retry_ms: u64,
}

/// The last frame of a side that ends the session.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Bye {
    #[n(0)]
    pub reason: ByeReason,
    /// For people: what happened and what to do. Cut to [`Bye::TEXT_BYTES_MAX`].
    #[n(1)]
    pub text: String,
}

impl Bye {
    pub const TEXT_BYTES_MAX: usize = 600;

    /// A farewell whose text is cut to size.
    pub fn new(reason: ByeReason, text: impl Into<String>) -> Self {
        let mut text = text.into();
        cut(&mut text, Self::TEXT_BYTES_MAX);
        Self { reason, text }
    }

    /// What a hub says to a device that was taken out of the county, and what its handshake says without words.
    pub fn revoked() -> Self {
        Self::new(ByeReason::Revoked, "本设备已被撤销，请联系上级管理员")
    }
}

/// Why a side ends the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum ByeReason {
    /// It stops or restarts; come again.
    #[n(1)]
    Leaving,
    /// The peer's key has been revoked.
    #[n(2)]
    Revoked,
    /// The peer's introduction does not hold.
    #[n(3)]
    NotAMember,
    /// No common version.
    #[n(4)]
    Version,
    /// The peer broke the protocol.
    #[n(5)]
    Fault,
    /// The ticket was not accepted; the text says why.
    #[n(6)]
    JoinRefused,
    /// The peer did not speak in time.
    #[n(7)]
    Timeout,
    /// The peer is held (暂停): come back later; the text says by whom and why.
    #[n(8)]
    Held,
}
