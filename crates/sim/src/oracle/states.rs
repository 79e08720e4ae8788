//! Equal sets of entries and statements give byte-equal state, on whatever device and whenever; void events change none.

use std::collections::{BTreeMap, BTreeSet};

use ledger::conflict::ConflictKind;
use ledger::id::{DeviceId, Hash, RecordId, Scope, ScopeKind};
use ledger::record::{Flag, Folded, Status};
use office::Office;
use office::views::{RecordRef, RecordRow, RowStatus};

use super::{Check, Findings, Found};
use crate::world::{Seat, World};

/// Answers remembered at most; beyond, all are forgotten at once.
const REMEMBERED_MAX: usize = 200_000;
/// A unit lies at most so deep.
const DEPTH_MAX: usize = 8;

/// What records folded to, by what they were folded from.
#[derive(Default)]
pub(super) struct States {
    /// Digests of a book and of the public scopes over it, numbered.
    keys: BTreeMap<Vec<(Scope, Hash)>, u32>,
    folded: BTreeMap<(u32, RecordId), (Hash, Seat)>,
}

impl States {
    /// Folds one record and compares it with what the same entries gave anywhere else, and with itself without void events.
    pub(super) fn check(&mut self, seat: Seat, office: &Office, of: RecordRef, row: RecordRow, found: &mut Findings) {
        let shown = row.clone();
        let held = match office.held(of, row) {
            Ok(held) => held,
            Err(error) => {
                let what = format!("record {} cannot be read: {error}", of.record);
                found.push(Found::new(Check::SameState, seat, what));
                return;
            }
        };
        void_changes_nothing(seat, &held.folded, &held.without_void, found);
        // A row may lag behind a damaged place that is being fetched again.
        if held.row.entries.len() != shown.entries.len() {
            return;
        }
        found.compared(Check::Refold, 1);
        if held.row.summary != shown.summary {
            let (row, entries) = apart(&format!("{:?}", shown.summary), &format!("{:?}", held.row.summary));
            let what = format!("the row of {} says {row}, its entries say {entries}", shown.summary.no);
            found.push(Found::new(Check::Refold, seat, what));
        }
        let digest = held.folded.digest();
        let key = self.key(office, of.scope);
        let known = self.folded.get(&(key, of.record)).copied();
        found.compared(Check::SameState, usize::from(known.is_some()));
        let (before, by) = known.unwrap_or((digest, seat));
        self.folded.entry((key, of.record)).or_insert((digest, seat));
        if before != digest {
            let f = &held.folded;
            let what = format!(
                "{} folds to {} here and to {} on device {} from the same entries; here {} {:?}, {} events, {} set aside, {} waiting, {} unrecognised",
                shown.summary.no,
                &digest.to_string()[..8],
                &before.to_string()[..8],
                by.0,
                f.state,
                f.status,
                f.events.len(),
                f.set_aside.len(),
                f.waiting,
                f.unrecognised,
            );
            found.push(Found::new(Check::SameState, seat, what));
        }
        if self.folded.len() > REMEMBERED_MAX {
            self.folded.clear();
            self.keys.clear();
        }
    }

    /// As if everything had been folded otherwise somewhere else.
    #[cfg(test)]
    pub(super) fn lie(&mut self) {
        self.folded.values_mut().for_each(|(hash, _)| hash.0[0] ^= 1);
    }

    fn key(&mut self, office: &Office, scope: Scope) -> u32 {
        let next = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        *self.keys.entry(sources(office, scope)).or_insert(next)
    }
}

/// What two texts say where they begin to differ.
fn apart(a: &str, b: &str) -> (String, String) {
    const SHOWN: usize = 60;
    const BEFORE: usize = 30;
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(BEFORE);
    let part = |text: &str| text.chars().skip(from).take(SHOWN).collect();
    (part(a), part(b))
}

/// The digests of everything that the fold of a book reads: the book, and what is stated over it.
fn sources(office: &Office, book: Scope) -> Vec<(Scope, Hash)> {
    let logs = office.store().logs();
    let mut sources = vec![(book, logs.digest(book))];
    let mut at = Some(book.unit);
    for _ in 0..DEPTH_MAX {
        let Some(unit) = at else { break };
        let public = Scope::public(unit);
        sources.push((public, logs.digest(public)));
        at = office.authority().parent(unit);
    }
    sources
}

pub(super) fn void_changes_nothing(seat: Seat, with: &Folded, without: &Folded, found: &mut Findings) {
    // Of a record without void events nothing is left out.
    found.compared(Check::Void, with.events.iter().filter(|e| e.void.is_some()).count());
    let conflicts = |f: &Folded| -> Vec<_> {
        let others = f.conflicts.iter().filter(|c| c.kind != ConflictKind::VoidEvent);
        others.cloned().collect()
    };
    // What a decision upholds goes before what is concurrent with it; without the void event nothing was to be decided. Of two twins, typed
    // apart, the other one's day may lead then. That is the decision's doing, and it counts.
    let is_decided = with.events.iter().any(|e| e.flags.contains(&Flag::Upheld));
    let differs = [
        (
            "status",
            (with.status == Status::Ready) != (without.status == Status::Ready),
        ),
        ("state", with.state != without.state),
        ("closure", with.closure != without.closure),
        ("evaluation", with.evaluation != without.evaluation),
        ("notices", with.notices != without.notices),
        ("outstanding", with.outstanding != without.outstanding),
        ("suspensions", with.suspensions != without.suspensions),
        ("items", with.items != without.items),
        (
            "days",
            !is_decided && (with.received_on, with.accepted_on) != (without.received_on, without.accepted_on),
        ),
        (
            "hands",
            (with.decided_by, with.custody) != (without.decided_by, without.custody),
        ),
        ("fields", with.fields != without.fields),
        ("conflicts", conflicts(with) != conflicts(without)),
    ];
    let differs: Vec<&str> = differs.iter().filter(|(_, d)| *d).map(|(name, _)| *name).collect();
    if differs.is_empty() {
        return;
    }
    let no = with.head.as_ref().map_or("?", |h| h.no.as_str());
    let void = with.events.iter().filter(|e| e.void.is_some());
    let void: Vec<_> = void.map(|e| (&e.kind, &e.void)).collect();
    let what = format!(
        "{no} is {} with its void events and {} without; {differs:?} differ; void: {void:?}",
        with.state, without.state
    );
    found.push(Found::new(Check::Void, seat, what));
}

/// In the end everybody who may hold a scope holds the same of it, and every record of it can be read as far as it should.
///
/// `bereft`: devices of whose logs acknowledged entries were lost for good. What such a device said after a lost entry
/// of the same record waits for it for ever; that nothing else is missing, `Kept` demands.
pub(super) fn check_in_step(world: &World, seats: &[Seat], bereft: &BTreeSet<DeviceId>, found: &mut Findings) {
    let mut digests: BTreeMap<Scope, (Hash, Seat)> = BTreeMap::new();
    let scopes = all_scopes(world, seats);
    for seat in seats {
        let Some(office) = world.office(*seat) else { continue };
        let Some(life) = office.life() else { continue };
        let logs = office.store().logs();
        for scope in &scopes {
            if !office.authority().may_hold(life.unit, scope) {
                continue;
            }
            let digest = logs.digest(*scope);
            found.compared(Check::InStep, usize::from(digests.contains_key(scope)));
            let (first, by) = *digests.entry(*scope).or_insert((digest, *seat));
            if first != digest {
                let what = format!(
                    "holds something else of {:?} {} than {} ({} entries)",
                    scope.kind,
                    scope.unit,
                    world.name(by),
                    logs.entries(*scope)
                );
                found.push(Found::new(Check::InStep, *seat, what));
            }
        }
        for (of, row) in office.record_rows().unwrap_or_default() {
            let s = &row.summary;
            let is_bereft = row.logs.iter().any(|log| bereft.contains(&log.device));
            if s.status == RowStatus::AwaitingEntries && s.unrecognised == 0 && s.set_aside == 0 && !is_bereft {
                let what = format!("record {} still waits for entries", of.record);
                found.push(Found::new(Check::InStep, *seat, what));
            }
        }
    }
}

fn all_scopes(world: &World, seats: &[Seat]) -> Vec<Scope> {
    let offices = seats.iter().filter_map(|seat| world.office(*seat));
    let mut scopes: Vec<Scope> = offices.flat_map(|o| o.store().logs().scopes()).collect();
    scopes.sort_unstable_by_key(|s| (s.kind == ScopeKind::Book, *s));
    scopes.dedup();
    scopes
}
