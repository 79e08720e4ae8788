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

/// A case that the room records and nobody above hears of.
fn kept_at_the_room(centres: &Centres) -> String {
    let who = [
        "--name",
        "李四",
        "--cert-no",
        "11010119900307299X",
        "--cert-reason",
        "证件如此",
    ];
    let args = [&["case", "new", "--matter", "B23"][..], &who].concat();
    let made = centres.county[centres.room].json(&args).expect("a case");
    made["project_no"].as_str().expect("a number").to_owned()
}

#[test]
fn a_room_is_held_its_desk_says_by_whom_and_why_and_once_lifted_its_records_arrive() {
    let mut centres = Centres::open();
    centres.receive("B23", "张三", ZHANG);
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "王主任", "head");
    let open = |browser: &Browser, centres: &Centres| {
        browser.go(&centres.url(centres.town, &format!("/members?find={ROOM}")));
        browser.js("document.querySelectorAll('details').forEach(d => d.open = true)");
    };
    open(&browser, &centres);
    browser.js("document.querySelector('form[action=\"/members/rename\"] input[name=name]').value = ''");
    browser.type_into("form[action='/members/rename'] input[name=name]", "明月村2号机");
    browser.type_into("form[action='/members/rename'] input[name=reason]", "搬到新大厅");
    browser.press("form[action='/members/rename'] button");
    browser.wait("the new name", |b| {
        b.text().contains("已改名") && b.text().contains("明月村2号机")
    });
    open(&browser, &centres);
    let text = browser.text();
    assert!(
        text.contains("改名记录") && text.contains("搬到新大厅") && text.contains("王主任"),
        "{text}"
    );
    // Nobody is held for no reason: the browser itself asks for one.
    browser.press("form[action='/members/hold'] button");
    assert_eq!(browser.path(), "/members");
    browser.type_into("form[action='/members/hold'] input[name=reason]", "电脑送修");
    browser.press("form[action='/members/hold'] button");
    browser.wait("it is held", |b| {
        b.text().contains("已暂停") && b.text().contains("电脑送修")
    });
    browser.screen("held");

    // The room records on; its desk and the wall of both tiers say what is.
    until("the room is told", || {
        let status = centres.json(centres.room, &["status"]);
        status.is_some_and(|s| s["held"].as_str().is_some_and(|held| held.contains("电脑送修")))
    });
    let number = kept_at_the_room(&centres);
    for at in [centres.town, centres.hub] {
        until("the tile says so", || {
            let rooms = centres.json(at, &["rooms"]);
            let rooms = rooms.and_then(|r| r.as_array().cloned()).unwrap_or_default();
            rooms
                .iter()
                .any(|r| r["unit"] == ROOM && r["state"] == "held" && r["computer"] == "明月村2号机")
        });
    }
    browser.go(&centres.url(centres.town, "/wall?state=held"));
    browser.wait("the tile", |b| b.text().contains("暂停"));
    browser.screen("wall_held");
    assert!(centres.json(centres.town, &["case", "show", &number]).is_none());

    open(&browser, &centres);
    browser.press("form[action='/members/lift'] button");
    browser.wait("it is lifted", |b| b.text().contains("已恢复"));
    centres.county[centres.room].stop().expect("it stops");
    centres.county.start(centres.room).expect("it starts");
    until("the record has come", || {
        centres.json(centres.town, &["case", "show", &number]).is_some()
    });
    browser.go(&centres.url(centres.town, "/audit"));
    let text = browser.text();
    for act in ["暂停设备", "恢复设备", "设备改名", "电脑送修", "王主任"] {
        assert!(text.contains(act), "{act}: {text}");
    }
}

#[test]
fn a_ticket_that_asks_for_it_lets_in_only_whose_fingerprint_was_read_out_and_the_list_says_who_invited() {
    let mut centres = Centres::open();
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "王主任", "head");
    let listen = centres.county[centres.town].listen().expect("it listens").to_string();
    browser.go(&centres.url(centres.town, "/members"));
    browser.press("#invite > summary");
    browser.js(&format!("document.getElementById('units').value = '{ROOM}'"));
    browser.js(&format!("document.getElementById('addrs').value = '{listen}'"));
    browser.js("document.querySelector('input[name=approve]').checked = true");
    browser.press("form[action='/members/invite'] button");
    browser.wait("the ticket", |b| b.text().contains("入网票只显示这一次"));
    let ticket = ticket_on(&browser);
    let new = centres.county.place("approved-pc", Kind::Node);
    let waits = centres.county[new].json(&["join", &ticket]).unwrap_err().to_string();
    let (_, rest) = waits.split_once("指纹 ").expect("a fingerprint");
    let fingerprint: String = rest.chars().take(8).collect();
    browser.go(&centres.url(centres.town, "/members"));
    let text = browser.text();
    assert!(text.contains("等待批准的设备"), "{text}");
    assert!(
        !text.contains(&fingerprint),
        "it has to come from the device's own screen"
    );
    let approve = |fingerprint: &str| {
        browser.type_into_plain("form[action='/members/approve'] input[name=device]", fingerprint);
        browser.press("form[action='/members/approve'] button");
    };
    approve("00000000");
    browser.wait("a refusal", |b| {
        b.js("return !!document.querySelector('.wrong')") == true
    });
    assert!(centres.county[new].json(&["join", &ticket]).is_err());
    browser.go(&centres.url(centres.town, "/members"));
    approve(&fingerprint);
    browser.wait("it is approved", |b| b.text().contains("已批准"));
    centres.county[new].json(&["join", &ticket]).expect("it joins");
    browser.go(&centres.url(centres.town, &format!("/members?find={fingerprint}")));
    browser.wait("who invited it", |b| b.text().contains("在用"));
    let row = browser.js("return document.querySelector('tbody tr').textContent");
    assert!(row.as_str().is_some_and(|row| row.contains("王主任")), "{row}");
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
