//! Bodies of frames with a fixed layout, and the door to CBOR for the others.

use ledger::id::{DeviceId, Hash, RecordId, Scope, UnitId};
use minicbor::{Decode, Encode};

use super::batch::read_count;
use super::message::{Digests, HashAsk, Hashes, KeyAsk, Mark, Marks, Refusal, Refused, Speech, Vectors};
use crate::entry::{LogId, Tip};
use crate::limits::VECTOR_BYTES_MAX;
use crate::receipt::{Receipt, StoreId, Withdrawal};
use crate::session::PeerError;
use crate::vector::Vector;
use crate::wire::{Reader, WireError, put_bytes, put_varint};

/// Scopes in one frame: books and public scopes of the largest organisation.
const SCOPES_MAX: usize = 8_192;
/// Places in one question for hashes.
pub(crate) const PLACES_MAX: usize = 64;
/// Keys in one question.
pub(crate) const KEY_ASK_MAX: usize = 1_024;
/// Receipts or withdrawals in one frame.
const RECEIPTS_MAX: usize = 8_192;
/// Withdrawn stores that marks name: hubs are restored a few times in their life.
pub(crate) const WITHDRAWN_MAX: usize = 4_096;
/// Marks of one frame: books and public scopes of the largest organisation, with the receipts of several hubs each. Even if each
/// names a hub of its own, the frame holds them.
pub(crate) const MARKS_MAX: usize = 24 * 1024;

pub(super) fn put_cbor<T: Encode<()>>(out: &mut Vec<u8>, message: &T) {
    let encoded = minicbor::encode(message, &mut *out);
    assert!(encoded.is_ok(), "writing to memory cannot fail");
}

pub(super) fn cbor<'b, T: Decode<'b, ()>>(body: &'b [u8]) -> Result<T, PeerError> {
    let mut decoder = minicbor::Decoder::new(body);
    let message = decoder.decode().map_err(|_| WireError::Malformed("a message"))?;
    if decoder.position() != body.len() {
        return Err(WireError::Trailing(body.len() - decoder.position()).into());
    }
    Ok(message)
}

fn put_scope(out: &mut Vec<u8>, scope: Scope) {
    out.extend_from_slice(&scope.to_bytes());
}

fn scope(r: &mut Reader<'_>) -> Result<Scope, WireError> {
    Scope::from_bytes(&r.array::<17>()?).ok_or(WireError::Malformed("scope"))
}

fn put_log(out: &mut Vec<u8>, log: &LogId) {
    put_scope(out, log.scope);
    out.extend_from_slice(&log.device.0);
    out.extend_from_slice(&log.epoch.to_be_bytes());
}

fn log(r: &mut Reader<'_>) -> Result<LogId, WireError> {
    Ok(LogId {
        scope: scope(r)?,
        device: DeviceId(r.array()?),
        epoch: u64::from_be_bytes(r.array()?),
    })
}

fn put_tip(out: &mut Vec<u8>, tip: Tip) {
    put_varint(out, tip.seq);
    out.extend_from_slice(&tip.hash.0);
}

fn tip(r: &mut Reader<'_>) -> Result<Tip, WireError> {
    Ok(Tip {
        seq: r.varint()?,
        hash: Hash(r.array()?),
    })
}

fn put_speech(out: &mut Vec<u8>, speech: Speech) {
    out.push(match speech {
        Speech::Tell => 0,
        Speech::Ask => 1,
    });
}

fn speech(r: &mut Reader<'_>) -> Result<Speech, WireError> {
    match r.byte()? {
        0 => Ok(Speech::Tell),
        1 => Ok(Speech::Ask),
        _ => Err(WireError::Malformed("tell or ask")),
    }
}

pub(super) fn put_digests(out: &mut Vec<u8>, m: &Digests) {
    put_speech(out, m.speech);
    put_varint(out, m.scopes.len() as u64);
    for (scope, digest) in &m.scopes {
        put_scope(out, *scope);
        // Most scopes of a young county are empty: one byte instead of 32.
        if *digest == Hash::ZERO {
            out.push(0);
        } else {
            out.push(1);
            out.extend_from_slice(&digest.0);
        }
    }
}

pub(super) fn digests(body: &[u8]) -> Result<Digests, PeerError> {
    let mut r = Reader::new(body);
    let speech = speech(&mut r)?;
    let count = read_count(&mut r, "scopes", SCOPES_MAX)?;
    let mut scopes = Vec::with_capacity(count.min(r.remaining() / 18));
    for _ in 0..count {
        let scope = scope(&mut r)?;
        let digest = match r.byte()? {
            0 => Hash::ZERO,
            1 => Hash(r.array()?),
            _ => return Err(WireError::Malformed("a digest").into()),
        };
        scopes.push((scope, digest));
    }
    r.end()?;
    Ok(Digests { speech, scopes })
}

pub(super) fn put_vectors(out: &mut Vec<u8>, m: &Vectors) {
    put_speech(out, m.speech);
    put_varint(out, m.scopes.len() as u64);
    for (scope, vector) in &m.scopes {
        put_scope(out, *scope);
        vector.encode(out);
    }
}

pub(super) fn vectors(body: &[u8]) -> Result<Vectors, PeerError> {
    let mut r = Reader::new(body);
    let speech = speech(&mut r)?;
    let count = read_count(&mut r, "scopes", SCOPES_MAX)?;
    let mut scopes = Vec::with_capacity(count.min(r.remaining() / 18));
    for _ in 0..count {
        scopes.push((scope(&mut r)?, Vector::decode(&mut r)?));
    }
    r.end()?;
    Ok(Vectors { speech, scopes })
}

pub(super) fn put_receipts(out: &mut Vec<u8>, receipts: &[Receipt], withdrawals: &[Withdrawal]) {
    put_varint(out, receipts.len() as u64);
    for receipt in receipts {
        put_bytes(out, &receipt.encode());
    }
    put_varint(out, withdrawals.len() as u64);
    for withdrawal in withdrawals {
        put_bytes(out, &withdrawal.encode());
    }
}

pub(super) fn receipts(body: &[u8]) -> Result<(Vec<Receipt>, Vec<Withdrawal>), PeerError> {
    let mut r = Reader::new(body);
    let count = read_count(&mut r, "receipts", RECEIPTS_MAX)?;
    let mut receipts = Vec::with_capacity(count.min(r.remaining() / 128));
    for _ in 0..count {
        let receipt = Receipt::decode(r.bytes("receipt", VECTOR_BYTES_MAX)?)?;
        receipt.verify().map_err(|error| PeerError::ReceiptSignature {
            hub: receipt.hub,
            error,
        })?;
        receipts.push(receipt);
    }
    let count = read_count(&mut r, "withdrawals", RECEIPTS_MAX)?;
    let mut withdrawals = Vec::with_capacity(count.min(r.remaining() / 64));
    for _ in 0..count {
        let withdrawal = Withdrawal::decode(r.bytes("withdrawal", 1_024)?)?;
        withdrawal.verify().map_err(|error| PeerError::ReceiptSignature {
            hub: withdrawal.hub,
            error,
        })?;
        withdrawals.push(withdrawal);
    }
    r.end()?;
    Ok((receipts, withdrawals))
}

pub(super) fn put_marks(out: &mut Vec<u8>, m: &Marks) {
    // A hub has hundreds of receipts: it is named once.
    let mut hubs: Vec<(DeviceId, StoreId)> = m.marks.iter().map(|mark| (mark.hub, mark.store)).collect();
    hubs.sort_unstable();
    hubs.dedup();
    put_varint(out, hubs.len() as u64);
    for hub in &hubs {
        put_hub(out, *hub);
    }
    put_varint(out, m.marks.len() as u64);
    for mark in &m.marks {
        let at = hubs.partition_point(|hub| *hub < (mark.hub, mark.store));
        put_varint(out, at as u64);
        put_scope(out, mark.scope);
        put_varint(out, mark.counter);
    }
    put_varint(out, m.withdrawn.len() as u64);
    for hub in &m.withdrawn {
        put_hub(out, *hub);
    }
}

pub(super) fn marks(body: &[u8]) -> Result<Marks, PeerError> {
    let mut r = Reader::new(body);
    let count = read_count(&mut r, "hubs", MARKS_MAX)?;
    let hubs = (0..count).map(|_| hub(&mut r)).collect::<Result<Vec<_>, _>>()?;
    let count = read_count(&mut r, "receipts", MARKS_MAX)?;
    let mut marks = Vec::with_capacity(count.min(r.remaining() / 19));
    for _ in 0..count {
        let at = usize::try_from(r.varint()?).unwrap_or(usize::MAX);
        let (hub, store) = *hubs.get(at).ok_or(WireError::Malformed("a hub's number"))?;
        marks.push(Mark {
            hub,
            store,
            scope: scope(&mut r)?,
            counter: r.varint()?,
        });
    }
    let count = read_count(&mut r, "withdrawals", RECEIPTS_MAX)?;
    let withdrawn = (0..count).map(|_| hub(&mut r)).collect::<Result<Vec<_>, _>>()?;
    r.end()?;
    Ok(Marks { marks, withdrawn })
}

fn put_hub(out: &mut Vec<u8>, (hub, store): (DeviceId, StoreId)) {
    out.extend_from_slice(&hub.0);
    out.extend_from_slice(&store.to_be_bytes());
}

fn hub(r: &mut Reader<'_>) -> Result<(DeviceId, StoreId), WireError> {
    Ok((DeviceId(r.array()?), StoreId::from_be_bytes(r.array()?)))
}

pub(super) fn put_hash_ask(out: &mut Vec<u8>, m: &HashAsk) {
    put_log(out, &m.log);
    put_tip(out, m.tip);
    put_varint(out, m.seqs.len() as u64);
    for seq in &m.seqs {
        put_varint(out, *seq);
    }
}

pub(super) fn hash_ask(body: &[u8]) -> Result<HashAsk, PeerError> {
    let mut r = Reader::new(body);
    let (log, tip) = (log(&mut r)?, tip(&mut r)?);
    let count = read_count(&mut r, "places", PLACES_MAX)?;
    let seqs = (0..count).map(|_| r.varint()).collect::<Result<Vec<_>, _>>()?;
    r.end()?;
    Ok(HashAsk { log, tip, seqs })
}

pub(super) fn put_hashes(out: &mut Vec<u8>, m: &Hashes) {
    put_log(out, &m.log);
    put_tip(out, m.tip);
    put_varint(out, m.places.len() as u64);
    for place in &m.places {
        put_tip(out, *place);
    }
}

pub(super) fn hashes(body: &[u8]) -> Result<Hashes, PeerError> {
    let mut r = Reader::new(body);
    let (log, at) = (log(&mut r)?, tip(&mut r)?);
    let count = read_count(&mut r, "places", PLACES_MAX)?;
    let places = (0..count).map(|_| tip(&mut r)).collect::<Result<Vec<_>, _>>()?;
    r.end()?;
    Ok(Hashes { log, tip: at, places })
}

pub(super) fn put_key_ask(out: &mut Vec<u8>, m: &KeyAsk) {
    put_varint(out, m.keys.len() as u64);
    for (scope, record) in &m.keys {
        put_scope(out, *scope);
        out.extend_from_slice(&record.0);
    }
}

pub(super) fn key_ask(body: &[u8]) -> Result<KeyAsk, PeerError> {
    let mut r = Reader::new(body);
    let count = read_count(&mut r, "keys", KEY_ASK_MAX)?;
    let mut keys = Vec::with_capacity(count.min(r.remaining() / 33));
    for _ in 0..count {
        keys.push((scope(&mut r)?, RecordId(r.array()?)));
    }
    r.end()?;
    Ok(KeyAsk { keys })
}

const AUTHOR_UNKNOWN: u8 = 1;
const NOT_ENTITLED: u8 = 2;
const NOT_SHARED: u8 = 3;
const LIMIT: u8 = 4;

pub(super) fn put_refused(out: &mut Vec<u8>, m: &Refused) {
    put_log(out, &m.log);
    out.push(match m.reason {
        Refusal::AuthorUnknown => AUTHOR_UNKNOWN,
        Refusal::NotEntitled => NOT_ENTITLED,
        Refusal::NotShared => NOT_SHARED,
        Refusal::Limit => LIMIT,
        Refusal::Other(code) => code,
    });
}

pub(super) fn refused(body: &[u8]) -> Result<Refused, PeerError> {
    let mut r = Reader::new(body);
    let log = log(&mut r)?;
    let reason = match r.byte()? {
        AUTHOR_UNKNOWN => Refusal::AuthorUnknown,
        NOT_ENTITLED => Refusal::NotEntitled,
        NOT_SHARED => Refusal::NotShared,
        LIMIT => Refusal::Limit,
        code => Refusal::Other(code),
    };
    r.end()?;
    Ok(Refused { log, reason })
}

/// A refusal that concerns a whole scope.
impl Refused {
    pub fn of_scope(scope: Scope, reason: Refusal) -> Self {
        let log = LogId {
            scope,
            device: DeviceId::ZERO,
            epoch: 0,
        };
        Self { log, reason }
    }

    /// The unit whose scope is refused.
    pub fn unit(&self) -> UnitId {
        self.log.scope.unit
    }
}
