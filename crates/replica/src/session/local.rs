//! What a session sees of the place it runs in.

use ledger::id::{DeviceId, Hash, RecordId, Scope, UnitId};

use crate::authority::Write;
use crate::credential::{Credential, Introduced};
use crate::entry::{LogId, Tip};
use crate::frame::Health;
use crate::logs::SendPlan;
use crate::receipt::{Receipt, Withdrawal};
use crate::run::Run;
use crate::vector::Vector;

/// What is known here of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Acquaintance {
    Member {
        unit: UnitId,
    },
    Revoked,
    /// Not to be met now; what it is told.
    Held(String),
    Unknown,
}

/// The office around a session: what is held, who belongs, what may be shared. A session only reads here, but for the counters that
/// all sessions of an office share ([`Local::catch_up`], [`Local::quota`], [`Local::ask`]).
///
/// All answers speak of what is durable or staged before it, and must agree with each other within one call of
/// [`super::Session::handle`]. Whenever a scope's vector moves, every session is told by [`super::Input::Changed`].
pub trait Local {
    /// The unit this device works for.
    fn unit(&self) -> UnitId;
    /// The county's root, which this device pins.
    fn root(&self) -> DeviceId;
    /// The admissions from the root down to this device.
    fn introduction(&self) -> Vec<Credential>;
    /// What is known of a key now.
    fn acquaintance(&self, device: &DeviceId) -> Acquaintance;
    /// Whether a chain that holds may be acted on: nobody in it has been revoked since.
    fn welcomes(&self, introduced: &Introduced) -> bool;
    /// What a device that is not welcomed now and may be later is told: somebody in its chain is out, itself not.
    fn unsettled(&self, introduced: &Introduced) -> Option<String>;

    /// The scopes that this unit and `with` may both hold. Any order, no repetition.
    fn shared_scopes(&self, with: UnitId) -> Vec<Scope>;
    /// Whether entries by `device` are taken in `scope`.
    fn may_write(&self, device: &DeviceId, scope: &Scope) -> Write;

    /// Zero when nothing is held of the scope.
    fn digest(&self, scope: Scope) -> Hash;
    /// What is held of a scope; empty when nothing is.
    fn vector(&self, scope: Scope) -> &Vector;
    /// Whether the entry at `tip` is held.
    fn holds(&self, log: &LogId, tip: Tip) -> bool;
    /// The place number `seq` on the way from the log's start to `tip`; `None` when `tip` is not held or `seq` is not below it.
    fn ancestor_at(&self, log: &LogId, tip: Tip, seq: u64) -> Option<Tip>;
    /// As [`crate::logs::Logs::send_plan`].
    fn send_plan(&self, log: &LogId, theirs: &[Tip], common: &[Tip]) -> SendPlan;
    /// The entries after `after` up to `to` or up to about `bytes_max`, whichever comes first, as runs that each end at a checkpoint:
    /// in books merged into as few as possible, in public scopes one run for each checkpoint (a newcomer's admission must be quotable
    /// by itself). At least one run, even when it is longer. Empty only when the entries cannot be read: the log is then left alone.
    fn read(&self, log: &LogId, after: Tip, to: Tip, bytes_max: usize) -> Vec<Run>;
    /// The wrapped key of a record; `None` when it is not held or has been erased.
    fn key(&self, scope: Scope, record: &RecordId) -> Option<[u8; 48]>;
    /// Records of these scopes whose keys are missing here and not erased; at most `max`.
    fn keys_wanted(&self, scopes: &[Scope], max: usize) -> Vec<(Scope, RecordId)>;

    /// A digest of [`Local::receipts`] and [`Local::withdrawals`].
    fn receipts_digest(&self, scopes: &[Scope]) -> Hash;
    /// The standing receipts for these scopes by hubs that are over them.
    fn receipts(&self, scopes: &[Scope]) -> Vec<Receipt>;
    /// The withdrawals by hubs that are over any of these scopes.
    fn withdrawals(&self, scopes: &[Scope]) -> Vec<Withdrawal>;

    /// What this device says of itself.
    fn health(&self) -> Health;

    /// A peer has much to send. `Ok` gives it one of the bounded slots for catching up (asking again for the same peer is `Ok`); an
    /// error names the milliseconds after which it should ask again.
    fn catch_up(&mut self, peer: &DeviceId) -> Result<(), u64>;
    /// The slot is free again. Also to be freed by the office when a session ends.
    fn caught_up(&mut self, peer: &DeviceId);
    /// `author` wants to add so much. `Ok` counts it against the author's day; an error names the milliseconds to wait
    /// ([`super::Quota`] does the counting).
    fn quota(&mut self, author: &DeviceId, entries: u64, bytes: u64) -> Result<(), u64>;
    /// `peer` asks what takes so many reads to answer. `Ok` counts them; an error names the milliseconds after which it may ask again
    /// ([`super::Asks`] does the counting).
    fn ask(&mut self, peer: &DeviceId, reads: u64) -> Result<(), u64>;
}
