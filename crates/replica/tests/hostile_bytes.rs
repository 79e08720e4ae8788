//! Bytes from outside: no reader panics, none takes more than the limits, and what was written is read back the same.

#![allow(clippy::unwrap_used, reason = "a test's helpers may fail like the test")]

use cunlian_replica::credential::{decode_chain, encode_chain};
use cunlian_replica::entry::{Entry, KIND_RECORD, LogId, RecordBody, Tip};
use cunlian_replica::limits::{BODY_BYTES_MAX, CUTS_MAX, NAME_BYTES_MAX, RUN_BYTES_MAX};
use cunlian_replica::run::{Run, RunError, sign};
use cunlian_replica::statement::{Admit, Cut, Enrol, Erase, Former, Revoke, Role, Statement, User};
use cunlian_replica::wire::{Reader, WireError, put_varint};
use ed25519_dalek::SigningKey;
use ledger::id::{DeviceId, Hash, HubPrefix, NodeCode, RecordId, Scope, UnitId, UserId};
use proptest::prelude::*;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn log() -> LogId {
    LogId {
        scope: Scope::book(UnitId([2; 16])),
        device: DeviceId(key().verifying_key().to_bytes()),
        epoch: 3,
    }
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let entry = (any::<u8>(), prop::collection::vec(any::<u8>(), 1..80)).prop_map(|(kind, body)| Entry { kind, body });
    prop::collection::vec(entry, 1..6)
}

fn scope() -> impl Strategy<Value = Scope> {
    (any::<[u8; 16]>(), any::<bool>()).prop_map(|(unit, public)| {
        if public {
            Scope::public(UnitId(unit))
        } else {
            Scope::book(UnitId(unit))
        }
    })
}

fn statement() -> impl Strategy<Value = Statement> {
    let device = any::<[u8; 32]>().prop_map(DeviceId);
    let admit = (
        device.clone(),
        any::<[u8; 16]>(),
        any::<bool>(),
        ".{0,40}",
        0..1_000_000u32,
    )
        .prop_map(|(device, unit, hub, name, code)| {
            Statement::Admit(Admit {
                device,
                unit: UnitId(unit),
                role: if hub { Role::Hub } else { Role::Node },
                seal_key: device.0,
                name,
                node_code: NodeCode::new(code).unwrap(),
                prefix: hub.then_some(HubPrefix(code % 1_260)),
                former: hub.then_some(Former {
                    unit: UnitId(unit),
                    root: device,
                }),
                by: hub.then_some(UserId([code as u8; 8])),
            })
        });
    let cut = (scope(), any::<u64>(), any::<u64>(), any::<[u8; 32]>()).prop_map(|(scope, epoch, seq, hash)| Cut {
        scope,
        epoch,
        seq,
        hash: Hash(hash),
    });
    let revoke = (device.clone(), ".{0,40}", prop::collection::vec(cut, 0..5))
        .prop_map(|(device, reason, cuts)| Statement::Revoke(Revoke { device, reason, cuts }));
    let user = (any::<[u8; 8]>(), any::<[u8; 16]>(), ".{0,20}", any::<bool>()).prop_map(|(id, unit, name, active)| {
        Statement::User(User {
            id: UserId(id),
            unit: UnitId(unit),
            roles: vec![name.clone()],
            name,
            enrol: active.then(|| Enrol {
                digest: Hash([id[0]; 32]),
                until_ms: i64::from(id[1]) - 100,
            }),
            active,
        })
    });
    let erase = (scope(), any::<[u8; 16]>(), ".{0,20}").prop_map(|(scope, record, reason)| {
        Statement::Erase(Erase {
            scope,
            record: RecordId(record),
            reason,
        })
    });
    prop_oneof![admit, revoke, user, erase]
}

proptest! {
    #[test]
    fn what_was_signed_is_read_back_and_a_changed_byte_is_found(entries in entries(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let run = sign(&key(), log(), Tip::START, entries);
        let bytes = run.run().encode();
        prop_assert_eq!(&Run::decode(&bytes).unwrap().verify().unwrap(), &run);
        let mut changed = bytes.clone();
        changed[at.index(bytes.len())] ^= 1 << bit;
        if let Ok(read) = Run::decode(&changed) {
            prop_assert!(read.verify().is_err());
        }
        prop_assert!(Run::decode(&bytes[..at.index(bytes.len())]).is_err());
    }

    #[test]
    fn statements_are_read_back_the_same(statement in statement(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let bytes = statement.encode();
        prop_assert_eq!(&Statement::decode(&bytes).unwrap(), &statement);
        let mut changed = bytes.clone();
        changed[at.index(bytes.len())] = byte;
        let _ = Statement::decode(&changed);
        prop_assert!(Statement::decode(&bytes[..at.index(bytes.len())]) != Ok(statement));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), tag in 0..14u8) {
        let _ = Run::decode(&bytes);
        let _ = RecordBody::decode(&bytes);
        let _ = decode_chain(&bytes);
        let _ = Statement::decode(&bytes);
        let _ = Statement::decode(&[&[tag], bytes.as_slice()].concat());
        let _ = Run::decode(&[&[1, 1], bytes.as_slice()].concat());
    }

    #[test]
    fn a_number_has_one_form_only(value in any::<u64>(), junk in prop::collection::vec(any::<u8>(), 0..12)) {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, value);
        let mut r = Reader::new(&bytes);
        prop_assert_eq!(r.varint(), Ok(value));
        prop_assert!(r.end().is_ok());
        let mut r = Reader::new(&junk);
        if let Ok(read) = r.varint() {
            let mut again = Vec::new();
            put_varint(&mut again, read);
            prop_assert_eq!(again.as_slice(), &junk[..junk.len() - r.remaining()]);
        }
    }
}

#[test]
fn whatever_exceeds_a_limit_is_refused() {
    let too_long = |result: Result<Statement, WireError>| matches!(result, Err(WireError::TooLong { .. }));
    let revoke = Statement::Revoke(Revoke {
        device: log().device,
        reason: String::new(),
        cuts: vec![
            Cut {
                scope: log().scope,
                epoch: 1,
                seq: 1,
                hash: Hash::ZERO
            };
            CUTS_MAX + 1
        ],
    });
    assert!(too_long(Statement::decode(&revoke.encode())));
    let user = Statement::User(User {
        id: UserId([1; 8]),
        unit: UnitId([1; 16]),
        name: "x".repeat(NAME_BYTES_MAX + 1),
        roles: Vec::new(),
        active: true,
        enrol: None,
    });
    assert!(too_long(Statement::decode(&user.encode())));
    assert!(too_long(Statement::decode(&vec![7; BODY_BYTES_MAX + 1])));
    assert!(Run::decode(&vec![1; RUN_BYTES_MAX + 1]).is_err());
    let huge = Entry {
        kind: KIND_RECORD,
        body: vec![1; BODY_BYTES_MAX + 1],
    };
    assert!(Run::decode(&sign(&key(), log(), Tip::START, vec![huge]).run().encode()).is_err());
    assert!(RecordBody::decode(&vec![0; BODY_BYTES_MAX + 1]).is_err());
}

#[test]
fn an_announced_count_beyond_the_bytes_reserves_nothing() {
    let mut bytes = Run {
        log: log(),
        prev: Tip::START,
        entries: Vec::new(),
        signature: [0; 64],
    }
    .encode();
    let count_at = 1 + 57 + 1 + 32;
    bytes.truncate(count_at);
    put_varint(&mut bytes, u64::MAX);
    assert!(matches!(Run::decode(&bytes), Err(WireError::TooLong { .. })));
    assert_eq!(decode_chain(&encode_chain(&[])), Ok(Vec::new()));
}

#[test]
fn a_forged_or_small_order_key_signs_nothing() {
    let run = sign(&key(), log(), Tip::START, vec![Entry { kind: 9, body: vec![1] }]);
    let mut forged = run.run().clone();
    forged.signature[0] ^= 1;
    assert_eq!(forged.verify(), Err(RunError::Signature));
    let mut identity = [0u8; 32];
    identity[0] = 1;
    let mut weak = run.run().clone();
    weak.log.device = DeviceId(identity);
    weak.signature = [0; 64];
    weak.signature[0] = 1;
    assert!(weak.verify().is_err(), "the identity point would sign everything");
}
