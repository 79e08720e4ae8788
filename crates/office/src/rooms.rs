//! `rooms`: is every room below alive and in step? Said honestly: what is not known now is shown as of when it was.

use std::collections::{BTreeMap, BTreeSet};

use ledger::day::Day;
use ledger::id::{DeviceId, UnitCode, UnitId};
use ledger::organisation::{Unit, UnitKind};
use replica::authority::Member;
use replica::frame::{LastSession, RoomHealth, RoomLine};
use replica::statement::Role;
use replica::time::Now;
use serde_json::{Value, json};

use crate::command::CommandError;
use crate::office::Office;

/// A line that went a moment ago most often comes back: a room is called silent only after this.
pub(crate) const SILENT_AFTER_MS: u64 = 3_000;

/// How a room is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoomState {
    /// Everything it has recorded is held here.
    InStep,
    /// Its line is up and something is still on the way.
    Behind,
    /// Its line is down.
    Silent,
    NeverSeen,
    Revoked,
    /// No hub meets it until it is lifted (暂停).
    Held,
    /// The hub that meets it does not answer: how it is now is not known.
    Unknown,
}

impl RoomState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InStep => "in_step",
            Self::Behind => "behind",
            Self::Silent => "silent",
            Self::NeverSeen => "never_seen",
            Self::Revoked => "revoked",
            Self::Held => "held",
            Self::Unknown => "unknown",
        }
    }
}

/// Standing hubs below us, by their units.
type HubsBelow = BTreeMap<UnitId, Vec<DeviceId>>;

/// What is known of one device of a room, or of a room that has none.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) unit: UnitId,
    pub(crate) code: UnitCode,
    pub(crate) name: String,
    /// The unit above.
    pub(crate) town: UnitId,
    pub(crate) device: Option<DeviceId>,
    /// What its computer is called.
    pub(crate) computer: Option<String>,
    pub(crate) state: RoomState,
    pub(crate) as_of_ms: Option<i64>,
    /// Entries of its books that are held here.
    pub(crate) here: u64,
    pub(crate) report: Option<RoomHealth>,
}

impl Known {
    /// Entries that have not come here, as far as the room has said.
    pub(crate) fn pending(&self) -> u64 {
        self.report.as_ref().map_or(0, |r| r.recorded.saturating_sub(self.here))
    }

    /// Since when the oldest of them has waited (UTC ms); what has come since the room spoke waits no more.
    pub(crate) fn oldest_pending_ms(&self) -> Option<i64> {
        let said = self.report.as_ref()?.oldest_pending_ms;
        said.filter(|_| self.pending() > 0)
    }
}

impl Office {
    /// Every room below, by unit code; a room with several devices has a row for each.
    pub(crate) fn rooms(&mut self, now: Now) -> Result<Value, CommandError> {
        let known = self.known_rooms(now)?;
        Ok(known.iter().map(|one| row(one, now)).collect())
    }

    /// What is known of every room below, by unit code and device.
    pub(crate) fn known_rooms(&self, now: Now) -> Result<Vec<Known>, CommandError> {
        let life = self.hub_life()?;
        let organisation = self
            .authority
            .organisation()
            .ok_or_else(crate::texts::no_organisation)?;
        let mut devices: BTreeMap<UnitId, Vec<&Member>> = BTreeMap::new();
        for member in self.authority.members().filter(|m| m.role == Role::Node) {
            devices.entry(member.unit).or_default().push(member);
        }
        let (today, mut listed) = (Day::of_wall_ms(now.wall_ms), BTreeSet::new());
        let stands = |u: &&Unit| u.from.is_none_or(|from| from <= today) && u.until.is_none_or(|until| today < until);
        let standing: BTreeSet<UnitId> = organisation.units.iter().filter(stands).map(|u| u.id).collect();
        let mut units: Vec<_> = organisation
            .units
            .iter()
            .filter(|u| is_room(u.kind) && self.authority.is_within(u.id, life.unit))
            // A unit that moved is listed once for each time, as it stands first.
            .filter(|u| listed.insert(u.id))
            .filter(|u| {
                let is_live = || devices.get(&u.id).is_some_and(|of| of.iter().any(|m| m.is_live()));
                standing.contains(&u.id) || is_live()
            })
            .collect();
        units.sort_by_key(|u| u.code);
        let mut hubs: HubsBelow = BTreeMap::new();
        for (hub, of) in self.hubs_below() {
            hubs.entry(of).or_default().push(hub);
        }
        let mut rows = Vec::new();
        for unit in units {
            let mut known = Known {
                unit: unit.id,
                code: unit.code,
                name: unit.name.clone(),
                town: unit.parent.unwrap_or(life.unit),
                device: None,
                computer: None,
                state: RoomState::NeverSeen,
                as_of_ms: None,
                here: 0,
                report: None,
            };
            let Some(members) = devices.get(&unit.id) else {
                // The hub between may have let somebody in since we met it.
                (known.state, known.as_of_ms) = self.unheard(now, unit.id, &hubs);
                rows.push(known);
                continue;
            };
            for member in members {
                let mut known = known.clone();
                known.report = self.report_on(now, member.device, unit.id);
                (known.state, known.as_of_ms) = self.state_of(now, member, &known, &hubs);
                known.here = self.held_of(member.device, unit.id);
                known.device = Some(member.device);
                known.computer = Some(member.name.clone());
                rows.push(known);
            }
        }
        Ok(rows)
    }

    /// Standing hubs of units below.
    pub(crate) fn hubs_below(&self) -> Vec<(DeviceId, UnitId)> {
        let Some(own) = self.unit() else { return Vec::new() };
        let is_below =
            |m: &&Member| m.is_live() && m.role == Role::Hub && m.unit != own && self.authority.is_within(m.unit, own);
        let below = self.authority.members().filter(is_below);
        below.map(|m| (m.device, m.unit)).collect()
    }

    /// Entries of a room's books that are held here.
    fn held_of(&self, device: DeviceId, unit: UnitId) -> u64 {
        let books = self.units_of(device, unit).into_iter().map(ledger::id::Scope::book);
        books.map(|book| self.store.logs().entries(book)).sum()
    }

    /// A room's state, and as of when (UTC ms) it is known.
    fn state_of(&self, now: Now, member: &Member, known: &Known, hubs: &HubsBelow) -> (RoomState, Option<i64>) {
        if !member.is_live() {
            return (RoomState::Revoked, Some(now.wall_ms));
        }
        if member.held.is_some() {
            return (RoomState::Held, Some(now.wall_ms));
        }
        let Some(report) = known.report.as_ref().filter(|r| r.last_seen_ms.is_some()) else {
            return self.unheard(now, known.unit, hubs);
        };
        let direct_up = self.peers.is_connected(&member.device);
        let heard = self
            .reports
            .heard
            .get(&member.device)
            .filter(|h| h.via != member.device);
        if let Some(heard) = heard.filter(|_| !direct_up)
            && !self.peers.is_connected(&heard.via)
        {
            // As long as that hub was heard, what it had said stood.
            let between = self.reports.seen.get(&heard.via).map_or(0, |s| s.last_seen_ms);
            return (RoomState::Unknown, Some(heard.heard_ms.max(between)));
        }
        let just_gone = report
            .last_seen_ms
            .is_some_and(|at| now.wall_ms.abs_diff(at) < SILENT_AFTER_MS);
        let line_up = direct_up || (heard.is_some() && report.line == RoomLine::Up) || (heard.is_none() && just_gone);
        if !line_up {
            return (RoomState::Silent, Some(report.as_of_ms));
        }
        let state = if report.recorded <= self.held_of(member.device, known.unit) {
            RoomState::InStep
        } else {
            RoomState::Behind
        };
        // A line that went just now may come back, but what is shown is as of when it stood.
        let stands = direct_up || heard.is_some();
        (state, Some(if stands { now.wall_ms } else { report.as_of_ms }))
    }

    /// What can be said of a room of which nothing was ever heard: nothing, while no hub answers of the nearest unit that has some.
    fn unheard(&self, now: Now, unit: UnitId, hubs: &HubsBelow) -> (RoomState, Option<i64>) {
        let above = std::iter::successors(Some(unit), |below| self.authority.parent(*below));
        let mut below_us = above.take_while(|at| self.unit() != Some(*at));
        match below_us.find_map(|at| hubs.get(&at)) {
            Some(nearest) if !nearest.iter().any(|hub| self.peers.is_connected(hub)) => {
                let seen = nearest.iter().filter_map(|hub| self.reports.seen.get(hub));
                (RoomState::Unknown, seen.map(|seen| seen.last_seen_ms).max())
            }
            _ => (RoomState::NeverSeen, Some(now.wall_ms)),
        }
    }
}

fn is_room(kind: UnitKind) -> bool {
    kind.tier() == ledger::id::Tier::Room
}

fn age_s(at_ms: i64, now: Now) -> i64 {
    now.wall_ms.saturating_sub(at_ms).max(0) / 1000
}

pub(crate) fn row(known: &Known, now: Now) -> Value {
    let report = known.report.as_ref();
    let more = report.and_then(|r| r.more.as_ref());
    let age_s = |at_ms: i64| age_s(at_ms, now);
    let mut row = json!({
        "name": known.name,
        "computer": known.computer,
        "state": known.state.as_str(),
        "as_of": known.as_of_ms,
        "as_of_s": known.as_of_ms.map(age_s),
        "last_seen_s": report.and_then(|r| r.last_seen_ms).map(age_s),
        "recorded": report.map_or(0, |r| r.recorded),
        "here": known.here,
        "at_township": report.map_or(0, |r| r.at_township),
        "at_county": report.map_or(0, |r| r.at_county),
        "power_ups": more.and_then(|m| m.power_ups),
        "session": more.and_then(|m| m.session).map(session),
        "version": report.map(|r| r.version.as_str()),
    });
    if let (Value::Object(row), Value::Object(measured)) = (&mut row, measured(known, now)) {
        row.extend(measured);
    }
    row
}

/// What of a room's row machines watch: of ten thousand rooms at each scrape, so nothing else is in it.
pub(crate) fn measured(known: &Known, now: Now) -> Value {
    let report = known.report.as_ref();
    let more = report.and_then(|r| r.more.as_ref());
    json!({
        "unit": known.code,
        "device": known.device,
        "last_seen_ms": report.and_then(|r| r.last_seen_ms),
        "pending": known.pending(),
        "oldest_pending_s": known.oldest_pending_ms().map(|at| age_s(at, now)),
        "skew_ms": report.and_then(|r| r.skew_ms),
        "rtt_ms": more.and_then(|m| m.rtt_ms),
        "disk_free_bytes": report.map(|r| r.disk_free_bytes),
        "disk_total_bytes": more.and_then(|m| m.disk_total_bytes),
        "quarantined": more.and_then(|m| m.quarantined),
    })
}

fn session(last: LastSession) -> Value {
    json!({
        "began_ms": last.began_ms,
        "ended_ms": last.ended_ms,
        "seconds": last.ended_ms.saturating_sub(last.began_ms).max(0) / 1000,
        "bytes_in": last.bytes_in,
        "bytes_out": last.bytes_out,
        "entries": last.entries,
        "ended": last.ended.as_str(),
    })
}
