//! What a command line comes to, before anything is done.

use office::command::Command;

use crate::cli::{CaseCommand, ConflictCommand, JoinArgs, QuarantineCommand, SharedCommand, UserCommand};
use crate::config::Config;
use crate::passphrase::Want;
use crate::render::{Asked, View};
use crate::service::{Ask, Join};

/// One command, ready to be done.
pub enum Action {
    /// Run the daemon.
    Run(Config),
    /// Do something in a folder and show what came of it.
    Ask { ask: Ask, view: View, folder: FolderNeed },
    /// Ask the person for a passphrase, and set it or unlock with it.
    Passphrase(Want),
}

/// Whether a command may make the data folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FolderNeed {
    Create,
    Existing,
}

impl Action {
    /// A command of the office.
    pub fn ask(command: Command, view: View) -> Self {
        Self::Ask {
            ask: Ask::Command(Box::new(command)),
            view,
            folder: FolderNeed::Existing,
        }
    }

    /// The same, making the data folder where there is none.
    pub fn creating(self) -> Self {
        match self {
            Self::Ask { ask, view, .. } => Self::Ask {
                ask,
                view,
                folder: FolderNeed::Create,
            },
            other => other,
        }
    }

    /// Joining a county.
    pub fn join(args: JoinArgs) -> Self {
        let name = args.name.unwrap_or_else(machine_name);
        let join = Join {
            ticket: args.ticket,
            hubs: args.hubs,
            name,
        };
        Self::Ask {
            ask: Ask::Join(join),
            view: View::Join,
            folder: FolderNeed::Create,
        }
    }

    /// A command on cases.
    pub fn case(command: CaseCommand) -> Self {
        let view = match &command {
            CaseCommand::New(_) => View::CaseNew,
            CaseCommand::Do(_) => View::CaseDo,
            CaseCommand::Edit(_) => View::CaseEdit,
            CaseCommand::List(args) if args.unit.is_none() && args.state.is_none() => View::CaseList(Asked::All),
            CaseCommand::List(_) => View::CaseList(Asked::Some),
            CaseCommand::Find(_) => View::CaseFind,
            CaseCommand::Show(_) => View::CaseShow,
            CaseCommand::Erase(_) => View::CaseErase,
        };
        Self::ask(command.into(), view)
    }

    /// A command that both binaries have.
    pub fn shared(command: SharedCommand) -> Self {
        let view = match &command {
            SharedCommand::Status => View::Status,
            SharedCommand::User(UserCommand::List) => View::UserList,
            SharedCommand::User(_) => View::User,
            SharedCommand::Errand(_) => View::ErrandList,
            SharedCommand::Conflict(ConflictCommand::List) => View::ConflictList,
            SharedCommand::Conflict(ConflictCommand::Resolve(_)) => View::ConflictResolve,
            SharedCommand::Quarantine(QuarantineCommand::List) => View::QuarantineList,
            SharedCommand::Verify => View::Verify,
            SharedCommand::Reindex => View::Reindex,
            SharedCommand::Lock => View::Passphrase,
            SharedCommand::Audit(_) => View::AuditList,
            SharedCommand::Day(_) => View::Day,
            SharedCommand::Passphrase(_) => return Self::Passphrase(Want::Set),
            SharedCommand::Unlock => return Self::Passphrase(Want::Unlock),
        };
        match command.command() {
            Some(command) => Self::ask(command, view),
            None => Self::Passphrase(Want::Unlock),
        }
    }
}

/// What the system calls this machine; operators know it by that.
fn machine_name() -> String {
    let from_env = || {
        ["COMPUTERNAME", "HOSTNAME"]
            .iter()
            .find_map(|key| std::env::var(key).ok())
    };
    let from_file = || std::fs::read_to_string("/etc/hostname").ok();
    let name = from_env().or_else(from_file).map(|name| name.trim().to_owned());
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| "未命名电脑".to_owned())
}
