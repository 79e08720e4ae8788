//! Receipts (回执): a hub's signed word of what is durable with it. Cumulative per (hub, store, scope).

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use ledger::id::{DeviceId, Hash, Scope, Tier};
use sha2::{Digest, Sha256};

use crate::entry::{LogId, SUITE_1, Tip};
use crate::limits::VECTOR_BYTES_MAX;
use crate::logs::Ancestry;
use crate::run::RunError;
use crate::vector::Vector;
use crate::wire::{Reader, WireError};

#[cfg(test)]
mod tests;

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
    /// Signs a receipt as the hub `key`. `at_ms` is its wall clock, UTC; `counter` must exceed those of its earlier receipts of
    /// this store and scope.
    pub fn sign(key: &SigningKey, store: StoreId, scope: Scope, counter: u64, at_ms: i64, vector: Vector) -> Self {
        let mut receipt = Self {
            hub: DeviceId(key.verifying_key().to_bytes()),
            store,
            scope,
            counter,
            at_ms,
            vector,
            signature: [0; 64],
        };
        receipt.signature = sign(key, RECEIPT_CONTEXT, &receipt.body());
        receipt
    }

    /// Proves the hub's signature.
    pub fn verify(&self) -> Result<(), RunError> {
        verify(&self.hub, RECEIPT_CONTEXT, &self.body(), &self.signature)
    }

    /// The bytes on the wire and in the journal (WIRE.md, "Receipt").
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.body();
        out.extend_from_slice(&self.signature);
        out
    }

    fn body(&self) -> Vec<u8> {
        let mut out = vec![SUITE_1];
        out.extend_from_slice(&self.hub.0);
        out.extend_from_slice(&self.store.to_be_bytes());
        out.extend_from_slice(&self.scope.to_bytes());
        out.extend_from_slice(&self.counter.to_be_bytes());
        out.extend_from_slice(&self.at_ms.to_be_bytes());
        self.vector.encode(&mut out);
        out
    }

    /// Reads what [`Receipt::encode`] wrote. The signature is not proved yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > VECTOR_BYTES_MAX {
            return Err(WireError::TooLong {
                what: "receipt",
                len: bytes.len(),
                max: VECTOR_BYTES_MAX,
            });
        }
        let mut r = Reader::new(bytes);
        known_suite(r.byte()?)?;
        let receipt = Self {
            hub: DeviceId(r.array()?),
            store: u64::from_be_bytes(r.array()?),
            scope: Scope::from_bytes(&r.array::<17>()?).ok_or(WireError::Malformed("scope"))?,
            counter: u64::from_be_bytes(r.array()?),
            at_ms: i64::from_be_bytes(r.array()?),
            vector: Vector::decode(&mut r)?,
            signature: r.array()?,
        };
        r.end()?;
        Ok(receipt)
    }
}

impl Withdrawal {
    /// Signs a withdrawal as the hub `key`. `at_ms` is its wall clock, UTC.
    pub fn sign(key: &SigningKey, store: StoreId, at_ms: i64) -> Self {
        let mut withdrawal = Self {
            hub: DeviceId(key.verifying_key().to_bytes()),
            store,
            at_ms,
            signature: [0; 64],
        };
        withdrawal.signature = sign(key, WITHDRAWAL_CONTEXT, &withdrawal.body());
        withdrawal
    }

    /// Proves the hub's signature.
    pub fn verify(&self) -> Result<(), RunError> {
        verify(&self.hub, WITHDRAWAL_CONTEXT, &self.body(), &self.signature)
    }

    /// The bytes on the wire and in the journal (WIRE.md, "Withdrawal").
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.body();
        out.extend_from_slice(&self.signature);
        out
    }

    fn body(&self) -> Vec<u8> {
        let mut out = vec![SUITE_1];
        out.extend_from_slice(&self.hub.0);
        out.extend_from_slice(&self.store.to_be_bytes());
        out.extend_from_slice(&self.at_ms.to_be_bytes());
        out
    }

    /// Reads what [`Withdrawal::encode`] wrote. The signature is not proved yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        known_suite(r.byte()?)?;
        let withdrawal = Self {
            hub: DeviceId(r.array()?),
            store: u64::from_be_bytes(r.array()?),
            at_ms: i64::from_be_bytes(r.array()?),
            signature: r.array()?,
        };
        r.end()?;
        Ok(withdrawal)
    }
}

const RECEIPT_CONTEXT: &[u8] = b"cunlian receipt 1";
const WITHDRAWAL_CONTEXT: &[u8] = b"cunlian withdrawal 1";

fn known_suite(suite: u8) -> Result<(), WireError> {
    if suite == SUITE_1 {
        Ok(())
    } else {
        Err(WireError::Suite(suite))
    }
}

fn sign(key: &SigningKey, context: &[u8], body: &[u8]) -> [u8; 64] {
    key.sign(&[context, body].concat()).to_bytes()
}

fn verify(hub: &DeviceId, context: &[u8], body: &[u8], signature: &[u8; 64]) -> Result<(), RunError> {
    let key = VerifyingKey::from_bytes(&hub.0).map_err(|_| RunError::Key)?;
    key.verify_strict(&[context, body].concat(), &Signature::from_bytes(signature))
        .map_err(|_| RunError::Signature)
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
pub struct Receipts {
    standing: BTreeMap<(Scope, DeviceId, StoreId), Receipt>,
    withdrawals: BTreeMap<(DeviceId, StoreId), Withdrawal>,
}

impl Receipts {
    /// Takes in a verified receipt.
    pub fn accept(&mut self, receipt: Receipt) -> Accepted {
        if self.is_void(&receipt.hub, receipt.store) {
            return Accepted::Void;
        }
        match self.standing.entry((receipt.scope, receipt.hub, receipt.store)) {
            Entry::Vacant(vacant) => {
                vacant.insert(receipt);
                Accepted::New
            }
            // Two receipts with one counter are a faulty hub's; all keep the same one of them.
            Entry::Occupied(mut held)
                if (receipt.counter, receipt.signature) > (held.get().counter, held.get().signature) =>
            {
                held.insert(receipt);
                Accepted::New
            }
            Entry::Occupied(_) => Accepted::Old,
        }
    }

    /// Takes in a verified withdrawal: all receipts of that store are void, those to come too.
    pub fn withdraw(&mut self, withdrawal: Withdrawal) -> Accepted {
        let key = (withdrawal.hub, withdrawal.store);
        if self.withdrawals.contains_key(&key) {
            return Accepted::Old;
        }
        self.standing
            .retain(|(_, hub, store), _| (*hub, *store) != (withdrawal.hub, withdrawal.store));
        self.withdrawals.insert(key, withdrawal);
        Accepted::New
    }

    /// The standing receipts for one scope.
    pub fn standing(&self, scope: Scope) -> impl Iterator<Item = &Receipt> {
        let first = (scope, DeviceId::ZERO, StoreId::MIN);
        let last = (scope, DeviceId([0xff; 32]), StoreId::MAX);
        self.standing.range(first..=last).map(|(_, receipt)| receipt)
    }

    /// Every standing receipt of one hub, whatever the store and scope.
    pub fn by_hub<'a>(&'a self, hub: &'a DeviceId) -> impl Iterator<Item = &'a Receipt> {
        self.standing.values().filter(move |receipt| receipt.hub == *hub)
    }

    /// The standing receipts for one scope together with one that its hub has signed and not written down yet, in the order of
    /// [`Receipts::standing`]. It is the later word of its store.
    pub fn standing_with<'a>(&'a self, scope: Scope, signed: Option<&'a Receipt>) -> Vec<&'a Receipt> {
        let signed = signed.filter(|receipt| receipt.scope == scope && !self.is_void(&receipt.hub, receipt.store));
        let is_other = |held: &Receipt| signed.is_none_or(|s| (s.hub, s.store) != (held.hub, held.store));
        let mut standing: Vec<&Receipt> = self.standing(scope).filter(|held| is_other(held)).collect();
        standing.extend(signed);
        standing.sort_unstable_by_key(|receipt| (receipt.hub, receipt.store));
        standing
    }

    /// The newest standing receipt of one hub's store for one scope.
    pub fn of(&self, hub: &DeviceId, store: StoreId, scope: Scope) -> Option<&Receipt> {
        self.standing.get(&(scope, *hub, store))
    }

    /// All withdrawals, by hub.
    pub fn withdrawals(&self) -> impl Iterator<Item = &Withdrawal> {
        self.withdrawals.values()
    }

    /// Whether a hub has withdrawn what it said under `store`.
    pub fn is_void(&self, hub: &DeviceId, store: StoreId) -> bool {
        self.withdrawals.contains_key(&(*hub, store))
    }

    /// A digest of what two peers should both hold: the receipts for `scopes` and the withdrawals, of `hubs` only
    /// ([`crate::authority::Authority::hubs_over`]). Zero when there are none.
    pub fn digest(&self, scopes: &[Scope], hubs: &BTreeSet<DeviceId>) -> Hash {
        self.digest_with(scopes, hubs, &BTreeMap::new())
    }

    /// [`Receipts::digest`] of what is held and of what this hub has signed itself and not written down yet.
    pub fn digest_with(&self, scopes: &[Scope], hubs: &BTreeSet<DeviceId>, signed: &BTreeMap<Scope, Receipt>) -> Hash {
        let mut h = Sha256::new();
        h.update(b"cunlian receipts 1");
        let mut any = false;
        for scope in scopes.iter().copied().collect::<BTreeSet<_>>() {
            let standing = self.standing_with(scope, signed.get(&scope)).into_iter();
            for receipt in standing.filter(|receipt| hubs.contains(&receipt.hub)) {
                any = true;
                h.update([1]);
                h.update(scope.to_bytes());
                h.update(receipt.hub.0);
                h.update(receipt.store.to_be_bytes());
                h.update(receipt.counter.to_be_bytes());
                h.update(receipt.signature);
            }
        }
        for (hub, store) in self.withdrawals.keys().filter(|(hub, _)| hubs.contains(hub)) {
            any = true;
            h.update([2]);
            h.update(hub.0);
            h.update(store.to_be_bytes());
        }
        if any { Hash(h.finalize().into()) } else { Hash::ZERO }
    }

    /// The highest tier with a standing receipt that covers the entry of `log` at `tip`, and when that was first said by one of its
    /// standing receipts (UTC ms). `tier_of` answers `None` for receipts that do not count.
    pub fn reach(
        &self,
        log: &LogId,
        tip: Tip,
        tier_of: &dyn Fn(&Receipt) -> Option<Tier>,
        ancestry: &dyn Ancestry,
    ) -> Option<(Tier, i64)> {
        self.standing(log.scope)
            .filter_map(|receipt| Some((tier_of(receipt)?, receipt)))
            .filter(|(_, receipt)| {
                let tips = receipt.vector.tips(log);
                // What a receipt names outright needs no chain: the place on our own disk may be damaged just now.
                tips.iter()
                    .any(|end| *end == tip || ancestry.is_ancestor(log, tip, *end))
            })
            .map(|(tier, receipt)| (tier, receipt.at_ms))
            .min_by_key(|(tier, at_ms)| (Reverse(*tier), *at_ms))
    }

    /// The tips of `log` that standing receipts of `at_least` this tier name. What lies below them is durable there.
    pub fn tips_held(&self, log: &LogId, at_least: Tier, tier_of: &dyn Fn(&Receipt) -> Option<Tier>) -> Vec<Tip> {
        let mut tips: Vec<Tip> = self
            .standing(log.scope)
            .filter(|receipt| tier_of(receipt).is_some_and(|tier| tier >= at_least))
            .flat_map(|receipt| receipt.vector.tips(log))
            .copied()
            .collect();
        tips.sort_unstable();
        tips.dedup();
        tips
    }
}
