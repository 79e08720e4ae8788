//! What the page “有问题？” says, and refusals of the office in the words of a page.

pub(crate) const DOCTOR: &str = "有问题？";
pub(crate) const ALL_WELL: &str = "检查了一遍，都正常。";
pub(crate) const MARK_GOOD: &str = "正常";
pub(crate) const MARK_LOOK: &str = "请看";
pub(crate) const MARK_BAD: &str = "有问题";
pub(crate) const DOC_LINE: &str = "线路";
pub(crate) const DOC_LINE_DO: &str =
    "请看网线、路由器的灯，试试别的网页能不能开。本机照常收件，连上后自动补送；一直不通请联系乡镇便民服务中心。";
pub(crate) const DOC_SENT: &str = "送到上级";
pub(crate) const DOC_SENT_DO: &str = "请不要关电脑太久；线路通了会自动补送，不用重新录入。";
pub(crate) const DOC_DISK: &str = "磁盘空间";
pub(crate) const DOC_DISK_DO: &str = "请清空回收站、删掉或移走不用的文件（不要动村联的数据文件夹），再刷新本页。";
pub(crate) const DOC_UNKNOWN: &str = "读不到";
pub(crate) const DOC_CLOCK: &str = "电脑时间";
pub(crate) const DOC_CLOCK_RIGHT: &str = "和上级一致";
pub(crate) const DOC_CLOCK_ALONE: &str = "还没有和上级对过";
pub(crate) const DOC_CLOCK_DO: &str = "请在电脑的“日期和时间”里校准；不影响同步，但收件日期会记错。";
pub(crate) const DOC_MEMBER: &str = "本机身份";
pub(crate) const DOC_MEMBER_GOOD: &str = "已加入，可以收件";
pub(crate) const DOC_MEMBER_WAITS: &str = "机构、事项或密钥还没有收齐";
pub(crate) const DOC_CALL: &str = "请存下面的检查文件，交给乡镇便民服务中心。不要自己删除数据。";
pub(crate) const DOC_DATA: &str = "本机数据";
pub(crate) const DOC_NO_PASSPHRASE: &str = "没有设口令：电脑丢了，别人能看到群众的个人信息";
pub(crate) const DOC_PASSPHRASE_DO: &str = "请由负责人在“岗位”页设置本室口令，并把口令记在纸上锁好。";
pub(crate) const DOC_LOCKED: &str = "口令还没有输入：可以收件，看不到个人信息";
pub(crate) const DOC_LOCKED_DO: &str = "请锁屏后重新登录，登录时输入本室口令。";
pub(crate) const DOC_UNLOCKED: &str = "已设，已打开";
pub(crate) const DOC_VERSION: &str = "程序版本";
pub(crate) const SUPPORT: &str = "请人帮忙";
pub(crate) const SUPPORT_WHY: &str =
    "把检查文件存下来，用微信或 U 盘交给乡镇的技术人员。文件里没有群众的姓名、证件号码、电话，也没有办件内容。";
pub(crate) const SUPPORT_DO: &str = "存检查文件";
pub(crate) const DEVICE_NO: &str = "本机编号：";
pub(crate) const COMMON: &str = "常见的事";
pub(crate) const COMMON_ASKED: [(&str, &str); 5] = [
    (
        "停电、突然关机了",
        "再开机、打开本页就行。显示过“已存本机”的都在；填到一半的，登记页会接着上次的内容。",
    ),
    (
        "断网好几天了",
        "照常登记。每件的“已存到”会写明到了哪一级，线路通了自己补送。",
    ),
    (
        "忘了 PIN",
        "请乡镇便民服务中心重新发一次性登记码，在登录页点“第一次在这台电脑上登录”重设。",
    ),
    (
        "忘了本室口令",
        "口令找不回来，办件丢不了。请乡镇停用本机、开新的入网票，账会自动流回来。",
    ),
    (
        "换电脑、电脑丢了",
        "马上告诉乡镇便民服务中心停用旧电脑，再用新的入网票加入；账会自动流回来。",
    ),
];

pub(crate) fn to_look_at(things: &usize) -> String {
    format!("有 {things} 处请看一下，下面写着怎么办。")
}

pub(crate) fn line_to(names: &str) -> String {
    format!("通，连着{names}")
}

pub(crate) fn line_down_for(ago: &str) -> String {
    format!("断了 {ago}")
}

pub(crate) fn unsent(entries: u64, ago: &str) -> String {
    format!("还有 {entries} 条记录没有送到，最早的是 {ago}前的")
}

pub(crate) fn disk_free(bytes: u64) -> String {
    match bytes >> 30 {
        0 => format!("还剩 {} MB", bytes >> 20),
        gb => format!("还剩 {gb} GB"),
    }
}

pub(crate) fn clock_off(ms: i64) -> String {
    let way = if ms > 0 { "快" } else { "慢" };
    format!("比上级{way} {} 分钟", ms.unsigned_abs() / 60_000)
}

pub(crate) fn data_damaged(places: u64, forks: u64) -> String {
    match forks {
        0 => format!("有 {places} 处读不出来，正在向上级要回"),
        _ => "数据被复制到了另一台电脑上，两边都在写".to_owned(),
    }
}

pub(crate) fn data_aside(records: u64) -> String {
    format!("有 {records} 条放在一边，等待处理")
}

pub(crate) fn records(entries: u64) -> String {
    format!("完好，共 {entries} 条记录（每办一步记一条）")
}

pub(crate) fn support_file(unit: &str, day: &str) -> String {
    format!("村联检查-{unit}-{day}.json")
}
