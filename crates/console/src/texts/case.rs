//! What both faces say of a case: its ticks, its tags, its steps.

pub const B_POST: &str = "B岗顶岗";
pub const DUE_TODAY: &str = "今天到期";
pub const AWAITING: &str = "等补材料";
pub const TICK_ROOM: &str = "已存本机";
pub const TICK_TOWNSHIP: &str = "已到乡镇";
pub const TICK_COUNTY: &str = "已到县";
pub const CONFLICT: &str = "有冲突";
pub const DEEMED: &str = "视为受理";
pub const INCOMPLETE: &str = "记录未到齐";
pub const ERASED: &str = "信息已销毁";
pub const NAME_LOCKED: &str = "（未开口令）";
pub const NOT_UNDERSTOOD: &str = "页面和后台程序的版本对不上。请重新启动程序；还是这样时请联系系统维护人员。";
pub const RESULTS: &[(&str, &str)] = &[
    ("6", "办结"),
    ("0", "证照已发"),
    ("7", "纸质结果"),
    ("1", "退回"),
    ("4", "转报"),
    ("5", "材料未补"),
    ("2", "作废"),
    ("3", "删除"),
];
pub const BY_MACHINE: &str = "（命令行或导入）";
pub const NO_KEY: &str = "（密钥未到）";
pub const STEP_NOTE: &str = "说明";
pub const BY_APPLICANT: &str = "申请人本人";
pub const ERRAND: &str = "代办";
pub const NOBODY_YET: &str = "还没有人认领";
pub const NEXT_TOWNSHIP: &str = "本室现在没有要办的。下一步由乡镇办理，办好以后这里会自己变。";
pub const NEXT_COUNTY: &str = "本室现在没有要办的。已转报到县，等县里办理，办好以后这里会自己变。";
pub const DO_OVERDUE: &str = "请马上办；不归本室办的，请打电话催乡镇，来不及的由乡镇办延期。";
pub const DO_DUE_TODAY: &str = "今天下班前要办结；不归本室办的，请打电话提醒乡镇。";
pub const DO_CONFLICT: &str = "两边都保留着，一件不丢。写着“两处填得不一样”的，请核对后点“用这个”；其余等乡镇裁定。";
pub const DO_AWAITING: &str = "请申请人补材料；材料到了，点“补齐”。";
pub const DO_DEEMED: &str = "收件满 5 个工作日没有答复，视为收件当天已受理，时限从那天算起。请联系乡镇尽快办理。";
pub const DO_INCOMPLETE: &str = "还有记录在路上，连上线路后会自己补齐；过一天还是这样，请到“有问题？”看一下。";
pub const DO_NOT_SENT: &str = "不用管它：连上线路后会自动补送，电脑请不要关太久。";
pub const MALICIOUS: &str = "认定为恶意评价，不计入满意度";
pub const MALICIOUS_UNDONE: &str = "撤回恶意认定，重新计入满意度";
pub const ASIDE_TAG: &str = "有搁置";
pub const DO_ASIDE: &str = "有一处记录留着、暂时不算，原因写在办件页面“已存到哪里”下面。";
pub const RATINGS: &[(i64, &str)] = &[
    (1, "非常满意"),
    (2, "满意"),
    (3, "基本满意"),
    (4, "不满意"),
    (5, "非常不满意"),
];

pub fn covering(of: &str, reason: &str) -> String {
    format!("代{of}（{reason}）")
}

pub fn overdue_since(due: &str) -> String {
    format!("已超期（应于 {due} 办结）")
}

pub fn rating_word(rating: i64) -> &'static str {
    let found = RATINGS.iter().find(|(number, _)| *number == rating);
    found.map_or("—", |(_, word)| word)
}

pub fn channel_word(channel: &str) -> &str {
    match channel {
        "citizen" => "本人评价",
        "paper" => "纸质登记簿",
        "default" => "系统默认",
        other => other,
    }
}

pub fn to_unit(name: &str) -> String {
    format!("到：{name}")
}

pub fn of_step(label: &str) -> String {
    format!("更正的是：{label}")
}

/// What an event says, by the name of the datum.
pub fn datum(name: &str) -> &str {
    match name {
        "items" => "材料",
        "result" => "结果",
        "rating" => "评价",
        "reason" => "理由",
        "note" => "说明",
        "to" => "到",
        "doc_no" => "受理文书号",
        "follow_up" => "差评回访",
        "type" => "类型",
        "choice" => "裁定",
        "conflict" => "冲突编号",
        "channel" => "渠道",
        "event" => "环节",
        other => other,
    }
}

/// How far the follow-up of a bad evaluation is with a note.
pub fn follow_up_word(said: &str) -> &'static str {
    match said {
        "closed" => "回访办结",
        _ => "回访中",
    }
}
