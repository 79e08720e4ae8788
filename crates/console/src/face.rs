//! What the pages that both faces show ask of the face around them.

use std::future::Future;

use axum::response::Response;
use office::command::{Command, Cover};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{Gate, Person, Problem, Visit};

/// Where a face stands. Pages word a few things by it, and offer only what is done there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A village room's desk.
    Room,
    /// A township's or the county's hub.
    Centre,
}

/// What a person may do with cases.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct May {
    pub work: bool,
    /// Steps that undo what others have done.
    pub undo: bool,
    /// Personal values in the clear, for a reason.
    pub reveal: bool,
}

/// A face on which cases are worked.
pub trait CaseFace: Send + Sync + Sized + 'static {
    const PLACE: Place;
    /// The menu's entry under which a case stands.
    const HERE: &'static str;

    fn gate(&self) -> &Gate;

    /// What is typed is read, changed and kept by one at a time.
    fn keeping(&self) -> &Mutex<()>;

    fn may(&self, visit: &Visit) -> May;

    /// The page that an address belongs to: where its forms stand, and where one can come back to.
    fn page_of(at: &str) -> String;

    /// Asks the office in the name of whoever visits.
    fn ask(&self, visit: &Visit, command: Command) -> impl Future<Output = Result<Value, Problem>> + Send;

    /// A page in the face's own frame.
    fn page(
        &self,
        visit: &Visit,
        title: &str,
        here: &'static str,
        body: String,
    ) -> impl Future<Output = Response> + Send;

    /// Whether there is nobody above to send to.
    fn is_alone(&self) -> impl Future<Output = bool> + Send;

    /// What was typed so far into a form that has a draft of its own, sent to a page that had been locked.
    fn keep_draft(
        &self,
        _visit: &Visit,
        _path: &str,
        _pairs: &[(String, String)],
    ) -> impl Future<Output = Option<Result<(), Problem>>> + Send {
        async { None }
    }
}

/// B岗顶岗, for what this person does now.
pub fn cover(person: &Person) -> Option<Cover> {
    let cover = person.cover.as_ref()?;
    Some(Cover {
        of: cover.of.clone(),
        reason: cover.reason.clone(),
    })
}

/// Who visits: every page behind the log-in has somebody.
pub fn person(visit: &Visit) -> Result<&Person, Problem> {
    visit.person.as_ref().ok_or_else(Problem::not_allowed)
}
