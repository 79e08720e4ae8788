//! One seed, one story: a county is founded, days of faults go by, all is healed, and then everything must be in step.

mod agree;
mod shape;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) use agree::apart;
pub use shape::Shape;

use crate::blow::{Blow, Taste, Undo};
use crate::county::County;
use crate::dice::Dice;
use crate::fault::Faults;
use crate::line::Conditions;
use crate::malice::{self, Malice};
use crate::oracle::Check;
use crate::will::{Rates, Will};
use crate::world::{Seat, World};

const HOUR_MS: u64 = 3_600_000;
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;
/// After healing, everything must be in step within this: the longest delay between two dials, a catch-up on a good line, reports.
const HEALED_MS_MAX: u64 = 30 * 60_000;
/// How often that is looked at.
const LOOK_EVERY_MS: u64 = 30_000;
/// Two rounds of every keeper.
const ROUNDS_MS: u64 = 2 * HOUR_MS + 300_000;
/// What follows from a catch-up (reports, grants, codes) is done by then.
const SETTLE_MS: u64 = 120_000;
/// One seed in so many is run twice and must leave the same trace.
pub const TWICE_EVERY: u64 = 20;

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
    /// A line, disk, clock or process is struck.
    Blow(Blow),
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
    /// Seconds that all devices together have run.
    pub node_seconds: u64,
    /// The hash of everything seen; equal for two runs of one seed.
    pub trace: u64,
    /// How many things it was made of.
    pub events: u64,
    /// Actions of people that were carried out.
    pub deeds: u64,
    /// From healing to everything in step, milliseconds.
    pub healed_ms: Option<u64>,
    /// How often each check of the oracle has compared something.
    pub checks: BTreeMap<Check, u64>,
    /// Acknowledged entries that nobody owes any longer, because every disk that held them was harmed or is gone.
    pub excused: u64,
}

/// A story that can be told: again, in part, aloud.
#[derive(Clone, Debug)]
pub struct Story {
    pub seed: u64,
    pub shape: Shape,
    pub actions: Vec<Action>,
}

/// Who listens to a story while it happens.
pub type Listener<'a> = &'a mut dyn FnMut(&str);

/// Whether this is one of the seeds that are told twice. By chance: seeds that are counted off would all be even, or all odd.
pub fn is_told_twice(seed: u64) -> bool {
    Dice::new(seed ^ 0x7b1c_e000).below(TWICE_EVERY) == 0
}

/// Tells the story of one seed, one in [`TWICE_EVERY`] twice. Panics of the product are failures of the story.
pub fn run_seed(seed: u64, shape: &Shape) -> Verdict {
    let story = Story::draw(seed, shape);
    let mut verdict = story.run(None);
    if is_told_twice(seed) && verdict.failure.is_none() {
        let again = story.run(None);
        if again.trace != verdict.trace {
            verdict.failure = Some("two runs of this seed differ".to_owned());
        }
    }
    verdict
}

impl Story {
    /// The story that a seed stands for.
    pub fn draw(seed: u64, shape: &Shape) -> Self {
        let mut dice = Dice::new(seed ^ 0x91a7_57a6);
        let shape = shape.draw(&mut dice);
        let taste = Taste::draw(&mut dice);
        let mut actions = Vec::new();
        let mut add = |at_ms: u64, seed: u64, what: What| actions.push(Action { at_ms, seed, what });
        let rough = dice.between(1, 24);
        let room_acts = *dice.pick(&[1, 1, 2, 4]).unwrap_or(&2);
        let rates = Rates {
            room_acts,
            township_acts: room_acts + 1,
            county_acts: room_acts.div_ceil(2),
            ..Rates::default()
        };
        for (at_ms, seat) in Will::deeds(&rates, &shape.seats(), shape.days, &mut dice) {
            add(at_ms, dice.u64(), What::Deed(seat));
        }
        for day in 0..shape.days {
            for _ in 0..rough {
                let at_ms = day * DAY_MS + dice.between(6 * HOUR_MS, 20 * HOUR_MS);
                if let Some(blow) = Blow::draw(&taste, &mut dice, &shape) {
                    add(at_ms, dice.u64(), What::Blow(blow));
                }
            }
            if let Some(malice) = Malice::draw(&mut dice) {
                add(
                    day * DAY_MS + dice.between(6 * HOUR_MS, 20 * HOUR_MS),
                    dice.u64(),
                    What::Malice(malice),
                );
            }
        }
        actions.sort_by_key(|action| action.at_ms);
        Self { seed, shape, actions }
    }

    /// Lets it happen.
    pub fn run<'a>(&'a self, listener: Option<Listener<'a>>) -> Verdict {
        let mut run = Run::new(self, listener);
        // What was done and seen up to a panic is told all the same.
        let failure = catch_unwind(AssertUnwindSafe(|| run.happen()))
            .unwrap_or_else(|panic| Some(format!("panic: {}", words(panic.as_ref()))));
        run.verdict(failure)
    }
}

fn are_clocks_put_right(seed: u64) -> bool {
    Dice::new(seed ^ 0xc10c).per_mille(500)
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

/// A story while it happens.
struct Run<'a> {
    story: &'a Story,
    listener: Option<Listener<'a>>,
    world: World,
    will: Will,
    undo: BTreeMap<(u64, usize), Undo>,
    undone: usize,
    deeds: u64,
    healed_ms: Option<u64>,
    mishaps_told: usize,
}

impl<'a> Run<'a> {
    fn new(story: &'a Story, listener: Option<Listener<'a>>) -> Self {
        Self {
            story,
            listener,
            world: World::new(story.seed),
            will: Will::default(),
            undo: BTreeMap::new(),
            undone: 0,
            deeds: 0,
            healed_ms: None,
            mishaps_told: 0,
        }
    }

    /// What did not hold.
    fn happen(&mut self) -> Option<String> {
        let shape = self.story.shape;
        match County::found(&mut self.world, shape.townships, shape.rooms) {
            Err(error) => Some(format!("{error:#}")),
            Ok(mut county) => self.days(&mut county).or_else(|| self.end(&mut county)),
        }
    }

    fn verdict(mut self, failure: Option<String>) -> Verdict {
        self.world.collect_struck();
        Verdict {
            seed: self.story.seed,
            failure,
            faults: self.world.faults.clone(),
            node_seconds: self.world.device_ms / 1_000,
            trace: self.world.trace().hash(),
            events: self.world.trace().events(),
            deeds: self.deeds,
            healed_ms: self.healed_ms,
            checks: self.world.oracle.made().clone(),
            excused: self.world.oracle.lost_legitimately() + self.world.oracle.keys_lost_legitimately(),
        }
    }

    /// The days of faults. Ends at the first thing that does not hold.
    fn days(&mut self, county: &mut County) -> Option<String> {
        for action in &self.story.actions {
            self.until(action.at_ms);
            let mut dice = Dice::new(action.seed);
            match &action.what {
                What::Deed(seat) => {
                    self.deeds += 1;
                    let done = self.will.act(&mut self.world, county, *seat, &mut dice);
                    let who = self.world.name(*seat).to_owned();
                    self.tell(&who, &done);
                }
                What::Blow(blow) => {
                    let Some(blow) = blow.aimed(&self.world, county, &mut dice) else {
                        continue;
                    };
                    let who = blow.seat().map_or("lines", |seat| self.world.name(seat)).to_owned();
                    self.tell(&who, &blow.to_string());
                    if let Some((at_ms, undo)) = blow.strike(&mut self.world) {
                        self.undone += 1;
                        self.undo.insert((at_ms, self.undone), undo);
                    }
                }
                What::Malice(malice) => {
                    if let Some(done) = malice.strike(&mut self.world, county, &mut dice) {
                        self.tell("county", &done);
                    }
                }
            }
            if let Some(failure) = self.violated() {
                return Some(failure);
            }
        }
        let end = self.story.shape.days * DAY_MS;
        self.until(end.max(self.world.now_ms()));
        self.violated()
    }

    fn violated(&mut self) -> Option<String> {
        let found = self.world.oracle.violations();
        let failure = (!found.is_empty()).then(|| found.join("\n"));
        if let Some(failure) = &failure {
            let failure = failure.clone();
            self.tell("oracle", &failure);
        }
        failure
    }

    fn until(&mut self, at_ms: u64) {
        while let Some((&(due, n), undo)) = self.undo.first_key_value()
            && due <= at_ms
        {
            let undo = *undo;
            self.undo.remove(&(due, n));
            self.world.run_until(due);
            undo.strike(&mut self.world);
        }
        self.world.run_until(at_ms);
        self.tell_mishaps();
    }

    fn tell_mishaps(&mut self) {
        let new = self
            .world
            .mishaps
            .split_off(self.mishaps_told.min(self.world.mishaps.len()));
        for (at_ms, seat, why) in &new {
            let who = self.world.name(*seat).to_owned();
            self.tell_at(*at_ms, &who, why);
        }
        self.mishaps_told += new.len();
        self.world.mishaps.extend(new);
    }

    fn tell(&mut self, who: &str, what: &str) {
        self.tell_at(self.world.now_ms(), who, what);
    }

    fn tell_at(&mut self, at_ms: u64, who: &str, what: &str) {
        if let Some(listener) = &mut self.listener {
            let (day, s) = (at_ms / DAY_MS, at_ms % DAY_MS / 1_000);
            let time = format!("day {day:>2} {:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60);
            listener(&format!("{time}  {who:<14} {what}"));
        }
    }

    /// All is healed; then everything must be in step, stay so, and be quiet.
    fn end(&mut self, county: &mut County) -> Option<String> {
        if let Some(failure) = self.heal(county) {
            self.tell("end", &failure);
            return Some(failure);
        }
        let healed = self.world.now_ms();
        if let Some(failure) = self.until_in_step(county) {
            return Some(failure);
        }
        self.healed_ms = Some(self.world.now_ms() - healed);
        self.tell("end", "everything is in step");
        self.world.oracle.healed();
        // Damage that nobody has read is found by the keepers' rounds, and fetched again. What follows from that settles; that nothing
        // is said afterwards is the oracle's to see.
        self.world.pass(ROUNDS_MS);
        if let Some(failure) = self.until_in_step(county) {
            return Some(failure);
        }
        self.world.pass(SETTLE_MS);
        let mut oracle = std::mem::take(&mut self.world.oracle);
        oracle.end(&mut self.world);
        self.world.oracle = oracle;
        self.tell_mishaps();
        self.violated()
    }

    fn until_in_step(&mut self, county: &County) -> Option<String> {
        let until = self.world.now_ms() + HEALED_MS_MAX;
        let mut apart = agree::apart(&mut self.world, county);
        while !apart.is_empty() && self.world.now_ms() < until {
            self.world.pass(LOOK_EVERY_MS);
            self.tell_mishaps();
            apart = agree::apart(&mut self.world, county);
        }
        if apart.is_empty() {
            return None;
        }
        let failure = format!("not in step half an hour after all was healed:\n{}", apart.join("\n"));
        self.tell("end", &failure);
        Some(failure)
    }

    /// Why not everything can be healed.
    fn heal(&mut self, county: &mut County) -> Option<String> {
        self.tell("end", "everything is healed");
        for (_, undo) in std::mem::take(&mut self.undo) {
            undo.strike(&mut self.world);
        }
        for line in self.world.line_ids() {
            self.world.set_conditions(line, [Conditions::GOOD; 2]);
            self.world.unblock(line);
        }
        // In every other story nobody ever puts a clock right: nothing may hang on it.
        let clocks_right = are_clocks_put_right(self.story.seed);
        for seat in self.world.seats() {
            self.world.collect_struck();
            self.world.disk(seat).mend();
            self.world.set_round_ms(seat, 8);
            let now = self.world.now_ms();
            if clocks_right {
                self.world.clock_mut(seat).put_right(now);
            }
        }
        let left = malice::heal(&mut self.world, county);
        for seat in county.present() {
            self.world.start(seat);
        }
        left.map(|left| format!("not healed: {left}"))
    }
}
