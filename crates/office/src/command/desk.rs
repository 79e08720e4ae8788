//! What a clerk's page asks of the office beyond what the command line has.

use ledger::day::Day;
use ledger::id::UserId;
use serde::{Deserialize, Serialize};

use super::Cover;
use super::secret::{Hidden, hiding};

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visits {
    pub cert_no: String,
}

/// Of which page a draft is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DraftKind {
    /// 登记, the page of a new case.
    #[default]
    NewCase,
    /// All other forms, in one.
    Forms,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftKeep {
    pub user: UserId,
    #[serde(default)]
    pub kind: DraftKind,
    /// At most 16 KiB.
    pub text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftOf {
    pub user: UserId,
    #[serde(default)]
    pub kind: DraftKind,
}

impl DraftOf {
    /// The draft of the new case that this person has begun.
    pub fn new_case(user: UserId) -> Self {
        let kind = DraftKind::NewCase;
        Self { user, kind }
    }

    /// What this person has typed into other forms.
    pub fn forms(user: UserId) -> Self {
        let kind = DraftKind::Forms;
        Self { user, kind }
    }
}

/// Errands in pages: the first has the newest that are open.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ErrandList {
    /// From zero.
    pub page: usize,
    /// A unit's code: the unit and all below it; all that are held here when left out.
    pub unit: Option<String>,
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

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DayShow {
    /// Today when left out.
    pub day: Option<Day>,
    /// A unit's code; the own one when left out.
    pub unit: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DayClose {
    /// Today when left out.
    pub day: Option<Day>,
    pub user: Option<UserId>,
    pub cover: Option<Cover>,
}

/// A paper that a person is handed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paper {
    /// 收件回执
    Receipt,
    /// 一次性告知书
    Notice,
    /// 受理通知书
    Accepted,
    /// 不予受理通知书
    Refused,
    /// 办结通知书
    Closed,
    /// 代办委托书
    Authority,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CasePrint {
    pub number: String,
    pub paper: Paper,
    /// The printer is asked for it now; else it is only looked at, which is no print.
    #[serde(default)]
    pub pressed: bool,
    #[serde(default)]
    pub user: Option<UserId>,
}

/// What the applicant presses on the screen that was lent for it. No person's name goes with it: nobody speaks for the applicant.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluate {
    pub number: String,
    /// 1 very satisfied … 5 very dissatisfied.
    pub rating: u8,
    /// What the press is known by: pressed again after an answer that never came, it is the same one.
    pub press: String,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Monthly {
    /// `2026-10`.
    pub month: String,
    /// Personal values in the clear; needs a reason.
    pub plain: bool,
    pub reason: Option<String>,
    pub user: Option<UserId>,
}

hiding!(Monthly { month, plain, user }, reason);
hiding!(Evaluate { number, rating }, press);
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
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentOf {
    pub user: UserId,
    /// As in [`super::CaseNew::once`].
    pub once: String,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseTick {
    pub number: String,
    /// Materials that are here now, by name.
    pub items: Vec<String>,
    #[serde(default)]
    pub user: Option<UserId>,
    #[serde(default)]
    pub cover: Option<Cover>,
}

/// An errand. From a case, who asks for it and the matter are the case's; alone, they are typed.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrandNew {
    /// The number of the case it belongs to.
    #[serde(default)]
    pub case: Option<String>,
    #[serde(default)]
    pub matter: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub cert_no: String,
    #[serde(default)]
    pub mobile: Option<String>,
    #[serde(default)]
    pub address: Option<String>,
    /// What is to be done, in the villager's words.
    #[serde(default)]
    pub task: String,
    /// Whoever writes it down claims it at once.
    #[serde(default)]
    pub claim: bool,
    #[serde(default)]
    pub on: Option<Day>,
    #[serde(default)]
    pub user: Option<UserId>,
    #[serde(default)]
    pub cover: Option<Cover>,
    /// As in [`super::CaseNew::once`].
    #[serde(default)]
    pub once: Option<String>,
}

hiding!(Visits {}, cert_no);
hiding!(DraftKeep { user, kind }, text);
hiding!(SentOf { user }, once);
hiding!(CaseTick { number, user, cover }, items);
hiding!(
    ErrandNew {
        case,
        matter,
        claim,
        on,
        user,
        cover
    },
    name,
    cert_no,
    mobile,
    address,
    task,
    once
);
