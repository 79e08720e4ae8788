//! 受理文书号登记簿: the document numbers of a year, void ones with what came instead, and whether any is missing.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use console::line::read;
use console::{Problem, Visit};
use office::command::{Command, DocRegister, Work};
use serde::Deserialize;

use super::{Console, Tag, filled, t};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    year: String,
    after: String,
}

#[derive(Deserialize)]
struct Series {
    series: String,
    given: u64,
    void: u64,
    last: u64,
    missing: Vec<u64>,
    twice: u64,
}

impl Series {
    fn gaps(&self) -> Tag {
        let (colour, word) = match (self.missing.as_slice(), self.twice) {
            ([], 0) => ("green", t::NO_GAP.to_owned()),
            ([], twice) => ("red", t::given_twice(twice)),
            (missing, _) => {
                let named: Vec<String> = missing.iter().map(u64::to_string).collect();
                ("amber", t::gaps(&named.join("、")))
            }
        };
        Tag { colour, word }
    }
}

#[derive(Deserialize)]
struct Row {
    doc_no: String,
    on: Option<String>,
    project_no: String,
    unit_name: String,
    matter_name: Option<String>,
    name: Option<String>,
    void: bool,
    void_reason: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    year: i32,
    series: Vec<Series>,
    numbers: Vec<Row>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "work/register.html")]
struct Part {
    answer: Answer,
}

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let year = which.year.trim().parse::<i32>().ok();
    let asked = DocRegister {
        year: year.filter(|year| (1900..2200).contains(year)),
        after: filled(&which.after),
        limit: Some(100),
    };
    let asked = Command::Work(Work::DocRegister(asked));
    let answer: Answer = read(console.ask_as(&visit, asked).await?)?;
    let body = console::page::part(&Part { answer });
    Ok(console.page(&visit, t::REGISTER, "/inbox", body).await)
}
