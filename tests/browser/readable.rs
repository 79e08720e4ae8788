//! Every page as tired eyes see it: measured in the browser, letter by letter, not read off the style sheet.

use serde_json::Value;

use super::Desk;
use super::driver::{Browser, ENTER};

/// Of everything that can be read: what is smaller than 18 px, or stands out from its paper by less than 7 to 1 (WCAG 2.2, 1.4.6).
const FAINT: &str = r"
    function parts(c) { var m = c.match(/[\d.]+/g).map(Number); return { r: m[0], g: m[1], b: m[2], a: m.length > 3 ? m[3] : 1 }; }
    function light(c) { return [c.r, c.g, c.b].map(function (v) { v /= 255; return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); })
        .reduce(function (sum, v, at) { return sum + v * [0.2126, 0.7152, 0.0722][at]; }, 0); }
    function paper(el) { for (; el; el = el.parentElement) { var c = parts(getComputedStyle(el).backgroundColor); if (c.a > 0) return c; }
        return { r: 255, g: 255, b: 255, a: 1 }; }
    document.querySelectorAll('details').forEach(function (d) { d.open = true; });
    var told = [];
    function look(el, text) {
        var style = getComputedStyle(el);
        var box = el.getBoundingClientRect();
        if (!text.trim() || style.visibility === 'hidden' || !box.width || !box.height || el.closest('.skip')) return;
        var px = parseFloat(style.fontSize);
        var a = light(parts(style.color)), b = light(paper(el));
        var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (px < 18 || ratio < 7) told.push(el.tagName + ' ' + px + 'px ' + ratio.toFixed(1) + ': ' + text.trim().slice(0, 30));
    }
    var walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) look(walker.currentNode.parentElement, walker.currentNode.data);
    document.querySelectorAll('input:not([type=hidden]), select, textarea').forEach(function (el) { look(el, el.value || 'x'); });
    if (document.documentElement.scrollWidth > window.innerWidth) told.push('wider than the screen: ' + document.documentElement.scrollWidth);
    return told";

/// Of everything that takes the keyboard: what has no name that could be read out to its user.
const NAMELESS: &str = r"
    var told = [];
    document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a[href], summary').forEach(function (el) {
        var label = el.labels && el.labels.length ? el.labels[0].innerText : '';
        if (!(label + el.innerText + (el.getAttribute('aria-label') || '')).trim()) told.push(el.outerHTML.slice(0, 80));
    });
    return told";

fn look(browser: &Browser, what: &str) {
    let nothing = Value::Array(Vec::new());
    assert_eq!(browser.js(FAINT), nothing, "{what} is hard to read");
    assert_eq!(browser.js(NAMELESS), nothing, "{what} has fields without names");
    browser.screen(&format!("all-{what}"));
}

/// One paper on both widths, as the screen shows it.
fn papers(desk: &Desk, browser: &Browser, number: &str) {
    for width in ["a4", "roll"] {
        browser.go(&desk.url(&format!("/case/{number}")));
        browser.js(&format!(
            "document.querySelector('input[value={width}]').checked = true"
        ));
        browser.js("document.querySelector('button[value=notice]').click()");
        browser.wait("the paper", |b| b.path().ends_with("/paper"));
        look(browser, &format!("paper-{width}"));
    }
}

#[test]
fn every_letter_of_every_page_is_large_and_dark_enough() {
    let desk = Desk::open();
    let code = desk.name("李芳", "head");
    let browser = Browser::open();
    browser.go(&desk.url("/login"));
    look(&browser, "login");
    // What looks for faint letters finds them.
    browser.js(
        "var p = document.createElement('p'); p.innerText = '小'; p.style.fontSize = '17px'; document.body.append(p)",
    );
    browser.js(
        "var p = document.createElement('p'); p.innerText = '淡'; p.style.color = '#767676'; document.body.append(p)",
    );
    assert_eq!(browser.js(FAINT).as_array().map(Vec::len), Some(2));
    browser.go(&desk.url("/enrol"));
    look(&browser, "enrol");
    desk.enrol(&browser, &code);
    let number = desk.receive("A06");
    let room = |args: &[&str]| desk.county[desk.room].json(args).expect("done");
    room(&["case", "do", &number, "ask", "--items", "身份证"]);
    let waiting = desk.receive("A01");
    browser.go(&desk.url("/"));
    // Every page of the menu, also those that are added later.
    let menu = browser.js(
        "return Array.from(document.querySelectorAll('nav a')).map(function (a) { return a.getAttribute('href') })",
    );
    let menu: Vec<String> = serde_json::from_value(menu).expect("paths");
    assert!(menu.len() >= 5, "{menu:?}");
    for path in &menu {
        browser.go(&desk.url(path));
        look(&browser, path.trim_start_matches('/'));
    }
    for path in [
        format!("/case/{number}"),
        format!("/case/{waiting}"),
        "/errands/new".to_owned(),
        "/import".to_owned(),
    ] {
        browser.go(&desk.url(&path));
        look(&browser, &path.replace('/', "-"));
    }
    papers(&desk, &browser, &number);
    browser.go(&desk.url("/new"));
    browser.wait("the box", |b| b.focus() == "q");
    browser.keys("zjd");
    browser.wait("what is offered", |b| b.text().contains("宅基地"));
    look(&browser, "new-offered");
    browser.keys(&ENTER.to_string());
    browser.wait("on to the number", |b| b.focus() == "cert_no");
    browser.keys("11010519491231002X");
    browser.wait("earlier visits", |b| b.text().contains("这个人以前来办过"));
    look(&browser, "new-typed");
    room(&["case", "do", &number, "supply"]);
    room(&["case", "do", &number, "accept"]);
    room(&["case", "do", &number, "close", "--result", "6"]);
    desk.county.cut(desk.room);
    browser.go(&desk.url(&format!("/case/{number}")));
    browser.wait("the line is down", |b| b.text().contains("线路断"));
    look(&browser, "case-line-down");
    browser.press("form[action$='/evaluate'] button");
    browser.wait("the applicant's page", |b| b.path() == "/evaluate");
    look(&browser, "evaluate");
    browser.press("button.face[value='1']");
    browser.wait("thanks", |b| b.text().contains("谢谢"));
    look(&browser, "thanks");
}
