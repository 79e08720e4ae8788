//! Receipts (回执): a hub's signed word of what is durable with it. Cumulative per (hub, store, scope).

use ledger::id::{DeviceId, Scope};

use crate::vector::Vector;

/// One life of a hub's disk, random. A hub that finds itself below its own receipt (restored from a backup) begins a new one.
pub type StoreId = u64;

/// "All of `vector` is durable with me." Counters of one (hub, store) only rise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    pub hub: DeviceId,
    pub store: StoreId,
    pub scope: Scope,
    pub counter: u64,
    pub at_ms: i64,
    pub vector: Vector,
    pub signature: [u8; 64],
}

/// "What I said under `store` no longer holds." Voids all receipts of that store; permanent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Withdrawal {
    pub hub: DeviceId,
    pub store: StoreId,
    pub at_ms: i64,
    pub signature: [u8; 64],
}
