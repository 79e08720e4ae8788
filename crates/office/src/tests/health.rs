//! What an operator is shown of the rooms: who is in step, who is not and since when, what was so for a month, and when to be alarmed.

use serde_json::{Value, json};
use store::disk::Fault;

use super::county::{County, TOWNSHIPS, rooms_of};
use crate::command::{
    AlertList, AlertMute, AlertRulesSet, AlertTold, AlertUnmute, AuditList, Command, MemberRevoke, RoomShow, Wall,
    WallSort,
};
use crate::health::Rules;
use crate::rig::Seat;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

impl County {
    fn wall(&mut self, seat: Seat, wall: Wall) -> Value {
        self.world.run(seat, Command::Wall(wall))
    }

    fn tile(&mut self, seat: Seat, code: &str) -> Value {
        let wall = self.wall(
            seat,
            Wall {
                search: Some(code.to_owned()),
                ..Wall::default()
            },
        );
        wall["towns"][0]["tiles"][0].clone()
    }

    fn page(&mut self, seat: Seat, code: &str) -> Value {
        self.world
            .run(seat, Command::RoomShow(RoomShow { unit: code.to_owned() }))
    }

    /// A day's minutes, each looked at as the daemon's timer does.
    fn watch(&mut self, seat: Seat, minutes: u64) -> Value {
        let mut last = Value::Null;
        for _ in 0..minutes {
            self.world.pass(MINUTE_MS);
            last = self.world.run(seat, Command::HealthWatch);
        }
        last
    }

    fn open_alerts(&mut self, seat: Seat) -> Vec<(String, String)> {
        let list = self.world.run(seat, Command::AlertList(AlertList::default()));
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let open = list["open"].as_array().unwrap().iter();
        open.map(|a| (text(&a["rule"]), text(&a["unit"]))).collect()
    }
}

fn said(rule: &str, unit: &str) -> (String, String) {
    (rule.to_owned(), unit.to_owned())
}

#[test]
fn the_county_sees_a_rooms_last_session_pending_disk_and_starts_through_the_township() {
    let mut county = County::new(301, 1, 1);
    let (room, code) = (county.rooms[0], county.room_codes[0].clone());
    county.new_case(room, 1);
    county.world.pass(10_000);
    county.world.cut(county.room_lines[0]);
    county.world.pass(30_000);
    county.new_case(room, 2);
    county.world.pass(2_000);
    county.world.heal(county.room_lines[0]);
    county.world.pass(10_000);
    let page = county.page(county.hub, &code);
    let device = &page["devices"][0];
    assert_eq!(device["state"], "in_step", "{page:#}");
    let session = &device["session"];
    assert_eq!(session["ended"], "lost", "{page:#}");
    assert!(
        session["bytes_in"].as_u64().unwrap() > 500 && session["bytes_out"].as_u64().unwrap() > 200,
        "{page:#}"
    );
    assert!(session["entries"].as_u64().unwrap() >= 1, "the first case: {page:#}");
    assert_eq!(
        (&device["power_ups"], &device["epochs"]),
        (&json!(1), &json!(1)),
        "{page:#}"
    );
    assert_eq!(device["quarantined"], 0, "{page:#}");
    assert_eq!(page["next"], "一切正常，不用处理。");
    // What the room counts itself, and what is counted from its book here.
    assert_eq!(page["days"][0]["here"], 2, "{page:#}");
    assert_eq!(page["days"][0]["room"], 2, "{page:#}");
}

#[test]
fn tiles_say_in_step_behind_silent_never_seen_revoked_and_unknown_since_when() {
    let mut county = County::new(302, 2, 2);
    let hub = county.hub;
    let codes = county.room_codes.clone();
    county.world.pass(60_000);
    assert_eq!(county.tile(hub, &codes[0])["state"], "in_step");
    // A room whose line goes is silent since then.
    county.world.cut(county.room_lines[0]);
    county.world.pass(2 * HOUR_MS);
    let tile = county.tile(hub, &codes[0]);
    assert_eq!(tile["state"], "silent", "{tile:#}");
    let since = tile["since_s"].as_i64().unwrap();
    assert!((7_100..7_300).contains(&since), "{tile:#}");
    assert!(
        (7_100..7_300).contains(&tile["open_silent_s"].as_i64().unwrap()),
        "{tile:#}"
    );
    // The township itself goes: what lies below it is not known, since then; the other township's rooms are.
    county.world.cut(county.township_lines[0]);
    county.world.pass(120_000);
    let tile = county.tile(hub, &codes[1]);
    assert_eq!(tile["state"], "unknown", "{tile:#}");
    assert!((100..200).contains(&tile["since_s"].as_i64().unwrap()), "{tile:#}");
    assert_eq!(county.tile(hub, &codes[2])["state"], "in_step");
    let wall = county.wall(hub, Wall::default());
    assert_eq!(
        wall["counts"]["unknown"].as_u64().unwrap(),
        rooms_of(TOWNSHIPS[0], 1_000).len() as u64,
        "{:#}",
        wall["counts"]
    );
    let down = wall["towns"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["unit"] == TOWNSHIPS[0])
        .unwrap();
    assert_eq!(down["hub"]["up"], false);
    // A township sees its own subtree and nothing else.
    let own = county.wall(county.townships[1], Wall::default());
    assert_eq!(
        own["rooms"].as_u64().unwrap(),
        rooms_of(TOWNSHIPS[1], 1_000).len() as u64
    );
    assert_eq!(
        county
            .world
            .command(
                county.townships[1],
                Command::RoomShow(RoomShow { unit: codes[0].clone() })
            )
            .unwrap_err()
            .code,
        "not_below"
    );
    let device = county.world_device(county.rooms[3]).to_string();
    let revoke = MemberRevoke {
        device,
        reason: "丢失".to_owned(),
        root_key: None,
    };
    county.world.run(county.townships[1], Command::MemberRevoke(revoke));
    county.world.pass(5_000);
    assert_eq!(county.tile(hub, &codes[3])["state"], "revoked");
    let never = rooms_of(TOWNSHIPS[1], 3)[2].clone();
    assert_eq!(county.tile(hub, &never)["state"], "never_seen");
}

#[test]
fn the_wall_is_searched_filtered_and_sorted_with_the_worst_first() {
    let mut county = County::new(303, 2, 2);
    let hub = county.hub;
    county.world.cut(county.room_lines[3]);
    county.world.pass(HOUR_MS);
    let wall = county.wall(
        hub,
        Wall {
            state: Some("silent".to_owned()),
            ..Wall::default()
        },
    );
    assert_eq!(
        (&wall["matching"], &wall["towns"][0]["tiles"][0]["unit"]),
        (&json!(1), &json!(county.room_codes[3]))
    );
    let all = county.wall(hub, Wall::default());
    assert_eq!(
        all["towns"][0]["unit"], TOWNSHIPS[1],
        "the township with the silent room comes first"
    );
    assert_eq!(all["towns"][0]["tiles"][0]["unit"], county.room_codes[3].as_str());
    let name = all["towns"][0]["tiles"][0]["name"].as_str().unwrap().to_owned();
    let found = county.wall(
        hub,
        Wall {
            search: Some(name.chars().take(2).collect()),
            ..Wall::default()
        },
    );
    assert!(found["matching"].as_u64().unwrap() >= 1);
    let by_code = county.wall(
        hub,
        Wall {
            sort: WallSort::Code,
            town: Some(TOWNSHIPS[1].to_owned()),
            ..Wall::default()
        },
    );
    let units: Vec<&str> = by_code["towns"][0]["tiles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["unit"].as_str().unwrap())
        .collect();
    assert!(units.is_sorted() && units.len() > 2, "{units:?}");
    let wrong = county.world.command(
        hub,
        Command::Wall(Wall {
            state: Some("asleep".to_owned()),
            ..Wall::default()
        }),
    );
    assert_eq!(wrong.unwrap_err().code, "unknown_state");
}

#[test]
fn the_county_is_the_sum_of_its_rooms_or_says_where_it_is_not() {
    let mut county = County::new(304, 1, 2);
    county.new_case(county.rooms[0], 1);
    county.new_case(county.rooms[1], 2);
    county.world.pass(10_000);
    county.world.run(county.hub, Command::HealthWatch);
    county.world.pass(1_000);
    let check = county.wall(county.hub, Wall::default())["check"].clone();
    assert_eq!(check["days"][0]["here"], 2, "{check:#}");
    assert_eq!(
        (&check["days"][0]["equal"], &check["rooms"]),
        (&json!(true), &json!(2)),
        "{check:#}"
    );
    // The township's own line to the county fails while a room goes on: the township says so at once, and the county once it hears.
    county.world.cut(county.township_lines[0]);
    county.new_case(county.rooms[0], 3);
    county.world.pass(10_000);
    // Whoever looks first finds the books not counted yet.
    county.wall(county.townships[0], Wall::default());
    county.world.pass(1_000);
    let at_township = county.wall(county.townships[0], Wall::default())["check"].clone();
    assert_eq!(at_township["days"][0]["here"], 3, "{at_township:#}");
    assert_eq!(at_township["days"][0]["equal"], true);
    // A room that says more than has come: named.
    county.world.heal(county.township_lines[0]);
    county.world.pass(10_000);
    let check = county.wall(county.hub, Wall::default())["check"].clone();
    assert_eq!(
        (&check["days"][0]["here"], &check["days"][0]["equal"]),
        (&json!(3), &json!(true)),
        "{check:#}"
    );
}

#[test]
fn where_a_room_says_another_number_than_was_counted_here_the_room_the_day_and_both_numbers_are_named() {
    let mut county = County::new(324, 1, 2);
    county.new_case(county.rooms[0], 1);
    county.new_case(county.rooms[1], 2);
    county.world.pass(10_000);
    let (town, room) = (county.townships[0], county.rooms[0]);
    // Whoever looks first finds the books not counted yet.
    county.wall(town, Wall::default());
    county.world.pass(1_000);
    let (now, device) = (county.world.now(town), county.world.device_of(room));
    let check = |county: &mut County| {
        let day = county.wall(town, Wall::default())["check"]["days"][0].clone();
        let named: Vec<Value> = day["named"].as_array().unwrap().clone();
        (day, named)
    };
    assert_eq!(check(&mut county).0["equal"], true);
    // The room says that it has recorded two today; one of them has not come. So does a hub that lost one.
    let office = county.world.office(town);
    let mut report = office
        .report_on(now, device, office.reports.seen[&device].unit)
        .unwrap();
    report.as_of_ms = now.wall_ms;
    let more = report.more.as_mut().unwrap();
    assert_eq!(more.days[0].cases, 1);
    more.days[0].cases = 2;
    office.take_reports(now, device, vec![report]);
    let (day, named) = check(&mut county);
    assert_eq!(
        (&day["equal"], &day["differing"], &day["here"], &day["rooms"]),
        (&json!(false), &json!(1), &json!(2), &json!(3)),
        "{day:#}"
    );
    assert_eq!(
        (&named[0]["unit"], &named[0]["here"], &named[0]["room"]),
        (&json!(county.room_codes[0]), &json!(1), &json!(2)),
        "{day:#}"
    );
    let today = ledger::day::Day::of_wall_ms(now.wall_ms);
    assert_eq!(day["day"], json!(today));
    let page = county.page(town, &county.room_codes[0].clone());
    assert_eq!(
        (&page["days"][0]["here"], &page["days"][0]["room"]),
        (&json!(1), &json!(2)),
        "{page:#}"
    );
    // It comes: both have two, and nothing is named any more.
    county.new_case(room, 3);
    county.world.pass(10_000);
    let (day, named) = check(&mut county);
    assert_eq!(
        (&day["equal"], &day["here"], &day["rooms"], named.len()),
        (&json!(true), &json!(3), &json!(3), 0),
        "{day:#}"
    );
}

#[test]
fn the_wall_waits_for_no_book_to_be_counted_and_says_how_many_are_not() {
    let mut county = County::new(311, 1, 6);
    let rooms = county.rooms.clone();
    for (at, room) in rooms.iter().enumerate() {
        county.new_case(*room, at + 1);
    }
    county.world.pass(10_000);
    let checked = |county: &mut County| {
        let check = county.wall(county.hub, Wall::default())["check"].clone();
        (
            check["rooms"].as_u64(),
            check["waiting"].as_u64(),
            check["days"][0]["equal"].as_bool(),
        )
    };
    assert_eq!(
        checked(&mut county),
        (Some(0), Some(6), Some(true)),
        "none is read for a request"
    );
    county.world.pass(1_000);
    assert_eq!(
        checked(&mut county),
        (Some(6), Some(0), Some(true)),
        "all are read between rounds"
    );
    // A book that has grown a moment ago is no difference and is not missing.
    county.new_case(rooms[2], 9);
    county.world.pass(10_000);
    assert_eq!(checked(&mut county), (Some(6), Some(0), Some(true)));
    // A new day: all begin anew.
    county.world.pass(24 * HOUR_MS);
    assert_eq!(checked(&mut county), (Some(0), Some(6), Some(true)));
    county.world.run(county.hub, Command::HealthWatch);
    county.world.pass(1_000);
    assert_eq!(checked(&mut county), (Some(6), Some(0), Some(true)));
}

#[test]
fn a_room_that_is_silent_in_opening_hours_raises_an_alert_once_and_it_clears_when_the_room_is_back() {
    let mut county = County::new(305, 1, 1);
    let (hub, code) = (county.hub, county.room_codes[0].clone());
    county.watch(hub, 2);
    county.world.cut(county.room_lines[0]);
    county.watch(hub, 28);
    assert_eq!(county.open_alerts(hub), []);
    let watched = county.watch(hub, 5);
    assert_eq!(county.open_alerts(hub), [said("silent", &code)]);
    let untold = watched["untold"].as_array().unwrap();
    assert_eq!(untold.len(), 1, "{watched:#}");
    assert_eq!(
        (&untold[0]["event"], &untold[0]["rule"]),
        (&json!("raised"), &json!("silent"))
    );
    assert!(!watched.to_string().contains("张三"));
    // Until it is taken it is told again, then no more.
    let id = untold[0]["id"].as_str().unwrap().to_owned();
    let again = county.watch(hub, 1);
    assert_eq!(again["untold"][0]["id"], id.as_str());
    county.world.run(hub, Command::AlertTold(AlertTold { ids: vec![id] }));
    assert_eq!(county.watch(hub, 1)["untold"], json!([]));
    county.world.heal(county.room_lines[0]);
    let back = county.watch(hub, 2);
    assert_eq!(county.open_alerts(hub), []);
    assert_eq!(back["untold"][0]["event"], "cleared", "{back:#}");
    let list = county.world.run(hub, Command::AlertList(AlertList::default()));
    let past = &list["past"][0];
    assert!(
        past["cleared_ms"].as_i64().unwrap() > past["raised_ms"].as_i64().unwrap(),
        "{list:#}"
    );
    // Night: nobody is alarmed by a PC that is switched off.
    county.world.pass(10 * HOUR_MS);
    county.world.cut(county.room_lines[0]);
    county.watch(hub, 120);
    assert_eq!(county.open_alerts(hub), []);
}

#[test]
fn alerts_outlive_a_restart_and_a_hub_that_is_gone_is_told_instead_of_its_rooms() {
    let mut county = County::new(306, 1, 1);
    let (hub, code) = (county.hub, county.room_codes[0].clone());
    county.world.cut(county.room_lines[0]);
    county.watch(hub, 32);
    assert_eq!(county.open_alerts(hub), [said("silent", &code)]);
    county.world.stop(hub);
    county.world.start(hub);
    county.world.pass(5_000);
    assert_eq!(county.open_alerts(hub), [said("silent", &code)]);
    county.world.cut(county.township_lines[0]);
    county.watch(hub, 15);
    let mut open = county.open_alerts(hub);
    open.sort();
    assert_eq!(
        open,
        [said("hub", TOWNSHIPS[0]), said("silent", &code)],
        "what is not known stays as it was"
    );
}

#[test]
fn a_mute_has_a_reason_and_an_end_and_stands_in_the_audit_trail() {
    let mut county = County::new(307, 1, 1);
    let (hub, code) = (county.hub, county.room_codes[0].clone());
    county.world.cut(county.room_lines[0]);
    county.watch(hub, 32);
    let mute = |reason: &str, hours: u32| {
        Command::AlertMute(AlertMute {
            rule: Some("silent".to_owned()),
            unit: code.clone(),
            hours,
            reason: reason.to_owned(),
            user: None,
        })
    };
    assert_eq!(county.world.command(hub, mute(" ", 2)).unwrap_err().code, "no_reason");
    let too_long = county.world.command(hub, mute(&"修".repeat(700), 2)).unwrap_err();
    assert!(too_long.message.contains("最多 666 个汉字"), "{}", too_long.message);
    assert_eq!(
        county.world.command(hub, mute("停电检修", 0)).unwrap_err().code,
        "bad_span"
    );
    county.world.run(hub, mute("停电检修", 2));
    let list = county.world.run(hub, Command::AlertList(AlertList::default()));
    assert_eq!(list["open"][0]["muted"]["reason"], "停电检修", "{list:#}");
    assert_eq!(county.watch(hub, 1)["untold"], json!([]));
    let wall = county.wall(hub, Wall::default());
    assert_eq!((&wall["alerts"], &wall["muted"]), (&json!(0), &json!(1)));
    let audit = county.world.run(hub, Command::AuditList(AuditList::default()));
    assert_eq!(
        (&audit[0]["act"], &audit[0]["reason"]),
        (&json!("alert_mute"), &json!("停电检修")),
        "{audit:#}"
    );
    // It outlives a power cut, and ends by itself.
    county.world.kill(hub);
    county.world.start(hub);
    county.world.pass(5_000);
    assert_eq!(county.watch(hub, 1)["untold"], json!([]));
    county.world.pass(2 * HOUR_MS);
    assert_eq!(county.watch(hub, 1)["untold"].as_array().unwrap().len(), 1);
    county.world.run(hub, mute("再停一次", 2));
    county.world.run(
        hub,
        Command::AlertUnmute(AlertUnmute {
            rule: Some("silent".to_owned()),
            unit: code.clone(),
            user: None,
        }),
    );
    assert_eq!(county.watch(hub, 1)["untold"].as_array().unwrap().len(), 1);
}

#[test]
fn a_clock_that_is_off_and_a_disk_that_fills_raise_alerts_by_the_rules_as_they_are_set() {
    let mut county = County::new(308, 1, 1);
    let (hub, code) = (county.hub, county.room_codes[0].clone());
    county.world.cut(county.room_lines[0]);
    county.world.set_skew(county.rooms[0], -10 * 60_000);
    county.world.pass(5_000);
    county.world.heal(county.room_lines[0]);
    county.watch(hub, 2);
    assert_eq!(county.open_alerts(hub), [said("skew", &code)]);
    let tile = county.tile(hub, &code);
    assert_eq!(
        (&tile["state"], &tile["reasons"]),
        (&json!("attention"), &json!(["时钟不准"])),
        "{tile:#}"
    );
    assert!(county.page(hub, &code)["next"].as_str().unwrap().contains("校准"));
    let mut rules = Rules {
        skew_minutes: 15,
        ..Rules::default()
    };
    county.world.run(
        hub,
        Command::AlertRulesSet(AlertRulesSet {
            rules: rules.clone(),
            user: None,
        }),
    );
    county.watch(hub, 1);
    assert_eq!(county.open_alerts(hub), []);
    let nine: Vec<String> = (8..17).map(|h| format!("{h:02}:00-{h:02}:30")).collect();
    for wrong in [vec!["18:00-08:00".to_owned()], vec!["08:30 -  12:00".to_owned()], nine] {
        rules.hours = wrong.clone();
        let set = Command::AlertRulesSet(AlertRulesSet {
            rules: rules.clone(),
            user: None,
        });
        assert_eq!(
            county.world.command(hub, set).unwrap_err().code,
            "bad_hours",
            "{wrong:?}"
        );
    }
    // The room's disk fills: it says so itself.
    let disk = county.world.disk(county.rooms[0]).clone();
    disk.fault(Fault::Capacity(disk.used() + (4 << 20)));
    county.new_case(county.rooms[0], 1);
    county.watch(hub, 1);
    assert_eq!(county.open_alerts(hub), [said("disk", &code)]);
}

#[test]
fn thirty_days_of_every_room_outlive_a_restart_and_say_where_they_begin() {
    let mut county = County::new(309, 1, 1);
    let (hub, code) = (county.hub, county.room_codes[0].clone());
    assert_eq!(county.page(hub, &code)["history"], json!([]));
    county.watch(hub, 30);
    county.world.cut(county.room_lines[0]);
    county.watch(hub, 30);
    let before = county.page(hub, &code);
    let hours = before["history"][0]["hours"].as_array().unwrap();
    let sum = |key: &str| hours.iter().map(|h| h[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum("looks"), 60, "{:#}", before["history"]);
    assert!((29..=31).contains(&sum("up")), "{:#}", before["history"]);
    let began = before["history_began_ms"].as_i64().unwrap();
    county.world.stop(hub);
    county.world.start(hub);
    county.watch(hub, 1);
    let after = county.page(hub, &code);
    assert_eq!(after["history_began_ms"], began);
    let looks: u64 = after["history"][0]["hours"]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| h["looks"].as_u64().unwrap())
        .sum();
    assert_eq!(looks, 61);
    // It is bounded: after forty days the first ones are gone.
    for _ in 0..40 {
        county.world.pass(24 * HOUR_MS);
        county.world.run(hub, Command::HealthWatch);
    }
    assert_eq!(county.page(hub, &code)["history"].as_array().unwrap().len(), 31);
}

#[test]
fn metrics_name_no_person_and_no_record() {
    let mut county = County::new(310, 1, 2);
    let number = county.new_case(county.rooms[0], 1);
    county.world.pass(10_000);
    county.world.cut(county.room_lines[1]);
    county.world.pass(60_000);
    let metrics = county.world.run(county.hub, Command::Metrics);
    assert_eq!(
        (&metrics["states"]["in_step"], &metrics["states"]["silent"]),
        (&json!(1), &json!(1)),
        "{:#}",
        metrics["states"]
    );
    assert!(metrics["ingested"].as_u64().unwrap() > 0);
    assert!(
        metrics["sync"]["within"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .as_u64()
            .unwrap()
            > 0
    );
    let text = metrics.to_string();
    assert!(
        !text.contains(&number) && !text.contains("张") && !text.contains("5116031980"),
        "{text}"
    );
    let township = county.world.run(county.townships[0], Command::Metrics);
    assert_eq!(
        township["failures"]
            .as_array()
            .unwrap()
            .iter()
            .find(|f| f["reason"] == "lost")
            .unwrap()["count"],
        1
    );
    assert_eq!(township["parent_up"], true);
    let room = county.world.run(county.rooms[0], Command::Metrics);
    assert_eq!((&room["rooms"], &room["pending"]), (&json!([]), &json!(0)));
}
