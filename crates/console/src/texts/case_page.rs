//! Every word of the case page, at a room's desk and at a centre.

use crate::face::Place;

pub use super::case::*;
pub use super::papers::{ON_A4, ON_ROLL, PRINT};

pub const TODAY: &str = "今日";
pub const NO_HUB: &str = "单机使用，未接入上级";
pub const COL_NUMBER: &str = "编号";
pub const COL_MATTER: &str = "事项";
pub const MATERIALS: &str = "材料";
pub const CERT_NO: &str = "证件号码";
pub const MOBILE: &str = "电话";
pub const ON_DAY: &str = "收件日期";
pub const WRONG_DAY: &str = "收件日期要写成 2026-10-09 这样。";
pub const SAVED: &str = "已存本机";
/// What a case was saved with and somebody should look at.
pub const MIND: &str = "请注意：";
pub const WHAT_NOW: &str = "现在可以办";
pub const TRAVELLED: &str = "已存到哪里";
pub const NOT_YET_SENT: &str = "还没有送到上级";
pub const WITHDRAWN: &str = "回执已撤回";
pub const DEADLINE: &str = "应于";
pub const PROVISIONAL: &str = "暂定";
pub const COUNTED: &str = "从受理次日数工作日";
pub const STOPPED: &str = "停";
pub const OFF: &str = "休";
pub const DUE: &str = "到期";
pub const WAY: &str = "经过";
pub const VOID_BECAUSE: &str = "未生效：";
pub const APPLICANT: &str = "申请人";
pub const LOOK_ALIKE: &str = "遮住以后看不出差别，请先在下面“看完整信息”，再选。";
pub const TWO_VALUES: &str = "两处填得不一样";
pub const LEADS: &str = "暂以此为准";
pub const TAKE_THIS: &str = "用这个";
pub const SETTLED: &str = "以选定的为准";
pub const REVEAL: &str = "看完整信息";
pub const REVEAL_WHY: &str = "为什么要看（会记入查阅记录，不要写姓名号码）";
pub const REVEAL_SETTLE: &str = "核对两处填写不一致的内容";
pub const HERE_ALREADY: &str = "已收";
pub const MISSING: &str = "未收";
pub const OTHERS: &str = "其他（用顿号分开）";
pub const SUSPENSIONS: &[(&str, &str)] = &[("1", "延期"), ("2", "其他")];
pub const HAND_OVER_TO: &str = "移交给哪个单位";
pub const CORRECT_WHICH: &str = "更正哪一步的日期";
pub const RIGHT_DAY: &str = "正确的日期";
pub const CORRECT_WHY: &str = "为什么更正";
pub const CHOOSE_STEP: &str = "还没有选要更正哪一步，请先选。";
pub const DAY_TO_COME: &str = "日期还没有到，不能登记以后的日期。请改成今天或以前。";
pub const CORRECTED: &str = "日期已更正，原来的日期留在记录里";
pub const EDIT: &str = "修改登记内容";
pub const EDIT_DO: &str = "保存";
pub const EDITED: &str = "以新填的为准，原来的留在记录里";
pub const NOTHING_TYPED: &str = "没有填新的内容，原来的没有动。请填好再保存。";
pub const TICK: &str = "打勾的已收到";
pub const TICKED: &str = "材料已收";
pub const YOU_HAD_TYPED: &str = "您刚才写的没有丢，还需要的话可以从这里抄：";
pub const CHANGED_NOW: &str = "这件刚刚有了变化，上面的按钮是变化以前的。";
pub const SEE_STEPS: &str = "看现在可以办什么";
pub const OPEN_ERRAND: &str = "开代办";
pub const TASK: &str = "委托办什么";
pub const NO_NAMES: &str = "不要写姓名、证件号码";
pub const CLAIM_AT_ONCE: &str = "由我认领";
pub const AGENTS: &str = "谁在代办";
pub const AGENT: &str = "领办人";
pub const HELPERS: &str = "协办";
pub const HOLDER: &str = "现在由";
pub const OF_CASE: &str = "所属办件";
pub const ENTRUSTER: &str = "委托人";
// At a centre only.
pub const NOTHING_TO_DO: &str = "本中心现在没有要办的，或者您的岗位只能看。";
pub const DOC_GIVE: &str = "编受理文书号";
pub const DOC_AGAIN: &str = "作废重编文书号";
pub const DOC_AGAIN_WHY: &str = "原号作废并留在登记簿里，另编下一个号。";
pub const REASON: &str = "理由";
pub const AT_ROOM: &str = "村里已存";
pub const TO_DECIDE: &str = "去裁决";
pub const CERT_REASON: &str = "证件上确实是这样：核对说明（号码校验不过才填）";

pub const ASK_EVALUATION: &str = "请申请人评价";
pub const CONFLICTS: &str = "需要乡镇裁定";
pub const TOWNSHIP_DECIDES: &str = "等乡镇裁定，两边都保留着";
pub const DECIDED: &str = "已裁定";
pub const CHANGED_MEANWHILE: &str =
    "这件刚刚有了变化（别的页面、别的人或别的一级办了一步），刚才的操作没有执行。请看过下面的经过，再决定怎么办。";
pub const GRAVE: &str = "按下后这一件就到此为止，不能再往下办。请先和申请人核实。";

// What to do about a tag, on the case's own page.
pub const DO_WITHDRAWN: &str = "上级换过电脑或恢复过备份，这一件会自动再送一次，不用重新登记。";

pub const DOC_NO: &str = "受理文书号";
pub const ASIDE: &str = "有一处搁置";

/// Why something of a case is kept and not counted, by whose word.
pub fn aside(centre: Option<&str>, told_at: Option<&str>, reason: &str) -> String {
    match (centre, told_at) {
        (Some(centre), Some(at)) => {
            format!("{centre}（{at} 告知）：{reason}。记录都留着，一条不丢；那边再试成功后，这里会自己去掉。")
        }
        _ => format!("{reason}。记录都留着，一条不丢，只是这一处现在不算。请告诉上级中心。"),
    }
}

pub fn reached(tier: &str) -> String {
    format!("已到{tier}")
}

pub fn partly(tier: &str) -> String {
    format!("部分已到{tier}")
}

pub fn nth(n: &u32) -> String {
    format!("第{n}天")
}

/// That it is durable, and where.
pub fn saved(place: Place, what: &str) -> String {
    let saved = match place {
        Place::Room => SAVED,
        Place::Centre => "已保存",
    };
    match what {
        "" => saved.to_owned(),
        what => format!("{saved}，{what}"),
    }
}

pub fn done(place: Place, state: &str, doc_no: Option<&str>) -> String {
    let now = saved(place, &format!("现在是“{state}”"));
    match doc_no {
        Some(no) => format!("{now}，受理文书号 {no}"),
        None => now,
    }
}

pub fn doc_given(no: &str) -> String {
    format!("已编受理文书号 {no}")
}
