//! A door with a number of places before it. When all are taken, whoever has stood there longest makes way.
//!
//! Why not simply refuse: somebody who opens a connection a second and never goes on would keep every place taken, and every
//! honest newcomer out. Why not always displace: a crowd of honest ones that come at once would push each other out for ever.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// The door. Shared by all who pass it.
pub(crate) struct Door {
    places_max: usize,
    /// So long nobody is asked to go.
    fair: Duration,
    inside: Mutex<Inside>,
    freed: Notify,
}

#[derive(Default)]
struct Inside {
    next: u64,
    /// By number, so the first has stood there longest.
    taken: BTreeMap<u64, (Instant, Arc<Notify>)>,
}

/// A place taken. Given back when dropped.
pub(crate) struct Place {
    door: Arc<Door>,
    number: u64,
    sent_away: Arc<Notify>,
}

impl Door {
    pub(crate) fn new(places_max: usize, fair: Duration) -> Arc<Self> {
        Arc::new(Self {
            places_max,
            fair,
            inside: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// How many places are taken.
    pub(crate) fn taken(&self) -> usize {
        self.inside().taken.len()
    }

    /// A place, if need be that of whoever has stood there longest; `None` when all of them have just come.
    pub(crate) fn try_enter(self: &Arc<Self>) -> Option<Place> {
        let mut inside = self.inside();
        if inside.taken.len() >= self.places_max {
            let (since, sent_away) = inside.taken.first_entry().map(|first| first.get().clone())?;
            if since.elapsed() < self.fair {
                return None;
            }
            inside.taken.pop_first();
            sent_away.notify_one();
        }
        let number = inside.next;
        inside.next += 1;
        let sent_away = Arc::new(Notify::new());
        inside.taken.insert(number, (Instant::now(), sent_away.clone()));
        Some(Place {
            door: self.clone(),
            number,
            sent_away,
        })
    }

    /// Waits for a place.
    pub(crate) async fn enter(self: &Arc<Self>) -> Place {
        loop {
            let freed = self.freed.notified();
            if let Some(place) = self.try_enter() {
                return place;
            }
            // Whoever stands there longest becomes one who may be sent away without anybody leaving.
            let _ = tokio::time::timeout(self.fair, freed).await;
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Returns when the place is wanted by somebody else, who has it already.
    pub(crate) async fn sent_away(&self) {
        self.sent_away.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door.inside().taken.remove(&self.number);
        self.door.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;
    const NEVER: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn who_stands_there_longest_makes_way_for_a_newcomer() {
        let door = Door::new(2, AT_ONCE);
        let first = door.try_enter().unwrap();
        let second = door.try_enter().unwrap();
        let third = door.try_enter().unwrap();
        first.sent_away().await;
        assert_eq!(door.taken(), 2);
        // Leaving after one was sent away frees nobody else's place.
        drop(first);
        assert_eq!(door.taken(), 2);
        drop((second, third));
        assert_eq!(door.taken(), 0);
    }

    #[tokio::test]
    async fn a_crowd_that_comes_at_once_does_not_push_each_other_out() {
        let door = Door::new(2, NEVER);
        let places = [door.try_enter().unwrap(), door.try_enter().unwrap()];
        assert!(door.try_enter().is_none());
        let waiting = tokio::spawn({
            let door = door.clone();
            async move { door.enter().await }
        });
        drop(places);
        assert_eq!(waiting.await.unwrap().number, 2);
    }
}
