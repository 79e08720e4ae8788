//! A county of the real divisions: who sits where, and which line leads up.

use anyhow::{Context, anyhow};
use office::command::{Command, InitCounty, Invite};
use replica::statement::Role;

use crate::dice::Dice;
use crate::line::Conditions;
use crate::malice::Shelf;
use crate::world::{LineId, Seat, World};

pub const DIVISIONS: &str = include_str!("../../ledger/data/divisions_511603.tsv");
pub const MATTERS: &str = include_str!("../../ledger/data/matters.tsv");
pub const HOLIDAYS: &str = include_str!("../../ledger/data/holidays.tsv");
const COUNTY: &str = "511603";

/// Where the founding hub leaves the county's root key.
const ROOT_KEY: &str = office::identity::ROOT_KEY;

fn read(world: &World, seat: Seat, name: &str) -> anyhow::Result<String> {
    use store::Disk as _;
    let disk = world.disk(seat);
    let len = disk.len(name)?.context("no such file")?;
    let bytes = disk.read_at(name, 0, usize::try_from(len)?)?;
    Ok(String::from_utf8(bytes)?)
}

/// One place of a county.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    pub seat: Seat,
    /// The unit's code, twelve digits.
    pub unit: String,
    pub role: Role,
    /// The hub above and the line to it; the topmost hub has none.
    pub parent: Option<(Seat, LineId)>,
    /// Revoked, stolen or replaced: no longer expected to agree with anybody.
    pub gone: bool,
}

/// Who sits where. The first is the topmost hub.
#[derive(Clone, Debug, Default)]
pub struct County {
    pub members: Vec<Member>,
    /// Contents of the recovery file, kept off the machine.
    pub root_key: String,
    /// Units without a device yet: for newcomers of a story.
    pub free_rooms: Vec<String>,
    /// The county's hub has been replaced once.
    pub rebuilt: bool,
    /// What malice remembers.
    pub shelf: Shelf,
}

/// Codes of the units below a unit, in the order of the table.
pub fn units_below(divisions: &str, parent: &str) -> Vec<String> {
    let below = divisions.lines().skip(1).filter_map(|line| {
        let mut columns = line.split('\t');
        let code = columns.next()?;
        (columns.nth(2)?.trim() == parent).then(|| code.to_owned())
    });
    below.collect()
}

/// The code of the unit above, by the table's own rule: townships end in 000, the county in 000000.
pub(crate) fn above(unit: &str) -> Option<String> {
    let (county, township) = (unit.get(..6)?, unit.get(..9)?);
    match (unit.get(6..)?, unit.get(9..)?) {
        ("000000", _) => None,
        (_, "000") => Some(format!("{county}000000")),
        _ => Some(format!("{township}000")),
    }
}

impl County {
    /// Founds a county with so many townships, and so many rooms dealt out among them; without a township they are the county's own.
    ///
    /// # Errors
    /// When an office refuses what it should not.
    pub fn found(world: &mut World, townships: usize, rooms: usize) -> anyhow::Result<Self> {
        Self::found_by(world, COUNTY, DIVISIONS, townships, rooms)
    }

    /// As [`County::found`] with a table of divisions of one's own.
    ///
    /// # Errors
    /// As [`County::found`].
    pub fn found_by(
        world: &mut World,
        code: &str,
        divisions: &str,
        townships: usize,
        rooms: usize,
    ) -> anyhow::Result<Self> {
        let top = world.device("county");
        let command = Command::Init(InitCounty {
            unit: code.to_owned(),
            divisions: divisions.to_owned(),
            matters: MATTERS.to_owned(),
            holidays: HOLIDAYS.to_owned(),
        });
        world.command(top, &command).context("founding the county")?;
        let root_key = read(world, top, ROOT_KEY)?;
        let founder = world.office(top).context("the founder runs")?;
        let (device, life) = (founder.device(), founder.life().context("it has a place")?);
        let unit = life.unit;
        world.oracle.let_in(device, unit, code);
        let root = format!("{code:0<12}");
        let mut county = Self {
            root_key,
            ..Self::default()
        };
        county.members.push(Member {
            seat: top,
            unit: root.clone(),
            role: Role::Hub,
            parent: None,
            gone: false,
        });
        let mut parents = Vec::new();
        let codes = units_below(divisions, &root);
        for unit in codes.iter().take(townships) {
            let seat = county.admit(world, top, unit, Role::Hub)?;
            parents.push((seat, units_below(divisions, unit)));
        }
        if townships == 0 {
            let all = codes.iter().flat_map(|unit| units_below(divisions, unit)).collect();
            parents.push((top, all));
        }
        let mut used = vec![0; parents.len()];
        for n in 0..rooms {
            let at = n % parents.len();
            let (hub, units) = &parents[at];
            let Some(unit) = units.get(used[at]) else { continue };
            used[at] += 1;
            county.admit(world, *hub, unit, Role::Node)?;
        }
        let left = parents
            .iter()
            .zip(used)
            .flat_map(|((_, units), used)| units.iter().skip(used));
        county.free_rooms = left.cloned().collect();
        world.pass(20_000);
        Ok(county)
    }

    /// A new device for a unit, joined by ticket, with a line to its hub.
    ///
    /// # Errors
    /// What the hub or the device said.
    pub fn admit(&mut self, world: &mut World, hub: Seat, unit: &str, role: Role) -> anyhow::Result<Seat> {
        let name = match role {
            Role::Hub => format!("township {}", &unit[6..9]),
            Role::Node => format!("room {}", &unit[6..]),
        };
        let seat = world.device(&name);
        if let Err(error) = self.enrol(world, seat, hub, unit, role) {
            // It goes back to the shop: nobody waits for it.
            world.stop(seat);
            world.give_up(seat);
            return Err(error);
        }
        let line = world.line(seat, hub, [Conditions::GOOD; 2]);
        self.members.push(Member {
            seat,
            unit: unit.to_owned(),
            role,
            parent: Some((hub, line)),
            gone: false,
        });
        world.pass(3_000);
        Ok(seat)
    }

    /// A ticket from a hub, used at once.
    ///
    /// # Errors
    /// What the hub or the device said.
    pub fn enrol(&self, world: &mut World, seat: Seat, hub: Seat, unit: &str, role: Role) -> anyhow::Result<()> {
        let invite = Command::Invite(Invite {
            unit: unit.to_owned(),
            addrs: vec!["10.0.0.1:7701".to_owned()],
            expires_s: None,
        });
        let made = world
            .command(hub, &invite)
            .with_context(|| format!("a ticket for {unit}"))?;
        let ticket = made["ticket"].as_str().unwrap_or_default().to_owned();
        world
            .join(seat, hub, role, &ticket)
            .map_err(|e| anyhow!("{unit} does not join: {e}"))?;
        Ok(())
    }

    /// The topmost hub.
    pub fn top(&self) -> Seat {
        self.members[0].seat
    }

    /// The hub of the unit above a unit, if it has one.
    pub fn hub_over(&self, unit: &str) -> Option<Seat> {
        let above = above(unit)?;
        let there = self.members.iter().find(|m| m.unit == above && !m.gone);
        match there {
            Some(member) => Some(member.seat),
            // A county of two tiers.
            None if self.members.iter().all(|m| m.unit != above) => Some(self.top()),
            None => None,
        }
    }

    /// Units whose devices are all gone, townships first.
    pub fn empty_units(&self) -> Vec<(String, Role)> {
        let is_empty = |unit: &str| self.members.iter().all(|m| m.unit != unit || m.gone);
        let mut empty: Vec<(String, Role)> = Vec::new();
        for member in self.members.iter().filter(|m| is_empty(&m.unit)) {
            let found = (member.unit.clone(), member.role);
            if !empty.contains(&found) {
                empty.push(found);
            }
        }
        empty.sort_by_key(|(_, role)| *role == Role::Node);
        empty
    }

    /// A device belongs to the county no longer.
    pub fn go(&mut self, seat: Seat) {
        for member in self.members.iter_mut().filter(|m| m.seat == seat) {
            member.gone = true;
        }
    }

    /// Who does the work of a device: itself, its twin where it was copied, or what has taken its place.
    pub fn at_work(&self, seat: Seat, dice: &mut Dice) -> Seat {
        let unit = self.member(seat).map(|m| m.unit.as_str());
        let there = self.members.iter().filter(|m| Some(m.unit.as_str()) == unit && !m.gone);
        let there: Vec<Seat> = there.map(|m| m.seat).collect();
        dice.pick(&there).copied().unwrap_or(seat)
    }

    /// The place of a device.
    pub fn member(&self, seat: Seat) -> Option<&Member> {
        self.members.iter().find(|m| m.seat == seat)
    }

    /// Devices of a role that belong to the county now.
    pub fn seats(&self, role: Role) -> Vec<Seat> {
        let of = self.members.iter().filter(|m| m.role == role && !m.gone);
        of.map(|m| m.seat).collect()
    }

    /// All devices that belong to the county now.
    pub fn present(&self) -> Vec<Seat> {
        self.members.iter().filter(|m| !m.gone).map(|m| m.seat).collect()
    }
}
