//! The keeper: one thread that owns the office and turns its outputs into IO.
//!
//! ```text
//!   link tasks ──frames──▶ ┌────────┐ ──inbound──▶ Office
//!   dialling   ──────────▶ │ keeper │ ──commit──▶  one fdatasync for all that came in the round
//!   commands   ──────────▶ └────────┘ ◀─outputs──  then frames, receipts and answers go out
//! ```
//!
//! A round: take what waits, commit once, send. Between rounds a slice of what was stored is applied to the views:
//! a large one when nothing waits, a small one under load, so that neither receipts nor views starve.

mod rounds;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::JoinHandle;

use ledger::id::DeviceId;
use office::command::{Command, CommandError};
use office::{Office, OfficeError, SessionId};
use replica::frame::{Inbound, JoinRequest, Welcome};
use replica::session::PeerError;
use replica::statement::Role;
use replica::ticket::Ticket;
use serde_json::Value;
use store::Progress;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::door::Door;
use crate::endpoint::Identity;
use crate::limits::{COMMANDS_MAX, DISPLACE_AFTER, INBOUND_BYTES_MAX, INBOX_MAX, LARGE_FRAMES_MAX};
use crate::link::{Link, PERMIT_BYTES};

/// What happens on a connection.
pub(crate) enum Message {
    Connected {
        link: Link,
        reply: oneshot::Sender<SessionId>,
    },
    Frame {
        id: SessionId,
        inbound: Box<Inbound>,
        /// Of the frame, as it came.
        bytes: usize,
        held: [OwnedSemaphorePermit; 2],
    },
    /// A frame that came before the link knew that the two sides have met.
    Early {
        id: SessionId,
        kind: u8,
        body: Vec<u8>,
        held: [OwnedSemaphorePermit; 2],
    },
    Fault {
        id: SessionId,
        error: PeerError,
    },
    /// A hub that we dialled refuses our key for good.
    Revoked {
        by: DeviceId,
    },
    Written {
        id: SessionId,
        bytes: usize,
    },
    Gone {
        id: SessionId,
        why: String,
    },
}

/// Is told of a long command's progress, on the keeper's thread: it must be quick.
pub type ProgressSink = Box<dyn FnMut(Progress) + Send>;

enum Request {
    Command {
        command: Box<Command>,
        progress: ProgressSink,
        reply: oneshot::Sender<Answer>,
    },
    HubAddrs {
        reply: oneshot::Sender<Vec<String>>,
    },
    AskJoin {
        role: Role,
        name: String,
        ticket: Box<Ticket>,
        reply: oneshot::Sender<Result<JoinRequest, CommandError>>,
    },
    Joined {
        ticket: Box<Ticket>,
        welcome: Box<Welcome>,
        reply: oneshot::Sender<Answer>,
    },
    Standing {
        reply: oneshot::Sender<Standing>,
    },
    Stop,
}

/// How far a folder has come in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// `init` or `join` was done.
    pub placed: bool,
    /// Organisation, catalogue, calendar and, for its own book, the key are here.
    pub settled: bool,
}

/// What a command came to.
pub type Answer = Result<Value, CommandError>;

/// A handle to the thread that owns the office. Cheap to clone; the thread ends by [`Keeper::stop`].
#[derive(Clone)]
pub struct Keeper {
    inbox: mpsc::Sender<Message>,
    requests: mpsc::Sender<Request>,
    room: Arc<Semaphore>,
    changes: watch::Receiver<u64>,
    large_frames: Arc<Door>,
    queued: Arc<AtomicUsize>,
}

/// The running thread. Its result is an error when the disk can no longer be trusted: the caller opens the folder anew.
pub type Running = JoinHandle<Result<(), OfficeError>>;

impl Keeper {
    /// Takes over the office that `open` opens on the new thread. Must be called within a tokio runtime, which serves its waiting.
    /// The identity returned learns which keys are revoked as they come.
    ///
    /// # Errors
    /// Whatever `open` returns; the outer error is the system's when no thread can be had.
    pub async fn start<E: Send + 'static>(
        clock: Clock,
        open: impl FnOnce() -> Result<Office, E> + Send + 'static,
    ) -> std::io::Result<Result<(Self, Identity, Running), E>> {
        let (keeper, inbox, requests, pulse) = Self::channels();
        let (opened, is_open) = oneshot::channel();
        let runtime = tokio::runtime::Handle::current();
        let thread = std::thread::Builder::new().name("keeper".to_owned()).spawn(move || {
            let office = match open() {
                Ok(office) => office,
                Err(error) => {
                    // Nobody waits for the reason only if the caller is gone too.
                    let _ = opened.send(Err(error));
                    return Ok(());
                }
            };
            let identity = Identity::new(office.signing_key().clone());
            let revoked = identity.revoked().clone();
            let _ = opened.send(Ok(identity));
            let state = rounds::State::new(office, clock, revoked, pulse);
            state.run(&runtime, inbox, requests)
        })?;
        Ok(match is_open.await {
            Ok(Ok(identity)) => Ok((keeper, identity, thread)),
            Ok(Err(error)) => Err(error),
            Err(_) => return Err(std::io::Error::other("opening ended without a word")),
        })
    }

    fn channels() -> (
        Self,
        mpsc::Receiver<Message>,
        mpsc::Receiver<Request>,
        watch::Sender<u64>,
    ) {
        let (pulse, changes) = watch::channel(0);
        let (inbox, messages) = mpsc::channel(INBOX_MAX);
        let (requests, asked) = mpsc::channel(COMMANDS_MAX);
        let room = Arc::new(Semaphore::new(INBOUND_BYTES_MAX / PERMIT_BYTES));
        let keeper = Self {
            inbox,
            requests,
            room,
            changes,
            large_frames: Door::new(LARGE_FRAMES_MAX, DISPLACE_AFTER),
            queued: Arc::default(),
        };
        (keeper, messages, asked, pulse)
    }

    /// A keeper without an office, for tests of the transport alone.
    #[cfg(test)]
    pub(crate) fn fake() -> (Self, mpsc::Receiver<Message>) {
        let (keeper, messages, ..) = Self::channels();
        (keeper, messages)
    }

    /// Carries out a command; returns when its effect is on disk. Its progress is told to `progress`.
    ///
    /// # Errors
    /// The office's, or `stopping` when the daemon is on its way down.
    pub async fn command(&self, command: Command, progress: ProgressSink) -> Answer {
        let command = Box::new(command);
        self.ask(|reply| Request::Command {
            command,
            progress,
            reply,
        })
        .await
        .unwrap_or_else(|| Err(stopping()))
    }

    /// Changes whenever something may have changed that screens show: entries, receipts, rows, links. Nobody who only asks
    /// changes it.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    /// Where the hubs of this device are reached, best first.
    pub async fn hub_addrs(&self) -> Vec<String> {
        self.ask(|reply| Request::HubAddrs { reply }).await.unwrap_or_default()
    }

    /// How far the folder has come in its life.
    pub async fn standing(&self) -> Standing {
        self.ask(|reply| Request::Standing { reply }).await.unwrap_or_default()
    }

    /// What to send to the hub that gave `ticket`.
    pub(crate) async fn join_request(
        &self,
        role: Role,
        name: &str,
        ticket: &Ticket,
    ) -> Result<JoinRequest, CommandError> {
        let (name, ticket) = (name.to_owned(), Box::new(ticket.clone()));
        self.ask(|reply| Request::AskJoin {
            role,
            name,
            ticket,
            reply,
        })
        .await
        .unwrap_or_else(|| Err(stopping()))
    }

    /// Takes in the hub's answer.
    pub(crate) async fn joined(&self, ticket: &Ticket, welcome: Welcome) -> Answer {
        let (ticket, welcome) = (Box::new(ticket.clone()), Box::new(welcome));
        self.ask(|reply| Request::Joined { ticket, welcome, reply })
            .await
            .unwrap_or_else(|| Err(stopping()))
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.ok()?;
        answer.await.ok()
    }

    /// Commits what is there, closes every connection and ends the thread.
    pub async fn stop(&self) {
        // Stopped already is as good.
        let _ = self.requests.send(Request::Stop).await;
    }

    /// Whether the thread has ended.
    pub fn is_stopped(&self) -> bool {
        self.inbox.is_closed()
    }

    pub(crate) async fn connected(&self, link: Link) -> Option<SessionId> {
        let (reply, id) = oneshot::channel();
        self.inbox.send(Message::Connected { link, reply }).await.ok()?;
        id.await.ok()
    }

    /// `false` when the keeper has stopped.
    pub(crate) async fn tell(&self, message: Message) -> bool {
        self.inbox.send(message).await.is_ok()
    }

    /// Waits for room for so many KiB of decoded frames.
    pub(crate) async fn room(&self, permits: u32) -> Option<OwnedSemaphorePermit> {
        self.room.clone().acquire_many_owned(permits).await.ok()
    }

    /// Where whoever gathers a large frame has a place.
    pub(crate) fn large_frames(&self) -> &Arc<Door> {
        &self.large_frames
    }

    /// Bytes that wait to be written to all peers.
    pub(crate) fn queued(&self) -> Arc<AtomicUsize> {
        self.queued.clone()
    }
}

fn stopping() -> CommandError {
    CommandError::failed("stopping", "后台程序正在停止，请稍候再试一次。")
}
