//! Randomness as an argument. The operating system's entropy only makes the seed, at the edge of a process; everything below
//! draws from here, so that a run can be repeated from its seed.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A stream of unpredictable bytes: SHA-256 over the seed and a counter.
pub struct Seeds {
    seed: Zeroizing<[u8; 32]>,
    counter: u64,
}

impl Seeds {
    /// A stream of its own for every seed. The seed must come from the operating system wherever keys are drawn from it.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            seed: Zeroizing::new(seed),
            counter: 0,
        }
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        for chunk in out.chunks_mut(32) {
            let block = Sha256::new()
                .chain_update(b"cunlian/seeds")
                .chain_update(self.seed.as_ref())
                .chain_update(self.counter.to_be_bytes())
                .finalize();
            chunk.copy_from_slice(&block[..chunk.len()]);
            self.counter += 1;
        }
        out
    }

    /// The next number, evenly spread over all of `u64`.
    pub fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.bytes())
    }

    /// The next number below `bound`; 0 when `bound` is 0. The bias is below `bound` in 2^64.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.u64()) * u128::from(bound);
        (wide >> 64) as u64
    }
}

impl fmt::Debug for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seeds(drawn {})", self.counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream_which_never_repeats() {
        let (mut a, mut b, mut c) = (Seeds::new([1; 32]), Seeds::new([1; 32]), Seeds::new([2; 32]));
        let first: [u8; 48] = a.bytes();
        assert_eq!(first, b.bytes::<48>());
        assert_ne!(first, c.bytes::<48>());
        assert_ne!(first, a.bytes::<48>());
        assert_ne!(first[..16], first[32..]);
    }

    #[test]
    fn a_bounded_number_stays_below_its_bound() {
        let mut seeds = Seeds::new([7; 32]);
        let mut seen = [0u32; 6];
        for _ in 0..600 {
            seen[usize::try_from(seeds.below(6)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|n| *n > 50), "{seen:?}");
        assert_eq!(seeds.below(0), 0);
    }

    #[test]
    fn a_seed_is_never_printed() {
        assert_eq!(format!("{:?}", Seeds::new([0xAB; 32])), "Seeds(drawn 0)");
    }
}
