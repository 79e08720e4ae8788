//! The door of a face: who may come in, who sits there, who has left. How people prove themselves there, and in which words, is the face's own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::Method;
use axum::response::{IntoResponse, Response};
use daemon::{Service, Stage};
use ledger::id::UserId;
use office::command::{AuditAppend, Command, FaceAct, Passphrase, Unlock};
use serde::Deserialize;
use serde_json::Value;

use crate::accounts::Secret;
use crate::page::{go, is_local};
use crate::people::{People, Staff};
use crate::{Accounts, Gate, Person, Problem, Visit};

/// A face whose browser was closed is locked so much later at most.
const SWEEP_EVERY: Duration = Duration::from_secs(15);

/// What every face works with: the office behind it, and those who come.
pub struct Door {
    pub service: Service,
    pub gate: Arc<Gate>,
    pub accounts: Accounts,
    people: People,
    /// The office's words name commands; a face has pages. From a refusal's code and its text.
    words: fn(&str, String) -> String,
    idle_lock: Duration,
}

/// Where to go on after signing in.
#[derive(Deserialize)]
pub struct Back {
    #[serde(default)]
    pub back: String,
}

/// The passphrase that opens personal values.
#[derive(Deserialize)]
pub struct Opening {
    pub passphrase: String,
    pub back: String,
}

/// How somebody who asks for a page stands.
pub enum Standing {
    /// Signed in, and works here, as stated now.
    In(Person),
    /// Listens for changes without a session.
    Deaf,
    /// Does not work here any more; the session has ended.
    Left,
    /// Has to sign in.
    Out,
}

impl Door {
    /// Of a face that a daemon opens. `words` as the face says what the office refused.
    pub fn new(stage: &Stage, gate: Gate, secret: Secret, words: fn(&str, String) -> String) -> Self {
        Self {
            service: stage.service.clone(),
            gate: Arc::new(gate),
            accounts: Accounts::of(stage.folder.clone(), secret),
            people: People::default(),
            words,
            idle_lock: stage.config.desk_lock,
        }
    }

    /// Locks what was left open by a browser that was closed: nobody else would notice.
    pub async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP_EVERY.min(self.idle_lock)).await;
            self.gate.sessions.sweep(Instant::now());
        }
    }

    /// Asks the office, as the command line would.
    ///
    /// # Errors
    /// What it refuses, in the face's words.
    pub async fn ask(&self, command: Command) -> Result<Value, Problem> {
        self.service.command(command).await.map_err(|f| self.said(f))
    }

    fn said(&self, failure: daemon::Failure) -> Problem {
        let code = failure.code.clone();
        let problem = Problem::from(failure);
        Problem {
            text: (self.words)(&code, problem.text),
            ..problem
        }
    }

    /// Everybody who may work here now.
    ///
    /// # Errors
    /// The office does not answer.
    pub async fn staff(&self) -> Result<Arc<Vec<Staff>>, Problem> {
        self.people.now(&self.service).await.map_err(|f| self.said(f))
    }

    /// Into the trail; a face without one (a disk that is full) is still a face.
    pub async fn audit(&self, act: FaceAct, user: UserId) {
        self.audit_for(act, user, None).await;
    }

    /// As [`Door::audit`], with a reason.
    pub async fn audit_for(&self, act: FaceAct, user: UserId, reason: Option<String>) {
        let append = AuditAppend {
            act,
            number: None,
            reason,
            user: Some(user),
        };
        if let Err(problem) = self.ask(Command::AuditAppend(append)).await {
            tracing::warn!(error = problem.text, "not in the trail");
        }
    }

    /// How whoever asks for a path stands: by what is stated now, not by what was this morning.
    ///
    /// # Errors
    /// The office does not answer.
    pub async fn standing(&self, visit: &Visit, path: &str) -> Result<Standing, Problem> {
        let staff = self.staff().await?;
        let somebody = visit.person.clone().filter(|_| !visit.locked);
        let stated = somebody.as_ref().and_then(|p| staff.iter().find(|s| s.id == p.id));
        Ok(match (somebody, stated) {
            (Some(before), Some(stated)) => Standing::In(Person {
                cover: before.cover,
                ..stated.person()
            }),
            _ if path == "/live" => Standing::Deaf,
            (Some(_), None) => {
                self.gate.sessions.end(&visit.cookie);
                Standing::Left
            }
            (None, _) => Standing::Out,
        })
    }

    /// Lets somebody in under a new cookie. Whoever comes back to what was locked keeps the post that was taken over.
    pub async fn enter(&self, visit: &Visit, staff: &Staff, back: &str) -> Response {
        let before = visit.person.as_ref().filter(|p| p.id == staff.id);
        let person = Person {
            cover: before.and_then(|p| p.cover.clone()),
            ..staff.person()
        };
        self.audit(FaceAct::Login, staff.id).await;
        let cookie = self.gate.sessions.sign_in(&visit.cookie, person, Instant::now());
        ([self.gate.set_cookie(&cookie)], go(visit, back)).into_response()
    }

    /// Asks for PIN or password before anything else is shown here, and then leads to `back`.
    pub fn lock(&self, visit: &Visit, back: &str) -> Response {
        self.gate.sessions.lock(&visit.cookie);
        log_in(visit, back)
    }

    /// Ends the session.
    pub async fn leave(&self, visit: &Visit) -> Response {
        if let Some(person) = &visit.person {
            self.audit(FaceAct::Logout, person.id).await;
        }
        self.gate.sessions.end(&visit.cookie);
        go(visit, "/login")
    }

    /// Opens personal values.
    ///
    /// # Errors
    /// Another passphrase than this machine's.
    pub async fn unlock(&self, visit: &Visit, form: Opening) -> Result<Response, Problem> {
        let unlock = Unlock {
            passphrase: Passphrase::new(form.passphrase),
            user: visit.person.as_ref().map(|p| p.id),
        };
        self.ask(Command::Unlock(unlock)).await?;
        Ok(log_in(visit, safe(&form.back)))
    }

    /// The lines that tell a page of changes.
    pub fn live(&self) -> Response {
        crate::live::stream(self.service.changes())
    }
}

/// Leads to the page on which one signs in, and from there to `back`.
pub fn log_in(visit: &Visit, back: &str) -> Response {
    go(visit, &format!("/login?back={back}"))
}

/// A page of ours to go on to; nothing that a crafted link could point elsewhere.
pub fn safe(back: &str) -> &str {
    if is_local(back) { back } else { "/" }
}

/// Where somebody is led back to: what was asked for, or what a form or a piece of a page stood on.
pub fn back_of<'a>(visit: &'a Visit, method: &Method) -> &'a str {
    match *method == Method::GET && !visit.piece {
        true => &visit.at,
        false => visit.from.as_deref().unwrap_or("/"),
    }
}
