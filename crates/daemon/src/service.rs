//! What people ask, carried out with the office of a folder; the same whether a daemon runs or a single command.

use std::time::Duration;

use ledger::daybook;
use net::{Identity, Keeper};
use office::command::{CaseImport, Command};
use replica::statement::Role;
use replica::ticket::Ticket;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Progress, Task};

use crate::config::Kind;
use crate::failure::Failure;
use crate::progress;

/// How long `join` waits for the county's organisation, catalogue and keys before it says that they are still to come.
const SETTLE_WAIT: Duration = Duration::from_secs(30);
/// Rows of a day book taken over in one go: what syncs or records meanwhile waits no longer than for these.
const IMPORT_ROWS: usize = 256;
/// How often it looks.
const SETTLE_EVERY: Duration = Duration::from_millis(50);

/// Joining, as asked on the command line.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    pub ticket: String,
    /// Instead of the ticket's addresses.
    #[serde(default)]
    pub hubs: Vec<String>,
    /// Shown to operators.
    pub name: String,
}

// Written by hand: whoever reads the ticket in a log could join with it.
impl std::fmt::Debug for Join {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Join")
            .field("hubs", &self.hubs)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Everything that can be asked of a folder.
#[derive(Clone, Debug)]
pub enum Ask {
    Command(Box<Command>),
    Join(Join),
}

impl Ask {
    /// As it goes over the local API.
    pub fn to_json(&self) -> Value {
        let value = match self {
            Ask::Command(command) => serde_json::to_value(command),
            Ask::Join(join) => serde_json::to_value(join).map(|mut value| {
                value["command"] = json!("join");
                value
            }),
        };
        // Commands are plain data: strings, numbers, lists. A failure would be a fault of our own types.
        value.unwrap_or_else(|error| panic!("a command that is no JSON: {error}"))
    }

    /// Reads what came over the local API.
    ///
    /// # Errors
    /// Words for the program that asked: no JSON, no command, or a field that the command does not have.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Failure> {
        let wrong = |e: serde_json::Error| Failure::usage(format!("本机接口收到看不懂的请求：{e}")).coded("request");
        let mut value: Value = serde_json::from_slice(bytes).map_err(wrong)?;
        if value.get("command") == Some(&json!("join")) {
            if let Some(fields) = value.as_object_mut() {
                fields.remove("command");
            }
            return serde_json::from_value(value).map(Ask::Join).map_err(wrong);
        }
        let more = value.as_object().is_some_and(|fields| fields.len() > 1);
        let ask = Ask::Command(Box::new(serde_json::from_value(value).map_err(wrong)?));
        // Of commands without fields serde does not see that some were given.
        if more && ask.has_no_fields() {
            return Err(Failure::usage("本机接口收到看不懂的请求：这个命令没有别的字段").coded("request"));
        }
        Ok(ask)
    }

    fn has_no_fields(&self) -> bool {
        // A whole day book need not be written out to be known as more than a name, and a passphrase must not be.
        !matches!(self, Ask::Command(command) if matches!(**command, Command::CaseImport(_) | Command::Unlock(_) | Command::PassphraseSet(_)))
            && self.to_json().as_object().is_some_and(|fields| fields.len() == 1)
    }
}

/// Lines about long work, for the person who waits.
pub(crate) type Lines = tokio::sync::mpsc::UnboundedSender<String>;

/// Carries out what is asked: the one door to an office, for the command line, the local API and pages alike.
#[derive(Clone)]
pub struct Service {
    keeper: Keeper,
    identity: Identity,
    kind: Kind,
}

impl Service {
    pub(crate) fn new(keeper: Keeper, identity: Identity, kind: Kind) -> Self {
        Self { keeper, identity, kind }
    }

    /// Does it, durably, and gives what is to be shown.
    ///
    /// # Errors
    /// Words for the person.
    pub(crate) async fn answer(&self, ask: Ask, progress: Lines) -> Result<Value, Failure> {
        match ask {
            // Looking records nothing, so it is one piece of work of some tenths of a second, and sees the same row twice.
            Ask::Command(command) if matches!(&*command, Command::CaseImport(i) if !i.preview) => {
                self.import(*command, progress).await
            }
            Ask::Command(command) => Ok(self.keeper.command(*command, progress::sink(progress)).await?),
            Ask::Join(join) => self.join(join, &progress).await,
        }
    }

    /// Does one command, durably, for somebody who needs no news of its progress.
    ///
    /// # Errors
    /// Words for the person.
    pub async fn command(&self, command: Command) -> Result<Value, Failure> {
        let (progress, _) = tokio::sync::mpsc::unbounded_channel();
        self.answer(Ask::Command(Box::new(command)), progress).await
    }

    /// Changes whenever something that screens show may have changed.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.keeper.changes()
    }

    /// Takes a day book over piece by piece; what came before an error stays, and the next time goes on from there.
    async fn import(&self, command: Command, progress: Lines) -> Result<Value, Failure> {
        let Command::CaseImport(import) = command else {
            return Ok(self.keeper.command(command, progress::sink(progress)).await?);
        };
        let mut whole = json!({"imported": 0, "unchanged": 0, "rejected": [], "remarks": []});
        let mut say = progress::sink(progress);
        let slices = daybook::slices(&import.data, IMPORT_ROWS);
        let total = slices.len() as u64;
        for (done, slice) in slices.into_iter().enumerate() {
            say(Progress {
                task: Task::Importing,
                done: done as u64,
                total,
            });
            let piece = CaseImport {
                data: slice.bytes,
                lines_before: slice.lines_before,
                preview: false,
                user: import.user,
            };
            // Its own progress is that of one piece, of which nobody would make sense.
            let answer = self
                .keeper
                .command(Command::CaseImport(piece), Box::new(|_| {}))
                .await?;
            add(&mut whole, answer);
        }
        Ok(whole)
    }

    async fn join(&self, join: Join, progress: &Lines) -> Result<Value, Failure> {
        let ticket = Ticket::parse(&join.ticket).map_err(|e| Failure::usage(e.to_string()).coded("ticket"))?;
        let role = match self.kind {
            Kind::Node => Role::Node,
            Kind::Hub => Role::Hub,
        };
        let say = |text: &str| drop(progress.send(text.to_owned()));
        say("正在联系上级中心…");
        let mut joined = net::join(&self.keeper, &self.identity, &ticket, &join.hubs, role, &join.name).await?;
        say("已准入，正在接收机构、事项和密钥…");
        joined["settled"] = json!(self.settled().await);
        Ok(joined)
    }

    /// Waits, for a bounded time, until the county's tables and this unit's key are here.
    async fn settled(&self) -> bool {
        let wait = async {
            while !self.keeper.standing().await.settled {
                tokio::time::sleep(SETTLE_EVERY).await;
            }
        };
        tokio::time::timeout(SETTLE_WAIT, wait).await.is_ok()
    }
}

/// Adds what became of some rows to what became of those before: numbers are summed, lists go on.
fn add(whole: &mut Value, piece: Value) {
    let (Some(whole), Value::Object(piece)) = (whole.as_object_mut(), piece) else {
        return;
    };
    for (key, value) in piece {
        match (whole.get_mut(&key), value) {
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
            (Some(sum), Value::Number(more)) => {
                *sum = json!(sum.as_u64().unwrap_or(0) + more.as_u64().unwrap_or(0));
            }
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_survives_the_local_api() {
        let ask = Ask::Join(Join {
            ticket: "CL1-X".to_owned(),
            hubs: vec!["h:1".to_owned()],
            name: "PC".to_owned(),
        });
        assert!(!format!("{ask:?}").contains("CL1-"), "a ticket is not for logs");
        let Ask::Join(join) = Ask::from_json(ask.to_json().to_string().as_bytes()).unwrap() else {
            panic!("something else");
        };
        assert_eq!(
            (join.ticket.as_str(), join.hubs.len(), join.name.as_str()),
            ("CL1-X", 1, "PC")
        );
        let status = Ask::Command(Box::new(Command::Status)).to_json().to_string();
        let back = Ask::from_json(status.as_bytes()).unwrap();
        assert!(matches!(back, Ask::Command(c) if matches!(*c, Command::Status)));
        for wrong in [
            r#"{"command":"sing"}"#,
            r#"{"command":"status","loud":1}"#,
            r#"{"command":"case_show","number":"1","loud":1}"#,
        ] {
            assert_eq!(Ask::from_json(wrong.as_bytes()).unwrap_err().exit, 2, "{wrong}");
        }
    }
}
