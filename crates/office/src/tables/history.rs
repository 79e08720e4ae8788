//! The versions of a table: which there were, who published each and when, what each changed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ledger::calendar::Calendar;
use ledger::catalogue::Catalogue;
use ledger::day::Day;
use ledger::id::{DeviceId, Hash, Scope, UserId};
use ledger::organisation::Organisation;
use ledger::version_hash;
use minicbor::{Decode, Encode};
use replica::authority::Stated;
use replica::entry::LogId;
use replica::statement::{Parts, Statement};
use replica::time::Now;
use serde_json::{Value, json};

use super::{Rows, calendar_rows, catalogue_rows, difference, organisation_rows};
use crate::cases::at_text;
use crate::command::{CommandError, Table};
use crate::life::fact;
use crate::office::Office;

/// The newest ones, each with what it changed.
const VERSIONS_TOLD: usize = 30;
/// Rows of each of them that are told; the counts are exact.
const ROWS_TOLD: usize = 40;

/// Who published a version here and when: the version itself is signed by the hub, not by a person.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(super) struct Published {
    #[n(0)]
    pub(super) user: Option<UserId>,
    #[n(1)]
    pub(super) at_ms: i64,
    /// The first day on which it holds, where it says so.
    #[n(2)]
    pub(super) on: Option<Day>,
}

fn key(hash: &Hash) -> String {
    format!("{}{hash}", fact::PUBLISHED)
}

impl Office {
    /// Remembers who publishes a version; durable with it.
    pub(super) fn note_published(&mut self, now: Now, hash: &Hash, on: Option<Day>) -> Result<(), CommandError> {
        let published = Published {
            user: self.acting,
            at_ms: now.wall_ms,
            on,
        };
        let bytes = minicbor::to_vec(&published).unwrap_or_default();
        Ok(self.store.stage_fact(&key(hash), Some(&bytes))?)
    }

    fn published(&self, hash: &Hash) -> Option<Published> {
        minicbor::decode(self.store.fact(&key(hash))?).ok()
    }

    /// The newest versions of a table that the topmost unit has stated, the newest first. A province's organisation has thousands of
    /// units: older ones are not even hashed, and of the others no more than two lie side by side.
    pub(super) fn versions(&self, table: Table, leading: &Hash) -> Vec<Value> {
        let top = self.authority.top().map(Scope::public);
        let of_top = self.statements.durable().iter().filter(|s| Some(s.log.scope) == top);
        let stated: Vec<(u32, &Stated)> = of_top.filter_map(|s| Some((number(table, &s.statement)?, s))).collect();
        let numbers: BTreeSet<u32> = stated.iter().map(|(number, _)| *number).collect();
        // One more: what the last that is told has changed shows beside the one before it.
        let older = numbers.iter().rev().nth(VERSIONS_TOLD).copied();
        let all = found(stated.into_iter().filter(|(number, _)| Some(*number) >= older));
        let mut told: Vec<Value> = Vec::new();
        let mut before: Option<Rows> = None;
        for ((version, hash), (device, found)) in &all {
            let rows = found.rows();
            let mut changed = before.map_or_else(|| json!({}), |before| difference(&before, &rows, ROWS_TOLD));
            before = Some(rows);
            let published = self.published(hash);
            let user = self.person_named(published.as_ref().and_then(|p| p.user));
            let member = self.authority.member(device);
            changed["version"] = json!(version);
            changed["hash"] = json!(hash);
            changed["leads"] = json!(hash == leading);
            changed["by"] = json!(user);
            changed["computer"] = json!(member.map(|m| m.name.clone()));
            changed["at"] = json!(published.as_ref().map(|p| at_text(p.at_ms)));
            changed["on"] = json!(published.as_ref().and_then(|p| p.on));
            told.push(changed);
        }
        told.reverse();
        if older.is_some() {
            told.pop();
        }
        told.truncate(VERSIONS_TOLD);
        told
    }
}

/// A version as one statement or its parts have it.
enum Found<'a> {
    Organisation(Cow<'a, Organisation>),
    Catalogue(&'a Catalogue),
    Calendar(&'a Calendar),
}

impl Found<'_> {
    fn hash(&self) -> Hash {
        match self {
            Self::Organisation(it) => version_hash(it.as_ref()),
            Self::Catalogue(it) => version_hash(*it),
            Self::Calendar(it) => version_hash(*it),
        }
    }

    fn rows(&self) -> Rows {
        match self {
            Self::Organisation(it) => organisation_rows(it),
            Self::Catalogue(it) => catalogue_rows(it),
            Self::Calendar(it) => calendar_rows(it),
        }
    }
}

/// The number of the version of a table that a statement is, or is a part of.
fn number(table: Table, statement: &Statement) -> Option<u32> {
    match (table, statement) {
        (Table::Organisation, Statement::Organisation(it)) => Some(it.version),
        (Table::Organisation, Statement::OrganisationPart(it)) => Some(it.version),
        (Table::Catalogue, Statement::Catalogue(it)) => Some(it.version),
        (Table::Calendar, Statement::Calendar(it)) => Some(it.version),
        _ => None,
    }
}

/// Each version once, with whoever stated it first.
fn found<'a>(stated: impl Iterator<Item = (u32, &'a Stated)>) -> BTreeMap<(u32, Hash), (DeviceId, Found<'a>)> {
    let mut all = BTreeMap::new();
    let mut parts: BTreeMap<LogId, Parts<'_>> = BTreeMap::new();
    for (number, stated) in stated {
        let found = match stated.statement.as_ref() {
            Statement::Organisation(it) => Found::Organisation(Cow::Borrowed(it)),
            Statement::Catalogue(it) => Found::Catalogue(it),
            Statement::Calendar(it) => Found::Calendar(it),
            Statement::OrganisationPart(part) => {
                parts.entry(stated.log).or_default().take(part);
                continue;
            }
            _ => continue,
        };
        all.entry((number, found.hash())).or_insert((stated.log.device, found));
    }
    for (log, parts) in parts {
        for (hash, whole) in parts.wholes() {
            let number = whole.version;
            all.entry((number, hash))
                .or_insert_with(|| (log.device, Found::Organisation(Cow::Owned(whole))));
        }
    }
    all
}
