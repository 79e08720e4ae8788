//! Vectors (水位): what a peer holds of a scope, told by the checkpointed tips of each log.

use std::collections::BTreeMap;

use ledger::id::{DeviceId, Hash, Scope};
use sha2::{Digest, Sha256};

use crate::entry::{LogId, Tip};
use crate::limits::{VECTOR_BYTES_MAX, VECTOR_TIPS_MAX};
use crate::wire::{Reader, WireError, put_varint};

/// More tips than this in one log are still stored, but the device is suspended: somebody copies disks.
pub const TIPS_MAX: usize = 8;

/// Device and epoch → the log's tips, sorted; more than one where the log has forked. Never holds an empty list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Vector {
    pub logs: BTreeMap<(DeviceId, u64), Vec<Tip>>,
}

impl Vector {
    /// The tips of one log of this scope; none when nothing is held of it.
    pub fn tips(&self, log: &LogId) -> &[Tip] {
        self.logs.get(&(log.device, log.epoch)).map_or(&[], Vec::as_slice)
    }

    /// Sets the tips of one log; none removes it.
    pub fn set(&mut self, device: DeviceId, epoch: u64, mut tips: Vec<Tip>) {
        tips.sort_unstable();
        tips.dedup();
        if tips.is_empty() {
            self.logs.remove(&(device, epoch));
        } else {
            self.logs.insert((device, epoch), tips);
        }
    }

    /// The scope's digest: SHA-256 over scope and vector in canonical order. An empty vector has the zero digest.
    pub fn digest(&self, scope: Scope) -> Hash {
        if self.logs.is_empty() {
            return Hash::ZERO;
        }
        let mut h = Sha256::new();
        h.update(b"cunlian scope 1");
        h.update(scope.to_bytes());
        for ((device, epoch), tips) in &self.logs {
            h.update(device.0);
            h.update(epoch.to_be_bytes());
            h.update((tips.len() as u32).to_be_bytes());
            for tip in tips {
                h.update(tip.seq.to_be_bytes());
                h.update(tip.hash.0);
            }
        }
        Hash(h.finalize().into())
    }

    /// Appends the vector's bytes as they stand on the wire and in receipts (WIRE.md, "Vector").
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.logs.len() as u64);
        for ((device, epoch), tips) in &self.logs {
            out.extend_from_slice(&device.0);
            out.extend_from_slice(&epoch.to_be_bytes());
            put_varint(out, tips.len() as u64);
            for tip in tips {
                put_varint(out, tip.seq);
                out.extend_from_slice(&tip.hash.0);
            }
        }
    }

    /// Reads one vector from the front of `r`. Only the canonical order is accepted, so that equal vectors have equal bytes.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = bounded(r, "logs of a vector", VECTOR_BYTES_MAX / LOG_BYTES_MIN)?;
        let mut logs = BTreeMap::new();
        let mut last = None;
        for _ in 0..count {
            let key = (DeviceId(r.array()?), u64::from_be_bytes(r.array()?));
            if last.is_some_and(|last| last >= key) {
                return Err(WireError::Malformed("the order of a vector"));
            }
            last = Some(key);
            let tips = Self::decode_tips(r)?;
            logs.insert(key, tips);
        }
        Ok(Self { logs })
    }

    fn decode_tips(r: &mut Reader<'_>) -> Result<Vec<Tip>, WireError> {
        let count = bounded(r, "tips of a log", VECTOR_TIPS_MAX)?;
        let mut tips: Vec<Tip> = Vec::new();
        for _ in 0..count {
            let tip = Tip {
                seq: r.varint()?,
                hash: Hash(r.array()?),
            };
            // Half the range is more than anybody will ever write, and leaves room to reckon with.
            if tip.seq == 0 || tip.seq > u64::MAX / 2 || tips.last().is_some_and(|last| *last >= tip) {
                return Err(WireError::Malformed("the order of a log's tips"));
            }
            tips.push(tip);
        }
        if tips.is_empty() {
            return Err(WireError::Malformed("a log without a tip"));
        }
        Ok(tips)
    }
}

/// Device, epoch, one tip.
const LOG_BYTES_MIN: usize = 32 + 8 + 1 + 1 + 32;

fn bounded(r: &mut Reader<'_>, what: &'static str, max: usize) -> Result<usize, WireError> {
    let len = usize::try_from(r.varint()?).unwrap_or(usize::MAX);
    if len > max {
        return Err(WireError::TooLong { what, len, max });
    }
    Ok(len)
}
