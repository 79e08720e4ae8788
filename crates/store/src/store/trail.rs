//! The trail beside the journal: a record is durable before it is said, and the journal remembers the last one.

use super::{Store, Trail, TrailTip};
use crate::disk::is_full;
use crate::journal::failed;
use crate::trail::{TrailRecord, TrailVerified};
use crate::types::StoreError;

/// The local fact that names the last record: a trail that ends before it was cut.
const FACT: &str = "trail";

impl Store {
    /// Adds a record, durable on return, and stages the fact that remembers it.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn append_trail(&mut self, life: u64, body: &[u8]) -> Result<TrailTip, StoreError> {
        self.check_poison()?;
        let mut appended = self.trail.append(&mut *self.disk, life, body);
        if appended.as_ref().is_err_and(is_full) {
            // What people do has to be written down also on a full disk: the space kept back is for that.
            let full = self.disk_full();
            appended = self.trail.append(&mut *self.disk, life, body);
            if appended.as_ref().is_err_and(is_full) {
                return Err(full);
            }
        }
        let tip = appended.map_err(|error| self.poison(failed("writing the trail")(error)))?;
        self.stage_fact(FACT, Some(&tip.to_bytes()))?;
        Ok(tip)
    }

    /// The last record.
    pub fn trail_tip(&self) -> TrailTip {
        self.trail.tip()
    }

    /// The life in which the last record was written; 0: none that can be read.
    pub fn trail_life(&self) -> u64 {
        self.trail.life()
    }

    /// Records before number `before`, the newest first, at most `max`.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn trail(&self, before: u64, max: usize) -> Result<Vec<TrailRecord>, StoreError> {
        Trail::read(&*self.disk, before, max).map_err(failed("reading the trail"))
    }

    /// Reads the whole trail and holds it against what the journal remembers of it.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn verify_trail(&self, each: &mut dyn FnMut(&TrailRecord)) -> Result<TrailVerified, StoreError> {
        Trail::verify(&*self.disk, self.said(), each).map_err(failed("reading the trail"))
    }

    fn said(&self) -> TrailTip {
        self.fact(FACT)
            .and_then(TrailTip::from_bytes)
            .unwrap_or(TrailTip::START)
    }

    /// Once the facts are known: where the trail goes on.
    pub(super) fn reopen_trail(&mut self) -> Result<(), StoreError> {
        self.trail = Trail::open(&*self.disk, self.said()).map_err(failed("opening the trail"))?;
        let durable = self.trail.make_durable(&mut *self.disk);
        durable.map_err(failed("making the trail durable"))
    }
}
