//! Keys that travel by themselves.

use ledger::id::{RecordId, Scope};

use super::*;
use crate::session::Input;

#[test]
fn a_key_that_comes_to_the_peer_late_is_fetched_and_one_that_nobody_has_is_asked_for_seldom() {
    let (mut county, line) = in_step();
    let (book, record) = (Scope::book(unit(4)), RecordId([9; 16]));
    county.posts[TOWNSHIP].missing.insert((book, record));
    for _ in 0..24 * 60 {
        county.input(line, 1, Input::KeysWanted(vec![(book, record)]));
        county.pass(60_000);
        county.settle();
    }
    let asked = county.lines[line].kinds[1].iter().filter(|kind| **kind == 12).count();
    assert!((20..50).contains(&asked), "{asked} times in a day");
    county.posts[ROOM].keys.insert((book, record), [4; 48]);
    county.pass(3_600_000);
    county.input(line, 1, Input::KeysWanted(vec![(book, record)]));
    county.settle();
    assert_eq!(county.posts[TOWNSHIP].keys.get(&(book, record)), Some(&[4; 48]));
}
