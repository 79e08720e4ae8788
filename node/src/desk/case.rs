//! The case page: what happened in plain words, where it stands, how far it has travelled, and what may be done now.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use console::page::go;
use console::{Problem, Visit};
use ledger::day::Day;
use office::command::{CaseDo, CaseEdit, CaseShow, Command, Reveal};
use serde::Deserialize;
use serde_json::Value;

use super::lines::{Line, read};
use super::new::cover;
use super::{Desk, texts as t, wall_ms};

#[derive(Deserialize)]
struct FieldValue {
    value: Option<Value>,
    sealed: Option<String>,
    leads: bool,
    unit_name: String,
    by: Option<String>,
    at: String,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    label: String,
    personal: bool,
    contradicts: bool,
    values: Vec<FieldValue>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    received: bool,
}

#[derive(Deserialize)]
struct Event {
    label: String,
    on: String,
    data: Value,
    unit_name: String,
    by: Option<String>,
    at: String,
    void: bool,
    void_reason: Option<String>,
    #[serde(default)]
    flags: Vec<String>,
}

#[derive(Deserialize)]
struct Datum {
    name: String,
    label: String,
    kind: String,
    required: bool,
}

/// A button that the form's table allows now.
#[derive(Deserialize)]
struct Step {
    event: String,
    label: String,
    data: Vec<Datum>,
    moves: bool,
    ends: bool,
}

#[derive(Deserialize)]
struct Counted {
    day: String,
    nth: Option<u32>,
    stopped: bool,
    today: bool,
    due: bool,
}

#[derive(Deserialize)]
struct Receipt {
    tier: String,
    tier_label: String,
    unit_name: String,
    state: String,
    at: String,
    withdrawn_at: Option<String>,
}

#[derive(Deserialize)]
struct Side {
    what: String,
    unit_name: String,
}

#[derive(Deserialize)]
struct Conflict {
    label: String,
    state: String,
    choices: Vec<Side>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(flatten)]
    line: Line,
    fields: Vec<Field>,
    items: Vec<Item>,
    #[serde(skip)]
    outstanding: Vec<String>,
    events: Vec<Event>,
    /// Read beside the line's own count of them.
    #[serde(skip)]
    conflicts: Vec<Conflict>,
    receipts: Vec<Receipt>,
    entries: u64,
    allowed: Vec<Step>,
    days: Vec<Counted>,
}

impl FieldValue {
    fn shown(&self) -> String {
        match (&self.value, self.sealed.as_deref()) {
            (Some(Value::String(text)), _) => text.clone(),
            (Some(Value::Null) | None, Some("erased")) => t::ERASED.to_owned(),
            (Some(Value::Null) | None, Some("locked")) => t::NAME_LOCKED.to_owned(),
            (Some(Value::Null) | None, _) => t::NO_KEY.to_owned(),
            (Some(other), _) => other.to_string(),
        }
    }
}

impl Event {
    /// Who did it, from which post.
    fn who(&self) -> String {
        let by = self.by.as_deref().unwrap_or(t::BY_MACHINE);
        let text = |key: &str| self.data[key].as_str().filter(|s| !s.is_empty());
        match (text("cover"), text("cover_reason")) {
            (Some(of), Some(reason)) => format!("{} {by} · {} {}", self.unit_name, t::B_POST, t::covering(of, reason)),
            _ => format!("{} {by}", self.unit_name),
        }
    }

    /// What was said with it, in words.
    fn said(&self) -> Vec<String> {
        let mut said = Vec::new();
        for (name, value) in self.data.as_object().into_iter().flatten() {
            let words = match (name.as_str(), value) {
                ("cover" | "cover_reason", _) | (_, Value::Null) => continue,
                (_, Value::Array(all)) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("、"),
                ("result", value) => result_word(value).to_owned(),
                (_, Value::String(text)) => text.clone(),
                (_, other) => other.to_string(),
            };
            said.push(format!("{}：{words}", t::datum(name)));
        }
        said
    }
}

fn result_word(value: &Value) -> &'static str {
    let code = value.to_string();
    t::RESULTS
        .iter()
        .find(|(c, _)| *c == code)
        .map_or("—", |(_, word)| word)
}

impl Step {
    /// Asked for by this step, in the order of the page; what every step may say stands behind one word.
    fn asks(&self) -> Vec<&Datum> {
        let own = |d: &&Datum| {
            !matches!(
                d.name.as_str(),
                "note" | "reason" | "cover" | "cover_reason" | "doc_no" | "channel"
            )
        };
        let mut asks: Vec<&Datum> = self.data.iter().filter(own).collect();
        asks.extend(self.data.iter().filter(|d| d.name == "reason" && d.required));
        asks
    }

    /// The next step of the way, rather than a way out.
    fn is_main(&self) -> bool {
        self.moves
            && !matches!(
                self.event.as_str(),
                "withdraw" | "return" | "void" | "refuse" | "reopen" | "ask"
            )
    }

    /// Leads out of the way: asked once more.
    fn is_grave(&self) -> bool {
        self.ends && matches!(self.event.as_str(), "withdraw" | "return" | "void" | "refuse")
    }
}

impl Case {
    /// Materials that a step is about: those missing to be asked for or supplied, those here to be given back.
    fn materials(&self, event: &str) -> Vec<&str> {
        let wanted = event == "give_back";
        let all = self.items.iter().filter(|i| i.received == wanted);
        let named = all.map(|i| i.name.as_str());
        match event {
            "supply" if !self.outstanding.is_empty() => self.outstanding.iter().map(String::as_str).collect(),
            _ => named.collect(),
        }
    }

    /// `correct_date` needs an event by its id, `hand_over` a unit by its code: they have pages of their own to come, and stand on
    /// the command line until then.
    fn steps(&self) -> impl Iterator<Item = &Step> {
        let nothing_here = !self.items.iter().any(|i| i.received);
        self.allowed.iter().filter(move |s| match s.event.as_str() {
            "correct_date" | "hand_over" => false,
            "give_back" => !nothing_here,
            _ => true,
        })
    }
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePart<'a> {
    csrf: &'a str,
    case: &'a Case,
    live: String,
    said: Option<String>,
    wrong: Option<String>,
    /// Personal values stand in the clear.
    revealed: bool,
}

#[derive(Template)]
#[template(path = "case_live.html")]
struct LivePart<'a> {
    case: &'a Case,
    today: String,
}

fn live_part(case: &Case) -> String {
    let today = Day::of_wall_ms(wall_ms()).to_string();
    console::page::part(&LivePart { case, today })
}

async fn load(desk: &Desk, number: &str, reveal: Option<Reveal>) -> Result<Case, Problem> {
    let show = CaseShow {
        number: number.to_owned(),
        reveal,
    };
    let mut value = desk.ask(Command::CaseShow(show)).await?;
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
    let case = load(&desk, &number, None).await?;
    let said = desk.gate.sessions.said(&visit.cookie);
    Ok(show(&desk, &visit, &case, said, None, false).await)
}

async fn show(
    desk: &Desk,
    visit: &Visit,
    case: &Case,
    said: Option<String>,
    wrong: Option<String>,
    revealed: bool,
) -> Response {
    let part = CasePart {
        csrf: &visit.csrf,
        live: live_part(case),
        case,
        said,
        wrong,
        revealed,
    };
    let body = console::page::part(&part);
    desk.page(visit, &case.line.project_no, "", body).await
}

/// What changes by itself: state, ticks, the way so far. Not what somebody may be typing into.
pub(super) async fn piece(State(desk): State<Arc<Desk>>, Path(number): Path<String>) -> Result<Response, Problem> {
    let case = load(&desk, &number, None).await?;
    Ok(Html(live_part(&case)).into_response())
}

/// Personal values in the clear, for a reason that goes into the trail.
pub(super) async fn reveal(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(form): Form<Revealing>,
) -> Result<Response, Problem> {
    let user = visit.person.as_ref().map(|p| p.id);
    let reveal = Reveal {
        reason: form.reason,
        fields: Vec::new(),
        user,
    };
    match load(&desk, &number, Some(reveal)).await {
        Ok(case) => Ok(show(&desk, &visit, &case, None, None, true).await),
        Err(problem) => refuse(&desk, &visit, &number, problem).await,
    }
}

#[derive(Deserialize)]
pub(super) struct Revealing {
    #[serde(default)]
    reason: String,
}

/// The page again, with what was wrong.
async fn refuse(desk: &Desk, visit: &Visit, number: &str, problem: Problem) -> Result<Response, Problem> {
    let case = load(desk, number, None).await?;
    let mut response = show(desk, visit, &case, None, Some(problem.text), false).await;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// One step, as the form's table allows.
pub(super) async fn act(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let person = visit.person.as_ref().ok_or_else(Problem::not_allowed)?;
    let one = |name: &str| {
        let found = pairs.iter().find(|(n, v)| n == name && !v.trim().is_empty());
        found.map(|(_, v)| v.trim().to_owned())
    };
    let event = one("event").unwrap_or_default();
    // Only the citizen's own page writes what the citizen says, and only a township decides conflicts.
    if matches!(event.as_str(), "evaluate" | "resolve") {
        return Err(Problem::not_allowed());
    }
    let case = load(&desk, &number, None).await?;
    let seen = one("seen").and_then(|s| s.parse::<u64>().ok());
    if seen != Some(case.entries) {
        // Somebody else (or another page of the same clerk) has acted since: nobody acts on what was not seen.
        let problem = Problem::new(StatusCode::CONFLICT, t::CHANGED_MEANWHILE);
        return refuse(&desk, &visit, &number, problem).await;
    }
    let mut items: Vec<String> = pairs
        .iter()
        .filter(|(n, _)| n == "items")
        .map(|(_, v)| v.clone())
        .collect();
    let more = one("more_items").unwrap_or_default();
    let typed = more.split(['、', '，', ',', ';', '；']).map(str::trim);
    items.extend(typed.filter(|t| !t.is_empty()).map(str::to_owned));
    let command = CaseDo {
        number: number.clone(),
        event,
        note: one("note"),
        reason: one("reason"),
        result: one("result"),
        items,
        user: Some(person.id),
        cover: cover(person),
        ..CaseDo::default()
    };
    match desk.ask(Command::CaseDo(command)).await {
        Ok(done) => {
            let state = done["state_label"].as_str().unwrap_or_default();
            desk.say(&visit, t::done(state)).await;
            Ok(go(&visit, &format!("/case/{}", case.line.project_no)))
        }
        Err(problem) => refuse(&desk, &visit, &number, problem).await,
    }
}

#[derive(Deserialize)]
pub(super) struct Settling {
    field: String,
    at: usize,
    seen: u64,
}

/// Of two values that contradict each other, the one that is right.
pub(super) async fn settle(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(form): Form<Settling>,
) -> Result<Response, Problem> {
    let user = visit.person.as_ref().map(|p| p.id);
    let masked = load(&desk, &number, None).await?;
    let personal = masked.fields.iter().any(|f| f.name == form.field && f.personal);
    let reveal = personal.then(|| Reveal {
        reason: t::REVEAL_SETTLE.to_owned(),
        fields: vec![form.field.clone()],
        user,
    });
    if masked.entries != form.seen {
        let problem = Problem::new(StatusCode::CONFLICT, t::CHANGED_MEANWHILE);
        return refuse(&desk, &visit, &number, problem).await;
    }
    let case = match load(&desk, &number, reveal).await {
        Ok(case) => case,
        Err(problem) => return refuse(&desk, &visit, &number, problem).await,
    };
    let field = case.fields.iter().find(|f| f.name == form.field && f.contradicts);
    let Some(value) = field.and_then(|f| f.values.get(form.at)) else {
        return refuse(
            &desk,
            &visit,
            &number,
            Problem::new(StatusCode::CONFLICT, t::CHANGED_MEANWHILE),
        )
        .await;
    };
    let edit = CaseEdit {
        number: number.clone(),
        field: form.field,
        value: value.shown(),
        user,
    };
    match desk.ask(Command::CaseEdit(edit)).await {
        Ok(_) => {
            desk.say(&visit, t::SETTLED.to_owned()).await;
            Ok(go(&visit, &format!("/case/{}", case.line.project_no)))
        }
        Err(problem) => refuse(&desk, &visit, &number, problem).await,
    }
}
