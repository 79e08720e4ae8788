//! What files of a month say of themselves, and how long ago something was.

pub(crate) const LEDGER_ABOUT: &str = "说明";

pub(crate) fn ledger_sheet(month: &str) -> String {
    format!("台账{month}")
}

pub(crate) fn ledger_title(unit: &str, month: &str) -> String {
    format!("{unit} {month} 台账")
}

pub(crate) fn ledger_as_of(at: &str, cases: usize, behind: u64) -> String {
    match behind {
        0 => format!("截至 {at}，共 {cases} 件，全部已到乡镇"),
        n => format!("截至 {at}，共 {cases} 件，其中 {n} 件还没有到乡镇"),
    }
}

pub(crate) fn ledger_kind(masked: bool) -> &'static str {
    match masked {
        true => "个人信息已脱敏",
        false => "含完整个人信息，请妥善保管，用完销毁",
    }
}
