//! Opening what a power cut left, with the real office on the real disk and index, and asking for every promise that was made before.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use ledger::seed::Seeds;
use office::command::{CaseList, CaseNew, CaseShow, Command, InitAlone, InitCounty, Invite, Reveal};
use office::{Home, Office};
use replica::statement::Role;
use replica::time::Now;
use serde_json::Value;
use store::{RealDisk, SledPlace};

use super::media::Found;
use crate::county::{COUNTY, DIVISIONS, HOLIDAYS, MATTERS};

/// So many cases at least are opened field by field, where there are as many.
const CLOSELY: usize = 12;

/// What was acknowledged of one folder before the cut.
#[derive(Clone, Debug, Default)]
pub struct Promises {
    /// `init` or `join` was done.
    pub placed: bool,
    pub cases: Vec<Case>,
}

/// A case of which something was acknowledged.
#[derive(Clone, Debug)]
pub struct Case {
    pub number: String,
    pub name: String,
    /// So many changes at least.
    pub entries: u64,
    pub erasing: Erasing,
    /// Its key as it lay in the vault, once erased.
    pub key: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Erasing {
    No,
    /// Asked for, not acknowledged: both may be found.
    Begun,
    Done,
}

/// What the opening met, for the counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Met {
    pub torn: bool,
    pub rebuilt: bool,
    pub fresh: bool,
    pub keys_damaged: bool,
}

/// Opens a folder and proves all promises, then records something more and finds it after one more opening.
///
/// # Errors
/// With the promise that was broken.
pub fn check(found: Option<&Found>, promises: &Promises, dir: &Path, seeds: &mut Seeds) -> Result<Met> {
    erased_keys_are_gone(found, promises)?;
    if let Some(found) = found {
        found.lay_out(dir).context("laying out the folder")?;
    }
    let done = catch_unwind(AssertUnwindSafe(|| proved(promises, dir, seeds)));
    match done {
        Ok(done) => done,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            bail!("it panicked: {}", text.unwrap_or("without a word"))
        }
    }
}

fn erased_keys_are_gone(found: Option<&Found>, promises: &Promises) -> Result<()> {
    for case in promises.cases.iter().filter(|case| case.erasing == Erasing::Done) {
        let mut held = false;
        ensure!(
            case.key.len() == 48,
            "the key of {} was never seen in the vault",
            case.number
        );
        if let Some(found) = found {
            found.files(&mut |bytes| {
                // Only the reserve is large, and it has no sector that is not zeros.
                if !bytes.sectors.is_empty() {
                    held |= bytes.to_vec().windows(48).any(|window| window == case.key);
                }
            });
        }
        ensure!(!held, "the erased key of {} is still there", case.number);
    }
    Ok(())
}

fn now() -> Now {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now {
        wall_ms: i64::try_from(since.as_millis()).unwrap_or(0),
        mono_ms: since.as_millis() as u64,
    }
}

fn open(dir: &Path, seeds: &mut Seeds) -> Result<Office> {
    let home = Home {
        disk: Box::new(RealDisk::open(dir).context("opening the folder")?),
        place: Box::new(SledPlace::new(dir.join("index"))),
        software: "power cut".to_owned(),
    };
    Office::open(home, seeds.bytes(), now(), &mut |_| {}).context("opening the office")
}

fn ask(office: &mut Office, command: Command) -> Result<Value> {
    let asked = format!("{command:?}").chars().take(60).collect::<String>();
    office
        .command(now(), command, &mut |_| {})
        .map_err(|error| anyhow::anyhow!("{asked}: {}: {error}", error.code))
}

fn proved(promises: &Promises, dir: &Path, seeds: &mut Seeds) -> Result<Met> {
    let mut office = open(dir, seeds)?;
    let status = opened_honestly(&mut office, promises)?;
    for _ in 0..1000 {
        if office.apply(now(), 10_000).context("applying")? == 0 {
            break;
        }
    }
    if promises.placed {
        ensure!(office.is_placed(), "it was placed, and has forgotten it");
    }
    all_are_listed(&mut office, &promises.cases)?;
    // Of many, some are looked at closely.
    let stride = promises.cases.len() / CLOSELY + 1;
    for case in promises
        .cases
        .iter()
        .skip(seeds.below(stride as u64) as usize)
        .step_by(stride)
    {
        case_is_there(&mut office, case)?;
    }
    let verified = ask(&mut office, Command::Verify)?;
    ensure!(verified["clean"] == true, "verify: {verified}");
    let recorded = goes_on(&mut office, promises, seeds)?;
    if let Some(number) = recorded.filter(|_| seeds.below(4) == 0) {
        drop(office);
        office = open(dir, seeds)?;
        office.apply(now(), 10_000).context("applying")?;
        ask(&mut office, Command::CaseShow(opened(number))).context("what was recorded after the cut")?;
    }
    Ok(Met {
        torn: status["torn"].as_u64() > Some(0),
        rebuilt: !status["rebuilt"].is_null(),
        fresh: status["fresh"] == true,
        keys_damaged: status["keys_damaged"].as_u64() > Some(0),
    })
}

/// A power cut is not damage: nothing that was synced is missing, so there is nothing to be fetched again and no new epoch.
fn opened_honestly(office: &mut Office, promises: &Promises) -> Result<Value> {
    if !office.is_placed() {
        return Ok(Value::Null);
    }
    let status = ask(office, Command::Status)?["opened"].clone();
    ensure!(status["damaged"].as_u64().unwrap_or(0) == 0, "damage is told: {status}");
    ensure!(status["shortened"] != true, "told as shortened: {status}");
    ensure!(
        !(promises.placed && status["fresh"] == true),
        "the journal was begun anew: {status}"
    );
    Ok(status)
}

fn all_are_listed(office: &mut Office, cases: &[Case]) -> Result<()> {
    if cases.is_empty() {
        return Ok(());
    }
    let all = CaseList {
        limit: Some(1_000_000),
        ..CaseList::default()
    };
    let listed = ask(office, Command::CaseList(all))?;
    let listed: BTreeSet<&str> = listed
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|case| case["project_no"].as_str())
        .collect();
    for case in cases {
        ensure!(
            listed.contains(case.number.as_str()),
            "{} was acknowledged and is not listed",
            case.number
        );
    }
    Ok(())
}

fn case_is_there(office: &mut Office, case: &Case) -> Result<()> {
    // What is erased, or may be, is not to be seen in the open: asking for it is refused.
    let asked = match case.erasing {
        Erasing::No => opened(case.number.clone()),
        Erasing::Begun | Erasing::Done => CaseShow {
            number: case.number.clone(),
            ..CaseShow::default()
        },
    };
    let shown = ask(office, Command::CaseShow(asked)).context("an acknowledged case")?;
    let entries = shown["entries"].as_u64().unwrap_or(0);
    ensure!(
        entries >= case.entries,
        "{}: {} changes were acknowledged, {entries} are here",
        case.number,
        case.entries
    );
    let fields = shown["fields"].as_array().cloned().unwrap_or_default();
    let opened: BTreeSet<&str> = fields.iter().filter_map(|field| field["value"].as_str()).collect();
    // Of what was imported the name is not known here: some field must open.
    let is_named = opened.contains(case.name.as_str()) || (case.name.is_empty() && !opened.is_empty());
    match case.erasing {
        Erasing::No => ensure!(is_named, "{}: the name cannot be opened: {shown}", case.number),
        Erasing::Begun => {}
        Erasing::Done => ensure!(
            !is_named && shown["erased"] == true,
            "{}: not erased: {shown}",
            case.number
        ),
    }
    Ok(())
}

/// Records one thing more; answers a case's number.
fn goes_on(office: &mut Office, promises: &Promises, seeds: &mut Seeds) -> Result<Option<String>> {
    let role = office.life().map(|life| life.role);
    match role {
        // What was begun and not acknowledged is begun again.
        None if seeds.below(2) == 0 => ask(office, Command::InitAlone(alone())).map(drop)?,
        None => ask(office, Command::Init(county())).map(drop)?,
        Some(Role::Hub) => {
            let invite = Invite {
                unit: "511603102".to_owned(),
                addrs: vec!["127.0.0.1:1".to_owned()],
                expires_s: None,
            };
            ask(office, Command::Invite(invite)).context("going on")?;
        }
        Some(Role::Node) => {
            let new = CaseNew {
                matter: "B23".to_owned(),
                name: "后来人".to_owned(),
                cert_no: "11010519491231002X".to_owned(),
                ..CaseNew::default()
            };
            let said = ask(office, Command::CaseNew(new)).context("going on");
            return match said {
                Ok(said) => Ok(said["project_no"].as_str().map(str::to_owned)),
                // A room that has just joined waits for its tables and its key.
                Err(_) if promises.cases.is_empty() => Ok(None),
                Err(error) => Err(error),
            };
        }
    }
    Ok(None)
}

/// Asks for a case with its personal values in the open.
fn opened(number: String) -> CaseShow {
    CaseShow {
        number,
        reveal: Some(Reveal {
            reason: "核对".to_owned(),
            ..Reveal::default()
        }),
    }
}

fn alone() -> InitAlone {
    InitAlone {
        unit: "511603102201".to_owned(),
        name: "石莲村".to_owned(),
        matters: MATTERS.to_owned(),
        holidays: HOLIDAYS.to_owned(),
    }
}

fn county() -> InitCounty {
    InitCounty {
        unit: COUNTY.to_owned(),
        divisions: DIVISIONS.to_owned(),
        matters: MATTERS.to_owned(),
        holidays: HOLIDAYS.to_owned(),
    }
}
