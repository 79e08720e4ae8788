//! Every word on the clerk's pages, in the clerk's own language: short, and always with what to do next.

pub(crate) const TODAY: &str = "今日";

// The status bar.
pub(crate) const LINE_UP: &str = "线路通";
pub(crate) const LINE_DOWN: &str = "线路断";
pub(crate) const NEVER_UP: &str = "还没有连上过";
pub(crate) const NO_HUB: &str = "单独使用，没有上级";
pub(crate) const HERE: &str = "本机记录";
pub(crate) const AT_TOWNSHIP: &str = "已到乡镇";
pub(crate) const AT_COUNTY: &str = "已到县";
pub(crate) const OLDEST_UNSENT: &str = "最早未送出";
pub(crate) const ALL_SENT: &str = "全部送到";
pub(crate) const AS_OF: &str = "线路断开，以上是断开时所知";
pub(crate) const REVOKED: &str = "这台电脑已被上级停用，新记录不再被接受。请联系乡镇便民服务中心。";

// Coming to the desk.
pub(crate) const LOGIN: &str = "登录";
pub(crate) const SIGN_IN: &str = "登录";
pub(crate) const WHO_ARE_YOU: &str = "您是哪一位";
pub(crate) const OPEN_DAY: &str = "开始今天的工作";
pub(crate) const OPEN_DAY_WHY: &str = "请输入本室口令，才能看到申请人的姓名和证件号码。不输入也在照常同步。";
pub(crate) const PASSPHRASE: &str = "本室口令";
pub(crate) const OPEN: &str = "打开";
pub(crate) const NOBODY_ENROLLED: &str = "这台电脑上还没有人登录过。请先用乡镇给的一次性登记码设置自己的 PIN。";
pub(crate) const NOBODY_STATED: &str =
    "上级还没有登记本室的人员，或者消息还没有到这台电脑。请联系乡镇便民服务中心登记（user add），连上线路后刷新本页。";
pub(crate) const CHOOSE_NAME: &str = "请先选择姓名。";
pub(crate) const NOT_ENROLLED: &str = "您还没有在这台电脑上设置 PIN。请点“第一次在这台电脑上登录”。";
pub(crate) const ENROL: &str = "第一次在这台电脑上登录";
pub(crate) const ENROL_WHY: &str = "登记码由乡镇便民服务中心当面给您，只能用一次。PIN 由您自己定，只存在这台电脑上。";
pub(crate) const ENROL_DO: &str = "设置 PIN 并登录";
pub(crate) const CODE: &str = "一次性登记码";
pub(crate) const CODE_HINT: &str = "16 位，横线可以不填";
pub(crate) const NEW_PIN: &str = "自己定的 PIN";
pub(crate) const PIN_HINT: &str = "6 到 12 位数字，不要用 123456、生日";
pub(crate) const PIN_AGAIN: &str = "再输一遍 PIN";
pub(crate) const BACK_TO_LOGIN: &str = "返回登录";
pub(crate) const NO_CODE: &str = "您现在没有可用的登记码。请联系乡镇便民服务中心重新发码。";
pub(crate) const WRONG_CODE: &str = "登记码不对。请对照纸上的码重新输入；还是不对时，请乡镇重新发码。";
pub(crate) const OLD_CODE: &str = "登记码已过期（7 天）。请联系乡镇便民服务中心重新发码；若电脑日期不对，请先校准。";
pub(crate) const CODE_USED: &str = "这个登记码已在这台电脑上用过。忘了 PIN 请联系乡镇便民服务中心重新发码。";
pub(crate) const PINS_DIFFER: &str = "两遍 PIN 不一样，请重新输入。";

pub(crate) fn wrong_pin(left: u32) -> String {
    format!("PIN 不对，还可以试 {left} 次。忘了 PIN 请联系乡镇便民服务中心重新发登记码。")
}

pub(crate) fn pin_waits(until: &str) -> String {
    format!("PIN 错了五次，到 {until} 才能再试。忘了 PIN 请联系乡镇便民服务中心重新发登记码，用新码马上可以登录。")
}

pub(crate) fn weak_pin(digits: usize) -> String {
    format!("这个 PIN 太简单：要 {digits} 到 12 位数字，不能全相同，也不能是 123456 这样的顺序。")
}

pub(crate) fn accounts_disk(why: &str) -> String {
    format!("登录资料读写不了（{why}）。请检查磁盘空间，重新启动程序后再试。")
}

// The post.
pub(crate) const POST: &str = "岗位";
pub(crate) const A_POST: &str = "A岗（本岗）";
pub(crate) const B_POST: &str = "B岗顶岗";
pub(crate) const COVER_BEGIN: &str = "开始顶岗";
pub(crate) const COVER_WHY: &str = "A岗不在时由您顶岗办理。代谁、为什么，会写在您办的每一步上。";
pub(crate) const COVER_OF: &str = "代哪一位";
pub(crate) const COVER_REASON: &str = "原因";
pub(crate) const COVER_END: &str = "结束顶岗，回到本岗";
pub(crate) const COVER_NEEDS: &str = "请写明代哪一位和原因。";
pub(crate) const PASSPHRASE_SET: &str = "设置本室口令";
pub(crate) const PASSPHRASE_WHY: &str =
    "设了口令，电脑丢了别人也看不到群众的个人信息。口令请记在纸上锁好：忘了口令，只能由上级重新发入网票。";
pub(crate) const PASSPHRASE_OLD: &str = "原来的口令";
pub(crate) const PASSPHRASE_NEW: &str = "新口令";
pub(crate) const PASSPHRASE_AGAIN: &str = "再输一遍新口令";
pub(crate) const PASSPHRASES_DIFFER: &str = "两遍口令不一样，请重新输入。";

pub(crate) fn covering(of: &str, reason: &str) -> String {
    format!("代{of}（{reason}）")
}
