//! A form that was sent is one record, however often it is sent: also by a clerk who finds the draft again after a power cut.
//!
//! What was sent is remembered by a local fact that is committed together with the record. The fact names the record's id, which is
//! random, and counts only once that record is held: whichever of the two a torn write left behind, nothing is promised falsely.

use ledger::id::{RecordId, Scope, UserId};
use replica::time::Now;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::command::{CommandError, SentOf};
use crate::office::Office;
use crate::texts;
use crate::views::row::RecordRef;

/// One person has one draft; a few pages more may stand open, or be gone back to.
const KEPT: usize = 8;
const MARK_BYTES: usize = 16;
const ROW_BYTES: usize = MARK_BYTES + RecordId::LEN;

fn fact(user: &UserId) -> String {
    format!("sent/{user}")
}

/// Not the token itself: it would be worth something to whoever reads the disk while the page is open.
fn mark(once: &str) -> [u8; MARK_BYTES] {
    let mut mark = [0; MARK_BYTES];
    mark.copy_from_slice(&Sha256::digest(once.as_bytes())[..MARK_BYTES]);
    mark
}

impl Office {
    /// Remembers, with the next commit, that this form became this record.
    pub(crate) fn stage_once(
        &mut self,
        user: Option<UserId>,
        once: Option<&str>,
        record: RecordId,
    ) -> Result<(), CommandError> {
        let (Some(user), Some(once)) = (user, once.filter(|once| !once.is_empty())) else {
            return Ok(());
        };
        let mut rows = self.store.fact(&fact(&user)).unwrap_or_default().to_vec();
        rows.extend_from_slice(&mark(once));
        rows.extend_from_slice(&record.0);
        let over = (rows.len() / ROW_BYTES).saturating_sub(KEPT) * ROW_BYTES;
        let staged = self.store.stage_fact(&fact(&user), Some(&rows[over..]));
        staged.map_err(|e| texts::store_failed(&e))
    }

    /// The number of what this form became, if it was kept.
    pub(crate) fn sent_before(
        &mut self,
        now: Now,
        user: Option<UserId>,
        once: Option<&str>,
    ) -> Result<Option<(RecordRef, String)>, CommandError> {
        let (Some(user), Some(once), Some(unit)) = (user, once.filter(|once| !once.is_empty()), self.unit()) else {
            return Ok(None);
        };
        let rows = self.store.fact(&fact(&user)).unwrap_or_default();
        let found = rows.chunks_exact(ROW_BYTES).find(|row| row[..MARK_BYTES] == mark(once));
        let Some(record) = found.and_then(|row| RecordId::from_slice(&row[MARK_BYTES..])) else {
            return Ok(None);
        };
        self.catch_up(now)?;
        let of = RecordRef {
            scope: Scope::book(unit),
            record,
        };
        // At a hub what was sent is about a case of a room's book.
        let (of, row) = match self.row(of)? {
            Some(row) => (of, Some(row)),
            None => self.find_by_id(record).map_or((of, None), |(of, row)| (of, Some(row))),
        };
        let row = row.filter(|row| !row.summary.no.is_empty());
        Ok(row.map(|row| (of, self.shown_number(of, &row.summary.no))))
    }

    /// `sent`: the number, or null.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(crate) fn sent(&mut self, now: Now, args: &SentOf) -> Result<Json, CommandError> {
        let before = self.sent_before(now, Some(args.user), Some(&args.once))?;
        Ok(json!({"project_no": before.map(|(_, no)| no)}))
    }
}
