//! What pages say: who acts next, what to do about a number that fails its check, what to do after a refusal. No command anywhere.

use super::Desk;
use super::driver::{Browser, ENTER, http, until};

const ODD: &str = "110105194912310021";

fn open(role: &str) -> (Desk, Browser) {
    let desk = Desk::open();
    let code = desk.name("李芳", role);
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    (desk, browser)
}

fn said(browser: &Browser, words: &str) {
    browser.wait(words, |b| b.text().contains(words));
}

/// What stands among the steps, in the order of the page.
fn steps(browser: &Browser) -> Vec<String> {
    let script = "return Array.from(document.querySelectorAll('.steps > form button, .steps > details > summary')).map(function (b) { return b.innerText; }).join('|')";
    let found = browser.js(script);
    let words = found.as_str().unwrap_or_default().replace('…', "");
    words.split('|').map(str::to_owned).collect()
}

#[test]
fn a_case_page_says_whose_turn_it_is_and_ways_out_stand_last() {
    let (desk, browser) = open("clerk");
    // A01 is accepted by the township alone.
    let number = desk.receive("A01");
    browser.go(&desk.url(&format!("/case/{number}")));
    said(&browser, "下一步由乡镇办理");
    let offered = steps(&browser);
    assert_eq!(offered.first().map(String::as_str), Some("补正告知"), "{offered:?}");
    assert_eq!(offered.last().map(String::as_str), Some("撤件"), "{offered:?}");
    let at = |word: &str| offered.iter().position(|w| w == word).expect("offered");
    assert!(at("备注") < at("移交") && at("开代办") < at("撤件"), "{offered:?}");
    let colour =
        browser.js("return getComputedStyle(document.querySelector('.steps > details.grave > summary')).color");
    assert_eq!(colour, "rgb(122, 0, 0)");
    browser.press(".steps > details.grave > summary");
    said(&browser, "到此为止，不能再往下办");
    browser.screen("turn");
    // Where the room has something to do, nobody else is named; each tag says what to do about it.
    desk.county[desk.room]
        .json(&["case", "do", &number, "ask", "--items", "身份证"])
        .expect("asked");
    browser.go(&desk.url(&format!("/case/{number}")));
    said(&browser, "材料到了，点“补齐”");
    assert!(!browser.text().contains("下一步由乡镇办理"));
    assert_eq!(steps(&browser).first().map(String::as_str), Some("补齐"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_number_that_fails_its_check_is_taken_with_a_reason_that_stays_on_the_page() {
    let (desk, browser) = open("clerk");
    browser.go(&desk.url("/new"));
    browser.wait("the box for the matter", |b| b.focus() == "q");
    browser.keys(&format!("A01{ENTER}"));
    browser.wait("on to the number", |b| b.focus() == "cert_no");
    browser.keys(&format!("{ODD}{ENTER}张三{ENTER}"));
    said(&browser, "证件号码末位校验不对");
    browser.send();
    said(&browser, "还没有保存");
    assert!(desk.cases().is_empty(), "not without a reason");
    browser.press("#person summary");
    browser.type_into("#cert_reason", "证件印错，已看原件");
    browser.screen("odd");
    browser.send();
    said(&browser, "已存本机");
    said(&browser, "证件印错，已看原件");
    let number = browser.path().trim_start_matches("/case/").to_owned();
    let shown = desk.county[desk.room]
        .json(&["case", "show", &number])
        .expect("the case");
    assert!(shown.to_string().contains("110105********0021"), "{shown}");
    assert!(browser.complaints().iter().all(|line| line.contains("422")));
}

#[test]
fn what_is_done_on_a_covered_post_says_so_on_every_act() {
    let (desk, browser) = open("clerk");
    let number = desk.receive("A01");
    desk.name("王强", "clerk");
    browser.go(&desk.url("/post"));
    browser.type_into("#of", "王强");
    browser.type_into("#reason", "下村");
    browser.press("form[action='/post'] button");
    said(&browser, "李芳 B岗顶岗");
    browser.go(&desk.url(&format!("/case/{number}")));
    browser.type_into("#edit-mobile", &format!("13912345678{ENTER}"));
    said(&browser, "已存本机，以新填的为准");
    browser.press("form[action$='/tick'] input[type=checkbox]");
    browser.press("form[action$='/tick'] button");
    said(&browser, "已存本机，材料已收");
    let page = browser.text();
    for words in ["修改“手机”", "登记收到材料"] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert_eq!(page.matches("B岗顶岗 代王强（下村）").count(), 2, "{page}");
    browser.go(&desk.url("/day"));
    browser.press("form[action='/day/close'] button");
    said(&browser, "已日结");
    assert!(
        browser.text().contains("李芳 · B岗顶岗 代王强（下村）"),
        "{}",
        browser.text()
    );
}

#[test]
fn a_press_that_was_not_kept_can_be_made_again_and_counts_once() {
    let (desk, browser) = open("clerk");
    let number = desk.receive("A06");
    let room = |args: &[&str]| desk.county[desk.room].json(args).expect("done");
    room(&["case", "do", &number, "accept"]);
    room(&["case", "do", &number, "close", "--result", "6"]);
    desk.sent(&number);
    browser.go(&desk.url(&format!("/case/{number}")));
    browser.press("form[action$='/evaluate'] button");
    browser.wait("the applicant's page", |b| b.path() == "/evaluate");
    // Meanwhile the township takes the case up again: nothing can be said of it now.
    until("the township knows that it is closed", || {
        let reopened = desk.county[desk.town].json(&["case", "do", &number, "reopen", "--reason", "漏了材料"]);
        reopened.is_ok()
    });
    until("the room knows", || {
        room(&["case", "show", &number])["state"] == "processing"
    });
    browser.press("button.face[value='2']");
    said(&browser, "请再按一次");
    assert!(room(&["case", "show", &number])["evaluation"].is_null());
    desk.town(&["case", "do", &number, "close", "--result", "6"]);
    until("closed again", || room(&["case", "show", &number])["state"] == "closed");
    browser.press("button.face[value='2']");
    said(&browser, "谢谢，您的评价已存好");
    let shown = room(&["case", "show", &number]);
    let events = shown["events"].as_array().expect("events").iter();
    assert_eq!(events.filter(|e| e["event"] == "evaluate").count(), 1, "{shown}");
    assert_eq!(shown["evaluation"]["rating"], 2);
    // Nor does the command line speak for anybody.
    assert!(
        desk.county[desk.room]
            .json(&["case", "do", &number, "evaluate"])
            .is_err()
    );
}

/// Words of the command line: no page holds any.
const COMMANDS: [&str; 11] = [
    "--",
    "unlock",
    "passphrase",
    "reindex",
    "case ",
    "conflict ",
    "member ",
    "user ",
    "day ",
    "invite",
    "join",
];

/// Nobody who reads the page is sent to a command.
fn clean(browser: &Browser, of: &str) {
    let text = browser.text();
    for word in COMMANDS {
        assert!(!text.contains(word), "{word} on {of}: {text}");
    }
}

/// Sends a form as a page would send it, so that the answer is a page.
fn send(desk: &Desk, browser: &Browser, path: &str, fields: &str) {
    let fields: Vec<String> = fields
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| format!("['{name}', '{value}']"))
        .collect();
    browser.go(&desk.url("/"));
    browser.js(&format!(
        "var f = document.createElement('form'); f.method = 'post'; f.action = '{path}';
         var token = JSON.parse(document.body.getAttribute('hx-headers'))['x-csrf-token'];
         [['csrf', token], {}].forEach(function (p) {{ var i = document.createElement('input'); i.name = p[0]; i.value = p[1]; f.appendChild(i); }});
         document.body.appendChild(f); document.title = 'asked'; f.submit(); return true",
        fields.join(", ")
    ));
    browser.wait("an answer", |b| {
        b.js("return document.title !== 'asked' && document.readyState === 'complete'") == true
    });
}

#[test]
fn no_page_and_no_refusal_on_a_page_sends_anybody_to_a_command_and_what_is_no_page_leads_back() {
    let (desk, browser) = open("head");
    let number = desk.receive("A06");
    let case = format!("/case/{number}");
    for path in [
        "/",
        "/new",
        "/search",
        "/errands",
        "/errands/new",
        "/day",
        "/import",
        "/doctor",
        "/post",
        &case,
    ] {
        browser.go(&desk.url(path));
        clean(&browser, path);
    }
    // Forms with nothing in them, or with nonsense: each is refused on a page of ours.
    let forms = [
        (format!("{case}/do"), "event=hand_over&seen=1"),
        (format!("{case}/do"), "event=nonsense&seen=1"),
        (format!("{case}/do"), "event=void&seen=1"),
        (format!("{case}/edit"), "field=nonsense&value=1&seen=1"),
        (format!("{case}/reveal"), "reason="),
        (format!("{case}/print"), "paper=closed"),
        (format!("{case}/print"), "paper=nonsense"),
        ("/case/51160300112628200011/do".to_owned(), "event=note"),
        ("/day/ledger".to_owned(), "month=2026-10&plain=1&reason=&format=csv"),
        ("/day/ledger".to_owned(), "month=10&format=csv"),
        ("/new".to_owned(), "matter=A06&cert_no=1&name=x&on=2099-01-01"),
        ("/passphrase".to_owned(), "old=1&new=1&again=1"),
    ];
    let mut silent = Vec::new();
    for (path, fields) in forms {
        send(&desk, &browser, &path, fields);
        clean(&browser, &format!("{path} {fields:?}"));
        if !browser.text().contains('请') {
            silent.push(format!("{path} {fields:?}: {}", browser.text()));
        }
    }
    assert_eq!(silent, Vec::<String>::new(), "refusals that do not say what to do");
    // An address that is only ever sent to, opened: back to where its form stands, or to the start; and one that is none.
    for path in [format!("{case}/do"), "/day/close".to_owned()] {
        browser.go(&desk.url(&path));
        said(&browser, "今日");
        clean(&browser, &path);
    }
    browser.go(&desk.url("/nowhere"));
    said(&browser, "回到首页");
    let ours = ("Host".to_owned(), desk.addr.to_string());
    let (code, text) = http(desk.addr, "POST", "/day/close", &[ours], &[], "").expect("an answer");
    assert!(code == 403 && text.contains('请'), "{code} {text}");
}
