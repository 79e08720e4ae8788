//! A running hash of everything observable: two runs of one seed must have the same.

/// What was seen so far, in 64 bits. Not cryptographic: nobody forges a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trace {
    hash: u64,
    events: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            hash: 0x6a09_e667_f3bc_c908,
            events: 0,
        }
    }
}

impl Trace {
    /// Something happened: what kind of thing, when, to whom, with which bytes.
    pub fn note(&mut self, kind: u8, at_ms: u64, who: u64, bytes: &[u8]) {
        self.events += 1;
        self.mix(u64::from(kind) << 56 ^ at_ms);
        self.mix(who ^ (bytes.len() as u64) << 40);
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
        let mut word = [0; 8];
        word[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
        self.mix(u64::from_le_bytes(word));
    }

    fn mix(&mut self, word: u64) {
        self.hash = (self.hash ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25);
        self.hash ^= self.hash >> 32;
    }

    /// The hash up to now.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How many things have been noted.
    pub fn events(&self) -> u64 {
        self.events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_time_place_and_every_byte_count() {
        let hash = |notes: &[(u8, u64, u64, &[u8])]| {
            let mut trace = Trace::default();
            for (kind, at, who, bytes) in notes {
                trace.note(*kind, *at, *who, bytes);
            }
            trace.hash()
        };
        let base = hash(&[(1, 5, 2, b"abcdefghij"), (2, 5, 2, b"")]);
        assert_eq!(base, hash(&[(1, 5, 2, b"abcdefghij"), (2, 5, 2, b"")]));
        for other in [
            hash(&[(2, 5, 2, b""), (1, 5, 2, b"abcdefghij")]),
            hash(&[(1, 6, 2, b"abcdefghij"), (2, 5, 2, b"")]),
            hash(&[(1, 5, 3, b"abcdefghij"), (2, 5, 2, b"")]),
            hash(&[(1, 5, 2, b"abcdefghik"), (2, 5, 2, b"")]),
            hash(&[(1, 5, 2, b"abcdefghij\0"), (2, 5, 2, b"")]),
        ] {
            assert_ne!(base, other);
        }
    }
}
