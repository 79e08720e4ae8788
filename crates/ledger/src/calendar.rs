//! The workday calendar (工作日历): a county-published, versioned statement. A deadline names the version it was counted with.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use crate::day::Day;

/// Holidays and make-up workdays over a published range; outside of it weekends alone decide, and the result is provisional.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Calendar {
    #[n(0)]
    pub version: u32,
    /// First and last day that are published, both included.
    #[n(1)]
    pub from: Option<Day>,
    #[n(2)]
    pub until: Option<Day>,
    #[n(3)]
    pub off: BTreeSet<Day>,
    #[n(4)]
    pub makeup: BTreeSet<Day>,
}
