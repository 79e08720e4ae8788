//! The keeper's thread: round after round.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use ledger::id::DeviceId;
use office::command::{Command, CommandError};
use office::{Office, OfficeError, Output, ReportJob, SessionId};
use replica::frame::{Bye, HEADER_LEN, Inbound};
use replica::session::{Dialled, PeerError, Progress, Reason};
use store::Position;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tracing::{debug, error, info, warn};

use super::{Answer, Message, ProgressSink, Request, Standing};
use crate::clock::Clock;
use crate::limits::{
    APPLY_BUSY, APPLY_IDLE, CONNECTIONS_PER_KEY_MAX, OBSERVE_EVERY, REPORT_ROWS_BUSY, REPORT_ROWS_IDLE, ROUND_MAX,
    ROUND_MESSAGES_MAX, STRANGERS_MAX,
};
use crate::link::{self, CloseCode, Link};
use crate::tls::Revoked;

/// Everything the thread owns.
pub(super) struct State {
    office: Office,
    clock: Clock,
    revoked: Revoked,
    links: HashMap<SessionId, Link>,
    by_key: HashMap<DeviceId, Vec<SessionId>>,
    /// Who came in with a key that was no member's then, oldest first.
    strangers: VecDeque<SessionId>,
    /// Commands that read the rows and came before these were up to the journal, oldest first.
    waiting: VecDeque<Waiting>,
    /// Reports that nobody counts yet, oldest first, and the one that is being counted.
    reports: VecDeque<(Box<Command>, oneshot::Sender<Answer>)>,
    counting: Option<(Box<ReportJob>, oneshot::Sender<Answer>)>,
    /// Answers that wait for the round's commit.
    answers: Vec<(oneshot::Sender<Answer>, Answer)>,
    observed: Option<Instant>,
    /// Tells screens that there is news, and what it was told of last.
    pulse: watch::Sender<u64>,
    told: Option<(Position, u64, usize)>,
    /// Rows are left to be brought up to the journal.
    owed: bool,
    stopping: bool,
}

/// A command whose rows are brought up slice by slice, so that neither sync nor other people wait for them.
struct Waiting {
    command: Box<Command>,
    progress: ProgressSink,
    reply: oneshot::Sender<Answer>,
    /// Up to where the rows have to be.
    until: Position,
}

enum Next {
    Message(Message),
    Request(Request),
    Nothing,
}

impl State {
    pub(super) fn new(office: Office, clock: Clock, revoked: Revoked, pulse: watch::Sender<u64>) -> Self {
        Self {
            office,
            clock,
            revoked,
            links: HashMap::new(),
            by_key: HashMap::new(),
            strangers: VecDeque::new(),
            waiting: VecDeque::new(),
            reports: VecDeque::new(),
            counting: None,
            answers: Vec::new(),
            observed: None,
            pulse,
            told: None,
            owed: true,
            stopping: false,
        }
    }

    /// Runs until stopped.
    ///
    /// # Errors
    /// When the disk can no longer be trusted; nothing was acknowledged since.
    pub(super) fn run(
        mut self,
        runtime: &tokio::runtime::Handle,
        mut inbox: mpsc::Receiver<Message>,
        mut requests: mpsc::Receiver<Request>,
    ) -> Result<(), OfficeError> {
        while !self.stopping {
            let next = if self.owed || self.is_counting() {
                poll(&mut inbox, &mut requests)
            } else {
                // Whoever was served meanwhile waits for the commit of a round.
                let wait = if self.answers.is_empty() {
                    self.until_wakeup()
                } else {
                    Duration::ZERO
                };
                runtime.block_on(wait_for(wait, &mut inbox, &mut requests))
            };
            let busy = !matches!(next, Next::Nothing);
            self.round(next, &mut inbox, &mut requests)?;
            let slice = if busy { APPLY_BUSY } else { APPLY_IDLE };
            self.owed = self.office.apply(self.clock.now(), slice)? > 0;
            self.serve_waiting();
            self.count_on(if busy { REPORT_ROWS_BUSY } else { REPORT_ROWS_IDLE });
            self.send_outputs();
            self.tell_screens();
        }
        self.office.leave(self.clock.now());
        self.send_outputs();
        for link in self.links.values() {
            link.close(CloseCode::Done, "stopping");
        }
        Ok(())
    }

    /// One beat when what screens show may have changed.
    fn tell_screens(&mut self) {
        let (head, applied) = self.office.marks();
        let marks = Some((head, applied, self.links.len()));
        if self.told != marks {
            self.told = marks;
            self.pulse.send_modify(|n| *n = n.wrapping_add(1));
        }
    }

    fn until_wakeup(&self) -> Duration {
        let now = self.clock.now().mono_ms;
        match self.office.next_wakeup() {
            Some(at) => Duration::from_millis(at.saturating_sub(now)),
            None => Duration::from_secs(3600),
        }
    }

    /// Takes what waits, commits once, and only then says anything to anybody.
    fn round(
        &mut self,
        first: Next,
        inbox: &mut mpsc::Receiver<Message>,
        requests: &mut mpsc::Receiver<Request>,
    ) -> Result<(), OfficeError> {
        let began = Instant::now();
        // Held until the commit: what has been taken but is not on disk still counts against the limits.
        let mut held = Vec::new();
        let mut next = first;
        for _ in 0..ROUND_MESSAGES_MAX {
            match next {
                Next::Message(message) => held.extend(self.message(message)),
                Next::Request(request) => self.request(request),
                Next::Nothing => break,
            }
            if began.elapsed() > ROUND_MAX || self.stopping {
                break;
            }
            next = poll(inbox, requests);
        }
        let now = self.clock.now();
        if self.office.next_wakeup().is_some_and(|at| at <= now.mono_ms) {
            self.office.tick(now)?;
        }
        if let Err(error) = self.office.commit(self.clock.now()) {
            let failure = CommandError::failed(
                "disk",
                format!("数据没有存好：{error}。请检查磁盘，程序会自动重新打开数据文件夹，稍后再试一次。"),
            );
            for (reply, _) in self.answers.drain(..) {
                let _ = reply.send(Err(failure.clone()));
            }
            error!(%error, "commit failed; nothing more is acknowledged");
            return Err(error);
        }
        drop(held);
        for (reply, answer) in self.answers.drain(..) {
            // Who asked may have gone; the work is done all the same.
            let _ = reply.send(answer);
        }
        self.send_outputs();
        Ok(())
    }

    fn message(&mut self, message: Message) -> Option<[OwnedSemaphorePermit; 2]> {
        let now = self.clock.now();
        match message {
            Message::Connected { link, reply } => self.connected(link, reply),
            Message::Frame {
                id,
                inbound,
                bytes,
                held,
            } => {
                self.office.received(id, bytes);
                self.frame(id, *inbound);
                return Some(held);
            }
            Message::Early { id, kind, body, held } => {
                self.office.received(id, HEADER_LEN + body.len());
                if self.office.progress(id) == Some(Progress::Meeting) {
                    self.broken(id, &PeerError::Stranger(kind));
                } else {
                    match link::decode(kind, &body) {
                        Some(Ok(inbound)) => self.frame(id, inbound),
                        Some(Err(error)) => self.broken(id, &error),
                        None => self.drop_link(id, "a frame that cannot be decoded"),
                    }
                }
                return Some(held);
            }
            Message::Fault { id, error } => self.broken(id, &error),
            Message::Revoked { by } => {
                info!(hub = %by.short(), "this device is revoked, says a hub");
                self.office.turned_away(now, by, &Bye::revoked());
            }
            Message::Written { id, bytes } => {
                if self.links.contains_key(&id) {
                    self.office.written(now, id, bytes);
                }
            }
            Message::Gone { id, why } => {
                if let Some(link) = self.forget(id) {
                    debug!(peer = %link.peer.short(), addr = link.addr, why, "disconnected");
                    self.office.disconnected(now, id);
                }
            }
        }
        None
    }

    fn frame(&mut self, id: SessionId, inbound: Inbound) {
        if !self.links.contains_key(&id) {
            return;
        }
        let taken = self.office.inbound(self.clock.now(), id, inbound);
        let Some(link) = self.links.get(&id) else { return };
        if let Err(error) = taken {
            // The session has closed itself; its last word is among the outputs.
            warn!(peer = %link.peer.short(), addr = link.addr, %error, "the peer broke the protocol");
        } else if self.office.progress(id).is_some_and(|p| p != Progress::Meeting) {
            link.met();
        }
    }

    fn broken(&mut self, id: SessionId, error: &PeerError) {
        if let Some(link) = self.links.get(&id) {
            warn!(peer = %link.peer.short(), addr = link.addr, %error, "the peer broke the protocol");
            self.office.broken(self.clock.now(), id, error);
        }
    }

    fn connected(&mut self, link: Link, reply: oneshot::Sender<SessionId>) {
        if self.office.is_revoked(&link.peer) {
            self.revoked.add(link.peer);
            info!(peer = %link.peer.short(), addr = link.addr, "a revoked key was refused");
            link.cut(CloseCode::Revoked, "revoked");
            return;
        }
        let same = self.by_key.get(&link.peer).map_or(0, Vec::len);
        if same >= CONNECTIONS_PER_KEY_MAX
            && let Some(oldest) = self.by_key.get(&link.peer).and_then(|ids| ids.first().copied())
        {
            self.drop_link(oldest, "the same key came again");
        }
        let id = self
            .office
            .connect(self.clock.now(), link.peer, link.dialled, &link.addr);
        debug!(peer = %link.peer.short(), addr = link.addr, "connected");
        if link.dialled == Dialled::Them && !self.office.is_member(&link.peer) {
            self.stranger(id);
        }
        self.by_key.entry(link.peer).or_default().push(id);
        self.links.insert(id, link);
        // A link task that has ended meanwhile says so by `Gone`, never by a lost reply: it waits for this one.
        let _ = reply.send(id);
    }

    /// Remembers a stranger; where they are too many, the one that has been here longest must go.
    fn stranger(&mut self, id: SessionId) {
        self.strangers.push_back(id);
        while self.strangers.len() > STRANGERS_MAX {
            let Some(oldest) = self.strangers.pop_front() else {
                return;
            };
            let still = self
                .links
                .get(&oldest)
                .is_some_and(|link| !self.office.is_member(&link.peer));
            if still {
                self.drop_link(oldest, "too many unknown keys");
            }
        }
    }

    fn drop_link(&mut self, id: SessionId, why: &str) {
        if let Some(link) = self.forget(id) {
            link.cut(CloseCode::Full, why);
            self.office.disconnected(self.clock.now(), id);
        }
    }

    fn forget(&mut self, id: SessionId) -> Option<Link> {
        let link = self.links.remove(&id)?;
        if let Some(ids) = self.by_key.get_mut(&link.peer) {
            ids.retain(|one| *one != id);
            if ids.is_empty() {
                self.by_key.remove(&link.peer);
            }
        }
        Some(link)
    }

    fn request(&mut self, request: Request) {
        match request {
            Request::Command {
                command,
                mut progress,
                reply,
            } => {
                self.observe();
                match self.office.prepare(self.clock.now(), &command) {
                    Ok(None) if command.counts_all() => self.reports.push_back((command, reply)),
                    Ok(None) => {
                        let answer = self.office.command(self.clock.now(), *command, &mut *progress);
                        self.answers.push((reply, answer));
                    }
                    Ok(Some(until)) => self.waiting.push_back(Waiting {
                        command,
                        progress,
                        reply,
                        until,
                    }),
                    Err(error) => self.answers.push((reply, Err(error))),
                }
            }
            Request::Joined { ticket, welcome, reply } => {
                let answer = self.office.joined(self.clock.now(), &ticket, &welcome);
                self.answers.push((reply, answer));
            }
            // Questions change nothing, so their answers need no commit; who asked may have gone.
            Request::AskJoin {
                role,
                name,
                ticket,
                reply,
            } => {
                let _ = reply.send(self.office.join_request(role, &name, &ticket));
            }
            Request::HubAddrs { reply } => {
                let _ = reply.send(self.office.hub_addrs());
            }
            Request::Standing { reply } => {
                let standing = Standing {
                    placed: self.office.life().is_some(),
                    settled: self.office.is_settled(),
                };
                let _ = reply.send(standing);
            }
            Request::Stop => self.stopping = true,
        }
    }

    /// Carries out what waited for rows that are there now. Answered after the next round's commit, which comes at once.
    fn serve_waiting(&mut self) {
        for _ in 0..self.waiting.len() {
            let Some(mut waiting) = self.waiting.pop_front() else {
                return;
            };
            // Where nothing is left to do and the rows are not there, the disk is full: the command says so.
            if self.owed && !self.office.is_applied(waiting.until) {
                if let Command::Reindex = waiting.command.asked() {
                    (waiting.progress)(self.office.rebuilt());
                }
                self.waiting.push_back(waiting);
                continue;
            }
            if waiting.command.counts_all() {
                self.reports.push_back((waiting.command, waiting.reply));
                continue;
            }
            let answer = self
                .office
                .command(self.clock.now(), *waiting.command, &mut *waiting.progress);
            self.answers.push((waiting.reply, answer));
        }
    }

    fn is_counting(&self) -> bool {
        self.counting.is_some() || !self.reports.is_empty()
    }

    /// A slice of the report under way, or the beginning of the next: whoever saves waits for no more than that. One at a time, so that
    /// what is noted for a cut is noted once.
    fn count_on(&mut self, rows: usize) {
        let now = self.clock.now();
        if let Some((mut job, reply)) = self.counting.take() {
            match self.office.count_on(now, &mut job, rows) {
                Some(answer) => self.answers.push((reply, answer)),
                None => self.counting = Some((job, reply)),
            }
        } else if let Some((command, reply)) = self.reports.pop_front() {
            match self.office.begin_report(now, *command) {
                Ok(job) => self.counting = Some((Box::new(job), reply)),
                Err(error) => self.answers.push((reply, Err(error))),
            }
        }
    }

    /// Tells the office each connection's round trip, before somebody looks at it.
    fn observe(&mut self) {
        if self.observed.is_some_and(|at| at.elapsed() < OBSERVE_EVERY) {
            return;
        }
        self.observed = Some(Instant::now());
        for (id, link) in &self.links {
            self.office.observed(*id, link.rtt_ms());
        }
    }

    fn send_outputs(&mut self) {
        while let Some((id, output)) = self.office.next_output() {
            match output {
                Output::Send(frame) => {
                    let taken = self.links.get(&id).is_none_or(|link| link.send(frame));
                    if !taken && let Some(link) = self.forget(id) {
                        warn!(peer = %link.peer.short(), addr = link.addr, "closed: too slow a reader");
                        self.office.disconnected(self.clock.now(), id);
                    }
                }
                Output::Close(reason) => self.close(id, &reason),
            }
        }
    }

    /// The session has ended and said its last word.
    fn close(&mut self, id: SessionId, reason: &Reason) {
        let Some(link) = self.forget(id) else { return };
        let code = match reason {
            Reason::Revoked => {
                self.revoked.add(link.peer);
                CloseCode::Revoked
            }
            Reason::Fault => CloseCode::Fault,
            Reason::Timeout => CloseCode::Idle,
            _ => CloseCode::Done,
        };
        info!(peer = %link.peer.short(), addr = link.addr, ?reason, "session ended");
        link.close(code, code.words());
    }
}

/// What waits, without waiting; what people ask comes first.
fn poll(inbox: &mut mpsc::Receiver<Message>, requests: &mut mpsc::Receiver<Request>) -> Next {
    match requests.try_recv() {
        Ok(request) => Next::Request(request),
        Err(mpsc::error::TryRecvError::Disconnected) => Next::Request(Request::Stop),
        Err(mpsc::error::TryRecvError::Empty) => inbox.try_recv().map_or(Next::Nothing, Next::Message),
    }
}

async fn wait_for(wait: Duration, inbox: &mut mpsc::Receiver<Message>, requests: &mut mpsc::Receiver<Request>) -> Next {
    tokio::select! {
        biased;
        request = requests.recv() => Next::Request(request.unwrap_or(Request::Stop)),
        message = inbox.recv() => message.map_or(Next::Request(Request::Stop), Next::Message),
        () = tokio::time::sleep(wait) => Next::Nothing,
    }
}
