//! What is told to people is so: answers, refusals, counts of what is pending.

use std::collections::BTreeSet;

use ledger::id::Tier;
use office::Office;
use office::command::{Command, CommandError};
use replica::entry::LogId;
use serde_json::Value;
use store::Damage;

use super::promises::holds;
use super::{Check, Found};
use crate::world::{Seat, World};

/// An event that was accepted counts at once where it was typed; a refusal says why, in Chinese.
pub(super) fn answered(
    world: &World,
    seat: Seat,
    command: &Command,
    answer: &Result<Value, CommandError>,
    found: &mut Vec<Found>,
) {
    let Some(office) = world.office(seat) else { return };
    let wrong = match answer {
        Err(error) => {
            let chinese = error.message.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            let is_clear = chinese && !error.code.is_empty() && matches!(error.exit, 1 | 2);
            (!is_clear).then(|| format!("a refusal that says nothing: {} {}", error.code, error.message))
        }
        Ok(value) => match command {
            Command::CaseDo(act) => not_counted(office, &act.event, value),
            _ => None,
        },
    };
    found.extend(wrong.map(|what| Found::new(Check::Words, seat, what)));
}

/// Why an accepted event does not stand on the device that accepted it.
fn not_counted(office: &Office, event: &str, value: &Value) -> Option<String> {
    let id = value["record_id"].as_str()?;
    let rows = office.record_rows().ok()?;
    let (of, row) = rows.into_iter().find(|(of, _)| of.record.to_string() == id)?;
    let held = office.held(of, row).ok()?;
    let of_it = |e: &&ledger::record::FoldedEvent| e.device == office.device() && e.kind == event;
    let last = held.folded.events.iter().filter(of_it).max_by_key(|e| e.lamport)?;
    let void = last.void.as_ref()?;
    let no = value["project_no"].as_str().unwrap_or_default();
    Some(format!("{event} of {no} was accepted and is void at once: {void:?}"))
}

/// In the end nothing is pending, and every case is shown at the county.
pub(super) fn check_arrived(seat: Seat, office: &Office, found: &mut super::Findings) {
    found.compared(Check::Words, 1);
    let reach = office.reach().of_all();
    let (township, county) = (reach.pending_township(), reach.pending_county());
    if township + county > 0 {
        let what = format!("{township} entries count as not at the township, {county} as not at the county");
        found.push(Found::new(Check::Words, seat, what));
    }
    for (of, row) in office.record_rows().unwrap_or_default() {
        let shown = office.reach().of_record(of, &row);
        if shown != Tier::County {
            let what = format!(
                "{} is shown at the {} after all has arrived",
                row.summary.no,
                shown.as_str()
            );
            found.push(Found::new(Check::Words, seat, what));
        }
    }
}

/// Whether all that `verify` complains of is damage that nobody in the county can fill: what lay there was on this disk alone, and was
/// never acknowledged (or `Kept` is red). To call that clean would be the lie; the promise is that what others hold comes back.
fn names_true_losses(world: &World, seats: &[Seat], seat: Seat, verified: &Value) -> bool {
    let Some(office) = world.office(seat) else { return false };
    let (open, _) = office.store().damage();
    verified["faults"].as_array().map(Vec::len) == Some(open.len()) && are_true_losses(world, seats, seat, &open)
}

/// Of a copy of its disk `verify` complains of nothing else than of places which the device itself names as lost, and which nobody in
/// the county can fill. A copy has nobody to ask, and knows of no log what lay there.
pub(super) fn repeats_true_losses(
    world: &World,
    seats: &[Seat],
    seat: Seat,
    (copy, verified): (&Office, &Value),
) -> bool {
    let Some(office) = world.office(seat) else { return false };
    let (open, _) = office.store().damage();
    let (found, _) = copy.store().damage();
    let is_named = |at: &Damage| open.iter().any(|named| named.at == at.at);
    verified["faults"].as_array().map(Vec::len) == Some(found.len())
        && found.iter().all(is_named)
        && are_true_losses(world, seats, seat, &open)
}

fn are_true_losses(world: &World, seats: &[Seat], seat: Seat, open: &[Damage]) -> bool {
    let Some(office) = world.office(seat) else { return false };
    let others = || seats.iter().filter(|s| **s != seat).filter_map(|s| world.office(*s));
    let is_lost = |log: &LogId| {
        let mut tips = others().flat_map(|other| other.store().logs().tips(log));
        tips.all(|tip| holds(office.store(), log, *tip))
    };
    open.iter().flat_map(|damage| &damage.logs).all(is_lost)
}

/// `status` and `verify` agree with all this.
pub(super) fn check_status(world: &mut World, seats: &[Seat], harmed: &BTreeSet<Seat>, found: &mut Vec<Found>) {
    for seat in seats {
        let Some(office) = world.office(*seat) else { continue };
        let pending = office.reach().of_all().pending_county();
        let records = office.record_rows().map_or(0, |rows| rows.len());
        match world.command(*seat, &Command::Status) {
            Ok(status) if status["pending"]["county"] == pending => {}
            Ok(status) => {
                let what = format!("status says {} pending, it is {pending}", status["pending"]["county"]);
                found.push(Found::new(Check::Words, *seat, what));
            }
            Err(error) => found.push(Found::new(Check::Words, *seat, format!("no status: {error}"))),
        }
        let what = match world.command(*seat, &Command::Verify) {
            Ok(verified)
                if verified["clean"] != true
                    && harmed.contains(seat)
                    && names_true_losses(world, seats, *seat, &verified) =>
            {
                continue;
            }
            Ok(verified) if verified["clean"] != true => format!("does not verify: {}", verified["faults"]),
            Ok(verified) if verified["records"] != records => {
                format!("verify saw {} records, there are {records}", verified["records"])
            }
            Ok(_) => continue,
            Err(error) => format!("cannot verify: {error}"),
        };
        found.push(Found::new(Check::Refold, *seat, what));
    }
}
