//! A key that is revoked is out at every tier within seconds, while its connections live.

use std::time::{Duration, Instant};

use crate::rig::ask;
use crate::siege::Siege;

/// From the county's word to the end of the connection.
const AT_ONCE: Duration = Duration::from_secs(5);
const REVOKED: u64 = net::CloseCode::Revoked as u64;

#[test]
fn a_revoked_key_is_cut_off_at_the_township_and_at_the_county_within_five_seconds() {
    let siege = Siege::lay();
    let (top, addr) = (siege.line.top, siege.addr());
    let at_county = siege.line.county[top].listen().expect("it listens");
    let wires = [addr, at_county].map(|addr| siege.foe.meet(addr));
    let device = siege.foe.device().to_string();
    ask(
        &siege.line.county,
        top,
        &["member", "revoke", &device, "--reason", "电脑丢失"],
    );
    let begun = Instant::now();
    for wire in wires {
        let end = wire.end();
        assert_eq!(end.code, REVOKED, "{end:?}");
        assert!(end.bye.starts_with("Revoked"), "{end:?}");
    }
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    // From now on not even a handshake, or nothing after it.
    for addr in [addr, at_county] {
        assert!(!siege.foe.is_heard(addr), "a revoked key is listened to");
    }
    siege.stands();
}
