//! How much to put on the line at once. Batches hold a quarter of a second of it, and never more than the window lies unwritten.

/// Bytes of ours that may wait for the network: what a village line carries in a few seconds. Beyond, the peer's or the line's slowness
/// is met by not reading from the disk.
const WINDOW_BYTES: usize = 256 * 1024;
const BATCH_BYTES_MIN: usize = 8 * 1024;
const BATCH_BYTES_MAX: usize = 64 * 1024;
const BATCH_MS: u64 = 250;
/// Inflated bytes per byte on the wire, at most: what is well compressed is also to be verified in one piece by the receiver.
const RATIO_MAX: usize = 6;

#[derive(Debug)]
pub(super) struct Pace {
    unwritten: usize,
    batch_bytes: usize,
    /// Inflated bytes per 16 bytes on the wire, as seen lately.
    ratio_16: usize,
    /// Since when bytes have been waiting for the network.
    since_ms: u64,
    written_since: usize,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            unwritten: 0,
            batch_bytes: BATCH_BYTES_MAX / 2,
            ratio_16: 32,
            since_ms: 0,
            written_since: 0,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.unwritten < WINDOW_BYTES
    }

    /// Bytes that wait for the network.
    pub(super) fn unwritten(&self) -> usize {
        self.unwritten
    }

    /// How many inflated bytes the next batch should hold.
    pub(super) fn batch_inflated(&self) -> usize {
        self.batch_bytes * self.ratio_16 / 16
    }

    pub(super) fn batched(&mut self, inflated: usize, wire: usize) {
        // Small batches say little about the ratio.
        if wire >= 1024 {
            let ratio = (inflated * 16 / wire).clamp(16, RATIO_MAX * 16);
            self.ratio_16 = (self.ratio_16 * 3 + ratio) / 4;
        }
    }

    pub(super) fn sent(&mut self, now_ms: u64, bytes: usize) {
        if self.unwritten == 0 {
            self.since_ms = now_ms;
            self.written_since = 0;
        }
        self.unwritten += bytes;
    }

    pub(super) fn written(&mut self, now_ms: u64, bytes: usize) {
        self.unwritten = self.unwritten.saturating_sub(bytes);
        self.written_since += bytes;
        if self.written_since < BATCH_BYTES_MIN {
            return;
        }
        let ms = now_ms.saturating_sub(self.since_ms).max(1);
        let carried = u64::try_from(self.written_since).unwrap_or(u64::MAX) * BATCH_MS / ms;
        let carried = usize::try_from(carried)
            .unwrap_or(usize::MAX)
            .clamp(BATCH_BYTES_MIN, BATCH_BYTES_MAX);
        self.batch_bytes = (self.batch_bytes + carried) / 2;
        if self.written_since >= 2 * WINDOW_BYTES {
            self.since_ms = now_ms;
            self.written_since = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_shrink_on_a_slow_line_and_grow_on_a_fast_one() {
        let mut pace = Pace::new();
        for s in 0..20 {
            pace.sent(s * 1_000, 16 * 1024);
            pace.written(s * 1_000 + 900, 16 * 1024);
        }
        assert!(pace.batch_bytes < 10 * 1024, "{}", pace.batch_bytes);
        for s in 20..40 {
            pace.sent(s * 1_000, 16 * 1024);
            pace.written(s * 1_000 + 2, 16 * 1024);
        }
        assert!(pace.batch_bytes > 60 * 1024, "{}", pace.batch_bytes);
    }

    #[test]
    fn a_line_that_takes_nothing_stops_the_sender() {
        let mut pace = Pace::new();
        for _ in 0..100 {
            if pace.has_room() {
                pace.sent(0, 64 * 1024);
            }
        }
        assert_eq!(pace.unwritten, WINDOW_BYTES);
        pace.written(5, 64 * 1024);
        assert!(pace.has_room());
    }
}
