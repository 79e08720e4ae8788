//! Crowds before a hub: thousands of strangers, and a thousand rooms at rest. Its memory is bounded, and whoever works is served.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cunlian_tests::county::{County, PlaceId};
use cunlian_tests::crowd::{Crowd, Member};
use ed25519_dalek::SigningKey;
use net::Identity;
use net::limits::{CONNECTIONS_PER_KEY_MAX, MEMORY_BYTES_MAX, UNNAMED_MAX};
use quinn::{Connection, Endpoint};
use replica::frame::{Bye, ByeReason, Outbound};
use replica::ticket::Ticket;
use tokio::runtime::Runtime;

use crate::rig::{NEIGHBOUR, any_case, ask, numbers, text, two_tiers, verify, wait_for_county};

/// From the record in a room to the county's receipt there, while the door is besieged; some 20 ms when it is not.
const SERVED_WITHIN: Duration = Duration::from_secs(20);

/// Resident memory of a place's daemon, in KiB, by the name that `/proc` gives it; `None` where there is no `/proc`.
fn memory_kib(county: &County, place: PlaceId, which: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", county[place].pid()?)).ok()?;
    let line = status.lines().find(|line| line.starts_with(which))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Records case after case and waits for each; the waits, shortest first.
fn serve(county: &County, room: PlaceId, cases: std::ops::Range<u32>) -> Vec<Duration> {
    let mut waits: Vec<Duration> = cases
        .map(|n| {
            let began = Instant::now();
            any_case(county, room, n);
            wait_for_county(county, room);
            began.elapsed()
        })
        .collect();
    waits.sort();
    waits
}

/// The first datagrams of handshakes, each of another client that never goes on.
fn first_flights(runtime: &Runtime, count: usize) -> Vec<Vec<u8>> {
    let trap = UdpSocket::bind(("127.0.0.1", 0)).expect("a socket");
    trap.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    let addr = trap.local_addr().expect("an address");
    let _inside = runtime.enter();
    let endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).expect("an endpoint");
    let identity = Identity::new(SigningKey::from_bytes(&[3; 32]));
    let mut flights = Vec::with_capacity(count);
    while flights.len() < count {
        let connecting = identity.begin(&endpoint, addr, None).expect("a handshake begins");
        let mut buffer = vec![0; 2048];
        let len = trap.recv(&mut buffer).expect("the first flight");
        buffer.truncate(len);
        flights.push(buffer);
        drop(connecting);
    }
    flights
}

/// Sends first flights and garbage from a thousand addresses, until told to stop; how many were sent.
fn shout(flights: &[Vec<u8>], door: SocketAddr, stop: &AtomicBool) -> usize {
    let sockets: Vec<UdpSocket> = (0..1_000u32)
        .filter_map(|n| {
            let addr = Ipv4Addr::new(127, 1, (n / 250) as u8, (n % 250 + 1) as u8);
            UdpSocket::bind((addr, 0)).ok()
        })
        .collect();
    assert!(sockets.len() > 100, "this system has one loopback address only");
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        for (n, flight) in flights.iter().enumerate() {
            let socket = &sockets[(sent + n) % sockets.len()];
            // A full queue on the way is the flood's own loss.
            drop(socket.send_to(flight, door));
            let mut garbage = flight[..flight.len() / 2].to_vec();
            garbage[n % 40] ^= 0xff;
            drop(socket.send_to(&garbage, door));
            if n % 50 == 0 {
                // About ten thousand datagrams a second, so that the flood leaves the machine to its target.
                std::thread::sleep(Duration::from_millis(5));
            }
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        sent += flights.len();
    }
    sent
}

/// Strangers that finish their handshake and then say nothing, half a frame, or garbage; and come again and again.
fn besiege(runtime: &Runtime, door: SocketAddr, stop: &AtomicBool, tried: &AtomicUsize) -> Vec<Connection> {
    runtime.block_on(async {
        let endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).expect("an endpoint");
        let mut kept = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let n = tried.fetch_add(1, Ordering::Relaxed);
            let mut seed = [9; 32];
            seed[..8].copy_from_slice(&n.to_be_bytes());
            let identity = Identity::new(SigningKey::from_bytes(&seed));
            let Ok(connecting) = identity.begin(&endpoint, door, None) else {
                continue;
            };
            let Ok(Ok(connection)) = tokio::time::timeout(Duration::from_secs(2), connecting).await else {
                continue;
            };
            if !n.is_multiple_of(4)
                && let Ok((mut send, recv)) = connection.open_bi().await
            {
                let said = match n % 4 {
                    1 => vec![0, 0, 0, 60, 1, 1, 2],
                    2 => vec![0, 0, 0, 3, 8, 0, 0, 0],
                    _ => Outbound::Bye(Bye::new(ByeReason::Fault, "坏")).encode(),
                };
                drop(send.write_all(&said).await);
                std::mem::forget((send, recv));
            }
            kept.push(connection);
        }
        kept
    })
}

#[test]
fn a_hub_besieged_by_strangers_serves_its_rooms_and_bounds_its_memory() {
    let (county, top, room) = two_tiers();
    let door = county[top].listen().expect("it listens");
    let quiet = serve(&county, room, 0..3);
    let before = memory_kib(&county, top, "VmHWM:");
    let runtime = Runtime::new().expect("a runtime");
    let flights = first_flights(&runtime, 2_000);
    let (stop, tried) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (waits, kept, sent) = std::thread::scope(|scope| {
        let shouting = scope.spawn(|| shout(&flights, door, &stop));
        let besieging = scope.spawn(|| besiege(&runtime, door, &stop, &tried));
        let waits = serve(&county, room, 3..9);
        // A newcomer's handshake, too: the room's own connection stood before the siege.
        let newcomer = Crowd::new(door).expect("a crowd");
        let began = Instant::now();
        newcomer
            .join(&Member::new(1, ticket(&county, top).unit), &ticket(&county, top))
            .expect("welcome");
        println!("a newcomer was welcome after {:?}", began.elapsed());
        stop.store(true, Ordering::Relaxed);
        let sent = shouting.join().expect("it shouts");
        (waits, besieging.join().expect("it besieges"), sent)
    });
    let after = memory_kib(&county, top, "VmHWM:");
    println!(
        "quiet {quiet:?}; besieged {waits:?}; {sent} flights, {} strangers of whom {} were let in; {before:?} → {after:?} KiB",
        tried.load(Ordering::Relaxed),
        kept.len()
    );
    assert!(waits.last() < Some(&SERVED_WITHIN), "{waits:?}");
    let standing = kept.iter().filter(|one| one.close_reason().is_none()).count();
    assert!(standing <= 2 * UNNAMED_MAX + 256, "{standing} strangers stand");
    if let (Some(before), Some(after)) = (before, after) {
        assert!(after - before < 128 * 1024, "{before} → {after} KiB");
    }
    let away = ask(&county, top, &["status"])["turned_away"].clone();
    assert_eq!(
        away.as_array().map(Vec::len),
        Some(0),
        "strangers' farewells are shown: {away}"
    );
    assert_eq!(numbers(&county, top).len(), 9);
    verify(&county, &[top, room]);
}

fn ticket(county: &County, hub: PlaceId) -> Ticket {
    let addr = county[hub].listen().expect("it listens").to_string();
    let said = ask(county, hub, &["invite", "--unit", NEIGHBOUR, "--addr", &addr]);
    Ticket::parse(&text(&said, "ticket")).expect("a ticket")
}

#[test]
fn a_thousand_rooms_at_rest_cost_little_and_one_among_them_is_served() {
    const CONNECTIONS: usize = 1_000;
    let (county, top, room) = two_tiers();
    let mut crowd = Crowd::new(county[top].listen().expect("it listens")).expect("a crowd");
    let mut members = Vec::new();
    for n in 0..CONNECTIONS / CONNECTIONS_PER_KEY_MAX {
        let ticket = ticket(&county, top);
        let member = Member::new(n as u64, ticket.unit);
        crowd.join(&member, &ticket).expect("welcome");
        members.push(member);
    }
    let alone = serve(&county, room, 0..3);
    let before = memory_kib(&county, top, "VmRSS:");
    for _ in 0..CONNECTIONS_PER_KEY_MAX {
        crowd.hold(members.iter().cloned()).expect("they are let in");
    }
    let among = serve(&county, room, 3..9);
    let after = memory_kib(&county, top, "VmRSS:");
    println!("alone {alone:?}; among {CONNECTIONS} {among:?}; {before:?} → {after:?} KiB");
    assert_eq!(crowd.alive(), CONNECTIONS);
    assert!(among.last() < Some(&SERVED_WITHIN), "{among:?}");
    if let (Some(before), Some(after)) = (before, after) {
        let each = (after.saturating_sub(before)) * 1024 / CONNECTIONS as u64;
        println!("{each} bytes for each connection");
        // Programs that are not optimized keep more of their tasks' state.
        assert!(each < 120_000, "{each} bytes for each connection");
        assert!(after * 1024 < MEMORY_BYTES_MAX as u64);
    }
    verify(&county, &[top, room]);
}
