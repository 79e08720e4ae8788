//! `case list`: newest first, filtered by unit and state.

use ledger::id::UnitId;
use replica::time::Now;
use serde_json::Value as Json;
use store::kv::prefix_end;
use store::{Order, Scan};

use crate::command::{CaseList, CommandError};
use crate::office::Office;
use crate::texts;
use crate::views::name;
use crate::views::row::RecordRef;

/// A list without a limit ends here: five years of a room, a month of a county.
const LIST_MAX: usize = 30_000;

impl Office {
    /// The lines of the cases held here, newest business date first. A unit means the unit and all below it.
    ///
    /// # Errors
    /// A unit or state that is not known.
    pub(crate) fn case_list(&mut self, now: Now, args: CaseList) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let state = args.state.as_deref().map(|s| self.state_named(s)).transpose()?;
        let limit = args.limit.unwrap_or(LIST_MAX).min(LIST_MAX);
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for unit in self.units_within(args.unit.as_deref())? {
            self.newest(unit, state.as_deref(), limit, &mut keys)?;
        }
        keys.sort_unstable_by(|a, b| name::list_order(a).cmp(name::list_order(b)));
        keys.truncate(limit);
        let mut lines = Vec::with_capacity(keys.len());
        for of in keys.iter().filter_map(|key| name::tail(key)) {
            if let Some(row) = self.row(of)? {
                lines.push(self.line(of, &row, today));
            }
        }
        Ok(Json::Array(lines))
    }

    fn newest(
        &self,
        unit: UnitId,
        state: Option<&str>,
        limit: usize,
        keys: &mut Vec<Vec<u8>>,
    ) -> Result<(), CommandError> {
        let from = name::listed(unit);
        let mut left = limit;
        let scanned = self
            .store
            .kv()
            .scan(&from, &prefix_end(&from), Order::Rising, &mut |key, value| {
                if left == 0 {
                    return Scan::Stop;
                }
                if state.is_none_or(|s| s.as_bytes() == value) {
                    keys.push(key.to_vec());
                    left -= 1;
                }
                Scan::On
            });
        scanned.map_err(|e| texts::store_failed(&e))
    }

    /// A state by its name or its Chinese label.
    pub(crate) fn state_named(&self, text: &str) -> Result<String, CommandError> {
        let text = text.trim();
        let mut known = Vec::new();
        for form in self.views.forms().iter() {
            for (name, state) in &form.states {
                if name == text || state.label == text {
                    return Ok(name.clone());
                }
                known.push(format!("{name} {}", state.label));
            }
        }
        known.sort();
        known.dedup();
        Err(texts::unknown_state(text, &known.join("、")))
    }

    /// Conflict items of a record that await a decision, those with other records included.
    pub(crate) fn open_conflicts(&self, of: RecordRef, row: &crate::views::row::RecordRow) -> usize {
        let own = row.summary.conflicts.iter().filter(|c| c.open).count();
        own + self.shared_items(of, row).iter().filter(|(_, item)| item.open).count()
    }
}
