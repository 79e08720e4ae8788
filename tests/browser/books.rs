//! The day and the month at the desk: a closing that does not pretend, a table to keep, a day book looked at before it is taken over.

use serde_json::{Value, json};

use super::driver::Browser;
use super::{Desk, ROOM};

const ZHANG: &str = "11010519491231002X";

fn new_case(desk: &Desk) {
    let args = ["case", "new", "--matter", "B23", "--name", "张三", "--cert-no", ZHANG];
    desk.county[desk.room].json(&args).expect("a case");
}

fn click(browser: &Browser, selector: &str) {
    browser.js(&format!("document.querySelector('{selector}').click()"));
}

/// What the month's form gives, sent as the browser would send it: status, name of the file, first letters.
fn month(browser: &Browser, format: &str, more: &str) -> Value {
    browser.js(&format!(
        "var form = document.querySelector('form[action=\"/day/ledger\"]');
         var data = new URLSearchParams(new FormData(form)); data.set('format', '{format}'); {more}
         var ask = new XMLHttpRequest(); ask.open('POST', '/day/ledger', false);
         ask.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded'); ask.send(data.toString());
         return [ask.status, decodeURIComponent(ask.getResponseHeader('Content-Disposition') || ''), ask.responseText]"
    ))
}

#[test]
fn a_day_is_closed_with_what_has_not_travelled_and_the_township_holds_it_against_its_own() {
    let desk = Desk::open();
    let code = desk.name("李芳", "head");
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    desk.county.cut(desk.room);
    new_case(&desk);
    new_case(&desk);
    browser.go(&desk.url("/day"));
    let page = browser.text();
    assert!(
        page.contains("这一天有 2 件还没有到乡镇") && page.contains("收件\n2"),
        "{page}"
    );
    browser.wait("the one thing to do", |b| {
        b.js("return document.activeElement.innerText") == "日结"
    });
    click(&browser, "form[action=\"/day/close\"] button");
    browser.wait("closed", |b| b.text().contains("已日结，已存本机。2 件还没有到乡镇"));
    assert!(browser.text().contains("已经日结，之后没有变化"));
    let digits = browser.js("return document.getElementById('code').innerText");
    desk.county.heal(desk.room);
    browser.wait("all there", |b| {
        b.go(&desk.url("/day"));
        b.text().contains("这一天的件都已到乡镇")
    });
    let there = desk.county[desk.town]
        .json(&["day", "show", "--unit", ROOM])
        .expect("the day");
    let same = there["digest"].as_str().expect("a digest").to_uppercase();
    assert!(
        same.starts_with(&digits.as_str().expect("a code").replace('-', "")),
        "{there}"
    );
    assert_eq!(
        (&there["closings"][0]["behind"], &there["same"]),
        (&json!(2), &json!(true))
    );
    // One more, and the day is closed once more; the first closing stands as it was.
    new_case(&desk);
    browser.go(&desk.url("/day"));
    assert!(browser.text().contains("之后有变化"));
    click(&browser, "form[action=\"/day/close\"] button");
    browser.wait("closed again", |b| {
        b.text().contains("第 2 次") && b.text().contains("李芳")
    });
    for nonsense in ["/day?day=2026-13-99", "/day?day=%E6%98%A8%E5%A4%A9"] {
        browser.go(&desk.url(nonsense));
        assert!(browser.text().contains("日期要写成"), "{nonsense}");
    }
}

#[test]
fn a_month_is_kept_as_a_file_masked_or_for_a_reason() {
    let desk = Desk::open();
    let code = desk.name("李芳", "head");
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    new_case(&desk);
    browser.go(&desk.url("/day"));
    let masked = month(&browser, "csv", "");
    let text = masked[2].as_str().expect("a table");
    assert_eq!(masked[0], 200);
    assert!(
        masked[1].as_str().is_some_and(|name| name.contains("脱敏.csv")),
        "{masked}"
    );
    assert!(text.contains("110105********002X") && !text.contains(ZHANG), "{text}");
    let refused = month(&browser, "csv", "data.set('plain', '1'); data.set('reason', '')");
    assert_eq!(refused[0], 422);
    let plain = month(
        &browser,
        "csv",
        "data.set('plain', '1'); data.set('reason', '年终归档')",
    );
    assert!(plain[2].as_str().is_some_and(|text| text.contains(ZHANG)), "{plain}");
    let book = month(&browser, "xlsx", "");
    assert!(book[2].as_str().is_some_and(|text| text.starts_with("PK")), "{book}");
    let trail = desk.county[desk.room].json(&["audit", "list"]).expect("the trail");
    let exports: Vec<_> = trail
        .as_array()
        .expect("rows")
        .iter()
        .filter(|r| r["act"] == "export")
        .collect();
    assert_eq!(exports.len(), 3, "{trail}");
    assert!(exports.iter().all(|r| r["user_name"] == "李芳"), "{trail}");
}

#[test]
fn a_day_book_is_looked_at_before_anything_is_written() {
    let desk = Desk::open();
    let code = desk.name("李芳", "clerk");
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    let row = |cert_no: &str| format!("2026-10-09 08:40,{ROOM},B23,张三,{cert_no},13800138000,高河村,收件,,,\n");
    let head = "登记时间,村室代码,事项编码,申请人,证件号码,手机,住址,办理,办结时间,评价,备注\n";
    // Longer than a form may be: a real day book is.
    let many: String = (0..1_500).map(|_| row("110101199003070038")).collect();
    let text = format!("{head}{}{}{many}", row(ZHANG), row("110105194912310021"));
    let file = desk.county.file("daybook.csv");
    std::fs::write(&file, text).expect("a file");
    browser.go(&desk.url("/import"));
    browser.choose_file("file", &file);
    browser.wait("what is in it", |b| b.text().contains("可以导入的前几行"));
    let page = browser.text();
    assert!(
        page.contains("现在还什么都没有写进去") && page.contains("110105********002X"),
        "{page}"
    );
    assert!(
        page.contains("可以导入\n2") && page.contains("有问题，不导入\n1"),
        "{page}"
    );
    assert!(!page.contains(ZHANG) && desk.cases().is_empty());
    browser.wait("the button", |b| {
        b.js("return document.activeElement.innerText") == "导入这 2 行"
    });
    let look = browser.js("return document.querySelector('input[name=look]').value");
    browser.keys(&super::driver::ENTER.to_string());
    browser.wait("taken over", |b| b.text().contains("已导入 2 行"));
    assert_eq!(desk.cases().len(), 2);
    // Loaded again it says the same and sends nothing; pressed again it says what became of the first press.
    browser.js("location.reload()");
    browser.wait("the same", |b| {
        b.path() == "/import" && b.text().contains("已导入 2 行")
    });
    let again = browser.js(&format!(
        "var headers = JSON.parse(document.body.getAttribute('hx-headers'));
         var x = new XMLHttpRequest(); x.open('POST', '/import/take', false);
         Object.keys(headers).forEach(function (n) {{ x.setRequestHeader(n, headers[n]); }});
         x.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded'); x.send('look=' + {look}); return x.responseText"
    ));
    let again = again.as_str().expect("a page");
    assert!(
        again.contains("已经导入过了（2 行）") && !again.contains("没有导入"),
        "{again}"
    );
    assert_eq!(desk.cases().len(), 2);
    let nonsense = desk.county.file("nonsense.csv");
    std::fs::write(&nonsense, [0xb5, 0xc7, 0xbc, 0xc7, 0, 255]).expect("a file");
    browser.choose_file("file", &nonsense);
    browser.wait("what is wrong", |b| b.text().contains("另存为“CSV UTF-8"));
    assert_eq!((desk.cases().len(), browser.complaints()), (2, Vec::new()));
}

#[test]
fn another_clerks_look_at_a_file_takes_mine_away_from_nobody() {
    let desk = Desk::open();
    let [mine, other] = [("李芳", ZHANG), ("王强", "110101199003070038")].map(|(name, cert_no)| {
        let code = desk.name(name, "clerk");
        let browser = Browser::open();
        browser.go(&desk.url("/enrol"));
        browser.js(&format!(
            "var all = Array.from(document.querySelectorAll('input[name=who]'));
             all.find(function (w) {{ return w.closest('label').innerText.includes('{name}'); }}).checked = true;
             document.getElementById('code').focus()"
        ));
        let pin = super::PIN;
        let enter = super::driver::ENTER;
        browser.keys(&format!(
            "{}{enter}{pin}{enter}{pin}{enter}{enter}",
            code.to_lowercase()
        ));
        browser.wait("today", |b| b.path() == "/");
        let file = desk.county.file(&format!("{cert_no}.csv"));
        let head = "登记时间,村室代码,事项编码,申请人,证件号码,手机,住址,办理,办结时间,评价,备注\n";
        let row = format!("2026-10-09 08:40,{ROOM},B23,张三,{cert_no},13800138000,高河村,收件,,,\n");
        std::fs::write(&file, format!("{head}{row}")).expect("a file");
        browser.go(&desk.url("/import"));
        browser.choose_file("file", &file);
        browser.wait("what is in it", |b| b.text().contains("导入这 1 行"));
        browser
    });
    mine.press("form[action='/import/take'] button");
    mine.wait("mine", |b| b.text().contains("已导入 1 行"));
    assert_eq!(desk.cases().len(), 1);
    // Locked meanwhile, the other's look is gone: it says so, and the file is looked at again.
    other.press("form[action='/lock'] button");
    other.wait("the lock", |b| b.focus() == "pin");
    other.keys(&format!("{}{}", super::PIN, super::driver::ENTER));
    other.wait("back on the page", |b| b.path() == "/import");
    assert!(!other.text().contains("导入这 1 行"));
    assert_eq!(desk.cases().len(), 1);
}

#[test]
fn what_is_wrong_is_told_with_what_to_do_and_the_file_for_helpers_names_nobody() {
    let desk = Desk::open();
    let code = desk.name("李芳", "clerk");
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    let args = [
        "case",
        "new",
        "--matter",
        "B23",
        "--name",
        "欧阳娜娜",
        "--cert-no",
        ZHANG,
        "--mobile",
        "13800138000",
        "--address",
        "高河村3组",
        "--note",
        "急",
    ];
    let made = desk.county[desk.room].json(&args).expect("a case");
    browser.go(&desk.url("/doctor"));
    let page = browser.text();
    assert!(
        page.contains("通，连着观阁镇") && page.contains("没有设口令") && page.contains("还剩"),
        "{page}"
    );
    desk.county.cut(desk.room);
    // A quiet line is asked after seldom; what waits to be sent finds out at once.
    desk.county[desk.room].json(&args).expect("one more");
    browser.wait("the bar knows", |b| b.text().contains("线路断"));
    browser.wait("the line is down", |b| {
        b.go(&desk.url("/doctor"));
        b.text().contains("断了") && b.text().contains("请看网线")
    });
    let file = browser.js("var form = document.querySelector('form[action=\"/doctor/file\"]');
         var ask = new XMLHttpRequest(); ask.open('POST', '/doctor/file', false);
         ask.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
         ask.send(new URLSearchParams(new FormData(form)).toString());
         return [ask.getResponseHeader('Content-Disposition'), ask.responseText]");
    let text = file[1].as_str().expect("a file");
    let read: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(read["status"]["unit"], format!("{ROOM}"));
    assert!(
        read["status"]["version"].is_string() && read["checks"][0]["mark"] == "look",
        "{text}"
    );
    let number = made["project_no"].as_str().expect("a number");
    for trace in [
        "欧阳",
        "欧*",
        ZHANG,
        "110105",
        "13800138000",
        "138****8000",
        "3组",
        "急",
        "李芳",
        number,
    ] {
        assert!(!text.contains(trace), "{trace} in {text}");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
