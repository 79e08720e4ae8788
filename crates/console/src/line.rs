//! A case as one line of a list, the same on every page.

use serde::Deserialize;
use serde_json::Value;

use crate::page::Problem;
use crate::texts::case as t;

/// What the office says of a case in a list.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    pub project_no: String,
    #[serde(default)]
    matter: String,
    matter_name: Option<String>,
    name: Option<String>,
    pub state: String,
    pub state_label: String,
    on: Option<String>,
    pub due_on: Option<String>,
    pub provisional: bool,
    pub overdue: bool,
    pub deemed_accepted: bool,
    receipt: String,
    #[serde(deserialize_with = "count")]
    pub conflicts: u64,
    #[serde(deserialize_with = "count")]
    pub set_aside: u64,
    pub waiting: u64,
    pub erased: bool,
    unit_name: Option<String>,
    /// Stands in a list with cases.
    #[serde(default)]
    is_errand: bool,
}

/// A list gives a number, a case's own page gives the things themselves; what is settled is no news.
fn count<'de, D: serde::Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    Ok(match Value::deserialize(d)? {
        Value::Array(all) => all.iter().filter(|one| one["state"] != "resolved").count() as u64,
        number => number.as_u64().unwrap_or(0),
    })
}

/// Colour and word together: neither says it alone.
pub struct Tag {
    pub colour: &'static str,
    pub word: String,
    /// What to do about it; nothing where there is nothing to do.
    pub next: &'static str,
}

fn tag(colour: &'static str, word: impl Into<String>, next: &'static str) -> Tag {
    let word = word.into();
    Tag { colour, word, next }
}

impl Tag {
    /// Whether it says how the deadline stands, which some lists say in a column of its own.
    pub fn is_clock(&self) -> bool {
        self.next == t::DO_OVERDUE || self.next == t::DO_DUE_TODAY
    }
}

impl Line {
    pub fn matter(&self) -> &str {
        self.matter_name.as_deref().unwrap_or(&self.matter)
    }

    pub fn name(&self) -> &str {
        match &self.name {
            Some(name) => name,
            None if self.erased => t::ERASED,
            None => t::NAME_LOCKED,
        }
    }

    pub fn on(&self) -> &str {
        self.on.as_deref().unwrap_or("—")
    }

    /// Whose book it is in.
    pub fn unit_name(&self) -> &str {
        self.unit_name.as_deref().unwrap_or_default()
    }

    /// How far it has travelled.
    pub fn tick(&self) -> Tag {
        match self.receipt.as_str() {
            "county" => tag("green", t::TICK_COUNTY, ""),
            "township" => tag("green", t::TICK_TOWNSHIP, ""),
            _ => tag("grey", t::TICK_ROOM, t::DO_NOT_SENT),
        }
    }

    /// What a person should notice, most urgent first.
    pub fn tags(&self, today: &str) -> Vec<Tag> {
        let mut tags = Vec::new();
        if self.is_errand {
            tags.push(tag("grey", t::ERRAND, ""));
        }
        match &self.due_on {
            Some(due) if self.overdue => tags.push(tag("red", t::overdue_since(due), t::DO_OVERDUE)),
            Some(due) if due == today && !self.ended() => tags.push(tag("amber", t::DUE_TODAY, t::DO_DUE_TODAY)),
            _ => {}
        }
        if self.conflicts > 0 {
            tags.push(tag("red", t::CONFLICT, t::DO_CONFLICT));
        }
        if self.state == "awaiting_materials" {
            tags.push(tag("amber", t::AWAITING, t::DO_AWAITING));
        }
        if self.deemed_accepted && !self.ended() {
            tags.push(tag("amber", t::DEEMED, t::DO_DEEMED));
        }
        if self.set_aside > 0 {
            tags.push(tag("amber", t::ASIDE_TAG, t::DO_ASIDE));
        }
        if self.waiting > 0 {
            tags.push(tag("grey", t::INCOMPLETE, t::DO_INCOMPLETE));
        }
        tags
    }

    pub fn ended(&self) -> bool {
        matches!(
            self.state.as_str(),
            "closed" | "delivered" | "refused" | "withdrawn" | "returned" | "void"
        )
    }
}

/// Reads what the office said; a shape of another version is a fault of ours, said as such.
pub fn read<T: for<'d> Deserialize<'d>>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|error| {
        tracing::error!(%error, "the office's answer was not understood");
        Problem::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, t::NOT_UNDERSTOOD)
    })
}
