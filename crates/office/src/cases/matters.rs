//! `matters` and `visits`: what a clerk is offered while a case is typed.

use std::collections::BTreeMap;

use ledger::id::Scope;
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::Order;
use store::kv::prefix_end;

use crate::cases::intake::{checked, known_number};
use crate::command::{CommandError, Visits};
use crate::office::Office;
use crate::texts;
use crate::views::name;

/// The newest cases say which matters a room has to do with.
const USED_AMONG: usize = 300;
/// Earlier cases of one person that are offered.
const VISITS_MAX: usize = 20;

impl Office {
    /// The leading catalogue, each matter with how often the own book has used it of late.
    ///
    /// # Errors
    /// Before a catalogue has come.
    pub(crate) fn matters(&mut self, now: Now) -> Result<Json, CommandError> {
        self.today(now)?;
        let used = self.matters_used()?;
        let (hash, catalogue) = self.leading_catalogue().ok_or_else(texts::no_catalogue)?;
        let matter = |m: &ledger::catalogue::Matter| {
            json!({
                "code": m.code,
                "name": m.name,
                "group": m.group,
                "category": m.category,
                "village_role": m.village_role,
                "handling": m.handling_type.label(),
                "on_the_spot": m.is_on_the_spot(),
                "opens_errand": m.opens_errand(),
                "direct": m.is_direct(),
                "promised_workdays": m.promised_workdays,
                "materials": m.materials,
                "used": used.get(&m.code).copied().unwrap_or(0),
            })
        };
        Ok(json!({
            "catalogue": hash,
            "matters": catalogue.matters.iter().map(matter).collect::<Vec<_>>(),
        }))
    }

    fn matters_used(&self) -> Result<BTreeMap<String, u64>, CommandError> {
        let unit = self.unit().ok_or_else(texts::unplaced)?;
        let from = name::listed(unit);
        let rows = self
            .store
            .kv()
            .range(&from, &prefix_end(&from), Order::Rising, USED_AMONG)
            .map_err(|e| texts::store_failed(&e))?;
        let mut used = BTreeMap::new();
        for of in rows.iter().filter_map(|(key, _)| name::tail(key)) {
            if let Some(row) = self.row(of)? {
                *used.entry(row.summary.matter).or_default() += 1;
            }
        }
        Ok(used)
    }

    /// Earlier cases of the same person in the own book, newest first.
    ///
    /// # Errors
    /// A number that is none; the lock.
    pub(crate) fn visits(&mut self, now: Now, args: &Visits) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        let number = checked(texts::CERT_NO, known_number(&args.cert_no))?;
        self.catch_up(now)?;
        let book = Scope::book(self.unit().ok_or_else(texts::unplaced)?);
        let token = self
            .keys
            .person_token(&book, &number)
            .ok_or_else(|| self.why_no_key(book))?;
        let from = name::person(&token);
        let rows = self
            .store
            .kv()
            .range(&from, &prefix_end(&from), Order::Rising, VISITS_MAX)
            .map_err(|e| texts::store_failed(&e))?;
        let mut lines = Vec::new();
        for of in rows.iter().filter_map(|(key, _)| name::tail(key)) {
            lines.extend(self.row(of)?.map(|row| self.line(of, &row, today)));
        }
        Ok(Json::Array(lines))
    }
}
