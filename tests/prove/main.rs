//! Proving (证明): long runs that can be stopped and go on, each adding its row to `crates/sim/PROOF.md`.
//!
//! ```text
//!   cunlian-prove seeds --for 20m     simulated counties, from the next seed on
//!   cunlian-prove power --for 20m     power cuts in recorded system calls of real runs
//!   cunlian-prove kill --for 20m      SIGKILLs of real processes
//!   cunlian-prove fuzz|planted        what those tools prove, with a row for each
//!   cunlian-prove month               one month of a full county, which no limit ends before its end
//!   cunlian-prove again               every county that was red, once more
//!   cunlian-prove all --for 2h        each of them, the time shared out
//! ```
//!
//! Ctrl-C ends a run in order: what was done is in the log. Also the room's and the hub's binary and the recorder of real runs, so
//! that one file is enough.

mod kills;
mod log;
mod power;
mod seeds;
mod tools;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand, ValueEnum};
use cunlian_tests::power::record;

use log::{Log, Row};

static STOPPING: AtomicBool = AtomicBool::new(false);

/// A row is brought up to date this often, so that a machine that dies takes little.
const SAVE_EVERY: Duration = Duration::from_secs(30);

/// Proves at length what the tests prove in minutes, and goes on where the log ends.
#[derive(Parser, Debug)]
#[command(name = "cunlian-prove", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    other: Option<Other>,
    #[arg(value_enum, default_value = "all")]
    section: Section,
    /// How long, in all: 90s, 20m, 2h; without it until Ctrl-C (`all`: 10 minutes)
    #[arg(long = "for", value_parser = duration)]
    time: Option<Duration>,
    /// Threads for seeds and power cuts
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Days of faults in each simulated county
    #[arg(long, default_value_t = 10)]
    days: u64,
    /// The log
    #[arg(long, value_name = "FILE.md", default_value_os_t = log_path())]
    log: PathBuf,
}

#[derive(Subcommand, Debug)]
enum Other {
    /// Plays a run, under strace
    #[command(hide = true)]
    Record { run: String, seed: u64 },
    /// Cuts a kept trace once more where a failure said
    Cut {
        #[arg(long)]
        trace: PathBuf,
        #[arg(long)]
        seed: u64,
        /// So many seeds from there on
        #[arg(long, default_value_t = 1)]
        points: u64,
        /// The folders as the power left them are kept here
        #[arg(long)]
        keep: Option<PathBuf>,
    },
    /// Besieges one county once more, as a failure said
    Besiege {
        #[arg(long)]
        seed: u64,
    },
    /// Tells every county of the log's failures once more, and marks those that are green now
    Again,
    /// Brings the head of the log up to date
    Sum,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Section {
    Seeds,
    Power,
    Kill,
    Fuzz,
    Planted,
    Month,
    All,
}

/// Where the work of one section ends.
#[derive(Clone, Copy)]
pub(crate) struct Until(Option<Instant>);

impl Until {
    pub(crate) fn is_over(self) -> bool {
        is_stopping() || self.0.is_some_and(|end| Instant::now() >= end)
    }

    /// What is left; `None` without a limit.
    pub(crate) fn left(self) -> Option<Duration> {
        self.0.map(|end| end.saturating_duration_since(Instant::now()))
    }
}

pub(crate) fn is_stopping() -> bool {
    STOPPING.load(Ordering::Relaxed)
}

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
    match prove(&Arguments::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failures) => {
            println!("{failures} FAILED");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

/// Answers how many things did not hold.
fn prove(arguments: &Arguments) -> Result<u64> {
    let exe = std::env::current_exe()?;
    match &arguments.other {
        Some(Other::Record { run, seed }) => return record::play(&exe, run, *seed).map(|()| 0),
        Some(Other::Cut {
            trace,
            seed,
            points,
            keep,
        }) => return power::again(trace, *seed..*seed + points, keep.as_deref()),
        Some(Other::Besiege { seed }) => return kills::again(&exe, *seed),
        Some(Other::Again) => return Log::open(&arguments.log)?.again(&mut seeds::is_green),
        Some(Other::Sum) => return Log::open(&arguments.log)?.sum().map(|()| 0),
        None => {}
    }
    listen()?;
    // A panic is caught and told with its seed; sled's are what the store guards against.
    std::panic::set_hook(Box::new(|_| {}));
    let sections = match arguments.section {
        Section::All => vec![
            Section::Seeds,
            Section::Power,
            Section::Kill,
            Section::Fuzz,
            Section::Planted,
            Section::Month,
        ],
        one => vec![one],
    };
    let whole = match arguments.section {
        Section::All => Some(arguments.time.unwrap_or(Duration::from_secs(600))),
        _ => arguments.time,
    };
    let mut failures = 0;
    for section in &sections {
        if is_stopping() {
            break;
        }
        let share = whole.map(|whole| whole / sections.len() as u32);
        let until = Until(share.map(|share| Instant::now() + share));
        let log = Log::open(&arguments.log)?;
        failures += match section {
            Section::Seeds => seeds::prove(&log, until, arguments.jobs, arguments.days)?,
            Section::Power => power::prove(&log, until, arguments.jobs)?,
            Section::Kill => kills::prove(&log, until)?,
            Section::Fuzz => tools::fuzz(&log, until)?,
            Section::Planted => tools::planted(&log, until, &STOPPING)?,
            Section::Month => tools::month(&log)?,
            Section::All => bail!("all is not one of all"),
        };
    }
    Ok(failures)
}

/// From now on Ctrl-C ends the run in order.
fn listen() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("listening for Ctrl-C")?;
    std::thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            STOPPING.store(true, Ordering::Relaxed);
        }
    });
    Ok(())
}

/// The workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn log_path() -> PathBuf {
    root().join("crates/sim/PROOF.md")
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let times = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("90s, 20m or 2h".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "90s, 20m or 2h".to_owned())?;
    Ok(Duration::from_secs(number * times))
}

/// A row that grows while its section runs.
pub(crate) struct Running<'a> {
    log: &'a Log,
    pub(crate) row: Row,
    began: Instant,
    saved: Instant,
}

impl<'a> Running<'a> {
    pub(crate) fn begin(log: &'a Log, section: &str) -> Result<Self> {
        let now = Instant::now();
        let mut row = Row::begin(section);
        row.from = log.next(section)?;
        row.to = row.from;
        Ok(Self {
            log,
            row,
            began: now,
            saved: now,
        })
    }

    /// Writes the row when it is time to.
    pub(crate) fn tick(&mut self) -> Result<()> {
        match self.saved.elapsed() >= SAVE_EVERY {
            true => self.save(),
            false => Ok(()),
        }
    }

    pub(crate) fn save(&mut self) -> Result<()> {
        self.saved = Instant::now();
        self.row.seconds = self.began.elapsed().as_secs();
        match self.row.is_empty() {
            true => Ok(()),
            false => self.log.put(&self.row),
        }
    }

    /// Notes a failure with the command that shows it again.
    pub(crate) fn failed(&self, again: &str, what: &str) -> Result<()> {
        self.log.failed(&self.row, again, what)
    }

    /// Ends a row whose time another program took.
    pub(crate) fn took(mut self, seconds: u64) -> Result<()> {
        self.row.seconds = seconds;
        println!("{}", self.row.told());
        match self.row.is_empty() {
            true => Ok(()),
            false => self.log.put(&self.row),
        }
    }

    /// The last state of the row, and one line for whoever looks on.
    pub(crate) fn end(mut self) -> Result<u64> {
        self.save()?;
        println!("{}", self.row.told());
        Ok(self.row.failures)
    }
}
