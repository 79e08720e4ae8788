//! What rows were folded under: who the authors are, which versions and keys are here. When one of these changes, exactly the
//! records that it can concern are folded again.
//!
//! The comparison is by fingerprint, not by kind of statement: whatever a new statement does, it shows in what folding reads.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{DeviceId, Hash, Scope, ScopeKind, UnitId};
use replica::authority::{Authority, Member};
use replica::entry::{LogId, Tip};
use sha2::{Digest, Sha256};
use store::kv::prefix_end;
use store::{Kv, Order, Scan, Store, StoreError};

use crate::chain::{cuts, cuts_of};
use crate::keys::Keys;
use crate::views::name::{self, Flag};
use crate::views::row::{RecordRef, RecordRow};
use crate::views::{Views, add_forms};

const DEVICE: u8 = b'd';
const VERSION: u8 = b'v';
const KEY: u8 = b'k';
const ERASED: u8 = b'e';

/// Which records have to be folded again.
#[derive(Default)]
struct Concerned {
    devices: BTreeSet<DeviceId>,
    books: BTreeSet<Scope>,
    erased: BTreeSet<RecordRef>,
    versions: bool,
}

impl Views {
    /// Compares what rows were folded under with what stands now, and queues the records concerned.
    pub(super) fn settle(&mut self, store: &Store, authority: &Authority, keys: &Keys) -> Result<(), StoreError> {
        add_forms(&mut self.forms, authority);
        let kv = store.kv();
        let mut before: BTreeMap<Vec<u8>, Vec<u8>> = kv.prefix(name::UNDER)?.into_iter().collect();
        // Some rows may have been folded under what is not written yet.
        for (key, value) in &self.under {
            match value {
                Some(value) => before.insert(key.clone(), value.clone()),
                None => before.remove(key),
            };
        }
        self.cuts_awaited = cuts(authority)
            .filter(|(log, end)| !is_held(store, log, *end))
            .collect();
        let mut now = fingerprints(self, store, authority, keys);
        if keys.is_locked() {
            // What was folded with keys that are only locked now stands: folding it again would tell less.
            let kept = before.iter().filter(|(key, _)| key.starts_with(&name::under(KEY, &[])));
            now.extend(kept.map(|(key, value)| (key.clone(), value.clone())));
        }
        let mut concerned = Concerned::default();
        let mut changes: BTreeMap<Vec<u8>, Option<Vec<u8>>> = self.under.iter().cloned().collect();
        for (key, value) in &now {
            if before.get(key) != Some(value) {
                concerned.add(key);
                changes.insert(key.clone(), Some(value.clone()));
            }
        }
        for key in before.keys().filter(|k| !now.contains_key(*k)) {
            concerned.add(key);
            changes.insert(key.clone(), None);
        }
        self.queue(store, keys, &concerned)?;
        self.under = changes.into_iter().collect();
        self.unsettled = false;
        Ok(())
    }

    fn queue(&mut self, store: &Store, keys: &Keys, concerned: &Concerned) -> Result<(), StoreError> {
        let kv = store.kv();
        let mut flags = vec![Flag::Keyless];
        if concerned.versions {
            flags.push(Flag::Versions);
        }
        if !keys.is_locked() {
            flags.push(Flag::Locked);
        }
        for flag in flags {
            for (key, _) in kv.prefix(&name::flagged(flag))? {
                let of = name::tail(&key);
                let Some(of) = of else { continue };
                // Without its key a record folds to what it folded to before.
                if flag != Flag::Keyless || store.read_key(of.scope, &of.record)?.is_some() {
                    self.stale.insert(of);
                }
            }
        }
        for of in &concerned.erased {
            if Self::row(kv, *of)?.is_some() {
                self.stale.insert(*of);
            }
        }
        let books: Vec<Scope> = store.logs().scopes().filter(|s| s.kind == ScopeKind::Book).collect();
        for scope in books {
            let devices: BTreeSet<DeviceId> = store.logs().logs(scope).map(|log| log.device).collect();
            let whole = concerned.books.contains(&scope);
            if whole || !devices.is_disjoint(&concerned.devices) {
                self.queue_book(kv, scope, &|row| {
                    whole || row.logs.iter().any(|log| concerned.devices.contains(&log.device))
                })?;
            }
        }
        Ok(())
    }

    fn queue_book(&mut self, kv: &dyn Kv, scope: Scope, is_due: &dyn Fn(&RecordRow) -> bool) -> Result<(), StoreError> {
        let from = [name::RECORD, &scope.to_bytes()].concat();
        kv.scan(&from, &prefix_end(&from), Order::Rising, &mut |key, value| {
            // A row that cannot be read is made anew as well.
            if RecordRow::decode(value).as_ref().is_none_or(is_due) {
                self.stale.extend(name::tail(key));
            }
            Scan::On
        })?;
        Ok(())
    }
}

impl Concerned {
    fn add(&mut self, key: &[u8]) {
        let Some((kind, what)) = key.get(name::UNDER.len()..).and_then(<[u8]>::split_first) else {
            return;
        };
        match *kind {
            DEVICE => self.devices.extend(DeviceId::from_slice(what)),
            KEY => self.books.extend(Scope::from_bytes(what)),
            ERASED => self.erased.extend(RecordRef::from_bytes(what)),
            _ => self.versions = true,
        }
    }
}

fn fingerprints(views: &Views, store: &Store, authority: &Authority, keys: &Keys) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut all = BTreeMap::new();
    for member in authority.members() {
        let print = fingerprint(member, store, authority);
        all.insert(name::under(DEVICE, &member.device.0), print.0[..16].to_vec());
    }
    let forms = views.forms.iter().map(|f| f.hash());
    for version in forms.chain(authority.catalogues().keys().copied()) {
        all.insert(name::under(VERSION, &version.0), Vec::new());
    }
    for (scope, print) in keys.fingerprints() {
        all.insert(name::under(KEY, &scope.to_bytes()), print.0[..16].to_vec());
    }
    for (scope, record) in authority.erasures() {
        let of = RecordRef {
            scope: *scope,
            record: *record,
        };
        all.insert(name::under(ERASED, &of.to_bytes()), Vec::new());
    }
    all
}

/// Until the end of what counts is here nothing before it is known to lie on the way there.
fn is_held(store: &Store, log: &LogId, end: Tip) -> bool {
    store.logs().holds(log, end, store)
}

/// All that an envelope takes from the statements about its author.
fn fingerprint(member: &Member, store: &Store, authority: &Authority) -> Hash {
    let mut h = Sha256::new();
    let mut unit = |unit: UnitId| {
        let tier = authority.unit(unit).map_or(0, |u| u.kind.tier() as u8);
        h.update(unit.0);
        h.update([tier]);
    };
    unit(member.unit);
    member.units.iter().copied().for_each(unit);
    h.update([member.tier.map_or(0, |t| t as u8), u8::from(member.revoked.is_some())]);
    for (log, end) in cuts_of(member) {
        h.update(log.scope.to_bytes());
        h.update(log.epoch.to_be_bytes());
        h.update(end.seq.to_be_bytes());
        h.update(end.hash.0);
        h.update([u8::from(is_held(store, &log, end))]);
    }
    Hash(h.finalize().into())
}
