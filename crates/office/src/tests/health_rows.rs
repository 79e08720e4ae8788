//! What the index keeps beside the views: each kind of row under a prefix of its own, and history of no unit for longer than a month.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ledger::day::Day;
use ledger::id::UnitId;

use super::county::{County, DIVISIONS, case};
use crate::command::{Command, MemberRevoke, Table, TableText, Tables};
use crate::rig::Seat;

const DAY_MS: u64 = 24 * 60 * 60_000;

fn rows(county: &mut County, seat: Seat, prefix: &[u8]) -> usize {
    county.world.office(seat).store.kv().prefix(prefix).unwrap().len()
}

#[test]
fn the_days_of_a_village_that_ended_go_after_a_month_like_all_others() {
    let mut county = County::new(400, 1, 2);
    let hub = county.hub;
    let device = county.world_device(county.rooms[0]);
    let unit: UnitId = county.world.office(hub).authority.member(&device).unwrap().unit;
    // Where no line is up forty days are soon over.
    let watch = |county: &mut County, days: usize| {
        for _ in 0..days {
            county.world.pass(DAY_MS);
            county.world.run(hub, Command::HealthWatch);
        }
    };
    let lines: Vec<_> = [&county.township_lines[..], &county.room_lines].concat();
    lines.into_iter().for_each(|line| county.world.cut(line));
    watch(&mut county, 3);
    let of_it = [b"pT".as_slice(), &unit.0].concat();
    assert_eq!(rows(&mut county, hub, &of_it), 3);
    let statements = rows(&mut county, hub, b"pK");
    let revoke = MemberRevoke {
        device: device.to_string(),
        reason: "撤村".to_owned(),
        root_key: None,
    };
    county.world.run(hub, Command::MemberRevoke(revoke));
    let code = county.room_codes[0].clone();
    let kept: Vec<&str> = DIVISIONS.lines().filter(|line| !line.starts_with(&code)).collect();
    let table = TableText {
        table: Table::Organisation,
        text: kept.join("\n"),
        on: Some(Day::of_wall_ms(county.world.now(hub).wall_ms).plus(1)),
        over: None,
    };
    county.world.run(hub, Command::Tables(Tables::Publish(table)));
    watch(&mut county, 40);
    assert_eq!(rows(&mut county, hub, &of_it), 0, "it is on no list, and keeps no rows");
    let other = county.world_device(county.rooms[1]);
    let other = county.world.office(hub).authority.member(&other).unwrap().unit;
    let of_other = [b"pT".as_slice(), &other.0].concat();
    assert!((31..=32).contains(&rows(&mut county, hub, &of_other)));
    assert!(
        rows(&mut county, hub, b"pK") > statements,
        "of what was stated all is kept"
    );
}

#[test]
fn copies_of_statements_that_a_version_before_made_are_moved_and_serve_as_they_did() {
    let mut county = County::new(401, 1, 1);
    let room = county.rooms[0];
    county.world.stop(room);
    county.world.start(room);
    // As a version before left it: copies among the history of rooms.
    let kv = county.world.office(room).store.kv();
    let copies = kv.prefix(b"pK").unwrap();
    assert!(copies.len() > 3);
    let mut batch = store::Batch::default();
    for (key, body) in &copies {
        batch.put([b"pT", &key[2..]].concat(), body.clone());
        batch.delete(key.clone());
    }
    batch.put([b"pT".as_slice(), &[1; 20]].concat(), vec![0xa0]);
    kv.write(batch).unwrap();
    kv.sync().unwrap();
    county.world.stop(room);
    county.world.start(room);
    let kv = county.world.office(room).store.kv();
    assert_eq!(kv.prefix(b"pK").unwrap(), copies);
    assert_eq!(kv.prefix(b"pT").unwrap().len(), 1, "what is none of them stays");
    county.world.run(room, Command::CaseNew(case(1)));
}

/// Sources of this crate, without its tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "tests") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_two_kinds_of_rows_share_a_prefix() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut bearers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let consts = text.lines().filter_map(|line| line.trim().split_once(": &[u8] = b\"p"));
        for (name, value) in consts {
            // Where a version before kept its rows is read and written by none.
            if !name.ends_with("_BEFORE") {
                let prefix = value.trim_end_matches("\";").to_owned();
                bearers
                    .entry(prefix)
                    .or_default()
                    .push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert!(bearers.len() >= 9, "{bearers:?}");
    assert!(bearers.values().all(|of| of.len() == 1), "{bearers:#?}");
    let all: Vec<&String> = bearers.keys().collect();
    let nested = all.windows(2).find(|two| two[1].starts_with(two[0].as_str()));
    assert_eq!(nested, None);
}
