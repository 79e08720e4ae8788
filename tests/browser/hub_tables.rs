//! The county's tables at its console: a reform looked at for its day, published, seen in the tree; a calendar and a workbook; nonsense.

use std::path::PathBuf;

use rust_xlsxwriter::Workbook;

use super::driver::Browser;
use super::hub::Centres;
use super::hub_attack::Visitor;
use super::{ROOM, TOWNSHIP};

/// A village that has a township and no PC.
const QUIET: &str = "511603102203";
const REFORM: &str = "2027-03-01";
const EARLIER: &str = "2027-02-01";

fn divisions(centres: &Centres) -> String {
    std::fs::read_to_string(centres.county.file("divisions.tsv")).expect("the organisation")
}

/// The table with a column `into`, in which one village goes into another.
fn merged(table: &str, gone: &str, heir: &str) -> String {
    let mut lines = table.lines();
    let header = lines.next().expect("a header");
    let rows = lines.map(|line| match line.starts_with(gone) {
        true => format!("{line}\t{heir}"),
        false => format!("{line}\t"),
    });
    std::iter::once(format!("{header}\tinto"))
        .chain(rows)
        .map(|line| line + "\n")
        .collect()
}

fn written(centres: &Centres, name: &str, bytes: &[u8]) -> PathBuf {
    let path = centres.county.file(name);
    std::fs::write(&path, bytes).expect("a file");
    path
}

fn open_all(browser: &Browser) {
    browser.js("document.querySelectorAll('details').forEach(d => d.open = true)");
}

/// Looks at a file; ends with what the page says of it.
fn look(browser: &Browser, file: &std::path::Path) -> String {
    open_all(browser);
    browser.js("document.getElementById('looked').innerHTML = ''");
    browser.choose_file("file", file);
    browser.wait("an answer", |b| {
        b.js("return document.getElementById('looked').innerText.length > 0") == true
    });
    let said = browser.js("return document.getElementById('looked').innerText");
    said.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_reform_is_looked_at_for_its_day_published_for_that_day_and_stands_in_the_tree_and_the_history() {
    let centres = Centres::open();
    let browser = Browser::open();
    centres.enter(&browser, centres.hub, "周管理", "admin");
    browser.go(&centres.url(centres.hub, "/tables/organisation"));
    let table = merged(&divisions(&centres), QUIET, ROOM);
    let file = written(&centres, "reform.tsv", table.as_bytes());
    open_all(&browser);
    browser.js(&format!("document.getElementById('on').value = '{EARLIER}'"));
    let said = look(&browser, &file);
    assert!(said.contains(&format!("以下差异按 {EARLIER} 起生效计算")), "{said}");
    assert!(
        said.contains(QUIET) && said.contains("改动") && said.contains(EARLIER),
        "{said}"
    );
    // Another day, the same file: the difference is made anew for it.
    browser.js(&format!("document.getElementById('again').value = '{REFORM}'"));
    browser.press("form[hx-post='/tables/organisation/again'] button");
    browser.wait("the other day", |b| {
        b.text().contains(&format!("以下差异按 {REFORM} 起生效计算"))
    });
    let said = browser.js("return document.getElementById('looked').innerText");
    let said = said.as_str().unwrap_or_default();
    assert!(
        !said.contains(EARLIER) && said.contains(&format!("发布第 2 版，自 {REFORM} 起生效")),
        "{said}"
    );
    browser.screen("tables_look");
    browser.press("form[action='/tables/organisation/publish'] button");
    browser.wait("it is published", |b| b.text().contains("第 2 版已发布"));

    browser.go(&centres.url(centres.hub, &format!("/tables/organisation?find={QUIET}")));
    let row = browser.js(&format!(
        "return [...document.querySelectorAll('details.branch tr')].find(r => r.innerText.includes('{QUIET}')).innerText"
    ));
    let row = row.as_str().unwrap_or_default();
    assert!(
        row.contains(REFORM) && row.contains("并入") && row.contains("将终止"),
        "{row}"
    );
    let branch = browser.js("return document.querySelector('details.branch summary').innerText");
    assert!(branch.as_str().is_some_and(|text| text.contains(TOWNSHIP)), "{branch}");
    let history = browser.js("return document.querySelector('#history tbody').innerText");
    let history = history.as_str().unwrap_or_default();
    assert!(
        history.contains("周管理")
            && history.contains(REFORM)
            && history.contains("现行")
            && history.contains("建县时的第一版"),
        "{history}"
    );
    browser.screen("tables_tree");
    browser.go(&centres.url(centres.hub, "/tables/organisation"));
    browser.screen("tables_whole");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// The same rows as people keep them in a spreadsheet: codes are numbers there, and an empty cell is none at all.
fn as_workbook(table: &str) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (row, line) in table.lines().enumerate() {
        for (column, cell) in line.split('\t').enumerate() {
            let (row, column) = (row as u32, column as u16);
            match cell.parse::<u64>() {
                _ if cell.is_empty() => continue,
                Ok(code) => sheet.write_number(row, column, code as f64),
                Err(_) => sheet.write_string(row, column, cell),
            }
            .expect("a cell");
        }
    }
    book.save_to_buffer().expect("a workbook")
}

#[test]
fn the_organisation_of_a_workbook_with_numbers_for_codes_says_the_same_as_the_text() {
    let centres = Centres::open();
    let browser = Browser::open();
    centres.enter(&browser, centres.hub, "周管理", "admin");
    browser.go(&centres.url(centres.hub, "/tables/organisation"));
    open_all(&browser);
    browser.js(&format!("document.getElementById('on').value = '{REFORM}'"));
    let whole = divisions(&centres);
    // One village into another, and then one under another township with the column `into` quite empty.
    let under = |line: &str| line.starts_with(QUIET);
    let moved: String = merged(&whole, "none", "")
        .lines()
        .map(|line| match under(line) {
            true => line.replace("511603102000", "511603104000") + "\n",
            false => format!("{line}\n"),
        })
        .collect();
    for (name, table, change) in [
        ("merged", merged(&whole, QUIET, ROOM), "并入 511603102201"),
        ("moved", moved, "511603104000"),
    ] {
        let text = look(&browser, &written(&centres, &format!("{name}.tsv"), table.as_bytes()));
        assert!(
            text.contains(QUIET) && text.contains(change) && text.contains(REFORM),
            "{name}: {text}"
        );
        let book = look(
            &browser,
            &written(&centres, &format!("{name}.xlsx"), &as_workbook(&table)),
        );
        assert_eq!(book, text, "{name}");
    }
    // It is published as the text would be.
    browser.press("form[action='/tables/organisation/publish'] button");
    browser.wait("it is published", |b| b.text().contains("第 2 版已发布"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_calendar_comes_as_csv_a_catalogue_as_a_workbook_and_each_is_seen_where_it_belongs() {
    let centres = Centres::open();
    let browser = Browser::open();
    centres.enter(&browser, centres.hub, "周管理", "admin");
    browser.go(&centres.url(centres.hub, "/tables/calendar"));
    let file = written(
        &centres,
        "2027.csv",
        "\u{FEFF}date,kind\r\n2027-01-01,off\r\n2027-02-06,makeup_work\r\n".as_bytes(),
    );
    let said = look(&browser, &file);
    assert!(said.contains("新增 2，去掉 0") && said.contains("2027-02-06"), "{said}");
    browser.press("form[action='/tables/calendar/publish'] button");
    browser.wait("it is published", |b| b.text().contains("版已发布"));
    let text = browser.text();
    assert!(text.contains("2027 年：放假 1 天，补班 1 天"), "{text}");
    browser.screen("tables_calendar");

    // The catalogue as people keep it: a workbook, in which one promise is shorter.
    let matters = std::fs::read_to_string(centres.county.file("matters.tsv")).expect("the catalogue");
    let shorter = matters.replacen("\t2\t10\t20wd", "\t2\t7\t20wd", 1);
    assert_ne!(shorter, matters);
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (row, line) in shorter.lines().enumerate() {
        for (column, cell) in line.split('\t').enumerate() {
            sheet.write_string(row as u32, column as u16, cell).expect("a cell");
        }
    }
    let bytes = book.save_to_buffer().expect("a workbook");
    browser.go(&centres.url(centres.hub, "/tables/catalogue"));
    let said = look(&browser, &written(&centres, "matters.xlsx", &bytes));
    assert!(said.contains("改动 1") && said.contains("承诺工作日"), "{said}");
    browser.press("form[action='/tables/catalogue/publish'] button");
    browser.wait("it is published", |b| b.text().contains("第 2 版已发布"));
    let text = browser.text();
    assert!(text.contains("办件始终按收件时的版本办"), "{text}");
    open_all(&browser);
    let history = browser.js("return document.querySelector('#history tbody').innerText");
    let history = history.as_str().unwrap_or_default();
    assert!(
        history.contains("承诺工作日 10 → 7") && history.contains("周管理"),
        "{history}"
    );
    browser.screen("tables_catalogue");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn nonsense_is_named_by_its_row_and_changes_nothing() {
    let centres = Centres::open();
    let code = centres.name(centres.hub, "周管理", "admin");
    let admin = Visitor::come(centres.addr(centres.hub)).enrol("周管理", &code);
    centres.receive("A01", "张三", "11010519491231002X");
    super::driver::until("the county has the case", || {
        centres
            .json(centres.hub, &["case", "list"])
            .is_some_and(|list| list.as_array().is_some_and(|l| l.len() == 1))
    });
    let table = divisions(&centres);
    let broken = table.replacen("\tvillage\t", "\tvilage\t", 1);
    let line = table
        .lines()
        .position(|line| line.contains("\tvillage\t"))
        .expect("a village")
        + 1;
    let closed: String = table
        .lines()
        .filter(|line| !line.starts_with(ROOM))
        .map(|line| format!("{line}\n"))
        .collect();
    let long = format!(
        "{}\n{}",
        table.lines().next().expect("a header"),
        "x".repeat(5 * 1024 * 1024)
    );
    for (what, word, text, said) in [
        ("an empty file", "organisation", String::new(), "表头".to_owned()),
        (
            "only a header",
            "organisation",
            "code12\tname\tlevel\tparent12\n".to_owned(),
            "数据行".to_owned(),
        ),
        (
            "other columns",
            "organisation",
            "谁\t什么\n1\t2\n".to_owned(),
            "code12".to_owned(),
        ),
        ("a level that is none", "organisation", broken, format!("第 {line} 行")),
        ("five megabytes", "organisation", long, "文件超过 4 MB".to_owned()),
        (
            "a village with a case and a PC that ends today",
            "organisation",
            closed,
            format!("{ROOM} "),
        ),
        (
            "a day that is none",
            "calendar",
            "date\tkind\n2027-02-30\toff\n".to_owned(),
            "第 2 行".to_owned(),
        ),
        (
            "a matter with a promise that is none",
            "catalogue",
            "code\tname_zh\nA01\tx\n".to_owned(),
            "列".to_owned(),
        ),
    ] {
        let (status, _, body) = admin.send(&format!("/tables/{word}/look"), &text);
        assert_eq!(status, 200, "{what}: {body}");
        assert!(body.contains("这个文件用不了，什么也没有改"), "{what}: {body}");
        assert!(body.contains(&said), "{what} does not say {said}: {body}");
    }
    tells_what_to_do(&admin, &table);
}

/// The most that a process has held of memory, MB.
fn peak_mb(centres: &Centres) -> u64 {
    let pid = centres.county[centres.hub].pid().expect("it runs");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    let kb: u64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|kb| kb.parse().ok())
        .expect("kB");
    kb / 1024
}

#[test]
fn one_cell_in_the_last_corner_of_a_workbook_is_named_and_the_hub_stays_alive_and_small() {
    let centres = Centres::open();
    let code = centres.name(centres.hub, "周管理", "admin");
    let admin = Visitor::come(centres.addr(centres.hub)).enrol("周管理", &code);
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "code12").expect("a cell");
    sheet.write_string(1_048_575, 16_383, "x").expect("the last one");
    let bytes = book.save_to_buffer().expect("a workbook");
    let (before, pid) = (peak_mb(&centres), centres.county[centres.hub].pid());
    for path in [
        "/tables/organisation/look",
        "/tables/catalogue/look",
        "/tables/calendar/look",
        "/members/look",
    ] {
        let (status, _, body) = admin.send(path, &bytes);
        assert!(status == 200 || status == 422, "{path}: {status} {body}");
        assert!(body.contains("XFD1048576") && body.contains("请删掉"), "{path}: {body}");
    }
    // Nothing was laid out between the two cells, and nobody else noticed.
    let grown = peak_mb(&centres).saturating_sub(before);
    assert!(grown < 64, "{grown} MB for {} bytes", bytes.len());
    assert_eq!(admin.get("/wall").0, 200);
    assert_eq!(centres.county[centres.hub].pid(), pid);
}

/// What is refused or merely told of, and what is to be done about it.
fn tells_what_to_do(admin: &Visitor, table: &str) {
    let (status, _, body) = admin.send("/tables/organisation/look?on=2027-02-30", table);
    assert!(status == 200 && body.contains("2026-12-01"), "{status} {body}");
    // What is refused is told with what to do.
    let closed: String = table
        .lines()
        .filter(|line| !line.starts_with(ROOM))
        .map(|line| format!("{line}\n"))
        .collect();
    let (_, _, body) = admin.send("/tables/organisation/look", &closed);
    assert!(
        body.contains("1 件没有办结") && body.contains("1 台设备在用") && body.contains("into"),
        "{body}"
    );
    let (_, _, body) = admin.send("/tables/organisation/look?on=2027-03-01", &closed);
    assert!(body.contains("发布前请留意") && body.contains("1 件没有办结"), "{body}");
    // Whoever is the last admin is not stopped.
    let (status, _, body) = admin.post("/users/stop", &format!("who={}", super::hub_attack::encode("周管理")));
    assert!(status == 422 && body.contains("最后一个管理员"), "{status} {body}");
}
