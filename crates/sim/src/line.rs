//! Lines: what becomes of bytes between two devices.
//!
//! QUIC gives the office an ordered, reliable stream, so packets that are lost, doubled or overtaken never reach it as such: below, each
//! frame is a row of packets, and their fate becomes **delay** (a timeout and a retransmission for a loss; waiting for the gap to close
//! for one overtaken) and **used-up rate** (for one that comes twice). What lasts beyond the idle timeout becomes a **lost connection**:
//! each end notices by itself, at its own time, and what was on its way is gone, also in the middle of a frame.

use crate::dice::Dice;
use crate::fault::{Faults, Kind};

/// Bytes of ours in one packet.
const PACKET_BYTES: usize = 1_200;
/// The delay from which on a line is a slow one.
const SLOW_MS: u64 = 61;

/// One direction of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conditions {
    pub delay_ms: u64,
    pub jitter_ms: u64,
    pub rate_kb_s: u64,
    /// Packets lost, doubled and overtaken, of a thousand.
    pub lost_pm: u64,
    pub doubled_pm: u64,
    pub overtaken_pm: u64,
}

impl Conditions {
    /// A village's fibre on a good day.
    pub const GOOD: Conditions = Conditions {
        delay_ms: 15,
        jitter_ms: 4,
        rate_kb_s: 1_000,
        lost_pm: 0,
        doubled_pm: 0,
        overtaken_pm: 0,
    };

    /// Whether anybody would call it slow.
    pub fn is_slow(&self) -> bool {
        self.delay_ms >= SLOW_MS
    }

    /// Conditions of an ordinary day, and worse ones now and then.
    pub fn draw(dice: &mut Dice) -> Self {
        let bad = dice.per_mille(300);
        Self {
            delay_ms: if bad {
                dice.between(50, 900)
            } else {
                dice.between(2, 60)
            },
            jitter_ms: if bad { dice.between(5, 400) } else { dice.between(0, 8) },
            rate_kb_s: if bad {
                dice.between(4, 80)
            } else {
                dice.between(64, 4_000)
            },
            lost_pm: if bad { dice.between(5, 120) } else { dice.below(6) },
            doubled_pm: dice.below(if bad { 20 } else { 4 }),
            overtaken_pm: dice.below(if bad { 60 } else { 6 }),
        }
    }
}

/// When bytes leave and when they arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passage {
    pub left_ms: u64,
    pub arrives_ms: u64,
}

/// One direction of one connection: what was sent before holds up what is sent after.
#[derive(Clone, Default, Debug)]
pub struct Lane {
    busy_until_ms: u64,
    last_arrival_ms: u64,
}

impl Lane {
    /// Sends a frame of so many bytes.
    pub fn send(
        &mut self,
        now_ms: u64,
        bytes: usize,
        conditions: &Conditions,
        dice: &mut Dice,
        faults: &mut Faults,
    ) -> Passage {
        let packets = bytes.div_ceil(PACKET_BYTES).max(1) as u64;
        let (mut lost, mut doubled, mut overtaken, mut rounds) = (0, 0, 0, 0);
        for _ in 0..packets {
            let mut tries = 0;
            while tries < 8 && dice.per_mille(conditions.lost_pm) {
                tries += 1;
            }
            lost += tries;
            rounds = tries.max(rounds);
            doubled += u64::from(dice.per_mille(conditions.doubled_pm));
            overtaken += u64::from(dice.per_mille(conditions.overtaken_pm));
        }
        faults.add(Kind::PacketLost, lost);
        faults.add(Kind::PacketDuplicated, doubled);
        faults.add(Kind::PacketReordered, overtaken);
        let on_wire = bytes as u64 + (lost + doubled) * PACKET_BYTES as u64;
        let left_ms = self.busy_until_ms.max(now_ms) + on_wire / conditions.rate_kb_s.max(1);
        self.busy_until_ms = left_ms;
        // A loss is noticed after about one round trip and a quarter, a second loss of the same packet after twice that.
        let probe = conditions.delay_ms * 5 / 2 + 25;
        let again = (0..rounds.min(6)).map(|n| probe << n).sum::<u64>();
        let gap = if overtaken > 0 { conditions.jitter_ms + 2 } else { 0 };
        let travel = conditions.delay_ms + dice.below(conditions.jitter_ms + 1) + again + gap;
        let arrives_ms = (left_ms + travel).max(self.last_arrival_ms);
        self.last_arrival_ms = arrives_ms;
        Passage { left_ms, arrives_ms }
    }

    /// When the last byte arrives that has been sent.
    pub fn last_arrival_ms(&self) -> u64 {
        self.last_arrival_ms
    }
}

/// When to dial again, as `net` does it: doubling from 200 ms to a minute, a random half of it left out.
#[derive(Clone, Default, Debug)]
pub struct Redial {
    failures: u32,
}

impl Redial {
    const MIN_MS: u64 = 200;
    const MAX_MS: u64 = 60_000;

    /// The delay after one more failure.
    pub fn failed(&mut self, dice: &mut Dice) -> u64 {
        let full = (Self::MIN_MS << self.failures.min(16)).min(Self::MAX_MS);
        self.failures = self.failures.saturating_add(1);
        full / 2 + dice.below(full / 2 + 1)
    }

    /// A connection stood for long enough.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Failures have gone on for so long that the delay is the longest.
    pub fn worn_out(&mut self) {
        self.failures = 16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_in_order_whatever_becomes_of_their_packets() {
        let (mut dice, mut faults, mut lane) = (Dice::new(3), Faults::default(), Lane::default());
        let bad = Conditions {
            delay_ms: 200,
            jitter_ms: 300,
            rate_kb_s: 8,
            lost_pm: 100,
            doubled_pm: 50,
            overtaken_pm: 100,
        };
        let mut last = 0;
        for n in 0..500 {
            let passage = lane.send(n * 100, 3_000, &bad, &mut dice, &mut faults);
            assert!(passage.arrives_ms >= last && passage.left_ms <= passage.arrives_ms);
            last = passage.arrives_ms;
        }
        assert!(faults.of(Kind::PacketLost) > 50 && faults.of(Kind::PacketReordered) > 50);
        // 500 × 3,000 B at 8 kB/s take more than three minutes.
        assert!(last > 180_000, "{last}");
    }

    #[test]
    fn delays_between_dials_double_up_to_a_minute() {
        let (mut redial, mut dice) = (Redial::default(), Dice::new(1));
        let delays: Vec<u64> = (0..20).map(|_| redial.failed(&mut dice)).collect();
        assert!(delays[0] <= 200 && delays[19] >= 30_000 && delays.iter().all(|d| *d <= 60_000));
        redial.succeeded();
        assert!(redial.failed(&mut dice) <= 200);
    }
}
