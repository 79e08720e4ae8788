//! Devices at the console: many tickets out of a file with codes that a camera reads, a PC taken out and its word counted after all, the old
//! PC after a replacement.

use super::ROOM;
use super::driver::{Browser, until};
use super::hub::Centres;
use super::hub_attack::Visitor;
use super::hub_trail::ticket_on;
use cunlian_tests::place::Kind;
use serde_json::Value;

const ZHANG: &str = "11010519491231002X";

/// The text that a camera reads off a code drawn as squares.
fn scanned(path: &str, width: usize) -> String {
    let mut dark = std::collections::BTreeSet::new();
    for square in path.split_terminator("h1v1h-1z") {
        let (x, y) = square
            .trim()
            .strip_prefix('M')
            .expect("a square")
            .split_once(' ')
            .expect("two");
        dark.insert((x.parse::<usize>().expect("x"), y.parse::<usize>().expect("y")));
    }
    // Around it lies a quiet zone of four.
    let grid = rqrr::SimpleGrid::from_func(width - 8, |x, y| dark.contains(&(x + 4, y + 4)));
    rqrr::Grid::new(grid).decode().expect("a code").1
}

#[test]
fn tickets_come_out_of_a_file_and_the_code_on_each_paper_is_its_ticket_and_lets_in_a_pc() {
    let mut centres = Centres::open();
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "王主任", "head");
    let listen = centres.county[centres.town].listen().expect("it listens").to_string();
    let file = centres.county.file("rooms.csv");
    let rows =
        "\u{FEFF}code12,name\r\n511603102201,高河村\r\n511603102203,兴利村\r\n\"511603102206\",砂石村\r\n合计,3\r\n";
    std::fs::write(&file, rows).expect("a file");
    browser.go(&centres.url(centres.town, "/members"));
    browser.press("#invite > summary");
    browser.choose_file("file", &file);
    browser.wait("what was found", |b| b.text().contains("认出 3 个区划代码"));
    browser.js(&format!("document.getElementById('addrs').value = '{listen}'"));
    browser.press("form[action='/members/invite'] button");
    browser.wait("the tickets", |b| b.text().contains("入网票只显示这一次"));
    let papers = browser.js(
        "return [...document.querySelectorAll('.ticket')].map(p => [p.querySelector('.ticket-text').textContent, \
         p.querySelector('svg.qr path').getAttribute('d'), p.querySelector('svg.qr').viewBox.baseVal.width, p.innerText])",
    );
    let papers = papers.as_array().expect("papers");
    assert_eq!(papers.len(), 3);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut tickets = Vec::new();
    for (paper, unit) in papers.iter().zip(["511603102201", "511603102203", "511603102206"]) {
        let ticket: String = text(&paper[0]).chars().filter(|c| !c.is_whitespace()).collect();
        let width = paper[2].as_f64().expect("a width") as usize;
        assert_eq!(
            scanned(&text(&paper[1]), width),
            ticket,
            "the code says what stands below it"
        );
        assert!(text(&paper[3]).contains(unit), "{paper}");
        tickets.push(ticket);
    }
    browser.screen("tickets_many");
    let new = centres.county.place("from-paper", Kind::Node);
    centres.county[new].json(&["join", &tickets[1]]).expect("it joins");
    // Once.
    let thief = centres.county.place("thief", Kind::Node);
    assert!(centres.county[thief].json(&["join", &tickets[1]]).is_err());
}

#[test]
fn a_pc_is_taken_out_by_a_press_is_told_so_and_what_came_of_it_counts_after_all() {
    let centres = Centres::open();
    let number = centres.receive("B23", "张三", ZHANG);
    let browser = Browser::open();
    centres.enter(&browser, centres.town, "王主任", "head");
    let open = || {
        browser.go(&centres.url(centres.town, &format!("/members?find={ROOM}")));
        browser.js("document.querySelectorAll('details').forEach(d => d.open = true)");
    };
    open();
    browser.type_into("form[action='/members/revoke'] input[name=reason]", "电脑报废");
    browser.press("form[action='/members/revoke'] button");
    browser.wait("it is out", |b| {
        b.text().contains("已停用") && b.text().contains("电脑报废")
    });
    until("the PC is told", || {
        let status = centres.json(centres.room, &["status"]).unwrap_or_default();
        status["revoked"] == true || status["turned_away"].as_array().is_some_and(|all| !all.is_empty())
    });
    // What the township had of it stays.
    assert_eq!(
        centres
            .json(centres.town, &["case", "show", &number])
            .expect("it is held")["state"],
        "received"
    );
    open();
    browser.press("form[action='/members/extend'] button");
    browser.wait("it counts", |b| b.text().contains("到现在为止收到的记录都算数了"));
    browser.go(&centres.url(centres.town, "/audit?act=extend"));
    let text = browser.text();
    assert!(text.contains("采纳待认记录") && text.contains("王主任"), "{text}");
    let kinds = browser.js("return [...document.querySelectorAll('tbody tr')].map(r => r.children[3].innerText)");
    let kinds = kinds.as_array().expect("rows");
    assert!(
        !kinds.is_empty() && kinds.iter().all(|kind| *kind == "采纳待认记录"),
        "{kinds:?}"
    );
    browser.screen("audit_filtered");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn after_a_replacement_the_old_pc_is_refused_and_nothing_of_it_comes_up() {
    let mut centres = Centres::open();
    centres.receive("B23", "张三", ZHANG);
    let code = centres.name(centres.town, "王主任", "head");
    let head = Visitor::come(centres.addr(centres.town)).enrol("王主任", &code);
    let status = centres.json(centres.room, &["status"]).expect("a status");
    let device = status["device"].as_str().expect("a device").to_owned();
    let listen = centres.county[centres.town].listen().expect("it listens");
    let (code, _, body) = head.post(
        "/members/replace",
        &format!("device={device}&reason=stolen&addrs={listen}"),
    );
    assert!(code == 200 && body.contains("ticket-text"), "{code} {body}");
    until("the old PC is refused", || {
        let status = centres.json(centres.room, &["status"]).unwrap_or_default();
        status["revoked"] == true || status["turned_away"].as_array().is_some_and(|all| !all.is_empty())
    });
    // The thief writes on. What the new PC writes after it arrives, and nothing of the thief's.
    let case = |name: &'static str| {
        [
            "case",
            "new",
            "--matter",
            "B23",
            "--name",
            name,
            "--cert-no",
            "511603199909258227",
        ]
    };
    let late = centres.county[centres.room].json(&case("李四")).ok();
    let new = centres.county.place("new-pc", Kind::Node);
    centres.county[new]
        .json(&["join", &ticket_on(&body)])
        .expect("it joins");
    centres.county.start(new).expect("it starts");
    let made = centres.county[new].json(&case("王五")).expect("a case");
    let number = made["project_no"].as_str().expect("a number").to_owned();
    until("the new one's has come", || {
        centres.json(centres.town, &["case", "show", &number]).is_some()
    });
    let members = centres.json(centres.town, &["member", "list"]).expect("members");
    let row = members
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["device"] == device.as_str());
    assert_eq!(row.expect("the old one")["state"], "revoked");
    if let Some(late) = late {
        let number = late["project_no"].as_str().expect("a number");
        assert!(centres.json(centres.town, &["case", "show", number]).is_none());
    }
}
