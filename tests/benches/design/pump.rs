//! Two offices in one thread with a wire of bytes between them.

use std::time::{Duration, Instant};

use anyhow::Result;
use office::{Office, Output, SessionId};
use replica::frame::{HEADER_LEN, Header, Inbound};
use replica::session::Dialled;

use crate::county::decoded;
use crate::machine::Clock;

/// A connection between a room and a hub, and what went over it.
pub(crate) struct Wire {
    pub(crate) at_room: SessionId,
    pub(crate) at_hub: SessionId,
    pub(crate) up_bytes: u64,
    pub(crate) down_bytes: u64,
    /// Exchanges: how often the direction turned to the room.
    pub(crate) turns: u32,
}

impl Wire {
    pub(crate) fn connect(room: &mut Office, hub: &mut Office, clock: Clock) -> Self {
        let at_hub = hub.connect(clock.now(), room.device(), Dialled::Them, "memory");
        let at_room = room.connect(clock.now(), hub.device(), Dialled::Us, "memory");
        Self {
            at_room,
            at_hub,
            up_bytes: 0,
            down_bytes: 0,
            turns: 0,
        }
    }

    pub(crate) fn part(self, room: &mut Office, hub: &mut Office, clock: Clock) {
        room.disconnected(clock.now(), self.at_room);
        hub.disconnected(clock.now(), self.at_hub);
        while room.next_output().is_some() {}
        while hub.next_output().is_some() {}
    }
}

/// Everything an office wants to send on a line now; it is told that it left at once, as did what others are sent meanwhile.
pub(crate) fn outgoing(office: &mut Office, line: SessionId, clock: Clock) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some((id, output)) = office.next_output() {
        if let Output::Send(frame) = output {
            office.written(clock.now(), id, frame.len());
            frames.extend((id == line).then_some(frame));
        }
    }
    frames
}

/// Exchanges frames until both sides are silent. Returns the time that the hub took.
pub(crate) fn until_silent(wire: &mut Wire, room: &mut Office, hub: &mut Office, clock: Clock) -> Result<Duration> {
    let mut hub_time = Duration::ZERO;
    loop {
        let up = outgoing(room, wire.at_room, clock);
        let began = Instant::now();
        wire.up_bytes += up.iter().map(|f| f.len() as u64).sum::<u64>();
        for frame in &up {
            hub.inbound(clock.now(), wire.at_hub, decoded(frame)?)?;
        }
        hub.commit(clock.now())?;
        let down = outgoing(hub, wire.at_hub, clock);
        hub_time += began.elapsed();
        wire.down_bytes += down.iter().map(|f| f.len() as u64).sum::<u64>();
        for frame in &down {
            room.inbound(clock.now(), wire.at_room, decoded(frame)?)?;
        }
        room.commit(clock.now())?;
        if up.is_empty() && down.is_empty() {
            return Ok(hub_time);
        }
        wire.turns += u32::from(!down.is_empty());
    }
}

/// What a hub's half of a catch-up took.
#[derive(Default, Clone, Copy)]
pub(crate) struct Taken {
    /// From the first frame to the last receipt.
    pub(crate) wall: Duration,
    /// Decoding and proving, on a thread of its own as in the daemon.
    pub(crate) decoding: Duration,
    /// The office's thread: placing, journalling, syncing, signing receipts.
    pub(crate) office: Duration,
    pub(crate) commits: u32,
    pub(crate) bytes: u64,
}

impl Taken {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            decoding: self.decoding + other.decoding,
            office: self.office + other.office,
            commits: self.commits + other.commits,
            bytes: self.bytes + other.bytes,
        }
    }
}

/// Bytes of frames that a hub takes before it commits, as its keeper does.
const ROUND: Duration = Duration::from_millis(20);

/// Lets the hub take frames that lie ready: decoded on one thread, taken, committed and receipted on another, as in the daemon.
pub(crate) fn take(
    hub: &mut Office,
    line: SessionId,
    frames: &[Vec<u8>],
    clock: Clock,
) -> Result<(Taken, Vec<Vec<u8>>)> {
    let (into, ready) = std::sync::mpsc::sync_channel::<Inbound>(64);
    let mut taken = Taken {
        bytes: frames.iter().map(|f| f.len() as u64).sum(),
        ..Taken::default()
    };
    let mut answers = Vec::new();
    let began = Instant::now();
    let decoding = std::thread::scope(|scope| -> Result<Duration> {
        let decoder = scope.spawn(move || -> Result<Duration> {
            let mut busy = Duration::ZERO;
            for frame in frames {
                let began = Instant::now();
                let mut head = [0; HEADER_LEN];
                head.copy_from_slice(&frame[..HEADER_LEN]);
                let header = Header::decode(head)?;
                let inbound = Inbound::decode(header.kind, &frame[HEADER_LEN..])?;
                busy += began.elapsed();
                if into.send(inbound).is_err() {
                    break;
                }
            }
            Ok(busy)
        });
        while let Ok(first) = ready.recv() {
            let round = Instant::now();
            hub.inbound(clock.now(), line, first)?;
            while round.elapsed() < ROUND
                && let Ok(next) = ready.try_recv()
            {
                hub.inbound(clock.now(), line, next)?;
            }
            hub.commit(clock.now())?;
            answers.extend(outgoing(hub, line, clock));
            taken.office += round.elapsed();
            taken.commits += 1;
        }
        decoder
            .join()
            .unwrap_or_else(|_| Err(anyhow::anyhow!("decoding failed")))
    })?;
    taken.wall = began.elapsed();
    taken.decoding = decoding;
    Ok((taken, answers))
}
