//! Which commands are acts of a person, so that each stands in the trail: one place for all of them.
//!
//! Every command is named here, so that nobody adds one without deciding. Those that know more to tell (a device, a reason) write
//! their own row where they are carried out.

use replica::time::Now;
use serde_json::Value as Json;
use store::StoreError;

use crate::audit::{Act, Note};
use crate::command::{Command, CommandError, Members, Report, Tables, Work};
use crate::office::Office;
use crate::views::row::RecordRef;

/// A row that the act in hand owes to the trail. It is written with what makes the act durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Owed {
    act: Act,
    number: Option<String>,
    /// The record itself, where the command does not say its number.
    of: Option<RecordRef>,
    about: Option<String>,
}

impl Owed {
    fn of(act: Act, number: Option<&str>) -> Option<Self> {
        Some(Self {
            act,
            number: number.map(str::to_owned),
            of: None,
            about: None,
        })
    }

    fn about(self, what: &str) -> Self {
        Self {
            about: Some(what.to_owned()),
            ..self
        }
    }

    /// One step on a case. Steps on many are told case by case.
    pub(crate) fn step(number: &str, event: &str) -> Option<Self> {
        Some(Self::of(Act::CaseStep, Some(number))?.about(event))
    }
}

/// What a command owes; `None`: it changes nothing, or writes its own row.
pub(crate) fn owed(command: &Command) -> Option<Owed> {
    match command {
        Command::CaseNew(_) => Owed::of(Act::CaseNew, None),
        Command::CaseDo(it) => Owed::step(&it.number, &it.event),
        Command::Evaluate(it) => Owed::of(Act::Evaluate, Some(&it.number)),
        Command::CaseEdit(it) => Some(Owed::of(Act::CaseEdit, Some(&it.number))?.about(&it.field)),
        Command::CaseTick(it) => Owed::of(Act::CaseTick, Some(&it.number)),
        Command::ErrandNew(it) => Owed::of(Act::ErrandNew, it.case.as_deref()),
        Command::CaseImport(it) if !it.preview => Owed::of(Act::CaseImport, None),
        Command::DayClose(_) => Owed::of(Act::DayClose, None),
        Command::ConflictResolve(it) => Some(Owed::of(Act::Decide, None)?.about(it.id.get(..8).unwrap_or(&it.id))),
        Command::Work(work) => of_work(work),
        Command::Report(report) => of_report(report),
        Command::Members(members) => of_members(members),
        // Their own rows: with a device, a reason, or the fields that were seen.
        Command::Invite(_)
        | Command::MemberRevoke(_)
        | Command::MemberExtend(_)
        | Command::MemberAdmit(_)
        | Command::UserAdd(_)
        | Command::UserCode(_)
        | Command::UserStop(_)
        | Command::CasePrint(_)
        | Command::CaseErase(_)
        | Command::AlertMute(_)
        | Command::AlertUnmute(_)
        | Command::AlertRulesSet(_)
        | Command::PassphraseSet(_)
        | Command::Unlock(_)
        | Command::Lock
        | Command::AuditAppend(_)
        | Command::Monthly(_)
        | Command::CaseShow(_)
        | Command::Tables(Tables::Publish(_)) => None,
        // The row is owed by what is asked for.
        Command::By(_) => None,
        // Founding is done before there is anybody; what is half typed is nobody's act.
        Command::Init(_) | Command::InitAlone(_) | Command::DraftKeep(_) | Command::DraftDrop(_) => None,
        Command::MemberList
        | Command::CaseImport(_)
        | Command::ErrandList(_)
        | Command::CaseList(_)
        | Command::CaseFind(_)
        | Command::DayShow(_)
        | Command::Status
        | Command::Rooms
        | Command::Wall(_)
        | Command::RoomShow(_)
        | Command::AlertList(_)
        | Command::AlertRules
        | Command::AlertTold(_)
        | Command::HealthWatch
        | Command::Metrics
        | Command::Today
        | Command::Matters
        | Command::Visits(_)
        | Command::DraftShow(_)
        | Command::Sent(_)
        | Command::Tables(Tables::Show(_) | Tables::Preview(_))
        | Command::UserList
        | Command::ConflictList
        | Command::QuarantineList
        | Command::Verify
        | Command::Reindex
        | Command::AuditList(_) => None,
    }
}

fn of_members(members: &Members) -> Option<Owed> {
    match members {
        // With the device or the unit.
        Members::InviteMany(_)
        | Members::InviteTop(_)
        | Members::TicketCancel(_)
        | Members::Approve(_)
        | Members::Replace(_)
        | Members::Hold(_)
        | Members::Lift(_)
        | Members::Rename(_) => None,
        Members::Tickets => None,
    }
}

fn of_work(work: &Work) -> Option<Owed> {
    match work {
        Work::DocGive(it) => Owed::of(Act::DocGive, Some(&it.number)),
        Work::QuarantineRetry(it) => Owed::of(Act::Retry, it.number.as_deref()),
        Work::FollowUp(it) => Owed::of(Act::FollowUp, Some(&it.number)),
        Work::Malicious(it) if it.undo => Owed::of(Act::MaliciousUndo, Some(&it.number)),
        Work::Malicious(it) => Owed::of(Act::Malicious, Some(&it.number)),
        // Case by case; with the device.
        Work::CaseDoMany(_) | Work::WaitingLeave(_) => None,
        Work::Inbox(_)
        | Work::DocRegister(_)
        | Work::Conflicts(_)
        | Work::Quarantine(_)
        | Work::Waiting(_)
        | Work::FollowUps(_) => None,
    }
}

fn of_report(report: &Report) -> Option<Owed> {
    match report {
        Report::Freeze(it) => {
            let what = [Some(it.period.as_str()), it.unit.as_deref()];
            let what: Vec<&str> = what.into_iter().flatten().collect();
            Some(Owed::of(Act::Freeze, None)?.about(&what.join(" ")))
        }
        Report::Absence(it) => {
            let act = if it.undo { Act::AbsenceUndo } else { Act::Absence };
            Some(Owed::of(act, None)?.about(&format!("{} {}", it.unit, it.on)))
        }
        Report::Show(_) | Report::Cases(_) | Report::List | Report::Kept(_) | Report::Assess(_) => None,
    }
}

impl Office {
    /// For steps on many cases: the next one's row.
    pub(crate) fn owe(&mut self, owed: Option<Owed>) {
        self.owed = owed.filter(|_| self.acting.is_some());
    }

    /// Of which record the act in hand is: a new one has no number yet, a decision is asked for by its item. Further cases of the same
    /// act are told by number.
    pub(crate) fn owe_of(&mut self, of: RecordRef, further: &[String]) {
        let Some(owed) = &mut self.owed else { return };
        owed.of = Some(of);
        if !further.is_empty() {
            let told = owed.about.iter().chain(further).map(String::as_str);
            owed.about = Some(told.collect::<Vec<_>>().join(" "));
        }
    }

    /// Writes the row that is owed. Called where an act is made durable.
    pub(crate) fn pay(&mut self, now: Now) -> Result<(), StoreError> {
        let Some(owed) = self.owed.take() else { return Ok(()) };
        let mut note = Note::new(owed.act);
        let by_number = || Some(self.find(owed.number.as_deref()?).ok()?.0);
        if let Some(of) = owed.of.or_else(by_number) {
            note = note.of(of);
        }
        if let Some(what) = &owed.about {
            note = note.about(what);
        }
        self.audit(now, note)
    }

    /// After an act: what made nothing durable, because it changed nothing, stands in the trail too; what was refused does not.
    pub(crate) fn settle_act(&mut self, now: Now, done: Result<Json, CommandError>) -> Result<Json, CommandError> {
        if done.is_ok() && self.owed.is_some() {
            self.keep(now)?;
        }
        self.owed = None;
        done
    }
}
