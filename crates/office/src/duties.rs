//! What an office sees to by itself: codes and prefixes, its own forks, keys and pieces that are missing.

use std::collections::BTreeSet;

use ledger::id::{DeviceId, HubPrefix, NodeCode, Scope, ScopeKind};
use replica::authority::Member;
use replica::session::Input;
use replica::statement::{Admit, NewCode, Role, Statement};
use replica::time::Now;
use store::{Damage, Opened, Store, StoreError};

use crate::command::CommandError;
use crate::life::{Life, fact, fact_u64};
use crate::local::keyless;
use crate::office::{Office, OfficeError, unless_full};
use crate::prefix;
use crate::receipts::Patience;
use crate::reform::as_admitted;
use crate::salvage::Stranded;

/// How often duties are looked at while something may be due.
const DUTIES_EVERY_MS: u64 = 1_000;
/// How long own receipts may stay in RAM: they can be signed again, so they need no sync of their own.
const RECEIPTS_LAZY_MS: u64 = 1_000;
/// After this time an office is a daemon's, and prepares for what is to come.
const SETTLING_MS: u64 = 2_000;
/// Missing keys asked for at once.
const KEYS_ASKED_MAX: usize = 1_000;
/// How often a piece of the journal is read for damage, so that it is found while a peer still holds what lay there.
const SCRUB_EVERY_MS: u64 = 60_000;
/// How much of it at once.
const SCRUB_BYTES: u64 = 4 * 1024 * 1024;
/// Rows that reports count, read into memory at one idle moment: some milliseconds.
const MIRROR_ROWS: usize = 1_024;
/// How often missing keys are asked for.
const KEYS_EVERY_MS: u64 = 5_000;

/// What is due, and when it was last looked at (monotonic milliseconds).
#[derive(Default, Debug)]
pub(crate) struct Due {
    /// Statements or logs have changed since codes and grants were last looked at.
    pub(crate) duties: bool,
    looked_ms: u64,
    keys_asked_ms: u64,
    scrubbed_ms: u64,
    /// Own receipts not staged yet, since when.
    pub(crate) receipts_since_ms: Option<u64>,
    /// Own receipts may no longer hold.
    pub(crate) own_receipts: bool,
    pub(crate) patience: Patience,
    /// Some record's key may be missing.
    pub(crate) keys: bool,
    /// Ticks in a row after which the next was due at once.
    pub(crate) restless: usize,
    /// Entries of ours may be stranded behind a damaged place.
    pub(crate) stranded: Option<Stranded>,
}

/// Whether logs of our own had entries in places that are damaged.
fn concern(damaged: &[Damage], me: &DeviceId) -> bool {
    let mut logs = damaged.iter().flat_map(|damage| &damage.logs);
    logs.any(|log| log.device == *me)
}

/// Whether entries of our own may have been lost since the store was last open: we must not go on from before them, as peers may
/// hold them.
pub(crate) fn may_have_lost_own(opened: &Opened, store: &Store, me: &DeviceId) -> bool {
    let unknown = opened.rebuilt.is_some() && !opened.damaged.is_empty();
    opened.shortened || unknown || concern(&opened.damaged, me) || goes_on_before_a_hole(store, me)
}

/// Whether a log of our epoch had entries in a place that is damaged: whoever met that ended before a new epoch was written down.
fn goes_on_before_a_hole(store: &Store, me: &DeviceId) -> bool {
    let epoch = fact_u64(store, fact::EPOCH);
    let mut logs = store.holes().flat_map(|damage| damage.logs);
    logs.any(|log| log.device == *me && Some(log.epoch) == epoch)
}

impl Office {
    /// What makes later requests short, one thing at a time, while the rows are up to the journal and nobody wants anything. `true`
    /// when there is more of it.
    pub(crate) fn idle_duties(&mut self, now: Now) -> bool {
        if self.fill_finder_idle() || self.count_some_books(now) {
            return true;
        }
        // Reports are a hub's.
        if self.role() == Role::Hub {
            self.views.mirror.want();
        }
        self.views.mirror.fill(self.store.kv(), MIRROR_ROWS)
    }

    /// Begins a life: its epoch and store id are new unless there are some already.
    pub(crate) fn begin_life(&mut self, life: Life) -> Result<(), StoreError> {
        self.store.stage_fact(fact::LIFE, Some(&life.to_bytes()))?;
        if self.epoch == 0 {
            self.begin_epoch()?;
        }
        if self.store_id == 0 {
            self.begin_store()?;
        }
        self.life = Some(life);
        self.due.duties = true;
        // Known at once to what follows in the same command.
        self.refold();
        Ok(())
    }

    /// From now on our entries go into new logs: our old ones have grown elsewhere too, or may have.
    pub(crate) fn begin_epoch(&mut self) -> Result<(), StoreError> {
        self.epoch = self.seeds.u64() | 1;
        // Another of us may have this process's actor as well, if a running machine was copied.
        self.process = self.seeds.bytes();
        self.epoch_due = false;
        let bytes = self.epoch.to_be_bytes();
        self.store.stage_fact(fact::EPOCH, Some(&bytes))?;
        self.show_epoch()
    }

    /// Makes a new epoch known before the first case is recorded in it, so that the hub above gives it a code of its own in time:
    /// our own key, granted once more to ourselves, is a statement that changes nothing else.
    fn show_epoch(&mut self) -> Result<(), StoreError> {
        let book = self.unit().map(Scope::book);
        let Some((unit, book)) = self.unit().zip(book) else {
            return Ok(());
        };
        if let Some(key) = self.keys.scope_key(&book) {
            let key = zeroize::Zeroizing::new(key.0);
            return self.grant(book, false, &key, self.me.device, self.me.seal_key);
        }
        // Behind the lock the same grant is said again, word for word.
        let mut held = self.authority.grants(&self.me.device);
        let same = held.find(|g| g.scope == book && !g.hub_only).cloned();
        drop(held);
        match same {
            Some(grant) => self.state(unit, Statement::Grant(grant)).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Whether a log of ours in this epoch has more than one end: another of us writes, too.
    pub(crate) fn is_forked(&self) -> bool {
        let logs = self.store.logs();
        logs.scopes().any(|scope| {
            logs.logs(scope)
                .any(|l| l.device == self.me.device && l.epoch == self.epoch && logs.tips(&l).len() > 1)
        })
    }

    /// A node code that nobody has, under our own prefix.
    pub(crate) fn new_node_code(&mut self) -> Result<NodeCode, CommandError> {
        let own = self.own_prefix().ok_or_else(|| {
            CommandError::failed(
                "no_prefix",
                "县里还没有给本中心分配节点前缀，请接通到县里的线路，稍后再开票或重试。",
            )
        })?;
        let code = prefix::next_code(own, &self.authority, &self.codes_given, &mut self.seeds).ok_or_else(|| {
            CommandError::failed("no_code", "本中心的节点编码已用完（1296 个），请联系系统维护人员。")
        })?;
        self.codes_given.insert(code.value());
        Ok(code)
    }

    fn own_prefix(&self) -> Option<HubPrefix> {
        self.authority.member(&self.me.device)?.prefix
    }

    /// A prefix for a hub below; `None` where only the county can give one: it follows by itself.
    pub(crate) fn new_prefix(&mut self) -> Option<HubPrefix> {
        let found = prefix::next_prefix(self.own_prefix()?, &self.authority, &self.prefixes_given)?;
        self.prefixes_given.insert(found.0);
        Some(found)
    }

    /// Codes for new epochs, prefixes for hubs without one. Returns whether anything was staged.
    fn codes_due(&mut self) -> Result<bool, StoreError> {
        let Some(life) = self.life.clone().filter(|l| l.role == Role::Hub) else {
            return Ok(false);
        };
        let below: Vec<Member> = self
            .authority
            .members()
            .filter(|m| m.is_live() && m.unit != life.unit && self.authority.is_within(m.unit, life.unit))
            .cloned()
            .collect();
        let mut staged = false;
        for member in below {
            let called = member.admitted_by == self.me.device || !self.is_member(&member.admitted_by);
            if called && self.own_prefix().is_some() {
                for epoch in self.epochs_without_code(&member) {
                    let Ok(code) = self.new_node_code() else { break };
                    let device = member.device;
                    self.state(life.unit, Statement::NodeCode(NewCode { device, epoch, code }))?;
                    staged = true;
                }
            }
            let lacks_prefix = member.role == Role::Hub && (member.prefix.is_none() || member.prefix_clash);
            if lacks_prefix
                && Some(life.unit) == self.authority.top()
                && let Some(prefix) = self.new_prefix()
            {
                let admit = Admit {
                    prefix: Some(prefix),
                    ..as_admitted(&member)
                };
                self.state(life.unit, Statement::Admit(admit))?;
                staged = true;
            }
        }
        Ok(staged)
    }

    /// A device that writes under a second epoch has forked or been restored: from then on every epoch has a code of its own, or the
    /// copies would print the same numbers.
    fn epochs_without_code(&self, member: &Member) -> Vec<u64> {
        let logs = self.store.logs();
        let mut epochs: BTreeSet<u64> = BTreeSet::new();
        for unit in &member.units {
            for scope in [Scope::book(*unit), Scope::public(*unit)] {
                epochs.extend(logs.logs(scope).filter(|l| l.device == member.device).map(|l| l.epoch));
            }
        }
        if epochs.len() < 2 && !member.code_clash {
            return Vec::new();
        }
        epochs.retain(|e| !member.codes.contains_key(e));
        epochs.into_iter().collect()
    }

    /// Looks after grants, codes and what a reform leaves to be said now. Returns whether anything was staged.
    pub(crate) fn do_duties(&mut self, now: Now) -> Result<bool, StoreError> {
        self.due.duties = false;
        self.due.looked_ms = now.mono_ms;
        if self.life.is_none() {
            return Ok(false);
        }
        let granted = self.grants_due(now)?;
        let told = self.moved_due()?;
        Ok(self.codes_due()? || granted || told)
    }

    /// Does what the time has come for: sessions' timers, receipts, duties, repairs, reports. To be called when
    /// [`Office::next_wakeup`] says so; more often does no harm.
    ///
    /// # Errors
    /// As [`Office::commit`].
    pub fn tick(&mut self, now: Now) -> Result<(), OfficeError> {
        let done = unless_full(self.tick_or_fail(now));
        let due_again = self.next_wakeup().is_some_and(|at| at <= now.mono_ms);
        self.due.restless = if due_again { self.due.restless + 1 } else { 0 };
        done
    }

    fn tick_or_fail(&mut self, now: Now) -> Result<(), OfficeError> {
        self.lock_if_idle(now);
        self.wake_sessions(now);
        self.reports.grow_silent(now);
        self.repair(now)?;
        self.settled_in(now);
        let elapsed = now.mono_ms.saturating_sub(self.due.looked_ms);
        if (self.due.duties || self.noticed.waiting) && elapsed >= DUTIES_EVERY_MS {
            self.do_duties(now)?;
        }
        let lazy = self.due.receipts_since_ms;
        if lazy.is_some_and(|since| now.mono_ms.saturating_sub(since) >= RECEIPTS_LAZY_MS) {
            self.stage_unstaged()?;
        }
        self.due.own_receipts |= self.due.patience.is_over(now);
        self.settle_receipts(now)?;
        if self.due.keys && now.mono_ms.saturating_sub(self.due.keys_asked_ms) >= KEYS_EVERY_MS {
            self.ask_keys(now)?;
        }
        self.salvage_if_due(now)?;
        self.witness_if_due(now)?;
        self.send_reports(now);
        self.send_asides(now);
        self.commit_or_fail(now)
    }

    /// Whether this office runs as a daemon rather than for one command. The first time it does, the start is counted.
    pub(crate) fn settled_in(&mut self, now: Now) -> bool {
        if self.settled_in || self.life.is_none() || now.mono_ms < self.opened_ms + SETTLING_MS {
            return self.settled_in;
        }
        self.settled_in = true;
        let power_ups = fact_u64(&self.store, fact::POWER_UPS).unwrap_or(0) + 1;
        self.peers.health.power_ups = power_ups;
        // A count that cannot be written is none that matters.
        let _ = self.store.stage_fact(fact::POWER_UPS, Some(&power_ups.to_be_bytes()));
        // What a device cannot be told again by anybody, where it belongs above all, lies in the journal once for each start.
        let _ = self.store.stage_facts_together();
        true
    }

    /// Lowers logs to before damage that was met while reading, so that peers send again what lay there.
    pub(crate) fn repair(&mut self, now: Now) -> Result<(), OfficeError> {
        for (scope, record) in self.store.keys_rotted() {
            self.views.touch(scope, record);
            self.due.keys = true;
        }
        // "Not held", "no ancestor" and "nothing to send" may have meant "could not be read": what was concluded from that is
        // concluded anew.
        let doubted = self.store.is_in_doubt();
        let mut damaged = self.store.repair()?;
        if doubted {
            self.statements.read_again(&self.store)?;
        }
        if now.mono_ms.saturating_sub(self.due.scrubbed_ms) >= SCRUB_EVERY_MS {
            self.due.scrubbed_ms = now.mono_ms;
            damaged.extend(self.store.scrub(SCRUB_BYTES)?);
        }
        if doubted || !damaged.is_empty() {
            self.lowered(now, &damaged)?;
        }
        Ok(())
    }

    /// Logs were lowered to before new damage, or may have been read as if they were.
    pub(crate) fn lowered(&mut self, now: Now, damaged: &[Damage]) -> Result<(), OfficeError> {
        self.lay_chain_back();
        self.store.adopt_waiting();
        self.refold();
        if !damaged.is_empty() {
            self.views.reread();
            self.note_loss(now);
            // What we said behind the hole lives on at our peers: going on from before it would be a fork.
            if concern(damaged, &self.me.device) && self.life.is_some() {
                self.begin_epoch()?;
            }
        }
        self.due.own_receipts = true;
        self.due.keys = true;
        self.tell_all(now, &Input::Compare);
        Ok(())
    }

    fn ask_keys(&mut self, now: Now) -> Result<(), OfficeError> {
        self.due.keys_asked_ms = now.mono_ms;
        let scopes: Vec<Scope> = self
            .store
            .logs()
            .scopes()
            .filter(|s| s.kind == ScopeKind::Book)
            .collect();
        let missing = keyless(&self.store, &scopes, KEYS_ASKED_MAX)?;
        self.due.keys = !missing.is_empty();
        if self.due.keys && !self.peers.lines.is_empty() {
            self.tell_all(now, &Input::KeysWanted(missing));
        }
        Ok(())
    }

    /// When [`Office::tick`] is due, in monotonic milliseconds; `None`: nothing is due by time alone.
    pub fn next_wakeup(&self) -> Option<u64> {
        let duties = (self.due.duties || self.noticed.waiting).then_some(self.due.looked_ms + DUTIES_EVERY_MS);
        let receipts = self.due.receipts_since_ms.map(|since| since + RECEIPTS_LAZY_MS);
        let keys = (self.due.keys && !self.peers.lines.is_empty()).then_some(self.due.keys_asked_ms + KEYS_EVERY_MS);
        let settling = (!self.settled_in && self.life.is_some()).then_some(self.opened_ms + SETTLING_MS);
        let stranded = self.due.stranded.map(|noted| noted.due_ms());
        let doubt = self.store.is_in_doubt().then_some(0);
        let all = [
            doubt,
            stranded,
            self.next_session_wakeup(),
            settling,
            self.locks_at_ms(),
            self.witness_due_ms(),
            duties,
            receipts,
            self.due.patience.over_at_ms(),
            keys,
            self.next_report_ms(),
            self.reports.silent_due_ms(),
            self.next_aside_ms(),
        ];
        all.into_iter().flatten().min()
    }

    /// Whether a device is one of ours by a statement that stands, for operators' lists.
    pub(crate) fn unit_code_of(&self, device: &DeviceId) -> Option<String> {
        let unit = self.authority.member(device)?.unit;
        Some(self.authority.unit(unit)?.code.to_string())
    }
}
