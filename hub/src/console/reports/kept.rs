//! Frozen reports: all of them, and one with what came later.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use console::page::part;
use console::{Problem, Visit};
use office::command::{Command, Report, ReportKept};
use serde::Deserialize;

use super::given::{FrozenLine, Given, Late};
use super::{MATTERS_SHOWN, read};
use crate::console::Console;
use crate::console::texts::reports as t;

#[derive(Template)]
#[template(path = "reports/frozen.html")]
struct List {
    rows: Vec<FrozenLine>,
}

pub(super) async fn list(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let rows = read(console.ask(Command::Report(Report::List)).await?)?;
    Ok(console.page(&visit, t::FROZEN, "/reports", part(&List { rows })).await)
}

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    id: String,
}

#[derive(Template)]
#[template(path = "reports/kept.html")]
struct Page<'a> {
    r: &'a Given,
    kept: &'a FrozenLine,
    late: &'a Late,
    said: Option<String>,
    matters_shown: usize,
}

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let ask = Command::Report(Report::Kept(ReportKept { id: which.id }));
    let given: Given = read(console.ask(ask).await?)?;
    let (Some(kept), Some(late)) = (&given.kept, &given.late) else {
        return Err(Problem::not_found());
    };
    let page = Page {
        r: &given,
        kept,
        late,
        said: console.said(&visit),
        matters_shown: MATTERS_SHOWN,
    };
    Ok(console.page(&visit, t::FROZEN, "/reports", part(&page)).await)
}
