//! Progress of long work, in words, not oftener than an eye can follow.

use std::time::{Duration, Instant};

use net::ProgressSink;
use store::{Progress, Task};

use crate::service::Lines;

/// Oftener nobody reads it.
const EVERY: Duration = Duration::from_millis(200);

/// Turns progress into lines for whoever waits. The first report is held back too: short work says nothing.
pub(crate) fn sink(lines: Lines) -> ProgressSink {
    let mut last = Instant::now();
    Box::new(move |progress| {
        if last.elapsed() >= EVERY {
            last = Instant::now();
            // Whoever waited may have gone.
            let _ = lines.send(words(progress));
        }
    })
}

/// For example `核验流水 42%`.
pub(crate) fn words(progress: Progress) -> String {
    let task = match progress.task {
        Task::Scrubbing => "检查流水",
        Task::Replaying => "补齐索引",
        Task::Rebuilding => "重建索引",
        Task::Verifying => "核验",
        Task::Importing => "导入",
    };
    match progress.done.saturating_mul(100).checked_div(progress.total) {
        Some(percent) => format!("{task} {}%", percent.min(100)),
        None => format!("{task} {}", progress.done),
    }
}
