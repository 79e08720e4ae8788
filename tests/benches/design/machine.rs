//! What the machine tells: time, memory, CPU, and how fast it appends and syncs without us.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use replica::time::Now;

/// A clock whose monotonic time begins with it.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    ahead_ms: u64,
    /// The wall's clock against the real one.
    wall_off_ms: i64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
            ahead_ms: 0,
            wall_off_ms: 0,
        }
    }

    /// A clock on a wall so long ago.
    pub(crate) fn ago(ms: i64) -> Self {
        Self {
            wall_off_ms: -ms,
            ..Self::start()
        }
    }

    /// The same clock after so much time has passed, on the wall too.
    pub(crate) fn later(self, ms: u64) -> Self {
        Self {
            wall_off_ms: self.wall_off_ms + i64::try_from(ms).unwrap_or(0),
            ..self.ahead(ms)
        }
    }

    /// The same clock, so much later: what is due by time alone need not be waited for while a county is set up.
    pub(crate) fn ahead(self, ms: u64) -> Self {
        Self {
            ahead_ms: self.ahead_ms + ms,
            ..self
        }
    }

    pub(crate) fn now(&self) -> Now {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            wall_ms: i64::try_from(since.as_millis()).unwrap_or(i64::MAX) + self.wall_off_ms,
            mono_ms: u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX) + self.ahead_ms,
        }
    }
}

/// The value below which a share of the sorted samples lies.
pub(crate) fn percentile(samples: &mut [Duration], share: f64) -> Duration {
    samples.sort_unstable();
    let at = (samples.len() as f64 * share) as usize;
    samples
        .get(at.min(samples.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

/// A file that is only appended to and synced.
pub(crate) struct Bare(File);

impl Bare {
    pub(crate) fn create(dir: &Path, name: &str) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(dir.join(name))?;
        Ok(Self(file))
    }

    /// One append and one `fdatasync`.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<Duration> {
        let began = Instant::now();
        self.0.write_all(bytes)?;
        self.0.sync_data()?;
        Ok(began.elapsed())
    }
}

/// Bytes of what lies in a folder under names that begin with `prefix`.
pub(crate) fn bytes_of(dir: &Path, prefix: &str) -> Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(prefix) {
            continue;
        }
        let meta = entry.metadata()?;
        sum += if meta.is_dir() {
            bytes_of(&entry.path(), "")?
        } else {
            meta.len()
        };
    }
    Ok(sum)
}

/// Resident bytes of a process, from `/proc`.
pub(crate) fn rss_bytes(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("this system tells no memory use")?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).context("no VmRSS")?;
    let kb: u64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kb * 1024)
}

/// CPU time that a process has used, from `/proc`, at the usual 100 ticks a second.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|t| t.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}
