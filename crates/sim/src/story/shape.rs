//! How large a story is.

use ledger::id::Tier;

use crate::dice::Dice;
use crate::world::Seat;

/// How large and how long a story is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    pub townships: usize,
    pub rooms: usize,
    pub days: u64,
    /// Exactly so, rather than drawn by the seed up to this.
    pub fixed: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            townships: 2,
            rooms: 9,
            days: 10,
            fixed: false,
        }
    }
}

impl Shape {
    /// What a seed makes of it: mostly itself, at times two tiers instead of three, at times a hub with a single room.
    pub(super) fn draw(&self, dice: &mut Dice) -> Shape {
        let two_tiers = dice.per_mille(120);
        let small = dice.per_mille(40);
        let mut drawn = *self;
        if !self.fixed && two_tiers {
            drawn.townships = 0;
        }
        if !self.fixed && small {
            drawn.townships = drawn.townships.min(1);
            drawn.rooms = drawn.rooms.min(1);
        }
        drawn
    }

    /// What a seed stands for in long proofs: one in five lasts six weeks, so that outages of weeks are among them; the others as long
    /// as is asked for.
    pub fn proved(seed: u64, days: u64) -> Shape {
        const SIX_WEEKS: u64 = 42;
        let long = Dice::new(seed ^ 0x6_3ee5).below(5) == 0;
        Shape {
            days: if long { days.max(SIX_WEEKS) } else { days },
            ..Shape::default()
        }
    }

    /// How many devices there are: one county hub, its townships, their rooms.
    pub fn devices(&self) -> usize {
        1 + self.townships + self.rooms
    }

    /// The devices and their tiers, as [`crate::county::County::found`] seats them.
    pub(super) fn seats(&self) -> Vec<(Seat, Tier)> {
        let tier = |at: usize| match at {
            0 => Tier::County,
            at if at < self.hubs() => Tier::Township,
            _ => Tier::Room,
        };
        (0..self.devices()).map(|at| (Seat(at), tier(at))).collect()
    }

    /// How many of them are hubs. They are the first.
    pub fn hubs(&self) -> usize {
        1 + self.townships
    }
}
