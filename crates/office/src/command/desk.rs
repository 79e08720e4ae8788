//! What a clerk's page asks of the office beyond what the command line has.

use ledger::day::Day;
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

/// What a clerk knows of the cases sought; all of it must hold.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CaseFind {
    /// Words: pieces of a number, a name, an ID number or phone (also masked), of a matter's name, or its code.
    pub text: String,
    /// A matter's code.
    pub matter: Option<String>,
    pub state: Option<String>,
    /// Business dates, both included.
    pub from: Option<Day>,
    pub until: Option<Day>,
    /// Lines at most; 60 when left out.
    pub limit: Option<usize>,
}

hiding!(
    CaseFind {
        matter,
        state,
        from,
        until,
        limit
    },
    text
);
hiding!(Visits {}, cert_no);
hiding!(DraftKeep { user }, text);
