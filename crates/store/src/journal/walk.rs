//! Going through a segment frame by frame, over damage too.

use super::segment::{Segment, chain_of};
use super::{CHAIN_LEN, Chain, FRAME_BODY_MAX, FRAME_EXTRA, FRAME_HEAD, FrameAt, HEADER_LEN, failed};
use crate::disk::Disk;
use crate::types::{Position, StoreError};

/// Read at once; a room's PC has little memory.
const WINDOW: usize = 512 * 1024;

/// What lies next in a segment.
pub(crate) enum Item<'a> {
    Frame {
        place: FrameAt,
        /// The kind with the marks of the commit's ends.
        marked: u8,
        kind: u8,
        body: &'a [u8],
        /// As it stands in the frame; not proved.
        chain: Chain,
    },
    /// These bytes are no frame. They reach to the next valid frame, or to the end of the segment.
    Damage { at: Position, bytes: u64 },
}

/// A cursor over one segment.
pub(crate) struct Walker<'a> {
    disk: &'a dyn Disk,
    segment: &'a Segment,
    name: String,
    at: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl<'a> Walker<'a> {
    /// Starts at `offset`, which must lie between two frames; the first frame when it lies in the header.
    pub(crate) fn new(disk: &'a dyn Disk, segment: &'a Segment, offset: u64) -> Self {
        Self {
            disk,
            segment,
            name: segment.name(),
            at: offset.max(HEADER_LEN),
            window: Vec::new(),
            window_at: 0,
        }
    }

    /// Where the next item begins.
    pub(crate) fn offset(&self) -> u64 {
        self.at
    }

    /// The next frame or damage; `None` at the end. Errors are the disk's.
    pub(crate) fn next(&mut self) -> Result<Option<Item<'_>>, StoreError> {
        if self.at >= self.segment.len {
            return Ok(None);
        }
        let start = self.at;
        let position = Position {
            segment: self.segment.number,
            offset: start as u32,
        };
        let Some((len, marked, kind)) = self.frame_at(start)? else {
            self.at = self.search(start + 1)?;
            return Ok(Some(Item::Damage {
                at: position,
                bytes: self.at - start,
            }));
        };
        self.at = start + len as u64;
        let from = (start - self.window_at) as usize;
        let frame = &self.window[from..from + len];
        Ok(Some(Item::Frame {
            place: FrameAt {
                at: position,
                len: len as u32,
            },
            marked,
            kind,
            body: &frame[FRAME_HEAD..len - CHAIN_LEN],
            chain: chain_of(frame),
        }))
    }

    fn frame_at(&mut self, offset: u64) -> Result<Option<(usize, u8, u8)>, StoreError> {
        let segment = self.segment;
        let Some(len) = segment.frame_len(self.bytes(offset, FRAME_HEAD)?) else {
            return Ok(None);
        };
        let parsed = segment.parse(self.bytes(offset, len)?);
        Ok(parsed.map(|frame| (frame.len, frame.marked, frame.kind)))
    }

    /// The offset of the first valid frame from `offset` on, or the segment's end.
    fn search(&mut self, mut offset: u64) -> Result<u64, StoreError> {
        let marker = self.segment.marker();
        let end = self.segment.len;
        while offset + FRAME_EXTRA as u64 <= end {
            let bytes = self.bytes(offset, WINDOW)?;
            match bytes.windows(marker.len()).position(|four| four == marker) {
                None => offset += (bytes.len().max(marker.len()) - marker.len() + 1) as u64,
                Some(ahead) => {
                    offset += ahead as u64;
                    if self.frame_at(offset)?.is_some() {
                        return Ok(offset);
                    }
                    offset += 1;
                }
            }
        }
        Ok(end)
    }

    /// Up to `want` bytes at `offset`: fewer at the segment's end.
    fn bytes(&mut self, offset: u64, want: usize) -> Result<&[u8], StoreError> {
        let left = self.segment.len.saturating_sub(offset);
        let want = usize::try_from(left).unwrap_or(usize::MAX).min(want);
        let held = self.window_at..self.window_at + self.window.len() as u64;
        if !(held.contains(&offset) && offset + want as u64 <= held.end) {
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(want.max(WINDOW));
            self.window = self.read(offset, take)?;
            self.window_at = offset;
        }
        let from = (offset - self.window_at) as usize;
        Ok(&self.window[from..(from + want).min(self.window.len())])
    }

    /// Reads; where the disk refuses, piece by piece, with zeros for what it cannot give: they count as damage.
    fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        const PIECE: usize = 4096;
        assert!(len <= FRAME_BODY_MAX + WINDOW, "a window larger than a frame");
        let whole = self.disk.read_at(&self.name, offset, len);
        if let Ok(bytes) = whole {
            return Ok(bytes);
        }
        let mut bytes = vec![0; len];
        let mut refused = None;
        let mut given = 0;
        for (number, piece) in bytes.chunks_mut(PIECE).enumerate() {
            match self
                .disk
                .read_at(&self.name, offset + (number * PIECE) as u64, piece.len())
            {
                Ok(read) => {
                    piece.copy_from_slice(&read);
                    given += 1;
                }
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            // Nothing at all could be read: that is no damaged sector but a missing disk.
            Some(error) if given == 0 => Err(failed("reading the journal")(error)),
            _ => Ok(bytes),
        }
    }
}
