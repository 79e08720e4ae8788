//! A UDP relay in user space: a line that can be cut, healed, slowed down and measured.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often a waiting thread looks whether the relay is gone.
const POLL: Duration = Duration::from_millis(100);
/// One flow per peer behind the relay; the least recently made is dropped beyond it.
const FLOWS_MAX: usize = 2_048;

/// Forwards datagrams between whoever sends to [`Relay::addr`] and its target. Stops when dropped.
pub struct Relay {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    cut: AtomicBool,
    stopped: AtomicBool,
    target: Mutex<SocketAddr>,
    delay_us: AtomicU64,
    up_bytes: AtomicU64,
    down_bytes: AtomicU64,
}

/// A datagram on its way through a slow line.
struct InFlight {
    due: Instant,
    from: Arc<UdpSocket>,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl Relay {
    /// A healthy line without delay, on a port that the system picks.
    ///
    /// # Errors
    /// When no socket can be opened.
    pub fn start(target: SocketAddr) -> io::Result<Self> {
        let front = Arc::new(UdpSocket::bind(("127.0.0.1", 0))?);
        front.set_read_timeout(Some(POLL))?;
        let shared = Arc::new(Shared {
            cut: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            target: Mutex::new(target),
            delay_us: AtomicU64::new(0),
            up_bytes: AtomicU64::new(0),
            down_bytes: AtomicU64::new(0),
        });
        let addr = front.local_addr()?;
        let (line, flying) = mpsc::channel();
        thread::spawn(move || deliver(&flying));
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || upward(&front, &of_thread, &line));
        Ok(Self { addr, shared })
    }

    /// Where to send to.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From now on nothing gets through, in either direction; what is in flight is lost too.
    pub fn cut(&self) {
        self.shared.cut.store(true, Ordering::SeqCst);
    }

    /// From now on everything gets through again.
    pub fn heal(&self) {
        self.shared.cut.store(false, Ordering::SeqCst);
    }

    /// Whether the line is cut.
    pub fn is_cut(&self) -> bool {
        self.shared.cut.load(Ordering::SeqCst)
    }

    /// Points the line at another address, such as a hub's after a restart.
    pub fn retarget(&self, target: SocketAddr) {
        *self.shared.target() = target;
    }

    /// Time a datagram takes in one direction; half of the round trip it adds.
    pub fn set_delay(&self, one_way: Duration) {
        let us = u64::try_from(one_way.as_micros()).unwrap_or(u64::MAX);
        self.shared.delay_us.store(us, Ordering::SeqCst);
    }

    /// Bytes of UDP payload forwarded so far: towards the target, and back.
    pub fn bytes(&self) -> (u64, u64) {
        (
            self.shared.up_bytes.load(Ordering::SeqCst),
            self.shared.down_bytes.load(Ordering::SeqCst),
        )
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    fn target(&self) -> MutexGuard<'_, SocketAddr> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Sends at once, or later when the line is slow. Errors are losses, as on any line.
    fn forward(&self, line: &Sender<InFlight>, from: &Arc<UdpSocket>, to: SocketAddr, bytes: &[u8], count: &AtomicU64) {
        if self.cut.load(Ordering::SeqCst) {
            return;
        }
        count.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        match self.delay_us.load(Ordering::SeqCst) {
            0 => drop(from.send_to(bytes, to)),
            us => drop(line.send(InFlight {
                due: Instant::now() + Duration::from_micros(us),
                from: Arc::clone(from),
                to,
                bytes: bytes.to_vec(),
            })),
        }
    }
}

/// What every peer sends goes up through a socket of its own, so that the target tells peers apart.
fn upward(front: &Arc<UdpSocket>, shared: &Arc<Shared>, line: &Sender<InFlight>) {
    let mut flows: BTreeMap<SocketAddr, Arc<UdpSocket>> = BTreeMap::new();
    let mut order: Vec<SocketAddr> = Vec::new();
    let mut buffer = vec![0; 65_536];
    while !shared.is_stopped() {
        // Timeouts, and the "connection refused" that a dead target sends back, are nothing to end for.
        let Ok((len, peer)) = front.recv_from(&mut buffer) else {
            continue;
        };
        if !flows.contains_key(&peer) {
            let Some(flow) = open_flow(front, peer, shared, line) else {
                continue;
            };
            if order.len() == FLOWS_MAX {
                flows.remove(&order.remove(0));
            }
            order.push(peer);
            flows.insert(peer, flow);
        }
        let target = *shared.target();
        if let Some(flow) = flows.get(&peer) {
            shared.forward(line, flow, target, &buffer[..len], &shared.up_bytes);
        }
    }
}

fn open_flow(
    front: &Arc<UdpSocket>,
    peer: SocketAddr,
    shared: &Arc<Shared>,
    line: &Sender<InFlight>,
) -> Option<Arc<UdpSocket>> {
    let flow = Arc::new(UdpSocket::bind(("127.0.0.1", 0)).ok()?);
    flow.set_read_timeout(Some(POLL)).ok()?;
    let (back, front, shared, line) = (Arc::clone(&flow), Arc::clone(front), Arc::clone(shared), line.clone());
    thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        // Two holders: the table of flows and this thread. Once the table let go, so does the thread.
        while !shared.is_stopped() && Arc::strong_count(&back) > 1 {
            if let Ok((len, _)) = back.recv_from(&mut buffer) {
                shared.forward(&line, &front, peer, &buffer[..len], &shared.down_bytes);
            }
        }
    });
    Some(flow)
}

/// One delay for all, so first in is first out and one sleeping thread is enough.
fn deliver(flying: &Receiver<InFlight>) {
    while let Ok(datagram) = flying.recv() {
        thread::sleep(datagram.due.saturating_duration_since(Instant::now()));
        drop(datagram.from.send_to(&datagram.bytes, datagram.to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An echo at the far end, and a near end with patience of `wait`.
    fn line(wait: Duration) -> (UdpSocket, UdpSocket, Relay) {
        let far = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let near = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        near.set_read_timeout(Some(wait)).unwrap();
        far.set_read_timeout(Some(wait)).unwrap();
        let relay = Relay::start(far.local_addr().unwrap()).unwrap();
        (far, near, relay)
    }

    fn echo(far: &UdpSocket, near: &UdpSocket, relay: &Relay) -> Option<Vec<u8>> {
        let mut buffer = [0; 64];
        near.send_to(b"hello", relay.addr()).unwrap();
        let (len, from) = far.recv_from(&mut buffer).ok()?;
        far.send_to(&buffer[..len], from).unwrap();
        let (len, _) = near.recv_from(&mut buffer).ok()?;
        Some(buffer[..len].to_vec())
    }

    #[test]
    fn a_line_carries_both_ways_until_it_is_cut_and_again_when_healed() {
        let (far, near, relay) = line(Duration::from_millis(400));
        assert_eq!(echo(&far, &near, &relay).as_deref(), Some(&b"hello"[..]));
        relay.cut();
        assert_eq!(echo(&far, &near, &relay), None);
        relay.heal();
        assert_eq!(echo(&far, &near, &relay).as_deref(), Some(&b"hello"[..]));
        assert_eq!(relay.bytes(), (10, 10));
    }

    #[test]
    fn a_slow_line_takes_its_time() {
        let (far, near, relay) = line(Duration::from_secs(5));
        relay.set_delay(Duration::from_millis(40));
        let start = Instant::now();
        assert!(echo(&far, &near, &relay).is_some());
        assert!(start.elapsed() >= Duration::from_millis(80));
    }

    #[test]
    fn a_line_follows_its_hub_to_a_new_port() {
        let (_gone, near, relay) = line(Duration::from_secs(5));
        let far = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        relay.retarget(far.local_addr().unwrap());
        assert!(echo(&far, &near, &relay).is_some());
    }
}
