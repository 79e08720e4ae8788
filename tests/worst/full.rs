//! Disks that are full or fail, under real daemons on real files.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cunlian_tests::county::{County, PlaceId, eventually};
use cunlian_tests::failing::{KINDS, endure, record_until_refused};
use cunlian_tests::place::Kind;

#[test]
fn a_disk_that_fails_now_and_then_loses_nothing_that_was_acknowledged() {
    // A fault that never struck is an error there.
    for seed in 0..KINDS {
        let tally = endure(Path::new(env!("CARGO_BIN_EXE_cunlian-prove")), seed);
        let tally = tally.unwrap_or_else(|error| panic!("{error:#}"));
        println!("seed {seed}: {tally:?}");
    }
}

/// A file system in memory of a given size; gone with this value.
struct Small(PathBuf);

impl Small {
    /// `None` where we may not mount.
    fn mount(at: PathBuf, megabytes: u32) -> Option<Self> {
        fs::create_dir_all(&at).expect("a folder");
        let size = format!("size={megabytes}m");
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(&at)
            .output();
        done.is_ok_and(|done| done.status.success()).then_some(Self(at))
    }

    /// Takes all room but so many bytes.
    fn fill(&self, leave: u64) -> PathBuf {
        let filler = self.0.join("filler");
        let free = free_bytes(&self.0);
        let file = File::create(&filler).expect("a filler");
        let take = free.saturating_sub(leave).to_string();
        drop(file);
        let done = Command::new("fallocate").args(["-l", &take]).arg(&filler).status();
        assert!(done.is_ok_and(|done| done.success()), "the filler");
        filler
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

fn free_bytes(at: &Path) -> u64 {
    let told = Command::new("df")
        .args(["--output=avail", "-B1"])
        .arg(at)
        .output()
        .expect("df");
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    text.lines()
        .nth(1)
        .and_then(|line| line.trim().parse().ok())
        .expect("a number")
}

#[test]
fn a_full_disk_is_told_and_work_goes_on_when_there_is_room() {
    // To the last byte; with some room left for the journal, not for the index's growth; just above what is kept free.
    for leave in [0, 3, 33] {
        full(leave * 1024 * 1024);
    }
}

fn full(leave: u64) {
    let mut county = County::new(Path::new(env!("CARGO_BIN_EXE_cunlian-prove"))).expect("a county");
    let Some(disk) = Small::mount(county.file("disk"), 192) else {
        println!("not shown here: mounting is not permitted");
        return;
    };
    let id = county.place_at("room", Kind::Node, disk.0.join("room"));
    let table = |name: &str| county.file(name).display().to_string();
    let (matters, holidays) = (table("matters.tsv"), table("holidays.tsv"));
    let init = [
        "init",
        "--unit",
        "511603102201",
        "--name",
        "石莲村",
        "--matters",
        &matters,
        "--holidays",
        &holidays,
    ];
    county[id].json(&init).expect("a room");
    county.start(id).expect("it runs");
    let data = county[id].data().to_owned();
    let (mut acked, refused) = record_until_refused(&data, 20).expect("room enough");
    assert!(refused.is_none());

    let filler = disk.fill(leave);
    let (more, refused) = record_until_refused(&data, 5_000).expect("it answers on a full disk");
    println!("{} cases with {leave} bytes left", more.len());
    acked.extend(more);
    let (code, words) = refused.expect("it must end somewhere");
    assert_eq!(code, "disk_full", "{words}");
    assert!(words.contains("磁盘已满"), "{words}");
    let status = county[id].json(&["status"]).expect("status on a full disk");
    assert_eq!(status["disk"]["state"], "read_only", "{}", status["disk"]);

    fs::remove_file(filler).expect("room again");
    let went_on = eventually(Duration::from_secs(90), "work goes on", || {
        let (more, refused) = record_until_refused(&data, 1)?;
        acked.extend(more);
        Ok(refused.is_none())
    });
    went_on.unwrap_or_else(|error| panic!("{error:#}\n{}", county[id].log_tail()));
    all_there(&mut county, id, &acked);
}

/// After a kill: every acknowledged case, and nothing off.
fn all_there(county: &mut County, id: PlaceId, acked: &[String]) {
    county[id].kill();
    county.start(id).expect("it starts");
    let listed = county.cases(id).expect("a list");
    let numbers: Vec<&str> = listed.iter().filter_map(|case| case["project_no"].as_str()).collect();
    for number in acked {
        assert!(numbers.contains(&number.as_str()), "{number} was acknowledged");
    }
    let said = county[id].say(&["verify"]).expect("verify");
    assert_eq!(said.code(), Some(0), "{}{}", said.stdout, said.stderr);
    county[id].stop().expect("it stops");
}
