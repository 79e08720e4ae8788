//! Views.
use super::Folded;
use crate::calendar::Calendar;
use crate::catalogue::Matter;
use crate::day::Day;
/// 视为受理
pub const DEEMED_AFTER_WORKDAYS: i32 = 5;
/// When the case is due.
pub fn due(folded: &Folded, matter: &Matter, calendar: &Calendar) -> Option<Day> {
    let _ = (folded, matter, calendar);
    todo!()
}
/// The same, counting deemed acceptance.
pub fn due_as_of(folded: &Folded, matter: &Matter, calendar: &Calendar, today: Day) -> Option<Day> {
    let _ = (folded, matter, calendar, today);
    todo!()
}
/// 视为受理
pub fn deemed_accepted(folded: &Folded, calendar: &Calendar, today: Day) -> bool {
    let _ = (folded, calendar, today);
    todo!()
}
