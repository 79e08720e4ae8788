//! Dishonest hands on a line: a hub with a valid key whose program does what it likes with its frames.

use replica::frame::HEADER_LEN;

use crate::dice::Dice;

/// Frames of one end are dropped, delayed, doubled, swapped or altered.
#[derive(Clone, Debug)]
pub struct Tamper {
    pub end: usize,
    pub drop_pm: u64,
    pub delay_pm: u64,
    pub double_pm: u64,
    pub swap_pm: u64,
    pub alter_pm: u64,
    pub dice: Dice,
    /// A frame held back until the next has gone before it.
    held: Option<Vec<u8>>,
}

/// What they make of a frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tampered {
    Honest,
    Dropped,
    Delayed(u64),
    Altered(Vec<u8>),
    Doubled,
    /// Nothing leaves yet.
    Held,
    /// The frame, and behind it the one that was held back.
    Swapped(Vec<u8>),
}

impl Tamper {
    /// Hands that do everything now and then.
    pub fn draw(end: usize, dice: &mut Dice) -> Self {
        let mut one = |max: u64| 10 + dice.below(max);
        let (drop_pm, delay_pm, double_pm, swap_pm, alter_pm) = (one(110), one(110), one(50), one(50), one(50));
        Self {
            end,
            drop_pm,
            delay_pm,
            double_pm,
            swap_pm,
            alter_pm,
            dice: dice.fork(),
            held: None,
        }
    }

    /// A frame of an end passes by. An altered frame keeps its header's length true to its body, as a real hub would.
    pub fn touch(&mut self, end: usize, bytes: &[u8]) -> Tampered {
        if end != self.end {
            return Tampered::Honest;
        }
        if let Some(held) = self.held.take() {
            return Tampered::Swapped(held);
        }
        if self.dice.per_mille(self.drop_pm) {
            return Tampered::Dropped;
        }
        if self.dice.per_mille(self.delay_pm) {
            return Tampered::Delayed(self.dice.between(100, 60_000));
        }
        if self.dice.per_mille(self.double_pm) {
            return Tampered::Doubled;
        }
        if self.dice.per_mille(self.swap_pm) {
            self.held = Some(bytes.to_vec());
            return Tampered::Held;
        }
        if bytes.len() > HEADER_LEN && self.dice.per_mille(self.alter_pm) {
            let mut altered = bytes.to_vec();
            for _ in 0..=self.dice.below(3) {
                let at = HEADER_LEN + self.dice.index(bytes.len() - HEADER_LEN);
                altered[at] ^= 1 << self.dice.below(8);
            }
            return Tampered::Altered(altered);
        }
        Tampered::Honest
    }
}
