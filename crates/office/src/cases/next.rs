//! What a case page needs besides the case: what may be done now, and the deadline with its workdays counted out.

use ledger::day::Day;
use ledger::form::{Datum, Field, Form, Type};
use ledger::id::{Tier, UserId};
use ledger::record::Value;
use serde_json::{Value as Json, json};

use crate::office::Office;
use crate::views::fold::Read;
use crate::views::row::RecordRef;

/// Events that have a page of their own: the citizen's own press, and the township's decision on a conflict.
const ELSEWHERE: [&str; 3] = ["evaluate", "resolve", "receive"];
/// More tiers than the programme has.
const HOLDERS_MAX: usize = 8;
/// A promise is at most a year; a page counts out a quarter.
const DAYS_MAX: i32 = 100;

impl Office {
    /// The events that this unit may emit now, in the form's order, each with what it asks for.
    pub(crate) fn allowed(&self, read: &Read, form: Option<&Form>) -> Json {
        let s = &read.row.summary;
        let (Some(form), Some(matter)) = (form, self.matter_of(s.catalogue.as_ref(), &s.matter)) else {
            return json!([]);
        };
        let Ok(who) = self.who(Some(UserId::ZERO)) else {
            return json!([]);
        };
        let kinds = read.folded.allowed(&who, form, matter);
        let shown = kinds.into_iter().filter(|kind| !ELSEWHERE.contains(kind)).map(|kind| {
            let event = &form.events[kind];
            let data: Vec<Json> = event.data.iter().map(|(name, datum)| shown(name, datum)).collect();
            let ends = event.to.as_deref().is_some_and(|to| form.is_end(to));
            json!({"event": kind, "label": event.label, "data": data, "moves": event.to.is_some(), "ends": ends})
        });
        Json::Array(shown.collect())
    }

    /// The steps whose business dates this unit may put right, by id: its own, and those of lower tiers.
    pub(crate) fn correctable(&self, read: &Read) -> Vec<String> {
        let (own, tier) = (self.unit(), self.tier());
        let events = read.folded.events.iter().filter(|e| e.void.is_none());
        let ours = events.filter(|e| Some(e.unit) == own || e.tier < tier);
        let step = ours.filter(|e| !matches!(e.kind.as_str(), "correct_date" | "evaluate"));
        step.map(|e| e.id.clone()).collect()
    }

    /// Whether the applicant may say now how it was.
    pub(crate) fn evaluable(&self, read: &Read, form: Option<&Form>) -> bool {
        let s = &read.row.summary;
        let (Some(form), Some(matter)) = (form, self.matter_of(s.catalogue.as_ref(), &s.matter)) else {
            return false;
        };
        let who = self.who(None);
        who.is_ok_and(|who| read.folded.allowed(&who, form, matter).contains(&"evaluate"))
    }

    /// The units that hold a record's book: one of them has it in hand, the others could take it over.
    pub(crate) fn holders(&self, of: RecordRef, read: &Read) -> Json {
        let mut at = Some(of.scope.unit);
        let mut units = Vec::new();
        while let Some(unit) = at.filter(|_| units.len() < HOLDERS_MAX) {
            let (code, name) = self.unit_shown(unit);
            units.push(json!({"code": code, "name": name, "holds": read.folded.custody == Some(unit)}));
            at = self.authority.parent(unit);
        }
        Json::Array(units)
    }

    /// The fields that this unit may write, filled in or not.
    pub(crate) fn editable(&self, read: &Read, form: Option<&Form>) -> Json {
        let tier = self.tier();
        let ours = |(name, field): &(&String, &Field)| {
            let reviewed = *name == "cert_no" && tier == Tier::Room;
            // Numbers are given by the register alone, an errand's case by the errand.
            let link = matches!(name.as_str(), "case_no" | "doc_no");
            field.write.contains(&tier) && !reviewed && !link
        };
        let Some(form) = form.filter(|_| !read.row.summary.erased) else {
            return json!([]);
        };
        let mut fields: Vec<(&String, &Field)> = form.fields.iter().filter(ours).collect();
        fields.sort_by_key(|(_, field)| field.place);
        let shown = fields.into_iter().map(|(name, field)| {
            let plain = match read.folded.field(name) {
                Some(Value::Text(text)) if !field.personal => Some(text),
                _ => None,
            };
            json!({"name": name, "label": field.label, "personal": field.personal, "value": plain})
        });
        Json::Array(shown.collect())
    }

    /// The days from acceptance to the deadline, each with whether it counts and as which workday.
    pub(crate) fn counted_days(&self, read: &Read, today: Day) -> Json {
        let s = &read.row.summary;
        let Some(calendar) = self.authority.calendar() else {
            return json!([]);
        };
        let matter = self.matter_of(s.catalogue.as_ref(), &s.matter);
        let deadline = self.deadline(s, matter, today);
        let (Some(from), Some(due)) = (deadline.from, deadline.on) else {
            return json!([]);
        };
        let stopped = |day: Day| {
            let within = |(a, b): &(Day, Option<Day>)| *a <= day && b.is_none_or(|b| day < b);
            s.suspensions.iter().any(within)
        };
        let mut counted = 0;
        let days = (1..=due.since(from).min(DAYS_MAX)).map(|at| {
            let day = from.plus(at);
            let is_off = !calendar.is_workday(day);
            let nth = (!is_off && !stopped(day)).then(|| {
                counted += 1;
                counted
            });
            json!({"day": day, "nth": nth, "off": is_off, "stopped": stopped(day), "today": day == today, "due": day == due})
        });
        Json::Array(days.collect())
    }
}

fn shown(name: &str, datum: &Datum) -> Json {
    let kind = match datum.kind {
        Type::Text => "text",
        Type::Int => "int",
        Type::Day => "day",
        Type::Flag => "flag",
        Type::List => "list",
    };
    json!({
        "name": name,
        "label": datum.label,
        "kind": kind,
        "required": datum.required,
        "min": datum.min,
        "max": datum.max,
        "options": datum.options,
    })
}
