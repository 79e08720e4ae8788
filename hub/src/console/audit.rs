//! The audit trail: who did what on this hub, newest first.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use console::{Problem, Visit};
use office::command::{AuditList, Command};
use serde::Deserialize;

use super::rights::{Right, Routes};
use super::{Console, texts as t};

const ROWS: usize = 100;

pub(super) fn routes() -> Routes {
    Routes::new().look(Right::Audit, "/audit", page)
}

#[derive(Deserialize)]
struct Row {
    seq: u64,
    #[serde(default)]
    act_label: String,
    #[serde(default)]
    at: String,
    user_name: Option<String>,
    project_no: Option<String>,
    #[serde(default)]
    fields: Vec<String>,
    reason: Option<String>,
    about: Option<String>,
}

impl Row {
    /// A device by the beginning of its key, as everywhere on the pages.
    fn about(&self) -> &str {
        let about = self.about.as_deref().unwrap_or_default();
        let is_key = about.len() == 64 && about.bytes().all(|b| b.is_ascii_hexdigit());
        if is_key { about.get(..8).unwrap_or(about) } else { about }
    }
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Part {
    rows: Vec<Row>,
    /// Further ones begin before this number.
    older: Option<u64>,
}

#[derive(Deserialize)]
struct From {
    before: Option<u64>,
}

async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(from): Query<From>,
) -> Result<Response, Problem> {
    let list = AuditList {
        limit: Some(ROWS),
        before: from.before,
    };
    let all = console.ask(Command::AuditList(list)).await?;
    let all = all.as_array().cloned().unwrap_or_default();
    let rows: Vec<Row> = all
        .into_iter()
        .filter_map(|row| serde_json::from_value(row).ok())
        .collect();
    let older = rows.last().map(|r| r.seq).filter(|seq| rows.len() == ROWS && *seq > 1);
    let body = console::page::part(&Part { rows, older });
    Ok(console.page(&visit, t::AUDIT, "/audit", body).await)
}
