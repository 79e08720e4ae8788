//! Devices and the county's tables at the console: a PC is lost and replaced, a matter's promise is changed.

use super::driver::{Browser, until};
use super::hub::Centres;
use super::{ROOM, TOWNSHIP};
use cunlian_tests::place::Kind;

const ZHANG: &str = "11010519491231002X";

/// The ticket's text as it stands on the paper.
fn ticket_on(browser: &Browser) -> String {
    let text = browser.js("return document.querySelector('.ticket-text').textContent");
    text.as_str()
        .expect("a ticket")
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect()
}

#[test]
fn a_lost_pc_is_replaced_by_one_press_and_its_book_flows_back_to_the_new_one() {
    let mut centres = Centres::open();
    let number = centres.receive("B23", "张三", ZHANG);
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "王主任", "head");
    browser.go(&centres.url(centres.town, &format!("/members?find={ROOM}")));
    // Without an address nobody is taken out, and what was typed is asked for again.
    browser.js("document.querySelectorAll('details').forEach(d => d.open = true)");
    browser.type_into("form[action='/members/replace'] input[name=reason]", "电脑被偷");
    browser.js("document.querySelector('form[action=\"/members/replace\"] input[name=addrs]').value = 'nowhere'");
    browser.press("form[action='/members/replace'] button");
    browser.wait("a refusal", |b| b.text().contains("地址写法不对"));
    let listen = centres.county[centres.town].listen().expect("it listens").to_string();
    browser.go(&centres.url(centres.town, &format!("/members?find={ROOM}")));
    browser.js("document.querySelectorAll('details').forEach(d => d.open = true)");
    browser.type_into("form[action='/members/replace'] input[name=reason]", "电脑被偷");
    browser.js(&format!(
        "document.querySelector('form[action=\"/members/replace\"] input[name=addrs]').value = '{listen}'"
    ));
    // Something changes meanwhile: the bar renews itself, the list in which somebody types does not.
    browser.js("document.getElementById('bar').dataset.old = '1'; performance.clearResourceTimings()");
    centres.name(centres.town, "赵六", "clerk");
    browser.wait("the bar is new", |b| {
        b.js("return !document.getElementById('bar').dataset.old") == true
    });
    let renewed = browser
        .js("return performance.getEntriesByType('resource').filter(e => e.name.includes('/members/list')).length");
    assert_eq!(renewed, 0);
    browser.press("form[action='/members/replace'] button");
    browser.wait("the ticket", |b| b.text().contains("入网票只显示这一次"));
    browser.screen("ticket");
    let ticket = ticket_on(&browser);
    assert!(ticket.starts_with("CL1-"), "{ticket}");

    // The thief's PC is out; the new one comes in and holds the book.
    let new = centres.county.place("new-pc", Kind::Node);
    centres.county[new].json(&["join", &ticket]).expect("it joins");
    centres.county.start(new).expect("it starts");
    until("the book is back", || {
        centres.json(new, &["case", "show", &number]).is_some()
    });
    browser.go(&centres.url(centres.town, &format!("/members?find={ROOM}")));
    browser.wait("the new one", |b| {
        let text = b.text();
        text.contains("已停用") && text.contains("电脑被偷") && text.contains("在用") && text.contains("王主任")
    });
    browser.screen("members");
}

#[test]
fn tickets_come_from_a_pasted_list_and_one_that_went_astray_is_taken_back() {
    let centres = Centres::open();
    let browser = Browser::open();
    centres.enter(&browser, centres.hub, "周管理", "admin");
    browser.go(&centres.url(centres.hub, "/members"));
    browser.press("#invite > summary");
    browser
        .js("document.getElementById('units').value = 'code12,name\\n511603103,某镇\\n999999,没有的\\n511603101,某镇'");
    browser.type_into("#addrs", "10.0.0.1:7701");
    browser.press("form[action='/members/invite'] button");
    browser.wait("the tickets", |b| b.text().contains("有 1 行没有开成"));
    assert_eq!(browser.js("return document.querySelectorAll('.ticket').length"), 2);
    browser.go(&centres.url(centres.hub, "/members"));
    assert!(browser.text().contains("还没有用的票（2）"), "{}", browser.text());
    assert!(!browser.text().contains("CL1-"));
    browser.press("form[action='/members/cancel'] button");
    browser.wait("it is gone", |b| b.text().contains("还没有用的票（1）"));
}

#[test]
fn the_county_shortens_a_promise_after_looking_at_the_difference_and_nonsense_changes_nothing() {
    let centres = Centres::open();
    let browser = Browser::open();
    centres.enter(&browser, centres.hub, "周管理", "admin");
    browser.go(&centres.url(centres.hub, "/tables/catalogue"));
    let matters = std::fs::read_to_string(centres.county.file("matters.tsv")).expect("the catalogue");
    let file = |name: &str, text: &str| {
        let path = centres.county.file(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    browser.js("document.querySelectorAll('details').forEach(d => d.open = true)");
    browser.choose_file("file", &file("nonsense.tsv", "谁\t什么\n1\t2\n"));
    browser.wait("a refusal", |b| b.text().contains("这个文件用不了，什么也没有改"));
    let shorter = matters.replacen("\t2\t10\t20wd", "\t2\t7\t20wd", 1);
    browser.choose_file("file", &file("shorter.tsv", &shorter));
    browser.wait("the difference", |b| b.text().contains("改动 1"));
    browser.screen("tables");
    browser.press("form[action='/tables/catalogue/publish'] button");
    browser.wait("it is published", |b| b.text().contains("第 2 版已发布"));
    until("the room has it", || {
        let shown = centres.json(centres.room, &["case", "list"]);
        shown.is_some()
    });
    // A township looks and cannot publish.
    centres.enter(&browser, centres.town, "赵审计", "auditor");
    browser.go(&centres.url(centres.town, "/tables/catalogue"));
    assert!(
        browser.text().contains("事项目录") && !browser.text().contains("上传新版本"),
        "{TOWNSHIP}"
    );
}
