//! Papers: rendered to PDF as a printer would get them, and read back.

use std::process::Command;

use serde_json::Value;

use super::Desk;
use super::driver::Browser;

const ZHANG: &str = "11010519491231002X";

/// Presses a paper's button on the case page and waits for the paper.
fn open_paper(desk: &Desk, browser: &Browser, number: &str, paper: &str, width: &str) {
    browser.go(&desk.url(&format!("/case/{number}")));
    browser.js(&format!(
        "document.querySelector('input[name=width][value={width}]').checked = true"
    ));
    browser.js(&format!(
        "document.querySelector('button[name=paper][value={paper}]').click()"
    ));
    browser.wait("the paper", |b| {
        b.path().ends_with("/paper") && b.js("return !!document.querySelector('.copy')") == true
    });
}

/// Presses the paper's button, and gives what the printer then gets.
fn printed(desk: &Desk, browser: &Browser, width_cm: f64) -> (String, usize) {
    browser.js("window.asked = 0; window.print = function () { window.asked += 1; }; return true");
    browser.press("form.noprint button.main");
    browser.wait("the printer is asked, once", |b| b.js("return window.asked") == 1);
    sent(desk, browser, width_cm)
}

/// The words of the page as a printer would put them down, and how many sheets it takes.
fn sent(desk: &Desk, browser: &Browser, width_cm: f64) -> (String, usize) {
    let pdf = desk.county.file("paper.pdf");
    std::fs::write(&pdf, browser.pdf(width_cm)).expect("a file");
    let read = |args: &[&str]| {
        let out = Command::new("pdftotext").args(args).arg(&pdf).arg("-").output();
        let out = out.expect("pdftotext: tests/run installs it");
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let text = read(&["-raw"]);
    let sheets = text.matches('\u{c}').count();
    // How a line breaks on narrow paper is the paper's own affair.
    (text.chars().filter(|c| !c.is_whitespace()).collect(), sheets)
}

/// What the trail says of a case's prints, newest first: which, and by whom.
fn prints(desk: &Desk, number: &str) -> Vec<String> {
    let trail = desk.county[desk.room].json(&["audit", "list"]).expect("the trail");
    let rows = trail.as_array().expect("rows").iter();
    let prints = rows.filter(|r| r["act"] == "print" && r["project_no"] == number);
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    prints
        .map(|r| format!("{} {}", text(&r["reason"]), text(&r["user_name"])))
        .collect()
}

fn act(desk: &Desk, number: &str, args: &[&str]) {
    let all = [&["case", "do", number], args].concat();
    desk.county[desk.room].json(&all).expect("done");
}

#[test]
fn a_receipt_is_printed_in_two_copies_on_both_papers_and_a_reprint_says_so() {
    let desk = Desk::open();
    let code = desk.name("李芳", "clerk");
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    let args = format!("case new --matter A01 --name 欧阳娜娜 --cert-no {ZHANG} --mobile 13800138000");
    let args: Vec<&str> = args.split(' ').collect();
    let made = desk.county[desk.room].json(&args).expect("a case");
    let number = made["project_no"].as_str().expect("a number");

    open_paper(&desk, &browser, number, "receipt", "a4");
    browser.screen("receipt");
    assert_eq!(browser.js("return document.activeElement.innerText"), "打印（回车）");
    // Looked at, also twice, and sent past the button: nothing is printed, nothing is counted.
    let (text, _) = sent(&desk, &browser, 21.0);
    assert!(text.contains("按“打印”按钮") && !text.contains("欧阳娜娜"), "{text}");
    open_paper(&desk, &browser, number, "receipt", "a4");
    assert_eq!(prints(&desk, number), Vec::<String>::new());
    let (text, sheets) = printed(&desk, &browser, 21.0);
    assert_eq!((text.matches("收件回执（临时）").count(), sheets), (2, 1), "{text}");
    for words in [
        number,
        "欧阳娜娜",
        "110105********002X",
        "138****8000",
        "高河村",
        "李芳",
        "（临时）由乡镇统一编排",
        "个工作日内办结",
    ] {
        assert_eq!(text.matches(words).count(), 2, "{words} in {text}");
    }
    assert!(
        text.contains("第一联交申请人") && text.contains("第二联村室留存"),
        "{text}"
    );
    // What is of the screen stays on the screen, and a number stays masked.
    for words in ["打印（回车）", "线路通", ZHANG, "补打"] {
        assert!(!text.contains(words), "{words} in {text}");
    }
    assert_eq!(
        browser.js("return document.querySelectorAll('.copy svg.qr path').length"),
        2
    );

    open_paper(&desk, &browser, number, "receipt", "roll");
    let (text, _) = printed(&desk, &browser, 8.0);
    for words in [number, "欧阳娜娜", "补打（第2次）", "第2次打印"] {
        assert_eq!(text.matches(words).count(), 2, "{words} in {text}");
    }
    let fits = browser.js("return Array.from(document.querySelectorAll('.paper *')).every(function (e) { return e.scrollWidth <= e.clientWidth + 1 || e.clientWidth === 0; })");
    assert_eq!(fits, true, "something is wider than 80 mm");
    let (first, again) = ("收件回执 第 1 次打印 李芳", "收件回执 第 2 次打印 李芳");
    assert_eq!(prints(&desk, number), [again, first]);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn each_paper_has_its_time_and_says_what_it_is_for() {
    let desk = Desk::open();
    let code = desk.name("李芳", "clerk");
    let browser = Browser::open();
    desk.enrol(&browser, &code);
    // A06 is done by the room itself.
    let args = ["case", "new", "--matter", "A06", "--name", "张三", "--cert-no", ZHANG];
    let made = desk.county[desk.room].json(&args).expect("a case");
    let number = made["project_no"].as_str().expect("a number");
    let offered = |browser: &Browser| {
        browser.go(&desk.url(&format!("/case/{number}")));
        let found = browser.js("return Array.from(document.querySelectorAll('button[name=paper]')).map(function (b) { return b.value; }).join(' ')");
        found.as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(offered(&browser), "receipt authority");
    act(&desk, number, &["ask", "--items", "营业执照正本,公章"]);
    assert_eq!(offered(&browser), "receipt notice authority");
    act(&desk, number, &["supply", "--items", "营业执照正本,公章"]);
    // Told once more: the paper says so, and lists what is missing now.
    act(&desk, number, &["ask", "--items", "租房合同"]);
    open_paper(&desk, &browser, number, "notice", "a4");
    let (text, _) = printed(&desk, &browser, 21.0);
    assert_eq!(text.matches("一次性告知书（二次告知）").count(), 2, "{text}");
    assert!(
        text.contains("第2次告知") && text.contains("租房合同") && !text.contains("公章"),
        "{text}"
    );
    act(&desk, number, &["supply", "--items", "租房合同"]);
    act(&desk, number, &["accept"]);
    act(&desk, number, &["close", "--result", "6"]);
    assert_eq!(offered(&browser), "receipt notice accepted closed");
    for (paper, words) in [
        ("notice", ["还缺下列材料", "公章", "请一次补齐"]),
        ("accepted", ["受理通知书", "张三", "当场办结"]),
        ("closed", ["办结通知书", "办理结果：办结", "张三"]),
    ] {
        open_paper(&desk, &browser, number, paper, "a4");
        let (text, _) = printed(&desk, &browser, 21.0);
        for words in words {
            assert_eq!(text.matches(words).count() % 2, 0, "{words} in {text}");
            assert!(text.contains(words), "{words} in {text}");
        }
    }
    // What the township refuses, and what somebody else may fetch.
    let made = desk.county[desk.room].json(&["case", "new", "--matter", "A01", "--name", "李四", "--cert-no", ZHANG]);
    let other = made.expect("a case")["project_no"]
        .as_str()
        .expect("a number")
        .to_owned();
    open_paper(&desk, &browser, &other, "authority", "a4");
    let (text, _) = printed(&desk, &browser, 21.0);
    assert!(
        text.contains("代办委托书") && text.contains("委托人签字") && text.contains("不收取任何费用"),
        "{text}"
    );
    super::driver::until("the township knows the case", || {
        desk.county[desk.town]
            .json(&["case", "do", &other, "refuse", "--reason", "不在受理范围"])
            .is_ok()
    });
    browser.wait("refused", |b| {
        b.go(&desk.url(&format!("/case/{other}")));
        b.text().contains("不予受理通知书")
    });
    open_paper(&desk, &browser, &other, "refused", "a4");
    let (text, _) = printed(&desk, &browser, 21.0);
    assert!(
        text.contains("理由：不在受理范围") && text.contains("行政复议"),
        "{text}"
    );
}
