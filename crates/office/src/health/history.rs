//! Thirty days of every room: how much of each hour it was in contact, and how much it had pending.
//!
//! One row per room and day in the index, among those that outlive a rebuild where they can still be read; the day under way lies in
//! RAM and is written every ten minutes. A row takes at most 290 bytes: 462 rooms about 4 MB, 10,000 rooms about 90 MB. An index that
//! is deleted takes the history with it, and the page says from when on there is one.

use std::collections::BTreeMap;

use ledger::day::Day;
use ledger::id::UnitId;
use minicbor::{Decode, Encode};
use replica::time::Now;
use serde_json::{Value, json};
use store::kv::prefix_end;
use store::{Batch, Kv, KvError, Order};

use crate::command::CommandError;
use crate::office::Office;
use crate::rooms::{Known, RoomState};
use crate::texts;

const ROWS: &[u8] = b"pT";
/// When the first sample was taken (UTC ms).
const BEGAN: &[u8] = b"pU";
/// Days kept, and shown with the one that is under way.
pub(crate) const DAYS_KEPT: i32 = 31;
const WRITE_EVERY_MS: u64 = 600_000;
/// Rooms written in one batch.
const BATCH_ROOMS: usize = 2_000;

/// One hour of a room. Counted in looks, of which there is one a minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub(crate) struct Hour {
    /// Looks that were taken.
    #[n(0)]
    looks: u8,
    /// Of these, with the room's line up.
    #[n(1)]
    up: u8,
    /// Of these, without any knowledge: the hub between did not answer.
    #[n(2)]
    unknown: u8,
    /// The most entries that had not come here.
    #[n(3)]
    pending: u32,
}

type Hours = BTreeMap<u8, Hour>;

/// The day under way.
#[derive(Default)]
pub(crate) struct History {
    day: Option<Day>,
    rooms: BTreeMap<UnitId, Hours>,
    minute: i64,
    written_ms: u64,
}

fn key(unit: UnitId, day: Day) -> Vec<u8> {
    // Days lie far from where numbers turn negative; the offset keeps their order all the same.
    let number = (i64::from(day.number()) + (1 << 31)) as u32;
    [ROWS, &unit.0, &number.to_be_bytes()].concat()
}

/// `None` for a key that is none of ours.
fn unit_of(key: &[u8]) -> Option<UnitId> {
    let rest = key.get(ROWS.len()..).filter(|rest| rest.len() == 20)?;
    rest.get(..16)?.try_into().ok().map(UnitId)
}

fn day_of(key: &[u8]) -> Option<Day> {
    let number = u32::from_be_bytes(key.get(ROWS.len() + 16..)?.try_into().ok()?);
    Some(Day::from_number((i64::from(number) - (1 << 31)) as i32))
}

impl History {
    fn read(kv: &dyn Kv, unit: UnitId, day: Day) -> Result<Hours, KvError> {
        let row = kv.value(&key(unit, day))?;
        Ok(row.and_then(|bytes| minicbor::decode(&bytes).ok()).unwrap_or_default())
    }

    /// Begins a day: what an earlier process saw of it is read, days that are too old go.
    fn begin(&mut self, kv: &dyn Kv, day: Day, units: &[UnitId]) -> Result<(), KvError> {
        self.write(kv)?;
        self.day = Some(day);
        self.rooms.clear();
        for unit in units {
            let hours = Self::read(kv, *unit, day)?;
            self.rooms.insert(*unit, hours);
        }
        Self::prune(kv, day.plus(-DAYS_KEPT))
    }

    /// Removes the days before `first` of whatever unit has rows: a village that ended is on no list any more. Goes from unit to unit,
    /// so that of what is kept one row of each is read.
    fn prune(kv: &dyn Kv, first: Day) -> Result<(), KvError> {
        let (mut at, end) = (ROWS.to_vec(), prefix_end(ROWS));
        while let Some((found, _)) = kv.range(&at, &end, Order::Rising, 1)?.pop() {
            let Some(unit) = unit_of(&found) else {
                at = [found, vec![0]].concat();
                continue;
            };
            let kept = key(unit, first);
            if found < kept {
                let old = kv.range(&found, &kept, Order::Rising, usize::MAX)?;
                let mut batch = Batch::default();
                let of_it = old.into_iter().filter(|(key, _)| unit_of(key) == Some(unit));
                of_it.for_each(|(key, _)| batch.delete(key));
                kv.write(batch)?;
            }
            at = prefix_end(&[ROWS, &unit.0].concat());
        }
        Ok(())
    }

    fn write(&self, kv: &dyn Kv) -> Result<(), KvError> {
        let Some(day) = self.day else { return Ok(()) };
        let rooms: Vec<_> = self.rooms.iter().filter(|(_, hours)| !hours.is_empty()).collect();
        for some in rooms.chunks(BATCH_ROOMS) {
            let mut batch = Batch::default();
            for (unit, hours) in some {
                batch.put(key(**unit, day), minicbor::to_vec(hours).unwrap_or_default());
            }
            kv.write(batch)?;
            kv.free_after(some.len())?;
        }
        Ok(())
    }
}

impl Office {
    /// Adds what is known now to the day's rows. More than one look in a minute counts once.
    pub(crate) fn take_samples(&mut self, now: Now, known: &[Known]) -> Result<(), CommandError> {
        let failed = |e: KvError| texts::store_failed(&e);
        let minute = now.wall_ms.div_euclid(60_000);
        let day = Day::of_wall_ms(now.wall_ms);
        let (kv, history) = (self.store.kv(), &mut self.health.history);
        if history.minute == minute {
            return Ok(());
        }
        if history.day != Some(day) {
            let mut units: Vec<UnitId> = known.iter().map(|one| one.unit).collect();
            units.dedup();
            history.begin(kv, day, &units).map_err(failed)?;
        }
        if history.minute == 0 && kv.value(BEGAN).map_err(failed)?.is_none() {
            let mut batch = Batch::default();
            batch.put(BEGAN, now.wall_ms.to_be_bytes());
            kv.write(batch).map_err(failed)?;
        }
        history.minute = minute;
        // China is eight hours ahead of UTC.
        let hour = ((minute / 60 + 8).rem_euclid(24)) as u8;
        for one in known.chunk_by(|a, b| a.unit == b.unit) {
            let live = || one.iter().filter(|known| known.state != RoomState::Revoked);
            let is = |state: RoomState| live().any(|known| known.state == state);
            if is(RoomState::NeverSeen) || live().next().is_none() {
                continue;
            }
            let up = is(RoomState::InStep) || is(RoomState::Behind);
            let pending = live().map(Known::pending).max().unwrap_or(0);
            let at = history.rooms.entry(one[0].unit).or_default().entry(hour).or_default();
            at.looks = at.looks.saturating_add(1);
            at.up = at.up.saturating_add(u8::from(up));
            at.unknown = at.unknown.saturating_add(u8::from(!up && is(RoomState::Unknown)));
            at.pending = at.pending.max(u32::try_from(pending).unwrap_or(u32::MAX));
        }
        if now.mono_ms.saturating_sub(history.written_ms) >= WRITE_EVERY_MS {
            history.written_ms = now.mono_ms;
            history.write(kv).map_err(failed)?;
        }
        Ok(())
    }

    /// Writes the day under way; for a graceful stop.
    pub(crate) fn keep_history(&self) -> Result<(), KvError> {
        self.health.history.write(self.store.kv())
    }

    /// When the history begins (UTC ms); `None` before the first look.
    pub(crate) fn history_began_ms(&self) -> Option<i64> {
        let bytes = self.store.kv().value(BEGAN).ok()??;
        Some(i64::from_be_bytes(bytes.try_into().ok()?))
    }

    /// A room's days, the earliest first, with their hours.
    ///
    /// # Errors
    /// The index.
    pub(crate) fn room_history(&self, unit: UnitId, today: Day) -> Result<Vec<Value>, CommandError> {
        let history = &self.health.history;
        let from = key(unit, today.plus(1 - DAYS_KEPT));
        let until = prefix_end(&[ROWS, &unit.0].concat());
        let rows = self
            .store
            .kv()
            .range(&from, &until, Order::Rising, DAYS_KEPT as usize + 1);
        let rows = rows.map_err(|e| texts::store_failed(&e))?;
        let mut days: BTreeMap<Day, Hours> = rows
            .iter()
            .filter_map(|(key, row)| Some((day_of(key)?, minicbor::decode(row).ok()?)))
            .collect();
        if let (Some(day), Some(hours)) = (history.day, history.rooms.get(&unit)) {
            days.insert(day, hours.clone());
        }
        let hour = |(at, h): (&u8, &Hour)| json!({"hour": at, "looks": h.looks, "up": h.up, "unknown": h.unknown, "pending": h.pending});
        let day = |(day, hours): (Day, Hours)| json!({"day": day, "hours": hours.iter().map(hour).collect::<Vec<_>>()});
        Ok(days.into_iter().map(day).collect())
    }
}
