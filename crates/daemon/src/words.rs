//! The Chinese texts of the command line: what keys and values are called on the screen.

/// What the keys of results are called.
const LABELS: &[(&str, &str)] = &[
    ("project_no", "办件编号"),
    ("record_id", "记录"),
    ("unit", "机构"),
    ("unit_name", "名称"),
    ("name", "名称"),
    ("matter", "事项"),
    ("matter_name", "事项名称"),
    ("state", "状态"),
    ("due_on", "截止日"),
    ("provisional", "暂定"),
    ("receipt", "层级"),
    ("tier", "层级"),
    ("device", "设备"),
    ("version", "版本"),
    ("scopes", "账套"),
    ("kind", "类别"),
    ("digest", "摘要"),
    ("entries", "条目"),
    ("records", "记录数"),
    ("pending", "待传"),
    ("township", "乡镇"),
    ("county", "县"),
    ("room", "村室"),
    ("oldest_pending_s", "最久待传"),
    ("peers", "对端"),
    ("connected", "在线"),
    ("last_seen_s", "上次联系"),
    ("rtt_ms", "往返毫秒"),
    ("skew_ms", "时钟差毫秒"),
    ("journal", "流水"),
    ("bytes", "字节"),
    ("conflicts", "冲突"),
    ("quarantined", "隔离"),
    ("as_of", "截至"),
    ("recorded", "已登记"),
    ("at_township", "到乡镇"),
    ("at_county", "到县"),
    ("disk_free_bytes", "磁盘剩余"),
    ("role", "角色"),
    ("ticket", "入网票"),
    ("expires_ms", "有效期至"),
    ("expires", "有效期至"),
    ("imported", "新登记"),
    ("unchanged", "已有"),
    ("rejected", "未收"),
    ("line", "行"),
    ("reason", "原因"),
    ("fields", "字段"),
    ("events", "经过"),
    ("items", "材料"),
    ("receipts", "回执"),
    ("on", "业务日期"),
    ("user", "经办人"),
    ("at", "时间"),
    ("at_ms", "时间"),
    ("wall_ms", "时间"),
    ("void", "作废"),
    ("flags", "标记"),
    ("id", "编号"),
    ("choices", "可选"),
    ("subjects", "涉及"),
    ("sides", "涉及"),
    ("value", "内容"),
    ("values", "内容"),
    ("result", "结果"),
    ("rating", "评价"),
    ("note", "备注"),
    ("accepted_on", "受理日"),
    ("evaluation", "评价"),
    ("closure", "办结"),
    ("head", "基本信息"),
    ("field", "项目"),
    ("leads", "暂以此为准"),
    ("clerk", "经办人"),
    ("catalogue", "目录版本"),
    ("form", "模板版本"),
    ("settled", "资料收齐"),
    ("recovery_file", "恢复文件"),
    ("root_key_file", "恢复文件"),
    ("ok", "正常"),
    ("frames", "帧"),
    ("damaged", "损坏"),
    ("custody", "经手"),
    ("node_code", "编号段"),
    ("software", "程序"),
    ("revoked", "已停用"),
    ("admitted_by", "准入者"),
    ("number", "编号"),
    ("event", "办理"),
    ("remarks", "提示"),
    ("notices", "补正告知"),
    ("suspensions", "特别程序"),
    ("waiting", "等待前序"),
    ("unrecognised", "待认"),
    ("mobile", "电话"),
    ("cert_no", "身份证号"),
    ("address", "住址"),
    ("received", "已收到"),
];

/// What a key of a result is called; a key without a word is shown as it is.
pub(crate) fn label(key: &str) -> &str {
    LABELS
        .iter()
        .find(|(known, _)| *known == key)
        .map_or(key, |(_, word)| word)
}

/// What a value is called, where it is a word of ours.
pub(crate) fn value(key: &str, text: &str) -> Option<&'static str> {
    let found = match key {
        "receipt" | "tier" => tier(text),
        "state" => state(text),
        "kind" => kind(text),
        "event" => event(text),
        "role" => match text {
            "hub" => "中心",
            "node" => "村室电脑",
            _ => "",
        },
        _ => "",
    };
    (!found.is_empty()).then_some(found)
}

fn tier(text: &str) -> &'static str {
    match text {
        "room" => "村室",
        "township" => "乡镇",
        "county" => "县",
        _ => "",
    }
}

fn state(text: &str) -> &'static str {
    match text {
        "draft" => "草稿",
        "received" => "已收件",
        "awaiting_materials" => "待补正",
        "accepted" => "已受理",
        "refused" => "不予受理",
        "processing" => "办理中",
        "suspended" => "特别程序",
        "forwarded" => "已转报",
        "decided" => "已决定",
        "closed" => "已办结",
        "delivered" => "已送达",
        "withdrawn" => "已撤件",
        "returned" => "已退件",
        "void" => "已作废",
        "in_step" => "已同步",
        "behind" => "落后",
        "silent" => "失联",
        "never_seen" => "从未联系",
        "revoked" => "已停用",
        "unknown" => "不明",
        "live" | "member" => "在用",
        _ => "",
    }
}

fn kind(text: &str) -> &'static str {
    match text {
        "book" => "台账",
        "public" => "公开",
        "double_closing" => "双重办结",
        "void_event" => "无效办理",
        "field" => "内容不一",
        "overwritten" => "被改写",
        "duplicate" => "并案",
        "same_number" => "重号",
        "fork" => "分叉（设备被复制）",
        _ => event(text),
    }
}

fn event(text: &str) -> &'static str {
    match text {
        "receive" => "收件",
        "ask" => "补正告知",
        "supply" => "补齐",
        "accept" => "受理",
        "refuse" => "不予受理",
        "process" => "办理",
        "suspend" => "特别程序",
        "resume" => "特别程序结束",
        "forward" => "转报上级",
        "decide" => "决定",
        "close" => "办结",
        "deliver" => "送达",
        "evaluate" => "评价",
        "withdraw" => "撤件",
        "return" => "退件",
        "void" => "作废",
        "reopen" => "重开",
        "hand_over" => "移交",
        "note" => "备注",
        "resolve" => "裁定",
        "correct" => "更正",
        _ => "",
    }
}
