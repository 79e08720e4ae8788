//! 导入登记簿: a file is looked at first; what was looked at, and nothing else, is taken over when the clerk says so.

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use console::{Problem, Visit};
use ledger::id::UserId;
use office::command::{CaseImport, Command};
use serde::Deserialize;

use super::lines::read;
use super::{Desk, texts as t};

/// Where a file is sent to; the guard lets more through there.
pub(super) const LOOK: &str = "/import/look";
/// Bad rows shown one by one.
const ROWS_SHOWN: usize = 200;

/// The file that somebody is looking at, until it is taken over or the page is opened anew.
pub(super) type Looked = Option<(UserId, Vec<u8>)>;

#[derive(Deserialize)]
struct Rejected {
    line: u64,
    reason: String,
}

#[derive(Deserialize)]
struct Remark {
    line: u64,
    remark: String,
}

#[derive(Deserialize)]
struct Sampled {
    line: u64,
    on: String,
    matter: String,
    matter_name: String,
    name: String,
    cert_no: String,
    closed: Option<String>,
}

#[derive(Deserialize)]
struct Rows {
    imported: u64,
    unchanged: u64,
    rejected: Vec<Rejected>,
    remarks: Vec<Remark>,
    #[serde(default)]
    sample: Vec<Sampled>,
}

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPart {
    result: String,
}

/// What was found, or what became of it.
#[derive(Template)]
#[template(path = "import_rows.html")]
struct RowsPart<'a> {
    csrf: &'a str,
    rows: Option<Rows>,
    wrong: Option<String>,
    /// Already taken over.
    done: bool,
}

impl Rows {
    fn bad(&self) -> &[Rejected] {
        &self.rejected[..self.rejected.len().min(ROWS_SHOWN)]
    }

    fn odd(&self) -> &[Remark] {
        &self.remarks[..self.remarks.len().min(ROWS_SHOWN)]
    }
}

fn user_of(visit: &Visit) -> Result<UserId, Problem> {
    visit.person.as_ref().map(|p| p.id).ok_or_else(Problem::not_allowed)
}

pub(super) async fn page(State(desk): State<Arc<Desk>>, Extension(visit): Extension<Visit>) -> Response {
    *desk.looked.lock().await = None;
    show(&desk, &visit, String::new()).await
}

async fn show(desk: &Desk, visit: &Visit, result: String) -> Response {
    let body = console::page::part(&ImportPart { result });
    desk.page(visit, t::IMPORT, "/day", body).await
}

/// Says what is in a file, and keeps it in memory for [`take`].
pub(super) async fn look(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Problem> {
    let user = user_of(&visit)?;
    *desk.looked.lock().await = None;
    let asked = CaseImport {
        data: body.to_vec(),
        preview: true,
        user: Some(user),
        ..CaseImport::default()
    };
    let csrf = &visit.csrf;
    let part = match desk.ask(Command::CaseImport(asked)).await {
        Ok(rows) => {
            let rows: Rows = read(rows)?;
            if rows.imported > 0 {
                *desk.looked.lock().await = Some((user, body.to_vec()));
            }
            RowsPart {
                csrf,
                rows: Some(rows),
                wrong: None,
                done: false,
            }
        }
        Err(problem) => RowsPart {
            csrf,
            rows: None,
            wrong: Some(problem.text),
            done: false,
        },
    };
    Ok(Html(console::page::part(&part)).into_response())
}

/// Takes over the file that was looked at.
pub(super) async fn take(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let user = user_of(&visit)?;
    let looked = desk.looked.lock().await.take().filter(|(who, _)| *who == user);
    let csrf = &visit.csrf;
    let (rows, wrong) = match looked {
        None => (None, Some(t::IMPORT_LOOK_FIRST.to_owned())),
        Some((_, data)) => {
            let taken = CaseImport {
                data,
                user: Some(user),
                ..CaseImport::default()
            };
            match desk.ask(Command::CaseImport(taken)).await {
                Ok(rows) => (Some(read(rows)?), None),
                Err(problem) => (None, Some(problem.text)),
            }
        }
    };
    let status = if wrong.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let part = RowsPart {
        csrf,
        rows,
        wrong,
        done: true,
    };
    let page = show(&desk, &visit, console::page::part(&part)).await;
    Ok((status, page).into_response())
}
