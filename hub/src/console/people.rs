//! Who works in this centre, as stated by itself or by the unit above.

use std::sync::Arc;

use console::Problem;
use ledger::id::UserId;
use office::command::Command;
use serde::Deserialize;

use super::Console;

/// A person of this centre.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Staff {
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
pub(super) type Known = Option<(u64, Arc<Vec<Staff>>)>;

impl Console {
    /// Everybody who may work here now. Asked of the office only when something has changed: every request needs it.
    pub(super) async fn staff(&self) -> Result<Arc<Vec<Staff>>, Problem> {
        let beat = *self.service.changes().borrow();
        let mut known = self.known.lock().await;
        if let Some((at, staff)) = &*known
            && *at == beat
        {
            return Ok(staff.clone());
        }
        let all = self.ask(Command::UserList).await?;
        // A person of a later version that cannot be read here is passed over, not everybody.
        let rows = all.as_array().cloned().unwrap_or_default().into_iter();
        let read = rows.filter_map(|row| serde_json::from_value::<Staff>(row).ok());
        let staff: Arc<Vec<Staff>> = Arc::new(read.filter(|s| s.own && s.active).collect());
        *known = Some((beat, staff.clone()));
        Ok(staff)
    }
}
