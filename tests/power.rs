//! Power cuts on the real store: the system calls of a real run are recorded, and what a disk could hold is rebuilt for any cut.
//!
//! ```text
//!   record ──strace──▶ trace ──cut, weather──▶ media ──files──▶ check: opened, every promise kept, goes on
//! ```

pub(crate) mod calls;
pub mod check;
pub mod media;
pub mod points;
pub mod record;
pub mod trace;

use std::path::PathBuf;

use ledger::seed::Seeds;

/// A file system in memory where there is one: syncs cost nothing there, and the trace tells about them all the same.
pub fn scratch() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

/// A stream of its own for every seed.
pub fn seeds(seed: u64) -> Seeds {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    Seeds::new(bytes)
}
