//! Runs of one's own that lie behind a hole which nobody fills: they can be read, and count no more, because nothing shows any longer
//! what they followed. Their author alone can say again what they held; see the office's `salvage`.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{DeviceId, Hash, Scope, ScopeKind};
use replica::entry::{Entry, KIND_DAY, KIND_RECORD, LogId, Tip};
use replica::logs::Place;
use replica::run::VerifiedRun;
use sha2::{Digest, Sha256};

use super::Store;
use super::stage::Overlay;
use crate::journal::FrameAt;
use crate::types::{Merge, Position, StoreError};

/// Bytes read at once of held logs.
const READ_BYTES: usize = 1024 * 1024;

/// What was found of one device's runs that wait in a book, and under which circumstances.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    tips: Vec<Tip>,
    runs: usize,
    all_said: bool,
}

impl Store {
    /// Whether runs of a device's own books may be stranded: cheap, and sure only when it says no.
    pub fn may_strand(&self, device: &DeviceId) -> bool {
        let own = |log: &replica::entry::LogId| log.device == *device && log.scope.kind == ScopeKind::Book;
        self.dead.values().any(|dead| own(&dead.log))
    }

    /// The runs of a device's own books that wait behind a hole, by log and number. Each is proved by what still can prove it: the
    /// frame's checksum, the chain within the run, the device's signature at its end, which names the place before the run as well.
    ///
    /// # Errors
    /// `Damaged` while the disk cannot read where no damage is known: what would be left out then may be readable later.
    pub fn stranded(&self, device: &DeviceId) -> Result<Vec<VerifiedRun>, StoreError> {
        let doubts = self.doubts();
        let mut stranded = Vec::new();
        for (at, dead) in &self.dead {
            if dead.log.device != *device || dead.log.scope.kind != ScopeKind::Book {
                continue;
            }
            let place = FrameAt { at: *at, len: dead.len };
            let Ok(run) = self.load_surely(place) else { continue };
            if !matches!(self.logs.place(&run, &Overlay(self)), Place::Gap { .. }) {
                continue;
            }
            stranded.extend(run.run().clone().verify());
        }
        if self.doubts() != doubts {
            return Err(StoreError::Damaged { at: Position::START });
        }
        stranded.sort_by_key(|run| (*run.log(), run.run().prev));
        Ok(stranded)
    }

    /// Whether an entry is one that its author says again: of a record, or a day's closing.
    pub fn is_said_again(entry: &Entry) -> bool {
        matches!(entry.kind, KIND_RECORD | KIND_DAY)
    }

    /// Leaves those of `entries` whose bodies no log of the device in that scope holds, each once.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn leave_unsaid(&self, device: &DeviceId, scope: Scope, entries: &mut Vec<Entry>) -> Result<(), StoreError> {
        let mut unsaid: BTreeSet<Hash> = entries.iter().map(named).collect();
        for log in self.logs.logs(scope).filter(|log| log.device == *device) {
            for tip in self.logs.tips(&log) {
                let mut at = Tip::START;
                while at != *tip && !unsaid.is_empty() {
                    let runs = self.read(&log, at, *tip, READ_BYTES, Merge::Checkpoints)?;
                    let Some(last) = runs.last() else { break };
                    at = last.clone().from_own_journal().tip();
                    for entry in runs.iter().flat_map(|run| &run.entries) {
                        unsaid.remove(&named(entry));
                    }
                }
            }
        }
        entries.retain(|entry| unsaid.remove(&named(entry)));
        Ok(())
    }

    /// Whether a run waits behind a hole and its author has not said again what it holds.
    pub(super) fn any_waits(&self) -> bool {
        let mut waiting: BTreeMap<(Scope, DeviceId), Vec<VerifiedRun>> = BTreeMap::new();
        for (at, dead) in &self.dead {
            let Ok(run) = self.load(FrameAt { at: *at, len: dead.len }) else {
                continue;
            };
            if matches!(self.logs.place(&run, &Overlay(self)), Place::Held) {
                continue;
            }
            let LogId { scope, device, .. } = dead.log;
            if scope.kind == ScopeKind::Public {
                return true;
            }
            waiting.entry((scope, device)).or_default().push(run);
        }
        self.waiting.borrow_mut().retain(|of, _| waiting.contains_key(of));
        waiting
            .into_iter()
            .any(|((scope, device), runs)| !self.all_said(scope, device, &runs))
    }

    /// Looked up again only when the device's logs have moved: screens ask every few seconds.
    fn all_said(&self, scope: Scope, device: DeviceId, runs: &[VerifiedRun]) -> bool {
        let own = self.logs.logs(scope).filter(|log| log.device == device);
        let tips: Vec<Tip> = own.flat_map(|log| self.logs.tips(&log)).copied().collect();
        if let Some(known) = self.waiting.borrow().get(&(scope, device))
            && (known.runs, &known.tips) == (runs.len(), &tips)
        {
            return known.all_said;
        }
        let entries = runs.iter().flat_map(|run| &run.run().entries);
        let mut unsaid: Vec<Entry> = entries.filter(|entry| Self::is_said_again(entry)).cloned().collect();
        let all_said = self.leave_unsaid(&device, scope, &mut unsaid).is_ok() && unsaid.is_empty();
        let runs = runs.len();
        let found = Waiting { tips, runs, all_said };
        self.waiting.borrow_mut().insert((scope, device), found);
        all_said
    }
}

/// What an entry says, wherever it stands.
fn named(entry: &Entry) -> Hash {
    let mut hash = Sha256::new();
    hash.update([entry.kind]);
    hash.update(&entry.body);
    Hash(hash.finalize().into())
}
