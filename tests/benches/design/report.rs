//! A county's reports over 300,000 cases: how long a month takes, and what the hub that holds them all needs of memory.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cunlian_tests::api::Api;
use ledger::day::Day;
use office::Office;
use office::command::{Command, Frame, Report, ReportCases, ReportFreeze, ReportOf};
use serde_json::{Value, json};

use crate::Length;
use crate::county::{County, Room, command, open_real};
use crate::ingest::met;
use crate::machine::{Clock, cpu, percentile, rss_bytes};
use crate::made::{Case, Shape, fill_with};
use crate::node::Node;
use crate::pump::take;
use crate::table::{Row, Table, Target, Unit};

/// A busy county's sixteen months.
const CASES: usize = 300_000;
const ROOMS: usize = 30;
/// Business dates over which the cases lie.
const DAYS: usize = 400;
/// Times that each question is asked.
const ASKED: usize = 5;
/// A daemon that has used less of the CPU than this in a second has nothing more to prepare.
const IDLE: Duration = Duration::from_millis(20);
/// It begins to prepare when it has run for some seconds.
const SETTLING: Duration = Duration::from_secs(5);
/// Preparing takes some milliseconds for a thousand rows.
const PATIENCE: Duration = Duration::from_secs(120);
/// Saves that are timed, alone and beside reports.
const SAVES: usize = 60;

/// A county hub that holds them all, on a real disk.
pub(crate) struct Full {
    dir: tempfile::TempDir,
    pub(crate) hub: Office,
    pub(crate) cases: usize,
    pub(crate) clock: Clock,
}

impl Full {
    pub(crate) fn county() -> Result<Self> {
        let cases = match std::env::var("CUNLIAN_BENCH_CASES") {
            Ok(cases) => cases.parse().context("CUNLIAN_BENCH_CASES")?,
            Err(_) => CASES,
        };
        let clock = Clock::start();
        let county = County::found(ROOMS, clock)?;
        let dir = tempfile::tempdir_in(crate::node::target_dir())?;
        let data = dir.path().join("hub");
        county.hub.put(&data)?;
        let mut hub = open_real(&data, clock)?;
        for room in &county.rooms {
            send(room, &county, cases / ROOMS, &mut hub, clock)?;
        }
        Ok(Self { dir, hub, cases, clock })
    }

    /// The folder alone, for a process of its own.
    pub(crate) fn rest(mut self) -> Result<(tempfile::TempDir, PathBuf)> {
        self.hub.rest(self.clock.now())?;
        let data = self.dir.path().join("hub");
        Ok((self.dir, data))
    }
}

pub(crate) fn measure(table: &mut Table, _: Length) -> Result<()> {
    let mut full = Full::county()?;
    let (cases, clock) = (full.cases, full.clock);
    let last = Day::of_wall_ms(clock.now().wall_ms);
    let (_, _, day) = last.ymd();
    let month = last.plus(-(day as i32)).to_string()[..7].to_owned();
    ask_all(table, &mut full.hub, &month, cases, clock)?;
    let (_dir, data) = full.rest()?;
    out_of_the_index(table, &data, &month, cases, clock)?;
    memory(table, &data, &month, cases)
}

/// One room's cases, received and applied by the hub.
fn send(room: &Room, county: &County, cases: usize, hub: &mut Office, clock: Clock) -> Result<()> {
    let room = room.copy();
    let today = Day::of_wall_ms(clock.now().wall_ms);
    let a_day = cases.div_ceil(DAYS).max(1);
    let book: Vec<Case> = (0..cases)
        .map(|at| {
            let back = i32::try_from((cases - 1 - at) / a_day)?;
            // One in ten is open, half of these accepted.
            let changes = [1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3][at % 20];
            let (on, nth) = (today.plus(-back), at % a_day);
            Ok(Case { on, nth, changes })
        })
        .collect::<Result<_>>()?;
    fill_with(&room, county.catalogue, &book, Shape::Together)?;
    let (frames, mut office, wire) = met(&room, hub, clock)?;
    take(hub, wire.at_hub, &frames, clock)?;
    while hub.apply(clock.now(), net::limits::APPLY_IDLE)? > 0 {}
    wire.part(&mut office, hub, clock);
    Ok(())
}

/// The slowest and the median of a question asked again and again, and the answer.
fn asked(hub: &mut Office, clock: Clock, report: &Report) -> Result<(Duration, Duration, Value)> {
    let mut took = Vec::new();
    let mut answer = Value::Null;
    for _ in 0..ASKED {
        let began = Instant::now();
        answer = command(hub, clock, Command::Report(report.clone()))?;
        took.push(began.elapsed());
    }
    let slowest = took.iter().copied().max().unwrap_or_default();
    Ok((slowest, percentile(&mut took, 0.5), answer))
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1e3
}

fn show(period: &str, frame: Frame) -> Report {
    Report::Show(ReportOf {
        period: Some(period.to_owned()),
        unit: None,
        frame,
    })
}

/// Of a hub that has just started: the rows are not in its memory yet, and nothing of this reads them there.
fn out_of_the_index(table: &mut Table, data: &std::path::Path, month: &str, cases: usize, clock: Clock) -> Result<()> {
    let mut hub = open_real(data, clock)?;
    let (slowest, median, told) = asked(&mut hub, clock, &show(month, Frame::Then))?;
    ensure!(told["figures"].is_array(), "no report: {told}");
    let what = format!("report of a month out of the index, {cases} cases");
    table.push(Row::new(what, Unit::Millis, ms(slowest)).floor(ms(median)));
    hub.rest(clock.now())?;
    Ok(())
}

fn ask_all(table: &mut Table, hub: &mut Office, month: &str, cases: usize, clock: Clock) -> Result<()> {
    let mut ask = |what: &str, target: Target, report: &Report| -> Result<Value> {
        let (slowest, median, answer) = asked(hub, clock, report)?;
        let row = Row::new(format!("{what}, {cases} cases"), Unit::Millis, ms(slowest));
        table.push(row.floor(ms(median)).target(target));
        Ok(answer)
    };
    let told = ask("report of a month", Target::AtMost(1_000.0), &show(month, Frame::Then))?;
    let received = told["figures"][0]["value"].as_u64().unwrap_or(0);
    ensure!(received > 0 && received < cases as u64, "{received} cases in a month");
    ask("report of a year", Target::None, &show(&month[..4], Frame::Now))?;
    let behind = ReportCases {
        period: Some(month.to_owned()),
        figure: "closed".to_owned(),
        ..ReportCases::default()
    };
    ask("the cases behind a figure", Target::None, &Report::Cases(behind))?;
    let freeze = ReportFreeze {
        period: month.to_owned(),
        ..ReportFreeze::default()
    };
    ask("a month frozen", Target::None, &Report::Freeze(freeze))?;
    table.note("report: the slowest of five, asked of the office of a county hub with sled on a real disk; the floor column is the median.");
    Ok(())
}

/// The same folder in a process of its own: its first report, and what it holds of memory when all rows are in it.
fn memory(table: &mut Table, data: &std::path::Path, month: &str, cases: usize) -> Result<()> {
    let (hub, _) = Node::start_as("hub", data, "off")?;
    let mut api = Api::connect(data)?;
    let mut report = || -> Result<Duration> {
        let ask = json!({"command": "report", "report": "show", "period": month});
        let began = Instant::now();
        let answer = api.ask(&ask).map_err(|e| anyhow::anyhow!("{e:?}"))?;
        ensure!(answer["figures"].is_array(), "no report: {answer}");
        Ok(began.elapsed())
    };
    let first = report()?;
    let prepared = idle(hub.id())?;
    let second = report()?;
    let mb = rss_bytes(hub.id())? as f64 / 1e6;
    let what = format!("first report of a month after a start, {cases} cases");
    table.push(Row::new(what, Unit::Millis, ms(first)).floor(ms(second)));
    let row = Row::new(
        format!("hub RSS after a month report, all rows in memory, {cases} cases"),
        Unit::Mebibytes,
        mb,
    );
    table.push(row.target(Target::AtMost(600.0)));
    table.note(format!(
        "report: the hub in a process of its own was idle {:.0} s after its first report; the floor of that one is the same report asked then, and RSS is read after it.",
        prepared.as_secs_f64()
    ));
    waits(table, data, &mut api, &month[..4], cases)?;
    hub.stop(data)
}

/// Until a process has prepared what it will, and how long that took.
fn idle(pid: u32) -> Result<Duration> {
    let began = Instant::now();
    let mut before = cpu(pid);
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let now = cpu(pid);
        let (used, waited) = (now.saturating_sub(before), began.elapsed());
        if waited > SETTLING && used < IDLE {
            return Ok(waited);
        }
        ensure!(waited < PATIENCE, "still busy after {waited:?}");
        before = now;
    }
}

/// How long a save takes by itself, and while one report of a year after the other is counted.
fn waits(table: &mut Table, data: &std::path::Path, api: &mut Api, year: &str, cases: usize) -> Result<()> {
    let listed = api.ask(&json!({"command": "case_list", "limit": 2 * SAVES}));
    let listed = listed.map_err(|e| anyhow::anyhow!("{e:?}"))?;
    let numbers: Vec<String> = listed
        .as_array()
        .context("a list")?
        .iter()
        .filter_map(|c| c["project_no"].as_str().map(str::to_owned))
        .collect();
    ensure!(numbers.len() == 2 * SAVES, "{} cases", numbers.len());
    let save = |api: &mut Api, number: &str| -> Result<Duration> {
        let began = Instant::now();
        let note = json!({"command": "case_do", "number": number, "event": "note", "note": "电话里问过"});
        api.ask(&note).map_err(|e| anyhow::anyhow!("{e:?}"))?;
        Ok(began.elapsed())
    };
    let (alone, beside) = numbers.split_at(SAVES);
    let mut alone: Vec<Duration> = alone.iter().map(|n| save(api, n)).collect::<Result<_>>()?;
    let saved = Arc::new(AtomicBool::new(false));
    let mut other = Api::connect(data)?;
    let (ask, until) = (
        json!({"command": "report", "report": "show", "period": year}),
        saved.clone(),
    );
    let counting = std::thread::spawn(move || {
        let mut reports = 0;
        while !until.load(Ordering::Relaxed) {
            reports += u32::from(other.ask(&ask).is_ok_and(|told| told["figures"].is_array()));
        }
        reports
    });
    std::thread::sleep(Duration::from_millis(200));
    let beside: Result<Vec<Duration>> = beside
        .iter()
        .map(|n| {
            std::thread::sleep(Duration::from_millis(20));
            save(api, n)
        })
        .collect();
    saved.store(true, Ordering::Relaxed);
    let reports = counting.join().unwrap_or(0);
    let mut beside = beside?;
    ensure!(reports > 0, "no report came meanwhile");
    let alone = percentile(&mut alone, 0.5);
    let most = percentile(&mut beside, 1.0);
    let row = Row::new(
        format!("a save while {reports} reports of a year over {cases} cases are counted, the longest of {SAVES}"),
        Unit::Millis,
        ms(most),
    );
    table.push(row.floor(ms(alone)));
    let row = Row::new("the same, the median", Unit::Millis, ms(percentile(&mut beside, 0.5)));
    table.push(row.floor(ms(alone)));
    Ok(())
}
