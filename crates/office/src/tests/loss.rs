//! Copies, backups, fires.

use std::collections::BTreeSet;

use ledger::id::RecordId;
use replica::session::Local;
use replica::statement::Role;
use store::disk::read_all;
use store::{Disk, Fault, MemDisk, MemPlace};

use super::county::{County, TOWNSHIPS, case, rooms_of, ticket};
use crate::command::{CaseDo, Command};

#[test]
fn a_copied_room_forks_and_every_case_of_both_copies_survives_at_every_tier() {
    let mut county = County::new(31, 1, 2);
    let (room, township) = (county.rooms[0], county.townships[0]);
    county.new_case(room, 1);
    county.world.pass(5_000);
    let line = county.room_lines[0];
    county.world.cut(line);
    let copy = county.world.copy_of(room, "copy");
    let mut wanted = 1;
    for n in 0..3 {
        county.new_case(room, 10 + n);
        county.new_case(copy, 20 + n);
        wanted += 2;
    }
    county.world.heal(line);
    county.world.line(copy, township);
    county.world.pass(10_000);
    county.rooms.push(copy);
    county.assert_in_step();
    for seat in [county.hub, township, room, copy] {
        assert_eq!(county.numbers(seat).len(), wanted, "{seat:?}");
    }
    assert!(county.status(township)["forks"].as_u64().unwrap() > 0);

    // Both go on in logs and with codes of their own.
    let (a, b) = (county.new_case(room, 30), county.new_case(copy, 31));
    assert_ne!(a[6..10], b[6..10], "node codes of {a} and {b}");
    county.world.pass(10_000);
    county.assert_in_step();
    assert_eq!(county.numbers(county.hub).len(), wanted + 2);
}

#[test]
fn a_room_restored_from_yesterday_gets_back_what_it_forgot_and_goes_on() {
    let mut county = County::new(32, 1, 1);
    let room = county.rooms[0];
    county.new_case(room, 1);
    county.world.pass(5_000);
    let yesterday = county.world.backup(room);
    county.new_case(room, 2);
    county.new_case(room, 3);
    county.world.pass(5_000);
    let all = county.numbers(county.hub);
    county.world.restore(room, yesterday);
    let epoch = county.world.office(room).epoch;
    county.world.pass(5_000);
    assert_eq!(county.numbers(room), all);
    assert_ne!(
        county.world.office(room).epoch,
        epoch,
        "its old log has grown elsewhere"
    );
    let next = county.new_case(room, 4);
    assert!(!all.contains(&next), "a number was given twice");
    county.world.pass(5_000);
    county.assert_in_step();
    assert_eq!(county.numbers(county.hub).len(), 4);
}

#[test]
fn wherever_the_disk_fails_a_restored_room_never_holds_what_it_forgot_and_goes_on_in_the_old_epoch() {
    let mut county = County::new(36, 1, 1);
    let room = county.rooms[0];
    county.new_case(room, 1);
    county.world.pass(5_000);
    let yesterday = county.world.backup(room);
    county.new_case(room, 2);
    county.world.pass(5_000);
    let all = county.numbers(county.hub);
    let mut struck = 0;
    for write in 0..24 {
        let (disk, rows) = &yesterday;
        county.world.restore(room, (disk.copy(), rows.copy()));
        let epoch = county.world.office(room).epoch;
        county.world.disk(room).fault(Fault::WriteFails(write));
        county.world.pass(10_000);
        struck += county.world.disk(room).take_struck().writes;
        assert_eq!(county.numbers(room), all, "write {write}");
        assert_ne!(county.world.office(room).epoch, epoch, "write {write}");
    }
    assert!(struck > 4, "{struck} writes failed");
}

#[test]
fn a_room_whose_disk_lost_its_last_writes_does_not_write_over_what_its_hub_holds() {
    let mut county = County::new(38, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    county.new_case(room, 1);
    county.world.pass(5_000);
    county.world.stop(room);
    let mut disk = county.world.disk(room).clone();
    let names = disk.list().unwrap();
    let last = names.iter().rfind(|name| name.starts_with("journal-")).unwrap();
    let len = disk.len(last).unwrap().unwrap();
    county.world.start(room);
    county.new_case(room, 2);
    county.world.pass(5_000);
    county.world.stop(room);
    assert_eq!(county.numbers(county.hub).len(), 2);
    // The disk had said "synced" and lied; only the index still knows that there was more.
    disk.truncate(last, len).unwrap();
    county.world.cut(county.room_lines[0]);
    county.world.start(room);
    assert_eq!(county.numbers(room).len(), 1);
    let next = county.new_case(room, 3);
    county.world.heal(county.room_lines[0]);
    county.world.pass(10_000);
    county.assert_in_step();
    assert_eq!(
        county.status(township)["forks"],
        0,
        "nothing was written at those places again"
    );
    let all = county.numbers(county.hub);
    assert!(all.len() == 3 && all.contains(&next), "{all:?}");
}

#[test]
fn a_room_that_finds_its_disk_rotten_while_it_works_does_not_write_over_what_its_hub_holds() {
    let mut county = County::new(39, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    let mut made = Vec::new();
    for person in 0..4 {
        made.push(county.world.run(room, Command::CaseNew(case(person))));
        county.world.pass(1_000);
    }
    county.world.pass(5_000);
    county.world.cut(county.room_lines[0]);
    // A byte of the third case turns, in the room's own log.
    let record = RecordId::parse(made[2]["record_id"].as_str().unwrap()).unwrap();
    let disk = county.world.disk(room).clone();
    let names = disk.list().unwrap();
    let place = names
        .iter()
        .filter(|name| name.starts_with("journal-"))
        .find_map(|name| {
            let bytes = read_all(&disk, name).unwrap().unwrap();
            let at = bytes.windows(16).position(|sixteen| sixteen == record.0)?;
            Some((name.clone(), at))
        });
    let (name, at) = place.unwrap();
    disk.flip(&name, at as u64 + 20, 3);
    // Long enough for the room to have read its own journal again.
    county.world.pass(130_000);
    let next = county.new_case(room, 9);
    county.world.heal(county.room_lines[0]);
    county.world.pass(20_000);
    county.assert_in_step();
    assert_eq!(
        county.status(township)["forks"],
        0,
        "nothing was written at those places again"
    );
    for seat in [county.hub, township, room] {
        let numbers = county.numbers(seat);
        assert!(numbers.len() == 5 && numbers.contains(&next), "{seat:?}: {numbers:?}");
    }
}

#[test]
fn a_room_that_could_not_write_down_that_its_disk_is_rotten_does_not_write_over_what_its_hub_holds() {
    let mut county = County::new(47, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    let mut all = vec![county.new_case(room, 1), county.new_case(room, 2)];
    county.world.pass(10_000);
    county.world.cut(county.room_lines[0]);
    let rows = county.world.office(room).record_rows().unwrap();
    let last = rows.iter().find(|(_, row)| row.summary.no == all[1]).unwrap();
    let at = last.1.entries[0].at();
    let disk = county.world.disk(room).clone();
    disk.flip(&format!("journal-{:08}", at.segment), u64::from(at.offset), 3);
    disk.fault(Fault::WriteFails(0));
    // The check meets it and lowers the log; the write that follows fails, and the program starts again by itself.
    assert!(county.world.command(room, Command::Verify).is_err());
    assert_eq!(disk.take_struck().writes, 1);
    all.push(county.new_case(room, 3));
    county.world.heal(county.room_lines[0]);
    county.world.pass(20_000);
    county.assert_in_step();
    assert_eq!(
        county.status(township)["forks"],
        0,
        "nothing was written at that place again"
    );
    for seat in [county.hub, township, room] {
        let numbers = county.numbers(seat);
        assert!(
            numbers.len() == 3 && all.iter().all(|no| numbers.contains(no)),
            "{seat:?}: {numbers:?}"
        );
    }
}

#[test]
fn a_restored_county_and_township_withdraw_what_they_said_and_get_everything_back() {
    let mut county = County::new(33, 1, 2);
    let (hub, township, room) = (county.hub, county.townships[0], county.rooms[0]);
    county.new_case(room, 1);
    county.world.pass(5_000);
    let (old_hub, old_township) = (county.world.backup(hub), county.world.backup(township));
    for n in 2..6 {
        county.new_case(room, n);
    }
    county.world.pass(5_000);
    let all = county.numbers(hub);
    county.world.restore(hub, old_hub);
    county.world.restore(township, old_township);
    county.world.pass(20_000);
    for seat in [hub, township] {
        assert_eq!(county.numbers(seat), all, "{seat:?}");
    }
    county.assert_in_step();
    // The room was told, and is shown what stands now.
    let status = county.status(room);
    assert_eq!(status["withdrawn"].as_array().unwrap().len(), 2, "{status:#}");
    assert!(county.cases(room).iter().all(|c| c["receipt"] == "county"));
    assert_eq!(status["pending"]["county"], 0);
}

#[test]
fn a_township_hub_that_is_lost_is_replaced_and_its_rooms_come_back_by_themselves() {
    let mut county = County::new(34, 1, 2);
    let (hub, old, room) = (county.hub, county.townships[0], county.rooms[0]);
    county.new_case(room, 1);
    county.world.pass(5_000);
    county.world.kill(old);
    county.new_case(room, 2);
    let given = ticket(&mut county.world, hub, TOWNSHIPS[0]);
    let new = county.world.device("new township");
    county.world.join(new, hub, Role::Hub, &given).unwrap();
    county.world.line(new, hub);
    for line in county.room_lines.clone() {
        county.world.repoint(line, new);
    }
    county.world.pass(20_000);
    county.townships = vec![new];
    county.assert_in_step();
    assert_eq!(county.numbers(new).len(), 2);
    assert_eq!(county.numbers(hub).len(), 2);
    assert!(county.cases(room).iter().all(|c| c["receipt"] == "county"));
    // It can open what it has never seen recorded, and let in further rooms.
    assert_eq!(county.status(new)["quarantined"], 0);
    ticket(&mut county.world, new, &county.room_codes[0].clone());
}

#[test]
fn a_county_restored_from_a_blank_copy_fills_up_from_one_township() {
    let mut county = County::new(35, 1, 2);
    let (hub, township, room) = (county.hub, county.townships[0], county.rooms[0]);
    let blank = county.world.backup(hub);
    for n in 0..4 {
        county.new_case(room, n);
    }
    county.world.pass(5_000);
    let all = county.numbers(hub);
    // What is left of the county is a copy from before the first case.
    county.world.kill(hub);
    county.world.restore(hub, blank);
    county.world.pass(20_000);
    assert_eq!(county.numbers(hub), all);
    county.assert_in_step();
    assert_eq!(county.numbers(township), all);
}

#[test]
fn a_fork_whose_author_is_gone_comes_together_from_both_sides() {
    let mut county = County::new(36, 1, 1);
    let (hub, township, room) = (county.hub, county.townships[0], county.rooms[0]);
    county.new_case(room, 1);
    county.world.pass(5_000);
    county.world.cut(county.township_lines[0]);
    let copy = county.world.copy_of(room, "copy");
    county.new_case(room, 2);
    county.world.pass(5_000);
    county.world.line(copy, hub);
    county.new_case(copy, 3);
    county.world.pass(5_000);
    county.world.kill(room);
    county.world.kill(copy);
    county.rooms.clear();
    county.world.heal(county.township_lines[0]);
    county.world.pass(5_000);
    county.assert_in_step();
    assert_eq!(county.numbers(hub).len(), 3);
    assert_eq!(county.numbers(township).len(), 3);
}

#[test]
fn power_cuts_at_every_device_lose_nothing_that_was_said_to_be_saved() {
    let mut county = County::new(37, 2, 2);
    let mut saved = Vec::new();
    let seats: Vec<_> = county.rooms.clone();
    for round in 0..8 {
        for (at, room) in seats.iter().enumerate() {
            saved.push(county.new_case(*room, round * 10 + at));
        }
        let everyone: Vec<_> = [county.hub]
            .into_iter()
            .chain(county.townships.clone())
            .chain(seats.clone())
            .collect();
        let victim = everyone[round % everyone.len()];
        county.world.kill(victim);
        county.world.start(victim);
        county.world.pass(1_500);
    }
    county.world.pass(20_000);
    saved.sort();
    assert_eq!(county.numbers(county.hub), saved);
    county.assert_in_step();
}

#[test]
fn clocks_that_are_years_off_change_nothing_but_what_is_shown() {
    let mut county = County::new(38, 1, 1);
    let (township, room) = (county.townships[0], county.rooms[0]);
    county.world.set_skew(township, 3 * 365 * 86_400_000);
    county.world.cut(county.room_lines[0]);
    county.world.heal(county.room_lines[0]);
    county.new_case(room, 1);
    county.world.set_skew(room, -7_200_000);
    county.new_case(room, 2);
    county.world.pass(10_000);
    county.assert_in_step();
    assert_eq!(county.numbers(county.hub).len(), 2);
    let peers = county.status(room)["peers"].clone();
    assert!(peers[0]["skew_ms"].as_i64().unwrap() > 86_400_000, "{peers}");
}

/// The journal's first segment: its name, and what lies in it.
fn first_segment(disk: &MemDisk) -> (String, Vec<u8>) {
    let names = disk.list().unwrap();
    let name = names.iter().find(|n| n.starts_with("journal")).unwrap();
    (name.clone(), read_all(disk, name).unwrap().unwrap())
}

#[test]
fn a_room_whose_disk_rotted_under_its_own_admission_works_on_with_no_line() {
    let mut county = County::new(39, 1, 1);
    let room = county.rooms[0];
    let number = county.new_case(room, 1);
    county.world.pass(10_000);
    county.world.cut(county.room_lines[0]);
    let (segment, journal) = first_segment(county.world.disk(room));
    let len = journal.len() as u64;
    for place in 1..30 {
        let bad = county.world.copy_of(room, "rotten");
        county.world.stop(bad);
        let disk = county.world.disk(bad).clone();
        disk.flip(&segment, len * place / 30, 5);
        county.world.start(bad);
        let next = county.new_case(bad, 2);
        let shown = county.numbers(bad);
        assert!(shown.contains(&next), "byte {} of {len}", len * place / 30);
        county.world.stop(bad);
    }
    county.world.heal(county.room_lines[0]);
    county.world.pass(10_000);
    county.assert_in_step();
    assert_eq!(county.numbers(county.hub), vec![number]);
}

#[test]
fn a_room_whose_disk_rotted_and_whose_index_is_gone_still_knows_where_it_belongs() {
    // Seed 1948: a township's first facts rotted, the index with their copies was lost before anybody met that, and it was nobody's.
    let mut county = County::new(41, 1, 1);
    let room = county.rooms[0];
    county.world.pass(10_000);
    let life = county.world.office(room).life.clone().unwrap();
    county.world.kill(room);
    let (disk, _) = county.world.backup(room);
    let (segment, journal) = first_segment(&disk);
    let written = life.to_bytes();
    let first = journal.windows(written.len()).position(|w| w == written).unwrap();
    disk.flip(&segment, first as u64, 5);
    county.world.restore(room, (disk, MemPlace::default()));
    assert_eq!(county.world.office(room).life, Some(life));
    county.new_case(room, 1);
    county.world.pass(10_000);
    county.assert_in_step();
}

#[test]
fn a_hub_whose_own_admission_rotted_still_lets_rooms_in() {
    // Seed 1264: it wrote the admission down and could not show by what right, until its disk was whole again.
    let mut county = County::new(44, 1, 1);
    let township = county.townships[0];
    county.world.pass(10_000);
    county.world.cut(county.township_lines[0]);
    let code = rooms_of(TOWNSHIPS[0], 2).remove(1);
    let own = county.world.device_of(township).0;
    let (segment, journal) = first_segment(county.world.disk(township));
    let named: Vec<usize> = (0..journal.len() - 32)
        .filter(|at| journal[*at..][..32] == own)
        .collect();
    assert!(named.len() > 3, "{named:?}");
    for at in named {
        let bad = county.world.copy_of(township, "rotten");
        let (disk, _) = county.world.backup(bad);
        disk.flip(&segment, at as u64, 5);
        county.world.restore(bad, (disk, MemPlace::default()));
        let given = ticket(&mut county.world, bad, &code);
        let room = county.world.device("room");
        let joined = county.world.join(room, bad, Role::Node, &given);
        assert!(joined.is_ok(), "byte {at}: {joined:?}");
        county.world.stop(room);
        county.world.stop(bad);
    }
}

#[test]
fn a_county_whose_own_admission_rotted_lays_back_the_one_it_kept() {
    // Seed 1264: rooms that came in before never heard who the county's second hub was, for nobody held it in a log any more.
    let mut county = County::new(45, 1, 1);
    let hub = county.hub;
    county.world.pass(10_000);
    county.world.cut(county.township_lines[0]);
    let own = county.world.device_of(hub).0;
    let root = county.world.office(hub).life.clone().unwrap().root;
    let (segment, journal) = first_segment(county.world.disk(hub));
    let named = (0..journal.len() - 32).filter(|at| journal[*at..][..32] == own);
    for at in named.take(12) {
        let bad = county.world.copy_of(hub, "rotten");
        let (disk, _) = county.world.backup(bad);
        disk.flip(&segment, at as u64, 5);
        county.world.restore(bad, (disk, MemPlace::default()));
        county.world.pass(10_000);
        let logs = county.world.office(bad).store().logs();
        let of_root = logs
            .scopes()
            .flat_map(|scope| logs.logs(scope))
            .any(|log| log.device == root);
        assert!(of_root, "byte {at}");
        county.world.stop(bad);
    }
}

#[test]
fn a_hub_that_waits_with_taking_back_what_its_copy_said_rests_until_then() {
    // Seed 1668: the time came, nothing was there to commit, and the hub looked at its clock without a pause.
    let mut county = County::new(42, 1, 1);
    let township = county.townships[0];
    county.world.pass(60_000);
    let now = county.world.now(township);
    let patience = &mut county.world.office(township).due.patience;
    assert!(
        patience.allows(true, now) && !patience.allows(true, now),
        "the second one waits"
    );
    county.world.pass(60_000);
    let office = county.world.office(township);
    assert_eq!(office.due.patience.over_at_ms(), None, "it was looked at");
    assert_eq!(office.load().restless, 0);
}

#[test]
fn what_a_hub_signed_a_moment_before_a_line_came_up_is_told_on_it() {
    let mut county = County::new(46, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    let number = county.new_case(room, 1);
    county.world.pass(5_000);
    county.world.cut(county.township_lines[0]);
    county.world.cut(county.room_lines[0]);
    // The township signs for its own note and writes the receipt down a second later. The line is back before that.
    let note = CaseDo {
        number,
        event: "note".to_owned(),
        note: Some("已电话告知".to_owned()),
        ..CaseDo::default()
    };
    county.world.run(township, Command::CaseDo(note));
    let (now, peer) = (county.world.now(township), county.world.device_of(room));
    let office = county.world.office(township);
    let signed: Vec<_> = office.receipts_unstaged().cloned().collect();
    let written = office.store().receipts().clone();
    assert!(!signed.is_empty());
    let hubs = BTreeSet::from([office.device()]);
    let (sight, _) = office.split(now, peer).unwrap();
    for receipt in &signed {
        let scope = [receipt.scope];
        assert!(sight.receipts(&scope).contains(receipt), "whoever asks now is told");
        assert_ne!(
            sight.receipts_digest(&scope),
            written.digest(&scope, &hubs),
            "and compares with it"
        );
    }
    county.world.heal(county.room_lines[0]);
    county.world.pass(10_000);
    assert_eq!(county.cases(room)[0]["receipt"], "township");
}
