//! The fold itself, from the top down.
//!
//! ```text
//! root ─ admits, revokes ─► devices of the topmost unit ─ organisations ─► the tree of units
//!                                   │ rank by rank
//!                                   ▼
//!            devices of a unit, by hubs whose units rule it (all finished before) ─► everything else that is stated
//! ```
//!
//! A *post* is a device at a unit. A statement counts when its author had a post at the unit in whose public scope it lies, and, if that
//! post was revoked, when it lies at or below a cut. Whether a post stands is decided only by units that rule its unit, which are of
//! a smaller rank; so nothing is ever decided in a circle, and the order of the statements does not matter.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::id::{DeviceId, Hash, HubPrefix, NodeCode, ScopeKind, Tier, UnitId};

use super::drawn::Drawn;
use super::units::Units;
use super::{Member, Revoked, Stated, alone_unit};
use crate::entry::{LogId, Tip};
use crate::logs::Ancestry;
use crate::statement::{Admit, Cut, Revoke, Role, Statement};

/// Which of several statements about one thing leads: that of the higher unit, then the later in its log, then the smaller hash.
pub(super) type Order = (u32, Reverse<u64>, Hash);

/// Of several that say the same, who is in is heard before who is out: whoever hears of it later may never get what the latter said.
type Heard = (bool, Order);

/// A device at a unit.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Post {
    pub(super) hub: bool,
    pub(super) revokes: Vec<(Heard, DeviceId, Revoke)>,
    /// Of all revocations and extensions together.
    pub(super) cuts: Vec<Cut>,
    admits: Vec<(Heard, LogId, Admit)>,
}

impl Post {
    pub(super) fn is_live(&self) -> bool {
        self.revokes.is_empty()
    }

    /// Whether an entry of this device's `log` counts by this post.
    pub(super) fn counts(&self, log: &LogId, tip: Tip, ancestry: &dyn Ancestry) -> bool {
        self.is_live()
            || self.cuts.iter().any(|cut| {
                let end = Tip {
                    seq: cut.seq,
                    hash: cut.hash,
                };
                cut.scope == log.scope && cut.epoch == log.epoch && ancestry.is_ancestor(log, tip, end)
            })
    }

    /// What holds of the device: the word of the highest unit, the latest of one log, whoever said it.
    fn lead(&self) -> Option<&(Heard, LogId, Admit)> {
        self.admits.iter().min_by_key(|((_, order), ..)| *order)
    }

    /// By whom it is introduced.
    fn heard(&self) -> Option<&(Heard, LogId, Admit)> {
        self.admits.iter().min_by_key(|(heard, ..)| *heard)
    }
}

/// A unit that was a county of one before its room joined.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct FormerLife {
    pub(super) root: DeviceId,
    /// Members that say they led it.
    pub(super) claimants: BTreeSet<DeviceId>,
    /// Those of them whom its root had admitted.
    pub(super) proved: BTreeSet<DeviceId>,
}

pub(super) struct Fold<'a> {
    root: DeviceId,
    ancestry: &'a dyn Ancestry,
    pub(super) top: Option<UnitId>,
    pub(super) drawn: Drawn,
    /// As drawn, with the former units grafted in.
    pub(super) units: Arc<Units>,
    pub(super) posts: BTreeMap<(DeviceId, UnitId), Post>,
    pub(super) formers: BTreeMap<UnitId, FormerLife>,
    narrowings: BTreeMap<DeviceId, Vec<&'a Stated>>,
}

/// Who speaks in a statement that counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Root,
    Hub,
    /// A node, or a device speaking of its former life.
    Own,
}

impl<'a> Fold<'a> {
    /// `set` sorted by log and place, without repetitions; `before`: what an earlier fold had drawn.
    pub(super) fn new(root: DeviceId, set: &[&'a Stated], ancestry: &'a dyn Ancestry, before: Option<&Drawn>) -> Self {
        let top = set
            .iter()
            .filter(|stated| stated.log.device == root)
            .map(|stated| stated.log.scope.unit)
            .min();
        let mut fold = Self {
            root,
            ancestry,
            top,
            drawn: Drawn::default(),
            units: Arc::default(),
            posts: BTreeMap::new(),
            formers: BTreeMap::new(),
            narrowings: BTreeMap::new(),
        };
        let Some(top) = top else {
            return fold;
        };
        let mut admits: BTreeMap<UnitId, Vec<&'a Stated>> = BTreeMap::new();
        for stated in set {
            match stated.statement.as_ref() {
                Statement::Admit(admit) => admits.entry(admit.unit).or_default().push(stated),
                Statement::Revoke(Revoke { device, .. }) => fold.narrowings.entry(*device).or_default().push(stated),
                Statement::Extend(extend) => fold.narrowings.entry(extend.device).or_default().push(stated),
                _ => {}
            }
        }
        fold.units = Arc::new(Units::new(top, &BTreeMap::new()));
        fold.settle(top, admits.get(&top).map_or(&[], Vec::as_slice));
        fold.drawn = Drawn::of(top, &fold.publishing(set), before);
        fold.units = fold.drawn.units.clone();
        let mut units: Vec<(u32, UnitId)> = admits
            .keys()
            .filter(|unit| **unit != top)
            .filter_map(|unit| Some((fold.units.rank(*unit)?, *unit)))
            .collect();
        units.sort_unstable();
        for (_, unit) in units {
            fold.settle(unit, &admits[&unit]);
        }
        fold.read_formers(set);
        fold
    }

    /// Decides the posts at one unit. All units that rule it are settled.
    fn settle(&mut self, unit: UnitId, admits: &[&'a Stated]) {
        let mut posts: BTreeMap<DeviceId, Post> = BTreeMap::new();
        for stated in admits {
            if let (Statement::Admit(admit), Some(order)) = (stated.statement.as_ref(), self.rules(stated, unit)) {
                let post = posts.entry(admit.device).or_default();
                post.hub |= admit.role == Role::Hub;
                let heard = (self.is_out(&stated.log), order);
                post.admits.push((heard, stated.log, admit.clone()));
            }
        }
        for (device, mut post) in posts {
            for stated in self.narrowings.get(&device).into_iter().flatten() {
                let Some(order) = self.rules(stated, unit) else {
                    continue;
                };
                match stated.statement.as_ref() {
                    Statement::Revoke(revoke) => {
                        post.cuts.extend(&revoke.cuts);
                        let heard = (self.is_out(&stated.log), order);
                        post.revokes.push((heard, stated.log.device, revoke.clone()));
                    }
                    Statement::Extend(extend) => post.cuts.extend(&extend.cuts),
                    _ => {}
                }
            }
            self.posts.insert((device, unit), post);
        }
    }

    /// The order of a statement whose author may admit and revoke at `unit`; `None` when it may not, or does not count.
    pub(super) fn rules(&self, stated: &Stated, unit: UnitId) -> Option<Order> {
        let at = stated.log.scope.unit;
        let may = match self.voice(stated)? {
            Voice::Root => Some(unit) == self.top,
            Voice::Hub => self.units.rules(at, unit),
            Voice::Own => false,
        };
        may.then(|| self.order(stated))
    }

    /// Whether whoever writes to a public log was taken out of that unit. The root never is.
    fn is_out(&self, log: &LogId) -> bool {
        let post = self.posts.get(&(log.device, log.scope.unit));
        post.is_some_and(|post| !post.is_live())
    }

    pub(super) fn order(&self, stated: &Stated) -> Order {
        let rank = if stated.log.device == self.root {
            0
        } else {
            self.units.rank(stated.log.scope.unit).map_or(u32::MAX, |rank| rank + 1)
        };
        (rank, Reverse(stated.tip.seq), stated.tip.hash)
    }

    /// Who speaks; `None` when the statement does not count.
    pub(super) fn voice(&self, stated: &Stated) -> Option<Voice> {
        let log = &stated.log;
        let unit = log.scope.unit;
        if log.device == self.root {
            return (Some(unit) == self.top).then_some(Voice::Root);
        }
        if let Some(post) = self.posts.get(&(log.device, unit)) {
            let voice = if post.hub { Voice::Hub } else { Voice::Own };
            return post.counts(log, stated.tip, self.ancestry).then_some(voice);
        }
        let former = self.formers.get(&unit)?;
        let counts = former.proved.contains(&log.device)
            && self
                .posts_of(&log.device)
                .any(|(_, post)| post.counts(log, stated.tip, self.ancestry));
        counts.then_some(Voice::Own)
    }

    pub(super) fn posts_of(&self, device: &DeviceId) -> impl Iterator<Item = (UnitId, &Post)> {
        self.posts
            .range((*device, UnitId::ZERO)..=(*device, UnitId([0xff; 16])))
            .map(|((_, unit), post)| (*unit, post))
    }

    /// Whether a statement by `voice` in the public scope of `at` may speak about `unit`.
    pub(super) fn may_speak_of(&self, voice: Voice, at: UnitId, unit: UnitId) -> bool {
        match voice {
            Voice::Root => false,
            Voice::Hub => self.units.covers(at, unit),
            Voice::Own => at == unit || (self.formers.contains_key(&unit) && self.units.covers(at, unit)),
        }
    }

    /// Whether `voice` at `at` may publish what holds for the whole county.
    pub(super) fn may_publish(&self, voice: Voice, at: UnitId) -> bool {
        Some(at) == self.top && (voice == Voice::Hub || (voice == Voice::Own && at == alone_unit(&self.root)))
    }

    /// The statements that count and draw the tree.
    fn publishing(&self, set: &[&'a Stated]) -> Vec<&'a Stated> {
        let draws = |stated: &&&Stated| {
            matches!(
                stated.statement.as_ref(),
                Statement::Organisation(_) | Statement::OrganisationPart(_)
            )
        };
        let counts = |stated: &&&Stated| {
            let voice = self.voice(stated);
            voice.is_some_and(|voice| self.may_publish(voice, stated.log.scope.unit))
        };
        set.iter().filter(draws).filter(counts).copied().collect()
    }

    /// A former unit's id is derived from its root key, so only its own root's statements can lie there, and they prove who led it.
    fn read_formers(&mut self, set: &[&'a Stated]) {
        let mut claims: BTreeMap<UnitId, Vec<(bool, Order, UnitId, DeviceId)>> = BTreeMap::new();
        for ((device, unit), post) in &self.posts {
            for ((_, order), _, admit) in &post.admits {
                let Some(former) = admit.former.filter(|former| {
                    alone_unit(&former.root) == former.unit
                        && self.units.latest(former.unit).is_none()
                        && self.units.rank(former.unit).is_none()
                }) else {
                    continue;
                };
                let life = self.formers.entry(former.unit).or_insert_with(|| FormerLife {
                    root: former.root,
                    claimants: BTreeSet::new(),
                    proved: BTreeSet::new(),
                });
                life.claimants.insert(*device);
                let claim = (!post.is_live(), *order, *unit, *device);
                claims.entry(former.unit).or_default().push(claim);
            }
        }
        for stated in set {
            if let (Some(life), Statement::Admit(admit)) =
                (self.formers.get_mut(&stated.log.scope.unit), stated.statement.as_ref())
                && life.root == stated.log.device
                && life.claimants.contains(&admit.device)
            {
                life.proved.insert(admit.device);
            }
        }
        for (former, mut claims) in claims {
            let proved = &self.formers[&former].proved;
            // Before the proof has come, the unit hangs below the claimant only so that the proof can travel; nobody writes to it.
            let mut writers = BTreeSet::new();
            if !proved.is_empty() {
                claims.retain(|(.., device)| proved.contains(device));
                writers = claims.iter().map(|(_, _, unit, _)| *unit).collect();
            }
            claims.sort_unstable();
            if let Some((_, _, joined, _)) = claims.first() {
                Arc::make_mut(&mut self.units).graft(former, *joined, &writers);
            }
        }
    }

    /// The members, each as its leading admission has it.
    pub(super) fn members(&self, tier: impl Fn(UnitId) -> Option<Tier>) -> BTreeMap<DeviceId, Member> {
        let mut members = BTreeMap::new();
        let mut prefixes: BTreeMap<u32, (Hash, DeviceId)> = BTreeMap::new();
        let mut codes: BTreeMap<u32, (Hash, DeviceId)> = BTreeMap::new();
        let devices: BTreeSet<DeviceId> = self.posts.keys().map(|(device, _)| *device).collect();
        for device in devices {
            let leading = self
                .posts_of(&device)
                .filter_map(|(unit, post)| Some((!post.is_live(), post.lead()?, post.heard()?, unit, post)))
                .min_by_key(|(revoked, ((_, order), ..), _, unit, _)| (*revoked, *order, *unit));
            let Some((_, ((_, order), _, admit), ((_, place), log, _), unit, post)) = leading else {
                continue;
            };
            let keep = |kept: &mut BTreeMap<u32, (Hash, DeviceId)>, value: u32| {
                let claim = (order.2, device);
                kept.entry(value).and_modify(|it| *it = claim.min(*it)).or_insert(claim);
            };
            keep(&mut codes, admit.node_code.value());
            if let Some(prefix) = admit.prefix {
                keep(&mut prefixes, prefix.0);
            }
            let member = Member {
                device,
                unit,
                role: if post.hub { Role::Hub } else { Role::Node },
                tier: tier(unit),
                seal_key: admit.seal_key,
                name: admit.name.clone(),
                named: Vec::new(),
                held: None,
                prefix: admit.prefix,
                prefix_clash: false,
                admitted_by: log.device,
                invited_by: admit.by,
                admitted_at: (
                    *log,
                    Tip {
                        seq: place.1.0,
                        hash: place.2,
                    },
                ),
                former: admit.former.filter(|former| self.formers.contains_key(&former.unit)),
                revoked: revoked(post),
                units: self.posts_of(&device).map(|(unit, _)| unit).collect(),
                code: admit.node_code,
                code_clash: !self.is_code_given(post, admit.node_code),
                codes: BTreeMap::new(),
            };
            members.insert(device, member);
        }
        for (device, member) in &mut members {
            let keeps = |kept: &BTreeMap<u32, (Hash, DeviceId)>, value: u32| kept[&value].1 == *device;
            member.code_clash |= !keeps(&codes, member.code.value());
            member.prefix_clash = member.prefix.is_some_and(|prefix| !keeps(&prefixes, prefix.0));
        }
        members
    }

    /// Whether somebody who let a device in gave it this code from under a prefix of theirs; others say it again. The root, and a hub
    /// without a prefix, give what they like.
    fn is_code_given(&self, post: &Post, code: NodeCode) -> bool {
        post.admits.iter().any(|(_, log, admit)| {
            let own = self.posts_of(&log.device).flat_map(|(_, post)| &post.admits);
            let mut prefixes = own.filter_map(|(.., admit)| admit.prefix).peekable();
            let gives = prefixes.peek().is_none() || prefixes.any(|prefix| prefix.0 == code.value() / HubPrefix::SIZE);
            admit.node_code == code && gives
        })
    }
}

fn revoked(post: &Post) -> Option<Revoked> {
    let (_, by, revoke) = post.revokes.iter().min_by_key(|(heard, ..)| *heard)?;
    let mut cuts = post.cuts.clone();
    cuts.sort_unstable();
    cuts.dedup();
    Some(Revoked {
        by: *by,
        reason: revoke.reason.clone(),
        cuts,
    })
}

/// Sorted by log and place, statements in public scopes only, each once.
pub(super) fn as_set(statements: &[Stated]) -> Vec<&Stated> {
    let mut set: Vec<&Stated> = statements
        .iter()
        .filter(|stated| stated.log.scope.kind == ScopeKind::Public)
        .collect();
    set.sort_unstable_by_key(|stated| (stated.log, stated.tip));
    set.dedup_by_key(|stated| (stated.log, stated.tip));
    set
}
