//! What was acknowledged, and to whom it is owed.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::DeviceId;
use replica::entry::{LogId, Tip};
use store::Store;

use super::durable::Disks;
use super::{Check, Findings, Found};
use crate::world::{Seat, World};

/// Ends of logs as they were when a device answered "saved". An end stands for all entries below it.
#[derive(Default)]
pub(super) struct Promises {
    owed: BTreeMap<LogId, BTreeSet<Tip>>,
    /// By the device that answered: these lie on its own disk, too, for as long as that is not harmed.
    own: BTreeMap<Seat, BTreeSet<(LogId, Tip)>>,
    /// Every end that was ever answered for: what was excused is not promised anew by a later answer about something else.
    noted: BTreeMap<Seat, BTreeSet<(LogId, Tip)>>,
    excused: u64,
    /// Devices of whose logs something was lost that nobody else held.
    bereft: BTreeSet<DeviceId>,
}

impl Promises {
    /// A device has answered: whatever its own logs hold now is promised, and must lie on its disk already.
    ///
    /// `disks`: to be looked at now. `harmed`: a disk was harmed, perhaps without its program's knowing, which believes in what it has in
    /// memory until it reads there. What cannot be reached behind damage is excused, and nothing else.
    pub(super) fn note(
        &mut self,
        world: &World,
        seat: Seat,
        (disks, harmed): (Option<&mut Disks>, bool),
        found: &mut Findings,
    ) {
        let Some(office) = world.office(seat) else { return };
        let (device, epoch) = (office.device(), office.epoch());
        let logs = office.store().logs();
        let ends = logs.scopes().flat_map(|scope| {
            let log = LogId { scope, device, epoch };
            logs.tips(&log).iter().map(move |tip| (log, *tip))
        });
        let noted = self.noted.entry(seat).or_default();
        let fresh: Vec<(LogId, Tip)> = ends.filter(|end| noted.insert(*end)).collect();
        let reachable = match disks {
            Some(disks) if !fresh.is_empty() => disks.durable(world, seat).ok(),
            _ => None,
        };
        for (log, tip) in fresh {
            if let Some(store) = &reachable {
                found.compared(Check::Kept, 1);
                if !holds(store, &log, tip) {
                    if !harmed || store.damage().0.is_empty() {
                        let what = format!("it answered \"saved\" before {} was durable", named(&log, tip));
                        found.push(Found::new(Check::Kept, seat, what));
                    }
                    self.excused += 1;
                    self.bereft.insert(log.device);
                    continue;
                }
            }
            self.own.entry(seat).or_default().insert((log, tip));
            self.owed.entry(log).or_default().insert(tip);
        }
    }

    /// Whether a device still holds what it has answered for.
    pub(super) fn check_own(&self, world: &World, seat: Seat, found: &mut Findings) {
        let Some(office) = world.office(seat) else { return };
        for (log, tip) in self.own.get(&seat).into_iter().flatten() {
            found.compared(Check::Kept, 1);
            if !holds(office.store(), log, *tip) {
                let what = format!("it answered \"saved\" and no longer holds {}", named(log, *tip));
                found.push(Found::new(Check::Kept, seat, what));
            }
        }
    }

    /// A disk was harmed, or is in other hands. What nobody else holds now is owed no longer; what the disk has lost is not asked of it.
    ///
    /// `gone`, `harmed`: disks that count no longer, and disks that were harmed. Of all others a disk that does not open is a violation: or
    /// else every promise that lay there alone would be forgiven for it.
    pub(super) fn reckon(
        &mut self,
        world: &World,
        seat: Seat,
        (gone, harmed): (&BTreeSet<Seat>, &BTreeSet<Seat>),
        disks: &mut Disks,
        found: &mut Findings,
    ) {
        let mut stores = Vec::new();
        for counted in world.seats().filter(|s| !gone.contains(s)) {
            match disks.durable(world, counted) {
                Ok(store) => stores.push((counted, store)),
                Err(_) if harmed.contains(&counted) => {}
                Err(error) => {
                    let what = format!("its disk, which nothing has harmed, would not open after a power cut: {error}");
                    found.push(Found::new(Check::Kept, counted, what));
                }
            }
        }
        let held = stores.iter().find(|(s, _)| *s == seat).map(|(_, store)| store);
        if let Some(own) = self.own.get_mut(&seat) {
            own.retain(|(log, tip)| held.is_some_and(|store| holds(store, log, *tip)));
        }
        for (log, tips) in &mut self.owed {
            let before = tips.len();
            tips.retain(|tip| stores.iter().any(|(_, store)| holds(store, log, *tip)));
            self.excused += (before - tips.len()) as u64;
            if tips.len() < before {
                self.bereft.insert(log.device);
            }
        }
    }

    /// In the end everything owed is held by everybody who may hold it.
    pub(super) fn check_all(&self, world: &World, seats: &[Seat], found: &mut Findings) {
        for seat in seats {
            let Some(office) = world.office(*seat) else { continue };
            let Some(life) = office.life() else { continue };
            let shared = |log: &LogId| office.authority().may_hold(life.unit, &log.scope);
            let owed = self.owed.iter().filter(|(log, _)| shared(log));
            for (log, tip) in owed.flat_map(|(log, tips)| tips.iter().map(move |tip| (log, *tip))) {
                found.compared(Check::Kept, 1);
                if !holds(office.store(), log, tip) {
                    let what = format!("{} was acknowledged and did not arrive", named(log, tip));
                    found.push(Found::new(Check::Kept, *seat, what));
                }
            }
        }
    }

    /// Devices that have lost acknowledged entries which nobody else held.
    pub(super) fn bereft(&self) -> &BTreeSet<DeviceId> {
        &self.bereft
    }

    pub(super) fn excused(&self) -> u64 {
        self.excused
    }
}

pub(super) fn holds(store: &Store, log: &LogId, tip: Tip) -> bool {
    store.logs().holds(log, tip, store)
}

pub(super) fn named(log: &LogId, tip: Tip) -> String {
    format!(
        "entry {} ({}) of {:?} {} by {} in epoch {:x}",
        tip.seq,
        &tip.hash.to_string()[..8],
        log.scope.kind,
        log.scope.unit,
        log.device.short(),
        log.epoch
    )
}
