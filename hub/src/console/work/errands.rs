//! 代办 of all rooms below, open ones first.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use console::case::ErrandLine;
use console::line::read;
use console::texts::case as ct;
use console::{Problem, Visit};
use office::command::{Command, ErrandList};
use serde::Deserialize;

use super::{Console, Page, UnitOf, filled, t};

#[derive(Deserialize)]
struct Counts {
    open: u64,
    ended: u64,
}

#[derive(Deserialize)]
struct Answer {
    counts: Counts,
    page: usize,
    left: usize,
    errands: Vec<ErrandLine>,
}

#[derive(Template)]
#[template(path = "work/errands.html")]
struct Part {
    answer: Answer,
    filter: Page,
    units: Vec<UnitOf>,
}

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(mut filter): Query<Page>,
) -> Result<Response, Problem> {
    filter.unit.retain(|c| c.is_ascii_digit());
    let asked = ErrandList {
        page: filter.page,
        unit: filled(&filter.unit),
    };
    let answer: Answer = read(console.ask_as(&visit, Command::ErrandList(asked)).await?)?;
    let units = console.units().await?;
    let body = console::page::part(&Part { answer, filter, units });
    Ok(console.page(&visit, ct::ERRAND, "/inbox", body).await)
}
