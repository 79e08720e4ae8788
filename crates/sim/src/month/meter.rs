//! What is measured while a month goes by: how long receipts take, and how soon a room is in step after an outage.

use std::collections::{BTreeMap, VecDeque};

use ledger::id::{DeviceId, Scope};
use office::Office;
use replica::entry::LogId;

use crate::oracle::Moment;
use crate::world::{Seat, World};

/// A change made in a room that has not been receipted yet.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    log: LogId,
    seq: u64,
    since_ms: u64,
}

/// One township's hub, as the meter knows it.
#[derive(Clone, Debug)]
struct Township {
    device: DeviceId,
    /// Since when its line to the county works again, until it is in step.
    healing_ms: Option<u64>,
}

/// One room, as the meter knows it.
#[derive(Clone, Debug)]
struct Room {
    township: Seat,
    /// By hub: 0 the township, 1 the county.
    waiting: [VecDeque<Waiting>; 2],
    /// Since when its line works again, until it is in step.
    healing_ms: Option<u64>,
}

/// All figures, in milliseconds.
#[derive(Default)]
pub struct Meter {
    rooms: BTreeMap<Seat, Room>,
    /// Rooms by their township, for what happens there.
    below: BTreeMap<Seat, Vec<Seat>>,
    county: Option<(Seat, DeviceId)>,
    townships: BTreeMap<Seat, Township>,
    pub to_township_ms: Vec<u64>,
    pub to_county_ms: Vec<u64>,
    /// After an outage of a room's line, until it is in step with its township.
    pub to_step_ms: Vec<u64>,
    /// After an outage of a township's line, until the books of its rooms are in step with the county.
    pub township_to_step_ms: Vec<u64>,
}

impl Meter {
    /// The county's hub is known from now on.
    pub fn county(&mut self, seat: Seat, device: DeviceId) {
        self.county = Some((seat, device));
    }

    /// A room that is measured, and its hub.
    pub fn room(&mut self, seat: Seat, township: Seat, hub: DeviceId) {
        let hub = Township {
            device: hub,
            healing_ms: None,
        };
        self.townships.entry(township).or_insert(hub);
        self.below.entry(township).or_default().push(seat);
        self.rooms.insert(
            seat,
            Room {
                township,
                waiting: Default::default(),
                healing_ms: None,
            },
        );
    }

    /// The line of a room or a township works again.
    pub fn healed(&mut self, seat: Seat, now_ms: u64) {
        if let Some(healing) = self.healing(seat) {
            healing.get_or_insert(now_ms);
        }
    }

    /// The line of a room or a township is cut: what has not been in step until now starts anew.
    pub fn cut(&mut self, seat: Seat) {
        if let Some(healing) = self.healing(seat) {
            *healing = None;
        }
    }

    fn healing(&mut self, seat: Seat) -> Option<&mut Option<u64>> {
        let room = self.rooms.get_mut(&seat).map(|room| &mut room.healing_ms);
        room.or_else(|| self.townships.get_mut(&seat).map(|hub| &mut hub.healing_ms))
    }

    /// Looks. Called by the world in the oracle's place.
    pub fn watch(&mut self, world: &World, moment: &Moment<'_>) {
        match *moment {
            Moment::Commanded { seat, .. } => self.recorded(world, seat),
            Moment::Committed { seat } => {
                if self.rooms.contains_key(&seat) {
                    self.receipted(world, seat);
                    self.in_step(world, seat);
                } else if let Some(rooms) = self.below.get(&seat) {
                    for room in rooms.clone() {
                        self.in_step(world, room);
                    }
                    self.township_in_step(world, seat);
                } else {
                    for township in self.below.keys().copied().collect::<Vec<_>>() {
                        self.township_in_step(world, township);
                    }
                }
            }
            _ => {}
        }
    }

    /// A room's log has perhaps grown.
    fn recorded(&mut self, world: &World, seat: Seat) {
        let (Some(room), Some(office)) = (self.rooms.get_mut(&seat), world.office(seat)) else {
            return;
        };
        let Some(life) = office.life() else { return };
        let log = LogId {
            scope: Scope::book(life.unit),
            device: office.device(),
            epoch: office.epoch(),
        };
        let Some(tip) = office.store().logs().tips(&log).last() else {
            return;
        };
        for waiting in &mut room.waiting {
            if waiting.back().is_none_or(|w| w.log != log || w.seq < tip.seq) {
                waiting.push_back(Waiting {
                    log,
                    seq: tip.seq,
                    since_ms: world.now_ms(),
                });
            }
        }
    }

    /// What a room knows to be receipted.
    fn receipted(&mut self, world: &World, seat: Seat) {
        let (Some(room), Some(office)) = (self.rooms.get_mut(&seat), world.office(seat)) else {
            return;
        };
        let township = self.townships.get(&room.township);
        let hubs = [township.map(|hub| hub.device), self.county.map(|(_, device)| device)];
        let figures = [&mut self.to_township_ms, &mut self.to_county_ms];
        for ((waiting, hub), figures) in room.waiting.iter_mut().zip(hubs).zip(figures) {
            let Some(first) = waiting.front() else { continue };
            let standing = office.store().receipts().standing(first.log.scope);
            let key = (first.log.device, first.log.epoch);
            let of_hub = standing.filter(|receipt| Some(receipt.hub) == hub);
            let tips = of_hub.filter_map(|receipt| receipt.vector.logs.get(&key));
            let reached = tips.flatten().map(|tip| tip.seq).max().unwrap_or(0);
            while waiting.front().is_some_and(|w| w.seq <= reached) {
                let since = waiting.pop_front().map_or(0, |w| w.since_ms);
                figures.push(world.now_ms() - since);
            }
        }
    }

    fn in_step(&mut self, world: &World, seat: Seat) {
        let Some(room) = self.rooms.get_mut(&seat) else { return };
        let Some(since) = room.healing_ms else { return };
        let (Some(ours), Some(theirs)) = (world.office(seat), world.office(room.township)) else {
            return;
        };
        let Some(life) = ours.life() else { return };
        let scope = Scope::book(life.unit);
        let connected = theirs.connected().contains(&ours.device());
        if connected && ours.store().logs().digest(scope) == theirs.store().logs().digest(scope) {
            self.to_step_ms.push(world.now_ms() - since);
            room.healing_ms = None;
        }
    }
}

impl Meter {
    fn township_in_step(&mut self, world: &World, seat: Seat) {
        let Some(hub) = self.townships.get_mut(&seat) else {
            return;
        };
        let (Some(since), Some((county, _))) = (hub.healing_ms, self.county) else {
            return;
        };
        let (Some(ours), Some(theirs)) = (world.office(seat), world.office(county)) else {
            return;
        };
        let rooms = self.below.get(&seat).into_iter().flatten();
        let mut books = rooms
            .filter_map(|room| world.office(*room)?.life())
            .map(|life| Scope::book(life.unit));
        let digest = |office: &Office, scope| office.store().logs().digest(scope);
        if theirs.connected().contains(&ours.device()) && books.all(|book| digest(ours, book) == digest(theirs, book)) {
            self.township_to_step_ms.push(world.now_ms() - since);
            hub.healing_ms = None;
        }
    }
}

/// Median, 95th of a hundred and the greatest; zeros of nothing.
pub fn spread(figures: &[u64]) -> [u64; 3] {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable();
    let at = |pm: usize| {
        sorted
            .get(sorted.len().saturating_sub(1) * pm / 1_000)
            .copied()
            .unwrap_or(0)
    };
    [at(500), at(950), at(1_000)]
}
