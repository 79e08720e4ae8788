//! Reports in a real browser: down to the cases, frozen with what came late, on paper, as a workbook.

use std::process::Command;

use calamine::{Data, Reader, Xlsx, open_workbook};
use cunlian_tests::county::cert_no;
use ledger::day::Day;
use serde_json::{Value, json};

use super::driver::{Browser, until};
use super::hub::Centres;
use super::hub_work::ask;

/// The month before this one: it is over, whenever this runs.
pub(super) fn last_month() -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock");
    let today = Day::of_wall_ms(now.as_millis() as i64);
    let (_, _, day) = today.ymd();
    today.plus(-(day as i32)).to_string()[..7].to_owned()
}

/// A case of the room, received and, where it is so, closed on that day; the county has it when this returns.
fn receive(centres: &Centres, person: u32, on: &str) -> String {
    let id = cert_no(person);
    let new = [
        "case",
        "new",
        "--matter",
        "A06",
        "--name",
        "欧阳娜娜",
        "--mobile",
        "13800138000",
        "--on",
        on,
    ];
    let made = centres.json(centres.room, &[&new[..], &["--cert-no", &id]].concat());
    let made = made.expect("a case");
    let number = made["project_no"].as_str().expect("a number").to_owned();
    for step in [&["accept"][..], &["close", "--result", "6"]] {
        let act = [&["case", "do", &number], step, &["--on", on]].concat();
        centres.json(centres.room, &act).expect("done");
    }
    until("the county has it closed", || {
        let shown = centres.json(centres.hub, &["case", "show", &number]);
        shown.is_some_and(|case| case["state"] == "closed")
    });
    number
}

fn figure<'r>(report: &'r Value, key: &str) -> &'r Value {
    let figures = report["figures"].as_array().expect("figures");
    figures.iter().find(|f| f["key"] == key).expect("a figure")
}

/// What stands on the page in the row of a figure.
fn shown(browser: &Browser, key: &str) -> String {
    let cell = browser.js(&format!(
        "return document.querySelector(\"tr[data-figure='{key}'] b\").innerText"
    ));
    cell.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_month_is_read_down_to_its_cases_frozen_and_what_comes_late_is_named() {
    let centres = Centres::open();
    let month = last_month();
    let numbers: Vec<String> = (1..=3)
        .map(|n| receive(&centres, n, &format!("{month}-1{n}")))
        .collect();
    rated(&centres, &month, [(&numbers[0], 1), (&numbers[1], 5)]);
    let browser = Browser::open();
    centres.enter(&browser, centres.hub, "王主任", "admin");
    browser.go(&centres.url(centres.hub, &format!("/reports?period={month}")));
    // What is shown is what is picked: pressed again it is the same report.
    assert_eq!(
        browser.js("return document.getElementById('unit').value"),
        "511603000000"
    );
    let text = browser.text();
    assert!(text.contains("截至") && text.contains("个村室中 1 个已同步"), "{text}");
    assert_eq!(
        (shown(&browser, "received"), shown(&browser, "on_time")),
        ("3".to_owned(), "100.00%".to_owned())
    );
    // Every chart is drawn, and the page's own policy had nothing against it.
    browser.wait("the charts", |b| {
        b.js("var all = document.querySelectorAll('[data-chart]'); return all.length > 0 && [].every.call(all, c => c.dataset.drawn && c.querySelector('canvas'))") == true
    });
    assert_eq!(browser.complaints(), Vec::<String>::new());
    charts_draw_what_the_tables_say(&browser);
    browser.screen("report");
    // A definition opens where it is focused.
    let tip = "return getComputedStyle(document.getElementById('how-on_time')).display";
    assert_eq!(browser.js(tip), "none");
    browser.focus_on("tr[data-figure='on_time'] .how");
    assert_eq!(browser.js(tip), "block");

    // The number leads to as many cases, masked.
    browser.press("tr[data-figure='closed'] a");
    browser.wait("the cases", |b| b.path() == "/reports/cases");
    let text = browser.text();
    assert!(
        numbers.iter().all(|n| text.contains(n.as_str())) && text.contains("办结量：3 件"),
        "{text}"
    );
    assert!(text.contains("欧*") && !text.contains("欧阳娜娜"), "{text}");
    let address = browser.js("return location.href");
    assert!(!address.to_string().contains("欧"), "{address}");

    on_paper_and_as_a_workbook(&centres, &browser, &month);

    frozen_and_late(&centres, &browser, &month);
    a_clerk_freezes_nothing(&centres, &browser, &month);
}

/// Said at the room; the county knows when this returns.
fn rated(centres: &Centres, month: &str, words: [(&String, u8); 2]) {
    for (number, rating) in words {
        let rate = json!({"command": "evaluate", "number": number, "rating": rating, "press": number});
        ask(centres, centres.room, &rate);
    }
    until("the county has both words", || {
        let report = centres
            .json(centres.hub, &["report", "--month", month])
            .expect("a report");
        figure(&report, "rated")["part"] == 2
    });
}

/// The cells of a table's rows as texts, also of one that is folded away.
fn rows(browser: &Browser, table: &str) -> Vec<Vec<String>> {
    let rows = browser.js(&format!(
        "return [...document.querySelectorAll('table[data-table={table}] tbody tr')].map(r => [...r.children].map(c => \
         (c.querySelector('summary') || c).textContent.trim()))"
    ));
    serde_json::from_value(rows).expect("rows")
}

/// A cell as a chart draws it: a count, a rate in percent, or nothing.
fn number(cell: &str) -> Option<f64> {
    match cell.replace([',', '%'], "").as_str() {
        "—" => None,
        number => Some(number.parse().expect("a number")),
    }
}

fn charts_draw_what_the_tables_say(browser: &Browser) {
    let told = browser.js(
        "return [...document.querySelectorAll('[data-chart]')].map(c => [c.getAttribute('aria-label'), c.dataset.chart])",
    );
    let told: Vec<(String, String)> = serde_json::from_value(told).expect("charts");
    let labels: Vec<&str> = told.iter().map(|(label, _)| label.as_str()).collect();
    let expected = ["收件和办结的走势", "按机构", "按时办结率和满意度", "按事项", "事项覆盖"];
    assert_eq!(labels, expected);
    let charts: Vec<Value> = told
        .iter()
        .map(|(_, chart)| serde_json::from_str(chart).expect("JSON"))
        .collect();
    let drawn = |chart: usize, name: &str| -> Vec<Option<f64>> {
        let series = charts[chart]["series"].as_array().expect("series");
        let one = series.iter().find(|one| one["name"] == name).expect(name);
        one["data"]
            .as_array()
            .expect("data")
            .iter()
            .map(Value::as_f64)
            .collect()
    };
    let names =
        |chart: usize| -> Vec<String> { serde_json::from_value(charts[chart]["names"].clone()).expect("names") };
    let (steps, units, coverage) = (rows(browser, "step"), rows(browser, "unit"), rows(browser, "coverage"));
    let matters = rows(browser, "matter");
    assert!(steps.len() >= 28 && units.len() > 5 && coverage.len() == 3 && !matters.is_empty());
    for (chart, table, series, column) in [
        (0, &steps, "收件量", 1),
        (0, &steps, "办结量", 2),
        (1, &units, "收件量", 1),
        (1, &units, "办结量", 3),
        (2, &units, "按时办结率", 7),
        (2, &units, "满意度", 8),
        (3, &matters, "收件量", 2),
        (4, &coverage, "已用", 1),
        (4, &coverage, "没有用过", 3),
    ] {
        let cells: Vec<Option<f64>> = table.iter().map(|row| number(&row[column])).collect();
        assert_eq!(drawn(chart, series), cells, "{} {series}", labels[chart]);
        assert!(
            cells.iter().any(|cell| cell.is_some_and(|n| n > 0.0)),
            "{series} says something: {cells:?}"
        );
        let shown = names(chart);
        let same = shown
            .iter()
            .zip(table)
            .all(|(name, row)| row[0] == *name || (chart == 3 && row[0].contains(name.as_str())));
        assert!(same && shown.len() == table.len(), "{shown:?} {table:?}");
    }
    // One of two was content.
    assert!(drawn(2, "满意度").contains(&Some(50.0)) && drawn(2, "按时办结率").contains(&Some(100.0)));
}

fn frozen_and_late(centres: &Centres, browser: &Browser, month: &str) {
    // Frozen, and then a case of that month comes late.
    browser.go(&centres.url(centres.hub, &format!("/reports?period={month}")));
    browser.press("form[action='/reports/freeze'] button");
    browser.wait("the frozen month", |b| {
        b.path() == "/reports/kept" && b.text().contains("没有补报")
    });
    let late = receive(centres, 4, &format!("{month}-20"));
    browser.go(browser.js("return location.href").as_str().expect("an address"));
    let text = browser.text();
    assert!(text.contains("补报 1 件") && text.contains(&late), "{text}");
    let row =
        browser.js("return document.querySelector(\"tr[data-figure='received']\").innerText.split(/\\s+/).slice(-4)");
    assert_eq!(
        row,
        serde_json::json!(["3", "4", "0", "—"]),
        "frozen, as it would be now, last year, the change"
    );
    browser.screen("report-frozen");
    browser.go(&centres.url(centres.hub, "/reports/frozen"));
    assert!(browser.text().contains("王主任"), "{}", browser.text());
}

fn a_clerk_freezes_nothing(centres: &Centres, browser: &Browser, month: &str) {
    // A clerk of the township reads reports and freezes none, by no address.
    centres.enter(browser, centres.town, "李芳", "clerk");
    browser.go(&centres.url(centres.town, &format!("/reports?period={month}")));
    assert_eq!(shown(browser, "received"), "4");
    assert_eq!(
        browser.js("return !document.querySelector(\"form[action='/reports/freeze']\")"),
        true
    );
    browser.js("var f = document.createElement('form'); f.method = 'post'; f.action = '/reports/freeze'; \
        f.innerHTML = '<input name=csrf><input name=period>'; f.csrf.value = JSON.parse(document.body.getAttribute('hx-headers'))[Object.keys(JSON.parse(document.body.getAttribute('hx-headers')))[0]]; \
        document.body.append(f); f.submit(); return true");
    browser.wait("a refusal", |b| b.path() == "/reports/freeze");
    let frozen = centres.json(centres.town, &["report", "list"]).expect("a list");
    assert_eq!(frozen, serde_json::json!([]));
}

fn on_paper_and_as_a_workbook(centres: &Centres, browser: &Browser, month: &str) {
    browser.go(&centres.url(centres.hub, &format!("/reports?period={month}")));
    let pdf = centres.county.file("report.pdf");
    std::fs::write(&pdf, browser.pdf(21.0)).expect("a file");
    let out = Command::new("pdftotext").args(["-raw"]).arg(&pdf).arg("-").output();
    let out = out.expect("pdftotext: tests/run installs it").stdout;
    let paper: String = String::from_utf8_lossy(&out)
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    for words in ["截至", "24:00", "收件量", "按时办结率", "各项指标怎么算", "同比＝"] {
        assert!(paper.contains(words), "{words} in {paper}");
    }
    assert!(!paper.contains("导出") && !paper.contains("看报表"), "{paper}");

    // What the page hands out is the workbook that the command line saves.
    let got = browser.js(
        "var x = new XMLHttpRequest(); x.open('GET', document.querySelector('[data-sheet]').href, false); x.send(); \
         return [x.status, x.getResponseHeader('content-type'), x.response.slice(0, 2)]",
    );
    assert_eq!(
        (&got[0], &got[2]),
        (&serde_json::json!(200), &serde_json::json!("PK")),
        "{got}"
    );
    let file = centres.county.file("report.xlsx");
    let name = file.display().to_string();
    let said = centres.county[centres.hub].say(&["report", "--month", month, "--xlsx", &name]);
    assert!(said.is_ok_and(|said| said.code() == Some(0)));
    let report = centres
        .json(centres.hub, &["report", "--month", month])
        .expect("a report");
    let mut book: Xlsx<_> = open_workbook(&file).expect("a workbook");
    let sheet = book.worksheet_range("指标").expect("the figures");
    let rows: Vec<&[Data]> = sheet.rows().collect();
    let told = |label: &str| {
        let row = rows.iter().find(|row| row[0] == Data::String(label.to_owned()));
        row.map(|row| row[1].clone())
            .unwrap_or_else(|| panic!("no row {label}"))
    };
    for f in report["figures"].as_array().expect("figures") {
        let expected = match (f["kind"].as_str(), f["value"].as_f64()) {
            (Some("count"), Some(value)) => Data::Float(value),
            (Some("share"), Some(value)) => Data::Float(value / 10_000.0),
            (Some("days"), Some(value)) => Data::Float(value / 100.0),
            _ => Data::String("—".to_owned()),
        };
        assert_eq!(told(f["label"].as_str().expect("a label")), expected, "{f}");
    }
    assert_eq!(figure(&report, "received")["value"], 3);
    let mark = report["watermark"]["text"].as_str().expect("a watermark");
    assert!(rows[1][0].to_string().contains(mark), "{:?}", rows[1]);
}

#[test]
fn windows_are_assessed_and_an_empty_post_is_noted() {
    let centres = Centres::open();
    let month = last_month();
    receive(&centres, 1, &format!("{month}-12"));
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "赵主任", "head");
    browser.go(&centres.url(centres.town, &format!("/assess?period={month}")));
    let text = browser.text();
    assert!(
        text.contains("怎么打分") && text.contains("40 分") && text.contains("村（社区）室"),
        "{text}"
    );
    browser.press("details.noprint summary");
    browser.type_into("#name", "李芳");
    browser.js(&format!(
        "document.getElementById('of').value = '{}'; document.getElementById('on').value = '{month}-14'",
        "511603102201"
    ));
    browser.press("form[action='/assess/absence'] button");
    browser.wait("it is noted", |b| b.text().contains("缺岗 2 个半天"));
    let text = browser.text();
    assert!(text.contains("李芳") && text.contains("0.00%"), "{text}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    browser.screen("assess");
}
