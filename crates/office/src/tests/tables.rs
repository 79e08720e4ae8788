//! The county's tables: a difference that a person can answer for, then a version that all tiers take.

use serde_json::Value;

use super::county::{County, HOLIDAYS, MATTERS, TOWNSHIPS, case, rooms_of};
use crate::command::{Command, Table, TableShow, TableText, Tables};
use crate::rig::Seat;

const DIVISIONS: &str = include_str!("../../../ledger/data/divisions_511603.tsv");

fn text(table: Table, text: &str) -> TableText {
    TableText {
        table,
        text: text.to_owned(),
        on: None,
        over: None,
    }
}

fn matter(n: usize) -> crate::command::CaseNew {
    crate::command::CaseNew {
        matter: "A01".to_owned(),
        ..case(n)
    }
}

fn preview(county: &mut County, at: Seat, asked: TableText) -> Value {
    county.world.run(at, Command::Tables(Tables::Preview(asked)))
}

fn publish(county: &mut County, at: Seat, asked: TableText) -> Result<Value, crate::command::CommandError> {
    county.world.command(at, Command::Tables(Tables::Publish(asked)))
}

fn version(county: &mut County, at: Seat, table: Table) -> u64 {
    let shown = county.world.run(at, Command::Tables(Tables::Show(TableShow { table })));
    shown["version"].as_u64().unwrap()
}

#[test]
fn a_matter_whose_promise_is_shortened_holds_for_new_cases_and_old_ones_keep_their_day() {
    let mut county = County::new(81, 1, 1);
    let (hub, room, township) = (county.hub, county.rooms[0], county.townships[0]);
    let before = county.world.run(room, Command::CaseNew(matter(1)));
    let shorter = MATTERS.replacen("\t2\t10\t20wd", "\t2\t7\t20wd", 1);
    assert_ne!(shorter, MATTERS);
    let told = preview(&mut county, hub, text(Table::Catalogue, &shorter));
    assert_eq!(told["changes"], 1, "{told:#}");
    let field = &told["changed"][0]["fields"][0];
    assert_eq!(
        (&field["name"], &field["before"], &field["after"]),
        (&"承诺工作日".into(), &"10".into(), &"7".into())
    );
    assert_eq!(
        version(&mut county, hub, Table::Catalogue),
        1,
        "a look publishes nothing"
    );

    let over = Some(serde_json::from_value(told["over"].clone()).unwrap());
    let asked = TableText {
        over,
        ..text(Table::Catalogue, &shorter)
    };
    publish(&mut county, hub, asked.clone()).unwrap();
    // Somebody else's preview was of the version before.
    assert_eq!(publish(&mut county, hub, asked).unwrap_err().code, "changed_meanwhile");
    assert_eq!(
        publish(&mut county, hub, text(Table::Catalogue, &shorter))
            .unwrap_err()
            .code,
        "no_change"
    );
    county.world.pass(5_000);
    assert_eq!(version(&mut county, room, Table::Catalogue), 2);
    let after = county.world.run(room, Command::CaseNew(matter(2)));
    county.world.pass(5_000);
    let due = |county: &mut County, made: &Value| {
        let number = made["project_no"].as_str().unwrap().to_owned();
        let accept = crate::command::CaseDo {
            number: number.clone(),
            event: "accept".to_owned(),
            ..Default::default()
        };
        county.world.run(township, Command::CaseDo(accept));
        let show = crate::command::CaseShow { number, reveal: None };
        county.world.run(hub, Command::CaseShow(show))["due_on"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (long, short) = (due(&mut county, &before), due(&mut county, &after));
    assert!(short < long, "{short} {long}");
    // A township publishes nothing.
    let error = publish(&mut county, township, text(Table::Catalogue, MATTERS)).unwrap_err();
    assert_eq!(error.code, "not_the_county");
}

#[test]
fn a_village_that_was_merged_away_ends_on_its_day_and_a_new_one_begins_and_all_others_stay_themselves() {
    let mut county = County::new(82, 1, 1);
    let hub = county.hub;
    let gone = rooms_of(TOWNSHIPS[1], 1)[0].clone();
    let kept: Vec<&str> = DIVISIONS.lines().filter(|line| !line.starts_with(&gone)).collect();
    let new = format!(
        "{}\n{}299\t新合村\tvillage\t{}000\n",
        kept.join("\n"),
        &gone[..9],
        &gone[..9]
    );
    let asked = TableText {
        on: ledger::day::Day::parse("2026-12-01"),
        ..text(Table::Organisation, &new)
    };
    let told = preview(&mut county, hub, asked.clone());
    let counts = &told["counts"];
    assert_eq!(
        (counts["added"].as_u64(), counts["removed"].as_u64()),
        (Some(2), Some(1)),
        "{counts}"
    );
    publish(&mut county, hub, asked).unwrap();
    county.world.pass(5_000);
    let township = county.townships[0];
    let shown = county.world.run(
        township,
        Command::Tables(Tables::Show(TableShow {
            table: Table::Organisation,
        })),
    );
    let rows = shown["rows"].as_array().unwrap();
    let ended = rows
        .iter()
        .find(|r| r["key"].as_str().unwrap().starts_with(&gone))
        .unwrap();
    assert_eq!(ended["fields"]["止"], "2026-12-01", "{ended}");
    let born = rows.iter().find(|r| r["label"] == "新合村").unwrap();
    assert_eq!(born["fields"]["起"], "2026-12-01");
    // A room that was there goes on under the same id.
    county.new_case(county.rooms[0], 1);
    county.world.pass(5_000);
    assert_eq!(county.numbers(hub).len(), 1);
    // Another county's table is none of ours.
    let foreign = DIVISIONS.replace("511603", "511602");
    let error = publish(&mut county, hub, text(Table::Organisation, &foreign)).unwrap_err();
    assert_eq!(error.code, "bad_table");
}

#[test]
fn twelve_thousand_villages_are_published_at_once_and_reach_the_rooms() {
    let mut county = County::new(84, 1, 1);
    let (hub, room) = (county.hub, county.rooms[0]);
    let parent = format!("{:0<12}", TOWNSHIPS[1]);
    let more: String = (0..12_000)
        .map(|at| format!("5117{at:08}\t新第{at}村\tvillage\t{parent}\n"))
        .collect();
    let asked = text(Table::Organisation, &format!("{}\n{more}", DIVISIONS.trim_end()));
    let told = preview(&mut county, hub, asked.clone());
    assert_eq!(told["counts"]["added"], 12_000, "{}", told["counts"]);
    publish(&mut county, hub, asked).unwrap();
    county.world.pass(20_000);
    assert_eq!(version(&mut county, room, Table::Organisation), 2);
    let shown = TableShow {
        table: Table::Organisation,
    };
    let shown = county.world.run(hub, Command::Tables(Tables::Show(shown)));
    let newest = &shown["versions"][0];
    assert_eq!((&newest["version"], &newest["leads"]), (&2.into(), &true.into()));
    assert_eq!(newest["counts"]["added"], 12_000);
    // The last of them takes a PC like any other, and the wall has them all.
    let code = format!("5117{:08}", 11_999);
    let (new, _) = county.admit(hub, &code, replica::statement::Role::Node);
    county.new_case(new, 1);
    county.world.pass(5_000);
    assert_eq!(county.numbers(hub).len(), 1);
    let asked = crate::command::Wall {
        search: Some(code),
        ..Default::default()
    };
    let wall = county.world.run(hub, Command::Wall(asked));
    assert_eq!(wall["towns"][0]["tiles"][0]["state"], "in_step", "{:#}", wall["towns"]);
    assert!(wall["rooms"].as_u64() > Some(12_000), "{}", wall["rooms"]);
}

#[test]
fn the_newest_thirty_versions_are_told_and_the_last_of_them_too_says_what_it_changed() {
    let mut county = County::new(84, 1, 1);
    let hub = county.hub;
    for day in 1..=31_u64 {
        let next = format!("date\tkind\n2027-01-{day:02}\toff\n");
        publish(&mut county, hub, text(Table::Calendar, &next)).unwrap();
        let table = Table::Calendar;
        let shown = county
            .world
            .run(hub, Command::Tables(Tables::Show(TableShow { table })));
        let told = shown["versions"].as_array().unwrap();
        // The first of all, from the founding, has nothing before it.
        let numbers: Vec<u64> = told.iter().map(|v| v["version"].as_u64().unwrap()).collect();
        let newest = day + 1;
        let oldest = newest.saturating_sub(29).max(1);
        assert_eq!(numbers, (oldest..=newest).rev().collect::<Vec<_>>());
        for row in told {
            assert_eq!(row["counts"].is_null(), row["version"] == 1, "{row:#}");
        }
        assert_eq!((&told[0]["leads"], &told[1]["leads"]), (&true.into(), &false.into()));
    }
}

#[test]
fn next_years_holidays_are_added_and_nonsense_is_named_by_its_line() {
    let mut county = County::new(83, 1, 1);
    let hub = county.hub;
    let next = "date\tkind\n2027-01-01\toff\n2027-02-06\tmakeup_work\n";
    let told = preview(&mut county, hub, text(Table::Calendar, next));
    assert_eq!(
        (told["counts"]["added"].as_u64(), told["counts"]["removed"].as_u64()),
        (Some(2), Some(0)),
        "{told:#}"
    );
    publish(&mut county, hub, text(Table::Calendar, next)).unwrap();
    // A corrected year replaces that year alone.
    let corrected = "date\tkind\n2027-01-02\toff\n";
    let told = preview(&mut county, hub, text(Table::Calendar, corrected));
    assert_eq!(
        (told["counts"]["added"].as_u64(), told["counts"]["removed"].as_u64()),
        (Some(1), Some(2)),
        "{told:#}"
    );
    for (wrong, line) in [
        ("", "表头"),
        ("date\tkind\n", "数据行"),
        ("date\tkind\n2027-13-01\toff\n", "2"),
        ("date\tkind\n2029-01-01\toff\n", "2028"),
    ] {
        let error = county
            .world
            .command(hub, Command::Tables(Tables::Preview(text(Table::Calendar, wrong))))
            .unwrap_err();
        assert!(error.message.contains(line), "{wrong:?}: {}", error.message);
    }
    assert!(HOLIDAYS.contains("2026"));
}
