//! `case show`: everything of one case. Personal values are masked (脱敏); in the clear they are shown for a reason only, which is
//! written down first.

use std::collections::BTreeMap;

use ledger::form::{Check, Form};
use ledger::id::{DeviceId, UnitId, UserId};
use ledger::record::{FieldValue, FoldedEvent, Value};
use ledger::{mask, seal};
use replica::limits::REASON_BYTES_MAX;
use replica::time::Now;
use serde_json::{Value as Json, json};

use crate::audit::{Act, Note};
use crate::cases::print::papers;
use crate::cases::shown::at_text;
use crate::command::{CaseShow, CommandError, Reveal};
use crate::office::Office;
use crate::texts;
use crate::tiers::{Word, WordState};
use crate::views::fold::Read;
use crate::views::row::RecordRef;

/// How much of a personal value is to be seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sight {
    Masked,
    Plain,
}

impl Office {
    /// All fields with every value that stands, events with their void marks, conflicts, deadline, receipts by tier.
    ///
    /// # Errors
    /// An unknown or ambiguous number; to reveal: no reason, a user who is not of this unit, the lock.
    pub(crate) fn case_show(&mut self, now: Now, args: CaseShow) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let (of, row) = self.find(&args.number)?;
        let read = self.read(of, row)?;
        if let Some(reveal) = &args.reveal {
            self.may_reveal(of, &read, reveal)?;
            let note = Note::new(Act::Reveal).by(reveal.user).of(of);
            // On the disk before it is on the screen.
            self.audit_now(now, note.fields(reveal.fields.clone()).because(&reveal.reason))?;
        }
        let line = self.line(of, &read.row, today);
        let mut shown = line;
        let head = read.folded.head.as_ref();
        let form = head.and_then(|h| self.views.forms().of(&h.form));
        let errand = read.row.summary.errand;
        let more = json!({
            "form": form.map(|f| json!({"name": f.name, "label": f.label, "version": f.version})),
            "clerk": head.map(|h| self.person(&h.clerk, h.unit)),
            "fields": self.fields(of, &read, form, args.reveal.as_ref()),
            "items": items(&read),
            "outstanding": read.folded.outstanding,
            "events": read.folded.events.iter().map(|e| self.event(e, form)).collect::<Vec<_>>(),
            "notices": read.folded.notices,
            "suspensions": read.folded.suspensions,
            "closure": read.folded.closure,
            "evaluation": read.folded.evaluation,
            "accepted_on": read.folded.accepted_on,
            "received_on": read.folded.received_on,
            "custody": read.folded.custody.map(|u| self.unit_shown(u).0),
            "custody_name": read.folded.custody.map(|u| self.unit_shown(u).1),
            "correctable": self.correctable(&read),
            "holders": self.holders(of, &read),
            "editable": self.editable(&read, form),
            "errand": errand.then(|| self.agents(&read)),
            "case_no": read.row.summary.case_no,
            "errands": if errand { json!([]) } else { self.errands_of(of, &read.row.summary.no, today)? },
            "notes": read.folded.notes.iter().map(|n| json!({
                "text": n.text,
                "unit": self.unit_shown(n.unit).0,
                "unit_name": self.unit_shown(n.unit).1,
                "by": self.person(&n.user, n.unit),
                "at": at_text(n.wall_ms),
            })).collect::<Vec<_>>(),
            "conflicts": self.conflicts_of_record(of, &read),
            "set_aside": self.asides_of(of, &read),
            "entries": read.row.entries.len(),
            "receipts": self.receipts(of, &read),
            "papers": papers(&read),
            "allowed": self.allowed(&read, form),
            "evaluable": self.evaluable(&read, form),
            "days": self.counted_days(&read, today),
            "materials_of_matter": self.matter_of(read.row.summary.catalogue.as_ref(), &read.row.summary.matter).map(|m| &m.materials),
            "on_the_spot": self.matter_of(read.row.summary.catalogue.as_ref(), &read.row.summary.matter).map(|m| m.is_on_the_spot()),
        });
        if let (Some(to), Json::Object(from)) = (shown.as_object_mut(), more) {
            to.extend(from);
        }
        Ok(shown)
    }

    /// Whether somebody may see this record's personal values in the clear, and what for.
    fn may_reveal(&self, of: RecordRef, read: &Read, reveal: &Reveal) -> Result<(), CommandError> {
        let reason = reveal.reason.trim();
        if reason.is_empty() {
            return Err(texts::reason_needed());
        }
        if reason.len() > REASON_BYTES_MAX {
            return Err(texts::reason_too_long());
        }
        self.may_see_persons(reveal.user)?;
        if read.row.summary.erased {
            return Err(texts::nothing_to_reveal());
        }
        if read.key.is_none() {
            return Err(self.why_no_key(of.scope));
        }
        let known = |name: &String| read.folded.fields.contains_key(name);
        if let Some(unknown) = reveal.fields.iter().find(|name| !known(name)) {
            let names: Vec<&str> = read.folded.fields.keys().map(String::as_str).collect();
            return Err(texts::unknown_field(unknown, &names.join("、")));
        }
        if self.tells_personal(of, read, reason) {
            return Err(texts::reason_without_names());
        }
        Ok(())
    }

    /// Whether somebody may see any person's values at all, on a screen or on paper; the device itself may. Gives the roles.
    pub(crate) fn may_see_persons(&self, user: Option<UserId>) -> Result<Option<&[String]>, CommandError> {
        let unit = self.unit().ok_or_else(texts::unplaced)?;
        let Some(user) = user.or(self.acting).filter(|u| *u != UserId::ZERO) else {
            return Ok(None);
        };
        let person = self.authority.user_at(&user, unit).filter(|u| u.active);
        let person = person.ok_or_else(texts::user_not_here)?;
        // Who checks what others looked at has no business with the persons themselves.
        match person.roles.iter().all(|role| role == "auditor") {
            true => Err(texts::auditor_sees_no_person()),
            false => Ok(Some(&person.roles)),
        }
    }

    /// Whether a text holds one of a record's personal values: what is written down for ever must not.
    pub(crate) fn tells_personal(&self, of: RecordRef, read: &Read, text: &str) -> bool {
        let Some(key) = &read.key else { return false };
        let mut values = read
            .folded
            .fields
            .iter()
            .flat_map(|(name, all)| all.iter().map(move |v| (name, v)));
        values.any(|(name, value)| match &value.value {
            Value::Sealed(bytes) => seal::open(key, &of.record, name, bytes).is_ok_and(|plain| text.contains(&plain)),
            _ => false,
        })
    }

    fn fields(&self, of: RecordRef, read: &Read, form: Option<&Form>, reveal: Option<&Reveal>) -> Json {
        let mut fields: Vec<(u32, Json)> = Vec::new();
        for (name, values) in &read.folded.fields {
            let declared = form.and_then(|f| f.fields.get(name));
            let revealed = reveal.is_some_and(|r| r.fields.is_empty() || r.fields.contains(name));
            let sight = if revealed { Sight::Plain } else { Sight::Masked };
            let shown: Vec<Json> = values.iter().map(|v| self.value(of, name, v, read, sight)).collect();
            let leading = values.iter().position(|v| v.leads).unwrap_or(0);
            fields.push((
                declared.map_or(u32::MAX, |f| f.place),
                json!({
                    "name": name,
                    "label": declared.map_or(name.as_str(), |f| f.label.as_str()),
                    "personal": declared.is_some_and(|f| f.personal),
                    "value": shown.get(leading).map(|v| v["value"].clone()),
                    "contradicts": values.len() > 1,
                    "values": shown,
                }),
            ));
        }
        fields.sort_by_key(|(place, _)| *place);
        Json::Array(fields.into_iter().map(|(_, field)| field).collect())
    }

    /// A value of a field, opened where the key is here and masked unless it is to be seen, with who wrote it.
    pub(crate) fn value(&self, of: RecordRef, name: &str, value: &FieldValue, read: &Read, sight: Sight) -> Json {
        let mut masked = false;
        let (text, sealed) = match (&value.value, &read.key) {
            (Value::Sealed(bytes), Some(key)) => match seal::open(key, &of.record, name, bytes) {
                Ok(text) if sight == Sight::Plain => (json!(text), Json::Null),
                Ok(text) => {
                    masked = true;
                    (json!(self.masked(read, name, &text)), Json::Null)
                }
                Err(error) => (Json::Null, json!(error.to_string())),
            },
            (Value::Sealed(_), None) if read.row.summary.erased => (Json::Null, json!("erased")),
            (Value::Sealed(_), None) if self.keys.is_locked() => (Json::Null, json!("locked")),
            (Value::Sealed(_), None) => (Json::Null, json!("no_key")),
            (open, _) => (json!(open), Json::Null),
        };
        json!({
            "value": text,
            "masked": masked,
            "sealed": sealed,
            "leads": value.leads,
            "unit": self.unit_shown(value.unit).0,
            "unit_name": self.unit_shown(value.unit).1,
            "tier": value.tier.as_str(),
            "device": value.device.short(),
            "by": self.person(&value.user, value.unit),
            "at": at_text(value.wall_ms),
        })
    }

    /// By the check of the field: what is left of it tells people apart and no more.
    fn masked(&self, read: &Read, name: &str, text: &str) -> String {
        let head = read.folded.head.as_ref();
        let form = head.and_then(|h| self.views.forms().of(&h.form));
        match form.and_then(|f| f.fields.get(name)).and_then(|f| f.check) {
            Some(Check::Name) => mask::name(text),
            Some(Check::ResidentId | Check::CreditCode) => mask::id(text),
            Some(Check::Phone) => mask::phone(text),
            Some(Check::Address) => mask::address(text),
            None => "***".to_owned(),
        }
    }

    fn event(&self, event: &FoldedEvent, form: Option<&Form>) -> Json {
        json!({
            "id": event.id,
            "event": event.kind,
            "label": form.map_or(event.kind.as_str(), |f| f.event_label(&event.kind)),
            "on": event.on,
            "data": self.data(&event.data),
            "unit": self.unit_shown(event.unit).0,
            "unit_name": self.unit_shown(event.unit).1,
            "tier": event.tier.as_str(),
            "device": event.device.short(),
            "by": self.person(&event.user, event.unit),
            "at": at_text(event.wall_ms),
            "at_ms": event.wall_ms,
            "skew_ms": event.skew_ms,
            "void": event.void.is_some(),
            "void_reason": event.void.as_ref().map(texts::void_reason),
            "flags": event.flags.iter().map(|f| texts::flag_of(&event.kind, *f)).collect::<Vec<_>>(),
            "state": event.state,
        })
    }

    /// A unit in an event's data is shown by its code.
    fn data(&self, data: &BTreeMap<String, Value>) -> Json {
        let shown = |(name, value): (&String, &Value)| {
            let unit = match value {
                Value::Text(text) if name == "to" => UnitId::parse(text).map(|u| self.unit_shown(u).0),
                _ => None,
            };
            (name.clone(), unit.map_or_else(|| json!(value), |code| json!(code)))
        };
        Json::Object(data.iter().map(shown).collect())
    }

    /// A person's name; nothing where the device itself acted.
    pub(crate) fn person(&self, user: &UserId, unit: UnitId) -> Json {
        if *user == UserId::ZERO {
            return Json::Null;
        }
        match self.authority.user_at(user, unit) {
            Some(found) => json!(found.name),
            None => json!(user),
        }
    }

    fn receipts(&self, of: RecordRef, read: &Read) -> Json {
        let word = |w: &Word| {
            let (unit, unit_name) = self.unit_shown(w.unit);
            let (state, withdrawn_at) = match w.state {
                WordState::Whole => ("whole", None),
                WordState::Part => ("part", None),
                WordState::Withdrawn { at_ms } => ("withdrawn", Some(at_text(at_ms))),
            };
            json!({
                "tier": w.tier.as_str(),
                "tier_label": texts::tier_label(w.tier),
                "unit": unit,
                "unit_name": unit_name,
                "device": DeviceId::short(&w.hub),
                "state": state,
                "at": at_text(w.at_ms),
                "at_ms": w.at_ms,
                "withdrawn_at": withdrawn_at,
            })
        };
        Json::Array(self.tiers().words(of, &read.row).iter().map(word).collect())
    }
}

fn items(read: &Read) -> Json {
    let item = |(id, item): (&String, &ledger::record::Item)| {
        let name = match item.values.get("name") {
            Some(Value::Text(name)) => name.as_str(),
            _ => id.as_str(),
        };
        json!({"id": id, "name": name, "received": item.received})
    };
    Json::Array(read.folded.items.iter().map(item).collect())
}
