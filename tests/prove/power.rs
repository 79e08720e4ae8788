//! Power cuts in recorded runs: a new recording every few hundred points, so that the moments differ, too.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use cunlian_tests::power::points::Points;
use cunlian_tests::power::record::{self, RUNS};
use cunlian_tests::power::scratch;
use cunlian_tests::power::trace::Trace;

use crate::log::Log;
use crate::{Running, Until, is_stopping, root};

/// Where traces of failures are kept, in the workspace.
const KEPT: &str = "target/prove";
/// Cut points of one recording.
const POINTS: u64 = 500;

/// What one recording came to.
struct Cut {
    number: u64,
    points: u64,
    kinds: Vec<String>,
    broken: Vec<Broken>,
}

/// What did not hold, and the command that shows it again.
struct Broken {
    again: String,
    what: String,
}

pub(crate) fn prove(log: &Log, until: Until, jobs: usize) -> Result<u64> {
    let mut running = Running::begin(log, "power")?;
    let next = AtomicU64::new(running.row.from);
    let (send, cuts) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                while !until.is_over() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if send.send(recording(number, until)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        loop {
            match cuts.recv_timeout(Duration::from_secs(1)) {
                Ok(cut) => take(&mut running, cut)?,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            running.tick()?;
        }
        anyhow::Ok(())
    })?;
    running.end()
}

fn take(running: &mut Running<'_>, cut: Result<Cut>) -> Result<()> {
    let row = &mut running.row;
    match cut {
        Ok(cut) => {
            row.count += cut.points;
            row.faults += cut.points;
            row.to = row.to.max(cut.number);
            for kind in cut.kinds {
                row.add(&kind, 1);
            }
            row.failures += cut.broken.len() as u64;
            for Broken { again, what } in &cut.broken {
                println!("power FAILED: {what}\n  again: {again}");
                running.failed(again, what)?;
            }
        }
        // Ctrl-C reaches the recorded processes, too.
        Err(_) if is_stopping() => {}
        Err(error) => {
            row.failures += 1;
            println!("a run FAILED without any power cut: {error:#}");
            running.failed("cunlian-prove power", &format!("without any power cut: {error:#}"))?;
        }
    }
    Ok(())
}

/// Records the run of a number and cuts it at many points.
fn recording(number: u64, until: Until) -> Result<Cut> {
    let run = RUNS[(number % RUNS.len() as u64) as usize];
    let (text, trace) = record::record(&std::env::current_exe()?, run, number)?;
    let points = Points::new(trace)?;
    let mut cut = Cut {
        number,
        points: 0,
        kinds: Vec::new(),
        broken: Vec::new(),
    };
    for seed in number * POINTS..(number + 1) * POINTS {
        if until.is_over() {
            break;
        }
        let dir = tempfile::tempdir_in(scratch())?;
        let point = points.point(seed);
        cut.points += 1;
        cut.kinds.push(format!("{run} {:?}", point.weather));
        match points.try_out(point, dir.path()) {
            Ok(met) => {
                for met in met {
                    let told = [
                        (met.torn, "torn end"),
                        (met.rebuilt, "index made anew"),
                        (met.keys_damaged, "key wiped"),
                    ];
                    cut.kinds
                        .extend(told.iter().filter(|(is, _)| *is).map(|(_, what)| (*what).to_owned()));
                }
            }
            Err(error) => cut.broken.push(failed(run, number, seed, &error, &text)),
        }
    }
    Ok(cut)
}

/// A recording cannot be made a second time to the byte, so the trace of a failure is kept.
fn failed(run: &str, number: u64, seed: u64, error: &anyhow::Error, text: &str) -> Broken {
    let trace = format!("{KEPT}/{run}-{number}.trace");
    let kept = root().join(&trace);
    let saved = fs::create_dir_all(root().join(KEPT)).and_then(|()| fs::write(&kept, text));
    let at = match saved {
        Ok(()) => trace,
        Err(error) => format!("(not kept: {error})"),
    };
    Broken {
        again: format!("cunlian-prove cut --trace {at} --seed {seed}"),
        what: format!("{run} {number}, point {seed}: {error:#}"),
    }
}

/// Cuts a kept trace at the points of these seeds.
pub(crate) fn again(trace: &Path, seeds: Range<u64>, keep: Option<&Path>) -> Result<u64> {
    let text = fs::read_to_string(trace).with_context(|| trace.display().to_string())?;
    let points = Points::new(Trace::parse(&text)?)?;
    let mut broken = 0;
    for seed in seeds {
        let point = points.point(seed);
        let dir = tempfile::tempdir_in(scratch())?;
        match points.try_out(point, keep.unwrap_or(dir.path())) {
            Ok(met) => println!("{point:?}: all is well: {met:?}"),
            Err(error) => {
                broken += 1;
                println!("{error:#}");
            }
        }
    }
    Ok(broken)
}
