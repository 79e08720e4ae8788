//! The one place of the daemon that reads a clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use replica::time::Now;

/// Wall time as the machine says it, which may jump, and monotonic time since this clock was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock whose monotonic time begins now.
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Both times, in milliseconds.
    pub fn now(&self) -> Now {
        let wall_ms = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            // A clock before 1970 (an empty CMOS battery) is shown as it is; nothing is ordered by it.
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        };
        let mono_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { wall_ms, mono_ms }
    }
}
