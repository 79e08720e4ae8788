//! `member`: devices on the command line.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use daemon::render::View;
use daemon::{Action, Failure};
use office::command::{Command, Hold, Lift, MemberAdmit, MemberExtend, MemberRevoke, Members, Rename, RootKey};

use crate::read_text;

#[derive(Subcommand, Debug)]
pub(crate) enum MemberCommand {
    /// 列出 · list
    List,
    /// 停用一台设备 · take a device out
    #[command(after_help = "例 Example:\n  cunlian-hub --data D member revoke 3f9a01c2 --reason 电脑丢失")]
    Revoke(RevokeArgs),
    /// 暂停一台设备：各级中心暂不与它同步，记录不丢 · no hub meets it until it is lifted; nothing is lost
    #[command(after_help = "例 Example:\n  cunlian-hub --data D member hold 3f9a01c2 --reason 送修")]
    Hold(RevokeArgs),
    /// 恢复暂停的设备 · lift a hold
    Lift(LiftArgs),
    /// 给设备改名 · name a device anew
    #[command(after_help = "例 Example:\n  cunlian-hub --data D member rename 3f9a01c2 --name 明月村2号机")]
    Rename(RenameArgs),
    /// 批准又一台县级主机（它已在本机用过入网票） · let in a further county hub, which has used its ticket here
    Admit(AdmitArgs),
    /// 采纳停用设备的待认记录 · let what arrived from a revoked device count
    Extend(ExtendArgs),
}

#[derive(Args, Debug)]
pub(crate) struct RevokeArgs {
    /// 设备编号或前 8 位 · the device
    device: String,
    /// 原因 · reason
    #[arg(long)]
    reason: String,
    /// 恢复文件，只有县中心设备需要 · recovery file, for county hubs only
    #[arg(long, value_name = "FILE")]
    root_key: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct LiftArgs {
    /// 设备编号或前 8 位 · the device
    device: String,
    /// 原因，可不写 · reason
    #[arg(long, default_value = "")]
    reason: String,
    /// 恢复文件，只有县中心设备需要 · recovery file, for county hubs only
    #[arg(long, value_name = "FILE")]
    root_key: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct RenameArgs {
    /// 设备编号或前 8 位 · the device
    device: String,
    /// 新名字 · the new name
    #[arg(long)]
    name: String,
    /// 原因，可不写 · reason
    #[arg(long, default_value = "")]
    reason: String,
    /// 恢复文件，只有县中心设备需要 · recovery file, for county hubs only
    #[arg(long, value_name = "FILE")]
    root_key: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct AdmitArgs {
    /// 设备编号或前 8 位 · the device
    device: String,
    /// 建县时生成的恢复文件 · the recovery file
    #[arg(long, value_name = "FILE")]
    root_key: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct ExtendArgs {
    /// 设备编号或前 8 位 · the device
    device: String,
    /// 恢复文件，只有县中心设备需要 · recovery file, for county hubs only
    #[arg(long, value_name = "FILE")]
    root_key: Option<PathBuf>,
}

fn root_key(file: Option<&Path>) -> Result<Option<RootKey>, Failure> {
    Ok(file.map(read_text).transpose()?.map(RootKey))
}

impl MemberCommand {
    /// What is to be asked for.
    ///
    /// # Errors
    /// A recovery file that cannot be read.
    pub(crate) fn action(self) -> Result<Action, Failure> {
        Ok(match self {
            MemberCommand::Hold(args) => {
                let hold = Hold {
                    root_key: root_key(args.root_key.as_deref())?,
                    device: args.device,
                    reason: args.reason,
                };
                Action::ask(Command::Members(Members::Hold(hold)), View::MemberHold)
            }
            MemberCommand::Lift(args) => {
                let lift = Lift {
                    root_key: root_key(args.root_key.as_deref())?,
                    device: args.device,
                    reason: args.reason,
                };
                Action::ask(Command::Members(Members::Lift(lift)), View::MemberLift)
            }
            MemberCommand::Rename(args) => {
                let rename = Rename {
                    root_key: root_key(args.root_key.as_deref())?,
                    device: args.device,
                    name: args.name,
                    reason: args.reason,
                };
                Action::ask(Command::Members(Members::Rename(rename)), View::MemberRename)
            }
            MemberCommand::List => Action::ask(Command::MemberList, View::MemberList),
            MemberCommand::Revoke(args) => {
                let root_key = root_key(args.root_key.as_deref())?.map(|key| key.0);
                let revoke = MemberRevoke {
                    device: args.device,
                    reason: args.reason,
                    root_key,
                };
                Action::ask(Command::MemberRevoke(revoke), View::MemberRevoke)
            }
            MemberCommand::Admit(args) => {
                let admit = MemberAdmit {
                    device: args.device,
                    root_key: read_text(&args.root_key)?,
                };
                Action::ask(Command::MemberAdmit(admit), View::MemberAdmit)
            }
            MemberCommand::Extend(args) => {
                let root_key = root_key(args.root_key.as_deref())?.map(|key| key.0);
                Action::ask(
                    Command::MemberExtend(MemberExtend {
                        device: args.device,
                        root_key,
                    }),
                    View::MemberExtend,
                )
            }
        })
    }
}
