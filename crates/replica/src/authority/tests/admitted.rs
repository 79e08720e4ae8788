//! Of several admissions of one device, which leads, and which code and prefix are whose.

use super::*;

#[test]
fn a_prefix_or_code_given_twice_is_kept_by_one_and_flagged_at_the_other() {
    let mut world = World::county();
    world.say(ROOT, COUNTY, admit(70, COUNTY, Role::Hub, 3));
    world.say(70, COUNTY, admit(71, TOWN_A, Role::Hub, 1));
    world.say(HUB_A, TOWN_A, admit_under(1, 5, 72, ROOM_A2));
    world.say(HUB_A, TOWN_A, admit_under(2, 6, 73, ROOM_A2));
    let authority = world.fold();
    let clash = |who: u8| authority.member(&device(who)).unwrap().prefix_clash;
    assert!(clash(HUB_A) ^ clash(71), "one keeps the prefix");
    assert!(!clash(HUB_B) && !clash(70));
    let code_clash = |who: u8| authority.member(&device(who)).unwrap().code_clash;
    assert!(code_clash(PC_A) ^ code_clash(72), "one keeps the code");
    assert!(code_clash(73), "a code under somebody else's prefix");
    assert!(!code_clash(PC_B));
    assert_eq!(authority.prefixes_used(), &BTreeSet::from([0, 1, 2, 3]));
    assert_same_in_every_order(&world);
}

#[test]
fn a_later_admission_by_the_same_hub_replaces_the_earlier_and_a_higher_one_leads() {
    let mut world = World::county();
    world.say(HUB_A, TOWN_A, admit_under(1, 6, PC_A, ROOM_A2));
    let member = world.fold().member(&device(PC_A)).unwrap().clone();
    assert_eq!(member.unit, ROOM_A2);
    assert_eq!(member.units, BTreeSet::from([ROOM_A, ROOM_A2]));
    world.say(COUNTY_HUB, COUNTY, admit_under(0, 6, PC_A, ROOM_B));
    assert_eq!(world.fold().member(&device(PC_A)).unwrap().unit, ROOM_B);
    let new = NewCode {
        device: device(PC_A),
        epoch: 77,
        code: NodeCode::under(HubPrefix(1), 30).unwrap(),
    };
    world.say(HUB_A, TOWN_A, Statement::NodeCode(new));
    let wrong = NodeCode::new(1).unwrap();
    world.say(PC_A, ROOM_A, Statement::NodeCode(NewCode { code: wrong, ..new }));
    let member = world.fold().member(&device(PC_A)).unwrap().clone();
    assert_eq!(member.node_code(77), new.code);
    assert_eq!(member.node_code(1), member.code);
    assert!(world.fold().node_codes_used().contains(&wrong.value()));
    assert_same_in_every_order(&world);
}

#[test]
fn of_two_hubs_that_say_the_same_of_a_device_the_one_that_is_in_is_heard_and_the_unit_stays_that_of_the_latest_word() {
    let mut world = World::county();
    let second = 70;
    world.say(ROOT, COUNTY, admit(second, COUNTY, Role::Hub, 3));
    // The old hub lets in at one place, then at another; the second hub says the latter again, at a smaller place of its own log.
    world.say(COUNTY_HUB, COUNTY, admit_under(0, 6, 50, ROOM_A));
    let latest = world.say(COUNTY_HUB, COUNTY, admit_under(0, 7, 50, ROOM_B));
    world.say(COUNTY_HUB, COUNTY, admit_under(0, 9, 51, ROOM_A));
    world.say(COUNTY_HUB, COUNTY, revoke(PC_B, &[]));
    world.say(second, COUNTY, admit_under(0, 7, 50, ROOM_B));
    world.say(second, COUNTY, revoke(PC_B, &[]));
    (1..9).for_each(|n| _ = world.say(second, COUNTY, admit_under(3, n, 60 + n as u8, ROOM_A2)));
    world.say(second, COUNTY, admit_under(0, 9, 51, ROOM_A));
    let by = |authority: &Authority, who: u8| authority.member(&device(who)).unwrap().admitted_by;
    let taken_out_by = |authority: &Authority| authority.member(&device(PC_B)).unwrap().revoked.clone().unwrap().by;
    assert_eq!(by(&world.fold(), 50), device(COUNTY_HUB));
    assert_eq!(taken_out_by(&world.fold()), device(COUNTY_HUB));
    let end = cut(
        Scope::public(COUNTY),
        Tip {
            seq: latest.seq + 2,
            ..latest
        },
    );
    world.say(ROOT, COUNTY, revoke(COUNTY_HUB, &[end]));
    let after = world.fold();
    assert_eq!(by(&after, 50), device(second));
    let member = after.member(&device(50)).unwrap();
    assert_eq!(member.unit, ROOM_B);
    for who in [50, 51] {
        let clash = after.member(&device(who)).unwrap().code_clash;
        assert!(
            !clash,
            "the code of {who} is the old hub's, and the new one only says it again"
        );
    }
    assert_eq!(taken_out_by(&after), device(second));
    // What only the old hub has said counts up to its last word that does.
    assert_eq!(by(&after, HUB_A), device(COUNTY_HUB));
    assert_same_in_every_order(&world);
}
