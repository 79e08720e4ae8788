//! What must always hold. Answers are looked at after every command, queues after every round, a device's own promises whenever it
//! opens; receipts, chains, authors, tiers and some records at every `COMMITS_BETWEEN`th commit of a device; all of it when all is
//! healed.
//!
//! The oracle has its own memory and its own arithmetic: it opens copies of disks as they would be after a power cut, walks chains
//! entry by entry, reckons tiers from receipts without the shortcuts of `office`, and folds records anew. It changes nothing.
//!
//! **When a loss is legitimate.** An acknowledged entry may be lost only when every disk that ever held it durably was harmed (rotted,
//! wiped, put back to an older copy) or is in other hands. That is decided at the moment of the harm: if no other disk of the county
//! holds the entry then, nobody owes it any longer, and it is counted. All others are owed, for ever and in all tiers. For the key of a
//! record it is the same, and more has to be proved: see `keys`.

mod authors;
mod chains;
mod cuts;
mod durable;
mod findings;
mod idle;
mod keys;
mod limits;
mod promises;
mod receipts;
mod refold;
mod states;
#[cfg(test)]
mod tests;
mod tiers;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ledger::id::{DeviceId, RecordId, Tier, UnitId};
use office::Office;
use office::command::{Command, CommandError};
use replica::session::PeerError;
use serde_json::Value;

use crate::dice::Dice;
use crate::world::{Seat, World};
use authors::Posts;
use cuts::Cuts;
use durable::Disks;
use findings::Findings;
pub use findings::Found;
use keys::KeysLost;
use promises::Promises;
use receipts::Lossy;
use states::States;

/// When the oracle looks.
#[derive(Debug)]
pub enum Moment<'a> {
    /// A person asked for something and was answered.
    Commanded {
        seat: Seat,
        command: &'a Command,
        answer: &'a Result<Value, CommandError>,
    },
    /// A round has committed; nothing that follows from it has left yet.
    Committed { seat: Seat },
    /// A round is over, whether or not anything was committed.
    Round { seat: Seat },
    /// An office was opened.
    Opened { seat: Seat },
    /// A disk is about to hold less than it does.
    Harming { seat: Seat },
    /// A disk holds less than it did: rot, an older copy put back, a deleted folder.
    Harmed { seat: Seat },
    /// A device says that a peer does what no peer may do. `tampered`: somebody had his hands on the line.
    Blamed {
        seat: Seat,
        peer: Seat,
        fault: &'a PeerError,
        tampered: bool,
    },
    /// A process ended by itself, or an office did not open. `struck`: a fault of its disk had struck since it began.
    Mishap { seat: Seat, why: &'a str, struck: bool },
}

/// What is checked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Check {
    /// No acknowledged entry is lost.
    Kept,
    /// Equal entries give byte-equal state.
    SameState,
    /// Rows are what the journal folds to.
    Refold,
    /// Void events change no state.
    Void,
    /// Receipts never say more than is durable where they say it.
    Receipts,
    /// A tier is shown only when it is true.
    Tiers,
    /// Chains are gapless, and signed by their authors.
    Chains,
    /// Only who is entitled writes, and nothing above a cut counts.
    Foreign,
    /// Memory and queues stay within their limits.
    Limits,
    /// In step and without input nothing is said.
    Idle,
    /// What is told to people is so.
    Words,
    /// In the end all hold the same.
    InStep,
    /// Nobody honest is blamed for anything, and no process ends but for a fault of its disk.
    Blame,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Check::Kept => "kept",
            Check::SameState => "same state",
            Check::Refold => "refold",
            Check::Void => "void",
            Check::Receipts => "receipts",
            Check::Tiers => "tiers",
            Check::Chains => "chains",
            Check::Foreign => "foreign",
            Check::Limits => "limits",
            Check::Idle => "idle",
            Check::Words => "words",
            Check::InStep => "in step",
            Check::Blame => "blame",
        })
    }
}

/// Between two deep looks at one device lie so many of its commits.
const COMMITS_BETWEEN: u64 = 60;
/// Of so many answers of a device whose disk nothing has harmed, one is held against the disk at once.
const ANSWERS_BETWEEN: u64 = 6;
/// Records looked at in one deep look.
const RECORDS_SAMPLED: usize = 6;
/// Beyond so many violations nothing more is written down: the first ones tell the story.
const VIOLATIONS_MAX: usize = 40;

/// What it remembers, and what it found.
pub struct Oracle {
    violations: Vec<String>,
    checks: BTreeSet<Check>,
    promises: Promises,
    posts: Posts,
    cuts: Cuts,
    keys: KeysLost,
    states: States,
    lossy: Lossy,
    disks: Disks,
    commits: BTreeMap<Seat, u64>,
    /// The key of each device when it was last opened.
    devices: BTreeMap<Seat, DeviceId>,
    /// Every key that any device has had.
    ever: BTreeSet<DeviceId>,
    /// Devices whose disk was harmed: what depends on their vault is looked at in the end only.
    harmed: BTreeSet<Seat>,
    /// Records that were forged, which nobody has keys for.
    pub(crate) forged: BTreeSet<RecordId>,
    /// Who has written what no honest program writes.
    pub(crate) forgers: BTreeSet<Seat>,
    /// All lines and programs are honest again: only who is out may still be blamed.
    healed: bool,
    /// Devices that are hubs, up or down.
    hubs: BTreeSet<Seat>,
    /// In other hands or thrown away: nothing is expected of them.
    gone: BTreeSet<Seat>,
    dice: Dice,
    /// How often each check has compared something, so that one that never does is seen.
    made: BTreeMap<Check, u64>,
}

impl Default for Oracle {
    fn default() -> Self {
        Self {
            violations: Vec::new(),
            checks: BTreeSet::new(),
            promises: Promises::default(),
            posts: Posts::default(),
            cuts: Cuts::default(),
            keys: KeysLost::default(),
            states: States::default(),
            lossy: Lossy::default(),
            disks: Disks::default(),
            commits: BTreeMap::new(),
            devices: BTreeMap::new(),
            ever: BTreeSet::new(),
            harmed: BTreeSet::new(),
            forged: BTreeSet::new(),
            forgers: BTreeSet::new(),
            healed: false,
            hubs: BTreeSet::new(),
            gone: BTreeSet::new(),
            dice: Dice::new(0x0ac1e),
            made: BTreeMap::new(),
        }
    }
}

impl Oracle {
    /// Looks. Called by the world; must not change anything.
    pub fn watch(&mut self, world: &World, moment: &Moment<'_>) {
        let mut found = Findings::default();
        match *moment {
            Moment::Commanded { seat, command, answer } if !self.gone.contains(&seat) => {
                words::answered(world, seat, command, answer, &mut found.found);
                if let Ok(answer) = answer {
                    let harmed = self.harmed.contains(&seat);
                    let looks = harmed || self.dice.below(ANSWERS_BETWEEN) == 0;
                    let disks = looks.then_some(&mut self.disks);
                    self.promises.note(world, seat, (disks, harmed), &mut found);
                    keys::check_new(world, seat, command, answer, &mut found);
                }
                if let (Command::CaseList(_) | Command::CaseShow(_), Ok(answer)) = (command, answer)
                    && let Some(office) = world.office(seat)
                {
                    self.sight(world, &self.lossy)
                        .check_answer(seat, office, answer, &mut found);
                }
            }
            Moment::Commanded { seat, command, answer } => {
                if let Some(device) = world.device_of(seat) {
                    self.cuts.answered(device, command, answer);
                }
            }
            Moment::Committed { seat } => self.committed(world, seat, &mut found),
            Moment::Round { seat } => {
                if let Some(office) = world.office(seat) {
                    limits::check(seat, &office.load(), self.ever.len(), &mut found);
                }
            }
            Moment::Opened { seat } => {
                if let Some(device) = world.device_of(seat) {
                    self.devices.insert(seat, device);
                    self.ever.insert(device);
                }
                if !self.gone.contains(&seat) {
                    self.promises.check_own(world, seat, &mut found);
                }
            }
            Moment::Harming { seat } => self.keys.before(world, seat, &mut self.disks),
            Moment::Harmed { seat } => self.harmed(world, seat, &mut found),
            Moment::Blamed {
                seat,
                peer,
                fault,
                tampered,
            } => self.blamed((world.name(peer), peer), seat, fault, tampered, &mut found),
            Moment::Mishap { seat, why, struck } => {
                found.compared(Check::Blame, 1);
                if !struck && !self.gone.contains(&seat) {
                    let what = format!("its process ended, and nothing had befallen its disk: {why}");
                    found.push(Found::new(Check::Blame, seat, what));
                }
            }
        }
        self.take(world, found);
    }

    /// As [`Oracle::watch`], of a county too large for deep looks while it runs: what is needed for looking at all of it at the end.
    pub fn follow(&mut self, world: &World, moment: &Moment<'_>) {
        if let Moment::Committed { seat } = *moment {
            self.note_tier(world, seat);
        } else {
            self.watch(world, moment);
        }
    }

    fn note_tier(&mut self, world: &World, seat: Seat) {
        let tier = world.office(seat).and_then(tier_of);
        if tier.is_some_and(|tier| tier > Tier::Room) {
            self.hubs.insert(seat);
        }
    }

    fn blamed(&self, (name, peer): (&str, Seat), seat: Seat, fault: &PeerError, tampered: bool, found: &mut Findings) {
        if self.gone.contains(&seat) {
            return;
        }
        found.compared(Check::Blame, 1);
        let cause = tampered || self.forgers.contains(&peer);
        if !self.gone.contains(&peer) && (self.healed || !cause) {
            let what = format!("it blames {name}, who has done nothing: {fault}");
            found.push(Found::new(Check::Blame, seat, what));
        }
    }

    /// Somebody entitled has let a device in at a unit with this code.
    pub fn let_in(&mut self, device: DeviceId, unit: UnitId, code: &str) {
        self.posts.let_in(device, unit, code);
    }

    /// A hub has answered that a device is out.
    pub fn taken_out(&mut self, device: DeviceId, by: Seat) {
        self.cuts.taken_out(device, by);
    }

    /// A hub has answered that what a device wrote may count after all.
    pub fn let_count(&mut self, device: DeviceId) {
        self.cuts.let_count(device);
    }

    /// From now on no line and no program is dishonest, but those in other hands.
    pub fn healed(&mut self) {
        self.healed = true;
    }

    fn committed(&mut self, world: &World, seat: Seat, found: &mut Findings) {
        self.note_tier(world, seat);
        let Some(office) = world.office(seat) else { return };
        let commits = self.commits.entry(seat).or_default();
        *commits += 1;
        if commits.is_multiple_of(COMMITS_BETWEEN) && !self.gone.contains(&seat) {
            self.look(world, seat, office, found);
        }
    }

    /// A deep look at one device: a few of its records, one of its logs, its receipts.
    fn look(&mut self, world: &World, seat: Seat, office: &Office, found: &mut Findings) {
        receipts::check_own(world, seat, office, &self.lossy, &mut self.disks, found);
        chains::check_one((seat, self.harmed.contains(&seat)), office, &mut self.dice, found);
        self.posts.check(seat, office, found);
        self.sight(world, &self.lossy).check_reach(seat, office, found);
        let Ok(rows) = office.record_rows() else { return };
        if !office.is_current() {
            return;
        }
        for _ in 0..RECORDS_SAMPLED {
            let Some((of, row)) = self.dice.pick(&rows).cloned() else {
                break;
            };
            self.sight(world, &self.lossy)
                .check_record(seat, office, of, &row, found);
            // A book of which a part is being fetched again is not what its digest says.
            if !self.harmed.contains(&seat) {
                self.states.check(seat, office, of, row, found);
            }
        }
    }

    fn sight<'a>(&'a self, world: &'a World, lossy: &'a Lossy) -> tiers::Sight<'a> {
        tiers::Sight {
            world,
            devices: &self.devices,
            hubs: &self.hubs,
            gone: &self.gone,
            lossy,
        }
    }

    fn harmed(&mut self, world: &World, seat: Seat, found: &mut Findings) {
        self.disks.forget(seat);
        self.harmed.insert(seat);
        self.cuts.harmed(seat);
        self.lossy.note(world, seat, &self.devices);
        let excepted = (&self.gone, &self.harmed);
        self.promises.reckon(world, seat, excepted, &mut self.disks, found);
        self.keys.after(world, seat, &self.gone, &mut self.disks);
    }

    /// A device is in other hands, or thrown away: what only its disk holds is owed no longer.
    pub fn gone(&mut self, world: &World, seat: Seat) {
        self.keys.before(world, seat, &mut self.disks);
        self.gone.insert(seat);
        let mut found = Findings::default();
        self.harmed(world, seat, &mut found);
        self.take(world, found);
    }

    /// Whether a device still counts.
    pub fn is_gone(&self, seat: Seat) -> bool {
        self.gone.contains(&seat)
    }

    /// Acknowledged entries that nobody owes any longer, because every disk that held them was harmed or is gone.
    pub fn lost_legitimately(&self) -> u64 {
        self.promises.excused()
    }

    /// Records without a key that nobody owes one any longer, for the same reason.
    pub fn keys_lost_legitimately(&self) -> u64 {
        self.keys.excused()
    }

    /// How often each check has compared something.
    pub fn made(&self) -> &BTreeMap<Check, u64> {
        &self.made
    }

    /// Devices whose word counts, in order.
    fn ours(&self, world: &World) -> Vec<Seat> {
        world.seats().filter(|seat| !self.gone.contains(seat)).collect()
    }

    /// After healing and a long quiet: whether all is as it should be.
    pub fn end(&mut self, world: &mut World) {
        let mut found = Findings::default();
        let seats = self.ours(world);
        for seat in &seats {
            if !world.is_up(*seat) {
                found.push(Found::new(
                    Check::InStep,
                    *seat,
                    "it does not run after all was healed".to_owned(),
                ));
            }
        }
        // Whatever has rotted is met by reading everything, and then fetched again.
        for seat in &seats {
            let _ = world.command(*seat, &Command::Verify);
        }
        world.pass(120_000);
        refold::settle(world, &seats);
        self.promises.check_all(world, &seats, &mut found);
        states::check_in_step(world, &seats, self.promises.bereft(), &mut found);
        self.keys.check_all(world, &seats, &self.forged, &mut found);
        let none = Lossy::default();
        for seat in &seats {
            let Some(office) = world.office(*seat) else { continue };
            self.promises.check_own(world, *seat, &mut found);
            receipts::check_own(world, *seat, office, &none, &mut self.disks, &mut found);
            receipts::check_standing(world, *seat, office, &self.devices, &mut self.disks, &mut found);
            chains::check_all((*seat, self.harmed.contains(seat)), office, &mut found);
            self.posts.check(*seat, office, &mut found);
            self.sight(world, &none).check_reach(*seat, office, &mut found);
            words::check_arrived(*seat, office, &mut found);
            for (of, row) in office.record_rows().unwrap_or_default() {
                self.sight(world, &none)
                    .check_record(*seat, office, of, &row, &mut found);
                if let Ok(held) = office.held(of, row.clone()) {
                    chains::check_cuts(*seat, office, &held, &mut found);
                    self.cuts.check(*seat, &held, &mut found);
                }
                self.states.check(*seat, office, of, row, &mut found);
            }
            refold::check(world, (&seats, &self.harmed), *seat, &mut found);
        }
        words::check_status(world, &seats, &self.harmed, &mut found.found);
        if found.found.is_empty() {
            idle::check(world, &seats, &mut found);
        }
        self.take(world, found);
    }

    fn take(&mut self, world: &World, findings: Findings) {
        for (check, times) in findings.made {
            *self.made.entry(check).or_default() += times;
        }
        for Found { check, seat, what } in findings.found {
            self.checks.insert(check);
            self.violated(world, format!("{check}: {}: {what}", world.name(seat)));
        }
    }

    /// Something did not hold; said in words that a reader of the story understands.
    pub fn violated(&mut self, world: &World, what: String) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(format!("at {} ms: {what}", world.now_ms()));
        }
    }

    /// What did not hold, in order.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// The checks that found something.
    pub fn red(&self) -> &BTreeSet<Check> {
        &self.checks
    }
}

/// All checks, in the order of the table.
pub const ALL: [Check; 13] = [
    Check::Kept,
    Check::SameState,
    Check::Refold,
    Check::Void,
    Check::Receipts,
    Check::Tiers,
    Check::Chains,
    Check::Foreign,
    Check::Limits,
    Check::Idle,
    Check::Words,
    Check::InStep,
    Check::Blame,
];

/// The tier at which a device works, as it says itself.
fn tier_of(office: &Office) -> Option<Tier> {
    let unit = office.life()?.unit;
    Some(office.authority().unit(unit)?.kind.tier())
}
