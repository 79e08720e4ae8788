//! Receipts and withdrawals: which of them the peer knows, and which it is still to be told.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{DeviceId, Scope};

use super::Context;
use crate::frame::{MARKS_MAX, Mark, Marks, Outbound, WITHDRAWN_MAX};
use crate::limits::VECTOR_BYTES_MAX;
use crate::receipt::{Receipt, StoreId, Withdrawal};

/// Up to so many receipts are sent without asking first what the peer knows: they are in its hands after half a round trip.
const AT_ONCE_MAX: usize = 24;
/// Receipts of one frame, in bytes.
const FRAME_BYTES: usize = 64 * 1024;

type Key = (DeviceId, StoreId, Scope);

#[derive(Debug, Default)]
pub(super) struct Voices {
    known: BTreeMap<Key, u64>,
    known_withdrawn: BTreeSet<(DeviceId, StoreId)>,
    /// What the peer has told since authority last moved here: it may not have counted.
    told_us: BTreeMap<Key, u64>,
    /// Only the latest of each waits: receipts are cumulative.
    due: BTreeMap<Key, Receipt>,
    due_withdrawals: BTreeMap<(DeviceId, StoreId), Withdrawal>,
    /// We said what we know and wait to hear what the peer knows.
    awaiting: bool,
}

fn key(receipt: &Receipt) -> Key {
    (receipt.hub, receipt.store, receipt.scope)
}

impl Voices {
    /// The digests differ: tells all when it is little, else what is known. Whichever comes first from the peer tells what it knows.
    pub(super) fn compare(&mut self, shared: &[Scope], cx: &mut Context<'_>) -> usize {
        self.awaiting = true;
        let receipts = cx.local.receipts(shared);
        let withdrawals = cx.local.withdrawals(shared);
        if !receipts.is_empty() && receipts.len() + withdrawals.len() <= AT_ONCE_MAX {
            self.offer(receipts, withdrawals, |_| true);
            return 0;
        }
        self.say_marks(shared, cx)
    }

    fn say_marks(&mut self, shared: &[Scope], cx: &mut Context<'_>) -> usize {
        let mark = |r: &Receipt| Mark {
            hub: r.hub,
            store: r.store,
            scope: r.scope,
            counter: r.counter,
        };
        // What goes beyond the frame is told again by the peer, no more.
        let (receipts, withdrawals) = (cx.local.receipts(shared), cx.local.withdrawals(shared));
        let withdrawn = withdrawals.iter().map(|w| (w.hub, w.store)).take(WITHDRAWN_MAX);
        cx.send(&Outbound::Marks(Marks {
            marks: receipts.iter().map(mark).take(MARKS_MAX).collect(),
            withdrawn: withdrawn.collect(),
        }))
    }

    /// The peer says what it knows, all of it; it is sent what is newer here.
    pub(super) fn marks(&mut self, marks: Marks, shared: &[Scope], cx: &mut Context<'_>) {
        let known = marks
            .marks
            .into_iter()
            .map(|mark| ((mark.hub, mark.store, mark.scope), mark.counter));
        self.known = known.collect();
        self.known_withdrawn = marks.withdrawn.into_iter().collect();
        self.awaiting = true;
        self.answer(shared, cx);
    }

    /// Authority has moved. Receipts of hubs that did not count before were dropped here, and the peer thinks that we know them: says
    /// again what we know. The bytes sent.
    pub(super) fn recheck(&mut self, shared: &[Scope], cx: &mut Context<'_>) -> usize {
        let held: BTreeMap<Key, u64> = cx.local.receipts(shared).iter().map(|r| (key(r), r.counter)).collect();
        let dropped: BTreeMap<Key, u64> = self
            .told_us
            .iter()
            .filter(|(key, counter)| {
                held.get(*key).is_none_or(|held| held < *counter)
                    && shared.contains(&key.2)
                    && !self.known_withdrawn.contains(&(key.0, key.1))
            })
            .map(|(key, counter)| (*key, *counter))
            .collect();
        // What is of no scope that we share may be of one that we shall share: it is looked at again then.
        self.told_us.retain(|key, _| !shared.contains(&key.2));
        if dropped.is_empty() {
            0
        } else {
            self.say_marks(shared, cx)
        }
    }

    /// The peer told receipts and withdrawals.
    pub(super) fn heard(
        &mut self,
        receipts: &[Receipt],
        withdrawals: &[Withdrawal],
        shared: &[Scope],
        cx: &mut Context<'_>,
    ) {
        for receipt in receipts {
            let known = self.known.entry(key(receipt)).or_default();
            *known = receipt.counter.max(*known);
            self.told_us.insert(key(receipt), receipt.counter);
        }
        self.known_withdrawn
            .extend(withdrawals.iter().map(|w| (w.hub, w.store)));
        self.answer(shared, cx);
    }

    fn answer(&mut self, shared: &[Scope], cx: &mut Context<'_>) {
        if std::mem::take(&mut self.awaiting) {
            let (receipts, withdrawals) = (cx.local.receipts(shared), cx.local.withdrawals(shared));
            self.offer(receipts, withdrawals, |_| true);
        }
    }

    /// Takes note of what the peer may have to be told, if `shares` its scope and it does not know it.
    pub(super) fn offer(
        &mut self,
        receipts: Vec<Receipt>,
        withdrawals: Vec<Withdrawal>,
        shares: impl Fn(&Scope) -> bool,
    ) {
        for receipt in receipts {
            let key = key(&receipt);
            let is_newer = |held: &Receipt| receipt.counter > held.counter;
            if shares(&receipt.scope)
                && receipt.counter > self.known.get(&key).copied().unwrap_or(0)
                && self.due.get(&key).is_none_or(is_newer)
            {
                self.due.insert(key, receipt);
            }
        }
        for withdrawal in withdrawals {
            let key = (withdrawal.hub, withdrawal.store);
            if !self.known_withdrawn.contains(&key) {
                self.due_withdrawals.insert(key, withdrawal);
            }
        }
    }

    /// Sends one frame of what is due; the bytes sent, 0 when nothing is.
    pub(super) fn send(&mut self, cx: &mut Context<'_>) -> usize {
        let mut receipts = Vec::new();
        let mut bytes = 0;
        while bytes < FRAME_BYTES {
            let Some((key, receipt)) = self.due.pop_first() else {
                break;
            };
            // Meanwhile the peer itself may have said it.
            if receipt.counter <= self.known.get(&key).copied().unwrap_or(0) {
                continue;
            }
            let len = receipt.encode().len() + 16;
            // Longer than any frame may be: nobody could read it. A vector of 20,000 logs comes first.
            if len + FRAME_BYTES >= VECTOR_BYTES_MAX {
                continue;
            }
            bytes += len;
            self.known.insert(key, receipt.counter);
            receipts.push(receipt);
        }
        let mut withdrawals = Vec::new();
        for (key, withdrawal) in std::mem::take(&mut self.due_withdrawals) {
            if withdrawals.len() >= 256 {
                self.due_withdrawals.insert(key, withdrawal);
            } else if self.known_withdrawn.insert(key) {
                withdrawals.push(withdrawal);
            }
        }
        if receipts.is_empty() && withdrawals.is_empty() {
            return 0;
        }
        cx.send(&Outbound::Receipts(receipts, withdrawals))
    }

    /// How many receipts and withdrawals are noted.
    pub(super) fn remembered(&self) -> usize {
        self.known.len() + self.known_withdrawn.len() + self.told_us.len()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.due.is_empty() && self.due_withdrawals.is_empty()
    }
}
