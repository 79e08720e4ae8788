//! A county of places and lines, founded from the real tables.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::ops::{Index, IndexMut};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::place::{Kind, Place};
use crate::relay::Relay;

/// The real county's divisions: 12 townships, 148 rooms.
pub const DIVISIONS: &str = include_str!("../crates/ledger/data/divisions_511603.tsv");
/// The real catalogue of 128 matters.
pub const MATTERS: &str = include_str!("../crates/ledger/data/matters.tsv");
/// The published calendar.
pub const HOLIDAYS: &str = include_str!("../crates/ledger/data/holidays.tsv");
/// A day book of six rooms, bad rows among the good.
pub const DAYBOOK: &str = include_str!("../crates/ledger/data/daybook_sample.csv");

/// The code of the real county.
pub const COUNTY: &str = "511603";

/// Two townships with three rooms each, all real; beside every room the one of the day book whose rows it is given. The day book's
/// six rooms lie under five townships, so four of them are read as a neighbour in one of these two.
pub const TOWNSHIPS: [(&str, [(&str, &str); 3]); 2] = [
    (
        "511603102",
        [
            ("511603102201", "511603102201"),
            ("511603102203", "511603001003"),
            ("511603102206", "511603003216"),
        ],
    ),
    (
        "511603104",
        [
            ("511603104002", "511603104002"),
            ("511603104239", "511603104239"),
            ("511603104200", "511603106002"),
        ],
    ),
];

/// The sample day book with its rooms' codes replaced as [`TOWNSHIPS`] says.
pub fn daybook() -> String {
    let mut text = DAYBOOK.to_owned();
    for (room, written) in TOWNSHIPS.iter().flat_map(|(_, rooms)| rooms) {
        text = text.replace(&format!(",{written},"), &format!(",{room},"));
    }
    text
}

/// What a place holds of each scope: unit and kind to digest.
pub type Digests = BTreeMap<(String, String), String>;

/// A place of one [`County`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PlaceId(usize);

/// Three tiers by their places; rooms in the order of [`TOWNSHIPS`], three to a township.
#[derive(Clone, Debug)]
pub struct Tiers {
    pub county: PlaceId,
    pub townships: Vec<PlaceId>,
    pub rooms: Vec<PlaceId>,
}

impl Tiers {
    /// The township above the room of this number.
    pub fn above(&self, room: usize) -> PlaceId {
        self.townships[room / 3]
    }

    /// County, townships, rooms.
    pub fn all(&self) -> Vec<PlaceId> {
        [self.county]
            .into_iter()
            .chain(self.townships.iter().copied())
            .chain(self.rooms.iter().copied())
            .collect()
    }
}

/// Places and the lines between them, in a folder that goes when this is dropped.
pub struct County {
    dir: TempDir,
    exe: PathBuf,
    places: Vec<Place>,
    /// One line per lower and upper place that may talk.
    lines: BTreeMap<(PlaceId, PlaceId), Relay>,
    /// Rooms open their desks.
    desks: bool,
    consoles: bool,
}

impl County {
    /// An empty folder with the tables in it; no place yet. `exe` is the multi-call binary.
    ///
    /// # Errors
    /// From the file system.
    pub fn new(exe: &Path) -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("cunlian-")
            .tempdir()
            .context("making a folder for the county")?;
        for (name, text) in [
            ("divisions.tsv", DIVISIONS),
            ("matters.tsv", MATTERS),
            ("holidays.tsv", HOLIDAYS),
            ("daybook.csv", &daybook()),
        ] {
            fs::write(dir.path().join(name), text)?;
        }
        Ok(Self {
            dir,
            exe: exe.to_owned(),
            places: Vec::new(),
            lines: BTreeMap::new(),
            desks: false,
            consoles: false,
        })
    }

    /// A file in the county's own folder, such as `matters.tsv` or `daybook.csv`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Rooms made from now on open their desks (办事页面), each at a port of the system's choice.
    pub fn open_desks(&mut self) {
        self.desks = true;
    }

    /// Hubs made from now on open their consoles, each at a port of the system's choice.
    pub fn open_consoles(&mut self) {
        self.consoles = true;
    }

    /// A place with a folder of its own and nothing in it yet.
    pub fn place(&mut self, name: &str, kind: Kind) -> PlaceId {
        let data = self.dir.path().join(format!("{:02}-{name}", self.places.len()));
        self.place_at(name, kind, data)
    }

    /// As [`County::place`], with a folder of the caller's choice.
    pub fn place_at(&mut self, name: &str, kind: Kind, data: PathBuf) -> PlaceId {
        let mut place = Place::new(name, kind, &self.exe, data);
        // Somebody who looks at a wall does not wait for half a minute.
        if self.consoles && kind == Kind::Hub {
            place.set_env("CUNLIAN_LINE_SECONDS", "3");
        }
        if (self.desks && kind == Kind::Node) || (self.consoles && kind == Kind::Hub) {
            place.set_env("CUNLIAN_CONSOLE", "127.0.0.1:0");
        }
        self.places.push(place);
        PlaceId(self.places.len() - 1)
    }

    /// Founds the county on a hub of its own and starts it.
    ///
    /// # Errors
    /// From the commands and the daemon.
    pub fn found(&mut self) -> Result<PlaceId> {
        let id = self.place("county", Kind::Hub);
        self.found_at(id)?;
        Ok(id)
    }

    /// Founds the county on an empty hub of any place and starts it.
    ///
    /// # Errors
    /// From the commands and the daemon.
    pub fn found_at(&mut self, id: PlaceId) -> Result<()> {
        let table = |name: &str| self.file(name).display().to_string();
        let (divisions, matters, holidays) = (table("divisions.tsv"), table("matters.tsv"), table("holidays.tsv"));
        self[id].json(&[
            "init",
            "--unit",
            COUNTY,
            "--divisions",
            &divisions,
            "--matters",
            &matters,
            "--holidays",
            &holidays,
        ])?;
        self.start(id)
    }

    /// A township hub for the unit, joined to `parent` and started.
    ///
    /// # Errors
    /// From the commands and the daemon.
    pub fn township(&mut self, unit: &str, parent: PlaceId) -> Result<PlaceId> {
        self.join(&format!("township-{unit}"), Kind::Hub, unit, &[parent])
    }

    /// A room's node for the unit, joined to the first of `hubs` and started; it knows all of them.
    ///
    /// # Errors
    /// From the commands and the daemon.
    pub fn room(&mut self, unit: &str, hubs: &[PlaceId]) -> Result<PlaceId> {
        self.join(&format!("room-{unit}"), Kind::Node, unit, hubs)
    }

    /// The county, its two townships and six rooms of [`TOWNSHIPS`], all running and joined.
    ///
    /// # Errors
    /// From the commands and the daemons.
    pub fn found_with_rooms(&mut self) -> Result<Tiers> {
        let county = self.found()?;
        let mut tiers = Tiers {
            county,
            townships: Vec::new(),
            rooms: Vec::new(),
        };
        for (unit, rooms) in TOWNSHIPS {
            let township = self.township(unit, county)?;
            tiers.townships.push(township);
            for (room, _) in rooms {
                tiers.rooms.push(self.room(room, &[township])?);
            }
        }
        Ok(tiers)
    }

    fn join(&mut self, name: &str, kind: Kind, unit: &str, hubs: &[PlaceId]) -> Result<PlaceId> {
        let id = self.place(name, kind);
        let ticket = self.ticket(id, unit, hubs[0])?;
        self.join_with(id, &ticket, hubs)?;
        self.start(id)?;
        Ok(id)
    }

    /// A ticket for the unit, made by `hub`, with the address of the line from `lower` to it.
    ///
    /// # Errors
    /// From the command.
    pub fn ticket(&mut self, lower: PlaceId, unit: &str, hub: PlaceId) -> Result<String> {
        let addr = self.line(lower, hub)?;
        let said = self[hub].json(&["invite", "--unit", unit, "--addr", &addr])?;
        said["ticket"]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("no ticket in {said}"))
    }

    /// Uses a ticket on an empty place. `hubs` are those that the place shall know, best first; empty for those of the ticket.
    ///
    /// # Errors
    /// From the command.
    pub fn join_with(&mut self, id: PlaceId, ticket: &str, hubs: &[PlaceId]) -> Result<()> {
        let mut args = vec!["join".to_owned(), ticket.to_owned()];
        for hub in hubs {
            args.extend(["--hub".to_owned(), self.line(id, *hub)?]);
        }
        self[id].json(&args).map(drop)
    }

    /// The address under which `lower` reaches `hub`: a relay of their own, made when first asked for.
    ///
    /// # Errors
    /// When the hub does not run or no socket can be opened.
    pub fn line(&mut self, lower: PlaceId, hub: PlaceId) -> Result<String> {
        let target = self[hub]
            .listen()
            .with_context(|| format!("{} does not run", self[hub].name()))?;
        let relay = match self.lines.entry((lower, hub)) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(none) => none.insert(Relay::start(target)?),
        };
        Ok(relay.addr().to_string())
    }

    /// The relay between two places, if a line was ever made.
    pub fn relay(&self, lower: PlaceId, hub: PlaceId) -> Option<&Relay> {
        self.lines.get(&(lower, hub))
    }

    /// Starts a place; lines that lead to it follow.
    ///
    /// # Errors
    /// As [`Place::start`].
    pub fn start(&mut self, id: PlaceId) -> Result<()> {
        self[id].start()?;
        if let Some(addr) = self[id].listen() {
            for ((_, hub), relay) in &self.lines {
                if *hub == id {
                    relay.retarget(addr);
                }
            }
        }
        Ok(())
    }

    /// Points every line that led to `old` at `new`: a hub's address taken over by another device.
    ///
    /// # Errors
    /// When the new hub does not run.
    pub fn take_over(&mut self, old: PlaceId, new: PlaceId) -> Result<()> {
        let addr = self[new]
            .listen()
            .with_context(|| format!("{} does not run", self[new].name()))?;
        for ((_, hub), relay) in &self.lines {
            if *hub == old {
                relay.retarget(addr);
            }
        }
        Ok(())
    }

    /// Cuts all lines upward from a place.
    pub fn cut(&self, id: PlaceId) {
        self.lines_of(id).for_each(Relay::cut);
    }

    /// Heals all lines upward from a place.
    pub fn heal(&self, id: PlaceId) {
        self.lines_of(id).for_each(Relay::heal);
    }

    /// Cuts every line of the county.
    pub fn cut_all(&self) {
        self.lines.values().for_each(Relay::cut);
    }

    /// Heals every line of the county.
    pub fn heal_all(&self) {
        self.lines.values().for_each(Relay::heal);
    }

    fn lines_of(&self, id: PlaceId) -> impl Iterator<Item = &Relay> {
        self.lines
            .iter()
            .filter(move |((lower, _), _)| *lower == id)
            .map(|(_, relay)| relay)
    }

    /// All places in the order they were made.
    pub fn ids(&self) -> impl Iterator<Item = PlaceId> + use<> {
        (0..self.places.len()).map(PlaceId)
    }

    /// Whether these places hold the same: of every scope that one of them has entries of, all that may hold it have the same
    /// digest.
    ///
    /// # Errors
    /// From the status command.
    pub fn in_step(&self, ids: &[PlaceId]) -> Result<bool> {
        let mut held = Vec::new();
        let mut leading = Digests::new();
        for id in ids {
            let (unit, digests) = self.digests(*id)?;
            leading.extend(digests.clone());
            held.push((unit, digests));
        }
        let same = |(scope, digest): (&(String, String), &String)| {
            let mut holders = held.iter().filter(|(unit, _)| may_hold(unit, scope));
            holders.all(|(_, digests)| digests.get(scope) == Some(digest))
        };
        Ok(!leading.is_empty() && leading.iter().all(same))
    }

    /// A place's unit, and the digest of every scope that it holds entries of, by unit and kind.
    ///
    /// # Errors
    /// From the status command.
    pub fn digests(&self, id: PlaceId) -> Result<(String, Digests)> {
        let status = self[id].json(&["status"])?;
        let scopes = status["scopes"]
            .as_array()
            .with_context(|| format!("no scopes in {status}"))?;
        let text = |scope: &Value, key: &str| scope[key].as_str().unwrap_or_default().to_owned();
        let held = scopes.iter().filter(|scope| scope["entries"].as_u64() != Some(0));
        let of_scope = |scope: &Value| ((text(scope, "unit"), text(scope, "kind")), text(scope, "digest"));
        Ok((text(&status, "unit"), held.map(of_scope).collect()))
    }

    /// The cases that a place lists, all of them.
    ///
    /// # Errors
    /// From the command.
    pub fn cases(&self, id: PlaceId) -> Result<Vec<Value>> {
        let listed = self[id].json(&["case", "list", "--limit", "1000000"])?;
        let cases = listed.as_array().with_context(|| format!("no list: {listed}"))?;
        Ok(cases.clone())
    }
}

impl Index<PlaceId> for County {
    type Output = Place;

    fn index(&self, id: PlaceId) -> &Place {
        &self.places[id.0]
    }
}

impl IndexMut<PlaceId> for County {
    fn index_mut(&mut self, id: PlaceId) -> &mut Place {
        &mut self.places[id.0]
    }
}

/// Whether a place of this unit holds a scope: books of its own and of units below; public scopes of those above too.
fn may_hold(unit: &str, (of, kind): &(String, String)) -> bool {
    of.starts_with(stem(unit)) || (kind == "public" && unit.starts_with(stem(of)))
}

/// The digits that all codes below begin with: six of a county, nine of a township, all twelve of a room.
fn stem(code: &str) -> &str {
    match code {
        _ if code.ends_with("000000") => &code[..code.len() - 6],
        _ if code.ends_with("000") => &code[..code.len() - 3],
        _ => code,
    }
}

/// Asks again and again until the answer is yes; an error counts as "not yet".
///
/// # Errors
/// When time runs out, with `what` was awaited and the last error.
pub fn eventually(patience: Duration, what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(20);
    loop {
        let answer = is_so();
        if matches!(answer, Ok(true)) {
            return Ok(());
        }
        if Instant::now() > deadline {
            let last = answer.err().map(|error| format!("{error:#}")).unwrap_or_default();
            ensure!(false, "not in {patience:?}: {what}\n{last}");
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(300));
    }
}

/// A well-formed identity number; another one for every `n`.
pub fn cert_no(n: u32) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let body = format!(
        "{COUNTY}{:04}{:02}{:02}{:03}",
        1950 + n / 1000 % 50,
        n / 28 % 12 + 1,
        n % 28 + 1,
        n % 1000
    );
    let sum: u32 = body.bytes().zip(WEIGHTS).map(|(b, w)| u32::from(b - b'0') * w).sum();
    format!("{body}{}", char::from(b"10X98765432"[(sum % 11) as usize]))
}
