//! The status bar: the line, and how far the room's records have travelled. Grey where what is known may be old.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use console::Problem;
use office::command::Command;
use serde_json::Value;

use super::{Desk, texts as t};

/// The line, as the clerk sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Line {
    Up,
    Down {
        since: String,
    },
    Never,
    /// A room that has joined nobody.
    Alone,
}

impl Line {
    fn is_down(&self) -> bool {
        matches!(self, Line::Down { .. } | Line::Never)
    }

    fn has_hub(&self) -> bool {
        *self != Line::Alone
    }
}

#[derive(Template)]
#[template(path = "bar.html")]
struct Bar {
    line: Line,
    recorded: u64,
    township: u64,
    county: u64,
    unsent: u64,
    oldest: Option<String>,
    /// What is wrong with the machine itself, most urgent first.
    trouble: Option<String>,
}

pub(super) async fn piece(State(desk): State<Arc<Desk>>) -> Result<Response, Problem> {
    let status = desk.ask(Command::Status).await?;
    Ok(Html(of(&status)).into_response())
}

/// The bar as HTML, out of what `status` says.
pub(super) fn of(status: &Value) -> String {
    console::page::part(&bar(status))
}

fn bar(status: &Value) -> Bar {
    let number = |at: &str| status.pointer(at).and_then(Value::as_u64).unwrap_or(0);
    let recorded = number("/reach/recorded");
    let disk = status.pointer("/disk/message").and_then(Value::as_str);
    let trouble = match is_revoked(status) {
        true => Some(t::REVOKED.to_owned()),
        false => disk.or(status["held"].as_str()).map(str::to_owned),
    };
    Bar {
        line: line_of(status),
        recorded,
        township: number("/reach/township"),
        county: number("/reach/county"),
        unsent: number("/pending/township"),
        oldest: status["oldest_pending_s"].as_u64().map(console::page::span),
        trouble,
    }
}

/// By the statement, or by what a hub said: the statement itself may never come here.
pub(super) fn is_revoked(status: &Value) -> bool {
    let mut away = status["turned_away"].as_array().into_iter().flatten();
    status["revoked"] == true || away.any(|one| one["reason"] == "revoked")
}

fn line_of(status: &Value) -> Line {
    let none = Vec::new();
    let peers = status["peers"].as_array().unwrap_or(&none);
    if peers.iter().any(|p| p["connected"] == true) {
        return Line::Up;
    }
    let last = peers.iter().filter_map(|p| p["last_seen_s"].as_u64()).min();
    match (last, status["alone"].as_bool()) {
        (Some(s), _) => Line::Down {
            since: console::page::span(s),
        },
        (None, Some(true)) => Line::Alone,
        (None, _) => Line::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_on_its_own_is_told_so_and_not_that_something_is_unsent_and_counts_say_what_they_count() {
        let status = |alone: bool| {
            serde_json::json!({"alone": alone, "peers": [], "reach": {"recorded": 7, "township": 3, "county": 1},
                "pending": {"township": 4}, "oldest_pending_s": 90_000})
        };
        let alone = of(&status(true));
        assert!(alone.contains(t::NO_HUB) && !alone.contains(t::OLDEST_UNSENT) && !alone.contains(t::AT_TOWNSHIP));
        assert!(alone.contains("<b>7</b> 条记录"), "{alone}");
        let joined = of(&status(false));
        assert!(
            joined.contains(t::OLDEST_UNSENT) && joined.contains("<b>3</b> 条"),
            "{joined}"
        );
    }
}
