//! The runs that are recorded: real daemons and commands on real folders, and a driver that says on its standard output what was
//! asked and what was acknowledged, so that the trace tells which promise stood at which call.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use ledger::seed::Seeds;
use serde_json::{Value, json};

use super::trace::{MARK, STRACE_ARGS, Trace};
use crate::api::{Api, NoAnswer};
use crate::county::{County, PlaceId, eventually};
use crate::place::Kind;

/// The runs by name.
pub const RUNS: [&str; 9] = [
    "alone", "county", "import", "reindex", "erase", "torn", "failing", "full", "killed",
];

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
const ROOM: &str = "511603102201";
const NAMES: [&str; 8] = ["张三", "李四", "王小明", "赵六", "欧阳春", "孙八", "周九", "吴十"];

/// Runs the recorder under strace and reads its trace; answers the trace's text, too, for whoever keeps it.
///
/// # Errors
/// When strace is missing, the run fails, or the trace is not understood.
pub fn record(exe: &Path, run: &str, seed: u64) -> Result<(String, Trace)> {
    let file = tempfile::NamedTempFile::new_in(super::scratch())?;
    let output = Command::new("strace")
        // Signals are not put in under a filter.
        .args(
            STRACE_ARGS
                .iter()
                .filter(|arg| run != "killed" || **arg != "--seccomp-bpf"),
        )
        .args(inject(run, seed))
        .arg("-o")
        .arg(file.path())
        .arg(exe)
        .args(["record", run, &seed.to_string()])
        .env("TMPDIR", super::scratch())
        .stdin(Stdio::null())
        .output()
        .context("strace is installed by tests/run")?;
    ensure!(
        output.status.success(),
        "recording {run} with seed {seed}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(fs::read(file.path())?).context("a trace is text")?;
    let trace = Trace::parse(&text).with_context(|| format!("the trace of {run} with seed {seed}"))?;
    Ok((text, trace))
}

/// Faults that strace puts into a run. Each thread counts its own calls; founding a room takes fewer than these.
fn inject(run: &str, seed: u64) -> Vec<String> {
    let first = 14 + seed % 13;
    let fault = match run {
        "failing" => format!("inject=fdatasync:error=EIO:when={first}+{}", 5 + seed % 7),
        "full" => format!("inject=pwrite64:error=ENOSPC:when={}..{}", first + 10, first + 14),
        _ => return Vec::new(),
    };
    vec!["-e".to_owned(), fault]
}

/// Plays one run; called in the recorder's own process, under strace.
///
/// # Errors
/// When anything does not go as it must without a power cut.
pub fn play(exe: &Path, run: &str, seed: u64) -> Result<()> {
    let mut county = County::new(exe)?;
    let root = county.file("x");
    let root = root.parent().context("a folder")?;
    say(&json!({ "root": root }))?;
    let mut driver = Driver {
        county: &mut county,
        seeds: super::seeds(seed),
        cases: 0,
    };
    match run {
        "alone" => driver.alone(),
        "county" => driver.county(),
        "import" => driver.import(),
        "reindex" => driver.reindex(),
        "erase" => driver.erase(),
        "torn" => driver.torn(),
        "failing" | "full" => driver.failing(),
        "killed" => driver.killed(),
        _ => bail!("no such run: {run}"),
    }?;
    // The folders are removed after this: no power cut is of interest then.
    say(&json!({ "done": true }))
}

fn say(what: &Value) -> Result<()> {
    // One write, so that the trace has it on one line.
    let line = format!("{MARK}{what}\n");
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())?;
    Ok(out.flush()?)
}

struct Driver<'a> {
    county: &'a mut County,
    seeds: Seeds,
    cases: u32,
}

/// A case as the driver knows it.
#[derive(Clone)]
struct Known {
    number: String,
    record: String,
    name: &'static str,
    entries: u64,
}

impl Driver<'_> {
    fn folder(&self, id: PlaceId) -> String {
        let name = self.county[id].data().file_name();
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn placed(&self, id: PlaceId) -> Result<()> {
        say(&json!({ "ack": "placed", "place": self.folder(id) }))
    }

    fn holds(&self, id: PlaceId, case: &Known) -> Result<()> {
        let Known {
            number,
            record,
            name,
            entries,
        } = case;
        say(&json!({
            "ack": "case", "place": self.folder(id), "number": number, "record": record, "name": name, "entries": entries,
        }))
    }

    fn new_case(&mut self, id: PlaceId, matter: &str) -> Result<Known> {
        self.cases += 1;
        let name = NAMES[self.seeds.below(NAMES.len() as u64) as usize];
        let cert_no = crate::county::cert_no(self.cases);
        let args = ["case", "new", "--matter", matter, "--name", name, "--cert-no", &cert_no];
        let said = self.county[id].json(&args)?;
        let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
        let mut case = Known {
            number: text("project_no"),
            record: text("record_id"),
            name,
            entries: 1,
        };
        self.holds(id, &case)?;
        self.look(id, &mut case)?;
        Ok(case)
    }

    /// What is shown is promised, too.
    fn look(&self, id: PlaceId, case: &mut Known) -> Result<()> {
        let shown = self.county[id].json(&["case", "show", &case.number])?;
        case.entries = shown["entries"].as_u64().unwrap_or(0);
        self.holds(id, case)
    }

    fn act(&mut self, id: PlaceId, case: &mut Known, event: &[&str]) -> Result<()> {
        let mut args = vec!["case", "do", &case.number];
        args.extend(event);
        self.county[id].json(&args)?;
        case.entries += 1;
        self.holds(id, case)
    }

    /// A room on its own: begun, a few cases by commands, then by its daemon, which is killed once.
    fn alone(&mut self) -> Result<()> {
        let id = self.found_alone()?;
        for round in 0..3 {
            if round > 0 {
                self.county.start(id)?;
            }
            for _ in 0..3 {
                let mut case = self.new_case(id, "C06")?;
                if self.seeds.below(2) == 0 {
                    self.act(id, &mut case, &["accept"])?;
                }
            }
            match round {
                1 => self.county[id].kill(),
                _ => self.county[id].stop()?,
            }
        }
        Ok(())
    }

    fn found_alone(&mut self) -> Result<PlaceId> {
        let id = self.county.place("room", Kind::Node);
        self.county[id].json(&self.init())?;
        self.placed(id)?;
        Ok(id)
    }

    fn init(&self) -> Vec<String> {
        let table = |name: &str| self.county.file(name).display().to_string();
        let (matters, holidays) = (table("matters.tsv"), table("holidays.tsv"));
        let args = [
            "init",
            "--unit",
            ROOM,
            "--name",
            "石莲村",
            "--matters",
            &matters,
            "--holidays",
            &holidays,
        ];
        args.map(str::to_owned).to_vec()
    }

    /// What a process leaves that is killed before its sync: a name, and a commit, that are in the page cache only. The next process
    /// sees both and builds on them.
    fn killed(&mut self) -> Result<()> {
        let id = self.found_alone()?;
        self.new_case(id, "C06")?;
        for name in ["vault", "journal-00000001"] {
            self.renamed(id, name)?;
            self.new_case(id, "C06")?;
        }
        for _ in 0..2 {
            self.committed(id)?;
            self.listed(id)?;
            self.new_case(id, "C06")?;
        }
        Ok(())
    }

    /// Replaced under its name as the product does it, but for the sync of the folder.
    fn renamed(&self, id: PlaceId, name: &str) -> Result<()> {
        let path = self.county[id].data().join(name);
        let draft = path.with_extension("new");
        let bytes = fs::read(&path)?;
        let mut file = File::create(&draft)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        Ok(fs::rename(draft, path)?)
    }

    /// A case whose commit was written and not synced when its process was killed.
    fn committed(&mut self, id: PlaceId) -> Result<()> {
        let path = self.county[id].data().join("journal-00000001");
        let before = fs::read(&path)?.len();
        self.cases += 1;
        let cert_no = crate::county::cert_no(self.cases);
        let args = [
            "case",
            "new",
            "--matter",
            "C06",
            "--name",
            NAMES[1],
            "--cert-no",
            &cert_no,
        ];
        self.county[id].json(&args)?;
        let after = fs::read(&path)?;
        let commit = first_commit(&after[before..])?;
        // The index has heard of it already: it is made anew.
        fs::remove_dir_all(self.county[id].data().join("index"))?;
        fs::write(path.with_extension("new"), &after[..before])?;
        File::open(path.with_extension("new"))?.sync_data()?;
        fs::rename(path.with_extension("new"), &path)?;
        File::open(self.county[id].data())?.sync_all()?;
        let mut file = File::options().write(true).open(&path)?;
        file.seek(SeekFrom::End(0))?;
        Ok(file.write_all(commit)?)
    }

    /// Whatever a list shows is promised.
    fn listed(&self, id: PlaceId) -> Result<()> {
        let said = self.county[id].say(&["case", "list", "--limit", "1000000", "--json"])?;
        let Ok(Value::Array(listed)) = serde_json::from_str(&said.stdout) else {
            return Ok(());
        };
        listed.iter().try_for_each(|case| {
            let text = |key: &str| case[key].as_str().unwrap_or_default();
            let (number, record) = (text("project_no"), text("record_id"));
            say(&json!({ "ack": "listed", "place": self.folder(id), "number": number, "record": record }))
        })
    }

    /// A county and a room below it: whatever the room was told to be at the county must be there.
    fn county(&mut self) -> Result<()> {
        let top = self.county.found()?;
        self.placed(top)?;
        let room = self.county.room(ROOM, &[top])?;
        self.placed(room)?;
        for round in 0..3 {
            let mut cases = Vec::new();
            for _ in 0..3 {
                cases.push(self.new_case(room, "B23")?);
                if self.seeds.below(3) == 0 {
                    self.receipted(room, top, &mut cases)?;
                }
            }
            self.receipted(room, top, &mut cases)?;
            if round == 0 {
                self.county[top].kill();
                self.county.start(top)?;
            }
        }
        self.county[room].stop()?;
        self.county[top].stop()
    }

    /// Waits until the room is told that the county has all of these cases.
    fn receipted(&self, room: PlaceId, top: PlaceId, cases: &mut [Known]) -> Result<()> {
        eventually(PATIENCE, "the county has them", || {
            let listed = self.county.cases(room)?;
            Ok(listed.iter().all(|case| case["receipt"] == "county"))
        })?;
        cases.iter().try_for_each(|case| self.holds(top, case))
    }

    /// A day book taken over by a room alone, twice.
    fn import(&mut self) -> Result<()> {
        let id = self.found_alone()?;
        let book = self.county.file("daybook.csv").display().to_string();
        self.new_case(id, "C06")?;
        self.county[id].say(&["case", "import", &book])?;
        let listed = self.county.cases(id)?;
        ensure!(listed.len() > 1, "nothing was imported");
        self.listed(id)?;
        self.new_case(id, "C06").map(drop)
    }

    /// The index made anew by command, and after it was deleted.
    fn reindex(&mut self) -> Result<()> {
        let id = self.found_alone()?;
        for _ in 0..4 {
            self.new_case(id, "C06")?;
        }
        self.county[id].json(&["reindex"])?;
        self.new_case(id, "C06")?;
        self.county.start(id)?;
        self.new_case(id, "C06")?;
        self.county[id].json(&["reindex"])?;
        self.new_case(id, "C06")?;
        self.county[id].stop()?;
        fs::remove_dir_all(self.county[id].data().join("index"))?;
        self.new_case(id, "C06").map(drop)
    }

    /// Personal values destroyed: the key must not come back.
    fn erase(&mut self) -> Result<()> {
        let id = self.found_alone()?;
        let mut cases = Vec::new();
        for _ in 0..5 {
            cases.push(self.new_case(id, "C06")?);
        }
        for (at, case) in cases.into_iter().enumerate() {
            if at == 2 {
                self.county.start(id)?;
            }
            if at == 1 {
                continue;
            }
            let Known { number, record, .. } = &case;
            say(&json!({ "try": "erase", "place": self.folder(id), "number": number }))?;
            self.county[id].json(&["case", "erase", number, "--reason", "本人申请"])?;
            say(&json!({ "ack": "erased", "place": self.folder(id), "number": number, "record": record }))?;
            self.new_case(id, "C06")?;
        }
        self.county[id].stop()
    }

    /// A torn end is cut off at the next start, and the power goes while that is done.
    fn torn(&mut self) -> Result<()> {
        let id = self.found_alone()?;
        for round in 0..4 {
            self.county.start(id)?;
            self.new_case(id, "C06")?;
            self.county[id].kill();
            self.garbage(id, round)?;
        }
        self.new_case(id, "C06").map(drop)
    }

    /// A disk that fails now and then, under a daemon that gets over it.
    fn failing(&mut self) -> Result<()> {
        let id = self.found_alone()?;
        self.county.start(id)?;
        let data = self.county[id].data().to_owned();
        let (mut done, mut refused) = (0, 0);
        while (done < 30 || refused == 0) && refused < 6 {
            self.cases += 1;
            let new = json!({
                "command": "case_new", "matter": "C06", "name": NAMES[0], "cert_no": crate::county::cert_no(self.cases),
            });
            let asked = Api::connect(&data)
                .map_err(|_| NoAnswer::Gone)
                .and_then(|mut api| api.ask(&new));
            match asked {
                Ok(said) => {
                    done += 1;
                    let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
                    let case = Known {
                        number: text("project_no"),
                        record: text("record_id"),
                        name: NAMES[0],
                        entries: 1,
                    };
                    self.holds(id, &case)?;
                }
                Err(NoAnswer::Refused(_, words)) => {
                    refused += 1;
                    ensure!(
                        words.chars().any(|c| c > '\u{4E00}'),
                        "refused without Chinese: {words}"
                    );
                    // The daemon opens its folder anew.
                    std::thread::sleep(std::time::Duration::from_millis(300));
                }
                Err(NoAnswer::Gone) => std::thread::sleep(std::time::Duration::from_millis(300)),
            }
            ensure!(
                self.cases < 500,
                "{done} cases, {refused} refused: the daemon does not get over it"
            );
        }
        ensure!(refused > 0, "the disk never failed");
        self.county[id].kill();
        Ok(())
    }

    /// What a torn write leaves behind the last frame, in the journal and in the vault.
    fn garbage(&mut self, id: PlaceId, round: u64) -> Result<()> {
        for name in ["journal-00000001", "vault"] {
            let mut file = File::options().write(true).open(self.county[id].data().join(name))?;
            file.seek(SeekFrom::End(0))?;
            let noise: [u8; 32] = self.seeds.bytes();
            let times = self.seeds.below(40 + 100 * round) as usize + 3;
            file.write_all(&noise.repeat(times))?;
        }
        Ok(())
    }
}

/// The first commit of these frames (JOURNAL.md, "Frame"). A process may journal a trusted position after its case, but only when the
/// case was synced: the two together are never what a kill leaves unsynced.
fn first_commit(frames: &[u8]) -> Result<&[u8]> {
    const AROUND: usize = 4 + 4 + 4 + 1 + 16;
    const LAST: u8 = 0x80;
    let mut end = 0;
    loop {
        let head = frames.get(end..end + 13).context("no whole commit")?;
        end += AROUND + u32::from_le_bytes(head[4..8].try_into()?) as usize;
        if head[12] & LAST != 0 {
            return frames.get(..end).context("no whole commit");
        }
    }
}
