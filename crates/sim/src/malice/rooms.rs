//! Disks that are copied, put back, stolen or lost; keys that are taken out; devices that take the place of others.

use ledger::id::DeviceId;
use office::command::{CaseNew, Command, Lift, MemberExtend, MemberRevoke, Members, RootKey};
use replica::statement::Role;
use serde_json::Value;

use super::pick;
use crate::county::{County, Member};
use crate::dice::Dice;
use crate::fault::Kind;
use crate::line::Conditions;
use crate::will::cert_no;
use crate::world::{Seat, World};

/// Copies of devices in one story.
const CLONES_MAX: usize = 4;
/// One more end than `replica` tolerates in a log.
const CROWD: usize = replica::limits::TIPS_MAX + 1;

pub(super) fn back_up(world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
    let seat = *dice.pick(&county.present())?;
    county.shelf.keep(seat, world.backup(seat));
    Some(format!("{} is copied to a stick", world.name(seat)))
}

pub(super) fn restore(world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
    let mut seats = county.shelf.seats();
    seats.retain(|seat| county.member(*seat).is_some_and(|m| !m.gone));
    let seat = *dice.pick(&seats)?;
    let copies = county.shelf.copies(seat);
    let copy = copies.into_iter().nth(dice.index(county.shelf.copies(seat).len()))?;
    let role = county.member(seat)?.role;
    world.restore(seat, copy);
    world.count(match role {
        Role::Node => Kind::RoomRestored,
        Role::Hub => Kind::HubRestored,
    });
    Some(format!("{} is put back to an older copy", world.name(seat)))
}

pub(super) fn clone(world: &mut World, county: &mut County, role: Role, dice: &mut Dice) -> Option<String> {
    let seat = pick(world, county, role, dice)?;
    let member = county.member(seat)?.clone();
    let (hub, _) = member.parent?;
    if county.shelf.clones >= CLONES_MAX {
        return None;
    }
    county.shelf.clones += 1;
    let name = format!("{}'", world.name(seat));
    let copy = world.copy_of(seat, &name);
    let line = world.line(copy, hub, [Conditions::draw(dice), Conditions::draw(dice)]);
    county.members.push(Member {
        seat: copy,
        parent: Some((hub, line)),
        ..member
    });
    world.count(match role {
        Role::Node => Kind::Cloned,
        Role::Hub => Kind::HubCloned,
    });
    Some(format!("{} is copied as a whole, and both go on", world.name(seat)))
}

/// So many copies of one PC record something each, that its log has more ends than are tolerated. Then they are thrown away.
pub(super) fn crowd(world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
    let seat = pick(world, county, Role::Node, dice)?;
    let (hub, _) = county.member(seat)?.parent?;
    if !world.is_up(hub) {
        return None;
    }
    let copies: Vec<Seat> = (0..CROWD).map(|n| world.copy_of(seat, &format!("copy {n}"))).collect();
    let mut lines = Vec::new();
    for copy in &copies {
        record(world, *copy, dice);
        lines.push(world.line(*copy, hub, [Conditions::GOOD; 2]));
    }
    world.pass(40_000);
    for (copy, line) in copies.into_iter().zip(lines) {
        world.retire(line);
        world.stop(copy);
        world.give_up(copy);
    }
    world.count(Kind::Suspended);
    Some(format!("{CROWD} copies of {} record a case each", world.name(seat)))
}

fn record(world: &mut World, seat: Seat, dice: &mut Dice) {
    let case = CaseNew {
        matter: "B23".to_owned(),
        name: "李四".to_owned(),
        cert_no: cert_no(dice.below(900)),
        ..CaseNew::default()
    };
    // A device that cannot record just now does not.
    let _ = world.command(seat, &Command::CaseNew(case));
}

/// The thief goes on with it: `will` lets him act until the unit has another device.
pub(super) fn steal(world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
    let seat = pick(world, county, Role::Node, dice)?;
    // Two copies share a key: whoever takes out one takes out both.
    let device = world.device_of(seat)?;
    if has_twin(world, county, seat, device) {
        return None;
    }
    county.go(seat);
    county.shelf.throw_away(seat);
    let unit = county.member(seat)?.unit.clone();
    county.shelf.to_revoke.push((device, unit));
    world.give_up(seat);
    for _ in 0..dice.below(4) {
        record(world, seat, dice);
    }
    Some(format!("{} is stolen", world.name(seat)))
}

pub(super) fn revoke(world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
    let at = dice.index(county.shelf.to_revoke.len());
    let (device, unit) = county.shelf.to_revoke.get(at)?.clone();
    let by = match (dice.per_mille(500), county.hub_over(&unit)) {
        (true, Some(hub)) => hub,
        _ => county.top(),
    };
    let done = revoke_by(world, county, by, device)?;
    county.shelf.to_revoke.remove(at);
    Some(done)
}

/// What operators still owe is done from the top.
pub(super) fn revoke_all(world: &mut World, county: &mut County) {
    for (device, unit) in std::mem::take(&mut county.shelf.to_revoke) {
        if revoke_by(world, county, county.top(), device).is_none() {
            county.shelf.to_revoke.push((device, unit));
        }
    }
}

/// Devices that were strangers when they were to be taken out, and have become known since.
pub(super) fn revoke_strangers(world: &mut World, county: &mut County) {
    for device in std::mem::take(&mut county.shelf.unknown) {
        revoke_by(world, county, county.top(), device);
    }
}

fn revoke_by(world: &mut World, county: &mut County, by: Seat, device: DeviceId) -> Option<String> {
    let command = Command::MemberRevoke(MemberRevoke {
        device: device.to_string(),
        reason: "电脑丢失".to_owned(),
        root_key: Some(county.root_key.clone()),
    });
    match world.command(by, &command) {
        Ok(_) => {
            world.oracle.taken_out(device, by);
            world.count(Kind::Stolen);
        }
        Err(error) if error.code == "already_revoked" => {}
        // It never came through to this county; or the county has lost its admission, and somebody brings it back.
        Err(error) if error.code == "unknown_device" => county.shelf.unknown.push(device),
        Err(_) => return None,
    }
    county.shelf.revoked.push(device);
    Some(format!("{} takes out {}", world.name(by), device.short()))
}

/// What an honest device wrote before its disk died, and nobody above had seen when it was taken out, is let count: rooms that it
/// let in are strangers until then.
pub(super) fn extend_dead(world: &mut World, county: &mut County) {
    for device in county.shelf.dead.clone() {
        let command = Command::MemberExtend(MemberExtend {
            device: device.to_string(),
            root_key: Some(county.root_key.clone()),
        });
        // Nothing to let count, or not taken out after all.
        if world.command(county.top(), &command).is_ok() {
            world.oracle.let_count(device);
        }
    }
}

/// Who is held is let go on: the promises are about devices that may meet.
pub(super) fn lift_all(world: &mut World, county: &County) {
    let top = county.top();
    let Ok(Value::Array(lines)) = world.command(top, &Command::MemberList) else {
        return;
    };
    for line in lines.iter().filter(|line| line["state"] == "held") {
        let lift = Lift {
            device: line["device"].as_str().unwrap_or_default().to_owned(),
            reason: "已查清".to_owned(),
            root_key: Some(RootKey(county.root_key.clone())),
        };
        // Whoever was taken out meanwhile stays as they are.
        let _ = world.command(top, &Command::Members(Members::Lift(lift)));
    }
}

/// A hub lets nobody in whose admission it has lost, if it was by a device since taken out: only those below hold it, and nobody may
/// speak. They come in by new tickets, as what turns them away says. So does a device that has forgotten where it belongs.
pub(super) fn welcome_back(world: &mut World, county: &mut County) {
    for member in county.members.clone().into_iter().filter(|member| !member.gone) {
        let Some(hub) = county.hub_over(&member.unit).filter(|hub| world.is_up(*hub)) else {
            continue;
        };
        let Some(office) = world.office(member.seat) else {
            continue;
        };
        let stranger = !office.is_placed() || office.is_unsettled();
        if stranger && member.seat != county.top() {
            // A hub that cannot give tickets now may in the next round.
            let _ = county.enrol(world, member.seat, hub, &member.unit, member.role);
        }
    }
}

pub(super) fn extend(world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
    let device = *dice.pick(&county.shelf.revoked)?;
    let command = Command::MemberExtend(MemberExtend {
        device: device.to_string(),
        root_key: Some(county.root_key.clone()),
    });
    world.command(county.top(), &command).ok()?;
    world.oracle.let_count(device);
    world.count(Kind::Extended);
    Some(format!("what {} wrote is let count", device.short()))
}

/// Units without a device get one, where the hub above can admit one.
pub(super) fn replace(world: &mut World, county: &mut County) -> Option<String> {
    let mut done = Vec::new();
    for (unit, role) in county.empty_units() {
        let Some(hub) = county.hub_over(&unit).filter(|hub| world.is_up(*hub)) else {
            continue;
        };
        if let Ok(seat) = county.admit(world, hub, &unit, role) {
            world.count(Kind::Replaced);
            done.push(format!("{} takes its place in {unit}", world.name(seat)));
        }
    }
    (!done.is_empty()).then(|| done.join(", "))
}

/// Whether another device of its unit works with the same key; one that is down may.
fn has_twin(world: &World, county: &County, seat: Seat, device: DeviceId) -> bool {
    let unit = county.member(seat).map(|m| m.unit.as_str());
    let mut others = county
        .members
        .iter()
        .filter(|m| m.seat != seat && !m.gone && Some(m.unit.as_str()) == unit);
    others.any(|other| world.device_of(other.seat).is_none_or(|d| d == device))
}

/// A disk dies. An empty one takes its place and joins by a new ticket as soon as the hub above can give one.
pub(super) fn lose(world: &mut World, county: &mut County, role: Role, dice: &mut Dice) -> Option<String> {
    let seat = pick(world, county, role, dice)?;
    let device = world.device_of(seat)?;
    let member = county.member(seat)?.clone();
    let shared = has_twin(world, county, seat, device);
    county.shelf.throw_away(seat);
    world.wipe(seat);
    if !shared {
        county.shelf.to_revoke.push((device, member.unit.clone()));
        county.shelf.dead.push(device);
    }
    county.shelf.to_join.push((seat, member.unit, role));
    world.count(match role {
        Role::Node => Kind::RoomLost,
        Role::Hub => Kind::HubRebuilt,
    });
    rejoin(world, county);
    Some(format!("the disk of {} dies", world.name(seat)))
}

/// Devices with an empty disk get their tickets, where the hub above runs.
pub(super) fn rejoin(world: &mut World, county: &mut County) {
    for (seat, unit, role) in std::mem::take(&mut county.shelf.to_join) {
        let hub = county.hub_over(&unit).filter(|hub| world.is_up(*hub));
        let joined = hub.is_some_and(|hub| county.enrol(world, seat, hub, &unit, role).is_ok());
        if !joined {
            county.shelf.to_join.push((seat, unit, role));
        }
    }
}
