//! What a record is: forms, fields, events folded to a state, conflicts, deadlines, identifiers.
//!
//! Pure: no socket, clock, randomness or thread. The sole importer of automerge.

pub mod calendar;
pub mod catalogue;
pub mod day;
pub mod id;
pub mod organisation;
