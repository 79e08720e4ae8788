//! The daily work of a township and of the county: cases, document numbers, errands, and the queues that wait for a word.

mod conflicts;
mod errands;
mod follow;
pub(super) mod inbox;
mod queues;
mod register;

use axum::http::StatusCode;
use axum::response::Response;
use console::case::acts::one;
use console::case::page::Pairs;
use console::case::{acts, page as case};
use console::{Problem, Visit, print};
use serde::Deserialize;

use super::rights::{Right, Routes};
use super::texts::work as t;
use super::{Console, person};

pub(super) fn routes() -> Routes {
    Routes::new()
        .look(Right::Work, "/inbox", inbox::page)
        .look(Right::Work, "/inbox/counts", inbox::counts)
        .act(Right::Work, "/inbox/many", inbox::many)
        .look(Right::Work, "/find", inbox::find_page)
        .seek(Right::Work, "/find", inbox::find)
        .look(Right::Work, "/case/{number}", case::page::<Console>)
        .look(Right::Work, "/case/{number}/live", case::piece::<Console>)
        .act(Right::Work, "/case/{number}/do", acts::act::<Console>)
        .act(Right::Work, "/case/{number}/correct", acts::correct::<Console>)
        .act(Right::Work, "/case/{number}/edit", acts::edit::<Console>)
        .act(Right::Work, "/case/{number}/tick", acts::tick::<Console>)
        .act(Right::Work, "/case/{number}/doc", acts::give_doc::<Console>)
        .act(Right::Work, "/case/{number}/errand", acts::entrust::<Console>)
        .act(Right::Work, "/case/{number}/print", print::make::<Console>)
        .look(Right::Work, "/case/{number}/paper", print::page::<Console>)
        .act(Right::Work, "/case/{number}/paper/press", print::press::<Console>)
        .act(Right::Reveal, "/case/{number}/reveal", case::reveal::<Console>)
        .look(Right::Work, "/register", register::page)
        .look(Right::Work, "/errands", errands::page)
        .look(Right::Settle, "/conflicts", conflicts::page)
        .act(Right::Settle, "/conflicts/decide", conflicts::decide)
        .look(Right::Settle, "/setaside", queues::set_aside)
        .act(Right::Settle, "/setaside/retry", queues::retry)
        .look(Right::Settle, "/waiting", queues::waiting)
        .act(Right::Members, "/waiting/extend", queues::extend)
        .act(Right::Settle, "/waiting/leave", queues::leave)
        .look(Right::Work, "/follow", follow::page)
        .act(Right::Work, "/follow/say", follow::say)
        .act(Right::Settle, "/follow/malicious", follow::malicious)
}

/// A filter that a page's address holds: nothing stands there about a person.
fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A tag: colour and word together, neither says it alone.
struct Tag {
    colour: &'static str,
    word: String,
}

/// Which page of a list.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Page {
    page: usize,
    unit: String,
    kind: String,
    /// Those that are done with.
    done: String,
}

/// A place of work one may filter by.
#[derive(Clone)]
struct UnitOf {
    code: String,
    name: String,
}

impl Console {
    /// The units below, for filters, as `rooms` names them.
    async fn units(&self) -> Result<Vec<UnitOf>, Problem> {
        let rooms = self.ask(office::command::Command::Rooms).await?;
        let rows = rooms.as_array().cloned().unwrap_or_default().into_iter();
        let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
        let mut units: Vec<UnitOf> = rows
            .map(|row| UnitOf {
                code: text(&row["unit"]),
                name: text(&row["name"]),
            })
            .collect();
        units.sort_by(|a, b| a.code.cmp(&b.code));
        units.dedup_by(|a, b| a.code == b.code);
        Ok(units)
    }

    /// The page again, with what was wrong.
    pub(super) async fn wrong(&self, visit: &Visit, title: &str, here: &'static str, body: String) -> Response {
        let mut response = self.page(visit, title, here, body).await;
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        response
    }
}
