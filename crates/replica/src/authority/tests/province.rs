//! An organisation of more units than one entry holds.

use ledger::id::UnitCode;

use super::*;
use crate::limits::{BODY_BYTES_MAX, PARTS_MAX};
use crate::statement::OrganisationPart;

const ROOMS: u32 = 12_000;

/// The small county's tree, and many villages more below its first township.
fn province(version: u32, rooms: u32) -> Organisation {
    let Statement::Organisation(mut whole) = organisation(version, &TREE) else {
        unreachable!("that is what it makes");
    };
    for at in 0..rooms {
        let mut id = [0xee; 16];
        id[..4].copy_from_slice(&at.to_be_bytes());
        // As unlike each other as real ids are.
        id[4..].copy_from_slice(&Sha256::digest(at.to_be_bytes())[..12]);
        whole.units.push(Unit {
            id: UnitId(id),
            code: UnitCode::parse(&format!("5116{at:08}")).unwrap(),
            name: format!("第{at}村村民委员会便民服务室"),
            kind: UnitKind::Village,
            parent: Some(TOWN_A),
            from: None,
            until: None,
            into: None,
        });
    }
    whole
}

fn part(statement: &Statement) -> OrganisationPart {
    match statement {
        Statement::OrganisationPart(part) => part.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_county_goes_into_one_entry_as_ever_and_a_province_into_parts_that_each_fit() {
    let small = province(2, 900);
    assert_eq!(Statement::organisation(small.clone()), [Statement::Organisation(small)]);
    let parts = Statement::organisation(province(2, ROOMS));
    assert!((2..=PARTS_MAX).contains(&parts.len()), "{} parts", parts.len());
    for one in &parts {
        let body = one.encode();
        assert!(body.len() < BODY_BYTES_MAX, "{}", body.len());
        assert_eq!(&Statement::decode(&body).unwrap(), one);
    }
    let mut beyond = part(&parts[0]);
    beyond.at = beyond.parts;
    assert!(Statement::decode(&Statement::OrganisationPart(beyond.clone()).encode()).is_err());
    (beyond.at, beyond.parts) = (0, PARTS_MAX as u32 + 1);
    assert!(Statement::decode(&Statement::OrganisationPart(beyond).encode()).is_err());
}

#[test]
fn a_province_holds_once_its_last_part_has_come_and_until_then_the_version_before() {
    let whole = province(2, ROOMS);
    let parts = Statement::organisation(whole.clone());
    let mut world = World::county();
    for (at, one) in parts.iter().enumerate() {
        assert_eq!(world.fold().organisation().unwrap().version, 1, "after {at} parts");
        world.say(COUNTY_HUB, COUNTY, one.clone());
    }
    let authority = world.fold();
    assert_eq!(authority.organisation(), Some(&whole));
    let last = whole.units.last().unwrap();
    assert!(authority.is_within(last.id, TOWN_A) && authority.parent(last.id) == Some(TOWN_A));
    // The other way round, with everything twice.
    let mut again = world.clone();
    again.stated.reverse();
    again.stated.extend(world.stated.clone());
    assert!(again.fold() == authority);
    // A later one that fits into one entry again takes its place.
    world.say(COUNTY_HUB, COUNTY, organisation(3, &TREE));
    assert_eq!(world.fold().organisation().unwrap().version, 3);
}

#[test]
fn parts_that_are_not_what_they_say_or_that_nobody_may_publish_change_nothing() {
    let parts = Statement::organisation(province(2, ROOMS));
    let mut forged = World::county();
    for (at, one) in parts.iter().enumerate() {
        let mut one = part(one);
        if at == 1 {
            one.units[7].name = "别的村".to_owned();
        }
        forged.say(COUNTY_HUB, COUNTY, Statement::OrganisationPart(one));
    }
    assert_eq!(forged.fold().organisation().unwrap().version, 1);
    // A township's word, and a whole out of two hands.
    let mut strangers = World::county();
    for one in &parts {
        strangers.say(HUB_A, TOWN_A, one.clone());
        strangers.say(HUB_A, COUNTY, one.clone());
        strangers.say(PC_A, ROOM_A, one.clone());
    }
    let (first, rest) = parts.split_first().unwrap();
    strangers.say(COUNTY_HUB, COUNTY, first.clone());
    rest.iter().for_each(|one| {
        strangers.say(ROOT, COUNTY, one.clone());
    });
    assert_eq!(strangers.fold().organisation().unwrap().version, 1);
}
