//! "County = sum of its rooms", day by day: what each room counts on its own disk, held against what is counted from its book here.

use std::collections::{BTreeMap, BTreeSet};

use ledger::day::Day;
use ledger::id::{Scope, UnitId};
use replica::frame::DayCount;
use replica::time::Now;
use serde_json::{Value, json};

use crate::office::Office;
use crate::rooms::{Known, RoomState};

/// Days shown, with the one under way.
const DAYS: i32 = 7;
/// Books counted anew between two rounds.
const BOOKS_AT_ONCE: usize = 4;
/// Of the books counted today, so many that have grown since are counted anew when the wall is asked for, so that what came a moment
/// ago is held against it at once. A book that was never counted is not waited for: to read hundreds from the disk takes seconds.
const BOOKS_PER_WALL: usize = 4;
/// Rooms named for one day.
const NAMED_MAX: usize = 20;

/// What was counted from books here.
#[derive(Default)]
pub(crate) struct Days {
    counted: BTreeMap<UnitId, Counted>,
    /// Books to be counted between rounds.
    due: BTreeSet<UnitId>,
}

struct Counted {
    today: Day,
    /// Entries the book had then, and how often its rows had been written.
    of: (u64, u64),
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

/// Of a room's devices the one that speaks for its book: in contact now and, of several, the one that was heard last or has most of
/// the book. What a PC that is silent, held or taken out said once is of another book than the one that lies here now.
fn speaker(devices: &[Known]) -> Option<(&Known, &[DayCount])> {
    let in_contact = |one: &&Known| matches!(one.state, RoomState::InStep | RoomState::Behind);
    let heard = devices
        .iter()
        .filter(in_contact)
        .filter_map(|one| Some((one, said(one)?)));
    heard.max_by_key(|(one, _)| one.report.as_ref().map(|r| (r.as_of_ms, r.recorded)))
}

/// Whether a room that nobody speaks for has a PC all the same, which is not in contact.
fn is_out_of_contact(devices: &[Known]) -> bool {
    let is_out = |one: &Known| matches!(one.state, RoomState::Silent | RoomState::Held | RoomState::Unknown);
    speaker(devices).is_none() && devices.iter().any(|one| one.device.is_some() && is_out(one))
}

fn by_room(known: &[Known]) -> impl Iterator<Item = &[Known]> {
    known.chunk_by(|a, b| a.unit == b.unit)
}

impl Office {
    /// Notes which books have to be counted anew. That is done between rounds.
    pub(crate) fn owe_days(&mut self, now: Now, known: &[Known]) {
        let today = Day::of_wall_ms(now.wall_ms);
        let compared = by_room(known).filter_map(speaker).map(|(one, _)| one.unit);
        let stale: Vec<UnitId> = compared
            .filter(|unit| self.counted_of(*unit, today).is_none())
            .collect();
        self.health.days.due.extend(stale);
    }

    /// What a count is of: entries come before the rows that follow from them, and statements change rows of a book that has not grown.
    fn book_now(&self, unit: UnitId) -> (u64, u64) {
        (self.store.logs().entries(Scope::book(unit)), self.views.writes_of(unit))
    }

    /// What was counted of a book, as long as it is as it was then.
    fn counted_of(&self, unit: UnitId, today: Day) -> Option<&Counted> {
        let counted = self.health.days.counted.get(&unit)?;
        ((counted.today, counted.of) == (today, self.book_now(unit))).then_some(counted)
    }

    fn count_book(&mut self, unit: UnitId, today: Day) {
        let (of, days) = (self.book_now(unit), self.count_days(unit, today));
        let days_of = &mut self.health.days;
        days_of.due.remove(&unit);
        days_of.counted.insert(unit, Counted { today, of, days });
    }

    /// Counts some of the books that are owed. The rows have to be up to the journal. `true` when there are more.
    pub(crate) fn count_some_books(&mut self, now: Now) -> bool {
        let today = Day::of_wall_ms(now.wall_ms);
        for _ in 0..BOOKS_AT_ONCE {
            let Some(unit) = self.health.days.due.first().copied() else {
                break;
            };
            self.count_book(unit, today);
        }
        !self.health.days.due.is_empty()
    }

    /// For each of the last days: what the rooms say in all, what is counted here, and the rooms where it differs. Rooms whose books are
    /// still to be counted are `waiting`, those that are not in contact `unheard`: on neither side.
    pub(crate) fn day_check(&mut self, now: Now, known: &[Known]) -> Value {
        self.owe_days(now, known);
        let today = Day::of_wall_ms(now.wall_ms);
        // Rows that lag behind the journal count too few: another time.
        if self.views.is_current(&self.store) {
            let days = &self.health.days;
            let of_today = |unit: &&UnitId| days.counted.get(*unit).is_some_and(|c| c.today == today);
            let grown: Vec<UnitId> = days.due.iter().filter(of_today).take(BOOKS_PER_WALL).copied().collect();
            grown.into_iter().for_each(|unit| self.count_book(unit, today));
        }
        let today = Day::of_wall_ms(now.wall_ms);
        let speakers: Vec<(&Known, &[DayCount])> = by_room(known).filter_map(speaker).collect();
        let rooms: Vec<(&Known, &[DayCount], &Counted)> = speakers
            .iter()
            .filter_map(|(one, said)| Some((*one, *said, self.counted_of(one.unit, today)?)))
            .collect();
        let waiting = speakers.len() - rooms.len();
        let unheard = by_room(known).filter(|devices| is_out_of_contact(devices)).count();
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
        json!({"days": days.collect::<Vec<_>>(), "rooms": rooms.len(), "waiting": waiting, "unheard": unheard})
    }

    /// A room's days as they are counted here and as it says them: null while it is not in contact.
    pub(crate) fn room_days(&mut self, now: Now, devices: &[Known]) -> Vec<Value> {
        let today = Day::of_wall_ms(now.wall_ms);
        let said = speaker(devices).map(|(_, said)| said);
        let Some(unit) = devices.first().map(|one| one.unit) else {
            return Vec::new();
        };
        if said.is_none() && !is_out_of_contact(devices) {
            return Vec::new();
        }
        // One book is soon counted.
        if self.counted_of(unit, today).is_none() && self.views.is_current(&self.store) {
            self.count_book(unit, today);
        }
        let Some(counted) = self.counted_of(unit, today) else {
            return Vec::new();
        };
        let days = (0..DAYS).map(|back| today.plus(-back));
        let row =
            |day: Day| json!({"day": day, "here": on(&counted.days, day), "room": said.map(|said| on(said, day))});
        days.map(row).collect()
    }
}
