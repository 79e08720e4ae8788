//! One sync session with one peer, as a pure state machine: no socket, clock or randomness of its own.
//!
//! ```text
//!   Meeting ── Hello both ways ──▶ Open: Digests/Vectors where they differ, then Batch, Receipts, … ──▶ Closed
//!      ├─ WhoAreYou / Introduce      silence when in step; whatever changes is pushed
//!      └─ Join / Welcome
//! ```
//!
//! Why it ends in silence: a vector that is *told* is answered at most once for each scope and session; one that is *asked with* is
//! answered by one that is told. What the peer holds is remembered (what it told, what it sent, what was sent to it), so nothing goes
//! to a peer twice, and nothing comes back to the one who sent it.
//!
//! Why runs of a scope are pushed only after the peer has named it: the two sides may know different versions of the organisation. An
//! honest peer therefore never pushes what the other does not share, and one who does so is cut off.

mod asks;
mod comparing;
mod forks;
mod io;
mod local;
mod meeting;
mod open;
mod pace;
mod quota;
mod streaming;
mod voices;

#[cfg(test)]
mod double;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use ledger::id::{DeviceId, Hash, Scope};
use sha2::{Digest, Sha256};

use crate::frame::{Bye, ByeReason, Frame, JoinRequest, Outbound};
use crate::time::Now;

pub use asks::Asks;
pub use io::{Effect, Input, Met, Outcome, PeerError, Reason};
pub use local::{Acquaintance, Local};
pub use quota::Quota;

use meeting::Meeting;
use open::Open;

/// The lowest protocol version spoken here.
pub const VERSION_MIN: u16 = 1;
/// The highest of them.
pub const VERSION_MAX: u16 = 1;

/// A peer that has not introduced itself by then holds a place that others need.
const MEETING_MS_MAX: u64 = 15_000;
/// Frames of kinds not known here that are passed over; a later version has no reason to send thousands.
const UNKNOWN_FRAMES_MAX: u32 = 4_096;

/// Who dialled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialled {
    Us,
    Them,
}

/// How far a session has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// The two sides have not met yet.
    Meeting,
    /// Differences are being found or sent.
    CatchingUp,
    /// As far as this side knows, nothing is left to send or to come.
    InStep,
    /// One side asked the other to come back later.
    Paused,
    Closed,
}

/// One session. See the module.
#[derive(Debug)]
pub struct Session {
    peer: DeviceId,
    dialled: Dialled,
    state: State,
    /// Spreads the times at which this side comes back.
    seed: u64,
    unknown_frames: u32,
    outbox: VecDeque<Effect>,
}

#[derive(Debug)]
enum State {
    Meeting(Box<Meeting>),
    /// A newcomer waits for the answer to its ticket.
    Joining {
        deadline_ms: u64,
    },
    Open(Box<Open>),
    Closed(Reason),
}

/// What the states work with during one call.
struct Context<'a> {
    now: Now,
    peer: DeviceId,
    seed: u64,
    local: &'a mut dyn Local,
    outbox: &'a mut VecDeque<Effect>,
}

impl Context<'_> {
    /// Queues a frame; returns its length.
    fn send(&mut self, frame: &Outbound) -> usize {
        let bytes = frame.encode();
        let len = bytes.len();
        self.outbox.push_back(Effect::Send(bytes));
        len
    }

    fn effect(&mut self, effect: Effect) {
        self.outbox.push_back(effect);
    }
}

/// Where a state leads.
enum Next {
    Stay,
    Open(Box<Open>),
    Close(Reason, Option<Bye>),
}

impl Session {
    /// A session over a fresh connection to `peer`, whose key the transport has proved. The first effects are ready at once. `seed`
    /// spreads the times at which this side comes back.
    pub fn new(now: Now, dialled: Dialled, peer: DeviceId, seed: u64, local: &mut dyn Local) -> Self {
        let mut session = Self {
            peer,
            dialled,
            state: State::Meeting(Box::new(Meeting::new(now))),
            seed,
            unknown_frames: 0,
            outbox: VecDeque::new(),
        };
        session.run(now, local, |state, cx| match state {
            State::Meeting(meeting) => Ok(meeting.start(cx)),
            _ => Ok(Next::Stay),
        });
        session
    }

    /// A session of a newcomer with a ticket: asks to join. Ends with [`Effect::Welcomed`] as its last effect (the connection may go on
    /// with [`Session::new`] once the office has taken its place), or with [`Effect::Close`].
    pub fn join(now: Now, peer: DeviceId, request: JoinRequest) -> Self {
        let bytes = Outbound::Join(Box::new(request)).encode();
        Self {
            peer,
            dialled: Dialled::Us,
            state: State::Joining {
                deadline_ms: now.mono_ms + MEETING_MS_MAX,
            },
            seed: 0,
            unknown_frames: 0,
            outbox: VecDeque::from([Effect::Send(bytes)]),
        }
    }

    /// Takes in what happened. On an error the session is closed: the effects then tell the peer why and end the connection.
    pub fn handle(&mut self, now: Now, input: Input, local: &mut dyn Local) -> Result<(), PeerError> {
        if let Input::Frame(Frame::Unknown(_)) = input {
            self.unknown_frames += 1;
        }
        let excess = self.unknown_frames > UNKNOWN_FRAMES_MAX;
        self.run(now, local, |state, cx| {
            if excess {
                return Err(PeerError::TooMany("frames of unknown kinds"));
            }
            match (state, input) {
                (State::Closed(_), _) | (_, Input::Frame(Frame::Unknown(_))) => Ok(Next::Stay),
                (_, Input::Frame(Frame::Bye(bye))) => Ok(Next::Close(Reason::Peer(bye), None)),
                (_, Input::Revoked) => Ok(revoked()),
                (_, Input::Held(text)) => Ok(held(text)),
                (_, Input::Leave) => Ok(Next::Close(Reason::Leaving, Some(Bye::new(ByeReason::Leaving, "")))),
                (State::Joining { deadline_ms }, input) => joining(*deadline_ms, input, cx),
                (State::Meeting(meeting), input) => meeting.handle(input, cx),
                (State::Open(open), input) => open.handle(input, cx),
            }
        })
        .map_or(Ok(()), Err)
    }

    /// For an error found before a frame could be passed in (by [`crate::frame::Inbound::decode`]): ends the session likewise.
    pub fn break_off(&mut self, error: &PeerError) {
        let bye = match error {
            PeerError::Version { .. } => Bye::new(ByeReason::Version, error.to_string()),
            PeerError::Introduction | PeerError::Credential(_) => Bye::new(ByeReason::NotAMember, error.to_string()),
            _ => Bye::new(ByeReason::Fault, error.to_string()),
        };
        let reason = match bye.reason {
            ByeReason::Version => Reason::Version,
            ByeReason::NotAMember => Reason::NotAMember,
            _ => Reason::Fault,
        };
        self.close(reason, Some(bye));
    }

    /// What is to be done next; `None` until something happens.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.outbox.pop_front()
    }

    /// When [`Input::Wakeup`] is due, in monotonic milliseconds; `None`: an idle session stays idle.
    pub fn next_wakeup(&self) -> Option<u64> {
        match &self.state {
            State::Meeting(meeting) => Some(meeting.deadline_ms()),
            State::Joining { deadline_ms } => Some(*deadline_ms),
            State::Open(open) => open.next_wakeup(),
            State::Closed(_) => None,
        }
    }

    /// The key at the other end.
    pub fn peer(&self) -> DeviceId {
        self.peer
    }

    /// Who dialled.
    pub fn dialled(&self) -> Dialled {
        self.dialled
    }

    /// Why the session is over; `None` while it is not.
    pub fn ended(&self) -> Option<&Reason> {
        match &self.state {
            State::Closed(reason) => Some(reason),
            _ => None,
        }
    }

    /// Bytes of ours that wait for the network.
    pub fn unwritten(&self) -> usize {
        match &self.state {
            State::Open(open) => open.unwritten(),
            _ => 0,
        }
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        match &self.state {
            State::Meeting(_) | State::Joining { .. } => Progress::Meeting,
            State::Open(open) => open.progress(),
            State::Closed(_) => Progress::Closed,
        }
    }

    /// Lets the state act, then goes where it leads. An error closes the session and is handed back.
    fn run(
        &mut self,
        now: Now,
        local: &mut dyn Local,
        act: impl FnOnce(&mut State, &mut Context<'_>) -> Result<Next, PeerError>,
    ) -> Option<PeerError> {
        let mut cx = Context {
            now,
            peer: self.peer,
            seed: self.seed,
            local,
            outbox: &mut self.outbox,
        };
        match act(&mut self.state, &mut cx) {
            Ok(Next::Stay) => None,
            Ok(Next::Open(open)) => {
                self.state = State::Open(open);
                None
            }
            Ok(Next::Close(reason, bye)) => {
                self.close(reason, bye);
                None
            }
            Err(error) => {
                self.break_off(&error);
                Some(error)
            }
        }
    }

    fn close(&mut self, reason: Reason, bye: Option<Bye>) {
        if matches!(self.state, State::Closed(_)) {
            return;
        }
        self.state = State::Closed(reason.clone());
        if let Some(bye) = bye {
            self.outbox.push_back(Effect::Send(Outbound::Bye(bye).encode()));
        }
        // After a welcome the connection belongs to the next session.
        if reason != Reason::Done {
            self.outbox.push_back(Effect::Close(reason));
        }
    }
}

fn revoked() -> Next {
    Next::Close(Reason::Revoked, Some(Bye::revoked()))
}

fn held(text: String) -> Next {
    Next::Close(Reason::Held, Some(Bye::new(ByeReason::Held, text)))
}

fn joining(deadline_ms: u64, input: Input, cx: &mut Context<'_>) -> Result<Next, PeerError> {
    match input {
        Input::Frame(Frame::Welcome(welcome)) => {
            cx.effect(Effect::Welcomed(welcome));
            Ok(Next::Close(Reason::Done, None))
        }
        // The hub asks everybody whom it does not know; the ticket is the answer.
        Input::Frame(Frame::WhoAreYou) => Ok(Next::Stay),
        Input::Frame(_) => Err(PeerError::OutOfTurn("a frame before the answer to a ticket")),
        Input::Wakeup if cx.now.mono_ms >= deadline_ms => Ok(Next::Close(Reason::Timeout, None)),
        _ => Ok(Next::Stay),
    }
}

/// The digest over the digests of several scopes; empty scopes do not count, so that views of the organisation which differ only in
/// units without content do not matter.
pub fn summary(scopes: impl IntoIterator<Item = (Scope, Hash)>) -> Hash {
    let mut held: Vec<_> = scopes.into_iter().filter(|(_, digest)| *digest != Hash::ZERO).collect();
    held.sort_unstable();
    let mut h = Sha256::new();
    h.update(b"cunlian summary 1");
    for (scope, digest) in held {
        h.update(scope.to_bytes());
        h.update(digest.0);
    }
    Hash(h.finalize().into())
}
