//! What the words of results are called: states, events, kinds, codes. Part of the one catalogue.

/// What a word of a result is called; the word itself where a later version has one that is not known here.
fn known<'a>(list: &[(&str, &'static str)], text: &'a str) -> &'a str {
    list.iter()
        .find(|(word, _)| *word == text)
        .map_or(text, |(_, said)| said)
}

pub(crate) fn yes(yes: bool) -> &'static str {
    if yes { "是" } else { "否" }
}

pub(crate) fn tier(text: &str) -> &str {
    known(&[("room", "村室"), ("township", "乡镇"), ("county", "县")], text)
}

pub(crate) fn state(text: &str) -> &str {
    known(
        &[
            ("draft", "登记"),
            ("received", "已收件"),
            ("awaiting_materials", "待补正"),
            ("accepted", "已受理"),
            ("processing", "办理中"),
            ("suspended", "特别程序"),
            ("forwarded", "已转报"),
            ("decided", "已决定"),
            ("closed", "已办结"),
            ("double_closed", "双重办结"),
            ("delivered", "已送达"),
            ("refused", "不予受理"),
            ("withdrawn", "已撤件"),
            ("returned", "已退件"),
            ("void", "已作废"),
        ],
        text,
    )
}

pub(crate) fn event(text: &str) -> &str {
    known(
        &[
            ("receive", "收件"),
            ("ask", "补正告知"),
            ("supply", "补齐"),
            ("accept", "受理"),
            ("refuse", "不予受理"),
            ("process", "办理"),
            ("suspend", "特别程序开始"),
            ("resume", "特别程序结束"),
            ("forward", "转报上级"),
            ("decide", "决定"),
            ("close", "办结"),
            ("deliver", "送达"),
            ("evaluate", "评价"),
            ("withdraw", "撤件"),
            ("return", "退件"),
            ("void", "作废"),
            ("reopen", "重开"),
            ("hand_over", "移交"),
            ("note", "备注"),
            ("give_back", "退还材料"),
            ("correct_date", "更正日期"),
            ("resolve", "裁定"),
        ],
        text,
    )
}

pub(crate) fn conflict(kind: &str) -> &str {
    known(
        &[
            ("double_closing", "双重办结"),
            ("void_event", "同时办理"),
            ("field", "内容不一致"),
            ("overwritten", "改写已有内容"),
            ("duplicate", "疑似重复"),
            ("same_number", "编号重复"),
            ("fork", "设备分叉"),
        ],
        kind,
    )
}

/// What happened, for somebody who meets such an item for the first time.
pub(crate) fn conflict_story(kind: &str) -> &'static str {
    match kind {
        "double_closing" => "两处各自办结，结果不同；裁定前不算办结。",
        "void_event" => "两处同时办理，只能算一处；另一处不作数。",
        "field" => "同一栏两处各填了一个。",
        "overwritten" => "有人想改写已写定的内容，已拦下，原内容不变。核实后写一句结论即可。",
        "duplicate" => "同一人同一事项在两处登记，裁定前两件都有效。",
        "same_number" => "两件印了同一个编号，屏幕上一件加 -2；两件都有效。",
        _ => "",
    }
}

pub(crate) fn room_state(text: &str) -> &str {
    known(
        &[
            ("in_step", "在步"),
            ("behind", "落后"),
            ("silent", "静默"),
            ("never_seen", "从未上线"),
            ("held", "暂停"),
            ("revoked", "停用"),
            ("unknown", "不明"),
        ],
        text,
    )
}

pub(crate) fn role(text: &str) -> &str {
    known(&[("hub", "中心"), ("node", "村室电脑")], text)
}

/// A closing's result code.
pub(crate) fn result(code: i64) -> String {
    let word = match code {
        0 => "证照已发",
        1 => "退回",
        2 => "作废",
        3 => "删除",
        4 => "转报",
        5 => "材料未补",
        6 => "办结",
        7 => "纸质结果",
        _ => return format!("结果 {code}"),
    };
    format!("{code} {word}")
}

pub(crate) fn rating(grade: i64) -> String {
    let word = match grade {
        1 => "非常满意",
        2 => "满意",
        3 => "基本满意",
        4 => "不满意",
        5 => "非常不满意",
        _ => return grade.to_string(),
    };
    format!("{grade} {word}")
}

pub(crate) fn channel(text: &str) -> &str {
    known(&[("citizen", "本人"), ("paper", "纸质"), ("default", "默认")], text)
}

/// What a datum of an event is called.
pub(crate) fn datum(name: &str) -> &str {
    known(
        &[
            ("items", "材料"),
            ("reason", "理由"),
            ("note", ""),
            ("result", "结果"),
            ("rating", ""),
            ("channel", "渠道"),
            ("to", "到"),
            ("type", "类型"),
            ("doc_no", "文书号"),
            ("event", "事件"),
            ("conflict", "冲突"),
            ("choice", "取"),
        ],
        name,
    )
}

pub(crate) fn suspension(kind: i64) -> &'static str {
    if kind == 1 { "延期" } else { "其他" }
}

/// How a session with a peer is.
pub(crate) fn session(text: &str) -> &str {
    known(
        &[
            ("meeting", "正在见面"),
            ("catchingup", "正在追赶"),
            ("catching_up", "正在追赶"),
            ("instep", "已一致"),
            ("in_step", "已一致"),
            ("paused", "对方忙，稍后再试"),
        ],
        text,
    )
}

/// Why a peer ended the session for good.
pub(crate) fn bye(reason: &str) -> &str {
    known(
        &[
            ("revoked", "说本机已被停用"),
            ("held", "说本机已被暂停同步"),
            ("notamember", "不认识本机"),
            ("version", "程序版本不合，请升级"),
            ("fault", "说本机发来的内容不合规定"),
            ("joinrefused", "没有接受入网票"),
        ],
        reason,
    )
}

/// Why a peer did not take entries.
pub(crate) fn not_taken(reason: &str) -> &str {
    known(
        &[
            ("AuthorUnknown", "对方还不认识作者，认识后会自动重送"),
            ("NotEntitled", "作者无权写这个账本"),
            ("NotShared", "对方无权看这个账本"),
            ("Limit", "超过上限"),
        ],
        reason,
    )
}

/// How an item in quarantine is called, and what to do about it.
pub(crate) fn quarantine(kind: &str) -> (&str, &'static str) {
    match kind {
        "damaged" => (
            "账目损坏",
            "账目损坏：接通线路后会自动取回；取回前请不要删除数据文件夹。",
        ),
        "unreadable" => (
            "无法识别",
            "无法识别：原样保存着，不影响别的办件；请把设备号告诉管理员。",
        ),
        "excess" => ("过多", "过多：一台设备对同一件的改动太多，请查看这台设备，必要时停用。"),
        "unknown_kind" => ("需升级", "需升级：升级本机程序后会自动计入。"),
        "set_aside" => (
            "已搁置",
            "已搁置：这一处改动没有计入，办件其余部分照常；请向该设备的经办人核实。",
        ),
        "awaiting_version" => ("等版本", "等版本：接通线路，收到新的目录或模板后会自动计入。"),
        "awaiting_entries" => ("等前序", "等前序：接通线路，前面的记录到齐后会自动计入。"),
        "unrecognised" => (
            "待认",
            "待认：设备已停用或尚未接入；要算数，请在上级执行 member extend 设备号。",
        ),
        other => (other, ""),
    }
}
