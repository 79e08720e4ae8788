//! How fast a hub takes signed entries: through decoding, proof, journal, sync and receipt; and how fast it folds them into its rows.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use office::Office;
use office::command::Command;

use crate::Length;
use crate::county::{County, Room, decoded, open_real};
use crate::machine::{Bare, Clock, bytes_of};
use crate::made::{Shape, fill};
use crate::pump::{Taken, Wire, outgoing, take};
use crate::table::{Row, Table, Target, Unit};

/// DESIGN §10.
const RECEIPTED: f64 = 100_000.0;
const APPLIED_TOGETHER: f64 = 20_000.0;
const APPLIED_INTERLEAVED: f64 = 8_000.0;
const DISK_RATIO: f64 = 1.2;
/// Entries of one room; a multiple of three.
const ROOM_ENTRIES: usize = 9_999;
/// Of one room whose changes are interleaved: the changes of a case lie a third of it apart, far more than what is applied at once.
const ROOM_ENTRIES_APART: usize = 99_999;

pub(crate) fn measure(table: &mut Table, length: Length) -> Result<()> {
    let mut sizes = vec![(10_000, true), (100_000, true), (1_000_000, true)];
    if length == Length::Full {
        sizes.push((10_000_000, false));
    }
    let clock = Clock::start();
    let county = County::found(101, clock)?;
    let mut rates = Vec::new();
    for (entries, both) in sizes {
        for shape in [Shape::Together, Shape::Interleaved] {
            if shape == Shape::Together || both {
                rates.push((entries, shape, one(table, &county, entries, shape, clock)?));
            }
        }
    }
    for shape in [Shape::Together, Shape::Interleaved] {
        let of = |wanted| {
            rates
                .iter()
                .find(|(n, s, _)| *n == wanted && *s == shape)
                .map(|(_, _, r)| *r)
        };
        let largest = rates.iter().rev().find(|(_, s, _)| *s == shape);
        if let (Some(few), Some((most, _, many))) = (of(100_000), largest) {
            let what = format!("applied at {} ÷ at 10^5, {}", power(*most), shape.words());
            table.push(Row::new(what, Unit::Times, many / few).target(Target::AtLeast(0.8)));
        }
    }
    Ok(())
}

fn power(entries: usize) -> String {
    format!("10^{}", entries.ilog10())
}

/// Sends so many entries to a fresh hub; returns how many it applied in a second.
fn one(table: &mut Table, county: &County, entries: usize, shape: Shape, clock: Clock) -> Result<f64> {
    let dir = tempfile::tempdir_in(crate::node::target_dir())?;
    let data = dir.path().join("hub");
    county.hub.put(&data)?;
    let mut hub = open_real(&data, clock)?;
    while hub.apply(clock.now(), 8_192)? > 0 {}
    let before = bytes_of(&data, "journal-")? + bytes_of(&data, "vault")?;
    let mut bare = Bare::create(dir.path(), "bare.tmp")?;
    let (mut taken, mut applied, mut floor, mut load) =
        (Taken::default(), Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let (mut sent, mut raw) = (0, 0);
    while sent < entries {
        // Past 10⁶ the rooms are larger, for their number is not.
        let most = match shape {
            Shape::Interleaved => ROOM_ENTRIES_APART,
            Shape::Together | Shape::Typed => ROOM_ENTRIES * (entries / 1_000_000).max(1),
        };
        let cases = most.min(entries - sent).div_ceil(3);
        let making = Instant::now();
        let room = county.rooms.get(sent / most).context("too few rooms")?;
        let (frames, bytes, mut room_office, wire) = load_of(room, county, cases, shape, &mut hub, clock)?;
        load += making.elapsed();
        let (done, answers) = take(&mut hub, wire.at_hub, &frames, clock)?;
        taken = taken.and(done);
        let folding = Instant::now();
        while hub.apply(clock.now(), net::limits::APPLY_IDLE)? > 0 {}
        applied += folding.elapsed();
        for answer in &answers {
            room_office.inbound(clock.now(), wire.at_room, decoded(answer)?)?;
        }
        room_office.commit(clock.now())?;
        let status = room_office.command(clock.now(), Command::Status, &mut |_| {})?;
        ensure!(
            status["pending"]["county"] == 0,
            "not everything was receipted: {}",
            status["pending"]
        );
        wire.part(&mut room_office, &mut hub, clock);
        floor += bare_append(&mut bare, &frames, done.commits)?;
        sent += cases * 3;
        raw += bytes;
    }
    let status = hub.command(clock.now(), Command::Status, &mut |_| {})?;
    let held = status["journal"]["entries"].as_u64().unwrap_or(0);
    ensure!(held >= sent as u64, "the hub holds {held} of {sent} entries");
    report(table, sent, entries, shape, &taken, applied, floor, load);
    if entries <= 100_000 && shape == Shape::Together {
        disk(table, &data, before, raw, sent / 3)?;
    }
    Ok(sent as f64 / applied.as_secs_f64())
}

fn disk(table: &mut Table, data: &Path, before: u64, raw: u64, cases: usize) -> Result<()> {
    let after = bytes_of(data, "journal-")? + bytes_of(data, "vault")?;
    let per_case = |bytes: u64| bytes as f64 / cases as f64;
    let what = format!("hub disk per three-change case, {} entries", power(cases * 3));
    table.push(
        Row::new(
            format!("{what}: journal and vault"),
            Unit::Bytes,
            per_case(after - before),
        )
        .floor(per_case(raw))
        .target(Target::AtMost(DISK_RATIO * per_case(raw))),
    );
    let index = per_case(bytes_of(data, "index")?);
    table.push(Row::new(format!("{what}: index, derived"), Unit::Bytes, index).floor(per_case(raw)));
    Ok(())
}

/// A room with its cases, met and compared with the hub, and all frames that it has to send.
fn load_of(
    room: &Room,
    county: &County,
    cases: usize,
    shape: Shape,
    hub: &mut Office,
    clock: Clock,
) -> Result<(Vec<Vec<u8>>, u64, Office, Wire)> {
    let room = room.copy();
    let bytes = fill(&room, county.catalogue, cases, shape)?;
    let (frames, office, wire) = met(&room, hub, clock)?;
    Ok((frames, bytes, office, wire))
}

/// A room that has met a hub and compared with it, and all frames that it has to send.
pub(crate) fn met(room: &Room, hub: &mut Office, clock: Clock) -> Result<(Vec<Vec<u8>>, Office, Wire)> {
    let mut office = room.folder.open(4, clock)?;
    let wire = Wire::connect(&mut office, hub, clock);
    let mut frames = Vec::new();
    // Hellos and vectors cross; from then on the room sends without asking.
    for _ in 0..4 {
        let up = outgoing(&mut office, wire.at_room, clock);
        let few = up.len() <= 2 && frames.is_empty() && up.iter().all(|f| f.len() < 4_096);
        if few {
            for frame in &up {
                hub.inbound(clock.now(), wire.at_hub, decoded(frame)?)?;
            }
            hub.commit(clock.now())?;
        } else {
            frames.extend(up);
        }
        for frame in outgoing(hub, wire.at_hub, clock) {
            office.inbound(clock.now(), wire.at_room, decoded(&frame)?)?;
        }
        office.commit(clock.now())?;
    }
    frames.extend(outgoing(&mut office, wire.at_room, clock));
    Ok((frames, office, wire))
}

/// The same bytes, in as many pieces as there were commits, each appended and synced.
fn bare_append(bare: &mut Bare, frames: &[Vec<u8>], commits: u32) -> Result<Duration> {
    let all = frames.concat();
    let piece = all.len().div_ceil(commits.max(1) as usize).max(1);
    let mut sum = Duration::ZERO;
    for part in all.chunks(piece) {
        sum += bare.append(part)?;
    }
    Ok(sum)
}

#[allow(clippy::too_many_arguments)]
fn report(
    table: &mut Table,
    sent: usize,
    size: usize,
    shape: Shape,
    taken: &Taken,
    applied: Duration,
    floor: Duration,
    load: Duration,
) {
    let rate = |time: Duration| sent as f64 / time.as_secs_f64();
    let share = load.as_secs_f64() / (load + taken.wall + applied).as_secs_f64();
    let what = format!("hub receipts, {} entries, {}", power(size), shape.words());
    table.push(
        Row::new(what, Unit::PerSecond, rate(taken.wall))
            .floor(rate(floor))
            .target(Target::AtLeast(RECEIPTED))
            .load(share),
    );
    let target = match shape {
        Shape::Together | Shape::Typed => APPLIED_TOGETHER,
        Shape::Interleaved => APPLIED_INTERLEAVED,
    };
    let what = format!("hub applies, {} entries, {}", power(size), shape.words());
    table.push(
        Row::new(what, Unit::PerSecond, rate(applied))
            .target(Target::AtLeast(target))
            .load(share),
    );
    let each = |time: Duration| time.as_secs_f64() * 1e6 / sent as f64;
    table.note(format!(
        "ingest {}, {}: per entry {:.1} µs decoding and proving, {:.1} µs taking and syncing (on another thread), {:.1} µs applying; {} commits, {} B on the wire. The load is made before the clock runs.",
        power(size),
        shape.words(),
        each(taken.decoding),
        each(taken.office),
        each(applied),
        taken.commits,
        taken.bytes / (sent as u64 / 3).max(1)
    ));
}
