//! Receipts, withdrawals and the vectors in them; signatures repaired.

use ledger::id::Hash;
use replica::receipt::{Receipt, Withdrawal};
use replica::vector::Vector;
use replica::wire::Reader;

use super::KIB;
use crate::seeds::vector;
use crate::{Target, bytes};

pub(super) const TARGET: Target = Target {
    name: "receipt",
    promise: "receipts, withdrawals and vectors have one form only; a vector's digest is zero for the empty one alone; a receipt \
              signed by its hub is proved and said of another hub, store, counter or time it is not",
    check,
    seeds: || {
        let of = |choice: u8, bytes: Vec<u8>| [&[choice], bytes.as_slice()].concat();
        vec![
            of(0, vector!("receipt")),
            of(1, vector!("withdrawal")),
            of(2, vector!("vector")),
        ]
    },
    len_max: 16 * KIB,
    memory: (64 * KIB, 64),
};

fn check(data: &[u8]) {
    let (choice, rest) = bytes::choice(data);
    match choice % 3 {
        0 => receipt(rest),
        1 => withdrawal(rest),
        _ => vector(rest),
    }
}

fn receipt(bytes: &[u8]) {
    let Ok(read) = Receipt::decode(bytes) else { return };
    assert_eq!(read.encode(), bytes, "a receipt has a second form");
    let hub = bytes::key(1);
    let signed = Receipt::sign(
        &hub,
        read.store,
        read.scope,
        read.counter,
        read.at_ms,
        read.vector.clone(),
    );
    let again = Receipt::decode(&signed.encode());
    assert_eq!(again.as_ref(), Ok(&signed), "a receipt reads back differently");
    assert_eq!(signed.verify(), Ok(()), "a hub's own word is not proved");
    let mut of_other = [signed.clone(), signed.clone(), signed.clone(), signed];
    of_other[0].hub = bytes::device(2);
    of_other[1].store ^= 1;
    of_other[2].counter ^= 1;
    of_other[3].at_ms ^= 1;
    assert!(
        of_other.iter().all(|other| other.verify().is_err()),
        "a field is not covered"
    );
}

fn withdrawal(bytes: &[u8]) {
    let Ok(read) = Withdrawal::decode(bytes) else { return };
    assert_eq!(read.encode(), bytes, "a withdrawal has a second form");
    let signed = Withdrawal::sign(&bytes::key(1), read.store, read.at_ms);
    assert_eq!(
        Withdrawal::decode(&signed.encode()).map(|read| read.verify()),
        Ok(Ok(())),
        "not proved"
    );
}

fn vector(bytes: &[u8]) {
    let mut r = Reader::new(bytes);
    let Ok(vector) = Vector::decode(&mut r) else { return };
    let mut written = Vec::new();
    vector.encode(&mut written);
    assert_eq!(
        written,
        bytes[..bytes.len() - r.remaining()],
        "a vector has a second form"
    );
    let scope = ledger::id::Scope::book(ledger::id::UnitId([1; 16]));
    assert_eq!(
        vector.digest(scope) == Hash::ZERO,
        vector.logs.is_empty(),
        "the digest of nothing"
    );
    let mut rebuilt = Vector::default();
    for ((device, epoch), tips) in &vector.logs {
        rebuilt.set(*device, *epoch, tips.iter().rev().copied().collect());
    }
    assert_eq!(rebuilt, vector, "tips put in again are other tips");
}
