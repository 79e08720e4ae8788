//! Who gets in, who is put out, and what still counts then.

use std::time::{Duration, Instant};

use cunlian_tests::place::Kind;

use crate::rig::{
    Line, NEIGHBOUR, ROOM, TOWNSHIP, any_case, ask, device, empty, numbers, refused, reveal, settle, show, text,
    two_tiers, wait, wait_for_county,
};

#[test]
fn a_ticket_is_good_once() {
    let mut county = empty();
    let top = county.found().expect("a county");
    let first = county.place("first", Kind::Node);
    let ticket = county.ticket(first, ROOM, top).expect("a ticket");
    county.join_with(first, &ticket, &[]).expect("it joins");
    let second = county.place("second", Kind::Node);
    refused(&county, second, &["join", &ticket]);
    county.start(first).expect("the first is in");
    any_case(&county, first, 1);
    wait_for_county(&county, first);
}

#[test]
fn a_ticket_expires() {
    let mut county = empty();
    let top = county.found().expect("a county");
    let late = county.place("late", Kind::Node);
    let addr = county.line(late, top).expect("a line");
    let said = ask(
        &county,
        top,
        &["invite", "--unit", ROOM, "--addr", &addr, "--expires", "1s"],
    );
    let expires = u128::try_from(said["expires_ms"].as_i64().expect("a time")).expect("after 1970");
    wait("a second has passed", || {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .is_ok_and(|now| now.as_millis() > expires + 50)
    });
    refused(&county, late, &["join", &text(&said, "ticket")]);
}

#[test]
fn a_ticket_that_was_changed_or_made_up_opens_nothing() {
    let mut county = empty();
    let top = county.found().expect("a county");
    let stranger = county.place("stranger", Kind::Node);
    let ticket = county.ticket(stranger, ROOM, top).expect("a ticket");
    let mut changed = ticket.clone().into_bytes();
    let middle = changed.len() / 2;
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("ASCII");
    for wrong in [changed.as_str(), "CL1-AAAA", "你好"] {
        let said = county[stranger].say(&["join", wrong]).expect("it runs");
        assert!(matches!(said.code(), Some(1 | 2)), "{wrong}: {said:?}");
    }
    county
        .join_with(stranger, &ticket, &[])
        .expect("the right one still works");
}

#[test]
fn a_hub_invites_only_what_lies_below_it() {
    let line = Line::found();
    let invite = |id, unit| {
        let args = ["invite", "--unit", unit, "--addr", "127.0.0.1:1"];
        line.county[id].say(&args).expect("it runs").code()
    };
    assert_eq!(invite(line.township, NEIGHBOUR), Some(0));
    for outside in ["511603104", "511603104002", TOWNSHIP, "999999"] {
        assert_ne!(invite(line.township, outside), Some(0), "{outside}");
    }
    // A ticket for a township makes no room, and the other way round.
    let long = ask(
        &line.county,
        line.top,
        &[
            "invite",
            "--unit",
            "511603104",
            "--addr",
            "127.0.0.1:1",
            "--expires",
            "7d",
        ],
    );
    assert!(text(&long, "ticket").starts_with("CL1-"));
    let too_long = [
        "invite",
        "--unit",
        "511603104",
        "--addr",
        "127.0.0.1:1",
        "--expires",
        "8d",
    ];
    assert_ne!(line.county[line.top].say(&too_long).expect("it runs").code(), Some(0));
}

#[test]
fn a_revoked_room_is_cut_off_within_five_seconds() {
    let (county, top, room) = two_tiers();
    any_case(&county, room, 1);
    wait_for_county(&county, room);
    let id = device(&county, room);
    let connected = || {
        let status = ask(&county, top, &["status"]);
        status["peers"].as_array().is_some_and(|peers| {
            peers
                .iter()
                .any(|p| p["device"] == id.as_str() && p["connected"] == true)
        })
    };
    wait("the room is connected", connected);
    ask(&county, top, &["member", "revoke", &id, "--reason", "电脑丢失"]);
    let begun = Instant::now();
    wait("its live connection is closed", || !connected());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());

    let rooms = ask(&county, top, &["rooms"]);
    let row = rooms
        .as_array()
        .and_then(|rows| rows.iter().find(|row| row["unit"] == ROOM))
        .expect("listed")
        .clone();
    assert_eq!(row["state"], "revoked");
    // It records on for itself, and nothing of that arrives.
    any_case(&county, room, 2);
    assert_eq!(numbers(&county, top).len(), 1);
    assert!(!connected());
}

#[test]
fn a_revoked_room_says_so_on_its_own_screen_also_after_a_restart() {
    let (mut county, top, room) = two_tiers();
    let id = device(&county, room);
    county[room].stop().expect("it stops");
    ask(&county, top, &["member", "revoke", &id, "--reason", "电脑丢失"]);
    // From now on it is refused in the handshake: no session will ever tell it.
    county.start(room).expect("it starts again");
    wait("the room knows why it is alone", || {
        let status = ask(&county, room, &["status"]);
        let away = status["turned_away"].as_array().expect("a list").clone();
        away.iter()
            .any(|one| one["reason"] == "revoked" && !text(one, "text").is_empty())
    });
    let said = county[room].say(&["status"]).expect("it runs").stdout;
    assert!(said.contains("本机已被停用") && said.contains("入网票"), "{said}");
}

#[test]
fn what_a_revoked_room_left_with_its_township_waits_until_a_statement_lets_it_in() {
    let line = Line::found();
    let first = any_case(&line.county, line.room, 1);
    wait_for_county(&line.county, line.room);
    let id = device(&line.county, line.room);

    // The county revokes what it knows; the township has receipted more by then.
    line.county.cut(line.township);
    let second = any_case(&line.county, line.room, 2);
    wait("the township has it", || {
        text(&show(&line.county, line.room, &second), "receipt") == "township"
    });
    ask(
        &line.county,
        line.top,
        &["member", "revoke", &id, "--reason", "人员调离"],
    );
    line.county.heal(line.township);
    let hubs = [line.top, line.township];
    settle(&line.county, &hubs);
    for hub in hubs {
        wait("both tiers agree on what counts", || {
            numbers(&line.county, hub) == [first.clone()]
        });
    }

    ask(&line.county, line.top, &["member", "extend", &id]);
    settle(&line.county, &hubs);
    for hub in hubs {
        wait("it counts after all", || {
            numbers(&line.county, hub) == [first.clone(), second.clone()]
        });
    }
}

#[test]
fn a_replaced_room_takes_its_book_over() {
    let mut line = Line::found();
    let first = any_case(&line.county, line.room, 1);
    wait_for_county(&line.county, line.room);
    line.county[line.room].kill();
    let lost = device(&line.county, line.room);
    ask(
        &line.county,
        line.township,
        &["member", "revoke", &lost, "--reason", "电脑丢失"],
    );
    let new = line.county.room(ROOM, &[line.township]).expect("a new PC");
    settle(&line.county, &[line.top, line.township, new]);
    wait("the book is back", || numbers(&line.county, new) == [first.clone()]);
    let case = reveal(&line.county, new, &first);
    let name = case["fields"]
        .as_array()
        .and_then(|f| f.iter().find(|f| f["name"] == "name"))
        .cloned()
        .expect("a name");
    assert_eq!(name["value"], "王小明", "the new PC may read what the old one wrote");
}
