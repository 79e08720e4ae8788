//! The case page: its forms, two values, two pages, and steps that did not count.

use super::Desk;
use super::driver::{Browser, ENTER};

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

#[test]
fn every_act_of_the_table_has_a_form_and_what_was_typed_wrong_is_put_right() {
    let (desk, browser) = open();
    let number = desk.receive("C02");
    let page = desk.url(&format!("/case/{number}"));
    browser.go(&page);
    // A phone that nobody has is not taken, and not lost.
    browser.type_into("#edit-mobile", "12345");
    browser.keys(&ENTER.to_string());
    said(&browser, "手机");
    browser.wait("what was typed stands there", |b| {
        b.js("return document.getElementById('edit-mobile').value") == "12345"
    });
    browser.type_into("#edit-mobile", &format!("13912345678{ENTER}"));
    said(&browser, "已存本机，以新填的为准");
    assert!(browser.text().contains("139****5678") && !browser.text().contains("138****8000"));
    browser.type_into("#edit-address", &format!("高河村3组{ENTER}"));
    browser.wait("kept", |b| {
        b.js("return document.getElementById('edit-address').value") == ""
    });

    // A material that was brought later.
    browser.press("form[action$='/tick'] input[type=checkbox]");
    browser.press("form[action$='/tick'] button");
    said(&browser, "已存本机，材料已收");
    assert_eq!(
        browser.js("return document.querySelectorAll('.list .tag.green').length"),
        1
    );

    // The receipt was yesterday: the date is put right, the old one stays on record, nothing lies in the future.
    browser.press("form[action$='/correct'] input[name=target]");
    let day = |on: &str| {
        let set =
            format!("document.querySelector(\"form[action$='/correct'] input[name=on]\").value = '{on}'; return true");
        browser.js(&set);
        browser.type_into("form[action$='/correct'] input[name=reason]", "登记时点错了");
        browser.js("document.querySelector(\"form[action$='/correct'] input[name=on]\").removeAttribute('max')");
        browser.press("form[action$='/correct'] button");
    };
    day("2099-01-01");
    said(&browser, "不能登记以后的日期");
    assert_eq!(
        browser.js("return document.querySelector(\"form[action$='/correct'] input[name=reason]\").value"),
        "登记时点错了"
    );
    day("2026-01-09");
    said(&browser, "已存本机，日期已更正");
    said(&browser, "2026-01-09");
    assert!(browser.text().contains("日期已更正"));

    // Handed over, and said to whom; from then on the room may not hand over what it has not.
    browser.press("input[name=to]");
    browser.type_into("details:has(button[value=hand_over]) input[name=note]", "请窗口接着办");
    browser.press("button[value=hand_over]");
    said(&browser, "现在由：观阁镇");
    assert_eq!(
        browser.js("return !!document.querySelector('button[value=hand_over]')"),
        false
    );
    // The errand of a concern was opened by the clerk's page, not by the command line.
    assert!(!browser.text().contains("领办人"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn what_two_people_wrote_apart_is_shown_as_two_values_and_a_step_that_gave_way_says_why() {
    let (desk, browser) = open();
    let number = desk.receive("A01");
    desk.sent(&number);
    desk.county.cut(desk.room);
    browser.go(&desk.url(&format!("/case/{number}")));
    browser.type_into("#edit-mobile", &format!("13911111111{ENTER}"));
    said(&browser, "已存本机，以新填的为准");
    browser.press("details:has(button[value=ask]) summary");
    browser.press("details[open] input[name=items]");
    browser.press("button[value=ask]");
    said(&browser, "待补正");
    // The township, which knows nothing of it, accepts and writes another phone.
    desk.town(&["case", "edit", &number, "--field", "mobile", "--value", "13922222222"]);
    desk.town(&["case", "do", &number, "accept"]);
    desk.county.heal(desk.room);
    // The page moves by itself, and says that its buttons are of before.
    browser.wait("the township's step stands", |b| b.text().contains("已受理"));
    said(&browser, "上面的按钮是变化以前的");
    browser.press("#ahead a");
    said(&browser, "两处填得不一样");
    let void = "return document.querySelector('li.void').innerText";
    let void = browser.js(void);
    assert!(
        void.as_str()
            .is_some_and(|text| text.contains("补正告知") && text.contains("未生效：")),
        "{void}"
    );
    let struck = browser.js("return getComputedStyle(document.querySelector('li.void')).textDecorationLine");
    assert_eq!(struck, "line-through");
    assert!(browser.text().contains("需要乡镇裁定") && browser.text().contains("第10天"));
    // The clerk asks the villager and picks the right one; both stay masked on the screen.
    assert!(browser.text().contains("139****1111") && browser.text().contains("139****2222"));
    let ours = "var all = document.querySelectorAll(\"form[action$='/settle']\");
        for (var i = 0; i < all.length; i++) if (all[i].innerText.includes('1111')) all[i].querySelector('button').click();";
    browser.js(ours);
    said(&browser, "已存本机，以选定的为准");
    assert!(browser.text().contains("139****1111") && !browser.text().contains("139****2222"));
}

#[test]
fn of_two_pages_on_one_case_both_show_the_truth_and_the_late_one_loses_nothing() {
    let (desk, browser) = open();
    let number = desk.receive("A01");
    let page = desk.url(&format!("/case/{number}"));
    browser.go(&page);
    let [first, second] = browser.second_page(&page);
    browser.type_into("details:has(button[value=withdraw]) input[name=note]", "本人说不办了");
    browser.turn_to(&first);
    browser.press("details:has(button[value=ask]) summary");
    browser.press("details[open] input[name=items]");
    browser.press("button[value=ask]");
    said(&browser, "待补正");
    browser.turn_to(&second);
    browser.wait("the second page shows it too", |b| {
        b.text().contains("待补正") && b.text().contains("上面的按钮是变化以前的")
    });
    browser.press("button[value=withdraw]");
    said(&browser, "刚才的操作没有执行");
    let note = "return document.querySelector('details[open] input[name=note]').value";
    assert_eq!(browser.js(note), "本人说不办了");
    assert_eq!(desk.cases()[0]["state"], "awaiting_materials", "nothing was done");
    // Having seen it, the clerk may still mean it.
    browser.press("button[value=withdraw]");
    said(&browser, "已撤件");
    assert!(browser.text().contains("本人说不办了"));
    // The first page tries what is no longer offered: its words are not lost either.
    browser.turn_to(&first);
    browser.wait("the first page shows it", |b| b.text().contains("已撤件"));
    browser.type_into("details:has(button[value=supply]) input[name=note]", "户口簿已带来");
    browser.press("button[value=supply]");
    said(&browser, "您刚才写的没有丢");
    assert!(browser.text().contains("户口簿已带来"));
    assert_eq!(desk.cases()[0]["state"], "withdrawn");
}
