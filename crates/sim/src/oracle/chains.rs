//! Chains are gapless and signed; nothing above a cut counts.

use std::collections::BTreeSet;

use ledger::id::Hash;
use ledger::record::change_hash;
use office::{Held, Office};
use replica::entry::{LogId, RecordBody, Tip};
use replica::logs::{self, Ancestry};
use replica::run::Run;
use store::{Merge, StoreError};

use super::promises::named;
use super::{Check, Findings, Found};
use crate::dice::Dice;
use crate::world::Seat;

/// Bytes read of a log at once.
const READ_BYTES: usize = 1 << 20;

/// One log of a device, chosen by chance.
pub(super) fn check_one((seat, harmed): (Seat, bool), office: &Office, dice: &mut Dice, found: &mut Findings) {
    if let Some(log) = dice.pick(&all_logs(office)) {
        check_log((seat, harmed), office, log, found);
    }
}

/// Every log of a device.
pub(super) fn check_all((seat, harmed): (Seat, bool), office: &Office, found: &mut Findings) {
    for log in all_logs(office) {
        check_log((seat, harmed), office, &log, found);
    }
}

fn all_logs(office: &Office) -> Vec<LogId> {
    let logs = office.store().logs();
    logs.scopes().flat_map(|scope| logs.logs(scope)).collect()
}

/// Walks from the start to each end: every run follows the one before it and proves its author.
fn check_log((seat, harmed): (Seat, bool), office: &Office, log: &LogId, found: &mut Findings) {
    for tip in office.store().logs().tips(log) {
        match walk((office, harmed), log, *tip) {
            Ok(followed) => found.compared(Check::Chains, followed),
            Err(what) => found.push(Found::new(Check::Chains, seat, what)),
        }
    }
}

/// How many runs follow each other up to an end, or up to damage on a disk that was harmed.
fn walk((office, harmed): (&Office, bool), log: &LogId, end: Tip) -> Result<usize, String> {
    let (mut at, mut followed) = (Tip::START, 0);
    while at != end {
        let runs = match office.store().read(log, at, end, READ_BYTES, Merge::Checkpoints) {
            Ok(runs) => runs,
            // Damage is no gap: what lay there is fetched again, and `verify` names it as long as it is not.
            Err(StoreError::Damaged { .. }) if harmed => return Ok(followed),
            Err(error) => return Err(format!("behind {}: {error}", named(log, at))),
        };
        if runs.is_empty() {
            return Ok(followed);
        }
        followed += runs.len();
        for run in runs {
            at = follow(log, at, run)?;
        }
        if at.seq > end.seq {
            return Err(format!("the chain leads past {}", named(log, end)));
        }
    }
    Ok(followed)
}

/// Where a run leads that must follow an entry.
pub(super) fn follow(log: &LogId, at: Tip, run: Run) -> Result<Tip, String> {
    let (before, count) = (run.prev, run.entries.len() as u64);
    let verified = run
        .verify()
        .map_err(|error| format!("behind {}: {error}", named(log, at)))?;
    if before != at || *verified.log() != *log || verified.tip().seq != at.seq + count {
        return Err(format!("{} is followed by what does not follow it", named(log, at)));
    }
    Ok(verified.tip())
}

/// No event of an entry above a cut counts.
pub(super) fn check_cuts(seat: Seat, office: &Office, held: &Held, found: &mut Findings) {
    let mut above: BTreeSet<Hash> = BTreeSet::new();
    for entry in &held.row.entries {
        let Some((log, tip)) = held.row.place(held.of.scope, entry) else {
            continue;
        };
        if is_above_cut(office, &(log, tip))
            && let Ok(body) = office.store().body(entry.at())
            && let Ok(body) = RecordBody::decode(&body)
        {
            above.insert(change_hash(&body.change));
        }
    }
    if let Some(event) = held.folded.events.iter().find(|e| above.contains(&e.change)) {
        let no = &held.row.summary.no;
        let what = format!("{} of {no} counts, and its device was cut off before", event.kind);
        found.push(Found::new(Check::Foreign, seat, what));
    }
}

fn is_above_cut(office: &Office, (log, tip): &(LogId, Tip)) -> bool {
    let member = office.authority().member(&log.device);
    let Some(revoked) = member.and_then(|m| m.revoked.as_ref()) else {
        return false;
    };
    let ancestry = logs::Held {
        logs: office.store().logs(),
        hashes: office.store(),
    };
    let mut cuts = revoked
        .cuts
        .iter()
        .filter(|c| c.scope == log.scope && c.epoch == log.epoch);
    !cuts.any(|cut| {
        let end = Tip {
            seq: cut.seq,
            hash: cut.hash,
        };
        end == *tip || ancestry.is_ancestor(log, *tip, end)
    })
}
