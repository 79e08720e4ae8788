//! An entry: the number of its kind and its body, which is an envelope around a change, a statement, or of a later version.

use ledger::id::Scope;
use replica::entry::{BODY_BYTES_MAX, Entry, KIND_RECORD, KIND_STATEMENT, LogId, RecordBody, Tip};
use replica::frame::creates;
use replica::statement::Statement;

use super::KIB;
use crate::seeds::vector;
use crate::{Target, bytes};

pub(super) const TARGET: Target = Target {
    name: "entry",
    promise: "an envelope has one form only; a statement that was read is within its limits and, written again, reads the same; \
              no entry changes its hash by being read",
    check,
    seeds,
    len_max: 64 * KIB,
    // A catalogue's empty matters are one byte each on the wire and two hundred in memory, of which 2,000 are allowed.
    memory: (256 * KIB, 400),
};

fn seeds() -> Vec<Vec<u8>> {
    let statements = [
        vector!("statement_admit_hub"),
        vector!("statement_admit_node"),
        vector!("statement_calendar"),
        vector!("statement_catalogue"),
        vector!("statement_erase"),
        vector!("statement_extend"),
        vector!("statement_form"),
        vector!("statement_grant"),
        vector!("statement_node_code"),
        vector!("statement_organisation"),
        vector!("statement_revoke"),
        vector!("statement_user"),
    ];
    let of = |kind: u8, body: Vec<u8>| [&[kind], body.as_slice()].concat();
    let mut seeds: Vec<_> = statements.into_iter().map(|body| of(KIND_STATEMENT, body)).collect();
    seeds.push(of(KIND_RECORD, vector!("record_body")));
    seeds.push(of(KIND_RECORD, vector!("record_body_unknown_skew")));
    seeds.push(of(99, b"later".to_vec()));
    seeds
}

fn check(data: &[u8]) {
    let (kind, body) = bytes::choice(data);
    let entry = Entry {
        kind,
        body: body.to_vec(),
    };
    let log = LogId {
        scope: Scope::book(ledger::id::UnitId([1; 16])),
        device: bytes::device(1),
        epoch: 1,
    };
    let hash = entry.hash(&log, Tip::START);
    let creation = creates(&entry);
    match kind {
        KIND_RECORD => {
            let read = RecordBody::decode(body);
            if let Ok(read) = &read {
                assert_eq!(read.encode(), body, "an envelope has a second form");
            }
            let of = read.ok().map(|read| read.record);
            assert!(creation.is_none() || creation == of, "it creates another record");
        }
        KIND_STATEMENT => {
            if let Ok(statement) = Statement::decode(body) {
                let written = statement.encode();
                assert!(written.len() <= BODY_BYTES_MAX, "a statement grew past the limit");
                assert_eq!(
                    Statement::decode(&written),
                    Ok(statement),
                    "a statement reads back differently"
                );
            }
            assert_eq!(creation, None, "a statement creates a record");
        }
        _ => assert_eq!(creation, None, "an unknown kind creates a record"),
    }
    assert_eq!(hash, entry.hash(&log, Tip::START), "reading changed an entry's hash");
}
