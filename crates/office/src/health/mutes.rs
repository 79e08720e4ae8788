//! Alerts that somebody has muted: for a unit, until a time, with a reason that stands in the audit trail.

use ledger::id::{UnitId, UserId};
use minicbor::{Decode, Encode};
use replica::limits::REASON_BYTES_MAX;
use replica::time::Now;
use serde_json::{Value, json};

use super::rules::Rule;
use crate::audit::{Act, Note};
use crate::command::{AlertMute, AlertUnmute, CommandError};
use crate::life::fact;
use crate::office::Office;
use crate::texts::health as texts;

const HOUR_MS: i64 = 3_600_000;
const HOURS_MAX: u32 = 24 * 90;
/// Mutes at a time: whoever mutes more switches the rule off.
const MUTES_MAX: usize = 500;

/// One mute.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Mute {
    /// `None`: every rule.
    #[n(0)]
    rule: Option<Rule>,
    #[n(1)]
    unit: UnitId,
    #[n(2)]
    pub(crate) until_ms: i64,
    #[n(3)]
    pub(crate) reason: String,
    #[n(4)]
    user: Option<UserId>,
}

impl Mute {
    pub(crate) fn covers(&self, rule: Rule, unit: UnitId, now: Now) -> bool {
        self.unit == unit && self.rule.is_none_or(|of| of == rule) && now.wall_ms < self.until_ms
    }
}

impl Office {
    /// The mutes that stand.
    pub(crate) fn mutes(&self, now: Now) -> Vec<Mute> {
        let kept = self.store.fact(fact::ALERT_MUTES);
        let mut mutes: Vec<Mute> = kept.and_then(|bytes| minicbor::decode(bytes).ok()).unwrap_or_default();
        mutes.retain(|mute| now.wall_ms < mute.until_ms);
        mutes
    }

    /// Who muted, as shown.
    pub(crate) fn mute_row(&self, mute: &Mute) -> Value {
        let person = mute.user.zip(self.unit());
        let name = person.and_then(|(user, unit)| Some(self.authority.user_at(&user, unit)?.name.clone()));
        json!({"until_ms": mute.until_ms, "reason": mute.reason, "by": name})
    }

    /// # Errors
    /// An unknown unit or rule, no reason, no end; the disk.
    pub(crate) fn alert_mute(&mut self, now: Now, args: &AlertMute) -> Result<Value, CommandError> {
        let (rule, unit) = self.muted_what(args.rule.as_deref(), &args.unit)?;
        let reason = args.reason.trim();
        if reason.is_empty() {
            return Err(texts::mute_reason());
        }
        if reason.len() > REASON_BYTES_MAX {
            return Err(texts::mute_reason_too_long(REASON_BYTES_MAX));
        }
        if args.hours == 0 || args.hours > HOURS_MAX {
            return Err(texts::mute_hours());
        }
        let mut mutes = self.mutes(now);
        mutes.retain(|mute| (mute.rule, mute.unit) != (rule, unit));
        if mutes.len() >= MUTES_MAX {
            return Err(texts::too_many_mutes(MUTES_MAX));
        }
        mutes.push(Mute {
            rule,
            unit,
            until_ms: now.wall_ms.saturating_add(i64::from(args.hours) * HOUR_MS),
            reason: reason.to_owned(),
            user: args.user.filter(|user| *user != UserId::ZERO),
        });
        let note = Note::new(Act::AlertMute).because(reason).by(args.user);
        self.keep_mutes(now, &mutes, note.about(self.muted_words(rule, unit)))?;
        Ok(json!({"muted": true}))
    }

    /// # Errors
    /// As [`Office::alert_mute`]; what is not muted.
    pub(crate) fn alert_unmute(&mut self, now: Now, args: &AlertUnmute) -> Result<Value, CommandError> {
        let (rule, unit) = self.muted_what(args.rule.as_deref(), &args.unit)?;
        let mut mutes = self.mutes(now);
        let before = mutes.len();
        mutes.retain(|mute| (mute.rule, mute.unit) != (rule, unit));
        if mutes.len() == before {
            return Err(texts::not_muted());
        }
        let note = Note::new(Act::AlertUnmute).by(args.user);
        self.keep_mutes(now, &mutes, note.about(self.muted_words(rule, unit)))?;
        Ok(json!({"muted": false}))
    }

    fn muted_what(&self, rule: Option<&str>, unit: &str) -> Result<(Option<Rule>, UnitId), CommandError> {
        let life = self.hub_life()?;
        let unit = self.unit_by_code(unit)?;
        if !self.authority.is_within(unit.id, life.unit) {
            return Err(texts::not_below(&unit.name));
        }
        let rule = rule.map(|text| Rule::parse(text).ok_or_else(|| texts::unknown_rule(text)));
        Ok((rule.transpose()?, unit.id))
    }

    fn muted_words(&self, rule: Option<Rule>, unit: UnitId) -> String {
        format!("{} {}", self.unit_shown(unit).0, rule.map_or("*", Rule::as_str))
    }

    fn keep_mutes(&mut self, now: Now, mutes: &[Mute], note: Note) -> Result<(), CommandError> {
        let bytes = minicbor::to_vec(mutes).unwrap_or_default();
        self.store.stage_fact(fact::ALERT_MUTES, Some(&bytes))?;
        self.audit_now(now, note)
    }
}
