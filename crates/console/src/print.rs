//! 打印: papers on A4 and on the 80 mm roll, in two copies, with the number as a QR code. One template; the paper's width is CSS.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Path, State};
use axum::response::{Html, IntoResponse, Response};
use office::command::{CasePrint, Command, Paper};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::face::{CaseFace, person};
use crate::line::read;
use crate::page::{go, is_local};
use crate::texts::papers as t;
use crate::{Problem, Visit};

/// On which paper.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Width {
    #[default]
    A4,
    /// 80 mm.
    Roll,
}

impl Width {
    /// As forms name it.
    fn name(self) -> &'static str {
        match self {
            Width::A4 => "a4",
            Width::Roll => "roll",
        }
    }
}

#[derive(Deserialize)]
pub struct Asked {
    paper: Paper,
    #[serde(default)]
    width: Width,
}

/// What a paper says, from the office.
#[derive(Deserialize)]
struct Words {
    paper: Paper,
    label: String,
    nth: u64,
    printed_at: String,
    clerk: Option<String>,
    project_no: String,
    unit_name: String,
    parent_name: Option<String>,
    /// The centre that hands it out; none where the room itself does.
    centre: Option<String>,
    matter: String,
    matter_name: Option<String>,
    promised_workdays: Option<u32>,
    on_the_spot: bool,
    name: Option<String>,
    cert_no: Option<String>,
    mobile: Option<String>,
    task: Option<String>,
    doc_no: Option<String>,
    received_on: Option<String>,
    accepted_on: Option<String>,
    due_on: Option<String>,
    due_provisional: bool,
    here: Vec<String>,
    asked: Vec<String>,
    asked_on: Option<String>,
    /// How often it was said what is missing.
    asked_times: u64,
    refused_on: Option<String>,
    reason: Option<String>,
    closed_on: Option<String>,
    result: Option<String>,
    today: String,
}

impl Words {
    fn matter(&self) -> &str {
        self.matter_name.as_deref().unwrap_or(&self.matter)
    }

    fn is(&self, paper: &str) -> bool {
        self.name_of_paper() == paper
    }

    /// As forms name it.
    fn name_of_paper(&self) -> String {
        let name = serde_json::to_value(self.paper).unwrap_or_default();
        name.as_str().unwrap_or_default().to_owned()
    }

    /// What stands on top: a receipt without the township's number is provisional, and a second notice says that it is one.
    fn title(&self) -> String {
        match self.paper {
            Paper::Receipt if self.doc_no.is_none() => t::provisional(&self.label),
            Paper::Notice if self.asked_times > 1 => t::told_again(&self.label, self.asked_times),
            _ => self.label.clone(),
        }
    }

    /// Whose copies they are.
    fn copies(&self) -> [&'static str; 2] {
        match self.centre {
            Some(_) => t::COPIES_OF_CENTRE,
            None => t::COPIES,
        }
    }

    /// Where the case was received, in the words of whoever hands the paper out.
    fn taken_by(&self) -> String {
        match self.centre {
            Some(_) => format!("{} {}", self.unit_name, t::ROOM),
            None => t::OURS.to_owned(),
        }
    }

    /// Only the papers about a formal step bear a 受理文书号.
    fn bears_doc_no(&self) -> bool {
        matches!(
            self.paper,
            Paper::Receipt | Paper::Accepted | Paper::Refused | Paper::Closed
        )
    }
}

/// A text, or a line to write on.
fn or_line(text: Option<&String>) -> &str {
    text.map_or("＿＿＿＿＿＿", String::as_str)
}

/// The same for what may be missing without harm.
fn or_dash(text: Option<&String>) -> &str {
    text.map_or("—", String::as_str)
}

#[derive(Template)]
#[template(path = "print.html")]
struct PrintPart<'a> {
    words: &'a Words,
    width: Width,
    qr: Option<(String, i32)>,
    pressed: bool,
}

/// The paper made last, held by the session: looked at again it is one line of the trail.
const PRINTED: &str = "printed";

#[derive(Serialize, Deserialize)]
struct Printed {
    words: Value,
    width: Width,
}

/// The paper alone, as it goes to the printer.
#[derive(Template)]
#[template(path = "paper.html")]
struct PaperPart<'a> {
    words: &'a Words,
    width: Width,
    qr: Option<(String, i32)>,
    pressed: bool,
}

/// The button was pressed: this print is in the trail, and the paper says which one it is, before the printer hears of it.
pub async fn press<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(asked): Form<Asked>,
) -> Result<Response, Problem> {
    let print = CasePrint {
        number,
        paper: asked.paper,
        pressed: true,
        user: Some(person(&visit)?.id),
    };
    let words: Words = read(face.ask(&visit, Command::CasePrint(print)).await?)?;
    let part = PaperPart {
        qr: crate::qr::path(&words.project_no),
        words: &words,
        width: asked.width,
        pressed: true,
    };
    Ok(Html(crate::page::part(&part)).into_response())
}

/// Makes a paper to be looked at, which the trail says too: the applicant's name stands on it.
pub async fn make<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Form(asked): Form<Asked>,
) -> Result<Response, Problem> {
    let print = CasePrint {
        number,
        paper: asked.paper,
        pressed: false,
        user: Some(person(&visit)?.id),
    };
    let words = face.ask(&visit, Command::CasePrint(print)).await?;
    let path = format!("/case/{}/paper", words["project_no"].as_str().unwrap_or_default());
    let printed = Printed {
        words,
        width: asked.width,
    };
    let held = serde_json::to_vec(&printed).ok();
    face.gate().sessions.hold(&visit.cookie, PRINTED, held);
    Ok(go(&visit, &path))
}

/// The paper made last, ready to be pressed.
pub async fn page<F: CaseFace>(
    State(face): State<Arc<F>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    let held = face.gate().sessions.held(&visit.cookie, PRINTED);
    let printed = held.and_then(|held| serde_json::from_slice::<Printed>(&held).ok());
    let Some(Printed { words, width }) = printed.filter(|printed| printed.words["project_no"] == number) else {
        // Locked since, or another paper was made: it is asked for anew on the case's page.
        let case = format!("/case/{number}");
        return Ok(go(&visit, if is_local(&case) { &case } else { "/" }));
    };
    let words: Words = read(words)?;
    let part = PrintPart {
        qr: crate::qr::path(&words.project_no),
        words: &words,
        width,
        pressed: false,
    };
    let body = crate::page::part(&part);
    Ok(face.page(&visit, &words.label, F::HERE, body).await)
}
