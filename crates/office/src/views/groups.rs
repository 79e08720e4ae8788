//! Conflict items between records: one person and matter open in two rooms (并案), one printed number on two records (编号重复).
//!
//! Each is a pair, so that its id never changes when a third record joins. Items are derived from the rows of a group's members
//! whenever a member changes, and nothing is stored for the usual group of one.

use std::collections::{BTreeMap, BTreeSet};

use ledger::conflict::{ConflictId, ConflictKind};
use ledger::id::Hash;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use store::kv::prefix_end;
use store::{Batch, Kv, KvError, Order};

use crate::views::name;
use crate::views::row::{RecordRef, RecordRow};

/// Of a larger group only so many records are paired: a row for each pair must not become a way to fill a disk.
const GROUP_PAIRED_MAX: usize = 16;

/// A choice on an item between records: the finding does not hold, the cases go on apart.
pub(crate) const CHOICE_SEPARATE: &str = "separate";
/// A choice that takes an earlier one back.
pub(crate) const CHOICE_UNDO: &str = "undo";

/// One conflict item as the index keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Item {
    #[n(0)]
    pub(crate) kind: String,
    #[n(1)]
    pub(crate) open: bool,
    /// The records it is about, sorted.
    #[n(2)]
    pub(crate) subjects: Vec<ByteVec>,
}

impl Item {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if minicbor::encode(self, &mut out).is_err() {
            unreachable!("a Vec takes every byte");
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok()
    }

    pub(crate) fn records(&self) -> Vec<RecordRef> {
        self.subjects.iter().filter_map(|s| RecordRef::from_bytes(s)).collect()
    }
}

/// The name of an item between two records, alike at every tier.
pub(crate) fn pair_id(kind: ConflictKind, a: RecordRef, b: RecordRef) -> Hash {
    ConflictId::new(kind, &[a.record.0, b.record.0]).0
}

/// The groups that a change of rows touches.
#[derive(Default)]
pub(crate) struct Touched {
    groups: BTreeSet<Vec<u8>>,
}

impl Touched {
    /// Notes the groups of a record before and after a change.
    pub(crate) fn note(&mut self, row: &RecordRow) {
        let s = &row.summary;
        if !s.no.is_empty() {
            self.groups.insert(name::numbered(&s.no));
        }
        if let Some(token) = &s.token {
            self.groups.insert(name::twins(token, &s.matter));
        }
    }

    /// Derives the items of every group noted. The members' rows must be written already.
    pub(crate) fn settle(self, kv: &dyn Kv) -> Result<Batch, KvError> {
        let mut rows = BTreeMap::new();
        for group in self.groups {
            for (key, value) in settled(kv, &group)? {
                // Two records that go from one group to another together take their item along: what one group has lost, the other has.
                match value {
                    Some(value) => _ = rows.insert(key, Some(value)),
                    None => _ = rows.entry(key).or_insert(None),
                }
            }
        }
        let mut batch = Batch::default();
        for (key, value) in rows {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        Ok(batch)
    }
}

/// The rows that a group's members give rise to together; `None` for those that have to go. Empty for a group of one.
pub(crate) fn settled(kv: &dyn Kv, group: &[u8]) -> Result<BTreeMap<Vec<u8>, Option<Vec<u8>>>, KvError> {
    let mut rows = BTreeMap::new();
    let members = kv.range(group, &prefix_end(group), Order::Rising, GROUP_PAIRED_MAX)?;
    let is_number = group.starts_with(name::NUMBER);
    let group_key = name::group(group);
    let before = kv.value(&group_key)?;
    if members.len() < 2 && before.is_none() {
        return Ok(rows);
    }
    let mut found = Vec::with_capacity(members.len());
    for (key, _) in &members {
        let of = if is_number { number_ref(key) } else { name::tail(key) };
        let Some(of) = of else { continue };
        let Some(row) = kv.value(&name::record(of))?.and_then(|b| RecordRow::decode(&b)) else {
            continue;
        };
        found.push((of, row));
    }
    for key in before.iter().flat_map(|b| b.chunks_exact(ITEM_NAME_LEN)) {
        rows.insert([name::CONFLICT, key].concat(), None);
    }
    let mut list = Vec::new();
    for (key, item) in pairs(is_number, &found) {
        list.extend_from_slice(&key[name::CONFLICT.len()..]);
        rows.insert(key, Some(item.encode()));
    }
    rows.insert(group_key, (!list.is_empty()).then_some(list));
    Ok(rows)
}

/// The items of the groups that a record belongs to, by their keys.
pub(crate) fn items_of(kv: &dyn Kv, row: &RecordRow) -> Result<Vec<(Hash, Item)>, KvError> {
    let mut items = Vec::new();
    let mut touched = Touched::default();
    touched.note(row);
    for group in touched.groups {
        let list = kv.value(&name::group(&group))?.unwrap_or_default();
        for item_name in list.chunks_exact(ITEM_NAME_LEN) {
            let value = kv.value(&[name::CONFLICT, item_name].concat())?;
            let (id, item) = (
                Hash::from_slice(&item_name[..Hash::LEN]),
                value.and_then(|v| Item::decode(&v)),
            );
            items.extend(id.zip(item));
        }
    }
    Ok(items)
}

/// A conflict's id and its first subject.
const ITEM_NAME_LEN: usize = Hash::LEN + 33;

/// The record that a number's key names: record first, then scope.
pub(crate) fn number_ref(key: &[u8]) -> Option<RecordRef> {
    let tail = key.get(key.len().checked_sub(33)?..)?;
    let swapped = [&tail[16..], &tail[..16]].concat();
    RecordRef::from_bytes(&swapped)
}

fn pairs(is_number: bool, found: &[(RecordRef, RecordRow)]) -> BTreeMap<Vec<u8>, Item> {
    let mut items = BTreeMap::new();
    for (at, (a, row_a)) in found.iter().enumerate() {
        for (b, row_b) in &found[at + 1..] {
            // Twice in one room is that room's own matter: it is warned of when the second case is typed.
            if a.record == b.record || (!is_number && a.scope.unit == b.scope.unit) {
                continue;
            }
            let kind = if is_number {
                ConflictKind::SameNumber
            } else {
                ConflictKind::Duplicate
            };
            let id = pair_id(kind, *a, *b);
            let (first, second) = if a.record <= b.record { (a, b) } else { (b, a) };
            let item = Item {
                kind: kind.as_str().to_owned(),
                open: choice(&id, row_a, row_b).is_none(),
                subjects: [first, second].map(|r| ByteVec::from(r.to_bytes().to_vec())).to_vec(),
            };
            items.insert(name::conflict(&id, *first), item);
        }
    }
    items
}

/// What was decided on an item, if both records that carry a decision agree that one stands.
pub(crate) fn choice(id: &Hash, a: &RecordRow, b: &RecordRow) -> Option<String> {
    let said = |row: &RecordRow| {
        let found = row.summary.resolutions.iter().find(|r| r.id == *id);
        found.map(|r| r.choice.clone())
    };
    match (said(a), said(b)) {
        (Some(x), Some(y)) if x == CHOICE_UNDO || y == CHOICE_UNDO => None,
        (Some(x), _) | (None, Some(x)) if x != CHOICE_UNDO => Some(x),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ledger::id::{RecordId, Scope, UnitId};
    use store::{KvPlace, MemPlace};

    use super::*;

    fn of(n: u8) -> RecordRef {
        RecordRef {
            scope: Scope::book(UnitId([n; 16])),
            record: RecordId([n; 16]),
        }
    }

    /// Two rooms' cases of one person, known by `token`; `before` is what they were known by.
    fn known_by(kv: &dyn Kv, token: u8, before: Option<u8>) {
        let (mut batch, mut touched) = (Batch::default(), Touched::default());
        for (n, known) in [1, 2].into_iter().flat_map(|n| [(n, before), (n, Some(token))]) {
            let Some(known) = known else { continue };
            let mut row = RecordRow::default();
            row.summary.matter = "A01".to_owned();
            row.summary.token = Some([known; 16]);
            touched.note(&row);
            let key = name::twin(&[known; 16], "A01", of(n));
            match known == token {
                true => batch.put(key, Vec::new()),
                false => batch.delete(key),
            }
            batch.put(name::record(of(n)), row.encode());
        }
        kv.write(batch).unwrap();
        kv.write(touched.settle(kv).unwrap()).unwrap();
    }

    #[test]
    fn two_cases_that_are_known_by_another_token_from_one_moment_on_stay_one_item() {
        // Seed 3077: a hub got a further matching key, and a person's two cases were no more a possible duplicate.
        for (first, then) in [(1, 9), (9, 1)] {
            let kv = MemPlace::default().open().unwrap();
            known_by(&*kv, first, None);
            let items = kv.prefix(name::CONFLICT).unwrap();
            assert_eq!(items.len(), 1);
            known_by(&*kv, then, Some(first));
            assert_eq!(kv.prefix(name::CONFLICT).unwrap(), items, "{first} to {then}");
        }
    }
}
