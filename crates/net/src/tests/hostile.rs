//! Peers that mean no good, and keys that must not get in.

use std::sync::Arc;

use ledger::id::{Hash, Scope, UnitId};
use replica::entry::Tip;
use replica::frame::{Speech, Vectors};
use replica::vector::Vector;
use tokio::net::UdpSocket;
use tokio::sync::oneshot;

use super::*;
use crate::endpoint::ConnectError;
use crate::limits::{HANDSHAKES_MAX, LARGE_FRAME_BYTES, LARGE_FRAMES_MAX, UNNAMED_MAX};

/// A bare connection with its stream, driven by hand.
async fn raw(seed: u8, addr: SocketAddr) -> (quinn::Endpoint, quinn::Connection, quinn::SendStream, quinn::RecvStream) {
    let (endpoint, connection) = identity(seed).connect(&addr.to_string(), None).await.unwrap();
    let (send, recv) = connection.open_bi().await.unwrap();
    (endpoint, connection, send, recv)
}

async fn still_serves(hub: &mut Device, addr: SocketAddr) {
    let (_endpoint, _connection, mut send, _recv) = raw(77, addr).await;
    send.write_all(&frame(4711)).await.unwrap();
    assert_eq!(next_number(hub).await, 4711);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_protocol_is_refused_in_the_handshake() {
    let mut hub = Device::new(1);
    let server = hub.serve();
    let other = identity(2).speaking(b"h3");
    let error = other.connect(&server.addr().to_string(), None).await.unwrap_err();
    assert!(matches!(error, ConnectError::Handshake(_)), "{error}");
    still_serves(&mut hub, server.addr()).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_in_the_handshake_on_either_side() {
    let mut hub = Device::new(1);
    let server = hub.serve();
    hub.identity.revoked().add(identity(2).device());
    // TLS 1.3 lets a client finish first: the refusal comes as the connection's end.
    if let Ok((_endpoint, connection)) = identity(2).connect(&server.addr().to_string(), None).await {
        let end = timeout(SOON, connection.closed()).await.unwrap();
        assert!(matches!(end, quinn::ConnectionError::ConnectionClosed(_)), "{end}");
    }
    let room = identity(3);
    room.revoked().add(hub.identity.device());
    let error = room.connect(&server.addr().to_string(), None).await.unwrap_err();
    assert!(matches!(error, ConnectError::Handshake(_)), "{error}");
    still_serves(&mut hub, server.addr()).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_shown_to_nobody_but_the_hub_that_gave_it() {
    let hub = Device::new(1);
    let server = hub.serve();
    let wrong = identity(2)
        .connect(&server.addr().to_string(), Some(identity(9).device()))
        .await
        .unwrap_err();
    assert!(matches!(wrong, ConnectError::Handshake(_)), "{wrong}");
    identity(2)
        .connect(&server.addr().to_string(), Some(identity(1).device()))
        .await
        .unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_frame_is_refused_by_its_header() {
    let mut hub = Device::new(1);
    let server = hub.serve();
    let (_endpoint, connection, mut send, _recv) = raw(2, server.addr()).await;
    send.write_all(&[0xff, 0xff, 0xff, 0xff, 8]).await.unwrap();
    assert!(matches!(hub.next_fault().await, PeerError::FrameTooLong { .. }));
    timeout(SOON, connection.closed()).await.unwrap();
    still_serves(&mut hub, server.addr()).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_frame_end_their_own_connection_only() {
    let mut hub = Device::new(1);
    let server = hub.serve();
    for kind in [1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] {
        let (_endpoint, connection, mut send, _recv) = raw(2, server.addr()).await;
        send.write_all(&[0, 0, 0, 7, kind]).await.unwrap();
        send.write_all(&[0xff; 7]).await.unwrap();
        hub.next_fault().await;
        timeout(SOON, connection.closed()).await.unwrap();
    }
    still_serves(&mut hub, server.addr()).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_stops_inside_a_frame_is_forgotten() {
    let mut hub = Device::new(1);
    let server = hub.serve();
    let (_endpoint, _connection, mut send, _recv) = raw(2, server.addr()).await;
    send.write_all(&[0, 0, 1, 0, 15, 1, 2, 3]).await.unwrap();
    send.finish().unwrap();
    let (id, _, _) = hub.next_connected().await;
    assert_eq!(hub.next_gone().await, id);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_closed_and_holds_nobody_up() {
    let mut hub = Device::new(1);
    let server = hub.serve();
    let (_endpoint, connection, mut send, _recv) = raw(2, server.addr()).await;
    send.write_all(&frame(1)).await.unwrap();
    let (id, _, _) = hub.next_connected().await;
    let (slow, was_slow) = oneshot::channel();
    hub.orders.send(Order::Flood(id, vec![0; 64 * 1024], slow)).unwrap();
    assert!(timeout(SOON, was_slow).await.unwrap().unwrap(), "a queue without end");
    timeout(SOON, connection.closed()).await.unwrap();
    assert_eq!(hub.next_gone().await, id);
    still_serves(&mut hub, server.addr()).await;
    server.stop().await;
}

/// Takes the first datagrams of `count` handshakes, each of another client, none of which ever goes on.
async fn first_flights(count: usize) -> Vec<Vec<u8>> {
    let trap = UdpSocket::bind(localhost()).await.unwrap();
    let addr = trap.local_addr().unwrap();
    let key = SigningKey::from_bytes(&[5; 32]);
    let crypto = crate::tls::client(&key, identity(5).revoked(), None, crate::tls::ALPN).unwrap();
    let config = quinn::ClientConfig::new(Arc::new(crypto));
    let endpoint = quinn::Endpoint::client(localhost()).unwrap();
    let mut flights = Vec::new();
    for _ in 0..count {
        let connecting = endpoint.connect_with(config.clone(), addr, "cunlian").unwrap();
        let mut buffer = vec![0; 2048];
        let len = timeout(SOON, trap.recv(&mut buffer)).await.unwrap().unwrap();
        buffer.truncate(len);
        flights.push(buffer);
        drop(connecting);
    }
    flights
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_half_open_handshakes_keep_no_member_out() {
    let mut hub = Device::new(1);
    let server = hub.serve();
    let flights = first_flights(1_000).await;
    assert!(flights.len() > 3 * HANDSHAKES_MAX);
    let flood = UdpSocket::bind(localhost()).await.unwrap();
    for flight in &flights {
        flood.send_to(flight, server.addr()).await.unwrap();
    }
    still_serves(&mut hub, server.addr()).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_that_never_open_a_stream_hold_no_more_than_their_places_and_keep_nobody_out() {
    let mut hub = Device::new(1);
    let server = hub.serve();
    let endpoint = quinn::Endpoint::client(localhost()).unwrap();
    let mut idle = Vec::new();
    for n in 0..2 * UNNAMED_MAX {
        let key = SigningKey::from_bytes(
            &[n.to_be_bytes()[7], n.to_be_bytes()[6], 3, 4]
                .repeat(8)
                .try_into()
                .unwrap(),
        );
        let connecting = Identity::new(key).begin(&endpoint, server.addr(), None).unwrap();
        // Some are sent away at once.
        idle.extend(timeout(SOON, connecting).await.unwrap());
    }
    // Whoever stands there longest makes way.
    timeout(SOON, still_serves(&mut hub, server.addr())).await.unwrap();
    let standing = || idle.iter().filter(|one| one.close_reason().is_none()).count();
    timeout(SOON / 4, async {
        while standing() > UNNAMED_MAX {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("{} stand at the door", standing()));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_that_send_large_frames_a_byte_at_a_time_make_way_for_one_that_sends_it_whole() {
    let mut hub = Device::new(1);
    let server = hub.serve();
    let mut slow = Vec::new();
    for seed in 0..=u8::try_from(LARGE_FRAMES_MAX).unwrap() {
        let mut peer = raw(100 + seed, server.addr()).await;
        peer.2.write_all(&[0, 0x10, 0, 0, 8, 0]).await.unwrap();
        hub.next_connected().await;
        slow.push(peer);
    }
    let (_endpoint, _connection, mut send, _recv) = raw(99, server.addr()).await;
    let mut vector = Vector::default();
    for epoch in 0..4_000 {
        let tip = Tip {
            seq: 1,
            hash: Hash([7; 32]),
        };
        vector.set(DeviceId([9; 32]), epoch, vec![tip]);
    }
    let large = Outbound::Vectors(Vectors {
        speech: Speech::Tell,
        scopes: vec![(Scope::book(UnitId([1; 16])), vector)],
    })
    .encode();
    assert!(large.len() > LARGE_FRAME_BYTES);
    send.write_all(&large).await.unwrap();
    let arrived = async {
        while !matches!(
            hub.next().await,
            Seen::Frame {
                inbound: Frame::Vectors(_)
            }
        ) {}
    };
    timeout(SOON, arrived).await.expect("a whole frame waits for slow ones");
    server.stop().await;
}
