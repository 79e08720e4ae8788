//! What the wall of rooms, a room's page, alerts and metrics ask of the office.

use ledger::id::UserId;
use serde::{Deserialize, Serialize};

use super::secret::{Hidden, hiding};
use crate::health::Rules;

/// The rooms below, grouped by the unit above them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wall {
    /// Part of a name, or the beginning of a code.
    #[serde(default)]
    pub search: Option<String>,
    /// Only rooms in this state.
    #[serde(default)]
    pub state: Option<String>,
    /// Only rooms of this township, by code.
    #[serde(default)]
    pub town: Option<String>,
    #[serde(default)]
    pub sort: WallSort,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WallSort {
    /// What needs somebody most comes first.
    #[default]
    Worst,
    Code,
    Name,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomShow {
    pub unit: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertList {
    /// At most so many of those that hold, the newest; all when left out.
    #[serde(default)]
    pub open: Option<usize>,
    /// At most so many of those that are over; 100 when left out.
    #[serde(default)]
    pub past: Option<usize>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertMute {
    /// The rule, as alerts name it; every rule when left out.
    #[serde(default)]
    pub rule: Option<String>,
    pub unit: String,
    /// For how many hours; ninety days at most.
    pub hours: u32,
    pub reason: String,
    #[serde(default)]
    pub user: Option<UserId>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertUnmute {
    #[serde(default)]
    pub rule: Option<String>,
    pub unit: String,
    #[serde(default)]
    pub user: Option<UserId>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRulesSet {
    pub rules: Rules,
    #[serde(default)]
    pub user: Option<UserId>,
}

/// News of alerts that whoever was to be told has taken.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertTold {
    pub ids: Vec<String>,
}

hiding!(
    AlertMute {
        rule,
        unit,
        hours,
        user
    },
    reason
);
