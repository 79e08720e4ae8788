//! 定稿: a period's sums with the watermark and the tips of all logs they were made from, as an entry of the centre's own book.
//!
//! Nothing changes it any more. What comes afterwards is found by the tips: a case that has entries beyond them, and counts otherwise
//! with them than without, is 补报.

use std::collections::{BTreeMap, VecDeque};

use ledger::day::Day;
use ledger::id::{DeviceId, Scope, ScopeKind, Tier, UnitId, UserId};
use minicbor::{Decode, Encode};
use replica::authority::Authority;
use replica::entry::{BODY_BYTES_MAX, Entry, KIND_REPORT, LogId, Tip};
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::kv::prefix_end;
use store::{Order, Scan};

use super::assess::Absence;
use super::job::Counted;
use super::marks::{Judged, MARKS, Mark, Marks};
use super::period::{Period, Span};
use super::place::{Frame, Places};
use super::shown::{Watermark, label_of};
use super::tally::Sums;
use super::{Away, Ground, Question, Survey};
use crate::cases::at_text;
use crate::command::{CommandError, ReportFreeze};
use crate::office::Office;
use crate::texts;
use crate::texts::report as t;
use crate::views::measure::Measure;
use crate::views::name;
use crate::views::row::{RecordRef, RecordRow};

/// Cases that came late and are listed; the number is exact.
const LATE_LISTED_MAX: usize = 500;
/// Of an id at least so many digits are named.
const ID_DIGITS: usize = 12;

/// What a centre keeps about its reports.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub(crate) enum Kept {
    #[n(0)]
    Report(#[n(0)] Box<Frozen>),
    #[n(1)]
    Absence(#[n(0)] Absence),
    /// What was noted of these half-days was a mistake.
    #[n(2)]
    AbsenceUndone(#[n(0)] Absence),
}

/// A frozen report.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub(crate) struct Frozen {
    #[n(0)]
    period: String,
    #[n(1)]
    unit: UnitId,
    #[n(2)]
    frame: Frame,
    #[n(3)]
    at_ms: i64,
    #[n(4)]
    user: Option<UserId>,
    #[n(5)]
    today: Day,
    #[n(6)]
    pub(crate) sums: Sums,
    /// The same days of the year before.
    #[n(7)]
    pub(crate) last: Sums,
    #[n(8)]
    as_of: String,
    #[n(9)]
    rooms: u64,
    #[n(10)]
    in_step: u64,
    #[n(11)]
    tips: Vec<BookTips>,
}

/// How far the logs of one book were.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
struct BookTips {
    #[n(0)]
    unit: UnitId,
    /// Device, epoch, sequence number.
    #[n(1)]
    logs: Vec<(DeviceId, u64, u64)>,
}

/// A frozen report in its place.
struct Found {
    id: String,
    log: LogId,
    frozen: Frozen,
}

/// Each with its version among those of its unit, period and frame; the oldest first, as they are given.
fn versions(all: &[Found]) -> Vec<(&Found, u64)> {
    let mut last: BTreeMap<(UnitId, &str, bool), u64> = BTreeMap::new();
    let numbered = all.iter().map(|found| {
        let f = &found.frozen;
        let version = last.entry((f.unit, &f.period, f.frame == Frame::Now)).or_default();
        *version += 1;
        (found, *version)
    });
    numbered.collect()
}

/// Up to where each log had been read.
pub(crate) struct Reached(BTreeMap<(UnitId, DeviceId, u64), u64>);

impl Reached {
    pub(crate) fn of(frozen: &Frozen) -> Self {
        let books = frozen.tips.iter();
        let logs = books.flat_map(|book| {
            book.logs
                .iter()
                .map(|(device, epoch, seq)| ((book.unit, *device, *epoch), *seq))
        });
        Self(logs.collect())
    }

    /// The record as it was then; `None` when nothing of it came later.
    pub(crate) fn before(&self, of: RecordRef, row: &RecordRow) -> Option<RecordRow> {
        let held = |entry: &crate::views::row::RowEntry| {
            let log = row.logs.get(usize::from(entry.log));
            let reached = log.and_then(|log| self.0.get(&(of.scope.unit, log.device, log.epoch)));
            reached.is_some_and(|reached| entry.seq <= *reached)
        };
        if row.entries.iter().all(held) {
            return None;
        }
        let mut then = RecordRow {
            logs: row.logs.clone(),
            ..RecordRow::default()
        };
        then.entries = row.entries.iter().filter(|e| held(e)).cloned().collect();
        Some(then)
    }
}

/// A frozen report that somebody looks at.
pub(crate) struct KeptNamed {
    pub(crate) frozen: Frozen,
    pub(crate) line: Json,
}

/// 补报: cases that count otherwise than they did when the report was frozen, because of what came since; while they are gathered.
pub(crate) struct Late {
    q: Question,
    reached: Reached,
    places: Places,
    due: VecDeque<(RecordRef, RecordRow, RecordRow)>,
    frozen_on: Day,
    pub(crate) found: Vec<Json>,
    pub(crate) count: usize,
}

impl Late {
    pub(crate) fn new(q: &Question, kept: &KeptNamed, authority: &Authority) -> Self {
        Self {
            reached: Reached::of(&kept.frozen),
            places: Places::new(authority, q),
            due: VecDeque::new(),
            frozen_on: kept.frozen.today,
            found: Vec::new(),
            count: 0,
            q: q.clone(),
        }
    }

    pub(crate) fn add(&mut self, ground: &Ground, of: RecordRef, row: &RecordRow) {
        // What was received afterwards counts for nothing in the period, whatever became of it.
        let concerns = row.summary.on.is_some_and(|on| on < self.q.span.until) && !row.summary.errand;
        let here = |places: &mut Places| places.child(&ground.authority, of.scope.unit, row.summary.on).is_some();
        if concerns
            && here(&mut self.places)
            && let Some(then) = self.reached.before(of, row)
        {
            self.due.push_back((of, row.clone(), then));
        }
    }
}

impl Office {
    /// What is to be frozen, but for its sums: as it is when the counting begins.
    ///
    /// # Errors
    /// A period that still runs.
    pub(crate) fn to_freeze(&self, now: Now, args: &ReportFreeze, at: &Counted) -> Result<Frozen, CommandError> {
        let q = &at.q;
        if !q.is_over() {
            return Err(t::period_not_over(&q.period.label()));
        }
        Ok(Frozen {
            period: q.period.text(),
            unit: q.unit.id,
            frame: q.frame,
            at_ms: now.wall_ms,
            user: args.user.or(self.acting).filter(|user| *user != UserId::ZERO),
            today: q.today,
            sums: Sums::default(),
            last: Sums::default(),
            as_of: at.mark.as_of.clone(),
            rooms: at.mark.rooms,
            in_step: at.mark.in_step,
            tips: self.tips_now(q.unit.id),
        })
    }

    /// Freezes a period that is over. Frozen once more it is a further version; the earlier one stays.
    ///
    /// # Errors
    /// More logs than one entry can name; the disk.
    pub(crate) fn freeze(&mut self, now: Now, frozen: Frozen, q: &Question) -> Result<Json, CommandError> {
        self.stage_kept(&Kept::Report(Box::new(frozen)))?;
        self.keep(now)?;
        self.catch_up(now)?;
        let versions = self.frozen_of(q)?;
        let newest = versions.as_array().and_then(|v| v.last()).cloned();
        Ok(newest.unwrap_or_default())
    }

    pub(crate) fn stage_kept(&mut self, kept: &Kept) -> Result<(), CommandError> {
        let unit = self.hub_life().map_err(|_| t::no_hub_reports())?.unit;
        let mut body = Vec::new();
        if minicbor::encode(kept, &mut body).is_err() {
            unreachable!("a Vec takes every byte");
        }
        if body.len() > BODY_BYTES_MAX {
            return Err(t::too_many_books());
        }
        let entry = Entry {
            kind: KIND_REPORT,
            body,
        };
        self.stage_in_book(Scope::book(unit), vec![entry])
    }

    fn tips_now(&self, top: UnitId) -> Vec<BookTips> {
        let logs = self.store.logs();
        let books = logs
            .scopes()
            .filter(|s| s.kind == ScopeKind::Book && self.authority.is_within(s.unit, top));
        let tips = |scope: Scope| BookTips {
            unit: scope.unit,
            logs: logs
                .logs(scope)
                .filter_map(|log| Some((log.device, log.epoch, logs.tips(&log).iter().map(|tip| tip.seq).max()?)))
                .collect(),
        };
        books.map(tips).collect()
    }

    /// Everything kept that one may speak of: a centre what concerns its own unit and those below, a room nothing.
    pub(crate) fn each_kept(&self, each: &mut dyn FnMut(LogId, Tip, Kept)) -> Result<(), CommandError> {
        let scanned = self
            .store
            .kv()
            .scan(name::KEPT, &prefix_end(name::KEPT), Order::Rising, &mut |key, body| {
                if let (Some((log, tip)), Ok(kept)) = (name::kept_place(key), minicbor::decode::<Kept>(body)) {
                    let about = match &kept {
                        Kept::Report(frozen) => frozen.unit,
                        Kept::Absence(absence) | Kept::AbsenceUndone(absence) => absence.unit,
                    };
                    let from = self.authority.unit(log.scope.unit);
                    let is_centre = from.is_some_and(|unit| unit.kind.tier() > Tier::Room);
                    if is_centre && self.authority.is_within(about, log.scope.unit) {
                        each(log, tip, kept);
                    }
                }
                Scan::On
            });
        scanned.map_err(|e| texts::store_failed(&e))
    }

    fn all_frozen(&self) -> Result<Vec<Found>, CommandError> {
        let mut all = Vec::new();
        self.each_kept(&mut |log, tip, kept| {
            if let Kept::Report(frozen) = kept {
                all.push(Found {
                    id: tip.hash.to_string()[..ID_DIGITS].to_owned(),
                    log,
                    frozen: *frozen,
                });
            }
        })?;
        all.sort_by(|a, b| (a.frozen.at_ms, &a.id).cmp(&(b.frozen.at_ms, &b.id)));
        Ok(all)
    }

    /// All frozen reports known here, the newest first.
    pub(crate) fn report_list(&mut self, now: Now) -> Result<Json, CommandError> {
        self.hub_life().map_err(|_| t::no_hub_reports())?;
        self.today(now)?;
        self.catch_up(now)?;
        let all = self.all_frozen()?;
        let newest_first = versions(&all).into_iter().rev();
        Ok(newest_first
            .map(|(found, version)| self.frozen_line(found, version))
            .collect())
    }

    /// The versions of one period and unit, the first first.
    pub(crate) fn frozen_of(&self, q: &Question) -> Result<Json, CommandError> {
        let all = self.all_frozen()?;
        let same = versions(&all)
            .into_iter()
            .filter(|(f, _)| f.frozen.unit == q.unit.id && f.frozen.period == q.period.text());
        Ok(same.map(|(found, version)| self.frozen_line(found, version)).collect())
    }

    fn frozen_line(&self, found: &Found, version: u64) -> Json {
        let f = &found.frozen;
        let (code, unit_name) = self.unit_shown(f.unit);
        json!({
            "id": found.id,
            "period": f.period,
            "label": Period::parse(&f.period).map(Period::label),
            "unit": code,
            "unit_name": unit_name,
            "frame": f.frame,
            "frame_label": match f.frame { Frame::Then => t::THEN, Frame::Now => t::NOW },
            "version": version,
            "at": at_text(f.at_ms),
            "by": f.user.and_then(|user| Some(self.authority.user_at(&user, found.log.scope.unit)?.name.clone())),
            "by_unit": self.unit_shown(found.log.scope.unit).1,
            "watermark": t::watermark(&f.as_of, f.rooms, f.in_step),
            "received": f.sums.all.count(Mark::Received),
            "closed": f.sums.all.count(Mark::Closed),
        })
    }

    /// The frozen report of an id, and what is asked by it.
    ///
    /// # Errors
    /// An id that names none.
    pub(crate) fn kept_named(&mut self, id: &str) -> Result<(Counted, KeptNamed), CommandError> {
        let all = self.all_frozen()?;
        let typed = id.trim().to_ascii_lowercase();
        let found = versions(&all).into_iter().find(|(found, _)| found.id == typed);
        let (found, version) = found.ok_or_else(|| t::unknown_frozen(&typed))?;
        let f = &found.frozen;
        let period = Period::parse(&f.period).ok_or_else(|| t::bad_period(&f.period))?;
        let span = period.span().ok_or_else(|| t::bad_period(&f.period))?;
        let unit = self.authority.unit(f.unit).cloned().ok_or_else(texts::not_member)?;
        let q = Question {
            period,
            span,
            unit,
            frame: f.frame,
            today: f.today,
        };
        let mark = Watermark {
            as_of: f.as_of.clone(),
            rooms: f.rooms,
            in_step: f.in_step,
            made_ms: f.at_ms,
        };
        let line = self.frozen_line(found, version);
        let frozen = f.clone();
        Ok((Counted { q, mark }, KeptNamed { frozen, line }))
    }

    /// A frozen report as it was kept, and what has come since.
    pub(crate) fn kept_json(
        &self,
        at: &Counted,
        kept: &KeptNamed,
        fresh: &Survey,
        late: Vec<Json>,
        count: usize,
    ) -> Json {
        let f = &kept.frozen;
        let mut shown = self.report_json(&at.q, &f.sums, &f.last, &at.mark);
        // Beside each frozen number what it would be now: never in its place.
        let fresh = self.report_json(&at.q, &fresh.sums, &fresh.last, &at.mark);
        if let (Some(rows), Some(fresh)) = (shown["figures"].as_array_mut(), fresh["figures"].as_array()) {
            for (row, fresh) in rows.iter_mut().zip(fresh) {
                row["now"] = fresh["shown"].clone();
            }
        }
        shown["kept"] = kept.line.clone();
        shown["late"] = json!({"all": count, "cases": late});
        shown
    }

    /// Takes some of what has entries beyond the frozen tips: a case that counts otherwise by them is late. `true` when more are left.
    pub(crate) fn weigh_late(
        &self,
        late: &mut Late,
        ground: &Ground,
        most: usize,
        today: Day,
    ) -> Result<bool, CommandError> {
        for _ in 0..most.max(1) {
            let Some((of, row, then)) = late.due.pop_front() else {
                return Ok(false);
            };
            let (was, is) = self.then_and_now(late.q.span, ground, of, &row, then, late.frozen_on)?;
            if was == is {
                continue;
            }
            late.count += 1;
            if late.found.len() < LATE_LISTED_MAX {
                let mut line = self.line(of, &row, today);
                line["gained"] = json!(labels(is.marks, was.marks));
                line["lost"] = json!(labels(was.marks, is.marks));
                late.found.push(line);
            }
        }
        Ok(!late.due.is_empty())
    }

    fn then_and_now(
        &self,
        span: Span,
        ground: &Ground,
        of: RecordRef,
        row: &RecordRow,
        then: RecordRow,
        today: Day,
    ) -> Result<(Judged, Judged), CommandError> {
        let law = ground.law(today);
        let judge = |row: &RecordRow| {
            let m = Measure::of(&of.record, &row.summary);
            match m.no.is_empty() || ground.follows(of, &m) {
                true => Judged::default(),
                false => law.judge(&m, span, ground.with_errand.contains(&m.no)),
            }
        };
        let was = match then.entries.is_empty() {
            true => Judged::default(),
            false => judge(&self.read(of, then)?.row),
        };
        Ok((was, judge(row)))
    }

    /// Half-days on which posts were noted as empty, by the last word on each. Words are ordered by time; one that a hub said after another
    /// comes after it, also when its clock was set back in between.
    pub(crate) fn noted_away(&self) -> Result<Away, CommandError> {
        let mut words: Vec<(i64, (LogId, u64), bool, Absence)> = Vec::new();
        self.each_kept(&mut |log, tip, kept| {
            let (away, absence) = match kept {
                Kept::Absence(absence) => (true, absence),
                Kept::AbsenceUndone(absence) => (false, absence),
                Kept::Report(_) => return,
            };
            words.push((absence.at_ms, (log, tip.seq), away, absence));
        })?;
        words.sort_by_key(|(_, place, ..)| *place);
        let mut before: Option<(LogId, i64)> = None;
        for (at, (log, _), ..) in &mut words {
            let floor = before.filter(|(of, _)| of == log).map_or(i64::MIN, |(_, at)| at);
            *at = floor.max(*at);
            before = Some((*log, *at));
        }
        words.sort_by_key(|(at, ..)| *at);
        let mut away = Away::new();
        for (_, _, is_away, absence) in words {
            for half in absence.halves() {
                match is_away {
                    true => away.insert(half),
                    false => away.remove(&half),
                };
            }
        }
        Ok(away)
    }
}

/// The figures that one side counts for and the other does not.
fn labels(of: Marks, without: Marks) -> Vec<&'static str> {
    use Mark::*;
    let each: [Mark; MARKS] = [
        Received, Accepted, Closed, Spot, Timed, OnTime, Rated, Satisfied, Open, Overdue, Told, ToldOnce, Returned,
        Errand,
    ];
    let only = each.into_iter().filter(|mark| of.has(*mark) && !without.has(*mark));
    only.filter_map(label_of).collect()
}
