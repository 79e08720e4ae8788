//! One command from its arguments to its exit code: through the daemon when one runs, else with the folder itself.

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ledger::day::Day;
use net::{Clock, DialOptions};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use crate::action::{Action, FolderNeed};
use crate::api::client;
use crate::cli::Common;
use crate::config::{Config, Kind};
use crate::face::Face;
use crate::failure::Failure;
use crate::folder::{ApiDoor, Folder};
use crate::office_home::{self, NotOpened, Opened, Opening};
use crate::passphrase;
use crate::progress;
use crate::render::{self, Ink, View};
use crate::run::{Ready, run, software, stop_keeper};
use crate::service::{Ask, Service};
use crate::{logging, signal, words};

/// A folder is closed by a daemon that stops, or by another command, within this time; `verify` of a large folder may not be.
const FOLDER_PATIENCE: Duration = Duration::from_secs(15);

/// Does it, with `face` on the daemon if it is one that runs, prints what came of it, and says how the process ends.
pub fn perform(kind: Kind, common: &Common, action: Result<Action, Failure>, face: Option<Face>) -> ExitCode {
    let done = action.and_then(|action| match action {
        Action::Run(config) => run_daemon(config, face),
        Action::Ask { ask, view, folder } => {
            let config = Config::load(kind, common, &crate::cli::RunArgs::default(), None)?;
            let unlock = passphrase::unlock_first(common)?;
            let mut value = ask_unlocked(&config, unlock, ask, folder)?;
            if view == View::User {
                say_where(&config, &mut value);
            }
            print(kind, common, view, &value);
            if let Some(value) = passphrase::offer(kind, common, &config, view)? {
                print(kind, common, View::Passphrase, &value);
            }
            Ok(view.exit(&value))
        }
        Action::Passphrase(want) => {
            let config = Config::load(kind, common, &crate::cli::RunArgs::default(), None)?;
            let ask = passphrase::ask(want, common, &config)?;
            let value = ask_folder(&config, ask, FolderNeed::Existing)?;
            print(kind, common, View::Passphrase, &value);
            Ok(0)
        }
    });
    match done {
        Ok(exit) => ExitCode::from(exit),
        Err(failure) => {
            // It may end with words of a peer.
            eprintln!("{}", render::line(&failure.message));
            if common.json {
                println!("{}", failure.to_json());
            }
            ExitCode::from(failure.exit)
        }
    }
}

/// Adds where this centre's own people enrol: what its daemon opened last, or would open.
fn say_where(config: &Config, value: &mut Value) {
    if value["own"] != true || value["centre"] != true {
        return;
    }
    let opened = Folder::existing(&config.data)
        .ok()
        .and_then(|folder| folder.read_console());
    if let Some(addr) = opened.or(config.console) {
        let scheme = if config.is_encrypted(addr) { "https" } else { "http" };
        value["console"] = match addr.ip().is_unspecified() {
            true => json!(format!("{scheme}://{}:{}", words::THIS_HOST, addr.port())),
            false => json!(format!("{scheme}://{addr}")),
        };
    }
}

fn print(kind: Kind, common: &Common, view: View, value: &Value) {
    let text = if common.json {
        value.to_string()
    } else {
        render::text(view, value, screen(kind))
    };
    // A closed pipe (`| head`) is the reader's wish, no failure.
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}

/// What standard output is, and the day that deadlines are held against.
fn screen(kind: Kind) -> render::Screen {
    // `NO_COLOR` is how people say everywhere that lines shall not be coloured or faint; see no-color.org.
    let wishes_plain = std::env::var_os("NO_COLOR").is_some_and(|wish| !wish.is_empty());
    let ink = if std::io::stdout().is_terminal() && !wishes_plain {
        Ink::Terminal
    } else {
        Ink::Plain
    };
    render::Screen {
        kind,
        today: Day::of_wall_ms(Clock::start().now().wall_ms),
        ink,
    }
}

fn runtime(kind: Kind) -> Result<Runtime, Failure> {
    let mut builder = Builder::new_multi_thread();
    if kind == Kind::Node {
        // One thread carries a room's single connection; every further one costs an old PC memory.
        builder.worker_threads(1);
    }
    builder
        .max_blocking_threads(8)
        .enable_all()
        .build()
        .map_err(|e| Failure::failed(format!("系统资源不足，程序起不来（{e}），请关掉别的程序再试。")))
}

fn run_daemon(config: Config, face: Option<Face>) -> Result<u8, Failure> {
    logging::start(&config.log, config.log_format)?;
    let runtime = runtime(config.kind)?;
    runtime.block_on(async {
        // Listened for from the start: a stop that comes while the folder is being opened counts too.
        let asked = tokio::spawn(signal::asked_to_stop());
        let shutdown = async move {
            if !matches!(asked.await, Ok(Ok(()))) {
                // Signals cannot be had here; the process can still be ended by force without loss.
                std::future::pending::<()>().await;
            }
        };
        let shutdown = Box::pin(shutdown);
        run(config, face, shutdown, say_ready)
            .await
            .map_err(|error| Failure::failed(format!("{error:#}")))
    })?;
    Ok(0)
}

/// One line of JSON for whoever started us, and a sentence for a person who waits for a page that does not come.
fn say_ready(ready: &Ready) {
    let mut line = match ready.listen {
        Some(addr) => json!({ "listening": addr.to_string() }),
        None => json!({ "running": true }),
    };
    match &ready.console {
        Some(Ok(pages)) => {
            line["console"] = json!(pages.url());
            if let Some(fingerprint) = &pages.fingerprint {
                line["fingerprint"] = json!(fingerprint);
                eprintln!("页面证书的指纹（第一次打开时，请与浏览器显示的 SHA-256 指纹核对）：\n{fingerprint}");
            }
        }
        Some(Err(words)) => eprintln!("{words}"),
        None => {}
    }
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Asks the folder's daemon, or opens the folder itself where none runs. Blocks; must not be called within a runtime.
///
/// # Errors
/// Words for the person.
pub fn ask_folder(config: &Config, ask: Ask, need: FolderNeed) -> Result<Value, Failure> {
    ask_unlocked(config, None, ask, need)
}

/// As [`ask_folder`], unlocking first where a passphrase is given.
fn ask_unlocked(config: &Config, unlock: Option<Ask>, ask: Ask, need: FolderNeed) -> Result<Value, Failure> {
    let folder = match need {
        FolderNeed::Create => Folder::create(&config.data)?,
        FolderNeed::Existing => Folder::existing(&config.data)?,
    };
    let mut screen = Screen::new();
    let began = Instant::now();
    // The folder's lock says whether it is ours; whoever holds it is a daemon, which answers, or another command, which will
    // be done soon.
    loop {
        match runtime(config.kind)?.block_on(ask_directly(
            config,
            &folder,
            (unlock.clone(), ask.clone()),
            &mut screen,
        )) {
            Err(NotOpened::InUse) => {}
            Err(NotOpened::Failed(failure)) => return Err(failure),
            Ok(answer) => {
                screen.clear();
                return answer;
            }
        }
        if let Some(door) = folder.read_api()
            && let Some(answer) = ask_daemon(&door, unlock.as_ref(), &ask, &mut screen)
        {
            screen.clear();
            return answer;
        }
        if began.elapsed() > FOLDER_PATIENCE {
            return Err(Failure::failed(format!(
                "数据文件夹 {} 正被另一个程序使用，请等它结束后再试。",
                folder.path().display()
            ))
            .coded("in_use"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// `None`: no daemon answers there.
fn ask_daemon(door: &ApiDoor, unlock: Option<&Ask>, ask: &Ask, screen: &mut Screen) -> Option<Result<Value, Failure>> {
    if let Some(unlock) = unlock
        && let Err(failure) = client::ask(door, &unlock.to_json(), &mut |line| screen.say(line))?
    {
        return Some(Err(failure));
    }
    client::ask(door, &ask.to_json(), &mut |line| screen.say(line))
}

async fn ask_directly(
    config: &Config,
    folder: &Folder,
    (unlock, ask): (Option<Ask>, Ask),
    screen: &mut Screen,
) -> Result<Result<Value, Failure>, NotOpened> {
    let (lines, mut said) = mpsc::unbounded_channel();
    let sink = progress::sink(lines.clone());
    let opening = Opening {
        clock: Clock::start(),
        software: software(config.kind),
        lock_after: None,
    };
    let opened = watch(office_home::open(folder, opening, sink), &mut said, screen).await?;
    let work = async {
        if let Some(unlock) = unlock {
            answer(config, &opened, unlock, lines.clone()).await?;
        }
        let ends_here = passphrase::is_unlock(&ask);
        let mut value = answer(config, &opened, ask, lines).await?;
        if ends_here {
            value["message"] = json!(crate::words::UNLOCKED_FOR_NOBODY);
        }
        Ok(value)
    };
    let answer = watch(work, &mut said, screen).await;
    stop_keeper(opened).await;
    Ok(answer)
}

async fn answer(
    config: &Config,
    opened: &Opened,
    ask: Ask,
    lines: mpsc::UnboundedSender<String>,
) -> Result<Value, Failure> {
    let Opened { keeper, identity, .. } = opened;
    // Only joining needs the line: what comes after it (tables, keys) arrives by an ordinary session.
    let dialling = match &ask {
        Ask::Join(_) => {
            let options = DialOptions::new(config.hubs.clone(), Duration::from_secs(2), identity.device().0);
            Some(net::dial(keeper.clone(), identity.clone(), options))
        }
        Ask::Command(_) => None,
    };
    let answer = Service::new(keeper.clone(), identity.clone(), config.kind)
        .answer(ask, lines)
        .await;
    if let Some(dialling) = dialling {
        dialling.stop();
    }
    answer
}

/// Shows lines that come while `work` runs.
async fn watch<T>(work: impl Future<Output = T>, said: &mut mpsc::UnboundedReceiver<String>, screen: &mut Screen) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            Some(line) = said.recv() => screen.say(&line),
            done = &mut work => return done,
        }
    }
}

/// Progress on standard error: one line that changes on a terminal, plain lines elsewhere.
struct Screen {
    terminal: bool,
    dirty: bool,
}

impl Screen {
    fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            dirty: false,
        }
    }

    fn say(&mut self, line: &str) {
        if self.terminal {
            eprint!("\r\x1b[K{line}");
            self.dirty = true;
        } else {
            eprintln!("{line}");
        }
    }

    fn clear(&mut self) {
        if self.dirty {
            eprint!("\r\x1b[K");
            self.dirty = false;
        }
    }
}
