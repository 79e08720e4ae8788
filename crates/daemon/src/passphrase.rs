//! Where a passphrase comes from: the keyboard, without showing it, or a file; never the command line, which others can read.

use std::io::{self, BufRead, IsTerminal};
use std::path::Path;

use office::command::{Command, Passphrase, PassphraseSet, Unlock};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::action::FolderNeed;
use crate::cli::Common;
use crate::config::{Config, Kind};
use crate::failure::Failure;
use crate::perform::ask_folder;
use crate::render::View;
use crate::service::Ask;
use crate::words;

/// What the passphrase is wanted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    Set,
    Unlock,
}

/// How often two different ones may be typed.
const TYPED_MAX: usize = 3;
/// Lines of a passphrase file are no longer.
const LINE_BYTES_MAX: u64 = 4096;

/// Asks the person, or reads the file that the options name.
///
/// # Errors
/// When there is neither a terminal nor a file, or two typed passphrases differ.
pub(crate) fn ask(want: Want, common: &Common, config: &Config) -> Result<Ask, Failure> {
    let is_set = config.data.join(office::identity::LOCKED_KEY).exists();
    let command = match (want, &common.passphrase_file) {
        (Want::Unlock, Some(file)) => unlock(lines(file, 1)?.remove(0)),
        (Want::Unlock, None) => unlock(typed(words::PASSPHRASE)?),
        (Want::Set, Some(file)) => {
            let mut lines = lines(file, if is_set { 2 } else { 1 })?;
            let passphrase = lines.remove(lines.len() - 1);
            set(passphrase, lines.pop())
        }
        (Want::Set, None) => {
            let old = match is_set {
                true => Some(typed(words::PASSPHRASE_OLD)?),
                false => None,
            };
            set(typed_twice()?, old)
        }
    };
    Ok(Ask::Command(Box::new(command)))
}

/// What has to come before a command that was given a passphrase file.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn unlock_first(common: &Common) -> Result<Option<Ask>, Failure> {
    let Some(file) = &common.passphrase_file else {
        return Ok(None);
    };
    let command = unlock(lines(file, 1)?.remove(0));
    Ok(Some(Ask::Command(Box::new(command))))
}

/// Whether this is a mere `unlock`.
pub(crate) fn is_unlock(ask: &Ask) -> bool {
    matches!(ask, Ask::Command(command) if matches!(**command, Command::Unlock(_)))
}

/// After a room was begun or has joined at a terminal: asks for its first passphrase, which may be left out.
///
/// # Errors
/// Those of setting it.
pub(crate) fn offer(kind: Kind, common: &Common, config: &Config, view: View) -> Result<Option<Value>, Failure> {
    let begins = matches!(view, View::Join | View::InitAlone);
    let is_set = config.data.join(office::identity::LOCKED_KEY).exists();
    if kind != Kind::Node || !begins || is_set || common.json || !io::stdin().is_terminal() {
        return Ok(None);
    }
    eprintln!("{}", words::PASSPHRASE_OFFER);
    let first = typed(words::PASSPHRASE_NEW)?;
    if first == Passphrase::default() {
        eprintln!("{}", words::PASSPHRASE_NONE);
        return Ok(None);
    }
    let passphrase = match typed(words::PASSPHRASE_AGAIN)? == first {
        true => first,
        false => {
            eprintln!("{}", words::PASSPHRASE_DIFFERS);
            typed_twice()?
        }
    };
    let command = Box::new(set(passphrase, None));
    ask_folder(config, Ask::Command(command), FolderNeed::Existing).map(Some)
}

fn unlock(passphrase: Passphrase) -> Command {
    Command::Unlock(Unlock { passphrase, user: None })
}

fn set(passphrase: Passphrase, old: Option<Passphrase>) -> Command {
    Command::PassphraseSet(PassphraseSet {
        passphrase,
        old,
        user: None,
    })
}

fn typed_twice() -> Result<Passphrase, Failure> {
    for _ in 0..TYPED_MAX {
        let first = typed(words::PASSPHRASE_NEW)?;
        if typed(words::PASSPHRASE_AGAIN)? == first {
            return Ok(first);
        }
        eprintln!("{}", words::PASSPHRASE_DIFFERS);
    }
    Err(Failure::failed(words::PASSPHRASE_DIFFERS).coded("passphrase"))
}

fn typed(prompt: &str) -> Result<Passphrase, Failure> {
    let refused = || Failure::usage(words::PASSPHRASE_NO_TERMINAL).coded("passphrase");
    if !io::stdin().is_terminal() {
        return Err(refused());
    }
    rpassword::prompt_password(prompt)
        .map(Passphrase::new)
        .map_err(|_| refused())
}

/// The first lines of a file, or of standard input for `-`.
fn lines(file: &Path, count: usize) -> Result<Vec<Passphrase>, Failure> {
    let unread = |e: io::Error| Failure::failed(format!("读不到口令文件 {}（{e}）。", file.display()));
    let mut read: Box<dyn BufRead> = match file.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(io::BufReader::new(std::fs::File::open(file).map_err(unread)?)),
    };
    let mut found = Vec::new();
    while found.len() < count {
        let mut line = Zeroizing::new(String::new());
        let mut bounded = io::Read::take(&mut read, LINE_BYTES_MAX);
        if bounded.read_line(&mut line).map_err(unread)? == 0 {
            let words = format!("口令文件要有 {count} 行：修改时第一行旧口令、第二行新口令。");
            return Err(Failure::usage(words).coded("passphrase"));
        }
        found.push(Passphrase::new(line.as_str()));
    }
    Ok(found)
}
