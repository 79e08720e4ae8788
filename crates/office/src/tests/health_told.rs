//! Who is told of and who is not: units that are to come, PCs taken out, rooms that are sought by the name of their township.

use ledger::day::Day;
use replica::statement::Role;
use serde_json::Value;

use super::county::{County, DIVISIONS, TOWNSHIPS, rooms_of};
use crate::command::{
    AlertList, Command, Hold, MemberRevoke, Members, Report, ReportOf, Table, TableText, Tables, Wall,
};
use crate::rig::Seat;

const DAY_MS: u64 = 24 * 60 * 60_000;

fn today(county: &mut County) -> Day {
    let at = county.hub;
    Day::of_wall_ms(county.world.now(at).wall_ms)
}

/// Publishes another table of divisions, for a day.
fn reform(county: &mut County, divisions: String, on: Day) {
    let table = TableText {
        table: Table::Organisation,
        text: divisions,
        on: Some(on),
        over: None,
    };
    let hub = county.hub;
    county.world.run(hub, Command::Tables(Tables::Publish(table)));
    county.world.pass(10_000);
}

/// The wall's tiles whose name or code, or that of their township, has this text: code and state.
fn found(county: &mut County, seat: Seat, search: &str) -> Vec<(String, String)> {
    let asked = Wall {
        search: Some(search.to_owned()),
        ..Wall::default()
    };
    let wall = county.world.run(seat, Command::Wall(asked));
    let towns = wall["towns"].as_array().unwrap().iter();
    let tiles = towns.flat_map(|town| town["tiles"].as_array().unwrap());
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    tiles.map(|tile| (text(&tile["unit"]), text(&tile["state"]))).collect()
}

/// How many rooms the wall has, and how many a report says that there are.
fn rooms(county: &mut County, seat: Seat) -> (u64, u64) {
    let wall = county.world.run(seat, Command::Wall(Wall::default()));
    let report = county
        .world
        .run(seat, Command::Report(Report::Show(ReportOf::default())));
    (
        wall["rooms"].as_u64().unwrap(),
        report["watermark"]["rooms"].as_u64().unwrap(),
    )
}

#[test]
fn a_village_that_begins_tomorrow_is_no_room_today_unless_it_has_a_pc_already() {
    let mut county = County::new(395, 2, 1);
    let (hub, town) = (county.hub, county.townships[0]);
    let before = rooms(&mut county, hub);
    assert_eq!(before, (148, 148));
    let tomorrow = today(&mut county).plus(1);
    let born = |nth: u32| format!("{}29{nth}", &TOWNSHIPS[0][..9]);
    let rows =
        [(1, "新合村"), (2, "新桥村")].map(|(nth, name)| format!("{}\t{name}\tvillage\t{}\n", born(nth), TOWNSHIPS[0]));
    // Another one goes to the other township on the same day: it is a room today and tomorrow.
    let moves = rooms_of(TOWNSHIPS[1], 2)[1].clone();
    let lines = DIVISIONS.lines().map(|line| match line.starts_with(&moves) {
        true => line.replace(TOWNSHIPS[1], TOWNSHIPS[0]),
        false => line.to_owned(),
    });
    let divisions = format!("{}\n{}", lines.collect::<Vec<_>>().join("\n"), rows.concat());
    reform(&mut county, divisions, tomorrow);
    for seat in [hub, town] {
        assert_eq!(found(&mut county, seat, "新合村"), [], "it does not exist yet");
    }
    assert_eq!(rooms(&mut county, hub), before, "nor does any report wait for it");
    assert_eq!(
        found(&mut county, hub, &moves).len(),
        1,
        "whoever moves is there all the time"
    );
    // One has its PC before the day: it is seen from then on.
    county.admit(town, &born(2), Role::Node);
    let ready = [(born(2), "in_step".to_owned())];
    for seat in [hub, town] {
        assert_eq!(found(&mut county, seat, "新桥村"), ready);
    }
    assert_eq!(rooms(&mut county, hub), (149, 149));
    county.world.pass(DAY_MS);
    let empty = [(born(1), "never_seen".to_owned())];
    for seat in [hub, town] {
        assert_eq!(found(&mut county, seat, "新合村"), empty);
    }
    assert_eq!(rooms(&mut county, hub), (150, 150));
    assert_eq!(found(&mut county, hub, &moves).len(), 1);
}

#[test]
fn metrics_tell_no_longer_of_a_pc_that_was_taken_out_or_is_held_nor_of_one_behind_a_dead_hub() {
    let mut county = County::new(396, 1, 3);
    let (hub, town) = (county.hub, county.townships[0]);
    let code = county.room_codes[0].clone();
    let devices: Vec<String> = (0..3)
        .map(|room| {
            let seat = county.rooms[room];
            county.world_device(seat).to_string()
        })
        .collect();
    let told = |county: &mut County, seat: Seat| -> Vec<String> {
        let metrics = county.world.run(seat, Command::Metrics);
        let rooms = metrics["rooms"].as_array().unwrap().iter();
        rooms
            .filter_map(|room| room["device"].as_str().map(str::to_owned))
            .collect()
    };
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(sorted(told(&mut county, hub)), sorted(devices.clone()));
    // 换电脑: the old one is silent for ever, and Prometheus would tell of it for ever.
    let revoke = MemberRevoke {
        device: devices[0].clone(),
        reason: "丢失".to_owned(),
        root_key: None,
    };
    county.world.run(town, Command::MemberRevoke(revoke));
    let hold = Hold {
        device: devices[1].clone(),
        reason: "电脑送修".to_owned(),
        root_key: None,
    };
    county.world.run(town, Command::Members(Members::Hold(hold)));
    let (new, _) = county.admit(town, &code, Role::Node);
    county.world.pass(10_000);
    let new = county.world_device(new).to_string();
    for seat in [town, hub] {
        assert_eq!(
            sorted(told(&mut county, seat)),
            sorted(vec![devices[2].clone(), new.clone()])
        );
        let states = county.world.run(seat, Command::Metrics)["states"].clone();
        assert_eq!(
            (&states["held"], &states["in_step"]),
            (&1.into(), &2.into()),
            "{states:#}"
        );
    }
    // The township's hub dies: what the county hears no more is that hub, and nobody is to phone its rooms.
    county.world.cut(county.township_lines[0]);
    county.world.pass(5_000);
    assert_eq!(told(&mut county, hub), Vec::<String>::new());
    let states = county.world.run(hub, Command::Metrics)["states"].clone();
    // Rooms of it that have no PC yet are not known either: it may have let one in.
    assert!(states["unknown"].as_u64() > Some(2), "{states:#}");
    assert_eq!(
        (&states["silent"], &states["in_step"]),
        (&0.into(), &0.into()),
        "{states:#}"
    );
    assert_eq!(told(&mut county, town).len(), 2, "at the township they are known");
    county.world.heal(county.township_lines[0]);
    county.world.pass(10_000);
    assert_eq!(sorted(told(&mut county, hub)), sorted(vec![devices[2].clone(), new]));
}

#[test]
fn of_many_alerts_the_newest_are_listed_and_how_many_more_hold_is_said() {
    let mut county = County::new(411, 1, 3);
    let hub = county.hub;
    for room in [2, 0, 1] {
        county.world.cut(county.room_lines[room]);
        county.world.pass(35 * 60_000);
        county.world.run(hub, Command::HealthWatch);
    }
    let list = |county: &mut County, open: Option<usize>| {
        let list = county
            .world
            .run(hub, Command::AlertList(AlertList { open, past: None }));
        let units = list["open"]
            .as_array()
            .unwrap()
            .iter()
            .map(|alert| alert["unit"].clone());
        (units.collect::<Vec<_>>(), list["more"].as_u64().unwrap())
    };
    let newest = [1, 0, 2].map(|room: usize| Value::from(county.room_codes[room].clone()));
    assert_eq!(list(&mut county, None), (newest.to_vec(), 0));
    assert_eq!(list(&mut county, Some(2)), (newest[..2].to_vec(), 1));
    assert_eq!(list(&mut county, Some(600)).1, 0);
}

#[test]
fn the_name_of_a_township_finds_all_its_rooms() {
    let mut county = County::new(402, 2, 1);
    let hub = county.hub;
    let all = county.world.run(hub, Command::Wall(Wall::default()));
    let towns = all["towns"].as_array().unwrap().iter();
    let town = towns.clone().find(|town| town["unit"] == TOWNSHIPS[0]).unwrap();
    let name = town["name"].as_str().unwrap();
    let seen: Vec<String> = found(&mut county, hub, name)
        .into_iter()
        .map(|(unit, _)| unit)
        .collect();
    let below = rooms_of(TOWNSHIPS[0], 1_000);
    assert!(
        below.len() > 2 && below.iter().all(|code| seen.contains(code)),
        "{name}: {seen:?}"
    );
    assert!(seen.len() < towns.map(|town| town["tiles"].as_array().unwrap().len()).sum());
}
