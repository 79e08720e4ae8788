//! "County = sum of its rooms", day by day: what each room counts on its own disk, held against what is counted from its book here.

use std::collections::BTreeMap;

use ledger::day::Day;
use ledger::id::{Scope, UnitId};
use replica::frame::DayCount;
use replica::time::Now;
use serde_json::{Value, json};

use crate::office::Office;
use crate::rooms::Known;

/// Days shown, with the one under way.
const DAYS: i32 = 7;
/// Books counted anew with one look: a book is read only when it has grown since.
const BOOKS_PER_LOOK: usize = 400;
/// Books counted anew when the wall is asked for, so that what came a moment ago does not stand as a difference.
const BOOKS_PER_WALL: usize = 40;
/// Rooms named for one day.
const NAMED_MAX: usize = 20;

/// What was counted from books here.
#[derive(Default)]
pub(crate) struct Days {
    counted: BTreeMap<UnitId, Counted>,
}

struct Counted {
    today: Day,
    /// Entries the book had then.
    entries: u64,
    days: Vec<DayCount>,
}

fn on(days: &[DayCount], day: Day) -> u64 {
    days.iter().filter(|d| d.day == day).map(|d| d.cases).sum()
}

/// What a room has said of its own days; `None` when its version says nothing of them.
fn said(known: &Known) -> Option<&[DayCount]> {
    let more = known.report.as_ref()?.more.as_ref()?;
    more.pending.map(|_| more.days.as_slice())
}

impl Office {
    /// Counts some of the books that have grown since they were last counted.
    pub(crate) fn count_some_days(&mut self, now: Now, known: &[Known]) {
        self.count_stale(now, known, BOOKS_PER_LOOK);
    }

    fn count_stale(&mut self, now: Now, known: &[Known], mut most: usize) {
        // Rows that lag behind the journal count too few: another time.
        if !self.views.is_current(&self.store) {
            return;
        }
        let today = Day::of_wall_ms(now.wall_ms);
        for one in known.iter().filter(|one| said(one).is_some()) {
            let entries = self.store.logs().entries(Scope::book(one.unit));
            let held = self.health.days.counted.get(&one.unit);
            if held.is_some_and(|c| (c.today, c.entries) == (today, entries)) {
                continue;
            }
            if most == 0 {
                return;
            }
            most -= 1;
            let days = self.count_days(one.unit, today);
            self.health
                .days
                .counted
                .insert(one.unit, Counted { today, entries, days });
        }
    }

    /// For each of the last days: what the rooms say in all, what is counted here, and the rooms where it differs.
    pub(crate) fn day_check(&mut self, now: Now, known: &[Known]) -> Value {
        self.count_stale(now, known, BOOKS_PER_WALL);
        let today = Day::of_wall_ms(now.wall_ms);
        let rooms: Vec<(&Known, &[DayCount], &Counted)> = known
            .iter()
            .filter_map(|one| Some((one, said(one)?, self.health.days.counted.get(&one.unit)?)))
            .collect();
        let days = (0..DAYS).map(|back| {
            let day = today.plus(-back);
            let (mut here, mut at_rooms, mut differing) = (0, 0, Vec::new());
            for (one, said, counted) in &rooms {
                let (a, b) = (on(&counted.days, day), on(said, day));
                here += a;
                at_rooms += b;
                if a != b {
                    differing.push(json!({"unit": one.code, "name": one.name, "here": a, "room": b, "pending": one.pending()}));
                }
            }
            let many = differing.len();
            differing.truncate(NAMED_MAX);
            json!({"day": day, "here": here, "rooms": at_rooms, "equal": many == 0, "differing": many, "named": differing})
        });
        json!({"days": days.collect::<Vec<_>>(), "rooms": rooms.len()})
    }

    /// A room's days as it says them and as they are counted here.
    pub(crate) fn room_days(&mut self, now: Now, known: &[Known]) -> Vec<Value> {
        self.count_stale(now, known, BOOKS_PER_WALL);
        let today = Day::of_wall_ms(now.wall_ms);
        let Some(one) = known.iter().find(|one| said(one).is_some()) else {
            return Vec::new();
        };
        let (Some(said), Some(counted)) = (said(one), self.health.days.counted.get(&one.unit)) else {
            return Vec::new();
        };
        let days = (0..DAYS).map(|back| today.plus(-back));
        let row = |day: Day| json!({"day": day, "here": on(&counted.days, day), "room": on(said, day)});
        days.map(row).collect()
    }
}
