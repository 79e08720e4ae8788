//! What the case page says of the next step.

pub(crate) const GRAVE: &str = "按下后这一件就到此为止，不能再往下办。请先和申请人核实。";

// What to do about a tag, on the case's own page.
pub(crate) const DO_WITHDRAWN: &str = "上级换过电脑或恢复过备份，这一件会自动再送一次，不用重新登记。";
