//! 收件箱: the open cases that wait for us, by deadline.
//!
//! A county has some ten thousand open cases at a time, whatever its history. Their rows are read whole and put in order once, and
//! again when a row, the day or the calendar has changed; a page folds nothing but takes its lines from there.

use std::collections::BTreeMap;

use ledger::calendar::Calendar;
use ledger::day::Day;
use ledger::id::{Tier, UnitId, UserId};
use ledger::record::DEEMED_AFTER_WORKDAYS;
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::kv::prefix_end;
use store::{Order, Scan};

use crate::cases::work::page_lines;
use crate::command::{self, CommandError};
use crate::office::Office;
use crate::texts;
use crate::views::name;
use crate::views::open::OpenCase;
use crate::views::row::{RecordRef, Summary};

/// Open cases in order, and what they were put in order under.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    under: Option<(u64, Day, Option<u32>)>,
    lines: Vec<Line>,
}

/// One open case, in the order of an inbox.
#[derive(Clone, Debug)]
struct Line {
    of: RecordRef,
    /// When somebody has to have done something; those without a day come last.
    by: Day,
    no: Box<str>,
    state: Box<str>,
    matter: Box<str>,
    overdue: bool,
    due_today: bool,
    waits_for: Tier,
    handled_by: Option<UserId>,
}

/// What the clock of a case says today.
pub(crate) struct Clock {
    /// `overdue`, `today`, `left`, `suspended`, `none`.
    kind: &'static str,
    /// Days since, or workdays left.
    days: i64,
    by: Option<Day>,
    provisional: bool,
    /// It is the acceptance that is waited for, not the decision.
    accept: bool,
}

/// Later than any day of a case.
fn never() -> Day {
    Day::from_number(i32::MAX)
}

impl Office {
    /// A page of the open cases that wait for us (all of them when asked for), the most urgent first; at the county, those sent up.
    ///
    /// # Errors
    /// A unit, state or place in the list that is not known.
    pub(crate) fn inbox(&mut self, now: Now, args: &command::Inbox) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        self.order_inbox(today)?;
        let wanted = self.wanted(args)?;
        let limit = page_lines(args.limit);
        let (mut page, mut more) = (Vec::new(), false);
        let (mut total, mut overdue, mut due_today) = (0_u64, 0_u64, 0_u64);
        let mut states: BTreeMap<&str, u64> = BTreeMap::new();
        for line in self.inbox.lines.iter().filter(|line| wanted.takes(line)) {
            total += 1;
            overdue += u64::from(line.overdue);
            due_today += u64::from(line.due_today);
            *states.entry(&line.state).or_default() += 1;
            let is_after = wanted.after.as_ref().is_none_or(|after| line.place() > *after);
            match is_after && page.len() < limit {
                true => page.push(line.clone()),
                false => more |= is_after,
            }
        }
        let form = self.views.forms().named("case").unwrap_or(ledger::form::Form::case());
        let states = states
            .iter()
            .map(|(state, n)| json!({"state": state, "label": form.state_label(state), "count": n}));
        let counts = json!({
            "total": total,
            "overdue": overdue,
            "due_today": due_today,
            "states": states.collect::<Vec<_>>(),
        });
        let next = page.last().filter(|_| more).map(Line::place);
        let mut lines = Vec::with_capacity(page.len());
        for line in &page {
            lines.extend(self.inbox_line(line, today)?);
        }
        Ok(json!({
            "today": today,
            "tier": self.tier().as_str(),
            "counts": counts,
            "cases": lines,
            "next": next.as_ref().map(place_text),
        }))
    }

    fn inbox_line(&self, line: &Line, today: Day) -> Result<Option<Json>, CommandError> {
        let Some(row) = self.row(line.of)? else { return Ok(None) };
        let mut shown = self.line(line.of, &row, today);
        let clock = self.clock(&row.summary, today);
        let unit = self.unit().unwrap_or(UnitId::ZERO);
        let by = row.summary.handled_by;
        let by = by.and_then(|user| Some(self.authority.user_at(&user, unit)?.name.clone()));
        if let Some(to) = shown.as_object_mut() {
            to.insert("clock".to_owned(), clock.json());
            to.insert("waits_for".to_owned(), json!(line.waits_for.as_str()));
            to.insert("handled_by".to_owned(), json!(by));
        }
        Ok(Some(shown))
    }

    fn wanted(&self, args: &command::Inbox) -> Result<Wanted, CommandError> {
        let text = |t: &Option<String>| t.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
        let state = text(&args.state).map(|s| self.state_named(&s)).transpose()?;
        let units = match text(&args.unit) {
            Some(code) => Some(self.units_within(Some(&code))?),
            None => None,
        };
        let after = text(&args.after).map(|text| parse_place(&text).ok_or_else(texts::unknown_place));
        Ok(Wanted {
            tier: self.tier(),
            all: args.all,
            state,
            units,
            matter: text(&args.matter).map(|m| m.to_ascii_uppercase()),
            overdue: args.overdue,
            mine: args.mine,
            after: after.transpose()?,
        })
    }

    fn order_inbox(&mut self, today: Day) -> Result<(), CommandError> {
        let calendar = self.authority.calendar().map(|c| c.version);
        let under = (self.views.writes(), today, calendar);
        if self.inbox.under == Some(under) {
            return Ok(());
        }
        let mut lines = Vec::new();
        let scan = &mut |key: &[u8], value: &[u8]| {
            if let (Some(of), Some(open)) = (name::tail(key), OpenCase::decode(value)) {
                lines.push(self.open_line(of, open, today));
            }
            Scan::On
        };
        let scanned = self
            .store
            .kv()
            .scan(name::OPEN, &prefix_end(name::OPEN), Order::Rising, scan);
        scanned.map_err(|e| texts::store_failed(&e))?;
        lines.sort_unstable_by_key(Line::place);
        self.inbox = Inbox {
            under: Some(under),
            lines,
        };
        Ok(())
    }

    fn open_line(&self, of: RecordRef, open: OpenCase, today: Day) -> Line {
        let s = open.summary();
        let clock = self.clock(&s, today);
        Line {
            of,
            by: clock.by.unwrap_or_else(never),
            overdue: clock.kind == "overdue",
            due_today: clock.kind == "today",
            waits_for: self.waits_for(&s),
            no: s.no.into(),
            state: s.state.into(),
            matter: s.matter.into(),
            handled_by: s.handled_by,
        }
    }

    /// Whose step is next, by the form's table: a room does 直办 and 即办件 by itself, what was sent up is the county's, and whoever
    /// decided closes.
    pub(crate) fn waits_for(&self, s: &Summary) -> Tier {
        let matter = self.matter_of(s.catalogue.as_ref(), &s.matter);
        let by_room = matter.is_some_and(|m| m.is_direct() || m.is_on_the_spot());
        match s.state.as_str() {
            "forwarded" => Tier::County,
            "decided" => s
                .decided_by
                .and_then(|unit| self.authority.unit(unit))
                .map_or(Tier::Township, |unit| unit.kind.tier()),
            // The clock stands still, and only those above the room set it going again.
            "suspended" | "double_closed" => Tier::Township,
            "awaiting_materials" | "draft" => Tier::Room,
            _ if by_room => Tier::Room,
            _ => Tier::Township,
        }
    }

    /// What is to be done by when, as of today: until it is accepted that is the acceptance.
    pub(crate) fn clock(&self, s: &Summary, today: Day) -> Clock {
        let mut clock = Clock {
            kind: "none",
            days: 0,
            by: None,
            provisional: false,
            accept: false,
        };
        let Some(calendar) = self.authority.calendar() else {
            return clock;
        };
        let matter = self.matter_of(s.catalogue.as_ref(), &s.matter);
        let deadline = self.deadline(s, matter, today);
        (clock.by, clock.provisional) = (deadline.on, deadline.provisional);
        if clock.by.is_none() && s.state == "received" {
            let due = s.received_on.map(|on| calendar.due(on, DEEMED_AFTER_WORKDAYS, &[]));
            (clock.by, clock.accept) = (due.map(|due| due.on), true);
            clock.provisional = due.is_some_and(|due| due.provisional);
        }
        if let Some(by) = clock.by {
            (clock.kind, clock.days) = told(calendar, by, today);
        }
        if s.state == "suspended" {
            clock.kind = "suspended";
        }
        clock
    }
}

fn told(calendar: &Calendar, by: Day, today: Day) -> (&'static str, i64) {
    match by.since(today) {
        past if past < 0 => ("overdue", i64::from(-past)),
        0 => ("today", 0),
        _ => ("left", i64::from(calendar.workdays_between(today, by))),
    }
}

impl Clock {
    pub(crate) fn json(&self) -> Json {
        json!({
            "kind": self.kind,
            "days": self.days,
            "by": self.by,
            "provisional": self.provisional,
            "accept": self.accept,
        })
    }
}

/// Where a line stands: those sent up first, where they are listed at all.
type Place = (bool, Day, Box<str>, RecordRef);

impl Line {
    fn place(&self) -> Place {
        (&*self.state != "forwarded", self.by, self.no.clone(), self.of)
    }
}

fn place_text((not_sent_up, by, no, of): &Place) -> String {
    let of: String = of.to_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("{}.{}.{no}.{of}", u8::from(*not_sent_up), by.number())
}

fn parse_place(text: &str) -> Option<Place> {
    let (not_sent_up, rest) = text.split_once('.')?;
    let (by, rest) = rest.split_once('.')?;
    let (no, of) = rest.rsplit_once('.')?;
    let digits = of.as_bytes().chunks_exact(2);
    let bytes: Option<Vec<u8>> = digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let by = Day::from_number(by.parse().ok()?);
    Some((not_sent_up == "1", by, no.into(), RecordRef::from_bytes(&bytes?)?))
}

/// What somebody asked to see.
struct Wanted {
    tier: Tier,
    all: bool,
    state: Option<String>,
    units: Option<Vec<UnitId>>,
    matter: Option<String>,
    overdue: bool,
    mine: Option<UserId>,
    after: Option<Place>,
}

impl Wanted {
    fn takes(&self, line: &Line) -> bool {
        (self.all || line.waits_for == self.tier)
            && self.state.as_deref().is_none_or(|state| *state == *line.state)
            && self
                .units
                .as_ref()
                .is_none_or(|units| units.contains(&line.of.scope.unit))
            && self.matter.as_deref().is_none_or(|matter| *matter == *line.matter)
            && (!self.overdue || line.overdue)
            && self.mine.is_none_or(|user| line.handled_by == Some(user))
    }
}
