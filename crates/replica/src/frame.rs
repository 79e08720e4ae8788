//! Frames: what two sessions say to each other on the one stream of their connection. See WIRE.md, "Frames".
//!
//! ```text
//! u32 BE length of the body ‖ u8 kind ‖ body
//! ```
//!
//! Bodies are CBOR with numbered fields (new fields may be added, unknown ones are skipped) or fixed layouts where many of a thing
//! travel. Unknown kinds are skipped, so that a newer peer can say more. Every length is held against the kind's own limit before the
//! body is read from the connection: [`Header::decode`] is all that a reader needs to refuse an oversized frame.

mod batch;
mod body;
mod message;

pub use batch::{BATCH_BYTES_MAX, Batch, WrappedKey, creates};
pub(crate) use body::{MARKS_MAX, WITHDRAWN_MAX};
pub use message::{
    Aside, Busy, Bye, ByeReason, DayCount, Digests, Ending, HashAsk, Hashes, Health, Hello, JoinRequest, KeyAsk,
    LastSession, Mark, Marks, Refusal, Refused, RoomHealth, RoomLine, RoomMore, Speech, Vectors, Welcome,
};

use crate::credential::{self, Credential};
use crate::limits::{INTRODUCTION_BYTES_MAX, VECTOR_BYTES_MAX};
use crate::receipt::{Receipt, Withdrawal};
use crate::run::{Run, VerifiedRun};
use crate::session::PeerError;

/// Bytes before the body.
pub const HEADER_LEN: usize = 5;
/// No frame's body is longer. Two such fit into the receive window of a connection.
pub const FRAME_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Messages that hold a handful of fields.
const SMALL_BYTES_MAX: usize = 4 * 1024;
/// Lists of digests, hashes, keys and rooms.
const LIST_BYTES_MAX: usize = 256 * 1024;

/// One frame. `R` is what its batches hold: [`Run`]s to be sent, or [`VerifiedRun`]s that came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame<R> {
    /// Who I am and what I hold, in one digest. The first frame to a member.
    Hello(Hello),
    /// "I do not know your key: introduce yourself." Says nothing about who asks.
    WhoAreYou,
    /// The admissions that lead from the county's root to the sender.
    Introduce(Vec<Credential>),
    /// A stranger with a ticket.
    Join(Box<JoinRequest>),
    /// The ticket was good.
    Welcome(Welcome),
    Digests(Digests),
    Vectors(Vectors),
    Batch(Batch<R>),
    /// Receipts and withdrawals, each signed by its hub. Verified when they came in.
    Receipts(Vec<Receipt>, Vec<Withdrawal>),
    /// Which receipts the sender knows, where there are too many to send unasked.
    Marks(Marks),
    HashAsk(HashAsk),
    Hashes(Hashes),
    KeyAsk(KeyAsk),
    Refused(Refused),
    /// Reports on rooms, on their way up.
    Health(Vec<RoomHealth>),
    /// What a hub has set aside of the books that both hold, on its way down: all of it, instead of what it told before.
    Asides(Vec<Aside>),
    Busy(Busy),
    Bye(Bye),
    /// A kind of a later version: skipped.
    Unknown(u8),
}

/// A frame to be sent.
pub type Outbound = Frame<Run>;
/// A frame that came in: decoded within its limits, every signature in it proved.
pub type Inbound = Frame<VerifiedRun>;

mod kind {
    pub(super) const HELLO: u8 = 1;
    pub(super) const WHO_ARE_YOU: u8 = 2;
    pub(super) const INTRODUCE: u8 = 3;
    pub(super) const JOIN: u8 = 4;
    pub(super) const WELCOME: u8 = 5;
    pub(super) const DIGESTS: u8 = 6;
    pub(super) const VECTORS: u8 = 7;
    pub(super) const BATCH: u8 = 8;
    pub(super) const RECEIPTS: u8 = 9;
    pub(super) const HASH_ASK: u8 = 10;
    pub(super) const HASHES: u8 = 11;
    pub(super) const KEY_ASK: u8 = 12;
    pub(super) const REFUSED: u8 = 13;
    pub(super) const HEALTH: u8 = 14;
    pub(super) const BUSY: u8 = 15;
    pub(super) const BYE: u8 = 16;
    pub(super) const MARKS: u8 = 17;
    pub(super) const ASIDES: u8 = 18;
}

/// The five bytes before a body, already held against the limit of the kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub kind: u8,
    /// Bytes of the body that follows.
    pub len: usize,
}

impl Header {
    /// Reads a header. An error when the body would be longer than its kind may be: nothing more is to be read then.
    pub fn decode(bytes: [u8; HEADER_LEN]) -> Result<Self, PeerError> {
        let [a, b, c, d, kind] = bytes;
        let len = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        check_len(kind, len)?;
        Ok(Self { kind, len })
    }
}

/// How long the body of a kind may be. Unknown kinds may be as long as any.
pub fn body_bytes_max(kind: u8) -> usize {
    match kind {
        kind::HELLO | kind::WHO_ARE_YOU | kind::REFUSED | kind::BUSY | kind::BYE => SMALL_BYTES_MAX,
        kind::INTRODUCE | kind::JOIN | kind::WELCOME => INTRODUCTION_BYTES_MAX,
        kind::DIGESTS | kind::HASH_ASK | kind::HASHES | kind::KEY_ASK | kind::HEALTH | kind::ASIDES => LIST_BYTES_MAX,
        kind::VECTORS | kind::RECEIPTS | kind::MARKS => VECTOR_BYTES_MAX,
        _ => FRAME_BYTES_MAX,
    }
}

/// Whether only an open session may send this kind: a key that nobody here knows may say hello, introduce itself or join, no more. A
/// reader that holds these back until the two sides have met spares itself proving a stranger's signatures; the session refuses them
/// in any case.
pub fn is_for_members(kind: u8) -> bool {
    matches!(
        kind,
        kind::DIGESTS
            | kind::VECTORS
            | kind::BATCH
            | kind::RECEIPTS
            | kind::MARKS
            | kind::HASH_ASK
            | kind::HASHES
            | kind::KEY_ASK
            | kind::REFUSED
            | kind::HEALTH
            | kind::ASIDES
            | kind::BUSY
    )
}

fn check_len(kind: u8, len: usize) -> Result<(), PeerError> {
    let max = body_bytes_max(kind);
    if len > max {
        return Err(PeerError::FrameTooLong { kind, len, max });
    }
    Ok(())
}

impl<R> Frame<R> {
    /// The number of its kind on the wire.
    pub fn kind(&self) -> u8 {
        match self {
            Frame::Hello(_) => kind::HELLO,
            Frame::WhoAreYou => kind::WHO_ARE_YOU,
            Frame::Introduce(_) => kind::INTRODUCE,
            Frame::Join(_) => kind::JOIN,
            Frame::Welcome(_) => kind::WELCOME,
            Frame::Digests(_) => kind::DIGESTS,
            Frame::Vectors(_) => kind::VECTORS,
            Frame::Batch(_) => kind::BATCH,
            Frame::Receipts(..) => kind::RECEIPTS,
            Frame::Marks(_) => kind::MARKS,
            Frame::HashAsk(_) => kind::HASH_ASK,
            Frame::Hashes(_) => kind::HASHES,
            Frame::KeyAsk(_) => kind::KEY_ASK,
            Frame::Refused(_) => kind::REFUSED,
            Frame::Health(_) => kind::HEALTH,
            Frame::Asides(_) => kind::ASIDES,
            Frame::Busy(_) => kind::BUSY,
            Frame::Bye(_) => kind::BYE,
            Frame::Unknown(kind) => *kind,
        }
    }
}

impl Outbound {
    /// Header and body, ready for the stream. That a body keeps within its kind's limit is the sender's duty: exceeding it is our fault.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; HEADER_LEN];
        match self {
            Frame::Hello(m) => body::put_cbor(&mut out, m),
            Frame::WhoAreYou | Frame::Unknown(_) => {}
            Frame::Introduce(chain) => out.extend_from_slice(&credential::encode_chain(chain)),
            Frame::Join(m) => body::put_cbor(&mut out, m),
            Frame::Welcome(m) => body::put_cbor(&mut out, m),
            Frame::Digests(m) => body::put_digests(&mut out, m),
            Frame::Vectors(m) => body::put_vectors(&mut out, m),
            Frame::Batch(m) => m.encode(&mut out),
            Frame::Receipts(receipts, withdrawals) => body::put_receipts(&mut out, receipts, withdrawals),
            Frame::Marks(m) => body::put_marks(&mut out, m),
            Frame::HashAsk(m) => body::put_hash_ask(&mut out, m),
            Frame::Hashes(m) => body::put_hashes(&mut out, m),
            Frame::KeyAsk(m) => body::put_key_ask(&mut out, m),
            Frame::Refused(m) => body::put_refused(&mut out, m),
            Frame::Health(rooms) => body::put_cbor(&mut out, rooms),
            Frame::Asides(list) => body::put_cbor(&mut out, list),
            Frame::Busy(m) => body::put_cbor(&mut out, m),
            Frame::Bye(m) => body::put_cbor(&mut out, m),
        }
        let len = out.len() - HEADER_LEN;
        assert!(
            len <= body_bytes_max(self.kind()),
            "a frame of kind {} with {len} bytes",
            self.kind()
        );
        out[..4].copy_from_slice(&(len as u32).to_be_bytes());
        out[4] = self.kind();
        out
    }
}

impl Inbound {
    /// Reads the body of a frame: bounded, inflated within bounds, and every signature of runs, receipts and withdrawals proved. This
    /// is the costly part of receiving; it needs no session and belongs into the connection's own task.
    pub fn decode(kind: u8, body: &[u8]) -> Result<Self, PeerError> {
        check_len(kind, body.len())?;
        Ok(match kind {
            kind::HELLO => Frame::Hello(body::cbor(body)?),
            kind::WHO_ARE_YOU => Frame::WhoAreYou,
            kind::INTRODUCE => Frame::Introduce(credential::decode_chain(body)?),
            kind::JOIN => Frame::Join(Box::new(body::cbor(body)?)),
            kind::WELCOME => Frame::Welcome(body::cbor(body)?),
            kind::DIGESTS => Frame::Digests(body::digests(body)?),
            kind::VECTORS => Frame::Vectors(body::vectors(body)?),
            kind::BATCH => Frame::Batch(Batch::decode(body)?),
            kind::RECEIPTS => {
                let (receipts, withdrawals) = body::receipts(body)?;
                Frame::Receipts(receipts, withdrawals)
            }
            kind::MARKS => Frame::Marks(body::marks(body)?),
            kind::HASH_ASK => Frame::HashAsk(body::hash_ask(body)?),
            kind::HASHES => Frame::Hashes(body::hashes(body)?),
            kind::KEY_ASK => Frame::KeyAsk(body::key_ask(body)?),
            kind::REFUSED => Frame::Refused(body::refused(body)?),
            kind::HEALTH => Frame::Health(body::cbor(body)?),
            kind::ASIDES => Frame::Asides(body::cbor(body)?),
            kind::BUSY => Frame::Busy(body::cbor(body)?),
            kind::BYE => Frame::Bye(body::cbor(body)?),
            other => Frame::Unknown(other),
        })
    }
}
