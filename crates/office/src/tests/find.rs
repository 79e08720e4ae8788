//! Searching: whatever a clerk knows of a case finds it, masked; the lock and an erasure take what they have to take.

use serde_json::{Value, json};
use store::disk::read_all;
use store::{Disk, KvPlace, Order};

use super::county::County;
use super::locked::{WORDS, new_case, set, text as word, unlock};
use crate::command::{CaseDo, CaseErase, CaseFind, CaseNew, Command};
use crate::rig::Seat;
use ledger::day::Day;

const ZHANG: &str = "11010519491231002X";
const NANA: &str = "110101199003070038";

fn text(text: &str) -> CaseFind {
    CaseFind {
        text: text.to_owned(),
        ..CaseFind::default()
    }
}

fn ask(county: &mut County, at: Seat, find: CaseFind) -> Value {
    county.world.run(at, Command::CaseFind(find))
}

fn numbers(found: &Value) -> Vec<String> {
    let cases = found["cases"].as_array().unwrap().iter();
    cases.map(|c| c["project_no"].as_str().unwrap().to_owned()).collect()
}

fn receive(county: &mut County, at: Seat, matter: &str, person: [&str; 3], on: Option<&str>) -> String {
    let [name, cert_no, mobile] = person.map(str::to_owned);
    let new = CaseNew {
        matter: matter.to_owned(),
        name,
        cert_no,
        mobile: Some(mobile),
        on: on.and_then(Day::parse),
        ..CaseNew::default()
    };
    let made = county.world.run(at, Command::CaseNew(new));
    made["project_no"].as_str().unwrap().to_owned()
}

#[test]
fn a_case_is_found_by_whatever_the_clerk_knows_of_it_and_shown_masked() {
    let mut county = County::new(61, 1, 1);
    let room = county.rooms[0];
    let old = receive(
        &mut county,
        room,
        "B23",
        ["张三", ZHANG, "13800138000"],
        Some("2026-09-01"),
    );
    let new = receive(&mut county, room, "A01", ["欧阳娜娜", NANA, "13912345678"], None);
    let found = |county: &mut County, words: &str| numbers(&ask(county, room, text(words)));
    for words in [
        "张三",
        "三",
        ZHANG,
        "11010519491231002x",
        "１３８００１３８０００",
        "8000",
        "002X",
        "张*",
        "110105********002X",
        "138****8000",
        "B23",
        &old,
        &old[10..],
        "张三 B23",
        "8000 张",
    ] {
        assert_eq!(found(&mut county, words), [old.as_str()], "{words}");
    }
    assert_eq!(
        found(&mut county, "宅基地"),
        [new.as_str()],
        "a piece of a matter's name"
    );
    assert_eq!(found(&mut county, ""), [new.as_str(), &old], "newest first");
    for words in ["李四", "张三 A01", "99999999", "13800138001", "110105********0021"] {
        assert!(found(&mut county, words).is_empty(), "{words}");
    }
    let between = CaseFind {
        until: Day::parse("2026-09-30"),
        ..text("")
    };
    assert_eq!(numbers(&ask(&mut county, room, between)), [old.as_str()]);
    let since = CaseFind {
        from: Day::parse("2026-09-02"),
        state: Some("已收件".to_owned()),
        matter: Some("a01".to_owned()),
        ..text("")
    };
    assert_eq!(numbers(&ask(&mut county, room, since)), [new.as_str()]);
    // What has changed since the last search is found as it is now.
    let done = CaseDo {
        number: old.clone(),
        event: "withdraw".to_owned(),
        ..CaseDo::default()
    };
    county.world.run(room, Command::CaseDo(done));
    let withdrawn = CaseFind {
        state: Some("withdrawn".to_owned()),
        ..text("三")
    };
    let answer = ask(&mut county, room, withdrawn);
    assert_eq!((&answer["found"], numbers(&answer)), (&json!(1), vec![old]));
    let shown = answer.to_string();
    assert!(
        shown.contains("张*") && !shown.contains("张三") && !shown.contains(ZHANG),
        "{shown}"
    );
}

#[test]
fn what_would_find_everything_is_asked_for_more_exactly() {
    let mut county = County::new(64, 1, 1);
    let room = county.rooms[0];
    for (words, code) in [("123", "bad_find"), ("X", "bad_find"), (&*"长".repeat(101), "bad_find")] {
        let refused = county.world.command(room, Command::CaseFind(text(words)));
        assert_eq!(refused.unwrap_err().code, code, "{words}");
    }
}

#[test]
fn behind_the_lock_only_what_lists_show_is_found_and_nothing_of_a_search_lies_on_the_disk() {
    let mut county = County::new(62, 1, 1);
    let room = county.rooms[0];
    let number = word(&new_case(&mut county, room, "欧阳靖瑶", NANA), "project_no");
    set(&mut county, room);
    assert_eq!(numbers(&ask(&mut county, room, text("靖瑶"))), [number.as_str()]);
    assert!(county.world.office(room).finder.holds_persons());
    let (disk, rows) = county.world.backup(room);
    let names = disk.list().unwrap().into_iter().filter(|name| name != "reserve");
    let mut all: Vec<Vec<u8>> = names.map(|name| read_all(&disk, &name).unwrap().unwrap()).collect();
    let kv = rows.clone().open().unwrap();
    let rows = kv.range(&[0], &[0xff; 64], Order::Rising, usize::MAX).unwrap();
    all.extend(rows.into_iter().map(|(key, value)| [key, value].concat()));
    for trace in ["靖瑶", NANA, &NANA[..14]] {
        let lies = all
            .iter()
            .any(|bytes| bytes.windows(trace.len()).any(|w| w == trace.as_bytes()));
        assert!(!lies, "{trace} lies on the disk");
    }

    county.world.run(room, Command::Lock);
    assert!(!county.world.office(room).finder.holds_persons(), "wiped with the keys");
    let found = ask(&mut county, room, text("靖瑶"));
    assert_eq!((numbers(&found).len(), &found["locked"]), (0, &json!(true)));
    assert!(numbers(&ask(&mut county, room, text("0038"))).is_empty());
    assert_eq!(
        numbers(&ask(&mut county, room, text("欧*"))),
        [number.as_str()],
        "as lists show it"
    );
    assert_eq!(numbers(&ask(&mut county, room, text(&number))), [number.as_str()]);
    unlock(&mut county, room, WORDS).unwrap();
    assert_eq!(numbers(&ask(&mut county, room, text("0038"))), [number.as_str()]);
    // Who is forgotten is found by number only, at once.
    let erase = CaseErase {
        number: number.clone(),
        reason: "本人申请".to_owned(),
    };
    let town = county.townships[0];
    county.world.run(town, Command::CaseErase(erase));
    county.world.pass(5_000);
    assert!(numbers(&ask(&mut county, room, text("靖瑶"))).is_empty());
    assert_eq!(numbers(&ask(&mut county, room, text(&number))), [number.as_str()]);
}

#[test]
fn persons_are_opened_while_nobody_waits() {
    let mut county = County::new(63, 1, 1);
    let room = county.rooms[0];
    for at in 0..100 {
        receive(
            &mut county,
            room,
            "B23",
            ["张三", ZHANG, &format!("138001380{at:02}")],
            None,
        );
    }
    let now = county.world.now(room);
    let office = county.world.office(room);
    office.command(now, Command::CaseFind(text("")), &mut |_| {}).unwrap();
    assert!(office.finder.is_behind(), "an open page makes nobody wait");
    while office.apply(now, 1_000).unwrap() > 0 {}
    assert!(!office.finder.is_behind());
    assert_eq!(ask(&mut county, room, text("13800138042"))["found"], 1);
}
