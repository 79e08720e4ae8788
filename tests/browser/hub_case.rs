//! A case at a centre in a real browser: edited, ticked, printed and worked in somebody's place as at a room's desk; and what is typed into
//! its forms outlives the lock and the session.

use super::driver::{Browser, ENTER, until};
use super::hub::{Centres, PASSWORD};
use super::hub_work::{press_words, says};

/// 宅基地审批: the township accepts and decides.
const LAND: &str = "A01";
const ZHANG: &str = "11010519491231002X";
const WORDS: &str = "与已批准的规划不符";

fn value(browser: &Browser, css: &str) -> String {
    let value = browser.js(&format!("return document.querySelector(\"{css}\").value"));
    value.as_str().unwrap_or_default().to_owned()
}

fn sign_in(browser: &Browser, page: &str) {
    browser.wait("the log-in", |b| b.path() == "/login");
    browser.type_into_plain("#who", "李芳");
    browser.type_into_plain("#password", &format!("{PASSWORD}{ENTER}"));
    browser.wait(page, |b| b.path() == page);
}

fn lies_open(centres: &Centres, words: &str) -> bool {
    let entries = std::fs::read_dir(centres.county[centres.town].data())
        .expect("the folder")
        .flatten();
    let mut files = entries.filter_map(|entry| std::fs::read(entry.path()).ok());
    files.any(|bytes| bytes.windows(words.len()).any(|w| w == words.as_bytes()))
}

#[test]
fn a_centre_edits_ticks_and_prints_in_somebodys_place_and_the_room_reads_who_did_it_for_whom() {
    let centres = Centres::open();
    let number = centres.receive(LAND, "张三", ZHANG);
    centres.name(centres.town, "王强", "clerk");
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "李芳", "clerk");
    browser.go(&centres.url(centres.town, "/post"));
    browser.type_into_plain("#of", "王强");
    browser.press("form[action='/post'] button");
    browser.type_into_plain("#reason", "去县里开会");
    browser.press("form[action='/post'] button");
    browser.wait("the first page", |b| b.path() == "/inbox");
    says(&browser, "B岗顶岗");

    let page = format!("/case/{number}");
    browser.go(&centres.url(centres.town, &page));
    // Refused with the value still there, then taken.
    browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; }); return true");
    browser.type_into_plain("#edit-mobile", "1380013");
    browser.press("form:has(#edit-mobile) button");
    browser.wait("a refusal", |b| {
        b.js("return document.querySelectorAll('.problem').length") == 1
    });
    assert_eq!(value(&browser, "#edit-mobile"), "1380013");
    browser.type_into_plain("#edit-mobile", "13900139000");
    browser.press("form:has(#edit-mobile) button");
    says(&browser, "以新填的为准");
    says(&browser, "139****9000");
    assert_eq!(browser.js("return !!document.getElementById('edit-doc_no')"), false);

    browser.js("document.querySelector('form[action$=\"/tick\"] input[type=checkbox]').checked = true; return true");
    press_words(&browser, "form[action$='/tick'] button", "打勾的已收到");
    says(&browser, "材料已收");
    press_words(&browser, "#steps button", "受理");
    says(&browser, "受理文书号");
    let text = browser.text();
    assert!(text.contains("代王强（去县里开会）"), "{text}");
    browser.screen("hub-case-cover");

    prints(&centres, &browser, &page);
    until("the room knows", || {
        let shown = centres
            .json(centres.room, &["case", "show", &number])
            .unwrap_or_default();
        let covered = shown["events"].to_string().matches("去县里开会").count();
        shown["fields"].to_string().contains("139****9000") && covered >= 3
    });
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// On A4 and on the roll, in the centre's name; pressed, it is a print.
fn prints(centres: &Centres, browser: &Browser, page: &str) {
    for (width, class) in [("a4", ".paper.a4"), ("roll", ".paper.roll")] {
        browser.go(&centres.url(centres.town, page));
        browser.js(&format!(
            "document.querySelector('input[name=width][value={width}]').checked = true; return true"
        ));
        press_words(browser, "form.papers button", "受理通知书");
        browser.wait("the paper", |b| b.path().ends_with("/paper"));
        let drawn = browser.js(&format!("return document.querySelectorAll('{class} svg.qr').length"));
        assert_eq!(drawn, 2, "a code on each copy");
        let text = browser.text();
        assert!(
            text.contains("便民服务中心") && text.contains("中心留存") && text.contains("张三"),
            "{text}"
        );
        assert!(text.contains("请回到页面") || !text.contains("本室"), "{text}");
    }
    browser.screen("hub-paper");
    let trail = |centres: &Centres| {
        let list = centres.json(centres.town, &["audit", "list"]).unwrap_or_default();
        list.to_string().matches("受理通知书").count()
    };
    let seen = trail(centres);
    browser.js("window.print = function () {}; return true");
    press_words(browser, "form.noprint button", "打印（回车）");
    until("it is in the trail", || trail(centres) == seen + 1);
}

#[test]
fn half_a_refusal_outlives_the_lock_and_the_session_and_once_sent_it_is_gone() {
    let centres = Centres::open();
    let number = centres.receive(LAND, "张三", ZHANG);
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "李芳", "clerk");
    let page = format!("/case/{number}");
    let reason = "details:has(button[value=refuse]) input[name=reason]";
    browser.go(&centres.url(centres.town, &page));
    browser.type_into(reason, WORDS);
    // The page that is left sends its last letters; the lock, and the words back in their place.
    browser.press("form[action='/lock'] button");
    sign_in(&browser, &page);
    assert_eq!(value(&browser, reason), WORDS);
    says(&browser, "上次填了没有提交的内容已放回表里");
    assert!(!lies_open(&centres, WORDS), "in the clear on the disk");
    browser.screen("hub-kept");

    // The session is gone altogether, and so is its token.
    browser.press("form[action='/leave'] button");
    sign_in(&browser, "/inbox");
    browser.go(&centres.url(centres.town, &page));
    assert_eq!(value(&browser, reason), WORDS);

    // Sent to a page that another tab has locked: neither done nor lost.
    press_behind_the_lock(&browser, "button[value=refuse]");
    sign_in(&browser, &page);
    says(&browser, "没有保存，也没有办");
    assert_eq!(value(&browser, reason), WORDS);
    let state = || {
        centres
            .json(centres.town, &["case", "show", &number])
            .unwrap_or_default()["state"]
            .clone()
    };
    assert_eq!(state(), "received");

    // Taken, it is a draft no more, and the next form of its kind begins empty.
    browser.press("button[value=refuse]");
    says(&browser, "现在是“不予受理”");
    assert!(browser.text().contains(WORDS) && state() == "refused");
    browser.go(&centres.url(centres.town, &page));
    assert_eq!(browser.js("return !!document.getElementById('typed-before')"), false);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Locks the page as another tab of it would, and presses the button before this one has heard of it.
fn press_behind_the_lock(browser: &Browser, css: &str) {
    browser.js(&format!(
        "var headers = JSON.parse(document.body.getAttribute('hx-headers'));
         var x = new XMLHttpRequest(); x.open('POST', '/lock', false);
         Object.keys(headers).forEach(function (n) {{ x.setRequestHeader(n, headers[n]); }}); x.send();
         document.querySelector(\"{css}\").click();"
    ));
    browser.wait("the lock", |b| b.path() == "/login");
    says(browser, "填过的内容会放回表里");
}
