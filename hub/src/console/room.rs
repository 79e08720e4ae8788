//! One room's page: how it is, what to do next, its devices, its month.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::response::{Html, IntoResponse, Response};
use console::{Problem, Visit};
use office::command::{Command, RoomShow};
use serde::Deserialize;

use super::alerts::Alert;
use super::rights::{Right, Routes};
use super::texts::health as t;
use super::{Console, moment};

/// Of the chart, in its own units: one day's column and the whole.
const COLUMN: usize = 24;
const HEIGHT: usize = 120;

pub(super) fn routes() -> Routes {
    Routes::new()
        .look(Right::Watch, "/room/{unit}", page)
        .look(Right::Watch, "/room/{unit}/now", piece)
}

#[derive(Deserialize)]
struct Session {
    ended_ms: i64,
    seconds: i64,
    bytes_in: u64,
    bytes_out: u64,
    entries: u64,
    ended: String,
}

#[derive(Deserialize)]
struct Device {
    device: String,
    computer: Option<String>,
    state: String,
    as_of: Option<i64>,
    last_seen_s: Option<u64>,
    recorded: u64,
    at_township: u64,
    at_county: u64,
    pending: u64,
    oldest_pending_s: Option<u64>,
    skew_ms: Option<i64>,
    rtt_ms: Option<u64>,
    disk_free_bytes: Option<u64>,
    disk_total_bytes: Option<u64>,
    power_ups: Option<u64>,
    quarantined: Option<u64>,
    session: Option<Session>,
    version: Option<String>,
    epochs: usize,
}

impl Device {
    fn disk(&self) -> String {
        let gib = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
        match (self.disk_free_bytes, self.disk_total_bytes) {
            (Some(free), Some(total)) if total > 0 => format!("{}（{}%）", gib(free), free.saturating_mul(100) / total),
            (Some(free), _) => gib(free),
            _ => t::UNKNOWN.to_owned(),
        }
    }

    fn skew(&self) -> String {
        self.skew_ms.map_or_else(|| t::UNKNOWN.to_owned(), t::skew)
    }

    fn as_of(&self, now_ms: i64) -> Option<String> {
        self.as_of.and_then(|at| t::as_of(at, now_ms))
    }

    fn last_session(&self) -> Option<String> {
        let s = self.session.as_ref()?;
        let words = t::session(s.seconds, t::ended(&s.ended), s.entries, s.bytes_in, s.bytes_out);
        Some(format!("{}：{words}", moment(s.ended_ms)))
    }
}

#[derive(Deserialize)]
struct Tile {
    state: String,
    since_s: Option<u64>,
    open_silent_s: u64,
    behind: u64,
    reasons: Vec<String>,
}

impl Tile {
    fn since(&self) -> Option<String> {
        let open = (self.state == "silent").then_some(self.open_silent_s);
        self.since_s.map(|s| t::since(s, open))
    }
}

#[derive(Deserialize)]
struct Day {
    day: String,
    here: u64,
    /// `None` while the room is not in contact.
    room: Option<u64>,
}

#[derive(Deserialize)]
struct Hour {
    looks: u64,
    up: u64,
    unknown: u64,
    pending: u64,
}

#[derive(Deserialize)]
struct Past {
    day: String,
    hours: Vec<Hour>,
}

/// One day's column of the chart.
struct Column {
    x: usize,
    up: usize,
    unknown: usize,
    pending_y: usize,
    words: String,
    label: String,
}

#[derive(Deserialize)]
struct Seen {
    now_ms: i64,
    unit: String,
    name: String,
    town: String,
    town_name: String,
    tile: Tile,
    next: String,
    devices: Vec<Device>,
    conflicts: u64,
    quarantined_here: u64,
    alerts: Vec<Alert>,
    past_alerts: Vec<Alert>,
    days: Vec<Day>,
    history: Vec<Past>,
    history_began_ms: Option<i64>,
}

#[derive(Template)]
#[template(path = "health/room.html")]
struct Part {
    seen: Seen,
    columns: Vec<Column>,
    most: u64,
}

/// Thirty-one columns at most: how much of the watched time the room was in contact, and the most that was pending.
fn columns(history: &[Past]) -> (Vec<Column>, u64) {
    let pending = |day: &Past| day.hours.iter().map(|h| h.pending).max().unwrap_or(0);
    let most = history.iter().map(pending).max().unwrap_or(0);
    let column = |(at, day): (usize, &Past)| {
        let sum = |of: fn(&Hour) -> u64| day.hours.iter().map(of).sum::<u64>();
        let (looks, up, unknown) = (sum(|h| h.looks), sum(|h| h.up), sum(|h| h.unknown));
        let part = |n: u64| (n * HEIGHT as u64).checked_div(looks).unwrap_or(0) as usize;
        let most_pending = pending(day);
        Column {
            x: at * COLUMN,
            up: part(up),
            unknown: part(unknown),
            pending_y: HEIGHT - (most_pending * HEIGHT as u64).checked_div(most).unwrap_or(0) as usize,
            words: t::day_said(
                &day.day,
                (up * 100).checked_div(looks).unwrap_or(0),
                looks,
                most_pending,
            ),
            label: day.day.chars().skip(8).collect(),
        }
    };
    (history.iter().enumerate().map(column).collect(), most)
}

async fn body(console: &Console, unit: &str) -> Result<(String, String), Problem> {
    let shown = console
        .ask(Command::RoomShow(RoomShow { unit: unit.to_owned() }))
        .await?;
    let seen: Seen = super::read(shown)?;
    let (columns, most) = columns(&seen.history);
    let name = seen.name.clone();
    Ok((name, console::page::part(&Part { seen, columns, most })))
}

async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(unit): Path<String>,
) -> Result<Response, Problem> {
    let (name, body) = body(&console, &unit).await?;
    Ok(console
        .page(&visit, &format!("{} {name}", t::ROOM), "/wall", body)
        .await)
}

async fn piece(State(console): State<Arc<Console>>, Path(unit): Path<String>) -> Result<Response, Problem> {
    Ok(Html(body(&console, &unit).await?.1).into_response())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_month_is_drawn_to_scale_and_a_day_that_nobody_watched_stays_empty() {
        let day = |day: &str, looks, up, unknown, pending| Past {
            day: day.to_owned(),
            hours: vec![Hour {
                looks,
                up,
                unknown,
                pending,
            }],
        };
        let (columns, most) = columns(&[
            day("2026-10-08", 0, 0, 0, 0),
            day("2026-10-09", 60, 30, 15, 8),
            day("2026-10-10", 60, 60, 0, 4),
        ]);
        assert_eq!(most, 8);
        assert_eq!((columns[0].up, columns[0].pending_y), (0, HEIGHT));
        assert_eq!((columns[1].up, columns[1].unknown, columns[1].pending_y), (60, 30, 0));
        assert_eq!(
            (columns[2].x, columns[2].pending_y, columns[2].label.as_str()),
            (48, 60, "10")
        );
    }

    #[test]
    fn a_rooms_page_says_everything_that_is_known_of_it_and_from_when() {
        let now_ms: i64 = 1_791_529_500_000;
        let seen = json!({
            "now_ms": now_ms, "unit": "511603102201", "name": "石桥村", "town": "511603102000", "town_name": "桥龙乡",
            "tile": {"state": "silent", "since_s": 7_200, "open_silent_s": 3_600, "behind": 4, "reasons": ["上班时间静默"]},
            "next": "请给村室打电话。",
            "devices": [{
                "device": "k5xw2l7qaaaa", "computer": "窗口机", "state": "silent", "as_of": now_ms - 7_200_000,
                "last_seen_s": 7_200, "recorded": 31, "at_township": 27, "at_county": 25, "pending": 4,
                "oldest_pending_s": 10_800, "skew_ms": -2_500, "rtt_ms": 48, "disk_free_bytes": 20_000_000_000_u64,
                "disk_total_bytes": 80_000_000_000_u64, "power_ups": 17, "quarantined": 2,
                "session": {"ended_ms": now_ms - 7_200_000, "seconds": 300, "bytes_in": 1_200, "bytes_out": 3_400, "entries": 9, "ended": "lost"},
                "version": "cunlian-node/1.4.2", "epochs": 3,
            }],
            "conflicts": 5, "quarantined_here": 6, "alerts": [], "past_alerts": [],
            "days": [{"day": "2026-10-09", "here": 7, "room": 8}, {"day": "2026-10-08", "here": 9, "room": null}],
            "history": [{"day": "2026-10-09", "hours": [{"looks": 60, "up": 30, "unknown": 6, "pending": 12}]}],
            "history_began_ms": now_ms - 86_400_000,
        });
        let seen: Seen = serde_json::from_value(seen).unwrap();
        let (columns, most) = columns(&seen.history);
        let html = console::page::part(&Part { seen, columns, most });
        for said in [
            "石桥村",
            "静默",
            "上班时间静默",
            "<b>下一步：</b>请给村室打电话。",
            "截至 13:05",
            "村室自己 <b>31</b> → 乡镇 <b>27</b> → 县 <b>25</b>",
            "<dd>4，最早一条已等 3 小时</dd>",
            "<dd>2 小时前</dd>",
            "<span>已 2 小时（上班时间 1 小时）</span>",
            "2026-10-09 13:05：5 分钟，线路中断；收到 9 条，收 1.2 KB、发 3.4 KB",
            "<dd>48 毫秒</dd>",
            "<dd>慢 2.5 秒</dd>",
            "<dd>20.0 GB（25%）</dd>",
            "<dd>cunlian-node/1.4.2</dd>",
            "<dt>开机次数</dt><dd>17</dd>",
            "<dt>换过账本编号</dt><dd>2 次</dd>",
            "村室自己 2，本级 6",
            "<dt>待裁决冲突</dt><dd>5</dd>",
            "2026-10-09：有联系 50%，看了 60 分钟，最多积压 12 条",
            "href=\"/room/511603102201/day\"",
            "href=\"/room/511603102201/day?on=2026-10-09\"",
            "≠",
            "<td class=\"no\">—</td><td class=\"no\">9</td><td>没有联系，未比</td>",
        ] {
            assert!(html.contains(said), "{said} is missing in\n{html}");
        }
    }
}
