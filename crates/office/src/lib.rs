//! What a unit does with its store: who is in, which sessions run, what people ask, what they are shown.
//!
//! ```text
//!   net ──frames──▶ Session ──effects──▶ Office ──stage──▶ Store (journal, vault) ──frames──▶ views (index)
//!   net ◀─outputs── Session ◀─committed─ Office ◀─commit── one fdatasync for all ──▶ receipts (hubs)
//! ```
//!
//! Single-threaded and synchronous: time and seed are arguments, so a whole county runs in one thread of a test.

pub mod command;
pub mod identity;
pub mod keys;
mod life;
mod office;
mod statements;
pub mod views;

pub use life::Life;
pub use office::{Home, Office, OfficeError};
