//! Words about devices that are held, lifted and named.

use ledger::id::{DeviceId, UserId};
use ledger::organisation::Unit;
use replica::authority::{Authority, Held};

use crate::command::CommandError;

/// What a device hears that the hubs above do not meet for now, and what its own desk says: by whom, why, and what to do.
pub(crate) fn held(authority: &Authority, held: &Held) -> String {
    let by = who_noted(authority, &held.by, &held.user);
    let reason: String = held.reason.chars().take(100).collect();
    format!("本机已被{by}暂停同步（{reason}）。登记照常，记录都留在本机，恢复后自动补传；请联系对方问清何时恢复。")
}

/// A hub's unit, and the person where it is known.
pub(crate) fn who_noted(authority: &Authority, by: &DeviceId, user: &UserId) -> String {
    let unit = authority.member(by).and_then(|m| authority.unit(m.unit));
    // The root has no unit of its own.
    let unit = unit.map_or("县中心", |unit| unit.name.as_str());
    match authority.user(user) {
        Some(person) => format!("{unit} {}", person.name),
        None => unit.to_owned(),
    }
}

pub(crate) fn hold_revoked() -> CommandError {
    CommandError::failed("already_revoked", "这台设备已经停用，不必再暂停。")
}

pub(crate) fn held_already() -> CommandError {
    CommandError::failed("already_held", "这台设备已经暂停，不必再停；要恢复请按“恢复”。")
}

pub(crate) fn not_held() -> CommandError {
    CommandError::failed("not_held", "这台设备没有暂停，不必恢复。")
}

pub(crate) fn bad_device_name(max: usize) -> CommandError {
    CommandError::usage("bad_name", format!("设备名要写 1 到 {max} 个字，请改正。"))
}

pub(crate) fn same_device_name() -> CommandError {
    CommandError::failed("same_name", "它现在就叫这个名字，请写一个新的。")
}

pub(crate) fn unit_left_behind(code: &str, name: &str, until: ledger::day::Day, open: u64, live: usize) -> String {
    let mut what = Vec::new();
    if open > 0 {
        what.push(format!("{open} 件没有办结"));
    }
    if live > 0 {
        what.push(format!("{live} 台设备在用"));
    }
    format!("{code} {name} 止于 {until}，还有 {}", what.join("、"))
}

pub(crate) fn moves_on_arrival(moved: usize, on: ledger::day::Day) -> String {
    format!(
        "{moved} 个机构自 {on} 起换上级。报表从这一天起分开算；但谁管谁不等这一天，这一版一到就变：“同步”页、邀请、停用设备都归新的上级。要到那天才换手的，请到那天再发布。"
    )
}

pub(crate) fn unit_still_open(said: &str) -> String {
    format!("{said}。请在表里保留这一行并在 into 列写明并入哪个单位，或先办结、停用设备，或改晚生效日期。")
}

pub(crate) fn top_from_below(unit: &Unit) -> CommandError {
    CommandError::failed(
        "needs_root_key",
        format!(
            "{}（{}）是最上级：平时由它自己的主机开入网票；它的主机全部丢失时，可以在本机开，请加上 --root-key 和建县时的恢复密钥文件。",
            unit.name, unit.code
        ),
    )
}

pub(crate) fn root_key_for_top_only(unit: &Unit) -> CommandError {
    CommandError::usage(
        "wrong_unit",
        format!(
            "恢复密钥只用来给最上级开入网票；{}（{}）不是最上级，请去掉 --root-key，或核对 --unit。",
            unit.name, unit.code
        ),
    )
}
