//! Who is in: invitations, the list of members, taking out, letting count after all, and the statements of the root key.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use ledger::id::{DeviceId, Hash, Scope, Tier, UnitId, UserId};
use ledger::organisation::Unit;
use minicbor::{Decode, Encode};
use replica::authority::Member;
use replica::entry::{Entry, KIND_STATEMENT, LogId, Tip};
#[cfg(not(test))]
use replica::limits::CUTS_MAX;
use replica::limits::{ADDR_CHARS_MAX, REASON_BYTES_MAX, TICKET_ADDRS_MAX, TICKET_LIFE_MS_MAX};
use replica::statement::{Cut, Extend, Revoke, Role, Statement};
use replica::ticket::Ticket;
use replica::time::Now;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit::{Act, Note};
use crate::command::{CommandError, Invite, InviteTop, MemberAdmit, MemberExtend, MemberRevoke, pick_device};
use crate::identity::parse_key;
use crate::init::parse_code;
use crate::life::{Life, fact};
use crate::office::Office;
use crate::texts;

/// Cuts that one statement takes; more go into further ones.
#[cfg(not(test))]
pub(crate) const CUTS_PER_STATEMENT: usize = CUTS_MAX;
/// Few, so that every story of a revoked device needs several.
#[cfg(test)]
pub(crate) const CUTS_PER_STATEMENT: usize = 1;

/// How long a ticket is good for when nothing is said.
const TICKET_LIFE_MS: i64 = 24 * 3_600_000;

/// What the hub keeps of a ticket it gave: a local fact, so that a ticket is good for one device also across restarts.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct TicketFact {
    #[n(0)]
    pub(crate) unit: UnitId,
    #[n(1)]
    pub(crate) expires_ms: i64,
    #[n(2)]
    pub(crate) used_by: Option<DeviceId>,
    /// Who asked for it.
    #[n(3)]
    pub(crate) by: Option<UserId>,
    /// A device waits until somebody here has compared its fingerprint.
    #[n(4)]
    #[cbor(default)]
    pub(crate) approve: bool,
    #[n(5)]
    pub(crate) approved: Option<DeviceId>,
    /// As written on it: most likely those of the next one.
    #[n(6)]
    #[cbor(default)]
    pub(crate) addrs: Vec<String>,
}

/// What it takes to come in with a ticket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TicketKind {
    /// The ticket.
    Open,
    /// Also somebody's word here, who has compared the fingerprint.
    Approved,
    /// For a hub of the topmost unit, by the holder of the root key.
    Top,
}

/// The fact's key: a digest of the secret, so that a copy of the journal opens no door.
pub(crate) fn ticket_key(secret: &[u8; 16]) -> String {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(b"cunlian/ticket")
        .chain_update(secret)
        .finalize()
        .into();
    format!("{}{}", fact::TICKET, Hash(digest))
}

impl Office {
    /// Makes a one-use ticket for a unit below (or, at the topmost unit, for a further hub of it).
    ///
    /// # Errors
    /// When this is no hub, the unit is not below it, or an address or the life is out of bounds.
    pub(crate) fn invite(&mut self, now: Now, args: &Invite) -> Result<Value, CommandError> {
        let made = self.make_ticket(now, args, TicketKind::Open)?;
        self.commit_or_fail(now)?;
        Ok(made)
    }

    /// Makes a ticket for a hub of the topmost unit at any hub below it: how a county whose own hubs are all lost comes back. The
    /// ticket alone lets nobody in, the root key does ([`Office::member_admit`]); asking for the key here already keeps everybody
    /// else from sending PCs to wait at this door.
    ///
    /// # Errors
    /// As [`Office::invite`]; when the unit is not the topmost one, or the key is not this county's root.
    pub(crate) fn invite_top(&mut self, now: Now, args: &InviteTop) -> Result<Value, CommandError> {
        self.hub_life()?;
        self.root_from(&args.root_key.0)?;
        let invite = Invite {
            unit: args.unit.clone(),
            addrs: args.addrs.clone(),
            expires_s: args.expires_s,
        };
        let made = self.make_ticket(now, &invite, TicketKind::Top)?;
        self.commit_or_fail(now)?;
        Ok(made)
    }

    /// What a ticket would be made for, if one may be.
    pub(crate) fn check_invite(&self, args: &Invite, kind: TicketKind) -> Result<(Unit, i64), CommandError> {
        let life = self.hub_life()?;
        let unit = self.unit_by_code(&args.unit)?;
        let is_top = self.authority.top() == Some(unit.id);
        match kind {
            TicketKind::Top if is_top => {}
            TicketKind::Top => return Err(texts::root_key_for_top_only(&unit)),
            _ if is_top && unit.id != life.unit => return Err(texts::top_from_below(&unit)),
            _ if !is_top && !self.is_below(unit.id, life.unit) => {
                return Err(CommandError::failed(
                    "not_below",
                    format!("{}（{}）不归本单位管，请由它的上级中心开入网票。", unit.name, unit.code),
                ));
            }
            _ => {}
        }
        if args.addrs.is_empty() || args.addrs.len() > TICKET_ADDRS_MAX {
            return Err(CommandError::usage(
                "bad_addr",
                format!("请用 --addr 写明本机地址（1 到 {TICKET_ADDRS_MAX} 个，如 10.1.2.3:7701）。"),
            ));
        }
        for addr in &args.addrs {
            check_addr(addr)?;
        }
        let life_ms = match args.expires_s {
            None => TICKET_LIFE_MS,
            Some(s) => i64::try_from(s).unwrap_or(i64::MAX).saturating_mul(1000),
        };
        if !(1000..=TICKET_LIFE_MS_MAX).contains(&life_ms) {
            return Err(CommandError::usage(
                "bad_expiry",
                "入网票有效期最短 1 秒，最长 7 天，请改写 --expires。",
            ));
        }
        Ok((unit, life_ms))
    }

    /// Makes a ticket; the caller commits before it is shown.
    pub(crate) fn make_ticket(&mut self, now: Now, args: &Invite, kind: TicketKind) -> Result<Value, CommandError> {
        let (unit, life_ms) = self.check_invite(args, kind)?;
        let life = self.hub_life()?;
        let secret: [u8; 16] = self.seeds.bytes();
        let ticket = Ticket {
            root: life.root,
            unit: unit.id,
            code: unit.code,
            hub: self.me.device,
            addrs: args.addrs.clone(),
            secret,
            expires_ms: now.wall_ms.saturating_add(life_ms),
        };
        let kept = TicketFact {
            unit: unit.id,
            expires_ms: ticket.expires_ms,
            used_by: None,
            by: self.acting,
            approve: kind == TicketKind::Approved,
            approved: None,
            addrs: args.addrs.clone(),
        };
        self.audit(now, Note::new(Act::Invite).about(unit.code))?;
        self.forget_old_tickets(now)?;
        self.keep_ticket(&ticket_key(&secret), &kept)?;
        Ok(json!({
            "ticket": ticket.to_text(),
            "unit": unit.code,
            "name": unit.name,
            "expires_ms": ticket.expires_ms,
        }))
    }

    pub(crate) fn keep_ticket(&mut self, key: &str, kept: &TicketFact) -> Result<(), CommandError> {
        let bytes = minicbor::to_vec(kept).unwrap_or_default();
        Ok(self.store.stage_fact(key, Some(&bytes))?)
    }

    /// Tickets that expired a week ago are of no use even for saying that they did. Those that were used say who invited whom.
    fn forget_old_tickets(&mut self, now: Now) -> Result<(), CommandError> {
        for (key, bytes) in self.store.facts(fact::TICKET) {
            let is_old = minicbor::decode::<TicketFact>(&bytes).map_or(true, |t| {
                t.used_by.is_none() && t.expires_ms.saturating_add(TICKET_LIFE_MS_MAX) < now.wall_ms
            });
            if is_old {
                self.store.stage_fact(&key, None)?;
            }
        }
        Ok(())
    }

    /// All devices that are or were in, with their units.
    pub(crate) fn member_list(&self) -> Result<Value, CommandError> {
        let invited: BTreeMap<DeviceId, Option<UserId>> = self
            .store
            .facts(fact::TICKET)
            .into_iter()
            .filter_map(|(_, bytes)| minicbor::decode::<TicketFact>(&bytes).ok())
            .filter_map(|t| Some((t.used_by?, t.by)))
            .collect();
        let mut rows: Vec<(String, Value)> = self
            .authority
            .members()
            .map(|m| {
                let unit = self.authority.unit(m.unit);
                let code = unit.map(|u| u.code.to_string()).unwrap_or_default();
                let row = json!({
                    "device": m.device,
                    "unit": unit.map(|u| u.code),
                    "unit_name": unit.map(|u| u.name.as_str()),
                    "name": m.name,
                    "role": role_name(m.role),
                    "state": match (m.is_live(), &m.held) {
                        (false, _) => "revoked",
                        (true, Some(_)) => "held",
                        (true, None) => "in",
                    },
                    "reason": match &m.revoked {
                        Some(revoked) => Some(revoked.reason.as_str()),
                        None => m.held.as_ref().map(|h| h.reason.as_str()),
                    },
                    "held": m.held.as_ref().map(|held| self.held_row(held)),
                    "named": m.named.iter().map(|named| self.named_row(named)).collect::<Vec<_>>(),
                    "node_code": m.code.to_string(),
                    "admitted_by": m.admitted_by,
                    "admitted_by_name": self.authority.member(&m.admitted_by).map(|by| self.unit_shown(by.unit).1),
                    "invited_by": self.inviter(m, invited.get(&m.device).copied().flatten()),
                    "this_device": m.device == self.me.device,
                });
                (format!("{code}{}", m.device), row)
            })
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    /// Whose ticket a device came in with. Admissions of earlier versions do not say; the hub that wrote such a ticket remembers it.
    fn inviter(&self, member: &Member, remembered: Option<UserId>) -> Option<String> {
        let user = member.invited_by.or(remembered)?;
        let at = self.authority.member(&member.admitted_by).map(|by| by.unit);
        let there = at.and_then(|unit| self.authority.user_at(&user, unit));
        let person = there.or_else(|| self.authority.user(&user))?;
        Some(person.name.clone())
    }

    /// Takes a device out: what this hub holds of it now counts, what comes later waits (待认).
    ///
    /// # Errors
    /// When the device is unknown, out already, or not ours to take out.
    pub(crate) fn member_revoke(&mut self, now: Now, args: &MemberRevoke) -> Result<Value, CommandError> {
        let reason = args.reason.trim();
        if reason.is_empty() || reason.len() > REASON_BYTES_MAX {
            return Err(CommandError::usage(
                "bad_reason",
                "请用 --reason 写明停用原因（600 字以内）。",
            ));
        }
        let device = self.pick_member(&args.device)?;
        if self.authority.is_revoked(&device) {
            return Err(CommandError::failed("already_revoked", "这台设备已经停用，不必再停。"));
        }
        // What we have not received of it would not count, and everybody whom it has let in would be a stranger to us.
        if self.authority.organisation().is_none() {
            return Err(texts::no_organisation());
        }
        let cuts = self.cuts_now(&device);
        let count = cuts.len();
        let (first, more) = cuts.split_at(count.min(CUTS_PER_STATEMENT));
        let statement = Statement::Revoke(Revoke {
            device,
            reason: reason.to_owned(),
            cuts: first.to_vec(),
        });
        self.state_over(&device, statement, args.root_key.as_deref())?;
        // However many logs a device has made, it can be taken out, and what it wrote until now counts.
        self.extend_by(&device, more, args.root_key.as_deref())?;
        self.audit(now, Note::new(Act::Revoke).about(device).because(reason))?;
        self.commit_or_fail(now)?;
        Ok(json!({"device": device, "state": "revoked", "reason": reason, "cuts": count}))
    }

    /// Lets what is held here of a device taken out count after all.
    ///
    /// # Errors
    /// As [`Office::member_revoke`]; and when the device is not out.
    pub(crate) fn member_extend(&mut self, now: Now, args: &MemberExtend) -> Result<Value, CommandError> {
        let device = self.pick_member(&args.device)?;
        if !self.authority.is_cut(&device) {
            return Err(CommandError::failed(
                "not_revoked",
                "这台设备没有停用，它的记录本来就算数。",
            ));
        }
        let cuts = self.cuts_now(&device);
        self.extend_by(&device, &cuts, args.root_key.as_deref())?;
        self.audit(now, Note::new(Act::Extend).about(device))?;
        self.commit_or_fail(now)?;
        Ok(json!({"device": device, "state": "extended", "cuts": cuts.len()}))
    }

    fn extend_by(&mut self, device: &DeviceId, cuts: &[Cut], root: Option<&str>) -> Result<(), CommandError> {
        for cuts in cuts.chunks(CUTS_PER_STATEMENT) {
            let statement = Statement::Extend(Extend {
                device: *device,
                cuts: cuts.to_vec(),
            });
            self.state_over(device, statement, root)?;
        }
        Ok(())
    }

    /// Lets in a further hub of the topmost unit, which only the root key can: the hub has used its ticket before and waits.
    ///
    /// # Errors
    /// When the device does not wait, or the key is not this county's root.
    pub(crate) fn member_admit(&mut self, now: Now, args: &MemberAdmit) -> Result<Value, CommandError> {
        let device = pick_device(&args.device, self.waiting_hubs.keys().copied())?;
        let root = self.root_from(&args.root_key)?;
        let (Some(mut admit), Some(top)) = (self.waiting_hubs.get(&device).cloned(), self.authority.top()) else {
            return Err(CommandError::failed(
                "unknown_device",
                "没有等待批准的县级主机，请先在新主机上使用入网票。",
            ));
        };
        let prefix = crate::prefix::next_county_prefix(&self.authority)
            .ok_or_else(|| CommandError::failed("too_many_hubs", "县级主机最多 7 台，请先停用不用的。"))?;
        admit.prefix = Some(prefix);
        admit.node_code = crate::prefix::next_code(prefix, &self.authority, &BTreeSet::new(), &mut self.seeds)
            .ok_or_else(|| CommandError::failed("no_code", "节点编码用尽，请联系系统维护人员。"))?;
        self.state_as_root(&root, top, Statement::Admit(admit))?;
        self.audit(now, Note::new(Act::Admit).about(device))?;
        self.commit_or_fail(now)?;
        self.waiting_hubs.remove(&device);
        Ok(json!({"device": device, "state": "in"}))
    }

    /// A person's name, where it is known.
    pub(crate) fn person_named(&self, user: Option<UserId>) -> Option<String> {
        let person = self.authority.user_at(&user?, self.unit()?)?;
        Some(person.name.clone())
    }

    pub(crate) fn pick_member(&self, text: &str) -> Result<DeviceId, CommandError> {
        let device = pick_device(text, self.authority.members().map(|m| m.device))?;
        if device == self.me.device {
            return Err(CommandError::failed(
                "own_device",
                "不能停用本机自己，请在别的主机上操作。",
            ));
        }
        Ok(device)
    }

    /// The tips held now of every log of a device.
    pub(crate) fn cuts_now(&self, device: &DeviceId) -> Vec<Cut> {
        let logs = self.store.logs();
        let mut cuts = Vec::new();
        for scope in logs.scopes() {
            for log in logs.logs(scope).filter(|l| l.device == *device) {
                cuts.extend(logs.tips(&log).iter().map(|tip| Cut {
                    scope,
                    epoch: log.epoch,
                    seq: tip.seq,
                    hash: tip.hash,
                }));
            }
        }
        cuts
    }

    /// States something about a device: by this hub when the device's unit lies below, else in the name of the root.
    pub(crate) fn state_over(
        &mut self,
        device: &DeviceId,
        statement: Statement,
        root: Option<&str>,
    ) -> Result<(), CommandError> {
        let life = self.hub_life()?;
        let unit = self.authority.member(device).map(|m| m.unit);
        let is_top = unit.is_some() && unit == self.authority.top();
        if is_top {
            let text = root.ok_or_else(|| {
                CommandError::usage(
                    "needs_root_key",
                    "县级主机只能用恢复密钥停用或恢复，请加上 --root-key 和密钥文件。",
                )
            })?;
            let root = self.root_from(text)?;
            let top = self.authority.top().unwrap_or(life.unit);
            self.state_as_root(&root, top, statement)?;
            return Ok(());
        }
        if !unit.is_some_and(|u| self.is_below(u, life.unit)) {
            return Err(CommandError::failed(
                "not_below",
                "这台设备不归本单位管，请由它的上级中心操作。",
            ));
        }
        self.state(life.unit, statement)?;
        Ok(())
    }

    /// Whether a unit lies below another, and is not that one.
    pub(crate) fn is_below(&self, unit: UnitId, above: UnitId) -> bool {
        unit != above && self.authority.is_within(unit, above)
    }

    fn root_from(&self, text: &str) -> Result<SigningKey, CommandError> {
        let key = parse_key(text.as_bytes())
            .ok_or_else(|| CommandError::usage("bad_root_key", "恢复密钥文件读不懂，请核对 --root-key 指的文件。"))?;
        let key = SigningKey::from_bytes(&key);
        let id = DeviceId(key.verifying_key().to_bytes());
        if self.life.as_ref().map(|l| l.root) != Some(id) {
            return Err(CommandError::failed(
                "wrong_root_key",
                "这不是本县的恢复密钥，请换正确的文件。",
            ));
        }
        Ok(key)
    }

    /// States something in the name of the root key, within the topmost public scope. Every word begins a log of its own: the key is
    /// carried from place to place, no place knows what the others have said with it, and going on from an old end would fork the
    /// one log that nobody may take out.
    pub(crate) fn state_as_root(
        &mut self,
        root: &SigningKey,
        top: UnitId,
        statement: Statement,
    ) -> Result<Tip, CommandError> {
        let scope = Scope::public(top);
        let device = DeviceId(root.verifying_key().to_bytes());
        let log = LogId {
            scope,
            device,
            epoch: self.seeds.u64(),
        };
        let entry = Entry {
            kind: KIND_STATEMENT,
            body: statement.encode(),
        };
        let tip = self.store.stage_local(root, scope, log.epoch, vec![entry])?;
        self.statements.staged_own(log, tip, statement);
        Ok(tip)
    }

    /// Our life, when we are a hub that is in.
    pub(crate) fn hub_life(&self) -> Result<Life, CommandError> {
        let life = self.placed()?;
        if life.role != Role::Hub {
            return Err(CommandError::failed(
                "not_a_hub",
                "村（社区）节点不能管理成员，请在乡镇或县级主机上操作。",
            ));
        }
        Ok(life)
    }

    /// Our life, once there is one.
    pub(crate) fn placed(&self) -> Result<Life, CommandError> {
        self.life
            .clone()
            .ok_or_else(|| CommandError::failed("not_set_up", "这个数据目录还没有建立，请先运行 init 或 join。"))
    }

    pub(crate) fn unit_by_code(&self, text: &str) -> Result<Unit, CommandError> {
        let code = parse_code(text)?;
        let organisation = self.authority.organisation().ok_or_else(texts::no_organisation)?;
        organisation
            .by_code(code)
            .cloned()
            .ok_or_else(|| CommandError::failed("unknown_unit", format!("区划表里没有代码 {code}，请核对。")))
    }
}

/// The role that a device of a unit of this tier has.
pub(crate) fn role_of(tier: Tier) -> Role {
    match tier {
        Tier::Room => Role::Node,
        Tier::Township | Tier::County => Role::Hub,
    }
}

pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Node => "node",
        Role::Hub => "hub",
    }
}

fn check_addr(addr: &str) -> Result<(), CommandError> {
    let port = addr
        .rsplit_once(':')
        .and_then(|(host, port)| (!host.is_empty()).then_some(port));
    let good = addr.len() <= ADDR_CHARS_MAX && port.is_some_and(|p| p.parse::<u16>().is_ok_and(|p| p != 0));
    if good {
        return Ok(());
    }
    Err(CommandError::usage(
        "bad_addr",
        format!("地址“{addr}”不对，应写成 主机:端口，如 10.1.2.3:7701。"),
    ))
}
