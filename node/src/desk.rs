//! The clerk's desk: the pages of one village room, served on its own PC.
//!
//! ```text
//!   routes ──▶ signed in? ──▶ a page module ──▶ Desk::ask ──▶ daemon::Service (as the command line does) ──▶ office
//!                                  └──▶ its template, words from `texts`
//! ```
//!
//! `bar` the status bar, `start` the first page. Shell, guard and sessions are [`console`]'s.

mod bar;
mod start;
mod texts;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use console::page::Link;
use console::{Gate, Problem, Sessions, Shell, Visit};
use daemon::{Face, Service, Stage};
use office::command::Command;
use serde_json::Value;

/// The main menu.
const MENU: &[Link] = &[Link {
    path: "/",
    label: texts::TODAY,
    key: "1",
}];

/// What every page of the desk works with.
pub(crate) struct Desk {
    service: Service,
    gate: Arc<Gate>,
}

/// The page for a daemon to serve.
pub(crate) fn face() -> Face {
    Arc::new(|stage| Box::pin(open(stage)))
}

async fn open(stage: Stage) {
    let Ok(addr) = stage.listener.local_addr() else {
        return;
    };
    let desk = Arc::new(Desk {
        service: stage.service,
        gate: Gate::new(addr, Sessions::default()),
    });
    console::serve::serve(stage.listener, routes(desk)).await;
}

fn routes(desk: Arc<Desk>) -> Router {
    let gate = desk.gate.clone();
    Router::new()
        .route("/", get(start::page))
        .route("/bar", get(bar::piece))
        .route("/live", get(live))
        .fallback(nowhere)
        .with_state(desk)
        .merge(console::assets::routes())
        .layer(middleware::from_fn_with_state(gate, console::guard::guard))
}

async fn live(State(desk): State<Arc<Desk>>) -> Response {
    console::live::stream(desk.service.changes())
}

async fn nowhere() -> Problem {
    Problem::not_found()
}

impl Desk {
    /// Asks the office, as the command line would.
    async fn ask(&self, command: Command) -> Result<Value, Problem> {
        Ok(self.service.command(command).await?)
    }

    /// A page in its frame, under the status bar.
    async fn page(&self, visit: &Visit, title: &str, here: &'static str, body: String) -> Response {
        let status = self.ask(Command::Status).await.unwrap_or_default();
        let shell = Shell {
            unit: status["name"].as_str().unwrap_or_default().to_owned(),
            menu: MENU,
            here,
            bar: bar::of(&status),
            body,
            live: true,
            ..Shell::of(visit, title)
        };
        shell.page().into_response()
    }
}
