//! The rooms' desks and the centres' consoles: where each is found, and with which name and one-time code somebody signs in there.

use std::fs;

use anyhow::{Context, Result};
use cunlian_tests::county::{County, TOWNSHIPS, Tiers};

use crate::watch::name_of;

/// One for each room; a demo's people need no more.
const NAMES: [&str; 6] = ["李芳", "王强", "陈静", "刘洋", "赵敏", "周涛"];

/// Who works at the county and at the townships.
const OPERATOR: (&str, &str) = ("钱敏", "operator");
const HEADS: [&str; 2] = ["孙主任", "吴主任"];

/// Names the county's operator and a head per township, and says where and how to sign in.
///
/// # Errors
/// When a name is not taken, or a console has not opened.
pub(crate) fn open_consoles(county: &County, tiers: &Tiers) -> Result<Vec<String>> {
    let mut lines = vec!["县、乡镇的工作台（第一次点“第一次登录？用登记码设密码”）：".to_owned()];
    let heads = tiers
        .townships
        .iter()
        .zip(HEADS)
        .map(|(place, name)| (*place, name, "head"));
    for (place, name, role) in std::iter::once((tiers.county, OPERATOR.0, OPERATOR.1)).chain(heads) {
        let status = county[place].json(&["status"])?;
        let text = |field: &str| status[field].as_str().unwrap_or_default().to_owned();
        let (unit, unit_name) = (text("unit"), text("name"));
        let made = county[place].json(&["user", "add", "--unit", &unit, "--name", name, "--role", role])?;
        let code = made["code"].as_str().context("a code")?;
        let addr = fs::read_to_string(county[place].data().join("console")).context("the console's address")?;
        lines.push(format!("  {unit_name}  http://{}/  {name}  登记码 {code}", addr.trim()));
    }
    Ok(lines)
}

/// Names one person per room, and says where and how to sign in.
///
/// # Errors
/// When a township does not take the name, or a room has opened no desk.
pub(crate) fn open(county: &County, tiers: &Tiers) -> Result<Vec<String>> {
    let units = TOWNSHIPS.iter().flat_map(|(_, rooms)| rooms).map(|(unit, _)| *unit);
    let mut lines = vec!["村室的办事页面（在本机浏览器里打开，第一次点“第一次在这台电脑上登录”）：".to_owned()];
    for (at, (unit, room)) in units.zip(&tiers.rooms).enumerate() {
        let name = NAMES[at % NAMES.len()];
        let add = ["user", "add", "--unit", unit, "--name", name, "--role", "head"];
        let made = county[tiers.above(at)].json(&add)?;
        let code = made["code"].as_str().context("a code")?;
        let addr = fs::read_to_string(county[*room].data().join("console")).context("the desk's address")?;
        lines.push(format!(
            "  村室 {} {}  http://{}/  {name}  登记码 {code}",
            at + 1,
            name_of(unit),
            addr.trim()
        ));
    }
    Ok(lines)
}
