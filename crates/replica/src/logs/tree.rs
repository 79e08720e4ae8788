//! One log as a tree of branches.

use std::collections::BTreeSet;

use ledger::id::Hash;

use super::{Attach, Hashes, Spot};
use crate::entry::{LogId, Tip};
use crate::limits::BRANCHES_MAX;
use crate::wire::{Reader, WireError, put_varint};

/// Consecutive entries. Those between `after` (exclusive) and `tip` are its own; it is dead when there are none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Branch {
    /// Where the entry at `after` lies; `None` for the log's start.
    pub(super) from: Option<Spot>,
    pub(super) after: Tip,
    pub(super) tip: Tip,
}

impl Branch {
    fn is_live(&self) -> bool {
        self.tip.seq > self.after.seq
    }

    fn owns(&self, seq: u64) -> bool {
        seq > self.after.seq && seq <= self.tip.seq
    }
}

/// What lies at a place cannot be read just now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unreadable;

/// The branches of one log, by number. A branch always grows from one with a smaller number.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Tree {
    branches: Vec<Branch>,
}

impl Tree {
    fn live(&self) -> impl Iterator<Item = (u32, &Branch)> {
        (0u32..).zip(&self.branches).filter(|(_, branch)| branch.is_live())
    }

    pub(super) fn live_branches(&self) -> Vec<(u32, Tip, Tip)> {
        self.live()
            .map(|(number, branch)| (number, branch.after, branch.tip))
            .collect()
    }

    fn branch(&self, number: u32) -> Option<&Branch> {
        self.branches.get(number as usize)
    }

    pub(super) fn tip_of(&self, spot: Spot) -> Option<Tip> {
        let branch = self.branch(spot.branch)?;
        (branch.tip.seq == spot.seq).then_some(branch.tip)
    }

    /// The ends of branches from which nothing grows.
    pub(super) fn leaves(&self) -> Vec<Spot> {
        let stems: BTreeSet<Spot> = self.live().filter_map(|(_, branch)| branch.from).collect();
        self.live()
            .map(|(number, branch)| Spot {
                branch: number,
                seq: branch.tip.seq,
            })
            .filter(|spot| !stems.contains(spot))
            .collect()
    }

    pub(super) fn leaf_tips(&self) -> Vec<Tip> {
        // One branch is nearly every log of a county.
        if let [only] = self.branches.as_slice() {
            return if only.is_live() { vec![only.tip] } else { Vec::new() };
        }
        self.leaves().iter().filter_map(|spot| self.tip_of(*spot)).collect()
    }

    pub(super) fn entries(&self) -> u64 {
        self.live().map(|(_, branch)| branch.tip.seq - branch.after.seq).sum()
    }

    /// The hash at `spot`, from RAM where it is known here.
    pub(super) fn hash_at(&self, log: &LogId, spot: Spot, hashes: &dyn Hashes) -> Option<Hash> {
        let branch = self.branch(spot.branch)?;
        if !branch.owns(spot.seq) {
            return None;
        }
        if branch.tip.seq == spot.seq {
            return Some(branch.tip.hash);
        }
        match self.branches.iter().find(|other| other.from == Some(spot)) {
            Some(other) => Some(other.after.hash),
            None => hashes.hash(log, spot),
        }
    }

    pub(super) fn locate(&self, log: &LogId, tip: Tip, hashes: &dyn Hashes) -> Option<Spot> {
        if tip.seq == 0 {
            return None;
        }
        (0u32..)
            .zip(&self.branches)
            .filter(|(_, branch)| branch.owns(tip.seq))
            .map(|(branch, _)| Spot { branch, seq: tip.seq })
            .find(|spot| self.hash_at(log, *spot, hashes) == Some(tip.hash))
    }

    /// As [`Tree::locate`], for those who are about to take an entry in: that the hash held at its place cannot be read is not the same
    /// as that another entry lies there.
    pub(super) fn locate_surely(&self, log: &LogId, tip: Tip, hashes: &dyn Hashes) -> Result<Option<Spot>, Unreadable> {
        let mut sure = Ok(None);
        for (branch, _) in self.live().filter(|(_, branch)| branch.owns(tip.seq)) {
            let spot = Spot { branch, seq: tip.seq };
            match self.hash_at(log, spot, hashes) {
                Some(hash) if hash == tip.hash => return Ok(Some(spot)),
                Some(_) => {}
                None => sure = Err(Unreadable),
            }
        }
        sure
    }

    /// The branch that takes an entry after `from`: the one that ends there, else a new one.
    pub(super) fn branch_after(&self, from: Option<Spot>) -> u32 {
        match from {
            Some(spot) if self.tip_of(spot).is_some() => spot.branch,
            _ => u32::try_from(self.branches.len()).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn attach(&mut self, attach: &Attach) {
        let at = attach.branch as usize;
        assert!(attach.to.seq > attach.after.seq, "nothing to attach");
        match self.branches.get_mut(at) {
            Some(branch) => {
                assert_eq!(branch.tip, attach.after, "the log has moved since the run was placed");
                branch.tip = attach.to;
            }
            None => {
                assert_eq!(at, self.branches.len(), "the log has moved since the run was placed");
                self.branches.push(Branch {
                    from: attach.from,
                    after: attach.after,
                    tip: attach.to,
                });
            }
        }
    }

    pub(super) fn path(&self, spot: Spot) -> Vec<(u32, u64, u64)> {
        let mut pieces = Vec::new();
        let mut at = Some(spot);
        while let Some(spot) = at {
            let Some(branch) = self.branch(spot.branch).filter(|branch| branch.owns(spot.seq)) else {
                return Vec::new();
            };
            pieces.push((spot.branch, branch.after.seq + 1, spot.seq));
            at = branch.from;
        }
        pieces.reverse();
        pieces
    }

    /// The last entry that the paths to both places share; `None` when only the start.
    pub(super) fn meeting(&self, a: Spot, b: Spot) -> Option<Spot> {
        let mut meeting = None;
        for (&(branch, _, a_last), &(other, _, b_last)) in self.path(a).iter().zip(&self.path(b)) {
            if branch != other {
                break;
            }
            let seq = a_last.min(b_last);
            meeting = Some(Spot { branch, seq });
            if a_last != b_last {
                break;
            }
        }
        meeting
    }

    pub(super) fn beyond(&self, log: &LogId, tips: &[Tip], hashes: &dyn Hashes) -> u64 {
        let mut covered: Vec<u64> = self.branches.iter().map(|branch| branch.after.seq).collect();
        for spot in tips.iter().filter_map(|tip| self.locate(log, *tip, hashes)) {
            for (branch, _, last) in self.path(spot) {
                covered[branch as usize] = covered[branch as usize].max(last);
            }
        }
        let ends = self.branches.iter().map(|branch| branch.tip.seq);
        ends.zip(covered).map(|(end, covered)| end - covered).sum()
    }

    /// The place before the first own entry of a branch.
    pub(super) fn stem(&self, branch: u32) -> Tip {
        self.branch(branch).map_or(Tip::START, |branch| branch.after)
    }

    pub(super) fn lower(&mut self, number: u32, to: Tip) {
        let Some(branch) = self.branches.get_mut(number as usize) else {
            return;
        };
        assert!(
            (branch.after.seq..=branch.tip.seq).contains(&to.seq),
            "a branch is only ever cut back within itself"
        );
        branch.tip = to;
        // A branch grows from one with a smaller number, so one pass upwards meets every orphan after its parent.
        for at in 0..self.branches.len() {
            let orphan = match self.branches[at].from {
                Some(from) => !self.branch(from.branch).is_some_and(|parent| parent.owns(from.seq)),
                None => false,
            };
            if orphan {
                self.branches[at].tip = self.branches[at].after;
            }
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + self.branches.len() * 80);
        put_varint(&mut out, self.branches.len() as u64);
        for branch in &self.branches {
            put_varint(&mut out, branch.from.map_or(0, |from| u64::from(from.branch) + 1));
            for tip in [branch.after, branch.tip] {
                put_varint(&mut out, tip.seq);
                out.extend_from_slice(&tip.hash.0);
            }
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let count = usize::try_from(r.varint()?).unwrap_or(usize::MAX);
        if count > BRANCHES_MAX {
            return Err(WireError::TooLong {
                what: "branches of a log",
                len: count,
                max: BRANCHES_MAX,
            });
        }
        let mut tree = Self::default();
        for number in 0..count as u64 {
            let parent = r.varint()?;
            let mut tip = || -> Result<Tip, WireError> {
                Ok(Tip {
                    seq: r.varint()?,
                    hash: Hash(r.array()?),
                })
            };
            let (after, tip) = (tip()?, tip()?);
            let from = match parent {
                0 => None,
                parent if parent <= number => Some(Spot {
                    branch: u32::try_from(parent - 1).map_err(|_| WireError::Malformed("a branch"))?,
                    seq: after.seq,
                }),
                _ => return Err(WireError::Malformed("a branch")),
            };
            let branch = Branch { from, after, tip };
            let rooted = match from {
                None => after == Tip::START,
                Some(from) => !branch.is_live() || tree.branch(from.branch).is_some_and(|parent| parent.owns(from.seq)),
            };
            if !rooted || tip.seq < after.seq {
                return Err(WireError::Malformed("a branch"));
            }
            tree.branches.push(branch);
        }
        r.end()?;
        Ok(tree)
    }
}
