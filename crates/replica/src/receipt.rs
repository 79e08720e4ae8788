//! Receipts (回执): a hub's signed word of what is durable with it. Cumulative per (hub, store, scope).

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use ledger::id::{DeviceId, Hash, Scope, Tier};

use crate::entry::{LogId, Tip};
use crate::logs::Ancestry;
use crate::run::RunError;
use crate::vector::Vector;
use crate::wire::WireError;

/// One life of a hub's disk, random. A hub that finds itself below its own receipt (restored from a backup) begins a new one.
pub type StoreId = u64;

/// "All of `vector` is durable with me." Counters of one (hub, store) only rise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    pub hub: DeviceId,
    pub store: StoreId,
    pub scope: Scope,
    pub counter: u64,
    pub at_ms: i64,
    pub vector: Vector,
    pub signature: [u8; 64],
}

/// "What I said under `store` no longer holds." Voids all receipts of that store; permanent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Withdrawal {
    pub hub: DeviceId,
    pub store: StoreId,
    pub at_ms: i64,
    pub signature: [u8; 64],
}

impl Receipt {
    /// Signs a receipt as the hub `key`.
    pub fn sign(key: &SigningKey, store: StoreId, scope: Scope, counter: u64, at_ms: i64, vector: Vector) -> Self {
        let _ = (key, store, scope, counter, at_ms, vector);
        todo!()
    }

    /// Proves the hub's signature.
    pub fn verify(&self) -> Result<(), RunError> {
        todo!()
    }

    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    pub fn decode(_bytes: &[u8]) -> Result<Self, WireError> {
        todo!()
    }
}

impl Withdrawal {
    /// Signs a withdrawal as the hub `key`.
    pub fn sign(_key: &SigningKey, _store: StoreId, _at_ms: i64) -> Self {
        todo!()
    }

    /// Proves the hub's signature.
    pub fn verify(&self) -> Result<(), RunError> {
        todo!()
    }

    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    pub fn decode(_bytes: &[u8]) -> Result<Self, WireError> {
        todo!()
    }
}

/// What became of a receipt or withdrawal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Accepted {
    New,
    /// Held already, or an older one of the same hub, store and scope.
    Old,
    /// Its store has been withdrawn.
    Void,
}

/// The receipts and withdrawals that a replica holds. The same set, whatever the order in which they came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Receipts {}

impl Receipts {
    /// Takes in a verified receipt.
    pub fn accept(&mut self, _receipt: Receipt) -> Accepted {
        todo!()
    }

    /// Takes in a verified withdrawal: all receipts of that store are void, those to come too.
    pub fn withdraw(&mut self, _withdrawal: Withdrawal) -> Accepted {
        todo!()
    }

    /// The standing receipts for one scope.
    pub fn standing(&self, _scope: Scope) -> impl Iterator<Item = &Receipt> {
        std::iter::empty()
    }

    /// The newest standing receipt of one hub's store for one scope.
    pub fn of(&self, _hub: &DeviceId, _store: StoreId, _scope: Scope) -> Option<&Receipt> {
        todo!()
    }

    pub fn withdrawals(&self) -> impl Iterator<Item = &Withdrawal> {
        std::iter::empty()
    }

    pub fn is_void(&self, _hub: &DeviceId, _store: StoreId) -> bool {
        todo!()
    }

    /// A digest of what two peers should both hold: the receipts for `scopes` and the withdrawals, of `hubs` only
    /// ([`crate::authority::Authority::hubs_over`]).
    pub fn digest(&self, _scopes: &[Scope], _hubs: &BTreeSet<DeviceId>) -> Hash {
        todo!()
    }

    /// The highest tier with a standing receipt that covers the entry of `log` at `tip`, and when that was said (UTC ms).
    /// `tier_of` answers for hubs that count.
    pub fn reach(
        &self,
        _log: &LogId,
        _tip: Tip,
        _tier_of: &dyn Fn(&Receipt) -> Option<Tier>,
        _ancestry: &dyn Ancestry,
    ) -> Option<(Tier, i64)> {
        todo!()
    }
}
