//! What goes in and out of a store.

use std::collections::BTreeSet;
use std::io;

use ledger::id::Scope;
use replica::entry::{Entry, LogId, Tip};
use replica::receipt::{Receipt, Withdrawal};

use crate::kv::KvError;

/// A place in the journal between two frames. Positions rise as the journal grows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position {
    pub segment: u32,
    pub offset: u32,
}

impl Position {
    /// Before the first frame of any journal.
    pub const START: Position = Position { segment: 0, offset: 0 };

    /// Behind the last frame of any journal.
    pub(crate) const END: Position = Position {
        segment: u32::MAX,
        offset: u32::MAX,
    };

    /// Eight bytes that sort as positions do.
    pub fn to_bytes(self) -> [u8; 8] {
        ((u64::from(self.segment) << 32) | u64::from(self.offset)).to_be_bytes()
    }

    /// Reads what [`Position::to_bytes`] gave.
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        let both = u64::from_be_bytes(bytes);
        Self {
            segment: (both >> 32) as u32,
            offset: both as u32,
        }
    }
}

/// Where the body of one entry lies in the journal, and its checksum.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EntryAt {
    pub segment: u32,
    pub offset: u32,
    pub len: u32,
    /// CRC32C of the body, so that reading it alone still finds damage.
    pub crc: u32,
}

impl EntryAt {
    /// Of its byte form.
    pub const LEN: usize = 16;

    /// Sixteen bytes: segment, offset, length, checksum.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for (chunk, word) in bytes
            .chunks_exact_mut(4)
            .zip([self.segment, self.offset, self.len, self.crc])
        {
            chunk.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// Reads what [`EntryAt::to_bytes`] gave.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Self {
            segment: word(0),
            offset: word(4),
            len: word(8),
            crc: word(12),
        }
    }
}

/// One frame of the journal, for those who derive rows from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JournalFrame {
    Run(RunFrame),
    Receipt(Receipt),
    Withdrawal(Withdrawal),
    Fact { key: String, value: Option<Vec<u8>> },
}

/// The entries of one run as they lie in the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunFrame {
    pub log: LogId,
    /// The place before the first entry.
    pub prev: Tip,
    /// Never empty.
    pub entries: Vec<FrameEntry>,
}

/// One entry of a [`RunFrame`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrameEntry {
    pub entry: Entry,
    pub tip: Tip,
    pub at: EntryAt,
}

/// What became of a staged run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Staged {
    /// So many of its entries were not held.
    New(u64),
    Held,
}

/// Why a run was not staged.
#[derive(Debug, thiserror::Error)]
pub enum StageRefusal {
    /// The entry before the run is not held; these tips are.
    #[error("the entry before the run is not held")]
    Gap { have: Vec<Tip> },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a staged key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyStaged {
    New,
    /// The same key is held already.
    Held,
    /// Another key is held for that record; it stays. [`crate::Store::replace_key`] is for those who have proved the new one.
    Differs,
    /// The key was erased for ever; the new one is not taken.
    Erased,
}

/// What one commit made durable.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Committed {
    /// Scopes whose vectors moved.
    pub scopes: BTreeSet<Scope>,
    pub frames: u64,
    pub entries: u64,
    /// Bytes written to the journal.
    pub bytes: u64,
    /// Receipts or withdrawals that were new.
    pub receipts: u64,
    /// Logs that hold again what lay behind a hole: more of them counts now than was staged.
    pub adopted: BTreeSet<LogId>,
}

/// Whether runs may be joined across checkpoints when they are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Merge {
    /// Every checkpoint that is held stays one.
    Checkpoints,
    /// Runs that follow each other become one; the last signature suffices.
    Merged,
}

/// A long work that says how far it has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// Reading the journal's checksums.
    Scrubbing,
    /// Bringing the index up to the journal.
    Replaying,
    /// Making the index anew.
    Rebuilding,
    /// Proving frames, chains and signatures.
    Verifying,
    /// Taking over a day book, in lines.
    Importing,
}

/// So many bytes of so many are done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    pub task: Task,
    pub done: u64,
    pub total: u64,
}

/// What opening found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Opened {
    /// Frames replayed into the index.
    pub replayed: u64,
    /// Bytes of an unfinished write that were cut off the end.
    pub torn: u64,
    /// Headers of segments of which only one of the two copies was sound; it was written over the other.
    pub mended: u64,
    /// Places found damaged now. When there are any, facts and entries of our own may be missing: a device whose own logs are
    /// among them begins a new epoch.
    pub damaged: Vec<Damage>,
    /// Slots of the vault that were damaged; their keys are to be asked of a peer.
    pub keys_damaged: u64,
    /// Why the index was made anew, if it was. Rows of the office are gone then; `trusted()` is the start.
    pub rebuilt: Option<String>,
    /// The index knew more of the journal than is there now: its end is lost though it had been synced, or an older copy was put back.
    pub shortened: bool,
    /// The journal was made just now.
    pub fresh: bool,
}

/// A place of the journal that cannot be read. Kept as it is, never served; what lay there is fetched again from a peer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    pub at: Position,
    pub bytes: u64,
    /// Logs that had entries there, as far as known; they were lowered to before the hole.
    pub logs: Vec<LogId>,
}

/// What a whole verification found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    pub frames: u64,
    pub entries: u64,
    pub bytes: u64,
    /// Places that cannot be read and whose logs still lack what lay there.
    pub damaged: Vec<Damage>,
    /// Places that cannot be read but whose entries have been fetched again.
    pub healed: Vec<Damage>,
    /// Damage that nobody had met before: the logs concerned were lowered by this call.
    pub met: Vec<Damage>,
    /// Anything else that is off: a chain, a signature, a row that does not match. One sentence each.
    pub faults: Vec<String>,
}

impl Verified {
    /// Nothing is off. Healed places do not count: what lay there is held elsewhere in the journal.
    pub fn is_clean(&self) -> bool {
        self.damaged.is_empty() && self.faults.is_empty()
    }
}

/// Whether the store takes more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    Writable,
    /// Only statements, receipts, facts and erasures are taken, from the space kept back.
    ReadOnly(ReadOnlyReason),
    /// A sync failed: what is on the disk is not known. Nothing is taken until the store is opened again.
    Poisoned(String),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadOnlyReason {
    DiskFull,
}

/// How much is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Entries of all logs.
    pub entries: u64,
    /// Bytes of the journal's segments.
    pub bytes: u64,
    pub vault_keys: u64,
    pub damaged: u64,
}

/// What went wrong with the store itself.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{doing}: {source}")]
    Disk { doing: &'static str, source: io::Error },
    #[error(transparent)]
    Index(#[from] KvError),
    #[error("the disk is full: only statements, receipts and facts are taken")]
    ReadOnly(ReadOnlyReason),
    #[error("the store has to be opened again: {0}")]
    Poisoned(String),
    #[error("{file} has format version {version}, which this program does not know: upgrade it")]
    Version { file: String, version: u32 },
    #[error("{0} is not held")]
    NotHeld(&'static str),
    #[error("the journal is damaged at {at:?}")]
    Damaged { at: Position },
    #[error("{what} of {len} bytes is too long for the journal")]
    TooLong { what: &'static str, len: usize },
}
