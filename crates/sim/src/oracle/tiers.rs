//! A tier is shown only when a standing receipt says so, and when it is true.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{DeviceId, Scope, ScopeKind, Tier};
use office::Office;
use office::views::{RecordRef, RecordRow};
use replica::entry::{LogId, Tip};
use replica::logs::{Ancestry, Held};
use replica::receipt::Receipt;
use serde_json::Value;

use super::promises::holds;
use super::receipts::Lossy;
use super::{Check, Findings, Found, tier_of};
use crate::world::{Seat, World};

/// What the oracle compares words with.
pub(super) struct Sight<'a> {
    pub(super) world: &'a World,
    pub(super) devices: &'a BTreeMap<Seat, DeviceId>,
    pub(super) hubs: &'a BTreeSet<Seat>,
    /// Burnt, stolen, thrown away: they will never be up again, and nobody waits for their word.
    pub(super) gone: &'a BTreeSet<Seat>,
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
        found: &mut Findings,
    ) {
        let doubts = office.store().doubts();
        let shown = office.reach().of_record(of, row);
        let places: Vec<(LogId, Tip)> = row.entries.iter().filter_map(|e| row.place(of.scope, e)).collect();
        let standing: Vec<(&Receipt, Tier)> = standing(office, of.scope).collect();
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
        // Places that cannot be read just now hide the way to what a receipt names; one of us looks at more of them than the other.
        if office.store().doubts() != doubts {
            return;
        }
        // What was lost to known damage and is being fetched again hides the way in the same manner: the way from what the receipt names
        // to what came before it is not held here. Whether the hubs hold all of it is looked at below.
        let all_held = places.iter().all(|(log, tip)| holds(office.store(), log, *tip));
        let no = &row.summary.no;
        if shown != said && (all_held || shown < said) {
            let what = format!(
                "{no} is shown at the {}, its receipts say {}",
                shown.as_str(),
                said.as_str()
            );
            found.push(Found::new(Check::Tiers, seat, what));
        }
        if shown == Tier::Room || self.is_doubtful(office, of.scope) {
            return;
        }
        found.compared(Check::Tiers, places.len());
        if let Some((log, tip)) = self.nowhere(shown, &places) {
            let entry = super::promises::named(log, *tip);
            let what = format!(
                "{no} is shown at the {}, and no hub there holds {entry}",
                shown.as_str()
            );
            found.push(Found::new(Check::Tiers, seat, what));
        }
    }

    /// Whether the ticks (回执) in what a device has just answered are so: people act upon them at once.
    pub(super) fn check_answer(&self, seat: Seat, office: &Office, answer: &Value, found: &mut Findings) {
        let lines = match answer {
            Value::Array(lines) => lines.as_slice(),
            one => std::slice::from_ref(one),
        };
        let ticks = lines.iter().filter_map(|line| {
            let id = line["record_id"].as_str()?;
            Some((id.to_owned(), line["receipt"].as_str()?))
        });
        let mut ticks: BTreeMap<String, &str> = ticks.collect();
        ticks.retain(|_, tick| *tick != Tier::Room.as_str());
        if ticks.is_empty() {
            return;
        }
        for (of, row) in office.record_rows().unwrap_or_default() {
            let Some(tick) = ticks.get(&of.record.to_string()) else {
                continue;
            };
            found.compared(Check::Words, 1);
            if let Some(what) = self.wrong_tick(office, of, &row, tick) {
                found.push(Found::new(Check::Words, seat, what));
            }
            self.check_record(seat, office, of, &row, found);
        }
    }

    /// What is wrong with a tick that a device has just answered.
    fn wrong_tick(&self, office: &Office, of: RecordRef, row: &RecordRow, tick: &str) -> Option<String> {
        let shown = office.reach().of_record(of, row);
        let told = [Tier::Township, Tier::County].into_iter().find(|t| t.as_str() == tick);
        let places: Vec<(LogId, Tip)> = row.entries.iter().filter_map(|e| row.place(of.scope, e)).collect();
        let store = office.store();
        // The very look may have met damage, which hides the way to what receipts name from the next one on.
        let hidden = store.is_in_doubt() || places.iter().any(|(log, tip)| !holds(store, log, *tip));
        let wrong = match told {
            Some(told) if told == shown => false,
            // Too little said while something could not be read is honest, and is put right when it is read again.
            Some(told) if hidden && told < shown => false,
            // Too much has to be so all the same.
            Some(told) if hidden => !self.is_doubtful(office, of.scope) && self.nowhere(told, &places).is_some(),
            _ => true,
        };
        let (no, is) = (&row.summary.no, shown.as_str());
        wrong.then(|| format!("it answers that {no} is at the {tick}, and it is at the {is}"))
    }

    /// Whether hubs cannot be held to what they said of a book. One that is down cannot be asked through its office; its disk is looked
    /// at in the end.
    fn is_doubtful(&self, office: &Office, book: Scope) -> bool {
        self.any_down() || standing(office, book).any(|(receipt, _)| self.lossy.has(receipt))
    }

    /// The first of these places that no hub at a tier or above holds; none where one of them cannot read its disk just now.
    fn nowhere<'p>(&self, tier: Tier, places: &'p [(LogId, Tip)]) -> Option<&'p (LogId, Tip)> {
        let hubs = self.at_work(tier);
        let nowhere = |(log, tip): &&(LogId, Tip)| !hubs.iter().any(|hub| holds(hub.store(), log, *tip));
        let first = places.iter().find(nowhere);
        first.filter(|_| !hubs.iter().any(|hub| hub.store().is_in_doubt()))
    }

    /// Whether what a device counts as having arrived at the county has arrived there.
    pub(super) fn check_reach(&self, seat: Seat, office: &Office, found: &mut Findings) {
        let hubs = self.at_work(Tier::County);
        if self.any_down() || hubs.iter().any(|h| self.lossy.concerns(h)) {
            return;
        }
        let logs = office.store().logs();
        for scope in logs.scopes().filter(|s| s.kind == ScopeKind::Book) {
            // Words of a disk that was harmed since, or of a hub that is no more: the news is on its way.
            if standing(office, scope).any(|(receipt, _)| self.lossy.has(receipt)) {
                continue;
            }
            found.compared(Check::Words, 1);
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
        let mut there = self.hubs.iter().filter(|seat| !self.gone.contains(seat));
        there.any(|seat| !self.world.is_up(*seat))
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

/// Receipts that count for a book, each with its tier: not withdrawn, by a hub that is in and over the book.
fn standing(office: &Office, book: Scope) -> impl Iterator<Item = (&Receipt, Tier)> {
    let receipts = office.store().receipts();
    receipts
        .standing(book)
        .filter(|r| !receipts.is_void(&r.hub, r.store) && office.authority().receipt_counts(r))
        .filter_map(|r| Some((r, office.authority().tier_of(&r.hub)?)))
}
