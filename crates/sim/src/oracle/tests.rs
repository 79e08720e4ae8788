//! Each check can fail: a lie is planted and the named check goes red.

use replica::statement::Role;

use super::*;
use crate::county::County;
use crate::will::{Rates, Will, tier_of};

const DAY_MS: u64 = 86_400_000;

/// A small county in which people have worked for so many days.
fn worked(seed: u64, days: u64) -> (World, County, Will) {
    println!("seed {seed}");
    let mut world = World::new(seed);
    let county = County::found(&mut world, 1, 2).unwrap();
    let mut will = Will::default();
    let seats: Vec<_> = county.members.iter().map(|m| (m.seat, tier_of(&m.unit))).collect();
    let mut dice = Dice::new(seed);
    for (at_ms, seat) in Will::deeds(&Rates::default(), &seats, days, &mut dice) {
        world.run_until(at_ms);
        will.act(&mut world, &county, seat, &mut dice);
    }
    world.pass(600_000);
    (world, county, will)
}

fn end(world: &mut World) -> BTreeSet<Check> {
    let mut oracle = std::mem::take(&mut world.oracle);
    oracle.end(world);
    world.oracle = oracle;
    println!("{:#?}", world.oracle.violations());
    world.oracle.red().clone()
}

#[test]
fn a_county_in_which_nothing_goes_wrong_has_nothing_to_be_reproached_with() {
    let (mut world, county, _) = worked(1, 3);
    assert_eq!(end(&mut world), BTreeSet::new());
    assert!(world.oracle.made().len() == ALL.len());
    assert_eq!(world.oracle.lost_legitimately(), 0);
    let room = world.office(county.seats(Role::Node)[0]).unwrap();
    assert!(room.record_rows().unwrap().len() > 3);
    assert!(DAY_MS < world.now_ms());
}
