//! Views over a record that need a calendar or today's date, and so are never part of it.

use crate::calendar::Calendar;
use crate::day::Day;

/// Nothing said within so many workdays of receipt: the case counts as accepted (视为受理).
pub const DEEMED_AFTER_WORKDAYS: u32 = 5;

/// What an applicant has been told of a case, by business dates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Replies {
    pub received_on: Option<Day>,
    /// The first time that something was said to be missing.
    pub noticed_on: Option<Day>,
    pub accepted_on: Option<Day>,
    pub ended_on: Option<Day>,
    /// It waits for a reply still.
    pub waits: bool,
}

/// From when a case counts as accepted (受理), which is what its deadline is counted from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Acceptance {
    pub on: Day,
    /// 视为受理: the day is that of the receipt, because nothing was said in time.
    pub deemed: bool,
}

impl Replies {
    /// Of a case in a state of the form; a state that waits has had no more said than what is missing.
    pub fn waits_in(state: &str) -> bool {
        matches!(state, "received" | "awaiting_materials")
    }

    /// The acceptance that counts as of `today`. Once [`DEEMED_AFTER_WORKDAYS`] have passed in silence it is the receipt's for good: an
    /// acceptance, a notice or an end that comes later gives the applicant nothing back.
    pub fn acceptance(&self, calendar: &Calendar, today: Day) -> Option<Acceptance> {
        let said = [self.noticed_on, self.accepted_on, self.ended_on];
        let said = said.into_iter().flatten().min();
        // Reopened after an end that nothing is known of any more: when it was answered is not known either.
        let silent_until = said.or(self.waits.then_some(today)).map(|day| day.min(today));
        let late = self
            .received_on
            .zip(silent_until)
            .filter(|(received, until)| calendar.workdays_between(*received, *until) > DEEMED_AFTER_WORKDAYS);
        match (late, self.accepted_on) {
            (Some((on, _)), _) => Some(Acceptance { on, deemed: true }),
            (None, Some(on)) => Some(Acceptance { on, deemed: false }),
            (None, None) => None,
        }
    }
}
