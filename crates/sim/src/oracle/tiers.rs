//! A tier is shown only when a standing receipt says so, and when it is true.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{DeviceId, ScopeKind, Tier};
use office::Office;
use office::views::{RecordRef, RecordRow};
use replica::entry::{LogId, Tip};
use replica::logs::{Ancestry, Held};
use replica::receipt::Receipt;

use super::promises::holds;
use super::receipts::Lossy;
use super::{Check, Found, tier_of};
use crate::world::{Seat, World};

/// What the oracle compares words with.
pub(super) struct Sight<'a> {
    pub(super) world: &'a World,
    pub(super) devices: &'a BTreeMap<Seat, DeviceId>,
    pub(super) hubs: &'a BTreeSet<Seat>,
    pub(super) lossy: &'a Lossy,
}

impl Sight<'_> {
    /// Whether the tier shown for a record is what the receipts say, entry by entry, and what the hubs hold.
    pub(super) fn check_record(
        &self,
        seat: Seat,
        office: &Office,
        of: RecordRef,
        row: &RecordRow,
        found: &mut Vec<Found>,
    ) {
        let shown = office.reach().of_record(of, row);
        let places: Vec<(LogId, Tip)> = row.entries.iter().filter_map(|e| row.place(of.scope, e)).collect();
        let standing: Vec<(&Receipt, Tier)> = standing(office, of).collect();
        let ancestry = Held {
            logs: office.store().logs(),
            hashes: office.store(),
        };
        let said = |(log, tip): &(LogId, Tip)| {
            let covers = |r: &&(&Receipt, Tier)| {
                let tips = r.0.vector.tips(log);
                tips.iter().any(|t| t == tip || ancestry.is_ancestor(log, *tip, *t))
            };
            let tiers = standing.iter().filter(covers).map(|(_, tier)| *tier);
            tiers.max().unwrap_or(Tier::Room)
        };
        let said = places.iter().map(said).min().unwrap_or(Tier::Room);
        let no = &row.summary.no;
        if shown != said {
            let what = format!(
                "{no} is shown at the {}, its receipts say {}",
                shown.as_str(),
                said.as_str()
            );
            found.push(Found::new(Check::Tiers, seat, what));
        }
        // A hub that is down cannot be asked through its office; its disk is looked at in the end.
        let doubtful = standing.iter().any(|(r, _)| self.lossy.has(r)) || self.any_down();
        if shown == Tier::Room || doubtful {
            return;
        }
        let hubs = self.at_work(shown);
        let nowhere = |(log, tip): &&(LogId, Tip)| !hubs.iter().any(|hub| holds(hub.store(), log, *tip));
        if let Some((log, tip)) = places.iter().find(nowhere) {
            let entry = super::promises::named(log, *tip);
            let what = format!(
                "{no} is shown at the {}, and no hub there holds {entry}",
                shown.as_str()
            );
            found.push(Found::new(Check::Tiers, seat, what));
        }
    }

    /// Whether what a device counts as having arrived at the county has arrived there.
    pub(super) fn check_reach(&self, seat: Seat, office: &Office, found: &mut Vec<Found>) {
        let hubs = self.at_work(Tier::County);
        if self.any_down() || hubs.iter().any(|h| self.lossy.concerns(&h.device())) {
            return;
        }
        let logs = office.store().logs();
        for scope in logs.scopes().filter(|s| s.kind == ScopeKind::Book) {
            let mut arrived = 0;
            for log in logs.logs(scope) {
                let tips = hubs.iter().flat_map(|h| h.store().logs().tips(&log));
                let tips: Vec<Tip> = tips.copied().collect();
                arrived += entries(office, &log).saturating_sub(beyond(office, &log, &tips));
            }
            let said = office.reach().of_book(scope).county;
            if said > arrived {
                let what = format!(
                    "{said} entries of book {} count as at the county, {arrived} are",
                    scope.unit
                );
                found.push(Found::new(Check::Words, seat, what));
            }
        }
    }

    /// Offices that run at a tier or above, stolen ones included: they did hold what they signed for.
    fn at_work(&self, tier: Tier) -> Vec<&Office> {
        let offices = self.devices.keys().filter_map(|seat| self.world.office(*seat));
        offices.filter(|o| tier_of(o).is_some_and(|t| t >= tier)).collect()
    }

    fn any_down(&self) -> bool {
        self.hubs.iter().any(|seat| !self.world.is_up(*seat))
    }
}

/// Entries held of a log, all branches.
fn entries(office: &Office, log: &LogId) -> u64 {
    let branches = office.store().logs().branches(log);
    branches.iter().map(|(_, before, last)| last.seq - before.seq).sum()
}

/// Entries of a log that are held here and lie not at or below any of these ends.
fn beyond(office: &Office, log: &LogId, tips: &[Tip]) -> u64 {
    let store = office.store();
    // Where the other side holds more, it is not reckoned how that branches.
    match tips.iter().any(|tip| !holds(store, log, *tip)) {
        true => 0,
        false => store.logs().beyond(log, tips, store),
    }
}

/// Receipts that count for a record, each with its tier: not withdrawn, by a hub that is in and over the book.
fn standing(office: &Office, of: RecordRef) -> impl Iterator<Item = (&Receipt, Tier)> {
    let receipts = office.store().receipts();
    receipts
        .standing(of.scope)
        .filter(|r| !receipts.is_void(&r.hub, r.store) && office.authority().receipt_counts(r))
        .filter_map(|r| Some((r, office.authority().tier_of(&r.hub)?)))
}
