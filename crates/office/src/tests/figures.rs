//! 统计报表: what a report says is what anybody can count again from the list of cases.

mod absence;
mod behind;
mod cut;
mod dated;
mod recount;
mod stories;

use ledger::day::Day;
use ledger::seed::Seeds;
use replica::statement::Role;
use serde_json::Value;

use super::county::{County, case, cert_no};
use crate::command::{AbsenceNote, CaseDo, CaseImport, CaseNew, Command, Cover, ErrandNew, Report, ReportOf};
use crate::rig::Seat;
use recount::{Posts, Recount};

/// 2026-11-20, six weeks after the world begins: everything in the day books has happened.
const LATER_MS: i64 = 42 * 86_400_000;

pub(super) const SAMPLE: &[u8] = include_bytes!("../../../ledger/data/daybook_sample.csv");
/// The rooms of the sample, with their townships.
pub(super) const ROOMS: [(&str, &str); 6] = [
    ("511603001", "511603001003"),
    ("511603003", "511603003216"),
    ("511603102", "511603102201"),
    ("511603104", "511603104002"),
    ("511603104", "511603104239"),
    ("511603106", "511603106002"),
];

/// A county of the sample's townships and rooms, in November.
pub(super) fn autumn(seed: u64) -> County {
    let mut county = County::new(seed, 0, 0);
    let hub = county.hub;
    county.world.set_skew(hub, LATER_MS);
    let mut towns: Vec<(&str, Seat)> = Vec::new();
    for (town, room) in ROOMS {
        let township = match towns.iter().find(|(code, _)| *code == town) {
            Some((_, seat)) => *seat,
            None => {
                let (seat, line) = county.admit(hub, town, Role::Hub);
                county.world.set_skew(seat, LATER_MS);
                county.townships.push(seat);
                county.township_lines.push(line);
                towns.push((town, seat));
                seat
            }
        };
        let (seat, line) = county.admit(township, room, Role::Node);
        county.world.set_skew(seat, LATER_MS);
        county.rooms.push(seat);
        county.room_lines.push(line);
        county.room_codes.push(room.to_owned());
    }
    county.world.pass(10_000);
    county
}

pub(super) fn import(county: &mut County, room: Seat, book: &[u8]) {
    let args = CaseImport {
        data: book.to_vec(),
        ..CaseImport::default()
    };
    let told = county.world.run(room, Command::CaseImport(args));
    assert!(told["imported"].as_u64().unwrap() > 0, "{told}");
}

pub(super) fn report(county: &mut County, seat: Seat, period: &str, unit: &str) -> Value {
    let args = ReportOf {
        period: Some(period.to_owned()),
        unit: (!unit.is_empty()).then(|| unit.to_owned()),
        ..ReportOf::default()
    };
    county.world.run(seat, Command::Report(Report::Show(args)))
}

fn pick<T: Copy>(seeds: &mut Seeds, from: &[T]) -> T {
    from[seeds.u64() as usize % from.len()]
}

/// Things that happen to cases: asked, suspended, closed late, evaluated, void, returned, covered, carried as an errand.
fn stir(county: &mut County, seeds: &mut Seeds, cases: usize) {
    for at in 0..county.rooms.len() {
        let (room, town) = (county.rooms[at], township_of(county, at));
        let mut open: Vec<(String, Day)> = county
            .cases(room)
            .iter()
            .filter(|c| c["state"] == "received")
            .map(|c| {
                let on = Day::parse(c["on"].as_str().unwrap()).unwrap();
                (c["project_no"].as_str().unwrap().to_owned(), on)
            })
            .collect();
        open.sort();
        for (number, on) in open.into_iter().take(cases) {
            live(county, seeds, (room, town), &number, on);
        }
    }
    county.world.pass(20_000);
}

/// Posts are empty, and some of them are filled: at the room's own desk, or by the township on the room's case. All of it today, because a
/// cover that is typed afterwards tells no half-day; what was noted of October nobody filled.
fn stand_in(county: &mut County, seeds: &mut Seeds) -> Posts {
    let mut posts = Posts::default();
    for (at, (town_code, code)) in ROOMS.iter().enumerate() {
        let (room, town) = (county.rooms[at], township_of(county, at));
        let today = Day::of_wall_ms(county.world.now(room).wall_ms);
        let cover = |of: &str| {
            Some(Cover {
                of: of.to_owned(),
                reason: "病假".to_owned(),
            })
        };
        let mut fill = |county: &County, unit: &str, of: &str| {
            let china_hour = (county.world.now(room).wall_ms / 3_600_000 + 8) % 24;
            let unit = format!("{unit:0<12}");
            let post = (unit, today.to_string(), china_hour < 12, of.to_owned());
            posts.filled.insert(((*code).to_owned(), post));
        };
        let of = pick(seeds, &["李芳", "王强"]);
        let new = CaseNew {
            on: Some(today),
            matter: "A01".to_owned(),
            cover: cover(of),
            ..case(900 + at)
        };
        fill(county, code, of);
        let made = county.world.run(room, Command::CaseNew(new));
        county.world.pass(10_000);
        if pick(seeds, &[true, false]) {
            let accept = CaseDo {
                number: made["project_no"].as_str().unwrap().to_owned(),
                event: "accept".to_owned(),
                cover: cover("赵敏"),
                ..CaseDo::default()
            };
            fill(county, town_code, "赵敏");
            county.world.run(town, Command::CaseDo(accept));
        }
        for (on, half) in [("2026-10-14", "am"), ("2026-10-20", "day"), ("2026-11-20", "day")] {
            let note = AbsenceNote {
                unit: (*code).to_owned(),
                name: pick(seeds, &["李芳", "王强"]).to_owned(),
                on: Day::parse(on).unwrap(),
                half: half.to_owned(),
                undo: false,
                user: None,
            };
            for forenoon in [true, false].iter().take(if half == "am" { 1 } else { 2 }) {
                let post = ((*code).to_owned(), on.to_owned(), *forenoon, note.name.clone());
                posts.noted.insert(post);
            }
            county.world.run(town, Command::Report(Report::Absence(note)));
        }
    }
    county.world.pass(10_000);
    posts
}

fn township_of(county: &County, at: usize) -> Seat {
    let mut towns: Vec<&str> = ROOMS.iter().map(|(town, _)| *town).collect();
    towns.dedup();
    county.townships[towns.iter().position(|t| *t == ROOMS[at].0).unwrap()]
}

/// One case's life, drawn; what the rules forbid at a step is simply not done.
fn live(county: &mut County, seeds: &mut Seeds, (room, town): (Seat, Seat), number: &str, on: Day) {
    let mut day = on;
    let mut act = |county: &mut County, seat: Seat, event: &str, result: Option<&str>, items: &[&str], later: i32| {
        day = day.plus(later);
        let act = CaseDo {
            number: number.to_owned(),
            event: event.to_owned(),
            reason: matches!(event, "void" | "refuse" | "reopen").then(|| "登记有误".to_owned()),
            result: result.map(str::to_owned),
            items: items.iter().map(|i| (*i).to_owned()).collect(),
            on: Some(day),
            ..CaseDo::default()
        };
        county.world.command(seat, Command::CaseDo(act)).is_ok()
    };
    if pick(seeds, &[true, false, false, false]) {
        let errand = ErrandNew {
            case: Some(number.to_owned()),
            task: "带去乡镇".to_owned(),
            claim: true,
            on: Some(on),
            ..ErrandNew::default()
        };
        let _ = county.world.command(room, Command::ErrandNew(errand));
    }
    let slow = pick(seeds, &[0, 1, 2, 3, 9, 16]);
    match pick(seeds, &[0, 1, 2, 3, 4, 5, 6, 7]) {
        0 => return,
        1 => {
            act(county, town, "void", None, &[], slow);
            return;
        }
        2 => {
            act(county, town, "return", None, &[], slow);
            return;
        }
        3 | 4 => {
            act(county, room, "ask", None, &["公章"], 1);
            act(county, room, "supply", None, &["公章"], 1);
            if pick(seeds, &[true, false]) {
                act(county, room, "ask", None, &["户口簿"], 0);
                act(county, room, "supply", None, &["户口簿"], 1);
            }
        }
        _ => {}
    }
    // Some are accepted after more than five workdays, and count from their receipt.
    act(county, town, "accept", None, &[], pick(seeds, &[0, 1, 4, 12]));
    act(county, town, "process", None, &[], 0);
    if pick(seeds, &[true, false, false]) && act(county, town, "suspend", None, &[], 1) {
        act(county, town, "resume", None, &[], 4);
    }
    act(county, town, "decide", None, &[], slow);
    let result = pick(seeds, &["6", "0", "6", "3"]);
    act(county, town, "close", Some(result), &[], 0);
}

/// A day book of a room: people, matters and days drawn; two thirds closed, half of these evaluated.
fn day_book(seeds: &mut Seeds, unit: &str, first_person: usize, rows: usize, from: Day, days: u64) -> Vec<u8> {
    let matters: Vec<&str> = super::county::MATTERS.lines().skip(1).map(|l| &l[..3]).collect();
    let mut book = format!("{}\n", ledger::daybook::COLUMNS.join(","));
    for at in 0..rows {
        let on = from.plus((seeds.u64() % days) as i32);
        let matter = pick(seeds, &matters);
        let (word, closed, rating) = match seeds.u64() % 3 {
            0 => ("收件", String::new(), String::new()),
            _ => {
                let rating = pick(seeds, &["", "", "1", "2", "3", "4", "5"]);
                let closed = on.plus(pick(seeds, &[0, 0, 1, 4]));
                ("办结", format!("{closed} 16:20"), rating.to_owned())
            }
        };
        let (hour, person) = (8 + at % 9, first_person + at);
        let id = cert_no(person);
        // Numbers of people are drawn from a thousand: the minute and the note keep rows apart.
        let row = format!(
            "{on} {hour:02}:{:02},{unit},{matter},张三,{id},13800138000,高河村,{word},{closed},{rating},第{at}行\n",
            at % 60
        );
        book.push_str(&row);
    }
    book.into_bytes()
}

/// Every figure of the report is what counting the list again gives; so is each figure of each unit below and of each matter.
fn assert_recounted(county: &mut County, seat: Seat, posts: &Posts, (period, unit): (&str, &str)) -> Value {
    let report = report(county, seat, period, unit);
    let recount = Recount::of(county, seat, &report, posts);
    recount.hold(&report);
    report
}

#[test]
fn every_figure_of_the_sample_day_book_can_be_counted_again_from_the_list() {
    let mut county = autumn(301);
    for room in county.rooms.clone() {
        import(&mut county, room, SAMPLE);
    }
    let mut seeds = Seeds::new([1; 32]);
    stir(&mut county, &mut seeds, 25);
    let posts = stand_in(&mut county, &mut seeds);
    let (hub, town) = (county.hub, county.townships[0]);
    let whole = assert_recounted(&mut county, hub, &posts, ("2026-10", ""));
    let received = whole["figures"][0]["value"].as_u64().unwrap();
    assert!(received > 400, "{received}");
    for key in ["overdue", "told_once", "returned", "errand", "satisfied"] {
        let figure = whole["figures"]
            .as_array()
            .unwrap()
            .iter()
            .find(|f| f["key"] == key)
            .unwrap();
        assert_ne!(
            figure["part"].as_u64().or(figure["value"].as_u64()),
            Some(0),
            "nothing to count: {figure}"
        );
    }
    for period in ["2026-10-14", "2026-Q4", "2026", "2026-01..11", "2026-11", "2025"] {
        assert_recounted(&mut county, hub, &posts, (period, ""));
    }
    for unit in ["511603104", "511603104239", "511603"] {
        assert_recounted(&mut county, hub, &posts, ("2026-10", unit));
    }
    // The township counts the same of itself as the county does of it.
    let own = assert_recounted(&mut county, town, &posts, ("2026-10", ""));
    let from_above = report(&mut county, hub, "2026-10", ROOMS[0].0);
    assert_eq!(own["figures"], from_above["figures"]);
    let parts: u64 = whole["children"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["figures"]["received"]["value"].as_u64().unwrap())
        .sum();
    assert_eq!(parts, received, "the county is the sum of its townships");
}

#[test]
fn every_figure_of_fifty_thousand_cases_can_be_counted_again_from_the_list() {
    let mut county = autumn(302);
    let mut seeds = Seeds::new([2; 32]);
    let from = Day::parse("2025-10-01").unwrap();
    let each = 50_000 / ROOMS.len() + 1;
    for (at, room) in county.rooms.clone().into_iter().enumerate() {
        let book = day_book(&mut seeds, ROOMS[at].1, at * each, each, from, 400);
        import(&mut county, room, &book);
    }
    county.world.pass(60_000);
    stir(&mut county, &mut seeds, 20);
    let posts = stand_in(&mut county, &mut seeds);
    let hub = county.hub;
    let october = assert_recounted(&mut county, hub, &posts, ("2026-10", ""));
    let last = october["figures"][0]["last"].as_str().unwrap().replace(',', "");
    assert!(
        last.parse::<u64>().unwrap() > 2_000,
        "a year before there were cases, too: {last}"
    );
    assert_recounted(&mut county, hub, &posts, ("2026", ""));
}
