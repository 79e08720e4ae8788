//! Whoever shouts at a hub's door is not heard, and the county goes on.

use std::net::UdpSocket;

use cunlian_tests::place::Kind;
use ledger::id::{DeviceId, NodeCode, Scope, UnitId};
use replica::credential::Credential;
use replica::entry::{Entry, KIND_STATEMENT, LogId, Tip};
use replica::frame::{Batch, JoinRequest, Outbound};
use replica::run::sign;
use replica::statement::{Admit, Role, Statement};

use crate::foe::Foe;
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

/// What a key that nobody knows may try.
fn attempts(stranger: &Foe, another: DeviceId) -> Vec<(&'static str, Outbound)> {
    let log = |device| LogId {
        scope: Scope::public(UnitId([7; 16])),
        device,
        epoch: 1,
    };
    let admit = |device| {
        let admit = Admit {
            device,
            unit: UnitId([7; 16]),
            role: Role::Hub,
            seal_key: [1; 32],
            name: "坏".to_owned(),
            node_code: NodeCode::new(9).expect("a code"),
            prefix: None,
            former: None,
            by: None,
        };
        let entry = Entry {
            kind: KIND_STATEMENT,
            body: Statement::Admit(admit).encode(),
        };
        let run = sign(&stranger.key, log(stranger.device()), Tip::START, vec![entry]);
        Credential::from_run(&run).expect("an admission")
    };
    let join = |name: &str| {
        Outbound::Join(Box::new(JoinRequest {
            secret: [1; 16],
            seal_key: [1; 32],
            name: name.to_owned(),
            role: Role::Node,
            former: None,
            former_chain: Vec::new(),
        }))
    };
    let run = stranger.run(Scope::book(UnitId([7; 16])), vec![admit(another).entry]);
    vec![
        ("no introduction at all", Outbound::Introduce(Vec::new())),
        (
            "an introduction by itself",
            Outbound::Introduce(vec![admit(stranger.device())]),
        ),
        ("an introduction of another", Outbound::Introduce(vec![admit(another)])),
        (
            "an endless introduction",
            Outbound::Introduce(vec![admit(stranger.device()); 8]),
        ),
        ("a ticket that was never given", join("新电脑")),
        ("a name without end", join(&"长".repeat(20_000))),
        (
            "entries",
            Outbound::Batch(Batch {
                runs: vec![run.run().clone()],
                keys: Vec::new(),
            }),
        ),
        ("reports", Outbound::Health(Vec::new())),
    ]
}

#[test]
fn a_key_that_nobody_knows_gets_no_further_than_the_door() {
    let (county, top, room) = two_tiers();
    let door = county[top].listen().expect("it listens");
    let stranger = Foe::stranger(66);
    let another = DeviceId([9; 32]);
    for (what, frame) in attempts(&stranger, another) {
        let mut wire = stranger.dial(door);
        wire.send(&stranger.hello());
        wire.send(&frame);
        let end = wire.end();
        assert!(!end.bye.is_empty(), "{what}: {end:?}");
        let mut early = stranger.dial(door);
        early.send(&frame);
        early.send(&frame);
        let end = early.end();
        assert!(!end.bye.is_empty(), "{what}, at once and twice: {end:?}");
    }
    any_case(&county, room, 1);
    wait_for_county(&county, room);
    let members = ask(&county, top, &["member", "list"]).to_string();
    assert!(!members.contains(&another.to_string()) && !members.contains(&stranger.device().to_string()));
}
