//! The organisation as a tree, and what stands in the way of ending a unit.

use std::collections::BTreeMap;

use ledger::day::Day;
use ledger::id::UnitId;
use ledger::organisation::{Organisation, Unit};
use serde_json::{Value, json};

use crate::command::CommandError;
use crate::office::Office;
use crate::texts;
use crate::views::counts::visit;
use crate::views::name;

/// Every unit of a version, each below the one above it, with its depth.
pub(super) fn tree(organisation: &Organisation, today: Day) -> Vec<Value> {
    let mut below: BTreeMap<Option<UnitId>, Vec<&Unit>> = BTreeMap::new();
    for unit in &organisation.units {
        below.entry(unit.parent).or_default().push(unit);
    }
    for units in below.values_mut() {
        units.sort_by_key(|unit| (unit.code, unit.from));
    }
    let mut nodes = Vec::with_capacity(organisation.units.len());
    let mut open: Vec<(&Unit, usize)> = below.get(&None).into_iter().flatten().rev().map(|u| (*u, 0)).collect();
    while let Some((unit, depth)) = open.pop() {
        nodes.push(node(organisation, unit, depth, today));
        // A unit that moved stands here once for each time; what is below it is told once, where it stands now.
        let stands = organisation
            .unit_on(unit.id, today)
            .is_some_and(|now| std::ptr::eq(now, unit));
        if stands && nodes.len() <= organisation.units.len() {
            open.extend(
                below
                    .get(&Some(unit.id))
                    .into_iter()
                    .flatten()
                    .rev()
                    .map(|u| (*u, depth + 1)),
            );
        }
    }
    nodes
}

fn node(organisation: &Organisation, unit: &Unit, depth: usize, today: Day) -> Value {
    let heir = unit.into.and_then(|id| organisation.unit(id));
    let state = match (unit.from, unit.until) {
        (_, Some(until)) if until <= today => "ended",
        (Some(from), _) if from > today => "to_come",
        (_, Some(_)) => "to_end",
        _ => "stands",
    };
    json!({
        "depth": depth,
        "code": unit.code,
        "name": unit.name,
        "level": unit.kind.word(),
        "from": unit.from,
        "until": unit.until,
        "into": heir.map(|heir| heir.name.clone()),
        "state": state,
    })
}

impl Office {
    /// What a new version would leave behind at units that it ends: open cases, devices that are in. A unit that ends today without an
    /// heir would leave them to nobody, which is refused; the rest is told beside the difference.
    pub(super) fn left_behind(
        &self,
        old: &Organisation,
        new: &Organisation,
        today: Day,
    ) -> Result<Vec<String>, CommandError> {
        let stood = |unit: &&Unit| old.units.iter().any(|was| was.id == unit.id && was.until.is_none());
        let goes_on = |id: UnitId| new.units.iter().any(|unit| unit.id == id && unit.until.is_none());
        let ends: Vec<&Unit> = new
            .units
            .iter()
            .filter(|unit| unit.until.is_some() && !goes_on(unit.id))
            // A unit that moved ends with the last of its times.
            .filter(|unit| new.units.iter().all(|of| of.id != unit.id || of.until <= unit.until))
            .filter(stood)
            .collect();
        if ends.is_empty() {
            return Ok(Vec::new());
        }
        let mut cases: BTreeMap<UnitId, u64> = BTreeMap::new();
        visit(self.store.kv(), name::OPEN, &mut |key, _| {
            if let Some(of) = name::tail(key) {
                *cases.entry(of.scope.unit).or_default() += 1;
            }
        })
        .map_err(|e| texts::store_failed(&e))?;
        let mut told = Vec::new();
        for unit in ends {
            let open = cases.get(&unit.id).copied().unwrap_or(0);
            let live = self
                .authority
                .members()
                .filter(|m| m.unit == unit.id && m.is_live())
                .count();
            if (open, live) == (0, 0) {
                continue;
            }
            let until = unit.until.unwrap_or(today);
            let said = texts::unit_left_behind(&unit.code.to_string(), &unit.name, until, open, live);
            if unit.into.is_none() && until <= today {
                return Err(CommandError::usage("still_open", texts::unit_still_open(&said)));
            }
            told.push(said);
        }
        Ok(told)
    }
}
