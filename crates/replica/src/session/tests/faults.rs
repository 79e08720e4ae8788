//! Peers that lie, probe, flood or come too early.

use std::collections::BTreeSet;

use super::super::double::{County, unit};
use super::super::{Effect, Input, PeerError, Progress, Quota, Reason};
use super::{COUNTY, ROOM, SISTER, TOWNSHIP, in_step};
use crate::entry::{LogId, Tip};
use crate::frame::{
    Batch, FRAME_BYTES_MAX, Frame, HEADER_LEN, HashAsk, Header, Inbound, KeyAsk, Outbound, Refusal, Speech, Vectors,
};
use crate::memory::{device, key, note};
use crate::receipt::{Receipt, Withdrawal};
use crate::run::{Run, RunError, sign};
use crate::vector::Vector;
use crate::wire::WireError;
use ledger::id::{Hash, RecordId, Scope};

/// What the peer at `end` would have received had we sent this.
fn arrives(county: &mut County, line: usize, end: usize, frame: &Outbound) {
    let bytes = frame.encode();
    let inbound = Inbound::decode(bytes[4], &bytes[HEADER_LEN..]).unwrap();
    county.input(line, end, Input::Frame(inbound));
}

fn run_of(author: u8, scope: Scope, text: &str) -> Run {
    let log = LogId {
        scope,
        device: device(author),
        epoch: 1,
    };
    sign(&key(author), log, Tip::START, vec![note(text)]).run().clone()
}

fn batch(run: Run) -> Outbound {
    Frame::Batch(Batch {
        runs: vec![run],
        keys: Vec::new(),
    })
}

#[test]
fn entries_of_a_scope_that_is_not_shared_end_the_session() {
    let (mut county, line) = in_step();
    let foreign = Scope::book(unit(6));
    arrives(&mut county, line, 1, &batch(run_of(4, foreign, "x")));
    assert_eq!(county.lines[line].errors[1], Some(PeerError::Scope(foreign)));
    assert_eq!(county.lines[line].closed[1], Some(Reason::Fault));
    county.settle();
    assert_eq!(county.posts[TOWNSHIP].memory.logs.entries(foreign), 0);
    assert!(matches!(&county.lines[line].closed[0], Some(Reason::Peer(bye)) if bye.text.contains("not shared")));
}

#[test]
fn keys_and_hashes_of_a_scope_that_is_not_shared_are_not_told() {
    for ask in [
        Frame::KeyAsk(KeyAsk {
            keys: vec![(Scope::book(unit(5)), RecordId([1; 16]))],
        }),
        Frame::HashAsk(HashAsk {
            log: run_of(5, Scope::book(unit(5)), "x").log,
            tip: Tip::START,
            seqs: vec![1],
        }),
    ] {
        let (mut county, line) = in_step();
        arrives(&mut county, line, 1, &ask);
        assert_eq!(
            county.lines[line].errors[1],
            Some(PeerError::Scope(Scope::book(unit(5))))
        );
    }
}

#[test]
fn asking_for_a_vector_that_may_not_be_read_is_refused_and_the_rest_goes_on() {
    let (mut county, line) = in_step();
    county.record(SISTER, 3);
    county.connect(SISTER, TOWNSHIP);
    county.settle();
    let before = county.frames(line);
    let ask = Frame::Vectors(Vectors {
        speech: Speech::Ask,
        scopes: vec![(Scope::book(unit(5)), Vector::default())],
    });
    arrives(&mut county, line, 1, &ask);
    county.settle();
    assert_eq!(county.lines[line].kinds[1].last(), Some(&13), "refused");
    assert_eq!(county.frames(line), before + 1);
    assert_eq!(county.posts[ROOM].memory.logs.entries(Scope::book(unit(5))), 0);
    county.record(ROOM, 1);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
}

#[test]
fn entries_by_one_who_may_not_write_there_are_refused_with_the_reason() {
    let (mut county, line) = in_step();
    let run = run_of(6, Scope::book(unit(4)), "a room of another township");
    let log = run.log;
    county.posts[ROOM].memory.take(&run.clone().verify().unwrap());
    arrives(&mut county, line, 1, &batch(run));
    county.settle();
    assert_eq!(county.posts[TOWNSHIP].memory.logs.entries(Scope::book(unit(4))), 40);
    assert_eq!(county.lines[line].closed, [None, None]);
    assert!(county.posts[ROOM].effects.contains(&Effect::Refused {
        log,
        reason: Refusal::NotEntitled
    }));
}

#[test]
fn an_author_not_yet_known_is_no_fault_and_is_asked_for_once_known() {
    let (mut county, line) = in_step();
    let sister = county.posts[SISTER].device();
    // The sister's entries are with the county, which does not know her any more than the other township does.
    let scope = Scope::book(unit(4));
    county.posts[TOWNSHIP].members.remove(&sister);
    county.posts[ROOM].members.insert(sister, unit(4));
    let author = county.posts[SISTER].key.clone();
    let log = LogId {
        scope,
        device: sister,
        epoch: 1,
    };
    county.posts[ROOM]
        .memory
        .write(&author, log, Tip::START, vec![note("b-post")]);
    county.tell(ROOM, |_| Input::Changed(scope));
    county.settle();
    assert_eq!(county.posts[TOWNSHIP].memory.logs.entries(scope), 40);
    let frames = county.frames(line);
    county.tell(ROOM, |_| Input::Changed(scope));
    county.tell(TOWNSHIP, |_| Input::Changed(Scope::public(unit(2))));
    county.settle();
    assert_eq!(
        county.frames(line),
        frames,
        "nothing has changed for the author: silence"
    );
    county.posts[TOWNSHIP].members.insert(sister, unit(4));
    county.tell(TOWNSHIP, |_| Input::Changed(Scope::public(unit(2))));
    county.settle();
    assert_eq!(county.posts[TOWNSHIP].memory.logs.entries(scope), 41);
    county.assert_equal(ROOM, TOWNSHIP);
}

#[test]
fn a_revoked_room_is_cut_off_at_once_and_not_let_in_again() {
    let (mut county, line) = in_step();
    let room = county.posts[ROOM].device();
    county.posts[TOWNSHIP].revoked.insert(room);
    county.tell(TOWNSHIP, |_| Input::Changed(Scope::public(unit(2))));
    assert_eq!(county.lines[line].closed[1], Some(Reason::Revoked));
    county.settle();
    assert!(
        matches!(&county.lines[line].closed[0], Some(Reason::Peer(bye)) if bye.reason == crate::frame::ByeReason::Revoked)
    );
    let again = county.connect(ROOM, TOWNSHIP);
    county.settle();
    assert_eq!(county.lines[again].closed[1], Some(Reason::Revoked));
    let live = county.connect(SISTER, TOWNSHIP);
    county.input(live, 1, Input::Revoked);
    assert_eq!(county.lines[live].closed[1], Some(Reason::Revoked));
}

#[test]
fn a_held_room_is_told_why_at_once_and_at_every_try_and_syncs_on_once_it_is_lifted() {
    let (mut county, line) = in_step();
    let room = county.posts[ROOM].device();
    county.posts[TOWNSHIP].held.insert(room);
    county.tell(TOWNSHIP, |_| Input::Changed(Scope::public(unit(2))));
    county.settle();
    county.record(ROOM, 3);
    let before = county.posts[TOWNSHIP].memory.logs.entries(Scope::book(unit(4)));
    let again = county.connect(ROOM, TOWNSHIP);
    county.settle();
    for line in [line, again] {
        assert_eq!(county.lines[line].closed[1], Some(Reason::Held));
        let Some(Reason::Peer(bye)) = &county.lines[line].closed[0] else {
            panic!("{:?}", county.lines[line].closed);
        };
        assert_eq!(
            (bye.reason, bye.text.as_str()),
            (crate::frame::ByeReason::Held, "held: being mended")
        );
    }
    assert_eq!(county.posts[TOWNSHIP].memory.logs.entries(Scope::book(unit(4))), before);
    county.posts[TOWNSHIP].held.clear();
    county.connect(ROOM, TOWNSHIP);
    county.settle();
    assert_eq!(
        county.posts[TOWNSHIP].memory.logs.entries(Scope::book(unit(4))),
        before + 3
    );
    county.assert_equal(ROOM, TOWNSHIP);
    let live = county.connect(SISTER, TOWNSHIP);
    county.input(live, 1, Input::Held("later".to_owned()));
    assert_eq!(county.lines[live].closed[1], Some(Reason::Held));
}

#[test]
fn a_scope_that_becomes_shared_during_the_session_is_synced_from_both_ends() {
    for late in [ROOM, TOWNSHIP] {
        let mut county = County::new(2);
        let scope = Scope::public(unit(1));
        county.write(COUNTY, scope, vec![note("organisation")]);
        county.connect(COUNTY, TOWNSHIP);
        county.settle();
        county.posts[late].unshared.insert(scope);
        county.record(ROOM, 2);
        let line = county.connect(ROOM, TOWNSHIP);
        county.settle();
        assert_eq!(county.posts[ROOM].memory.logs.entries(scope), 0);
        assert_eq!(
            county.lines[line].closed,
            [None, None],
            "a difference of views is no fault"
        );
        county.posts[late].unshared.clear();
        county.tell(late, |_| Input::Changed(Scope::public(unit(2))));
        county.settle();
        assert_eq!(county.posts[ROOM].memory.logs.entries(scope), 1);
    }
}

#[test]
fn a_scope_that_is_no_longer_shared_gets_nothing_more() {
    let (mut county, line) = in_step();
    let book = Scope::book(unit(4));
    county.posts[TOWNSHIP].unshared.insert(book);
    county.tell(TOWNSHIP, |_| Input::Changed(Scope::public(unit(2))));
    county.record(ROOM, 1);
    county.write(TOWNSHIP, book, vec![note("moved")]);
    county.settle();
    assert_eq!(county.lines[line].errors, [None, None]);
    assert_eq!(county.posts[ROOM].memory.logs.entries(book), 41);
    assert_eq!(county.posts[TOWNSHIP].memory.logs.entries(book), 41);
}

#[test]
fn a_device_that_floods_is_sent_away_and_what_others_send_goes_on() {
    let (mut county, line) = in_step();
    county.posts[TOWNSHIP].quota = Quota::new(5, 1 << 30);
    county.record(ROOM, 60);
    county.settle();
    county.record(ROOM, 5);
    county.settle();
    assert_eq!(
        county.posts[TOWNSHIP].memory.logs.entries(Scope::book(unit(4))),
        100,
        "the last batch was too much"
    );
    assert_eq!(county.lines[line].sessions[0].progress(), Progress::Paused);
    county.posts[TOWNSHIP].quota = Quota::default();
    let other = county.connect(SISTER, TOWNSHIP);
    county.record(SISTER, 7);
    county.settle();
    county.assert_equal(SISTER, TOWNSHIP);
    assert_eq!(county.lines[other].sessions[0].progress(), Progress::InStep);
    county.pass(2 * 3_600_000);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
}

#[test]
fn a_hub_takes_few_catch_ups_at_once_and_the_others_come_back() {
    let mut county = County::new(11);
    county.posts[TOWNSHIP].slots_max = 1;
    county.record(ROOM, 1_000);
    county.record(SISTER, 1_000);
    let lines = [county.connect(ROOM, TOWNSHIP), county.connect(SISTER, TOWNSHIP)];
    county.settle();
    let paused = lines
        .iter()
        .filter(|line| county.lines[**line].sessions[0].progress() == Progress::Paused)
        .count();
    assert_eq!(paused, 1);
    assert!(
        county.posts[TOWNSHIP].slots.is_empty(),
        "the first is done and gave its place back"
    );
    county.pass(10_000);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
    county.assert_equal(SISTER, TOWNSHIP);
    assert!(county.posts[TOWNSHIP].slots.is_empty());
    for line in lines {
        assert_eq!(county.lines[line].sessions[0].next_wakeup(), None);
        assert_eq!(county.lines[line].sessions[1].next_wakeup(), None);
    }
}

#[test]
fn those_who_are_sent_away_together_do_not_come_back_together() {
    let mut county = County::new(14);
    county.posts[TOWNSHIP].slots_max = 0;
    county.record(ROOM, 1_000);
    let lines: Vec<usize> = (0..8).map(|_| county.connect(ROOM, TOWNSHIP)).collect();
    county.settle();
    let now = county.now.mono_ms;
    let waits: BTreeSet<u64> = lines
        .iter()
        .filter_map(|line| county.lines[*line].sessions[0].next_wakeup())
        .map(|at| at - now)
        .collect();
    assert!(waits.len() >= 7, "{waits:?}");
    assert!(waits.iter().all(|ms| (2_000..=3_000).contains(ms)), "{waits:?}");
}

#[test]
fn a_peer_that_reads_slowly_is_not_sent_more_than_the_window() {
    let mut county = County::new(12);
    let line = county.connect(ROOM, TOWNSHIP);
    county.settle();
    // Both know of the book: from here on what is written is sent at once.
    county.record(ROOM, 1);
    county.settle();
    for _ in 0..60 {
        let book = Scope::book(unit(4));
        // Nothing of it compresses: more than twice what may wait is there to be sent.
        let noise: Vec<_> = (0..20)
            .map(|_| note(&format!("{:?}", county.seeds.bytes::<1024>())))
            .collect();
        county.write(ROOM, book, noise);
    }
    let waiting: usize = county.lines[line].wires[0].iter().map(Vec::len).sum();
    assert!(waiting < 512 * 1024, "{waiting} bytes wait");
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
}

#[test]
fn a_forged_signature_names_the_log() {
    let mut run = run_of(4, Scope::book(unit(4)), "x");
    run.signature[3] ^= 1;
    let log = run.log;
    let bytes = batch(run).encode();
    assert_eq!(
        Inbound::decode(bytes[4], &bytes[HEADER_LEN..]),
        Err(PeerError::Signature {
            log,
            error: RunError::Signature
        })
    );
}

#[test]
fn a_forged_receipt_or_withdrawal_names_the_hub() {
    let mut vector = Vector::default();
    let tip = Tip {
        seq: 7,
        hash: Hash([7; 32]),
    };
    vector.set(device(4), 1, vec![tip]);
    let receipt = Receipt::sign(&key(1), 1, Scope::book(unit(4)), 7, 1_000, vector);
    let withdrawal = Withdrawal::sign(&key(1), 1, 2_000);
    let arrives = |receipt: &Receipt, withdrawal: &Withdrawal| {
        let bytes = Outbound::Receipts(vec![receipt.clone()], vec![withdrawal.clone()]).encode();
        Inbound::decode(bytes[4], &bytes[HEADER_LEN..])
    };
    assert!(arrives(&receipt, &withdrawal).is_ok());
    let forged = PeerError::ReceiptSignature {
        hub: device(1),
        error: RunError::Signature,
    };
    let more = Receipt {
        counter: 8,
        ..receipt.clone()
    };
    assert_eq!(arrives(&more, &withdrawal), Err(forged.clone()));
    let other = Withdrawal { store: 2, ..withdrawal };
    assert_eq!(arrives(&receipt, &other), Err(forged));
}

#[test]
fn oversized_frames_are_refused_before_they_are_read() {
    for kind in 0..=255u8 {
        let [a, b, c, d] = u32::MAX.to_be_bytes();
        assert!(matches!(
            Header::decode([a, b, c, d, kind]),
            Err(PeerError::FrameTooLong { .. })
        ));
    }
    let [a, b, c, d] = (64 * 1024 + 1u32).to_be_bytes();
    assert!(
        Header::decode([a, b, c, d, 3]).is_err(),
        "an introduction has at most 64 KiB"
    );
    let [a, b, c, d] = (FRAME_BYTES_MAX as u32).to_be_bytes();
    assert!(Header::decode([a, b, c, d, 8]).is_ok());
}

#[test]
fn a_batch_that_inflates_beyond_its_limit_is_refused() {
    let bomb = zstd::bulk::compress(&vec![0; 100 << 20], 3).unwrap();
    for claim in [100u32 << 20, 1000] {
        let body: Vec<u8> = [&[1][..], &claim.to_be_bytes(), &bomb].concat();
        assert!(matches!(
            Inbound::decode(8, &body),
            Err(PeerError::Wire(WireError::TooLong { .. } | WireError::Malformed(_)))
        ));
    }
}

#[test]
fn no_bytes_whatever_make_a_decoder_panic() {
    let mut seeds = ledger::seed::Seeds::new([21; 32]);
    let good = batch(run_of(4, Scope::book(unit(4)), "x")).encode();
    for round in 0..4_000u32 {
        let kind = (round % 19) as u8;
        let mut body = if round % 3 == 0 {
            good[HEADER_LEN..].to_vec()
        } else {
            seeds.bytes::<96>().to_vec()
        };
        let at = seeds.below(body.len() as u64) as usize;
        body[at] ^= 1 << seeds.below(8);
        body.truncate(seeds.below(body.len() as u64 + 1) as usize);
        let _ = Inbound::decode(kind, &body);
    }
}

#[test]
fn a_runs_gap_is_answered_by_telling_what_is_held_and_not_for_ever() {
    let (mut county, line) = in_step();
    let log = county.posts[ROOM].log(Scope::book(unit(4)));
    let room = county.posts[ROOM].key.clone();
    let floating = Tip {
        seq: 500,
        hash: ledger::id::Hash([7; 32]),
    };
    for n in 0..3 {
        let run = sign(&room, log, floating, vec![note(&format!("{n}"))]).run().clone();
        arrives(&mut county, line, 1, &batch(run));
        county.settle();
    }
    let asked = county.lines[line].kinds[1].iter().filter(|kind| **kind == 7).count();
    assert!(asked <= 3, "{:?}", county.lines[line].kinds);
    county.record(ROOM, 1);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
}

#[test]
fn damage_that_lowers_a_log_is_mended_from_the_peer() {
    let (mut county, line) = in_step();
    county.posts[ROOM].memory = Default::default();
    county.input(line, 0, Input::Compare);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
    assert_eq!(county.posts[ROOM].memory.logs.entries(Scope::book(unit(4))), 40);
    let frames = county.frames(line);
    for _ in 0..3 {
        county.input(line, 0, Input::Compare);
        county.input(line, 1, Input::Compare);
        county.settle();
    }
    assert!(county.frames(line) - frames <= 18, "{:?}", county.lines[line].kinds);
    county.record(ROOM, 1);
    county.write(TOWNSHIP, Scope::book(unit(4)), vec![note("y")]);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
}

#[test]
fn damage_that_is_met_between_our_hello_and_the_peers_is_mended_too() {
    let (mut county, line) = in_step();
    county.cut(line);
    let line = county.connect(ROOM, TOWNSHIP);
    county.posts[ROOM].memory = Default::default();
    county.input(line, 0, Input::Compare);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
    assert_eq!(county.posts[ROOM].memory.logs.entries(Scope::book(unit(4))), 40);
}

#[test]
fn a_key_that_is_missing_is_asked_for_and_comes_alone() {
    let (mut county, line) = in_step();
    let (book, record) = (Scope::book(unit(4)), RecordId([8; 16]));
    county.posts[ROOM].keys.insert((book, record), [3; 48]);
    county.posts[TOWNSHIP].missing.insert((book, record));
    county.input(line, 1, Input::KeysWanted(vec![(book, record)]));
    county.settle();
    assert_eq!(county.posts[TOWNSHIP].keys.get(&(book, record)), Some(&[3; 48]));
    // One that nobody has is asked for once.
    county.posts[TOWNSHIP].missing.insert((book, RecordId([9; 16])));
    for _ in 0..3 {
        county.input(line, 1, Input::KeysWanted(vec![(book, RecordId([9; 16]))]));
        county.settle();
    }
    assert_eq!(
        county.lines[line].kinds[1].iter().filter(|kind| **kind == 12).count(),
        2
    );
}

#[test]
fn receipts_of_a_hub_that_did_not_count_yet_come_again_once_it_does() {
    let (mut county, line) = in_step();
    let up = county.connect(TOWNSHIP, COUNTY);
    let hub = county.posts[COUNTY].device();
    county.posts[ROOM].discounted.insert(hub);
    county.settle();
    assert_eq!(
        county.posts[ROOM].receipts.standing(Scope::book(unit(4))).count(),
        1,
        "the township's alone"
    );
    county.posts[ROOM].discounted.clear();
    let frames = county.frames(line) + county.frames(up);
    for _ in 0..3 {
        county.tell(ROOM, |_| Input::Changed(Scope::public(unit(2))));
        county.settle();
    }
    assert_eq!(county.posts[ROOM].receipts.standing(Scope::book(unit(4))).count(), 2);
    assert_eq!(
        county.frames(line) + county.frames(up),
        frames + 2,
        "marks, receipts, silence"
    );
}

#[test]
fn a_log_refused_for_want_of_room_comes_once_the_hub_compares_again() {
    let (mut county, line) = in_step();
    let log = county.posts[ROOM].log(Scope::book(unit(4)));
    arrives(
        &mut county,
        line,
        0,
        &Frame::Refused(crate::frame::Refused {
            log,
            reason: Refusal::Limit,
        }),
    );
    county.record(ROOM, 3);
    county.settle();
    assert_eq!(county.posts[TOWNSHIP].memory.logs.entries(log.scope), 40);
    county.input(line, 1, Input::Compare);
    county.settle();
    county.assert_equal(ROOM, TOWNSHIP);
}
