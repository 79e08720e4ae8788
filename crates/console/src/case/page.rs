//! The case page: what happened in plain words, where it stands, how far it has travelled, and what may be done now.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use ledger::day::Day;
use office::command::{CaseShow, Command, Reveal};
use serde::Deserialize;
use serde_json::Value;

use super::{Case, Step};
use crate::face::{CaseFace, May, Place, person};
use crate::line::read;
use crate::page::go;
use crate::texts::case_page as t;
use crate::{Problem, Visit};

/// What stands in a form, as it was sent.
pub type Pairs = Vec<(String, String)>;

/// What somebody had typed into a form that was refused: it stands there again, so that nothing is lost.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Typed {
    /// Which form: an event's name, or one of [`EDIT`] and its like.
    form: String,
    pub(super) pairs: Pairs,
}

/// Forms of the page that are no event.
pub const EDIT: &str = "edit";
pub const TICK: &str = "tick";
pub const ENTRUST: &str = "entrust";
pub const REVEAL: &str = "reveal";
pub const DOC: &str = "doc";
pub const MARK: &str = "mark";
/// Steps that undo what others have done.
pub const UNDOES: [&str; 2] = ["void", "reopen"];

impl Typed {
    pub fn of(form: &str, pairs: Pairs) -> Self {
        let form = form.to_owned();
        Self { form, pairs }
    }

    fn is(&self, form: &str) -> bool {
        self.form == form
    }

    /// What stood in a field of that form.
    fn text(&self, form: &str, name: &str) -> &str {
        let found = self.pairs.iter().find(|(n, _)| self.form == form && n == name);
        found.map_or("", |(_, value)| value)
    }

    fn has(&self, form: &str, name: &str, value: &str) -> bool {
        self.form == form && self.pairs.iter().any(|(n, v)| n == name && v == value)
    }

    /// Words that would be lost with the form: for whoever finds the form gone.
    fn words(&self) -> Vec<&str> {
        let kept = ["note", "reason", "more_items", "task", "value"];
        let words = self.pairs.iter().filter(|(n, _)| kept.contains(&n.as_str()));
        words.map(|(_, v)| v.trim()).filter(|v| !v.is_empty()).collect()
    }
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePart<'a> {
    csrf: &'a str,
    once: String,
    case: &'a Case,
    live: String,
    said: Option<String>,
    wrong: Option<String>,
    typed: &'a Typed,
    /// Personal values stand in the clear.
    revealed: bool,
    today: String,
    place: Place,
    may: May,
}

impl CasePart<'_> {
    fn is_room(&self) -> bool {
        self.place == Place::Room
    }

    /// What this person may do now, the usual first.
    fn steps(&self) -> Vec<&Step> {
        let mine = |step: &&Step| self.may.work && (self.may.undo || !UNDOES.contains(&step.event.as_str()));
        self.case.steps().into_iter().filter(mine).collect()
    }

    /// What was typed into a form that is no longer offered.
    fn orphans(&self) -> Vec<&str> {
        let offered = match self.typed.form.as_str() {
            "" | EDIT | ENTRUST | REVEAL | DOC | MARK => true,
            TICK => self.case.has_missing(),
            event => self.steps().iter().any(|step| step.event == event),
        };
        if offered { Vec::new() } else { self.typed.words() }
    }

    fn is_open(&self, step: &Step) -> bool {
        self.typed.is(&step.event)
    }

    /// Where the form for an errand does not stand before the grave ways out. Of a room's case a centre opens one for the room's people.
    fn entrusts_last(&self) -> bool {
        match self.is_room() {
            true => !self.case.has_grave(),
            false => self.may.work,
        }
    }

    /// Only centres have document numbers to give, and only to what was accepted.
    fn may_give_doc(&self) -> bool {
        !self.is_room() && self.may.work && self.case.is_accepted() && !self.case.is_errand()
    }
}

#[derive(Template)]
#[template(path = "case_live.html")]
struct LivePart<'a> {
    case: &'a Case,
    today: String,
    alone: bool,
    place: Place,
    /// The entries that the page around this was made from.
    seen: u64,
}

impl LivePart<'_> {
    /// What may be done now is no longer what the page offers.
    fn is_ahead(&self) -> bool {
        self.seen != self.case.entries
    }

    fn is_room(&self) -> bool {
        self.place == Place::Room
    }
}

async fn live_part<F: CaseFace>(face: &F, case: &Case, seen: u64) -> String {
    crate::page::part(&LivePart {
        case,
        today: today(),
        alone: face.is_alone().await,
        place: F::PLACE,
        seen,
    })
}

fn today() -> String {
    Day::of_wall_ms(crate::page::wall_ms()).to_string()
}

/// What was asked to be seen in the clear, held by the session for one showing: who reloads the page sees it masked.
const REVEALED: &str = "revealed";

pub(super) async fn load<F: CaseFace>(
    face: &F,
    visit: &Visit,
    number: &str,
    reveal: Option<Reveal>,
) -> Result<Case, Problem> {
    let show = CaseShow {
        number: number.to_owned(),
        reveal,
    };
    case_of(face.ask(visit, Command::CaseShow(show)).await?)
}

fn case_of(mut value: Value) -> Result<Case, Problem> {
    let conflicts = value["conflicts"].clone();
    let aside = value["set_aside"].clone();
    let outstanding = value["outstanding"].take();
    let mut case: Case = read(value)?;
    // From the room up.
    case.receipts.reverse();
    case.conflicts = read(conflicts)?;
    case.aside = read(aside).unwrap_or_default();
    case.outstanding = read(outstanding).unwrap_or_default();
    Ok(case)
}

pub async fn page<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    let (case, clear) = match revealed(&*face, &visit, &number) {
        Some(case) => (case_of(case)?, true),
        None => (load(&*face, &visit, &number, None).await?, false),
    };
    let said = face.gate().sessions.said(&visit.cookie);
    Ok(show(&*face, &visit, &case, said, None, clear, &Typed::default()).await)
}

/// The case in the clear, once.
fn revealed<F: CaseFace>(face: &F, visit: &Visit, number: &str) -> Option<Value> {
    let sessions = &face.gate().sessions;
    let held = sessions.held(&visit.cookie, REVEALED)?;
    sessions.hold(&visit.cookie, REVEALED, None);
    let case: Value = serde_json::from_slice(&held).ok()?;
    (case["project_no"] == number).then_some(case)
}

async fn show<F: CaseFace>(
    face: &F,
    visit: &Visit,
    case: &Case,
    said: Option<String>,
    wrong: Option<String>,
    revealed: bool,
    typed: &Typed,
) -> Response {
    let once = match typed.text(ENTRUST, "once") {
        "" => crate::session::secret(),
        once => once.to_owned(),
    };
    let part = CasePart {
        csrf: &visit.csrf,
        once,
        live: live_part(face, case, case.entries).await,
        case,
        said,
        wrong,
        typed,
        revealed,
        today: today(),
        place: F::PLACE,
        may: face.may(visit),
    };
    let body = crate::page::part(&part);
    face.page(visit, &case.line.project_no, F::HERE, body).await
}

#[derive(Deserialize)]
pub struct Seen {
    seen: Option<u64>,
}

/// What changes by itself: state, ticks, the way so far. Not what somebody may be typing into.
pub async fn piece<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Query(page): Query<Seen>,
) -> Result<Response, Problem> {
    let case = load(&*face, &visit, &number, None).await?;
    let part = live_part(&*face, &case, page.seen.unwrap_or(case.entries)).await;
    Ok(Html(part).into_response())
}

/// Personal values in the clear, for a reason that goes into the trail.
pub async fn reveal<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(form): Form<Revealing>,
) -> Result<Response, Problem> {
    let typed = Typed::of(REVEAL, vec![("reason".to_owned(), form.reason.clone())]);
    let reveal = Reveal {
        reason: form.reason,
        fields: Vec::new(),
        user: Some(person(&visit)?.id),
    };
    let show = CaseShow {
        number: number.clone(),
        reveal: Some(reveal),
    };
    match face.ask(&visit, Command::CaseShow(show)).await {
        Ok(case) => {
            let number = case["project_no"].as_str().unwrap_or_default();
            let sessions = &face.gate().sessions;
            sessions.hold(&visit.cookie, REVEALED, serde_json::to_vec(&case).ok());
            Ok(go(&visit, &format!("/case/{number}")))
        }
        Err(problem) => refuse(&*face, &visit, &number, problem, typed).await,
    }
}

#[derive(Deserialize)]
pub struct Revealing {
    #[serde(default)]
    reason: String,
}

/// The page again, with what was wrong and what was typed.
pub(super) async fn refuse<F: CaseFace>(
    face: &F,
    visit: &Visit,
    number: &str,
    problem: Problem,
    typed: Typed,
) -> Result<Response, Problem> {
    let case = load(face, visit, number, None).await?;
    let mut response = show(face, visit, &case, None, Some(problem.text), false, &typed).await;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// Whether the page was made from what is known now: nobody acts on what was not seen.
pub(super) fn is_current(case: &Case, pairs: &Pairs) -> Result<(), Problem> {
    let seen = pairs
        .iter()
        .find(|(n, _)| n == "seen")
        .and_then(|(_, v)| v.parse().ok());
    match seen == Some(case.entries) {
        true => Ok(()),
        false => Err(Problem::new(StatusCode::CONFLICT, t::CHANGED_MEANWHILE)),
    }
}
