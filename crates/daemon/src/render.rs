//! Results as a person wants to read them: one screen per command, columns aligned by what characters take, nothing internal.

mod audit;
mod case;
mod case_list;
mod case_show;
mod conflict;
mod day;
mod errand;
mod import;
mod layout;
mod member;
mod read;
mod report;
mod rooms;
mod status;
mod user;

use ledger::day::Day;
use serde_json::Value;

pub use layout::Ink;
pub(crate) use layout::line;

use crate::config::Kind;

/// How the result of one command is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum View {
    CaseNew,
    CaseDo,
    CaseEdit,
    CaseList(Asked),
    CaseFind,
    CaseShow,
    CaseErase,
    CaseImport,
    Status,
    Rooms(NeverSeen),
    ConflictList,
    ConflictResolve,
    QuarantineList,
    MemberList,
    MemberRevoke,
    MemberExtend,
    MemberHold,
    MemberLift,
    MemberRename,
    MemberAdmit,
    UserList,
    ErrandList,
    /// One person, with the code where one was given.
    User,
    /// The ticket alone, to be copied; on a terminal with what it is for.
    Invite,
    Join,
    InitCounty,
    InitAlone,
    /// Whether everything is sound; exit 1 if not.
    Verify,
    Reindex,
    /// One sentence about the lock.
    Passphrase,
    AuditList,
    /// One day of a room.
    Day,
    /// The figures of a period, or a frozen report.
    Report,
    ReportFrozen,
    ReportList,
    Assess,
    Absence,
}

/// Whether a list was asked for whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    All,
    Some,
}

/// Whether rooms that never came are listed or only counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NeverSeen {
    Counted,
    Listed,
}

/// What a screen has to know besides the answer.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// A room's computer calls itself 本机; a hub tells rooms apart.
    pub kind: Kind,
    pub today: Day,
    pub ink: Ink,
}

impl View {
    /// How the process ends after this result.
    pub fn exit(self, value: &Value) -> u8 {
        match self {
            View::Verify => u8::from(!read::is(value, "clean")),
            _ => 0,
        }
    }
}

/// The result as text, each line with its end.
pub fn text(view: View, value: &Value, screen: Screen) -> String {
    let value = &shown(value);
    match view {
        View::CaseNew => case::new(value),
        View::CaseDo => case::done(value),
        View::CaseEdit => case::edited(value),
        View::CaseErase => case::erased(value),
        View::CaseList(asked) => case_list::list(value, asked, screen),
        View::CaseFind => case_list::list(&value["cases"], Asked::Some, screen),
        View::CaseShow => case_show::show(value, screen),
        View::CaseImport => import::import(value),
        View::Status => status::status(value, screen),
        View::Rooms(never_seen) => rooms::rooms(value, never_seen),
        View::ConflictList => conflict::list(value, screen),
        View::ConflictResolve => conflict::resolved(value),
        View::QuarantineList => conflict::quarantine(value),
        View::MemberList => member::list(value, screen),
        View::MemberRevoke => member::revoked(value),
        View::MemberExtend => member::extended(value),
        View::MemberHold => member::held(value),
        View::MemberLift => member::lifted(value),
        View::MemberRename => member::renamed(value),
        View::MemberAdmit => member::admitted(value),
        View::UserList => user::list(value, screen),
        View::ErrandList => errand::list(value, screen),
        View::User => user::one(value),
        View::Invite => member::ticket(value, screen),
        View::Join => member::joined(value),
        View::InitCounty => member::founded(value, crate::words::COUNTY_NEXT),
        View::InitAlone => member::founded(value, crate::words::ALONE_NEXT),
        View::Verify => status::verified(value),
        View::Reindex => status::reindexed(value),
        View::AuditList => audit::list(value),
        View::Day => day::day(value),
        View::Report => report::report(value),
        View::ReportFrozen => report::frozen(value),
        View::ReportList => report::list_all(value),
        View::Assess => report::assessed(value),
        View::Absence => report::absent(value),
        View::Passphrase => format!("{}\n", read::text(value, "message")),
    }
}

/// The answer with every text on one line and nothing in it that steers a terminal: others wrote it, here it is only shown.
fn shown(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(layout::line(text)),
        Value::Array(all) => Value::Array(all.iter().map(shown).collect()),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (layout::line(key), shown(value)))
            .collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
