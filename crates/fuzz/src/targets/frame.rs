//! A frame as it comes off the stream of a connection: the kind's number and the body.

use replica::frame::{Batch, Frame, HEADER_LEN, Header, Inbound, Outbound, body_bytes_max};

use super::{KIB, MIB};
use crate::bytes::choice;
use crate::{Target, seeds};

pub(super) const TARGET: Target = Target {
    name: "frame",
    promise: "a frame within its kind's limit is read or refused; what was read is written so that it reads the same, and where the \
              layout is fixed, as the same bytes",
    check,
    seeds: seeds::frames,
    len_max: 64 * KIB,
    // A batch of a few bytes may say that it inflates to two megabytes.
    memory: (6 * MIB, 96),
};

/// Introduce, vectors, receipts, hash ask, hashes, key ask, refused: every accepted body has one form only.
const FIXED: [u8; 7] = [3, 7, 9, 10, 11, 12, 13];

fn check(data: &[u8]) {
    let (kind, body) = choice(data);
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    let header = Header::decode([len[0], len[1], len[2], len[3], kind]);
    assert_eq!(header.is_ok(), body.len() <= body_bytes_max(kind), "the header's limit");
    let Ok(frame) = Inbound::decode(kind, body) else {
        return;
    };
    assert!(header.is_ok(), "a body was read that the header refuses");
    assert_eq!(frame.kind(), kind, "another kind than was sent");
    if matches!(frame, Frame::Unknown(_)) {
        return;
    }
    let written = outbound(&frame).encode();
    if FIXED.contains(&kind) {
        assert_eq!(&written[HEADER_LEN..], body, "kind {kind} has a second form");
    }
    let again = Inbound::decode(kind, &written[HEADER_LEN..]);
    assert_eq!(again.as_ref(), Ok(&frame), "kind {kind} reads back differently");
}

/// What came in, as it would be sent on.
pub(super) fn outbound(frame: &Inbound) -> Outbound {
    match frame.clone() {
        Frame::Hello(m) => Frame::Hello(m),
        Frame::WhoAreYou => Frame::WhoAreYou,
        Frame::Introduce(m) => Frame::Introduce(m),
        Frame::Join(m) => Frame::Join(m),
        Frame::Welcome(m) => Frame::Welcome(m),
        Frame::Digests(m) => Frame::Digests(m),
        Frame::Vectors(m) => Frame::Vectors(m),
        Frame::Batch(m) => Frame::Batch(Batch {
            runs: m.runs.iter().map(|run| run.run().clone()).collect(),
            keys: m.keys,
        }),
        Frame::Receipts(receipts, withdrawals) => Frame::Receipts(receipts, withdrawals),
        Frame::Marks(m) => Frame::Marks(m),
        Frame::HashAsk(m) => Frame::HashAsk(m),
        Frame::Hashes(m) => Frame::Hashes(m),
        Frame::KeyAsk(m) => Frame::KeyAsk(m),
        Frame::Refused(m) => Frame::Refused(m),
        Frame::Health(m) => Frame::Health(m),
        Frame::Asides(m) => Frame::Asides(m),
        Frame::Busy(m) => Frame::Busy(m),
        Frame::Bye(m) => Frame::Bye(m),
        Frame::Unknown(kind) => Frame::Unknown(kind),
    }
}
