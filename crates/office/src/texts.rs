//! Every sentence that cases, imports, conflicts and checks say to a clerk. Short, in the clerk's words, with what to do next.

mod acts;
mod desk;
mod figures;
pub(crate) mod health;
mod members;
mod work;

use ledger::conflict::ConflictKind;
use ledger::id::Tier;
use ledger::record::{Flag, VoidReason};
use store::StoreError;

use crate::command::CommandError;
use crate::office::OfficeError;

pub use acts::{ACTS, ActWords};
pub(crate) use acts::{act, published_table};
pub(crate) use desk::*;
pub(crate) use members::*;
pub(crate) use work::*;
pub(crate) mod report {
    pub(crate) use super::figures::*;
}

/// What a device hears whose admitting hub was taken out before anybody above had heard of the admission.
pub(crate) const UNSETTLED: &str = "接纳本机的主机已停用，它停用前接纳的设备还没有认定。请联系上级中心在“待认”里认定；那里没有这台主机的，请上级重新发一张入网票，在本机上再加入一次。本机的记录都在，接通后自动补传。";

/// The tables have not arrived, or lie in a damaged place that no peer has brought back yet.
pub(crate) fn no_organisation() -> CommandError {
    CommandError::failed(
        "no_organisation",
        "县里的机构、事项、日历还没有收到，或者存放它们的地方损坏了，正在从其他设备取回。请接通上级或任意一台下级设备的线路，稍后再试；\
         所有设备都取不回时，请用备份恢复。",
    )
}

/// The folder has no life yet.
pub(crate) fn unplaced() -> CommandError {
    CommandError::failed(
        "unplaced",
        "本机还没有加入任何机构。请先执行 init（单独使用）或 join（凭邀请码加入）。",
    )
}

pub(crate) fn no_catalogue() -> CommandError {
    CommandError::failed(
        "no_catalogue",
        "事项目录还没有到达本机，请连上乡镇或县中心同步一次后再试。",
    )
}

pub(crate) fn unknown_matter(code: &str) -> CommandError {
    CommandError::failed(
        "unknown_matter",
        format!("事项目录里没有编码“{code}”，请核对事项编码（如 B23）。"),
    )
}

pub(crate) fn bad_input(field: &str, why: &str) -> CommandError {
    CommandError::failed("bad_input", format!("{field}：{why}"))
}

pub(crate) fn future_date(today: impl std::fmt::Display) -> CommandError {
    CommandError::usage(
        "future_date",
        format!("业务日期不能晚于今天（{today}），请改正 --on；若电脑日期不对，请先校准。"),
    )
}

pub(crate) fn no_book_key() -> CommandError {
    CommandError::failed(
        "no_key",
        "本机还没有拿到账套密钥，不能保存个人信息。请连上乡镇或县中心同步一次后再试。",
    )
}

/// The keys are locked by the passphrase.
pub(crate) fn locked() -> CommandError {
    CommandError::failed(
        "locked",
        "本机已锁定，看不到也改不了个人信息。请先执行 unlock 输入口令；收件和同步照常进行。",
    )
}

pub(crate) fn no_passphrase() -> CommandError {
    CommandError::failed("no_passphrase", "本机还没有设口令，请先执行 passphrase set。")
}

pub(crate) fn old_passphrase_needed() -> CommandError {
    CommandError::failed("passphrase_set", "本机已有口令，修改时要先输入原口令。")
}

pub(crate) fn weak_passphrase() -> CommandError {
    CommandError::failed(
        "weak_passphrase",
        "口令太简单：至少 8 个字，至少 4 个不同的字，不能是连号。一句好记的话最合适。",
    )
}

/// What to do about a passphrase that nobody knows any more.
const FORGOTTEN: &str = "忘了口令：口令找不回来，但已上传的办件都在上级。请上级停用本机并开新的入网票，用新的数据目录加入，账本会自动流回来。";

pub(crate) fn wrong_passphrase(wrong: u32, wait_ms: i64) -> CommandError {
    let wait = match wait_ms {
        0 => String::new(),
        ms => format!("请 {} 后再试。", span(ms)),
    };
    let help = if wrong >= 3 { FORGOTTEN } else { "" };
    CommandError::failed(
        "wrong_passphrase",
        format!("口令不对（连续第 {wrong} 次）。{wait}{help}"),
    )
}

pub(crate) fn wait_for_passphrase(left_ms: i64) -> CommandError {
    CommandError::failed(
        "wait",
        format!("口令连续输错太多次，请 {} 后再试。{FORGOTTEN}", span(left_ms)),
    )
}

fn span(ms: i64) -> String {
    match ms.div_euclid(1000) + 1 {
        s if s > 120 => format!("{} 分钟", s / 60 + 1),
        s => format!("{s} 秒"),
    }
}

pub(crate) fn passphrase_set(changed: bool) -> &'static str {
    match changed {
        true => "口令已修改。旧口令从现在起无效；以前的备份仍要用旧口令打开。",
        false => "口令已设好。电脑重启后要输入口令才能看个人信息；以前的备份没有口令保护，请销毁。",
    }
}

pub(crate) const UNLOCKED: &str = "已解锁。";
pub(crate) const LOCKED_NOW: &str = "已锁定，内存中的密钥已清除。收件和同步照常进行；要看个人信息请执行 unlock。";

/// What `status` says about the passphrase; nothing where all is as it should be.
pub(crate) fn passphrase_state(set: bool, locked: bool) -> Option<&'static str> {
    match (set, locked) {
        (false, _) => Some("没有设口令：谁拿走这台电脑或抄走数据目录，谁就能看到个人信息。请执行 passphrase set。"),
        (true, true) => Some("已锁定：收件和同步照常，看不到个人信息。请执行 unlock 输入口令。"),
        (true, false) => None,
    }
}

pub(crate) fn no_record_key() -> CommandError {
    CommandError::failed(
        "no_key",
        "本机没有这个办件的密钥，不能修改个人信息。请同步后再试，或请收件的村室修改。",
    )
}

pub(crate) fn erased_record() -> CommandError {
    CommandError::failed("erased", "这个办件的个人信息已按规定销毁，不能再填写。")
}

pub(crate) fn no_number_left(day: impl std::fmt::Display) -> CommandError {
    CommandError::failed(
        "no_number",
        format!("{day} 的办件编号已用完（每天 9999 个），请改用别的业务日期。"),
    )
}

pub(crate) fn not_member() -> CommandError {
    CommandError::failed(
        "not_member",
        "本机的成员资格尚未生效或已被撤销，不能记录。请联系上级中心重新接入。",
    )
}

pub(crate) fn may_not_write() -> CommandError {
    CommandError::failed("not_entitled", "本机无权办理这个机构的办件，请由该机构或它的上级办理。")
}

pub(crate) fn moved_away() -> CommandError {
    CommandError::failed("moved_away", "这个村（社区）已划归别的机构，请由它现在的上级办理。")
}

pub(crate) fn disk_full() -> CommandError {
    CommandError::failed("disk_full", "磁盘已满，没有保存；请清理磁盘后重试，不用重新启动程序。")
}

pub(crate) fn rows_made_anew() -> CommandError {
    CommandError::failed("rows_made_anew", "统计到一半时索引重新生成了，请稍候再试一次。")
}

/// A full disk is the person's to clear, and needs no restart; everything else is the machine's.
pub(crate) fn store_failed(error: &(dyn std::error::Error + 'static)) -> CommandError {
    let store = match error.downcast_ref::<OfficeError>() {
        Some(OfficeError::Store(store)) => Some(store),
        _ => error.downcast_ref::<StoreError>(),
    };
    if matches!(store, Some(StoreError::ReadOnly(_))) {
        return disk_full();
    }
    CommandError::failed(
        "store",
        format!("没有保存成功：{error}。请检查磁盘空间和硬盘，重新启动程序后再试；已提示成功的记录不受影响。"),
    )
}

/// Damage was met while reading: what lay there is fetched again.
pub(crate) fn unreadable_just_now() -> CommandError {
    CommandError::failed(
        "damaged",
        "硬盘上有一处读不出来，程序正在修复，请过一分钟再试；如果一直这样，请检查硬盘。",
    )
}

pub(crate) fn unknown_number(text: &str) -> CommandError {
    CommandError::failed(
        "unknown_number",
        format!("没有编号为 {text} 的办件，请核对编号，或用 case list 查找。"),
    )
}

pub(crate) fn wrong_number(text: &str) -> CommandError {
    CommandError::failed(
        "wrong_number",
        format!("编号 {text} 有误：应为 20 位，且校验位要相符。请对照回执重新输入。"),
    )
}

/// Several records have one number: `listed` names each as it has to be typed.
pub(crate) fn ambiguous_number(text: &str, listed: &[String]) -> CommandError {
    CommandError::failed(
        "ambiguous_number",
        format!(
            "编号 {text} 对应 {} 个办件，请写明是哪一个：\n{}",
            listed.len(),
            listed.join("\n")
        ),
    )
}

pub(crate) fn unknown_event(event: &str, known: &str) -> CommandError {
    CommandError::usage(
        "unknown_event",
        format!("没有“{event}”这个办理事件。可用的有：{known}。"),
    )
}

pub(crate) fn resolve_elsewhere() -> CommandError {
    CommandError::usage(
        "wrong_event",
        "裁定请用 conflict resolve，先用 conflict list 查看待裁定的事项。",
    )
}

pub(crate) fn not_ready(status: &str) -> CommandError {
    CommandError::failed(
        "not_ready",
        format!("这个办件现在还不能办理：{status}。请等同步完成后再试。"),
    )
}

pub(crate) const AWAITING_FORM: &str = "等待模板";
pub(crate) const AWAITING_CATALOGUE: &str = "等待事项目录";
pub(crate) const AWAITING_ENTRIES: &str = "前面的记录还没有到齐";
pub(crate) const SET_ASIDE: &str = "内容有问题，已搁置待查";
pub(crate) const READY: &str = "正常";

pub(crate) fn not_on_the_spot() -> CommandError {
    CommandError::failed(
        "not_on_the_spot",
        "这个事项不是即办件，不能当场办结。请先收件，再按环节办理。",
    )
}

pub(crate) fn bad_result(text: &str) -> CommandError {
    CommandError::usage(
        "bad_result",
        format!(
            "办结结果“{text}”不对，请填 0–7：0 证照已发，1 退回，2 作废，3 删除，4 转报，5 材料未补，6 办结，7 纸质结果。"
        ),
    )
}

pub(crate) fn hand_over_to() -> CommandError {
    CommandError::usage("hand_over", "移交请用 --note 写接收机构的 12 位代码。")
}

pub(crate) fn errand_of_errand() -> CommandError {
    CommandError::failed("errand", "这是一件代办，不能再从它开代办；请在“代办”里另外登记。")
}

pub(crate) fn errand_elsewhere() -> CommandError {
    CommandError::failed("errand", "这件不是本单位登记的，请由登记的村室开代办。")
}

pub(crate) fn evaluated_by_the_applicant() -> CommandError {
    CommandError::failed(
        "not_yours",
        "评价只能由申请人本人按，工作人员不能代评。请在办件页面点“请申请人评价”，把屏幕交给本人。",
    )
}

pub(crate) fn over() -> CommandError {
    CommandError::failed("over", "这件已经办完，不能再收材料；要补办请联系乡镇重开。")
}

pub(crate) fn nothing_to_tick() -> CommandError {
    CommandError::failed("nothing", "没有勾选还没收到的材料，请先打勾再保存。")
}

pub(crate) fn correct_date_how() -> CommandError {
    CommandError::usage(
        "correct_date",
        "更正日期请用 --items 写事件编号（case show 可查）、--on 写正确日期、--reason 写理由。",
    )
}

pub(crate) fn unknown_field(field: &str, known: &str) -> CommandError {
    CommandError::usage("unknown_field", format!("没有“{field}”这一栏。可修改的有：{known}。"))
}

pub(crate) fn field_not_entitled(label: &str) -> CommandError {
    CommandError::failed("not_entitled", format!("“{label}”不由本级填写，请联系上级中心。"))
}

pub(crate) fn doc_no_by_register() -> CommandError {
    CommandError::failed(
        "doc_no",
        "受理文书号由登记簿连续编排，不能手工填写；编错了，请在办件页面点“作废重编文书号”。",
    )
}

pub(crate) fn cert_no_by_review() -> CommandError {
    CommandError::failed("review", "证件号码要由乡镇复核后修改，请把原件交乡镇中心核对。")
}

pub(crate) fn unknown_unit(text: &str) -> CommandError {
    CommandError::usage("unknown_unit", format!("没有代码为“{text}”的机构，请核对区划代码。"))
}

pub(crate) fn unknown_state(text: &str, known: &str) -> CommandError {
    CommandError::usage("unknown_state", format!("没有“{text}”这个状态。可用的有：{known}。"))
}

/// Said beside a case that was recorded all the same.
pub(crate) fn twin_warning(numbers: &str) -> String {
    format!("此人同一事项已有在办件：{numbers}。若是重复登记，请作撤件或请乡镇并案。")
}

/// Said beside a case that was recorded behind the lock.
pub(crate) const TWINS_NOT_SOUGHT: &str = "本机已锁定，没有查重；输入口令后会自动核对。";

pub(crate) fn foreign_unit(code: impl std::fmt::Display) -> String {
    format!("村室代码 {code} 不是本机构，请到该村室的电脑上导入")
}

pub(crate) fn unreadable_daybook(reason: &str) -> CommandError {
    CommandError::failed("bad_file", format!("这个文件不能导入：{reason}。"))
}

pub(crate) fn import_matter(code: &str) -> String {
    format!("事项目录里没有编码“{code}”，请核对事项编码")
}

pub(crate) fn import_future(day: impl std::fmt::Display) -> String {
    format!("日期 {day} 晚于今天，请核对")
}

/// Kept in the remark of an imported case that the room may not close by itself.
pub(crate) fn import_closed_remark(when: &str, rating: Option<u8>) -> String {
    match rating {
        Some(rating) => format!("登记簿记为 {when} 办结，评价 {rating}；须由乡镇受理后补录"),
        None => format!("登记簿记为 {when} 办结；须由乡镇受理后补录"),
    }
}

pub(crate) fn reason_needed() -> CommandError {
    CommandError::usage("reason_needed", "请用 --reason 写明理由。")
}

pub(crate) fn reason_too_long() -> CommandError {
    CommandError::usage("reason", "理由太长，请用一句话写明。")
}

pub(crate) fn reason_without_names() -> CommandError {
    CommandError::usage("reason", "理由会永久留在记录里，请不要写姓名、证件号码、电话、住址。")
}

pub(crate) fn user_not_here() -> CommandError {
    CommandError::failed("not_entitled", "这个用户不是本机构的人员，不能查看个人信息。")
}

pub(crate) fn auditor_sees_no_person() -> CommandError {
    CommandError::failed("not_entitled", "审计人员只看审计记录，不看当事人的个人信息。")
}

pub(crate) fn nothing_to_reveal() -> CommandError {
    CommandError::failed("erased", "这个办件的个人信息已按规定销毁，没有可看的了。")
}

/// An act of the audit trail.
pub(crate) fn trail_missing(from: u64, until: u64, file: &str) -> String {
    format!("审计记录第 {from} 至 {until} 条不见了或被改过（{file}）")
}

pub(crate) fn trail_strays(from: u64, file: &str) -> String {
    format!("审计记录第 {from} 条起与前面接不上（{file}）")
}

pub(crate) fn trail_differs(seq: u64) -> String {
    format!("审计记录第 {seq} 条与当时的签点不符，记录被改写过")
}

pub(crate) fn trail_of_a_copy(seq: u64) -> String {
    format!("审计记录第 {seq} 条与签点不符，写于发现本机数据被复制或恢复之前")
}

pub(crate) fn trail_of_former_life(from: u64, until: u64) -> String {
    format!("审计记录第 {from} 至 {until} 条写在恢复备份之前，不在本机")
}

pub(crate) fn trail_doubted(device: &str) -> String {
    format!("设备 {device} 的审计签点前后矛盾，请到该机核查")
}

pub(crate) fn erase_not_entitled() -> CommandError {
    CommandError::failed("not_entitled", "只有收件机构及其上级可以销毁个人信息。")
}

pub(crate) fn unknown_conflict(text: &str) -> CommandError {
    CommandError::failed(
        "unknown_conflict",
        format!("没有编号以 {text} 开头的冲突事项，请用 conflict list 查看。"),
    )
}

pub(crate) fn short_conflict() -> CommandError {
    CommandError::usage("bad_conflict", "冲突编号至少要写前 8 位，请用 conflict list 查看。")
}

pub(crate) fn ambiguous_conflict(text: &str) -> CommandError {
    CommandError::failed(
        "ambiguous_conflict",
        format!("编号以 {text} 开头的冲突不止一个，请多写几位。"),
    )
}

pub(crate) fn bad_choice(choice: &str, choices: &str) -> CommandError {
    CommandError::usage("bad_choice", format!("“{choice}”不在可选项中。可选：{choices}。"))
}

pub(crate) fn nothing_to_undo() -> CommandError {
    CommandError::failed("not_resolved", "这个冲突还没有裁定，没有可撤销的。")
}

pub(crate) fn fork_by_itself() -> CommandError {
    CommandError::failed(
        "fork",
        "设备分叉不用裁定：请停用被复制的那一份数据，保留一台；该设备联网后会自动换用新的节点编码，此项随即消除。",
    )
}

pub(crate) fn rooms_do_not_resolve() -> CommandError {
    CommandError::failed("not_entitled", "冲突由乡镇或县中心裁定，请联系乡镇中心。")
}

pub(crate) fn choice_label(kind: ConflictKind, choice: &str) -> Option<&'static str> {
    match (kind, choice) {
        (ConflictKind::Duplicate, crate::views::groups::CHOICE_SEPARATE) => Some("不是重复，分别办理"),
        (ConflictKind::SameNumber, crate::views::groups::CHOICE_SEPARATE) => Some("已知悉，两件分别办理"),
        (_, crate::views::groups::CHOICE_UNDO) => Some("撤销先前的裁定"),
        _ => None,
    }
}

pub(crate) const LEADS: &str = "以此件为主";

/// What somebody tried with a case that is written once.
pub(crate) const OVERWRITTEN: &str = "有人想改写这件已经记下的内容，没有生效，原来的内容不变";

/// Verification.
pub(crate) fn verify_failed(faults: usize) -> String {
    format!("发现 {faults} 处问题：账目文件损坏的部分会从上级或下级重新取回；索引不符的请执行 reindex。")
}

pub(crate) const VERIFY_CLEAN: &str = "账目、签名、索引全部相符。";

pub(crate) fn row_differs(no: &str, record: impl std::fmt::Display) -> String {
    format!("索引与账目不符：{no}（{record}），请执行 reindex")
}

pub(crate) fn row_missing(record: impl std::fmt::Display) -> String {
    format!("索引缺少一行：{record}，请执行 reindex")
}

pub(crate) fn row_extra(count: u64) -> String {
    format!("索引多出 {count} 行，请执行 reindex")
}

pub(crate) fn tier_label(tier: Tier) -> &'static str {
    match tier {
        Tier::Room => "村室",
        Tier::Township => "乡镇",
        Tier::County => "县",
    }
}

/// Why an event is shown grey.
pub(crate) fn void_reason(reason: &VoidReason) -> String {
    match reason {
        VoidReason::UnknownEvent => "当前模板没有这个事件".to_owned(),
        VoidReason::Unreadable => "内容无法识别".to_owned(),
        VoidReason::WrongState { state } => format!("当时状态（{state}）下不能办理"),
        VoidReason::NotEntitled => "当时无权办理".to_owned(),
        VoidReason::BadData { name } => format!("“{name}”缺失或不合规定"),
        VoidReason::Concurrent { by } => format!("与同时发生的另一事件（{by}）冲突，以其为准"),
    }
}

/// As [`flag`]; of two who claimed apart, the second helps.
pub(crate) fn flag_of(kind: &str, flag: Flag) -> &'static str {
    match (kind, flag) {
        ("claim", Flag::Joined) => "协办",
        (_, flag) => self::flag(flag),
    }
}

pub(crate) fn flag(flag: Flag) -> &'static str {
    match flag {
        Flag::SecondNotice => "二次告知",
        Flag::Joined => "与他岗一致",
        Flag::Upheld => "经裁定有效",
        Flag::DateCorrected => "日期已更正",
        Flag::Late => "补录",
    }
}

pub(crate) const UNREADABLE_ENTRY: &str = "条目内容无法识别，已原样保存";
pub(crate) const UNKNOWN_ENTRY: &str = "需升级：条目由更高版本写入，已原样保存";
pub(crate) const EXCESS_ENTRY: &str = "这台设备对同一件的改动过多，超出的已原样保存，不再计入";
pub(crate) const UNRECOGNISED: &str = "待认：作者已被撤销或尚未接入，待上级声明后计入";
pub(crate) const DAMAGED: &str = "账目文件有损坏，已隔离，正在从其他设备重新取回";
pub(crate) const HEALED: &str = "账目文件有过损坏，已隔离，内容已全部取回；请检查硬盘，必要时更换";
