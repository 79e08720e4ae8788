//! Proving: long runs that can be stopped and go on.

use std::ffi::OsString;
use std::process::ExitCode;

use cunlian_tests::power::points::Points;
use cunlian_tests::power::{record, scratch};

fn main() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    let word = args
        .get(1)
        .and_then(|word| word.to_str())
        .unwrap_or_default()
        .to_owned();
    match word.as_str() {
        "node" => {
            args.drain(..2);
            args.insert(0, "cunlian-node".into());
            return cunlian_node::main_with(args);
        }
        "hub" => {
            args.drain(..2);
            args.insert(0, "cunlian-hub".into());
            return cunlian_hub::main_with(args);
        }
        _ => {}
    }
    let text: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let done = match word.as_str() {
        "record" => record::play(
            &std::env::current_exe().expect("x"),
            &text[2],
            text[3].parse().expect("seed"),
        ),
        "try" => try_out(&text[2], text[3].parse().expect("n")),
        _ => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e:#}");
            ExitCode::FAILURE
        }
    }
}

fn try_out(run: &str, n: u64) -> anyhow::Result<()> {
    let began = std::time::Instant::now();
    let (_, trace) = record::record(&std::env::current_exe()?, run, 1)?;
    let points = Points::new(trace)?;
    eprintln!("recorded in {:?}, {} lines", began.elapsed(), points.lines());
    let began = std::time::Instant::now();
    let (mut bad, mut torn, mut rebuilt, mut keys, mut fresh) = (0, 0, 0, 0, 0);
    for seed in 0..n {
        let dir = tempfile::tempdir_in(scratch())?;
        match points.try_out(points.point(seed), dir.path()) {
            Ok(met) => {
                for m in met {
                    torn += u64::from(m.torn);
                    rebuilt += u64::from(m.rebuilt);
                    keys += u64::from(m.keys_damaged);
                    fresh += u64::from(m.fresh);
                }
            }
            Err(e) => {
                bad += 1;
                if bad < 20 {
                    eprintln!("{:?}: {:#}", points.point(seed), e);
                }
            }
        }
    }
    eprintln!(
        "{n} points, {bad} bad, torn {torn} rebuilt {rebuilt} keys {keys} fresh {fresh} in {:?}",
        began.elapsed()
    );
    Ok(())
}
