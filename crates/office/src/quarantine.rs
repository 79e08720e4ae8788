//! What is kept but not counted (隔离、搁置、等待), each with its reason.

use ledger::id::Scope;
use replica::time::Now;
use serde_json::{Value as Json, json};

use crate::command::CommandError;
use crate::office::Office;
use crate::texts;
use crate::views::counts::visit;
use crate::views::fold::Read;
use crate::views::name::{self, Flag};
use crate::views::row::RecordRef;

impl Office {
    /// Changes set aside, entries that cannot be read, damage of the journal, and what waits for versions, entries or statements.
    pub(crate) fn quarantine_list(&mut self, now: Now) -> Result<Json, CommandError> {
        self.today(now)?;
        self.catch_up(now)?;
        let mut items = self.damaged_and_odd()?;
        for flag in [Flag::SetAside, Flag::Versions, Flag::Entries, Flag::Unrecognised] {
            for of in self.flagged(flag)? {
                let row = self.row(of)?.unwrap_or_default();
                let read = self.read(of, row)?;
                self.quarantined(flag, of, &read, &mut items);
            }
        }
        Ok(Json::Array(items))
    }

    /// Places of the journal that are damaged, and entries that are no readable change of a record.
    pub(crate) fn damaged_and_odd(&self) -> Result<Vec<Json>, CommandError> {
        let mut items = Vec::new();
        let (open, healed) = self.store.damage();
        let open = open.iter().map(|damage| (damage, texts::DAMAGED, false));
        for (damage, reason, is_healed) in open.chain(healed.iter().map(|d| (d, texts::HEALED, true))) {
            items.push(json!({
                "kind": "damaged",
                "reason": reason,
                "healed": is_healed,
                "segment": damage.at.segment,
                "offset": damage.at.offset,
                "bytes": damage.bytes,
            }));
        }
        let mut odd = Vec::new();
        visit(self.store.kv(), name::ODD, &mut |key, value| {
            odd.push((key.to_vec(), value.to_vec()))
        })
        .map_err(|e| texts::store_failed(&e))?;
        for (key, why) in odd {
            let Some((log, tip)) = name::odd_place(&key) else {
                continue;
            };
            let (kind, reason) = match why.as_slice() {
                [name::ODD_UNREADABLE] => ("unreadable", texts::UNREADABLE_ENTRY),
                [name::ODD_EXCESS] => ("excess", texts::EXCESS_ENTRY),
                _ => ("unknown_kind", texts::UNKNOWN_ENTRY),
            };
            items.push(json!({
                "kind": kind,
                "reason": reason,
                "unit": self.unit_shown(log.scope.unit).0,
                "device": log.device,
                "seq": tip.seq,
            }));
        }
        Ok(items)
    }

    pub(crate) fn flagged(&self, flag: Flag) -> Result<Vec<RecordRef>, CommandError> {
        let rows = self.store.kv().prefix(&name::flagged(flag));
        let rows = rows.map_err(|e| texts::store_failed(&e))?;
        Ok(rows.iter().filter_map(|(key, _)| name::tail(key)).collect())
    }

    pub(crate) fn quarantined(&self, flag: Flag, of: RecordRef, read: &Read, items: &mut Vec<Json>) {
        let s = &read.row.summary;
        let base = |kind: &str, reason: &str, count: u32, scope: Scope| {
            json!({
                "kind": kind,
                "reason": reason,
                "count": count,
                "project_no": (!s.no.is_empty()).then(|| self.shown_number(of, &s.no)),
                "record_id": of.record,
                "unit": self.unit_shown(scope.unit).0,
            })
        };
        match flag {
            Flag::SetAside => {
                for change in &read.folded.set_aside {
                    let mut item = base("set_aside", &change.reason.to_string(), 1, of.scope);
                    if let Some(map) = item.as_object_mut() {
                        map.insert("change".to_owned(), json!(change.change));
                        map.insert("device".to_owned(), json!(change.device));
                    }
                    items.push(item);
                }
            }
            Flag::Versions => items.push(base("awaiting_version", crate::cases::status_text(s), 1, of.scope)),
            Flag::Entries => items.push(base(
                "awaiting_entries",
                texts::AWAITING_ENTRIES,
                s.waiting.max(1),
                of.scope,
            )),
            Flag::Unrecognised => items.push(base("unrecognised", texts::UNRECOGNISED, s.unrecognised, of.scope)),
            Flag::Keyless | Flag::Locked | Flag::FollowUp | Flag::FollowedUp => {}
        }
    }
}
