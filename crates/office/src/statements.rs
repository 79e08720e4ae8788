//! The statements held, in RAM: read once at opening, then followed as they are staged and committed.
//!
//! A copy of each lies in the index. Truth is the journal; but when a disk has rotted just where an admission or the organisation lay,
//! a room with no line must still be able to work, so what the copy says counts until a peer has sent the entry again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::id::{DeviceId, Hash, Scope, ScopeKind};
use replica::authority::{Authority, Stated};
use replica::credential::{Credential, decode_chain};
use replica::entry::{Entry, KIND_STATEMENT, LogId, Tip};
use replica::logs::{Ancestry, Held};
use replica::run::VerifiedRun;
use replica::statement::Statement;
use store::{Batch, Merge, Store, StoreError};

use crate::life::fact;

/// How much of a log is read at once when a store is opened.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// All statements held, and those staged and not yet durable.
#[derive(Default)]
pub(crate) struct Statements {
    durable: Vec<Stated>,
    known: BTreeSet<(LogId, Tip)>,
    staged: Vec<Stated>,
    /// What each entry follows, by the hash that says so: a proof that outlives the places on the disk.
    follows: BTreeMap<(LogId, Tip), Tip>,
    /// Copies to be written to the index.
    copies: Vec<(Vec<u8>, Vec<u8>)>,
    /// Copies of a version before, which go when `copies` are written.
    copied_before: Vec<Vec<u8>>,
    /// Logs that could not be read to their ends.
    unread: BTreeSet<LogId>,
}

/// Copies of statements in the index: log, place → body.
const COPY_ROWS: &[u8] = b"pK";
/// Where versions before kept them, in public scopes; the rest of that prefix is the rooms' history.
const COPY_ROWS_BEFORE: &[u8] = b"pT\x01";
/// Copies of the two facts without which a device does not know where it belongs.
const FACT_ROWS: &[u8] = b"pF";
const COPIED_FACTS: [&str; 2] = [fact::LIFE, fact::CHAIN];

fn copy_key(log: &LogId, tip: Tip) -> Vec<u8> {
    let (scope, epoch, seq) = (log.scope.to_bytes(), log.epoch.to_be_bytes(), tip.seq.to_be_bytes());
    [COPY_ROWS, &scope, &log.device.0, &epoch, &seq, &tip.hash.0].concat()
}

fn copy_place(key: &[u8]) -> Option<(LogId, Tip)> {
    let key = key.get(COPY_ROWS.len()..)?;
    let word = |at: usize| key.get(at..at + 8)?.try_into().ok().map(u64::from_be_bytes);
    let log = LogId {
        scope: Scope::from_bytes(key.get(..17)?)?,
        device: DeviceId::from_slice(key.get(17..49)?)?,
        epoch: word(49)?,
    };
    let hash = Hash::from_slice(key.get(65..)?)?;
    Some((log, Tip { seq: word(57)?, hash }))
}

/// Puts back the facts that a damaged journal has lost, from their copies; makes the copies otherwise.
pub(crate) fn rescue_facts(store: &mut Store) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    let mut rescued = 0;
    for key in COPIED_FACTS {
        let row = [FACT_ROWS, key.as_bytes()].concat();
        let copy = store.kv().value(&row)?;
        match (store.fact(key), copy) {
            (Some(held), copy) if copy.as_deref() != Some(held) => batch.put(row, held.to_vec()),
            (None, Some(copy)) => {
                store.stage_fact(key, Some(&copy))?;
                rescued += 1;
            }
            _ => {}
        }
    }
    if !batch.is_empty() {
        store.kv().write(batch)?;
    }
    // Readers see what is committed only.
    if rescued > 0 {
        store.commit()?;
    }
    Ok(())
}

impl Statements {
    /// Reads every statement out of the public scopes of a store. A log that cannot be read is passed over: its hole is reported by
    /// the store and fetched again.
    pub(crate) fn load(store: &Store) -> Result<Self, StoreError> {
        let mut all = Self::default();
        let logs = store.logs();
        for scope in logs.scopes() {
            all.read_adopted(store, &logs.logs(scope).collect())?;
        }
        if let Some(chain) = store.fact(fact::CHAIN).and_then(|bytes| decode_chain(bytes).ok()) {
            all.staged_chain(&chain);
        }
        all.compare_copies(store)?;
        all.settle();
        Ok(all)
    }

    /// Takes in the copies of what the journal has lost, and notes what has no copy yet.
    fn compare_copies(&mut self, store: &Store) -> Result<(), StoreError> {
        let mut bodies = Vec::new();
        let kv = store.kv();
        let mut copied: BTreeSet<Vec<u8>> = BTreeSet::new();
        for (key, body) in kv.prefix(COPY_ROWS)?.into_iter().chain(kv.prefix(COPY_ROWS_BEFORE)?) {
            let Some((log, tip)) = copy_place(&key) else { continue };
            if key.starts_with(COPY_ROWS) {
                copied.insert(key);
            } else {
                self.copies.push((copy_key(&log, tip), body.clone()));
                self.copied_before.push(key);
            }
            if !self.follows.contains_key(&(log, tip)) {
                bodies.push((log, tip, body.clone()));
            }
            if self.known.insert((log, tip))
                && let Ok(statement) = Statement::decode(&body)
            {
                self.staged.push(Stated {
                    log,
                    tip,
                    statement: Arc::new(statement),
                });
            }
        }
        self.copies.retain(|(key, _)| !copied.contains(key));
        for (log, tip, body) in bodies {
            self.link_copy(log, tip, body);
        }
        Ok(())
    }

    /// Finds what a copied statement follows: of the places known before it that one with which its hash comes out.
    fn link_copy(&mut self, log: LogId, tip: Tip, body: Vec<u8>) {
        let entry = Entry {
            kind: KIND_STATEMENT,
            body,
        };
        let Some(seq) = tip.seq.checked_sub(1) else { return };
        let (first, last) = (Hash([0; 32]), Hash([0xff; 32]));
        let near = (log, Tip { seq, hash: first })..=(log, Tip { seq, hash: last });
        let known = self.known.range(near).map(|(_, tip)| *tip);
        let start = (seq == 0).then_some(Tip::START);
        let before = known.chain(start).find(|prev| entry.hash(&log, *prev) == tip.hash);
        self.follows.extend(before.map(|prev| ((log, tip), prev)));
    }

    /// Writes copies of what is durable since the last time. Losing them loses nothing while the journal is sound.
    pub(crate) fn keep_copies(&mut self, store: &mut Store) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for (key, body) in self.copies.drain(..) {
            batch.put(key, body);
        }
        self.copied_before.drain(..).for_each(|key| batch.delete(key));
        if !batch.is_empty() {
            store.kv().write(batch)?;
            rescue_facts(store)?;
            // Statements are rare; the rest of the index is made durable when it suits.
            store.kv().sync()?;
        }
        Ok(())
    }

    /// Reads the statements of whole logs: what lay behind a hole comes back without being staged by anybody.
    pub(crate) fn read_adopted(&mut self, store: &Store, logs: &BTreeSet<LogId>) -> Result<(), StoreError> {
        for log in logs.iter().filter(|log| log.scope.kind == ScopeKind::Public) {
            for tip in store.logs().tips(log) {
                match self.read_log(store, log, *tip) {
                    Ok(()) => {}
                    Err(StoreError::Damaged { .. } | StoreError::NotHeld(_)) => {
                        self.unread.insert(*log);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Reads again what could not be read; whatever is found is durable.
    pub(crate) fn read_again(&mut self, store: &Store) -> Result<(), StoreError> {
        let logs = std::mem::take(&mut self.unread);
        let staged = std::mem::take(&mut self.staged);
        self.read_adopted(store, &logs)?;
        self.settle();
        self.staged = staged;
        Ok(())
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
            self.copies.push((copy_key(&log, tip), statement.encode()));
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
            let tip = Tip { seq: at.seq + 1, hash };
            self.follows.insert((*log, tip), at);
            at = tip;
            if entry.kind != KIND_STATEMENT || !self.known.insert((*log, at)) {
                continue;
            }
            // A body that cannot be read is kept in the log and says nothing.
            if let Ok(statement) = Statement::decode(&entry.body) {
                self.copies.push((copy_key(log, at), entry.body.clone()));
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
            self.copies.retain(|(key, _)| *key != copy_key(&stated.log, stated.tip));
        }
    }

    /// Folds what is durable; `before` is what was folded last.
    pub(crate) fn fold(&self, root: DeviceId, store: &Store, before: &Authority) -> Authority {
        let remembered = Remembered {
            held: Held {
                logs: store.logs(),
                hashes: store,
            },
            follows: &self.follows,
        };
        before.fold_again(root, &self.durable, &remembered)
    }

    /// What a device has stated and no log holds any more, each once, and only what none of its statements that a log holds says as well.
    ///
    /// # Errors
    /// `Damaged` where the disk could not read just now: nothing may be concluded from that.
    pub(crate) fn only_copied(&self, device: &DeviceId, store: &Store) -> Result<Vec<Stated>, StoreError> {
        let doubts = store.doubts();
        // The ends tell it without a look at the disk, but where a log has several.
        let is_held = |stated: &&Stated| match store.logs().tips(&stated.log) {
            [end] => stated.tip.seq <= end.seq,
            ends => !ends.is_empty() && store.logs().holds(&stated.log, stated.tip, store),
        };
        let of_device = self.durable.iter().filter(|stated| stated.log.device == *device);
        let (held, lost): (Vec<&Stated>, Vec<&Stated>) = of_device.partition(is_held);
        if store.doubts() != doubts {
            return Err(StoreError::Damaged { at: store.head() });
        }
        if lost.is_empty() {
            return Ok(Vec::new());
        }
        let mut said: BTreeSet<Vec<u8>> = held.iter().map(|held| held.statement.encode()).collect();
        let unsaid = lost.into_iter().filter(|lost| said.insert(lost.statement.encode()));
        Ok(unsaid.cloned().collect())
    }

    pub(crate) fn durable(&self) -> &[Stated] {
        &self.durable
    }
}

/// The logs, and what entries followed whose places the disk has lost since. Else whoever was let in by somebody taken out later would
/// be a stranger until the place has been fetched again, perhaps from nobody but that stranger.
struct Remembered<'a> {
    held: Held<'a>,
    follows: &'a BTreeMap<(LogId, Tip), Tip>,
}

impl Ancestry for Remembered<'_> {
    fn is_ancestor(&self, log: &LogId, older: Tip, younger: Tip) -> bool {
        if self.held.is_ancestor(log, older, younger) {
            return true;
        }
        let mut at = younger;
        while at.seq > older.seq {
            match self.follows.get(&(*log, at)) {
                Some(prev) => at = *prev,
                None => return self.held.is_ancestor(log, older, at),
            }
        }
        at == older
    }
}
