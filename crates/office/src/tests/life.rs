//! Days as they should be.

use super::county::County;

#[test]
fn three_tiers_come_into_step_and_every_room_sees_its_cases_at_the_county() {
    let mut county = County::new(11, 2, 3);
    let rooms = county.rooms.clone();
    let mut recorded = Vec::new();
    for (at, room) in rooms.iter().enumerate() {
        for n in 0..4 {
            recorded.push(county.new_case(*room, at * 10 + n));
        }
    }
    county.world.pass(10_000);
    county.assert_in_step();
    recorded.sort();
    assert_eq!(county.numbers(county.hub), recorded);
    for room in rooms {
        for case in county.cases(room) {
            assert_eq!(case["receipt"], "county", "{case}");
        }
        let status = county.status(room);
        assert_eq!(status["pending"]["township"], 0, "{status:#}");
        assert_eq!(status["pending"]["county"], 0);
    }
}

#[test]
fn a_room_records_while_its_line_is_cut_and_is_in_step_soon_after_it_heals() {
    let mut county = County::new(12, 1, 2);
    let (room, line) = (county.rooms[0], county.room_lines[0]);
    county.world.cut(line);
    let numbers: Vec<String> = (0..5).map(|n| county.new_case(room, n)).collect();
    county.world.pass(30_000);
    assert!(county.numbers(county.hub).is_empty());
    let status = county.status(room);
    assert_eq!(status["pending"]["township"], 5, "{status:#}");
    assert!(status["oldest_pending_s"].as_i64().unwrap() >= 29);
    let code = county.room_codes[0].clone();
    let states = county.room_states(county.hub);
    assert!(states.contains(&(code.clone(), "silent".to_owned())), "{states:?}");

    county.world.heal(line);
    county.world.pass(10_000);
    county.assert_in_step();
    let mut sorted = numbers;
    sorted.sort();
    assert_eq!(county.numbers(county.hub), sorted);
    let states = county.room_states(county.hub);
    assert!(states.contains(&(code.clone(), "in_step".to_owned())), "{states:?}");

    county.world.cut(county.township_lines[0]);
    county.world.pass(30_000);
    let states = county.room_states(county.hub);
    assert!(states.contains(&(code, "unknown".to_owned())), "{states:?}");
}

#[test]
fn an_idle_county_says_nothing() {
    let mut county = County::new(13, 2, 2);
    county.world.pass(60_000);
    let frames = county.world.frames;
    county.world.pass(3_600_000);
    assert_eq!(county.world.frames, frames, "an idle hour");
}
