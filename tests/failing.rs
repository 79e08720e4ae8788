//! Disks that say no: real daemons on real files, with errors that strace puts into their system calls.
//!
//! Nothing is acknowledged that is not there afterwards, the person is told in Chinese, and work goes on when the disk does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use ledger::seed::Seeds;
use serde_json::{Value, json};

use crate::api::{Api, NoAnswer};
use crate::county::{County, PlaceId, cert_no, eventually};

const PATIENCE: Duration = Duration::from_secs(60);
/// Requests to a room whose disk, or whose hub's disk, fails.
const REQUESTS: u32 = 12;

/// The store's room for a full disk.
const RESERVE: &str = "reserve";

/// A call, the file it is made on, and what it fails with.
const FAULTS: [(&str, &str, &str); 20] = [
    ("fdatasync", "journal-00000001", "EIO"),
    ("fdatasync", "journal-00000001", "ENOSPC"),
    ("fdatasync", "vault", "EIO"),
    ("pwrite64", "journal-00000001", "EIO"),
    ("pwrite64", "journal-00000001", "ENOSPC"),
    ("pwrite64", "journal-00000001", "EDQUOT"),
    ("pwrite64", "journal-00000001", "EFBIG"),
    ("pwrite64", "vault", "EIO"),
    ("pwrite64", "vault", "ENOSPC"),
    ("pread64", "journal-00000001", "EIO"),
    ("pread64", "vault", "EIO"),
    ("openat", "journal-00000001", "EMFILE"),
    ("openat", "vault", "EIO"),
    ("pwrite64", "index/db", "EIO"),
    ("pwrite64", "index/db", "ENOSPC"),
    ("pread64", "index/db", "EIO"),
    ("sync_file_range", "index/db", "EIO"),
    ("fsync", "index/db", "EIO"),
    ("openat", "index/db", "EIO"),
    ("fallocate", RESERVE, "ENOSPC"),
];

/// So many seeds bring every fault by once.
pub const KINDS: u64 = FAULTS.len() as u64;

/// How long the fault lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lasting {
    Once,
    /// For good, from some call on.
    On,
}

/// One fault, where and when it strikes.
struct Fault {
    kind: (&'static str, &'static str, &'static str),
    victim: PlaceId,
    /// The first call that fails; each thread counts its own.
    first: u64,
    lasting: Lasting,
}

impl Fault {
    fn inject(&self) -> String {
        let (call, _, error) = self.kind;
        let on = if self.lasting == Lasting::On { "+" } else { "" };
        format!("inject={call}:error={error}:when={}{on}", self.first)
    }
}

/// What one story came to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub fault: String,
    /// Calls that failed because strace said so.
    pub struck: usize,
    pub recorded: u64,
    pub refused: u64,
}

struct Story {
    county: County,
    top: PlaceId,
    room: PlaceId,
    acked: BTreeSet<String>,
    /// Said by the room to be at the county.
    told: BTreeSet<String>,
    people: u32,
    tally: Tally,
}

/// A county and a room; the disk of one of them fails as the seed says, then works again.
///
/// # Errors
/// With what was lost or not said, and the seed; a fault that never struck.
pub fn endure(exe: &Path, seed: u64) -> Result<Tally> {
    let mut seeds = crate::power::seeds(seed);
    let mut county = County::new(exe)?;
    let top = county.found()?;
    let room = county.room("511603102201", &[top])?;
    let mut story = Story {
        county,
        top,
        room,
        acked: BTreeSet::new(),
        told: BTreeSet::new(),
        people: 0,
        tally: Tally::default(),
    };
    let done = story.play(seed, &mut seeds);
    let fault = story.tally.fault.clone();
    done.with_context(|| format!("seed {seed}: {fault}"))?;
    Ok(story.tally)
}

impl Story {
    fn play(&mut self, seed: u64, seeds: &mut Seeds) -> Result<()> {
        self.record(2)?;
        // Every fault comes by in turn; where and when it strikes is drawn.
        let mut fault = Fault {
            kind: FAULTS[(seed % KINDS) as usize],
            lasting: [Lasting::Once, Lasting::On][seeds.below(2) as usize],
            first: 1 + seeds.below(10),
            victim: [self.room, self.room, self.top][seeds.below(3) as usize],
        };
        self.suffer(&fault)?;
        // Some calls are made seldom: what was drawn may never have come.
        for victim in [fault.victim, self.room, self.top] {
            if self.tally.struck == 0 {
                (fault.first, fault.victim) = (1, victim);
                self.suffer(&fault)?;
            }
        }
        ensure!(self.tally.struck > 0, "the fault never struck: nothing is proved");
        Ok(())
    }

    /// Work under the fault, then without it.
    fn suffer(&mut self, fault: &Fault) -> Result<()> {
        let Fault { victim, kind, .. } = *fault;
        let (_, file, _) = kind;
        self.county[victim].stop()?;
        if file == RESERVE {
            // Given up on a full disk, and made anew at the next start.
            fs::remove_file(self.county[victim].data().join(file))?;
        }
        let path = self.county[victim].data().join(file).display().to_string();
        let inject = fault.inject();
        self.tally.fault = format!("{} {file} {inject}", self.county[victim].name());
        self.county[victim].mark(&inject);
        let told = self.county.file("strace").display().to_string();
        let words = ["strace", "-f", "-D", "-qq", "-o", &told, "-P", &path, "-e", &inject];
        self.county[victim].set_under(&words);
        let up = self.county.start(victim);
        match up {
            Ok(()) => self.record(REQUESTS)?,
            Err(error) => self.not_opened(&format!("{error:#}"))?,
        }
        self.listen();
        self.county[victim].kill();
        self.county[victim].set_under(&[]);
        self.county.start(victim).context("after the fault")?;
        let told = String::from_utf8_lossy(&fs::read(&told).context("what strace told")?).into_owned();
        self.tally.struck += told.matches("(INJECTED)").count();
        self.nothing_is_lost()
    }

    /// A folder that cannot be opened is told so that a person knows what to do.
    fn not_opened(&self, error: &str) -> Result<()> {
        ensure!(error.contains("请"), "no advice in Chinese: {error}");
        Ok(())
    }

    fn record(&mut self, requests: u32) -> Result<()> {
        let data = self.county[self.room].data().to_owned();
        for _ in 0..requests {
            self.people += 1;
            let new = json!({
                "command": "case_new", "matter": "B23", "name": "张三", "cert_no": cert_no(self.people),
            });
            let asked = Api::connect(&data)
                .map_err(|_| NoAnswer::Gone)
                .and_then(|mut api| api.ask(&new));
            match asked {
                Ok(said) => {
                    self.tally.recorded += 1;
                    self.acked
                        .insert(said["project_no"].as_str().context("a number")?.to_owned());
                }
                Err(NoAnswer::Refused(code, words)) => {
                    self.tally.refused += 1;
                    let is_chinese = words.contains('请') && words.chars().any(|c| c > '\u{4E00}');
                    ensure!(is_chinese, "refused without advice in Chinese: {code}: {words}");
                }
                // Nobody knows what became of it; the daemon opens its folder anew.
                Err(NoAnswer::Gone) => thread::sleep(Duration::from_millis(100)),
            }
        }
        Ok(())
    }

    fn listen(&mut self) {
        // A daemon whose disk fails may not answer; then nothing is promised.
        let listed = listed(self.county[self.room].data()).unwrap_or_default();
        let told = listed.iter().filter(|case| case["receipt"] == "county");
        self.told.extend(told.filter_map(number));
    }

    fn nothing_is_lost(&mut self) -> Result<()> {
        let here: BTreeSet<String> = listed(self.county[self.room].data())?
            .iter()
            .filter_map(number)
            .collect();
        let lost: Vec<_> = self.acked.difference(&here).collect();
        ensure!(
            lost.is_empty(),
            "the room lost {lost:?}\n{}",
            self.county[self.room].log_tail()
        );
        let there: BTreeSet<String> = listed(self.county[self.top].data())?
            .iter()
            .filter_map(number)
            .collect();
        let lost: Vec<_> = self.told.difference(&there).collect();
        ensure!(
            lost.is_empty(),
            "the county lost {lost:?}\n{}",
            self.county[self.top].log_tail()
        );
        let before = self.tally.recorded;
        self.record(1)?;
        ensure!(
            self.tally.recorded == before + 1,
            "no case can be recorded after the fault"
        );
        let all = [self.top, self.room];
        eventually(PATIENCE, "the county has every case", || {
            let listed = listed(self.county[self.room].data())?;
            Ok(listed.iter().all(|case| case["receipt"] == "county"))
        })?;
        eventually(PATIENCE, "both are in step", || self.county.in_step(&all))?;
        for id in all {
            let said = self.county[id].say(&["verify"])?;
            ensure!(
                said.code() == Some(0),
                "{}: {}{}",
                self.county[id].name(),
                said.stdout,
                said.stderr
            );
        }
        Ok(())
    }
}

fn number(case: &Value) -> Option<String> {
    case["project_no"].as_str().map(str::to_owned)
}

fn listed(data: &Path) -> Result<Vec<Value>> {
    let mut api = Api::connect(data)?;
    match api.ask(&json!({ "command": "case_list", "limit": 1_000_000 })) {
        Ok(listed) => Ok(listed.as_array().cloned().unwrap_or_default()),
        Err(error) => bail!("the list: {error:?}"),
    }
}

/// The code and the words of a refusal.
pub type Refusal = (String, String);

/// Records until the folder takes no more, or `most` cases; answers the numbers acknowledged and the refusal.
///
/// # Errors
/// When the daemon goes away.
pub fn record_until_refused(data: &Path, most: u32) -> Result<(Vec<String>, Option<Refusal>)> {
    let mut api = Api::connect(data)?;
    let mut acked = Vec::new();
    let began = Instant::now();
    for person in 1..=most {
        let note = "备注".repeat(600);
        let new = json!({
            "command": "case_new", "matter": "B23", "name": "李四", "cert_no": cert_no(person), "note": note,
        });
        match api.ask(&new) {
            Ok(said) => acked.push(said["project_no"].as_str().context("a number")?.to_owned()),
            Err(NoAnswer::Refused(code, words)) => return Ok((acked, Some((code, words)))),
            Err(NoAnswer::Gone) => bail!("the daemon went away after {:?}", began.elapsed()),
        }
    }
    Ok((acked, None))
}
