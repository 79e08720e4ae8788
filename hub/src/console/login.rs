//! Coming in: a name and a password. Names are typed, not chosen: whoever asks from the network is not told who works here.

use std::sync::Arc;
use std::time::Instant;

use askama::Template;
use axum::extract::{Extension, Form, Query, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use console::accounts::{PASSWORD_CHARS_MIN, Refused};
use console::page::{go, is_local};
use console::{Person, Problem, Visit};
use office::command::{Command, FaceAct, Passphrase, Unlock};
use replica::statement::Enrol;
use serde::Deserialize;

use super::people::Staff;
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

#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

fn safe(back: &str) -> &str {
    if is_local(back) { back } else { "/" }
}

/// Where somebody is led back to: the page that was asked for, or that a form or a piece of it stood on.
fn back_of(visit: &Visit, method: &Method) -> String {
    match *method == Method::GET && !visit.piece {
        true => visit.at.clone(),
        false => visit.from.clone().unwrap_or_else(|| "/".to_owned()),
    }
}

/// Lets nobody past who has not signed in, whose page is locked, or who does not work here any more.
pub(super) async fn signed_in(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    mut request: Request,
    next: Next,
) -> Response {
    let staff = match console.staff().await {
        Ok(staff) => staff,
        Err(problem) => return problem.into_response(),
    };
    let somebody = visit.person.clone().filter(|_| !visit.locked);
    let stated = somebody.as_ref().and_then(|p| staff.iter().find(|s| s.id == p.id));
    match (somebody, stated) {
        (Some(person), Some(stated)) => {
            // What is stated now, not what was this morning.
            let person = Person {
                name: stated.name.clone(),
                roles: stated.roles.clone(),
                ..person
            };
            request.extensions_mut().insert(Visit {
                person: Some(person),
                ..visit
            });
            next.run(request).await
        }
        _ if request.uri().path() == "/live" => console::live::gone(),
        (Some(_), None) => {
            console.gate.sessions.end(&visit.cookie);
            go(&visit, "/login")
        }
        (None, _) => {
            if request.method() == Method::POST {
                console.say(&visit, t::CAME_LATE);
            }
            let back = back_of(&visit, request.method());
            go(&visit, &format!("/login?back={}", safe(&back)))
        }
    }
}

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    let said = console.gate.sessions.saying(&visit.cookie);
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
        is_new: console.accounts.enrolled().map_err(refused)?.is_empty(),
        said,
    };
    Ok(console.quiet_page(visit, t::LOGIN, console::page::part(&part)).await)
}

#[derive(Deserialize)]
pub(super) struct Opening {
    passphrase: String,
    back: String,
}

/// Opens personal values with the hub's passphrase, where it has one.
pub(super) async fn unlock(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Opening>,
) -> Result<Response, Problem> {
    let unlock = Unlock {
        passphrase: Passphrase::new(form.passphrase),
        user: visit.person.as_ref().map(|p| p.id),
    };
    match console.ask(Command::Unlock(unlock)).await {
        Ok(_) => Ok(go(&visit, &format!("/login?back={}", safe(&form.back)))),
        Err(problem) => show(&console, &visit, safe(&form.back), "", Some(problem.text)).await,
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
    let staff = console.staff().await?;
    let Some(stated) = staff.iter().find(|s| s.name == who) else {
        console.accounts.pretend(&form.password).await;
        return show(&console, &visit, back, who, Some(t::WRONG_NAME_OR_PASSWORD.to_owned())).await;
    };
    if let Err(why) = console.accounts.check(stated.id, &form.password, wall_ms()).await {
        if why == Refused::Unknown {
            console.accounts.pretend(&form.password).await;
        }
        console.audit(FaceAct::LoginFailed, stated.id).await;
        return show(&console, &visit, back, who, Some(words(&why))).await;
    }
    Ok(enter(&console, &visit, stated, back).await)
}

/// A page of one's own under a new cookie.
async fn enter(console: &Console, visit: &Visit, stated: &Staff, back: &str) -> Response {
    let person = Person {
        id: stated.id,
        name: stated.name.clone(),
        roles: stated.roles.clone(),
        cover: None,
    };
    console.audit(FaceAct::Login, stated.id).await;
    let cookie = console.gate.sessions.sign_in(&visit.cookie, person, Instant::now());
    ([console.gate.set_cookie(&cookie)], go(visit, back)).into_response()
}

/// Asks for the password before anything else is shown here.
pub(super) async fn lock(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Response {
    console.gate.sessions.lock(&visit.cookie);
    go(
        &visit,
        &format!("/login?back={}", safe(&back_of(&visit, &Method::POST))),
    )
}

pub(super) async fn leave(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Response {
    if let Some(person) = &visit.person {
        console.audit(FaceAct::Logout, person.id).await;
    }
    console.gate.sessions.end(&visit.cookie);
    go(&visit, "/login")
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
    let staff = console.staff().await?;
    let who = form.who.trim();
    let stated = staff.iter().find(|s| s.name == who);
    let good = stated.and_then(|s| Some((s, s.enrol.as_ref()?))).filter(|(s, enrol)| {
        let digest = Enrol::digest_of(&s.id, &console::accounts::typed_code(&form.code));
        digest.to_string() == enrol.digest
    });
    let Some((stated, code)) = good else {
        if let Some(stated) = stated {
            console.audit(FaceAct::LoginFailed, stated.id).await;
        }
        return show_enrol(&console, &visit, who, Some(t::WRONG_NAME_OR_CODE)).await;
    };
    if code.until_ms < wall_ms() {
        return show_enrol(&console, &visit, who, Some(t::OLD_CODE)).await;
    }
    if form.password != form.again {
        return show_enrol(&console, &visit, who, Some(t::PASSWORDS_DIFFER)).await;
    }
    match console.accounts.enrol(stated.id, &code.digest, &form.password).await {
        Ok(()) => Ok(enter(&console, &visit, stated, "/").await),
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
    let changed = match console.accounts.check(id, &form.old, wall_ms()).await {
        Ok(()) => console.accounts.change(id, &form.new).await,
        Err(why) => {
            console.audit(FaceAct::LoginFailed, id).await;
            Err(why)
        }
    };
    match changed {
        Ok(()) => {
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
