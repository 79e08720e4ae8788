//! The tables that an operator uploads: organisation, a reform of it, catalogue, calendar.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ledger::calendar::Calendar;
use ledger::catalogue::Catalogue;
use ledger::day::Day;
use ledger::id::{UnitCode, UnitId};
use ledger::organisation::{Organisation, Unit, UnitKind};
use ledger::seed::Seeds;
use ledger::table::{CELL_CHARS_MAX, TABLE_ROWS_MAX, TableError};

use super::{KIB, MIB};
use crate::Target;
use crate::bytes::choice;

pub(super) const TARGET: Target = Target {
    name: "tables",
    promise: "a table is read or refused with its line and words; what was read and is written anew reads the same; every unit hangs \
              below the one at the top; after a reform nobody stands twice on a day, no unit is gone without a trace, and the same said \
              again changes nothing; a calendar covers what it names and every deadline is found",
    check,
    seeds,
    len_max: 8 * KIB,
    memory: (MIB, 512),
};

const UNITS: &str = "code12\tname\tlevel\tparent12\n";
const REFORM: &str = "code12\tname\tlevel\tparent12\tinto\n";
const MATTERS: &str = "code\tname_zh\tgroup\tcategory\ttier\tvillage_role\thandling_type\tpromised_workdays\tstatutory_limit\tdeadline_basis\tmaterials\n";
const DAYS: &str = "date\tkind\n";
/// A small county, and what may become of it.
const COUNTY: &str =
    "511603\t县\tcounty\t\t\n511603101\t东乡\ttownship\t511603\t\n511603102\t西乡\ttownship\t511603\t\n";
const VILLAGES: &str = "511603101201\t甲村\tvillage\t511603101\t\n511603101202\t乙村\tvillage\t511603101\t\n511603102201\t丙村\tvillage\t511603102\t\n";
const MERGED: &str = "511603101201\t甲村\tvillage\t511603101\t511603101202\n511603101202\t乙村\tvillage\t511603101\t\n511603102201\t新丙村\tvillage\t511603101\t\n";

fn seeds() -> Vec<Vec<u8>> {
    let first = |how: u8, text: &str| [&[how], text.as_bytes()].concat();
    let some = |table: &str, rows: usize| table.split_inclusive('\n').take(rows).collect::<String>();
    let divisions = some(include_str!("../../../ledger/data/divisions_511603.tsv"), 30);
    let matters = some(include_str!("../../../ledger/data/matters.tsv"), 8);
    let holidays = some(include_str!("../../../ledger/data/holidays.tsv"), 40);
    let mut seeds = vec![
        first(0, &divisions),
        first(0, &format!("\u{FEFF}{}", divisions.replace('\n', "\r\n"))),
        first(2, &matters),
        first(3, &holidays),
    ];
    for day in 0..6 {
        let how = 1 + 4 * day;
        for rows in [MERGED, VILLAGES] {
            seeds.push(first(how, &format!("{REFORM}{COUNTY}{rows}")));
        }
        seeds.push(first(
            how,
            &format!("{REFORM}{COUNTY}{VILLAGES}511603102202\t丁村\tcommunity\t511603102\t\n"),
        ));
    }
    seeds
}

fn check(data: &[u8]) {
    let (how, text) = choice(data);
    let Ok(text) = std::str::from_utf8(text) else { return };
    match how % 4 {
        0 => organisation(text),
        1 => reform(text, how / 4),
        2 => catalogue(text),
        _ => calendar(text),
    }
}

/// `None` when it was refused, with words and a line that is there.
fn taken<T>(read: Result<T, TableError>, text: &str) -> Option<T> {
    match read {
        Ok(taken) => Some(taken),
        Err(error) => {
            assert!(!error.reason.is_empty(), "refused without words");
            assert!(
                error.line <= text.split('\n').count() as u64,
                "line {} is not there",
                error.line
            );
            None
        }
    }
}

fn read(text: &str) -> Result<Organisation, TableError> {
    Organisation::from_tsv(text, &mut Seeds::new([1; 32]))
}

fn organisation(text: &str) {
    let Some(organisation) = taken(read(text), text) else {
        return;
    };
    assert!(organisation.units.len() <= TABLE_ROWS_MAX, "too many units");
    let codes: BTreeSet<UnitCode> = organisation.units.iter().map(|unit| unit.code).collect();
    assert_eq!(codes.len(), organisation.units.len(), "a code twice");
    hangs_together(&organisation);
    assert_eq!(
        read(&written(&organisation)).as_ref(),
        Ok(&organisation),
        "written anew"
    );
}

/// One at the top, and all others below it.
fn hangs_together(organisation: &Organisation) {
    let standing: Vec<&Unit> = organisation.units.iter().filter(|unit| unit.until.is_none()).collect();
    let tops: Vec<&&Unit> = standing.iter().filter(|unit| unit.parent.is_none()).collect();
    let [top] = tops.as_slice() else {
        panic!("{} units at the top", tops.len());
    };
    for unit in &standing {
        assert!(
            !unit.name.is_empty() && unit.name.chars().count() <= CELL_CHARS_MAX,
            "a name"
        );
        assert!(
            organisation.is_within(unit.id, top.id),
            "{} hangs below nothing",
            unit.code
        );
        let above = unit.parent.and_then(|parent| organisation.unit(parent));
        assert!(
            above.is_none_or(|above| above.until.is_none() && above.kind.tier() >= unit.kind.tier()),
            "{} hangs below what is gone or lower",
            unit.code
        );
    }
}

fn level(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::County => "county",
        UnitKind::Township => "township",
        UnitKind::SubCentre => "subcenter",
        UnitKind::Village => "village",
        UnitKind::Community => "community",
        UnitKind::AgentPoint => "agent_point",
    }
}

/// The units that stand, as a table.
fn written(organisation: &Organisation) -> String {
    let mut table = UNITS.to_owned();
    for unit in organisation.units.iter().filter(|unit| unit.until.is_none()) {
        let parent = unit.parent.and_then(|parent| organisation.unit(parent));
        let parent = parent.map(|parent| parent.code.to_string()).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{}\t{}\t{}\t{parent}", unit.code, unit.name, level(unit.kind));
    }
    table
}

/// A reform of a county that nothing was said of yet, or of one that was reformed on 2026-12-01; before, on or after that day.
fn reform(text: &str, how: u8) {
    let day = |number: i32| Day::from_ymd(2026, 12, 1).map_or(Day::from_number(0), |day| day.plus(number));
    let revised = |of: &Organisation, text: &str, on: Day| of.revised(text, on, &mut Seeds::new([2; 32]));
    let Ok(first) = read(&format!("{REFORM}{COUNTY}{VILLAGES}")) else {
        panic!("the small county is refused");
    };
    let before = if how.is_multiple_of(2) {
        first
    } else {
        match revised(&first, &format!("{REFORM}{COUNTY}{MERGED}"), day(0)) {
            Ok(reformed) => reformed,
            Err(error) => panic!("the reform is refused: {error}"),
        }
    };
    let on = day(30 * (i32::from(how / 2 % 3) - 1));
    let Some(after) = taken(revised(&before, text, on), text) else {
        return;
    };
    assert_eq!(after.version, before.version + 1);
    hangs_together(&after);
    stands_once(&after);
    let is_known = |id: UnitId| after.unit(id).is_some();
    for unit in &before.units {
        assert!(is_known(unit.id), "{} is gone without a trace", unit.code);
    }
    for unit in &after.units {
        assert!(unit.into.is_none_or(is_known), "{} went into nothing", unit.code);
        assert!(
            unit.into.is_none() || unit.until.is_some(),
            "{} went and stands",
            unit.code
        );
    }
    let mut again = match after.revised(text, on, &mut Seeds::new([3; 32])) {
        Ok(again) => again.units,
        Err(error) => panic!("the same said again is refused: {error}"),
    };
    let mut units = after.units;
    for units in [&mut units, &mut again] {
        units.sort_by_key(|unit| (unit.id, unit.from));
    }
    assert_eq!(again, units, "the same said again");
}

/// On no day does a unit stand twice, or a code mean two.
fn stands_once(organisation: &Organisation) {
    let days: BTreeSet<Day> = organisation
        .units
        .iter()
        .flat_map(|unit| [unit.from, unit.until])
        .flatten()
        .flat_map(|day| [day.plus(-1), day])
        .collect();
    for day in days {
        let holds =
            |unit: &&Unit| unit.from.is_none_or(|from| from <= day) && unit.until.is_none_or(|until| day < until);
        let (mut ids, mut codes) = (BTreeSet::new(), BTreeSet::new());
        for unit in organisation.units.iter().filter(holds) {
            assert!(ids.insert(unit.id), "{} stands twice on {day}", unit.code);
            assert!(codes.insert(unit.code), "{} means two on {day}", unit.code);
        }
    }
}

fn catalogue(text: &str) {
    let Some(catalogue) = taken(Catalogue::from_tsv(text), text) else {
        return;
    };
    let mut table = MATTERS.to_owned();
    for matter in &catalogue.matters {
        assert!(
            (1..=32).contains(&matter.code.len()) && matter.code.is_ascii(),
            "a code: {}",
            matter.code
        );
        assert!(!matter.name.is_empty(), "{} has no name", matter.code);
        assert!(matter.promised_workdays <= 250, "{} is never due", matter.code);
        assert_eq!(catalogue.matter(&matter.code), Some(matter), "a code twice");
        let cells = [
            &matter.code,
            &matter.name,
            &matter.group,
            &matter.category,
            &matter.tier,
            &matter.village_role,
            matter.handling_type.label(),
            &matter.promised_workdays.to_string(),
            &matter.statutory_limit,
            &matter.deadline_basis,
            &matter.materials.join(";"),
        ];
        table += &cells.join("\t");
        table.push('\n');
    }
    assert_eq!(Catalogue::from_tsv(&table).as_ref(), Ok(&catalogue), "written anew");
}

fn calendar(text: &str) {
    let Some(calendar) = taken(Calendar::from_tsv(text), text) else {
        return;
    };
    let mut table = DAYS.to_owned();
    for (days, kind) in [(&calendar.off, "off"), (&calendar.makeup, "makeup_work")] {
        for day in days {
            assert!(calendar.covers(*day), "{day} is named and not covered");
            assert_eq!(calendar.is_workday(*day), kind != "off", "{day} is {kind}");
            let due = calendar.due(*day, 20, &[]);
            assert!(
                due.on > *day && (due.provisional || calendar.is_workday(due.on)),
                "{due:?}"
            );
            // Writing to a string cannot fail.
            let _ = writeln!(table, "{day}\t{kind}");
        }
    }
    assert_eq!(Calendar::from_tsv(&table).as_ref(), Ok(&calendar), "written anew");
    let published = match Calendar::from_tsv(include_str!("../../../ledger/data/holidays.tsv")) {
        Ok(published) => published,
        Err(error) => panic!("the published calendar is refused: {error}"),
    };
    let Some(next) = taken(published.with_years_of(&calendar), text) else {
        return;
    };
    let named = calendar.off.iter().chain(&calendar.makeup);
    for day in named.chain(&published.off).chain(&published.makeup) {
        let says = if calendar.covers(*day) { &calendar } else { &published };
        assert_eq!(next.is_workday(*day), says.is_workday(*day), "{day}");
        assert!(next.covers(*day), "{day} is covered no more");
    }
}
