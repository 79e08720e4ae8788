//! Reports (统计报表): the figures of a period and a unit, each with its definition and its list of cases.
//!
//! ```text
//!   index, one short row per case ─▶ marks (what it counts for) ─▶ sums: all, by unit below, by matter ─▶ figures
//!          └── a cut, slice by slice       └──▶ the list of cases behind each figure
//! ```
//!
//! One pass over the rows answers a county's month. Nothing is carried from one report to the next, so a report is never out of step
//! with the cases that it is about. A pass is made in slices (`job`), so that nobody waits for it who records a case.

mod assess;
mod cases;
mod freeze;
pub(crate) mod job;
mod marks;
mod period;
mod place;
mod posts;
mod shown;
mod tally;

use std::collections::{BTreeMap, BTreeSet};

use ledger::calendar::Calendar;
use ledger::conflict::ConflictKind;
use ledger::day::Day;
use ledger::id::{RecordId, UnitId};
use ledger::organisation::Unit;
use replica::authority::Authority;
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::Order;
use store::kv::prefix_end;

use crate::command::{CommandError, Report};
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

/// What everything that reads all cases needs besides, as it was when the reading began.
pub(crate) struct Ground {
    authority: Authority,
    calendar: Calendar,
    /// Numbers of cases with an errand.
    with_errand: BTreeSet<String>,
    /// 并案: records that do not lead.
    following: BTreeSet<RecordId>,
    /// Half-days on which posts were noted as empty.
    noted: Away,
}

impl Ground {
    fn law(&self, today: Day) -> Law<'_> {
        Law {
            calendar: &self.calendar,
            today,
        }
    }

    /// Whether the case counts with another one that leads.
    fn follows(&self, of: RecordRef, m: &Measure) -> bool {
        m.leads.is_some() || self.following.contains(&of.record)
    }
}

impl Office {
    /// Whatever is asked of reports, in one go.
    ///
    /// # Errors
    /// Those of what is asked.
    pub(crate) fn reported(&mut self, now: Now, report: &Report) -> Result<Json, CommandError> {
        match report {
            Report::List => self.report_list(now),
            Report::Absence(args) => self.absence_note(now, args),
            _ => {
                let mut job = self.begin_counting(now, report.clone())?;
                loop {
                    if let Some(done) = self.count_on(now, &mut job, usize::MAX) {
                        return done;
                    }
                }
            }
        }
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

    pub(crate) fn ground(&self) -> Result<Ground, CommandError> {
        if self.authority.organisation().is_none() {
            return Err(texts::not_member());
        }
        let calendar = self.authority.calendar().ok_or_else(texts::report::no_calendar)?;
        let kv = self.store.kv();
        let mut with_errand = BTreeSet::new();
        let read = visit(kv, name::ERRAND_OF, &mut |key, _| {
            with_errand.extend(name::errand_case_no(key).map(str::to_owned));
        });
        read.map_err(|e| texts::store_failed(&e))?;
        Ok(Ground {
            authority: self.authority.clone(),
            calendar: calendar.clone(),
            with_errand,
            following: self.following()?,
            noted: self.noted_away()?,
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
}

/// The sums of a period and of the same days a year before, and what came in and was closed on the way: in one pass.
pub(crate) struct Survey {
    q: Question,
    before: Option<Span>,
    places: Places,
    codes: BTreeMap<UnitId, String>,
    sums: Sums,
    last: Sums,
    covers: Covers,
    covers_last: Covers,
    trend: Trend,
}

impl Survey {
    fn new(q: &Question, ground: &Ground) -> Self {
        Self {
            before: period::year_before(q.span),
            places: Places::new(&ground.authority, q),
            codes: BTreeMap::new(),
            sums: Sums::default(),
            last: Sums::default(),
            covers: Covers::default(),
            covers_last: Covers::default(),
            trend: Trend::new(q),
            q: q.clone(),
        }
    }

    fn add(&mut self, ground: &Ground, of: RecordRef, m: &Measure) {
        let span = self.q.span;
        let places = &mut self.places;
        let mut here = |on: Day| places.covers(&ground.authority, of.scope.unit, on);
        self.covers.add(&m.extra.covers, span, &mut here);
        if let Some(before) = self.before {
            self.covers_last.add(&m.extra.covers, before, &mut here);
        }
        let Some(child) = self.places.child(&ground.authority, of.scope.unit, m.on) else {
            return;
        };
        if ground.follows(of, m) {
            return;
        }
        let law = ground.law(self.q.today);
        let counts = span.has(m.on) || self.before.is_some_and(|before| before.has(m.on));
        let has_errand = counts && !m.errand && ground.with_errand.contains(&m.no);
        let judged = law.judge(m, span, has_errand);
        let of_before = self.before.map(|before| law.judge(m, before, has_errand));
        let code = self
            .codes
            .entry(child)
            .or_insert_with(|| crate::cases::unit_shown(&ground.authority, child).0);
        self.sums.add(code, &m.matter, &judged);
        self.trend.add(m, judged.marks);
        if let Some(judged) = of_before {
            self.last.add(code, &m.matter, &judged);
        }
    }

    /// Puts in what is no sum over cases.
    fn settle(&mut self, authority: &Authority, noted: &Away) {
        let places = &mut self.places;
        let mut here = |span: Option<Span>| -> Away {
            let of_span = noted
                .iter()
                .filter(|(_, on, ..)| span.is_some_and(|s| s.has(Some(*on))));
            of_span
                .filter(|one| places.covers(authority, one.0, one.1))
                .cloned()
                .collect()
        };
        (self.sums.away, self.sums.covered) = self.covers.against(&here(Some(self.q.span)));
        (self.last.away, self.last.covered) = self.covers_last.against(&here(self.before));
    }
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
        let row = |((label, span), (received, closed)): (&(String, Span), &(u64, u64))| {
            let from = span.from.to_string();
            let is_day = span.from == span.last();
            let period = if is_day { &from } else { &from[..7] };
            json!({"label": label, "period": period, "received": received, "closed": closed})
        };
        self.steps.iter().zip(&self.counts).map(row).collect()
    }
}

/// Half-days on which somebody stood in for somebody: where, when, for whom.
#[derive(Default)]
pub(crate) struct Covers(pub(crate) Away);

impl Covers {
    /// Those of one book in a span, each where the book was on its day.
    pub(crate) fn add(&mut self, covers: &[Covered], span: Span, here: &mut dyn FnMut(Day) -> bool) {
        for cover in covers.iter().filter(|c| span.has(Some(c.on)) && here(c.on)) {
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
