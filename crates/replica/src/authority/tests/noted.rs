//! What a device is called, and whether it is met.

use super::*;
use crate::limits::{NAME_BYTES_MAX, REASON_BYTES_MAX};
use crate::statement::DeviceNote;

fn note(turn: u64) -> DeviceNote {
    DeviceNote {
        device: device(PC_A),
        turn,
        name: None,
        held: None,
        reason: format!("turn {turn}"),
        user: UserId([7; 8]),
        at_ms: 1_000,
    }
}

fn held(turn: u64, held: bool) -> Statement {
    Statement::Note(DeviceNote {
        held: Some(held),
        ..note(turn)
    })
}

fn named(turn: u64, name: &str) -> Statement {
    Statement::Note(DeviceNote {
        name: Some(name.to_owned()),
        ..note(turn)
    })
}

#[test]
fn the_last_word_holds_whatever_came_first_and_a_name_does_not_lift() {
    let mut world = World::county();
    assert_eq!(world.fold().next_turns(&device(PC_A)), (1, 1));
    world.say(HUB_A, TOWN_A, held(1, true));
    world.say(HUB_A, TOWN_A, named(1, "old PC"));
    world.say(COUNTY_HUB, COUNTY, held(2, false));
    world.say(HUB_A, TOWN_A, held(3, true));
    world.say(COUNTY_HUB, COUNTY, named(2, "new PC"));
    assert_same_in_every_order(&world);
    let authority = world.fold();
    let member = authority.member(&device(PC_A)).unwrap();
    let said = member.held.as_ref().unwrap();
    assert_eq!((said.by, said.reason.as_str()), (device(HUB_A), "turn 3"));
    assert_eq!(member.name, "new PC");
    let story: Vec<_> = member
        .named
        .iter()
        .map(|n| (n.from.as_deref(), n.name.as_str(), n.by))
        .collect();
    assert_eq!(
        story,
        [
            (Some("PC 5"), "old PC", device(HUB_A)),
            (Some("old PC"), "new PC", device(COUNTY_HUB)),
        ]
    );
    assert_eq!(authority.next_turns(&device(PC_A)), (3, 4));
    // It is in all the while, and what it writes counts.
    assert!(member.is_live());
    assert_eq!(authority.may_write(&device(PC_A), &Scope::book(ROOM_A)), Write::Yes);
    assert_eq!(
        authority.standing(&book_log(PC_A, ROOM_A), place(9), &Straight),
        Standing::Valid
    );
    world.say(HUB_A, TOWN_A, held(4, false));
    assert_eq!(world.fold().member(&device(PC_A)).unwrap().held, None);
}

#[test]
fn of_two_hubs_that_say_the_same_turn_apart_the_higher_one_is_heard() {
    for county_holds in [true, false] {
        let mut world = World::county();
        world.say(HUB_A, TOWN_A, held(u64::MAX, !county_holds));
        world.say(COUNTY_HUB, COUNTY, held(u64::MAX, county_holds));
        let authority = world.fold();
        assert_eq!(authority.member(&device(PC_A)).unwrap().held.is_some(), county_holds);
        assert_same_in_every_order(&world);
        // Even after the last turn of all the higher unit has a further word: the later one in its log.
        assert_eq!(authority.next_turns(&device(PC_A)).1, u64::MAX);
        world.say(COUNTY_HUB, COUNTY, held(u64::MAX, !county_holds));
        assert_eq!(
            world.fold().member(&device(PC_A)).unwrap().held.is_some(),
            !county_holds
        );
    }
}

#[test]
fn whoever_may_not_revoke_a_device_neither_holds_nor_names_it() {
    let mut world = World::county();
    let before = world.fold();
    world.say(HUB_B, TOWN_B, held(9, true));
    world.say(HUB_B, TOWN_B, named(9, "mine"));
    world.say(PC_A, ROOM_A, held(9, true));
    world.say(PC_A, ROOM_A, named(9, "myself"));
    world.say(PC_B, TOWN_A, held(9, true));
    world.say(99, COUNTY, held(9, true));
    world.say(HUB_A, TOWN_A, named(9, " "));
    let after = world.fold();
    assert_eq!(after.member(&device(PC_A)), before.member(&device(PC_A)));
    assert_eq!(after.next_turns(&device(PC_A)), (1, 1));
}

#[test]
fn a_room_that_another_township_took_over_is_held_by_that_one_alone() {
    let mut world = World::county();
    world.say(HUB_A, TOWN_A, held(7, true));
    world.say(HUB_A, TOWN_A, revoke(PC_A, &[]));
    world.say(HUB_B, TOWN_B, admit_under(2, 9, PC_A, ROOM_B));
    let authority = world.fold();
    let member = authority.member(&device(PC_A)).unwrap();
    assert!(member.is_live() && member.unit == ROOM_B);
    assert_eq!(member.held, None);
    world.say(HUB_B, TOWN_B, held(1, true));
    assert!(world.fold().member(&device(PC_A)).unwrap().held.is_some());
}

#[test]
fn very_many_names_are_remembered_in_part_and_long_ones_are_not_read() {
    let mut world = World::county();
    for turn in 1..=100 {
        world.say(HUB_A, TOWN_A, named(turn, &format!("name {turn}")));
    }
    let authority = world.fold();
    let member = authority.member(&device(PC_A)).unwrap();
    assert_eq!((member.name.as_str(), member.named.len()), ("name 100", 16));
    assert_eq!(member.named[0].from, None);
    for (name, reason) in [(NAME_BYTES_MAX + 1, 0), (0, REASON_BYTES_MAX + 1)] {
        let long = Statement::Note(DeviceNote {
            name: Some("n".repeat(name)),
            reason: "r".repeat(reason),
            ..note(1)
        });
        assert!(Statement::decode(&long.encode()).is_err());
    }
}
