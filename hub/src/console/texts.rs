//! Every word that the console says, area by area.

pub(super) mod health;
mod refusals;
pub(super) mod reports;
pub(super) mod work;

pub(super) use refusals::refusal;

// The menu and the status bar.
pub(super) const HOME: &str = "首页";
pub(super) const MEMBERS: &str = "设备";
pub(super) const USERS: &str = "人员";
pub(super) const AUDIT: &str = "审计";
pub(super) const ME: &str = "我的账号";
pub(super) const PARENT_UP: &str = "上级已连通";
pub(super) const PARENT_DOWN: &str = "上级连不上，已有";
pub(super) const PARENT_NEVER: &str = "还没有连上过上级";
pub(super) const NO_PARENT: &str = "本级为顶层";
pub(super) const HERE: &str = "本机存有";
pub(super) const ENTRIES: &str = "条记录";
pub(super) const CONFLICTS_OPEN: &str = "待裁决";
pub(super) const QUARANTINED: &str = "搁置";
pub(super) const WAITING: &str = "等待";

pub(super) const UNREAD: &str = "这一页没有做出来，请刷新再试；还是不行，请把时间告诉系统维护人员。";

// Coming in.
pub(super) const LOGIN: &str = "登录";
pub(super) const NAME: &str = "姓名";
pub(super) const PASSWORD: &str = "密码";
pub(super) const SIGN_IN: &str = "登录";
pub(super) const LOCKED: &str = "页面已锁，请输入密码继续。换人请直接改姓名。";
pub(super) const FIRST_TIME: &str = "第一次登录？用登记码设密码";
pub(super) const NOBODY_YET: &str =
    "这个中心还没有人设过密码。请在中心主机上用 user add 登记第一个人，再凭打印出来的登记码在这里设密码。";
pub(super) const ENROL: &str = "用登记码设密码";
pub(super) const ENROL_WHY: &str = "登记码由本中心负责人或上级给，一次有效，7 天内用。忘了密码也请他重发一个。";
pub(super) const CODE: &str = "登记码";
pub(super) const CODE_HINT: &str = "16 位，横线可不写";
pub(super) const NEW_PASSWORD: &str = "新密码";
pub(super) const PASSWORD_HINT: &str = "至少 10 个字，可以是一句话；不能全是数字";
pub(super) const PASSWORD_AGAIN: &str = "再输一遍";
pub(super) const ENROL_DO: &str = "设密码并登录";
pub(super) const BACK_TO_LOGIN: &str = "返回登录";
pub(super) const WRONG_NAME_OR_PASSWORD: &str = "姓名或密码不对。连错 5 次要等 15 分钟；忘了密码请负责人重发登记码。";
pub(super) const WRONG_NAME_OR_CODE: &str = "姓名或登记码不对，请对照纸条再输一次。";
pub(super) const OLD_CODE: &str = "登记码已过期，请负责人重发一个。";
pub(super) const CODE_USED: &str = "这个登记码已经用过，请负责人重发一个。";
pub(super) const PASSWORDS_DIFFER: &str = "两次输入的密码不一样，请重输。";
pub(super) const PASSWORD_CHANGED: &str = "密码已改，下次登录用新密码。";
pub(super) const CAME_LATE: &str = "刚才提交时页面已经锁了或登录已失效：没有保存，也没有办。请登录后再做一次。";
pub(super) const PASSPHRASE_DUE: &str = "本中心口令还没有输入：个人信息看不了，其余照常。";
pub(super) const PASSPHRASE: &str = "本中心口令";
pub(super) const OPEN: &str = "打开";
pub(super) const MY_ROLES: &str = "角色";
pub(super) const CHANGE_PASSWORD: &str = "改密码";
pub(super) const OLD_PASSWORD: &str = "现在的密码";
pub(super) const CHANGE_DO: &str = "改密码";

pub(super) fn password_waits(until: &str) -> String {
    format!("输错次数太多，请在 {until} 以后再试；急用请负责人重发登记码。")
}

pub(super) fn weak_password(min: usize) -> String {
    format!("密码太简单：至少 {min} 个字，不能全是数字，也不能总是那几个字重复。")
}

pub(super) fn accounts_disk(why: &str) -> String {
    format!("本机的账号文件读写不了（{why}），请检查磁盘后再试。")
}

/// A role as people say it.
pub(super) fn role(role: &str) -> &'static str {
    match role {
        "clerk" => "窗口人员",
        "head" => "负责人",
        "operator" => "运维员",
        "admin" => "管理员",
        "auditor" => "审计员（只看不改）",
        _ => "不认识的角色，请升级",
    }
}

// People.
pub(super) const USER_ADD: &str = "登记一个人";
pub(super) const UNIT: &str = "单位";
pub(super) const UNIT_HINT: &str = "区划代码，末尾的 0 可省略；本中心就留空";
pub(super) const ROLE: &str = "角色";
pub(super) const USER_ADD_DO: &str = "登记并发码";
pub(super) const USER_CODE_DO: &str = "重发登记码";
pub(super) const USER_STOP_DO: &str = "停用";
pub(super) const USER_STOPPED: &str = "已停用";
pub(super) const USERS_NONE: &str = "还没有登记任何人。";
pub(super) const CODE_NOTE: &str = "登记码只显示这一次，请抄给本人：";
pub(super) const ENROLLED: &str = "已设密码";
pub(super) const NOT_ENROLLED: &str = "还没设";
pub(super) const OTHER_PC: &str = "在村室设";
pub(super) const COL_STATE: &str = "状态";
pub(super) const ACTIVE: &str = "在岗";
pub(super) const FIND: &str = "查找";
pub(super) const FIND_USER: &str = "按姓名或单位找";

pub(super) fn user_stopped(name: &str) -> String {
    format!("{name} 已停用，从现在起登录不了。要恢复，请重发登记码。")
}

pub(super) fn more_rows(left: usize) -> String {
    format!("还有 {left} 行没有列出，请用“查找”缩小范围。")
}

// The audit trail.
pub(super) const AUDIT_WHAT: &str =
    "谁在这台主机上做过什么、看过谁的个人信息、为什么。记录环环相扣，改一条就查得出来。";
pub(super) const AUDIT_NONE: &str = "还没有记录。";
pub(super) const AUDIT_OLDER: &str = "更早的";
pub(super) const COL_AT: &str = "时间";
pub(super) const COL_WHO: &str = "谁";
pub(super) const COL_ACT: &str = "做了什么";
pub(super) const COL_ABOUT: &str = "对象";
pub(super) const COL_REASON: &str = "理由";
pub(super) const BY_DEVICE: &str = "本机（命令行）";
