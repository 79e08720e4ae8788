//! Room, township, county: everything arrives, whatever fails on the way.

use std::collections::BTreeMap;

use crate::rig::{
    PROMISED, ROOM, TOWNSHIP, any_case, ask, cert_no, empty, new_case, numbers, settle, show, text, two_tiers, verify,
    wait, wait_for_county,
};

#[test]
fn a_day_book_recorded_with_every_line_cut_reaches_the_county_whole_though_hubs_are_killed() {
    let mut county = empty();
    let tiers = county.found_with_rooms().expect("three tiers");
    county.cut_all();
    let file = county.file("daybook.csv").display().to_string();
    let mut imported = 0;
    for room in &tiers.rooms {
        let said = ask(&county, *room, &["case", "import", &file]);
        let new = said["imported"].as_u64().expect("a count");
        assert!(new > 80, "{new} of some hundred rows");
        let rejected = said["rejected"].as_array().expect("a list");
        assert!(
            rejected
                .iter()
                .all(|row| row["line"].as_u64() > Some(1) && !text(row, "reason").is_empty())
        );
        imported += new;
        let again = ask(&county, *room, &["case", "import", &file]);
        assert_eq!(
            (again["imported"].as_u64(), again["unchanged"].as_u64()),
            (Some(0), Some(new))
        );
    }

    county.heal_all();
    // In the middle of catching up: both tiers of hubs lose their power, one after the other.
    for hub in [tiers.townships[0], tiers.county, tiers.townships[1]] {
        wait("something has arrived", || {
            county.cases(hub).is_ok_and(|cases| !cases.is_empty())
        });
        county[hub].mark("SIGKILL in the middle of catching up");
        county[hub].kill();
        county.start(hub).expect("it starts again");
    }

    settle(&county, &tiers.all());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for case in county.cases(tiers.county).expect("a list") {
        *seen.entry(text(&case, "record_id")).or_default() += 1;
    }
    assert_eq!(seen.len() as u64, imported);
    assert!(seen.values().all(|times| *times == 1), "a row is present twice");
    for room in &tiers.rooms {
        wait_for_county(&county, *room);
    }
    verify(&county, &tiers.all());
}

#[test]
fn a_room_records_on_while_its_line_is_cut_and_says_honestly_how_far_each_case_is() {
    let line = crate::rig::Line::found();
    line.county.cut(line.room);
    let number = any_case(&line.county, line.room, 1);
    assert_eq!(text(&show(&line.county, line.room, &number), "receipt"), "room");
    let status = ask(&line.county, line.room, &["status"]);
    assert!(status["pending"]["township"].as_u64() > Some(0) && status["pending"]["county"].as_u64() > Some(0));

    line.county.cut(line.township);
    line.county.heal(line.room);
    wait("the township has it", || {
        text(&show(&line.county, line.room, &number), "receipt") == "township"
    });
    line.county.heal(line.township);
    wait_for_county(&line.county, line.room);
    let status = ask(&line.county, line.room, &["status"]);
    assert_eq!(
        (
            status["pending"]["township"].as_u64(),
            status["pending"]["county"].as_u64()
        ),
        (Some(0), Some(0))
    );
}

#[test]
fn a_room_whose_township_is_down_syncs_straight_to_the_county() {
    let mut county = empty();
    let top = county.found().expect("a county");
    let township = county.township(TOWNSHIP, top).expect("a township");
    let room = county.room(ROOM, &[township, top]).expect("a room");
    settle(&county, &[top, township, room]);
    county[township].kill();
    let number = any_case(&county, room, 1);
    wait_for_county(&county, room);
    assert_eq!(numbers(&county, top), [number]);
    county.start(township).expect("it starts again");
    settle(&county, &[top, township, room]);
    verify(&county, &[top, township, room]);
}

#[test]
fn two_tiers_work_like_three() {
    let (county, top, room) = two_tiers();
    let number = any_case(&county, room, 1);
    wait_for_county(&county, room);
    settle(&county, &[top, room]);
    assert_eq!(numbers(&county, top), [number]);
    let rooms = ask(&county, top, &["rooms"]);
    let row = rooms
        .as_array()
        .and_then(|rows| rows.iter().find(|row| row["unit"] == ROOM))
        .expect("the room is listed");
    assert_eq!(row["state"], "in_step", "{row}");
}

#[test]
fn the_county_sees_rooms_through_their_townships_and_says_what_it_does_not_know() {
    let mut line = crate::rig::Line::found();
    line.settle();
    let state = |line: &crate::rig::Line, unit: &str| {
        let rooms = ask(&line.county, line.top, &["rooms"]);
        let row = rooms
            .as_array()
            .and_then(|rows| rows.iter().find(|row| row["unit"] == unit))
            .cloned();
        text(&row.expect("every room is listed"), "state")
    };
    wait("the room is in step", || state(&line, ROOM) == "in_step");
    assert_eq!(state(&line, "511603104002"), "never_seen");
    line.county[line.township].kill();
    wait("nobody can tell any more", || state(&line, ROOM) == "unknown");
    line.county.start(line.township).expect("it starts again");
    wait("the room is in step again", || state(&line, ROOM) == "in_step");
}

#[test]
fn a_power_cut_in_a_room_loses_nothing_it_acknowledged() {
    let mut line = crate::rig::Line::found();
    line.county.cut(line.room);
    let mut recorded = Vec::new();
    for n in 0..6 {
        recorded.push(new_case(&line.county, line.room, PROMISED, "李四", &cert_no(n)));
        line.county[line.room].kill();
        line.county.start(line.room).expect("it starts again");
    }
    line.county.heal(line.room);
    line.settle();
    recorded.sort();
    assert_eq!(numbers(&line.county, line.top), recorded);
    verify(&line.county, &line.all());
}
