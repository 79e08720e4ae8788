//! The store's own rows in the index: their keys and values. All of them can be made anew from the journal.

use ledger::id::{DeviceId, Scope};
use replica::entry::LogId;

use crate::journal::{CHAIN_LEN, Chain, FrameAt};
use crate::types::{Damage, Position};

/// How far the index reaches, and the journal's chain there: tells an index of another journal or another time.
pub(super) const HEAD: &[u8] = &[1];
pub(super) const LOG: u8 = 2;
pub(super) const SPAN: u8 = 3;
pub(super) const FACT: u8 = 4;
pub(super) const RECEIPT: u8 = 5;
pub(super) const WITHDRAWAL: u8 = 6;
pub(super) const DEAD: u8 = 7;
pub(super) const DAMAGE: u8 = 8;

/// Stands from a rebuild until the next trusted position, with the one in the journal, which spoke of rows that are gone.
pub(super) const REBUILT: &[u8] = &[9];

const LOG_LEN: usize = 17 + 32 + 8;

pub(super) fn head_value(at: Position, chain: Chain) -> Vec<u8> {
    [at.to_bytes().as_slice(), &chain].concat()
}

pub(super) fn head(value: &[u8]) -> Option<(Position, Chain)> {
    let (at, chain) = value.split_first_chunk::<8>()?;
    let chain: [u8; CHAIN_LEN] = chain.try_into().ok()?;
    Some((Position::from_bytes(*at), chain))
}

fn log_bytes(log: &LogId) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(LOG_LEN + 1);
    bytes.extend_from_slice(&log.scope.to_bytes());
    bytes.extend_from_slice(&log.device.0);
    bytes.extend_from_slice(&log.epoch.to_be_bytes());
    bytes
}

fn log_from(bytes: &[u8]) -> Option<LogId> {
    if bytes.len() != LOG_LEN {
        return None;
    }
    Some(LogId {
        scope: Scope::from_bytes(&bytes[..17])?,
        device: DeviceId::from_slice(&bytes[17..49])?,
        epoch: u64::from_be_bytes(bytes[49..].try_into().ok()?),
    })
}

/// Log → its short number and its branches.
pub(super) fn log_key(log: &LogId) -> Vec<u8> {
    let mut key = vec![LOG];
    key.extend(log_bytes(log));
    key
}

pub(super) fn log_value(number: u32, state: &[u8]) -> Vec<u8> {
    [number.to_be_bytes().as_slice(), state].concat()
}

pub(super) fn log<'a>(key: &[u8], value: &'a [u8]) -> Option<(LogId, u32, &'a [u8])> {
    let (number, state) = value.split_first_chunk::<4>()?;
    Some((log_from(key.get(1..)?)?, u32::from_be_bytes(*number), state))
}

/// A frame's entries within a branch, found by their last number: the first row at or after a number holds it.
pub(super) fn span_key(log: u32, branch: u32, last: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(17);
    key.push(SPAN);
    key.extend_from_slice(&log.to_be_bytes());
    key.extend_from_slice(&branch.to_be_bytes());
    key.extend_from_slice(&last.to_be_bytes());
    key
}

/// All spans of one log lie between these keys.
pub(super) fn spans_of(log: u32) -> (Vec<u8>, Vec<u8>) {
    let until = match log.checked_add(1) {
        Some(next) => [[SPAN].as_slice(), &next.to_be_bytes()].concat(),
        None => vec![SPAN + 1],
    };
    ([[SPAN].as_slice(), &log.to_be_bytes()].concat(), until)
}

/// Where a span's frame lies, and the number of its first entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) place: FrameAt,
}

pub(super) fn span_value(first: u64, place: FrameAt) -> Vec<u8> {
    let mut value = Vec::with_capacity(20);
    value.extend_from_slice(&first.to_be_bytes());
    value.extend_from_slice(&place.at.to_bytes());
    value.extend_from_slice(&place.len.to_be_bytes());
    value
}

pub(super) fn span(key: &[u8], value: &[u8]) -> Option<Span> {
    let last = u64::from_be_bytes(*key.last_chunk::<8>()?);
    let (first, rest) = value.split_first_chunk::<8>()?;
    let (at, len) = rest.split_first_chunk::<8>()?;
    Some(Span {
        first: u64::from_be_bytes(*first),
        last,
        place: FrameAt {
            at: Position::from_bytes(*at),
            len: u32::from_be_bytes(len.try_into().ok()?),
        },
    })
}

pub(super) fn fact_key(key: &str) -> Vec<u8> {
    [[FACT].as_slice(), key.as_bytes()].concat()
}

pub(super) fn receipt_key(hub: &DeviceId, store: u64, scope: Scope) -> Vec<u8> {
    [[RECEIPT].as_slice(), &hub.0, &store.to_be_bytes(), &scope.to_bytes()].concat()
}

pub(super) fn withdrawal_key(hub: &DeviceId, store: u64) -> Vec<u8> {
    [[WITHDRAWAL].as_slice(), &hub.0, &store.to_be_bytes()].concat()
}

/// A run in the journal that lies in no branch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Dead {
    pub(super) log: LogId,
    pub(super) len: u32,
}

pub(super) fn dead_key(at: Position) -> Vec<u8> {
    [[DEAD].as_slice(), &at.to_bytes()].concat()
}

pub(super) fn dead_value(dead: &Dead) -> Vec<u8> {
    let mut value = dead.len.to_be_bytes().to_vec();
    value.extend(log_bytes(&dead.log));
    value
}

pub(super) fn dead(key: &[u8], value: &[u8]) -> Option<(Position, Dead)> {
    let at = Position::from_bytes(*key.last_chunk::<8>()?);
    let (len, log) = value.split_first_chunk::<4>()?;
    let dead = Dead {
        log: log_from(log)?,
        len: u32::from_be_bytes(*len),
    };
    Some((at, dead))
}

pub(super) fn damage_key(at: Position) -> Vec<u8> {
    [[DAMAGE].as_slice(), &at.to_bytes()].concat()
}

/// A damaged place, and how far the logs reached that had entries there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Hole {
    pub(super) bytes: u64,
    pub(super) reached: Vec<(LogId, u64)>,
}

impl Hole {
    pub(super) fn damage(&self, at: Position) -> Damage {
        Damage {
            at,
            bytes: self.bytes,
            logs: self.reached.iter().map(|(log, _)| *log).collect(),
        }
    }
}

pub(super) fn hole_value(hole: &Hole) -> Vec<u8> {
    let mut value = hole.bytes.to_be_bytes().to_vec();
    for (log, seq) in &hole.reached {
        value.extend(log_bytes(log));
        value.extend_from_slice(&seq.to_be_bytes());
    }
    value
}

pub(super) fn hole(key: &[u8], value: &[u8]) -> Option<(Position, Hole)> {
    let (bytes, rest) = value.split_first_chunk::<8>()?;
    let reached = rest
        .chunks_exact(LOG_LEN + 8)
        .filter_map(|chunk| {
            let seq = u64::from_be_bytes(chunk[LOG_LEN..].try_into().ok()?);
            Some((log_from(&chunk[..LOG_LEN])?, seq))
        })
        .collect();
    let hole = Hole {
        bytes: u64::from_be_bytes(*bytes),
        reached,
    };
    Some((Position::from_bytes(*key.last_chunk::<8>()?), hole))
}
