//! Every Chinese text that the command line puts around an answer: labels, states, sentences, what to do next.

mod names;

pub(crate) use names::*;

// Tiers and where a case has got to.

pub(crate) const THIS_DEVICE: &str = "本机";
pub(crate) const TICK: &str = "✓";
pub(crate) const CROSS: &str = "✗";
pub(crate) const AWAITED: &str = "…";
pub(crate) const NOT_YET: &str = "还没有到";
pub(crate) const IN_PART: &str = "只到了一部分，接着送";
pub(crate) const RECORDED_THERE: &str = "已登记";

pub(crate) fn receipt_withdrawn(at: &str) -> String {
    format!("{at} 撤回：那里恢复了旧备份，会自动重送")
}

// Cases.

pub(crate) const CASE_HEAD: [&str; 8] = ["办件编号", "机构", "事项", "申请人", "登记", "状态", "截止", "已存到"];
pub(crate) const NO_CASES: &str = "还没有办件。登记：case new --matter 事项编号 --name 姓名 --cert-no 证件号码";
pub(crate) const NO_CASES_THERE: &str = "没有符合条件的办件。看全部：case list";
pub(crate) const ERASED: &str = "当事人信息已销毁";
pub(crate) const DEEMED: &str = "视为受理";
pub(crate) const OVERDUE: &str = "已超期";
pub(crate) const DUE_TODAY: &str = "今日到期";
pub(crate) const PROVISIONAL: &str = "暂定";
pub(crate) const READY: &str = "正常";

/// Marks of a case in a list: how many of what.
pub(crate) const MARKS: [(&str, &str); 4] = [
    ("conflicts", "待裁定"),
    ("set_aside", "有搁置"),
    ("waiting", "等前序"),
    ("unrecognised", "待认"),
];

/// The line under a list of cases; what is zero is not said.
pub(crate) fn cases_total(total: usize, parts: &[(&str, usize)]) -> String {
    let mut said = format!("列出 {total} 件");
    for (what, many) in parts.iter().filter(|(_, many)| *many > 0) {
        said.push_str(&format!("，{what} {many} 件"));
    }
    said + "。"
}

pub(crate) const PART_OVERDUE: &str = "已超期";
pub(crate) const PART_TODAY: &str = "今日到期";
pub(crate) const PART_CONFLICT: &str = "待裁定";
pub(crate) const PART_HERE: &str = "还只在收件处";
pub(crate) const PART_TOWNSHIP: &str = "到乡镇未到县";

pub(crate) fn received(number: &str) -> String {
    format!("已收件，编号 {number}")
}

pub(crate) fn done(event: &str, number: &str, state: &str) -> String {
    match (event, state) {
        ("", _) => format!("已更正，编号 {number}。"),
        (_, "") => format!("已记“{}”，编号 {number}。", self::event(event)),
        _ => format!("已记“{}”，编号 {number}，现在是“{state}”。", self::event(event)),
    }
}

pub(crate) fn entered_late(on: &str) -> String {
    format!("业务日期 {on}，按补录记。")
}

pub(crate) const EVENT_LATE: &str = "业务日期早于今天，按补录记。";
pub(crate) const DOUBLE_CLOSED_NEXT: &str = "两处办结结果不同，请乡镇裁定：conflict list";

pub(crate) fn mind(warning: &str) -> String {
    format!("请注意：{warning}")
}

pub(crate) fn look_at(number: &str) -> String {
    format!("查看：case show {number}")
}

pub(crate) fn erased(number: &str) -> String {
    format!("已销毁 {number} 的当事人信息，办件骨架保留。\n上级和下级接通后会一并销毁；纸质材料请另行处理。")
}

pub(crate) fn erasing(number: &str) -> String {
    format!("已写下销毁 {number} 当事人信息的要求，接通后生效。查看：case show {number}")
}

pub(crate) const LABEL_RECEIVED: &str = "收件";
pub(crate) const LABEL_ACCEPTED: &str = "受理";
pub(crate) const LABEL_DUE: &str = "截止";
pub(crate) const LABEL_CLOSED: &str = "办结";
pub(crate) const LABEL_RATING: &str = "评价";
pub(crate) const LABEL_CLERK: &str = "收件人";
pub(crate) const LABEL_CUSTODY: &str = "现由";
pub(crate) const LABEL_ITEMS: &str = "材料";
pub(crate) const LABEL_OUTSTANDING: &str = "尚缺";
pub(crate) const LABEL_NOTICE: &str = "已告知";
pub(crate) const LABEL_SUSPENDED: &str = "特别程序";
pub(crate) const LEADS: &str = "暂以此为准";
pub(crate) const SECOND_NOTICE: &str = "二次告知";
pub(crate) const NO_KEY: &str = "（本机没有密钥，看不到）";
/// `unlock` while no daemon runs.
pub(crate) const UNLOCKED_FOR_NOBODY: &str =
    "口令正确。后台程序没有运行，解锁到这条命令为止：请先启动 run 再 unlock，或在命令后加 --passphrase-file。";
pub(crate) const PASSPHRASE_OLD: &str = "原口令：";
pub(crate) const PASSPHRASE: &str = "口令：";
pub(crate) const PASSPHRASE_NEW: &str = "新口令（至少 8 个字）：";
pub(crate) const PASSPHRASE_AGAIN: &str = "再输一遍：";
pub(crate) const PASSPHRASE_DIFFERS: &str = "两遍不一样，请再来一次。";
pub(crate) const PASSPHRASE_OFFER: &str =
    "请为本机设一个口令：没有口令，谁拿走这台电脑就能看到个人信息。直接按回车可以以后再设（passphrase set）。";
pub(crate) const PASSPHRASE_NONE: &str = "没有设口令。status 会一直提醒，请尽快执行 passphrase set。";
pub(crate) const PASSPHRASE_NO_TERMINAL: &str = "这里不能输入口令，请用 --passphrase-file 文件（- 为标准输入）。";
pub(crate) const AUDIT_EMPTY: &str = "还没有审计记录。";
pub(crate) const AUDIT_HEAD: [&str; 6] = ["序号", "时间", "做了什么", "谁", "对象", "理由"];
pub(crate) const VALUE_LOCKED: &str = "（已锁定，请先 unlock）";
pub(crate) const VALUE_ERASED: &str = "（已销毁）";
pub(crate) const REPORT_HEAD: [&str; 5] = ["指标", "本期", "上年同期", "同比", "现在重算"];
pub(crate) const REPORT_UNITS_HEAD: [&str; 8] =
    ["机构", "收件", "受理", "办结", "在办", "逾期", "按时办结率", "满意度"];
pub(crate) const REPORT_LATE: &str = "补报";
pub(crate) const REPORT_NONE_FROZEN: &str = "还没有定稿。统计期结束后用 report freeze 定稿。";
pub(crate) const REPORT_FROZEN_HEAD: [&str; 6] = ["编号", "统计期", "机构", "版次", "定稿时间", "水印"];
pub(crate) const ASSESS_HEAD: [&str; 7] = ["姓名", "机构", "办结", "按时办结率", "满意度", "B岗出勤率", "得分"];
pub(crate) fn absent(name: &str, on: &str, half_days: u64) -> String {
    format!("已登记：{name} {on} 缺岗 {half_days} 个半天。")
}
pub(crate) fn absent_undone(name: &str, on: &str, half_days: u64) -> String {
    format!("已撤回：{name} {on} 缺岗登记 {half_days} 个半天。")
}
pub(crate) const CLOSING_OPEN: &str = "两处结果不同，待裁定";
pub(crate) const UNTIL_NOW: &str = "至今";
pub(crate) const DEEMED_STORY: &str = "收件后五个工作日内没有受理、告知补正或其他答复，视为受理，期限从收件日算起。";
pub(crate) const TITLE_EVENTS: &str = "经过";
pub(crate) const TITLE_STORED: &str = "已存到";
pub(crate) const TITLE_NOTES: &str = "备注";
pub(crate) const TITLE_CONFLICTS: &str = "需要裁定";
pub(crate) const TITLE_SET_ASIDE: &str = "被搁置的改动（没有计入）";
pub(crate) const EVENT_HEAD: [&str; 5] = ["日期", "办理", "机构", "记录时间", "说明"];
/// A flag that misleads where the two closings differ.
pub(crate) const FLAG_JOINED: &str = "与他岗一致";

pub(crate) fn waiting(count: u64) -> String {
    format!("还有 {count} 条改动在等前面的记录，接通后自动计入。")
}

pub(crate) fn unrecognised(count: u64) -> String {
    format!("有 {count} 条改动来自停用或未接入的设备，暂不计入（待认）。")
}

pub(crate) fn not_counted(reason: &str) -> String {
    format!("不作数：{reason}")
}

pub(crate) fn choose(choice: &str) -> String {
    format!("--choose {choice}")
}

// Day books.

pub(crate) fn imported(imported: u64, unchanged: u64, rejected: usize) -> String {
    format!("新登记 {imported} 件，已有 {unchanged} 件，未收 {rejected} 行。")
}

pub(crate) const REJECTED: &str = "未收的行：";
pub(crate) const REMARKS: &str = "已收下，但请核对：";
pub(crate) const IMPORT_AGAIN: &str = "改正后把整个文件再导入一次即可，已登记的不会重复。";

pub(crate) fn row(line: &str, reason: &str) -> String {
    format!("  第 {line} 行：{reason}")
}

/// Lines that share a reason.
pub(crate) fn same_rows(many: usize, first: &[String], reason: &str) -> String {
    format!("  {many} 行：{reason}（第 {} 行等）", first.join("、"))
}

pub(crate) fn more_rows(many: usize) -> String {
    format!("  ……另有 {many} 行，加 --json 可看全部。")
}

// Conflicts and quarantine.

pub(crate) const NO_CONFLICTS: &str = "没有需要裁定的事项。";
pub(crate) const NONE_OPEN: &str = "没有待裁定的事项。";
pub(crate) const TITLE_RESOLVED: &str = "已裁定";
pub(crate) const RESOLVED_HEAD: [&str; 5] = ["冲突", "类别", "办件", "取", "裁定"];
pub(crate) const SEPARATE: &str = "不是重复，分别办理";
pub(crate) const SEPARATE_KNOWN: &str = "已知悉，分别办理";
pub(crate) const UNDO_HOW: &str = "改主意：conflict resolve 冲突编号 --choose undo";
pub(crate) const ROOMS_WAIT: &str = "由乡镇或县裁定，本机不用处理，办件照常保存。";
pub(crate) const FORK_SETTLED: &str = "设备分叉已消除";

pub(crate) fn conflicts_total(open: usize, resolved: usize) -> String {
    match resolved {
        0 => format!("待裁定 {open} 件。"),
        _ => format!("待裁定 {open} 件，已裁定 {resolved} 件。"),
    }
}

pub(crate) fn how_to_choose(id: &str) -> String {
    format!("裁定：选上面一栏，写 conflict resolve {id} --choose …")
}

pub(crate) fn how_to_conclude(id: &str) -> String {
    format!("裁定：conflict resolve {id} --choose 结论")
}

pub(crate) fn more_items(many: usize) -> String {
    format!("……另有 {many} 件，加 --json 可看全部。")
}

pub(crate) fn resolved(id: &str, kind: &str, choice: &str) -> String {
    format!(
        "已裁定 {id}（{}）：取 {choice}。\n改主意：conflict resolve {id} --choose undo",
        conflict(kind)
    )
}

pub(crate) fn unresolved(id: &str, kind: &str) -> String {
    format!("已撤销对 {id}（{}）的裁定，重新等待裁定。", conflict(kind))
}

pub(crate) const NO_QUARANTINE: &str = "没有被隔离或搁置的内容，全部正常计入。";
pub(crate) const QUARANTINE_HEAD: [&str; 6] = ["类别", "办件编号", "机构", "设备", "条数", "原因"];

pub(crate) fn quarantine_total(many: usize) -> String {
    format!("共 {many} 项，都原样保存着，没有丢。")
}

// Status.

pub(crate) fn device(short: &str) -> String {
    format!("设备 {short}")
}

pub(crate) fn code_range(code: &str) -> String {
    format!("编号段 {code}")
}

pub(crate) const LABEL_TRAVEL: &str = "同步";
pub(crate) const LABEL_LINE: &str = "线路";
pub(crate) const LABEL_CASES: &str = "办件";
pub(crate) const LABEL_DISK: &str = "磁盘";
pub(crate) const LABEL_CLOCK: &str = "时钟";
pub(crate) const LABEL_TO_SEE_TO: &str = "请处理";
pub(crate) const LABEL_SOFTWARE: &str = "程序";
pub(crate) const ALL_SENT: &str = "已全部送达";
pub(crate) const NO_LINE: &str = "还没有联系过上级。启动后台同步：run；单机使用可以不理会";
pub(crate) const DISK_FINE: &str = "正常";
pub(crate) const DISK_BAD: &str = "异常";
pub(crate) const REVOKED_HERE: &str = "本机已被停用，登记的内容不再上传。请把电脑交给上级，用新的入网票重新加入。";
pub(crate) const NOT_A_MEMBER: &str = "本机还没有得到上级的承认，接通线路后再看；一直如此请联系上级中心。";
pub(crate) const NOT_SETTLED: &str = "机构、事项目录或密钥还没有收齐，接通线路后会自动补齐。";
pub(crate) const CONNECTED: &str = "在线";
pub(crate) const CUT_OFF: &str = "断开";
pub(crate) const DISK_TORN: &str = "上次断电有没写完的内容，已自动收拾好，已提示成功的都在。";

pub(crate) fn rebuilt(why: &str) -> String {
    match why {
        "" => "启动时重建了索引，账目不受影响。".to_owned(),
        _ => format!("启动时重建了索引（{why}），账目不受影响。"),
    }
}

pub(crate) fn pending(township: u64, county: u64, oldest: &str) -> String {
    let mut parts = Vec::new();
    if township > 0 {
        parts.push(format!("待送乡镇 {township} 条"));
    }
    if county > 0 {
        parts.push(format!("待送县 {county} 条"));
    }
    if !oldest.is_empty() {
        parts.push(format!("最久 {oldest}"));
    }
    parts.join("，")
}

pub(crate) fn last_seen(ago: &str) -> String {
    format!("上次联系 {ago}前")
}

pub(crate) fn round_trip(ms: i64) -> String {
    format!("往返 {ms} 毫秒")
}

/// How far another clock is from ours.
pub(crate) fn clock_off(seconds: i64, ago: &str) -> String {
    format!("{} {ago}", if seconds > 0 { "快" } else { "慢" })
}

pub(crate) const CLOCK_CHECK: &str = "与多台设备的时钟相差较大，请核对本机日期和时间（不影响同步）。";

pub(crate) fn peers_total(connected: usize, off: usize) -> String {
    format!("在线 {connected} 台，断开 {off} 台；各村室情况：rooms")
}

pub(crate) fn books(cases: u64, books: usize, size: &str) -> String {
    match books {
        0 | 1 => format!("{cases} 件，账目 {size}"),
        _ => format!("{cases} 件，{books} 本账，账目 {size}"),
    }
}

pub(crate) fn see_to_conflicts(many: u64) -> String {
    format!("待裁定 {many} 件：conflict list")
}

pub(crate) fn see_to_quarantine(many: u64) -> String {
    format!("隔离 {many} 项：quarantine list")
}

pub(crate) fn see_to_waiting(many: u64) -> String {
    format!("{many} 件在等前面的记录，接通后自动计入")
}

pub(crate) fn see_to_damaged(many: u64) -> String {
    format!("账目文件有 {many} 处损坏，接通后自动取回：verify")
}

pub(crate) fn see_to_forks(devices: &str) -> String {
    format!("设备被复制：{devices}，请停用多出来的那一份：conflict list")
}

pub(crate) fn see_to_upgrade(many: u64) -> String {
    format!("有 {many} 条声明本版本看不懂，请升级程序")
}

pub(crate) fn see_to_too_long(unit: &str) -> String {
    format!("{unit} 的账本日志太多（上限约两万条日志），暂时不能对账，请联系技术支持")
}

pub(crate) fn turned_away(unit: &str, reason: &str, at: &str) -> String {
    format!("{unit} {at} {reason}")
}

pub(crate) fn not_taken_line(device: &str, reason: &str) -> String {
    format!("设备 {device} 的记录对方暂未收：{reason}")
}

pub(crate) fn withdrawn_line(unit: &str, at: &str) -> String {
    format!("{unit} {at} 恢复了旧备份，回执已撤回，会自动重送")
}

// Rooms.

pub(crate) const ROOMS_HEAD: [&str; 10] = [
    "村室",
    "代码",
    "情况",
    "截至",
    "已登记",
    "到乡镇",
    "到县",
    "最久待送",
    "上次联系",
    "设备",
];
pub(crate) const NO_ROOMS: &str = "下面还没有村室。区划表里有村（社区）后才能开入网票。";
pub(crate) const NONE_ONLINE: &str = "还没有村室上线。开入网票：invite --unit 村室代码 --addr 本机地址:端口";
pub(crate) const NOW: &str = "现在";

pub(crate) fn rooms_total(rooms: usize, parts: &[(&str, usize)]) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|(state, n)| format!("{} {n}", room_state(state)))
        .collect();
    format!("{rooms} 间村室：{}。", parts.join("，"))
}

pub(crate) fn never_seen(many: usize) -> String {
    format!("另有 {many} 间从未上线，列出：rooms --all")
}

// Members.

pub(crate) const MEMBERS_HEAD: [&str; 7] = ["机构", "代码", "用途", "设备", "电脑名", "编号段", "状态"];
pub(crate) const NO_ERRANDS: &str = "还没有代办。村室在办事页面的“代办”里登记。";
pub(crate) const ERRANDS_HEAD: [&str; 7] = ["编号", "日期", "委托人", "委托办什么", "状态", "领办人", "现在由"];
pub(crate) const NOBODY_YET: &str = "无人认领";
pub(crate) const NO_USERS: &str = "还没有登记人员。请用 user add 登记，再把打印出来的一次性登记码交给本人。";
pub(crate) const USERS_HEAD: [&str; 6] = ["机构", "代码", "姓名", "角色", "编号", "状态"];
pub(crate) const STOPPED: &str = "已停用";

pub(crate) fn user_role(role: &str) -> &str {
    match role {
        "clerk" => "窗口人员",
        "head" => "负责人",
        "operator" => "操作员",
        "admin" => "管理员",
        "auditor" => "审计员",
        other => other,
    }
}

pub(crate) fn user_code(who: &str, code: &str, until: &str, whereto: &str) -> String {
    format!("{who}\n一次性登记码：{code}\n{until} 前有效。请当面交给本人，{whereto}")
}

pub(crate) const AT_THE_DESK: &str = "在村室电脑的办事页面点“第一次在这台电脑上登录”，填这个码并自设 PIN。";

/// Stands for the address of a machine that listens on all of its own.
pub(crate) const THIS_HOST: &str = "本主机的IP地址";

/// Where a person of a centre enrols: `page` is the console's address, where it is this machine's.
pub(crate) fn at_the_console(page: Option<&str>) -> String {
    let page = match page {
        Some(page) => format!("用浏览器打开本中心工作台 {page}，"),
        None => "用浏览器打开该中心工作台（地址在它的主机启动时打印），".to_owned(),
    };
    format!("{page}点“第一次登录？用登记码设密码”，填姓名和这个码，自设登录密码。")
}

pub(crate) fn user_stopped(who: &str) -> String {
    format!("{who} 已停用，消息到达各台电脑后即不能登录。")
}

pub(crate) const NO_MEMBERS: &str = "还没有设备。开入网票：invite --unit 机构代码 --addr 本机地址:端口";
pub(crate) const IN_USE: &str = "在用";
pub(crate) const IN_USE_HERE: &str = "在用（本机）";

pub(crate) fn revoked(reason: &str) -> String {
    match reason {
        "" => "已停用".to_owned(),
        _ => format!("已停用：{reason}"),
    }
}

pub(crate) fn members_total(live: usize, revoked: usize) -> String {
    match revoked {
        0 => format!("在用 {live} 台。"),
        _ => format!("在用 {live} 台，已停用 {revoked} 台。"),
    }
}

pub(crate) fn member_revoked(device: &str, reason: &str) -> String {
    format!(
        "已停用设备 {device}（{reason}），连接已断开。\n停用前送达的记录照常算数，之后的不再计入；\
        补认之后到达的：member extend {device}\n换新电脑：invite 开一张新票，账本会自动流回去。"
    )
}

pub(crate) fn member_extended(device: &str) -> String {
    format!("已采纳设备 {device} 到现在为止送达的待认记录；它仍然是停用的。")
}

pub(crate) fn held(reason: &str) -> String {
    format!("已暂停：{reason}")
}

pub(crate) fn member_held(device: &str, reason: &str) -> String {
    format!("已暂停设备 {device}（{reason}）：各级中心都不再与它同步，它的记录一条不少。\n恢复：member lift {device}")
}

pub(crate) fn member_lifted(device: &str) -> String {
    format!("已恢复设备 {device}，它几分钟内会自己接上，把这段时间的记录补传上来。")
}

pub(crate) fn member_renamed(device: &str, from: &str, name: &str) -> String {
    format!("设备 {device} 已由“{from}”改名为“{name}”。")
}

pub(crate) fn member_admitted(device: &str) -> String {
    format!("已批准县级主机 {device}，它接通后即可使用。")
}

pub(crate) fn ticket_note(unit: &str, until: &str) -> String {
    format!("给 {unit}，有效到 {until}，只能用一次。在新电脑上执行：join 入网票")
}

pub(crate) fn joined(unit: &str, role: &str, device: &str, code: &str) -> String {
    format!("已加入 {unit}（{}），设备 {device}，编号段 {code}。", self::role(role))
}

pub(crate) const JOINED_SETTLED: &str = "机构、事项目录和密钥已收齐。\n下一步，启动后台同步：run";
pub(crate) const JOINED_UNSETTLED: &str =
    "机构、事项目录或密钥还没有收齐。\n下一步，启动后台同步：run；收齐后就能登记，查看：status";

pub(crate) const COUNTY_NEXT: &str =
    "下一步：\n  启动中心    run --listen 0.0.0.0:7701\n  开入网票    invite --unit 乡镇代码 --addr 本机地址:7701";
pub(crate) const ALONE_NEXT: &str = "下一步，登记：case new --matter 事项编号 --name 姓名 --cert-no 证件号码";

// Verification.

pub(crate) const SOUND: &str = "核验通过：账目、签名、索引全部相符。";
pub(crate) const UNSOUND: &str = "核验发现问题：";
pub(crate) const UNSOUND_NEXT: &str =
    "请保留整个数据文件夹。损坏的部分接通后会自动取回；索引不符请执行 reindex，再核验一次；仍有问题请联系管理员。";

pub(crate) fn verified(entries: u64, records: u64, size: &str) -> String {
    format!("查过账目 {entries} 条，办件 {records} 件，{size}。")
}

pub(crate) fn healed(many: u64) -> String {
    format!("先前的损坏 {many} 处已取回。")
}

pub(crate) fn reindexed(entries: u64) -> String {
    format!("索引已按账目重建，共 {entries} 条。")
}

pub(crate) fn ago(span: &str) -> String {
    format!("{span}前")
}

// The command line itself.

pub(crate) const HELP_TEMPLATE: &str = "{about-with-newline}\n用法 Usage: {usage}\n\n{all-args}{after-help}";
pub(crate) const HELP_HELP: &str = "显示说明 · help";
pub(crate) const HELP_VERSION: &str = "显示版本 · version";
pub(crate) const HELP_COMMANDS: &str = "命令 Commands";
pub(crate) const HELP_ARGUMENTS: &str = "参数 Arguments";
pub(crate) const HELP_OPTIONS: &str = "选项 Options";
pub(crate) const USAGE_COMMAND_MISSING: &str = "请写上要做什么：从上面的命令里选一条。";
pub(crate) const USAGE_WRONG: &str = "命令写法不对。";
pub(crate) const USAGE_NEXT: &str = "加 --help 查看说明和例子。";

pub(crate) fn usage_missing(args: &str) -> String {
    format!("还缺：{args}。")
}

pub(crate) fn usage_no_command(command: &str) -> String {
    format!("没有“{command}”这条命令。")
}

pub(crate) fn usage_unknown(arg: &str) -> String {
    format!("不认识“{arg}”。")
}

pub(crate) const DAY: &str = "日结";
pub(crate) const DAY_RECEIVED: &str = "收件";
pub(crate) const DAY_CLOSED: &str = "办结";
pub(crate) const DAY_BEHIND: &str = "还没到乡镇";
pub(crate) const DAY_OPEN: &str = "在办（全部）";
pub(crate) const DAY_CODE: &str = "日结码";
pub(crate) const DAY_SAME: &str = "与这里现在的一致";
pub(crate) const DAY_DIFFERS: &str = "与这里现在的不一致";
pub(crate) const DAY_NOT_CLOSED: &str = "这一天还没有日结。";

pub(crate) fn day_row(received: u64, closed: u64) -> String {
    format!("收件 {received}，办结 {closed}")
}

pub(crate) fn nth_closing(nth: u64) -> String {
    format!("第 {nth} 次日结")
}

pub(crate) fn usage_no_value(arg: &str) -> String {
    format!("“{arg}”后面要写内容。")
}

pub(crate) fn usage_bad_value(arg: &str, value: &str, why: Option<&str>) -> String {
    match why {
        Some(why) => format!("“{arg}”不能写“{value}”：{why}。"),
        None => format!("“{arg}”不能写“{value}”。"),
    }
}

pub(crate) fn usage_twice(arg: &str) -> String {
    format!("“{arg}”只能写一次，也不能和相反的选项同时写。")
}

pub(crate) fn usage_valid(values: &str) -> String {
    format!("可以写：{values}。")
}

pub(crate) fn usage_guess(guess: &str) -> String {
    format!("是不是 {guess}？")
}

/// A range as clap writes it: `1..=5`.
pub(crate) fn usage_range(range: &str) -> String {
    format!("只能是 {}", range.replace("..=", " 到 "))
}
