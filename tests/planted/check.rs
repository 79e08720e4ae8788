//! Building and running one check.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

use super::bug::Check;
use super::outcome::Seen;
use super::tree::Tree;

/// A check that runs longer than this hangs.
const RUN_MAX: Duration = Duration::from_secs(300);
/// On a machine with nothing built, most of it goes to other people's crates.
const BUILD_MAX: Duration = Duration::from_secs(900);
const POLL: Duration = Duration::from_millis(20);

/// Where checks are built and run.
pub(super) struct Bench<'a> {
    dir: PathBuf,
    target: PathBuf,
    stop: &'a AtomicBool,
}

/// A test program, and the folder of its package.
pub(super) struct Program {
    path: PathBuf,
    home: PathBuf,
}

struct Ended {
    /// Nothing when it was ended by us.
    status: Option<ExitStatus>,
    out: String,
    err: String,
}

impl<'a> Bench<'a> {
    pub(super) fn new(tree: &Tree, stop: &'a AtomicBool) -> Self {
        Self {
            dir: tree.dir().to_owned(),
            target: tree.target().to_owned(),
            stop,
        }
    }

    /// Builds the check in the tree as it is now, and runs it.
    pub(super) fn run(&self, check: &Check) -> anyhow::Result<Seen> {
        match self.build(check)? {
            Ok(program) => self.test(&program, check),
            Err(seen) => Ok(seen),
        }
    }

    /// Builds the test program that has the check, and its neighbours, in the tree as it is now.
    pub(super) fn build(&self, check: &Check) -> anyhow::Result<Result<Program, Seen>> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args([
                "test",
                "--no-run",
                "--offline",
                "--message-format=json-render-diagnostics",
            ])
            .args(["-p", &check.package]);
        match &check.binary {
            Some(binary) => cargo.args(["--test", binary]),
            None => cargo.arg("--lib"),
        };
        cargo
            .current_dir(&self.dir)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_TERM_COLOR", "never");
        let built = self.wait(&mut cargo, BUILD_MAX).context("running cargo")?;
        if !built.status.is_some_and(|status| status.success()) {
            let first = built.err.lines().find(|line| line.starts_with("error"));
            let error = first.unwrap_or("cargo was ended").to_owned();
            return Ok(Err(Seen::DoesNotBuild(error)));
        }
        let unnamed = || Seen::DoesNotBuild("cargo names no test program".to_owned());
        Ok(executable(&built.out).ok_or_else(unnamed))
    }

    /// Runs one test of a program that was built.
    pub(super) fn test(&self, program: &Program, check: &Check) -> anyhow::Result<Seen> {
        let mut test = Command::new(&program.path);
        test.args(["--exact", &check.test, "--nocapture"])
            .current_dir(&program.home)
            .env("CARGO_MANIFEST_DIR", &program.home)
            .env("RUST_BACKTRACE", "0");
        let ran = self.wait(&mut test, RUN_MAX).context("running the check")?;
        Ok(judge(&ran))
    }

    /// Lets it run until it ends, its time is up, or we are asked to stop. What it says goes to files: a pipe could fill.
    fn wait(&self, command: &mut Command, max: Duration) -> anyhow::Result<Ended> {
        let (mut out, mut err) = (tempfile::tempfile()?, tempfile::tempfile()?);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(err.try_clone()?)
            .spawn()?;
        let status = self.until(&mut child, Instant::now() + max)?;
        Ok(Ended {
            status,
            out: text(&mut out)?,
            err: text(&mut err)?,
        })
    }

    fn until(&self, child: &mut Child, latest: Instant) -> anyhow::Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() > latest || self.stop.load(Ordering::Relaxed) {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            thread::sleep(POLL);
        }
    }
}

fn text(file: &mut File) -> anyhow::Result<String> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The test program that cargo built.
fn executable(messages: &str) -> Option<Program> {
    let mut built = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    built.find_map(|message| {
        let program = message.get("executable")?.as_str()?;
        let manifest = message.get("manifest_path")?.as_str()?;
        message.get("profile")?.get("test")?.as_bool()?.then_some(())?;
        Some(Program {
            path: PathBuf::from(program),
            home: Path::new(manifest).parent()?.to_owned(),
        })
    })
}

fn judge(ran: &Ended) -> Seen {
    let Some(status) = ran.status else { return Seen::Hangs };
    let ran_one = ran.out.contains("running 1 test");
    match status.code() {
        _ if !ran_one => Seen::NoSuchTest,
        Some(0) if ran.out.contains("1 passed") => Seen::Green,
        Some(0) => Seen::NoSuchTest,
        // What the test harness answers when an assertion failed.
        Some(101) => Seen::Red(said(&ran.err)),
        _ => Seen::Crashed(status.to_string()),
    }
}

/// Where it failed and the first words about it.
fn said(err: &str) -> String {
    let mut lines = err.lines().skip_while(|line| !line.contains("panicked at"));
    let place = lines.next().and_then(|line| line.split("panicked at ").nth(1));
    let place = place.unwrap_or("an unknown place").trim_end_matches(':');
    let words: String = lines.next().unwrap_or_default().trim().chars().take(120).collect();
    format!("{place}: {words}")
}
