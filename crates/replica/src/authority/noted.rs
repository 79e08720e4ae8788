//! Words about devices: how one is called, whether it is met, and what of it was left in 待认.
//!
//! Of words about name and meeting, each kind for itself, that with the highest turn holds. Two hubs that speak apart may use the same turn: then that of the higher unit
//! holds, as with every other statement, because whoever answers for more knows of more; within one log the later; at last the smaller
//! hash, so that all hubs that hold the same statements say the same, whatever came first.

use std::cmp::{Ordering, Reverse};

use ledger::id::{DeviceId, UserId};

use super::fold::{Fold, Order};
use super::{Authority, Member, Stated};
use crate::statement::{DeviceNote, Leave};

/// Words of one kind about one device that are remembered; the first of them holds.
const WORDS_KEPT: usize = 16;

/// Who asked that a device is not met for a while, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    pub by: DeviceId,
    pub user: UserId,
    pub reason: String,
    /// By the clock of who said it, UTC milliseconds.
    pub at_ms: i64,
}

/// Who named a device, and what it was called before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    pub name: String,
    /// `None`: so long ago that it is not told any more.
    pub from: Option<String>,
    pub by: DeviceId,
    pub user: UserId,
    pub reason: String,
    pub at_ms: i64,
}

#[derive(Clone, PartialEq, Debug)]
struct Word {
    order: (Reverse<u64>, Order),
    by: DeviceId,
    note: DeviceNote,
}

/// What was said about one device.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Notes {
    name: Vec<Word>,
    held: Vec<Word>,
}

impl Notes {
    /// `is_live`: of a device that is in by the word of a unit that who speaks rules. Whom another unit has taken over is held by that one.
    pub(super) fn take(&mut self, order: Order, by: DeviceId, note: &DeviceNote, is_live: bool) {
        let word = || Word {
            order: (Reverse(note.turn), order),
            by,
            note: note.clone(),
        };
        if note.name.as_ref().is_some_and(|name| !name.trim().is_empty()) {
            self.name.push(word());
        }
        if note.held.is_some() && is_live {
            self.held.push(word());
        }
    }

    pub(super) fn settle(&mut self) {
        for words in [&mut self.name, &mut self.held] {
            words.sort_unstable_by_key(|word| word.order);
            words.truncate(WORDS_KEPT);
        }
    }

    /// Writes what holds into the member.
    pub(super) fn tell(&self, member: &mut Member) {
        let mut before = (self.name.len() < WORDS_KEPT).then(|| member.name.clone());
        for word in self.name.iter().rev() {
            let name = word.note.name.clone().unwrap_or_default();
            member.named.push(Named {
                name: name.clone(),
                from: before.replace(name.clone()),
                by: word.by,
                user: word.note.user,
                reason: word.note.reason.clone(),
                at_ms: word.note.at_ms,
            });
            member.name = name;
        }
        let last = self.held.first().filter(|word| word.note.held == Some(true));
        member.held = last.map(|word| Held {
            by: word.by,
            user: word.note.user,
            reason: word.note.reason.clone(),
            at_ms: word.note.at_ms,
        });
    }

    pub(super) fn next_turns(&self) -> (u64, u64) {
        let next = |words: &[Word]| words.first().map_or(1, |word| word.note.turn.saturating_add(1));
        (next(&self.name), next(&self.held))
    }
}

impl Authority {
    pub(super) fn note(&mut self, fold: &Fold<'_>, stated: &Stated, note: &DeviceNote) {
        let ruled = fold
            .posts_of(&note.device)
            .filter(|(unit, _)| fold.rules(stated, *unit).is_some());
        let ruled: Vec<bool> = ruled.map(|(_, post)| post.is_live()).collect();
        if !ruled.is_empty() {
            let notes = self.notes.entry(note.device).or_default();
            notes.take(fold.order(stated), stated.log.device, note, ruled.contains(&true));
        }
    }

    pub(super) fn settle_notes(&mut self) {
        for (device, notes) in &mut self.notes {
            notes.settle();
            if let Some(member) = self.members.get_mut(device) {
                notes.tell(member);
            }
        }
    }

    pub(super) fn leave(&mut self, leave: &Leave) {
        let Some(kept) = self.left.get_mut(&leave.device) else {
            self.left.insert(leave.device, leave.clone());
            return;
        };
        match kept.at_ms.cmp(&leave.at_ms) {
            Ordering::Less => *kept = leave.clone(),
            Ordering::Greater => {}
            Ordering::Equal => {
                kept.undo |= leave.undo;
                kept.cuts.extend(&leave.cuts);
                kept.cuts.sort_unstable();
                kept.cuts.dedup();
                // Who decided at the very same moment is told by the words alone: any order gives the same ones.
                if (&leave.reason, leave.user) < (&kept.reason, kept.user) {
                    (kept.reason, kept.user) = (leave.reason.clone(), leave.user);
                }
            }
        }
    }

    /// What was left in 待认 of a device, if the latest word about it says so.
    pub fn left(&self, device: &DeviceId) -> Option<&Leave> {
        self.left.get(device).filter(|leave| !leave.undo)
    }

    /// The turns that the next words about a device's name and about whether it is met have.
    pub fn next_turns(&self, device: &DeviceId) -> (u64, u64) {
        self.notes.get(device).map_or((1, 1), Notes::next_turns)
    }

    /// When the latest word was said about what waits of a device, UTC milliseconds.
    pub fn left_at_ms(&self, device: &DeviceId) -> Option<i64> {
        self.left.get(device).map(|leave| leave.at_ms)
    }
}
