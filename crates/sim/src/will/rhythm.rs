//! Office hours: workdays from half past eight to noon and from two to half past five, and a market day every ten days.

use crate::dice::Dice;
use crate::will::Hours;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
pub(super) const DAY_MS: u64 = 24 * HOUR_MS;
/// Open stretches of a workday, from midnight.
const OPEN: [(u64, u64); 2] = [
    (8 * HOUR_MS + 30 * MINUTE_MS, 12 * HOUR_MS),
    (14 * HOUR_MS, 17 * HOUR_MS + 30 * MINUTE_MS),
];
/// Open milliseconds of a workday: seven hours.
const OPEN_MS: u64 = 7 * HOUR_MS;
/// On a market day so many times the people come.
const MARKET: u64 = 4;

/// Whether offices are open at a true time. Day 0 is a Monday.
pub fn is_open(now_ms: u64) -> bool {
    let of_day = now_ms % DAY_MS;
    now_ms / DAY_MS % 7 < 5 && OPEN.iter().any(|(from, until)| (*from..*until).contains(&of_day))
}

fn is_market_day(now_ms: u64) -> bool {
    now_ms / DAY_MS % 10 == 3
}

/// The first open moment at or after a true time.
fn opening(now_ms: u64) -> u64 {
    let mut at = now_ms;
    loop {
        let (day, of_day) = (at / DAY_MS, at % DAY_MS);
        let found = OPEN.iter().find(|(_, until)| of_day < *until);
        match found.filter(|_| day % 7 < 5) {
            Some((from, _)) => return day * DAY_MS + of_day.max(*from),
            None => at = (day + 1) * DAY_MS,
        }
    }
}

/// How often somebody acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rhythm {
    pub acts_per_day: u64,
    pub hours: Hours,
}

impl Rhythm {
    /// When the next act comes.
    pub fn next_ms(&self, now_ms: u64, dice: &mut Dice) -> u64 {
        let mean = OPEN_MS / self.acts_per_day.max(1);
        if self.hours == Hours::AroundTheClock {
            return now_ms + dice.between(1, 2 * mean + 2);
        }
        let mut at = opening(now_ms);
        let crowd = if is_market_day(at) { MARKET } else { 1 };
        let mut left = dice.between(1, 2 * mean / crowd + 2);
        loop {
            let of_day = at % DAY_MS;
            let until = OPEN.iter().map(|(_, until)| *until).find(|until| of_day < *until);
            let rest = until.map_or(0, |until| until - of_day);
            if left < rest {
                return at + left;
            }
            left -= rest;
            at = opening(at + rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_works_at_night_or_on_sundays_and_market_days_are_busy() {
        let rhythm = Rhythm {
            acts_per_day: 12,
            hours: Hours::Office,
        };
        let mut dice = Dice::new(5);
        let (mut at, mut ordinary, mut market) = (0, 0, 0);
        while at < 70 * DAY_MS {
            at = rhythm.next_ms(at, &mut dice);
            assert!(is_open(at), "{at}");
            match is_market_day(at) {
                true => market += 1,
                false => ordinary += 1,
            }
        }
        // 50 workdays, 5 of them market days.
        let per_day = ordinary / 45;
        assert!((9..=15).contains(&per_day), "{per_day} a day");
        assert!(market / 5 > 2 * per_day, "{market} on 5 market days");
    }

    #[test]
    fn around_the_clock_means_so() {
        let rhythm = Rhythm {
            acts_per_day: 7,
            hours: Hours::AroundTheClock,
        };
        let mut dice = Dice::new(5);
        let (mut at, mut acts) = (0, 0);
        while at < 7 * DAY_MS {
            at = rhythm.next_ms(at, &mut dice);
            acts += 1;
        }
        assert!((140..200).contains(&acts), "{acts}");
    }
}
