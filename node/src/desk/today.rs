//! Today (今日): the day book, newest first, and what somebody has to see to.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, State};
use axum::response::{Html, IntoResponse, Response};
use console::{Problem, Visit};
use office::command::Command;
use serde::Deserialize;

use super::{Desk, texts as t};
use console::line::{Line, read};

#[derive(Deserialize)]
struct Counts {
    received: u64,
    closed: u64,
    open: u64,
    total: u64,
    overdue: u64,
    due_today: u64,
    awaiting: u64,
    came_back: u64,
    errands: u64,
}

#[derive(Deserialize, Template)]
#[template(path = "today.html")]
struct Today {
    today: String,
    counts: Counts,
    newest: Vec<Line>,
    overdue: Vec<Line>,
    due_today: Vec<Line>,
    awaiting: Vec<Line>,
    came_back: Vec<Line>,
}

impl Today {
    /// The lists that somebody has to see to, with their exact counts.
    fn lists(&self) -> [(&'static str, u64, &[Line]); 4] {
        [
            (t::OVERDUE, self.counts.overdue, &self.overdue),
            (t::DUE_TODAY, self.counts.due_today, &self.due_today),
            (t::CAME_BACK, self.counts.came_back, &self.came_back),
            (t::AWAITING, self.counts.awaiting, &self.awaiting),
        ]
    }
}

async fn part(desk: &Desk) -> Result<String, Problem> {
    let today: Today = read(desk.ask(Command::Today).await?)?;
    Ok(console::page::part(&today))
}

pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let body = part(&desk).await?;
    Ok(desk.page(&visit, t::TODAY, "/", body).await)
}

/// The same without its frame, for a page that changes by itself.
pub(super) async fn piece(State(desk): State<Arc<Desk>>) -> Result<Response, Problem> {
    Ok(Html(part(&desk).await?).into_response())
}
