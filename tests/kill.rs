//! Processes killed at random moments: a room, its township and the county record and sync while one of them after the other gets
//! SIGKILL. After each restart everything that was acknowledged is there.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use ledger::seed::Seeds;
use serde_json::{Value, json};

use crate::api::{Api, NoAnswer};
use crate::county::{County, PlaceId, cert_no, eventually};

const PATIENCE: Duration = Duration::from_secs(120);
/// Between the first request and the kill; a record takes about a millisecond, a restart some twenty.
const LIFE_MS: u64 = 150;
/// Between the start of a process and its kill while it opens its folder.
const START_MS: u64 = 60;

/// What a loop came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub kills: u64,
    pub recorded: u64,
    /// Lines cut or healed on the way.
    pub lines: u64,
}

struct Siege {
    county: County,
    /// Top down.
    places: [PlaceId; 3],
    seeds: Seeds,
    /// Acknowledged by the room.
    acked: BTreeSet<String>,
    /// Said by the room to be at the township, and at the county.
    told: [BTreeSet<String>; 2],
    people: u32,
    tally: Tally,
}

/// Kills `kills` processes of one county of three places, and demands at the end that all places are in step.
///
/// # Errors
/// With what was lost, and the seed.
pub fn besiege(exe: &Path, seed: u64, kills: u64) -> Result<Tally> {
    let mut county = County::new(exe)?;
    let top = county.found()?;
    let township = county.township("511603102", top)?;
    let room = county.room("511603102201", &[township])?;
    let mut siege = Siege {
        county,
        places: [top, township, room],
        seeds: crate::power::seeds(seed),
        acked: BTreeSet::new(),
        told: [BTreeSet::new(), BTreeSet::new()],
        people: 0,
        tally: Tally::default(),
    };
    while siege.tally.kills < kills {
        let at = siege.tally.kills;
        siege.round().with_context(|| format!("seed {seed}, kill {at}"))?;
    }
    siege
        .end()
        .with_context(|| format!("seed {seed}, after {kills} kills"))?;
    Ok(siege.tally)
}

impl Siege {
    fn round(&mut self) -> Result<()> {
        self.change_lines();
        self.listen()?;
        let victim = self.places[[0, 1, 2, 2][self.seeds.below(4) as usize]];
        let life = Duration::from_millis(self.seeds.below(LIFE_MS));
        let [_, _, room] = self.places;
        let data = self.county[room].data().to_owned();
        let stop = AtomicBool::new(false);
        let first = self.people;
        let county = &mut self.county;
        let recorded = thread::scope(|scope| {
            let clerk = scope.spawn(|| record(&data, first, &stop));
            thread::sleep(life);
            county[victim].kill();
            stop.store(true, Ordering::Relaxed);
            clerk.join().unwrap_or_else(|_| bail!("the clerk panicked"))
        })?;
        self.people += recorded.len() as u32 + 1;
        self.tally.kills += 1;
        self.tally.recorded += recorded.len() as u64;
        self.acked.extend(recorded);
        if self.seeds.below(4) == 0 {
            self.kill_while_opening(victim)?;
        }
        if victim == room && self.seeds.below(4) == 0 {
            self.kill_a_command()?;
        }
        self.county.start(victim)?;
        self.nothing_is_lost(victim)
    }

    fn change_lines(&mut self) {
        for lower in [1, 2] {
            if self.seeds.below(4) == 0 {
                self.tally.lines += 1;
                match self.seeds.below(2) {
                    0 => self.county.cut(self.places[lower]),
                    _ => self.county.heal(self.places[lower]),
                }
            }
        }
    }

    /// What the room says of the places above is a promise, too.
    fn listen(&mut self) -> Result<()> {
        let [_, _, room] = self.places;
        for case in listed(self.county[room].data())? {
            let number = case["project_no"].as_str().unwrap_or_default().to_owned();
            match case["receipt"].as_str() {
                Some("county") => {
                    self.told[0].insert(number);
                }
                Some("township") => {
                    self.told[1].insert(number);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The process is killed while it opens its folder, perhaps after it has come up.
    fn kill_while_opening(&mut self, victim: PlaceId) -> Result<()> {
        let mut starting = self.county[victim].command(&["run"]);
        let mut child = starting.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        thread::sleep(Duration::from_millis(self.seeds.below(START_MS)));
        child.kill()?;
        child.wait()?;
        self.tally.kills += 1;
        Ok(())
    }

    /// A command that works on the folder itself is killed; if it had answered, its answer holds.
    fn kill_a_command(&mut self) -> Result<()> {
        let [_, _, room] = self.places;
        self.people += 1;
        let person = cert_no(self.people);
        let args = [
            "case",
            "new",
            "--matter",
            "B23",
            "--name",
            "王小明",
            "--cert-no",
            &person,
            "--json",
        ];
        let mut command = self.county[room].command(&args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        thread::sleep(Duration::from_millis(self.seeds.below(START_MS)));
        child.kill()?;
        let said = child.wait_with_output()?;
        self.tally.kills += 1;
        if let Ok(said) = serde_json::from_slice::<Value>(&said.stdout) {
            let number = said["project_no"].as_str().context("a number")?;
            self.acked.insert(number.to_owned());
        }
        Ok(())
    }

    fn nothing_is_lost(&self, victim: PlaceId) -> Result<()> {
        let [top, township, _] = self.places;
        let here: BTreeSet<String> = listed(self.county[victim].data())?
            .iter()
            .filter_map(|case| case["project_no"].as_str().map(str::to_owned))
            .collect();
        let promised = match victim {
            _ if victim == top => &self.told[0],
            _ if victim == township => &self.told[1],
            _ => &self.acked,
        };
        let lost: Vec<_> = promised.difference(&here).collect();
        let name = self.county[victim].name();
        ensure!(
            lost.is_empty(),
            "{name} lost {lost:?}\n{}",
            self.county[victim].log_tail()
        );
        Ok(())
    }

    /// Lines up: all places come into step, and nothing is off in any folder.
    fn end(&mut self) -> Result<()> {
        self.county.heal_all();
        let [top, township, room] = self.places;
        eventually(PATIENCE, "the county has every case", || {
            let cases = listed(self.county[room].data())?;
            Ok(cases.iter().all(|case| case["receipt"] == "county"))
        })?;
        eventually(PATIENCE, "all places are in step", || self.county.in_step(&self.places))?;
        for id in [room, township, top] {
            let said = self.county[id].say(&["verify"])?;
            ensure!(
                said.code() == Some(0),
                "{}: {}{}",
                self.county[id].name(),
                said.stdout,
                said.stderr
            );
        }
        let here = listed(self.county[top].data())?;
        let here: BTreeSet<&str> = here.iter().filter_map(|case| case["project_no"].as_str()).collect();
        let lost: Vec<_> = self
            .acked
            .iter()
            .filter(|number| !here.contains(number.as_str()))
            .collect();
        ensure!(lost.is_empty(), "the county lacks {lost:?}");
        Ok(())
    }
}

fn listed(data: &Path) -> Result<Vec<Value>> {
    let mut api = Api::connect(data)?;
    let asked = api.ask(&json!({ "command": "case_list", "limit": 1_000_000 }));
    let listed = asked.map_err(|error| anyhow::anyhow!("the list: {error:?}"))?;
    Ok(listed.as_array().cloned().unwrap_or_default())
}

/// A clerk records one case after the other; answers the numbers that were acknowledged.
fn record(data: &Path, first: u32, stop: &AtomicBool) -> Result<Vec<String>> {
    let mut acked = Vec::new();
    let Ok(mut api) = Api::connect(data) else {
        return Ok(acked);
    };
    for person in first.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let new = json!({
            "command": "case_new", "matter": "B23", "name": "张三", "cert_no": cert_no(person), "mobile": "13800138000",
        });
        match api.ask(&new) {
            Ok(said) => acked.push(said["project_no"].as_str().context("a number")?.to_owned()),
            Err(NoAnswer::Gone) => break,
            Err(NoAnswer::Refused(code, words)) => bail!("a case was refused: {code} {words}"),
        }
    }
    Ok(acked)
}
