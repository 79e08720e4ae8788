//! A township at work in a real browser: from the inbox to a decision, many at once, a conflict decided and undone, what waits after a PC
//! was taken out, bad evaluations. Nonsense is typed on the way.

use cunlian_tests::PlaceId;
use cunlian_tests::api::Api;
use serde_json::{Value, json};

use super::driver::{Browser, until};
use super::hub::{Centres, PASSWORD};

/// 宅基地审批: the township accepts and decides.
const LAND: &str = "A01";
const OTHER_ROOM: &str = "511603102203";
const ZHANG: &str = "11010519491231002X";
const LI: &str = "511603199909258227";

pub(super) fn ask(centres: &Centres, at: PlaceId, request: &Value) -> Value {
    let mut api = Api::connect(centres.county[at].data()).expect("an api");
    api.ask(request).expect("an answer")
}

/// Presses the one button of a form whose words are these.
pub(super) fn press_words(browser: &Browser, css: &str, words: &str) {
    let script = format!(
        "var all = [...document.querySelectorAll({})].filter(b => b.textContent.trim() === {}); \
         if (!all.length) return false; var d = all[0].closest('details'); if (d) d.open = true; all[0].click(); return true",
        json!(css),
        json!(words)
    );
    assert_eq!(
        browser.js(&script),
        true,
        "{words} at {}:\n{}",
        browser.path(),
        browser.text()
    );
}

pub(super) fn says(browser: &Browser, words: &str) {
    browser.wait(words, |b| b.text().contains(words));
}

#[test]
fn a_township_morning_from_the_inbox_to_the_decision() {
    let centres = Centres::open();
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "李芳", "clerk");
    assert!(browser.text().contains("没有等本中心办的件"), "{}", browser.text());
    let first = centres.receive(LAND, "张三", ZHANG);
    says(&browser, "列表有变化");
    let second = centres.receive(LAND, "李四", LI);
    browser.go(&centres.url(centres.town, "/inbox"));
    let text = browser.text();
    assert!(text.contains(&first) && text.contains(&second), "{text}");
    assert!(
        text.contains("受理期限：还剩") && text.contains("张*") && !text.contains("张三"),
        "{text}"
    );
    browser.screen("inbox");

    // Nothing ticked, then all of them; pressed again from the page that was left open.
    press_words(&browser, "#many button", "受理");
    says(&browser, "请先勾选办件");
    browser.go(&centres.url(centres.town, "/inbox"));
    browser.js("document.querySelectorAll('#many input[type=checkbox]').forEach(c => c.checked = true); return true");
    press_words(&browser, "#many button", "受理");
    says(&browser, "-00002号");
    browser.screen("inbox-many");
    browser.js("history.back(); return true");
    browser.wait("the inbox", |b| b.path() == "/inbox");
    browser.js("document.querySelectorAll('#many input[type=checkbox]').forEach(c => c.checked = true); return true");
    press_words(&browser, "#many button", "受理");
    says(&browser, "先前已办");

    decide(&centres, &browser, &first);
    assert_eq!(browser.complaints(), Vec::<String>::new());
    look_again(&centres, &browser, &first);
}

/// One case to its end, on its page.
fn decide(centres: &Centres, browser: &Browser, number: &str) {
    browser.go(&centres.url(centres.town, &format!("/case/{number}")));
    press_words(browser, "#steps button", "办理");
    says(browser, "现在是“办理中”");
    browser.type_into("form[action$='/do'] input[name=note]", "<b>乱写</b> ' \" & 已核对");
    press_words(browser, "#steps button", "决定");
    says(browser, "现在是“已决定”");
    press_words(browser, "#steps button", "办结");
    says(browser, "现在是“已办结”");
    // In the clear for a reason only, and once.
    browser.type_into("form[action$='/reveal'] input[name=reason]", "电话通知取件");
    press_words(browser, "form[action$='/reveal'] button", "看完整信息");
    says(browser, "张三");
    browser.go(&centres.url(centres.town, &format!("/case/{number}")));
    assert!(
        !browser.text().contains("张三"),
        "who loads the page again sees it masked"
    );
    browser.screen("hub-case");
    until("the room knows", || {
        let shown = centres.json(centres.room, &["case", "show", number]);
        shown.is_some_and(|shown| shown["state"] == "closed")
    });
}

/// The register, a search, addresses that nobody means.
fn look_again(centres: &Centres, browser: &Browser, number: &str) {
    browser.go(&centres.url(centres.town, "/register"));
    let text = browser.text();
    assert!(text.contains(number) && text.contains("连续，无缺号"), "{text}");
    browser.go(&centres.url(centres.town, "/find"));
    browser.type_into_plain("#text", "张三");
    press_words(browser, "form[action='/find'] button", "查找");
    says(browser, number);
    assert!(!browser.path().contains("张"), "no name in an address");
    for path in [
        "/inbox?after=1.2.3&unit=%3Cscript%3E",
        "/inbox?state=胡写",
        "/case/5116-nonsense",
        "/register?year=abc&after=%00",
        "/errands?page=99999&unit=x",
    ] {
        browser.go(&centres.url(centres.town, path));
        let text = browser.text();
        assert!(!text.contains("程序出了错") && text.contains("村联"), "{path}: {text}");
    }
}

#[test]
fn a_conflict_is_decided_and_undone_and_an_auditor_only_looks() {
    let mut centres = Centres::open();
    let other = centres.county.room(OTHER_ROOM, &[centres.town]).expect("a room");
    let first = centres.receive(LAND, "张三", ZHANG);
    let args = ["case", "new", "--matter", LAND, "--name", "张三", "--cert-no", ZHANG];
    centres.county[other].json(&args).expect("a case");
    until("the conflict is seen", || {
        let list = centres.json(centres.town, &["conflict", "list"]).unwrap_or_default();
        list.as_array().is_some_and(|all| all.len() == 1)
    });
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "赵主任", "head");
    browser.go(&centres.url(centres.town, "/conflicts"));
    let text = browser.text();
    assert!(
        text.contains("并案") && text.contains(&first) && text.contains("张*"),
        "{text}"
    );
    browser.screen("conflict");
    browser.type_into_plain("form.conflict input[name=note]", "同一块地");
    press_words(&browser, "form.conflict button", "选这个");
    says(&browser, "已裁决，各级会按它更新");
    says(&browser, "同一块地");
    press_words(&browser, "form.conflict button", "撤销这个裁决");
    says(&browser, "已撤销，重新待裁决");
    press_words(&browser, "form.conflict button", "分别办理");
    says(&browser, "已裁决");
    for path in [
        "/conflicts?kind=胡写&page=9",
        "/setaside",
        "/waiting",
        "/waiting?done=1",
        "/follow",
        "/errands",
    ] {
        browser.go(&centres.url(centres.town, path));
        assert!(
            browser.text().contains("没有") || browser.text().contains("还没有"),
            "{path}"
        );
    }
    browser.go(&centres.url(centres.town, "/setaside"));
    browser.screen("setaside");
    press_words(&browser, "form[action='/leave'] button", "退出");
    browser.wait("the log-in", |b| b.path() == "/login");
    centres.enter(&browser, centres.town, "钱审计", "auditor");
    browser.go(&centres.url(centres.town, "/conflicts?done=1"));
    let forms = browser.js("return document.querySelectorAll('form.conflict').length");
    assert_eq!(forms, 0, "an auditor changes nothing");
    assert!(!PASSWORD.is_empty());
}

#[test]
fn what_a_pc_wrote_before_it_was_taken_out_is_left_taken_back_and_let_in_and_a_bad_word_is_followed_up() {
    let centres = Centres::open();
    let number = centres.receive("B23", "张三", ZHANG);
    let act = |event: &str, more: Value| {
        let mut request = json!({"command": "case_do", "number": number, "event": event});
        request
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().cloned().unwrap_or_default());
        ask(&centres, centres.room, &request)
    };
    act("accept", json!({}));
    act("close", json!({"result": "6"}));
    let rate = json!({"command": "evaluate", "number": number, "rating": 5, "press": "one"});
    ask(&centres, centres.room, &rate);
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "赵主任", "head");
    follow_up(&centres, &browser, &number);

    // The county takes the PC out without having heard of its last case.
    centres.county.cut(centres.town);
    let late = centres.receive(LAND, "李四", LI);
    let device = ask(&centres, centres.room, &json!({"command": "status"}))["device"]
        .as_str()
        .expect("a device")
        .to_owned();
    centres
        .json(centres.hub, &["member", "revoke", &device, "--reason", "电脑丢失"])
        .expect("taken out");
    centres.county.heal(centres.town);
    until("it waits", || {
        let list = ask(&centres, centres.town, &json!({"command": "work", "work": "waiting"}));
        list["devices"].as_array().is_some_and(|all| all.len() == 1)
    });
    browser.go(&centres.url(centres.town, "/waiting"));
    let text = browser.text();
    assert!(
        text.contains("电脑丢失") && text.contains(&late) && text.contains("收件"),
        "{text}"
    );
    browser.screen("waiting");
    let reason = "form[action='/waiting/leave'] input[name=reason]";
    browser.type_into(reason, "来历不明 <i>");
    press_words(&browser, "form[action='/waiting/leave'] button", "不采纳");
    says(&browser, "已标为不采纳");
    browser.go(&centres.url(centres.town, "/waiting?done=1"));
    says(&browser, "来历不明 <i>");
    browser.type_into(reason, "核实过了");
    press_words(&browser, "form[action='/waiting/leave'] button", "撤回，重新待认");
    says(&browser, "已撤回");
    press_words(&browser, "form[action='/waiting/extend'] button", "采纳");
    says(&browser, "已采纳");
    let shown = centres.json(centres.town, &["case", "show", &late]).expect("it counts");
    assert_eq!(shown["state"], "received");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

fn follow_up(centres: &Centres, browser: &Browser, number: &str) {
    until("the bad word is known", || {
        let list = ask(centres, centres.town, &json!({"command": "work", "work": "follow_ups"}));
        list["total"] == 1
    });
    browser.go(&centres.url(centres.town, "/follow"));
    let text = browser.text();
    assert!(
        text.contains(number) && text.contains("非常不满意") && text.contains("还剩"),
        "{text}"
    );
    browser.type_into_plain("form[action='/follow/say'] input[name=note]", "张三家已上门");
    press_words(browser, "form[action='/follow/say'] button", "记下");
    browser.wait("a refusal", |b| {
        b.js("return document.querySelectorAll('.problem').length") == 1
    });
    browser.type_into_plain("form[action='/follow/say'] input[name=note]", "已上门致歉");
    press_words(browser, "form[action='/follow/say'] button", "记下");
    says(browser, "已记下");
    browser.screen("follow-up");
    browser.type_into_plain("form[action='/follow/say'] input[name=note]", "办妥");
    press_words(browser, "form[action='/follow/say'] button", "记下并办结");
    says(browser, "回访办结");
}
