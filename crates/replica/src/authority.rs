//! Authority (成员与权限): who belongs, who may write what, and which statements count. A pure function of the set of statements.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::calendar::Calendar;
use ledger::catalogue::Catalogue;
use ledger::id::{DeviceId, Hash, HubPrefix, NodeCode, RecordId, Scope, ScopeKind, Tier, UnitId, UserId};
use ledger::organisation::{Organisation, Unit};
use ledger::version_hash;
use sha2::{Digest, Sha256};

use crate::credential::{Introduced, Link};
use crate::entry::{LogId, Tip};
use crate::logs::Ancestry;
use crate::receipt::Receipt;
use crate::statement::{Admit, Cut, Former, Grant, Leave, Role, Statement, User};

mod drawn;
mod fold;
mod noted;
#[cfg(test)]
mod tests;
mod units;

pub use noted::{Held, Named};

use drawn::Drawn;
use fold::{Fold, FormerLife, Order, Post, Voice};
use noted::Notes;
use units::Units;

/// A statement and where it lies. Shared, so that folding again costs no copies.
#[derive(Clone, PartialEq, Debug)]
pub struct Stated {
    pub log: LogId,
    pub tip: Tip,
    pub statement: Arc<Statement>,
}

/// A device that somebody entitled has let in, as its leading admission has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    pub device: DeviceId,
    pub unit: UnitId,
    pub role: Role,
    /// The unit's tier; `None` until an organisation names the unit.
    pub tier: Option<Tier>,
    pub seal_key: [u8; 32],
    /// As it was named last.
    pub name: String,
    /// How it came to its name, the earliest word first; not all of very many.
    pub named: Vec<Named>,
    /// Hubs above do not meet it until somebody lifts that (暂停).
    pub held: Option<Held>,
    pub prefix: Option<HubPrefix>,
    /// Another hub keeps this prefix (given twice while apart): this one should get a new one.
    pub prefix_clash: bool,
    /// Who introduces it: of several that let it in, one that is in.
    pub admitted_by: DeviceId,
    /// The person whose ticket it came in with, where one is named.
    pub invited_by: Option<UserId>,
    /// Where that one's admission lies: to be read as a credential.
    pub admitted_at: (LogId, Tip),
    pub former: Option<Former>,
    /// `None` while at least one admission stands.
    pub revoked: Option<Revoked>,
    /// All units for which it has ever been admitted: its entries in their scopes count up to the cuts.
    pub units: BTreeSet<UnitId>,
    /// The code given at admission, and whether another device keeps it.
    pub code: NodeCode,
    pub code_clash: bool,
    /// Codes given to later epochs, after forks.
    pub codes: BTreeMap<u64, NodeCode>,
}

impl Member {
    /// The node code for case numbers made in `epoch`.
    pub fn node_code(&self, epoch: u64) -> NodeCode {
        self.codes.get(&epoch).copied().unwrap_or(self.code)
    }

    /// Whether at least one admission stands.
    pub fn is_live(&self) -> bool {
        self.revoked.is_none()
    }
}

/// Who took a device out, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revoked {
    pub by: DeviceId,
    pub reason: String,
    /// Up to which entries its logs count, all statements combined.
    pub cuts: Vec<Cut>,
}

/// May a device write to a scope?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Write {
    Yes,
    /// Nothing is known of it yet: no fault, offer it again later.
    AuthorUnknown,
    NotEntitled,
}

/// Does an entry count?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    Valid,
    /// Kept and forwarded, not folded (待认): above the cut of a revoked device, or by nobody known.
    Waiting,
}

/// What all statements together say.
#[derive(Clone, PartialEq, Debug)]
pub struct Authority {
    root: DeviceId,
    top: Option<UnitId>,
    drawn: Drawn,
    units: Arc<Units>,
    posts: BTreeMap<(DeviceId, UnitId), Post>,
    formers: BTreeMap<UnitId, FormerLife>,
    members: BTreeMap<DeviceId, Member>,
    /// Standing revocations, by the unit whose hub stated them (`None`: the root). Known also before the admission is.
    revocations: BTreeMap<DeviceId, BTreeSet<Option<UnitId>>>,
    published: Published,
    users: BTreeMap<(UserId, UnitId), (Order, User)>,
    /// To each device: by whom, and what.
    grants: BTreeMap<DeviceId, Vec<(DeviceId, Grant)>>,
    erased: BTreeSet<(Scope, RecordId)>,
    /// By device: what was left in 待认, the latest decision of all.
    left: BTreeMap<DeviceId, Leave>,
    notes: BTreeMap<DeviceId, Notes>,
    prefixes_used: BTreeSet<u32>,
    node_codes_used: BTreeSet<u32>,
    unknown: usize,
}

/// What the topmost unit publishes, and what proves itself by its hash.
#[derive(Clone, PartialEq, Debug, Default)]
struct Published {
    catalogues: BTreeMap<Hash, Catalogue>,
    /// Highest version, then smaller hash.
    catalogue: Option<(Reverse<u32>, Hash)>,
    calendars: BTreeMap<Hash, Calendar>,
    calendar: Option<(Reverse<u32>, Hash)>,
    forms: BTreeMap<Hash, String>,
}

impl Authority {
    /// Folds a set of statements under the pinned `root`. Order and repetition of `statements` do not matter.
    pub fn fold(root: DeviceId, statements: &[Stated], ancestry: &dyn Ancestry) -> Self {
        Self::folded(root, statements, ancestry, None)
    }

    /// The same, sooner: the tree is drawn anew only when other statements draw it than when `self` was folded.
    pub fn fold_again(&self, root: DeviceId, statements: &[Stated], ancestry: &dyn Ancestry) -> Self {
        Self::folded(root, statements, ancestry, Some(&self.drawn))
    }

    fn folded(root: DeviceId, statements: &[Stated], ancestry: &dyn Ancestry, before: Option<&Drawn>) -> Self {
        let set = fold::as_set(statements);
        let mut fold = Fold::new(root, &set, ancestry, before);
        let lone = fold.top == Some(alone_unit(&root));
        let members = fold.members(|unit| tier_of_unit(&fold, unit, lone));
        let mut authority = Self {
            root,
            top: fold.top,
            drawn: Drawn::default(),
            units: Arc::default(),
            posts: BTreeMap::new(),
            formers: BTreeMap::new(),
            members,
            revocations: BTreeMap::new(),
            published: Published::default(),
            users: BTreeMap::new(),
            grants: BTreeMap::new(),
            erased: BTreeSet::new(),
            left: BTreeMap::new(),
            notes: BTreeMap::new(),
            prefixes_used: BTreeSet::new(),
            node_codes_used: BTreeSet::new(),
            unknown: 0,
        };
        let mut codes: BTreeMap<(DeviceId, u64), (Order, NodeCode)> = BTreeMap::new();
        for stated in set {
            authority.take(&fold, stated, &mut codes);
        }
        for ((device, epoch), (_, code)) in codes {
            if let Some(member) = authority.members.get_mut(&device) {
                member.codes.insert(epoch, code);
            }
        }
        authority.settle_notes();
        authority.drawn = std::mem::take(&mut fold.drawn);
        authority.units = std::mem::take(&mut fold.units);
        authority.posts = std::mem::take(&mut fold.posts);
        authority.formers = std::mem::take(&mut fold.formers);
        authority
    }

    fn take(&mut self, fold: &Fold<'_>, stated: &Stated, codes: &mut BTreeMap<(DeviceId, u64), (Order, NodeCode)>) {
        let at = stated.log.scope.unit;
        let voice = fold.voice(stated);
        let may_speak_of = |unit| voice.is_some_and(|voice| fold.may_speak_of(voice, at, unit));
        match stated.statement.as_ref() {
            Statement::Admit(admit) => {
                self.prefixes_used.extend(admit.prefix.map(|prefix| prefix.0));
                self.node_codes_used.insert(admit.node_code.value());
            }
            Statement::Revoke(revoke) => {
                let by = match voice {
                    Some(Voice::Root) => None,
                    Some(Voice::Hub) => Some(at),
                    Some(Voice::Own) | None => return,
                };
                self.revocations.entry(revoke.device).or_default().insert(by);
            }
            Statement::NodeCode(new) => {
                self.node_codes_used.insert(new.code.value());
                if fold
                    .posts_of(&new.device)
                    .any(|(unit, _)| fold.rules(stated, unit).is_some())
                {
                    let claim = (fold.order(stated), new.code);
                    let best = codes.entry((new.device, new.epoch)).or_insert(claim);
                    *best = claim.min(*best);
                }
            }
            Statement::User(user) if may_speak_of(user.unit) => {
                let claim = (fold.order(stated), user.clone());
                let best = self.users.entry((user.id, user.unit)).or_insert_with(|| claim.clone());
                if claim.0 < best.0 {
                    *best = claim;
                }
            }
            Statement::Grant(grant) if may_speak_of(grant.scope.unit) && (!grant.hub_only || Some(at) == self.top) => {
                let granted = (stated.log.device, grant.clone());
                self.grants.entry(grant.device).or_default().push(granted);
            }
            Statement::Erase(erase) if may_speak_of(erase.scope.unit) => {
                self.erased.insert((erase.scope, erase.record));
            }
            Statement::Leave(leave)
                if fold
                    .posts_of(&leave.device)
                    .any(|(unit, _)| fold.rules(stated, unit).is_some()) =>
            {
                self.leave(leave);
            }
            Statement::Note(note) => self.note(fold, stated, note),
            Statement::Unknown(_) => self.unknown += 1,
            other => {
                let leads = voice.is_some_and(|voice| fold.may_publish(voice, at));
                if leads || (voice.is_some() && fold.formers.contains_key(&at)) {
                    self.published.take(other, leads);
                }
            }
        }
    }

    /// Whether a device was taken out of any unit: its entries there count up to the cuts.
    pub fn is_cut(&self, device: &DeviceId) -> bool {
        self.posts_of(device).any(|(_, post)| !post.is_live())
    }

    /// The pinned key under which all was folded.
    pub fn root(&self) -> DeviceId {
        self.root
    }

    /// The unit whose hubs the root admits; `None` before the root has said anything.
    pub fn top(&self) -> Option<UnitId> {
        self.top
    }

    /// A device that is or was let in, revoked ones included.
    pub fn member(&self, device: &DeviceId) -> Option<&Member> {
        self.members.get(device)
    }

    /// All devices that are or were let in, by id.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// True for a device that was let in and has no admission left that stands.
    pub fn is_revoked(&self, device: &DeviceId) -> bool {
        self.members.get(device).is_some_and(|member| !member.is_live())
    }

    /// The tier of a device's unit.
    pub fn tier_of(&self, device: &DeviceId) -> Option<Tier> {
        self.members.get(device)?.tier
    }

    /// The unit as the latest organisation that has it knows it; for a former unit, the one it was joined to.
    pub fn unit(&self, unit: UnitId) -> Option<&Unit> {
        match self.units.latest(unit) {
            None if self.formers.contains_key(&unit) => self.units.latest(self.units.parent(unit)?),
            found => found,
        }
    }

    /// The organisation of the highest version (of equal ones, the one with the smaller hash).
    pub fn organisation(&self) -> Option<&Organisation> {
        self.drawn.organisation.as_deref()
    }

    /// The unit above in the latest organisation that has `unit`; for a former unit, the one it was joined to.
    pub fn parent(&self, unit: UnitId) -> Option<UnitId> {
        self.units.parent(unit)
    }

    /// Whether `unit` is the earlier life of a room that has joined since.
    pub fn is_former(&self, unit: UnitId) -> bool {
        self.formers.contains_key(&unit)
    }

    /// `unit` and all below it, former ones included.
    pub fn subtree(&self, unit: UnitId) -> Vec<UnitId> {
        self.units.subtree(unit)
    }

    /// Whether `unit` is `above` or lies below it, today.
    pub fn is_within(&self, unit: UnitId, above: UnitId) -> bool {
        self.units.is_within(unit, above)
    }

    fn posts_of(&self, device: &DeviceId) -> impl Iterator<Item = (UnitId, &Post)> {
        self.posts
            .range((*device, UnitId::ZERO)..=(*device, UnitId([0xff; 16])))
            .map(|((_, unit), post)| (*unit, post))
    }

    /// Whether a post at `at` lets its device write to a scope: books of its unit and below, public scopes only of its own unit and life.
    fn covers(&self, device: &DeviceId, at: UnitId, scope: &Scope) -> bool {
        at == scope.unit
            || (scope.kind == ScopeKind::Book && self.units.covers(at, scope.unit))
            || self
                .formers
                .get(&scope.unit)
                .is_some_and(|life| life.proved.contains(device))
    }

    fn is_a_root_of(&self, device: &DeviceId, scope: &Scope) -> bool {
        scope.kind == ScopeKind::Public
            && (*device == self.root && Some(scope.unit) == self.top
                || self.formers.get(&scope.unit).is_some_and(|life| life.root == *device))
    }

    /// May a device write to a scope? Revoked ones still may: what they wrote is kept and forwarded, and counts up to the cuts.
    pub fn may_write(&self, device: &DeviceId, scope: &Scope) -> Write {
        if self.is_a_root_of(device, scope) || self.posts_of(device).any(|(at, _)| self.covers(device, at, scope)) {
            return Write::Yes;
        }
        let unproved = self
            .formers
            .get(&scope.unit)
            .is_some_and(|life| life.proved.is_empty() || life.claimants.contains(device));
        let unknown = self.posts_of(device).next().is_none() && *device != self.root;
        if unproved || unknown {
            Write::AuthorUnknown
        } else {
            Write::NotEntitled
        }
    }

    /// Whether devices of `unit` may hold (read, ask for, be sent) a scope: books of the unit and below; public scopes also above.
    pub fn may_hold(&self, unit: UnitId, scope: &Scope) -> bool {
        self.units.is_within(scope.unit, unit)
            || (scope.kind == ScopeKind::Public && self.units.is_within(unit, scope.unit))
    }

    /// The scopes that devices of both units may hold, public ones first.
    pub fn shared_scopes(&self, a: UnitId, b: UnitId) -> Vec<Scope> {
        // A newcomer knows its chain and no tree yet: the top's public scope is where it learns the rest.
        if self.drawn.organisation.is_none() {
            return self.units.all().map(Scope::public).collect();
        }
        let shared = |scope: &Scope| self.may_hold(a, scope) && self.may_hold(b, scope);
        // What both hold lies below or above the lower one: a province need not be walked for each pair of peers.
        let low = if self.units.rank(a) >= self.units.rank(b) { a } else { b };
        let near = self.units.line_of(low);
        let public = near.iter().copied().map(Scope::public).filter(shared);
        public
            .chain(near.iter().copied().map(Scope::book).filter(shared))
            .collect()
    }

    /// Whether the entry at `tip` counts.
    pub fn standing(&self, log: &LogId, tip: Tip, ancestry: &dyn Ancestry) -> Standing {
        let counts = self.is_a_root_of(&log.device, &log.scope)
            || self
                .posts_of(&log.device)
                .any(|(at, post)| self.covers(&log.device, at, &log.scope) && post.counts(log, tip, ancestry));
        if counts { Standing::Valid } else { Standing::Waiting }
    }

    /// Whether every entry of a log counts, so that nobody need ask for each: by far the usual case.
    pub fn stands_whole(&self, log: &LogId) -> bool {
        self.is_a_root_of(&log.device, &log.scope)
            || self
                .posts_of(&log.device)
                .any(|(at, post)| post.is_live() && self.covers(&log.device, at, &log.scope))
    }

    /// Whether a (verified) receipt is from a standing hub that may hold its scope.
    pub fn receipt_counts(&self, receipt: &Receipt) -> bool {
        self.posts_of(&receipt.hub)
            .any(|(at, post)| post.hub && post.is_live() && self.may_hold(at, &receipt.scope))
    }

    /// The standing hubs at or above the units of the given books: those whose receipts matter to a pair of peers.
    pub fn hubs_over(&self, scopes: &[Scope]) -> BTreeSet<DeviceId> {
        let mut over = BTreeSet::new();
        for scope in scopes.iter().filter(|scope| scope.kind == ScopeKind::Book) {
            let mut at = Some(scope.unit);
            while let Some(unit) = at.filter(|unit| over.insert(*unit)) {
                at = self.units.parent(unit);
            }
        }
        self.posts
            .iter()
            .filter(|((_, unit), post)| post.hub && post.is_live() && over.contains(unit))
            .map(|((device, _), _)| *device)
            .collect()
    }

    /// Whether an introduced device may stay for now: nobody in its chain is revoked or contradicts what is known. `ours`: the devices
    /// of the chain that introduces ourselves. What a device admitted before it was taken out goes on counting, and of those alone we
    /// know that they were; nothing else may tell it to somebody whose disk has lost the statements.
    pub fn welcomes(&self, introduced: &Introduced, ours: &[DeviceId]) -> bool {
        let links = &introduced.links;
        links.iter().enumerate().all(|(at, link)| {
            let admitted_ours = links.get(at + 1).is_some_and(|next| ours.contains(&next.admit.device));
            (admitted_ours || !self.is_taken_out(&link.admit)) && self.is_in_order(link)
        })
    }

    /// Whether only somebody who let an introduced device in has been taken out, not the device itself: it may have come in before that,
    /// and has a place as soon as those words are let count.
    pub fn is_unsettled(&self, introduced: &Introduced) -> bool {
        let in_order = introduced.links.iter().all(|link| self.is_in_order(link));
        in_order && !self.is_taken_out(introduced.member())
    }

    fn is_taken_out(&self, admit: &Admit) -> bool {
        let by_whom = self.revocations.get(&admit.device);
        let is_nowhere = self.units.rank(admit.unit).is_none();
        by_whom.into_iter().flatten().any(|by| match by {
            // Whoever has no tree, or has lost it, takes the topmost unit's word.
            Some(at) => self.units.rules(*at, admit.unit) || (is_nowhere && Some(*at) == self.top),
            None => Some(admit.unit) == self.top,
        })
    }

    fn is_in_order(&self, link: &Link) -> bool {
        let unit = link.admit.unit;
        if link.by == self.root {
            return self.top.is_none_or(|top| top == link.at && top == unit);
        }
        self.units.rank(unit).is_none() || self.units.rules(link.at, unit)
    }

    /// The catalogue of the highest version (of equal ones, the smaller hash).
    pub fn catalogue(&self) -> Option<&Catalogue> {
        self.published.catalogues.get(&self.published.catalogue?.1)
    }

    /// Every catalogue that was published, former lives of rooms included, by hash.
    pub fn catalogues(&self) -> &BTreeMap<Hash, Catalogue> {
        &self.published.catalogues
    }

    /// The calendar of the highest version (of equal ones, the smaller hash).
    pub fn calendar(&self) -> Option<&Calendar> {
        self.published.calendars.get(&self.published.calendar?.1)
    }

    /// Every calendar that was published, by hash.
    pub fn calendars(&self) -> &BTreeMap<Hash, Calendar> {
        &self.published.calendars
    }

    /// Forms' TOML texts by the SHA-256 of the text.
    pub fn forms(&self) -> &BTreeMap<Hash, String> {
        &self.published.forms
    }

    /// Every person at every unit where they have a post.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values().map(|(_, user)| user)
    }

    /// A person, as the statement of the highest unit has them.
    pub fn user(&self, id: &UserId) -> Option<&User> {
        self.users
            .range((*id, UnitId::ZERO)..=(*id, UnitId([0xff; 16])))
            .map(|(_, claim)| claim)
            .min_by_key(|(order, _)| *order)
            .map(|(_, user)| user)
    }

    /// A person's post at one unit.
    pub fn user_at(&self, id: &UserId, unit: UnitId) -> Option<&User> {
        self.users.get(&(*id, unit)).map(|(_, user)| user)
    }

    /// The grants to one device that count. There may be several keys of one scope: each opens what was sealed under it.
    pub fn grants<'a>(&'a self, device: &DeviceId) -> impl Iterator<Item = &'a Grant> {
        self.grants.get(device).into_iter().flatten().map(|(_, grant)| grant)
    }

    /// All grants that count, each with the device that made it.
    pub fn all_grants(&self) -> impl Iterator<Item = (&DeviceId, &Grant)> {
        self.grants.values().flatten().map(|(by, grant)| (by, grant))
    }

    /// Where the admission lies by which a device is introduced.
    pub fn admit_of(&self, device: &DeviceId) -> Option<(LogId, Tip)> {
        self.members.get(device).map(|member| member.admitted_at)
    }

    /// Whether an erase statement that counts names the record of that scope.
    pub fn erased(&self, scope: &Scope, record: &RecordId) -> bool {
        self.erased.contains(&(*scope, *record))
    }

    /// All records to be forgotten, by scope.
    pub fn erasures(&self) -> &BTreeSet<(Scope, RecordId)> {
        &self.erased
    }

    /// Every prefix that any statement names, void or not: none of them is given again.
    pub fn prefixes_used(&self) -> &BTreeSet<u32> {
        &self.prefixes_used
    }

    /// Every node code that any statement names, void or not: none of them is given again.
    pub fn node_codes_used(&self) -> &BTreeSet<u32> {
        &self.node_codes_used
    }

    /// Statements of a kind that this version does not know: 需升级.
    pub fn unknown(&self) -> usize {
        self.unknown
    }
}

impl Published {
    fn take(&mut self, statement: &Statement, leads: bool) {
        match statement {
            Statement::Catalogue(it) => {
                let hash = version_hash(it);
                if leads {
                    let claim = (Reverse(it.version), hash);
                    self.catalogue = Some(self.catalogue.map_or(claim, |best| best.min(claim)));
                }
                self.catalogues.insert(hash, it.clone());
            }
            Statement::Calendar(it) => {
                let hash = version_hash(it);
                if leads {
                    let claim = (Reverse(it.version), hash);
                    self.calendar = Some(self.calendar.map_or(claim, |best| best.min(claim)));
                }
                self.calendars.insert(hash, it.clone());
            }
            Statement::Form(text) => {
                self.forms
                    .insert(Hash(Sha256::digest(text.as_bytes()).into()), text.clone());
            }
            _ => {}
        }
    }
}

fn tier_of_unit(fold: &Fold<'_>, unit: UnitId, lone: bool) -> Option<Tier> {
    match fold.units.latest(unit) {
        Some(unit) => Some(unit.kind.tier()),
        None if Some(unit) == fold.top && !lone => Some(Tier::County),
        None if lone || fold.formers.contains_key(&unit) => Some(Tier::Room),
        None => None,
    }
}

/// The unit of a room that runs on its own under `root`: derived from the key, so that nobody else can claim it when the room joins a county.
pub fn alone_unit(root: &DeviceId) -> UnitId {
    let digest = Sha256::new()
        .chain_update(b"cunlian alone 1")
        .chain_update(root.0)
        .finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    UnitId(id)
}
