//! The transport over real QUIC on the loopback address, with a stand-in for the office: what gets in, what is kept out.

mod hostile;
mod links;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use ledger::id::DeviceId;
use office::SessionId;
use replica::frame::{Busy, Frame, Inbound, Outbound};
use replica::session::{Dialled, PeerError};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::endpoint::Identity;
use crate::keeper::{Keeper, Message};
use crate::link::Link;
use crate::serve::{Server, serve};

/// Far longer than anything here takes, so that a slow machine fails no test.
const SOON: Duration = Duration::from_secs(20);

fn identity(seed: u8) -> Identity {
    Identity::new(SigningKey::from_bytes(&[seed; 32]))
}

fn localhost() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// What the stand-in saw.
#[derive(Debug)]
enum Seen {
    Connected {
        id: SessionId,
        peer: DeviceId,
        dialled: Dialled,
    },
    Frame {
        inbound: Inbound,
    },
    Fault {
        error: PeerError,
    },
    Revoked {
        by: DeviceId,
    },
    Written {
        bytes: usize,
    },
    Gone {
        id: SessionId,
    },
}

enum Order {
    Send(SessionId, Vec<u8>),
    /// Sends until the peer counts as too slow a reader; answers whether it ever did.
    Flood(SessionId, Vec<u8>, tokio::sync::oneshot::Sender<bool>),
}

/// A device whose office only takes notes.
struct Device {
    identity: Identity,
    keeper: Keeper,
    seen: mpsc::UnboundedReceiver<Seen>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Device {
    fn new(seed: u8) -> Self {
        let (keeper, messages) = Keeper::fake();
        let (notes, seen) = mpsc::unbounded_channel();
        let (orders, to_do) = mpsc::unbounded_channel();
        tokio::spawn(take_notes(messages, to_do, notes));
        Self {
            identity: identity(seed),
            keeper,
            seen,
            orders,
        }
    }

    fn serve(&self) -> Server {
        serve(self.keeper.clone(), &self.identity, localhost()).unwrap()
    }

    async fn next(&mut self) -> Seen {
        timeout(SOON, self.seen.recv())
            .await
            .expect("nothing was seen")
            .unwrap()
    }

    async fn next_connected(&mut self) -> (SessionId, DeviceId, Dialled) {
        loop {
            if let Seen::Connected { id, peer, dialled } = self.next().await {
                return (id, peer, dialled);
            }
        }
    }

    async fn next_fault(&mut self) -> PeerError {
        loop {
            if let Seen::Fault { error } = self.next().await {
                return error;
            }
        }
    }

    async fn next_gone(&mut self) -> SessionId {
        loop {
            if let Seen::Gone { id } = self.next().await {
                return id;
            }
        }
    }
}

async fn take_notes(
    mut messages: mpsc::Receiver<Message>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    notes: mpsc::UnboundedSender<Seen>,
) {
    let mut links: HashMap<SessionId, Link> = HashMap::new();
    let mut count = 0;
    loop {
        let message = tokio::select! {
            message = messages.recv() => message,
            Some(order) = orders.recv() => {
                obey(&links, order);
                continue;
            }
        };
        let note = match message {
            None => return,
            Some(Message::Connected { link, reply }) => {
                count += 1;
                let id = SessionId(count);
                let note = Seen::Connected {
                    id,
                    peer: link.peer,
                    dialled: link.dialled,
                };
                links.insert(id, link);
                let _ = reply.send(id);
                note
            }
            Some(Message::Frame { inbound, .. }) => Seen::Frame { inbound: *inbound },
            Some(Message::Early { id, kind, body, .. }) => match crate::link::decode(kind, &body) {
                Some(Ok(inbound)) => Seen::Frame { inbound },
                Some(Err(error)) => fault(&mut links, id, error),
                None => panic!("a frame of kind {kind} cannot be decoded"),
            },
            Some(Message::Fault { id, error }) => fault(&mut links, id, error),
            Some(Message::Revoked { by }) => Seen::Revoked { by },
            Some(Message::Written { bytes, .. }) => Seen::Written { bytes },
            Some(Message::Gone { id, .. }) => {
                links.remove(&id);
                Seen::Gone { id }
            }
        };
        if notes.send(note).is_err() {
            return;
        }
    }
}

fn fault(links: &mut HashMap<SessionId, Link>, id: SessionId, error: PeerError) -> Seen {
    if let Some(link) = links.remove(&id) {
        link.close(crate::link::CloseCode::Fault, "fault");
    }
    Seen::Fault { error }
}

fn obey(links: &HashMap<SessionId, Link>, order: Order) {
    match order {
        Order::Send(id, frame) => assert!(links[&id].send(frame), "the queue is full"),
        Order::Flood(id, frame, slow) => {
            let most = 2 * crate::limits::OUTGOING_BYTES_MAX / frame.len();
            let _ = slow.send((0..most).any(|_| !links[&id].send(frame.clone())));
        }
    }
}

/// A small frame that carries a number.
fn frame(number: u64) -> Vec<u8> {
    Outbound::encode(&Frame::Busy(Busy { retry_ms: number }))
}

fn number(seen: &Seen) -> Option<u64> {
    match seen {
        Seen::Frame {
            inbound: Frame::Busy(busy),
        } => Some(busy.retry_ms),
        _ => None,
    }
}

async fn next_number(device: &mut Device) -> u64 {
    loop {
        if let Some(number) = number(&device.next().await) {
            return number;
        }
    }
}
