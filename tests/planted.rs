//! Planted bugs: faults put into our own shipped code, one at a time, to see that a named check goes red.
//!
//! ```text
//!   tests/planted/*.toml ─▶ Bug ─▶ tree (a copy) ─▶ check: build, run one test ─▶ caught, survived or broken
//! ```
//!
//! A suite that stays green over broken code promises nothing. Each [`Bug`] names the words to exchange in one file and the one test
//! that has to fail by them; the working tree is never touched. README.md beside the lists tells how to add one.

mod bug;
mod check;
mod outcome;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context;

pub use bug::{Bug, Check, bugs, faults, of_day};
pub use outcome::{Outcome, Tally, Told};

use check::Bench;
use tree::Tree;

/// Where a run works and who may end it.
pub struct Run<'a> {
    /// The workspace whose code and tests are judged.
    pub root: &'a Path,
    /// Raised from outside; what has been found by then is kept.
    pub stop: &'a AtomicBool,
}

impl Run<'_> {
    /// Plants each bug of `chosen` in a copy of the tree, builds and runs its check, and takes it out again; `each` hears of every
    /// outcome as it comes. Every check has been seen green on the clean copy before.
    ///
    /// # Errors
    /// When there is no scratch folder, no cargo, or another run has the scratch folder.
    pub fn prove(&self, chosen: &[Bug], each: &mut dyn FnMut(&Told)) -> anyhow::Result<Tally> {
        let mut tree = Tree::copy(self.root)?;
        let bench = Bench::new(&tree, self.stop);
        let mut tally = Tally::default();
        for target in chosen.iter().map(|bug| bug.check.target()).collect::<BTreeSet<_>>() {
            let checks = chosen.iter().map(|bug| &bug.check);
            let checks: BTreeSet<&Check> = checks.filter(|check| check.target() == target).collect();
            let green = self.see_green(&bench, &checks)?;
            for bug in chosen.iter().filter(|bug| bug.check.target() == target) {
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(tally);
                }
                let began = Instant::now();
                let outcome = match green.get(&bug.check) {
                    Some(Ok(())) => match tree.plant(bug) {
                        Ok(()) => bench.run(&bug.check)?.with_bug(bug),
                        Err(why) => Outcome::Broken(why.to_string()),
                    },
                    Some(Err(why)) => Outcome::Broken(why.clone()),
                    None => return Ok(tally),
                };
                tree.heal()?;
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(tally);
                }
                let told = Told::new(bug, outcome, began.elapsed());
                each(&told);
                tally.told.push(told);
            }
        }
        Ok(tally)
    }

    /// Builds one target of the clean tree and runs all these checks of it.
    fn see_green<'c>(&self, bench: &Bench<'_>, checks: &BTreeSet<&'c Check>) -> anyhow::Result<Green<'c>> {
        let mut green = Green::new();
        let Some(first) = checks.first() else { return Ok(green) };
        let built = bench.build(first)?;
        for check in checks {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let state = match &built {
                Ok(program) => bench
                    .test(program, check)
                    .context("running a check on the clean tree")?
                    .must_be_green(),
                Err(seen) => seen.must_be_green(),
            };
            green.insert(check, state);
        }
        Ok(green)
    }
}

/// How each check did without any bug.
type Green<'c> = BTreeMap<&'c Check, Result<(), String>>;
