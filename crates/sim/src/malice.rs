//! What befalls a county's membership: clones, restores, theft, revocation, rebuilt hubs, moved rooms, dishonest hubs, forged entries,
//! programs that call themselves otherwise.
//!
//! Every event takes all its choices from the dice it is given, so that a story can be told again without the others. What cannot
//! happen just now (nobody runs whom it needs) does not happen, and is not counted.

mod forge;
mod hubs;
mod rooms;
mod shelf;
mod tamper;
#[cfg(test)]
mod tests;

use std::fmt;

use replica::statement::Role;

use crate::county::County;
use crate::dice::Dice;
use crate::world::{Seat, World};

pub use shelf::Shelf;
pub use tamper::{Tamper, Tampered};

/// One event of membership.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Malice {
    /// Somebody copies a device's folder to a stick.
    BackUp,
    /// A copy from a stick is put back.
    Restore,
    /// A room's PC is copied as a whole, and both go on.
    CloneRoom,
    CloneHub,
    /// So many copies of one PC that its logs have more ends than are tolerated.
    Crowd,
    /// A PC is stolen; the thief goes on with it.
    Steal,
    /// Stolen and lost devices are taken out by a hub above.
    Revoke,
    /// What a revoked device wrote is let count after all.
    Extend,
    /// A unit without a device gets one.
    Replace,
    /// A room's disk dies; a new one takes its place under a new ticket.
    LoseRoom,
    RebuildTownship,
    RebuildCounty,
    /// A room's line is laid to another hub above it, or back.
    Move,
    /// A township hub goes down for long, and a room takes its second way up.
    SecondWay,
    /// A hub drops, delays, doubles, swaps and alters frames.
    Dishonest,
    /// It is found out and replaced by an honest program.
    Honest,
    /// A device's program stops, and calls itself another version from then on.
    Upgrade,
    /// A device writes what only a later version understands.
    Later,
    /// A member writes what no honest program writes.
    Forge,
}

/// How often each of them happens, out of all of them together.
const WEIGHTS: [(Malice, u64); 19] = [
    (Malice::BackUp, 14),
    (Malice::Restore, 14),
    (Malice::CloneRoom, 7),
    (Malice::CloneHub, 2),
    (Malice::Crowd, 1),
    (Malice::Steal, 6),
    (Malice::Revoke, 10),
    (Malice::Extend, 4),
    (Malice::Replace, 8),
    (Malice::LoseRoom, 5),
    (Malice::RebuildTownship, 4),
    (Malice::RebuildCounty, 2),
    (Malice::Move, 6),
    (Malice::SecondWay, 6),
    (Malice::Dishonest, 8),
    (Malice::Honest, 6),
    (Malice::Upgrade, 6),
    (Malice::Later, 6),
    (Malice::Forge, 8),
];

impl Malice {
    /// One of them, to be struck some time in a story.
    pub fn draw(dice: &mut Dice) -> Option<Malice> {
        let all: u64 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut at = dice.below(all);
        for (malice, weight) in WEIGHTS {
            if at < weight {
                return Some(malice);
            }
            at -= weight;
        }
        None
    }

    /// All kinds.
    pub fn all() -> impl Iterator<Item = Malice> {
        WEIGHTS.into_iter().map(|(malice, _)| malice)
    }

    /// Does it; returns what happened, for the story, or nothing when it could not happen here.
    pub fn strike(self, world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
        county.shelf.begin(world, &county.members);
        match self {
            Malice::BackUp => rooms::back_up(world, county, dice),
            Malice::Restore => rooms::restore(world, county, dice),
            Malice::CloneRoom => rooms::clone(world, county, Role::Node, dice),
            Malice::CloneHub => rooms::clone(world, county, Role::Hub, dice),
            Malice::Crowd => rooms::crowd(world, county, dice),
            Malice::Steal => rooms::steal(world, county, dice),
            Malice::Revoke => rooms::revoke(world, county, dice),
            Malice::Extend => rooms::extend(world, county, dice),
            Malice::Replace => rooms::replace(world, county),
            Malice::LoseRoom => rooms::lose(world, county, Role::Node, dice),
            Malice::RebuildTownship => rooms::lose(world, county, Role::Hub, dice),
            Malice::RebuildCounty => hubs::rebuild_county(world, county),
            Malice::Move => hubs::move_room(world, county, dice),
            Malice::SecondWay => hubs::second_way(world, county, dice),
            Malice::Dishonest => hubs::dishonest(world, county, dice),
            Malice::Honest => hubs::honest(world, county),
            Malice::Upgrade => hubs::upgrade(world, county, dice),
            Malice::Later => forge::later(world, county, dice),
            Malice::Forge => forge::forge(world, county, dice),
        }
    }
}

impl fmt::Display for Malice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Undoes what time does not: dishonest hubs become honest, stolen PCs are replaced, every room has a hub again.
///
/// Returns what could not be undone, which is a failure: a stolen PC that nobody can take out, a unit that gets no device.
pub fn heal(world: &mut World, county: &mut County) -> Option<String> {
    hubs::honest(world, county);
    hubs::back(world, county);
    for seat in county.present() {
        world.start(seat);
    }
    // Hubs come to know each other and get their prefixes back before they admit anybody.
    for round in 0..8 {
        world.pass(60_000);
        rooms::lift_all(world, county);
        rooms::rejoin(world, county);
        rooms::replace(world, county);
        rooms::revoke_all(world, county);
        rooms::welcome_back(world, county);
        if county.shelf.is_clear() && county.empty_units().is_empty() {
            rooms::revoke_strangers(world, county);
            world.pass(60_000);
            rooms::extend_dead(world, county);
            rooms::lift_all(world, county);
            // Hubs first: only who is let in again can let others in.
            for _ in 0..2 {
                world.pass(60_000);
                rooms::welcome_back(world, county);
                // Only whoever comes in again may bring the admission of who is to be taken out.
                rooms::revoke_strangers(world, county);
            }
            hubs::back(world, county);
            return None;
        }
        if round == 2 {
            // The hub above may have lost the tables, and only rooms below the dead disk hold them still.
            let waiting: Vec<String> = county.shelf.to_join.iter().map(|(_, unit, _)| unit.clone()).collect();
            for unit in waiting {
                hubs::straight_up(world, county, &unit);
            }
        }
    }
    Some(format!(
        "{:?}, without a device: {:?}",
        county.shelf,
        county.empty_units()
    ))
}

/// One of the devices of a role that run.
fn pick(world: &World, county: &County, role: Role, dice: &mut Dice) -> Option<Seat> {
    let mut there = county.seats(role);
    there.retain(|seat| *seat != county.top() && world.is_up(*seat));
    there.retain(|seat| world.office(*seat).is_some_and(office::Office::is_placed));
    dice.pick(&there).copied()
}
