//! Simulated counties, seed after seed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use sim::under_way::UnderWay;
use sim::{Shape, Verdict};

use crate::log::{COMPARED, Log};
use crate::{Running, Until};

/// Seeds of so many days each, and now and then of six weeks; one in twenty is told twice, and both must be the same to the last byte.
pub(crate) fn prove(log: &Log, until: Until, jobs: usize, days: u64) -> Result<u64> {
    let mut running = Running::begin(log, "seeds")?;
    let next = AtomicU64::new(running.row.from);
    let (send, verdicts) = mpsc::channel();
    let under_way = UnderWay::default();
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (send, next, under_way) = (send.clone(), &next, &under_way);
            scope.spawn(move || {
                while !until.is_over() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if send.send(under_way.run(seed, &Shape::proved(seed, days))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        loop {
            match verdicts.recv_timeout(Duration::from_secs(1)) {
                Ok(verdict) => take(&mut running, &verdict, days)?,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            if let Some(seed) = under_way.hangs() {
                running.row.failures += 1;
                let again = again(seed, Shape::proved(seed, days).days);
                let failure = "its story does not end";
                println!("seed {seed} FAILED: {failure}\n  again: {again}");
                running.failed(&again, failure)?;
                running.save()?;
                // Its thread will never end.
                std::process::exit(1);
            }
            running.tick()?;
        }
        anyhow::Ok(())
    })?;
    running.end()
}

/// Tells one county of so many days; whether nothing was wrong.
pub(crate) fn is_green(seed: u64, days: u64) -> bool {
    // As the prover told it: `Shape::proved` takes six weeks for some seeds by itself.
    let verdict = UnderWay::default().run(seed, &Shape::proved(seed, days));
    let failure = verdict.failure.as_deref().and_then(|failure| failure.lines().next());
    println!("seed {seed}, {days} days: {}", failure.unwrap_or("green"));
    failure.is_none()
}

fn again(seed: u64, days: u64) -> String {
    format!("cargo run --release -p cunlian-sim -- --seed {seed} --days {days}")
}

fn take(running: &mut Running<'_>, verdict: &Verdict, days: u64) -> Result<()> {
    let row = &mut running.row;
    row.count += 1;
    row.to = row.to.max(verdict.seed);
    row.node_seconds += verdict.node_seconds;
    row.faults += verdict.faults.total();
    for (kind, count) in verdict.faults.table() {
        row.add(kind.label(), count);
    }
    row.add("excused", verdict.excused);
    for (check, times) in &verdict.checks {
        row.add(&format!("{COMPARED}{check}"), *times);
    }
    let days = Shape::proved(verdict.seed, days).days;
    row.add(&format!("stories of {days} days"), 1);
    if let Some(failure) = &verdict.failure {
        row.failures += 1;
        let again = again(verdict.seed, days);
        println!("seed {} FAILED: {failure}\n  again: {again}", verdict.seed);
        return running.failed(&again, failure);
    }
    Ok(())
}
