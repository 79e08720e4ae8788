//! A village that goes under another township (建制调整): its room's line is laid to the new hub, and its book goes along.

use ledger::id::Scope;
use replica::statement::Role;
use serde_json::Value;

use super::county::{County, DIVISIONS, TOWNSHIPS};
use crate::command::{CaseDo, Command, MemberRevoke, Table, TableText, Tables};
use crate::rig::Seat;

/// The county publishes that the first village of the first township lies under the second from today on.
fn move_the_village(county: &mut County) {
    let code = county.room_codes[0].clone();
    let line = DIVISIONS.lines().find(|line| line.starts_with(&code)).unwrap();
    let asked = TableText {
        table: Table::Organisation,
        text: DIVISIONS.replace(line, &line.replace(TOWNSHIPS[0], TOWNSHIPS[1])),
        on: None,
        over: None,
    };
    let hub = county.hub;
    county.world.run(hub, Command::Tables(Tables::Publish(asked)));
}

/// What a list says of these cases.
fn shown(county: &mut County, seat: Seat, what: &str, numbers: &[&String]) -> Vec<Value> {
    let cases = county.cases(seat);
    let of = |number: &&String| {
        cases
            .iter()
            .find(|c| c["project_no"] == ***number)
            .map(|c| c[what].clone())
    };
    numbers.iter().map(|number| of(number).unwrap_or_default()).collect()
}

fn accept(number: &str) -> Command {
    Command::CaseDo(CaseDo {
        number: number.to_owned(),
        event: "accept".to_owned(),
        ..CaseDo::default()
    })
}

#[test]
fn a_village_under_another_township_goes_on_there_and_the_old_one_keeps_what_it_held() {
    let mut county = County::new(85, 2, 1);
    let (hub, [old, new]) = (county.hub, [county.townships[0], county.townships[1]]);
    let room = county.rooms[0];
    let (room_line, new_line) = (county.room_lines[0], county.township_lines[1]);
    let number = county.new_case(room, 1);
    county.world.pass(10_000);
    let book = Scope::book(county.world.office(room).unit().unwrap());
    let held = county.world.office(old).store().logs().entries(book);
    assert!(held > 0 && county.numbers(new).is_empty());

    // It is published before the line is laid elsewhere: the old hub takes nothing more of the book, and the tick says so.
    move_the_village(&mut county);
    county.world.pass(5_000);
    let meanwhile = county.new_case(room, 2);
    county.world.pass(10_000);
    assert_eq!(
        shown(&mut county, room, "receipt", &[&number, &meanwhile]),
        ["county", "room"]
    );
    assert_eq!(county.status(room)["pending"]["township"], 1);
    let refused = county.world.command(old, accept(&number)).unwrap_err();
    assert_eq!(refused.code, "moved_away");

    // The new hub takes all of it in while the county is out of reach: the tick names the township, and no more.
    county.world.cut(new_line);
    county.world.repoint(room_line, new);
    county.world.pass(20_000);
    assert_eq!(
        shown(&mut county, room, "receipt", &[&number, &meanwhile]),
        ["county", "township"]
    );
    let mut both = vec![number.clone(), meanwhile.clone()];
    both.sort();
    assert_eq!(county.numbers(new), both);
    assert_eq!(county.numbers(hub), vec![number.clone()]);
    county.world.heal(new_line);
    county.world.pass(20_000);
    assert_eq!(
        shown(&mut county, room, "receipt", &[&number, &meanwhile]),
        ["county", "county"]
    );
    let code = county.room_codes[0].clone();
    assert!(county.room_states(new).contains(&(code.clone(), "in_step".to_owned())));
    assert!(county.room_states(old).iter().all(|(unit, _)| *unit != code));

    // It works there: the township reads the case and accepts it, the room hears of it, and goes on with numbers of its own.
    county.world.run(new, accept(&meanwhile));
    let next = county.new_case(room, 3);
    assert!(!both.contains(&next));
    county.world.pass(20_000);
    let states = shown(&mut county, room, "state", &[&number, &meanwhile, &next]);
    assert_eq!(states, ["received", "accepted", "received"]);
    let books = [room, new, hub].map(|seat| county.world.office(seat).store().logs().digest(book));
    assert!(books[0] == books[1] && books[1] == books[2], "{books:?}");
    assert!(
        county
            .cases(new)
            .iter()
            .all(|c| c["name"] == "张*" && c["receipt"] == "county")
    );
    // The old hub has what it had.
    assert_eq!(county.world.office(old).store().logs().entries(book), held);
    assert_eq!(county.numbers(old), [number]);
    assert_eq!(county.status(hub)["forks"], 0);
    assert_eq!(county.world.faults, vec![]);
}

#[test]
fn who_was_taken_out_before_its_village_moved_stays_out_at_the_new_township_and_what_it_wrote_comes_along() {
    let mut county = County::new(86, 2, 1);
    let [old, new] = [county.townships[0], county.townships[1]];
    let stolen = county.rooms[0];
    let before = county.new_case(stolen, 1);
    county.world.pass(10_000);
    let revoke = MemberRevoke {
        device: county.world.device_of(stolen).to_string(),
        reason: "被偷".to_owned(),
        root_key: None,
    };
    county.world.run(old, Command::MemberRevoke(revoke));
    let code = county.room_codes[0].clone();
    let (room, line) = county.admit(old, &code, Role::Node);
    county.world.pass(10_000);
    move_the_village(&mut county);
    county.world.pass(10_000);
    county.world.repoint(line, new);
    let thiefs = county.room_lines[0];
    county.world.repoint(thiefs, new);
    county.world.pass(20_000);
    let after = county.new_case(room, 2);
    county.new_case(stolen, 3);
    county.world.pass(20_000);
    let mut both = vec![before, after.clone()];
    both.sort();
    assert_eq!(
        county.numbers(new),
        both,
        "its old records, and none that it made since"
    );
    assert_eq!(county.numbers(county.hub), both);
    assert!(!county.numbers(stolen).contains(&after), "the thief is told nothing");
    let thief = county.world.device_of(stolen);
    assert!(county.world.office(new).authority().is_revoked(&thief));
}
