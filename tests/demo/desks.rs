//! The rooms' desks: where each is found, and with which name and one-time code somebody signs in there.

use std::fs;

use anyhow::{Context, Result};
use cunlian_tests::county::{County, TOWNSHIPS, Tiers};

use crate::watch::name_of;

/// One for each room; a demo's people need no more.
const NAMES: [&str; 6] = ["李芳", "王强", "陈静", "刘洋", "赵敏", "周涛"];

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
