//! Peers that send too much of what each by itself is allowed, and counties larger than one frame.

use super::super::double::{County, unit};
use super::super::{Asks, Effect, Input, PeerError, Progress, Reason};
use super::{COUNTY, ROOM, TOWNSHIP, in_step};
use crate::entry::{LogId, Tip};
use crate::frame::{
    Frame, HEADER_LEN, HashAsk, Inbound, Outbound, Refusal, Refused, RoomHealth, RoomLine, Speech, Vectors,
};
use crate::limits::NAME_BYTES_MAX;
use crate::memory::{device, key, note};
use crate::receipt::{Accepted, Receipt};
use crate::run::sign;
use crate::vector::Vector;
use ledger::id::{Hash, Scope};

const RECEIPTS: u8 = 9;

fn arrives(county: &mut County, line: usize, end: usize, frame: &Outbound) {
    let bytes = frame.encode();
    let inbound = Inbound::decode(bytes[4], &bytes[HEADER_LEN..]).unwrap();
    county.input(line, end, Input::Frame(inbound));
}

fn log(epoch: u64) -> LogId {
    LogId {
        scope: Scope::book(unit(4)),
        device: device(4),
        epoch,
    }
}

fn tip(seq: u64) -> Tip {
    Tip {
        seq,
        hash: Hash([7; 32]),
    }
}

#[test]
fn a_vector_of_impossible_lengths_breaks_no_hub() {
    let (mut county, line) = in_step();
    let mut vector = Vector::default();
    for epoch in 10..14 {
        vector.set(device(4), epoch, vec![tip(u64::MAX / 2)]);
    }
    let frame = Frame::Vectors(Vectors {
        speech: Speech::Tell,
        scopes: vec![(Scope::book(unit(4)), vector.clone())],
    });
    arrives(&mut county, line, 1, &frame);
    county.record(ROOM, 1);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
    vector.set(device(4), 14, vec![tip(u64::MAX)]);
    let mut bytes = Vec::new();
    vector.encode(&mut bytes);
    assert!(Vector::decode(&mut crate::wire::Reader::new(&bytes)).is_err());
}

#[test]
fn more_receipts_than_one_frame_holds_are_compared_all_the_same() {
    let mut county = County::new(3);
    let scope = Scope::book(unit(4));
    for store in 0..5_000 {
        let receipt = Receipt::sign(&key(2), 1_000 + store, scope, 1, 5, Vector::default());
        assert_eq!(county.posts[TOWNSHIP].receipts.accept(receipt), Accepted::New);
    }
    let line = county.connect(ROOM, TOWNSHIP);
    county.settle();
    assert_eq!(county.lines[line].closed, [None, None]);
    assert_eq!(county.posts[ROOM].receipts.standing(scope).count(), 5_000);
}

fn report(version: String) -> RoomHealth {
    RoomHealth {
        device: device(4),
        unit: unit(4),
        as_of_ms: 1,
        last_seen_ms: Some(1),
        line: RoomLine::Up,
        recorded: 1,
        at_township: 1,
        at_county: 1,
        oldest_pending_ms: None,
        skew_ms: None,
        disk_free_bytes: 1,
        version,
        more: None,
    }
}

#[test]
fn reports_with_endless_versions_break_no_hub_on_their_way_up() {
    let mut county = County::new(4);
    let line = county.connect(TOWNSHIP, COUNTY);
    county.settle();
    county.input(line, 0, Input::HealthOut(vec![report("v".repeat(4_000)); 600]));
    county.settle();
    let rooms = |effect: &Effect| match effect {
        Effect::Health(rooms) => rooms.clone(),
        _ => Vec::new(),
    };
    let heard: Vec<RoomHealth> = county.posts[COUNTY].effects.iter().flat_map(rooms).collect();
    assert_eq!(heard.len(), 600);
    assert!(heard.iter().all(|room| room.version.len() <= NAME_BYTES_MAX));
}

#[test]
fn receipts_that_come_during_the_meeting_go_only_to_those_who_share_their_scope() {
    let mut county = County::new(5);
    county.record(ROOM, 1);
    let line = county.connect(ROOM, TOWNSHIP);
    let sisters = Scope::book(unit(5));
    let receipt = Receipt::sign(&key(1), 1, sisters, 1, 5, Vector::default());
    county.input(line, 1, Input::Receipts(vec![receipt], Vec::new()));
    let heard = |county: &County| {
        let frames = county.lines[line].wires[1].iter().filter(|bytes| bytes[4] == RECEIPTS);
        let decoded = frames.map(|bytes| Inbound::decode(RECEIPTS, &bytes[HEADER_LEN..]).unwrap());
        decoded
            .into_iter()
            .any(|frame| matches!(frame, Frame::Receipts(receipts, _) if receipts.iter().any(|r| r.scope == sisters)))
    };
    county.deliver(line, 0);
    assert!(!heard(&county), "a sister's receipt");
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
}

#[test]
fn a_peer_that_asks_and_never_reads_is_cut_off() {
    let (mut county, line) = in_step();
    let log = county.posts[ROOM].log(Scope::book(unit(4)));
    let tip = county.posts[TOWNSHIP].memory.logs.tips(&log)[0];
    county.posts[TOWNSHIP].asks = Asks::new(1, u64::MAX);
    let ask = Frame::HashAsk(HashAsk {
        log,
        tip,
        seqs: (1..39).collect(),
    });
    for _ in 0..50_000 {
        arrives(&mut county, line, 1, &ask);
        if county.lines[line].closed[1].is_some() {
            break;
        }
    }
    assert!(matches!(county.lines[line].errors[1], Some(PeerError::TooMany(_))));
    assert_eq!(county.lines[line].closed[1], Some(Reason::Fault));
}

#[test]
fn a_peer_that_asks_for_ever_is_told_to_come_back_and_is_served_when_it_does() {
    const BUSY: u8 = 15;
    let (mut county, line) = in_step();
    county.posts[TOWNSHIP].asks = Asks::new(1, 2_000);
    let log = county.posts[ROOM].log(Scope::book(unit(4)));
    let tip = county.posts[TOWNSHIP].memory.logs.tips(&log)[0];
    let ask = Frame::HashAsk(HashAsk {
        log,
        tip,
        seqs: (1..39).collect(),
    });
    let answered = |county: &County| county.lines[line].kinds[1].len();
    let before = answered(&county);
    for _ in 0..5_000 {
        arrives(&mut county, line, 1, &ask);
    }
    // A few answers, then one word; no fault of anybody's.
    assert!(answered(&county) - before < 10, "{:?}", county.lines[line].kinds[1]);
    assert_eq!(county.lines[line].kinds[1].last(), Some(&BUSY));
    assert_eq!(county.lines[line].errors, [None, None]);
    county.record(ROOM, 3);
    county.settle();
    county.posts[TOWNSHIP].asks = Asks::default();
    county.pass(20_000_000);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
    assert_eq!(county.lines[line].sessions[0].progress(), Progress::InStep);
}

#[test]
fn a_scope_with_more_logs_than_can_be_told_is_named_and_the_others_go_on() {
    let mut county = County::new(5);
    let scope = Scope::book(unit(4));
    for epoch in 0..40_000 {
        let run = sign(&key(4), log(1_000 + epoch), Tip::START, vec![note("x")]);
        county.posts[TOWNSHIP].memory.take(&run);
    }
    county.write(TOWNSHIP, Scope::public(unit(2)), vec![note("calendar")]);
    county.connect(TOWNSHIP, COUNTY);
    county.settle();
    assert!(county.posts[TOWNSHIP].effects.contains(&Effect::TooLong(scope)));
    assert_eq!(county.posts[COUNTY].memory.logs.entries(Scope::public(unit(2))), 1);
}

#[test]
fn refusing_what_was_never_held_is_passed_over() {
    let (mut county, line) = in_step();
    let before = county.posts[TOWNSHIP].effects.len();
    for epoch in 0..100 {
        let refused = Frame::Refused(Refused {
            log: log(1_000 + epoch),
            reason: Refusal::Limit,
        });
        arrives(&mut county, line, 1, &refused);
    }
    assert_eq!(county.posts[TOWNSHIP].effects.len(), before);
}

#[test]
fn hundreds_of_forks_at_once_all_reconcile() {
    let mut county = County::new(6);
    for epoch in 100..420 {
        let common = sign(
            &key(4),
            log(epoch),
            Tip::START,
            (0..20).map(|n| note(&format!("{epoch}/{n}"))).collect(),
        );
        let long = sign(
            &key(4),
            log(epoch),
            common.tip(),
            (0..12).map(|n| note(&format!("a{n}"))).collect(),
        );
        let short = sign(&key(4), log(epoch), common.tip(), vec![note("b")]);
        for (post, own) in [(TOWNSHIP, &long), (COUNTY, &short)] {
            county.posts[post].memory.take(&common);
            county.posts[post].memory.take(own);
        }
    }
    county.connect(TOWNSHIP, COUNTY);
    county.settle();
    county.assert_equal(TOWNSHIP, COUNTY);
}
