//! What the room's and the hub's binaries share: configuration, data folder, local API, command line, logs.
//!
//! ```text
//!   arguments ──▶ cli ──▶ Ask ──▶ perform ──▶ daemon runs?  yes: local API ──▶ Service ──▶ Keeper
//!                                                           no:  open the folder ──▶ Service ──▶ Keeper
//! ```
//!
//! A face (a web page, see [`Face`]) asks the same `Service` too. A command does the same whether a daemon runs or not, because both ways end in the same `Service`.

// A crash at a clerk's desk, as `unwrap` is, which the workspace warns of.
#![cfg_attr(not(test), warn(clippy::expect_used))]

mod action;
mod api;
mod certificate;
pub mod cli;
pub mod config;
mod face;
mod failure;
mod folder;
mod logging;
mod metrics;
mod office_home;
mod passphrase;
mod perform;
mod progress;
pub mod render;
mod run;
mod service;
mod signal;
pub mod usage;
mod watch;
mod words;

pub use action::{Action, FolderNeed};
pub use certificate::Certificate;
pub use face::{Console, Face, Pages, Stage};
pub use failure::Failure;
pub use folder::{ApiDoor, Folder};
pub use passphrase::Want;
pub use perform::{ask_folder, perform};
pub use run::{Ready, run, software};
pub use service::{Ask, Join, Service};
