//! Alerts: what holds now, what is over; muting with a reason and an end; the rules.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, State};
use axum::response::{Html, IntoResponse, Response};
use console::page::go;
use console::{Problem, Visit};
use office::command::{AlertList, AlertMute, AlertRulesSet, AlertUnmute, Command};
use office::health::Rules;
use serde::Deserialize;

use super::rights::{Right, Routes, may_act};
use super::texts::health as t;
use super::{Console, moment};

/// Drawn at once, each with its form; ten thousand rooms may all be silent. As many as the wall has tiles.
const OPEN_MAX: usize = 600;

pub(super) fn routes() -> Routes {
    Routes::new()
        .look(Right::Watch, "/alerts", page)
        .look(Right::Watch, "/alerts/now", piece)
        .act(Right::Watch, "/alerts/mute", mute)
        .act(Right::Watch, "/alerts/unmute", unmute)
        .act(Right::Watch, "/alerts/rules", rules)
}

#[derive(Deserialize)]
struct Muted {
    until_ms: i64,
    reason: String,
    by: Option<String>,
}

/// An alert, as a page shows it.
#[derive(Deserialize)]
pub(super) struct Alert {
    rule: String,
    pub(super) label: String,
    pub(super) text: String,
    unit: String,
    name: String,
    /// Hubs have no page of their own.
    room: bool,
    raised_ms: i64,
    cleared_ms: Option<i64>,
    muted: Option<Muted>,
}

impl Alert {
    pub(super) fn since(&self) -> String {
        moment(self.raised_ms)
    }

    pub(super) fn until(&self) -> String {
        self.cleared_ms.map(moment).unwrap_or_default()
    }

    pub(super) fn muted_words(&self) -> Option<String> {
        let muted = self.muted.as_ref()?;
        let by = muted.by.as_deref().unwrap_or(super::texts::BY_DEVICE);
        Some(t::muted_until(&moment(muted.until_ms), by, &muted.reason))
    }
}

#[derive(Deserialize)]
struct Seen {
    open: Vec<Alert>,
    /// Older ones that hold as well.
    more: usize,
    past: Vec<Alert>,
}

#[derive(Deserialize)]
struct InForce {
    rules: Rules,
}

/// What changes by itself: the page's upper part.
#[derive(Template)]
#[template(path = "health/alerts_now.html")]
struct Piece<'a> {
    csrf: &'a str,
    may_act: bool,
    seen: Seen,
}

#[derive(Template)]
#[template(path = "health/alerts.html")]
struct Part<'a> {
    csrf: &'a str,
    may_act: bool,
    now: String,
    hours: String,
    numbers: Vec<(&'static str, &'static str, u32)>,
    said: Option<String>,
}

async fn now(console: &Console, visit: &Visit) -> Result<String, Problem> {
    let list = AlertList {
        open: Some(OPEN_MAX),
        past: None,
    };
    let seen: Seen = super::read(console.ask(Command::AlertList(list)).await?)?;
    Ok(console::page::part(&Piece {
        csrf: &visit.csrf,
        may_act: may_act(visit.person.as_ref(), Right::Watch),
        seen,
    }))
}

async fn piece(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Result<Response, Problem> {
    Ok(Html(now(&console, &visit).await?).into_response())
}

async fn page(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Result<Response, Problem> {
    let now = now(&console, &visit).await?;
    let InForce { rules } = super::read(console.ask(Command::AlertRules).await?)?;
    let numbers = vec![
        ("hub", t::RULE_HUB, rules.hub_minutes),
        ("silent", t::RULE_SILENT, rules.silent_minutes),
        ("pending", t::RULE_PENDING, rules.pending_hours),
        ("skew", t::RULE_SKEW, rules.skew_minutes),
        ("disk", t::RULE_DISK, rules.disk_percent),
        ("conflict", t::RULE_CONFLICT, rules.conflict_workdays),
        ("version", t::RULE_VERSION, rules.versions_behind),
        ("forks", t::RULE_FORK, rules.forks),
        ("quarantine", t::RULE_ASIDE, rules.quarantine),
    ];
    let part = Part {
        csrf: &visit.csrf,
        may_act: may_act(visit.person.as_ref(), Right::Watch),
        now,
        hours: rules.hours.join(" "),
        numbers,
        said: console.said(&visit),
    };
    Ok(console
        .page(&visit, t::ALERTS, "/alerts", console::page::part(&part))
        .await)
}

#[derive(Deserialize)]
struct Muting {
    rule: String,
    unit: String,
    hours: u32,
    reason: String,
}

async fn mute(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Muting>,
) -> Result<Response, Problem> {
    let command = Command::AlertMute(AlertMute {
        rule: Some(form.rule),
        unit: form.unit,
        hours: form.hours,
        reason: form.reason,
        user: Some(super::person(&visit)?.id),
    });
    console.ask(command).await?;
    console.say(&visit, t::MUTE_DONE);
    Ok(go(&visit, "/alerts"))
}

#[derive(Deserialize)]
struct Unmuting {
    rule: String,
    unit: String,
}

async fn unmute(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(form): Form<Unmuting>,
) -> Result<Response, Problem> {
    let command = Command::AlertUnmute(AlertUnmute {
        rule: Some(form.rule),
        unit: form.unit,
        user: Some(super::person(&visit)?.id),
    });
    console.ask(command).await?;
    console.say(&visit, t::UNMUTE_DONE);
    Ok(go(&visit, "/alerts"))
}

#[derive(Deserialize)]
struct Typed {
    hours: String,
    hub: String,
    silent: String,
    pending: String,
    skew: String,
    disk: String,
    conflict: String,
    version: String,
    forks: String,
    quarantine: String,
}

impl Typed {
    fn rules(&self) -> Option<Rules> {
        let number = |text: &str| text.trim().parse().ok();
        Some(Rules {
            hours: self.hours.split_whitespace().map(str::to_owned).collect(),
            hub_minutes: number(&self.hub)?,
            silent_minutes: number(&self.silent)?,
            pending_hours: number(&self.pending)?,
            skew_minutes: number(&self.skew)?,
            disk_percent: number(&self.disk)?,
            conflict_workdays: number(&self.conflict)?,
            versions_behind: number(&self.version)?,
            forks: number(&self.forks)?,
            quarantine: number(&self.quarantine)?,
        })
    }
}

async fn rules(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let Some(rules) = typed.rules() else {
        return Err(Problem::new(
            axum::http::StatusCode::UNPROCESSABLE_ENTITY,
            t::NOT_A_NUMBER,
        ));
    };
    let user = Some(super::person(&visit)?.id);
    console
        .ask(Command::AlertRulesSet(AlertRulesSet { rules, user }))
        .await?;
    console.say(&visit, t::RULES_DONE);
    Ok(go(&visit, "/alerts"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(open: usize, more: usize) -> String {
        let alert = json!({
            "rule": "silent", "label": "上班时间静默", "text": "", "unit": "511603102201", "name": "石桥村", "room": true,
            "raised_ms": 1_791_529_500_000_i64, "cleared_ms": null, "muted": null,
        });
        let seen = json!({"open": vec![alert; open], "more": more, "past": []});
        console::page::part(&Piece {
            csrf: "c",
            may_act: true,
            seen: serde_json::from_value(seen).unwrap(),
        })
    }

    #[test]
    fn a_county_in_which_every_room_alarms_is_told_how_many_are_not_listed() {
        let html = shown(2, 41);
        assert!(html.contains("正在告警（43）"), "{html}");
        assert!(html.contains("另有 41 条未列出，请先处理上面的。"), "{html}");
        assert_eq!(html.matches("action=\"/alerts/mute\"").count(), 2, "{html}");
        assert!(!shown(2, 0).contains("未列出"));
    }
}
