//! Entries (条目): the units of a log. Their canonical bytes are what is hashed; see WIRE.md, "Entry".

use ledger::id::{DeviceId, Hash, RecordId, Scope, UserId};
use sha2::{Digest, Sha256};

use crate::wire::{Reader, WireError};

/// Cipher suite 1: Ed25519, SHA-256. Others (SM2/SM3) get numbers of their own; an unknown one stops that log alone.
pub const SUITE_1: u8 = 1;

/// A change of one record is at most this long (DESIGN §9); the rest of an entry's body is small.
pub const CHANGE_BYTES_MAX: usize = 256 * 1024;
/// An entry's body, whatever its kind.
pub const BODY_BYTES_MAX: usize = CHANGE_BYTES_MAX + 64;

/// The kinds of entries that this version reads. Others are stored, forwarded and shown as 需升级.
/// A change of one record: [`RecordBody`].
pub const KIND_RECORD: u8 = 1;
/// A statement: [`crate::statement::Statement`].
pub const KIND_STATEMENT: u8 = 2;

/// Where the author's audit trail stood: the body is the author's own affair, others keep it as a witness.
pub const KIND_TRAIL: u8 = 3;

/// 日结: what a day of a room's book came to, in that book; the body is read by the office alone.
pub const KIND_DAY: u8 = 4;

/// What a centre keeps about its reports (定稿, 缺岗) in its own book; the body is read by the office alone.
pub const KIND_REPORT: u8 = 5;

/// Which log: one device's entries in one scope since it began an epoch. Epochs are random numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LogId {
    pub scope: Scope,
    pub device: DeviceId,
    pub epoch: u64,
}

/// A place in a log: sequence number (from 1) and the hash there. `START` lies before the first entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tip {
    pub seq: u64,
    pub hash: Hash,
}

impl Tip {
    /// Before the first entry: sequence number 0 and the zero hash.
    pub const START: Tip = Tip {
        seq: 0,
        hash: Hash::ZERO,
    };
}

/// One entry without its place: a kind and a body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub kind: u8,
    pub body: Vec<u8>,
}

impl Entry {
    /// The hash of this entry at the place after `prev`.
    pub fn hash(&self, log: &LogId, prev: Tip) -> Hash {
        let mut h = Sha256::new();
        h.update(b"cunlian entry 1");
        h.update([SUITE_1]);
        h.update(log.scope.to_bytes());
        h.update(log.device.0);
        h.update(log.epoch.to_be_bytes());
        h.update((prev.seq + 1).to_be_bytes());
        h.update(prev.hash.0);
        h.update([self.kind]);
        h.update((self.body.len() as u32).to_be_bytes());
        h.update(&self.body);
        Hash(h.finalize().into())
    }
}

/// The body of a [`KIND_RECORD`] entry: the envelope's part that the author states, and one Automerge change in raw form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordBody {
    pub record: RecordId,
    pub user: UserId,
    /// The author's wall clock, UTC milliseconds. Shown; orders nothing.
    pub wall_ms: i64,
    /// How far the author knew its clock to be off, milliseconds; `None` when it had met nobody to compare with.
    pub skew_ms: Option<i32>,
    pub change: Vec<u8>,
}

impl RecordBody {
    const SKEW_UNKNOWN: i32 = i32::MIN;
    pub(crate) const HEADER_LEN: usize = 16 + 8 + 8 + 4;

    /// The body's bytes (WIRE.md, "Entry").
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::HEADER_LEN + self.change.len());
        out.extend_from_slice(&self.record.0);
        out.extend_from_slice(&self.user.0);
        out.extend_from_slice(&self.wall_ms.to_be_bytes());
        out.extend_from_slice(&self.skew_ms.unwrap_or(Self::SKEW_UNKNOWN).to_be_bytes());
        out.extend_from_slice(&self.change);
        out
    }

    /// Reads a body. Errors: it is too short, or its change longer than [`CHANGE_BYTES_MAX`]. The change itself is not looked into.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(body);
        let record = RecordId(r.array()?);
        let user = UserId(r.array()?);
        let wall_ms = i64::from_be_bytes(r.array()?);
        let skew = i32::from_be_bytes(r.array()?);
        let change = r.rest();
        if change.len() > CHANGE_BYTES_MAX {
            return Err(WireError::TooLong {
                what: "change",
                len: change.len(),
                max: CHANGE_BYTES_MAX,
            });
        }
        Ok(Self {
            record,
            user,
            wall_ms,
            skew_ms: (skew != Self::SKEW_UNKNOWN).then_some(skew),
            change: change.to_vec(),
        })
    }
}
