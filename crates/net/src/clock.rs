//! The one place of the daemon that reads a clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use replica::time::Now;

/// Names a number of seconds by which the wall clock is to be off: for drills of what wrong clocks do. Monotonic time stays right.
pub const CLOCK_OFFSET_S: &str = "CUNLIAN_CLOCK_OFFSET_S";

/// Wall time as the machine says it, which may jump, and monotonic time since this clock was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    offset_ms: i64,
}

impl Clock {
    /// A clock whose monotonic time begins now. See [`CLOCK_OFFSET_S`] for the only thing that turns it.
    pub fn start() -> Self {
        let offset_s = std::env::var(CLOCK_OFFSET_S).ok().and_then(|text| text.parse().ok());
        Self {
            start: Instant::now(),
            offset_ms: offset_s.unwrap_or(0i64).saturating_mul(1_000),
        }
    }

    /// Both times, in milliseconds.
    pub fn now(&self) -> Now {
        let wall_ms = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            // A clock before 1970 (an empty CMOS battery) is shown as it is; nothing is ordered by it.
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        };
        let mono_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now {
            wall_ms: wall_ms.saturating_add(self.offset_ms),
            mono_ms,
        }
    }
}
