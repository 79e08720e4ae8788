//! When somebody is to be alarmed: the rules, with defaults that suit a county, kept as a fact where somebody has changed them.

use minicbor::{Decode, Encode};
use replica::time::Now;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::hours::Hours;
use crate::audit::{Act, Note};
use crate::command::{AlertRulesSet, CommandError};
use crate::life::fact;
use crate::office::Office;
use crate::texts::health as texts;

/// What an alert is about. The names are part of the webhook and of metrics.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Rule {
    /// The hub between does not answer: what is below it is not known.
    #[n(1)]
    Hub,
    /// A room is silent during opening hours.
    #[n(2)]
    Silent,
    /// Something recorded has not left the room for long.
    #[n(3)]
    Pending,
    #[n(4)]
    Skew,
    #[n(5)]
    Disk,
    #[n(6)]
    Conflict,
    /// One key writes in two places: a disk was copied or restored.
    #[n(7)]
    Fork,
    #[n(8)]
    Quarantine,
    #[n(9)]
    Version,
}

impl Rule {
    pub const ALL: [Self; 9] = [
        Self::Hub,
        Self::Silent,
        Self::Pending,
        Self::Skew,
        Self::Disk,
        Self::Conflict,
        Self::Fork,
        Self::Quarantine,
        Self::Version,
    ];

    /// What a hub sees on its own disk and lines, whoever else answers or not.
    pub(crate) fn is_own_knowledge(self) -> bool {
        matches!(self, Self::Hub | Self::Fork | Self::Conflict)
    }

    /// For programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Silent => "silent",
            Self::Pending => "pending",
            Self::Skew => "skew",
            Self::Disk => "disk",
            Self::Conflict => "conflict",
            Self::Fork => "fork",
            Self::Quarantine => "quarantine",
            Self::Version => "version",
        }
    }

    /// Reads what [`Rule::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }
}

/// From when on each rule speaks; 0 switches one off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Opening hours of a workday, `HH:MM-HH:MM`.
    pub hours: Vec<String>,
    /// A hub between that does not answer, minutes by day and night.
    pub hub_minutes: u32,
    /// Minutes of opening hours.
    pub silent_minutes: u32,
    pub pending_hours: u32,
    pub skew_minutes: u32,
    /// Of the disk, free.
    pub disk_percent: u32,
    /// Workdays that a conflict item stays open.
    pub conflict_workdays: u32,
    /// Versions (the middle number) that a room's software is behind this hub's.
    pub versions_behind: u32,
    /// 1: forks and what is set aside are told.
    pub forks: u32,
    pub quarantine: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            hours: vec!["08:30-12:00".to_owned(), "14:00-17:30".to_owned()],
            hub_minutes: 10,
            silent_minutes: 30,
            pending_hours: 24,
            skew_minutes: 5,
            disk_percent: 10,
            conflict_workdays: 3,
            versions_behind: 2,
            forks: 1,
            quarantine: 1,
        }
    }
}

impl Rules {
    pub(crate) fn open_hours(&self) -> Hours {
        let usual = || Hours::parse(&Self::default().hours);
        match Hours::parse(&self.hours).or_else(usual) {
            Some(hours) => hours,
            None => unreachable!("the usual hours are hours"),
        }
    }

    fn check(&self) -> Result<(), CommandError> {
        const MINUTES_MAX: u32 = 60 * 24 * 90;
        const SPANS_MAX: usize = 8;
        let is_long = |span: &String| span.len() > "08:30-12:00".len();
        let is_much = self.hours.len() > SPANS_MAX || self.hours.iter().any(is_long);
        if is_much || Hours::parse(&self.hours).is_none() {
            return Err(texts::bad_hours());
        }
        let spans = [
            self.hub_minutes,
            self.silent_minutes,
            self.pending_hours,
            self.skew_minutes,
        ];
        let sound = spans.iter().all(|n| *n <= MINUTES_MAX)
            && self.disk_percent <= 100
            && self.conflict_workdays <= 250
            && self.versions_behind <= 1_000
            && self.forks <= 1
            && self.quarantine <= 1;
        if sound { Ok(()) } else { Err(texts::bad_rules()) }
    }
}

impl Office {
    /// The rules in force.
    pub(crate) fn rules(&self) -> Rules {
        let kept = self.store.fact(fact::ALERT_RULES);
        kept.and_then(|bytes| serde_json::from_slice(bytes).ok())
            .unwrap_or_default()
    }

    /// # Errors
    /// At a room.
    pub(crate) fn alert_rules(&self) -> Result<Value, CommandError> {
        self.hub_life()?;
        let is_usual = self.rules() == Rules::default();
        Ok(json!({"rules": self.rules(), "usual": is_usual}))
    }

    /// Sets the rules; audited.
    ///
    /// # Errors
    /// Hours that are none, figures beyond all sense; the disk.
    pub(crate) fn alert_rules_set(&mut self, now: Now, args: &AlertRulesSet) -> Result<Value, CommandError> {
        self.hub_life()?;
        args.rules.check()?;
        let bytes = serde_json::to_vec(&args.rules).map_err(|_| texts::bad_rules())?;
        self.store.stage_fact(fact::ALERT_RULES, Some(&bytes))?;
        self.audit_now(now, Note::new(Act::AlertRules).by(args.user))?;
        self.alert_rules()
    }
}
