//! Links between honest devices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::UdpSocket;

use super::*;
use crate::dial::{DialOptions, Dialling, dial};
use crate::link;
use crate::tls::peer_of;

fn dialling(device: &Device, addrs: &[SocketAddr]) -> Dialling {
    let addrs = addrs.iter().map(ToString::to_string).collect();
    let mut options = DialOptions::new(addrs, Duration::from_millis(200), [9; 32]);
    options.fallback_after = Duration::from_millis(500);
    options.good_after = Duration::from_secs(1);
    options.dead_after = Duration::from_secs(2);
    dial(device.keeper.clone(), device.identity.clone(), options)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_prove_their_keys_and_frames_cross_both_ways() {
    let (mut hub, mut room) = (Device::new(1), Device::new(2));
    let server = hub.serve();
    let dialling = dialling(&room, &[server.addr()]);
    let (up, peer, dialled) = room.next_connected().await;
    assert_eq!((peer, dialled), (hub.identity.device(), Dialled::Us));
    // The dialler's first frame opens its stream.
    room.orders.send(Order::Send(up, frame(1))).unwrap();
    let (down, peer, dialled) = hub.next_connected().await;
    assert_eq!((peer, dialled), (room.identity.device(), Dialled::Them));
    assert_eq!(next_number(&mut hub).await, 1);
    for n in 2..50 {
        hub.orders.send(Order::Send(down, frame(n))).unwrap();
    }
    for n in 2..50 {
        assert_eq!(next_number(&mut room).await, n);
    }
    let written = async {
        let mut bytes = 0;
        while bytes < 48 * frame(2).len() {
            if let Seen::Written { bytes: more } = hub.next().await {
                bytes += more;
            }
        }
    };
    timeout(SOON, written).await.unwrap();
    dialling.stop();
    server.stop().await;
    assert_eq!(room.next_gone().await, up);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_goes_to_the_county_while_its_township_is_down_and_comes_back() {
    let (mut township, mut county, mut room) = (Device::new(1), Device::new(2), Device::new(3));
    let server = township.serve();
    let addr = server.addr();
    let high = county.serve();
    let dialling = dialling(&room, &[addr, high.addr()]);
    let (up, peer, _) = room.next_connected().await;
    assert_eq!(peer, township.identity.device());
    room.orders.send(Order::Send(up, frame(1))).unwrap();
    assert_eq!(next_number(&mut township).await, 1);

    server.stop().await;
    let (up, peer, _) = room.next_connected().await;
    assert_eq!(peer, county.identity.device());
    room.orders.send(Order::Send(up, frame(2))).unwrap();
    assert_eq!(next_number(&mut county).await, 2);

    let server = serve(township.keeper.clone(), &township.identity, addr).unwrap();
    let (back, peer, _) = room.next_connected().await;
    assert_eq!(peer, township.identity.device());
    room.orders.send(Order::Send(back, frame(3))).unwrap();
    assert_eq!(next_number(&mut township).await, 3);
    // The worse connection is given up once the better one has stood.
    assert_eq!(room.next_gone().await, up);
    dialling.stop();
    server.stop().await;
    high.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_ticket_is_given_so_nothing_can_be_sent_before_the_handshake() {
    let hub = Device::new(1);
    let server = hub.serve();
    let room = identity(2);
    // A dialler of somebody else's making, which would send early if the hub let it.
    let key = SigningKey::from_bytes(&[2; 32]);
    let mut eager = crate::tls::client_config(&key, room.revoked(), None, crate::tls::ALPN).unwrap();
    eager.resumption = rustls::client::Resumption::in_memory_sessions(8);
    eager.enable_early_data = true;
    let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(eager).unwrap();
    let config = quinn::ClientConfig::new(std::sync::Arc::new(crypto));
    let endpoint = quinn::Endpoint::client(localhost()).unwrap();
    for _ in 0..2 {
        let connecting = endpoint.connect_with(config.clone(), server.addr(), "cunlian").unwrap();
        let connecting = match connecting.into_0rtt() {
            Ok(_) => panic!("early data was possible"),
            Err(connecting) => connecting,
        };
        let connection = timeout(SOON, connecting).await.unwrap().unwrap();
        assert_eq!(peer_of(&connection), Some(hub.identity.device()));
        tokio::time::sleep(Duration::from_millis(50)).await;
        link::CloseCode::Done.close(&connection, "done");
    }
    server.stop().await;
}

/// A line to `target` that can be cut: what is sent while it is cut is lost.
async fn line(target: SocketAddr) -> (SocketAddr, Arc<AtomicBool>) {
    let near = UdpSocket::bind(localhost()).await.unwrap();
    let addr = near.local_addr().unwrap();
    let cut = Arc::new(AtomicBool::new(false));
    let is_cut = cut.clone();
    tokio::spawn(async move {
        let mut far: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
        let near = Arc::new(near);
        let mut buffer = vec![0; 2048];
        while let Ok((len, from)) = near.recv_from(&mut buffer).await {
            let socket = match far.get(&from) {
                Some(socket) => socket.clone(),
                None => {
                    let socket = Arc::new(UdpSocket::bind(localhost()).await.unwrap());
                    tokio::spawn(back(socket.clone(), near.clone(), from, is_cut.clone()));
                    far.insert(from, socket.clone());
                    socket
                }
            };
            if !is_cut.load(Ordering::Relaxed) {
                socket.send_to(&buffer[..len], target).await.unwrap();
            }
        }
    });
    (addr, cut)
}

async fn back(far: Arc<UdpSocket>, near: Arc<UdpSocket>, to: SocketAddr, is_cut: Arc<AtomicBool>) {
    let mut buffer = vec![0; 2048];
    while let Ok(len) = far.recv(&mut buffer).await {
        if !is_cut.load(Ordering::Relaxed) {
            near.send_to(&buffer[..len], to).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_line_is_noticed_and_dialled_again_and_a_quiet_one_is_left_alone() {
    let (mut hub, mut room) = (Device::new(1), Device::new(2));
    let server = hub.serve();
    let (addr, cut) = line(server.addr()).await;
    let dialling = dialling(&room, &[addr]);
    let (up, ..) = room.next_connected().await;
    room.orders.send(Order::Send(up, frame(1))).unwrap();
    assert_eq!(next_number(&mut hub).await, 1);
    // Quiet for longer than a dead line would be allowed: nothing was said, so nothing is missed.
    tokio::time::sleep(Duration::from_secs(4)).await;
    room.orders.send(Order::Send(up, frame(2))).unwrap();
    assert_eq!(next_number(&mut hub).await, 2);

    cut.store(true, Ordering::Relaxed);
    room.orders.send(Order::Send(up, frame(3))).unwrap();
    assert_eq!(timeout(Duration::from_secs(30), room.next_gone()).await, Ok(up));
    cut.store(false, Ordering::Relaxed);
    let (again, ..) = room.next_connected().await;
    room.orders.send(Order::Send(again, frame(4))).unwrap();
    assert_eq!(next_number(&mut hub).await, 4);
    dialling.stop();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_key_is_refused_in_the_handshake_learns_why() {
    let hub = Device::new(1);
    let server = hub.serve();
    let mut room = Device::new(2);
    hub.identity.revoked().add(room.identity.device());
    let dialling = dialling(&room, &[server.addr()]);
    let by = loop {
        if let Seen::Revoked { by } = room.next().await {
            break by;
        }
    };
    assert_eq!(by, hub.identity.device());
    dialling.stop();
    server.stop().await;
}
