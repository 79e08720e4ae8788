//! Chance, all of it from one seed.

/// A stream of numbers (SplitMix64). Cheap, small, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The same seed gives the same stream.
    pub fn new(seed: u64) -> Self {
        let mut dice = Self(seed ^ 0xc0ff_ee5e_ed00_0001);
        dice.u64();
        dice
    }

    /// The next number, evenly spread over all of `u64`.
    pub fn u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.u64()) * u128::from(bound);
        (wide >> 64) as u64
    }

    /// A number from `from` up to and without `until`.
    pub fn between(&mut self, from: u64, until: u64) -> u64 {
        from + self.below(until.saturating_sub(from))
    }

    /// Whether something that happens in so many of a thousand cases happens now.
    pub fn per_mille(&mut self, of_thousand: u64) -> bool {
        self.below(1_000) < of_thousand
    }

    /// An index below `len`; 0 when there is nothing.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// One of them; `None` of none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.index(of.len()))
    }

    /// A further stream, which draws nothing from this one but its seed.
    pub fn fork(&mut self) -> Dice {
        Dice::new(self.u64())
    }

    /// Thirty-two bytes, as an office wants them for a seed.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.u64().to_be_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream_and_bounds_hold() {
        let (mut a, mut b) = (Dice::new(7), Dice::new(7));
        assert_eq!(a.bytes(), b.bytes());
        assert_ne!(a.u64(), Dice::new(8).u64());
        assert!((0..1000).all(|_| (5..9).contains(&a.between(5, 9))));
        assert_eq!(a.below(0), 0);
    }
}
