//! A room that was offline long: 10,000 cases to the last receipt, on a fast line and on a slow one.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cunlian_tests::relay::Relay;
use net::Identity;

use crate::Length;
use crate::child::Hub;
use crate::county::{County, Room};
use crate::lines::{Line, Shares};
use crate::machine::{Bare, Clock};
use crate::made::{Shape, fill};
use crate::table::{Row, Table, Target, Unit};

const CASES: usize = 10_000;

pub(crate) fn measure(table: &mut Table, _: Length) -> Result<()> {
    let clock = Clock::start();
    let county = County::found(1, clock)?;
    let room = county.rooms.first().context("no room")?;
    let raw = fill(room, county.catalogue, CASES, Shape::Together)?;
    let runtime = tokio::runtime::Runtime::new()?;
    for (round_trip_ms, most) in [(0, 0.3), (80, 2.0)] {
        runtime.block_on(one(table, &county, room, round_trip_ms, most, raw))?;
    }
    table.note("catch-up: one room, its cases of the kind above; a room may write 20,000 entries a day, so the hub's daily limit is lifted here. The relay is a user-space UDP forwarder whose CPU counts as load.");
    Ok(())
}

async fn one(table: &mut Table, county: &County, room: &Room, round_trip_ms: u64, most: f64, raw: u64) -> Result<()> {
    let dir = tempfile::tempdir_in(crate::node::target_dir())?;
    let data = dir.path().join("hub");
    county.hub.put(&data)?;
    let hub = Hub::start(&data)?;
    let relay = Relay::start(hub.addr)?;
    relay.set_delay(Duration::from_millis(round_trip_ms / 2));
    let room = room.copy();
    let mut line = Line::open(&room).await?;
    line.holds(CASES * 3).await?;
    let shares = Shares::begin(hub.pid());
    let began = Instant::now();
    line.dial(relay.addr());
    line.receipted().await?;
    let took = began.elapsed();
    let (hub_cpu, load) = shares.end();
    let (up, down) = relay.bytes();
    line.close().await;
    let floor = bare(dir.path(), up as usize, round_trip_ms).await?;
    table.push(
        Row::new(
            format!("10,000 cases catching up, {round_trip_ms} ms round trip, to the last receipt"),
            Unit::Seconds,
            took.as_secs_f64(),
        )
        .floor(floor.as_secs_f64())
        .target(Target::AtMost(most))
        .load(load),
    );
    if round_trip_ms == 0 {
        let cases = CASES as f64;
        table.push(
            Row::new(
                "wire per three-change case in that catch-up, all UDP payload, both ways",
                Unit::Bytes,
                (up + down) as f64 / cases,
            )
            .floor(raw as f64 / cases)
            .target(Target::AtMost(300.0)),
        );
    }
    table.note(format!(
        "catch-up at {round_trip_ms} ms: {up} B up, {down} B down; the hub used {hub_cpu:.2} s of CPU. The floor sends as many bytes over quinn, which are appended, synced once and answered."
    ));
    Ok(())
}

/// Bytes over quinn with the same transport, appended to a file; ends with the answer that they are synced.
async fn bare(dir: &std::path::Path, bytes: usize, round_trip_ms: u64) -> Result<Duration> {
    let key = |n: u8| Identity::new(ed25519_dalek::SigningKey::from_bytes(&[n; 32]));
    let listener = key(1).listen(([127, 0, 0, 1], 0).into())?;
    let relay = Relay::start(listener.local_addr()?)?;
    relay.set_delay(Duration::from_millis(round_trip_ms / 2));
    let mut file = Bare::create(dir, "bare.tmp")?;
    let server = tokio::spawn(async move {
        let connection = listener.accept().await.context("nobody came")?.await?;
        let (mut send, mut recv) = connection.accept_bi().await?;
        let all = recv.read_to_end(usize::MAX).await?;
        file.append(&all)?;
        send.write_all(b"ok").await?;
        send.finish()?;
        // The dialler closes once it has read the answer.
        connection.closed().await;
        anyhow::Ok(())
    });
    let dialler = key(2);
    let began = Instant::now();
    let (endpoint, connection) = dialler.connect(&relay.addr().to_string(), None).await?;
    let (mut send, mut recv) = connection.open_bi().await?;
    let payload: Vec<u8> = (0..bytes).map(|at| (at * 31 % 251) as u8).collect();
    send.write_all(&payload).await?;
    send.finish()?;
    recv.read_to_end(16).await?;
    let took = began.elapsed();
    connection.close(0u32.into(), b"");
    endpoint.wait_idle().await;
    server.await??;
    Ok(took)
}
