//! Listening: who gets as far as a handshake, and what happens to a connection that stands.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quinn::{Endpoint, Incoming};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{debug, info};

use crate::door::{Door, Place};
use crate::endpoint::{ConnectError, Identity};
use crate::keeper::Keeper;
use crate::limits::{CONNECTIONS_MAX, DISPLACE_AFTER, HANDSHAKE_MAX, HANDSHAKES_EASY, HANDSHAKES_MAX, UNNAMED_MAX};
use crate::link::{self, CloseCode};
use crate::tls::peer_of;

/// A listening endpoint. Dropping it does not stop it; [`Server::stop`] does.
pub struct Server {
    endpoint: Endpoint,
    task: JoinHandle<()>,
    addr: SocketAddr,
}

impl Server {
    /// The address bound, with the port that the system chose where 0 was asked for.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Closes every connection, tells the peers so, and frees the port.
    pub async fn stop(self) {
        self.task.abort();
        self.endpoint
            .close(quinn::VarInt::from_u32(CloseCode::Done as u32), b"stopping");
        // Peers that do not answer learn it by silence.
        let _ = timeout(Duration::from_secs(1), self.endpoint.wait_idle()).await;
    }
}

/// Listens at `listen` and hands every connection to the keeper.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(keeper: Keeper, identity: &Identity, listen: SocketAddr) -> Result<Server, ConnectError> {
    serve_for(keeper, identity, listen, crate::limits::IDLE_MAX)
}

/// As [`serve`]; a peer from which nothing came for `idle` is gone.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve_for(
    keeper: Keeper,
    identity: &Identity,
    listen: SocketAddr,
    idle: Duration,
) -> Result<Server, ConnectError> {
    let endpoint = identity.listen_for(listen, idle)?;
    let addr = endpoint.local_addr()?;
    let task = tokio::spawn(accept(endpoint.clone(), keeper));
    info!(%addr, "listening");
    Ok(Server { endpoint, task, addr })
}

/// Counts itself for as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(counter.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn accept(endpoint: Endpoint, keeper: Keeper) {
    let handshakes = Door::new(HANDSHAKES_MAX, DISPLACE_AFTER);
    // An honest stream comes with the handshake's last packet: whoever still has none when others come has waited long enough.
    let unnamed = Door::new(UNNAMED_MAX, Duration::ZERO);
    let connections = Arc::new(AtomicUsize::new(0));
    while let Some(incoming) = endpoint.accept().await {
        if connections.load(Ordering::Relaxed) >= CONNECTIONS_MAX {
            incoming.refuse();
        } else if handshakes.taken() >= HANDSHAKES_EASY && !incoming.remote_address_validated() {
            // Fails only for a connection that has proved its address already.
            let _ = incoming.retry();
        } else if let Some(place) = handshakes.try_enter() {
            let connection = Counted::new(&connections);
            tokio::spawn(welcome(incoming, keeper.clone(), place, unnamed.clone(), connection));
        } else {
            incoming.refuse();
        }
    }
}

async fn welcome(incoming: Incoming, keeper: Keeper, place: Place, unnamed: Arc<Door>, connection_count: Counted) {
    let from = incoming.remote_address();
    let connecting = match incoming.accept() {
        Ok(connecting) => connecting,
        Err(error) => return debug!(%from, %error, "no handshake"),
    };
    let shaken = tokio::select! {
        shaken = timeout(HANDSHAKE_MAX, connecting) => shaken,
        () = place.sent_away() => return debug!(%from, "the handshake made way for another"),
    };
    let connection = match shaken {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return debug!(%from, %error, "handshake refused"),
        Err(_) => return debug!(%from, "the handshake took too long"),
    };
    drop(place);
    let Some(peer) = peer_of(&connection) else {
        return CloseCode::Fault.close(&connection, "no key");
    };
    let Some(place) = unnamed.try_enter() else {
        return CloseCode::Full.close(&connection, "too many at the door");
    };
    let why = link::drive(keeper, connection, peer, link::Begun::Accepted(place), from.to_string()).await;
    debug!(%from, peer = %peer.short(), why, "connection ended");
    drop(connection_count);
}
