//! A township at work: its inbox, many cases at once, document numbers, what queues for a word, bad evaluations.

use ledger::day::Day;
use serde_json::{Value, json};

use super::county::{County, cert_no};
use crate::command::{
    CaseDo, CaseDoMany, CaseNew, CaseShow, Command, CommandError, ConflictQueue, ConflictResolve, DocGive, DocRegister,
    Inbox, Work,
};
use crate::rig::Seat;

/// 宅基地审批: 初审+代办, promised in ten workdays, so that the township accepts and decides.
pub(super) const LAND: &str = "A01";
/// 参保登记: 直办, 即办件, the room's own.
pub(super) const INSURE: &str = "B23";

pub(super) fn receive(county: &mut County, at: Seat, matter: &str, person: usize, on: Option<Day>) -> String {
    let new = CaseNew {
        matter: matter.to_owned(),
        name: "张三".to_owned(),
        cert_no: cert_no(person),
        on,
        ..CaseNew::default()
    };
    let made = county.world.run(at, Command::CaseNew(new));
    made["project_no"].as_str().unwrap().to_owned()
}

pub(super) fn step(number: &str, event: &str) -> CaseDo {
    CaseDo {
        number: number.to_owned(),
        event: event.to_owned(),
        ..CaseDo::default()
    }
}

pub(super) fn act(county: &mut County, at: Seat, number: &str, event: &str) -> Value {
    county.world.run(at, Command::CaseDo(step(number, event)))
}

pub(super) fn work(county: &mut County, at: Seat, work: Work) -> Value {
    county.world.run(at, Command::Work(work))
}

pub(super) fn refused(county: &mut County, at: Seat, work: Work) -> CommandError {
    county.world.command(at, Command::Work(work)).unwrap_err()
}

fn inbox(county: &mut County, at: Seat, args: Inbox) -> Value {
    work(county, at, Work::Inbox(args))
}

fn numbers(page: &Value) -> Vec<String> {
    let cases = page["cases"].as_array().unwrap().iter();
    cases.map(|c| c["project_no"].as_str().unwrap().to_owned()).collect()
}

pub(super) fn show(county: &mut County, at: Seat, number: &str) -> Value {
    let show = CaseShow {
        number: number.to_owned(),
        ..CaseShow::default()
    };
    county.world.run(at, Command::CaseShow(show))
}

fn today(county: &mut County, at: Seat) -> Day {
    let text = inbox(county, at, Inbox::default())["today"]
        .as_str()
        .unwrap()
        .to_owned();
    Day::parse(&text).unwrap()
}

fn many(numbers: &[String], event: &str) -> Work {
    Work::CaseDoMany(CaseDoMany {
        numbers: numbers.to_vec(),
        event: event.to_owned(),
        ..CaseDoMany::default()
    })
}

#[test]
fn an_inbox_has_what_waits_for_the_township_the_most_urgent_first_and_the_county_what_was_sent_up() {
    let mut county = County::new(301, 1, 2);
    let (hub, town) = (county.hub, county.townships[0]);
    let (room, other) = (county.rooms[0], county.rooms[1]);
    let today = today(&mut county, town);
    let fresh = receive(&mut county, room, LAND, 1, None);
    let late = receive(&mut county, other, LAND, 2, Some(today.plus(-60)));
    receive(&mut county, room, INSURE, 3, None);
    county.world.pass(5_000);
    let page = inbox(&mut county, town, Inbox::default());
    assert_eq!(numbers(&page), [late.clone(), fresh.clone()], "{page:#}");
    assert_eq!(page["cases"][0]["clock"]["kind"], "overdue");
    assert_eq!(page["cases"][0]["deemed_accepted"], true);
    assert_eq!(page["cases"][1]["clock"]["kind"], "left");
    assert_eq!(page["cases"][1]["clock"]["accept"], true);
    assert_eq!(page["counts"]["total"], 2);
    assert_eq!(page["counts"]["overdue"], 1);
    act(&mut county, town, &fresh, "accept");
    act(&mut county, town, &fresh, "forward");
    county.world.pass(5_000);
    let sent_up = inbox(&mut county, hub, Inbox::default());
    assert_eq!(numbers(&sent_up), std::slice::from_ref(&fresh));
    assert_eq!(numbers(&inbox(&mut county, town, Inbox::default())), [late]);
    let decided = act(&mut county, hub, &fresh, "decide");
    assert_eq!(decided["state"], "decided");
    assert_eq!(
        numbers(&inbox(&mut county, hub, Inbox::default())),
        [fresh],
        "the county decided: it closes"
    );
}

#[test]
fn the_filters_of_an_inbox_narrow_it_to_what_somebody_looks_for() {
    let mut county = County::new(311, 1, 2);
    let (town, room, other) = (county.townships[0], county.rooms[0], county.rooms[1]);
    let today = today(&mut county, town);
    let fresh = receive(&mut county, room, LAND, 1, None);
    let late = receive(&mut county, other, LAND, 2, Some(today.plus(-60)));
    let own = receive(&mut county, room, INSURE, 3, None);
    county.world.pass(5_000);
    let all = inbox(
        &mut county,
        town,
        Inbox {
            all: true,
            ..Inbox::default()
        },
    );
    assert!(numbers(&all).contains(&own), "{all:#}");
    for (args, expected) in [
        (
            Inbox {
                overdue: true,
                ..Inbox::default()
            },
            vec![late.clone()],
        ),
        (
            Inbox {
                unit: Some(county.room_codes[0].clone()),
                ..Inbox::default()
            },
            vec![fresh.clone()],
        ),
        (
            Inbox {
                matter: Some("a01".to_owned()),
                limit: Some(1),
                ..Inbox::default()
            },
            vec![late.clone()],
        ),
        (
            Inbox {
                state: Some("已受理".to_owned()),
                ..Inbox::default()
            },
            vec![],
        ),
    ] {
        assert_eq!(numbers(&inbox(&mut county, town, args.clone())), expected, "{args:?}");
    }
}

#[test]
fn pages_of_an_inbox_meet_without_a_case_twice_or_left_out() {
    let mut county = County::new(302, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    let mut all: Vec<String> = (1..=23).map(|n| receive(&mut county, room, LAND, n, None)).collect();
    county.world.pass(5_000);
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let args = Inbox {
            limit: Some(5),
            after: after.clone(),
            ..Inbox::default()
        };
        let page = inbox(&mut county, town, args);
        seen.extend(numbers(&page));
        assert_eq!(page["counts"]["total"], 23, "the count is that of all pages");
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    all.sort();
    let mut sorted = seen.clone();
    sorted.sort();
    assert_eq!(sorted, all);
    for nonsense in ["x", "1.2", "1.999999999999.5.zz", "1.5.no.abcd", "\u{0}"] {
        let args = Inbox {
            after: Some(nonsense.to_owned()),
            ..Inbox::default()
        };
        assert_eq!(
            refused(&mut county, town, Work::Inbox(args)).code,
            "bad_place",
            "{nonsense}"
        );
    }
}

#[test]
fn many_are_accepted_at_once_each_says_what_became_of_it_and_twice_is_once() {
    let mut county = County::new(303, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    let mut all: Vec<String> = (1..=3).map(|n| receive(&mut county, room, LAND, n, None)).collect();
    county.world.pass(5_000);
    act(&mut county, town, &all[1], "return");
    all.push("胡写的号码".to_owned());
    let first = work(&mut county, town, many(&all, "accept"));
    assert_eq!((&first["done"], &first["refused"]), (&json!(2), &json!(2)), "{first:#}");
    let refused_rows = first["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["outcome"] == "refused");
    assert!(refused_rows.clone().all(|c| !c["message"].as_str().unwrap().is_empty()));
    let again = work(&mut county, town, many(&all, "accept"));
    assert_eq!((&again["done"], &again["already"]), (&json!(0), &json!(2)), "{again:#}");
    let accepts = |page: &Value| {
        let events = page["events"].as_array().unwrap();
        events.iter().filter(|e| e["event"] == "accept").count()
    };
    assert_eq!(accepts(&show(&mut county, town, &all[0])), 1);
    // A stretch of 特别程序 ends for all together, and only for those that stand still.
    work(&mut county, town, many(&all, "process"));
    act(&mut county, town, &all[0], "suspend");
    let resumed = work(&mut county, town, many(&all, "resume"));
    assert_eq!(
        (&resumed["done"], &resumed["refused"]),
        (&json!(1), &json!(3)),
        "{resumed:#}"
    );
    assert_eq!(show(&mut county, town, &all[0])["state"], "processing");
    // What ends a case or cannot be taken back is done one by one.
    for event in ["decide", "close", "forward"] {
        assert_eq!(refused(&mut county, town, many(&all, event)).code, "not_for_many");
    }
    let error = refused(&mut county, town, many(&all, "void"));
    assert_eq!(error.code, "not_for_many");
    assert_eq!(refused(&mut county, town, many(&[], "accept")).code, "how_many");
}

fn register(county: &mut County, at: Seat) -> Value {
    work(county, at, Work::DocRegister(DocRegister::default()))
}

fn doc_of(county: &mut County, at: Seat, number: &str) -> String {
    let shown = show(county, at, number);
    let fields = shown["fields"].as_array().unwrap();
    let field = fields.iter().find(|f| f["name"] == "doc_no").unwrap();
    field["value"].as_str().unwrap().to_owned()
}

#[test]
fn document_numbers_have_no_gap_and_the_register_lists_void_ones_with_what_came_instead() {
    let mut county = County::new(304, 2, 1);
    let (hub, town) = (county.hub, county.townships[0]);
    let (room, far) = (county.rooms[0], county.rooms[1]);
    let all: Vec<String> = (1..=4).map(|n| receive(&mut county, room, LAND, n, None)).collect();
    let elsewhere = receive(&mut county, far, LAND, 9, None);
    let direct = receive(&mut county, room, INSURE, 5, None);
    act(&mut county, room, &direct, "accept");
    county.world.pass(5_000);
    let wrong = county.world.command(town, Command::CaseDo(step(&direct, "accept")));
    assert!(wrong.is_err(), "accepted already: no number is used up");
    work(&mut county, town, many(&all, "accept"));
    let other_town = county.townships[1];
    act(&mut county, other_town, &elsewhere, "accept");
    let numbers: Vec<String> = all.iter().map(|no| doc_of(&mut county, town, no)).collect();
    let counts: Vec<&str> = numbers.iter().map(|no| no.rsplit_once('-').unwrap().1).collect();
    let mut sorted = counts.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["00001号", "00002号", "00003号", "00004号"]);
    assert!(numbers.iter().all(|no| no.starts_with("511603104受〔")), "{numbers:?}");

    let void = CaseDo {
        reason: Some("填错了件".to_owned()),
        ..step(&all[1], "void")
    };
    county.world.run(town, Command::CaseDo(void));
    let give = |number: &str, reason: Option<&str>| {
        Work::DocGive(DocGive {
            number: number.to_owned(),
            reason: reason.map(str::to_owned),
            user: None,
        })
    };
    assert_eq!(refused(&mut county, town, give(&all[0], None)).code, "has_doc_no");
    assert_eq!(refused(&mut county, room, give(&all[0], None)).code, "not_a_hub");
    let instead = work(&mut county, town, give(&all[0], Some("打印时污损")));
    assert_eq!(instead["instead_of"], json!(numbers[0]));
    let late = work(&mut county, town, give(&direct, None));
    assert!(late["doc_no"].as_str().unwrap().ends_with("00006号"), "{late}");
    let page = register(&mut county, town);
    assert_eq!(page["series"].as_array().unwrap().len(), 1);
    let series = &page["series"][0];
    assert_eq!(
        (&series["last"], &series["missing"], &series["void"]),
        (&json!(6), &json!([]), &json!(2)),
        "{page:#}"
    );
    let line = |no: &str| {
        let lines = page["numbers"].as_array().unwrap().iter();
        lines.clone().find(|l| l["doc_no"] == *no).unwrap().clone()
    };
    assert_eq!(line(&numbers[1])["void_reason"], "作废");
    assert!(line(&numbers[0])["void_reason"].as_str().unwrap().contains("00005号"));
    assert!(!page.to_string().contains("张三"), "names are masked");
    county.world.pass(5_000);
    let above = register(&mut county, hub);
    assert_eq!(
        above["series"].as_array().unwrap().len(),
        2,
        "both townships: {above:#}"
    );
    let shown = doc_of(&mut county, room, &all[2]);
    assert_eq!(shown, numbers[2], "the room prints the same number");
}

#[test]
fn a_full_disk_or_a_power_cut_uses_up_no_document_number() {
    let mut county = County::new(305, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    let all: Vec<String> = (1..=3).map(|n| receive(&mut county, room, LAND, n, None)).collect();
    county.world.pass(5_000);
    act(&mut county, town, &all[0], "accept");
    county.world.disk(town).fault(store::Fault::Capacity(0));
    let mut failed = 0;
    for _ in 0..200 {
        failed += u32::from(
            county
                .world
                .command(town, Command::CaseDo(step(&all[1], "note")))
                .is_err(),
        );
        if failed > 0 {
            break;
        }
    }
    assert!(failed > 0, "the disk took 200 notes");
    assert!(
        county
            .world
            .command(town, Command::CaseDo(step(&all[1], "accept")))
            .is_err()
    );
    county.world.disk(town).fault(store::Fault::Roomy);
    county.world.kill(town);
    county.world.start(town);
    county.world.pass(5_000);
    act(&mut county, town, &all[1], "accept");
    act(&mut county, town, &all[2], "accept");
    let page = register(&mut county, town);
    assert_eq!(page["series"][0]["last"], 3, "{page:#}");
    assert_eq!(page["series"][0]["missing"], json!([]));
}

#[test]
fn a_hub_put_back_from_a_copy_begins_a_new_series_and_both_are_in_the_register() {
    let mut county = County::new(306, 1, 1);
    let (town, room) = (county.townships[0], county.rooms[0]);
    let all: Vec<String> = (1..=4).map(|n| receive(&mut county, room, LAND, n, None)).collect();
    county.world.pass(5_000);
    act(&mut county, town, &all[0], "accept");
    county.world.pass(5_000);
    let yesterday = county.world.backup(town);
    act(&mut county, town, &all[1], "accept");
    county.world.pass(5_000);
    county.world.restore(town, yesterday);
    county.world.pass(60_000);
    act(&mut county, town, &all[2], "accept");
    act(&mut county, town, &all[3], "accept");
    county.world.pass(5_000);
    let page = register(&mut county, town);
    let series = page["series"].as_array().unwrap();
    let mut lasts: Vec<i64> = series.iter().map(|s| s["last"].as_i64().unwrap()).collect();
    lasts.sort_unstable();
    assert_eq!(lasts, [2, 2], "{page:#}");
    assert!(series.iter().all(|s| s["missing"] == json!([]) && s["twice"] == 0));
    let hub = county.hub;
    assert_eq!(register(&mut county, hub)["numbers"], page["numbers"]);
}

#[test]
fn a_conflict_is_decided_and_undone_and_its_age_and_its_units_are_told() {
    let mut county = County::new(307, 2, 1);
    let (hub, town) = (county.hub, county.townships[0]);
    let today = today(&mut county, town);
    for room in county.rooms.clone() {
        receive(&mut county, room, LAND, 7, Some(today.plus(-14)));
    }
    county.world.pass(5_000);
    let queue = |county: &mut County, at: Seat, args: ConflictQueue| work(county, at, Work::Conflicts(args));
    assert_eq!(
        queue(&mut county, town, ConflictQueue::default())["total"],
        0,
        "two townships: the county's"
    );
    let open = queue(&mut county, hub, ConflictQueue::default());
    assert_eq!(
        (&open["total"], &open["kinds"]["duplicate"]),
        (&json!(1), &json!(1)),
        "{open:#}"
    );
    let item = open["items"][0].clone();
    assert!(item["age_workdays"].as_u64().unwrap() >= 5, "{item:#}");
    assert_eq!(
        (&item["ours"], &item["records"][0]["name"]),
        (&json!(true), &json!("张*"))
    );
    let unit = county.room_codes[1].clone();
    for (unit, found) in [
        (Some(unit), 1),
        (Some("511603".to_owned()), 1),
        (Some("511603103".to_owned()), 0),
    ] {
        let args = ConflictQueue {
            unit: unit.clone(),
            ..ConflictQueue::default()
        };
        assert_eq!(queue(&mut county, hub, args)["total"], found, "{unit:?}");
    }
    let resolve = |choose: &str| {
        Command::ConflictResolve(ConflictResolve {
            id: item["id"].as_str().unwrap().to_owned(),
            choose: choose.to_owned(),
            note: Some("同一块地".to_owned()),
            user: None,
            cover: None,
        })
    };
    let choice = item["choices"][0]["choice"].as_str().unwrap();
    county.world.run(hub, resolve(choice));
    assert_eq!(queue(&mut county, hub, ConflictQueue::default())["total"], 0);
    let decided = queue(
        &mut county,
        hub,
        ConflictQueue {
            decided: true,
            ..ConflictQueue::default()
        },
    );
    let said = &decided["items"][0]["resolved"];
    assert_eq!(
        (&said["choice"], &said["reason"]),
        (&json!(choice), &json!("同一块地")),
        "{decided:#}"
    );
    county.world.run(hub, resolve("undo"));
    assert_eq!(
        queue(&mut county, hub, ConflictQueue::default())["total"],
        1,
        "undone, it waits again"
    );
}
