//! Credentials (引荐): single signed statements that lead from the pinned root to a key not known yet.

use ledger::id::{DeviceId, UnitId};
use thiserror::Error;

use crate::entry::{Entry, LogId, Tip};
use crate::run::VerifiedRun;
use crate::statement::Admit;
use crate::wire::WireError;

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
    pub links: Vec<Link>,
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
        todo!()
    }
}

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
    pub fn from_run(_run: &VerifiedRun) -> Option<Self> {
        todo!()
    }
}

/// The bytes of a chain, root's admission first. At most [`crate::limits::INTRODUCTION_BYTES_MAX`].
pub fn encode_chain(_chain: &[Credential]) -> Vec<u8> {
    todo!()
}

/// Reads what [`encode_chain`] wrote.
pub fn decode_chain(_bytes: &[u8]) -> Result<Vec<Credential>, WireError> {
    todo!()
}

/// Proves a chain from `root` down. Whether anyone in it has been revoked since is the authority's knowledge:
/// [`crate::authority::Authority::welcomes`].
pub fn verify_chain(_root: &DeviceId, _chain: &[Credential]) -> Result<Introduced, CredentialError> {
    todo!()
}
