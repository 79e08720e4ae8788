//! Reports (统计报表): the figures of a period and a unit, each with its definition and its list of cases.
//!
//! ```text
//!   index, one short row per case ─▶ marks (what it counts for) ─▶ sums: all, by unit below, by matter ─▶ figures
//!                                          └──▶ the list of cases behind each figure
//! ```
//!
//! One pass over the rows answers a county's month. Nothing is carried from one report to the next, so a report is never out of step
//! with the cases that it is about.

mod assess;
mod cases;
mod freeze;
mod marks;
mod period;
mod place;
mod shown;
mod tally;

use std::collections::{BTreeMap, BTreeSet};

use ledger::calendar::Calendar;
use ledger::conflict::ConflictKind;
use ledger::day::Day;
use ledger::id::{RecordId, UnitId};
use ledger::organisation::{Organisation, Unit};
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::kv::prefix_end;
use store::{Order, Scan};

use crate::command::{CommandError, Report, ReportOf};
use crate::office::Office;
use crate::texts;
use crate::views::counts::visit;
use crate::views::groups::Item;
use crate::views::measure::{Covered, Half, Measure};
use crate::views::name;
use crate::views::row::RecordRef;
use marks::{Law, Mark, Marks};
use period::{Period, Span};
use place::Places;
use tally::Sums;

pub use place::Frame;

/// What a report is asked for, understood.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    period: Period,
    /// Up to today.
    span: Span,
    unit: Unit,
    frame: Frame,
    today: Day,
}

impl Question {
    /// The whole period has passed.
    fn is_over(&self) -> bool {
        self.period.span().is_some_and(|span| span.until <= self.today)
    }
}

/// An A-post that was empty on half a day: where, when, whose.
pub(crate) type Away = BTreeSet<(UnitId, Day, Half, String)>;

/// What everything that reads all cases needs besides.
pub(crate) struct Ground<'a> {
    organisation: &'a Organisation,
    calendar: &'a Calendar,
    /// Numbers of cases with an errand.
    with_errand: BTreeSet<String>,
    /// 并案: records that do not lead.
    following: BTreeSet<RecordId>,
}

impl Ground<'_> {
    fn law(&self, today: Day) -> Law<'_> {
        Law {
            calendar: self.calendar,
            today,
        }
    }

    /// Whether the case counts with another one that leads.
    fn follows(&self, of: RecordRef, m: &Measure) -> bool {
        m.leads.is_some() || self.following.contains(&of.record)
    }
}

impl Office {
    /// Whatever is asked of reports.
    ///
    /// # Errors
    /// Those of what is asked.
    pub(crate) fn reported(&mut self, now: Now, report: &Report) -> Result<Json, CommandError> {
        match report {
            Report::Show(args) => self.report(now, args),
            Report::Cases(args) => self.report_cases(now, args),
            Report::Freeze(args) => self.report_freeze(now, args),
            Report::List => self.report_list(now),
            Report::Kept(args) => self.report_kept(now, args),
            Report::Assess(args) => self.assess(now, args),
            Report::Absence(args) => self.absence_note(now, args),
        }
    }

    /// The figures of a period and a unit, with those of the year before.
    ///
    /// # Errors
    /// At a room; a period that is none or to come; a unit that is not ours.
    pub(crate) fn report(&mut self, now: Now, args: &ReportOf) -> Result<Json, CommandError> {
        let question = self.question(now, args.period.as_deref(), args.unit.as_deref(), args.frame)?;
        let mark = self.watermark(now, &question)?;
        let survey = self.survey(&question)?;
        let mut shown = self.report_json(&question, &survey.sums, &survey.last, &mark);
        shown["trend"] = survey.trend;
        shown["frozen"] = self.frozen_of(&question)?;
        Ok(shown)
    }

    /// Reads what is asked for, after the rows have caught up.
    pub(crate) fn question(
        &mut self,
        now: Now,
        period: Option<&str>,
        unit: Option<&str>,
        frame: Frame,
    ) -> Result<Question, CommandError> {
        let own = self.hub_life().map_err(|_| texts::report::no_hub_reports())?.unit;
        let today = self.today(now)?;
        self.catch_up(now)?;
        let unit = match unit.map(str::trim).filter(|code| !code.is_empty()) {
            Some(code) => self.unit_by_code(code)?,
            None => self.authority.unit(own).cloned().ok_or_else(texts::not_member)?,
        };
        if !self.authority.is_within(unit.id, own) {
            return Err(texts::report::not_below(&unit.name));
        }
        let text = period.map(str::trim).filter(|text| !text.is_empty());
        let text = text.map_or_else(|| today.to_string()[..7].to_owned(), str::to_owned);
        let period = Period::parse(&text).ok_or_else(|| texts::report::bad_period(&text))?;
        let span = period.until_today(today);
        let span = span.ok_or_else(|| texts::report::period_to_come(&period.label()))?;
        Ok(Question {
            period,
            span,
            unit,
            frame,
            today,
        })
    }

    pub(crate) fn ground(&self) -> Result<Ground<'_>, CommandError> {
        let organisation = self.authority.organisation().ok_or_else(texts::not_member)?;
        let calendar = self.authority.calendar().ok_or_else(texts::report::no_calendar)?;
        let kv = self.store.kv();
        let mut with_errand = BTreeSet::new();
        let read = visit(kv, name::ERRAND_OF, &mut |key, _| {
            with_errand.extend(name::errand_case_no(key).map(str::to_owned));
        });
        read.map_err(|e| texts::store_failed(&e))?;
        Ok(Ground {
            organisation,
            calendar,
            with_errand,
            following: self.following()?,
        })
    }

    /// Of each pair of cases that awaits a decision whether they are one, the one with the larger number.
    fn following(&self) -> Result<BTreeSet<RecordId>, CommandError> {
        let mut pairs = Vec::new();
        let read = visit(self.store.kv(), name::CONFLICT, &mut |_, value| {
            let item = Item::decode(value);
            let open = item.filter(|i| i.open && i.kind == ConflictKind::Duplicate.as_str());
            pairs.extend(open.map(|item| item.records()));
        });
        read.map_err(|e| texts::store_failed(&e))?;
        let mut following = BTreeSet::new();
        for pair in pairs {
            let mut numbered = Vec::new();
            for of in pair {
                if let Some(row) = self.row(of)? {
                    numbered.push((row.summary.no, of.record));
                }
            }
            numbered.sort();
            following.extend(numbered.into_iter().skip(1).map(|(_, record)| record));
        }
        Ok(following)
    }

    /// The other case with which this one counts, for its line in a list.
    pub(crate) fn counts_with(&self, of: RecordRef, row: &crate::views::row::RecordRow) -> Option<String> {
        if let Some(leader) = crate::views::measure::decided_leader(&of.record, &row.summary) {
            return Some(leader.to_string());
        }
        let shared = self.shared_items(of, row);
        let open = |item: &&Item| item.open && item.kind == ConflictKind::Duplicate.as_str();
        let mut leaders = Vec::new();
        for other in shared.iter().map(|(_, item)| item).filter(open).flat_map(Item::records) {
            let other_row = self.row(other).ok().flatten()?;
            leaders.push((other_row.summary.no, other.record));
        }
        let own = (row.summary.no.clone(), of.record);
        leaders
            .into_iter()
            .filter(|leader| *leader < own)
            .min()
            .map(|(_, record)| record.to_string())
    }

    /// Whether an errand (代办) was written down for a case.
    pub(crate) fn has_errand(&self, no: &str) -> bool {
        let from = name::errands_of(no);
        let found = self.store.kv().range(&from, &prefix_end(&from), Order::Rising, 1);
        found.is_ok_and(|rows| !rows.is_empty())
    }

    /// Every case and errand that is held here, one by one.
    pub(crate) fn each_measure(&self, each: &mut dyn FnMut(RecordRef, &Measure)) -> Result<(), CommandError> {
        let from = name::MEASURE;
        let scanned = self
            .store
            .kv()
            .scan(from, &prefix_end(from), Order::Rising, &mut |key, value| {
                if let (Some(of), Some(measure)) = (name::tail(key), Measure::decode(value)) {
                    each(of, &measure);
                }
                Scan::On
            });
        scanned.map_err(|e| texts::store_failed(&e))
    }

    /// The sums of the period and of the same days a year before, and what came in and was closed on the way: in one pass.
    pub(crate) fn survey(&self, q: &Question) -> Result<Survey, CommandError> {
        let ground = self.ground()?;
        let law = ground.law(q.today);
        let before = period::year_before(q.span);
        let mut places = Places::new(&self.authority, ground.organisation, q.unit.id, q.frame);
        let mut codes: BTreeMap<UnitId, String> = BTreeMap::new();
        let (mut sums, mut last) = (Sums::default(), Sums::default());
        let (mut covers, mut covers_last) = (Covers::default(), Covers::default());
        let mut trend = Trend::new(q);
        self.each_measure(&mut |of, m| {
            let Some(child) = places.child(of.scope.unit, m.on) else {
                return;
            };
            covers.add(&m.extra.covers, q.span);
            if let Some(before) = before {
                covers_last.add(&m.extra.covers, before);
            }
            if ground.follows(of, m) {
                return;
            }
            let code = codes.entry(child).or_insert_with(|| self.unit_shown(child).0);
            let counts = q.span.has(m.on) || before.is_some_and(|before| before.has(m.on));
            let has_errand = counts && !m.errand && ground.with_errand.contains(&m.no);
            let judged = law.judge(m, q.span, has_errand);
            sums.add(code, &m.matter, &judged);
            trend.add(m, judged.marks);
            if let Some(before) = before {
                last.add(code, &m.matter, &law.judge(m, before, has_errand));
            }
        })?;
        let noted = self.noted_away()?;
        let mut here = |span: Option<Span>| -> Away {
            let of_span = noted
                .iter()
                .filter(|(_, on, ..)| span.is_some_and(|s| s.has(Some(*on))));
            of_span.filter(|one| places.covers(one.0)).cloned().collect()
        };
        (sums.away, sums.covered) = covers.against(&here(Some(q.span)));
        (last.away, last.covered) = covers_last.against(&here(before));
        Ok(Survey {
            sums,
            last,
            trend: trend.json(),
        })
    }
}

/// What one pass over all cases found.
pub(crate) struct Survey {
    sums: Sums,
    last: Sums,
    trend: Json,
}

/// How much was received and closed on each day, or in each month, of the period.
struct Trend {
    steps: Vec<(String, Span)>,
    counts: Vec<(u64, u64)>,
}

impl Trend {
    fn new(q: &Question) -> Self {
        let steps = q.period.steps(q.span);
        Self {
            counts: vec![(0, 0); steps.len()],
            steps,
        }
    }

    fn add(&mut self, m: &Measure, marks: Marks) {
        let at = |day: Option<Day>| {
            self.steps
                .partition_point(|(_, span)| Some(span.from) <= day)
                .checked_sub(1)
        };
        let received = at(m.on).filter(|_| marks.has(Mark::Received));
        let closed = at(m.closed_on).filter(|_| marks.has(Mark::Closed));
        received.into_iter().for_each(|at| self.counts[at].0 += 1);
        closed.into_iter().for_each(|at| self.counts[at].1 += 1);
    }

    fn json(&self) -> Json {
        let row = |((label, _), (received, closed)): (&(String, Span), &(u64, u64))| json!({"label": label, "received": received, "closed": closed});
        self.steps.iter().zip(&self.counts).map(row).collect()
    }
}

/// Half-days on which somebody stood in for somebody: where, when, for whom.
#[derive(Default)]
pub(crate) struct Covers(pub(crate) Away);

impl Covers {
    pub(crate) fn add(&mut self, covers: &[Covered], span: Span) {
        for cover in covers.iter().filter(|c| span.has(Some(c.on))) {
            self.0.insert((cover.unit, cover.on, cover.half, cover.of.clone()));
        }
    }

    /// Half-days on which the A-post was away (noted, or covered), and of these the ones covered.
    fn against(&self, noted: &Away) -> (u64, u64) {
        let covered = self.0.len() as u64;
        let away = self.0.union(noted).count() as u64;
        (away, covered)
    }
}
