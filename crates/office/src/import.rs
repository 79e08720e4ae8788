//! `case import`: a day book (登记簿) taken over row by row. Running it again changes nothing.
//!
//! Each row is known by a keyed hash of what it says, so the same row in any file is the same case. What is rejected is rejected alone.

use std::collections::BTreeSet;

use ledger::catalogue::Matter;
use ledger::day::Day;
use ledger::daybook::{DayRow, DayState, parse};
use ledger::id::{Hash, Scope, Tier};
use ledger::mask;
use ledger::record::{Entered, NewEvent, Value};
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::kv::prefix_end;
use store::{Order, Progress, Task};

use crate::cases::{Intake, Place};
use crate::command::{CaseImport, CommandError};
use crate::office::Office;
use crate::texts;
use crate::views::name;

/// Rows made durable together. A power cut in the middle costs nothing: the next run goes on where this one ended.
const COMMIT_ROWS: usize = 256;

/// 办结, without anything said about the kind of result.
const RESULT_CLOSED: i64 = 6;

/// Rows of a preview that are shown.
const SAMPLE_MAX: usize = 20;

/// What became of the rows.
#[derive(Default)]
struct Tally {
    /// Only to say what would become of them.
    preview: bool,
    /// Of a preview: the first rows that would be taken over, masked.
    sample: Vec<Json>,
    imported: u64,
    unchanged: u64,
    rejected: Vec<Json>,
    remarks: Vec<Json>,
}

impl Tally {
    fn foresee(&mut self, row: &DayRow, matter: &Matter) {
        self.imported += 1;
        if self.sample.len() < SAMPLE_MAX {
            self.sample.push(sampled(row, matter));
        }
    }

    fn reject(&mut self, line: u64, reason: impl Into<String>) {
        self.rejected.push(json!({"line": line, "reason": reason.into()}));
    }
}

impl Office {
    /// Takes over the rows of a day book; answers how many were imported, unchanged and rejected, with line and reason.
    ///
    /// # Errors
    /// No unit, no key or no disk, or a file that cannot be read at all; a bad row is no error. What was taken over before an error stays.
    pub(crate) fn case_import(
        &mut self,
        now: Now,
        args: CaseImport,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Json, CommandError> {
        let place = self.place(now)?;
        self.catch_up(now)?;
        self.leading_catalogue().ok_or_else(texts::no_catalogue)?;
        if self.keys.is_locked() && self.keys.is_granted(&place.book) {
            // Without the key nobody can tell which rows came in before.
            return Err(texts::locked());
        }
        if self.keys.scope_key(&place.book).is_none() {
            return Err(texts::no_book_key());
        }
        let total = args.data.iter().filter(|b| **b == b'\n').count() as u64 + 1;
        let mut tally = Tally {
            preview: args.preview,
            ..Tally::default()
        };
        let mut seen = BTreeSet::new();
        let mut staged = Vec::new();
        for row in parse(&args.data) {
            let row = match row {
                // The header: nothing of the file can be read.
                Err(error) if error.line == 1 => return Err(texts::unreadable_daybook(&error.reason)),
                Err(error) => {
                    tally.reject(error.line + args.lines_before, error.reason);
                    continue;
                }
                Ok(row) => DayRow {
                    line: row.line + args.lines_before,
                    ..row
                },
            };
            let line = row.line - args.lines_before;
            match self.import_row(now, place, row, args.user, &mut seen, &mut tally)? {
                Some(entry) => staged.push(entry),
                None => continue,
            }
            if staged.len() >= COMMIT_ROWS {
                self.stage_in_book(place.book, std::mem::take(&mut staged))?;
                self.keep(now)?;
                progress(Progress {
                    task: Task::Importing,
                    done: line,
                    total,
                });
            }
        }
        if !staged.is_empty() {
            self.stage_in_book(place.book, staged)?;
            self.keep(now)?;
        }
        Ok(json!({
            "imported": tally.imported,
            "unchanged": tally.unchanged,
            "rejected": tally.rejected,
            "remarks": tally.remarks,
            "sample": tally.sample,
        }))
    }

    /// The entry for one row; `None` when it is known already or rejected.
    fn import_row(
        &mut self,
        now: Now,
        place: Place,
        row: DayRow,
        user: Option<ledger::id::UserId>,
        seen: &mut BTreeSet<Hash>,
        tally: &mut Tally,
    ) -> Result<Option<replica::entry::Entry>, CommandError> {
        if row.unit != place.code {
            tally.reject(row.line, texts::foreign_unit(row.unit));
            return Ok(None);
        }
        let last = row.closed.map_or(row.at.day, |c| c.day.max(row.at.day));
        if last > place.today {
            tally.reject(row.line, texts::import_future(last));
            return Ok(None);
        }
        let leading = self.leading_catalogue();
        let Some(matter) = leading.and_then(|(_, c)| c.matter(&row.matter)).cloned() else {
            tally.reject(row.line, texts::import_matter(&row.matter));
            return Ok(None);
        };
        let Some(import_key) = self.unknown_row(place, &row, seen)? else {
            tally.unchanged += 1;
            return Ok(None);
        };
        let (events, closed_remark) = chain(&row, &matter, self.tier(), place.today);
        for remark in row.remarks.iter().chain(&closed_remark) {
            tally.remarks.push(json!({"line": row.line, "remark": remark}));
        }
        if tally.preview {
            seen.insert(import_key);
            tally.foresee(&row, &matter);
            return Ok(None);
        }
        let remark: Vec<String> = std::iter::once(row.note)
            .chain(row.remarks)
            .chain(closed_remark)
            .filter(|text| !text.is_empty())
            .collect();
        let intake = Intake {
            matter: matter.code,
            name: row.name,
            cert_no: row.cert_no,
            cert_reason: None,
            mobile: row.mobile,
            address: Some(row.address).filter(|a| !a.is_empty()),
            remark: (!remark.is_empty()).then(|| remark.join("；")),
            on: row.at.day,
            import_key: Some(import_key),
            events,
            user,
            received: Vec::new(),
        };
        match self.creation(now, place, &intake) {
            Ok((_, _, entry)) => {
                seen.insert(import_key);
                tally.imported += 1;
                Ok(Some(entry))
            }
            // What the ledger refuses of one row must not stop the others.
            Err(error) if error.code == "bad_input" || error.code == "no_number" => {
                tally.reject(row.line, error.message);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The key of a row that is not recorded yet: neither here nor in the book of a former life.
    fn unknown_row(&self, place: Place, row: &DayRow, seen: &BTreeSet<Hash>) -> Result<Option<Hash>, CommandError> {
        let formers = self.life().map(|l| l.formers.clone()).unwrap_or_default();
        let books = std::iter::once(place.book).chain(formers.iter().map(|f| Scope::book(f.unit)));
        let mut leading = None;
        for key in books.flat_map(|book| self.keys.import_keys(&book, &row.import_key)) {
            leading = leading.or(Some(key));
            let from = name::imported(&key);
            let known = self.store.kv().range(&from, &prefix_end(&from), Order::Rising, 1);
            if seen.contains(&key) || !known.map_err(|e| texts::store_failed(&e))?.is_empty() {
                return Ok(None);
            }
        }
        leading.map(Some).ok_or_else(texts::no_book_key)
    }
}

/// A row as a preview shows it.
fn sampled(row: &DayRow, matter: &Matter) -> Json {
    json!({
        "line": row.line,
        "on": row.at.day,
        "matter": matter.code,
        "matter_name": matter.name,
        "name": mask::name(&row.name),
        "cert_no": mask::id(&row.cert_no),
        "closed": row.closed.map(|at| at.day),
    })
}

/// The events that a row stands for, as far as this tier may emit them; and what has to be said about the rest.
fn chain(row: &DayRow, matter: &Matter, tier: Tier, today: Day) -> (Vec<NewEvent>, Option<String>) {
    let event = |kind: &str, on: Day| {
        let mut event = NewEvent::new(kind, on);
        event.entered = if on < today { Entered::Late } else { Entered::InTime };
        event
    };
    let mut events = vec![event("receive", row.at.day)];
    let (DayState::Closed, Some(closed)) = (row.state, row.closed) else {
        return (events, None);
    };
    if tier == Tier::Room && !matter.is_direct() && !matter.is_on_the_spot() {
        let when = format!("{} {:02}:{:02}", closed.day, closed.minute / 60, closed.minute % 60);
        return (events, Some(texts::import_closed_remark(&when, row.rating)));
    }
    events.push(event("accept", row.at.day));
    if !matter.is_on_the_spot() {
        events.push(event("process", row.at.day));
        events.push(event("decide", closed.day));
    }
    events.push(event("close", closed.day).with("result", Value::Int(RESULT_CLOSED)));
    if let Some(rating) = row.rating {
        let rated = event("evaluate", closed.day)
            .with("rating", Value::Int(i64::from(rating)))
            .with("channel", Value::Text("paper".to_owned()));
        events.push(rated);
    }
    (events, None)
}
