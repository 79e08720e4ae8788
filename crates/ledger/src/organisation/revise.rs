//! The next version out of a table: what begins, ends, moves, is renamed, or goes into another (建制调整), from a day on.

use std::collections::{BTreeMap, BTreeSet};

use super::{Organisation, Unit};
use crate::day::Day;
use crate::id::{UnitCode, UnitId};
use crate::seed::Seeds;
use crate::table::{self, TableError};

/// The column that says into which unit one goes; a table may do without.
const INTO: &str = "into";

/// A unit that goes into another.
struct Merged<'a> {
    line: u64,
    code: UnitCode,
    name: &'a str,
    heir: UnitCode,
}

impl Organisation {
    /// The next version out of a table that names the units as they stand from `on`. A unit whose code stays is the same unit; a code
    /// that is new begins on that day, one that is gone ends on it and is kept, because records of its time are. A row whose column
    /// `into` names another unit's code ends on that day too, and that unit goes on with what it did. What moves or is renamed stands
    /// in the version once for each time. Published again for the same day, a version takes back what the one before said of it.
    ///
    /// # Errors
    /// As [`Organisation::from_tsv`]; a topmost unit of another code; an heir that does not stand, is of another tier or the unit
    /// itself; a day on which a unit that ends or changes had not begun.
    pub fn revised(&self, text: &str, on: Day, seeds: &mut Seeds) -> Result<Self, TableError> {
        let (standing, merged) = split(text)?;
        let new = Self::from_tsv(&standing, seeds)?;
        let code = |organisation: &Self| organisation.top().map(|unit| unit.code);
        if code(&new) != code(self) {
            return Err(TableError::new(0, "最上级机构与现行的不同，请核对是否选错了文件"));
        }
        let known = self.known(on);
        let ids: BTreeMap<UnitId, UnitId> = new
            .units
            .iter()
            .map(|unit| (unit.id, known.get(&unit.code).map_or(unit.id, |known| known.id)))
            .collect();
        let mut times: BTreeMap<UnitId, Vec<&Unit>> = BTreeMap::new();
        for unit in &self.units {
            times.entry(unit.id).or_default().push(unit);
        }
        let mut units: Vec<Unit> = Vec::with_capacity(self.units.len() + 1);
        let mut before: Vec<Unit> = Vec::new();
        for unit in new.units {
            let now = Unit {
                id: ids.get(&unit.id).copied().unwrap_or(unit.id),
                parent: unit.parent.and_then(|parent| ids.get(&parent).copied()),
                ..unit
            };
            let was = times.remove(&now.id).filter(|_| known.contains_key(&unit.code));
            units.push(since(now, was, on, &mut before)?);
        }
        let listed: BTreeSet<UnitId> = units.iter().map(|unit| unit.id).collect();
        let heirs = heirs(&merged, &units)?;
        let mut ends: Vec<Unit> = Vec::new();
        for unit in self.units.iter().filter(|unit| !listed.contains(&unit.id)) {
            ends.push(ended(unit, on, heirs.get(&unit.code).copied(), &merged)?);
        }
        for merged in &merged {
            if !self.units.iter().any(|unit| unit.code == merged.code) {
                let reason = format!("“{}”不在现行机构里，不能并入别的机构，请删去这一行", merged.name);
                return Err(TableError::new(merged.line, reason));
            }
        }
        units.extend(ends);
        units.extend(before);
        let version = self.version.saturating_add(1);
        Ok(Self { version, units })
    }

    /// The unit that each code means in a table for a day: the one that stands, or else the first whose end on that day or later is
    /// taken back.
    fn known(&self, on: Day) -> BTreeMap<UnitCode, &Unit> {
        let mut known = BTreeMap::new();
        let ends = |unit: &&Unit| unit.until.is_some_and(|until| until >= on);
        let mut taken_back: Vec<&Unit> = self.units.iter().filter(ends).collect();
        taken_back.sort_by_key(|unit| std::cmp::Reverse(unit.until));
        let stands = self.units.iter().filter(|unit| unit.until.is_none());
        for unit in taken_back.into_iter().chain(stands) {
            known.insert(unit.code, unit);
        }
        known
    }
}

/// A unit as it is from `on`, with the dates that follow from the times in which it was something (`None`: it is new). What it was until
/// then goes to `before`.
fn since(now: Unit, was: Option<Vec<&Unit>>, on: Day, before: &mut Vec<Unit>) -> Result<Unit, TableError> {
    let Some(mut was) = was else {
        return Ok(Unit { from: Some(on), ..now });
    };
    was.sort_by_key(|unit| unit.from);
    // What was said of this day and later is said anew.
    let later = was.iter().position(|unit| unit.from >= Some(on) && unit.from.is_some());
    if later == Some(0) {
        // It begins on this day or later: there is no time before to keep.
        let from = was.first().and_then(|unit| unit.from);
        if from > Some(on) {
            let since = from.map(|day| day.to_string()).unwrap_or_default();
            return Err(TableError::new(
                0,
                format!("“{}”自 {since} 起才有，生效日期不能更早", now.name),
            ));
        }
        return Ok(Unit { from, ..now });
    }
    was.truncate(later.unwrap_or(was.len()));
    let Some(last) = was.pop() else {
        return Ok(Unit { from: Some(on), ..now });
    };
    before.extend(was.into_iter().cloned());
    let same = |a: &Unit, b: &Unit| (&a.name, a.kind, a.parent) == (&b.name, b.kind, b.parent);
    if same(last, &now) {
        return Ok(Unit { from: last.from, ..now });
    }
    before.push(Unit {
        until: Some(on),
        into: None,
        ..last.clone()
    });
    Ok(Unit { from: Some(on), ..now })
}

/// The rows of units that stand, as a table again, and those that go into another.
fn split(text: &str) -> Result<(String, Vec<Merged<'_>>), TableError> {
    let header = text
        .strip_prefix('\u{FEFF}')
        .unwrap_or(text)
        .split('\n')
        .next()
        .unwrap_or_default();
    if !header.split('\t').any(|name| name.trim() == INTO) {
        return Ok((text.to_owned(), Vec::new()));
    }
    let mut merged = Vec::new();
    let mut standing: Vec<&str> = text.split('\n').collect();
    for row in table::rows(text, ["code12", "name", INTO])? {
        let [code, name, heir] = row.cells;
        if heir.is_empty() {
            continue;
        }
        let read = |text: &str| {
            UnitCode::parse(text)
                .ok_or_else(|| TableError::new(row.line, format!("区划代码“{text}”有误，应是 12 位数字")))
        };
        let (code, heir) = (read(code)?, read(heir)?);
        merged.push(Merged {
            line: row.line,
            code,
            name,
            heir,
        });
        // Its line stays, empty, so that what is told of later lines names them rightly.
        if let Some(line) = usize::try_from(row.line)
            .ok()
            .and_then(|line| standing.get_mut(line - 1))
        {
            *line = "";
        }
    }
    Ok((standing.join("\n"), merged))
}

/// The heir of each code that goes into another.
fn heirs<'a>(merged: &[Merged<'_>], standing: &'a [Unit]) -> Result<BTreeMap<UnitCode, &'a Unit>, TableError> {
    let by_code: BTreeMap<UnitCode, &Unit> = standing.iter().map(|unit| (unit.code, unit)).collect();
    let mut heirs = BTreeMap::new();
    for one in merged {
        let fault = |reason: String| TableError::new(one.line, reason);
        if one.heir == one.code {
            return Err(fault(format!("“{}”不能并入自己，请核对 into", one.name)));
        }
        if by_code.contains_key(&one.code) || heirs.contains_key(&one.code) {
            return Err(fault(format!("区划代码 {} 出现了两次，请删去一行", one.code)));
        }
        let heir = by_code.get(&one.heir).ok_or_else(|| {
            fault(format!(
                "“{}”要并入的 {} 不在表里，或自己也并入了别处；请填合并以后还在的机构",
                one.name, one.heir
            ))
        })?;
        heirs.insert(one.code, *heir);
    }
    Ok(heirs)
}

/// A unit that is not listed any more, or goes into another.
fn ended(unit: &Unit, on: Day, heir: Option<&Unit>, merged: &[Merged<'_>]) -> Result<Unit, TableError> {
    let line = merged
        .iter()
        .find(|one| one.code == unit.code)
        .map_or(0, |one| one.line);
    let until = match (unit.until, heir) {
        (None, _) => on,
        // An earlier time of the same unit, or an earlier bearer of the code, or the end that was published before.
        (Some(until), _) if until < on => return Ok(unit.clone()),
        (Some(until), None) => until,
        (Some(_), Some(_)) => on,
    };
    if unit.from.is_some_and(|from| from > on) {
        let from = unit.from.map(|day| day.to_string()).unwrap_or_default();
        let reason = format!("“{}”自 {from} 起才有，生效日期不能更早", unit.name);
        return Err(TableError::new(line, reason));
    }
    if let Some(heir) = heir.filter(|heir| heir.kind.tier() != unit.kind.tier()) {
        let reason = format!("“{}”与“{}”不是同一级机构，不能并入，请核对 into", unit.name, heir.name);
        return Err(TableError::new(line, reason));
    }
    Ok(Unit {
        until: Some(until),
        into: heir.map(|heir| heir.id),
        ..unit.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "code12\tname\tlevel\tparent12\tinto\n";
    const COUNTY: &str =
        "511603\t县\tcounty\t\t\n511603101\t东乡\ttownship\t511603\t\n511603102\t西乡\ttownship\t511603\t\n";

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    fn seeds() -> Seeds {
        Seeds::new([7; 32])
    }

    fn first() -> Organisation {
        let rows = "511603101201\t甲村\tvillage\t511603101\t\n511603101202\t乙村\tvillage\t511603101\t\n511603102201\t丙村\tvillage\t511603102\t\n";
        Organisation::from_tsv(&format!("{HEAD}{COUNTY}{rows}"), &mut seeds()).unwrap()
    }

    fn next(of: &Organisation, rows: &str, on: &str) -> Result<Organisation, TableError> {
        of.revised(&format!("{HEAD}{COUNTY}{rows}"), day(on), &mut Seeds::new([9; 32]))
    }

    fn id(of: &Organisation, code: &str) -> UnitId {
        of.by_code(UnitCode::parse(code).unwrap()).unwrap().id
    }

    const MERGED: &str = "511603101201\t甲村\tvillage\t511603101\t511603101202\n511603101202\t乙村\tvillage\t511603101\t\n511603102201\t丙村\tvillage\t511603102\t\n";
    const AS_BEFORE: &str = "511603101201\t甲村\tvillage\t511603101\t\n511603101202\t乙村\tvillage\t511603101\t\n511603102201\t丙村\tvillage\t511603102\t\n";

    #[test]
    fn a_village_that_goes_into_another_ends_on_its_day_and_has_its_heir_and_this_can_be_taken_back() {
        let county = first();
        let (village, heir) = (id(&county, "511603101201"), id(&county, "511603101202"));
        let merged = next(&county, MERGED, "2026-12-01").unwrap();
        let gone = merged.unit(village).unwrap();
        assert_eq!((gone.until, gone.into), (Some(day("2026-12-01")), Some(heir)));
        assert_eq!((merged.heir(village, day("2026-12-01")), merged.version), (heir, 2));
        assert_eq!(merged.heir(village, day("2026-11-30")), village, "not before its day");
        // The master table keeps the row: said again for a later day it changes nothing.
        let again = next(&merged, MERGED, "2027-03-01").unwrap();
        assert_eq!(again.units, merged.units);
        // Taken back for the same day it is the same village, as if nothing had been said.
        let back = next(&merged, AS_BEFORE, "2026-12-01").unwrap();
        assert_eq!(back.units, county.units);
        // For a later day the code is a new village's.
        let other = next(&merged, AS_BEFORE, "2027-01-01").unwrap();
        assert_ne!(id(&other, "511603101201"), village);
        assert_eq!(other.unit(village).unwrap().into, Some(heir));
    }

    #[test]
    fn a_table_for_an_earlier_day_takes_back_an_end_that_was_said_for_a_later_one() {
        let county = first();
        let merged = next(&county, MERGED, "2026-12-01").unwrap();
        // The code is not a second village's for the month in between.
        let back = next(&merged, AS_BEFORE, "2026-11-01").unwrap();
        assert_eq!(back.units, county.units);
    }

    #[test]
    fn what_moves_or_is_renamed_stands_once_for_each_time_and_this_can_be_taken_back() {
        let county = first();
        let village = id(&county, "511603102201");
        let (east, west) = (id(&county, "511603101"), id(&county, "511603102"));
        let moved = AS_BEFORE.replace("丙村\tvillage\t511603102", "新丙村\tvillage\t511603101");
        let moved = next(&county, &moved, "2026-12-01").unwrap();
        let on = |of: &Organisation, text: &str| {
            let unit = of.unit_on(village, day(text)).unwrap();
            (unit.name.clone(), unit.parent.unwrap())
        };
        assert_eq!(on(&moved, "2026-11-30"), ("丙村".to_owned(), west));
        assert_eq!(on(&moved, "2026-12-01"), ("新丙村".to_owned(), east));
        assert_eq!(moved.unit(village).unwrap().parent, Some(east), "today's comes first");
        // A later version keeps what was before it.
        let again = AS_BEFORE.replace("丙村\tvillage\t511603102", "新丙村\tvillage\t511603101");
        let again = next(&moved, &again, "2027-02-01").unwrap();
        assert_eq!(on(&again, "2026-11-30"), ("丙村".to_owned(), west));
        let back = next(&moved, AS_BEFORE, "2026-12-01").unwrap();
        assert_eq!(back.units, county.units);
    }

    #[test]
    fn a_reform_that_makes_no_sense_is_refused_with_its_line() {
        let county = first();
        let fault = |rows: &str| next(&county, rows, "2026-12-01").unwrap_err();
        let with = |from: &str, to: &str| {
            assert!(MERGED.contains(from));
            MERGED.replacen(from, to, 1)
        };
        // An heir that does not exist; the unit itself; one that ends too; two that would go into each other.
        let unknown = fault(&with("511603101\t511603101202", "511603101\t511603109999"));
        assert_eq!(unknown.line, 5, "{unknown}");
        assert_eq!(
            fault(&with("511603101\t511603101202", "511603101\t511603101201")).line,
            5
        );
        assert_eq!(fault(&with("511603101\t\n", "511603101\t511603102201\n")).line, 5);
        let tier = fault(&with("511603101\t511603101202", "511603101\t511603102"));
        assert!(tier.line == 5 && tier.reason.contains("同一级"), "{tier}");
        let circle = with("511603101\t\n", "511603101\t511603101201\n");
        assert!(fault(&circle).reason.contains("并入"), "{}", fault(&circle));
        // A code that nobody bears goes into nothing; nothing hangs below what is gone.
        let stranger = format!("{AS_BEFORE}511603101299\t丁村\tvillage\t511603101\t511603101202\n");
        assert_eq!(fault(&stranger).line, 8);
        let orphan = MERGED.replace("丙村\tvillage\t511603102", "丙村\tvillage\t511603101201");
        assert!(next(&county, &orphan, "2026-12-01").is_err());
        // A day before the unit had begun.
        let young = format!("{AS_BEFORE}511603101203\t丁村\tvillage\t511603101\t\n");
        let young = next(&county, &young, "2026-12-01").unwrap();
        let gone = format!("{AS_BEFORE}511603101203\t丁村\tvillage\t511603101\t511603101202\n");
        let early = next(&young, &gone, "2026-11-01").unwrap_err();
        assert!(early.reason.contains("2026-12-01"), "{early}");
        assert!(next(&young, &gone, "2027-01-01").is_ok());
    }
}
