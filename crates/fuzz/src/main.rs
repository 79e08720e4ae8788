//! The command that builds the fuzzing engine, runs targets and keeps their inputs. `cargo run -p cunlian-fuzz -- help` teaches.

mod driver;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use cunlian_fuzz::Target;

/// Fuzzes everything that reads bytes from outside.
#[derive(Parser)]
#[command(name = "cunlian-fuzz")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shows the targets and what is promised of each.
    List,
    /// Builds the engine: libFuzzer and the readers, instrumented by the stable compiler.
    Build,
    /// Runs targets one after the other and prints one JSON line for each; exit code 1 when a promise was broken.
    Run(Run),
    /// Puts into the tree the fewest inputs that together reach all that any input of the tree or of long runs reaches.
    Keep {
        /// Names of targets, or `all`.
        #[arg(required = true)]
        targets: Vec<String>,
    },
    /// Gives files to a target once, without the engine.
    Try {
        target: String,
        #[arg(required = true)]
        files: Vec<std::path::PathBuf>,
    },
}

/// How long to run. Both limits hold; without any, ten seconds.
#[derive(Args)]
struct Run {
    /// Names of targets, or `all`.
    #[arg(required = true)]
    targets: Vec<String>,
    /// Stop after so many inputs.
    #[arg(long)]
    inputs: Option<u64>,
    /// Stop after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Makes a run repeatable as long as nothing else changes.
    #[arg(long)]
    seed: Option<u32>,
}

fn main() -> ExitCode {
    if let Some(code) = driver::compile_as_wrapper() {
        return code;
    }
    match act(&Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn act(cli: &Cli) -> anyhow::Result<ExitCode> {
    match &cli.command {
        Command::List => {
            for target in cunlian_fuzz::all() {
                println!("{}\n    {}", target.name, target.promise);
            }
        }
        Command::Build => drop(driver::build()?),
        Command::Run(run) => {
            let engine = driver::build()?;
            let limits = driver::Limits {
                inputs: run.inputs,
                seconds: run.seconds.or(run.inputs.is_none().then_some(10)),
                seed: run.seed,
            };
            let mut broken = false;
            for target in chosen(&run.targets)? {
                let told = driver::run(&engine, target, &limits)?;
                println!("{}", told.to_json());
                broken |= !told.crashes.is_empty();
            }
            return Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        Command::Keep { targets } => {
            let engine = driver::build()?;
            for target in chosen(targets)? {
                driver::keep(&engine, target)?;
            }
        }
        Command::Try { target, files } => {
            let target = one(target)?;
            for file in files {
                let data = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
                cunlian_fuzz::check(target, &data).map_err(|broken| anyhow::anyhow!("{}: {broken}", file.display()))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn one(name: &str) -> anyhow::Result<&'static Target> {
    cunlian_fuzz::named(name).with_context(|| format!("there is no target `{name}`; `list` shows them"))
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Target>> {
    if names.iter().any(|name| name == "all") {
        return Ok(cunlian_fuzz::all().iter().collect());
    }
    names.iter().map(|name| one(name)).collect()
}
