//! Sync health: what is known of the rooms below, kept as a history, held against rules, told as alerts and metrics.
//!
//! ```text
//!   reports ─▶ known rooms ─▶ wall, room's page, metrics
//!                   │ once a minute (`health_watch`, asked for by the daemon's timer)
//!                   ├─▶ history: one row per room and day, 31 days
//!                   └─▶ rules ─▶ alerts: raised, cleared, kept; told by webhook until somebody has taken them
//! ```
//!
//! Everything is a view over reports and receipts: nothing here decides anything, and losing it loses a picture, never a record. Mutes
//! and rules are facts of the journal, as a person decided them.

mod alerts;
mod days;
mod history;
mod hours;
mod judge;
mod metrics;
mod mutes;
mod room;
mod rules;
mod wall;

use replica::time::Now;
use serde_json::{Value, json};

pub use rules::{Rule, Rules};

use crate::command::{Command, CommandError};
use crate::office::Office;

/// What is kept in RAM of the rooms below, beside reports.
#[derive(Default)]
pub(crate) struct Health {
    history: history::History,
    alerts: alerts::Alerts,
    days: days::Days,
}

impl Office {
    /// The commands of this part of the house.
    pub(crate) fn health_command(&mut self, now: Now, command: Command) -> Result<Value, CommandError> {
        match command {
            Command::Wall(args) => self.wall(now, &args),
            Command::RoomShow(args) => self.room_show(now, &args),
            Command::AlertList(args) => self.alert_list(now, &args),
            Command::AlertMute(args) => self.alert_mute(now, &args),
            Command::AlertUnmute(args) => self.alert_unmute(now, &args),
            Command::AlertRules => self.alert_rules(),
            Command::AlertRulesSet(args) => self.alert_rules_set(now, &args),
            Command::AlertTold(args) => self.alert_told(&args),
            Command::HealthWatch => self.health_watch(now),
            Command::Metrics => self.metrics(now),
            _ => Err(CommandError::usage("unknown_command", "没有这个命令。")),
        }
    }

    /// Looks at every room once: adds to the history, raises and clears alerts. To be asked about once a minute.
    ///
    /// # Errors
    /// At a room; the disk.
    pub(crate) fn health_watch(&mut self, now: Now) -> Result<Value, CommandError> {
        let known = self.known_rooms(now)?;
        self.take_samples(now, &known)?;
        self.owe_days(now, &known);
        self.judge_rooms(now, &known)?;
        Ok(json!({"rooms": known.len(), "untold": self.untold(now)}))
    }
}
