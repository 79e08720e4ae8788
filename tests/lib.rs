//! A county of real processes: what the demo and the system tests share.
//!
//! ```text
//!   room 1 ──relay──┐
//!   room 2 ──relay──┼─ township ──relay── county
//!   room 3 ──relay──┘
//! ```
//!
//! Every place has a data folder and a process of its own; every line runs through a [`relay::Relay`] that can be cut, healed and
//! slowed down; a place can be killed, restarted and copied. Nothing here knows what is inside a folder or on a line.

pub mod api;
pub mod county;
pub mod crowd;
pub mod failing;
pub mod kill;
#[cfg(target_os = "linux")]
pub mod netns;
pub mod place;
pub mod planted;
pub mod power;
pub mod relay;
pub mod weather;

pub use county::{County, PlaceId};
