//! Every target as an ordinary test: over the seeds, the inputs of the tree, those that once broke a promise, and some thousand that
//! are made from them by chance. The engine looks further; this makes sure that nothing found once comes back unseen.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helpers may fail like the test"
)]

use cunlian_fuzz::{Target, check, home, named};
use ledger::seed::Seeds;

/// Changed inputs tried of each target; about a second.
const CHANGED: u64 = 3_000;

fn holds(name: &str) {
    let target = named(name).unwrap();
    cunlian_fuzz::quiet();
    let mut inputs: Vec<(String, Vec<u8>)> = Vec::new();
    for folder in [home::corpus(target), home::regressions(target)] {
        inputs.extend(home::inputs(&folder).unwrap());
    }
    let kept = home::inputs(&home::corpus(target)).unwrap();
    assert!(!kept.is_empty(), "no corpus is kept of {name}");
    for (number, seed) in (target.seeds)().into_iter().enumerate() {
        inputs.push((format!("seed {number}"), seed));
    }
    for (from, input) in &inputs {
        tried(target, input, from);
    }
    let seed = [7; 32];
    let mut chance = Seeds::new(seed);
    for number in 0..CHANGED {
        let (from, input) = &inputs[chance.below(inputs.len() as u64) as usize];
        let changed = changed(input, &inputs, &mut chance);
        tried(target, &changed, &format!("{from}, change {number} of seed {seed:?}"));
    }
}

fn tried(target: &Target, input: &[u8], from: &str) {
    if let Err(broken) = check(target, input) {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        eprintln!("{}: {broken}\n  from {from}\n  input {hex}", target.name);
        std::process::exit(1);
    }
}

/// One to four small changes, as engines make them.
fn changed(input: &[u8], all: &[(String, Vec<u8>)], chance: &mut Seeds) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() as u64 + 1) as usize;
        match chance.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 if at < bytes.len() => bytes[at] = chance.below(256) as u8,
            2 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][chance.below(5) as usize],
            3 => bytes.truncate(at),
            4 => bytes.insert(at, chance.below(256) as u8),
            5 => {
                let end = (at + chance.below(16) as usize).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let other = &all[chance.below(all.len() as u64) as usize].1;
                let from = chance.below(other.len() as u64 + 1) as usize;
                let piece = &other[from..(from + chance.below(64) as usize).min(other.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
    bytes
}

/// One test for each target, so that each runs in a process of its own, and a list that must be all of them.
macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                holds(stringify!($name));
            }
        )*

        #[test]
        fn every_target_is_tested_here() {
            let tested = [$(stringify!($name)),*];
            let all: Vec<&str> = cunlian_fuzz::all().iter().map(|target| target.name).collect();
            assert_eq!(tested.to_vec(), all);
        }
    };
}

targets!(
    frame,
    batch,
    run,
    entry,
    receipt,
    introduction,
    ticket,
    change,
    journal,
    vault,
    trail,
    form,
    daybook,
    tables,
    api,
    config,
);
