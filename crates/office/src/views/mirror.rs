//! The short rows that reports count, once more in the memory of a hub: a pass over the index would read and unpack every page of them
//! again for each report, because the index keeps few pages.
//!
//! ```text
//!   idle moments ─▶ rows are read in order, some at a time ─▶ whole ─▶ reports read here
//!   a row is written ─▶ the same row here, where that far is read already
//! ```
//!
//! It holds bytes as they lie in the index, so a report is the same from either. Whatever goes wrong, it is let go of and reports read
//! the index.

use std::collections::BTreeMap;
use std::ops::Bound;

use store::kv::prefix_end;
use store::{Kv, KvError, Order, Scan};

use super::name;
use super::row::RecordRef;

/// Rows by record, as they lie in the index.
pub(crate) type Rows = BTreeMap<[u8; 33], Box<[u8]>>;

/// Of more rows than this (some 600,000) reports read the index: a hub's memory has other uses too.
const BYTES_MAX: usize = 128 * 1024 * 1024;
/// What a row takes in memory beside its own bytes.
const ROW_BYTES: usize = 33 + 16 + 16 + 40;

#[derive(Debug, Default)]
enum State {
    /// Nobody wants it, or it has been let go of.
    #[default]
    Off,
    /// Read up to this record; `None` at the beginning.
    Filling(Option<[u8; 33]>),
    Whole,
}

#[derive(Debug, Default)]
pub(crate) struct Mirror {
    state: State,
    rows: Rows,
    bytes: usize,
    /// It was too large, or the index could not be read: not again in this process.
    given_up: bool,
}

impl Mirror {
    /// Begins to read, unless that has been done.
    pub(crate) fn want(&mut self) {
        if matches!(self.state, State::Off) && !self.given_up {
            self.state = State::Filling(None);
        }
    }

    /// All rows, once they are here.
    pub(crate) fn whole(&self) -> Option<&Rows> {
        matches!(self.state, State::Whole).then_some(&self.rows)
    }

    /// Lets go of all; to be read again.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            given_up: self.given_up,
            ..Self::default()
        };
    }

    fn give_up(&mut self) {
        self.given_up = true;
        self.clear();
    }

    /// Reads on, `many` rows at most. `true` when there are more.
    pub(crate) fn fill(&mut self, kv: &dyn Kv, many: usize) -> bool {
        let State::Filling(passed) = self.state else {
            return false;
        };
        match self.read(kv, passed, many) {
            Ok(true) => {}
            Ok(false) => self.state = State::Whole,
            Err(_) => self.give_up(),
        }
        matches!(self.state, State::Filling(_))
    }

    fn read(&mut self, kv: &dyn Kv, passed: Option<[u8; 33]>, many: usize) -> Result<bool, KvError> {
        let from = match &passed {
            Some(passed) => [name::MEASURE, passed, &[0]].concat(),
            None => name::MEASURE.to_vec(),
        };
        let (mut left, mut found) = (many.max(1), Vec::new());
        kv.scan(&from, &prefix_end(name::MEASURE), Order::Rising, &mut |key, value| {
            found.extend(name::tail(key).map(|of| (of.to_bytes(), Box::from(value))));
            left -= 1;
            if left > 0 { Scan::On } else { Scan::Stop }
        })?;
        let last = found.last().map(|(of, _)| *of);
        found.into_iter().for_each(|(of, row)| self.put(of, Some(row)));
        self.state = State::Filling(last.or(passed));
        if self.bytes > BYTES_MAX {
            self.give_up();
            return Ok(true);
        }
        Ok(left == 0)
    }

    /// Rows as they have just been written to the index; `None`: gone.
    pub(crate) fn take(&mut self, written: Vec<(RecordRef, Option<Vec<u8>>)>) {
        for (of, row) in written {
            let of = of.to_bytes();
            let is_read = match &self.state {
                State::Off => false,
                State::Filling(passed) => passed.is_some_and(|passed| of <= passed),
                State::Whole => true,
            };
            if is_read {
                self.put(of, row.map(Vec::into_boxed_slice));
            }
        }
        if self.bytes > BYTES_MAX {
            self.give_up();
        }
    }

    fn put(&mut self, of: [u8; 33], row: Option<Box<[u8]>>) {
        self.bytes += row.as_ref().map_or(0, |row| row.len() + ROW_BYTES);
        let before = match row {
            Some(row) => self.rows.insert(of, row),
            None => self.rows.remove(&of),
        };
        self.bytes -= before.map_or(0, |row| row.len() + ROW_BYTES);
    }
}

/// Reads rows behind a record, in order, until `each` stops.
pub(crate) fn after(rows: &Rows, passed: Option<[u8; 33]>, each: &mut dyn FnMut(RecordRef, &[u8]) -> Scan) {
    let from = passed.map_or(Bound::Unbounded, Bound::Excluded);
    for (of, row) in rows.range((from, Bound::Unbounded)) {
        if let Some(of) = RecordRef::from_bytes(of)
            && each(of, row) == Scan::Stop
        {
            return;
        }
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

    /// Writes as views do: to the index, then here.
    fn write(kv: &dyn Kv, mirror: &mut Mirror, n: u8, row: Option<&str>) {
        let mut batch = Batch::default();
        match row {
            Some(row) => batch.put(name::measure(of(n)), row.as_bytes()),
            None => batch.delete(name::measure(of(n))),
        }
        kv.write(batch).unwrap();
        mirror.take(vec![(of(n), row.map(|row| row.as_bytes().to_vec()))]);
    }

    #[test]
    fn it_is_what_the_index_holds_whatever_is_written_while_it_is_read() {
        let kv = MemPlace::default().open().unwrap();
        let mut mirror = Mirror::default();
        (1..=9).for_each(|n| write(kv.as_ref(), &mut mirror, n, Some("old")));
        assert!(!mirror.fill(kv.as_ref(), 4), "nobody wants it");
        mirror.want();
        assert!(mirror.fill(kv.as_ref(), 4));
        // Behind the reader and before it: one changes, one goes, one comes.
        for (n, row) in [
            (2, Some("new")),
            (3, None),
            (7, Some("new")),
            (8, None),
            (12, Some("new")),
        ] {
            write(kv.as_ref(), &mut mirror, n, row);
        }
        assert!(mirror.whole().is_none(), "half of it is no report's ground");
        while mirror.fill(kv.as_ref(), 4) {}
        write(kv.as_ref(), &mut mirror, 1, None);
        write(kv.as_ref(), &mut mirror, 13, Some("new"));
        let held: Vec<(Vec<u8>, Vec<u8>)> = kv.prefix(name::MEASURE).unwrap();
        let whole = mirror.whole().unwrap();
        let mirrored: Vec<(Vec<u8>, Vec<u8>)> = whole
            .iter()
            .map(|(of, row)| ([name::MEASURE, of].concat(), row.to_vec()))
            .collect();
        assert_eq!(mirrored, held);
        let bytes: usize = whole.values().map(|row| row.len() + ROW_BYTES).sum();
        assert_eq!(mirror.bytes, bytes);
        mirror.clear();
        assert!(mirror.whole().is_none());
    }
}
