//! Dialling: keeps one connection to the best hub that can be reached.
//!
//! Addresses are ordered, best first (the own township before the county). Each has a loop of its own with its own back-off;
//! a loop stands aside while a better address is connected, and gives its connection up once a better one has stood for a
//! while. So a room syncs with its township, straight to the county while the township is down, and comes back by itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{debug, info};

use crate::backoff::Backoff;
use crate::endpoint::{ConnectError, Identity};
use crate::keeper::Keeper;
use crate::limits::{ADDRS_EVERY, DEAD_AFTER, DIALS_MAX, FALLBACK_AFTER, GOOD_AFTER};
use crate::link;
use crate::tls::peer_of;

/// What dialling needs to know besides the addresses.
#[derive(Clone, Debug)]
pub struct DialOptions {
    /// Addresses from the configuration, before those the office knows.
    pub addrs: Vec<String>,
    /// The longest delay between two attempts at one address.
    pub retry_max: Duration,
    /// For the jitter.
    pub seed: [u8; 32],
    /// Lead of a better address over the next one.
    pub fallback_after: Duration,
    /// A better connection must have stood this long before a worse one is given up.
    pub good_after: Duration,
    /// A line on which we speak and hear nothing for this long is dead.
    pub dead_after: Duration,
}

impl DialOptions {
    /// The usual ones, for these configured addresses.
    pub fn new(addrs: Vec<String>, retry_max: Duration, seed: [u8; 32]) -> Self {
        Self {
            addrs,
            retry_max,
            seed,
            fallback_after: FALLBACK_AFTER,
            good_after: GOOD_AFTER,
            dead_after: DEAD_AFTER,
        }
    }
}

/// Since when each address is connected, by its place in the order; shared by the loops.
type Standing = Arc<watch::Sender<BTreeMap<usize, Instant>>>;

/// The running loops. Dropping it does not stop them; [`Dialling::stop`] does.
pub struct Dialling {
    task: JoinHandle<()>,
}

impl Dialling {
    /// Stops dialling. Connections that stand end with the keeper.
    pub fn stop(self) {
        self.task.abort();
    }
}

/// Keeps dialling the configured addresses and those the office learns, until stopped.
pub fn dial(keeper: Keeper, identity: Identity, options: DialOptions) -> Dialling {
    Dialling {
        task: tokio::spawn(manage(keeper, identity, options)),
    }
}

async fn manage(keeper: Keeper, identity: Identity, options: DialOptions) {
    // Aborting this task drops the set, and with it every loop.
    let mut loops = tokio::task::JoinSet::new();
    let mut current = Vec::new();
    while !keeper.is_stopped() {
        let addrs = ordered(&options.addrs, keeper.hub_addrs().await);
        if addrs != current {
            loops = tokio::task::JoinSet::new();
            let standing: Standing = Arc::new(watch::Sender::new(BTreeMap::new()));
            for (place, addr) in addrs.iter().enumerate() {
                let backoff = Backoff::new(options.seed, &identity.device(), addr, options.retry_max);
                let one = Loop {
                    keeper: keeper.clone(),
                    identity: identity.clone(),
                    addr: addr.clone(),
                    place,
                    standing: standing.clone(),
                    options: options.clone(),
                };
                loops.spawn(one.run(backoff));
            }
            current = addrs;
        }
        tokio::time::sleep(ADDRS_EVERY).await;
    }
    drop(loops);
}

/// Configured addresses first, each address once, not more than can be useful.
fn ordered(configured: &[String], known: Vec<String>) -> Vec<String> {
    let mut addrs: Vec<String> = Vec::new();
    for addr in configured.iter().cloned().chain(known) {
        if !addrs.contains(&addr) && addrs.len() < DIALS_MAX {
            addrs.push(addr);
        }
    }
    addrs
}

struct Loop {
    keeper: Keeper,
    identity: Identity,
    addr: String,
    place: usize,
    standing: Standing,
    options: DialOptions,
}

impl Loop {
    async fn run(self, mut backoff: Backoff) {
        // A worse address waits a little, so that the better one is tried first.
        tokio::time::sleep(self.options.fallback_after * u32::try_from(self.place).unwrap_or(u32::MAX)).await;
        while !self.keeper.is_stopped() {
            self.until_needed().await;
            let delay = match self.identity.connect(&self.addr, None).await {
                Ok((endpoint, connection)) => {
                    let began = Instant::now();
                    self.connected(connection).await;
                    drop(endpoint);
                    if began.elapsed() >= self.options.good_after {
                        backoff.succeeded();
                    }
                    backoff.failed()
                }
                Err(error) => {
                    self.log(&error);
                    backoff.failed()
                }
            };
            tokio::time::sleep(delay).await;
        }
    }

    fn log(&self, error: &ConnectError) {
        // Lines fail for hours in the field; at the usual level this would be the whole log.
        debug!(addr = self.addr, %error, "not reached");
    }

    /// Waits while a better address is connected.
    async fn until_needed(&self) {
        let mut standing = self.standing.subscribe();
        while standing.borrow_and_update().range(..self.place).next().is_some() {
            if standing.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits until a better address has stood for long enough to rely on it.
    async fn until_better(&self) {
        let mut standing = self.standing.subscribe();
        loop {
            let since = standing
                .borrow_and_update()
                .range(..self.place)
                .map(|(_, at)| *at)
                .min();
            let good = since.map(|at| self.options.good_after.saturating_sub(at.elapsed()));
            match good {
                Some(Duration::ZERO) => return,
                Some(left) => {
                    // Looks again when time has passed or something changed, whichever is first.
                    let _ = tokio::time::timeout(left, standing.changed()).await;
                }
                None => {
                    if standing.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            }
        }
    }

    /// Drives the connection to its end.
    async fn connected(&self, connection: quinn::Connection) {
        let Some(peer) = peer_of(&connection) else { return };
        info!(addr = self.addr, peer = %peer.short(), "hub reached");
        let _mark = Mark::new(&self.standing, self.place);
        // A task of its own: when this loop is stopped, the keeper still has to learn that the connection is gone.
        let _guard = CloseOnDrop(&connection);
        let drive = link::drive(
            self.keeper.clone(),
            connection.clone(),
            peer,
            link::Begun::Dialled,
            self.addr.clone(),
        );
        let mut drive = tokio::spawn(drive);
        let ended = tokio::select! {
            ended = &mut drive => ended,
            () = self.until_better() => {
                link::CloseCode::Done.close(&connection, "a better hub is back");
                drive.await
            }
            () = until_dead(&connection, self.options.dead_after) => {
                link::CloseCode::Idle.close(&connection, "no answer");
                drive.await
            }
        };
        let why = ended.unwrap_or_else(|error| error.to_string());
        info!(addr = self.addr, peer = %peer.short(), why, "hub lost");
    }
}

/// Waits until the line has been dead for `dead_after`: we sent what must be acknowledged, and nothing at all came back.
///
/// QUIC would wait for the idle timeout, and repeat itself at ever longer intervals meanwhile: a room whose line is back, or
/// whose township is down while the county is not, would wait with it.
async fn until_dead(connection: &quinn::Connection, dead_after: Duration) {
    let (mut heard, mut said) = (0, 0);
    let mut unanswered_since = None;
    loop {
        tokio::time::sleep(dead_after / 8).await;
        let stats = connection.stats();
        let speaking = stats.frame_tx.stream + stats.frame_tx.ping;
        if stats.udp_rx.datagrams != heard {
            (heard, said, unanswered_since) = (stats.udp_rx.datagrams, speaking, None);
        } else if speaking != said {
            let since: &mut Instant = unanswered_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= dead_after {
                return;
            }
        }
    }
}

/// Ends the connection with whoever holds it.
struct CloseOnDrop<'a>(&'a quinn::Connection);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        link::CloseCode::Done.close(self.0, "no longer dialled");
    }
}

/// Says "connected" for as long as it lives.
struct Mark<'a> {
    standing: &'a Standing,
    place: usize,
}

impl<'a> Mark<'a> {
    fn new(standing: &'a Standing, place: usize) -> Self {
        standing.send_modify(|all| {
            all.insert(place, Instant::now());
        });
        Self { standing, place }
    }
}

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        self.standing.send_modify(|all| {
            all.remove(&self.place);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configured_hubs_come_first_and_each_address_once() {
        let known = vec!["b:1".to_owned(), "a:1".to_owned()];
        assert_eq!(ordered(&["a:1".to_owned()], known), ["a:1", "b:1"]);
    }
}
