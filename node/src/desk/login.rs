//! Coming to the desk: the room's passphrase opens personal values in the morning, name and PIN say who sits there.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use console::accounts::{PIN_DIGITS_MIN, Refused};
use console::door::{Back, Opening, Standing, log_in, safe};
use console::face::CaseFace;
use console::kept::{self, Late};
use console::page::go;
use console::people::Staff;
use console::post::Covering;
use console::{Problem, Visit};
use ledger::id::UserId;
use office::command::{Command, FaceAct, Passphrase, PassphraseSet};
use serde::Deserialize;

use super::{Desk, texts as t, wall_ms};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPart<'a> {
    csrf: &'a str,
    back: &'a str,
    /// Personal values cannot be opened yet.
    passphrase_due: bool,
    clerks: Vec<&'a Staff>,
    chosen: Option<UserId>,
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "enrol.html")]
struct EnrolPart<'a> {
    csrf: &'a str,
    clerks: &'a [Staff],
    said: Option<String>,
}

/// Where somebody is led back to after the PIN: the page that was asked for, or that a form or a piece of it stood on.
fn back_of(visit: &Visit, method: &Method) -> String {
    Desk::page_of(console::door::back_of(visit, method))
}

/// Lets nobody past who has not signed in, whose desk is locked, or who does not work here any more.
pub(super) async fn signed_in(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    mut request: Request,
    next: Next,
) -> Response {
    match desk.door.standing(&visit, request.uri().path()).await {
        Err(problem) => problem.into_response(),
        Ok(Standing::In(person)) => {
            let visit = Visit {
                person: Some(person),
                ..visit
            };
            request.extensions_mut().insert(visit.clone());
            kept::watch(&*desk, &visit, request, next).await
        }
        Ok(Standing::Deaf) => console::live::gone(),
        Ok(Standing::Left) => go(&visit, "/login"),
        Ok(Standing::Out) => {
            let back = back_of(&visit, request.method());
            let words = match kept::too_late(&*desk, &visit, request).await {
                Some(Late::Kept) => Some(t::LATE_KEPT),
                Some(Late::Lost) => Some(t::LATE_LOST),
                None => None,
            };
            if let Some(words) = words {
                desk.say(&visit, words.to_owned()).await;
            }
            log_in(&visit, &back)
        }
    }
}

pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    // A page left open may lead here once more by itself: it stays said until the PIN.
    let said = desk.door.gate.sessions.saying(&visit.cookie);
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
    let clerks = desk.door.staff().await?;
    let enrolled = desk.door.accounts.enrolled().map_err(refused)?;
    let here: Vec<&Staff> = clerks.iter().filter(|c| enrolled.contains(&c.id)).collect();
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

/// Opens personal values with the room's passphrase.
pub(super) async fn unlock(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Opening>,
) -> Result<Response, Problem> {
    let back = safe(&form.back).to_owned();
    match desk.door.unlock(&visit, form).await {
        Ok(opened) => Ok(opened),
        Err(problem) => show(&desk, &visit, &back, None, Some(problem.text)).await,
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
    let clerks = desk.door.staff().await?;
    let id = UserId::parse(&form.who);
    let Some(clerk) = clerks.iter().find(|c| Some(c.id) == id) else {
        return show(&desk, &visit, back, None, Some(t::CHOOSE_NAME.to_owned())).await;
    };
    let pin = ledger::check::fold_width(form.pin.trim());
    if let Err(why) = desk.door.accounts.check(clerk.id, &pin, wall_ms()).await {
        desk.door.audit(FaceAct::LoginFailed, clerk.id).await;
        return show(&desk, &visit, back, id, Some(words(&why))).await;
    }
    Ok(enter(&desk, &visit, clerk, back).await)
}

/// A desk under a new cookie.
async fn enter(desk: &Desk, visit: &Visit, clerk: &Staff, back: &str) -> Response {
    *desk.last.lock().await = Some(clerk.id);
    desk.door.enter(visit, clerk, back).await
}

/// Asks for the PIN before anything else is shown here.
pub(super) async fn lock(State(desk): State<Arc<Desk>>, Extension(visit): Extension<Visit>) -> Response {
    desk.door.lock(&visit, &back_of(&visit, &Method::POST))
}

pub(super) async fn leave(State(desk): State<Arc<Desk>>, Extension(visit): Extension<Visit>) -> Response {
    desk.door.leave(&visit).await
}

pub(super) async fn enrol_page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    show_enrol(&desk, &visit, None).await
}

async fn show_enrol(desk: &Desk, visit: &Visit, said: Option<String>) -> Result<Response, Problem> {
    let status = desk.ask(Command::Status).await?;
    let clerks = desk.door.staff().await?;
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
    let clerks = desk.door.staff().await?;
    let id = UserId::parse(&form.who);
    let Some(clerk) = clerks.iter().find(|c| Some(c.id) == id) else {
        return show_enrol(&desk, &visit, Some(t::CHOOSE_NAME.to_owned())).await;
    };
    let pin = ledger::check::fold_width(form.pin.trim());
    let code = clerk.code(&form.code);
    if let Some(stated) = &clerk.enrol {
        let accounts = &desk.door.accounts;
        if let Err(why) = accounts
            .try_code(clerk.id, &stated.digest, code.is_some(), wall_ms())
            .await
        {
            desk.door.audit(FaceAct::LoginFailed, clerk.id).await;
            let said = match why {
                Refused::Wrong { .. } => t::WRONG_CODE.to_owned(),
                why => words(&why),
            };
            return show_enrol(&desk, &visit, Some(said)).await;
        }
    }
    let refusal = match code {
        None => Some(t::NO_CODE),
        Some(code) if code.is_over(wall_ms()) => Some(t::OLD_CODE),
        Some(_) if pin != ledger::check::fold_width(form.again.trim()) => Some(t::PINS_DIFFER),
        Some(_) => None,
    };
    if let Some(text) = refusal {
        return show_enrol(&desk, &visit, Some(text.to_owned())).await;
    }
    let digest = code.map(|c| c.digest.clone()).unwrap_or_default();
    match desk.door.accounts.enrol(clerk.id, &digest, &pin).await {
        Ok(()) => {
            desk.door.audit(FaceAct::Enrol, clerk.id).await;
            Ok(enter(&desk, &visit, clerk, "/").await)
        }
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

#[derive(Template)]
#[template(path = "post.html")]
struct PostPart<'a> {
    csrf: &'a str,
    cover: String,
    may_set_passphrase: bool,
    has_passphrase: bool,
    said: Option<String>,
}

pub(super) async fn post_page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    show_post(&desk, &visit, &Covering::empty(), None).await
}

async fn show_post(desk: &Desk, visit: &Visit, typed: &Covering, said: Option<String>) -> Result<Response, Problem> {
    let person = visit.person.as_ref().ok_or_else(Problem::not_allowed)?;
    let clerks = desk.door.staff().await?;
    let status = desk.ask(Command::Status).await?;
    let others = clerks.iter().filter(|c| c.id != person.id).map(|c| c.name.as_str());
    let part = PostPart {
        csrf: &visit.csrf,
        cover: console::post::part(visit, person, others.collect(), typed),
        may_set_passphrase: person.is("head"),
        has_passphrase: status["passphrase"]["set"] == true,
        said,
    };
    let body = console::page::part(&part);
    Ok(desk.page(visit, t::POST, "/post", body).await)
}

/// B岗顶岗, begun or ended.
pub(super) async fn cover(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Covering>,
) -> Result<Response, Problem> {
    match form.take(&desk.door.gate, &visit) {
        Ok(()) => Ok(go(&visit, "/")),
        Err(words) => {
            let mut response = show_post(&desk, &visit, &form, Some(words.to_owned())).await?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
    }
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
        return show_post(
            &desk,
            &visit,
            &Covering::empty(),
            Some(t::PASSPHRASES_DIFFER.to_owned()),
        )
        .await;
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
    show_post(&desk, &visit, &Covering::empty(), Some(said)).await
}
