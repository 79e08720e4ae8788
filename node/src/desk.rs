//! The clerk's desk: the pages of one village room, served on its own PC.
//!
//! ```text
//!   routes ──▶ signed in? ──▶ a page module ──▶ Desk::ask ──▶ daemon::Service (as the command line does) ──▶ office
//!                                  └──▶ its template, words from `texts`
//! ```
//!
//! `login` who sits at the desk, `bar` the status bar, `today` the first page, `lines` how a case stands in
//! a list. Shell, guard, sessions and the door are [`console`]'s.

mod bar;
mod day;
mod doctor;
mod errand;
mod import;
mod login;
mod matters;
mod new;
mod screen;
mod search;
mod shared;
mod sheet;
mod texts;
mod today;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use console::accounts::Secret;
use console::face::CaseFace;
use console::page::Link;
use console::{Door, Gate, Problem, Sessions, Shell, Visit};
use console::{case, kept, print};
use daemon::{Face, Stage};
use ledger::id::UserId;
use office::command::Command;
use serde_json::Value;
use tokio::sync::Mutex;

/// The main menu.
const MENU: &[Link] = &[
    Link {
        path: "/",
        label: texts::TODAY,
        key: "1",
    },
    Link {
        path: "/new",
        label: texts::NEW,
        key: "2",
    },
    Link {
        path: "/search",
        label: texts::SEARCH,
        key: "3",
    },
    Link {
        path: "/errands",
        label: texts::ERRAND,
        key: "4",
    },
    Link {
        path: "/day",
        label: texts::DAY,
        key: "5",
    },
    Link {
        path: "/doctor",
        label: texts::DOCTOR,
        key: "8",
    },
    Link {
        path: "/post",
        label: texts::POST,
        key: "9",
    },
];

/// What every page of the desk works with.
pub(crate) struct Desk {
    door: Door,
    /// What is typed is read, changed and kept by one at a time.
    keeping: Mutex<()>,
    /// Who signed in last: most likely who comes next.
    last: Mutex<Option<UserId>>,
}

/// The page for a daemon to serve.
pub(crate) fn face() -> Face {
    Arc::new(|stage| Box::pin(open(stage)))
}

async fn open(stage: Stage) {
    let Ok(addr) = stage.listener.local_addr() else {
        return;
    };
    let gate = Gate::new(addr, Sessions::new(stage.config.desk_lock)).taking_files(&[import::LOOK]);
    let desk = Arc::new(Desk {
        door: Door::new(&stage, gate, Secret::Pin, texts::refusal),
        keeping: Mutex::new(()),
        last: Mutex::new(None),
    });
    tokio::join!(
        console::serve::serve(stage.listener, None, routes(desk.clone())),
        desk.door.sweep()
    );
}

fn routes(desk: Arc<Desk>) -> Router {
    let gate = desk.door.gate.clone();
    // Whoever adds a route adds it here: signing in is asked for by the place, not by each page.
    let desk_only = Router::new()
        .route("/", get(today::page))
        .route("/today", get(today::piece))
        .route("/case/{number}", get(case::page::page::<Desk>))
        .route("/case/{number}/live", get(case::page::piece::<Desk>))
        .route("/case/{number}/do", post(case::acts::act::<Desk>))
        .route("/case/{number}/correct", post(case::acts::correct::<Desk>))
        .route("/case/{number}/edit", post(case::acts::edit::<Desk>))
        .route("/case/{number}/tick", post(case::acts::tick::<Desk>))
        .route("/case/{number}/errand", post(case::acts::entrust::<Desk>))
        .route("/case/{number}/settle", post(case::acts::settle::<Desk>))
        .route("/case/{number}/reveal", post(case::page::reveal::<Desk>))
        .route("/case/{number}/evaluate", post(screen::hand_over))
        .route("/errands", get(errand::page))
        .route("/errands/list", get(errand::piece))
        .route("/errands/new", get(errand::new_page).post(errand::entrust))
        .route("/new", get(new::page).post(new::receive))
        .route("/new/search", post(new::search))
        .route("/new/matter", post(new::choose))
        .route("/new/who", post(new::who))
        .route("/new/again", post(new::take_over))
        .route("/new/draft", post(new::draft))
        .route("/new/clear", post(new::clear))
        .route("/search", get(search::page).post(search::search))
        .route("/case/{number}/print", post(print::make::<Desk>))
        .route("/case/{number}/paper", get(print::page::<Desk>))
        .route("/case/{number}/paper/press", post(print::press::<Desk>))
        .route("/doctor", get(doctor::page))
        .route("/doctor/file", post(doctor::file))
        .route("/day", get(day::page))
        .route("/day/close", post(day::close))
        .route("/day/ledger", post(day::ledger))
        .route("/import", get(import::page))
        .route(import::LOOK, post(import::look))
        .route("/import/take", post(import::take))
        .route("/bar", get(bar::piece))
        .route("/live", get(live))
        .route("/kept", post(kept::keep::<Desk>))
        .route("/kept/drop", post(kept::let_go::<Desk>))
        .route("/awake", get(kept::awake))
        .route("/post", get(login::post_page).post(login::cover))
        .route("/passphrase", post(login::passphrase))
        .method_not_allowed_fallback(kept::back_to_page::<Desk>)
        .layer(middleware::from_fn_with_state(desk.clone(), login::signed_in));
    Router::new()
        .route("/login", get(login::page).post(login::sign_in))
        .route("/unlock", post(login::unlock))
        .route("/enrol", get(login::enrol_page).post(login::enrol))
        .route("/lock", post(login::lock))
        .route("/leave", post(login::leave))
        .route("/evaluate", get(screen::page).post(screen::press))
        .merge(desk_only)
        .fallback(nowhere)
        .with_state(desk)
        .merge(console::assets::routes())
        .layer(middleware::from_fn_with_state(gate, console::guard::guard))
}

async fn live(State(desk): State<Arc<Desk>>) -> Response {
    desk.door.live()
}

async fn nowhere() -> Problem {
    Problem::not_found()
}

impl Desk {
    /// Asks the office, as the command line would.
    async fn ask(&self, command: Command) -> Result<Value, Problem> {
        self.door.ask(command).await
    }

    /// Whether this room has joined nobody: then nothing is unsent, it is said to stand alone.
    async fn is_alone(&self) -> bool {
        let status = self.ask(Command::Status).await.unwrap_or_default();
        let never_seen = |peer: &Value| peer["last_seen_s"].is_null() && peer["connected"] != true;
        status["alone"] == true
            && status["peers"]
                .as_array()
                .is_none_or(|peers| peers.iter().all(never_seen))
    }

    /// A page for somebody who has not signed in: no menu, nothing that changes by itself.
    fn quiet_page(&self, visit: &Visit, title: &str, status: &Value, body: String) -> Response {
        let shell = Shell {
            unit: status["name"].as_str().unwrap_or_default().to_owned(),
            body,
            person: None,
            ..Shell::of(visit, title)
        };
        shell.page()
    }

    /// A page for the applicant: nothing of the clerk's on it.
    async fn screen_page(&self, visit: &Visit, body: String) -> Response {
        let status = self.ask(Command::Status).await.unwrap_or_default();
        self.quiet_page(visit, texts::HOW_WAS_IT, &status, body)
    }

    /// Says something once, on the visitor's next page.
    async fn say(&self, visit: &Visit, text: String) {
        self.door.gate.sessions.say(&visit.cookie, text);
    }

    /// A page in its frame, under the status bar.
    async fn page(&self, visit: &Visit, title: &str, here: &'static str, body: String) -> Response {
        let status = self.ask(Command::Status).await.unwrap_or_default();
        let own = Desk::page_of(&visit.at);
        let shell = Shell {
            unit: status["name"].as_str().unwrap_or_default().to_owned(),
            kept: kept::kept(self, visit, &own).await,
            page: own,
            awake_s: self.door.gate.sessions.awake_every().as_secs_f32(),
            menu: MENU.to_vec(),
            here,
            bar: bar::of(&status),
            body,
            live: true,
            ..Shell::of(visit, title)
        };
        shell.page().into_response()
    }
}

/// Now, UTC milliseconds.
fn wall_ms() -> i64 {
    net::Clock::start().now().wall_ms
}
