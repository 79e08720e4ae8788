//! The frames of WIRE.md, byte for byte, and that old bytes are still read. A changed byte here is a changed protocol.

#![allow(clippy::unwrap_used, reason = "a test's helpers may fail like the test")]

use cunlian_replica::entry::{Entry, LogId, Tip};
use cunlian_replica::frame::{
    Aside, Batch, Busy, Bye, ByeReason, DayCount, Digests, Ending, Frame, HEADER_LEN, HashAsk, Hashes, Header, Health,
    Hello, Inbound, JoinRequest, KeyAsk, LastSession, Mark, Marks, Outbound, Refusal, Refused, RoomHealth, RoomLine,
    RoomMore, Speech, Vectors, Welcome, WrappedKey,
};
use cunlian_replica::receipt::{Receipt, Withdrawal};
use cunlian_replica::run::sign;
use cunlian_replica::statement::Role;
use cunlian_replica::vector::Vector;
use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;
use ledger::day::Day;
use ledger::id::{DeviceId, Hash, RecordId, Scope, UnitId};

const FROZEN: &str = include_str!("../vectors/frames.hex");

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn log() -> LogId {
    LogId {
        scope: Scope::book(UnitId([0x0a; 16])),
        device: DeviceId(key().verifying_key().to_bytes()),
        epoch: 0x0102_0304_0506_0708,
    }
}

fn tip() -> Tip {
    Tip {
        seq: 300,
        hash: Hash([0x33; 32]),
    }
}

fn vector() -> Vector {
    let mut vector = Vector::default();
    vector.set(log().device, log().epoch, vec![tip()]);
    vector
}

fn greetings() -> Vec<(&'static str, Outbound)> {
    let health = Health {
        software: "cunlian-node 0.1.0".into(),
        os: "windows".into(),
        disk_free_bytes: 50 << 30,
        recorded: 15_000,
        pending: 3,
        oldest_pending_ms: Some(1_790_000_000_000),
        power_ups: 17,
        epoch: 5,
        skew_ms: Some(-12),
    };
    let hello = Hello {
        version_min: 1,
        version_max: 1,
        unit: UnitId([0x0a; 16]),
        wall_ms: 1_790_000_000_000,
        summary: Hash([0x44; 32]),
        receipts: Hash([0x55; 32]),
        health,
    };
    let join = JoinRequest {
        secret: [9; 16],
        seal_key: [4; 32],
        name: "窗口一".into(),
        role: Role::Node,
        former: None,
        former_chain: Vec::new(),
    };
    let welcome = Welcome {
        unit: UnitId([0x0a; 16]),
        root: DeviceId([0x66; 32]),
        credentials: Vec::new(),
        addrs: vec!["127.0.0.1:7701".into()],
    };
    vec![
        ("hello", Frame::Hello(hello)),
        ("who_are_you", Frame::WhoAreYou),
        ("introduce_nobody", Frame::Introduce(Vec::new())),
        ("join", Frame::Join(Box::new(join))),
        ("welcome", Frame::Welcome(welcome)),
        ("busy", Frame::Busy(Busy { retry_ms: 2_000 })),
        ("bye", Frame::Bye(Bye::new(ByeReason::Revoked, "已撤销"))),
    ]
}

fn contents() -> Vec<(&'static str, Outbound)> {
    let (scope, empty) = (log().scope, Scope::public(UnitId([0x0b; 16])));
    let entry = Entry {
        kind: 200,
        body: b"x".to_vec(),
    };
    let run = sign(&key(), log(), Tip::START, vec![entry]).run().clone();
    let wrapped = WrappedKey {
        scope,
        record: RecordId([7; 16]),
        wrapped: [8; 48],
    };
    let digests = Digests {
        speech: Speech::Ask,
        scopes: vec![(scope, Hash([0x44; 32])), (empty, Hash::ZERO)],
    };
    let vectors = Vectors {
        speech: Speech::Tell,
        scopes: vec![(scope, vector()), (empty, Vector::default())],
    };
    let batch = Batch {
        runs: vec![run],
        keys: vec![wrapped],
    };
    let ask = HashAsk {
        log: log(),
        tip: tip(),
        seqs: vec![299, 298, 296],
    };
    let hashes = Hashes {
        log: log(),
        tip: tip(),
        places: vec![tip()],
    };
    let refused = Refused {
        log: log(),
        reason: Refusal::AuthorUnknown,
    };
    let keys = vec![(scope, RecordId([7; 16]))];
    vec![
        ("digests", Frame::Digests(digests)),
        ("vectors", Frame::Vectors(vectors)),
        ("batch", Frame::Batch(batch)),
        ("hash_ask", Frame::HashAsk(ask)),
        ("hashes", Frame::Hashes(hashes)),
        ("key_ask", Frame::KeyAsk(KeyAsk { keys })),
        ("refused", Frame::Refused(refused)),
    ]
}

fn more() -> RoomMore {
    RoomMore {
        pending: Some(2),
        rtt_ms: Some(41),
        disk_total_bytes: Some(1 << 37),
        power_ups: Some(17),
        quarantined: None,
        session: Some(LastSession {
            began_ms: 1_789_999_000_000,
            ended_ms: 1_790_000_000_000,
            bytes_in: 4_000,
            bytes_out: 3_000,
            entries: 12,
            ended: Ending::Timeout,
        }),
        days: vec![DayCount {
            day: Day::from_ymd(2026, 9, 21).unwrap(),
            cases: 3,
        }],
    }
}

fn reports() -> Vec<(&'static str, Outbound)> {
    let scope = log().scope;
    let mark = Mark {
        hub: log().device,
        store: 6,
        scope,
        counter: 300,
    };
    let room = RoomHealth {
        device: log().device,
        unit: scope.unit,
        as_of_ms: 1_790_000_000_000,
        last_seen_ms: None,
        line: RoomLine::Down,
        recorded: 40,
        at_township: 39,
        at_county: 38,
        oldest_pending_ms: Some(1_789_000_000_000),
        skew_ms: None,
        disk_free_bytes: 1,
        version: "0.1.0".into(),
        more: None,
    };
    let receipts = vec![Receipt::sign(&key(), 6, scope, 300, 1_790_000_000_000, vector())];
    let withdrawals = vec![Withdrawal::sign(&key(), 5, 1_790_000_000_000)];
    let marks = Marks {
        marks: vec![mark],
        withdrawn: vec![(mark.hub, 5)],
    };
    let aside = Aside {
        unit: room.unit,
        record: RecordId([9; 16]),
        reason: "无权填写字段".into(),
        by: room.unit,
    };
    vec![
        ("asides", Frame::Asides(vec![aside])),
        ("receipts", Frame::Receipts(receipts, withdrawals)),
        ("marks", Frame::Marks(marks)),
        ("health", Frame::Health(vec![room.clone()])),
        (
            "health_more",
            Frame::Health(vec![RoomHealth {
                more: Some(more()),
                ..room
            }]),
        ),
    ]
}

fn read(bytes: &[u8]) -> Inbound {
    let header = Header::decode(bytes[..HEADER_LEN].try_into().unwrap()).unwrap();
    assert_eq!(header.len, bytes.len() - HEADER_LEN);
    Inbound::decode(header.kind, &bytes[HEADER_LEN..]).unwrap()
}

#[test]
fn every_frame_has_its_frozen_bytes_and_is_read_back() {
    let mut now = String::new();
    for (name, frame) in greetings().into_iter().chain(contents()).chain(reports()) {
        let bytes = frame.encode();
        now.push_str(&format!("{name} {}\n", HEXLOWER.encode(&bytes)));
        match (read(&bytes), &frame) {
            (Frame::Batch(read), Frame::Batch(sent)) => {
                assert_eq!(read.runs[0].run(), &sent.runs[0]);
                assert_eq!(read.keys, sent.keys);
            }
            // The same words, whatever their runs are made of.
            (read, sent) => assert_eq!(format!("{read:?}"), format!("{sent:?}"), "{name}"),
        }
    }
    // What zstd makes of a batch may change with its version; that old bytes are read is what counts.
    let lines = |text: &str| {
        text.lines()
            .filter(|line| !line.starts_with("batch "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        lines(&now),
        lines(FROZEN),
        "vectors/frames.hex no longer holds; the bytes are now\n{now}"
    );
}

#[test]
fn a_frozen_batch_is_still_read() {
    let line = FROZEN.lines().find_map(|line| line.strip_prefix("batch ")).unwrap();
    let Frame::Batch(batch) = read(&HEXLOWER.decode(line.as_bytes()).unwrap()) else {
        panic!("not a batch")
    };
    assert_eq!(batch.runs[0].log(), &log());
    assert_eq!(batch.keys[0].wrapped, [8; 48]);
}

#[test]
fn a_report_of_an_older_or_a_newer_version_is_read_as_far_as_both_know() {
    let whole = reports().pop().unwrap().1.encode();
    let Frame::Health(rooms) = read(&whole) else {
        panic!("not a report")
    };
    let known = rooms[0].more.clone().unwrap();
    assert_eq!(known, more());
    // A report is an array of thirteen: an older version's has one field less, a newer one's a field that we do not know.
    let mut newer = whole[HEADER_LEN..].to_vec();
    assert_eq!(newer[1], 0x8d, "an array of thirteen fields");
    newer[1] = 0x8e;
    newer.push(0x07);
    let Frame::Health(rooms) = Inbound::decode(14, &newer).unwrap() else {
        panic!("not a report")
    };
    assert_eq!(rooms[0].more, Some(known));
    let older = FROZEN.lines().find_map(|line| line.strip_prefix("health ")).unwrap();
    let Frame::Health(rooms) = read(&HEXLOWER.decode(older.as_bytes()).unwrap()) else {
        panic!("not a report")
    };
    assert_eq!(rooms[0].more, None);
}
