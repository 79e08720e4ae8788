//! Streaming: runs both ways. Out: what the peer lacks, public scopes first, as fast as the line takes it. In: each run is held against
//! what its author may write, then goes to the journal.

use std::collections::BTreeMap;

use ledger::id::Scope;

use super::open::{Arriving, Open, Shared, Slot, Theirs, Told, turn};
use super::{Context, Effect, Outcome, PeerError};
use crate::authority::Write;
use crate::entry::{LogId, Tip};
use crate::frame::{BATCH_BYTES_MAX, Batch, KeyAsk, Outbound, Refusal, Refused, Speech, WrappedKey, creates};
use crate::logs::SendPlan;
use crate::run::{RUN_BYTES_MAX, RUN_ENTRIES_MAX, Run, VerifiedRun};

/// Runs of one batch: enough for small pushes of hundreds of logs.
const BATCH_RUNS_MAX: usize = 1_024;
/// Keys of one batch.
const BATCH_KEYS_MAX: usize = 4_096;
/// Room that is left in a batch for its keys and lengths.
const BATCH_KEYS_BYTES: usize = BATCH_KEYS_MAX * WrappedKey::LEN + 16 * BATCH_RUNS_MAX;
/// A log with more places noted for the peer than this is tidied.
const HELD_MAX: usize = 16;

impl Open {
    /// Sends what there is to send, as long as the window has room.
    pub(super) fn pump(&mut self, cx: &mut Context<'_>) {
        while self.pace.has_room() {
            let bytes = self.voices.send(cx);
            if bytes == 0 {
                break;
            }
            self.sent(bytes, cx);
        }
        if self.paused_until_ms.is_some() {
            return;
        }
        while self.pace.has_room() && !(self.dirty.is_empty() && self.keys_due.is_empty()) {
            let (batch, inflated) = self.fill(cx);
            if batch.runs.is_empty() && batch.keys.is_empty() {
                break;
            }
            let bytes = cx.send(&Outbound::Batch(batch));
            self.pace.batched(inflated, bytes);
            self.sent(bytes, cx);
        }
    }

    /// The next batch, and its bytes before compression.
    fn fill(&mut self, cx: &mut Context<'_>) -> (Batch<Run>, usize) {
        let budget = self.pace.batch_inflated();
        let mut batch = Batch {
            runs: Vec::new(),
            keys: Vec::new(),
        };
        let mut inflated = 0;
        'logs: while inflated < budget && batch.runs.len() < BATCH_RUNS_MAX {
            let Some((_, log)) = self.dirty.pop_first() else {
                break;
            };
            let Some((after, to)) = self.range(&log, cx) else {
                continue;
            };
            let runs = cx.local.read(&log, after, to, budget - inflated);
            // Perhaps there is more of it; what cannot be read is left alone.
            if !runs.is_empty() {
                self.dirty.insert(turn(log));
            }
            for run in runs {
                assert_eq!(run.log, log, "a run of another log");
                let len = run.entries.iter().map(|entry| entry.body.len() + 4).sum::<usize>() + 200;
                // Nobody could take it; the other logs go on.
                if len > RUN_BYTES_MAX + 200 + 4 * run.entries.len() || run.entries.len() > RUN_ENTRIES_MAX {
                    self.dirty.remove(&turn(log));
                    break;
                }
                if !batch.runs.is_empty() && inflated + len + BATCH_KEYS_BYTES > BATCH_BYTES_MAX {
                    break 'logs;
                }
                inflated += len;
                self.take_out(run, to, &mut batch, cx);
            }
        }
        let keys = self.keys_due.len().min(BATCH_KEYS_MAX);
        batch.keys.extend(self.keys_due.drain(..keys));
        inflated += keys * WrappedKey::LEN;
        (batch, inflated)
    }

    /// Puts a run into a batch: from now on the peer holds it, as far as this session goes.
    fn take_out(&mut self, run: Run, to: Tip, batch: &mut Batch<Run>, cx: &Context<'_>) {
        let seq = run.prev.seq + run.entries.len() as u64;
        let end = if seq == to.seq {
            Some(to)
        } else {
            cx.local.ancestor_at(&run.log, to, seq)
        };
        let end = end.unwrap_or_else(|| end_of(&run));
        for record in run.entries.iter().filter_map(creates) {
            if let Some(wrapped) = cx.local.key(run.log.scope, &record) {
                self.keys_due.push_back(WrappedKey {
                    scope: run.log.scope,
                    record,
                    wrapped,
                });
            }
        }
        if let Some(theirs) = self.theirs_mut(&run.log) {
            theirs.grew(run.prev, end);
        }
        batch.runs.push(run);
    }

    /// The next range of a log that the peer lacks; `None` when there is nothing to send now.
    fn range(&mut self, log: &LogId, cx: &mut Context<'_>) -> Option<(Tip, Tip)> {
        // What is on its way into the journal is the peer's own: plan once it is there.
        if self.arriving.values().flatten().any(|run| run.log == *log) || self.is_searching(log) {
            return None;
        }
        let theirs = self
            .scopes
            .get(&log.scope)?
            .theirs
            .as_ref()?
            .get(&(log.device, log.epoch));
        if theirs.is_some_and(|theirs| theirs.refused.is_some()) {
            return None;
        }
        let (held, common): (&[Tip], &[Tip]) = theirs.map_or((&[], &[]), |theirs| (&theirs.held, &theirs.common));
        match cx.local.send_plan(log, held, common) {
            SendPlan::Send(ranges) => ranges.first().copied(),
            SendPlan::Ask(tips) => {
                self.search(log, &tips, cx);
                None
            }
            SendPlan::Wait => None,
        }
    }

    fn theirs_mut(&mut self, log: &LogId) -> Option<&mut Theirs> {
        let theirs = self.scopes.get_mut(&log.scope)?.theirs.as_mut()?;
        Some(theirs.entry((log.device, log.epoch)).or_default())
    }

    /// Whether the peer may speak of this scope now: we have told it that we share it. An error when it never was so: an honest peer
    /// waits until the scope is named.
    pub(super) fn is_named(&self, scope: &Scope) -> Result<bool, PeerError> {
        match self.scopes.get(scope) {
            Some(Shared { told, .. }) if *told > Told::Nothing => Ok(true),
            None if self.formerly.contains(scope) => Ok(false),
            _ => Err(PeerError::Scope(*scope)),
        }
    }

    pub(super) fn batch(&mut self, batch: Batch<VerifiedRun>, cx: &mut Context<'_>) -> Result<(), PeerError> {
        if self.slot == Slot::Refused {
            return Ok(());
        }
        let mut runs = Vec::with_capacity(batch.runs.len());
        let mut refused = BTreeMap::new();
        for run in batch.runs {
            let log = *run.log();
            if !self.is_named(&log.scope)? || refused.contains_key(&log) {
                continue;
            }
            match self.admit(&run, cx) {
                Ok(()) => runs.push(run),
                Err(Fault::Refused(reason)) => {
                    refused.insert(log, reason);
                }
                Err(Fault::Busy(retry_ms)) => {
                    self.say_busy(retry_ms, cx);
                    break;
                }
            }
        }
        let mut keys = Vec::with_capacity(batch.keys.len());
        for key in batch.keys {
            if self.is_named(&key.scope)? {
                keys.push(key);
            }
        }
        for (log, reason) in refused {
            self.refuse(log, reason, cx);
        }
        if let Slot::Held { .. } = self.slot {
            // A slot that is in use stays; asking again for the same peer cannot fail.
            let _ = self.hold_slot(cx);
        }
        if !runs.is_empty() || !keys.is_empty() {
            self.stage(runs, keys, cx);
        }
        Ok(())
    }

    /// Whether a run is taken: its author may write there, and has not written too much today.
    fn admit(&mut self, run: &VerifiedRun, cx: &mut Context<'_>) -> Result<(), Fault> {
        let log = run.log();
        match cx.local.may_write(&log.device, &log.scope) {
            Write::Yes => {}
            Write::AuthorUnknown => return Err(Fault::Refused(Refusal::AuthorUnknown)),
            Write::NotEntitled => return Err(Fault::Refused(Refusal::NotEntitled)),
        }
        let entries = run.hashes().len() as u64;
        let bytes: usize = run.run().entries.iter().map(|entry| entry.body.len()).sum();
        match cx.local.quota(&log.device, entries, bytes as u64) {
            Ok(()) => Ok(()),
            // The wild device itself is sent away; a hub that forwards for many goes on with the others.
            Err(retry_ms) if log.device == cx.peer => Err(Fault::Busy(retry_ms)),
            Err(_) => Err(Fault::Refused(Refusal::Limit)),
        }
    }

    fn stage(&mut self, runs: Vec<VerifiedRun>, keys: Vec<WrappedKey>, cx: &mut Context<'_>) {
        let batch = self.next_batch;
        self.next_batch += 1;
        let arriving = runs
            .iter()
            .map(|run| Arriving {
                log: *run.log(),
                prev: run.run().prev,
                to: run.tip(),
            })
            .collect();
        self.arriving.insert(batch, arriving);
        cx.effect(Effect::Stage { batch, runs, keys });
    }

    fn refuse(&mut self, log: LogId, reason: Refusal, cx: &mut Context<'_>) {
        self.expected.remove(&log);
        if reason == Refusal::AuthorUnknown && !self.unknown_authors.insert(log) {
            return;
        }
        let bytes = cx.send(&Outbound::Refused(Refused { log, reason }));
        self.sent(bytes, cx);
    }

    pub(super) fn committed(&mut self, batch: u64, outcome: &Outcome, cx: &mut Context<'_>) {
        let Some(runs) = self.arriving.remove(&batch) else {
            return;
        };
        let had_runs = !runs.is_empty();
        for (log, reason) in &outcome.refused {
            self.refuse(*log, *reason, cx);
        }
        for run in runs {
            if outcome.gaps.contains(&run.log) || outcome.refused.iter().any(|(log, _)| *log == run.log) {
                continue;
            }
            self.gaps.remove(&run.log);
            if self.expected.get(&run.log).is_some_and(|seq| *seq <= run.to.seq) {
                self.expected.remove(&run.log);
            }
            let log = run.log;
            if let Some(theirs) = self.theirs_mut(&log) {
                theirs.grew(run.prev, run.to);
                if theirs.held.len() > HELD_MAX {
                    tidy(&log, &mut theirs.held, cx);
                }
            }
            // Perhaps a branch of ours has waited for this.
            let lacks = cx.local.vector(log.scope).tips(&log).iter().any(|tip| {
                self.theirs_mut(&log)
                    .is_some_and(|theirs| theirs.refused.is_none() && !theirs.held.contains(tip))
            });
            if lacks {
                self.dirty.insert(turn(log));
            }
        }
        for log in &outcome.gaps {
            // The peer thinks we hold more than we do. Once: if it does not help, asking for ever would not either.
            if self.gaps.insert(*log) {
                self.tell_vectors(&[log.scope], Speech::Ask, cx);
            }
        }
        if !had_runs {
            self.ask_more_keys(cx);
        }
        if self.expected.is_empty() && self.arriving.is_empty() {
            self.free_slot(cx);
        }
    }

    pub(super) fn key_ask(&mut self, ask: &KeyAsk, cx: &mut Context<'_>) -> Result<(), PeerError> {
        for (scope, record) in &ask.keys {
            if !self.is_named(scope)? {
                continue;
            }
            if let Some(wrapped) = cx.local.key(*scope, record) {
                self.keys_due.push_back(WrappedKey {
                    scope: *scope,
                    record: *record,
                    wrapped,
                });
            }
        }
        Ok(())
    }
}

/// Why a run is not taken.
enum Fault {
    Refused(Refusal),
    Busy(u64),
}

/// Drops places that lie below others.
fn tidy(log: &LogId, held: &mut Vec<Tip>, cx: &Context<'_>) {
    let all = held.clone();
    held.retain(|place| {
        !all.iter()
            .any(|other| other.seq > place.seq && cx.local.ancestor_at(log, *other, place.seq) == Some(*place))
    });
}

/// The place of a run's last entry.
fn end_of(run: &Run) -> Tip {
    run.entries.iter().fold(run.prev, |prev, entry| Tip {
        seq: prev.seq + 1,
        hash: entry.hash(&run.log, prev),
    })
}
