//! People: named by the unit above, known in the room, enrolled by a code that travels on paper.

use ledger::id::UserId;
use replica::statement::Enrol;
use serde_json::json;

use super::county::County;
use crate::command::{Command, UserAdd, UserRef};

#[test]
fn a_township_names_a_rooms_clerks_and_a_room_does_not() {
    let mut county = County::new(31, 1, 1);
    let (town, room, unit) = (county.townships[0], county.rooms[0], county.room_codes[0].clone());
    let add = |name: &str| {
        Command::UserAdd(UserAdd {
            unit: unit.clone(),
            name: name.to_owned(),
            role: "clerk".to_owned(),
        })
    };
    let added = county.world.run(town, add("李芳"));
    let code = added["code"].as_str().unwrap().replace('-', "");
    assert_eq!(code.len(), 16);
    assert_eq!(county.world.command(town, add("李芳")).unwrap_err().code, "same_name");
    assert_eq!(
        county.world.command(room, add("王强")).unwrap_err().code,
        "users_from_above"
    );
    county.world.pass(5_000);
    let known = county.world.run(room, Command::UserList);
    assert_eq!((&known[0]["name"], &known[0]["own"]), (&json!("李芳"), &json!(true)));
    let id = UserId::parse(known[0]["id"].as_str().unwrap()).unwrap();
    // The room can tell the right code from a wrong one without having seen it.
    assert_eq!(known[0]["enrol"]["digest"], json!(Enrol::digest_of(&id, &code)));
    assert_ne!(
        known[0]["enrol"]["digest"],
        json!(Enrol::digest_of(&id, "AAAAAAAAAAAAAAAA"))
    );
    let who = "李芳".to_owned();
    county.world.run(town, Command::UserStop(UserRef { who }));
    county.world.pass(5_000);
    assert_eq!(county.world.run(room, Command::UserList)[0]["active"], json!(false));
}
