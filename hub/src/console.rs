//! The operator's console: the pages of a township's or county's hub.
//!
//! ```text
//!   routes ──▶ signed in? ──▶ may this role? (the route's right) ──▶ a page module ──▶ Console::ask ──▶ daemon::Service ──▶ office
//!                                                                       └──▶ its template, words from `texts`
//! ```
//!
//! `rights` who may see and do what, `login` how one comes in, `bar` the status bar, `home` where one begins. Shell,
//! guard, sessions and the door are [`console`]'s.

mod alerts;
mod audit;
mod bar;
mod cover;
mod home;
mod login;
mod members;
pub(crate) mod reports;
mod rights;
mod room;
mod room_day;
mod shared;
mod tables;
mod texts;
mod users;
mod wall;
mod work;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use console::accounts::Secret;
use console::face::CaseFace;
use console::kept;
use console::page::Link;
use console::{Door, Gate, Person, Problem, Sessions, Shell, Visit};
use daemon::{Face, Stage};
use office::command::{By, Command};
use serde_json::Value;
use tokio::sync::Mutex;

use rights::{Right, Routes};

/// The main menu: what somebody may see of it is shown.
const MENU: &[(Right, Link)] = &[
    (Right::Work, link("/inbox", texts::work::INBOX, "1")),
    (Right::Settle, link("/conflicts", texts::work::CONFLICTS, "2")),
    (Right::Watch, link("/wall", texts::health::WALL, "3")),
    (Right::Watch, link("/alerts", texts::health::ALERTS, "4")),
    (Right::Report, link("/reports", texts::reports::REPORTS, "5")),
    (Right::Report, link("/assess", texts::reports::ASSESS, "6")),
    (Right::Members, link("/members", texts::MEMBERS, "7")),
    (Right::Publish, link("/tables", texts::TABLES, "t")),
    (Right::Users, link("/users", texts::USERS, "8")),
    (Right::Audit, link("/audit", texts::AUDIT, "9")),
];

const fn link(path: &'static str, label: &'static str, key: &'static str) -> Link {
    Link { path, label, key }
}

/// Routes that take files.
const FILES: &[&str] = &[members::LOOK, tables::LOOKS[0], tables::LOOKS[1], tables::LOOKS[2]];

/// What every page works with.
pub(crate) struct Console {
    door: Door,
    /// What is typed is read, changed and kept by one at a time.
    keeping: Mutex<()>,
    /// Workdays within which a bad evaluation is to be answered.
    follow_up_workdays: u32,
}

/// The pages for a daemon to serve.
pub(crate) fn face() -> Face {
    Arc::new(|stage| Box::pin(open(stage)))
}

async fn open(stage: Stage) {
    let Ok(addr) = stage.listener.local_addr() else {
        return;
    };
    let gate = Gate::new(addr, Sessions::new(stage.config.desk_lock)).taking_files(FILES);
    let gate = match &stage.certificate {
        Some(_) => gate.over_tls(stage.config.console_names.clone()),
        None => gate,
    };
    let console = Arc::new(Console {
        door: Door::new(&stage, gate, Secret::Password, texts::refusal),
        keeping: Mutex::new(()),
        follow_up_workdays: stage.config.follow_up_workdays,
    });
    let tls = stage.certificate.map(|c| c.tls);
    tokio::join!(
        console::serve::serve(stage.listener, tls, routes(console.clone())),
        console.door.sweep()
    );
}

/// Every page of somebody who has signed in, with the right that it takes.
fn pages() -> Routes {
    Routes::new()
        .everybody("/", get(home::page))
        .everybody("/bar", get(bar::piece))
        .everybody("/live", get(live))
        .everybody("/awake", get(kept::awake))
        .everybody("/kept", post(kept::keep::<Console>))
        .everybody("/kept/drop", post(kept::let_go::<Console>))
        .everybody("/post", get(cover::page).post(cover::take))
        .everybody("/me", get(login::me_page).post(login::change))
        .with(wall::routes())
        .with(room::routes())
        .with(room_day::routes())
        .with(alerts::routes())
        .with(work::routes())
        .with(members::routes())
        .with(reports::routes())
        .with(tables::routes())
        .with(users::routes())
        .with(audit::routes())
}

fn routes(console: Arc<Console>) -> Router {
    let signed_in = middleware::from_fn_with_state(console.clone(), login::signed_in);
    let guard = middleware::from_fn_with_state(console.door.gate.clone(), console::guard::guard);
    Router::new()
        .route("/login", get(login::page).post(login::sign_in))
        .route("/unlock", post(login::unlock))
        .route("/enrol", get(login::enrol_page).post(login::enrol))
        .route("/lock", post(login::lock))
        .route("/leave", post(login::leave))
        .merge(
            pages()
                .router()
                .method_not_allowed_fallback(kept::back_to_page::<Console>)
                .layer(signed_in),
        )
        .fallback(nowhere)
        .with_state(console)
        .merge(console::assets::routes())
        .layer(guard)
}

async fn live(State(console): State<Arc<Console>>) -> Response {
    console.door.live()
}

async fn nowhere() -> Problem {
    Problem::not_found()
}

impl Console {
    /// Asks the office, as the command line would.
    async fn ask(&self, command: Command) -> Result<Value, Problem> {
        self.door.ask(command).await
    }

    /// Asks in the name of whoever presses: that stands on what is recorded, and in the trail.
    async fn ask_as(&self, visit: &Visit, command: Command) -> Result<Value, Problem> {
        let by = By {
            user: person(visit)?.id,
            asks: Box::new(command),
        };
        self.ask(Command::By(by)).await
    }

    /// The code of this hub's own unit.
    async fn own_unit(&self) -> Result<String, Problem> {
        let status = self.ask(Command::Status).await?;
        Ok(status["unit"].as_str().unwrap_or_default().to_owned())
    }

    /// A page for somebody who has not signed in: no menu, nothing that changes by itself.
    async fn quiet_page(&self, visit: &Visit, title: &str, body: String) -> Response {
        let status = self.ask(Command::Status).await.unwrap_or_default();
        let shell = Shell {
            unit: status["name"].as_str().unwrap_or_default().to_owned(),
            body,
            person: None,
            ..Shell::of(visit, title)
        };
        shell.page()
    }

    /// A page in its frame, under the status bar.
    async fn page(&self, visit: &Visit, title: &str, here: &'static str, body: String) -> Response {
        let status = self.ask(Command::Status).await.unwrap_or_default();
        let menu = MENU
            .iter()
            .filter(|(right, _)| rights::may_look(visit.person.as_ref(), *right));
        let mine = link("/me", texts::ME, "m");
        let menu: Vec<Link> = menu.map(|(_, link)| *link).chain([mine]).collect();
        let own = Console::page_of(&visit.at);
        let shell = Shell {
            unit: status["name"].as_str().unwrap_or_default().to_owned(),
            kept: kept::kept(self, visit, &own).await,
            page: own,
            awake_s: self.door.gate.sessions.awake_every().as_secs_f32(),
            menu,
            here,
            bar: bar::of(&status),
            body,
            live: true,
            ..Shell::of(visit, title)
        };
        shell.page().into_response()
    }

    /// Says something once, on the visitor's next page.
    fn say(&self, visit: &Visit, text: impl Into<String>) {
        self.door.gate.sessions.say(&visit.cookie, text.into());
    }

    /// What was to be said on this page.
    fn said(&self, visit: &Visit) -> Option<String> {
        self.door.gate.sessions.said(&visit.cookie)
    }
}

/// Who asks: every page behind the log-in has somebody.
fn person(visit: &Visit) -> Result<&Person, Problem> {
    visit.person.as_ref().ok_or_else(Problem::not_allowed)
}

/// Reads what the office answered. That it is otherwise is a fault of ours, and said as one.
fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|error| {
        tracing::error!(%error, "an answer of the office that the page does not know");
        Problem::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, texts::UNREAD)
    })
}

/// A time as a calendar and a clock on a wall in China show it.
fn moment(at_ms: i64) -> String {
    format!(
        "{} {}",
        ledger::day::Day::of_wall_ms(at_ms),
        console::page::clock(at_ms)
    )
}

/// Now, UTC milliseconds.
fn wall_ms() -> i64 {
    net::Clock::start().now().wall_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_stands_once_and_asks_for_a_right() {
        let mut seen = std::collections::BTreeSet::new();
        for (path, method, _) in pages().listed() {
            assert!(seen.insert((path, method)), "{method} {path} twice");
        }
        assert!(seen.len() > 10);
    }
}
