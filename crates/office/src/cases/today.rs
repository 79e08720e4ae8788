//! `today`: the day book of one unit's own book, and what somebody there has to see to.

use std::collections::BTreeSet;

use ledger::catalogue::Matter;
use ledger::day::Day;
use ledger::id::{Scope, UnitId};
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::kv::prefix_end;
use store::{Order, Scan};

use crate::command::CommandError;
use crate::dayclose::came_to;
use crate::office::Office;
use crate::texts;
use crate::views::name;
use crate::views::row::{RecordRef, RecordRow};

/// Lines of each list; the counts are exact.
const LISTED_MAX: usize = 60;
/// What ended longer ago than this is no news.
const NEWS_DAYS: i32 = 30;
/// Open cases looked at: a room with more has other troubles than a list that ends.
const OPEN_MAX: usize = 5_000;

/// What one look at the book gives.
#[derive(Default)]
struct Found {
    newest: Vec<RecordRef>,
    /// Open, or received, closed or ended of late.
    near: Vec<RecordRef>,
    open: u64,
    total: u64,
}

/// Why a case stands on a list of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Overdue,
    DueToday,
    Awaiting,
    CameBack,
}

impl Office {
    /// The newest cases of the own book, counts, what is due today and overdue, what waits for materials, what came back from
    /// other units.
    ///
    /// # Errors
    /// Without a life, or when the index cannot be read.
    pub(crate) fn today_view(&mut self, now: Now) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let unit = self.unit().ok_or_else(texts::unplaced)?;
        let found = self.look(unit, today)?;
        let mut lists: [Vec<Json>; 4] = Default::default();
        let mut counts = [0_u64; 4];
        let (received, closed) = came_to(today, &self.cases_of_day(unit, today)?);
        for of in &found.near {
            let Some(row) = self.row(*of)? else { continue };
            for why in self.why(*of, &row, today, unit) {
                let at = why as usize;
                counts[at] += 1;
                if lists[at].len() < LISTED_MAX {
                    lists[at].push(self.line(*of, &row, today));
                }
            }
        }
        let mut newest = Vec::new();
        for of in &found.newest {
            newest.extend(self.row(*of)?.map(|row| self.line(*of, &row, today)));
        }
        let [overdue, due_today, awaiting, came_back] = lists;
        Ok(json!({
            "today": today,
            "counts": {
                "received": received,
                "closed": closed,
                "open": found.open,
                "total": found.total,
                "overdue": counts[Why::Overdue as usize],
                "due_today": counts[Why::DueToday as usize],
                "awaiting": counts[Why::Awaiting as usize],
                "came_back": counts[Why::CameBack as usize],
                "errands": self.open_errands(unit)?,
            },
            "newest": newest,
            "overdue": overdue,
            "due_today": due_today,
            "awaiting": awaiting,
            "came_back": came_back,
        }))
    }

    /// Reads keys and states only, newest first: what is listed is read in full afterwards.
    fn look(&self, unit: UnitId, today: Day) -> Result<Found, CommandError> {
        let form = self.views.forms().named("case").unwrap_or(ledger::form::Form::case());
        let mut found = Found::default();
        let news = self.news(unit, today)?;
        let from = name::listed(unit);
        let scan = &mut |key: &[u8], state: &[u8]| {
            let Some(of) = name::tail(key) else { return Scan::On };
            found.total += 1;
            if found.newest.len() < LISTED_MAX {
                found.newest.push(of);
            }
            let ended = std::str::from_utf8(state).is_ok_and(|state| form.is_end(state));
            found.open += u64::from(!ended);
            if (!ended || news.contains(&of)) && found.near.len() < OPEN_MAX {
                found.near.push(of);
            }
            Scan::On
        };
        let scanned = self.store.kv().scan(&from, &prefix_end(&from), Order::Rising, scan);
        scanned.map_err(|e| texts::store_failed(&e))?;
        Ok(found)
    }

    /// Cases of which something was counted of late, however long ago they came.
    fn news(&self, unit: UnitId, today: Day) -> Result<BTreeSet<RecordRef>, CommandError> {
        let (from, mut news) = (name::days(unit), BTreeSet::new());
        let until = name::day(unit, today.plus(-NEWS_DAYS));
        let scan = &mut |key: &[u8], _: &[u8]| {
            news.extend(name::tail(key));
            Scan::On
        };
        let scanned = self.store.kv().scan(&from, &prefix_end(&until), Order::Rising, scan);
        scanned.map(|_| news).map_err(|e| texts::store_failed(&e))
    }

    /// Errands that are not over.
    fn open_errands(&self, unit: UnitId) -> Result<u64, CommandError> {
        let form = self
            .views
            .forms()
            .named("errand")
            .unwrap_or(ledger::form::Form::errand());
        let (from, mut open) = (name::errands(unit), 0);
        let scan = &mut |_: &[u8], state: &[u8]| {
            open += u64::from(!std::str::from_utf8(state).is_ok_and(|state| form.is_end(state)));
            Scan::On
        };
        let scanned = self.store.kv().scan(&from, &prefix_end(&from), Order::Rising, scan);
        scanned.map(|_| open).map_err(|e| texts::store_failed(&e))
    }

    fn why(&self, of: RecordRef, row: &RecordRow, today: Day, unit: UnitId) -> Vec<Why> {
        let s = &row.summary;
        let mut why = Vec::new();
        if !s.ended {
            let matter: Option<&Matter> = self.matter_of(s.catalogue.as_ref(), &s.matter);
            let deadline = self.deadline(s, matter, today);
            match deadline.on {
                Some(_) if deadline.overdue => why.push(Why::Overdue),
                Some(on) if on == today => why.push(Why::DueToday),
                _ => {}
            }
        }
        if s.state == "awaiting_materials" {
            why.push(Why::Awaiting);
        }
        if self.came_back(of, row, unit) {
            why.push(Why::CameBack);
        }
        why
    }

    /// Whether the last word on a case is another unit's, and something is left for us to see or do.
    fn came_back(&self, of: RecordRef, row: &RecordRow, unit: UnitId) -> bool {
        let done = matches!(row.summary.state.as_str(), "delivered" | "withdrawn");
        let last = row.entries.last().and_then(|entry| row.place(of.scope, entry));
        let by = last.and_then(|(log, _)| self.authority.member(&log.device));
        !done && of.scope == Scope::book(unit) && by.is_some_and(|member| member.unit != unit)
    }
}
