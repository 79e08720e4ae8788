//! Every word that the shared shell says. The clerk's own pages have their catalogue in `node/src/desk/texts.rs`.

pub mod case;
pub mod case_page;
pub mod papers;
pub mod post;

pub const PRODUCT: &str = "村联";
pub const SKIP: &str = "跳到正文";
pub const MENU: &str = "主菜单";
pub const LOCK: &str = "锁屏";
pub const SIGN_OUT: &str = "退出";
pub const ON_COVER: &str = "B岗顶岗";
pub const NO_ANSWER: &str = "后台程序没有回应，页面内容可能已过时。请稍等；一直这样时，请重新启动程序或电脑。";
pub const NO_SCRIPT: &str = "浏览器关闭了脚本（JavaScript），本页用不了。请在浏览器设置中打开后刷新。";
pub const BACK_TO_START: &str = "回到首页";
pub const BACK: &str = "返回上一页";
pub const WENT_WRONG: &str = "没有办成";

pub const FOREIGN: &str = "这个请求不是从本机的村联页面发出的，已拒绝。请在浏览器地址栏直接输入本页地址打开。";
pub const STALE_FORM: &str = "这一次没有保存，也没有办。原因：页面放得太久、程序重新启动过，或已在别处退出登录。
请点“重新打开这一页”（可能要输入 PIN），核对后再提交一次。打字停顿时自动存下的内容会放回表里，PIN、口令除外。";
pub const OPEN_PAGE_AGAIN: &str = "重新打开这一页";
pub const KEPT: &str = "上次填了没有提交的内容已放回表里，请核对后再提交。";
pub const LATE: &str = "刚才提交时屏幕已经锁了：没有保存，也没有办。填过的内容已放回表里，请核对后再提交一次。";
pub const KEPT_WORDS: &str = "有些内容放不回表里（这一步现在没有了），还需要的话可以从这里抄：";
pub const KEPT_DROP: &str = "不要了，清掉";
pub const TOO_LARGE: &str = "提交的内容太大，没有保存。请缩短后再试。";
pub const NOT_FOUND: &str = "没有这个页面。请点“回到首页”，从菜单重新进入。";
pub const NOT_OPENED_SO: &str = "这一页不能直接打开，也不能刷新。请点“回到首页”，从菜单或办件页面重新进入。";
pub const UNREADABLE: &str = "提交的内容不全，没有保存。请返回上一页，刷新后再填一次。";
pub const BROKEN: &str =
    "程序出了错，刚才的操作不知是否完成。请先查看办成没有，再决定是否重做；一直这样时，请联系上级中心。";
pub const BUSY: &str = "程序正忙，没有在一分钟内答复。刚才的操作不知是否完成，请先查看办成没有，再决定是否重做。";
pub const NOT_ALLOWED: &str = "您的岗位不能做这一步，请由有权限的人员登录办理。";
