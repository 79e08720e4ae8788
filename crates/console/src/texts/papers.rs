//! What papers say: receipts, notices, authority to act.

pub use super::case_page::{APPLICANT, CERT_NO, COL_MATTER, COL_NUMBER, DOC_NO, MOBILE, ON_DAY, TASK};

pub const PRINT: &str = "打印";
pub const ON_A4: &str = "A4 纸";
pub const ON_ROLL: &str = "80 毫米小票";
pub const PRINT_NOW: &str = "打印（回车）";
pub const PRINT_HINT: &str = "一式两份；按一次记一次打印，只看不算";
pub const PRESS_FIRST: &str = "请回到页面，按“打印”按钮打印：这样才会记入打印记录。";
pub const BACK_TO_CASE: &str = "回到办件";
pub const COPIES: [&str; 2] = ["第一联 交申请人", "第二联 村室留存"];
pub const COPIES_OF_CENTRE: [&str; 2] = ["第一联 交申请人", "第二联 中心留存"];
pub const OURS: &str = "本室";
pub const CENTRE: &str = "便民服务中心";
pub const ROOM: &str = "便民服务室";
pub const DOC_NO_LATER: &str = "（临时）由乡镇统一编排，尚未编出；凭办件编号查询";
pub const RECEIVED_HERE: &str = "已收材料：";
pub const TOLD_ON: &str = "告知日期：";
pub const DUE_PROVISIONAL: &str = "（暂定：明年的节假日安排还没有公布）";
pub const ACCEPTED_ON_THE_SPOT: &str = "本事项为即办件，当场办结。";
pub const BECAUSE: &str = "理由：";
pub const CLOSED_EVALUATE_THERE: &str = "请对本次服务作出评价，可在便民服务室的屏幕上按您的意见选择。";
pub const REFUSED_RIGHTS: &str = "对本决定有疑问，可到乡镇便民服务中心咨询；也可以依法申请行政复议，或者提起行政诉讼。";
pub const RESULT_IS: &str = "办理结果：";
pub const CLOSED_EVALUATE: &str = "请对本次服务作出评价，可在本室的屏幕上按您的意见选择。";
pub const AUTHORITY_LINES: [&str; 3] = [
    "委托事项：代为提交材料、补正材料，代为领取结果。",
    "委托期限：自签字之日起，到本事项办结为止；本人可以随时撤回。",
    "代办员不收取任何费用，不得将材料用于其他事项，对个人信息保密。",
];
pub const SIGN_APPLICANT: &str = "申请人签字：＿＿＿＿＿＿＿＿";
pub const SIGN_CLERK: &str = "经办人：";
pub const SIGN_ENTRUSTER: &str = "委托人签字：＿＿＿＿＿＿＿＿";
pub const SIGN_AGENT: &str = "代办员签字：＿＿＿＿＿＿＿＿";
pub const SEAL: &str = "（盖章）";

/// A title of a paper whose number is not the formal one yet.
pub fn provisional(label: &str) -> String {
    format!("{label}（临时）")
}

pub fn told_again(label: &str, times: u64) -> String {
    match times {
        2 => format!("{label}（二次告知）"),
        n => format!("{label}（第 {n} 次告知）"),
    }
}

pub fn notice_again(times: &u64) -> String {
    format!("这是第 {times} 次告知，以本次列出的为准；以前已交的不用再交。")
}

pub fn reprint(nth: &u64) -> String {
    format!("补打（第 {nth} 次）")
}

pub fn printed(at: &str, nth: &u64) -> String {
    format!("打印时间 {at} · 第 {nth} 次打印")
}

pub fn receipt_says(by: String, matter: &str, on: &str) -> String {
    format!("您申请办理的“{matter}”，{by}已于 {on} 收件。")
}

/// Everything at once, and where to bring it.
pub fn notice_once(is_centre: bool) -> String {
    let to = if is_centre {
        "便民服务室或本中心"
    } else {
        "本室"
    };
    format!("以上为一次性告知的全部内容，请一次补齐后交回{to}。补齐之前不计办理时限。")
}

pub fn receipt_promises(days: &u32) -> String {
    format!("收件不等于受理。受理以后，承诺 {days} 个工作日内办结，受理时另发通知。")
}

pub fn notice_says(matter: &str) -> String {
    format!("您申请办理的“{matter}”，告知时还缺下列材料：")
}

pub fn accepted_says(matter: &str, on: &str) -> String {
    format!("您申请办理的“{matter}”，已于 {on} 受理。")
}

pub fn accepted_due(days: u32, due: &str) -> String {
    format!("承诺 {days} 个工作日内办结，应于 {due} 前（含当日）办结。")
}

pub fn refused_says(matter: &str, on: &str) -> String {
    format!("您申请办理的“{matter}”，经审查，于 {on} 决定不予受理。")
}

pub fn closed_says(matter: &str, on: &str) -> String {
    format!("您申请办理的“{matter}”，已于 {on} 办结。")
}

pub fn authority_says(unit: &str) -> String {
    format!("本人自愿委托 {unit} 便民服务室代办员，代为办理上述事项。")
}
