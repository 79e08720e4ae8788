//! What a disk would hold if the power went now.

use std::collections::BTreeMap;
use std::rc::Rc;

use store::{Fault, MemPlace, Store, StoreError};

use crate::world::{Seat, World};

/// Stores opened on copies of disks; opened again only when the disk has changed since.
#[derive(Default)]
pub(super) struct Disks {
    opened: BTreeMap<Seat, (u64, Rc<Store>)>,
}

impl Disks {
    /// The store on a copy of a device's disk after a power cut, its index made anew.
    pub(super) fn durable(&mut self, world: &World, seat: Seat) -> Result<Rc<Store>, StoreError> {
        let operations = world.disk(seat).operations();
        if let Some((at, store)) = self.opened.get(&seat)
            && *at == operations
        {
            return Ok(Rc::clone(store));
        }
        let disk = world.disk(seat).copy();
        disk.cut_power();
        // What lies there is the question, not whether more would fit.
        disk.fault(Fault::Roomy);
        let (store, _) = Store::open(Box::new(disk), Box::new(MemPlace::default()), &mut |_| {})?;
        let store = Rc::new(store);
        self.opened.insert(seat, (operations, Rc::clone(&store)));
        Ok(store)
    }

    /// The disk was exchanged, or changed without an operation of ours.
    pub(super) fn forget(&mut self, seat: Seat) {
        self.opened.remove(&seat);
    }
}
