//! What disks do: lost indexes, flipped bytes, torn ends; and the proof that nothing is acknowledged before it is synced.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::rig::{Line, PROMISED, any_case, ask, cert_no, device, numbers, two_tiers, verify, wait, wait_for_county};

/// The journal's segments, oldest first.
fn segments(data: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(data)
        .expect("the folder")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().contains("journal"))
        })
        .flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no journal in {}", data.display());
    found
}

fn files_in(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect()
}

#[test]
fn a_deleted_or_damaged_index_loses_nothing() {
    let mut line = Line::found();
    let expected = vec![
        any_case(&line.county, line.room, 1),
        any_case(&line.county, line.room, 2),
    ];
    wait_for_county(&line.county, line.room);
    for id in line.all() {
        line.county[id].stop().expect("it stops");
        let index = line.county[id].data().join("index");
        if id == line.township {
            for file in files_in(&index) {
                fs::write(file, b"not what was here").expect("damaged");
            }
        } else {
            fs::remove_dir_all(&index).expect("deleted");
        }
        line.county.start(id).expect("it starts without its index");
    }
    line.settle();
    for id in line.all() {
        assert_eq!(numbers(&line.county, id), expected);
    }
    verify(&line.county, &line.all());
    ask(&line.county, line.room, &["reindex"]);
    assert_eq!(numbers(&line.county, line.room), expected);
}

#[test]
fn flipped_bytes_and_torn_ends_of_the_journal_are_found_told_and_fetched_again() {
    let (mut county, top, room) = two_tiers();
    let expected: Vec<String> = (0..4).map(|n| any_case(&county, room, n)).collect();
    wait_for_county(&county, room);
    county[room].stop().expect("it stops");
    let whole = county.file("whole");
    county[room].copy_data(&whole).expect("a copy");
    // Where to hurt it: spread over the file by a fixed rule, so that a failure can be repeated.
    for n in 0..8u64 {
        county[room].restore_data(&whole).expect("restored");
        let segment = segments(county[room].data()).pop().expect("a segment");
        let mut bytes = fs::read(&segment).expect("read");
        let used = bytes.iter().rposition(|b| *b != 0).map_or(1, |last| last + 1) as u64;
        let at = usize::try_from((n * 2 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) % used).expect("inside");
        if n % 2 == 0 {
            bytes[at] ^= 1 << (n % 8);
        } else {
            bytes.truncate(at.max(1));
        }
        fs::write(&segment, &bytes).expect("hurt");
        county[room].mark(&format!("hurt at byte {at} of {used}"));
        county.start(room).expect("it starts on a disk that rotted");
        let opened = ask(&county, room, &["status"])["opened"].clone();
        let count = |key: &str| opened[key].as_u64().unwrap_or(0);
        let told = count("torn") + count("damaged") + count("mended");
        assert!(told > 0 || !opened["rebuilt"].is_null(), "byte {at}: {opened}");
        wait("what was lost is fetched again", || {
            let listed = county.cases(room).is_ok_and(|cases| cases.len() == expected.len());
            listed && county.in_step(&[top, room]).is_ok_and(|same| same)
        });
        assert_eq!(numbers(&county, room), expected);
        verify(&county, &[room]);
        county[room].stop().expect("it stops");
    }
    assert_eq!(numbers(&county, top), expected, "the county was never led astray");
    verify(&county, &[top]);
}

#[test]
fn every_acknowledged_case_is_synced_before_it_is_said() {
    let (mut county, _, room) = two_tiers();
    county[room].stop().expect("it stops");
    let trace = county.file("trace");
    let args = [
        "case",
        "new",
        "--matter",
        PROMISED,
        "--name",
        "张三",
        "--cert-no",
        &cert_no(1),
        "--json",
    ];
    let traced = county[room].command(&args);
    let mut strace = Command::new("strace");
    strace
        .args([
            "-f",
            "-y",
            "-s",
            "4096",
            "-e",
            "trace=write,pwrite64,writev,fdatasync,fsync",
            "-o",
        ])
        .arg(&trace);
    strace
        .arg(traced.get_program())
        .args(traced.get_args())
        .stdin(Stdio::null());
    let output = strace.output().expect("strace is installed by tests/run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let text = fs::read_to_string(&trace).expect("a trace");
    let lines: Vec<&str> = text.lines().collect();
    let said = lines
        .iter()
        .position(|line| line.contains("project_no"))
        .expect("the answer is written");
    let is_journal = |line: &str| line.contains("journal") && !line.contains("resumed");
    let written = lines[..said]
        .iter()
        .rposition(|line| line.contains("write") && is_journal(line))
        .expect("journalled first");
    let synced = lines[written..said]
        .iter()
        .any(|line| line.contains("fdatasync(") && is_journal(line));
    assert!(
        synced,
        "said before it was synced:\n{}",
        lines[written..=said].join("\n")
    );
}

#[test]
fn a_second_daemon_on_one_folder_says_so_and_ends() {
    let (county, _, room) = two_tiers();
    let said = county[room].say(&["run"]).expect("it runs");
    assert_eq!(said.code(), Some(1), "{said:?}");
    assert!(said.stderr.chars().any(|c| c > '\u{4E00}'), "{said:?}");
    assert!(!device(&county, room).is_empty(), "the first goes on");
}
