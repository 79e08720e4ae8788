//! The post: who stands in for whom.

pub use super::case::{B_POST, covering};

pub const A_POST: &str = "A岗（本岗）";
pub const COVER_BEGIN: &str = "开始顶岗";
pub const COVER_WHY: &str = "A岗不在时由您顶岗办理。代谁、为什么，会写在您办的每一步上。";
pub const COVER_OF: &str = "代哪一位";
pub const COVER_REASON: &str = "原因";
pub const COVER_END: &str = "结束顶岗，回到本岗";
pub const COVER_NEEDS: &str = "请写明代哪一位和原因。";
pub const POST: &str = "岗位";
