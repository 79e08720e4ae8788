//! Rows are what the journal folds to: an office opened on a copy of the disk, without its index, says the same.

use std::collections::{BTreeMap, BTreeSet};

use office::command::Command;
use office::views::{RecordRef, RecordRow, Summary};
use office::{Home, Office};
use store::MemPlace;

use super::words::repeats_true_losses;
use super::{Check, Findings, Found};
use crate::world::{Seat, World};

/// Applies what is left, everywhere.
pub(super) fn settle(world: &mut World, seats: &[Seat]) {
    for seat in seats {
        for _ in 0..10_000 {
            let now = world.now(*seat);
            let Some(office) = world.office_mut(*seat) else { break };
            if office.is_current() || office.apply(now, 10_000).is_err() {
                break;
            }
        }
        world.stir(*seat);
    }
}

/// Makes the index of a copy anew and compares.
pub(super) fn check(world: &World, (seats, harmed): (&[Seat], &BTreeSet<Seat>), seat: Seat, found: &mut Findings) {
    let Some(office) = world.office(seat) else { return };
    let home = Home {
        disk: Box::new(world.disk(seat).copy()),
        place: Box::new(MemPlace::default()),
        software: "oracle".to_owned(),
    };
    let now = world.now(seat);
    let mut red = |check: Check, what: String| found.push(Found::new(check, seat, what));
    let mut fresh = match Office::open(home, [7; 32], now, &mut |_| {}) {
        Ok(fresh) => fresh,
        Err(error) => return red(Check::Kept, format!("a copy of its disk does not open: {error}")),
    };
    while !fresh.is_current() {
        if let Err(error) = fresh.apply(now, 10_000) {
            return red(Check::Refold, format!("a copy cannot be folded: {error}"));
        }
    }
    match fresh.command(now, Command::Verify, &mut |_| {}) {
        Ok(verified) if verified["clean"] == true => {}
        // What is lost for good is lost on the copy as well; `words` holds the device itself to naming nothing else.
        Ok(verified) if harmed.contains(&seat) && repeats_true_losses(world, seats, seat, (&fresh, &verified)) => {}
        Ok(verified) => red(Check::Refold, format!("a copy does not verify: {}", verified["faults"])),
        Err(error) => red(Check::Refold, format!("a copy cannot be verified: {error}")),
    }
    let (here, there) = (rows(office), rows(&fresh));
    let compared = here.len();
    for (of, row) in &here {
        let no = &row.summary.no;
        match there.get(of) {
            None => red(
                Check::Refold,
                format!("the row of {no} follows from nothing in the journal"),
            ),
            Some(other) if content(row) != content(other) => {
                let what = match row.summary == other.summary {
                    true => format!("the row of {no} has {:?}, folded anew {:?}", row.entries, other.entries),
                    false => format!("the row of {no} is {:?}, folded anew {:?}", row.summary, other.summary),
                };
                red(Check::Refold, what);
            }
            Some(_) => {}
        }
    }
    if let Some((of, _)) = there.iter().find(|(of, _)| !here.contains_key(of)) {
        red(Check::Refold, format!("record {} has no row", of.record));
    }
    let shared = |o: &Office| o.shared_rows().unwrap_or_default();
    if shared(office) != shared(&fresh) {
        red(
            Check::Refold,
            "conflict items differ from those of an index made anew".to_owned(),
        );
    }
    found.compared(Check::Refold, compared);
}

fn rows(office: &Office) -> BTreeMap<RecordRef, RecordRow> {
    office.record_rows().unwrap_or_default().into_iter().collect()
}

/// One entry by its log, number and hash.
type Named = (Vec<u8>, u64, [u8; 32]);

/// A row without the order in which its entries came.
fn content(row: &RecordRow) -> (Vec<Named>, Summary) {
    let mut entries: Vec<Named> = Vec::with_capacity(row.entries.len());
    for entry in &row.entries {
        let log = row.logs.get(usize::from(entry.log));
        let log = log.map(|l| [l.device.0.as_slice(), &l.epoch.to_be_bytes()].concat());
        entries.push((log.unwrap_or_default(), entry.seq, entry.hash.0));
    }
    entries.sort_unstable();
    (entries, row.summary.clone())
}
