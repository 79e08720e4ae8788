//! What targets need to take inputs apart and to repair them.

use ed25519_dalek::SigningKey;
use ledger::id::DeviceId;
use replica::entry::Tip;
use replica::run::{Run, VerifiedRun, sign};

/// Takes the first byte as a choice; 0 when there is none.
pub(crate) fn choice(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (*first, rest))
}

/// A key of an invented device.
pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

/// Its public half.
pub(crate) fn device(number: u8) -> DeviceId {
    DeviceId(key(number).verifying_key().to_bytes())
}

/// The same run as if device `number` had signed it.
pub(crate) fn signed_by(number: u8, run: &Run) -> VerifiedRun {
    let log = replica::entry::LogId {
        device: device(number),
        ..run.log
    };
    let prev: Tip = run.prev;
    sign(&key(number), log, prev, run.entries.clone())
}
