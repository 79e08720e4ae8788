//! The status bar: the way up, what is held, and what awaits somebody.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use console::Problem;
use office::command::Command;
use serde_json::Value;

use super::{Console, texts as t};

/// The line to the unit above.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Line {
    /// Nobody is above.
    Top,
    Up,
    Down {
        since: String,
    },
    Never,
}

#[derive(Template)]
#[template(path = "bar.html")]
struct Bar {
    line: Line,
    entries: u64,
    conflicts: u64,
    quarantined: u64,
    waiting: u64,
    /// What is wrong with the machine itself.
    trouble: Option<String>,
}

pub(super) async fn piece(State(console): State<Arc<Console>>) -> Result<Response, Problem> {
    let status = console.ask(Command::Status).await?;
    Ok(Html(of(&status)).into_response())
}

/// The bar as HTML, out of what `status` says.
pub(super) fn of(status: &Value) -> String {
    let number = |at: &str| status.pointer(at).and_then(Value::as_u64).unwrap_or(0);
    let trouble = status.pointer("/disk/message").and_then(Value::as_str);
    console::page::part(&Bar {
        line: line_of(status),
        entries: number("/journal/entries"),
        conflicts: number("/conflicts"),
        quarantined: number("/quarantined"),
        waiting: number("/waiting"),
        trouble: trouble.map(str::to_owned),
    })
}

/// Of the peers, those of the units above.
fn line_of(status: &Value) -> Line {
    if status["tier"] == "county" {
        return Line::Top;
    }
    let none = Vec::new();
    let peers = status["peers"].as_array().unwrap_or(&none);
    let above = || peers.iter().filter(|p| p["above"] == true);
    if above().any(|p| p["connected"] == true) {
        return Line::Up;
    }
    match above().filter_map(|p| p["last_seen_s"].as_u64()).min() {
        Some(s) => Line::Down {
            since: console::page::span(s),
        },
        None => Line::Never,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_township_whose_county_is_gone_says_since_when_whoever_else_is_connected() {
        let status = |up: bool| {
            json!({"tier": "township", "peers": [
                {"above": true, "connected": up, "last_seen_s": 7_200},
                {"above": false, "connected": true, "last_seen_s": 0},
            ]})
        };
        assert_eq!(line_of(&status(true)), Line::Up);
        assert_eq!(
            line_of(&status(false)),
            Line::Down {
                since: "2 小时".to_owned()
            }
        );
        assert_eq!(line_of(&json!({"tier": "township", "peers": []})), Line::Never);
        assert_eq!(line_of(&json!({"tier": "county", "peers": []})), Line::Top);
    }
}
