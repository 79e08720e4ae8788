//! Durable logs on a disk: the journal and the vault are the only truth, the index is derived (DESIGN §7; JOURNAL.md).
//!
//! ```text
//!  runs, receipts, facts ──stage──▶ pending ──commit──▶ journal (one write, one fdatasync) ──▶ index rows, logs in RAM
//!  record keys ────────────stage──▶ pending ──commit──▶ vault (rewritten in place, so that erasing is erasing)
//! ```
//!
//! Nothing that is staged is seen by any reader before it is committed.

// A crash at a clerk's desk, as `unwrap` is, which the workspace warns of.
#![cfg_attr(not(test), warn(clippy::expect_used))]

pub mod disk;
mod journal;
pub mod kv;
mod store;
pub mod trail;
mod types;
mod vault;

pub use disk::{Disk, Fault, Losses, MemDisk, RealDisk, Struck};
pub use kv::{Batch, Kv, KvError, KvPlace, MemPlace, Order, Scan, SledPlace};
pub use store::Store;
pub use types::{
    Committed, Damage, EntryAt, FrameEntry, Health, JournalFrame, KeyStaged, Merge, Opened, Position, Progress,
    ReadOnlyReason, RunFrame, StageRefusal, Staged, Stats, StoreError, Task, Verified,
};
