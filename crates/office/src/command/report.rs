//! What reports (统计报表) are asked for. All are for centres; none shows a personal value in the clear.

use ledger::day::Day;
use ledger::id::UserId;
use serde::{Deserialize, Serialize};

pub use crate::figures::Frame;

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    Show(ReportOf),
    Cases(ReportCases),
    Freeze(ReportFreeze),
    /// Every frozen report known here, the newest first.
    List,
    Kept(ReportKept),
    Assess(Assess),
    Absence(AbsenceNote),
}

/// The figures of a period and a unit.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportOf {
    /// `2026-10-09`, `2026-10`, `2026-Q4`, `2026`, `2026-01..10`; this month when left out.
    pub period: Option<String>,
    /// A unit's code; the own one when left out.
    pub unit: Option<String>,
    /// 当时口径 or 现行口径.
    pub frame: Frame,
}

/// The cases behind one figure.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportCases {
    pub period: Option<String>,
    pub unit: Option<String>,
    pub frame: Frame,
    /// The figure's key, e.g. `closed`.
    pub figure: String,
    /// Of a share: those that are not in it.
    pub rest: bool,
    /// Of one matter only, by its code.
    pub matter: Option<String>,
    /// As the row of this unit below counts it, by its code.
    pub child: Option<String>,
    /// Of a window or person (量化考核), as the assessment names it.
    pub window: Option<String>,
    /// Of the same days of the year before.
    pub last: bool,
    /// Of a frozen report, as the list of frozen reports names it: the cases as they were then. It says period, unit and frame.
    pub kept: Option<String>,
    /// Of a frozen report: the cases as they are now.
    pub fresh: bool,
    /// From zero.
    pub page: usize,
    /// Lines of a page; 60 when left out.
    pub limit: Option<usize>,
}

/// 定稿: keeps a period's figures for ever; what comes later is listed as 补报.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportFreeze {
    pub period: String,
    pub unit: Option<String>,
    pub frame: Frame,
    pub user: Option<UserId>,
}

/// One frozen report with what came later.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportKept {
    /// As the list of frozen reports names it.
    pub id: String,
}

/// 量化考核 of the windows below.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Assess {
    pub period: Option<String>,
    pub unit: Option<String>,
}

/// A day or half a day on which somebody's post was empty; with `undo` what was noted of it is taken back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsenceNote {
    pub unit: String,
    /// The person of the A-post, by name.
    pub name: String,
    pub on: Day,
    /// `am`, `pm` or `day`.
    pub half: String,
    #[serde(default)]
    pub undo: bool,
    #[serde(default)]
    pub user: Option<UserId>,
}
