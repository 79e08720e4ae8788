//! 台账 and 导入预览: what goes out is masked or has its reason on the disk; what would come in is told before anything is written.

use serde_json::{Value, json};

use super::county::County;
use super::locked::{WORDS, set, unlock};
use crate::command::{AuditList, CaseDo, CaseImport, CaseNew, CasePrint, Command, Monthly, Paper, UserAdd, UserRef};
use crate::rig::Seat;
use ledger::day::Day;
use ledger::id::UserId;

const ZHANG: &str = "11010519491231002X";

fn receive(county: &mut County, on: &str, close: bool) {
    let new = CaseNew {
        matter: "A06".to_owned(),
        name: "张三".to_owned(),
        cert_no: ZHANG.to_owned(),
        mobile: Some("13800138000".to_owned()),
        note: Some("=1+1".to_owned()),
        on: Day::parse(on),
        close: close.then(|| "6".to_owned()),
        ..CaseNew::default()
    };
    county.world.run(county.rooms[0], Command::CaseNew(new));
}

fn month(plain: bool, reason: Option<&str>) -> Command {
    Command::Monthly(Monthly {
        month: "2026-09".to_owned(),
        plain,
        reason: reason.map(str::to_owned),
        user: None,
    })
}

fn trail(county: &mut County, room: Seat) -> Vec<(String, String)> {
    let rows = county.world.run(room, Command::AuditList(AuditList::default()));
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    rows.as_array()
        .unwrap()
        .iter()
        .map(|r| (text(&r["act"]), text(&r["reason"])))
        .collect()
}

#[test]
fn a_month_is_handed_out_masked_or_with_its_reason_on_the_disk() {
    let mut county = County::new(91, 1, 1);
    let room = county.rooms[0];
    for (on, close) in [
        ("2026-08-31", false),
        ("2026-09-01", true),
        ("2026-09-30", false),
        ("2026-10-01", false),
    ] {
        receive(&mut county, on, close);
    }
    let table = county.world.run(room, month(false, None));
    let rows = table["rows"].as_array().unwrap();
    let at = |name: &str| {
        table["columns"]
            .as_array()
            .unwrap()
            .iter()
            .position(|c| c == name)
            .unwrap()
    };
    let cells = |row: &Value, names: [&str; 6]| names.map(|n| row[at(n)].as_str().unwrap().to_owned());
    let names = ["登记时间", "申请人", "证件号码", "办理", "办结时间", "备注"];
    assert_eq!(
        cells(&rows[0], names),
        [
            "2026-09-01 00:00",
            "张*",
            "110105********002X",
            "办结",
            "2026-09-01 00:00",
            "=1+1"
        ]
    );
    assert_eq!((rows.len(), cells(&rows[1], names)[3].as_str()), (2, "收件"));
    assert!(!table.to_string().contains(ZHANG));
    let refused = county.world.command(room, month(true, Some("  "))).unwrap_err();
    assert_eq!(refused.code, "reason_needed");
    let plain = county.world.run(room, month(true, Some("年终归档")));
    assert_eq!(plain["rows"][0][at("证件号码")], ZHANG);
    let trail = trail(&mut county, room);
    let exports: Vec<&str> = trail
        .iter()
        .filter(|(act, _)| act == "export")
        .map(|(_, why)| why.as_str())
        .collect();
    assert_eq!(exports, ["台账 2026-09：年终归档", "台账 2026-09：脱敏导出"]);
    // Behind the lock nothing goes out in the clear.
    set(&mut county, room);
    county.world.run(room, Command::Lock);
    let locked = county.world.command(room, month(true, Some("年终归档"))).unwrap_err();
    assert_eq!(locked.code, "locked");
    unlock(&mut county, room, WORDS).unwrap();
    county.world.run(room, month(true, Some("年终归档")));
}

#[test]
fn a_preview_tells_good_rows_from_bad_ones_and_records_nothing() {
    let mut county = County::new(92, 1, 1);
    let (room, code) = (county.rooms[0], county.room_codes[0].clone());
    let row = |cert_no: &str, matter: &str| {
        format!("2026-10-08 08:40,{code},{matter},张三,{cert_no},13800138000,高河村,收件,,,\n")
    };
    let head = ledger::daybook::COLUMNS.join(",");
    let book = format!(
        "{head}\n{}{}{}{}",
        row(ZHANG, "B23"),
        row(ZHANG, "B23"),
        row("110105194912310021", "B23"),
        row("110101199003070038", "Z99"),
    );
    let import = |preview: bool| {
        Command::CaseImport(CaseImport {
            data: book.clone().into_bytes(),
            preview,
            ..CaseImport::default()
        })
    };
    let before = county.books(room);
    let seen = county.world.run(room, import(true));
    let told = |v: &Value| {
        let lines = v["rejected"].as_array().unwrap().iter();
        json!([
            v["imported"],
            v["unchanged"],
            lines.map(|r| r["line"].clone()).collect::<Vec<_>>()
        ])
    };
    assert_eq!(told(&seen), json!([1, 1, [4, 5]]));
    assert_eq!(
        (&seen["sample"][0]["name"], seen["sample"].as_array().unwrap().len()),
        (&json!("张*"), 1)
    );
    assert!(!seen.to_string().contains(ZHANG), "{seen}");
    assert_eq!(
        (county.books(room), county.cases(room).len()),
        (before, 0),
        "nothing is recorded"
    );
    // What the preview says is what comes of it.
    assert_eq!(told(&county.world.run(room, import(false))), told(&seen));
    assert_eq!(county.cases(room).len(), 1);
    assert_eq!(told(&county.world.run(room, import(true))), json!([0, 2, [4, 5]]));
}

#[test]
fn a_whole_month_of_persons_is_handed_out_by_the_head_alone_and_papers_by_nobody_who_has_left() {
    let mut county = County::new(93, 1, 1);
    let room = county.rooms[0];
    receive(&mut county, "2026-09-01", true);
    let code = county.room_codes[0].clone();
    let mut named = |name: &str, role: &str| {
        let add = UserAdd {
            unit: code.clone(),
            name: name.to_owned(),
            role: role.to_owned(),
        };
        let town = county.townships[0];
        let made = county.world.run(town, Command::UserAdd(add));
        county.world.pass(5_000);
        UserId::parse(made["id"].as_str().unwrap()).unwrap()
    };
    let people = [
        ("李芳", "clerk"),
        ("王强", "head"),
        ("周审", "auditor"),
        ("钱操", "operator"),
        ("孙管", "admin"),
    ];
    let ids: Vec<UserId> = people.iter().map(|(name, role)| named(name, role)).collect();
    let gone = named("陈静", "head");
    let stop = UserRef {
        who: "陈静".to_owned()
    };
    county.world.run(county.townships[0], Command::UserStop(stop));
    county.world.pass(5_000);
    let number = county.cases(room)[0]["project_no"].as_str().unwrap().to_owned();
    let mut told = Vec::new();
    for (user, (_, role)) in ids.iter().chain([&gone]).zip(people.iter().chain([&("陈静", "gone")])) {
        let month = |plain: bool| {
            Command::Monthly(Monthly {
                month: "2026-09".to_owned(),
                plain,
                reason: Some("年终归档".to_owned()),
                user: Some(*user),
            })
        };
        let print = Command::CasePrint(CasePrint {
            number: number.clone(),
            paper: Paper::Receipt,
            pressed: false,
            user: Some(*user),
        });
        let whole = county
            .world
            .command(room, month(true))
            .map(|v| v.to_string().contains(ZHANG));
        let masked = county.world.command(room, month(false)).map(|v| v["masked"] == true);
        let paper = county.world.command(room, print).map(|v| v["name"] == "张三");
        told.push((*role, [whole, masked, paper].map(|r| r.unwrap_or(false))));
    }
    let expected = [
        ("clerk", [false, true, true]),
        ("head", [true, true, true]),
        ("auditor", [false, false, false]),
        ("operator", [false, true, true]),
        ("admin", [true, true, true]),
        ("gone", [false, false, false]),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_paper_is_counted_when_it_goes_to_the_printer_and_not_when_it_is_looked_at() {
    let mut county = County::new(94, 1, 1);
    let room = county.rooms[0];
    receive(&mut county, "2026-10-08", false);
    let number = county.cases(room)[0]["project_no"].as_str().unwrap().to_owned();
    let mut nth = |paper: Paper, pressed: bool| {
        let print = CasePrint {
            number: number.clone(),
            paper,
            pressed,
            user: None,
        };
        county.world.run(room, Command::CasePrint(print))["nth"].clone()
    };
    let receipt = Paper::Receipt;
    let seen = [false, false, true, false, true, true].map(|pressed| nth(receipt, pressed));
    assert_eq!(json!(seen), json!([1, 1, 1, 2, 2, 3]));
    assert_eq!(nth(Paper::Authority, true), 1);
    let trail = trail(&mut county, room);
    let times = |act: &str| trail.iter().filter(|(a, _)| a == act).count();
    // Who looked is on the record all the same: the name stands there in the clear.
    assert_eq!((times("print"), times("reveal")), (4, 3), "{trail:?}");
}

#[test]
fn told_again_the_paper_says_that_it_is_the_second_time_and_what_is_missing_now() {
    let mut county = County::new(95, 1, 1);
    let room = county.rooms[0];
    receive(&mut county, "2026-10-08", false);
    let number = county.cases(room)[0]["project_no"].as_str().unwrap().to_owned();
    let mut act = |event: &str, items: &[&str]| {
        let act = CaseDo {
            number: number.clone(),
            event: event.to_owned(),
            items: items.iter().map(|i| (*i).to_owned()).collect(),
            ..CaseDo::default()
        };
        county.world.run(room, Command::CaseDo(act));
        let print = CasePrint {
            number: number.clone(),
            paper: Paper::Notice,
            pressed: false,
            user: None,
        };
        let paper = county.world.run(room, Command::CasePrint(print));
        json!([paper["asked"], paper["asked_times"]])
    };
    assert_eq!(act("ask", &["公章", "身份证"]), json!([["公章", "身份证"], 1]));
    act("supply", &["公章", "身份证"]);
    assert_eq!(act("ask", &["户口簿"]), json!([["户口簿"], 2]));
}
