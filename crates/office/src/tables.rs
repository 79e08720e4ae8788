//! The county's tables as its console sees them: what leads, what a new text would change, publishing it.
//!
//! A difference is told row by row under the field's own names, so that a person can answer for it before it is published.

mod history;
mod tree;

use std::collections::BTreeMap;

use ledger::calendar::Calendar;
use ledger::catalogue::Catalogue;
use ledger::day::Day;
use ledger::id::Hash;
use ledger::organisation::{Organisation, Unit};
use ledger::{TableError, version_hash};
use minicbor::Encode;
use replica::statement::Statement;
use replica::time::Now;
use serde_json::{Value, json};

use crate::audit::{Act, Note};
use crate::command::{CommandError, Table, TableText, Tables};
use crate::office::Office;
use crate::texts;

/// Rows of a difference that are told; the counts are exact.
const TOLD_MAX: usize = 500;

/// A row under its key: what it is called, and its fields in order.
type Rows = BTreeMap<String, (String, Vec<(&'static str, String)>)>;

/// A new version of one of the tables.
enum Version {
    Organisation(Organisation),
    Catalogue(Catalogue),
    Calendar(Calendar),
}

impl Version {
    fn rows(&self) -> Rows {
        match self {
            Self::Organisation(it) => organisation_rows(it),
            Self::Catalogue(it) => catalogue_rows(it),
            Self::Calendar(it) => calendar_rows(it),
        }
    }

    fn statements(self) -> Vec<Statement> {
        match self {
            Self::Organisation(it) => Statement::organisation(it),
            Self::Catalogue(it) => vec![Statement::Catalogue(it)],
            Self::Calendar(it) => vec![Statement::Calendar(it)],
        }
    }

    fn number(&self) -> u32 {
        match self {
            Self::Organisation(it) => it.version,
            Self::Catalogue(it) => it.version,
            Self::Calendar(it) => it.version,
        }
    }
}

impl Office {
    /// What the county's console asks about its tables.
    pub(crate) fn tables(&mut self, now: Now, asked: Tables) -> Result<Value, CommandError> {
        match asked {
            Tables::Show(args) => self.table_show(now, args.table),
            Tables::Preview(args) => self.table_preview(now, &args),
            Tables::Publish(args) => self.table_publish(now, &args),
        }
    }

    /// The version that leads.
    fn leading(&self, table: Table) -> Result<Version, CommandError> {
        let found = match table {
            Table::Organisation => self.authority.organisation().cloned().map(Version::Organisation),
            Table::Catalogue => self.authority.catalogue().cloned().map(Version::Catalogue),
            Table::Calendar => self.authority.calendar().cloned().map(Version::Calendar),
        };
        found.ok_or_else(texts::no_organisation)
    }

    fn hash_of(&self, version: &Version) -> Hash {
        fn hash(it: &impl Encode<()>) -> Hash {
            version_hash(it)
        }
        match version {
            Version::Organisation(it) => hash(it),
            Version::Catalogue(it) => hash(it),
            Version::Calendar(it) => hash(it),
        }
    }

    fn table_show(&mut self, now: Now, table: Table) -> Result<Value, CommandError> {
        let today = self.today(now)?;
        let leading = self.leading(table)?;
        let hash = self.hash_of(&leading);
        let tree = match &leading {
            Version::Organisation(it) => tree::tree(it, today),
            _ => Vec::new(),
        };
        let rows = leading.rows().into_iter().map(|(key, (label, fields))| {
            let fields: serde_json::Map<String, Value> = fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect();
            json!({"key": key, "label": label, "fields": fields})
        });
        Ok(json!({
            "version": leading.number(),
            "hash": hash,
            "may_publish": self.may_publish_tables(),
            "rows": rows.collect::<Vec<_>>(),
            "tree": tree,
            "versions": self.versions(table, &hash),
        }))
    }

    /// Only the topmost unit's hubs speak for the county.
    fn may_publish_tables(&self) -> bool {
        self.unit().is_some() && self.unit() == self.authority.top() && self.hub_life().is_ok()
    }

    /// The next version out of a text; errors name the line.
    fn next_version(&mut self, now: Now, args: &TableText) -> Result<(Version, Version), CommandError> {
        let leading = self.leading(args.table)?;
        let next = match &leading {
            Version::Organisation(old) => {
                let on = args.on.unwrap_or(self.today(now)?);
                let old = old.clone();
                let new = old.revised(&args.text, on, &mut self.seeds).map_err(|e| wrong(&e))?;
                Version::Organisation(new)
            }
            Version::Catalogue(old) => {
                let new = Catalogue::from_tsv(&args.text).map_err(|e| wrong(&e))?;
                if new.matters.is_empty() {
                    return Err(empty());
                }
                Version::Catalogue(Catalogue {
                    version: old.version.saturating_add(1),
                    ..new
                })
            }
            Version::Calendar(old) => {
                let new = Calendar::from_tsv(&args.text).map_err(|e| wrong(&e))?;
                Version::Calendar(old.with_years_of(&new).map_err(|e| wrong(&e))?)
            }
        };
        Ok((leading, next))
    }

    /// The first day on which a version holds, where its table knows of days.
    fn effective(&self, now: Now, args: &TableText) -> Result<Option<Day>, CommandError> {
        let today = self.today(now)?;
        Ok((args.table == Table::Organisation).then(|| args.on.unwrap_or(today)))
    }

    /// What whoever publishes should know besides.
    fn notes_on(
        &mut self,
        now: Now,
        args: &TableText,
        leading: &Version,
        next: &Version,
    ) -> Result<Vec<String>, CommandError> {
        let today = self.today(now)?;
        let (Version::Organisation(old), Version::Organisation(new)) = (leading, next) else {
            return Ok(Vec::new());
        };
        self.catch_up(now)?;
        let mut told = self.left_behind(old, new, today)?;
        // Who rules whom knows no clock: it is as the newest version lists it first.
        let parents =
            |of: &Organisation| -> BTreeMap<_, _> { of.units.iter().rev().map(|u| (u.id, u.parent)).collect() };
        let (was, will) = (parents(old), parents(new));
        let moved = will
            .iter()
            .filter(|(id, parent)| was.get(id).is_some_and(|was| was != *parent))
            .count();
        if let Some(on) = args.on.filter(|on| *on > today && moved > 0) {
            told.push(texts::moves_on_arrival(moved, on));
        }
        Ok(told)
    }

    fn table_preview(&mut self, now: Now, args: &TableText) -> Result<Value, CommandError> {
        let (leading, next) = self.next_version(now, args)?;
        let mut told = difference(&leading.rows(), &next.rows(), TOLD_MAX);
        told["notes"] = json!(self.notes_on(now, args, &leading, &next)?);
        told["on"] = json!(self.effective(now, args)?);
        told["version"] = json!(next.number());
        told["over"] = json!(self.hash_of(&leading));
        Ok(told)
    }

    fn table_publish(&mut self, now: Now, args: &TableText) -> Result<Value, CommandError> {
        if !self.may_publish_tables() {
            return Err(CommandError::failed(
                "not_the_county",
                "机构、事项、日历由县里统一发布，请联系县中心。",
            ));
        }
        let (leading, next) = self.next_version(now, args)?;
        if args.over.is_some_and(|over| over != self.hash_of(&leading)) {
            return Err(CommandError::failed(
                "changed_meanwhile",
                "预览之后，别人已发布了新的版本，这一次没有发布。请重新上传，再看一遍差异。",
            ));
        }
        let told = difference(&leading.rows(), &next.rows(), TOLD_MAX);
        self.notes_on(now, args, &leading, &next)?;
        if told["changes"] == 0 {
            return Err(CommandError::failed("no_change", "与现行版本完全一样，不用发布。"));
        }
        let (number, hash) = (next.number(), self.hash_of(&next));
        let top = self.authority.top().ok_or_else(texts::unplaced)?;
        let statements = next.statements();
        statements.iter().try_for_each(sendable)?;
        let name = serde_json::to_value(args.table).unwrap_or_default();
        self.audit(
            now,
            Note::new(Act::Publish).about(format!("{} {number}", name.as_str().unwrap_or_default())),
        )?;
        let on = self.effective(now, args)?;
        self.note_published(now, &hash, on)?;
        for statement in statements {
            self.state(top, statement).map_err(|e| texts::store_failed(&e))?;
        }
        self.keep(now)?;
        Ok(json!({"version": number, "hash": hash, "changes": told["changes"]}))
    }
}

/// What others would refuse to read is not signed.
pub(crate) fn sendable(statement: &Statement) -> Result<(), CommandError> {
    let read = Statement::decode(&statement.encode());
    read.map(|_| ())
        .map_err(|e| CommandError::usage("bad_table", format!("表太大，发布不了（{e}），请核对。")))
}

fn wrong(error: &TableError) -> CommandError {
    // Of the file as a whole no line is named.
    if error.line == 0 {
        return CommandError::usage("bad_table", error.reason.clone());
    }
    CommandError::usage("bad_table", error.to_string())
}

fn empty() -> CommandError {
    CommandError::usage("bad_table", "表里一行内容也没有，请核对是否选错了文件。")
}

/// What becomes of each row, so many of a kind told.
fn difference(old: &Rows, new: &Rows, told_max: usize) -> Value {
    let row = |key: &String, (label, fields): &(String, Vec<(&'static str, String)>)| {
        let words: Vec<String> = fields.iter().map(|(name, value)| format!("{name} {value}")).collect();
        json!({"key": key, "label": label, "what": words.join("；")})
    };
    let added: Vec<Value> = new
        .iter()
        .filter(|(k, _)| !old.contains_key(*k))
        .map(|(k, r)| row(k, r))
        .collect();
    let removed: Vec<Value> = old
        .iter()
        .filter(|(k, _)| !new.contains_key(*k))
        .map(|(k, r)| row(k, r))
        .collect();
    let mut changed = Vec::new();
    for (key, (label, after)) in new {
        let Some((_, before)) = old.get(key).filter(|(_, before)| before != after) else {
            continue;
        };
        let fields: Vec<Value> = after
            .iter()
            .zip(before)
            .filter(|(a, b)| a != b)
            .map(|((name, after), (_, before))| json!({"name": name, "before": before, "after": after}))
            .collect();
        changed.push(json!({"key": key, "label": label, "fields": fields}));
    }
    let counts = (added.len(), removed.len(), changed.len());
    let first = |rows: Vec<Value>| rows.into_iter().take(told_max).collect::<Vec<_>>();
    json!({
        "changes": counts.0 + counts.1 + counts.2,
        "counts": {"added": counts.0, "removed": counts.1, "changed": counts.2, "same": new.len() - counts.0 - counts.2},
        "added": first(added),
        "removed": first(removed),
        "changed": first(changed),
    })
}

fn organisation_rows(organisation: &Organisation) -> Rows {
    // The first that bears an id, as `Organisation::unit` has it.
    let by_id: BTreeMap<_, _> = organisation.units.iter().rev().map(|unit| (unit.id, unit)).collect();
    let row = |unit: &Unit| {
        let parent = unit.parent.and_then(|id| by_id.get(&id));
        let heir = unit.into.and_then(|id| by_id.get(&id));
        let day = |day: Option<ledger::day::Day>| day.map_or_else(|| "—".to_owned(), |d| d.to_string());
        let fields = vec![
            ("名称", unit.name.clone()),
            ("级别", unit.kind.word().to_owned()),
            ("上级", parent.map_or_else(|| "—".to_owned(), |p| p.code.to_string())),
            ("起", day(unit.from)),
            ("止", day(unit.until)),
            (
                "并入",
                heir.map_or_else(|| "—".to_owned(), |heir| heir.code.to_string()),
            ),
        ];
        // A code that a later unit bears again stands for each of them.
        let key = match unit.until {
            Some(until) => format!("{}（至 {until}）", unit.code),
            None => unit.code.to_string(),
        };
        (key, (unit.name.clone(), fields))
    };
    organisation.units.iter().map(row).collect()
}

fn catalogue_rows(catalogue: &Catalogue) -> Rows {
    let rows = catalogue.matters.iter().map(|m| {
        let fields = vec![
            ("名称", m.name.clone()),
            ("分组", m.group.clone()),
            ("类别", m.category.clone()),
            ("层级", m.tier.clone()),
            ("村级职责", m.village_role.clone()),
            ("办件类型", m.handling_type.label().to_owned()),
            ("承诺工作日", m.promised_workdays.to_string()),
            ("法定时限", m.statutory_limit.clone()),
            ("依据", m.deadline_basis.clone()),
            ("材料", m.materials.join("；")),
        ];
        (m.code.clone(), (m.name.clone(), fields))
    });
    rows.collect()
}

fn calendar_rows(calendar: &Calendar) -> Rows {
    let off = calendar.off.iter().map(|day| (day, "放假"));
    let makeup = calendar.makeup.iter().map(|day| (day, "补班"));
    let rows = off
        .chain(makeup)
        .map(|(day, kind)| (day.to_string(), (day.to_string(), vec![("安排", kind.to_owned())])));
    rows.collect()
}
