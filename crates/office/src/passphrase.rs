//! 口令: `passphrase set`, `unlock`, `lock`, and locking by itself after a time without use.
//!
//! Locked, an office goes on syncing, receipting, folding and recording; what it cannot do is open personal values. See
//! [`crate::keys`] for how a new case is closed without a key, and [`crate::views::fold`] for what lists keep showing.

use ledger::id::{Scope, ScopeKind};
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::StoreError;

use crate::audit::{Act, Note};
use crate::command::{Command, CommandError, PassphraseSet, Unlock, Work};
use crate::identity::UnlockError;
use crate::lock::{COST, Cost, is_strong};
use crate::office::Office;
use crate::texts;

/// What an office remembers about its lock, beside the keys themselves.
#[derive(Debug)]
pub(crate) struct Vigil {
    /// Locked after so long without use; `None`: only when told to.
    after_ms: Option<u64>,
    used_ms: u64,
    cost: Cost,
    /// Since when the audit trail has grown beyond its last witness.
    pub(crate) unwitnessed_ms: Option<u64>,
}

impl Vigil {
    pub(crate) fn new(mono_ms: u64) -> Self {
        Self {
            after_ms: None,
            used_ms: mono_ms,
            cost: COST,
            unwitnessed_ms: None,
        }
    }
}

/// The local fact that keeps a book's door while the book is locked: public, so that it may lie open.
pub(crate) fn door_fact(book: &Scope) -> String {
    format!("door/{}", data_encoding::HEXLOWER.encode(&book.to_bytes()))
}

impl Office {
    /// Locks by itself after so long without use, where there is a passphrase.
    pub fn lock_after(&mut self, now: Now, ms: Option<u64>) {
        self.vigil.after_ms = ms;
        self.vigil.used_ms = now.mono_ms;
    }

    /// What a try costs from the next `passphrase set` on; [`COST`] unless a test says otherwise.
    pub fn cost_of_tries(&mut self, cost: Cost) {
        self.vigil.cost = cost;
    }

    /// Whether personal values can be opened only after `unlock`.
    pub fn is_locked(&self) -> bool {
        self.me.is_locked()
    }

    /// Somebody is at work: the time without use begins anew. What screens ask for by themselves is no use.
    pub(crate) fn note_use(&mut self, now: Now, command: &Command) {
        let by_itself = matches!(
            command,
            Command::Status
                | Command::Rooms
                | Command::MemberList
                | Command::UserList
                | Command::Today
                | Command::ErrandList(_)
                | Command::Matters
                | Command::CaseList(_)
                | Command::ConflictList
                | Command::QuarantineList
                | Command::Work(
                    Work::Inbox(_)
                        | Work::DocRegister(_)
                        | Work::Conflicts(_)
                        | Work::Quarantine(_)
                        | Work::Waiting(_)
                        | Work::FollowUps(_)
                )
                | Command::Verify
                | Command::Reindex
                | Command::AuditList(_)
        );
        if !by_itself {
            self.vigil.used_ms = now.mono_ms;
        }
    }

    /// When the office locks by itself, monotonic milliseconds.
    pub(crate) fn locks_at_ms(&self) -> Option<u64> {
        let open = self.me.has_passphrase() && !self.me.is_locked();
        Some(self.vigil.used_ms.saturating_add(self.vigil.after_ms.filter(|_| open)?))
    }

    /// Locks if the time has come.
    pub(crate) fn lock_if_idle(&mut self, now: Now) {
        if self.locks_at_ms().is_some_and(|at| now.mono_ms >= at) {
            self.wipe_keys();
            // A disk that takes no word of it must not keep the keys open.
            let _ = self.audit(now, Note::new(Act::LockIdle));
        }
    }

    /// Lets go of every key that opens personal values: their memory is overwritten as it is freed.
    fn wipe_keys(&mut self) {
        self.me.lock();
        self.finder.forget();
        self.refold();
    }

    /// `passphrase set`: the first one, or another one.
    ///
    /// # Errors
    /// A weak one; a wrong or missing old one.
    pub(crate) fn passphrase_set(&mut self, now: Now, args: &PassphraseSet) -> Result<Json, CommandError> {
        if self.me.has_passphrase() && args.old.is_none() {
            return Err(texts::old_passphrase_needed());
        }
        if !is_strong(&args.passphrase) {
            return Err(texts::weak_passphrase());
        }
        let fresh = (self.seeds.bytes(), self.vigil.cost);
        let changed = self.me.has_passphrase();
        let done = self
            .me
            .set_passphrase(self.store.disk(), now, args.old.as_ref(), &args.passphrase, fresh);
        if let Err(error) = done {
            self.audit_now(now, Note::new(Act::PassphraseFailed).by(args.user))?;
            return Err(refused(&error));
        }
        self.audit(now, Note::new(Act::PassphraseSet).by(args.user))?;
        self.refold();
        self.keep_doors()?;
        self.commit_or_fail(now)?;
        Ok(json!({"set": true, "changed": changed, "locked": false, "message": texts::passphrase_set(changed)}))
    }

    /// `unlock`.
    ///
    /// # Errors
    /// No passphrase, a wrong one, or too many wrong ones before.
    pub(crate) fn unlock(&mut self, now: Now, args: &Unlock) -> Result<Json, CommandError> {
        if let Err(error) = self.me.unlock(self.store.disk(), now, &args.passphrase) {
            if self.me.has_passphrase() {
                self.audit_now(now, Note::new(Act::UnlockFailed).by(args.user))?;
            }
            return Err(refused(&error));
        }
        if let Err(error) = self.audit_now(now, Note::new(Act::Unlock).by(args.user)) {
            self.me.lock();
            return Err(error);
        }
        self.finder.forget();
        self.refold();
        self.keep_doors()?;
        self.commit_or_fail(now)?;
        self.due.duties = true;
        self.due.keys = true;
        Ok(json!({"locked": false, "message": texts::UNLOCKED}))
    }

    /// `lock`.
    ///
    /// # Errors
    /// Where there is no passphrase to get in again.
    pub(crate) fn lock(&mut self, now: Now) -> Result<Json, CommandError> {
        if !self.me.has_passphrase() {
            return Err(texts::no_passphrase());
        }
        self.wipe_keys();
        self.audit_now(now, Note::new(Act::Lock))?;
        Ok(json!({"locked": true, "message": texts::LOCKED_NOW}))
    }

    /// Keeps the doors of the books we record in, for the time behind the lock. Where nothing can be locked none are needed.
    pub(crate) fn keep_doors(&mut self) -> Result<(), StoreError> {
        if !self.me.has_passphrase() || self.me.is_locked() {
            return Ok(());
        }
        let Some(book) = self.unit().map(Scope::book) else {
            return Ok(());
        };
        debug_assert_eq!(book.kind, ScopeKind::Book);
        let (name, door) = (door_fact(&book), self.keys.door(&book));
        if let Some(door) = door
            && self.store.fact(&name) != Some(door.as_slice())
        {
            self.store.stage_fact(&name, Some(&door))?;
        }
        Ok(())
    }

    /// For `status`.
    pub(crate) fn passphrase_row(&self) -> Json {
        let (set, locked) = (self.me.has_passphrase(), self.me.is_locked());
        json!({
            "set": set,
            "locked": locked,
            "lock_after_minutes": self.vigil.after_ms.filter(|_| set).map(|ms| ms / 60_000),
            "message": texts::passphrase_state(set, locked),
        })
    }
}

fn refused(error: &UnlockError) -> CommandError {
    match error {
        UnlockError::NoPassphrase => texts::no_passphrase(),
        UnlockError::Wrong { wrong, wait_ms } => texts::wrong_passphrase(*wrong, *wait_ms),
        UnlockError::Wait { left_ms } => texts::wait_for_passphrase(*left_ms),
        UnlockError::Disk(_) | UnlockError::Cost => texts::store_failed(error),
    }
}
