//! Vectors (水位): what a peer holds of a scope, told by the checkpointed tips of each log.

use std::collections::BTreeMap;

use ledger::id::{DeviceId, Hash, Scope};
use sha2::{Digest, Sha256};

use crate::entry::{LogId, Tip};
use crate::wire::{Reader, WireError};

/// More tips than this in one log are still stored, but the device is suspended: somebody copies disks.
pub const TIPS_MAX: usize = 8;

/// Device and epoch → the log's tips, sorted; more than one where the log has forked. Never holds an empty list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Vector {
    pub logs: BTreeMap<(DeviceId, u64), Vec<Tip>>,
}

impl Vector {
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

    /// The bytes of a vector on the wire and in receipts (WIRE.md, "Vector").
    pub fn encode(&self, _out: &mut Vec<u8>) {
        todo!()
    }

    /// Reads one vector from the front of `r`. Only the canonical order is accepted.
    pub fn decode(_r: &mut Reader<'_>) -> Result<Self, WireError> {
        todo!()
    }
}
