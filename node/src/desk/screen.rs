//! 好差评: the applicant's own page on the clerk's screen.
//!
//! ```text
//!   case page ──"请申请人评价"──▶ the clerk's desk is locked, this session holds a screen with a one-time token
//!        applicant presses a face ──▶ evaluation written by nobody's name, token spent ──▶ thanks ──PIN──▶ the clerk's desk
//! ```
//!
//! No role writes an evaluation: there is no way to it but a screen, and a screen exists only while its clerk is locked out. Giving
//! the PIN takes the screen away.

use std::sync::Arc;
use std::time::Instant;

use askama::Template;
use axum::extract::{Extension, Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use console::page::go;
use console::session::Screen;
use console::{Problem, Visit};
use office::command::{CaseShow, Command, Evaluate};
use serde::Deserialize;

use super::{Desk, texts as t};

/// How the mouth of each face is drawn, from very satisfied to very dissatisfied: fonts of old PCs have no faces.
const MOUTHS: [(i64, &str); 5] = [
    (1, "M26 56 Q50 92 74 56 Z"),
    (2, "M28 60 Q50 82 72 60"),
    (3, "M30 68 L70 68"),
    (4, "M28 76 Q50 56 72 76"),
    (5, "M26 82 Q50 46 74 82"),
];

#[derive(Template)]
#[template(path = "screen.html")]
struct ScreenPart<'a> {
    csrf: &'a str,
    token: &'a str,
    matter: &'a str,
    number: &'a str,
    wrong: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "thanks.html")]
struct ThanksPart<'a> {
    said: &'a str,
}

/// The clerk hands the screen over, and is locked out of the desk with it.
pub(super) async fn hand_over(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    let show = CaseShow {
        number,
        ..CaseShow::default()
    };
    let case = desk.ask(Command::CaseShow(show)).await?;
    if case["evaluable"] != true {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, t::NOT_EVALUABLE));
    }
    let number = case["project_no"].as_str().unwrap_or_default();
    desk.door
        .gate
        .sessions
        .give_screen(&visit.cookie, number, Instant::now());
    Ok(go(&visit, "/evaluate"))
}

/// Five faces, for whoever stands before the screen.
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let Some(screen) = desk.door.gate.sessions.screen(&visit.cookie, Instant::now()) else {
        return Ok(go(&visit, "/login"));
    };
    faces(&desk, &visit, &screen, None).await
}

async fn faces(desk: &Desk, visit: &Visit, screen: &Screen, wrong: Option<&str>) -> Result<Response, Problem> {
    let show = CaseShow {
        number: screen.about.clone(),
        ..CaseShow::default()
    };
    // Only the matter's name is asked for: without it the faces are as good.
    let case = desk.ask(Command::CaseShow(show)).await.unwrap_or_default();
    let part = ScreenPart {
        csrf: &visit.csrf,
        token: &screen.token,
        matter: case["matter_name"].as_str().unwrap_or_default(),
        number: &screen.about,
        wrong,
    };
    Ok(desk.screen_page(visit, console::page::part(&part)).await)
}

#[derive(Deserialize)]
pub(super) struct Pressed {
    #[serde(default)]
    token: String,
    /// 1 to 5; anything else is no wish to say.
    #[serde(default)]
    rating: String,
}

/// One press, counted once.
pub(super) async fn press(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Form(pressed): Form<Pressed>,
) -> Result<Response, Problem> {
    let sessions = &desk.door.gate.sessions;
    let screen = sessions.lent(&visit.cookie, &pressed.token, Instant::now());
    let screen = screen.ok_or_else(|| Problem::new(StatusCode::FORBIDDEN, t::NO_SCREEN))?;
    let said = match pressed.rating.parse::<u8>() {
        Ok(rating @ 1..=5) => {
            let evaluate = Evaluate {
                number: screen.about.clone(),
                rating,
                press: screen.token.clone(),
            };
            if let Err(problem) = desk.ask(Command::Evaluate(evaluate)).await {
                // Nothing was kept, or nobody knows: the screen stays lent. Pressed again, the same press counts once.
                tracing::warn!(error = problem.text, "an evaluation was not kept");
                let mut page = faces(&desk, &visit, &screen, Some(t::PRESS_AGAIN)).await?;
                *page.status_mut() = problem.status;
                return Ok(page);
            }
            t::THANKS
        }
        _ => t::THANKS_ANYWAY,
    };
    // Spent only now that the word is on the disk.
    sessions.take_screen(&visit.cookie, &pressed.token, Instant::now());
    Ok(desk
        .screen_page(&visit, console::page::part(&ThanksPart { said }))
        .await)
}
