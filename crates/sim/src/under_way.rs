//! Stories that are under way: one that does not end is told by its seed, and waits for nobody.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::story::{Shape, Verdict, run_seed};

/// A story of a day takes half a second on a machine of our own; on any machine it ends within this.
const DAY_MAX: Duration = Duration::from_secs(60);

/// Seeds that are being told now, each with how long it has been and how long it may be.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<BTreeMap<u64, (Instant, Duration)>>);

impl UnderWay {
    /// Tells the story of a seed, and notes for how long it goes on.
    pub fn run(&self, seed: u64, shape: &Shape) -> Verdict {
        self.begin(seed, shape);
        let verdict = run_seed(seed, shape);
        self.lock().remove(&seed);
        verdict
    }

    fn begin(&self, seed: u64, shape: &Shape) {
        // Some are told twice.
        let max = DAY_MAX * 2 * u32::try_from(shape.days.max(1)).unwrap_or(u32::MAX);
        self.lock().insert(seed, (Instant::now(), max));
    }

    /// A seed whose story has gone on for longer than any does.
    pub fn hangs(&self) -> Option<u64> {
        self.hangs_at(Instant::now())
    }

    fn hangs_at(&self, now: Instant) -> Option<u64> {
        let seeds = self.lock();
        let hangs = seeds
            .iter()
            .find(|(_, (began, max))| now.saturating_duration_since(*began) > *max);
        hangs.map(|(seed, _)| *seed)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, (Instant, Duration)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_that_does_not_end_is_known_by_its_seed() {
        let (under_way, shape) = (UnderWay::default(), Shape::default());
        under_way.begin(7, &shape);
        assert_eq!(under_way.hangs(), None);
        let later = Instant::now() + DAY_MAX * 21;
        assert_eq!(under_way.hangs_at(later), Some(7));
        let small = Shape {
            townships: 0,
            rooms: 1,
            days: 1,
            fixed: true,
        };
        under_way.run(8, &small);
        under_way.lock().remove(&7);
        assert_eq!(under_way.hangs_at(later), None);
    }
}
