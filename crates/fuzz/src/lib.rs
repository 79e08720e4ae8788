//! Fuzz targets: one for each place where bytes come in that we did not write, or that a disk may have changed.
//!
//! ```text
//!  corpus/, regressions/ ──▶ tests (every `cargo nextest`)     ┐
//!  libFuzzer, coverage-guided ──▶ engine (`cunlian-fuzz run`)  ┴──▶ Target::check(bytes) ──▶ panics when a promise is broken
//! ```
//!
//! Each target has a promise beyond "does not panic": what is accepted is written back as the same bytes, or reads back the same; what
//! is set aside changes nothing; memory stays within a bound that follows from the input's length. Many readers begin with a
//! checksum or a signature, which random bytes never pass: such targets *repair* it first, so that the code behind it is reached.
//!
//! Why libFuzzer by `libfuzzer-sys` and our own small driver: the instrumentation that it needs is part of the stable compiler
//! (`-Cpasses=sancov-module`), so the house's one toolchain is enough; the only thing that a nightly compiler would add, address
//! sanitizing, finds nothing in a workspace that forbids unsafe code.

mod bytes;
mod disk;
pub mod home;
mod made;
pub mod seeds;
mod segment;
mod targets;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Names the target to the engine.
pub const ENGINE_TARGET: &str = "CUNLIAN_FUZZ_TARGET";

/// One place where foreign bytes come in.
#[derive(Clone, Copy)]
pub struct Target {
    pub name: &'static str,
    /// What is proved of every input, in words.
    pub promise: &'static str,
    /// Panics when the promise is broken.
    pub check: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Longer inputs are not tried.
    pub len_max: usize,
    /// What reading an input may hold at once: so many bytes, and so many more for each byte of the input.
    pub memory: (usize, usize),
}

/// All targets.
pub fn all() -> &'static [Target] {
    targets::ALL
}

/// The target of that name.
pub fn named(name: &str) -> Option<&'static Target> {
    all().iter().find(|target| target.name == name)
}

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// From here on panics are not printed: the readers catch some of a library's themselves, and a broken promise is told by [`check`].
pub fn quiet() {
    std::panic::set_hook(Box::new(|info| {
        let told = info.to_string();
        LAST_PANIC.with(|last| *last.borrow_mut() = told);
    }));
}

/// Gives one input to a target.
///
/// # Errors
/// What promise was broken, and where.
pub fn check(target: &Target, data: &[u8]) -> Result<(), String> {
    if data.len() > target.len_max {
        return Ok(());
    }
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    catch_unwind(AssertUnwindSafe(|| (target.check)(data)))
        .map_err(|_| LAST_PANIC.with(|last| last.borrow().clone()))?;
    let held = ALLOCATED.peak_usage().saturating_sub(before);
    let (fixed, per_byte) = target.memory;
    let bound = fixed + per_byte * data.len();
    if held > bound {
        return Err(format!(
            "{} bytes of input took {held} bytes of memory; {bound} are allowed",
            data.len()
        ));
    }
    Ok(())
}
