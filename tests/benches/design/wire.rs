//! Bytes: of a catch-up, and of a reconnect with nothing new.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cunlian_tests::relay::Relay;

use crate::Length;
use crate::child::Hub;
use crate::county::{County, Room};
use crate::lines::Line;
use crate::machine::Clock;
use crate::made::{Shape, fill};
use crate::pump::{Wire, until_silent};
use crate::table::{Row, Table, Target, Unit};

/// Bytes of our frames, hellos and receipts included, for so many cases in one catch-up.
pub(crate) fn measure(table: &mut Table, _: Length) -> Result<()> {
    let clock = Clock::start();
    let county = County::found(1, clock)?;
    for cases in [1, 10, 100, 1_000] {
        let room = county.rooms.first().context("no room")?.copy();
        let raw = fill(&room, county.catalogue, cases, Shape::Together)?;
        let mut office = room.folder.open(7, clock)?;
        let mut hub = county.hub.copy().open(8, clock)?;
        let mut wire = Wire::connect(&mut office, &mut hub, clock);
        until_silent(&mut wire, &mut office, &mut hub, clock)?;
        let ours = (wire.up_bytes + wire.down_bytes) as f64 / cases as f64;
        let row = Row::new(format!("wire per case, our frames, {cases} cases"), Unit::Bytes, ours);
        table.push(row.floor(raw as f64 / cases as f64));
        wire.part(&mut office, &mut hub, clock);
        let folder = tempfile::tempdir_in(crate::node::target_dir())?;
        let udp = over_quic(
            &county,
            &county.rooms.first().context("no room")?.copy(),
            cases,
            folder.path(),
        )?;
        let row = Row::new(
            format!("wire per case, all UDP payload with handshake, {cases} cases"),
            Unit::Bytes,
            udp as f64 / cases as f64,
        );
        table.push(row.floor(raw as f64 / cases as f64));
    }
    table.note("wire: the floor is the entries' raw bytes. The overhead of meeting is in every row, so it fades with the number of cases.");
    Ok(())
}

/// UDP payload of a whole connection until the last receipt and a second of silence.
fn over_quic(county: &County, room: &Room, cases: usize, dir: &std::path::Path) -> Result<u64> {
    if cases > 0 {
        fill(room, county.catalogue, cases, Shape::Together)?;
    }
    let data = dir.join("hub");
    if !data.exists() {
        county.hub.put(&data)?;
    }
    let hub = Hub::start(&data)?;
    let relay = Relay::start(hub.addr)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let mut line = Line::open(room).await?;
        line.dial(relay.addr());
        line.receipted().await?;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let (up, down) = relay.bytes();
        line.close().await;
        Ok(up + down)
    })
}

/// What a reconnect costs when nothing is new, whatever is held.
pub(crate) fn reconnect(table: &mut Table, _: Length) -> Result<()> {
    let clock = Clock::start();
    let county = County::found(1, clock)?;
    for (cases, held) in [(34, "10^2"), (33_334, "10^5")] {
        let room = county.rooms.first().context("no room")?.copy();
        fill(&room, county.catalogue, cases, Shape::Together)?;
        let hub_folder = county.hub.copy();
        let mut office = room.folder.open(7, clock)?;
        let mut hub = hub_folder.open(8, clock)?;
        hub.limit_days(replica::session::Quota::new(u64::MAX, u64::MAX));
        let mut wire = Wire::connect(&mut office, &mut hub, clock);
        until_silent(&mut wire, &mut office, &mut hub, clock)?;
        ensure!(wire.up_bytes > 100 * cases as u64, "the cases did not arrive");
        wire.part(&mut office, &mut hub, clock);
        hub.rest(clock.now())?;
        office.rest(clock.now())?;
        let mut wire = Wire::connect(&mut office, &mut hub, clock);
        until_silent(&mut wire, &mut office, &mut hub, clock)?;
        let ours = (wire.up_bytes + wire.down_bytes) as f64;
        let what = format!("reconnect, nothing new, {held} entries held");
        table.push(Row::new(format!("{what}: our bytes"), Unit::Bytes, ours).target(Target::AtMost(1_000.0)));
        let trips = f64::from(wire.turns);
        table.push(Row::new(format!("{what}: round trips"), Unit::Trips, trips).target(Target::AtMost(1.0)));
        wire.part(&mut office, &mut hub, clock);
        drop((office, hub));
        let dir = tempfile::tempdir_in(crate::node::target_dir())?;
        hub_folder.put(&dir.path().join("hub"))?;
        let udp = over_quic(&county, &room, 0, dir.path())?;
        table.push(
            Row::new(format!("{what}: all UDP payload"), Unit::Bytes, udp as f64).target(Target::AtMost(8_000.0)),
        );
    }
    Ok(())
}
