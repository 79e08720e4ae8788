//! One place of the county: a data folder, and a process of our binary that works on it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// Which of our two binaries works here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Node,
    Hub,
}

impl Kind {
    /// The first argument of the multi-call binary.
    fn word(self) -> &'static str {
        match self {
            Kind::Node => "node",
            Kind::Hub => "hub",
        }
    }
}

/// A daemon that has not come up after this long will not.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// After a request to stop; a journal is synced well before.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
/// Longest wait between two tries to reach a hub, in these counties: lines heal often here.
const RETRY_MS_MAX: &str = "1000";

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    /// 0 done, 1 failed, 2 wrong use; `None` when a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

/// A data folder with, at times, a daemon. The daemon is killed when this is dropped.
pub struct Place {
    name: String,
    kind: Kind,
    exe: PathBuf,
    data: PathBuf,
    daemon: Option<Child>,
    listen: Option<SocketAddr>,
    env: Vec<(OsString, OsString)>,
    /// Words before our own command line: a program that becomes ours.
    under: Vec<OsString>,
    host: Option<Host>,
}

/// A network of its own, in which every process of a place runs.
struct Host {
    netns: String,
    addr: IpAddr,
}

impl Place {
    /// `exe` is the multi-call binary; the folder is made by the commands that found or join.
    pub fn new(name: &str, kind: Kind, exe: &Path, data: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            exe: exe.to_owned(),
            data,
            daemon: None,
            listen: None,
            env: Vec::new(),
            under: Vec::new(),
            host: None,
        }
    }

    /// Moves this place to a network namespace, where a hub listens at `addr`. See [`crate::netns`].
    pub fn put_on(&mut self, netns: &str, addr: IpAddr) {
        self.host = Some(Host {
            netns: netns.to_owned(),
            addr,
        });
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The daemon's process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.daemon.as_ref().map(Child::id)
    }

    /// Where a running hub listens.
    pub fn listen(&self) -> Option<SocketAddr> {
        self.listen
    }

    /// Sets a variable for every process started here from now on.
    pub fn set_env(&mut self, key: &str, value: impl AsRef<OsStr>) {
        self.env.retain(|(k, _)| k != key);
        self.env.push((key.into(), value.as_ref().into()));
    }

    /// From now on the daemon is started by this program, which must become ours with the same process id, such as
    /// `strace -D …`; empty for nothing.
    pub fn set_under(&mut self, words: &[&str]) {
        self.under = words.iter().map(OsString::from).collect();
    }

    /// A command line of our binary on this folder: `--data` is filled in.
    pub fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = match &self.host {
            // It becomes our binary, with the same process id.
            Some(host) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", &host.netns]).arg(&self.exe);
                command
            }
            None => Command::new(&self.exe),
        };
        command.arg(self.kind.word()).arg("--data").arg(&self.data).args(args);
        // Port 8801 is one; who wants pages says so.
        command.env("CUNLIAN_CONSOLE", "off");
        command
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .env("CUNLIAN_RETRY_MS_MAX", RETRY_MS_MAX);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// When it cannot be started; a failure of its own is in [`Said`].
    pub fn say<A: AsRef<OsStr>>(&self, args: &[A]) -> Result<Said> {
        let output = self
            .command(args)
            .output()
            .with_context(|| format!("starting {}", self.exe.display()))?;
        Ok(Said {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a command with `--json` and reads what it prints.
    ///
    /// # Errors
    /// When it does not exit with 0, or prints no JSON.
    pub fn json<A: AsRef<OsStr>>(&self, args: &[A]) -> Result<Value> {
        let mut all: Vec<&OsStr> = args.iter().map(AsRef::as_ref).collect();
        all.push(OsStr::new("--json"));
        let said = self.say(&all)?;
        let asked = all.join(OsStr::new(" ")).to_string_lossy().into_owned();
        ensure!(
            said.status.success(),
            "{}: {asked}: exit {:?}\n{}{}",
            self.name,
            said.code(),
            said.stdout,
            said.stderr
        );
        serde_json::from_str(&said.stdout).with_context(|| format!("{}: {asked}: {:?}", self.name, said.stdout))
    }

    /// Starts the daemon and waits until it says that it is up.
    ///
    /// # Errors
    /// When it ends instead, with what it wrote; or is not up in time.
    pub fn start(&mut self) -> Result<()> {
        ensure!(self.daemon.is_none(), "{} runs already", self.name);
        // The port is the system's choice once, and the same from then on, so that whoever knows it finds the hub again.
        let ip = self.host.as_ref().map_or(Ipv4Addr::LOCALHOST.into(), |host| host.addr);
        let port = self.listen.unwrap_or(SocketAddr::new(ip, 0)).to_string();
        let args = match self.kind {
            Kind::Node => vec!["run".to_owned()],
            Kind::Hub => vec!["run".to_owned(), "--listen".to_owned(), port],
        };
        for told in ["api", "listen"] {
            drop(fs::remove_file(self.data.join(told)));
        }
        let out = File::create(self.log_path("out"))?;
        let log = File::options().create(true).append(true).open(self.log_path("log"))?;
        let mut command = under(&self.under, self.command(&args));
        let daemon = command
            .stdout(out)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", self.name))?;
        self.daemon = Some(daemon);
        let deadline = Instant::now() + START_PATIENCE;
        while !self.is_up()? {
            if Instant::now() > deadline {
                self.kill();
                bail!("{} did not come up\n{}", self.name, self.log_tail());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn is_up(&mut self) -> Result<bool> {
        if !self.is_running() {
            self.daemon = None;
            bail!("{} ended at its start\n{}", self.name, self.log_tail());
        }
        // A daemon says where it is found once it answers, each file in one go.
        if !self.data.join("api").exists() {
            return Ok(false);
        }
        if self.kind == Kind::Hub {
            let Ok(addr) = fs::read_to_string(self.data.join("listen")) else {
                return Ok(false);
            };
            self.listen = Some(
                addr.trim()
                    .parse()
                    .with_context(|| format!("{}: {addr:?}", self.name))?,
            );
        }
        Ok(true)
    }

    /// Whether the daemon is alive.
    pub fn is_running(&mut self) -> bool {
        self.daemon
            .as_mut()
            .is_some_and(|daemon| matches!(daemon.try_wait(), Ok(None)))
    }

    /// SIGKILL: as if the power went.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            drop(daemon.kill());
            drop(daemon.wait());
        }
    }

    /// Asks the daemon to stop (SIGTERM; on Windows there is no such request, so it is ended) and waits.
    ///
    /// # Errors
    /// When it does not stop in time or does not exit with 0.
    pub fn stop(&mut self) -> Result<()> {
        let Some(daemon) = self.daemon.as_mut() else {
            return Ok(());
        };
        request_stop(daemon)?;
        let deadline = Instant::now() + STOP_PATIENCE;
        loop {
            if let Some(status) = daemon.try_wait()? {
                self.daemon = None;
                ensure!(
                    status.success() || cfg!(windows),
                    "{}: {status}\n{}",
                    self.name,
                    self.log_tail()
                );
                return Ok(());
            }
            if Instant::now() > deadline {
                self.kill();
                bail!("{} did not stop when asked\n{}", self.name, self.log_tail());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Copies the data folder, as an office that clones a disk or makes a backup does.
    ///
    /// # Errors
    /// From the file system.
    pub fn copy_data(&self, to: &Path) -> Result<()> {
        copy_folder(&self.data, to).with_context(|| format!("copying {}", self.data.display()))
    }

    /// Puts a copy in the place of the data folder.
    ///
    /// # Errors
    /// When the daemon runs; from the file system.
    pub fn restore_data(&self, from: &Path) -> Result<()> {
        ensure!(self.daemon.is_none(), "{} runs", self.name);
        fs::remove_dir_all(&self.data)?;
        copy_folder(from, &self.data).with_context(|| format!("restoring {}", self.data.display()))
    }

    /// The last lines that the daemon logged, for the message of a failed test.
    pub fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log_path("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Writes into the daemon's log what a test does to it, so that both are read in one go.
    pub fn mark(&self, what: &str) {
        let log = File::options().create(true).append(true).open(self.log_path("log"));
        drop(log.and_then(|mut log| writeln!(log, "--- {what}")));
    }

    /// Beside the folder, never in it: what lies in it is the product's alone.
    fn log_path(&self, kind: &str) -> PathBuf {
        self.data.with_extension(kind)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The same command, started by another program.
fn under(words: &[OsString], command: Command) -> Command {
    let Some((first, rest)) = words.split_first() else {
        return command;
    };
    let mut outer = Command::new(first);
    outer.args(rest).arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(key, value),
            None => outer.env_remove(key),
        };
    }
    outer.stdin(Stdio::null());
    outer
}

#[cfg(unix)]
fn request_stop(daemon: &mut Child) -> io::Result<()> {
    Command::new("kill")
        .args(["-TERM", &daemon.id().to_string()])
        .status()
        .map(drop)
}

#[cfg(not(unix))]
fn request_stop(daemon: &mut Child) -> io::Result<()> {
    daemon.kill()
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_folder(&source, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}
