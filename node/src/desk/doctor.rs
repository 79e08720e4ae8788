//! 有问题？: what is wrong with this PC, each with what to do; and one file for whoever helps from afar, with nobody's data in it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, State};
use axum::response::Response;
use console::{Problem, Visit};
use ledger::day::Day;
use office::command::Command;
use serde::Serialize;
use serde_json::{Value, json};

use super::day::attached;
use console::page::clock;

use super::{Desk, texts as t, wall_ms};

/// Below this there is room for some months; below the second, for days.
const DISK_LOW_BYTES: u64 = 2 << 30;
const DISK_BAD_BYTES: u64 = 300 << 20;
/// As hubs flag it.
const SKEW_MS_MAX: u64 = 5 * 60_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    Good,
    Look,
    Bad,
}

impl Mark {
    fn colour(self) -> &'static str {
        match self {
            Mark::Good => "green",
            Mark::Look => "amber",
            Mark::Bad => "red",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Mark::Good => t::MARK_GOOD,
            Mark::Look => t::MARK_LOOK,
            Mark::Bad => t::MARK_BAD,
        }
    }
}

/// One thing looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Check {
    what: &'static str,
    mark: Mark,
    found: String,
    /// What to do about it; nothing where all is well.
    then: &'static str,
}

fn check(what: &'static str, mark: Mark, found: impl Into<String>, then: &'static str) -> Check {
    let then = if mark == Mark::Good { "" } else { then };
    Check {
        what,
        mark,
        found: found.into(),
        then,
    }
}

/// Everything that can be told from what the office says of itself.
fn checks(status: &Value) -> Vec<Check> {
    vec![
        line(status),
        unsent(status),
        disk(status),
        skew(status),
        membership(status),
        data(status),
        passphrase(status),
        check(
            t::DOC_VERSION,
            Mark::Good,
            status["version"].as_str().unwrap_or("?"),
            "",
        ),
    ]
}

fn line(status: &Value) -> Check {
    let peers = status["peers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let up: Vec<&str> = peers
        .iter()
        .filter(|p| p["connected"] == true)
        .filter_map(|p| p["unit_name"].as_str())
        .collect();
    if !up.is_empty() {
        return check(t::DOC_LINE, Mark::Good, t::line_to(&up.join("、")), "");
    }
    if is_alone(status) {
        return check(t::DOC_LINE, Mark::Good, t::NO_HUB, "");
    }
    match peers.iter().filter_map(|p| p["last_seen_s"].as_u64()).min() {
        Some(s) => check(
            t::DOC_LINE,
            Mark::Look,
            t::line_down_for(&console::page::span(s)),
            t::DOC_LINE_DO,
        ),
        None => check(t::DOC_LINE, Mark::Look, t::NEVER_UP, t::DOC_LINE_DO),
    }
}

/// A room that has joined nobody.
fn is_alone(status: &Value) -> bool {
    status["alone"] == true
}

fn unsent(status: &Value) -> Check {
    let left = status.pointer("/pending/township").and_then(Value::as_u64).unwrap_or(0);
    // Who has nobody to send to has nothing unsent.
    if is_alone(status) {
        return check(t::DOC_SENT, Mark::Good, t::NO_HUB, "");
    }
    match (left, status["oldest_pending_s"].as_u64()) {
        (0, _) => check(t::DOC_SENT, Mark::Good, t::ALL_SENT, ""),
        (n, oldest) => check(
            t::DOC_SENT,
            Mark::Look,
            t::unsent(n, &console::page::span(oldest.unwrap_or(0))),
            t::DOC_SENT_DO,
        ),
    }
}

fn disk(status: &Value) -> Check {
    if let Some(message) = status.pointer("/disk/message").and_then(Value::as_str) {
        return check(t::DOC_DISK, Mark::Bad, message, t::DOC_DISK_DO);
    }
    let Some(free) = status["disk_free_bytes"].as_u64() else {
        return check(t::DOC_DISK, Mark::Look, t::DOC_UNKNOWN, t::DOC_DISK_DO);
    };
    let mark = match free {
        n if n < DISK_BAD_BYTES => Mark::Bad,
        n if n < DISK_LOW_BYTES => Mark::Look,
        _ => Mark::Good,
    };
    check(t::DOC_DISK, mark, t::disk_free(free), t::DOC_DISK_DO)
}

fn skew(status: &Value) -> Check {
    match status["own_skew_ms"].as_i64() {
        None => check(t::DOC_CLOCK, Mark::Good, t::DOC_CLOCK_ALONE, ""),
        Some(ms) if ms.unsigned_abs() <= SKEW_MS_MAX => check(t::DOC_CLOCK, Mark::Good, t::DOC_CLOCK_RIGHT, ""),
        Some(ms) => check(t::DOC_CLOCK, Mark::Look, t::clock_off(ms), t::DOC_CLOCK_DO),
    }
}

fn membership(status: &Value) -> Check {
    if super::bar::is_revoked(status) {
        return check(t::DOC_MEMBER, Mark::Bad, t::REVOKED, t::DOC_CALL);
    }
    if let Some(held) = status["held"].as_str() {
        return check(t::DOC_MEMBER, Mark::Look, held, t::DOC_CALL);
    }
    match status["settled"] == true {
        true => check(t::DOC_MEMBER, Mark::Good, t::DOC_MEMBER_GOOD, ""),
        false => check(t::DOC_MEMBER, Mark::Look, t::DOC_MEMBER_WAITS, t::DOC_LINE_DO),
    }
}

fn data(status: &Value) -> Check {
    let count = |at: &str| status.pointer(at).and_then(Value::as_u64).unwrap_or(0);
    let damaged = count("/journal/damaged").saturating_sub(count("/journal/healed"));
    let (aside, forks) = (count("/quarantined"), count("/forks"));
    if damaged > 0 || forks > 0 {
        return check(t::DOC_DATA, Mark::Bad, t::data_damaged(damaged, forks), t::DOC_CALL);
    }
    match aside {
        0 => check(t::DOC_DATA, Mark::Good, t::records(count("/reach/recorded")), ""),
        n => check(t::DOC_DATA, Mark::Look, t::data_aside(n), t::DOC_CALL),
    }
}

fn passphrase(status: &Value) -> Check {
    let is = |key: &str| status["passphrase"][key] == true;
    match (is("set"), is("locked")) {
        (false, _) => check(t::PASSPHRASE, Mark::Look, t::DOC_NO_PASSPHRASE, t::DOC_PASSPHRASE_DO),
        (true, true) => check(t::PASSPHRASE, Mark::Look, t::DOC_LOCKED, t::DOC_LOCKED_DO),
        (true, false) => check(t::PASSPHRASE, Mark::Good, t::DOC_UNLOCKED, ""),
    }
}

#[derive(Template)]
#[template(path = "doctor.html")]
struct DoctorPart<'a> {
    csrf: &'a str,
    checks: Vec<Check>,
    wrong: usize,
    device: String,
}

pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let status = desk.ask(Command::Status).await?;
    let checks = checks(&status);
    let part = DoctorPart {
        csrf: &visit.csrf,
        wrong: checks.iter().filter(|c| c.mark != Mark::Good).count(),
        checks,
        device: status["device"].as_str().unwrap_or_default().chars().take(8).collect(),
    };
    let body = console::page::part(&part);
    Ok(desk.page(&visit, t::DOCTOR, "/doctor", body).await)
}

/// What helps somebody from afar. The status tells of devices, units and counts; no case, no person, no text that somebody typed.
fn support(status: &Value) -> Value {
    let now = wall_ms();
    json!({
        "made_at": format!("{} {}", Day::of_wall_ms(now), clock(now)),
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "checks": checks(status),
        "status": status,
    })
}

pub(super) async fn file(State(desk): State<Arc<Desk>>) -> Result<Response, Problem> {
    let status = desk.ask(Command::Status).await?;
    let text = serde_json::to_vec_pretty(&support(&status)).unwrap_or_default();
    let name = t::support_file(
        status["unit"].as_str().unwrap_or("?"),
        &Day::of_wall_ms(wall_ms()).to_string(),
    );
    Ok(attached(text, "application/json", &name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(more: Value) -> Value {
        let mut status = json!({
            "peers": [{"connected": true, "unit_name": "观阁镇"}], "disk": {"state": "writable"}, "disk_free_bytes": 50_u64 << 30,
            "pending": {"township": 0}, "own_skew_ms": 120, "settled": true, "revoked": false, "version": "x",
            "passphrase": {"set": true, "locked": false}, "reach": {"recorded": 7},
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            status[key] = value.clone();
        }
        status
    }

    #[test]
    fn whatever_is_wrong_comes_with_what_to_do_and_what_is_right_with_nothing() {
        assert!(
            checks(&status(json!({})))
                .iter()
                .all(|c| c.mark == Mark::Good && c.then.is_empty())
        );
        // A room on its own is told so, and not that something is unsent for ever.
        let alone = json!({"alone": true, "peers": [], "pending": {"township": 12}, "oldest_pending_s": 90, "own_skew_ms": null});
        let all = checks(&status(alone));
        assert!(all.iter().all(|c| c.mark == Mark::Good), "{all:?}");
        assert!(all.iter().filter(|c| c.found == t::NO_HUB).count() == 2, "{all:?}");
        for (wrong, at, mark) in [
            (
                json!({"peers": [{"connected": false, "last_seen_s": 7200}]}),
                t::DOC_LINE,
                Mark::Look,
            ),
            (json!({"peers": []}), t::DOC_LINE, Mark::Look),
            (
                json!({"pending": {"township": 12}, "oldest_pending_s": 90}),
                t::DOC_SENT,
                Mark::Look,
            ),
            (json!({"disk_free_bytes": 1_u64 << 30}), t::DOC_DISK, Mark::Look),
            (json!({"disk_free_bytes": 1000}), t::DOC_DISK, Mark::Bad),
            (
                json!({"disk": {"state": "read_only", "message": "磁盘已满"}}),
                t::DOC_DISK,
                Mark::Bad,
            ),
            (json!({"own_skew_ms": -7_200_000}), t::DOC_CLOCK, Mark::Look),
            (json!({"revoked": true}), t::DOC_MEMBER, Mark::Bad),
            (
                json!({"turned_away": [{"reason": "revoked"}]}),
                t::DOC_MEMBER,
                Mark::Bad,
            ),
            (json!({"held": "本机已被暂停同步"}), t::DOC_MEMBER, Mark::Look),
            (json!({"journal": {"damaged": 2, "healed": 1}}), t::DOC_DATA, Mark::Bad),
            (json!({"quarantined": 1}), t::DOC_DATA, Mark::Look),
            (json!({"passphrase": {"set": false}}), t::PASSPHRASE, Mark::Look),
            (
                json!({"passphrase": {"set": true, "locked": true}}),
                t::PASSPHRASE,
                Mark::Look,
            ),
        ] {
            let all = checks(&status(wrong.clone()));
            let told: Vec<&Check> = all.iter().filter(|c| c.mark != Mark::Good).collect();
            assert_eq!(told.len(), 1, "{wrong}");
            assert_eq!((told[0].what, told[0].mark), (at, mark), "{wrong}");
            assert!(told[0].then.contains('请'), "{wrong}: {}", told[0].then);
        }
    }
}
