//! What a hub keeps in memory for rooms that are connected and have nothing to say.

use std::time::Duration;

use anyhow::Result;

use crate::Length;
use crate::child::Hub;
use crate::county::County;
use crate::lines::Line;
use crate::machine::{Clock, rss_bytes};
use crate::made::{Shape, fill};
use crate::table::{Row, Table, Target, Unit};

/// A hub lets a key connect four times.
const PER_ROOM: usize = 4;

pub(crate) fn measure(table: &mut Table, _: Length) -> Result<()> {
    const ROOMS: usize = 250;
    let county = County::found(ROOMS, Clock::start())?;
    let dir = tempfile::tempdir_in(crate::node::target_dir())?;
    let data = dir.path().join("hub");
    county.hub.put(&data)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let mut lines = Vec::new();
        for room in &county.rooms {
            fill(room, county.catalogue, 1, Shape::Together)?;
            lines.push(Line::open(room).await?);
        }
        let hub = Hub::start(&data)?;
        // The first connections bring the entries, so that the rest is memory of connections alone.
        for line in &mut lines {
            line.dial(hub.addr);
        }
        for line in &lines {
            line.receipted().await?;
        }
        let settle = Duration::from_secs(4);
        tokio::time::sleep(settle).await;
        let before = rss_bytes(hub.pid())?;
        for _ in 1..PER_ROOM {
            for line in &mut lines {
                line.dial(hub.addr);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(settle).await;
        let after = rss_bytes(hub.pid())?;
        let more = ROOMS * (PER_ROOM - 1);
        let each = after.saturating_sub(before) as f64 / more as f64;
        table.push(Row::new("hub memory per idle connection", Unit::Bytes, each).target(Target::AtMost(60_000.0)));
        table.note(format!(
            "idle: RSS of a hub process from {ROOMS} to {} connections of {ROOMS} rooms: {:.1} → {:.1} MB. For 10,000 rooms that would be {:.0} MB for connections alone; what a hub keeps per room held (logs, members) is in neither number.",
            ROOMS * PER_ROOM,
            before as f64 / 1e6,
            after as f64 / 1e6,
            each * 10_000.0 / 1e6
        ));
        for line in lines {
            line.close().await;
        }
        Ok(())
    })
}
