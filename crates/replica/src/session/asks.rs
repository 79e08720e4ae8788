//! How much a peer may ask for: questions cost the one who answers more than the one who asks.
//!
//! Why a budget of a peer and not of a connection: a key may connect several times. Why what is over is not answered at all: an honest
//! peer never comes near, and one that asks without end must not be served by turns with those who have work to do.

use std::collections::BTreeMap;

use ledger::id::DeviceId;

use crate::frame::{Frame, Inbound, Speech};
use crate::limits::{ASK_READS_PER_S, ASK_READS_SAVED};

/// What each peer has asked for lately. One for an office; answers [`super::Local::ask`].
#[derive(Debug)]
pub struct Asks {
    per_s: u64,
    saved: u64,
    /// What is used up of the reads saved, and as of when.
    used: BTreeMap<DeviceId, (u64, u64)>,
}

impl Default for Asks {
    /// With the limits of [`crate::limits`].
    fn default() -> Self {
        Self::new(ASK_READS_PER_S, ASK_READS_SAVED)
    }
}

impl Asks {
    /// So many reads a second, of which so many may be saved up.
    pub fn new(per_s: u64, saved: u64) -> Self {
        assert!(per_s > 0 && saved > 0, "nobody could ever ask");
        Self {
            per_s,
            saved,
            used: BTreeMap::new(),
        }
    }

    /// Counts `reads` of `peer` at `mono_ms`. Once what was saved is used up: an error, with the milliseconds until there is something
    /// again. What passes the limit is still answered, so that no single question can be too long for ever.
    pub fn take(&mut self, mono_ms: u64, peer: &DeviceId, reads: u64) -> Result<(), u64> {
        let (used, at_ms) = self.used.get(peer).copied().unwrap_or((0, mono_ms));
        let again = mono_ms.saturating_sub(at_ms).saturating_mul(self.per_s) / 1_000;
        let now = used.saturating_sub(again);
        if now >= self.saved {
            return Err((now - self.saved) * 1_000 / self.per_s + 1_000);
        }
        self.used.insert(*peer, (now.saturating_add(reads), mono_ms));
        Ok(())
    }

    /// Forgets a peer that has gone, unless it has something to wait for.
    pub fn forget(&mut self, mono_ms: u64, peer: &DeviceId) {
        let rested = self
            .used
            .get(peer)
            .is_none_or(|(used, at_ms)| mono_ms.saturating_sub(*at_ms).saturating_mul(self.per_s) / 1_000 >= *used);
        if rested {
            self.used.remove(peer);
        }
    }
}

/// What it takes to answer a frame, in reads of the index; 0 for what is no question.
pub(super) fn reads(frame: &Inbound) -> u64 {
    /// Finding an ancestor walks the log's branches and reads a hash from the journal.
    const ANCESTOR: usize = 8;
    let reads = match frame {
        Frame::HashAsk(ask) => 1 + ANCESTOR * ask.seqs.len(),
        Frame::KeyAsk(ask) => 1 + ask.keys.len(),
        Frame::Digests(digests) if digests.speech == Speech::Ask => 1 + 4 * digests.scopes.len(),
        Frame::Vectors(vectors) if vectors.speech == Speech::Ask => {
            vectors.scopes.iter().map(|(_, vector)| 4 + vector.logs.len()).sum()
        }
        Frame::Marks(marks) => 1 + marks.marks.len(),
        _ => 0,
    };
    u64::try_from(reads).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_asks_without_end_waits_and_others_do_not() {
        let mut asks = Asks::new(100, 1_000);
        let (wild, calm) = (DeviceId([1; 32]), DeviceId([2; 32]));
        for _ in 0..10 {
            assert_eq!(asks.take(0, &wild, 100), Ok(()));
        }
        let wait = asks.take(0, &wild, 100).unwrap_err();
        assert!((1_000..2_000).contains(&wait), "{wait}");
        // Gone and back again: it is remembered.
        asks.forget(5, &wild);
        assert!(asks.take(5, &wild, 1).is_err());
        assert_eq!(asks.take(5, &calm, 1), Ok(()));
        assert_eq!(asks.take(wait, &wild, 100), Ok(()));
        asks.forget(60_000, &wild);
        assert!(!asks.used.contains_key(&wild));
    }
}
