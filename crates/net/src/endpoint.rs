//! QUIC endpoints: the socket, the transport's limits, one side's TLS.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use ledger::id::DeviceId;
use quinn::{
    ClientConfig, ConnectionError, Endpoint, EndpointConfig, IdleTimeout, MtuDiscoveryConfig, ServerConfig,
    TransportConfig, TransportErrorCode, VarInt,
};
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use crate::limits::{
    HANDSHAKE_MAX, HANDSHAKES_MAX, HUB_RECEIVE_WINDOW_BYTES, HUB_SEND_WINDOW_BYTES, IDLE_MAX, KEEP_ALIVE,
    RECEIVE_WINDOW_BYTES, SEND_WINDOW_BYTES, SOCKET_BUFFER_BYTES, STREAMS_MAX,
};
use crate::link::CloseCode;
use crate::tls::{self, ALPN, Revoked};

/// The name in the handshake; keys are what counts, so all hubs share it.
const SERVER_NAME: &str = "cunlian";

/// Why no endpoint or no connection came about.
#[derive(Debug, Error)]
pub enum ConnectError {
    #[error("the address {0} names no host that can be found")]
    Unresolved(String),
    #[error("no socket: {0}")]
    Socket(#[from] io::Error),
    #[error("no answer within {} s", HANDSHAKE_MAX.as_secs())]
    Silent,
    #[error("{0}")]
    Handshake(#[from] ConnectionError),
    #[error("{0}")]
    Setup(String),
}

/// A device's key and what it refuses: everything that an endpoint of it needs.
#[derive(Clone)]
pub struct Identity {
    key: Arc<SigningKey>,
    revoked: Revoked,
    alpn: Vec<u8>,
}

impl Identity {
    /// The identity of the device with this signing key.
    pub fn new(key: SigningKey) -> Self {
        Self {
            key: Arc::new(key),
            revoked: Revoked::default(),
            alpn: ALPN.to_vec(),
        }
    }

    /// Which device this is.
    pub fn device(&self) -> DeviceId {
        DeviceId(self.key.verifying_key().to_bytes())
    }

    /// The keys refused in the handshake.
    pub fn revoked(&self) -> &Revoked {
        &self.revoked
    }

    #[cfg(test)]
    pub(crate) fn speaking(mut self, alpn: &[u8]) -> Self {
        self.alpn = alpn.to_vec();
        self
    }

    /// An endpoint that listens at `addr` and may dial from there too.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn listen(&self, addr: SocketAddr) -> Result<Endpoint, ConnectError> {
        self.listen_for(addr, IDLE_MAX)
    }

    /// As [`Identity::listen`]; a peer from which nothing came for `idle` is gone. Below [`IDLE_MAX`] this end asks often enough by
    /// itself, which costs the line some bytes a second.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn listen_for(&self, addr: SocketAddr, idle: Duration) -> Result<Endpoint, ConnectError> {
        let crypto =
            tls::server(&self.key, &self.revoked, &self.alpn).map_err(|e| ConnectError::Setup(e.to_string()))?;
        let mut config = ServerConfig::with_crypto(Arc::new(crypto));
        config
            .transport_config(Arc::new(transport(Side::Listener, idle)))
            .max_incoming(HANDSHAKES_MAX)
            // A handshake fits into two packets; nothing of ours is sent before it ends.
            .incoming_buffer_size(8 * 1024)
            .incoming_buffer_size_total((HANDSHAKES_MAX * 8 * 1024) as u64);
        let runtime = Arc::new(quinn::TokioRuntime);
        Ok(Endpoint::new(
            EndpointConfig::default(),
            Some(config),
            socket(addr)?,
            runtime,
        )?)
    }

    /// Dials `addr` (`host:port`), each of the addresses that the name has in turn. With `expected`, only that device will do.
    /// The endpoint returned beside the connection must live as long as it.
    ///
    /// # Errors
    /// When no address is found, nobody answers there, or the handshake fails.
    pub async fn connect(
        &self,
        addr: &str,
        expected: Option<DeviceId>,
    ) -> Result<(Endpoint, quinn::Connection), ConnectError> {
        let unresolved = || ConnectError::Unresolved(addr.to_owned());
        let found = tokio::time::timeout(HANDSHAKE_MAX, tokio::net::lookup_host(addr)).await;
        let targets: Vec<SocketAddr> = found
            .map_err(|_| unresolved())?
            .map_err(|_| unresolved())?
            .take(4)
            .collect();
        let mut last = unresolved();
        for target in targets {
            match self.connect_to(target, expected).await {
                Ok(done) => return Ok(done),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect_to(
        &self,
        target: SocketAddr,
        expected: Option<DeviceId>,
    ) -> Result<(Endpoint, quinn::Connection), ConnectError> {
        // A socket per attempt: a router that has forgotten, or muddled, the old mapping does not matter.
        let any: IpAddr = match target {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let endpoint = Endpoint::client(SocketAddr::new(any, 0))?;
        let connecting = self.begin(&endpoint, target, expected)?;
        let connection = tokio::time::timeout(HANDSHAKE_MAX, connecting)
            .await
            .map_err(|_| ConnectError::Silent)??;
        Ok((endpoint, connection))
    }

    /// Begins a handshake from an endpoint that stands already: for whoever holds thousands of connections. With `expected`, only
    /// that device will do.
    ///
    /// # Errors
    /// When the endpoint is closed.
    pub fn begin(
        &self,
        endpoint: &Endpoint,
        target: SocketAddr,
        expected: Option<DeviceId>,
    ) -> Result<quinn::Connecting, ConnectError> {
        let crypto = tls::client(&self.key, &self.revoked, expected, &self.alpn)
            .map_err(|e| ConnectError::Setup(e.to_string()))?;
        let mut config = ClientConfig::new(Arc::new(crypto));
        config.transport_config(Arc::new(transport(Side::Dialler, IDLE_MAX)));
        endpoint
            .connect_with(config, target, SERVER_NAME)
            .map_err(|e| ConnectError::Setup(e.to_string()))
    }
}

/// Whether the other side ended the connection because our key was taken out of the county.
pub(crate) fn is_revoked(error: &ConnectionError) -> bool {
    /// `certificate_revoked` (RFC 8446, 6.2).
    const ALERT_REVOKED: u8 = 44;
    match error {
        ConnectionError::ConnectionClosed(close) => close.error_code == TransportErrorCode::crypto(ALERT_REVOKED),
        ConnectionError::ApplicationClosed(close) => close.error_code == VarInt::from_u32(CloseCode::Revoked as u32),
        _ => false,
    }
}

/// A hub's socket: room for what hundreds of rooms send at once, and both address families where the address has both.
fn socket(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        // Where the system knows no dual sockets, the one family that was asked for is served.
        let _ = socket.set_only_v6(false);
    }
    // The system may grant less; then some packets are sent twice.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    socket.bind(&addr.into())?;
    Ok(socket.into())
}

enum Side {
    Listener,
    Dialler,
}

fn transport(side: Side, idle: Duration) -> TransportConfig {
    let mut mtu = MtuDiscoveryConfig::default();
    // Two probes find the size of nearly every path; a finer search costs an idle room more than it ever saves.
    mtu.minimum_change(200);
    let (receive_window, send_window) = match side {
        Side::Listener => (HUB_RECEIVE_WINDOW_BYTES, HUB_SEND_WINDOW_BYTES),
        Side::Dialler => (RECEIVE_WINDOW_BYTES, SEND_WINDOW_BYTES),
    };
    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS_MAX))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .stream_receive_window(VarInt::from_u32(receive_window))
        .receive_window(VarInt::from_u32(receive_window))
        .send_window(send_window)
        .mtu_discovery_config(Some(mtu))
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(
            idle.min(IDLE_MAX).as_millis() as u32,
        ))));
    if let Side::Dialler = side {
        // Only the dialler: one packet in each direction keeps both ends and every router between them informed.
        config.keep_alive_interval(Some(KEEP_ALIVE));
    } else if idle < IDLE_MAX {
        config.keep_alive_interval(Some(idle / 3));
    }
    config.initial_rtt(Duration::from_millis(200));
    config
}
