//! Configuration: flag > environment > file > default. Few keys, unknown ones refused.

mod watch;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::cli::{Common, RunArgs};
use crate::failure::Failure;

pub use watch::{Watching, Webhook};

/// A configuration file has a handful of lines; what is larger is the wrong file.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// A clerk goes to lunch; a market day has no such gap. Hubs lock only when told to: nobody sits there to unlock them.
const LOCK_AFTER: Duration = Duration::from_secs(60 * 60);

/// Somebody who reads a long paper to an applicant is still there; whoever has gone for a cigarette is back with the PIN.
const DESK_LOCK: Duration = Duration::from_secs(10 * 60);
/// A week of work, as the programme has it.
const FOLLOW_UP_WORKDAYS: u32 = 5;

/// What a device is: decides its role when it joins and whether it listens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Node,
    Hub,
}

impl Kind {
    /// The binary's name, as people type it.
    pub fn program(self) -> &'static str {
        match self {
            Kind::Node => "cunlian-node",
            Kind::Hub => "cunlian-hub",
        }
    }
}

/// How log lines are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Two files of a certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pem {
    /// The chain, the hub's own certificate first.
    pub chain: PathBuf,
    pub key: PathBuf,
}

/// Everything `run` needs.
#[derive(Clone, Debug)]
pub struct Config {
    pub kind: Kind,
    /// The data folder; holds exactly one device's life.
    pub data: PathBuf,
    /// Where a hub listens; `None` for a node.
    pub listen: Option<SocketAddr>,
    /// Where the pages are served; a node's on this machine only. `None` when they are not.
    pub console: Option<SocketAddr>,
    /// Names besides addresses by which browsers may ask for a hub's pages.
    pub console_names: Vec<String>,
    /// A certificate of the county's own for a hub's pages, and its key, as PEM files.
    pub console_pem: Option<Box<Pem>>,
    /// Metrics and alerts.
    pub watching: Box<Watching>,
    /// A hub's line is called dead when nothing came over it for so long.
    pub line_idle: Duration,
    /// Hub addresses besides those that the ticket brought, best first.
    pub hubs: Vec<String>,
    /// The longest delay before dialling again.
    pub retry_max: Duration,
    /// Personal values lock by themselves after so long without use; `None`: only when told to.
    pub lock_after: Option<Duration>,
    /// A page that nobody has touched for so long asks for the PIN again.
    pub desk_lock: Duration,
    /// Workdays within which a bad evaluation is to be answered.
    pub follow_up_workdays: u32,
    /// A filter as `tracing` reads it.
    pub log: String,
    pub log_format: LogFormat,
}

/// The file's keys; all may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data: Option<PathBuf>,
    listen: Option<SocketAddr>,
    console: Option<String>,
    console_names: Option<Vec<String>>,
    console_cert: Option<PathBuf>,
    console_key: Option<PathBuf>,
    metrics: Option<String>,
    watch_seconds: Option<u64>,
    alert_webhook: Option<String>,
    alert_webhook_secret: Option<String>,
    alert_webhook_ca: Option<PathBuf>,
    hubs: Option<Vec<String>>,
    retry_ms_max: Option<u64>,
    line_seconds: Option<u64>,
    lock_after_minutes: Option<u64>,
    desk_lock_seconds: Option<u64>,
    follow_up_workdays: Option<u32>,
    log: Option<String>,
    log_format: Option<LogFormat>,
}

impl Config {
    /// A configuration with every default, for a data folder.
    pub fn new(kind: Kind, data: PathBuf) -> Self {
        Self {
            kind,
            data,
            listen: match kind {
                Kind::Node => None,
                Kind::Hub => Some(SocketAddr::from(([0, 0, 0, 0], 7701))),
            },
            console: Some(SocketAddr::from(([127, 0, 0, 1], console_port(kind)))),
            console_names: Vec::new(),
            console_pem: None,
            watching: Box::default(),
            line_idle: net::limits::IDLE_MAX,
            hubs: Vec::new(),
            retry_max: net::limits::RETRY_MAX,
            lock_after: match kind {
                Kind::Node => Some(LOCK_AFTER),
                Kind::Hub => None,
            },
            desk_lock: DESK_LOCK,
            follow_up_workdays: FOLLOW_UP_WORKDAYS,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
        }
    }

    /// Joins flags (which clap has already filled from the environment) with the file.
    ///
    /// # Errors
    /// When the file cannot be read, or holds an unknown key or a wrong value.
    pub fn load(kind: Kind, common: &Common, run: &RunArgs, listen: Option<SocketAddr>) -> Result<Self, Failure> {
        Self::joined(kind, common, run, listen, File::find(common)?)
    }

    /// The configuration of a file's text alone.
    ///
    /// # Errors
    /// When the text holds an unknown key or a wrong value.
    pub fn of_text(kind: Kind, text: &str) -> Result<Self, Failure> {
        let file = File::parse(text, Path::new("config.toml"))?;
        Self::joined(kind, &Common::default(), &RunArgs::default(), None, file)
    }

    fn joined(
        kind: Kind,
        common: &Common,
        run: &RunArgs,
        listen: Option<SocketAddr>,
        file: File,
    ) -> Result<Self, Failure> {
        let default_data = PathBuf::from(match kind {
            Kind::Node => "cunlian-node-data",
            Kind::Hub => "cunlian-hub-data",
        });
        let mut config = Self::new(kind, common.data.clone().or(file.data).unwrap_or(default_data));
        if kind == Kind::Node && file.listen.is_some() {
            return Err(Failure::usage(
                "配置文件里的 listen 只有中心（cunlian-hub）能用，请删去这一行。",
            ));
        }
        config.listen = listen.or(file.listen).or(config.listen);
        if let Some(text) = run.console.clone().or(file.console) {
            config.console = console(kind, text.trim())?;
        }
        config.console_names = console_names(kind, file.console_names.unwrap_or_default())?;
        config.console_pem = pem(kind, file.console_cert, file.console_key)?.map(Box::new);
        config.watching = Box::new(watch::watching(
            kind,
            watch::Said {
                metrics: file.metrics,
                watch_seconds: file.watch_seconds,
                webhook: file.alert_webhook,
                secret: file.alert_webhook_secret,
                ca: file.alert_webhook_ca,
            },
        )?);
        config.hubs = if run.hubs.is_empty() {
            file.hubs.unwrap_or_default()
        } else {
            run.hubs.clone()
        };
        if let Some(seconds) = run.line_seconds.or(file.line_seconds) {
            config.line_idle = line_idle(kind, seconds)?;
        }
        if let Some(ms) = run.retry_ms_max.or(file.retry_ms_max) {
            config.retry_max = Duration::from_millis(ms.max(100));
        }
        if let Some(minutes) = file.lock_after_minutes {
            config.lock_after = (minutes > 0).then(|| Duration::from_secs(minutes.saturating_mul(60)));
        }
        match file.desk_lock_seconds {
            Some(0) => {
                return Err(Failure::usage(
                    "desk_lock_seconds 要写 1 以上的秒数：页面不能不锁。缺省是 600。",
                ));
            }
            Some(seconds) => config.desk_lock = Duration::from_secs(seconds),
            None => {}
        }
        match file.follow_up_workdays {
            Some(days) if !(1..=60).contains(&days) => {
                return Err(Failure::usage(
                    "follow_up_workdays 要写 1 到 60 的工作日数：差评回访总要有期限。缺省是 5。",
                ));
            }
            Some(days) => config.follow_up_workdays = days,
            None => {}
        }
        config.log = run.log.clone().or(file.log).unwrap_or(config.log);
        config.log_format = run.log_format.or(file.log_format).unwrap_or_default();
        Ok(config)
    }
}

impl Config {
    /// Whether the pages at this address are: always beyond this machine, else where the county gave a certificate.
    #[must_use]
    pub fn is_encrypted(&self, addr: SocketAddr) -> bool {
        !addr.ip().is_loopback() || self.console_pem.is_some()
    }
}

/// Beside each other on one machine, where somebody tries both.
fn console_port(kind: Kind) -> u16 {
    match kind {
        Kind::Node => 8801,
        Kind::Hub => 8802,
    }
}

/// Reads where the pages are to be served.
fn console(kind: Kind, text: &str) -> Result<Option<SocketAddr>, Failure> {
    if text == "off" {
        return Ok(None);
    }
    match (text.parse::<SocketAddr>(), kind) {
        (Ok(addr), Kind::Hub) => Ok(Some(addr)),
        // A room's pages show people's data and are not encrypted: nobody else's machine may ask for them.
        (Ok(addr), Kind::Node) if addr.ip().is_loopback() => Ok(Some(addr)),
        (Ok(_), Kind::Node) => Err(Failure::usage(format!(
            "办事页面只能开在本机，不能开在 {text}，请改成 127.0.0.1:8801 这样的地址。"
        ))),
        (Err(_), _) => Err(Failure::usage(format!(
            "console 的写法“{text}”不对，请写 127.0.0.1:{} 这样的地址，或写 off 不打开。",
            console_port(kind)
        ))),
    }
}

/// Reads the names by which a hub's pages may be asked for.
fn console_names(kind: Kind, names: Vec<String>) -> Result<Vec<String>, Failure> {
    if kind == Kind::Node && !names.is_empty() {
        return Err(Failure::usage(
            "console_names 只有中心（cunlian-hub）能用，请删去这一行。",
        ));
    }
    let sound = |name: &String| {
        !name.is_empty() && name.len() <= 253 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
    };
    match names.iter().find(|name| !sound(name)) {
        Some(name) => Err(Failure::usage(format!(
            "console_names 里的“{name}”不是主机名，请写 hub.xx.gov.cn 这样的名字，不带 https:// 和端口。"
        ))),
        None => Ok(names),
    }
}

/// The sooner a dead line is noticed, the more a living one costs.
fn line_idle(kind: Kind, seconds: u64) -> Result<Duration, Failure> {
    match seconds {
        3..=30 if kind == Kind::Hub => Ok(Duration::from_secs(seconds)),
        _ => Err(Failure::usage(
            "line_seconds 只有中心（cunlian-hub）能用，写 3 到 30：几秒收不到下级的信号就算断线。缺省 30；越短越费流量。",
        )),
    }
}

/// A certificate comes with its key or not at all.
fn pem(kind: Kind, chain: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<Pem>, Failure> {
    match (chain, key) {
        (None, None) => Ok(None),
        (Some(chain), Some(key)) if kind == Kind::Hub => Ok(Some(Pem { chain, key })),
        (Some(_), Some(_)) => Err(Failure::usage(
            "console_cert、console_key 只有中心（cunlian-hub）能用，请删去这两行。",
        )),
        _ => Err(Failure::usage(
            "console_cert 和 console_key 要一起写：一个是证书，一个是它的私钥。",
        )),
    }
}

impl File {
    /// The file named, or `config.toml` in the data folder if there is one.
    fn find(common: &Common) -> Result<Self, Failure> {
        if let Some(path) = &common.config {
            return Self::read(path);
        }
        match common.data.as_ref().map(|data| data.join("config.toml")) {
            Some(path) if path.exists() => Self::read(&path),
            _ => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let unread = |e: std::io::Error| Failure::failed(format!("读不到配置文件 {shown}（{e}），请检查 --config。"));
        if std::fs::metadata(path).map_err(unread)?.len() > FILE_BYTES_MAX {
            return Err(Failure::failed(format!(
                "配置文件 {shown} 太大，请检查是不是选错了文件。"
            )));
        }
        let text = std::fs::read_to_string(path).map_err(unread)?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|e| {
            Failure::usage(format!(
                "配置文件 {} 有错，请改正后再试：\n{}",
                path.display(),
                e.to_string().trim_end()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(dir: &Path) -> Common {
        Common {
            data: Some(dir.to_owned()),
            config: None,
            passphrase_file: None,
            json: false,
        }
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("config.toml"),
            "listen = \"127.0.0.1:9\"\nretry_ms_max = 700\n",
        )
        .unwrap();
        let run = RunArgs {
            retry_ms_max: Some(900),
            ..RunArgs::default()
        };
        let config = Config::load(Kind::Hub, &common(dir.path()), &run, None).unwrap();
        assert_eq!(config.listen, Some("127.0.0.1:9".parse().unwrap()));
        assert_eq!(config.retry_max, Duration::from_millis(900));
        assert_eq!(config.log_format, LogFormat::Text);
    }

    #[test]
    fn an_unknown_key_is_refused_and_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), "listne = \"127.0.0.1:9\"\n").unwrap();
        let failure = Config::load(Kind::Hub, &common(dir.path()), &RunArgs::default(), None).unwrap_err();
        assert_eq!(failure.exit, 2);
        assert!(failure.message.contains("listne"), "{}", failure.message);
    }

    #[test]
    fn pages_are_for_this_machine_alone() {
        let dir = tempfile::tempdir().unwrap();
        let load = |kind, console: &str| {
            let run = RunArgs {
                console: Some(console.to_owned()),
                ..RunArgs::default()
            };
            Config::load(kind, &common(dir.path()), &run, None).map(|c| c.console)
        };
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(
            Config::new(Kind::Node, dir.path().to_owned()).console,
            at("127.0.0.1:8801")
        );
        assert_eq!(load(Kind::Node, "127.0.0.1:0").unwrap(), at("127.0.0.1:0"));
        assert_eq!(load(Kind::Node, "off").unwrap(), None);
        for wrong in ["0.0.0.0:8801", "192.168.1.5:8801", "8801", ""] {
            assert_eq!(load(Kind::Node, wrong).unwrap_err().exit, 2, "{wrong}");
        }
        // A hub's may be anywhere: beyond this machine they are encrypted.
        assert_eq!(load(Kind::Hub, "0.0.0.0:8802").unwrap(), at("0.0.0.0:8802"));
        assert_eq!(load(Kind::Hub, "8802").unwrap_err().exit, 2);
    }

    #[test]
    fn how_soon_a_dead_line_is_noticed_is_a_hubs_to_say() {
        let of = |kind, text: &str| Config::of_text(kind, text).map(|c| c.line_idle.as_secs());
        assert_eq!(of(Kind::Hub, "").unwrap(), 30);
        assert_eq!(of(Kind::Hub, "line_seconds = 6").unwrap(), 6);
        for (kind, wrong) in [
            (Kind::Hub, "line_seconds = 1"),
            (Kind::Hub, "line_seconds = 60"),
            (Kind::Node, "line_seconds = 6"),
        ] {
            assert_eq!(of(kind, wrong).unwrap_err().exit, 2, "{wrong}");
        }
    }

    #[test]
    fn a_hubs_pages_take_names_and_a_certificate_with_its_key_and_a_room_takes_neither() {
        let of = |kind, text: &str| Config::of_text(kind, text);
        let both = "console_cert = \"a.pem\"\nconsole_key = \"b.pem\"\nconsole_names = [\"hub.example\"]\n";
        let hub = of(Kind::Hub, both).unwrap();
        assert_eq!(hub.console_names, ["hub.example"]);
        assert_eq!(hub.console_pem.unwrap().key, PathBuf::from("b.pem"));
        for (kind, wrong) in [
            (Kind::Hub, "console_cert = \"a.pem\""),
            (Kind::Hub, "console_key = \"b.pem\""),
            (Kind::Hub, "console_names = [\"https://hub\"]"),
            (Kind::Node, both),
            (Kind::Node, "console_names = [\"hub.example\"]"),
        ] {
            assert_eq!(of(kind, wrong).unwrap_err().exit, 2, "{wrong}");
        }
    }

    #[test]
    fn a_desk_always_locks_and_after_what_the_file_says() {
        let lock = |text: &str| Config::of_text(Kind::Node, text).map(|c| c.desk_lock);
        assert_eq!(lock("").unwrap(), Duration::from_secs(600));
        assert_eq!(lock("desk_lock_seconds = 90").unwrap(), Duration::from_secs(90));
        assert_eq!(lock("desk_lock_seconds = 0").unwrap_err().exit, 2);
        let follow = |text: &str| Config::of_text(Kind::Hub, text).map(|c| c.follow_up_workdays);
        assert_eq!((follow("").unwrap(), follow("follow_up_workdays = 3").unwrap()), (5, 3));
        assert_eq!(follow("follow_up_workdays = 0").unwrap_err().exit, 2);
    }

    #[test]
    fn a_node_does_not_listen() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), "listen = \"127.0.0.1:9\"\n").unwrap();
        assert!(Config::load(Kind::Node, &common(dir.path()), &RunArgs::default(), None).is_err());
    }
}
