//! 收件箱: what waits for this centre, the most urgent first; many at once; and finding a case by what one knows of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::response::{Html, IntoResponse, Response};
use console::face::cover;
use console::line::{Line, read};
use console::{Problem, Visit};
use ledger::day::Day;
use office::command::{CaseDoMany, CaseFind, Command, Inbox, Work};
use serde::Deserialize;

use super::{Console, Pairs, Tag, UnitOf, filled, one, person, t};
use crate::console::rights::{Right, may_act};
use crate::console::wall_ms;

#[derive(Deserialize)]
struct Counts {
    total: u64,
    overdue: u64,
    due_today: u64,
    states: Vec<StateCount>,
}

#[derive(Deserialize)]
struct StateCount {
    state: String,
    label: String,
    count: u64,
}

/// What the clock of a case says.
#[derive(Deserialize)]
pub(super) struct Clock {
    kind: String,
    days: i64,
    by: Option<String>,
    provisional: bool,
    accept: bool,
}

impl Clock {
    fn tag(&self) -> Tag {
        let (colour, word) = match (self.kind.as_str(), self.days) {
            ("overdue", days) => ("red", t::overdue(days)),
            ("today", _) => ("amber", t::DUE_TODAY.to_owned()),
            ("left", days) if days <= 1 => ("amber", t::left(days)),
            ("left", days) => ("green", t::left(days)),
            ("suspended", _) => ("grey", t::SUSPENDED.to_owned()),
            _ => ("grey", t::NO_CLOCK.to_owned()),
        };
        let word = if self.accept { t::to_accept(&word) } else { word };
        let word = if self.provisional { t::provisional(&word) } else { word };
        Tag { colour, word }
    }

    fn by(&self) -> &str {
        self.by.as_deref().unwrap_or("")
    }
}

#[derive(Deserialize)]
struct Row {
    #[serde(flatten)]
    line: Line,
    unit_name: String,
    clock: Clock,
    waits_for: String,
    handled_by: Option<String>,
}

impl Row {
    /// Whether this step may be taken with many at once.
    fn is_safe(&self) -> bool {
        matches!(self.line.state.as_str(), "received" | "accepted" | "suspended") && self.waits_for != "room"
    }

    fn waits(&self) -> &'static str {
        t::waits_for(&self.waits_for)
    }
}

#[derive(Deserialize)]
struct Answer {
    tier: String,
    counts: Counts,
    cases: Vec<Row>,
    next: Option<String>,
}

/// What stands in the address: no word of it is about a person.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::console) struct Filter {
    all: String,
    state: String,
    unit: String,
    matter: String,
    overdue: String,
    mine: String,
    after: String,
    /// Counts of the page that asks, for its live line.
    seen: String,
}

impl Filter {
    fn asked(&self, visit: &Visit) -> Inbox {
        let mine = visit.person.as_ref().map(|p| p.id).filter(|_| !self.mine.is_empty());
        Inbox {
            all: !self.all.is_empty(),
            state: filled(&self.state),
            unit: filled(&self.unit),
            matter: filled(&self.matter),
            overdue: !self.overdue.is_empty(),
            mine,
            after: filled(&self.after),
            limit: None,
        }
    }

    /// The address of these filters.
    fn query(&self) -> String {
        let clean = |text: &str| -> String {
            text.chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect()
        };
        let pairs = [
            ("all", &self.all),
            ("state", &self.state),
            ("unit", &self.unit),
            ("matter", &self.matter),
            ("overdue", &self.overdue),
            ("mine", &self.mine),
        ];
        let filled = pairs.iter().filter(|(_, value)| !value.is_empty());
        let joined: Vec<String> = filled.map(|(name, value)| format!("{name}={}", clean(value))).collect();
        joined.join("&")
    }
}

#[derive(Template)]
#[template(path = "work/inbox.html")]
struct Part<'a> {
    csrf: &'a str,
    filter: &'a Filter,
    query: String,
    units: Vec<UnitOf>,
    answer: &'a Answer,
    seen: String,
    may_act: bool,
    said: Option<String>,
    today: String,
}

impl Part<'_> {
    fn has_suspended(&self) -> bool {
        self.answer.cases.iter().any(|row| row.line.state == "suspended")
    }
}

#[derive(Template)]
#[template(path = "work/inbox_counts.html")]
struct CountsPart<'a> {
    counts: &'a Counts,
    query: String,
    seen: String,
    is_new: bool,
}

impl Answer {
    fn seen(&self) -> String {
        let parts: Vec<String> = self
            .counts
            .states
            .iter()
            .map(|s| format!("{}{}", s.state, s.count))
            .collect();
        format!("{}x{}x{}", self.counts.total, self.counts.overdue, parts.concat())
    }

    fn is_county(&self) -> bool {
        self.tier == "county"
    }
}

async fn ask(console: &Console, visit: &Visit, filter: &Filter) -> Result<Answer, Problem> {
    let asked = Command::Work(Work::Inbox(filter.asked(visit)));
    read(console.ask_as(visit, asked).await?)
}

pub(in crate::console) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    let answer = ask(&console, &visit, &filter).await?;
    let part = Part {
        csrf: &visit.csrf,
        filter: &filter,
        query: filter.query(),
        units: console.units().await?,
        seen: answer.seen(),
        answer: &answer,
        may_act: may_act(visit.person.as_ref(), Right::Work),
        said: console.said(&visit),
        today: today(),
    };
    Ok(console
        .page(&visit, t::INBOX, "/inbox", console::page::part(&part))
        .await)
}

/// The line of counts: it changes by itself, what somebody is ticking does not.
pub(super) async fn counts(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    let answer = ask(&console, &visit, &filter).await?;
    let part = CountsPart {
        counts: &answer.counts,
        query: filter.query(),
        is_new: answer.seen() != filter.seen,
        seen: filter.seen.chars().filter(char::is_ascii_alphanumeric).collect(),
    };
    Ok(Html(console::page::part(&part)).into_response())
}

#[derive(Deserialize)]
struct Outcome {
    project_no: String,
    outcome: String,
    state_label: Option<String>,
    doc_no: Option<String>,
    message: Option<String>,
}

impl Outcome {
    fn tag(&self) -> Tag {
        let (colour, word) = match self.outcome.as_str() {
            "done" => ("green", t::DONE),
            "already" => ("grey", t::DONE_BEFORE),
            _ => ("red", t::REFUSED),
        };
        let word = word.to_owned();
        Tag { colour, word }
    }
}

#[derive(Deserialize)]
struct Many {
    done: u64,
    already: u64,
    refused: u64,
    cases: Vec<Outcome>,
}

#[derive(Template)]
#[template(path = "work/many.html")]
struct ManyPart {
    many: Many,
    label: &'static str,
}

/// One step on all that were ticked; each row says what became of it.
pub(super) async fn many(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let event = one(&pairs, "event").unwrap_or_default();
    let ticked = pairs.iter().filter(|(name, _)| name == "number");
    let asked = CaseDoMany {
        numbers: ticked.map(|(_, number)| number.clone()).collect(),
        event: event.clone(),
        note: None,
        user: Some(person(&visit)?.id),
        cover: cover(person(&visit)?),
    };
    let asked = Command::Work(Work::CaseDoMany(asked));
    let many: Many = read(console.ask_as(&visit, asked).await?)?;
    let label = match event.as_str() {
        "accept" => t::ACCEPT,
        "resume" => t::RESUME,
        _ => t::PROCESS,
    };
    let body = console::page::part(&ManyPart { many, label });
    Ok(console.page(&visit, label, "/inbox", body).await)
}

#[derive(Deserialize)]
struct Found {
    #[serde(flatten)]
    line: Line,
    unit_name: String,
}

#[derive(Template)]
#[template(path = "work/find.html")]
struct FindPart<'a> {
    csrf: &'a str,
    text: &'a str,
    found: Option<Vec<Found>>,
    today: String,
    wrong: Option<String>,
}

pub(super) async fn find_page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    Ok(found(&console, &visit, "", None, None).await)
}

#[derive(Deserialize)]
pub(super) struct Finding {
    #[serde(default)]
    text: String,
}

/// Cases by number, name, ID number, phone or matter. What is typed stands in no address and no log.
pub(super) async fn find(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(finding): Form<Finding>,
) -> Result<Response, Problem> {
    let text = finding.text.trim();
    let asked = CaseFind {
        text: text.to_owned(),
        ..CaseFind::default()
    };
    let answer = console.ask_as(&visit, Command::CaseFind(asked)).await;
    let (rows, wrong) = match answer {
        Ok(answer) => (Some(read(answer["cases"].clone())?), None),
        Err(problem) => (None, Some(problem.text)),
    };
    Ok(found(&console, &visit, text, rows, wrong).await)
}

async fn found(
    console: &Console,
    visit: &Visit,
    text: &str,
    found: Option<Vec<Found>>,
    wrong: Option<String>,
) -> Response {
    let part = FindPart {
        csrf: &visit.csrf,
        text,
        found,
        today: today(),
        wrong,
    };
    console.page(visit, t::FIND, "/inbox", console::page::part(&part)).await
}

fn today() -> String {
    Day::of_wall_ms(wall_ms()).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(state: &str, clock: &serde_json::Value) -> String {
        let row = json!({
            "project_no": "511603102201-A1-000001", "state": state, "state_label": "已受理", "provisional": false,
            "overdue": false, "deemed_accepted": false, "receipt": "township", "conflicts": 0, "set_aside": 0,
            "waiting": 0, "erased": false, "unit_name": "石桥村", "clock": clock, "waits_for": "township",
        });
        let counts = json!({"total": 1, "overdue": 0, "due_today": 0, "states": []});
        let answer = json!({"tier": "township", "counts": counts, "cases": [row], "next": null});
        let answer: Answer = serde_json::from_value(answer).unwrap();
        let filter = Filter::default();
        console::page::part(&Part {
            csrf: "c",
            filter: &filter,
            query: filter.query(),
            units: Vec::new(),
            seen: answer.seen(),
            answer: &answer,
            may_act: true,
            said: None,
            today: "2026-10-09".to_owned(),
        })
    }

    #[test]
    fn every_clock_is_a_colour_with_its_word_and_its_day() {
        let told = [
            ("accepted", "overdue", 3, "red", "逾期 3 天"),
            ("accepted", "today", 0, "amber", "今天到期"),
            ("accepted", "left", 1, "amber", "还剩 1 个工作日"),
            ("accepted", "left", 2, "green", "还剩 2 个工作日"),
            ("suspended", "suspended", 0, "grey", "特别程序暂停"),
            ("closed", "none", 0, "grey", "未起算"),
        ];
        for (state, kind, days, colour, word) in told {
            for (accept, provisional, said) in [
                (false, false, word.to_owned()),
                (true, false, format!("受理期限：{word}")),
                (false, true, format!("{word} · 暂定")),
                (true, true, format!("受理期限：{word} · 暂定")),
            ] {
                let clock = json!({
                    "kind": kind, "days": days, "by": "2026-10-12", "provisional": provisional, "accept": accept,
                });
                let html = shown(state, &clock);
                let cell = format!(
                    "<td><span class=\"tag {colour}\">{said}</span><br><span class=\"quiet\">2026-10-12</span></td>"
                );
                assert!(html.contains(&cell), "{kind} {days}: {html}");
                let ticks = html.contains("<input type=\"checkbox\" name=\"number\"");
                assert_eq!(ticks, state != "closed", "{html}");
            }
        }
    }
}
