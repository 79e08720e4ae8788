//! A whole day at the desk without a mouse: coming in, a case on the spot and the applicant's word, a case that waits, an errand, a
//! post taken over, a case sought and its receipt printed, the day closed, going home. Run with `CUNLIAN_SCREENS=node/screens` it makes the pictures of README.

use super::driver::{Browser, ENTER, until};
use super::{Desk, PIN};

fn said(browser: &Browser, words: &str) {
    browser.wait(words, |b| b.text().contains(words));
}

/// Chooses a matter and types the person's number.
fn typed(browser: &Browser, matter: &str, cert_no: &str) {
    browser.wait("the box for the matter", |b| b.focus() == "q");
    browser.keys(&format!("{matter}{ENTER}"));
    browser.wait("on to the number", |b| b.focus() == "cert_no");
    browser.keys(cert_no);
    said(browser, "号码正确");
}

fn pin(browser: &Browser) {
    browser.wait("the PIN", |b| b.focus() == "pin");
    browser.keys(&format!("{PIN}{ENTER}"));
    browser.wait("back at the desk", |b| b.path() != "/login");
}

#[test]
fn a_whole_day_is_worked_without_a_mouse() {
    let desk = Desk::open();
    let code = desk.name("李芳", "clerk");
    // What was on the table yesterday.
    for matter in ["A01", "B23", "A03"] {
        desk.receive(matter);
    }
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    desk.name("王强", "head");
    browser.wait("today begins at 登记", |b| b.text().contains("今日收件"));
    on_the_spot(&desk, &browser);
    let number = with_materials_missing(&desk, &browser);
    errand(&browser, &number);
    covered(&browser);
    sought_and_printed(&browser, &number);
    closed(&desk, &browser);
    browser.menu('1');
    browser.wait("today", |b| b.path() == "/");
    assert!(browser.text().contains("代办在办"), "the errand waits");
    browser.screen("today");
    browser.enter_on("form[action='/leave'] button");
    browser.wait("gone home", |b| b.path() == "/login" && b.focus() == "pin");
    assert_eq!(desk.cases().len(), 5);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Received and closed in one go; the applicant says how it was.
fn on_the_spot(desk: &Desk, browser: &Browser) {
    browser.keys(&ENTER.to_string());
    browser.wait("new case", |b| b.path() == "/new");
    typed(browser, "A06", "110105196003070021");
    browser.keys(&format!("{ENTER}王秀英{ENTER}13800138000{ENTER}高河村3组"));
    browser.screen("new");
    browser.enter_on("button[value=close]");
    said(browser, "已办结");
    assert!(browser.text().contains("已存本机"));
    browser.enter_on("form[action$='/evaluate'] button");
    browser.wait("the applicant's page", |b| b.path() == "/evaluate");
    browser.screen("evaluation");
    browser.enter_on("button.face[value='2']");
    said(browser, "谢谢，您的评价已存好");
    browser.enter_on("main a.button");
    pin(browser);
    let rated = || desk.cases().iter().filter(|c| c["rating"] == 2).count();
    assert_eq!(rated(), 1);
}

/// A case that waits for a material, is given it, is accepted by the township.
fn with_materials_missing(desk: &Desk, browser: &Browser) -> String {
    browser.menu('2');
    browser.wait("new case", |b| b.path() == "/new");
    typed(browser, "zjd", "11010519491231002X");
    // Somebody who was here before: Enter goes to the offer, Enter takes it.
    said(browser, "这个人以前来办过");
    browser.keys(&format!("{ENTER}{ENTER}"));
    browser.wait("the name of last time", |b| {
        b.focus() == "mobile" && b.js("return document.getElementById('name').value") == "张三"
    });
    browser.send();
    said(browser, "已存本机");
    let number = browser.path().trim_start_matches("/case/").to_owned();
    browser.enter_on("details:has(button[value=ask]) summary");
    browser.space_on("details[open] input[name=items]");
    browser.enter_on("button[value=ask]");
    said(browser, "待补正");
    browser.menu('1');
    said(browser, "等补材料 1");
    browser.enter_on(&format!("a[href='/case/{number}']"));
    browser.wait("the case", |b| b.path().ends_with(&number));
    browser.enter_on("details:has(button[value=supply]) summary");
    browser.enter_on("button[value=supply]");
    said(browser, "现在是“已收件”");
    desk.sent(&number);
    until("the township accepts", || {
        desk.county[desk.town].json(&["case", "do", &number, "accept"]).is_ok()
    });
    browser.wait("the township's answer comes by itself", |b| b.text().contains("第10天"));
    browser.enter_on("#ahead a");
    browser.wait("the steps of now", |b| {
        b.js("return !document.getElementById('ahead')") == true
    });
    browser.screen("case");
    number
}

/// The old villager cannot walk: the clerk carries it.
fn errand(browser: &Browser, number: &str) {
    browser.enter_on("details:has(input[name=task]) summary");
    browser.tab_to("input[name=task]");
    browser.keys("代交村民会议记录");
    browser.enter_on("form[action$='/errand'] button");
    said(browser, "领办人");
    assert!(browser.text().contains(number) && browser.text().contains("李芳（高河村委会）"));
    browser.enter_on("details:has(button[value=progress]) summary");
    browser.tab_to("details[open] input[name=note]");
    browser.keys("已送乡镇窗口");
    browser.enter_on("button[value=progress]");
    said(browser, "代办中");
    browser.menu('4');
    browser.wait("the errands", |b| {
        b.path() == "/errands" && b.text().contains("代交村民会议记录")
    });
    browser.screen("errands");
}

/// B岗顶岗: said on every step from then on.
fn covered(browser: &Browser) {
    browser.menu('9');
    browser.wait("the post", |b| b.focus() == "of");
    browser.keys(&format!("王强{ENTER}外出开会{ENTER}"));
    browser.keys(&ENTER.to_string());
    browser.wait("covered", |b| b.path() == "/" && b.text().contains("B岗顶岗"));
    browser.enter_on("table a[href^='/case/']");
    browser.wait("a case", |b| b.path().starts_with("/case/"));
    browser.enter_on("details:has(button[value=note]) summary");
    browser.tab_to("details[open] input[name=note]");
    browser.keys("电话已通知");
    browser.enter_on("button[value=note]");
    said(browser, "代王强（外出开会）");
}

/// Somebody asks after the case by name, and wants the receipt once more.
fn sought_and_printed(browser: &Browser, number: &str) {
    browser.menu('3');
    browser.wait("the box", |b| b.focus() == "text");
    browser.keys(&format!("张三 宅基地{ENTER}"));
    // Two cases and the errand, which is called one.
    said(browser, "找到 3 件");
    said(browser, "代办中 代办");
    browser.enter_on(&format!("td a[href='/case/{number}']"));
    browser.wait("the case", |b| b.path().ends_with(number));
    browser.enter_on("form.papers button[value=receipt]");
    browser.wait("the paper", |b| b.path().ends_with("/paper"));
    assert!(browser.text().contains("收件回执") && browser.text().contains(number));
    browser.js("window.print = function () { window.printed = (window.printed || 0) + 1; }");
    browser.enter_on("form.noprint button.main");
    browser.wait("the printer's own window opens, once", |b| {
        b.js("return window.printed") == 1
    });
    browser.enter_on(&format!("a[href='/case/{number}']"));
    browser.wait("the case again", |b| b.path().ends_with(number));
}

/// 日结, as the last thing: the button is where the keyboard is.
fn closed(desk: &Desk, browser: &Browser) {
    browser.menu('5');
    browser.wait("the one thing to do", |b| {
        b.path() == "/day" && b.js("return document.activeElement.innerText") == "日结"
    });
    browser.keys(&ENTER.to_string());
    said(browser, "已日结，已存本机");
    said(browser, "已经日结，之后没有变化");
    let day = desk.county[desk.room].json(&["day", "show"]).expect("the day");
    assert_eq!(
        (&day["received"], &day["closed"], &day["same"]),
        (&5.into(), &1.into(), &true.into()),
        "{day}"
    );
    browser.screen("day");
}
