//! Who works in this room, as the unit above has stated it.

use std::sync::Arc;

use console::Problem;
use ledger::id::UserId;
use office::command::Command;
use serde::Deserialize;

use super::Desk;

/// A person of this room.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Clerk {
    pub(super) id: UserId,
    pub(super) name: String,
    pub(super) roles: Vec<String>,
    active: bool,
    own: bool,
    pub(super) enrol: Option<Enrol>,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Enrol {
    pub(super) digest: String,
    pub(super) until_ms: i64,
}

/// Those stated when something last changed.
pub(super) type Known = Option<(u64, Arc<Vec<Clerk>>)>;

impl Desk {
    /// Everybody who may work here now. Asked of the office only when something has changed: every request needs it.
    pub(super) async fn clerks(&self) -> Result<Arc<Vec<Clerk>>, Problem> {
        let beat = *self.service.changes().borrow();
        let mut known = self.known.lock().await;
        if let Some((at, clerks)) = &*known
            && *at == beat
        {
            return Ok(clerks.clone());
        }
        let all = self.ask(Command::UserList).await?;
        // A person of a later version that cannot be read here is passed over, not everybody.
        let rows = all.as_array().cloned().unwrap_or_default().into_iter();
        let read = rows.filter_map(|row| serde_json::from_value::<Clerk>(row).ok());
        let clerks: Arc<Vec<Clerk>> = Arc::new(read.filter(|c| c.own && c.active).collect());
        *known = Some((beat, clerks.clone()));
        Ok(clerks)
    }
}
