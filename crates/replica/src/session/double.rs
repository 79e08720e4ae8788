//! A county in RAM for the tests of the session: posts instead of offices, queues instead of lines.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ed25519_dalek::SigningKey;
use ledger::id::{DeviceId, Hash, RecordId, Scope, ScopeKind, UnitId};
use ledger::seed::Seeds;

use super::{Acquaintance, Asks, Dialled, Effect, Input, Local, Outcome, PeerError, Quota, Reason, Session};
use crate::authority::Write;
use crate::credential::{Credential, Introduced};
use crate::entry::{Entry, LogId, Tip};
use crate::frame::{HEADER_LEN, Header, Health, Inbound, WrappedKey};
use crate::logs::{Place, SendPlan};
use crate::memory::{Memory, device, key};
use crate::receipt::{Accepted, Receipt, Receipts, Withdrawal};
use crate::run::{Run, VerifiedRun};
use crate::time::Now;
use crate::vector::Vector;

pub(super) fn unit(number: u8) -> UnitId {
    UnitId([number; 16])
}

/// County 1; townships 2 and 3; rooms 4 and 5 below 2, 6 below 3.
pub(super) fn is_within(unit: UnitId, above: UnitId) -> bool {
    let parent = |unit: u8| match unit {
        2 | 3 => Some(1),
        4 | 5 => Some(2),
        6 => Some(3),
        _ => None,
    };
    let mut at = Some(unit.0[0]);
    while let Some(number) = at {
        if number == above.0[0] {
            return true;
        }
        at = parent(number);
    }
    false
}

fn may_hold(unit: UnitId, scope: &Scope) -> bool {
    match scope.kind {
        ScopeKind::Book => is_within(scope.unit, unit),
        ScopeKind::Public => is_within(scope.unit, unit) || is_within(unit, scope.unit),
    }
}

/// What a post stages until its next commit.
struct Staged {
    line: usize,
    batch: u64,
    runs: Vec<VerifiedRun>,
    keys: Vec<WrappedKey>,
}

pub(super) struct Post {
    pub(super) key: SigningKey,
    pub(super) unit: UnitId,
    pub(super) memory: Memory,
    pub(super) members: BTreeMap<DeviceId, UnitId>,
    pub(super) revoked: BTreeSet<DeviceId>,
    pub(super) held: BTreeSet<DeviceId>,
    pub(super) root: DeviceId,
    pub(super) chain: Vec<Credential>,
    pub(super) receipts: Receipts,
    pub(super) store: u64,
    pub(super) epoch: u64,
    pub(super) keys: BTreeMap<(Scope, RecordId), [u8; 48]>,
    pub(super) missing: BTreeSet<(Scope, RecordId)>,
    pub(super) slots: BTreeSet<DeviceId>,
    pub(super) slots_max: usize,
    pub(super) quota: Quota,
    pub(super) asks: Asks,
    pub(super) unshared: BTreeSet<Scope>,
    /// Hubs whose receipts do not count here.
    pub(super) discounted: BTreeSet<DeviceId>,
    pub(super) effects: Vec<Effect>,
    staged: Vec<Staged>,
    empty: Vector,
}

impl Post {
    pub(super) fn is_hub(&self) -> bool {
        self.unit.0[0] <= 3
    }

    pub(super) fn device(&self) -> DeviceId {
        DeviceId(self.key.verifying_key().to_bytes())
    }

    pub(super) fn log(&self, scope: Scope) -> LogId {
        LogId {
            scope,
            device: self.device(),
            epoch: self.epoch,
        }
    }

    fn scopes(&self) -> Vec<Scope> {
        (1..=6)
            .flat_map(|n| [Scope::public(unit(n)), Scope::book(unit(n))])
            .filter(|scope| may_hold(self.unit, scope))
            .collect()
    }

    /// What it holds, as one digest; for comparing replicas over the scopes that both hold.
    pub(super) fn digest_with(&self, other: &Post) -> Hash {
        let shared = self.shared_scopes(other.unit);
        super::summary(shared.into_iter().map(|scope| (scope, self.digest(scope))))
    }

    /// What a copy of its disk of this moment holds.
    pub(super) fn backup(&self) -> (Vec<VerifiedRun>, Receipts) {
        let mut runs = Vec::new();
        for scope in self.scopes() {
            for log in self.memory.logs.logs(scope).collect::<Vec<_>>() {
                for tip in self.memory.logs.tips(&log) {
                    runs.push(self.memory.read(&log, Tip::START, *tip).verify().unwrap());
                }
            }
        }
        (runs, self.receipts.clone())
    }

    pub(super) fn restore(&mut self, (runs, receipts): (Vec<VerifiedRun>, Receipts)) {
        self.memory = Memory::default();
        self.receipts = receipts;
        for run in &runs {
            self.memory.take(run);
        }
    }
}

impl Local for Post {
    fn unit(&self) -> UnitId {
        self.unit
    }
    fn root(&self) -> DeviceId {
        self.root
    }
    fn introduction(&self) -> Vec<Credential> {
        self.chain.clone()
    }
    fn acquaintance(&self, device: &DeviceId) -> Acquaintance {
        match self.members.get(device) {
            _ if self.revoked.contains(device) => Acquaintance::Revoked,
            _ if self.held.contains(device) => Acquaintance::Held("held: being mended".to_owned()),
            Some(unit) => Acquaintance::Member { unit: *unit },
            None => Acquaintance::Unknown,
        }
    }
    fn welcomes(&self, introduced: &Introduced) -> bool {
        !self.revoked.contains(&introduced.member().device)
    }
    fn unsettled(&self, _: &Introduced) -> Option<String> {
        None
    }
    fn shared_scopes(&self, with: UnitId) -> Vec<Scope> {
        self.scopes()
            .into_iter()
            .filter(|scope| may_hold(with, scope) && !self.unshared.contains(scope))
            .collect()
    }
    fn may_write(&self, device: &DeviceId, scope: &Scope) -> Write {
        match self.members.get(device) {
            None => Write::AuthorUnknown,
            Some(unit) if scope.kind == ScopeKind::Public && scope.unit == *unit => Write::Yes,
            Some(unit) if scope.kind == ScopeKind::Book && is_within(scope.unit, *unit) => Write::Yes,
            Some(_) => Write::NotEntitled,
        }
    }
    fn digest(&self, scope: Scope) -> Hash {
        self.memory.logs.digest(scope)
    }
    fn vector(&self, scope: Scope) -> &Vector {
        if self.memory.logs.scopes().any(|held| held == scope) {
            self.memory.logs.vector(scope)
        } else {
            &self.empty
        }
    }
    fn holds(&self, log: &LogId, tip: Tip) -> bool {
        self.memory.logs.holds(log, tip, &self.memory.heap)
    }
    fn ancestor_at(&self, log: &LogId, tip: Tip, seq: u64) -> Option<Tip> {
        self.memory.logs.ancestor_at(log, tip, seq, &self.memory.heap)
    }
    fn send_plan(&self, log: &LogId, theirs: &[Tip], common: &[Tip]) -> SendPlan {
        self.memory.logs.send_plan(log, theirs, common, &self.memory.heap)
    }
    fn read(&self, log: &LogId, after: Tip, to: Tip, bytes_max: usize) -> Vec<Run> {
        // The first checkpoint of the way at which the bytes are reached.
        let mut run = self.memory.read(log, after, to);
        let (mut at, mut bytes) = (after, 0);
        for (count, entry) in run.entries.iter().enumerate() {
            at = Tip {
                seq: at.seq + 1,
                hash: entry.hash(log, at),
            };
            bytes += entry.body.len();
            if let Some(signature) = self.memory.signatures.get(&(*log, at)).filter(|_| bytes >= bytes_max) {
                run.signature = *signature;
                run.entries.truncate(count + 1);
                break;
            }
        }
        vec![run]
    }
    fn key(&self, scope: Scope, record: &RecordId) -> Option<[u8; 48]> {
        self.keys.get(&(scope, *record)).copied()
    }
    fn keys_wanted(&self, scopes: &[Scope], max: usize) -> Vec<(Scope, RecordId)> {
        self.missing
            .iter()
            .filter(|(scope, _)| scopes.contains(scope))
            .take(max)
            .copied()
            .collect()
    }
    fn receipts_digest(&self, scopes: &[Scope]) -> Hash {
        let hubs = self.members.keys().copied().collect();
        self.receipts.digest(scopes, &hubs)
    }
    fn receipts(&self, scopes: &[Scope]) -> Vec<Receipt> {
        scopes
            .iter()
            .flat_map(|scope| self.receipts.standing(*scope))
            .cloned()
            .collect()
    }
    fn withdrawals(&self, _: &[Scope]) -> Vec<Withdrawal> {
        self.receipts.withdrawals().cloned().collect()
    }
    fn health(&self) -> Health {
        Health {
            software: "cunlian-node 0.1.0".into(),
            os: "linux".into(),
            disk_free_bytes: 50 << 30,
            recorded: 15_000,
            ..Health::default()
        }
    }
    fn catch_up(&mut self, peer: &DeviceId) -> Result<(), u64> {
        if self.slots.len() >= self.slots_max && !self.slots.contains(peer) {
            return Err(2_000);
        }
        self.slots.insert(*peer);
        Ok(())
    }
    fn caught_up(&mut self, peer: &DeviceId) {
        self.slots.remove(peer);
    }
    fn quota(&mut self, author: &DeviceId, entries: u64, bytes: u64) -> Result<(), u64> {
        self.quota.take(1, author, entries, bytes)
    }
    fn ask(&mut self, peer: &DeviceId, reads: u64) -> Result<(), u64> {
        self.asks.take(1, peer, reads)
    }
}

/// One connection between two posts: a session and a queue at each end.
pub(super) struct Line {
    pub(super) posts: [usize; 2],
    pub(super) sessions: [Session; 2],
    pub(super) wires: [VecDeque<Vec<u8>>; 2],
    /// Kinds of the frames that each end has sent, and their bytes.
    pub(super) kinds: [Vec<u8>; 2],
    pub(super) bytes: [usize; 2],
    pub(super) closed: [Option<Reason>; 2],
    pub(super) errors: [Option<PeerError>; 2],
}

pub(super) struct County {
    pub(super) posts: Vec<Post>,
    pub(super) lines: Vec<Line>,
    pub(super) now: Now,
    pub(super) seeds: Seeds,
}

impl County {
    /// A post for each unit; post `n` is of unit `n + 1` and holds the key of that number.
    pub(super) fn new(seed: u8) -> Self {
        let members: BTreeMap<_, _> = (1..=6).map(|n| (device(n), unit(n))).collect();
        let posts = (1..=6)
            .map(|n| Post {
                key: key(n),
                unit: unit(n),
                memory: Memory::default(),
                members: members.clone(),
                revoked: BTreeSet::new(),
                held: BTreeSet::new(),
                root: device(100),
                chain: Vec::new(),
                receipts: Receipts::default(),
                store: u64::from(n),
                epoch: 1,
                keys: BTreeMap::new(),
                missing: BTreeSet::new(),
                slots: BTreeSet::new(),
                slots_max: 8,
                quota: Quota::default(),
                asks: Asks::default(),
                unshared: BTreeSet::new(),
                discounted: BTreeSet::new(),
                effects: Vec::new(),
                staged: Vec::new(),
                empty: Vector::default(),
            })
            .collect();
        Self {
            posts,
            lines: Vec::new(),
            now: Now {
                wall_ms: 1_790_000_000_000,
                mono_ms: 1_000,
            },
            seeds: Seeds::new([seed; 32]),
        }
    }

    pub(super) fn connect(&mut self, a: usize, b: usize) -> usize {
        let (da, db) = (self.posts[a].device(), self.posts[b].device());
        let (sa, sb) = (self.seeds.u64(), self.seeds.u64());
        let sessions = [
            Session::new(self.now, Dialled::Us, db, sa, &mut self.posts[a]),
            Session::new(self.now, Dialled::Them, da, sb, &mut self.posts[b]),
        ];
        self.lines.push(Line {
            posts: [a, b],
            sessions,
            wires: Default::default(),
            kinds: Default::default(),
            bytes: [0; 2],
            closed: [None, None],
            errors: [None, None],
        });
        let line = self.lines.len() - 1;
        self.drain(line, 0);
        self.drain(line, 1);
        line
    }

    /// Cuts a line: what is under way is lost, and what is staged stays staged.
    pub(super) fn cut(&mut self, line: usize) {
        for end in 0..2 {
            let post = &mut self.posts[self.lines[line].posts[end]];
            let peer = self.lines[line].sessions[end].peer();
            post.slots.remove(&peer);
            self.lines[line].wires[end].clear();
            self.lines[line].closed[end].get_or_insert(Reason::Leaving);
        }
    }

    pub(super) fn input(&mut self, line: usize, end: usize, input: Input) {
        if self.lines[line].closed[end].is_some() {
            return;
        }
        let post = self.lines[line].posts[end];
        let result = self.lines[line].sessions[end].handle(self.now, input, &mut self.posts[post]);
        if let Err(error) = result {
            self.lines[line].errors[end] = Some(error);
        }
        self.drain(line, end);
    }

    fn drain(&mut self, at: usize, end: usize) {
        while let Some(effect) = self.lines[at].sessions[end].next_effect() {
            let post = self.lines[at].posts[end];
            match effect {
                Effect::Send(bytes) => {
                    let line = &mut self.lines[at];
                    line.kinds[end].push(bytes[4]);
                    line.bytes[end] += bytes.len();
                    line.wires[end].push_back(bytes);
                }
                Effect::Stage { batch, runs, keys } => self.posts[post].staged.push(Staged {
                    line: at,
                    batch,
                    runs,
                    keys,
                }),
                Effect::Receipts(receipts, withdrawals) => self.hear(post, receipts, withdrawals),
                Effect::Close(reason) => self.lines[at].closed[end] = Some(reason),
                other => self.posts[post].effects.push(other),
            }
        }
    }

    pub(super) fn hear(&mut self, post: usize, mut receipts: Vec<Receipt>, mut withdrawals: Vec<Withdrawal>) {
        let Post {
            receipts: held,
            discounted,
            ..
        } = &mut self.posts[post];
        receipts.retain(|receipt| !discounted.contains(&receipt.hub));
        withdrawals.retain(|withdrawal| held.withdraw(withdrawal.clone()) == Accepted::New);
        receipts.retain(|receipt| held.accept(receipt.clone()) == Accepted::New);
        if !receipts.is_empty() || !withdrawals.is_empty() {
            self.tell(post, |_| Input::Receipts(receipts.clone(), withdrawals.clone()));
        }
    }

    pub(super) fn tell(&mut self, post: usize, input: impl Fn(usize) -> Input) {
        for line in 0..self.lines.len() {
            for end in 0..2 {
                if self.lines[line].posts[end] == post {
                    self.input(line, end, input(line));
                }
            }
        }
    }

    /// Makes durable what is staged at a post: receipts, answers, changes.
    pub(super) fn commit(&mut self, post: usize) {
        let mut changed = BTreeSet::new();
        let mut answers = Vec::new();
        for staged in std::mem::take(&mut self.posts[post].staged) {
            let mut outcome = Outcome::default();
            for run in &staged.runs {
                match self.posts[post].memory.take(run) {
                    Place::New(_) => {
                        changed.insert(run.log().scope);
                    }
                    Place::Held => {}
                    Place::Gap { .. } => outcome.gaps.push(*run.log()),
                }
            }
            for key in staged.keys {
                self.posts[post].missing.remove(&(key.scope, key.record));
                self.posts[post].keys.insert((key.scope, key.record), key.wrapped);
            }
            answers.push((staged.line, staged.batch, outcome));
        }
        for (line, batch, outcome) in answers {
            let end = usize::from(self.lines[line].posts[1] == post);
            self.input(line, end, Input::Committed { batch, outcome });
        }
        self.changed(post, changed);
    }

    fn changed(&mut self, post: usize, changed: BTreeSet<Scope>) {
        for scope in changed {
            self.tell(post, |_| Input::Changed(scope));
            if self.posts[post].is_hub() {
                self.receipt(post, scope);
            }
        }
    }

    pub(super) fn receipt(&mut self, post: usize, scope: Scope) {
        let hub = &self.posts[post];
        let counter = hub.memory.logs.entries(scope);
        let vector = hub.memory.logs.vector(scope).clone();
        let receipt = Receipt::sign(&hub.key, hub.store, scope, counter, self.now.wall_ms, vector);
        self.hear(post, vec![receipt], Vec::new());
    }

    /// A post records entries in a scope, each with a checkpoint of its own, and makes them durable.
    pub(super) fn write(&mut self, post: usize, scope: Scope, entries: Vec<Entry>) {
        let owner = &mut self.posts[post];
        let log = owner.log(scope);
        let author = owner.key.clone();
        let mut after = owner.memory.logs.tips(&log).first().copied().unwrap_or(Tip::START);
        for entry in entries {
            after = owner.memory.write(&author, log, after, vec![entry]);
        }
        self.changed(post, BTreeSet::from([scope]));
    }

    pub(super) fn record(&mut self, post: usize, count: usize) {
        let scope = Scope::book(self.posts[post].unit);
        let entries = (0..count)
            .map(|_| crate::memory::note(&format!("{:?}", self.seeds.bytes::<24>())))
            .collect();
        self.write(post, scope, entries);
    }

    /// Delivers the next frame of one end, if any.
    pub(super) fn deliver(&mut self, line: usize, end: usize) -> bool {
        let Some(bytes) = self.lines[line].wires[end].pop_front() else {
            return false;
        };
        self.input(line, end, Input::Written(bytes.len()));
        let header = Header::decode(bytes[..HEADER_LEN].try_into().unwrap()).unwrap();
        assert_eq!(header.len, bytes.len() - HEADER_LEN);
        let frame = Inbound::decode(header.kind, &bytes[HEADER_LEN..]).unwrap();
        self.input(line, 1 - end, Input::Frame(frame));
        true
    }

    /// Everything that can happen happens, until nothing can; panics when that never comes.
    pub(super) fn settle(&mut self) {
        for _ in 0..20_000 {
            let mut moved = false;
            for line in 0..self.lines.len() {
                moved |= self.deliver(line, 0) | self.deliver(line, 1);
            }
            for post in 0..self.posts.len() {
                moved |= !self.posts[post].staged.is_empty();
                self.commit(post);
            }
            if !moved {
                return;
            }
        }
        panic!("the county never falls silent");
    }

    /// One thing at random.
    pub(super) fn step(&mut self) {
        let line = self.seeds.below(self.lines.len() as u64) as usize;
        match self.seeds.below(4) {
            0 | 1 => {
                let end = self.seeds.below(2) as usize;
                self.deliver(line, end);
            }
            2 => {
                let post = self.seeds.below(6) as usize;
                self.commit(post);
            }
            _ => {
                let post = self.lines[line].posts[self.seeds.below(2) as usize];
                let count = 1 + self.seeds.below(3) as usize;
                self.record(post, count);
            }
        }
    }

    /// Lets time pass and wakes who asked for it.
    pub(super) fn pass(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.wall_ms += ms as i64;
        for line in 0..self.lines.len() {
            for end in 0..2 {
                if self.lines[line].sessions[end]
                    .next_wakeup()
                    .is_some_and(|at| at <= self.now.mono_ms)
                {
                    self.input(line, end, Input::Wakeup);
                }
            }
        }
    }

    pub(super) fn frames(&self, line: usize) -> usize {
        self.lines[line].kinds.iter().map(Vec::len).sum()
    }

    pub(super) fn assert_equal(&self, a: usize, b: usize) {
        assert_eq!(
            self.posts[a].digest_with(&self.posts[b]),
            self.posts[b].digest_with(&self.posts[a]),
            "posts {a} and {b} differ"
        );
    }

    pub(super) fn is_held(&self, post: usize, log: &LogId, tip: Tip) -> bool {
        self.posts[post].holds(log, tip)
    }
}
