//! 审计记录: who did what with personal values, keys and members on this device, and why. Written before the act is shown.
//!
//! The chain of hashes is the store's ([`store::trail`]); here is what a record says, and what witnesses it: a record of the trail's
//! end goes into our own book's log as an entry ([`KIND_TRAIL`]), signed like any other, so that the hubs above hold it and whoever
//! rewrites the trail afterwards is found out. A record names cases and devices, never a personal value.

use std::collections::BTreeMap;

use ledger::id::{DeviceId, Hash, RecordId, Scope, ScopeKind, UnitId, UserId};
use minicbor::{Decode, Encode};
use replica::authority::Write;
use replica::entry::{Entry, KIND_TRAIL};
use replica::limits::REASON_BYTES_MAX;
use replica::time::Now;
use serde_json::{Value as Json, json};
use store::trail::{TrailFault, TrailTip};
use store::{Order, Scan};
use store::{StoreError, kv::prefix_end};

use crate::cases::at_text;
use crate::command::{AuditAppend, AuditList, CommandError, FaceAct};
use crate::life::fact;
use crate::office::Office;
use crate::texts;
use crate::views::name;
use crate::views::row::RecordRef;

/// How long the end of the trail may wait for its witness: long enough that a busy hour makes one entry of it.
const WITNESS_AFTER_MS: u64 = 5 * 60_000;
/// Records shown at once.
const LIST_MAX: usize = 1_000;
const LIST_USUAL: usize = 100;

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    Reveal,
    Unlock,
    UnlockFailed,
    Lock,
    LockIdle,
    PassphraseSet,
    PassphraseFailed,
    Erase,
    Invite,
    Admit,
    Revoke,
    Extend,
    Hold,
    Lift,
    Rename,
    Approve,
    TicketCancel,
    Publish,
    Leave,
    LeaveUndo,
    UserAdd,
    UserCode,
    UserStop,
    AlertMute,
    AlertUnmute,
    AlertRules,
    CaseNew,
    CaseStep,
    CaseEdit,
    CaseTick,
    CaseImport,
    DocGive,
    ErrandNew,
    DayClose,
    Evaluate,
    Decide,
    Retry,
    FollowUp,
    Malicious,
    MaliciousUndo,
    Freeze,
    Absence,
    AbsenceUndo,
    Face(FaceAct),
}

impl Act {
    /// For tests that ask something of each.
    #[cfg(test)]
    pub(crate) const ALL: &[Act] = &[
        Act::Reveal,
        Act::Unlock,
        Act::UnlockFailed,
        Act::Lock,
        Act::LockIdle,
        Act::PassphraseSet,
        Act::PassphraseFailed,
        Act::Erase,
        Act::Invite,
        Act::Admit,
        Act::Revoke,
        Act::Extend,
        Act::Hold,
        Act::Lift,
        Act::Rename,
        Act::Approve,
        Act::TicketCancel,
        Act::Publish,
        Act::Leave,
        Act::LeaveUndo,
        Act::UserAdd,
        Act::UserCode,
        Act::UserStop,
        Act::AlertMute,
        Act::AlertUnmute,
        Act::AlertRules,
        Act::CaseNew,
        Act::CaseStep,
        Act::CaseEdit,
        Act::CaseTick,
        Act::CaseImport,
        Act::DocGive,
        Act::ErrandNew,
        Act::DayClose,
        Act::Evaluate,
        Act::Decide,
        Act::Retry,
        Act::FollowUp,
        Act::Malicious,
        Act::MaliciousUndo,
        Act::Freeze,
        Act::Absence,
        Act::AbsenceUndo,
        Act::Face(FaceAct::Print),
        Act::Face(FaceAct::Export),
        Act::Face(FaceAct::Login),
        Act::Face(FaceAct::LoginFailed),
        Act::Face(FaceAct::Logout),
        Act::Face(FaceAct::Enrol),
        Act::Face(FaceAct::PasswordChange),
        Act::Face(FaceAct::Post),
        Act::Face(FaceAct::PostBack),
    ];

    /// As it is written.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Act::Reveal => "reveal",
            Act::Unlock => "unlock",
            Act::UnlockFailed => "unlock_failed",
            Act::Lock => "lock",
            Act::LockIdle => "lock_idle",
            Act::PassphraseSet => "passphrase_set",
            Act::PassphraseFailed => "passphrase_failed",
            Act::Erase => "erase",
            Act::Invite => "invite",
            Act::Admit => "admit",
            Act::Revoke => "revoke",
            Act::Extend => "extend",
            Act::Hold => "hold",
            Act::Lift => "lift",
            Act::Rename => "rename",
            Act::Approve => "approve",
            Act::TicketCancel => "ticket_cancel",
            Act::Publish => "publish",
            Act::Leave => "leave",
            Act::LeaveUndo => "leave_undo",
            Act::UserAdd => "user_add",
            Act::UserCode => "user_code",
            Act::UserStop => "user_stop",
            Act::AlertMute => "alert_mute",
            Act::AlertUnmute => "alert_unmute",
            Act::AlertRules => "alert_rules",
            Act::Face(FaceAct::Print) => "print",
            Act::Face(FaceAct::Export) => "export",
            Act::Face(FaceAct::Login) => "login",
            Act::Face(FaceAct::LoginFailed) => "login_failed",
            Act::Face(FaceAct::Logout) => "logout",
            Act::Face(FaceAct::Enrol) => "enrol",
            Act::Face(FaceAct::PasswordChange) => "password_change",
            Act::Face(FaceAct::Post) => "post",
            Act::Face(FaceAct::PostBack) => "post_back",
            Act::CaseNew => "case_new",
            Act::CaseStep => "case_step",
            Act::CaseEdit => "case_edit",
            Act::CaseTick => "case_tick",
            Act::CaseImport => "case_import",
            Act::DocGive => "doc_give",
            Act::ErrandNew => "errand_new",
            Act::DayClose => "day_close",
            Act::Evaluate => "evaluate",
            Act::Decide => "decide",
            Act::Retry => "retry",
            Act::FollowUp => "follow_up",
            Act::Malicious => "malicious",
            Act::MaliciousUndo => "malicious_undo",
            Act::Freeze => "freeze",
            Act::Absence => "absence",
            Act::AbsenceUndo => "absence_undo",
        }
    }
}

/// One act, before it is written down.
pub(crate) struct Note {
    act: Act,
    user: Option<UserId>,
    of: Option<RecordRef>,
    fields: Vec<String>,
    reason: Option<String>,
    about: Option<String>,
}

impl Note {
    pub(crate) fn new(act: Act) -> Self {
        Self {
            act,
            user: None,
            of: None,
            fields: Vec::new(),
            reason: None,
            about: None,
        }
    }

    pub(crate) fn by(mut self, user: Option<UserId>) -> Self {
        self.user = user.filter(|u| *u != UserId::ZERO);
        self
    }

    pub(crate) fn of(mut self, of: RecordRef) -> Self {
        self.of = Some(of);
        self
    }

    pub(crate) fn fields(mut self, fields: Vec<String>) -> Self {
        self.fields = fields;
        self
    }

    pub(crate) fn because(mut self, reason: &str) -> Self {
        let reason = reason.trim();
        self.reason = (!reason.is_empty()).then(|| reason.to_owned());
        self
    }

    /// A device or unit.
    pub(crate) fn about(mut self, what: impl std::fmt::Display) -> Self {
        self.about = Some(what.to_string());
        self
    }
}

/// A record as it lies in the trail.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
struct Record {
    #[n(0)]
    act: String,
    #[n(1)]
    at_ms: i64,
    /// How far our clock was known to be off, milliseconds.
    #[n(2)]
    skew_ms: Option<i32>,
    #[n(3)]
    user: Option<UserId>,
    /// The person's roles here; `device` where nobody was named.
    #[n(4)]
    role: String,
    #[n(5)]
    unit: Option<UnitId>,
    #[n(6)]
    scope: Option<Scope>,
    #[n(7)]
    record: Option<RecordId>,
    #[n(8)]
    fields: Vec<String>,
    #[n(9)]
    reason: Option<String>,
    #[n(10)]
    about: Option<String>,
}

/// Hashes of records, by life and number.
type Witnesses = BTreeMap<(u64, u64), Hash>;

/// What stands witness: the life of the device and the end of its trail.
fn witness_body(life: u64, tip: TrailTip) -> Vec<u8> {
    [life.to_be_bytes().as_slice(), &tip.to_bytes()].concat()
}

fn read_witness(body: &[u8]) -> Option<(u64, TrailTip)> {
    let (life, tip) = body.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*life), TrailTip::from_bytes(tip)?))
}

impl Office {
    /// Writes an act down: durable on return. The fact that remembers it is staged; the caller commits before anything is shown.
    pub(crate) fn audit(&mut self, now: Now, note: Note) -> Result<(), StoreError> {
        let unit = self.unit();
        let note = Note {
            user: note.user.or(self.acting),
            ..note
        };
        let roles = note.user.zip(unit).and_then(|(user, unit)| {
            let person = self.authority.user_at(&user, unit)?;
            Some(person.roles.join(","))
        });
        let record = Record {
            act: note.act.as_str().to_owned(),
            at_ms: now.wall_ms,
            skew_ms: self.own_skew_ms(),
            user: note.user,
            role: match note.user {
                Some(_) => roles.unwrap_or_default(),
                None => "device".to_owned(),
            },
            unit,
            scope: note.of.map(|of| of.scope),
            record: note.of.map(|of| of.record),
            fields: note.fields,
            reason: note.reason,
            about: note.about,
        };
        let mut body = Vec::new();
        if minicbor::encode(&record, &mut body).is_err() {
            unreachable!("a Vec takes every byte");
        }
        self.store.append_trail(self.epoch, &body)?;
        self.vigil.unwitnessed_ms.get_or_insert(now.mono_ms);
        Ok(())
    }

    /// Writes an act down and makes all of it durable.
    pub(crate) fn audit_now(&mut self, now: Now, note: Note) -> Result<(), CommandError> {
        self.audit(now, note).map_err(CommandError::from)?;
        self.keep(now)
    }

    /// When the trail's end is to be witnessed, monotonic milliseconds.
    pub(crate) fn witness_due_ms(&self) -> Option<u64> {
        Some(self.vigil.unwitnessed_ms?.saturating_add(WITNESS_AFTER_MS))
    }

    /// Stages the witness of the trail's end if the time has come.
    pub(crate) fn witness_if_due(&mut self, now: Now) -> Result<(), StoreError> {
        if self.witness_due_ms().is_some_and(|due| now.mono_ms >= due) {
            self.witness()?;
        }
        Ok(())
    }

    /// After opening: whether the trail has grown since it was last witnessed.
    pub(crate) fn look_for_unwitnessed(&mut self, now: Now) {
        let witnessed = self.store.fact(fact::WITNESSED).and_then(TrailTip::from_bytes);
        let tip = self.store.trail_tip();
        if tip.seq > 0 && witnessed != Some(tip) {
            self.vigil.unwitnessed_ms = Some(now.mono_ms);
        }
    }

    fn witness(&mut self) -> Result<(), StoreError> {
        self.vigil.unwitnessed_ms = None;
        let Some(book) = self.unit().map(Scope::book) else {
            return Ok(());
        };
        if self.authority.may_write(&self.me.device, &book) != Write::Yes {
            return Ok(());
        }
        if self.store.trail_life() != self.epoch {
            // Written before this life began, perhaps on a disk that was put back since: others may know more of that life than we do.
            // The first record of this life is chained to it and bears witness for both.
            return Ok(());
        }
        let tip = self.store.trail_tip();
        let entry = Entry {
            kind: KIND_TRAIL,
            body: witness_body(self.epoch, tip),
        };
        self.stage_entries(book, vec![entry])?;
        self.store.stage_fact(fact::WITNESSED, Some(&tip.to_bytes()))
    }

    /// `audit list`: the newest first.
    ///
    /// # Errors
    /// When the trail cannot be read at all.
    pub(crate) fn audit_list(&mut self, now: Now, args: &AuditList) -> Result<Json, CommandError> {
        if self.unit().is_some() {
            self.catch_up(now)?;
        }
        let limit = args.limit.unwrap_or(LIST_USUAL).min(LIST_MAX);
        let found = self.store.trail(args.before.unwrap_or(u64::MAX), limit)?;
        let rows = found.iter().map(|record| {
            let read: Option<Record> = minicbor::decode(&record.body).ok();
            let mut row = read.map_or_else(|| json!({"act": "unreadable"}), |read| self.audit_row(&read));
            row["seq"] = json!(record.tip.seq);
            row["hash"] = json!(record.tip.hash);
            row
        });
        Ok(Json::Array(rows.collect()))
    }

    fn audit_row(&self, record: &Record) -> Json {
        let of = record
            .scope
            .zip(record.record)
            .map(|(scope, record)| RecordRef { scope, record });
        let number = of.and_then(|of| {
            let no = self.row(of).ok()??.summary.no;
            Some(self.shown_number(of, &no))
        });
        let person = record.user.zip(record.unit).and_then(|(user, unit)| {
            let person = self.authority.user_at(&user, unit)?;
            Some(person.name.clone())
        });
        let about = record
            .about
            .as_deref()
            .map(|about| self.about_label(&record.act, about));
        json!({
            "act": record.act,
            "act_label": texts::act(&record.act),
            "at": at_text(record.at_ms),
            "at_ms": record.at_ms,
            "skew_ms": record.skew_ms,
            "user": record.user,
            "user_name": person,
            "role": record.role,
            "project_no": number,
            "record_id": record.record,
            "fields": record.fields,
            "reason": record.reason,
            "about": record.about,
            "about_label": about,
        })
    }

    /// What an act was about, as people say it: a step's or a field's name, a person, a table.
    fn about_label(&self, act: &str, about: &str) -> String {
        let form = self.views.forms().named("case");
        let label = match act {
            "case_step" => form.map(|form| form.event_label(about).to_owned()),
            "case_edit" => form.and_then(|form| Some(form.fields.get(about)?.label.clone())),
            "user_add" | "user_code" | "user_stop" => {
                let person = self.authority.users().find(|user| user.id.to_string() == about);
                person.map(|user| user.name.clone())
            }
            "publish" => Some(texts::published_table(about)),
            _ => None,
        };
        label.unwrap_or_else(|| about.to_owned())
    }

    /// An act of a face of ours, written down before the face does it.
    ///
    /// # Errors
    /// An unknown number; a reason that holds a personal value of the case.
    pub(crate) fn audit_append(&mut self, now: Now, args: AuditAppend) -> Result<Json, CommandError> {
        let reason = args.reason.as_deref().map(str::trim).unwrap_or_default().to_owned();
        if reason.len() > REASON_BYTES_MAX {
            return Err(texts::reason_too_long());
        }
        let mut note = Note::new(Act::Face(args.act)).by(args.user).because(&reason);
        if let Some(number) = &args.number {
            self.catch_up(now)?;
            let (of, row) = self.find(number)?;
            let read = self.read(of, row)?;
            if self.tells_personal(of, &read, &reason) {
                return Err(texts::reason_without_names());
            }
            note = note.of(of);
        }
        self.audit_now(now, note)?;
        Ok(json!({"seq": self.store.trail_tip().seq}))
    }

    /// How often a paper of a record was printed on this device since a time, by what stands before the count in the reason.
    pub(crate) fn printed(&self, of: RecordRef, paper: &str, since_ms: i64) -> Result<u64, StoreError> {
        let (mut before, mut times) = (u64::MAX, 0);
        loop {
            let found = self.store.trail(before, LIST_MAX)?;
            let Some(last) = found.last() else { return Ok(times) };
            before = last.tip.seq;
            for record in &found {
                let Ok(read) = minicbor::decode::<Record>(&record.body) else {
                    continue;
                };
                if read.at_ms < since_ms {
                    return Ok(times);
                }
                let is_print = read.act == Act::Face(FaceAct::Print).as_str();
                let is_same = read.reason.as_deref().is_some_and(|reason| reason.starts_with(paper));
                times +=
                    u64::from(is_print && is_same && read.scope == Some(of.scope) && read.record == Some(of.record));
            }
        }
    }

    /// For `verify`: holds the trail against what the journal remembers and against its witnesses, those that came back from the
    /// hubs included. What a restored backup lacks is told, and is no fault: its loss is known by its own new life.
    pub(crate) fn verify_audit(&self, faults: &mut Vec<String>, remarks: &mut Vec<String>) -> Result<Json, StoreError> {
        let (own, doubted) = self.witnesses()?;
        let mut differs = Vec::new();
        let verified = self.store.verify_trail(&mut |record| {
            let witnessed = own.get(&(record.life, record.tip.seq));
            if witnessed.is_some_and(|hash| *hash != record.tip.hash) {
                differs.push((record.life, record.tip.seq));
            }
        })?;
        for fault in &verified.faults {
            faults.push(match fault {
                TrailFault::Missing { from, until, file } => texts::trail_missing(*from, *until, file),
                TrailFault::Strays { file, from } => texts::trail_strays(*from, file),
                TrailFault::Differs { seq } => texts::trail_differs(*seq),
            });
        }
        for (life, seq) in differs {
            // Two copies of one disk wrote on until they heard of each other: told, like the fork itself.
            match life == self.epoch {
                true => faults.push(texts::trail_differs(seq)),
                false => remarks.push(texts::trail_of_a_copy(seq)),
            }
        }
        let mut ends: BTreeMap<u64, u64> = BTreeMap::new();
        for (life, seq) in own.keys() {
            ends.insert(*life, *seq);
        }
        for (life, witnessed) in ends {
            let held = verified
                .lives
                .iter()
                .find(|(l, _)| *l == life)
                .map_or(0, |(_, tip)| tip.seq);
            if witnessed <= held {
                continue;
            }
            if life == self.epoch {
                faults.push(texts::trail_missing(held + 1, witnessed, "trail"));
            } else {
                remarks.push(texts::trail_of_former_life(held + 1, witnessed));
            }
        }
        remarks.extend(doubted.iter().map(|device| texts::trail_doubted(&device.short())));
        Ok(json!({"records": verified.records, "witnesses": own.len(), "head": self.store.trail_tip().hash}))
    }

    /// The witnesses of our own trail, and the devices whose witnesses contradict each other: theirs was cut or written anew.
    fn witnesses(&self) -> Result<(Witnesses, Vec<DeviceId>), StoreError> {
        let mut own = Witnesses::new();
        let mut last: BTreeMap<(DeviceId, u64), TrailTip> = BTreeMap::new();
        let mut doubted: Vec<DeviceId> = Vec::new();
        let kv = self.store.kv();
        kv.scan(
            name::WITNESS,
            &prefix_end(name::WITNESS),
            Order::Rising,
            &mut |key, value| {
                let place = name::witness_place(key).filter(|(log, _)| log.scope.kind == ScopeKind::Book);
                if let Some(((log, _), (life, tip))) = place.zip(read_witness(value)) {
                    if log.device == self.me.device {
                        own.insert((life, tip.seq), tip.hash);
                    }
                    let before = last.insert((log.device, life), tip);
                    let back = before.is_some_and(|b| b.seq > tip.seq || (b.seq == tip.seq && b.hash != tip.hash));
                    if back && !doubted.contains(&log.device) {
                        doubted.push(log.device);
                    }
                }
                Scan::On
            },
        )?;
        Ok((own, doubted))
    }
}
