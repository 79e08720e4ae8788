//! One seed, one story: a county is founded, days of faults go by, all is healed, and then everything must be in step.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::id::Tier;

use crate::county::County;
use crate::dice::Dice;
use crate::fault::Faults;
use crate::malice::{self, Malice};
use crate::will::{Rates, Will, tier_of};
use crate::world::{Seat, World};

const DAY_MS: u64 = 86_400_000;

/// How large and how long a story is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    pub townships: usize,
    pub rooms: usize,
    pub days: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            townships: 2,
            rooms: 9,
            days: 10,
        }
    }
}

/// What is done in a story, and when.
#[derive(Clone, Debug)]
pub struct Action {
    pub at_ms: u64,
    /// For whatever is chosen when it is done.
    pub seed: u64,
    pub what: What,
}

/// What may be done.
#[derive(Clone, Debug)]
pub enum What {
    /// Somebody at a device acts.
    Deed(Seat),
    /// Something befalls the membership.
    Malice(Malice),
}

/// How a story ended.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    pub seed: u64,
    /// What did not hold; `None`: all is well.
    pub failure: Option<String>,
    pub faults: Faults,
    /// Seconds that all devices together have lived.
    pub node_seconds: u64,
    /// The hash of everything seen; equal for two runs of one seed.
    pub trace: u64,
    pub events: u64,
}

/// Tells the story of one seed. Panics of the product are failures of the story.
pub fn run_seed(seed: u64, shape: &Shape) -> Verdict {
    let told = catch_unwind(AssertUnwindSafe(|| tell(seed, shape)));
    told.unwrap_or_else(|panic| Verdict {
        seed,
        failure: Some(format!("panic: {}", words(panic.as_ref()))),
        faults: Faults::default(),
        node_seconds: 0,
        trace: 0,
        events: 0,
    })
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

fn plan(seed: u64, shape: &Shape, county: &County) -> Vec<Action> {
    let mut dice = Dice::new(seed ^ 0x91a7);
    let seats: Vec<(Seat, Tier)> = county.members.iter().map(|m| (m.seat, tier_of(&m.unit))).collect();
    let mut actions = Vec::new();
    for (at_ms, seat) in Will::deeds(&Rates::default(), &seats, shape.days, &mut dice) {
        actions.push(Action {
            at_ms,
            seed: dice.u64(),
            what: What::Deed(seat),
        });
    }
    for day in 0..shape.days {
        if let Some(malice) = Malice::draw(&mut dice) {
            let at_ms = day * DAY_MS + dice.below(DAY_MS);
            actions.push(Action {
                at_ms,
                seed: dice.u64(),
                what: What::Malice(malice),
            });
        }
    }
    actions.sort_by_key(|a| a.at_ms);
    actions
}

fn tell(seed: u64, shape: &Shape) -> Verdict {
    let mut world = World::new(seed);
    let mut will = Will::default();
    let mut failure = None;
    match County::found(&mut world, shape.townships, shape.rooms) {
        Err(error) => failure = Some(format!("{error:#}")),
        Ok(mut county) => {
            for action in plan(seed, shape, &county) {
                world.run_until(action.at_ms);
                let mut dice = Dice::new(action.seed);
                match action.what {
                    What::Deed(seat) => {
                        will.act(&mut world, &county, seat, &mut dice);
                    }
                    What::Malice(malice) => {
                        malice.strike(&mut world, &mut county, &mut dice);
                    }
                }
            }
            malice::heal(&mut world, &mut county);
            world.pass(600_000);
            let mut oracle = std::mem::take(&mut world.oracle);
            oracle.end(&mut world);
            world.oracle = oracle;
        }
    }
    let found = world.oracle.violations();
    Verdict {
        seed,
        failure: failure.or_else(|| (!found.is_empty()).then(|| found.join("\n"))),
        faults: world.faults.clone(),
        node_seconds: world.device_ms / 1_000,
        trace: world.trace().hash(),
        events: world.trace().events(),
    }
}
