//! Answers are held against the disk, and operators' deeds against what counts.

use super::*;
use crate::oracle::cuts::Cuts;

/// What a look at the answers of a room finds whose journal has lost its end behind everybody's back.
fn told(harmed: bool) -> BTreeSet<Check> {
    let (mut world, county, _) = worked(3, 1);
    let seat = room(&county);
    record(&mut world, seat);
    let (name, len) = journal(&world, seat);
    world.disk(seat).cut(&name, len - 300);
    let (mut promises, mut disks, mut found) = (Promises::default(), Disks::default(), Findings::default());
    promises.note(&world, seat, (Some(&mut disks), harmed), &mut found);
    assert!(promises.excused() > 0, "nobody owes what lies nowhere");
    found.found.into_iter().map(|found| found.check).collect()
}

#[test]
fn an_answer_before_the_entry_is_durable_is_a_broken_promise() {
    assert_eq!(told(false), BTreeSet::from([Check::Kept]));
}

#[test]
fn a_harmed_disk_excuses_what_lies_behind_its_damage_and_nothing_else() {
    // The end is gone, and nothing on the disk says that anything was there.
    assert_eq!(told(true), BTreeSet::from([Check::Kept]));

    let (mut world, county, _) = worked(3, 1);
    let seat = room(&county);
    record(&mut world, seat);
    let (name, end) = journal(&world, seat);
    record(&mut world, seat);
    world.disk(seat).flip(&name, end - 60, 3);
    let (mut promises, mut disks, mut found) = (Promises::default(), Disks::default(), Findings::default());
    promises.note(&world, seat, (Some(&mut disks), true), &mut found);
    assert!(promises.excused() > 0 && found.found.is_empty(), "{:?}", found.found);
}

#[test]
fn what_a_device_records_after_it_was_taken_out_counts_nowhere() {
    let (mut world, county, _) = worked(4, 1);
    let (seat, hub) = (room(&county), county.top());
    let device = world.device_of(seat).unwrap();
    let case = Command::CaseNew(CaseNew {
        matter: "B23".to_owned(),
        name: "王五".to_owned(),
        cert_no: crate::will::cert_no(79),
        ..CaseNew::default()
    });
    let answer = world.command(seat, &case);
    let made = RecordId::parse(answer.as_ref().unwrap()["record_id"].as_str().unwrap()).unwrap();
    let office = world.office(seat).unwrap();
    let rows = office.record_rows().unwrap();
    let (of, row) = rows.into_iter().find(|(of, _)| of.record == made).unwrap();
    let held = office.held(of, row).unwrap();
    let red = |cuts: &Cuts| {
        let mut found = Findings::default();
        cuts.check(seat, &held, &mut found);
        !found.found.is_empty()
    };
    let mut cuts = Cuts::default();
    cuts.answered(device, &case, &answer);
    assert!(!red(&cuts), "it is in");
    cuts.taken_out(device, hub);
    cuts.answered(device, &case, &answer);
    assert!(red(&cuts));
    cuts.let_count(device);
    assert!(!red(&cuts), "let count after all");
    cuts.answered(device, &case, &answer);
    assert!(red(&cuts));
    cuts.harmed(hub);
    assert!(!red(&cuts), "whoever took it out may have lost that word");
}
