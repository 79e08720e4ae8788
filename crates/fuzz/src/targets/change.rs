//! An Automerge change inside a record: bytes in place of one of an invented case's changes. The chunk's frame, its length and its
//! checksum are put around them, so that what is mutated is the content, and the readers behind the checksum are reached.

use ledger::conflict::ConflictKind;
use ledger::record::{
    Edit, Envelope, Folded, NewEvent, RecordEntry, SetAside, SetAsideReason, Status, change_hash, edit, fold,
};
use replica::wire::put_varint;
use sha2::{Digest, Sha256};

use super::{KIB, MIB};
use crate::made::{self, RECORD};
use crate::{Target, bytes};

pub(super) const TARGET: Target = Target {
    name: "change",
    promise: "no change makes the fold fail or depend on the order of arrival; one that is set aside changes nothing of the record; \
              and a record that took a strange one in can still be worked on",
    check,
    seeds,
    len_max: 8 * KIB,
    // Operations are counted before they are expanded: a thousand at most, each some hundred bytes.
    memory: (3 * MIB, 256),
};

/// Set in the choice: the bytes are the whole change, frame and all.
const RAW: u8 = 0x80;
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHANGE: u8 = 1;

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (place, (_, change)) in (0..).zip(made::case()) {
        seeds.push([&[place], content(change)].concat());
        seeds.push([&[RAW | place], change.as_slice()].concat());
    }
    seeds
}

/// What lies within a chunk's frame: magic 4, checksum 4, type 1, length, content.
fn content(change: &[u8]) -> &[u8] {
    let length = change.iter().skip(9).take_while(|byte| **byte & 0x80 != 0).count() + 1;
    &change[9 + length..]
}

fn framed(content: &[u8]) -> Vec<u8> {
    let mut hashed = vec![CHANGE];
    put_varint(&mut hashed, content.len() as u64);
    hashed.extend_from_slice(content);
    let digest = Sha256::digest(&hashed);
    [&MAGIC, &digest[..4], &hashed].concat()
}

fn check(data: &[u8]) {
    let (choice, rest) = bytes::choice(data);
    let change = if choice & RAW != 0 { rest.to_vec() } else { framed(rest) };
    let case = made::case();
    let (envelope, original) = &case[usize::from(choice & !RAW) % case.len()];
    let strange = RecordEntry {
        envelope: envelope.clone(),
        change: &change,
    };
    // Alone it is read and nothing more: most inputs end here, in a fraction of the time.
    let alone = fold(&RECORD, std::slice::from_ref(&strange), &made::context());
    assert_eq!(
        alone
            .set_aside
            .iter()
            .filter(|s| s.change != change_hash(&change))
            .count(),
        0,
        "another change is named"
    );
    if alone.set_aside.iter().any(|aside| unreadable(&aside.reason)) || change == *original {
        return;
    }
    among(case, &strange, change_hash(&change));
}

fn unreadable(reason: &SetAsideReason) -> bool {
    matches!(
        reason,
        SetAsideReason::TooLong
            | SetAsideReason::NotARawChange
            | SetAsideReason::BadChecksum
            | SetAsideReason::Malformed
            | SetAsideReason::TooMany
            | SetAsideReason::NotRecognised
            | SetAsideReason::WrongActor
    )
}

/// The readable strange change together with the case.
fn among(case: &[(Envelope, Vec<u8>)], strange: &RecordEntry, hash: ledger::id::Hash) {
    let context = made::context();
    let mut held = made::entries(case);
    held.push(strange.clone());
    let folded = fold(&RECORD, &held, &context);
    held.reverse();
    assert_eq!(fold(&RECORD, &held, &context), folded, "the order of arrival shows");
    let reasons: Vec<_> = folded.set_aside.iter().filter(|aside| aside.change == hash).collect();
    let apart = reasons
        .iter()
        .any(|aside| !matches!(aside.reason, SetAsideReason::FieldNotEntitled(_)));
    if apart {
        assert_eq!(reasons.len(), 1, "set aside for several reasons");
        // A device that uses a number of its own twice takes back what nobody has built on yet: that is shown, at its expense.
        let twice = |aside: &SetAside| aside.reason == SetAsideReason::DuplicateSequence && aside.change != hash;
        if folded.set_aside.iter().any(twice) {
            return;
        }
        let without = fold(&RECORD, &made::entries(case), &context);
        assert_eq!(bare(folded), bare(without), "a change that is set aside shows");
        return;
    }
    if folded.status != Status::Ready {
        // Another head, of a form that is not here.
        return;
    }
    let note = Edit::Event(NewEvent::new("note", made::day()));
    let next = match edit(&held, made::actor_of(1), &[note], &context) {
        Ok(next) => next,
        Err(error) => panic!("the record cannot be worked on: {error}"),
    };
    let next_hash = change_hash(&next);
    held.push(RecordEntry {
        envelope: made::envelope(1),
        change: &next,
    });
    let after = fold(&RECORD, &held, &context);
    assert!(
        after.set_aside.iter().all(|aside| aside.change != next_hash),
        "the next change is set aside"
    );
    assert!(
        after.events.iter().any(|event| event.change == next_hash),
        "the next event is not there"
    );
}

/// Without the mention of what was set aside.
fn bare(mut folded: Folded) -> Folded {
    folded.set_aside.clear();
    folded
        .conflicts
        .retain(|conflict| conflict.kind != ConflictKind::Overwritten);
    folded
}
