//! The targets, by where the bytes come from: the wire, the disk, the people.

mod batch;
mod entry;
mod frame;
mod introduction;
mod receipt;
mod run;
mod ticket;

use crate::Target;

pub(crate) const ALL: &[Target] = &[
    frame::TARGET,
    batch::TARGET,
    run::TARGET,
    entry::TARGET,
    receipt::TARGET,
    introduction::TARGET,
    ticket::TARGET,
];

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
