//! What the case page says of the next step.

pub(crate) const NEXT_TOWNSHIP: &str = "本室现在没有要办的。下一步由乡镇办理，办好以后这里会自己变。";
pub(crate) const NEXT_COUNTY: &str = "本室现在没有要办的。已转报到县，等县里办理，办好以后这里会自己变。";
pub(crate) const GRAVE: &str = "按下后这一件就到此为止，不能再往下办。请先和申请人核实。";

// What to do about a tag, on the case's own page.
pub(crate) const DO_OVERDUE: &str = "请马上办；不归本室办的，请打电话催乡镇，来不及的由乡镇办延期。";
pub(crate) const DO_DUE_TODAY: &str = "今天下班前要办结；不归本室办的，请打电话提醒乡镇。";
pub(crate) const DO_CONFLICT: &str =
    "两边都保留着，一件不丢。写着“两处填得不一样”的，请核对后点“用这个”；其余等乡镇裁定。";
pub(crate) const DO_AWAITING: &str = "请申请人补材料；材料到了，点“补齐”。";
pub(crate) const DO_DEEMED: &str = "收件满 5 个工作日没有一次性告知，视为已受理，时限已经在算。请联系乡镇尽快办理。";
pub(crate) const DO_INCOMPLETE: &str = "还有记录在路上，连上线路后会自己补齐；过一天还是这样，请到“有问题？”看一下。";
pub(crate) const DO_NOT_SENT: &str = "不用管它：连上线路后会自动补送，电脑请不要关太久。";
pub(crate) const DO_WITHDRAWN: &str = "上级换过电脑或恢复过备份，这一件会自动再送一次，不用重新登记。";
