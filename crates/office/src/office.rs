//! The office: one store, who is in, who is connected, what people ask.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{DeviceId, Scope, ScopeKind, Tier, UnitId, UserId};
use ledger::seed::Seeds;
use replica::authority::{Authority, Member};
use replica::entry::{Entry, KIND_STATEMENT, LogId, Tip};
use replica::frame::Health;
use replica::logs::Ancestry;
use replica::receipt::{Receipt, StoreId};
use replica::session::Quota;
use replica::statement::{Admit, Role, Statement};
use replica::time::Now;
use serde_json::Value;
use store::{Committed, Disk, KvPlace, Opened, Position, Progress, Store, StoreError};
use thiserror::Error;

use crate::cases::{Desk, Inbox};
use crate::command::{Command, CommandError};
use crate::duties::{Due, may_have_lost_own};
use crate::finder::Finder;
use crate::grants::Noticed;
use crate::identity::{Identity, IdentityError};
use crate::keys::Keys;
use crate::life::{Life, fact, fact_u64};
use crate::passphrase::Vigil;
use crate::peers::{Peers, SessionId};
use crate::reports::Reports;
use crate::statements::{Statements, rescue_facts};
use crate::texts;
use crate::tiers::Reach;
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
    Store(StoreError),
    /// What is on the disk is not known since a failed sync: close every connection, drop the office and open it again.
    #[error("the office has to be opened again: {0}")]
    Reopen(String),
}

impl From<StoreError> for OfficeError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Poisoned(why) => Self::Reopen(why),
            other => Self::Store(other),
        }
    }
}

/// A full disk is a state of its own, shown and lived with; only what makes the disk untrustworthy ends an office.
pub(crate) fn unless_full<T: Default>(done: Result<T, OfficeError>) -> Result<T, OfficeError> {
    match done {
        Err(OfficeError::Store(StoreError::ReadOnly(_))) => Ok(T::default()),
        other => other,
    }
}

/// One unit's office on one device. Single-threaded; never blocks but for the disk.
pub struct Office {
    pub(crate) me: Identity,
    pub(crate) software: String,
    /// For whom a face asks what is carried out right now.
    pub(crate) acting: Option<UserId>,
    /// What the act in hand owes to the trail.
    pub(crate) owed: Option<crate::acts::Owed>,
    pub(crate) store: Store,
    pub(crate) opened: Opened,
    pub(crate) statements: Statements,
    pub(crate) authority: Authority,
    pub(crate) life: Option<Life>,
    pub(crate) line: crate::chain::Line,
    pub(crate) seeds: Seeds,
    /// Random per process: the second half of this process's actor ids.
    pub(crate) process: [u8; 8],
    /// The epoch of our own logs.
    pub(crate) epoch: u64,
    /// Our logs have grown elsewhere: a new epoch is to begin.
    pub(crate) epoch_due: bool,
    /// Statements of a device that was taken out do not count because their end is not here.
    cuts_open: bool,
    /// Names this life of the disk in our receipts.
    pub(crate) store_id: StoreId,
    pub(crate) keys: Keys,
    pub(crate) vigil: Vigil,
    pub(crate) views: Views,
    pub(crate) desk: Desk,
    pub(crate) finder: Finder,
    pub(crate) inbox: Inbox,
    pub(crate) peers: Peers,
    pub(crate) reports: Reports,
    pub(crate) asides: crate::asides::Asides,
    pub(crate) meters: crate::meters::Meters,
    pub(crate) health: crate::health::Health,
    /// Sessions that have been told everything of the rooms once.
    pub(crate) reported_to: BTreeSet<SessionId>,
    pub(crate) health_due: bool,
    pub(crate) own_reach: Reach,
    pub(crate) noticed: Noticed,
    pub(crate) due: Due,
    /// When this office was opened, monotonic milliseconds.
    pub(crate) opened_ms: u64,
    /// It has been open for longer than one command takes.
    pub(crate) settled_in: bool,
    /// Own receipts signed and sent, not staged yet: they can always be signed again.
    pub(crate) unstaged: BTreeMap<Scope, Receipt>,
    /// Codes and prefixes given by this process, for those whose statements are not folded yet.
    pub(crate) codes_given: BTreeSet<u32>,
    pub(crate) prefixes_given: BTreeSet<u32>,
    /// Hubs of the topmost unit that used a ticket and wait for the root key.
    pub(crate) waiting_hubs: BTreeMap<DeviceId, Admit>,
    /// Devices whose ticket asks that somebody here compares their fingerprint.
    pub(crate) waiting_devices: BTreeMap<DeviceId, crate::tickets::Waiting>,
}

impl Office {
    /// Opens the office in a folder, making the device's keys and an empty store where there are none.
    ///
    /// # Errors
    /// When the keys or the journal cannot be read at all; damage in the middle is no error, it is reported by `status`.
    pub fn open(home: Home, seed: [u8; 32], now: Now, progress: &mut dyn FnMut(Progress)) -> Result<Self, OfficeError> {
        let mut seeds = Seeds::new(seed);
        let mut disk = home.disk;
        let me = Identity::load_or_create(disk.as_mut(), &mut seeds)?;
        let (mut store, opened) = Store::open(disk, home.place, progress)?;
        scrub(&mut store, progress)?;
        rescue_facts(&mut store)?;
        let mut statements = Statements::load(&store)?;
        statements.keep_copies(&mut store)?;
        let life = Life::load(&store);
        let line = crate::chain::Line::of(&store);
        let process = seeds.bytes();
        let health = Health {
            software: home.software.clone(),
            os: std::env::consts::OS.to_owned(),
            ..Health::default()
        };
        let mut office = Self {
            epoch: fact_u64(&store, fact::EPOCH).unwrap_or(0),
            cuts_open: false,
            epoch_due: may_have_lost_own(&opened, &store, &me.device),
            store_id: fact_u64(&store, fact::STORE_ID).unwrap_or(0),
            keys: Keys::default(),
            vigil: Vigil::new(now.mono_ms),
            views: Views::open(me.device, &store),
            desk: Desk::default(),
            finder: Finder::default(),
            inbox: Inbox::default(),
            reports: Reports::load(&store)?,
            asides: crate::asides::Asides::load(&store)?,
            me,
            software: home.software,
            acting: None,
            owed: None,
            store,
            opened,
            statements,
            authority: Authority::fold(DeviceId::ZERO, &[], &NothingHeld),
            life,
            line,
            seeds,
            process,
            peers: Peers::new(health),
            meters: crate::meters::Meters::default(),
            health: crate::health::Health::default(),
            reported_to: BTreeSet::new(),
            health_due: false,
            own_reach: Reach::default(),
            noticed: Noticed::default(),
            due: Due::default(),
            opened_ms: now.mono_ms,
            settled_in: false,
            unstaged: BTreeMap::new(),
            codes_given: BTreeSet::new(),
            prefixes_given: BTreeSet::new(),
            waiting_hubs: BTreeMap::new(),
            waiting_devices: BTreeMap::new(),
        };
        office.refold();
        if office.opened.keys_damaged > 0 {
            office.views.touch_keyless(&office.store)?;
        }
        office.begin_day(now)?;
        office.look_for_unwitnessed(now);
        Ok(office)
    }

    /// What is to be seen to before anything else is done with a store that was just opened.
    fn begin_day(&mut self, now: Now) -> Result<(), OfficeError> {
        if self.life.is_none() {
            return Ok(());
        }
        // Facts may lie in a place that is damaged.
        if self.epoch == 0 || self.epoch_due || self.is_forked() {
            self.begin_epoch()?;
        }
        self.keep_chain()?;
        self.lay_chain_back();
        self.store.adopt_waiting();
        if self.store.holes().next().is_some() || self.store.may_strand(&self.me.device) || self.may_state_again() {
            self.note_loss(now);
        }
        self.due.own_receipts = true;
        self.due.duties = true;
        self.due.keys = true;
        self.settle_receipts(now)?;
        self.sign_all(now);
        Ok(())
    }

    /// Counts entries of one device and day up to other limits than those of DESIGN §9.
    pub fn limit_days(&mut self, quota: Quota) {
        self.peers.quota = quota;
    }

    /// This device.
    pub fn device(&self) -> DeviceId {
        self.me.device
    }

    /// The key of the device's TLS identity.
    pub fn signing_key(&self) -> &ed25519_dalek::SigningKey {
        &self.me.signing
    }

    /// Whether this device belongs somewhere: `init` or `join` has been done.
    pub fn is_placed(&self) -> bool {
        self.life.is_some()
    }

    /// Whether some hub takes this device for a stranger because whoever let it in has been taken out since.
    pub fn is_unsettled(&self) -> bool {
        let mut told = self.reports.turned_away.values();
        told.any(|(_, bye)| bye.text == texts::UNSETTLED)
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
        if let Command::By(by) = command {
            self.works_here(by.user)?;
            self.acting = Some(by.user);
            self.owe(crate::acts::owed(&by.asks));
            let done = self.command(now, *by.asks, progress);
            let done = self.settle_act(now, done);
            self.acting = None;
            return done;
        }
        self.before_command(now, &command)?;
        match command {
            Command::PassphraseSet(args) => self.passphrase_set(now, &args),
            Command::Unlock(args) => self.unlock(now, &args),
            Command::Lock => self.lock(now),
            Command::AuditList(args) => self.audit_list(now, &args),
            Command::AuditAppend(args) => self.audit_append(now, args),
            Command::Init(args) => self.init_county(now, &args),
            Command::InitAlone(args) => self.init_alone(now, &args),
            Command::Invite(args) => self.invite(now, &args),
            Command::MemberList => self.member_list(),
            Command::MemberRevoke(args) => self.member_revoke(now, &args),
            Command::MemberExtend(args) => self.member_extend(now, &args),
            Command::MemberAdmit(args) => self.member_admit(now, &args),
            Command::Members(asked) => self.members(now, asked),
            Command::Tables(asked) => self.tables(now, asked),
            Command::UserAdd(args) => self.user_add(now, &args),
            Command::UserCode(args) => self.user_code(now, &args),
            Command::UserStop(args) => self.user_stop(now, &args),
            Command::UserList => self.user_list(),
            Command::DraftKeep(args) => self.draft_keep(&args),
            Command::DraftShow(args) => self.draft_show(&args),
            Command::DraftDrop(args) => self.draft_drop(&args),
            Command::Status => self.status(now),
            Command::Rooms => self.rooms(now),
            other => self.case_command(now, other, progress),
        }
    }

    pub(crate) fn works_here(&self, user: UserId) -> Result<(), CommandError> {
        let unit = self.unit().ok_or_else(texts::unplaced)?;
        match self.authority.user_at(&user, unit).is_some_and(|u| u.active) {
            true => Ok(()),
            false => Err(texts::user_not_here()),
        }
    }

    pub(crate) fn before_command(&mut self, now: Now, command: &Command) -> Result<(), CommandError> {
        // What we have said to others is to be seen in what is shown here.
        if self.stage_unstaged()? {
            self.commit_or_fail(now)?;
        }
        self.lock_if_idle(now);
        self.note_use(now, command);
        Ok(())
    }

    /// Asks before [`Office::command`]: where the rows have to be first. `None`: at once. Whoever has other things to do calls
    /// [`Office::apply`] until [`Office::is_applied`], then the command; whoever has not may call the command right away.
    ///
    /// # Errors
    /// In Chinese, when the index cannot be made anew at all.
    pub fn prepare(&mut self, _now: Now, command: &Command) -> Result<Option<Position>, CommandError> {
        if matches!(command.asked(), Command::Reindex) {
            self.begin_reindex(&mut |_| {})?;
        }
        let wait = command.asked().reads_rows() && self.life.is_some() && !self.views.is_current(&self.store);
        Ok(wait.then(|| self.store.head()))
    }

    /// Whether the rows are up to a place of the journal.
    pub fn is_applied(&self, until: Position) -> bool {
        self.views.is_applied(until)
    }

    /// What moves when something comes or goes: the journal's end, and how many changes of rows there were.
    pub fn marks(&self) -> (Position, u64) {
        (
            self.store.head(),
            self.views
                .writes()
                .wrapping_add(self.reports.news)
                .wrapping_add(self.asides.news),
        )
    }

    /// How far the index has come since it was wiped.
    pub fn rebuilt(&self) -> Progress {
        Progress {
            task: store::Task::Rebuilding,
            done: self.views.applied_entries(),
            total: self.store.stats().entries,
        }
    }

    fn case_command(
        &mut self,
        now: Now,
        command: Command,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Value, CommandError> {
        match command {
            Command::CaseNew(args) => self.case_new(now, args),
            Command::CaseDo(args) => self.case_do(now, args),
            Command::Evaluate(args) => self.evaluate(now, &args),
            Command::CaseEdit(args) => self.case_edit(now, args),
            Command::CaseTick(args) => self.case_tick(now, &args),
            Command::ErrandNew(args) => self.errand_new(now, args),
            Command::ErrandList(args) => self.errand_list(now, &args),
            Command::Sent(args) => self.sent(now, &args),
            Command::CaseList(args) => self.case_list(now, args),
            Command::CaseFind(args) => self.case_find(now, &args),
            Command::DayShow(args) => self.day_show(now, &args),
            Command::DayClose(args) => self.day_close(now, &args),
            Command::Monthly(args) => self.monthly(now, &args),
            Command::Report(report) => self.reported(now, &report),
            Command::CasePrint(args) => self.case_print(now, &args),
            Command::Today => self.today_view(now),
            Command::Matters => self.matters(now),
            Command::Visits(args) => self.visits(now, &args),
            Command::CaseShow(args) => self.case_show(now, args),
            Command::CaseImport(args) => self.case_import(now, args, progress),
            Command::CaseErase(args) => self.case_erase(now, args),
            Command::ConflictList => self.conflict_list(now),
            Command::ConflictResolve(args) => self.conflict_resolve(now, args),
            Command::QuarantineList => self.quarantine_list(now),
            Command::Work(work) => self.work(now, work),
            Command::Verify => self.verify(now, progress),
            Command::Reindex => self.reindex(now, progress),
            other => self.health_command(now, other),
        }
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

    /// Makes everything staged durable, then tells everybody concerned: one sync for all that came since the last. When the disk is
    /// full nobody is told anything: peers come back later.
    ///
    /// # Errors
    /// [`OfficeError::Reopen`] after a failed sync: nothing more is taken until the office is opened again.
    pub fn commit(&mut self, now: Now) -> Result<(), OfficeError> {
        unless_full(self.commit_or_fail(now))
    }

    /// As [`Office::commit`], for those who must know that the disk was full.
    pub(crate) fn commit_or_fail(&mut self, now: Now) -> Result<(), OfficeError> {
        /// What follows from a commit (a grant, a withdrawal) is committed too; nothing follows for ever.
        const ROUNDS_MAX: usize = 8;
        if let store::Health::Poisoned(why) = self.store.health() {
            return Err(OfficeError::Reopen(why));
        }
        for _ in 0..ROUNDS_MAX {
            if !self.store.has_staged() && !self.peers.has_staged() {
                break;
            }
            // In one commit with what of our own log came from elsewhere: who is killed behind it would go on in the old epoch.
            let begun = self.life.is_some() && std::mem::take(&mut self.epoch_due);
            if begun {
                self.begin_epoch()?;
                self.due.duties = true;
            }
            let committed = match self.store.commit() {
                Ok(committed) => committed,
                Err(StoreError::ReadOnly(reason)) => {
                    self.epoch_due |= begun;
                    self.statements.abandon();
                    self.drop_staged(now);
                    self.due.duties = true;
                    return Err(StoreError::ReadOnly(reason).into());
                }
                Err(error) => return Err(OfficeError::Reopen(error.to_string())),
            };
            self.after_commit(now, &committed)?;
        }
        Ok(())
    }

    fn after_commit(&mut self, now: Now, committed: &Committed) -> Result<(), OfficeError> {
        self.statements.read_adopted(&self.store, &committed.adopted)?;
        // What a device said before it was taken out counts once the end of it is here again, also where we knew every word of it.
        let reached = self.cuts_open && committed.scopes.iter().any(|scope| scope.kind == ScopeKind::Public);
        let stated = self.statements.settle() || reached;
        if stated {
            self.statements.keep_copies(&mut self.store)?;
            self.refold();
            self.keep_doors()?;
            self.cut_off_revoked(now);
        }
        self.settle_receipts(now)?;
        let signed = self.sign_receipts(now, &committed.scopes);
        if !committed.scopes.is_empty() || committed.receipts > 0 {
            self.health_due = true;
        }
        if committed.entries > 0 {
            self.due.duties |= self.role() == Role::Hub;
            self.due.keys = true;
        }
        self.settle_peers(now, &committed.scopes, signed);
        if stated {
            self.do_duties(now)?;
        }
        Ok(())
    }

    /// Brings the rows up to the journal, at most about `entries` at a time; returns how much is left. For idle moments.
    ///
    /// # Errors
    /// When the journal or the index cannot be read or written.
    pub fn apply(&mut self, now: Now, entries: usize) -> Result<usize, OfficeError> {
        unless_full(self.apply_or_fail(now, entries))
    }

    fn apply_or_fail(&mut self, now: Now, entries: usize) -> Result<usize, OfficeError> {
        self.repair(now)?;
        let applied = self
            .views
            .apply(&mut self.store, &self.authority, &self.keys, entries)?;
        // With nothing else to do, keys for the next cases are made: recording one then needs a single sync.
        let spared = applied.left == 0 && self.settled_in(now) && self.top_up_spares().is_ok_and(|made| made);
        if applied.erased > 0 || spared {
            self.commit_or_fail(now)?;
        }
        let more = applied.left == 0 && self.idle_duties(now);
        Ok(applied.left.max(usize::from(more)))
    }

    /// Folds the authority anew from the durable statements, and opens what has been granted.
    pub(crate) fn refold(&mut self) {
        let Some(life) = &self.life else { return };
        self.authority = self.statements.fold(life.root, &self.store, &self.authority);
        self.keys = Keys::refresh(&self.keys, &self.authority, &self.me.device, self.me.unseal());
        self.views.unsettle();
        self.cuts_open = crate::chain::cuts(&self.authority)
            .any(|(log, end)| log.scope.kind == ScopeKind::Public && !self.store.logs().holds(&log, end, &self.store));
    }
}

/// After an erasure the index is made anew at the next start: an index file keeps what a deleted row said (a masked name, a token of
/// the person) until something else is written there.
fn scrub(store: &mut Store, progress: &mut dyn FnMut(Progress)) -> Result<(), StoreError> {
    if store.fact(fact::SCRUB).is_some() {
        store.rebuild(progress)?;
        store.stage_fact(fact::SCRUB, None)?;
    }
    Ok(())
}

/// Knows no log: for an office that belongs nowhere yet.
pub(crate) struct NothingHeld;

impl Ancestry for NothingHeld {
    fn is_ancestor(&self, _: &LogId, _: Tip, _: Tip) -> bool {
        false
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::ReadOnly(_) => texts::disk_full(),
            StoreError::Poisoned(why) => Self::failed(
                "disk",
                format!("磁盘写入失败（{why}），没有保存；请检查磁盘并重新启动。"),
            ),
            other => Self::failed("disk", format!("数据读写出错（{other}），请检查磁盘并重新启动。")),
        }
    }
}

impl From<OfficeError> for CommandError {
    fn from(error: OfficeError) -> Self {
        match error {
            OfficeError::Store(error) => error.into(),
            OfficeError::Reopen(why) => Self::failed(
                "disk",
                format!("磁盘写入失败（{why}），没有保存；请检查磁盘并重新启动。"),
            ),
            OfficeError::Identity(error) => {
                Self::failed("identity", format!("密钥文件有问题（{error}），请联系系统维护人员。"))
            }
        }
    }
}
