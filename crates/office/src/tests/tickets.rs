//! Tickets as a console gives them: many at once, some with approval, and a lost PC replaced in one step.

use replica::statement::Role;
use serde_json::Value;

use super::county::{County, TOWNSHIPS, rooms_of};
use crate::command::{Approve, By, Command, InviteMany, Members, Replace, TicketCancel, UserAdd};
use crate::rig::Seat;
use ledger::id::UserId;

fn addrs() -> Vec<String> {
    vec!["10.0.0.1:7701".to_owned()]
}

fn tickets(county: &mut County, at: Seat) -> Value {
    county.world.run(at, Command::Members(Members::Tickets))
}

#[test]
fn a_list_of_units_gives_a_ticket_each_and_one_bad_line_stops_no_other() {
    let mut county = County::new(71, 1, 1);
    let township = county.townships[0];
    let mut units = rooms_of(TOWNSHIPS[0], 3)[1..].to_vec();
    units.insert(1, "999999".to_owned());
    let many = InviteMany {
        units: units.clone(),
        addrs: addrs(),
        ..InviteMany::default()
    };
    let made = county
        .world
        .run(township, Command::Members(Members::InviteMany(many.clone())));
    assert_eq!(made["tickets"].as_array().unwrap().len(), 2, "{made:#}");
    assert_eq!(made["refused"][0]["unit"], "999999");
    let open = tickets(&mut county, township);
    assert_eq!(open["open"].as_array().unwrap().len(), 2);
    assert_eq!(
        open["addrs"][0], "10.0.0.1:7701",
        "the next ones most likely say the same"
    );
    assert!(!open.to_string().contains("CL1-"), "a ticket is shown once");
    // What is wrong with all of them is no list of a hundred refusals.
    let wrong = InviteMany {
        addrs: vec!["nowhere".to_owned()],
        ..many
    };
    let error = county
        .world
        .command(township, Command::Members(Members::InviteMany(wrong)))
        .unwrap_err();
    assert_eq!(error.code, "bad_addr");

    // One that went astray is taken back, also over a restart.
    let id = open["open"][0]["id"].as_str().unwrap().to_owned();
    let cancel = Command::Members(Members::TicketCancel(TicketCancel { id }));
    county.world.run(township, cancel.clone());
    county.world.kill(township);
    county.world.start(township);
    assert_eq!(tickets(&mut county, township)["open"].as_array().unwrap().len(), 1);
    assert_eq!(
        county.world.command(township, cancel).unwrap_err().code,
        "unknown_ticket"
    );
}

#[test]
fn a_ticket_that_asks_for_approval_lets_in_the_device_whose_fingerprint_was_compared_and_no_other() {
    let mut county = County::new(72, 1, 1);
    let township = county.townships[0];
    let many = InviteMany {
        units: vec![rooms_of(TOWNSHIPS[0], 2)[1].clone()],
        addrs: addrs(),
        approve: true,
        ..InviteMany::default()
    };
    let made = county.world.run(township, Command::Members(Members::InviteMany(many)));
    let ticket = made["tickets"][0]["ticket"].as_str().unwrap().to_owned();
    let (thief, clerk) = (county.world.device("thief"), county.world.device("clerk"));
    for device in [thief, clerk] {
        let refused = county.world.join(device, township, Role::Node, &ticket).unwrap_err();
        assert!(refused.contains("指纹"), "{refused}");
    }
    let waiting = tickets(&mut county, township)["waiting"].clone();
    assert_eq!(waiting.as_array().unwrap().len(), 2, "{waiting:#}");
    let device = county.world.device_of(clerk).to_string();
    let approve = Command::Members(Members::Approve(Approve {
        device: device[..8].to_owned(),
    }));
    county.world.run(township, approve);
    assert!(county.world.join(thief, township, Role::Node, &ticket).is_err());
    county.world.join(clerk, township, Role::Node, &ticket).unwrap();
    assert!(
        county
            .world
            .join(thief, township, Role::Node, &ticket)
            .unwrap_err()
            .contains("用过")
    );
}

#[test]
fn a_lost_pc_is_replaced_in_one_step_and_the_book_flows_back() {
    let mut county = County::new(73, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    let number = county.new_case(room, 1);
    county.world.pass(5_000);
    let head = county.world.run(
        township,
        Command::UserAdd(UserAdd {
            unit: TOWNSHIPS[0].to_owned(),
            name: "王主任".to_owned(),
            role: "head".to_owned(),
        }),
    );
    let user = UserId::parse(head["id"].as_str().unwrap()).unwrap();
    let replace = |addrs: Vec<String>, device: &str| {
        let asks = Box::new(Command::Members(Members::Replace(Replace {
            device: device.to_owned(),
            reason: "电脑被偷".to_owned(),
            addrs,
            expires_s: None,
        })));
        Command::By(By { user, asks })
    };
    let device = county.world.device_of(room).to_string();
    // A ticket that could not be made takes nobody out.
    let error = county
        .world
        .command(township, replace(Vec::new(), &device))
        .unwrap_err();
    assert_eq!(error.code, "bad_addr");
    let id = county.world.device_of(room);
    assert!(county.world.office(township).is_member(&id));

    let ticket = county.world.run(township, replace(addrs(), &device));
    assert!(county.world.office(township).is_revoked(&id));
    let new = county.world.device("new");
    county
        .world
        .join(new, township, Role::Node, ticket["ticket"].as_str().unwrap())
        .unwrap();
    county.world.line(new, township);
    county.world.pass(10_000);
    assert_eq!(county.numbers(new), [number]);
    let device = county.world.device_of(new).to_string();
    // The county reads who invited from what the township has signed.
    for seat in [township, county.hub] {
        let members = county.world.run(seat, Command::MemberList);
        let mut rows = members.as_array().unwrap().iter();
        let row = rows.find(|m| m["device"] == device.as_str()).unwrap();
        assert_eq!(row["invited_by"], "王主任", "{row:#}");
    }
    // The trail says who did it.
    let trail = county.world.run(township, Command::AuditList(Default::default()));
    let revoke = trail.as_array().unwrap().iter().find(|r| r["act"] == "revoke").unwrap();
    assert_eq!(
        (&revoke["user_name"], &revoke["reason"]),
        (&"王主任".into(), &"电脑被偷".into())
    );
    // Somebody who does not work here asks for nothing.
    let stranger = By {
        user: UserId([9; 8]),
        asks: Box::new(Command::MemberList),
    };
    assert!(county.world.command(township, Command::By(stranger)).is_err());
}
