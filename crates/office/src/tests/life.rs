//! Days as they should be.

use std::collections::BTreeSet;

use ledger::id::Scope;
use replica::session::Quota;
use replica::statement::Role;

use super::county::{County, TOWNSHIPS, rooms_of};

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
    // The witness of what was done while joining goes up after five minutes.
    county.world.pass(600_000);
    let frames = county.world.frames;
    county.world.pass(3_600_000);
    assert_eq!(county.world.frames, frames, "an idle hour");
}

#[test]
fn a_books_key_goes_to_its_unit_and_the_hubs_above_and_to_nobody_else() {
    let mut county = County::new(14, 2, 2);
    county.world.pass(30_000);
    let books: Vec<Scope> = county
        .rooms
        .clone()
        .into_iter()
        .map(|room| Scope::book(county.world.office(room).unit().unwrap()))
        .collect();
    for (at, room) in county.rooms.clone().into_iter().enumerate() {
        let keys = &county.world.office(room).keys;
        assert_eq!(keys.scopes().collect::<Vec<_>>(), [books[at]], "room {at}");
        assert!(keys.hub_key().is_none(), "the hubs' key is theirs alone");
    }
    for (at, township) in county.townships.clone().into_iter().enumerate() {
        let keys = &county.world.office(township).keys;
        let held: BTreeSet<Scope> = keys.scopes().filter(|scope| books.contains(scope)).collect();
        assert_eq!(
            held,
            books[at * 2..at * 2 + 2].iter().copied().collect(),
            "township {at}"
        );
        assert!(keys.hub_key().is_some());
    }
    let held: BTreeSet<Scope> = county.world.office(county.hub).keys.scopes().collect();
    assert!(books.iter().all(|book| held.contains(book)));
}

#[test]
fn two_keys_that_hubs_made_for_one_book_while_apart_open_everything_at_every_tier() {
    let mut county = County::new(16, 1, 1);
    let (hub, township, line) = (county.hub, county.townships[0], county.township_lines[0]);
    county.world.cut(line);
    let code = rooms_of(TOWNSHIPS[0], 2).remove(1);
    let (room, _) = county.admit(township, &code, Role::Node);
    county.new_case(room, 1);
    county.world.pass(10_000);
    let book = Scope::book(county.world.office(room).unit().unwrap());

    // The county has heard of no key for this book, and makes one of its own.
    let now = county.world.now(hub);
    county.world.office(hub).make_scope_key(book).unwrap();
    county.world.office(hub).commit(now).unwrap();
    county.world.heal(line);
    county.world.pass(60_000);

    let both = county.world.office(hub).keys.scope_keys(&book).to_vec();
    assert_eq!(both.len(), 2, "the county was granted the township's");
    for seat in [township, room] {
        assert_eq!(county.world.office(seat).keys.scope_keys(&book), both, "{seat:?}");
    }
    let seen = county.cases(hub);
    assert_eq!(seen[0]["name"], "张*", "what lies under the other key opens");
    county.world.pass(600_000);
    let frames = county.world.frames;
    county.world.pass(3_600_000);
    assert_eq!(
        county.world.frames, frames,
        "everybody has everything: nobody grants again"
    );
}

#[test]
fn a_pc_that_runs_wild_is_sent_away_and_its_sister_is_not() {
    let mut county = County::new(15, 1, 2);
    let (township, wild, calm) = (county.townships[0], county.rooms[0], county.rooms[1]);
    county.world.office(township).limit_days(Quota::new(2, 1 << 20));
    for person in 0..40 {
        county.new_case(wild, person);
        county.world.pass(1_000);
    }
    let before = county.status(wild)["pending"]["township"].as_u64().unwrap();
    assert!(
        (15..30).contains(&before),
        "ten days' worth is taken, then no more: {before} wait"
    );
    let number = county.new_case(calm, 50);
    county.world.pass(5_000);
    assert!(county.numbers(township).contains(&number));
    assert_eq!(county.status(calm)["pending"]["township"], 0);
    assert_eq!(county.status(wild)["pending"]["township"], before);
    // Some days later there is something again.
    county.world.pass(3 * 86_400_000);
    let after = county.status(wild)["pending"]["township"].as_u64().unwrap();
    assert!(after < before, "{after} of {before}");
}
