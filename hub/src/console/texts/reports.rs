//! The words of the reports' pages. Names and definitions of figures come with the figures.

pub(crate) const REPORTS: &str = "报表";
pub(crate) const ASSESS: &str = "考核";
pub(crate) const PERIOD: &str = "统计期";
pub(crate) const PERIOD_OTHER: &str = "或自己写";
pub(crate) const PERIOD_HINT: &str = "如 2026-10-09、2026-10、2026-Q4、2026、2026-01..10";
pub(crate) const UNIT: &str = "机构";
pub(crate) const FRAME: &str = "口径";
pub(crate) const THEN: &str = "当时口径（按办件当天的机构）";
pub(crate) const NOW: &str = "现行口径（按今天的机构）";
pub(crate) const SHOW: &str = "看报表";
pub(crate) const SHEET: &str = "导出 Excel";
pub(crate) const PRINT: &str = "打印";
pub(crate) const FIGURE: &str = "指标";
pub(crate) const THIS: &str = "本期";
pub(crate) const LAST: &str = "上年同期";
pub(crate) const CHANGE: &str = "同比";
pub(crate) const CLOSED_CHANGE: &str = "办结量同比";
pub(crate) const RECEIVED_CHANGE: &str = "收件量同比";
pub(crate) const HOW: &str = "怎么算";
pub(crate) const BY_UNIT: &str = "按机构";
pub(crate) const BY_MATTER: &str = "按事项";
pub(crate) const TREND: &str = "收件和办结的走势";
pub(crate) const TREND_TABLE: &str = "走势的数字";
pub(crate) const RATES: &str = "按时办结率和满意度";
pub(crate) const COVERAGE: &str = "事项覆盖";
pub(crate) const USED: &str = "已用";
pub(crate) const UNUSED: &str = "没有用过";
pub(crate) const ALL: &str = "总数";
pub(crate) const GROUP: &str = "类别";
pub(crate) const MATTER: &str = "事项";
pub(crate) const UNITS: &str = "机构和人员";
pub(crate) const CENTRES: &str = "便民服务中心";
pub(crate) const SUB_CENTRES: &str = "分中心";
pub(crate) const ROOMS: &str = "村（社区）室";
pub(crate) const AGENT_POINTS: &str = "代办点";
pub(crate) const STAFF: &str = "在册人员";
pub(crate) const RECEIVED: &str = "收件量";
pub(crate) const ACCEPTED: &str = "受理量";
pub(crate) const CLOSED: &str = "办结量";
pub(crate) const OPEN: &str = "在办量";
pub(crate) const OVERDUE: &str = "逾期量";
pub(crate) const ON_TIME: &str = "按时办结率";
pub(crate) const SPOT: &str = "即办率";
pub(crate) const SATISFIED: &str = "满意度";
pub(crate) const RATED: &str = "评价率";
pub(crate) const RUNNING: &str = "本期还没有结束，数字到今天为止；结束以后才能定稿。";
pub(crate) const NONE: &str = "这一期还没有办件。可以换一个统计期或机构；刚收的件同步到本中心后会出现在这里。";
pub(crate) const DEFINITIONS: &str = "各项指标怎么算";
pub(crate) const FROZEN: &str = "定稿";
pub(crate) const FROZEN_ALL: &str = "全部定稿";
pub(crate) const FROZEN_NONE: &str = "还没有定稿。统计期结束后，在该期报表下面按“定稿”。";
pub(crate) const FREEZE: &str = "定稿这一期";
pub(crate) const FREEZE_WHY: &str =
    "定稿以后数字不再变；以后才到的办件列为补报。再定一次会成为第二版，原来的一版仍在。";
pub(crate) const VERSION: &str = "版次";
pub(crate) const FROZEN_AT: &str = "定稿时间";
pub(crate) const FROZEN_BY: &str = "定稿人";
pub(crate) const AS_FROZEN: &str = "定稿数";
pub(crate) const AS_NOW: &str = "现在重算";
pub(crate) const LATE: &str = "补报";
pub(crate) const LATE_NONE: &str = "定稿以后没有补报，数字和现在重算的一样。";
pub(crate) const LATE_GAINED: &str = "补进";
pub(crate) const LATE_LOST: &str = "减去";
pub(crate) const WATERMARK: &str = "水印";
pub(crate) const NO_SHEET: &str = "表格没有做成，请再试一次；还是不行，请把时间告诉系统维护人员。";
pub(crate) const BACK: &str = "返回报表";
pub(crate) const CASES_NONE: &str = "没有这样的办件。";
pub(crate) const NUMBER: &str = "编号";
pub(crate) const APPLICANT: &str = "申请人";
pub(crate) const STATE: &str = "状态";
pub(crate) const RECEIVED_ON: &str = "收件";
pub(crate) const DUE_ON: &str = "应办结";
pub(crate) const CLOSED_ON: &str = "办结";
pub(crate) const RATING: &str = "评价";
pub(crate) const SHOW_REST: &str = "看不在其中的";
pub(crate) const SHOW_PART: &str = "看在其中的";
pub(crate) const EARLIER: &str = "上一页";
pub(crate) const FURTHER: &str = "下一页";
pub(crate) const PEOPLE: &str = "窗口人员";
pub(crate) const ROOMS_ASSESSED: &str = "村（社区）室";
pub(crate) const NAME: &str = "姓名";
pub(crate) const SCORE: &str = "得分";
pub(crate) const COVERED: &str = "有人顶岗";
pub(crate) const WEIGHTS: &str = "怎么打分";
pub(crate) const ASSESS_NONE: &str = "这一期没有办结的件，也没有缺岗。";
pub(crate) const ABSENCE: &str = "登记缺岗";
pub(crate) const ABSENCE_WHY: &str =
    "A岗请假、外出时在这里登记；有顶岗记录的半天会自动算，不必登记。登记错了，照原样填好再按“撤回这次登记”。";
pub(crate) const ABSENCE_UNDO: &str = "撤回这次登记";
pub(crate) const BAD_DAY: &str = "日期写法不对，没有登记。请写 2026-10-09 这样的日期。";
pub(crate) const ABSENT_UNIT: &str = "村室代码";
pub(crate) const ABSENT_ON: &str = "哪一天";
pub(crate) const ABSENT_HALF: &str = "时段";
pub(crate) const HALVES: [(&str, &str); 3] = [("day", "全天"), ("am", "上午"), ("pm", "下午")];

pub(crate) fn title(unit: &str, label: &str) -> String {
    format!("{unit} {label} 便民服务统计")
}

pub(crate) fn assess_title(unit: &str, label: &str) -> String {
    format!("{unit} {label} 窗口量化考核")
}

pub(crate) fn frozen_title(unit: &str, label: &str, version: u64) -> String {
    format!("{unit} {label} 便民服务统计（定稿第 {version} 版）")
}

pub(crate) fn frozen_said(label: &str, version: u64) -> String {
    format!("{label}已定稿，第 {version} 版。以后才到的办件会列为补报。")
}

pub(crate) fn absence_said(name: &str, on: &str, half_days: u64) -> String {
    format!("已登记：{name} {on} 缺岗 {half_days} 个半天。")
}

pub(crate) fn absence_undone(name: &str, on: &str, half_days: u64) -> String {
    format!("已撤回：{name} {on} 缺岗登记 {half_days} 个半天。")
}

pub(crate) fn behind(figure: &str, all: u64, unit: &str) -> String {
    format!("{figure}：{all} {unit}")
}

pub(crate) fn rest(figure: &str, all: u64, unit: &str) -> String {
    format!("{figure}，不在其中的：{all} {unit}")
}

pub(crate) const CASE_UNIT: &str = "件";
pub(crate) const HALF_DAY_UNIT: &str = "个半天";
pub(crate) const MATTER_UNIT: &str = "个事项";
pub(crate) const AS_IT_IS_NOW: &str = "这是现在重算的清单，含定稿以后才到的补报；定稿数不变。";
pub(crate) const HALF_DAYS_NONE: &str = "没有这样的半天。";
pub(crate) const MATTERS_NONE: &str = "没有这样的事项。";
pub(crate) const WHOSE_POST: &str = "A岗";
pub(crate) const STOOD_IN_BY: &str = "顶岗人";
pub(crate) const NOTED: &str = "已登记缺岗";
pub(crate) const NOBODY: &str = "无人顶岗";
pub(crate) const DAY: &str = "日期";
pub(crate) const CASES: &str = "办件";

pub(crate) const NO_MATTERS: &str = "这一期没有办件，没有事项可列。";

pub(crate) fn cases_of(all: u64) -> String {
    format!("这些事项的收件：{all} 件")
}

pub(crate) fn last_year(from: &str, until: &str) -> String {
    format!("的上年同期（{from} 至 {until}）")
}

pub(crate) fn frozen_same(at: &str) -> String {
    format!("这是 {at} 定稿时数进去的清单；每行写的是这件现在的情况，后来的补报不在内。")
}

pub(crate) fn frozen_otherwise(at: &str, said: u64, count: u64) -> String {
    format!(
        "定稿数是 {said}。按 {at} 定稿时已收到的流水重数是 {count}，列在下面。两数不同，是定稿以后机构、目录、并案裁定、代办登记或缺岗登记改过；定稿数不变。"
    )
}

/// What the heading of a column means, where it is no figure of the report.
pub(crate) fn column(key: &str) -> (&'static str, &'static str) {
    match key {
        "group" => (GROUP, "事项目录里的大类。"),
        "used" => (USED, "期内至少收过一件的事项数，点开看是哪些事项、哪些办件。"),
        "all" => (ALL, "现行事项目录里这一类的事项总数。"),
        "unused" => (UNUSED, "现行事项目录里有、期内没有收件的事项。"),
        "centres" => (CENTRES, "本期末在册的乡镇（街道）便民服务中心数。"),
        "sub_centres" => (SUB_CENTRES, "本期末在册的便民服务分中心数。"),
        "rooms" => (ROOMS, "本期末在册的村（社区）便民服务室数。"),
        "agent_points" => (AGENT_POINTS, "本期末在册的代办点数。"),
        "staff" => (STAFF, "现在登记在册、没有停用的窗口和中心人员数。"),
        "covered" => (COVERED, "缺岗的半天中，当天办件上有顶岗记录的半天数。"),

        "score" => (
            SCORE,
            "按上面“怎么打分”的三项，由本行的办结量、满意度和B岗出勤率折算，满分 100。",
        ),
        _ => ("", ""),
    }
}

pub(crate) fn more_frozen(more: usize) -> String {
    format!("另有 {more} 份更早的定稿没有列出；在该期报表页下面可以找到。")
}

pub(crate) fn page_of(page: u64, pages: u64) -> String {
    format!("第 {page} 页，共 {pages} 页")
}

pub(crate) fn late_count(all: u64, listed: usize) -> String {
    match all as usize > listed {
        true => format!("补报 {all} 件，下面列出 {listed} 件"),
        false => format!("补报 {all} 件"),
    }
}

pub(crate) fn points(points: i64) -> String {
    format!("{points} 分")
}

pub(crate) fn sheet_name(unit: &str, period: &str) -> String {
    format!("{unit} {period} 便民服务统计.xlsx")
}

/// For the trail.
pub(crate) fn exported(unit: &str, period: &str) -> String {
    format!("统计报表 {unit} {period}")
}

/// A period as the picker names it.
pub(crate) fn month(year: i32, month: u32) -> String {
    format!("{year}年{month}月")
}

pub(crate) fn quarter(year: i32, quarter: u32) -> String {
    format!("{year}年第{quarter}季度")
}

pub(crate) fn year(year: i32) -> String {
    format!("{year}年")
}

pub(crate) fn months(year: i32, last: u32) -> String {
    format!("{year}年1—{last}月累计")
}

pub(crate) const TODAY: &str = "今天";
pub(crate) const YESTERDAY: &str = "昨天";
