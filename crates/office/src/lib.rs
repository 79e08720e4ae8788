//! What a unit does with its store: who is in, which sessions run, what people ask, what they are shown.
//!
//! ```text
//!   net ──frames──▶ Session ──effects──▶ Office ──stage──▶ Store (journal, vault) ──frames──▶ views (index)
//!   net ◀─outputs── Session ◀─committed─ Office ◀─commit── one fdatasync for all ──▶ receipts (hubs)
//! ```
//!
//! Single-threaded and synchronous: time and seed are arguments, so a whole county runs in one thread of a test.

mod cases;
pub mod command;
mod conflicts;
pub mod identity;
mod import;
pub mod keys;
mod life;
mod office;
mod quarantine;
mod statements;
mod texts;
pub mod tiers;
mod verify;
pub mod views;

pub use life::Life;
pub use office::{Home, Office, OfficeError};
