//! Very many idle rooms on real connections to one hub, held from few sockets and without a store of their own.
//!
//! Each greets as a room does that holds what the hub holds, reads on, and has nothing to say.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use ed25519_dalek::SigningKey;
use ledger::id::UnitId;
use net::Identity;
use quinn::{Connection, Endpoint, RecvStream};
use replica::frame::{Frame, HEADER_LEN, Header, Health, Hello, Inbound, JoinRequest, Outbound};
use replica::statement::Role;
use replica::ticket::Ticket;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Connections that share a socket.
const PER_SOCKET: usize = 512;
/// Handshakes under way at once: fewer than a hub lets in without asking who they are.
const AT_ONCE: usize = 32;
/// For one greeting, on a machine that is busy with thousands of them.
const PATIENCE: Duration = Duration::from_secs(30);
/// A hub that is full for the moment is asked again.
const ATTEMPTS_MAX: usize = 10;

/// A device that has joined, or is about to.
#[derive(Clone)]
pub struct Member {
    pub key: SigningKey,
    pub unit: UnitId,
}

impl Member {
    /// A device with a key of its own for every `n`.
    pub fn new(n: u64, unit: UnitId) -> Self {
        let mut seed = [0x5a; 32];
        seed[..8].copy_from_slice(&n.to_be_bytes());
        Self {
            key: SigningKey::from_bytes(&seed),
            unit,
        }
    }

    /// What it shows to the hub that gave the ticket.
    pub fn request(&self, ticket: &Ticket) -> JoinRequest {
        JoinRequest {
            secret: ticket.secret,
            // Nobody reads what is sealed to it.
            seal_key: [7; 32],
            name: "crowd".to_owned(),
            role: Role::Node,
            former: None,
            former_chain: Vec::new(),
        }
    }
}

/// The connections. They end when it is dropped.
pub struct Crowd {
    runtime: Runtime,
    addr: SocketAddr,
    endpoints: Vec<Endpoint>,
    held: Vec<Connection>,
    heard: Arc<AtomicUsize>,
}

impl Crowd {
    /// Nobody yet, in front of the hub at `addr`.
    ///
    /// # Errors
    /// When no threads can be had.
    pub fn new(addr: SocketAddr) -> Result<Self> {
        Ok(Self {
            runtime: Runtime::new()?,
            addr,
            endpoints: Vec::new(),
            held: Vec::new(),
            heard: Arc::default(),
        })
    }

    /// Lets a device join with a ticket.
    ///
    /// # Errors
    /// When the hub does not welcome it.
    pub fn join(&self, member: &Member, ticket: &Ticket) -> Result<()> {
        self.runtime.block_on(async {
            let endpoint = Endpoint::client((Ipv4Addr::UNSPECIFIED, 0).into())?;
            let connection = Identity::new(member.key.clone())
                .begin(&endpoint, self.addr, None)?
                .await?;
            let (mut send, mut recv) = connection.open_bi().await?;
            let join = Outbound::Join(Box::new(member.request(ticket)));
            send.write_all(&join.encode()).await?;
            loop {
                match timeout(PATIENCE, next(&mut recv)).await?? {
                    Frame::Welcome(_) => return Ok(()),
                    Frame::Bye(bye) => bail!("not welcome: {}", bye.text),
                    _ => {}
                }
            }
        })
    }

    /// Opens a connection for each of these, as many times as it is named, and keeps them.
    ///
    /// # Errors
    /// When one of them is not let in.
    pub fn hold(&mut self, members: impl IntoIterator<Item = Member>) -> Result<()> {
        let members: Vec<Member> = members.into_iter().collect();
        let sockets = members.len().div_ceil(PER_SOCKET);
        let _inside = self.runtime.enter();
        for _ in 0..sockets {
            self.endpoints
                .push(Endpoint::client((Ipv4Addr::UNSPECIFIED, 0).into())?);
        }
        let fresh = self.endpoints[self.endpoints.len() - sockets..].to_vec();
        let (addr, heard) = (self.addr, self.heard.clone());
        let held = self.runtime.block_on(async {
            let mut held = Vec::new();
            let mut opening = JoinSet::new();
            for (n, member) in members.into_iter().enumerate() {
                if opening.len() >= AT_ONCE {
                    held.push(opened(&mut opening).await?);
                }
                opening.spawn(open(fresh[n / PER_SOCKET].clone(), addr, member, heard.clone()));
            }
            while !opening.is_empty() {
                held.push(opened(&mut opening).await?);
            }
            anyhow::Ok(held)
        })?;
        self.held.extend(held);
        Ok(())
    }

    /// How many were opened.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether nobody was opened.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// How many still stand.
    pub fn alive(&self) -> usize {
        self.held.iter().filter(|one| one.close_reason().is_none()).count()
    }

    /// Frames that the hub has said to all of them.
    pub fn heard(&self) -> usize {
        self.heard.load(Ordering::Relaxed)
    }
}

async fn opened(opening: &mut JoinSet<Result<Connection>>) -> Result<Connection> {
    opening.join_next().await.context("nobody is opening")??
}

async fn open(endpoint: Endpoint, addr: SocketAddr, member: Member, heard: Arc<AtomicUsize>) -> Result<Connection> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match timeout(PATIENCE, greet(&endpoint, addr, &member, heard.clone())).await? {
            Ok(connection) => return Ok(connection),
            Err(error) if attempt >= ATTEMPTS_MAX => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// Says what a room says that is in step, and then only listens.
async fn greet(endpoint: &Endpoint, addr: SocketAddr, member: &Member, heard: Arc<AtomicUsize>) -> Result<Connection> {
    let connection = Identity::new(member.key.clone()).begin(endpoint, addr, None)?.await?;
    let (mut send, mut recv) = connection.open_bi().await?;
    // The stream is known to the hub with its first bytes, and the hub speaks first here: of a kind that later versions may use.
    send.write_all(&[0, 0, 0, 0, 250]).await?;
    let theirs = loop {
        match next(&mut recv).await? {
            Frame::Hello(hello) => break hello,
            Frame::Bye(bye) => bail!("sent away: {}", bye.text),
            Frame::WhoAreYou => bail!("not known"),
            _ => {}
        }
    };
    let ours = Hello {
        unit: member.unit,
        health: Health::default(),
        ..theirs
    };
    send.write_all(&Outbound::Hello(ours).encode()).await?;
    let kept = connection.clone();
    tokio::spawn(async move {
        // The stream lives as long as it is read, and its other half as long as this task.
        let _send = send;
        while let Ok(frame) = next(&mut recv).await {
            heard.fetch_add(1, Ordering::Relaxed);
            if let Frame::Bye(_) = frame {
                return;
            }
        }
    });
    ensure!(kept.close_reason().is_none(), "closed at once");
    Ok(kept)
}

async fn next(recv: &mut RecvStream) -> Result<Inbound> {
    let mut head = [0; HEADER_LEN];
    recv.read_exact(&mut head).await?;
    let header = Header::decode(head)?;
    let mut body = vec![0; header.len];
    recv.read_exact(&mut body).await?;
    Ok(Inbound::decode(header.kind, &body)?)
}
