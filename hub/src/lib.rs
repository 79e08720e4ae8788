//! Township and county: an operator's commands and the daemon that takes part in the replication of all rooms below.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use daemon::cli::{CaseCommand, Common, JoinArgs, RunArgs, SharedCommand, read_text, span_s};
use daemon::config::{Config, Kind};
use daemon::render::{NeverSeen, View};
use daemon::{Action, Failure, perform};
use office::command::{Command, InitCounty, Invite, InviteTop, Members, RootKey};

mod console;
mod member;
mod report;

pub use daemon::run;

#[derive(Parser, Debug)]
#[command(
    name = "cunlian-hub",
    version,
    about = "村联 · 县、乡镇便民服务中心\nCunlian, a township's or county's hub",
    after_help = "县中心第一次使用 A county's first steps:\n  \
        cunlian-hub --data D init --unit 511603 --divisions divisions.tsv --matters matters.tsv --holidays holidays.tsv\n  \
        cunlian-hub --data D run --listen 0.0.0.0:7701\n  \
        cunlian-hub --data D invite --unit 511603102 --addr 10.0.0.1:7701     打印入网票 · prints a ticket\n\
        乡镇中心 A township:\n  \
        cunlian-hub --data D join CL1-…\n  \
        cunlian-hub --data D run --listen 0.0.0.0:7701\n  \
        cunlian-hub --data D rooms                                            各村室同步情况 · are the rooms in step\n\n\
        每条命令在后台程序运行或停止时都能用；退出码 0 完成，1 失败，2 用法不对。\n\
        Every command works with the daemon up or down; exit 0 done, 1 failed, 2 usage."
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: HubCommand,
}

#[derive(Subcommand, Debug)]
enum HubCommand {
    /// 建立一个县：密钥、机构、事项、日历 · found a county
    Init(InitArgs),
    /// 用入网票加入县 · join a county with a ticket
    Join(JoinArgs),
    /// 启动中心 · run the hub
    Run(HubRunArgs),
    /// 开一张入网票 · make a one-use ticket
    #[command(after_help = "例 Example:\n  \
            cunlian-hub --data D invite --unit 511603102 --addr 10.0.0.1:7701 --expires 24h\n\
            县级主机全部丢失时，在任一乡镇主机上 When every county hub is lost, at any township hub:\n  \
            cunlian-hub --data T invite --unit 511603 --addr 10.0.0.2:7701 --root-key county-root.key\n  \
            cunlian-hub --data N join CL1-…                     在新主机上，先后两次 · on the new PC, before and after:\n  \
            cunlian-hub --data T member admit 3f9a01c2 --root-key county-root.key")]
    Invite(InviteArgs),
    /// 设备 · members
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// 下级各村室的同步情况 · sync health of every room below
    Rooms(RoomsArgs),
    /// 统计报表、定稿、考核 · reports
    Report(report::ReportArgs),
    /// 办件 · cases
    #[command(subcommand)]
    Case(CaseCommand),
    #[command(flatten)]
    Shared(SharedCommand),
}

#[derive(Args, Debug)]
struct InitArgs {
    /// 县的区划代码 · the county's code
    #[arg(long, value_name = "CODE")]
    unit: String,
    /// 区划表 · table of divisions
    #[arg(long, value_name = "FILE.tsv")]
    divisions: PathBuf,
    /// 事项目录 · table of matters
    #[arg(long, value_name = "FILE.tsv")]
    matters: PathBuf,
    /// 工作日历 · table of holidays
    #[arg(long, value_name = "FILE.tsv")]
    holidays: PathBuf,
}

#[derive(Args, Debug)]
struct HubRunArgs {
    /// 监听地址，缺省 0.0.0.0:7701 · where to listen
    #[arg(long, env = "CUNLIAN_LISTEN", value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Args, Debug)]
struct InviteArgs {
    /// 给哪个机构，末尾的 0 可省略 · for which unit
    #[arg(long, value_name = "CODE")]
    unit: String,
    /// 对方连接本中心用的地址，可写多个 · where the new device reaches this hub
    #[arg(long = "addr", value_name = "HOST:PORT", required = true)]
    addrs: Vec<String>,
    /// 有效期，如 24h，最长 7d · for how long
    #[arg(long, default_value = "24h", value_parser = span_s)]
    expires: u64,
    /// 恢复文件，只有县级主机全部丢失、在乡镇给县里开票时需要 · recovery file, to rebuild a lost county from a township
    #[arg(long, value_name = "FILE")]
    root_key: Option<PathBuf>,
}

impl InviteArgs {
    fn action(self) -> Result<Action, Failure> {
        let expires_s = Some(self.expires);
        let command = match self.root_key {
            Some(file) => Command::Members(Members::InviteTop(InviteTop {
                unit: self.unit,
                addrs: self.addrs,
                expires_s,
                root_key: RootKey(read_text(&file)?),
            })),
            None => Command::Invite(Invite {
                unit: self.unit,
                addrs: self.addrs,
                expires_s,
            }),
        };
        Ok(Action::ask(command, View::Invite))
    }
}

#[derive(Args, Debug)]
struct RoomsArgs {
    /// 连从未上线的也列出 · list rooms never seen, too
    #[arg(long)]
    all: bool,
}

/// Does what the arguments say, as the binary does; `args[0]` is the program's name.
pub fn main_with(args: Vec<OsString>) -> ExitCode {
    match daemon::usage::parse::<Cli>(args) {
        Ok(cli) => {
            if let HubCommand::Report(args) = &cli.command
                && let Some(file) = args.xlsx()
            {
                return args.save(&cli.common, file);
            }
            let action = action(&cli.common, cli.command);
            perform(Kind::Hub, &cli.common, action, Some(console::face()))
        }
        Err(exit) => exit,
    }
}

fn action(common: &Common, command: HubCommand) -> Result<Action, Failure> {
    Ok(match command {
        HubCommand::Run(args) => Action::Run(Config::load(Kind::Hub, common, &args.run, args.listen)?),
        HubCommand::Join(args) => Action::join(args),
        HubCommand::Init(args) => {
            let command = Command::Init(InitCounty {
                unit: args.unit,
                divisions: read_text(&args.divisions)?,
                matters: read_text(&args.matters)?,
                holidays: read_text(&args.holidays)?,
            });
            Action::ask(command, View::InitCounty).creating()
        }
        HubCommand::Invite(args) => args.action()?,
        HubCommand::Member(command) => command.action()?,
        HubCommand::Rooms(args) => {
            let never_seen = if args.all {
                NeverSeen::Listed
            } else {
                NeverSeen::Counted
            };
            Action::ask(Command::Rooms, View::Rooms(never_seen))
        }
        HubCommand::Report(args) => args.action()?,
        HubCommand::Case(case) => Action::case(case),
        HubCommand::Shared(shared) => Action::shared(shared),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What the binary would ask for these arguments.
    fn asked(args: &[&str]) -> Value {
        let cli = Cli::try_parse_from([&["cunlian-hub", "--data", "D"], args].concat()).unwrap();
        match action(&cli.common, cli.command).unwrap_or_else(|f| panic!("{}", f.message)) {
            Action::Ask { ask, .. } => ask.to_json(),
            Action::Run(config) => json!(config.listen.map(|a| a.to_string())),
            Action::Passphrase(want) => json!({ "command": format!("{want:?}") }),
        }
    }

    #[test]
    fn every_command_of_the_manual_is_understood() {
        let invite = asked(&[
            "invite",
            "--unit",
            "511603102",
            "--addr",
            "127.0.0.1:7701",
            "--expires",
            "24h",
        ]);
        assert_eq!(
            (&invite["command"], &invite["expires_s"]),
            (&json!("invite"), &json!(86_400))
        );
        // Any file will do here; whether it is the county's key the office says.
        let key = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let top = asked(&[
            "invite",
            "--unit",
            "511603",
            "--addr",
            "10.0.0.2:7701",
            "--root-key",
            key,
        ]);
        assert_eq!(
            (&top["command"], &top["members"]),
            (&json!("members"), &json!("invite_top"))
        );
        assert!(
            top["root_key"]
                .as_str()
                .is_some_and(|text| text.contains("cunlian-hub"))
        );
        assert_eq!(asked(&["run", "--listen", "127.0.0.1:7701"]), "127.0.0.1:7701");
        assert_eq!(asked(&["run"]), "0.0.0.0:7701");
        for (args, command) in [
            (&["member", "list"][..], "member_list"),
            (&["member", "revoke", "abcdef01", "--reason", "lost"], "member_revoke"),
            (&["member", "extend", "abcdef01"], "member_extend"),
            (&["rooms"], "rooms"),
            (&["report", "--month", "2026-10", "--unit", "511603102"], "report"),
            (&["report", "freeze", "2026-10"], "report"),
            (&["report", "list"], "report"),
            (&["join", "CL1-X"], "join"),
            (&["case", "list", "--json"], "case_list"),
            (&["status"], "status"),
            (&["verify"], "verify"),
        ] {
            assert_eq!(asked(args)["command"], command, "{args:?}");
        }
    }

    #[test]
    fn a_ticket_without_an_address_is_wrong_use() {
        let args = ["cunlian-hub", "invite", "--unit", "511603102"]
            .map(OsString::from)
            .to_vec();
        assert_eq!(format!("{:?}", main_with(args)), format!("{:?}", ExitCode::from(2)));
    }
}
