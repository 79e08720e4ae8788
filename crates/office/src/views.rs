//! Views (视图): the index rows that follow from the journal, and the cursor that brings them up to it.
//!
//! ```text
//!   journal frames ─▶ entries by record ─▶ fold each touched record once ─▶ rows, orders, conflict items (one batch)
//!   statements ─▶ what the rows were folded under has changed ─▶ the records concerned are folded again
//! ```
//!
//! Every write is an upsert that follows from the journal and the statements alone, so replaying any stretch twice changes
//! nothing, and wiping the index loses nothing. Counts are taken from rows, never carried across a crash.

pub(crate) mod counts;
pub(crate) mod cut;
pub(crate) mod fold;
pub(crate) mod groups;
pub(crate) mod lost;
pub(crate) mod measure;
pub(crate) mod mirror;
pub(crate) mod name;
pub(crate) mod open;
pub(crate) mod row;
mod under;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ledger::form::{Form, Forms};
use ledger::id::{DeviceId, RecordId, ScopeKind, UnitId};
use replica::authority::Authority;
use replica::entry::{KIND_DAY, KIND_RECORD, KIND_REPORT, KIND_STATEMENT, KIND_TRAIL, LogId, RecordBody, Tip};
use store::kv::prefix_end;
use store::{Batch, FrameEntry, JournalFrame, Kv, Order, Position, RunFrame, Scan, Store, StoreError};

use crate::dayclose::closing_day;
use crate::keys::Keys;
use crate::life::fact;
use crate::views::fold::{Fresh, Patience, Read, Under, derived};
use crate::views::groups::Touched;
use crate::views::row::{RECORD_DEVICE_ENTRIES_MAX, RowLog};

pub use counts::Counts;
pub use row::{RecordRef, RecordRow, RowEntry, RowStatus, Summary};

/// Entries applied between two times that the index is made durable. More would make opening after a power cut slower, fewer
/// would make applying slower: the index's own sync takes some ten milliseconds.
const TRUST_ENTRIES: usize = 16_384;
/// The format of the rows. Raised whenever a row's bytes or what is derived from it change: old rows are then made anew.
const FORMAT: u8 = 10;
/// Frames read at once, when they are short. One holds up to a mebibyte, of thousands of entries.
const FRAMES_MAX: usize = 64;
/// A record folded with more changes than this in one go is a bound on nothing but patience; see the ledger's own limit.
const STALE_MAX_PER_APPLY: usize = 4_096;
/// So often in a row a read may fail before what cannot be read is passed over. The journal is looked through after each time.
const STUMBLES_MAX: u32 = 8;

/// The rows of one store. Owns no rows itself: they are in the store's index.
#[derive(Debug)]
pub struct Views {
    me: DeviceId,
    applied: Position,
    /// What is left of a run of which a part has been applied, and the place behind it. `applied` lies before it.
    rest: Option<(Position, RunFrame)>,
    /// Entries of the run taken last: what the next ones are likely to hold.
    run_entries: usize,
    forms: Forms,
    /// Records to fold again although no entry of theirs has come.
    stale: BTreeSet<RecordRef>,
    /// A statement was met: compare what the rows were folded under.
    unsettled: bool,
    /// Ends of what counts of devices taken out that are not here: when one comes, all before it counts too.
    cuts_awaited: BTreeSet<(LogId, Tip)>,
    /// To be written once nothing is stale.
    under: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    counts: Option<Counts>,
    since_trust: usize,
    /// The rows there are of another format, or none: they are removed before the first is written.
    wipe_due: bool,
    /// The format is written only when the rows are as far as the journal says they are: a crash before that wipes them again.
    format_due: bool,
    /// Since the process began or the index was wiped.
    applied_entries: u64,
    /// Wiped by [`Views::restart`], and not complete since.
    rebuilding: bool,
    /// Times that rows were written.
    writes: u64,
    /// By book, how often a row of it was written: statements change rows of books that do not grow.
    rewritten: BTreeMap<UnitId, u64>,
    /// Records whose rows have changed since somebody last asked; kept only once somebody does.
    changed: Option<Vec<RecordRef>>,
    /// Times in a row that the disk could not read what was to be folded.
    stumbles: u32,
    pub(crate) cuts: cut::Cuts,
    pub(crate) mirror: mirror::Mirror,
}

/// What one call of [`Views::apply`] left to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Applied {
    /// Zero when the rows are up to the journal; else at least so many entries or records are left.
    pub left: usize,
    /// Keys of erased records were staged to be destroyed: the next commit does it, and should come soon.
    pub erased: usize,
}

impl Views {
    /// Begins where the index is known to be durable; from the journal's start when its rows are of another format.
    pub fn open(me: DeviceId, store: &Store) -> Self {
        let is_ours = matches!(store.kv().value(name::FORMAT), Ok(Some(format)) if format == [FORMAT]);
        Self {
            me,
            applied: if is_ours { store.trusted() } else { Position::START },
            rest: None,
            run_entries: 1,
            wipe_due: !is_ours,
            format_due: !is_ours,
            forms: Forms::compiled(),
            stale: BTreeSet::new(),
            unsettled: true,
            cuts_awaited: BTreeSet::new(),
            under: Vec::new(),
            counts: None,
            since_trust: 0,
            applied_entries: 0,
            rebuilding: false,
            writes: 0,
            rewritten: BTreeMap::new(),
            changed: None,
            stumbles: 0,
            cuts: cut::Cuts::default(),
            mirror: mirror::Mirror::default(),
        }
    }

    /// After the index was wiped: everything is made anew by the calls of [`Views::apply`] that follow.
    pub fn restart(&mut self) {
        self.applied = Position::START;
        self.rest = None;
        self.wipe_due = true;
        self.format_due = true;
        self.cuts.clear();
        self.mirror.clear();
        self.stale.clear();
        self.under.clear();
        self.unsettled = true;
        self.counts = None;
        self.applied_entries = 0;
        self.rebuilding = true;
    }

    /// The journal is not as it was read: what was read ahead of it is read again.
    pub(crate) fn reread(&mut self) {
        self.rest = None;
    }

    /// Whether the index was wiped by this process and is not complete yet.
    pub(crate) fn is_rebuilding(&self) -> bool {
        self.rebuilding
    }

    /// The index is complete again.
    pub(crate) fn rebuilt(&mut self) {
        self.rebuilding = false;
    }

    /// From now on changed records are noted.
    pub(crate) fn watch(&mut self) {
        self.changed.get_or_insert_default();
    }

    /// The records that have changed since this was last called.
    pub(crate) fn take_changed(&mut self) -> Vec<RecordRef> {
        self.changed.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Entries applied since the process began or the index was wiped.
    pub(crate) fn applied_entries(&self) -> u64 {
        self.applied_entries
    }

    /// Whether every record is folded with what the journal holds up to `until`.
    pub(crate) fn is_applied(&self, until: Position) -> bool {
        self.applied >= until && self.stale.is_empty() && self.under.is_empty()
    }

    /// As a version of the program that knows other forms.
    #[cfg(test)]
    pub(crate) fn know(&mut self, forms: Forms) {
        self.forms = forms;
    }

    /// The forms known here: compiled in, and published by the county.
    pub fn forms(&self) -> &Forms {
        &self.forms
    }

    /// Whether nothing is left to apply.
    pub fn is_current(&self, store: &Store) -> bool {
        self.applied >= store.head() && self.stale.is_empty() && !self.unsettled && self.under.is_empty()
    }

    /// The statements were folded anew: compare what the rows were folded under before applying more.
    pub fn unsettle(&mut self) {
        self.unsettled = true;
    }

    /// A record's key has come or gone: its row is folded again.
    pub fn touch(&mut self, scope: ledger::id::Scope, record: RecordId) {
        self.stale.insert(RecordRef { scope, record });
    }

    /// The vault has lost keys: rows that were folded with them are folded again, and the keys asked of peers.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn touch_keyless(&mut self, store: &Store) -> Result<(), StoreError> {
        store
            .kv()
            .scan(name::RECORD, &prefix_end(name::RECORD), Order::Rising, &mut |key, _| {
                if let Some(of) = name::tail(key).filter(|of| store.key(of.scope, &of.record).is_none()) {
                    self.stale.insert(of);
                }
                Scan::On
            })?;
        Ok(())
    }

    /// Takes in at most about `budget` entries. `authority` must have folded every statement that is committed. Where the disk could
    /// not read just now nothing is written, and something is left: call [`Store::repair`], then this again.
    ///
    /// # Errors
    /// [`StoreError`] from the journal or the index; what was not written is taken up again by the next call.
    pub fn apply(
        &mut self,
        store: &mut Store,
        authority: &Authority,
        keys: &Keys,
        budget: usize,
    ) -> Result<Applied, StoreError> {
        match self.apply_once(store, authority, keys, budget) {
            Err(StoreError::Damaged { .. }) if self.stumbles < STUMBLES_MAX => {
                self.stumbles += 1;
                Ok(Applied { left: 1, erased: 0 })
            }
            done => {
                self.stumbles = 0;
                done
            }
        }
    }

    fn apply_once(
        &mut self,
        store: &mut Store,
        authority: &Authority,
        keys: &Keys,
        budget: usize,
    ) -> Result<Applied, StoreError> {
        if self.wipe_due {
            counts::wipe(store.kv())?;
            self.wipe_due = false;
        }
        if self.unsettled {
            self.settle(store, authority, keys)?;
        }
        let mut gathered = self.gather(store, budget)?;
        while gathered.touched.len() < STALE_MAX_PER_APPLY {
            let Some(of) = self.stale.pop_first() else { break };
            gathered.touched.entry(of).or_default();
            gathered.again.insert(of);
        }
        let (position, entries) = (gathered.position, gathered.entries);
        let records: Vec<RecordRef> = gathered.touched.keys().copied().collect();
        if let Err(error) = self.write(store, authority, keys, gathered) {
            self.stale.extend(records);
            // What is left of a run goes with the rest of it: all of it is read again.
            self.rest = None;
            return Err(error);
        }
        self.applied = position;
        self.since_trust += entries;
        if self.format_due && self.applied >= store.trusted() {
            let mut batch = Batch::default();
            batch.put(name::FORMAT, [FORMAT]);
            store.kv().write(batch)?;
            self.format_due = false;
        }
        self.applied_entries += entries as u64;
        if self.stale.is_empty() && !self.under.is_empty() {
            let mut batch = Batch::default();
            for (key, value) in self.under.drain(..) {
                match value {
                    Some(value) => batch.put(key, value),
                    None => batch.delete(key),
                }
            }
            store.kv().write(batch)?;
        }
        let erased = self.erase(store, authority, &records)?;
        if self.since_trust >= TRUST_ENTRIES {
            self.trust(store)?;
        }
        let behind = usize::from(self.applied < store.head() || self.unsettled);
        Ok(Applied {
            left: self.stale.len() + behind,
            erased,
        })
    }

    /// Makes the rows durable and says so in the journal, if they are complete up to where they were applied. To be called on a
    /// stop and when idle.
    pub fn trust(&mut self, store: &mut Store) -> Result<(), StoreError> {
        if self.stale.is_empty() && self.under.is_empty() && !self.unsettled && store.trusted() < self.applied {
            store.trust(self.applied)?;
        }
        self.since_trust = 0;
        Ok(())
    }

    /// Reads from where we are, and sorts at most `budget` entries by record. A long run is taken in parts: between two calls others
    /// are served. What was gathered of the same record is folded together.
    fn gather(&mut self, store: &Store, budget: usize) -> Result<Gathered, StoreError> {
        let mut gathered = Gathered {
            touched: BTreeMap::new(),
            again: BTreeSet::new(),
            odd: Batch::default(),
            position: self.applied,
            entries: 0,
        };
        let mut ahead = VecDeque::new();
        while gathered.entries < budget {
            let left = budget - gathered.entries;
            let Some((behind, mut run)) = self.next_run(store, &mut ahead, left, &mut gathered.position)? else {
                break;
            };
            self.run_entries = run.entries.len().max(1);
            if run.entries.len() > left {
                let rest = RunFrame {
                    log: run.log,
                    prev: run.prev,
                    entries: run.entries.split_off(left),
                };
                self.rest = Some((behind, rest));
            } else {
                gathered.position = behind;
            }
            gathered.entries += run.entries.len();
            self.sort(run, &mut gathered.touched, &mut gathered.odd);
        }
        Ok(gathered)
    }

    /// The next run that is not applied, and the place behind it; `position` is moved over what is no run. `None` at the head.
    fn next_run(
        &mut self,
        store: &Store,
        ahead: &mut VecDeque<(Position, JournalFrame)>,
        entries: usize,
        position: &mut Position,
    ) -> Result<Option<(Position, RunFrame)>, StoreError> {
        if let Some(rest) = self.rest.take() {
            return Ok(Some(rest));
        }
        loop {
            if ahead.is_empty() {
                if *position >= store.head() {
                    return Ok(None);
                }
                // As many as are likely to be wanted: what goes beyond is read again by the next call.
                let frames = (entries / self.run_entries).clamp(1, FRAMES_MAX);
                ahead.extend(store.frames_after(*position, frames)?);
            }
            match ahead.pop_front() {
                // Nothing but damage up to the head.
                None => {
                    *position = store.head();
                    return Ok(None);
                }
                Some((behind, JournalFrame::Run(run))) => return Ok(Some((behind, run))),
                Some((behind, _)) => *position = behind,
            }
        }
    }

    fn sort(&mut self, run: RunFrame, touched: &mut Fresher, odd: &mut Batch) {
        let scope = run.log.scope;
        let log = RowLog {
            device: run.log.device,
            epoch: run.log.epoch,
        };
        for FrameEntry { entry, tip, at } in run.entries {
            self.unsettled |= !self.cuts_awaited.is_empty() && self.cuts_awaited.contains(&(run.log, tip));
            match entry.kind {
                KIND_STATEMENT => self.unsettled = true,
                // What a public scope holds beside statements belongs to nobody's book.
                KIND_RECORD if scope.kind == ScopeKind::Book => match RecordBody::decode(&entry.body) {
                    Ok(body) => {
                        let fresh = Fresh {
                            log,
                            entry: RowEntry::new(tip.seq, tip.hash, at),
                            body: entry.body,
                        };
                        let of = RecordRef {
                            scope,
                            record: body.record,
                        };
                        touched.entry(of).or_default().push(fresh);
                    }
                    Err(_) => odd.put(name::odd(&run.log, tip), [name::ODD_UNREADABLE]),
                },
                KIND_DAY if scope.kind == ScopeKind::Book => match closing_day(&entry.body) {
                    Some(day) => odd.put(name::closing(scope.unit, day, &run.log, tip), entry.body),
                    None => odd.put(name::odd(&run.log, tip), [name::ODD_UNREADABLE]),
                },
                KIND_REPORT if scope.kind == ScopeKind::Book => odd.put(name::kept(&run.log, tip), entry.body),
                KIND_TRAIL => odd.put(name::witness(&run.log, tip), entry.body),
                _ => odd.put(name::odd(&run.log, tip), [name::ODD_UNKNOWN]),
            }
        }
    }

    /// Folds each record and writes what follows, the rows and the position in one batch.
    fn write(
        &mut self,
        store: &Store,
        authority: &Authority,
        keys: &Keys,
        gathered: Gathered,
    ) -> Result<(), StoreError> {
        let Gathered {
            touched,
            again,
            odd,
            position,
            ..
        } = gathered;
        if touched.is_empty() && position == self.applied {
            return Ok(());
        }
        let (watched, mut was, mut measured) = (self.cuts.any(), Vec::new(), Vec::new());
        let under = self.under(store, authority, keys);
        let (kv, mut batch) = (store.kv(), odd);
        let mut groups = Touched::default();
        let (mut new, mut changed, mut gone) = (Vec::new(), Vec::new(), false);
        for (of, fresh) in touched {
            let key = name::record(of);
            let before = kv.value(&key)?.and_then(|bytes| RecordRow::decode(&bytes));
            let fresh = within_bounds(of, before.as_ref(), fresh, &mut batch);
            if fresh.is_empty() && before.is_some() && !again.contains(&of) {
                continue;
            }
            let Read { row, excess, .. } = under.read(of, before.clone().unwrap_or_default(), fresh)?;
            for (log, tip) in excess {
                batch.put(name::odd(&log.of(of.scope), tip), [name::ODD_EXCESS]);
            }
            // Noted also when nothing changed: a crash may have come between the two writes below.
            groups.note(&row);
            if row.entries.is_empty() {
                // All that was held of it is lost. A row would be told of by nothing in the journal.
                if let Some(before) = &before {
                    derived(of, before).into_keys().for_each(|key| batch.delete(key));
                    batch.delete(key);
                    groups.note(before);
                    changed.push(of);
                    measured.push((of, None));
                    was.extend(watched.then(|| (of, Some(before.clone()))));
                    gone = true;
                }
                continue;
            }
            match &before {
                Some(before) if *before == row => continue,
                Some(_) => {}
                None => new.push(of.scope),
            }
            changed.push(of);
            was.extend(watched.then(|| (of, before.clone())));
            let rows = derived(of, &row);
            measured.push((of, rows.get(&name::measure(of)).cloned()));
            if let Some(before) = &before {
                for (key, _) in derived(of, before).into_iter().filter(|(k, _)| !rows.contains_key(k)) {
                    batch.delete(key);
                }
                groups.note(before);
            }
            for (key, value) in rows {
                batch.put(key, value);
            }
            batch.put(key, row.encode());
        }
        self.cuts.note(&was);
        kv.write(batch).inspect_err(|_| self.mirror.clear())?;
        self.mirror.take(measured);
        // A crash between the two writes is mended by the replay: the position is written with the second.
        let mut batch = groups.settle(kv)?;
        batch.put(name::APPLIED, position.to_bytes().to_vec());
        kv.write(batch)?;
        self.note_writes(&changed);
        if let Some(all) = &mut self.changed {
            all.extend(changed);
        }
        if gone {
            self.counts = None;
        }
        if let Some(counts) = &mut self.counts {
            new.into_iter().for_each(|scope| counts.add_record(scope));
        }
        Ok(())
    }

    /// Stages the end of every erased record's key that is still in the vault.
    fn erase(&self, store: &mut Store, authority: &Authority, records: &[RecordRef]) -> Result<usize, StoreError> {
        let mut erased = 0;
        for of in records {
            if authority.erased(&of.scope, &of.record) && !store.is_erased(of.scope, &of.record) {
                store.erase_key(of.scope, of.record)?;
                erased += 1;
            }
        }
        if erased > 0 {
            store.stage_fact(fact::SCRUB, Some(&[1]))?;
        }
        Ok(erased)
    }

    /// What a fold reads.
    pub(crate) fn under<'a>(&'a self, store: &'a Store, authority: &'a Authority, keys: &'a Keys) -> Under<'a> {
        Under {
            me: self.me,
            store,
            authority,
            keys,
            forms: &self.forms,
            catalogues: authority.catalogues(),
            patience: match self.stumbles < STUMBLES_MAX {
                true => Patience::Kept,
                false => Patience::Lost,
            },
        }
    }

    /// The row of a record, if there is one.
    pub(crate) fn row(kv: &dyn Kv, of: RecordRef) -> Result<Option<RecordRow>, StoreError> {
        Ok(kv.value(&name::record(of))?.and_then(|bytes| RecordRow::decode(&bytes)))
    }
}

/// New entries by record.
type Fresher = BTreeMap<RecordRef, Vec<Fresh>>;

/// What one call of [`Views::apply`] works on.
struct Gathered {
    touched: Fresher,
    /// Of those touched: records to fold although nothing new has come.
    again: BTreeSet<RecordRef>,
    odd: Batch,
    /// Up to where everything is in `touched` or `odd`.
    position: Position,
    entries: usize,
}

/// Leaves out what the record takes no more of, and notes it: so a device that writes one record for ever has it folded no oftener.
fn within_bounds(of: RecordRef, before: Option<&RecordRow>, mut fresh: Vec<Fresh>, batch: &mut Batch) -> Vec<Fresh> {
    let full = before
        .map(|row| row.full(RECORD_DEVICE_ENTRIES_MAX))
        .unwrap_or_default();
    if full.is_empty() {
        return fresh;
    }
    fresh.retain(|fresh| {
        let (log, entry) = (&fresh.log, &fresh.entry);
        let last = full.get(&log.device);
        let taken = last.is_none_or(|last| (entry.seq, log.epoch, entry.hash) <= *last);
        if !taken {
            let tip = Tip {
                seq: entry.seq,
                hash: entry.hash,
            };
            batch.put(name::odd(&log.of(of.scope), tip), [name::ODD_EXCESS]);
        }
        taken
    });
    fresh
}

/// Adds the forms that the county has published; one that does not parse here is left to a later version of the program.
fn add_forms(forms: &mut Forms, authority: &Authority) {
    for text in authority.forms().values() {
        if let Ok(form) = Form::parse(text) {
            forms.add(form);
        }
    }
}
