//! Node codes and the hubs' prefixes: unique by construction, also while hubs cannot ask each other.
//!
//! Prefixes 0 to 7 belong to county hubs. County hub *k* gives hubs below it only prefixes that leave *k* when divided by eight, so
//! two county hubs never give the same one. A hub makes node codes under its own prefix only. Within a prefix codes are drawn at
//! random: a hub restored from an old copy does not know which it gave last, and would repeat them if it counted.

use std::collections::BTreeSet;

use ledger::id::{HubPrefix, NodeCode};
use ledger::seed::Seeds;
use replica::authority::Authority;

/// Prefixes of county hubs, and the step between prefixes that one of them gives.
const COUNTY_HUBS: u32 = 8;

/// The prefix for a further county hub; `None` when all eight are used.
pub(crate) fn next_county_prefix(authority: &Authority) -> Option<HubPrefix> {
    (1..COUNTY_HUBS)
        .find(|p| !authority.prefixes_used().contains(p))
        .map(HubPrefix)
}

/// The next prefix that the county hub with `own` may give; `None` when it has none left or is no county hub.
pub(crate) fn next_prefix(own: HubPrefix, authority: &Authority, given: &BTreeSet<u32>) -> Option<HubPrefix> {
    if own.0 >= COUNTY_HUBS {
        return None;
    }
    (COUNTY_HUBS + own.0..HubPrefix::ALONE)
        .step_by(COUNTY_HUBS as usize)
        .find(|p| !authority.prefixes_used().contains(p) && !given.contains(p))
        .map(HubPrefix)
}

/// A node code under `own` that nobody is known to have; `None` when all are used.
pub(crate) fn next_code(
    own: HubPrefix,
    authority: &Authority,
    given: &BTreeSet<u32>,
    seeds: &mut Seeds,
) -> Option<NodeCode> {
    let start = u32::try_from(seeds.below(u64::from(HubPrefix::SIZE))).unwrap_or(0);
    (0..HubPrefix::SIZE)
        .filter_map(|n| NodeCode::under(own, (start + n) % HubPrefix::SIZE))
        .find(|code| !authority.node_codes_used().contains(&code.value()) && !given.contains(&code.value()))
}
