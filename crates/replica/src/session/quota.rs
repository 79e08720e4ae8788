//! How much a device may add in a day: a PC that runs wild must not fill the county's disks.
//!
//! Why unused days count: a room that was cut off for weeks, or a hub that is rebuilt from its rooms, brings many days' work in a minute.
//! The limits are those of a day on average; what has been saved up may come at once.

use std::collections::BTreeMap;

use ledger::id::DeviceId;

use crate::limits::{DEVICE_DAY_BYTES_MAX, DEVICE_DAY_ENTRIES_MAX};

const DAY_MS: u64 = 86_400_000;
/// So many unused days count, and a device not met before has them all: some five years of a village room's work.
const DAYS_SAVED: u64 = 10;

/// Counts of entries and bytes by author. One for an office; answers [`super::Local::quota`].
#[derive(Debug)]
pub struct Quota {
    day: Amount,
    used: BTreeMap<DeviceId, Used>,
}

#[derive(Clone, Copy, Debug)]
struct Amount {
    entries: u64,
    bytes: u64,
}

/// What is used up of the days saved, as of a time.
#[derive(Debug)]
struct Used {
    at_ms: u64,
    amount: Amount,
}

impl Default for Quota {
    /// With the limits of DESIGN §9.
    fn default() -> Self {
        Self::new(DEVICE_DAY_ENTRIES_MAX, DEVICE_DAY_BYTES_MAX)
    }
}

impl Quota {
    /// So many entries and bytes in a day.
    pub fn new(entries: u64, bytes: u64) -> Self {
        assert!(entries > 0 && bytes > 0, "nobody could ever write");
        Self {
            day: Amount { entries, bytes },
            used: BTreeMap::new(),
        }
    }

    /// Counts `entries` and `bytes` of `author` at `mono_ms`. Once all that was saved is used up: an error, with the milliseconds until
    /// there is something again. What passes the limit is still taken, so that no single run can be too long for ever.
    pub fn take(&mut self, mono_ms: u64, author: &DeviceId, entries: u64, bytes: u64) -> Result<(), u64> {
        let day = self.day;
        let used = self.used.entry(*author).or_insert(Used {
            at_ms: mono_ms,
            amount: Amount { entries: 0, bytes: 0 },
        });
        let age_ms = mono_ms.saturating_sub(used.at_ms);
        let left = |used: u64, day: u64| used.saturating_sub(share(day, age_ms));
        let now = Amount {
            entries: left(used.amount.entries, day.entries),
            bytes: left(used.amount.bytes, day.bytes),
        };
        let wait = wait_ms(now.entries, day.entries).max(wait_ms(now.bytes, day.bytes));
        if wait > 0 {
            return Err(wait);
        }
        *used = Used {
            at_ms: mono_ms,
            amount: Amount {
                entries: now.entries.saturating_add(entries),
                bytes: now.bytes.saturating_add(bytes),
            },
        };
        Ok(())
    }
}

/// What of a day's amount belongs to `ms` of it.
fn share(day: u64, ms: u64) -> u64 {
    u64::try_from(u128::from(day) * u128::from(ms) / u128::from(DAY_MS)).unwrap_or(u64::MAX)
}

/// How long until less than all saved days are used; 0 when that is so now.
fn wait_ms(used: u64, day: u64) -> u64 {
    let Some(over) = used.checked_sub(day.saturating_mul(DAYS_SAVED)) else {
        return 0;
    };
    u64::try_from((u128::from(over) + 1) * u128::from(DAY_MS) / u128::from(day) + 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_runs_wild_is_told_when_to_come_back_and_others_are_not() {
        let mut quota = Quota::new(100, 1_000_000);
        let (wild, calm) = (DeviceId([1; 32]), DeviceId([2; 32]));
        assert_eq!(quota.take(5, &wild, 1_049, 10), Ok(()));
        let wait = quota.take(5, &wild, 1, 10).unwrap_err();
        assert!(wait > DAY_MS / 2 && wait < DAY_MS / 2 + 10, "{wait}");
        assert_eq!(quota.take(5, &calm, 1, 10), Ok(()));
        assert!(quota.take(5 + wait - 2, &wild, 1, 10).is_err());
        assert_eq!(quota.take(5 + wait, &wild, 1, 10), Ok(()));
    }

    #[test]
    fn a_room_that_was_away_for_weeks_brings_all_its_work_at_once() {
        let mut quota = Quota::default();
        let room = DeviceId([1; 32]);
        for run in 0..100 {
            assert_eq!(quota.take(run, &room, 450, 300_000), Ok(()));
        }
    }

    #[test]
    fn bytes_count_as_entries_do() {
        let mut quota = Quota::new(u64::MAX / 32, 1_000);
        let room = DeviceId([1; 32]);
        assert_eq!(quota.take(0, &room, 1, 10_000), Ok(()));
        assert!(quota.take(0, &room, 1, 1).is_err());
    }
}
