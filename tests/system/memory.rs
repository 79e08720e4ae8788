//! A locked room: what opens personal values is in no byte of the program's memory.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use aho_corasick::AhoCorasick;
use serde_json::json;

use super::rig::{Line, PROMISED, ask, new_case, reveal, two_tiers};
use cunlian_tests::api::Api;
use cunlian_tests::county::{cert_no, eventually};

const WORDS: &str = "石板桥头有三棵黄葛树";

/// How often `wanted` stands in what a process can write to: its heap, its stacks, its data.
fn copies(pid: u32, wanted: &[u8]) -> usize {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the map of a child");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("the memory of a child");
    let finder = AhoCorasick::new([wanted]).expect("one pattern");
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let Some((from, until)) = line.split_whitespace().next().and_then(|range| range.split_once('-')) else {
            continue;
        };
        let place = |hex| u64::from_str_radix(hex, 16).expect("an address");
        let (from, until) = (place(from), place(until));
        let mut bytes = vec![0; usize::try_from(until - from).expect("its length")];
        // A part that cannot be read is not there: reserved, or given back meanwhile.
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            found += finder.find_iter(&bytes).count();
        }
    }
    found
}

/// The unsealing key as the room's folder has it before there is a passphrase.
fn key_of(data: &Path) -> Vec<u8> {
    let hex = fs::read_to_string(data.join("unseal.key")).expect("a key");
    let raw = |i: usize| u8::from_str_radix(&hex[i..i + 2], 16).expect("hex");
    (0..64).step_by(2).map(raw).collect()
}

#[test]
fn a_locked_room_holds_the_key_to_its_names_nowhere_in_memory() {
    let mut line = Line::found();
    let key = key_of(line.county[line.room].data());
    let words = line.county.file("words");
    fs::write(&words, WORDS).expect("a file");
    let words = words.display().to_string();
    ask(
        &line.county,
        line.room,
        &["passphrase", "set", "--passphrase-file", &words],
    );
    line.county[line.room].stop().expect("it stops");
    line.county.start(line.room).expect("it starts");
    let pid = line.county[line.room].pid().expect("it runs");
    assert_eq!(copies(pid, &key), 0, "it starts locked");
    for round in 0..2 {
        ask(&line.county, line.room, &["unlock", "--passphrase-file", &words]);
        let number = new_case(&line.county, line.room, PROMISED, "欧阳靖瑶", &cert_no(9_181 + round));
        let show = ["case", "show", number.as_str(), "--reveal", "--reason", "核对"];
        ask(&line.county, line.room, &show);
        assert!(copies(pid, &key) > 0, "nothing opens without it");
        ask(&line.county, line.room, &["lock"]);
        assert_eq!(copies(pid, &key), 0, "the key, after lock {round}");
        assert_eq!(copies(pid, WORDS.as_bytes()), 0, "the passphrase, after lock {round}");
    }
}

#[test]
fn a_room_left_alone_wipes_the_key_to_its_names_out_of_memory() {
    let (mut county, _, room) = two_tiers();
    let key = key_of(county[room].data());
    let words = county.file("words");
    fs::write(&words, WORDS).expect("a file");
    let words = words.display().to_string();
    ask(&county, room, &["passphrase", "set", "--passphrase-file", &words]);
    county[room].stop().expect("it stops");
    // The shortest there is.
    fs::write(county[room].data().join("config.toml"), "lock_after_minutes = 1\n").expect("a file");
    county.start(room).expect("it starts");
    let pid = county[room].pid().expect("it runs");
    ask(&county, room, &["unlock", "--passphrase-file", &words]);
    let number = new_case(&county, room, PROMISED, "欧阳靖瑶", &cert_no(9_181));
    reveal(&county, room, &number);
    assert!(copies(pid, &key) > 0, "nothing opens without it");
    // To ask for its status is no use of it.
    let mut api = Api::connect(county[room].data()).expect("it answers");
    let locked = eventually(Duration::from_secs(100), "it locks by itself", || {
        let status = api.ask(&json!({ "command": "status" }));
        Ok(status.is_ok_and(|status| status["passphrase"]["locked"] == true))
    });
    locked.unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!(copies(pid, &key), 0, "the key, after a minute without use");
    assert_eq!(copies(pid, WORDS.as_bytes()), 0, "the passphrase");
}
