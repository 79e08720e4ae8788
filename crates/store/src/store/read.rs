//! Reading: runs for peers, hashes, bodies, and the journal in order for those who derive rows.

use std::sync::Arc;

use ledger::id::Hash;
use replica::entry::{Entry, LogId, Tip};
use replica::logs::{Hashes, Spot};
use replica::receipt::{Receipt, Withdrawal};
use replica::run::{RUN_BYTES_MAX, RUN_ENTRIES_MAX, Run, VerifiedRun};
use replica::wire::Reader;

use super::facts::decode_fact;
use super::{Store, rows};
use crate::journal::{self, FRAME_HEAD, FrameAt, Item, Walker};
use crate::kv::{KvError, Order};
use crate::types::{EntryAt, FrameEntry, JournalFrame, Merge, Position, RunFrame, StoreError};

/// Runs are joined up to this size: far below what a run may have, as the pieces of a fork must always fit into one.
const MERGED_BYTES_MAX: usize = 64 * 1024;
/// What an entry costs beside its body, at most.
const ENTRY_EXTRA: usize = 8;
/// What a run costs beside its entries, at most.
const RUN_EXTRA: usize = 256;
/// Frames whose hashes are kept: questions of ancestry ask for neighbours.
const HASHES_CACHED: usize = 32;

/// A frame as it lies in the journal.
pub(super) struct RawFrame {
    pub(super) place: FrameAt,
    pub(super) kind: u8,
    pub(super) body: Vec<u8>,
}

/// A run being put together for sending; without a signature it may not end here.
struct Building {
    run: Run,
    bytes: usize,
    signed: Signed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Signed {
    Yes,
    No,
}

impl Store {
    /// The entries of `log` after `after` up to `to` (both durable here, `after` below `to`), as runs of together about `bytes_max`
    /// bytes, but at least one; fewer than asked for when the bytes do not suffice or a hole was met ([`Store::repair`]). The last
    /// run may reach past `to` where no checkpoint lies at it. Every entry is proved against the chain.
    pub fn read(
        &self,
        log: &LogId,
        after: Tip,
        to: Tip,
        bytes_max: usize,
        merge: Merge,
    ) -> Result<Vec<Run>, StoreError> {
        let end = self
            .logs
            .locate(log, to, self)
            .ok_or(StoreError::NotHeld("the entry to read to"))?;
        let path = self.logs.path(log, end);
        if after != Tip::START {
            let start = self.logs.locate(log, after, self);
            if !start.is_some_and(|start| self.logs.is_below(log, start, end)) {
                return Err(StoreError::NotHeld("the entry to read from"));
            }
        }
        let mut reading = Reading {
            runs: Vec::new(),
            bytes: 0,
            building: None,
            at: after,
        };
        for (number, &(branch, _, last)) in path.iter().enumerate() {
            let until = if number + 1 == path.len() { u64::MAX } else { last };
            while reading.at.seq < last {
                if reading.is_full(bytes_max) {
                    return Ok(reading.finish());
                }
                let part = match self.part(log, branch, reading.at, until) {
                    Ok(part) => part,
                    Err(error) if reading.runs.is_empty() && reading.building.is_none() => return Err(error),
                    Err(_) => return Ok(reading.finish()),
                };
                if !reading.take(part, bytes_max, merge) {
                    return Ok(reading.finish());
                }
            }
        }
        Ok(reading.finish())
    }

    /// The entries of one frame after `at`, up to `until`, as a run; unsigned when it does not reach the frame's checkpoint.
    fn part(&self, log: &LogId, branch: u32, at: Tip, until: u64) -> Result<Building, StoreError> {
        let spot = Spot {
            branch,
            seq: at.seq + 1,
        };
        let span = self
            .span_at(log, spot)?
            .ok_or(StoreError::NotHeld("a frame of the log"))?;
        let verified = self.load(span.place)?;
        let damaged = || self.meet(span.place.at);
        let whole = verified.run();
        let skip = at.seq.checked_sub(whole.prev.seq).ok_or_else(damaged)? as usize;
        let before = if skip == 0 {
            whole.prev.hash
        } else {
            *verified.hashes().get(skip - 1).ok_or_else(damaged)?
        };
        // What fails its chain is never served, whatever the checksum says.
        if whole.log != *log || before != at.hash || verified.tip().seq != span.last {
            return Err(damaged());
        }
        let take = (until.min(span.last) - at.seq) as usize;
        let entries: Vec<Entry> = whole.entries[skip..skip + take].to_vec();
        let bytes = entries.iter().map(|entry| entry.body.len() + ENTRY_EXTRA).sum();
        Ok(Building {
            run: Run {
                log: *log,
                prev: at,
                entries,
                signature: whole.signature,
            },
            bytes,
            signed: if skip + take == whole.entries.len() {
                Signed::Yes
            } else {
                Signed::No
            },
        })
    }

    /// The run in a frame, its checksum proved and its chain computed.
    pub(super) fn load(&self, place: FrameAt) -> Result<VerifiedRun, StoreError> {
        let damaged = || self.meet(place.at);
        let (kind, body) = self.journal.frame(&*self.disk, place).map_err(|_| damaged())?;
        if kind != journal::RUN {
            return Err(damaged());
        }
        Run::decode(&body).map(Run::from_own_journal).map_err(|_| damaged())
    }

    /// As [`Store::load`], and once more where the disk could not read: for what is not asked a second time.
    pub(super) fn load_surely(&self, place: FrameAt) -> Result<VerifiedRun, StoreError> {
        self.load(place).or_else(|_| self.load(place))
    }

    /// A read has failed here. Where no damage is known it may have been for this once: [`Store::repair`] finds out, and whoever
    /// builds on the read looks at [`Store::doubts`].
    fn meet(&self, at: Position) -> StoreError {
        if !self.is_hole(at) {
            self.met.borrow_mut().insert(at);
            self.doubts.set(self.doubts.get() + 1);
        }
        StoreError::Damaged { at }
    }

    /// Grows with every read that failed where no damage is known. What was answered meanwhile ("not held", "no ancestor") may be
    /// wrong, and is to be asked again after [`Store::repair`].
    pub fn doubts(&self) -> u64 {
        self.doubts.get()
    }

    /// Whether reads have failed since the last [`Store::repair`].
    pub fn is_in_doubt(&self) -> bool {
        !self.met.borrow().is_empty()
    }

    /// Whether a place lies in damage that is known: what was there has left the logs, and is fetched again.
    pub fn is_hole(&self, at: Position) -> bool {
        let before = self.holes.range(Position { offset: 0, ..at }..=at);
        before
            .rev()
            .any(|(start, hole)| start.offset == 0 || u64::from(at.offset) < u64::from(start.offset) + hole.bytes)
    }

    /// Whether a place lies in a frame that can be read and follows from nothing that is held: it stands behind damage, or twice.
    pub fn is_dead(&self, at: Position) -> bool {
        let before = self.dead.range(Position { offset: 0, ..at }..=at).next_back();
        before.is_some_and(|(start, dead)| u64::from(at.offset) < u64::from(start.offset) + u64::from(dead.len))
    }

    /// The frame that holds an entry.
    pub(super) fn span_at(&self, log: &LogId, spot: Spot) -> Result<Option<rows::Span>, KvError> {
        let Some(&number) = self.numbers.get(log) else {
            return Ok(None);
        };
        let from = rows::span_key(number, spot.branch, spot.seq);
        let until = rows::span_key(number, spot.branch, u64::MAX);
        let rows = self.kv.range(&from, &until, Order::Rising, 1)?;
        Ok(rows
            .first()
            .and_then(|(key, value)| rows::span(key, value))
            .filter(|span| span.first <= spot.seq))
    }

    /// The body of one entry, its checksum proved; `Damaged` when it does not hold.
    pub fn body(&self, at: EntryAt) -> Result<Vec<u8>, StoreError> {
        let position = Position {
            segment: at.segment,
            offset: at.offset,
        };
        let Some(segment) = self.journal.segments.get(&at.segment) else {
            return Err(StoreError::Damaged { at: position });
        };
        match self
            .disk
            .read_at(&segment.name(), u64::from(at.offset), at.len as usize)
        {
            Ok(bytes) if crc32c::crc32c(&bytes) == at.crc => Ok(bytes),
            _ => Err(self.meet(position)),
        }
    }

    /// At most `max` frames after `after` in the journal's order, each with the position behind it. Frames that say nothing to the
    /// office, damaged places, and runs that lie in no branch are left out. Fewer than `max` only at the end. `Damaged` when a place
    /// cannot be read that was not known to be damaged: it is left out once [`Store::repair`] has taken that in.
    pub fn frames_after(&self, after: Position, max: usize) -> Result<Vec<(Position, JournalFrame)>, StoreError> {
        const BYTES: usize = 1024 * 1024;
        let (mut at, mut frames) = (after, Vec::new());
        let doubts = self.doubts();
        while frames.len() < max && at < self.head() {
            let (raw, next) = self.raw_frames(at, BYTES, max - frames.len())?;
            if self.doubts() != doubts {
                return Err(StoreError::Damaged { at });
            }
            at = next;
            for frame in raw {
                let behind = Position {
                    segment: frame.place.at.segment,
                    offset: frame.place.at.offset + frame.place.len,
                };
                frames.extend(self.journal_frame(frame).map(|frame| (behind, frame)));
            }
        }
        Ok(frames)
    }

    fn journal_frame(&self, frame: RawFrame) -> Option<JournalFrame> {
        match frame.kind {
            journal::RUN if !self.dead.contains_key(&frame.place.at) => run_frame(&frame).map(JournalFrame::Run),
            journal::RECEIPT => Receipt::decode(&frame.body).ok().map(JournalFrame::Receipt),
            journal::WITHDRAWAL => Withdrawal::decode(&frame.body).ok().map(JournalFrame::Withdrawal),
            journal::FACT => decode_fact(&frame.body)
                .ok()
                .map(|(key, value)| JournalFrame::Fact { key, value }),
            _ => None,
        }
    }

    /// Frames from `from` on: at most `max`, and no more once there are `bytes`. Answers where to go on, too.
    pub(super) fn raw_frames(
        &self,
        from: Position,
        bytes: usize,
        max: usize,
    ) -> Result<(Vec<RawFrame>, Position), StoreError> {
        let (mut frames, mut held) = (Vec::new(), 0);
        let mut at = from;
        for (number, segment) in self.journal.segments.range(from.segment..) {
            let offset = if *number == from.segment { from.offset } else { 0 };
            let mut walker = Walker::new(&*self.disk, segment, u64::from(offset));
            loop {
                if frames.len() >= max || held >= bytes {
                    return Ok((frames, at));
                }
                let (place, kind, body) = match walker.next()? {
                    Some(Item::Frame { place, kind, body, .. }) => (place, kind, body.to_vec()),
                    Some(Item::Damage { at, .. }) => {
                        self.meet(at);
                        continue;
                    }
                    None => break,
                };
                held += body.len();
                frames.push(RawFrame { place, kind, body });
                at = Position {
                    segment: *number,
                    offset: walker.offset() as u32,
                };
            }
        }
        Ok((frames, self.head()))
    }
}

impl Hashes for Store {
    fn hash(&self, log: &LogId, spot: Spot) -> Option<Hash> {
        let span = self.span_at(log, spot).ok()??;
        let index = usize::try_from(spot.seq - span.first).ok()?;
        let mut cached = self.hashes.borrow_mut();
        if let Some((_, hashes)) = cached.iter().find(|(place, _)| *place == span.place) {
            return hashes.get(index).copied();
        }
        let run = self.load(span.place).ok()?;
        // The row may count from a later entry than the frame does, never from an earlier one.
        let skip = usize::try_from(span.first.checked_sub(run.run().prev.seq + 1)?).ok()?;
        let hashes = Arc::new(run.hashes().get(skip..)?.to_vec());
        let hash = hashes.get(index).copied();
        cached.push_front((span.place, hashes));
        cached.truncate(HASHES_CACHED);
        hash
    }
}

/// What has been read so far for one answer.
struct Reading {
    runs: Vec<Run>,
    bytes: usize,
    building: Option<Building>,
    at: Tip,
}

impl Building {
    /// Whether a run of both is within the limits of runs.
    fn joins(&self, part: &Building) -> bool {
        self.bytes + part.bytes + RUN_EXTRA <= RUN_BYTES_MAX
            && self.run.entries.len() + part.run.entries.len() <= RUN_ENTRIES_MAX
    }
}

impl Reading {
    fn is_full(&self, bytes_max: usize) -> bool {
        let signed = self
            .building
            .as_ref()
            .is_none_or(|building| building.signed == Signed::Yes);
        signed && self.bytes >= bytes_max
    }

    /// Takes in the next part; answers no when it is too much.
    fn take(&mut self, part: Building, bytes_max: usize, merge: Merge) -> bool {
        let must_join = self
            .building
            .as_ref()
            .is_some_and(|building| building.signed == Signed::No);
        if !must_join && self.bytes > 0 && self.bytes + part.bytes > bytes_max {
            return false;
        }
        // Only an author who means harm signs so much at once and forks inside of it: nobody could take the run that both make.
        if must_join && self.building.as_ref().is_some_and(|building| !building.joins(&part)) {
            self.building = None;
            return false;
        }
        self.bytes += part.bytes;
        let mut at = part.run.prev;
        for entry in &part.run.entries {
            at = Tip {
                seq: at.seq + 1,
                hash: entry.hash(&part.run.log, at),
            };
        }
        self.at = at;
        match &mut self.building {
            Some(building)
                if must_join
                    || (merge == Merge::Merged
                        && building.bytes + part.bytes <= MERGED_BYTES_MAX
                        && building.run.entries.len() + part.run.entries.len() <= RUN_ENTRIES_MAX) =>
            {
                building.run.entries.extend(part.run.entries);
                building.run.signature = part.run.signature;
                building.bytes += part.bytes;
                building.signed = part.signed;
            }
            _ => {
                let before = self.building.replace(part);
                self.runs.extend(before.map(|building| building.run));
            }
        }
        true
    }

    /// The runs that end at a checkpoint.
    fn finish(mut self) -> Vec<Run> {
        if let Some(building) = self.building.take()
            && building.signed == Signed::Yes
        {
            self.runs.push(building.run);
        }
        self.runs
    }
}

fn run_frame(frame: &RawFrame) -> Option<RunFrame> {
    let run = Run::decode(&frame.body).ok()?;
    let spans = spans(&frame.body)?;
    let start = frame.place.at.offset + FRAME_HEAD as u32;
    let mut tip = run.prev;
    let mut entries = Vec::with_capacity(run.entries.len());
    for (entry, (offset, len)) in run.entries.into_iter().zip(spans) {
        tip = Tip {
            seq: tip.seq + 1,
            hash: entry.hash(&run.log, tip),
        };
        let at = EntryAt {
            segment: frame.place.at.segment,
            offset: start + offset,
            len,
            crc: crc32c::crc32c(&entry.body),
        };
        entries.push(FrameEntry { entry, tip, at });
    }
    Some(RunFrame {
        log: run.log,
        prev: run.prev,
        entries,
    })
}

/// Where the bodies lie in an encoded run: offset and length (WIRE.md, "Run").
fn spans(run: &[u8]) -> Option<Vec<(u32, u32)>> {
    let mut r = Reader::new(run);
    r.array::<{ 1 + 17 + 32 + 8 }>().ok()?;
    r.varint().ok()?;
    r.array::<32>().ok()?;
    let count = r.varint().ok()?;
    let mut spans = Vec::new();
    for _ in 0..count {
        r.byte().ok()?;
        let body = r.bytes("entry", run.len()).ok()?;
        spans.push(((run.len() - r.remaining() - body.len()) as u32, body.len() as u32));
    }
    Some(spans)
}
