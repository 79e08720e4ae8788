//! The machine that events drive: state, clock, closing, notices, custody.

use std::collections::{BTreeMap, BTreeSet};

use super::legality::{Point, int, list, text};
use super::{Evaluation, NewEvent, Notice, Resolution, Suspension};
use crate::conflict::ConflictId;
use crate::day::Day;
use crate::form::{Effect, Event, Form};
use crate::id::{UnitId, UserId};

/// One closing, in fold order.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Closing {
    /// Place of the event.
    pub(super) event: usize,
    pub(super) id: String,
    pub(super) result: i64,
    pub(super) on: Day,
    pub(super) unit: UnitId,
    pub(super) user: UserId,
}

/// A standing event on its way into the machine.
pub(super) struct Step<'a> {
    /// Place among the document's events.
    pub(super) event: usize,
    pub(super) id: &'a str,
    pub(super) typed: &'a NewEvent,
    pub(super) on: Day,
    pub(super) unit: UnitId,
    pub(super) user: UserId,
}

/// What has come of the events so far.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) point: Point,
    pub(super) received_on: Option<Day>,
    pub(super) accepted_on: Option<Day>,
    pub(super) suspensions: Vec<Suspension>,
    pub(super) notices: Vec<Notice>,
    pub(super) outstanding: BTreeSet<String>,
    /// By material: handed back (true) or supplied (false), whichever was last.
    pub(super) given_back: BTreeMap<String, bool>,
    pub(super) supplied: BTreeSet<String>,
    pub(super) closings: Vec<Closing>,
    pub(super) evaluation: Option<Evaluation>,
    pub(super) resolutions: BTreeMap<ConflictId, (usize, Resolution)>,
}

impl Machine {
    pub(super) fn new(form: &Form, custody: UnitId) -> Self {
        Self {
            point: Point {
                state: form.initial.clone(),
                decided_by: None,
                custody: Some(custody),
            },
            received_on: None,
            accepted_on: None,
            suspensions: Vec::new(),
            notices: Vec::new(),
            outstanding: BTreeSet::new(),
            given_back: BTreeMap::new(),
            supplied: BTreeSet::new(),
            closings: Vec::new(),
            evaluation: None,
            resolutions: BTreeMap::new(),
        }
    }

    /// An event that stands: moves the state and does what it does.
    pub(super) fn step(&mut self, event: &Event, step: &Step) {
        if let Some(to) = &event.to {
            self.point.state.clone_from(to);
        }
        match event.effect {
            Effect::Receive => self.received_on = self.received_on.or(Some(step.on)),
            Effect::Accept => self.accepted_on = self.accepted_on.or(Some(step.on)),
            Effect::Suspend => self.suspensions.push(Suspension {
                from: step.on,
                until: None,
                kind: int(step.typed, "type").unwrap_or(2),
            }),
            Effect::Resume => self.resume(step.on),
            Effect::Decide => self.point.decided_by = Some(step.unit),
            Effect::Reopen | Effect::Void => {
                // What was closed is so no longer; a stretch that stood still when the case ended ends here.
                self.closings.clear();
                self.point.decided_by = None;
                self.resume(step.on);
            }
            Effect::HandOver => {
                if let Some(unit) = text(step.typed, "to").and_then(UnitId::parse) {
                    self.point.custody = Some(unit);
                }
            }
            Effect::Claim => self.point.custody = Some(step.unit),
            Effect::Evaluate => self.evaluate(step),
            Effect::Resolve => self.resolve(step),
            Effect::Close => self.close(step),
            Effect::Notice => self.notice(step),
            Effect::Supply => self.supply(step),
            Effect::GiveBack => {
                let items = list(step.typed, "items");
                self.given_back.extend(items.into_iter().map(|item| (item, true)));
            }
            Effect::CorrectDate | Effect::Nothing => {}
        }
    }

    /// An event whose concurrent twin stands for both: adds what it says, moves nothing.
    pub(super) fn join(&mut self, event: &Event, step: &Step) {
        match event.effect {
            Effect::Close => self.close(step),
            Effect::Notice => self.notice(step),
            Effect::Supply => self.supply(step),
            _ => {}
        }
    }

    fn resume(&mut self, on: Day) {
        if let Some(last) = self.suspensions.last_mut().filter(|s| s.until.is_none()) {
            last.until = Some(on);
        }
    }

    fn close(&mut self, step: &Step) {
        self.closings.push(Closing {
            event: step.event,
            id: step.id.to_owned(),
            result: int(step.typed, "result").unwrap_or(6),
            on: step.on,
            unit: step.unit,
            user: step.user,
        });
    }

    fn notice(&mut self, step: &Step) {
        let items = list(step.typed, "items");
        self.outstanding.extend(items.iter().cloned());
        self.notices.push(Notice {
            event: step.id.to_owned(),
            on: step.on,
            items,
            second: !self.notices.is_empty(),
        });
    }

    /// Without a list, everything that was missing has come.
    fn supply(&mut self, step: &Step) {
        let named = list(step.typed, "items");
        let items = if named.is_empty() {
            self.outstanding.iter().cloned().collect()
        } else {
            named
        };
        for item in items {
            self.outstanding.remove(&item);
            self.given_back.insert(item.clone(), false);
            self.supplied.insert(item);
        }
    }

    /// The last one that a person gave is effective; one filled in by nobody only until then.
    fn evaluate(&mut self, step: &Step) {
        let channel = text(step.typed, "channel").unwrap_or("citizen");
        if channel == "default" {
            return;
        }
        self.evaluation = Some(Evaluation {
            event: step.id.to_owned(),
            rating: int(step.typed, "rating").unwrap_or(0),
            channel: channel.to_owned(),
            on: step.on,
        });
    }

    fn resolve(&mut self, step: &Step) {
        let id = text(step.typed, "conflict").and_then(ConflictId::parse);
        let (Some(id), Some(choice)) = (id, text(step.typed, "choice")) else {
            return;
        };
        let resolution = Resolution {
            choice: choice.to_owned(),
            reason: text(step.typed, "reason").map(str::to_owned),
            event: step.id.to_owned(),
            unit: step.unit,
            user: step.user,
            on: step.on,
        };
        self.resolutions.insert(id, (step.event, resolution));
    }
}
