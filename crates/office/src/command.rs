//! The commands of both binaries, as data: what the command line and the local API send, whether a daemon runs or not.
//!
//! One variant per command. Dates are business dates (UTC+8), codes may leave out trailing zeros, numbers are as printed on paper.

use ledger::day::Day;
use ledger::id::{DeviceId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

mod desk;
mod health;
mod members;
mod report;
mod rows;
mod secret;
mod tables;
mod work;

pub use desk::{
    CaseFind, CasePrint, CaseTick, DayClose, DayShow, DraftKeep, DraftKind, DraftOf, ErrandList, ErrandNew, Evaluate,
    Monthly, Paper, SentOf, Visits,
};
pub use health::{AlertList, AlertMute, AlertRulesSet, AlertTold, AlertUnmute, RoomShow, Wall, WallSort};
pub use members::{Approve, Hold, InviteMany, InviteTop, Lift, Members, Rename, Replace, RootKey, TicketCancel};
pub use report::{AbsenceNote, Assess, Frame, Report, ReportCases, ReportFreeze, ReportKept, ReportOf};
pub use secret::Passphrase;
use secret::{Hidden, hiding};
pub use tables::{Table, TableShow, TableText, Tables};
pub use work::{
    CaseDoMany, ConflictQueue, DocGive, DocRegister, FollowUp, FollowUpList, Inbox, Malicious, QuarantineQueue,
    QuarantineRetry, WaitingLeave, WaitingList, Work,
};

/// What a person asks of an office.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Founds a county on this hub: root key, organisation, catalogue, calendar.
    Init(InitCounty),
    /// Founds a county of one room.
    InitAlone(InitAlone),
    /// Makes a one-use ticket.
    Invite(Invite),
    MemberList,
    MemberRevoke(MemberRevoke),
    /// Lets entries above a cut count after all, up to what is held here now.
    MemberExtend(MemberExtend),
    /// Lets in a further hub of the topmost unit with the root key.
    MemberAdmit(MemberAdmit),
    /// Tickets and devices as a console asks for them.
    Members(Members),
    CaseNew(CaseNew),
    CaseDo(CaseDo),
    /// The applicant's own press (好差评).
    Evaluate(Evaluate),
    /// Sets one field of a case.
    CaseEdit(CaseEdit),
    /// Materials of a case that have come.
    CaseTick(CaseTick),
    /// Writes down an errand (代办), from a case or alone.
    ErrandNew(ErrandNew),
    /// The errands of the own book, open ones first.
    ErrandList(ErrandList),
    CaseList(CaseList),
    /// Cases by what a clerk knows of them.
    CaseFind(CaseFind),
    /// What a day came to (日结), and how often it was closed.
    DayShow(DayShow),
    DayClose(DayClose),
    /// The month's cases as a table (台账).
    Monthly(Monthly),
    /// 统计报表: figures, the cases behind them, periods that were frozen, windows assessed.
    Report(Report),
    /// What a paper (回执、告知书、通知书…) says; written into the trail before it is told.
    CasePrint(CasePrint),
    CaseShow(CaseShow),
    CaseImport(CaseImport),
    CaseErase(CaseErase),
    Status,
    Rooms,
    /// The rooms below as tiles, and numbers for all of them.
    Wall(Wall),
    RoomShow(RoomShow),
    AlertList(AlertList),
    AlertMute(AlertMute),
    AlertUnmute(AlertUnmute),
    AlertRules,
    AlertRulesSet(AlertRulesSet),
    /// News of alerts has been taken by whoever listens.
    AlertTold(AlertTold),
    /// Looks at every room once: history, alerts. The daemon's timer asks.
    HealthWatch,
    /// Numbers for machines that watch.
    Metrics,
    /// The own book's day, and what is to be seen to.
    Today,
    /// The leading catalogue.
    Matters,
    /// Earlier cases of one person.
    Visits(Visits),
    /// Keeps what somebody has typed so far, sealed.
    DraftKeep(DraftKeep),
    DraftShow(DraftOf),
    DraftDrop(DraftOf),
    /// What became of a form that was sent.
    Sent(SentOf),
    /// The county's organisation, catalogue and calendar.
    Tables(Tables),
    UserAdd(UserAdd),
    /// A new one-time code.
    UserCode(UserRef),
    UserStop(UserRef),
    UserList,
    ConflictList,
    ConflictResolve(ConflictResolve),
    QuarantineList,
    /// A township's and the county's own work.
    Work(Work),
    Verify,
    Reindex,
    /// Locks the unsealing key by a passphrase, or by another one.
    PassphraseSet(PassphraseSet),
    /// Opens the unsealing key until [`Command::Lock`], a time without use, or a restart.
    Unlock(Unlock),
    /// Wipes every key that opens personal values from memory.
    Lock,
    /// The audit trail (审计记录) of this device, newest first.
    AuditList(AuditList),
    /// Writes down an act of a face of ours (print, export, login) before it is done.
    AuditAppend(AuditAppend),
    /// The same as another command, asked for by a person: who it was stands on what is recorded and in the trail.
    By(By),
}

impl Command {
    /// What is asked for, whoever asks.
    pub fn asked(&self) -> &Command {
        match self {
            Command::By(by) => by.asks.asked(),
            command => command,
        }
    }
}

/// A command and who asks for it through a face of ours. A person named within the command itself is not overruled.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct By {
    pub user: UserId,
    pub asks: Box<Command>,
}

/// The tables of a county, as text of the files that were given.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitCounty {
    pub unit: String,
    pub divisions: String,
    pub matters: String,
    pub holidays: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitAlone {
    pub unit: String,
    pub name: String,
    pub matters: String,
    pub holidays: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    pub unit: String,
    /// Where the joining device reaches this hub, `host:port`; at least one.
    pub addrs: Vec<String>,
    /// How long the ticket is good for, seconds; a day when left out, seven days at most.
    #[serde(default)]
    pub expires_s: Option<u64>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberRevoke {
    /// A device's key in hexadecimal, or its first eight digits or more where they name one device only.
    pub device: String,
    pub reason: String,
    /// The text of the county's recovery file; needed for hubs of the topmost unit only.
    #[serde(default)]
    pub root_key: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberExtend {
    pub device: String,
    /// As in [`MemberRevoke::root_key`].
    #[serde(default)]
    pub root_key: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberAdmit {
    /// The waiting hub's key or its beginning, as the refused `join` printed it.
    pub device: String,
    /// The text of the county's recovery file.
    pub root_key: String,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseNew {
    pub matter: String,
    pub name: String,
    pub cert_no: String,
    /// Why a number that does not pass its check is taken all the same; kept with the case.
    #[serde(default)]
    pub cert_reason: Option<String>,
    #[serde(default)]
    pub mobile: Option<String>,
    #[serde(default)]
    pub address: Option<String>,
    #[serde(default)]
    pub note: Option<String>,
    #[serde(default)]
    pub on: Option<Day>,
    /// The person at the window; the device itself when left out.
    #[serde(default)]
    pub user: Option<UserId>,
    #[serde(default)]
    pub cover: Option<Cover>,
    /// Materials that the applicant brought along, by name.
    #[serde(default)]
    pub received: Vec<String>,
    /// 即办件: accepted and closed at once, with this result code.
    #[serde(default)]
    pub close: Option<String>,
    /// What the form that was sent is known by: sent again, also after a power cut, it is the same case.
    #[serde(default)]
    pub once: Option<String>,
    /// Opens an errand (代办) for it too.
    #[serde(default)]
    pub errand: bool,
}

/// B岗顶岗: whoever acts stands in for somebody else's post.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cover {
    /// For whom, by name.
    pub of: String,
    pub reason: String,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseDo {
    pub number: String,
    pub event: String,
    #[serde(default)]
    pub note: Option<String>,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub result: Option<String>,
    #[serde(default)]
    pub items: Vec<String>,
    /// The unit that takes it over, by its code.
    #[serde(default)]
    pub to: Option<String>,
    #[serde(default)]
    pub on: Option<Day>,
    #[serde(default)]
    pub user: Option<UserId>,
    #[serde(default)]
    pub cover: Option<Cover>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseEdit {
    pub number: String,
    pub field: String,
    pub value: String,
    /// As [`CaseNew::cert_reason`], for an ID number.
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub user: Option<UserId>,
    #[serde(default)]
    pub cover: Option<Cover>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseList {
    #[serde(default)]
    pub unit: Option<String>,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default)]
    pub limit: Option<usize>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseShow {
    pub number: String,
    /// Personal values are masked unless this says why they must not be.
    #[serde(default)]
    pub reveal: Option<Reveal>,
}

/// Why personal values are to be seen in the clear; written into the audit trail before they are.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reveal {
    /// In the clerk's words, without personal values.
    pub reason: String,
    /// Which fields; all personal ones when empty.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Who looks; the device itself when left out.
    #[serde(default)]
    pub user: Option<UserId>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassphraseSet {
    pub passphrase: Passphrase,
    /// The one that holds until now; needed where there is one, and left out where there is none.
    #[serde(default)]
    pub old: Option<Passphrase>,
    #[serde(default)]
    pub user: Option<UserId>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unlock {
    pub passphrase: Passphrase,
    #[serde(default)]
    pub user: Option<UserId>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditList {
    /// At most so many; 100 when left out.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Only those before this number.
    #[serde(default)]
    pub before: Option<u64>,
}

/// Acts that a face does by itself, so that it has to say so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaceAct {
    Print,
    Export,
    Login,
    LoginFailed,
    Logout,
    /// A one-time code was used, and a PIN or password chosen.
    Enrol,
    PasswordChange,
    /// 顶岗: somebody else's post is taken over.
    Post,
    PostBack,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditAppend {
    pub act: FaceAct,
    /// The case concerned.
    #[serde(default)]
    pub number: Option<String>,
    /// Without personal values.
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub user: Option<UserId>,
}

/// A day book's bytes; in JSON as base64, because old files are not always UTF-8 and the reader says so itself.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseImport {
    #[serde(with = "base64")]
    pub data: Vec<u8>,
    /// Lines of the file that came before this piece of it (`ledger::daybook::slices`); added to the lines that are told.
    #[serde(default)]
    pub lines_before: u64,
    /// Says what would become of the rows, and records none.
    #[serde(default)]
    pub preview: bool,
    #[serde(default)]
    pub user: Option<UserId>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseErase {
    pub number: String,
    pub reason: String,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConflictResolve {
    /// The conflict item's id, or its first eight digits or more.
    pub id: String,
    pub choose: String,
    #[serde(default)]
    pub note: Option<String>,
    #[serde(default)]
    pub user: Option<UserId>,
    #[serde(default)]
    pub cover: Option<Cover>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserAdd {
    pub unit: String,
    pub name: String,
    /// `clerk` or `head`; at hubs also `operator`, `admin`, `auditor`.
    pub role: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserRef {
    /// A name, or an id or its beginning.
    pub who: String,
}

// What a person typed, keys and tables are not for logs: a `{:?}` somewhere shows which case and what was asked, no more.
hiding!(InitCounty { unit }, divisions, matters, holidays);
hiding!(InitAlone { unit, name }, matters, holidays);
hiding!(MemberRevoke { device, reason }, root_key);
hiding!(MemberExtend { device }, root_key);
hiding!(MemberAdmit { device }, root_key);
hiding!(
    CaseNew {
        matter,
        on,
        user,
        cover,
        received,
        close,
        errand
    },
    name,
    cert_no,
    cert_reason,
    mobile,
    address,
    note,
    once
);
hiding!(
    CaseDo {
        number,
        event,
        result,
        to,
        on,
        user,
        cover
    },
    note,
    reason,
    items
);
hiding!(
    CaseEdit {
        number,
        field,
        user,
        cover
    },
    value,
    reason
);
hiding!(CaseShow { number, reveal });
hiding!(Reveal { fields, user }, reason);
hiding!(
    CaseImport {
        lines_before,
        preview,
        user
    },
    data
);
hiding!(CaseErase { number }, reason);
hiding!(
    ConflictResolve {
        id,
        choose,
        user,
        cover
    },
    note
);
hiding!(PassphraseSet { user }, passphrase, old);
hiding!(Unlock { user }, passphrase);
hiding!(AuditAppend { act, number, user }, reason);

/// Why a command was not carried out: said to the person in Chinese, with what to do next.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{message}")]
pub struct CommandError {
    /// For programs, e.g. `unknown_unit`.
    pub code: &'static str,
    pub message: String,
    /// 1 failed, 2 wrong use.
    pub exit: u8,
}

impl CommandError {
    /// What was asked could not be done.
    pub fn failed(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            exit: 1,
        }
    }

    /// What was asked makes no sense as it was written.
    pub fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            exit: 2,
        }
    }

    /// For the local API: `{"error": {"code", "message", "exit"}}`.
    pub fn to_json(&self) -> Value {
        serde_json::json!({"error": {"code": self.code, "message": self.message, "exit": self.exit}})
    }
}

/// Finds one device by its key or the beginning of it; the words for none and several.
pub(crate) fn pick_device(text: &str, known: impl Iterator<Item = DeviceId>) -> Result<DeviceId, CommandError> {
    let wanted = text.trim().to_ascii_lowercase();
    if wanted.len() < 8 || !wanted.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(CommandError::usage(
            "bad_device",
            "设备编号至少要写前 8 位（0-9、a-f），可用 member list 查看。",
        ));
    }
    let mut found: Vec<DeviceId> = known.filter(|d| d.to_string().starts_with(&wanted)).collect();
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(CommandError::failed(
            "unknown_device",
            format!("没有编号以 {wanted} 开头的设备，请用 member list 核对。"),
        )),
        _ => Err(CommandError::failed(
            "ambiguous_device",
            format!("有 {} 台设备的编号以 {wanted} 开头，请多写几位。", found.len()),
        )),
    }
}

mod base64 {
    use data_encoding::BASE64;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(d)?;
        BASE64.decode(text.as_bytes()).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
