//! Opening: the journal's end, the index's state, and replaying what lies between the two.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ledger::id::Hash;
use replica::entry::LogId;
use replica::logs::{Logs, Place};
use replica::receipt::{Accepted, Receipt, Receipts, Withdrawal};
use replica::run::Run;

use super::facts::{decode_fact, decode_facts};
use super::read::RawFrame;
use super::stage::{Draft, DraftAt, DraftRun, Overlay};
use super::{Moved, RESERVE, RESERVE_BYTES, Store, rows, tail};
use crate::disk::{Disk, sync_or_write_again};
use crate::journal::{self, FrameAt};
use crate::kv::{Batch, KEPT_KEYS, KvError, KvPlace, MemPlace, Order, Scan, prefix_end};
use crate::trail::{Trail, TrailTip};
use crate::types::{Health, Opened, Position, Progress, ReadOnlyReason, StoreError, Task};
use crate::vault::{self, Vault, VaultOpened};

/// Frames replayed at once: their rows are written together.
const REPLAY_BYTES: usize = 2 * 1024 * 1024;

/// A reason for which an index does not fit.
const LATER: &str = "the index belongs to another journal, or to a later state of it";

impl Store {
    /// Opens the store on `disk` with its index at `place`, making both where there is nothing. Cuts off what a power cut left half
    /// written, replays the journal from the trusted position, and makes the index anew when it does not fit the journal.
    pub fn open(
        mut disk: Box<dyn Disk>,
        mut place: Box<dyn KvPlace>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Store, Opened), StoreError> {
        let found = tail::find(&mut *disk, progress)?;
        let VaultOpened {
            vault,
            damaged: keys_damaged,
        } = Vault::open(&mut *disk)?;
        // What a process wrote that was killed before its sync is here, but in the page cache only: nobody may be told of it
        // or build on it before it is durable.
        sync_or_write_again(&mut *disk, &found.journal.last_name())
            .and_then(|()| vault::make_durable(&mut *disk))
            .and_then(|()| disk.sync_dir())
            .map_err(journal::failed("making durable what was found"))?;
        let mut opened = Opened {
            torn: found.torn,
            mended: found.mended,
            fresh: found.fresh,
            keys_damaged,
            ..Opened::default()
        };
        let kv = match place.open() {
            Ok(kv) => kv,
            Err(error) => {
                opened.rebuilt = Some(error.to_string());
                place.wipe()?;
                place.open()?
            }
        };
        let trail = Trail::open(&*disk, TrailTip::START).map_err(journal::failed("opening the trail"))?;
        let mut store = Store {
            disk,
            place,
            kv,
            journal: found.journal,
            vault,
            trail,
            logs: Logs::new(),
            numbers: BTreeMap::new(),
            receipts: Receipts::default(),
            facts: BTreeMap::new(),
            facts_moved: Moved::Yes,
            dead: BTreeMap::new(),
            orphans: BTreeMap::new(),
            holes: BTreeMap::new(),
            waiting: RefCell::default(),
            trusted: found.trusted,
            journalled_trust: found.trusted,
            trusted_at: Position::START,
            draft: Draft::default(),
            health: Health::Writable,
            unchecked: 0,
            met: RefCell::new(BTreeSet::new()),
            doubts: Cell::new(0),
            rotted: RefCell::default(),
            hashes: RefCell::new(VecDeque::new()),
            scrubbed: Position::START,
        };
        store.make_reserve();
        store.open_index(&mut opened, progress)?;
        opened.damaged = store.met_anew(found.damaged)?;
        store.reopen_trail()?;
        Ok((store, opened))
    }

    fn make_reserve(&mut self) {
        if !matches!(self.disk.len(RESERVE), Ok(Some(RESERVE_BYTES)))
            && self.disk.reserve(RESERVE, RESERVE_BYTES).is_err()
        {
            let _ = self.disk.remove(RESERVE);
            self.health = Health::ReadOnly(ReadOnlyReason::DiskFull);
        }
        self.check_space();
    }

    fn open_index(&mut self, opened: &mut Opened, progress: &mut dyn FnMut(Progress)) -> Result<(), StoreError> {
        let misfit = match self.misfit() {
            Ok(None) => match self.load_rows() {
                Ok(()) => match self.replay(self.trusted, Task::Replaying, progress) {
                    Ok(replayed) => {
                        opened.replayed = replayed;
                        return Ok(());
                    }
                    Err(StoreError::Index(error)) => error.to_string(),
                    Err(error) => return Err(error),
                },
                Err(error) => error.to_string(),
            },
            Ok(Some(misfit)) => {
                opened.shortened = misfit == LATER;
                misfit.to_owned()
            }
            Err(error) => error.to_string(),
        };
        // An empty journal needs no index; making an empty one is no news to anybody.
        if !opened.fresh {
            opened.rebuilt.get_or_insert(misfit);
        }
        self.rebuild_index(progress)?;
        opened.replayed = 0;
        Ok(())
    }

    /// Why the index cannot belong to this journal as it is now.
    fn misfit(&self) -> Result<Option<&'static str>, KvError> {
        let Some(value) = self.kv.value(rows::HEAD)? else {
            return Ok(Some("the index is empty"));
        };
        let Some((at, chain)) = rows::head(&value) else {
            return Ok(Some("the index has no position"));
        };
        if at < self.trusted {
            return Ok(Some("the index is older than the journal says"));
        }
        if at > self.journal.head() || self.journal.chain_before(&*self.disk, at) != Some(chain) {
            return Ok(Some(LATER));
        }
        Ok(None)
    }

    fn load_rows(&mut self) -> Result<(), KvError> {
        if self.kv.value(rows::REBUILT)?.as_deref() == Some(self.trusted.to_bytes().as_slice()) {
            self.trusted = Position::START;
        }
        let unreadable = |what: &str| KvError(format!("a row of {what} cannot be read"));
        for (key, value) in self.kv.prefix(&[rows::LOG])? {
            let (log, number, state) = rows::log(&key, &value).ok_or_else(|| unreadable("a log"))?;
            self.logs.restore_log(&log, state).map_err(|_| unreadable("a log"))?;
            self.numbers.insert(log, number);
        }
        for (key, value) in self.kv.prefix(&[rows::FACT])? {
            let key = String::from_utf8(key[1..].to_vec()).map_err(|_| unreadable("a fact"))?;
            self.facts.insert(key, value);
        }
        for (_, value) in self.kv.prefix(&[rows::WITHDRAWAL])? {
            let withdrawal = Withdrawal::decode(&value).map_err(|_| unreadable("a withdrawal"))?;
            self.receipts.withdraw(withdrawal);
        }
        for (_, value) in self.kv.prefix(&[rows::RECEIPT])? {
            let receipt = Receipt::decode(&value).map_err(|_| unreadable("a receipt"))?;
            self.receipts.accept(receipt);
        }
        for (key, value) in self.kv.prefix(&[rows::DEAD])? {
            let (at, dead) = rows::dead(&key, &value).ok_or_else(|| unreadable("a dead run"))?;
            self.dead.insert(at, dead);
        }
        for (key, value) in self.kv.prefix(&[rows::DAMAGE])? {
            let (at, hole) = rows::hole(&key, &value).ok_or_else(|| unreadable("damage"))?;
            self.holes.insert(at, hole);
        }
        Ok(())
    }

    /// Wipes the index and replays the whole journal into it.
    pub(super) fn rebuild_index(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), StoreError> {
        let holes = std::mem::take(&mut self.holes);
        self.forget();
        let kept = self.kv.prefix(&[KEPT_KEYS]).unwrap_or_default();
        let any = self.kv.range(&[0], &[0xff], Order::Rising, 1);
        if !matches!(any, Ok(rows) if rows.is_empty()) {
            // The handle must be gone before the files go. Files are removed faster than rows.
            self.kv = MemPlace::default().open()?;
            self.place.wipe()?;
            self.kv = self.place.open()?;
        }
        let mut rows = Batch::default();
        rows.put(rows::REBUILT, self.journalled_trust.to_bytes());
        for (key, value) in kept {
            rows.put(key, value);
        }
        self.kv.write(rows)?;
        self.trusted = Position::START;
        self.trusted_at = Position::START;
        self.replay(Position::START, Task::Rebuilding, progress)?;
        let mut rows = Batch::default();
        for (at, hole) in holes {
            self.put_hole(at, hole, &mut rows);
        }
        self.kv.write(rows)?;
        Ok(())
    }

    fn forget(&mut self) {
        self.logs = Logs::new();
        self.receipts = Receipts::default();
        self.numbers.clear();
        self.facts.clear();
        self.dead.clear();
        self.orphans.clear();
        self.draft = Draft::default();
        self.hashes.borrow_mut().clear();
    }

    /// Takes frames from `from` on into logs, receipts, facts and rows. Idempotent. Answers how many there were.
    fn replay(&mut self, from: Position, task: Task, progress: &mut dyn FnMut(Progress)) -> Result<u64, StoreError> {
        let total = self.journal.bytes_between(from, self.head());
        let (mut at, mut count) = (from, 0);
        loop {
            let (frames, next) = self.raw_frames(at, REPLAY_BYTES, usize::MAX)?;
            let mut rows = Batch::default();
            for frame in &frames {
                self.replay_frame(frame, &mut rows)?;
            }
            count += frames.len() as u64;
            let draft = std::mem::take(&mut self.draft);
            self.put_runs(&draft, &[], &mut rows);
            at = next;
            let done = self.journal.bytes_between(from, at);
            if at >= self.head() {
                rows.put(rows::HEAD, rows::head_value(self.head(), self.journal.chain()));
            }
            self.kv.write(rows)?;
            progress(Progress { task, done, total });
            if at >= self.head() {
                return Ok(count);
            }
        }
    }

    fn replay_frame(&mut self, frame: &RawFrame, rows: &mut Batch) -> Result<(), StoreError> {
        match frame.kind {
            journal::RUN => {
                if let Ok(run) = Run::decode(&frame.body) {
                    self.replay_run(frame.place, run, rows)?;
                }
            }
            journal::RECEIPT => {
                if let Ok(receipt) = Receipt::decode(&frame.body) {
                    let key = rows::receipt_key(&receipt.hub, receipt.store, receipt.scope);
                    if self.receipts.accept(receipt) == Accepted::New {
                        rows.put(key, frame.body.clone());
                    }
                }
            }
            journal::WITHDRAWAL => {
                if let Ok(withdrawal) = Withdrawal::decode(&frame.body) {
                    rows.put(
                        rows::withdrawal_key(&withdrawal.hub, withdrawal.store),
                        frame.body.clone(),
                    );
                    self.receipts.withdraw(withdrawal);
                }
            }
            journal::FACT => {
                if let Ok((key, value)) = decode_fact(&frame.body) {
                    self.put_fact(key, value, rows);
                }
            }
            journal::FACTS => {
                if let Ok(facts) = decode_facts(&frame.body) {
                    for key in std::mem::take(&mut self.facts).into_keys() {
                        rows.delete(rows::fact_key(&key));
                    }
                    for (key, value) in facts {
                        self.put_fact(key, Some(value), rows);
                    }
                }
            }
            // The trusted position was found at the tail; frames of later versions are theirs to read.
            _ => {}
        }
        Ok(())
    }

    fn replay_run(&mut self, place: FrameAt, run: Run, rows: &mut Batch) -> Result<(), StoreError> {
        let run = run.from_own_journal();
        let log = *run.log();
        match self.logs.place(&run, &Overlay(self)) {
            Place::New(attach) => {
                self.logs.attach(&log, &attach);
                self.draft.touched.insert(log);
                let hashes: Vec<Hash> = run.hashes()[attach.skip..].to_vec();
                self.draft.keep(DraftRun {
                    log,
                    attach,
                    hashes,
                    at: DraftAt::Journal(place),
                });
                Ok(())
            }
            Place::Gap { .. } => {
                self.put_dead(place, log, rows);
                Ok(())
            }
            Place::Held => {
                let spot = self.logs.locate(&log, run.tip(), &Overlay(self));
                let Some(spot) = spot else {
                    return Err(KvError("a held entry cannot be found".to_owned()).into());
                };
                if self.draft.has(&log, spot) {
                    self.put_dead(place, log, rows);
                    return Ok(());
                }
                match self.span_at(&log, spot)? {
                    Some(span) if span.place == place => Ok(()),
                    Some(_) => {
                        self.put_dead(place, log, rows);
                        Ok(())
                    }
                    None => Err(KvError("the index lacks a frame that it counts as held".to_owned()).into()),
                }
            }
        }
    }

    pub(super) fn put_dead(&mut self, place: FrameAt, log: LogId, rows: &mut Batch) {
        let dead = rows::Dead { log, len: place.len };
        rows.put(rows::dead_key(place.at), rows::dead_value(&dead));
        self.dead.insert(place.at, dead);
        self.orphans.remove(&log);
    }

    /// Empties the range of one log's rows.
    pub(super) fn drop_spans(&self, number: u32, rows: &mut Batch) -> Result<(), KvError> {
        let (from, until) = rows::spans_of(number);
        self.kv.scan(&from, &until, Order::Rising, &mut |key, _| {
            rows.delete(key);
            Scan::On
        })
    }

    /// All spans of all logs, with the log's number.
    pub(super) fn all_spans(&self, each: &mut dyn FnMut(u32, rows::Span)) -> Result<(), KvError> {
        let prefix = [rows::SPAN];
        self.kv
            .scan(&prefix, &prefix_end(&prefix), Order::Rising, &mut |key, value| {
                if let (Some(number), Some(span)) = (key[1..].first_chunk::<4>(), rows::span(key, value)) {
                    each(u32::from_be_bytes(*number), span);
                }
                Scan::On
            })
    }
}
