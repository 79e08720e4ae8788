//! 差评回访: bad evaluations with their workdays left, what was done about each, and the head's word that ends it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::response::Response;
use console::face::cover;
use console::line::{Line, read};
use console::page::go;
use console::texts::case as ct;
use console::{Problem, Visit};
use office::command::{Command, FollowUp, FollowUpList, Malicious, Work};
use serde::Deserialize;

use super::{Console, Page, Pairs, Tag, filled, one, person, t};
use crate::console::rights::{Right, may_act};

#[derive(Deserialize)]
struct Step {
    on: String,
    note: Option<String>,
    closes: bool,
    unit_name: String,
    by: Option<String>,
}

#[derive(Deserialize)]
struct Follow {
    closed: bool,
    workdays_left: Option<i64>,
    steps: Vec<Step>,
    malicious: Option<Mark>,
}

/// That somebody found the evaluation malicious.
#[derive(Deserialize)]
struct Mark {
    on: String,
    reason: Option<String>,
    unit_name: String,
    by: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(flatten)]
    line: Line,
    unit_name: String,
    rating: Option<i64>,
    reviewed_on: String,
    follow: Follow,
}

impl Row {
    fn tag(&self) -> Tag {
        let (colour, word) = match (self.follow.closed, self.follow.workdays_left) {
            (true, _) => ("green", t::FOLLOW_CLOSED.to_owned()),
            (false, Some(left)) if left < 0 => ("red", t::overdue_workdays(-left)),
            (false, Some(0)) => ("amber", t::DUE_TODAY.to_owned()),
            (false, Some(left)) => ("amber", t::left(left)),
            (false, None) => ("grey", t::NO_CLOCK.to_owned()),
        };
        Tag { colour, word }
    }

    fn rated(&self) -> &'static str {
        ct::rating_word(self.rating.unwrap_or(0))
    }
}

#[derive(Deserialize)]
struct Answer {
    page: usize,
    left: usize,
    cases: Vec<Row>,
}

#[derive(Template)]
#[template(path = "work/follow.html")]
struct Part<'a> {
    csrf: &'a str,
    once: String,
    answer: Answer,
    closed: bool,
    workdays: u32,
    may_act: bool,
    may_close: bool,
    said: Option<String>,
    wrong: Option<String>,
    typed_no: &'a str,
    typed_note: &'a str,
}

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(filter): Query<Page>,
) -> Result<Response, Problem> {
    show(&console, &visit, &filter, None, ("", "")).await
}

async fn show(
    console: &Console,
    visit: &Visit,
    filter: &Page,
    wrong: Option<String>,
    typed: (&str, &str),
) -> Result<Response, Problem> {
    let closed = !filter.done.is_empty();
    let asked = FollowUpList {
        closed,
        unit: filled(&filter.unit),
        workdays: Some(console.follow_up_workdays),
        page: filter.page,
        limit: Some(20),
    };
    let asked = Command::Work(Work::FollowUps(asked));
    let person = visit.person.as_ref();
    let part = Part {
        csrf: &visit.csrf,
        once: console::session::secret(),
        answer: read(console.ask_as(visit, asked).await?)?,
        closed,
        workdays: console.follow_up_workdays,
        may_act: may_act(person, Right::Work),
        may_close: person.is_some_and(|p| p.is("head") || p.is("admin")),
        said: console.said(visit),
        wrong: wrong.clone(),
        typed_no: typed.0,
        typed_note: typed.1,
    };
    let body = console::page::part(&part);
    Ok(match wrong {
        Some(_) => console.wrong(visit, t::FOLLOW, "/conflicts", body).await,
        None => console.page(visit, t::FOLLOW, "/conflicts", body).await,
    })
}

pub(super) async fn say(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let (number, note) = (
        one(&pairs, "number").unwrap_or_default(),
        one(&pairs, "note").unwrap_or_default(),
    );
    let close = one(&pairs, "close").is_some();
    let person = person(&visit)?;
    let follow = FollowUp {
        number: number.clone(),
        note: note.clone(),
        close,
        user: Some(person.id),
        cover: cover(person),
        once: one(&pairs, "once"),
    };
    match console.ask_as(&visit, Command::Work(Work::FollowUp(follow))).await {
        Ok(_) => {
            console.say(&visit, if close { t::FOLLOW_ENDED } else { t::FOLLOW_NOTED });
            Ok(go(&visit, "/follow"))
        }
        Err(problem) => show(&console, &visit, &Page::default(), Some(problem.text), (&number, &note)).await,
    }
}

/// 恶意评价, or that it is none: a head's word, with a reason. Where it cannot be taken the words stand there again.
pub(super) async fn malicious(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let person = person(&visit)?;
    let undo = one(&pairs, "undo").is_some();
    let mark = Malicious {
        number: one(&pairs, "number").unwrap_or_default(),
        reason: one(&pairs, "reason").unwrap_or_default(),
        undo,
        user: Some(person.id),
        cover: cover(person),
    };
    let list = Page {
        done: if undo { "1".to_owned() } else { String::new() },
        ..Page::default()
    };
    match console.ask_as(&visit, Command::Work(Work::Malicious(mark))).await {
        Ok(_) => {
            console.say(&visit, if undo { t::MALICIOUS_UNDONE } else { t::MALICIOUS_MARKED });
            Ok(go(&visit, if undo { "/follow" } else { "/follow?done=1" }))
        }
        Err(problem) => show(&console, &visit, &list, Some(problem.text), ("", "")).await,
    }
}
