//! Every kind of malice strikes somewhere, and a county heals from each.

use std::collections::BTreeMap;

use super::*;
use crate::fault::Kind;
use crate::will::{Rates, Will, tier_of};

const DAY_MS: u64 = 86_400_000;

/// Days of work in a county to which only these things happen, so many times a day; then all is healed. Returns what is wrong.
fn tell(seed: u64, kinds: &[Malice], times: u64, days: u64) -> (World, String) {
    println!("seed {seed} {kinds:?}");
    let mut world = World::new(seed);
    let mut county = County::found(&mut world, 2, 4).unwrap();
    let mut will = Will::default();
    let mut dice = Dice::new(seed);
    let rates = Rates {
        room_acts: 8,
        township_acts: 8,
        county_acts: 3,
        ..Rates::default()
    };
    let seats: Vec<_> = county.members.iter().map(|m| (m.seat, tier_of(&m.unit))).collect();
    let deeds = Will::deeds(&rates, &seats, days, &mut dice);
    let mut plan: Vec<(u64, Option<Malice>, Seat)> = deeds.into_iter().map(|(at, seat)| (at, None, seat)).collect();
    for _ in 0..times * days {
        let kind = dice.pick(kinds).copied();
        plan.push((dice.between(8 * 3_600_000, days * DAY_MS), kind, Seat(0)));
    }
    plan.sort_unstable();
    for (at_ms, malice, seat) in plan {
        world.run_until(at_ms);
        match malice {
            None => {
                let did = will.act(&mut world, &county, seat, &mut dice);
                println!("{:>9} {:<14} {did}", at_ms / 1000, world.name(seat));
            }
            Some(malice) => {
                if let Some(did) = malice.strike(&mut world, &mut county, &mut dice) {
                    println!("{:>9} *** {did}", at_ms / 1000);
                }
            }
        }
    }
    let left = heal(&mut world, &mut county);
    assert_eq!(left, None, "seed {seed}");
    world.pass(1_800_000);
    let mut oracle = std::mem::take(&mut world.oracle);
    oracle.end(&mut world);
    world.oracle = oracle;
    let found = world.oracle.violations().join("\n");
    if std::env::var("TELL").is_ok() && !found.is_empty() {
        let mut errors: BTreeMap<String, u64> = BTreeMap::new();
        for (seat, peer, error) in &world.peer_errors {
            *errors
                .entry(format!("{} of {}: {error:?}", world.name(*seat), world.name(*peer)))
                .or_default() += 1;
        }
        println!("{errors:#?}");
        println!("{:?}", world.mishaps);
        for seat in world.seats() {
            let status = world.command(seat, &office::command::Command::Status);
            println!("{} {:#}", world.name(seat), status.unwrap_or_default());
        }
    }
    (world, found)
}

/// Seeds that a test may take until the dice have brought every kind that it counts.
const SEEDS_MAX: u64 = 8;

fn heals(seed: u64, kinds: &[Malice], counted: &[Kind]) {
    heals_often(seed, kinds, 4, counted);
}

/// Two counties at least, and as many more as it takes until each of these kinds has struck.
fn heals_often(seed: u64, kinds: &[Malice], times: u64, counted: &[Kind]) {
    let mut counts: BTreeMap<Kind, u64> = counted.iter().map(|kind| (*kind, 0)).collect();
    for told in 0..SEEDS_MAX {
        if told >= 2 && counts.values().all(|count| *count > 0) {
            break;
        }
        let seed = seed + told;
        let (world, found) = tell(seed, kinds, times, 2);
        assert!(found.is_empty(), "seed {seed}\n{found}");
        for kind in counted {
            *counts.entry(*kind).or_default() += world.faults.of(*kind);
        }
    }
    println!("{counts:?}");
    assert!(counts.values().all(|count| *count > 0), "{counts:?}");
}

#[test]
fn copies_put_back_and_copies_that_live_cost_nothing_that_somebody_else_holds() {
    let kinds = [Malice::BackUp, Malice::Restore, Malice::CloneRoom];
    heals(10, &kinds, &[Kind::RoomRestored, Kind::HubRestored, Kind::Cloned]);
}

#[test]
fn a_copied_hub_and_its_twin_both_serve() {
    heals(20, &[Malice::CloneHub, Malice::BackUp], &[Kind::HubCloned]);
}

#[test]
fn a_pc_copied_too_often_is_suspended_and_loses_nothing() {
    heals(30, &[Malice::Crowd], &[Kind::Suspended]);
}

#[test]
fn thieves_go_on_until_they_are_taken_out_and_rooms_get_new_pcs() {
    let kinds = [
        Malice::Steal,
        Malice::Revoke,
        Malice::Replace,
        Malice::Extend,
        Malice::Forge,
    ];
    heals(40, &kinds, &[Kind::Stolen, Kind::Replaced, Kind::Extended]);
}

#[test]
fn lost_disks_are_replaced_under_new_tickets() {
    let kinds = [Malice::LoseRoom, Malice::RebuildTownship, Malice::Revoke];
    heals(50, &kinds, &[Kind::RoomLost, Kind::HubRebuilt]);
}

#[test]
fn a_county_hub_burns_down_and_a_second_one_takes_over() {
    heals(60, &[Malice::RebuildCounty], &[Kind::CountyRebuilt]);
}

#[test]
fn lines_are_laid_elsewhere_and_rooms_find_their_second_way() {
    heals(
        70,
        &[Malice::Move, Malice::SecondWay],
        &[Kind::RoomMoved, Kind::SecondWay],
    );
}

#[test]
fn a_dishonest_hub_delays_and_forges_nothing() {
    let counted = [
        Kind::HubDropped,
        Kind::HubDelayed,
        Kind::HubAltered,
        Kind::HubDoubled,
        Kind::HubSwapped,
    ];
    let kinds = [Malice::Dishonest, Malice::Dishonest, Malice::Dishonest, Malice::Honest];
    heals_often(80, &kinds, 16, &counted);
}

#[test]
fn versions_apart_live_together() {
    heals(
        90,
        &[Malice::Upgrade, Malice::Later],
        &[Kind::VersionNamed, Kind::LaterEntry],
    );
}

#[test]
fn what_a_member_forges_convinces_nobody() {
    heals(100, &[Malice::Forge], &[Kind::Forged]);
}

#[test]
fn all_kinds_together() {
    let kinds: Vec<Malice> = Malice::all().collect();
    for seed in [200, 201] {
        let (_, found) = tell(seed, &kinds, 5, 3);
        assert!(found.is_empty(), "seed {seed}\n{found}");
    }
}
