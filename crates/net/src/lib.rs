//! QUIC, TLS identity, enrolment, and the loop from effects to IO.
//!
//! ```text
//!   serve ─┐                       ┌─ Office (sessions, store, views)
//!          ├─▶ link (two tasks) ◀─▶ Keeper (one thread)
//!   dial ──┘                       └─ commands from people
//! ```
//!
//! Everything that decides lies in the office and the session, which have no clock and no socket; here is only what moves
//! bytes, bounds them, and gives time and seeds.

// A crash at a clerk's desk, as `unwrap` is, which the workspace warns of.
#![cfg_attr(not(test), warn(clippy::expect_used))]

mod backoff;
mod clock;
mod dial;
mod door;
mod endpoint;
mod join;
mod keeper;
pub mod limits;
mod link;
mod serve;
mod tls;

#[cfg(test)]
mod tests;

pub use clock::{CLOCK_OFFSET_S, Clock};
pub use dial::{DialOptions, Dialling, dial};
pub use endpoint::{ConnectError, Identity};
pub use join::join;
pub use keeper::{Answer, Keeper, ProgressSink, Running, Standing};
pub use link::CloseCode;
pub use serve::{Server, serve, serve_for};
pub use tls::{ALPN, Revoked};
