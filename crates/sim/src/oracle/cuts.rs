//! Who was taken out, and what he recorded afterwards: reckoned from what operators did and when, not from the cuts that hubs state.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{DeviceId, RecordId};
use office::Held;
use office::command::{Command, CommandError};
use serde_json::Value;

use super::{Check, Findings, Found};
use crate::world::Seat;

/// Devices that were taken out.
#[derive(Default)]
pub(super) struct Cuts {
    /// By whom.
    out: BTreeMap<DeviceId, Seat>,
    /// What they recorded since: no hub can have held it when it stated where they were cut off.
    late: BTreeMap<RecordId, DeviceId>,
}

impl Cuts {
    /// A hub has answered that a device is out.
    pub(super) fn taken_out(&mut self, device: DeviceId, by: Seat) {
        self.out.entry(device).or_insert(by);
    }

    /// Whatever a device wrote until now may count after all.
    pub(super) fn let_count(&mut self, device: DeviceId) {
        self.late.retain(|_, of| *of != device);
    }

    /// A hub's disk was harmed, and what it stated may be gone with it: then a later statement says where the cut is.
    pub(super) fn harmed(&mut self, seat: Seat) {
        let forgotten: BTreeSet<DeviceId> = self.out.extract_if(.., |_, by| *by == seat).map(|(d, _)| d).collect();
        self.late.retain(|_, of| !forgotten.contains(of));
    }

    /// Somebody has recorded something.
    pub(super) fn answered(&mut self, device: DeviceId, command: &Command, answer: &Result<Value, CommandError>) {
        if let (Command::CaseNew(_), Ok(answer)) = (command, answer)
            && self.out.contains_key(&device)
            && let Some(record) = answer["record_id"].as_str().and_then(RecordId::parse)
        {
            self.late.insert(record, device);
        }
    }

    /// Nothing counts in a record that whoever was out has made, by his hand.
    pub(super) fn check(&self, seat: Seat, held: &Held, found: &mut Findings) {
        let Some(device) = self.late.get(&held.of.record) else {
            return;
        };
        found.compared(Check::Foreign, 1);
        if let Some(event) = held.folded.events.iter().find(|e| e.device == *device) {
            let no = &held.row.summary.no;
            let what = format!(
                "{} of {no} counts, and its device was out before it was written",
                event.kind
            );
            found.push(Found::new(Check::Foreign, seat, what));
        }
    }
}
