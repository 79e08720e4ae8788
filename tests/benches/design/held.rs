//! Ten thousand rooms connected to one hub at once: what each costs, and whether a room among them is served as before.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cunlian_tests::crowd::{Crowd, Member};
use net::limits::{CONNECTIONS_PER_KEY_MAX, IDLE_CONNECTION_BYTES_MAX, MEMORY_BYTES_MAX};
use office::command::{Command, Invite};
use office::{Office, Output};
use replica::frame::Outbound;
use replica::session::Dialled;
use replica::ticket::Ticket;

use crate::Length;
use crate::child::Hub;
use crate::county::{self, County, command, decoded, settled, township, village_code};
use crate::lines::{Line, Shares};
use crate::machine::{Clock, percentile, rss_bytes};
use crate::made::{Shape, fill};
use crate::pump::{Wire, until_silent};
use crate::table::{Row, Table, Target, Unit};

/// Villages that the crowd's devices belong to, as in a full county.
const VILLAGES: usize = 462;
/// Cases of the room among them.
const CASES: usize = 20;

pub(crate) fn measure(table: &mut Table, length: Length) -> Result<()> {
    let connections = match length {
        Length::Usual => 1_000,
        Length::Full => 10_000,
    };
    let clock = Clock::start();
    let county = County::found_among(1, VILLAGES, clock)?;
    let members = admit(&county, connections / CONNECTIONS_PER_KEY_MAX, clock)?;
    let room = county.rooms.first().context("no room")?;
    fill(room, county.catalogue, 1, Shape::Together)?;
    let dir = tempfile::tempdir_in(crate::node::target_dir())?;
    let data = dir.path().join("hub");
    county.hub.put(&data)?;
    let hub = Hub::start(&data)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut line = runtime.block_on(Line::open(room))?;
    runtime.block_on(async {
        line.dial(hub.addr);
        line.receipted().await
    })?;
    let alone = runtime.block_on(receipts(&line))?;
    let before = rss_bytes(hub.pid())?;
    let mut crowd = Crowd::new(hub.addr)?;
    let shares = Shares::begin(hub.pid());
    let began = Instant::now();
    for _ in 0..CONNECTIONS_PER_KEY_MAX {
        crowd.hold(members.iter().cloned())?;
    }
    let opening = began.elapsed();
    let (opening_cpu, load) = shares.end();
    std::thread::sleep(Duration::from_secs(5));
    let after = rss_bytes(hub.pid())?;
    let among = runtime.block_on(receipts(&line))?;
    // Longer than the idle timeout: who is still there is kept alive.
    let shares = Shares::begin(hub.pid());
    std::thread::sleep(Duration::from_secs(40));
    let (idle_cpu, idle_load) = shares.end();
    ensure!(
        crowd.alive() == connections,
        "{} of {connections} connections stand",
        crowd.alive()
    );
    let peak = rss_bytes(hub.pid())?;
    let each = after.saturating_sub(before) as f64 / connections as f64;
    table.push(
        Row::new(
            format!("hub memory per idle room, {connections} connected"),
            Unit::Bytes,
            each,
        )
        .target(Target::AtMost(IDLE_CONNECTION_BYTES_MAX as f64))
        .load(load),
    );
    tell_receipts(table, connections, &among, &alone);
    table.note(format!(
        "held: {connections} connections of {} devices opened in {:.1} s (hub {opening_cpu:.1} s of CPU, load's share {:.0} %); RSS {:.1} → {:.1} MB, {:.1} MB 40 s later (limit {:.0} MB); idle for 40 s: hub {idle_cpu:.1} s of CPU, load's share {:.0} %. The floor of a receipt is the same room alone.",
        members.len(),
        opening.as_secs_f64(),
        load * 100.0,
        before as f64 / 1e6,
        after as f64 / 1e6,
        peak as f64 / 1e6,
        MEMORY_BYTES_MAX as f64 / 1e6,
        idle_load * 100.0,
    ));
    ensure!(peak < MEMORY_BYTES_MAX as u64, "the hub holds {peak} bytes");
    drop(crowd);
    runtime.block_on(line.close());
    Ok(())
}

/// How long receipts took in the crowd, beside the same room alone.
fn tell_receipts(table: &mut Table, connections: usize, among: &[Duration], alone: &[Duration]) {
    for (share, name) in [(0.5, "p50"), (1.0, "max")] {
        let row = Row::new(
            format!("receipt of a case among {connections} idle rooms, {name}"),
            Unit::Seconds,
            percentile(&mut among.to_vec(), share).as_secs_f64(),
        );
        table.push(
            row.floor(percentile(&mut alone.to_vec(), share).as_secs_f64())
                .target(Target::AtMost(1.0)),
        );
    }
}

/// How long a room waits for the county's receipt, case after case.
async fn receipts(line: &Line) -> Result<Vec<Duration>> {
    let mut waits = Vec::new();
    for n in 0..CASES {
        let began = Instant::now();
        line.record(n).await?;
        line.receipted().await?;
        waits.push(began.elapsed());
    }
    Ok(waits)
}

/// Lets devices of all villages join, without stores of their own: each at its township, as a hub has node codes for 1,296 devices.
fn admit(county: &County, devices: usize, clock: Clock) -> Result<Vec<Member>> {
    let mut hub = county.hub.open(1, clock)?;
    let mut members = Vec::new();
    for at in 0..VILLAGES.div_ceil(county::VILLAGES) {
        let mut town = township(&mut hub, at, clock)?;
        settled(&mut hub, &mut town, clock)?.part(&mut town, &mut hub, clock);
        for n in (0..devices).filter(|n| n % VILLAGES / county::VILLAGES == at) {
            members.push(let_in(&mut town, n, clock)?);
        }
        let mut wire = Wire::connect(&mut town, &mut hub, clock);
        until_silent(&mut wire, &mut town, &mut hub, clock)?;
        wire.part(&mut town, &mut hub, clock);
    }
    hub.rest(clock.now())?;
    Ok(members)
}

/// Lets one in at its township's hub.
fn let_in(hub: &mut Office, n: usize, clock: Clock) -> Result<Member> {
    let invite = Invite {
        unit: village_code(n % VILLAGES),
        addrs: vec!["127.0.0.1:1".to_owned()],
        expires_s: None,
    };
    let answer = command(hub, clock, Command::Invite(invite))?;
    let ticket = Ticket::parse(answer["ticket"].as_str().context("no ticket")?)?;
    let member = Member::new(n as u64, ticket.unit);
    let device = ledger::id::DeviceId(member.key.verifying_key().to_bytes());
    let line = hub.connect(clock.now(), device, Dialled::Them, "memory");
    let frame = Outbound::Join(Box::new(member.request(&ticket))).encode();
    hub.inbound(clock.now(), line, decoded(&frame)?)?;
    hub.commit(clock.now())?;
    while let Some((_, output)) = hub.next_output() {
        ensure!(!matches!(output, Output::Close(_)), "device {n} is not welcome");
    }
    hub.disconnected(clock.now(), line);
    Ok(member)
}
