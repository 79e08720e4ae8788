//! Grants: who must hold which key, and who sees to it.
//!
//! A book's key goes to the devices of its unit and to the hubs above. Whoever admitted a device, or alone has the key, grants at
//! once; every other holder only when nobody else has after a while, so that hubs seldom grant twice (which would do no harm).

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{DeviceId, Scope, ScopeKind, UnitId};
use replica::authority::Member;
use replica::sealbox::seal;
use replica::statement::{Grant, Role, Statement};
use replica::time::Now;
use store::StoreError;
use zeroize::Zeroizing;

use crate::keys::grant_context;
use crate::office::Office;

/// How long a holder that is not called upon waits for the one that is.
const PATIENCE_MS: u64 = 5_000;

/// A key that a device should have and has not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Lack {
    scope: Scope,
    device: DeviceId,
    hub_only: bool,
}

/// What has been noticed and not done yet, and since when.
#[derive(Default, Debug)]
pub(crate) struct Noticed {
    lacks: BTreeMap<Lack, u64>,
    keyless: BTreeMap<Scope, u64>,
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
        let Ok(sealed) = seal(&to, &grant_context(&scope, hub_only), key, self.seeds.bytes()) else {
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
        let granted = self.granted(&live);
        self.noticed.waiting = false;
        let mut staged = self.keys_to_make(now, unit, &live, &granted)?;
        let mut lacks = BTreeSet::new();
        for scope in self.keys.scopes().collect::<Vec<_>>() {
            let line = self.line_of(scope.unit);
            let entitled = live.iter().filter(|m| line.contains(&m.unit));
            for member in entitled.filter(|m| m.role == Role::Hub || m.unit == line[0] || line[0] == scope.unit) {
                self.notice(&mut lacks, &granted, scope, member.device, false);
            }
        }
        if Some(unit) == self.authority.top() && self.keys.hub_key().is_some() {
            for member in live.iter().filter(|m| m.role == Role::Hub) {
                self.notice(&mut lacks, &granted, Scope::book(unit), member.device, true);
            }
        }
        self.noticed.lacks.retain(|lack, _| lacks.contains(lack));
        let by_id: BTreeMap<DeviceId, &Member> = live.iter().map(|m| (m.device, m)).collect();
        for lack in lacks {
            let holders = granted.get(&(lack.scope, lack.hub_only));
            let alone = holders.is_none_or(|h| h.iter().all(|d| *d == self.me.device));
            let Some(member) = by_id.get(&lack.device) else {
                continue;
            };
            if !alone && member.admitted_by != self.me.device && !self.is_patience_over(now, lack) {
                continue;
            }
            let key = if lack.hub_only {
                self.keys.hub_key().map(|k| Zeroizing::new(k.0))
            } else {
                self.keys.scope_key(&lack.scope).map(|k| Zeroizing::new(k.0))
            };
            if let Some(key) = key {
                self.grant(lack.scope, lack.hub_only, &key, member.device, member.seal_key)?;
                staged = true;
            }
        }
        Ok(staged)
    }

    fn is_patience_over(&mut self, now: Now, lack: Lack) -> bool {
        let since = *self.noticed.lacks.entry(lack).or_insert(now.mono_ms);
        let over = now.mono_ms.saturating_sub(since) >= PATIENCE_MS;
        self.noticed.waiting |= !over;
        over
    }

    fn notice(&self, lacks: &mut BTreeSet<Lack>, granted: &Granted, scope: Scope, device: DeviceId, hub_only: bool) {
        let has = granted.get(&(scope, hub_only)).is_some_and(|d| d.contains(&device));
        if !has {
            lacks.insert(Lack {
                scope,
                device,
                hub_only,
            });
        }
    }

    /// Who of the living has been granted what.
    fn granted(&self, live: &[Member]) -> Granted {
        let mut granted = Granted::new();
        for member in live {
            for grant in self.authority.grants(&member.device) {
                let holders = granted.entry((grant.scope, grant.hub_only)).or_default();
                holders.insert(member.device);
            }
        }
        granted
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
            let held = granted.get(&(scope, false)).is_some_and(|d| !d.is_empty());
            if !held {
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
        let nobody = granted.get(&(hub_scope, true)).is_none_or(BTreeSet::is_empty);
        if Some(unit) == self.authority.top() && nobody {
            self.make_hub_key(hub_scope)?;
            staged = true;
        }
        Ok(staged)
    }
}

type Granted = BTreeMap<(Scope, bool), BTreeSet<DeviceId>>;
