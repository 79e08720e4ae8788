//! How much a device may add in a day: a PC that runs wild must not fill the county's disks.

use std::collections::BTreeMap;

use ledger::id::DeviceId;

use crate::limits::{DEVICE_DAY_BYTES_MAX, DEVICE_DAY_ENTRIES_MAX};

const DAY_MS: u64 = 86_400_000;

/// Counts of entries and bytes by author. One for an office; answers [`super::Local::quota`].
#[derive(Debug)]
pub struct Quota {
    entries_max: u64,
    bytes_max: u64,
    used: BTreeMap<DeviceId, Used>,
}

#[derive(Debug)]
struct Used {
    since_ms: u64,
    entries: u64,
    bytes: u64,
}

impl Default for Quota {
    /// With the limits of DESIGN §9.
    fn default() -> Self {
        Self::new(DEVICE_DAY_ENTRIES_MAX, DEVICE_DAY_BYTES_MAX)
    }
}

impl Quota {
    pub fn new(entries_max: u64, bytes_max: u64) -> Self {
        Self {
            entries_max,
            bytes_max,
            used: BTreeMap::new(),
        }
    }

    /// Counts `entries` and `bytes` of `author` at `mono_ms`. An error, with the milliseconds left of the author's day, once a limit has
    /// been passed; what passes it is still taken, so that no single batch can be too long for any day.
    pub fn take(&mut self, mono_ms: u64, author: &DeviceId, entries: u64, bytes: u64) -> Result<(), u64> {
        let used = self.used.entry(*author).or_insert(Used {
            since_ms: mono_ms,
            entries: 0,
            bytes: 0,
        });
        let age = mono_ms.saturating_sub(used.since_ms);
        if age >= DAY_MS {
            *used = Used {
                since_ms: mono_ms,
                entries: 0,
                bytes: 0,
            };
        } else if used.entries >= self.entries_max || used.bytes >= self.bytes_max {
            return Err(DAY_MS - age);
        }
        used.entries += entries;
        used.bytes += bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_runs_wild_is_told_to_come_back_when_its_day_is_over() {
        let mut quota = Quota::new(100, 1_000_000);
        let (wild, calm) = (DeviceId([1; 32]), DeviceId([2; 32]));
        assert_eq!(quota.take(5, &wild, 120, 10), Ok(()));
        assert_eq!(quota.take(1_005, &wild, 1, 10), Err(DAY_MS - 1_000));
        assert_eq!(quota.take(1_005, &calm, 1, 10), Ok(()));
        assert_eq!(quota.take(5 + DAY_MS, &wild, 1, 10), Ok(()));
    }
}
