//! What to send of one log, given what a peer says it has.
//!
//! Why nobody waits for ever: of all entries that one side has and the other lacks, take the leaf with the highest sequence number.
//! Its owner sees no unknown tip above it, so it never answers `Wait`: it asks or sends.

use super::tree::Tree;
use super::{Hashes, SendPlan, Spot};
use crate::entry::{LogId, Tip};

pub(super) fn plan(tree: &Tree, log: &LogId, theirs: &[Tip], common: &[Tip], hashes: &dyn Hashes) -> SendPlan {
    let mut have: Vec<Spot> = Vec::new();
    let mut unknown: Vec<Tip> = Vec::new();
    for tip in theirs.iter().chain(common).filter(|tip| **tip != Tip::START) {
        match tree.locate(log, *tip, hashes) {
            Some(spot) => have.push(spot),
            None => unknown.push(*tip),
        }
    }
    let lacking: Vec<Spot> = tree
        .leaves()
        .into_iter()
        .filter(|leaf| !have.iter().any(|spot| tree.meeting(*leaf, *spot) == Some(*leaf)))
        .collect();
    let Some(highest) = lacking.iter().map(|leaf| leaf.seq).max() else {
        return SendPlan::Send(Vec::new());
    };
    if unknown.iter().any(|tip| tip.seq > highest) {
        return SendPlan::Wait;
    }
    if common.is_empty() && !unknown.is_empty() {
        return SendPlan::Ask(unknown);
    }
    let mut ranges = Vec::with_capacity(lacking.len());
    for leaf in lacking {
        let start = have
            .iter()
            .filter_map(|spot| tree.meeting(leaf, *spot))
            .max_by_key(|meeting| meeting.seq);
        let after = match start {
            None => Tip::START,
            Some(spot) => match tree.hash_at(log, spot, hashes) {
                Some(hash) => Tip { seq: spot.seq, hash },
                // The hash cannot be read: the branch's stem is below it and known without reading.
                None => tree.stem(spot.branch),
            },
        };
        if let Some(to) = tree.tip_of(leaf) {
            ranges.push((after, to));
        }
        have.push(leaf);
    }
    SendPlan::Send(ranges)
}
