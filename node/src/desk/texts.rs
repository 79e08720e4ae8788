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
