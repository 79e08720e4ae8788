//! Statements (声明): plain signed facts outside any document. They lie in public scopes and are folded by [`crate::authority`].

use ledger::calendar::Calendar;
use ledger::catalogue::Catalogue;
use ledger::id::{DeviceId, Hash, HubPrefix, NodeCode, RecordId, Scope, UnitId, UserId};
use ledger::organisation::Organisation;
use minicbor::{Decode, Encode};

use crate::wire::WireError;

/// What a device is to the network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    #[n(1)]
    Node,
    #[n(2)]
    Hub,
}

/// Lets a device in. Stated by a hub of a unit above; for hubs of the topmost unit by the root key.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Admit {
    #[n(0)]
    pub device: DeviceId,
    #[n(1)]
    pub unit: UnitId,
    #[n(2)]
    pub role: Role,
    /// X25519 public key to which scope keys are sealed.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub seal_key: [u8; 32],
    /// Shown to operators, e.g. the PC's name.
    #[n(4)]
    pub name: String,
    #[n(5)]
    pub node_code: NodeCode,
    /// Hubs only: under which it makes node codes.
    #[n(6)]
    pub prefix: Option<HubPrefix>,
    /// The life the device led on its own before: its book and public scope come along below `unit`.
    #[n(7)]
    pub former: Option<Former>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Former {
    #[n(0)]
    pub unit: UnitId,
    #[n(1)]
    pub root: DeviceId,
}

/// Up to which entries a log stays valid. A log of the device that no cut names has nothing valid.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Cut {
    #[n(0)]
    pub scope: Scope,
    #[n(1)]
    pub epoch: u64,
    #[n(2)]
    pub seq: u64,
    #[n(3)]
    pub hash: Hash,
}

/// Takes a device out (revoke). Entries above the cuts are kept and forwarded, but wait (待认).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Revoke {
    #[n(0)]
    pub device: DeviceId,
    #[n(1)]
    pub reason: String,
    #[n(2)]
    pub cuts: Vec<Cut>,
}

/// Lets entries above a cut count after all. Cuts of several statements combine by maximum.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Extend {
    #[n(0)]
    pub device: DeviceId,
    #[n(1)]
    pub cuts: Vec<Cut>,
}

/// A person, where they work and what they may do.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct User {
    #[n(0)]
    pub id: UserId,
    #[n(1)]
    pub unit: UnitId,
    #[n(2)]
    pub name: String,
    /// `clerk`, `head`, `operator`, `admin`, `auditor`.
    #[n(3)]
    pub roles: Vec<String>,
    #[n(4)]
    pub active: bool,
}

/// Gives a scope's key (or, with `hub_only`, the county's matching key) to one device, sealed to its X25519 key.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Grant {
    #[n(0)]
    pub scope: Scope,
    #[n(1)]
    pub device: DeviceId,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
    #[n(3)]
    pub hub_only: bool,
}

/// Obliges every holder to destroy a record's key and never to take or send it again.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Erase {
    #[n(0)]
    pub scope: Scope,
    #[n(1)]
    pub record: RecordId,
    #[n(2)]
    pub reason: String,
}

/// Gives a device's new epoch (after a fork) a node code of its own, so that case numbers stay apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct NewCode {
    #[n(0)]
    pub device: DeviceId,
    #[n(1)]
    pub epoch: u64,
    #[n(2)]
    pub code: NodeCode,
}

/// What a statement entry says. A kind that this version does not know is kept as `Unknown` and shown as 需升级.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Statement {
    Admit(Admit),
    Revoke(Revoke),
    Extend(Extend),
    Organisation(Organisation),
    Catalogue(Catalogue),
    Calendar(Calendar),
    /// A form's TOML.
    Form(String),
    User(User),
    Grant(Grant),
    Erase(Erase),
    NodeCode(NewCode),
    Unknown(u8),
}

impl Statement {
    /// The body of a [`crate::entry::KIND_STATEMENT`] entry: one byte of kind, then CBOR.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    /// Reads a body. A kind that is not known here is `Unknown`, no error.
    pub fn decode(_body: &[u8]) -> Result<Self, WireError> {
        todo!()
    }
}
