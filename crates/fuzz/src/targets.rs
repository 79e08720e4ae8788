//! The targets, by where the bytes come from: the wire, the disk, the people.

mod api;
mod batch;
mod change;
mod config;
mod daybook;
mod entry;
mod form;
mod frame;
mod introduction;
mod journal;
mod receipt;
mod run;
mod tables;
mod ticket;
mod trail;
mod vault;

use crate::Target;

pub(crate) const ALL: &[Target] = &[
    frame::TARGET,
    batch::TARGET,
    run::TARGET,
    entry::TARGET,
    receipt::TARGET,
    introduction::TARGET,
    ticket::TARGET,
    change::TARGET,
    journal::TARGET,
    vault::TARGET,
    trail::TARGET,
    form::TARGET,
    daybook::TARGET,
    tables::TARGET,
    api::TARGET,
    config::TARGET,
];

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
