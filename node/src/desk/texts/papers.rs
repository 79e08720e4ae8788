//! What papers say: receipts, notices, authority to act.

pub(crate) const PRINT: &str = "打印";
pub(crate) const ON_A4: &str = "A4 纸";
pub(crate) const ON_ROLL: &str = "80 毫米小票";
pub(crate) const PRINT_NOW: &str = "打印（回车）";
pub(crate) const PRINT_HINT: &str = "一式两份；按一次记一次打印，只看不算";
pub(crate) const PRESS_FIRST: &str = "请回到页面，按“打印”按钮打印：这样才会记入打印记录。";
pub(crate) const BACK_TO_CASE: &str = "回到办件";
pub(crate) const COPIES: [&str; 2] = ["第一联 交申请人", "第二联 村室留存"];
pub(crate) const ROOM: &str = "便民服务室";
pub(crate) const DOC_NO: &str = "受理文书号";
pub(crate) const DOC_NO_LATER: &str = "（临时）由乡镇统一编排，尚未编出；凭办件编号查询";
pub(crate) const RECEIVED_HERE: &str = "已收材料：";
pub(crate) const NOTICE_ONCE: &str = "以上为一次性告知的全部内容，请一次补齐后交回本室。补齐之前不计办理时限。";
pub(crate) const TOLD_ON: &str = "告知日期：";
pub(crate) const DUE_PROVISIONAL: &str = "（暂定：明年的节假日安排还没有公布）";
pub(crate) const ACCEPTED_ON_THE_SPOT: &str = "本事项为即办件，当场办结。";
pub(crate) const BECAUSE: &str = "理由：";
pub(crate) const REFUSED_RIGHTS: &str =
    "对本决定有疑问，可到乡镇便民服务中心咨询；也可以依法申请行政复议，或者提起行政诉讼。";
pub(crate) const RESULT_IS: &str = "办理结果：";
pub(crate) const CLOSED_EVALUATE: &str = "请对本次服务作出评价，可在本室的屏幕上按您的意见选择。";
pub(crate) const AUTHORITY_LINES: [&str; 3] = [
    "委托事项：代为提交材料、补正材料，代为领取结果。",
    "委托期限：自签字之日起，到本事项办结为止；本人可以随时撤回。",
    "代办员不收取任何费用，不得将材料用于其他事项，对个人信息保密。",
];
pub(crate) const SIGN_APPLICANT: &str = "申请人签字：＿＿＿＿＿＿＿＿";
pub(crate) const SIGN_CLERK: &str = "经办人：";
pub(crate) const SIGN_ENTRUSTER: &str = "委托人签字：＿＿＿＿＿＿＿＿";
pub(crate) const SIGN_AGENT: &str = "代办员签字：＿＿＿＿＿＿＿＿";
pub(crate) const SEAL: &str = "（盖章）";

/// A title of a paper whose number is not the formal one yet.
pub(crate) fn provisional(label: &str) -> String {
    format!("{label}（临时）")
}

pub(crate) fn told_again(label: &str, times: u64) -> String {
    match times {
        2 => format!("{label}（二次告知）"),
        n => format!("{label}（第 {n} 次告知）"),
    }
}

pub(crate) fn notice_again(times: &u64) -> String {
    format!("这是第 {times} 次告知，以本次列出的为准；以前已交的不用再交。")
}

pub(crate) fn reprint(nth: &u64) -> String {
    format!("补打（第 {nth} 次）")
}

pub(crate) fn printed(at: &str, nth: &u64) -> String {
    format!("打印时间 {at} · 第 {nth} 次打印")
}

pub(crate) fn receipt_says(matter: &str, on: &str) -> String {
    format!("您申请办理的“{matter}”，本室已于 {on} 收件。")
}

pub(crate) fn receipt_promises(days: &u32) -> String {
    format!("收件不等于受理。受理以后，承诺 {days} 个工作日内办结，受理时另发通知。")
}

pub(crate) fn notice_says(matter: &str) -> String {
    format!("您申请办理的“{matter}”，告知时还缺下列材料：")
}

pub(crate) fn accepted_says(matter: &str, on: &str) -> String {
    format!("您申请办理的“{matter}”，已于 {on} 受理。")
}

pub(crate) fn accepted_due(days: u32, due: &str) -> String {
    format!("承诺 {days} 个工作日内办结，应于 {due} 前（含当日）办结。")
}

pub(crate) fn refused_says(matter: &str, on: &str) -> String {
    format!("您申请办理的“{matter}”，经审查，于 {on} 决定不予受理。")
}

pub(crate) fn closed_says(matter: &str, on: &str) -> String {
    format!("您申请办理的“{matter}”，已于 {on} 办结。")
}

pub(crate) fn authority_says(unit: &str) -> String {
    format!("本人自愿委托 {unit} 便民服务室代办员，代为办理上述事项。")
}
