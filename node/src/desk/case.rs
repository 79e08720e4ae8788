//! The case page: what happened in plain words, where it stands, how far it has travelled, and what may be done now.

mod acts;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use console::page::go;
use console::{Problem, Visit};
use ledger::day::Day;
use office::command::{CaseShow, Command, Reveal};
use serde::Deserialize;
use serde_json::Value;

pub(super) use acts::{act, correct, edit, entrust, settle, tick};
use console::case::{Case, Step};

use super::{Desk, texts as t, wall_ms};
use console::line::read;

/// What somebody had typed into a form that was refused: it stands there again, so that nothing is lost.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct Typed {
    /// Which form: an event's name, or one of [`EDIT`] and its like.
    form: String,
    pairs: Vec<(String, String)>,
}

/// Forms of the page that are no event.
const EDIT: &str = "edit";
const TICK: &str = "tick";
const ENTRUST: &str = "entrust";
const REVEAL: &str = "reveal";

impl Typed {
    fn of(form: &str, pairs: Vec<(String, String)>) -> Self {
        let form = form.to_owned();
        Self { form, pairs }
    }

    fn is(&self, form: &str) -> bool {
        self.form == form
    }

    /// What stood in a field of that form.
    fn text(&self, form: &str, name: &str) -> &str {
        let found = self.pairs.iter().find(|(n, _)| self.form == form && n == name);
        found.map_or("", |(_, value)| value)
    }

    fn has(&self, form: &str, name: &str, value: &str) -> bool {
        self.form == form && self.pairs.iter().any(|(n, v)| n == name && v == value)
    }

    /// Words that would be lost with the form: for whoever finds the form gone.
    fn words(&self) -> Vec<&str> {
        let kept = ["note", "reason", "more_items", "task", "value"];
        let words = self.pairs.iter().filter(|(n, _)| kept.contains(&n.as_str()));
        words.map(|(_, v)| v.trim()).filter(|v| !v.is_empty()).collect()
    }
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePart<'a> {
    csrf: &'a str,
    once: String,
    case: &'a Case,
    live: String,
    said: Option<String>,
    wrong: Option<String>,
    typed: &'a Typed,
    /// Personal values stand in the clear.
    revealed: bool,
    today: String,
}

impl CasePart<'_> {
    /// What was typed into a form that is no longer offered.
    fn orphans(&self) -> Vec<&str> {
        let offered = match self.typed.form.as_str() {
            "" | EDIT | ENTRUST | REVEAL => true,
            TICK => self.case.has_missing(),
            event => self.case.steps().iter().any(|step| step.event == event),
        };
        if offered { Vec::new() } else { self.typed.words() }
    }

    fn is_open(&self, step: &Step) -> bool {
        self.typed.is(&step.event)
    }
}

#[derive(Template)]
#[template(path = "case_live.html")]
struct LivePart<'a> {
    case: &'a Case,
    today: String,
    alone: bool,
    /// The entries that the page around this was made from.
    seen: u64,
}

impl LivePart<'_> {
    /// What may be done now is no longer what the page offers.
    fn is_ahead(&self) -> bool {
        self.seen != self.case.entries
    }
}

fn live_part(case: &Case, seen: u64, alone: bool) -> String {
    let today = Day::of_wall_ms(wall_ms()).to_string();
    console::page::part(&LivePart {
        case,
        today,
        alone,
        seen,
    })
}

/// What was asked to be seen in the clear, held by the session for one showing: who reloads the page sees it masked.
const REVEALED: &str = "revealed";

async fn load(desk: &Desk, number: &str, reveal: Option<Reveal>) -> Result<Case, Problem> {
    let show = CaseShow {
        number: number.to_owned(),
        reveal,
    };
    case_of(desk.ask(Command::CaseShow(show)).await?)
}

fn case_of(mut value: Value) -> Result<Case, Problem> {
    let conflicts = value["conflicts"].clone();
    let outstanding = value["outstanding"].take();
    let mut case: Case = read(value)?;
    // From the room up.
    case.receipts.reverse();
    case.conflicts = read(conflicts)?;
    case.outstanding = read(outstanding).unwrap_or_default();
    Ok(case)
}

pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    let said = desk.door.gate.sessions.said(&visit.cookie);
    let revealed = revealed(&desk, &visit, &number);
    let (case, clear) = match revealed {
        Some(case) => (case_of(case)?, true),
        None => (load(&desk, &number, None).await?, false),
    };
    Ok(show(&desk, &visit, &case, said, None, clear, &Typed::default()).await)
}

/// The case in the clear, once.
fn revealed(desk: &Desk, visit: &Visit, number: &str) -> Option<Value> {
    let held = desk.door.gate.sessions.held(&visit.cookie, REVEALED)?;
    desk.door.gate.sessions.hold(&visit.cookie, REVEALED, None);
    let case: Value = serde_json::from_slice(&held).ok()?;
    (case["project_no"] == number).then_some(case)
}

async fn show(
    desk: &Desk,
    visit: &Visit,
    case: &Case,
    said: Option<String>,
    wrong: Option<String>,
    revealed: bool,
    typed: &Typed,
) -> Response {
    let once = match typed.text(ENTRUST, "once") {
        "" => console::session::secret(),
        once => once.to_owned(),
    };
    let part = CasePart {
        csrf: &visit.csrf,
        once,
        live: live_part(case, case.entries, desk.is_alone().await),
        case,
        said,
        wrong,
        typed,
        revealed,
        today: Day::of_wall_ms(wall_ms()).to_string(),
    };
    let body = console::page::part(&part);
    desk.page(visit, &case.line.project_no, "", body).await
}

#[derive(Deserialize)]
pub(super) struct Seen {
    seen: Option<u64>,
}

/// What changes by itself: state, ticks, the way so far. Not what somebody may be typing into.
pub(super) async fn piece(
    State(desk): State<Arc<Desk>>,
    Path(number): Path<String>,
    Query(page): Query<Seen>,
) -> Result<Response, Problem> {
    let case = load(&desk, &number, None).await?;
    let part = live_part(&case, page.seen.unwrap_or(case.entries), desk.is_alone().await);
    Ok(Html(part).into_response())
}

/// Personal values in the clear, for a reason that goes into the trail.
pub(super) async fn reveal(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(form): Form<Revealing>,
) -> Result<Response, Problem> {
    let user = visit.person.as_ref().map(|p| p.id);
    let typed = Typed::of(REVEAL, vec![("reason".to_owned(), form.reason.clone())]);
    let reveal = Reveal {
        reason: form.reason,
        fields: Vec::new(),
        user,
    };
    let show = CaseShow {
        number: number.clone(),
        reveal: Some(reveal),
    };
    match desk.ask(Command::CaseShow(show)).await {
        Ok(case) => {
            let number = case["project_no"].as_str().unwrap_or_default();
            let sessions = &desk.door.gate.sessions;
            sessions.hold(&visit.cookie, REVEALED, serde_json::to_vec(&case).ok());
            Ok(go(&visit, &format!("/case/{number}")))
        }
        Err(problem) => refuse(&desk, &visit, &number, problem, typed).await,
    }
}

#[derive(Deserialize)]
pub(super) struct Revealing {
    #[serde(default)]
    reason: String,
}

/// The page again, with what was wrong and what was typed.
async fn refuse(desk: &Desk, visit: &Visit, number: &str, problem: Problem, typed: Typed) -> Result<Response, Problem> {
    let case = load(desk, number, None).await?;
    let mut response = show(desk, visit, &case, None, Some(problem.text), false, &typed).await;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// Whether the page was made from what is known now: nobody acts on what was not seen.
fn is_current(case: &Case, pairs: &[(String, String)]) -> Result<(), Problem> {
    let seen = pairs
        .iter()
        .find(|(n, _)| n == "seen")
        .and_then(|(_, v)| v.parse().ok());
    match seen == Some(case.entries) {
        true => Ok(()),
        false => Err(Problem::new(StatusCode::CONFLICT, t::CHANGED_MEANWHILE)),
    }
}
