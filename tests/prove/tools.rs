//! What other tools of the workspace prove, with a row for each: fuzz targets, planted bugs, the month of a full county.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cunlian_tests::planted;
use serde_json::Value;

use crate::log::Log;
use crate::{Running, Until, is_stopping};

/// A target runs so long before the one that has had the fewest inputs is chosen anew.
const TURN: Duration = Duration::from_secs(300);

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

/// Runs fuzz targets in turn, always the one that has had the fewest inputs of all.
pub(crate) fn fuzz(log: &Log, until: Until) -> Result<u64> {
    let listed = fuzzer().arg("list").output().context("starting the fuzzer")?;
    ensure!(listed.status.success(), "the fuzzer: {}", listed.status);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let targets = listed.lines().filter(|line| !line.starts_with(' '));
    let targets: Vec<&str> = targets.filter_map(|line| line.split_whitespace().next()).collect();
    let mut failures = 0;
    while !until.is_over() {
        let inputs = targets
            .iter()
            .map(|target| Ok((log.next(&format!("fuzz {target}"))?, *target)));
        let (_, target) = inputs
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .min()
            .context("no targets")?;
        let turn = until.left().map_or(TURN, |left| left.min(TURN)).as_secs();
        if turn == 0 {
            break;
        }
        failures += fuzz_one(log, target, turn)?;
    }
    Ok(failures)
}

/// One turn of one target; the tool prints one line of JSON for it.
fn fuzz_one(log: &Log, target: &str, seconds: u64) -> Result<u64> {
    let mut running = Running::begin(log, &format!("fuzz {target}"))?;
    let output = fuzzer()
        .args(["run", target, "--seconds", &seconds.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .context("starting the fuzzer")?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = printed
        .lines()
        .find_map(|line| serde_json::from_str::<Value>(line).ok().filter(Value::is_object));
    let Some(told) = told else {
        ensure!(is_stopping(), "the fuzzer: {}: {printed}", output.status);
        return Ok(0);
    };
    let row = &mut running.row;
    row.count = told["inputs"].as_u64().unwrap_or(0);
    row.to = (row.from + row.count).saturating_sub(1);
    row.add("new corpus", told["new_corpus"].as_u64().unwrap_or(0));
    row.failures = told["crashes"].as_array().map_or(0, Vec::len) as u64;
    let failures = row.failures;
    if failures > 0 {
        println!("fuzz FAILED: {printed}");
    }
    running.took(told["seconds"].as_f64().unwrap_or(0.0) as u64)?;
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
