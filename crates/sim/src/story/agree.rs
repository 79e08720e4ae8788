//! Whether a county is in step, and quiet.

use std::collections::{BTreeMap, BTreeSet};

use office::command::Command;

use crate::county::County;
use crate::world::{Seat, World};

/// What is not in step: books of a device that its hub holds otherwise, devices that do not run.
pub(crate) fn apart(world: &mut World, county: &County) -> Vec<String> {
    let mut books = BTreeMap::new();
    let mut apart = Vec::new();
    for seat in county.present() {
        match digests(world, seat) {
            Ok(held) => {
                books.insert(seat, held);
            }
            Err(why) => apart.push(format!("{}: {why}", world.name(seat))),
        }
    }
    for member in county.members.iter().filter(|m| !m.gone) {
        let Some((hub, _)) = member.parent else { continue };
        let (Some(ours), Some(theirs)) = (books.get(&member.seat), books.get(&hub)) else {
            continue;
        };
        for (scope, digest) in ours {
            if theirs.get(scope) != Some(digest) {
                let logs = logs_apart(world, member.seat, hub, scope);
                apart.push(format!(
                    "{} and {} differ in {scope}{logs}",
                    world.name(member.seat),
                    world.name(hub)
                ));
            }
        }
    }
    apart
}

/// The logs of a scope that end otherwise, and where.
fn logs_apart(world: &World, ours: Seat, theirs: Seat, scope: &str) -> String {
    let ends = |seat: Seat| {
        let mut ends: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let Some(office) = world.office(seat) else { return ends };
        let logs = office.store().logs();
        for held in logs.scopes().filter(|held| scope.ends_with(&held.unit.to_string())) {
            for log in logs.logs(held) {
                let name = format!("{:?} of {} in epoch {:x}", held.kind, log.device.short(), log.epoch);
                ends.insert(name, logs.tips(&log).iter().map(|tip| tip.seq).collect());
            }
        }
        ends
    };
    let (ours, theirs) = (ends(ours), ends(theirs));
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let differs = names.into_iter().filter(|name| ours.get(*name) != theirs.get(*name));
    let told = differs.map(|name| format!(", {name}: {:?} and {:?}", ours.get(name), theirs.get(name)));
    told.collect()
}

/// Digests of everything that a device holds.
fn digests(world: &mut World, seat: Seat) -> Result<BTreeMap<String, String>, String> {
    let status = world
        .command(seat, &Command::Status)
        .map_err(|e| format!("{}: {e}", e.code))?;
    let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    let scopes = status["scopes"].as_array().cloned().unwrap_or_default();
    let held = scopes.iter().map(|s| {
        let scope = format!("{} {}", text(&s["kind"]), text(&s["unit_id"]));
        (scope, text(&s["digest"]))
    });
    Ok(held.collect())
}
