//! Simulated counties, seed after seed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use sim::{Shape, Verdict, run_seed};

use crate::log::Log;
use crate::{Running, Until};

/// Seeds of so many days each; one in twenty is told twice, and both must be the same to the last byte.
pub(crate) fn prove(log: &Log, until: Until, jobs: usize, days: u64) -> Result<u64> {
    let mut running = Running::begin(log, "seeds")?;
    let shape = Shape {
        days,
        ..Shape::default()
    };
    let next = AtomicU64::new(running.row.from);
    let (send, verdicts) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (send, next, shape) = (send.clone(), &next, &shape);
            scope.spawn(move || {
                while !until.is_over() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if send.send(run_seed(seed, shape)).is_err() {
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
            running.tick()?;
        }
        anyhow::Ok(())
    })?;
    running.end()
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
    if let Some(failure) = &verdict.failure {
        row.failures += 1;
        let again = format!(
            "cargo run --release -p cunlian-sim -- --seed {} --days {days}",
            verdict.seed
        );
        println!("seed {} FAILED: {failure}\n  again: {again}", verdict.seed);
        return running.failed(&again, failure);
    }
    Ok(())
}
