//! What a clerk's page asks of the office beyond what the command line has.

use ledger::id::UserId;
use serde::{Deserialize, Serialize};

use super::secret::{Hidden, hiding};

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visits {
    pub cert_no: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftKeep {
    pub user: UserId,
    /// At most 16 KiB.
    pub text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftOf {
    pub user: UserId,
}

hiding!(Visits {}, cert_no);
hiding!(DraftKeep { user }, text);
