//! The wall over all rooms of a county, a room's page and `/metrics`: how long the hub takes, with a month of history on its disk.
//!
//! Townships are connected and say how their rooms are, in the frames in which townships say it; a twentieth of the townships has
//! fallen silent. The first rooms have books here, the others are known by what is said of them.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ledger::day::Day;
use ledger::id::{DeviceId, UnitId};
use office::Office;
use office::command::{Command, MemberRevoke, RoomShow, UserAdd, Wall};
use replica::frame::{DayCount, Ending, LastSession, Outbound, RoomHealth, RoomLine, RoomMore};

use crate::Length;
use crate::county::{COUNTY, County, VILLAGES, admitted, command, decoded, open_real, settled, township, village_code};
use crate::ingest::met;
use crate::machine::{Clock, bytes_of, percentile, rss_bytes};
use crate::made::{Case, Shape, fill_with};
use crate::node::{Node, target_dir};
use crate::pump::{Wire, take, until_silent};
use crate::table::{Row, Table, Target, Unit};
use crate::visitor::{Visitor, address, timed, took};

/// Rooms with books: a whole county; of ten thousand the first of them.
const WITH_BOOKS: usize = 462;
/// Cases of each such book, three a day up to today.
const CASES: usize = 60;
const A_DAY: usize = 3;
const DAYS: u64 = 31;
const HOUR_MS: u64 = 3_600_000;
/// Times that each question is asked.
const ASKED: usize = 40;
const ROOMS_PER_FRAME: usize = 200;
const ADMIN: &str = "qianmin";

pub(crate) fn measure(table: &mut Table, _: Length) -> Result<()> {
    let asked = std::env::var("CUNLIAN_BENCH_ROOMS").unwrap_or_else(|_| format!("{WITH_BOOKS},10000"));
    for rooms in asked.split(',') {
        one(table, rooms.trim().parse().context("CUNLIAN_BENCH_ROOMS")?)?;
    }
    table.note(
        "wall: rooms in townships of 66, so 10,000 of them are 152 townships (a county hub has prefixes for 157 hubs below it); tiles are shown of the 600 rooms that need somebody most. \"office\" is the time on the office's thread, with the mix of states; \"page\" is the whole request to the hub's \
         process over loopback (office, rendering, transport), where all lines are down after its start. p95; the floor column is the median. The month is of a look an hour, with ten thousand rooms one in four hours.",
    );
    Ok(())
}

/// What the design allows for a page of so many rooms, milliseconds.
fn page_target(rooms: usize) -> Target {
    Target::AtMost(if rooms <= WITH_BOOKS { 100.0 } else { 500.0 })
}

fn one(table: &mut Table, rooms: usize) -> Result<()> {
    let clock = Clock::ago((DAYS * 24 * HOUR_MS) as i64);
    let books = rooms.min(WITH_BOOKS);
    let county = County::found_among(books, rooms, clock)?;
    let dir = tempfile::tempdir_in(target_dir())?;
    let data = dir.path().join("hub");
    county.hub.put(&data)?;
    let mut hub = open_real(&data, clock)?;
    let today = Day::of_wall_ms(Clock::start().now().wall_ms);
    let mut known: Vec<(DeviceId, UnitId)> = Vec::with_capacity(rooms);
    for room in &county.rooms {
        let room = room.copy();
        let book: Vec<Case> = (0..CASES)
            .map(|at| Case {
                on: today.plus(-(((CASES - 1 - at) / A_DAY) as i32)),
                nth: at % A_DAY,
                changes: 1 + at % 3,
            })
            .collect();
        fill_with(&room, county.catalogue, &book, Shape::Together)?;
        let (frames, mut office, wire) = met(&room, &mut hub, clock)?;
        take(&mut hub, wire.at_hub, &frames, clock)?;
        wire.part(&mut office, &mut hub, clock);
        known.push((room.device(), room.log.scope.unit));
    }
    while hub.apply(clock.now(), net::limits::APPLY_IDLE)? > 0 {}
    stands(rooms, "the books are there")?;
    let lines = let_in(&mut hub, &mut known, rooms, clock)?;
    stands(rooms, "all rooms are in")?;
    for at in (50..rooms).step_by(101) {
        let revoke = MemberRevoke {
            device: known[at].0.to_string(),
            reason: "换了电脑".to_owned(),
            root_key: None,
        };
        command(&mut hub, clock, Command::MemberRevoke(revoke))?;
    }
    said(&mut hub, &lines, &known, today, clock)?;
    let clock = month(table, &mut hub, &data, rooms, clock)?;
    stands(rooms, "a month has gone by")?;
    // A twentieth of the townships goes, and with it what is known of its rooms.
    for line in lines.iter().skip(3).step_by(20) {
        hub.disconnected(clock.now(), line.at_hub);
    }
    said(&mut hub, &lines, &known, today, clock)?;
    command(&mut hub, clock, Command::HealthWatch)?;
    asked_of_office(table, &mut hub, rooms, clock)?;
    let admin = UserAdd {
        unit: COUNTY.to_string(),
        name: ADMIN.to_owned(),
        role: "admin".to_owned(),
    };
    let code = command(&mut hub, clock, Command::UserAdd(admin))?["code"]
        .as_str()
        .context("a code")?
        .to_owned();
    hub.rest(clock.now())?;
    drop(hub);
    pages(table, &data, rooms, &code)
}

/// Says how far it has come, and in how much memory.
fn stands(rooms: usize, what: &str) -> Result<()> {
    let mb = rss_bytes(std::process::id())? / 1_000_000;
    eprintln!("  {rooms} rooms: {what}; {mb} MB");
    Ok(())
}

/// Every township fetches the tables and lets in the rooms that have no book here: a hub has node codes for 1,296 devices, so a
/// county of ten thousand rooms cannot let in all of them itself. Their lines stay up; what is behind them is not needed any more.
fn let_in(hub: &mut Office, known: &mut Vec<(DeviceId, UnitId)>, rooms: usize, clock: Clock) -> Result<Vec<Wire>> {
    let mut lines = Vec::new();
    for at in 0..rooms.div_ceil(VILLAGES) {
        let town = &mut township(hub, at, clock)?;
        let places = known.len().max(at * VILLAGES)..rooms.min((at + 1) * VILLAGES);
        if !places.is_empty() {
            settled(hub, town, clock)?.part(town, hub, clock);
            let of = format!("township {at}");
            known.extend(admitted(town, places, clock).context(of)?);
        }
        let mut wire = Wire::connect(town, hub, clock);
        until_silent(&mut wire, town, hub, clock)?;
        lines.push(wire);
    }
    ensure!(known.len() == rooms, "{} of {rooms} rooms are in", known.len());
    Ok(lines)
}

/// What the townships say of their rooms.
fn said(hub: &mut Office, lines: &[Wire], known: &[(DeviceId, UnitId)], today: Day, clock: Clock) -> Result<()> {
    let now_ms = clock.now().wall_ms;
    let rooms: Vec<RoomHealth> = known
        .iter()
        .enumerate()
        .map(|(at, of)| report(at, *of, today, now_ms))
        .collect();
    let mut of_towns: Vec<Vec<RoomHealth>> = vec![Vec::new(); lines.len()];
    for (at, room) in rooms.into_iter().enumerate() {
        of_towns[at / VILLAGES].push(room);
    }
    for (line, of_town) in lines.iter().zip(&of_towns) {
        for part in of_town.chunks(ROOMS_PER_FRAME) {
            let frame = Outbound::Health(part.to_vec()).encode();
            // A township that has gone says nothing.
            let _ = hub.inbound(clock.now(), line.at_hub, decoded(&frame)?);
        }
    }
    hub.commit(clock.now())?;
    while hub.next_output().is_some() {}
    Ok(())
}

/// How a room is: most are in step, one in twelve is behind, one in fifteen silent, some need somebody.
fn report(at: usize, (device, unit): (DeviceId, UnitId), today: Day, now_ms: i64) -> RoomHealth {
    let held = if at < WITH_BOOKS { entries() } else { 0 };
    let behind = if at % 12 == 5 { 1 + (at % 9) as u64 } else { 0 };
    let is_silent = at % 15 == 7;
    let hours = 1 + (at % 60) as i64;
    let days = (0..8).map(|back| DayCount {
        day: today.plus(-back),
        cases: A_DAY as u64,
    });
    RoomHealth {
        device,
        unit,
        as_of_ms: now_ms,
        last_seen_ms: Some(if is_silent {
            now_ms - hours * HOUR_MS as i64
        } else {
            now_ms
        }),
        line: if is_silent { RoomLine::Down } else { RoomLine::Up },
        recorded: held + behind,
        at_township: held,
        at_county: held,
        oldest_pending_ms: (behind > 0).then_some(now_ms - hours * 600_000),
        skew_ms: Some(if at % 97 == 11 { 700_000 } else { (at % 900) as i32 }),
        disk_free_bytes: if at % 89 == 13 { 4 << 30 } else { 60 << 30 },
        version: "cunlian-node/0.1.0".to_owned(),
        more: Some(RoomMore {
            pending: Some(behind),
            rtt_ms: Some(20 + (at % 200) as u64),
            disk_total_bytes: Some(120 << 30),
            power_ups: Some(40 + (at % 300) as u64),
            quarantined: Some(u64::from(at % 211 == 17)),
            session: Some(LastSession {
                began_ms: now_ms - 9_000_000,
                ended_ms: now_ms - 6_000_000,
                bytes_in: 48_000,
                bytes_out: 21_000,
                entries: 120,
                ended: Ending::Lost,
            }),
            days: if at < WITH_BOOKS { days.collect() } else { Vec::new() },
        }),
    }
}

fn entries() -> u64 {
    (0..CASES).map(|at| 1 + (at % 3) as u64).sum()
}

/// Looks in a month, evenly spread, where the daemon's timer takes one a minute. Returns the clock after it.
fn month(table: &mut Table, hub: &mut Office, data: &Path, rooms: usize, clock: Clock) -> Result<Clock> {
    hub.rest(clock.now())?;
    let before = bytes_of(data, "index")?;
    let mut clock = clock;
    let mut took = Vec::new();
    let hours = if rooms <= WITH_BOOKS { 1 } else { 4 };
    for _ in 0..DAYS * 24 / hours {
        clock = clock.later(HOUR_MS * hours);
        let began = Instant::now();
        command(hub, clock, Command::HealthWatch)?;
        took.push(began.elapsed());
    }
    hub.rest(clock.now())?;
    let mb = (bytes_of(data, "index")?.saturating_sub(before)) as f64 / 1e6;
    let what = format!("{rooms} rooms: 31 days of history, the index has grown by");
    table.push(Row::new(what, Unit::Mebibytes, mb));
    push(
        table,
        &format!("{rooms} rooms: the look of every minute, office"),
        took,
        Target::None,
    );
    Ok(clock)
}

fn push(table: &mut Table, what: &str, mut took: Vec<Duration>, target: Target) {
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    let (p50, p95) = (percentile(&mut took, 0.5), percentile(&mut took, 0.95));
    table.push(
        Row::new(format!("{what}, p95"), Unit::Millis, ms(p95))
            .floor(ms(p50))
            .target(target),
    );
}

/// The time on the office's thread, with all states on the wall.
fn asked_of_office(table: &mut Table, hub: &mut Office, rooms: usize, clock: Clock) -> Result<()> {
    let mut ask = |what: &str, asked: &dyn Fn() -> Command, target| -> Result<serde_json::Value> {
        let mut took = Vec::new();
        let mut answer = serde_json::Value::Null;
        for _ in 0..ASKED {
            let began = Instant::now();
            answer = command(hub, clock, asked())?;
            took.push(began.elapsed());
        }
        push(table, &format!("{rooms} rooms: {what}, office"), took, target);
        Ok(answer)
    };
    let wall = ask("wall", &|| Command::Wall(Wall::default()), page_target(rooms))?;
    eprintln!("  states: {}", wall["counts"]);
    for state in ["in_step", "behind", "silent", "attention", "revoked"] {
        ensure!(
            wall["counts"][state].as_u64() > Some(0),
            "no room is {state}: {}",
            wall["counts"]
        );
    }
    let room = || Command::RoomShow(RoomShow { unit: village_code(7) });
    let room = ask("a room's page", &room, page_target(rooms))?;
    let days = room["history"].as_array().map_or(0, Vec::len);
    ensure!(days >= 31, "{days} days of history");
    ask("/metrics", &|| Command::Metrics, Target::AtMost(200.0))?;
    Ok(())
}

/// Whole requests to the hub's own process.
fn pages(table: &mut Table, data: &Path, rooms: usize, code: &str) -> Result<()> {
    std::fs::write(data.join("config.toml"), "metrics = \"127.0.0.1:0\"\n")?;
    let (hub, _) = Node::start_as("hub", data, "127.0.0.1:0")?;
    let visitor = Visitor::at_console(address(data)?, ADMIN, code)?;
    let page = |path: &str| visitor.pages(ASKED, |_| path.to_owned());
    push(
        table,
        &format!("{rooms} rooms: wall, page"),
        page("/wall")?,
        page_target(rooms),
    );
    let found = page(&format!("/wall?find={COUNTY}00"))?;
    push(
        table,
        &format!("{rooms} rooms: wall, searched, page"),
        found,
        page_target(rooms),
    );
    let silent = page("/wall?state=silent&sort=code")?;
    push(
        table,
        &format!("{rooms} rooms: wall, silent rooms, page"),
        silent,
        page_target(rooms),
    );
    let piece = format!("{rooms} rooms: what an open wall asks for every 5 s, page");
    push(table, &piece, page("/wall/tiles?")?, page_target(rooms));
    let room = format!("/room/{}", village_code(7));
    push(
        table,
        &format!("{rooms} rooms: a room's page, page"),
        page(&room)?,
        page_target(rooms),
    );
    let (_, wall) = visitor.get("/wall")?;
    let bytes = wall.len() as f64;
    table.push(Row::new(format!("{rooms} rooms: the wall's bytes"), Unit::Bytes, bytes));
    let metrics = std::fs::read_to_string(data.join("metrics")).context("no metrics")?;
    let metrics = metrics.trim().parse().context("an address")?;
    let scrapes: Vec<Duration> = (0..ASKED)
        .map(|_| took(timed(metrics, "GET", "/metrics", "", "")?))
        .collect::<Result<_>>()?;
    push(
        table,
        &format!("{rooms} rooms: /metrics, scrape"),
        scrapes,
        Target::AtMost(200.0),
    );
    let mb = rss_bytes(hub.id())? as f64 / 1e6;
    table.push(Row::new(format!("{rooms} rooms: hub RSS"), Unit::Mebibytes, mb).target(Target::AtMost(600.0)));
    hub.stop(data)
}
