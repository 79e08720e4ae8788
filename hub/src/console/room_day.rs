//! One room's 日结: what its day came to by the book held here, and the closings that the room made.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use console::page::spoken;
use console::{Problem, Visit};
use ledger::day::Day;
use office::command::{Command, DayShow};
use serde::Deserialize;

use super::Console;
use super::rights::{Right, Routes};
use super::texts::{self, health as t};

pub(super) fn routes() -> Routes {
    Routes::new().look(Right::Watch, "/room/{unit}/day", page)
}

#[derive(Deserialize)]
struct Closing {
    nth: u64,
    at: String,
    by: Option<String>,
    received: u64,
    closed: u64,
    behind: u64,
    digest: String,
    same: bool,
}

#[derive(Deserialize)]
struct Shown {
    day: String,
    today: String,
    unit: String,
    unit_name: String,
    received: u64,
    closed: u64,
    open: u64,
    cases: u64,
    digest: String,
    closings: Vec<Closing>,
    /// Whether the last closing says what is here now; none without a closing.
    same: Option<bool>,
}

#[derive(Template)]
#[template(path = "health/day.html")]
struct Part {
    day: Shown,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Which {
    on: String,
}

async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(unit): Path<String>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let on = match which.on.trim() {
        "" => None,
        text => Some(Day::parse(text).ok_or_else(|| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, t::DAY_WRONG))?),
    };
    let asked = DayShow {
        day: on,
        unit: Some(unit),
    };
    let day: Shown = super::read(console.ask(Command::DayShow(asked)).await?)?;
    let title = format!("{} {} {}", t::DAY_CLOSING, day.day, day.unit_name);
    let body = console::page::part(&Part { day });
    Ok(console.page(&visit, &title, "/wall", body).await)
}
