//! The office: one store, who is in, who is connected, what people ask.

use ledger::id::{DeviceId, Scope, Tier, UnitId};
use ledger::seed::Seeds;
use replica::authority::{Authority, Member};
use replica::entry::{Entry, KIND_STATEMENT, LogId, Tip};
use replica::statement::{Role, Statement};
use replica::time::Now;
use serde_json::Value;
use store::{Committed, Disk, KvPlace, Opened, Progress, Store, StoreError};
use thiserror::Error;

use crate::cases::Desk;
use crate::command::{Command, CommandError};
use crate::identity::{Identity, IdentityError};
use crate::keys::Keys;
use crate::life::{Life, fact, fact_u64};
use crate::statements::Statements;
use crate::views::Views;

/// Where an office lives.
pub struct Home {
    pub disk: Box<dyn Disk>,
    pub place: Box<dyn KvPlace>,
    /// Name and version of the program, shown to operators.
    pub software: String,
}

/// Why an office cannot go on.
#[derive(Debug, Error)]
pub enum OfficeError {
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is on the disk is not known since a failed sync: close every connection, drop the office and open it again.
    #[error("the office has to be opened again: {0}")]
    Reopen(String),
}

/// One unit's office on one device. Single-threaded; never blocks but for the disk.
pub struct Office {
    pub(crate) me: Identity,
    pub(crate) software: String,
    pub(crate) store: Store,
    pub(crate) opened: Opened,
    pub(crate) statements: Statements,
    pub(crate) authority: Authority,
    pub(crate) life: Option<Life>,
    pub(crate) seeds: Seeds,
    /// Random per process: the second half of this process's actor ids.
    pub(crate) process: [u8; 8],
    /// The epoch of our own logs.
    pub(crate) epoch: u64,
    pub(crate) views: Views,
    pub(crate) keys: Keys,
    pub(crate) desk: Desk,
}

impl Office {
    /// Opens the office in a folder, making the device's keys and an empty store where there are none.
    ///
    /// # Errors
    /// When the keys or the journal cannot be read at all; damage in the middle is no error, it is reported by `status`.
    pub fn open(
        home: Home,
        seed: [u8; 32],
        _now: Now,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, OfficeError> {
        let mut seeds = Seeds::new(seed);
        let mut disk = home.disk;
        let me = Identity::load_or_create(disk.as_mut(), &mut seeds)?;
        let (store, opened) = Store::open(disk, home.place, progress)?;
        let statements = Statements::load(&store)?;
        let life = Life::load(&store);
        let epoch = fact_u64(&store, fact::EPOCH).unwrap_or(0);
        let process = seeds.bytes();
        let views = Views::open(&store);
        // Before it has a life, an office knows nobody.
        let authority = statements.fold(DeviceId::ZERO, &store);
        let mut office = Self {
            me,
            software: home.software,
            store,
            opened,
            statements,
            authority,
            life,
            seeds,
            process,
            epoch,
            views,
            keys: Keys::default(),
            desk: Desk::default(),
        };
        office.refold();
        Ok(office)
    }

    /// This device.
    pub fn device(&self) -> DeviceId {
        self.me.device
    }

    /// The key of the device's TLS identity.
    pub fn signing_key(&self) -> &ed25519_dalek::SigningKey {
        &self.me.signing
    }

    /// Where this device belongs; none before `init` or `join`.
    pub fn life(&self) -> Option<&Life> {
        self.life.as_ref()
    }

    /// The hubs above, in the order of trying.
    pub fn hub_addrs(&self) -> Vec<String> {
        self.life.as_ref().map(|l| l.addrs.clone()).unwrap_or_default()
    }

    /// Whether a key belongs to a device that is in.
    pub fn is_member(&self, device: &DeviceId) -> bool {
        self.authority.member(device).is_some_and(Member::is_live)
    }

    /// Whether a key was taken out.
    pub fn is_revoked(&self, device: &DeviceId) -> bool {
        self.authority.is_revoked(device)
    }

    pub(crate) fn unit(&self) -> Option<UnitId> {
        self.life.as_ref().map(|l| l.unit)
    }

    pub(crate) fn role(&self) -> Role {
        self.life.as_ref().map_or(Role::Node, |l| l.role)
    }

    /// The tier of our own unit; a room until an organisation says otherwise.
    pub(crate) fn tier(&self) -> Tier {
        self.unit()
            .and_then(|u| self.authority.unit(u))
            .map_or(Tier::Room, |u| u.kind.tier())
    }

    /// Carries out one command. What it answers is durable.
    ///
    /// # Errors
    /// In Chinese, with what to do next.
    pub fn command(
        &mut self,
        now: Now,
        command: Command,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Value, CommandError> {
        let _ = (now, command, progress);
        todo!()
    }

    /// Appends entries to our own log of a scope; durable after the next commit.
    pub(crate) fn stage_entries(&mut self, scope: Scope, entries: Vec<Entry>) -> Result<Tip, StoreError> {
        self.store.stage_local(&self.me.signing, scope, self.epoch, entries)
    }

    /// States something in our unit's public scope, signed by itself; durable after the next commit.
    pub(crate) fn state(&mut self, unit: UnitId, statement: Statement) -> Result<Tip, StoreError> {
        let scope = Scope::public(unit);
        let entry = Entry {
            kind: KIND_STATEMENT,
            body: statement.encode(),
        };
        let tip = self.stage_entries(scope, vec![entry])?;
        let log = LogId {
            scope,
            device: self.me.device,
            epoch: self.epoch,
        };
        self.statements.staged_own(log, tip, statement);
        Ok(tip)
    }

    /// Makes everything staged durable, then tells everybody concerned: one sync for all that came since the last.
    ///
    /// # Errors
    /// [`OfficeError::Reopen`] after a failed sync.
    pub fn commit(&mut self, now: Now) -> Result<(), OfficeError> {
        let _: Committed = self.store.commit()?;
        let _ = now;
        Ok(())
    }

    /// Folds the authority anew from the durable statements.
    pub(crate) fn refold(&mut self) {
        if let Some(life) = &self.life {
            self.authority = self.statements.fold(life.root, &self.store);
            self.keys = Keys::refresh(&self.authority, &self.me.device, &self.me.unseal);
        }
    }

    /// How far our clock is known to be off, milliseconds; nothing when nobody was met.
    pub(crate) fn own_skew_ms(&self) -> Option<i32> {
        None
    }
}
