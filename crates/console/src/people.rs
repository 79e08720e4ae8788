//! Who works at this unit, as stated by itself or by the unit above.

use std::sync::Arc;

use daemon::{Failure, Service};
use ledger::id::UserId;
use office::command::Command;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::Person;
use crate::accounts::typed_code;

/// A person of this unit who may work here now.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Staff {
    pub id: UserId,
    pub name: String,
    pub roles: Vec<String>,
    active: bool,
    own: bool,
    /// The one-time code that was given last.
    pub enrol: Option<Code>,
}

/// A one-time code, known by its digest.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Code {
    pub digest: String,
    until_ms: i64,
}

impl Staff {
    /// The code that this person was given, when this is it.
    pub fn code(&self, typed: &str) -> Option<&Code> {
        let typed = replica::statement::Enrol::digest_of(&self.id, &typed_code(typed)).to_string();
        self.enrol.as_ref().filter(|code| code.digest == typed)
    }

    /// This person before a face, on the own post.
    pub fn person(&self) -> Person {
        Person {
            id: self.id,
            name: self.name.clone(),
            roles: self.roles.clone(),
            cover: None,
        }
    }
}

impl Code {
    /// Whether its week is over; `wall_ms` is UTC.
    pub fn is_over(&self, wall_ms: i64) -> bool {
        self.until_ms < wall_ms
    }
}

/// Those stated when something last changed.
#[derive(Default)]
pub struct People(Mutex<Option<(u64, Arc<Vec<Staff>>)>>);

impl People {
    /// Everybody who may work here now. Asked of the office only when something has changed: every request needs it.
    ///
    /// # Errors
    /// What the office answers.
    pub async fn now(&self, service: &Service) -> Result<Arc<Vec<Staff>>, Failure> {
        let beat = *service.changes().borrow();
        let mut known = self.0.lock().await;
        if let Some((at, staff)) = &*known
            && *at == beat
        {
            return Ok(staff.clone());
        }
        let all = service.command(Command::UserList).await?;
        // A person of a later version that cannot be read here is passed over, not everybody.
        let rows = all.as_array().cloned().unwrap_or_default().into_iter();
        let read = rows.filter_map(|row| serde_json::from_value::<Staff>(row).ok());
        let staff: Arc<Vec<Staff>> = Arc::new(read.filter(|s| s.own && s.active).collect());
        *known = Some((beat, staff.clone()));
        Ok(staff)
    }
}
