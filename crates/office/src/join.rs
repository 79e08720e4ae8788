//! Coming in: what a new device asks with its ticket, what the hub answers, what the device makes of it.

use ledger::id::{DeviceId, UnitId};
use replica::authority::alone_unit;
use replica::credential::{Credential, encode_chain, verify_chain};
use replica::frame::{JoinRequest, Welcome};
use replica::limits::NAME_BYTES_MAX;
use replica::statement::{Admit, Former, Role, Statement};
use replica::ticket::Ticket;
use replica::time::Now;
use serde_json::{Value, json};

use crate::audit::{Act, Note};
use crate::chain::Chains;
use crate::command::CommandError;
use crate::life::{Life, fact};
use crate::members::{TicketFact, role_name, role_of, ticket_key};
use crate::office::Office;

impl Office {
    /// What to ask the hub with a ticket. A room that has run on its own until now brings that life along.
    ///
    /// # Errors
    /// When this folder belongs to a county already.
    pub fn join_request(&self, role: Role, name: &str, ticket: &Ticket) -> Result<JoinRequest, CommandError> {
        let former = match &self.life {
            None => None,
            Some(life) if life.root == ticket.root && life.unit == ticket.unit => None,
            Some(life) if life.unit == alone_unit(&life.root) => Some(Former {
                unit: life.unit,
                root: life.root,
            }),
            Some(_) => {
                return Err(CommandError::failed(
                    "already_set_up",
                    "这个数据目录已经加入了县里，不能再加入别处；换单位请用新的数据目录。",
                ));
            }
        };
        let former_chain = match former {
            Some(_) => self.chain_to(&self.me.device).unwrap_or_default(),
            None => Vec::new(),
        };
        Ok(JoinRequest {
            secret: ticket.secret,
            seal_key: self.me.seal_key,
            name: cut(name, NAME_BYTES_MAX).to_owned(),
            role,
            former,
            former_chain,
        })
    }

    /// Takes in the hub's answer: from now on this device belongs to the ticket's unit.
    ///
    /// # Errors
    /// When the answer does not prove what the ticket promised.
    pub fn joined(&mut self, now: Now, ticket: &Ticket, welcome: &Welcome) -> Result<Value, CommandError> {
        let bad = |why: &str| {
            CommandError::failed(
                "bad_welcome",
                format!("对方的答复不可信（{why}），没有加入；请核对入网票和地址后重试。"),
            )
        };
        if welcome.root != ticket.root || welcome.unit != ticket.unit {
            return Err(bad("县或单位与入网票不符"));
        }
        let introduced = verify_chain(&ticket.root, &welcome.credentials).map_err(|e| bad(&e.to_string()))?;
        let admit = introduced.member();
        if admit.device != self.me.device || admit.unit != ticket.unit || admit.seal_key != self.me.seal_key {
            return Err(bad("批准的不是本机"));
        }
        let formers = match self.life.take() {
            Some(old) if old.root == ticket.root => old.formers,
            Some(old) => {
                let mut formers = old.formers;
                formers.extend(admit.former);
                formers
            }
            None => Vec::new(),
        };
        let mut addrs = ticket.addrs.clone();
        addrs.extend(welcome.addrs.iter().filter(|a| !ticket.addrs.contains(a)).cloned());
        let life = Life {
            root: ticket.root,
            unit: admit.unit,
            role: admit.role,
            formers,
            addrs,
        };
        let answer = json!({
            "unit": ticket.code,
            "device": self.me.device,
            "role": role_name(admit.role),
            "node_code": admit.node_code.to_string(),
            "message": "已加入县里，接通后会自动收到事项目录和组织机构。",
        });
        self.store
            .stage_fact(fact::CHAIN, Some(&encode_chain(&welcome.credentials)))?;
        self.statements.staged_chain(&welcome.credentials);
        self.begin_life(life)?;
        self.commit_or_fail(now)?;
        self.line = crate::chain::Line::of(&self.store);
        Ok(answer)
    }

    /// Judges a ticket and stages the admission. What is answered may be sent only after the next commit.
    ///
    /// # Errors
    /// In Chinese, for the person at the new device.
    pub(crate) fn admit_newcomer(
        &mut self,
        now: Now,
        device: DeviceId,
        request: &JoinRequest,
    ) -> Result<(), CommandError> {
        let refuse = |code, message: &str| CommandError::failed(code, message);
        let life = self.hub_life()?;
        let key = ticket_key(&request.secret);
        let kept = self.ticket_kept(now, device, &key)?;
        if self.authority.organisation().is_none() {
            return Err(refuse(
                "no_organisation",
                "上级主机的区划表正在从其他设备取回，请稍后再试，入网票仍然有效。",
            ));
        }
        let unit = self
            .authority
            .unit(kept.unit)
            .ok_or_else(|| refuse("unknown_unit", "入网票上的单位已不在区划表里，请向上级中心要一张新的。"))?;
        if request.role != role_of(unit.kind.tier()) {
            let message = match request.role {
                Role::Node => format!("入网票是给{}（乡镇或县）的，请用 cunlian-hub 加入。", unit.name),
                Role::Hub => format!("入网票是给{}（村、社区）的，请用 cunlian-node 加入。", unit.name),
            };
            return Err(refuse("wrong_role", &message));
        }
        let is_top = self.authority.top() == Some(unit.id);
        if !is_top && !self.is_below(unit.id, life.unit) {
            return Err(refuse(
                "not_below",
                "入网票上的单位已不归本中心管，请向它的上级中心要票。",
            ));
        }
        if self.authority.is_revoked(&device) {
            return Err(refuse("revoked", "这台设备已被停用，请换一个新的数据目录再加入。"));
        }
        check_former(device, request)?;
        let unit = unit.id;
        self.may_enter(now, device, &request.name, &key, &kept)?;
        match self.authority.member(&device) {
            Some(m) if m.unit == unit => {}
            Some(_) => {
                return Err(refuse(
                    "other_unit",
                    "这台设备已属于别的单位，请换一个新的数据目录再加入。",
                ));
            }
            None if is_top => return Err(self.ask_for_root(device, &kept, request)),
            None => self.admit(now, life.unit, device, &kept, request)?,
        }
        self.keep_ticket(
            &key,
            &TicketFact {
                used_by: Some(device),
                ..kept
            },
        )
    }

    /// What is kept of a ticket that this device may use now.
    fn ticket_kept(&self, now: Now, device: DeviceId, key: &str) -> Result<TicketFact, CommandError> {
        let refuse = |code, message: &str| CommandError::failed(code, message);
        let kept: TicketFact = self
            .store
            .fact(key)
            .and_then(|bytes| minicbor::decode(bytes).ok())
            .ok_or_else(|| {
                refuse(
                    "unknown_ticket",
                    "入网票不是本机开出的，或已作废，请向上级中心要一张新的。",
                )
            })?;
        if kept.used_by.is_some_and(|d| d != device) {
            return Err(refuse(
                "used_ticket",
                "入网票已被别的设备用过，请向上级中心要一张新的。",
            ));
        }
        if kept.used_by.is_none() && kept.expires_ms < now.wall_ms {
            return Err(refuse("expired_ticket", "入网票已过期，请向上级中心要一张新的。"));
        }
        Ok(kept)
    }

    /// A further hub of the topmost unit: only the root key can let it in, so it waits for a person.
    fn ask_for_root(&mut self, device: DeviceId, ticket: &TicketFact, request: &JoinRequest) -> CommandError {
        /// Hubs that wait at once; more are somebody's mistake.
        const WAITING_MAX: usize = 16;
        if self.waiting_hubs.len() < WAITING_MAX
            && let Some(code) = ledger::id::NodeCode::new(0)
        {
            let admit = self.admission(device, ticket, request, code, None);
            self.waiting_hubs.insert(device, admit);
        }
        CommandError::failed(
            "needs_root_key",
            format!(
                "新的县级主机要用恢复密钥批准：请在开票的主机上运行 member admit {} --root-key 密钥文件，然后再用这张入网票加入。",
                device.short()
            ),
        )
    }

    fn admit(
        &mut self,
        now: Now,
        by: UnitId,
        device: DeviceId,
        ticket: &TicketFact,
        request: &JoinRequest,
    ) -> Result<(), CommandError> {
        let code = self.new_node_code()?;
        let prefix = match request.role {
            Role::Node => None,
            Role::Hub => self.new_prefix(),
        };
        // Where only the county can give one it follows by itself; but nobody else will give what the county has not.
        if request.role == Role::Hub && prefix.is_none() && self.authority.top() == Some(by) {
            return Err(CommandError::failed(
                "no_prefix_left",
                "本机的节点前缀已经发完，不能再让下级主机加入；请由另一台县级主机开入网票。",
            ));
        }
        let admit = self.admission(device, ticket, request, code, prefix);
        self.state(by, Statement::Admit(admit))?;
        self.audit(now, Note::new(Act::Admit).about(device))?;
        Ok(())
    }

    fn admission(
        &self,
        device: DeviceId,
        ticket: &TicketFact,
        request: &JoinRequest,
        node_code: ledger::id::NodeCode,
        prefix: Option<ledger::id::HubPrefix>,
    ) -> Admit {
        Admit {
            device,
            unit: ticket.unit,
            role: request.role,
            seal_key: request.seal_key,
            name: cut(&request.name, NAME_BYTES_MAX).to_owned(),
            node_code,
            prefix,
            former: request.former,
            by: ticket.by,
        }
    }

    /// The answer to a device that has been admitted; `None` while its chain cannot be shown.
    pub(crate) fn welcome(&self, device: &DeviceId) -> Option<Welcome> {
        let life = self.life.as_ref()?;
        Some(Welcome {
            unit: self.authority.member(device)?.unit,
            root: life.root,
            credentials: self.chain_to(device)?,
            // The ticket names the hubs to dial. Where this hub itself dials is its own affair: another room may not reach it.
            addrs: Vec::new(),
        })
    }

    /// The chain of any device; `None` when it is not in the logs here.
    pub(crate) fn chain_to(&self, device: &DeviceId) -> Option<Vec<Credential>> {
        let chains = Chains {
            root: self.life.as_ref()?.root,
            authority: &self.authority,
            statements: &self.statements,
            store: &self.store,
        };
        chains.to(device)
    }
}

/// A life that is brought along must be proved: its root let this very device in.
fn check_former(device: DeviceId, request: &JoinRequest) -> Result<(), CommandError> {
    let Some(former) = request.former else {
        return Ok(());
    };
    let proved = former.unit == alone_unit(&former.root)
        && request.role == Role::Node
        && verify_chain(&former.root, &request.former_chain)
            .is_ok_and(|c| c.member().device == device && c.member().unit == former.unit);
    if proved {
        return Ok(());
    }
    Err(CommandError::failed(
        "bad_former",
        "单机时期的记录无法证明属于本机，不能带入；请联系上级中心。",
    ))
}

/// The beginning of a text, at most `max` bytes.
fn cut(text: &str, max: usize) -> &str {
    let text = text.trim();
    let end = (0..=text.len().min(max)).rev().find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or(0)]
}
