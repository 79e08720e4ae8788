//! Coming in: a name and a password. Names are typed, not chosen: whoever asks from the network is not told who works here.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use console::accounts::{PASSWORD_CHARS_MIN, Refused};
use console::door::{Back, Opening, Standing, log_in, safe};
use console::face::CaseFace;
use console::kept::{self, Late};
use console::page::go;
use console::{Person, Problem, Visit};
use office::command::{Command, FaceAct};
use serde::Deserialize;

use super::{Console, person, texts as t, wall_ms};

/// Longer than any name, code or password of ours.
const TYPED_BYTES_MAX: usize = 1024;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPart<'a> {
    csrf: &'a str,
    back: &'a str,
    who: &'a str,
    /// Somebody sits here already, and the page was locked.
    locked: bool,
    /// Personal values of this hub cannot be opened until its passphrase is given.
    passphrase_due: bool,
    /// Nobody has enrolled at this hub yet.
    is_new: bool,
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "enrol.html")]
struct EnrolPart<'a> {
    csrf: &'a str,
    who: &'a str,
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "me.html")]
struct MePart<'a> {
    csrf: &'a str,
    person: &'a Person,
    roles: String,
    said: Option<String>,
}

/// Where somebody is led back to: the page that was asked for, or that a form or a piece of it stood on.
fn back_of(visit: &Visit, method: &Method) -> String {
    Console::page_of(console::door::back_of(visit, method))
}

/// Lets nobody past who has not signed in, whose page is locked, or who does not work here any more.
pub(super) async fn signed_in(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    mut request: Request,
    next: Next,
) -> Response {
    match console.door.standing(&visit, request.uri().path()).await {
        Err(problem) => problem.into_response(),
        Ok(Standing::In(person)) => {
            let visit = Visit {
                person: Some(person),
                ..visit
            };
            request.extensions_mut().insert(visit.clone());
            kept::watch(&*console, &visit, request, next).await
        }
        Ok(Standing::Deaf) => console::live::gone(),
        Ok(Standing::Left) => go(&visit, "/login"),
        Ok(Standing::Out) => {
            let back = back_of(&visit, request.method());
            let nobodys = visit.person.is_none() && request.method() == Method::POST && !visit.piece;
            match kept::too_late(&*console, &visit, request).await {
                Some(Late::Kept) => console.say(&visit, t::LATE_KEPT),
                Some(Late::Lost) => console.say(&visit, t::CAME_LATE),
                None if nobodys => console.say(&visit, t::CAME_LATE),
                None => {}
            }
            log_in(&visit, &back)
        }
    }
}

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    let said = console.door.gate.sessions.saying(&visit.cookie);
    let who = visit.person.as_ref().map_or("", |p| p.name.as_str());
    show(&console, &visit, safe(&back.back), who, said).await
}

async fn show(
    console: &Console,
    visit: &Visit,
    back: &str,
    who: &str,
    said: Option<String>,
) -> Result<Response, Problem> {
    let status = console.ask(Command::Status).await?;
    let part = LoginPart {
        csrf: &visit.csrf,
        back,
        who,
        locked: visit.locked,
        passphrase_due: status["passphrase"]["locked"] == true,
        is_new: console.door.accounts.enrolled().map_err(refused)?.is_empty(),
        said,
    };
    Ok(console.quiet_page(visit, t::LOGIN, console::page::part(&part)).await)
}

/// Opens personal values with the hub's passphrase, where it has one.
pub(super) async fn unlock(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Opening>,
) -> Result<Response, Problem> {
    let back = safe(&form.back).to_owned();
    match console.door.unlock(&visit, form).await {
        Ok(opened) => Ok(opened),
        Err(problem) => show(&console, &visit, &back, "", Some(problem.text)).await,
    }
}

#[derive(Deserialize)]
pub(super) struct SigningIn {
    who: String,
    password: String,
    #[serde(default)]
    back: String,
}

/// Name and password. A name that nobody has takes as long and is refused in the same words.
pub(super) async fn sign_in(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<SigningIn>,
) -> Result<Response, Problem> {
    let (back, who) = (safe(&form.back), form.who.trim());
    if who.len() > TYPED_BYTES_MAX || form.password.len() > TYPED_BYTES_MAX {
        return show(&console, &visit, back, "", Some(t::WRONG_NAME_OR_PASSWORD.to_owned())).await;
    }
    let staff = console.door.staff().await?;
    let Some(stated) = staff.iter().find(|s| s.name == who) else {
        console.door.accounts.pretend(&form.password).await;
        return show(&console, &visit, back, who, Some(t::WRONG_NAME_OR_PASSWORD.to_owned())).await;
    };
    if let Err(why) = console.door.accounts.check(stated.id, &form.password, wall_ms()).await {
        if why == Refused::Unknown {
            console.door.accounts.pretend(&form.password).await;
        }
        console.door.audit(FaceAct::LoginFailed, stated.id).await;
        return show(&console, &visit, back, who, Some(words(&why))).await;
    }
    Ok(console.door.enter(&visit, stated, back).await)
}

/// Asks for the password before anything else is shown here.
pub(super) async fn lock(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Response {
    console.door.lock(&visit, &back_of(&visit, &Method::POST))
}

pub(super) async fn leave(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Response {
    console.door.leave(&visit).await
}

pub(super) async fn enrol_page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    show_enrol(&console, &visit, "", None).await
}

async fn show_enrol(console: &Console, visit: &Visit, who: &str, said: Option<&str>) -> Result<Response, Problem> {
    let part = EnrolPart {
        csrf: &visit.csrf,
        who,
        said: said.map(str::to_owned),
    };
    Ok(console.quiet_page(visit, t::ENROL, console::page::part(&part)).await)
}

#[derive(Deserialize)]
pub(super) struct Enrolling {
    who: String,
    code: String,
    password: String,
    again: String,
}

/// The one-time code, and a password of one's own.
pub(super) async fn enrol(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Enrolling>,
) -> Result<Response, Problem> {
    let staff = console.door.staff().await?;
    let who = form.who.trim();
    let stated = staff.iter().find(|s| s.name == who);
    let stated = stated.and_then(|s| Some((s, s.enrol.as_ref()?)));
    let Some((stated, code)) = stated else {
        return show_enrol(&console, &visit, who, Some(t::WRONG_NAME_OR_CODE)).await;
    };
    let is_right = stated.code(&form.code).is_some();
    let accounts = &console.door.accounts;
    if let Err(why) = accounts.try_code(stated.id, &code.digest, is_right, wall_ms()).await {
        console.door.audit(FaceAct::LoginFailed, stated.id).await;
        let said = match why {
            Refused::Wrong { .. } => t::WRONG_NAME_OR_CODE.to_owned(),
            why => words(&why),
        };
        return show_enrol(&console, &visit, who, Some(&said)).await;
    }
    if code.is_over(wall_ms()) {
        return show_enrol(&console, &visit, who, Some(t::OLD_CODE)).await;
    }
    if form.password != form.again {
        return show_enrol(&console, &visit, who, Some(t::PASSWORDS_DIFFER)).await;
    }
    match console
        .door
        .accounts
        .enrol(stated.id, &code.digest, &form.password)
        .await
    {
        Ok(()) => {
            console.door.audit(FaceAct::Enrol, stated.id).await;
            Ok(console.door.enter(&visit, stated, "/").await)
        }
        Err(why) => show_enrol(&console, &visit, who, Some(&words(&why))).await,
    }
}

pub(super) async fn me_page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let said = console.said(&visit);
    show_me(&console, &visit, said).await
}

async fn show_me(console: &Console, visit: &Visit, said: Option<String>) -> Result<Response, Problem> {
    let person = person(visit)?;
    let part = MePart {
        csrf: &visit.csrf,
        person,
        roles: person.roles.iter().map(|r| t::role(r)).collect::<Vec<_>>().join("、"),
        said,
    };
    Ok(console.page(visit, t::ME, "/me", console::page::part(&part)).await)
}

#[derive(Deserialize)]
pub(super) struct Changing {
    old: String,
    new: String,
    again: String,
}

/// Another password, by whoever knows the old one.
pub(super) async fn change(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Changing>,
) -> Result<Response, Problem> {
    let id = person(&visit)?.id;
    if form.new != form.again {
        return show_me(&console, &visit, Some(t::PASSWORDS_DIFFER.to_owned())).await;
    }
    let changed = match console.door.accounts.check(id, &form.old, wall_ms()).await {
        Ok(()) => console.door.accounts.change(id, &form.new).await,
        Err(why) => {
            console.door.audit(FaceAct::LoginFailed, id).await;
            Err(why)
        }
    };
    match changed {
        Ok(()) => {
            console.door.audit(FaceAct::PasswordChange, id).await;
            console.door.gate.sessions.end_others(&visit.cookie);
            console.say(&visit, t::PASSWORD_CHANGED);
            Ok(go(&visit, "/me"))
        }
        Err(why) => show_me(&console, &visit, Some(words(&why))).await,
    }
}

fn refused(why: Refused) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, words(&why))
}

fn words(why: &Refused) -> String {
    match why {
        // In one sentence for both: who works here is not told to whoever asks.
        Refused::Unknown | Refused::Wrong { .. } => t::WRONG_NAME_OR_PASSWORD.to_owned(),
        Refused::Waits { until_ms } => t::password_waits(&console::page::clock(*until_ms)),
        Refused::CodeUsed => t::CODE_USED.to_owned(),
        Refused::Weak => t::weak_password(PASSWORD_CHARS_MIN),
        Refused::Disk(why) => t::accounts_disk(why),
    }
}
