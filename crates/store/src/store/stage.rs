//! Staging: what the next commit will make durable.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use ledger::id::{DeviceId, Hash, RecordId, Scope, ScopeKind};
use replica::entry::{Entry, LogId, Tip};
use replica::limits::{BRANCHES_MAX, VECTOR_TIPS_MAX};
use replica::logs::{Attach, Hashes, Logs, Place, Spot};
use replica::receipt::{Receipt, Withdrawal};
use replica::run::{CHECKPOINT_BYTES_MAX, RUN_ENTRIES_MAX, Run, VerifiedRun, sign};

use super::Store;
use super::facts::{encode_fact, encode_facts};
use crate::journal::{self, FRAME_BODY_MAX, FrameAt, Pending};
use crate::types::{Health, KeyStaged, Position, StageRefusal, Staged, StoreError};

/// Frames to come, and what the logs will be with them. Dropped whole when a commit fails.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) frames: Pending,
    /// Logs that are touched, as they will be.
    logs: Logs,
    pub(super) touched: BTreeSet<LogId>,
    /// Logs of which runs that lay behind a hole are journalled anew.
    pub(super) adopted: BTreeSet<LogId>,
    pub(super) runs: Vec<DraftRun>,
    /// (log, branch, last seq) → number in `runs`.
    spots: BTreeMap<(LogId, u32, u64), usize>,
    pub(super) receipts: Vec<Receipt>,
    pub(super) withdrawals: Vec<Withdrawal>,
    pub(super) facts: BTreeMap<String, Option<Vec<u8>>>,
    /// Whether there is anything that a full disk does not take.
    pub(super) bulk: Bulk,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Bulk {
    Yes,
    #[default]
    No,
}

/// A run in the journal, or on its way there, whose index row is not written yet.
pub(super) struct DraftRun {
    pub(super) log: LogId,
    pub(super) attach: Attach,
    pub(super) hashes: Vec<Hash>,
    pub(super) at: DraftAt,
}

#[derive(Clone, Copy)]
pub(super) enum DraftAt {
    /// The number of the frame in the commit to come.
    Frame(usize),
    Journal(FrameAt),
}

impl DraftRun {
    pub(super) fn first(&self) -> u64 {
        self.attach.after.seq + 1
    }
}

impl Draft {
    /// Keeps a run for hash lookups until its row is written. Its hashes begin with the first new entry.
    pub(super) fn keep(&mut self, run: DraftRun) {
        let key = (run.log, run.attach.branch, run.attach.to.seq);
        self.spots.insert(key, self.runs.len());
        self.runs.push(run);
    }

    /// Whether a run kept here holds the entry.
    pub(super) fn has(&self, log: &LogId, spot: Spot) -> bool {
        self.run_at(log, spot).is_some_and(|run| run.first() <= spot.seq)
    }

    fn run_at(&self, log: &LogId, spot: Spot) -> Option<&DraftRun> {
        let from = (*log, spot.branch, spot.seq);
        let until = (*log, spot.branch, u64::MAX);
        let (_, at) = self.spots.range(from..=until).next()?;
        Some(&self.runs[*at])
    }

    fn hash(&self, log: &LogId, spot: Spot) -> Option<Hash> {
        let run = self.run_at(log, spot)?;
        let index = spot.seq.checked_sub(run.first())?;
        run.hashes.get(usize::try_from(index).ok()?).copied()
    }

    fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

/// Hashes of durable entries and of those staged.
pub(super) struct Overlay<'a>(pub(super) &'a Store);

impl Hashes for Overlay<'_> {
    fn hash(&self, log: &LogId, spot: Spot) -> Option<Hash> {
        self.0.draft.hash(log, spot).or_else(|| self.0.hash(log, spot))
    }
}

impl Store {
    /// Stages a run. Only the chain is looked at: the type proves the signature, and entitlement is the office's business.
    pub fn stage_run(&mut self, run: &VerifiedRun) -> Result<Staged, StageRefusal> {
        self.admit(bulk_of(run.log().scope))?;
        match self.place_run(run) {
            Place::Held => Ok(Staged::Held),
            Place::Gap { have } => Err(StageRefusal::Gap { have }),
            Place::New(attach) => {
                // Beyond this the index could not keep the log's state; a device that forks so often is suspended long before.
                if attach.branch as usize >= BRANCHES_MAX {
                    return Err(too_many_branches(attach.branch).into());
                }
                let tips = self.staged_tips(run.log());
                if tips.len() >= VECTOR_TIPS_MAX && tips.binary_search(&attach.after).is_err() {
                    return Err(too_many_tips(tips.len()).into());
                }
                let count = (run.hashes().len() - attach.skip) as u64;
                let after = attach.after.seq;
                self.draft_run(run, attach);
                self.adopt(run.log(), after, run.tip().seq);
                Ok(Staged::New(count))
            }
        }
    }

    /// Stages entries of the device's own log (`key` signs), continuing what is held and staged: one run, or several where a
    /// checkpoint is due in between. Answers the log's tip. Entries must not be empty; a log with several tips must not be continued.
    pub fn stage_local(
        &mut self,
        key: &SigningKey,
        scope: Scope,
        epoch: u64,
        entries: Vec<Entry>,
    ) -> Result<Tip, StoreError> {
        assert!(!entries.is_empty(), "nothing to stage");
        self.admit(bulk_of(scope))?;
        let log = LogId {
            scope,
            device: DeviceId(key.verifying_key().to_bytes()),
            epoch,
        };
        let mut tip = self.own_tip(&log);
        for part in checkpointed(entries) {
            let run = sign(key, log, tip, part);
            match self.place_run(&run) {
                Place::New(attach) => self.draft_run(&run, attach),
                placed => unreachable!("the own tip is held: {placed:?}"),
            }
            tip = run.tip();
        }
        Ok(tip)
    }

    fn own_tip(&self, log: &LogId) -> Tip {
        self.staged_tips(log).iter().max().copied().unwrap_or(Tip::START)
    }

    /// The log's tips, staged ones included, sorted.
    fn staged_tips(&self, log: &LogId) -> &[Tip] {
        match self.draft.touched.contains(log) {
            true => self.draft.logs.tips(log),
            false => self.logs.tips(log),
        }
    }

    /// Stages a verified receipt.
    pub fn stage_receipt(&mut self, receipt: &Receipt) -> Result<(), StoreError> {
        self.admit(Bulk::No)?;
        let body = fitting("a receipt", receipt.encode())?;
        self.draft.frames.push(journal::RECEIPT, body);
        self.draft.receipts.push(receipt.clone());
        Ok(())
    }

    /// Stages a verified withdrawal.
    pub fn stage_withdrawal(&mut self, withdrawal: &Withdrawal) -> Result<(), StoreError> {
        self.admit(Bulk::No)?;
        let body = fitting("a withdrawal", withdrawal.encode())?;
        self.draft.frames.push(journal::WITHDRAWAL, body);
        self.draft.withdrawals.push(withdrawal.clone());
        Ok(())
    }

    /// Stages a local fact, never sent to anybody; `None` removes it.
    pub fn stage_fact(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), StoreError> {
        self.admit(Bulk::No)?;
        let body = fitting("a fact", encode_fact(key, value))?;
        self.draft.frames.push(journal::FACT, body);
        self.draft.facts.insert(key.to_owned(), value.map(<[u8]>::to_vec));
        Ok(())
    }

    /// Stages all facts together as they stand with what is staged: a second copy that lies elsewhere, should one of them rot and the
    /// index be gone.
    pub fn stage_facts_together(&mut self) -> Result<(), StoreError> {
        self.admit(Bulk::No)?;
        let mut facts = self.facts.clone();
        for (key, value) in &self.draft.facts {
            match value {
                Some(value) => facts.insert(key.clone(), value.clone()),
                None => facts.remove(key),
            };
        }
        let body = encode_facts(&facts);
        if body.len() <= journal::FRAME_BODY_MAX {
            self.draft.frames.push(journal::FACTS, body);
        }
        Ok(())
    }

    /// Stages a record's wrapped key.
    pub fn stage_key(&mut self, scope: Scope, record: RecordId, wrapped: &[u8; 48]) -> Result<KeyStaged, StoreError> {
        self.admit(Bulk::Yes)?;
        Ok(self.vault.stage(&*self.disk, scope, record, wrapped))
    }

    /// As [`Store::stage_key`], but over a key that differs: for a caller who has proved that this one opens.
    pub fn replace_key(&mut self, scope: Scope, record: RecordId, wrapped: &[u8; 48]) -> Result<KeyStaged, StoreError> {
        self.admit(Bulk::Yes)?;
        Ok(self.vault.replace(&*self.disk, scope, record, wrapped))
    }

    /// Stages the destruction of a record's key. Permanent: it is never taken again.
    pub fn erase_key(&mut self, scope: Scope, record: RecordId) -> Result<(), StoreError> {
        self.admit(Bulk::No)?;
        self.vault.erase(scope, record);
        Ok(())
    }

    /// Stages keys made ahead for records to come, so that recording one needs a single sync. After the commit they are given out
    /// by [`Store::spare`].
    pub fn add_spares(&mut self, scope: Scope, spares: &[(RecordId, [u8; 48])]) -> Result<(), StoreError> {
        self.admit(Bulk::Yes)?;
        self.vault.add_spares(scope, spares);
        Ok(())
    }

    /// Drops everything staged.
    pub fn abandon(&mut self) {
        self.draft = Draft::default();
        self.orphans.clear();
        self.vault.abandon();
    }

    /// Whether anything is staged.
    pub fn has_staged(&self) -> bool {
        !self.draft.is_empty() || self.vault.has_staged()
    }

    pub(super) fn admit(&mut self, bulk: Bulk) -> Result<(), StoreError> {
        self.check_poison()?;
        if let Health::ReadOnly(reason) = self.health
            && bulk == Bulk::Yes
        {
            self.check_space();
            if self.health != Health::Writable {
                return Err(StoreError::ReadOnly(reason));
            }
        }
        if bulk == Bulk::Yes {
            self.draft.bulk = Bulk::Yes;
        }
        Ok(())
    }

    fn place_run(&self, run: &VerifiedRun) -> Place {
        let logs = match self.draft.touched.contains(run.log()) {
            true => &self.draft.logs,
            false => &self.logs,
        };
        logs.place(run, &Overlay(self))
    }

    fn draft_run(&mut self, run: &VerifiedRun, attach: Attach) {
        let log = *run.log();
        if self.draft.touched.insert(log)
            && let Some(state) = self.logs.encode_log(&log)
        {
            let restored = self.draft.logs.restore_log(&log, &state);
            assert!(restored.is_ok(), "a log's own state can be read");
        }
        let frame = self.draft.frames.push(journal::RUN, new_part(run, &attach));
        self.draft.logs.attach(&log, &attach);
        self.draft.keep(DraftRun {
            log,
            hashes: run.hashes()[attach.skip..].to_vec(),
            attach,
            at: DraftAt::Frame(frame),
        });
    }

    /// Runs that lay behind a hole of `log` join it again once the hole is filled, here by entries after `after` up to `to`: they
    /// are journalled anew, so that whoever reads the journal in order meets them in order.
    fn adopt(&mut self, log: &LogId, mut after: u64, mut to: u64) {
        if self.dead.is_empty() {
            return;
        }
        if !self.orphans.contains_key(log) {
            let orphans = self.survey(log);
            self.orphans.insert(*log, orphans);
        }
        // Each is looked at when the place before it is filled, not at every run: behind an early hole there are thousands.
        loop {
            let waiting: Vec<(u64, Position)> = match self.orphans.get(log) {
                Some(orphans) => orphans
                    .range((after, Position::START)..=(to, Position::END))
                    .map(|(key, _)| *key)
                    .collect(),
                None => Vec::new(),
            };
            let mut adopted: Option<(u64, u64)> = None;
            for key in waiting {
                let Some(len) = self.orphans.get(log).and_then(|orphans| orphans.get(&key)).copied() else {
                    continue;
                };
                let run = self.load_surely(FrameAt { at: key.1, len }).ok();
                let placed = run.as_ref().map(|run| self.place_run(run));
                if matches!(placed, Some(Place::Gap { .. })) {
                    continue;
                }
                if let Some(orphans) = self.orphans.get_mut(log) {
                    orphans.remove(&key);
                }
                if let (Some(run), Some(Place::New(attach))) = (&run, placed)
                    && (attach.branch as usize) < BRANCHES_MAX
                {
                    let (first, last) = adopted.unwrap_or((attach.after.seq, attach.to.seq));
                    adopted = Some((first.min(attach.after.seq), last.max(attach.to.seq)));
                    self.draft_run(run, attach);
                    self.draft.adopted.insert(*log);
                }
            }
            match adopted {
                Some((first, last)) => (after, to) = (first, last),
                None => return,
            }
        }
    }

    /// Stages the runs that wait behind a hole no longer. What filled it was met after them in the journal, and what was journalled of
    /// them then may have rotted since. To be called after opening, and after damage was taken in.
    pub fn adopt_waiting(&mut self) {
        let logs: BTreeSet<LogId> = self.dead.values().map(|dead| dead.log).collect();
        for log in logs {
            self.adopt(&log, 0, u64::MAX);
        }
    }

    /// The dead runs of one log that can be read, by the number of the entry before them.
    fn survey(&self, log: &LogId) -> BTreeMap<(u64, Position), u32> {
        let dead = self.dead.iter().filter(|(_, dead)| dead.log == *log);
        dead.filter_map(|(at, dead)| {
            let run = self.load_surely(FrameAt { at: *at, len: dead.len }).ok()?;
            Some(((run.run().prev.seq, *at), dead.len))
        })
        .collect()
    }
}

fn too_many_branches(branch: u32) -> StoreError {
    StoreError::TooLong {
        what: "a log's list of branches",
        len: branch as usize,
    }
}

/// A vector with more of them could be read by nobody, and no peer would compare with us any more.
fn too_many_tips(tips: usize) -> StoreError {
    StoreError::TooLong {
        what: "a log's list of tips",
        len: tips,
    }
}

fn bulk_of(scope: Scope) -> Bulk {
    match scope.kind {
        ScopeKind::Public => Bulk::No,
        ScopeKind::Book => Bulk::Yes,
    }
}

fn fitting(what: &'static str, body: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    if body.len() > FRAME_BODY_MAX {
        return Err(StoreError::TooLong { what, len: body.len() });
    }
    Ok(body)
}

/// The bytes of what is new in a run: its last entries under the same checkpoint.
fn new_part(run: &VerifiedRun, attach: &Attach) -> Vec<u8> {
    let whole = run.run();
    if attach.skip == 0 {
        return whole.encode();
    }
    let part = Run {
        log: whole.log,
        prev: attach.after,
        entries: whole.entries[attach.skip..].to_vec(),
        signature: whole.signature,
    };
    part.encode()
}

/// Cuts entries where a checkpoint is due.
fn checkpointed(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut parts: Vec<Vec<Entry>> = Vec::new();
    let mut bytes = usize::MAX;
    for entry in entries {
        let len = entry.body.len();
        match parts.last_mut() {
            Some(part) if bytes.saturating_add(len) <= CHECKPOINT_BYTES_MAX && part.len() < RUN_ENTRIES_MAX => {
                bytes += len;
                part.push(entry);
            }
            _ => {
                bytes = len;
                parts.push(vec![entry]);
            }
        }
    }
    parts
}
