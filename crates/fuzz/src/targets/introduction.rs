//! A bundle of credentials: the admissions that lead from the county's root to a stranger. Authors and signatures are repaired, so
//! that what the admissions say decides.

use ledger::id::ScopeKind;
use replica::credential::{Credential, CredentialError, decode_chain, encode_chain, verify_chain};
use replica::limits::INTRODUCTION_LINKS_MAX;
use replica::run::Run;
use replica::statement::{Role, Statement};

use super::KIB;
use crate::seeds::vector;
use crate::{Target, bytes};

pub(super) const TARGET: Target = Target {
    name: "introduction",
    promise: "a chain has one form only; it introduces somebody only if each link is an admission by the hub admitted before it, in \
              that hub's unit, and no signature is wrong",
    check,
    seeds: || vec![vector!("introduction")],
    len_max: 16 * KIB,
    memory: (64 * KIB, 64),
};

fn check(data: &[u8]) {
    let Ok(chain) = decode_chain(data) else { return };
    assert_eq!(encode_chain(&chain), data, "a chain has a second form");
    assert!(chain.len() <= INTRODUCTION_LINKS_MAX, "a chain too long");
    let repaired: Vec<Credential> = (1..).zip(&chain).map(|(number, link)| repair(number, link)).collect();
    let Ok(introduced) = verify_chain(&bytes::device(1), &repaired) else {
        return;
    };
    assert_eq!(introduced.links.len(), repaired.len(), "a link was passed over");
    for (number, (link, credential)) in introduced.links.iter().zip(&repaired).enumerate() {
        assert_eq!(credential.log.scope.kind, ScopeKind::Public, "admitted in a book");
        assert_eq!(Some(&link.admit), credential.admit().as_ref(), "another admission");
        if let Some(before) = number.checked_sub(1).and_then(|at| introduced.links.get(at)) {
            assert_eq!(
                (link.by, link.at),
                (before.admit.device, before.admit.unit),
                "not by the one before"
            );
            assert_eq!(before.admit.role, Role::Hub, "admitted by a node");
        }
        let mut forged = repaired.clone();
        forged[number].signature[usize::from(data[0]) % 64] ^= 1;
        let wrong = verify_chain(&bytes::device(1), &forged);
        assert_eq!(
            wrong,
            Err(CredentialError::Signature(number)),
            "a forged link introduces"
        );
    }
    assert!(
        verify_chain(&bytes::device(99), &repaired).is_err(),
        "another county's root"
    );
}

/// The link as device `number` would have stated it about device `number + 1`.
fn repair(number: u8, link: &Credential) -> Credential {
    let mut run: Run = link.to_run();
    if let Ok(Statement::Admit(mut admit)) = Statement::decode(&link.entry.body) {
        admit.device = bytes::device(number + 1);
        run.entries[0].body = Statement::Admit(admit).encode();
    }
    let signed = bytes::signed_by(number, &run);
    Credential {
        log: *signed.log(),
        prev: run.prev,
        entry: run.entries[0].clone(),
        signature: signed.run().signature,
    }
}
