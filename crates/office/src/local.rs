//! What a session sees of the office.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{DeviceId, Hash, RecordId, Scope, ScopeKind, UnitId};
use replica::authority::{Authority, Write};
use replica::credential::{Credential, Introduced};
use replica::entry::{LogId, Tip};
use replica::frame::Health;
use replica::logs::SendPlan;
use replica::receipt::{Receipt, Withdrawal};
use replica::run::Run;
use replica::session::{Acquaintance, Asks, Local, Quota};
use replica::statement::Role;
use replica::vector::Vector;
use store::kv::prefix_end;
use store::{Merge, Order, Scan, Store, StoreError};

use crate::chain::{Chains, Line};
use crate::life::Life;
use crate::statements::Statements;
use crate::texts;
use crate::views::name::{self, Flag};

/// Peers that may catch up at the same time: enough to fill a hub's disk, few enough that each of them gets on.
const CATCH_UPS_MAX: usize = 32;
/// When a peer that found no slot should ask again.
const CATCH_UP_RETRY_MS: u64 = 2_000;

/// The office as one call of a session sees it.
pub(crate) struct Sight<'a> {
    pub(crate) me: DeviceId,
    /// Whose session it is.
    pub(crate) peer: DeviceId,
    pub(crate) life: &'a Life,
    pub(crate) store: &'a Store,
    /// Own receipts that are not written down yet: whoever meets us now is told them as those were who are here already.
    pub(crate) signed: &'a BTreeMap<Scope, Receipt>,
    pub(crate) authority: &'a Authority,
    pub(crate) statements: &'a Statements,
    pub(crate) line: &'a Line,
    pub(crate) health: &'a Health,
    pub(crate) quota: &'a mut Quota,
    pub(crate) asks: &'a mut Asks,
    pub(crate) catching_up: &'a mut BTreeSet<DeviceId>,
    pub(crate) mono_ms: u64,
}

/// What is known of a key by a device at `life`. Whoever is held is turned away by hubs above it and of its own unit only: a room that
/// turned its own hub away would never hear that it was lifted.
pub(crate) fn acquaintance(authority: &Authority, life: &Life, device: &DeviceId) -> Acquaintance {
    match authority.member(device) {
        Some(member) if member.is_live() => match &member.held {
            Some(held) if life.role == Role::Hub && authority.is_within(member.unit, life.unit) => {
                Acquaintance::Held(texts::held(authority, held))
            }
            _ => Acquaintance::Member { unit: member.unit },
        },
        Some(_) => Acquaintance::Revoked,
        None => Acquaintance::Unknown,
    }
}

/// Records of these books whose keys are missing here, at most `max`.
pub(crate) fn keyless(store: &Store, scopes: &[Scope], max: usize) -> Result<Vec<(Scope, RecordId)>, StoreError> {
    let wanted: BTreeSet<Scope> = scopes.iter().copied().collect();
    let prefix = name::flagged(Flag::Keyless);
    let mut found = Vec::new();
    store
        .kv()
        .scan(&prefix, &prefix_end(&prefix), Order::Rising, &mut |key, _| {
            if let Some(of) = name::tail(key).filter(|of| wanted.contains(&of.scope)) {
                found.push((of.scope, of.record));
            }
            if found.len() < max { Scan::On } else { Scan::Stop }
        })?;
    Ok(found)
}

impl Local for Sight<'_> {
    fn unit(&self) -> UnitId {
        self.life.unit
    }

    fn root(&self) -> DeviceId {
        self.life.root
    }

    fn introduction(&self) -> Vec<Credential> {
        let chains = Chains {
            root: self.life.root,
            authority: self.authority,
            statements: self.statements,
            store: self.store,
        };
        chains.own(&self.me)
    }

    fn acquaintance(&self, device: &DeviceId) -> Acquaintance {
        acquaintance(self.authority, self.life, device)
    }

    fn welcomes(&self, introduced: &Introduced) -> bool {
        self.authority.welcomes(introduced, &self.line.devices)
    }

    fn unsettled(&self, introduced: &Introduced) -> Option<String> {
        let unsettled = self.authority.is_unsettled(introduced);
        unsettled.then(|| crate::texts::UNSETTLED.to_owned())
    }

    fn shared_scopes(&self, with: UnitId) -> Vec<Scope> {
        if self.authority.member(&self.me).is_some() {
            return self.authority.shared_scopes(self.life.unit, with);
        }
        // A newcomer that has not seen the organisation yet: its own chain names the units above it, and from their public scopes
        // everything else follows. A county that has let it in itself names no township: from the topmost one that follows, too.
        let known = match self.line.units.contains(&with) {
            true => self.line.units.as_slice(),
            false => self.line.units.get(..1).unwrap_or_default(),
        };
        known.iter().map(|unit| Scope::public(*unit)).collect()
    }

    fn may_write(&self, device: &DeviceId, scope: &Scope) -> Write {
        self.authority.may_write(device, scope)
    }

    fn digest(&self, scope: Scope) -> Hash {
        self.store.logs().digest(scope)
    }

    fn vector(&self, scope: Scope) -> &Vector {
        self.store.logs().vector(scope)
    }

    fn holds(&self, log: &LogId, tip: Tip) -> bool {
        self.store.logs().holds(log, tip, self.store)
    }

    fn ancestor_at(&self, log: &LogId, tip: Tip, seq: u64) -> Option<Tip> {
        self.store.logs().ancestor_at(log, tip, seq, self.store)
    }

    fn send_plan(&self, log: &LogId, theirs: &[Tip], common: &[Tip]) -> SendPlan {
        self.store.logs().send_plan(log, theirs, common, self.store)
    }

    fn read(&self, log: &LogId, after: Tip, to: Tip, bytes_max: usize) -> Vec<Run> {
        let merge = match log.scope.kind {
            ScopeKind::Public => Merge::Checkpoints,
            ScopeKind::Book => Merge::Merged,
        };
        // What cannot be read is damaged: the store notes it, and the next tick repairs it.
        self.store.read(log, after, to, bytes_max, merge).unwrap_or_default()
    }

    fn key(&self, scope: Scope, record: &RecordId) -> Option<[u8; 48]> {
        if self.authority.erased(&scope, record) {
            return None;
        }
        self.store.key(scope, record)
    }

    fn keys_wanted(&self, scopes: &[Scope], max: usize) -> Vec<(Scope, RecordId)> {
        keyless(self.store, scopes, max)
            .unwrap_or_default()
            .into_iter()
            .filter(|(scope, record)| !self.authority.erased(scope, record))
            .collect()
    }

    fn receipts_digest(&self, scopes: &[Scope]) -> Hash {
        let hubs = self.authority.hubs_over(scopes);
        self.store.receipts().digest_with(scopes, &hubs, self.signed)
    }

    fn receipts(&self, scopes: &[Scope]) -> Vec<Receipt> {
        let hubs = self.authority.hubs_over(scopes);
        let held = self.store.receipts();
        let standing = scopes.iter().flat_map(|s| held.standing_with(*s, self.signed.get(s)));
        standing.filter(|r| hubs.contains(&r.hub)).cloned().collect()
    }

    fn withdrawals(&self, scopes: &[Scope]) -> Vec<Withdrawal> {
        let hubs = self.authority.hubs_over(scopes);
        let all = self.store.receipts().withdrawals();
        all.filter(|w| hubs.contains(&w.hub)).cloned().collect()
    }

    fn health(&self) -> Health {
        self.health.clone()
    }

    fn catch_up(&mut self, peer: &DeviceId) -> Result<(), u64> {
        if self.catching_up.contains(peer) || self.catching_up.len() < CATCH_UPS_MAX {
            self.catching_up.insert(*peer);
            return Ok(());
        }
        // Those who wait are spread out, or they would all come back at once.
        Err(CATCH_UP_RETRY_MS + u64::from(peer.0[0]) * 8)
    }

    fn caught_up(&mut self, peer: &DeviceId) {
        self.catching_up.remove(peer);
    }

    fn quota(&mut self, author: &DeviceId, entries: u64, bytes: u64) -> Result<(), u64> {
        // A PC that runs wild pushes its own entries. What a hub forwards has been counted there, and a county that is rebuilt from
        // a township must not take days to do it.
        if *author != self.peer {
            return Ok(());
        }
        self.quota.take(self.mono_ms, author, entries, bytes)
    }

    fn ask(&mut self, peer: &DeviceId, reads: u64) -> Result<(), u64> {
        self.asks.take(self.mono_ms, peer, reads)
    }
}
