//! What the pages that are shared with the centres' consoles ask of this desk.

use axum::response::Response;
use console::face::{CaseFace, May, Place};
use console::kept::back_to;
use console::{Gate, Problem, Visit};
use office::command::Command;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{Desk, new};

impl CaseFace for Desk {
    const PLACE: Place = Place::Room;
    const HERE: &'static str = "";

    fn gate(&self) -> &Gate {
        &self.door.gate
    }

    fn keeping(&self) -> &Mutex<()> {
        &self.keeping
    }

    /// Whoever sits at the room's desk works its cases; the form's table says what a room may.
    fn may(&self, _visit: &Visit) -> May {
        May {
            work: true,
            undo: true,
            reveal: true,
        }
    }

    fn page_of(at: &str) -> String {
        let path = at.split('?').next().unwrap_or_default();
        let steps: Vec<&str> = path.split('/').skip(1).collect();
        let page = match steps.as_slice() {
            ["case", number, ..] => format!("/case/{number}"),
            ["errands", "new"] => "/errands/new".to_owned(),
            ["passphrase"] => "/post".to_owned(),
            [
                first @ ("new" | "day" | "import" | "doctor" | "search" | "post" | "errands"),
                ..,
            ] => format!("/{first}"),
            _ => "/".to_owned(),
        };
        back_to(at, page)
    }

    async fn ask(&self, _visit: &Visit, command: Command) -> Result<Value, Problem> {
        Desk::ask(self, command).await
    }

    async fn page(&self, visit: &Visit, title: &str, here: &'static str, body: String) -> Response {
        Desk::page(self, visit, title, here, body).await
    }

    async fn is_alone(&self) -> bool {
        Desk::is_alone(self).await
    }

    /// A new case has a draft of its own.
    async fn keep_draft(&self, visit: &Visit, path: &str, pairs: &[(String, String)]) -> Option<Result<(), Problem>> {
        let user = visit.person.as_ref().map(|p| p.id)?;
        match path {
            "/new" | "/new/draft" => Some(new::keep(self, user, pairs.to_vec()).await),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_leads_back_to_the_page_that_it_stands_on_and_nothing_leads_elsewhere() {
        for (at, page) in [
            ("/", "/"),
            ("/case/51160300112628200011-2", "/case/51160300112628200011-2"),
            ("/case/51160300112628200011/do", "/case/51160300112628200011"),
            ("/case/51160300112628200011/live?seen=3", "/case/51160300112628200011"),
            ("/day?day=2026-10-09", "/day?day=2026-10-09"),
            ("/day/close", "/day"),
            ("/errands/new", "/errands/new"),
            ("/errands/list", "/errands"),
            ("/new/draft", "/new"),
            ("/passphrase", "/post"),
            ("/kept", "/"),
            ("/lock", "/"),
            ("//evil.example/day", "/"),
            ("/case/%2e%2e/do", "/"),
            ("/day?day=2026&next=//evil", "/day"),
            ("http://evil.example/", "/"),
        ] {
            assert_eq!(Desk::page_of(at), page, "{at}");
            assert_eq!(Desk::page_of(&Desk::page_of(at)), Desk::page_of(at), "{at}");
        }
    }
}
