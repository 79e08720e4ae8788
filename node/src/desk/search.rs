//! Search (查找): one box, dates and state. What is typed travels in forms only, and is kept in memory for whoever goes back.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use console::page::go;
use console::{Problem, Visit};
use ledger::day::Day;
use ledger::form;
use office::command::{CaseFind, Command};
use serde::{Deserialize, Serialize};

use super::{Desk, texts as t, wall_ms};
use console::line::{Line, read};

/// What somebody sought last, held by the session: it goes with the lock.
const SOUGHT: &str = "sought";

/// Everything on the page, as typed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    text: String,
    from: String,
    until: String,
    state: String,
    clear: String,
}

impl Typed {
    fn is_empty(&self) -> bool {
        [&self.text, &self.from, &self.until, &self.state]
            .iter()
            .all(|t| t.trim().is_empty())
    }

    fn find(&self) -> Result<CaseFind, Problem> {
        let day = |text: &str| match text.trim() {
            "" => Ok(None),
            text => Day::parse(text)
                .map(Some)
                .ok_or_else(|| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, t::WRONG_DATE)),
        };
        Ok(CaseFind {
            text: self.text.clone(),
            matter: None,
            state: Some(self.state.clone()),
            from: day(&self.from)?,
            until: day(&self.until)?,
            limit: None,
        })
    }
}

#[derive(Deserialize)]
struct Found {
    found: u64,
    cases: Vec<Line>,
    locked: bool,
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPart<'a> {
    csrf: &'a str,
    typed: &'a Typed,
    states: Vec<(&'static str, &'static str)>,
    found: Option<Found>,
    wrong: Option<String>,
    today: &'a str,
}

/// The states that a case goes through, in the order of its way.
const STATES: [&str; 13] = [
    "received",
    "awaiting_materials",
    "accepted",
    "processing",
    "suspended",
    "forwarded",
    "decided",
    "closed",
    "delivered",
    "refused",
    "withdrawn",
    "returned",
    "void",
];

/// The states that only errands have; the others are called as a case's are.
const ERRAND_STATES: [&str; 3] = ["entrusted", "claimed", "underway"];

/// What is offered, with the words of the forms.
fn states() -> Vec<(&'static str, &'static str)> {
    let states = &form::Form::case().states;
    let errands = &form::Form::errand().states;
    let of_cases = STATES.iter().map(|name| (states, *name));
    let of_errands = ERRAND_STATES.iter().map(|name| (errands, *name));
    let offered = of_cases
        .chain(of_errands)
        .filter_map(|(states, name)| Some((name, states.get(name)?.label.as_str())));
    offered.collect()
}

pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let held = desk.door.gate.sessions.held(&visit.cookie, SOUGHT);
    let typed: Typed = held
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    // With nothing sought yet nothing is shown; but cases are made ready while the clerk types.
    let asked = match typed.find() {
        Ok(find) => desk.ask(Command::CaseFind(find)).await,
        Err(problem) => Err(problem),
    };
    let (found, wrong) = match asked {
        Ok(found) if !typed.is_empty() => (Some(read(found)?), None),
        Ok(_) => (None, None),
        Err(problem) => (None, Some(problem.text)),
    };
    let status = if wrong.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let part = SearchPart {
        csrf: &visit.csrf,
        typed: &typed,
        states: states(),
        found,
        wrong,
        today: &Day::of_wall_ms(wall_ms()).to_string(),
    };
    let body = console::page::part(&part);
    let page = desk.page(&visit, t::SEARCH, "/search", body).await;
    Ok((status, page).into_response())
}

pub(super) async fn search(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let sought = serde_json::to_vec(&typed).ok().filter(|_| typed.clear.is_empty());
    desk.door.gate.sessions.hold(&visit.cookie, SOUGHT, sought);
    Ok(go(&visit, "/search"))
}
