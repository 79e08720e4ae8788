//! 待裁决: each conflict with both sides in plain words, one press to decide, one to take it back.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::response::Response;
use console::face::cover;
use console::line::read;
use console::page::go;
use console::{Problem, Visit};
use office::command::{Command, ConflictQueue, ConflictResolve, Work};
use serde::Deserialize;

use super::{Console, Page, Pairs, UnitOf, filled, one, person, t};
use crate::console::rights::{Right, may_act};

/// A case that an item is about.
#[derive(Deserialize)]
struct Record {
    project_no: String,
    unit_name: String,
    matter_name: Option<String>,
    name: Option<String>,
    on: Option<String>,
    state_label: String,
}

#[derive(Deserialize)]
struct Side {
    choice: String,
    what: String,
    words: Option<String>,
    value: Option<serde_json::Value>,
    unit_name: Option<String>,
    by: Option<String>,
    tier: Option<String>,
    device: Option<String>,
    at: Option<String>,
    #[serde(default)]
    leads: bool,
}

impl Side {
    fn words(&self) -> String {
        let words = self.words.as_deref().unwrap_or(&self.what);
        let value = match self.value.as_ref() {
            None | Some(serde_json::Value::Null) => return words.to_owned(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(serde_json::Value::Bool(yes)) => (if *yes { t::YES } else { t::NO }).to_owned(),
            Some(other) => other.to_string(),
        };
        format!("{words}：{value}")
    }

    /// Who said it, when, and on which computer.
    fn who(&self) -> String {
        let mut parts: Vec<&str> = Vec::new();
        parts.extend(self.tier.as_deref().map(t::tier));
        parts.extend(self.unit_name.as_deref());
        parts.extend(self.by.as_deref());
        parts.extend(self.at.as_deref());
        let device = self.device.as_deref().map(t::on_device).unwrap_or_default();
        let leads = if self.leads { t::LEADS_NOW } else { "" };
        format!("{} {device} {leads}", parts.join(" ")).trim().to_owned()
    }

    fn button(&self) -> &'static str {
        t::choose(&self.choice)
    }
}

#[derive(Deserialize)]
struct Resolved {
    choice: String,
    reason: Option<String>,
    unit_name: Option<String>,
    by: Option<String>,
    on: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    kind: String,
    label: Option<String>,
    state: String,
    #[serde(default)]
    records: Vec<Record>,
    #[serde(default)]
    choices: Vec<Side>,
    resolved: Option<Resolved>,
    age_workdays: Option<u32>,
    #[serde(default)]
    ours: bool,
    device_name: Option<String>,
    unit_name: Option<String>,
    advice: Option<String>,
}

impl Item {
    fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.kind)
    }

    fn is_open(&self) -> bool {
        self.state == "open"
    }

    fn is_fork(&self) -> bool {
        self.kind == "fork"
    }

    /// There is no side to take: nothing of it counted.
    fn is_only_noted(&self) -> bool {
        self.kind == "overwritten"
    }

    /// What it is about, and what a decision does.
    fn what(&self) -> &'static str {
        t::conflict_what(&self.kind)
    }

    /// The side that was chosen, in words.
    fn chosen(&self, by: &Resolved) -> String {
        let side = self.choices.iter().find(|side| side.choice == by.choice);
        side.map_or_else(|| t::choose(&by.choice).to_owned(), Side::words)
    }
}

#[derive(Deserialize)]
struct Answer {
    page: usize,
    left: usize,
    items: Vec<Item>,
}

#[derive(Template)]
#[template(path = "work/conflicts.html")]
struct Part<'a> {
    csrf: &'a str,
    answer: Answer,
    filter: &'a Page,
    units: Vec<UnitOf>,
    decided: bool,
    may_act: bool,
    said: Option<String>,
    wrong: Option<String>,
}

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(filter): Query<Page>,
) -> Result<Response, Problem> {
    show(&console, &visit, &filter, None).await
}

async fn show(console: &Console, visit: &Visit, filter: &Page, wrong: Option<String>) -> Result<Response, Problem> {
    let decided = !filter.done.is_empty();
    let asked = ConflictQueue {
        decided,
        kind: filled(&filter.kind),
        unit: filled(&filter.unit),
        page: filter.page,
        limit: Some(20),
    };
    let asked = Command::Work(Work::Conflicts(asked));
    let answer: Answer = read(console.ask_as(visit, asked).await?)?;
    let is_wrong = wrong.is_some();
    let part = Part {
        csrf: &visit.csrf,
        answer,
        filter,
        units: console.units().await?,
        decided,
        may_act: may_act(visit.person.as_ref(), Right::Settle),
        said: console.said(visit),
        wrong,
    };
    let body = console::page::part(&part);
    Ok(match is_wrong {
        true => console.wrong(visit, t::CONFLICTS, "/conflicts", body).await,
        false => console.page(visit, t::CONFLICTS, "/conflicts", body).await,
    })
}

pub(super) async fn decide(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Problem> {
    let choose = one(&pairs, "choose").unwrap_or_default();
    let undone = choose == "undo";
    let person = person(&visit)?;
    let resolve = ConflictResolve {
        id: one(&pairs, "id").unwrap_or_default(),
        choose,
        note: one(&pairs, "note"),
        user: Some(person.id),
        cover: cover(person),
    };
    match console.ask_as(&visit, Command::ConflictResolve(resolve)).await {
        Ok(_) => {
            console.say(&visit, if undone { t::DECISION_UNDONE } else { t::DECISION_MADE });
            Ok(go(&visit, if undone { "/conflicts" } else { "/conflicts?done=1" }))
        }
        Err(problem) => show(&console, &visit, &Page::default(), Some(problem.text)).await,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const COUNTY_NO: &str = "511603102201-A1-000001";
    const OTHER_NO: &str = "511603104202-B1-000001";

    fn shown_to(item: &Value, decided: bool, may_act: bool) -> String {
        let answer = json!({"page": 0, "left": 0, "items": [item]});
        console::page::part(&Part {
            csrf: "c",
            answer: serde_json::from_value(answer).unwrap(),
            filter: &Page::default(),
            units: Vec::new(),
            decided,
            may_act,
            said: None,
            wrong: None,
        })
    }

    fn shown(item: &Value) -> String {
        let html = shown_to(item, item["state"] == "resolved", true);
        html[html.find("<article").unwrap()..].to_owned()
    }

    fn record(no: &str, unit: &str) -> Value {
        json!({
            "project_no": no, "unit_name": unit, "matter_name": "用地", "name": "张*", "on": "2026-10-09",
            "state_label": "已受理",
        })
    }

    fn side(choice: &str, words: &str, tier: &str, unit: &str, by: &str) -> Value {
        json!({
            "choice": choice, "what": choice, "words": words, "tier": tier, "unit_name": unit, "by": by,
            "device": "a1b2c3d4", "at": "2026-10-09 15:05",
        })
    }

    fn item(kind: &str, label: &str, choices: &[Value]) -> Value {
        json!({
            "id": "00ff", "kind": kind, "label": label, "state": "open", "ours": true, "age_workdays": 4,
            "records": [record(COUNTY_NO, "石桥村")], "choices": choices, "resolved": null,
        })
    }

    /// Closed at the room and at the township, each without the other.
    fn double_closing() -> Value {
        let mut sides = [
            side("s1", "办结", "room", "石桥村", "王五"),
            side("s2", "不予办结", "township", "桥龙乡", "赵六"),
        ];
        sides[0]["leads"] = json!(false);
        item("double_closing", "双重办结", &sides)
    }

    #[test]
    fn both_sides_of_a_step_or_a_field_stand_with_who_when_where_and_a_button_each() {
        let mut void = [
            side("s1", "受理", "township", "桥龙乡", "赵六"),
            side("s2", "撤回", "room", "石桥村", "王五"),
        ];
        void[0]["leads"] = json!(true);
        let field = |values: [Value; 2]| {
            let mut sides = [
                side("s1", "联系电话", "room", "石桥村", "王五"),
                side("s2", "联系电话", "township", "桥龙乡", "赵六"),
            ];
            for (side, value) in sides.iter_mut().zip(values) {
                side["value"] = value;
            }
            item("field", "信息不一致", &sides)
        };
        let told = [
            (double_closing(), ["办结", "不予办结"], "裁决以前不算办结"),
            (
                item("void_event", "并发作废", &void),
                ["受理", "撤回"],
                "只能有一步算数",
            ),
            (
                field([json!("139****0001"), json!("139****0002")]),
                ["联系电话：139****0001", "联系电话：139****0002"],
                "填得不一样",
            ),
            (
                field([json!(3), json!(4)]),
                ["联系电话：3", "联系电话：4"],
                "两个都留着",
            ),
            (
                field([json!(true), json!(false)]),
                ["联系电话：是", "联系电话：否"],
                "两个都留着",
            ),
        ];
        for (item, words, what) in told {
            let html = shown(&item);
            for (choice, words) in ["s1", "s2"].into_iter().zip(words) {
                let side =
                    format!("<li><button name=\"choose\" value=\"{choice}\">选这个</button> <span>{words}</span>");
                assert!(html.contains(&side), "{side}: {html}");
            }
            for said in [
                item["label"].as_str().unwrap(),
                what,
                "已等 4 个工作日",
                "村 石桥村 王五 2026-10-09 15:05 电脑 a1b2c3d4",
                "乡镇 桥龙乡 赵六 2026-10-09 15:05 电脑 a1b2c3d4",
                &format!("<a class=\"no\" href=\"/case/{COUNTY_NO}\">{COUNTY_NO}</a> 石桥村 · 张* · 用地 · 已受理"),
                "<input type=\"hidden\" name=\"id\" value=\"00ff\">",
            ] {
                assert!(html.contains(said), "{said}: {html}");
            }
            let leads = usize::from(item["kind"] == "void_event");
            assert_eq!(html.matches(t::LEADS_NOW).count(), leads, "{html}");
            assert!(!html.contains(t::UNDO) && !html.contains(t::COUNTY_DECIDES), "{html}");
        }
    }

    #[test]
    fn two_cases_of_one_person_or_one_number_stand_with_both_rooms_and_what_can_be_decided() {
        let both = json!([record(COUNTY_NO, "石桥村"), record(OTHER_NO, "龙门村")]);
        let separate = |what: &str| json!({"choice": "separate", "what": what});
        let mut duplicate = item(
            "duplicate",
            "并案",
            &[
                json!({"choice": "aa01", "what": format!("以此件为主：{COUNTY_NO}")}),
                json!({"choice": "bb02", "what": format!("以此件为主：{OTHER_NO}")}),
                separate("不是重复，分别办理"),
            ],
        );
        let mut same = item("same_number", "编号重复", &[separate("已知悉，两件分别办理")]);
        (duplicate["records"], same["records"]) = (both.clone(), both);
        let html = shown(&duplicate);
        for (choice, press, words) in [
            ("aa01", "选这个", format!("以此件为主：{COUNTY_NO}")),
            ("bb02", "选这个", format!("以此件为主：{OTHER_NO}")),
            ("separate", "分别办理", "不是重复，分别办理".to_owned()),
        ] {
            let side = format!("<button name=\"choose\" value=\"{choice}\">{press}</button> <span>{words}</span>");
            assert!(html.contains(&side), "{side}: {html}");
        }
        let same = shown(&same);
        assert_eq!(same.matches("<button").count(), 1, "{same}");
        assert!(
            same.contains("<span>已知悉，两件分别办理</span>") && same.contains("请通知村里"),
            "{same}"
        );
        for html in [html, same] {
            for (no, unit) in [(COUNTY_NO, "石桥村"), (OTHER_NO, "龙门村")] {
                assert!(
                    html.contains(&format!("href=\"/case/{no}\">{no}</a> {unit} ·")),
                    "{html}"
                );
            }
        }
    }

    #[test]
    fn what_somebody_tried_to_overwrite_has_no_side_to_take_and_is_only_noted() {
        let tried = side("s1", "有人想改写这件已经记下的内容", "room", "石桥村", "王五");
        for choices in [vec![tried], Vec::new()] {
            let html = shown(&item("overwritten", "改写已有内容", &choices));
            assert_eq!(html.matches("已知悉</button>").count(), 1, "{html}");
            assert!(!html.contains("选这个") && html.contains("请核实这台设备"), "{html}");
        }
    }

    #[test]
    fn a_fork_says_whose_it_is_what_to_do_and_that_it_settles_itself() {
        let mut fork = json!({
            "id": "00ff", "kind": "fork", "label": "设备分叉", "state": "open", "device_name": "前台",
            "unit_name": "石桥村", "records": [], "choices": [],
            "advice": "请停用被复制的那一份数据，保留一台；此项随即消除。",
        });
        let html = shown(&fork);
        for said in [
            "设备分叉",
            "两支的记录都保留",
            "设备：前台 石桥村",
            "请停用被复制的那一份数据",
            "随即消除",
        ] {
            assert!(html.contains(said), "{said}: {html}");
        }
        assert!(!html.contains("<button") && !html.contains(t::COUNTY_DECIDES), "{html}");
        fork["state"] = json!("resolved");
        let html = shown(&fork);
        assert!(html.contains(t::FORK_SETTLED) && !html.contains("请停用"), "{html}");
        assert!(!html.contains("<button"), "nobody undoes it: {html}");
    }

    #[test]
    fn who_may_not_decide_sees_both_sides_and_who_does() {
        let mut item = double_closing();
        let looks = shown_to(&item, false, false);
        item["ours"] = json!(false);
        for (html, county) in [(looks, false), (shown_to(&item, false, true), true)] {
            let html = html[html.find("<article").unwrap()..].to_owned();
            assert!(
                !html.contains("<button") && !html.contains("/conflicts/decide"),
                "{html}"
            );
            assert_eq!(html.contains(t::COUNTY_DECIDES), county, "{html}");
            for said in ["<li>办结 ", "<li>不予办结 ", "村 石桥村 王五", "乡镇 桥龙乡 赵六"] {
                assert!(html.contains(said), "{said}: {html}");
            }
        }
    }

    #[test]
    fn what_was_decided_says_which_side_by_whom_and_why_and_can_be_taken_back() {
        let mut item = double_closing();
        item["state"] = json!("resolved");
        item["resolved"] = json!({
            "choice": "s2", "reason": "材料不齐", "unit_name": "桥龙乡", "by": "赵六", "on": "2026-10-10",
        });
        let html = shown(&item);
        for said in [
            "<span class=\"tag green\">已裁决</span> <strong>不予办结</strong> 桥龙乡 赵六 2026-10-10<br>理由：材料不齐",
            "<button name=\"choose\" value=\"undo\">撤销这个裁决</button>",
        ] {
            assert!(html.contains(said), "{said}: {html}");
        }
        assert!(!html.contains("选这个"), "{html}");
        item["ours"] = json!(false);
        let html = shown(&item);
        assert!(!html.contains("<button") && !html.contains(t::COUNTY_DECIDES), "{html}");
    }
}
