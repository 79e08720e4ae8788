//! `rooms`: is every room below alive and in step? Said honestly: what is not known now is shown as of when it was.

use ledger::id::{DeviceId, UnitId};
use ledger::organisation::UnitKind;
use replica::authority::Member;
use replica::frame::{RoomHealth, RoomLine};
use replica::statement::Role;
use replica::time::Now;
use serde_json::{Value, json};

use crate::command::CommandError;
use crate::office::Office;

/// A line that went a moment ago most often comes back: a room is called silent only after this.
const SILENT_AFTER_MS: i64 = 15_000;

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
            Self::Unknown => "unknown",
        }
    }
}

impl Office {
    /// Every room below, by unit code; a room with several devices has a row for each.
    pub(crate) fn rooms(&mut self, now: Now) -> Result<Value, CommandError> {
        let life = self.hub_life()?;
        let organisation = self
            .authority
            .organisation()
            .ok_or_else(|| CommandError::failed("no_organisation", "还没有收到组织机构，请先接通县里的线路。"))?;
        let mut units: Vec<_> = organisation
            .units
            .iter()
            .filter(|u| is_room(u.kind) && self.authority.is_within(u.id, life.unit))
            .collect();
        units.sort_by_key(|u| u.code);
        let mut rows = Vec::new();
        for unit in units {
            let devices: Vec<&Member> = self
                .authority
                .members()
                .filter(|m| m.unit == unit.id && m.role == Role::Node)
                .collect();
            let head = json!({"unit": unit.code, "name": unit.name});
            if devices.is_empty() {
                // The hub between may have let somebody in since we met it.
                let (state, as_of_ms) = self.unheard(now, unit.id);
                rows.push(row(head, None, state, None, now, as_of_ms));
                continue;
            }
            for member in devices {
                let report = self.report_on(now, member.device, unit.id);
                let (state, as_of_ms) = self.state_of(now, member, unit.id, report.as_ref());
                rows.push(row(head.clone(), Some(member), state, report, now, as_of_ms));
            }
        }
        Ok(Value::Array(rows))
    }

    /// A room's state, and as of when (UTC ms) it is known.
    fn state_of(
        &self,
        now: Now,
        member: &Member,
        unit: UnitId,
        report: Option<&RoomHealth>,
    ) -> (RoomState, Option<i64>) {
        if !member.is_live() {
            return (RoomState::Revoked, Some(now.wall_ms));
        }
        let Some(report) = report.filter(|r| r.last_seen_ms.is_some()) else {
            return self.unheard(now, unit);
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
            return (RoomState::Unknown, Some(heard.heard_ms));
        }
        let just_gone = report
            .last_seen_ms
            .is_some_and(|at| now.wall_ms.abs_diff(at) < SILENT_AFTER_MS.unsigned_abs());
        let line_up = direct_up || (heard.is_some() && report.line == RoomLine::Up) || (heard.is_none() && just_gone);
        if !line_up {
            return (RoomState::Silent, Some(report.as_of_ms));
        }
        let here: u64 = self
            .units_of(member.device, unit)
            .iter()
            .map(|u| self.store.logs().entries(ledger::id::Scope::book(*u)))
            .sum();
        let state = if report.recorded <= here {
            RoomState::InStep
        } else {
            RoomState::Behind
        };
        // A line that went just now may come back, but what is shown is as of when it stood.
        let stands = direct_up || heard.is_some();
        (state, Some(if stands { now.wall_ms } else { report.as_of_ms }))
    }

    /// What can be said of a room of which nothing was ever heard: nothing, while the hub that would meet it does not answer.
    fn unheard(&self, now: Now, unit: UnitId) -> (RoomState, Option<i64>) {
        match self.hub_between(unit) {
            Some(hub) if !self.peers.is_connected(&hub) => {
                (RoomState::Unknown, self.reports.seen.get(&hub).map(|s| s.last_seen_ms))
            }
            _ => (RoomState::NeverSeen, Some(now.wall_ms)),
        }
    }

    /// A standing hub of a unit between us and the room, if there is one.
    fn hub_between(&self, unit: UnitId) -> Option<DeviceId> {
        let own = self.unit()?;
        self.authority
            .members()
            .find(|m| {
                m.is_live()
                    && m.role == Role::Hub
                    && m.unit != own
                    && self.authority.is_within(unit, m.unit)
                    && self.authority.is_within(m.unit, own)
            })
            .map(|m| m.device)
    }
}

fn is_room(kind: UnitKind) -> bool {
    kind.tier() == ledger::id::Tier::Room
}

fn row(
    head: Value,
    member: Option<&Member>,
    state: RoomState,
    report: Option<RoomHealth>,
    now: Now,
    as_of_ms: Option<i64>,
) -> Value {
    let age_s = |at_ms: i64| now.wall_ms.saturating_sub(at_ms).max(0) / 1000;
    let mut row = head;
    let facts = json!({
        "device": member.map(|m| m.device),
        "state": state.as_str(),
        "as_of": as_of_ms,
        "as_of_s": as_of_ms.map(age_s),
        "last_seen_s": report.as_ref().and_then(|r| r.last_seen_ms).map(age_s),
        "recorded": report.as_ref().map_or(0, |r| r.recorded),
        "at_township": report.as_ref().map_or(0, |r| r.at_township),
        "at_county": report.as_ref().map_or(0, |r| r.at_county),
        "oldest_pending_s": report.as_ref().and_then(|r| r.oldest_pending_ms).map(age_s),
        "skew_ms": report.as_ref().and_then(|r| r.skew_ms),
        "disk_free_bytes": report.as_ref().map(|r| r.disk_free_bytes),
        "version": report.as_ref().map(|r| r.version.as_str()),
    });
    if let (Some(row), Value::Object(facts)) = (row.as_object_mut(), facts) {
        row.extend(facts);
    }
    row
}
