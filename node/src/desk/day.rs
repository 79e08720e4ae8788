//! 日结 and 台账: what a day came to and what of it has not travelled yet; the month as a file.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use console::face::cover;
use console::page::{go, spoken};
use console::{Problem, Visit};
use ledger::day;
use office::command::{Command, DayClose, DayShow, Monthly};
use serde::Deserialize;

use super::sheet::{self, Table};
use super::{Desk, texts as t};
use console::line::{Line, read};

#[derive(Deserialize)]
struct ByMatter {
    matter: String,
    matter_name: Option<String>,
    received: u64,
    closed: u64,
}

#[derive(Deserialize)]
struct ByState {
    state_label: String,
    cases: u64,
}

#[derive(Deserialize)]
struct Closing {
    nth: u64,
    at: String,
    by: Option<String>,
    cover: Option<String>,
    cover_reason: Option<String>,
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
    unit_name: String,
    received: u64,
    closed: u64,
    open: u64,
    cases: u64,
    behind: u64,
    digest: String,
    by_matter: Vec<ByMatter>,
    by_state: Vec<ByState>,
    still_open: Vec<Line>,
    closings: Vec<Closing>,
    /// Whether the last closing says what is here now; none without a closing.
    same: Option<bool>,
}

impl Closing {
    /// Who closed, from which post.
    fn who(&self) -> String {
        let by = self.by.as_deref().unwrap_or(t::BY_MACHINE);
        match (&self.cover, &self.cover_reason) {
            (Some(of), Some(reason)) => format!("{by} · {} {}", t::B_POST, t::covering(of, reason)),
            _ => by.to_owned(),
        }
    }
}

#[derive(Template)]
#[template(path = "day.html")]
struct DayPart<'a> {
    csrf: &'a str,
    day: Shown,
    month: String,
    said: Option<String>,
    wrong: Option<String>,
    ledger: &'a Ledger,
    /// There is nobody above who could have the day.
    alone: bool,
    /// Whole personal values are handed out to the head alone.
    is_head: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    day: String,
}

/// `None`: today.
fn typed_day(text: &str) -> Result<Option<day::Day>, Problem> {
    match text.trim() {
        "" => Ok(None),
        text => day::Day::parse(text)
            .map(Some)
            .ok_or_else(|| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, t::WRONG_DATE)),
    }
}

pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let said = desk.door.gate.sessions.said(&visit.cookie);
    match typed_day(&which.day) {
        Ok(day) => show(&desk, &visit, day, said, None, &Ledger::default()).await,
        Err(problem) => show(&desk, &visit, None, said, Some(problem), &Ledger::default()).await,
    }
}

async fn show(
    desk: &Desk,
    visit: &Visit,
    day: Option<day::Day>,
    said: Option<String>,
    wrong: Option<Problem>,
    ledger: &Ledger,
) -> Result<Response, Problem> {
    let asked = DayShow { day, unit: None };
    let day: Shown = read(desk.ask(Command::DayShow(asked)).await?)?;
    let month = match ledger.month.as_str() {
        "" => day.day.chars().take(7).collect(),
        typed => typed.to_owned(),
    };
    let status = wrong.as_ref().map_or(StatusCode::OK, |problem| problem.status);
    let part = DayPart {
        alone: desk.is_alone().await,
        csrf: &visit.csrf,
        day,
        month,
        said,
        wrong: wrong.map(|problem| problem.text),
        ledger,
        is_head: visit.person.as_ref().is_some_and(|p| p.is("head")),
    };
    let body = console::page::part(&part);
    let page = desk.page(visit, t::DAY, "/day", body).await;
    Ok((status, page).into_response())
}

/// Closes the day, or closes it once more.
pub(super) async fn close(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(which): Form<Which>,
) -> Result<Response, Problem> {
    let person = visit.person.as_ref().ok_or_else(Problem::not_allowed)?;
    let closed = match typed_day(&which.day) {
        Ok(day) => {
            let close = DayClose {
                day,
                user: Some(person.id),
                cover: cover(person),
            };
            desk.ask(Command::DayClose(close)).await
        }
        Err(problem) => Err(problem),
    };
    let closed: Shown = match closed {
        Ok(closed) => read(closed)?,
        Err(problem) => return show(&desk, &visit, None, None, Some(problem), &Ledger::default()).await,
    };
    let said = match desk.is_alone().await {
        true => t::DAY_CLOSED_ALONE.to_owned(),
        false => t::day_closed(closed.behind),
    };
    desk.say(&visit, said).await;
    Ok(go(&visit, &format!("/day?day={}", closed.day)))
}

/// The month as a file, as asked for.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ledger {
    month: String,
    plain: String,
    reason: String,
    format: String,
}

pub(super) async fn ledger(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(typed): Form<Ledger>,
) -> Result<Response, Problem> {
    let asked = Monthly {
        month: typed.month.clone(),
        plain: !typed.plain.is_empty(),
        reason: Some(typed.reason.clone()),
        user: visit.person.as_ref().map(|p| p.id),
    };
    let table: Table = match desk.ask(Command::Monthly(asked)).await {
        Ok(table) => read(table)?,
        Err(problem) => return show(&desk, &visit, None, None, Some(problem), &typed).await,
    };
    let (bytes, kind, end) = match typed.format.as_str() {
        "csv" => (sheet::csv(&table), "text/csv; charset=utf-8", "csv"),
        _ => {
            let bytes = sheet::xlsx(&table).map_err(|error| {
                tracing::error!(%error, "a workbook could not be made");
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, t::NO_SHEET)
            })?;
            (
                bytes,
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "xlsx",
            )
        }
    };
    let name = t::ledger_file(&table.month, table.masked, end);
    Ok(attached(bytes, kind, &name))
}

/// Bytes that a browser keeps as a file of this name.
pub(super) fn attached(bytes: Vec<u8>, kind: &'static str, name: &str) -> Response {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let escaped: String = name
        .bytes()
        .map(|b| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect();
    let line = format!("attachment; filename*=UTF-8''{escaped}");
    // What is escaped so is always a header.
    let line = HeaderValue::from_str(&line).unwrap_or(HeaderValue::from_static("attachment"));
    (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CONTENT_DISPOSITION, line),
        ],
        bytes,
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_out_in_four_groups() {
        assert_eq!(spoken("0123456789abcdef0123"), "0123-4567-89AB-CDEF");
        assert_eq!(spoken("ab"), "AB");
    }

    #[test]
    fn a_file_name_in_chinese_reaches_the_browser() {
        let response = attached(Vec::new(), "text/csv", "台账 1.csv");
        let line = &response.headers()[header::CONTENT_DISPOSITION];
        assert_eq!(line, "attachment; filename*=UTF-8''%E5%8F%B0%E8%B4%A6%201.csv");
    }
}
