//! 销毁个人信息: an erase statement obliges every holder to destroy the record's key. The skeleton stays in the counts.

use ledger::id::Tier;
use replica::authority::Write;
use replica::statement::{Erase, Statement};
use replica::time::Now;
use serde_json::{Value as Json, json};

use crate::audit::{Act, Note};
use crate::command::{CaseErase, CommandError};
use crate::life::fact;
use crate::office::Office;
use crate::texts;

impl Office {
    /// `case erase`: states it in our unit's public scope, and destroys the key here at once.
    ///
    /// # Errors
    /// An unknown or ambiguous number, no reason, or a record that is neither ours nor of a unit below.
    pub(crate) fn case_erase(&mut self, now: Now, args: CaseErase) -> Result<Json, CommandError> {
        self.today(now)?;
        let unit = self.unit().ok_or_else(texts::unplaced)?;
        let reason = args.reason.trim();
        if reason.is_empty() {
            return Err(texts::reason_needed());
        }
        self.catch_up(now)?;
        let (of, row) = self.find(&args.number)?;
        if self.authority.may_write(&self.me.device, &of.scope) != Write::Yes {
            return Err(texts::erase_not_entitled());
        }
        let shown = self.shown_number(of, &row.summary.no);
        let read = self.read(of, row)?;
        if self.tells_personal(of, &read, reason) {
            return Err(texts::reason_without_names());
        }
        let note = Note::new(Act::Erase).of(of).because(reason);
        self.audit(now, note).map_err(|e| texts::store_failed(&e))?;
        if !self.authority.erased(&of.scope, &of.record) {
            let erase = Erase {
                scope: of.scope,
                record: of.record,
                reason: reason.to_owned(),
            };
            // A former life's records are forgotten in its own name.
            let is_former = self
                .life()
                .is_some_and(|l| l.formers.iter().any(|f| f.unit == of.scope.unit));
            let speaks = if is_former { of.scope.unit } else { unit };
            self.state(speaks, Statement::Erase(erase))
                .map_err(|e| texts::store_failed(&e))?;
            self.keep(now)?;
        }
        if !self.authority.erased(&of.scope, &of.record) {
            return Err(texts::erase_not_entitled());
        }
        // The statement is durable; now the key itself, here and before anything is answered.
        self.catch_up(now)?;
        self.store
            .erase_key(of.scope, of.record)
            .and_then(|()| self.store.stage_fact(fact::SCRUB, Some(&[1])))
            .map_err(|e| texts::store_failed(&e))?;
        self.keep(now)?;
        self.catch_up(now)?;
        Ok(json!({
            "project_no": shown,
            "record_id": of.record,
            "erased": true,
            "travels": if self.tier() == Tier::County { "below" } else { "above_and_below" },
        }))
    }
}
