//! What a unit does with its store: who is in, which sessions run, what people ask, what they are shown.
//!
//! ```text
//!   net ──frames──▶ Session ──effects──▶ Office ──stage──▶ Store (journal, vault) ──frames──▶ views (index)
//!   net ◀─outputs── Session ◀─committed─ Office ◀─commit── one fdatasync for all ──▶ receipts (hubs)
//! ```
//!
//! Single-threaded and synchronous: time and seed are arguments, so a whole county runs in one thread of a test.

// A crash at a clerk's desk, as `unwrap` is, which the workspace warns of.
#![cfg_attr(not(test), warn(clippy::expect_used))]

mod acts;
mod asides;
mod audit;
mod cases;
mod chain;
pub mod command;
mod conflicts;
mod dayclose;
mod drafts;
mod duties;
mod figures;
mod finder;
mod grants;
pub mod health;
pub mod identity;
mod import;
mod init;
mod inspect;
mod join;
pub mod keys;
mod life;
mod local;
pub mod lock;
mod members;
mod meters;
mod monthly;
mod notes;
mod office;
mod passphrase;
mod peers;
mod prefix;
mod quarantine;
mod receipts;
mod reform;
mod reports;
#[cfg(any(test, feature = "rig"))]
pub mod rig;
mod rooms;
mod salvage;
mod statements;
mod status;
mod tables;
mod texts;
mod tickets;
pub mod tiers;
mod users;
mod verify;
pub mod views;
mod waiting;

pub use figures::job::Job as ReportJob;
pub use inspect::{Held, Load};
pub use life::Life;
pub use office::{Home, Office, OfficeError};
pub use peers::{Output, SessionId};
pub use rooms::RoomState;
pub use texts::{ACTS, ActWords};

#[cfg(test)]
mod tests;
