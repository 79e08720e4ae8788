//! Numbers for machines that watch: never a person, never a record.

use replica::statement::Role;
use replica::time::Now;
use serde_json::{Value, json};

use crate::command::CommandError;
use crate::meters::SYNC_MS;
use crate::office::Office;
use crate::rooms::{Known, RoomState};

impl Office {
    /// Everything that `/metrics` shows, of this device and, at a hub, of the rooms below.
    ///
    /// # Errors
    /// Before `init` or `join`; the index.
    pub(crate) fn metrics(&mut self, now: Now) -> Result<Value, CommandError> {
        let life = self.placed()?;
        self.refresh_health(now);
        let (syncs, sync_ms) = self.meters.syncs();
        let failures = self.meters.failures();
        let failures: Vec<Value> = failures
            .map(|(ending, n)| json!({"reason": ending.as_str(), "count": n}))
            .collect();
        let is_hub = life.role == Role::Hub;
        let mut shown = json!({
            "unit": self.unit_shown(life.unit).0,
            "tier": self.tier(),
            "version": self.software,
            "entries": self.store.stats().entries,
            "journal_bytes": self.store.stats().bytes,
            "damaged": self.store.stats().damaged,
            "writable": self.store.health() == store::Health::Writable,
            "disk_free_bytes": self.store.free_bytes(),
            "disk_total_bytes": self.store.total_bytes(),
            "ingested": self.meters.ingested,
            "sync": {"ends_ms": SYNC_MS, "within": syncs, "sum_ms": sync_ms},
            "failures": failures,
            "peers": self.peers.lines.len(),
            "parent_up": self.is_parent_up(),
            "pending": self.own_reach.pending_township(),
            "oldest_pending_s": self.own_reach.oldest_township_ms.map(|at| now.wall_ms.saturating_sub(at).max(0) / 1000),
            "skew_ms": self.own_skew_ms(),
            "quarantined": self.views.quarantined(&self.store)?,
            "conflicts": self.open_conflict_count()?,
            "alerts": [],
            "rooms": [],
            "states": {},
        });
        if is_hub {
            self.read_alerts()?;
            let alerts = self.open_by_rule();
            shown["alerts"] = alerts
                .iter()
                .map(|(rule, n)| json!({"rule": rule.as_str(), "count": n}))
                .collect();
            // Before the organisation has come there are no rooms to speak of.
            if self.authority.organisation().is_some() {
                let known = self.known_rooms(now)?;
                // A PC that was taken out or is held is silent because somebody wants it so. Of one behind a hub that does not answer
                // nothing is known: it is the hub's silence, and the rules would send somebody to each of its rooms.
                let untold =
                    |one: &&Known| matches!(one.state, RoomState::Revoked | RoomState::Held | RoomState::Unknown);
                let told = known.iter().filter(|one| !untold(one));
                shown["rooms"] = told.map(|one| crate::rooms::measured(one, now)).collect();
                shown["states"] = self.states(now, &known);
            }
        }
        Ok(shown)
    }

    /// Whether a hub above is connected; null where there is none.
    fn is_parent_up(&self) -> Option<bool> {
        let unit = self.unit()?;
        if self.authority.top() == Some(unit) {
            return None;
        }
        let above = self
            .authority
            .members()
            .filter(|m| m.role == Role::Hub && m.unit != unit && self.authority.is_within(unit, m.unit));
        let mut above = above.peekable();
        above.peek()?;
        Some(above.any(|hub| self.peers.is_connected(&hub.device)))
    }
}
