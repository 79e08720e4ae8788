//! Damage: holes are recorded, the logs concerned are laid anew from what can still be read, so that peers send the rest again.

use std::collections::{BTreeMap, BTreeSet};

use replica::entry::LogId;
use replica::logs::Place;

use super::rows::{self, Hole};
use super::stage::{Draft, DraftAt, DraftRun, Overlay};
use super::{Moved, Store};
use crate::journal::{FrameAt, HEADER_LEN, Item, Walker};
use crate::kv::Batch;
use crate::types::{Damage, Position, StoreError};

impl Store {
    /// Takes in the damage that reads have met since the last call: the logs concerned are lowered to before it and fetched again.
    /// Answers what is new. Facts are journalled anew. Does nothing while anything is staged: logs are laid anew between commits only.
    pub fn repair(&mut self) -> Result<Vec<Damage>, StoreError> {
        self.check_poison()?;
        if self.has_staged() {
            return Ok(Vec::new());
        }
        let met: Vec<Position> = std::mem::take(&mut *self.met.borrow_mut()).into_iter().collect();
        if met.is_empty() {
            return Ok(Vec::new());
        }
        let segments: BTreeSet<u32> = met.iter().map(|at| at.segment).collect();
        let mut found = BTreeMap::new();
        for number in segments {
            let Some(segment) = self.journal.segments.get(&number) else {
                continue;
            };
            let mut walker = Walker::new(&*self.disk, segment, HEADER_LEN);
            while let Some(item) = walker.next()? {
                if let Item::Damage { at, bytes } = item {
                    found.insert(at, bytes);
                }
            }
        }
        self.met_anew(found)
    }

    /// Reads on in the journal from where the last call ended, at most about `budget` bytes, beginning again after the end, and
    /// takes in the damage it finds. Answers what is new. Does nothing while anything is staged.
    pub fn scrub(&mut self, budget: u64) -> Result<Vec<Damage>, StoreError> {
        self.check_poison()?;
        if self.has_staged() {
            return Ok(Vec::new());
        }
        let mut found = BTreeMap::new();
        let mut left = budget;
        let from = self.scrubbed;
        self.scrubbed = Position::START;
        let mut begun = Vec::new();
        'all: for (number, segment) in self.journal.segments.range(from.segment..) {
            let offset = if *number == from.segment { from.offset } else { 0 };
            if u64::from(offset) < HEADER_LEN {
                begun.push(*number);
            }
            let mut walker = Walker::new(&*self.disk, segment, u64::from(offset));
            loop {
                let start = walker.offset();
                match walker.next()? {
                    None => break,
                    Some(Item::Damage { at, bytes }) => {
                        found.insert(at, bytes);
                    }
                    Some(Item::Frame { .. }) => {}
                }
                left = left.saturating_sub(walker.offset() - start);
                if left == 0 {
                    self.scrubbed = Position {
                        segment: *number,
                        offset: walker.offset() as u32,
                    };
                    break 'all;
                }
            }
        }
        self.mend_headers(&begun);
        self.met_anew(found)
    }

    /// Writes the headers of these segments anew where they do not stand twice any more. This process read them when they were sound;
    /// the next one could read nothing of a segment that has lost both. What the disk refuses now is tried again by the next round.
    pub(super) fn mend_headers(&mut self, segments: &[u32]) {
        for number in segments {
            if let Some(segment) = self.journal.segments.get_mut(number)
                && matches!(segment.header_stands(&*self.disk), Ok(false))
            {
                let _ = segment.mend(&mut *self.disk);
            }
        }
    }

    /// Takes in what is new of the damage found, and journals the facts anew, as some may have lain there.
    pub(super) fn met_anew(&mut self, found: BTreeMap<Position, u64>) -> Result<Vec<Damage>, StoreError> {
        let damaged = self.take_damage(found)?;
        if damaged.is_empty() {
            return Ok(damaged);
        }
        match self.write_facts() {
            // The damage is taken in and is told only now: a full disk must not swallow it. The facts are journalled with the next
            // trusted position.
            Err(StoreError::ReadOnly(_)) => self.facts_moved = Moved::Yes,
            done => done?,
        }
        Ok(damaged)
    }

    /// Records the damage that is not known yet, and lays anew the logs that had entries there.
    fn take_damage(&mut self, found: BTreeMap<Position, u64>) -> Result<Vec<Damage>, StoreError> {
        let fresh: BTreeMap<Position, u64> = found
            .into_iter()
            .filter(|(at, bytes)| self.holes.get(at).is_none_or(|hole| hole.bytes < *bytes))
            .collect();
        if fresh.is_empty() {
            return Ok(Vec::new());
        }
        let mut concerned: BTreeMap<Position, BTreeSet<u32>> = BTreeMap::new();
        self.all_spans(&mut |number, span| {
            if let Some(at) = hole_of(&fresh, span.place) {
                concerned.entry(at).or_default().insert(number);
            }
        })?;
        let logs: BTreeMap<u32, LogId> = self.numbers.iter().map(|(log, number)| (*number, *log)).collect();
        let mut damaged = Vec::new();
        // All in one batch: a log that is known to have a hole and is not lowered would be so for ever, one without its spans would
        // say that it holds what nobody can find.
        let mut rows = Batch::default();
        for (at, bytes) in fresh {
            let reached = concerned
                .get(&at)
                .into_iter()
                .flatten()
                .filter_map(|number| logs.get(number))
                .map(|log| (*log, self.logs.tips(log).iter().map(|tip| tip.seq).max().unwrap_or(0)))
                .collect();
            let hole = Hole { bytes, reached };
            damaged.push(hole.damage(at));
            self.put_hole(at, hole, &mut rows);
        }
        let numbers: BTreeSet<u32> = concerned.into_values().flatten().collect();
        for number in numbers {
            if let Some(log) = logs.get(&number) {
                self.lay_anew(log, number, &mut rows)?;
            }
        }
        self.kv.write(rows)?;
        self.met.borrow_mut().clear();
        Ok(damaged)
    }

    pub(super) fn put_hole(&mut self, at: Position, hole: Hole, rows: &mut Batch) {
        rows.put(rows::damage_key(at), rows::hole_value(&hole));
        self.holes.insert(at, hole);
    }

    /// Rebuilds one log's branches from those of its frames that can be read, in the journal's order. What cannot be reached any
    /// more is dead until the hole is filled.
    fn lay_anew(&mut self, log: &LogId, number: u32, rows: &mut Batch) -> Result<(), StoreError> {
        let mut places: BTreeMap<Position, u32> = BTreeMap::new();
        self.all_spans(&mut |held, span| {
            if held == number {
                places.insert(span.place.at, span.place.len);
            }
        })?;
        for (at, dead) in &self.dead {
            if dead.log == *log {
                places.insert(*at, dead.len);
            }
        }
        // Until they are written the old spans still stand; every entry of the new branches is found in the draft before.
        self.drop_spans(number, rows)?;
        self.hashes.borrow_mut().clear();
        self.orphans.remove(log);
        self.drop_log(log);
        for (at, len) in places {
            let place = FrameAt { at, len };
            if self.dead.remove(&at).is_some() {
                rows.delete(rows::dead_key(at));
            }
            let Ok(run) = self.load_surely(place) else { continue };
            match self.logs.place(&run, &Overlay(self)) {
                Place::New(attach) => {
                    self.logs.attach(log, &attach);
                    let hashes = run.hashes()[attach.skip..].to_vec();
                    self.draft.keep(DraftRun {
                        log: *log,
                        attach,
                        hashes,
                        at: DraftAt::Journal(place),
                    });
                }
                Place::Held | Place::Gap { .. } => self.put_dead(place, *log, rows),
            }
        }
        self.draft.touched.insert(*log);
        let draft: Draft = std::mem::take(&mut self.draft);
        self.put_runs(&draft, &[], rows);
        Ok(())
    }

    /// Nothing of the log is held any more, as far as the RAM knows.
    fn drop_log(&mut self, log: &LogId) {
        const NO_BRANCHES: &[u8] = &[0];
        let restored = self.logs.restore_log(log, NO_BRANCHES);
        assert!(restored.is_ok(), "an empty log can be read");
    }
}

/// The hole that a frame lies in. One that begins in a segment's header is the whole segment: nothing in it can be read.
fn hole_of(holes: &BTreeMap<Position, u64>, place: FrameAt) -> Option<Position> {
    let start = u64::from(place.at.offset);
    let end = start + u64::from(place.len);
    holes
        .iter()
        .filter(|(at, _)| at.segment == place.at.segment)
        .find(|(at, bytes)| at.offset == 0 || (u64::from(at.offset) < end && start < u64::from(at.offset) + *bytes))
        .map(|(at, _)| *at)
}
