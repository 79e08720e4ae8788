//! The formats of WIRE.md, byte for byte. A changed byte here is a changed format: devices in the field would no longer understand each
//! other, so a new format gets a new number and the old vectors stay.

#![allow(clippy::unwrap_used, reason = "a test's helpers may fail like the test")]

use std::collections::BTreeSet;

use cunlian_replica::authority::alone_unit;
use cunlian_replica::credential::{Credential, decode_chain, encode_chain, verify_chain};
use cunlian_replica::entry::{Entry, KIND_RECORD, KIND_STATEMENT, LogId, RecordBody, Tip};
use cunlian_replica::receipt::{Receipt, Withdrawal};
use cunlian_replica::run::{Run, VerifiedRun, sign};
use cunlian_replica::sealbox::{UnsealKey, seal};
use cunlian_replica::statement::{
    Admit, Cut, DeviceNote, Enrol, Erase, Extend, Former, Grant, Leave, NewCode, OrganisationPart, Revoke, Role,
    Statement, User,
};
use cunlian_replica::ticket::Ticket;
use cunlian_replica::vector::Vector;
use cunlian_replica::wire::Reader;
use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;
use ledger::calendar::Calendar;
use ledger::catalogue::{Catalogue, HandlingType, Matter};
use ledger::day::Day;
use ledger::id::{DeviceId, Hash, HubPrefix, NodeCode, RecordId, Scope, UnitCode, UnitId, UserId};
use ledger::organisation::{Organisation, Unit, UnitKind};

/// Compares with the frozen bytes of `vectors/NAME.hex`, in which white space does not count.
fn check(name: &str, frozen: &str, bytes: &[u8]) {
    let frozen: String = frozen.split_whitespace().collect();
    let hex = HEXLOWER.encode(bytes);
    assert_eq!(
        hex, frozen,
        "vectors/{name}.hex no longer holds; the bytes are now\n{hex}\n"
    );
}

macro_rules! frozen {
    ($name:literal, $bytes:expr) => {
        check($name, include_str!(concat!("../vectors/", $name, ".hex")), $bytes)
    };
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn device() -> DeviceId {
    DeviceId(key().verifying_key().to_bytes())
}

fn unit() -> UnitId {
    UnitId([0x0a; 16])
}

fn log() -> LogId {
    LogId {
        scope: Scope::book(unit()),
        device: device(),
        epoch: 0x0102_0304_0506_0708,
    }
}

fn body() -> RecordBody {
    RecordBody {
        record: RecordId([0x0b; 16]),
        user: UserId([0x0c; 8]),
        wall_ms: 1_790_000_000_000,
        skew_ms: Some(-1_500),
        change: vec![0x85, 0x6f, 0x4a, 0x83],
    }
}

fn run() -> VerifiedRun {
    let later_kind = Entry {
        kind: 99,
        body: b"later".to_vec(),
    };
    let record = Entry {
        kind: KIND_RECORD,
        body: body().encode(),
    };
    sign(&key(), log(), Tip::START, vec![record, later_kind])
}

fn vector() -> Vector {
    let mut vector = Vector::default();
    vector.set(
        log().device,
        log().epoch,
        vec![
            run().tip(),
            Tip {
                seq: 300,
                hash: Hash([0x0d; 32]),
            },
        ],
    );
    vector
}

fn admit() -> Admit {
    Admit {
        device: device(),
        unit: unit(),
        role: Role::Hub,
        seal_key: UnsealKey::from_bytes([2; 32]).public(),
        name: "石莲村一号机".to_owned(),
        node_code: NodeCode::new(37).unwrap(),
        prefix: Some(HubPrefix(12)),
        former: Some(Former {
            unit: alone_unit(&device()),
            root: device(),
        }),
        by: None,
    }
}

/// An admission as versions read it that did not know who had invited.
#[derive(PartialEq, Debug, minicbor::Encode, minicbor::Decode)]
struct AdmitBefore {
    #[n(0)]
    device: DeviceId,
    #[n(1)]
    unit: UnitId,
    #[n(2)]
    role: Role,
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    seal_key: [u8; 32],
    #[n(4)]
    name: String,
    #[n(5)]
    node_code: NodeCode,
    #[n(6)]
    prefix: Option<HubPrefix>,
    #[n(7)]
    former: Option<Former>,
}

fn cut() -> Cut {
    Cut {
        scope: Scope::public(unit()),
        epoch: 9,
        seq: 300,
        hash: Hash([0x0e; 32]),
    }
}

#[test]
fn a_record_body_keeps_its_bytes() {
    frozen!("record_body", &body().encode());
    assert_eq!(RecordBody::decode(&body().encode()).unwrap(), body());
    let unknown = RecordBody {
        skew_ms: None,
        ..body()
    };
    frozen!("record_body_unknown_skew", &unknown.encode());
    assert_eq!(RecordBody::decode(&unknown.encode()).unwrap(), unknown);
}

#[test]
fn an_entry_keeps_its_hash_and_a_run_its_bytes() {
    frozen!(
        "entry_hashes",
        &run().hashes().iter().flat_map(|hash| hash.0).collect::<Vec<_>>()
    );
    let bytes = run().run().encode();
    frozen!("run", &bytes);
    assert_eq!(Run::decode(&bytes).unwrap().verify().unwrap(), run());
    let next = sign(
        &key(),
        log(),
        run().tip(),
        vec![Entry {
            kind: 99,
            body: vec![1; 130],
        }],
    );
    frozen!("run_after", &next.run().encode());
    assert_eq!(Run::decode(&next.run().encode()).unwrap().verify().unwrap(), next);
}

#[test]
fn a_vector_keeps_its_bytes_and_its_digest() {
    let mut bytes = Vec::new();
    vector().encode(&mut bytes);
    frozen!("vector", &bytes);
    assert_eq!(Vector::decode(&mut Reader::new(&bytes)).unwrap(), vector());
    frozen!("scope_digest", &vector().digest(log().scope).0);
}

#[test]
fn receipts_and_withdrawals_keep_their_bytes() {
    let receipt = Receipt::sign(&key(), 7, log().scope, 8, 1_790_000_000_123, vector());
    frozen!("receipt", &receipt.encode());
    assert_eq!(Receipt::decode(&receipt.encode()).unwrap(), receipt);
    assert_eq!(receipt.verify(), Ok(()));
    let withdrawal = Withdrawal::sign(&key(), 7, 1_790_000_000_456);
    frozen!("withdrawal", &withdrawal.encode());
    assert_eq!(Withdrawal::decode(&withdrawal.encode()).unwrap(), withdrawal);
}

fn check_statement(name: &str, frozen: &str, statement: &Statement) {
    let bytes = statement.encode();
    check(name, frozen, &bytes);
    assert_eq!(&Statement::decode(&bytes).unwrap(), statement);
}

macro_rules! frozen_statement {
    ($name:literal, $statement:expr) => {
        check_statement($name, include_str!(concat!("../vectors/", $name, ".hex")), &$statement)
    };
}

#[test]
fn words_about_devices_keep_their_bytes() {
    let note = DeviceNote {
        device: device(),
        turn: 3,
        name: Some("明月村 2 号机".to_owned()),
        held: None,
        reason: String::new(),
        user: UserId([0x0c; 8]),
        at_ms: 1_790_000_000_789,
    };
    let pause = DeviceNote {
        turn: 4,
        name: None,
        held: Some(true),
        reason: "送修".to_owned(),
        ..note.clone()
    };
    frozen_statement!("statement_note_name", Statement::Note(note));
    frozen_statement!("statement_note_held", Statement::Note(pause));
}

#[test]
fn statements_of_membership_keep_their_bytes() {
    let plain = Admit {
        role: Role::Node,
        prefix: None,
        former: None,
        ..admit()
    };
    frozen_statement!("statement_admit_hub", Statement::Admit(admit()));
    frozen_statement!("statement_admit_node", Statement::Admit(plain));
    let revoke = Revoke {
        device: device(),
        reason: "遗失".to_owned(),
        cuts: vec![cut()],
    };
    frozen_statement!("statement_revoke", Statement::Revoke(revoke));
    let extend = Extend {
        device: device(),
        cuts: vec![cut()],
    };
    frozen_statement!("statement_extend", Statement::Extend(extend));
    let leave = Leave {
        device: device(),
        cuts: vec![cut()],
        reason: "不予采纳".to_owned(),
        user: UserId([0x0c; 8]),
        at_ms: 1_790_000_000_789,
        undo: false,
    };
    frozen_statement!("statement_leave", Statement::Leave(leave));
    let new_code = NewCode {
        device: device(),
        epoch: 10,
        code: NodeCode::new(1_679_615).unwrap(),
    };
    frozen_statement!("statement_node_code", Statement::NodeCode(new_code));
    let user = User {
        id: UserId([0x0c; 8]),
        unit: unit(),
        name: "李四".to_owned(),
        roles: vec!["clerk".to_owned()],
        active: true,
        enrol: None,
    };
    frozen_statement!("statement_user", Statement::User(user.clone()));
    let enrol = Enrol {
        digest: Enrol::digest_of(&user.id, "ABCDEFGHJKMNPQRS"),
        until_ms: 1_791_507_600_000,
    };
    let user = User {
        enrol: Some(enrol),
        ..user
    };
    frozen_statement!("statement_user_enrol", Statement::User(user));
    let grant = Grant {
        scope: Scope::book(unit()),
        device: device(),
        sealed: vec![1, 2, 3],
        hub_only: false,
    };
    frozen_statement!("statement_grant", Statement::Grant(grant));
    let erase = Erase {
        scope: Scope::book(unit()),
        record: RecordId([0x0b; 16]),
        reason: "本人申请".to_owned(),
    };
    frozen_statement!("statement_erase", Statement::Erase(erase));
}

#[test]
fn who_invited_is_passed_over_by_versions_that_did_not_know_it_and_nothing_else_is() {
    let invited = Admit {
        role: Role::Node,
        prefix: None,
        former: None,
        by: Some(UserId([0x0c; 8])),
        ..admit()
    };
    frozen_statement!("statement_admit_invited", Statement::Admit(invited));
    for former in [None, admit().former] {
        let (by, prefix) = (Some(UserId([0x0c; 8])), None);
        let invited = Statement::Admit(Admit {
            by,
            prefix,
            former,
            ..admit()
        });
        let known = Statement::Admit(Admit {
            prefix,
            former,
            ..admit()
        });
        let before = |bytes: &[u8]| minicbor::decode::<AdmitBefore>(&bytes[1..]).unwrap();
        assert_ne!(invited.encode(), known.encode());
        assert_eq!(before(&invited.encode()), before(&known.encode()));
        // Their bytes are read here, and are ours where nobody is named.
        let theirs = minicbor::to_vec(before(&invited.encode())).unwrap();
        assert_eq!(known.encode()[1..], theirs);
    }
}

#[test]
fn statements_that_the_county_publishes_keep_their_bytes() {
    let day = |text| Day::parse(text).unwrap();
    let organisation = Organisation {
        version: 3,
        units: vec![Unit {
            id: unit(),
            code: UnitCode::parse("511603102201").unwrap(),
            name: "石莲村".to_owned(),
            kind: UnitKind::Village,
            parent: Some(UnitId([9; 16])),
            from: Some(day("2020-07-01")),
            until: None,
            into: None,
        }],
    };
    frozen_statement!("statement_organisation", Statement::Organisation(organisation.clone()));
    let part = OrganisationPart {
        of: Hash([0x0e; 32]),
        version: 4,
        at: 1,
        parts: 5,
        units: organisation.units,
    };
    frozen_statement!("statement_organisation_part", Statement::OrganisationPart(part));
    let catalogue = Catalogue {
        version: 2,
        matters: vec![Matter {
            code: "B23".to_owned(),
            name: "老年人优待证".to_owned(),
            group: "民政".to_owned(),
            category: "服务".to_owned(),
            tier: "village".to_owned(),
            village_role: "直办".to_owned(),
            handling_type: HandlingType::OnTheSpot,
            promised_workdays: 1,
            materials: vec!["身份证".to_owned()],
            statutory_limit: String::new(),
            deadline_basis: String::new(),
        }],
    };
    frozen_statement!("statement_catalogue", Statement::Catalogue(catalogue));
    let calendar = Calendar {
        version: 1,
        from: Some(day("2026-01-01")),
        until: Some(day("2026-12-31")),
        off: BTreeSet::from([day("2026-10-01")]),
        makeup: BTreeSet::from([day("2026-10-10")]),
    };
    frozen_statement!("statement_calendar", Statement::Calendar(calendar));
    frozen_statement!("statement_form", Statement::Form("name = \"case\"\n".to_owned()));
}

#[test]
fn a_statement_of_a_later_version_is_kept_as_unknown_and_added_fields_are_skipped() {
    assert_eq!(Statement::decode(&[250, 1, 2, 3]).unwrap(), Statement::Unknown(250));
    let mut longer = Statement::Extend(Extend {
        device: device(),
        cuts: Vec::new(),
    })
    .encode();
    // An array of two fields becomes one of three.
    assert_eq!(longer[1], 0x82);
    longer[1] = 0x83;
    longer.push(0x07);
    assert!(matches!(Statement::decode(&longer), Ok(Statement::Extend(_))));
}

#[test]
fn an_introduction_keeps_its_bytes() {
    let scope = Scope::public(unit());
    let entry = Entry {
        kind: KIND_STATEMENT,
        body: Statement::Admit(admit()).encode(),
    };
    let run = sign(&key(), LogId { scope, ..log() }, Tip::START, vec![entry]);
    let chain = vec![Credential::from_run(&run).unwrap()];
    let bytes = encode_chain(&chain);
    frozen!("introduction", &bytes);
    assert_eq!(decode_chain(&bytes).unwrap(), chain);
    assert_eq!(verify_chain(&device(), &chain).unwrap().member(), &admit());
}

#[test]
fn tickets_boxes_and_derived_ids_keep_their_bytes() {
    let ticket = Ticket {
        root: device(),
        unit: unit(),
        code: UnitCode::parse("511603102").unwrap(),
        hub: device(),
        addrs: vec!["127.0.0.1:7701".to_owned()],
        secret: [5; 16],
        expires_ms: 1_790_000_000_000,
    };
    let text = ticket.to_text();
    frozen!("ticket_text", text.as_bytes());
    assert_eq!(Ticket::parse(&text), Ok(ticket));
    let unseal = UnsealKey::from_bytes([2; 32]);
    let sealed = seal(&unseal.public(), b"context", &[6; 32], [3; 32]).unwrap();
    frozen!("sealed_box", &sealed);
    assert_eq!(unseal.open(b"context", &sealed).unwrap().as_slice(), [6; 32]);
    frozen!("alone_unit", &alone_unit(&device()).0);
}
