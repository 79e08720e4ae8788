//! Founding: a county on its first hub, or a county of one room.

use ed25519_dalek::SigningKey;
use ledger::calendar::Calendar;
use ledger::catalogue::Catalogue;
use ledger::id::{DeviceId, HubPrefix, NodeCode, Scope, UnitCode};
use ledger::organisation::{Organisation, Unit, UnitKind};
use replica::authority::alone_unit;
use replica::limits::NAME_BYTES_MAX;
use replica::statement::{Admit, Role, Statement};
use replica::time::Now;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::command::{CommandError, InitAlone, InitCounty};
use crate::identity::{ROOT_KEY, write_key};
use crate::life::Life;
use crate::office::Office;

/// The first county hub's prefix. Those below eight belong to county hubs; see `prefix.rs`.
const FIRST_PREFIX: HubPrefix = HubPrefix(1);

impl Office {
    /// Founds a county: its root key, this hub as its first, organisation, catalogue and calendar.
    ///
    /// # Errors
    /// When the folder belongs somewhere already, or a table is wrong (with its line).
    pub(crate) fn init_county(&mut self, now: Now, args: &InitCounty) -> Result<Value, CommandError> {
        self.must_be_unplaced()?;
        let tables = tables(&args.matters, &args.holidays)?;
        let code = parse_code(&args.unit)?;
        let organisation =
            Organisation::from_tsv(&args.divisions, &mut self.seeds).map_err(|e| table("区划表", "divisions", &e))?;
        let top = organisation
            .top()
            .ok_or_else(|| CommandError::usage("bad_divisions", "区划表里没有最上级机构，请核对。"))?;
        if top.code != code {
            return Err(CommandError::usage(
                "wrong_unit",
                format!(
                    "区划表的最上级是 {}（{}），与 --unit 的 {code} 不同，请核对。",
                    top.code, top.name
                ),
            ));
        }
        let unit = top.clone();
        let mut statements = Statement::organisation(organisation.clone());
        statements.push(Statement::Catalogue(tables.0.clone()));
        statements.push(Statement::Calendar(tables.1.clone()));
        statements.iter().try_for_each(crate::tables::sendable)?;
        let root = SigningKey::from_bytes(&Zeroizing::new(self.seeds.bytes::<32>()));
        // The recovery file must be on the disk before anything is said in the root's name: a county without it can never
        // replace its hub.
        write_key(self.store.disk_mut(), ROOT_KEY, &root.to_bytes()).map_err(|e| {
            CommandError::failed(
                "disk",
                format!("恢复密钥文件 {ROOT_KEY} 写不进数据目录（{e}），请检查磁盘后重试。"),
            )
        })?;
        let admit = self.own_admit(&unit, Role::Hub, Some(FIRST_PREFIX), NodeCode::under(FIRST_PREFIX, 0));
        self.found(now, &root, admit, organisation, tables)?;
        Ok(json!({
            "unit": unit.code,
            "name": unit.name,
            "device": self.me.device,
            "root": DeviceId(root.verifying_key().to_bytes()),
            "recovery_file": ROOT_KEY,
            "message": format!(
                "已建立{}。请把数据目录里的 {ROOT_KEY} 抄到优盘，交专人保管，然后从本机删除：换县级主机时要用它。",
                unit.name
            ),
        }))
    }

    /// Founds a county of one room, which may join a real one later and takes its records along.
    ///
    /// # Errors
    /// As [`Office::init_county`].
    pub(crate) fn init_alone(&mut self, now: Now, args: &InitAlone) -> Result<Value, CommandError> {
        self.must_be_unplaced()?;
        let tables = tables(&args.matters, &args.holidays)?;
        let code = parse_code(&args.unit)?;
        let name = args.name.trim();
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(CommandError::usage(
                "bad_name",
                "请用 --name 写明村（社区）便民服务室的名称。",
            ));
        }
        let root = SigningKey::from_bytes(&Zeroizing::new(self.seeds.bytes::<32>()));
        let unit = Unit {
            id: alone_unit(&DeviceId(root.verifying_key().to_bytes())),
            code,
            name: name.to_owned(),
            kind: UnitKind::Village,
            parent: None,
            from: None,
            until: None,
            into: None,
        };
        let organisation = Organisation {
            version: 1,
            units: vec![unit.clone()],
        };
        // A room alone has nobody to give it a code; the range is its kind's own, and drawn at random two rooms seldom meet.
        let span = u64::from(NodeCode::MAX + 1 - HubPrefix::ALONE * HubPrefix::SIZE);
        let node = HubPrefix::ALONE * HubPrefix::SIZE + u32::try_from(self.seeds.below(span)).unwrap_or(0);
        let admit = self.own_admit(&unit, Role::Node, None, NodeCode::new(node));
        // Its root key is not kept: nothing is ever admitted under it again, and joining a county pins another.
        self.found(now, &root, admit, organisation, tables)?;
        Ok(json!({
            "unit": unit.code,
            "name": unit.name,
            "device": self.me.device,
            "message": format!("{}已可单机使用；以后用入网票加入县里，办件和编号都会带过去。", unit.name),
        }))
    }

    fn own_admit(&self, unit: &Unit, role: Role, prefix: Option<HubPrefix>, code: Option<NodeCode>) -> Option<Admit> {
        Some(Admit {
            device: self.me.device,
            unit: unit.id,
            role,
            seal_key: self.me.seal_key,
            name: unit.name.clone(),
            node_code: code?,
            prefix,
            former: None,
            by: None,
        })
    }

    fn found(
        &mut self,
        now: Now,
        root: &SigningKey,
        admit: Option<Admit>,
        organisation: Organisation,
        (catalogue, calendar): (Catalogue, Calendar),
    ) -> Result<(), CommandError> {
        let admit = admit.ok_or_else(|| CommandError::failed("no_code", "节点编码用尽，请联系系统维护人员。"))?;
        let life = Life {
            root: DeviceId(root.verifying_key().to_bytes()),
            unit: admit.unit,
            role: admit.role,
            formers: Vec::new(),
            addrs: Vec::new(),
        };
        let unit = admit.unit;
        self.begin_life(life)?;
        self.state_as_root(root, unit, Statement::Admit(admit))?;
        for statement in Statement::organisation(organisation) {
            self.state(unit, statement)?;
        }
        self.state(unit, Statement::Catalogue(catalogue))?;
        self.state(unit, Statement::Calendar(calendar))?;
        self.make_scope_key(Scope::book(unit))?;
        if self.role() == Role::Hub {
            self.make_hub_key(Scope::book(unit))?;
        }
        self.commit_or_fail(now)?;
        self.keep_chain()?;
        self.commit_or_fail(now)?;
        Ok(())
    }

    pub(crate) fn must_be_unplaced(&self) -> Result<(), CommandError> {
        match &self.life {
            None => Ok(()),
            Some(_) => Err(CommandError::failed(
                "already_set_up",
                "这个数据目录已经建过单位，不能再建；请换一个空目录。",
            )),
        }
    }
}

/// A unit code as typed.
pub(crate) fn parse_code(text: &str) -> Result<UnitCode, CommandError> {
    UnitCode::parse(text).ok_or_else(|| {
        CommandError::usage(
            "bad_unit",
            format!("单位代码“{}”不对，应为 6 到 12 位数字。", text.trim()),
        )
    })
}

fn tables(matters: &str, holidays: &str) -> Result<(Catalogue, Calendar), CommandError> {
    let catalogue = Catalogue::from_tsv(matters).map_err(|e| table("事项目录", "matters", &e))?;
    let calendar = Calendar::from_tsv(holidays).map_err(|e| table("节假日表", "holidays", &e))?;
    Ok((catalogue, calendar))
}

fn table(label: &str, option: &str, error: &ledger::TableError) -> CommandError {
    CommandError::usage(
        "bad_table",
        format!("{label}（--{option}）第 {} 行：{}", error.line, error.reason),
    )
}
