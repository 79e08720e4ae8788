//! Conflict items (冲突事项): listed, decided, taken back.
//!
//! Nothing is lost while an item waits: both versions are kept. A decision is an event in each subject's record, so it travels,
//! folds and is undone like everything else.

use std::collections::BTreeSet;

use ledger::conflict::{ConflictId, ConflictKind};
use ledger::id::{DeviceId, Hash, Tier, UnitId};
use ledger::record::{Edit, NewEvent, RecordConflict, Side, Value};
use replica::authority::Write;
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::kv::{Row, prefix_end};
use store::{Order, StoreError};

use crate::cases::intake::covered;
use crate::cases::{Sight, at_text};
use crate::command::{CommandError, ConflictResolve};
use crate::office::Office;
use crate::texts;
use crate::views::fold::Read;
use crate::views::groups::{self, CHOICE_SEPARATE, CHOICE_UNDO, Item};
use crate::views::name;
use crate::views::row::{RecordRef, RecordRow};

/// Of an id, at least so many digits have to be typed.
const ID_DIGITS_MIN: usize = 8;

/// A device whose log has split.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Fork {
    device: DeviceId,
    epoch: u64,
}

impl Fork {
    fn id(&self) -> Hash {
        ConflictId::new(
            ConflictKind::Fork,
            &[[self.device.0.as_slice(), &self.epoch.to_be_bytes()].concat()],
        )
        .0
    }
}

impl Office {
    /// All items, open ones first: those inside records, between records, and forks of devices.
    pub(crate) fn conflict_list(&mut self, now: Now) -> Result<Json, CommandError> {
        self.today(now)?;
        self.catch_up(now)?;
        let mut shown = Vec::new();
        for (key, value) in self.rows_from(name::CONFLICT)? {
            let (Some(id), Some(item)) = (name::conflict_id(&key), Item::decode(&value)) else {
                continue;
            };
            shown.push((!item.open, self.item(&id, &item)?));
        }
        for fork in self.forks() {
            let settled = self.is_fork_settled(&fork);
            shown.push((settled, self.fork_item(&fork)));
        }
        shown.sort_by_key(|(resolved, _)| *resolved);
        Ok(Json::Array(shown.into_iter().map(|(_, item)| item).collect()))
    }

    /// Items that await somebody: for status.
    pub(crate) fn open_conflict_count(&mut self) -> Result<u64, StoreError> {
        let forks = self.forks();
        let open = forks.iter().filter(|f| !self.is_fork_settled(f)).count();
        Ok(self.views.open_conflicts(&self.store)? + open as u64)
    }

    /// Units of devices that write in two places and have not begun anew.
    pub(crate) fn forked_units(&self) -> BTreeSet<UnitId> {
        let standing = self.forks().into_iter().filter(|fork| !self.is_fork_settled(fork));
        let units = standing.filter_map(|fork| self.authority.member(&fork.device).map(|m| m.unit));
        units.collect()
    }

    /// Decides an item, or takes the decision back with `undo`.
    ///
    /// # Errors
    /// From a room; an unknown or ambiguous id; a choice that is not offered; a subject that is not ours to write.
    pub(crate) fn conflict_resolve(&mut self, now: Now, args: ConflictResolve) -> Result<Json, CommandError> {
        let today = self.today(now)?;
        if self.tier() == Tier::Room {
            return Err(texts::rooms_do_not_resolve());
        }
        self.catch_up(now)?;
        let (id, item) = self.find_conflict(&args.id)?;
        let subjects = item.records();
        let mut reads = Vec::with_capacity(subjects.len());
        for of in subjects {
            let row = self.row(of)?.ok_or_else(|| texts::unknown_conflict(&args.id))?;
            reads.push((of, self.read(of, row)?));
        }
        let choice = self.choice(&id, &item, &reads, args.choose.trim())?;
        let mut event = NewEvent::new("resolve", today)
            .with("conflict", Value::Text(id.to_string()))
            .with("choice", Value::Text(choice.clone()));
        if let Some(note) = args.note.as_deref().map(str::trim).filter(|n| !n.is_empty()) {
            event = event.with("reason", Value::Text(note.to_owned()));
        }
        event = covered(event, args.cover.as_ref());
        for (of, read) in &reads {
            // Taking back names no side; whatever else is not offered was refused above.
            if choice != CHOICE_UNDO {
                let who = self.who(args.user)?;
                let under = self.views.under(&self.store, &self.authority, &self.keys);
                read.folded
                    .check(&event, &who, &under.context())
                    .map_err(|refusal| CommandError::failed("refused", refusal.to_string()))?;
            }
            if self.authority.may_write(&self.me.device, &of.scope) != Write::Yes {
                return Err(texts::may_not_write());
            }
        }
        // Nothing can be refused any more: the decision is written into all subjects or none.
        for (of, read) in &reads {
            self.stage_edits(now, *of, read, &[Edit::Event(event.clone())], args.user)?;
        }
        self.owe_decision(&reads);
        self.keep(now)?;
        self.catch_up(now)?;
        let open = self.find_conflict(&id.to_string()).map(|(_, item)| item.open);
        Ok(json!({
            "id": id,
            "kind": item.kind,
            "choice": choice,
            "state": if open.unwrap_or(false) { "open" } else { "resolved" },
        }))
    }

    /// The trail names the cases that a decision is of.
    fn owe_decision(&mut self, reads: &[(RecordRef, Read)]) {
        let Some(((first, _), others)) = reads.split_first() else {
            return;
        };
        let others = others
            .iter()
            .map(|(of, read)| self.shown_number(*of, &read.row.summary.no));
        let others: Vec<String> = others.collect();
        self.owe_of(*first, &others);
    }

    /// One item as lists show it.
    pub(crate) fn conflict_item(&self, id: &Hash, item: &Item) -> Result<Json, CommandError> {
        self.item(id, item)
    }

    /// Forks of devices that are settled, or are not; those of some units, or all.
    pub(crate) fn fork_items(&self, settled: bool, within: Option<&[UnitId]>) -> Vec<Json> {
        let forks = self.forks();
        let is_within = |fork: &Fork| {
            let unit = self.authority.member(&fork.device).map(|member| member.unit);
            within.is_none_or(|units| unit.is_some_and(|unit| units.contains(&unit)))
        };
        let wanted = forks
            .iter()
            .filter(|fork| self.is_fork_settled(fork) == settled && is_within(fork));
        wanted.map(|fork| self.fork_item(fork)).collect()
    }

    fn find_conflict(&self, text: &str) -> Result<(Hash, Item), CommandError> {
        let typed = text.trim().to_ascii_lowercase();
        if typed.len() < ID_DIGITS_MIN || !typed.bytes().all(|b| b.is_ascii_hexdigit()) || typed.len() > 2 * Hash::LEN {
            return Err(texts::short_conflict());
        }
        let bytes: Vec<u8> = typed
            .as_bytes()
            .chunks_exact(2)
            .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let mut found: Vec<(Hash, Item)> = Vec::new();
        for (key, value) in self.rows_from(&name::conflicts_from(&bytes))? {
            let (Some(id), Some(item)) = (name::conflict_id(&key), Item::decode(&value)) else {
                continue;
            };
            if id.to_string().starts_with(&typed) && found.iter().all(|(known, _)| *known != id) {
                found.push((id, item));
            }
        }
        match found.len() {
            1 => Ok(found.swap_remove(0)),
            0 if self.forks().iter().any(|f| f.id().to_string().starts_with(&typed)) => Err(texts::fork_by_itself()),
            0 => Err(texts::unknown_conflict(&typed)),
            _ => Err(texts::ambiguous_conflict(&typed)),
        }
    }

    /// What is written for what was typed: a side's id, a subject's record id, `separate`, or `undo`.
    fn choice(&self, id: &Hash, item: &Item, reads: &[(RecordRef, Read)], typed: &str) -> Result<String, CommandError> {
        if typed == CHOICE_UNDO {
            return if item.open {
                Err(texts::nothing_to_undo())
            } else {
                Ok(typed.to_owned())
            };
        }
        let choices: Vec<(String, String)> = match reads {
            [(_, read)] => {
                let own = read.folded.conflicts.iter().find(|c| c.id.0 == *id);
                let sides = own.map(|c| c.sides.as_slice()).unwrap_or_default();
                sides.iter().map(|s| (s.id.clone(), s.what.clone())).collect()
            }
            several => self.shared_choices(&item.kind, several),
        };
        let by_words: Vec<&String> = choices
            .iter()
            .filter(|(_, shown)| shown.eq_ignore_ascii_case(typed))
            .map(|(choice, _)| choice)
            .collect();
        // Words that name several sides decide nothing.
        match (choices.iter().find(|(choice, _)| choice == typed), by_words.as_slice()) {
            (Some((choice, _)), _) => return Ok(choice.clone()),
            (None, [choice]) => return Ok((*choice).clone()),
            _ => {}
        }
        if choices.is_empty() {
            // Something was overwritten: there is no side to take, only a word to keep.
            return Ok(typed.to_owned());
        }
        let offered: Vec<String> = choices.iter().map(|(c, shown)| format!("{c}（{shown}）")).collect();
        Err(texts::bad_choice(typed, &offered.join("、")))
    }

    fn shared_choices(&self, kind: &str, reads: &[(RecordRef, Read)]) -> Vec<(String, String)> {
        let mut choices = Vec::new();
        if kind == ConflictKind::Duplicate.as_str() {
            for (of, read) in reads {
                choices.push((of.record.to_string(), self.shown_number(*of, &read.row.summary.no)));
            }
        }
        choices.push((CHOICE_SEPARATE.to_owned(), CHOICE_SEPARATE.to_owned()));
        choices
    }

    fn rows_from(&self, prefix: &[u8]) -> Result<Vec<Row>, CommandError> {
        let rows = self
            .store
            .kv()
            .range(prefix, &prefix_end(prefix), Order::Rising, usize::MAX);
        rows.map_err(|e| texts::store_failed(&e))
    }

    /// Items between this record and others.
    pub(crate) fn shared_items(&self, of: RecordRef, row: &RecordRow) -> Vec<(Hash, Item)> {
        let all = groups::items_of(self.store.kv(), row).unwrap_or_default();
        all.into_iter()
            .filter(|(_, item)| item.records().contains(&of))
            .collect()
    }

    fn item(&self, id: &Hash, item: &Item) -> Result<Json, CommandError> {
        let subjects = item.records();
        if let [of] = subjects.as_slice() {
            let row = self.row(*of)?.unwrap_or_default();
            let read = self.read(*of, row)?;
            if let Some(conflict) = read.folded.conflicts.iter().find(|c| c.id.0 == *id) {
                return Ok(self.own_item(*of, &read, conflict));
            }
        }
        self.shared_item(id, item)
    }

    /// All items of one record, for its page.
    pub(crate) fn conflicts_of_record(&self, of: RecordRef, read: &Read) -> Json {
        let mut items: Vec<Json> = read
            .folded
            .conflicts
            .iter()
            .map(|c| self.own_item(of, read, c))
            .collect();
        for (id, item) in self.shared_items(of, &read.row) {
            items.extend(self.shared_item(&id, &item).ok());
        }
        Json::Array(items)
    }

    fn own_item(&self, of: RecordRef, read: &Read, conflict: &RecordConflict) -> Json {
        let side = |s: &Side| {
            let (unit, unit_name) = self.unit_shown(s.unit);
            let mut shown = json!({
                "choice": s.id, "what": s.what, "words": self.side_words(read, conflict, s), "unit": unit, "unit_name": unit_name,
                "by": self.person(&s.user, s.unit),
            });
            if let (Some(shown), Json::Object(more)) = (shown.as_object_mut(), self.said_by_side(of, read, conflict, s))
            {
                shown.extend(more);
            }
            shown
        };
        json!({
            "id": conflict.id,
            "kind": conflict.kind.as_str(),
            "label": conflict.kind.label(),
            "state": if conflict.resolved.is_none() { "open" } else { "resolved" },
            "subject": conflict.subject,
            "records": [self.subject(of, &read.row)],
            "choices": conflict.sides.iter().map(side).collect::<Vec<_>>(),
            "resolved": conflict.resolved.as_ref().map(|r| json!({
                "choice": r.choice,
                "reason": r.reason,
                "unit": self.unit_shown(r.unit).0,
                "unit_name": self.unit_shown(r.unit).1,
                "by": self.person(&r.user, r.unit),
                "on": r.on,
            })),
        })
    }

    /// A side in plain words: the step, the result, or the field that was written.
    fn side_words(&self, read: &Read, conflict: &RecordConflict, side: &Side) -> String {
        let form = read.row.summary.form.and_then(|hash| self.views.forms().of(&hash));
        match (conflict.kind, form) {
            (ConflictKind::DoubleClosing, _) => match side.what.parse() {
                Ok(code) => texts::result_word(code).to_owned(),
                Err(_) => side.what.clone(),
            },
            (ConflictKind::VoidEvent, Some(form)) => form.event_label(&side.what).to_owned(),
            (ConflictKind::Field, Some(form)) => form
                .fields
                .get(&side.what)
                .map_or(side.what.clone(), |f| f.label.clone()),
            (ConflictKind::Overwritten, _) => texts::OVERWRITTEN.to_owned(),
            _ => side.what.clone(),
        }
    }

    /// What a side says, who said it and when: people decide by that. A value that is sealed is opened where its key is here.
    fn said_by_side(&self, of: RecordRef, read: &Read, conflict: &RecordConflict, side: &Side) -> Json {
        if let Some(event) = read.folded.events.iter().find(|event| event.id == side.id) {
            return json!({
                "tier": event.tier.as_str(),
                "device": event.device.short(),
                "at": at_text(event.wall_ms),
                "leads": conflict.kind == ConflictKind::VoidEvent && event.void.is_none(),
            });
        }
        let name = conflict.subject.as_deref().unwrap_or_default();
        let mut values = read.folded.fields.get(name).into_iter().flatten();
        match values.find(|value| value.change.to_string().starts_with(&side.id)) {
            Some(value) => self.value(of, name, value, read, Sight::Masked),
            None => Json::Null,
        }
    }

    fn shared_item(&self, id: &Hash, item: &Item) -> Result<Json, CommandError> {
        let kind = [ConflictKind::Duplicate, ConflictKind::SameNumber]
            .into_iter()
            .find(|k| k.as_str() == item.kind);
        let mut rows = Vec::new();
        for of in item.records() {
            rows.push((of, self.row(of)?.unwrap_or_default()));
        }
        let decided = match rows.as_slice() {
            [(_, a), (_, b)] => groups::choice(id, a, b),
            _ => None,
        };
        let mut choices: Vec<Json> = Vec::new();
        if kind == Some(ConflictKind::Duplicate) {
            for (of, row) in &rows {
                let shown = self.shown_number(*of, &row.summary.no);
                choices.push(json!({"choice": of.record, "what": format!("{}：{shown}", texts::LEADS)}));
            }
        }
        if let Some(kind) = kind {
            choices.push(json!({"choice": CHOICE_SEPARATE, "what": texts::choice_label(kind, CHOICE_SEPARATE)}));
        }
        let leads = rows
            .iter()
            .map(|(of, row)| self.shown_number(*of, &row.summary.no))
            .min();
        Ok(json!({
            "id": id,
            "kind": item.kind,
            "label": kind.map(ConflictKind::label),
            "state": if item.open { "open" } else { "resolved" },
            "records": rows.iter().map(|(of, row)| self.subject(*of, row)).collect::<Vec<_>>(),
            "leads": leads.filter(|_| kind == Some(ConflictKind::Duplicate)),
            "choices": choices,
            "resolved": decided.map(|choice| self.decided(id, &choice, &rows)),
        }))
    }

    /// Who decided on an item between records, as far as the records say.
    fn decided(&self, id: &Hash, choice: &str, rows: &[(RecordRef, RecordRow)]) -> Json {
        let mut said = json!({"choice": choice});
        for (of, row) in rows {
            let Ok(read) = self.read(*of, row.clone()) else {
                continue;
            };
            let found = read.folded.resolutions.get(&ConflictId(*id));
            if let Some(r) = found.filter(|r| r.choice == choice) {
                said["reason"] = json!(r.reason);
                said["unit"] = json!(self.unit_shown(r.unit).0);
                said["unit_name"] = json!(self.unit_shown(r.unit).1);
                said["by"] = self.person(&r.user, r.unit);
                said["on"] = json!(r.on);
                break;
            }
        }
        said
    }

    fn subject(&self, of: RecordRef, row: &RecordRow) -> Json {
        let (unit, unit_name) = self.unit_shown(of.scope.unit);
        let matter = self.matter_of(row.summary.catalogue.as_ref(), &row.summary.matter);
        let form = row.summary.form.and_then(|hash| self.views.forms().of(&hash));
        json!({
            "project_no": self.shown_number(of, &row.summary.no),
            "record_id": of.record,
            "unit": unit,
            "unit_name": unit_name,
            "matter": row.summary.matter,
            "matter_name": matter.map(|m| m.name.as_str()),
            "name": row.summary.masked_name,
            "on": row.summary.on,
            "state": row.summary.state,
            "state_label": form.map_or(row.summary.state.as_str(), |f| f.state_label(&row.summary.state)),
        })
    }

    /// Devices one of whose logs has several ends.
    fn forks(&self) -> BTreeSet<Fork> {
        let logs = self.store.logs();
        let all = logs.scopes().flat_map(|scope| logs.logs(scope));
        all.filter(|log| logs.tips(log).len() > 1)
            .map(|log| Fork {
                device: log.device,
                epoch: log.epoch,
            })
            .collect()
    }

    /// Once the device writes under another epoch with a code of its own, the fork grows no more.
    fn is_fork_settled(&self, fork: &Fork) -> bool {
        let member = self.authority.member(&fork.device);
        member.is_some_and(|m| !m.is_live() || m.codes.keys().any(|epoch| *epoch != fork.epoch))
    }

    fn fork_item(&self, fork: &Fork) -> Json {
        let member = self.authority.member(&fork.device);
        let (unit, unit_name) = member.map_or_else(Default::default, |m| self.unit_shown(m.unit));
        json!({
            "id": fork.id(),
            "kind": ConflictKind::Fork.as_str(),
            "label": ConflictKind::Fork.label(),
            "state": if self.is_fork_settled(fork) { "resolved" } else { "open" },
            "device": fork.device,
            "device_name": member.map(|m| m.name.as_str()),
            "unit": unit,
            "unit_name": unit_name,
            "epoch": fork.epoch.to_string(),
            "records": [],
            "choices": [],
            "advice": texts::fork_by_itself().message,
        })
    }
}
