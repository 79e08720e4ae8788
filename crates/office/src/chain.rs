//! Chains of admissions: what introduces a device to those who do not know it yet.

use ledger::id::{DeviceId, UnitId};
use replica::authority::{Authority, Member, Stated};
use replica::credential::{Credential, decode_chain, encode_chain};
use replica::entry::{LogId, Tip};
use replica::limits::INTRODUCTION_LINKS_MAX;
use replica::statement::Statement;
use store::{Merge, Staged, Store, StoreError};

use crate::life::fact;
use crate::office::Office;
use crate::statements::Statements;

/// Enough for one admission alone.
const CREDENTIAL_READ_BYTES: usize = 64 * 1024;

/// Where chains are found.
pub(crate) struct Chains<'a> {
    pub(crate) root: DeviceId,
    pub(crate) authority: &'a Authority,
    pub(crate) statements: &'a Statements,
    pub(crate) store: &'a Store,
}

impl Chains<'_> {
    /// The chain of this device itself: from the logs, or as the hub gave it when this device joined.
    pub(crate) fn own(&self, me: &DeviceId) -> Vec<Credential> {
        self.to(me).or_else(|| self.kept(me)).unwrap_or_default()
    }

    /// The admissions from the root down to `device`, each signed alone; `None` when one of them is neither in the logs here nor in
    /// the chain that was kept.
    pub(crate) fn to(&self, device: &DeviceId) -> Option<Vec<Credential>> {
        let mut chain = Vec::new();
        let mut at = *device;
        while at != self.root {
            if chain.len() >= INTRODUCTION_LINKS_MAX {
                return None;
            }
            let member = self.authority.member(&at)?;
            let Some(credential) = self.credential(member.admitted_by, &at) else {
                chain.extend(self.kept(&at)?.into_iter().rev());
                break;
            };
            chain.push(credential);
            at = member.admitted_by;
        }
        chain.reverse();
        (chain.len() <= INTRODUCTION_LINKS_MAX).then_some(chain)
    }

    /// The chain that this device joined with, down to `device`: what is left when the logs that hold it are damaged.
    fn kept(&self, device: &DeviceId) -> Option<Vec<Credential>> {
        let mut chain = decode_chain(self.store.fact(fact::CHAIN)?).ok()?;
        let admits = |c: &Credential| c.admit().is_some_and(|admit| admit.device == *device);
        let end = chain.iter().position(admits)?;
        chain.truncate(end + 1);
        Some(chain)
    }

    fn credential(&self, by: DeviceId, device: &DeviceId) -> Option<Credential> {
        let admits = |s: &&Stated| {
            s.log.device == by && matches!(s.statement.as_ref(), Statement::Admit(a) if a.device == *device)
        };
        self.statements.durable().iter().filter(admits).find_map(|stated| {
            let prev = match stated.tip.seq {
                1 => Tip::START,
                seq => self
                    .store
                    .logs()
                    .ancestor_at(&stated.log, stated.tip, seq - 1, self.store)?,
            };
            let runs = self
                .store
                .read(&stated.log, prev, stated.tip, CREDENTIAL_READ_BYTES, Merge::Checkpoints)
                .ok()?;
            let [run] = <[_; 1]>::try_from(runs).ok()?;
            Credential::from_run(&run.verify().ok()?)
        })
    }
}

impl Office {
    /// A founding hub was introduced by nobody. Where its disk rots just at its own admission, and the index goes as well, its peers
    /// still hold the admission; but it would take nobody's word, not even its own, if it had forgotten who it is.
    pub(crate) fn keep_chain(&mut self) -> Result<(), StoreError> {
        let Some(life) = self.life.as_ref().filter(|_| self.store.fact(fact::CHAIN).is_none()) else {
            return Ok(());
        };
        let chains = Chains {
            root: life.root,
            authority: &self.authority,
            statements: &self.statements,
            store: &self.store,
        };
        let chain = chains.own(&self.me.device);
        if !chain.is_empty() {
            self.store.stage_fact(fact::CHAIN, Some(&encode_chain(&chain)))?;
        }
        Ok(())
    }
}

impl Office {
    /// Lays the admissions of the kept chain back into logs that have lost them. Whoever stands below us hears of them nowhere else, if
    /// every other disk that held them is gone. Those that follow from nothing here have to wait for their logs.
    pub(crate) fn lay_chain_back(&mut self) {
        let kept = self.store.fact(fact::CHAIN).and_then(|bytes| decode_chain(bytes).ok());
        for credential in kept.unwrap_or_default() {
            if let Ok(run) = credential.to_run().verify()
                && matches!(self.store.stage_run(&run), Ok(Staged::New(_)))
            {
                self.statements.staged(&run);
            }
        }
    }
}

/// What the chain says with which this device joined: who stands over it, even when its disk has lost every statement.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Line {
    /// The units from the top down to ours.
    pub(crate) units: Vec<UnitId>,
    /// The devices admitted by it, the last is this one.
    pub(crate) devices: Vec<DeviceId>,
}

impl Line {
    /// Empty when this device has not joined.
    pub(crate) fn of(store: &Store) -> Self {
        let chain = store.fact(fact::CHAIN).and_then(|bytes| decode_chain(bytes).ok());
        let mut line = Self::default();
        for credential in chain.unwrap_or_default() {
            line.units.push(credential.log.scope.unit);
            if let Some(admit) = credential.admit() {
                line.units.push(admit.unit);
                line.devices.push(admit.device);
            }
        }
        line.units.dedup();
        line
    }
}

/// The last entries that count of devices taken out, by log.
pub(crate) fn cuts(authority: &Authority) -> impl Iterator<Item = (LogId, Tip)> + '_ {
    authority.members().flat_map(cuts_of)
}

/// Of one device.
pub(crate) fn cuts_of(member: &Member) -> impl Iterator<Item = (LogId, Tip)> + '_ {
    member.revoked.iter().flat_map(|r| &r.cuts).map(|cut| {
        let log = LogId {
            scope: cut.scope,
            device: member.device,
            epoch: cut.epoch,
        };
        let end = Tip {
            seq: cut.seq,
            hash: cut.hash,
        };
        (log, end)
    })
}
