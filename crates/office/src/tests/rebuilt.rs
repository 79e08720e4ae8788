//! A county whose own hubs are all gone, founded again from below with its root key.

use ledger::id::DeviceId;
use replica::authority::{Authority, Stated};
use replica::credential::verify_chain;
use replica::statement::Role;
use store::disk::{read_all, replace};
use store::{MemDisk, MemPlace};

use super::county::{County, TOWNSHIPS, case, ticket};
use crate::chain::Chains;
use crate::command::{Command, CommandError, Invite, InviteTop, MemberAdmit, MemberRevoke, Members, Rename, RootKey};
use crate::identity::ROOT_KEY;
use crate::office::NothingHeld;
use crate::rig::Seat;

/// The county's recovery file, as it lies in the safe.
fn recovery_file(county: &mut County) -> String {
    let hub = county.hub;
    let text = read_all(county.world.disk(hub), ROOT_KEY).unwrap();
    String::from_utf8(text.expect("init wrote it")).unwrap()
}

fn invite_top(county: &mut County, at: Seat, unit: &str, root_key: &str) -> Result<String, CommandError> {
    let invite = InviteTop {
        unit: unit.to_owned(),
        addrs: vec!["10.0.0.2:7701".to_owned()],
        expires_s: None,
        root_key: RootKey(root_key.to_owned()),
    };
    let made = county.world.command(at, Command::Members(Members::InviteTop(invite)))?;
    Ok(made["ticket"].as_str().unwrap().to_owned())
}

/// A new PC becomes a hub of the county at any of its hubs, by the key.
fn new_county_hub(county: &mut County, at: Seat, root_key: &str) -> Seat {
    let given = invite_top(county, at, "511603", root_key).unwrap();
    let new = county.world.device("new county");
    let waits = county.world.join(new, at, Role::Hub, &given).unwrap_err();
    assert!(waits.contains("member admit"), "{waits}");
    let admit = MemberAdmit {
        device: county.world.device_of(new).to_string(),
        root_key: root_key.to_owned(),
    };
    county.world.run(at, Command::MemberAdmit(admit));
    county.world.join(new, at, Role::Hub, &given).unwrap();
    new
}

fn assert_same_tables(county: &mut County, one: Seat, other: Seat) {
    let [known, ours] = [one, other].map(|seat| {
        let authority = county.world.office(seat).authority();
        (
            authority.organisation().cloned(),
            authority.catalogue().cloned(),
            authority.calendar().cloned(),
        )
    });
    assert!(known.0.is_some() && known == ours);
}

#[test]
fn a_county_whose_only_hub_is_gone_is_founded_again_from_a_township_with_the_root_key() {
    let mut county = County::new(47, 2, 1);
    let root_key = recovery_file(&mut county);
    let (old, [a, b]) = (county.hub, [county.townships[0], county.townships[1]]);
    let [room, other] = [county.rooms[0], county.rooms[1]];
    county.new_case(room, 1);
    county.new_case(other, 2);
    county.world.pass(5_000);
    let burnt = county.world.device_of(old).to_string();
    let own_key = county.world.office(old).keys.hub_key();
    county.world.kill(old);
    county.new_case(room, 3);
    county.new_case(other, 4);
    county.world.pass(5_000);

    // The new PC knows nothing but its ticket; the township it came in at tells it the rest.
    let new = new_county_hub(&mut county, a, &root_key);
    county.world.line(new, a);
    county.world.pass(10_000);
    assert_eq!(county.numbers(new).len(), 2, "what the first township holds");
    let line = county.township_lines[1];
    county.world.repoint(line, new);
    county.world.pass(20_000);
    county.hub = new;
    county.assert_in_step();
    let held = county.numbers(new);
    assert_eq!(held.len(), 4);
    for seat in [a, b, room, other] {
        assert_eq!(county.status(seat)["forks"], 0, "{seat:?}");
        let cases = county.cases(seat);
        assert!(cases.iter().all(|c| c["receipt"] == "county"), "{seat:?}: {cases:?}");
    }
    assert_same_tables(&mut county, b, new);
    assert_eq!(county.status(new)["quarantined"], 0);
    assert!(county.cases(new).iter().all(|c| c["name"] == "张*"), "it can open all");

    // It is the county: it takes the burnt hub out, lets in and takes out, finds the same person in two rooms, takes cases itself.
    let out = |device: String, root_key| {
        Command::MemberRevoke(MemberRevoke {
            device,
            reason: "机房失火".to_owned(),
            root_key,
        })
    };
    county.world.run(new, out(burnt, Some(root_key)));
    county.world.pass(20_000);
    let township_hub = county.world.office(a).keys.hub_key();
    assert!(
        own_key.is_some() && township_hub == own_key,
        "the township keeps what it had"
    );
    assert!(county.world.office(new).keys.hub_key().is_some());
    assert!(
        county.cases(room).iter().all(|c| c["receipt"] == "county"),
        "by the new hub's word alone"
    );
    county.new_case(new, 5);
    county.world.run(new, Command::CaseNew(case(1)));
    let (third, _) = county.admit(new, "511603101000", Role::Hub);
    county.world.pass(10_000);
    assert!(county.world.office(third).keys.hub_key().is_some());
    let gone = county.world.device_of(other).to_string();
    county.world.run(new, out(gone.clone(), None));
    county.world.pass(10_000);
    let gone = county.world.device_of(other);
    assert!(!county.world.office(b).is_member(&gone));
    assert_eq!(county.status(new)["forks"], 0);
    assert_eq!(county.world.faults, vec![]);
}

#[test]
fn a_ticket_for_the_county_is_given_below_it_to_the_holder_of_the_root_key_only() {
    let mut county = County::new(48, 1, 1);
    let root_key = recovery_file(&mut county);
    let (township, room) = (county.townships[0], county.rooms[0]);
    let invite = Invite {
        unit: "511603".to_owned(),
        addrs: vec!["10.0.0.2:7701".to_owned()],
        expires_s: None,
    };
    let no_key = county.world.command(township, Command::Invite(invite)).unwrap_err();
    assert_eq!(no_key.code, "needs_root_key");
    assert!(no_key.message.contains("--root-key"), "{}", no_key.message);
    let refused = |county: &mut County, at, unit: &str, key: &str| invite_top(county, at, unit, key).unwrap_err().code;
    let other_key = "ab".repeat(32);
    assert_eq!(refused(&mut county, township, "511603", &other_key), "wrong_root_key");
    assert_eq!(refused(&mut county, township, "511603", "锁"), "bad_root_key");
    let village = county.room_codes[0].clone();
    assert_eq!(refused(&mut county, township, &village, &root_key), "wrong_unit");
    assert_eq!(refused(&mut county, room, "511603", &root_key), "not_a_hub");

    // With the ticket alone nobody is let in, however often it is tried.
    let given = invite_top(&mut county, township, "511603", &root_key).unwrap();
    let new = county.world.device("new county");
    for _ in 0..2 {
        let waits = county.world.join(new, township, Role::Hub, &given).unwrap_err();
        assert!(waits.contains("member admit"), "{waits}");
    }
    let device = county.world.device_of(new);
    let admit = MemberAdmit {
        device: device.to_string(),
        root_key: other_key,
    };
    let wrong = county.world.command(township, Command::MemberAdmit(admit)).unwrap_err();
    assert_eq!(wrong.code, "wrong_root_key");
    assert!(!county.world.office(township).is_member(&device));
}

#[test]
fn the_root_key_is_used_at_two_places_that_know_nothing_of_each_other_and_nothing_forks() {
    let mut county = County::new(49, 2, 1);
    let root_key = recovery_file(&mut county);
    let (hub, [a, b]) = (county.hub, [county.townships[0], county.townships[1]]);
    // The county is only out of reach, but at a township they take it for lost.
    for line in county.township_lines.clone() {
        county.world.cut(line);
    }
    let first = new_county_hub(&mut county, a, &root_key);
    let second = new_county_hub(&mut county, hub, &root_key);
    let name = |device: String, name: &str| {
        Command::Members(Members::Rename(Rename {
            device,
            name: name.to_owned(),
            reason: String::new(),
            root_key: Some(RootKey(root_key.clone())),
        }))
    };
    let (first_id, second_id) = (county.world.device_of(first), county.world.device_of(second));
    county.world.run(a, name(first_id.to_string(), "县一"));
    county.world.run(hub, name(second_id.to_string(), "县二"));
    county.world.line(first, a);
    county.world.line(second, hub);
    county.world.line(second, first);
    for line in county.township_lines.clone() {
        county.world.heal(line);
    }
    county.new_case(county.rooms[0], 1);
    county.new_case(county.rooms[1], 2);
    county.world.pass(30_000);
    county.assert_in_step();
    for seat in [hub, a, b, first, second] {
        assert_eq!(county.status(seat)["forks"], 0, "{seat:?}");
        let office = county.world.office(seat);
        for (device, name) in [(first_id, "县一"), (second_id, "县二")] {
            let member = office.authority().member(&device).expect("known everywhere");
            assert!(member.is_live() && member.name == name, "{seat:?}: {member:?}");
        }
    }
    for seat in [hub, first, second] {
        assert_eq!(county.numbers(seat).len(), 2, "{seat:?}");
    }
}

#[test]
fn whom_a_hub_had_let_in_or_taken_out_is_said_again_when_it_burns_for_those_who_have_lost_its_words() {
    let mut county = County::new(50, 2, 2);
    let root_key = recovery_file(&mut county);
    let (old, townships, rooms) = (county.hub, county.townships.clone(), county.rooms.clone());
    let new = new_county_hub(&mut county, old, &root_key);
    county.world.line(new, old);
    let out = |device: DeviceId, root_key: Option<&String>| {
        Command::MemberRevoke(MemberRevoke {
            device: device.to_string(),
            reason: "机房失火".to_owned(),
            root_key: root_key.cloned(),
        })
    };
    let stolen = county.world.device_of(rooms[3]);
    county.world.run(old, out(stolen, None));
    county.world.pass(20_000);
    let burnt = county.world.device_of(old);
    county.world.kill(old);
    for line in county.township_lines.clone() {
        county.world.repoint(line, new);
    }
    county.world.run(new, out(burnt, Some(&root_key)));
    county.world.pass(20_000);

    let [a, b, thief] = [townships[0], townships[1], rooms[3]].map(|seat| county.world.device_of(seat));
    let office = county.world.office(townships[0]);
    let root = office.authority().root();
    let chains = Chains {
        root,
        authority: office.authority(),
        statements: &office.statements,
        store: office.store(),
    };
    // Whoever has none of what the burnt hub said, only that it was taken out.
    let all = office.statements.durable().iter();
    let without: Vec<Stated> = all.filter(|s| s.log.device != burnt).cloned().collect();
    let knows = Authority::fold(root, &without, &NothingHeld);
    let welcomes = |device| knows.welcomes(&verify_chain(&root, &chains.own(&device)).unwrap(), &[]);
    assert!(knows.is_revoked(&burnt) && knows.organisation().is_none());
    assert!(welcomes(a) && welcomes(b), "a hub is a stranger");
    assert!(!welcomes(thief), "who was taken out stays out");
    // It is said once.
    let said = |county: &mut County| county.world.office(new).statements.durable().len();
    let count = said(&mut county);
    county.world.pass(120_000);
    assert_eq!(said(&mut county), count);
    county.new_case(rooms[0], 1);
    county.world.pass(20_000);
    assert!(county.cases(rooms[0]).iter().all(|c| c["receipt"] == "county"));
    assert_eq!(county.world.faults, vec![]);
}

#[test]
fn a_room_that_has_kept_its_keys_alone_comes_in_again_at_a_township_that_was_replaced() {
    let mut county = County::new(51, 1, 1);
    let (old, room) = (county.townships[0], county.rooms[0]);
    let number = county.new_case(room, 1);
    county.world.pass(10_000);
    let burnt = county.world.device_of(old);
    county.world.kill(old);
    let out = Command::MemberRevoke(MemberRevoke {
        device: burnt.to_string(),
        reason: "机房失火".to_owned(),
        root_key: None,
    });
    let hub = county.hub;
    county.world.run(hub, out);
    let (new, _) = county.admit(hub, TOWNSHIPS[0], Role::Hub);
    county.world.pass(20_000);
    // The county has let the room in itself by now: the chain that the room gets names no township.
    let (full, _) = county.world.backup(room);
    let mut bare = MemDisk::new(51);
    for name in ["device.key", "unseal.key"] {
        let key = read_all(&full, name).unwrap().unwrap();
        replace(&mut bare, name, &key).unwrap();
    }
    county.world.restore(room, (bare, MemPlace::default()));
    let code = county.room_codes[0].clone();
    let given = ticket(&mut county.world, new, &code);
    county.world.join(room, new, Role::Node, &given).unwrap();
    let line = county.room_lines[0];
    county.world.repoint(line, new);
    county.world.pass(60_000);
    assert_eq!(county.numbers(room), vec![number]);
    county.new_case(room, 2);
    county.world.pass(20_000);
    assert!(county.cases(room).iter().all(|case| case["receipt"] == "county"));
    assert_eq!(county.world.faults, vec![]);
}
