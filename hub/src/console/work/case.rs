//! A case at a hub: what happened, where it stands, how far it has travelled, and what this centre may do now.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use console::case::{Case, Step};
use console::line::read;
use console::page::go;
use console::texts::case as ct;
use console::{Problem, Visit};
use ledger::day::Day;
use office::command::{CaseDo, CaseShow, Command, DocGive, Reveal, Work};
use serde::Deserialize;
use serde_json::Value;

use super::{Console, Pairs, one, person, t};
use crate::console::rights::{Right, may_act, may_look};
use crate::console::wall_ms;

/// What was asked to be seen in the clear, held by the session for one showing: who reloads the page sees it masked.
const REVEALED: &str = "revealed";
/// Steps that undo what others have done: a head's.
const HEADS: [&str; 2] = ["void", "reopen"];

/// What somebody had typed into a form that was refused: it stands there again.
#[derive(Default)]
struct Typed {
    form: String,
    pairs: Pairs,
}

impl Typed {
    fn is(&self, form: &str) -> bool {
        self.form == form
    }

    fn text(&self, form: &str, name: &str) -> &str {
        let found = self.pairs.iter().find(|(n, _)| self.form == form && n == name);
        found.map_or("", |(_, value)| value)
    }

    fn has(&self, form: &str, name: &str, value: &str) -> bool {
        self.form == form && self.pairs.iter().any(|(n, v)| n == name && v == value)
    }
}

#[derive(Template)]
#[template(path = "work/case.html")]
struct CasePart<'a> {
    csrf: &'a str,
    case: &'a Case,
    live: String,
    said: Option<String>,
    wrong: Option<String>,
    typed: &'a Typed,
    revealed: bool,
    may_reveal: bool,
    may_act: bool,
    may_settle: bool,
    today: String,
    doc_no: Option<String>,
    may_give_doc: bool,
    unit_name: String,
}

impl CasePart<'_> {
    fn steps(&self) -> Vec<&Step> {
        let all = self.case.steps().into_iter();
        let mine = |step: &&Step| self.may_act && (self.may_settle || !HEADS.contains(&step.event.as_str()));
        all.filter(mine).collect()
    }
}

#[derive(Template)]
#[template(path = "work/case_live.html")]
struct LivePart<'a> {
    case: &'a Case,
    today: String,
    /// The entries that the page around this was made from.
    seen: u64,
}

impl LivePart<'_> {
    /// What may be done now is no longer what the page offers.
    fn is_ahead(&self) -> bool {
        self.seen != self.case.entries
    }
}

fn case_of(mut value: Value) -> Result<Case, Problem> {
    let conflicts = value["conflicts"].clone();
    let outstanding = value["outstanding"].take();
    let mut case: Case = read(value)?;
    // From the room up.
    case.receipts.reverse();
    case.conflicts = read(conflicts)?;
    case.outstanding = read(outstanding).unwrap_or_default();
    Ok(case)
}

async fn load(console: &Console, visit: &Visit, number: &str) -> Result<Value, Problem> {
    let number = number.to_owned();
    let show = CaseShow { number, reveal: None };
    console.ask_as(visit, Command::CaseShow(show)).await
}

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    let revealed = revealed(&console, &visit, &number);
    let clear = revealed.is_some();
    let value = match revealed {
        Some(value) => value,
        None => load(&console, &visit, &number).await?,
    };
    show(&console, &visit, value, None, clear, &Typed::default()).await
}

/// The case in the clear, once.
fn revealed(console: &Console, visit: &Visit, number: &str) -> Option<Value> {
    let held = console.door.gate.sessions.held(&visit.cookie, REVEALED)?;
    console.door.gate.sessions.hold(&visit.cookie, REVEALED, None);
    let case: Value = serde_json::from_slice(&held).ok()?;
    (case["project_no"] == number).then_some(case)
}

fn today() -> String {
    Day::of_wall_ms(wall_ms()).to_string()
}

async fn show(
    console: &Console,
    visit: &Visit,
    value: Value,
    wrong: Option<String>,
    revealed: bool,
    typed: &Typed,
) -> Result<Response, Problem> {
    let unit_name = value["unit_name"].as_str().unwrap_or_default().to_owned();
    let accepted = !value["accepted_on"].is_null() && value["state"] != "void";
    let case = case_of(value)?;
    let doc = case.fields.iter().find(|f| f.name == "doc_no");
    let doc_no = doc.and_then(|f| f.values.iter().find(|v| v.leads)).map(|v| v.shown());
    let person = visit.person.as_ref();
    let is_wrong = wrong.is_some();
    let part = CasePart {
        csrf: &visit.csrf,
        live: console::page::part(&LivePart {
            case: &case,
            today: today(),
            seen: case.entries,
        }),
        said: console.said(visit),
        wrong,
        typed,
        revealed,
        may_reveal: may_look(person, Right::Reveal),
        may_act: may_act(person, Right::Work),
        may_settle: may_act(person, Right::Settle),
        today: today(),
        may_give_doc: accepted && !case.is_errand(),
        doc_no,
        unit_name,
        case: &case,
    };
    let body = console::page::part(&part);
    let title = &case.line.project_no;
    Ok(match is_wrong {
        true => console.wrong(visit, title, "/inbox", body).await,
        false => console.page(visit, title, "/inbox", body).await,
    })
}

#[derive(Deserialize)]
pub(super) struct Seen {
    seen: Option<u64>,
}

/// What changes by itself: state, ticks, the way so far.
pub(super) async fn piece(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Query(page): Query<Seen>,
) -> Result<Response, Problem> {
    let case = case_of(load(&console, &visit, &number).await?)?;
    let part = LivePart {
        seen: page.seen.unwrap_or(case.entries),
        today: today(),
        case: &case,
    };
    Ok(Html(console::page::part(&part)).into_response())
}

/// Nobody acts on what was not seen.
fn is_current(case: &Value, pairs: &Pairs) -> Result<(), Problem> {
    let seen = one(pairs, "seen").and_then(|v| v.parse::<u64>().ok());
    match seen.is_some() && seen == case["entries"].as_u64() {
        true => Ok(()),
        false => Err(Problem::new(StatusCode::CONFLICT, t::CHANGED_MEANWHILE)),
    }
}

/// Carries out what a page asked for; refused, the page is shown again with what was typed.
async fn done(
    console: &Console,
    visit: &Visit,
    number: &str,
    command: Command,
    typed: Typed,
    said: impl FnOnce(&Value) -> String,
) -> Result<Response, Problem> {
    let case = load(console, visit, number).await?;
    let asked = match is_current(&case, &typed.pairs) {
        Ok(()) => console.ask_as(visit, command).await,
        Err(problem) => Err(problem),
    };
    match asked {
        Ok(answer) => {
            console.say(visit, said(&answer));
            let number = case["project_no"].as_str().unwrap_or(number);
            Ok(go(visit, &format!("/case/{number}")))
        }
        Err(problem) => show(console, visit, case, Some(problem.text), false, &typed).await,
    }
}

/// One step, as the form's table allows this tier, and as the role allows this person.
pub(super) async fn act(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let user = Some(person(&visit)?.id);
    let event = one(&pairs, "event").unwrap_or_default();
    let is_heads = HEADS.contains(&event.as_str());
    // The citizen's own press, and decisions on conflicts, have pages of their own.
    if matches!(event.as_str(), "evaluate" | "resolve") || is_heads && !may_act(visit.person.as_ref(), Right::Settle) {
        return Err(Problem::not_allowed());
    }
    let ticked = pairs.iter().filter(|(n, _)| n == "items");
    let mut items: Vec<String> = ticked.map(|(_, v)| v.clone()).collect();
    let more = one(&pairs, "more_items").unwrap_or_default();
    let typed = more.split(['、', '，', ',', ';', '；']).map(str::trim);
    items.extend(typed.filter(|t| !t.is_empty()).map(str::to_owned));
    let is_date = event == "correct_date";
    if is_date {
        items = one(&pairs, "target").into_iter().collect();
    }
    let command = CaseDo {
        number: number.clone(),
        event: event.clone(),
        note: one(&pairs, "note"),
        reason: one(&pairs, "reason"),
        result: one(&pairs, "result"),
        to: one(&pairs, "to"),
        on: one(&pairs, "on").filter(|_| is_date).and_then(|text| Day::parse(&text)),
        items,
        user,
        ..CaseDo::default()
    };
    let typed = Typed { form: event, pairs };
    done(&console, &visit, &number, Command::CaseDo(command), typed, |answer| {
        t::done(
            answer["state_label"].as_str().unwrap_or_default(),
            answer["doc_no"].as_str(),
        )
    })
    .await
}

/// A document number for a case that a room has accepted, or another one instead of one that was spoilt.
pub(super) async fn give_doc(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let give = DocGive {
        number: number.clone(),
        reason: one(&pairs, "reason"),
        user: Some(person(&visit)?.id),
    };
    let typed = Typed {
        form: "doc".to_owned(),
        pairs,
    };
    let command = Command::Work(Work::DocGive(give));
    done(&console, &visit, &number, command, typed, |answer| {
        t::doc_given(answer["doc_no"].as_str().unwrap_or_default())
    })
    .await
}

/// Personal values in the clear, for a reason that goes into the trail.
pub(super) async fn reveal(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let reveal = Reveal {
        reason: one(&pairs, "reason").unwrap_or_default(),
        fields: Vec::new(),
        user: Some(person(&visit)?.id),
    };
    let show_it = CaseShow {
        number: number.clone(),
        reveal: Some(reveal),
    };
    match console.ask_as(&visit, Command::CaseShow(show_it)).await {
        Ok(case) => {
            let number = case["project_no"].as_str().unwrap_or_default();
            let sessions = &console.door.gate.sessions;
            sessions.hold(&visit.cookie, REVEALED, serde_json::to_vec(&case).ok());
            Ok(go(&visit, &format!("/case/{number}")))
        }
        Err(problem) => {
            let value = load(&console, &visit, &number).await?;
            let form = "reveal".to_owned();
            show(
                &console,
                &visit,
                value,
                Some(problem.text),
                false,
                &Typed { form, pairs },
            )
            .await
        }
    }
}
