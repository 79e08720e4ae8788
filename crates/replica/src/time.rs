//! Time as an argument: nothing in the pure crates reads a clock.

/// One moment on both clocks of a device.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Now {
    /// The wall clock, UTC milliseconds. Shown to people; may jump; orders nothing.
    pub wall_ms: i64,
    /// Milliseconds that only rise, from any start. All timers count with it.
    pub mono_ms: u64,
}
