//! A county in one thread: offices on disks in memory, lines that can be cut, time that only moves when told to.
//!
//! Everything runs through the real doors: bytes from [`Office::next_output`] are framed, decoded and verified as a connection
//! would. Only the transport is not there. A run follows from its seed.

pub mod fixture;

use std::collections::VecDeque;

use ledger::id::DeviceId;
use ledger::seed::Seeds;
use replica::frame::{HEADER_LEN, Header, Inbound, Outbound, Welcome};
use replica::session::{Dialled, PeerError, Reason};
use replica::statement::Role;
use replica::ticket::Ticket;
use replica::time::Now;
use serde_json::Value;
use store::{MemDisk, MemPlace};

use crate::command::{Command, CommandError};
use crate::office::{Home, Office, OfficeError};
use crate::peers::{Output, SessionId};

/// 2026-10-09 09:00 in China.
const MORNING_MS: i64 = 1_791_507_600_000;
/// A line that was cut, or whose session ended, is dialled again after this.
const REDIAL_MS: u64 = 1_000;
/// Rounds without any time passing; more means that two offices talk in circles.
const ROUNDS_MAX: usize = 100_000;

/// One device of a [`World`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Seat(usize);

/// A line between two devices, dialled by the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineId(usize);

struct Place {
    name: String,
    disk: MemDisk,
    rows: MemPlace,
    office: Option<Office>,
    /// How far this device's clock is off, milliseconds.
    skew_ms: i64,
}

impl Office {
    /// Writes a field past every check, as a program that was tampered with would: readers have to see to it themselves.
    ///
    /// # Errors
    /// When there is no such case, or it cannot be read or written.
    pub fn write_unchecked(&mut self, now: Now, number: &str, field: &str, text: &str) -> Result<(), CommandError> {
        let (of, row) = self.find(number)?;
        let read = self.read(of, row)?;
        let edit = ledger::record::Edit::Field {
            name: field.to_owned(),
            value: ledger::record::Value::Text(text.to_owned()),
        };
        self.apply_edits(now, of, &read, &[edit], None)?;
        Ok(())
    }
}

impl Place {
    fn open(&self, seed: [u8; 32], now: Now) -> Result<Office, OfficeError> {
        let home = Home {
            disk: Box::new(self.disk.clone()),
            place: Box::new(self.rows.clone()),
            software: "rig 1".to_owned(),
        };
        Office::open(home, seed, now, &mut |_| {})
    }
}

struct Wire {
    ends: [Seat; 2],
    up: bool,
    redial_ms: u64,
    live: Option<Live>,
}

struct Live {
    ids: [SessionId; 2],
    /// Frames on their way, by the end that sent them.
    sent: [VecDeque<Vec<u8>>; 2],
    closing: bool,
}

/// Devices, lines, time.
pub struct World {
    places: Vec<Place>,
    wires: Vec<Wire>,
    seeds: Seeds,
    mono_ms: u64,
    /// What peers did wrong, in order.
    pub faults: Vec<PeerError>,
    /// Why sessions ended, in order: the device that ended it, and the reason.
    pub closed: Vec<(Seat, Reason)>,
    /// Bytes of frames sent since the beginning.
    pub bytes: u64,
    /// Frames sent since the beginning.
    pub frames: u64,
}

impl World {
    /// An empty world. The seed is printed by those who draw it.
    pub fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        Self {
            places: Vec::new(),
            wires: Vec::new(),
            seeds: Seeds::new(bytes),
            mono_ms: 1_000,
            faults: Vec::new(),
            closed: Vec::new(),
            bytes: 0,
            frames: 0,
        }
    }

    /// A new device with an empty disk; its office is open and belongs nowhere.
    pub fn device(&mut self, name: &str) -> Seat {
        let disk = MemDisk::new(self.seeds.u64());
        self.seat(name, disk, MemPlace::default())
    }

    /// Another device whose disk is a copy of that of `of`, as it is now.
    pub fn copy_of(&mut self, of: Seat, name: &str) -> Seat {
        let (disk, rows) = self.backup(of);
        self.seat(name, disk, rows)
    }

    /// A copy of a device's disk.
    pub fn backup(&self, of: Seat) -> (MemDisk, MemPlace) {
        let place = &self.places[of.0];
        (place.disk.copy(), place.rows.copy())
    }

    fn seat(&mut self, name: &str, disk: MemDisk, rows: MemPlace) -> Seat {
        self.places.push(Place {
            name: name.to_owned(),
            disk,
            rows,
            office: None,
            skew_ms: 0,
        });
        let seat = Seat(self.places.len() - 1);
        self.start(seat);
        seat
    }

    /// Opens a device's office. Opening syncs what it finds; where that fails, it is started once more, as a service manager does.
    pub fn start(&mut self, seat: Seat) {
        let (seed, now) = (self.seeds.bytes(), self.now(seat));
        let place = &mut self.places[seat.0];
        match place.open(seed, now).or_else(|_| place.open(seed, now)) {
            Ok(office) => place.office = Some(office),
            Err(error) => panic!("{} does not open: {error}", place.name),
        }
    }

    /// The power of a device goes: what was not synced is lost.
    pub fn kill(&mut self, seat: Seat) {
        self.part(seat);
        let place = &mut self.places[seat.0];
        place.office = None;
        place.disk.cut_power();
        place.rows.cut_power();
    }

    /// A device is shut down as it should be.
    pub fn stop(&mut self, seat: Seat) {
        self.part(seat);
        let now = self.now(seat);
        if let Some(mut office) = self.places[seat.0].office.take() {
            office.leave(now);
        }
    }

    /// Puts a copy taken earlier back in place of the disk, and starts again.
    pub fn restore(&mut self, seat: Seat, (disk, rows): (MemDisk, MemPlace)) {
        self.part(seat);
        let place = &mut self.places[seat.0];
        place.office = None;
        place.disk = disk;
        place.rows = rows;
        self.start(seat);
    }

    /// How far a device's clock is off from now on, milliseconds.
    pub fn set_skew(&mut self, seat: Seat, ms: i64) {
        self.places[seat.0].skew_ms = ms;
    }

    fn part(&mut self, seat: Seat) {
        for at in 0..self.wires.len() {
            if self.wires[at].ends.contains(&seat) {
                self.hang_up(at);
            }
        }
    }

    /// The disk of a device, for faults.
    pub fn disk(&self, seat: Seat) -> &MemDisk {
        &self.places[seat.0].disk
    }

    /// An office that runs.
    pub fn office(&mut self, seat: Seat) -> &mut Office {
        let place = &mut self.places[seat.0];
        match place.office.as_mut() {
            Some(office) => office,
            None => panic!("{} does not run", place.name),
        }
    }

    /// Both clocks of a device.
    pub fn now(&self, seat: Seat) -> Now {
        Now {
            wall_ms: MORNING_MS + i64::try_from(self.mono_ms).unwrap_or(0) + self.places[seat.0].skew_ms,
            mono_ms: self.mono_ms,
        }
    }

    /// A command on a device, and all that follows from it at once.
    ///
    /// # Errors
    /// Those of the command.
    pub fn command(&mut self, seat: Seat, command: Command) -> Result<Value, CommandError> {
        let now = self.now(seat);
        let done = self.office(seat).command(now, command, &mut |_| {});
        self.flow();
        done
    }

    /// Like [`World::command`] for what must go well.
    pub fn run(&mut self, seat: Seat, command: Command) -> Value {
        let name = self.places[seat.0].name.clone();
        match self.command(seat, command.clone()) {
            Ok(value) => value,
            Err(error) => panic!("{name}: {command:?}: {} {error}", error.code),
        }
    }

    /// A line from `from` to `to`, up at once.
    pub fn line(&mut self, from: Seat, to: Seat) -> LineId {
        self.wires.push(Wire {
            ends: [from, to],
            up: true,
            redial_ms: 0,
            live: None,
        });
        let line = LineId(self.wires.len() - 1);
        self.flow();
        line
    }

    /// Cuts a line: frames on their way are lost.
    pub fn cut(&mut self, line: LineId) {
        self.wires[line.0].up = false;
        self.hang_up(line.0);
    }

    /// Heals a line; it is dialled at once.
    pub fn heal(&mut self, line: LineId) {
        self.wires[line.0].up = true;
        self.wires[line.0].redial_ms = 0;
        self.flow();
    }

    /// Points a line at another device, as a replaced hub takes over an address.
    pub fn repoint(&mut self, line: LineId, to: Seat) {
        self.hang_up(line.0);
        self.wires[line.0].ends[1] = to;
        self.wires[line.0].redial_ms = 0;
    }

    fn hang_up(&mut self, at: usize) {
        let Some(live) = self.wires[at].live.take() else { return };
        self.wires[at].redial_ms = self.mono_ms + REDIAL_MS;
        for (end, id) in self.wires[at].ends.into_iter().zip(live.ids) {
            let now = self.now(end);
            if let Some(office) = self.places[end.0].office.as_mut() {
                office.disconnected(now, id);
            }
        }
    }

    /// Lets time pass, and everything happen that happens in it.
    pub fn pass(&mut self, ms: u64) {
        let end = self.mono_ms + ms;
        self.flow();
        while self.mono_ms < end {
            let next = self.next_event().unwrap_or(end).clamp(self.mono_ms + 1, end);
            self.mono_ms = next;
            self.tick_all();
            self.flow();
        }
    }

    fn next_event(&self) -> Option<u64> {
        let offices = self.places.iter().filter_map(|p| p.office.as_ref()?.next_wakeup());
        let redials = self
            .wires
            .iter()
            .filter(|w| w.up && w.live.is_none())
            .map(|w| w.redial_ms);
        offices.chain(redials).min()
    }

    fn tick_all(&mut self) {
        for at in 0..self.places.len() {
            let now = self.now(Seat(at));
            if let Some(office) = self.places[at].office.as_mut()
                && office.next_wakeup().is_some_and(|due| due <= now.mono_ms)
            {
                let done = office.tick(now);
                self.survive(Seat(at), done);
            }
        }
    }

    /// Moves frames until nothing moves any more; no time passes.
    pub fn flow(&mut self) {
        for _ in 0..ROUNDS_MAX {
            self.dial();
            let collected = self.collect();
            let delivered = self.deliver();
            if !collected && !delivered {
                return;
            }
        }
        panic!("offices talk in circles");
    }

    fn dial(&mut self) {
        for at in 0..self.wires.len() {
            let wire = &self.wires[at];
            let [from, to] = wire.ends;
            let placed = |seat: Seat| self.places[seat.0].office.as_ref().is_some_and(Office::is_placed);
            if !wire.up || wire.live.is_some() || wire.redial_ms > self.mono_ms || !placed(from) || !placed(to) {
                continue;
            }
            let (a, b) = (self.office(from).device(), self.office(to).device());
            let (now_a, now_b) = (self.now(from), self.now(to));
            let ids = [
                self.office(from).connect(now_a, b, Dialled::Us, "rig"),
                self.office(to).connect(now_b, a, Dialled::Them, "rig"),
            ];
            self.wires[at].live = Some(Live {
                ids,
                sent: [VecDeque::new(), VecDeque::new()],
                closing: false,
            });
        }
    }

    /// Takes outputs from the offices onto the wires.
    fn collect(&mut self) -> bool {
        let mut any = false;
        for at in 0..self.places.len() {
            let seat = Seat(at);
            while let Some((id, output)) = self.places[at].office.as_mut().and_then(Office::next_output) {
                any = true;
                let found = self.wires.iter_mut().find_map(|wire| {
                    let ends = wire.ends;
                    let live = wire.live.as_mut()?;
                    let end = (0..2).find(|e| ends[*e] == seat && live.ids[*e] == id)?;
                    Some((live, end))
                });
                let Some((live, end)) = found else { continue };
                match output {
                    Output::Send(bytes) => {
                        self.bytes += bytes.len() as u64;
                        self.frames += 1;
                        live.sent[end].push_back(bytes);
                    }
                    Output::Close(reason) => {
                        live.closing = true;
                        self.closed.push((seat, reason));
                    }
                }
            }
        }
        any
    }

    /// Delivers what is on the wires, one frame from each end at a time, then commits.
    fn deliver(&mut self) -> bool {
        let mut any = false;
        for at in 0..self.wires.len() {
            let ends = self.wires[at].ends;
            for from in 0..2 {
                let Some(live) = self.wires[at].live.as_mut() else {
                    break;
                };
                let ids = live.ids;
                let Some(bytes) = live.sent[from].pop_front() else {
                    continue;
                };
                any = true;
                let (sender, receiver) = (ends[from], ends[1 - from]);
                let (now_s, now_r) = (self.now(sender), self.now(receiver));
                if let Some(office) = self.places[sender.0].office.as_mut() {
                    office.written(now_s, ids[from], bytes.len());
                }
                self.receive(receiver, now_r, ids[1 - from], &bytes);
            }
            let over = |live: &Live| live.closing && live.sent.iter().all(VecDeque::is_empty);
            if self.wires[at].live.as_ref().is_some_and(over) {
                self.hang_up(at);
                any = true;
            }
        }
        for at in 0..self.places.len() {
            let now = self.now(Seat(at));
            let Some(office) = self.places[at].office.as_mut() else {
                continue;
            };
            let mut done = office.commit(now);
            while done.is_ok() {
                match office.apply(now, 10_000) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => done = Err(error),
                }
            }
            self.survive(Seat(at), done);
        }
        any
    }

    /// An office that must be opened again is, as the keeper of a daemon does it.
    fn survive(&mut self, seat: Seat, done: Result<(), OfficeError>) {
        match done {
            Ok(()) => {}
            Err(OfficeError::Reopen(_)) => {
                self.part(seat);
                self.places[seat.0].office = None;
                self.start(seat);
            }
            Err(error) => panic!("{}: {error}", self.places[seat.0].name),
        }
    }

    fn receive(&mut self, seat: Seat, now: Now, id: SessionId, bytes: &[u8]) {
        let decoded = decode(bytes);
        let Some(office) = self.places[seat.0].office.as_mut() else {
            return;
        };
        office.received(id, bytes.len());
        let fault = match decoded {
            Ok(frame) => office.inbound(now, id, frame).err(),
            Err(error) => {
                office.broken(now, id, &error);
                Some(error)
            }
        };
        self.faults.extend(fault);
    }

    /// A device asks a hub to let it in with a ticket. Afterwards it belongs there; a line is another matter.
    ///
    /// # Errors
    /// What the hub answered, or the device's own refusal.
    pub fn join(&mut self, seat: Seat, hub: Seat, role: Role, ticket: &str) -> Result<Value, String> {
        let ticket = Ticket::parse(ticket).map_err(|e| e.to_string())?;
        let name = self.places[seat.0].name.clone();
        let request = self
            .office(seat)
            .join_request(role, &name, &ticket)
            .map_err(|e| e.to_string())?;
        let device = self.office(seat).device();
        let (now, now_hub) = (self.now(seat), self.now(hub));
        let id = self.office(hub).connect(now_hub, device, Dialled::Them, "rig");
        let bytes = Outbound::Join(Box::new(request)).encode();
        self.receive(hub, now_hub, id, &bytes);
        let done = self.office(hub).commit(now_hub);
        self.survive(hub, done);
        let answer = self.answer(hub, id);
        self.office(hub).disconnected(now_hub, id);
        let joined = self
            .office(seat)
            .joined(now, &ticket, &answer?)
            .map_err(|e| e.to_string());
        self.flow();
        joined
    }

    /// What a hub answers to a newcomer.
    fn answer(&mut self, hub: Seat, id: SessionId) -> Result<Welcome, String> {
        let mut answer = Err("the hub does not answer".to_owned());
        let mut others = Vec::new();
        while let Some((to, output)) = self.office(hub).next_output() {
            let bytes = match output {
                Output::Send(bytes) if to == id => bytes,
                output => {
                    others.push((to, output));
                    continue;
                }
            };
            match decode(&bytes).map_err(|e| e.to_string())? {
                Inbound::Welcome(welcome) => answer = Ok(welcome),
                Inbound::Bye(bye) => answer = Err(bye.text),
                _ => {}
            }
        }
        self.put_back(hub, others);
        answer
    }

    /// Outputs of other sessions that came up meanwhile go onto their wires.
    fn put_back(&mut self, seat: Seat, outputs: Vec<(SessionId, Output)>) {
        for (id, output) in outputs {
            let wire = self.wires.iter_mut().find_map(|wire| {
                let ends = wire.ends;
                let live = wire.live.as_mut()?;
                let end = (0..2).find(|e| ends[*e] == seat && live.ids[*e] == id)?;
                Some((live, end))
            });
            if let (Some((live, end)), Output::Send(bytes)) = (wire, output) {
                live.sent[end].push_back(bytes);
            }
        }
    }

    /// The device id of a seat.
    pub fn device_of(&mut self, seat: Seat) -> DeviceId {
        self.office(seat).device()
    }
}

fn decode(bytes: &[u8]) -> Result<Inbound, PeerError> {
    let (head, body) = bytes.split_at(HEADER_LEN);
    let mut fixed = [0; HEADER_LEN];
    fixed.copy_from_slice(head);
    let header = Header::decode(fixed)?;
    assert_eq!(header.len, body.len(), "a frame's length is that of its body");
    Inbound::decode(header.kind, body)
}
