//! What one case counts for in one period. Every figure, its share and its list of cases rest on these marks and on nothing else.

use ledger::calendar::Calendar;
use ledger::day::Day;
use ledger::record::{Acceptance, Replies};

use super::period::Span;
use crate::views::measure::Measure;

/// Closed as void, closed as deleted: neither counts for anything.
const RESULTS_OUT: [i64; 2] = [2, 3];
/// 1 to 3 of 5 is satisfied.
const SATISFIED_MAX: i64 = 3;

/// One thing that a case may count for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mark {
    Received,
    Accepted,
    Closed,
    /// Of those closed: 即办件.
    Spot,
    /// Of those closed: whose deadline is known.
    Timed,
    OnTime,
    Rated,
    Satisfied,
    Open,
    Overdue,
    /// Told in the period for the first time that something is missing.
    Told,
    ToldOnce,
    Returned,
    /// Of those received: with an errand (代办).
    Errand,
}

pub(crate) const MARKS: usize = Mark::Errand as usize + 1;

/// Several of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Marks(pub(crate) u32);

impl Marks {
    pub(crate) fn has(self, mark: Mark) -> bool {
        self.0 & (1 << mark as u32) != 0
    }

    fn set(&mut self, mark: Mark, holds: bool) {
        self.0 |= u32::from(holds) << mark as u32;
    }
}

/// What a case counts for, and how long it took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Judged {
    pub(crate) marks: Marks,
    /// Workdays from acceptance to closing, stretches that stood still left out; of those marked [`Mark::Timed`].
    pub(crate) workdays: u32,
}

/// What judging needs beside the case.
pub(crate) struct Law<'a> {
    pub(crate) calendar: &'a Calendar,
    pub(crate) today: Day,
}

/// Whether a case counts for nothing at all.
pub(crate) fn is_out(m: &Measure) -> bool {
    m.errand || m.state == "void" || m.result.is_some_and(|r| RESULTS_OUT.contains(&r))
}

impl Law<'_> {
    /// What a case counts for in a span that ends today at the latest.
    pub(crate) fn judge(&self, m: &Measure, span: Span, has_errand: bool) -> Judged {
        let mut judged = Judged::default();
        if is_out(m) {
            return judged;
        }
        let last = span.last();
        let marks = &mut judged.marks;
        marks.set(Mark::Received, span.has(m.on));
        marks.set(Mark::Errand, span.has(m.on) && has_errand);
        let accepted = self.acceptance(m).map(|accepted| accepted.on);
        marks.set(Mark::Accepted, span.has(accepted));
        let is_open = m.on.is_some_and(|on| on <= last) && !(m.ended && m.ended_on.is_none_or(|on| on <= last));
        let closed_on = m.closed_on.filter(|_| span.has(m.closed_on));
        // Days are counted one by one: for those alone that it matters to.
        let due = accepted
            .zip(m.extra.promised)
            .filter(|_| is_open || closed_on.is_some());
        let due = due.map(|(on, days)| self.calendar.due(on, days, &m.suspensions).on);
        if let Some(closed) = closed_on {
            marks.set(Mark::Closed, true);
            marks.set(Mark::Spot, m.extra.spot);
            let rating = m.rating.filter(|_| !m.extra.malicious);
            marks.set(Mark::Rated, rating.is_some_and(|r| (1..=5).contains(&r)));
            marks.set(
                Mark::Satisfied,
                rating.is_some_and(|r| (1..=SATISFIED_MAX).contains(&r)),
            );
            if let (Some(due), Some(accepted)) = (due, accepted) {
                marks.set(Mark::Timed, true);
                marks.set(Mark::OnTime, closed <= due);
                judged.workdays = self.took(m, accepted, closed);
            }
        }
        let marks = &mut judged.marks;
        marks.set(Mark::Open, is_open);
        let running = accepted.is_some_and(|on| on <= last);
        marks.set(Mark::Overdue, is_open && running && due.is_some_and(|due| due < last));
        marks.set(Mark::Told, span.has(m.noticed_on));
        marks.set(Mark::ToldOnce, span.has(m.noticed_on) && m.extra.notices == 1);
        marks.set(Mark::Returned, m.state == "returned" && span.has(m.ended_on));
        judged
    }

    /// From when the case counts as accepted.
    fn acceptance(&self, m: &Measure) -> Option<Acceptance> {
        let replies = Replies {
            received_on: m.received_on,
            noticed_on: m.noticed_on,
            accepted_on: m.accepted_on,
            ended_on: m.ended_on,
            waits: Replies::waits_in(&m.state),
        };
        replies.acceptance(self.calendar, self.today)
    }

    fn took(&self, m: &Measure, accepted: Day, closed: Day) -> u32 {
        let stood = m.suspensions.iter().map(|(from, until)| {
            // From the day the clock stopped up to, not including, the day it went on.
            let before = from.plus(-1).max(accepted);
            let end = until.map_or(closed, |until| until.plus(-1)).min(closed);
            self.calendar.workdays_between(before, end)
        });
        let all = self.calendar.workdays_between(accepted, closed);
        all.saturating_sub(stood.sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::measure::Extra;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    fn case(state: &str) -> Measure {
        Measure {
            no: "51160300112628200011".to_owned(),
            matter: "B23".to_owned(),
            state: state.to_owned(),
            ended: false,
            errand: false,
            on: Some(day("2026-10-09")),
            received_on: Some(day("2026-10-09")),
            accepted_on: None,
            closed_on: None,
            ended_on: None,
            noticed_on: None,
            result: None,
            rating: None,
            suspensions: Vec::new(),
            extra: Extra {
                promised: Some(3),
                ..Extra::default()
            },
            leads: None,
        }
    }

    fn marks(m: &Measure, from: &str, until: &str, today: &str) -> Vec<Mark> {
        let calendar = Calendar::from_tsv(include_str!("../../../ledger/data/holidays.tsv")).unwrap();
        let law = Law {
            calendar: &calendar,
            today: day(today),
        };
        let span = Span {
            from: day(from),
            until: day(until),
        };
        let judged = law.judge(m, span, false);
        use Mark::*;
        let all = [
            Received, Accepted, Closed, Spot, Timed, OnTime, Rated, Satisfied, Open, Overdue, Told, ToldOnce, Returned,
            Errand,
        ];
        all.into_iter().filter(|mark| judged.marks.has(*mark)).collect()
    }

    #[test]
    fn a_closed_case_counts_in_the_month_of_each_event_and_in_no_other() {
        let mut m = case("closed");
        (m.on, m.received_on) = (Some(day("2026-10-28")), Some(day("2026-10-28")));
        m.accepted_on = Some(day("2026-10-30"));
        m.closed_on = Some(day("2026-11-04"));
        m.ended_on = m.closed_on;
        m.ended = true;
        m.rating = Some(3);
        let october = marks(&m, "2026-10-01", "2026-11-01", "2026-12-01");
        assert_eq!(october, [Mark::Received, Mark::Accepted, Mark::Open]);
        let november = marks(&m, "2026-11-01", "2026-12-01", "2026-12-01");
        assert_eq!(
            november,
            [Mark::Closed, Mark::Timed, Mark::OnTime, Mark::Rated, Mark::Satisfied]
        );
        m.closed_on = Some(day("2026-11-05"));
        m.rating = Some(4);
        let late = marks(&m, "2026-11-01", "2026-12-01", "2026-12-01");
        assert_eq!(late, [Mark::Closed, Mark::Timed, Mark::Rated]);
        m.extra.malicious = true;
        let malicious = marks(&m, "2026-11-01", "2026-12-01", "2026-12-01");
        assert_eq!(malicious, [Mark::Closed, Mark::Timed]);
    }

    #[test]
    fn what_is_void_or_closed_as_deleted_counts_for_nothing() {
        assert!(marks(&case("void"), "2026-10-01", "2026-11-01", "2026-12-01").is_empty());
        let mut deleted = case("closed");
        deleted.result = Some(3);
        assert!(marks(&deleted, "2026-10-01", "2026-11-01", "2026-12-01").is_empty());
    }

    #[test]
    fn nobody_having_said_within_five_workdays_that_something_is_missing_it_counts_as_accepted_and_runs_out() {
        let m = case("received");
        let on = |today: &str| marks(&m, "2026-10-01", &day(today).plus(1).to_string(), today);
        // Saturday the 10th is worked in its place.
        assert_eq!(on("2026-10-15"), [Mark::Received, Mark::Open]);
        assert_eq!(
            on("2026-10-16"),
            [Mark::Received, Mark::Accepted, Mark::Open, Mark::Overdue]
        );
    }

    #[test]
    fn accepted_after_more_than_five_workdays_of_silence_it_is_due_from_its_receipt() {
        let mut m = case("closed");
        m.ended = true;
        let closed = |m: &mut Measure, accepted: &str, closed: &str| {
            m.accepted_on = Some(day(accepted));
            (m.closed_on, m.ended_on) = (Some(day(closed)), Some(day(closed)));
            let judged = marks(m, "2026-11-01", "2026-12-01", "2026-12-01");
            (judged.contains(&Mark::Accepted), judged.contains(&Mark::OnTime))
        };
        // Three days are promised, and kept from the day on which somebody at last accepted it.
        assert_eq!(closed(&mut m, "2026-11-18", "2026-11-20"), (false, false));
        assert!(marks(&m, "2026-10-01", "2026-11-01", "2026-12-01").contains(&Mark::Accepted));
        m.on = Some(day("2026-11-11"));
        m.received_on = m.on;
        assert_eq!(
            closed(&mut m, "2026-11-18", "2026-11-20"),
            (true, true),
            "the fifth workday"
        );
        assert_eq!(closed(&mut m, "2026-11-19", "2026-11-20"), (true, false));
        // Returned instead, it stays what it had come to count for.
        m.state = "returned".to_owned();
        (m.accepted_on, m.closed_on) = (None, None);
        assert!(marks(&m, "2026-11-01", "2026-12-01", "2026-12-01").contains(&Mark::Accepted));
        m.ended_on = Some(day("2026-11-18"));
        assert!(!marks(&m, "2026-11-01", "2026-12-01", "2026-12-01").contains(&Mark::Accepted));
    }

    #[test]
    fn days_on_which_the_clock_stood_still_are_not_counted() {
        let calendar = Calendar::from_tsv(include_str!("../../../ledger/data/holidays.tsv")).unwrap();
        let law = Law {
            calendar: &calendar,
            today: day("2026-12-01"),
        };
        let mut m = case("closed");
        m.suspensions = vec![(day("2026-11-03"), Some(day("2026-11-05")))];
        // Monday to the Monday after: five workdays, of which two stood still.
        assert_eq!(law.took(&m, day("2026-11-02"), day("2026-11-09")), 3);
    }
}
