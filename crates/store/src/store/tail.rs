//! Finding the segments and the journal's end: what a power cut tore is cut off, what is damaged is told.

use std::collections::BTreeMap;

use crate::disk::Disk;
use crate::journal::{self, Chain, FIRST, HEADER_LEN, Header, Item, Journal, LAST, Segment, Walker, failed};
use crate::types::{Position, Progress, StoreError, Task};

/// Journals up to this size are read whole at every opening; larger ones bit by bit by [`super::Store::scrub`].
const SCRUB_AT_OPEN_MAX: u64 = 256 * 1024 * 1024;

/// Where bytes are that are no frames, and how many.
type Holes = BTreeMap<Position, u64>;

/// The journal as found.
pub(super) struct Found {
    pub(super) journal: Journal,
    pub(super) trusted: Position,
    pub(super) torn: u64,
    /// Headers that were written anew from their sound copy.
    pub(super) mended: u64,
    pub(super) damaged: Holes,
    /// There was no journal before.
    pub(super) fresh: bool,
}

struct Tail {
    /// Behind the last whole commit.
    end: u64,
    chain: Chain,
    trusted: Option<Position>,
    damaged: Holes,
}

pub(super) fn find(disk: &mut dyn Disk, progress: &mut dyn FnMut(Progress)) -> Result<Found, StoreError> {
    let names = disk.list().map_err(failed("listing the folder"))?;
    for draft in names
        .iter()
        .filter(|name| name.starts_with("journal-") && name.ends_with(".new"))
    {
        disk.remove(draft).map_err(failed("removing a draft"))?;
    }
    let mut numbers = Segment::numbers(&names);
    numbers.sort_unstable();
    let Some(&last) = numbers.last() else {
        return Ok(Found {
            journal: Journal::begin(disk)?,
            trusted: Position::START,
            torn: 0,
            mended: 0,
            damaged: BTreeMap::new(),
            fresh: true,
        });
    };
    let (mut segments, mut damaged) = headers(disk, last)?;
    let mended = mend_headers(disk, &mut segments)?;
    let Some(mut segment) = segments.remove(&last) else {
        let journal = Journal::follow(disk, segments, last)?;
        return Ok(Found {
            journal,
            trusted: Position::START,
            torn: 0,
            mended,
            damaged,
            fresh: false,
        });
    };
    let tail = tail(disk, &segment)?;
    let torn = segment.len - tail.end;
    if torn > 0 {
        let name = segment.name();
        disk.truncate(&name, tail.end)
            .and_then(|()| disk.sync_data(&name))
            .map_err(failed("cutting off a torn write"))?;
        segment.len = tail.end;
    }
    let trusted = tail.trusted.unwrap_or(segment.trusted);
    damaged.extend(tail.damaged);
    damaged.extend(scrub_all(disk, &segments, progress)?);
    segments.insert(last, segment);
    Ok(Found {
        journal: Journal::found(segments, tail.chain),
        trusted,
        torn,
        mended,
        damaged,
        fresh: false,
    })
}

/// Headers that stand only once are made to stand twice again; answers how many.
fn mend_headers(disk: &mut dyn Disk, segments: &mut BTreeMap<u32, Segment>) -> Result<u64, StoreError> {
    let mut mended = 0;
    for segment in segments.values_mut().filter(|s| s.header == Header::Half) {
        segment.mend(disk).map_err(failed("mending a segment's header"))?;
        mended += 1;
    }
    Ok(mended)
}

/// The segments up to number `last` whose headers can be read, and the holes where they cannot.
fn headers(disk: &dyn Disk, last: u32) -> Result<(BTreeMap<u32, Segment>, Holes), StoreError> {
    let mut segments = BTreeMap::new();
    let mut damaged = BTreeMap::new();
    for number in 1..=last {
        match Segment::open(disk, number)? {
            Some(segment) => {
                segments.insert(number, segment);
            }
            None => {
                let start = Position {
                    segment: number,
                    offset: 0,
                };
                let bytes = disk
                    .len(&Segment::name_of(number))
                    .map_err(failed("opening a segment"))?;
                damaged.insert(start, bytes.unwrap_or(0));
            }
        }
    }
    Ok((segments, damaged))
}

/// Goes through the last segment. Damage counts as a torn write as long as no later commit follows: a later one was only begun
/// after all before it had been synced.
fn tail(disk: &dyn Disk, segment: &Segment) -> Result<Tail, StoreError> {
    let mut tail = Tail {
        end: HEADER_LEN,
        chain: segment.first_chain(),
        trusted: None,
        damaged: BTreeMap::new(),
    };
    let mut doubtful: BTreeMap<Position, u64> = BTreeMap::new();
    let mut trusted = None;
    let mut walker = Walker::new(disk, segment, HEADER_LEN);
    while let Some(item) = walker.next()? {
        match item {
            Item::Damage { at, bytes } => {
                doubtful.insert(at, bytes);
            }
            Item::Frame {
                place,
                marked,
                kind,
                body,
                chain,
            } => {
                if marked & FIRST != 0 {
                    tail.damaged.append(&mut doubtful);
                }
                if kind == journal::TRUST {
                    trusted = body.try_into().ok().map(Position::from_bytes);
                }
                if marked & LAST != 0 && doubtful.is_empty() {
                    tail.end = u64::from(place.at.offset) + u64::from(place.len);
                    tail.chain = chain;
                    tail.trusted = trusted;
                }
            }
        }
    }
    Ok(tail)
}

fn scrub_all(
    disk: &dyn Disk,
    segments: &BTreeMap<u32, Segment>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Holes, StoreError> {
    let total: u64 = segments.values().map(|segment| segment.len).sum();
    let mut damaged = BTreeMap::new();
    if total > SCRUB_AT_OPEN_MAX {
        return Ok(damaged);
    }
    let mut done = 0;
    for segment in segments.values() {
        let mut walker = Walker::new(disk, segment, HEADER_LEN);
        while let Some(item) = walker.next()? {
            if let Item::Damage { at, bytes } = item {
                damaged.insert(at, bytes);
            }
        }
        done += segment.len;
        progress(Progress {
            task: Task::Scrubbing,
            done,
            total,
        });
    }
    Ok(damaged)
}
