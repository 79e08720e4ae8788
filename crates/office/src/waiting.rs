//! 待认: what devices wrote above the cut after they were taken out or moved. Kept and forwarded, not folded, until somebody says a word.
//!
//! Either it counts after all (`member extend`, which states a later cut), or it is left as it is: a statement with a reason, which
//! changes no record, takes what it names off the queue, and can be taken back.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::DeviceId;
use ledger::record::{self, Author, RecordEntry, Standing};
use replica::authority;
use replica::entry::{LogId, Tip};
use replica::limits::REASON_BYTES_MAX;
use replica::logs::{Ancestry, Held};
use replica::statement::{Admit, Cut, Leave, Statement};
use replica::time::Now;
use serde_json::{Value as Json, json};

use crate::audit::{Act, Note};
use crate::cases::at_text;
use crate::command::{CommandError, WaitingLeave, WaitingList};
use crate::members::CUTS_PER_STATEMENT;
use crate::office::Office;
use crate::texts;
use crate::views::name::Flag;
use crate::views::row::RecordRef;

/// Records of one device that are told one by one; the counts are exact.
const RECORDS_SHOWN: usize = 50;

/// What waits of one device.
#[derive(Default)]
struct Waiting {
    entries: u64,
    /// Those that somebody has left as they are.
    left: u64,
    records: BTreeMap<RecordRef, BTreeSet<(LogId, Tip)>>,
    /// Whom it let in by words that do not count: strangers until they do.
    admitted: Vec<Admit>,
}

impl Office {
    /// By device: how much waits, of which records, and what it says.
    ///
    /// # Errors
    /// When the index or the journal cannot be read.
    pub(crate) fn waiting_list(&mut self, now: Now, args: &WaitingList) -> Result<Json, CommandError> {
        self.today(now)?;
        self.catch_up(now)?;
        let mut devices = Vec::new();
        for (device, waiting) in self.waiting()? {
            let is_left = waiting.left == waiting.entries;
            if is_left == args.left {
                devices.push(self.waiting_device(&device, &waiting)?);
            }
        }
        Ok(json!({"devices": devices}))
    }

    fn waiting(&self) -> Result<BTreeMap<DeviceId, Waiting>, CommandError> {
        let held = Held {
            logs: self.store.logs(),
            hashes: &self.store,
        };
        let mut devices: BTreeMap<DeviceId, Waiting> = BTreeMap::new();
        for of in self.flagged(Flag::Unrecognised)? {
            let row = self.row(of)?.unwrap_or_default();
            for (log, tip) in row.entries.iter().filter_map(|entry| row.place(of.scope, entry)) {
                if self.authority.standing(&log, tip, &held) == authority::Standing::Valid {
                    continue;
                }
                let waiting = devices.entry(log.device).or_default();
                waiting.entries += 1;
                waiting.left += u64::from(self.is_left(&log, tip, &held));
                waiting.records.entry(of).or_default().insert((log, tip));
            }
        }
        for stated in self.statements.durable() {
            let (log, tip) = (stated.log, stated.tip);
            let Statement::Admit(admit) = &*stated.statement else {
                continue;
            };
            let stands = || self.authority.standing(&log, tip, &held) == authority::Standing::Valid;
            if !self.authority.is_cut(&log.device) || self.authority.member(&admit.device).is_some() || stands() {
                continue;
            }
            let waiting = devices.entry(log.device).or_default();
            waiting.entries += 1;
            waiting.left += u64::from(self.is_left(&log, tip, &held));
            waiting.admitted.push(admit.clone());
        }
        Ok(devices)
    }

    fn is_left(&self, log: &LogId, tip: Tip, ancestry: &dyn Ancestry) -> bool {
        let left = self.authority.left(&log.device);
        left.is_some_and(|left| {
            let mut cuts = left
                .cuts
                .iter()
                .filter(|c| c.scope == log.scope && c.epoch == log.epoch);
            cuts.any(|cut| {
                let (seq, hash) = (cut.seq, cut.hash);
                ancestry.is_ancestor(log, tip, Tip { seq, hash })
            })
        })
    }

    fn waiting_device(&self, device: &DeviceId, waiting: &Waiting) -> Result<Json, CommandError> {
        let member = self.authority.member(device);
        let (unit, unit_name) = member.map_or_else(Default::default, |m| self.unit_shown(m.unit));
        let mut records = Vec::new();
        for (of, places) in waiting.records.iter().take(RECORDS_SHOWN) {
            records.push(self.waiting_record(*of, places)?);
        }
        let admitted = waiting.admitted.iter().map(|admit| {
            let (unit, unit_name) = self.unit_shown(admit.unit);
            json!({"device": admit.device, "name": admit.name, "unit": unit, "unit_name": unit_name})
        });
        let left = self.authority.left(device).map(|left| {
            json!({
                "reason": left.reason,
                "at": at_text(left.at_ms),
                "by": self.unit().map(|unit| self.person(&left.user, unit)),
            })
        });
        Ok(json!({
            "device": device,
            "device_name": member.map(|m| m.name.as_str()),
            "unit": unit,
            "unit_name": unit_name,
            "state": match member {
                None => "unknown",
                Some(m) if m.is_live() => "moved",
                Some(_) => "revoked",
            },
            "reason": member.and_then(|m| m.revoked.as_ref()).map(|r| r.reason.as_str()),
            "entries": waiting.entries,
            "entries_left": waiting.left,
            "records_count": waiting.records.len(),
            "records": records,
            "admitted": admitted.collect::<Vec<_>>(),
            "left": left,
        }))
    }

    /// What would be there if it counted: the steps that the waiting entries take.
    fn waiting_record(&self, of: RecordRef, places: &BTreeSet<(LogId, Tip)>) -> Result<Json, CommandError> {
        let row = self.row(of)?.unwrap_or_default();
        let waits: Vec<bool> = row
            .entries
            .iter()
            .map(|e| row.place(of.scope, e).is_some_and(|place| places.contains(&place)))
            .collect();
        let count = row.entries.len();
        let read = self.read(of, row)?;
        let as_if: Vec<RecordEntry<'_>> = read
            .entries
            .iter()
            .map(|(envelope, change)| {
                let mut envelope = envelope.clone();
                (envelope.standing, envelope.author) = (Standing::Valid, Author::Known);
                RecordEntry { envelope, change }
            })
            .collect();
        let under = self.views.under(&self.store, &self.authority, &self.keys);
        let folded = record::fold(&of.record, &as_if, &under.context());
        // Entries and bodies stand in one order while none of them is damaged.
        let changes: BTreeSet<ledger::id::Hash> = match read.entries.len() == count {
            true => {
                let of_those = read.entries.iter().zip(&waits).filter(|(_, waits)| **waits);
                of_those.map(|((_, change), _)| record::change_hash(change)).collect()
            }
            false => BTreeSet::new(),
        };
        let head = folded.head.as_ref();
        let form = head.and_then(|h| self.views.forms().of(&h.form));
        let steps = folded.events.iter().filter(|e| changes.contains(&e.change)).map(|e| {
            let label = form.map_or(e.kind.as_str(), |f| f.event_label(&e.kind));
            json!({"label": label, "on": e.on, "at": at_text(e.wall_ms), "by": self.person(&e.user, e.unit)})
        });
        let (unit, unit_name) = self.unit_shown(of.scope.unit);
        let matter = head.and_then(|h| self.matter_of(Some(&h.catalogue), &h.matter));
        Ok(json!({
            "project_no": head.map(|h| h.no.as_str()),
            "record_id": of.record,
            "unit": unit,
            "unit_name": unit_name,
            "matter": head.map(|h| h.matter.as_str()),
            "matter_name": matter.map(|m| m.name.as_str()),
            "entries": places.len(),
            "steps": steps.collect::<Vec<_>>(),
        }))
    }

    /// States that what waits of a device is left as it is, or takes that back.
    ///
    /// # Errors
    /// No reason; a device that is not ours to speak of; nothing that waits; nothing to take back.
    pub(crate) fn waiting_leave(&mut self, now: Now, args: &WaitingLeave) -> Result<Json, CommandError> {
        let reason = args.reason.trim();
        if reason.is_empty() {
            return Err(texts::reason_needed());
        }
        if reason.len() > REASON_BYTES_MAX {
            return Err(texts::reason_too_long());
        }
        let life = self.hub_life()?;
        self.catch_up(now)?;
        let waiting = self.waiting()?;
        let device = crate::command::pick_device(&args.device, waiting.keys().copied())?;
        let unit = self.authority.member(&device).map(|m| m.unit);
        if !unit.is_some_and(|unit| unit != life.unit && self.authority.is_within(unit, life.unit)) {
            return Err(texts::not_below());
        }
        let before = self.authority.left_at_ms(&device);
        let cuts: Vec<Cut> = match (args.undo, self.authority.left(&device)) {
            (true, None) => return Err(texts::nothing_left()),
            (true, Some(_)) => Vec::new(),
            (false, _) => self.cuts_now(&device),
        };
        // Decisions about one device stand in the order of their times, whatever the clock does.
        let at_ms = before.map_or(now.wall_ms, |before| now.wall_ms.max(before.saturating_add(1)));
        let leave = |cuts: &[Cut]| Leave {
            device,
            cuts: cuts.to_vec(),
            reason: reason.to_owned(),
            user: args.user.unwrap_or(ledger::id::UserId::ZERO),
            at_ms,
            undo: args.undo,
        };
        let statements: Vec<Leave> = match cuts.is_empty() {
            true => vec![leave(&[])],
            false => cuts.chunks(CUTS_PER_STATEMENT).map(leave).collect(),
        };
        for leave in statements {
            self.state(life.unit, Statement::Leave(leave))?;
        }
        let act = if args.undo { Act::LeaveUndo } else { Act::Leave };
        self.audit(now, Note::new(act).by(args.user).about(device).because(reason))?;
        self.commit_or_fail(now)?;
        let entries = waiting.get(&device).map_or(0, |w| w.entries);
        Ok(json!({"device": device, "state": if args.undo { "waiting" } else { "left" }, "entries": entries}))
    }
}
