//! Batches: runs of any logs and scopes, and the keys of the records that they create, compressed together.

use ledger::id::{RecordId, Scope};

use crate::entry::{Entry, KIND_RECORD, RecordBody};
use crate::limits::RUN_BYTES_MAX;
use crate::run::{Run, VerifiedRun};
use crate::session::PeerError;
use crate::wire::{Reader, WireError, put_bytes, put_varint};

/// Inflated, a batch is at most this long: one run of full size and as much again.
pub const BATCH_BYTES_MAX: usize = 2 * RUN_BYTES_MAX - 64 * 1024;
/// Keys of one batch.
const KEYS_MAX: usize = 20_000;
/// Runs of one batch.
const RUNS_MAX: usize = 4_096;

const STORED: u8 = 0;
const ZSTD: u8 = 1;
const ZSTD_LEVEL: i32 = 3;

/// Runs and keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch<R> {
    pub runs: Vec<R>,
    pub keys: Vec<WrappedKey>,
}

/// A record's key, wrapped by its scope's key. Travels beside the entries, outside the chain, so that it can be erased.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrappedKey {
    pub scope: Scope,
    pub record: RecordId,
    pub wrapped: [u8; 48],
}

impl WrappedKey {
    /// Bytes on the wire before compression.
    pub const LEN: usize = 17 + 16 + 48;
}

impl Batch<Run> {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut plain = Vec::new();
        put_varint(&mut plain, self.runs.len() as u64);
        for run in &self.runs {
            put_bytes(&mut plain, &run.encode());
        }
        put_varint(&mut plain, self.keys.len() as u64);
        for key in &self.keys {
            plain.extend_from_slice(&key.scope.to_bytes());
            plain.extend_from_slice(&key.record.0);
            plain.extend_from_slice(&key.wrapped);
        }
        assert!(plain.len() <= BATCH_BYTES_MAX, "a batch of {} bytes", plain.len());
        match zstd::bulk::compress(&plain, ZSTD_LEVEL) {
            Ok(small) if small.len() + 4 < plain.len() => {
                out.push(ZSTD);
                out.extend_from_slice(&(plain.len() as u32).to_be_bytes());
                out.extend_from_slice(&small);
            }
            // Incompressible, or no memory for the compressor: as it is.
            _ => {
                out.push(STORED);
                out.extend_from_slice(&plain);
            }
        }
    }
}

impl Batch<VerifiedRun> {
    pub(super) fn decode(body: &[u8]) -> Result<Self, PeerError> {
        let (coding, rest) = body.split_first().ok_or(WireError::Short { what: "a batch" })?;
        let inflated;
        let plain = match *coding {
            STORED => rest,
            ZSTD => {
                inflated = inflate(rest)?;
                &inflated
            }
            _ => return Err(WireError::Malformed("a batch's coding").into()),
        };
        let mut r = Reader::new(plain);
        let count = read_count(&mut r, "runs of a batch", RUNS_MAX)?;
        let mut runs = Vec::with_capacity(count.min(plain.len() / 64));
        for _ in 0..count {
            match Run::decode(r.bytes("run", RUN_BYTES_MAX)?) {
                Ok(run) => {
                    let log = run.log;
                    runs.push(run.verify().map_err(|error| PeerError::Signature { log, error })?);
                }
                // An unknown suite stops that log alone: its runs are passed over until this side is upgraded.
                Err(WireError::Suite(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let count = read_count(&mut r, "keys of a batch", KEYS_MAX)?;
        let mut keys = Vec::with_capacity(count.min(r.remaining() / WrappedKey::LEN));
        for _ in 0..count {
            keys.push(WrappedKey {
                scope: Scope::from_bytes(&r.array::<17>()?).ok_or(WireError::Malformed("scope"))?,
                record: RecordId(r.array()?),
                wrapped: r.array()?,
            });
        }
        r.end()?;
        Ok(Self { runs, keys })
    }
}

/// A count, held against its limit.
pub(super) fn read_count(r: &mut Reader<'_>, what: &'static str, max: usize) -> Result<usize, WireError> {
    let len = usize::try_from(r.varint()?).unwrap_or(usize::MAX);
    if len > max {
        return Err(WireError::TooLong { what, len, max });
    }
    Ok(len)
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, PeerError> {
    let (len, data) = bytes
        .split_first_chunk::<4>()
        .ok_or(WireError::Short { what: "a batch" })?;
    let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
    if len > BATCH_BYTES_MAX {
        return Err(WireError::TooLong {
            what: "a batch",
            len,
            max: BATCH_BYTES_MAX,
        }
        .into());
    }
    // The decoder never writes past the capacity, whatever the data say.
    let plain = zstd::bulk::decompress(data, len).map_err(|_| WireError::Malformed("a batch's compression"))?;
    if plain.len() != len {
        return Err(WireError::Malformed("a batch's length").into());
    }
    Ok(plain)
}

/// The record that an entry creates: its change has no dependencies. `None` for later changes and whatever else.
pub fn creates(entry: &Entry) -> Option<RecordId> {
    // Automerge's raw chunk: magic 4, checksum 4, type 1, length LEB128, then the number of dependencies. A full parse is not needed:
    // whoever forges this only makes its own record's key travel along or be asked for.
    const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
    const CHANGE: u8 = 1;
    if entry.kind != KIND_RECORD {
        return None;
    }
    let record = RecordId::from_slice(entry.body.get(..RecordId::LEN)?)?;
    let change = entry.body.get(RecordBody::HEADER_LEN..)?;
    if change.get(..4)? != MAGIC || *change.get(8)? != CHANGE {
        return None;
    }
    let mut r = Reader::new(change.get(9..)?);
    let _len = r.varint().ok()?;
    (r.varint().ok()? == 0).then_some(record)
}
