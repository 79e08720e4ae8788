//! What a township's and the county's work says to those who do it.

use crate::command::CommandError;

pub(crate) const DONE_ALREADY: &str = "先前已经办过，这次没有重复办理。";
pub(crate) const DOC_NO_GIVEN: &str = "编受理文书号";
pub(crate) const DOC_NO_VOID: &str = "作废";

pub(crate) fn doc_no_replaced(by: &str) -> String {
    format!("作废，改用 {by}")
}

pub(crate) fn unknown_place() -> CommandError {
    CommandError::usage("bad_place", "翻页的位置读不懂，请回到第一页重新翻。")
}

pub(crate) fn rooms_give_no_doc_no() -> CommandError {
    CommandError::failed(
        "not_a_hub",
        "受理文书号由乡镇、县中心的主机编，村（社区）先用临时回执。",
    )
}

pub(crate) fn not_accepted_yet() -> CommandError {
    CommandError::failed("not_accepted", "只有已经受理、没有作废的办件才编受理文书号，请先受理。")
}

pub(crate) fn has_doc_no(no: &str) -> CommandError {
    CommandError::failed(
        "has_doc_no",
        format!("这件已有受理文书号 {no}；要作废它另编一个，请写明理由。"),
    )
}

pub(crate) fn not_for_many() -> CommandError {
    CommandError::usage(
        "not_for_many",
        "成批办理只能“受理”“办理”或“特别程序结束”，其他环节请打开办件一件一件办。",
    )
}

pub(crate) fn how_many(max: usize) -> CommandError {
    CommandError::usage("how_many", format!("请先勾选办件，一次最多 {max} 件。"))
}

pub(crate) fn rooms_do_not_follow_up() -> CommandError {
    CommandError::failed("not_a_hub", "差评回访由乡镇或县中心办理。")
}

pub(crate) fn no_bad_review() -> CommandError {
    CommandError::failed("no_bad_review", "这件没有差评，不用回访。")
}

pub(crate) fn followed_up_already() -> CommandError {
    CommandError::failed("followed_up", "这件差评的回访已经办结，不能再写。")
}

pub(crate) fn say_what_was_done() -> CommandError {
    CommandError::usage("note_needed", "请写明回访了什么、怎样处理（500 字以内）。")
}

pub(crate) fn a_head_marks() -> CommandError {
    CommandError::failed("not_entitled", "恶意评价由中心负责人认定，请负责人登录办理。")
}

pub(crate) fn say_why_malicious() -> CommandError {
    CommandError::failed(
        "reason_needed",
        "请写明为什么认定，或为什么撤回（1 到 500 字，不要写姓名号码）。",
    )
}

pub(crate) fn marked_already(is_undone: bool) -> CommandError {
    let text = match is_undone {
        true => "这件的评价没有认定为恶意，不用撤回。",
        false => "这件的评价已经认定为恶意。",
    };
    CommandError::failed("marked_already", text)
}

pub(crate) fn a_head_closes() -> CommandError {
    CommandError::failed(
        "not_entitled",
        "回访办结由中心负责人确认；您可以先记下处理情况，再请负责人办结。",
    )
}

pub(crate) fn not_below() -> CommandError {
    CommandError::failed("not_below", "这台设备不归本中心管，请由它的上级中心处理。")
}

pub(crate) fn nothing_left() -> CommandError {
    CommandError::failed("nothing_left", "这台设备的待认记录没有标过“不采纳”，不用撤回。")
}
