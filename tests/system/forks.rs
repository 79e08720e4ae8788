//! One device, two lives: a data folder that was copied.

use cunlian_tests::county::{County, PlaceId};
use cunlian_tests::place::Kind;

use crate::rig::{Line, ROOM, TOWNSHIP, any_case, ask, empty, numbers, settle, text, verify, wait, wait_for_county};

/// A second place that works on a copy of the first one's folder.
fn twin_of(county: &mut County, id: PlaceId) -> PlaceId {
    let twin = county.place("twin", Kind::Node);
    let to = county[twin].data().to_owned();
    county[id].copy_data(&to).expect("a copy");
    twin
}

/// Case numbers without what tells equal ones apart.
fn printed(numbers: &[String]) -> Vec<String> {
    let mut printed: Vec<String> = numbers.iter().map(|number| number.chars().take(20).collect()).collect();
    printed.sort();
    printed
}

#[test]
fn a_copied_folder_and_its_original_lose_no_case_and_the_hub_reports_the_fork() {
    let mut line = Line::found();
    let shared = any_case(&line.county, line.room, 1);
    line.settle();
    line.county[line.room].stop().expect("it stops");
    let twin = twin_of(&mut line.county, line.room);
    line.county.cut(line.room);
    line.county.start(line.room).expect("the original");
    line.county.start(twin).expect("the copy");
    let mut expected = vec![shared];
    for n in 2..5 {
        expected.push(any_case(&line.county, line.room, n));
        expected.push(any_case(&line.county, twin, n + 10));
    }
    expected.sort();

    line.county.heal(line.room);
    settle(&line.county, &[line.top, line.township, line.room, twin]);
    for id in [line.room, twin, line.township, line.top] {
        wait("every case of both is listed", || {
            printed(&numbers(&line.county, id)) == expected
        });
        let listed = numbers(&line.county, id);
        let apart: std::collections::BTreeSet<&String> = listed.iter().collect();
        assert_eq!(apart.len(), 7, "equal numbers are told apart: {listed:?}");
    }
    wait("the fork is reported", || {
        ask(&line.county, line.township, &["status"])["forks"].as_u64() > Some(0)
    });
    verify(&line.county, &[line.top, line.township, line.room, twin]);

    // Both go on, and no longer under one number.
    let (a, b) = (any_case(&line.county, line.room, 20), any_case(&line.county, twin, 21));
    assert_ne!(a, b);
    settle(&line.county, &[line.top, line.township, line.room, twin]);
}

#[test]
fn an_equal_number_is_ambiguous_and_both_are_named() {
    let mut line = Line::found();
    line.settle();
    line.county[line.room].stop().expect("it stops");
    let twin = twin_of(&mut line.county, line.room);
    line.county.cut(line.room);
    line.county.start(line.room).expect("the original");
    line.county.start(twin).expect("the copy");
    let (a, b) = (any_case(&line.county, line.room, 1), any_case(&line.county, twin, 2));
    assert_eq!(a, b, "both count on from the same day");
    line.county.heal(line.room);
    settle(&line.county, &[line.top, line.township, line.room, twin]);
    wait("the county lists both", || {
        numbers(&line.county, line.top) == [a.clone(), format!("{a}-2")]
    });
    let said = crate::rig::refused(&line.county, line.top, &["case", "show", &a]);
    assert!(
        said.stderr.contains(&format!("{a}-2")) || said.stdout.contains(&format!("{a}-2")),
        "{said:?}"
    );
    assert_eq!(
        crate::rig::conflicts(&line.county, line.township, "same_number").len(),
        1
    );
}

#[test]
fn a_fork_whose_author_is_gone_reconciles_between_the_tiers() {
    let mut county = empty();
    let top = county.found().expect("a county");
    let township = county.township(TOWNSHIP, top).expect("a township");
    let room = county.room(ROOM, &[township, top]).expect("a room");
    settle(&county, &[top, township, room]);
    county[room].stop().expect("it stops");
    let twin = twin_of(&mut county, room);
    let cut = |county: &County, lower, upper| county.relay(lower, upper).expect("a line").cut();
    let heal = |county: &County, lower, upper| county.relay(lower, upper).expect("a line").heal();

    // Tail A reaches the township only.
    cut(&county, township, top);
    cut(&county, room, top);
    county.start(room).expect("the original");
    let a = any_case(&county, room, 1);
    wait("the township has tail A", || {
        county
            .cases(room)
            .is_ok_and(|cases| cases.iter().any(|c| c["receipt"] == "township"))
    });
    county[room].kill();

    // Tail B reaches the county only.
    cut(&county, room, township);
    heal(&county, room, top);
    county.start(twin).expect("the copy");
    let b = any_case(&county, twin, 2);
    wait_for_county(&county, twin);
    county[twin].kill();

    heal(&county, township, top);
    settle(&county, &[top, township]);
    for id in [top, township] {
        wait("both tails are here", || {
            printed(&numbers(&county, id)) == printed(&[a.clone(), b.clone()])
        });
    }
    verify(&county, &[top, township]);
    assert_eq!(text(&ask(&county, top, &["status"]), "tier"), "county");
}
