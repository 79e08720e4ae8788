//! Who may write where, reckoned from the tickets that hubs have taken, by the rule of the divisions' codes, and not from statements.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::successors;

use ledger::id::{DeviceId, Scope, ScopeKind, UnitId};
use office::Office;

use super::{Check, Findings, Found};
use crate::county::above;
use crate::world::Seat;

/// Every device that was ever let in, and where.
#[derive(Default)]
pub(super) struct Posts {
    /// Units that have or had a device, by their 12-digit codes.
    codes: BTreeMap<UnitId, String>,
    units: BTreeMap<DeviceId, BTreeSet<String>>,
}

impl Posts {
    pub(super) fn let_in(&mut self, device: DeviceId, unit: UnitId, code: &str) {
        let code = format!("{code:0<12}");
        self.codes.insert(unit, code.clone());
        self.units.entry(device).or_default().insert(code);
    }

    /// A book is written to by its unit and those above, a public scope by its unit alone.
    fn may_write(&self, device: &DeviceId, scope: &Scope) -> bool {
        let Some(code) = self.codes.get(&scope.unit) else {
            return false;
        };
        let units = self.units.get(device);
        units.into_iter().flatten().any(|unit| match scope.kind {
            ScopeKind::Public => unit == code,
            ScopeKind::Book => successors(Some(code.clone()), |at| above(at)).any(|at| at == *unit),
        })
    }

    /// Nobody's entries lie in a scope that is not theirs to write, and none by somebody who was never let in.
    pub(super) fn check(&self, seat: Seat, office: &Office, found: &mut Findings) {
        let logs = office.store().logs();
        for log in logs.scopes().flat_map(|scope| logs.logs(scope)) {
            // What somebody writes to his own disk harms nobody; the root signs where it lets hubs in.
            let by_root = log.device == office.authority().root() && log.scope.kind == ScopeKind::Public;
            if log.device == office.device() || by_root {
                continue;
            }
            found.compared(Check::Foreign, 1);
            if !self.may_write(&log.device, &log.scope) {
                let (kind, unit) = (log.scope.kind, log.scope.unit);
                let what = format!("holds entries of {} in {kind:?} {unit}", log.device.short());
                found.push(Found::new(Check::Foreign, seat, what));
            }
        }
    }
}
