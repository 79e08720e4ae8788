//! Frozen reports: all of them, and one with what came later.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use console::page::part;
use console::{Problem, Visit};
use office::command::{Command, Report, ReportKept};
use serde::Deserialize;

use super::MATTERS_SHOWN;
use super::given::{FrozenLine, Given, Late};
use crate::console::texts::reports as t;
use crate::console::{Console, read};

/// Shown at once: more than sixteen years of a county's months.
const LISTED_MAX: usize = 200;

#[derive(Template)]
#[template(path = "reports/frozen.html")]
struct List {
    rows: Vec<FrozenLine>,
    /// Older ones.
    more: usize,
}

impl List {
    /// Of all, the newest first.
    fn of(mut rows: Vec<FrozenLine>) -> Self {
        let more = rows.len().saturating_sub(LISTED_MAX);
        rows.truncate(LISTED_MAX);
        Self { rows, more }
    }
}

pub(super) async fn list(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let list = List::of(read(console.ask(Command::Report(Report::List)).await?)?);
    Ok(console.page(&visit, t::FROZEN, "/reports", part(&list)).await)
}

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    id: String,
}

#[derive(Template)]
#[template(path = "reports/kept.html")]
struct Page<'a> {
    r: &'a Given,
    kept: &'a FrozenLine,
    late: &'a Late,
    said: Option<String>,
    matters_shown: usize,
}

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let ask = Command::Report(Report::Kept(ReportKept { id: which.id }));
    let given: Given = read(console.ask(ask).await?)?;
    let (Some(kept), Some(late)) = (&given.kept, &given.late) else {
        return Err(Problem::not_found());
    };
    let page = Page {
        r: &given,
        kept,
        late,
        said: console.said(&visit),
        matters_shown: MATTERS_SHOWN,
    };
    Ok(console.page(&visit, t::FROZEN, "/reports", part(&page)).await)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(rows: u64) -> String {
        let row = |nth: u64| {
            json!({
                "id": format!("{nth:012}"), "label": null, "unit_name": "桥龙乡", "frame_label": "当时口径", "version": nth, "at": "",
                "by": null, "by_unit": "", "watermark": "", "received": 0, "closed": 0,
            })
        };
        let rows: Vec<_> = (1..=rows).rev().map(row).collect();
        part(&List::of(serde_json::from_value(json!(rows)).unwrap()))
    }

    #[test]
    fn of_many_frozen_reports_the_newest_two_hundred_are_listed_and_how_many_are_not() {
        let html = shown(205);
        assert_eq!(html.matches("/reports/kept?id=").count(), 200);
        assert!(html.contains("id=000000000205") && !html.contains("id=000000000005\""));
        assert!(html.contains("另有 5 份更早的定稿没有列出"), "{html}");
        assert!(!shown(200).contains("没有列出"));
    }
}
