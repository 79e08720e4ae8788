//! When to dial again: doubling, bounded, jittered.

use std::time::Duration;

use ledger::id::DeviceId;
use sha2::{Digest, Sha256};

use crate::limits::{RETRY_MAX, RETRY_MIN};

/// Delays between attempts at one address. The same seed gives the same delays.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    seed: [u8; 32],
    drawn: u64,
    failures: u32,
    min: Duration,
    max: Duration,
}

impl Backoff {
    /// Delays from [`RETRY_MIN`] up to `max`, drawn from `seed` and the address, so that one device's addresses differ too.
    pub(crate) fn new(seed: [u8; 32], device: &DeviceId, addr: &str, max: Duration) -> Self {
        let seed = Sha256::new()
            .chain_update(seed)
            .chain_update(device.0)
            .chain_update(addr)
            .finalize()
            .into();
        Self {
            seed,
            drawn: 0,
            failures: 0,
            min: RETRY_MIN.min(max),
            max: max.min(RETRY_MAX),
        }
    }

    /// The delay after one more failure: between half and all of min × 2ⁿ.
    pub(crate) fn failed(&mut self) -> Duration {
        let full = self.min.saturating_mul(1 << self.failures.min(16)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        self.jittered(full)
    }

    /// A connection has stood: the next failure starts from the shortest delay.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    fn jittered(&mut self, full: Duration) -> Duration {
        let hash = Sha256::new()
            .chain_update(self.seed)
            .chain_update(self.drawn.to_be_bytes())
            .finalize();
        self.drawn += 1;
        let random = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
        full / 2 + (full / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_that_lost_the_same_hub_do_not_come_back_in_step() {
        let first = |device: u8| Backoff::new([1; 32], &DeviceId([device; 32]), "hub:7701", RETRY_MAX).failed();
        let delays: std::collections::BTreeSet<_> = (0..100).map(first).collect();
        assert!(delays.len() > 90);
        assert!(delays.iter().all(|d| (RETRY_MIN / 2..=RETRY_MIN).contains(d)));
    }

    #[test]
    fn delays_double_up_to_their_bound_and_start_anew_after_a_good_connection() {
        let mut backoff = Backoff::new([2; 32], &DeviceId([1; 32]), "hub:7701", Duration::from_secs(60));
        let delays: Vec<_> = (0..40).map(|_| backoff.failed()).collect();
        assert!(delays[3] > delays[0]);
        assert!(
            delays[20..]
                .iter()
                .all(|d| (Duration::from_secs(30)..=Duration::from_secs(60)).contains(d))
        );
        backoff.succeeded();
        assert!(backoff.failed() <= RETRY_MIN);
    }
}
