//! The catalogue of service matters (事项目录): a county-published, versioned statement. A case pins the version it was opened under.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use crate::table::{self, Row, TableError};

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

/// The longest promise, in workdays: a year.
const PROMISED_WORKDAYS_MAX: u32 = 250;

impl HandlingType {
    /// Reads the Chinese word.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "即办件" => Self::OnTheSpot,
            "承诺件" => Self::Promised,
            "联办件" => Self::Joint,
            "上报件" => Self::SentUp,
            "其他" => Self::Other,
            _ => return None,
        })
    }

    /// The Chinese word.
    pub fn label(self) -> &'static str {
        match self {
            Self::OnTheSpot => "即办件",
            Self::Promised => "承诺件",
            Self::Joint => "联办件",
            Self::SentUp => "上报件",
            Self::Other => "其他",
        }
    }
}

impl Matter {
    /// Whether the village room itself decides (直办).
    pub fn is_direct(&self) -> bool {
        self.village_role.split('+').any(|role| role.trim() == "直办")
    }

    /// Whether registering it hands the room an errand: 民事代办委托 and 民情代理 of the programme's list of matters.
    pub fn opens_errand(&self) -> bool {
        matches!(self.code.as_str(), "C01" | "C02")
    }

    /// Whether it is done while the applicant waits (即办件).
    pub fn is_on_the_spot(&self) -> bool {
        self.handling_type == HandlingType::OnTheSpot
    }
}

impl Catalogue {
    /// Reads the table of matters. Its `version` is 1; whoever publishes it counts on.
    ///
    /// # Errors
    /// [`TableError`] with the line: a column missing, a code empty, odd or twice, an unknown handling type, odd workdays.
    pub fn from_tsv(text: &str) -> Result<Self, TableError> {
        let columns = [
            "code",
            "name_zh",
            "group",
            "category",
            "tier",
            "village_role",
            "handling_type",
            "promised_workdays",
            "statutory_limit",
            "deadline_basis",
            "materials",
        ];
        let mut matters = Vec::new();
        let mut codes = BTreeSet::new();
        for row in table::rows(text, columns)? {
            let matter = matter_of(&row)?;
            if !codes.insert(matter.code.clone()) {
                return Err(TableError::new(
                    row.line,
                    format!("事项编码“{}”出现了两次，请删去一行", matter.code),
                ));
            }
            matters.push(matter);
        }
        Ok(Self { version: 1, matters })
    }

    /// The matter with this code, as printed.
    pub fn matter(&self, code: &str) -> Option<&Matter> {
        self.matters.iter().find(|matter| matter.code == code)
    }
}

fn matter_of(row: &Row<'_, 11>) -> Result<Matter, TableError> {
    let [
        code,
        name,
        group,
        category,
        tier,
        village_role,
        handling,
        workdays,
        statutory_limit,
        basis,
        materials,
    ] = row.cells;
    let fault = |reason: String| TableError::new(row.line, reason);
    if code.is_empty() || code.len() > 32 || !code.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        return Err(fault(format!(
            "事项编码“{code}”有误，只能用字母、数字和 - _ .，最多 32 个"
        )));
    }
    if name.is_empty() {
        return Err(fault(format!("事项 {code} 没有名称，请补上")));
    }
    let handling_type = HandlingType::parse(handling).ok_or_else(|| {
        fault(format!(
            "办件类型“{handling}”有误，应是即办件、承诺件、联办件、上报件或其他"
        ))
    })?;
    let promised_workdays = workdays
        .parse()
        .ok()
        .filter(|days| *days <= PROMISED_WORKDAYS_MAX)
        .ok_or_else(|| {
            fault(format!(
                "承诺工作日“{workdays}”有误，应是 0 到 {PROMISED_WORKDAYS_MAX} 的整数"
            ))
        })?;
    Ok(Matter {
        code: code.to_owned(),
        name: name.to_owned(),
        group: group.to_owned(),
        category: category.to_owned(),
        tier: tier.to_owned(),
        village_role: village_role.to_owned(),
        handling_type,
        promised_workdays,
        materials: materials
            .split([';', '；'])
            .map(str::trim)
            .filter(|material| !material.is_empty())
            .map(str::to_owned)
            .collect(),
        statutory_limit: statutory_limit.to_owned(),
        deadline_basis: basis.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATTERS: &str = include_str!("../data/matters.tsv");

    #[test]
    fn the_real_catalogue_has_its_128_matters() {
        let catalogue = Catalogue::from_tsv(MATTERS).unwrap();
        assert_eq!(catalogue.matters.len(), 128);
        let matter = catalogue.matter("C06").unwrap();
        assert!(matter.is_direct() && matter.is_on_the_spot());
        let matter = catalogue.matter("A01").unwrap();
        assert!(!matter.is_direct() && !matter.is_on_the_spot());
        assert_eq!((matter.promised_workdays, matter.materials.len()), (10, 5));
        assert!(catalogue.matter("Z99").is_none());
    }

    #[test]
    fn a_fault_in_the_catalogue_is_told_with_its_line() {
        let (header, rest) = MATTERS.split_once('\n').unwrap();
        let row = rest.lines().next().unwrap();
        let fault = |text: String| Catalogue::from_tsv(&text).unwrap_err();
        let error = fault(format!("{header}\n{row}\n{row}\n"));
        assert_eq!(
            (error.line, error.to_string().starts_with("第 3 行：事项编码“A01”")),
            (3, true)
        );
        assert_eq!(
            fault(format!("{header}\n{}\n", row.replace("承诺件", "快办件"))).line,
            2
        );
        assert_eq!(
            fault(format!("{header}\r\n\r\n{}\r\n", row.replace("\t10\t", "\t-1\t"))).line,
            3
        );
        assert_eq!(fault(format!("{header}\nA01\t短\n")).line, 2);
        assert_eq!(fault("code\tname\n".to_owned()).line, 1);
        assert_eq!(fault(format!("{header}\n")).line, 0);
        assert!(Catalogue::from_tsv(&format!("\u{FEFF}{header}\r\n{row}\r\n")).is_ok());
    }
}
