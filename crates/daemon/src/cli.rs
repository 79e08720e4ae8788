//! The command line that the room's and the hub's binaries share: arguments, and how they become commands of the office.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use ledger::day::Day;
use ledger::id::UserId;
use office::command::{
    AuditList, CaseDo, CaseEdit, CaseErase, CaseFind, CaseImport, CaseList, CaseNew, CaseShow, Command,
    ConflictResolve, DayShow, ErrandList, Reveal, UserAdd, UserRef,
};

use crate::failure::Failure;

/// A table or a day book is at most this large; the readers have finer limits of their own.
const INPUT_BYTES_MAX: u64 = 48 * 1024 * 1024;

/// Options that every command has.
#[derive(Args, Clone, Debug, Default)]
pub struct Common {
    /// 数据文件夹 · the data folder
    #[arg(
        long,
        global = true,
        env = "CUNLIAN_DATA",
        value_name = "DIR",
        help_heading = "通用选项 Options"
    )]
    pub data: Option<PathBuf>,
    /// 配置文件，缺省用数据文件夹里的 config.toml · the configuration file
    #[arg(
        long,
        global = true,
        env = "CUNLIAN_CONFIG",
        value_name = "FILE",
        help_heading = "通用选项 Options"
    )]
    pub config: Option<PathBuf>,
    /// 先用文件（- 为标准输入）第一行的口令解锁，再执行 · unlock first, with the first line of a file
    #[arg(long, global = true, value_name = "FILE|-", help_heading = "通用选项 Options")]
    pub passphrase_file: Option<PathBuf>,
    /// 以 JSON 输出结果 · print the result as JSON
    #[arg(long, global = true, help_heading = "通用选项 Options")]
    pub json: bool,
}

/// What `run` takes from the command line; the configuration file and the environment know the rest.
#[derive(Args, Clone, Debug, Default)]
pub struct RunArgs {
    /// 上级中心地址，可写多个，先写的优先 · hub addresses, best first
    #[arg(long = "hub", env = "CUNLIAN_HUBS", value_name = "HOST:PORT", value_delimiter = ',')]
    pub hubs: Vec<String>,
    /// 日志级别，如 info、net=debug · log filter
    #[arg(long, env = "CUNLIAN_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// 日志格式 · log format
    #[arg(long, env = "CUNLIAN_LOG_FORMAT", value_name = "text|json")]
    pub log_format: Option<crate::config::LogFormat>,
    /// 断线后重连的最长间隔（毫秒） · longest delay before dialling again
    #[arg(long, env = "CUNLIAN_RETRY_MS_MAX", value_name = "MS")]
    pub retry_ms_max: Option<u64>,
    /// 中心：几秒收不到下级的信号就算断线（3 到 30，缺省 30） · when a hub calls a line dead
    #[arg(long, env = "CUNLIAN_LINE_SECONDS", value_name = "SECONDS")]
    pub line_seconds: Option<u64>,
    /// 页面的地址，缺省村室 127.0.0.1:8801、中心 127.0.0.1:8802，写 off 不打开；村室只能开在本机 · where the pages are
    #[arg(long, env = "CUNLIAN_CONSOLE", value_name = "IP:PORT|off")]
    pub console: Option<String>,
}

/// Joining a county.
#[derive(Args, Clone, Debug)]
pub struct JoinArgs {
    /// 上级中心给的入网票（CL1-…） · the ticket
    #[arg(value_name = "TICKET")]
    pub ticket: String,
    /// 上级中心地址，缺省用入网票里的 · hub addresses instead of those in the ticket
    #[arg(long = "hub", value_name = "HOST:PORT")]
    pub hubs: Vec<String>,
    /// 这台电脑的名字，给管理员看 · this device's name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}

/// Commands on cases which both binaries have.
#[derive(Subcommand, Clone, Debug)]
pub enum CaseCommand {
    /// 收件：新登记一件 · register a case
    #[command(
        after_help = "例 Example:\n  case new --matter B23 --name 张三 --cert-no 11010519491231002X --mobile 13800138000"
    )]
    New(NewArgs),
    /// 办理：受理、补正、办结等 · emit an event on a case
    #[command(
        after_help = "事项 Events: ask 补正告知, supply 补齐, accept 受理, refuse 不予受理, process 办理, suspend/resume 特别程序,\n  forward 转报, decide 决定, close 办结, deliver 送达, withdraw 撤件, return 退件, void 作废, reopen 重开,\n  hand_over 移交（--note 写接收机构代码）, give_back 退还材料, note 备注,\n  correct_date 更正日期（--items 写事件编号，--on 写正确日期）\n办结结果 Results: 0 证照已发, 1 退回, 2 作废, 3 删除, 4 转报, 5 材料未补, 6 办结, 7 纸质结果\n例 Examples:\n  case do NUMBER ask --items 身份证,户口簿\n  case do NUMBER close --result 0"
    )]
    Do(DoArgs),
    /// 更正一项：如电话 · set one field, e.g. mobile
    #[command(after_help = "例 Example:\n  case edit NUMBER --field mobile --value 13900139000")]
    Edit(EditArgs),
    /// 办件清单 · list cases
    #[command(after_help = "例 Example:\n  case list --state processing --limit 20")]
    List(ListArgs),
    /// 查找：姓名、证件号码、电话（后 4 位）、编号、事项；个人信息脱敏 · find cases
    #[command(after_help = "例 Examples:\n  case find 张三 B23\n  case find 002X")]
    Find(FindArgs),
    /// 一件的全部经过；个人信息脱敏 · show a case
    #[command(after_help = "例 Example:\n  case show NUMBER --reveal --reason 电话通知取件 --field mobile")]
    Show(ShowArgs),
    /// 销毁当事人信息（办件骨架保留） · destroy a person's data, keep the skeleton
    #[command(after_help = "例 Example:\n  case erase NUMBER --reason 本人申请")]
    Erase(EraseArgs),
}

#[derive(Args, Clone, Debug)]
pub struct NewArgs {
    /// 事项编号，如 B23 · code of the matter
    #[arg(long)]
    pub matter: String,
    /// 申请人姓名 · name
    #[arg(long)]
    pub name: String,
    /// 证件号码 · ID number
    #[arg(long)]
    pub cert_no: String,
    /// 证件号码校验不过仍要登记时的核对说明，会留在记录里 · why a failing number is taken
    #[arg(long, value_name = "REASON")]
    pub cert_reason: Option<String>,
    /// 手机或座机 · phone
    #[arg(long)]
    pub mobile: Option<String>,
    /// 住址 · address
    #[arg(long)]
    pub address: Option<String>,
    /// 备注 · note
    #[arg(long)]
    pub note: Option<String>,
    /// 业务日期，缺省今天 · business date
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub on: Option<Day>,
}

#[derive(Args, Clone, Debug)]
pub struct DoArgs {
    /// 办件编号 · case number
    pub number: String,
    /// 做什么，如 accept、close · the event
    pub event: String,
    /// 备注 · note
    #[arg(long)]
    pub note: Option<String>,
    /// 理由 · reason
    #[arg(long)]
    pub reason: Option<String>,
    /// 办结结果代码 0–7 · result code
    #[arg(long)]
    pub result: Option<String>,
    /// 材料，用逗号分开 · items
    #[arg(long, value_delimiter = ',')]
    pub items: Vec<String>,
    /// 业务日期，缺省今天 · business date
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub on: Option<Day>,
}

#[derive(Args, Clone, Debug)]
pub struct EditArgs {
    /// 办件编号 · case number
    pub number: String,
    /// 哪一项，如 mobile · the field
    #[arg(long)]
    pub field: String,
    /// 新的内容 · the new value
    #[arg(long)]
    pub value: String,
    /// 证件号码校验不过仍要改成这样时的核对说明 · why a failing number is taken
    #[arg(long)]
    pub reason: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// 只看这个机构及下级 · only this unit and those below
    #[arg(long, value_name = "CODE")]
    pub unit: Option<String>,
    /// 只看这个状态 · only this state
    #[arg(long)]
    pub state: Option<String>,
    /// 最多几件 · at most so many
    #[arg(long)]
    pub limit: Option<usize>,
}

#[derive(Args, Clone)]
pub struct FindArgs {
    /// 要找的内容，可写几样 · words
    #[arg(required = true)]
    pub words: Vec<String>,
}

// Written by hand: what is sought tells of a person.
impl std::fmt::Debug for FindArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FindArgs({} words)", self.words.len())
    }
}

#[derive(Args, Clone, Debug)]
pub struct ShowArgs {
    /// 办件编号 · case number
    pub number: String,
    /// 显示完整的个人信息，要写明理由，会留下审计记录 · show personal values in the clear
    #[arg(long, requires = "reason")]
    pub reveal: bool,
    /// 理由（不要写姓名、证件号码） · why
    #[arg(long, requires = "reveal")]
    pub reason: Option<String>,
    /// 只显示这几项，用逗号分开，如 mobile · only these fields
    #[arg(long = "field", value_name = "FIELD", value_delimiter = ',', requires = "reveal")]
    pub fields: Vec<String>,
    /// 查看的人（用户编号），缺省为本机 · who looks
    #[arg(long, value_name = "USER", value_parser = user, requires = "reveal")]
    pub user: Option<UserId>,
}

#[derive(Args, Clone, Debug)]
pub struct EraseArgs {
    /// 办件编号 · case number
    pub number: String,
    /// 理由 · reason
    #[arg(long)]
    pub reason: String,
}

#[derive(Args, Clone, Debug)]
pub struct ImportArgs {
    /// 登记簿（CSV，UTF-8） · the day book
    pub file: PathBuf,
}

/// Commands which both binaries have.
#[derive(Subcommand, Clone, Debug)]
pub enum SharedCommand {
    /// 本机状态：同步、待传、对端 · status
    Status,
    /// 窗口人员和一次性登记码 · people
    #[command(subcommand)]
    User(UserCommand),
    /// 代办：谁领办、在谁手上 · errands
    #[command(subcommand)]
    Errand(ErrandCommand),
    /// 需要人裁定的冲突 · conflict items
    #[command(subcommand)]
    Conflict(ConflictCommand),
    /// 被隔离的记录 · what was set aside
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// 全面核验：流水、签名、索引；有问题时退出码为 1 · verify everything
    Verify,
    /// 重建索引 · rebuild the index
    Reindex,
    /// 口令：保护本机的个人信息 · the passphrase
    #[command(subcommand)]
    Passphrase(PassphraseCommand),
    /// 输入口令，解锁个人信息 · unlock personal values
    Unlock,
    /// 立即锁定个人信息 · lock now
    Lock,
    /// 一天的账（日结），各级可以核对 · a room's day
    #[command(subcommand)]
    Day(DayCommand),
    /// 审计记录：谁看过、改过、为什么 · the audit trail
    #[command(subcommand)]
    Audit(AuditCommand),
}

#[derive(Subcommand, Clone, Debug)]
pub enum DayCommand {
    /// 看一天：件数、还没到乡镇的、日结码、几次日结 · show a day
    #[command(after_help = "例 Example:\n  day show --unit 511603102201 --on 2026-10-09")]
    Show(DayArgs),
}

#[derive(Args, Clone, Debug)]
pub struct DayArgs {
    /// 哪个村室，缺省本机 · unit
    #[arg(long, value_name = "CODE")]
    pub unit: Option<String>,
    /// 哪一天，缺省今天 · the day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub on: Option<Day>,
}

#[derive(Subcommand, Clone, Debug)]
pub enum AuditCommand {
    /// 列出，新的在前 · list, newest first
    List(AuditArgs),
}

#[derive(Args, Clone, Debug)]
pub struct AuditArgs {
    /// 最多几条，缺省 100 · at most so many
    #[arg(long)]
    pub limit: Option<usize>,
    /// 只列这一条之前的 · only those before this number
    #[arg(long, value_name = "SEQ")]
    pub before: Option<u64>,
}

#[derive(Subcommand, Clone, Debug)]
pub enum PassphraseCommand {
    /// 设置或修改口令；在终端上输入两遍 · set or change
    #[command(
        after_help = "程序调用 For programs:\n  passphrase set --passphrase-file -       标准输入：第一行新口令；修改时第一行旧口令、第二行新口令"
    )]
    Set,
}

#[derive(Subcommand, Clone, Debug)]
pub enum ConflictCommand {
    /// 列出 · list
    List,
    /// 裁定 · resolve
    #[command(after_help = "例 Example:\n  conflict resolve 3f9a01c2 --choose CHOICE      可选项见 conflict list")]
    Resolve(ResolveArgs),
}

#[derive(Args, Clone, Debug)]
pub struct ResolveArgs {
    /// 冲突编号或前 8 位 · the item's id
    pub id: String,
    /// 选哪一个 · the choice
    #[arg(long)]
    pub choose: String,
    /// 说明 · note
    #[arg(long)]
    pub note: Option<String>,
}

#[derive(Subcommand, Clone, Debug)]
pub enum ErrandCommand {
    /// 列出，在办的在前 · list, open ones first
    #[command(
        after_help = "例 Example:\n  errand list\n  case do 511603… claim        认领 · claim it\n  \
        case do 511603… progress --note 已送窗口\n  case do 511603… hand_over --note 511603102201\n  case do 511603… return --note 证已办好"
    )]
    List,
}

#[derive(Subcommand, Clone, Debug)]
pub enum QuarantineCommand {
    /// 列出 · list
    List,
}

impl From<CaseCommand> for Command {
    fn from(command: CaseCommand) -> Self {
        match command {
            CaseCommand::New(a) => Command::CaseNew(CaseNew {
                matter: a.matter,
                name: a.name,
                cert_no: a.cert_no,
                cert_reason: a.cert_reason,
                mobile: a.mobile,
                address: a.address,
                note: a.note,
                on: a.on,
                ..CaseNew::default()
            }),
            CaseCommand::Do(a) => Command::CaseDo(CaseDo {
                number: a.number,
                event: a.event,
                note: a.note,
                reason: a.reason,
                result: a.result,
                items: a.items,
                on: a.on,
                ..CaseDo::default()
            }),
            CaseCommand::Edit(a) => Command::CaseEdit(CaseEdit {
                number: a.number,
                field: a.field,
                value: a.value,
                reason: a.reason,
                user: None,
                cover: None,
            }),
            CaseCommand::List(a) => Command::CaseList(CaseList {
                unit: a.unit,
                state: a.state,
                limit: a.limit,
            }),
            CaseCommand::Find(a) => Command::CaseFind(CaseFind {
                text: a.words.join(" "),
                ..CaseFind::default()
            }),
            CaseCommand::Show(a) => Command::CaseShow(CaseShow {
                number: a.number,
                reveal: a.reveal.then(|| Reveal {
                    reason: a.reason.unwrap_or_default(),
                    fields: a.fields,
                    user: a.user,
                }),
            }),
            CaseCommand::Erase(a) => Command::CaseErase(CaseErase {
                number: a.number,
                reason: a.reason,
            }),
        }
    }
}

/// People who work at windows.
#[derive(Subcommand, Clone, Debug)]
pub enum UserCommand {
    /// 列出 · list
    List,
    /// 登记一个人，给出一次性登记码 · name a person, with the code to enrol by
    #[command(after_help = "例 Example:\n  user add --unit 511603102201 --name 李芳 --role clerk")]
    Add(UserAddArgs),
    /// 重新发一次性登记码（忘了 PIN、换了电脑） · a new code
    Code(UserArgs),
    /// 停用一个人 · end a person's access
    Stop(UserArgs),
}

#[derive(Args, Clone, Debug)]
pub struct UserAddArgs {
    /// 在哪个机构，末尾的 0 可省略 · unit
    #[arg(long, value_name = "CODE")]
    pub unit: String,
    /// 姓名 · name
    #[arg(long)]
    pub name: String,
    /// clerk 窗口人员，head 负责人；中心另有 operator、admin、auditor · role
    #[arg(long, default_value = "clerk")]
    pub role: String,
}

#[derive(Args, Clone, Debug)]
pub struct UserArgs {
    /// 姓名或编号 · name or id
    pub who: String,
}

impl From<UserCommand> for Command {
    fn from(command: UserCommand) -> Self {
        match command {
            UserCommand::List => Command::UserList,
            UserCommand::Add(a) => Command::UserAdd(UserAdd {
                unit: a.unit,
                name: a.name,
                role: a.role,
            }),
            UserCommand::Code(a) => Command::UserCode(UserRef { who: a.who }),
            UserCommand::Stop(a) => Command::UserStop(UserRef { who: a.who }),
        }
    }
}

impl SharedCommand {
    /// What to ask the office; `None` for what needs a passphrase first.
    pub fn command(self) -> Option<Command> {
        Some(match self {
            SharedCommand::Passphrase(PassphraseCommand::Set) | SharedCommand::Unlock => return None,
            SharedCommand::Lock => Command::Lock,
            SharedCommand::Audit(AuditCommand::List(a)) => Command::AuditList(AuditList {
                limit: a.limit,
                before: a.before,
            }),
            SharedCommand::Day(DayCommand::Show(a)) => Command::DayShow(DayShow {
                day: a.on,
                unit: a.unit,
            }),
            SharedCommand::Status => Command::Status,
            SharedCommand::User(user) => user.into(),
            SharedCommand::Errand(ErrandCommand::List) => Command::ErrandList(ErrandList::default()),
            SharedCommand::Conflict(ConflictCommand::List) => Command::ConflictList,
            SharedCommand::Conflict(ConflictCommand::Resolve(a)) => Command::ConflictResolve(ConflictResolve {
                id: a.id,
                choose: a.choose,
                note: a.note,
                user: None,
                cover: None,
            }),
            SharedCommand::Quarantine(QuarantineCommand::List) => Command::QuarantineList,
            SharedCommand::Verify => Command::Verify,
            SharedCommand::Reindex => Command::Reindex,
        })
    }
}

impl ImportArgs {
    /// Reads the day book.
    ///
    /// # Errors
    /// When the file cannot be read or is too large.
    pub fn command(&self) -> Result<Command, Failure> {
        Ok(Command::CaseImport(CaseImport {
            data: read_bytes(&self.file)?,
            lines_before: 0,
            preview: false,
            user: None,
        }))
    }
}

/// Reads a file the person named.
///
/// # Errors
/// A failure that names the file and says what to do.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let size = std::fs::metadata(path)
        .map_err(|e| Failure::failed(format!("读不到文件 {shown}（{e}），请检查文件名和位置。")))?
        .len();
    if size > INPUT_BYTES_MAX {
        return Err(Failure::failed(format!(
            "文件 {shown} 太大（{} MB，最多 {} MB），请分成几个文件再试。",
            size >> 20,
            INPUT_BYTES_MAX >> 20
        )));
    }
    std::fs::read(path)
        .map_err(|e| Failure::failed(format!("读不到文件 {shown}（{e}），请检查文件是否被别的程序占用。")))
}

/// Reads a text file the person named; it must be UTF-8.
///
/// # Errors
/// As [`read_bytes`], and when it is no UTF-8.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read_bytes(path)?).map_err(|_| {
        Failure::failed(format!(
            "文件 {} 不是 UTF-8 编码，请另存为 UTF-8 再试。",
            path.display()
        ))
    })
}

/// Reads a date for clap.
fn day(text: &str) -> Result<Day, String> {
    Day::parse(text.trim()).ok_or_else(|| "日期要写成 2026-10-09 这样".to_owned())
}

/// Reads a user's id for clap.
fn user(text: &str) -> Result<UserId, String> {
    UserId::parse(text.trim()).ok_or_else(|| "用户编号不对，请核对".to_owned())
}

/// Reads a span of time for clap: `90s`, `30m`, `24h`, `7d`, to seconds.
///
/// # Errors
/// Words for the person when the text is no span.
pub fn span_s(text: &str) -> Result<u64, String> {
    let wrong = || "时长要写成 30m、24h、7d 这样".to_owned();
    let text = text.trim();
    let (number, unit) = text.split_at(text.len().saturating_sub(text.chars().last().map_or(0, char::len_utf8)));
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(factor))
        .filter(|s| *s > 0)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_as_people_write_it() {
        assert_eq!(span_s("24h"), Ok(86_400));
        assert_eq!(span_s("7d"), Ok(604_800));
        for wrong in ["", "h", "0h", "24", "3 weeks", "一天", "-1h", "99999999999999999999d"] {
            assert!(span_s(wrong).is_err(), "{wrong}");
        }
    }
}
