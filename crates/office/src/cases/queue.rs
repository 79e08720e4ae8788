//! Queues that a township or the county works off: conflict items, and what is set aside, in pages.

use std::collections::BTreeMap;

use ledger::day::Day;
use ledger::id::{Hash, Tier, UnitId};
use replica::authority::Write;
use replica::time::Now;
use serde_json::{Value as Json, json};

use crate::cases::work::page_lines;
use crate::command::{CommandError, ConflictQueue, QuarantineQueue, QuarantineRetry};
use crate::office::Office;
use crate::texts;
use crate::views::groups::Item;
use crate::views::name::{self, Flag};
use crate::views::row::{RecordRef, Summary};

/// Items put in order for one page. A county has some hundred; beyond this something else is wrong, and the count says so.
const ITEMS_MAX: usize = 20_000;
/// Records folded again by one press without a number.
const RETRIED_MAX: usize = 5_000;

/// An item with what orders and filters it.
struct Queued {
    since: Option<Day>,
    id: Hash,
    item: Item,
}

impl Office {
    /// Items that await a decision, the oldest first; or those decided, the newest first. Forks of devices stand before them.
    ///
    /// # Errors
    /// A unit that is not known.
    pub(crate) fn conflict_queue(&mut self, now: Now, args: &ConflictQueue) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let kind = args.kind.as_deref().map(str::trim).filter(|kind| !kind.is_empty());
        let within = args.unit.as_deref().filter(|unit| !unit.trim().is_empty());
        let within = within.map(|unit| self.units_within(Some(unit))).transpose()?;
        let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
        let mut queue = Vec::new();
        for (id, item) in self.conflict_rows()? {
            if item.open == args.decided || !is_within(&item, within.as_deref()) {
                continue;
            }
            *kinds.entry(item.kind.clone()).or_default() += 1;
            if kind.is_none_or(|kind| kind == item.kind) && queue.len() < ITEMS_MAX {
                let since = self.conflict_since(&item)?;
                queue.push(Queued { since, id, item });
            }
        }
        queue.sort_unstable_by_key(|q| (q.since, q.id));
        if args.decided {
            queue.reverse();
        }
        let mut forks = self.fork_items(args.decided, within.as_deref());
        if !forks.is_empty() {
            kinds.insert("fork".to_owned(), forks.len() as u64);
        }
        if kind.is_some_and(|kind| kind != "fork") {
            forks.clear();
        }
        let total = queue.len() + forks.len();
        if args.page > 0 {
            forks.clear();
        }
        let (queued, lines) = (queue.len(), page_lines(args.limit));
        let skipped = args.page.saturating_mul(lines);
        let mut items = forks;
        let mut taken = 0;
        for Queued { since, id, item } in queue.into_iter().skip(skipped).take(lines) {
            taken += 1;
            let mut shown = self.conflict_item(&id, &item)?;
            shown["since"] = json!(since);
            shown["age_workdays"] = json!(self.age(since, today));
            shown["ours"] = json!(self.tier() > Tier::Room && self.is_ours(&item));
            items.push(shown);
        }
        let left = queued.saturating_sub(skipped + taken);
        Ok(json!({"today": today, "kinds": kinds, "total": total, "page": args.page, "left": left, "items": items}))
    }

    /// Workdays since a day.
    fn age(&self, since: Option<Day>, today: Day) -> Option<u32> {
        Some(self.authority.calendar()?.workdays_between(since?, today))
    }

    /// Since both sides exist: the later of the records' last days that are known.
    fn conflict_since(&self, item: &Item) -> Result<Option<Day>, CommandError> {
        let mut since = None;
        for of in item.records() {
            let s = self.row(of)?.map(|row| row.summary).unwrap_or_default();
            since = since.max(last_day(&s));
        }
        Ok(since)
    }

    /// Whether this office may write the decision into every subject.
    fn is_ours(&self, item: &Item) -> bool {
        let subjects = item.records();
        let ours = |of: &RecordRef| self.authority.may_write(&self.me.device, &of.scope) == Write::Yes;
        subjects.iter().all(ours)
    }

    /// Changes set aside and what waits for versions or entries, in pages; damage and unreadable entries on the first.
    ///
    /// # Errors
    /// A unit that is not known.
    pub(crate) fn quarantine_queue(&mut self, now: Now, args: &QuarantineQueue) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let within = args.unit.as_deref().filter(|unit| !unit.trim().is_empty());
        let within = within.map(|unit| self.units_within(Some(unit))).transpose()?;
        let lines = page_lines(args.limit);
        let mut items = Vec::new();
        if args.page == 0 && within.is_none() {
            items = self.damaged_and_odd()?;
            items.truncate(lines);
        }
        let mut flagged: Vec<(Flag, RecordRef)> = Vec::new();
        for flag in [Flag::SetAside, Flag::Versions, Flag::Entries] {
            let of_flag = self.flagged(flag)?.into_iter();
            let wanted = of_flag.filter(|of| is_one_of(of.scope.unit, within.as_deref()));
            flagged.extend(wanted.map(|of| (flag, of)));
        }
        let total = flagged.len();
        let skipped = args.page.saturating_mul(lines);
        let mut taken = 0;
        for (flag, of) in flagged.into_iter().skip(skipped).take(lines) {
            taken += 1;
            let row = self.row(of)?.unwrap_or_default();
            let read = self.read(of, row)?;
            let before = items.len();
            self.quarantined(flag, of, &read, &mut items);
            for item in items.iter_mut().skip(before) {
                item["unit_name"] = json!(self.unit_shown(of.scope.unit).1);
                item["matter"] = json!(read.row.summary.matter);
                item["on"] = json!(read.row.summary.on);
            }
        }
        let left = total.saturating_sub(skipped + taken);
        Ok(json!({"today": today, "total": total, "page": args.page, "left": left, "items": items}))
    }

    /// Looks for damage again and folds anew what is set aside, with what this version of the program can read.
    ///
    /// # Errors
    /// A number that is not known; the disk.
    pub(crate) fn quarantine_retry(&mut self, now: Now, args: &QuarantineRetry) -> Result<Json, CommandError> {
        self.today(now)?;
        self.catch_up(now)?;
        let number = args
            .number
            .as_deref()
            .map(str::trim)
            .filter(|number| !number.is_empty());
        let again: Vec<RecordRef> = match number {
            Some(number) => vec![self.find(number)?.0],
            None => {
                let mut all = Vec::new();
                for flag in [Flag::SetAside, Flag::Versions, Flag::Entries] {
                    all.extend(self.flagged(flag)?);
                }
                all.sort_unstable();
                all.dedup();
                all.truncate(RETRIED_MAX);
                all
            }
        };
        self.repair(now).map_err(|e| texts::store_failed(&e))?;
        for of in &again {
            self.views.touch(of.scope, of.record);
        }
        self.catch_up(now)?;
        let (mut healed, mut still) = (0_u64, Vec::new());
        for of in &again {
            let row = self.row(*of)?.unwrap_or_default();
            let s = &row.summary;
            let is_sound = s.set_aside == 0 && s.waiting == 0 && s.status == crate::views::row::RowStatus::Ready;
            match is_sound {
                true => healed += 1,
                false => still.push(*of),
            }
        }
        let mut items = Vec::new();
        for of in still.iter().take(page_lines(None)) {
            let row = self.row(*of)?.unwrap_or_default();
            let read = self.read(*of, row)?;
            for flag in [Flag::SetAside, Flag::Versions, Flag::Entries] {
                if self.flagged(flag)?.contains(of) {
                    self.quarantined(flag, *of, &read, &mut items);
                }
            }
        }
        Ok(json!({"tried": again.len(), "healed": healed, "left": still.len(), "items": items}))
    }

    /// All rows of conflict items, each item once.
    fn conflict_rows(&self) -> Result<Vec<(Hash, Item)>, CommandError> {
        let mut rows = Vec::new();
        let all = &mut |key: &[u8], value: &[u8]| rows.extend(name::conflict_id(key).zip(Item::decode(value)));
        crate::views::counts::visit(self.store.kv(), name::CONFLICT, all).map_err(|e| texts::store_failed(&e))?;
        rows.dedup_by_key(|(id, _)| *id);
        Ok(rows)
    }
}

fn last_day(s: &Summary) -> Option<Day> {
    [s.on, s.accepted_on, s.closed_on, s.ended_on]
        .into_iter()
        .flatten()
        .max()
}

fn is_within(item: &Item, within: Option<&[UnitId]>) -> bool {
    within.is_none() || item.records().iter().any(|of| is_one_of(of.scope.unit, within))
}

fn is_one_of(unit: UnitId, within: Option<&[UnitId]>) -> bool {
    within.is_none_or(|units| units.contains(&unit))
}
