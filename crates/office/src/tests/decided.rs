//! Conflicts that a township decides and takes back, kind by kind (duplicates are told in `work`, double closings in `views::tests`), and bad
//! evaluations that a head finds malicious.

use ledger::id::UserId;
use serde_json::{Value, json};

use super::county::County;
use super::work::{INSURE, LAND, act, receive, refused, show, step, work};
use crate::command::{
    CaseDo, CaseEdit, Command, ConflictQueue, ConflictResolve, Cover, Evaluate, FollowUpList, Malicious, Report,
    ReportOf, UserAdd, Work,
};
use crate::rig::Seat;

fn open(county: &mut County, at: Seat) -> Vec<Value> {
    let queue = work(county, at, Work::Conflicts(ConflictQueue::default()));
    queue["items"].as_array().unwrap().clone()
}

fn decide(county: &mut County, at: Seat, item: &Value, choose: &str) -> Value {
    let resolve = ConflictResolve {
        id: item["id"].as_str().unwrap().to_owned(),
        choose: choose.to_owned(),
        note: Some("核对过".to_owned()),
        cover: Some(Cover {
            of: "王主任".to_owned(),
            reason: "开会".to_owned(),
        }),
        ..ConflictResolve::default()
    };
    county.world.run(at, Command::ConflictResolve(resolve))
}

/// Decided one way, taken back, decided the other way; the room hears each.
fn both_ways(county: &mut County, number: &str, kind: &str) {
    let (town, room) = (county.townships[0], county.rooms[0]);
    let item = open(county, town).remove(0);
    assert_eq!(item["kind"], kind, "{item:#}");
    let choices: Vec<String> = item["choices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["choice"].as_str().unwrap().to_owned())
        .collect();
    assert!(choices.len() >= 2, "{item:#}");
    for choice in &choices {
        assert_eq!(decide(county, town, &item, choice)["state"], "resolved");
        assert!(open(county, town).is_empty());
        county.world.pass(5_000);
        let told = show(county, room, number);
        assert_eq!(told["conflicts"][0]["resolved"]["choice"], json!(choice), "{told:#}");
        assert!(
            told["events"].to_string().contains("王主任"),
            "who decided stood in for somebody"
        );
        assert_eq!(decide(county, town, &item, "undo")["state"], "open");
        assert_eq!(open(county, town).len(), 1, "{choice} taken back");
    }
    county.world.pass(5_000);
    county.assert_in_step();
}

#[test]
fn two_values_of_a_field_are_decided_taken_back_and_decided_again() {
    let mut county = County::new(330, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    let number = receive(&mut county, room, LAND, 1, None);
    county.world.pass(5_000);
    let line = county.room_lines[0];
    county.world.cut(line);
    for (seat, value) in [(room, "13700137000"), (town, "13600136111")] {
        let edit = CaseEdit {
            number: number.clone(),
            field: "mobile".to_owned(),
            value: value.to_owned(),
            ..CaseEdit::default()
        };
        county.world.run(seat, Command::CaseEdit(edit));
    }
    county.world.heal(line);
    county.world.pass(10_000);
    both_ways(&mut county, &number, "field");
}

#[test]
fn two_steps_taken_apart_of_which_one_counts_are_decided_taken_back_and_decided_again() {
    let mut county = County::new(331, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    let number = receive(&mut county, room, LAND, 1, None);
    county.world.pass(5_000);
    let line = county.room_lines[0];
    county.world.cut(line);
    act(&mut county, room, &number, "withdraw");
    let refuse = CaseDo {
        reason: Some("与规划不符".to_owned()),
        ..step(&number, "refuse")
    };
    county.world.run(town, Command::CaseDo(refuse));
    county.world.heal(line);
    county.world.pass(10_000);
    both_ways(&mut county, &number, "void_event");
}

fn figure(county: &mut County, at: Seat, key: &str) -> Value {
    let of = ReportOf {
        period: Some("2026".to_owned()),
        ..ReportOf::default()
    };
    let report = county.world.run(at, Command::Report(Report::Show(of)));
    let figures = report["figures"].as_array().unwrap();
    figures.iter().find(|f| f["key"] == key).unwrap().clone()
}

/// Two cases closed at the room, the first praised and the second not.
fn two_rated(county: &mut County, room: Seat) -> Vec<String> {
    let mut numbers = Vec::new();
    for (person, rating) in [(1, 1), (2, 5)] {
        let number = receive(county, room, INSURE, person, None);
        act(county, room, &number, "accept");
        let close = CaseDo {
            result: Some("6".to_owned()),
            ..step(&number, "close")
        };
        county.world.run(room, Command::CaseDo(close));
        let rate = Evaluate {
            number: number.clone(),
            rating,
            press: "a".to_owned(),
        };
        county.world.run(room, Command::Evaluate(rate));
        numbers.push(number);
    }
    county.world.pass(5_000);
    numbers
}

/// A clerk and a head of the township.
fn two_people(county: &mut County, town: Seat) -> [UserId; 2] {
    [("王五", "clerk"), ("赵六", "head")].map(|(name, role)| {
        let add = UserAdd {
            unit: "511603104".to_owned(),
            name: name.to_owned(),
            role: role.to_owned(),
        };
        let made = county.world.run(town, Command::UserAdd(add));
        UserId::parse(made["id"].as_str().unwrap()).unwrap()
    })
}

/// 满意度 and 评价率.
fn satisfied_and_rated(county: &mut County, at: Seat) -> (Value, Value) {
    let mut value = |key| figure(county, at, key)["value"].clone();
    (value("satisfied"), value("rated"))
}

fn follow_ups(county: &mut County, at: Seat, closed: bool) -> Value {
    let args = FollowUpList {
        closed,
        ..FollowUpList::default()
    };
    work(county, at, Work::FollowUps(args))
}

#[test]
fn a_malicious_evaluation_is_left_out_of_satisfaction_by_a_head_and_counted_again_when_that_is_taken_back() {
    let mut county = County::new(332, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    let numbers = two_rated(&mut county, room);
    let bad = numbers[1].clone();
    let made = two_people(&mut county, town);
    let mark = |number: &str, reason: &str, undo: bool, at: usize| {
        Work::Malicious(Malicious {
            number: number.to_owned(),
            reason: reason.to_owned(),
            undo,
            user: Some(made[at]),
            cover: None,
        })
    };
    let before = satisfied_and_rated(&mut county, town);
    for (asked, code) in [
        (mark(&bad, "与经办人有私怨", false, 0), "not_entitled"),
        (mark(&bad, " ", false, 1), "reason_needed"),
        (mark(&numbers[0], "好评", false, 1), "no_bad_review"),
        (mark(&bad, "撤回", true, 1), "marked_already"),
    ] {
        assert_eq!(refused(&mut county, town, asked).code, code);
    }
    assert_eq!(
        refused(&mut county, room, mark(&bad, "乱评", false, 1)).code,
        "not_a_hub"
    );
    work(&mut county, town, mark(&bad, "与经办人有私怨，已核实", false, 1));
    assert_eq!(follow_ups(&mut county, town, false)["total"], 0, "it wants no answer");
    let marked = follow_ups(&mut county, town, true)["cases"][0]["follow"]["malicious"].clone();
    assert_eq!(
        (&marked["reason"], &marked["by"]),
        (&json!("与经办人有私怨，已核实"), &json!("赵六"))
    );
    let after = satisfied_and_rated(&mut county, town);
    assert_ne!(before, after);
    county.world.pass(5_000);
    let told = show(&mut county, room, &bad);
    assert_eq!(
        (&told["malicious"], &told["evaluation"]["rating"]),
        (&json!(true), &json!(5)),
        "it stays"
    );

    work(&mut county, town, mark(&bad, "证据不足", true, 1));
    assert_eq!(satisfied_and_rated(&mut county, town), before, "taken back, it counts");
    assert_eq!(follow_ups(&mut county, town, false)["total"], 1);
    // A new word of the applicant's is judged anew.
    work(&mut county, town, mark(&bad, "与经办人有私怨，已核实", false, 1));
    county.world.pass(5_000);
    let again = Evaluate {
        number: bad.clone(),
        rating: 4,
        press: "b".to_owned(),
    };
    county.world.run(room, Command::Evaluate(again));
    county.world.pass(5_000);
    assert_eq!(
        (
            satisfied_and_rated(&mut county, town).0,
            follow_ups(&mut county, town, false)["total"].clone()
        ),
        (before.0, json!(1))
    );
    county.assert_in_step();
}
