//! Receipts never say more than is durable where they say it.

use std::collections::{BTreeMap, BTreeSet};

use ledger::id::{DeviceId, ScopeKind};
use office::Office;
use replica::entry::LogId;
use replica::receipt::{Receipt, StoreId};
use store::Store;

use super::durable::Disks;
use super::promises::{holds, named};
use super::{Check, Findings, Found};
use crate::world::{Seat, World};

/// Words given before a disk was harmed: until the news has come round they may be believed in good faith.
#[derive(Default)]
pub(super) struct Lossy(BTreeSet<(DeviceId, StoreId)>);

impl Lossy {
    /// The disk of a device holds less than it did: whatever anybody has in its name is doubtful now.
    pub(super) fn note(&mut self, world: &World, seat: Seat, devices: &BTreeMap<Seat, DeviceId>) {
        let Some(device) = devices.get(&seat) else { return };
        for office in world.seats().filter_map(|s| world.office(s)) {
            let of_it = office.store().receipts().by_hub(device);
            self.0.extend(of_it.map(|r| (*device, r.store)));
            if office.device() == *device {
                self.0.insert((*device, office.store_id()));
            }
        }
    }

    pub(super) fn has(&self, receipt: &Receipt) -> bool {
        self.0.contains(&(receipt.hub, receipt.store))
    }

    /// Whether what a device says under its present store is doubtful. Once it has begun a new one its word counts again.
    pub(super) fn concerns(&self, office: &Office) -> bool {
        self.0.contains(&(office.device(), office.store_id()))
    }
}

/// What a hub says under its present store is on its disk, also if the power goes now.
pub(super) fn check_own(
    world: &World,
    seat: Seat,
    office: &Office,
    lossy: &Lossy,
    disks: &mut Disks,
    found: &mut Findings,
) {
    let (me, store_id) = (office.device(), office.store_id());
    let said = office.store().receipts().by_hub(&me).filter(|r| r.store == store_id);
    let said = said.chain(office.receipts_unstaged());
    // A bit that rotted unnoticed is met by the next round over the journal; then the store is withdrawn.
    let said: Vec<&Receipt> = said.filter(|receipt| !lossy.has(receipt)).collect();
    if said.is_empty() {
        return;
    }
    let store = match disks.durable(world, seat) {
        Ok(store) => store,
        Err(error) => {
            let what = format!("its disk would not open after a power cut: {error}");
            found.push(Found::new(Check::Kept, seat, what));
            return;
        }
    };
    found.compared(Check::Receipts, said.len());
    for what in said.into_iter().filter_map(|receipt| excess(&store, receipt)) {
        found.push(Found::new(Check::Receipts, seat, format!("it has signed for {what}")));
    }
}

/// The first thing that a receipt says and a store does not hold.
fn excess(store: &Store, receipt: &Receipt) -> Option<String> {
    for ((device, epoch), tips) in &receipt.vector.logs {
        let log = LogId {
            scope: receipt.scope,
            device: *device,
            epoch: *epoch,
        };
        if let Some(tip) = tips.iter().find(|tip| !holds(store, &log, **tip)) {
            return Some(named(&log, *tip));
        }
    }
    None
}

/// In the end every receipt that stands anywhere is true of a disk that carries the hub's key.
pub(super) fn check_standing(
    world: &World,
    seat: Seat,
    office: &Office,
    devices: &BTreeMap<Seat, DeviceId>,
    disks: &mut Disks,
    found: &mut Findings,
) {
    let books = office.store().logs().scopes().filter(|s| s.kind == ScopeKind::Book);
    for receipt in books.flat_map(|scope| office.store().receipts().standing(scope)) {
        if !office.authority().receipt_counts(receipt) || office.authority().is_revoked(&receipt.hub) {
            continue;
        }
        let hubs = devices.iter().filter(|(_, device)| **device == receipt.hub);
        let stores: Vec<_> = hubs.filter_map(|(s, _)| disks.durable(world, *s).ok()).collect();
        found.compared(Check::Receipts, 1);
        let excess: Vec<_> = stores.iter().map(|store| excess(store, receipt)).collect();
        if excess.iter().all(Option::is_some) {
            let what = excess.into_iter().flatten().next();
            let what = what.unwrap_or_else(|| "anything: its disk is nowhere".to_owned());
            let what = format!("it believes hub {}, which does not hold {what}", receipt.hub.short());
            found.push(Found::new(Check::Receipts, seat, what));
        }
    }
}
