//! The lock: who types is not locked out, and whoever is locked out loses nothing of what was typed.

use super::driver::{Browser, ENTER};
use super::{Desk, PIN};

const WORDS: &str = "本人电话说不办了";

fn open(config: &str) -> (Desk, Browser) {
    let desk = Desk::open_with(config);
    let code = desk.name("李芳", "head");
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    (desk, browser)
}

fn pin(browser: &Browser, page: &str) {
    browser.wait("the PIN", |b| b.focus() == "pin");
    browser.keys(&format!("{PIN}{ENTER}"));
    browser.wait(page, |b| b.path() == page);
}

fn value(browser: &Browser, css: &str) -> String {
    let value = browser.js(&format!("return document.querySelector(\"{css}\").value"));
    value.as_str().unwrap_or_default().to_owned()
}

/// Locks the desk as another page of it would, and presses the button before this page has heard of it.
fn press_behind_the_lock(browser: &Browser, css: &str) {
    browser.js(&format!(
        "var headers = JSON.parse(document.body.getAttribute('hx-headers'));
         var x = new XMLHttpRequest(); x.open('POST', '/lock', false);
         Object.keys(headers).forEach(function (n) {{ x.setRequestHeader(n, headers[n]); }}); x.send();
         document.querySelector(\"{css}\").click();"
    ));
    browser.wait("the lock", |b| b.path() == "/login");
    let said = browser.text();
    assert!(
        said.contains("没有保存，也没有办") && said.contains("填过的内容会放回表里"),
        "{said}"
    );
}

/// What lies in the room's folder in the clear.
fn lies_open(desk: &Desk, words: &str) -> bool {
    let entries = std::fs::read_dir(desk.county[desk.room].data())
        .expect("the folder")
        .flatten();
    let mut files = entries.filter_map(|entry| std::fs::read(entry.path()).ok());
    files.any(|bytes| bytes.windows(words.len()).any(|w| w == words.as_bytes()))
}

#[test]
fn who_types_is_not_locked_out_and_what_was_typed_is_there_again_after_the_pin() {
    let (desk, browser) = open("desk_lock_seconds = 8\n");
    let number = desk.receive("A01");
    let page = format!("/case/{number}");
    browser.go(&desk.url(&page));
    let note = "details:has(button[value=withdraw]) input[name=note]";
    browser.type_into(note, "");
    // Longer at it than the lock waits, a letter at a time.
    let began = std::time::Instant::now();
    while began.elapsed() < std::time::Duration::from_secs(14) {
        browser.keys("一");
        assert_eq!(browser.path(), page, "locked out while typing");
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    browser.js("document.activeElement.select()");
    browser.keys(WORDS);
    // Nobody touches anything: the desk locks by itself, and the words are neither on the screen nor in the browser.
    browser.wait("the lock", |b| b.path() == "/login");
    let left = browser.js(
        "return document.documentElement.outerHTML + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)",
    );
    assert!(left.as_str().is_some_and(|text| !text.contains(WORDS)), "{left}");
    assert!(!lies_open(&desk, WORDS), "in the clear on the disk");
    pin(&browser, &page);
    assert_eq!(value(&browser, note), WORDS);
    assert!(
        browser.text().contains("上次填了没有提交的内容已放回表里"),
        "{}",
        browser.text()
    );
    assert_eq!(
        browser.js(&format!(
            "return document.querySelector('{note}').closest('details').open"
        )),
        true
    );
    browser.screen("kept");
    // Sent, it is a draft no more.
    browser.press("button[value=withdraw]");
    browser.wait("done", |b| b.text().contains("已撤件"));
    assert!(browser.text().contains(WORDS));
    browser.go(&desk.url(&page));
    assert_eq!(browser.js("return !!document.getElementById('typed-before')"), false);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_form_that_comes_behind_the_lock_is_not_carried_out_not_lost_and_said_to_be_neither() {
    let (desk, browser) = open("");
    let number = desk.receive("A01");
    let page = format!("/case/{number}");
    browser.go(&desk.url(&page));
    let note = "details:has(button[value=withdraw]) input[name=note]";
    browser.type_into(note, WORDS);
    press_behind_the_lock(&browser, "button[value=withdraw]");
    pin(&browser, &page);
    let said = browser.text();
    assert!(said.contains("没有保存，也没有办"), "{said}");
    assert_eq!(value(&browser, note), WORDS);
    assert_eq!(desk.cases()[0]["state"], "received", "nothing was done");
    // Said once; what was typed stays until it is sent or thrown away.
    browser.go(&desk.url(&page));
    assert!(!browser.text().contains("没有保存，也没有办"));
    assert_eq!(value(&browser, note), WORDS);
    browser.press("form[action='/kept/drop'] button");
    browser.wait("thrown away", |b| {
        b.js("return !document.getElementById('typed-before')") == true
    });
    assert_eq!(value(&browser, note), "");

    // A new case, an errand, the month's reason: the same.
    browser.go(&desk.url("/new"));
    browser.wait("the box", |b| b.focus() == "q");
    browser.keys(&format!("A06{ENTER}"));
    browser.wait("on to the number", |b| b.focus() == "cert_no");
    browser.keys(&format!("11010519491231002X{ENTER}欧阳娜娜"));
    press_behind_the_lock(&browser, "button[value=receive]");
    pin(&browser, "/new");
    assert!(browser.text().contains("没有保存，也没有办"), "{}", browser.text());
    assert_eq!(
        (value(&browser, "#name"), desk.cases().len()),
        ("欧阳娜娜".to_owned(), 1)
    );
    browser.go(&desk.url("/errands/new"));
    browser.type_into_plain("#name", "张三");
    browser.type_into_plain("#task", "代领老年卡");
    press_behind_the_lock(&browser, "main form[data-enter] button");
    pin(&browser, "/errands/new");
    assert_eq!(
        (value(&browser, "#name"), value(&browser, "#task")),
        ("张三".to_owned(), "代领老年卡".to_owned())
    );
    browser.go(&desk.url("/day?day=2026-01-05"));
    browser.type_into("#why", "核对一月的件");
    press_behind_the_lock(&browser, "button[value=csv]");
    pin(&browser, "/day");
    assert_eq!(
        browser.js("return location.search"),
        "?day=2026-01-05",
        "the page that it was"
    );
    assert_eq!(value(&browser, "#why"), "核对一月的件");
    assert!(!lies_open(&desk, "老年卡") && !lies_open(&desk, "欧阳"));
}

#[test]
fn a_pin_or_passphrase_is_never_kept_and_nobody_is_led_away_after_the_pin() {
    let (desk, browser) = open("");
    browser.go(&desk.url("/post"));
    browser.type_into_plain("#of", "王强");
    browser.type_into_plain("#new", "correct horse battery");
    browser.type_into_plain("#reason", "开会");
    press_behind_the_lock(&browser, "form[action='/post'] button");
    pin(&browser, "/post");
    let kept = browser.js("return document.documentElement.outerHTML");
    assert!(
        kept.as_str()
            .is_some_and(|text| text.contains("开会") && !text.contains("correct horse")),
        "{kept}"
    );
    assert_eq!(
        (value(&browser, "#of"), value(&browser, "#new")),
        ("王强".to_owned(), String::new())
    );
    // What somebody sought is personal, and gone with the lock.
    browser.go(&desk.url("/search"));
    browser.type_into_plain("#text", &format!("欧阳娜娜{ENTER}"));
    browser.wait("sought", |b| b.text().contains("没有找到"));
    press_lock(&browser);
    pin(&browser, "/search");
    assert_eq!(value(&browser, "#text"), "");
    // An address that only forms are sent to is no dead end.
    let number = desk.receive("A01");
    browser.go(&desk.url(&format!("/case/{number}/do")));
    assert_eq!(browser.path(), format!("/case/{number}"));
    press_lock(&browser);
    for (back, led) in [
        ("//evil.example/x", "/"),
        ("http://evil.example/", "/"),
        ("/%5C%5Cevil.example", "/"),
        ("/%2Fevil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/day?day=2026-01-05", "/day?day=2026-01-05"),
    ] {
        browser.go(&desk.url(&format!("/login?back={back}")));
        browser.wait("the PIN", |b| b.focus() == "pin");
        assert_eq!(value(&browser, "input[name=back]"), led, "{back}");
    }
    pin(&browser, "/day");
}

fn press_lock(browser: &Browser) {
    browser.press("form[action='/lock'] button");
    browser.wait("the lock", |b| b.path() == "/login");
}

#[test]
fn in_the_morning_who_does_not_know_the_passphrase_works_and_who_does_opens_the_names() {
    let (mut desk, browser) = open("");
    let early = desk.receive("A01");
    let words = desk.county.file("words");
    std::fs::write(&words, "春天 水井 核桃 三月 渡口\n").expect("a file");
    let file = words.display().to_string();
    desk.county[desk.room]
        .json(&["passphrase", "set", "--passphrase-file", &file])
        .expect("a passphrase");
    desk.pull_the_plug();
    browser.go(&desk.url("/"));
    browser.wait("the day is to be opened", |b| b.focus() == "passphrase");
    assert!(browser.text().contains("不输口令也能登录"), "{}", browser.text());
    // Not known to whoever is there this morning.
    browser.type_into("#pin", PIN);
    browser.keys(&ENTER.to_string());
    browser.wait("signed in", |b| b.path() == "/");
    let before: Vec<String> = numbers(&desk);
    browser.go(&desk.url("/new"));
    browser.wait("told what the lock hides", |b| b.text().contains("口令还没有输入"));
    browser.keys(&format!("A01{ENTER}"));
    browser.wait("the number box", |b| b.focus() == "cert_no");
    browser.keys(&format!("110101199003070038{ENTER}王强"));
    browser.send();
    browser.wait("kept", |b| {
        b.path().starts_with("/case/") && b.text().contains("已存本机")
    });
    assert_eq!(numbers(&desk).len(), before.len() + 1);
    // Somebody comes who knows it.
    browser.go(&desk.url(&format!("/case/{early}")));
    assert!(!browser.text().contains("张*"), "{}", browser.text());
    browser.press("form[action='/lock'] button");
    browser.wait("the lock", |b| b.focus() == "passphrase");
    browser.keys(&format!("春天 水井 核桃 三月 渡口{ENTER}"));
    browser.wait("the PIN", |b| b.focus() == "pin");
    browser.keys(&format!("{PIN}{ENTER}"));
    browser.wait("the name", |b| {
        b.path() == format!("/case/{early}") && b.text().contains("*")
    });
}

fn numbers(desk: &Desk) -> Vec<String> {
    let cases = desk.cases();
    cases.iter().map(|case| case["project_no"].to_string()).collect()
}
