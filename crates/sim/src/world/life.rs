//! Processes: begun, killed, stopped, ended by their own disk; disks copied and put back.

use office::{Home, Office, OfficeError};
use store::{MemDisk, MemPlace};

use super::queue::Event;
use super::{Place, Seat, World};
use crate::clock::Clock;
use crate::dice::Dice;
use crate::fault::Kind;
use crate::oracle::Moment;

/// A daemon opens its folder again this long after its disk failed, as `daemon` does.
const REOPEN_MS: u64 = 1_000;
/// The service manager starts a program again after this.
const RESTART_MS: u64 = 5_000;

impl World {
    /// A new device with an empty disk; its office is open and belongs nowhere.
    pub fn device(&mut self, name: &str) -> Seat {
        let disk = empty(self.dice.u64());
        self.seat(name, disk, MemPlace::default(), false)
    }

    /// As [`World::device`], with a disk that somebody has written before.
    pub fn device_with(&mut self, name: &str, disk: MemDisk) -> Seat {
        self.seat(name, disk, MemPlace::default(), false)
    }

    /// Another device whose disk is a copy of that of `of`, as it is now.
    pub fn copy_of(&mut self, of: Seat, name: &str) -> Seat {
        let (disk, rows) = self.backup(of);
        self.seat(name, disk, rows, self.places[of.0].rotten)
    }

    /// A copy of a device's disk.
    pub fn backup(&self, of: Seat) -> (MemDisk, MemPlace) {
        let place = &self.places[of.0];
        (place.disk.copy(), place.rows.copy())
    }

    fn seat(&mut self, name: &str, disk: MemDisk, rows: MemPlace, rotten: bool) -> Seat {
        let mut dice = self.dice.fork();
        let drift = i64::try_from(dice.below(80)).unwrap_or(0) - 40;
        self.places.push(Place {
            name: name.to_owned(),
            disk,
            rows,
            clock: Clock::new(drift),
            round_max_ms: dice.between(1, 12),
            dice,
            office: None,
            process: 0,
            sessions: Default::default(),
            round_ms: None,
            tick_ms: None,
            lines: Vec::new(),
            wanted: true,
            dark_ms: 60_000,
            software: "sim 1".to_owned(),
            struck: 0,
            struck_before: 0,
            rotten,
        });
        let seat = Seat(self.places.len() - 1);
        if rotten {
            self.harmed(seat);
        }
        self.start(seat);
        seat
    }

    /// Begins a device's process. When the office does not open it is tried again, as a service manager does.
    pub fn start(&mut self, seat: Seat) {
        if self.is_up(seat) {
            return;
        }
        self.collect_struck();
        let place = &mut self.places[seat.0];
        place.wanted = true;
        place.process += 1;
        place.round_ms = None;
        place.tick_ms = None;
        place.struck_before = place.struck;
        let (process, began_ms) = (place.process, self.now_ms);
        place.clock.begin(began_ms, 1_000 + process * 7_919);
        let home = Home {
            disk: Box::new(place.disk.clone()),
            place: Box::new(place.rows.clone()),
            software: place.software.clone(),
        };
        let (seed, now) = (place.dice.bytes(), place.clock.now(self.now_ms));
        let opened = Office::open(home, seed, now, &mut |_| {});
        let powered = self.places[seat.0].disk.is_powered();
        match opened {
            _ if !powered => self.power_went(seat),
            _ if !self.places[seat.0].disk.is_alive() => self.killed_in_step(seat),
            Err(error) => {
                self.mishap(seat, &format!("does not open: {error}"));
                self.queue.push(began_ms + RESTART_MS, Event::Start { seat, process });
            }
            Ok(office) => {
                self.places[seat.0].office = Some(office);
                self.open += 1;
                self.trace.note(7, self.now_ms, seat.0 as u64, &[]);
                self.watch(&Moment::Opened { seat });
                self.dial_lines_of(seat);
                self.round_soon(seat, 0);
                self.tick_soon(seat);
            }
        }
    }

    pub(super) fn start_again(&mut self, seat: Seat, process: u64) {
        if self.places[seat.0].process == process && self.places[seat.0].wanted {
            self.start(seat);
        }
    }

    fn end_process(&mut self, seat: Seat) {
        self.drop_connections(seat);
        let place = &mut self.places[seat.0];
        place.process += 1;
        place.round_ms = None;
        place.tick_ms = None;
        if place.office.take().is_some() {
            self.open -= 1;
            self.trace.note(8, self.now_ms, seat.0 as u64, &[]);
        }
    }

    /// The process is killed; what it wrote and did not sync lies with the system, which lives on. Only what its index had not handed
    /// to the system yet is gone.
    pub fn kill(&mut self, seat: Seat) {
        self.places[seat.0].wanted = false;
        self.end_process(seat);
        self.roll_back_rows(seat);
    }

    fn roll_back_rows(&mut self, seat: Seat) {
        let place = &mut self.places[seat.0];
        let kept = place.dice.index(place.rows.unsynced() + 1);
        place.rows.cut_power_keeping(kept);
    }

    /// The index goes back to its last sync, or is lost as a whole. The process must not run.
    pub fn lose_index(&mut self, seat: Seat, whole: bool) {
        let place = &mut self.places[seat.0];
        if whole {
            place.rows = MemPlace::default();
        } else {
            place.rows.cut_power();
        }
    }

    /// Begins a device's process after a while, unless somebody else does something about it meanwhile.
    pub fn start_in(&mut self, seat: Seat, ms: u64) {
        let place = &mut self.places[seat.0];
        place.wanted = true;
        let process = place.process;
        self.queue.push(self.now_ms + ms, Event::Start { seat, process });
    }

    /// Counts the armed faults of disks that have struck.
    pub fn collect_struck(&mut self) {
        for place in &mut self.places {
            let struck = place.disk.take_struck();
            place.struck += struck.syncs + struck.reads + struck.writes + struck.full;
            self.faults.add(Kind::SyncFailed, struck.syncs);
            self.faults.add(Kind::ReadFailed, struck.reads);
            self.faults.add(Kind::WriteFailed, struck.writes);
            self.faults.add(Kind::DiskFull, struck.full);
        }
    }

    /// The power of a device goes: what was not synced is lost or torn.
    pub fn cut_power(&mut self, seat: Seat) {
        self.kill(seat);
        self.lose_unsynced(seat);
    }

    fn lose_unsynced(&mut self, seat: Seat) {
        let now_ms = self.now_ms;
        let place = &mut self.places[seat.0];
        let losses = place.disk.cut_power();
        let forgotten = place.clock.power_up(now_ms);
        self.roll_back_rows(seat);
        self.faults.add(Kind::BatteryDead, u64::from(forgotten));
        self.faults.add(Kind::WriteLost, losses.lost);
        self.faults.add(Kind::WriteTorn, losses.torn);
        self.faults.add(Kind::NameLost, losses.names);
    }

    /// A device is shut down as it should be: its peers are told.
    pub fn stop(&mut self, seat: Seat) {
        self.places[seat.0].wanted = false;
        let now = self.now(seat);
        if let Some(office) = self.places[seat.0].office.as_mut() {
            office.leave(now);
            self.send_outputs(seat);
        }
        self.end_process(seat);
        if !self.places[seat.0].disk.is_powered() {
            self.lose_unsynced(seat);
        }
        self.places[seat.0].disk.revive();
    }

    /// The power went in the middle of an operation; it comes back later, and the process with it.
    pub(super) fn power_went(&mut self, seat: Seat) {
        self.faults.note(Kind::PowerCutInStep);
        self.end_process(seat);
        self.lose_unsynced(seat);
        let place = &self.places[seat.0];
        let (at, process) = (self.now_ms + place.dark_ms, place.process);
        self.queue.push(at, Event::Start { seat, process });
    }

    /// The process was killed in the middle of an operation. What it had written stays with the system; another begins later.
    pub(super) fn killed_in_step(&mut self, seat: Seat) {
        self.faults.note(Kind::KilledInStep);
        self.end_process(seat);
        self.places[seat.0].disk.revive();
        self.roll_back_rows(seat);
        let place = &self.places[seat.0];
        let (at, process) = (self.now_ms + place.dark_ms, place.process);
        self.queue.push(at, Event::Start { seat, process });
    }

    /// The office cannot go on: connections end, the folder is opened again, as the daemon does it.
    pub(super) fn died(&mut self, seat: Seat, error: &OfficeError) {
        self.mishap(seat, &error.to_string());
        self.end_process(seat);
        let process = self.places[seat.0].process;
        self.queue.push(self.now_ms + REOPEN_MS, Event::Start { seat, process });
    }

    fn mishap(&mut self, seat: Seat, why: &str) {
        self.trace.note(9, self.now_ms, seat.0 as u64, why.as_bytes());
        self.mishaps.push((self.now_ms, seat, why.to_owned()));
        self.collect_struck();
        let place = &self.places[seat.0];
        let struck = place.rotten || place.struck > place.struck_before;
        self.watch(&Moment::Mishap { seat, why, struck });
    }

    /// Puts a copy taken earlier back in place of the disk, and starts again.
    pub fn restore(&mut self, seat: Seat, (disk, rows): (MemDisk, MemPlace)) {
        self.end_process(seat);
        self.collect_struck();
        self.harming(seat);
        let place = &mut self.places[seat.0];
        place.disk = disk;
        place.rows = rows;
        self.harmed(seat);
        self.start(seat);
    }

    /// A disk is about to hold less than it does. To be said before, so that it is known what it held.
    pub fn harming(&mut self, seat: Seat) {
        self.watch(&Moment::Harming { seat });
    }

    /// A disk holds less than it did. To be said of whatever takes away or spoils what was durable.
    pub fn harmed(&mut self, seat: Seat) {
        self.watch(&Moment::Harmed { seat });
    }

    /// Bits of a disk have rotted: whatever its process says of it from now on has a cause.
    pub fn rotted(&mut self, seat: Seat) {
        self.places[seat.0].rotten = true;
        self.harmed(seat);
    }

    /// A device is in other hands, or thrown away.
    pub fn give_up(&mut self, seat: Seat) {
        let mut oracle = std::mem::take(&mut self.oracle);
        oracle.gone(self, seat);
        self.oracle = oracle;
    }

    /// An empty disk in place of the old one: a deleted folder, or a new PC in the old one's place. Belongs nowhere until it joins.
    pub fn wipe(&mut self, seat: Seat) {
        let disk = empty(self.dice.u64());
        self.restore(seat, (disk, MemPlace::default()));
        self.places[seat.0].rotten = false;
    }

    /// The random stream of a device, for its faults.
    pub fn dice_of(&mut self, seat: Seat) -> Dice {
        self.places[seat.0].dice.fork()
    }
}

/// A new disk. On most of them segments are short: the days of a story would hardly fill one of the usual length, and it is where one
/// ends and the next begins that a cut loses names.
fn empty(seed: u64) -> MemDisk {
    let disk = MemDisk::new(seed);
    match seed % 4 {
        0 => disk,
        1 => disk.with_segments(32 * 1024),
        _ => disk.with_segments(8 * 1024),
    }
}
