//! Refusals of the office in the words of a page: what happened, and what to do next here. The command line has its own.

/// Words of the command line: what an operator reads on a page holds none of them.
const COMMANDS: [&str; 12] = [
    "--",
    "reindex",
    "case ",
    "conflict ",
    "member ",
    "user ",
    "day ",
    "errand ",
    "audit ",
    "status",
    "quarantine",
    "cunlian-",
];

/// A refusal as the console says it.
pub(crate) fn refusal(code: &str, text: String) -> String {
    match said_here(code) {
        Some(here) => here.to_owned(),
        None if COMMANDS.iter().any(|word| text.contains(word)) => {
            format!("这一步没有办成（{code}）。请刷新本页再试一次；还是不行时，请记下括号里的代码，联系系统维护人员。")
        }
        None => text,
    }
}

/// Where the office's own words name a command or its options.
fn said_here(code: &str) -> Option<&'static str> {
    Some(match code {
        "locked" => "本中心口令还没有输入，看不到个人信息。请点“锁屏”，重新登录时输入口令；同步照常进行。",
        "bad_role" => "请在列出的角色里选一个。",
        "same_name" => "这个单位已有同名的人。请在姓名后加字区分；忘了密码的，请在名单里点“重发登记码”。",
        "ambiguous_user" | "unknown_user" => "名单里没有这个人，或有几个同名的。请刷新本页，从名单里点。",
        "users_from_above" => "这个单位不归本中心管，请由它的上级登记。",
        "bad_device" | "unknown_device" | "ambiguous_device" => "没有这台设备，请刷新本页，从名单里点。",
        "bad_reason" => "请写明原因（600 字以内）。",
        "bad_addr" => "地址写法不对，请写 主机:端口，例如 10.1.2.3:7701；最多 4 个，用空格或逗号分开。",
        "bad_expiry" => "有效期最短 1 小时，最长 7 天。",
        "needs_root_key" => "县级主机只能用建县时的恢复密钥新增或停用，页面上不做这一步。请在中心主机上用命令行办理。",
        "own_device" => "不能停用本机自己，请在别的主机上操作。",
        "store" | "disk" => "没有保存成功，磁盘可能出了问题。请检查磁盘空间，重新启动程序后再试；显示过成功的都在。",
        _ => return None,
    })
}
