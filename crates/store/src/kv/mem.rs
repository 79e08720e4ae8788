//! An index in memory, for simulations.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Batch, Kv, KvError, KvPlace, Order, Scan};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// An index in memory that outlives its handles, as files outlive a process. Clones are the same place.
#[derive(Clone, Default)]
pub struct MemPlace {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Clone, Default)]
struct Inner {
    rows: Rows,
    /// What each write since the last sync replaced, oldest first.
    unsynced: Vec<Undo>,
}

#[derive(Clone)]
enum Undo {
    Write(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    Clear(Rows),
}

impl Inner {
    fn undo_last(&mut self) {
        match self.unsynced.pop() {
            None => {}
            Some(Undo::Clear(rows)) => self.rows = rows,
            Some(Undo::Write(replaced)) => {
                for (key, value) in replaced.into_iter().rev() {
                    match value {
                        Some(value) => self.rows.insert(key, value),
                        None => self.rows.remove(&key),
                    };
                }
            }
        }
    }

    fn clear(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        self.unsynced.push(Undo::Clear(rows));
    }
}

impl MemPlace {
    /// Another place with the same rows: a backup.
    pub fn copy(&self) -> MemPlace {
        let inner = self.lock().clone();
        MemPlace {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// The power goes: what was not synced is lost.
    pub fn cut_power(&self) {
        self.cut_power_keeping(0);
    }

    /// The power goes: of the writes that were not synced the first `writes` are kept, as the system may have written them by then.
    pub fn cut_power_keeping(&self, writes: usize) {
        let mut inner = self.lock();
        while inner.unsynced.len() > writes {
            inner.undo_last();
        }
        inner.unsynced.clear();
    }

    /// How many writes are not synced.
    pub fn unsynced(&self) -> usize {
        self.lock().unsynced.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KvPlace for MemPlace {
    fn open(&mut self) -> Result<Box<dyn Kv>, KvError> {
        Ok(Box::new(MemKv(self.clone())))
    }

    fn wipe(&mut self) -> Result<(), KvError> {
        self.lock().clear();
        Ok(())
    }
}

struct MemKv(MemPlace);

impl Kv for MemKv {
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KvError> {
        Ok(self.0.lock().rows.get(key).cloned())
    }

    fn scan(
        &self,
        from: &[u8],
        until: &[u8],
        order: Order,
        each: &mut dyn FnMut(&[u8], &[u8]) -> Scan,
    ) -> Result<(), KvError> {
        if from >= until {
            return Ok(());
        }
        let inner = self.0.lock();
        let mut range = inner
            .rows
            .range::<[u8], _>((Bound::Included(from), Bound::Excluded(until)));
        let mut next = || match order {
            Order::Rising => range.next(),
            Order::Falling => range.next_back(),
        };
        while let Some((key, value)) = next() {
            if each(key, value) == Scan::Stop {
                break;
            }
        }
        Ok(())
    }

    fn write(&self, batch: Batch) -> Result<(), KvError> {
        let mut inner = self.0.lock();
        let mut replaced = Vec::with_capacity(batch.rows.len());
        for (key, value) in batch.rows {
            let before = match value {
                Some(value) => inner.rows.insert(key.clone(), value),
                None => inner.rows.remove(&key),
            };
            replaced.push((key, before));
        }
        inner.unsynced.push(Undo::Write(replaced));
        Ok(())
    }

    fn clear(&self) -> Result<(), KvError> {
        self.0.lock().clear();
        Ok(())
    }

    fn sync(&self) -> Result<(), KvError> {
        self.0.lock().unsynced.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_cut_takes_the_index_back_to_its_last_sync_or_to_any_write_since() {
        let mut place = MemPlace::default();
        let kv = place.open().unwrap();
        let put = |key: &str, value: &str| {
            let mut batch = Batch::default();
            batch.put(key, value);
            kv.write(batch).unwrap();
        };
        put("a", "1");
        kv.sync().unwrap();
        put("a", "2");
        put("b", "3");
        kv.clear().unwrap();
        let one = place.copy();
        one.cut_power_keeping(1);
        place.cut_power();
        assert_eq!(kv.value(b"a").unwrap(), Some(b"1".to_vec()));
        assert_eq!(kv.value(b"b").unwrap(), None);
        let kv = one.clone().open().unwrap();
        assert_eq!(kv.value(b"a").unwrap(), Some(b"2".to_vec()));
        assert_eq!(kv.value(b"b").unwrap(), None);
    }
}
