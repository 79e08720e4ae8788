//! Saying again: entries of our own that lie readable behind a place which rotted on this disk before it had travelled.
//!
//! ```text
//!   … ─ entry ─ entry ─ ▒▒▒▒ ─ entry ─ entry        the old epoch: what stands behind the hole follows from nothing any more
//!                                │       │          the same bodies, signed anew
//!                                ▼       ▼
//!                         … ─ entry ─ entry ─ …     the new epoch: counted, sent, receipted like any other
//! ```
//!
//! Equal changes in two logs of one device count once, so saying too much is no harm; saying nothing would be a loss. Therefore: what
//! a standing receipt covers is waited for, as its hub holds the missing place too; everything else is said again as soon as a peer
//! that is in step has not brought the place, and at once where there is no line. What was said is told by the entries themselves: a body
//! that an own log holds is not said a second time, whatever interrupts us. Marks of the audit trail are not said again: the trail has a
//! witness of its own. Of statements those are that say the same whenever they are said, an erasure before all: here it is done, and
//! nobody else would ever hear of it. They wait for a peer that is in step and has not brought them. An admission, a person, a table hold
//! by their place in the log, and come back with it or not at all.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{Hash, Scope};
use replica::authority::{Stated, Write};
use replica::entry::{Entry, KIND_RECORD, LogId, Tip};
use replica::run::VerifiedRun;
use replica::session::Progress;
use replica::statement::Statement;
use replica::time::Now;
use store::{Store, StoreError};

use crate::office::{Office, OfficeError};
use crate::peers::Line;
use crate::views::lost::LostEntry;

/// Without any line it is said so soon: a clerk should not look long for a case that can be read.
const ALONE_MS: u64 = 5_000;
/// Peers that are in step have had time enough to bring what is missing, from when they were asked to compare again.
const PEERS_HAVE_MS: u64 = 30_000;
/// Peers that do not come into step are not waited for longer.
const PEERS_LATE_MS: u64 = 600_000;
/// A hub whose word stands is waited for so long: it may have burnt without anybody having taken it out.
const RECEIPTS_TRUSTED_MS: u64 = 24 * 3_600_000;
/// How often it is looked at most; the longer it has lasted, the seldomer.
const LOOK_EVERY_MS: u64 = 30_000;
/// Said again at once; the rest follows with the next look. Well below what a device may send in a day.
const ENTRIES_AT_ONCE: usize = 2_048;

/// Since when something of ours may be stranded, and when it is looked at next (monotonic milliseconds).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stranded {
    since_ms: u64,
    look_ms: u64,
}

/// Whether those who said that they hold it are waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    Kept,
    Lost,
}

impl Stranded {
    pub(crate) fn due_ms(&self) -> u64 {
        self.look_ms
    }
}

impl Office {
    /// The disk has lost something, or had lost it when it was opened, and whoever met that may have ended before it was seen to: when
    /// peers have had their time, it is.
    pub(crate) fn note_loss(&mut self, now: Now) {
        self.due.stranded = Some(Stranded {
            since_ms: now.mono_ms,
            look_ms: now.mono_ms + ALONE_MS,
        });
    }

    /// Says again what is stranded, when it is time to.
    ///
    /// # Errors
    /// As [`Office::commit`]; a disk that cannot read just now is asked again later.
    pub(crate) fn salvage_if_due(&mut self, now: Now) -> Result<(), OfficeError> {
        let Some(noted) = self.due.stranded.filter(|noted| noted.due_ms() <= now.mono_ms) else {
            return Ok(());
        };
        let lasted = now.mono_ms.saturating_sub(noted.since_ms);
        self.due.stranded = Some(Stranded {
            look_ms: now.mono_ms + LOOK_EVERY_MS.max(lasted / 4),
            ..noted
        });
        let in_step = |line: &Line| line.session.progress() == Progress::InStep;
        let patience_ms = match self.peers.lines.is_empty() {
            true => ALONE_MS,
            false if self.peers.lines.values().any(in_step) => PEERS_HAVE_MS,
            false => PEERS_LATE_MS,
        };
        if lasted < patience_ms {
            return Ok(());
        }
        let patience = match lasted < RECEIPTS_TRUSTED_MS {
            true => Patience::Kept,
            false => Patience::Lost,
        };
        match self.salvage(patience) {
            Ok(Left::Nothing) => {
                self.due.stranded = None;
                Ok(())
            }
            Ok(Left::More) | Err(StoreError::Damaged { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Stages what is stranded and not said yet. `More`: some is left for later, or waits for those who hold what it followed.
    fn salvage(&mut self, patience: Patience) -> Result<Left, StoreError> {
        let me = self.me.device;
        let mut unsaid = Unsaid::default();
        for LostEntry { of, log, tip, body } in self.views.lost(&self.store)? {
            if log.device == me && patience == Patience::Kept && self.reaches(&log) >= tip.seq {
                unsaid.left = Left::More;
                continue;
            }
            // What nobody brings back is shown no longer, unless it is said again. A list shows of others' words what a page does.
            self.views.touch(of.scope, of.record);
            if log.device == me {
                let kind = KIND_RECORD;
                unsaid.add(&log, false, body.map(|body| Entry { kind, body }));
            }
        }
        if self.life.is_none() || !self.is_member(&me) {
            return Ok(Left::Nothing);
        }
        if self.store.may_strand(&me) {
            let stranded = self.store.stranded(&me)?;
            let awaited = match patience {
                Patience::Kept => self.awaited(&stranded),
                Patience::Lost => vec![0; stranded.len()],
            };
            for (run, awaited) in stranded.iter().zip(awaited) {
                let entries = run.run().entries.iter().skip(awaited).cloned();
                unsaid.add(run.log(), awaited > 0, entries);
            }
        }
        let stated = self.state_again()?;
        Ok(self.say(unsaid)?.max(stated))
    }

    /// Whether what only a copy in the index tells is to be stated again.
    pub(crate) fn may_state_again(&self) -> bool {
        self.unheld().is_ok_and(|unheld| !unheld.is_empty())
    }

    fn unheld(&self) -> Result<Vec<Stated>, StoreError> {
        let mut unheld = self.statements.only_copied(&self.me.device, &self.store)?;
        unheld.retain(|stated| {
            let says = match stated.statement.as_ref() {
                // Whoever was taken out since gets no key any more.
                Statement::Grant(grant) => self.is_member(&grant.device),
                other => says_the_same_later(other),
            };
            says && self.authority.may_write(&self.me.device, &stated.log.scope) == Write::Yes
        });
        Ok(unheld)
    }

    /// States again what no log of ours holds any more, and the copy in the index still tells. Without a line that is in step nobody
    /// would hear it, and nobody has had the time to bring it back.
    fn state_again(&mut self) -> Result<Left, StoreError> {
        let unheld = self.unheld()?;
        let mut lines = self.peers.lines.values();
        if !unheld.is_empty() && !lines.any(|line| line.session.progress() == Progress::InStep) {
            return Ok(Left::More);
        }
        let left = match unheld.len() > ENTRIES_AT_ONCE {
            true => Left::More,
            false => Left::Nothing,
        };
        for Stated { log, statement, .. } in unheld.into_iter().take(ENTRIES_AT_ONCE) {
            if log.epoch == self.epoch {
                self.begin_epoch()?;
            }
            self.state(log.scope.unit, (*statement).clone())?;
        }
        Ok(left)
    }

    fn say(&mut self, unsaid: Unsaid) -> Result<Left, StoreError> {
        let mut left = unsaid.left;
        for (scope, mut entries) in unsaid.entries {
            if self.authority.may_write(&self.me.device, &scope) != Write::Yes {
                continue;
            }
            self.store.leave_unsaid(&self.me.device, scope, &mut entries)?;
            if entries.is_empty() {
                continue;
            }
            if entries.len() > ENTRIES_AT_ONCE {
                entries.truncate(ENTRIES_AT_ONCE);
                left = Left::More;
            }
            // What stands behind the hole may come back one day: going on before it would be a fork.
            if unsaid.epochs.contains(&self.epoch) {
                self.begin_epoch()?;
            }
            self.stage_entries(scope, entries)?;
        }
        Ok(left)
    }

    /// How far standing receipts say that a log of ours reaches elsewhere.
    fn reaches(&self, log: &LogId) -> u64 {
        let receipts = self.store.receipts().standing(log.scope);
        let counted = receipts.filter(|receipt| self.authority.receipt_counts(receipt));
        let tips = counted.flat_map(|receipt| receipt.vector.tips(log));
        tips.map(|tip| tip.seq).max().unwrap_or(0)
    }

    /// Of each stranded run how many entries lie on the way to a place that a standing receipt names: whoever gave it holds what they
    /// followed, and brings it.
    fn awaited(&self, stranded: &[VerifiedRun]) -> Vec<usize> {
        let mut covered: BTreeSet<(LogId, Tip)> = BTreeSet::new();
        for log in stranded.iter().map(|run| *run.log()).collect::<BTreeSet<LogId>>() {
            let receipts = self.store.receipts().standing(log.scope);
            let counted = receipts.filter(|receipt| self.authority.receipt_counts(receipt));
            covered.extend(
                counted
                    .flat_map(|receipt| receipt.vector.tips(&log))
                    .map(|tip| (log, *tip)),
            );
        }
        let mut awaited = vec![0; stranded.len()];
        // The last first: who covers a run covers what it follows.
        for (awaited, run) in awaited.iter_mut().zip(stranded).rev() {
            let is_covered = |(at, hash): (usize, &Hash)| {
                let seq = run.run().prev.seq + 1 + at as u64;
                covered.contains(&(*run.log(), Tip { seq, hash: *hash }))
            };
            *awaited = run
                .hashes()
                .iter()
                .enumerate()
                .rposition(is_covered)
                .map_or(0, |at| at + 1);
            if *awaited > 0 {
                covered.insert((*run.log(), run.run().prev));
            }
        }
        awaited
    }
}

/// Whether a statement holds by what it says, and not by its place among others.
fn says_the_same_later(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Erase(_)
            | Statement::Revoke(_)
            | Statement::Extend(_)
            | Statement::NodeCode(_)
            | Statement::Leave(_)
            | Statement::Note(_)
    )
}

/// Whether some of what is stranded is still to be seen to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Left {
    #[default]
    Nothing,
    More,
}

/// What may have to be said again.
#[derive(Default)]
struct Unsaid {
    entries: BTreeMap<Scope, Vec<Entry>>,
    epochs: BTreeSet<u64>,
    left: Left,
}

impl Unsaid {
    /// Takes entries of a log. `waits`: they, or some before them, are left to those who hold what they followed.
    fn add(&mut self, log: &LogId, waits: bool, entries: impl IntoIterator<Item = Entry>) {
        if waits {
            self.left = Left::More;
        }
        self.epochs.insert(log.epoch);
        let entries = entries.into_iter().filter(Store::is_said_again);
        self.entries.entry(log.scope).or_default().extend(entries);
    }
}
