//! 代办: the room's errands in one list, and writing down one that belongs to no case.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use console::face::cover;
use console::page::go;
use console::{Problem, Visit};
use office::command::{Command, ErrandList, ErrandNew};
use serde::Deserialize;

use super::matters::Matter;
use super::{Desk, texts as t};
use console::case::ErrandLine;
use console::line::read;

/// The matter that an errand is entrusted under unless another is chosen (民事代办委托登记).
const USUAL: &str = "C01";

#[derive(Deserialize)]
struct Counts {
    open: u64,
    ended: u64,
}

#[derive(Deserialize, Template)]
#[template(path = "errands.html")]
struct Errands {
    counts: Counts,
    page: usize,
    /// Errands on the pages behind this one.
    left: usize,
    errands: Vec<ErrandLine>,
}

/// Which page of the list: at no address of ours stands anything about a person.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Page {
    page: usize,
}

/// What is typed for an errand that stands alone.
#[derive(Clone, Default, Debug, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    once: String,
    matter: String,
    name: String,
    cert_no: String,
    mobile: String,
    address: String,
    task: String,
    claim: Option<String>,
}

#[derive(Template)]
#[template(path = "errand_new.html")]
struct NewPart<'a> {
    csrf: &'a str,
    typed: &'a Typed,
    matters: Vec<&'a Matter>,
    said: Option<String>,
}

async fn part(desk: &Desk, page: usize) -> Result<String, Problem> {
    let asked = Command::ErrandList(ErrandList { page, unit: None });
    let errands: Errands = read(desk.ask(asked).await?)?;
    Ok(console::page::part(&errands))
}

pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Query(which): Query<Page>,
) -> Result<Response, Problem> {
    let body = part(&desk, which.page).await?;
    Ok(desk.page(&visit, t::ERRAND, "/errands", body).await)
}

/// The same without its frame, for a page that changes by itself.
pub(super) async fn piece(State(desk): State<Arc<Desk>>, Query(which): Query<Page>) -> Result<Response, Problem> {
    Ok(Html(part(&desk, which.page).await?).into_response())
}

pub(super) async fn new_page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let typed = Typed {
        matter: USUAL.to_owned(),
        claim: Some(String::new()),
        once: console::session::secret(),
        ..Typed::default()
    };
    show(&desk, &visit, &typed, None).await
}

async fn show(desk: &Desk, visit: &Visit, typed: &Typed, said: Option<String>) -> Result<Response, Problem> {
    let matters = desk.matters().await?;
    let part = NewPart {
        csrf: &visit.csrf,
        typed,
        matters: matters.matters.iter().collect(),
        said,
    };
    Ok(desk
        .page(visit, t::NEW_ERRAND, "/errands", console::page::part(&part))
        .await)
}

/// Writes it down.
pub(super) async fn entrust(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let person = visit.person.as_ref().ok_or_else(Problem::not_allowed)?;
    let some = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    let errand = ErrandNew {
        matter: typed.matter.clone(),
        name: typed.name.clone(),
        cert_no: typed.cert_no.clone(),
        mobile: some(&typed.mobile),
        address: some(&typed.address),
        task: typed.task.clone(),
        claim: typed.claim.is_some(),
        user: Some(person.id),
        cover: cover(person),
        once: some(&typed.once),
        ..ErrandNew::default()
    };
    match desk.ask(Command::ErrandNew(errand)).await {
        Ok(made) => {
            let number = made["project_no"].as_str().unwrap_or_default().to_owned();
            desk.say(&visit, t::SAVED.to_owned()).await;
            Ok(go(&visit, &format!("/case/{number}")))
        }
        Err(problem) => {
            let mut response = show(&desk, &visit, &typed, Some(problem.text)).await?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
    }
}
