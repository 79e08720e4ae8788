//! The journal (流水文件): segments of framed bytes, only ever appended to. JOURNAL.md is its specification.

mod segment;
mod walk;

use std::collections::BTreeMap;
use std::io;

use sha2::{Digest, Sha256};

pub(crate) use segment::{HEADER_LEN, Header, Segment};
pub(crate) use walk::{Item, Walker};

use crate::disk::{Disk, is_full};
use crate::types::{Position, StoreError};

/// A frame holds one run (at most 1 MiB), one receipt or the facts.
pub(crate) const FRAME_BODY_MAX: usize = 2 * 1024 * 1024;

/// Marker, length, CRC, kind.
pub(crate) const FRAME_HEAD: usize = 13;
pub(crate) const CHAIN_LEN: usize = 16;
pub(crate) const FRAME_EXTRA: usize = FRAME_HEAD + CHAIN_LEN;

/// Marks the first and the last frame of a commit in the kind byte: a torn commit is told from damage by them.
pub(crate) const FIRST: u8 = 0x40;
pub(crate) const LAST: u8 = 0x80;
pub(crate) const KIND_MASK: u8 = 0x3f;

pub(crate) const RUN: u8 = 1;
pub(crate) const RECEIPT: u8 = 2;
pub(crate) const WITHDRAWAL: u8 = 3;
pub(crate) const FACT: u8 = 4;
pub(crate) const FACTS: u8 = 5;
pub(crate) const TRUST: u8 = 6;

pub(crate) type Chain = [u8; CHAIN_LEN];

/// All segments, and where the next frame goes.
pub(crate) struct Journal {
    /// Those that can be read. There is at least one, and the last takes the frames.
    pub(crate) segments: BTreeMap<u32, Segment>,
    chain: Chain,
}

/// Frames of one commit, not yet on the disk.
#[derive(Default)]
pub(crate) struct Pending {
    frames: Vec<(u8, Vec<u8>)>,
    bytes: u64,
}

impl Pending {
    /// Adds a frame; answers its number within the commit.
    pub(crate) fn push(&mut self, kind: u8, body: Vec<u8>) -> usize {
        assert!(body.len() <= FRAME_BODY_MAX, "a frame longer than the journal takes");
        self.bytes += (body.len() + FRAME_EXTRA) as u64;
        self.frames.push((kind, body));
        self.frames.len() - 1
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }
}

/// Why frames were not written.
pub(crate) enum AppendError {
    /// The disk is full; nothing was written.
    Full,
    /// What is on the disk is not known any more.
    Unknown(StoreError),
}

/// Where a frame lies, its head and chain included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FrameAt {
    pub(crate) at: Position,
    pub(crate) len: u32,
}

pub(crate) fn failed(doing: &'static str) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::Disk { doing, source }
}

impl Journal {
    /// Begins a journal in an empty folder.
    pub(crate) fn begin(disk: &mut dyn Disk) -> Result<Self, StoreError> {
        let mut journal = Self {
            segments: BTreeMap::new(),
            chain: Chain::default(),
        };
        journal
            .roll(disk, 1, Position::START)
            .map_err(failed("beginning the journal"))?;
        Ok(journal)
    }

    /// A journal whose last segment, number `lost`, cannot be read at all: it goes on in a new one.
    pub(crate) fn follow(disk: &mut dyn Disk, segments: BTreeMap<u32, Segment>, lost: u32) -> Result<Self, StoreError> {
        let mut journal = Self {
            segments,
            chain: Chain::default(),
        };
        journal
            .roll(disk, lost + 1, Position::START)
            .map_err(failed("going on with the journal"))?;
        Ok(journal)
    }

    /// A journal of segments found; `chain` is that of the last frame. There is at least one segment.
    pub(crate) fn found(segments: BTreeMap<u32, Segment>, chain: Chain) -> Self {
        assert!(!segments.is_empty(), "a journal has a segment");
        Self { segments, chain }
    }

    /// Behind the last frame.
    pub(crate) fn head(&self) -> Position {
        let last = self.last();
        Position {
            segment: last.number,
            offset: u32::try_from(last.len).unwrap_or(u32::MAX),
        }
    }

    /// The chain value of the last frame.
    pub(crate) fn chain(&self) -> Chain {
        self.chain
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.len).sum()
    }

    /// Bytes of the segments between two positions; the first must not lie behind the second.
    pub(crate) fn bytes_between(&self, from: Position, to: Position) -> u64 {
        let before = |at: Position| -> u64 {
            let whole: u64 = self.segments.range(..at.segment).map(|(_, segment)| segment.len).sum();
            whole + u64::from(at.offset)
        };
        before(to).saturating_sub(before(from))
    }

    /// The file that takes the frames.
    pub(crate) fn last_name(&self) -> String {
        self.last().name()
    }

    fn last(&self) -> &Segment {
        match self.segments.last_key_value() {
            Some((_, segment)) => segment,
            None => unreachable!("a journal has a segment"),
        }
    }

    /// Begins a new segment that follows the last one.
    fn roll(&mut self, disk: &mut dyn Disk, number: u32, trusted: Position) -> io::Result<()> {
        let segment = Segment::begin(disk, number, self.chain, trusted)?;
        self.chain = segment.first_chain();
        self.segments.insert(number, segment);
        Ok(())
    }

    /// Writes the frames with one write and one sync; answers where each of them lies.
    pub(crate) fn append(
        &mut self,
        disk: &mut dyn Disk,
        pending: &Pending,
        trusted: Position,
    ) -> Result<Vec<FrameAt>, AppendError> {
        if self.last().len > HEADER_LEN && self.last().len + pending.bytes > disk.segment_bytes() {
            match self.roll(disk, self.last().number + 1, trusted) {
                Ok(()) => {}
                Err(error) if is_full(&error) => return Err(AppendError::Full),
                Err(error) => return Err(AppendError::Unknown(failed("beginning a segment")(error))),
            }
        }
        let (bytes, places, chain) = self.encode(pending);
        let Some((_, last)) = self.segments.iter_mut().next_back() else {
            unreachable!("a journal has a segment")
        };
        let name = last.name();
        let written = disk.append(&name, &bytes);
        if let Err(error) = written {
            let full = is_full(&error);
            // What was half written must go, else later frames would follow garbage.
            let cut = disk.truncate(&name, last.len).and_then(|()| disk.sync_data(&name));
            return Err(match cut {
                Ok(()) if full => AppendError::Full,
                _ => AppendError::Unknown(failed("writing the journal")(error)),
            });
        }
        if let Err(error) = disk.sync_data(&name) {
            // The kernel may now call these bytes clean though they never reached the disk: they must not be taken for
            // durable when the journal is opened again. Best effort, as the disk is failing.
            let _ = disk.truncate(&name, last.len);
            return Err(AppendError::Unknown(failed("syncing the journal")(error)));
        }
        last.len += bytes.len() as u64;
        self.chain = chain;
        Ok(places)
    }

    fn encode(&self, pending: &Pending) -> (Vec<u8>, Vec<FrameAt>, Chain) {
        let segment = self.last();
        let mut bytes = Vec::with_capacity(usize::try_from(pending.bytes).unwrap_or(0));
        let mut places = Vec::with_capacity(pending.frames.len());
        let mut chain = self.chain;
        for (number, (kind, body)) in pending.frames.iter().enumerate() {
            let mut marked = *kind;
            if number == 0 {
                marked |= FIRST;
            }
            if number + 1 == pending.frames.len() {
                marked |= LAST;
            }
            let start = bytes.len();
            chain = next_chain(&chain, marked, body);
            bytes.extend_from_slice(&segment.marker());
            bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.push(marked);
            bytes.extend_from_slice(body);
            bytes.extend_from_slice(&chain);
            let crc = segment.crc(body.len() as u32, &bytes[start + 12..]);
            bytes[start + 8..start + 12].copy_from_slice(&crc.to_le_bytes());
            places.push(FrameAt {
                at: Position {
                    segment: segment.number,
                    offset: (segment.len + start as u64) as u32,
                },
                len: (bytes.len() - start) as u32,
            });
        }
        (bytes, places, chain)
    }

    /// The kind and body of the frame at `place`, its CRC proved. `Damaged` when it does not hold.
    pub(crate) fn frame(&self, disk: &dyn Disk, place: FrameAt) -> Result<(u8, Vec<u8>), StoreError> {
        let damaged = StoreError::Damaged { at: place.at };
        let Some(segment) = self.segments.get(&place.at.segment) else {
            return Err(damaged);
        };
        let bytes = match disk.read_at(&segment.name(), u64::from(place.at.offset), place.len as usize) {
            Ok(bytes) => bytes,
            // A sector that cannot be read is damage like any other.
            Err(_) => return Err(damaged),
        };
        match segment.parse(&bytes) {
            Some(frame) if frame.len == bytes.len() => {
                let body = bytes[FRAME_HEAD..bytes.len() - CHAIN_LEN].to_vec();
                Ok((frame.kind, body))
            }
            _ => Err(damaged),
        }
    }

    /// The chain value that a frame beginning at `at` continues; `None` when there is no such place.
    pub(crate) fn chain_before(&self, disk: &dyn Disk, at: Position) -> Option<Chain> {
        let segment = self.segments.get(&at.segment)?;
        let offset = u64::from(at.offset);
        if offset == HEADER_LEN {
            return Some(segment.first_chain());
        }
        if offset < HEADER_LEN + FRAME_EXTRA as u64 || offset > segment.len {
            return None;
        }
        let bytes = disk
            .read_at(&segment.name(), offset - CHAIN_LEN as u64, CHAIN_LEN)
            .ok()?;
        bytes.try_into().ok()
    }
}

/// Each frame's chain value covers the one before: frames cannot be taken out, put in or moved unseen.
pub(crate) fn next_chain(chain: &Chain, marked: u8, body: &[u8]) -> Chain {
    let mut h = Sha256::new();
    h.update(b"cunlian frame 1");
    h.update(chain);
    h.update([marked]);
    h.update((body.len() as u32).to_le_bytes());
    h.update(body);
    cut_hash(h)
}

fn cut_hash(h: Sha256) -> Chain {
    let mut chain = Chain::default();
    chain.copy_from_slice(&h.finalize()[..CHAIN_LEN]);
    chain
}
