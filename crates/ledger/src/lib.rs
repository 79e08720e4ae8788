//! What a record is: forms, fields, events folded to a state, conflicts, deadlines, identifiers.
//!
//! Pure: no socket, clock, randomness or thread. The sole importer of automerge.

// A crash at a clerk's desk, as `unwrap` is, which the workspace warns of.
#![cfg_attr(not(test), warn(clippy::expect_used))]

pub mod calendar;
pub mod catalogue;
pub mod check;
pub mod conflict;
pub mod day;
pub mod daybook;
pub mod form;
pub mod id;
pub mod mask;
pub mod organisation;
pub mod record;
pub mod seal;
pub mod seed;
pub mod table;
pub mod version;

pub use table::TableError;
pub use version::version_hash;
