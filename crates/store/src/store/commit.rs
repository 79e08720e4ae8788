//! Committing: vault, journal, then the index and the logs in RAM.

use replica::receipt::Accepted;

use super::facts::encode_facts;
use super::stage::{Bulk, Draft, DraftAt};
use super::{Moved, RESERVE, RESERVE_BYTES, Store, rows};
use crate::journal::{self, AppendError, FrameAt, Pending, failed};
use crate::kv::Batch;
use crate::types::{Committed, Health, Position, ReadOnlyReason, StoreError};
use crate::vault::Written;

/// The index writes ahead in pieces of this order, and must never meet a full disk.
const FREE_BYTES_MIN: u64 = 32 * 1024 * 1024;
/// The free space is looked at after so many bytes.
const CHECK_BYTES: u64 = 1024 * 1024;

impl Store {
    /// Makes everything staged durable: one write and one `fdatasync` of the journal, before it one of the vault if keys were staged.
    /// On an error nothing staged remains. `ReadOnly`: the disk is full, try again with less. Any other error: nothing is known, the
    /// store takes no more until it is opened again.
    pub fn commit(&mut self) -> Result<Committed, StoreError> {
        self.check_poison()?;
        if !self.has_staged() {
            return Ok(Committed::default());
        }
        let draft = std::mem::take(&mut self.draft);
        let outcome = self.commit_draft(draft);
        if outcome.is_err() {
            self.abandon();
        }
        outcome
    }

    fn commit_draft(&mut self, draft: Draft) -> Result<Committed, StoreError> {
        let space = match draft.bulk == Bulk::No && self.vault.only_erasures() {
            true => SpaceFor::Essentials,
            false => SpaceFor::Bulk,
        };
        if space == SpaceFor::Bulk && self.unchecked >= CHECK_BYTES {
            self.check_space();
            if let Health::ReadOnly(reason) = self.health {
                return Err(StoreError::ReadOnly(reason));
            }
        }
        self.write_vault(space)?;
        if draft.frames.is_empty() {
            return Ok(Committed::default());
        }
        let places = self.write(&draft.frames, space)?;
        Ok(self.take_in(draft, &places))
    }

    /// Writes and syncs keys; a full disk gives the space kept back to erasures.
    fn write_vault(&mut self, space: SpaceFor) -> Result<(), StoreError> {
        let mut written = self.vault.commit(&mut *self.disk);
        if matches!(written, Ok(Written::Full)) {
            let full = self.disk_full();
            if space == SpaceFor::Bulk {
                return Err(full);
            }
            written = self.vault.commit(&mut *self.disk);
        }
        match written {
            Ok(Written::All) => Ok(()),
            Ok(Written::Full) => Err(StoreError::ReadOnly(ReadOnlyReason::DiskFull)),
            Err(error) => Err(self.poison(failed("writing the vault")(error))),
        }
    }

    /// Writes and syncs frames; a full disk gives the space kept back to essentials.
    fn write(&mut self, frames: &Pending, space: SpaceFor) -> Result<Vec<FrameAt>, StoreError> {
        let mut written = self.journal.append(&mut *self.disk, frames, self.journalled_trust);
        if matches!(written, Err(AppendError::Full)) {
            let full = self.disk_full();
            if space == SpaceFor::Bulk {
                return Err(full);
            }
            written = self.journal.append(&mut *self.disk, frames, self.journalled_trust);
        }
        match written {
            Ok(places) => {
                self.unchecked += places.iter().map(|place| u64::from(place.len)).sum::<u64>();
                Ok(places)
            }
            Err(AppendError::Full) => Err(StoreError::ReadOnly(ReadOnlyReason::DiskFull)),
            Err(AppendError::Unknown(error)) => Err(self.poison(error)),
        }
    }

    /// Turns read-only and gives the reserve to what must still be taken.
    pub(super) fn disk_full(&mut self) -> StoreError {
        self.health = Health::ReadOnly(ReadOnlyReason::DiskFull);
        // Failing to free it only means that essentials may be refused too.
        let _ = self.disk.remove(RESERVE).and_then(|()| self.disk.sync_dir());
        StoreError::ReadOnly(ReadOnlyReason::DiskFull)
    }

    /// Looks at the free space: read-only below the least, writable again when there is plenty.
    pub(super) fn check_space(&mut self) {
        self.unchecked = 0;
        let Ok(free) = self.disk.free_bytes() else { return };
        match self.health {
            Health::Writable if free < FREE_BYTES_MIN => {
                self.disk_full();
            }
            Health::ReadOnly(_) => {
                let kept = matches!(self.disk.len(RESERVE), Ok(Some(_)));
                let needed = 2 * FREE_BYTES_MIN + if kept { 0 } else { RESERVE_BYTES };
                if free >= needed && (kept || self.disk.reserve(RESERVE, RESERVE_BYTES).is_ok()) {
                    self.health = Health::Writable;
                }
            }
            _ => {}
        }
    }

    /// What is durable now is taken into the logs, the receipts and the index. An index that fails here loses nothing: the store asks
    /// to be opened again, and the index is made anew then.
    fn take_in(&mut self, draft: Draft, places: &[FrameAt]) -> Committed {
        let mut rows = Batch::default();
        let mut done = Committed {
            frames: draft.frames.len() as u64,
            bytes: places.iter().map(|place| u64::from(place.len)).sum(),
            ..Committed::default()
        };
        for run in &draft.runs {
            self.logs.attach(&run.log, &run.attach);
            done.entries += run.hashes.len() as u64;
            done.scopes.insert(run.log.scope);
        }
        self.put_runs(&draft, places, &mut rows);
        for receipt in draft.receipts {
            let key = rows::receipt_key(&receipt.hub, receipt.store, receipt.scope);
            let value = receipt.encode();
            if self.receipts.accept(receipt) == Accepted::New {
                rows.put(key, value);
                done.receipts += 1;
            }
        }
        for withdrawal in draft.withdrawals {
            let key = rows::withdrawal_key(&withdrawal.hub, withdrawal.store);
            let value = withdrawal.encode();
            if self.receipts.withdraw(withdrawal) == Accepted::New {
                rows.put(key, value);
                done.receipts += 1;
            }
        }
        for (key, value) in draft.facts {
            self.put_fact(key, value, &mut rows);
        }
        done.adopted = draft.adopted;
        rows.put(rows::HEAD, rows::head_value(self.journal.head(), self.journal.chain()));
        if let Err(error) = self.kv.write(rows) {
            self.poison(error.into());
        }
        done
    }

    pub(super) fn put_fact(&mut self, key: String, value: Option<Vec<u8>>, rows: &mut Batch) {
        self.facts_moved = Moved::Yes;
        match value {
            Some(value) => {
                rows.put(rows::fact_key(&key), value.clone());
                self.facts.insert(key, value);
            }
            None => {
                rows.delete(rows::fact_key(&key));
                self.facts.remove(&key);
            }
        }
    }

    /// Rows of runs whose entries the logs in RAM hold already.
    pub(super) fn put_runs(&mut self, draft: &Draft, places: &[FrameAt], rows: &mut Batch) {
        for run in &draft.runs {
            let place = match run.at {
                DraftAt::Frame(number) => places[number],
                DraftAt::Journal(place) => place,
            };
            let number = self.number(&run.log);
            let key = rows::span_key(number, run.attach.branch, run.attach.to.seq);
            rows.put(key, rows::span_value(run.first(), place));
        }
        for log in &draft.touched {
            let number = self.number(log);
            if let Some(state) = self.logs.encode_log(log) {
                rows.put(rows::log_key(log), rows::log_value(number, &state));
            }
        }
    }

    pub(super) fn number(&mut self, log: &replica::entry::LogId) -> u32 {
        let next = self.numbers.len() as u32;
        *self.numbers.entry(*log).or_insert(next)
    }

    /// Says that rows derived from all frames before `applied` are written: they are made durable, and the next opening replays from
    /// there. Does nothing when nothing was committed since.
    pub fn trust(&mut self, applied: Position) -> Result<(), StoreError> {
        self.check_poison()?;
        let applied = applied.min(self.journal.head());
        if self.journal.head() == self.trusted_at || applied <= self.trusted {
            return Ok(());
        }
        let mut rows = Batch::default();
        rows.put(rows::HEAD, rows::head_value(self.journal.head(), self.journal.chain()));
        self.kv.write(rows).and_then(|()| self.kv.sync())?;
        let mut frames = Pending::default();
        frames.push(journal::TRUST, applied.to_bytes().to_vec());
        if self.facts_moved == Moved::Yes {
            self.push_facts(&mut frames);
        }
        self.write(&frames, SpaceFor::Essentials)?;
        self.trusted = applied;
        self.journalled_trust = applied;
        self.trusted_at = self.journal.head();
        self.facts_moved = Moved::No;
        // If this is lost in a power cut, the next opening replays more than it must.
        let mut rows = Batch::default();
        rows.delete(rows::REBUILT);
        self.kv.write(rows)?;
        Ok(())
    }

    fn push_facts(&self, frames: &mut Pending) {
        let body = encode_facts(&self.facts);
        if body.len() <= journal::FRAME_BODY_MAX {
            frames.push(journal::FACTS, body);
        }
    }

    /// Journals all facts together, so that they stand behind any damage.
    pub(super) fn write_facts(&mut self) -> Result<(), StoreError> {
        let mut frames = Pending::default();
        self.push_facts(&mut frames);
        if frames.is_empty() {
            return Ok(());
        }
        self.write(&frames, SpaceFor::Essentials)?;
        self.facts_moved = Moved::No;
        Ok(())
    }
}

/// Whether a full disk still takes it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SpaceFor {
    Essentials,
    Bulk,
}
