//! What a device remembers about itself across restarts: its county, its unit, its former lives. Local facts of the journal.

use ledger::id::{DeviceId, UnitId};
use minicbor::{Decode, Encode};
use replica::statement::{Former, Role};
use store::Store;

/// Keys of the local facts.
pub(crate) mod fact {
    pub(crate) const LIFE: &str = "life";
    pub(crate) const EPOCH: &str = "epoch";
    pub(crate) const STORE_ID: &str = "store_id";
    pub(crate) const POWER_UPS: &str = "power_ups";
    pub(crate) const CHAIN: &str = "chain";
    /// The end of the audit trail that was last witnessed in our own log.
    pub(crate) const WITNESSED: &str = "witnessed";
    /// Somebody was erased since the index was last made anew: its files may still hold what their rows said.
    pub(crate) const SCRUB: &str = "scrub";
    /// Which alerts are muted, and from when on rules speak.
    pub(crate) const ALERT_MUTES: &str = "alert_mutes";
    pub(crate) const ALERT_RULES: &str = "alert_rules";
    pub(crate) const TICKET: &str = "ticket/";
    /// Who published a version of a table here.
    pub(crate) const PUBLISHED: &str = "published/";
}

/// Where a device belongs. None before `init` or `join`.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Life {
    /// The pinned root of all statements.
    #[n(0)]
    pub root: DeviceId,
    #[n(1)]
    pub unit: UnitId,
    #[n(2)]
    pub role: Role,
    /// Lives led before joining, the latest last: their records came along.
    #[n(3)]
    pub formers: Vec<Former>,
    /// The hubs above, in the order of trying, `host:port`.
    #[n(4)]
    pub addrs: Vec<String>,
}

impl Life {
    pub(crate) fn load(store: &Store) -> Option<Self> {
        minicbor::decode(store.fact(fact::LIFE)?).ok()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).unwrap_or_default()
    }
}

/// Reads a number that was kept as eight bytes.
pub(crate) fn fact_u64(store: &Store, key: &str) -> Option<u64> {
    Some(u64::from_be_bytes(store.fact(key)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_remembered_as_it_was() {
        let life = Life {
            root: DeviceId([1; 32]),
            unit: UnitId([2; 16]),
            role: Role::Node,
            formers: vec![Former {
                unit: UnitId([3; 16]),
                root: DeviceId([4; 32]),
            }],
            addrs: vec!["10.0.0.1:7701".to_owned()],
        };
        assert_eq!(minicbor::decode::<Life>(&life.to_bytes()).unwrap(), life);
    }
}
