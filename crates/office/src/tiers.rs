//! Tiers (层级): how far each record and each book has travelled, told by standing receipts only.
//!
//! An entry is at a tier when a standing receipt of a hub of that tier or above covers it; a record is where the least of its
//! entries is. A withdrawn receipt counts for nothing and is shown as withdrawn.

use std::collections::BTreeMap;

use ledger::id::{Scope, ScopeKind, Tier, UnitId};
use replica::authority::Authority;
use replica::entry::{LogId, RecordBody, Tip};
use replica::logs::{Ancestry, Held};
use replica::receipt::Receipt;
use store::{Merge, Store};

use crate::views::row::{RecordRef, RecordRow};

/// The oldest pending entry is looked up in at most so many logs: each costs a read of the disk.
const OLDEST_LOGS_MAX: usize = 512;

/// How much of one book is durable where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reach {
    /// Entries held here.
    pub recorded: u64,
    /// Of these, held by a township or above.
    pub township: u64,
    /// Of these, held by the county.
    pub county: u64,
    /// Author's clock (UTC ms) of the oldest entry that no township or above holds, and that the county does not hold.
    pub oldest_township_ms: Option<i64>,
    pub oldest_county_ms: Option<i64>,
}

impl Reach {
    /// Entries that no township or above holds.
    pub fn pending_township(&self) -> u64 {
        self.recorded - self.township
    }

    /// Entries that the county does not hold.
    pub fn pending_county(&self) -> u64 {
        self.recorded - self.county
    }

    /// Two books together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let older = |a: Option<i64>, b: Option<i64>| a.into_iter().chain(b).min();
        Self {
            recorded: self.recorded + other.recorded,
            township: self.township + other.township,
            county: self.county + other.county,
            oldest_township_ms: older(self.oldest_township_ms, other.oldest_township_ms),
            oldest_county_ms: older(self.oldest_county_ms, other.oldest_county_ms),
        }
    }
}

/// A hub's word about a record, for its page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    pub tier: Tier,
    pub unit: UnitId,
    pub hub: ledger::id::DeviceId,
    /// When the hub said so, by its own clock.
    pub at_ms: i64,
    pub state: WordState,
}

/// What a hub's word is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WordState {
    /// Every entry of the record is durable there.
    Whole,
    /// Some of them are.
    Part,
    /// The hub has taken back what it said (restored from a backup); when.
    Withdrawn { at_ms: i64 },
}

/// Reads tiers off the receipts of a store.
pub struct Tiers<'a> {
    pub store: &'a Store,
    pub authority: &'a Authority,
}

impl Tiers<'_> {
    fn held(&self) -> Held<'_> {
        Held {
            logs: self.store.logs(),
            hashes: self.store,
        }
    }

    /// The tier a receipt speaks for; `None` when it does not count.
    fn tier_of(&self, receipt: &Receipt) -> Option<Tier> {
        if !self.authority.receipt_counts(receipt) {
            return None;
        }
        self.authority.tier_of(&receipt.hub)
    }

    /// The tier that holds a whole record durably; a room's own disk at least.
    pub fn of_record(&self, of: RecordRef, row: &RecordRow) -> Tier {
        let places = self.places(of, row);
        let reach = |(log, tip): &(LogId, Tip)| {
            let reached = self
                .store
                .receipts()
                .reach(log, *tip, &|r| self.tier_of(r), &self.held());
            reached.map_or(Tier::Room, |(tier, _)| tier)
        };
        places.iter().map(reach).min().unwrap_or(Tier::Room)
    }

    /// The entries whose coverage means that of the whole record: the last of each log, or all of a log that has forked.
    fn places(&self, of: RecordRef, row: &RecordRow) -> Vec<(LogId, Tip)> {
        let mut places: Vec<(LogId, Tip)> = Vec::with_capacity(row.logs.len());
        for (log, tip) in row.entries.iter().filter_map(|e| row.place(of.scope, e)) {
            let forked = self.store.logs().tips(&log).len() > 1;
            match places.iter_mut().find(|(l, _)| *l == log && !forked) {
                Some((_, last)) if last.seq < tip.seq => *last = tip,
                Some(_) => {}
                None => places.push((log, tip)),
            }
        }
        places
    }

    /// Every hub's word about a record, highest tier first, withdrawn ones included.
    pub fn words(&self, of: RecordRef, row: &RecordRow) -> Vec<Word> {
        let places: Vec<(LogId, Tip)> = row.entries.iter().filter_map(|e| row.place(of.scope, e)).collect();
        let held = self.held();
        let mut words = Vec::new();
        for receipt in self.store.receipts().standing(of.scope) {
            let Some(tier) = self.tier_of(receipt) else { continue };
            let covers = |(log, tip): &&(LogId, Tip)| {
                let tips = receipt.vector.tips(log);
                tips.iter().any(|t| t == tip || held.is_ancestor(log, *tip, *t))
            };
            let covered = places.iter().filter(covers).count();
            let state = match covered {
                0 => continue,
                n if n == places.len() => WordState::Whole,
                _ => WordState::Part,
            };
            words.push(self.word(receipt.hub, tier, receipt.at_ms, state));
        }
        for withdrawal in self.store.receipts().withdrawals() {
            let (hub, at_ms) = (withdrawal.hub, withdrawal.at_ms);
            let Some(member) = self.authority.member(&hub) else {
                continue;
            };
            if let Some(tier) = member.tier.filter(|_| self.authority.may_hold(member.unit, &of.scope)) {
                words.push(self.word(hub, tier, at_ms, WordState::Withdrawn { at_ms }));
            }
        }
        words.sort_by_key(|w| (std::cmp::Reverse(w.tier), w.hub, w.at_ms));
        words
    }

    fn word(&self, hub: ledger::id::DeviceId, tier: Tier, at_ms: i64, state: WordState) -> Word {
        Word {
            tier,
            unit: self.authority.member(&hub).map_or(UnitId::ZERO, |m| m.unit),
            hub,
            at_ms,
            state,
        }
    }

    /// How far all books held here have travelled together.
    pub fn of_all(&self) -> Reach {
        let books = self.store.logs().scopes().filter(|s| s.kind == ScopeKind::Book);
        books
            .map(|scope| self.of_book(scope))
            .fold(Reach::default(), Reach::and)
    }

    /// How far one book has travelled.
    pub fn of_book(&self, scope: Scope) -> Reach {
        self.reach(scope, OLDEST_LOGS_MAX)
    }

    /// The same without the oldest pending entries, which the disk is read for: of thousands of books at once.
    pub(crate) fn counted(&self, scope: Scope) -> Reach {
        self.reach(scope, 0)
    }

    fn reach(&self, scope: Scope, mut lookups: usize) -> Reach {
        let receipts: Vec<(&Receipt, Tier)> = self
            .store
            .receipts()
            .standing(scope)
            .filter_map(|r| Some((r, self.tier_of(r)?)))
            .collect();
        let mut reach = Reach::default();
        for log in self.store.logs().logs(scope) {
            reach = reach.and(self.of_log(&log, &receipts, &mut lookups));
        }
        reach
    }

    fn of_log(&self, log: &LogId, receipts: &[(&Receipt, Tier)], lookups: &mut usize) -> Reach {
        let logs = self.store.logs();
        let mine = self.ends(log, logs.tips(log));
        let count = |ends: &Ends| ends.values().map(|(first, last, _)| last + 1 - first).sum::<u64>();
        let at = |least: Tier| {
            let tips: Vec<Tip> = receipts
                .iter()
                .filter(|(_, tier)| *tier >= least)
                .flat_map(|(receipt, _)| receipt.vector.tips(log))
                .copied()
                .collect();
            self.ends(log, &tips)
        };
        let (township, county) = (at(Tier::Township), at(Tier::County));
        let mut oldest = |covered: &Ends| {
            if count(covered) >= count(&mine) || *lookups == 0 {
                return None;
            }
            *lookups -= 1;
            self.oldest(log, &mine, covered)
        };
        Reach {
            recorded: count(&mine),
            township: count(&township),
            county: count(&county),
            oldest_township_ms: oldest(&township),
            oldest_county_ms: oldest(&county),
        }
    }

    /// Of each branch that leads to one of the tips: its first and last sequence number on the way, and the tip. Tips that are not
    /// held here say nothing that can be proved here.
    fn ends(&self, log: &LogId, tips: &[Tip]) -> Ends {
        let logs = self.store.logs();
        let mut ends = Ends::new();
        for tip in tips {
            let Some(spot) = logs.locate(log, *tip, self.store) else {
                continue;
            };
            for (branch, first, last) in logs.path(log, spot) {
                let end = ends.entry(branch).or_insert((first, last, *tip));
                if end.1 < last {
                    *end = (first, last, *tip);
                }
            }
        }
        ends
    }

    fn oldest(&self, log: &LogId, mine: &Ends, covered: &Ends) -> Option<i64> {
        let mut oldest: Option<i64> = None;
        for (branch, (first, last, tip)) in mine {
            let after = covered.get(branch).map_or(first - 1, |(_, last, _)| *last);
            if after >= *last {
                continue;
            }
            let at = match after {
                0 => Tip::START,
                seq => self.store.logs().ancestor_at(log, *tip, seq, self.store)?,
            };
            let runs = self.store.read(log, at, *tip, 1, Merge::Checkpoints).ok()?;
            let body = &runs.first()?.entries.first()?.body;
            let wall_ms = RecordBody::decode(body).ok()?.wall_ms;
            oldest = Some(oldest.map_or(wall_ms, |o| o.min(wall_ms)));
        }
        oldest
    }
}

/// Branch → first and last sequence number, and a tip beyond.
type Ends = BTreeMap<u32, (u64, u64, Tip)>;
