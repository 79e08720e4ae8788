//! Every word that the console says, area by area.

pub(super) mod health;
mod refusals;
pub(super) mod reports;
pub(super) mod work;

pub(super) use refusals::refusal;

// The menu and the status bar.
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
pub(super) const WRONG_NAME_OR_CODE: &str =
    "姓名或登记码不对，请对照纸条再输一次。连错 5 次要等 15 分钟；负责人重发的新码马上可用。";
pub(super) const OLD_CODE: &str = "登记码已过期，请负责人重发一个。";
pub(super) const CODE_USED: &str = "这个登记码已经用过，请负责人重发一个。";
pub(super) const PASSWORDS_DIFFER: &str = "两次输入的密码不一样，请重输。";
pub(super) const PASSWORD_CHANGED: &str = "密码已改，下次登录用新密码。";
pub(super) const CAME_LATE: &str = "刚才提交时页面已经锁了或登录已失效：没有保存，也没有办。请登录后再做一次。";
pub(super) const LATE_KEPT: &str =
    "刚才提交时页面已经锁了：没有保存，也没有办。请登录回到原来的页面，填过的内容会放回表里，核对后再提交一次。";
pub(super) const COVER: &str = "B岗顶岗";
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
pub(super) const AUDIT_NONE: &str = "没有这样的记录。";
pub(super) const AUDIT_ALL: &str = "全部";
pub(super) const AUDIT_OLDER: &str = "更早的";
pub(super) const COL_AT: &str = "时间";
pub(super) const COL_WHO: &str = "谁";
pub(super) const COL_ACT: &str = "做了什么";
pub(super) const COL_ABOUT: &str = "对象";
pub(super) const COL_REASON: &str = "理由";
pub(super) const BY_DEVICE: &str = "命令行";

// Devices and tickets.
pub(super) const FIND_MEMBER: &str = "按单位、名字或设备编号找";
pub(super) const INVITE: &str = "开入网票";
pub(super) const UNITS: &str = "给哪些单位";
pub(super) const UNITS_HINT: &str = "一行一个区划代码，可以从表格里整列粘贴";
pub(super) const UNITS_FILE: &str = "单位很多时，选一个表格文件";
pub(super) const UNITS_FILE_HINT: &str = "CSV、TSV 或 xlsx，第一列是区划代码";
pub(super) const FILE_TOO_LARGE: &str = "文件太大（最多 8 MB），请核对是否选错了文件。";
pub(super) const ADDRS: &str = "对方连接本中心用的地址";
pub(super) const ADDRS_HINT: &str = "主机:端口，如 10.1.2.3:7701，可写几个，用空格分开";
pub(super) const EXPIRES: &str = "有效期";
pub(super) const APPROVE_FIRST: &str = "用票时先在这里核对指纹、批准，才让加入";
pub(super) const INVITE_DO: &str = "开票并打印";
pub(super) const NO_UNITS: &str = "没有认出区划代码。请一行写一个，例如 511603102201。";
pub(super) const WAITING_DEVICES: &str = "等待批准的设备";
pub(super) const WAITING_WHY: &str = "请打电话让对方念出屏幕上的本机指纹（8 位），在这里照样输入。对不上就不要批准。";
pub(super) const FINGERPRINT: &str = "对方念的指纹";
pub(super) const APPROVE_DO: &str = "批准";
pub(super) const APPROVED: &str = "已批准。请对方用同一张票再加入一次。";
pub(super) const OPEN_TICKETS: &str = "还没有用的票";
pub(super) const UNTIL: &str = "有效到";
pub(super) const MADE_BY: &str = "谁开的";
pub(super) const NEEDS_APPROVAL: &str = "要批准";
pub(super) const CANCEL_DO: &str = "作废";
pub(super) const CANCELLED: &str = "这张票已作废，谁也不能再用。";
pub(super) const DEVICES: &str = "设备";
pub(super) const DEVICE: &str = "设备";
pub(super) const DEVICES_NONE: &str = "没有这样的设备。要加新的，请点“开入网票”。";
pub(super) const THIS_DEVICE: &str = "本机";
pub(super) const NODE_CODE: &str = "节点码";
pub(super) const HUB: &str = "中心主机";
pub(super) const IN: &str = "在用";
pub(super) const OUT: &str = "已停用";
pub(super) const INVITED_BY: &str = "谁请进来的";
pub(super) const REVOKE_DO: &str = "停用";
pub(super) const REVOKE_WHY: &str =
    "立即断开；到现在为止收到的记录算数，以后到的先放进“待认”。停用后这台电脑要换新数据目录才能再加入。";
pub(super) const REVOKED: &str = "已停用。还没传上来的记录以后到了，会进“待认”，由您决定算不算数。";
pub(super) const HELD: &str = "暂停";
pub(super) const HELD_SINCE: &str = "起，由";
pub(super) const HOLD_DO: &str = "暂停";
pub(super) const HOLD_WHY: &str = "各级中心暂时不与它同步。村室照常登记，记录都留在它本机，一条不丢；恢复后自动补传。";
pub(super) const HELD_NOW: &str = "已暂停。对方的办事页面会写明由谁、为什么暂停；恢复请按“恢复”。";
pub(super) const LIFT_DO: &str = "恢复";
pub(super) const LIFTED_NOW: &str = "已恢复，对方几分钟内会自己接上，把这段时间的记录补传上来。";
pub(super) const RENAME_DO: &str = "改名";
pub(super) const NEW_NAME: &str = "新名字";
pub(super) const RENAMED_NOW: &str = "已改名，各级看到的都是新名字；原来的名字留在“改名记录”里。";
pub(super) const NAMED_BEFORE: &str = "改名记录";
pub(super) const REASON_NO_NAMES: &str = "原因（各级都看得到，不要写姓名、证件号码）";
pub(super) const EXTEND_DO: &str = "采纳待认记录";
// The same act as on the page 待认, so the same warning.
pub(super) use work::EXTEND_WHAT as EXTEND_WHY;
pub(super) const EXTENDED: &str = "已采纳，到现在为止收到的记录都算数了。";
pub(super) const REPLACE_DO: &str = "换电脑";
pub(super) const REPLACE_WHY: &str =
    "电脑丢了、坏了：停用旧的，马上开一张同单位的新票。新电脑用票加入后，账本自动流回来。";
pub(super) const TICKETS: &str = "入网票";
pub(super) const TICKETS_ONCE: &str = "入网票只显示这一次，请现在就打印或抄下。谁拿到票，谁就能加入，请当面交给本人。";
pub(super) const PRINT: &str = "打印";
pub(super) const BACK_TO_MEMBERS: &str = "回到设备";
pub(super) const TICKET_OF: &str = "入网票 · ";
pub(super) const UNIT_CODE: &str = "区划代码";
pub(super) const GOOD_UNTIL: &str = "有效到";
pub(super) const GOOD_ONCE: &str = "，只能用一次";
pub(super) const QR_OF_TICKET: &str = "入网票的二维码";
pub(super) const STEP_INSTALL: &str = "在电脑上装好村联程序，接好网线。";
pub(super) const STEP_JOIN: &str = "执行：程序名 --data 数据目录 join 后面接下面这串字（扫二维码得到同样一串）。村室用 cunlian-node，乡镇用 cunlian-hub。";
pub(super) const STEP_APPROVE: &str = "程序会显示本机指纹，请打电话念给上级；批准后再执行一次。";
pub(super) const STEP_RUN: &str = "提示加入成功后，执行 run 启动；账本会自动流过来。";

pub(super) fn hours(hours: u64) -> String {
    match hours {
        0..24 => format!("{hours} 小时"),
        hours => format!("{} 天", hours / 24),
    }
}

pub(super) fn units_found(many: usize) -> String {
    format!("文件里认出 {many} 个区划代码，请核对后开票。")
}

pub(super) fn refused_units(many: usize) -> String {
    format!("有 {many} 行没有开成，其余的都在下面：")
}

// The county's tables.
pub(super) const TABLES: &str = "机构与目录";
pub(super) const TABLE_TABS: [(&str, &str); 3] = [
    ("organisation", "组织机构"),
    ("catalogue", "事项目录"),
    ("calendar", "工作日历"),
];
pub(super) const VERSION: &str = "现行版本";
pub(super) const HISTORY: &str = "历次版本";
pub(super) const FIRST_VERSION: &str = "建县时的第一版。";
pub(super) const VERSION_NO: &str = "版本";
pub(super) const EFFECTIVE_FROM: &str = "生效";
pub(super) const LEADS: &str = "现行";
pub(super) const COL_BY: &str = "谁发布";
pub(super) const COL_CHANGES: &str = "改了什么";
pub(super) const COL_FROM: &str = "起";
pub(super) const COL_UNTIL: &str = "止";
pub(super) const COL_LEVEL: &str = "级别";
pub(super) const GOES_INTO: &str = "并入";
pub(super) const UNIT_STANDS: &str = "现有";
pub(super) const UNIT_ENDED: &str = "已终止";
pub(super) const UNIT_TO_COME: &str = "尚未开始";
pub(super) const UNIT_TO_END: &str = "将终止";
pub(super) const LOOK_AGAIN_DO: &str = "按这一天重新看差异";
pub(super) const NOTES_BESIDES: &str = "发布前请留意：";
pub(super) const NEW_VERSION: &str = "上传新版本";
pub(super) const TABLE_FILE: &str = "表格文件";
pub(super) const TABLE_FILE_HINT: &str = "xlsx、TSV 或 CSV（UTF-8），第一行是列名；先看差异，确认后才发布";
pub(super) const TABLE_REFUSED: &str = "这个文件用不了，什么也没有改。";
pub(super) const FIND_ROW: &str = "按代码或名称找";
pub(super) const ROWS_NONE: &str = "没有这样的行。";
pub(super) const COL_KEY: &str = "代码";
pub(super) const COL_LABEL: &str = "名称";
pub(super) const COL_FIELD: &str = "哪一项";
pub(super) const COL_BEFORE: &str = "原来";
pub(super) const COL_AFTER: &str = "改成";
pub(super) const LOOK_TITLE: &str = "还没有发布，请核对：";
pub(super) const NO_CHANGE: &str = "与现行版本完全一样，不用发布。";
pub(super) const CHANGED: &str = "改动";
pub(super) const ADDED: &str = "新增";
pub(super) const REMOVED: &str = "去掉";
pub(super) const EFFECTIVE_ON: &str = "从哪天起生效";
pub(super) const EFFECTIVE_HINT: &str = "先选日期，再选文件：差异按这一天算，发布的也是这一天";
pub(super) const PUBLISH_WHY: &str = "发布后，全县各级接通即更新。已收的办件仍按收件时的版本；新收的按新版本。";
pub(super) const LOOK_AGAIN: &str = "要发布的内容已不在（页面锁过，或又看了别的文件），没有发布。请重新上传。";
pub(super) const BAD_DAY: &str = "生效日期写法不对，没有发布。请写 2026-12-01 这样的日期。";
pub(super) const NO_SHEET: &str = "这个 xlsx 打不开，或第一张表太大。请另存为 CSV（UTF-8）再试。";

pub(super) fn stray_cell(cell: &str, rows: usize, columns: usize) -> String {
    format!(
        "第一张表的 {cell} 还有内容，而一张表最多 {rows} 行、{columns} 列。请删掉表格以外的内容（整行整列删除）再传。"
    )
}

pub(super) const NOT_UTF8: &str = "文件不是 UTF-8 编码。请另存为 xlsx 或 CSV（UTF-8）再试。";
pub(super) const BAD_CSV: &str = "CSV 的引号不成对，请核对。";
pub(super) const UNREADABLE: &str = "程序内部的答复看不懂，请联系系统维护人员。";

pub(super) fn table_why(word: &str) -> &'static str {
    match word {
        "catalogue" => "事项、类型、承诺天数、材料。办件始终按收件时的版本办。",
        "calendar" => "节假日和调休补班，按年发布。没有发布到的年份，到期日标“暂定”。",
        _ => "县、乡镇、村（社区）。代码不变就是同一个单位；去掉的从生效日起终止，历史记录不变。",
    }
}

pub(super) fn table_columns(word: &str) -> &'static str {
    match word {
        "catalogue" => {
            "列名：code、name_zh、group、category、tier、village_role、handling_type、promised_workdays、statutory_limit、deadline_basis、materials。整张表一起上传，表里没有的事项从新版本起停用。"
        }
        "calendar" => {
            "列名：date、kind（off 放假，makeup_work 补班）。可以只上传一年：那一年整年按新的，其他年份不变。"
        }
        _ => {
            "列名：code12、name、level（county、township、subcenter、village、community、agent_point）、parent12，可以再加一列 into。整张表一起上传，表里没有的单位从生效日起终止；撤并的单位保留那一行，在 into 里填并入哪个单位的代码；改名、换上级直接改那一行。发布错了，用同一个生效日期再发布一次改正的表就能收回。"
        }
    }
}

pub(super) fn difference(added: usize, removed: usize, changed: usize, same: usize) -> String {
    format!("新增 {added}，去掉 {removed}，改动 {changed}，不变 {same}。")
}

pub(super) fn publish_do(version: u32, on: Option<&str>) -> String {
    match on {
        Some(day) => format!("发布第 {version} 版，自 {day} 起生效"),
        None => format!("发布第 {version} 版"),
    }
}

pub(super) fn look_on(day: &str) -> String {
    format!("以下差异按 {day} 起生效计算。")
}

pub(super) fn below(many: usize) -> String {
    format!("下属 {many} 个")
}

pub(super) fn year_of(year: &str, off: usize, makeup: usize) -> String {
    format!("{year} 年：放假 {off} 天，补班 {makeup} 天")
}

pub(super) fn published(version: u64) -> String {
    format!("第 {version} 版已发布，各级接通后自动更新。")
}
