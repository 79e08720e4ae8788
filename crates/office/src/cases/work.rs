//! The work of a township and of the county: where each of its commands goes.

use ledger::id::{ScopeKind, UnitCode, UnitId};
use replica::time::Now;
use serde_json::Value as Json;

use crate::command::{CommandError, Work};
use crate::office::Office;
use crate::texts;

/// Lines of a page when nobody says how many, and at most.
const PAGE_LINES: usize = 50;
const PAGE_LINES_MAX: usize = 500;

/// Lines of one page.
pub(crate) fn page_lines(limit: Option<usize>) -> usize {
    limit.unwrap_or(PAGE_LINES).clamp(1, PAGE_LINES_MAX)
}

impl Office {
    pub(crate) fn work(&mut self, now: Now, work: Work) -> Result<Json, CommandError> {
        match work {
            Work::Inbox(args) => self.inbox(now, &args),
            Work::CaseDoMany(args) => self.case_do_many(now, &args),
            Work::DocRegister(args) => self.doc_register(now, &args),
            Work::DocGive(args) => self.doc_give(now, &args),
            Work::Conflicts(args) => self.conflict_queue(now, &args),
            Work::Quarantine(args) => self.quarantine_queue(now, &args),
            Work::QuarantineRetry(args) => self.quarantine_retry(now, &args),
            Work::Waiting(args) => self.waiting_list(now, &args),
            Work::WaitingLeave(args) => self.waiting_leave(now, &args),
            Work::FollowUps(args) => self.follow_ups(now, &args),
            Work::FollowUp(args) => self.follow_up(now, &args),
            Work::Malicious(args) => self.mark_malicious(now, &args),
        }
    }

    /// A unit by its code, with all below it; all units whose books are held here when none is named.
    pub(crate) fn units_within(&self, code: Option<&str>) -> Result<Vec<UnitId>, CommandError> {
        let books = self.store.logs().scopes().filter(|s| s.kind == ScopeKind::Book);
        let held: Vec<UnitId> = books.map(|s| s.unit).collect();
        let Some(text) = code.map(str::trim).filter(|text| !text.is_empty()) else {
            return Ok(held);
        };
        let organisation = self.authority.organisation();
        let unit = UnitCode::parse(text)
            .and_then(|code| organisation?.by_code(code))
            .ok_or_else(|| texts::unknown_unit(text))?;
        let within = self.authority.subtree(unit.id);
        Ok(held.into_iter().filter(|u| within.contains(u)).collect())
    }
}
