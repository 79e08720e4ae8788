//! Entries, logs, checkpoints, vectors, receipts, membership, the wire format and the sync session.
//!
//! Pure: no socket, clock, randomness or thread. Time and seeds come in as arguments; effects go out in one ordered queue.

// A crash at a clerk's desk, as `unwrap` is, which the workspace warns of.
#![cfg_attr(not(test), warn(clippy::expect_used))]

pub mod authority;
pub mod credential;
pub mod entry;
pub mod frame;
pub mod limits;
pub mod logs;
#[cfg(test)]
pub(crate) mod memory;
pub mod receipt;
pub mod run;
pub mod sealbox;
pub mod session;
pub mod statement;
pub mod ticket;
pub mod time;
pub mod vector;
pub mod wire;

/// The examples of WIRE.md are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../WIRE.md")]
pub struct WireExamples;
