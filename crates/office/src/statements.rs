//! The statements held, in RAM: read once at opening, then followed as they are staged and committed.

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::id::{DeviceId, ScopeKind};
use replica::authority::{Authority, Stated};
use replica::credential::{Credential, decode_chain};
use replica::entry::{Entry, KIND_STATEMENT, LogId, Tip};
use replica::logs::Held;
use replica::run::VerifiedRun;
use replica::statement::Statement;
use store::{Merge, Store, StoreError};

use crate::life::fact;

/// How much of a log is read at once when a store is opened.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// All statements held, and those staged and not yet durable.
#[derive(Default)]
pub(crate) struct Statements {
    durable: Vec<Stated>,
    known: BTreeSet<(LogId, Tip)>,
    staged: Vec<Stated>,
}

impl Statements {
    /// Reads every statement out of the public scopes of a store. A log that cannot be read is passed over: its hole is reported by
    /// the store and fetched again.
    pub(crate) fn load(store: &Store) -> Result<Self, StoreError> {
        let mut all = Self::default();
        let logs = store.logs();
        for scope in logs.scopes().filter(|s| s.kind == ScopeKind::Public) {
            for log in logs.logs(scope) {
                for tip in logs.tips(&log) {
                    match all.read_log(store, &log, *tip) {
                        Ok(()) | Err(StoreError::Damaged { .. } | StoreError::NotHeld(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        if let Some(chain) = store.fact(fact::CHAIN).and_then(|bytes| decode_chain(bytes).ok()) {
            all.staged_chain(&chain);
        }
        all.settle();
        Ok(all)
    }

    fn read_log(&mut self, store: &Store, log: &LogId, to: Tip) -> Result<(), StoreError> {
        let mut at = Tip::START;
        while at != to {
            let runs = store.read(log, at, to, READ_BYTES, Merge::Merged)?;
            let before = at;
            for run in &runs {
                at = self.take(log, run.prev, &run.entries);
            }
            if at == before {
                return Err(StoreError::NotHeld("the rest of a log"));
            }
        }
        Ok(())
    }

    /// Notes the statements of a run that was staged.
    pub(crate) fn staged(&mut self, run: &VerifiedRun) {
        if run.log().scope.kind == ScopeKind::Public {
            let run = run.run();
            self.take(&run.log, run.prev, &run.entries);
        }
    }

    /// Notes one statement of our own that was staged.
    pub(crate) fn staged_own(&mut self, log: LogId, tip: Tip, statement: Statement) {
        if self.known.insert((log, tip)) {
            self.staged.push(Stated {
                log,
                tip,
                statement: Arc::new(statement),
            });
        }
    }

    /// Notes the admissions of a chain that was proved: until their logs have come, they are all that is known of the county.
    pub(crate) fn staged_chain(&mut self, chain: &[Credential]) {
        for credential in chain {
            self.take(
                &credential.log,
                credential.prev,
                std::slice::from_ref(&credential.entry),
            );
        }
    }

    fn take(&mut self, log: &LogId, prev: Tip, entries: &[Entry]) -> Tip {
        let mut at = prev;
        for entry in entries {
            let hash = entry.hash(log, at);
            at = Tip { seq: at.seq + 1, hash };
            if entry.kind != KIND_STATEMENT || !self.known.insert((*log, at)) {
                continue;
            }
            // A body that cannot be read is kept in the log and says nothing.
            if let Ok(statement) = Statement::decode(&entry.body) {
                self.staged.push(Stated {
                    log: *log,
                    tip: at,
                    statement: Arc::new(statement),
                });
            }
        }
        at
    }

    /// What was staged is durable now; true when there was any.
    pub(crate) fn settle(&mut self) -> bool {
        let any = !self.staged.is_empty();
        self.durable.append(&mut self.staged);
        any
    }

    /// Forgets what was staged: the commit did not happen.
    pub(crate) fn abandon(&mut self) {
        for stated in self.staged.drain(..) {
            self.known.remove(&(stated.log, stated.tip));
        }
    }

    /// Folds what is durable.
    pub(crate) fn fold(&self, root: DeviceId, store: &Store) -> Authority {
        let held = Held {
            logs: store.logs(),
            hashes: store,
        };
        Authority::fold(root, &self.durable, &held)
    }

    pub(crate) fn durable(&self) -> &[Stated] {
        &self.durable
    }
}
