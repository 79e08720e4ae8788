//! Who is connected: sessions, what they want done, and what becomes of it once it is durable.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ledger::id::{DeviceId, Scope, ScopeKind, UnitId};
use replica::authority::Authority;
use replica::entry::LogId;
use replica::frame::{Bye, Health, Inbound, JoinRequest, Refusal, WrappedKey};
use replica::receipt::{Receipt, Withdrawal};
use replica::run::VerifiedRun;
use replica::session::{
    Acquaintance, Asks, Dialled, Effect, Input, Outcome, PeerError, Progress as SessionProgress, Quota, Reason, Session,
};
use replica::time::Now;
use store::{KeyStaged, StageRefusal, Staged};

use crate::local::{Sight, acquaintance};
use crate::meters::{self, Meter};
use crate::office::Office;

/// One connection, for as long as the process lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

/// What is to be done with a connection, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Put these bytes on its stream, and call [`Office::written`] once they have left.
    Send(Vec<u8>),
    /// End it, once what was sent before has left. The session is gone.
    Close(Reason),
}

/// One connection and its session.
pub(crate) struct Line {
    pub(crate) session: Session,
    pub(crate) peer: DeviceId,
    pub(crate) addr: String,
    pub(crate) dialled: Dialled,
    pub(crate) meter: Meter,
}

/// All connections, and what was staged for them.
pub(crate) struct Peers {
    pub(crate) lines: BTreeMap<SessionId, Line>,
    /// How many lines there are to each device.
    connected: BTreeMap<DeviceId, usize>,
    /// Sessions whose runs could not be stored: they end, and the peers come back later.
    unserved: BTreeSet<SessionId>,
    next: u64,
    outputs: VecDeque<(SessionId, Output)>,
    pub(crate) quota: Quota,
    catching_up: BTreeSet<DeviceId>,
    /// Batches to answer after the next commit.
    staged: Vec<(SessionId, u64, Outcome)>,
    /// Newcomers to answer after the next commit.
    joins: Vec<(SessionId, DeviceId, Result<(), String>)>,
    /// What came in and is new, to be passed on after the next commit.
    receipts: Vec<Receipt>,
    withdrawals: Vec<Withdrawal>,
    /// What this device says of itself; kept up by [`Office::refresh_health`].
    pub(crate) health: Health,
    /// Scopes of which too much is held to be told in one frame: for operators.
    pub(crate) too_long: BTreeSet<Scope>,
    pub(crate) asks: Asks,
    /// Entries that peers did not take, by reason: for operators.
    pub(crate) refused: BTreeMap<(LogId, Refusal), u64>,
}

impl Peers {
    pub(crate) fn new(health: Health) -> Self {
        Self {
            lines: BTreeMap::new(),
            connected: BTreeMap::new(),
            unserved: BTreeSet::new(),
            next: 1,
            outputs: VecDeque::new(),
            quota: Quota::default(),
            catching_up: BTreeSet::new(),
            staged: Vec::new(),
            joins: Vec::new(),
            receipts: Vec::new(),
            withdrawals: Vec::new(),
            health,
            too_long: BTreeSet::new(),
            asks: Asks::default(),
            refused: BTreeMap::new(),
        }
    }

    /// Whether a commit is awaited by somebody.
    pub(crate) fn has_staged(&self) -> bool {
        !(self.staged.is_empty() && self.joins.is_empty() && self.receipts.is_empty() && self.withdrawals.is_empty())
    }

    /// Tells all sessions at the next commit.
    pub(crate) fn pass_on(&mut self, withdrawals: Vec<Withdrawal>, receipts: Vec<Receipt>) {
        self.withdrawals.extend(withdrawals);
        self.receipts.extend(receipts);
    }

    pub(crate) fn is_connected(&self, device: &DeviceId) -> bool {
        self.connected.contains_key(device)
    }

    /// Outputs that nobody has taken yet.
    pub(crate) fn waiting_outputs(&self) -> impl Iterator<Item = &Output> + Clone {
        self.outputs.iter().map(|(_, output)| output)
    }

    /// What waits for the next commit.
    pub(crate) fn staged_count(&self) -> usize {
        self.staged.len() + self.joins.len() + self.receipts.len() + self.withdrawals.len()
    }

    pub(crate) fn catching_up_count(&self) -> usize {
        self.catching_up.len()
    }

    /// Refusals kept at once; beyond, only known ones are counted on.
    const REFUSED_MAX: usize = 1_000;

    fn note_refusal(&mut self, log: LogId, reason: Refusal) {
        if self.refused.len() < Self::REFUSED_MAX || self.refused.contains_key(&(log, reason)) {
            *self.refused.entry((log, reason)).or_default() += 1;
        }
    }
}

/// Sessions by the unit of their peer.
#[derive(Default)]
struct Audience {
    by_unit: BTreeMap<UnitId, Vec<SessionId>>,
    /// Peers whose unit is not known yet; they are told everything, and pass over what they do not share.
    unknown: Vec<SessionId>,
}

impl Audience {
    /// A book concerns its unit and those above; what is public may also concern those below, and is rare. With five hundred rooms
    /// catching up at once, telling everybody of everything would take longer than all the rest.
    fn of(&self, authority: &Authority, scope: &Scope) -> Vec<SessionId> {
        let mut ids = self.unknown.clone();
        if scope.kind == ScopeKind::Public {
            ids.extend(self.by_unit.values().flatten());
            return ids;
        }
        let mut line = BTreeSet::new();
        let mut at = Some(scope.unit);
        while let Some(unit) = at.filter(|unit| line.insert(*unit)) {
            ids.extend(self.by_unit.get(&unit).into_iter().flatten());
            at = authority.parent(unit);
        }
        ids
    }
}

impl Office {
    /// A connection stands to `peer`, whose key the transport has proved. `addr` is shown to operators.
    pub fn connect(&mut self, now: Now, peer: DeviceId, dialled: Dialled, addr: &str) -> SessionId {
        let id = SessionId(self.peers.next);
        self.peers.next += 1;
        if self.life.is_none() {
            let close = Output::Close(Reason::NotAMember);
            self.peers.outputs.push_back((id, close));
            return id;
        }
        self.refresh_health(now);
        // Receipts in RAM only are not in the digest that a session begins with; staging them cannot fail for any other reason than
        // the commit that follows would.
        if self.stage_unstaged().is_ok_and(|any| any) {
            let _ = self.commit(now);
        }
        let seed = self.seeds.u64();
        let Some((mut sight, _)) = self.split(now, peer) else {
            return id;
        };
        let session = Session::new(now, dialled, peer, seed, &mut sight);
        let line = Line {
            session,
            peer,
            addr: addr.to_owned(),
            dialled,
            meter: Meter::new(now),
        };
        self.peers.lines.insert(id, line);
        *self.peers.connected.entry(peer).or_default() += 1;
        self.drain(now, id);
        id
    }

    /// A frame came in.
    ///
    /// # Errors
    /// What the peer did wrong, to be logged; the session has ended itself.
    pub fn inbound(&mut self, now: Now, id: SessionId, frame: Inbound) -> Result<(), PeerError> {
        self.heard(now, id);
        self.input(now, id, Input::Frame(frame))
    }

    /// So many bytes of frames came in on a connection.
    pub fn received(&mut self, id: SessionId, bytes: usize) {
        if let Some(line) = self.peers.lines.get_mut(&id) {
            line.meter.bytes_in += bytes as u64;
        }
    }

    /// A frame could not be read: the session tells the peer and ends.
    pub fn broken(&mut self, now: Now, id: SessionId, error: &PeerError) {
        if let Some(line) = self.peers.lines.get_mut(&id) {
            line.session.break_off(error);
        }
        self.drain(now, id);
    }

    /// So many bytes of what was sent have left for the network.
    pub fn written(&mut self, now: Now, id: SessionId, bytes: usize) {
        // Bytes leaving cannot be a peer's fault.
        let _ = self.input(now, id, Input::Written(bytes));
    }

    /// The connection is gone.
    pub fn disconnected(&mut self, now: Now, id: SessionId) {
        self.end(now, id);
    }

    /// A peer that we dialled ended the session, or refused the handshake, with these words. What a stranger says who came by itself is
    /// shown to nobody, and must not fill the memory.
    pub fn turned_away(&mut self, now: Now, peer: DeviceId, bye: &Bye) {
        let dialled = |line: &Line| line.peer == peer && line.dialled == Dialled::Us;
        if self.authority.member(&peer).is_some() || self.peers.lines.values().any(dialled) {
            self.reports.turned_away(now, peer, bye);
        }
    }

    /// The transport has measured a round trip.
    pub fn observed(&mut self, id: SessionId, rtt_ms: u64) {
        if let Some(line) = self.peers.lines.get(&id) {
            self.reports.note_rtt(line.peer, rtt_ms);
        }
    }

    /// This device stops: every peer is told, outputs follow, and what makes the next start quick is written.
    pub fn leave(&mut self, now: Now) {
        self.tell_all(now, &Input::Leave);
        // Nothing acknowledged depends on it.
        let _ = self.rest(now);
    }

    /// What is to be done next with a connection.
    pub fn next_output(&mut self) -> Option<(SessionId, Output)> {
        self.peers.outputs.pop_front()
    }

    /// The state of a connection's session; `None` once it is over.
    pub fn progress(&self, id: SessionId) -> Option<SessionProgress> {
        Some(self.peers.lines.get(&id)?.session.progress())
    }

    /// The office as one session sees it, and the sessions.
    pub(crate) fn split(&mut self, now: Now, peer: DeviceId) -> Option<(Sight<'_>, &mut BTreeMap<SessionId, Line>)> {
        let sight = Sight {
            me: self.me.device,
            peer,
            life: self.life.as_ref()?,
            store: &self.store,
            signed: &self.unstaged,
            authority: &self.authority,
            statements: &self.statements,
            line: &self.line,
            health: &self.peers.health,
            quota: &mut self.peers.quota,
            asks: &mut self.peers.asks,
            catching_up: &mut self.peers.catching_up,
            mono_ms: now.mono_ms,
        };
        Some((sight, &mut self.peers.lines))
    }

    pub(crate) fn input(&mut self, now: Now, id: SessionId, input: Input) -> Result<(), PeerError> {
        let Some(peer) = self.peers.lines.get(&id).map(|l| l.peer) else {
            return Ok(());
        };
        let Some((mut sight, lines)) = self.split(now, peer) else {
            return Ok(());
        };
        let Some(line) = lines.get_mut(&id) else {
            return Ok(());
        };
        let handled = line.session.handle(now, input, &mut sight);
        self.drain(now, id);
        handled
    }

    /// Tells every session; only a frame can be a peer's fault, so nothing comes back.
    pub(crate) fn tell_all(&mut self, now: Now, input: &Input) {
        let ids: Vec<SessionId> = self.peers.lines.keys().copied().collect();
        for id in ids {
            let _ = self.input(now, id, input.clone());
        }
    }

    /// Does what a session wants done.
    fn drain(&mut self, now: Now, id: SessionId) {
        self.carry_out(now, id);
        if let Some(line) = self.peers.lines.get_mut(&id)
            && !line.meter.in_step
            && line.session.progress() == SessionProgress::InStep
        {
            line.meter.in_step = true;
            self.meters.synced(now.mono_ms.saturating_sub(line.meter.began.mono_ms));
        }
    }

    fn carry_out(&mut self, now: Now, id: SessionId) {
        while let Some(effect) = self.peers.lines.get_mut(&id).and_then(|l| l.session.next_effect()) {
            let Some(peer) = self.peers.lines.get(&id).map(|l| l.peer) else {
                return;
            };
            match effect {
                Effect::Send(bytes) => {
                    if let Some(line) = self.peers.lines.get_mut(&id) {
                        line.meter.bytes_out += bytes.len() as u64;
                    }
                    self.peers.outputs.push_back((id, Output::Send(bytes)));
                }
                Effect::Stage { batch, runs, keys } => {
                    let outcome = self.stage(id, &runs, &keys);
                    self.peers.staged.push((id, batch, outcome));
                }
                Effect::Receipts(receipts, withdrawals) => self.stage_receipts(receipts, withdrawals),
                Effect::Join(request) => self.stage_join(now, id, peer, &request),
                Effect::Met(met) => {
                    self.reports.met(now, peer, &met);
                    if let Some(line) = self.peers.lines.get_mut(&id) {
                        line.meter.met = true;
                    }
                    self.health_due = true;
                    self.asides.news = self.asides.news.wrapping_add(1);
                }
                Effect::Introduced(introduced) => self.reports.introduced(now, peer, introduced.member().unit),
                Effect::Health(rooms) => self.take_reports(now, peer, rooms),
                Effect::Asides(list) => self.take_asides(now, peer, list),
                Effect::TooLong(scope) => {
                    self.peers.too_long.insert(scope);
                }
                Effect::Refused { log, reason } => self.peers.note_refusal(log, reason),
                // Only sessions that join, which this office does not hold, are welcomed.
                Effect::Welcomed(_) => {}
                Effect::Close(reason) => {
                    if let Reason::Peer(bye) = &reason {
                        self.turned_away(now, peer, bye);
                    }
                    if let Some(line) = self.peers.lines.get_mut(&id) {
                        line.meter.ended = meters::ending(&reason);
                    }
                    self.peers.outputs.push_back((id, Output::Close(reason)));
                    self.end(now, id);
                }
            }
        }
    }

    fn end(&mut self, now: Now, id: SessionId) {
        let Some(line) = self.peers.lines.remove(&id) else {
            return;
        };
        // Whoever only joined, or only knocked, has lost no line.
        if line.meter.met || line.meter.ended != replica::frame::Ending::Lost {
            self.meters.ended(line.meter.ended);
        }
        self.reports.session_over(line.peer, line.meter.over(now));
        let left = self.peers.connected.get(&line.peer).map_or(0, |n| n.saturating_sub(1));
        if left > 0 {
            self.peers.connected.insert(line.peer, left);
            return;
        }
        self.peers.connected.remove(&line.peer);
        self.peers.catching_up.remove(&line.peer);
        self.peers.asks.forget(now.mono_ms, &line.peer);
        self.reports.parted(now, line.peer);
        self.health_due = true;
    }

    /// Stages the runs and keys of one batch. Who may write was judged by the session; what is left is whether the runs link.
    fn stage(&mut self, id: SessionId, runs: &[VerifiedRun], keys: &[WrappedKey]) -> Outcome {
        let mut outcome = Outcome::default();
        for run in runs {
            match self.store.stage_run(run) {
                Ok(Staged::New(entries)) => {
                    self.statements.staged(run);
                    self.meters.ingested += entries;
                    if let Some(line) = self.peers.lines.get_mut(&id) {
                        line.meter.entries += entries;
                    }
                    if run.log().device == self.me.device && run.log().epoch == self.epoch {
                        // Somebody gives us entries of our own log that we do not know: a past we forgot, or another of us.
                        self.epoch_due = true;
                    }
                }
                Ok(Staged::Held) => {}
                Err(StageRefusal::Gap { .. }) => outcome.gaps.push(*run.log()),
                // Full or failing: that is no answer to this run but an end to all of them for now.
                Err(StageRefusal::Store(_)) => {
                    self.peers.unserved.insert(id);
                }
            }
        }
        for key in keys {
            self.stage_key(key);
        }
        outcome
    }

    fn stage_key(&mut self, key: &WrappedKey) {
        let WrappedKey { scope, record, wrapped } = key;
        if self.authority.erased(scope, record) || self.store.is_erased(*scope, record) {
            return;
        }
        // A key that cannot be stored now is asked for again once there is room.
        match self.store.stage_key(*scope, *record, wrapped) {
            Ok(KeyStaged::New) => self.views.touch(*scope, *record),
            Ok(KeyStaged::Differs) => {
                let held = self.store.key(*scope, record);
                let opens = |w: &[u8; 48]| self.keys.unwrap(scope, record, w).is_some();
                if opens(wrapped)
                    && held.is_none_or(|h| !opens(&h))
                    && self.store.replace_key(*scope, *record, wrapped).is_ok()
                {
                    self.views.touch(*scope, *record);
                }
            }
            Ok(KeyStaged::Held | KeyStaged::Erased) | Err(_) => {}
        }
    }

    fn stage_receipts(&mut self, receipts: Vec<Receipt>, withdrawals: Vec<Withdrawal>) {
        for withdrawal in withdrawals {
            let held = self.store.receipts().is_void(&withdrawal.hub, withdrawal.store);
            if !held && self.store.stage_withdrawal(&withdrawal).is_ok() {
                self.due.own_receipts |= withdrawal.hub == self.me.device;
                self.peers.withdrawals.push(withdrawal);
            }
        }
        for receipt in receipts {
            let held = self.store.receipts();
            let is_new = !held.is_void(&receipt.hub, receipt.store)
                && held
                    .of(&receipt.hub, receipt.store, receipt.scope)
                    .is_none_or(|h| h.counter < receipt.counter);
            // Our own word, given back to us: we may have forgotten that we said it.
            self.due.own_receipts |= is_new && receipt.hub == self.me.device;
            if is_new && self.authority.receipt_counts(&receipt) && self.store.stage_receipt(&receipt).is_ok() {
                self.peers.receipts.push(receipt);
            }
        }
    }

    fn stage_join(&mut self, now: Now, id: SessionId, device: DeviceId, request: &JoinRequest) {
        let answer = self.admit_newcomer(now, device, request).map_err(|e| e.message);
        self.peers.joins.push((id, device, answer));
    }

    /// After a commit: answers everybody who waited for it. `moved`: scopes whose vectors moved; `signed`: our own new receipts.
    pub(crate) fn settle_peers(&mut self, now: Now, moved: &BTreeSet<Scope>, signed: Vec<Receipt>) {
        let audience = self.audience();
        for scope in moved {
            for id in audience.of(&self.authority, scope) {
                let _ = self.input(now, id, Input::Changed(*scope));
            }
        }
        for (id, batch, outcome) in std::mem::take(&mut self.peers.staged) {
            if !self.peers.unserved.contains(&id) {
                let _ = self.input(now, id, Input::Committed { batch, outcome });
            }
        }
        for (id, device, answer) in std::mem::take(&mut self.peers.joins) {
            let answer = answer.and_then(|()| {
                self.welcome(&device)
                    .ok_or_else(|| "批准已记下，但暂时拿不出凭据，请稍后再用同一张入网票加入。".to_owned())
            });
            let _ = self.input(now, id, Input::JoinAnswer(answer));
        }
        self.pass_on_receipts(now, &audience, signed);
        self.leave_unserved(now);
    }

    fn pass_on_receipts(&mut self, now: Now, audience: &Audience, signed: Vec<Receipt>) {
        let mut receipts = std::mem::take(&mut self.peers.receipts);
        receipts.extend(signed);
        let mut by_session: BTreeMap<SessionId, Vec<Receipt>> = BTreeMap::new();
        for receipt in receipts {
            for id in audience.of(&self.authority, &receipt.scope) {
                by_session.entry(id).or_default().push(receipt.clone());
            }
        }
        let withdrawals = std::mem::take(&mut self.peers.withdrawals);
        if !withdrawals.is_empty() {
            for id in self.peers.lines.keys() {
                by_session.entry(*id).or_default();
            }
        }
        for (id, receipts) in by_session {
            let _ = self.input(now, id, Input::Receipts(receipts, withdrawals.clone()));
        }
    }

    /// What was staged is not durable and has been dropped: nobody is told otherwise, and whoever waited comes back later.
    pub(crate) fn drop_staged(&mut self, now: Now) {
        let waiting = std::mem::take(&mut self.peers.staged);
        self.peers.unserved.extend(waiting.into_iter().map(|(id, ..)| id));
        for (id, ..) in std::mem::take(&mut self.peers.joins) {
            let full = "上级主机磁盘已满，暂时不能加入，请稍后再用同一张入网票。".to_owned();
            let _ = self.input(now, id, Input::JoinAnswer(Err(full)));
        }
        self.peers.receipts.clear();
        self.peers.withdrawals.clear();
        self.leave_unserved(now);
    }

    fn leave_unserved(&mut self, now: Now) {
        for id in std::mem::take(&mut self.peers.unserved) {
            let _ = self.input(now, id, Input::Leave);
        }
    }

    /// Which sessions a scope concerns, for looking it up many times.
    fn audience(&self) -> Audience {
        let mut audience = Audience::default();
        for (id, line) in &self.peers.lines {
            let known = self.authority.member(&line.peer).map(|m| m.unit);
            match known.or_else(|| self.reports.seen.get(&line.peer).map(|s| s.unit)) {
                Some(unit) => audience.by_unit.entry(unit).or_default().push(*id),
                None => audience.unknown.push(*id),
            }
        }
        audience
    }

    /// Cuts off every connection of a key that has been revoked, or is held.
    pub(crate) fn cut_off_revoked(&mut self, now: Now) {
        let Some(life) = &self.life else { return };
        let input = |line: &Line| match acquaintance(&self.authority, life, &line.peer) {
            Acquaintance::Revoked => Some(Input::Revoked),
            Acquaintance::Held(text) => Some(Input::Held(text)),
            Acquaintance::Member { .. } | Acquaintance::Unknown => None,
        };
        let lines = self.peers.lines.iter();
        let out: Vec<(SessionId, Input)> = lines.filter_map(|(id, line)| Some((*id, input(line)?))).collect();
        for (id, input) in out {
            let _ = self.input(now, id, input);
        }
    }

    fn heard(&mut self, now: Now, id: SessionId) {
        if let Some(line) = self.peers.lines.get(&id) {
            self.reports.heard(now, line.peer);
        }
    }

    /// When [`Office::tick`] is due for a session, in monotonic milliseconds.
    pub(crate) fn next_session_wakeup(&self) -> Option<u64> {
        self.peers.lines.values().filter_map(|l| l.session.next_wakeup()).min()
    }

    pub(crate) fn wake_sessions(&mut self, now: Now) {
        let due: Vec<SessionId> = self
            .peers
            .lines
            .iter()
            .filter(|(_, l)| l.session.next_wakeup().is_some_and(|at| at <= now.mono_ms))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let _ = self.input(now, id, Input::Wakeup);
        }
    }
}
