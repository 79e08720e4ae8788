//! Drafts: what a clerk has typed and not yet handed in, sealed under a key of its own in a file of its own.
//!
//! Not in the journal, which never forgets: a draft is replaced with every pause in typing and goes when the case is kept. The
//! draft's key is wrapped by the book's key, so the file says nothing while the room is locked, and nothing at all once it is gone.

use ledger::id::{RecordId, Scope, UserId};
use ledger::seal::{self, RecordKey, WRAPPED_KEY_LEN};
use serde_json::{Value as Json, json};
use store::disk::{read_all, replace};

use crate::command::{CommandError, DraftKeep, DraftKind, DraftOf};
use crate::office::Office;
use crate::texts;

/// The field that a draft is sealed as.
const FIELD: &str = "draft";

/// One draft of each kind for each person: the file bears their id.
fn file(user: &UserId, kind: DraftKind) -> String {
    match kind {
        DraftKind::NewCase => format!("draft-{user}"),
        DraftKind::Forms => format!("draft-{user}-forms"),
    }
}

impl Office {
    /// Keeps what is typed, durably, in the place of what was kept before.
    ///
    /// # Errors
    /// The lock; the disk.
    pub(crate) fn draft_keep(&mut self, args: &DraftKeep) -> Result<Json, CommandError> {
        let book = Scope::book(self.unit().ok_or_else(texts::unplaced)?);
        let door = self.keys.scope_key(&book).ok_or_else(|| self.why_no_key(book))?;
        let (draft, key) = (RecordId(self.seeds.bytes()), RecordKey(self.seeds.bytes()));
        let mut bytes = draft.0.to_vec();
        bytes.extend_from_slice(&door.wrap(&key, &draft));
        bytes.extend_from_slice(&seal::seal(&key, &draft, FIELD, &args.text));
        replace(self.store.disk_mut(), &file(&args.user, args.kind), &bytes).map_err(|e| texts::store_failed(&e))?;
        Ok(json!({"kept": true}))
    }

    /// What was kept; null when nothing was, or when it cannot be opened any more.
    ///
    /// # Errors
    /// The lock; the disk.
    pub(crate) fn draft_show(&mut self, args: &DraftOf) -> Result<Json, CommandError> {
        let book = Scope::book(self.unit().ok_or_else(texts::unplaced)?);
        let bytes = read_all(self.store.disk(), &file(&args.user, args.kind)).map_err(|e| texts::store_failed(&e))?;
        let Some(bytes) = bytes else {
            return Ok(json!({"text": null}));
        };
        if self.keys.scope_key(&book).is_none() {
            return Err(self.why_no_key(book));
        }
        let opened = || {
            let draft = RecordId::from_slice(bytes.get(..16)?)?;
            let wrapped: &[u8; WRAPPED_KEY_LEN] = bytes.get(16..16 + WRAPPED_KEY_LEN)?.try_into().ok()?;
            let key = self.keys.unwrap(&book, &draft, wrapped)?;
            seal::open(&key, &draft, FIELD, bytes.get(16 + WRAPPED_KEY_LEN..)?).ok()
        };
        Ok(json!({"text": opened()}))
    }

    /// Lets go of it.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn draft_drop(&mut self, args: &DraftOf) -> Result<Json, CommandError> {
        let disk = self.store.disk_mut();
        disk.remove(&file(&args.user, args.kind))
            .and_then(|()| disk.sync_dir())
            .map_err(|e| texts::store_failed(&e))?;
        Ok(json!({"kept": false}))
    }
}
