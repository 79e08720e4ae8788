//! Small pieces of what screens show.

use ledger::catalogue::Matter;
use ledger::day::Day;
use ledger::id::{Hash, UnitId};
use ledger::record::Replies;
use replica::authority::Authority;
use serde_json::{Value as Json, json};

use crate::office::Office;
use crate::views::row::{RecordRef, Summary};

/// A wall clock in UTC milliseconds as people in China read it: `2026-10-09 08:40:05`.
pub(crate) fn at_text(wall_ms: i64) -> String {
    let day = Day::of_wall_ms(wall_ms);
    let second = (wall_ms.div_euclid(1000).saturating_add(8 * 3600)).rem_euclid(86_400);
    format!("{day} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// When a case is due, as of today.
pub(crate) struct Deadline {
    /// The acceptance that it is counted from: of a case that is deemed accepted the receipt.
    pub(crate) from: Option<Day>,
    pub(crate) on: Option<Day>,
    /// It reaches past the published calendar.
    pub(crate) provisional: bool,
    pub(crate) overdue: bool,
    /// 视为受理
    pub(crate) deemed_accepted: bool,
}

/// A unit's code and name; of one that is not known its id.
pub(crate) fn unit_shown(authority: &Authority, unit: UnitId) -> (String, String) {
    let mut at = unit;
    for _ in 0..4 {
        if let Some(found) = authority.unit(at) {
            return (found.code.to_string(), found.name.clone());
        }
        match authority.parent(at) {
            Some(parent) => at = parent,
            None => break,
        }
    }
    (unit.to_string(), String::new())
}

impl Office {
    /// The matter that a record pins.
    pub(crate) fn matter_of(&self, catalogue: Option<&Hash>, code: &str) -> Option<&Matter> {
        self.authority.catalogues().get(catalogue?)?.matter(code)
    }

    /// 12-digit code and name of a unit; of a former life, those of the room it became.
    pub(crate) fn unit_shown(&self, unit: UnitId) -> (String, String) {
        unit_shown(&self.authority, unit)
    }

    /// One line of a list.
    pub(crate) fn line(&self, of: RecordRef, row: &crate::views::row::RecordRow, today: Day) -> Json {
        let s = &row.summary;
        let (unit, unit_name) = self.unit_shown(of.scope.unit);
        let matter = self.matter_of(s.catalogue.as_ref(), &s.matter);
        let form = s.form.and_then(|hash| self.views.forms().of(&hash));
        let deadline = self.deadline(s, matter, today);
        json!({
            "project_no": self.shown_number(of, &s.no),
            "record_id": of.record,
            "unit": unit,
            "unit_name": unit_name,
            "matter": s.matter,
            "matter_name": matter.map(|m| m.name.as_str()),
            "name": s.masked_name,
            "state": s.state,
            "state_label": form.map_or(s.state.as_str(), |f| f.state_label(&s.state)),
            "status": status_text(s),
            "on": s.on,
            "received_on": s.received_on,
            "accepted_on": s.accepted_on,
            "noticed_on": s.noticed_on,
            "notices": s.extra.notices,
            "ended_on": s.ended_on,
            "suspensions": s.suspensions,
            "promised_workdays": s.extra.promised,
            "on_the_spot": s.extra.spot,
            "has_errand": !s.errand && self.has_errand(&s.no),
            "counts_with": self.counts_with(of, row),
            "due_on": deadline.on,
            "provisional": deadline.provisional,
            "overdue": deadline.overdue,
            "deemed_accepted": deadline.deemed_accepted,
            "closed_on": s.closed_on,
            "result": s.result,
            "rating": s.rating,
            "malicious": s.extra.malicious,
            "receipt": self.tiers().of_record(of, row).as_str(),
            "conflicts": self.open_conflicts(of, row),
            "set_aside": s.set_aside as usize + self.asides_elsewhere(of),
            "waiting": s.waiting,
            "unrecognised": s.unrecognised,
            "erased": s.erased,
            "is_errand": s.errand,
        })
    }

    pub(crate) fn tiers(&self) -> crate::tiers::Tiers<'_> {
        crate::tiers::Tiers {
            store: &self.store,
            authority: &self.authority,
        }
    }

    /// Deadline and deemed acceptance out of a row, by the same rule as in reports.
    pub(crate) fn deadline(&self, s: &Summary, matter: Option<&Matter>, today: Day) -> Deadline {
        let mut deadline = Deadline {
            from: None,
            on: None,
            provisional: false,
            overdue: false,
            deemed_accepted: false,
        };
        // An errand is received, and nobody accepts it.
        let Some(calendar) = self.authority.calendar().filter(|_| !s.errand) else {
            return deadline;
        };
        let replies = Replies {
            received_on: s.received_on,
            noticed_on: s.noticed_on,
            accepted_on: s.accepted_on,
            ended_on: s.ended_on,
            waits: Replies::waits_in(&s.state),
        };
        let Some(accepted) = replies.acceptance(calendar, today) else {
            return deadline;
        };
        (deadline.from, deadline.deemed_accepted) = (Some(accepted.on), accepted.deemed);
        if let Some(matter) = matter {
            let due = calendar.due(accepted.on, matter.promised_workdays, &s.suspensions);
            deadline.on = Some(due.on);
            deadline.provisional = due.provisional;
            let done = s.closed_on.unwrap_or(today);
            deadline.overdue = done > due.on && !(s.ended && s.closed_on.is_none());
        }
        deadline
    }
}

/// What is out of the ordinary about a record, or nothing.
pub(crate) fn status_text(s: &Summary) -> &'static str {
    use crate::texts;
    use crate::views::row::RowStatus;
    match s.status {
        RowStatus::Ready => texts::READY,
        RowStatus::AwaitingForm => texts::AWAITING_FORM,
        RowStatus::AwaitingCatalogue => texts::AWAITING_CATALOGUE,
        RowStatus::AwaitingEntries => texts::AWAITING_ENTRIES,
        RowStatus::SetAside => texts::SET_ASIDE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_the_clock_on_the_wall_of_a_chinese_room() {
        assert_eq!(at_text(1_760_025_599_999), "2025-10-09 23:59:59");
        assert_eq!(at_text(0), "1970-01-01 08:00:00");
    }
}
