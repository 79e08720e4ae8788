//! A device that has a member's key and keeps no rule: it speaks the real protocol over the real transport, by hand.

use std::cell::Cell;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use cunlian_tests::county::{County, PlaceId};
use ed25519_dalek::SigningKey;
use ledger::id::{DeviceId, Hash, Scope, ScopeKind, UnitId};
use net::Identity;
use quinn::{Connection, ConnectionError, Endpoint, RecvStream, SendStream};
use replica::entry::{Entry, LogId, Tip};
use replica::frame::{Batch, HEADER_LEN, Header, Health, Hello, Inbound, Outbound, Speech, Vectors};
use replica::run::{VerifiedRun, sign};
use replica::vector::Vector;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::rig::ask;

/// What an idle machine does in milliseconds.
const SOON: Duration = Duration::from_secs(20);

/// A member's key in the wrong hands.
pub(crate) struct Foe {
    runtime: Runtime,
    pub(crate) key: SigningKey,
    pub(crate) unit: UnitId,
    next_epoch: Cell<u64>,
}

/// One connection of a foe.
pub(crate) struct Wire<'a> {
    runtime: &'a Runtime,
    _endpoint: Endpoint,
    pub(crate) connection: Connection,
    send: SendStream,
    recv: RecvStream,
}

/// How a connection ended, as the other side told it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// Of QUIC's close frame; see `net::CloseCode`.
    pub(crate) code: u64,
    /// The last words of the session, if it had any.
    pub(crate) bye: String,
}

pub(crate) const FAULT: u64 = net::CloseCode::Fault as u64;

impl Foe {
    /// Takes the key of a place, whose daemon is stopped for good.
    pub(crate) fn robs(county: &mut County, place: PlaceId) -> Self {
        county[place].stop().expect("it stops");
        let key = fs::read_to_string(county[place].data().join("device.key")).expect("a key file");
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&key[2 * at..2 * at + 2], 16).expect("hexadecimal");
        }
        let status = ask(county, place, &["status"]);
        let own = status["unit"].clone();
        Self {
            runtime: Runtime::new().expect("a runtime"),
            key: SigningKey::from_bytes(&bytes),
            unit: unit_id(&status, own.as_str().expect("a unit")),
            next_epoch: Cell::new(1),
        }
    }

    /// A key that nobody knows.
    pub(crate) fn stranger(seed: u8) -> Self {
        Self {
            runtime: Runtime::new().expect("a runtime"),
            key: SigningKey::from_bytes(&[seed; 32]),
            unit: UnitId([seed; 16]),
            next_epoch: Cell::new(1),
        }
    }

    pub(crate) fn device(&self) -> DeviceId {
        DeviceId(self.key.verifying_key().to_bytes())
    }

    pub(crate) fn book(&self) -> Scope {
        Scope::book(self.unit)
    }

    /// A log of its own that nobody has seen yet.
    pub(crate) fn log(&self, scope: Scope) -> LogId {
        self.next_epoch.set(self.next_epoch.get() + 1);
        LogId {
            scope,
            device: self.device(),
            epoch: self.next_epoch.get(),
        }
    }

    /// A signed run at the beginning of a fresh log.
    pub(crate) fn run(&self, scope: Scope, entries: Vec<Entry>) -> VerifiedRun {
        let log = self.log(scope);
        sign(&self.key, log, Tip::START, entries)
    }

    /// A connection with its stream; nothing has been said.
    pub(crate) fn dial(&self, addr: SocketAddr) -> Wire<'_> {
        let identity = Identity::new(self.key.clone());
        let (endpoint, connection, send, recv) = self.runtime.block_on(async {
            let (endpoint, connection) = identity.connect(&addr.to_string(), None).await.expect("a handshake");
            let (send, recv) = connection.open_bi().await.expect("a stream");
            (endpoint, connection, send, recv)
        });
        Wire {
            runtime: &self.runtime,
            _endpoint: endpoint,
            connection,
            send,
            recv,
        }
    }

    /// A connection on which both sides have met and the hub has named what it shares.
    pub(crate) fn meet(&self, addr: SocketAddr) -> Wire<'_> {
        let mut wire = self.dial(addr);
        wire.send(&self.hello());
        let book = self.book();
        wire.await_scope(book);
        wire
    }

    /// Whether anything is said to a connection of this key.
    pub(crate) fn is_heard(&self, addr: SocketAddr) -> bool {
        let identity = Identity::new(self.key.clone());
        self.runtime.block_on(async {
            let Ok((_endpoint, connection)) = identity.connect(&addr.to_string(), None).await else {
                return false;
            };
            // TLS lets the dialler finish first; the refusal follows.
            timeout(SOON, connection.closed()).await.is_err()
        })
    }

    pub(crate) fn hello(&self) -> Outbound {
        Outbound::Hello(Hello {
            version_min: 1,
            version_max: 1,
            unit: self.unit,
            wall_ms: 0,
            summary: Hash([9; 32]),
            receipts: Hash::ZERO,
            health: Health::default(),
        })
    }

    /// Waits for the connections of a listening foe.
    pub(crate) fn listen(&self) -> Listener<'_> {
        let identity = Identity::new(self.key.clone());
        let _inside = self.runtime.enter();
        let endpoint = identity.listen(([127, 0, 0, 1], 0).into()).expect("a socket");
        Listener {
            runtime: &self.runtime,
            endpoint,
        }
    }
}

/// A hub in the wrong hands.
pub(crate) struct Listener<'a> {
    runtime: &'a Runtime,
    endpoint: Endpoint,
}

impl Listener<'_> {
    pub(crate) fn addr(&self) -> SocketAddr {
        self.endpoint.local_addr().expect("an address")
    }

    /// The next connection with its stream.
    pub(crate) fn accept(&self) -> Wire<'_> {
        let (connection, send, recv) = self.runtime.block_on(async {
            loop {
                let incoming = timeout(4 * SOON, self.endpoint.accept()).await;
                let incoming = incoming.expect("somebody dials").expect("it listens");
                // Diallers of before may give up in the middle.
                let Ok(connection) = incoming.await else { continue };
                if let Ok((send, recv)) = connection.accept_bi().await {
                    return (connection, send, recv);
                }
            }
        });
        Wire {
            runtime: self.runtime,
            _endpoint: self.endpoint.clone(),
            connection,
            send,
            recv,
        }
    }
}

impl Wire<'_> {
    pub(crate) fn send(&mut self, frame: &Outbound) {
        self.raw(&frame.encode());
    }

    pub(crate) fn batch(&mut self, runs: Vec<replica::run::Run>) {
        self.send(&Outbound::Batch(Batch { runs, keys: Vec::new() }));
    }

    /// Says what it holds of scopes, and asks for what the other side holds.
    pub(crate) fn ask(&mut self, scopes: Vec<(Scope, Vector)>) {
        let speech = Speech::Ask;
        self.send(&Outbound::Vectors(Vectors { speech, scopes }));
    }

    /// Bytes as they are. That the other side has hung up meanwhile is its right.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let send = &mut self.send;
        drop(
            self.runtime
                .block_on(async { timeout(SOON, send.write_all(bytes)).await }),
        );
    }

    /// A frame of any kind with any body.
    pub(crate) fn frame(&mut self, kind: u8, body: &[u8]) {
        self.raw(&frame(kind, body));
    }

    /// The next frame; an error once the stream is over.
    pub(crate) fn next(&mut self) -> Result<Inbound, String> {
        let recv = &mut self.recv;
        self.runtime.block_on(async {
            let read = async {
                let mut head = [0; HEADER_LEN];
                recv.read_exact(&mut head).await.map_err(|e| e.to_string())?;
                let header = Header::decode(head).map_err(|e| e.to_string())?;
                let mut body = vec![0; header.len];
                recv.read_exact(&mut body).await.map_err(|e| e.to_string())?;
                Inbound::decode(header.kind, &body).map_err(|e| e.to_string())
            };
            timeout(SOON, read).await.map_err(|_| "silence".to_owned())?
        })
    }

    /// Reads on until a frame says it.
    pub(crate) fn until<T>(&mut self, what: &str, mut found: impl FnMut(&Inbound) -> Option<T>) -> T {
        loop {
            let frame = self.next().unwrap_or_else(|error| panic!("{what}: {error}"));
            if let Some(it) = found(&frame) {
                return it;
            }
        }
    }

    pub(crate) fn await_scope(&mut self, scope: Scope) {
        self.until("the scope is named", |frame| match frame {
            Inbound::Digests(m) => m.scopes.iter().any(|(named, _)| *named == scope).then_some(()),
            Inbound::Vectors(m) => m.scopes.iter().any(|(named, _)| *named == scope).then_some(()),
            _ => None,
        });
    }

    /// Waits for the end that the other side must make.
    pub(crate) fn end(mut self) -> End {
        let mut bye = String::new();
        while let Ok(frame) = self.next() {
            if let Inbound::Bye(it) = frame {
                bye = format!("{:?}: {}", it.reason, it.text);
            }
        }
        let connection = &self.connection;
        let closed = self
            .runtime
            .block_on(async { timeout(SOON, connection.closed()).await });
        let code = match closed.expect("the other side closes") {
            ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
            other => panic!("{other}; {bye}"),
        };
        End { code, bye }
    }

    /// Opens one more stream and says something on it, if the other side lets it.
    pub(crate) fn try_stream(&self) -> Option<SendStream> {
        let connection = &self.connection;
        self.runtime.block_on(async {
            let (mut send, _) = timeout(Duration::from_millis(1), connection.open_bi())
                .await
                .ok()?
                .ok()?;
            send.write_all(&[0, 0, 0, 1, 9]).await.ok()?;
            Some(send)
        })
    }

    /// Whether the other side has closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.connection.close_reason().is_some()
    }
}

/// The id of a unit whose scopes a place holds.
pub(crate) fn unit_id(status: &serde_json::Value, code: &str) -> UnitId {
    let scopes = status["scopes"].as_array().expect("scopes");
    let found = scopes.iter().find(|scope| scope["unit"] == code);
    let id = found.and_then(|scope| scope["unit_id"].as_str());
    UnitId::parse(id.unwrap_or_else(|| panic!("{code} in {status}"))).expect("an id")
}

/// The public scope of a unit.
pub(crate) fn public(unit: UnitId) -> Scope {
    Scope {
        unit,
        kind: ScopeKind::Public,
    }
}

/// The bytes of a frame of any kind with any body.
pub(crate) fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = (body.len() as u32).to_be_bytes().to_vec();
    bytes.push(kind);
    bytes.extend_from_slice(body);
    bytes
}
