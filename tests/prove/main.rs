//! Proving (证明): long runs that can be stopped and go on. Also the room's and the hub's binary, and the recorder of real runs, so
//! that one file is enough.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use cunlian_tests::power::points::Points;
use cunlian_tests::power::{record, scratch};

fn main() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    let word = args
        .get(1)
        .and_then(|word| word.to_str())
        .unwrap_or_default()
        .to_owned();
    let product = match word.as_str() {
        "node" => Some(("cunlian-node", cunlian_node::main_with as fn(Vec<OsString>) -> ExitCode)),
        "hub" => Some(("cunlian-hub", cunlian_hub::main_with as fn(Vec<OsString>) -> ExitCode)),
        _ => None,
    };
    if let Some((name, run)) = product {
        args.drain(..2);
        args.insert(0, name.into());
        return run(args);
    }
    let words: Vec<String> = args
        .iter()
        .skip(1)
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    match prove(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn prove(words: &[String]) -> Result<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let exe = std::env::current_exe()?;
    match words.as_slice() {
        ["record", run, seed] => record::play(&exe, run, seed.parse().context("a seed")?),
        ["cut", run, points] => cut(run, points.parse().context("a number")?),
        _ => bail!("cunlian-prove cut RUN POINTS, where RUN is one of {:?}", record::RUNS),
    }
}

/// Records one run and cuts it at so many points.
fn cut(run: &str, points: u64) -> Result<()> {
    let (_, trace) = record::record(&std::env::current_exe()?, run, 1)?;
    let recorded = Points::new(trace)?;
    let mut broken = 0;
    for seed in 0..points {
        let dir = tempfile::tempdir_in(scratch())?;
        if let Err(error) = recorded.try_out(recorded.point(seed), dir.path()) {
            broken += 1;
            println!("{error:#}");
        }
    }
    println!("{run}: {points} points of {} lines, {broken} broken", recorded.lines());
    Ok(())
}
