//! One raw change: every bound checked before anything is parsed, then the writes that this version understands.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::{Key as RawKey, ObjectId, OpType};
use automerge::{Change as RawChange, ScalarValue};
use sha2::{Digest, Sha256};

use super::SetAsideReason;
use crate::id::Hash;

/// A change is at most this long (DESIGN §9).
pub const CHANGE_BYTES_MAX: usize = 256 * 1024;
/// Operations of one change, and how many of them may be counted by predecessors.
pub const OPS_MAX: usize = 1_000;
/// Changes that one change may name as its causes.
pub const DEPS_MAX: usize = 64;

const PREDS_MAX: u64 = 4_000;
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHUNK_CHANGE: u8 = 1;
const ACTOR_LEN: u64 = 16;
/// Column: predecessors of each operation; their number, actors and counters.
const COLUMN_PRED: u64 = 7;
const COLUMN_DEFLATED: u64 = 8;

pub(super) type ActorId = [u8; 16];

/// An operation's id: counter, actor.
pub(super) type OpId = (u64, ActorId);

/// What one operation writes.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Write {
    pub(super) key: String,
    pub(super) op: OpId,
    pub(super) value: ScalarValue,
    pub(super) preds: Vec<OpId>,
}

/// A change that is well formed. Whether it fits its causes is the document's business.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Change {
    pub(super) hash: Hash,
    pub(super) actor: ActorId,
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) deps: Vec<Hash>,
    pub(super) writes: Vec<Write>,
}

/// The hash by which dependents name a change; for what is no change at all, the hash of its bytes.
pub fn change_hash(change: &[u8]) -> Hash {
    match frame(change) {
        Ok((hash, _)) => hash,
        Err(_) => Hash(Sha256::digest(change).into()),
    }
}

/// Checks chunk type, length and checksum; gives the hash and the chunk's data.
fn frame(bytes: &[u8]) -> Result<(Hash, &[u8]), SetAsideReason> {
    if bytes.len() > CHANGE_BYTES_MAX {
        return Err(SetAsideReason::TooLong);
    }
    let mut r = Leb(bytes);
    if r.take(4)? != MAGIC {
        return Err(SetAsideReason::NotARawChange);
    }
    let checksum = r.take(4)?;
    if r.take(1)? != [CHUNK_CHANGE] {
        return Err(SetAsideReason::NotARawChange);
    }
    let before = r.0;
    let len = r.unsigned()?;
    let prefix = &before[..before.len() - r.0.len()];
    if len != r.0.len() as u64 {
        return Err(SetAsideReason::NotARawChange);
    }
    let mut h = Sha256::new();
    h.update([CHUNK_CHANGE]);
    h.update(prefix);
    h.update(r.0);
    let hash = Hash(h.finalize().into());
    if checksum != &hash.0[..4] {
        return Err(SetAsideReason::BadChecksum);
    }
    Ok((hash, r.0))
}

/// Walks the header and the run-length coded columns without expanding them: a few bytes can claim 2^60 operations.
fn bounds(data: &[u8]) -> Result<(), SetAsideReason> {
    let mut r = Leb(data);
    let deps = r.unsigned()?;
    if deps > DEPS_MAX as u64 {
        return Err(SetAsideReason::TooMany);
    }
    r.take(32 * deps)?;
    actor(&mut r)?;
    for _ in 0..2 {
        r.unsigned()?; // sequence, first counter
    }
    r.signed()?; // time
    let message = r.unsigned()?;
    r.take(message)?;
    let others = r.unsigned()?;
    if others > DEPS_MAX as u64 {
        return Err(SetAsideReason::TooMany);
    }
    for _ in 0..others {
        actor(&mut r)?;
    }
    let columns = r.unsigned()?;
    if columns > 32 {
        return Err(SetAsideReason::TooMany);
    }
    let mut layout = Vec::new();
    for _ in 0..columns {
        layout.push((r.unsigned()?, r.unsigned()?));
    }
    for (spec, len) in layout {
        let column = r.take(len)?;
        if spec & COLUMN_DEFLATED != 0 {
            return Err(SetAsideReason::NotARawChange);
        }
        let max = match spec >> 4 {
            COLUMN_PRED => PREDS_MAX,
            _ => OPS_MAX as u64,
        };
        match spec & 7 {
            0 => values(column, Coded::Count, max)?,
            1 | 2 | 6 => values(column, Coded::Number, max)?,
            3 => values(column, Coded::Step, max)?,
            4 => switches(column, max)?,
            5 => values(column, Coded::Text, max)?,
            // Bytes of values: each is there or not.
            _ => {}
        }
    }
    if !r.0.is_empty() {
        return Err(SetAsideReason::NotRecognised);
    }
    Ok(())
}

fn actor(r: &mut Leb) -> Result<(), SetAsideReason> {
    if r.unsigned()? != ACTOR_LEN {
        return Err(SetAsideReason::WrongActor);
    }
    r.take(ACTOR_LEN)?;
    Ok(())
}

/// What stands in a run-length coded column.
#[derive(Clone, Copy, PartialEq)]
enum Coded {
    /// Numbers of values in other columns.
    Count,
    Number,
    Step,
    Text,
}

/// Counts the values of a run-length coded column, nulls among them, and adds counts up, as far as `max`.
fn values(column: &[u8], coded: Coded, max: u64) -> Result<(), SetAsideReason> {
    let mut r = Leb(column);
    let (mut count, mut total): (u64, u64) = (0, 0);
    while !r.0.is_empty() {
        let run = r.signed()?;
        let (literals, repeated) = match run {
            0 => (0, r.unsigned()?),
            1.. => (1, run.unsigned_abs()),
            _ => (run.unsigned_abs(), 1),
        };
        count = count.saturating_add(literals.max(1).saturating_mul(repeated));
        if count > max {
            return Err(SetAsideReason::TooMany);
        }
        for _ in 0..literals {
            match coded {
                Coded::Count => total = total.saturating_add(r.unsigned()?.saturating_mul(repeated)),
                Coded::Number => drop(r.unsigned()?),
                Coded::Step => drop(r.signed()?),
                Coded::Text => {
                    let len = r.unsigned()?;
                    r.take(len)?;
                }
            }
        }
        if total > max {
            return Err(SetAsideReason::TooMany);
        }
    }
    Ok(())
}

/// Counts the values of a column of truths: lengths of runs of one and the other in turn.
fn switches(column: &[u8], max: u64) -> Result<(), SetAsideReason> {
    let mut r = Leb(column);
    let mut count: u64 = 0;
    while !r.0.is_empty() {
        count = count.saturating_add(r.unsigned()?);
        if count > max {
            return Err(SetAsideReason::TooMany);
        }
    }
    Ok(())
}

/// Reads LEB128 numbers in their shortest form only.
struct Leb<'a>(&'a [u8]);

impl<'a> Leb<'a> {
    fn take(&mut self, len: u64) -> Result<&'a [u8], SetAsideReason> {
        let len = usize::try_from(len).ok().filter(|len| *len <= self.0.len());
        let (taken, rest) = self.0.split_at(len.ok_or(SetAsideReason::Malformed)?);
        self.0 = rest;
        Ok(taken)
    }

    fn unsigned(&mut self) -> Result<u64, SetAsideReason> {
        let mut value: u64 = 0;
        for place in 0..9 {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return if byte == 0 && place > 0 {
                    Err(SetAsideReason::Malformed)
                } else {
                    Ok(value)
                };
            }
        }
        Err(SetAsideReason::Malformed)
    }

    fn signed(&mut self) -> Result<i64, SetAsideReason> {
        let mut value: i64 = 0;
        for place in 0..9 {
            let byte = self.take(1)?[0];
            value |= i64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                let unused = 64 - 7 * (place + 1);
                return Ok(value << unused >> unused);
            }
        }
        Err(SetAsideReason::Malformed)
    }
}

/// Parses a change.
///
/// # Errors
/// The reason for which it is set aside; nothing in `bytes` makes it panic or allocate beyond its bounds.
pub(super) fn parse(bytes: &[u8]) -> Result<Change, SetAsideReason> {
    let (hash, data) = frame(bytes)?;
    bounds(data)?;
    // Automerge trusts columns further than it should in places; a panic there is the change's fault, not ours.
    let parsed = catch_unwind(AssertUnwindSafe(|| understand(bytes, hash)));
    parsed.unwrap_or(Err(SetAsideReason::Malformed))
}

fn understand(bytes: &[u8], hash: Hash) -> Result<Change, SetAsideReason> {
    let raw = RawChange::try_from(bytes).map_err(|_| SetAsideReason::Malformed)?;
    if raw.hash().0 != hash.0 || raw.len() > OPS_MAX {
        return Err(SetAsideReason::Malformed);
    }
    let decoded = raw.decode();
    // One content, one form: what a later version might read differently is not read at all.
    if RawChange::from(decoded.clone()).raw_bytes() != bytes {
        return Err(SetAsideReason::NotRecognised);
    }
    let author = actor_of(&decoded.actor_id)?;
    let start_op = decoded.start_op.get();
    let mut writes = Vec::with_capacity(decoded.operations.len());
    for (place, op) in decoded.operations.into_iter().enumerate() {
        let (RawKey::Map(key), ObjectId::Root, OpType::Put(value), false) = (op.key, op.obj, op.action, op.insert)
        else {
            return Err(SetAsideReason::NotRecognised);
        };
        if matches!(value, ScalarValue::Counter(_) | ScalarValue::Unknown { .. }) {
            return Err(SetAsideReason::NotRecognised);
        }
        let mut preds = Vec::with_capacity(op.pred.len());
        for pred in op.pred.iter() {
            preds.push((pred.counter(), actor_of(pred.actor())?));
        }
        writes.push(Write {
            key: key.to_string(),
            op: (start_op + place as u64, author),
            value,
            preds,
        });
    }
    Ok(Change {
        hash,
        actor: author,
        seq: decoded.seq,
        start_op,
        deps: decoded.deps.iter().map(|d| Hash(d.0)).collect(),
        writes,
    })
}

fn actor_of(actor: &automerge::ActorId) -> Result<ActorId, SetAsideReason> {
    actor.to_bytes().try_into().map_err(|_| SetAsideReason::WrongActor)
}
