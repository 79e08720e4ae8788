//! Lines between devices: dialling, frames on their way, cuts, and how each end finds out.

use std::collections::VecDeque;

use office::{Output, SessionId};
use replica::frame::{HEADER_LEN, Header, Inbound};
use replica::session::{Dialled, PeerError};

use super::connection::{Connection, ConnectionId, Flying};
use super::queue::Event;
use super::{Seat, World};
use crate::fault::Kind;
use crate::line::{Conditions, Lane, Redial};
use crate::malice::{Tamper, Tampered};
use crate::oracle::Moment;

/// A line between two devices, dialled by the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LineId(pub usize);

/// A peer from which nothing came for this long is gone (`net::limits::IDLE_MAX`).
const IDLE_MS: u64 = 30_000;
/// A dialler that speaks and hears nothing gives up earlier (`net::limits::DEAD_AFTER`).
const DEAD_MS: u64 = 8_000;
/// A handshake that has not ended by then is abandoned (`net::limits::HANDSHAKE_MAX`).
const HANDSHAKE_MS: u64 = 10_000;
/// A connection that lived this long was a good one (`net::limits::GOOD_AFTER`).
const GOOD_MS: u64 = 10_000;
/// Bytes on their way for one peer before it counts as a slow reader (`net::limits::OUTGOING_BYTES_MAX`).
const OUTGOING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Which way a line is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Blocked {
    Both,
    /// What the dialler sends is lost.
    Up,
    /// What the dialled sends is lost.
    Down,
}

/// What a line is like now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineState {
    pub ends: [Seat; 2],
    /// It is dialled no longer.
    pub retired: bool,
    /// By the end that sends.
    pub conditions: [Conditions; 2],
    pub blocked: [bool; 2],
    pub stands: bool,
}

pub(super) struct Line {
    ends: [Seat; 2],
    conditions: [Conditions; 2],
    /// Since which change each direction is blocked; `None`: it works.
    blocked: [Option<u64>; 2],
    /// Counts changes of blocking.
    epoch: u64,
    redial: Redial,
    /// Counts dials; what was scheduled for an earlier one is void.
    attempt: u64,
    /// A dial or a handshake is scheduled.
    dialling: bool,
    /// What the dialler believes in.
    live: Option<ConnectionId>,
    pub(super) tamper: Option<Tamper>,
    /// The line is no longer dialled.
    retired: bool,
}

impl World {
    /// A line from `from` to `to`, dialled from now on.
    pub fn line(&mut self, from: Seat, to: Seat, conditions: [Conditions; 2]) -> LineId {
        self.lines.push(Line {
            ends: [from, to],
            conditions,
            blocked: [None, None],
            epoch: 0,
            redial: Redial::default(),
            attempt: 0,
            dialling: false,
            live: None,
            tamper: None,
            retired: false,
        });
        let line = LineId(self.lines.len() - 1);
        self.places[from.0].lines.push(line);
        self.places[to.0].lines.push(line);
        self.dial_soon(line, 0);
        line
    }

    /// All lines that there have ever been.
    pub fn line_ids(&self) -> impl Iterator<Item = LineId> + use<> {
        (0..self.lines.len()).map(LineId)
    }

    /// What a line is like now.
    pub fn line_state(&self, line: LineId) -> LineState {
        let l = &self.lines[line.0];
        LineState {
            ends: l.ends,
            retired: l.retired,
            conditions: l.conditions,
            blocked: l.blocked.map(|since| since.is_some()),
            stands: l.live.is_some(),
        }
    }

    /// The line behaves otherwise from now on.
    pub fn set_conditions(&mut self, line: LineId, conditions: [Conditions; 2]) {
        self.lines[line.0].conditions = conditions;
    }

    /// Cuts a line for so long; it works again afterwards unless it was cut anew. What is on its way is held up, and is lost when an
    /// end gives up first.
    pub fn block(&mut self, line: LineId, which: Blocked, ms: u64) {
        let directions: &[usize] = match which {
            Blocked::Both => &[0, 1],
            Blocked::Up => &[0],
            Blocked::Down => &[1],
        };
        self.lines[line.0].epoch += 1;
        let epoch = self.lines[line.0].epoch;
        for &direction in directions {
            self.lines[line.0].blocked[direction] = Some(epoch);
            let at = self.now_ms + ms;
            self.queue.push(at, Event::Unblock { line, direction, epoch });
        }
        for connection in self.connections.of_line(line) {
            for end in 0..2 {
                // The dialler sends keep-alives and hears no answer; whoever only listens waits for the idle timeout.
                let (least, spread) = if end == 0 {
                    (DEAD_MS, IDLE_MS - DEAD_MS)
                } else {
                    (IDLE_MS, 12_000)
                };
                let at = self.now_ms + least + self.dice.below(spread);
                let blocked = Some(epoch);
                self.queue.push(
                    at,
                    Event::Notice {
                        connection,
                        end,
                        blocked,
                    },
                );
            }
        }
    }

    /// The line works again now, in both directions.
    pub fn unblock(&mut self, line: LineId) {
        for direction in 0..2 {
            if let Some(epoch) = self.lines[line.0].blocked[direction] {
                self.unblock_if(line, direction, epoch);
            }
        }
    }

    pub(super) fn unblock_if(&mut self, line: LineId, direction: usize, epoch: u64) {
        if self.lines[line.0].blocked[direction] != Some(epoch) {
            return;
        }
        self.lines[line.0].blocked[direction] = None;
        for id in self.connections.of_line(line) {
            let Some(connection) = self.connections.at_mut(id) else {
                continue;
            };
            if std::mem::take(&mut connection.held[direction]) {
                let at = self.now_ms + self.lines[line.0].conditions[direction].delay_ms;
                let event = Event::Arrive {
                    connection: id,
                    end: direction,
                };
                self.queue.push(at, event);
            }
        }
        if self.lines[line.0].blocked == [None, None] {
            self.dial_in_time(line);
        }
    }

    /// Points a line at another device, as a replaced hub takes over an address. Whoever stands on it is cut off.
    pub fn repoint(&mut self, line: LineId, to: Seat) {
        self.cut_off(line);
        let was = self.lines[line.0].ends[1];
        self.places[was.0].lines.retain(|l| *l != line);
        self.places[to.0].lines.push(line);
        self.lines[line.0].ends[1] = to;
        self.dial_soon(line, 0);
    }

    /// The line is gone for good.
    pub fn retire(&mut self, line: LineId) {
        self.lines[line.0].retired = true;
        self.cut_off(line);
    }

    fn cut_off(&mut self, line: LineId) {
        for id in self.connections.of_line(line) {
            self.end_connection(id, 0);
            self.end_connection(id, 1);
        }
    }

    /// Somebody has waited for this line: it is dialled within the longest delay between two dials.
    fn dial_in_time(&mut self, line: LineId) {
        if self.lines[line.0].live.is_none() && !self.lines[line.0].dialling {
            let mut delay = self.lines[line.0].redial.clone().failed(&mut self.dice);
            delay = self.dice.below(delay + 1);
            self.dial_soon(line, delay);
        }
    }

    /// Both ends' lines are dialled: a process has started.
    pub(super) fn dial_lines_of(&mut self, seat: Seat) {
        for line in self.places[seat.0].lines.clone() {
            if self.lines[line.0].ends[0] == seat {
                self.lines[line.0].redial.succeeded();
                self.lines[line.0].dialling = false;
                self.dial_soon(line, 0);
            } else {
                self.dial_in_time(line);
            }
        }
    }

    fn dial_soon(&mut self, line: LineId, delay_ms: u64) {
        let l = &mut self.lines[line.0];
        if l.retired {
            return;
        }
        l.attempt += 1;
        l.dialling = true;
        let attempt = l.attempt;
        self.queue
            .push(self.now_ms + delay_ms + 1, Event::Dial { line, attempt });
    }

    fn can_stand(&self, line: LineId) -> bool {
        let l = &self.lines[line.0];
        let placed = |seat: Seat| self.office(seat).is_some_and(office::Office::is_placed);
        !l.retired && l.blocked == [None, None] && placed(l.ends[0]) && placed(l.ends[1])
    }

    pub(super) fn dial(&mut self, line: LineId, attempt: u64) {
        if self.lines[line.0].attempt != attempt || self.lines[line.0].live.is_some() {
            return;
        }
        if self.can_stand(line) {
            let delay: u64 = self.lines[line.0].conditions.iter().map(|c| c.delay_ms).sum();
            self.queue.push(self.now_ms + delay + 2, Event::Stand { line, attempt });
            return;
        }
        // Nobody is there. Dialling goes on, but nothing can come of it before the line or a process is back, and then it is dialled
        // within the delay that so many failures would have led to; the failures in between need no events.
        self.lines[line.0].dialling = false;
        self.lines[line.0].redial.worn_out();
    }

    /// The handshake is through: both offices have a session.
    pub(super) fn stand(&mut self, line: LineId, attempt: u64) {
        if self.lines[line.0].attempt != attempt || self.lines[line.0].live.is_some() {
            return;
        }
        self.lines[line.0].dialling = false;
        let seats = self.lines[line.0].ends;
        let known = |seat: Seat| self.office(seat).map(office::Office::device);
        let (Some(a), Some(b)) = (known(seats[0]), known(seats[1])) else {
            return self.lost_before(line);
        };
        if !self.can_stand(line) || self.is_turned_away(seats[1], &a) {
            return self.lost_before(line);
        }
        let (now_a, now_b) = (self.now(seats[0]), self.now(seats[1]));
        let mut ids = [None, None];
        if let Some(office) = self.office_mut(seats[0]) {
            ids[0] = Some(office.connect(now_a, b, Dialled::Us, "sim"));
        }
        if let Some(office) = self.office_mut(seats[1]) {
            ids[1] = Some(office.connect(now_b, a, Dialled::Them, "sim"));
        }
        let id = self.connections.add(Connection {
            line,
            seats,
            ids,
            flying: [VecDeque::new(), VecDeque::new()],
            flying_bytes: [0, 0],
            lanes: [Lane::default(), Lane::default()],
            finished: [false, false],
            held: [false, false],
            began_ms: self.now_ms,
            tampered: false,
        });
        self.lines[line.0].live = Some(id);
        self.trace.note(2, self.now_ms, line.0 as u64, &[]);
        for end in 0..2 {
            if let Some(session) = ids[end] {
                self.places[seats[end].0].sessions.insert(session, (id, end));
                self.round_soon(seats[end], 0);
            }
        }
    }

    fn lost_before(&mut self, line: LineId) {
        let delay = HANDSHAKE_MS + self.lines[line.0].redial.failed(&mut self.dice);
        self.dial_soon(line, delay);
    }

    /// The daemon's listener closes connections of revoked keys before a session begins.
    fn is_turned_away(&self, seat: Seat, device: &ledger::id::DeviceId) -> bool {
        self.office(seat).is_some_and(|office| office.is_revoked(device))
    }

    /// Puts what an office has to say on its connections.
    pub(super) fn send_outputs(&mut self, seat: Seat) {
        while let Some((session, output)) = self.places[seat.0]
            .office
            .as_mut()
            .and_then(office::Office::next_output)
        {
            self.route(seat, session, output);
        }
    }

    pub(super) fn route(&mut self, seat: Seat, session: SessionId, output: Output) {
        let Some(&(id, end)) = self.places[seat.0].sessions.get(&session) else {
            return;
        };
        match output {
            Output::Send(bytes) => self.send(id, end, bytes),
            Output::Close(reason) => {
                let said = format!("{reason:?}");
                self.trace.note(3, self.now_ms, seat.0 as u64, said.as_bytes());
                self.finish(id, end);
            }
        }
    }

    fn send(&mut self, id: ConnectionId, end: usize, bytes: Vec<u8>) {
        let Some(connection) = self.connections.at_mut(id) else {
            return;
        };
        let line = &mut self.lines[connection.line.0];
        self.traffic.frames += 1;
        self.traffic.bytes += bytes.len() as u64;
        self.trace
            .note(4, self.now_ms, id_of(connection.seats[end], end), &bytes);
        let full_len = bytes.len();
        let touched = line.tamper.as_mut().map(|t| t.touch(end, &bytes));
        let honest = matches!(touched, None | Some(Tampered::Honest));
        let (frames, late_ms, fault) = match touched {
            None | Some(Tampered::Honest) => (vec![bytes], 0, None),
            Some(Tampered::Dropped) => (vec![Vec::new()], 0, Some(Kind::HubDropped)),
            Some(Tampered::Delayed(ms)) => (vec![bytes], ms, Some(Kind::HubDelayed)),
            Some(Tampered::Altered(altered)) => (vec![altered], 0, Some(Kind::HubAltered)),
            Some(Tampered::Doubled) => (vec![bytes.clone(), bytes], 0, Some(Kind::HubDoubled)),
            Some(Tampered::Held) => (vec![Vec::new()], 0, None),
            Some(Tampered::Swapped(held)) => (vec![bytes, held], 0, Some(Kind::HubSwapped)),
        };
        connection.tampered |= !honest;
        if let Some(kind) = fault {
            self.faults.note(kind);
        }
        let conditions = line.conditions[end];
        let now = self.now_ms + late_ms;
        let passage = connection.lanes[end].send(now, full_len, &conditions, &mut self.dice, &mut self.faults);
        let arrives_ms = passage.arrives_ms;
        for bytes in frames {
            connection.flying_bytes[end] += bytes.len();
            connection.flying[end].push_back(Flying { bytes, arrives_ms });
        }
        let too_slow = connection.flying_bytes[end] > OUTGOING_BYTES_MAX;
        let left = Event::Left {
            connection: id,
            end,
            bytes: full_len,
        };
        self.queue.push(passage.left_ms, left);
        self.queue.push(arrives_ms, Event::Arrive { connection: id, end });
        if too_slow {
            self.end_connection(id, end);
        }
    }

    /// This end has said its last word; the other learns of it behind the last frame.
    fn finish(&mut self, id: ConnectionId, end: usize) {
        let Some(connection) = self.connections.at_mut(id) else {
            return;
        };
        connection.finished[end] = true;
        let delay = self.lines[connection.line.0].conditions[end].delay_ms;
        let last = connection.lanes[end].last_arrival_ms().max(self.now_ms);
        let other = 1 - end;
        let notice = Event::Notice {
            connection: id,
            end: other,
            blocked: None,
        };
        self.queue.push(last + delay + 1, notice);
        self.end_connection(id, end);
    }

    pub(super) fn left(&mut self, id: ConnectionId, end: usize, bytes: usize) {
        let Some(connection) = self.connections.at(id) else {
            return;
        };
        let (Some(session), seat) = (connection.ids[end], connection.seats[end]) else {
            return;
        };
        let now = self.now(seat);
        if let Some(office) = self.office_mut(seat) {
            office.written(now, session, bytes);
            self.send_outputs(seat);
            self.tick_soon(seat);
        }
    }

    /// The oldest frame on its way arrives, unless the line is blocked meanwhile.
    pub(super) fn arrive(&mut self, id: ConnectionId, end: usize) {
        let Some(connection) = self.connections.at_mut(id) else {
            return;
        };
        if self.lines[connection.line.0].blocked[end].is_some() {
            connection.held[end] = true;
            return;
        }
        // After a block one event stands for all that was held up by it.
        let mut frames = Vec::new();
        while connection.flying[end]
            .front()
            .is_some_and(|f| f.arrives_ms <= self.now_ms)
        {
            frames.extend(connection.flying[end].pop_front());
        }
        if frames.is_empty() {
            return;
        }
        connection.flying_bytes[end] -= frames.iter().map(|f| f.bytes.len()).sum::<usize>();
        let (seat, session) = (connection.seats[1 - end], connection.ids[1 - end]);
        let (peer, tampered) = (connection.seats[end], connection.tampered);
        let Some(session) = session else { return };
        let now = self.now(seat);
        for frame in frames.iter().filter(|f| !f.bytes.is_empty()) {
            let decoded = decode(&frame.bytes);
            let Some(office) = self.places[seat.0].office.as_mut() else {
                return;
            };
            let fault = match decoded {
                Ok(frame) => office.inbound(now, session, frame).err(),
                Err(error) => {
                    office.broken(now, session, &error);
                    Some(error)
                }
            };
            if let Some(fault) = fault {
                self.trace
                    .note(5, self.now_ms, seat.0 as u64, fault.to_string().as_bytes());
                self.watch(&Moment::Blamed {
                    seat,
                    peer,
                    fault: &fault,
                    tampered,
                });
                self.peer_errors.push((seat, peer, fault));
            }
        }
        self.round_soon(seat, 0);
    }

    pub(super) fn notice(&mut self, id: ConnectionId, end: usize, blocked: Option<u64>) {
        let Some(connection) = self.connections.at(id) else {
            return;
        };
        let line = &self.lines[connection.line.0];
        if blocked.is_some() && !line.blocked.contains(&blocked) {
            return;
        }
        if blocked.is_some() && connection.ids[end].is_some() {
            self.faults.note(Kind::ConnectionLost);
        }
        self.end_connection(id, end);
    }

    /// This end no longer believes in the connection. The other finds out in its own time.
    pub(super) fn end_connection(&mut self, id: ConnectionId, end: usize) {
        let Some(connection) = self.connections.at_mut(id) else {
            return;
        };
        let (seat, line, began_ms) = (connection.seats[end], connection.line, connection.began_ms);
        let Some(session) = connection.ids[end].take() else {
            return;
        };
        // What this end has not finished putting on the line is torn off, unless it closed in order.
        if !connection.finished[end] {
            let now = self.now_ms;
            let before = connection.flying[end].len();
            let delay = self.lines[line.0].conditions[end].delay_ms;
            connection.flying[end].retain(|f| f.arrives_ms <= now + delay);
            connection.flying_bytes[end] = connection.flying[end].iter().map(|f| f.bytes.len()).sum();
            if connection.flying[end].len() < before {
                self.faults.note(Kind::FrameTorn);
            }
        }
        self.connections.sweep(id);
        self.places[seat.0].sessions.remove(&session);
        let now = self.now(seat);
        if let Some(office) = self.office_mut(seat) {
            office.disconnected(now, session);
            self.round_soon(seat, 0);
        }
        self.trace.note(6, self.now_ms, id_of(seat, end), &[]);
        if end == 0 && self.lines[line.0].live == Some(id) {
            self.lines[line.0].live = None;
            if self.now_ms >= began_ms + GOOD_MS {
                self.lines[line.0].redial.succeeded();
            }
            let delay = self.lines[line.0].redial.failed(&mut self.dice);
            self.dial_soon(line, delay);
        }
    }

    /// All connections of a device's process end with it, without a word; the peers find out in their own time.
    pub(super) fn drop_connections(&mut self, seat: Seat) {
        let held: Vec<(ConnectionId, usize)> = self.places[seat.0].sessions.values().copied().collect();
        for (id, end) in held {
            self.end_connection(id, end);
            let other = 1 - end;
            let (least, spread) = if other == 0 {
                (DEAD_MS, IDLE_MS - DEAD_MS)
            } else {
                (IDLE_MS, 12_000)
            };
            let at = self.now_ms + least + self.dice.below(spread);
            let notice = Event::Notice {
                connection: id,
                end: other,
                blocked: None,
            };
            self.queue.push(at, notice);
        }
        self.places[seat.0].sessions.clear();
    }
}

fn id_of(seat: Seat, end: usize) -> u64 {
    (seat.0 as u64) << 1 | end as u64
}

pub(super) fn decode(bytes: &[u8]) -> Result<Inbound, PeerError> {
    let mut fixed = [0; HEADER_LEN];
    let (head, body) = bytes.split_at(HEADER_LEN.min(bytes.len()));
    fixed[..head.len()].copy_from_slice(head);
    let header = Header::decode(fixed)?;
    Inbound::decode(header.kind, body)
}
