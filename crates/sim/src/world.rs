//! Devices, lines, time: what happens happens by a queue of events in virtual time, ties broken by the order of their making.
//!
//! A device is driven as the daemon drives it: frames that come in wait for a round; the round ticks, commits once, applies a slice of
//! rows, and only then does anything leave. Between a frame and its commit, and between the operations of a commit, the power can go.

mod connection;
mod enrol;
mod life;
mod queue;
mod transport;

use std::collections::BTreeMap;

use ledger::id::DeviceId;
use office::command::{Command, CommandError};
use office::{Office, OfficeError, SessionId};
use replica::session::PeerError;
use replica::time::Now;
use serde_json::Value;
use store::{MemDisk, MemPlace};

use crate::clock::Clock;
use crate::dice::Dice;
use crate::fault::{Faults, Kind};
use crate::malice::Tamper;
use crate::month::Meter;
use crate::oracle::{Moment, Oracle};
use crate::trace::Trace;
use connection::{ConnectionId, Connections};
use queue::{Event, Queue};
pub use transport::{Blocked, LineId, LineState};

/// One device of a [`World`]: a disk, a clock and, while it runs, an office.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Seat(pub usize);

/// Rows applied in one round, as the daemon does in idle moments.
const APPLY_SLICE: usize = 1_024;
/// Events at one moment; more means that two offices talk in circles.
const AT_ONCE_MAX: u64 = 100_000;
/// The daemon's keeper goes its round at least this often: damage on a disk that nobody reads is found by it.
const IDLE_ROUND_MS: u64 = 3_600_000;
/// Pause before the next slice of rows.
const APPLY_PAUSE_MS: u64 = 2;

struct Place {
    name: String,
    disk: MemDisk,
    rows: MemPlace,
    clock: Clock,
    dice: Dice,
    office: Option<Office>,
    /// Counts processes; what was scheduled for an earlier one is void.
    process: u64,
    sessions: BTreeMap<SessionId, (ConnectionId, usize)>,
    /// When the next round and tick are scheduled, so that there is never more than one of each.
    round_ms: Option<u64>,
    tick_ms: Option<u64>,
    /// Lines that this device dials, and lines on which others dial it.
    lines: Vec<LineId>,
    /// What one round costs on this disk, at most.
    round_max_ms: u64,
    /// The service manager starts the process again when it ends by itself.
    wanted: bool,
    /// How long the power stays away when it goes in the middle of an operation.
    dark_ms: u64,
    software: String,
    /// Faults of the disk that have struck, in all and before this process began.
    struck: u64,
    struck_before: u64,
    /// Bits have rotted.
    rotten: bool,
}

/// Bytes and frames that went over all lines.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Traffic {
    pub frames: u64,
    pub bytes: u64,
}

/// Devices, lines, time.
pub struct World {
    places: Vec<Place>,
    lines: Vec<transport::Line>,
    connections: Connections,
    queue: Queue,
    now_ms: u64,
    /// Events since time last moved.
    at_once: u64,
    dice: Dice,
    trace: Trace,
    /// Everything that was done to the county.
    pub faults: Faults,
    /// What must always hold; sees every command, commit, opening and end of a process.
    pub oracle: Oracle,
    /// Measures, where a county is too large for deep looks while it runs; the oracle only follows then.
    pub meter: Option<Meter>,
    /// What peers are said to have done wrong: the device that says so, the peer, and the fault.
    pub peer_errors: Vec<(Seat, Seat, PeerError)>,
    /// Processes that ended because of their disk, and offices that could not be opened, with the reason.
    pub mishaps: Vec<(u64, Seat, String)>,
    pub traffic: Traffic,
    /// Milliseconds that all devices together have run; whoever is down or thrown away does not.
    pub device_ms: u64,
    /// Offices that are open.
    open: u64,
}

impl World {
    /// An empty world at true time 0, which is midnight of the county's day 0.
    pub fn new(seed: u64) -> Self {
        Self {
            places: Vec::new(),
            lines: Vec::new(),
            connections: Connections::default(),
            queue: Queue::default(),
            now_ms: 0,
            at_once: 0,
            dice: Dice::new(seed),
            trace: Trace::default(),
            faults: Faults::default(),
            oracle: Oracle::default(),
            meter: None,
            peer_errors: Vec::new(),
            mishaps: Vec::new(),
            traffic: Traffic::default(),
            device_ms: 0,
            open: 0,
        }
    }

    /// True time in milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Both clocks of a device.
    pub fn now(&self, seat: Seat) -> Now {
        self.places[seat.0].clock.now(self.now_ms)
    }

    /// The clock of a device.
    pub fn clock_mut(&mut self, seat: Seat) -> &mut Clock {
        &mut self.places[seat.0].clock
    }

    /// All devices, gone ones and copies included.
    pub fn seats(&self) -> impl Iterator<Item = Seat> + use<> {
        (0..self.places.len()).map(Seat)
    }

    /// What a device is called in stories.
    pub fn name(&self, seat: Seat) -> &str {
        &self.places[seat.0].name
    }

    /// The disk of a device, for faults.
    pub fn disk(&self, seat: Seat) -> &MemDisk {
        &self.places[seat.0].disk
    }

    /// The index of a device, for faults.
    pub fn rows(&self, seat: Seat) -> &MemPlace {
        &self.places[seat.0].rows
    }

    /// The office of a device, if its process runs.
    pub fn office(&self, seat: Seat) -> Option<&Office> {
        self.places[seat.0].office.as_ref()
    }

    /// As [`World::office`], to ask it something that changes it. Call [`World::stir`] afterwards.
    pub fn office_mut(&mut self, seat: Seat) -> Option<&mut Office> {
        self.places[seat.0].office.as_mut()
    }

    /// Whether the process of a device runs.
    pub fn is_up(&self, seat: Seat) -> bool {
        self.places[seat.0].office.is_some()
    }

    /// The key of a device; `None` while its process does not run.
    pub fn device_of(&self, seat: Seat) -> Option<DeviceId> {
        self.office(seat).map(Office::device)
    }

    /// The disk of this device takes so long for a round, at most.
    pub fn set_round_ms(&mut self, seat: Seat, ms: u64) {
        self.places[seat.0].round_max_ms = ms.max(1);
    }

    /// How long a device stays away when an armed [`store::Fault::PowerGoesAfter`] or [`store::Fault::DiesAfter`] strikes.
    pub fn set_dark_ms(&mut self, seat: Seat, ms: u64) {
        self.places[seat.0].dark_ms = ms;
    }

    /// What the device's program calls itself from its next start on.
    pub fn set_software(&mut self, seat: Seat, software: &str) {
        software.clone_into(&mut self.places[seat.0].software);
    }

    /// The running hash of everything seen.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Notes something observable that the world itself does not see.
    pub fn note(&mut self, kind: u8, seat: Seat, bytes: &[u8]) {
        self.trace.note(kind, self.now_ms, seat.0 as u64, bytes);
    }

    /// A command at a device, and the round that follows from it. A device that is down answers `down`.
    ///
    /// # Errors
    /// Those of the command.
    pub fn command(&mut self, seat: Seat, command: &Command) -> Result<Value, CommandError> {
        let now = self.now(seat);
        let Some(office) = self.places[seat.0].office.as_mut() else {
            return Err(CommandError::failed("down", "这台电脑没有开机。"));
        };
        let answer = office.command(now, command.clone(), &mut |_| {});
        let said = match &answer {
            Ok(value) => value.to_string(),
            Err(error) => error.message.clone(),
        };
        self.trace.note(1, self.now_ms, seat.0 as u64, said.as_bytes());
        self.watch(&Moment::Commanded {
            seat,
            command,
            answer: &answer,
        });
        self.round(seat);
        answer
    }

    /// Lets the oracle look.
    fn watch(&mut self, moment: &Moment<'_>) {
        if let Some(mut meter) = self.meter.take() {
            meter.watch(self, moment);
            self.meter = Some(meter);
        }
        for place in &self.places {
            place.disk.watch(true);
        }
        let mut oracle = std::mem::take(&mut self.oracle);
        match self.meter {
            Some(_) => oracle.follow(self, moment),
            None => oracle.watch(self, moment),
        }
        self.oracle = oracle;
        for place in &self.places {
            place.disk.watch(false);
        }
    }

    /// Something was done to an office behind the world's back: a round follows at once.
    pub fn stir(&mut self, seat: Seat) {
        self.round(seat);
    }

    /// Lets time pass up to a true time, and everything happen that happens in it.
    pub fn run_until(&mut self, until_ms: u64) {
        while let Some((at_ms, event)) = self.queue.pop_until(until_ms) {
            self.at_once = if at_ms > self.now_ms { 0 } else { self.at_once + 1 };
            assert!(self.at_once < AT_ONCE_MAX, "offices talk in circles: {event:?}");
            self.advance(at_ms);
            self.happen(event);
        }
        self.advance(until_ms);
    }

    /// Lets so much time pass.
    pub fn pass(&mut self, ms: u64) {
        self.run_until(self.now_ms + ms);
    }

    fn advance(&mut self, to_ms: u64) {
        let ms = to_ms.saturating_sub(self.now_ms);
        self.device_ms += ms * self.open;
        self.now_ms = self.now_ms.max(to_ms);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Round { seat, process } if self.places[seat.0].process == process => {
                if self.places[seat.0].round_ms.take().is_some() {
                    self.round(seat);
                }
            }
            Event::Tick { seat, process } if self.places[seat.0].process == process => {
                if self.places[seat.0].tick_ms.is_some_and(|at| at <= self.now_ms) {
                    self.places[seat.0].tick_ms = None;
                    self.round(seat);
                }
            }
            Event::Round { .. } | Event::Tick { .. } => {}
            Event::Start { seat, process } => self.start_again(seat, process),
            Event::Dial { line, attempt } => self.dial(line, attempt),
            Event::Stand { line, attempt } => self.stand(line, attempt),
            Event::Left { connection, end, bytes } => self.left(connection, end, bytes),
            Event::Arrive { connection, end } => self.arrive(connection, end),
            Event::Notice {
                connection,
                end,
                blocked,
            } => self.notice(connection, end, blocked),
            Event::Unblock { line, direction, epoch } => self.unblock_if(line, direction, epoch),
        }
    }

    /// A round is due soon: what comes in meanwhile shares its commit.
    fn round_soon(&mut self, seat: Seat, at_least_ms: u64) {
        let place = &mut self.places[seat.0];
        if place.office.is_none() || place.round_ms.is_some() {
            return;
        }
        let at = self.now_ms + at_least_ms + place.dice.below(place.round_max_ms + 1);
        place.round_ms = Some(at);
        let process = place.process;
        self.queue.push(at, Event::Round { seat, process });
    }

    /// Ticks if that is due, commits, applies a slice, sends.
    fn round(&mut self, seat: Seat) {
        let now = self.now(seat);
        let Some(office) = self.places[seat.0].office.as_mut() else {
            return;
        };
        let head = office.store().head();
        let done = work(office, now);
        let grown = office.store().head() != head;
        let powered = self.places[seat.0].disk.is_powered();
        match done {
            _ if !powered => self.power_went(seat),
            _ if !self.places[seat.0].disk.is_alive() => self.killed_in_step(seat),
            Err(error) => self.died(seat, &error),
            Ok(left) => {
                // What people see of a month changes with a session that begins, too, and that leaves nothing in the journal.
                if grown || self.meter.is_some() {
                    self.watch(&Moment::Committed { seat });
                }
                self.watch(&Moment::Round { seat });
                self.send_outputs(seat);
                if left > 0 {
                    self.round_soon(seat, APPLY_PAUSE_MS);
                }
                self.tick_soon(seat);
            }
        }
    }

    fn tick_soon(&mut self, seat: Seat) {
        let place = &mut self.places[seat.0];
        let Some(office) = &place.office else { return };
        let due = office.next_wakeup().map_or(u64::MAX, |due| place.clock.true_ms(due));
        let at = due.clamp(self.now_ms + 1, self.now_ms + IDLE_ROUND_MS);
        if place.tick_ms.is_some_and(|scheduled| scheduled <= at) {
            return;
        }
        place.tick_ms = Some(at);
        let process = place.process;
        self.queue.push(at, Event::Tick { seat, process });
    }

    /// Makes a line's frames from one end pass through dishonest hands; `None`: honest again.
    pub fn tamper(&mut self, line: LineId, tamper: Option<Tamper>) {
        self.lines[line.0].tamper = tamper;
    }

    /// Counts a fault.
    pub fn count(&mut self, kind: Kind) {
        self.faults.note(kind);
    }
}

/// What the daemon's keeper does in a round; returns how many rows are left to apply.
fn work(office: &mut Office, now: Now) -> Result<usize, OfficeError> {
    if office.next_wakeup().is_some_and(|due| due <= now.mono_ms) {
        office.tick(now)?;
    }
    office.commit(now)?;
    office.apply(now, APPLY_SLICE)
}
