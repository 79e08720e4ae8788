//! 待裁决: each conflict with both sides in plain words, one press to decide, one to take it back.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::response::Response;
use console::face::cover;
use console::line::read;
use console::page::go;
use console::{Problem, Visit};
use office::command::{Command, ConflictQueue, ConflictResolve, Work};
use serde::Deserialize;

use super::{Console, Page, Pairs, UnitOf, filled, one, person, t};
use crate::console::rights::{Right, may_act};

/// A case that an item is about.
#[derive(Deserialize)]
struct Record {
    project_no: String,
    unit_name: String,
    matter_name: Option<String>,
    name: Option<String>,
    on: Option<String>,
    state_label: String,
}

#[derive(Deserialize)]
struct Side {
    choice: String,
    what: String,
    words: Option<String>,
    value: Option<serde_json::Value>,
    unit_name: Option<String>,
    by: Option<String>,
    tier: Option<String>,
    device: Option<String>,
    at: Option<String>,
    #[serde(default)]
    leads: bool,
}

impl Side {
    fn words(&self) -> String {
        let words = self.words.as_deref().unwrap_or(&self.what);
        match self.value.as_ref().and_then(|v| v.as_str()) {
            Some(value) => format!("{words}：{value}"),
            None => words.to_owned(),
        }
    }

    /// Who said it, when, and on which computer.
    fn who(&self) -> String {
        let mut parts: Vec<&str> = Vec::new();
        parts.extend(self.tier.as_deref().map(t::tier));
        parts.extend(self.unit_name.as_deref());
        parts.extend(self.by.as_deref());
        parts.extend(self.at.as_deref());
        let device = self.device.as_deref().map(t::on_device).unwrap_or_default();
        let leads = if self.leads { t::LEADS_NOW } else { "" };
        format!("{} {device} {leads}", parts.join(" ")).trim().to_owned()
    }

    fn button(&self) -> &'static str {
        t::choose(&self.choice)
    }
}

#[derive(Deserialize)]
struct Resolved {
    choice: String,
    reason: Option<String>,
    unit_name: Option<String>,
    by: Option<String>,
    on: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    kind: String,
    label: Option<String>,
    state: String,
    #[serde(default)]
    records: Vec<Record>,
    #[serde(default)]
    choices: Vec<Side>,
    resolved: Option<Resolved>,
    age_workdays: Option<u32>,
    #[serde(default)]
    ours: bool,
    device_name: Option<String>,
    unit_name: Option<String>,
    advice: Option<String>,
}

impl Item {
    fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.kind)
    }

    fn is_open(&self) -> bool {
        self.state == "open"
    }

    fn is_fork(&self) -> bool {
        self.kind == "fork"
    }

    /// What it is about, and what a decision does.
    fn what(&self) -> &'static str {
        t::conflict_what(&self.kind)
    }

    /// The side that was chosen, in words.
    fn chosen(&self, by: &Resolved) -> String {
        let side = self.choices.iter().find(|side| side.choice == by.choice);
        side.map_or_else(|| t::choose(&by.choice).to_owned(), Side::words)
    }
}

#[derive(Deserialize)]
struct Answer {
    page: usize,
    left: usize,
    items: Vec<Item>,
}

#[derive(Template)]
#[template(path = "work/conflicts.html")]
struct Part<'a> {
    csrf: &'a str,
    answer: Answer,
    filter: &'a Page,
    units: Vec<UnitOf>,
    decided: bool,
    may_act: bool,
    said: Option<String>,
    wrong: Option<String>,
}

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(filter): Query<Page>,
) -> Result<Response, Problem> {
    show(&console, &visit, &filter, None).await
}

async fn show(console: &Console, visit: &Visit, filter: &Page, wrong: Option<String>) -> Result<Response, Problem> {
    let decided = !filter.done.is_empty();
    let asked = ConflictQueue {
        decided,
        kind: filled(&filter.kind),
        unit: filled(&filter.unit),
        page: filter.page,
        limit: Some(20),
    };
    let asked = Command::Work(Work::Conflicts(asked));
    let answer: Answer = read(console.ask_as(visit, asked).await?)?;
    let is_wrong = wrong.is_some();
    let part = Part {
        csrf: &visit.csrf,
        answer,
        filter,
        units: console.units().await?,
        decided,
        may_act: may_act(visit.person.as_ref(), Right::Settle),
        said: console.said(visit),
        wrong,
    };
    let body = console::page::part(&part);
    Ok(match is_wrong {
        true => console.wrong(visit, t::CONFLICTS, "/conflicts", body).await,
        false => console.page(visit, t::CONFLICTS, "/conflicts", body).await,
    })
}

pub(super) async fn decide(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let choose = one(&pairs, "choose").unwrap_or_default();
    let undone = choose == "undo";
    let person = person(&visit)?;
    let resolve = ConflictResolve {
        id: one(&pairs, "id").unwrap_or_default(),
        choose,
        note: one(&pairs, "note"),
        user: Some(person.id),
        cover: cover(person),
    };
    match console.ask_as(&visit, Command::ConflictResolve(resolve)).await {
        Ok(_) => {
            console.say(&visit, if undone { t::DECISION_UNDONE } else { t::DECISION_MADE });
            Ok(go(&visit, if undone { "/conflicts" } else { "/conflicts?done=1" }))
        }
        Err(problem) => show(&console, &visit, &Page::default(), Some(problem.text)).await,
    }
}
