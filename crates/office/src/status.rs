//! `status`: what this device holds, how far it has travelled, whom it met, what is wrong.

use std::collections::BTreeMap;

use ledger::id::{DeviceId, Scope};
use replica::time::Now;
use serde_json::{Value, json};
use store::Health;

use crate::command::CommandError;
use crate::office::Office;
use crate::tiers::Tiers;

/// Log ends and refusals listed at most; the counts are exact.
const LISTED_MAX: usize = 100;

impl Office {
    /// The state of this office as JSON; see the README for the fields.
    pub(crate) fn status(&mut self, now: Now) -> Result<Value, CommandError> {
        /// Enough for a quiet day; a hub that catches up says what it has come to, and does not let people wait.
        const APPLY_ENTRIES: usize = 2_048;
        let life = self.placed()?;
        self.apply(now, APPLY_ENTRIES)?;
        let conflicts = self.open_conflict_count()?;
        let counts = self.views.counts(&self.store)?;
        let reach = Tiers {
            store: &self.store,
            authority: &self.authority,
        }
        .of_all();
        let stats = self.store.stats();
        let (damaged, healed) = self.store.damage();
        let forks = self.fork_rows();
        let unit = self.authority.unit(life.unit);
        let member = self.authority.member(&self.me.device);
        let age_s = |at_ms: i64| now.wall_ms.saturating_sub(at_ms).max(0) / 1000;
        Ok(json!({
            "unit": unit.map(|u| u.code),
            "name": unit.map(|u| u.name.as_str()),
            "tier": self.tier(),
            "device": self.me.device,
            "version": self.software,
            "member": member.is_some_and(replica::authority::Member::is_live),
            "revoked": self.authority.is_revoked(&self.me.device),
            "held": self.held_here(),
            "node_code": member.map(|m| m.node_code(self.epoch).to_string()),
            "settled": self.is_settled(),
            "passphrase": self.passphrase_row(),
            "scopes": self.scope_rows(&counts),
            "alone": life.addrs.is_empty() && life.role == replica::statement::Role::Node,
            "reach": {"recorded": reach.recorded, "township": reach.township, "county": reach.county},
            "pending": {"township": reach.pending_township(), "county": reach.pending_county()},
            "oldest_pending_s": reach.oldest_township_ms.or(reach.oldest_county_ms).map(age_s),
            "peers": self.peer_rows(now),
            "journal": {"entries": stats.entries, "bytes": stats.bytes, "damaged": damaged.len(), "healed": healed.len()},
            "disk_free_bytes": self.store.free_bytes(),
            "own_skew_ms": self.own_skew_ms(),
            "disk": match self.store.health() {
                Health::Writable => json!({"state": "writable"}),
                Health::ReadOnly(_) => json!({"state": "read_only", "message": "磁盘已满，请清理磁盘；清理前不能记录新的办件。"}),
                Health::Poisoned(why) => json!({"state": "poisoned", "message": format!("磁盘写入失败（{why}），请检查磁盘并重新启动。")}),
            },
            "opened": {
                "replayed": self.opened.replayed,
                "torn": self.opened.torn,
                "mended": self.opened.mended,
                "damaged": self.opened.damaged.len(),
                "keys_damaged": self.opened.keys_damaged,
                "rebuilt": self.opened.rebuilt,
            },
            "conflicts": conflicts,
            "quarantined": counts.quarantined,
            "waiting": counts.waiting,
            "forks": forks.len(),
            "forked": forks.into_iter().take(LISTED_MAX).collect::<Vec<_>>(),
            "withdrawn": self.withdrawal_rows(),
            "refused": self.refused_rows(),
            "turned_away": self.turned_away_rows(),
            "too_long": self.peers.too_long.iter().map(|s| self.unit_shown(s.unit).0).collect::<Vec<_>>(),
            "upgrade_needed": self.authority.unknown(),
        }))
    }

    /// Whether organisation, catalogue and calendar are known and the own book can be written: what a newcomer waits for.
    pub fn is_settled(&self) -> bool {
        let Some(unit) = self.unit() else { return false };
        self.authority.organisation().is_some()
            && self.authority.catalogue().is_some()
            && self.authority.calendar().is_some()
            && self.keys.is_granted(&Scope::book(unit))
    }

    fn scope_rows(&self, counts: &crate::views::Counts) -> Vec<Value> {
        let mut scopes: Vec<Scope> = self.store.logs().scopes().collect();
        scopes.sort_unstable();
        let code = |scope: &Scope| self.authority.unit(scope.unit).map(|u| u.code);
        scopes
            .iter()
            .map(|scope| {
                json!({
                    "unit": code(scope),
                    "unit_id": scope.unit,
                    "former": self.authority.is_former(scope.unit),
                    "kind": scope.kind,
                    "digest": self.store.logs().digest(*scope),
                    "entries": self.store.logs().entries(*scope),
                    "records": counts.records(*scope),
                })
            })
            .collect()
    }

    fn peer_rows(&self, now: Now) -> Vec<Value> {
        // Once for all: a hub with thousands of rooms connected must not look through all of them for each.
        let lines: BTreeMap<DeviceId, _> = self.peers.lines.values().rev().map(|line| (line.peer, line)).collect();
        let row = |device: &DeviceId, seen: &crate::reports::Seen| {
            let line = lines.get(device);
            let connected = line.is_some();
            let age_s = now.wall_ms.saturating_sub(seen.last_seen_ms).max(0) / 1000;
            json!({
                "device": device,
                "unit": self.unit_code_of(device),
                "unit_name": self.authority.member(device).map(|m| self.unit_shown(m.unit).1),
                "connected": connected,
                "above": self.is_above(seen.unit),
                "addr": line.map(|l| l.addr.as_str()),
                "dialled": line.map(|l| l.dialled == replica::session::Dialled::Us),
                "session": line.map(|l| format!("{:?}", l.session.progress()).to_lowercase()),
                "last_seen_s": if connected { 0 } else { age_s },
                "rtt_ms": seen.rtt_ms,
                "skew_ms": seen.skew_ms,
                "version": seen.health.software,
            })
        };
        self.reports
            .seen
            .iter()
            .map(|(device, seen)| row(device, seen))
            .collect()
    }

    /// Whether a unit is one that ours belongs to.
    pub(crate) fn is_above(&self, unit: ledger::id::UnitId) -> bool {
        self.unit()
            .is_some_and(|own| own != unit && self.authority.is_within(own, unit))
    }

    /// Logs that go on in several ways: somebody's disk was copied or restored. The one place where this is counted.
    pub(crate) fn fork_rows(&self) -> Vec<Value> {
        let logs = self.store.logs();
        let mut forks = Vec::new();
        for scope in logs.scopes() {
            for log in logs.logs(scope) {
                let tips = logs.tips(&log);
                if tips.len() < 2 {
                    continue;
                }
                forks.push(json!({
                    "device": log.device,
                    "unit": self.unit_code_of(&log.device),
                    "kind": scope.kind,
                    "epoch": format!("{:016x}", log.epoch),
                    "tips": tips.len(),
                    "suspended": tips.len() > replica::limits::TIPS_MAX,
                }));
            }
        }
        forks
    }

    fn withdrawal_rows(&self) -> Vec<Value> {
        self.store
            .receipts()
            .withdrawals()
            .map(|w| json!({"hub": w.hub, "unit": self.unit_code_of(&w.hub), "at_ms": w.at_ms}))
            .collect()
    }

    /// Peers that ended the session for good: above all, hubs that say that this device is revoked.
    fn turned_away_rows(&self) -> Vec<Value> {
        self.reports
            .turned_away
            .iter()
            .map(|(device, (at_ms, bye))| {
                json!({
                    "device": device,
                    "unit": self.unit_code_of(device),
                    "at_ms": at_ms,
                    "reason": format!("{:?}", bye.reason).to_lowercase(),
                    "text": bye.text,
                })
            })
            .collect()
    }

    fn refused_rows(&self) -> Vec<Value> {
        self.peers
            .refused
            .iter()
            .take(LISTED_MAX)
            .map(|((log, reason), times)| {
                json!({"device": log.device, "kind": log.scope.kind, "reason": format!("{reason:?}"), "times": times})
            })
            .collect()
    }
}
