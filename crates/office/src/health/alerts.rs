//! Alerts: raised when a rule holds, cleared when it does not, kept for thirty days, told until whoever listens has taken them.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{Tier, UnitId};
use minicbor::{Decode, Encode};
use replica::time::Now;
use serde_json::{Value, json};
use store::{Batch, Kv, KvError};

use super::rules::Rule;
use crate::command::{AlertList, AlertTold, CommandError};
use crate::office::Office;
use crate::texts;
use crate::texts::health as words;

const ROWS: &[u8] = b"pA";
const KEPT_MS: i64 = 31 * 86_400_000;
/// Those that are over and kept: ten thousand rooms whose line fails once a day for a day would be as many.
const PAST_MAX: usize = 10_000;
const LISTED: usize = 100;
/// News given to the webhook at once.
const TOLD_AT_ONCE: usize = 50;

/// One alert.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Alert {
    #[n(0)]
    pub(crate) rule: Rule,
    #[n(1)]
    pub(crate) unit: UnitId,
    #[n(2)]
    pub(crate) raised_ms: i64,
    #[n(3)]
    pub(crate) cleared_ms: Option<i64>,
    /// What the rule measured when it spoke last: see the texts.
    #[n(4)]
    pub(crate) value: i64,
    #[n(5)]
    raised_told: bool,
    #[n(6)]
    cleared_told: bool,
}

impl Alert {
    fn key(&self) -> Vec<u8> {
        let rule = Rule::ALL.iter().position(|r| *r == self.rule).unwrap_or(0) as u8;
        [ROWS, &self.raised_ms.to_be_bytes(), &[rule], &self.unit.0].concat()
    }
}

/// All that is kept, read at the first use.
#[derive(Default)]
pub(crate) struct Alerts {
    is_read: bool,
    pub(crate) open: BTreeMap<(Rule, UnitId), Alert>,
    /// By key, the earliest first.
    past: BTreeMap<Vec<u8>, Alert>,
}

impl Alerts {
    fn read(&mut self, kv: &dyn Kv) -> Result<(), KvError> {
        if std::mem::replace(&mut self.is_read, true) {
            return Ok(());
        }
        for (key, row) in kv.prefix(ROWS)? {
            let Ok(alert) = minicbor::decode::<Alert>(&row) else {
                continue;
            };
            match alert.cleared_ms {
                None => drop(self.open.insert((alert.rule, alert.unit), alert)),
                Some(_) => drop(self.past.insert(key, alert)),
            }
        }
        Ok(())
    }
}

impl Office {
    pub(crate) fn read_alerts(&mut self) -> Result<(), CommandError> {
        let read = self.health.alerts.read(self.store.kv());
        read.map_err(|e| texts::store_failed(&e))
    }

    /// Raises what holds now and clears what does not. What cannot be known now (`unknown`) stays as it is.
    pub(crate) fn settle_alerts(
        &mut self,
        now: Now,
        holds: &BTreeMap<(Rule, UnitId), i64>,
        unknown: &BTreeSet<UnitId>,
    ) -> Result<(), CommandError> {
        self.read_alerts()?;
        let alerts = &mut self.health.alerts;
        let mut batch = Batch::default();
        for ((rule, unit), value) in holds {
            let is_open = alerts.open.contains_key(&(*rule, *unit));
            let alert = alerts.open.entry((*rule, *unit)).or_insert(Alert {
                rule: *rule,
                unit: *unit,
                raised_ms: now.wall_ms,
                cleared_ms: None,
                value: *value,
                raised_told: false,
                cleared_told: false,
            });
            alert.value = *value;
            if !is_open {
                batch.put(alert.key(), minicbor::to_vec(&*alert).unwrap_or_default());
            }
        }
        let is_over = |(rule, unit): &&(Rule, UnitId)| {
            !holds.contains_key(&(*rule, *unit)) && (rule.is_own_knowledge() || !unknown.contains(unit))
        };
        let over: Vec<(Rule, UnitId)> = alerts.open.keys().filter(is_over).copied().collect();
        for of in over {
            let Some(mut alert) = alerts.open.remove(&of) else {
                continue;
            };
            alert.cleared_ms = Some(now.wall_ms);
            batch.put(alert.key(), minicbor::to_vec(&alert).unwrap_or_default());
            alerts.past.insert(alert.key(), alert);
        }
        while let Some((key, oldest)) = alerts.past.first_key_value() {
            let is_old = oldest
                .cleared_ms
                .is_some_and(|at| at.saturating_add(KEPT_MS) < now.wall_ms);
            if !is_old && alerts.past.len() <= PAST_MAX {
                break;
            }
            let key = key.clone();
            alerts.past.remove(&key);
            batch.delete(key);
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.store.kv().write(batch).map_err(|e| texts::store_failed(&e))
    }

    /// Rooms have a page of their own, hubs have none.
    fn is_room_unit(&self, unit: UnitId) -> bool {
        let listed = self.authority.organisation().and_then(|o| o.unit(unit));
        listed.is_some_and(|unit| unit.kind.tier() == Tier::Room)
    }

    fn alert_row(&self, now: Now, alert: &Alert, mutes: &[super::mutes::Mute]) -> Value {
        let (unit, name) = self.unit_shown(alert.unit);
        let mute = mutes.iter().find(|mute| mute.covers(alert.rule, alert.unit, now));
        json!({
            "id": format!("{}-{unit}-{}", alert.rule.as_str(), alert.raised_ms),
            "rule": alert.rule.as_str(),
            "label": words::rule(alert.rule),
            "text": words::said(alert.rule, alert.value, now.wall_ms),
            "unit": unit,
            "name": name,
            "room": self.is_room_unit(alert.unit),
            "raised_ms": alert.raised_ms,
            "cleared_ms": alert.cleared_ms,
            "muted": mute.filter(|_| alert.cleared_ms.is_none()).map(|mute| self.mute_row(mute)),
        })
    }

    /// Open alerts, the newest first, how many more there are than were asked for, and those that are over.
    ///
    /// # Errors
    /// At a room; the index.
    pub(crate) fn alert_list(&mut self, now: Now, args: &AlertList) -> Result<Value, CommandError> {
        self.hub_life()?;
        self.read_alerts()?;
        let mutes = self.mutes(now);
        let alerts = &self.health.alerts;
        let mut open: Vec<&Alert> = alerts.open.values().collect();
        open.sort_by_key(|alert| (std::cmp::Reverse(alert.raised_ms), alert.rule));
        let past = alerts
            .past
            .values()
            .rev()
            .take(args.past.unwrap_or(LISTED).min(PAST_MAX));
        let more = open.len().saturating_sub(args.open.unwrap_or(usize::MAX));
        open.truncate(open.len() - more);
        let row = |alert: &Alert| self.alert_row(now, alert, &mutes);
        Ok(json!({
            "now_ms": now.wall_ms,
            "more": more,
            "open": open.into_iter().map(row).collect::<Vec<_>>(),
            "past": past.map(row).collect::<Vec<_>>(),
        }))
    }

    /// The alerts of a unit: open ones, and some that are over.
    pub(crate) fn alerts_of(&self, now: Now, unit: UnitId, past: usize) -> (Vec<Value>, Vec<Value>) {
        let mutes = self.mutes(now);
        let alerts = &self.health.alerts;
        let row = |alert: &Alert| self.alert_row(now, alert, &mutes);
        let open = alerts.open.values().filter(|alert| alert.unit == unit);
        let over = alerts.past.values().rev().filter(|alert| alert.unit == unit);
        (open.map(row).collect(), over.take(past).map(row).collect())
    }

    /// Rules that hold for each unit now and are not muted, and how many are muted.
    pub(crate) fn open_rules(&self, now: Now) -> (BTreeMap<UnitId, Vec<(Rule, i64)>>, usize) {
        let mutes = self.mutes(now);
        let (mut rules, mut muted) = (BTreeMap::<UnitId, Vec<(Rule, i64)>>::new(), 0);
        for alert in self.health.alerts.open.values() {
            match mutes.iter().any(|mute| mute.covers(alert.rule, alert.unit, now)) {
                true => muted += 1,
                false => rules.entry(alert.unit).or_default().push((alert.rule, alert.value)),
            }
        }
        (rules, muted)
    }

    /// How many alerts are open by rule, muted ones too.
    pub(crate) fn open_by_rule(&self) -> BTreeMap<Rule, u64> {
        let mut by_rule: BTreeMap<Rule, u64> = Rule::ALL.into_iter().map(|rule| (rule, 0)).collect();
        for (rule, _) in self.health.alerts.open.keys() {
            *by_rule.entry(*rule).or_default() += 1;
        }
        by_rule
    }

    /// What nobody has taken yet, the earliest first. What is muted is not told while it is.
    pub(crate) fn untold(&self, now: Now) -> Vec<Value> {
        let mutes = self.mutes(now);
        let is_muted = |alert: &Alert| mutes.iter().any(|mute| mute.covers(alert.rule, alert.unit, now));
        let alerts = &self.health.alerts;
        let raised = alerts
            .open
            .values()
            .filter(|alert| !alert.raised_told && !is_muted(alert));
        // Of what was over before anybody heard of it there is no news.
        let cleared = alerts
            .past
            .values()
            .filter(|alert| alert.raised_told && !alert.cleared_told);
        let mut news: Vec<(i64, Value)> = Vec::new();
        for (event, alert) in raised.map(|a| ("raised", a)).chain(cleared.map(|a| ("cleared", a))) {
            let mut row = self.alert_row(now, alert, &mutes);
            row["event"] = json!(event);
            row["id"] = json!(format!("{}-{event}", row["id"].as_str().unwrap_or_default()));
            news.push((alert.cleared_ms.unwrap_or(alert.raised_ms), row));
        }
        news.sort_by_key(|(at, _)| *at);
        news.into_iter().map(|(_, row)| row).take(TOLD_AT_ONCE).collect()
    }

    /// News that was taken is not told again.
    ///
    /// # Errors
    /// At a room; the index.
    pub(crate) fn alert_told(&mut self, args: &AlertTold) -> Result<Value, CommandError> {
        self.hub_life()?;
        self.read_alerts()?;
        let ids: BTreeSet<&str> = args.ids.iter().map(String::as_str).collect();
        let codes: BTreeMap<UnitId, String> = {
            let alerts = &self.health.alerts;
            let units = alerts.open.values().chain(alerts.past.values()).map(|alert| alert.unit);
            units.map(|unit| (unit, self.unit_shown(unit).0)).collect()
        };
        let mut batch = Batch::default();
        let alerts = &mut self.health.alerts;
        let mut told = 0;
        for alert in alerts.open.values_mut().chain(alerts.past.values_mut()) {
            let code = codes.get(&alert.unit).map_or("", String::as_str);
            let id = |event: &str| format!("{}-{code}-{}-{event}", alert.rule.as_str(), alert.raised_ms);
            let (raised, cleared) = (
                ids.contains(id("raised").as_str()),
                ids.contains(id("cleared").as_str()),
            );
            if raised || cleared {
                alert.raised_told |= raised;
                alert.cleared_told |= cleared;
                told += 1;
                batch.put(alert.key(), minicbor::to_vec(&*alert).unwrap_or_default());
            }
        }
        self.store.kv().write(batch).map_err(|e| texts::store_failed(&e))?;
        Ok(json!({"told": told}))
    }
}
