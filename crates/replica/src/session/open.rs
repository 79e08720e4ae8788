//! Open: both sides know each other. What each holds is compared where it differs, and from then on whatever changes is pushed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ledger::id::{DeviceId, Hash, RecordId, Scope, ScopeKind, UnitId};

use super::asks::reads;
use super::meeting::Said;
use super::pace::Pace;
use super::voices::Voices;
use super::{Acquaintance, Context, Effect, Input, Next, PeerError, Progress, held, revoked};
use crate::authority::Write;
use crate::entry::{LogId, Tip};
use crate::frame::{Aside, Frame, Inbound, Outbound, Refusal, RoomHealth, Speech, WrappedKey};

use super::forks::Search;

/// With so few logs the vectors themselves are sent where otherwise digests would be: one round trip less.
const VECTORS_AT_ONCE_LOGS: usize = 24;
/// Reports on rooms in one frame.
const ROOMS_PER_FRAME: usize = 256;
const ROOMS_MAX: usize = 4_096;
/// Missing keys asked for at each meeting. Little: when nobody has them, every meeting asks again.
pub(super) const KEYS_AT_MEETING: usize = 16;
/// A key that the peer did not have is asked for again, as it may have come there by another way since; each time later, as there are
/// keys that nobody has.
const KEY_AGAIN_MS: u64 = 5_000;
const KEY_AGAIN_MS_MAX: u64 = 3_600_000;
/// As long as keys do come, so many are asked for at once.
const KEYS_PER_ASK: usize = 1_024;
/// A peer that holds a slot for catching up and sends nothing loses it.
const SLOT_IDLE_MS: u64 = 30_000;
/// Answers that lie unread: many times what an honest peer asks for in one breath, a vector of the largest scope included.
const UNREAD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longer than this nobody is made to wait by a `Busy`.
const BUSY_MS_MAX: u64 = 3_600_000;

/// Things of one kind that a peer may make us remember.
const REMEMBERED_MAX: usize = 65_536;

/// The order in which logs are sent: public scopes first.
pub(super) type Turn = (ScopeKind, LogId);

pub(super) fn turn(log: LogId) -> Turn {
    (log.scope.kind, log)
}

#[derive(Debug)]
pub(super) struct Open {
    pub(super) unit: UnitId,
    /// The scopes that we share with the peer, by what is known here now.
    pub(super) scopes: BTreeMap<Scope, Shared>,
    /// Scopes that were shared earlier in this session: what is under way of them is no fault.
    pub(super) formerly: BTreeSet<Scope>,
    /// Logs of which the peer may lack something.
    pub(super) dirty: BTreeSet<Turn>,
    /// Staged and not yet durable: the runs of each batch.
    pub(super) arriving: BTreeMap<u64, Vec<Arriving>>,
    pub(super) next_batch: u64,
    /// Logs of which the peer has more, and up to which number.
    pub(super) expected: BTreeMap<LogId, u64>,
    /// Logs that we did not take because the author was unknown.
    pub(super) unknown_authors: BTreeSet<LogId>,
    pub(super) gaps: BTreeSet<LogId>,
    pub(super) searches: BTreeMap<(LogId, Tip), Search>,
    pub(super) pace: Pace,
    pub(super) voices: Voices,
    pub(super) asked_keys: BTreeMap<RecordId, Asked>,
    /// Keys to be sent with the next batches.
    pub(super) keys_due: VecDeque<WrappedKey>,
    pub(super) slot: Slot,
    /// The peer asked us to come back then.
    pub(super) paused_until_ms: Option<u64>,
    pub(super) not_shared: u32,
}

/// Where the peer stands with the catch-up slots of this office.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Slot {
    None,
    Held {
        idle_at_ms: u64,
    },
    /// We said "busy": what comes is not taken until the peer compares again.
    Refused,
}

/// One scope between the two.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) told: Told,
    /// `None` until the peer has named the scope.
    pub(super) theirs: Option<BTreeMap<(DeviceId, u64), Theirs>>,
}

/// What we told of a scope in this session.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Told {
    #[default]
    Nothing,
    /// That we share it.
    Named,
    /// Our vector.
    Vector,
}

/// What the peer holds of a log, as far as we know.
#[derive(Debug, Default, Clone)]
pub(super) struct Theirs {
    /// Tips, or places from which tips grew meanwhile.
    pub(super) held: Vec<Tip>,
    /// Places below tips that are not known here, found by asking.
    pub(super) common: Vec<Tip>,
    pub(super) refused: Option<Refusal>,
}

/// A run that is on its way into the journal.
#[derive(Debug)]
pub(super) struct Arriving {
    pub(super) log: LogId,
    pub(super) prev: Tip,
    pub(super) to: Tip,
}

impl Theirs {
    /// Notes that the peer holds everything up to `to`, which follows `prev`.
    pub(super) fn grew(&mut self, prev: Tip, to: Tip) {
        self.held.retain(|tip| *tip != prev && *tip != to);
        self.held.push(to);
    }
}

/// When a key was asked for, and when that makes sense again.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Asked {
    again_ms: u64,
    pause_ms: u64,
}

impl Asked {
    /// Whether to ask now; if so, the next time is later.
    fn is_due(&mut self, now_ms: u64) -> bool {
        let is_due = now_ms >= self.again_ms;
        if is_due {
            self.pause_ms = (4 * self.pause_ms).clamp(KEY_AGAIN_MS, KEY_AGAIN_MS_MAX);
            // All that wait equally long are asked for in one frame.
            self.again_ms = (now_ms / self.pause_ms + 1) * self.pause_ms;
        }
        is_due
    }
}

impl Open {
    pub(super) fn new(unit: UnitId, voices: Voices) -> Self {
        Self {
            unit,
            scopes: BTreeMap::new(),
            formerly: BTreeSet::new(),
            dirty: BTreeSet::new(),
            arriving: BTreeMap::new(),
            next_batch: 1,
            expected: BTreeMap::new(),
            unknown_authors: BTreeSet::new(),
            gaps: BTreeSet::new(),
            searches: BTreeMap::new(),
            pace: Pace::new(),
            voices,
            asked_keys: BTreeMap::new(),
            keys_due: VecDeque::new(),
            slot: Slot::None,
            paused_until_ms: None,
            not_shared: 0,
        }
    }

    /// Compares the two hellos and says what differs.
    pub(super) fn start(&mut self, said: Said, summary: Hash, receipts: Hash, cx: &mut Context<'_>) {
        self.scopes = said.shared.iter().map(|scope| (*scope, Shared::default())).collect();
        self.refresh_shared(cx);
        // Receipts go in the first flight: what a clerk waits for.
        if receipts != said.receipts {
            let shared = self.shared();
            let bytes = self.voices.compare(&shared, cx);
            self.sent(bytes, cx);
        }
        if summary == said.summary {
            for (scope, vector) in said.vectors {
                if let Some(shared) = self.scopes.get_mut(&scope).filter(|_| !vector.logs.is_empty()) {
                    shared.told = Told::Named;
                    self.learn(scope, vector, cx);
                }
            }
            // What was empty on both sides and is not so any more since our hello.
            let mut begun = self.shared();
            begun.retain(|scope| {
                self.scopes.get(scope).is_some_and(|shared| shared.theirs.is_none())
                    && cx.local.digest(*scope) != Hash::ZERO
            });
            self.tell_vectors(&begun, Speech::Ask, cx);
        } else {
            let logs: usize = self.scopes.keys().map(|scope| cx.local.vector(*scope).logs.len()).sum();
            let all = self.shared();
            if logs <= VECTORS_AT_ONCE_LOGS {
                self.tell_vectors(&all, Speech::Tell, cx);
            } else {
                self.tell_digests(&all, Speech::Tell, cx);
            }
        }
        if said.lowered {
            // The peer believes our hello, and would never send what is gone since.
            self.compare_again(cx);
        }
        self.ask_keys(KEYS_AT_MEETING, cx);
        self.pump(cx);
    }

    /// What a peer makes us remember is bounded: no honest one comes near.
    fn check_bounds(&self) -> Result<(), PeerError> {
        let bounds = [
            (self.voices.remembered(), "receipts"),
            (self.unknown_authors.len(), "logs of unknown authors"),
            (self.gaps.len(), "runs that do not link"),
            (self.keys_due.len(), "questions for keys"),
        ];
        match bounds.into_iter().find(|(len, _)| *len > REMEMBERED_MAX) {
            Some((_, what)) => Err(PeerError::TooMany(what)),
            None => Ok(()),
        }
    }

    pub(super) fn handle(&mut self, input: Input, cx: &mut Context<'_>) -> Result<Next, PeerError> {
        match input {
            Input::Frame(frame) => self.frame(frame, cx)?,
            Input::Changed(scope) => {
                if let Some(next) = self.changed(scope, cx) {
                    return Ok(next);
                }
            }
            Input::Written(bytes) => self.pace.written(cx.now.mono_ms, bytes),
            Input::Committed { batch, outcome } => self.committed(batch, &outcome, cx),
            Input::Receipts(receipts, withdrawals) => {
                let scopes = &self.scopes;
                self.voices
                    .offer(receipts, withdrawals, |scope| scopes.contains_key(scope));
            }
            Input::KeysWanted(keys) => self.ask_for(keys, cx),
            Input::HealthOut(rooms) => {
                for rooms in rooms.chunks(ROOMS_PER_FRAME) {
                    let rooms = rooms.iter().cloned().map(RoomHealth::bounded).collect();
                    let bytes = cx.send(&Outbound::Health(rooms));
                    self.sent(bytes, cx);
                }
            }
            Input::AsidesOut(list) => {
                let list = list.into_iter().take(Aside::MAX).map(Aside::bounded).collect();
                let bytes = cx.send(&Outbound::Asides(list));
                self.sent(bytes, cx);
            }
            Input::Compare => self.compare_again(cx),
            Input::Wakeup => self.wake(cx),
            Input::JoinAnswer(_) | Input::Revoked | Input::Held(_) | Input::Leave => {}
        }
        self.pump(cx);
        Ok(Next::Stay)
    }

    fn frame(&mut self, frame: Inbound, cx: &mut Context<'_>) -> Result<(), PeerError> {
        // What a peer asks for is answered at once, whatever the line takes: one that asks on and reads nothing fills our memory.
        if self.pace.unwritten() > UNREAD_BYTES_MAX {
            return Err(PeerError::TooMany("answers that were asked for and not read"));
        }
        let reads = reads(&frame);
        if reads > 0
            && let Err(retry_ms) = cx.local.ask(&cx.peer, reads)
        {
            self.come_back(&frame, retry_ms, cx);
            return Ok(());
        }
        match frame {
            Frame::Digests(digests) => self.digests(digests, cx),
            Frame::Vectors(vectors) => self.vectors(vectors, cx)?,
            Frame::Batch(batch) => self.batch(batch, cx)?,
            Frame::Receipts(mut receipts, withdrawals) => {
                let shared = self.shared();
                // Also those of scopes that we do not know yet to share: the peer thinks that we have them now.
                self.voices.heard(&receipts, &withdrawals, &shared, cx);
                receipts.retain(|receipt| self.scopes.contains_key(&receipt.scope));
                if !receipts.is_empty() || !withdrawals.is_empty() {
                    cx.effect(Effect::Receipts(receipts, withdrawals));
                }
            }
            Frame::Marks(marks) => {
                let shared = self.shared();
                self.voices.marks(marks, &shared, cx);
            }
            Frame::HashAsk(ask) => self.hash_ask(&ask, cx)?,
            Frame::Hashes(hashes) => self.hashes(&hashes, cx)?,
            Frame::KeyAsk(ask) => self.key_ask(&ask, cx)?,
            Frame::Refused(refused) => self.refused(refused.log, refused.reason, cx),
            Frame::Health(rooms) => {
                if rooms.len() > ROOMS_MAX {
                    return Err(PeerError::TooMany("rooms in one report"));
                }
                let rooms = rooms.into_iter().map(RoomHealth::bounded).collect();
                cx.effect(Effect::Health(rooms));
            }
            Frame::Asides(list) => {
                if list.len() > Aside::MAX {
                    return Err(PeerError::TooMany("records set aside"));
                }
                cx.effect(Effect::Asides(list.into_iter().map(Aside::bounded).collect()));
            }
            Frame::Busy(busy) => {
                let wait = busy.retry_ms.clamp(100, BUSY_MS_MAX);
                // All who were sent away at once must not come back at once.
                let jitter = cx.seed % (wait / 2 + 1);
                self.paused_until_ms = Some(cx.now.mono_ms + wait + jitter);
            }
            Frame::Hello(_) | Frame::WhoAreYou | Frame::Introduce(_) | Frame::Join(_) | Frame::Welcome(_) => {
                return Err(PeerError::OutOfTurn("a frame of the meeting"));
            }
            Frame::Bye(_) | Frame::Unknown(_) => {}
        }
        self.check_bounds()
    }

    /// A question is not answered: the peer has asked for too much. It is told when to compare again, and once until it does.
    fn come_back(&mut self, question: &Inbound, retry_ms: u64, cx: &mut Context<'_>) {
        if matches!(question, Frame::Digests(_)) || self.slot != Slot::Refused {
            self.say_busy(retry_ms, cx);
        }
    }

    /// The vector of a scope has moved here. The peer may have been revoked or held by it: then nothing more is to be said.
    fn changed(&mut self, scope: Scope, cx: &mut Context<'_>) -> Option<Next> {
        if scope.kind == ScopeKind::Public {
            match cx.local.acquaintance(&cx.peer) {
                Acquaintance::Revoked => return Some(revoked()),
                Acquaintance::Held(text) => return Some(held(text)),
                _ => {}
            }
            let added = self.refresh_shared(cx);
            self.tell_vectors(&added, Speech::Ask, cx);
            self.ask_unknown_again(cx);
            let shared = self.shared();
            let bytes = self.voices.recheck(&shared, cx);
            self.sent(bytes, cx);
        }
        match self.scopes.get(&scope) {
            Some(shared) if shared.theirs.is_some() => self.mark_dirty(scope, cx),
            // It was empty on both sides: the peer has not said that it shares it.
            Some(shared) if shared.told < Told::Vector && self.paused_until_ms.is_none() => {
                self.tell_vectors(&[scope], Speech::Ask, cx);
            }
            _ => {}
        }
        None
    }

    /// Brings the shared scopes up to date; returns those that are new.
    pub(super) fn refresh_shared(&mut self, cx: &mut Context<'_>) -> Vec<Scope> {
        if let Acquaintance::Member { unit } = cx.local.acquaintance(&cx.peer) {
            self.unit = unit;
        }
        let now: BTreeSet<Scope> = cx.local.shared_scopes(self.unit).into_iter().collect();
        let gone: Vec<Scope> = self
            .scopes
            .keys()
            .filter(|scope| !now.contains(scope))
            .copied()
            .collect();
        for scope in gone {
            self.scopes.remove(&scope);
            self.formerly.insert(scope);
            self.dirty.retain(|(_, log)| log.scope != scope);
            self.expected.retain(|log, _| log.scope != scope);
        }
        let added: Vec<Scope> = now
            .into_iter()
            .filter(|scope| !self.scopes.contains_key(scope))
            .collect();
        for scope in &added {
            self.scopes.insert(*scope, Shared::default());
            self.formerly.remove(scope);
        }
        added
    }

    /// Asks anew for logs whose authors have become known.
    fn ask_unknown_again(&mut self, cx: &mut Context<'_>) {
        let known: Vec<LogId> = self
            .unknown_authors
            .iter()
            .filter(|log| cx.local.may_write(&log.device, &log.scope) != Write::AuthorUnknown)
            .copied()
            .collect();
        let mut scopes: Vec<Scope> = known.iter().map(|log| log.scope).collect();
        for log in &known {
            self.unknown_authors.remove(log);
        }
        scopes.dedup();
        self.tell_vectors(&scopes, Speech::Ask, cx);
    }

    fn wake(&mut self, cx: &mut Context<'_>) {
        if self.paused_until_ms.is_some_and(|until| cx.now.mono_ms >= until) {
            self.paused_until_ms = None;
            self.compare_again(cx);
        }
        if let Slot::Held { idle_at_ms } = self.slot
            && cx.now.mono_ms >= idle_at_ms
        {
            self.free_slot(cx);
        }
    }

    /// Takes or keeps a slot for a peer that has much to send.
    pub(super) fn hold_slot(&mut self, cx: &mut Context<'_>) -> Result<(), u64> {
        cx.local.catch_up(&cx.peer)?;
        self.slot = Slot::Held {
            idle_at_ms: cx.now.mono_ms + SLOT_IDLE_MS,
        };
        Ok(())
    }

    pub(super) fn free_slot(&mut self, cx: &mut Context<'_>) {
        if matches!(self.slot, Slot::Held { .. }) {
            self.slot = Slot::None;
            cx.local.caught_up(&cx.peer);
        }
    }

    pub(super) fn sent(&mut self, bytes: usize, cx: &Context<'_>) {
        if bytes > 0 {
            self.pace.sent(cx.now.mono_ms, bytes);
        }
    }

    pub(super) fn shared(&self) -> Vec<Scope> {
        let mut scopes: Vec<Scope> = self.scopes.keys().copied().collect();
        scopes.sort_by_key(|scope| (scope.kind, scope.unit));
        scopes
    }

    /// Asks for keys that are missing here, none of them twice in a session.
    pub(super) fn ask_keys(&mut self, max: usize, cx: &mut Context<'_>) {
        let shared = self.shared();
        let wanted = cx.local.keys_wanted(&shared, max);
        self.ask_for(wanted, cx);
    }

    pub(super) fn ask_more_keys(&mut self, cx: &mut Context<'_>) {
        self.ask_keys(KEYS_PER_ASK, cx);
    }

    fn ask_for(&mut self, mut keys: Vec<(Scope, RecordId)>, cx: &mut Context<'_>) {
        // Only of scopes that the peer has named: a newcomer, who does not know yet what it shares, would have to take it for a fault.
        let now_ms = cx.now.mono_ms;
        keys.retain(|(scope, record)| {
            let named = self.scopes.get(scope).is_some_and(|shared| shared.theirs.is_some());
            named && self.asked_keys.entry(*record).or_default().is_due(now_ms)
        });
        for keys in keys.chunks(KEYS_PER_ASK) {
            let bytes = cx.send(&Outbound::KeyAsk(crate::frame::KeyAsk { keys: keys.to_vec() }));
            self.sent(bytes, cx);
        }
    }

    pub(super) fn next_wakeup(&self) -> Option<u64> {
        let slot = match self.slot {
            Slot::Held { idle_at_ms } => Some(idle_at_ms),
            _ => None,
        };
        [self.paused_until_ms, slot].into_iter().flatten().min()
    }

    pub(super) fn unwritten(&self) -> usize {
        self.pace.unwritten()
    }

    pub(super) fn progress(&self) -> Progress {
        if self.paused_until_ms.is_some() || self.slot == Slot::Refused {
            return Progress::Paused;
        }
        let busy = !self.dirty.is_empty()
            || !self.arriving.is_empty()
            || !self.expected.is_empty()
            || !self.searches.is_empty()
            || !self.voices.is_idle()
            || self
                .scopes
                .values()
                .any(|shared| shared.told > Told::Nothing && shared.theirs.is_none());
        if busy { Progress::CatchingUp } else { Progress::InStep }
    }
}
