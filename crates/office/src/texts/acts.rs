//! What acts in the trail are called, and under which heading a page gathers them.

/// An act as it is written, as people call it, and its heading.
pub struct ActWords {
    pub act: &'static str,
    pub label: &'static str,
    pub group: &'static str,
}

const fn words(group: &'static str, act: &'static str, label: &'static str) -> ActWords {
    ActWords { act, label, group }
}

const DOOR: &str = "登录";
const CASES: &str = "办件";
const SETTLE: &str = "裁决与回访";
const SEEN: &str = "个人信息";
const DEVICES: &str = "设备";
const PEOPLE: &str = "人员";
const COUNTY: &str = "县里的表";
const REPORTS: &str = "报表";
const ALERTS: &str = "告警";

/// Every act that is written today. What a later version writes is told as not known.
pub const ACTS: &[ActWords] = &[
    words(DOOR, "login", "登录"),
    words(DOOR, "login_failed", "登录未成"),
    words(DOOR, "logout", "退出"),
    words(DOOR, "enrol", "用登记码登记"),
    words(DOOR, "password_change", "改密码"),
    words(DOOR, "post", "顶岗"),
    words(DOOR, "post_back", "回到本岗"),
    words(CASES, "case_new", "收件"),
    words(CASES, "case_step", "办理"),
    words(CASES, "case_edit", "改办件"),
    words(CASES, "case_tick", "收到材料"),
    words(CASES, "doc_give", "给受理文书号"),
    words(CASES, "errand_new", "记代办"),
    words(CASES, "case_import", "导入台账"),
    words(CASES, "day_close", "日结"),
    words(CASES, "evaluate", "评价"),
    words(SETTLE, "decide", "裁决冲突"),
    words(SETTLE, "retry", "重试搁置记录"),
    words(SETTLE, "leave", "不采纳待认记录"),
    words(SETTLE, "leave_undo", "撤回不采纳"),
    words(SETTLE, "follow_up", "差评回访"),
    words(SETTLE, "malicious", "认定恶意评价"),
    words(SETTLE, "malicious_undo", "撤回恶意评价"),
    words(SEEN, "reveal", "查看个人信息"),
    words(SEEN, "print", "打印"),
    words(SEEN, "erase", "销毁个人信息"),
    words(SEEN, "unlock", "解锁"),
    words(SEEN, "unlock_failed", "口令输错"),
    words(SEEN, "lock", "锁定"),
    words(SEEN, "lock_idle", "闲置自动锁定"),
    words(SEEN, "passphrase_set", "设置口令"),
    words(SEEN, "passphrase_failed", "改口令未成"),
    words(DEVICES, "invite", "开入网票"),
    words(DEVICES, "ticket_cancel", "作废入网票"),
    words(DEVICES, "admit", "准入设备"),
    words(DEVICES, "approve", "批准设备"),
    words(DEVICES, "revoke", "停用设备"),
    words(DEVICES, "extend", "采纳待认记录"),
    words(DEVICES, "hold", "暂停设备"),
    words(DEVICES, "lift", "恢复设备"),
    words(DEVICES, "rename", "设备改名"),
    words(PEOPLE, "user_add", "新增人员"),
    words(PEOPLE, "user_code", "重发登记码"),
    words(PEOPLE, "user_stop", "停用人员"),
    words(COUNTY, "publish", "发布县里的表"),
    words(REPORTS, "export", "导出"),
    words(REPORTS, "freeze", "报表定稿"),
    words(REPORTS, "absence", "登记缺岗"),
    words(REPORTS, "absence_undo", "撤回缺岗登记"),
    words(ALERTS, "alert_mute", "告警静音"),
    words(ALERTS, "alert_unmute", "取消静音"),
    words(ALERTS, "alert_rules", "改告警规则"),
];

pub(crate) fn act(act: &str) -> &'static str {
    let known = ACTS.iter().find(|words| words.act == act);
    known.map_or("不认识的记录，请升级", |words| words.label)
}

/// `organisation 3` as people say it.
pub(crate) fn published_table(about: &str) -> String {
    let (table, version) = about.split_once(' ').unwrap_or((about, ""));
    let table = match table {
        "organisation" => "机构",
        "catalogue" => "事项目录",
        "calendar" => "工作日历",
        other => other,
    };
    format!("{table}第 {version} 版")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_has_a_word_of_its_own() {
        let mut seen = std::collections::BTreeSet::new();
        for words in ACTS {
            assert!(seen.insert(words.label), "{}", words.label);
        }
        for act in crate::audit::Act::ALL {
            assert_ne!(super::act(act.as_str()), super::act("?"), "{}", act.as_str());
        }
    }
}
