//! What the county's console asks about its tables: organisation, catalogue, calendar.

use ledger::day::Day;
use ledger::id::Hash;
use serde::{Deserialize, Serialize};

use super::secret::{Hidden, hiding};

/// Which table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    Organisation,
    Catalogue,
    Calendar,
}

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "tables", rename_all = "snake_case")]
pub enum Tables {
    /// A table as it leads now, row by row, and its earlier versions.
    Show(TableShow),
    /// What a new text would change; nothing is published.
    Preview(TableText),
    /// Publishes a new version. Cases keep the version under which they began.
    Publish(TableText),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableShow {
    pub table: Table,
}

/// A table's text as tab-separated lines under a header.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableText {
    pub table: Table,
    pub text: String,
    /// Organisation: the first day on which what is new holds and what is gone no longer does; today when left out.
    #[serde(default)]
    pub on: Option<Day>,
    /// The version that the preview was made against: if another leads by now, nothing is published.
    #[serde(default)]
    pub over: Option<Hash>,
}

hiding!(TableText { table, on, over }, text);
