//! Entries, logs, checkpoints, vectors, receipts, membership, the wire format and the sync session.
//!
//! Pure: no socket, clock, randomness or thread. Time and seeds come in as arguments; effects go out in one ordered queue.

pub mod entry;
pub mod receipt;
pub mod run;
pub mod statement;
pub mod vector;
pub mod wire;
