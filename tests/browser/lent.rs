//! What is lent and carried: the screen for the applicant's own word, and errands from hand to hand.

use super::driver::{Browser, ENTER, until};
use super::{Desk, PIN};

fn open() -> (Desk, Browser) {
    let desk = Desk::open();
    let code = desk.name("李芳", "clerk");
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    (desk, browser)
}

fn said(browser: &Browser, words: &str) {
    browser.wait(words, |b| b.text().contains(words));
}

/// Sends a form of the page's own making, as somebody with the browser's tools would; gives the status.
fn forge(browser: &Browser, path: &str, fields: &str) -> i64 {
    let script = format!(
        "var token = JSON.parse(document.body.getAttribute('hx-headers'))['x-csrf-token'];
         var x = new XMLHttpRequest(); x.open('POST', '{path}', false);
         x.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
         x.send('csrf=' + token + '&{fields}'); return x.status"
    );
    browser.js(&script).as_i64().expect("a status")
}

fn unlock(browser: &Browser) {
    browser.wait("the PIN", |b| b.focus() == "pin");
    browser.keys(&format!("{PIN}{ENTER}"));
    browser.wait("back at the desk", |b| b.path() != "/login");
}

#[test]
fn only_the_applicant_says_how_it_was_and_a_clerk_who_tries_gets_nowhere() {
    let (desk, browser) = open();
    let number = desk.receive("A06");
    let room = |args: &[&str]| desk.county[desk.room].json(args).expect("done");
    room(&["case", "do", &number, "accept"]);
    browser.go(&desk.url(&format!("/case/{number}")));
    assert!(!browser.text().contains("请申请人评价"), "nothing is closed yet");
    room(&["case", "do", &number, "close", "--result", "6"]);
    let rated = || room(&["case", "show", &number])["evaluation"]["rating"].clone();

    // A clerk with all the tools of the browser.
    browser.go(&desk.url(&format!("/case/{number}")));
    let act = format!("/case/{number}/do");
    assert_eq!(forge(&browser, &act, "event=evaluate&rating=1&seen=3"), 403);
    assert_eq!(forge(&browser, "/evaluate", "rating=1&token="), 403);
    assert_eq!(forge(&browser, "/evaluate", "rating=1&token=00ff"), 403);

    // The screen is handed over: five faces in very large type, and nothing of the clerk's is left on it.
    browser.press("form[action$='/evaluate'] button");
    browser.wait("the applicant's page", |b| b.path() == "/evaluate");
    let page = browser.text();
    for word in ["非常满意", "满意", "基本满意", "不满意", "非常不满意", "不评价"] {
        assert!(page.contains(word), "{page}");
    }
    assert!(
        !page.contains("李芳") && !page.contains("今日") && !page.contains("张*"),
        "{page}"
    );
    let px = browser.js("return parseFloat(getComputedStyle(document.querySelector('.face')).fontSize)");
    assert!(px.as_f64().is_some_and(|px| px >= 30.0), "{px}");
    let token = browser.js("return document.querySelector('input[name=token]').value");
    let token = token.as_str().expect("a token").to_owned();
    // The clerk is locked out meanwhile; who gives the PIN takes the screen away and its token with it.
    browser.go(&desk.url(&format!("/case/{number}")));
    browser.wait("locked", |b| b.path() == "/login");
    unlock(&browser);
    assert_eq!(forge(&browser, "/evaluate", &format!("rating=1&token={token}")), 403);
    assert!(rated().is_null(), "nobody but the applicant has pressed");

    browser.go(&desk.url(&format!("/case/{number}")));
    browser.press("form[action$='/evaluate'] button");
    browser.wait("the applicant's page", |b| b.path() == "/evaluate");
    let token = browser.js("return document.querySelector('input[name=token]').value");
    let token = token.as_str().expect("a token").to_owned();
    browser.press("button.face[value='4']");
    said(&browser, "谢谢，您的评价已存好");
    assert_eq!(rated(), 4, "said only of what is in the journal");
    assert_eq!(
        forge(&browser, "/evaluate", &format!("rating=1&token={token}")),
        403,
        "once"
    );
    assert_eq!(rated(), 4);
    browser.press("a.button");
    unlock(&browser);
    browser.go(&desk.url(&format!("/case/{number}")));
    let page = browser.text();
    assert!(page.contains("申请人本人") && page.contains("评价：不满意"), "{page}");
    assert!(browser.complaints().iter().all(|line| line.contains("403")));
}

#[test]
fn an_errand_is_carried_from_hand_to_hand_and_two_who_claim_apart_share_it() {
    let (desk, browser) = open();
    // A concern of a villager opens one in the same stroke.
    browser.go(&desk.url("/new"));
    browser.wait("the box for the matter", |b| b.focus() == "q");
    browser.keys(&format!("C02{ENTER}"));
    browser.wait("on to the number", |b| b.focus() == "cert_no");
    browser.keys(&format!("11010519491231002X{ENTER}张三{ENTER}{ENTER}"));
    browser.send();
    said(&browser, "同时开了代办");
    // Alone, by keyboard.
    browser.go(&desk.url("/errands/new"));
    browser.wait("the name", |b| b.focus() == "name");
    browser.keys(&format!("李婆婆{ENTER}代缴电费{ENTER}12{ENTER}"));
    browser.send();
    said(&browser, "还没有保存");
    browser.wait("what was typed is there", |b| {
        b.js("return document.getElementById('task').value") == "代缴电费"
    });
    browser.type_into("#mobile", "13800138000");
    browser.press("input[name=claim]");
    browser.send();
    said(&browser, "已存本机");
    let page = browser.text();
    assert!(
        page.contains("待认领") && page.contains("代缴电费") && page.contains("李*") && !page.contains("李婆婆"),
        "{page}"
    );
    let number = browser.path().trim_start_matches("/case/").to_owned();
    desk.sent(&number);

    // Room and township claim it while the line is down.
    desk.county.cut(desk.room);
    browser.press("button[value=claim]");
    said(&browser, "李芳（高河村委会）");
    browser.type_into("details:has(button[value=progress]) input[name=note]", "已去过一趟");
    browser.press("button[value=progress]");
    said(&browser, "代办中");
    desk.town(&["case", "do", &number, "claim"]);
    desk.county.heal(desk.room);
    browser.wait("the claims have met", |b| b.text().contains("上面的按钮是变化以前的"));
    browser.press("#ahead a");
    browser.wait("the room helps", |b| {
        b.text().contains("协办") && b.text().contains("观阁镇")
    });
    let page = browser.text();
    assert!(page.contains("已去过一趟") && !page.contains("未生效"), "{page}");
    assert!(!page.contains("移交…"), "who only helps hands nothing over");
    // Brought back to the villager by the room.
    browser.type_into("details:has(button[value=return]) input[name=note]", "收据已送到家");
    browser.press("button[value=return]");
    said(&browser, "已交还");
    browser.go(&desk.url("/errands"));
    until("both in one list", || {
        browser.text().contains("已交还") && browser.text().contains("已认领")
    });
    assert_eq!(desk.cases().len(), 1, "an errand is no case");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
