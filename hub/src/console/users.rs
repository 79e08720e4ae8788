//! People: who works at this centre and in the rooms below, one-time codes, and who does not work here any more.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use console::page::go;
use console::{Problem, Visit};
use office::command::{Command, UserAdd, UserRef};
use serde::Deserialize;

use super::rights::{Right, Routes, may_act};
use super::{Console, texts as t};

/// Rows on one page.
const ROWS_MAX: usize = 200;
/// Roles, and which of them somebody may name: the office refuses the others.
const ROLES: [&str; 5] = ["clerk", "head", "operator", "admin", "auditor"];

fn named_by(visit: &Visit) -> &'static [&'static str] {
    match &visit.person {
        Some(person) if person.is("admin") => &ROLES,
        Some(person) if person.is("head") => &ROLES[..2],
        _ => &[],
    }
}

pub(super) fn routes() -> Routes {
    Routes::new()
        .look(Right::Users, "/users", page)
        .act(Right::Users, "/users/add", add)
        .act(Right::Users, "/users/code", code)
        .act(Right::Users, "/users/stop", stop)
}

#[derive(Deserialize)]
struct Row {
    id: String,
    name: String,
    unit: String,
    unit_name: String,
    own: bool,
    /// Of this centre or below it: others are named from above.
    ours: bool,
    /// Whoever looks may give this person a code, and stop them.
    yours: bool,
    roles: Vec<String>,
    active: bool,
    /// A PIN or password was set, at this hub.
    #[serde(default)]
    enrolled: bool,
}

impl Row {
    fn roles(&self) -> String {
        self.roles.iter().map(|r| t::role(r)).collect::<Vec<_>>().join("、")
    }
}

#[derive(Template)]
#[template(path = "users.html")]
struct Part<'a> {
    csrf: &'a str,
    rows: Vec<Row>,
    left: usize,
    find: &'a str,
    may_act: bool,
    /// What may be chosen for somebody new.
    roles: &'static [&'static str],
    said: Option<String>,
    wrong: Option<String>,
    typed: &'a Adding,
}

#[derive(Deserialize)]
struct Finding {
    #[serde(default)]
    find: String,
}

async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(finding): Query<Finding>,
) -> Result<Response, Problem> {
    show(&console, &visit, &finding.find, &Adding::default(), None).await
}

async fn show(
    console: &Console,
    visit: &Visit,
    find: &str,
    typed: &Adding,
    wrong: Option<String>,
) -> Result<Response, Problem> {
    let all = console.ask_as(visit, Command::UserList).await?;
    let enrolled = console.door.accounts.enrolled().unwrap_or_default();
    let enrolled: Vec<String> = enrolled.iter().map(ToString::to_string).collect();
    let rows = all.as_array().cloned().unwrap_or_default().into_iter();
    let find = find.trim();
    let mut rows: Vec<Row> = rows
        .filter_map(|row| serde_json::from_value::<Row>(row).ok())
        .filter(|r| [&r.name, &r.unit, &r.unit_name].iter().any(|text| text.contains(find)))
        .map(|row| Row {
            enrolled: enrolled.contains(&row.id),
            ..row
        })
        .collect();
    let left = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    let is_wrong = wrong.is_some();
    let part = Part {
        csrf: &visit.csrf,
        rows,
        left,
        find,
        may_act: may_act(visit.person.as_ref(), Right::Users),
        roles: named_by(visit),
        said: console.said(visit),
        wrong,
        typed,
    };
    let mut response = console
        .page(visit, t::USERS, "/users", console::page::part(&part))
        .await;
    if is_wrong {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

#[derive(Default, Deserialize)]
struct Adding {
    #[serde(default)]
    unit: String,
    name: String,
    role: String,
}

async fn add(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Adding>,
) -> Result<Response, Problem> {
    let unit = match form.unit.trim() {
        "" => console.own_unit().await?,
        typed => typed.to_owned(),
    };
    let command = UserAdd {
        unit,
        name: form.name.clone(),
        role: form.role.clone(),
    };
    match console.ask_as(&visit, Command::UserAdd(command)).await {
        Ok(made) => {
            console.say(&visit, said_code(&made));
            Ok(go(&visit, "/users"))
        }
        Err(problem) => show(&console, &visit, "", &form, Some(problem.text)).await,
    }
}

#[derive(Deserialize)]
struct Who {
    who: String,
}

async fn code(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Who>,
) -> Result<Response, Problem> {
    match console
        .ask_as(&visit, Command::UserCode(UserRef { who: form.who }))
        .await
    {
        Ok(made) => {
            console.say(&visit, said_code(&made));
            Ok(go(&visit, "/users"))
        }
        Err(problem) => show(&console, &visit, "", &Adding::default(), Some(problem.text)).await,
    }
}

async fn stop(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Who>,
) -> Result<Response, Problem> {
    match console
        .ask_as(&visit, Command::UserStop(UserRef { who: form.who }))
        .await
    {
        Ok(stopped) => {
            console.say(&visit, t::user_stopped(stopped["name"].as_str().unwrap_or_default()));
            Ok(go(&visit, "/users"))
        }
        Err(problem) => show(&console, &visit, "", &Adding::default(), Some(problem.text)).await,
    }
}

fn said_code(made: &serde_json::Value) -> String {
    let text = |name: &str| made[name].as_str().unwrap_or_default();
    format!("{} {}：{}", t::CODE_NOTE, text("name"), text("code"))
}
