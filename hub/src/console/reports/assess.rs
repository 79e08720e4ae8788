//! 量化考核: the windows of a period, the weights, and posts that were empty.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use console::page::{go, part};
use console::{Problem, Visit};
use ledger::day::Day;
use office::command::{AbsenceNote, Assess, Command, Report};
use serde::Deserialize;

use super::given::behind;
use super::numbers::{Cell, Head, Row, Table, cell, plain};
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
    definitions: Vec<Definition>,
    people: Vec<Window>,
    rooms: Vec<Window>,
}

#[derive(Deserialize)]
struct Definition {
    key: String,
    label: String,
    definition: String,
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
    /// What an address names it by.
    window: String,
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

const OF_PEOPLE: [&str; 9] = [
    "closed",
    "on_time",
    "satisfied",
    "rated",
    "away",
    "covered",
    "cover",
    "stood_in",
    "score",
];
const OF_ROOMS: [&str; 8] = [
    "closed",
    "on_time",
    "satisfied",
    "rated",
    "away",
    "covered",
    "cover",
    "score",
];

impl Window {
    fn shown(&self, key: &str) -> String {
        match key {
            "closed" => self.closed.to_string(),
            "on_time" => self.on_time.clone(),
            "satisfied" => self.satisfied.clone(),
            "rated" => self.rated.clone(),
            "away" => self.away.to_string(),
            "covered" => self.covered.to_string(),
            "cover" => self.cover.clone(),
            "stood_in" => self.stood_in.to_string(),
            _ => self.score.clone(),
        }
    }
}

impl Assessed {
    fn people(&self) -> Table {
        self.table("people", vec![t::NAME, t::UNIT], &OF_PEOPLE, &self.people)
    }

    fn rooms(&self) -> Table {
        self.table("rooms", vec![t::UNIT], &OF_ROOMS, &self.rooms)
    }

    fn table(&self, name: &'static str, texts: Vec<&'static str>, keys: &[&'static str], of: &[Window]) -> Table {
        let place = format!("period={}&unit={}", self.period, self.unit);
        let row = |w: &Window| {
            let more = format!("&window={}", w.window);
            let one = |key: &&str| match *key {
                "score" => Cell {
                    grave: true,
                    ..plain(&w.score)
                },
                // 有人顶岗 is the part of B岗出勤率 that is there.
                "covered" => cell(w.shown(key), || behind(&place, "cover", &more)),
                key => cell(w.shown(key), || behind(&place, key, &more)),
            };
            let texts = w.name.iter().chain([&w.unit_name]);
            Row {
                texts: texts.map(|text| (text.clone(), None)).collect(),
                cells: keys.iter().map(one).collect(),
            }
        };
        Table {
            name,
            texts,
            heads: keys.iter().map(|key| self.head(key)).collect(),
            rows: of.iter().map(row).collect(),
        }
    }

    fn head(&self, key: &'static str) -> Head {
        let figure = self.definitions.iter().find(|d| d.key == key);
        let (label, definition) = match figure {
            Some(figure) => (figure.label.clone(), figure.definition.clone()),
            None => {
                let (label, definition) = t::column(key);
                (label.to_owned(), definition.to_owned())
            }
        };
        Head { key, label, definition }
    }
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
    undo: Option<String>,
}

pub(super) async fn absence(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(typed): Form<Absent>,
) -> Result<Response, Problem> {
    let on = Day::parse(typed.on.trim()).ok_or_else(|| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, t::BAD_DAY))?;
    let undo = typed.undo.is_some();
    let note = AbsenceNote {
        unit: typed.unit,
        name: typed.name,
        on,
        half: typed.half,
        undo,
        user: None,
    };
    let noted = console.ask_as(&visit, Command::Report(Report::Absence(note))).await?;
    let text = |key: &str| noted[key].as_str().unwrap_or_default();
    let half_days = noted["half_days"].as_u64().unwrap_or(0);
    let said = match undo {
        true => t::absence_undone,
        false => t::absence_said,
    };
    console.say(&visit, said(text("name"), text("on"), half_days));
    let month: String = text("on").chars().take(7).collect();
    Ok(go(&visit, &format!("/assess?period={month}")))
}
