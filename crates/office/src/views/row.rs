//! The row of one record: where its entries lie in the journal, and what lists show without folding it again.
//!
//! A row holds no personal value in the clear: at most a masked name and keyed tokens. It is derived; losing it loses nothing.

use std::collections::BTreeMap;

use ledger::day::Day;
use ledger::id::{DeviceId, Hash, RecordId, Scope, UnitId, UserId};
use minicbor::{Decode, Encode};
use replica::entry::{LogId, Tip};
use store::EntryAt;

use crate::views::measure::Extra;

/// Where the body of one entry lies, and which entry it is.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct RowEntry {
    /// Which of the row's logs.
    #[n(0)]
    pub log: u16,
    #[n(1)]
    pub seq: u64,
    #[n(2)]
    pub hash: Hash,
    /// [`EntryAt`] in its sorting form.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    at: [u8; EntryAt::LEN],
}

impl RowEntry {
    /// An entry whose log is named when it is added to a row.
    pub fn new(seq: u64, hash: Hash, at: EntryAt) -> Self {
        Self {
            log: 0,
            seq,
            hash,
            at: at.to_bytes(),
        }
    }

    /// Where its body lies in the journal.
    pub fn at(&self) -> EntryAt {
        EntryAt::from_bytes(self.at)
    }
}

/// A log in which the record has entries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct RowLog {
    #[n(0)]
    pub device: DeviceId,
    #[n(1)]
    pub epoch: u64,
}

impl RowLog {
    /// Its full name in this scope.
    pub(crate) fn of(&self, scope: Scope) -> LogId {
        LogId {
            scope,
            device: self.device,
            epoch: self.epoch,
        }
    }
}

/// How far the fold of a record got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum RowStatus {
    #[n(0)]
    Ready,
    /// 等待模板
    #[n(1)]
    AwaitingForm,
    #[n(2)]
    AwaitingCatalogue,
    /// Its creation has not come yet.
    #[default]
    #[n(3)]
    AwaitingEntries,
    #[n(4)]
    SetAside,
}

/// A conflict inside one record.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct RowConflict {
    #[n(0)]
    pub id: Hash,
    #[n(1)]
    pub kind: String,
    #[n(2)]
    pub open: bool,
}

/// A 裁定 that this record carries about a conflict it shares with other records.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct RowResolution {
    #[n(0)]
    pub id: Hash,
    #[n(1)]
    pub choice: String,
}

/// What lists and counts show of a record.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Summary {
    #[n(0)]
    pub status: RowStatus,
    /// Empty while the head has not come.
    #[n(1)]
    pub no: String,
    #[n(2)]
    pub matter: String,
    #[n(3)]
    pub catalogue: Option<Hash>,
    #[n(4)]
    pub on: Option<Day>,
    #[n(5)]
    pub import_key: Option<Hash>,
    #[n(6)]
    pub state: String,
    /// The state is an end of the form's table.
    #[n(7)]
    pub ended: bool,
    #[n(8)]
    pub accepted_on: Option<Day>,
    #[n(9)]
    pub suspensions: Vec<(Day, Option<Day>)>,
    #[n(10)]
    pub closed_on: Option<Day>,
    #[n(11)]
    pub result: Option<i64>,
    #[n(12)]
    pub rating: Option<i64>,
    /// 张*; only where the key is here.
    #[n(13)]
    pub masked_name: Option<String>,
    /// Says "same person" without saying who; only where the key is here.
    #[n(14)]
    #[cbor(with = "minicbor::bytes")]
    pub token: Option<[u8; 16]>,
    #[n(15)]
    pub conflicts: Vec<RowConflict>,
    #[n(16)]
    pub resolutions: Vec<RowResolution>,
    #[n(17)]
    pub set_aside: u32,
    /// Entries whose predecessors are missing.
    #[n(18)]
    pub waiting: u32,
    /// 待认: entries above a revoked device's cut.
    #[n(19)]
    pub unrecognised: u32,
    #[n(20)]
    pub erased: bool,
    /// What 视为受理 is counted from: the receipt, and the first day on which something was asked for.
    #[n(21)]
    pub received_on: Option<Day>,
    #[n(22)]
    pub noticed_on: Option<Day>,
    /// The device holds the book's key but not this record's: it is asked for.
    #[n(23)]
    pub keyless: bool,
    /// The form of the record, for labels.
    #[n(24)]
    pub form: Option<Hash>,
    /// Folded while the keys were locked: what only they tell is as it was before.
    #[n(25)]
    pub locked: bool,
    /// An errand (代办), which is listed apart from cases.
    #[n(26)]
    pub errand: bool,
    /// The number of the case that an errand belongs to.
    #[n(27)]
    pub case_no: Option<String>,
    /// The business date of the event that ended it.
    #[n(28)]
    pub ended_on: Option<Day>,
    /// What reports count beyond the above.
    #[n(29)]
    pub extra: Extra,
    /// Who took the last step above the room.
    #[n(30)]
    pub handled_by: Option<UserId>,
    #[n(31)]
    pub decided_by: Option<UnitId>,
    /// Every document number that was written into it, in fold order.
    #[n(32)]
    pub docs: Vec<RowDoc>,
    /// The business date of a bad evaluation, and whether it was followed up to its end.
    #[n(33)]
    pub bad_review: Option<(Day, bool)>,
}

/// A document number (受理文书号) that an event of the record carries.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct RowDoc {
    #[n(0)]
    pub no: String,
    /// Written by a device of this unit.
    #[n(1)]
    pub unit: UnitId,
    #[n(2)]
    pub on: Day,
    /// The event stands, and no later number replaces it.
    #[n(3)]
    pub stands: bool,
}

/// One record's row.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct RecordRow {
    #[n(0)]
    pub logs: Vec<RowLog>,
    /// In journal order.
    #[n(1)]
    pub entries: Vec<RowEntry>,
    #[n(2)]
    pub summary: Summary,
}

impl RecordRow {
    /// CBOR of the row.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        // Writing into a Vec cannot fail.
        if minicbor::encode(self, &mut out).is_err() {
            unreachable!("a Vec takes every byte");
        }
        out
    }

    /// `None` when the bytes are not a row of this version: the index is then rebuilt.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok()
    }

    /// The full name of one of the row's entries.
    pub fn place(&self, scope: Scope, entry: &RowEntry) -> Option<(LogId, Tip)> {
        let log = self.logs.get(usize::from(entry.log))?;
        let id = LogId {
            scope,
            device: log.device,
            epoch: log.epoch,
        };
        let tip = Tip {
            seq: entry.seq,
            hash: entry.hash,
        };
        Some((id, tip))
    }

    /// Adds an entry; the same entry at a later place of the journal (sent again after damage) replaces the earlier.
    /// Returns whether anything changed; `false` as well when the row has no room for another log.
    pub fn add(&mut self, log: RowLog, mut entry: RowEntry) -> bool {
        let index = match self.logs.iter().position(|l| *l == log) {
            Some(index) => index,
            None => {
                self.logs.push(log);
                self.logs.len() - 1
            }
        };
        let Ok(index) = u16::try_from(index) else { return false };
        entry.log = index;
        let place = |e: &RowEntry| e.at;
        if let Some(at) = self
            .entries
            .iter()
            .position(|e| e.log == index && e.seq == entry.seq && e.hash == entry.hash)
        {
            if place(&self.entries[at]) >= place(&entry) {
                return false;
            }
            self.entries.remove(at);
        }
        let at = self.entries.partition_point(|e| place(e) < place(&entry));
        self.entries.insert(at, entry);
        true
    }
}

/// Entries of one device that one record takes. A case has some ten in its whole life; each is read and parsed at every fold, and only
/// then does the ledger's own limit apply. By device, so that one that runs wild crowds out nobody's changes but its own.
pub(crate) const RECORD_DEVICE_ENTRIES_MAX: usize = 4_096;

/// Which entries of a device come first, whenever they came: a record folds to the same everywhere.
pub(crate) type Rank = (u64, u64, Hash);

impl RecordRow {
    fn rank(&self, entry: &RowEntry) -> Option<(DeviceId, Rank)> {
        let log = self.logs.get(usize::from(entry.log))?;
        Some((log.device, (entry.seq, log.epoch, entry.hash)))
    }

    /// The devices of which the record takes no more, each with the last place that it takes of it.
    pub(crate) fn full(&self, max: usize) -> BTreeMap<DeviceId, Rank> {
        if self.entries.len() < max {
            return BTreeMap::new();
        }
        let mut ranks: BTreeMap<DeviceId, Vec<Rank>> = BTreeMap::new();
        for (device, rank) in self.entries.iter().filter_map(|entry| self.rank(entry)) {
            ranks.entry(device).or_default().push(rank);
        }
        let mut full = BTreeMap::new();
        for (device, mut ranks) in ranks {
            ranks.sort_unstable();
            if let Some(last) = max.checked_sub(1).and_then(|at| ranks.get(at)) {
                full.insert(device, *last);
            }
        }
        full
    }

    /// Takes out what goes beyond `max` entries of one device; the places of what was taken out.
    pub(crate) fn trim(&mut self, max: usize) -> Vec<(RowLog, Tip)> {
        let full = self.full(max);
        let mut out = Vec::new();
        if full.is_empty() {
            return out;
        }
        let entries = std::mem::take(&mut self.entries);
        for entry in entries {
            let beyond = self
                .rank(&entry)
                .is_some_and(|(device, rank)| full.get(&device).is_some_and(|last| rank > *last));
            match self.logs.get(usize::from(entry.log)) {
                Some(log) if beyond => out.push((
                    *log,
                    Tip {
                        seq: entry.seq,
                        hash: entry.hash,
                    },
                )),
                _ => self.entries.push(entry),
            }
        }
        out
    }
}

/// The name of a record everywhere in the index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordRef {
    pub scope: Scope,
    pub record: RecordId,
}

impl RecordRef {
    /// Scope and record, 33 bytes.
    pub fn to_bytes(self) -> [u8; 33] {
        let mut bytes = [0; 33];
        bytes[..17].copy_from_slice(&self.scope.to_bytes());
        bytes[17..].copy_from_slice(&self.record.0);
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != 33 {
            return None;
        }
        Some(Self {
            scope: Scope::from_bytes(&bytes[..17])?,
            record: RecordId::from_slice(&bytes[17..])?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_device_that_runs_wild_the_first_entries_count_whatever_their_order_and_others_keep_theirs() {
        let log = |device: u8, epoch| RowLog {
            device: DeviceId([device; 32]),
            epoch,
        };
        let entry = |seq: u64, at: u32| {
            let place = EntryAt {
                segment: 1,
                offset: at,
                len: 1,
                crc: 0,
            };
            RowEntry::new(seq, Hash([seq as u8; 32]), place)
        };
        let all: Vec<(RowLog, u64)> = (1..=20)
            .map(|seq| (log(1, seq % 2), seq))
            .chain([(log(2, 7), 90)])
            .collect();
        let fold = |order: Vec<(RowLog, u64)>| {
            let mut row = RecordRow::default();
            for (at, (log, seq)) in order.into_iter().enumerate() {
                row.add(log, entry(seq, at as u32));
                row.trim(5);
            }
            let mut kept: Vec<u64> = row.entries.iter().map(|e| e.seq).collect();
            kept.sort_unstable();
            (kept, row.full(5))
        };
        let forward = fold(all.clone());
        assert_eq!(forward.0, [1, 2, 3, 4, 5, 90]);
        assert_eq!(forward, fold(all.into_iter().rev().collect()));
        assert_eq!(forward.1.len(), 1);
    }
}
