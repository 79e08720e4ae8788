//! Builds the engine with the house's own compiler and runs it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context, ensure};
use cunlian_fuzz::{ENGINE_TARGET, Target, home};
use serde_json::{Value, json};

/// Tells this program that cargo calls it in the compiler's place.
const WRAPS: &str = "CUNLIAN_FUZZ_WRAPS_RUSTC";
/// One input that takes longer is reported like a broken promise.
const INPUT_SECONDS_MAX: u32 = 5;
/// How the engine ends when it is told to stop.
const INTERRUPTED: i32 = 72;
/// Larger inputs are not kept in the tree.
const KEPT_BYTES_MAX: usize = 8 * 1024;
/// All kept inputs of one target together.
const KEPT_TOTAL_MAX: usize = 128 * 1024;
/// And so many of them, evenly from the shortest to the longest: every run of the tests reads them all.
const KEPT_FILES_MAX: usize = 160;

/// What libFuzzer wants to know of the code: which edges were taken, and what was compared with what.
const INSTRUMENTED: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];

/// Besides the house's own crates: those that take foreign bytes apart. Instrumenting hashes and curves would make them several times
/// slower and teach the engine nothing; nor does csv's core, which makes a table of its states anew for each reader and walks it.
const READERS: [&str; 8] = [
    "automerge",
    "csv",
    "data_encoding",
    "minicbor",
    "serde_json",
    "toml",
    "toml_parser",
    "ulid",
];

/// What compares afterwards, this crate, is not what is looked into.
const ASKS: &str = "cunlian_fuzz";

/// When cargo calls this program as its compiler wrapper: compiles, with instrumentation where it is wanted.
pub(crate) fn compile_as_wrapper() -> Option<ExitCode> {
    env::var_os(WRAPS)?;
    let args: Vec<String> = env::args().skip(1).collect();
    let (rustc, args) = args.split_first()?;
    let after = |flag: &str| args.iter().skip_while(|arg| *arg != flag).nth(1);
    let reads = after("--crate-name").is_some_and(|name| {
        name.starts_with("cunlian_") && !name.starts_with(ASKS) || READERS.contains(&name.as_str())
    });
    // Build scripts and derive macros are compiled for the host, which cargo does not name.
    let ours = reads && after("--target").is_some();
    let flags = if ours { &INSTRUMENTED[..] } else { &[] };
    let done = Command::new(rustc).args(args).args(flags).status();
    let code = done
        .ok()
        .and_then(|status| status.code())
        .and_then(|code| u8::try_from(code).ok());
    Some(ExitCode::from(code.unwrap_or(1)))
}

/// Builds the engine; answers where it lies.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let told = Command::new("rustc")
        .arg("-vV")
        .output()
        .context("asking rustc for its host")?;
    let told = String::from_utf8_lossy(&told.stdout);
    let host = told
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc names no host")?;
    // Cargo does not know what this wrapper adds: another choice is another folder.
    let instrumented = [&INSTRUMENTED[..], &READERS, &[ASKS]].concat().join(" ");
    let folder = home::work().join(format!("build-{}", home::name_of(instrumented.as_bytes())));
    let status = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "build",
            "--locked",
            "--quiet",
            "--profile",
            "fuzz",
            "--features",
            "engine",
            "--bin",
            "cunlian-fuzz-engine",
        ])
        .args(["--target", host])
        .arg("--target-dir")
        .arg(&folder)
        .env("RUSTC_WRAPPER", env::current_exe().context("finding myself")?)
        .env(WRAPS, "1")
        .env_remove("RUSTFLAGS")
        .status()
        .context("starting cargo")?;
    ensure!(status.success(), "the engine could not be built");
    Ok(folder.join(host).join("fuzz/cunlian-fuzz-engine"))
}

/// When a run ends.
pub(crate) struct Limits {
    pub(crate) inputs: Option<u64>,
    pub(crate) seconds: Option<u64>,
    pub(crate) seed: Option<u32>,
}

/// What came of a run.
pub(crate) struct Told {
    target: &'static str,
    inputs: u64,
    seconds: f64,
    new_corpus: usize,
    /// Files with inputs that broke the promise.
    pub(crate) crashes: Vec<PathBuf>,
}

impl Told {
    pub(crate) fn to_json(&self) -> Value {
        let crashes: Vec<String> = self.crashes.iter().map(|path| path.display().to_string()).collect();
        json!({
            "target": self.target,
            "inputs": self.inputs,
            "seconds": (self.seconds * 10.0).round() / 10.0,
            "per_second": (self.inputs as f64 / self.seconds.max(0.001)).round(),
            "new_corpus": self.new_corpus,
            "crashes": crashes,
        })
    }
}

/// Runs the engine on one target until a limit is reached or a promise is broken.
pub(crate) fn run(engine: &Path, target: &'static Target, limits: &Limits) -> anyhow::Result<Told> {
    let found = home::found(target);
    let (broken_before, found_before) = (files(&home::broken(target))?, files(&found)?.len());
    let begun = Instant::now();
    let mut command = command(engine, target)?;
    command.args(["-print_final_stats=1", "-reload=0", "-verbosity=1"]);
    command.arg(format!("-max_len={}", target.len_max));
    command.args(limits.inputs.map(|inputs| format!("-runs={inputs}")));
    command.args(limits.seconds.map(|seconds| format!("-max_total_time={seconds}")));
    command.args(limits.seed.map(|seed| format!("-seed={seed}")));
    command
        .arg(&found)
        .arg(home::corpus(target))
        .arg(home::regressions(target));
    let log = home::work().join(format!("{}.log", target.name));
    let written = fs::File::create(&log).with_context(|| format!("writing {}", log.display()))?;
    let status = command
        .stderr(Stdio::from(written))
        .stdout(Stdio::null())
        .status()
        .context("starting the engine")?;
    let seconds = begun.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let crashes: Vec<PathBuf> = files(&home::broken(target))?
        .difference(&broken_before)
        .cloned()
        .collect();
    ensure!(
        status.success() || status.code() == Some(INTERRUPTED) || !crashes.is_empty(),
        "the engine failed on {}; see {}",
        target.name,
        log.display()
    );
    if !crashes.is_empty() {
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with(&format!("{}: ", target.name)))
            .collect();
        eprintln!("{}", lines.join("\n"));
    }
    Ok(Told {
        target: target.name,
        inputs: stat(&text, "number_of_executed_units").unwrap_or_default(),
        seconds,
        new_corpus: files(&found)?.len().saturating_sub(found_before),
        crashes,
    })
}

/// Merges what long runs found into the tree: of the fewest inputs that reach all, small ones first, no more than fits.
pub(crate) fn keep(engine: &Path, target: &'static Target) -> anyhow::Result<()> {
    let merged = home::work().join("merged").join(target.name);
    if merged.exists() {
        fs::remove_dir_all(&merged)?;
    }
    fs::create_dir_all(&merged)?;
    let mut command = command(engine, target)?;
    command
        .arg("-merge=1")
        .arg(format!("-max_len={KEPT_BYTES_MAX}"))
        .arg(&merged);
    command.arg(home::corpus(target)).arg(home::found(target));
    let log = fs::File::create(home::work().join(format!("{}.merge.log", target.name)))?;
    let status = command
        .stderr(Stdio::from(log))
        .stdout(Stdio::null())
        .status()
        .context("starting the engine")?;
    ensure!(
        status.success(),
        "the engine could not merge the inputs of {}",
        target.name
    );
    let mut inputs: Vec<Vec<u8>> = home::inputs(&merged)?.into_iter().map(|(_, bytes)| bytes).collect();
    inputs.sort_by_key(|bytes| (bytes.len(), bytes.clone()));
    let corpus = home::corpus(target);
    fs::remove_dir_all(&corpus)?;
    fs::create_dir_all(&corpus)?;
    let all = inputs.len();
    let mut total = 0;
    inputs.retain(|bytes| {
        total += bytes.len();
        bytes.len() <= KEPT_BYTES_MAX && total <= KEPT_TOTAL_MAX
    });
    let every = inputs.len().div_ceil(KEPT_FILES_MAX).max(1);
    let mut kept = 0;
    for bytes in inputs.iter().step_by(every) {
        fs::write(corpus.join(home::name_of(bytes)), bytes)?;
        kept += 1;
    }
    println!("{}: {kept} of {all} inputs kept", target.name);
    Ok(())
}

/// The engine on a target, with its folders made and its seeds laid out.
fn command(engine: &Path, target: &Target) -> anyhow::Result<Command> {
    for folder in [
        home::found(target),
        home::broken(target),
        home::corpus(target),
        home::regressions(target),
    ] {
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    }
    for seed in (target.seeds)() {
        let path = home::found(target).join(home::name_of(&seed));
        if !path.exists() {
            fs::write(path, seed)?;
        }
    }
    let mut command = Command::new(engine);
    command.env(ENGINE_TARGET, target.name);
    command.arg(format!("-timeout={INPUT_SECONDS_MAX}"));
    command.arg(format!("-artifact_prefix={}/", home::broken(target).display()));
    Ok(command)
}

fn files(folder: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let names = home::inputs(folder).with_context(|| format!("reading {}", folder.display()))?;
    Ok(names.into_iter().map(|(name, _)| folder.join(name)).collect())
}

/// A number that the engine tells at its end: `stat::NAME: NUMBER`.
fn stat(log: &str, name: &str) -> Option<u64> {
    let line = log
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name))?;
    line.trim_start_matches(':').trim().parse().ok()
}
