//! 导入登记簿: a file is looked at first; what was looked at, and nothing else, is taken over when the clerk says so.

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Extension, Form, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use console::page::go;
use console::session::secret;
use console::{Problem, Visit};
use ledger::id::UserId;
use office::command::{CaseImport, Command};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Desk, texts as t};
use console::line::read;

/// Where a file is sent to; the guard lets more through there.
pub(super) const LOOK: &str = "/import/look";
/// Bad rows shown one by one.
const ROWS_SHOWN: usize = 200;

/// The file that somebody is looking at, behind the name of this look. Held by the session: another clerk's look is another's, and the
/// lock lets go of it.
const LOOKED: &str = "looked";
/// What became of the file that was taken over last.
const TAKEN: &str = "taken";

/// A file that was taken over, and what the office said.
#[derive(Serialize, Deserialize)]
struct Taken {
    look: String,
    rows: Value,
}

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
    said: Option<String>,
    result: String,
}

/// What was found, or what became of it.
#[derive(Template)]
#[template(path = "import_rows.html")]
struct RowsPart<'a> {
    csrf: &'a str,
    look: &'a str,
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

pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let said = desk.door.gate.sessions.said(&visit.cookie);
    let result = match taken(&desk, &visit) {
        None => String::new(),
        Some(taken) => console::page::part(&RowsPart {
            csrf: &visit.csrf,
            look: "",
            rows: Some(read(taken.rows)?),
            wrong: None,
            done: true,
        }),
    };
    Ok(show(&desk, &visit, said, result).await)
}

async fn show(desk: &Desk, visit: &Visit, said: Option<String>, result: String) -> Response {
    let body = console::page::part(&ImportPart { said, result });
    desk.page(visit, t::IMPORT, "/day", body).await
}

fn taken(desk: &Desk, visit: &Visit) -> Option<Taken> {
    let held = desk.door.gate.sessions.held(&visit.cookie, TAKEN)?;
    serde_json::from_slice(&held).ok()
}

/// Says what is in a file, and keeps it in memory for [`take`].
pub(super) async fn look(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Problem> {
    let user = user_of(&visit)?;
    let sessions = &desk.door.gate.sessions;
    sessions.hold(&visit.cookie, LOOKED, None);
    sessions.hold(&visit.cookie, TAKEN, None);
    let asked = CaseImport {
        data: body.to_vec(),
        preview: true,
        user: Some(user),
        ..CaseImport::default()
    };
    let look = secret();
    let (rows, wrong) = match desk.ask(Command::CaseImport(asked)).await {
        Ok(rows) => (Some(read::<Rows>(rows)?), None),
        Err(problem) => (None, Some(problem.text)),
    };
    if rows.as_ref().is_some_and(|rows| rows.imported > 0) {
        sessions.hold(&visit.cookie, LOOKED, Some([look.as_bytes(), &body].concat()));
    }
    let part = RowsPart {
        csrf: &visit.csrf,
        look: &look,
        rows,
        wrong,
        done: false,
    };
    Ok(Html(console::page::part(&part)).into_response())
}

#[derive(Deserialize)]
pub(super) struct Taking {
    #[serde(default)]
    look: String,
}

/// Takes over the file that was looked at. Pressed once more it says what became of the first press.
pub(super) async fn take(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(taking): Form<Taking>,
) -> Result<Response, Problem> {
    let user = user_of(&visit)?;
    let sessions = &desk.door.gate.sessions;
    if let Some(taken) = taken(&desk, &visit).filter(|taken| taken.look == taking.look) {
        let rows = taken.rows["imported"].as_u64().unwrap_or(0);
        desk.say(&visit, t::imported_already(rows)).await;
        return Ok(go(&visit, "/import"));
    }
    let held = sessions.held(&visit.cookie, LOOKED);
    let file = held.as_ref().and_then(|held| held.strip_prefix(taking.look.as_bytes()));
    let asked = file
        .filter(|_| taking.look.len() == secret().len())
        .map(|file| CaseImport {
            data: file.to_vec(),
            user: Some(user),
            ..CaseImport::default()
        });
    let wrong = match asked {
        None => t::IMPORT_LOOK_FIRST.to_owned(),
        Some(asked) => match desk.ask(Command::CaseImport(asked)).await {
            Ok(rows) => {
                let taken = Taken {
                    look: taking.look,
                    rows,
                };
                sessions.hold(&visit.cookie, LOOKED, None);
                sessions.hold(&visit.cookie, TAKEN, serde_json::to_vec(&taken).ok());
                return Ok(go(&visit, "/import"));
            }
            Err(problem) => problem.text,
        },
    };
    let part = RowsPart {
        csrf: &visit.csrf,
        look: "",
        rows: None,
        wrong: Some(wrong),
        done: true,
    };
    let page = show(&desk, &visit, None, console::page::part(&part)).await;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
