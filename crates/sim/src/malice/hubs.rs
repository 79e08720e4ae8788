//! Hubs that are rebuilt, left out, dishonest or of another version; lines that are laid elsewhere.

use office::command::{Command, MemberAdmit, MemberRevoke};
use replica::statement::Role;

use super::{Tamper, pick};
use crate::county::{County, Member};
use crate::dice::Dice;
use crate::fault::Kind;
use crate::line::Conditions;
use crate::world::{LineId, Seat, World};

const HOUR_MS: u64 = 3_600_000;
const VERSIONS: [&str; 4] = ["cunlian 0.0.9", "cunlian 0.2.0", "cunlian 1.0.0-rc.1", "别的程序 7"];

/// A second hub of the county joins by ticket and root key, takes in what the first holds, and takes over when that burns down.
pub(super) fn rebuild_county(world: &mut World, county: &mut County) -> Option<String> {
    let old = county.top();
    if !world.is_up(old) || county.rebuilt {
        return None;
    }
    let unit = county.member(old)?.unit.clone();
    let new = world.device("county 2");
    let device = world.device_of(new)?.to_string();
    // The first try is answered with: wait for the root key.
    let _ = county.enrol(world, new, old, &unit, Role::Hub);
    let admit = Command::MemberAdmit(MemberAdmit {
        device,
        root_key: county.root_key.clone(),
    });
    let admitted = world.command(old, &admit).is_ok() && county.enrol(world, new, old, &unit, Role::Hub).is_ok();
    if !admitted {
        world.kill(new);
        world.give_up(new);
        return None;
    }
    county.rebuilt = true;
    let line = world.line(new, old, [Conditions::GOOD; 2]);
    world.pass(60_000);
    let burnt = world.device_of(old);
    world.retire(line);
    world.kill(old);
    county.go(old);
    county.shelf.throw_away(old);
    for member in &mut county.members {
        if let Some((hub, line)) = member.parent.filter(|(hub, _)| *hub == old) {
            debug_assert_eq!(hub, old);
            world.repoint(line, new);
            member.parent = Some((new, line));
        }
    }
    county.members.insert(
        0,
        Member {
            seat: new,
            unit,
            role: Role::Hub,
            parent: None,
            gone: false,
        },
    );
    for (_, hub) in county.shelf.moved.iter_mut().filter(|(_, hub)| *hub == old) {
        *hub = new;
    }
    world.give_up(old);
    // A second way or a moved room that led to the old hub leads to the new one.
    for line in world.line_ids() {
        if world.line_state(line).ends[1] == old {
            world.repoint(line, new);
        }
    }
    let revoke = Command::MemberRevoke(MemberRevoke {
        device: burnt?.to_string(),
        reason: "机房失火".to_owned(),
        root_key: Some(county.root_key.clone()),
    });
    if world.command(new, &revoke).is_err() {
        county.shelf.to_revoke.push((burnt?, county.members[0].unit.clone()));
    }
    world.count(Kind::CountyRebuilt);
    Some("the county's hub burns down; a second one takes over".to_owned())
}

/// A room's line is laid to the other hub above it, or back to where it belongs. (A village that goes under another *unit* is a
/// published organisation: the office tells that in its own stories, `moved`.)
pub(super) fn move_room(world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
    if !county.shelf.moved.is_empty() && dice.per_mille(500) {
        let (line, hub) = county.shelf.moved.remove(0);
        world.repoint(line, hub);
        return Some(format!("a room is laid back to {}", world.name(hub)));
    }
    let seat = pick(world, county, Role::Node, dice)?;
    let (hub, line) = county.member(seat)?.parent?;
    let top = county.top();
    if hub == top || county.shelf.moved.iter().any(|(l, _)| *l == line) || is_tampered(county, line) {
        return None;
    }
    world.repoint(line, top);
    county.shelf.moved.push((line, hub));
    world.count(Kind::RoomMoved);
    Some(format!("{} is laid to {}", world.name(seat), world.name(top)))
}

/// A township hub is down for hours or days; one of its rooms goes straight to the county.
pub(super) fn second_way(world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
    let hub = pick(world, county, Role::Hub, dice)?;
    let below = county
        .members
        .iter()
        .filter(|m| !m.gone && m.parent.is_some_and(|(h, _)| h == hub));
    let below: Vec<Seat> = below.map(|m| m.seat).collect();
    let room = *dice.pick(&below)?;
    world.kill(hub);
    world.start_in(hub, dice.between(HOUR_MS, 40 * HOUR_MS));
    let line = world.line(room, county.top(), [Conditions::draw(dice), Conditions::draw(dice)]);
    county.shelf.second_ways.push(line);
    world.count(Kind::SecondWay);
    Some(format!(
        "{} is down, {} goes straight to the county",
        world.name(hub),
        world.name(room)
    ))
}

/// The rooms of a unit go straight to the hub above it, which may have lost what they still hold.
pub(super) fn straight_up(world: &mut World, county: &mut County, unit: &str) {
    let Some(hub) = county.hub_over(unit) else { return };
    let below = county.members.iter().filter(|m| !m.gone && m.role == Role::Node);
    let below: Vec<Seat> = below
        .filter(|m| m.unit.get(..9) == unit.get(..9))
        .map(|m| m.seat)
        .collect();
    for room in below {
        let line = world.line(room, hub, [Conditions::GOOD; 2]);
        county.shelf.second_ways.push(line);
    }
}

/// Lines are laid back, second ways given up.
pub(super) fn back(world: &mut World, county: &mut County) {
    for (line, hub) in std::mem::take(&mut county.shelf.moved) {
        world.repoint(line, hub);
    }
    for line in std::mem::take(&mut county.shelf.second_ways) {
        world.retire(line);
    }
}

fn is_tampered(county: &County, line: LineId) -> bool {
    county.shelf.tampered.iter().any(|(l, _)| *l == line)
}

pub(super) fn dishonest(world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
    let lines = county.members.iter().filter(|m| !m.gone).filter_map(|m| m.parent);
    let lines: Vec<(Seat, LineId)> = lines.filter(|(_, line)| !is_tampered(county, *line)).collect();
    let (above, line) = *dice.pick(&lines)?;
    let below = world.line_state(line).ends[0];
    // A township lies to the county as well as to its rooms.
    let is_hub = county.member(below).is_some_and(|m| m.role == Role::Hub);
    let (end, hub) = if is_hub && dice.per_mille(500) {
        (0, below)
    } else {
        (1, above)
    };
    world.tamper(line, Some(Tamper::draw(end, dice)));
    county.shelf.tampered.push((line, hub));
    let towards = ["upward", "downward"][end];
    Some(format!("{} is in dishonest hands {towards}", world.name(hub)))
}

/// The program is replaced: it begins anew with its peers.
pub(super) fn honest(world: &mut World, county: &mut County) -> Option<String> {
    let tampered = std::mem::take(&mut county.shelf.tampered);
    for (line, hub) in &tampered {
        world.tamper(*line, None);
        // What led to it may have been laid to another since.
        for hub in [*hub, world.line_state(*line).ends[1]] {
            if world.is_up(hub) {
                world.kill(hub);
                world.start_in(hub, 1_000);
            }
        }
    }
    (!tampered.is_empty()).then(|| "hubs are honest again".to_owned())
}

pub(super) fn upgrade(world: &mut World, county: &mut County, dice: &mut Dice) -> Option<String> {
    let seat = *dice.pick(&county.present())?;
    let software = *dice.pick(&VERSIONS)?;
    if !world.is_up(seat) {
        return None;
    }
    world.set_software(seat, software);
    world.stop(seat);
    world.start_in(seat, dice.between(1_000, 60_000));
    world.count(Kind::VersionNamed);
    Some(format!("{} runs {software}", world.name(seat)))
}
