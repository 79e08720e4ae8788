//! Runs: consecutive entries of one log, ending at a checkpoint (签点). The same bytes travel on the wire and lie in the journal.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use ledger::id::{DeviceId, Hash, Scope};
use thiserror::Error;

use crate::entry::{BODY_BYTES_MAX, Entry, LogId, SUITE_1, Tip};
use crate::wire::{Reader, WireError, put_bytes, put_varint};

/// A run is at most this long inflated (DESIGN §9).
pub const RUN_BYTES_MAX: usize = 1024 * 1024;
/// An author signs at least this often, so that no reader must hold more before it can verify.
pub const CHECKPOINT_BYTES_MAX: usize = 32 * 1024;
/// A body is never empty, so the count is bounded by the bytes; this bounds what is prepared before reading them.
pub const RUN_ENTRIES_MAX: usize = 20_000;

/// Entries after `prev`, signed by the log's author at the last of them. Not yet verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    pub log: LogId,
    pub prev: Tip,
    pub entries: Vec<Entry>,
    pub signature: [u8; 64],
}

#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum RunError {
    #[error("the checkpoint's signature is not the author's")]
    Signature,
    #[error("the author's key is not a valid key")]
    Key,
}

/// A run whose hashes are computed and whose checkpoint is proved to be its author's. Can only be made by [`Run::verify`] or [`sign`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedRun {
    run: Run,
    hashes: Vec<Hash>,
}

impl Run {
    /// The run's bytes, on the wire and in the journal (WIRE.md, "Run").
    pub fn encode(&self) -> Vec<u8> {
        let size: usize = self.entries.iter().map(|e| e.body.len() + 4).sum();
        let mut out = Vec::with_capacity(size + 180);
        out.push(SUITE_1);
        out.extend_from_slice(&self.log.scope.to_bytes());
        out.extend_from_slice(&self.log.device.0);
        out.extend_from_slice(&self.log.epoch.to_be_bytes());
        put_varint(&mut out, self.prev.seq);
        out.extend_from_slice(&self.prev.hash.0);
        put_varint(&mut out, self.entries.len() as u64);
        for entry in &self.entries {
            out.push(entry.kind);
            put_bytes(&mut out, &entry.body);
        }
        out.extend_from_slice(&self.signature);
        out
    }

    /// Reads a run within the limits. Errors: an unknown suite, a malformed or oversized run, bytes left over. Proves nothing yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > RUN_BYTES_MAX {
            return Err(WireError::TooLong {
                what: "run",
                len: bytes.len(),
                max: RUN_BYTES_MAX,
            });
        }
        let mut r = Reader::new(bytes);
        let suite = r.byte()?;
        if suite != SUITE_1 {
            return Err(WireError::Suite(suite));
        }
        let scope = Scope::from_bytes(&r.array::<17>()?).ok_or(WireError::Malformed("scope"))?;
        let log = LogId {
            scope,
            device: DeviceId(r.array()?),
            epoch: u64::from_be_bytes(r.array()?),
        };
        let prev = Tip {
            seq: r.varint()?,
            hash: Hash(r.array()?),
        };
        if (prev.seq == 0) != (prev.hash == Hash::ZERO) || prev.seq > u64::MAX / 2 {
            return Err(WireError::Malformed("the place before the run"));
        }
        let count = usize::try_from(r.varint()?).unwrap_or(usize::MAX);
        if count == 0 {
            return Err(WireError::Malformed("a run without entries"));
        }
        if count > RUN_ENTRIES_MAX {
            return Err(WireError::TooLong {
                what: "entries of a run",
                len: count,
                max: RUN_ENTRIES_MAX,
            });
        }
        let mut entries = Vec::with_capacity(count.min(r.remaining() / 2));
        for _ in 0..count {
            let kind = r.byte()?;
            let body = r.bytes("entry", BODY_BYTES_MAX)?;
            if body.is_empty() {
                return Err(WireError::Malformed("an empty entry"));
            }
            entries.push(Entry {
                kind,
                body: body.to_vec(),
            });
        }
        let signature = r.array()?;
        r.end()?;
        Ok(Self {
            log,
            prev,
            entries,
            signature,
        })
    }

    /// Computes the chain and proves the author's signature at its end.
    pub fn verify(self) -> Result<VerifiedRun, RunError> {
        let hashes = chain(&self.log, self.prev, &self.entries);
        let tip = Tip {
            seq: self.prev.seq + hashes.len() as u64,
            hash: hashes.last().copied().unwrap_or(Hash::ZERO),
        };
        verify_checkpoint(&self.log, tip, &self.signature)?;
        Ok(VerifiedRun { run: self, hashes })
    }
}

impl Run {
    /// Computes the chain only. For runs that were verified before they were journalled here, read back through the journal's own
    /// checksum and chain: proving each signature again would take most of an index rebuild. Never for bytes from outside.
    pub fn from_own_journal(self) -> VerifiedRun {
        let hashes = chain(&self.log, self.prev, &self.entries);
        VerifiedRun { run: self, hashes }
    }
}

impl VerifiedRun {
    /// The run itself.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The log to which it belongs.
    pub fn log(&self) -> &LogId {
        &self.run.log
    }

    /// The hash of each entry, in order; never empty.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The place of its last entry, where the author signed.
    pub fn tip(&self) -> Tip {
        Tip {
            seq: self.run.prev.seq + self.hashes.len() as u64,
            hash: self.hashes.last().copied().unwrap_or(Hash::ZERO),
        }
    }
}

/// Signs `entries` as the author of `log`: a run that ends in a checkpoint. Entries must not be empty.
pub fn sign(key: &SigningKey, log: LogId, prev: Tip, entries: Vec<Entry>) -> VerifiedRun {
    assert_eq!(
        log.device.0,
        key.verifying_key().to_bytes(),
        "only the author signs its log"
    );
    assert!(!entries.is_empty(), "a run without entries");
    let hashes = chain(&log, prev, &entries);
    let tip = Tip {
        seq: prev.seq + hashes.len() as u64,
        hash: hashes[hashes.len() - 1],
    };
    let signature = key.sign(&checkpoint_bytes(&log, tip)).to_bytes();
    VerifiedRun {
        run: Run {
            log,
            prev,
            entries,
            signature,
        },
        hashes,
    }
}

/// Proves that `signature` is the author's checkpoint of `log` at `tip`.
pub fn verify_checkpoint(log: &LogId, tip: Tip, signature: &[u8; 64]) -> Result<(), RunError> {
    let key = VerifyingKey::from_bytes(&log.device.0).map_err(|_| RunError::Key)?;
    // Strict: a signature that some implementations accept and others refuse would split replicas.
    key.verify_strict(&checkpoint_bytes(log, tip), &Signature::from_bytes(signature))
        .map_err(|_| RunError::Signature)
}

fn checkpoint_bytes(log: &LogId, tip: Tip) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    out.extend_from_slice(b"cunlian checkpoint 1");
    out.push(SUITE_1);
    out.extend_from_slice(&log.scope.to_bytes());
    out.extend_from_slice(&log.device.0);
    out.extend_from_slice(&log.epoch.to_be_bytes());
    out.extend_from_slice(&tip.seq.to_be_bytes());
    out.extend_from_slice(&tip.hash.0);
    out
}

fn chain(log: &LogId, prev: Tip, entries: &[Entry]) -> Vec<Hash> {
    let mut at = prev;
    entries
        .iter()
        .map(|entry| {
            at = Tip {
                seq: at.seq + 1,
                hash: entry.hash(log, at),
            };
            at.hash
        })
        .collect()
}
