//! The reckoning at the end: equal digests, nothing lost, every folder clean.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use cunlian_tests::county::{County, Tiers};
use serde_json::Value;

/// What was found; empty faults mean that all is well.
pub(crate) struct Audit {
    pub(crate) cases: usize,
    pub(crate) faults: Vec<String>,
    /// What the rooms and townships did apart and what became of it, one line each.
    pub(crate) merged: Vec<String>,
}

/// Compares all places. `expected` cases were acknowledged in the rooms.
///
/// # Errors
/// When a command fails that has no reason to.
pub(crate) fn audit(county: &County, tiers: &Tiers, expected: usize) -> Result<Audit> {
    let mut faults = Vec::new();
    if !county.in_step(&tiers.all())? {
        faults.push("各级的账套摘要不一致".to_owned());
    }
    let at_county = records(&county.cases(tiers.county)?);
    let mut recorded = BTreeSet::new();
    for room in &tiers.rooms {
        for case in county.cases(*room)? {
            let (record, number) = (text(&case, "record_id"), text(&case, "project_no"));
            match at_county.get(&record) {
                Some(1) => {}
                Some(n) => faults.push(format!("{number} 在县里出现了 {n} 次")),
                None => faults.push(format!("{number} 没有到县")),
            }
            if case["receipt"] != "county" {
                faults.push(format!("{number} 在村室显示“{}”，应是 county", text(&case, "receipt")));
            }
            recorded.insert(record);
        }
    }
    if recorded.len() != expected || at_county.len() != expected {
        let (rooms, top) = (recorded.len(), at_county.len());
        faults.push(format!("应有 {expected} 件，村室合计 {rooms} 件，县里 {top} 件"));
    }
    for place in tiers.all() {
        let said = county[place].say(&["verify"])?;
        if !said.status.success() {
            faults.push(format!(
                "{} 核验不通过：{}{}",
                county[place].name(),
                said.stdout,
                said.stderr
            ));
        }
    }
    Ok(Audit {
        cases: at_county.len(),
        faults,
        merged: merged(county, tiers)?,
    })
}

fn records(cases: &[Value]) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for case in cases {
        *seen.entry(text(case, "record_id")).or_default() += 1;
    }
    seen
}

fn merged(county: &County, tiers: &Tiers) -> Result<Vec<String>> {
    let listed = county[tiers.county].json(&["conflict", "list"])?;
    let items = listed.as_array().cloned().unwrap_or_default();
    let word = |kind: &str| {
        match kind {
            "double_closing" => "双重办结",
            "void_event" => "两边同时办理，按规则只认一个",
            "field" => "同一字段两边各改，两个值都保留",
            "overwritten" => "改动了不可改的内容，已隔离",
            "duplicate" => "同人同事项在两处办理，已并案",
            "same_number" => "同号",
            "fork" => "同一设备有两份",
            _ => "其他",
        }
        .to_owned()
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for item in &items {
        *counts.entry(word(&text(item, "kind"))).or_default() += 1;
    }
    Ok(counts.into_iter().map(|(what, n)| format!("{what}：{n} 项")).collect())
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
