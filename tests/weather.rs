//! What a line does to the datagrams that it carries, drawn from a seed: so that a bad night can be told again.
//!
//! Pure: time comes in, what comes out at the far end and when goes out. [`crate::relay::Relay`] does the waiting.

use std::time::Duration;

use ledger::seed::Seeds;

/// A slow line keeps so much for later; beyond it, what comes is lost. Home routers keep about a second.
const QUEUE_MAX: Duration = Duration::from_secs(1);

/// One direction of a line. Shares are per thousand datagrams; the default is a line without fault or delay.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Weather {
    /// What every datagram takes.
    pub delay: Duration,
    /// What a datagram takes beyond it, at most: later ones may overtake it.
    pub jitter: Duration,
    pub lost_pm: u64,
    /// Come out twice, the second time up to [`Weather::late`] later.
    pub doubled_pm: u64,
    /// Are held back for [`Weather::late`], so that what follows overtakes them.
    pub late_pm: u64,
    pub late: Duration,
    /// Come out with a few bits turned.
    pub corrupt_pm: u64,
    /// What the line carries in a second; `None` for as much as is sent.
    pub bytes_per_s: Option<u64>,
    /// Longer datagrams vanish without a word, as behind a tunnel whose error messages are filtered.
    pub datagram_bytes_max: Option<usize>,
    /// Nothing gets through in this direction.
    pub cut: bool,
}

/// What has been done to datagrams so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    pub carried: u64,
    pub lost: u64,
    pub doubled: u64,
    pub late: u64,
    pub corrupt: u64,
    /// Did not fit into the line's queue.
    pub crowded_out: u64,
    /// Were longer than the line takes.
    pub too_long: u64,
}

/// One direction of a line at work.
#[derive(Debug)]
pub struct Sky {
    weather: Weather,
    seeds: Seeds,
    /// When the line has carried away all that it was given, since the line was opened.
    free_at: Duration,
    tally: Tally,
}

/// One copy of a datagram at the far end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// Since the line was opened.
    pub due: Duration,
    pub bytes: Vec<u8>,
}

impl Sky {
    /// A direction whose weather is drawn from this seed.
    pub fn new(seed: u64, weather: Weather) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        Self {
            weather,
            seeds: Seeds::new(bytes),
            free_at: Duration::ZERO,
            tally: Tally::default(),
        }
    }

    /// Changes the weather; what was drawn so far stays drawn.
    pub fn set(&mut self, weather: Weather) {
        self.weather = weather;
    }

    pub fn weather(&self) -> Weather {
        self.weather
    }

    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// What comes out of a datagram that is sent `now` (since the line was opened): nothing, one copy or two.
    pub fn carry(&mut self, now: Duration, bytes: &[u8]) -> Vec<Arrival> {
        let weather = self.weather;
        if weather.cut {
            return Vec::new();
        }
        if weather.datagram_bytes_max.is_some_and(|max| bytes.len() > max) {
            self.tally.too_long += 1;
            return Vec::new();
        }
        let Some(leaves) = self.leaves(now, bytes.len()) else {
            self.tally.crowded_out += 1;
            return Vec::new();
        };
        if self.happens(weather.lost_pm) {
            self.tally.lost += 1;
            return Vec::new();
        }
        self.tally.carried += 1;
        let mut due = leaves + weather.delay + self.up_to(weather.jitter);
        if self.happens(weather.late_pm) {
            self.tally.late += 1;
            due += weather.late;
        }
        let mut arrivals = Vec::with_capacity(1);
        if self.happens(weather.doubled_pm) {
            self.tally.doubled += 1;
            let due = due + self.up_to(weather.late);
            let bytes = self.perhaps_corrupt(bytes);
            arrivals.push(Arrival { due, bytes });
        }
        let bytes = self.perhaps_corrupt(bytes);
        arrivals.push(Arrival { due, bytes });
        arrivals
    }

    /// When the line has sent these bytes; `None` when too much waits before them.
    fn leaves(&mut self, now: Duration, bytes: usize) -> Option<Duration> {
        let Some(rate) = self.weather.bytes_per_s else {
            return Some(now);
        };
        let begins = self.free_at.max(now);
        if begins - now > QUEUE_MAX {
            return None;
        }
        self.free_at = begins + Duration::from_micros(1_000_000 * bytes as u64 / rate.max(1));
        Some(self.free_at)
    }

    fn perhaps_corrupt(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        if !bytes.is_empty() && self.happens(self.weather.corrupt_pm) {
            self.tally.corrupt += 1;
            for _ in 0..=self.seeds.below(4) {
                let at = usize::try_from(self.seeds.below(bytes.len() as u64)).unwrap_or(0);
                bytes[at] ^= 1 << self.seeds.below(8);
            }
        }
        bytes
    }

    /// Draws nothing where nothing can happen, so that fair weather costs no hash.
    fn happens(&mut self, share_pm: u64) -> bool {
        share_pm > 0 && self.seeds.below(1_000) < share_pm
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        let us = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(if us == 0 { 0 } else { self.seeds.below(us + 1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn carried(seed: u64, weather: Weather) -> (Vec<Vec<Arrival>>, Tally) {
        let mut sky = Sky::new(seed, weather);
        let arrivals = (0..1_000u32).map(|n| sky.carry(n * MS, &n.to_be_bytes()));
        (arrivals.collect(), sky.tally())
    }

    fn storm() -> Weather {
        Weather {
            delay: 300 * MS,
            jitter: 50 * MS,
            lost_pm: 300,
            doubled_pm: 100,
            late_pm: 200,
            late: 90 * MS,
            corrupt_pm: 50,
            ..Weather::default()
        }
    }

    #[test]
    fn the_same_seed_tells_the_same_night_and_another_seed_another() {
        assert_eq!(carried(7, storm()), carried(7, storm()));
        assert_ne!(carried(7, storm()).0, carried(8, storm()).0);
    }

    #[test]
    fn as_much_goes_wrong_as_was_asked_for() {
        let (arrivals, tally) = carried(1, storm());
        assert!((250..350).contains(&tally.lost), "{tally:?}");
        assert!((40..110).contains(&tally.doubled), "{tally:?}");
        assert!((90..200).contains(&tally.late), "{tally:?}");
        assert!((15..80).contains(&tally.corrupt), "{tally:?}");
        assert_eq!(tally.lost + tally.carried, 1_000);
        let all = arrivals.iter().enumerate().flat_map(|(n, copies)| {
            let sent = u32::try_from(n).expect("small") * MS;
            copies.iter().map(move |copy| copy.due - sent)
        });
        assert!(all.clone().all(|took| took >= 300 * MS && took <= 530 * MS));
        let dues: Vec<Duration> = arrivals.iter().flatten().map(|copy| copy.due).collect();
        assert!(!dues.is_sorted(), "nothing was overtaken");
    }

    #[test]
    fn a_narrow_line_takes_its_time_and_then_loses_what_it_cannot_keep() {
        let narrow = Weather {
            bytes_per_s: Some(1_000),
            ..Weather::default()
        };
        let mut sky = Sky::new(1, narrow);
        let dues: Vec<Duration> = (0..20)
            .flat_map(|_| sky.carry(Duration::ZERO, &[0; 100]))
            .map(|a| a.due)
            .collect();
        assert_eq!(dues[0], 100 * MS);
        assert_eq!(dues.len(), 11);
        assert_eq!(sky.tally().crowded_out, 9);
        assert_eq!(sky.carry(5_000 * MS, &[0; 100])[0].due, 5_100 * MS);
    }

    #[test]
    fn what_is_too_long_vanishes_and_a_cut_direction_carries_nothing() {
        let hole = Weather {
            datagram_bytes_max: Some(1_280),
            ..Weather::default()
        };
        let mut sky = Sky::new(1, hole);
        assert!(sky.carry(Duration::ZERO, &[0; 1_281]).is_empty());
        assert_eq!(sky.carry(Duration::ZERO, &[0; 1_280]).len(), 1);
        sky.set(Weather { cut: true, ..hole });
        assert!(sky.carry(Duration::ZERO, &[0; 10]).is_empty());
    }
}
