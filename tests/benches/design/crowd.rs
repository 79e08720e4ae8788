//! Many rooms at once: after a county-wide outage all lines heal in the same second.

use std::time::Instant;

use anyhow::Result;

use crate::Length;
use crate::child::Hub;
use crate::county::County;
use crate::lines::{Line, Shares};
use crate::machine::{Bare, Clock};
use crate::made::{Shape, fill};
use crate::table::{Row, Table, Target, Unit};

pub(crate) fn measure(table: &mut Table, _: Length) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        one(table, 20, 500, 0.5).await?;
        one(table, 500, 100, 15.0).await
    })
}

async fn one(table: &mut Table, rooms: usize, cases: usize, most: f64) -> Result<()> {
    let county = County::found(rooms, Clock::start())?;
    let dir = tempfile::tempdir_in(crate::node::target_dir())?;
    let data = dir.path().join("hub");
    county.hub.put(&data)?;
    let mut raw = 0;
    let mut lines = Vec::new();
    for room in &county.rooms {
        raw += fill(room, county.catalogue, cases, Shape::Together)?;
        let line = Line::open(room).await?;
        line.holds(cases * 3).await?;
        lines.push(line);
    }
    let hub = Hub::start(&data)?;
    let shares = Shares::begin(hub.pid());
    let began = Instant::now();
    for line in &mut lines {
        line.dial(hub.addr);
    }
    for line in &lines {
        line.receipted().await?;
    }
    let took = began.elapsed();
    let (hub_cpu, load) = shares.end();
    for line in lines {
        line.close().await;
    }
    let mut bare = Bare::create(dir.path(), "bare.tmp")?;
    let floor = bare.append(&vec![3; usize::try_from(raw)?])?;
    table.push(
        Row::new(
            format!(
                "{rooms} rooms × {} entries at once over QUIC, to the last receipt",
                cases * 3
            ),
            Unit::Seconds,
            took.as_secs_f64(),
        )
        .floor(floor.as_secs_f64())
        .target(Target::AtMost(most))
        .load(load),
    );
    table.note(format!(
        "{rooms} rooms at once: straight to the county; the hub used {hub_cpu:.2} s of CPU. The floor appends the entries' bytes and syncs once, without a network."
    ));
    Ok(())
}
