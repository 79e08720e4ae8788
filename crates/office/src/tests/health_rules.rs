//! Each of the default rules raises its alert and clears it.

use replica::frame::RoomHealth;
use serde_json::Value;

use super::county::County;
use super::work::{LAND, receive};
use crate::command::{AlertList, Command, ConflictQueue, ConflictResolve, Work};
use crate::rig::Seat;

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// Rules with an open alert, after the daemon's timer has looked.
fn open(county: &mut County, seat: Seat) -> Vec<String> {
    county.world.pass(MINUTE_MS);
    county.world.run(seat, Command::HealthWatch);
    let list = county.world.run(seat, Command::AlertList(AlertList::default()));
    let rule = |alert: &Value| alert["rule"].as_str().unwrap().to_owned();
    list["open"].as_array().unwrap().iter().map(rule).collect()
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

#[test]
fn what_a_room_says_of_itself_raises_each_rule_and_clears_it_when_it_is_well_again() {
    let mut county = County::new(351, 1, 1);
    let hub = county.hub;
    county.new_case(county.rooms[0], 1);
    county.world.pass(20_000);
    county.world.office(hub).software = "cunlian-hub/1.5.0".to_owned();
    says(&mut county, |r| r.version = "cunlian-node/1.5.0".to_owned());
    assert_eq!(open(&mut county, hub), Vec::<String>::new());
    let now_ms = county.world.now(hub).wall_ms;
    let held = county
        .world
        .office(hub)
        .reports
        .heard
        .values()
        .next()
        .unwrap()
        .report
        .recorded;
    type Change = Box<dyn Fn(&mut RoomHealth)>;
    let more = |r: &mut RoomHealth| r.more.clone().unwrap();
    let stories: [(&str, Change, Change); 5] = [
        (
            "pending",
            Box::new(move |r| (r.recorded, r.oldest_pending_ms) = (held + 2, Some(now_ms - 25 * 3_600_000))),
            Box::new(move |r| (r.recorded, r.oldest_pending_ms) = (held + 2, Some(now_ms - 23 * 3_600_000))),
        ),
        (
            "skew",
            Box::new(|r| r.skew_ms = Some(-301_000)),
            Box::new(|r| r.skew_ms = Some(299_000)),
        ),
        (
            "disk",
            Box::new(move |r| {
                r.disk_free_bytes = 9 << 30;
                r.more = Some(replica::frame::RoomMore {
                    disk_total_bytes: Some(100 << 30),
                    ..more(r)
                });
            }),
            Box::new(|r| r.disk_free_bytes = 11 << 30),
        ),
        (
            "quarantine",
            Box::new(move |r| {
                r.more = Some(replica::frame::RoomMore {
                    quarantined: Some(2),
                    ..more(r)
                });
            }),
            Box::new(move |r| {
                r.more = Some(replica::frame::RoomMore {
                    quarantined: Some(0),
                    ..more(r)
                });
            }),
        ),
        (
            "version",
            Box::new(|r| r.version = "cunlian-node/1.2.9".to_owned()),
            Box::new(|r| r.version = "cunlian-node/1.3.0".to_owned()),
        ),
    ];
    for (rule, ill, well) in stories {
        says(&mut county, &ill);
        assert_eq!(open(&mut county, hub), [rule]);
        says(&mut county, &well);
        assert_eq!(open(&mut county, hub), Vec::<String>::new(), "{rule} is over");
    }
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
    county.world.run(hub, Command::ConflictResolve(resolve));
    assert!(!open(&mut county, hub).contains(&"conflict".to_owned()));
}
