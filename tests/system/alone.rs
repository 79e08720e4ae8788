//! A room on its own, which joins a county later.

use cunlian_tests::county::{County, PlaceId};
use cunlian_tests::place::Kind;

use crate::rig::{ROOM, TOWNSHIP, any_case, ask, empty, numbers, settle, show, text, verify, wait, wait_for_county};

fn alone(county: &mut County) -> PlaceId {
    let room = county.place("alone", Kind::Node);
    let (matters, holidays) = (county.file("matters.tsv"), county.file("holidays.tsv"));
    let (matters, holidays) = (matters.display().to_string(), holidays.display().to_string());
    let args = [
        "init",
        "--unit",
        ROOM,
        "--name",
        "高河村便民服务室",
        "--matters",
        &matters,
        "--holidays",
        &holidays,
    ];
    ask(county, room, &args);
    room
}

#[test]
fn a_room_alone_works_with_no_county_at_all() {
    let mut county = empty();
    let room = alone(&mut county);
    let number = any_case(&county, room, 1);
    assert_eq!(numbers(&county, room), std::slice::from_ref(&number));
    assert_eq!(text(&show(&county, room, &number), "receipt"), "room");
    county.start(room).expect("it runs");
    any_case(&county, room, 2);
    verify(&county, &[room]);
}

#[test]
fn a_room_alone_joins_a_county_with_its_records_and_their_numbers() {
    let mut county = empty();
    let room = alone(&mut county);
    let mut expected = vec![any_case(&county, room, 1), any_case(&county, room, 2)];
    let top = county.found().expect("a county");
    let township = county.township(TOWNSHIP, top).expect("a township");
    let ticket = county.ticket(room, ROOM, township).expect("a ticket");
    county.join_with(room, &ticket, &[]).expect("it joins");
    county.start(room).expect("it runs");
    expected.push(any_case(&county, room, 3));
    wait_for_county(&county, room);
    settle(&county, &[top, township, room]);
    expected.sort();
    for id in [room, township, top] {
        wait("all three are listed", || numbers(&county, id) == expected);
    }
    for number in &expected {
        assert_eq!(text(&show(&county, top, number), "unit"), ROOM, "{number}");
    }
    verify(&county, &[top, township, room]);
}
