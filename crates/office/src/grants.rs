//! Grants: who must hold which key, and who sees to it.
//!
//! A book's key goes to the devices of its unit and to the hubs above. Whoever admitted a device, or alone has the key, grants at
//! once; every other holder only when nobody else has after a while, so that hubs seldom grant twice (which would do no harm).
//!
//! Two hubs that were apart may each have made a key for the same book, and records lie under both. Then everybody who must open the
//! book is granted every key of it. So that a holder can tell who has which, a box follows from the key and from whom it is for:
//! whoever holds the key can say what the grant of it looks like.

use std::collections::{BTreeMap, BTreeSet};

use hkdf::Hkdf;
use ledger::id::{DeviceId, Hash, Scope, ScopeKind, UnitId};
use replica::authority::{Authority, Member};
use replica::sealbox::seal;
use replica::statement::{Grant, Role, Statement};
use replica::time::Now;
use sha2::Sha256;
use store::StoreError;
use zeroize::Zeroizing;

use crate::keys::{digest, grant_context};
use crate::office::Office;

/// How long a holder that is not called upon waits for the one that is.
const PATIENCE_MS: u64 = 5_000;

/// A key that a device should have and has not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Lack {
    scope: Scope,
    device: DeviceId,
    hub_only: bool,
    /// The digest of the key.
    key: Hash,
}

/// What has been noticed and not done yet, and since when.
#[derive(Default, Debug)]
pub(crate) struct Noticed {
    lacks: BTreeMap<Lack, u64>,
    keyless: BTreeMap<Scope, u64>,
    /// What grants of keys to these unsealing keys look like, as far as it was asked: each costs two multiplications on the curve.
    boxes: BTreeMap<(Hash, [u8; 32]), Vec<u8>>,
    /// Something is waiting for its time.
    pub(crate) waiting: bool,
}

impl Office {
    /// Makes a key for a book and grants it to this device; further grants follow once it is known here.
    pub(crate) fn make_scope_key(&mut self, scope: Scope) -> Result<(), StoreError> {
        let key = Zeroizing::new(self.seeds.bytes::<32>());
        self.grant(scope, false, &key, self.me.device, self.me.seal_key)
    }

    /// Makes the county's matching key.
    pub(crate) fn make_hub_key(&mut self, scope: Scope) -> Result<(), StoreError> {
        let key = Zeroizing::new(self.seeds.bytes::<32>());
        self.grant(scope, true, &key, self.me.device, self.me.seal_key)
    }

    pub(crate) fn grant(
        &mut self,
        scope: Scope,
        hub_only: bool,
        key: &[u8; 32],
        device: DeviceId,
        to: [u8; 32],
    ) -> Result<(), StoreError> {
        let Some(unit) = self.unit() else { return Ok(()) };
        // A device whose key is unusable gets nothing; that is its own doing.
        let Some(sealed) = sealed_box(scope, hub_only, key, &to) else {
            return Ok(());
        };
        let grant = Grant {
            scope,
            device,
            sealed,
            hub_only,
        };
        self.state(unit, Statement::Grant(grant)).map(|_| ())
    }

    /// Grants what is due; durable after the next commit. Returns whether anything was staged.
    pub(crate) fn grants_due(&mut self, now: Now) -> Result<bool, StoreError> {
        let Some(unit) = self.unit() else { return Ok(false) };
        let live: Vec<Member> = self.authority.members().filter(|m| m.is_live()).cloned().collect();
        if !live.iter().any(|m| m.device == self.me.device) {
            return Ok(false);
        }
        let granted = Granted::of(&self.authority, &live);
        self.noticed.waiting = false;
        let mut staged = self.keys_to_make(now, unit, &live, &granted)?;
        let lacks = self.lacks(unit, &live, &granted);
        self.noticed.lacks.retain(|lack, _| lacks.contains_key(lack));
        for (lack, (member, key)) in lacks {
            let alone = granted.holders(lack.scope, lack.hub_only).all(|d| *d == self.me.device);
            if !alone && member.admitted_by != self.me.device && !self.is_patience_over(now, lack) {
                continue;
            }
            self.grant(lack.scope, lack.hub_only, &key, member.device, member.seal_key)?;
            staged = true;
        }
        Ok(staged)
    }

    /// Every key that is held here and that somebody should have and has not, with who that is.
    fn lacks<'a>(&mut self, unit: UnitId, live: &'a [Member], granted: &Granted) -> Lacks<'a> {
        let mut asked = Vec::new();
        for scope in self.keys.scopes() {
            let line = self.line_of(scope.unit);
            let entitled = live.iter().filter(|m| line.contains(&m.unit));
            let entitled = entitled.filter(|m| m.role == Role::Hub || m.unit == line[0] || line[0] == scope.unit);
            let keys = self.keys.scope_keys(&scope).iter().map(|k| k.0).map(Zeroizing::new);
            asked.push((scope, false, keys.collect::<Vec<_>>(), entitled.collect::<Vec<_>>()));
        }
        if Some(unit) == self.authority.top() {
            let hubs = live.iter().filter(|m| m.role == Role::Hub).collect();
            let keys = self.keys.hub_keys().iter().map(|k| k.0).map(Zeroizing::new).collect();
            asked.push((Scope::book(unit), true, keys, hubs));
        }
        let mut lacks = Lacks::new();
        let before = std::mem::take(&mut self.noticed.boxes);
        for (scope, hub_only, keys, members) in asked {
            let several = granted.is_made_twice(scope, hub_only) || keys.len() > 1;
            let keys = if several {
                keys.as_slice()
            } else {
                keys.get(..1).unwrap_or_default()
            };
            for (key, member) in keys.iter().flat_map(|k| members.iter().map(move |m| (k, *m))) {
                let id = digest(key.as_slice());
                let has = if several {
                    let place = (id, member.seal_key);
                    let drawn = before.get(&place).cloned();
                    let Some(sealed) = drawn.or_else(|| sealed_box(scope, hub_only, key, &member.seal_key)) else {
                        continue;
                    };
                    let has = self.authority.grants(&member.device).any(|g| g.sealed == sealed);
                    self.noticed.boxes.insert(place, sealed);
                    has
                } else {
                    granted.holders(scope, hub_only).any(|d| *d == member.device)
                };
                if !has {
                    let lack = Lack {
                        scope,
                        device: member.device,
                        hub_only,
                        key: id,
                    };
                    lacks.insert(lack, (member, key.clone()));
                }
            }
        }
        lacks
    }

    fn is_patience_over(&mut self, now: Now, lack: Lack) -> bool {
        let since = *self.noticed.lacks.entry(lack).or_insert(now.mono_ms);
        let over = now.mono_ms.saturating_sub(since) >= PATIENCE_MS;
        self.noticed.waiting |= !over;
        over
    }

    /// A unit and all above it; for a former unit, from the room that it became.
    fn line_of(&self, unit: UnitId) -> Vec<UnitId> {
        let mut line = vec![unit];
        while let Some(above) = line.last().and_then(|u| self.authority.parent(*u)) {
            if line.contains(&above) {
                break;
            }
            line.push(above);
        }
        line
    }

    /// Makes keys for books of living units below for which no living device has one: new rooms, and those whose keys are lost.
    fn keys_to_make(&mut self, now: Now, unit: UnitId, live: &[Member], granted: &Granted) -> Result<bool, StoreError> {
        if self.role() != Role::Hub {
            return Ok(false);
        }
        let mut wanting: BTreeMap<Scope, bool> = BTreeMap::new();
        for member in live.iter().filter(|m| self.authority.is_within(m.unit, unit)) {
            let scope = Scope::book(member.unit);
            if granted.holders(scope, false).next().is_none() {
                let called = member.admitted_by == self.me.device || member.device == self.me.device;
                *wanting.entry(scope).or_default() |= called;
            }
        }
        self.noticed.keyless.retain(|scope, _| wanting.contains_key(scope));
        let mut staged = false;
        for (scope, called) in wanting {
            let since = *self.noticed.keyless.entry(scope).or_insert(now.mono_ms);
            // Our own book: a new hub first looks whether what it pulls holds a grant.
            let waits = !called || scope.unit == unit;
            if waits && now.mono_ms.saturating_sub(since) < PATIENCE_MS {
                self.noticed.waiting = true;
                continue;
            }
            self.make_scope_key(scope)?;
            staged = true;
        }
        let hub_scope = Scope {
            unit,
            kind: ScopeKind::Book,
        };
        let nobody = granted.holders(hub_scope, true).next().is_none();
        if Some(unit) == self.authority.top() && nobody {
            self.make_hub_key(hub_scope)?;
            staged = true;
        }
        Ok(staged)
    }
}

/// What is lacking, for whom, and the key itself.
type Lacks<'a> = BTreeMap<Lack, (&'a Member, Zeroizing<[u8; 32]>)>;

/// Who of the living has been granted a key of a book, and what was granted to the one who granted it.
struct Granted {
    holders: BTreeMap<(Scope, bool), BTreeSet<DeviceId>>,
    /// Whoever makes a key grants it to itself first: two such boxes, and a book may have two keys.
    made: BTreeMap<(Scope, bool), BTreeSet<Vec<u8>>>,
}

impl Granted {
    fn of(authority: &Authority, live: &[Member]) -> Self {
        let mut granted = Self {
            holders: BTreeMap::new(),
            made: BTreeMap::new(),
        };
        for member in live {
            for grant in authority.grants(&member.device) {
                let holders = granted.holders.entry((grant.scope, grant.hub_only)).or_default();
                holders.insert(member.device);
            }
        }
        for (_, grant) in authority.all_grants().filter(|(by, grant)| **by == grant.device) {
            let made = granted.made.entry((grant.scope, grant.hub_only)).or_default();
            made.insert(grant.sealed.clone());
        }
        granted
    }

    fn holders(&self, scope: Scope, hub_only: bool) -> impl Iterator<Item = &DeviceId> {
        self.holders.get(&(scope, hub_only)).into_iter().flatten()
    }

    fn is_made_twice(&self, scope: Scope, hub_only: bool) -> bool {
        self.made.get(&(scope, hub_only)).is_some_and(|made| made.len() > 1)
    }
}

/// A key sealed to the unsealing key `to`, the same by whomever and how often it is sealed. `None`: `to` is no usable public key.
fn sealed_box(scope: Scope, hub_only: bool, key: &[u8; 32], to: &[u8; 32]) -> Option<Vec<u8>> {
    let context = grant_context(&scope, hub_only);
    let mut seed = Zeroizing::new([0; 32]);
    let expanded =
        Hkdf::<Sha256>::new(Some(b"cunlian/grant-box"), key).expand_multi_info(&[&context, to], seed.as_mut_slice());
    assert!(expanded.is_ok(), "HKDF gives up to 8160 bytes");
    seal(to, &context, key, *seed).ok()
}
