//! Personal values: sealed in every file, and gone for good once erased.

use std::fs;
use std::path::Path;

use crate::rig::{Line, PROMISED, ask, cert_no, new_case, show, text, verify, wait, wait_for_county};

/// Files below `dir` in which the bytes occur.
fn found_in(dir: &Path, wanted: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(found_in(&path, wanted));
        } else if fs::read(&path).is_ok_and(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted)) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn no_file_of_any_tier_ever_holds_a_name_or_an_identity_number_in_the_clear() {
    let line = Line::found();
    let cert_no = cert_no(77);
    new_case(&line.county, line.room, PROMISED, "欧阳靖瑶", &cert_no);
    wait_for_county(&line.county, line.room);
    line.settle();
    for id in line.all() {
        for wanted in ["欧阳靖瑶", cert_no.as_str(), "13800138000"] {
            let found = found_in(line.county[id].data(), wanted.as_bytes());
            assert!(found.is_empty(), "{wanted} lies open in {found:?}");
        }
    }
}

#[test]
fn an_erased_person_is_forgotten_by_every_tier_and_the_skeleton_stays() {
    let mut line = Line::found();
    let number = new_case(&line.county, line.room, PROMISED, "欧阳靖瑶", &cert_no(78));
    let other = new_case(&line.county, line.room, PROMISED, "司马光远", &cert_no(79));
    wait_for_county(&line.county, line.room);
    line.county[line.room].stop().expect("it stops");
    let backup = line.county.file("backup");
    line.county[line.room].copy_data(&backup).expect("a backup");
    line.county.start(line.room).expect("it starts");

    ask(
        &line.county,
        line.township,
        &["case", "erase", &number, "--reason", "本人申请"],
    );
    let value = |id, number: &str, field: &str| {
        let case = show(&line.county, id, number);
        let fields = case["fields"].as_array().expect("fields").clone();
        fields
            .iter()
            .find(|f| f["name"] == field)
            .map(|f| f["value"].clone())
            .unwrap_or_default()
    };
    for id in line.all() {
        wait("the person is forgotten", || {
            value(id, &number, "name").is_null() && value(id, &number, "cert_no").is_null()
        });
        assert_eq!(value(id, &other, "name"), "司*", "nobody else is");
        assert_eq!(line.county.cases(id).expect("a list").len(), 2, "the skeleton stays");
        assert!(found_in(line.county[id].data(), "欧阳靖瑶".as_bytes()).is_empty());
        assert!(found_in(line.county[id].data(), cert_no(78).as_bytes()).is_empty());
    }

    // A backup from before forgets the person anew.
    line.county[line.room].kill();
    line.county[line.room].restore_data(&backup).expect("restored");
    line.county.start(line.room).expect("it starts");
    line.settle();
    let forgotten = || {
        let case = show(&line.county, line.room, &number);
        case["fields"]
            .as_array()
            .is_some_and(|f| f.iter().all(|f| f["name"] != "name" || f["value"].is_null()))
    };
    wait("forgotten anew", forgotten);
    assert_eq!(text(&show(&line.county, line.room, &number), "state"), "received");
    verify(&line.county, &line.all());
}
