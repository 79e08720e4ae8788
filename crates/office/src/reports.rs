//! What is known of other devices: whom this office met, when and how; and what hubs below say of their rooms.
//!
//! Kept in RAM and, as far as worth keeping over a restart, in index rows: losing them makes a room "unknown", nothing worse.

use std::collections::{BTreeMap, BTreeSet};

use ledger::day::Day;
use ledger::id::{DeviceId, Scope, Tier, UnitId};
use minicbor::{Decode, Encode};
use replica::frame::{Bye, ByeReason, DayCount, Health, LastSession, RoomHealth, RoomLine, RoomMore};
use replica::session::{Input, Met};
use replica::statement::Role;
use replica::time::Now;
use store::{Batch, Store, StoreError};

use crate::life::{fact, fact_u64};
use crate::office::{Office, OfficeError};
use crate::peers::SessionId;
use crate::rooms::SILENT_AFTER_MS;
use crate::tiers::Tiers;

/// Rows of devices met and rooms reported.
const SEEN_ROWS: &[u8] = b"pS";
const HEARD_ROWS: &[u8] = b"pH";

/// Reports are sent at most this often to one hub: a person looks at them, and a village line is thin.
const REPORT_EVERY_MS: u64 = 2_000;
/// Rows are written at most this often.
const KEEP_EVERY_MS: u64 = 10_000;
const SILENT_STEP_MS: u64 = 250;
/// Rooms in one report frame.
const ROOMS_PER_FRAME: usize = 200;
/// A day's skew and more is shown as the largest that fits.
const SKEW_MS_MAX: i64 = i32::MAX as i64;

/// A device this office has met itself.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Seen {
    #[n(0)]
    pub(crate) unit: UnitId,
    #[n(1)]
    pub(crate) last_seen_ms: i64,
    #[n(2)]
    pub(crate) rtt_ms: Option<u64>,
    /// The device's clock less ours.
    #[n(3)]
    pub(crate) skew_ms: Option<i64>,
    #[n(4)]
    pub(crate) health: Health,
    /// The last session with it that is over.
    #[n(5)]
    pub(crate) session: Option<LastSession>,
}

/// What somebody said of a room.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Heard {
    #[n(0)]
    pub(crate) report: RoomHealth,
    /// Who said it: the room itself, or a hub between.
    #[n(1)]
    pub(crate) via: DeviceId,
    /// When it came in here, by our clock.
    #[n(2)]
    pub(crate) heard_ms: i64,
}

/// All that is known of other devices.
#[derive(Default, Debug)]
pub(crate) struct Reports {
    pub(crate) seen: BTreeMap<DeviceId, Seen>,
    pub(crate) heard: BTreeMap<DeviceId, Heard>,
    /// As last sent upward, to send only what has changed.
    sent: BTreeMap<DeviceId, RoomHealth>,
    /// Who ended a session with us last for a reason that a person should see, when (UTC ms), and what it said.
    pub(crate) turned_away: BTreeMap<DeviceId, (i64, Bye)>,
    /// How often a room was reported to be otherwise than before: screens show it.
    pub(crate) news: u64,
    sent_ms: u64,
    kept_ms: u64,
    /// When those who went a moment ago are called silent (monotonic ms), unless they are back: screens show it then.
    silent_due_ms: BTreeSet<u64>,
    dirty: bool,
    /// The own counts of the last days, and the day and change of rows that they are of.
    days: Option<(Day, u64, Vec<DayCount>)>,
}

impl Reports {
    /// Reads what an earlier process kept. Rows that cannot be read are passed over.
    pub(crate) fn load(store: &Store) -> Result<Self, StoreError> {
        let mut reports = Self::default();
        for (key, value) in store.kv().prefix(SEEN_ROWS)? {
            if let (Some(device), Ok(seen)) = (device_of(&key), minicbor::decode(&value)) {
                reports.seen.insert(device, seen);
            }
        }
        for (key, value) in store.kv().prefix(HEARD_ROWS)? {
            if let (Some(device), Ok(heard)) = (device_of(&key), minicbor::decode(&value)) {
                reports.heard.insert(device, heard);
            }
        }
        Ok(reports)
    }

    fn keep(&mut self, store: &Store) -> Result<(), StoreError> {
        self.dirty = false;
        let mut batch = Batch::default();
        for (device, seen) in &self.seen {
            batch.put(
                [SEEN_ROWS, &device.0].concat(),
                minicbor::to_vec(seen).unwrap_or_default(),
            );
        }
        for (device, heard) in &self.heard {
            batch.put(
                [HEARD_ROWS, &device.0].concat(),
                minicbor::to_vec(heard).unwrap_or_default(),
            );
        }
        Ok(store.kv().write(batch)?)
    }

    pub(crate) fn met(&mut self, now: Now, peer: DeviceId, met: &Met) {
        let before = self.seen.get(&peer);
        let (rtt_ms, session) = (before.and_then(|s| s.rtt_ms), before.and_then(|s| s.session));
        self.dirty = true;
        self.turned_away.remove(&peer);
        let mut health = met.health.clone();
        health.oldest_pending_ms = health.oldest_pending_ms.map(|at| at.saturating_sub(met.skew_ms));
        self.seen.insert(
            peer,
            Seen {
                unit: met.unit,
                last_seen_ms: now.wall_ms,
                rtt_ms,
                skew_ms: Some(met.skew_ms),
                health,
                session,
            },
        );
    }

    /// A peer ended the session. Leaving and coming back is no news; being thrown out is.
    pub(crate) fn turned_away(&mut self, now: Now, peer: DeviceId, bye: &Bye) {
        match bye.reason {
            ByeReason::Leaving | ByeReason::Timeout => {}
            _ => {
                self.turned_away.insert(peer, (now.wall_ms, bye.clone()));
            }
        }
    }

    pub(crate) fn introduced(&mut self, now: Now, peer: DeviceId, unit: UnitId) {
        self.seen.entry(peer).or_insert_with(|| Seen {
            unit,
            last_seen_ms: now.wall_ms,
            rtt_ms: None,
            skew_ms: None,
            health: Health::default(),
            session: None,
        });
    }

    /// A session is over.
    pub(crate) fn session_over(&mut self, peer: DeviceId, session: LastSession) {
        if let Some(seen) = self.seen.get_mut(&peer) {
            seen.session = Some(session);
            self.dirty = true;
        }
    }

    pub(crate) fn heard(&mut self, now: Now, peer: DeviceId) {
        if let Some(seen) = self.seen.get_mut(&peer) {
            seen.last_seen_ms = now.wall_ms;
        }
    }

    pub(crate) fn parted(&mut self, now: Now, peer: DeviceId) {
        self.heard(now, peer);
        self.dirty = true;
        // In steps, so that many who go at once are few looks.
        let due = now.mono_ms.saturating_add(SILENT_AFTER_MS);
        self.silent_due_ms.insert(due.next_multiple_of(SILENT_STEP_MS));
    }

    /// Says to screens that somebody has become silent, when the time has come.
    pub(crate) fn grow_silent(&mut self, now: Now) {
        let later = self.silent_due_ms.split_off(&now.mono_ms.saturating_add(1));
        let due = std::mem::replace(&mut self.silent_due_ms, later);
        self.news = self.news.wrapping_add(u64::from(!due.is_empty()));
    }

    pub(crate) fn silent_due_ms(&self) -> Option<u64> {
        self.silent_due_ms.first().copied()
    }

    pub(crate) fn note_rtt(&mut self, peer: DeviceId, rtt_ms: u64) {
        if let Some(seen) = self.seen.get_mut(&peer) {
            seen.rtt_ms = Some(rtt_ms);
        }
    }
}

fn device_of(key: &[u8]) -> Option<DeviceId> {
    DeviceId::from_slice(key.get(SEEN_ROWS.len()..)?)
}

/// A skew as frames carry it.
fn skew_i32(ms: i64) -> i32 {
    ms.clamp(-SKEW_MS_MAX, SKEW_MS_MAX) as i32
}

impl Office {
    /// How far our clock is known to be off, by the hub above that was met last: ours less theirs, milliseconds.
    pub(crate) fn own_skew_ms(&self) -> Option<i32> {
        let unit = self.unit()?;
        self.reports
            .seen
            .values()
            .filter(|s| s.unit != unit && self.authority.is_within(unit, s.unit))
            .max_by_key(|s| s.last_seen_ms)
            .and_then(|s| s.skew_ms)
            .map(|ms| skew_i32(-ms))
    }

    /// Brings up to date what this device says of itself.
    pub(crate) fn refresh_health(&mut self, _now: Now) {
        let reach = self.unit().map(|unit| {
            let tiers = Tiers {
                store: &self.store,
                authority: &self.authority,
            };
            let formers = self.life.iter().flat_map(|l| l.formers.iter().map(|f| f.unit));
            std::iter::once(unit)
                .chain(formers)
                .map(|u| tiers.of_book(Scope::book(u)))
                .fold(crate::tiers::Reach::default(), crate::tiers::Reach::and)
        });
        let reach = reach.unwrap_or_default();
        let skew_ms = self.own_skew_ms();
        let health = &mut self.peers.health;
        health.disk_free_bytes = self.store.free_bytes().unwrap_or(0);
        health.recorded = reach.recorded;
        health.pending = reach.pending_township();
        health.oldest_pending_ms = reach.oldest_township_ms;
        health.epoch = self.epoch;
        health.skew_ms = skew_ms;
        self.own_reach = reach;
    }

    /// Takes in what a hub below says of its rooms, or a room of itself. What is not about its own subtree is passed over.
    pub(crate) fn take_reports(&mut self, now: Now, via: DeviceId, rooms: Vec<RoomHealth>) {
        let Some(from) = self.authority.member(&via).map(|m| m.unit) else {
            return;
        };
        // Their clock less ours: what they say by their clock is kept by ours.
        let skew_ms = self.reports.seen.get(&via).and_then(|s| s.skew_ms).unwrap_or(0);
        for mut report in rooms {
            report.as_of_ms = report.as_of_ms.saturating_sub(skew_ms);
            report.last_seen_ms = report.last_seen_ms.map(|at| at.saturating_sub(skew_ms));
            report.oldest_pending_ms = report.oldest_pending_ms.map(|at| at.saturating_sub(skew_ms));
            if let Some(session) = report.more.as_mut().and_then(|more| more.session.as_mut()) {
                session.began_ms = session.began_ms.saturating_sub(skew_ms);
                session.ended_ms = session.ended_ms.saturating_sub(skew_ms);
            }
            if report.device != via {
                // A hub whose own clock is off finds all its rooms off: what counts is how they are by ours. More than fits in a frame is
                // more than can be reckoned with.
                let by_ours = |ms: i32| match i64::from(ms).abs() < SKEW_MS_MAX {
                    true => skew_i32(i64::from(ms).saturating_add(skew_ms)),
                    false => ms,
                };
                report.skew_ms = report.skew_ms.map(by_ours);
            }
            let known = self
                .authority
                .member(&report.device)
                .is_some_and(|m| m.unit == report.unit);
            if !known || !self.authority.is_within(report.unit, from) {
                continue;
            }
            // A room's own word here and now beats what a hub remembers of it.
            if report.device != via && self.peers.is_connected(&report.device) {
                continue;
            }
            if report.device == via
                && let Some(seen) = self.reports.seen.get_mut(&via)
            {
                seen.health.recorded = report.recorded;
                seen.health.disk_free_bytes = report.disk_free_bytes;
                seen.health.oldest_pending_ms = report.oldest_pending_ms;
            }
            let heard = Heard {
                via,
                heard_ms: now.wall_ms,
                report,
            };
            let before = self.reports.heard.get(&heard.report.device);
            if before.is_none_or(|before| !says_the_same(&before.report, &heard.report)) {
                self.reports.news = self.reports.news.wrapping_add(1);
            }
            self.reports.heard.insert(heard.report.device, heard);
            self.reports.dirty = true;
            self.health_due = true;
        }
    }

    /// What this device can say of the rooms below and of itself.
    fn own_reports(&mut self, now: Now) -> Vec<RoomHealth> {
        let Some(unit) = self.unit() else { return Vec::new() };
        self.refresh_health(now);
        let own = self.own_report(now, unit);
        if self.role() == Role::Node {
            return vec![own];
        }
        let nodes: Vec<(DeviceId, UnitId)> = self
            .authority
            .members()
            .filter(|m| m.role == Role::Node && m.is_live() && self.authority.is_within(m.unit, unit))
            .map(|m| (m.device, m.unit))
            .collect();
        let rooms = nodes
            .into_iter()
            .filter_map(|(device, unit)| self.report_on(now, device, unit));
        // A hub's own disk fills as well, and whoever is above should hear of it.
        rooms.chain([own]).collect()
    }

    /// What a device says of itself.
    fn own_report(&mut self, now: Now, unit: UnitId) -> RoomHealth {
        let more = self.own_more(now, unit);
        let health = &self.peers.health;
        RoomHealth {
            device: self.me.device,
            unit,
            as_of_ms: now.wall_ms,
            last_seen_ms: Some(now.wall_ms),
            line: RoomLine::Up,
            recorded: self.own_reach.recorded,
            at_township: self.own_reach.township,
            at_county: self.own_reach.county,
            oldest_pending_ms: self.own_reach.oldest_township_ms,
            skew_ms: health.skew_ms,
            disk_free_bytes: health.disk_free_bytes,
            version: health.software.clone(),
            more: Some(more),
        }
    }

    /// What a device says of itself besides; days are a room's.
    fn own_more(&mut self, now: Now, unit: UnitId) -> RoomMore {
        RoomMore {
            pending: Some(self.own_reach.pending_township()),
            rtt_ms: None,
            disk_total_bytes: self.store.total_bytes(),
            power_ups: fact_u64(&self.store, fact::POWER_UPS),
            quarantined: self.views.quarantined(&self.store).ok(),
            session: None,
            days: match self.role() {
                Role::Node => self.own_days(now, unit),
                _ => Vec::new(),
            },
        }
    }

    /// The own counts of today and the days before; read anew only when rows have changed.
    fn own_days(&mut self, now: Now, unit: UnitId) -> Vec<DayCount> {
        let (today, writes) = (Day::of_wall_ms(now.wall_ms), self.views.writes());
        if let Some((day, at, days)) = &self.reports.days
            && (*day, *at) == (today, writes)
        {
            return days.clone();
        }
        let days = self.count_days(unit, today);
        self.reports.days = Some((today, writes, days.clone()));
        days
    }

    /// How many cases a book has on today and each of the days before, as the rows here say; empty days are left out.
    pub(crate) fn count_days(&self, unit: UnitId, today: Day) -> Vec<DayCount> {
        let days = (0..RoomMore::DAYS_MAX as i32).map(|back| today.plus(-back));
        let count = |day: Day| {
            let cases = self.count_of_day(unit, day).ok()?;
            (cases > 0).then_some(DayCount { day, cases })
        };
        days.filter_map(count).collect()
    }

    /// What this hub knows of one room's device; `None` when it has never heard of it.
    pub(crate) fn report_on(&self, now: Now, device: DeviceId, unit: UnitId) -> Option<RoomHealth> {
        let heard = self.reports.heard.get(&device);
        let up = self.peers.is_connected(&device);
        let Some(seen) = self
            .reports
            .seen
            .get(&device)
            .filter(|s| up || heard.is_none_or(|h| h.via == device || h.heard_ms <= s.last_seen_ms))
        else {
            return heard.map(|h| self.heard_report(now, h));
        };
        let reach = self.reach_of(device, unit);
        let here = reach.recorded;
        let said = heard.map_or(seen.health.recorded, |h| h.report.recorded.max(seen.health.recorded));
        let (at_township, at_county) = match self.tier() {
            Tier::County => (reach.township.max(heard.map_or(0, |h| h.report.at_township)), here),
            _ => (here, reach.county),
        };
        Some(RoomHealth {
            device,
            unit,
            as_of_ms: if up { now.wall_ms } else { seen.last_seen_ms },
            last_seen_ms: Some(if up { now.wall_ms } else { seen.last_seen_ms }),
            line: if up { RoomLine::Up } else { RoomLine::Down },
            recorded: said.max(here),
            at_township,
            at_county,
            oldest_pending_ms: seen.health.oldest_pending_ms.filter(|_| said > here),
            skew_ms: seen.skew_ms.map(skew_i32),
            disk_free_bytes: seen.health.disk_free_bytes,
            version: seen.health.software.clone(),
            more: Some(RoomMore {
                rtt_ms: seen.rtt_ms,
                session: seen.session,
                ..heard.and_then(|h| h.report.more.clone()).unwrap_or_default()
            }),
        })
    }

    /// What another hub said of a room, with what is known here for certain: what lies in our own journal, and that a line which
    /// stood when that hub spoke last stands still, as long as we hear it.
    fn heard_report(&self, now: Now, heard: &Heard) -> RoomHealth {
        let mut report = heard.report.clone();
        let reach = self.reach_of(report.device, report.unit);
        report.recorded = report.recorded.max(reach.recorded);
        report.at_township = report.at_township.max(reach.township);
        match self.tier() {
            Tier::County => report.at_county = reach.recorded,
            _ => report.at_township = report.at_township.max(reach.recorded),
        }
        if report.line == RoomLine::Up && self.peers.is_connected(&heard.via) {
            report.as_of_ms = now.wall_ms;
            report.last_seen_ms = Some(now.wall_ms);
        }
        report
    }

    /// How far the books of a device have travelled, as far as it is known here.
    fn reach_of(&self, device: DeviceId, unit: UnitId) -> crate::tiers::Reach {
        let tiers = Tiers {
            store: &self.store,
            authority: &self.authority,
        };
        let units = self.units_of(device, unit);
        let books = units.into_iter().map(|unit| tiers.counted(Scope::book(unit)));
        books.fold(crate::tiers::Reach::default(), crate::tiers::Reach::and)
    }

    /// A device's unit and those of its earlier lives.
    pub(crate) fn units_of(&self, device: DeviceId, unit: UnitId) -> Vec<UnitId> {
        let former = self.authority.member(&device).and_then(|m| m.former).map(|f| f.unit);
        std::iter::once(unit).chain(former).collect()
    }

    /// Sends reports upward when they have changed and the last were not just now; keeps rows from time to time.
    pub(crate) fn send_reports(&mut self, now: Now) {
        let since = |at: u64| now.mono_ms.saturating_sub(at);
        if self.reports.dirty && since(self.reports.kept_ms) >= KEEP_EVERY_MS {
            self.reports.kept_ms = now.mono_ms;
            // Rows that cannot be written are known in RAM and written another time.
            let _ = self.reports.keep(&self.store);
        }
        if !self.health_due || since(self.reports.sent_ms) < REPORT_EVERY_MS {
            return;
        }
        self.health_due = false;
        self.reports.sent_ms = now.mono_ms;
        let Some(unit) = self.unit() else { return };
        let above: Vec<SessionId> = self
            .peers
            .lines
            .iter()
            .filter(|(_, line)| {
                let unit_of = self.authority.member(&line.peer).map(|m| m.unit);
                unit_of.is_some_and(|u| u != unit && self.authority.is_within(unit, u))
            })
            .map(|(id, _)| *id)
            .collect();
        if above.is_empty() {
            return;
        }
        let rooms = self.own_reports(now);
        let newcomers = above.iter().any(|id| self.reported_to.insert(*id));
        self.reported_to.retain(|id| self.peers.lines.contains_key(id));
        let changed: Vec<RoomHealth> = rooms
            .into_iter()
            .filter(|room| {
                newcomers
                    || !self
                        .reports
                        .sent
                        .get(&room.device)
                        .is_some_and(|s| says_the_same(s, room))
            })
            .collect();
        for room in &changed {
            self.reports.sent.insert(room.device, room.clone());
        }
        for chunk in changed.chunks(ROOMS_PER_FRAME) {
            for id in &above {
                let _ = self.input(now, *id, Input::HealthOut(chunk.to_vec()));
            }
        }
    }

    pub(crate) fn next_report_ms(&self) -> Option<u64> {
        (self.health_due && !self.peers.lines.is_empty()).then_some(self.reports.sent_ms + REPORT_EVERY_MS)
    }

    /// Writes what should outlast the process; for a graceful stop.
    ///
    /// # Errors
    /// When the journal or the index cannot be written.
    pub fn rest(&mut self, now: Now) -> Result<(), OfficeError> {
        self.stage_unstaged()?;
        self.commit_or_fail(now)?;
        self.reports.keep(&self.store)?;
        self.keep_history().map_err(StoreError::from)?;
        self.views.trust(&mut self.store)?;
        Ok(())
    }
}

/// Times and free bytes change always; they alone are no news.
fn says_the_same(a: &RoomHealth, b: &RoomHealth) -> bool {
    let core = |r: &RoomHealth| RoomHealth {
        as_of_ms: 0,
        last_seen_ms: None,
        disk_free_bytes: r.disk_free_bytes >> 30,
        more: r.more.clone().map(|more| RoomMore { rtt_ms: None, ..more }),
        ..r.clone()
    };
    core(a) == core(b)
}
