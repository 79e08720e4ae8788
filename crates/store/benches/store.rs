//! What durability costs: one case against a bare append and sync of the same bytes, and runs taken in as a hub takes them.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use cunlian_store::{RealDisk, SledPlace, Store};
use ed25519_dalek::SigningKey;
use ledger::id::{DeviceId, RecordId, Scope, UnitId, UserId};
use replica::entry::{Entry, KIND_RECORD, LogId, RecordBody, Tip};
use replica::run::{VerifiedRun, sign};

const CASES: usize = 2_000;
const CHANGE_BYTES: usize = 275;
const RUN_BYTES: usize = 64 * 1024;
const RUNS: usize = 3_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Beside the build's own files: temporary folders often lie in memory.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let bare = bare(&dir.path().join("bare"))?;
    let kept = cases(&dir.path().join("cases"))?;
    println!("one case, durable                p50          p99");
    for (name, times) in [("bare append + fdatasync", &bare), ("stage + sign + commit", &kept)] {
        println!("{name:<26}{:>10.1?}   {:>10.1?}", at(times, 50), at(times, 99));
    }
    println!(
        "{:<26}{:>9.2}x",
        "ratio",
        at(&kept, 50).as_secs_f64() / at(&bare, 50).as_secs_f64()
    );
    for group in [1, 4, 16] {
        ingest(&dir.path().join(format!("runs-{group}")), group)?;
    }
    Ok(())
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

fn entry(number: usize) -> Entry {
    let change = (0..CHANGE_BYTES).map(|at| (at * 31 + number * 17) as u8).collect();
    let body = RecordBody {
        record: RecordId((number as u128).to_be_bytes()),
        user: UserId([1; 8]),
        wall_ms: 1_700_000_000_000,
        skew_ms: None,
        change,
    };
    Entry {
        kind: KIND_RECORD,
        body: body.encode(),
    }
}

fn scope() -> Scope {
    Scope::book(UnitId([1; 16]))
}

fn open(dir: &Path) -> Result<Store, Box<dyn std::error::Error>> {
    let disk = RealDisk::open(dir)?;
    Ok(Store::open(Box::new(disk), Box::new(SledPlace::new(dir.join("index"))), &mut |_| {})?.0)
}

fn bare(dir: &Path) -> Result<Vec<Duration>, Box<dyn std::error::Error>> {
    std::fs::create_dir_all(dir)?;
    let mut file: File = OpenOptions::new().create(true).append(true).open(dir.join("file"))?;
    let bytes = vec![7; CHANGE_BYTES + 250];
    let mut times = Vec::with_capacity(CASES);
    for _ in 0..CASES {
        let start = Instant::now();
        file.write_all(&bytes)?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

fn cases(dir: &Path) -> Result<Vec<Duration>, Box<dyn std::error::Error>> {
    let mut store = open(dir)?;
    let key = SigningKey::from_bytes(&[1; 32]);
    let mut times = Vec::with_capacity(CASES);
    for number in 0..CASES {
        let entry = entry(number);
        let start = Instant::now();
        store.stage_local(&key, scope(), 1, vec![entry])?;
        store.commit()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

/// Runs of 64 KiB from ten devices, `group` of them in each commit.
fn ingest(dir: &Path, group: usize) -> Result<(), Box<dyn std::error::Error>> {
    const DEVICES: usize = 10;
    let mut tips = [Tip::START; DEVICES];
    let mut runs: Vec<VerifiedRun> = Vec::with_capacity(RUNS);
    for number in 0..RUNS {
        let device = number % DEVICES;
        let key = SigningKey::from_bytes(&[device as u8 + 1; 32]);
        let log = LogId {
            scope: scope(),
            device: DeviceId(key.verifying_key().to_bytes()),
            epoch: 1,
        };
        let count = RUN_BYTES / (120 + 36);
        let entries = (0..count)
            .map(|at| {
                let mut entry = entry(number * count + at);
                entry.body.truncate(36 + 120);
                entry
            })
            .collect();
        let run = sign(&key, log, tips[device], entries);
        tips[device] = run.tip();
        runs.push(run);
    }
    let entries: usize = runs.iter().map(|run| run.hashes().len()).sum();
    let mut store = open(dir)?;
    let start = Instant::now();
    for some in runs.chunks(group) {
        for run in some {
            store.stage_run(run)?;
        }
        store.commit()?;
    }
    let took = start.elapsed();
    println!(
        "runs of 64 KiB, {group:>2} a commit: {:>9.0} entries/s, {:>6.1} MB/s",
        entries as f64 / took.as_secs_f64(),
        store.stats().bytes as f64 / took.as_secs_f64() / 1e6,
    );
    drop(store);
    let start = Instant::now();
    drop(open(dir)?);
    println!("    opened again in {:.0?} (everything replayed)", start.elapsed());
    Ok(())
}
