//! `case show`: everything of one case, opened where the keys are here.

use std::collections::BTreeMap;

use ledger::form::Form;
use ledger::id::{DeviceId, UnitId, UserId};
use ledger::record::{FieldValue, FoldedEvent, Value};
use ledger::seal::{self, RecordKey};
use replica::time::Now;
use serde_json::{Value as Json, json};

use crate::cases::shown::at_text;
use crate::command::{CaseShow, CommandError};
use crate::office::Office;
use crate::texts;
use crate::tiers::{Word, WordState};
use crate::views::fold::Read;
use crate::views::row::RecordRef;

impl Office {
    /// All fields with every value that stands, events with their void marks, conflicts, deadline, receipts by tier.
    ///
    /// # Errors
    /// An unknown or ambiguous number.
    pub(crate) fn case_show(&mut self, now: Now, args: CaseShow) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        self.catch_up(now)?;
        let (of, row) = self.find(&args.number)?;
        let read = self.read(of, row)?;
        let line = self.line(of, &read.row, today);
        let mut shown = line;
        let head = read.folded.head.as_ref();
        let form = head.and_then(|h| self.views.forms().of(&h.form));
        let more = json!({
            "form": form.map(|f| json!({"name": f.name, "label": f.label, "version": f.version})),
            "clerk": head.map(|h| self.person(&h.clerk, h.unit)),
            "fields": self.fields(of, &read, form),
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
            "notes": read.folded.notes.iter().map(|n| json!({
                "text": n.text,
                "unit": self.unit_shown(n.unit).0,
                "unit_name": self.unit_shown(n.unit).1,
                "by": self.person(&n.user, n.unit),
                "at": at_text(n.wall_ms),
            })).collect::<Vec<_>>(),
            "conflicts": self.conflicts_of_record(of, &read),
            "set_aside": read.folded.set_aside.iter().map(|s| json!({
                "change": s.change,
                "device": s.device.short(),
                "reason": s.reason.to_string(),
            })).collect::<Vec<_>>(),
            "entries": read.row.entries.len(),
            "receipts": self.receipts(of, &read),
        });
        if let (Some(to), Json::Object(from)) = (shown.as_object_mut(), more) {
            to.extend(from);
        }
        Ok(shown)
    }

    fn fields(&self, of: RecordRef, read: &Read, form: Option<&Form>) -> Json {
        let mut fields: Vec<(u32, Json)> = Vec::new();
        for (name, values) in &read.folded.fields {
            let declared = form.and_then(|f| f.fields.get(name));
            let shown: Vec<Json> = values
                .iter()
                .map(|v| self.value(of, name, v, read.key.as_ref(), read.row.summary.erased))
                .collect();
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

    /// A value of a field, opened where the key is here, with who wrote it.
    pub(crate) fn value(
        &self,
        of: RecordRef,
        name: &str,
        value: &FieldValue,
        key: Option<&RecordKey>,
        erased: bool,
    ) -> Json {
        let (text, sealed) = match (&value.value, key) {
            (Value::Sealed(bytes), Some(key)) => match seal::open(key, &of.record, name, bytes) {
                Ok(text) => (json!(text), Json::Null),
                Err(error) => (Json::Null, json!(error.to_string())),
            },
            (Value::Sealed(_), None) if erased => (Json::Null, json!("erased")),
            (Value::Sealed(_), None) => (Json::Null, json!("no_key")),
            (open, _) => (json!(open), Json::Null),
        };
        json!({
            "value": text,
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
            "flags": event.flags.iter().map(|f| texts::flag(*f)).collect::<Vec<_>>(),
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
    fn person(&self, user: &UserId, unit: UnitId) -> Json {
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
