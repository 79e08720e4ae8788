//! What this process counts of its sessions, for operators: how long syncing took, how sessions ended, how much came in.

use replica::frame::{ByeReason, Ending, LastSession};
use replica::session::Reason;
use replica::time::Now;

/// Upper ends of the histogram of syncs, milliseconds: from a LAN to a line that takes an hour for a month of records.
pub(crate) const SYNC_MS: [u64; 12] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 15_000, 60_000, 300_000, 900_000, 3_600_000,
];

/// Counted since the process began.
#[derive(Default, Debug)]
pub(crate) struct Meters {
    /// Entries that came from peers and were new here.
    pub(crate) ingested: u64,
    /// Syncs by the first of [`SYNC_MS`] that they kept within; the last place is for longer ones.
    syncs: [u64; SYNC_MS.len() + 1],
    sync_ms: u64,
    /// Ends of sessions by [`Ending::ALL`].
    ended: [u64; Ending::ALL.len()],
}

impl Meters {
    /// A session came into step for the first time, so long after it began.
    pub(crate) fn synced(&mut self, ms: u64) {
        self.syncs[SYNC_MS.partition_point(|end| *end < ms)] += 1;
        self.sync_ms = self.sync_ms.saturating_add(ms);
    }

    pub(crate) fn ended(&mut self, ending: Ending) {
        if let Some(at) = Ending::ALL.iter().position(|one| *one == ending) {
            self.ended[at] += 1;
        }
    }

    /// Syncs that took at most each of [`SYNC_MS`], then all, and the sum of milliseconds.
    pub(crate) fn syncs(&self) -> (Vec<u64>, u64) {
        let mut sum = 0;
        let rising = self.syncs.iter().map(|n| {
            sum += n;
            sum
        });
        (rising.collect(), self.sync_ms)
    }

    /// How often sessions ended by each cause that is a failure.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (Ending, u64)> {
        let each = Ending::ALL.into_iter().zip(self.ended);
        each.filter(|(ending, _)| *ending != Ending::Left)
    }
}

/// What one session has come to so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    pub(crate) began: Now,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) entries: u64,
    /// Both sides have got to know each other.
    pub(crate) met: bool,
    pub(crate) in_step: bool,
    pub(crate) ended: Ending,
}

impl Meter {
    pub(crate) fn new(now: Now) -> Self {
        Self {
            began: now,
            bytes_in: 0,
            bytes_out: 0,
            entries: 0,
            met: false,
            in_step: false,
            // Unless somebody says something else.
            ended: Ending::Lost,
        }
    }

    pub(crate) fn over(&self, now: Now) -> LastSession {
        LastSession {
            began_ms: self.began.wall_ms,
            ended_ms: now.wall_ms,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            entries: self.entries,
            ended: self.ended,
        }
    }
}

/// What the end of a session is called.
pub(crate) fn ending(reason: &Reason) -> Ending {
    match reason {
        Reason::Done | Reason::Leaving => Ending::Left,
        Reason::Revoked | Reason::Held | Reason::NotAMember | Reason::JoinRefused => Ending::Refused,
        Reason::Version => Ending::Version,
        Reason::Timeout => Ending::Timeout,
        Reason::Fault => Ending::Fault,
        Reason::Peer(bye) => match bye.reason {
            ByeReason::Leaving => Ending::Left,
            ByeReason::Revoked | ByeReason::Held | ByeReason::NotAMember | ByeReason::JoinRefused => Ending::Refused,
            ByeReason::Version => Ending::Version,
            ByeReason::Fault => Ending::Fault,
            ByeReason::Timeout => Ending::Timeout,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_is_counted_in_every_span_that_it_kept_within() {
        let mut meters = Meters::default();
        [50, 51, 4_000_000].into_iter().for_each(|ms| meters.synced(ms));
        let (rising, sum) = meters.syncs();
        assert_eq!((rising[0], rising[1], rising[11], rising[12]), (1, 2, 2, 3));
        assert_eq!(sum, 4_000_101);
    }
}
