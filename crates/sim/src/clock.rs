//! The clocks of a device: a wall clock that drifts, jumps, stands still and dies with its battery, and a monotonic one that does not.

use replica::time::Now;

/// Monday 2026-09-07 00:00 in China: the county's day 0 begins.
pub const DAY_0_MS: i64 = 1_788_710_400_000;
/// What a PC with an empty battery believes at each power-up.
const EPOCHS_MS: [i64; 2] = [0, 946_684_800_000];

/// One device's clocks. True time is the world's, in milliseconds since it began.
#[derive(Clone, Debug)]
pub struct Clock {
    /// What the wall clock shows at `set_ms`.
    shown_ms: i64,
    set_ms: u64,
    /// Parts of a million by which it runs fast or slow.
    drift_ppm: i64,
    still: bool,
    /// The year a dead battery falls back to; `None`: the battery is good.
    dead: Option<usize>,
    /// When this process began, and what its monotonic clock showed then.
    began_ms: u64,
    mono_ms: u64,
}

impl Clock {
    /// A clock that is right at true time 0 and drifts by so much.
    pub fn new(drift_ppm: i64) -> Self {
        Self {
            shown_ms: DAY_0_MS,
            set_ms: 0,
            drift_ppm,
            still: false,
            dead: None,
            began_ms: 0,
            mono_ms: 0,
        }
    }

    /// Both clocks at a true time.
    pub fn now(&self, true_ms: u64) -> Now {
        Now {
            wall_ms: self.wall_ms(true_ms),
            mono_ms: self.mono_ms + true_ms.saturating_sub(self.began_ms),
        }
    }

    fn wall_ms(&self, true_ms: u64) -> i64 {
        if self.still {
            return self.shown_ms;
        }
        let passed = i64::try_from(true_ms.saturating_sub(self.set_ms)).unwrap_or(i64::MAX);
        self.shown_ms + passed + passed / 1_000 * self.drift_ppm / 1_000
    }

    /// The true time at which this process's monotonic clock shows `mono_ms`.
    pub fn true_ms(&self, mono_ms: u64) -> u64 {
        self.began_ms + mono_ms.saturating_sub(self.mono_ms)
    }

    /// A process begins; its monotonic clock may begin anywhere.
    pub fn begin(&mut self, true_ms: u64, mono_ms: u64) {
        self.began_ms = true_ms;
        self.mono_ms = mono_ms;
    }

    fn set(&mut self, true_ms: u64, shown_ms: i64) {
        self.shown_ms = shown_ms;
        self.set_ms = true_ms;
    }

    /// The wall clock is turned by so much at once.
    pub fn jump(&mut self, true_ms: u64, by_ms: i64) {
        self.set(true_ms, self.wall_ms(true_ms).saturating_add(by_ms));
    }

    /// From now on it runs faster or slower.
    pub fn drift(&mut self, true_ms: u64, ppm: i64) {
        self.set(true_ms, self.wall_ms(true_ms));
        self.drift_ppm = ppm;
    }

    /// It stands still until it is put right.
    pub fn stop(&mut self, true_ms: u64) {
        self.set(true_ms, self.wall_ms(true_ms));
        self.still = true;
    }

    /// The battery is empty: from the next power-up on it begins in 1970 or 2000 each time.
    pub fn battery_dies(&mut self, which: u64) {
        self.dead = Some(which as usize % EPOCHS_MS.len());
    }

    /// The power comes back. Returns whether the clock has forgotten the time.
    pub fn power_up(&mut self, true_ms: u64) -> bool {
        let epoch = self.dead.and_then(|at| EPOCHS_MS.get(at));
        if let Some(epoch) = epoch {
            self.set(true_ms, *epoch);
        }
        epoch.is_some()
    }

    /// Somebody puts it right, with a new battery.
    pub fn put_right(&mut self, true_ms: u64) {
        self.still = false;
        self.dead = None;
        self.drift_ppm = 0;
        self.set(true_ms, DAY_0_MS + i64::try_from(true_ms).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    #[test]
    fn a_wall_clock_drifts_jumps_stops_and_dies_while_the_monotonic_one_goes_on() {
        let mut clock = Clock::new(100);
        clock.begin(0, 5);
        assert_eq!(clock.now(24 * HOUR).wall_ms - DAY_0_MS - 24 * 3_600_000, 8_640);
        clock.jump(24 * HOUR, -7 * 3_600_000);
        assert!(clock.now(24 * HOUR).wall_ms < DAY_0_MS + 18 * 3_600_000);
        clock.stop(25 * HOUR);
        assert_eq!(clock.now(25 * HOUR).wall_ms, clock.now(30 * HOUR).wall_ms);
        clock.put_right(30 * HOUR);
        clock.battery_dies(1);
        clock.power_up(31 * HOUR);
        assert_eq!(clock.now(31 * HOUR).wall_ms, EPOCHS_MS[1]);
        assert_eq!(clock.now(31 * HOUR).mono_ms, 31 * HOUR + 5);
        assert_eq!(clock.true_ms(31 * HOUR + 5), 31 * HOUR);
    }
}
