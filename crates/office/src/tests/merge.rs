//! Work that meets: the same person twice, keys that must go, pieces of a disk that rot.

use ledger::id::{RecordId, Scope, UnitId};
use serde_json::Value;
use store::{Batch, Disk, Fault};

use super::county::{County, case};
use crate::command::{CaseEdit, CaseErase, CaseShow, Command, ConflictResolve};
use crate::rig::Seat;
use crate::texts;
use crate::verify::DERIVED;
use crate::views::name;

fn conflicts(county: &mut County, seat: Seat) -> Vec<Value> {
    let list = county.world.run(seat, Command::ConflictList);
    list.as_array().unwrap().clone()
}

#[test]
fn the_same_person_and_matter_in_two_rooms_is_one_item_at_both_tiers() {
    let mut county = County::new(51, 1, 2);
    let (hub, township) = (county.hub, county.townships[0]);
    for room in county.rooms.clone() {
        county.new_case(room, 7);
    }
    county.world.pass(5_000);
    let (above, below) = (conflicts(&mut county, hub), conflicts(&mut county, township));
    assert_eq!((above.len(), below.len()), (1, 1), "{above:?} {below:?}");
    assert_eq!(above[0]["id"], below[0]["id"]);
    assert_eq!(above[0]["kind"], "duplicate");
    assert_eq!(county.status(hub)["conflicts"], 1);
}

#[test]
fn verify_tells_a_row_too_many_of_every_family() {
    let mut county = County::new(55, 1, 1);
    let room = county.rooms[0];
    // The same person and matter twice: rows of most families, and an item between the two.
    county.new_case(room, 7);
    county.new_case(room, 7);
    let clean = |county: &mut County| {
        let told = county.world.run(room, Command::Verify);
        (told["clean"] == true, told.to_string())
    };
    let (is_clean, told) = clean(&mut county);
    assert!(is_clean && told.contains("\"rows\""), "{told}");
    for family in DERIVED.into_iter().chain([name::CONFLICT]) {
        let stray = [family, &[0xff; 80]].concat();
        let mut batch = Batch::default();
        batch.put(stray.clone(), Vec::new());
        county.world.office(room).store.kv().write(batch).unwrap();
        let (is_clean, told) = clean(&mut county);
        assert!(!is_clean && told.contains(&texts::row_extra(1)), "{family:?}: {told}");
        let mut batch = Batch::default();
        batch.delete(stray);
        county.world.office(room).store.kv().write(batch).unwrap();
    }
    let (is_clean, told) = clean(&mut county);
    assert!(is_clean, "{told}");
}

#[test]
fn an_erased_person_is_forgotten_at_every_tier_and_by_backups_too() {
    let mut county = County::new(52, 1, 1);
    let (hub, township, room) = (county.hub, county.townships[0], county.rooms[0]);
    let made = county.world.run(room, Command::CaseNew(case(9)));
    let (number, record) = (made["project_no"].clone(), made["record_id"].clone());
    let record = RecordId::parse(record.as_str().unwrap()).unwrap();
    county.world.pass(5_000);
    let unit: UnitId = county.world.office(room).unit().unwrap();
    let book = Scope::book(unit);
    for seat in [hub, township, room] {
        assert!(county.world.office(seat).store.key(book, &record).is_some());
    }
    let backup = county.world.backup(township);
    let erase = CaseErase {
        number: number.as_str().unwrap().to_owned(),
        reason: "本人要求".to_owned(),
    };
    county.world.run(room, Command::CaseErase(erase));
    county.world.pass(5_000);
    county.world.restore(township, backup);
    county.world.pass(10_000);
    for seat in [hub, township, room] {
        assert!(county.world.office(seat).store.key(book, &record).is_none(), "{seat:?}");
        assert_eq!(county.numbers(seat).len(), 1, "the skeleton stays");
        let show = CaseShow {
            number: number.as_str().unwrap().to_owned(),
            ..CaseShow::default()
        };
        let shown = county.world.run(seat, Command::CaseShow(show));
        assert!(!shown.to_string().contains("张"), "{shown}");
    }
    county.assert_in_step();
}

#[test]
fn a_rotten_byte_in_a_hubs_journal_is_fetched_again_from_those_who_hold_it() {
    let mut county = County::new(53, 1, 1);
    let (hub, township, room) = (county.hub, county.townships[0], county.rooms[0]);
    for n in 0..6 {
        county.new_case(room, n);
    }
    county.world.pass(5_000);
    let all = county.numbers(hub);
    for round in 0..6 {
        let disk = county.world.disk(township).clone();
        let segments: Vec<String> = disk
            .list()
            .unwrap()
            .into_iter()
            .filter(|n| n.starts_with("journal"))
            .collect();
        let segment = segments.first().unwrap().clone();
        let len = disk.len(&segment).unwrap().unwrap();
        county.world.kill(township);
        disk.flip(&segment, len / 7 * (round + 1), 3);
        county.world.start(township);
        county.world.pass(20_000);
        assert_eq!(county.numbers(township), all, "round {round}");
        assert_eq!(county.numbers(hub), all, "round {round}");
        county.assert_in_step();
    }
}

#[test]
fn a_rooms_disk_that_fills_says_so_and_goes_on_when_there_is_room() {
    let mut county = County::new(54, 1, 1);
    let room = county.rooms[0];
    county.new_case(room, 1);
    county.world.disk(room).fault(Fault::Capacity(0));
    let mut refused = None;
    for n in 2..400 {
        if let Err(error) = county.world.command(room, Command::CaseNew(case(n))) {
            refused = Some(error);
            break;
        }
    }
    let refused = refused.unwrap();
    assert!(refused.message.contains("磁盘"), "{refused}");
    assert_eq!(county.status(room)["disk"]["state"], "read_only");
    county.world.disk(room).fault(Fault::Roomy);
    county.new_case(room, 500);
    county.world.pass(10_000);
    county.assert_in_step();
}

#[test]
fn who_chooses_between_two_phone_numbers_sees_them_and_names_one() {
    let mut county = County::new(66, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    let number = county.new_case(room, 1);
    county.world.pass(5_000);
    let line = county.room_lines[0];
    county.world.cut(line);
    for (seat, value) in [(room, "13700137000"), (township, "13600136111")] {
        let edit = CaseEdit {
            number: number.clone(),
            field: "mobile".to_owned(),
            value: value.to_owned(),
            reason: None,
            user: None,
            cover: None,
        };
        county.world.run(seat, Command::CaseEdit(edit));
    }
    county.world.heal(line);
    county.world.pass(10_000);
    let list = county.world.run(township, Command::ConflictList);
    let item = &list[0];
    let mut values: Vec<&str> = item["choices"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|c| c["value"].as_str())
        .collect();
    values.sort_unstable();
    assert_eq!(values, ["136****6111", "137****7000"], "{item:#}");
    let mut resolve = ConflictResolve {
        id: item["id"].as_str().unwrap().to_owned(),
        choose: "手机".to_owned(),
        note: None,
        user: None,
        cover: None,
    };
    let refused = county
        .world
        .command(township, Command::ConflictResolve(resolve.clone()));
    assert_eq!(refused.unwrap_err().code, "bad_choice", "both sides are a phone number");
    resolve.choose = item["choices"][0]["choice"].as_str().unwrap().to_owned();
    let done = county.world.run(township, Command::ConflictResolve(resolve));
    assert_eq!(done["state"], "resolved");
}
