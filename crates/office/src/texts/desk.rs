//! What search, day, month and papers say to a clerk.

use crate::command::{CommandError, Paper};

/// The table of a month, in the trail.
pub(crate) const MONTHLY: &str = "台账";
pub(crate) const MASKED_EXPORT: &str = "脱敏导出";

pub(crate) fn bad_month(text: &str) -> CommandError {
    CommandError::usage("bad_month", format!("月份“{text}”有误，要写成 2026-10 这样，请改正。"))
}

/// What a person's number is called, whatever kind it is.
pub(crate) const CERT_NO: &str = "证件号码";

/// A number that fails its check stands only with a reason.
pub(crate) fn bad_cert_no(why: &impl std::fmt::Display) -> CommandError {
    CommandError::failed("bad_cert_no", format!("{why}。证件上确实是这样的，请写明核对说明。"))
}

pub(crate) fn head_alone_exports() -> CommandError {
    CommandError::failed(
        "not_entitled",
        "完整的台账只由负责人导出。请改存脱敏的，或请负责人登录后导出。",
    )
}

/// What a note says of an act by somebody who stands in.
pub(crate) const TICKED: &str = "登记收到材料";

/// As [`TICKED`].
pub(crate) fn edited(label: &str) -> String {
    format!("修改“{label}”")
}

/// What a result code says.
pub(crate) fn result_word(code: i64) -> &'static str {
    match code {
        0 => "证照已发",
        1 => "退回",
        2 => "作废",
        3 => "删除",
        4 => "转报",
        5 => "材料未补",
        6 => "办结",
        7 => "纸质结果",
        _ => "",
    }
}

/// A paper's name.
pub(crate) fn paper(paper: Paper) -> &'static str {
    match paper {
        Paper::Receipt => "收件回执",
        Paper::Notice => "一次性告知书",
        Paper::Accepted => "受理通知书",
        Paper::Refused => "不予受理通知书",
        Paper::Closed => "办结通知书",
        Paper::Authority => "代办委托书",
    }
}

pub(crate) fn paper_time(paper: &str, nth: u64) -> String {
    format!("{paper} 第 {nth} 次打印")
}

/// Looked at, not printed.
pub(crate) fn paper_seen(paper: &str) -> String {
    format!("预览{paper}")
}

pub(crate) fn not_to_print(of: Paper) -> CommandError {
    let when = match of {
        Paper::Receipt => "收件以后才能打印",
        Paper::Notice => "要先在办件页按“补正告知”，写明缺哪些材料",
        Paper::Accepted => "要等受理以后",
        Paper::Refused => "只有不予受理的件才有",
        Paper::Closed => "要等办结以后",
        Paper::Authority => "只有还没办完的件才能委托",
    };
    CommandError::failed(
        "not_to_print",
        format!("现在还不能打印{}：{when}。请办到那一步再打印。", paper(of)),
    )
}

pub(crate) fn day_to_come(today: impl std::fmt::Display) -> CommandError {
    CommandError::usage(
        "future_date",
        format!("这一天还没有到（今天是 {today}），请改正日期；若电脑日期不对，请先校准。"),
    )
}

pub(crate) fn book_not_here(unit: &str) -> CommandError {
    CommandError::failed(
        "no_book",
        format!("本机没有{unit}的账。请核对机构代码，或到管它的乡镇、县中心查看。"),
    )
}

pub(crate) fn find_too_long(chars: usize) -> CommandError {
    CommandError::usage(
        "bad_find",
        format!("要找的内容最多 {chars} 个字。请只写编号、姓名、证件号码或电话中的一两样。"),
    )
}

pub(crate) fn find_too_few_digits(digits: usize) -> CommandError {
    CommandError::usage(
        "bad_find",
        format!("数字至少要写 {digits} 位，如证件号码或电话的后 {digits} 位，请多写几位再找。"),
    )
}

pub(crate) fn find_dates_turned() -> CommandError {
    CommandError::usage("bad_find", "起始日期晚于截止日期，请对调后再找。")
}
