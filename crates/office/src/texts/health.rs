//! What the wall, a room's page and alerts say to an operator.

use crate::command::CommandError;
use crate::health::Rule;

pub(crate) fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::Hub => "中心失联",
        Rule::Silent => "上班时间静默",
        Rule::Pending => "久未上传",
        Rule::Skew => "时钟不准",
        Rule::Disk => "磁盘将满",
        Rule::Conflict => "冲突久未处理",
        Rule::Fork => "设备被复制",
        Rule::Quarantine => "有搁置记录",
        Rule::Version => "版本太旧",
    }
}

/// A span of time, as people say it.
pub(crate) fn span(ms: i64) -> String {
    let minutes = ms.max(0) / 60_000;
    match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => "不到 1 分钟".to_owned(),
        (0, 0, m) => format!("{m} 分钟"),
        (0, h, 0) => format!("{h} 小时"),
        (0, h, m) => format!("{h} 小时 {m} 分"),
        (d, 0, _) => format!("{d} 天"),
        (d, h, _) => format!("{d} 天 {h} 小时"),
    }
}

/// What the rule measured.
pub(crate) fn said(rule: Rule, value: i64, now_ms: i64) -> String {
    let since = || span(now_ms.saturating_sub(value));
    match rule {
        Rule::Hub => format!("这个中心已有 {} 联系不上，下面各村室的情况不明。", since()),
        Rule::Silent => format!("最后一次联系在 {} 以前。", since()),
        Rule::Pending => format!("最早一条未上传的记录已等了 {}。", since()),
        Rule::Skew if value > 0 => format!("电脑时钟快了 {}。", span(value)),
        Rule::Skew => format!("电脑时钟慢了 {}。", span(value.saturating_neg())),
        Rule::Disk => format!("磁盘只剩 {value}%。"),
        Rule::Conflict => format!("有 {value} 项冲突超过期限还没有人处理。"),
        Rule::Fork => "同一把设备密钥在两处写账：磁盘被复制，或恢复了旧备份。".to_owned(),
        Rule::Quarantine => format!("有 {value} 条记录被搁置，没有计入。"),
        Rule::Version => format!("软件版本 {}.{} 太旧。", value / 1_000_000, value % 1_000_000),
    }
}

/// What to do about it, in one sentence.
pub(crate) fn advice(rule: Rule) -> &'static str {
    match rule {
        Rule::Hub => "先给这个中心打电话，问电和网络；它恢复以前，下面村室的情况只能显示到失联为止。",
        Rule::Silent => "请给村室打电话：问电脑开了没有、网络通不通；办事照常，通了会自动补传。",
        Rule::Pending => "请让村室检查网络，或带电脑到有网的地方接一次；接通后自动上传，不用人工补录。",
        Rule::Skew => "请让村室校准电脑的日期和时间；同步不受影响，但登记的时刻会错。",
        Rule::Disk => "请让村室清理磁盘，满了就不能登记新的办件。",
        Rule::Conflict => "请到“待裁决”页处理，两边的内容都还保留着。",
        Rule::Fork => "请问清哪一台是真正在用的，另一台请停用（“设备”页）。",
        Rule::Quarantine => "请到“搁置”页看原因，改好后可以重试。",
        Rule::Version => "请安排升级这台电脑的软件。",
    }
}

/// What to do about a room in which no rule holds.
pub(crate) fn advice_on_state(state: &str) -> &'static str {
    match state {
        "in_step" => "一切正常，不用处理。",
        "behind" => "正在上传，等几分钟再看；一直不减少，就请村室检查网络。",
        "silent" => "现在联系不上；如在下班时间属正常，上班后仍不通再打电话。",
        "never_seen" => "还没有电脑加入：请开一张入网票，在村室电脑上执行 join。",
        "held" => "这个村室的电脑已被暂停同步，记录都留在它本机；弄清楚后在“设备”页恢复，会自动补传。",
        "revoked" => "这个村室的电脑已停用；要继续使用，请开新的入网票换一台电脑。",
        _ => "它上面的中心联系不上，村室现在怎样不知道：请先给那个中心打电话问电和网络，恢复后这里自动更新。",
    }
}

pub(crate) fn bad_hours() -> CommandError {
    CommandError::usage(
        "bad_hours",
        "上班时间要写成 08:30-12:00 这样，按先后、不重叠，最多 8 段，请改正。",
    )
}

pub(crate) fn bad_rules() -> CommandError {
    CommandError::usage(
        "bad_rules",
        "有的数字超出了范围：分钟、小时最大 129600，百分比最大 100，工作日最大 250；请改正。",
    )
}

pub(crate) fn mute_reason() -> CommandError {
    CommandError::usage("no_reason", "请写明为什么静音（不写姓名、证件号码），记入审计。")
}

pub(crate) fn mute_reason_too_long(bytes_max: usize) -> CommandError {
    let hanzi = bytes_max / '字'.len_utf8();
    CommandError::usage(
        "reason",
        format!("静音的理由太长，最多 {hanzi} 个汉字，请用一句话写明。"),
    )
}

pub(crate) fn mute_hours() -> CommandError {
    CommandError::usage("bad_span", "静音要有期限：1 至 2160 小时（90 天）。")
}

pub(crate) fn too_many_mutes(max: usize) -> CommandError {
    CommandError::failed(
        "too_many_mutes",
        format!("已有 {max} 条静音；请先取消一些，或在规则里把这一条关掉。"),
    )
}

pub(crate) fn not_muted() -> CommandError {
    CommandError::failed("not_muted", "这一条没有静音，不用取消。")
}

pub(crate) fn not_below(name: &str) -> CommandError {
    CommandError::failed("not_below", format!("{name}不归本单位管，请到它的上级中心去看。"))
}

pub(crate) fn unknown_rule(text: &str) -> CommandError {
    CommandError::usage("unknown_rule", format!("没有“{text}”这条告警规则，请从“告警”页上选。"))
}

pub(crate) fn unknown_state(text: &str) -> CommandError {
    CommandError::usage("unknown_state", format!("没有“{text}”这种状态，请从页面上选。"))
}
