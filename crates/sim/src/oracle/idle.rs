//! In step and without input nothing is said: a village line is thin, and an absent peer costs nothing.

use super::{Check, Findings, Found};
use crate::world::{Seat, World};

/// How long nobody touches anything.
const HOUR_MS: u64 = 3_600_000;
/// Frames in that hour, for each device: none but what clocks and health bring with them.
const FRAMES_PER_DEVICE: u64 = 4;

pub(super) fn check(world: &mut World, seats: &[Seat], found: &mut Findings) {
    found.compared(Check::Idle, seats.len());
    let before = world.traffic;
    world.pass(HOUR_MS);
    let frames = world.traffic.frames - before.frames;
    let allowed = FRAMES_PER_DEVICE * seats.len() as u64;
    if frames > allowed {
        let bytes = world.traffic.bytes - before.bytes;
        let what = format!("{frames} frames ({bytes} B) in an hour in which nothing happened, {allowed} are allowed");
        let seat = seats.first().copied().unwrap_or(Seat(0));
        found.push(Found::new(Check::Idle, seat, what));
    }
}
