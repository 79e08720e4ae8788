//! Views over a folded record that need a calendar or today's date, and so are never part of it.

use super::Folded;
use crate::calendar::{Calendar, Due};
use crate::catalogue::Matter;
use crate::day::Day;

/// Not told within so many workdays of receipt that something is missing: the case counts as accepted (视为受理).
pub const DEEMED_AFTER_WORKDAYS: u32 = 5;

/// When the case is due (限时办结): the promised workdays after acceptance, pushed out by suspensions. `None` before acceptance.
pub fn due(folded: &Folded, matter: &Matter, calendar: &Calendar) -> Option<Due> {
    due_from(folded, folded.accepted_on?, matter, calendar)
}

/// The same, where a case that is deemed accepted by `today` counts from its receipt.
pub fn due_as_of(folded: &Folded, matter: &Matter, calendar: &Calendar, today: Day) -> Option<Due> {
    let deemed = || {
        deemed_accepted(folded, calendar, today)
            .then_some(folded.received_on)
            .flatten()
    };
    due_from(folded, folded.accepted_on.or_else(deemed)?, matter, calendar)
}

fn due_from(folded: &Folded, accepted: Day, matter: &Matter, calendar: &Calendar) -> Option<Due> {
    let suspended: Vec<(Day, Option<Day>)> = folded.suspensions.iter().map(|s| (s.from, s.until)).collect();
    Some(calendar.due(accepted, matter.promised_workdays, &suspended))
}

/// Whether the case counts as accepted from receipt: it was neither accepted nor ended, and nobody said within
/// [`DEEMED_AFTER_WORKDAYS`] that something is missing.
pub fn deemed_accepted(folded: &Folded, calendar: &Calendar, today: Day) -> bool {
    let open = matches!(folded.state.as_str(), "received" | "awaiting_materials");
    let Some(received) = folded.received_on.filter(|_| open && folded.accepted_on.is_none()) else {
        return false;
    };
    let told = folded.notices.iter().map(|n| n.on).min().unwrap_or(today);
    calendar.workdays_between(received, told.min(today)) > DEEMED_AFTER_WORKDAYS
}
