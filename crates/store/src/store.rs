//! A store: durable logs, receipts, facts and record keys.

mod commit;
mod facts;
mod open;
mod read;
mod repair;
mod rows;
mod stage;
mod stranded;
mod tail;
#[cfg(test)]
mod tests;
mod trail;
mod verify;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use ledger::id::{DeviceId, Hash, RecordId, Scope};
use replica::entry::LogId;
use replica::logs::Logs;
use replica::receipt::Receipts;

use crate::disk::Disk;
use crate::journal::{FrameAt, Journal};
use crate::kv::{Kv, KvPlace};
use crate::trail::{Trail, TrailTip};
use crate::types::{Health, Position, Progress, Stats, StoreError};
use crate::vault::{Key, Vault};
use rows::{Dead, Hole};
use stage::Draft;
use stranded::Waiting;

/// Kept back for statements, receipts and drafts on a full disk.
const RESERVE_BYTES: u64 = 64 * 1024 * 1024;
const RESERVE: &str = "reserve";

/// Durable logs, receipts, facts and keys of one device, on one disk. One thread uses it; nothing staged is seen before its commit.
pub struct Store {
    disk: Box<dyn Disk>,
    place: Box<dyn KvPlace>,
    kv: Box<dyn Kv>,
    journal: Journal,
    vault: Vault,
    trail: Trail,
    logs: Logs,
    /// Short numbers of logs in the index's keys.
    numbers: BTreeMap<LogId, u32>,
    receipts: Receipts,
    facts: BTreeMap<String, Vec<u8>>,
    /// Whether the facts have changed since they were last journalled together.
    facts_moved: Moved,
    /// Runs in the journal that lie in no branch: they wait for a hole before them to be filled, or stand elsewhere too.
    dead: BTreeMap<Position, Dead>,
    /// Of the logs that dead runs were looked through for: those that may still join, by the number of the entry before them and
    /// their place, with their length. Made anew when needed.
    orphans: BTreeMap<LogId, BTreeMap<(u64, Position), u32>>,
    holes: BTreeMap<Position, Hole>,
    /// Whether what waits of one device in one book has been said again.
    waiting: RefCell<BTreeMap<(Scope, DeviceId), Waiting>>,
    trusted: Position,
    /// The last one in the journal; differs from `trusted` after a rebuild.
    journalled_trust: Position,
    /// The head after which the trusted position was last written.
    trusted_at: Position,
    draft: Draft,
    health: Health,
    /// Bytes written since the free space was last looked at.
    unchecked: u64,
    /// Frames that reads found damaged, for [`Store::repair`].
    met: RefCell<BTreeSet<Position>>,
    doubts: Cell<u64>,
    /// Keys whose slots were found rotted by this process.
    rotted: RefCell<BTreeMap<(Scope, RecordId), Told>>,
    hashes: RefCell<VecDeque<(FrameAt, Arc<Vec<Hash>>)>>,
    scrubbed: Position,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Yes,
    No,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Moved {
    Yes,
    No,
}

impl Store {
    /// The disk itself, for the device's own small files beside the journal.
    pub fn disk(&mut self) -> &mut dyn Disk {
        &mut *self.disk
    }

    /// What is durable of all logs. Staged runs are not in it.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// The durable receipts and withdrawals.
    pub fn receipts(&self) -> &Receipts {
        &self.receipts
    }

    /// A durable local fact.
    pub fn fact(&self, key: &str) -> Option<&[u8]> {
        self.facts.get(key).map(Vec::as_slice)
    }

    /// Durable facts whose keys begin with `prefix`, in order.
    pub fn facts(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        self.facts
            .range(prefix.to_owned()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// The wrapped key of a record; `None` when it is not held, was erased or cannot be read. Staged keys are seen.
    pub fn key(&self, scope: Scope, record: &RecordId) -> Option<[u8; 48]> {
        self.read_key(scope, record).ok().flatten()
    }

    /// As [`Store::key`]. What is found rotted is told once by [`Store::keys_rotted`].
    ///
    /// # Errors
    /// When the disk cannot read just now: that is no missing key.
    pub fn read_key(&self, scope: Scope, record: &RecordId) -> Result<Option<[u8; 48]>, StoreError> {
        Ok(match self.vault.key(&*self.disk, scope, record)? {
            Key::Held(wrapped) => Some(wrapped),
            Key::None => None,
            Key::Damaged => {
                self.rotted.borrow_mut().entry((scope, *record)).or_insert(Told::No);
                None
            }
        })
    }

    /// The records whose keys are durable here: spares too, erased ones not. Slots that have rotted since the opening are among them.
    pub fn keys(&self) -> impl Iterator<Item = (Scope, RecordId)> + '_ {
        self.vault.held()
    }

    /// Keys that reads have found rotted since the last call, each told once: they are to be asked of peers.
    pub fn keys_rotted(&mut self) -> Vec<(Scope, RecordId)> {
        let mut rotted = self.rotted.borrow_mut();
        let new = rotted.iter_mut().filter(|(_, told)| **told == Told::No);
        new.map(|(key, told)| {
            *told = Told::Yes;
            *key
        })
        .collect()
    }

    /// Whether the record's key was destroyed for ever.
    pub fn is_erased(&self, scope: Scope, record: &RecordId) -> bool {
        self.vault.is_erased(scope, record)
    }

    /// Takes one spare key: durable, and never given out again, not even after a restart or in a copy of the folder (spares are
    /// known to the process that made them only). If it has rotted where it lay, it is staged again, for the next commit.
    pub fn spare(&mut self, scope: Scope) -> Option<(RecordId, [u8; 48])> {
        self.vault.spare(&*self.disk, scope)
    }

    /// How many spare keys are left.
    pub fn spares(&self, scope: Scope) -> usize {
        self.vault.spares(scope)
    }

    /// The index, for the office's rows: keys from [`crate::kv::OFFICE_KEYS_FROM`] on. They are
    /// gone after a rebuild, but for those that begin with [`crate::kv::KEPT_KEYS`].
    pub fn kv(&self) -> &dyn Kv {
        &*self.kv
    }

    /// Behind the last durable frame.
    pub fn head(&self) -> Position {
        self.journal.head()
    }

    /// Up to here all rows were durable when the store was opened, or since: rows derived from later frames may be missing.
    pub fn trusted(&self) -> Position {
        self.trusted
    }

    /// Whether the store takes more.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// How much is held.
    pub fn stats(&self) -> Stats {
        Stats {
            entries: self.logs.scopes().map(|scope| self.logs.entries(scope)).sum(),
            bytes: self.journal.bytes(),
            vault_keys: self.vault.keys(),
            damaged: self.holes.len() as u64,
        }
    }

    /// Free bytes of the disk, where it can tell; the space kept back is not counted.
    pub fn free_bytes(&self) -> Option<u64> {
        self.disk.free_bytes().ok()
    }

    /// How many bytes the disk holds in all, where it can tell.
    pub fn total_bytes(&self) -> Option<u64> {
        self.disk.total_bytes().ok()
    }

    /// The disk, for the few small files that lie beside the journal (identities). Names must not begin with `journal-`, `vault`,
    /// `reserve` or `lock`.
    pub fn disk_mut(&mut self) -> &mut dyn Disk {
        &mut *self.disk
    }

    /// Makes the index anew from the journal; the office's rows that follow from it are gone, and [`Store::trusted`] is the start.
    pub fn rebuild(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), StoreError> {
        self.check_poison()?;
        self.abandon();
        self.rebuild_index(progress)
    }

    fn check_poison(&self) -> Result<(), StoreError> {
        match &self.health {
            Health::Poisoned(why) => Err(StoreError::Poisoned(why.clone())),
            _ => Ok(()),
        }
    }

    fn poison(&mut self, error: StoreError) -> StoreError {
        self.health = Health::Poisoned(error.to_string());
        error
    }
}
