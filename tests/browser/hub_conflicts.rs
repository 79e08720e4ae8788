//! What was done on two sides while apart, at a township's console: two results of one case, and a PC that was copied.

use cunlian_tests::PlaceId;
use cunlian_tests::place::Kind;
use serde_json::{Value, json};

use super::ROOM;
use super::driver::{Browser, until};
use super::hub::Centres;
use super::hub_work::{press_words, says};

/// Decided by the room itself, while the applicant waits.
const ON_THE_SPOT: &str = "C06";
const ZHANG: &str = "11010519491231002X";
const LI: &str = "511603199909258227";

/// The text of the one article of this kind.
fn article(browser: &Browser, kind: &str) -> String {
    let script = format!(
        "var all = document.querySelectorAll(\"article[data-conflict='{kind}']\"); return all.length === 1 ? all[0].innerText : ''"
    );
    browser.js(&script).as_str().unwrap_or_default().to_owned()
}

/// Each side: what it says, and who said it.
fn sides(browser: &Browser, kind: &str) -> Vec<(String, String)> {
    let told = browser.js(&format!(
        "return [...document.querySelectorAll(\"article[data-conflict='{kind}'] form.conflict li\")].map(l => \
         [...l.querySelectorAll('span')].map(s => s.innerText.trim()))"
    ));
    serde_json::from_value(told).expect("sides of two words each")
}

fn of_kind(centres: &Centres, at: PlaceId, kind: &str) -> Vec<Value> {
    let list = centres.json(at, &["conflict", "list"]).unwrap_or_default();
    let all = list.as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|item| item["kind"] == kind).collect()
}

/// Waits until room, township and county alike say that the case is in this state.
fn everywhere(centres: &Centres, number: &str, state: &str) {
    for at in [centres.room, centres.town, centres.hub] {
        until(&format!("{state} at every tier"), || {
            let shown = centres.json(at, &["case", "show", number]);
            shown.is_some_and(|case| case["state"] == state)
        });
    }
}

/// Closed by the room and by the township with different results, on both sides of a cut line.
fn closed_twice(centres: &Centres) -> String {
    let number = centres.receive(ON_THE_SPOT, "张三", ZHANG);
    let act = |at, event: &[&str]| {
        let args = [&["case", "do", number.as_str()][..], event].concat();
        centres.json(at, &args).expect("done");
    };
    act(centres.room, &["accept"]);
    everywhere(centres, &number, "accepted");
    centres.county.cut(centres.room);
    act(centres.room, &["close", "--result", "6"]);
    act(centres.town, &["close", "--result", "0"]);
    centres.county.heal(centres.room);
    everywhere(centres, &number, "double_closed");
    number
}

#[test]
fn of_two_results_the_second_is_chosen_and_the_choice_is_taken_back() {
    let centres = Centres::open();
    let number = closed_twice(&centres);
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "赵主任", "head");
    browser.go(&centres.url(centres.town, "/conflicts"));
    let told = article(&browser, "double_closing");
    assert!(
        told.contains("双重办结") && told.contains(&number) && told.contains("裁决以前不算办结"),
        "{told}"
    );
    let both = sides(&browser, "double_closing");
    assert_eq!(both.len(), 2, "{both:?}");
    for (words, tier, unit) in [("办结", "村", "高河村委会"), ("证照已发", "乡镇", "观阁镇")] {
        let side = both.iter().find(|side| side.0 == words);
        let (_, who) = side.unwrap_or_else(|| panic!("no side says {words}: {both:?}"));
        assert!(
            who.starts_with(&format!("{tier} {unit}")) && who.contains("电脑"),
            "{who}"
        );
    }
    browser.screen("conflict-double-closing");

    // The second of the two.
    let chosen = both[1].0.clone();
    browser.js(
        "document.querySelectorAll(\"article[data-conflict='double_closing'] form.conflict li button\")[1].click()",
    );
    says(&browser, "已裁决，各级会按它更新");
    let decided =
        browser.js("return document.querySelector(\"article[data-conflict='double_closing'] p strong\").innerText");
    assert_eq!(decided, json!(chosen));
    everywhere(&centres, &number, "closed");
    let result = if chosen == "办结" { 6 } else { 0 };
    for at in [centres.room, centres.hub] {
        let list = centres.json(at, &["case", "list"]).expect("a list");
        assert_eq!(
            (list[0]["project_no"].as_str(), &list[0]["result"]),
            (Some(number.as_str()), &json!(result))
        );
    }

    press_words(&browser, "form.conflict button", "撤销这个裁决");
    says(&browser, "已撤销，重新待裁决");
    assert_eq!(sides(&browser, "double_closing"), both, "both sides are offered again");
    everywhere(&centres, &number, "double_closed");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// The room's folder copied, and one case recorded on either copy before they hear of each other: the number of both.
fn copied(centres: &mut Centres) -> String {
    let room = centres.room;
    until("the room is in step", || {
        centres.county.in_step(&[centres.town, room]).unwrap_or(false)
    });
    centres.county[room].stop().expect("it stops");
    let twin = centres.county.place("twin", Kind::Node);
    let to = centres.county[twin].data().to_owned();
    centres.county[room].copy_data(&to).expect("a copy");
    centres.county.cut(room);
    centres.county.start(room).expect("the original");
    centres.county.start(twin).expect("the copy");
    let new = |at, name: &str, cert_no: &str| {
        let args = ["case", "new", "--matter", "A01", "--name", name, "--cert-no", cert_no];
        let made = centres.json(at, &args).expect("a case");
        made["project_no"].as_str().expect("a number").to_owned()
    };
    let (first, second) = (new(room, "张三", ZHANG), new(twin, "李四", LI));
    assert_eq!(first, second, "both count on from the same day");
    centres.county.heal(room);
    until("the township tells of the number and of the fork", || {
        ["same_number", "fork"]
            .iter()
            .all(|kind| of_kind(centres, centres.town, kind).len() == 1)
    });
    first
}

#[test]
fn an_equal_number_is_left_to_both_and_taken_back_and_the_copied_pc_is_named_with_what_to_do() {
    let mut centres = Centres::open();
    let number = copied(&mut centres);
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "赵主任", "head");
    browser.go(&centres.url(centres.town, "/conflicts?kind=same_number"));
    let told = article(&browser, "same_number");
    let lines: Vec<&str> = told
        .lines()
        .filter(|line| line.contains(ROOM) || line.contains(&number))
        .collect();
    assert!(told.contains("编号重复") && told.contains("电脑被复制过"), "{told}");
    assert!(
        lines.iter().any(|line| line.starts_with(&format!("{number} ")))
            && lines.iter().any(|line| line.starts_with(&format!("{number}-2 "))),
        "both numbers, apart: {told}"
    );
    assert!(
        told.contains("张*") && told.contains("李*") && !told.contains("张三"),
        "{told}"
    );
    browser.screen("conflict-same-number");
    press_words(&browser, "article[data-conflict='same_number'] button", "分别办理");
    says(&browser, "已裁决，各级会按它更新");
    assert!(article(&browser, "same_number").contains("分别办理"));
    browser.go(&centres.url(centres.town, "/conflicts?kind=same_number"));
    assert_eq!(article(&browser, "same_number"), "", "it is decided");
    browser.go(&centres.url(centres.town, "/conflicts?kind=same_number&done=1"));
    press_words(&browser, "article[data-conflict='same_number'] button", "撤销这个裁决");
    says(&browser, "已撤销，重新待裁决");
    says(&browser, &format!("{number}-2"));
    let open = of_kind(&centres, centres.town, "same_number");
    assert_eq!(open[0]["state"], "open", "{open:?}");

    // The fork is open until the PC has begun anew under another number, and is told of afterwards.
    let fork = of_kind(&centres, centres.town, "fork").remove(0);
    let device = fork["device_name"].as_str().expect("a name").to_owned();
    assert!(!device.is_empty(), "{fork}");
    let mut told = String::new();
    until("the fork's own article", || {
        for done in ["", "&done=1"] {
            browser.go(&centres.url(centres.town, &format!("/conflicts?kind=fork{done}")));
            told = article(&browser, "fork");
            if !told.is_empty() {
                return true;
            }
        }
        false
    });
    assert!(told.contains(&format!("设备：{device} 高河村委会")), "{told}");
    assert!(told.contains("设备分叉") && told.contains("两支的记录都保留"), "{told}");
    // While it is open it says what to do; afterwards it asks for nothing any more.
    assert_ne!(
        told.contains("请停用被复制的那一份数据，保留一台"),
        told.contains("已了结"),
        "{told}"
    );
    let buttons = browser.js("return document.querySelectorAll(\"article[data-conflict='fork'] button\").length");
    assert_eq!(buttons, 0, "there is nothing to choose");
    browser.screen("conflict-fork");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
