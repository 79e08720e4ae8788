//! The proof log: rows of runs, and a head that is made from them alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use sim::fault::Kind;

const TITLE: &str = "# Proof log\n\nMade by `cargo run --release -p cunlian-tests --bin cunlian-prove`; see `--help`. The head is computed from the rows; times are UTC+8.\n";
/// Behind a failure that was told green later.
const GREEN: &str = " · green at ";
const ROWS: &str = "## Runs";
/// Before the name of a check: how often it has compared something.
pub(crate) const COMPARED: &str = "compared ";
/// How many bugs the planted lists held.
pub(crate) const LISTED: &str = "listed";
const FAILURES: &str = "## Failures, and how to see them again";
const COLUMNS: &str =
    "| begun | section | commit | from–to | count | node-years | faults | failures | seconds | rate | by kind |";
const LINE: &str = "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |";

/// Until then devices that were down or thrown away were counted as if they ran. Of twelve counties of 42 days, told both ways, 17.38 of
/// 22.12 node-years were lived; of eighty of ten days 26.54 of 27.64. The lower share is taken for all.
const COUNTED_UP_SINCE: &str = "2026-11-24 06:00";
const SHARE_UP: f64 = 0.786;
const NODE_YEARS: f64 = 10_000.0;
const KIND_TIMES: u64 = 1_000;
/// Section, what is counted, how many of it are wanted.
const GOALS: [(&str, &str, f64); 3] = [
    ("seeds", "seeds", 20_000.0),
    ("power", "power-cut points", 100_000.0),
    ("kill", "SIGKILLs", 10_000.0),
];
const FAULTS: f64 = 1_000_000.0;
const INPUTS: f64 = 100_000_000.0;

/// One run of one section.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Row {
    begun: String,
    pub(crate) section: String,
    commit: String,
    /// Seeds, both counted.
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) count: u64,
    pub(crate) node_seconds: u64,
    pub(crate) faults: u64,
    pub(crate) failures: u64,
    pub(crate) seconds: u64,
    pub(crate) kinds: BTreeMap<String, u64>,
}

impl Row {
    pub(crate) fn begin(section: &str) -> Self {
        Self {
            begun: now(),
            section: section.to_owned(),
            commit: commit(),
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, kind: &str, count: u64) {
        if count > 0 {
            *self.kinds.entry(kind.to_owned()).or_default() += count;
        }
    }

    /// Nothing was done, and nothing has failed either.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0 && self.failures == 0
    }

    fn node_years(&self) -> f64 {
        self.node_seconds as f64 / (365.0 * 86_400.0)
    }

    /// As [`Row::node_years`], of devices that ran.
    fn years_up(&self) -> f64 {
        match self.begun.as_str() < COUNTED_UP_SINCE {
            true => self.node_years() * SHARE_UP,
            false => self.node_years(),
        }
    }

    fn rate(&self) -> String {
        let hours = self.seconds.max(1) as f64 / 3600.0;
        format!("{:.0}/h", self.count as f64 / hours)
    }

    /// For whoever looks on.
    pub(crate) fn told(&self) -> String {
        let years = if self.node_seconds > 0 {
            format!(", {:.2} node-years", self.node_years())
        } else {
            String::new()
        };
        format!(
            "{}: {} ({}–{}){years}, {} faults, {} failures in {} s, {}",
            self.section,
            self.count,
            self.from,
            self.to,
            self.faults,
            self.failures,
            self.seconds,
            self.rate()
        )
    }

    fn line(&self) -> String {
        let kinds: Vec<String> = self
            .kinds
            .iter()
            .map(|(kind, count)| format!("{kind}={count}"))
            .collect();
        format!(
            "| {} | {} | {} | {}–{} | {} | {:.3} | {} | {} | {} | {} | {} |",
            self.begun,
            self.section,
            self.commit,
            self.from,
            self.to,
            self.count,
            self.node_years(),
            self.faults,
            self.failures,
            self.seconds,
            self.rate(),
            kinds.join("; ")
        )
    }

    fn parse(line: &str) -> Result<Self> {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        ensure!(cells.len() == 11, "{} cells", cells.len());
        let (from, to) = cells[3].split_once('–').context("from–to")?;
        let mut kinds = BTreeMap::new();
        for kind in cells[10].split(';').map(str::trim).filter(|kind| !kind.is_empty()) {
            let (kind, count) = kind.rsplit_once('=').context("kind=count")?;
            kinds.insert(kind.to_owned(), count.parse()?);
        }
        let years: f64 = cells[5].parse()?;
        Ok(Self {
            begun: cells[0].to_owned(),
            section: cells[1].to_owned(),
            commit: cells[2].to_owned(),
            from: from.parse()?,
            to: to.parse()?,
            count: cells[4].parse()?,
            node_seconds: (years * 365.0 * 86_400.0).round() as u64,
            faults: cells[6].parse()?,
            failures: cells[7].parse()?,
            seconds: cells[8].parse()?,
            kinds,
        })
    }
}

/// The log's file. Several runs may write to it: each holds the lock while it reads and writes.
pub(crate) struct Log {
    path: PathBuf,
}

impl Log {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let log = Self { path: path.to_owned() };
        log.rows()?;
        Ok(log)
    }

    fn rows(&self) -> Result<Vec<Row>> {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        let mut lines = text.lines().enumerate().skip_while(|(_, line)| *line != ROWS);
        let mut rows = Vec::new();
        for (at, line) in lines.by_ref().skip(1).filter(|(_, line)| line.starts_with('|')) {
            if line == COLUMNS || line == LINE {
                continue;
            }
            rows.push(Row::parse(line).with_context(|| format!("line {} of the log", at + 1))?);
        }
        Ok(rows)
    }

    /// The seed that follows the last one of a section.
    pub(crate) fn next(&self, section: &str) -> Result<u64> {
        let rows = self.rows()?;
        let last = rows.iter().filter(|row| row.section == section).map(|row| row.to + 1);
        Ok(last.max().unwrap_or(0))
    }

    /// Adds a row, or brings the one of the same run up to date.
    pub(crate) fn put(&self, row: &Row) -> Result<()> {
        self.change(|rows| {
            let same = |held: &&mut Row| held.begun == row.begun && held.section == row.section;
            match rows.iter_mut().find(same) {
                Some(held) => *held = row.clone(),
                None => rows.push(row.clone()),
            }
        })
    }

    /// Notes what did not hold, and the command that shows it again at that commit.
    pub(crate) fn failed(&self, row: &Row, again: &str, what: &str) -> Result<()> {
        let line = format!("- {} at {}: `{again}`: {}", row.begun, row.commit, in_a_line(what));
        self.rewrite(|_, failures| failures.push(line))
    }

    fn failures(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        let lines = text.lines().skip_while(|line| *line != FAILURES).skip(1);
        let lines = lines.take_while(|line| !line.starts_with("## "));
        lines.filter(|line| line.starts_with("- ")).map(str::to_owned).collect()
    }

    /// Tells every noted county once more that has not been told green since; what is green now is marked so, and stays in the list.
    /// Answers how many are red still.
    pub(crate) fn again(&self, is_green: &mut dyn FnMut(u64, u64) -> bool) -> Result<u64> {
        let mut red = 0;
        for line in self.failures() {
            let Some((seed, days)) = seed_of(&line).filter(|_| !line.contains(GREEN)) else {
                continue;
            };
            if !is_green(seed, days) {
                red += 1;
                continue;
            }
            let marked = format!("{line}{GREEN}{}", commit());
            self.rewrite(|_, failures| {
                for failure in failures.iter_mut().filter(|failure| **failure == line) {
                    failure.clone_from(&marked);
                }
            })?;
        }
        Ok(red)
    }

    /// Makes the head anew.
    pub(crate) fn sum(&self) -> Result<()> {
        self.change(|_| {})
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Row>)) -> Result<()> {
        self.rewrite(|rows, _| change(rows))
    }

    fn rewrite(&self, change: impl FnOnce(&mut Vec<Row>, &mut Vec<String>)) -> Result<()> {
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(std::env::temp_dir().join("cunlian-prove.lock"))?;
        lock.lock()?;
        let (mut rows, mut failures) = (self.rows()?, self.failures());
        change(&mut rows, &mut failures);
        let beside = self.path.with_extension("md.new");
        fs::write(&beside, text(&rows, &failures))?;
        Ok(fs::rename(beside, &self.path)?)
    }
}

/// The first line of what did not hold, and which checks had something to say behind it.
fn in_a_line(what: &str) -> String {
    let mut lines = what.lines();
    let first = lines.next().unwrap_or_default();
    let checks = sim::oracle::ALL.map(|check| format!(" ms: {check}:"));
    let more: BTreeSet<&str> = lines
        .flat_map(|line| checks.iter().filter(move |check| line.contains(check.as_str())))
        .filter(|check| !first.contains(check.as_str()))
        .map(String::as_str)
        .collect();
    more.into_iter()
        .fold(first.to_owned(), |line, check| line + " …" + check)
}

/// The county that a noted failure is about, and for how many days it is told.
fn seed_of(line: &str) -> Option<(u64, u64)> {
    let after = |flag: &str| line.split_once(flag)?.1.split([' ', '`']).next()?.parse().ok();
    Some((after("--seed ")?, after("--days ")?))
}

fn text(rows: &[Row], failures: &[String]) -> String {
    let failed = match failures {
        [] => "None.".to_owned(),
        some => some.join("\n"),
    };
    let mut out = format!(
        "{TITLE}\n{}\n{}\n{FAILURES}\n\n{failed}\n\n{ROWS}\n\n{COLUMNS}\n{LINE}\n",
        totals(rows, failures),
        by_kind(rows)
    );
    for row in rows {
        out += &row.line();
        out.push('\n');
    }
    out
}

struct Total<'a> {
    rows: Vec<&'a Row>,
}

impl<'a> Total<'a> {
    fn of(rows: &'a [Row], section: &str) -> Self {
        Self {
            rows: rows.iter().filter(|row| row.section == section).collect(),
        }
    }

    fn sum(&self, what: impl Fn(&Row) -> u64) -> u64 {
        self.rows.iter().map(|row| what(row)).sum()
    }

    fn rate(&self, count: f64) -> String {
        let hours = self.sum(|row| row.seconds).max(1) as f64 / 3600.0;
        format!("{:.0}/h", count / hours)
    }
}

/// One goal with what has been reached of it.
fn goal(out: &mut String, what: &str, goal: f64, so_far: f64, total: &Total<'_>) {
    let failures = total.sum(|row| row.failures);
    let (share, rate) = (so_far / goal * 100.0, total.rate(so_far));
    let _ = writeln!(
        out,
        "| {what} | {goal:.0} | {so_far:.0} | {share:.1} % | {failures} | {rate} |"
    );
}

/// All sums against their goals.
fn totals(rows: &[Row], failures: &[String]) -> String {
    let mut out =
        "## Against the goals\n\n| what | goal | so far | | failures | rate |\n| --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    let seeds = Total::of(rows, "seeds");
    let years = seeds.rows.iter().map(|row| row.years_up()).fold(0.0, |a, b| a + b);
    goal(&mut out, "simulated node-years", NODE_YEARS, years, &seeds);
    let faults = seeds.sum(|row| row.faults) as f64;
    goal(&mut out, "faults injected", FAULTS, faults, &seeds);
    let often = Kind::ALL.iter().filter(|kind| of_kind(&seeds, **kind) >= KIND_TIMES);
    let what = format!("kinds of faults injected {KIND_TIMES} times");
    goal(&mut out, &what, Kind::ALL.len() as f64, often.count() as f64, &seeds);
    for (section, what, wanted) in GOALS {
        let total = Total::of(rows, section);
        let count = total.sum(|row| row.count) as f64;
        goal(&mut out, what, wanted, count, &total);
    }
    let names: BTreeSet<&str> = rows.iter().map(|row| row.section.as_str()).collect();
    for section in names.iter().filter(|section| section.starts_with("fuzz ")) {
        let total = Total::of(rows, section);
        let count = total.sum(|row| row.count) as f64;
        goal(&mut out, &format!("inputs, {section}"), INPUTS, count, &total);
    }
    let told = failures.iter().filter(|line| seed_of(line).is_some());
    let (green, red): (Vec<_>, Vec<_>) = told.partition(|line| line.contains(GREEN));
    let _ = writeln!(
        out,
        "| red counties told again: green since, red still | | {}, {} | | | |",
        green.len(),
        red.len()
    );
    let excused = seeds.sum(|row| row.kinds.get("excused").copied().unwrap_or(0));
    let what =
        "acknowledged entries and keys that nobody owes any longer: every disk that held them was harmed or is gone";
    let _ = writeln!(out, "| {what} | | {excused} | | | |");
    for (what, words) in BAD_ENDS {
        let is_one = |line: &&String| seed_of(line).is_some() && words.iter().any(|word| line.contains(word));
        let (ever, green) = failures.iter().filter(is_one).fold((0, 0), |(ever, green), line| {
            (ever + 1, green + u64::from(line.contains(GREEN)))
        });
        let _ = writeln!(
            out,
            "| counties where something was {what}: ever, told green since | 0 | {ever}, {green} | | | |"
        );
    }
    planted(&mut out, Total::of(rows, "planted"));
    out
}

/// What must never be, and the words that say so.
const BAD_ENDS: [(&str, &[&str]); 5] = [
    ("lost", &[" ms: kept:"]),
    (
        "divergent, or not in step",
        &[
            " ms: same state:",
            " ms: refold:",
            " ms: in step:",
            ": not in step ",
            ": not healed: ",
        ],
    ),
    ("unopenable, or blamed without a cause", &[" ms: blame:"]),
    (
        "shown that was not so",
        &[" ms: receipts:", " ms: tiers:", " ms: words:", " ms: void:"],
    ),
    (
        "forged, unbounded, noisy or endless",
        &[
            " ms: chains:",
            " ms: foreign:",
            " ms: limits:",
            " ms: idle:",
            "does not end",
            "panic:",
        ],
    ),
];

/// Planted bugs are the same ones each time: the last runs that together went once through the list count.
fn planted(out: &mut String, mut planted: Total<'_>) {
    let listed = planted.rows.last().and_then(|row| row.kinds.get(LISTED)).copied();
    let (mut told, mut from) = (0, planted.rows.len());
    while from > 0 && told < listed.unwrap_or(1) {
        from -= 1;
        told += planted.rows[from].count;
    }
    planted.rows.drain(..from);
    if told > 0 {
        let caught = told - planted.sum(|row| row.failures);
        let wanted = listed.unwrap_or(told).max(told) as f64;
        goal(
            out,
            "planted bugs caught, last time through the list",
            wanted,
            caught as f64,
            &planted,
        );
    }
}

fn of_kind(seeds: &Total<'_>, kind: Kind) -> u64 {
    seeds.sum(|row| row.kinds.get(kind.label()).copied().unwrap_or(0))
}

fn by_kind(rows: &[Row]) -> String {
    let seeds = Total::of(rows, "seeds");
    let mut out = "## Faults by kind, simulated\n\n| kind | times |\n| --- | --- |\n".to_owned();
    for kind in Kind::ALL {
        let _ = writeln!(out, "| {kind} | {} |", of_kind(&seeds, *kind));
    }
    let counted: BTreeSet<&String> = seeds.rows.iter().flat_map(|row| row.kinds.keys()).collect();
    let _ = write!(
        out,
        "\n## What each check has compared\n\n| check | times |\n| --- | --- |\n"
    );
    for kind in counted.into_iter().filter(|kind| kind.starts_with(COMPARED)) {
        let times = seeds.sum(|row| row.kinds.get(kind).copied().unwrap_or(0));
        let _ = writeln!(out, "| {} | {times} |", &kind[COMPARED.len()..]);
    }
    out
}

/// Business time, to the second.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let day = ledger::day::Day::of_wall_ms(i64::try_from(since.as_millis()).unwrap_or(0));
    let second = (since.as_secs() + 8 * 3600) % 86_400;
    format!("{day} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// The commit that is proved; `-dirty` when anything but the log differs from it.
fn commit() -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git")
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(short) = git(&["rev-parse", "--short=8", "HEAD"]) else {
        return "unknown".to_owned();
    };
    let changed = git(&["status", "--porcelain"]).unwrap_or_default();
    let dirty = changed.lines().any(|line| !line.ends_with("PROOF.md"));
    if dirty { format!("{short}-dirty") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(section: &str, from: u64, to: u64) -> Row {
        let mut row = Row::begin(section);
        row.begun = format!("2027-11-22 14:00:{from:02}");
        (row.from, row.to, row.count) = (from, to, to - from + 1);
        row.node_seconds = 365 * 86_400 * 3;
        row.faults = 12;
        row.seconds = 60;
        row.add("line cut both ways", 12);
        row
    }

    #[test]
    fn a_log_goes_on_where_it_ended_and_its_head_is_the_sum_of_its_rows() {
        let dir = tempfile::tempdir().expect("a folder");
        let log = Log::open(&dir.path().join("PROOF.md")).expect("a new log");
        assert_eq!(log.next("seeds").expect("none yet"), 0);
        let mut first = row("seeds", 0, 9);
        log.put(&first).expect("put");
        // The same run has come further.
        (first.to, first.count) = (19, 20);
        log.put(&first).expect("put");
        log.put(&row("power", 0, 4)).expect("put");
        log.put(&row("seeds", 20, 29)).expect("put");
        let rows = log.rows().expect("it reads back");
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0], first);
        assert_eq!(log.next("seeds").expect("some"), 30);
        assert_eq!(log.next("power").expect("some"), 5);
        let text = fs::read_to_string(&log.path).expect("text");
        assert!(text.contains("| seeds | 20000 | 30 |"), "{text}");
        assert!(text.contains("| simulated node-years | 10000 | 6 |"), "{text}");
        assert!(text.contains("| line cut both ways | 24 |"), "{text}");
        log.failed(&first, "cunlian-sim --seed 7", "kept: lost\nmore")
            .expect("noted");
        log.sum().expect("again");
        let failed = log.failures();
        assert!(
            failed.len() == 1 && failed[0].ends_with("`cunlian-sim --seed 7`: kept: lost"),
            "{failed:?}"
        );
        let both = in_a_line("at 5 ms: words: x\nat 6 ms: kept: y\nat 7 ms: words: z\nat 8 ms: kept: a");
        assert_eq!(both, "at 5 ms: words: x … ms: kept:");
        let red = "red counties told again: green since, red still | |";
        assert!(text.contains(&format!("{red} 0, 0")), "{text}");
        let text = text.replace("None.", &failed[0]);
        assert_eq!(
            fs::read_to_string(&log.path).expect("text"),
            text,
            "the head follows from the rows"
        );
    }

    #[test]
    fn a_county_that_was_red_is_told_again_until_it_is_green_and_stays_in_the_list() {
        let dir = tempfile::tempdir().expect("a folder");
        let log = Log::open(&dir.path().join("PROOF.md")).expect("a new log");
        let mut first = row("seeds", 0, 9);
        first.failures = 2;
        log.put(&first).expect("put");
        for seed in [7, 8] {
            let again = format!("cargo run -p cunlian-sim -- --seed {seed} --days 42");
            log.failed(&first, &again, "kept: lost").expect("noted");
        }
        let mut told = Vec::new();
        let mut tell = |log: &Log, green: &[u64]| {
            log.again(&mut |seed, days| {
                told.push((seed, days));
                green.contains(&seed)
            })
        };
        assert_eq!(tell(&log, &[7]).expect("told"), 1);
        assert_eq!(tell(&log, &[8]).expect("told"), 0);
        assert_eq!(
            told,
            [(7, 42), (8, 42), (8, 42)],
            "what is green is not told a third time"
        );
        let text = fs::read_to_string(&log.path).expect("text");
        assert!(text.contains("red still | | 2, 0 |"), "{text}");
        assert_eq!(log.failures().len(), 2);
    }
}
