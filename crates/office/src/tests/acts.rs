//! What a named person does at a hub stands in the trail, and who may name whom.

use ledger::id::UserId;
use serde_json::Value;

use super::county::{County, TOWNSHIPS, cert_no};
use super::work::{LAND, receive};
use crate::command::{
    AuditList, By, CaseDo, CaseDoMany, CaseEdit, CaseNew, Command, CommandError, ConflictQueue, ConflictResolve,
    ErrandNew, QuarantineRetry, Report, ReportFreeze, UserAdd, UserRef, Work,
};
use crate::rig::Seat;

const ROLES: [&str; 5] = ["clerk", "head", "operator", "admin", "auditor"];

fn add(unit: &str, name: &str, role: &str) -> Command {
    Command::UserAdd(UserAdd {
        unit: unit.to_owned(),
        name: name.to_owned(),
        role: role.to_owned(),
    })
}

/// Named by the command line of a hub.
fn somebody(county: &mut County, at: Seat, unit: &str, name: &str, role: &str) -> UserId {
    let made = county.world.run(at, add(unit, name, role));
    UserId::parse(made["id"].as_str().unwrap()).unwrap()
}

fn by(county: &mut County, at: Seat, user: UserId, asks: Command) -> Result<Value, CommandError> {
    let asks = Box::new(asks);
    county.world.command(at, Command::By(By { user, asks }))
}

/// Act, case and what it was about, of rows by this person, oldest first.
fn rows(county: &mut County, at: Seat, user: UserId) -> Vec<(String, String, String)> {
    let list = county.world.run(at, Command::AuditList(AuditList::default()));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = list.as_array().unwrap().iter().rev();
    let rows = rows.filter(|row| row["user"] == user.to_string());
    rows.map(|row| (text(&row["act"]), text(&row["project_no"]), text(&row["about_label"])))
        .collect()
}

#[test]
fn every_step_of_a_named_person_is_one_row_with_its_case_and_a_refused_one_is_none() {
    let mut county = County::new(91, 1, 1);
    let (room, town) = (county.rooms[0], county.townships[0]);
    let numbers: Vec<String> = (1..=3).map(|n| county.new_case(room, n)).collect();
    county.world.pass(5_000);
    let head = somebody(&mut county, town, TOWNSHIPS[0], "王主任", "head");
    let step = |number: &str, event: &str| {
        Command::CaseDo(CaseDo {
            number: number.to_owned(),
            event: event.to_owned(),
            ..CaseDo::default()
        })
    };
    by(&mut county, town, head, step(&numbers[0], "accept")).unwrap();
    by(&mut county, town, head, step(&numbers[0], "accept")).unwrap_err();
    let edit = Command::CaseEdit(CaseEdit {
        number: numbers[0].clone(),
        field: "mobile".to_owned(),
        value: "13800138001".to_owned(),
        ..CaseEdit::default()
    });
    by(&mut county, town, head, edit).unwrap();
    let many = Command::Work(Work::CaseDoMany(CaseDoMany {
        numbers: numbers.clone(),
        event: "accept".to_owned(),
        ..CaseDoMany::default()
    }));
    by(&mut county, town, head, many).unwrap();
    // Nothing to heal, and asked for all the same.
    let retry = Command::Work(Work::QuarantineRetry(QuarantineRetry::default()));
    by(&mut county, town, head, retry).unwrap();
    let freeze = Command::Report(Report::Freeze(ReportFreeze {
        period: "2026-09".to_owned(),
        ..ReportFreeze::default()
    }));
    by(&mut county, town, head, freeze).unwrap();
    let row = |act: &str, number: &str, about: &str| (act.to_owned(), number.to_owned(), about.to_owned());
    assert_eq!(
        rows(&mut county, town, head),
        [
            row("case_step", &numbers[0], "受理"),
            row("case_edit", &numbers[0], "手机"),
            row("case_step", &numbers[1], "受理"),
            row("case_step", &numbers[2], "受理"),
            row("retry", "", ""),
            row("freeze", "", "2026-09"),
        ]
    );
    // No row holds what was typed.
    let list = county
        .world
        .run(town, Command::AuditList(AuditList::default()))
        .to_string();
    assert!(!list.contains("13800138001"), "{list}");
    // Steps of the machine itself are no person's.
    county.world.run(town, step(&numbers[1], "process"));
    assert_eq!(rows(&mut county, town, head).len(), 6);
}

#[test]
fn a_new_case_and_a_decision_name_their_cases_although_nobody_typed_a_number() {
    let mut county = County::new(94, 1, 2);
    let (room, town) = (county.rooms[0], county.townships[0]);
    let unit = county.room_codes[0].clone();
    let clerk = somebody(&mut county, town, &unit, "李芳", "clerk");
    let head = somebody(&mut county, town, TOWNSHIPS[0], "王主任", "head");
    county.world.pass(5_000);
    let new = || {
        Command::CaseNew(CaseNew {
            matter: LAND.to_owned(),
            name: "张三".to_owned(),
            cert_no: cert_no(7),
            user: Some(clerk),
            once: Some("a1".to_owned()),
            ..CaseNew::default()
        })
    };
    let first = by(&mut county, room, clerk, new()).unwrap()["project_no"].clone();
    // The button was pressed twice.
    by(&mut county, room, clerk, new()).unwrap();
    let errand = Command::ErrandNew(ErrandNew {
        matter: LAND.to_owned(),
        name: "李四".to_owned(),
        cert_no: cert_no(8),
        task: "取证".to_owned(),
        ..ErrandNew::default()
    });
    let errand = by(&mut county, room, clerk, errand).unwrap()["project_no"].clone();
    let (first, errand) = (first.as_str().unwrap(), errand.as_str().unwrap());
    let row = |act: &str, number: &str, about: &str| (act.to_owned(), number.to_owned(), about.to_owned());
    assert_eq!(
        rows(&mut county, room, clerk),
        [
            row("case_new", first, ""),
            row("case_new", first, ""),
            row("errand_new", errand, "")
        ]
    );

    let other = county.rooms[1];
    let second = receive(&mut county, other, LAND, 7, None);
    county.world.pass(5_000);
    let queue = county
        .world
        .run(town, Command::Work(Work::Conflicts(ConflictQueue::default())));
    let item = &queue["items"][0];
    let id = item["id"].as_str().unwrap();
    let resolve = Command::ConflictResolve(ConflictResolve {
        id: id.to_owned(),
        choose: item["choices"][0]["choice"].as_str().unwrap().to_owned(),
        ..ConflictResolve::default()
    });
    by(&mut county, town, head, resolve).unwrap();
    let told = rows(&mut county, town, head);
    let [(act, number, about)] = &told[..] else {
        panic!("{told:?}")
    };
    let both = [first, second.as_str()];
    let others: Vec<&str> = both.into_iter().filter(|no| no != number).collect();
    assert_eq!((act.as_str(), others.len()), ("decide", 1), "{told:?}");
    assert_eq!(
        *about,
        format!("{} {}", &id[..8], others[0]),
        "the other one of the two"
    );
}

#[test]
fn each_role_names_gives_codes_to_and_stops_only_those_below_it() {
    let mut county = County::new(92, 2, 1);
    let town = county.townships[0];
    let unit = TOWNSHIPS[0];
    let people: Vec<UserId> = ROLES
        .iter()
        .map(|role| somebody(&mut county, town, unit, &format!("人{role}"), role))
        .collect();
    for (role, user) in ROLES.iter().zip(&people) {
        let may: &[&str] = match *role {
            "admin" => &ROLES,
            "head" => &["clerk", "head"],
            _ => &[],
        };
        let told = |done: Result<Value, CommandError>| done.err().map(|e| e.code);
        for other in ROLES {
            let expected = (!may.contains(&other)).then_some("not_yours_to_name");
            let name = format!("{role}的{other}");
            let added = by(&mut county, town, *user, add(unit, &name, other));
            assert_eq!(told(added), expected, "{role} adds {other}");
            let target = format!("靶{role}{other}");
            somebody(&mut county, town, unit, &target, other);
            let who = UserRef { who: target };
            let code = by(&mut county, town, *user, Command::UserCode(who.clone()));
            assert_eq!(told(code), expected, "{role} gives a code to {other}");
            let stop = by(&mut county, town, *user, Command::UserStop(who));
            assert_eq!(told(stop), expected, "{role} stops {other}");
        }
        // What the page offers is what the office takes.
        let list = by(&mut county, town, *user, Command::UserList).unwrap();
        for row in list.as_array().unwrap() {
            let role = row["roles"][0].as_str().unwrap();
            let ours = row["ours"] == true;
            assert_eq!(row["yours"] == true, ours && may.contains(&role), "{row}");
        }
    }
    // Nobody of another township, whatever the role.
    for user in [people[1], people[3]] {
        let other = by(&mut county, town, user, add(TOWNSHIPS[1], "钱七", "clerk"));
        assert_eq!(other.unwrap_err().code, "users_from_above");
    }
}

#[test]
fn the_last_admin_is_not_stopped_neither_by_himself_nor_by_the_command_line() {
    let mut county = County::new(93, 1, 1);
    let hub = county.hub;
    let admin = somebody(&mut county, hub, "511603", "周管理", "admin");
    somebody(&mut county, hub, "511603", "王主任", "head");
    let stop = || {
        Command::UserStop(UserRef {
            who: "周管理".to_owned(),
        })
    };
    assert_eq!(by(&mut county, hub, admin, stop()).unwrap_err().code, "last_admin");
    assert_eq!(county.world.command(hub, stop()).unwrap_err().code, "last_admin");
    let second = somebody(&mut county, hub, "511603", "吴管理", "admin");
    by(&mut county, hub, second, stop()).unwrap();
    assert!(by(&mut county, hub, admin, Command::UserList).is_err());
    // A township's last one is named anew from above.
    let town = county.townships[0];
    let below = county.world.run(hub, add(TOWNSHIPS[0], "郑管理", "admin"));
    county.world.pass(5_000);
    assert_eq!(below["roles"][0], "admin");
    let stop = Command::UserStop(UserRef {
        who: "郑管理".to_owned(),
    });
    assert_eq!(county.world.command(town, stop.clone()).unwrap_err().code, "last_admin");
    county.world.run(hub, stop);
}
