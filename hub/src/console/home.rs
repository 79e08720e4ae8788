//! Where one begins: by what one may do, the inbox or the wall.

use std::sync::Arc;

use axum::extract::{Extension, Query, State};
use axum::response::{Html, IntoResponse, Response};
use console::{Problem, Visit};
use office::command::Command;

use super::{Console, texts as t, work};

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let status = console.ask(Command::Status).await?;
    if status["tier"] == "township" {
        return work::inbox::page(State(console), Extension(visit), Query(work::inbox::Filter::default())).await;
    }
    let body = body(&console).await?;
    Ok(console.page(&visit, t::HOME, "/", body).await)
}

pub(super) async fn piece(State(console): State<Arc<Console>>) -> Result<Response, Problem> {
    Ok(Html(body(&console).await?).into_response())
}

async fn body(console: &Console) -> Result<String, Problem> {
    let status = console.ask(Command::Status).await?;
    let name = status["name"].as_str().unwrap_or_default();
    Ok(format!("<h1>{}</h1>", name))
}
