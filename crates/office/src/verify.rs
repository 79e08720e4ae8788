//! `verify` and `reindex`: is everything as the journal says, and make it so.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::ScopeKind;
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::kv::prefix_end;
use store::{Kv, Order, Progress, Scan, Task};

use crate::command::CommandError;
use crate::office::Office;
use crate::texts;
use crate::views::fold::derived;
use crate::views::groups::settled;
use crate::views::name;
use crate::views::row::RecordRow;

/// Rows read at once.
const PAGE_ROWS: usize = 512;
/// Sentences of one kind that are told; the rest is counted.
const FAULTS_TOLD: usize = 20;
/// Entries applied between two reports.
const REINDEX_ENTRIES: usize = 8_192;

/// The families of rows that records give rise to by themselves.
pub(crate) const DERIVED: [&[u8]; 12] = [
    name::NUMBER,
    name::IMPORT,
    name::LIST,
    name::DAY,
    name::ERRAND,
    name::ERRAND_OF,
    name::TWIN,
    name::PERSON,
    name::MEASURE,
    name::OPEN,
    name::DOC,
    name::FLAG,
];

/// What a comparison of the index with a fresh fold found.
#[derive(Default)]
struct Compared {
    records: u64,
    rows: u64,
    entries: u64,
    faults: Vec<String>,
}

impl Office {
    /// Frames, chains and signatures of the whole journal, and every index row against a fresh fold. `clean` in the answer says
    /// whether all is well; if not, `faults` says what is off.
    ///
    /// # Errors
    /// When the journal or the index cannot be read at all.
    pub(crate) fn verify(&mut self, now: Now, progress: &mut dyn FnMut(Progress)) -> Result<Json, CommandError> {
        // What was staged when the folder was opened belongs to what is looked at.
        self.commit(now)?;
        let verified = self.store.verify(progress).map_err(|e| texts::store_failed(&e))?;
        if !verified.met.is_empty() {
            self.lowered(now, &verified.met)?;
        }
        let mut faults = verified.faults.clone();
        for damage in &verified.damaged {
            faults.push(format!("{}（{:?}，{} 字节）", texts::DAMAGED, damage.at, damage.bytes));
        }
        let mut compared = Compared::default();
        if self.unit().is_some() {
            self.catch_up(now)?;
            compared = self.compare(progress)?;
        }
        faults.append(&mut compared.faults);
        let mut remarks = Vec::new();
        let trail = self.verify_audit(&mut faults, &mut remarks)?;
        let message = match faults.len() {
            0 => texts::VERIFY_CLEAN.to_owned(),
            n => texts::verify_failed(n),
        };
        Ok(json!({
            "clean": faults.is_empty(),
            "message": message,
            "faults": faults.iter().take(FAULTS_TOLD).collect::<Vec<_>>(),
            "remarks": remarks.iter().take(FAULTS_TOLD).collect::<Vec<_>>(),
            "trail": trail,
            "frames": verified.frames,
            "entries": verified.entries,
            "bytes": verified.bytes,
            "damaged": verified.damaged.len(),
            "healed": verified.healed.len(),
            "records": compared.records,
            "rows": compared.rows,
        }))
    }

    /// Wipes the index and makes it anew from the journal; what [`Office::prepare`] has begun is only finished.
    ///
    /// # Errors
    /// When the journal cannot be read or the index cannot be written.
    pub(crate) fn reindex(&mut self, now: Now, progress: &mut dyn FnMut(Progress)) -> Result<Json, CommandError> {
        self.begin_reindex(progress)?;
        loop {
            if self.store.is_in_doubt() {
                self.repair(now).map_err(|e| texts::store_failed(&e))?;
            }
            let applied = self
                .views
                .apply(&mut self.store, &self.authority, &self.keys, REINDEX_ENTRIES)
                .map_err(|e| texts::store_failed(&e))?;
            progress(self.rebuilt());
            if applied.left == 0 {
                break;
            }
        }
        self.views.rebuilt();
        self.views.trust(&mut self.store).map_err(|e| texts::store_failed(&e))?;
        Ok(json!({"entries": self.store.stats().entries}))
    }

    /// Wipes the index, unless that has been done and it is being made anew.
    pub(crate) fn begin_reindex(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), CommandError> {
        if !self.views.is_rebuilding() {
            self.store.rebuild(progress).map_err(|e| texts::store_failed(&e))?;
            self.views.restart();
        }
        Ok(())
    }

    fn compare(&self, progress: &mut dyn FnMut(Progress)) -> Result<Compared, CommandError> {
        let failed = |e: store::KvError| texts::store_failed(&e);
        let kv = self.store.kv();
        let mut compared = Compared::default();
        let mut expected: BTreeMap<&'static [u8], u64> = DERIVED.into_iter().map(|f| (f, 0)).collect();
        let mut conflicts = 0;
        let total = self.store.stats().entries;
        let end = prefix_end(name::RECORD);
        let mut from = name::RECORD.to_vec();
        loop {
            let page = kv.range(&from, &end, Order::Rising, PAGE_ROWS).map_err(failed)?;
            let Some((last, _)) = page.last() else { break };
            from = [last.as_slice(), &[0]].concat();
            for (key, value) in &page {
                compared.records += 1;
                let Some((of, row)) = name::tail(key).zip(RecordRow::decode(value)) else {
                    compared.faults.push(texts::row_missing(ledger::id::Hash::ZERO));
                    continue;
                };
                compared.entries += row.entries.len() as u64;
                let mut fresh = self.read(of, row.clone())?.row;
                if self.keys.is_locked() {
                    // Whether it was folded before or behind the lock shows in nothing else.
                    fresh.summary.locked = row.summary.locked;
                }
                let rows = derived(of, &row);
                let mut same = fresh == row;
                for (key, value) in &rows {
                    same &= kv.value(key).map_err(failed)?.as_ref() == Some(value);
                    match DERIVED.into_iter().find(|f| key.starts_with(f)) {
                        Some(family) => *expected.entry(family).or_default() += 1,
                        None => conflicts += 1,
                    }
                }
                compared.rows += 1 + rows.len() as u64;
                if !same {
                    compared.faults.push(texts::row_differs(&row.summary.no, of.record));
                }
            }
            progress(Progress {
                task: Task::Verifying,
                done: compared.entries,
                total,
            });
        }
        self.compare_groups(&mut compared, &mut conflicts)?;
        self.compare_totals(&mut compared, &expected, conflicts)?;
        Ok(compared)
    }

    /// The items between records, group by group.
    fn compare_groups(&self, compared: &mut Compared, conflicts: &mut u64) -> Result<(), CommandError> {
        let failed = |e: store::KvError| texts::store_failed(&e);
        let kv = self.store.kv();
        let mut several: BTreeSet<Vec<u8>> = BTreeSet::new();
        for family in [name::NUMBER, name::TWIN] {
            let mut before: Vec<u8> = Vec::new();
            scan(kv, family, &mut |key, _| {
                // Both kinds of key end with 33 bytes that name the record.
                let group = &key[..key.len().saturating_sub(33)];
                if before == group {
                    several.insert(group.to_vec());
                }
                group.clone_into(&mut before);
            })
            .map_err(failed)?;
        }
        scan(kv, name::GROUP, &mut |key, _| {
            several.insert(key[name::GROUP.len()..].to_vec());
        })
        .map_err(failed)?;
        for group in several {
            let items = settled(kv, &group).map_err(failed)?;
            for (key, value) in items {
                let there = kv.value(&key).map_err(failed)?;
                *conflicts += u64::from(value.is_some() && key.starts_with(name::CONFLICT));
                if there != value {
                    compared.faults.push(texts::row_differs("conflict", key.len()));
                }
            }
        }
        Ok(())
    }

    /// No entry without a row, no row without a record.
    fn compare_totals(
        &self,
        compared: &mut Compared,
        expected: &BTreeMap<&'static [u8], u64>,
        conflicts: u64,
    ) -> Result<(), CommandError> {
        let count = |family: &[u8]| {
            let mut n = 0u64;
            let counted = scan(self.store.kv(), family, &mut |_, _| n += 1);
            counted.map(|()| n).map_err(|e| texts::store_failed(&e))
        };
        let mut extra = count(name::CONFLICT)?.saturating_sub(conflicts);
        for (family, wanted) in expected {
            extra += count(family)?.saturating_sub(*wanted);
        }
        if extra > 0 {
            compared.faults.push(texts::row_extra(extra));
        }
        let mut odd = 0u64;
        scan(self.store.kv(), name::ODD, &mut |key, _| {
            let place = name::odd_place(key);
            odd += u64::from(place.is_some_and(|(log, _)| log.scope.kind == ScopeKind::Book));
        })
        .map_err(|e| texts::store_failed(&e))?;
        // Closings of days lie in books, and belong to no record.
        scan(self.store.kv(), name::CLOSING, &mut |key, _| {
            odd += u64::from(name::closing_place(key).is_some());
        })
        .map_err(|e| texts::store_failed(&e))?;
        // So do reports that were kept.
        scan(self.store.kv(), name::KEPT, &mut |key, _| {
            odd += u64::from(name::kept_place(key).is_some());
        })
        .map_err(|e| texts::store_failed(&e))?;
        let logs = self.store.logs();
        let books = logs.scopes().filter(|s| s.kind == ScopeKind::Book);
        scan(self.store.kv(), name::WITNESS, &mut |key, _| {
            let place = name::witness_place(key);
            odd += u64::from(place.is_some_and(|(log, _)| log.scope.kind == ScopeKind::Book));
        })
        .map_err(|e| texts::store_failed(&e))?;
        let held: u64 = books.map(|s| logs.entries(s)).sum();
        if held > compared.entries + odd {
            let missing = held - compared.entries - odd;
            compared.faults.push(texts::row_missing(format!("{missing}")));
        }
        Ok(())
    }
}

fn scan(kv: &dyn Kv, prefix: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), store::KvError> {
    kv.scan(prefix, &prefix_end(prefix), Order::Rising, &mut |key, value| {
        each(key, value);
        Scan::On
    })
}
