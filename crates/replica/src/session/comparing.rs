//! Comparing: digests, then vectors of what differs. Who is told what the other holds knows what to send.

use std::collections::BTreeMap;

use ledger::id::Scope;

use super::open::{KEYS_AT_MEETING, Open, Shared, Slot, Theirs, Told, turn};
use super::{Context, Effect, PeerError};
use crate::entry::LogId;
use crate::frame::{Busy, Digests, Outbound, Refusal, Refused, Speech, Vectors};
use crate::limits::VECTOR_BYTES_MAX;
use crate::vector::Vector;

/// A peer that has so much more than we do takes one of the slots for catching up.
const CATCH_UP_ENTRIES: u64 = 512;
/// Vectors of one frame, in bytes; a longer one goes by itself.
const FRAME_BYTES: usize = 128 * 1024;
/// Digests of one frame.
const FRAME_SCOPES: usize = 4_096;
/// A peer whose organisation is out of date names scopes that we do not share now and then; one that keeps doing it is probing.
const NOT_SHARED_MAX: u32 = 8_192;

impl Open {
    pub(super) fn tell_digests(&mut self, scopes: &[Scope], speech: Speech, cx: &mut Context<'_>) {
        for part in scopes.chunks(FRAME_SCOPES) {
            let mut digests = Vec::with_capacity(part.len());
            for scope in part {
                if let Some(shared) = self.scopes.get_mut(scope) {
                    shared.told = shared.told.max(Told::Named);
                    digests.push((*scope, cx.local.digest(*scope)));
                }
            }
            let bytes = cx.send(&Outbound::Digests(Digests {
                speech,
                scopes: digests,
            }));
            self.sent(bytes, cx);
        }
    }

    pub(super) fn tell_vectors(&mut self, scopes: &[Scope], speech: Speech, cx: &mut Context<'_>) {
        let mut part = Vec::new();
        let mut part_bytes = 0;
        for scope in scopes {
            let Some(shared) = self.scopes.get_mut(scope) else {
                continue;
            };
            let vector = cx.local.vector(*scope);
            let mut encoded = Vec::new();
            vector.encode(&mut encoded);
            // Such a scope, of 20,000 logs, cannot be compared by any version yet; the others go on, and people are told.
            if encoded.len() + 64 > VECTOR_BYTES_MAX {
                cx.effect(Effect::TooLong(*scope));
                continue;
            }
            shared.told = Told::Vector;
            if part_bytes + encoded.len() > FRAME_BYTES && !part.is_empty() {
                self.send_vectors(std::mem::take(&mut part), speech, cx);
                part_bytes = 0;
            }
            part_bytes += encoded.len() + 17;
            part.push((*scope, cx.local.vector(*scope).clone()));
        }
        if !part.is_empty() {
            self.send_vectors(part, speech, cx);
        }
    }

    fn send_vectors(&mut self, scopes: Vec<(Scope, Vector)>, speech: Speech, cx: &mut Context<'_>) {
        let bytes = cx.send(&Outbound::Vectors(Vectors { speech, scopes }));
        self.sent(bytes, cx);
    }

    /// Starts over: nothing is taken for granted of what the peer holds.
    pub(super) fn compare_again(&mut self, cx: &mut Context<'_>) {
        for shared in self.scopes.values_mut() {
            shared.theirs = None;
        }
        self.dirty.clear();
        self.gaps.clear();
        self.searches.clear();
        self.expected.clear();
        let all = self.shared();
        self.tell_digests(&all, Speech::Ask, cx);
    }

    pub(super) fn digests(&mut self, digests: Digests, cx: &mut Context<'_>) {
        if digests.speech == Speech::Ask && self.slot == Slot::Refused {
            self.slot = Slot::None;
        }
        let (mut equal, mut untold, mut differing) = (Vec::new(), Vec::new(), Vec::new());
        let named = self.named();
        for (scope, digest) in digests.scopes {
            // A scope that is not shared here: the peer's organisation is older or newer. Whoever learns will ask.
            let Some(shared) = self.scopes.get_mut(&scope) else {
                continue;
            };
            if digest == cx.local.digest(scope) {
                equal.push(scope);
                let vector = cx.local.vector(scope).clone();
                self.learn(scope, vector, cx);
            } else {
                if shared.told < Told::Vector {
                    untold.push(scope);
                }
                differing.push(scope);
            }
        }
        match digests.speech {
            Speech::Tell => self.tell_vectors(&untold, Speech::Tell, cx),
            Speech::Ask => {
                // In full: a digest could be out of date when it arrives, and nobody would ask again.
                self.tell_vectors(&equal, Speech::Tell, cx);
                self.tell_vectors(&differing, Speech::Ask, cx);
            }
        }
        self.ask_keys_of_named(named, cx);
    }

    /// How many scopes the peer has named.
    fn named(&self) -> usize {
        self.scopes.values().filter(|shared| shared.theirs.is_some()).count()
    }

    /// The peer has named more scopes than before: it can be asked for the keys that are missing in them.
    fn ask_keys_of_named(&mut self, before: usize, cx: &mut Context<'_>) {
        if self.named() > before {
            self.ask_keys(KEYS_AT_MEETING, cx);
        }
    }

    pub(super) fn vectors(&mut self, vectors: Vectors, cx: &mut Context<'_>) -> Result<(), PeerError> {
        let mut answer = Vec::new();
        let named = self.named();
        for (scope, vector) in vectors.scopes {
            let Some(shared) = self.scopes.get(&scope) else {
                self.refuse_scope(scope, cx)?;
                continue;
            };
            let is_due = match vectors.speech {
                Speech::Ask => true,
                Speech::Tell => {
                    shared.told == Told::Nothing || (shared.told == Told::Named && vector != *cx.local.vector(scope))
                }
            };
            if is_due {
                answer.push(scope);
            }
            self.learn(scope, vector, cx);
        }
        self.tell_vectors(&answer, Speech::Tell, cx);
        self.want_slot(cx);
        self.ask_keys_of_named(named, cx);
        Ok(())
    }

    fn refuse_scope(&mut self, scope: Scope, cx: &mut Context<'_>) -> Result<(), PeerError> {
        self.not_shared += 1;
        if self.not_shared > NOT_SHARED_MAX {
            return Err(PeerError::TooMany("scopes that are not shared"));
        }
        let bytes = cx.send(&Outbound::Refused(Refused::of_scope(scope, Refusal::NotShared)));
        self.sent(bytes, cx);
        Ok(())
    }

    /// Takes note of what the peer holds of a scope, and of what it lacks and has more than we do.
    pub(super) fn learn(&mut self, scope: Scope, vector: Vector, cx: &mut Context<'_>) {
        let Some(shared) = self.scopes.get_mut(&scope) else {
            return;
        };
        let before = shared.theirs.take().unwrap_or_default();
        self.expected.retain(|log, _| log.scope != scope);
        self.searches.retain(|(log, _), _| log.scope != scope);
        let ours = cx.local.vector(scope);
        let mut theirs = BTreeMap::new();
        for ((device, epoch), tips) in vector.logs {
            let log = LogId { scope, device, epoch };
            let mine = ours.tips(&log);
            let more = tips
                .iter()
                .filter(|tip| mine.binary_search(tip).is_err() && !cx.local.holds(&log, **tip));
            if let Some(seq) = more.map(|tip| tip.seq).max() {
                self.expected.insert(log, seq);
            }
            theirs.insert(
                (device, epoch),
                Theirs {
                    held: tips,
                    common: Vec::new(),
                    refused: None,
                },
            );
        }
        // When the peer speaks of the scope again it may know the author now, or have room; other refusals stand for the session.
        for (key, log) in before {
            if let Some(reason) = log.refused
                && !matches!(reason, Refusal::AuthorUnknown | Refusal::Limit)
            {
                theirs.entry(key).or_default().refused = Some(reason);
            }
        }
        shared.theirs = Some(theirs);
        self.mark_dirty(scope, cx);
    }

    /// Finds the logs of a scope of which the peer may lack something.
    pub(super) fn mark_dirty(&mut self, scope: Scope, cx: &Context<'_>) {
        let Some(Shared {
            theirs: Some(theirs), ..
        }) = self.scopes.get(&scope)
        else {
            return;
        };
        for ((device, epoch), tips) in &cx.local.vector(scope).logs {
            let log = LogId {
                scope,
                device: *device,
                epoch: *epoch,
            };
            let lacks = match theirs.get(&(*device, *epoch)) {
                Some(log) if log.refused.is_some() => false,
                Some(log) => tips.iter().any(|tip| !log.held.contains(tip)),
                None => true,
            };
            if lacks {
                self.dirty.insert(turn(log));
            }
        }
    }

    /// Takes a slot when the peer has much to send; says "busy" when there is none.
    fn want_slot(&mut self, cx: &mut Context<'_>) {
        if self.slot != Slot::None {
            return;
        }
        // The peer says how much it has: no sum of what it says may break us.
        let ahead = self
            .expected
            .iter()
            .map(|(log, seq)| {
                let mine = cx.local.vector(log.scope).tips(log).iter().map(|tip| tip.seq).max();
                seq.saturating_sub(mine.unwrap_or(0))
            })
            .fold(0, u64::saturating_add);
        if ahead > CATCH_UP_ENTRIES
            && let Err(retry_ms) = self.hold_slot(cx)
        {
            self.say_busy(retry_ms, cx);
        }
    }

    /// Sends the peer away for a while: nothing it sends is taken until it compares again.
    pub(super) fn say_busy(&mut self, retry_ms: u64, cx: &mut Context<'_>) {
        self.free_slot(cx);
        self.slot = Slot::Refused;
        self.expected.clear();
        let bytes = cx.send(&Outbound::Busy(Busy { retry_ms }));
        self.sent(bytes, cx);
    }

    /// The peer does not take a log, or does not share a scope.
    pub(super) fn refused(&mut self, log: LogId, reason: Refusal, cx: &mut Context<'_>) {
        // Not shared: the peer will ask once it learns better, see `digests`.
        if reason == Refusal::NotShared {
            return;
        }
        if let Some(Shared {
            theirs: Some(theirs), ..
        }) = self.scopes.get_mut(&log.scope)
        {
            // Refusing what we never had is no news, and must not fill the memory.
            if cx.local.vector(log.scope).tips(&log).is_empty() {
                return;
            }
            let held = theirs.entry((log.device, log.epoch)).or_default();
            if held.refused.is_none() {
                held.refused = Some(reason);
                cx.effect(Effect::Refused { log, reason });
            }
            self.dirty.remove(&turn(log));
        }
    }
}
