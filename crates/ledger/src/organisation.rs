//! The organisation tree (组织机构): a county-published, versioned statement. Codes and names are attributes of dates; ids are for ever.

use minicbor::{Decode, Encode};

use crate::day::Day;
use crate::id::{Tier, UnitCode, UnitId};

/// What kind of place a unit is. Its tier follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum UnitKind {
    #[n(1)]
    County,
    #[n(2)]
    Township,
    /// Sub-centre (分中心): township tier, below a township.
    #[n(3)]
    SubCentre,
    #[n(4)]
    Village,
    #[n(5)]
    Community,
    /// Agent point (代办点), kept where a village was merged away.
    #[n(6)]
    AgentPoint,
}

impl UnitKind {
    pub fn tier(self) -> Tier {
        match self {
            UnitKind::County => Tier::County,
            UnitKind::Township | UnitKind::SubCentre => Tier::Township,
            UnitKind::Village | UnitKind::Community | UnitKind::AgentPoint => Tier::Room,
        }
    }
}

/// One unit as one version of the organisation knows it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Unit {
    #[n(0)]
    pub id: UnitId,
    #[n(1)]
    pub code: UnitCode,
    #[n(2)]
    pub name: String,
    #[n(3)]
    pub kind: UnitKind,
    #[n(4)]
    pub parent: Option<UnitId>,
    /// First day on which this holds, and the first on which it no longer does.
    #[n(5)]
    pub from: Option<Day>,
    #[n(6)]
    pub until: Option<Day>,
}

/// The whole tree of a county. A later version replaces an earlier one; history stays in the log.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Organisation {
    #[n(0)]
    pub version: u32,
    #[n(1)]
    pub units: Vec<Unit>,
}
