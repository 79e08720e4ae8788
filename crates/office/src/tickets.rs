//! Tickets as a console sees them: which are open, many at once, devices that wait to be approved, a lost PC replaced.

use ledger::id::DeviceId;
use replica::time::Now;
use serde_json::{Value, json};

use crate::audit::{Act, Note};
use crate::command::{
    Approve, CommandError, Invite, InviteMany, MemberRevoke, Members, Replace, TicketCancel, pick_device,
};
use crate::life::fact;
use crate::members::{TicketFact, TicketKind};
use crate::office::Office;

/// Rooms of the largest county, at once.
const MANY_MAX: usize = 1_000;
/// Devices that wait at once; more are somebody's mistake.
const WAITING_MAX: usize = 64;

/// A device that came with a ticket that asks for approval.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    key: String,
    name: String,
    since_ms: i64,
}

impl Office {
    /// What a console asks about devices.
    pub(crate) fn members(&mut self, now: Now, asked: Members) -> Result<Value, CommandError> {
        match asked {
            Members::Tickets => self.tickets(now),
            Members::InviteMany(args) => self.invite_many(now, &args),
            Members::InviteTop(args) => self.invite_top(now, &args),
            Members::TicketCancel(args) => self.ticket_cancel(now, &args),
            Members::Approve(args) => self.approve(now, &args),
            Members::Replace(args) => self.replace(now, &args),
            Members::Hold(args) => self.member_hold(now, &args),
            Members::Lift(args) => self.member_lift(now, &args),
            Members::Rename(args) => self.member_rename(now, &args),
        }
    }

    fn kept_tickets(&self) -> Vec<(String, TicketFact)> {
        let facts = self.store.facts(fact::TICKET).into_iter();
        let read = facts.filter_map(|(key, bytes)| Some((key, minicbor::decode::<TicketFact>(&bytes).ok()?)));
        read.collect()
    }

    fn tickets(&self, now: Now) -> Result<Value, CommandError> {
        self.hub_life()?;
        let kept = self.kept_tickets();
        let mut open: Vec<&(String, TicketFact)> = kept
            .iter()
            .filter(|(_, t)| t.used_by.is_none() && t.expires_ms >= now.wall_ms)
            .collect();
        open.sort_by_key(|(key, t)| (t.expires_ms, key.clone()));
        let shown = |(key, ticket): &(String, TicketFact)| {
            let (unit, name) = self.unit_shown(ticket.unit);
            json!({
                "id": key.strip_prefix(fact::TICKET).unwrap_or(key),
                "unit": unit,
                "unit_name": name,
                "expires_ms": ticket.expires_ms,
                "made_by": self.person_named(ticket.by),
                "approve": ticket.approve,
            })
        };
        let waiting = self.waiting_devices.iter().map(|(device, waits)| {
            let unit = kept
                .iter()
                .find(|(key, _)| *key == waits.key)
                .map(|(_, t)| self.unit_shown(t.unit));
            let (unit, unit_name) = unit.unwrap_or_default();
            json!({
                "device": device,
                "name": waits.name,
                "unit": unit,
                "unit_name": unit_name,
                "waits_s": now.wall_ms.saturating_sub(waits.since_ms).max(0) / 1000,
            })
        });
        let latest = kept.iter().max_by_key(|(_, t)| t.expires_ms);
        Ok(json!({
            "open": open.into_iter().map(shown).collect::<Vec<_>>(),
            "waiting": waiting.collect::<Vec<_>>(),
            "addrs": latest.map(|(_, t)| t.addrs.clone()).unwrap_or_default(),
        }))
    }

    fn invite_many(&mut self, now: Now, args: &InviteMany) -> Result<Value, CommandError> {
        if args.units.len() > MANY_MAX {
            return Err(CommandError::usage(
                "too_many",
                format!("一次最多开 {MANY_MAX} 张入网票，请分几次。"),
            ));
        }
        let kind = match args.approve {
            true => TicketKind::Approved,
            false => TicketKind::Open,
        };
        let (mut made, mut refused) = (Vec::new(), Vec::new());
        for unit in &args.units {
            let invite = Invite {
                unit: unit.clone(),
                addrs: args.addrs.clone(),
                expires_s: args.expires_s,
            };
            match self.make_ticket(now, &invite, kind) {
                Ok(ticket) => made.push(ticket),
                Err(error) if made.is_empty() && args.units.len() == 1 => return Err(error),
                // What is wrong with all of them is said once.
                Err(error) if matches!(error.code, "bad_addr" | "bad_expiry" | "not_a_hub" | "not_set_up") => {
                    return Err(error);
                }
                Err(error) => refused.push(json!({"unit": unit, "code": error.code, "message": error.message})),
            }
        }
        self.commit_or_fail(now)?;
        Ok(json!({"tickets": made, "refused": refused}))
    }

    fn ticket_cancel(&mut self, now: Now, args: &TicketCancel) -> Result<Value, CommandError> {
        self.hub_life()?;
        let key = format!("{}{}", fact::TICKET, args.id.trim());
        let kept = self.kept_tickets().into_iter().find(|(known, _)| *known == key);
        let unit = match kept {
            Some((_, ticket)) if ticket.used_by.is_none() => self.unit_shown(ticket.unit),
            _ => {
                return Err(CommandError::failed(
                    "unknown_ticket",
                    "没有这张票，或已经用过。用过的票请停用那台设备。",
                ));
            }
        };
        self.waiting_devices.retain(|_, waits| waits.key != key);
        self.audit(now, Note::new(Act::TicketCancel).about(&unit.0))?;
        self.store.stage_fact(&key, None)?;
        self.commit_or_fail(now)?;
        Ok(json!({"unit": unit.0, "unit_name": unit.1}))
    }

    /// Lets in a device whose fingerprint was compared: its next try with the same ticket succeeds.
    fn approve(&mut self, now: Now, args: &Approve) -> Result<Value, CommandError> {
        self.hub_life()?;
        let device = pick_device(&args.device, self.waiting_devices.keys().copied())?;
        let key = self
            .waiting_devices
            .get(&device)
            .map(|w| w.key.clone())
            .unwrap_or_default();
        let kept = self.kept_tickets().into_iter().find(|(known, _)| *known == key);
        let Some((_, kept)) = kept.filter(|(_, t)| t.used_by.is_none()) else {
            self.waiting_devices.remove(&device);
            return Err(CommandError::failed(
                "unknown_ticket",
                "它用的票已作废或已被别的设备用掉，请另开一张。",
            ));
        };
        let approved = TicketFact {
            approved: Some(device),
            ..kept
        };
        self.keep_ticket(&key, &approved)?;
        self.audit(now, Note::new(Act::Approve).about(device))?;
        self.commit_or_fail(now)?;
        self.waiting_devices.remove(&device);
        Ok(json!({"device": device, "unit": self.unit_shown(approved.unit).0}))
    }

    /// Whether a device may come in with this ticket now; if not, it waits for a person here.
    pub(crate) fn may_enter(
        &mut self,
        now: Now,
        device: DeviceId,
        name: &str,
        key: &str,
        ticket: &TicketFact,
    ) -> Result<(), CommandError> {
        let known = ticket.used_by == Some(device) || self.authority.member(&device).is_some();
        if !ticket.approve || ticket.approved == Some(device) || known {
            return Ok(());
        }
        if self.waiting_devices.len() < WAITING_MAX || self.waiting_devices.contains_key(&device) {
            let waits = Waiting {
                key: key.to_owned(),
                name: name.chars().take(100).collect(),
                since_ms: now.wall_ms,
            };
            self.waiting_devices.entry(device).or_insert(waits);
        }
        Err(CommandError::failed(
            "needs_approval",
            format!(
                "这张入网票要先批准：请把本机指纹 {} 念给上级中心，对方在“设备”页批准后，再用这张票加入一次。",
                device.short()
            ),
        ))
    }

    /// Takes the lost PC out and makes a ticket for its unit, or does neither.
    fn replace(&mut self, now: Now, args: &Replace) -> Result<Value, CommandError> {
        let device = self.pick_member(&args.device)?;
        let member = self.authority.member(&device);
        let unit = member.and_then(|m| self.authority.unit(m.unit)).map(|u| u.code);
        let Some(unit) = unit else {
            return Err(CommandError::failed(
                "unknown_unit",
                "这台设备的单位已不在区划表里，请先核对机构。",
            ));
        };
        let invite = Invite {
            unit: unit.to_string(),
            addrs: args.addrs.clone(),
            expires_s: args.expires_s,
        };
        // What would refuse the ticket is found out before anything is taken away.
        self.check_invite(&invite, TicketKind::Open)?;
        if self.authority.is_revoked(&device) {
            return self.invite(now, &invite);
        }
        let revoke = MemberRevoke {
            device: device.to_string(),
            reason: args.reason.clone(),
            root_key: None,
        };
        self.member_revoke(now, &revoke)?;
        self.invite(now, &invite)
    }
}
