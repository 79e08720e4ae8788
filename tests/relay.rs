//! A UDP relay in user space: a line that can be cut, healed, slowed down, measured, and put under any [`Weather`].

use std::cmp::Ordering as Order;
use std::collections::{BTreeMap, BinaryHeap};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::weather::{Sky, Tally, Weather};

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
    opened: Instant,
    stopped: AtomicBool,
    target: Mutex<SocketAddr>,
    up: Direction,
    down: Direction,
    /// Raised when the router between forgets who is who: every peer comes from a new port.
    rebound: AtomicU64,
}

struct Direction {
    sky: Mutex<Sky>,
    bytes: AtomicU64,
}

/// A datagram on its way through a slow line; the first due is the greatest, in the order sent.
struct InFlight {
    due: Instant,
    number: u64,
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
            opened: Instant::now(),
            stopped: AtomicBool::new(false),
            target: Mutex::new(target),
            up: Direction::fair(),
            down: Direction::fair(),
            rebound: AtomicU64::new(0),
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

    /// From now on nothing gets through, in either direction; what is in flight still arrives.
    pub fn cut(&self) {
        self.change(|up, down| (up.cut, down.cut) = (true, true));
    }

    /// From now on everything gets through again, as well as the weather lets it.
    pub fn heal(&self) {
        self.change(|up, down| (up.cut, down.cut) = (false, false));
    }

    /// Whether the line is cut in both directions.
    pub fn is_cut(&self) -> bool {
        self.shared.up.sky().weather().cut && self.shared.down.sky().weather().cut
    }

    /// Points the line at another address, such as a hub's after a restart.
    pub fn retarget(&self, target: SocketAddr) {
        *self.shared.target() = target;
    }

    /// Time a datagram takes in one direction; half of the round trip it adds.
    pub fn set_delay(&self, one_way: Duration) {
        self.change(|up, down| (up.delay, down.delay) = (one_way, one_way));
    }

    /// From now on the weather is this in each direction, drawn from `seed`; the tallies start anew.
    pub fn set_weather(&self, seed: u64, up: Weather, down: Weather) {
        *self.shared.up.sky() = Sky::new(seed, up);
        // Another stream: what is lost in one direction says nothing about the other.
        *self.shared.down.sky() = Sky::new(!seed, down);
    }

    /// Changes the weather upward and downward; what is drawn goes on from the same seed.
    pub fn change(&self, change: impl FnOnce(&mut Weather, &mut Weather)) {
        let (mut up, mut down) = (self.shared.up.sky(), self.shared.down.sky());
        let (mut above, mut below) = (up.weather(), down.weather());
        change(&mut above, &mut below);
        up.set(above);
        down.set(below);
    }

    /// What was done to datagrams upward and downward since the weather was set.
    pub fn tallies(&self) -> (Tally, Tally) {
        (self.shared.up.sky().tally(), self.shared.down.sky().tally())
    }

    /// The router on the way forgets its mappings: from the next datagram on, every peer comes from another port, and what is sent to
    /// the old one is lost.
    pub fn rebind(&self) {
        self.shared.rebound.fetch_add(1, Ordering::SeqCst);
    }

    /// Bytes of UDP payload taken so far: towards the target, and back. What is sent into a cut line does not count.
    pub fn bytes(&self) -> (u64, u64) {
        (
            self.shared.up.bytes.load(Ordering::SeqCst),
            self.shared.down.bytes.load(Ordering::SeqCst),
        )
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
    }
}

impl Direction {
    fn fair() -> Self {
        Self {
            sky: Mutex::new(Sky::new(0, Weather::default())),
            bytes: AtomicU64::new(0),
        }
    }

    fn sky(&self) -> MutexGuard<'_, Sky> {
        self.sky.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn forward(&self, line: &Line, from: &Arc<UdpSocket>, to: SocketAddr, bytes: &[u8], direction: &Direction) {
        let now = self.opened.elapsed();
        let arrivals = {
            let mut sky = direction.sky();
            if sky.weather().cut {
                return;
            }
            direction.bytes.fetch_add(bytes.len() as u64, Ordering::SeqCst);
            sky.carry(now, bytes)
        };
        for arrival in arrivals {
            if arrival.due <= now {
                drop(from.send_to(&arrival.bytes, to));
            } else {
                drop(line.send(InFlight {
                    due: self.opened + arrival.due,
                    number: 0,
                    from: Arc::clone(from),
                    to,
                    bytes: arrival.bytes,
                }));
            }
        }
    }
}

type Line = Sender<InFlight>;

/// The socket in which one peer appears to the target, as of a number of rebinds.
struct Flow {
    socket: Arc<UdpSocket>,
    rebound: u64,
}

/// What every peer sends goes up through a socket of its own, so that the target tells peers apart.
fn upward(front: &Arc<UdpSocket>, shared: &Arc<Shared>, line: &Line) {
    let mut flows: BTreeMap<SocketAddr, Flow> = BTreeMap::new();
    let mut order: Vec<SocketAddr> = Vec::new();
    let mut buffer = vec![0; 65_536];
    while !shared.is_stopped() {
        // Timeouts, and the "connection refused" that a dead target sends back, are nothing to end for.
        let Ok((len, peer)) = front.recv_from(&mut buffer) else {
            continue;
        };
        let rebound = shared.rebound.load(Ordering::SeqCst);
        if flows.get(&peer).is_none_or(|flow| flow.rebound != rebound) {
            let Some(socket) = open_flow(front, peer, shared, line) else {
                continue;
            };
            if flows.insert(peer, Flow { socket, rebound }).is_none() {
                order.push(peer);
            }
            if order.len() > FLOWS_MAX {
                flows.remove(&order.remove(0));
            }
        }
        let target = *shared.target();
        if let Some(flow) = flows.get(&peer) {
            shared.forward(line, &flow.socket, target, &buffer[..len], &shared.up);
        }
    }
}

fn open_flow(front: &Arc<UdpSocket>, peer: SocketAddr, shared: &Arc<Shared>, line: &Line) -> Option<Arc<UdpSocket>> {
    let flow = Arc::new(UdpSocket::bind(("127.0.0.1", 0)).ok()?);
    flow.set_read_timeout(Some(POLL)).ok()?;
    let (back, front, shared, line) = (Arc::clone(&flow), Arc::clone(front), Arc::clone(shared), line.clone());
    thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        // Two holders: the table of flows and this thread. Once the table let go, so does the thread.
        while !shared.is_stopped() && Arc::strong_count(&back) > 1 {
            if let Ok((len, _)) = back.recv_from(&mut buffer)
                && Arc::strong_count(&back) > 1
            {
                shared.forward(&line, &front, peer, &buffer[..len], &shared.down);
            }
        }
    });
    Some(flow)
}

/// Sends what is in flight when it is due, the first first, until every sender is gone.
fn deliver(flying: &Receiver<InFlight>) {
    let mut heap: BinaryHeap<InFlight> = BinaryHeap::new();
    let mut number = 0;
    loop {
        let wait = heap
            .peek()
            .map_or(POLL, |next| next.due.saturating_duration_since(Instant::now()));
        match flying.recv_timeout(wait) {
            Ok(datagram) => {
                number += 1;
                heap.push(InFlight { number, ..datagram });
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while heap.peek().is_some_and(|next| next.due <= Instant::now())
            && let Some(datagram) = heap.pop()
        {
            drop(datagram.from.send_to(&datagram.bytes, datagram.to));
        }
    }
}

impl Ord for InFlight {
    fn cmp(&self, other: &Self) -> Order {
        (other.due, other.number).cmp(&(self.due, self.number))
    }
}

impl PartialOrd for InFlight {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl PartialEq for InFlight {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Order::Equal
    }
}

impl Eq for InFlight {}

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

    #[test]
    fn a_peer_whose_router_forgets_it_comes_from_another_port_and_is_answered_there() {
        let (far, near, relay) = line(Duration::from_secs(5));
        let mut buffer = [0; 64];
        let mut ports = Vec::new();
        for _ in 0..2 {
            near.send_to(b"hello", relay.addr()).unwrap();
            let (len, from) = far.recv_from(&mut buffer).unwrap();
            far.send_to(&buffer[..len], from).unwrap();
            assert_eq!(near.recv_from(&mut buffer).unwrap().0, len);
            ports.push(from.port());
            relay.rebind();
        }
        assert_ne!(ports[0], ports[1]);
    }

    #[test]
    fn a_line_cut_in_one_direction_carries_in_the_other() {
        let (far, near, relay) = line(Duration::from_millis(400));
        assert!(echo(&far, &near, &relay).is_some());
        relay.change(|_, down| down.cut = true);
        let mut buffer = [0; 64];
        near.send_to(b"up", relay.addr()).unwrap();
        let (_, from) = far.recv_from(&mut buffer).unwrap();
        far.send_to(b"down", from).unwrap();
        assert!(near.recv_from(&mut buffer).is_err());
        assert!(!relay.is_cut());
    }

    #[test]
    fn weather_is_drawn_on_a_real_line_and_counted() {
        let (far, near, relay) = line(Duration::from_millis(300));
        let twice = Weather {
            doubled_pm: 1_000,
            late: Duration::from_millis(5),
            ..Weather::default()
        };
        relay.set_weather(3, twice, Weather::default());
        near.send_to(b"hello", relay.addr()).unwrap();
        let mut buffer = [0; 64];
        assert!(far.recv_from(&mut buffer).is_ok() && far.recv_from(&mut buffer).is_ok());
        assert_eq!(relay.tallies().0.doubled, 1);
    }
}
