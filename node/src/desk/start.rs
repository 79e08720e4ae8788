//! The first page.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::Response;
use console::{Problem, Visit};

use super::{Desk, texts};

pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let body = format!("<h1>{}</h1>", texts::TODAY);
    Ok(desk.page(&visit, texts::TODAY, "/", body).await)
}
