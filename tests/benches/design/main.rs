//! Measures every target of the design beside a floor in the same run, and prints one table.
//!
//! ```text
//! cargo bench                         all sections, some minutes
//! cargo bench -- latency ingest       these only
//! cargo bench -- --full ingest held   10⁷ entries, 10,000 connections: whatever takes long
//! CUNLIAN_BENCH_CASES=30000 cargo bench -- report     a tenth of the county, to see that it works
//! CUNLIAN_BENCH_ROOMS=300,1000 cargo bench -- wall    the wall and /metrics of smaller counties
//! ```
//!
//! Rooms are real offices whose disks lie in memory; hubs have a real disk. What a hub does is timed, what its load costs is printed
//! beside it: both share this machine.

mod catchup;
mod child;
mod county;
mod crowd;
mod desk;
mod held;
mod idle;
mod inbox;
mod ingest;
mod latency;
mod lines;
mod lock;
mod machine;
mod made;
mod node;
mod pump;
mod report;
mod table;
mod visitor;
mod wall;
mod wire;

use std::process::ExitCode;

use anyhow::Result;
use table::Table;

/// How long a run may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Length {
    Usual,
    Full,
}

type Section = (&'static str, fn(&mut Table, Length) -> Result<()>);

const SECTIONS: [Section; 14] = [
    ("latency", latency::measure),
    ("wire", wire::measure),
    ("reconnect", wire::reconnect),
    ("node", node::measure),
    ("desk", desk::measure),
    ("catchup", catchup::measure),
    ("crowd", crowd::measure),
    ("idle", idle::measure),
    ("lock", lock::measure),
    ("report", report::measure),
    ("inbox", inbox::measure),
    ("wall", wall::measure),
    ("held", held::measure),
    ("ingest", ingest::measure),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(outcome) = child::run(&args) {
        return exit(outcome);
    }
    // `cargo test --all-targets` and test runners call benches too; measuring is not for them.
    if args.iter().any(|a| a == "--list" || a == "--test") || !args.iter().any(|a| a == "--bench") {
        return ExitCode::SUCCESS;
    }
    let length = if args.iter().any(|a| a == "--full") {
        Length::Full
    } else {
        Length::Usual
    };
    let asked: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .filter(|a| !a.starts_with("--"))
        .collect();
    if let Some(unknown) = asked.iter().find(|a| !SECTIONS.iter().any(|(name, _)| name == *a)) {
        let names: Vec<&str> = SECTIONS.iter().map(|(name, _)| *name).collect();
        eprintln!("no section {unknown}; there are: {}", names.join(" "));
        return ExitCode::from(2);
    }
    exit(run(&asked, length))
}

fn run(asked: &[&str], length: Length) -> Result<()> {
    let mut table = Table::default();
    for (name, measure) in SECTIONS {
        if asked.is_empty() || asked.contains(&name) {
            eprintln!("{name} …");
            let began = std::time::Instant::now();
            // One section that fails takes no other with it.
            if let Err(error) = measure(&mut table, length) {
                table.note(format!("{name}: not measured: {error:#}"));
            }
            eprintln!("{name}: {:.1} s", began.elapsed().as_secs_f64());
        }
    }
    println!("{table}");
    Ok(())
}

fn exit(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
