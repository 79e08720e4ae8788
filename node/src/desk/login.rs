//! Coming to the desk: the room's passphrase opens personal values in the morning, name and PIN say who sits there.

use std::sync::Arc;
use std::time::Instant;

use askama::Template;
use axum::extract::{Extension, Form, Query, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use console::accounts::{PIN_DIGITS_MIN, Refused, typed_code};
use console::page::{go, is_local};
use console::{Person, Problem, Visit};
use ledger::id::UserId;
use office::command::{AuditAppend, Command, FaceAct, Passphrase, PassphraseSet, Unlock};
use replica::statement::Enrol;
use serde::Deserialize;

use super::people::Clerk;
use super::{Desk, kept, texts as t, wall_ms};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPart<'a> {
    csrf: &'a str,
    back: &'a str,
    /// Personal values cannot be opened yet.
    passphrase_due: bool,
    clerks: Vec<&'a Clerk>,
    chosen: Option<UserId>,
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "enrol.html")]
struct EnrolPart<'a> {
    csrf: &'a str,
    clerks: &'a [Clerk],
    said: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

/// A page of ours to go on to; nothing that a crafted link could point elsewhere.
fn safe(back: &str) -> &str {
    if is_local(back) { back } else { "/" }
}

/// Where somebody is led back to after the PIN: the page that was asked for, or that a form or a piece of it stood on.
fn back_of(visit: &Visit, method: &Method) -> String {
    match *method == Method::GET && !visit.piece {
        true => kept::page_of(&visit.at),
        false => visit.from.as_deref().map_or_else(|| "/".to_owned(), kept::page_of),
    }
}

/// Lets nobody past who has not signed in, whose desk is locked, or who does not work here any more.
pub(super) async fn signed_in(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    mut request: Request,
    next: Next,
) -> Response {
    let clerks = match desk.clerks().await {
        Ok(clerks) => clerks,
        Err(problem) => return problem.into_response(),
    };
    let person = visit.person.clone().filter(|_| !visit.locked);
    let stated = person.as_ref().and_then(|p| clerks.iter().find(|c| c.id == p.id));
    match (person, stated) {
        (Some(person), Some(clerk)) => {
            // What the unit above says now, not what it said this morning.
            let person = Person {
                name: clerk.name.clone(),
                roles: clerk.roles.clone(),
                ..person
            };
            let user = person.id;
            let visit = Visit {
                person: Some(person),
                ..visit
            };
            request.extensions_mut().insert(visit.clone());
            kept::watch(&desk, &visit, user, request, next).await
        }
        _ if request.uri().path() == "/live" => console::live::gone(),
        (Some(_), None) => {
            desk.gate.sessions.end(&visit.cookie);
            go(&visit, "/login")
        }
        (None, _) => {
            let back = back_of(&visit, request.method());
            if let Some(user) = visit.person.as_ref().map(|p| p.id)
                && let Some(words) = kept::too_late(&desk, &visit, user, request).await
            {
                desk.say(&visit, words.to_owned()).await;
            }
            go(&visit, &format!("/login?back={back}"))
        }
    }
}

pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    // A page left open may lead here once more by itself: it stays said until the PIN.
    let said = desk.gate.sessions.saying(&visit.cookie);
    show(&desk, &visit, safe(&back.back), None, said).await
}

async fn show(
    desk: &Desk,
    visit: &Visit,
    back: &str,
    chosen: Option<UserId>,
    said: Option<String>,
) -> Result<Response, Problem> {
    let status = desk.ask(Command::Status).await?;
    let clerks = desk.clerks().await?;
    let enrolled = desk.accounts.enrolled().map_err(refused)?;
    let here: Vec<&Clerk> = clerks.iter().filter(|c| enrolled.contains(&c.id)).collect();
    let last = *desk.last.lock().await;
    let part = LoginPart {
        csrf: &visit.csrf,
        back,
        passphrase_due: status["passphrase"]["locked"] == true,
        chosen: chosen.or(visit.person.as_ref().map(|p| p.id)).or(last),
        clerks: here,
        said,
    };
    let body = console::page::part(&part);
    Ok(desk.quiet_page(visit, t::LOGIN, &status, body))
}

#[derive(Deserialize)]
pub(super) struct Opening {
    passphrase: String,
    back: String,
}

/// Opens personal values with the room's passphrase.
pub(super) async fn unlock(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Opening>,
) -> Result<Response, Problem> {
    let unlock = Unlock {
        passphrase: Passphrase::new(form.passphrase),
        user: visit.person.as_ref().map(|p| p.id),
    };
    match desk.ask(Command::Unlock(unlock)).await {
        Ok(_) => Ok(go(&visit, &format!("/login?back={}", safe(&form.back)))),
        Err(problem) => show(&desk, &visit, safe(&form.back), None, Some(problem.text)).await,
    }
}

#[derive(Deserialize)]
pub(super) struct SigningIn {
    who: String,
    pin: String,
    back: String,
}

/// Name and PIN.
pub(super) async fn sign_in(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<SigningIn>,
) -> Result<Response, Problem> {
    let back = safe(&form.back);
    let clerks = desk.clerks().await?;
    let id = UserId::parse(&form.who);
    let Some(clerk) = clerks.iter().find(|c| Some(c.id) == id) else {
        return show(&desk, &visit, back, None, Some(t::CHOOSE_NAME.to_owned())).await;
    };
    let pin = ledger::check::fold_width(form.pin.trim());
    if let Err(why) = desk.accounts.check(clerk.id, &pin, wall_ms()).await {
        desk.audit(FaceAct::LoginFailed, clerk.id).await;
        return show(&desk, &visit, back, id, Some(words(&why))).await;
    }
    Ok(enter(&desk, &visit, clerk, back).await)
}

/// A desk under a new cookie. Whoever comes back to the own locked desk keeps the post that was taken over.
async fn enter(desk: &Desk, visit: &Visit, clerk: &Clerk, back: &str) -> Response {
    let before = visit.person.as_ref().filter(|p| p.id == clerk.id);
    let person = Person {
        id: clerk.id,
        name: clerk.name.clone(),
        roles: clerk.roles.clone(),
        cover: before.and_then(|p| p.cover.clone()),
    };
    desk.audit(FaceAct::Login, clerk.id).await;
    *desk.last.lock().await = Some(clerk.id);
    let cookie = desk.gate.sessions.sign_in(&visit.cookie, person, Instant::now());
    ([desk.gate.set_cookie(&cookie)], go(visit, back)).into_response()
}

/// Asks for the PIN before anything else is shown here.
pub(super) async fn lock(State(desk): State<Arc<Desk>>, Extension(visit): Extension<Visit>) -> Response {
    desk.gate.sessions.lock(&visit.cookie);
    go(&visit, &format!("/login?back={}", back_of(&visit, &Method::POST)))
}

pub(super) async fn leave(State(desk): State<Arc<Desk>>, Extension(visit): Extension<Visit>) -> Response {
    if let Some(person) = &visit.person {
        desk.audit(FaceAct::Logout, person.id).await;
    }
    desk.gate.sessions.end(&visit.cookie);
    go(&visit, "/login")
}

pub(super) async fn enrol_page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    show_enrol(&desk, &visit, None).await
}

async fn show_enrol(desk: &Desk, visit: &Visit, said: Option<String>) -> Result<Response, Problem> {
    let status = desk.ask(Command::Status).await?;
    let clerks = desk.clerks().await?;
    let part = EnrolPart {
        csrf: &visit.csrf,
        clerks: &clerks,
        said,
    };
    Ok(desk.quiet_page(visit, t::ENROL, &status, console::page::part(&part)))
}

#[derive(Deserialize)]
pub(super) struct Enrolling {
    who: String,
    code: String,
    pin: String,
    again: String,
}

/// The one-time code from the township, and a PIN of one's own.
pub(super) async fn enrol(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Enrolling>,
) -> Result<Response, Problem> {
    let clerks = desk.clerks().await?;
    let id = UserId::parse(&form.who);
    let Some(clerk) = clerks.iter().find(|c| Some(c.id) == id) else {
        return show_enrol(&desk, &visit, Some(t::CHOOSE_NAME.to_owned())).await;
    };
    let pin = ledger::check::fold_width(form.pin.trim());
    let refusal = match &clerk.enrol {
        None => Some(t::NO_CODE),
        Some(enrol) if Enrol::digest_of(&clerk.id, &typed_code(&form.code)).to_string() != enrol.digest => {
            desk.audit(FaceAct::LoginFailed, clerk.id).await;
            Some(t::WRONG_CODE)
        }
        Some(enrol) if enrol.until_ms < wall_ms() => Some(t::OLD_CODE),
        Some(_) if pin != ledger::check::fold_width(form.again.trim()) => Some(t::PINS_DIFFER),
        Some(_) => None,
    };
    if let Some(text) = refusal {
        return show_enrol(&desk, &visit, Some(text.to_owned())).await;
    }
    let digest = clerk.enrol.as_ref().map(|e| e.digest.clone()).unwrap_or_default();
    match desk.accounts.enrol(clerk.id, &digest, &pin).await {
        Ok(()) => Ok(enter(&desk, &visit, clerk, "/").await),
        Err(why) => show_enrol(&desk, &visit, Some(words(&why))).await,
    }
}

fn refused(why: Refused) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, words(&why))
}

fn words(why: &Refused) -> String {
    match why {
        Refused::Unknown => t::NOT_ENROLLED.to_owned(),
        Refused::Wrong { left } => t::wrong_pin(*left),
        Refused::Waits { until_ms } => t::pin_waits(&console::page::clock(*until_ms)),
        Refused::CodeUsed => t::CODE_USED.to_owned(),
        Refused::Weak => t::weak_pin(PIN_DIGITS_MIN),
        Refused::Disk(why) => t::accounts_disk(why),
    }
}

impl Desk {
    /// Into the trail; a desk without one (a disk that is full) is still a desk.
    async fn audit(&self, act: FaceAct, user: UserId) {
        let append = AuditAppend {
            act,
            number: None,
            reason: None,
            user: Some(user),
        };
        if let Err(problem) = self.ask(Command::AuditAppend(append)).await {
            tracing::warn!(error = problem.text, "not in the trail");
        }
    }
}

#[derive(Template)]
#[template(path = "post.html")]
struct PostPart<'a> {
    csrf: &'a str,
    person: &'a Person,
    others: Vec<&'a str>,
    may_set_passphrase: bool,
    has_passphrase: bool,
    said: Option<String>,
}

pub(super) async fn post_page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    show_post(&desk, &visit, None).await
}

async fn show_post(desk: &Desk, visit: &Visit, said: Option<String>) -> Result<Response, Problem> {
    let person = visit.person.as_ref().ok_or_else(Problem::not_allowed)?;
    let clerks = desk.clerks().await?;
    let status = desk.ask(Command::Status).await?;
    let part = PostPart {
        csrf: &visit.csrf,
        person,
        others: clerks
            .iter()
            .filter(|c| c.id != person.id)
            .map(|c| c.name.as_str())
            .collect(),
        may_set_passphrase: person.is("head"),
        has_passphrase: status["passphrase"]["set"] == true,
        said,
    };
    let body = console::page::part(&part);
    Ok(desk.page(visit, t::POST, "/post", body).await)
}

#[derive(Deserialize)]
pub(super) struct Covering {
    #[serde(default)]
    of: String,
    #[serde(default)]
    reason: String,
}

/// B岗顶岗: for whom and why; both stand on every event from now on. Empty: back on the own post.
pub(super) async fn cover(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Covering>,
) -> Result<Response, Problem> {
    let (of, reason) = (form.of.trim(), form.reason.trim());
    if of.is_empty() && reason.is_empty() {
        desk.gate.sessions.cover(&visit.cookie, None);
        return Ok(go(&visit, "/"));
    }
    if of.is_empty() || reason.is_empty() || of.chars().count() > 40 || reason.chars().count() > 100 {
        let mut response = show_post(&desk, &visit, Some(t::COVER_NEEDS.to_owned())).await?;
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(response);
    }
    desk.gate
        .sessions
        .cover(&visit.cookie, Some(console::Cover::new(of, reason)));
    Ok(go(&visit, "/"))
}

#[derive(Deserialize)]
pub(super) struct NewPassphrase {
    #[serde(default)]
    old: String,
    new: String,
    again: String,
}

/// The room's passphrase, by its head.
pub(super) async fn passphrase(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<NewPassphrase>,
) -> Result<Response, Problem> {
    let person = visit
        .person
        .as_ref()
        .filter(|p| p.is("head"))
        .ok_or_else(Problem::not_allowed)?;
    if form.new != form.again {
        return show_post(&desk, &visit, Some(t::PASSPHRASES_DIFFER.to_owned())).await;
    }
    let set = PassphraseSet {
        passphrase: Passphrase::new(form.new),
        old: Some(form.old).filter(|o| !o.is_empty()).map(Passphrase::new),
        user: Some(person.id),
    };
    let said = match desk.ask(Command::PassphraseSet(set)).await {
        Ok(done) => done["message"].as_str().unwrap_or_default().to_owned(),
        Err(problem) => problem.text,
    };
    show_post(&desk, &visit, Some(said)).await
}
