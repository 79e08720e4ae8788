//! The words of reports: what each figure is called, and how it is reckoned, in one sentence that stands beside it everywhere.

use ledger::day::Day;

use crate::command::CommandError;

/// Name and definition of a figure, by its key.
pub(crate) const FIGURES: [(&str, &str, &str); 18] = [
    (
        "received",
        "收件量",
        "登记日期在期内的办件数。作废、办结结果为“作废”或“删除”的不计；并案只计一次（编号小的，或裁定为主的那件）；个人信息已擦除的仍计。代办事项另计。",
    ),
    (
        "accepted",
        "受理量",
        "受理日期在期内的办件数；收件后 5 个工作日内没有受理、告知补正或其他答复的，视为收件当天受理，以后怎样答复都一样。不计的情形同收件量。",
    ),
    (
        "closed",
        "办结量",
        "办结日期在期内、且办结有效的办件数（“办件量”指办结量）。两岗不同结果的双重办结，裁定前不计。不计的情形同收件量。",
    ),
    ("open", "在办量", "截至日未到终结状态的办件数，不论哪天收件。"),
    (
        "overdue",
        "逾期量",
        "在办件中，按承诺工作日（扣除特别程序停表）已经过期的件数。",
    ),
    (
        "on_time",
        "按时办结率",
        "在承诺日（含当天，按工作日历并扣除停表）以前办结的件数 ÷ 期内办结且有承诺期限的件数。",
    ),
    ("spot", "即办率", "期内办结件中即办件的件数 ÷ 办结量。"),
    (
        "workdays",
        "平均办结工作日",
        "期内办结件从受理次日到办结当天的工作日平均数，扣除特别程序停表；当天办结为 0 天。",
    ),
    (
        "satisfied",
        "满意度",
        "期内办结件中评价为 1—3（非常满意、满意、基本满意）的件数 ÷ 有有效评价的件数。系统默认评价和认定为恶意的评价不算有效评价。",
    ),
    ("rated", "评价率", "期内办结件中有有效评价的件数 ÷ 办结量。"),
    (
        "told_once",
        "一次性告知率",
        "首次告知在期内、且只告知一次的办件数 ÷ 首次告知在期内的办件数。",
    ),
    ("returned", "退件率", "期内退件的件数 ÷ 期内收件量。"),
    ("errand", "代办率", "期内收件中另立了代办事项的件数 ÷ 期内收件量。"),
    (
        "cover",
        "B岗出勤率",
        "A岗缺岗的半天中有人顶岗的半天数 ÷ A岗缺岗的半天数。缺岗＝登记的缺岗，加上有顶岗记录的半天；补录的不算。",
    ),
    ("coverage", "事项覆盖", "期内有收件的事项数 ÷ 现行事项目录的事项总数。"),
    (
        "coverage_approval",
        "事项覆盖·高频行政审批",
        "期内有收件的高频行政审批事项数 ÷ 目录中的同类事项数。",
    ),
    (
        "coverage_service",
        "事项覆盖·公共服务",
        "期内有收件的公共服务事项数 ÷ 目录中的同类事项数。",
    ),
    (
        "coverage_village",
        "事项覆盖·村级便民",
        "期内有收件的村级便民事项数 ÷ 目录中的同类事项数。",
    ),
];

/// Half-days of a window, beside the figures: name and definition by key.
pub(crate) const POSTS: [(&str, &str, &str); 2] = [
    (
        "away",
        "缺岗半天",
        "期内A岗缺岗的半天数：登记的缺岗，加上有顶岗记录的半天；补录的不算。",
    ),
    (
        "stood_in",
        "为人顶岗半天",
        "期内本人替别人顶岗的半天数，以当天办件上的顶岗记录为准；补录的不算。",
    ),
];

pub(crate) const FORENOON: &str = "上午";
pub(crate) const AFTERNOON: &str = "下午";

/// How 同比 is reckoned.
pub(crate) const YEAR_ON_YEAR: &str =
    "同比＝（本期－上年同期）÷ 上年同期；上年同期为 0 时写“—”；率只比百分点。本期还没有结束的，与上年同样的日子比。";

/// What a score of 量化考核 is made of: key, name, points of 100, and how.
pub(crate) const WEIGHTS: [(&str, &str, i64, &str); 3] = [
    ("closed", "办结量", 40, "办结量 ÷ 同类中最多的办结量。"),
    (
        "satisfied",
        "满意度",
        40,
        "按满意度折算；没有评价的，这一项不计，其余项按比例放大到 100 分。",
    ),
    (
        "cover",
        "B岗出勤",
        20,
        "按B岗出勤率折算；没有缺岗的，这一项不计，其余项按比例放大到 100 分。",
    ),
];

pub(crate) const THEN: &str = "当时口径";
pub(crate) const NOW: &str = "现行口径";
pub(crate) const DASH: &str = "—";
pub(crate) const POINTS: &str = "个百分点";
pub(crate) const DAYS: &str = "天";

/// The groups of the catalogue that coverage tells apart, by the figure's key.
pub(crate) const GROUPS: [(&str, &str); 3] = [
    ("coverage_approval", "高频行政审批"),
    ("coverage_service", "公共服务"),
    ("coverage_village", "村级便民"),
];

/// As of when a report stands, and how many rooms are in step.
pub(crate) fn watermark(as_of: &str, rooms: u64, in_step: u64) -> String {
    format!("截至 {as_of}，{rooms} 个村室中 {in_step} 个已同步")
}

pub(crate) fn bad_period(text: &str) -> CommandError {
    CommandError::usage(
        "bad_period",
        format!(
            "“{text}”不是统计期。请写成 2026-10-09（日）、2026-10（月）、2026-Q4（季）、2026（年）或 2026-01..10（1 至 10 月）。"
        ),
    )
}

pub(crate) fn period_to_come(label: &str) -> CommandError {
    CommandError::usage("period_to_come", format!("{label}还没有开始，请选已经开始的统计期。"))
}

pub(crate) fn not_below(name: &str) -> CommandError {
    CommandError::failed(
        "unit_not_below",
        format!("“{name}”不归本中心管，这里没有它的账。请选本中心或下级的机构。"),
    )
}

pub(crate) fn no_calendar() -> CommandError {
    CommandError::failed(
        "no_calendar",
        "工作日历还没有到达本机，算不出期限。请接通县里的线路后再试。",
    )
}

pub(crate) fn unknown_figure(key: &str) -> CommandError {
    CommandError::usage("unknown_figure", format!("没有“{key}”这项指标，请从报表里点进来。"))
}

pub(crate) fn period_not_over(label: &str) -> CommandError {
    CommandError::failed("period_not_over", format!("{label}还没有结束，结束后才能定稿。"))
}

pub(crate) fn unknown_frozen(id: &str) -> CommandError {
    CommandError::failed("unknown_frozen", format!("没有编号 {id} 的定稿，请在定稿清单里核对。"))
}

pub(crate) fn too_many_books() -> CommandError {
    CommandError::failed("too_many_logs", "账套太多，一份定稿写不下。请按乡镇分别定稿。")
}

pub(crate) fn bad_half() -> CommandError {
    CommandError::usage("bad_half", "时段请写 am（上午）、pm（下午）或 day（全天）。")
}

pub(crate) fn not_noted(name: &str, on: Day) -> CommandError {
    CommandError::failed(
        "not_noted",
        format!("没有登记过 {name} {on} 这个时段缺岗，没有可撤回的。请核对姓名、日期和时段。"),
    )
}

pub(crate) fn no_hub_reports() -> CommandError {
    CommandError::failed("not_a_hub", "报表由乡镇或县中心出，村室请看“月台账”。")
}
