//! The room: a clerk's commands and the daemon that keeps a room's records in step with its hubs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use daemon::cli::{CaseCommand, Common, ImportArgs, JoinArgs, RunArgs, SharedCommand, read_text};
use daemon::config::{Config, Kind};
use daemon::render::View;
use daemon::{Action, Failure, perform};
use office::command::{Command, InitAlone};

mod desk;

pub use daemon::run;

#[derive(Parser, Debug)]
#[command(
    name = "cunlian-node",
    version,
    about = "村联 · 村（社区）便民服务室\nCunlian, a village service room's records",
    after_help = "第一次使用 First steps:\n  \
        cunlian-node --data D join CL1-…          用上级给的入网票加入 · join a county with a ticket\n  \
        cunlian-node --data D run                 启动后台同步 · start the daemon\n  \
        cunlian-node --data D case new --matter B23 --name 张三 --cert-no 11010519491231002X\n  \
        cunlian-node --data D case list           “已存到”说明这件到了哪一级 · how far each case has travelled\n\n\
        每条命令在后台程序运行或停止时都能用；退出码 0 完成，1 失败，2 用法不对。\n\
        Every command works with the daemon up or down; exit 0 done, 1 failed, 2 usage."
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: NodeCommand,
}

#[derive(Subcommand, Debug)]
enum NodeCommand {
    /// 单独启用这间村室（以后可以再加入县） · begin a room on its own
    Init(InitArgs),
    /// 用入网票加入县 · join a county with a ticket
    Join(JoinArgs),
    /// 启动后台同步 · run the daemon
    Run(RunArgs),
    /// 办件 · cases
    #[command(subcommand)]
    Case(NodeCase),
    #[command(flatten)]
    Shared(SharedCommand),
}

#[derive(Subcommand, Debug)]
enum NodeCase {
    #[command(flatten)]
    Case(CaseCommand),
    /// 导入登记簿，可重复执行 · import a day book, safe to repeat
    Import(ImportArgs),
}

#[derive(Args, Debug)]
struct InitArgs {
    /// 区划代码，末尾的 0 可省略 · the unit's code
    #[arg(long, value_name = "CODE")]
    unit: String,
    /// 村室名称 · the room's name
    #[arg(long)]
    name: String,
    /// 事项目录 · table of matters
    #[arg(long, value_name = "FILE.tsv")]
    matters: PathBuf,
    /// 工作日历 · table of holidays
    #[arg(long, value_name = "FILE.tsv")]
    holidays: PathBuf,
}

/// Does what the arguments say, as the binary does; `args[0]` is the program's name.
pub fn main_with(args: Vec<OsString>) -> ExitCode {
    match daemon::usage::parse::<Cli>(args) {
        Ok(cli) => {
            let action = action(&cli.common, cli.command);
            perform(Kind::Node, &cli.common, action, Some(desk::face()))
        }
        Err(exit) => exit,
    }
}

fn action(common: &Common, command: NodeCommand) -> Result<Action, Failure> {
    Ok(match command {
        NodeCommand::Run(args) => Action::Run(Config::load(Kind::Node, common, &args, None)?),
        NodeCommand::Join(args) => Action::join(args),
        NodeCommand::Init(args) => {
            let command = Command::InitAlone(InitAlone {
                unit: args.unit,
                name: args.name,
                matters: read_text(&args.matters)?,
                holidays: read_text(&args.holidays)?,
            });
            Action::ask(command, View::InitAlone).creating()
        }
        NodeCommand::Case(NodeCase::Import(args)) => Action::ask(args.command()?, View::CaseImport),
        NodeCommand::Case(NodeCase::Case(case)) => Action::case(case),
        NodeCommand::Shared(shared) => Action::shared(shared),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What the binary would ask for these arguments.
    fn asked(args: &[&str]) -> Value {
        let cli = Cli::try_parse_from([&["cunlian-node", "--data", "D"], args].concat()).unwrap();
        match action(&cli.common, cli.command).unwrap_or_else(|f| panic!("{}", f.message)) {
            Action::Ask { ask, .. } => ask.to_json(),
            Action::Run(_) => json!("run"),
            Action::Passphrase(want) => json!({ "command": format!("{want:?}") }),
        }
    }

    #[test]
    fn every_command_of_the_manual_is_understood() {
        let new = [
            "case",
            "new",
            "--matter",
            "B23",
            "--name",
            "张三",
            "--cert-no",
            "11010519491231002X",
        ];
        let new = asked(&[&new[..], &["--mobile", "13800138000", "--on", "2026-10-09", "--json"]].concat());
        assert_eq!(new["command"], "case_new");
        assert_eq!(new["on"], "2026-10-09");
        let done = asked(&[
            "case", "do", "N", "ask", "--items", "a,b", "--reason", "R", "--result", "0",
        ]);
        assert_eq!((&done["items"], &done["result"]), (&json!(["a", "b"]), &json!("0")));
        let list = asked(&["case", "list", "--unit", "511603", "--state", "closed", "--limit", "5"]);
        assert_eq!((&list["unit"], &list["limit"]), (&json!("511603"), &json!(5)));
        for (args, command) in [
            (&["case", "show", "N"][..], "case_show"),
            (&["case", "edit", "N", "--field", "mobile", "--value", "1"], "case_edit"),
            (&["case", "erase", "N", "--reason", "R"], "case_erase"),
            (&["status"], "status"),
            (&["conflict", "list"], "conflict_list"),
            (&["conflict", "resolve", "ab", "--choose", "1"], "conflict_resolve"),
            (&["quarantine", "list"], "quarantine_list"),
            (&["verify"], "verify"),
            (&["reindex"], "reindex"),
            (&["lock"], "lock"),
            (&["audit", "list", "--limit", "5"], "audit_list"),
            (&["unlock"], "Unlock"),
            (&["passphrase", "set"], "Set"),
            (&["join", "CL1-X", "--hub", "a:1", "--hub", "b:2"], "join"),
        ] {
            assert_eq!(asked(args)["command"], command, "{args:?}");
        }
        assert_eq!(asked(&["run"]), json!("run"));
    }

    #[test]
    fn a_date_that_is_none_and_a_rating_are_wrong_use() {
        for args in [
            &[
                "case",
                "new",
                "--matter",
                "B23",
                "--name",
                "n",
                "--cert-no",
                "1",
                "--on",
                "2026-02-30",
            ][..],
            &["case", "do", "N", "evaluate", "--rating", "1"],
            &["sing"],
            &[],
        ] {
            let args = [&["cunlian-node"], args]
                .concat()
                .into_iter()
                .map(OsString::from)
                .collect();
            assert_eq!(format!("{:?}", main_with(args)), format!("{:?}", ExitCode::from(2)));
        }
    }

    #[test]
    fn a_folder_that_does_not_exist_is_said_to_be_missing() {
        let args = ["cunlian-node", "--data", "no/such/folder", "status"]
            .map(OsString::from)
            .to_vec();
        assert_eq!(format!("{:?}", main_with(args)), format!("{:?}", ExitCode::from(1)));
    }
}
