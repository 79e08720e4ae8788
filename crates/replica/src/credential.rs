//! Credentials (引荐): single signed statements that lead from the pinned root to a key not known yet.

use ledger::id::{DeviceId, ScopeKind, UnitId};
use thiserror::Error;

use crate::entry::{Entry, KIND_STATEMENT, LogId, Tip};
use crate::limits::{INTRODUCTION_BYTES_MAX, INTRODUCTION_LINKS_MAX};
use crate::run::{Run, VerifiedRun};
use crate::statement::{Admit, Role, Statement};
use crate::wire::{Reader, WireError, put_bytes, put_varint};

/// One admission as it lies in its author's log, signed by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credential {
    pub log: LogId,
    pub prev: Tip,
    pub entry: Entry,
    pub signature: [u8; 64],
}

/// A chain that held: the admissions from the root down to the device introduced, which is the last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Introduced {
    /// The admissions, from the root down.
    pub links: Vec<Link>,
    member: Admit,
}

/// One proved admission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    pub by: DeviceId,
    /// The unit in whose public scope it was stated.
    pub at: UnitId,
    pub admit: Admit,
}

impl Introduced {
    /// The admission of the device that is introduced.
    pub fn member(&self) -> &Admit {
        &self.member
    }
}

/// Why a chain introduces nobody. Links are counted from 0.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CredentialError {
    #[error("the chain is empty or too long")]
    Length,
    #[error("link {0} is not signed by its author")]
    Signature(usize),
    #[error("link {0} is no admission")]
    NotAnAdmission(usize),
    #[error("link {0} is not stated by the device admitted before it, in its unit")]
    Broken(usize),
}

impl Credential {
    /// The credential in a run of exactly one entry that is an admission; `None` for any other run.
    pub fn from_run(run: &VerifiedRun) -> Option<Self> {
        let [entry] = run.run().entries.as_slice() else {
            return None;
        };
        let credential = Self {
            log: run.run().log,
            prev: run.run().prev,
            entry: entry.clone(),
            signature: run.run().signature,
        };
        credential.admit().map(|_| credential)
    }

    /// The same as a run.
    pub fn to_run(&self) -> Run {
        Run {
            log: self.log,
            prev: self.prev,
            entries: vec![self.entry.clone()],
            signature: self.signature,
        }
    }

    /// What it says; `None` when that is no admission.
    pub fn admit(&self) -> Option<Admit> {
        match Statement::decode(&self.entry.body) {
            Ok(Statement::Admit(admit)) if self.entry.kind == KIND_STATEMENT => Some(admit),
            _ => None,
        }
    }
}

/// The bytes of a chain, root's admission first (WIRE.md, "Introduction").
pub fn encode_chain(chain: &[Credential]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, chain.len() as u64);
    for credential in chain {
        put_bytes(&mut out, &credential.to_run().encode());
    }
    out
}

/// Reads what [`encode_chain`] wrote, within [`INTRODUCTION_BYTES_MAX`] and [`INTRODUCTION_LINKS_MAX`]. Proves nothing yet.
pub fn decode_chain(bytes: &[u8]) -> Result<Vec<Credential>, WireError> {
    if bytes.len() > INTRODUCTION_BYTES_MAX {
        return Err(WireError::TooLong {
            what: "introduction",
            len: bytes.len(),
            max: INTRODUCTION_BYTES_MAX,
        });
    }
    let mut r = Reader::new(bytes);
    let count = usize::try_from(r.varint()?).unwrap_or(usize::MAX);
    if count > INTRODUCTION_LINKS_MAX {
        return Err(WireError::TooLong {
            what: "links of an introduction",
            len: count,
            max: INTRODUCTION_LINKS_MAX,
        });
    }
    let mut chain = Vec::with_capacity(count);
    for _ in 0..count {
        let mut run = Run::decode(r.bytes("link", INTRODUCTION_BYTES_MAX)?)?;
        let (Some(entry), true) = (run.entries.pop(), run.entries.is_empty()) else {
            return Err(WireError::Malformed("a link of several entries"));
        };
        chain.push(Credential {
            log: run.log,
            prev: run.prev,
            entry,
            signature: run.signature,
        });
    }
    r.end()?;
    Ok(chain)
}

/// Proves a chain from `root` down: each link is an admission, signed by its author in the public scope of the unit where the link
/// before it made that author a hub. Whether anyone in it has been revoked since, and how the units lie to each other, is the
/// authority's knowledge: [`crate::authority::Authority::welcomes`].
pub fn verify_chain(root: &DeviceId, chain: &[Credential]) -> Result<Introduced, CredentialError> {
    if chain.is_empty() || chain.len() > INTRODUCTION_LINKS_MAX {
        return Err(CredentialError::Length);
    }
    let mut links: Vec<Link> = Vec::with_capacity(chain.len());
    for (number, credential) in chain.iter().enumerate() {
        let admit = credential.admit().ok_or(CredentialError::NotAnAdmission(number))?;
        let (by, at) = (credential.log.device, credential.log.scope.unit);
        let follows = match links.last() {
            None => by == *root && at == admit.unit,
            Some(before) => {
                by == before.admit.device
                    && at == before.admit.unit
                    && before.admit.role == Role::Hub
                    && at != admit.unit
            }
        };
        if !follows || credential.log.scope.kind != ScopeKind::Public {
            return Err(CredentialError::Broken(number));
        }
        credential
            .to_run()
            .verify()
            .map_err(|_| CredentialError::Signature(number))?;
        links.push(Link { by, at, admit });
    }
    match links.last().map(|link| link.admit.clone()) {
        Some(member) => Ok(Introduced { links, member }),
        None => Err(CredentialError::Length),
    }
}

#[cfg(test)]
mod tests {
    use ledger::id::{HubPrefix, NodeCode, Scope};

    use super::*;
    use crate::memory::{device, key};
    use crate::run::sign;

    fn link(author: u8, at: u8, who: u8, unit: u8, role: Role) -> Credential {
        let admit = Admit {
            device: device(who),
            unit: UnitId([unit; 16]),
            role,
            seal_key: [who; 32],
            name: "村里的电脑".to_owned(),
            node_code: NodeCode::new(7).unwrap(),
            prefix: Some(HubPrefix(3)),
            former: None,
            by: None,
        };
        let entry = Entry {
            kind: KIND_STATEMENT,
            body: Statement::Admit(admit).encode(),
        };
        let log = LogId {
            scope: Scope::public(UnitId([at; 16])),
            device: device(author),
            epoch: 5,
        };
        Credential::from_run(&sign(&key(author), log, Tip::START, vec![entry])).unwrap()
    }

    fn chain() -> Vec<Credential> {
        vec![
            link(1, 10, 2, 10, Role::Hub),
            link(2, 10, 3, 20, Role::Hub),
            link(3, 20, 4, 30, Role::Node),
        ]
    }

    #[test]
    fn a_chain_from_the_root_introduces_a_room() {
        let bytes = encode_chain(&chain());
        let introduced = verify_chain(&device(1), &decode_chain(&bytes).unwrap()).unwrap();
        assert_eq!(introduced.member().device, device(4));
        assert_eq!(introduced.links.len(), 3);
    }

    #[test]
    fn a_chain_with_any_fault_introduces_nobody() {
        assert_eq!(verify_chain(&device(9), &chain()), Err(CredentialError::Broken(0)));
        assert_eq!(verify_chain(&device(1), &[]), Err(CredentialError::Length));
        assert_eq!(verify_chain(&device(1), &chain()[1..]), Err(CredentialError::Broken(0)));
        let mut forged = chain();
        forged[2].signature[3] ^= 1;
        assert_eq!(verify_chain(&device(1), &forged), Err(CredentialError::Signature(2)));
        let mut by_a_node = chain();
        by_a_node.push(link(4, 30, 5, 40, Role::Node));
        assert_eq!(verify_chain(&device(1), &by_a_node), Err(CredentialError::Broken(3)));
        let elsewhere = [link(1, 10, 2, 10, Role::Hub), link(2, 20, 3, 30, Role::Hub)];
        assert_eq!(verify_chain(&device(1), &elsewhere), Err(CredentialError::Broken(1)));
        let beside = [link(1, 10, 2, 10, Role::Hub), link(2, 10, 3, 10, Role::Hub)];
        assert_eq!(verify_chain(&device(1), &beside), Err(CredentialError::Broken(1)));
        assert!(decode_chain(&vec![0xff; INTRODUCTION_BYTES_MAX + 1]).is_err());
    }
}
