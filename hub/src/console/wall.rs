//! The wall: all rooms below, what needs somebody first; it renews itself.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::{Html, IntoResponse, Response};
use console::page::span;
use console::{Problem, Visit};
use office::command::{Command, Wall, WallSort};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Console;
use super::rights::{Right, Routes};
use super::texts::health as t;

/// In the order of the list that one picks from.
const STATES: [&str; 8] = [
    "in_step",
    "behind",
    "silent",
    "attention",
    "unknown",
    "never_seen",
    "held",
    "revoked",
];

pub(super) fn routes() -> Routes {
    Routes::new()
        .look(Right::Watch, "/wall", page)
        .look(Right::Watch, "/wall/tiles", piece)
}

/// The colour that goes with a state's word.
pub(in crate::console) fn colour(state: &str) -> &'static str {
    match state {
        "in_step" => "green",
        "behind" => "amber",
        "silent" | "attention" => "red",
        _ => "grey",
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    find: String,
    state: String,
    town: String,
    sort: String,
}

impl Asked {
    fn command(&self) -> Command {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Command::Wall(Wall {
            search: some(&self.find),
            state: some(&self.state),
            town: some(&self.town),
            sort: match self.sort.as_str() {
                "code" => WallSort::Code,
                "name" => WallSort::Name,
                _ => WallSort::Worst,
            },
        })
    }

    /// The same wall, for its piece.
    fn query(&self) -> String {
        let pairs = [
            ("find", &self.find),
            ("state", &self.state),
            ("town", &self.town),
            ("sort", &self.sort),
        ];
        let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key}={}", escaped(value))).collect();
        pairs.join("&")
    }

    fn is_all(&self) -> bool {
        self.find.is_empty() && self.state.is_empty() && self.town.is_empty()
    }
}

/// A text as it stands in an address.
fn escaped(text: &str) -> String {
    let each = text.bytes().map(|b| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => (b as char).to_string(),
        b => format!("%{b:02X}"),
    });
    each.collect()
}

#[derive(Deserialize)]
struct Tile {
    unit: String,
    name: String,
    state: String,
    since_s: Option<u64>,
    behind: u64,
    reasons: Vec<String>,
}

impl Tile {
    /// Below the name: how it is, in words.
    fn words(&self) -> String {
        let mut parts = vec![t::state(&self.state).to_owned()];
        if self.behind > 0 {
            parts.push(t::behind(self.behind));
        }
        parts.extend(self.since_s.map(|s| t::since(&span(s))));
        parts.extend(self.reasons.iter().cloned());
        parts.join(" · ")
    }
}

#[derive(Deserialize)]
struct Hub {
    up: bool,
    last_seen_ms: Option<i64>,
}

#[derive(Deserialize)]
struct Town {
    unit: String,
    name: String,
    hub: Option<Hub>,
    counts: Map<String, Value>,
    tiles: Vec<Tile>,
    more: usize,
}

impl Town {
    fn counted(&self) -> Vec<(&'static str, &'static str, u64)> {
        counted(&self.counts)
    }
}

fn counted(counts: &Map<String, Value>) -> Vec<(&'static str, &'static str, u64)> {
    let each = STATES.into_iter().map(|s| {
        (
            colour(s),
            t::state(s),
            counts.get(s).and_then(Value::as_u64).unwrap_or(0),
        )
    });
    each.filter(|(.., many)| *many > 0).collect()
}

#[derive(Deserialize)]
struct Newest {
    p50_s: Option<u64>,
    p95_s: Option<u64>,
}

#[derive(Deserialize)]
struct Oldest {
    unit: String,
    name: String,
    s: u64,
}

#[derive(Deserialize)]
struct Differs {
    unit: String,
    name: String,
    here: u64,
    room: u64,
    pending: u64,
}

#[derive(Deserialize)]
struct CheckDay {
    day: String,
    here: u64,
    rooms: u64,
    equal: bool,
    named: Vec<Differs>,
}

#[derive(Deserialize)]
struct Check {
    days: Vec<CheckDay>,
    rooms: u64,
}

#[derive(Deserialize)]
struct Seen {
    rooms: u64,
    open: bool,
    counts: Map<String, Value>,
    alerts: u64,
    muted: u64,
    newest: Newest,
    oldest: Option<Oldest>,
    check: Check,
    matching: usize,
    towns: Vec<Town>,
}

#[derive(Template)]
#[template(path = "health/tiles.html")]
struct Tiles<'a> {
    seen: Seen,
    query: String,
    asked: &'a Asked,
}

impl Tiles<'_> {
    fn counted(&self) -> Vec<(&'static str, &'static str, u64)> {
        counted(&self.seen.counts)
    }

    fn in_step(&self) -> u64 {
        self.seen.counts.get("in_step").and_then(Value::as_u64).unwrap_or(0)
    }
}

#[derive(Template)]
#[template(path = "health/wall.html")]
struct Part<'a> {
    asked: &'a Asked,
    tiles: String,
}

async fn tiles(console: &Console, asked: &Asked) -> Result<String, Problem> {
    let wall = console.ask(asked.command()).await?;
    let seen: Seen = super::read(wall)?;
    Ok(console::page::part(&Tiles {
        seen,
        query: asked.query(),
        asked,
    }))
}

async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let tiles = tiles(&console, &asked).await?;
    let body = console::page::part(&Part { asked: &asked, tiles });
    Ok(console.page(&visit, t::WALL, "/wall", body).await)
}

async fn piece(State(console): State<Arc<Console>>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    Ok(Html(tiles(&console, &asked).await?).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_an_address_is_escaped() {
        let asked = Asked {
            find: "石&桥".to_owned(),
            sort: "code".to_owned(),
            ..Asked::default()
        };
        assert_eq!(asked.query(), "find=%E7%9F%B3%26%E6%A1%A5&sort=code");
        assert!(Asked::default().is_all());
    }
}
