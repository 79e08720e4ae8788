//! The catalogue of service matters (事项目录): a county-published, versioned statement. A case pins the version it was opened under.

use minicbor::{Decode, Encode};

/// How a matter is handled (办件类型).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum HandlingType {
    /// 即办件
    #[n(1)]
    OnTheSpot,
    /// 承诺件
    #[n(2)]
    Promised,
    /// 联办件
    #[n(3)]
    Joint,
    /// 上报件
    #[n(4)]
    SentUp,
    #[n(9)]
    Other,
}

/// One matter of the catalogue.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Matter {
    #[n(0)]
    pub code: String,
    #[n(1)]
    pub name: String,
    #[n(2)]
    pub group: String,
    #[n(3)]
    pub category: String,
    /// `village`, `township`, `village+township`: where it may be handled.
    #[n(4)]
    pub tier: String,
    /// 直办, 代办, 初审, 受理转办, or several joined with `+`.
    #[n(5)]
    pub village_role: String,
    #[n(6)]
    pub handling_type: HandlingType,
    #[n(7)]
    pub promised_workdays: u32,
    #[n(8)]
    pub materials: Vec<String>,
    #[n(9)]
    pub statutory_limit: String,
    #[n(10)]
    pub deadline_basis: String,
}

/// All matters of one version.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Catalogue {
    #[n(0)]
    pub version: u32,
    #[n(1)]
    pub matters: Vec<Matter>,
}
