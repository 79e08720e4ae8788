//! Who comes in, who goes out.

use replica::frame::Welcome;
use replica::session::Reason;
use replica::statement::Role;
use replica::ticket::Ticket;

use super::county::{County, HOLIDAYS, MATTERS, TOWNSHIPS, case, rooms_of, ticket};
use super::rot::lose_tables;
use crate::command::{Command, InitAlone, Invite, MemberAdmit, MemberExtend, MemberRevoke};
use crate::identity::ROOT_KEY;
use store::Fault;
use store::disk::read_all;

fn revoke(device: &str) -> Command {
    Command::MemberRevoke(MemberRevoke {
        device: device.to_owned(),
        reason: "电脑丢失".to_owned(),
        root_key: None,
    })
}

#[test]
fn a_ticket_lets_in_one_device_once_for_its_unit_and_not_after_its_time() {
    let mut county = County::new(21, 1, 1);
    let township = county.townships[0];
    let code = rooms_of(TOWNSHIPS[0], 2)[1].clone();
    let good = ticket(&mut county.world, township, &code);
    let (first, second) = (county.world.device("first"), county.world.device("second"));
    let refused = county.world.join(first, township, Role::Hub, &good).unwrap_err();
    assert!(refused.contains("cunlian-node"), "{refused}");
    county.world.join(first, township, Role::Node, &good).unwrap();
    // The welcome may have been lost on the way: the same device may ask again.
    county.world.join(first, township, Role::Node, &good).unwrap();
    let used = county.world.join(second, township, Role::Node, &good).unwrap_err();
    assert!(used.contains("用过"), "{used}");

    let late = ticket(&mut county.world, township, &code);
    county.world.pass(25 * 3_600_000);
    let expired = county.world.join(second, township, Role::Node, &late).unwrap_err();
    assert!(expired.contains("过期"), "{expired}");

    let other = ticket(&mut county.world, county.hub, TOWNSHIPS[1]);
    let wrong_hub = county.world.join(second, township, Role::Hub, &other).unwrap_err();
    assert!(wrong_hub.contains("不是本机"), "{wrong_hub}");
    // A ticket used once is used after a restart, too.
    county.world.kill(township);
    county.world.start(township);
    assert!(county.world.join(second, township, Role::Node, &good).is_err());
    let foreign = rooms_of(TOWNSHIPS[1], 1)[0].clone();
    let invite = Invite {
        unit: foreign,
        addrs: vec!["10.0.0.1:7701".to_owned()],
        expires_s: None,
    };
    let not_ours = county.world.command(township, Command::Invite(invite)).unwrap_err();
    assert_eq!(not_ours.code, "not_below");
}

#[test]
fn a_revoked_room_is_cut_off_at_once_and_all_tiers_agree_what_waits() {
    let mut county = County::new(22, 1, 2);
    let (room, township, hub) = (county.rooms[0], county.townships[0], county.hub);
    let early = county.new_case(room, 1);
    county.world.pass(5_000);
    // The county does not hear of what comes now before it revokes.
    county.world.cut(county.township_lines[0]);
    let late = county.new_case(room, 2);
    county.world.pass(5_000);
    let device = county.world.device_of(room).to_string();
    county.world.run(hub, revoke(&device));
    let revoked = county.world_device(room);
    assert!(county.world.office(township).is_member(&revoked));
    county.world.heal(county.township_lines[0]);
    county.world.pass(5_000);
    let closed = county.world.closed.clone();
    assert!(closed.contains(&(township, Reason::Revoked)), "{closed:?}");
    for seat in [hub, township] {
        assert_eq!(county.numbers(seat), vec![early.clone()], "{seat:?}");
        assert!(county.status(seat)["waiting"].as_u64().unwrap() > 0);
    }
    county.assert_in_step();

    county
        .world
        .run(hub, Command::MemberExtend(MemberExtend { device, root_key: None }));
    county.world.pass(5_000);
    let mut both = vec![early, late];
    both.sort();
    for seat in [hub, township] {
        assert_eq!(county.numbers(seat), both, "{seat:?}");
    }
}

#[test]
fn what_a_lost_room_wrote_before_it_was_taken_out_counts_at_a_county_that_heard_of_the_loss_first() {
    let mut county = County::new(26, 1, 2);
    let (room, township, hub) = (county.rooms[0], county.townships[0], county.hub);
    let early = county.new_case(room, 1);
    county.world.pass(5_000);
    // The township takes the room out by what it holds; the county holds less, and hears of it from another room before the rest comes.
    county.world.cut(county.township_lines[0]);
    let late = county.new_case(room, 2);
    county.world.pass(5_000);
    let device = county.world.device_of(room).to_string();
    county.world.run(township, revoke(&device));
    county.world.pass(1_000);
    county.world.line(county.rooms[1], hub);
    county.world.pass(5_000);
    assert!(county.numbers(hub).is_empty(), "the end of what counts is not here yet");
    county.world.heal(county.township_lines[0]);
    county.world.pass(5_000);
    let mut both = vec![early, late];
    both.sort();
    for seat in [hub, township] {
        assert_eq!(county.numbers(seat), both, "{seat:?}");
        let verified = county.world.run(seat, Command::Verify);
        assert_eq!(verified["clean"], true, "{verified:#}");
    }
}

#[test]
fn a_room_that_ran_alone_joins_and_takes_its_records_and_numbers_along() {
    let mut county = County::new(23, 1, 1);
    let code = rooms_of(TOWNSHIPS[0], 2)[1].clone();
    let lone = county.world.device("lone");
    county.world.run(
        lone,
        Command::InitAlone(InitAlone {
            unit: code.clone(),
            name: "单机村".to_owned(),
            matters: MATTERS.to_owned(),
            holidays: HOLIDAYS.to_owned(),
        }),
    );
    let before: Vec<String> = (0..3).map(|n| county.new_case(lone, 50 + n)).collect();
    let township = county.townships[0];
    let given = ticket(&mut county.world, township, &code);
    county.world.join(lone, township, Role::Node, &given).unwrap();
    county.world.line(lone, township);
    county.world.pass(15_000);
    let after = county.new_case(lone, 60);
    county.world.pass(10_000);
    let mut all = before;
    all.push(after);
    all.sort();
    for seat in [lone, township, county.hub] {
        assert_eq!(county.numbers(seat), all, "{seat:?}");
    }
    // The county can read what was recorded before anybody knew the room.
    for listed in county.cases(county.hub) {
        assert_eq!(listed["unit"], code.as_str(), "{listed}");
    }
    for listed in county.cases(lone) {
        assert_eq!(listed["receipt"], "county", "{listed}");
    }
    assert_eq!(county.status(county.hub)["quarantined"], 0);
    county.rooms.push(lone);
    county.assert_in_step();
}

#[test]
fn a_life_that_is_not_its_own_is_not_brought_along() {
    let mut county = County::new(27, 1, 1);
    let (township, code) = (county.townships[0], rooms_of(TOWNSHIPS[0], 2)[1].clone());
    let (lone, thief) = (county.world.device("lone"), county.world.device("thief"));
    let alone = InitAlone {
        unit: code.clone(),
        name: "单机村".to_owned(),
        matters: MATTERS.to_owned(),
        holidays: HOLIDAYS.to_owned(),
    };
    county.world.run(lone, Command::InitAlone(alone));
    let given = Ticket::parse(&ticket(&mut county.world, township, &code)).unwrap();
    let mut theirs = county
        .world
        .office(lone)
        .join_request(Role::Node, "lone", &given)
        .unwrap();
    let own = county
        .world
        .office(thief)
        .join_request(Role::Node, "thief", &given)
        .unwrap();
    // Everything that the room would show of its former life, in another device's hand.
    theirs.seal_key = own.seal_key;
    let device = county.world.device_of(thief);
    let now = county.world.now(township);
    let hub = county.world.office(township);
    assert_eq!(hub.admit_newcomer(now, device, &theirs).unwrap_err().code, "bad_former");
    assert!(hub.admit_newcomer(now, device, &own).is_ok());
}

#[test]
fn a_welcome_for_somebody_else_or_elsewhere_is_not_believed() {
    let mut county = County::new(28, 1, 1);
    let (township, codes) = (county.townships[0], rooms_of(TOWNSHIPS[0], 3));
    let given: Vec<Ticket> = codes[1..]
        .iter()
        .map(|code| Ticket::parse(&ticket(&mut county.world, township, code)).unwrap())
        .collect();
    let (first, second) = (county.world.device("first"), county.world.device("second"));
    let mut welcomes = Vec::new();
    for (seat, given) in [(first, &given[0]), (second, &given[1])] {
        let request = county.world.office(seat).join_request(Role::Node, "pc", given).unwrap();
        let (device, now) = (county.world.device_of(seat), county.world.now(township));
        let hub = county.world.office(township);
        hub.admit_newcomer(now, device, &request).unwrap();
        hub.commit(now).unwrap();
        welcomes.push(hub.welcome(&device).unwrap());
    }
    let now = county.world.now(second);
    let office = county.world.office(second);
    let good = &welcomes[1];
    let for_the_first = Welcome {
        unit: good.unit,
        ..welcomes[0].clone()
    };
    let of_another_county = Welcome {
        root: office.device(),
        ..good.clone()
    };
    let mut forged = good.clone();
    forged.credentials[2].signature[0] ^= 1;
    for bad in [&welcomes[0], &for_the_first, &of_another_county, &forged] {
        assert_eq!(office.joined(now, &given[1], bad).unwrap_err().code, "bad_welcome");
    }
    assert_eq!(office.joined(now, &given[0], good).unwrap_err().code, "bad_welcome");
    assert!(!office.is_placed(), "nothing was begun");
    assert!(office.joined(now, &given[1], good).is_ok());
}

#[test]
fn a_county_hub_that_has_given_all_its_prefixes_lets_in_no_further_hub_and_says_who_can() {
    let mut county = County::new(31, 1, 1);
    let given = Ticket::parse(&ticket(&mut county.world, county.hub, TOWNSHIPS[1])).unwrap();
    let late = county.world.device("late");
    let request = county
        .world
        .office(late)
        .join_request(Role::Hub, "hub", &given)
        .unwrap();
    let (device, now) = (county.world.device_of(late), county.world.now(county.hub));
    let hub = county.world.office(county.hub);
    hub.prefixes_given.extend(0..ledger::id::HubPrefix::ALONE);
    let refused = hub.admit_newcomer(now, device, &request).unwrap_err();
    assert_eq!(
        refused.code, "no_prefix_left",
        "without one it could let in no room, and nobody would know why"
    );
    assert!(refused.message.contains("另一台县级主机"), "{}", refused.message);
    // The ticket was not used up by it.
    hub.prefixes_given.clear();
    assert!(hub.admit_newcomer(now, device, &request).is_ok());
}

#[test]
fn a_device_that_was_taken_out_or_belongs_elsewhere_gets_in_by_no_ticket() {
    let mut county = County::new(29, 1, 2);
    let (township, out, elsewhere) = (county.townships[0], county.rooms[0], county.rooms[1]);
    let code = rooms_of(TOWNSHIPS[0], 3)[2].clone();
    let device = county.world.device_of(out).to_string();
    county.world.run(township, revoke(&device));
    let given = Ticket::parse(&ticket(&mut county.world, township, &code)).unwrap();
    let blank = county.world.device("blank");
    let request = county
        .world
        .office(blank)
        .join_request(Role::Node, "pc", &given)
        .unwrap();
    let now = county.world.now(township);
    for (seat, code) in [(out, "revoked"), (elsewhere, "other_unit")] {
        let device = county.world.device_of(seat);
        let refused = county.world.office(township).admit_newcomer(now, device, &request);
        assert_eq!(refused.unwrap_err().code, code);
    }
    let device = county.world.device_of(blank);
    assert!(
        county
            .world
            .office(township)
            .admit_newcomer(now, device, &request)
            .is_ok()
    );
}

#[test]
fn a_revocation_that_a_full_disk_did_not_take_is_not_counted() {
    let mut county = County::new(30, 1, 1);
    let (hub, township, room) = (county.hub, county.townships[0], county.rooms[0]);
    county.world.cut(county.township_lines[0]);
    let device = county.world.device_of(room);
    let disk = county.world.disk(township).clone();
    disk.fault(Fault::Capacity(100));
    let refused = county.world.command(township, revoke(&device.to_string())).unwrap_err();
    assert_eq!(refused.code, "disk_full");
    assert!(county.world.office(township).is_member(&device));
    disk.fault(Fault::Roomy);
    county.new_case(room, 1);
    county.world.pass(5_000);
    assert!(
        county.world.office(township).is_member(&device),
        "nothing was said to be done"
    );
    county.world.heal(county.township_lines[0]);
    county.world.pass(5_000);
    assert!(county.world.office(hub).is_member(&device));
    county.world.run(township, revoke(&device.to_string()));
    county.world.pass(5_000);
    assert!(!county.world.office(hub).is_member(&device));
}

#[test]
fn a_second_county_hub_is_let_in_by_the_root_key_only() {
    let mut county = County::new(24, 1, 1);
    let hub = county.hub;
    let root_key = read_all(county.world.disk(hub), ROOT_KEY).unwrap().unwrap();
    let root_key = String::from_utf8(root_key).unwrap();
    let second = county.world.device("second");
    let given = ticket(&mut county.world, hub, "511603");
    let waits = county.world.join(second, hub, Role::Hub, &given).unwrap_err();
    assert!(waits.contains("member admit"), "{waits}");
    let device = county.world.device_of(second).to_string();
    let admit = |root_key: &str| {
        Command::MemberAdmit(MemberAdmit {
            device: device.clone(),
            root_key: root_key.to_owned(),
        })
    };
    let wrong = county.world.command(hub, admit(&"ab".repeat(32))).unwrap_err();
    assert_eq!(wrong.code, "wrong_root_key");
    county.world.run(hub, admit(&root_key));
    county.world.join(second, hub, Role::Hub, &given).unwrap();
    // Seed 647: it has received nothing yet. Taking the first out now would make strangers of everybody.
    let first = county.world.device_of(hub).to_string();
    let out = Command::MemberRevoke(MemberRevoke {
        device: first,
        reason: "机房失火".to_owned(),
        root_key: Some(root_key.clone()),
    });
    let early = county.world.command(second, out.clone()).unwrap_err();
    assert_eq!(early.code, "unknown_device", "{}", early.message);
    county.world.line(second, hub);
    county.world.pass(10_000);
    let number = county.new_case(county.rooms[0], 1);
    county.world.pass(5_000);
    assert_eq!(county.numbers(second), vec![number.clone()]);

    // The first county hub burns down; its township finds the second.
    county.world.kill(hub);
    county.world.repoint(county.township_lines[0], second);
    let next = county.new_case(county.rooms[0], 2);
    county.world.pass(10_000);
    assert_eq!(county.numbers(second).len(), 2);
    let listed = county.cases(county.rooms[0]);
    assert!(listed.iter().all(|c| c["receipt"] == "county"), "{listed:?}");
    assert!(county.numbers(second).contains(&next));
    county.world.run(second, out);
}

#[test]
fn a_county_hub_without_the_tables_takes_nobody_out() {
    // Seed 647: the first hub burnt down before the second had received its tables, and was taken out up to nothing.
    let mut county = County::new(30, 1, 1);
    let hub = county.hub;
    let root_key = read_all(county.world.disk(hub), ROOT_KEY).unwrap().unwrap();
    let root_key = String::from_utf8(root_key).unwrap();
    let second = county.world.device("second");
    let given = ticket(&mut county.world, hub, "511603");
    county.world.join(second, hub, Role::Hub, &given).unwrap_err();
    let admit = Command::MemberAdmit(MemberAdmit {
        device: county.world.device_of(second).to_string(),
        root_key: root_key.clone(),
    });
    county.world.run(hub, admit);
    county.world.join(second, hub, Role::Hub, &given).unwrap();
    let line = county.world.line(second, hub);
    county.world.pass(10_000);
    county.world.cut(line);
    lose_tables(&mut county, second);
    let out = Command::MemberRevoke(MemberRevoke {
        device: county.world.device_of(hub).to_string(),
        reason: "机房失火".to_owned(),
        root_key: Some(root_key),
    });
    let early = county.world.command(second, out.clone()).unwrap_err();
    assert_eq!(early.code, "no_organisation", "{}", early.message);
    county.world.heal(line);
    county.world.pass(30_000);
    county.world.run(second, out);
}

#[test]
fn a_room_whose_township_hub_is_down_syncs_straight_to_the_county() {
    let mut county = County::new(25, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    county.world.kill(township);
    county.world.line(room, county.hub);
    let number = county.new_case(room, 1);
    county.world.pass(5_000);
    assert_eq!(county.numbers(county.hub), vec![number]);
    assert!(county.cases(room).iter().all(|c| c["receipt"] == "county"));
    county.world.start(township);
    county.world.pass(5_000);
    county.assert_in_step();
    assert_eq!(county.numbers(township).len(), 1);
}

#[test]
fn nobody_records_before_belonging_somewhere_and_nobody_belongs_twice() {
    let mut county = County::new(26, 1, 1);
    let blank = county.world.device("blank");
    assert!(county.world.command(blank, Command::CaseNew(case(1))).is_err());
    assert_eq!(
        county.world.command(blank, Command::Status).unwrap_err().code,
        "not_set_up"
    );
    let again = county
        .world
        .join(county.rooms[0], county.townships[0], Role::Node, "CL1-XYZ");
    assert!(again.is_err());
}

#[test]
fn a_new_pc_comes_in_although_its_book_holds_a_record_whose_key_nobody_has() {
    // Seed 40 of the stories of thieves: every new PC of the room was broken off for ever.
    let mut county = County::new(27, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    let number = county.new_case(room, 1);
    let unit = county.world.office(room).life().unwrap().unit;
    let now = county.world.now(room);
    let junk = replica::entry::Entry {
        kind: replica::entry::KIND_RECORD,
        body: vec![7; 100],
    };
    let forged = county
        .world
        .office(room)
        .forge(now, ledger::id::Scope::book(unit), vec![junk]);
    forged.unwrap();
    county.world.pass(10_000);
    county.world.kill(room);
    let code = county.room_codes[0].clone();
    let (new, _) = county.admit(township, &code, Role::Node);
    county.world.pass(20_000);
    assert_eq!(county.world.faults, vec![]);
    assert_eq!(county.status(new)["settled"], true);
    assert_eq!(county.numbers(new), vec![number]);
    // And it is told at once how far everything has travelled.
    assert!(county.cases(new).iter().all(|c| c["receipt"] == "county"));
}
