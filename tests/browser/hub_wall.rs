//! The wall in a real browser: a room that goes silent and comes back, a township's hub that is killed, and an alert that is muted.

use std::time::{Duration, Instant};

use serde_json::json;

use super::ROOM;
use super::driver::Browser;
use super::hub::Centres;
use super::hub_work::ask;

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
    browser.screen("wall");
    browser.type_into("input[name=find]", ROOM);
    browser.press("form[action='/wall'] button");
    // Rules as they were may have told of the disk of the machine that the tests run on, until they are looked at again.
    let began = Instant::now();
    while !centres.tile(&browser).starts_with("in_step") {
        assert!(began.elapsed() < Duration::from_secs(100), "{}", centres.tile(&browser));
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(browser.text().contains("现在同步"), "{}", browser.text());
    browser.screen("wall-one");
    browser.js("window.neverReloaded = true");

    centres.county[centres.room].stop().expect("it stops");
    let gone = Instant::now();
    browser.wait("the room silent", |b| centres.tile(b).starts_with("silent"));
    println!("silent on the wall after {:?}", gone.elapsed());
    assert!(gone.elapsed() < Duration::from_secs(40));
    centres.county.start(centres.room).expect("it starts");
    browser.wait("the room back", |b| centres.tile(b).starts_with("in_step"));

    centres.county[centres.town].kill();
    let killed = Instant::now();
    browser.wait("the room unknown", |b| centres.tile(b).starts_with("unknown"));
    // Grey, in words, since when; and that its hub is gone, with the time that it was heard last.
    let text = centres.tile(&browser);
    assert!(text.contains("情况不明 · 刚刚"), "{text}");
    let class = browser.js("return document.querySelector(\"[data-state='unknown']\").className");
    assert_eq!(class, "tile grey");
    let wall = browser.text();
    let (_, since) = wall.split_once("这个中心联系不上（").expect("that the hub is gone");
    let since: String = since.chars().take_while(|c| *c != '）').collect();
    assert_eq!(since.len(), "2026-11-22 10:00".len(), "{since}");
    assert!(
        since.starts_with("20") && since.contains(' ') && since.contains(':'),
        "{since}"
    );
    assert_eq!(
        browser.js("return window.neverReloaded"),
        true,
        "the page was loaded once"
    );
    // After a minute it says from when what is shown is.
    while !centres.tile(&browser).contains("已 1 分钟 · 截至 ") {
        assert!(
            killed.elapsed() < Duration::from_secs(118),
            "{}",
            centres.tile(&browser)
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    browser.screen("wall-unknown");
    browser.go(&centres.url(centres.hub, &format!("/room/{ROOM}")));
    browser.wait("what to do", |b| {
        b.text().contains("它上面的中心联系不上，村室现在怎样不知道")
    });
    browser.go(&centres.url(centres.hub, &format!("/wall?find={ROOM}")));
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
    // What its day came to, and the code that the room reads out over the phone.
    browser.press("a[href$='/day']");
    browser.wait("the day", |b| {
        b.text().contains("日结码") && b.text().contains("还没有日结")
    });
    let code = browser.js("return document.getElementById('code').innerText");
    let at_room = ask(&centres, centres.room, &json!({"command": "day_close"}))["digest"].clone();
    let spoken = code.as_str().unwrap_or_default().replace('-', "");
    assert!(
        at_room.as_str().is_some_and(|d| d.to_uppercase().starts_with(&spoken)),
        "{at_room} {code}"
    );
    let began = Instant::now();
    while !browser.text().contains("最后一次日结和本级现在的账一致") {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", browser.text());
        std::thread::sleep(Duration::from_millis(300));
        browser.go(&centres.url(centres.hub, &format!("/room/{ROOM}/day")));
    }
    browser.screen("room-day");

    centres.disk_rule(&browser, "100");
    // The page stands open, what is over unfolded, and brings the alert by itself.
    browser.js("window.neverReloaded = true; document.getElementById('past').open = true");
    let began = Instant::now();
    while !browser.text().contains("磁盘将满") {
        assert!(began.elapsed() < Duration::from_secs(100), "{}", browser.text());
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(browser.js("return window.neverReloaded"), true, "without a reload");
    assert_eq!(
        browser.js("return document.getElementById('past').open"),
        true,
        "what was unfolded stays so"
    );
    browser.screen("alerts");
    browser.press("td details summary");
    browser.type_into("td input[name=reason]", "机房搬家");
    browser.press("form[action='/alerts/mute'] button");
    browser.wait("muted", |b| {
        b.text().contains("机房搬家") && b.text().contains("取消静音")
    });
    browser.go(&centres.url(centres.hub, "/wall"));
    browser.wait("on the wall", |b| b.text().contains("已静音"));
    and_is_over(&centres, &browser);
    // Who may not act may look, and has no button.
    centres.enter(&browser, centres.town, "李芳", "clerk");
    browser.go(&centres.url(centres.town, "/wall"));
    browser.wait("the township's own rooms", |b| b.text().contains("现在同步"));
    browser.go(&centres.url(centres.town, "/alerts"));
    assert!(!browser.text().contains("保存规则"), "{}", browser.text());
}

/// The rule is put back: what it told of leaves the open list by itself and stands under what is over, with from when to when.
fn and_is_over(centres: &Centres, browser: &Browser) {
    centres.disk_rule(browser, "0");
    browser.js("window.neverReloaded = true; document.getElementById('past').open = true");
    let open = |b: &Browser| {
        b.js("return [...document.querySelectorAll('#alerts > table tbody tr')].map(r => r.innerText).join('|')")
            .to_string()
    };
    let past = |b: &Browser| {
        b.js("return [...document.querySelectorAll('#past tbody tr')].map(r => [...r.children].map(c => c.innerText.trim()))")
    };
    let began = Instant::now();
    while open(browser).contains("磁盘将满") {
        assert!(began.elapsed() < Duration::from_secs(100), "{}", open(browser));
        std::thread::sleep(Duration::from_millis(200));
    }
    browser.wait("it is over", |b| past(b).to_string().contains("磁盘将满"));
    let rows: Vec<Vec<String>> = serde_json::from_value(past(browser)).expect("rows");
    let row = rows.iter().find(|row| row[0] == "磁盘将满").expect("what is over");
    for (at, word) in [(2, "from when"), (3, "until when")] {
        assert!(row[at].starts_with("20") && row[at].contains(':'), "{word}: {row:?}");
    }
    assert!(row[2] <= row[3], "{row:?}");
    assert!(browser.text().contains("已经恢复"), "{}", browser.text());
    assert_eq!(browser.js("return window.neverReloaded"), true, "without a reload");
    browser.screen("alerts-over");
}

/// Codes, names and towns of the tiles in the order in which they stand.
fn tiles(browser: &Browser) -> Vec<(String, String, String)> {
    let told = browser.js(
        "return [...document.querySelectorAll('#tiles section a.tile')].map(t => [t.dataset.unit, t.querySelector('b').innerText, \
         t.closest('section').querySelector('h2 a').innerText])",
    );
    serde_json::from_value(told).expect("tiles")
}

#[test]
fn the_wall_is_sorted_by_name_holds_one_township_and_says_that_the_days_agree() {
    let centres = Centres::open();
    let browser = Browser::open();
    centres.receive("B23", "张三", "11010519491231002X");
    centres.enter(&browser, centres.hub, "王主任", "operator");
    browser.go(&centres.url(centres.hub, "/wall?sort=name"));
    let all = tiles(&browser);
    let mut by_name = all.clone();
    by_name.sort_by(|a, b| (&a.2, &a.1).cmp(&(&b.2, &b.1)));
    let towns: std::collections::BTreeSet<&String> = all.iter().map(|tile| &tile.2).collect();
    assert!(
        all.len() > 100 && towns.len() > 5,
        "{} tiles of {} townships",
        all.len(),
        towns.len()
    );
    assert_eq!(all, by_name, "townships by name, and in each the rooms by name");
    let chosen = browser.js("return document.querySelector('select[name=sort]').selectedOptions[0].innerText");
    assert_eq!(chosen, "按名称");
    browser.screen("wall-by-name");

    // The township's own: by code no room is left of another, and what was asked for is kept when it renews itself.
    browser.go(&centres.url(centres.hub, "/wall?town=511603102000&sort=code"));
    let own = tiles(&browser);
    let codes: Vec<&String> = own.iter().map(|tile| &tile.0).collect();
    let mut expected: Vec<&String> = all.iter().filter(|t| t.2 == "观阁镇").map(|t| &t.0).collect();
    expected.sort();
    assert!(expected.len() > 10 && codes == expected, "{codes:?} {expected:?}");
    assert!(own.iter().all(|tile| tile.2 == "观阁镇"), "{own:?}");
    let query = browser.js("return document.getElementById('tiles').getAttribute('hx-get')");
    assert_eq!(query, "/wall/tiles?town=511603102000&sort=code");
    assert!(
        browser.text().contains("看全部") && !browser.text().contains("逐日核对"),
        "{}",
        browser.text()
    );

    // The county's sum of the day is that of its one room that has told of itself, in a green word.
    browser.go(&centres.url(centres.hub, "/wall"));
    let days = "return [...document.querySelectorAll('#tiles > section:last-child tbody tr')].map(r => \
                [...r.children].map(c => c.innerText.trim()))";
    let began = Instant::now();
    let equal = |row: &Vec<String>| row[1] == "1" && row[2] == "1" && row[3] == "相等";
    loop {
        let rows: Vec<Vec<String>> = serde_json::from_value(browser.js(days)).unwrap_or_default();
        if rows.iter().any(equal) {
            assert!(rows.iter().all(|row| row[3] == "相等"), "{rows:?}");
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(100),
            "{rows:?} {}",
            browser.text()
        );
        std::thread::sleep(Duration::from_millis(300));
    }
    let text = browser.text();
    assert!(
        text.contains("逐日核对：本级合计 ＝ 各村室之和") && text.contains("1 个村室报了数"),
        "{text}"
    );
    let colours = browser.js(
        "return [...document.querySelectorAll('#tiles > section:last-child tbody .tag')].every(t => t.className === 'tag green' && \
         t.innerText === '相等')",
    );
    assert_eq!(colours, true);
    browser.js("document.querySelector('#tiles > section:last-child').scrollIntoView(); return true");
    browser.screen("wall-days");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
