//! A member that keeps no rule: what it says is refused or set aside with a reason, and the others do not notice.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use ledger::id::{DeviceId, Hash, RecordId, Scope, UnitId};
use replica::entry::{BODY_BYTES_MAX, Entry, KIND_RECORD, LogId, Tip};
use replica::frame::{
    BATCH_BYTES_MAX, Batch, Digests, HashAsk, Inbound, KeyAsk, Outbound, Refusal, Speech, WrappedKey, body_bytes_max,
};
use replica::receipt::Receipt;
use replica::run::{Run, sign};
use replica::vector::Vector;
use replica::wire::{put_bytes, put_varint};

use crate::foe::{FAULT, Foe, Wire, frame, public, unit_id};
use crate::rig::{Line, NEIGHBOUR, ROOM, any_case, ask, device, numbers, text, verify, wait, wait_for_county};
use crate::siege::Siege;

/// An entry that is no change of anything.
fn junk(n: u8) -> Entry {
    Entry {
        kind: KIND_RECORD,
        body: vec![n; 100],
    }
}

fn forged_runs(foe: &Foe, neighbour: DeviceId) -> [(&'static str, Run); 4] {
    let book = foe.book();
    let good = foe.run(book, vec![junk(1)]).run().clone();
    let mut signature = good.clone();
    signature.signature[40] ^= 1;
    let mut content = good.clone();
    content.entries[0].body[50] ^= 1;
    let mut author = good.clone();
    author.log.device = neighbour;
    let mut no_key = good;
    no_key.log.device = DeviceId([0xff; 32]);
    [
        ("a forged signature", signature),
        ("content changed after it was signed", content),
        ("a run in another device's name", author),
        ("a run of a key that is none", no_key),
    ]
}

/// Bodies of batches, as they lie on the wire.
fn swollen_batches() -> Vec<(&'static str, Vec<u8>)> {
    let zeros = zstd::bulk::compress(&vec![0; 64 << 20], 3).expect("it compresses");
    let claiming = |len: u32| [&[1][..], &len.to_be_bytes(), &zeros].concat();
    let stored = |fill: &dyn Fn(&mut Vec<u8>)| {
        let mut body = vec![0];
        fill(&mut body);
        body
    };
    vec![
        ("64 MiB that claim to be four billion bytes", claiming(u32::MAX)),
        (
            "64 MiB that claim to be what a batch may be",
            claiming(BATCH_BYTES_MAX as u32),
        ),
        ("64 MiB that claim to be little", claiming(100)),
        ("no compression at all", vec![1, 0, 0, 0, 9, 1, 2, 3]),
        ("a coding nobody knows", vec![77; 40]),
        ("more runs than there may be", stored(&|b| put_varint(b, 1 << 40))),
        (
            "a run that is too long",
            stored(&|b| {
                put_varint(b, 1);
                put_bytes(b, &vec![1; (1 << 20) + 1]);
            }),
        ),
        (
            "an entry that is too long",
            stored(&|b| {
                let mut run = vec![1, 2];
                run.extend_from_slice(&[7; 16 + 32 + 8]);
                put_varint(&mut run, 0);
                run.extend_from_slice(&[0; 32]);
                put_varint(&mut run, 1);
                run.push(KIND_RECORD);
                put_bytes(&mut run, &vec![1; BODY_BYTES_MAX + 1]);
                run.extend_from_slice(&[0; 64]);
                put_varint(b, 1);
                put_bytes(b, &run);
                put_varint(b, 0);
            }),
        ),
        (
            "more keys than there may be",
            stored(&|b| {
                put_varint(b, 0);
                put_varint(b, u64::MAX);
            }),
        ),
    ]
}

/// Other bodies that claim more than they may.
fn swollen_bodies() -> Vec<(&'static str, u8, Vec<u8>)> {
    let many = |first: &[u8]| {
        let mut body = first.to_vec();
        put_varint(&mut body, 1 << 50);
        body
    };
    let mut long_vector = vec![0];
    put_varint(&mut long_vector, 1);
    long_vector.push(2);
    long_vector.extend_from_slice(&[7; 16]);
    put_varint(&mut long_vector, 1 << 50);
    vec![
        ("digests without end", 6, many(&[0])),
        ("vectors without end", 7, many(&[0])),
        ("a vector without end", 7, long_vector),
        ("receipts without end", 9, many(&[])),
        ("hashes without end", 11, many(&[5; 17 + 32 + 8 + 1 + 32])),
        ("keys without end", 12, many(&[])),
        (
            "reports that are no reports",
            14,
            vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ),
        ("nesting without end", 14, vec![0x81; 200_000]),
        ("marks without end", 17, many(&[])),
        ("garbage", 7, vec![0xff; 64]),
    ]
}

/// Says something after the meeting; the hub must end the connection for it.
fn is_broken_off(siege: &Siege, what: &str, say: impl FnOnce(&mut Wire<'_>)) {
    let mut wire = siege.foe.meet(siege.addr());
    say(&mut wire);
    let end = wire.end();
    assert_eq!(end.code, FAULT, "{what}: {end:?}");
    assert!(!end.bye.is_empty(), "{what}: no reason was given");
}

#[test]
fn what_breaks_the_protocol_ends_its_own_connection_and_nothing_else() {
    let siege = Siege::lay();
    let held = siege.held();
    let victim = DeviceId::parse(&device(&siege.line.county, siege.neighbour)).expect("a device");
    for (what, run) in forged_runs(&siege.foe, victim) {
        is_broken_off(&siege, what, |wire| wire.batch(vec![run]));
    }
    for (what, body) in swollen_batches() {
        is_broken_off(&siege, what, |wire| wire.frame(8, &body));
    }
    siege.goes_on();
    for (what, kind, body) in swollen_bodies() {
        is_broken_off(&siege, what, |wire| wire.frame(kind, &body));
    }
    for kind in (1..=17).chain([200]) {
        let mut head = (body_bytes_max(kind) as u32 + 1).to_be_bytes().to_vec();
        head.push(kind);
        is_broken_off(&siege, "a frame too long for its kind", |wire| wire.raw(&head));
    }
    let hello = siege.foe.hello();
    is_broken_off(&siege, "a second hello", |wire| wire.send(&hello));
    is_broken_off(&siege, "an introduction afterwards", |wire| {
        wire.send(&Outbound::Introduce(Vec::new()))
    });
    is_broken_off(&siege, "thousands of frames of later versions", |wire| {
        for n in 0..5_000u32 {
            wire.frame(100 + (n % 100) as u8, b"later");
        }
    });
    let mut early = siege.foe.dial(siege.addr());
    early.ask(Vec::new());
    assert_eq!(early.end().code, FAULT, "a frame before hello");
    assert!(
        siege.faults(siege.line.township) >= 45,
        "{}",
        siege.faults(siege.line.township)
    );
    assert_eq!(siege.held(), held, "something of it was kept");
    siege.stands();
}

#[test]
fn a_scope_that_a_member_may_not_read_or_write_stays_closed_to_it() {
    let siege = Siege::lay();
    let held = siege.held();
    let book = Scope::book(siege.other());
    let victim = DeviceId::parse(&device(&siege.line.county, siege.neighbour)).expect("a device");
    let log = LogId {
        scope: book,
        device: victim,
        epoch: 1,
    };
    let tip = Tip {
        seq: 9,
        hash: Hash([1; 32]),
    };
    let into_it = siege.foe.run(book, vec![junk(1)]).run().clone();
    is_broken_off(&siege, "entries of a scope that is not shared", |w| {
        w.batch(vec![into_it])
    });
    is_broken_off(&siege, "hashes of a scope that is not shared", |w| {
        w.send(&Outbound::HashAsk(HashAsk {
            log,
            tip,
            seqs: vec![1, 2],
        }));
    });
    let record = RecordId([5; 16]);
    is_broken_off(&siege, "keys of a scope that is not shared", |w| {
        w.send(&Outbound::KeyAsk(KeyAsk {
            keys: vec![(book, record)],
        }));
    });
    is_broken_off(&siege, "a key for a record of a scope that is not shared", |w| {
        let key = WrappedKey {
            scope: book,
            record,
            wrapped: [1; 48],
        };
        w.send(&Outbound::Batch(Batch {
            runs: Vec::new(),
            keys: vec![key],
        }));
    });
    siege.goes_on();
    let mut politely = siege.foe.meet(siege.addr());
    // What an outdated organisation could ask for is no fault, and is not answered with content either.
    politely.send(&Outbound::Digests(Digests {
        speech: Speech::Ask,
        scopes: vec![(book, Hash::ZERO)],
    }));
    politely.ask(vec![(book, Vector::default())]);
    let answer = politely.until("an answer", |frame| match frame {
        Inbound::Refused(it) => Some((it.log.scope, it.reason)),
        Inbound::Batch(batch) => Some((batch.runs[0].log().scope, Refusal::Other(0))),
        _ => None,
    });
    assert_eq!(answer, (book, Refusal::NotShared));
    drop(politely);
    not_entitled(&siege);
    assert_eq!(siege.held(), held);
    siege.stands();
}

/// Scopes that a room may read and not write, and authors that nobody knows.
fn not_entitled(siege: &Siege) {
    let status = siege.status(siege.line.township);
    let above = [unit_id(&status, "511603102000"), unit_id(&status, "511603000000")];
    let nobody = SigningKey::from_bytes(&[42; 32]);
    let log = LogId {
        scope: siege.foe.book(),
        device: DeviceId(nobody.verifying_key().to_bytes()),
        epoch: 1,
    };
    let mut cases = vec![(sign(&nobody, log, Tip::START, vec![junk(1)]), Refusal::AuthorUnknown)];
    for unit in above {
        cases.push((siege.foe.run(public(unit), vec![junk(1)]), Refusal::NotEntitled));
    }
    for (run, reason) in cases {
        let mut wire = siege.foe.meet(siege.addr());
        wire.batch(vec![run.run().clone()]);
        let told = wire.until("a refusal", |frame| match frame {
            Inbound::Refused(it) if it.log == *run.log() => Some(it.reason),
            _ => None,
        });
        assert_eq!(told, reason);
    }
}

#[test]
fn a_chain_that_does_not_link_is_not_kept_and_later_versions_are_borne() {
    let siege = Siege::lay();
    let held = siege.held();
    let book = siege.foe.book();
    let log = siege.foe.log(book);
    let mut wire = siege.foe.meet(siege.addr());
    let gap = Tip {
        seq: 7,
        hash: Hash([3; 32]),
    };
    let run = sign(&siege.foe.key, log, gap, vec![junk(1)]);
    wire.batch(vec![run.run().clone()]);
    // The hub says once what it has; insisting does not help.
    wire.until("the hub compares", |frame| {
        matches!(frame, Inbound::Vectors(_)).then_some(())
    });
    wire.batch(vec![run.run().clone()]);
    let first = sign(&siege.foe.key, log, Tip::START, vec![junk(2)]);
    let wrong = Tip {
        seq: 1,
        hash: Hash([4; 32]),
    };
    let second = sign(&siege.foe.key, log, wrong, vec![junk(3)]);
    wire.batch(vec![second.run().clone()]);
    assert_eq!(siege.held(), held, "a run without what comes before it");
    wire.batch(vec![first.run().clone(), second.run().clone()]);
    wait("the first entry is held", || siege.held() == held + 1);
    for kind in [100, 150, 255] {
        wire.frame(kind, &[1; 1_000]);
    }
    wire.ask(vec![(book, Vector::default())]);
    wire.until("it still answers", |frame| {
        matches!(frame, Inbound::Batch(_)).then_some(())
    });
    assert!(!wire.is_closed());
    drop(wire);
    for (min, max, welcome) in [(1, 9, true), (2, 9, false), (0, 0, false)] {
        let Outbound::Hello(mut hello) = siege.foe.hello() else {
            unreachable!("it is a hello");
        };
        (hello.version_min, hello.version_max) = (min, max);
        let mut wire = siege.foe.dial(siege.addr());
        wire.send(&Outbound::Hello(hello));
        if welcome {
            wire.until("it is met", |frame| {
                matches!(frame, Inbound::Vectors(_) | Inbound::Digests(_)).then_some(())
            });
        } else {
            let end = wire.end();
            assert!(end.bye.starts_with("Version"), "{end:?}");
        }
    }
    siege.stands();
}

#[test]
fn a_peer_that_asks_without_end_and_reads_nothing_holds_nobody_up() {
    let siege = Siege::lay();
    let addr = siege.addr();
    let book = siege.foe.book();
    let log = siege.foe.log(book);
    let silent = siege.foe.dial(addr);
    let mut wires: Vec<Wire<'_>> = (0..3).map(|_| siege.foe.meet(addr)).collect();
    let tip = Tip {
        seq: u64::MAX / 4,
        hash: Hash([1; 32]),
    };
    let hashes = Outbound::HashAsk(HashAsk {
        log,
        tip,
        seqs: (1..=64).map(|n| n * 1_000_000_007).collect(),
    });
    let keys = Outbound::KeyAsk(KeyAsk {
        keys: (0..1_024u32)
            .map(|n| {
                (
                    book,
                    RecordId::from_slice(&[n.to_be_bytes(); 4].concat()).expect("16 bytes"),
                )
            })
            .collect(),
    });
    for n in 0..3_000 {
        wires[0].send(&hashes);
        if n % 10 == 0 {
            wires[1].send(&keys);
        }
        if n % 3 == 0 {
            wires[2].ask(vec![(book, Vector::default())]);
        }
    }
    // Many connections of one key, each with as many streams as it is given.
    let crowd: Vec<Wire<'_>> = (0..40).map(|_| siege.foe.dial(addr)).collect();
    for wire in &crowd {
        for _ in 0..64 {
            drop(wire.try_stream());
        }
    }
    wait("all but a few of them are sent away", || {
        crowd.iter().filter(|wire| !wire.is_closed()).count() <= 8
    });
    drop(crowd);
    drop(wires);
    siege.goes_on();
    // Whoever never says anything is sent away, too.
    assert_eq!(silent.end().code, net::CloseCode::Idle as u64);
    if let Some(kib) = siege.memory_kib() {
        assert!(kib < 300 * 1024, "the hub has taken {kib} KiB");
    }
    siege.stands();
}

#[test]
fn a_members_lies_about_others_are_shown_to_nobody() {
    let siege = Siege::lay();
    let victim = DeviceId::parse(&device(&siege.line.county, siege.neighbour)).expect("a device");
    let book = siege.foe.book();
    let (mut beyond, other) = (Vector::default(), siege.other());
    let far = Tip {
        seq: 1_000_000,
        hash: Hash([8; 32]),
    };
    beyond.set(siege.foe.device(), 1, vec![far]);
    beyond.set(victim, 1, vec![far]);
    let mut wire = siege.foe.meet(siege.addr());
    for scope in [book, Scope::book(other), public(other)] {
        let receipt = Receipt::sign(&siege.foe.key, 1, scope, 99, i64::MAX, beyond.clone());
        wire.send(&Outbound::Receipts(vec![receipt], Vec::new()));
    }
    let room = replica::frame::RoomHealth {
        device: victim,
        unit: other,
        as_of_ms: i64::MAX,
        last_seen_ms: Some(i64::MIN),
        line: replica::frame::RoomLine::Down,
        recorded: u64::MAX,
        at_township: u64::MAX,
        at_county: 0,
        oldest_pending_ms: Some(i64::MIN),
        skew_ms: Some(i32::MIN),
        disk_free_bytes: 0,
        version: "坏".repeat(5_000),
        more: None,
    };
    wire.send(&Outbound::Health(vec![room]));
    // A vector that claims what is not there makes nobody wait for it.
    wire.ask(vec![(book, beyond)]);
    siege.goes_on();
    for hub in [siege.line.township, siege.line.top] {
        wait("the honest room is in step", || {
            let rooms = ask(&siege.line.county, hub, &["rooms"]);
            let rooms = rooms.as_array().expect("rooms");
            rooms.iter().any(|room| {
                room["unit"] == NEIGHBOUR && room["state"] == "in_step" && room["recorded"].as_u64() < Some(100)
            })
        });
    }
    let listed: BTreeSet<String> = siege
        .line
        .county
        .cases(siege.line.top)
        .expect("a list")
        .iter()
        .map(|case| text(case, "receipt"))
        .collect();
    assert_eq!(listed, BTreeSet::from(["county".to_owned()]));
    drop(wire);
    siege.stands();
}

#[test]
fn a_hub_in_the_wrong_hands_brings_no_room_down() {
    let mut line = Line::found();
    let (room, township) = (line.room, line.township);
    any_case(&line.county, room, 1);
    wait_for_county(&line.county, room);
    let own = Scope::book(unit_id(&ask(&line.county, room, &["status"]), ROOM));
    let stranger = Scope::book(UnitId([7; 16]));
    let foe = Foe::robs(&mut line.county, township);
    let listener = foe.listen();
    line.county
        .relay(room, township)
        .expect("a line")
        .retarget(listener.addr());
    let mut forged = foe.run(own, vec![junk(1)]).run().clone();
    forged.signature[3] ^= 1;
    let elsewhere = foe.run(stranger, vec![junk(1)]).run().clone();
    let kept = foe.run(own, vec![junk(2)]).run().clone();
    let mut beyond = Vector::default();
    let far = Tip {
        seq: 1_000_000,
        hash: Hash([8; 32]),
    };
    beyond.set(
        DeviceId::parse(&device(&line.county, room)).expect("a device"),
        1,
        vec![far],
    );
    let lie = Receipt::sign(&foe.key, 5, own, 1_000_000, i64::MAX, beyond);
    let batch = |run| {
        Outbound::Batch(Batch {
            runs: vec![run],
            keys: Vec::new(),
        })
        .encode()
    };
    let mut said = vec![
        batch(forged),
        batch(elsewhere),
        vec![0xff, 0xff, 0xff, 0xff, 8],
        frame(9, &[0xff; 40]),
    ];
    said.extend(swollen_batches().into_iter().take(3).map(|(_, body)| frame(8, &body)));
    for (n, bytes) in said.iter().enumerate() {
        let mut wire = listener.accept();
        wire.send(&foe.hello());
        wire.await_scope(own);
        wire.raw(bytes);
        assert_eq!(wire.end().code, FAULT, "{n}");
    }
    let mut wire = listener.accept();
    wire.send(&foe.hello());
    wire.await_scope(own);
    wire.send(&Outbound::Receipts(vec![lie], Vec::new()));
    wire.batch(vec![kept]);
    any_case(&line.county, room, 2);
    wait("what is no change is set aside in the room", || {
        ask(&line.county, room, &["quarantine", "list"])
            .as_array()
            .is_some_and(|list| !list.is_empty())
    });
    assert_eq!(numbers(&line.county, room).len(), 2);
    drop(wire);
    drop(listener);
    // The right hub comes back; what was said in its name does not stand.
    line.county.start(township).expect("it starts");
    wait_for_county(&line.county, room);
    line.settle();
    verify(&line.county, &line.all());
}
