//! A cut through the rows while they change: whoever reads all of them slice by slice sees each as it was when the reading began.
//!
//! Rows are not copied when a cut is made. What is written over afterwards is noted here first, once per record, and the reader takes
//! the note instead of the row. That costs what changes meanwhile, not what there is.

use std::collections::BTreeMap;

use store::kv::prefix_end;
use store::{Kv, KvError, Order, Scan};

use super::row::{RecordRef, RecordRow};
use super::{mirror, name};

/// All cuts that somebody still reads.
#[derive(Debug, Default)]
pub(crate) struct Cuts {
    next: u64,
    open: BTreeMap<u64, Cut>,
}

/// One of them.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    /// Records written over since, as they were; `None`: there was no such record.
    was: BTreeMap<RecordRef, Was>,
    /// The last record that the reader has passed.
    passed: Option<[u8; 33]>,
}

#[derive(Debug)]
struct Was {
    row: Option<RecordRow>,
    /// The reader had passed it before it was written over.
    is_read: bool,
}

impl Cuts {
    /// From now on what is written over is noted, until [`Cuts::close`].
    pub(crate) fn open(&mut self) -> u64 {
        self.next += 1;
        self.open.insert(self.next, Cut::default());
        self.next
    }

    pub(crate) fn close(&mut self, cut: u64) {
        self.open.remove(&cut);
    }

    /// All rows are made anew: nothing can be said any more of what there was.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
    }

    pub(crate) fn any(&self) -> bool {
        !self.open.is_empty()
    }

    /// What these records were, before they are written over.
    pub(crate) fn note(&mut self, written: &[(RecordRef, Option<RecordRow>)]) {
        for cut in self.open.values_mut() {
            for (of, row) in written {
                let is_read = cut.passed.is_some_and(|passed| of.to_bytes() <= passed);
                cut.was.entry(*of).or_insert_with(|| Was {
                    row: row.clone(),
                    is_read,
                });
            }
        }
    }

    /// `None` when the rows have been made anew since.
    pub(crate) fn at(&mut self, cut: u64) -> Option<&mut Cut> {
        self.open.get_mut(&cut)
    }
}

/// What a reader is given of a record: its row's bytes as they lie in the index, or the record as it was.
pub(crate) enum Seen<'a> {
    Row(&'a [u8]),
    Was(&'a RecordRow),
}

impl Cut {
    /// The record as it was, where it has been written over since.
    pub(crate) fn was(&self, of: RecordRef) -> Option<Option<&RecordRow>> {
        self.was.get(&of).map(|was| was.row.as_ref())
    }

    /// Begins at the first record again.
    pub(crate) fn rewind(&mut self) {
        self.passed = None;
        self.was.values_mut().for_each(|was| was.is_read = false);
    }

    /// Reads on through the rows under `prefix`, `rows` of them at most; out of `mirror` where it holds them. `true` when there are more.
    pub(crate) fn read(
        &mut self,
        kv: &dyn Kv,
        prefix: &[u8],
        mirror: Option<&mirror::Rows>,
        rows: usize,
        each: &mut dyn FnMut(RecordRef, Seen<'_>),
    ) -> Result<bool, KvError> {
        let (mut left, mut passed) = (rows.max(1), self.passed);
        let was = &self.was;
        let mut step = |of: Option<RecordRef>, value: &[u8]| {
            if let Some(of) = of {
                passed = Some(of.to_bytes());
                match was.get(&of).map(|was| was.row.as_ref()) {
                    Some(Some(row)) => each(of, Seen::Was(row)),
                    Some(None) => {}
                    None => each(of, Seen::Row(value)),
                }
            }
            left -= 1;
            if left > 0 { Scan::On } else { Scan::Stop }
        };
        match mirror {
            Some(rows) => mirror::after(rows, self.passed, &mut |of, value| step(Some(of), value)),
            None => {
                // The first key after the one passed last.
                let from = match &self.passed {
                    Some(passed) => [prefix, passed, &[0]].concat(),
                    None => prefix.to_vec(),
                };
                let scan = &mut |key: &[u8], value: &[u8]| step(name::tail(key), value);
                kv.scan(&from, &prefix_end(prefix), Order::Rising, scan)?;
            }
        }
        self.passed = passed;
        if left == 0 {
            return Ok(true);
        }
        // What is there no more was there at the cut.
        for (of, was) in &self.was {
            if let Some(row) = was.row.as_ref().filter(|_| !was.is_read)
                && kv.value(&[prefix, &of.to_bytes()].concat())?.is_none()
            {
                each(*of, Seen::Was(row));
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use ledger::id::{RecordId, Scope, UnitId};
    use store::{Batch, KvPlace, MemPlace};

    use super::*;

    fn of(n: u8) -> RecordRef {
        RecordRef {
            scope: Scope::book(UnitId([1; 16])),
            record: RecordId([n; 16]),
        }
    }

    fn named(no: &str) -> RecordRow {
        let mut row = RecordRow::default();
        row.summary.no = no.to_owned();
        row
    }

    fn put(kv: &dyn Kv, n: u8, no: &str) {
        let mut batch = Batch::default();
        batch.put(name::measure(of(n)), no.as_bytes());
        kv.write(batch).unwrap();
    }

    #[test]
    fn a_reader_sees_every_record_once_as_it_was_whatever_is_written_between_two_slices() {
        let kv = MemPlace::default().open().unwrap();
        (1..=6).for_each(|n| put(kv.as_ref(), n, &format!("old{n}")));
        let mut cuts = Cuts::default();
        let cut = cuts.open();
        let mut seen: Vec<(u8, String)> = Vec::new();
        let mut each = |of: RecordRef, seen_as: Seen<'_>| {
            let text = match seen_as {
                Seen::Row(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Seen::Was(row) => row.summary.no.clone(),
            };
            seen.push((of.record.0[0], text));
        };
        assert!(
            cuts.at(cut)
                .unwrap()
                .read(kv.as_ref(), name::MEASURE, None, 2, &mut each)
                .unwrap()
        );
        // One that was read changes, one ahead changes twice, one ahead goes, one that was read goes, a new one comes.
        cuts.note(&[(of(1), Some(named("old1"))), (of(4), Some(named("old4")))]);
        put(kv.as_ref(), 1, "new1");
        put(kv.as_ref(), 4, "new4");
        cuts.note(&[
            (of(4), Some(named("new4"))),
            (of(5), Some(named("old5"))),
            (of(2), Some(named("old2"))),
            (of(7), None),
        ]);
        let mut batch = Batch::default();
        batch.delete(name::measure(of(5)));
        batch.delete(name::measure(of(2)));
        kv.write(batch).unwrap();
        put(kv.as_ref(), 7, "new7");
        while cuts
            .at(cut)
            .unwrap()
            .read(kv.as_ref(), name::MEASURE, None, 2, &mut each)
            .unwrap()
        {}
        seen.sort();
        let wanted: Vec<(u8, String)> = (1..=6).map(|n| (n, format!("old{n}"))).collect();
        assert_eq!(seen, wanted);
        assert_eq!(cuts.at(cut).unwrap().was(of(7)), Some(None));
        cuts.close(cut);
        assert!(!cuts.any());
    }
}
