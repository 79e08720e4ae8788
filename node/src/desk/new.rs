//! New case (登记): one page, by keyboard from the matter to the receipt; what is typed is kept sealed with every pause.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use console::face::cover;
use console::page::go;
use console::{Person, Problem, Visit};
use ledger::check;
use ledger::day::Day;
use ledger::id::UserId;
use office::command::{CaseNew, CaseShow, Command, DraftKeep, DraftKind, DraftOf, Reveal, SentOf, Visits};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::matters::{Matter, Matters};
use super::{Desk, texts as t, wall_ms};
use console::line::{Line, read};

/// Everything on the page, as typed.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    once: String,
    matter: String,
    cert_no: String,
    cert_reason: String,
    name: String,
    mobile: String,
    address: String,
    note: String,
    on: String,
    /// Materials that are here, by their places in the matter's list, joined by commas.
    received: String,
    result: String,
    /// The button pressed.
    act: String,
}

#[derive(Template)]
#[template(path = "new.html")]
struct NewPart<'a> {
    csrf: &'a str,
    typed: &'a Typed,
    wrong: Option<&'static str>,
    matter: Option<&'a Matter>,
    offered: Vec<&'a Matter>,
    person: String,
    finish: String,
    said: Option<String>,
    /// Goes on with what was not finished.
    resumed: bool,
    drafts: bool,
    locked: bool,
    today: String,
}

#[derive(Template)]
#[template(path = "new_picks.html")]
struct Picks<'a> {
    offered: Vec<&'a Matter>,
    typed: &'a str,
}

#[derive(Template)]
#[template(path = "new_matter.html")]
struct Chosen<'a> {
    matter: Option<&'a Matter>,
    typed: &'a Typed,
    offered: Vec<&'a Matter>,
}

/// The button that closes an on-the-spot matter too, at the end of the form.
#[derive(Template)]
#[template(path = "new_finish.html")]
struct Finish<'a> {
    matter: Option<&'a Matter>,
    typed: &'a Typed,
    /// Comes along with another piece, and finds its place by itself.
    apart: bool,
}

#[derive(Template)]
#[template(path = "new_person.html")]
struct PersonPart {
    wrong: Option<String>,
    /// Why the number is taken all the same, as typed.
    why: String,
    right: Option<String>,
    visits: Vec<Line>,
}

impl Typed {
    fn is_received(&self, at: &usize) -> bool {
        self.received.split(',').any(|n| n.trim().parse() == Ok(*at))
    }

    fn is_empty(&self) -> bool {
        let kept = [
            &self.matter,
            &self.cert_no,
            &self.name,
            &self.mobile,
            &self.address,
            &self.note,
        ];
        kept.iter().all(|text| text.trim().is_empty())
    }
}

/// Fields of a form; `received` comes once for each tick.
fn typed(pairs: Vec<(String, String)>) -> Typed {
    let mut typed = Typed::default();
    for (name, value) in pairs {
        match name.as_str() {
            "once" => typed.once = value,
            "matter" => typed.matter = value,
            "cert_no" => typed.cert_no = value,
            "cert_reason" => typed.cert_reason = value,
            "name" => typed.name = value,
            "mobile" => typed.mobile = value,
            "address" => typed.address = value,
            "note" => typed.note = value,
            "on" => typed.on = value,
            "result" => typed.result = value,
            "act" => typed.act = value,
            "received" if typed.received.is_empty() => typed.received = value,
            "received" => typed.received = format!("{},{value}", typed.received),
            _ => {}
        }
    }
    typed
}

fn person(visit: &Visit) -> Result<&Person, Problem> {
    visit.person.as_ref().ok_or_else(Problem::not_allowed)
}

/// What the same page sends twice is one case. Two pages may have been opened from one draft: then it is for whom they ask that tells
/// them apart.
fn mark(typed: &Typed) -> Option<String> {
    let Typed {
        once, matter, cert_no, ..
    } = typed;
    (!once.is_empty()).then(|| format!("{once}/{matter}/{}", cert_no.trim()))
}

impl Desk {
    /// The number of the case that a draft has become, if it has.
    async fn became(&self, user: UserId, draft: Option<&Typed>) -> Result<Option<String>, Problem> {
        let Some(once) = draft.and_then(mark) else {
            return Ok(None);
        };
        let sent = self.ask(Command::Sent(SentOf { user, once })).await?;
        Ok(sent["project_no"].as_str().map(str::to_owned))
    }

    pub(super) async fn matters(&self) -> Result<Matters, Problem> {
        read(self.ask(Command::Matters).await?)
    }
}

pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let user = person(&visit)?.id;
    let draft = desk.ask(Command::DraftShow(DraftOf::new_case(user))).await;
    // Locked: nothing can be kept, which the page says; everything else works.
    let kept = draft
        .ok()
        .and_then(|d| serde_json::from_str::<Typed>(d["text"].as_str()?).ok());
    if let Some(number) = desk.became(user, kept.as_ref()).await? {
        // The plug was pulled between keeping the case and letting go of the draft.
        desk.say(&visit, t::kept_already(&number)).await;
        desk.ask(Command::DraftDrop(DraftOf::new_case(user))).await?;
        return Ok(go(&visit, &format!("/case/{number}")));
    }
    let resumed = kept.as_ref().is_some_and(|typed| !typed.is_empty());
    let typed = kept.unwrap_or_default();
    show(&desk, &visit, &typed, None, resumed).await
}

async fn show(
    desk: &Desk,
    visit: &Visit,
    typed: &Typed,
    said: Option<String>,
    resumed: bool,
) -> Result<Response, Problem> {
    let matters = desk.matters().await?;
    let status = desk.ask(Command::Status).await?;
    let locked = status["passphrase"]["locked"] == true;
    let person = match typed.cert_no.trim().is_empty() {
        true => String::new(),
        false => console::page::part(&look_up(desk, typed).await),
    };
    let once = match typed.once.is_empty() {
        true => console::session::secret(),
        false => typed.once.clone(),
    };
    let typed = Typed { once, ..typed.clone() };
    let part = NewPart {
        csrf: &visit.csrf,
        wrong: None,
        matter: matters.of(&typed.matter),
        offered: matters.find(""),
        typed: &typed,
        person,
        finish: console::page::part(&Finish {
            matter: matters.of(&typed.matter),
            typed: &typed,
            apart: false,
        }),
        said,
        resumed,
        drafts: !locked,
        locked,
        today: Day::of_wall_ms(wall_ms()).to_string(),
    };
    let body = console::page::part(&part);
    Ok(desk.page(visit, t::NEW, "/new", body).await)
}

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
}

/// Matters that answer what is typed. Sent as a form, not in the address: people type names into any box.
pub(super) async fn search(State(desk): State<Arc<Desk>>, Form(search): Form<Search>) -> Result<Response, Problem> {
    let matters = desk.matters().await?;
    let picks = Picks {
        offered: matters.find(&search.q),
        typed: &search.q,
    };
    Ok(Html(console::page::part(&picks)).into_response())
}

/// The chosen matter with what it asks for; without one, the search again.
pub(super) async fn choose(
    State(desk): State<Arc<Desk>>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let typed = typed(pairs);
    let matters = desk.matters().await?;
    let chosen = Chosen {
        matter: matters.of(&typed.matter),
        typed: &typed,
        offered: matters.find(""),
    };
    let finish = Finish {
        matter: chosen.matter,
        typed: &typed,
        apart: true,
    };
    let pieces = console::page::part(&chosen) + &console::page::part(&finish);
    Ok(Html(pieces).into_response())
}

/// What the number says by itself, and earlier cases of the same person.
pub(super) async fn who(
    State(desk): State<Arc<Desk>>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let part = look_up(&desk, &typed(pairs)).await;
    Ok(Html(console::page::part(&part)).into_response())
}

async fn look_up(desk: &Desk, typed: &Typed) -> PersonPart {
    let text = typed.cert_no.as_str();
    let mut part = PersonPart {
        wrong: None,
        why: typed.cert_reason.clone(),
        right: None,
        visits: Vec::new(),
    };
    let number = match (check::resident_id(text), check::credit_code(text)) {
        _ if text.trim().is_empty() => return part,
        (Ok(id), _) => {
            let sex = match id.sex() {
                check::Sex::Male => t::MALE,
                check::Sex::Female => t::FEMALE,
            };
            part.right = Some(t::born(&id.birth().to_string(), sex));
            id.number().to_owned()
        }
        (_, Ok(code)) => {
            part.right = Some(t::CREDIT_CODE.to_owned());
            code
        }
        (Err(why), _) => {
            part.wrong = Some(why.to_string());
            return part;
        }
    };
    if let Ok(lines) = desk.ask(Command::Visits(Visits { cert_no: number })).await {
        part.visits = read(lines).unwrap_or_default();
    }
    part
}

/// Keeps a draft out of the fields of a form.
pub(super) async fn keep(desk: &Desk, user: UserId, pairs: Vec<(String, String)>) -> Result<(), Problem> {
    let keep = DraftKeep {
        user,
        kind: DraftKind::NewCase,
        text: serde_json::to_string(&typed(pairs)).unwrap_or_default(),
    };
    desk.ask(Command::DraftKeep(keep)).await.map(|_| ())
}

/// Keeps what is typed so far.
pub(super) async fn draft(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let said = match keep(&desk, person(&visit)?.id, pairs).await {
        Ok(()) => t::draft_kept(&console::page::clock(wall_ms())),
        Err(problem) => problem.text,
    };
    Ok(Html(said).into_response())
}

/// Begins anew.
pub(super) async fn clear(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let user = person(&visit)?.id;
    desk.ask(Command::DraftDrop(DraftOf::new_case(user))).await?;
    Ok(go(&visit, "/new"))
}

#[derive(Template)]
#[template(path = "new_fields.html")]
struct Fields<'a> {
    typed: &'a Typed,
    wrong: Option<&'static str>,
}

/// Name, phone and address of an earlier case, seen for this reason and written into the trail.
pub(super) async fn take_over(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let number = pairs.iter().find(|(name, _)| name == "number");
    let number = number.map(|(_, number)| number.clone()).unwrap_or_default();
    let typed = typed(pairs);
    // Only of the person whose number stands on the page: the reason written into the trail says so, so it has to be so.
    let visits = look_up(&desk, &typed).await.visits;
    if !visits.iter().any(|line| line.project_no == number) {
        let wrong = Some(t::NOT_THIS_PERSON);
        let fields = Fields { typed: &typed, wrong };
        return Ok(Html(console::page::part(&fields)).into_response());
    }
    let reveal = Reveal {
        reason: t::REVEAL_AGAIN.to_owned(),
        fields: Vec::new(),
        user: Some(person(&visit)?.id),
    };
    let show = CaseShow {
        number,
        reveal: Some(reveal),
    };
    let case = desk.ask(Command::CaseShow(show)).await?;
    let field = |name: &str| {
        let fields = case["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = fields.iter().find(|f| f["name"] == name);
        found.and_then(|f| f["value"].as_str()).unwrap_or_default().to_owned()
    };
    let typed = Typed {
        name: field("name"),
        mobile: field("mobile"),
        address: field("address"),
        ..Typed::default()
    };
    let fields = Fields {
        typed: &typed,
        wrong: None,
    };
    Ok(Html(console::page::part(&fields)).into_response())
}

/// Receives the case; for a matter done on the spot, closes it too.
pub(super) async fn receive(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let typed = typed(pairs);
    let user = person(&visit)?.id;
    let made = match command(&desk, &visit, &typed).await {
        Ok(command) => desk.ask(command).await,
        Err(problem) => Err(problem),
    };
    match made {
        Ok(made) => {
            let number = made["project_no"].as_str().unwrap_or_default().to_owned();
            // The case is on the disk; a draft that stays behind is only in the way.
            if let Err(problem) = desk.ask(Command::DraftDrop(DraftOf::new_case(user))).await {
                tracing::warn!(error = problem.text, "a draft stays behind");
            }
            desk.say(&visit, saved(&made)).await;
            Ok(go(&visit, &format!("/case/{number}")))
        }
        Err(problem) => {
            let mut response = show(&desk, &visit, &typed, Some(problem.text), false).await?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
    }
}

fn saved(made: &Value) -> String {
    let warnings = made["warnings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lines = vec![t::SAVED.to_owned()];
    lines.extend(made["again"].as_bool().map(|_| t::SAVED_BEFORE.to_owned()));
    lines.extend(made["errand_no"].as_str().map(t::errand_opened));
    let warnings = warnings.iter().filter_map(Value::as_str);
    lines.extend(warnings.map(|warning| format!("{}{warning}", t::MIND)));
    lines.join("\n")
}

async fn command(desk: &Desk, visit: &Visit, typed: &Typed) -> Result<Command, Problem> {
    let wrong = |text: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, text);
    if typed.matter.is_empty() {
        return Err(wrong(t::CHOOSE_MATTER));
    }
    let matters = desk.matters().await?;
    let matter = matters.of(&typed.matter).ok_or_else(|| wrong(t::CHOOSE_MATTER))?;
    let on = match typed.on.trim() {
        "" => None,
        text => Some(Day::parse(text).ok_or_else(|| wrong(t::WRONG_DAY))?),
    };
    let here = matter
        .materials
        .iter()
        .enumerate()
        .filter(|(at, _)| typed.is_received(at));
    let person = person(visit)?;
    let some = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    Ok(Command::CaseNew(CaseNew {
        matter: typed.matter.clone(),
        name: typed.name.clone(),
        cert_no: typed.cert_no.clone(),
        cert_reason: some(&typed.cert_reason),
        mobile: some(&typed.mobile),
        address: some(&typed.address),
        note: some(&typed.note),
        on,
        user: Some(person.id),
        cover: cover(person),
        received: here.map(|(_, name)| name.clone()).collect(),
        close: (typed.act == "close").then(|| typed.result.clone()),
        once: mark(typed),
        errand: matter.opens_errand,
    }))
}
