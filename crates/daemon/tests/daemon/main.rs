//! Daemons and commands on real folders, over real QUIC, in one process.

// Helpers of tests panic as tests do.
#![allow(clippy::unwrap_used)]

mod api;
mod tiers;
mod watch;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cunlian_daemon::config::{Config, Kind};
use cunlian_daemon::{Ask, Failure, FolderNeed, Join, ask_folder, run};
use office::command::{CaseList, CaseNew, Command, InitAlone, InitCounty, Invite, MemberRevoke};
use serde_json::Value;
use tokio::sync::oneshot;

/// Far longer than anything here takes, so that a slow machine fails no test.
const SOON: Duration = Duration::from_secs(60);

fn table(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ledger/data").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// A daemon on its thread.
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), String>>,
}

/// A data folder and what runs on it.
struct Place {
    config: Config,
    running: Option<Running>,
}

impl Place {
    fn new(kind: Kind, data: PathBuf) -> Self {
        let mut config = Config::new(kind, data);
        config.listen = config.listen.map(|_| SocketAddr::from(([127, 0, 0, 1], 0)));
        config.retry_max = Duration::from_millis(500);
        Self { config, running: None }
    }

    fn ask(&self, ask: Ask) -> Result<Value, Failure> {
        ask_folder(&self.config, ask, FolderNeed::Create)
    }

    fn command(&self, command: Command) -> Value {
        self.ask(Ask::Command(Box::new(command)))
            .unwrap_or_else(|f| panic!("{}: {}", f.code, f.message))
    }

    /// Runs the daemon; where it listens.
    fn start(&mut self) -> Option<SocketAddr> {
        let (stop, asked) = oneshot::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let config = self.config.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .unwrap();
            let shutdown = Box::pin(async move { drop(asked.await) });
            let done = runtime.block_on(run(config, None, shutdown, |r| ready.send(r.listen).unwrap()));
            done.map_err(|e| format!("{e:#}"))
        });
        let Ok(listen) = is_ready.recv_timeout(SOON) else {
            panic!("{:?}", thread.join().unwrap())
        };
        self.running = Some(Running { stop, thread });
        listen
    }

    fn stop(&mut self) {
        let Running { stop, thread } = self.running.take().unwrap();
        stop.send(()).unwrap();
        thread.join().unwrap().unwrap();
    }

    fn until(&self, what: &str, command: &Command, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let value = self.command(command.clone());
            if is_so(&value) {
                return value;
            }
            assert!(began.elapsed() < SOON, "{what}: {value:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn case(name: &str) -> Command {
    Command::CaseNew(CaseNew {
        matter: "B23".to_owned(),
        name: name.to_owned(),
        cert_no: "11010519491231002X".to_owned(),
        mobile: Some("13800138000".to_owned()),
        ..CaseNew::default()
    })
}

fn list() -> Command {
    Command::CaseList(CaseList::default())
}

fn all_at(value: &Value, count: usize, tier: &str) -> bool {
    value
        .as_array()
        .is_some_and(|rows| rows.len() == count && rows.iter().all(|r| r["receipt"] == tier))
}

fn county(dir: &Path) -> Place {
    let county = Place::new(Kind::Hub, dir.join("county"));
    county.command(Command::Init(InitCounty {
        unit: "511603".to_owned(),
        divisions: table("divisions_511603.tsv"),
        matters: table("matters.tsv"),
        holidays: table("holidays.tsv"),
    }));
    county
}

fn ticket(hub: &Place, unit: &str, addr: SocketAddr) -> String {
    let invite = Invite {
        unit: unit.to_owned(),
        addrs: vec![addr.to_string()],
        expires_s: None,
    };
    hub.command(Command::Invite(invite))["ticket"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn join(place: &Place, ticket: &str) -> Result<Value, Failure> {
    place.ask(Ask::Join(Join {
        ticket: ticket.to_owned(),
        hubs: Vec::new(),
        name: "PC".to_owned(),
    }))
}

/// A room on its own.
fn alone(dir: &Path) -> Place {
    let room = Place::new(Kind::Node, dir.join("room"));
    room.command(Command::InitAlone(InitAlone {
        unit: "511603102201".to_owned(),
        name: "一人村".to_owned(),
        matters: table("matters.tsv"),
        holidays: table("holidays.tsv"),
    }));
    room
}

#[test]
fn a_command_does_the_same_with_the_daemon_up_and_down() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = alone(dir.path());
    let first = room.command(case("张三"));
    assert_eq!(first["project_no"].as_str().unwrap().len(), 20);
    room.start();
    let second = room.command(case("李四"));
    assert_ne!(first["project_no"], second["project_no"]);
    assert_eq!(room.command(list()).as_array().unwrap().len(), 2);
    room.stop();
    assert_eq!(room.command(list()).as_array().unwrap().len(), 2);
    assert_eq!(room.command(Command::Verify)["clean"], true);
    room.start();
    room.stop();
}

#[test]
fn a_second_daemon_on_a_folder_says_so_and_leaves_the_first_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut county = county(dir.path());
    county.start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let never = Box::pin(std::future::pending::<()>());
    let error = runtime
        .block_on(run(county.config.clone(), None, never, |_| panic!("two daemons")))
        .unwrap_err();
    assert!(error.to_string().contains("已有后台程序"), "{error}");
    county.command(Command::Status);
    county.stop();
}

#[test]
fn a_folder_without_a_life_is_not_run() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let never = Box::pin(std::future::pending::<()>());
    let config = Config::new(Kind::Node, dir.path().to_owned());
    let error = runtime
        .block_on(run(config, None, never, |_| panic!("ready")))
        .unwrap_err();
    assert!(error.to_string().contains("init"), "{error}");
}
