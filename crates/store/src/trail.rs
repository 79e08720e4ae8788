//! The trail (审计链): records that are only ever added, each with a hash over itself and the one before, in files of their own.
//! See TRAIL.md for the bytes.
//!
//! Nothing here is ever cut or mended: where an end is torn or damaged, the trail goes on in a new segment from the last record
//! that is known to have been said, and `Trail::verify` tells what is missing. A year of a room takes some two megabytes, so
//! nothing is ever removed either.

use std::collections::BTreeMap;
use std::io;

use ledger::id::Hash;
use sha2::{Digest, Sha256};

use crate::disk::{Disk, sync_or_write_again};

const MAGIC: &[u8; 8] = b"CLTRAIL\n";
const VERSION: u32 = 1;
const PREFIX: &str = "trail-";
/// Of a segment's number in its name.
const DIGITS: usize = 8;
const HEADER_LEN: usize = 96;
/// A segment is read whole.
const SEGMENT_BYTES: u64 = 1024 * 1024;
const LEN: usize = 4;
const HASH: usize = 32;
/// How far a trail may be ahead of what was said: no power cut leaves so much.
const AHEAD_MAX: u64 = 1 << 32;
/// A segment may claim any number; behind this one there is none that another could follow.
const SEQ_MAX: u64 = u64::MAX - 1;
/// A record says who did what and why in a few hundred bytes.
pub const RECORD_BYTES_MAX: usize = 4096;

/// A place in the trail: number of the record (from 1) and its hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrailTip {
    pub seq: u64,
    pub hash: Hash,
}

impl TrailTip {
    /// Before the first record.
    pub const START: TrailTip = TrailTip {
        seq: 0,
        hash: Hash::ZERO,
    };

    /// Number and hash, 40 bytes.
    pub fn to_bytes(self) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[..8].copy_from_slice(&self.seq.to_be_bytes());
        bytes[8..].copy_from_slice(&self.hash.0);
        bytes
    }

    /// Reads what [`TrailTip::to_bytes`] made.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (seq, hash) = bytes.split_first_chunk::<8>()?;
        Some(Self {
            seq: u64::from_be_bytes(*seq),
            hash: Hash(hash.try_into().ok()?),
        })
    }
}

/// One record as it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrailRecord {
    pub tip: TrailTip,
    /// The life of the device in which it was written: a restored or copied disk begins another.
    pub life: u64,
    pub body: Vec<u8>,
}

/// Something that is not as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TrailFault {
    /// Records from the first to the second number are not there, or are not what was written.
    Missing { from: u64, until: u64, file: String },
    /// A segment does not follow from what lies before it.
    Strays { file: String, from: u64 },
    /// The record is there but is another one than was said.
    Differs { seq: u64 },
}

/// What `Trail::verify` found.
#[derive(Clone, Debug, Default)]
pub struct TrailVerified {
    pub records: u64,
    pub faults: Vec<TrailFault>,
    /// The last record of each life, in order.
    pub lives: Vec<(u64, TrailTip)>,
}

struct Header {
    first: u64,
    life: u64,
    previous: Hash,
}

/// Where the trail goes on.
pub(crate) struct Trail {
    tip: TrailTip,
    life: u64,
    /// The number of the last segment, whatever is in it; 0: none.
    segment: u32,
    len: u64,
    /// The last segment cannot be added to.
    closed: bool,
}

impl Trail {
    /// Finds the end. `said` is the last record that anybody was told of: what is missing before it is not written anew, and a trail
    /// that says something else in its place is not gone on with, so that both stay to be told.
    pub(crate) fn open(disk: &dyn Disk, said: TrailTip) -> io::Result<Self> {
        let mut trail = Self {
            tip: said,
            life: 0,
            segment: 0,
            len: 0,
            closed: true,
        };
        let segments = segments(disk)?;
        let Some(last) = segments.keys().next_back() else {
            return Ok(trail);
        };
        trail.segment = *last;
        for (number, name) in segments.iter().rev() {
            // A segment that cannot be read at all is passed over: `verify` tells of it.
            let Some(read) = read(disk, name)? else { continue };
            let end = read.records.last().map_or(
                TrailTip {
                    seq: read.header.first.saturating_sub(1),
                    hash: read.header.previous,
                },
                |r| r.tip,
            );
            if end.seq >= said.seq && end.seq - said.seq <= AHEAD_MAX && holds(disk, &segments, said)? {
                trail.tip = end;
                trail.life = read.header.life;
                trail.len = read.len;
                trail.closed = read.torn || number != last;
            }
            break;
        }
        Ok(trail)
    }

    /// Syncs the last segment, whoever wrote it: what a failed sync or a killed process left in the page cache is read back as if it
    /// were there, and what is added behind it in another file would outlive it.
    pub(crate) fn make_durable(&self, disk: &mut dyn Disk) -> io::Result<()> {
        match self.segment {
            0 => Ok(()),
            segment => sync_or_write_again(disk, &name(segment)),
        }
    }

    pub(crate) fn tip(&self) -> TrailTip {
        self.tip
    }

    pub(crate) fn life(&self) -> u64 {
        self.life
    }

    /// Adds a record; durable on return. After an error nothing was added as far as anybody is told.
    pub(crate) fn append(&mut self, disk: &mut dyn Disk, life: u64, body: &[u8]) -> io::Result<TrailTip> {
        if body.len() > RECORD_BYTES_MAX {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let tip = follow(self.tip, body);
        let mut bytes = Vec::with_capacity(HEADER_LEN + LEN + body.len() + HASH);
        let begins = self.closed || life != self.life || self.len >= SEGMENT_BYTES.min(disk.segment_bytes());
        if begins {
            self.segment += 1;
            self.len = 0;
            bytes.extend_from_slice(&header(self.segment, self.tip, life));
        }
        bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(&tip.hash.0);
        let name = name(self.segment);
        // Whatever happens from here on: this segment is only added to if all of it is durable.
        self.closed = true;
        if begins {
            disk.create(&name)?;
        }
        disk.append(&name, &bytes)?;
        sync_or_write_again(disk, &name)?;
        if begins {
            disk.sync_dir()?;
        }
        self.closed = false;
        self.len += bytes.len() as u64;
        self.life = life;
        self.tip = tip;
        Ok(tip)
    }

    /// Records before number `before`, the newest first, at most `max`.
    pub(crate) fn read(disk: &dyn Disk, before: u64, max: usize) -> io::Result<Vec<TrailRecord>> {
        let mut found = Vec::new();
        for name in segments(disk)?.values().rev() {
            let Some(read) = read(disk, name)? else { continue };
            let wanted = read.records.into_iter().rev().filter(|r| r.tip.seq < before);
            found.extend(wanted.take(max - found.len()));
            if found.len() >= max {
                break;
            }
        }
        Ok(found)
    }

    /// Reads everything. `said`: the last record that anybody here was told of; `each` sees every record that stands.
    pub(crate) fn verify(
        disk: &dyn Disk,
        said: TrailTip,
        each: &mut dyn FnMut(&TrailRecord),
    ) -> io::Result<TrailVerified> {
        let mut verified = TrailVerified::default();
        let mut at = TrailTip::START;
        let mut last = name(1);
        for file in segments(disk)?.into_values() {
            let Some(read) = read(disk, &file)? else {
                // What it held shows in what follows; a start that a power cut tore held nothing.
                last = file;
                continue;
            };
            let first = read.header.first;
            if first > at.seq.saturating_add(1) {
                let until = first - 1;
                let from = at.seq + 1;
                verified.faults.push(TrailFault::Missing {
                    from,
                    until,
                    file: last,
                });
            } else if first <= at.seq || read.header.previous != at.hash {
                let from = first;
                verified.faults.push(TrailFault::Strays {
                    file: file.clone(),
                    from,
                });
            }
            at = TrailTip {
                seq: first.saturating_sub(1),
                hash: read.header.previous,
            };
            for record in &read.records {
                at = record.tip;
                verified.records += 1;
                if at.seq == said.seq && at.hash != said.hash {
                    verified.faults.push(TrailFault::Differs { seq: at.seq });
                }
                each(record);
            }
            match verified.lives.iter_mut().find(|(life, _)| *life == read.header.life) {
                Some((_, tip)) => *tip = at,
                None => verified.lives.push((read.header.life, at)),
            }
            last = file;
        }
        if at.seq < said.seq {
            let from = at.seq + 1;
            verified.faults.push(TrailFault::Missing {
                from,
                until: said.seq,
                file: last,
            });
        }
        Ok(verified)
    }
}

/// A segment as read: the records up to the first that is not whole.
struct Read {
    header: Header,
    records: Vec<TrailRecord>,
    len: u64,
    /// Something lies behind the last whole record.
    torn: bool,
}

fn name(number: u32) -> String {
    format!("{PREFIX}{number:0DIGITS$}")
}

fn segments(disk: &dyn Disk) -> io::Result<BTreeMap<u32, String>> {
    let named = |name: String| {
        let digits = name.strip_prefix(PREFIX)?;
        let number = digits.parse().ok().filter(|_| digits.len() == DIGITS)?;
        Some((number, name))
    };
    Ok(disk.list()?.into_iter().filter_map(named).collect())
}

/// Whether the record that was said last is there, as it was said.
fn holds(disk: &dyn Disk, segments: &BTreeMap<u32, String>, said: TrailTip) -> io::Result<bool> {
    if said == TrailTip::START {
        return Ok(true);
    }
    for file in segments.values().rev() {
        let Some(read) = read(disk, file)? else { continue };
        if read.header.first <= said.seq {
            return Ok(read.records.iter().any(|record| record.tip == said));
        }
    }
    Ok(false)
}

fn header(number: u32, before: TrailTip, life: u64) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&number.to_le_bytes());
    bytes[16..24].copy_from_slice(&(before.seq + 1).to_le_bytes());
    bytes[24..32].copy_from_slice(&life.to_le_bytes());
    bytes[32..64].copy_from_slice(&before.hash.0);
    let hash = header_hash(&bytes[..64]);
    bytes[64..].copy_from_slice(&hash);
    bytes
}

fn header_hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"cunlian trail segment 1")
        .chain_update(bytes)
        .finalize()
        .into()
}

fn read_header(bytes: &[u8], file: &str) -> Option<Header> {
    let bytes: &[u8; HEADER_LEN] = bytes.first_chunk()?;
    let number = |at: usize| u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|i| bytes[at + i]));
    let segment = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]);
    let ours = bytes[..8] == *MAGIC && bytes[8..12] == VERSION.to_le_bytes() && file == name(segment);
    let mut previous = [0; 32];
    previous.copy_from_slice(&bytes[32..64]);
    (ours && header_hash(&bytes[..64]) == bytes[64..]).then(|| Header {
        first: number(16),
        life: number(24),
        previous: Hash(previous),
    })
}

/// The place after `before` for this body.
fn follow(before: TrailTip, body: &[u8]) -> TrailTip {
    let seq = before.seq + 1;
    let hash = Sha256::new()
        .chain_update(b"cunlian trail 1")
        .chain_update(before.hash.0)
        .chain_update(seq.to_le_bytes())
        .chain_update((body.len() as u32).to_le_bytes())
        .chain_update(body)
        .finalize();
    TrailTip {
        seq,
        hash: Hash(hash.into()),
    }
}

/// `None`: no segment of ours, as far as its header tells.
fn read(disk: &dyn Disk, file: &str) -> io::Result<Option<Read>> {
    let len = disk.len(file)?.unwrap_or(0);
    let bytes = disk.read_at(file, 0, usize::try_from(len).unwrap_or(usize::MAX))?;
    let Some(header) = read_header(&bytes, file) else {
        return Ok(None);
    };
    let mut rest = &bytes[HEADER_LEN..];
    let mut records: Vec<TrailRecord> = Vec::new();
    let mut at = TrailTip {
        seq: header.first.saturating_sub(1),
        hash: header.previous,
    };
    while let Some((len, after)) = rest.split_first_chunk::<LEN>() {
        let len = u32::from_le_bytes(*len) as usize;
        if at.seq >= SEQ_MAX || len > RECORD_BYTES_MAX || after.len() < len + HASH {
            break;
        }
        let body = &after[..len];
        let tip = follow(at, body);
        if after[len..len + HASH] != tip.hash.0 {
            break;
        }
        records.push(TrailRecord {
            tip,
            life: header.life,
            body: body.to_vec(),
        });
        at = tip;
        rest = &after[len + HASH..];
    }
    let torn = !rest.is_empty();
    let len = bytes.len() as u64;
    Ok(Some(Read {
        header,
        records,
        len,
        torn,
    }))
}

#[cfg(test)]
mod tests;
