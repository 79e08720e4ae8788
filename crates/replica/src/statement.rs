//! Statements (声明): plain signed facts outside any document. They lie in public scopes and are folded by [`crate::authority`].

use ledger::calendar::Calendar;
use ledger::catalogue::Catalogue;
use ledger::id::{DeviceId, Hash, HubPrefix, NodeCode, RecordId, Scope, UnitId, UserId};
use ledger::organisation::Organisation;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::limits::{
    BODY_BYTES_MAX, CALENDAR_DAYS_MAX, CUTS_MAX, MATTERS_MAX, NAME_BYTES_MAX, REASON_BYTES_MAX, ROLES_MAX,
    SEALED_BYTES_MAX,
};
use crate::wire::WireError;

mod parts;

pub use parts::{OrganisationPart, Parts};

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
    /// Whoever made the ticket, where a named person did. Left out, the bytes are those of a version that did not know it; such a
    /// version passes it over.
    #[n(8)]
    pub by: Option<UserId>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Former {
    #[n(0)]
    pub unit: UnitId,
    #[n(1)]
    pub root: DeviceId,
}

/// Up to which entries a log stays valid. A log of the device that no cut names has nothing valid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
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

/// Leaves entries above a cut out of the queue of what awaits a word (待认), or takes that back. It lets nothing in and changes no record.
/// Of one device the decision with the latest time stands; several statements of one time are one decision.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Leave {
    #[n(0)]
    pub device: DeviceId,
    #[n(1)]
    pub cuts: Vec<Cut>,
    #[n(2)]
    pub reason: String,
    #[n(3)]
    pub user: UserId,
    #[n(4)]
    pub at_ms: i64,
    #[n(5)]
    pub undo: bool,
}

/// A word about a device that lets nobody in or out and voids nothing: its name (改名), or that no hub above meets it for a while (暂停)
/// and that they do again (恢复). Of all words about the name, and of all about meeting, the one with the highest turn holds.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct DeviceNote {
    #[n(0)]
    pub device: DeviceId,
    /// One more than that of the word which this one replaces.
    #[n(1)]
    pub turn: u64,
    /// `None`: this says nothing of the name.
    #[n(2)]
    pub name: Option<String>,
    /// `None`: this says nothing of whether it is met.
    #[n(3)]
    pub held: Option<bool>,
    #[n(4)]
    pub reason: String,
    /// Zero: the device that signs.
    #[n(5)]
    pub user: UserId,
    #[n(6)]
    pub at_ms: i64,
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
    /// How this person proves on a PC of the unit, once per PC, that the PIN typed there is theirs. Left out, the bytes are those
    /// of a version that did not know it; such a version passes it over.
    #[n(5)]
    pub enrol: Option<Enrol>,
}

/// A one-time code for enrolling, known here by its digest only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Enrol {
    /// [`Enrol::digest_of`] the code.
    #[n(0)]
    pub digest: Hash,
    /// No longer good after this, UTC milliseconds by the PC's clock.
    #[n(1)]
    pub until_ms: i64,
}

impl Enrol {
    /// What a code is known by. The code has 80 random bits, so the digest may be public.
    pub fn digest_of(user: &UserId, code: &str) -> Hash {
        let mut h = Sha256::new();
        h.update(b"cunlian/enrol");
        h.update(user.0);
        h.update(code.as_bytes());
        Hash(h.finalize().into())
    }
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
    Leave(Leave),
    Note(DeviceNote),
    OrganisationPart(OrganisationPart),
    Unknown(u8),
}

impl Statement {
    fn tag(&self) -> u8 {
        match self {
            Statement::Admit(_) => 1,
            Statement::Revoke(_) => 2,
            Statement::Extend(_) => 3,
            Statement::Organisation(_) => 4,
            Statement::Catalogue(_) => 5,
            Statement::Calendar(_) => 6,
            Statement::Form(_) => 7,
            Statement::User(_) => 8,
            Statement::Grant(_) => 9,
            Statement::Erase(_) => 10,
            Statement::NodeCode(_) => 11,
            Statement::Leave(_) => 12,
            Statement::Note(_) => 13,
            Statement::OrganisationPart(_) => 14,
            Statement::Unknown(tag) => *tag,
        }
    }

    /// The body of a [`crate::entry::KIND_STATEMENT`] entry: one byte of kind, then CBOR. What exceeds the limits that
    /// [`Statement::decode`] enforces is the writer's own mistake: check by decoding before signing.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.tag()];
        match self {
            Statement::Admit(it) => put_cbor(&mut out, it),
            Statement::Revoke(it) => put_cbor(&mut out, it),
            Statement::Extend(it) => put_cbor(&mut out, it),
            Statement::Organisation(it) => put_cbor(&mut out, it),
            Statement::Catalogue(it) => put_cbor(&mut out, it),
            Statement::Calendar(it) => put_cbor(&mut out, it),
            Statement::Form(it) => put_cbor(&mut out, it),
            Statement::User(it) => put_cbor(&mut out, it),
            Statement::Grant(it) => put_cbor(&mut out, it),
            Statement::Erase(it) => put_cbor(&mut out, it),
            Statement::NodeCode(it) => put_cbor(&mut out, it),
            Statement::Leave(it) => put_cbor(&mut out, it),
            Statement::Note(it) => put_cbor(&mut out, it),
            Statement::OrganisationPart(it) => put_cbor(&mut out, it),
            Statement::Unknown(_) => {}
        }
        out
    }

    /// Reads a body. A kind that is not known here is `Unknown`, no error. Fields that a later version added at the end are skipped.
    /// Errors: bytes that are no such statement, or more of something than the limits allow.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let (tag, cbor) = body.split_first().ok_or(WireError::Short { what: "a statement" })?;
        if body.len() > BODY_BYTES_MAX {
            return Err(too_long("statement", body.len(), BODY_BYTES_MAX));
        }
        let statement = match tag {
            1 => Statement::Admit(read_cbor(cbor)?),
            2 => Statement::Revoke(read_cbor(cbor)?),
            3 => Statement::Extend(read_cbor(cbor)?),
            4 => Statement::Organisation(read_cbor(cbor)?),
            5 => Statement::Catalogue(read_cbor(cbor)?),
            6 => Statement::Calendar(read_cbor(cbor)?),
            7 => Statement::Form(read_cbor(cbor)?),
            8 => Statement::User(read_cbor(cbor)?),
            9 => Statement::Grant(read_cbor(cbor)?),
            10 => Statement::Erase(read_cbor(cbor)?),
            11 => Statement::NodeCode(read_cbor(cbor)?),
            12 => Statement::Leave(read_cbor(cbor)?),
            13 => Statement::Note(read_cbor(cbor)?),
            14 => Statement::OrganisationPart(read_cbor(cbor)?),
            tag => Statement::Unknown(*tag),
        };
        statement.check_limits()?;
        Ok(statement)
    }

    fn check_limits(&self) -> Result<(), WireError> {
        match self {
            Statement::Admit(it) => within("name", it.name.len(), NAME_BYTES_MAX),
            Statement::Revoke(it) => {
                within("reason", it.reason.len(), REASON_BYTES_MAX)?;
                check_cuts(&it.cuts)
            }
            Statement::Extend(it) => check_cuts(&it.cuts),
            Statement::Leave(it) => {
                within("reason", it.reason.len(), REASON_BYTES_MAX)?;
                check_cuts(&it.cuts)
            }
            Statement::Note(it) => {
                within("reason", it.reason.len(), REASON_BYTES_MAX)?;
                within("name", it.name.as_ref().map_or(0, String::len), NAME_BYTES_MAX)
            }
            Statement::Organisation(it) => parts::check_units(&it.units),
            Statement::OrganisationPart(it) => it.check_limits(),
            Statement::Catalogue(it) => within("matters", it.matters.len(), MATTERS_MAX),
            Statement::Calendar(it) => within("days", it.off.len().max(it.makeup.len()), CALENDAR_DAYS_MAX),
            Statement::User(it) => {
                within("name", it.name.len(), NAME_BYTES_MAX)?;
                within("roles", it.roles.len(), ROLES_MAX)?;
                it.roles
                    .iter()
                    .try_for_each(|role| within("role", role.len(), NAME_BYTES_MAX))
            }
            Statement::Grant(it) => within("sealed key", it.sealed.len(), SEALED_BYTES_MAX),
            Statement::Erase(it) => within("reason", it.reason.len(), REASON_BYTES_MAX),
            Statement::Form(_) | Statement::NodeCode(_) | Statement::Unknown(_) => Ok(()),
        }
    }
}

fn put_cbor<T: Encode<()>>(out: &mut Vec<u8>, it: &T) {
    match minicbor::encode(it, out) {
        Ok(()) => {}
        // Writing to a Vec cannot fail and none of these types refuses to be encoded.
        Err(error) => unreachable!("{error}"),
    }
}

fn read_cbor<'b, T: Decode<'b, ()>>(cbor: &'b [u8]) -> Result<T, WireError> {
    let mut decoder = minicbor::Decoder::new(cbor);
    let it = decoder.decode().map_err(|_| WireError::Malformed("a statement"))?;
    match cbor.len() - decoder.position() {
        0 => Ok(it),
        left => Err(WireError::Trailing(left)),
    }
}

fn check_cuts(cuts: &[Cut]) -> Result<(), WireError> {
    within("cuts", cuts.len(), CUTS_MAX)
}

fn within(what: &'static str, len: usize, max: usize) -> Result<(), WireError> {
    if len > max {
        Err(too_long(what, len, max))
    } else {
        Ok(())
    }
}

fn too_long(what: &'static str, len: usize, max: usize) -> WireError {
    WireError::TooLong { what, len, max }
}
