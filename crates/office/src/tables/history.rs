//! The versions of a table: which there were, who published each and when, what each changed.

use std::collections::BTreeMap;

use ledger::day::Day;
use ledger::id::{DeviceId, Hash, Scope, UserId};
use ledger::version_hash;
use minicbor::{Decode, Encode};
use replica::entry::LogId;
use replica::statement::{Parts, Statement};
use replica::time::Now;
use serde_json::{Value, json};

use super::{Rows, Version, difference};
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

    /// Every version of a table that the topmost unit has stated, the newest first.
    pub(super) fn versions(&self, table: Table, leading: &Hash) -> Vec<Value> {
        let top = self.authority.top().map(Scope::public);
        let mut all: BTreeMap<(u32, Hash), (DeviceId, Rows)> = BTreeMap::new();
        let mut parts: BTreeMap<LogId, Parts<'_>> = BTreeMap::new();
        for stated in self.statements.durable().iter().filter(|s| Some(s.log.scope) == top) {
            let (version, hash) = match (table, stated.statement.as_ref()) {
                (Table::Organisation, Statement::Organisation(it)) => {
                    (Version::Organisation(it.clone()), version_hash(it))
                }
                (Table::Organisation, Statement::OrganisationPart(part)) => {
                    parts.entry(stated.log).or_default().take(part);
                    continue;
                }
                (Table::Catalogue, Statement::Catalogue(it)) => (Version::Catalogue(it.clone()), version_hash(it)),
                (Table::Calendar, Statement::Calendar(it)) => (Version::Calendar(it.clone()), version_hash(it)),
                _ => continue,
            };
            all.entry((version.number(), hash))
                .or_insert_with(|| (stated.log.device, version.rows()));
        }
        for (log, parts) in parts {
            for (hash, whole) in parts.wholes() {
                all.entry((whole.version, hash))
                    .or_insert_with(|| (log.device, Version::Organisation(whole).rows()));
            }
        }
        let mut told: Vec<Value> = Vec::new();
        let mut before: Option<&Rows> = None;
        for ((version, hash), (device, rows)) in &all {
            let mut changed = before.map_or_else(|| json!({}), |before| difference(before, rows, ROWS_TOLD));
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
        told.truncate(VERSIONS_TOLD);
        told
    }
}
