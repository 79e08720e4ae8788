//! Words about devices: held for a while (暂停) and lifted again (恢复), named anew (改名).
//!
//! Whoever might take a device out may say them. A device that is held stays a member: what it writes counts once it has come, and comes
//! once it is lifted.

use ledger::check;
use ledger::id::{DeviceId, UserId};
use replica::authority::{Held, Named};
use replica::frame::ByeReason;
use replica::limits::REASON_BYTES_MAX;
use replica::statement::{DeviceNote, Statement};
use replica::time::Now;
use serde_json::{Value, json};

use crate::audit::{Act, Note};
use crate::cases::at_text;
use crate::command::{CommandError, Hold, Lift, Rename, RootKey};
use crate::office::Office;
use crate::texts;

/// Names of computers fit into a line of a list.
const NAME_CHARS_MAX: usize = 40;

impl Office {
    /// Hubs above do not meet a device until it is lifted; a session with it ends now.
    ///
    /// # Errors
    /// No reason; a device that is unknown, out, held already, or not ours to take out.
    pub(crate) fn member_hold(&mut self, now: Now, args: &Hold) -> Result<Value, CommandError> {
        let reason = args.reason.trim();
        if reason.is_empty() {
            return Err(texts::reason_needed());
        }
        let device = self.pick_member(&args.device)?;
        let member = self.authority.member(&device);
        if member.is_some_and(|m| !m.is_live()) {
            return Err(texts::hold_revoked());
        }
        if member.is_some_and(|m| m.held.is_some()) {
            return Err(texts::held_already());
        }
        let note = self.note(now, device, (None, Some(true)), reason)?;
        self.say_note(now, note, Act::Hold, args.root_key.as_ref())?;
        Ok(json!({"device": device, "state": "held", "reason": reason}))
    }

    /// Hubs above meet it again.
    ///
    /// # Errors
    /// As [`Office::member_hold`]; and when it is not held.
    pub(crate) fn member_lift(&mut self, now: Now, args: &Lift) -> Result<Value, CommandError> {
        let device = self.pick_member(&args.device)?;
        let member = self.authority.member(&device);
        if member.is_none_or(|m| m.held.is_none()) {
            return Err(texts::not_held());
        }
        let note = self.note(now, device, (None, Some(false)), args.reason.trim())?;
        self.say_note(now, note, Act::Lift, args.root_key.as_ref())?;
        Ok(json!({"device": device, "state": "in"}))
    }

    /// Gives a device another name, everywhere.
    ///
    /// # Errors
    /// A name that is none, or that it has; a device that is unknown or not ours to take out.
    pub(crate) fn member_rename(&mut self, now: Now, args: &Rename) -> Result<Value, CommandError> {
        let device = self.pick_member(&args.device)?;
        let name = check::fold_width(args.name.trim());
        let good = !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(char::is_control);
        if !good {
            return Err(texts::bad_device_name(NAME_CHARS_MAX));
        }
        let from = self
            .authority
            .member(&device)
            .map(|m| m.name.clone())
            .unwrap_or_default();
        if from == name {
            return Err(texts::same_device_name());
        }
        let note = self.note(now, device, (Some(name.clone()), None), args.reason.trim())?;
        self.say_note(now, note, Act::Rename, args.root_key.as_ref())?;
        Ok(json!({"device": device, "name": name, "from": from}))
    }

    fn note(
        &self,
        now: Now,
        device: DeviceId,
        (name, held): (Option<String>, Option<bool>),
        reason: &str,
    ) -> Result<DeviceNote, CommandError> {
        if reason.len() > REASON_BYTES_MAX {
            return Err(texts::reason_too_long());
        }
        let (name_turn, held_turn) = self.authority.next_turns(&device);
        Ok(DeviceNote {
            device,
            turn: if name.is_some() { name_turn } else { held_turn },
            name,
            held,
            reason: reason.to_owned(),
            user: self.acting.unwrap_or(UserId::ZERO),
            at_ms: now.wall_ms,
        })
    }

    fn say_note(&mut self, now: Now, note: DeviceNote, act: Act, root: Option<&RootKey>) -> Result<(), CommandError> {
        let (device, reason) = (note.device, note.reason.clone());
        self.state_over(&device, Statement::Note(note), root.map(|key| key.0.as_str()))?;
        self.audit(now, Note::new(act).about(device).because(&reason))?;
        Ok(self.commit_or_fail(now)?)
    }

    pub(crate) fn held_row(&self, held: &Held) -> Value {
        json!({
            "reason": held.reason,
            "by": texts::who_noted(&self.authority, &held.by, &held.user),
            "at": at_text(held.at_ms),
        })
    }

    pub(crate) fn named_row(&self, named: &Named) -> Value {
        json!({
            "name": named.name,
            "from": named.from,
            "by": texts::who_noted(&self.authority, &named.by, &named.user),
            "at": at_text(named.at_ms),
            "reason": named.reason,
        })
    }

    /// Why the hubs above do not meet this device for now: by the statement where it is known here, else by what they said at the door.
    pub(crate) fn held_here(&self) -> Option<String> {
        if let Some(held) = self.authority.member(&self.me.device).and_then(|m| m.held.as_ref()) {
            return Some(texts::held(&self.authority, held));
        }
        let is_met = self.peers.lines.values().any(|line| {
            let above = self.authority.member(&line.peer).map(|m| m.unit);
            above.is_some_and(|unit| self.is_above(unit))
        });
        let told = self.reports.turned_away.values();
        let told = told.filter(|(_, bye)| bye.reason == ByeReason::Held && !is_met);
        told.max_by_key(|(at_ms, _)| *at_ms).map(|(_, bye)| bye.text.clone())
    }
}
