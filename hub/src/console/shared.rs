//! What the pages that are shared with the rooms' desks ask of this console.

use axum::response::Response;
use console::face::{CaseFace, May, Place};
use console::kept::back_to;
use console::{Gate, Problem, Visit};
use office::command::Command;
use serde_json::Value;
use tokio::sync::Mutex;

use super::Console;
use super::rights::{Right, may_act};

impl CaseFace for Console {
    const PLACE: Place = Place::Centre;
    const HERE: &'static str = "/inbox";

    fn gate(&self) -> &Gate {
        &self.door.gate
    }

    fn keeping(&self) -> &Mutex<()> {
        &self.keeping
    }

    /// Undoing what others have done is a head's.
    fn may(&self, visit: &Visit) -> May {
        let act = |right| may_act(visit.person.as_ref(), right);
        May {
            work: act(Right::Work),
            undo: act(Right::Settle),
            reveal: act(Right::Reveal),
        }
    }

    fn page_of(at: &str) -> String {
        let path = at.split('?').next().unwrap_or_default();
        let steps: Vec<&str> = path.split('/').skip(1).collect();
        let page = match steps.as_slice() {
            ["room", which, "day"] => format!("/room/{which}/day"),
            [first @ ("case" | "room" | "tables"), which, ..] => format!("/{first}/{which}"),
            ["reports", which @ ("cases" | "frozen" | "kept")] => format!("/reports/{which}"),
            [
                first @ ("inbox" | "find" | "register" | "errands" | "conflicts" | "setaside" | "waiting" | "follow"
                | "wall" | "alerts" | "reports" | "assess" | "members" | "tables" | "users" | "audit" | "me"
                | "post"),
                ..,
            ] => format!("/{first}"),
            _ => "/".to_owned(),
        };
        back_to(at, page)
    }

    async fn ask(&self, visit: &Visit, command: Command) -> Result<Value, Problem> {
        self.ask_as(visit, command).await
    }

    async fn page(&self, visit: &Visit, title: &str, here: &'static str, body: String) -> Response {
        Console::page(self, visit, title, here, body).await
    }

    /// Only rooms stand alone.
    async fn is_alone(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_leads_back_to_the_page_that_it_stands_on_and_nothing_leads_elsewhere() {
        for (at, page) in [
            ("/", "/"),
            ("/case/51160300112628200011-2/edit", "/case/51160300112628200011-2"),
            ("/inbox/many", "/inbox"),
            ("/inbox?unit=511603102", "/inbox?unit=511603102"),
            ("/waiting?done=1", "/waiting?done=1"),
            ("/waiting/leave", "/waiting"),
            ("/tables/catalogue/publish", "/tables/catalogue"),
            ("/reports/freeze", "/reports"),
            ("/reports/kept?id=00", "/reports/kept?id=00"),
            ("/room/511603102201", "/room/511603102201"),
            ("/kept", "/"),
            ("/lock", "/"),
            ("//evil.example/inbox", "/"),
            ("/case/%2e%2e/do", "/"),
            ("http://evil.example/", "/"),
        ] {
            assert_eq!(Console::page_of(at), page, "{at}");
            assert_eq!(Console::page_of(&Console::page_of(at)), page, "{at}");
        }
    }

    #[test]
    fn every_page_that_is_served_is_one_to_come_back_to() {
        for (path, method, _) in super::super::pages().listed() {
            let pieces = ["/live", "/counts", "/list", "/tiles", "/now", "/sheet", "/paper"];
            if method != "GET" || pieces.iter().any(|piece| path.ends_with(piece)) {
                continue;
            }
            let at = path.replace("{number}", "51160300112628200011").replace(['{', '}'], "");
            assert_eq!(Console::page_of(&at), at, "{path}");
        }
    }
}
