//! What other tools of the workspace prove, with a row for each: fuzz targets, planted bugs, the month of a full county.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cunlian_tests::planted;
use serde_json::Value;
use sim::month::Month;

use crate::log::{LISTED, Log};
use crate::{Running, Until, is_stopping, root};

/// A target runs so long before the one that has had the fewest inputs is chosen anew.
const TURN: Duration = Duration::from_secs(300);

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
    let crashes = told["crashes"].as_array().cloned().unwrap_or_default();
    row.failures = crashes.len() as u64;
    let failures = row.failures;
    for input in crashes.iter().filter_map(Value::as_str) {
        crashed(&running, target, Path::new(input), &printed)?;
    }
    running.took(told["seconds"].as_f64().unwrap_or(0.0) as u64)?;
    Ok(failures)
}

/// Notes a broken promise, with its input beside those that are told in every run of the tests.
fn crashed(running: &Running<'_>, target: &str, input: &Path, printed: &str) -> Result<()> {
    let name = input.file_name().unwrap_or(input.as_os_str());
    let kept = Path::new("crates/fuzz/regressions").join(target).join(name);
    let into = root().join(&kept);
    fs::create_dir_all(into.parent().unwrap_or(&into))?;
    fs::copy(input, &into).with_context(|| input.display().to_string())?;
    println!("fuzz FAILED: {printed}");
    let again = format!("cargo run -p cunlian-fuzz -- try {target} {}", kept.display());
    running.failed(&again, "a promise was broken")
}

/// Plants the bugs of the lists, from where the last run ended; those of one test program together, and time ends it between two.
pub(crate) fn planted(log: &Log, until: Until, stop: &AtomicBool) -> Result<u64> {
    let mut bugs = planted::bugs(root())?;
    bugs.sort_by(|a, b| a.check.target().cmp(&b.check.target()));
    let mut running = Running::begin(log, "planted")?;
    running.row.add(LISTED, bugs.len() as u64);
    let run = planted::Run { root: root(), stop };
    let from = usize::try_from(running.row.from)? % bugs.len().max(1);
    bugs.rotate_left(from);
    for chosen in bugs.chunk_by(|a, b| a.check.target() == b.check.target()) {
        if until.is_over() {
            break;
        }
        let tally = run.prove(chosen, &mut |told| println!("{}", told.line()))?;
        for told in &tally.told {
            running.row.count += 1;
            running.row.to = running.row.from + running.row.count - 1;
            if !matches!(told.outcome, planted::Outcome::Caught(_)) {
                running.row.failures += 1;
                let again = format!(
                    "cargo run -p cunlian-tests --bin cunlian-planted -- --only \"{}\"",
                    told.name
                );
                running.failed(&again, &told.line())?;
            }
        }
        running.save()?;
    }
    running.end()
}

/// One simulated month of a full county, with its figures in the row.
pub(crate) fn month(log: &Log) -> Result<u64> {
    let mut running = Running::begin(log, "month")?;
    let month = Month::full(running.row.from + 1);
    let began = Instant::now();
    let figures = sim::month::run(month, &mut |text| {
        eprintln!("{:>6} s  {text}", began.elapsed().as_secs())
    })?;
    println!("{figures}");
    running.row.count = 1;
    running.row.failures = u64::from(!figures.failure().is_empty());
    for (kind, figure) in figures.kinds() {
        running.row.add(&kind, figure);
    }
    if !figures.failure().is_empty() {
        let again = format!("cargo run --release -p cunlian-sim -- month --seed {}", month.seed);
        running.failed(&again, &figures.failure().join("; "))?;
    }
    running.end()
}
