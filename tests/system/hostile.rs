//! Whoever shouts at a hub's door is not heard, and the county goes on.

use std::net::UdpSocket;

use cunlian_tests::place::Kind;

use crate::rig::{ROOM, any_case, ask, empty, numbers, two_tiers, wait_for_county};

#[test]
fn garbage_at_the_door_disturbs_nobody() {
    let (county, top, room) = two_tiers();
    let door = county[top].listen().expect("it listens");
    let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a socket");
    for n in 0..2_000u32 {
        // From a byte to a full datagram, some looking like the first packet of a connection.
        let len = 1 + (n as usize * 37) % 1_400;
        let mut bytes: Vec<u8> = (0..len)
            .map(|at| (at as u32).wrapping_mul(n.wrapping_mul(2_654_435_761)) as u8)
            .collect();
        if n % 3 == 0 {
            bytes[0] = 0xC0 | (n as u8 & 0x0F);
            bytes.splice(1..1, [0, 0, 0, 1, 8]);
        }
        drop(socket.send_to(&bytes, door));
    }
    any_case(&county, room, 1);
    wait_for_county(&county, room);
    assert_eq!(numbers(&county, top).len(), 1);
}

#[test]
fn a_member_of_another_county_is_a_stranger_here() {
    let (county, top, room) = two_tiers();
    let mut other = empty();
    let elsewhere = other.found().expect("another county");
    let stranger = other.room(ROOM, &[elsewhere]).expect("its room");
    // Its line is led to our hub: the same county code, other keys.
    let relay = other.relay(stranger, elsewhere).expect("a line");
    relay.retarget(county[top].listen().expect("it listens"));
    any_case(&other, stranger, 9);
    any_case(&county, room, 1);
    wait_for_county(&county, room);
    let status = ask(&county, top, &["status"]);
    assert_eq!(status["peers"].as_array().map(Vec::len), Some(1), "{status}");
    assert_eq!(numbers(&county, top).len(), 1);
    assert!(
        other
            .cases(stranger)
            .expect("a list")
            .iter()
            .all(|case| case["receipt"] == "room")
    );
}

#[test]
fn a_device_without_a_life_does_not_run() {
    let mut county = empty();
    let nobody = county.place("nobody", Kind::Node);
    let said = county[nobody].say(&["run"]).expect("it runs");
    assert_eq!(said.code(), Some(1), "{said:?}");
}
