//! Reports: the figures of a period, the cases behind each, periods that were frozen, a workbook, and paper.

mod assess;
mod charts;
mod given;
mod kept;
mod numbers;
mod pick;
mod sheet;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use console::page::{go, part};
use console::{Problem, Visit};
use ledger::day::Day;
use office::command::{AuditAppend, Command, FaceAct, Frame, Report, ReportCases, ReportFreeze, ReportOf};
use serde::Deserialize;
use serde_json::Value;

use super::rights::{Right, Routes, may_act};
use super::texts::reports as t;
use super::{Console, read, wall_ms};
pub(crate) use given::Given;
use given::{Cases, FrozenLine};

/// Matters that are shown at once; the rest unfolds.
const MATTERS_SHOWN: usize = 15;

pub(super) fn routes() -> Routes {
    Routes::new()
        .look(Right::Report, "/reports", page)
        .look(Right::Report, "/reports/cases", cases)
        .look(Right::Report, "/reports/sheet", sheet_file)
        .look(Right::Report, "/reports/frozen", kept::list)
        .look(Right::Report, "/reports/kept", kept::page)
        .act(Right::Report, "/reports/freeze", freeze)
        .look(Right::Report, "/assess", assess::page)
        .act(Right::Report, "/assess/absence", assess::absence)
        .with(charts::routes())
}

/// What is asked for, as it stands in the address: codes and dates only.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    period: String,
    /// Typed by hand, before what was picked.
    other: String,
    unit: String,
    frame: String,
}

impl Asked {
    fn period(&self) -> Option<String> {
        let typed = self.other.trim();
        let period = if typed.is_empty() { self.period.trim() } else { typed };
        (!period.is_empty()).then(|| period.to_owned())
    }

    fn unit(&self) -> Option<String> {
        let unit = self.unit.trim();
        (!unit.is_empty()).then(|| unit.to_owned())
    }

    fn frame(&self) -> Frame {
        match self.frame.as_str() {
            "now" => Frame::Now,
            _ => Frame::Then,
        }
    }

    fn report(&self) -> Command {
        Command::Report(Report::Show(ReportOf {
            period: self.period(),
            unit: self.unit(),
            frame: self.frame(),
        }))
    }
}

#[derive(Template)]
#[template(path = "reports/report.html")]
struct Page<'a> {
    csrf: &'a str,
    r: &'a Given,
    picker: pick::Picker,
    may_freeze: bool,
    said: Option<String>,
    scripts: [&'static str; 2],
    matters_shown: usize,
}

async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let given: Given = read(console.ask(asked.report()).await?)?;
    let page = Page {
        csrf: &visit.csrf,
        picker: pick::Picker::of(
            &given.period,
            &given.unit,
            asked.frame == "now",
            &given.choices,
            Day::of_wall_ms(wall_ms()),
        ),
        may_freeze: given.over && may_act(visit.person.as_ref(), Right::Report),
        said: console.said(&visit),
        scripts: charts::scripts(),
        matters_shown: MATTERS_SHOWN,
        r: &given,
    };
    Ok(console.page(&visit, t::REPORTS, "/reports", part(&page)).await)
}

/// Which list of cases.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Behind {
    period: String,
    unit: String,
    frame: String,
    figure: String,
    matter: String,
    child: String,
    window: String,
    kept: String,
    rest: String,
    last: String,
    fresh: String,
    page: usize,
}

/// What is written in an address, if anything is.
fn written(text: String) -> Option<String> {
    Some(text).filter(|text| !text.trim().is_empty())
}

#[derive(Template)]
#[template(path = "reports/cases.html")]
struct CasesPage<'a> {
    list: &'a Cases,
}

async fn cases(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(behind): Query<Behind>,
) -> Result<Response, Problem> {
    let asked = Asked {
        period: behind.period,
        unit: behind.unit,
        frame: behind.frame,
        other: String::new(),
    };
    let ask = ReportCases {
        period: asked.period(),
        unit: asked.unit(),
        frame: asked.frame(),
        figure: behind.figure,
        rest: !behind.rest.is_empty(),
        matter: written(behind.matter),
        child: written(behind.child),
        window: written(behind.window),
        last: !behind.last.is_empty(),
        kept: written(behind.kept),
        fresh: !behind.fresh.is_empty(),
        page: behind.page.saturating_sub(1),
        limit: None,
    };
    let list: Cases = read(console.ask(Command::Report(Report::Cases(ask))).await?)?;
    let (title, menu) = match list.window {
        Some(_) => (t::ASSESS, "/assess"),
        None => (t::REPORTS, "/reports"),
    };
    Ok(console
        .page(&visit, title, menu, part(&CasesPage { list: &list }))
        .await)
}

async fn sheet_file(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let given: Given = read(console.ask(asked.report()).await?)?;
    // In the trail before it is on anybody's disk.
    let export = AuditAppend {
        act: FaceAct::Export,
        number: None,
        reason: Some(t::exported(&given.unit_name, &given.period)),
        user: None,
    };
    console.ask_as(&visit, Command::AuditAppend(export)).await?;
    let bytes = sheet::workbook(&given).map_err(|error| {
        tracing::error!(%error, "a workbook could not be made");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, t::NO_SHEET)
    })?;
    Ok(attached(bytes, &t::sheet_name(&given.unit_name, &given.period)))
}

/// The workbook of a report as the office gives it, for the command line.
///
/// # Errors
/// In words, when it cannot be made.
pub(crate) fn workbook_of(report: Value) -> Result<Vec<u8>, String> {
    let given: Given = serde_json::from_value(report).map_err(|e| e.to_string())?;
    sheet::workbook(&given).map_err(|e| e.to_string())
}

/// A workbook that a browser keeps as a file of this name.
fn attached(bytes: Vec<u8>, name: &str) -> Response {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let escape = |b: u8| match plain(&b) {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    };
    let name: String = name.bytes().map(escape).collect();
    let line = HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{name}"));
    let kind = HeaderValue::from_static("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    let line = line.unwrap_or(HeaderValue::from_static("attachment"));
    (
        [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, line)],
        bytes,
    )
        .into_response()
}

async fn freeze(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    axum::extract::Form(asked): axum::extract::Form<Asked>,
) -> Result<Response, Problem> {
    let ask = ReportFreeze {
        period: asked.period().unwrap_or_default(),
        unit: asked.unit(),
        frame: asked.frame(),
        user: None,
    };
    let kept = console.ask_as(&visit, Command::Report(Report::Freeze(ask))).await?;
    let line: FrozenLine = read(kept)?;
    console.say(
        &visit,
        t::frozen_said(line.label.as_deref().unwrap_or_default(), line.version),
    );
    Ok(go(&visit, &format!("/reports/kept?id={}", line.id)))
}
