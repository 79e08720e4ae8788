//! What the pages of daily work say: inbox, cases, numbers, queues.

// Shared by lists.
pub(crate) const ANY: &str = "全部";
pub(crate) const FILTER: &str = "筛选";
pub(crate) const SHOW: &str = "查看";
pub(crate) const NEXT_PAGE: &str = "下一页";
pub(crate) const PAGE_BEFORE: &str = "上一页";
pub(crate) const ROOM: &str = "村（社区）";
pub(crate) const MATTER: &str = "事项";
pub(crate) const MATTER_HINT: &str = "编码，如 A01";
pub(crate) const STATE: &str = "状态";
pub(crate) const KIND: &str = "类别";
pub(crate) const COL_DATE: &str = "日期";
pub(crate) const COL_NUMBER: &str = "办件编号";
pub(crate) const COL_NAME: &str = "申请人";
pub(crate) const COL_CLOCK: &str = "时限";
pub(crate) const COL_OUTCOME: &str = "结果";
pub(crate) const COL_WHY: &str = "原因和办法";
pub(crate) const REASON: &str = "理由";

// The inbox.
pub(crate) const INBOX: &str = "收件箱";
pub(crate) const FIND: &str = "查找";
pub(crate) const FIND_WHAT: &str = "办件编号、姓名、证件号码、电话后 4 位或事项";
pub(crate) const FOUND_NONE: &str = "没有找到。请少写几个字再找；刚收的件，等村里线路连通后才会到这里。";
pub(crate) const ERRANDS: &str = "代办";
pub(crate) const REGISTER: &str = "受理文书号登记簿";
pub(crate) const WAITING_HERE: &str = "待办";
pub(crate) const OVERDUE: &str = "逾期";
pub(crate) const DUE_TODAY: &str = "今天到期";
pub(crate) const SUSPENDED: &str = "特别程序暂停";
pub(crate) const NO_CLOCK: &str = "未起算";
pub(crate) const LIST_CHANGED: &str = "列表有变化";
pub(crate) const SHOW_NEW: &str = "看新的";
pub(crate) const ONLY_OVERDUE: &str = "只看逾期";
pub(crate) const ONLY_MINE: &str = "只看我经办的";
pub(crate) const ALL_OPEN: &str = "连同不等本中心办的";
pub(crate) const TICK: &str = "勾选";
pub(crate) const TICKED_DO: &str = "勾选的办件：";
pub(crate) const MANY_HINT: &str = "要写理由或结果的环节，请打开办件一件一件办";
pub(crate) const ACCEPT: &str = "受理";
pub(crate) const PROCESS: &str = "办理";
pub(crate) const RESUME: &str = "特别程序结束";
pub(crate) const DONE: &str = "已办";
pub(crate) const DONE_BEFORE: &str = "先前已办";
pub(crate) const REFUSED: &str = "没有办成";
pub(crate) const BACK_TO_INBOX: &str = "回到收件箱";
pub(crate) const LAST_BY: &str = "经办：";
pub(crate) const TOWN_EMPTY: &str = "没有等本中心办的件。村里收的件，连上线路后会自动到这里。";
pub(crate) const COUNTY_EMPTY: &str = "没有转报到县的件。乡镇办理中的件，勾选“连同不等本中心办的”可以看。";
pub(crate) const NOTHING_MATCHES: &str = "没有符合这些条件的件。请放宽筛选条件。";
pub(crate) const STATES: &[(&str, &str)] = &[
    ("received", "已收件"),
    ("awaiting_materials", "待补正"),
    ("accepted", "已受理"),
    ("processing", "办理中"),
    ("suspended", "特别程序"),
    ("forwarded", "已转报"),
    ("decided", "已决定"),
    ("double_closed", "双重办结"),
];

pub(crate) fn overdue(days: i64) -> String {
    format!("逾期 {days} 天")
}

pub(crate) fn overdue_workdays(days: i64) -> String {
    format!("逾期 {days} 个工作日")
}

pub(crate) fn left(days: i64) -> String {
    format!("还剩 {days} 个工作日")
}

pub(crate) fn to_accept(word: &str) -> String {
    format!("受理期限：{word}")
}

pub(crate) fn provisional(word: &str) -> String {
    format!("{word} · 暂定")
}

pub(crate) fn waits_for(tier: &str) -> &'static str {
    match tier {
        "county" => "等县里办",
        "township" => "等乡镇办",
        _ => "等村里或申请人",
    }
}

// A case.
pub(crate) const DOC_NO: &str = "受理文书号";
pub(crate) const AGENT: &str = "代办人";
pub(crate) const HELPERS: &str = "协办";
pub(crate) const DECIDED: &str = "已裁决";

// The register.
pub(crate) const REGISTER_WHAT: &str =
    "受理时由主机连续编号，一个不缺；作废的号留在簿里，注明改用的号。主机更换或恢复后另起一个字头。";
pub(crate) const REGISTER_NONE: &str = "这一年还没有编过受理文书号。受理一件，就编一个。";
pub(crate) const YEAR: &str = "年份";
pub(crate) const SERIES: &str = "字头";
pub(crate) const LAST_NO: &str = "最后一号";
pub(crate) const GIVEN: &str = "已编";
pub(crate) const VOID: &str = "作废";
pub(crate) const VALID: &str = "有效";
pub(crate) const GAPS: &str = "连续";
pub(crate) const NO_GAP: &str = "连续，无缺号";

pub(crate) fn gaps(named: &str) -> String {
    format!("还缺 {named}（记录在路上，或主机恢复前编过）")
}

pub(crate) fn given_twice(count: u64) -> String {
    format!("有 {count} 个号编了两次，请把其中一件作废重编")
}

// Errands.
pub(crate) const ERRANDS_OPEN: &str = "没办完";
pub(crate) const ERRANDS_DONE: &str = "已办完";
pub(crate) const NO_ERRANDS: &str = "没有代办。村里登记的代办，连上线路后会自动到这里。";
pub(crate) const TASK: &str = "委托办什么";

// Conflicts.
pub(crate) const CONFLICTS: &str = "待裁决";
pub(crate) const CONFLICTS_DECIDED: &str = "已裁决的";
pub(crate) const SHOW_OPEN: &str = "看待办的";
pub(crate) const SHOW_DECIDED: &str = "看已裁决的";
pub(crate) const CONFLICTS_NONE: &str = "没有要裁决的。两边各办各的、互相矛盾时，会列在这里，两边都保留着。";
pub(crate) const CONFLICTS_NONE_DECIDED: &str = "还没有裁决过。";
pub(crate) const DECIDE_WHY: &str = "说明（可不写，不要写姓名号码）";
pub(crate) const NOTED: &str = "已知悉";
pub(crate) const UNDO: &str = "撤销这个裁决";
pub(crate) const COUNTY_DECIDES: &str = "涉及别的乡镇，由县里裁决。";
pub(crate) const DEVICE: &str = "设备";
pub(crate) const FORK_SETTLED: &str = "已了结：这台设备换用了新的节点编码，或者已经停用。";
pub(crate) const YES: &str = "是";
pub(crate) const NO: &str = "否";
pub(crate) const LEADS_NOW: &str = "（目前以此为准）";
pub(crate) const DECISION_MADE: &str = "已裁决，各级会按它更新。弄错了，在这里点“撤销这个裁决”。";
pub(crate) const DECISION_UNDONE: &str = "已撤销，重新待裁决。";
pub(crate) const KINDS: &[(&str, &str)] = &[
    ("duplicate", "并案"),
    ("double_closing", "双重办结"),
    ("void_event", "并发作废"),
    ("field", "信息不一致"),
    ("overwritten", "改写已有内容"),
    ("same_number", "编号重复"),
    ("fork", "设备分叉"),
];

pub(crate) fn age(days: &u32) -> String {
    match days {
        0 => "今天出现".to_owned(),
        n => format!("已等 {n} 个工作日"),
    }
}

pub(crate) fn conflict_what(kind: &str) -> &'static str {
    match kind {
        "duplicate" => "同一个人、同一事项在两处都收了件。两件都有效；请选以哪一件为主，或者认定不是重复。",
        "double_closing" => "两边断线时各自办结，结果不同。裁决以前不算办结；请选算数的结果。",
        "void_event" => "两边断线时各办了一步，只能有一步算数，另一步留着但不算。请选算数的那一步。",
        "field" => "同一栏在两处填得不一样，两个都留着。请选对的那个。",
        "overwritten" => "有设备想改写已经记下的内容，没有生效。请核实这台设备，然后点“已知悉”。",
        "same_number" => "两件印了同一个编号（电脑被复制过）。两件都有效，大的一件显示成“-2”；请通知村里。",
        "fork" => "一台设备的记录分成了两支（电脑被复制或恢复过备份）。两支的记录都保留。",
        _ => "这一类冲突本版本还不认识，请升级程序。",
    }
}

pub(crate) fn choose(choice: &str) -> &'static str {
    match choice {
        "separate" => "分别办理",
        "noted" => "已知悉",
        "undo" => "撤销",
        _ => "选这个",
    }
}

pub(crate) fn tier(tier: &str) -> &'static str {
    match tier {
        "county" => "县",
        "township" => "乡镇",
        _ => "村",
    }
}

pub(crate) fn on_device(device: &str) -> String {
    format!("电脑 {device}")
}

// Set aside.
pub(crate) const SETASIDE: &str = "搁置";
pub(crate) const SETASIDE_WHAT: &str =
    "这里的记录都留着、一条不丢，只是现在不能算进去。程序升级或缺的东西到了以后，点“再试一次”。";
pub(crate) const SETASIDE_NONE: &str = "没有搁置的记录。";
pub(crate) const HEALED: &str = "损坏已修复";
pub(crate) const HEALED_NEXT: &str = "内容已经取回，不缺记录。";
pub(crate) const RETRY: &str = "再试一次";
pub(crate) const RETRY_ALL: &str = "全部再试一次";

pub(crate) fn set_aside_kind(kind: &str) -> &'static str {
    match kind {
        "set_aside" => "搁置",
        "awaiting_version" => "等模板或目录",
        "awaiting_entries" => "等前面的记录",
        "damaged" => "账目损坏",
        "unreadable" => "读不懂",
        "excess" => "超过上限",
        "unknown_kind" => "需升级",
        _ => "待查",
    }
}

pub(crate) fn set_aside_next(kind: &str) -> &'static str {
    match kind {
        "set_aside" => "村里的办件页上也写着这个原因。请核实是谁的电脑写的；程序升级后再试一次。",
        "awaiting_version" => "等县里发布的模板或目录到达，会自动算进去。",
        "awaiting_entries" => "前面的记录还在路上，连上线路会自动补齐。",
        "damaged" => "会自动从上级或下级重新取回，请检查磁盘。",
        "unknown_kind" => "请升级本中心的程序。",
        _ => "请把这台设备的情况告诉系统维护人员。",
    }
}

pub(crate) fn retried(tried: u64, healed: u64, left: u64) -> String {
    match (tried, left) {
        (0, _) => "没有搁置的记录，不用再试。".to_owned(),
        (_, 0) => format!("再试了 {tried} 件，全部算进去了。"),
        _ => format!("再试了 {tried} 件，{healed} 件算进去了，还有 {left} 件原因不变。"),
    }
}

// Waiting for a word.
pub(crate) const WAITING: &str = "待认";
pub(crate) const WAITING_LEFT: &str = "没有采纳的";
pub(crate) const WAITING_WHAT: &str =
    "设备停用或调走以后，它名下才到的记录不自动算数，等中心认定：采纳，就算进去；不采纳，就留底不算，随时可以撤回。";
pub(crate) const WAITING_ADMITTED: &str = "它停用前接纳的设备，认定以前连不上：";
pub(crate) const WAITING_NONE: &str = "没有待认的记录。";
pub(crate) const LEFT_NONE: &str = "没有不采纳的记录。";
pub(crate) const SHOW_WAITING: &str = "看待认的";
pub(crate) const SHOW_LEFT: &str = "看没有采纳的";
pub(crate) const SAYS: &str = "写的是什么";
pub(crate) const EXTEND: &str = "采纳";
pub(crate) const EXTEND_WHAT: &str =
    "这台设备到现在为止的记录全部算数，各级照此更新。采纳以后不能撤回，请先向村里核实。";
pub(crate) const EXTENDED: &str = "已采纳，记录已经算进去。";
pub(crate) const LEAVE: &str = "不采纳";
pub(crate) const LEAVE_UNDO: &str = "撤回，重新待认";
pub(crate) const LEFT: &str = "已标为不采纳，记录留底不算。要改主意，在“看没有采纳的”里撤回。";
pub(crate) const LEAVE_UNDONE: &str = "已撤回，重新待认。";
pub(crate) const LEFT_BECAUSE: &str = "不采纳的理由：";

pub(crate) fn device_state(state: &str) -> &'static str {
    match state {
        "revoked" => "已停用",
        "moved" => "已调走",
        _ => "来历不明",
    }
}

pub(crate) fn waits(entries: &u64, records: &u64) -> String {
    format!("{records} 件、{entries} 条记录")
}

pub(crate) fn only_fields(entries: &u64) -> String {
    format!("{entries} 条内容更改")
}

// Bad evaluations.
pub(crate) const FOLLOW: &str = "差评回访";
pub(crate) const FOLLOWED: &str = "回访办结的";

pub(crate) fn follow_what(workdays: &u32) -> String {
    format!("评了“不满意”“非常不满意”的件，要在 {workdays} 个工作日内回访。谁都可以记处理情况，办结由负责人点。")
}

pub(crate) const FOLLOW_NONE: &str = "没有要回访的差评。";
pub(crate) const FOLLOWED_NONE: &str = "还没有办结的回访。";
pub(crate) const SHOW_FOLLOWED: &str = "看回访办结的";
pub(crate) const FOLLOW_SAID: &str = "回访情况（不要写姓名号码）";
pub(crate) const FOLLOW_NOTE: &str = "记下";
pub(crate) const FOLLOW_CLOSE: &str = "记下并办结";
pub(crate) const FOLLOW_CLOSED: &str = "回访办结";
pub(crate) const FOLLOW_NOTED: &str = "已记下。";
pub(crate) const FOLLOW_ENDED: &str = "已记下，回访办结。";
pub(crate) const MALICIOUS: &str = "恶意评价";
pub(crate) const MALICIOUS_DO: &str = "认定为恶意评价";
pub(crate) const MALICIOUS_WHAT: &str =
    "认定以后不计入满意度和评价率，也不用再回访；评价本身和理由都留着，随时可以撤回。";
pub(crate) const MALICIOUS_WHY: &str = "为什么（会留在办件经过和审计里，不要写姓名号码）";
pub(crate) const MALICIOUS_UNDO: &str = "撤回恶意认定";
pub(crate) const MALICIOUS_MARKED: &str = "已认定为恶意评价，不计入满意度。要改主意，在这里撤回。";
pub(crate) const MALICIOUS_UNDONE: &str = "已撤回恶意认定，重新计入满意度，也要回访。";
