//! What a hub says of its own disk (回执): receipts for what is durable here, taken back when they no longer hold.

use std::collections::BTreeSet;

use ledger::id::{Scope, ScopeKind, Tier};
use replica::receipt::{Receipt, Withdrawal};
use replica::statement::Role;
use replica::time::Now;
use store::StoreError;

use crate::life::fact;
use crate::office::{Office, OfficeError};

/// How long the second withdrawal of another store waits after the first; each further one twice as long as the one before.
const PATIENCE_FIRST_MS: u64 = 10_000;
/// And no longer than this. As long without any, and the next one is the first again.
const PATIENCE_MAX_MS: u64 = 3_600_000;

/// How soon a hub takes back again what was said under a store of its key that is not its own.
///
/// Such a store may be a disk that was put back to an older copy: nobody has it any more, and what it said has to go at once. Or a copy
/// of this hub lives, says more than is held here, and answers in kind: without patience the two would take back each other's word as
/// fast as the line carries it, and withdrawals are kept for ever.
#[derive(Default, Debug)]
pub(crate) struct Patience {
    until_ms: u64,
    wait_ms: u64,
    /// One waits for its time.
    waits: bool,
}

impl Patience {
    /// Whether what was said under others may be taken back now, if there is any; it then counts, and otherwise waits.
    pub(crate) fn allows(&mut self, others: bool, now: Now) -> bool {
        self.waits = others && now.mono_ms < self.until_ms;
        if self.waits || !others {
            return !self.waits;
        }
        let is_long_ago = now.mono_ms - self.until_ms >= PATIENCE_MAX_MS;
        self.wait_ms = match is_long_ago {
            true => PATIENCE_FIRST_MS,
            false => (self.wait_ms * 2).clamp(PATIENCE_FIRST_MS, PATIENCE_MAX_MS),
        };
        self.until_ms = now.mono_ms + self.wait_ms;
        true
    }

    /// When the one that waits is to be looked at again.
    pub(crate) fn over_at_ms(&self) -> Option<u64> {
        self.waits.then_some(self.until_ms)
    }

    pub(crate) fn is_over(&self, now: Now) -> bool {
        self.over_at_ms().is_some_and(|at| now.mono_ms >= at)
    }
}

impl Office {
    pub(crate) fn begin_store(&mut self) -> Result<(), StoreError> {
        self.store_id = self.seeds.u64() | 1;
        let bytes = self.store_id.to_be_bytes();
        self.store.stage_fact(fact::STORE_ID, Some(&bytes))
    }

    /// Signs receipts for the books among `moved`, if this is a hub that is in.
    pub(crate) fn sign_receipts(&mut self, now: Now, moved: &BTreeSet<Scope>) -> Vec<Receipt> {
        let Some(life) = &self.life else { return Vec::new() };
        if life.role != Role::Hub || !self.is_member(&self.me.device) || self.tier() < Tier::Township {
            return Vec::new();
        }
        let mut signed = Vec::new();
        for scope in moved.iter().filter(|s| s.kind == ScopeKind::Book) {
            if !self.authority.may_hold(life.unit, scope) {
                continue;
            }
            let logs = self.store.logs();
            // The count of entries only rises while nothing is lost, needs no memory of its own, and a hub restored from an old copy
            // begins lower: its peers keep the greater one, and give it back.
            let counter = logs.entries(*scope);
            let held = self.store.receipts().of(&self.me.device, self.store_id, *scope);
            let unstaged = self.unstaged.get(scope);
            if held.into_iter().chain(unstaged).any(|r| r.counter >= counter) {
                continue;
            }
            let vector = logs.vector(*scope).clone();
            let receipt = Receipt::sign(&self.me.signing, self.store_id, *scope, counter, now.wall_ms, vector);
            signed.push(receipt);
        }
        for receipt in &signed {
            self.unstaged.insert(receipt.scope, receipt.clone());
            self.due.receipts_since_ms.get_or_insert(now.mono_ms);
        }
        signed
    }

    /// Signs for every book held, where the standing receipt says less than is held.
    pub(crate) fn sign_all(&mut self, now: Now) -> Vec<Receipt> {
        let books: BTreeSet<Scope> = self.store.logs().scopes().collect();
        self.sign_receipts(now, &books)
    }

    /// Stages own receipts that lay in RAM; returns whether there were any.
    pub(crate) fn stage_unstaged(&mut self) -> Result<bool, StoreError> {
        self.due.receipts_since_ms = None;
        let unstaged = std::mem::take(&mut self.unstaged);
        for receipt in unstaged.values() {
            self.store.stage_receipt(receipt)?;
        }
        Ok(!unstaged.is_empty())
    }

    /// Looks whether what we said still holds, when there is reason to.
    pub(crate) fn settle_receipts(&mut self, now: Now) -> Result<(), OfficeError> {
        if self.role() != Role::Hub {
            self.due.patience = Patience::default();
        } else if self.due.own_receipts {
            let before = self.store_id;
            let withdrawn = self.withdraw_if_below(now)?;
            let signed = match before == self.store_id {
                true => Vec::new(),
                false => self.sign_all(now),
            };
            self.peers.pass_on(withdrawn, signed);
        }
        Ok(())
    }

    /// Takes back what we said and no longer hold (a restored backup, a damaged disk), and begins a new store. Returns the
    /// withdrawals, staged.
    fn withdraw_if_below(&mut self, now: Now) -> Result<Vec<Withdrawal>, StoreError> {
        self.due.own_receipts = false;
        let me = self.me.device;
        let logs = self.store.logs();
        let doubts = self.store.doubts();
        let mut lost = BTreeSet::new();
        for receipt in self.store.receipts().by_hub(&me) {
            let holds_all = receipt.vector.logs.iter().all(|((device, epoch), tips)| {
                let log = replica::entry::LogId {
                    scope: receipt.scope,
                    device: *device,
                    epoch: *epoch,
                };
                tips.iter().all(|tip| logs.holds(&log, *tip, &self.store))
            });
            if !holds_all {
                lost.insert(receipt.store);
            }
        }
        if self.store.doubts() != doubts {
            // Not read is not lost: nobody is alarmed before the place has been looked at.
            self.due.own_receipts = true;
            return Ok(Vec::new());
        }
        let others = lost.iter().any(|store| *store != self.store_id);
        if !self.due.patience.allows(others, now) {
            lost.retain(|store| *store == self.store_id);
        }
        let mut withdrawn = Vec::new();
        for store in lost {
            let withdrawal = Withdrawal::sign(&self.me.signing, store, now.wall_ms);
            self.store.stage_withdrawal(&withdrawal)?;
            withdrawn.push(withdrawal);
        }
        // Also a copy from before we took something back: what it would say under the old store counts nowhere any more.
        let is_void = self.store.receipts().is_void(&me, self.store_id);
        // What named it may have lain in a damaged place.
        let is_unknown = self.store_id == 0;
        if is_void || is_unknown || withdrawn.iter().any(|w| w.store == self.store_id) {
            self.unstaged.clear();
            self.begin_store()?;
        }
        Ok(withdrawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono_ms: u64) -> Now {
        Now { wall_ms: 0, mono_ms }
    }

    #[test]
    fn what_a_lost_disk_said_is_taken_back_at_once_and_two_copies_do_not_take_back_each_others_word_for_ever() {
        let mut patience = Patience::default();
        assert!(patience.allows(true, at(5_000)), "the first at once");
        // The copy answers within the round trip, all day long.
        let mut times = 0;
        for ms in (5_020..86_400_000).step_by(20) {
            let due = patience.over_at_ms();
            if patience.allows(true, at(ms)) {
                times += 1;
                assert!(due.is_some_and(|due| ms - due < 20), "it wakes when its time has come");
            }
        }
        assert!((24..40).contains(&times), "{times} in a day");
        assert!(patience.allows(false, at(86_400_000)));
        assert_eq!(patience.over_at_ms(), None, "nothing waits any more");
        assert!(patience.allows(true, at(3 * 86_400_000)));
        assert!(!patience.allows(true, at(3 * 86_400_000 + PATIENCE_FIRST_MS - 1)));
        assert!(
            patience.allows(true, at(3 * 86_400_000 + PATIENCE_FIRST_MS)),
            "it begins anew"
        );
    }
}
