//! The engine's way into the targets: libFuzzer calls this with one input after the other. Which target, says the environment.

#![no_main]

use std::sync::OnceLock;

use cunlian_fuzz::{ENGINE_TARGET, Target, check, named, quiet};

static TARGET: OnceLock<&'static Target> = OnceLock::new();

fn target() -> &'static Target {
    TARGET.get_or_init(|| {
        let name = std::env::var(ENGINE_TARGET).unwrap_or_default();
        named(&name).unwrap_or_else(|| panic!("{ENGINE_TARGET}={name}: no such target"))
    })
}

libfuzzer_sys::fuzz_target!(init: { quiet(); }, |data: &[u8]| {
    if let Err(broken) = check(target(), data) {
        eprintln!("{}: {broken}", target().name);
        std::process::abort();
    }
});
