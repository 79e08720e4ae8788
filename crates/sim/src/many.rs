//! Many seeds at once: threads, progress, sums, and an end by Ctrl-C that tells what was reached.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;
use sim::fault::Faults;
use sim::oracle::{ALL, Check};
use sim::under_way::UnderWay;
use sim::{Shape, Verdict};

static STOPPING: AtomicBool = AtomicBool::new(false);

/// How often the bar is drawn.
const EVERY: Duration = Duration::from_millis(200);
/// On what is no terminal.
const SELDOM: Duration = Duration::from_secs(30);

const HANGS: &str = "its story does not end";

/// Whether Ctrl-C was pressed.
pub(crate) fn is_stopping() -> bool {
    STOPPING.load(Ordering::Relaxed)
}

/// From now on Ctrl-C ends the run in order. Where the system does not let us listen it ends it as ever.
pub(crate) fn listen() {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        if let Ok(runtime) = runtime
            && runtime.block_on(tokio::signal::ctrl_c()).is_ok()
        {
            STOPPING.store(true, Ordering::Relaxed);
        }
    });
}

/// What many seeds came to.
#[derive(Default)]
struct Sum {
    seeds: u64,
    failed: Vec<(u64, String)>,
    faults: Faults,
    node_seconds: u64,
    deeds: u64,
    events: u64,
    healed_ms: Vec<u64>,
    checks: BTreeMap<Check, u64>,
    excused: u64,
}

/// In so many stories every check has something to compare; one that never had would prove nothing.
const ALL_CHECKED_FROM: u64 = 20;

impl Sum {
    fn add(&mut self, verdict: &Verdict) {
        self.seeds += 1;
        self.faults.merge(&verdict.faults);
        self.node_seconds += verdict.node_seconds;
        self.deeds += verdict.deeds;
        self.events += verdict.events;
        self.healed_ms.extend(verdict.healed_ms);
        self.excused += verdict.excused;
        for (check, times) in &verdict.checks {
            *self.checks.entry(*check).or_default() += times;
        }
        if let Some(failure) = &verdict.failure {
            self.failed.push((verdict.seed, failure.clone()));
        }
    }

    fn compared(&self, check: Check) -> u64 {
        self.checks.get(&check).copied().unwrap_or(0)
    }

    /// Checks that have compared nothing in all these stories.
    fn idle_checks(&self) -> Vec<String> {
        let idle = ALL.iter().filter(|check| self.compared(**check) == 0);
        match self.seeds {
            0..ALL_CHECKED_FROM => Vec::new(),
            _ => idle.map(Check::to_string).collect(),
        }
    }

    fn is_well(&self) -> bool {
        self.failed.is_empty() && self.idle_checks().is_empty()
    }

    fn node_years(&self) -> f64 {
        self.node_seconds as f64 / (365.0 * 86_400.0)
    }
}

/// Runs so many seeds; returns whether all went well.
pub(crate) fn run(from: u64, seeds: u64, shape: &Shape, jobs: usize, as_json: bool) -> bool {
    listen();
    // A panic is caught and told with its seed; its own words in between would tear the bar.
    std::panic::set_hook(Box::new(|_| {}));
    let began = Instant::now();
    let next = AtomicU64::new(from);
    let (send, verdicts) = mpsc::channel::<Verdict>();
    let mut sum = Sum::default();
    let under_way = UnderWay::default();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (send, next, under_way) = (send.clone(), &next, &under_way);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds || is_stopping() || send.send(under_way.run(seed, shape)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let bar = std::io::stderr().is_terminal();
        let mut drawn = Instant::now();
        loop {
            match verdicts.recv_timeout(EVERY) {
                Ok(verdict) => {
                    told(&verdict, as_json);
                    sum.add(&verdict);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            if let Some(seed) = under_way.hangs() {
                println!("\rseed {seed} FAILED: {HANGS}");
                sum.seeds += 1;
                sum.failed.push((seed, HANGS.to_owned()));
                finish(&sum, shape, began, as_json);
                // Its thread will never end.
                std::process::exit(1);
            }
            if drawn.elapsed() >= if bar { EVERY } else { SELDOM } {
                drawn = Instant::now();
                progress(&sum, seeds, began, bar);
            }
        }
    });
    finish(&sum, shape, began, as_json);
    sum.is_well()
}

fn told(verdict: &Verdict, as_json: bool) {
    match (&verdict.failure, as_json) {
        (_, true) => println!("{}", line(verdict)),
        (Some(failure), false) => println!("\rseed {} FAILED: {failure}", verdict.seed),
        (None, false) => {}
    }
}

fn line(verdict: &Verdict) -> serde_json::Value {
    json!({
        "seed": verdict.seed,
        "failure": verdict.failure,
        "faults": verdict.faults.total(),
        "node_seconds": verdict.node_seconds,
        "trace": format!("{:016x}", verdict.trace),
        "events": verdict.events,
        "healed_ms": verdict.healed_ms,
        "excused": verdict.excused,
    })
}

fn progress(sum: &Sum, seeds: u64, began: Instant, bar: bool) {
    let (done, elapsed) = (sum.seeds, began.elapsed().as_secs_f64());
    let filled = (done * 30 / seeds.max(1)) as usize;
    let left = if done > 0 {
        elapsed / done as f64 * (seeds - done) as f64
    } else {
        0.0
    };
    let text = format!(
        "[{}{}] {done}/{seeds} seeds · {} failed · {:.1} node-years · {} faults · {left:.0} s left",
        "█".repeat(filled),
        "·".repeat(30 - filled),
        sum.failed.len(),
        sum.node_years(),
        sum.faults.total(),
    );
    // Nobody may be reading; then nobody misses it.
    let _ = match bar {
        true => write!(std::io::stderr(), "\r{text}  "),
        false => writeln!(std::io::stderr(), "{text}"),
    };
}

fn finish(sum: &Sum, shape: &Shape, began: Instant, as_json: bool) {
    let seconds = began.elapsed().as_secs_f64();
    let mut healed = sum.healed_ms.clone();
    healed.sort_unstable();
    let at = |pm: usize| {
        healed
            .get((healed.len().saturating_sub(1)) * pm / 1_000)
            .copied()
            .unwrap_or(0)
    };
    if as_json {
        let faults: serde_json::Map<_, _> = sum
            .faults
            .table()
            .map(|(kind, n)| (kind.label().to_owned(), n.into()))
            .collect();
        let checks: serde_json::Map<_, _> = ALL
            .iter()
            .map(|check| (check.to_string(), sum.compared(*check).into()))
            .collect();
        let failed: Vec<u64> = sum.failed.iter().map(|(seed, _)| *seed).collect();
        println!(
            "{}",
            json!({"seeds": sum.seeds, "failed": failed, "node_years": sum.node_years(), "deeds": sum.deeds,
                "faults": sum.faults.total(), "by_kind": faults, "checks": checks, "excused": sum.excused, "seconds": seconds})
        );
        return;
    }
    println!("\n{}", table(&sum.faults));
    println!("compared by check");
    for check in ALL {
        println!("  {:<34} {:>12}", check.to_string(), sum.compared(check));
    }
    println!(
        "\n{} seeds in {seconds:.0} s ({:.2} s each); {:.2} node-years ({:.0} an hour); {} deeds; {} events",
        sum.seeds,
        seconds / sum.seeds.max(1) as f64,
        sum.node_years(),
        sum.node_years() * 3_600.0 / seconds.max(0.001),
        sum.deeds,
        sum.events,
    );
    println!(
        "in step after healing: p50 {} s, p95 {} s, max {} s",
        at(500) / 1_000,
        at(950) / 1_000,
        at(1_000) / 1_000
    );
    println!(
        "{} acknowledged entries and keys lay only on disks that were harmed or are gone: excused",
        sum.excused
    );
    let idle = sum.idle_checks();
    if !idle.is_empty() {
        println!("FAILED: never compared anything: {}", idle.join(", "));
    }
    match sum.failed.as_slice() {
        [] if idle.is_empty() => println!("all is well"),
        [] => {}
        failed => {
            let seeds: Vec<String> = failed.iter().map(|(seed, _)| seed.to_string()).collect();
            println!("{} FAILED: {}", failed.len(), seeds.join(" "));
            println!("again, and shortened: {}", command(failed[0].0, shape));
        }
    }
}

/// What tells one story again, and makes it short if it fails.
fn command(seed: u64, shape: &Shape) -> String {
    let Shape {
        townships,
        rooms,
        days,
        fixed,
    } = shape;
    let fixed = if *fixed { " --fixed" } else { "" };
    format!(
        "cargo run --release -p cunlian-sim -- --seed {seed} --townships {townships} --rooms {rooms} --days {days}{fixed}"
    )
}

/// Faults injected by kind.
pub(crate) fn table(faults: &Faults) -> String {
    let mut text = String::from("faults injected by kind\n");
    for (kind, count) in faults.table() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {:<34} {count:>12}", kind.label());
    }
    let _ = writeln!(text, "  {:<34} {:>12}", "all", faults.total());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(checks: &[Check]) -> Verdict {
        Verdict {
            seed: 1,
            failure: None,
            faults: Faults::default(),
            node_seconds: 1,
            trace: 1,
            events: 1,
            deeds: 1,
            healed_ms: None,
            checks: checks.iter().map(|check| (*check, 1)).collect(),
            excused: 2,
        }
    }

    #[test]
    fn a_check_that_never_compares_anything_fails_a_long_run() {
        let (mut few, mut blind, mut whole) = (Sum::default(), Sum::default(), Sum::default());
        few.add(&verdict(&ALL[1..]));
        assert!(few.is_well());
        for _ in 0..ALL_CHECKED_FROM {
            blind.add(&verdict(&ALL[1..]));
            whole.add(&verdict(&ALL));
        }
        assert_eq!(blind.idle_checks(), vec![ALL[0].to_string()]);
        assert!(!blind.is_well() && whole.is_well());
        assert_eq!((whole.excused, whole.compared(ALL[3])), (40, 20));
    }

    #[test]
    fn the_command_tells_the_same_story_again() {
        let shape = Shape {
            days: 40,
            ..Shape::default()
        };
        assert!(command(7, &shape).ends_with("--seed 7 --townships 2 --rooms 9 --days 40"));
    }
}
