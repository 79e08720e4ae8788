//! Where one begins: at a township its inbox, at the county the wall.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::Response;
use console::page::go;
use console::{Problem, Visit};
use office::command::Command;

use super::Console;

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let status = console.ask(Command::Status).await?;
    let first = if status["tier"] == "township" {
        "/inbox"
    } else {
        "/wall"
    };
    Ok(go(&visit, first))
}
