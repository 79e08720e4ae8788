//! A clerk's day by keyboard: coming in, registering, the plug, the line.

use cunlian_tests::county::cert_no;

use super::driver::{Browser, ENTER, until};
use super::{Desk, PIN};

const ZHANG: &str = "11010519491231002X";

/// From the empty box to the person's number, as a clerk goes.
fn choose(browser: &Browser, typed: &str, name: &str) {
    browser.wait("the box for the matter", |b| b.focus() == "q");
    // Faster than any answer comes: what is taken is what was typed, not what was offered before.
    browser.keys(&format!("{typed}{ENTER}"));
    browser.wait("on to the number", |b| b.focus() == "cert_no");
    let chosen = browser.js("return document.querySelector('#matter strong').innerText");
    assert!(chosen.as_str().is_some_and(|text| text.contains(name)), "{chosen}");
}

#[test]
fn a_case_is_registered_by_keyboard_and_its_tick_moves_by_itself_when_the_line_heals() {
    let desk = Desk::open();
    let code = desk.name("李芳", "clerk");
    let browser = Browser::open();
    browser.go(&desk.url("/new"));
    assert_eq!(
        browser.path(),
        "/login",
        "nobody works here without having said who they are"
    );
    desk.enrol(&browser, &code);

    desk.county.cut(desk.room);
    browser.wait("the bar says that the line is down", |b| b.text().contains("线路断"));
    browser.go(&desk.url("/new"));
    choose(&browser, "zjd", "农村村民住宅用地（宅基地）审批");
    browser.keys(ZHANG);
    browser.wait("what the number says", |b| {
        b.text().contains("号码正确：1949-12-31 出生，女")
    });
    browser.keys(&format!("{ENTER}张三{ENTER}13800138000{ENTER}高河村3组"));
    browser.send();
    browser.wait("kept", |b| {
        b.path().starts_with("/case/") && b.text().contains("已存本机")
    });
    let cases = desk.cases();
    assert_eq!(cases.len(), 1, "said only of what is in the journal");
    assert!(
        browser
            .path()
            .ends_with(cases[0]["project_no"].as_str().expect("a number"))
    );
    let page = browser.text();
    assert!(page.contains("还没有送到上级") && page.contains("李芳"), "{page}");
    assert!(
        page.contains("张*") && page.contains("138****8000") && !page.contains(ZHANG),
        "{page}"
    );
    // Only what the form's table allows a room now: this matter is accepted by the township.
    assert!(
        page.contains("补正告知") && !page.contains("不予受理") && !page.contains("评价"),
        "{page}"
    );

    // Nobody touches anything from here on.
    desk.county.heal(desk.room);
    let tick = "return !!document.querySelector('[data-tick=county]')";
    browser.wait("the tick of the county", |b| b.js(tick) == true);
    browser.wait("the bar is in step", |b| b.text().contains("全部送到"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
    // The township accepts; the page says so and the deadline is counted out.
    let number = cases[0]["project_no"].as_str().expect("a number");
    desk.county[desk.town]
        .json(&["case", "do", number, "accept"])
        .expect("accepted");
    browser.wait("the township's answer", |b| {
        b.text().contains("已受理") && b.text().contains("第10天")
    });
}

#[test]
fn the_plug_is_pulled_in_the_middle_of_a_draft_and_right_after_a_case_was_said_to_be_kept() {
    let mut desk = Desk::open();
    let code = desk.name("李芳", "clerk");
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    browser.go(&desk.url("/new"));
    choose(&browser, "A06", "个体工商户注销登记");
    browser.keys(&format!("{ZHANG}{ENTER}欧阳娜娜"));
    browser.wait("the draft is kept", |b| b.text().contains("草稿已存"));
    let name = "return document.getElementById('name').value";
    assert_eq!(browser.js(name), "欧阳娜娜");
    desk.pull_the_plug();
    // What lies on the disk says nothing to whoever carries the PC away.
    for entry in std::fs::read_dir(desk.county[desk.room].data())
        .expect("the folder")
        .flatten()
    {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        let plain = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(!plain("欧阳") && !plain(ZHANG), "{:?}", entry.path());
    }

    browser.go(&desk.url("/new"));
    browser.wait("the PIN", |b| b.focus() == "pin");
    browser.keys(&format!("{PIN}{ENTER}"));
    browser.wait("back on the page", |b| b.path() == "/new");
    assert!(browser.text().contains("已接上次没填完的内容"));
    assert_eq!(browser.js(name), "欧阳娜娜");
    assert_eq!(
        browser.js("return document.querySelector('input[name=matter]').value"),
        "A06"
    );
    // An on-the-spot matter is received and closed in one go.
    browser.js("document.querySelector('button[value=close]').focus()");
    browser.keys(&ENTER.to_string());
    browser.wait("kept and closed", |b| {
        b.path().starts_with("/case/") && b.text().contains("已办结")
    });
    assert!(browser.text().contains("已存本机"));
    desk.pull_the_plug();
    let cases = desk.cases();
    assert_eq!((cases.len(), &cases[0]["state"]), (1, &serde_json::json!("closed")));
}

#[test]
fn five_wrong_pins_close_the_door_and_a_word_still_being_composed_is_not_sent() {
    let desk = Desk::open();
    let code = desk.name("王强", "clerk");
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    browser.go(&desk.url("/new"));
    browser.wait("the box", |b| b.focus() == "q");
    // As an IME does it: the letters stand in the box while the word is being composed.
    browser.js(
        "var q = document.getElementById('q'); window.asked = 0;
         document.body.addEventListener('htmx:beforeRequest', function () { window.asked += 1; });
         q.dispatchEvent(new CompositionEvent('compositionstart', {bubbles: true}));
         q.value = 'zhaiji'; q.dispatchEvent(new InputEvent('input', {bubbles: true, isComposing: true}));
         q.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, isComposing: true, keyCode: 229}));",
    );
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    assert_eq!(
        (browser.js("return window.asked"), browser.path()),
        (serde_json::json!(0), "/new".to_owned())
    );
    browser.js("var q = document.getElementById('q'); q.value = '宅基地';
         q.dispatchEvent(new CompositionEvent('compositionend', {bubbles: true, data: '宅基地'}));");
    browser.wait("the finished word is searched for", |b| {
        b.text().contains("农村村民住宅用地（宅基地）审批")
    });
    // Nor is the form sent while a word of it is being composed; it is once the word stands.
    browser.keys(&ENTER.to_string());
    browser.wait("on to the number", |b| b.focus() == "cert_no");
    browser.keys(&format!("{ZHANG}{ENTER}"));
    browser.js(
        "var name = document.getElementById('name'); name.focus(); name.value = '张';
         name.dispatchEvent(new CompositionEvent('compositionstart', {bubbles: true}));
         document.getElementById('new').requestSubmit();",
    );
    std::thread::sleep(std::time::Duration::from_millis(600));
    assert_eq!((browser.path(), desk.cases().len()), ("/new".to_owned(), 0));
    browser.js("var name = document.getElementById('name'); name.value = '张三';
         name.dispatchEvent(new CompositionEvent('compositionend', {bubbles: true, data: '张三'}));");
    browser.send();
    browser.wait("kept", |b| b.path().starts_with("/case/"));
    assert_eq!(desk.cases().len(), 1);

    browser.js("document.querySelector('form[action=\"/lock\"] button').click()");
    browser.wait("the PIN", |b| b.focus() == "pin");
    for left in (1..5).rev() {
        browser.keys(&format!("111222{ENTER}"));
        let said = format!("还可以试 {left} 次");
        browser.wait(&said, |b| b.text().contains(&said) && b.focus() == "pin");
    }
    browser.keys(&format!("111222{ENTER}"));
    browser.wait("the door is closed", |b| {
        b.text().contains("PIN 错了五次") && b.focus() == "pin"
    });
    browser.keys(&format!("{PIN}{ENTER}"));
    until("the right one has to wait too", || browser.text().contains("才能再试"));
    assert_eq!(browser.path(), "/login");
}

#[test]
fn the_plug_is_pulled_between_keeping_a_case_and_dropping_its_draft_and_there_is_one_case() {
    let mut desk = Desk::open();
    let code = desk.name("李芳", "clerk");
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    browser.go(&desk.url("/new"));
    choose(&browser, "A06", "个体工商户注销登记");
    browser.keys(&format!("{ZHANG}{ENTER}欧阳娜娜{ENTER}"));
    browser.wait("the draft is kept", |b| b.text().contains("草稿已存"));
    let once = browser.js("return document.querySelector('input[name=once]').value");
    let draft = || {
        let entries = std::fs::read_dir(desk.county[desk.room].data())
            .expect("the folder")
            .flatten();
        let mut drafts = entries.filter(|e| e.file_name().to_string_lossy().starts_with("draft-"));
        drafts.next().map(|e| e.path())
    };
    let file = draft().expect("a draft on the disk");
    let bytes = std::fs::read(&file).expect("its bytes");
    browser.send();
    browser.wait("kept", |b| {
        b.path().starts_with("/case/") && b.text().contains("已存本机")
    });
    until("the draft is let go of", || draft().is_none());
    // Ctrl+Enter only receives, also what could be closed in one go.
    assert_eq!(desk.cases()[0]["state"], "received");
    let number = desk.cases()[0]["project_no"].as_str().expect("a number").to_owned();
    // As the disk lies when the plug is pulled between the two.
    desk.county[desk.room].kill();
    std::fs::write(&file, bytes).expect("the draft is there");
    desk.pull_the_plug();
    browser.go(&desk.url("/new"));
    browser.wait("the PIN", |b| b.focus() == "pin");
    browser.keys(&format!("{PIN}{ENTER}"));
    browser.wait("the clerk is told which case it became", |b| {
        b.path() == format!("/case/{number}") && b.text().contains("断电以前填的那一件已经存好了")
    });
    browser.go(&desk.url("/new"));
    browser.wait("an empty page", |b| {
        b.focus() == "q" && !b.text().contains("已接上次没填完的内容")
    });
    // A page that stood open through it all sends its form once more.
    let again = format!(
        "var token = JSON.parse(document.body.getAttribute('hx-headers'))['x-csrf-token'];
         var x = new XMLHttpRequest(); x.open('POST', '/new', false);
         x.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
         x.send('csrf=' + token + '&once=' + {once} + '&matter=A06&cert_no={ZHANG}&name=' + encodeURIComponent('欧阳娜娜'));
         return x.responseURL"
    );
    let led_to = browser.js(&again);
    assert!(led_to.as_str().is_some_and(|url| url.ends_with(&number)), "{led_to}");
    assert_eq!(desk.cases().len(), 1);
    // One that was opened from the same draft, for somebody else, makes a case of its own.
    let led_to = browser.js(&again.replace(ZHANG, &cert_no(9_311)));
    assert!(
        led_to
            .as_str()
            .is_some_and(|url| url.contains("/case/") && !url.ends_with(&number)),
        "{led_to}"
    );
    assert_eq!(desk.cases().len(), 2);
}
