//! 量化考核: the windows of a period, the weights, and posts that were empty.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::response::Response;
use console::page::{go, part};
use console::{Problem, Visit};
use ledger::day::Day;
use office::command::{AbsenceNote, Assess, Command, Report};
use serde::Deserialize;

use super::{Asked, pick, read};
use crate::console::rights::{Right, may_act};
use crate::console::texts::reports as t;
use crate::console::{Console, wall_ms};

#[derive(Deserialize)]
struct Assessed {
    period: String,
    label: String,
    unit: String,
    unit_name: String,
    watermark: String,
    choices: Vec<pick::UnitChoice>,
    weights: Vec<Weight>,
    people: Vec<Window>,
    rooms: Vec<Window>,
}

#[derive(Deserialize)]
struct Weight {
    label: String,
    points: i64,
    definition: String,
}

#[derive(Deserialize)]
struct Window {
    unit_name: String,
    name: Option<String>,
    closed: u64,
    on_time: String,
    satisfied: String,
    rated: String,
    away: u64,
    covered: u64,
    cover: String,
    stood_in: u64,
    score: String,
}

#[derive(Template)]
#[template(path = "reports/assess.html")]
struct Page<'a> {
    csrf: &'a str,
    a: &'a Assessed,
    picker: pick::Picker,
    may_note: bool,
    said: Option<String>,
    today: Day,
}

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let ask = Assess {
        period: asked.period(),
        unit: asked.unit(),
    };
    let assessed: Assessed = read(console.ask(Command::Report(Report::Assess(ask))).await?)?;
    let today = Day::of_wall_ms(wall_ms());
    let page = Page {
        csrf: &visit.csrf,
        picker: pick::Picker::of(&assessed.period, &assessed.unit, false, &assessed.choices, today),
        may_note: may_act(visit.person.as_ref(), Right::Report),
        said: console.said(&visit),
        a: &assessed,
        today,
    };
    Ok(console.page(&visit, t::ASSESS, "/assess", part(&page)).await)
}

#[derive(Deserialize)]
pub(super) struct Absent {
    unit: String,
    name: String,
    on: String,
    half: String,
}

pub(super) async fn absence(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(typed): Form<Absent>,
) -> Result<Response, Problem> {
    let note = AbsenceNote {
        unit: typed.unit,
        name: typed.name,
        on: Day::parse(typed.on.trim()).unwrap_or_else(|| Day::of_wall_ms(wall_ms())),
        half: typed.half,
        user: None,
    };
    let noted = console.ask_as(&visit, Command::Report(Report::Absence(note))).await?;
    let text = |key: &str| noted[key].as_str().unwrap_or_default();
    let half_days = noted["half_days"].as_u64().unwrap_or(0);
    console.say(&visit, t::absence_said(text("name"), text("on"), half_days));
    let month: String = text("on").chars().take(7).collect();
    Ok(go(&visit, &format!("/assess?period={month}")))
}
