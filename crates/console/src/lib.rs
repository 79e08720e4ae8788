//! What both web faces (the clerk's desk of a room, the operator's console of a hub) share.
//!
//! ```text
//!   browser ──▶ serve ──▶ guard (Host, Origin, session, token, limits, headers) ──▶ the face's own routes
//!                                                                                      │ daemon::Service: the one door
//!   browser ◀── live (one line per change, then the page asks for its own pieces) ◀────┘
//! ```
//!
//! Invariants: nothing is fetched from outside; no script or style stands in a page; every route passes [`guard`]; a page does
//! nothing but what the command line could ask for through the same [`daemon::Service`]; no personal value is in a URL or a log.
//!
//! The htmx extension for server-sent events is not used: it holds one connection for every open tab, a browser opens at most six
//! to one address, so the seventh tab would hang. `console.js` listens only while its tab is looked at.

// A crash at a clerk's desk, as `unwrap` is, which the workspace warns of.
#![cfg_attr(not(test), warn(clippy::expect_used))]

pub mod accounts;
pub mod assets;
pub mod case;
pub mod door;
pub mod face;
pub mod guard;
pub mod kept;
pub mod line;
pub mod live;
pub mod page;
pub mod people;
pub mod post;
pub mod print;
pub mod qr;
pub mod serve;
pub mod session;
pub mod texts;

pub use accounts::Accounts;
pub use door::Door;
pub use guard::{Gate, Visit};
pub use page::{Problem, Shell};
pub use session::{Cover, Person, Sessions};
