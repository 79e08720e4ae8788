//! One file of the journal: its header, and what a frame in it looks like.

use std::io;

use sha2::{Digest, Sha256};

use super::{CHAIN_LEN, Chain, FRAME_BODY_MAX, FRAME_EXTRA, FRAME_HEAD, KIND_MASK, cut_hash, failed};
use crate::disk::{Disk, sync_or_write_again};
use crate::types::{Position, StoreError};

const MAGIC: &[u8; 8] = b"CLJOURN\n";
const VERSION: u32 = 1;
const COPY_LEN: usize = 64;
/// The header stands twice: one flipped bit must not cost a segment.
pub(crate) const HEADER_LEN: u64 = 2 * COPY_LEN as u64;
const PREFIX: &str = "journal-";
/// Of a segment's number in its name.
const DIGITS: usize = 8;

/// A segment's header and length.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) len: u64,
    /// Whether the file's header stands twice, as it should.
    pub(crate) header: Header,
    /// Unknown to peers, so that no body of theirs can pass for a frame when the frames are searched for after damage.
    salt: [u8; 16],
    /// The chain value of the last frame of the segment before.
    pub(crate) previous: Chain,
    /// The trusted index position when the segment was begun.
    pub(crate) trusted: Position,
}

/// How a segment's header was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Header {
    Whole,
    /// One of the two copies is damaged or missing.
    Half,
}

/// A frame found in bytes.
pub(crate) struct Parsed {
    /// With head and chain.
    pub(crate) len: usize,
    pub(crate) marked: u8,
    pub(crate) kind: u8,
}

impl Segment {
    /// Makes the file, durable under its name, with nothing but the header.
    pub(super) fn begin(disk: &mut dyn Disk, number: u32, previous: Chain, trusted: Position) -> io::Result<Segment> {
        let segment = Segment {
            number,
            len: HEADER_LEN,
            header: Header::Whole,
            salt: disk.nonce()?,
            previous,
            trusted,
        };
        let name = segment.name();
        let draft = format!("{name}.new");
        disk.remove(&draft)?;
        disk.create(&draft)?;
        let copy = segment.encode();
        disk.append(&draft, &[copy, copy].concat())?;
        disk.sync_data(&draft)?;
        disk.rename(&draft, &name)?;
        disk.sync_dir()?;
        Ok(segment)
    }

    /// The numbers of the segments among `names`.
    pub(crate) fn numbers(names: &[String]) -> Vec<u32> {
        names
            .iter()
            // Exactly as they are written here: somebody's copy beside them is no segment, nor are all that it would leave missing.
            .filter_map(|name| name.strip_prefix(PREFIX).filter(|number| number.len() == DIGITS))
            .filter_map(|number| number.parse().ok())
            .collect()
    }

    /// Reads the header of a segment; `None` when both copies are damaged.
    pub(crate) fn open(disk: &dyn Disk, number: u32) -> Result<Option<Segment>, StoreError> {
        let name = Self::name_of(number);
        let Some(len) = disk.len(&name).map_err(failed("opening a segment"))? else {
            return Ok(None);
        };
        let have = usize::try_from(len.min(HEADER_LEN)).unwrap_or(0);
        let bytes = disk.read_at(&name, 0, have).map_err(failed("reading a segment"))?;
        for copy in bytes.chunks_exact(COPY_LEN) {
            if let Some((version, mut segment)) = Self::decode(copy) {
                if version != VERSION {
                    return Err(StoreError::Version { file: name, version });
                }
                if segment.number == number {
                    segment.len = len;
                    let copy = segment.encode();
                    if bytes == [copy, copy].concat() {
                        segment.header = Header::Whole;
                    }
                    return Ok(Some(segment));
                }
            }
        }
        Ok(None)
    }

    /// Whether the file's header stands twice, as this process knows it.
    pub(crate) fn header_stands(&self, disk: &dyn Disk) -> io::Result<bool> {
        let copy = self.encode();
        Ok(disk.read_at(&self.name(), 0, 2 * COPY_LEN)? == [copy, copy].concat())
    }

    /// Writes both copies of the header anew, from the one that could be read.
    pub(crate) fn mend(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        let copy = self.encode();
        disk.write_at(&self.name(), 0, &[copy, copy].concat())?;
        sync_or_write_again(disk, &self.name())?;
        self.header = Header::Whole;
        self.len = self.len.max(HEADER_LEN);
        Ok(())
    }

    pub(crate) fn name(&self) -> String {
        Self::name_of(self.number)
    }

    pub(crate) fn name_of(number: u32) -> String {
        format!("{PREFIX}{number:08}")
    }

    fn encode(&self) -> [u8; COPY_LEN] {
        let mut bytes = [0; COPY_LEN];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.salt);
        bytes[32..48].copy_from_slice(&self.previous);
        bytes[48..56].copy_from_slice(&self.trusted.to_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<(u32, Segment)> {
        let word = |at: usize| bytes[at..at + 4].try_into().map(u32::from_le_bytes).ok();
        if bytes.len() != COPY_LEN || &bytes[..8] != MAGIC || word(60)? != crc32c::crc32c(&bytes[..60]) {
            return None;
        }
        let segment = Segment {
            number: word(12)?,
            len: 0,
            header: Header::Half,
            salt: bytes[16..32].try_into().ok()?,
            previous: bytes[32..48].try_into().ok()?,
            trusted: Position::from_bytes(bytes[48..56].try_into().ok()?),
        };
        Some((word(8)?, segment))
    }

    /// The chain value that the first frame continues.
    pub(crate) fn first_chain(&self) -> Chain {
        let mut h = Sha256::new();
        h.update(b"cunlian segment 1");
        h.update(self.encode());
        cut_hash(h)
    }

    /// The four bytes that begin every frame of this segment.
    pub(crate) fn marker(&self) -> [u8; 4] {
        [self.salt[0], self.salt[1], self.salt[2], self.salt[3]]
    }

    /// The CRC of a frame: over the salt, the body's length, and all bytes from the kind to the chain.
    pub(crate) fn crc(&self, body_len: u32, from_kind: &[u8]) -> u32 {
        let crc = crc32c::crc32c(&self.salt[4..]);
        crc32c::crc32c_append(crc32c::crc32c_append(crc, &body_len.to_le_bytes()), from_kind)
    }

    /// How long the frame is that seems to begin with `head`; `None` when none does.
    pub(crate) fn frame_len(&self, head: &[u8]) -> Option<usize> {
        let head: &[u8; FRAME_HEAD] = head.first_chunk()?;
        let len = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        (head[..4] == self.marker() && len <= FRAME_BODY_MAX).then_some(len + FRAME_EXTRA)
    }

    /// The frame at the start of `bytes`, its CRC proved.
    pub(crate) fn parse(&self, bytes: &[u8]) -> Option<Parsed> {
        let len = self.frame_len(bytes)?;
        let frame = bytes.get(..len)?;
        let crc = u32::from_le_bytes([frame[8], frame[9], frame[10], frame[11]]);
        if crc != self.crc((len - FRAME_EXTRA) as u32, &frame[12..]) {
            return None;
        }
        let marked = frame[12];
        Some(Parsed {
            len,
            marked,
            kind: marked & KIND_MASK,
        })
    }
}

/// The chain value at the end of a frame's bytes.
pub(super) fn chain_of(frame: &[u8]) -> Chain {
    let mut chain = Chain::default();
    chain.copy_from_slice(&frame[frame.len() - CHAIN_LEN..]);
    chain
}
