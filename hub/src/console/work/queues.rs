//! 搁置 and 待认: what is kept and does not count yet, why, and the word that ends it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::response::Response;
use console::line::read;
use console::page::go;
use console::{Problem, Visit};
use office::command::{Command, MemberExtend, QuarantineQueue, QuarantineRetry, WaitingLeave, WaitingList, Work};
use serde::Deserialize;

use super::{Console, Page, Pairs, filled, one, person, t};
use crate::console::rights::{Right, may_act};

#[derive(Deserialize)]
struct Item {
    kind: String,
    reason: String,
    #[serde(default = "once")]
    count: u32,
    project_no: Option<String>,
    unit_name: Option<String>,
    #[serde(default)]
    healed: bool,
}

fn once() -> u32 {
    1
}

impl Item {
    fn word(&self) -> &'static str {
        match self.kind.as_str() {
            "damaged" if self.healed => t::HEALED,
            kind => t::set_aside_kind(kind),
        }
    }

    fn colour(&self) -> &'static str {
        match self.kind.as_str() {
            "damaged" if self.healed => "green",
            "set_aside" | "damaged" | "unreadable" => "red",
            _ => "amber",
        }
    }

    fn next(&self) -> &'static str {
        match self.kind.as_str() {
            "damaged" if self.healed => t::HEALED_NEXT,
            kind => t::set_aside_next(kind),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    page: usize,
    left: usize,
    items: Vec<Item>,
}

#[derive(Template)]
#[template(path = "work/setaside.html")]
struct SetAside<'a> {
    csrf: &'a str,
    answer: Answer,
    may_act: bool,
    said: Option<String>,
    wrong: Option<String>,
}

pub(super) async fn set_aside(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(filter): Query<Page>,
) -> Result<Response, Problem> {
    show_set_aside(&console, &visit, &filter, None).await
}

async fn show_set_aside(
    console: &Console,
    visit: &Visit,
    filter: &Page,
    wrong: Option<String>,
) -> Result<Response, Problem> {
    let asked = QuarantineQueue {
        unit: filled(&filter.unit),
        page: filter.page,
        limit: None,
    };
    let asked = Command::Work(Work::Quarantine(asked));
    let part = SetAside {
        csrf: &visit.csrf,
        answer: read(console.ask_as(visit, asked).await?)?,
        may_act: may_act(visit.person.as_ref(), Right::Settle),
        said: console.said(visit),
        wrong: wrong.clone(),
    };
    let body = console::page::part(&part);
    Ok(match wrong {
        Some(_) => console.wrong(visit, t::SETASIDE, "/conflicts", body).await,
        None => console.page(visit, t::SETASIDE, "/conflicts", body).await,
    })
}

pub(super) async fn retry(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let retry = QuarantineRetry {
        number: one(&pairs, "number"),
        user: Some(person(&visit)?.id),
    };
    let asked = Command::Work(Work::QuarantineRetry(retry));
    match console.ask_as(&visit, asked).await {
        Ok(answer) => {
            let number = |at: &str| answer[at].as_u64().unwrap_or(0);
            console.say(&visit, t::retried(number("tried"), number("healed"), number("left")));
            Ok(go(&visit, "/setaside"))
        }
        Err(problem) => show_set_aside(&console, &visit, &Page::default(), Some(problem.text)).await,
    }
}

#[derive(Deserialize)]
struct Step {
    label: String,
    on: String,
    by: Option<String>,
}

#[derive(Deserialize)]
struct Record {
    project_no: Option<String>,
    unit_name: String,
    matter_name: Option<String>,
    entries: u64,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Left {
    reason: String,
    at: String,
    by: Option<String>,
}

#[derive(Deserialize)]
struct Device {
    device: String,
    device_name: Option<String>,
    unit_name: String,
    state: String,
    reason: Option<String>,
    entries: u64,
    records_count: u64,
    records: Vec<Record>,
    admitted: Vec<Admitted>,
    left: Option<Left>,
}

/// A device that was let in by words that do not count yet.
#[derive(Deserialize)]
struct Admitted {
    name: String,
    unit_name: String,
}

impl Device {
    /// As people tell devices apart.
    fn short(&self) -> &str {
        self.device.get(..8).unwrap_or(&self.device)
    }

    fn word(&self) -> &'static str {
        t::device_state(&self.state)
    }
}

#[derive(Template)]
#[template(path = "work/waiting.html")]
struct Waiting<'a> {
    csrf: &'a str,
    devices: Vec<Device>,
    left: bool,
    may_act: bool,
    may_extend: bool,
    said: Option<String>,
    wrong: Option<String>,
}

pub(super) async fn waiting(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(filter): Query<Page>,
) -> Result<Response, Problem> {
    show_waiting(&console, &visit, !filter.done.is_empty(), None).await
}

async fn show_waiting(
    console: &Console,
    visit: &Visit,
    left: bool,
    wrong: Option<String>,
) -> Result<Response, Problem> {
    let asked = Command::Work(Work::Waiting(WaitingList { left }));
    let answer = console.ask_as(visit, asked).await?;
    let person = visit.person.as_ref();
    let part = Waiting {
        csrf: &visit.csrf,
        devices: read(answer["devices"].clone())?,
        left,
        may_act: may_act(person, Right::Settle),
        may_extend: may_act(person, Right::Members),
        said: console.said(visit),
        wrong: wrong.clone(),
    };
    let body = console::page::part(&part);
    Ok(match wrong {
        Some(_) => console.wrong(visit, t::WAITING, "/conflicts", body).await,
        None => console.page(visit, t::WAITING, "/conflicts", body).await,
    })
}

/// What waits counts after all.
pub(super) async fn extend(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let extend = MemberExtend {
        device: one(&pairs, "device").unwrap_or_default(),
        root_key: None,
    };
    let asked = console.ask_as(&visit, Command::MemberExtend(extend)).await;
    ended(&console, &visit, asked, t::EXTENDED).await
}

/// What waits is left as it is, with a reason; or that is taken back.
pub(super) async fn leave(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let undo = one(&pairs, "undo").is_some();
    let leave = WaitingLeave {
        device: one(&pairs, "device").unwrap_or_default(),
        reason: one(&pairs, "reason").unwrap_or_default(),
        undo,
        user: Some(person(&visit)?.id),
    };
    let asked = console.ask_as(&visit, Command::Work(Work::WaitingLeave(leave))).await;
    ended(&console, &visit, asked, if undo { t::LEAVE_UNDONE } else { t::LEFT }).await
}

async fn ended(
    console: &Console,
    visit: &Visit,
    asked: Result<serde_json::Value, Problem>,
    said: &str,
) -> Result<Response, Problem> {
    match asked {
        Ok(_) => {
            console.say(visit, said);
            Ok(go(visit, "/waiting"))
        }
        Err(problem) => show_waiting(console, visit, false, Some(problem.text)).await,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NO: &str = "511603102201-A1-000001";

    fn set_aside_page(items: &Value, may_act: bool) -> String {
        let answer = json!({"page": 0, "left": 0, "items": items});
        console::page::part(&SetAside {
            csrf: "c",
            answer: serde_json::from_value(answer).unwrap(),
            may_act,
            said: None,
            wrong: None,
        })
    }

    #[test]
    fn each_row_set_aside_says_what_it_is_why_and_what_comes_next() {
        let told = [
            ("set_aside", false, "red", "搁置", "请核实是谁的电脑写的"),
            ("awaiting_version", false, "amber", "等模板或目录", "会自动算进去"),
            ("awaiting_entries", false, "amber", "等前面的记录", "连上线路会自动补齐"),
            ("damaged", false, "red", "账目损坏", "会自动从上级或下级重新取回"),
            ("damaged", true, "green", "损坏已修复", "不缺记录"),
            ("unreadable", false, "red", "读不懂", "告诉系统维护人员"),
            ("excess", false, "amber", "超过上限", "告诉系统维护人员"),
            ("unknown_kind", false, "amber", "需升级", "请升级本中心的程序"),
        ];
        for (kind, healed, colour, word, next) in told {
            // Damage is of the file: it has no number, no room, and nothing to press.
            let mut item = json!({"kind": kind, "reason": "缘由甲", "healed": healed});
            let has_number = matches!(kind, "set_aside" | "awaiting_version" | "awaiting_entries");
            if has_number {
                (item["project_no"], item["unit_name"], item["count"]) = (json!(NO), json!("石桥村"), json!(2));
            }
            let html = set_aside_page(&json!([item]), true);
            let tag = format!("<span class=\"tag {colour}\">{word}</span>");
            assert!(html.contains(&tag), "{kind}: {html}");
            assert!(html.contains("<td>缘由甲<br>") && html.contains(next), "{kind}: {html}");
            let link = format!("<a href=\"/case/{NO}\">{NO}</a></td><td>石桥村</td>");
            let again = format!(
                "<button class=\"small\" name=\"number\" value=\"{NO}\">{}</button>",
                t::RETRY
            );
            for part in [link.as_str(), again.as_str(), " × 2"] {
                assert_eq!(html.contains(part), has_number, "{kind} {part}: {html}");
            }
            assert!(html.contains(t::RETRY_ALL), "{html}");
        }
        let healed = set_aside_page(&json!([{"kind": "damaged", "reason": "", "healed": true}]), true);
        assert!(!healed.contains("重新取回，请检查"), "it is back already: {healed}");
        let item = json!([{"kind": "set_aside", "reason": "缘由甲", "project_no": NO}]);
        assert!(
            !set_aside_page(&item, false).contains("<button"),
            "who only looks presses nothing"
        );
        let none = set_aside_page(&json!([]), true);
        assert!(none.contains(t::SETASIDE_NONE) && !none.contains("<button"), "{none}");
    }

    fn device(state: &str) -> Value {
        json!({
            "device": "a1b2c3d4e5f60718", "device_name": "前台", "unit_name": "桥龙乡", "state": state, "reason": "电脑丢失",
            "entries": 3, "records_count": 2, "admitted": [], "left": null,
            "records": [
                {"project_no": NO, "unit_name": "石桥村", "matter_name": "用地", "entries": 1,
                 "steps": [{"label": "收件", "on": "2026-10-09", "by": "王五"}]},
                {"project_no": null, "unit_name": "石桥村", "matter_name": null, "entries": 2, "steps": []},
            ],
        })
    }

    fn waiting_page(device: &Value, left: bool, rights: (bool, bool)) -> String {
        console::page::part(&Waiting {
            csrf: "c",
            devices: serde_json::from_value(json!([device])).unwrap(),
            left,
            may_act: rights.0,
            may_extend: rights.1,
            said: None,
            wrong: None,
        })
    }

    #[test]
    fn what_waits_of_a_device_is_told_with_its_state_its_steps_and_the_two_words_that_end_it() {
        for (state, word) in [("revoked", "已停用"), ("moved", "已调走"), ("unknown", "来历不明")] {
            let html = waiting_page(&device(state), false, (true, true));
            for said in [
                "<h2>桥龙乡 前台 <small class=\"quiet\">a1b2c3d4</small></h2>",
                &format!("<span class=\"tag grey\">{word}</span> 电脑丢失 · 2 件、3 条记录"),
                "收件 2026-10-09 王五<br>",
                "2 条内容更改",
                "action=\"/waiting/extend\"",
                "<button class=\"main\" name=\"device\" value=\"a1b2c3d4e5f60718\">采纳</button>",
                "<button name=\"device\" value=\"a1b2c3d4e5f60718\">不采纳</button>",
            ] {
                assert!(html.contains(said), "{said}: {html}");
            }
            assert!(
                !html.contains(t::WAITING_ADMITTED) && !html.contains("name=\"undo\""),
                "{html}"
            );
        }
        let looks = waiting_page(&device("revoked"), false, (false, false));
        assert!(!looks.contains("<button"), "{looks}");
        let settles = waiting_page(&device("revoked"), false, (true, false));
        assert!(
            settles.contains("/waiting/leave") && !settles.contains("/waiting/extend"),
            "{settles}"
        );
    }

    #[test]
    fn who_was_let_in_by_a_device_that_does_not_count_is_named_and_what_was_left_can_be_taken_back() {
        let mut hub = device("revoked");
        (hub["entries"], hub["records_count"], hub["records"]) = (json!(2), json!(0), json!([]));
        hub["admitted"] = json!([
            {"name": "二号机", "unit_name": "石桥村"},
            {"name": "三号机", "unit_name": "龙门村"},
        ]);
        let html = waiting_page(&hub, false, (true, true));
        let said = format!("<p>{}石桥村 二号机、龙门村 三号机</p>", t::WAITING_ADMITTED);
        assert!(html.contains(&said) && !html.contains("<table>"), "{html}");

        let mut left = device("revoked");
        left["left"] = json!({"reason": "来历不明", "at": "2026-10-09 15:05", "by": "赵六"});
        let html = waiting_page(&left, true, (true, true));
        for said in [
            "不采纳的理由：来历不明 <span class=\"quiet\">赵六 2026-10-09 15:05</span>",
            "<input type=\"hidden\" name=\"undo\" value=\"1\">",
            "<button name=\"device\" value=\"a1b2c3d4e5f60718\">撤回，重新待认</button>",
        ] {
            assert!(html.contains(said), "{said}: {html}");
        }
    }
}
