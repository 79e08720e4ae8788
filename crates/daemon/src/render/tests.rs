//! Screens as people see them: an answer goes in, the text must come out, to the character.

use ledger::day::Day;
use serde_json::{Value, json};

use super::{Asked, Ink, NeverSeen, Screen, View, text};
use crate::config::Kind;

mod office;

fn room() -> Screen {
    Screen {
        kind: Kind::Node,
        today: Day::parse("2026-11-22").unwrap(),
        ink: Ink::Plain,
    }
}

fn hub() -> Screen {
    Screen {
        kind: Kind::Hub,
        ..room()
    }
}

#[track_caller]
fn check(view: View, screen: Screen, value: &Value, expected: &str) {
    let shown = text(view, value, screen);
    assert_eq!(shown, expected, "\n{shown}");
}

const EVERY_VIEW: [View; 32] = [
    View::CaseNew,
    View::CaseDo,
    View::CaseEdit,
    View::CaseList(Asked::All),
    View::CaseList(Asked::Some),
    View::CaseFind,
    View::CaseShow,
    View::CaseErase,
    View::CaseImport,
    View::Status,
    View::Rooms(NeverSeen::Counted),
    View::Rooms(NeverSeen::Listed),
    View::ConflictList,
    View::ConflictResolve,
    View::QuarantineList,
    View::MemberList,
    View::MemberRevoke,
    View::MemberExtend,
    View::MemberHold,
    View::MemberLift,
    View::MemberRename,
    View::MemberAdmit,
    View::Invite,
    View::Join,
    View::InitCounty,
    View::InitAlone,
    View::Verify,
    View::Reindex,
    View::Passphrase,
    View::AuditList,
    View::Day,
    View::ErrandList,
];

#[test]
fn a_new_case_says_its_number_and_what_to_mind() {
    let value = json!({"project_no": "511603", "late": true, "on": "2026-11-02", "warnings": ["电话少一位"]});
    check(
        View::CaseNew,
        room(),
        &value,
        "已收件，编号 511603\n业务日期 2026-11-02，按补录记。\n请注意：电话少一位\n",
    );
}

#[test]
fn a_day_says_what_has_not_travelled_and_whether_its_closings_still_hold() {
    let value = json!({
        "unit_name": "高河村", "day": "2026-10-09", "received": 3, "closed": 1, "behind": 2, "open": 7,
        "digest": "0123456789abcdef00", "by_matter": [{"matter": "B23", "matter_name": "参保登记", "received": 3, "closed": 1}],
        "closings": [
            {"nth": 1, "at": "2026-10-09 17:00:00", "by": "李芳", "received": 2, "closed": 1, "digest": "ffff456789abcdef00", "same": false},
            {"nth": 2, "at": "2026-10-10 09:00:00", "by": null, "received": 3, "closed": 1, "digest": "0123456789abcdef00", "same": true},
        ],
    });
    check(
        View::Day,
        hub(),
        &value,
        "高河村 日结 2026-10-09\n收件 3\n办结 1\n还没到乡镇 2\n在办（全部） 7\n  B23 参保登记：收件 3，办结 1\n\
         日结码 0123-4567-89AB-CDEF\n\
         第 1 次日结 2026-10-09 17:00:00 李芳：收件 2，办结 1，日结码 FFFF-4567-89AB-CDEF（与这里现在的不一致）\n\
         第 2 次日结 2026-10-10 09:00:00 本机：收件 3，办结 1，日结码 0123-4567-89AB-CDEF（与这里现在的一致）\n",
    );
}

#[test]
fn the_audit_trail_says_who_did_what_and_why() {
    let value = json!([
        {"seq": 2, "at": "2026-10-09 09:01:00", "act_label": "查看个人信息", "user_name": "李会计", "project_no": "5116",
         "fields": ["mobile"], "reason": "电话通知取件"},
        {"seq": 1, "at": "2026-10-09 09:00:00", "act_label": "解锁", "fields": []},
    ]);
    check(
        View::AuditList,
        room(),
        &value,
        "序号  时间                 做了什么      谁      对象         理由\n\
         2     2026-10-09 09:01:00  查看个人信息  李会计  5116 mobile  电话通知取件\n\
         1     2026-10-09 09:00:00  解锁          本机\n",
    );
    check(View::AuditList, room(), &json!([]), "还没有审计记录。\n");
}

#[test]
fn what_was_done_is_said_with_the_state_it_led_to() {
    let value = json!({"project_no": "5116", "event": "accept", "state": "accepted", "state_label": "已受理"});
    check(
        View::CaseDo,
        room(),
        &value,
        "已记“受理”，编号 5116，现在是“已受理”。\n",
    );
    let value = json!({"project_no": "5116", "event": "close", "state": "double_closed"});
    let expected = "已记“办结”，编号 5116，现在是“双重办结”。\n两处办结结果不同，请乡镇裁定：conflict list\n";
    check(View::CaseDo, hub(), &value, expected);
}

fn cases() -> Value {
    json!([
        {"project_no": "51160309A02632600022", "unit": "511603102201", "unit_name": "高河村委会", "matter": "A02",
         "matter_name": "个体工商户设立登记", "name": "王*", "on": "2026-11-22", "state": "double_closed",
         "state_label": "双重办结", "status": "正常", "due_on": "2026-11-22", "conflicts": 2, "receipt": "room"},
        {"project_no": "51160309A0263060001L", "unit": "511603102201", "unit_name": "高河村委会", "matter": "B23",
         "matter_name": "城乡居民参保登记", "name": "赵*", "on": "2026-11-02", "state": "awaiting_materials",
         "state_label": "待补正", "status": "正常", "due_on": "2026-11-02", "overdue": true, "provisional": true,
         "deemed_accepted": true, "receipt": "township"},
    ])
}

#[test]
fn a_list_says_what_is_due_what_waits_and_how_far_each_case_has_come() {
    let expected = "\
办件编号              事项                    申请人  登记        状态             截止                    已存到
51160309A02632600022  A02 个体工商户设立登记  王*     2026-11-22  双重办结·待裁定  2026-11-22 今日到期     本机
51160309A0263060001L  B23 城乡居民参保登记    赵*     2026-11-02  待补正·视为受理  2026-11-02 已超期 暂定  ✓ 乡镇
列出 2 件，已超期 1 件，今日到期 1 件，待裁定 1 件，还只在收件处 1 件，到乡镇未到县 1 件。
";
    check(View::CaseList(Asked::All), room(), &cases(), expected);
}

#[test]
fn an_empty_list_says_what_to_do_next() {
    let none = "还没有办件。登记：case new --matter 事项编号 --name 姓名 --cert-no 证件号码\n";
    check(View::CaseList(Asked::All), room(), &json!([]), none);
    let none = "没有符合条件的办件。看全部：case list\n";
    check(View::CaseList(Asked::Some), room(), &json!([]), none);
    check(View::ConflictList, hub(), &json!([]), "没有需要裁定的事项。\n");
    let none = "还没有代办。村室在办事页面的“代办”里登记。\n";
    check(View::ErrandList, hub(), &json!({"errands": []}), none);
    let none = "没有被隔离或搁置的内容，全部正常计入。\n";
    check(View::QuarantineList, hub(), &json!([]), none);
}

fn one_case() -> Value {
    json!({
        "project_no": "5116", "matter": "A02", "matter_name": "个体工商户设立登记", "unit": "511603102201",
        "unit_name": "高河村委会", "state": "void", "state_label": "已作废", "status": "正常", "received_on": "2026-11-22",
        "custody": "511603102201", "closure": null, "evaluation": null,
        "fields": [
            {"label": "申请人", "value": "王五", "contradicts": false, "values": [{"value": "王五"}]},
            {"label": "住址", "contradicts": false, "values": [{"value": null, "sealed": "no_key"}]},
            {"label": "手机", "contradicts": true, "values": [
                {"value": "139", "tier": "room", "unit_name": "高河村委会", "at": "2026-11-22 12:17:58", "leads": false},
                {"value": "137", "tier": "township", "unit_name": "观阁镇", "at": "2026-11-22 12:18:00", "leads": true},
            ]},
        ],
        "items": [{"name": "身份证", "received": true}, {"name": "户口簿", "received": false}],
        "outstanding": ["户口簿"],
        "events": [
            {"id": "e1.0", "label": "收件", "on": "2026-11-22", "tier": "room", "unit_name": "高河村委会",
             "at": "2026-11-22 12:17:00", "flags": [], "data": {}},
            {"id": "e2.0", "label": "作废", "on": "2026-11-22", "tier": "township", "unit_name": "观阁镇",
             "at": "2026-11-22 12:17:30", "flags": [], "data": {"reason": "材料不实"}},
            {"id": "e3.0", "label": "办结", "on": "2026-11-22", "tier": "room", "unit_name": "高河村委会", "by": "李四",
             "at": "2026-11-23 08:01:00", "flags": [], "data": {"result": 0}, "void": true,
             "void_reason": "与同时发生的另一事件（e2.0）冲突，以其为准"},
        ],
        "receipts": [{"tier": "township", "unit_name": "观阁镇", "state": "whole", "at": "2026-11-22 12:18:04"}],
    })
}

#[test]
fn a_case_shows_the_person_what_happened_and_where_it_is_stored() {
    let expected = "\
5116  A02 个体工商户设立登记
高河村委会  已作废
收件      2026-11-22

申请人    王五
住址      （本机没有密钥，看不到）
手机      137  观阁镇      2026-11-22 12:18  暂以此为准
          139  高河村委会  2026-11-22 12:17
材料      ☑ 身份证  ☐ 户口簿
尚缺      户口簿

经过
  日期        办理    机构             记录时间          说明
  2026-11-22  收件    高河村委会       12:17
  2026-11-22  作废    观阁镇           12:17             理由 材料不实
  2026-11-22  ✗ 办结  高河村委会 李四  2026-11-23 08:01  不作数：与同时发生的另一事件（观阁镇的作废）冲突，以其为准；结果 0 证照已发

已存到
  ✓  本机  高河村委会  2026-11-22 12:17  已登记
  ✓  乡镇  观阁镇      2026-11-22 12:18
  …  县    还没有到
";
    check(View::CaseShow, room(), &one_case(), expected);
}

#[test]
fn an_event_that_does_not_count_is_faint_on_a_terminal_and_said_in_words_everywhere() {
    let terminal = Screen {
        ink: Ink::Terminal,
        ..room()
    };
    let shown = text(View::CaseShow, &one_case(), terminal);
    let faint: Vec<&str> = shown.lines().filter(|line| line.contains('\x1b')).collect();
    assert!(
        matches!(faint.as_slice(), [line] if line.contains("✗ 办结") && line.contains("不作数")),
        "{shown}"
    );
}

#[test]
fn a_decision_is_told_by_what_was_chosen() {
    let value = json!({
        "project_no": "5116",
        "conflicts": [{"id": "77208903aa1c", "kind": "field", "state": "resolved", "choices": [
            {"choice": "8260", "what": "手机", "value": "139", "unit_name": "高河村委会"},
        ]}],
        "events": [{"id": "e1.0", "label": "裁定", "on": "2026-11-22", "tier": "township", "unit_name": "观阁镇",
            "at": "2026-11-22 12:41:00", "data": {"conflict": "77208903aa1c", "choice": "8260", "reason": "电话核实"}}],
    });
    let shown = text(View::CaseShow, &value, hub());
    let told = "取 手机 139 高河村委会；冲突 内容不一致 77208903；理由 电话核实";
    assert!(shown.contains(told), "{shown}");
}

#[test]
fn two_values_stand_side_by_side_with_what_to_type() {
    let value = json!([
        {"id": "77208903aa1c04c4", "kind": "field", "state": "open",
         "records": [{"project_no": "5116", "matter": "A02", "unit_name": "高河村委会"}],
         "choices": [
            {"choice": "0b1d", "what": "手机", "value": "137", "unit_name": "观阁镇", "at": "2026-11-22 12:18:00", "leads": true},
            {"choice": "8260", "what": "手机", "value": "139", "unit_name": "高河村委会", "at": "2026-11-22 12:17:00"},
         ]},
        {"id": "44089382f9cf8d71", "kind": "duplicate", "state": "resolved", "resolved": {"choice": "separate"},
         "records": [{"project_no": "1", "record_id": "a"}, {"project_no": "2", "record_id": "b"}],
         "choices": [{"choice": "a"}, {"choice": "b"}, {"choice": "separate"}]},
    ]);
    let expected = "\
待裁定 1 件，已裁定 1 件。

77208903  内容不一致  5116  A02  高河村委会
  同一栏两处各填了一个。
  手机 137          手机 139
  观阁镇            高河村委会
  2026-11-22 12:18  2026-11-22 12:17
  暂以此为准
  --choose 0b1d     --choose 8260
  裁定：选上面一栏，写 conflict resolve 77208903 --choose …

已裁定
  冲突      类别      办件  取
  44089382  疑似重复  1、2  不是重复，分别办理
改主意：conflict resolve 冲突编号 --choose undo
";
    check(View::ConflictList, hub(), &value, expected);
    let told = text(View::ConflictList, &value, room());
    assert!(told.contains("由乡镇或县裁定") && !told.contains("--choose"), "{told}");
}

#[test]
fn a_day_book_says_which_rows_are_missing_and_that_it_may_be_run_again() {
    let mut rejected: Vec<Value> = (3..8).map(|n| json!({"line": n, "reason": "不是本机构"})).collect();
    rejected.push(json!({"line": 2, "reason": "证件号码校验不对"}));
    let value =
        json!({"imported": 2, "unchanged": 1, "rejected": rejected, "remarks": [{"line": 9, "remark": "手机号不对"}]});
    let expected = "\
新登记 2 件，已有 1 件，未收 6 行。

已收下，但请核对：
  第 9 行：手机号不对

未收的行：
  5 行：不是本机构（第 3、4、5 行等）
  第 2 行：证件号码校验不对

改正后把整个文件再导入一次即可，已登记的不会重复。
";
    check(View::CaseImport, room(), &value, expected);
}

/// Every answer of a story, damaged in every place by every kind of oddity.
fn damaged(value: &Value, odd: &Value, out: &mut Vec<Value>) {
    out.push(odd.clone());
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let mut variants = Vec::new();
                damaged(inner, odd, &mut variants);
                out.extend(variants.into_iter().map(|variant| {
                    let mut map = map.clone();
                    map.insert(key.clone(), variant);
                    Value::Object(map)
                }));
            }
        }
        Value::Array(all) => {
            for (at, inner) in all.iter().enumerate() {
                let mut variants = Vec::new();
                damaged(inner, odd, &mut variants);
                out.extend(variants.into_iter().map(|variant| {
                    let mut all = all.clone();
                    all[at] = variant;
                    Value::Array(all)
                }));
            }
        }
        _ => {}
    }
}

#[test]
fn no_answer_however_odd_breaks_a_screen() {
    let odds = [
        json!(null),
        json!(true),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1.5e300),
        json!("é漢\u{1b}[31m\n字"),
        json!([[], {}, null, "（", 3]),
        json!({"a": {"b": []}}),
    ];
    for value in [cases(), one_case(), office::status_of_a_room(), office::some_rooms()] {
        for odd in &odds {
            let mut variants = Vec::new();
            damaged(&value, odd, &mut variants);
            for (variant, view) in variants.iter().flat_map(|v| EVERY_VIEW.map(|view| (v, view))) {
                let shown = text(view, variant, hub());
                assert!(!shown.contains('\x1b'), "{view:?} lets a terminal be steered");
            }
        }
    }
}

#[test]
fn no_screen_shows_what_is_only_for_programs() {
    let stories = [cases(), one_case(), office::status_of_a_room(), office::some_rooms()];
    for (value, view) in stories.iter().flat_map(|v| EVERY_VIEW.map(|view| (v, view))) {
        for screen in [room(), hub()] {
            let shown = text(view, value, screen);
            for inner in [
                "null",
                "deemed_accepted",
                "_ms",
                "_on",
                "whole",
                "writable",
                "在步 在步",
            ] {
                assert!(!shown.contains(inner), "{view:?} shows {inner}:\n{shown}");
            }
        }
    }
}
