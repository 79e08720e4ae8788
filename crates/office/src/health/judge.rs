//! Which rules hold now.

use std::collections::{BTreeMap, BTreeSet};

use ledger::day::Day;
use ledger::id::{DeviceId, Hash, UnitId};
use minicbor::decode;
use replica::frame::RoomHealth;
use replica::time::Now;
use store::Batch;

use super::rules::{Rule, Rules};
use crate::command::CommandError;
use crate::office::Office;
use crate::reports::Seen;
use crate::rooms::{Known, RoomState};
use crate::texts;
use crate::views::counts::visit;
use crate::views::groups::Item;
use crate::views::name;

/// When a conflict item was first seen open here: nothing in an item says it.
const FIRST_SEEN: &[u8] = b"pC";

type Holds = BTreeMap<(Rule, UnitId), i64>;

/// `cunlian-node/1.4.2` as (1, 4).
pub(crate) fn version(software: &str) -> Option<(u32, u32)> {
    let (_, version) = software.rsplit_once(['/', ' ']).unwrap_or(("", software));
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

impl Office {
    /// Holds everything known against the rules.
    pub(crate) fn judge_rooms(&mut self, now: Now, known: &[Known]) -> Result<(), CommandError> {
        let rules = self.rules();
        let mut holds = Holds::new();
        self.judge_hubs(now, &rules, &mut holds);
        let mut unknown: BTreeSet<UnitId> = BTreeSet::new();
        for one in known {
            match one.state {
                RoomState::Unknown => {
                    unknown.insert(one.unit);
                }
                RoomState::Revoked | RoomState::Held | RoomState::NeverSeen => {}
                _ => self.judge_room(now, &rules, one, &mut holds),
            }
        }
        self.judge_own(now, &rules, &mut holds)?;
        // A room whose other device is known is known.
        for one in known.iter().filter(|one| is_told_of(one.state)) {
            unknown.remove(&one.unit);
        }
        self.settle_alerts(now, &holds, &unknown)
    }

    /// Hubs below: whether they answer, and what is known of their computers, as of a room's.
    fn judge_hubs(&self, now: Now, rules: &Rules, holds: &mut Holds) {
        let after_ms = i64::from(rules.hub_minutes) * 60_000;
        let is_met = |device: &DeviceId| self.authority.member(device).is_none_or(|m| m.held.is_none());
        for (device, unit) in self.hubs_below().into_iter().filter(|(device, _)| is_met(device)) {
            if let Some(report) = self.report_on(now, device, unit) {
                self.judge_computer(rules, unit, &report, holds);
            }
            let silent = |_: &&Seen| !self.peers.is_connected(&device);
            let Some(seen) = self.reports.seen.get(&device).filter(silent) else {
                continue;
            };
            if rules.hub_minutes > 0 && now.wall_ms.saturating_sub(seen.last_seen_ms) >= after_ms {
                holds.insert((Rule::Hub, unit), seen.last_seen_ms);
            }
        }
    }

    fn judge_room(&self, now: Now, rules: &Rules, one: &Known, holds: &mut Holds) {
        let Some(report) = &one.report else { return };
        let mut hold = |rule: Rule, value: i64| {
            holds.insert((rule, one.unit), value);
        };
        if one.state == RoomState::Silent
            && rules.silent_minutes > 0
            && let Some(seen_ms) = report.last_seen_ms
            && self.open_seconds(rules, seen_ms, now.wall_ms) >= i64::from(rules.silent_minutes) * 60
        {
            hold(Rule::Silent, seen_ms);
        }
        if let Some(oldest_ms) = one.oldest_pending_ms().filter(|_| rules.pending_hours > 0)
            && now.wall_ms.saturating_sub(oldest_ms) >= i64::from(rules.pending_hours) * 3_600_000
        {
            hold(Rule::Pending, oldest_ms);
        }
        let aside = report.more.as_ref().and_then(|more| more.quarantined).unwrap_or(0);
        if rules.quarantine > 0 && aside > 0 {
            hold(Rule::Quarantine, i64::try_from(aside).unwrap_or(i64::MAX));
        }
        self.judge_computer(rules, one.unit, report, holds);
    }

    /// A room's PC or a hub: its clock, its disk, its software.
    fn judge_computer(&self, rules: &Rules, unit: UnitId, report: &RoomHealth, holds: &mut Holds) {
        let skew_ms = i64::from(report.skew_ms.unwrap_or(0));
        if rules.skew_minutes > 0 && skew_ms.abs() > i64::from(rules.skew_minutes) * 60_000 {
            holds.insert((Rule::Skew, unit), skew_ms);
        }
        let total = report.more.as_ref().and_then(|more| more.disk_total_bytes);
        if let Some(total) = total.filter(|total| *total > 0) {
            let percent = u128::from(report.disk_free_bytes) * 100 / u128::from(total);
            if percent < u128::from(rules.disk_percent) {
                holds.insert((Rule::Disk, unit), i64::try_from(percent).unwrap_or(i64::MAX));
            }
        }
        if let Some(((major, minor), (own_major, own_minor))) = version(&report.version).zip(version(&self.software))
            && rules.versions_behind > 0
            && (major < own_major || (major == own_major && minor + rules.versions_behind < own_minor))
        {
            let said = i64::from(major) * 1_000_000 + i64::from(minor);
            holds.insert((Rule::Version, unit), said);
        }
    }

    /// What concerns this hub's own disk and people, and devices that write in two places.
    fn judge_own(&mut self, now: Now, rules: &Rules, holds: &mut Holds) -> Result<(), CommandError> {
        let Some(own) = self.unit() else { return Ok(()) };
        if let (Some(free), Some(total)) = (self.store.free_bytes(), self.store.total_bytes().filter(|t| *t > 0)) {
            let percent = u128::from(free) * 100 / u128::from(total);
            if percent < u128::from(rules.disk_percent) {
                holds.insert((Rule::Disk, own), i64::try_from(percent).unwrap_or(0));
            }
        }
        let aside = self.views.quarantined(&self.store)?;
        if rules.quarantine > 0 && aside > 0 {
            holds.insert((Rule::Quarantine, own), i64::try_from(aside).unwrap_or(i64::MAX));
        }
        if rules.forks > 0 {
            for unit in self.forked_units() {
                holds.insert((Rule::Fork, unit), 0);
            }
        }
        let old = self.old_conflicts(now, rules)?;
        if old > 0 {
            holds.insert((Rule::Conflict, own), old);
        }
        Ok(())
    }

    /// Conflict items that have been open for more workdays than the rule allows.
    fn old_conflicts(&mut self, now: Now, rules: &Rules) -> Result<i64, CommandError> {
        let mut open: BTreeSet<Hash> = BTreeSet::new();
        let kv = self.store.kv();
        visit(kv, name::CONFLICT, &mut |key, value| {
            if Item::decode(value).is_some_and(|item| item.open) {
                open.extend(name::conflict_id(key));
            }
        })?;
        let mut seen: BTreeMap<Hash, i64> = BTreeMap::new();
        visit(kv, FIRST_SEEN, &mut |key, value| {
            let id = key.get(FIRST_SEEN.len()..).and_then(|id| id.try_into().ok());
            seen.extend(id.map(Hash).zip(decode(value).ok()));
        })?;
        let mut batch = Batch::default();
        for id in seen.keys().filter(|id| !open.contains(id)) {
            batch.delete([FIRST_SEEN, &id.0].concat());
        }
        for id in open.iter().filter(|id| !seen.contains_key(id)) {
            batch.put(
                [FIRST_SEEN, &id.0].concat(),
                minicbor::to_vec(now.wall_ms).unwrap_or_default(),
            );
        }
        if !batch.is_empty() {
            kv.write(batch).map_err(|e| texts::store_failed(&e))?;
        }
        let today = Day::of_wall_ms(now.wall_ms);
        let calendar = self.authority.calendar().cloned().unwrap_or_default();
        let is_old = |id: &&Hash| {
            let since = seen
                .get(id)
                .map(|at| calendar.workdays_between(Day::of_wall_ms(*at), today));
            since.is_some_and(|workdays| workdays > rules.conflict_workdays)
        };
        let old = open.iter().filter(is_old).count();
        Ok(if rules.conflict_workdays > 0 { old as i64 } else { 0 })
    }

    /// Seconds of opening hours between two times.
    pub(crate) fn open_seconds(&self, rules: &Rules, from_ms: i64, until_ms: i64) -> i64 {
        let hours = rules.open_hours();
        match self.authority.calendar() {
            Some(calendar) => hours.open_seconds(calendar, from_ms, until_ms),
            None => hours.open_seconds(&ledger::calendar::Calendar::default(), from_ms, until_ms),
        }
    }
}

fn is_told_of(state: RoomState) -> bool {
    matches!(state, RoomState::InStep | RoomState::Behind | RoomState::Silent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_programs_write_them() {
        assert_eq!(version("cunlian-node/1.4.2"), Some((1, 4)));
        assert_eq!(version("cunlian-node 0.1.0"), Some((0, 1)));
        assert_eq!(version("rig 1"), None);
    }
}
