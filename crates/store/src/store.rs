//! A store: durable logs, receipts, facts and record keys.

use ed25519_dalek::SigningKey;
use ledger::id::Hash;
use ledger::id::{RecordId, Scope};
use replica::entry::{Entry, LogId, Tip};
use replica::logs::{Hashes, Logs, Spot};
use replica::receipt::{Receipt, Receipts, Withdrawal};
use replica::run::{Run, VerifiedRun};

use crate::disk::Disk;
use crate::kv::{Kv, KvPlace};
use crate::types::*;

pub struct Store {}

#[allow(unused_variables, clippy::todo)]
impl Store {
    pub fn open(
        disk: Box<dyn Disk>,
        place: Box<dyn KvPlace>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Store, Opened), StoreError> {
        todo!()
    }
    pub fn stage_run(&mut self, run: &VerifiedRun) -> Result<Staged, StageRefusal> {
        todo!()
    }
    /// Appends to the own log and signs; several runs when the entries exceed a checkpoint's distance.
    pub fn stage_local(
        &mut self,
        key: &SigningKey,
        scope: Scope,
        epoch: u64,
        entries: Vec<Entry>,
    ) -> Result<Tip, StoreError> {
        todo!()
    }
    pub fn stage_receipt(&mut self, receipt: &Receipt) -> Result<(), StoreError> {
        todo!()
    }
    pub fn stage_withdrawal(&mut self, withdrawal: &Withdrawal) -> Result<(), StoreError> {
        todo!()
    }
    pub fn stage_fact(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), StoreError> {
        todo!()
    }
    pub fn stage_key(&mut self, scope: Scope, record: RecordId, wrapped: &[u8; 48]) -> Result<KeyStaged, StoreError> {
        todo!()
    }
    /// As `stage_key`, but over a key that differs: for a caller who has proved that this one opens.
    pub fn replace_key(&mut self, scope: Scope, record: RecordId, wrapped: &[u8; 48]) -> Result<KeyStaged, StoreError> {
        todo!()
    }
    /// Staged like a key; permanent.
    pub fn erase_key(&mut self, scope: Scope, record: RecordId) -> Result<(), StoreError> {
        todo!()
    }
    pub fn is_erased(&self, scope: Scope, record: &RecordId) -> bool {
        todo!()
    }
    pub fn key(&self, scope: Scope, record: &RecordId) -> Option<[u8; 48]> {
        todo!()
    }
    /// Keys made ahead for records to come; staged and committed like others, so that recording needs one sync.
    pub fn add_spares(&mut self, scope: Scope, spares: &[(RecordId, [u8; 48])]) -> Result<(), StoreError> {
        todo!()
    }
    /// Takes one spare: it is marked used in the commit that follows, and never given out again.
    pub fn spare(&mut self, scope: Scope) -> Option<(RecordId, [u8; 48])> {
        todo!()
    }
    pub fn spares(&self, scope: Scope) -> usize {
        todo!()
    }
    pub fn commit(&mut self) -> Result<Committed, StoreError> {
        todo!()
    }
    /// Drops everything staged.
    pub fn abandon(&mut self) {
        todo!()
    }
    pub fn logs(&self) -> &Logs {
        todo!()
    }
    pub fn receipts(&self) -> &Receipts {
        todo!()
    }
    pub fn fact(&self, key: &str) -> Option<&[u8]> {
        todo!()
    }
    /// Facts whose keys begin with `prefix`.
    pub fn facts(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        todo!()
    }
    pub fn read(
        &self,
        log: &LogId,
        after: Tip,
        to: Tip,
        bytes_max: usize,
        merge: Merge,
    ) -> Result<Vec<Run>, StoreError> {
        todo!()
    }
    /// Damage met by `read`, `hash` or `body` since last asked; call [`Store::repair`] when there is any.
    pub fn repair(&mut self) -> Result<Vec<Damage>, StoreError> {
        todo!()
    }
    pub fn frames_after(&self, after: Position, max: usize) -> Result<Vec<(Position, JournalFrame)>, StoreError> {
        todo!()
    }
    pub fn head(&self) -> Position {
        todo!()
    }
    pub fn body(&self, at: EntryAt) -> Result<Vec<u8>, StoreError> {
        todo!()
    }
    pub fn kv(&self) -> &dyn Kv {
        todo!()
    }
    pub fn trust(&mut self, applied: Position) -> Result<(), StoreError> {
        todo!()
    }
    pub fn trusted(&self) -> Position {
        todo!()
    }
    pub fn rebuild(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), StoreError> {
        todo!()
    }
    pub fn verify(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<Verified, StoreError> {
        todo!()
    }
    /// Reads on in the journal, at most `budget` bytes, and reports what it finds damaged.
    pub fn scrub(&mut self, budget: u64) -> Result<Vec<Damage>, StoreError> {
        todo!()
    }
    pub fn health(&self) -> Health {
        todo!()
    }
    pub fn stats(&self) -> Stats {
        todo!()
    }
    pub fn free_bytes(&self) -> Option<u64> {
        todo!()
    }
}

#[allow(unused_variables, clippy::todo)]
impl Hashes for Store {
    fn hash(&self, log: &LogId, spot: Spot) -> Option<Hash> {
        todo!()
    }
}
