//! The keys a device was granted: which books it can open, and the hubs' key for finding the same person across rooms.
//!
//! Grants are statements, sealed to the device's unsealing key. Where two hubs made a key for the same book while apart, both are
//! kept: every one opens what it wrapped, and the one with the smaller digest leads, so that all holders agree on it.
//!
//! While the unsealing key is locked no key is here, and still cases are recorded: every book key has a public half (its *door*,
//! 门) to which a new record's key is agreed on, so that it can be closed without being able to open what lies behind it. It takes
//! the same 48 bytes in the vault and on the wire, and every holder of the book's key opens it; a passphrase that is forgotten
//! takes nothing with it.

use std::collections::{BTreeMap, BTreeSet};

use hkdf::Hkdf;
use ledger::id::{DeviceId, Hash, RecordId, Scope};
use ledger::seal::{HubKey, RecordKey, ScopeKey, WRAPPED_KEY_LEN};
use replica::authority::Authority;
use replica::sealbox::{self, UnsealKey};
use replica::statement::Grant;
use sha2::{Digest, Sha256};
use store::{Store, StoreError};
use zeroize::Zeroizing;

/// The keys of one device, in RAM only.
#[derive(Default, Debug)]
pub struct Keys {
    scopes: BTreeMap<Scope, Vec<ScopeKey>>,
    hubs: Vec<HubKey>,
    /// What the grants that count held, by the digest of each: opening one costs a multiplication on the curve, and every new
    /// statement asks a hub for all of them again.
    opened: BTreeMap<Hash, Option<ScopeKey>>,
    /// The books whose keys were granted, whether they can be opened now or not.
    granted: BTreeSet<Scope>,
    locked: bool,
}

/// To what the key of a new record is closed.
pub(crate) enum Closing {
    Key(ScopeKey),
    /// The public half of the leading key of a book that is locked.
    Door([u8; 32]),
}

/// What a grant's sealed box is bound to: its scope, and whether it is the hubs' key.
pub fn grant_context(scope: &Scope, hub_only: bool) -> Vec<u8> {
    let mut context = b"cunlian/grant".to_vec();
    context.extend_from_slice(&scope.to_bytes());
    context.push(u8::from(hub_only));
    context
}

impl Keys {
    /// Opens every grant to `me` that counts and was not opened `before`. A grant that does not open is passed over: another one may.
    /// `unseal` is `None` while it is locked: then nothing is opened, and what was opened is let go.
    pub fn refresh(before: &Self, authority: &Authority, me: &DeviceId, unseal: Option<&UnsealKey>) -> Self {
        let mut keys = Self {
            locked: unseal.is_none(),
            ..Self::default()
        };
        for grant in authority.grants(me) {
            if !grant.hub_only {
                keys.granted.insert(grant.scope);
            }
            if let Some(unseal) = unseal {
                keys.take(before, grant, unseal);
            }
        }
        for found in keys.scopes.values_mut() {
            found.sort_by_key(|k| digest(&k.0));
            found.dedup();
        }
        keys.hubs.sort_by_key(|k| digest(&k.0));
        keys.hubs.dedup();
        keys
    }

    fn take(&mut self, before: &Self, grant: &Grant, unseal: &UnsealKey) {
        let context = grant_context(&grant.scope, grant.hub_only);
        let id = digest(&[context.as_slice(), &grant.sealed].concat());
        let key = before.opened.get(&id).cloned().unwrap_or_else(|| {
            let plain = Zeroizing::new(unseal.open(&context, &grant.sealed).ok()?);
            plain.as_slice().try_into().map(ScopeKey).ok()
        });
        self.opened.insert(id, key.clone());
        let Some(key) = key else { return };
        if grant.hub_only {
            self.hubs.push(HubKey(key.0));
        } else {
            self.scopes.entry(grant.scope).or_default().push(key);
        }
    }

    /// Whether the keys are there but the unsealing key is locked.
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// Whether a book's key was granted; it may be locked.
    pub fn is_granted(&self, scope: &Scope) -> bool {
        self.granted.contains(scope)
    }

    /// The public half of a book's leading key.
    pub(crate) fn door(&self, scope: &Scope) -> Option<[u8; 32]> {
        Some(behind_door(self.scope_keys(scope).first()?).public())
    }

    /// The leading key of a book.
    pub fn scope_key(&self, scope: &Scope) -> Option<ScopeKey> {
        self.scope_keys(scope).first().cloned()
    }

    /// All keys of a book, the leading one first.
    pub fn scope_keys(&self, scope: &Scope) -> &[ScopeKey] {
        self.scopes.get(scope).map_or(&[], Vec::as_slice)
    }

    /// The books that this device can open.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> + '_ {
        self.scopes.keys().copied()
    }

    /// The leading matching key of the county's hubs; `None` on rooms.
    pub fn hub_key(&self) -> Option<HubKey> {
        self.hubs.first().cloned()
    }

    /// All matching keys of the county's hubs, the leading one first.
    pub(crate) fn hub_keys(&self) -> &[HubKey] {
        &self.hubs
    }

    /// Unwraps a record's key as it lies in the vault.
    pub fn unwrap(&self, scope: &Scope, record: &RecordId, wrapped: &[u8; WRAPPED_KEY_LEN]) -> Option<RecordKey> {
        let keys = self.scope_keys(scope);
        let direct = keys.iter().find_map(|key| key.unwrap_key(wrapped, record).ok());
        direct.or_else(|| {
            let context = door_context(scope, record);
            keys.iter().find_map(|key| {
                let agreed = behind_door(key).decapsulate(&context, wrapped).ok()?;
                Some(RecordKey(*agreed))
            })
        })
    }

    /// A record's key out of the vault; `None` when it is not here, erased, or under a key that was not granted.
    ///
    /// # Errors
    /// When the disk cannot read just now.
    pub fn record_key(&self, store: &Store, scope: &Scope, record: &RecordId) -> Result<Option<RecordKey>, StoreError> {
        let wrapped = store.read_key(*scope, record)?;
        Ok(wrapped.and_then(|wrapped| self.unwrap(scope, record, &wrapped)))
    }

    /// Says "same person" without saying who: under the hubs' key where this device has it (across rooms), else under the book's.
    pub fn person_token(&self, scope: &Scope, cert_no: &str) -> Option<[u8; 16]> {
        match self.hubs.first() {
            Some(key) => Some(key.token("cert_no", cert_no)),
            None => Some(self.scope_keys(scope).first()?.token("cert_no", cert_no)),
        }
    }

    /// What an imported row is known by, under every key of the book: the leading one is written, any of them is recognised.
    pub fn import_keys(&self, scope: &Scope, row: &Hash) -> Vec<Hash> {
        let text = row.to_string();
        self.scope_keys(scope)
            .iter()
            .map(|key| digest(&key.token("import", &text)))
            .collect()
    }

    /// Changes whenever a key comes or goes: what was folded without it is folded again.
    pub(crate) fn fingerprints(&self) -> BTreeMap<Scope, Hash> {
        let mut hub = Sha256::new();
        self.hubs.iter().for_each(|k| hub.update(k.0));
        let hub: [u8; 32] = hub.finalize().into();
        self.scopes
            .iter()
            .map(|(scope, keys)| {
                let mut h = Sha256::new();
                h.update(hub);
                keys.iter().for_each(|k| h.update(k.0));
                // Digested again, so that nothing derived from a key alone lies in the index.
                let once: [u8; 32] = h.finalize().into();
                (*scope, digest(&once))
            })
            .collect()
    }
}

/// Makes a record's key at a book's door. `None`: the door is no usable public key.
pub(crate) fn close_at_door(
    door: &[u8; 32],
    scope: &Scope,
    record: &RecordId,
    seed: [u8; 32],
) -> Option<(RecordKey, [u8; WRAPPED_KEY_LEN])> {
    let (key, wrapped) = sealbox::encapsulate(door, &door_context(scope, record), seed).ok()?;
    Some((RecordKey(*key), wrapped))
}

/// The secret half of a book's door.
fn behind_door(key: &ScopeKey) -> UnsealKey {
    let mut secret = Zeroizing::new([0; 32]);
    let expanded = Hkdf::<Sha256>::new(Some(b"cunlian/scope-key"), &key.0).expand(b"door", secret.as_mut_slice());
    assert!(expanded.is_ok(), "HKDF gives up to 8160 bytes");
    UnsealKey::from_bytes(*secret)
}

fn door_context(scope: &Scope, record: &RecordId) -> Vec<u8> {
    [b"cunlian/door".as_slice(), &scope.to_bytes(), &record.0].concat()
}

/// The digest by which keys are told apart; in RAM only.
pub(crate) fn digest(bytes: &[u8]) -> Hash {
    let mut h = Sha256::new();
    h.update(b"cunlian/key digest");
    h.update(bytes);
    Hash(h.finalize().into())
}
