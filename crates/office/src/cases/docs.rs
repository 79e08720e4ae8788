//! 受理文书号: formal numbers without gaps, allotted by the hub in the very entry that uses them, and the register of them.
//!
//! A number is the unit's code, the year, a series and a count: `511603104受〔2026〕K7Q2-00017号`. A series belongs to one life of one
//! hub: its device and the epoch of its logs. A hub put back from a copy begins a new epoch when it meets its former self, and with it
//! a new series, so that what it forgot and what it gives now stay apart. The next number is one more than the largest of the series that
//! an entry carries: nothing is given out beforehand, so a crash leaves no gap.

use std::collections::BTreeMap;

use ledger::day::Day;
use ledger::id::{Tier, UnitId};
use ledger::record::{Edit, NewEvent, Value};
use replica::statement::Role;
use replica::time::Now;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use store::kv::prefix_end;
use store::{Order, Scan};

use crate::cases::work::page_lines;
use crate::command::{CommandError, DocGive, DocRegister};
use crate::office::Office;
use crate::texts;
use crate::views::name;
use crate::views::row::{RecordRef, RecordRow};

/// No letters and digits that are read for each other.
const SERIES_LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const SERIES_CHARS: usize = 4;
/// Missing counts of a series that are named one by one.
const GAPS_NAMED_MAX: usize = 20;
/// Counts of one series looked through for gaps; a busy centre gives 20,000 a year.
const COUNTS_MAX: u64 = 10_000_000;

/// One row of the register.
struct Given {
    no: String,
    of: RecordRef,
    stands: bool,
}

impl Office {
    /// The number that an acceptance typed here bears; none at rooms, whose papers are provisional.
    pub(crate) fn next_doc_no(&self, today: Day) -> Result<Option<String>, CommandError> {
        let unit = self.unit().ok_or_else(texts::unplaced)?;
        if self.role() != Role::Hub || self.tier() == Tier::Room {
            return Ok(None);
        }
        let code = self
            .authority
            .unit(unit)
            .map(|u| u.code)
            .ok_or_else(texts::not_member)?;
        let (year, _, _) = today.ymd();
        let start = format!("{}{}-", year_start(&code.to_string(), year), self.series());
        let from = name::docs(unit, &start);
        let mut last = 0;
        let scan = &mut |key: &[u8], _: &[u8]| match name::doc_no(key).and_then(counted) {
            Some((_, count)) => {
                last = count;
                Scan::Stop
            }
            None => Scan::On,
        };
        let scanned = self.store.kv().scan(&from, &prefix_end(&from), Order::Falling, scan);
        scanned.map_err(|e| texts::store_failed(&e))?;
        Ok(Some(format!("{start}{:05}号", last + 1)))
    }

    /// Of this life of this hub.
    fn series(&self) -> String {
        let digest = Sha256::new()
            .chain_update(b"cunlian doc series 1")
            .chain_update(self.me.device.0)
            .chain_update(self.epoch.to_be_bytes())
            .finalize();
        let letter = |byte: &u8| char::from(SERIES_LETTERS[usize::from(byte % 32)]);
        digest.iter().take(SERIES_CHARS).map(letter).collect()
    }

    /// Gives a number to a case that a room has accepted, or another one instead of one that was spoilt.
    ///
    /// # Errors
    /// From a room; a case that is not accepted or void; one that has a number, without a reason.
    pub(crate) fn doc_give(&mut self, now: Now, args: &DocGive) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let number = self.next_doc_no(today)?.ok_or_else(texts::rooms_give_no_doc_no)?;
        let (of, row) = self.find(&args.number)?;
        let s = &row.summary;
        if s.errand || s.accepted_on.is_none() || s.state == "void" {
            return Err(texts::not_accepted_yet());
        }
        let before = s.docs.iter().find(|doc| doc.stands).map(|doc| doc.no.clone());
        let reason = args
            .reason
            .as_deref()
            .map(str::trim)
            .filter(|reason| !reason.is_empty());
        if let (Some(before), None) = (&before, reason) {
            return Err(texts::has_doc_no(before));
        }
        let read = self.read(of, row)?;
        self.form_of(&read)?;
        if reason.is_some_and(|reason| self.tells_personal(of, &read, reason)) {
            return Err(texts::reason_without_names());
        }
        let mut event = NewEvent::new("note", today)
            .with("note", Value::Text(texts::DOC_NO_GIVEN.to_owned()))
            .with("doc_no", Value::Text(number.clone()));
        if let Some(reason) = reason {
            event = event.with("reason", Value::Text(reason.to_owned()));
        }
        self.apply_edits(now, of, &read, &with_doc_no(event, &number), args.user)?;
        self.catch_up(now)?;
        Ok(json!({"project_no": self.shown_number(of, &read.row.summary.no), "doc_no": number, "instead_of": before}))
    }

    /// The numbers of a year by unit, series and count, with what each stands for, those that are void, and whether any is missing.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(crate) fn doc_register(&mut self, now: Now, args: &DocRegister) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let year = args.year.unwrap_or(today.ymd().0);
        let limit = page_lines(args.limit);
        let after = args.after.as_deref().map(str::trim).filter(|after| !after.is_empty());
        let mut series: BTreeMap<String, Series> = BTreeMap::new();
        let (mut page, mut more) = (Vec::new(), false);
        for unit in self.registering_units() {
            for given in self.given(unit, year)? {
                let Some((named, count)) = counted(&given.no) else {
                    continue;
                };
                series.entry(named.to_owned()).or_default().add(count, given.stands);
                let is_after = after.is_none_or(|after| given.no.as_str() > after);
                match is_after && page.len() < limit {
                    true => page.push(given),
                    false => more |= is_after,
                }
            }
        }
        let next = page.last().filter(|_| more).map(|given| given.no.clone());
        let mut lines = Vec::with_capacity(page.len());
        for given in &page {
            let row = self.row(given.of)?.unwrap_or_default();
            lines.push(self.doc_line(given, &row));
        }
        let series: Vec<Json> = series.iter().map(|(name, series)| series.json(name)).collect();
        Ok(json!({"year": year, "series": series, "numbers": lines, "next": next}))
    }

    /// The unit itself, and those below that have hubs: rooms give no numbers.
    fn registering_units(&self) -> Vec<UnitId> {
        let own = self.unit().map(|unit| self.authority.subtree(unit)).unwrap_or_default();
        let above_rooms = |unit: &UnitId| self.authority.unit(*unit).is_some_and(|u| u.kind.tier() > Tier::Room);
        let mut units: Vec<(String, UnitId)> = own
            .into_iter()
            .filter(above_rooms)
            .map(|u| (self.unit_shown(u).0, u))
            .collect();
        units.sort();
        units.into_iter().map(|(_, unit)| unit).collect()
    }

    fn given(&self, unit: UnitId, year: i32) -> Result<Vec<Given>, CommandError> {
        let from = name::docs(unit, &year_start(&self.unit_shown(unit).0, year));
        let mut all = Vec::new();
        let scan = &mut |key: &[u8], value: &[u8]| {
            if let (Some(no), Some(of)) = (name::doc_no(key), name::tail(key)) {
                let (no, stands) = (no.to_owned(), value == [1]);
                all.push(Given { no, of, stands });
            }
            Scan::On
        };
        let scanned = self.store.kv().scan(&from, &prefix_end(&from), Order::Rising, scan);
        scanned.map(|_| all).map_err(|e| texts::store_failed(&e))
    }

    fn doc_line(&self, given: &Given, row: &RecordRow) -> Json {
        let s = &row.summary;
        let doc = s.docs.iter().find(|doc| doc.no == given.no);
        let later = s.docs.iter().find(|doc| doc.stands && doc.no != given.no);
        let why = match (given.stands, later) {
            (true, _) => None,
            (false, Some(later)) => Some(texts::doc_no_replaced(&later.no)),
            (false, None) => Some(texts::DOC_NO_VOID.to_owned()),
        };
        let matter = self.matter_of(s.catalogue.as_ref(), &s.matter);
        let (unit, unit_name) = self.unit_shown(given.of.scope.unit);
        json!({
            "doc_no": given.no,
            "on": doc.map(|doc| doc.on),
            "given_by": doc.map(|doc| self.unit_shown(doc.unit).1),
            "project_no": self.shown_number(given.of, &s.no),
            "unit": unit,
            "unit_name": unit_name,
            "matter": s.matter,
            "matter_name": matter.map(|m| m.name.as_str()),
            "name": s.masked_name,
            "void": !given.stands,
            "void_reason": why,
        })
    }
}

/// The acceptance with its number, and the number as the field that papers show.
pub(crate) fn with_doc_no(event: NewEvent, number: &str) -> Vec<Edit> {
    let name = "doc_no".to_owned();
    let value = Value::Text(number.to_owned());
    vec![Edit::Event(event), Edit::Field { name, value }]
}

fn year_start(code: &str, year: i32) -> String {
    let code = code.get(..9).unwrap_or(code);
    format!("{code}受〔{year}〕")
}

/// Series and count of a number.
fn counted(no: &str) -> Option<(&str, u64)> {
    let (series, count) = no.rsplit_once('-')?;
    Some((series, count.strip_suffix('号')?.parse().ok()?))
}

/// What is told of one series.
#[derive(Default)]
struct Series {
    last: u64,
    given: u64,
    void: u64,
    missing: Vec<u64>,
    /// The same count on two records: copies of one hub gave it before they met.
    twice: u64,
}

impl Series {
    /// Counts come rising.
    fn add(&mut self, count: u64, stands: bool) {
        self.given += 1;
        self.void += u64::from(!stands);
        self.twice += u64::from(count == self.last);
        let missing = (self.last + 1..count.min(COUNTS_MAX)).take(GAPS_NAMED_MAX.saturating_sub(self.missing.len()));
        self.missing.extend(missing);
        self.last = count;
    }

    fn json(&self, name: &str) -> Json {
        json!({
            "series": name,
            "given": self.given,
            "void": self.void,
            "last": self.last,
            "missing": self.missing,
            "twice": self.twice,
        })
    }
}
