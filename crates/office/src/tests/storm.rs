//! Many things at once, by seed.

use std::collections::BTreeMap;

use ledger::seed::Seeds;
use store::Fault;

use super::county::{County, case};
use crate::command::Command;

/// What may happen to a county in one second, drawn from a seed.
fn storm(seed: u64, rounds: usize) {
    let mut county = County::new(seed, 2, 3);
    let mut seeds = Seeds::new([seed as u8; 32]);
    let mut saved = Vec::new();
    let rooms = county.rooms.clone();
    let everyone: Vec<_> = [county.hub]
        .into_iter()
        .chain(county.townships.clone())
        .chain(rooms.clone())
        .collect();
    let hubs: Vec<_> = [county.hub].into_iter().chain(county.townships.clone()).collect();
    let mut backups = BTreeMap::new();
    let lines: Vec<_> = county
        .township_lines
        .iter()
        .chain(&county.room_lines)
        .copied()
        .collect();
    for _ in 0..rounds {
        let pick = |seeds: &mut Seeds, len: usize| seeds.below(len as u64) as usize;
        match seeds.below(12) {
            0..=4 => {
                let room = rooms[pick(&mut seeds, rooms.len())];
                let person = pick(&mut seeds, 900);
                // A failed sync is said to the clerk; whether that case is on the disk nobody knows.
                if let Ok(made) = county.world.command(room, Command::CaseNew(case(person))) {
                    saved.push(made["project_no"].as_str().unwrap().to_owned());
                }
            }
            5 => county.world.cut(lines[pick(&mut seeds, lines.len())]),
            6 => county.world.heal(lines[pick(&mut seeds, lines.len())]),
            7 => {
                let victim = everyone[pick(&mut seeds, everyone.len())];
                county.world.kill(victim);
                county.world.start(victim);
            }
            8 => {
                let victim = everyone[pick(&mut seeds, everyone.len())];
                county.world.disk(victim).fault(Fault::SyncFails);
            }
            9 => {
                let hub = hubs[pick(&mut seeds, hubs.len())];
                backups.insert(hub, county.world.backup(hub));
            }
            10 => {
                // Hubs only: what a room forgets before anybody else had it is gone.
                let hub = hubs[pick(&mut seeds, hubs.len())];
                if let Some(backup) = backups.remove(&hub) {
                    county.world.restore(hub, backup);
                }
            }
            _ => county.world.pass(seeds.below(3_000)),
        }
    }
    for line in lines {
        county.world.heal(line);
    }
    county.world.pass(60_000);
    county.assert_in_step();
    let arrived = county.numbers(county.hub);
    let lost: Vec<&String> = saved.iter().filter(|no| !arrived.contains(no)).collect();
    assert!(lost.is_empty(), "seed {seed}: {lost:?} are lost");
    for room in rooms {
        let cases = county.cases(room);
        assert!(cases.iter().all(|c| c["receipt"] == "county"), "seed {seed}: {cases:?}");
    }
}

#[test]
fn whatever_happens_everything_saved_arrives_and_all_tiers_end_equal() {
    // 119: a hub restored twice went on under a store that it had withdrawn.
    for seed in [100, 101, 102, 103, 104, 119] {
        storm(seed, 120);
    }
}

#[test]
fn a_hub_whose_disk_is_full_acknowledges_nothing_and_catches_up_once_there_is_room() {
    let mut county = County::new(41, 1, 1);
    let (hub, township, room) = (county.hub, county.townships[0], county.rooms[0]);
    county.new_case(room, 1);
    county.world.pass(5_000);
    county.world.disk(township).fault(Fault::Capacity(0));
    let late = county.new_case(room, 2);
    county.world.pass(20_000);
    let shown = county.cases(room);
    let of_late = shown.iter().find(|c| c["project_no"] == late.as_str()).unwrap();
    assert_eq!(of_late["receipt"], "room", "{of_late}");
    county.world.disk(township).fault(Fault::Roomy);
    county.world.pass(60_000);
    county.assert_in_step();
    assert_eq!(county.numbers(hub).len(), 2);
}

#[test]
fn a_full_disk_is_told_in_words_that_name_it_and_ask_for_no_restart() {
    let mut county = County::new(43, 1, 1);
    let room = county.rooms[0];
    county.new_case(room, 1);
    county.world.disk(room).fault(Fault::Capacity(0));
    let new = Command::CaseNew(case(2));
    let error = county.world.command(room, new).unwrap_err();
    assert_eq!(error.code, "disk_full", "{error}");
    assert!(error.message.contains("磁盘已满"), "{error}");
    county.world.disk(room).fault(Fault::Roomy);
    county.world.pass(60_000);
    county.new_case(room, 2);
}
