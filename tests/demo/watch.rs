//! Looks at all places at once and makes the rows of the table.

use std::collections::BTreeMap;
use std::thread;

use cunlian_tests::county::{County, DIVISIONS, PlaceId, TOWNSHIPS, Tiers};
use serde_json::Value;

use crate::board::Row;

/// One row per room as things stand now. Places whose process is down are not asked: their columns stay empty.
pub(crate) fn rows(county: &County, tiers: &Tiers) -> Vec<Row> {
    let statuses = statuses(county, &tiers.all());
    let rooms = TOWNSHIPS.iter().flat_map(|(_, rooms)| rooms).map(|(room, _)| *room);
    let row = |(at, (unit, id)): (usize, (&str, &PlaceId))| {
        let township = tiers.above(at);
        let book = |place: PlaceId| statuses.get(&place).and_then(|status| book_of(status, unit));
        let (here, there, top) = (book(*id), book(township), book(tiers.county));
        let digest = |scope: Option<&Value>| scope.and_then(|s| s["digest"].as_str().map(str::to_owned));
        let count = |scope: Option<&Value>| scope.and_then(|s| s["records"].as_u64());
        Row {
            number: at + 1,
            name: name_of(unit),
            line: line_of(county, tiers, *id, township),
            recorded: count(here),
            at_township: count(there),
            at_county: count(top),
            conflicts: statuses.get(id).and_then(|status| status["conflicts"].as_u64()),
            in_step: here.is_some() && digest(here) == digest(there) && digest(here) == digest(top),
        }
    };
    rooms.zip(&tiers.rooms).enumerate().map(row).collect()
}

/// A unit's name as the county publishes it, without the words for its committee.
pub(crate) fn name_of(unit: &str) -> String {
    let row = DIVISIONS
        .lines()
        .find(|line| line.starts_with(unit))
        .unwrap_or_default();
    let name = row.split('\t').nth(1).unwrap_or(unit);
    name.trim_end_matches("居委会").trim_end_matches("委会").to_owned()
}

fn statuses(county: &County, ids: &[PlaceId]) -> BTreeMap<PlaceId, Value> {
    let running = ids.iter().filter(|id| county[**id].pid().is_some());
    thread::scope(|scope| {
        let asked: Vec<_> = running
            .map(|id| (*id, scope.spawn(|| county[*id].json(&["status"]))))
            .collect();
        asked
            .into_iter()
            .filter_map(|(id, answer)| Some((id, answer.join().ok()?.ok()?)))
            .collect()
    })
}

fn book_of<'a>(status: &'a Value, unit: &str) -> Option<&'a Value> {
    let mut scopes = status["scopes"].as_array()?.iter();
    scopes.find(|scope| scope["kind"] == "book" && scope["unit"] == unit)
}

fn line_of(county: &County, tiers: &Tiers, room: PlaceId, township: PlaceId) -> &'static str {
    let cut = |lower, upper| {
        county
            .relay(lower, upper)
            .is_some_and(cunlian_tests::relay::Relay::is_cut)
    };
    if county[township].pid().is_none() {
        "乡镇停机"
    } else if cut(room, township) {
        "断"
    } else if cut(township, tiers.county) {
        "乡镇断线"
    } else {
        "通"
    }
}
