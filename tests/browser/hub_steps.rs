//! The steps of a township on its own page of a case, each with what the form asks of it: a stop of the clock, a case sent up, papers that are
//! missing, refusals, ways out and back, an errand for the room. What is left out is said in words, and nothing typed is lost.

use cunlian_tests::county::cert_no;

use super::driver::{Browser, until};
use super::hub::Centres;
use super::hub_work::{press_words, says};

/// 宅基地审批: the township accepts and decides.
const LAND: &str = "A01";
const PEOPLE: [&str; 4] = ["张三", "李四", "王五", "赵六"];

fn open(centres: &Centres, browser: &Browser, number: &str) {
    browser.go(&centres.url(centres.town, &format!("/case/{number}")));
    browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; }); return true");
}

/// Types into the form of a step.
fn type_for(browser: &Browser, event: &str, name: &str, words: &str) {
    browser.type_into_plain(&format!("form:has(button[value={event}]) input[name={name}]"), words);
}

fn typed_for(browser: &Browser, event: &str, name: &str) -> String {
    let value = browser.js(&format!(
        "return document.querySelector('form:has(button[value={event}]) input[name={name}]').value"
    ));
    value.as_str().unwrap_or_default().to_owned()
}

/// Sends a form past the browser's own look at it, as a page that is older than its program would.
fn send_unlooked(browser: &Browser, event: &str) {
    browser.js(&format!(
        "var b = document.querySelector('form button[value={event}]'); b.form.noValidate = true; b.click(); return true"
    ));
}

fn problem(browser: &Browser, words: &str) {
    browser.wait("a refusal", |b| {
        b.js("return document.querySelectorAll('.problem').length") == 1
    });
    says(browser, words);
}

fn state(centres: &Centres, number: &str) -> String {
    let shown = centres
        .json(centres.town, &["case", "show", number])
        .unwrap_or_default();
    shown["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn each_step_of_a_township_is_taken_on_the_page_with_what_the_form_asks_for() {
    let centres = Centres::open();
    let numbers: Vec<String> = PEOPLE
        .iter()
        .zip(1..)
        .map(|(name, person)| centres.receive(LAND, name, &cert_no(person)))
        .collect();
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "赵主任", "head");
    stopped_and_sent_up(&centres, &browser, &numbers[0]);
    papers_are_missing(&centres, &browser, &numbers[1]);
    refused_and_back(&centres, &browser, &numbers[2]);
    // The applicant does not want it any more.
    open(&centres, &browser, &numbers[3]);
    type_for(&browser, "return", "note", "申请人要求退回");
    press_words(&browser, "#steps button", "退件");
    says(&browser, "现在是“已退件”");
    until("the room reads all of it", || {
        let of = |number: &String| {
            let shown = centres.json(centres.room, &["case", "show", number]);
            shown.unwrap_or_default()["state"].clone()
        };
        numbers.iter().map(of).collect::<Vec<_>>() == ["forwarded", "received", "void", "returned"]
    });
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

fn stopped_and_sent_up(centres: &Centres, browser: &Browser, number: &str) {
    open(centres, browser, number);
    press_words(browser, "#steps button", "受理");
    says(browser, "现在是“已受理”");
    press_words(browser, "#steps button", "办理");
    says(browser, "现在是“办理中”");
    open(centres, browser, number);
    browser
        .js("document.querySelector('form:has(button[value=suspend]) select[name=result]').value = '2'; return true");
    type_for(browser, "suspend", "note", "公示十五天");
    press_words(browser, "#steps button", "特别程序开始");
    says(browser, "现在是“特别程序”");
    says(browser, "公示十五天");
    browser.screen("hub-suspended");
    // From the inbox, with whatever else stands still.
    browser.go(&centres.url(centres.town, "/inbox"));
    says(browser, "特别程序");
    browser.js(&format!(
        "document.querySelector('#many input[value=\"{number}\"]').checked = true; return true"
    ));
    press_words(browser, "#many button", "特别程序结束");
    says(browser, "已办");
    assert_eq!(state(centres, number), "processing");
    open(centres, browser, number);
    press_words(browser, "#steps button", "转报上级");
    says(browser, "现在是“已转报”");
    until("the county's inbox has it", || {
        let shown = centres.json(centres.hub, &["case", "show", number]).unwrap_or_default();
        shown["state"] == "forwarded"
    });
}

fn papers_are_missing(centres: &Centres, browser: &Browser, number: &str) {
    open(centres, browser, number);
    type_for(browser, "ask", "note", "请下次一起带来");
    send_unlooked(browser, "ask");
    problem(browser, "材料");
    assert_eq!(typed_for(browser, "ask", "note"), "请下次一起带来");
    assert_eq!(state(centres, number), "received");
    browser.js("document.querySelector('form:has(button[value=ask]) input[name=items]').checked = true; return true");
    type_for(browser, "ask", "more_items", "宗地图、村里证明");
    press_words(browser, "#steps button", "补正告知");
    says(browser, "现在是“待补正”");
    says(browser, "宗地图");
    open(centres, browser, number);
    press_words(browser, "#steps button", "补齐");
    says(browser, "现在是“已收件”");
    an_errand_for_the_room(centres, browser, number);
}

fn an_errand_for_the_room(centres: &Centres, browser: &Browser, number: &str) {
    open(centres, browser, number);
    press_unlooked_errand(browser);
    problem(browser, "请写明要代办什么");
    browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; }); return true");
    browser.type_into_plain("form[action$='/errand'] input[name=task]", "到村里取原件送镇上");
    press_words(browser, "form[action$='/errand'] button", "开代办");
    says(browser, "到村里取原件送镇上");
    let errand = browser.path().trim_start_matches("/case/").to_owned();
    assert_ne!(errand, number);
    browser.screen("hub-errand-opened");
    open(centres, browser, number);
    says(browser, &errand);
    until("the room has it", || {
        centres.json(centres.room, &["case", "show", &errand]).is_some()
    });
    centres
        .json(centres.room, &["case", "do", &errand, "claim"])
        .expect("claimed at the room");
    until("the township reads who runs it", || {
        state(centres, &errand) == "claimed"
    });
}

fn press_unlooked_errand(browser: &Browser) {
    browser.js(
        "var f = document.querySelector(\"form[action$='/errand']\"); f.noValidate = true; f.querySelector('button').click(); return true",
    );
}

fn refused_and_back(centres: &Centres, browser: &Browser, number: &str) {
    open(centres, browser, number);
    type_for(browser, "refuse", "note", "已电话说明");
    send_unlooked(browser, "refuse");
    problem(browser, "理由");
    assert_eq!(
        typed_for(browser, "refuse", "note"),
        "已电话说明",
        "nothing typed is lost"
    );
    type_for(browser, "refuse", "reason", "与规划不符");
    press_words(browser, "#steps button", "不予受理");
    says(browser, "现在是“不予受理”");
    says(browser, "与规划不符");
    for (event, words, why, now) in [
        ("reopen", "重开", "规划已调整", "现在是“办理中”"),
        ("void", "作废", "重复登记", "现在是“已作废”"),
    ] {
        open(centres, browser, number);
        send_unlooked(browser, event);
        problem(browser, "理由");
        browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; }); return true");
        type_for(browser, event, "reason", why);
        press_words(browser, "#steps button", words);
        says(browser, now);
        says(browser, why);
    }
}
