//! What a township's or the county's work asks of the office: its inbox, steps on many cases, document numbers, what waits for a word.

use ledger::id::UserId;
use serde::{Deserialize, Serialize};

use super::Cover;
use super::secret::{Hidden, hiding};

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Work {
    Inbox(Inbox),
    CaseDoMany(CaseDoMany),
    DocRegister(DocRegister),
    DocGive(DocGive),
    Conflicts(ConflictQueue),
    Quarantine(QuarantineQueue),
    QuarantineRetry(QuarantineRetry),
    Waiting(WaitingList),
    WaitingLeave(WaitingLeave),
    FollowUps(FollowUpList),
    FollowUp(FollowUp),
    Malicious(Malicious),
}

/// Open cases by deadline; each filter narrows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inbox {
    /// Those that wait for others too: for a room, for the applicant, for another tier.
    pub all: bool,
    /// A state by name or label.
    pub state: Option<String>,
    /// A unit's code: the unit and all below it.
    pub unit: Option<String>,
    /// A matter's code.
    pub matter: Option<String>,
    pub overdue: bool,
    /// Those whose last step above the room this person took.
    pub mine: Option<UserId>,
    /// Where the page before ended, as it said.
    pub after: Option<String>,
    /// Lines at most; 50 when left out, 500 at most.
    pub limit: Option<usize>,
}

/// One step on many cases. What cannot be done with one of them stops nothing else; what was done already is not done again.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CaseDoMany {
    pub numbers: Vec<String>,
    /// `accept` or `process`.
    pub event: String,
    pub note: Option<String>,
    pub user: Option<UserId>,
    pub cover: Option<Cover>,
}

/// The register of document numbers (受理文书号登记簿) of one year.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DocRegister {
    /// This year when left out.
    pub year: Option<i32>,
    /// Where the page before ended, as it said.
    pub after: Option<String>,
    pub limit: Option<usize>,
}

/// Gives a document number to a case that has none, or a new one instead of one that was spoilt.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DocGive {
    pub number: String,
    /// Needed to replace one; the old one is listed as 作废 with it.
    pub reason: Option<String>,
    pub user: Option<UserId>,
}

/// Conflict items in pages: open ones, oldest first, or those decided.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConflictQueue {
    pub decided: bool,
    /// `duplicate`, `double_closing`, …
    pub kind: Option<String>,
    /// A unit's code: items with a side within it.
    pub unit: Option<String>,
    /// From zero.
    pub page: usize,
    pub limit: Option<usize>,
}

/// What is set aside, in pages.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuarantineQueue {
    pub unit: Option<String>,
    pub page: usize,
    pub limit: Option<usize>,
}

/// Folds one record anew with what this version can read; all that are set aside when left out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuarantineRetry {
    pub number: Option<String>,
    pub user: Option<UserId>,
}

/// Entries in 待认, by device.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WaitingList {
    /// Those that were left as they are, too.
    pub left: bool,
}

/// Leaves what waits of a device out for good, with a reason; or takes that back.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WaitingLeave {
    pub device: String,
    pub reason: String,
    pub undo: bool,
    pub user: Option<UserId>,
}

/// Bad evaluations (4, 5) that want following up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FollowUpList {
    /// Those that are closed.
    pub closed: bool,
    pub unit: Option<String>,
    /// Workdays within which a bad evaluation is to be answered; 5 when left out.
    pub workdays: Option<u32>,
    pub page: usize,
    pub limit: Option<usize>,
}

/// What was done about a bad evaluation.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FollowUp {
    pub number: String,
    pub note: String,
    /// Nothing more is to be done; a head's word.
    pub close: bool,
    pub user: Option<UserId>,
    pub cover: Option<Cover>,
    pub once: Option<String>,
}

/// 恶意评价: leaves a bad evaluation out of satisfaction, with a reason; or takes that back. A head's word.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Malicious {
    pub number: String,
    pub reason: String,
    pub undo: bool,
    pub user: Option<UserId>,
    pub cover: Option<Cover>,
}

hiding!(
    Malicious {
        number,
        undo,
        user,
        cover
    },
    reason
);
hiding!(
    CaseDoMany {
        numbers,
        event,
        user,
        cover
    },
    note
);
hiding!(DocGive { number, user }, reason);
hiding!(WaitingLeave { device, undo, user }, reason);
hiding!(
    FollowUp {
        number,
        close,
        user,
        cover
    },
    note,
    once
);
