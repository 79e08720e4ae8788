//! Errands (代办) in a whole county, and forms that are sent twice.

use ledger::id::UserId;
use serde_json::{Value, json};

use super::county::County;
use crate::command::{
    CaseDo, CaseEdit, CaseErase, CaseFind, CaseNew, CaseShow, CaseTick, Command, DraftKeep, DraftKind, DraftOf,
    ErrandList, ErrandNew, Evaluate, SentOf,
};
use crate::rig::Seat;

const ZHANG: &str = "11010519491231002X";

fn new(matter: &str) -> CaseNew {
    CaseNew {
        matter: matter.to_owned(),
        name: "张三".to_owned(),
        cert_no: ZHANG.to_owned(),
        mobile: Some("13800138000".to_owned()),
        ..CaseNew::default()
    }
}

fn receive(county: &mut County, at: Seat, matter: &str) -> String {
    let made = county.world.run(at, Command::CaseNew(new(matter)));
    made["project_no"].as_str().unwrap().to_owned()
}

fn entrust(county: &mut County, at: Seat, case: &str) -> String {
    let errand = ErrandNew {
        case: Some(case.to_owned()),
        task: "代跑乡镇窗口".to_owned(),
        ..ErrandNew::default()
    };
    let made = county.world.run(at, Command::ErrandNew(errand));
    made["project_no"].as_str().unwrap().to_owned()
}

fn act(number: &str, event: &str, note: &str) -> Command {
    Command::CaseDo(CaseDo {
        number: number.to_owned(),
        event: event.to_owned(),
        note: Some(note.to_owned()).filter(|n| !n.is_empty()),
        ..CaseDo::default()
    })
}

fn show(county: &mut County, at: Seat, number: &str) -> Value {
    let show = CaseShow {
        number: number.to_owned(),
        ..CaseShow::default()
    };
    county.world.run(at, Command::CaseShow(show))
}

#[test]
fn an_errand_is_seen_with_its_case_held_by_whoever_claims_it_and_counted_as_no_case() {
    let mut county = County::new(61, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    let case = receive(&mut county, room, "B20");
    let errand = entrust(&mut county, room, &case);
    assert_eq!(county.cases(room).len(), 1, "an errand is no case");
    let counts = county.world.run(room, Command::Today)["counts"].clone();
    assert_eq!((&counts["total"], &counts["errands"]), (&json!(1), &json!(1)));
    let page = show(&mut county, room, &case);
    assert_eq!(page["errands"][0]["project_no"], json!(errand));
    let own = show(&mut county, room, &errand);
    assert_eq!(
        (&own["case_no"], &own["name"], &own["state"]),
        (&json!(case), &json!("张*"), &json!("entrusted"))
    );
    county.world.run(room, act(&errand, "claim", ""));
    county.world.run(room, act(&errand, "progress", "材料已核对"));
    let codes: Vec<Value> = show(&mut county, room, &errand)["holders"].as_array().unwrap().clone();
    assert_eq!(codes.len(), 3, "the room, its township and the county: {codes:?}");
    let to = codes[1]["code"].as_str().unwrap().to_owned();
    let over = CaseDo {
        number: errand.clone(),
        event: "hand_over".to_owned(),
        to: Some(to),
        note: Some("送到窗口".to_owned()),
        ..CaseDo::default()
    };
    county.world.run(room, Command::CaseDo(over));
    county.world.pass(5_000);
    let there = show(&mut county, town, &errand);
    assert_eq!(
        (&there["custody_name"], &there["name"]),
        (&codes[1]["name"], &json!("张*"))
    );
    county.world.run(town, act(&errand, "return", "证已办好"));
    county.world.pass(5_000);
    let list = county.world.run(room, Command::ErrandList(ErrandList::default()));
    assert_eq!(list["counts"], json!({"open": 0, "ended": 1}));
    assert_eq!(county.world.run(room, Command::Today)["counts"]["errands"], 0);
    let above = county.world.run(town, Command::ErrandList(ErrandList::default()));
    assert_eq!(
        above["errands"][0]["project_no"],
        json!(errand),
        "the township sees its rooms' errands"
    );
    assert_eq!(list["errands"][0]["state"], "returned");
    // What the index says follows from the journal.
    assert_eq!(county.world.run(room, Command::Verify)["clean"], true);
    county.world.run(room, Command::Reindex);
    assert_eq!(
        show(&mut county, room, &case)["errands"][0]["project_no"],
        json!(errand)
    );
    assert_eq!(county.cases(town).len(), 1);
}

#[test]
fn a_township_opens_an_errand_of_a_rooms_case_and_the_rooms_people_run_it() {
    let mut county = County::new(62, 1, 2);
    let (hub, town) = (county.hub, county.townships[0]);
    let (room, other) = (county.rooms[0], county.rooms[1]);
    let case = receive(&mut county, room, "B20");
    county.world.pass(5_000);
    let errand = entrust(&mut county, town, &case);
    county.world.pass(5_000);
    // It stands in the room's book: the room reads whose it is and claims it, and a neighbour has never heard of it.
    let there = show(&mut county, room, &errand);
    assert_eq!(
        (&there["case_no"], &there["name"], &there["state"]),
        (&json!(case), &json!("张*"), &json!("entrusted"))
    );
    county.world.run(room, act(&errand, "claim", ""));
    county.world.run(room, act(&errand, "progress", "已去镇上"));
    county.world.pass(5_000);
    for seat in [hub, town, room] {
        let page = show(&mut county, seat, &errand);
        assert_eq!(
            (&page["state"], &page["events"][0]["event"]),
            (&json!("underway"), &json!("entrust")),
            "{page:#}"
        );
        assert_eq!(
            show(&mut county, seat, &case)["errands"][0]["project_no"],
            json!(errand)
        );
        assert_eq!(county.cases(seat).len(), 1, "an errand is no case");
    }
    let of_neighbour = ErrandNew {
        case: Some(case.clone()),
        task: "代跑".to_owned(),
        ..ErrandNew::default()
    };
    let told = county.world.command(other, Command::ErrandNew(of_neighbour));
    assert_eq!(told.unwrap_err().code, "unknown_number");
    assert_eq!(county.world.run(room, Command::Verify)["clean"], true);
    county.assert_in_step();
}

#[test]
fn two_claims_while_the_line_is_cut_come_to_one_who_leads_and_one_who_helps() {
    let mut county = County::new(62, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    let case = receive(&mut county, room, "B20");
    let errand = entrust(&mut county, room, &case);
    county.world.pass(5_000);
    county.world.cut(county.room_lines[0]);
    county.world.run(room, act(&errand, "claim", ""));
    county.world.run(room, act(&errand, "progress", "已去过一趟"));
    county.world.run(town, act(&errand, "claim", ""));
    county.world.heal(county.room_lines[0]);
    county.world.pass(60_000);
    for at in [room, town] {
        let page = show(&mut county, at, &errand);
        // The township's claim comes first in the fold.
        let name = |at: usize| page["holders"][at]["name"].clone();
        assert_eq!(page["errand"]["agent"]["unit_name"], name(1));
        assert_eq!(page["errand"]["helpers"][0]["unit_name"], name(0));
        let flags: Vec<&Value> = page["events"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|e| e["flags"].as_array().unwrap())
            .collect();
        assert_eq!(flags, ["协办"]);
        assert_eq!(
            (&page["state"], page["conflicts"].as_array().unwrap().len()),
            (&json!("underway"), 0)
        );
    }
}

#[test]
fn a_villagers_concern_opens_an_errand_in_the_same_stroke() {
    let mut county = County::new(63, 1, 1);
    let room = county.rooms[0];
    let concern = CaseNew {
        errand: true,
        note: Some("门前水渠垮塌".to_owned()),
        ..new("C02")
    };
    let made = county.world.run(room, Command::CaseNew(concern));
    let (case, errand) = (
        made["project_no"].as_str().unwrap(),
        made["errand_no"].as_str().unwrap(),
    );
    let page = show(&mut county, room, errand);
    assert_eq!((&page["case_no"], &page["state"]), (&json!(case), &json!("claimed")));
    assert_eq!(show(&mut county, room, case)["errands"][0]["task"], "门前水渠垮塌");
    // Alone: who asks is typed, and without a number at hand.
    let alone = ErrandNew {
        matter: "c12".to_owned(),
        name: "李婆婆".to_owned(),
        task: "代缴电费".to_owned(),
        claim: true,
        ..ErrandNew::default()
    };
    let made = county.world.run(room, Command::ErrandNew(alone.clone()));
    assert_eq!(made["state"], "claimed");
    let refused = |county: &mut County, errand: ErrandNew| {
        county.world.command(room, Command::ErrandNew(errand)).unwrap_err().code
    };
    assert_eq!(
        refused(
            &mut county,
            ErrandNew {
                task: " ".to_owned(),
                ..alone.clone()
            }
        ),
        "bad_input"
    );
    assert_eq!(
        refused(
            &mut county,
            ErrandNew {
                name: String::new(),
                ..alone.clone()
            }
        ),
        "bad_input"
    );
    let of_errand = ErrandNew {
        case: Some(errand.to_owned()),
        ..alone.clone()
    };
    assert_eq!(refused(&mut county, of_errand), "errand");
    // An erased person is asked for nothing more.
    let erase = CaseErase {
        number: case.to_owned(),
        reason: "到期".to_owned(),
    };
    county.world.run(room, Command::CaseErase(erase));
    let erased = ErrandNew {
        case: Some(case.to_owned()),
        ..alone
    };
    assert_eq!(refused(&mut county, erased), "erased");
}

#[test]
fn a_form_sent_again_after_the_plug_was_pulled_is_the_same_case() {
    let mut county = County::new(64, 1, 1);
    let (room, user) = (county.rooms[0], UserId([3; 8]));
    let sent = |once: &str| CaseNew {
        user: Some(user),
        once: Some(once.to_owned()),
        ..new("B20")
    };
    let of = |once: &str| {
        Command::Sent(SentOf {
            user,
            once: once.to_owned(),
        })
    };
    let draft = DraftKeep {
        user,
        kind: DraftKind::NewCase,
        text: "{}".to_owned(),
    };
    county.world.run(room, Command::DraftKeep(draft));
    assert_eq!(county.world.run(room, of("a"))["project_no"], Value::Null);
    let first = county.world.run(room, Command::CaseNew(sent("a")));
    // Kept, and the plug is pulled before the draft is let go of.
    county.world.kill(room);
    county.world.start(room);
    assert_eq!(
        county.world.run(room, Command::DraftShow(DraftOf::new_case(user)))["text"],
        "{}"
    );
    assert_eq!(county.world.run(room, of("a"))["project_no"], first["project_no"]);
    let again = county.world.run(room, Command::CaseNew(sent("a")));
    assert_eq!(
        (&again["project_no"], &again["again"]),
        (&first["project_no"], &json!(true))
    );
    for more in ["b", "c", "d"] {
        county.world.run(room, Command::CaseNew(sent(more)));
    }
    county.world.run(room, Command::CaseNew(sent("a")));
    assert_eq!(county.cases(room).len(), 4);
    // Somebody else's form is another one.
    let other = CaseNew {
        user: Some(UserId([4; 8])),
        ..sent("a")
    };
    county.world.run(room, Command::CaseNew(other));
    assert_eq!(county.cases(room).len(), 5);
}

#[test]
fn only_the_applicant_evaluates() {
    let mut county = County::new(66, 1, 1);
    let room = county.rooms[0];
    let spot = CaseNew {
        close: Some("6".to_owned()),
        ..new("A06")
    };
    let made = county.world.run(room, Command::CaseNew(spot));
    let case = made["project_no"].as_str().unwrap().to_owned();
    assert_eq!(show(&mut county, room, &case)["evaluable"], true);
    // No event of anybody's, be it a clerk's or the command line's, which has no name.
    for user in [Some(UserId([3; 8])), None, Some(UserId::ZERO)] {
        let says = CaseDo {
            number: case.clone(),
            event: "evaluate".to_owned(),
            user,
            ..CaseDo::default()
        };
        let refused = county.world.command(room, Command::CaseDo(says)).unwrap_err();
        assert_eq!(refused.code, "not_yours", "{user:?}");
    }
    let press = |rating: u8, press: &str| {
        Command::Evaluate(Evaluate {
            number: case.clone(),
            rating,
            press: press.to_owned(),
        })
    };
    // A face that is none is no evaluation, and the press may be made again.
    assert!(county.world.command(room, press(6, "a")).is_err());
    // One press is one evaluation, however often it has to be sent.
    county.world.run(room, press(2, "a"));
    county.world.run(room, press(2, "a"));
    county.world.run(room, press(5, "a"));
    let shown = show(&mut county, room, &case);
    let times = shown["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["event"] == "evaluate")
        .count();
    assert_eq!(times, 1, "{shown}");
    assert_eq!(
        (&shown["evaluation"]["rating"], &shown["evaluation"]["channel"]),
        (&json!(2), &json!("citizen"))
    );
}

#[test]
fn materials_that_come_later_are_ticked_and_fields_not_filled_in_can_be() {
    let mut county = County::new(65, 1, 1);
    let room = county.rooms[0];
    let case = receive(&mut county, room, "B20");
    let page = show(&mut county, room, &case);
    let names: Vec<&str> = page["editable"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["name", "mobile", "address", "cert_reason", "remark"],
        "the number is reviewed, never just typed over"
    );
    let edit = CaseEdit {
        number: case.clone(),
        field: "address".to_owned(),
        value: "高河村3组".to_owned(),
        reason: None,
        user: None,
        cover: None,
    };
    county.world.run(room, Command::CaseEdit(edit));
    let item = page["items"][0]["name"].as_str().unwrap().to_owned();
    let tick = |items: Vec<String>| {
        Command::CaseTick(CaseTick {
            number: case.clone(),
            items,
            user: None,
            cover: None,
        })
    };
    county.world.run(room, tick(vec![item.clone()]));
    let page = show(&mut county, room, &case);
    let received: Vec<bool> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["received"].as_bool().unwrap())
        .collect();
    assert_eq!(received.iter().filter(|r| **r).count(), 1);
    assert_eq!(
        county.world.command(room, tick(vec![item])).unwrap_err().code,
        "nothing"
    );
    assert!(
        page["fields"]
            .as_array()
            .unwrap()
            .iter()
            .any(|f| f["name"] == "address")
    );
    assert_eq!(page["correctable"], json!([page["events"][0]["id"]]));
}

#[test]
fn no_errand_falls_off_the_list_and_each_is_found_by_number_name_and_state() {
    let mut county = County::new(77, 1, 1);
    let room = county.rooms[0];
    let mut all = Vec::new();
    for n in 0..203 {
        let errand = ErrandNew {
            matter: "C01".to_owned(),
            name: if n == 0 { "欧阳娜娜" } else { "张三" }.to_owned(),
            task: "代领老年卡".to_owned(),
            claim: n == 0,
            ..ErrandNew::default()
        };
        let made = county.world.run(room, Command::ErrandNew(errand));
        all.push(made["project_no"].as_str().unwrap().to_owned());
    }
    county.world.run(room, act(&all[7], "withdraw", "不用了"));
    let mut seen = Vec::new();
    for (page, lines, left) in [(0, 200, 3), (1, 3, 0), (2, 0, 0)] {
        let list = county
            .world
            .run(room, Command::ErrandList(ErrandList { page, unit: None }));
        assert_eq!(list["counts"], json!({"open": 202, "ended": 1}), "exact on every page");
        assert_eq!(
            (&list["left"], list["errands"].as_array().unwrap().len()),
            (&json!(left), lines)
        );
        seen.extend(
            list["errands"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| e["project_no"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(seen.last(), Some(&all[7]), "what is over comes last");
    seen.sort();
    assert_eq!(seen, all);
    // The one box of 查找 knows errands too, and says which they are.
    let case = receive(&mut county, room, "B20");
    let find = |county: &mut County, text: &str, state: &str| {
        let find = CaseFind {
            text: text.to_owned(),
            state: Some(state.to_owned()),
            ..CaseFind::default()
        };
        let found = county.world.run(room, Command::CaseFind(find));
        let lines = found["cases"].as_array().unwrap().clone();
        (found["found"].as_u64().unwrap(), lines)
    };
    for (text, state, number, errand) in [
        ("欧阳", "", &all[0], true),
        ("", "claimed", &all[0], true),
        (all[9].as_str(), "", &all[9], true),
        ("张三", "withdrawn", &all[7], true),
        ("", "received", &case, false),
    ] {
        let (found, lines) = find(&mut county, text, state);
        assert_eq!((found, lines.len()), (1, 1), "{text} {state}");
        assert_eq!(
            (&lines[0]["project_no"], &lines[0]["is_errand"]),
            (&json!(number), &json!(errand)),
            "{text} {state}"
        );
    }
    assert_eq!(
        find(&mut county, "老年卡", "").0,
        0,
        "what is free text is nobody's name"
    );
}
