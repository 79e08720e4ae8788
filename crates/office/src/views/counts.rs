//! Counts for status: taken from rows, kept in RAM while the process lives, never written.

use std::collections::BTreeMap;

use ledger::id::{Scope, UnitId};
use store::kv::prefix_end;
use store::{Batch, Kv, Order, Scan, Store, StoreError};

use crate::views::Views;
use crate::views::groups::Item;
use crate::views::name::{self, Flag};
use crate::views::row::RecordRef;

/// Rows removed in one batch.
const WIPE_ROWS: usize = 4_096;

/// How many records and items there are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    records: BTreeMap<Scope, u64>,
    /// Conflict items in and between records that await a decision. Forks of devices are counted by who asks for them.
    pub conflicts: u64,
    /// Records with a change that is set aside.
    pub set_aside: u64,
    /// Entries that no version of ours can read, places of the journal that are damaged, and `set_aside`.
    pub quarantined: u64,
    /// Records that wait for a form or catalogue, for entries, or for a statement that lets them in (待认).
    pub waiting: u64,
}

impl Counts {
    /// Records of one book.
    pub fn records(&self, scope: Scope) -> u64 {
        self.records.get(&scope).copied().unwrap_or(0)
    }

    pub(super) fn add_record(&mut self, scope: Scope) {
        *self.records.entry(scope).or_default() += 1;
    }
}

impl Views {
    /// Grows whenever rows are written.
    pub(crate) fn writes(&self) -> u64 {
        self.writes
    }

    /// Grows whenever a row of this book is written.
    pub(crate) fn writes_of(&self, unit: UnitId) -> u64 {
        self.rewritten.get(&unit).copied().unwrap_or(0)
    }

    pub(super) fn note_writes(&mut self, changed: &[RecordRef]) {
        self.writes += 1;
        for of in changed {
            *self.rewritten.entry(of.scope.unit).or_default() += 1;
        }
    }

    /// Counts as of what is applied. The first call reads every record's key; later ones only the short lists.
    pub fn counts(&mut self, store: &Store) -> Result<Counts, StoreError> {
        let kv = store.kv();
        if self.counts.is_none() {
            let mut counts = Counts::default();
            visit(kv, name::RECORD, &mut |key, _| {
                if let Some(of) = name::tail(key) {
                    counts.add_record(of.scope);
                }
            })?;
            self.counts = Some(counts);
        }
        let mut counts = self.counts.clone().unwrap_or_default();
        counts.conflicts = self.open_conflicts(store)?;
        let number = |flag: Flag| -> Result<u64, StoreError> {
            let mut n = 0;
            visit(kv, &name::flagged(flag), &mut |_, _| n += 1)?;
            Ok(n)
        };
        counts.set_aside = number(Flag::SetAside)?;
        counts.waiting = number(Flag::Versions)? + number(Flag::Entries)? + number(Flag::Unrecognised)?;
        let mut odd = 0;
        visit(kv, name::ODD, &mut |_, _| odd += 1)?;
        counts.quarantined = counts.set_aside + odd + store.stats().damaged;
        Ok(counts)
    }
}

impl Views {
    /// As [`Counts::conflicts`], without looking through the records.
    pub(crate) fn open_conflicts(&self, store: &Store) -> Result<u64, StoreError> {
        let mut open = 0;
        visit(store.kv(), name::CONFLICT, &mut |_, value| {
            open += u64::from(Item::decode(value).is_some_and(|i| i.open));
        })?;
        Ok(open)
    }

    /// What is set aside, as in [`Counts::quarantined`], without looking through the records.
    pub(crate) fn quarantined(&self, store: &Store) -> Result<u64, StoreError> {
        let mut many = store.stats().damaged;
        for prefix in [name::flagged(Flag::SetAside), name::ODD.to_vec()] {
            visit(store.kv(), &prefix, &mut |_, _| many += 1)?;
        }
        Ok(many)
    }
}

/// Visits all rows with a prefix.
pub(crate) fn visit(kv: &dyn Kv, prefix: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
    kv.scan(prefix, &prefix_end(prefix), Order::Rising, &mut |key, value| {
        each(key, value);
        Scan::On
    })?;
    Ok(())
}

/// Removes every row of ours.
pub(crate) fn wipe(kv: &dyn Kv) -> Result<(), StoreError> {
    loop {
        let rows = kv.range(name::ALL, &prefix_end(name::ALL), Order::Rising, WIPE_ROWS)?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::default();
        rows.into_iter().for_each(|(key, _)| batch.delete(key));
        kv.write(batch)?;
    }
}
