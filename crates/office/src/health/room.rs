//! One room's page: everything that is known of it, and what to do next in one sentence.

use std::collections::BTreeSet;

use ledger::day::Day;
use ledger::id::{Scope, UnitId};
use replica::time::Now;
use serde_json::{Value, json};

use super::rules::Rule;
use crate::command::{CommandError, RoomShow};
use crate::office::Office;
use crate::rooms::{self, Known};
use crate::texts::health as texts;
use crate::views::groups::Item;
use crate::views::name::{self, Flag};

/// Alerts that are over and shown.
const PAST_ALERTS: usize = 20;

impl Office {
    /// # Errors
    /// A unit that is none of the rooms below.
    pub(crate) fn room_show(&mut self, now: Now, args: &RoomShow) -> Result<Value, CommandError> {
        self.read_alerts()?;
        let unit = self.unit_by_code(&args.unit)?;
        let known: Vec<Known> = self
            .known_rooms(now)?
            .into_iter()
            .filter(|one| one.unit == unit.id)
            .collect();
        let Some(first) = known.first() else {
            return Err(texts::not_below(&unit.name));
        };
        let (open, past) = self.alerts_of(now, unit.id, PAST_ALERTS);
        let (rules, _) = self.open_rules(now);
        let rules = rules.get(&unit.id).cloned().unwrap_or_default();
        let (tile, worst) = self.tile_of(now, &known, &rules);
        let next = match worst {
            Some(rule) => texts::advice(rule),
            None => texts::advice_on_state(tile["state"].as_str().unwrap_or_default()),
        };
        let (town, town_name) = self.unit_shown(first.town);
        let days = self.room_days(now, &known);
        let history = self.room_history(unit.id, Day::of_wall_ms(now.wall_ms))?;
        let devices = known.iter().filter(|one| one.device.is_some());
        let devices: Vec<Value> = devices
            .map(|one| {
                let mut row = rooms::row(one, now);
                row["epochs"] = json!(self.epochs_of(one));
                row
            })
            .collect();
        Ok(json!({
            "now_ms": now.wall_ms,
            "unit": first.code,
            "name": first.name,
            "town": town,
            "town_name": town_name,
            "tile": tile,
            "next": next,
            "devices": devices,
            "conflicts": self.conflicts_of_unit(unit.id)?,
            "quarantined_here": self.set_aside_of(unit.id)?,
            "alerts": open,
            "past_alerts": past,
            "days": days,
            "history": history,
            "history_began_ms": self.history_began_ms(),
            "forked": rules.iter().any(|(rule, _)| *rule == Rule::Fork),
        }))
    }

    /// Under how many epochs a device has written: the first, and one more after each fork or restored backup.
    fn epochs_of(&self, one: &Known) -> usize {
        let Some(device) = one.device else { return 0 };
        let logs = self.store.logs();
        let books = self.units_of(device, one.unit).into_iter().map(Scope::book);
        let epochs: BTreeSet<u64> = books
            .flat_map(|book| {
                logs.logs(book)
                    .filter(|log| log.device == device)
                    .map(|log| log.epoch)
                    .collect::<Vec<_>>()
            })
            .collect();
        epochs.len()
    }

    fn conflicts_of_unit(&self, unit: UnitId) -> Result<u64, CommandError> {
        let mut many = 0;
        crate::views::counts::visit(self.store.kv(), name::CONFLICT, &mut |_, value| {
            let item = Item::decode(value).filter(|item| item.open);
            let here = item.is_some_and(|item| item.records().iter().any(|of| of.scope.unit == unit));
            many += u64::from(here);
        })?;
        Ok(many)
    }

    fn set_aside_of(&self, unit: UnitId) -> Result<u64, CommandError> {
        let mut many = 0;
        crate::views::counts::visit(self.store.kv(), &name::flagged(Flag::SetAside), &mut |key, _| {
            many += u64::from(name::tail(key).is_some_and(|of| of.scope.unit == unit));
        })?;
        Ok(many)
    }
}
