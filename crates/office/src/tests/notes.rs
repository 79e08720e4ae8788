//! A device held for a while, lifted again, and named anew.

use ledger::id::UserId;
use replica::session::Reason;
use serde_json::Value;

use super::county::{County, TOWNSHIPS};
use crate::command::{By, Command, Hold, Lift, Members, Rename, UserAdd, Wall};
use crate::rig::Seat;

fn hold(device: &str) -> Command {
    Command::Members(Members::Hold(Hold {
        device: device.to_owned(),
        reason: "送修".to_owned(),
        root_key: None,
    }))
}

fn lift(device: &str) -> Command {
    Command::Members(Members::Lift(Lift {
        device: device.to_owned(),
        ..Lift::default()
    }))
}

fn rename(device: &str, name: &str) -> Command {
    Command::Members(Members::Rename(Rename {
        device: device.to_owned(),
        name: name.to_owned(),
        reason: "换了地方".to_owned(),
        root_key: None,
    }))
}

fn member(county: &mut County, at: Seat, device: &str) -> Value {
    let list = county.world.run(at, Command::MemberList);
    let row = list.as_array().unwrap().iter().find(|m| m["device"] == device);
    row.unwrap().clone()
}

/// How the wall shows the one room that has a device.
fn tile(county: &mut County, at: Seat) -> String {
    let wall = county.world.run(at, Command::Wall(Wall::default()));
    let towns = wall["towns"].as_array().unwrap().iter();
    let mut rooms = towns.flat_map(|t| t["tiles"].as_array().unwrap());
    let room = rooms.find(|r| r["state"] != "never_seen").unwrap();
    room["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_held_room_goes_on_recording_and_once_it_is_lifted_all_arrives_as_if_nothing_had_been() {
    let mut county = County::new(171, 1, 1);
    let (room, township, hub) = (county.rooms[0], county.townships[0], county.hub);
    county.world.line(room, hub);
    let early = county.new_case(room, 1);
    county.world.pass(5_000);
    let device = county.world.device_of(room).to_string();
    county.world.run(township, hold(&device));
    county.world.pass(5_000);
    let closed = county.world.closed.clone();
    for seat in [township, hub] {
        assert!(closed.contains(&(seat, Reason::Held)), "{seat:?}: {closed:?}");
    }
    let late = county.new_case(room, 2);
    // A hub that starts anew still knows.
    county.world.kill(township);
    county.world.start(township);
    county.world.pass(60_000);
    for seat in [township, hub] {
        assert_eq!(county.numbers(seat), vec![early.clone()], "{seat:?}");
        assert_eq!(county.status(seat)["waiting"], 0);
        assert_eq!(tile(&mut county, seat), "held");
        let row = member(&mut county, seat, &device);
        assert_eq!((&row["state"], &row["reason"]), (&"held".into(), &"送修".into()));
    }
    let told = county.status(room);
    let words = told["held"].as_str().unwrap();
    assert!(words.contains("暂停同步") && words.contains("送修"), "{words}");
    assert_eq!((&told["revoked"], &told["member"]), (&false.into(), &true.into()));
    let again = county.world.command(township, hold(&device)).unwrap_err();
    assert_eq!(again.code, "already_held");

    county.world.run(hub, lift(&device));
    county.world.pass(60_000);
    let mut both = vec![early, late];
    both.sort();
    for seat in [township, hub] {
        assert_eq!(county.numbers(seat), both, "{seat:?}");
        assert_eq!(county.status(seat)["waiting"], 0);
        assert_eq!(tile(&mut county, seat), "in_step");
        assert_eq!(member(&mut county, seat, &device)["state"], "in");
    }
    assert_eq!(county.status(room)["held"], Value::Null);
    county.assert_in_step();
    assert_eq!(
        county.world.command(township, lift(&device)).unwrap_err().code,
        "not_held"
    );
    let trail = county.world.run(township, Command::AuditList(Default::default()));
    let held = trail.as_array().unwrap().iter().find(|r| r["act"] == "hold").unwrap();
    assert_eq!(
        (&held["reason"], &held["about"]),
        (&"送修".into(), &device.as_str().into())
    );
}

#[test]
fn a_township_that_is_held_hears_that_it_was_lifted_and_its_rooms_go_on_with_it_all_the_while() {
    let mut county = County::new(172, 1, 1);
    let (room, township, hub) = (county.rooms[0], county.townships[0], county.hub);
    let device = county.world.device_of(township).to_string();
    county.world.run(hub, hold(&device));
    // The room hears of it by its own line to the county, and does not turn its township away.
    county.world.line(room, hub);
    county.world.pass(5_000);
    let number = county.new_case(room, 3);
    county.world.pass(60_000);
    assert_eq!(county.numbers(township), vec![number.clone()]);
    assert_eq!(county.numbers(hub), [number]);
    county.world.run(hub, lift(&device));
    county.world.pass(60_000);
    assert_eq!(member(&mut county, township, &device)["state"], "in");
    county.assert_in_step();
}

#[test]
fn a_pc_has_its_new_name_at_every_tier_with_who_gave_it_and_two_who_speak_apart_come_to_one_word() {
    let mut county = County::new(173, 1, 1);
    let (room, township, hub) = (county.rooms[0], county.townships[0], county.hub);
    let device = county.world.device_of(room).to_string();
    let head = county.world.run(
        township,
        Command::UserAdd(UserAdd {
            unit: TOWNSHIPS[0].to_owned(),
            name: "王主任".to_owned(),
            role: "head".to_owned(),
        }),
    );
    let user = UserId::parse(head["id"].as_str().unwrap()).unwrap();
    let before = member(&mut county, township, &device)["name"].clone();
    let asks = Box::new(rename(&device, "  明月村 ２ 号机 "));
    county.world.run(township, Command::By(By { user, asks }));
    county.world.pass(5_000);
    for seat in [township, hub, room] {
        let row = member(&mut county, seat, &device);
        assert_eq!(row["name"], "明月村 2 号机");
        assert_eq!(
            (&row["named"][0]["from"], row["named"].as_array().unwrap().len()),
            (&before, 1)
        );
        let by = row["named"][0]["by"].as_str().unwrap();
        assert!(by.ends_with("王主任"), "{by}");
    }
    for wrong in ["", "a\nb", &"名".repeat(41)] {
        assert_eq!(
            county.world.command(township, rename(&device, wrong)).unwrap_err().code,
            "bad_name"
        );
    }
    assert_eq!(
        county
            .world
            .command(hub, rename(&device, "明月村 2 号机"))
            .unwrap_err()
            .code,
        "same_name"
    );

    // Apart, both take the next turn: the county's word holds with both once they have met, and is no reason to stop syncing.
    county.world.cut(county.township_lines[0]);
    county.world.run(township, rename(&device, "township says"));
    county.world.run(township, hold(&device));
    county.world.run(hub, rename(&device, "county says"));
    county.world.heal(county.township_lines[0]);
    county.world.pass(5_000);
    for seat in [township, hub] {
        let row = member(&mut county, seat, &device);
        assert_eq!(
            (&row["name"], &row["state"]),
            (&"county says".into(), &"held".into()),
            "{seat:?}"
        );
    }
    assert_eq!(county.world.faults, vec![]);
}

#[test]
fn only_who_may_take_a_device_out_holds_or_names_it() {
    let mut county = County::new(174, 2, 1);
    let (room, hub) = (county.rooms[0], county.hub);
    let (own, other) = (county.townships[0], county.townships[1]);
    let device = county.world.device_of(room).to_string();
    let code = |county: &mut County, at: Seat, command: Command| county.world.command(at, command).unwrap_err().code;
    // The neighbour does not even know it; what it said all the same would not count (`authority::tests::noted`).
    for command in [hold(&device), rename(&device, "mine")] {
        assert_eq!(code(&mut county, other, command), "unknown_device");
    }
    let township = county.world.device_of(own).to_string();
    assert_eq!(code(&mut county, room, hold(&township)), "not_a_hub");
    assert_eq!(code(&mut county, own, hold(&township)), "own_device");
    let county_hub = county.world.device_of(hub).to_string();
    assert_eq!(code(&mut county, own, hold(&county_hub)), "needs_root_key");
    let empty = Command::Members(Members::Hold(Hold {
        device: device.clone(),
        reason: " ".to_owned(),
        root_key: None,
    }));
    assert_eq!(code(&mut county, own, empty), "reason_needed");
    county.world.pass(5_000);
    assert_eq!(member(&mut county, hub, &device)["state"], "in");
}
