//! What other tools of the workspace prove, with a row for each: fuzz targets, planted bugs, the month of a full county.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, ensure};
use cunlian_tests::planted;
use serde_json::Value;

use crate::log::Log;
use crate::{Running, Until, is_stopping};

/// Per target when no time is given.
const FUZZ_SECONDS: u64 = 60;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.current_dir(root()).stdin(Stdio::null());
    cargo
}

fn fuzzer() -> Command {
    let mut cargo = cargo();
    // The command is light; the engine that it builds has a profile of its own.
    cargo.args(["run", "--quiet", "-p", "cunlian-fuzz", "--"]);
    cargo
}

/// Runs every fuzz target for its share of the time; the tool prints one line of JSON for each.
pub(crate) fn fuzz(log: &Log, until: Until) -> Result<u64> {
    let listed = fuzzer().arg("list").output().context("starting the fuzzer")?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let targets = listed.lines().filter(|line| !line.starts_with(' ')).count() as u64;
    let seconds = until
        .left()
        .map_or(FUZZ_SECONDS, |left| (left.as_secs() / targets.max(1)).max(1));
    let mut child = fuzzer()
        .args(["run", "all", "--seconds"])
        .arg(seconds.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting the fuzzer")?;
    let lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    let mut failures = 0;
    for line in lines {
        let line = line?;
        let Ok(told) = serde_json::from_str::<Value>(&line) else {
            println!("{line}");
            continue;
        };
        let target = told["target"].as_str().context("a target")?;
        let mut running = Running::begin(log, &format!("fuzz {target}"))?;
        let row = &mut running.row;
        row.count = told["inputs"].as_u64().unwrap_or(0);
        row.to = (row.from + row.count).saturating_sub(1);
        row.add("new corpus", told["new_corpus"].as_u64().unwrap_or(0));
        let crashes = told["crashes"].as_array().map_or(0, Vec::len) as u64;
        row.failures = crashes;
        failures += crashes;
        if crashes > 0 {
            println!("fuzz FAILED: {line}");
        }
        running.took(told["seconds"].as_f64().unwrap_or(0.0) as u64)?;
    }
    let status = child.wait()?;
    ensure!(
        status.success() || failures > 0 || is_stopping(),
        "the fuzzer: {status}"
    );
    Ok(failures)
}

/// Plants every bug of the lists.
pub(crate) fn planted(log: &Log, stop: &AtomicBool) -> Result<u64> {
    let bugs = planted::bugs(root())?;
    let mut running = Running::begin(log, "planted")?;
    let run = planted::Run { root: root(), stop };
    let tally = run.prove(&bugs, &mut |told| println!("{}", told.line()))?;
    if tally.told.len() < bugs.len() {
        // Ended before its end: it says nothing about all.
        return Ok(0);
    }
    let row = &mut running.row;
    row.count = tally.told.len() as u64;
    row.to = (row.from + row.count).saturating_sub(1);
    row.failures = row.count - tally.caught() as u64;
    running.end()
}

/// One simulated month of a full county.
pub(crate) fn month(log: &Log) -> Result<u64> {
    let mut running = Running::begin(log, "month")?;
    let output = cargo()
        .args(["run", "--quiet", "--release", "-p", "cunlian-sim", "--", "month"])
        .stderr(Stdio::inherit())
        .output()
        .context("starting the simulator")?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    running.row.count = 1;
    running.row.failures = u64::from(!output.status.success());
    running.end()
}
