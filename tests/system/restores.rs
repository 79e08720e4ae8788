//! Yesterday's copy, a lost machine, a new one in its place.

use cunlian_tests::place::Kind;

use crate::rig::{Line, TOWNSHIP, any_case, ask, device, numbers, show, text, verify, wait, wait_for_county};

#[test]
fn a_room_restored_from_yesterday_gets_back_what_it_forgot_and_goes_on() {
    let mut line = Line::found();
    let mut expected = vec![any_case(&line.county, line.room, 1)];
    line.settle();
    line.county[line.room].stop().expect("it stops");
    let backup = line.county.file("yesterday");
    line.county[line.room].copy_data(&backup).expect("a backup");
    line.county.start(line.room).expect("it starts");
    expected.push(any_case(&line.county, line.room, 2));
    expected.push(any_case(&line.county, line.room, 3));
    wait_for_county(&line.county, line.room);

    line.county[line.room].kill();
    line.county[line.room].restore_data(&backup).expect("restored");
    line.county.start(line.room).expect("it starts from yesterday");
    line.settle();
    wait("what it forgot is back", || {
        numbers(&line.county, line.room) == expected
    });
    let new = any_case(&line.county, line.room, 4);
    assert!(!expected.contains(&new), "nothing is overwritten");
    expected.push(new);
    expected.sort();
    line.settle();
    for id in line.all() {
        wait("all four are here", || numbers(&line.county, id) == expected);
    }
    verify(&line.county, &line.all());
}

/// About 400 B each beside batches of 64 KiB at most.
const CASES_AFTER_THE_BACKUP: u32 = 240;

#[test]
fn a_county_and_a_township_restored_from_old_copies_withdraw_their_receipts_and_fill_up_from_below() {
    let mut line = Line::found();
    let first = any_case(&line.county, line.room, 1);
    line.settle();
    let mut backups = Vec::new();
    for id in [line.top, line.township] {
        line.county[id].stop().expect("it stops");
        let backup = line.county.file(&format!("old-{}", line.county[id].name()));
        line.county[id].copy_data(&backup).expect("a backup");
        line.county.start(id).expect("it starts");
        backups.push((id, backup));
    }
    // More than one batch: else the room may fill a hub up before the hub hears what it had receipted, and nothing has to be taken back.
    let mut all = vec![first];
    all.extend((2..=CASES_AFTER_THE_BACKUP + 1).map(|n| any_case(&line.county, line.room, n)));
    wait_for_county(&line.county, line.room);

    line.county.cut_all();
    for (id, backup) in &backups {
        line.county[*id].kill();
        line.county[*id].restore_data(backup).expect("restored");
        line.county.start(*id).expect("it starts");
    }
    line.county.heal_all();
    wait("the withdrawal is shown in the room", || {
        let status = ask(&line.county, line.room, &["status"]);
        status["withdrawn"]
            .as_array()
            .is_some_and(|withdrawn| !withdrawn.is_empty())
    });
    line.settle();
    wait_for_county(&line.county, line.room);
    assert_eq!(numbers(&line.county, line.top), all);
    verify(&line.county, &line.all());
}

#[test]
fn a_lost_township_is_replaced_by_a_new_device_and_its_rooms_come_by_themselves() {
    let mut line = Line::found();
    let first = any_case(&line.county, line.room, 1);
    wait_for_county(&line.county, line.room);
    let lost = device(&line.county, line.township);
    line.county[line.township].kill();
    let second = any_case(&line.county, line.room, 2);
    ask(
        &line.county,
        line.top,
        &["member", "revoke", &lost, "--reason", "主机烧毁"],
    );

    let new = line.county.place("township-new", Kind::Hub);
    let ticket = line.county.ticket(new, TOWNSHIP, line.top).expect("a ticket");
    line.county.join_with(new, &ticket, &[]).expect("it joins");
    line.county.start(new).expect("it starts");
    // The new machine stands at the old one's address.
    line.county.take_over(line.township, new).expect("the address");
    wait_for_county(&line.county, line.room);
    crate::rig::settle(&line.county, &[line.top, new, line.room]);
    for id in [line.top, new, line.room] {
        wait("both cases are here", || {
            numbers(&line.county, id) == [first.clone(), second.clone()]
        });
    }
    let third = any_case(&line.county, line.room, 3);
    wait_for_county(&line.county, line.room);
    assert_eq!(
        text(&show(&line.county, new, &third), "state"),
        "received",
        "the new township can read it"
    );
    verify(&line.county, &[line.top, new, line.room]);
}

#[test]
fn a_county_restored_from_its_first_day_is_rebuilt_from_one_township() {
    let mut line = Line::found();
    line.settle();
    line.county[line.top].stop().expect("it stops");
    let first_day = line.county.file("first-day");
    line.county[line.top].copy_data(&first_day).expect("a backup");
    line.county.start(line.top).expect("it starts");
    let mut expected = vec![
        any_case(&line.county, line.room, 1),
        any_case(&line.county, line.room, 2),
    ];
    wait_for_county(&line.county, line.room);

    // The room is out for good: all there is lies with the township.
    line.county[line.room].kill();
    line.county[line.top].kill();
    line.county[line.top].restore_data(&first_day).expect("restored");
    line.county.start(line.top).expect("it starts");
    crate::rig::settle(&line.county, &[line.top, line.township]);
    expected.sort();
    wait("every case is back", || numbers(&line.county, line.top) == expected);
    verify(&line.county, &[line.top, line.township]);
}
