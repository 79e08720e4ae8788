//! One pass of events through the transition table.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::effect::{Machine, Step};
use super::legality::{Law, check_data, text};
use super::order::Order;
use super::{NewEvent, Value, VoidReason};
use crate::conflict::ConflictId;
use crate::day::Day;
use crate::form::{Effect, Event, Joins};
use crate::id::UnitId;

/// How many pairs of events one fold compares to learn whether events would have been legal without the concurrent ones. An
/// ordinary case needs a few hundred; beyond it such an event is plainly void, so that a flood of them does not stop the hub.
const PAIRS_MAX: usize = 1_000_000;
/// How deep such questions may lead into the past.
const DEPTH_MAX: u32 = 64;
/// How often the events that stand are folded by themselves; once is enough but for events that stand in each other's way in a ring.
const ROUNDS_MAX: usize = 8;

/// What became of one event.
pub(super) struct Verdict {
    pub(super) event: usize,
    pub(super) on: Day,
    pub(super) void: Option<VoidReason>,
    pub(super) joined: bool,
    /// The concurrent event that made it void: a human must look.
    pub(super) blocker: Option<usize>,
    pub(super) state: String,
}

pub(super) struct Outcome {
    pub(super) machine: Machine,
    pub(super) verdicts: Vec<Verdict>,
}

impl Outcome {
    fn standing(&self) -> impl Iterator<Item = usize> + '_ {
        self.verdicts.iter().filter(|v| v.void.is_none()).map(|v| v.event)
    }
}

enum Ruling<'a> {
    Stands(&'a Event),
    Joins(&'a Event),
    Void(VoidReason, Option<usize>),
}

pub(super) struct Run<'a> {
    order: Order<'a>,
    law: Law<'a>,
    custody: UnitId,
    corrections: &'a BTreeMap<usize, Day>,
    legal: RefCell<BTreeMap<usize, bool>>,
    /// Events that are void: what was built on them is judged as if nobody had written them.
    void: RefCell<BTreeSet<usize>>,
    pairs: Cell<usize>,
    depth: Cell<u32>,
}

impl<'a> Run<'a> {
    pub(super) fn new(order: Order<'a>, law: Law<'a>, custody: UnitId, corrections: &'a BTreeMap<usize, Day>) -> Self {
        Self {
            order,
            law,
            custody,
            corrections,
            legal: RefCell::default(),
            void: RefCell::default(),
            pairs: Cell::new(0),
            depth: Cell::new(0),
        }
    }

    /// Folds the events at these places (ascending).
    pub(super) fn fold(&self, chosen: &[usize]) -> Outcome {
        let mut outcome = Outcome {
            machine: Machine::new(self.law.form, self.custody),
            verdicts: Vec::with_capacity(chosen.len()),
        };
        let epoch = Day::of_wall_ms(0);
        for event in self.order.of(chosen) {
            let raw = &self.order.events[event];
            let typed = raw.event.as_ref();
            let on = self
                .corrections
                .get(&event)
                .copied()
                .or(typed.map(|t| t.on))
                .unwrap_or(epoch);
            let ruling = match typed {
                Some(typed) => self.rule(event, typed, &outcome),
                None => Ruling::Void(VoidReason::Unreadable, None),
            };
            let mut verdict = Verdict {
                event,
                on,
                void: None,
                joined: false,
                blocker: None,
                state: String::new(),
            };
            let envelope = &self.order.document.changes[raw.at].envelope;
            let step = typed.map(|typed| Step {
                event,
                id: &raw.id,
                typed,
                on,
                unit: envelope.unit,
                user: envelope.user,
            });
            match (ruling, step) {
                (Ruling::Stands(declared), Some(step)) => outcome.machine.step(declared, &step),
                (Ruling::Joins(declared), Some(step)) => {
                    outcome.machine.join(declared, &step);
                    verdict.joined = true;
                }
                (Ruling::Void(reason, blocker), _) => {
                    verdict.void = Some(reason);
                    verdict.blocker = blocker;
                }
                (_, None) => verdict.void = Some(VoidReason::Unreadable),
            }
            verdict.state.clone_from(&outcome.machine.point.state);
            outcome.verdicts.push(verdict);
        }
        outcome
    }

    /// Folds all events so that the void ones change nothing: what stands is folded by itself, and must come to the same. It may not
    /// where a void event has kept its successor behind a third one: whatever does not stand without it gives way as well.
    pub(super) fn settle(&self, all: &[usize]) -> Outcome {
        let mut outcome = self.fold(all);
        if self.order.document.is_chain() {
            return outcome;
        }
        for _ in 0..ROUNDS_MAX {
            let mut standing: Vec<usize> = outcome.standing().collect();
            if standing.len() == outcome.verdicts.len() {
                break;
            }
            standing.sort_unstable();
            self.pass_over(outcome.verdicts.iter().filter(|v| v.void.is_some()));
            let alone = self.fold(&standing);
            if alone.machine == outcome.machine && alone.standing().count() == standing.len() {
                break;
            }
            outcome = self.with_void(alone, outcome.verdicts);
        }
        outcome
    }

    fn pass_over<'v>(&self, void: impl Iterator<Item = &'v Verdict>) {
        self.void.borrow_mut().extend(void.map(|v| v.event));
        self.legal.borrow_mut().clear();
    }

    /// The outcome of what stands by itself, and what was void before in its places: ahead of what was built on it, or at the end.
    fn with_void(&self, mut outcome: Outcome, before: Vec<Verdict>) -> Outcome {
        for mut void in before.into_iter().filter(|v| v.void.is_some()) {
            let mut built_on = outcome.verdicts.iter();
            let at = built_on.position(|v| self.order.before(void.event, v.event));
            let at = at.unwrap_or(outcome.verdicts.len());
            void.state = match at.checked_sub(1) {
                Some(last) => outcome.verdicts[last].state.clone(),
                None => self.law.form.initial.clone(),
            };
            outcome.verdicts.insert(at, void);
        }
        outcome
    }

    fn rule(&self, event: usize, typed: &NewEvent, so_far: &Outcome) -> Ruling<'a> {
        let Some(declared) = self.law.form.events.get(&typed.kind) else {
            return Ruling::Void(VoidReason::UnknownEvent, None);
        };
        if let Err(name) = check_data(declared, typed) {
            return Ruling::Void(VoidReason::BadData { name: name.to_owned() }, None);
        }
        let envelope = &self.order.document.changes[self.order.events[event].at].envelope;
        let judged = self
            .law
            .judge(&typed.kind, &so_far.machine.point, envelope.unit, envelope.tier);
        match (judged, declared.effect) {
            (Ok(_), Effect::CorrectDate) if !corrects(&self.order, event, typed) => {
                Ruling::Void(VoidReason::NotEntitled, None)
            }
            (Ok(_), Effect::Resolve) => self.rule_decision(event, typed, declared, so_far),
            (Ok(declared), _) => Ruling::Stands(declared),
            (Err(reason), _) => self.rule_against(event, declared, reason, so_far),
        }
    }

    /// A later decision undoes an earlier one; of concurrent ones the first in fold order (the higher tier) stands.
    fn rule_decision(&self, event: usize, typed: &NewEvent, declared: &'a Event, so_far: &Outcome) -> Ruling<'a> {
        let id = text(typed, "conflict").and_then(ConflictId::parse);
        let earlier = id.and_then(|id| so_far.machine.resolutions.get(&id));
        match earlier {
            Some((other, resolution)) if self.apart(*other, event) => {
                if text(typed, "choice") == Some(&resolution.choice) {
                    return Ruling::Joins(declared);
                }
                let by = self.order.events[*other].id.clone();
                Ruling::Void(VoidReason::Concurrent { by }, None)
            }
            _ => Ruling::Stands(declared),
        }
    }

    /// An event that is not legal where it stands in the order: did a concurrent one make it so?
    fn rule_against(&self, event: usize, declared: &'a Event, reason: VoidReason, so_far: &Outcome) -> Ruling<'a> {
        let stood = |v: &&Verdict| v.void.is_none() && !v.joined && self.apart(v.event, event);
        let moved = |v: &&Verdict| {
            let kind = self.order.events[v.event].event.as_ref().map(|e| e.kind.as_str());
            let other = kind.and_then(|kind| self.law.form.events.get(kind));
            other.is_some_and(|o| o.to.is_some() || o.effect == Effect::HandOver)
        };
        let blocker = so_far.verdicts.iter().rev().filter(stood).find(moved);
        let Some(blocker) = blocker.filter(|_| self.legal_alone(event)) else {
            return Ruling::Void(reason, None);
        };
        let kind = |event: usize| self.order.events[event].event.as_ref().map(|e| &e.kind);
        let twin = so_far
            .verdicts
            .iter()
            .filter(stood)
            .any(|v| kind(v.event) == kind(event));
        if twin && declared.joins != Joins::No {
            return Ruling::Joins(declared);
        }
        let by = self.order.events[blocker.event].id.clone();
        // One item per branch: what follows from an event that gave way gives way with it.
        let follows = so_far
            .verdicts
            .iter()
            .any(|v| v.blocker.is_some() && self.order.before(v.event, event));
        Ruling::Void(VoidReason::Concurrent { by }, (!follows).then_some(blocker.event))
    }

    fn apart(&self, a: usize, b: usize) -> bool {
        let at = |event: usize| self.order.events[event].at;
        self.order.document.concurrent(at(a), at(b))
    }

    /// Whether the event was legal for all its author could know.
    fn legal_alone(&self, event: usize) -> bool {
        if let Some(known) = self.legal.borrow().get(&event) {
            return *known;
        }
        if self.pairs.get() >= PAIRS_MAX || self.depth.get() >= DEPTH_MAX {
            return false;
        }
        let events = 0..self.order.events.len();
        let void = self.void.borrow().clone();
        let past = events.filter(|other| self.order.before(*other, event) && !void.contains(other));
        let past: Vec<usize> = past.collect();
        self.pairs
            .set(self.pairs.get() + self.order.events.len() + past.len() * past.len());
        self.depth.set(self.depth.get() + 1);
        let point = self.fold(&past).machine.point;
        self.depth.set(self.depth.get() - 1);
        let raw = &self.order.events[event];
        let envelope = &self.order.document.changes[raw.at].envelope;
        let legal = raw.event.as_ref().is_some_and(|typed| {
            self.law
                .judge(&typed.kind, &point, envelope.unit, envelope.tier)
                .is_ok()
        });
        self.legal.borrow_mut().insert(event, legal);
        legal
    }
}

/// The business dates that later events corrected, by place of the event; the last in fold order counts.
pub(super) fn corrections(order: &Order) -> BTreeMap<usize, Day> {
    let is_correction = |event: &usize| {
        let declared = order.events[*event].declared;
        declared.is_some_and(|d| d.effect == Effect::CorrectDate)
    };
    let mut corrected = BTreeMap::new();
    if !(0..order.events.len()).any(|event| is_correction(&event)) {
        return corrected;
    }
    let all: Vec<usize> = (0..order.events.len()).collect();
    for event in order.of(&all).into_iter().filter(is_correction) {
        let Some(typed) = &order.events[event].event else {
            continue;
        };
        let Some(Value::Day(to)) = typed.data.get("to") else {
            continue;
        };
        if let Some(target) = target(order, event, typed).filter(|_| corrects(order, event, typed)) {
            corrected.insert(target, *to);
        }
    }
    corrected
}

/// The event whose date is corrected: one that the correction's author knew.
fn target(order: &Order, event: usize, typed: &NewEvent) -> Option<usize> {
    let id = text(typed, "event")?;
    (0..order.events.len()).find(|other| order.events[*other].id == id && order.before(*other, event))
}

/// Only the unit that wrote an event, or a higher tier, corrects its date.
fn corrects(order: &Order, event: usize, typed: &NewEvent) -> bool {
    let envelope = |event: usize| &order.document.changes[order.events[event].at].envelope;
    target(order, event, typed).is_some_and(|target| {
        let (author, other) = (envelope(event), envelope(target));
        author.unit == other.unit || author.tier > other.tier
    })
}
