//! Each of the default rules raises its alert, says what it saw, and clears it; whoever listens hears of both once.

use replica::frame::{RoomHealth, RoomMore};
use serde_json::Value;
use store::disk::Fault;

use super::county::{County, TOWNSHIPS};
use super::work::{LAND, receive};
use crate::command::{
    AlertList, AlertMute, AlertRulesSet, AlertTold, AlertUnmute, Command, ConflictQueue, ConflictResolve, Wall, Work,
};
use crate::health::Rules;
use crate::rig::Seat;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// An alert: rule, unit, and what it says.
type Open = (String, String, String);

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn listed(county: &mut County, seat: Seat) -> Vec<Open> {
    let list = county.world.run(seat, Command::AlertList(AlertList::default()));
    let alert = |a: &Value| (text(&a["rule"]), text(&a["unit"]), text(&a["text"]));
    list["open"].as_array().unwrap().iter().map(alert).collect()
}

/// Open alerts, after the daemon's timer has looked.
fn alerts(county: &mut County, seat: Seat) -> Vec<Open> {
    county.world.pass(MINUTE_MS);
    county.world.run(seat, Command::HealthWatch);
    listed(county, seat)
}

/// Their rules.
fn open(county: &mut County, seat: Seat) -> Vec<String> {
    alerts(county, seat).into_iter().map(|(rule, ..)| rule).collect()
}

/// What the webhook is told in this minute: it takes it, and is not told again in the next.
fn hears(county: &mut County, seat: Seat) -> Vec<(String, String, String)> {
    county.world.pass(MINUTE_MS);
    let untold = county.world.run(seat, Command::HealthWatch)["untold"].clone();
    let untold = untold.as_array().unwrap();
    let ids: Vec<String> = untold.iter().map(|news| text(&news["id"])).collect();
    let news = |n: &Value| (text(&n["event"]), text(&n["rule"]), text(&n["unit"]));
    let heard = untold.iter().map(news).collect();
    if !ids.is_empty() {
        county.world.run(seat, Command::AlertTold(AlertTold { ids }));
    }
    heard
}

fn news(event: &str, rule: &str, unit: &str) -> (String, String, String) {
    (event.to_owned(), rule.to_owned(), unit.to_owned())
}

/// Raised: it stands once, says this, and is told once. Cleared: it is gone, and that is told once.
fn is_raised(county: &mut County, seat: Seat, rule: &str, unit: &str, says: &str) {
    assert_eq!(hears(county, seat), [news("raised", rule, unit)]);
    assert_eq!(hears(county, seat), [], "{rule} is told once");
    let stands = listed(county, seat);
    let words = stands
        .iter()
        .map(|(rule, unit, text)| (rule.as_str(), unit.as_str(), text.contains(says)));
    assert_eq!(words.collect::<Vec<_>>(), [(rule, unit, true)], "{stands:?}");
}

fn is_cleared(county: &mut County, seat: Seat, rule: &str, unit: &str) {
    assert_eq!(hears(county, seat), [news("cleared", rule, unit)]);
    assert_eq!(hears(county, seat), [], "the end of {rule} is told once");
    assert_eq!(listed(county, seat), []);
}

/// The township says otherwise of its first room.
fn says(county: &mut County, change: impl FnOnce(&mut RoomHealth)) {
    let (hub, now) = (county.hub, county.world.now(county.hub));
    let room = county.world.office(county.rooms[0]).device();
    let township = county.world.office(county.townships[0]).device();
    let office = county.world.office(hub);
    let mut report = office.reports.heard[&room].report.clone();
    change(&mut report);
    office.take_reports(now, township, vec![report]);
}

struct Story {
    rule: &'static str,
    ill: Box<dyn Fn(&mut RoomHealth)>,
    says: &'static str,
    /// Just within the rule.
    well: Box<dyn Fn(&mut RoomHealth)>,
}

fn story(
    rule: &'static str,
    says: &'static str,
    ill: impl Fn(&mut RoomHealth) + 'static,
    well: impl Fn(&mut RoomHealth) + 'static,
) -> Story {
    Story {
        rule,
        says,
        ill: Box::new(ill),
        well: Box::new(well),
    }
}

fn more(report: &mut RoomHealth) -> &mut RoomMore {
    report.more.as_mut().unwrap()
}

fn stories(now_ms: i64, held: u64) -> [Story; 5] {
    let waits = move |r: &mut RoomHealth, minutes: i64| {
        (r.recorded, r.oldest_pending_ms) = (held + 2, Some(now_ms - minutes * 60_000));
    };
    let disk = |r: &mut RoomHealth, free: u64| {
        r.disk_free_bytes = free << 30;
        more(r).disk_total_bytes = Some(100 << 30);
    };
    let version = |r: &mut RoomHealth, text: &str| r.version = text.to_owned();
    [
        story(
            "pending",
            "最早一条未上传的记录已等了 1 天",
            move |r| waits(r, 24 * 60),
            move |r| waits(r, 23 * 60 + 30),
        ),
        story(
            "skew",
            "电脑时钟慢了 5 分钟",
            |r| r.skew_ms = Some(-301_000),
            |r| r.skew_ms = Some(299_000),
        ),
        story("disk", "磁盘只剩 9%", move |r| disk(r, 9), move |r| disk(r, 10)),
        story(
            "quarantine",
            "有 2 条记录被搁置",
            |r| more(r).quarantined = Some(2),
            |r| more(r).quarantined = Some(0),
        ),
        story(
            "version",
            "软件版本 1.2 太旧",
            move |r| version(r, "cunlian-node/1.2.9"),
            move |r| version(r, "cunlian-node/1.3.0"),
        ),
    ]
}

#[test]
fn what_a_room_says_of_itself_raises_each_rule_and_clears_it_when_it_is_well_again() {
    let mut county = County::new(351, 1, 1);
    let (hub, code) = (county.hub, county.room_codes[0].clone());
    county.new_case(county.rooms[0], 1);
    county.world.pass(20_000);
    county.world.office(hub).software = "cunlian-hub/1.5.0".to_owned();
    says(&mut county, |r| r.version = "cunlian-node/1.5.0".to_owned());
    assert_eq!(alerts(&mut county, hub), []);
    let now_ms = county.world.now(hub).wall_ms;
    let room = county.world.office(county.rooms[0]).device();
    let held = county.world.office(hub).reports.heard[&room].report.recorded;
    for Story {
        rule,
        ill,
        says: text,
        well,
    } in stories(now_ms, held)
    {
        says(&mut county, &ill);
        is_raised(&mut county, hub, rule, &code, text);
        says(&mut county, &well);
        is_cleared(&mut county, hub, rule, &code);
    }
}

#[test]
fn a_silent_room_and_a_hub_that_does_not_answer_are_told_once_and_so_is_that_they_are_back() {
    let mut county = County::new(353, 1, 1);
    let (hub, code) = (county.hub, county.room_codes[0].clone());
    assert_eq!(alerts(&mut county, hub), []);
    county.world.cut(county.room_lines[0]);
    county.world.pass(29 * MINUTE_MS);
    is_raised(&mut county, hub, "silent", &code, "最后一次联系在 3");
    county.world.heal(county.room_lines[0]);
    county.world.pass(10_000);
    is_cleared(&mut county, hub, "silent", &code);
    county.world.cut(county.township_lines[0]);
    county.world.pass(9 * MINUTE_MS);
    is_raised(&mut county, hub, "hub", TOWNSHIPS[0], "联系不上，下面各村室的情况不明");
    county.world.heal(county.township_lines[0]);
    county.world.pass(10_000);
    is_cleared(&mut county, hub, "hub", TOWNSHIPS[0]);
}

/// How many forks the queue counts and how many it lists; its total is that of the kinds asked for.
fn forks(county: &mut County, seat: Seat, decided: bool, unit: Option<&str>, kind: Option<&str>) -> (u64, usize) {
    let asked = ConflictQueue {
        decided,
        unit: unit.map(str::to_owned),
        kind: kind.map(str::to_owned),
        ..ConflictQueue::default()
    };
    let queue = county.world.run(seat, Command::Work(Work::Conflicts(asked)));
    let kinds = queue["kinds"].as_object().unwrap().iter();
    let wanted = kinds.filter(|(of, _)| kind.is_none_or(|kind| kind == *of));
    let total: u64 = wanted.filter_map(|(_, many)| many.as_u64()).sum();
    assert_eq!(queue["total"], total, "{queue:#}");
    let state = if decided { "resolved" } else { "open" };
    let items = queue["items"].as_array().unwrap().iter();
    let listed: Vec<&Value> = items.filter(|item| item["kind"] == "fork").collect();
    assert!(listed.iter().all(|fork| fork["state"] == state), "{queue:#}");
    (queue["kinds"]["fork"].as_u64().unwrap_or(0), listed.len())
}

/// The fork stands in one of the two queues, whether one asks for all, for the room, or for the kind; nobody else has it.
fn assert_queued(county: &mut County, seat: Seat, decided: bool) {
    let code = county.room_codes[0].clone();
    for (unit, kind) in [
        (None, None),
        (Some(code.as_str()), None),
        (Some(TOWNSHIPS[0]), Some("fork")),
    ] {
        assert_eq!(forks(county, seat, decided, unit, kind), (1, 1), "{unit:?} {kind:?}");
        assert_eq!(forks(county, seat, !decided, unit, kind), (0, 0), "{unit:?} {kind:?}");
    }
    let other = county.room_codes[1].clone();
    assert_eq!(forks(county, seat, decided, Some(&other), None), (0, 0));
    assert_eq!(forks(county, seat, decided, Some(&code), Some("duplicate")), (1, 0));
}

#[test]
fn a_copied_disk_is_told_at_both_tiers_until_the_copies_write_apart() {
    let mut county = County::new(354, 1, 2);
    let (hub, town, room) = (county.hub, county.townships[0], county.rooms[0]);
    let code = county.room_codes[0].clone();
    county.new_case(room, 1);
    county.world.pass(5_000);
    county.world.cut(county.room_lines[0]);
    let copy = county.world.copy_of(room, "copy");
    county.new_case(room, 2);
    county.new_case(copy, 3);
    // Each tells another hub, and both are gone when the hubs compare: so nobody begins anew yet.
    county.world.cut(county.township_lines[0]);
    county.world.heal(county.room_lines[0]);
    let other = county.world.line(copy, hub);
    county.world.pass(5_000);
    county.world.cut(county.room_lines[0]);
    county.world.cut(other);
    county.world.heal(county.township_lines[0]);
    county.world.pass(10_000);
    for seat in [town, hub] {
        is_raised(&mut county, seat, "fork", &code, "同一把设备密钥在两处写账");
        assert_queued(&mut county, seat, false);
    }
    county.world.heal(county.room_lines[0]);
    county.world.heal(other);
    county.world.pass(10_000);
    county.new_case(room, 4);
    county.world.pass(10_000);
    for seat in [town, hub] {
        is_cleared(&mut county, seat, "fork", &code);
        assert_queued(&mut county, seat, true);
    }
}

#[test]
fn a_hub_tells_of_its_own_disk_and_of_what_it_has_set_aside_itself() {
    let mut county = County::new(355, 1, 1);
    let (hub, town, room) = (county.hub, county.townships[0], county.rooms[0]);
    let own = TOWNSHIPS[0];
    assert_eq!(alerts(&mut county, town), []);
    let disk = county.world.disk(town).clone();
    disk.fault(Fault::Capacity(disk.used() + (4 << 20)));
    is_raised(&mut county, town, "disk", own, "磁盘只剩");
    disk.fault(Fault::Roomy);
    is_cleared(&mut county, town, "disk", own);
    // A room writes what only a township may: it is set aside at the room and here, and told of both.
    let number = receive(&mut county, room, LAND, 1, None);
    county.world.pass(5_000);
    let now = county.world.now(room);
    let written = county
        .world
        .office(room)
        .write_unchecked(now, &number, "doc_no", "自编1号");
    written.unwrap();
    county.world.pass(5_000);
    let mut heard = hears(&mut county, town);
    heard.sort();
    let code = county.room_codes[0].clone();
    assert_eq!(
        heard,
        [news("raised", "quarantine", own), news("raised", "quarantine", &code)]
    );
    assert_eq!(hears(&mut county, town), []);
    assert!(
        listed(&mut county, town)
            .iter()
            .all(|(.., text)| text.contains("有 1 条记录被搁置"))
    );
    assert!(
        hears(&mut county, hub).contains(&news("raised", "quarantine", "511603000000")),
        "the county has it too"
    );
    // Somebody who knows of it and does not want to hear of it switches the rule off.
    let rules = Rules {
        quarantine: 0,
        ..Rules::default()
    };
    county
        .world
        .run(town, Command::AlertRulesSet(AlertRulesSet { rules, user: None }));
    let mut heard = hears(&mut county, town);
    heard.sort();
    assert_eq!(
        heard,
        [news("cleared", "quarantine", own), news("cleared", "quarantine", &code)]
    );
    assert_eq!(hears(&mut county, town), []);
}

#[test]
fn what_is_muted_is_told_to_nobody_until_the_mute_ends_or_is_taken_back() {
    let mut county = County::new(356, 1, 1);
    let (hub, code) = (county.hub, county.room_codes[0].clone());
    let mute = |hours: u32| {
        Command::AlertMute(AlertMute {
            rule: Some("skew".to_owned()),
            unit: code.clone(),
            hours,
            reason: "等换电池".to_owned(),
            user: None,
        })
    };
    let unmute = Command::AlertUnmute(AlertUnmute {
        rule: Some("skew".to_owned()),
        unit: code.clone(),
        user: None,
    });
    let on_the_wall = |county: &mut County| {
        let wall = county.world.run(hub, Command::Wall(Wall::default()));
        (wall["alerts"].clone(), wall["muted"].clone())
    };
    assert_eq!(alerts(&mut county, hub), []);
    // Muted beforehand: it is raised, listed, and told to nobody.
    county.world.run(hub, mute(1));
    says(&mut county, |r| r.skew_ms = Some(600_000));
    assert_eq!(hears(&mut county, hub), []);
    assert_eq!(open(&mut county, hub), ["skew"]);
    assert_eq!(on_the_wall(&mut county), (0.into(), 1.into()));
    // The end comes by itself.
    county.world.pass(HOUR_MS);
    assert_eq!(hears(&mut county, hub), [news("raised", "skew", &code)]);
    assert_eq!(on_the_wall(&mut county), (1.into(), 0.into()));
    // Somebody who was told is told that it is over, muted or not.
    county.world.run(hub, mute(2));
    says(&mut county, |r| r.skew_ms = Some(0));
    assert_eq!(hears(&mut county, hub), [news("cleared", "skew", &code)]);
    // What came and went while it was muted is no news at all.
    says(&mut county, |r| r.skew_ms = Some(600_000));
    assert_eq!(hears(&mut county, hub), []);
    says(&mut county, |r| r.skew_ms = Some(0));
    assert_eq!(hears(&mut county, hub), []);
    // Taken back by hand: from now on it is told again.
    says(&mut county, |r| r.skew_ms = Some(600_000));
    assert_eq!(hears(&mut county, hub), []);
    county.world.run(hub, unmute.clone());
    assert_eq!(hears(&mut county, hub), [news("raised", "skew", &code)]);
    assert_eq!(hears(&mut county, hub), []);
    assert_eq!(county.world.command(hub, unmute).unwrap_err().code, "not_muted");
}

#[test]
fn a_conflict_that_waits_for_more_than_three_workdays_is_told_until_it_is_decided() {
    let mut county = County::new(352, 2, 1);
    let (hub, town) = (county.hub, county.townships[0]);
    let day = county.world.run(town, Command::Today)["today"]
        .as_str()
        .and_then(ledger::day::Day::parse);
    for room in county.rooms.clone() {
        receive(&mut county, room, LAND, 7, day);
    }
    county.world.pass(10_000);
    assert!(!open(&mut county, hub).contains(&"conflict".to_owned()));
    // Three workdays are not too many; a weekend may lie between.
    let mut days = 0;
    while !open(&mut county, hub).contains(&"conflict".to_owned()) {
        county.world.pass(DAY_MS);
        days += 1;
        assert!(days < 14, "nobody was told");
    }
    assert!(days >= 4, "told after {days} days");
    let queue = county
        .world
        .run(hub, Command::Work(Work::Conflicts(ConflictQueue::default())));
    let item = &queue["items"][0];
    let resolve = ConflictResolve {
        id: item["id"].as_str().unwrap().to_owned(),
        choose: item["choices"][0]["choice"].as_str().unwrap().to_owned(),
        note: None,
        user: None,
        cover: None,
    };
    let told = alerts(&mut county, hub);
    let words = told.iter().find(|(rule, ..)| rule == "conflict").unwrap();
    assert_eq!(words.2, "有 1 项冲突超过期限还没有人处理。");
    while !hears(&mut county, hub).is_empty() {}
    county.world.run(hub, Command::ConflictResolve(resolve));
    let over = hears(&mut county, hub);
    assert!(over.contains(&news("cleared", "conflict", &words.1)), "{over:?}");
    assert!(!listed(&mut county, hub).iter().any(|(rule, ..)| rule == "conflict"));
}
