//! What is going to happen, by time and then by the order of its making.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::Seat;
use super::connection::ConnectionId;
use super::transport::LineId;

/// Something that happens at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    Round {
        seat: Seat,
        process: u64,
    },
    Tick {
        seat: Seat,
        process: u64,
    },
    Start {
        seat: Seat,
        process: u64,
    },
    /// A line is dialled.
    Dial {
        line: LineId,
        attempt: u64,
    },
    /// The handshake is done.
    Stand {
        line: LineId,
        attempt: u64,
    },
    /// Bytes of `end` have left for the network.
    Left {
        connection: ConnectionId,
        end: usize,
        bytes: usize,
    },
    /// The next frame that `end` sent arrives at the other.
    Arrive {
        connection: ConnectionId,
        end: usize,
    },
    /// An end finds out that nothing comes any more; `blocked`: only if it is still so since then.
    Notice {
        connection: ConnectionId,
        end: usize,
        blocked: Option<u64>,
    },
    /// A direction of a line works again.
    Unblock {
        line: LineId,
        direction: usize,
        epoch: u64,
    },
}

struct Due {
    at_ms: u64,
    order: u64,
    event: Event,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        // The earliest is the greatest, as the heap gives the greatest first.
        (other.at_ms, other.order).cmp(&(self.at_ms, self.order))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

#[derive(Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Due>,
    made: u64,
}

impl Queue {
    pub(super) fn push(&mut self, at_ms: u64, event: Event) {
        self.made += 1;
        let order = self.made;
        self.heap.push(Due { at_ms, order, event });
    }

    /// The next event up to and with a time.
    pub(super) fn pop_until(&mut self, until_ms: u64) -> Option<(u64, Event)> {
        if self.heap.peek()?.at_ms > until_ms {
            return None;
        }
        self.heap.pop().map(|due| (due.at_ms, due.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_as_they_were_made() {
        let mut queue = Queue::default();
        let tick = |n| Event::Tick {
            seat: Seat(n),
            process: 0,
        };
        for (at, n) in [(5, 1), (3, 2), (5, 3), (9, 4)] {
            queue.push(at, tick(n));
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop_until(5)).collect();
        assert_eq!(order, vec![(3, tick(2)), (5, tick(1)), (5, tick(3))]);
        assert_eq!(queue.pop_until(9), Some((9, tick(4))));
    }
}
