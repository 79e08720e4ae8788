//! How long a clerk waits until a case is on the disk.

use std::time::{Duration, Instant};

use anyhow::Result;
use office::command::{CaseNew, Command, InitAlone};

use crate::Length;
use crate::county::{HOLIDAYS, MATTERS, command, open_real};
use crate::machine::{Bare, Clock, bytes_of, percentile};
use crate::table::{Row, Table, Target, Unit};

/// DESIGN §10: over the bare append.
const ALLOWANCE_MICROS: f64 = 150.0;

pub(crate) fn measure(table: &mut Table, length: Length) -> Result<()> {
    let cases = if length == Length::Full { 3_000 } else { 600 };
    let clock = Clock::start();
    let dir = tempfile::tempdir_in(crate::node::target_dir())?;
    let data = dir.path().join("room");
    let mut office = open_real(&data, clock)?;
    let init = InitAlone {
        unit: "511603001001".to_owned(),
        name: "便民服务室".to_owned(),
        matters: MATTERS.to_owned(),
        holidays: HOLIDAYS.to_owned(),
    };
    command(&mut office, clock, Command::InitAlone(init))?;
    // A daemon that has run for a while makes keys ahead; one that serves a single command does not.
    let clock = clock.ahead(60_000);
    while office.apply(clock.now(), 1_024)? > 0 {}
    let mut bare = Bare::create(&data, "bare.tmp")?;
    let (mut ours, mut theirs, mut bytes) = (Vec::new(), Vec::new(), 0);
    for at in 0..cases {
        let before = bytes_of(&data, "journal-")?;
        let began = Instant::now();
        command(&mut office, clock, Command::CaseNew(case(at)))?;
        ours.push(began.elapsed());
        let len = usize::try_from(bytes_of(&data, "journal-")?.saturating_sub(before))?;
        bytes += len;
        theirs.push(bare.append(&vec![7; len])?);
        // Between two cases the daemon has time for its rows.
        while office.apply(clock.now(), 1_024)? > 0 {}
    }
    let micros = |d: Duration| d.as_secs_f64() * 1e6;
    for (share, name) in [(0.5, "p50"), (0.99, "p99")] {
        let (we, floor) = (
            micros(percentile(&mut ours, share)),
            micros(percentile(&mut theirs, share)),
        );
        let row = Row::new(format!("record a case, durable, {name}"), Unit::Micros, we).floor(floor);
        table.push(match name {
            "p50" => row.target(Target::AtMost(1.5 * floor + ALLOWANCE_MICROS)),
            _ => row,
        });
    }
    table.note(format!(
        "latency: {cases} cases with name, ID number and phone, {} B each in the journal; the floor appends as many and syncs once, in the same folder, in turn.",
        bytes / cases
    ));
    Ok(())
}

pub(crate) fn case(at: usize) -> CaseNew {
    CaseNew {
        matter: "B23".to_owned(),
        name: "张三".to_owned(),
        cert_no: id_number(at),
        mobile: Some("13800138000".to_owned()),
        ..CaseNew::default()
    }
}

/// A valid ID number (GB 11643) for everybody.
fn id_number(at: usize) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: &[u8; 11] = b"10X98765432";
    let body = format!(
        "511603{}{:02}{:02}{:03}",
        1950 + at / 1_000 % 50,
        at / 28 % 12 + 1,
        at % 28 + 1,
        at % 1_000
    );
    let sum: u32 = body.bytes().zip(WEIGHTS).map(|(c, w)| u32::from(c - b'0') * w).sum();
    format!("{body}{}", char::from(CHECKS[sum as usize % 11]))
}
