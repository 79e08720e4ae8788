//! Plants bugs in a copy of our own code and sees that the named checks go red.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::Parser;
use cunlian_tests::planted::{self, Bug, Run, Told};

/// The bugs of one day.
const OF_DAY: usize = 3;

/// Plants bugs in a copy of the tree, one at a time; exits with 1 when a check stays green over one.
#[derive(Parser)]
#[command(name = "cunlian-planted")]
struct Arguments {
    #[command(flatten)]
    which: Which,
    /// The day for --of-day, in days since 1970; today without it
    #[arg(long)]
    day: Option<u64>,
    /// Print one JSON document at the end, and nothing else
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Every bug of the lists
    #[arg(long)]
    all: bool,
    /// Three bugs, others every day
    #[arg(long)]
    of_day: bool,
    /// The bugs whose name, class, file or test has this in it
    #[arg(long, value_name = "WORDS")]
    only: Option<String>,
    /// Name them and their checks, and run nothing
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the tests lie in no workspace")?;
    let bugs = planted::bugs(root)?;
    let faults = planted::faults(root, &bugs);
    anyhow::ensure!(
        faults.is_empty(),
        "the lists do not fit the code:\n{}",
        faults.join("\n")
    );
    let chosen = chosen(arguments, &bugs)?;
    if arguments.which.list {
        for bug in &chosen {
            println!(
                "{} ({})\n    {}\n    {}",
                bug.name,
                bug.class,
                bug.file,
                bug.check.filter()
            );
        }
        println!("{} planted bugs", chosen.len());
        return Ok(ExitCode::SUCCESS);
    }
    anyhow::ensure!(!chosen.is_empty(), "no bug of that name");
    let stop = listen()?;
    let mut each = |told: &Told| {
        if !arguments.json {
            println!("{}", told.line());
        }
    };
    let run = Run { root, stop: &stop };
    let tally = run.prove(&chosen, &mut each)?;
    match arguments.json {
        true => println!("{:#}", tally.json()),
        false => println!("{}", tally.sum(chosen.len())),
    }
    Ok(if stop.load(Ordering::Relaxed) {
        ExitCode::from(130)
    } else if tally.is_whole() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn chosen(arguments: &Arguments, bugs: &[Bug]) -> anyhow::Result<Vec<Bug>> {
    if arguments.which.of_day {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .context("the clock stands before 1970")?;
        let day = arguments.day.unwrap_or(now.as_secs() / 86_400);
        return Ok(planted::of_day(bugs, day, OF_DAY));
    }
    let Some(words) = &arguments.which.only else {
        return Ok(bugs.to_vec());
    };
    let has = |bug: &&Bug| {
        let texts = [&bug.name, &bug.class, &bug.file, &bug.check.test];
        texts.iter().any(|text| text.contains(words.as_str()))
    };
    Ok(bugs.iter().filter(has).cloned().collect())
}

/// Ctrl-C ends the run between two polls: what was begun is ended with it, and the copy is made sound by the next run.
fn listen() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("listening for Ctrl-C")?;
    thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            raised.store(true, Ordering::Relaxed);
        }
    });
    Ok(stop)
}
