//! An index in memory, for simulations.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Batch, Kv, KvError, KvPlace, Order, Scan};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// An index in memory that outlives its handles, as files outlive a process. Clones are the same place.
#[derive(Clone, Default)]
pub struct MemPlace {
    rows: Arc<Mutex<Rows>>,
    synced: Arc<Mutex<Rows>>,
}

impl MemPlace {
    /// Another place with the same rows: a backup.
    pub fn copy(&self) -> MemPlace {
        MemPlace {
            rows: Arc::new(Mutex::new(lock(&self.rows).clone())),
            synced: Arc::new(Mutex::new(lock(&self.synced).clone())),
        }
    }

    /// The power goes: what was not synced is lost.
    pub fn cut_power(&self) {
        let synced = lock(&self.synced).clone();
        *lock(&self.rows) = synced;
    }
}

impl KvPlace for MemPlace {
    fn open(&mut self) -> Result<Box<dyn Kv>, KvError> {
        Ok(Box::new(MemKv(self.clone())))
    }

    fn wipe(&mut self) -> Result<(), KvError> {
        lock(&self.rows).clear();
        Ok(())
    }
}

struct MemKv(MemPlace);

impl Kv for MemKv {
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KvError> {
        Ok(lock(&self.0.rows).get(key).cloned())
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
        let rows = lock(&self.0.rows);
        let mut range = rows.range::<[u8], _>((Bound::Included(from), Bound::Excluded(until)));
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
        let mut rows = lock(&self.0.rows);
        for (key, value) in batch.rows {
            match value {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
        Ok(())
    }

    fn clear(&self) -> Result<(), KvError> {
        lock(&self.0.rows).clear();
        Ok(())
    }

    fn sync(&self) -> Result<(), KvError> {
        let rows = lock(&self.0.rows).clone();
        *lock(&self.0.synced) = rows;
        Ok(())
    }
}

fn lock(rows: &Mutex<Rows>) -> MutexGuard<'_, Rows> {
    rows.lock().unwrap_or_else(PoisonError::into_inner)
}
