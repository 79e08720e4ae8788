//! Memory and queues stay within their limits, whatever happens.

use office::Load;

use super::{Check, Findings, Found};
use crate::world::Seat;

/// Frames that one office holds for one peer's network at once: what a round makes.
const OUTPUTS_PER_SESSION_MAX: usize = 4_096;
/// A session puts at most its window on the network and may owe answers beyond it; `replica` ends one that owes 16 MiB.
const UNWRITTEN_MAX: usize = 17 * 1024 * 1024;
/// Sessions that may catch up at once (`office::local`).
const CATCHING_UP_MAX: usize = 64;
/// Reasons for refusals that are remembered (`office::peers`).
const REFUSED_MAX: usize = 1_000;
/// What may be staged once a commit is through.
const STAGED_MAX: usize = 0;
/// Ticks in a row after which the next is due at once.
const RESTLESS_MAX: usize = 2_000;
/// Bytes of all frames that one office holds for one session.
const OUTPUT_BYTES_PER_SESSION_MAX: usize = UNWRITTEN_MAX;

/// `devices`: how many keys any device has ever had; no more of them can be met or heard of.
pub(super) fn check(seat: Seat, load: &Load, devices: usize, found: &mut Findings) {
    found.compared(Check::Limits, 1);
    let mut limit = |what: &str, is: usize, max: usize| {
        if is > max {
            let what = format!("{is} {what}, at most {max} are allowed");
            found.push(Found::new(Check::Limits, seat, what));
        }
    };
    limit("outputs", load.outputs, OUTPUTS_PER_SESSION_MAX * (load.sessions + 1));
    limit("bytes on their way to one peer", load.unwritten_max, UNWRITTEN_MAX);
    limit("sessions that catch up", load.catching_up, CATCHING_UP_MAX);
    limit("reasons of refusals", load.refused, REFUSED_MAX);
    limit("things staged after a commit", load.staged, STAGED_MAX);
    limit(
        "bytes of outputs",
        load.output_bytes,
        OUTPUT_BYTES_PER_SESSION_MAX * (load.sessions + 1),
    );
    limit("ticks without a rest", load.restless, RESTLESS_MAX);
    limit("devices met", load.seen, devices);
    limit("rooms heard of", load.heard, devices);
}
