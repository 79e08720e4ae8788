//! Processes are killed at random moments: what was acknowledged is there after each restart.

use std::path::Path;

use cunlian_tests::kill::besiege;

#[test]
fn a_hundred_kills_lose_nothing_that_was_acknowledged() {
    // Four counties, so that none grows large and each ends in step.
    for seed in 0..4 {
        let tally = besiege(Path::new(env!("CARGO_BIN_EXE_cunlian-prove")), seed, 25);
        let tally = tally.unwrap_or_else(|error| panic!("{error:#}"));
        println!("seed {seed}: {tally:?}");
    }
}
