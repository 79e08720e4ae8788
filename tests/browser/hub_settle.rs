//! Queues of a township in a real browser, each with something in it: a record that was set aside, errands, many at once with one that
//! cannot be done, a malicious evaluation.

use cunlian_tests::PlaceId;
use cunlian_tests::api::Api;
use office::{Home, Office};
use serde_json::{Value, json};
use store::{RealDisk, SledPlace};

use super::driver::{Browser, ENTER, until};
use super::hub::Centres;
use super::hub_work::{press_words, says};
use super::{PIN, ROOM, console};

const LAND: &str = "A01";
const OTHER_ROOM: &str = "511603102203";
const ZHANG: &str = "11010519491231002X";
const LI: &str = "511603199909258227";

fn ask(centres: &Centres, at: PlaceId, request: &Value) -> Value {
    let mut api = Api::connect(centres.county[at].data()).expect("an api");
    api.ask(request).expect("an answer")
}

/// The room's PC writes itself a document number with a program that was tampered with; then its own program runs again, with its desk.
fn tampered(centres: &mut Centres, number: &str) {
    let room = centres.room;
    centres.county[room].stop().expect("it stops");
    let dir = centres.county[room].data().to_owned();
    {
        let home = Home {
            disk: Box::new(RealDisk::open(&dir).expect("the folder")),
            place: Box::new(SledPlace::new(dir.join("index"))),
            software: "tampered".to_owned(),
        };
        let now = net::Clock::start().now();
        let mut office = Office::open(home, [3; 32], now, &mut |_| {}).expect("the office");
        let written = office.write_unchecked(now, number, "doc_no", "自编1号");
        written.expect("written");
        office.rest(now).expect("kept");
    }
    centres.county[room].set_env("CUNLIAN_CONSOLE", "127.0.0.1:0");
    centres.county.start(room).expect("it starts");
}

#[test]
fn a_record_set_aside_is_seen_with_its_reason_retried_and_said_beside_its_tick_at_the_room() {
    let mut centres = Centres::open();
    let number = centres.receive(LAND, "张三", ZHANG);
    tampered(&mut centres, &number);
    until("the township has set it aside", || {
        let list = ask(
            &centres,
            centres.town,
            &json!({"command": "work", "work": "quarantine"}),
        );
        list["total"] == 1
    });
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "赵主任", "head");
    browser.go(&centres.url(centres.town, "/setaside"));
    let text = browser.text();
    assert!(text.contains(&number) && text.contains("无权填写字段"), "{text}");
    browser.screen("setaside-one");
    press_words(&browser, "form[action='/setaside/retry'] button", "再试一次");
    says(&browser, "还有 1 件原因不变");
    says(&browser, &number);
    browser.go(&centres.url(centres.town, &format!("/case/{number}")));
    says(&browser, "无权填写字段");

    // At the room's desk.
    let args = ["user", "add", "--unit", ROOM, "--name", "李芳", "--role", "clerk"];
    let made = centres.county[centres.town].json(&args).expect("a person");
    let code = made["code"].as_str().expect("a code").to_lowercase();
    until("the room knows the person", || {
        let users = centres.json(centres.room, &["user", "list"]).unwrap_or_default();
        users.to_string().contains("李芳")
    });
    let desk = format!("http://{}", console(&centres.county, centres.room));
    browser.go(&format!("{desk}/enrol"));
    browser.wait("the code's field", |b| b.focus() == "code");
    browser.keys(&format!("{code}{ENTER}{PIN}{ENTER}{PIN}{ENTER}{ENTER}"));
    browser.wait("today", |b| b.path() == "/");
    says(&browser, "有搁置");
    browser.go(&format!("{desk}/case/{number}"));
    let beside = browser.js("return document.querySelector('#case-live [data-aside]').innerText");
    let beside = beside.as_str().unwrap_or_default();
    assert!(
        beside.contains("无权填写字段") && beside.contains("一条不丢"),
        "{beside}"
    );
    browser.screen("desk-aside");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn errands_of_all_rooms_are_filtered_opened_and_worked() {
    let mut centres = Centres::open();
    let other = centres.county.room(OTHER_ROOM, &[centres.town]).expect("a room");
    let entrust = |at: PlaceId, task: &str, claim: bool| {
        let made = ask(
            &centres,
            at,
            &json!({"command": "errand_new", "matter": "C01", "name": "张三", "task": task, "claim": claim}),
        );
        made["project_no"].as_str().expect("a number").to_owned()
    };
    let (first, second) = (
        entrust(centres.room, "代领老年卡", false),
        entrust(other, "代缴医保", true),
    );
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "李芳", "clerk");
    until("the township has both", || {
        [&first, &second]
            .iter()
            .all(|no| centres.json(centres.town, &["case", "show", no]).is_some())
    });
    browser.go(&centres.url(centres.town, "/errands"));
    let text = browser.text();
    assert!(
        text.contains("代领老年卡") && text.contains("代缴医保") && text.contains("张*") && !text.contains("张三"),
        "{text}"
    );
    browser.js(&format!(
        "document.getElementById('unit').value = [...document.getElementById('unit').options].map(o => o.value).find(v => \
         v.startsWith('{ROOM}')); return true"
    ));
    press_words(&browser, "form[action='/errands'] button", "筛选");
    browser.wait("one", |b| {
        b.text().contains("代领老年卡") && !b.text().contains("代缴医保")
    });
    browser.screen("hub-errands");
    browser.press(&format!("a[href='/case/{first}']"));
    browser.wait("the errand", |b| b.path() == format!("/case/{first}"));
    press_words(&browser, "#steps button", "认领");
    says(&browser, "现在是“已认领”");
    browser.type_into(
        "details:has(button[value=progress]) input[name=note]",
        "已交乡镇社保窗口",
    );
    press_words(&browser, "#steps button", "进展");
    says(&browser, "已交乡镇社保窗口");
    until("the room reads it", || {
        let shown = centres
            .json(centres.room, &["case", "show", &first])
            .unwrap_or_default();
        shown["state"] == "underway" && shown["events"].to_string().contains("社保窗口")
    });
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn of_many_at_once_the_one_that_cannot_be_done_is_named() {
    let centres = Centres::open();
    let (first, second) = (centres.receive(LAND, "张三", ZHANG), centres.receive(LAND, "李四", LI));
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "赵主任", "head");
    browser.go(&centres.url(centres.town, "/inbox"));
    browser.js("document.querySelectorAll('#many input[type=checkbox]').forEach(c => c.checked = true); return true");
    centres
        .json(centres.room, &["case", "do", &second, "withdraw"])
        .expect("withdrawn");
    until("the township knows", || {
        let shown = centres
            .json(centres.town, &["case", "show", &second])
            .unwrap_or_default();
        shown["state"] == "withdrawn"
    });
    press_words(&browser, "#many button", "受理");
    says(&browser, "没有办成");
    let row = |no: &str| {
        let script = format!(
            "return [...document.querySelectorAll('tbody tr')].find(r => r.innerText.includes('{no}')).innerText"
        );
        browser.js(&script).as_str().unwrap_or_default().to_owned()
    };
    assert!(
        row(&first).contains("已办") && row(&first).contains("-00001号"),
        "{}",
        row(&first)
    );
    assert!(
        row(&second).contains("没有办成") && row(&second).contains("撤件"),
        "{}",
        row(&second)
    );
    browser.screen("hub-many-named");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_malicious_word_is_marked_by_a_head_and_taken_back() {
    let centres = Centres::open();
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "赵主任", "head");
    // On the spot at the room, and a bad word about it.
    let third = centres.receive("B23", "王五", ZHANG);
    let act = |request: Value| ask(&centres, centres.room, &request);
    act(json!({"command": "case_do", "number": third, "event": "accept"}));
    act(json!({"command": "case_do", "number": third, "event": "close", "result": "6"}));
    act(json!({"command": "evaluate", "number": third, "rating": 5, "press": "one"}));
    until("the bad word is known", || {
        let list = ask(
            &centres,
            centres.town,
            &json!({"command": "work", "work": "follow_ups"}),
        );
        list["total"] == 1
    });
    let mark = |words: &str, reason: &str| {
        browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; }); return true");
        browser.type_into_plain("form[action='/follow/malicious'] input[name=reason]", reason);
        press_words(&browser, "form[action='/follow/malicious'] button", words);
    };
    browser.go(&centres.url(centres.town, "/follow"));
    mark("认定为恶意评价", "王五与经办人有私怨");
    browser.wait("a name is refused", |b| {
        b.js("return document.querySelectorAll('.problem').length") == 1
    });
    mark("认定为恶意评价", "与经办人有私怨，已核实");
    says(&browser, "已认定为恶意评价");
    says(&browser, "与经办人有私怨，已核实");
    browser.screen("hub-malicious");
    browser.go(&centres.url(centres.town, "/follow"));
    says(&browser, "没有要回访的差评");
    browser.go(&centres.url(centres.town, &format!("/case/{third}")));
    says(&browser, "认定为恶意评价，不计入满意度");
    browser.go(&centres.url(centres.town, "/follow?done=1"));
    mark("撤回恶意认定", "证据不足");
    says(&browser, "已撤回恶意认定");
    says(&browser, &third);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
