//! The wall: all rooms below, what needs somebody first; it renews itself.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::{Html, IntoResponse, Response};
use console::{Problem, Visit};
use office::command::{Command, Wall, WallSort};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Console;
use super::rights::{Right, Routes};
use super::texts::health as t;

/// In the order of the list that one picks from.
const STATES: [&str; 8] = [
    "in_step",
    "behind",
    "silent",
    "attention",
    "unknown",
    "never_seen",
    "held",
    "revoked",
];

pub(super) fn routes() -> Routes {
    Routes::new()
        .look(Right::Watch, "/wall", page)
        .look(Right::Watch, "/wall/tiles", piece)
}

/// The colour that goes with a state's word.
pub(in crate::console) fn colour(state: &str) -> &'static str {
    match state {
        "in_step" => "green",
        "behind" => "amber",
        "silent" | "attention" => "red",
        _ => "grey",
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    find: String,
    state: String,
    town: String,
    sort: String,
}

impl Asked {
    fn command(&self) -> Command {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Command::Wall(Wall {
            search: some(&self.find),
            state: some(&self.state),
            town: some(&self.town),
            sort: match self.sort.as_str() {
                "code" => WallSort::Code,
                "name" => WallSort::Name,
                _ => WallSort::Worst,
            },
        })
    }

    /// The same wall, for its piece.
    fn query(&self) -> String {
        let pairs = [
            ("find", &self.find),
            ("state", &self.state),
            ("town", &self.town),
            ("sort", &self.sort),
        ];
        let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key}={}", escaped(value))).collect();
        pairs.join("&")
    }

    fn is_all(&self) -> bool {
        self.find.is_empty() && self.state.is_empty() && self.town.is_empty()
    }
}

/// A text as it stands in an address.
fn escaped(text: &str) -> String {
    let each = text.bytes().map(|b| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => (b as char).to_string(),
        b => format!("%{b:02X}"),
    });
    each.collect()
}

#[derive(Deserialize)]
struct Tile {
    unit: String,
    name: String,
    state: String,
    since_s: Option<u64>,
    /// Seconds of opening hours since a silent room was last heard.
    open_silent_s: u64,
    as_of_ms: Option<i64>,
    behind: u64,
    reasons: Vec<String>,
}

impl Tile {
    /// Below the name: how it is, in words, and from when that is.
    fn words(&self, now_ms: i64) -> String {
        let mut parts = vec![t::state(&self.state).to_owned()];
        if self.behind > 0 {
            parts.push(t::behind(self.behind));
        }
        let open = (self.state == "silent").then_some(self.open_silent_s);
        parts.extend(self.since_s.map(|s| t::since(s, open)));
        parts.extend(self.reasons.iter().cloned());
        parts.extend(self.as_of_ms.and_then(|at| t::as_of(at, now_ms)));
        parts.join(" · ")
    }
}

#[derive(Deserialize)]
struct Hub {
    up: bool,
    last_seen_ms: Option<i64>,
    /// Alerts of its own computer.
    reasons: Vec<String>,
}

#[derive(Deserialize)]
struct Town {
    unit: String,
    name: String,
    hub: Option<Hub>,
    counts: Map<String, Value>,
    tiles: Vec<Tile>,
    more: usize,
}

impl Town {
    fn counted(&self) -> Vec<(&'static str, &'static str, u64)> {
        counted(&self.counts)
    }
}

fn counted(counts: &Map<String, Value>) -> Vec<(&'static str, &'static str, u64)> {
    let each = STATES.into_iter().map(|s| {
        (
            colour(s),
            t::state(s),
            counts.get(s).and_then(Value::as_u64).unwrap_or(0),
        )
    });
    each.filter(|(.., many)| *many > 0).collect()
}

#[derive(Deserialize)]
struct Newest {
    p50_s: Option<u64>,
    p95_s: Option<u64>,
}

#[derive(Deserialize)]
struct Oldest {
    unit: String,
    name: String,
    s: u64,
}

#[derive(Deserialize)]
struct Differs {
    unit: String,
    name: String,
    here: u64,
    room: u64,
    pending: u64,
}

#[derive(Deserialize)]
struct CheckDay {
    day: String,
    here: u64,
    rooms: u64,
    equal: bool,
    named: Vec<Differs>,
}

#[derive(Deserialize)]
struct Check {
    days: Vec<CheckDay>,
    rooms: u64,
    /// Rooms whose books are still being counted.
    waiting: u64,
    /// Rooms that are not in contact, and not compared.
    unheard: u64,
}

#[derive(Deserialize)]
struct Seen {
    now_ms: i64,
    rooms: u64,
    open: bool,
    counts: Map<String, Value>,
    alerts: u64,
    muted: u64,
    newest: Newest,
    oldest: Option<Oldest>,
    check: Check,
    matching: usize,
    towns: Vec<Town>,
}

#[derive(Template)]
#[template(path = "health/tiles.html")]
struct Tiles<'a> {
    seen: Seen,
    query: String,
    asked: &'a Asked,
}

impl Tiles<'_> {
    fn counted(&self) -> Vec<(&'static str, &'static str, u64)> {
        counted(&self.seen.counts)
    }

    fn in_step(&self) -> u64 {
        self.seen.counts.get("in_step").and_then(Value::as_u64).unwrap_or(0)
    }
}

#[derive(Template)]
#[template(path = "health/wall.html")]
struct Part<'a> {
    asked: &'a Asked,
    tiles: String,
}

async fn tiles(console: &Console, asked: &Asked) -> Result<String, Problem> {
    let wall = console.ask(asked.command()).await?;
    let seen: Seen = super::read(wall)?;
    Ok(console::page::part(&Tiles {
        seen,
        query: asked.query(),
        asked,
    }))
}

async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let tiles = tiles(&console, &asked).await?;
    let body = console::page::part(&Part { asked: &asked, tiles });
    Ok(console.page(&visit, t::WALL, "/wall", body).await)
}

async fn piece(State(console): State<Arc<Console>>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    Ok(Html(tiles(&console, &asked).await?).into_response())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_in_an_address_is_escaped() {
        let asked = Asked {
            find: "石&桥".to_owned(),
            sort: "code".to_owned(),
            ..Asked::default()
        };
        assert_eq!(asked.query(), "find=%E7%9F%B3%26%E6%A1%A5&sort=code");
        assert!(Asked::default().is_all());
    }

    /// 15:05 of a day in China.
    const NOW_MS: i64 = 1_791_529_500_000;

    fn shown(rooms: usize, tiles: &[Value]) -> String {
        let none = json!({"days": [], "rooms": 0, "waiting": 0, "unheard": 0});
        shown_with(rooms, tiles, &Value::Null, &none)
    }

    fn shown_with(rooms: usize, tiles: &[Value], oldest: &Value, check: &Value) -> String {
        let counts = json!({"in_step": 1, "held": 1});
        let town = json!({
            "unit": "511603102000", "name": "桥龙乡", "hub": {"up": false, "last_seen_ms": NOW_MS - 3_600_000, "reasons": ["时钟不准"]},
            "counts": counts, "tiles": tiles, "more": 0,
        });
        let seen = json!({
            "now_ms": NOW_MS, "rooms": rooms, "open": true, "counts": counts, "alerts": 0, "muted": 0,
            "newest": {"p50_s": 90, "p95_s": 3_700}, "oldest": oldest, "check": check,
            "matching": tiles.len(), "towns": if tiles.is_empty() { json!([]) } else { json!([town]) },
        });
        let asked = Asked::default();
        let seen = serde_json::from_value(seen).unwrap();
        console::page::part(&Tiles {
            seen,
            query: asked.query(),
            asked: &asked,
        })
    }

    #[test]
    fn how_fresh_half_and_nearly_all_rooms_are_and_who_has_waited_longest_stand_on_top() {
        let none = json!({"days": [], "rooms": 0, "waiting": 0, "unheard": 0});
        let oldest = json!({"unit": "511603102201", "name": "石桥村", "s": 7_200});
        let html = shown_with(2, &[], &oldest, &none);
        for said in [
            "<li><b>1 分钟</b>距最近一条回执，半数村室不超过</li>",
            "<li><b>1 小时</b>距最近一条回执，95% 不超过</li>",
            "<li><b>2 小时</b>最久未上传：<a href=\"/room/511603102201\">石桥村</a></li>",
            t::CHECK_NONE,
        ] {
            assert!(html.contains(said), "{said}: {html}");
        }
        let html = shown(2, &[]);
        assert!(
            html.contains(&format!("<li><b>{}</b>最久未上传</li>", t::NONE_WAITING)),
            "{html}"
        );
    }

    #[test]
    fn each_day_says_that_the_books_agree_or_which_room_differs_by_how_much_and_how_many_are_not_counted_yet() {
        let check = json!({"rooms": 2, "waiting": 3, "unheard": 4, "days": [
            {"day": "2026-10-08", "here": 41, "rooms": 41, "equal": true, "named": []},
            {"day": "2026-10-09", "here": 9, "rooms": 13, "equal": false, "named": [
                {"unit": "511603102201", "name": "石桥村", "here": 4, "room": 7, "pending": 3},
                {"unit": "511603102202", "name": "龙门村", "here": 5, "room": 6, "pending": 0},
            ]},
        ]});
        let html = shown_with(2, &[], &Value::Null, &check);
        let row = |day: &str| {
            let row = html.split("<tr>").find(|row| row.contains(day));
            row.unwrap_or_else(|| panic!("{day}: {html}")).to_owned()
        };
        let (equal, differs) = (row("2026-10-08"), row("2026-10-09"));
        assert!(
            equal.contains("<span class=\"tag green\">相等</span>") && !equal.contains("/room/"),
            "{equal}"
        );
        assert!(equal.matches("<td class=\"no\">41</td>").count() == 2, "{equal}");
        for said in [
            "<td class=\"no\">9</td><td class=\"no\">13</td>",
            "<a href=\"/room/511603102201\">石桥村：村室 7，本级 4，还有 3 条在路上</a>",
            "<a href=\"/room/511603102202\">龙门村：村室 6，本级 5，已全部收到，请核对</a>",
        ] {
            assert!(differs.contains(said), "{said}: {differs}");
        }
        assert!(!differs.contains("相等"), "{differs}");
        assert!(html.contains("还有 3 个村室的账本正在清点"), "{html}");
        assert!(html.contains("另有 4 个村室没有联系，未比"), "{html}");
        assert!(
            html.contains("（2 个村室报了数）") && !html.contains(t::CHECK_NONE),
            "{html}"
        );
    }

    #[test]
    fn every_state_is_a_tile_with_its_word_beside_its_colour_and_from_when_it_is() {
        let words = [
            ("in_step", "green", "同步"),
            ("behind", "amber", "落后"),
            ("silent", "red", "静默"),
            ("attention", "red", "要处理"),
            ("unknown", "grey", "情况不明"),
            ("never_seen", "grey", "未入网"),
            ("held", "grey", "暂停"),
            ("revoked", "grey", "已停用"),
        ];
        assert_eq!(words.map(|(state, ..)| state), STATES, "no state without a story");
        for (state, colour, word) in words {
            let tile = json!({
                "unit": "511603102201", "name": "石桥村", "state": state, "since_s": 7_200, "open_silent_s": 5_400,
                "as_of_ms": NOW_MS - 3_600_000, "behind": 3, "reasons": ["时钟不准"],
            });
            let html = shown(1, &[tile]);
            let silent = if state == "silent" {
                "（上班时间 1 小时）"
            } else {
                ""
            };
            let said = format!("{word} · 差 3 条 · 已 2 小时{silent} · 时钟不准 · 截至 14:05");
            assert!(html.contains(&format!("<span>{said}</span>")), "{state}: {html}");
            assert!(html.contains(&format!("class=\"tile {colour}\"")), "{state}: {html}");
            assert!(html.contains("这个中心联系不上（2026-10-09 14:05）"), "{html}");
        }
        // What is from now says no time.
        let tile = json!({
            "unit": "511603102201", "name": "石桥村", "state": "in_step", "since_s": null, "open_silent_s": 0,
            "as_of_ms": NOW_MS - 5_000, "behind": 0, "reasons": [],
        });
        assert!(shown(1, &[tile]).contains("<span>同步</span>"));
        // What is from another day says which.
        assert_eq!(
            t::as_of(NOW_MS - 86_400_000, NOW_MS).as_deref(),
            Some("截至 2026-10-08 15:05")
        );
    }

    #[test]
    fn a_silence_says_how_much_of_it_fell_into_opening_hours() {
        let words = |since_s: u64, open_silent_s: u64| {
            let tile = json!({
                "unit": "511603102201", "name": "石桥村", "state": "silent", "since_s": since_s, "open_silent_s": open_silent_s,
                "as_of_ms": null, "behind": 0, "reasons": [],
            });
            serde_json::from_value::<Tile>(tile).unwrap().words(NOW_MS)
        };
        assert_eq!(words(259_200, 10_800), "静默 · 已 3 天（上班时间 3 小时）");
        assert_eq!(
            words(50_400, 0),
            "静默 · 已 14 小时（都在下班时间）",
            "nobody is to be phoned"
        );
        assert_eq!(words(50_430, 30), "静默 · 已 14 小时", "the office has just opened");
        assert_eq!(words(12, 12), "静默 · 刚刚");
    }

    #[test]
    fn a_county_without_rooms_and_a_filter_that_finds_none_say_what_to_do() {
        let none = shown(0, &[]);
        assert!(
            none.contains("本级下面还没有村室") && !none.contains(t::NO_MATCH),
            "{none}"
        );
        let no_match = shown(12, &[]);
        assert!(
            no_match.contains(t::NO_MATCH) && no_match.contains("看全部"),
            "{no_match}"
        );
    }
}
