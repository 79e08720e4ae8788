//! The words of the wall, a room's page and alerts.

use std::borrow::Borrow;

pub(in crate::console) use super::super::wall::colour;

pub(in crate::console) const ITS_CASES: &str = "它在办的件";
pub(in crate::console) const ITS_FIGURES: &str = "它的报表";
pub(in crate::console) const ITS_DAY: &str = "它今天的日结";
pub(in crate::console) const DAY_CLOSING: &str = "日结";
pub(in crate::console) const DAY_OTHER: &str = "看哪一天";
pub(in crate::console) const DAY_GO: &str = "看";
pub(in crate::console) const DAY_RECEIVED: &str = "收件";
pub(in crate::console) const DAY_CLOSED: &str = "办结";
pub(in crate::console) const DAY_CASES: &str = "涉及办件";
pub(in crate::console) const DAY_OPEN: &str = "在办（全部）";
pub(in crate::console) const DAY_CODE: &str = "日结码";
pub(in crate::console) const DAY_CODE_WHY: &str =
    "从本级收到的账本算出来的。请村室念它“日结”页上的日结码：两边一样，就是这一天的办件一件不差。";
pub(in crate::console) const DAY_NONE: &str = "村室这一天还没有日结（或者日结还没有传到本级）。";
pub(in crate::console) const DAY_SAME: &str = "最后一次日结和本级现在的账一致。";
pub(in crate::console) const DAY_OTHERWISE: &str = "最后一次日结以后，这一天的办件又有变化：村室再日结一次就会一致。";
pub(in crate::console) const DAY_CHANGED: &str = "此后有变化";
pub(in crate::console) const DAY_WRONG: &str = "日期要写成 2026-10-09 这样，请改正。";
pub(in crate::console) const NTH: &str = "第几次";
pub(in crate::console) const CLOSED_AT: &str = "时间";
pub(in crate::console) const CLOSED_BY: &str = "谁做的";
pub(in crate::console) const BEHIND_THEN: &str = "当时未到乡镇";
pub(in crate::console) const BACK_TO_ROOM: &str = "回到村室的页面";
pub(in crate::console) const WALL: &str = "同步";
pub(in crate::console) const ALERTS: &str = "告警";
pub(in crate::console) const ROOM: &str = "村室";
pub(in crate::console) const ALL_STATES: &str = "全部状态";
pub(in crate::console) const FIND: &str = "村室、乡镇名称或代码";
pub(in crate::console) const FIND_DO: &str = "找";
pub(in crate::console) const STATE: &str = "状态";
pub(in crate::console) const SORT: &str = "排列";
pub(in crate::console) const IN_STEP_NOW: &str = "现在同步";
pub(in crate::console) const ROOMS_ALL: &str = "村室总数";
pub(in crate::console) const NEWEST: &str = "距最近一条回执";
pub(in crate::console) const HALF: &str = "半数村室不超过";
pub(in crate::console) const NEARLY_ALL: &str = "95% 不超过";
pub(in crate::console) const OLDEST: &str = "最久未上传";
pub(in crate::console) const NONE_WAITING: &str = "没有";
pub(in crate::console) const OPEN_ALERTS: &str = "告警";
pub(in crate::console) const MUTED: &str = "已静音";
pub(in crate::console) const CLOSED_NOW: &str = "现在是下班时间：电脑关着的村室显示为静默，属正常。";
pub(in crate::console) const NO_MATCH: &str = "没有符合条件的村室。请改一改名称、代码或状态，或看全部。";
pub(in crate::console) const NO_ROOMS: &str =
    "本级下面还没有村室：请县里在“机构与目录”页发布有村室的机构表，再在“设备”页给每个村室开入网票。";
pub(in crate::console) const SHOW_ALL: &str = "看全部";
pub(in crate::console) const ITS_HUB: &str = "中心的电脑";
pub(in crate::console) const HUB_DOWN: &str = "这个中心联系不上";
pub(in crate::console) const CHECK: &str = "逐日核对：本级合计 ＝ 各村室之和";
pub(in crate::console) const CHECK_WHAT: &str =
    "办件数按收件日和办结日计。左边是本级从账本数出来的，右边是各村室自己报来的；不相等的村室列在后面。";
pub(in crate::console) const CHECK_NONE: &str = "还没有村室报来自己的数：等它们接通一次（或升级）以后再看。";
pub(in crate::console) const DAY: &str = "日期";
pub(in crate::console) const HERE: &str = "本级合计";
pub(in crate::console) const BY_ROOMS: &str = "各村室之和";
pub(in crate::console) const RESULT: &str = "结果";
pub(in crate::console) const EQUAL: &str = "相等";
pub(in crate::console) const NEXT: &str = "下一步";
pub(in crate::console) const RECEIPTS: &str = "存到哪一级";
pub(in crate::console) const AT_ROOM: &str = "村室自己";
pub(in crate::console) const AT_TOWNSHIP: &str = "乡镇";
pub(in crate::console) const AT_COUNTY: &str = "县";
pub(in crate::console) const PENDING: &str = "还没到本级";
pub(in crate::console) const OLDEST_PENDING: &str = "最早一条已等";
pub(in crate::console) const LAST_SEEN: &str = "最后联系";
pub(in crate::console) const LAST_SESSION: &str = "上一次连线";
pub(in crate::console) const RTT: &str = "往返时间";
pub(in crate::console) const SKEW: &str = "时钟偏差";
pub(in crate::console) const DISK: &str = "磁盘剩余";
pub(in crate::console) const VERSION: &str = "软件版本";
pub(in crate::console) const POWER_UPS: &str = "开机次数";
pub(in crate::console) const EPOCHS: &str = "换过账本编号";
pub(in crate::console) const ASIDE: &str = "搁置的记录";
pub(in crate::console) const CONFLICTS: &str = "待裁决冲突";
pub(in crate::console) const COMPUTER: &str = "电脑";
pub(in crate::console) const NO_DEVICE: &str = "还没有电脑加入。";
pub(in crate::console) const UNKNOWN: &str = "不详";
pub(in crate::console) const NOW: &str = "刚才";
pub(in crate::console) const MONTH: &str = "三十天：联系与积压";
pub(in crate::console) const MONTH_WHAT: &str =
    "每天一柱：绿色是有联系的时间，灰色是情况不明，白色是没有联系；上面的横线是当天最多积压的条数。";
pub(in crate::console) const MONTH_NONE: &str = "还没有历史：本级运行满一分钟以后开始记。";
pub(in crate::console) const DAYS: &str = "最近七天的办件数";
pub(in crate::console) const AT_ROOM_COUNT: &str = "村室自己数的";
pub(in crate::console) const AT_HERE_COUNT: &str = "本级数的";
pub(in crate::console) const NOT_COMPARED: &str = "没有联系，未比";
pub(in crate::console) const ALERTS_NOW: &str = "正在告警";
pub(in crate::console) const ALERTS_PAST: &str = "已经恢复";
pub(in crate::console) const NO_ALERTS: &str = "没有告警，一切正常。";
pub(in crate::console) const NO_PAST: &str = "31 天内没有已恢复的告警。";
pub(in crate::console) const COL_RULE: &str = "告警";
pub(in crate::console) const COL_UNIT: &str = "单位";
pub(in crate::console) const COL_SINCE: &str = "从";
pub(in crate::console) const COL_UNTIL: &str = "到";
pub(in crate::console) const MUTE: &str = "静音";
pub(in crate::console) const MUTE_HOURS: &str = "多少小时";
pub(in crate::console) const MUTE_REASON: &str = "为什么（不写姓名、证件号码）";
pub(in crate::console) const UNMUTE: &str = "取消静音";
pub(in crate::console) const MUTE_DONE: &str = "已静音，到时自动恢复；静音和理由已记入审计。";
pub(in crate::console) const UNMUTE_DONE: &str = "已取消静音。";
pub(in crate::console) const RULES: &str = "告警规则";
pub(in crate::console) const RULES_WHAT: &str = "写 0 就是关掉这一条。改动记入审计。";
pub(in crate::console) const RULES_SAVE: &str = "保存规则";
pub(in crate::console) const RULES_DONE: &str = "规则已改，一分钟内生效。";
pub(in crate::console) const RULE_HOURS: &str = "上班时间（如 08:30-12:00 14:00-17:30）";
pub(in crate::console) const RULE_HUB: &str = "中心失联多少分钟";
pub(in crate::console) const RULE_SILENT: &str = "上班时间静默多少分钟";
pub(in crate::console) const RULE_PENDING: &str = "积压多少小时";
pub(in crate::console) const RULE_SKEW: &str = "时钟偏差多少分钟";
pub(in crate::console) const RULE_DISK: &str = "磁盘剩余不到百分之几";
pub(in crate::console) const RULE_CONFLICT: &str = "冲突超过多少个工作日";
pub(in crate::console) const RULE_VERSION: &str = "落后超过几个版本";
pub(in crate::console) const RULE_FORK: &str = "设备被复制（1 开，0 关）";
pub(in crate::console) const RULE_ASIDE: &str = "有搁置的记录（1 开，0 关）";
pub(in crate::console) const NOT_A_NUMBER: &str = "有的格子不是数字，请改成数字再保存。";

/// A span of seconds; a template may hold the figure or point to it.
pub(in crate::console) fn span(seconds: impl Borrow<u64>) -> String {
    console::page::span(*seconds.borrow())
}

/// A time of a day, likewise.
pub(in crate::console) fn moment(at_ms: impl Borrow<i64>) -> String {
    super::super::moment(*at_ms.borrow())
}

/// From when it is, where it is not from now.
pub(in crate::console) fn as_of(at_ms: i64, now_ms: i64) -> Option<String> {
    const NOW_MS: i64 = 60_000;
    let day = ledger::day::Day::of_wall_ms;
    let clock = console::page::clock(at_ms);
    (now_ms.saturating_sub(at_ms) >= NOW_MS).then(|| match day(at_ms) == day(now_ms) {
        true => format!("截至 {clock}"),
        false => format!("截至 {} {clock}", day(at_ms)),
    })
}

/// A state as people say it.
pub(in crate::console) fn state(state: &str) -> &'static str {
    match state {
        "attention" => "要处理",
        "silent" => "静默",
        "behind" => "落后",
        "unknown" => "情况不明",
        "never_seen" => "未入网",
        "in_step" => "同步",
        "held" => "暂停",
        "revoked" => "已停用",
        _ => "不详",
    }
}

/// How tiles may be sorted.
pub(in crate::console) const SORTS: [(&str, &str); 3] =
    [("worst", "最要紧的在前"), ("code", "按代码"), ("name", "按名称")];

/// How a session ended.
pub(in crate::console) fn ended(ended: &str) -> &'static str {
    match ended {
        "left" => "正常结束",
        "lost" => "线路中断",
        "timeout" => "对方没有应答",
        "fault" => "协议出错",
        "refused" => "不准入网",
        "version" => "版本不通",
        _ => "不详",
    }
}

pub(in crate::console) fn more_tiles(more: usize) -> String {
    format!("还有 {more} 个没有列出（都不比这些急）；按名称、代码或状态可以找到。")
}

/// How long it has been so; of a silence, how much of it people were there to see to it.
pub(in crate::console) fn since(seconds: u64, open_silent_s: Option<u64>) -> String {
    const MINUTE: u64 = 60;
    let long = match seconds {
        0..MINUTE => return "刚刚".to_owned(),
        s => format!("已 {}", console::page::span(s)),
    };
    match open_silent_s {
        Some(0) => format!("{long}（都在下班时间）"),
        Some(open) if open >= MINUTE => format!("{long}（上班时间 {}）", console::page::span(open)),
        _ => long,
    }
}

/// How long ago.
pub(in crate::console) fn ago(seconds: impl Borrow<u64>) -> String {
    match *seconds.borrow() {
        0..60 => NOW.to_owned(),
        s => format!("{}前", console::page::span(s)),
    }
}

/// A clock that is off: ahead of ours or behind it.
pub(in crate::console) fn skew(ms: i64) -> String {
    let way = if ms > 0 { "快" } else { "慢" };
    match ms.unsigned_abs() {
        0..100 => "不到 0.1 秒".to_owned(),
        off @ 100..60_000 => format!("{way} {}.{} 秒", off / 1_000, off / 100 % 10),
        off => format!("{way} {}", console::page::span(off / 1_000)),
    }
}

fn volume(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} KB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

pub(in crate::console) fn more_alerts(more: usize) -> String {
    format!("另有 {more} 条未列出，请先处理上面的。")
}

pub(in crate::console) fn behind(many: u64) -> String {
    format!("差 {many} 条")
}

pub(in crate::console) fn of_rooms(many: u64) -> String {
    format!("（{many} 个村室报了数）")
}

pub(in crate::console) fn still_counting(many: u64) -> String {
    format!("还有 {many} 个村室的账本正在清点，清点完就列入，请稍候。")
}

pub(in crate::console) fn not_compared(many: u64) -> String {
    format!("另有 {many} 个村室没有联系，未比：接通以后列入。")
}

pub(in crate::console) fn differs(name: &str, here: u64, room: u64, pending: u64) -> String {
    let why = match pending {
        0 => "已全部收到，请核对".to_owned(),
        n => format!("还有 {n} 条在路上"),
    };
    format!("{name}：村室 {room}，本级 {here}，{why}")
}

pub(in crate::console) fn session(seconds: i64, ended: &str, entries: u64, bytes_in: u64, bytes_out: u64) -> String {
    let long = console::page::span(seconds.max(0).unsigned_abs());
    format!(
        "{long}，{ended}；收到 {entries} 条，收 {}、发 {}",
        volume(bytes_in),
        volume(bytes_out)
    )
}

pub(in crate::console) fn history_since(at: &str) -> String {
    format!("记录从 {at} 开始；索引删过的，从重建以后算起。")
}

pub(in crate::console) fn day_said(day: &str, up: u64, watched: u64, pending: u64) -> String {
    format!("{day}：有联系 {up}%，看了 {watched} 分钟，最多积压 {pending} 条")
}

pub(in crate::console) fn muted_until(at: &str, by: &str, reason: &str) -> String {
    format!("已静音到 {at}（{by}）：{reason}")
}
