//! Meeting: hello both ways; before it, for keys not known yet, one bounded introduction or a ticket.

use std::collections::BTreeMap;

use ledger::id::{Hash, Scope, UnitId};

use super::open::Open;
use super::voices::Voices;
use super::{
    Acquaintance, Context, Effect, Input, MEETING_MS_MAX, Met, Next, PeerError, Reason, VERSION_MAX, VERSION_MIN, held,
    revoked, summary,
};
use crate::credential::{Credential, verify_chain};
use crate::frame::{Bye, ByeReason, Frame, Hello, Outbound};
use crate::time::Now;
use crate::vector::Vector;

#[derive(Debug)]
pub(super) struct Meeting {
    deadline_ms: u64,
    /// The peer's unit, once the peer is known.
    unit: Option<UnitId>,
    ticket: Ticket,
    introduced_ourselves: bool,
    said: Option<Said>,
    heard: Option<Hello>,
    voices: Voices,
}

/// Whether the peer has asked to join.
#[derive(Debug, PartialEq, Eq)]
enum Ticket {
    None,
    Asked,
    Answered,
}

/// Our hello, and what was held when it was said: what an equal summary in the peer's hello stands for.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) shared: Vec<Scope>,
    pub(super) vectors: BTreeMap<Scope, Vector>,
    pub(super) summary: Hash,
    pub(super) receipts: Hash,
    /// Damage on the disk has lowered what is held since then.
    pub(super) lowered: bool,
}

impl Meeting {
    pub(super) fn new(now: Now) -> Self {
        Self {
            deadline_ms: now.mono_ms + MEETING_MS_MAX,
            unit: None,
            ticket: Ticket::None,
            introduced_ourselves: false,
            said: None,
            heard: None,
            voices: Voices::default(),
        }
    }

    pub(super) fn deadline_ms(&self) -> u64 {
        self.deadline_ms
    }

    pub(super) fn start(&mut self, cx: &mut Context<'_>) -> Next {
        match cx.local.acquaintance(&cx.peer) {
            Acquaintance::Member { unit } => self.say_hello(unit, cx),
            Acquaintance::Revoked => return revoked(),
            Acquaintance::Held(text) => return held(text),
            Acquaintance::Unknown => {
                cx.send(&Outbound::WhoAreYou);
            }
        }
        Next::Stay
    }

    pub(super) fn handle(&mut self, input: Input, cx: &mut Context<'_>) -> Result<Next, PeerError> {
        match input {
            Input::Frame(frame) => return self.frame(frame, cx),
            Input::Receipts(receipts, withdrawals) => {
                if let Some(said) = &self.said {
                    self.voices
                        .offer(receipts, withdrawals, |scope| said.shared.contains(scope));
                }
            }
            Input::Compare => {
                if let Some(said) = &mut self.said {
                    said.lowered = true;
                }
            }
            Input::JoinAnswer(answer) => return Ok(self.answer(answer, cx)),
            Input::Wakeup if cx.now.mono_ms >= self.deadline_ms => {
                let bye = Bye::new(ByeReason::Timeout, "no hello in time");
                return Ok(Next::Close(Reason::Timeout, Some(bye)));
            }
            _ => {}
        }
        Ok(Next::Stay)
    }

    fn frame(&mut self, frame: Frame<crate::run::VerifiedRun>, cx: &mut Context<'_>) -> Result<Next, PeerError> {
        match frame {
            Frame::WhoAreYou => {
                if self.introduced_ourselves {
                    return Err(PeerError::OutOfTurn("a second question who we are"));
                }
                self.introduced_ourselves = true;
                cx.send(&Outbound::Introduce(cx.local.introduction()));
            }
            Frame::Hello(hello) => {
                if self.heard.is_some() {
                    return Err(PeerError::OutOfTurn("a second hello"));
                }
                if hello.version_max < VERSION_MIN || hello.version_min > VERSION_MAX {
                    return Err(PeerError::Version {
                        min: hello.version_min,
                        max: hello.version_max,
                    });
                }
                self.heard = Some(hello);
            }
            Frame::Introduce(chain) => {
                if let Some(later) = self.introduced(&chain, cx)? {
                    return Ok(later);
                }
            }
            // Also from a member: the welcome may have been lost on the way, or the root key has let it in since it asked.
            Frame::Join(request) if self.heard.is_none() => {
                if self.ticket != Ticket::None {
                    return Err(PeerError::OutOfTurn("a second ticket"));
                }
                self.ticket = Ticket::Asked;
                cx.effect(Effect::Join(request));
            }
            other if self.unit.is_none() => return Err(PeerError::Stranger(other.kind())),
            _ => return Err(PeerError::OutOfTurn("a frame before hello")),
        }
        Ok(self.open(cx))
    }

    /// `Some` when the device has to come back later.
    fn introduced(&mut self, chain: &[Credential], cx: &mut Context<'_>) -> Result<Option<Next>, PeerError> {
        // The news of a member may have come by another way between our question and the answer.
        if self.unit.is_some() {
            return Err(PeerError::OutOfTurn("an introduction nobody asked for"));
        }
        let introduced = verify_chain(&cx.local.root(), chain)?;
        let member = introduced.member();
        if member.device != cx.peer || !cx.local.welcomes(&introduced) {
            let later = cx.local.unsettled(&introduced).filter(|_| member.device == cx.peer);
            return later.map(held).map(Some).ok_or(PeerError::Introduction);
        }
        let unit = member.unit;
        cx.effect(Effect::Introduced(introduced));
        self.say_hello(unit, cx);
        Ok(None)
    }

    fn answer(&mut self, answer: Result<crate::frame::Welcome, String>, cx: &mut Context<'_>) -> Next {
        if self.ticket != Ticket::Asked {
            return Next::Stay;
        }
        self.ticket = Ticket::Answered;
        match answer {
            Ok(welcome) => {
                let unit = welcome.unit;
                cx.send(&Outbound::Welcome(welcome));
                self.deadline_ms = cx.now.mono_ms + MEETING_MS_MAX;
                if self.said.is_none() {
                    self.say_hello(unit, cx);
                }
                Next::Stay
            }
            Err(text) => Next::Close(Reason::JoinRefused, Some(Bye::new(ByeReason::JoinRefused, text))),
        }
    }

    fn say_hello(&mut self, unit: UnitId, cx: &mut Context<'_>) {
        let shared = cx.local.shared_scopes(unit);
        let vectors: BTreeMap<_, _> = shared
            .iter()
            .map(|scope| (*scope, cx.local.vector(*scope).clone()))
            .collect();
        let said = Said {
            summary: summary(shared.iter().map(|scope| (*scope, cx.local.digest(*scope)))),
            receipts: cx.local.receipts_digest(&shared),
            shared,
            vectors,
            lowered: false,
        };
        cx.send(&Outbound::Hello(Hello {
            version_min: VERSION_MIN,
            version_max: VERSION_MAX,
            unit: cx.local.unit(),
            wall_ms: cx.now.wall_ms,
            summary: said.summary,
            receipts: said.receipts,
            health: cx.local.health(),
        }));
        self.unit = Some(unit);
        self.said = Some(said);
    }

    /// Goes on once both hellos are there.
    fn open(&mut self, cx: &mut Context<'_>) -> Next {
        let (Some(unit), true, true) = (self.unit, self.said.is_some(), self.heard.is_some()) else {
            return Next::Stay;
        };
        let (Some(said), Some(heard)) = (self.said.take(), self.heard.take()) else {
            return Next::Stay;
        };
        cx.effect(Effect::Met(Met {
            unit,
            skew_ms: heard.wall_ms.saturating_sub(cx.now.wall_ms),
            health: heard.health.bounded(),
            summary: said.summary,
        }));
        let mut open = Box::new(Open::new(unit, std::mem::take(&mut self.voices)));
        open.start(said, heard.summary, heard.receipts, cx);
        Next::Open(open)
    }
}
