//! Devices of units that went under another one (建制调整), and of hubs that were taken out (停用).
//!
//! Who was let in and who was taken out stands in the public scope of the hub that said it. Those that stand over a unit since a reform do
//! not hold the scope of the one that stood there before: a room that goes on would be a stranger to them, its records by nobody known,
//! and a PC that was stolen and taken out would be one of whom nobody has heard. Nor does it help to hold the scope where the hub was
//! taken out: what it says counts up to its last word that does, and whoever has lost that, or not got it yet, turns away those who could
//! bring it. So a hub of the topmost unit, which holds all, says it again in its own scope, which everybody holds.

use ledger::id::{DeviceId, UnitId};
use replica::authority::Member;
use replica::statement::{Admit, Extend, Revoke, Role, Statement};
use store::StoreError;

use crate::members::CUTS_PER_STATEMENT;
use crate::office::Office;

/// Said again at once; the rest follows with the next look at the duties.
const MEMBERS_AT_ONCE: usize = 500;

impl Office {
    /// Says again what was said of devices where those above them today cannot read it, or by who is out. Returns whether anything was
    /// staged.
    pub(crate) fn moved_due(&mut self) -> Result<bool, StoreError> {
        let top = self.authority.top();
        let Some(top) = top.filter(|top| self.unit() == Some(*top) && self.role() == Role::Hub) else {
            return Ok(false);
        };
        // What a hub says that was taken out there counts nowhere, and would have to be said for ever.
        let me = self.authority.member(&self.me.device);
        if !me.is_some_and(|me| me.is_live() && me.unit == top) {
            return Ok(false);
        }
        let below = self.authority.members().filter(|m| self.is_below(m.unit, top));
        let moved = below.filter(|m| !self.is_told_above(m)).take(MEMBERS_AT_ONCE);
        let moved: Vec<Member> = moved.cloned().collect();
        for member in &moved {
            // Out before in: whoever hears only the first half lets nobody in.
            self.revoke_again(top, member)?;
            self.admit_again(top, member)?;
        }
        Ok(!moved.is_empty())
    }

    /// Whether whoever stands over a device today, and holds what the units above say, knows that it is in, or out, from one who is in.
    fn is_told_above(&self, member: &Member) -> bool {
        let is_over = |unit: UnitId| self.authority.is_within(member.unit, unit);
        let is_by_one_over = |by: &DeviceId| match self.authority.member(by) {
            Some(hub) => hub.is_live() && is_over(hub.unit),
            None => *by == self.authority.root(),
        };
        is_over(member.admitted_at.0.scope.unit)
            && is_by_one_over(&member.admitted_by)
            && member.revoked.as_ref().is_none_or(|r| is_by_one_over(&r.by))
    }

    fn revoke_again(&mut self, at: UnitId, member: &Member) -> Result<(), StoreError> {
        let Some(revoked) = &member.revoked else { return Ok(()) };
        let (device, cuts) = (member.device, &revoked.cuts);
        let (first, more) = cuts.split_at(cuts.len().min(CUTS_PER_STATEMENT));
        let revoke = Revoke {
            device,
            reason: revoked.reason.clone(),
            cuts: first.to_vec(),
        };
        self.state(at, Statement::Revoke(revoke))?;
        for cuts in more.chunks(CUTS_PER_STATEMENT) {
            let cuts = cuts.to_vec();
            self.state(at, Statement::Extend(Extend { device, cuts }))?;
        }
        Ok(())
    }

    /// It keeps its code. One that shares it with another device, and lost it, gets a new one as soon as there is one.
    fn admit_again(&mut self, at: UnitId, member: &Member) -> Result<(), StoreError> {
        let mut admit = as_admitted(member);
        if member.is_live() && member.code_clash {
            admit.node_code = self.new_node_code().unwrap_or(member.code);
        }
        self.state(at, Statement::Admit(admit)).map(|_| ())
    }
}

/// What is known of a member, as an admission says it.
pub(crate) fn as_admitted(member: &Member) -> Admit {
    Admit {
        device: member.device,
        unit: member.unit,
        role: member.role,
        seal_key: member.seal_key,
        // As it was let in: how it came to its name today is told by notes.
        name: member
            .named
            .first()
            .and_then(|named| named.from.clone())
            .unwrap_or_else(|| member.name.clone()),
        node_code: member.code,
        prefix: member.prefix,
        former: member.former,
        by: member.invited_by,
    }
}
