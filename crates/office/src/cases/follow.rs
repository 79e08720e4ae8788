//! 差评回访: bad evaluations (4, 5) are followed up within so many workdays, and closed by a head.
//!
//! What was done is a note on the case with one datum more. Every version of the form has notes, so cases of any year can be followed
//! up, and an older version of the program shows the words and reads past the rest.

use ledger::id::UserId;
use ledger::record::{Edit, NewEvent, Value};
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::kv::prefix_end;
use store::{Order, Scan};

use crate::cases::intake::covered;
use crate::cases::work::page_lines;
use crate::command::{CommandError, FollowUp, FollowUpList, Malicious};
use crate::office::Office;
use crate::texts;
use crate::views::fold::{FOLLOW_UP, FOLLOW_UP_CLOSED, FOLLOW_UP_STEP, Read};
use crate::views::measure::{MALICIOUS, MALICIOUS_UNDONE, malicious};
use crate::views::name::{self, Flag};
use crate::views::row::RecordRef;

/// Workdays for an answer when nobody has set others.
const WORKDAYS: u32 = 5;
const NOTE_CHARS_MAX: usize = 500;

impl Office {
    /// Bad evaluations, those with the fewest workdays left first.
    ///
    /// # Errors
    /// A unit that is not known.
    pub(crate) fn follow_ups(&mut self, now: Now, args: &FollowUpList) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let units = args.unit.as_deref().filter(|unit| !unit.trim().is_empty());
        let units = units.map(|unit| self.units_within(Some(unit))).transpose()?;
        let flag = if args.closed { Flag::FollowedUp } else { Flag::FollowUp };
        let from = name::flagged(flag);
        let mut all: Vec<RecordRef> = Vec::new();
        let scan = &mut |key: &[u8], _: &[u8]| {
            all.extend(name::tail(key).filter(|of| units.as_ref().is_none_or(|u| u.contains(&of.scope.unit))));
            Scan::On
        };
        let scanned = self.store.kv().scan(&from, &prefix_end(&from), Order::Rising, scan);
        scanned.map_err(|e| texts::store_failed(&e))?;
        let mut dated = Vec::with_capacity(all.len());
        for of in all {
            let row = self.row(of)?;
            dated.extend(row.and_then(|row| Some((row.summary.bad_review?.0, of, row))));
        }
        dated.sort_unstable_by_key(|(on, of, _)| (*on, *of));
        if args.closed {
            dated.reverse();
        }
        let total = dated.len();
        let lines = page_lines(args.limit);
        let page = dated.into_iter().skip(args.page.saturating_mul(lines)).take(lines);
        let mut shown = Vec::new();
        for (on, of, row) in page {
            let mut line = self.line(of, &row, today);
            let read = self.read(of, row)?;
            let workdays = args.workdays.unwrap_or(WORKDAYS);
            line["reviewed_on"] = json!(on);
            line["follow"] = self.follow_of(&read, workdays, today);
            shown.push(line);
        }
        let left = total.saturating_sub(args.page.saturating_mul(lines) + shown.len());
        Ok(json!({"today": today, "total": total, "page": args.page, "left": left, "cases": shown}))
    }

    /// How a bad evaluation stands: until when it is to be answered, what was done; nothing where there is none.
    pub(crate) fn follow_of(&self, read: &Read, workdays: u32, today: ledger::day::Day) -> Json {
        let Some((on, closed)) = read.row.summary.bad_review else {
            return Json::Null;
        };
        let due = self.authority.calendar().map(|c| c.due(on, workdays, &[]).on);
        let left = self.authority.calendar().zip(due).map(|(calendar, due)| {
            let past = due < today;
            let days = match past {
                true => i64::from(calendar.workdays_between(due, today)),
                false => i64::from(calendar.workdays_between(today, due)),
            };
            if past { -days } else { days }
        });
        let steps = read.folded.events.iter().filter(|e| e.data.contains_key(FOLLOW_UP));
        let steps = steps.filter(|e| e.void.is_none()).map(|e| {
            json!({
                "on": e.on,
                "note": e.data.get("note"),
                "closes": matches!(e.data.get(FOLLOW_UP), Some(Value::Text(said)) if said == FOLLOW_UP_CLOSED),
                "unit_name": self.unit_shown(e.unit).1,
                "by": self.person(&e.user, e.unit),
            })
        });
        let marked = malicious(&read.folded).map(|e| {
            json!({
                "on": e.on,
                "reason": e.data.get("note"),
                "unit_name": self.unit_shown(e.unit).1,
                "by": self.person(&e.user, e.unit),
            })
        });
        json!({
            "on": on, "closed": closed, "due_on": due, "workdays_left": left, "steps": steps.collect::<Vec<_>>(), "malicious": marked,
        })
    }

    /// Writes down what was done about a bad evaluation, or that nothing more is to be done.
    ///
    /// # Errors
    /// From a room; a case without a bad evaluation; no words; closing by somebody who is no head.
    pub(crate) fn follow_up(&mut self, now: Now, args: &FollowUp) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        if self.tier() == ledger::id::Tier::Room {
            return Err(texts::rooms_do_not_follow_up());
        }
        self.catch_up(now)?;
        let user = args.user.or(self.acting);
        let (of, row) = self.find(&args.number)?;
        if self.sent_before(now, user, args.once.as_deref())?.is_some() {
            return self.followed(of);
        }
        match row.summary.bad_review {
            None => return Err(texts::no_bad_review()),
            Some((_, true)) => return Err(texts::followed_up_already()),
            Some((_, false)) => {}
        }
        let note = args.note.trim();
        if note.is_empty() || note.chars().count() > NOTE_CHARS_MAX {
            return Err(texts::say_what_was_done());
        }
        if args.close && !self.is_head(user) {
            return Err(texts::a_head_closes());
        }
        let read = self.read(of, row)?;
        self.form_of(&read)?;
        if self.tells_personal(of, &read, note) {
            return Err(texts::reason_without_names());
        }
        let said = if args.close { FOLLOW_UP_CLOSED } else { FOLLOW_UP_STEP };
        let event = NewEvent::new("note", today)
            .with("note", Value::Text(note.to_owned()))
            .with(FOLLOW_UP, Value::Text(said.to_owned()));
        let event = covered(event, args.cover.as_ref());
        self.stage_once(user, args.once.as_deref(), of.record)?;
        self.apply_edits(now, of, &read, &[Edit::Event(event)], user)?;
        self.catch_up(now)?;
        self.followed(of)
    }

    /// 恶意评价: a head leaves a bad evaluation out of satisfaction, with a reason, or takes that back. The evaluation itself stays.
    ///
    /// # Errors
    /// From a room; somebody who is no head; a case without a bad evaluation; no reason; what stands so already.
    pub(crate) fn mark_malicious(&mut self, now: Now, args: &Malicious) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        if self.tier() == ledger::id::Tier::Room {
            return Err(texts::rooms_do_not_follow_up());
        }
        self.catch_up(now)?;
        let user = args.user.or(self.acting);
        if !self.is_head(user) {
            return Err(texts::a_head_marks());
        }
        let (of, row) = self.find(&args.number)?;
        if row.summary.bad_review.is_none() {
            return Err(texts::no_bad_review());
        }
        let reason = args.reason.trim();
        if reason.is_empty() || reason.chars().count() > NOTE_CHARS_MAX {
            return Err(texts::say_why_malicious());
        }
        let read = self.read(of, row)?;
        self.form_of(&read)?;
        if self.tells_personal(of, &read, reason) {
            return Err(texts::reason_without_names());
        }
        let evaluation = read.folded.evaluation.as_ref().ok_or_else(texts::no_bad_review)?;
        if malicious(&read.folded).is_some() != args.undo {
            return Err(texts::marked_already(args.undo));
        }
        let datum = if args.undo { MALICIOUS_UNDONE } else { MALICIOUS };
        let event = NewEvent::new("note", today)
            .with("note", Value::Text(reason.to_owned()))
            .with(datum, Value::Text(evaluation.event.clone()));
        let event = covered(event, args.cover.as_ref());
        self.apply_edits(now, of, &read, &[Edit::Event(event)], user)?;
        self.catch_up(now)?;
        Ok(json!({"project_no": self.shown_number(of, &read.row.summary.no), "malicious": !args.undo}))
    }

    fn followed(&self, of: RecordRef) -> Result<Json, CommandError> {
        let row = self.row(of)?.unwrap_or_default();
        let closed = row.summary.bad_review.is_some_and(|(_, closed)| closed);
        Ok(json!({"project_no": self.shown_number(of, &row.summary.no), "closed": closed}))
    }

    /// The device itself may speak for a head, as it may for everybody.
    fn is_head(&self, user: Option<UserId>) -> bool {
        let Some(user) = user.filter(|u| *u != UserId::ZERO) else {
            return true;
        };
        let person = self.unit().and_then(|unit| self.authority.user_at(&user, unit));
        let is_head = |roles: &[String]| roles.iter().any(|r| matches!(r.as_str(), "head" | "admin"));
        person.is_some_and(|p| p.active && is_head(&p.roles))
    }
}
