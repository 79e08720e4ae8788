//! A room after five years: 15,000 cases in the real binary's process; and its index made anew.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::Length;
use crate::county::{County, open_real};
use crate::machine::{Clock, rss_bytes};
use crate::made::{Shape, fill};
use crate::table::{Row, Table, Target, Unit};

pub(crate) const CASES: usize = 15_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// Measurements write here, because `/tmp` may lie in memory, where a sync costs nothing.
pub(crate) fn target_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

pub(crate) fn measure(table: &mut Table, _: Length) -> Result<()> {
    let clock = Clock::start();
    let county = County::found(1, clock)?;
    rebuild(table, &county, Shape::Interleaved, clock)?;
    let dir = rebuild(table, &county, Shape::Typed, clock)?;
    let data = dir.path().join("room");
    table.note("index rebuild: from the journal alone, in the daemon's slices; the floor is its part that only reads the journal and notes where entries lie.");

    let mut usable = Vec::new();
    let mut rss = 0;
    for _ in 0..5 {
        let (node, took) = Node::start(&data)?;
        usable.push(took);
        std::thread::sleep(Duration::from_millis(1_500));
        rss = rss.max(rss_bytes(node.0.id())?);
        node.stop(&data)?;
    }
    let bare = bare_start(&data)?;
    let ms = crate::machine::percentile(&mut usable, 0.5).as_secs_f64() * 1e3;
    table.push(
        Row::new("node with 15,000 cases: usable after", Unit::Millis, ms)
            .floor(bare.as_secs_f64() * 1e3)
            .target(Target::AtMost(300.0)),
    );
    let mb = rss as f64 / 1e6;
    table.push(Row::new("node with 15,000 cases: RSS", Unit::Mebibytes, mb).target(Target::AtMost(40.0)));
    table.note("node: the real binary; usable when its local API answers; the median of five starts. The floor starts it only to say its version.");
    Ok(())
}

/// Makes a folder with five years of cases, and the index of it.
pub(crate) fn rebuild(table: &mut Table, county: &County, shape: Shape, clock: Clock) -> Result<tempfile::TempDir> {
    let room = county.rooms.first().context("no room")?.copy();
    fill(&room, county.catalogue, CASES, shape)?;
    let dir = tempfile::tempdir_in(target_dir())?;
    let data = dir.path().join("room");
    room.folder.put(&data)?;
    let began = Instant::now();
    let mut office = open_real(&data, clock)?;
    let opened = began.elapsed();
    while office.apply(clock.now(), net::limits::APPLY_IDLE)? > 0 {}
    let rebuilt = began.elapsed();
    office.rest(clock.now())?;
    let entries = (CASES * 3) as f64;
    let what = format!("index rebuild, 45,000 entries, {}", shape.words());
    let row = Row::new(what, Unit::PerSecond, entries / rebuilt.as_secs_f64());
    let row = row.floor(entries / opened.as_secs_f64());
    table.push(match shape {
        // The worst case is only shown.
        Shape::Interleaved => row,
        Shape::Typed | Shape::Together => row.target(Target::AtLeast(20_000.0)),
    });
    Ok(dir)
}

pub(crate) struct Node(Child);

impl Node {
    pub(crate) fn start(data: &Path) -> Result<(Self, Duration)> {
        Self::start_with(data, "off")
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// With its page at an address, or `off`.
    pub(crate) fn start_with(data: &Path, console: &str) -> Result<(Self, Duration)> {
        Self::start_as("node", data, console)
    }

    /// As the binary of a room (`node`) or of a centre (`hub`).
    pub(crate) fn start_as(kind: &str, data: &Path, console: &str) -> Result<(Self, Duration)> {
        let api = data.join("api");
        let began = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_cunlian-demo"))
            .arg(kind)
            .arg("--data")
            .arg(data)
            .arg("run")
            .env("CUNLIAN_CONSOLE", console)
            .env("CUNLIAN_LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut node = Self(child);
        while !api.exists() {
            if began.elapsed() > PATIENCE || node.0.try_wait()?.is_some() {
                bail!("the node did not start");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok((node, began.elapsed()))
    }

    pub(crate) fn stop(mut self, data: &Path) -> Result<()> {
        let asked = Command::new("kill")
            .arg("-TERM")
            .arg(self.0.id().to_string())
            .status()?;
        if !asked.success() {
            bail!("the node cannot be stopped");
        }
        self.0.wait()?;
        let _ = std::fs::remove_file(data.join("api"));
        Ok(())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Ended already, as a rule.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn bare_start(data: &Path) -> Result<Duration> {
    let began = Instant::now();
    Command::new(env!("CARGO_BIN_EXE_cunlian-demo"))
        .arg("node")
        .arg("--data")
        .arg(data)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(began.elapsed())
}
