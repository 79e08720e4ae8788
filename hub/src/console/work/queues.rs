//! 搁置 and 待认: what is kept and does not count yet, why, and the word that ends it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::response::Response;
use console::line::read;
use console::page::go;
use console::{Problem, Visit};
use office::command::{Command, MemberExtend, QuarantineQueue, QuarantineRetry, WaitingLeave, WaitingList, Work};
use serde::Deserialize;

use super::{Console, Page, Pairs, filled, one, person, t};
use crate::console::rights::{Right, may_act};

#[derive(Deserialize)]
struct Item {
    kind: String,
    reason: String,
    #[serde(default = "once")]
    count: u32,
    project_no: Option<String>,
    unit_name: Option<String>,
    #[serde(default)]
    healed: bool,
}

fn once() -> u32 {
    1
}

impl Item {
    fn word(&self) -> &'static str {
        t::set_aside_kind(&self.kind)
    }

    fn colour(&self) -> &'static str {
        match self.kind.as_str() {
            "damaged" if self.healed => "green",
            "set_aside" | "damaged" | "unreadable" => "red",
            _ => "amber",
        }
    }

    fn next(&self) -> &'static str {
        t::set_aside_next(&self.kind)
    }
}

#[derive(Deserialize)]
struct Answer {
    page: usize,
    left: usize,
    items: Vec<Item>,
}

#[derive(Template)]
#[template(path = "work/setaside.html")]
struct SetAside<'a> {
    csrf: &'a str,
    answer: Answer,
    may_act: bool,
    said: Option<String>,
    wrong: Option<String>,
}

pub(super) async fn set_aside(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(filter): Query<Page>,
) -> Result<Response, Problem> {
    show_set_aside(&console, &visit, &filter, None).await
}

async fn show_set_aside(
    console: &Console,
    visit: &Visit,
    filter: &Page,
    wrong: Option<String>,
) -> Result<Response, Problem> {
    let asked = QuarantineQueue {
        unit: filled(&filter.unit),
        page: filter.page,
        limit: None,
    };
    let asked = Command::Work(Work::Quarantine(asked));
    let part = SetAside {
        csrf: &visit.csrf,
        answer: read(console.ask_as(visit, asked).await?)?,
        may_act: may_act(visit.person.as_ref(), Right::Settle),
        said: console.said(visit),
        wrong: wrong.clone(),
    };
    let body = console::page::part(&part);
    Ok(match wrong {
        Some(_) => console.wrong(visit, t::SETASIDE, "/conflicts", body).await,
        None => console.page(visit, t::SETASIDE, "/conflicts", body).await,
    })
}

pub(super) async fn retry(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let retry = QuarantineRetry {
        number: one(&pairs, "number"),
        user: Some(person(&visit)?.id),
    };
    let asked = Command::Work(Work::QuarantineRetry(retry));
    match console.ask_as(&visit, asked).await {
        Ok(answer) => {
            let number = |at: &str| answer[at].as_u64().unwrap_or(0);
            console.say(&visit, t::retried(number("tried"), number("healed"), number("left")));
            Ok(go(&visit, "/setaside"))
        }
        Err(problem) => show_set_aside(&console, &visit, &Page::default(), Some(problem.text)).await,
    }
}

#[derive(Deserialize)]
struct Step {
    label: String,
    on: String,
    by: Option<String>,
}

#[derive(Deserialize)]
struct Record {
    project_no: Option<String>,
    unit_name: String,
    matter_name: Option<String>,
    entries: u64,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Left {
    reason: String,
    at: String,
    by: Option<String>,
}

#[derive(Deserialize)]
struct Device {
    device: String,
    device_name: Option<String>,
    unit_name: String,
    state: String,
    reason: Option<String>,
    entries: u64,
    records_count: u64,
    records: Vec<Record>,
    admitted: Vec<Admitted>,
    left: Option<Left>,
}

/// A device that was let in by words that do not count yet.
#[derive(Deserialize)]
struct Admitted {
    name: String,
    unit_name: String,
}

impl Device {
    /// As people tell devices apart.
    fn short(&self) -> &str {
        self.device.get(..8).unwrap_or(&self.device)
    }

    fn word(&self) -> &'static str {
        t::device_state(&self.state)
    }
}

#[derive(Template)]
#[template(path = "work/waiting.html")]
struct Waiting<'a> {
    csrf: &'a str,
    devices: Vec<Device>,
    left: bool,
    may_act: bool,
    may_extend: bool,
    said: Option<String>,
    wrong: Option<String>,
}

pub(super) async fn waiting(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(filter): Query<Page>,
) -> Result<Response, Problem> {
    show_waiting(&console, &visit, !filter.done.is_empty(), None).await
}

async fn show_waiting(
    console: &Console,
    visit: &Visit,
    left: bool,
    wrong: Option<String>,
) -> Result<Response, Problem> {
    let asked = Command::Work(Work::Waiting(WaitingList { left }));
    let answer = console.ask_as(visit, asked).await?;
    let person = visit.person.as_ref();
    let part = Waiting {
        csrf: &visit.csrf,
        devices: read(answer["devices"].clone())?,
        left,
        may_act: may_act(person, Right::Settle),
        may_extend: may_act(person, Right::Members),
        said: console.said(visit),
        wrong: wrong.clone(),
    };
    let body = console::page::part(&part);
    Ok(match wrong {
        Some(_) => console.wrong(visit, t::WAITING, "/conflicts", body).await,
        None => console.page(visit, t::WAITING, "/conflicts", body).await,
    })
}

/// What waits counts after all.
pub(super) async fn extend(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let extend = MemberExtend {
        device: one(&pairs, "device").unwrap_or_default(),
        root_key: None,
    };
    let asked = console.ask_as(&visit, Command::MemberExtend(extend)).await;
    ended(&console, &visit, asked, t::EXTENDED).await
}

/// What waits is left as it is, with a reason; or that is taken back.
pub(super) async fn leave(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let undo = one(&pairs, "undo").is_some();
    let leave = WaitingLeave {
        device: one(&pairs, "device").unwrap_or_default(),
        reason: one(&pairs, "reason").unwrap_or_default(),
        undo,
        user: Some(person(&visit)?.id),
    };
    let asked = console.ask_as(&visit, Command::Work(Work::WaitingLeave(leave))).await;
    ended(&console, &visit, asked, if undo { t::LEAVE_UNDONE } else { t::LEFT }).await
}

async fn ended(
    console: &Console,
    visit: &Visit,
    asked: Result<serde_json::Value, Problem>,
    said: &str,
) -> Result<Response, Problem> {
    match asked {
        Ok(_) => {
            console.say(visit, said);
            Ok(go(visit, "/waiting"))
        }
        Err(problem) => show_waiting(console, visit, false, Some(problem.text)).await,
    }
}
