//! Every number on the pages of reports, pressed: the list behind it is as long as the number says. And a month of a reform, in both frames, on
//! the page, on paper and in the workbook.

use std::process::Command;

use calamine::{Data, Reader, Xlsx, open_workbook};
use cunlian_tests::PlaceId;
use cunlian_tests::api::Api;
use cunlian_tests::county::cert_no;
use serde_json::{Value, json};

use super::ROOM;
use super::driver::{Browser, until};
use super::hub::Centres;
use super::hub_reports::last_month;
use super::hub_work::says;

const DIVISIONS: &str = include_str!("../../crates/ledger/data/divisions_511603.tsv");
const OTHER_TOWNSHIP: &str = "511603104000";

/// Every cell of figures: its table, its row, its heading, what it shows, where it leads, and whether its heading says how it is reckoned.
const CELLS: &str = r"
    document.querySelectorAll('details').forEach(function (d) { d.open = true; });
    var out = [];
    document.querySelectorAll('table.figures').forEach(function (table) {
        var heads = Array.from(table.querySelectorAll('thead th')).map(function (h) {
            var how = h.querySelector('.how');
            return { text: (how || h).innerText.trim(), how: !!h.querySelector('.tip') };
        });
        table.querySelectorAll('tbody tr').forEach(function (tr) {
            Array.from(tr.children).forEach(function (td, at) {
                if (!td.classList.contains('num')) return;
                var a = td.querySelector('a[href]');
                out.push([table.dataset.table, tr.children[0].innerText.trim(), heads[at].text, td.innerText.trim(),
                    a ? a.getAttribute('href') : '', heads[at].how]);
            });
        });
    });
    return out";

/// What stands behind each of these links: what the heading counts, the rows that are listed, and the same of what is not in a share.
const BEHIND: &str = r"
    function look(at) {
        var x = new XMLHttpRequest(); x.open('GET', at, false); x.send();
        if (x.status !== 200) return null;
        return new DOMParser().parseFromString(x.response, 'text/html');
    }
    function told(page) {
        var table = page.querySelector('main table');
        return [Number(page.querySelector('h1').dataset.count), table ? table.querySelectorAll('tbody tr').length : 0,
            page.querySelector('h1').textContent];
    }
    return arguments_of.map(function (at) {
        var page = look(at);
        if (!page) return [at, -1, -1, '', -1];
        var rest = page.querySelector('[data-rest]');
        var more = rest ? told(look(rest.getAttribute('href')))[0] : -1;
        return [at].concat(told(page), [more]);
    })";

fn ask(centres: &Centres, at: PlaceId, request: &Value) -> Value {
    let mut api = Api::connect(centres.county[at].data()).expect("an api");
    api.ask(request).expect("an answer")
}

/// A day book of the room: two months a year apart, closed and open, well and badly evaluated.
fn import(centres: &Centres, month: &str) {
    let (year, rest) = month.split_at(4);
    let before = format!("{}{rest}", year.parse::<i32>().expect("a year") - 1);
    let mut book = "登记时间,村室代码,事项编码,申请人,证件号码,手机,住址,办理,办结时间,评价,备注\n".to_owned();
    let rows = [
        (month, 3, "A06", "办结", "1"),
        (month, 4, "A06", "办结", "5"),
        (month, 5, "B38", "办结", ""),
        (month, 6, "B70", "收件", ""),
        (month, 9, "B70", "收件", ""),
        (month, 9, "C06", "办结", "2"),
        (&before, 4, "A06", "办结", "1"),
        (&before, 5, "B38", "收件", ""),
    ];
    for (at, (month, day, matter, word, rating)) in rows.into_iter().enumerate() {
        let closed = match word {
            "办结" => format!("{month}-{:02} 16:20", day + 1),
            _ => String::new(),
        };
        let id = cert_no(40 + at as u32);
        book.push_str(&format!(
            "{month}-{day:02} 09:{at:02},{ROOM},{matter},张三,{id},13800138000,高河村,{word},{closed},{rating},第{at}行\n"
        ));
    }
    let file = centres.county.file("book.csv");
    std::fs::write(&file, book).expect("a file");
    let told = centres.json(centres.room, &["case", "import", &file.display().to_string()]);
    assert_eq!(told.expect("imported")["imported"], 8);
}

/// Somebody stood in for somebody this half-day, and the post was noted as empty all day.
fn stand_in(centres: &Centres) {
    let person = centres.name_at_room("王强");
    let new = json!({"command": "case_new", "matter": "A06", "name": "张三", "cert_no": cert_no(77), "close": "6", "user": person,
        "cover": {"of": "李芳", "reason": "病假"}});
    ask(centres, centres.room, &new);
    let today = ask(centres, centres.room, &json!({"command": "today"}))["today"].clone();
    let absent =
        json!({"command": "report", "report": "absence", "unit": ROOM, "name": "李芳", "on": today, "half": "day"});
    ask(centres, centres.hub, &absent);
}

impl Centres {
    /// A clerk of the room, by the township; its id.
    fn name_at_room(&self, name: &str) -> Value {
        let args = ["user", "add", "--unit", ROOM, "--name", name, "--role", "clerk"];
        let made = self.json(self.town, &args).expect("a person");
        until("the room knows the person", || {
            let users = self.json(self.room, &["user", "list"]).unwrap_or_default();
            users.to_string().contains(name)
        });
        made["id"].clone()
    }
}

fn percent(part: f64, whole: f64) -> String {
    format!("{:.2}%", (part * 10_000.0 / whole + 1e-9).round() / 100.0)
}

/// What one number says is what its list holds.
fn assert_counts(shown: &str, row: &str, count: f64, rest: f64, what: &str) {
    if shown.ends_with('天') {
        assert!(count > 0.0, "{what}");
    } else if shown.ends_with('%') {
        // What was returned may have come before the period: its whole is not on this page.
        if row != "退件率" {
            assert_eq!(shown, percent(count, count + rest), "{what}");
        }
    } else {
        assert_eq!(shown.replace(',', "").parse(), Ok(count), "{what}");
    }
}

/// Presses every number of the page that is open. How many there were.
fn press_all(browser: &Browser, page: &str) -> usize {
    let cells = browser.js(CELLS);
    let cells: Vec<(String, String, String, String, String, bool)> = serde_json::from_value(cells).expect("cells");
    let mut links: Vec<&str> = Vec::new();
    for (table, row, head, shown, to, how) in &cells {
        let what = format!("{page} {table} {row} {head}: {shown}");
        let plain = ["本期", "上年同期", "定稿数", "现在重算"].contains(&head.as_str());
        assert!(*how || plain, "a heading without its definition: {what}");
        // A change and a score are made of numbers beside them; behind a catalogue's size, rooms and people stand no cases.
        let made = ["得分", "总数"].contains(&head.as_str()) || head.ends_with("同比") || table == "kind";
        // Beside several figures a change says of which it is.
        assert!(head != "同比" || table == "main", "{what}");
        let nothing = ["0", "—", ""].contains(&shown.as_str());
        assert_eq!(to.is_empty(), made || nothing, "{what} → {to}");
        if !to.is_empty() {
            links.push(to);
        }
    }
    let list = serde_json::to_string(&links).expect("a list");
    let told = browser.js(&format!("var arguments_of = {list}; {BEHIND}"));
    let told: Vec<(String, f64, f64, String, f64)> = serde_json::from_value(told).expect("lists");
    let mut told = told.into_iter();
    for (table, row, head, shown, to, _) in cells.iter().filter(|c| !c.4.is_empty()) {
        let (at, count, rows, title, rest) = told.next().expect("each is told");
        let what = format!("{page} {table} {row} {head}: {shown} → {to}: {title} {count} {rest}");
        assert_eq!(&at, to);
        assert_eq!(count, rows, "as many rows as the heading says: {what}");
        let label = if table == "main" { row } else { head };
        assert_counts(shown, label, count, rest, &what);
        assert!(!at.contains('王') && at.is_ascii(), "codes and dates alone: {at}");
    }
    links.len()
}

#[test]
fn every_number_of_reports_and_assessment_leads_to_as_many_cases_as_it_says() {
    let centres = Centres::open();
    let month = last_month();
    import(&centres, &month);
    stand_in(&centres);
    until("the county has all", || {
        let list = centres.json(centres.hub, &["case", "list"]).unwrap_or_default();
        list.as_array().is_some_and(|all| all.len() == 9)
    });
    let browser = Browser::open();
    centres.enter(&browser, centres.hub, "王主任", "admin");
    let today = ask(&centres, centres.hub, &json!({"command": "report", "report": "show"}));
    let this_month = today["period"].as_str().expect("a month").to_owned();
    let mut pressed = 0;
    let (year, of_year) = month.split_once('-').expect("year and month");
    let quarter = of_year.parse::<u32>().expect("a month").div_ceil(3);
    for path in [
        format!("/reports?period={month}-04"),
        format!("/reports?period={year}-Q{quarter}"),
        format!("/reports?period={month}&unit={ROOM}"),
        format!("/reports?period={month}"),
        format!("/reports?period={}&frame=now", &month[..4]),
        format!("/reports?period={month}&unit=511603102000"),
        format!("/reports?period={this_month}"),
        format!("/assess?period={month}"),
        format!("/assess?period={this_month}"),
    ] {
        browser.go(&centres.url(centres.hub, &path));
        let many = press_all(&browser, &path);
        assert!(many > 3, "{path}: {many} numbers");
        pressed += many;
    }
    browser.screen("assess-linked");
    pressed += frozen(&centres, &browser, &month);
    assert!(pressed > 150, "{pressed} numbers");
    lists_of_their_own(&centres, &browser, &month, &this_month);
    assert_eq!(browser.complaints(), Vec::<String>::new());
    the_days_of_a_bad_word_have_run_out(&centres, &browser);
}

/// Frozen, and one more comes: the frozen numbers lead to what was counted then.
fn frozen(centres: &Centres, browser: &Browser, month: &str) -> usize {
    browser.go(&centres.url(centres.hub, &format!("/reports?period={month}")));
    browser.press("form[action='/reports/freeze'] button");
    browser.wait("the frozen month", |b| b.path() == "/reports/kept");
    let on = format!("{month}-20");
    let args = [
        "case",
        "new",
        "--matter",
        "A06",
        "--name",
        "李四",
        "--on",
        &on,
        "--cert-no",
    ];
    centres
        .json(centres.room, &[&args[..], &[&cert_no(90)]].concat())
        .expect("a case");
    until("the county has it", || {
        let list = centres.json(centres.hub, &["case", "list"]).unwrap_or_default();
        list.as_array().is_some_and(|all| all.len() == 10)
    });
    browser.go(browser.js("return location.href").as_str().expect("an address"));
    let pressed = press_all(browser, "frozen");
    browser.press("tr[data-figure='received'] td:nth-child(2) a");
    says(browser, "定稿时数进去的清单");
    browser.screen("report-frozen-cases");
    pressed
}

/// Half-days and matters.
fn lists_of_their_own(centres: &Centres, browser: &Browser, month: &str, this_month: &str) {
    browser.go(&centres.url(centres.hub, &format!("/assess?period={this_month}")));
    browser.press("table[data-table=rooms] tbody td:nth-child(6) a");
    says(browser, "缺岗半天：2 个半天");
    let text = browser.text();
    assert!(
        text.contains("已登记缺岗") && text.contains("王强") && text.contains("无人顶岗"),
        "{text}"
    );
    browser.screen("half-days");
    browser.go(&centres.url(centres.hub, &format!("/reports?period={month}")));
    browser.press("tr[data-figure='coverage'] a");
    says(browser, "事项覆盖：4 个事项");
    browser.screen("coverage-cases");
}

/// It was said last month: the page says by how much the answer is late.
fn the_days_of_a_bad_word_have_run_out(centres: &Centres, browser: &Browser) {
    centres.enter(browser, centres.town, "赵主任", "head");
    browser.go(&centres.url(centres.town, "/follow"));
    let word = browser.js("return document.querySelector('main .tag.red').innerText");
    let word = word.as_str().unwrap_or_default();
    assert!(word.starts_with("逾期") && word.ends_with("个工作日"), "{word}");
}

/// The county's table with the room's village under another township.
fn moved() -> String {
    let mut text = String::new();
    for (at, line) in DIVISIONS.lines().enumerate() {
        let is_village = line.starts_with(ROOM);
        let line = line.replace(if is_village { "511603102000" } else { "-" }, OTHER_TOWNSHIP);
        text.push_str(&format!("{line}\t{}\n", if at == 0 { "into" } else { "" }));
    }
    text
}

/// Unit, and the cells that are shown of it, for units in which something was received.
fn by_unit(browser: &Browser) -> Vec<Vec<String>> {
    let rows = browser.js(
        "return [...document.querySelectorAll('table[data-table=unit] tbody tr')].map(r => [...r.children].map(c => c.innerText.trim())) \
         .filter(r => r[1] !== '0')",
    );
    serde_json::from_value(rows).expect("rows")
}

#[test]
fn a_month_with_a_reform_is_read_as_it_was_and_as_it_is_now_on_the_page_on_paper_and_in_the_workbook() {
    let centres = Centres::open();
    let month = last_month();
    import(&centres, &month);
    until("the county has all", || {
        let list = centres.json(centres.hub, &["case", "list"]).unwrap_or_default();
        list.as_array().is_some_and(|all| all.len() == 8)
    });
    // On the sixth the village went under another township: of six cases three were there before, and last year's two.
    let publish = json!({"command": "tables", "tables": "publish", "table": "organisation", "text": moved(), "on": format!("{month}-06")});
    ask(&centres, centres.hub, &publish);
    let browser = Browser::open();
    centres.enter(&browser, centres.hub, "王主任", "admin");
    browser.go(&centres.url(centres.hub, &format!("/reports?period={month}")));
    let then = by_unit(&browser);
    let figures = |rows: &[Vec<String>]| -> Vec<(String, String)> {
        rows.iter().map(|row| (row[1].clone(), row[4].clone())).collect()
    };
    let told = |received: &str, change: &str| (received.to_owned(), change.to_owned());
    // 办结 on the 4th, 5th, 6th and 10th counts where the case stood on its own day: three of four before the move, against one.
    assert_eq!(figures(&then), [told("3", "+200.00%"), told("3", "—")], "{then:?}");
    browser.screen("report-then");
    // The switch.
    browser.js("document.getElementById('frame').value = 'now'; return true");
    browser.press("form[action='/reports'] button.main");
    browser.wait("the other frame", |b| b.text().contains("现行口径；"));
    let now = by_unit(&browser);
    assert_eq!(figures(&now), [told("6", "+300.00%")], "{now:?}");
    let last = browser.js("return document.querySelector(\"tr[data-figure='received'] td:nth-child(3)\").innerText");
    assert_eq!(last, "2", "the county itself is the same in both frames");
    browser.screen("report-now");
    press_all(&browser, "now");
    same_on_paper(&centres, &browser, &now);
    same_in_the_workbook(&centres, &month, &now);
}

fn same_on_paper(centres: &Centres, browser: &Browser, rows: &[Vec<String>]) {
    let pdf = centres.county.file("report-now.pdf");
    std::fs::write(&pdf, browser.pdf(21.0)).expect("a file");
    if let Some(folder) = std::env::var_os("CUNLIAN_SCREENS") {
        let _ = std::fs::copy(&pdf, std::path::Path::new(&folder).join("report-now.pdf"));
    }
    let out = Command::new("pdftotext").args(["-layout"]).arg(&pdf).arg("-").output();
    let out = out.expect("pdftotext: tests/run installs it").stdout;
    let paper: String = String::from_utf8_lossy(&out)
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let mark = browser.js("return document.getElementById('watermark').innerText");
    let mark: String = mark
        .as_str()
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    assert!(mark.contains("截至") && mark.contains("现行口径"), "{mark}");
    assert!(paper.contains(&mark), "{mark} in {paper}");
    for row in rows {
        let line: String = row.concat().chars().filter(|c| !c.is_whitespace()).collect();
        assert!(paper.contains(&line), "{line} in {paper}");
    }
}

fn same_in_the_workbook(centres: &Centres, month: &str, rows: &[Vec<String>]) {
    let file = centres.county.file("report-now.xlsx");
    let name = file.display().to_string();
    let said = centres.county[centres.hub].say(&["report", "--month", month, "--now", "--xlsx", &name]);
    assert!(said.is_ok_and(|said| said.code() == Some(0)));
    let mut book: Xlsx<_> = open_workbook(&file).expect("a workbook");
    let sheet = book.worksheet_range("按机构").expect("the units");
    for row in rows {
        let found = sheet
            .rows()
            .find(|r| r[0] == Data::String(row[0].clone()))
            .expect("the unit");
        // 收件, 受理, 办结 stand first in both.
        for at in 1..4 {
            let shown: f64 = row[at].parse().expect("a number");
            assert_eq!(found[at], Data::Float(shown), "{row:?} {found:?}");
        }
        assert_eq!(found[10], Data::String(row[4].clone()), "同比");
    }
    let mark = sheet.rows().nth(1).expect("the watermark")[0].to_string();
    assert!(mark.contains("截至") && mark.contains("现行口径"), "{mark}");
}
