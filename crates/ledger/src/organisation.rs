//! The organisation tree (组织机构): a county-published, versioned statement. Codes and names are attributes of dates; ids are for ever.

mod revise;

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use crate::day::Day;
use crate::id::{Tier, UnitCode, UnitId};
use crate::seed::Seeds;
use crate::table::{self, Row, TableError};

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

    /// Reads the word of the `level` column; a few spellings are common.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "county" | "district" | "city" => Self::County,
            "township" | "town" | "street" | "center" | "centre" => Self::Township,
            "subcenter" | "subcentre" | "sub_center" | "sub_centre" => Self::SubCentre,
            "village" => Self::Village,
            "community" => Self::Community,
            "agent_point" => Self::AgentPoint,
            _ => return None,
        })
    }

    /// As tables and screens call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::County => "县",
            Self::Township => "乡镇（街道）",
            Self::SubCentre => "分中心",
            Self::Village => "村",
            Self::Community => "社区",
            Self::AgentPoint => "代办点",
        }
    }

    /// Whether a unit of this kind may lie directly below one of kind `parent`.
    fn fits_below(self, parent: UnitKind) -> bool {
        match self {
            Self::County => false,
            Self::SubCentre => matches!(parent, Self::Township | Self::County),
            Self::AgentPoint => parent != Self::AgentPoint,
            _ => self.tier() < parent.tier(),
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
    /// 建制调整: the unit that goes on with what this one did. Left out, the bytes are those of a version that did not know it.
    #[n(7)]
    pub into: Option<UnitId>,
}

impl Unit {
    /// Whether this is how the unit is on a day.
    pub fn holds_on(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }
}

/// The whole tree of a county. A later version replaces an earlier one; history stays in the log.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Organisation {
    #[n(0)]
    pub version: u32,
    #[n(1)]
    pub units: Vec<Unit>,
}

impl Organisation {
    /// Reads the table of divisions and gives every unit an id of its own. Its `version` is 1; whoever publishes it counts on.
    /// The topmost unit is the one whose parent is not in the table.
    ///
    /// # Errors
    /// [`TableError`] with the line: an odd or repeated code, an unknown level, a parent that is missing, does not fit or runs in a
    /// circle, no topmost unit or several.
    pub fn from_tsv(text: &str, seeds: &mut Seeds) -> Result<Self, TableError> {
        let rows = table::rows(text, ["code12", "name", "level", "parent12"])?;
        let mut units: Vec<Unit> = Vec::with_capacity(rows.len());
        let mut places = BTreeMap::new();
        for row in &rows {
            let unit = unit_of(row, UnitId(seeds.bytes()))?;
            if places.insert(unit.code, units.len()).is_some() {
                return Err(TableError::new(
                    row.line,
                    format!("区划代码 {} 出现了两次，请删去一行", unit.code),
                ));
            }
            units.push(unit);
        }
        let mut top = None;
        for (at, row) in rows.iter().enumerate() {
            let parent = UnitCode::parse(row.cells[3])
                .and_then(|code| places.get(&code))
                .map(|place| &units[*place]);
            match parent.map(|parent| (parent.id, parent.kind, parent.name.clone())) {
                Some((id, kind, _)) if units[at].kind.fits_below(kind) => units[at].parent = Some(id),
                Some((_, _, name)) => {
                    let reason = format!("“{}”不能挂在“{name}”之下，请核对 level 和 parent12", units[at].name);
                    return Err(TableError::new(row.line, reason));
                }
                None if top.is_none() => top = Some(row.line),
                None => {
                    let reason = format!("上级代码“{}”不在表里（最上级只能有一个），请补上或改正", row.cells[3]);
                    return Err(TableError::new(row.line, reason));
                }
            }
        }
        // `fits_below` lets no unit stand above itself, so a top always exists; a circle would have been refused above.
        match top {
            Some(_) => Ok(Self { version: 1, units }),
            None => Err(TableError::new(0, "表里没有最上级机构，请核对 parent12")),
        }
    }

    /// The unit of this id.
    pub fn unit(&self, id: UnitId) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.id == id)
    }

    /// The unit of this id as it was on a day: a unit that moved under another stands in the table once for each time.
    pub fn unit_on(&self, id: UnitId, day: Day) -> Option<&Unit> {
        let mut of = self.units.iter().filter(|unit| unit.id == id);
        of.find(|unit| unit.holds_on(day)).or_else(|| self.unit(id))
    }

    /// The unit that goes on, on that day, with what this one did: itself, unless it had gone into another by then (建制调整).
    pub fn heir(&self, id: UnitId, on: Day) -> UnitId {
        let mut at = id;
        let mut seen = BTreeSet::from([id]);
        let gone = |unit: &&Unit| unit.until.is_none_or(|until| until <= on);
        while let Some(next) = self
            .units
            .iter()
            .filter(|u| u.id == at)
            .filter(gone)
            .find_map(|u| u.into)
        {
            if !seen.insert(next) {
                break;
            }
            at = next;
        }
        at
    }

    /// Whether any unit's place depends on the day.
    pub fn is_dated(&self) -> bool {
        self.units
            .iter()
            .any(|unit| unit.from.is_some() || unit.until.is_some())
    }

    /// The unit that bears this code; where several have borne it, the one that still does.
    pub fn by_code(&self, code: UnitCode) -> Option<&Unit> {
        let mut bearers = self.units.iter().filter(|unit| unit.code == code);
        let first = bearers.next()?;
        Some(
            std::iter::once(first)
                .chain(bearers)
                .find(|unit| unit.until.is_none())
                .unwrap_or(first),
        )
    }

    /// The unit without a parent; the first listed should a broken version have several.
    pub fn top(&self) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.parent.is_none())
    }

    /// Whether `unit` is `ancestor` or lies below it.
    pub fn is_within(&self, unit: UnitId, ancestor: UnitId) -> bool {
        unit == ancestor || self.ancestors(unit).contains(&ancestor)
    }

    /// The units above `unit`, the nearest first, without itself. Ends at a circle, should a published version contain one.
    pub fn ancestors(&self, unit: UnitId) -> Vec<UnitId> {
        let mut above: Vec<UnitId> = Vec::new();
        let mut at = self.unit(unit).and_then(|unit| unit.parent);
        while let Some(parent) = at {
            if parent == unit || above.contains(&parent) {
                break;
            }
            above.push(parent);
            at = self.unit(parent).and_then(|unit| unit.parent);
        }
        above
    }

    /// `unit` and everything below it, level by level; empty when it is not known.
    pub fn subtree(&self, unit: UnitId) -> Vec<UnitId> {
        if self.unit(unit).is_none() {
            return Vec::new();
        }
        let mut children: BTreeMap<UnitId, Vec<UnitId>> = BTreeMap::new();
        for unit in &self.units {
            if let Some(parent) = unit.parent {
                children.entry(parent).or_default().push(unit.id);
            }
        }
        let mut seen = BTreeSet::from([unit]);
        let mut found = vec![unit];
        let mut at = 0;
        while at < found.len() {
            for child in children.get(&found[at]).into_iter().flatten() {
                if seen.insert(*child) {
                    found.push(*child);
                }
            }
            at += 1;
        }
        found
    }
}

fn unit_of(row: &Row<'_, 4>, id: UnitId) -> Result<Unit, TableError> {
    let [code, name, level, _] = row.cells;
    let fault = |reason: String| TableError::new(row.line, reason);
    let code = UnitCode::parse(code).ok_or_else(|| fault(format!("区划代码“{code}”有误，应是 12 位数字")))?;
    let kind = UnitKind::parse(level).ok_or_else(|| {
        fault(format!(
            "级别“{level}”有误，应是 county、township、subcenter、village、community 或 agent_point"
        ))
    })?;
    if name.is_empty() {
        return Err(fault(format!("机构 {code} 没有名称，请补上")));
    }
    Ok(Unit {
        id,
        code,
        name: name.to_owned(),
        kind,
        parent: None,
        from: None,
        until: None,
        into: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIVISIONS: &str = include_str!("../data/divisions_511603.tsv");
    const HEADER: &str = "code12\tname\tlevel\tparent12\n";

    fn county() -> Organisation {
        Organisation::from_tsv(DIVISIONS, &mut Seeds::new([1; 32])).unwrap()
    }

    #[test]
    fn a_real_county_has_twelve_townships_and_148_rooms() {
        let county = county();
        let of = |tier| county.units.iter().filter(|unit| unit.kind.tier() == tier).count();
        assert_eq!((of(Tier::County), of(Tier::Township), of(Tier::Room)), (1, 12, 148));
        let top = county.top().unwrap();
        assert_eq!(county.subtree(top.id).len(), 161);
        let room = county.by_code(UnitCode::parse("511603102201").unwrap()).unwrap();
        let township = county.by_code(UnitCode::parse("511603102").unwrap()).unwrap();
        assert_eq!(county.ancestors(room.id), [township.id, top.id]);
        assert!(county.is_within(room.id, township.id) && county.is_within(room.id, room.id));
        assert!(!county.is_within(township.id, room.id));
        assert!(county.subtree(township.id).contains(&room.id));
        assert!(county.subtree(UnitId::ZERO).is_empty() && county.ancestors(UnitId::ZERO).is_empty());
    }

    #[test]
    fn ids_come_from_the_seed() {
        assert_eq!(county(), county());
        assert_ne!(
            county(),
            Organisation::from_tsv(DIVISIONS, &mut Seeds::new([2; 32])).unwrap()
        );
    }

    #[test]
    fn sub_centres_and_agent_points_find_their_place() {
        let text = format!(
            "{HEADER}51\t县\tcounty\t\n5101\t乡\ttownship\t51\n510101\t分中心\tsubcenter\t5101\n\
             51010101\t村\tvillage\t510101\n5101010101\t点\tagent_point\t51010101\n"
        );
        let county = Organisation::from_tsv(&text, &mut Seeds::new([1; 32])).unwrap();
        let point = county.by_code(UnitCode::parse("5101010101").unwrap()).unwrap();
        assert_eq!(county.ancestors(point.id).len(), 4);
    }

    #[test]
    fn a_fault_in_the_divisions_is_told_with_its_line() {
        let fault = |rows: &str| {
            Organisation::from_tsv(&format!("{HEADER}{rows}"), &mut Seeds::new([1; 32]))
                .unwrap_err()
                .line
        };
        assert_eq!(fault("51\t县\tcounty\t\n51\t县\tcounty\t\n"), 3);
        assert_eq!(fault("51\t县\tcounty\t\n5101\t乡\ttownship\t52\n"), 3);
        assert_eq!(fault("51\t县\tcounty\t\n5101\t乡\thamlet\t51\n"), 3);
        assert_eq!(fault("51\t县\tcounty\t\n5101\t\ttownship\t51\n"), 3);
        assert_eq!(fault("51\t县\tcounty\t\n51x1\t乡\ttownship\t51\n"), 3);
        assert_eq!(fault("51\t乡\ttownship\t52\n52\t乡\ttownship\t51\n"), 2);
        assert_eq!(fault("5101\t村\tvillage\t51\n51\t村\tvillage\t5102\n"), 2);
    }

    #[test]
    fn a_unit_is_where_it_was_on_that_day_and_what_went_into_another_has_its_heir() {
        let mut county = county();
        let day = |text: &str| Day::parse(text);
        let of = |county: &Organisation, code: &str| county.by_code(UnitCode::parse(code).unwrap()).unwrap().clone();
        let (village, heir) = (of(&county, "511603102201"), of(&county, "511603102203"));
        let other = of(&county, "511603104");
        assert!(!county.is_dated());
        let at = county.units.iter().position(|u| u.id == village.id).unwrap();
        county.units[at].until = day("2026-07-01");
        county.units.push(Unit {
            parent: Some(other.id),
            from: day("2026-07-01"),
            until: day("2026-09-01"),
            into: Some(heir.id),
            ..village.clone()
        });
        let parent = |text: &str| county.unit_on(village.id, day(text).unwrap()).unwrap().parent;
        assert_eq!(
            [parent("2026-06-30"), parent("2026-07-01")],
            [village.parent, Some(other.id)]
        );
        assert!(county.is_dated());
        let goes_on = |county: &Organisation, text: &str| county.heir(village.id, day(text).unwrap());
        assert_eq!(goes_on(&county, "2026-08-31"), village.id, "published, and not yet so");
        assert_eq!(goes_on(&county, "2026-09-01"), heir.id);
        assert_eq!(county.heir(heir.id, day("2026-09-01").unwrap()), heir.id);
        let at = county.units.iter().position(|u| u.id == heir.id).unwrap();
        county.units[at].into = Some(village.id);
        assert_eq!(goes_on(&county, "2026-09-01"), heir.id, "a circle ends");
    }

    #[test]
    fn a_circle_in_a_published_version_stops_nobody() {
        let mut county = county();
        let ids: Vec<UnitId> = county.units.iter().take(3).map(|unit| unit.id).collect();
        for (at, id) in ids.iter().enumerate() {
            county.units[at].parent = Some(ids[(at + 1) % 3]);
            assert_ne!(*id, ids[(at + 1) % 3]);
        }
        assert_eq!(county.ancestors(ids[0]).len(), 2);
        assert!(county.subtree(ids[0]).len() >= 3);
    }
}
