//! The wall in a real browser: a room that goes silent and comes back, a township's hub that is killed, and an alert that is muted.

use std::time::{Duration, Instant};

use super::ROOM;
use super::driver::Browser;
use super::hub::Centres;

impl Centres {
    /// From how many percent on a disk is told: 0 never, 100 always.
    fn disk_rule(&self, browser: &Browser, percent: &str) {
        browser.go(&self.url(self.hub, "/alerts"));
        browser.js("document.querySelectorAll('details').forEach(function (d) { d.open = true; })");
        browser.type_into_plain("#rule-disk", percent);
        browser.press("form[action='/alerts/rules'] button");
        browser.wait("the rules changed", |b| b.text().contains("规则已改"));
    }

    /// What the tile of the room says, without the page being loaded anew.
    fn tile(&self, browser: &Browser) -> String {
        let script = format!(
            "var t = document.querySelector(\"[data-unit='{ROOM}000']\") || document.querySelector(\"[data-unit='{ROOM}']\"); return t ? t.dataset.state + ' ' + t.innerText : ''"
        );
        browser.js(&script).as_str().unwrap_or_default().to_owned()
    }
}

#[test]
fn a_room_goes_silent_and_comes_back_on_the_wall_and_a_killed_hub_greys_its_rooms_without_a_reload() {
    let mut centres = Centres::open();
    let browser = Browser::open();
    centres.receive("B23", "张三", "11010519491231002X");
    centres.enter(&browser, centres.hub, "王主任", "operator");
    centres.disk_rule(&browser, "0");
    browser.go(&centres.url(centres.hub, "/wall"));
    // The whole county; the room is looked for by its code.
    browser.type_into("input[name=find]", ROOM);
    browser.press("form[action='/wall'] button");
    // Rules as they were may have told of the disk of the machine that the tests run on, until they are looked at again.
    let began = Instant::now();
    while !centres.tile(&browser).starts_with("in_step") {
        assert!(began.elapsed() < Duration::from_secs(100), "{}", centres.tile(&browser));
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(browser.text().contains("现在同步"), "{}", browser.text());
    browser.screen("wall");
    browser.js("window.neverReloaded = true");

    centres.county[centres.room].stop().expect("it stops");
    let gone = Instant::now();
    browser.wait("the room silent", |b| centres.tile(b).starts_with("silent"));
    println!("silent on the wall after {:?}", gone.elapsed());
    assert!(gone.elapsed() < Duration::from_secs(40));
    centres.county.start(centres.room).expect("it starts");
    let back = Instant::now();
    browser.wait("the room back", |b| centres.tile(b).starts_with("in_step"));
    println!("back on the wall after {:?}", back.elapsed());

    centres.county[centres.town].kill();
    browser.wait("the room unknown", |b| centres.tile(b).starts_with("unknown"));
    let text = centres.tile(&browser);
    assert!(text.contains("情况不明") && text.contains('已'), "{text}");
    assert!(browser.text().contains("这个中心联系不上"), "{}", browser.text());
    assert_eq!(
        browser.js("return window.neverReloaded"),
        true,
        "the page was loaded once"
    );
    centres.county.start(centres.town).expect("it starts again");
    browser.wait("the room known again", |b| centres.tile(b).starts_with("in_step"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_rooms_page_says_what_to_do_and_an_alert_is_muted_with_a_reason() {
    let centres = Centres::open();
    let browser = Browser::open();
    centres.receive("B23", "张三", "11010519491231002X");
    centres.enter(&browser, centres.hub, "王主任", "operator");
    browser.go(&centres.url(centres.hub, &format!("/room/{ROOM}")));
    browser.wait("the page", |b| b.text().contains("下一步"));
    // What a room counts itself comes with its next word, and the page brings it by itself.
    browser.wait("the room's own counts", |b| b.text().contains("最近七天的办件数"));
    let text = browser.text();
    for word in ["乡镇", "磁盘剩余", "时钟偏差", "开机次数", "三十天", "最近七天的办件数"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!text.contains("张三"), "a room's page names nobody");
    browser.screen("room");

    centres.disk_rule(&browser, "100");
    let began = Instant::now();
    while !browser.text().contains("磁盘将满") {
        assert!(began.elapsed() < Duration::from_secs(100), "{}", browser.text());
        std::thread::sleep(Duration::from_millis(500));
        browser.go(&centres.url(centres.hub, "/alerts"));
    }
    browser.screen("alerts");
    browser.press("td details summary");
    browser.type_into("td input[name=reason]", "机房搬家");
    browser.press("form[action='/alerts/mute'] button");
    browser.wait("muted", |b| {
        b.text().contains("机房搬家") && b.text().contains("取消静音")
    });
    browser.go(&centres.url(centres.hub, "/wall"));
    browser.wait("on the wall", |b| b.text().contains("已静音"));
    // Who may not act may look, and has no button.
    centres.enter(&browser, centres.town, "李芳", "clerk");
    browser.go(&centres.url(centres.town, "/wall"));
    browser.wait("the township's own rooms", |b| b.text().contains("现在同步"));
    browser.go(&centres.url(centres.town, "/alerts"));
    assert!(!browser.text().contains("保存规则"), "{}", browser.text());
}
