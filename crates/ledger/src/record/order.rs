//! The order in which events are folded: causes first; of concurrent ones, the one that stands first.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::NewEvent;
use super::document::Document;
use crate::form::Event;
use crate::id::{DeviceId, Hash, Tier};

/// One event as the document holds it.
pub(super) struct Raw<'a> {
    /// Place of its change in the document.
    pub(super) at: usize,
    pub(super) id: String,
    /// `None` if the bytes are no event.
    pub(super) event: Option<NewEvent>,
    /// What the form says of its kind; `None` if it does not know it.
    pub(super) declared: Option<&'a Event>,
}

/// Twelve digits of the change's hash, a dot, the place in the change: short enough to be read out on the telephone.
pub(super) fn event_id(change: &Hash, place: usize) -> String {
    format!("{}.{place}", &change.to_string()[..12])
}

/// Puts events in fold order.
///
/// Always the causes first. Among those that could come next: one that need not step back before an event still to come,
/// then the higher tier, then (Lamport, device), then the place in the change. *Stepping back* looks ahead: an event steps
/// back as long as a concurrent one that stands over it has not been placed, even if that one's causes come first. So a
/// withdrawal typed apart does not slip in before the chain of events that ends in a delivery.
pub(super) struct Order<'a> {
    pub(super) document: &'a Document,
    pub(super) events: &'a [Raw<'a>],
    /// Events that a decision lets stand over their rivals.
    pub(super) upheld: &'a BTreeSet<String>,
}

/// By what an event stands over a concurrent one. A decision or the form goes before the tier: a township's withdrawal steps
/// back before a room's delivery, although it outranks the steps that led there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Rule,
    Tier,
}

type Rank = (Reverse<Tier>, u64, DeviceId, usize);

impl Order<'_> {
    /// Of `chosen` (places of events, ascending), the fold order.
    pub(super) fn of(&self, chosen: &[usize]) -> Vec<usize> {
        let changes: BTreeSet<usize> = chosen.iter().map(|e| self.events[*e].at).collect();
        if self.document.is_chain() || changes.len() < 2 {
            return chosen.to_vec();
        }
        let mut left: Vec<usize> = chosen.to_vec();
        // How many events still to come must, and how many should, go before each.
        let mut causes: Vec<usize> = vec![0; self.events.len()];
        let mut ruled: Vec<usize> = causes.clone();
        let mut outranked: Vec<usize> = causes.clone();
        for event in chosen {
            causes[*event] = chosen.iter().filter(|other| self.before(**other, *event)).count();
            for other in chosen {
                match self.over(*other, *event) {
                    Some(Over::Rule) => ruled[*event] += 1,
                    Some(Over::Tier) => outranked[*event] += 1,
                    None => {}
                }
            }
        }
        let mut order = Vec::with_capacity(chosen.len());
        loop {
            let free = left.iter().copied().filter(|event| causes[*event] == 0);
            let Some(next) = free.min_by_key(|event| (ruled[*event] > 0, outranked[*event] > 0, self.rank(*event)))
            else {
                break;
            };
            left.retain(|event| *event != next);
            for event in &left {
                causes[*event] -= usize::from(self.before(next, *event));
                match self.over(next, *event) {
                    Some(Over::Rule) => ruled[*event] -= 1,
                    Some(Over::Tier) => outranked[*event] -= 1,
                    None => {}
                }
            }
            order.push(next);
        }
        order
    }

    fn rank(&self, event: usize) -> Rank {
        let change = &self.document.changes[self.events[event].at];
        (
            Reverse(change.envelope.tier),
            change.lamport,
            change.envelope.device,
            event,
        )
    }

    /// Whether `a` is a cause of `b`.
    pub(super) fn before(&self, a: usize, b: usize) -> bool {
        let (x, y) = (self.events[a].at, self.events[b].at);
        if x == y { a < b } else { self.document.precedes(x, y) }
    }

    /// Whether `a` is concurrent with `b` and stands over it, and by what.
    fn over(&self, a: usize, b: usize) -> Option<Over> {
        let (x, y) = (&self.events[a], &self.events[b]);
        if !self.document.concurrent(x.at, y.at) {
            return None;
        }
        let by_decision = (self.upheld.contains(&x.id), self.upheld.contains(&y.id));
        let by_form = (yields(y, x), yields(x, y));
        for (mine, other) in [by_decision, by_form] {
            if mine != other {
                return mine.then_some(Over::Rule);
            }
        }
        let tier = |raw: &Raw| self.document.changes[raw.at].envelope.tier;
        (tier(x) > tier(y)).then_some(Over::Tier)
    }
}

fn yields(a: &Raw, b: &Raw) -> bool {
    let Some(declared) = a.declared.filter(|d| !d.yields_to.is_empty()) else {
        return false;
    };
    b.event.as_ref().is_some_and(|b| declared.yields_to.contains(&b.kind))
}
