use ledger::id::UnitId;
use proptest::prelude::*;

use super::*;
use crate::memory::{device, key};

struct Straight;

impl Ancestry for Straight {
    fn is_ancestor(&self, _: &LogId, older: Tip, younger: Tip) -> bool {
        older.seq <= younger.seq
    }
}

fn scope() -> Scope {
    Scope::book(UnitId([5; 16]))
}

fn log() -> LogId {
    LogId {
        scope: scope(),
        device: device(9),
        epoch: 1,
    }
}

fn place(seq: u64) -> Tip {
    Tip {
        seq,
        hash: Hash([7; 32]),
    }
}

fn receipt(hub: u8, store: u64, counter: u64) -> Receipt {
    let mut vector = Vector::default();
    vector.set(log().device, log().epoch, vec![place(counter * 10)]);
    Receipt::sign(&key(hub), store, scope(), counter, 1_000 + counter as i64, vector)
}

/// Hub 1 stands at the township, hub 2 at the county.
fn tier_of(receipt: &Receipt) -> Option<Tier> {
    match receipt.hub {
        hub if hub == device(1) => Some(Tier::Township),
        hub if hub == device(2) => Some(Tier::County),
        _ => None,
    }
}

#[test]
fn a_receipt_proves_its_hub_and_any_changed_byte_is_found() {
    let receipt = receipt(1, 3, 4);
    let bytes = receipt.encode();
    assert_eq!(Receipt::decode(&bytes).unwrap(), receipt);
    assert_eq!(receipt.verify(), Ok(()));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(Receipt::decode(&changed).is_err() || Receipt::decode(&changed).unwrap().verify().is_err());
        assert!(Receipt::decode(&bytes[..at]).is_err());
    }
    let withdrawal = Withdrawal::sign(&key(1), 3, 77);
    assert_eq!(Withdrawal::decode(&withdrawal.encode()).unwrap(), withdrawal);
    assert_eq!(withdrawal.verify(), Ok(()));
    let forged = Withdrawal { store: 4, ..withdrawal };
    assert_eq!(forged.verify(), Err(RunError::Signature));
}

#[test]
fn the_tick_shows_the_highest_tier_that_said_it_holds_the_entry() {
    let mut receipts = Receipts::default();
    let reach = |receipts: &Receipts, seq| {
        receipts
            .reach(&log(), place(seq), &tier_of, &Straight)
            .map(|(tier, _)| tier)
    };
    assert_eq!(reach(&receipts, 1), None);
    receipts.accept(receipt(7, 1, 9));
    assert_eq!(reach(&receipts, 1), None, "a stranger's receipt is no tick");
    receipts.accept(receipt(1, 1, 2));
    assert_eq!(reach(&receipts, 20), Some(Tier::Township));
    assert_eq!(reach(&receipts, 21), None);
    receipts.accept(receipt(2, 1, 1));
    assert_eq!(reach(&receipts, 10), Some(Tier::County));
    assert_eq!(reach(&receipts, 11), Some(Tier::Township));
    assert_eq!(
        receipts.tips_held(&log(), Tier::Township, &tier_of),
        vec![place(10), place(20)]
    );
    assert_eq!(receipts.tips_held(&log(), Tier::County, &tier_of), vec![place(10)]);
}

#[test]
fn what_a_receipt_names_is_there_also_while_our_own_place_cannot_be_read() {
    struct Damaged;
    impl Ancestry for Damaged {
        fn is_ancestor(&self, _: &LogId, _: Tip, _: Tip) -> bool {
            false
        }
    }
    let mut receipts = Receipts::default();
    receipts.accept(receipt(2, 1, 1));
    let reach = |seq| {
        receipts
            .reach(&log(), place(seq), &tier_of, &Damaged)
            .map(|(tier, _)| tier)
    };
    assert_eq!((reach(10), reach(9)), (Some(Tier::County), None));
}

#[test]
fn a_withdrawn_store_stands_for_nothing_whichever_came_first() {
    let mut receipts = Receipts::default();
    assert_eq!(receipts.accept(receipt(1, 1, 2)), Accepted::New);
    assert_eq!(receipts.accept(receipt(1, 1, 1)), Accepted::Old);
    assert_eq!(receipts.withdraw(Withdrawal::sign(&key(1), 1, 5)), Accepted::New);
    assert_eq!(receipts.withdraw(Withdrawal::sign(&key(1), 1, 5)), Accepted::Old);
    assert_eq!(receipts.accept(receipt(1, 1, 9)), Accepted::Void);
    assert_eq!(receipts.standing(scope()).count(), 0);
    assert_eq!(receipts.accept(receipt(1, 2, 1)), Accepted::New);
    assert_eq!(receipts.of(&device(1), 2, scope()).unwrap().counter, 1);
}

proptest! {
    #[test]
    fn receipts_are_the_same_set_in_whatever_order_they_came(
        order in Just((0..16usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let hubs = BTreeSet::from([device(1), device(2)]);
        let mut receipts = Receipts::default();
        for at in order {
            match at {
                15 => {
                    receipts.withdraw(Withdrawal::sign(&key(1), 1, 5));
                }
                at => {
                    receipts.accept(receipt(1 + at as u8 % 3, 1 + at as u64 / 8, 1 + at as u64 / 3));
                }
            }
        }
        let mut sorted = Receipts::default();
        sorted.withdraw(Withdrawal::sign(&key(1), 1, 5));
        for at in 0..15 {
            sorted.accept(receipt(1 + at as u8 % 3, 1 + at as u64 / 8, 1 + at as u64 / 3));
        }
        prop_assert_eq!(receipts.digest(&[scope()], &hubs), sorted.digest(&[scope()], &hubs));
        prop_assert_eq!(receipts, sorted);
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Receipt::decode(&bytes);
        let _ = Withdrawal::decode(&bytes);
        let _ = Vector::decode(&mut Reader::new(&bytes));
    }

    #[test]
    fn a_vector_survives_its_bytes(logs in prop::collection::btree_map(
        (any::<[u8; 32]>(), any::<u64>()),
        prop::collection::vec((1..=u64::MAX / 2, any::<[u8; 32]>()), 1..4),
        0..5,
    )) {
        let mut vector = Vector::default();
        for ((device, epoch), tips) in logs {
            let tips = tips.into_iter().map(|(seq, hash)| Tip { seq, hash: Hash(hash) }).collect();
            vector.set(DeviceId(device), epoch, tips);
        }
        let mut bytes = Vec::new();
        vector.encode(&mut bytes);
        let mut r = Reader::new(&bytes);
        prop_assert_eq!(Vector::decode(&mut r).unwrap(), vector);
        prop_assert!(r.end().is_ok());
    }
}
