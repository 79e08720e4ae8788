//! At the window: a matter done while the applicant waits, and somebody who stands in for a colleague.

use serde_json::{Value, json};

use super::county::County;
use crate::command::{CaseDo, CaseNew, CaseShow, Command, Cover};

fn typed(matter: &str) -> CaseNew {
    CaseNew {
        matter: matter.to_owned(),
        name: "张三".to_owned(),
        cert_no: "11010519491231002X".to_owned(),
        ..CaseNew::default()
    }
}

fn shown(county: &mut County, made: &Value) -> Value {
    let number = made["project_no"].as_str().unwrap().to_owned();
    let show = CaseShow {
        number,
        ..CaseShow::default()
    };
    county.world.run(county.rooms[0], Command::CaseShow(show))
}

#[test]
fn a_matter_done_while_the_applicant_waits_is_one_press_and_one_that_is_not_is_refused() {
    let mut county = County::new(41, 1, 1);
    let room = county.rooms[0];
    let new = CaseNew {
        close: Some("6".to_owned()),
        received: vec!["营业执照".to_owned()],
        ..typed("A06")
    };
    let made = county.world.run(room, Command::CaseNew(new));
    assert_eq!(made["state"], "closed");
    let case = shown(&mut county, &made);
    assert_eq!((&case["state"], &case["result"]), (&json!("closed"), &json!(6)));
    assert!(
        case["events"]
            .as_array()
            .unwrap()
            .iter()
            .all(|e| e["void"] == json!(false))
    );
    let brought: Vec<&Value> = case["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["received"])
        .collect();
    assert_eq!(brought, [&json!(false), &json!(true)]);
    let new = CaseNew {
        close: Some("6".to_owned()),
        ..typed("A01")
    };
    assert_eq!(
        county.world.command(room, Command::CaseNew(new)).unwrap_err().code,
        "not_on_the_spot"
    );
    assert_eq!(
        county.world.run(room, Command::Status)["scopes"]
            .as_array()
            .map(Vec::is_empty),
        Some(false)
    );
}

#[test]
fn whoever_stands_in_is_named_on_every_step_with_the_reason() {
    let mut county = County::new(42, 1, 1);
    let room = county.rooms[0];
    let cover = Some(Cover {
        of: "王强".to_owned(),
        reason: "去镇上开会".to_owned(),
    });
    let new = CaseNew {
        cover: cover.clone(),
        ..typed("A01")
    };
    let made = county.world.run(room, Command::CaseNew(new));
    let ask = CaseDo {
        number: made["project_no"].as_str().unwrap().to_owned(),
        event: "ask".to_owned(),
        items: vec!["身份证".to_owned()],
        cover,
        ..CaseDo::default()
    };
    county.world.run(room, Command::CaseDo(ask));
    let case = shown(&mut county, &made);
    for event in case["events"].as_array().unwrap() {
        assert_eq!(event["data"]["cover"], "王强", "{event}");
        assert_eq!(event["data"]["cover_reason"], "去镇上开会");
    }
    assert_eq!(case["state"], "awaiting_materials");
}
