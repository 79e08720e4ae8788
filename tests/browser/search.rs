//! Searching at the desk: found by what a clerk knows, masked, with nothing of it in an address.

use super::driver::{Browser, ENTER};
use super::{Desk, PIN};

const ZHANG: &str = "11010519491231002X";

fn new_case(desk: &Desk, matter: &str, name: &str, cert_no: &str, mobile: &str) -> String {
    let args = [
        "case",
        "new",
        "--matter",
        matter,
        "--name",
        name,
        "--cert-no",
        cert_no,
        "--mobile",
        mobile,
    ];
    let made = desk.county[desk.room].json(&args).expect("a case");
    made["project_no"].as_str().expect("a number").to_owned()
}

/// Types into the one box and waits for the answer.
fn find(browser: &Browser, words: &str, answer: &str) {
    browser.wait("the box", |b| b.focus() == "text");
    // The answer before may read the same: it goes with its page.
    browser.js("document.getElementById('text').value = ''; document.body.dataset.before = '1'");
    browser.keys(&format!("{words}{ENTER}"));
    browser.wait(answer, |b| {
        let is_new = b.js("return !document.body.dataset.before") == true;
        is_new && b.path() == "/search" && b.text().contains(answer)
    });
}

#[test]
fn a_clerk_finds_a_case_by_what_is_known_of_it_and_no_address_tells_of_it() {
    let desk = Desk::open();
    let code = desk.name("李芳", "clerk");
    let zhang = new_case(&desk, "B23", "张三", ZHANG, "13800138000");
    let nana = new_case(&desk, "A01", "欧阳娜娜", "110101199003070038", "13912345678");
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    browser.go(&desk.url("/search"));
    for (words, number) in [
        ("张三", &zhang),
        ("娜娜", &nana),
        ("002x", &zhang),
        ("5678", &nana),
        ("宅基地", &nana),
    ] {
        find(&browser, words, "找到 1 件");
        let page = browser.text();
        assert!(
            page.contains(number.as_str()) && !page.contains(ZHANG),
            "{words}: {page}"
        );
    }
    let address = browser.js("return location.href").to_string();
    assert!(address.ends_with("/search\""), "{address}");
    assert!(browser.text().contains("欧*"), "masked");
    // To the case and back: what was sought is still there.
    browser.js("document.querySelector('td a').click()");
    browser.wait("the case", |b| b.path().starts_with("/case/"));
    browser.js("history.back()");
    browser.wait("the search again", |b| {
        b.path() == "/search" && b.text().contains("找到 1 件")
    });
    find(&browser, "没有这个人", "没有找到");
    find(&browser, "12", "数字至少要写 4 位");
    browser.js(
        "document.getElementById('from').value = '2099-01-01'; document.getElementById('until').value = '2020-01-01'",
    );
    find(&browser, "张三", "请对调后再找");
    browser.js("document.querySelector('button[name=clear]').click()");
    browser.wait("an empty box", |b| {
        b.js("return document.getElementById('text').value") == "" && !b.text().contains("对调")
    });
    // Another clerk at this PC does not see what the first sought.
    find(&browser, "张三", "找到 1 件");
    let other = desk.name("王强", "clerk");
    browser.js("document.querySelector('form[action=\"/leave\"] button').click()");
    browser.wait("the door", |b| b.path() == "/login");
    browser.go(&desk.url("/enrol"));
    browser.js("var all = Array.from(document.querySelectorAll('input[name=who]'));
         all.find(function (w) { return w.closest('label').innerText.includes('王强'); }).checked = true;
         document.getElementById('code').focus()");
    browser.keys(&format!(
        "{}{ENTER}{PIN}{ENTER}{PIN}{ENTER}{ENTER}",
        other.to_lowercase()
    ));
    browser.wait("today", |b| b.path() == "/");
    browser.go(&desk.url("/search"));
    assert!(!browser.text().contains("找到"), "{}", browser.text());
    let log = desk.county[desk.room].log_tail();
    // Four digits alone stand in a log by chance now and then: in a time, in a port.
    for trace in ["张三", "娜娜", ZHANG, "12345678", "=5678", " 5678"] {
        assert!(!log.contains(trace), "{trace} is in the log");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
