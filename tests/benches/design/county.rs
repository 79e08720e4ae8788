//! A county to measure: one hub, any number of rooms, all joined; disks in memory that can be copied or put on a real one.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail, ensure};
use ed25519_dalek::SigningKey;
use ledger::id::{DeviceId, NodeCode, RecordId, Scope, UnitId};
use ledger::seal::{RecordKey, ScopeKey};
use office::command::{Command, InitCounty, Invite, UserAdd};
use office::keys::grant_context;
use office::{Home, Office, Output, SessionId};
use replica::entry::{KIND_STATEMENT, LogId, Tip};
use replica::frame::{Frame, HEADER_LEN, Inbound, Outbound, Welcome};
use replica::sealbox::UnsealKey;
use replica::session::{Dialled, Quota};
use replica::statement::{Role, Statement};
use replica::ticket::Ticket;
use store::{Disk, JournalFrame, MemDisk, MemPlace, Position, RealDisk, SledPlace, Store};

use crate::machine::Clock;
use crate::pump::{self, Wire};

pub(crate) const MATTERS: &str = include_str!("../../../crates/ledger/data/matters.tsv");
pub(crate) const HOLIDAYS: &str = include_str!("../../../crates/ledger/data/holidays.tsv");
/// The real code of the sample county.
pub(crate) const COUNTY: u32 = 511_603;
/// Villages of one township here: a county of 462 rooms has seven, and one of ten thousand no more townships than a county hub has
/// prefixes for.
pub(crate) const VILLAGES: usize = 66;

/// A device in memory: its files and its index.
pub(crate) struct Folder {
    pub(crate) disk: MemDisk,
    pub(crate) place: MemPlace,
}

impl Folder {
    fn new(seed: u64) -> Self {
        Self {
            disk: MemDisk::new(seed),
            place: MemPlace::default(),
        }
    }

    /// The same device, for another thread.
    pub(crate) fn handle(&self) -> Self {
        Self {
            disk: self.disk.clone(),
            place: self.place.clone(),
        }
    }

    /// Another device with the same content.
    pub(crate) fn copy(&self) -> Self {
        Self {
            disk: self.disk.copy(),
            place: self.place.copy(),
        }
    }

    /// Opens the office that lies here.
    pub(crate) fn open(&self, seed: u64, clock: Clock) -> Result<Office> {
        let home = Home {
            disk: Box::new(self.disk.clone()),
            place: Box::new(self.place.clone()),
            software: "cunlian-bench".to_owned(),
        };
        Ok(Office::open(home, random(seed), clock.now(), &mut |_| {})?)
    }

    /// Writes the files to a real folder. The index is left out: it is made anew when opened.
    pub(crate) fn put(&self, dir: &Path) -> Result<()> {
        std::fs::create_dir_all(dir)?;
        for name in self.disk.list()? {
            if name == "lock" || name == "reserve" {
                continue;
            }
            let len = self.disk.len(&name)?.unwrap_or(0);
            let bytes = self.disk.read_at(&name, 0, usize::try_from(len)?)?;
            std::fs::write(dir.join(name), bytes)?;
        }
        Ok(())
    }
}

/// Opens an office on a real folder, with sled.
pub(crate) fn open_real(dir: &Path, clock: Clock) -> Result<Office> {
    let home = Home {
        disk: Box::new(RealDisk::open(dir)?),
        place: Box::new(SledPlace::new(dir.join("index"))),
        software: "cunlian-bench".to_owned(),
    };
    let mut office = Office::open(home, random(9), clock.now(), &mut |_| {})?;
    // Five years of a room in one day are more than a room may write in one.
    office.limit_days(Quota::new(u64::MAX, u64::MAX));
    Ok(office)
}

/// Different at every call and in every process, so that no two runs share keys or record ids.
fn random(salt: u64) -> [u8; 32] {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let mut seed = [0; 32];
    let now = Clock::start().now();
    seed[..8].copy_from_slice(&now.wall_ms.to_be_bytes());
    seed[8..12].copy_from_slice(&std::process::id().to_be_bytes());
    seed[12..20].copy_from_slice(&salt.to_be_bytes());
    seed[20..28].copy_from_slice(&DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    seed
}

/// A room that has joined.
pub(crate) struct Room {
    pub(crate) folder: Folder,
    pub(crate) key: SigningKey,
    pub(crate) log: LogId,
    pub(crate) node: NodeCode,
    scope_key: ScopeKey,
}

impl Room {
    /// The same room on a disk of its own.
    pub(crate) fn copy(&self) -> Self {
        Self {
            folder: self.folder.copy(),
            key: self.key.clone(),
            log: self.log,
            node: self.node,
            scope_key: self.scope_key.clone(),
        }
    }

    pub(crate) fn device(&self) -> DeviceId {
        self.log.device
    }

    /// Wraps a record's key as the room itself does.
    pub(crate) fn wrap(&self, key: &RecordKey, record: &RecordId) -> [u8; 48] {
        self.scope_key.wrap(key, record)
    }
}

/// A county on its disks.
pub(crate) struct County {
    pub(crate) hub: Folder,
    pub(crate) rooms: Vec<Room>,
    pub(crate) catalogue: ledger::id::Hash,
    /// The one-time code with which the first room's clerk signs in.
    pub(crate) code: String,
}

impl County {
    /// Founds a county and lets `rooms` rooms join it.
    pub(crate) fn found(rooms: usize, clock: Clock) -> Result<Self> {
        Self::found_among(rooms, rooms, clock)
    }

    /// The same among more villages than have rooms.
    pub(crate) fn found_among(rooms: usize, villages: usize, clock: Clock) -> Result<Self> {
        let hub_folder = Folder::new(1);
        let mut hub = hub_folder.open(1, clock)?;
        let init = InitCounty {
            unit: COUNTY.to_string(),
            divisions: divisions(villages),
            matters: MATTERS.to_owned(),
            holidays: HOLIDAYS.to_owned(),
        };
        command(&mut hub, clock, Command::Init(init))?;
        let clerk = UserAdd {
            unit: village_code(0),
            name: "李芳".to_owned(),
            role: "clerk".to_owned(),
        };
        let clerk = command(&mut hub, clock, Command::UserAdd(clerk))?;
        let mut folders = Vec::new();
        for at in 0..rooms {
            let folder = Folder::new(at as u64 + 2);
            join(&mut hub, &folder, at, clock).with_context(|| format!("room {at} joins"))?;
            folders.push(folder);
        }
        // Grants of all at once: each later room would otherwise be told of every earlier one by one.
        let mut made = Vec::new();
        for (at, folder) in folders.into_iter().enumerate() {
            settle(&mut hub, &folder, at, clock).with_context(|| format!("room {at} settles"))?;
            made.push(room(folder, clock)?);
        }
        hub.rest(clock.now())?;
        let catalogue = ledger::version_hash(&ledger::catalogue::Catalogue::from_tsv(MATTERS)?);
        Ok(Self {
            hub: hub_folder,
            rooms: made,
            catalogue,
            code: clerk["code"].as_str().context("a code")?.to_owned(),
        })
    }
}

/// Carries out a command; its words become the error.
pub(crate) fn command(office: &mut Office, clock: Clock, command: Command) -> Result<serde_json::Value> {
    Ok(office.command(clock.now(), command, &mut |_| {})?)
}

/// A county with as many villages as are wanted.
fn divisions(villages: usize) -> String {
    let mut tsv = format!("code12\tname\tlevel\tparent12\n{COUNTY}000000\t前锋区\tcounty\t511600000000\n");
    for at in 0..villages.max(1) {
        let (township, village) = (at / VILLAGES + 1, at % VILLAGES + 1);
        // Writing to a string cannot fail.
        if village == 1 {
            let _ = writeln!(
                tsv,
                "{COUNTY}{township:03}000\t第{township}乡\ttownship\t{COUNTY}000000"
            );
        }
        let _ = writeln!(tsv, "{}\t第{at}村\tvillage\t{COUNTY}{township:03}000", village_code(at));
    }
    tsv
}

pub(crate) fn village_code(at: usize) -> String {
    format!("{COUNTY}{:03}{:03}", at / VILLAGES + 1, at % VILLAGES + 1)
}

fn join(hub: &mut Office, folder: &Folder, at: usize, clock: Clock) -> Result<()> {
    let mut room = folder.open(at as u64, clock)?;
    let (ticket, welcome) = welcomed(hub, &room, (&village_code(at), Role::Node), clock)?;
    room.joined(clock.now(), &ticket, &welcome)?;
    Ok(())
}

/// A township's hub in memory that has joined.
pub(crate) fn township(hub: &mut Office, at: usize, clock: Clock) -> Result<Office> {
    let folder = Folder::new(1_000_000 + at as u64);
    let mut office = folder.open(at as u64, clock)?;
    let code = format!("{COUNTY}{:03}", at + 1);
    let (ticket, welcome) = welcomed(hub, &office, (&code, Role::Hub), clock)?;
    office.joined(clock.now(), &ticket, &welcome)?;
    Ok(office)
}

/// Lets devices in for villages, as far as the hub's side goes: one commit for all of them.
pub(crate) fn admitted(
    hub: &mut Office,
    places: std::ops::Range<usize>,
    clock: Clock,
) -> Result<Vec<(DeviceId, UnitId)>> {
    let (mut lines, mut known) = (Vec::new(), Vec::new());
    for at in places {
        let office = Folder::new(2_000_000 + at as u64).open(at as u64, clock)?;
        let ticket = asks_in(hub, &office, (&village_code(at), Role::Node), clock, &mut lines)?;
        known.push((office.device(), ticket.unit));
    }
    hub.commit(clock.now())?;
    let answers = std::iter::from_fn(|| hub.next_output());
    let sent = answers.filter_map(|(_, output)| match output {
        Output::Send(frame) => decoded(&frame).ok(),
        Output::Close(_) => None,
    });
    let (welcomed, others): (Vec<_>, Vec<_>) = sent.partition(|frame| matches!(frame, Frame::Welcome(_)));
    let count = welcomed.len();
    // To ask a stranger who it is is no answer.
    let other = others.iter().find(|frame| !matches!(frame, Frame::WhoAreYou));
    ensure!(
        count == known.len(),
        "{count} of {} are welcome; the first other answer: {other:?}",
        known.len()
    );
    for line in lines {
        hub.disconnected(clock.now(), line);
    }
    while hub.next_output().is_some() {}
    Ok(known)
}

/// A ticket, brought to the hub by a device that asks to be let in.
fn asks_in(
    hub: &mut Office,
    room: &Office,
    of: (&str, Role),
    clock: Clock,
    lines: &mut Vec<SessionId>,
) -> Result<Ticket> {
    let invite = Invite {
        unit: of.0.to_owned(),
        addrs: vec!["127.0.0.1:1".to_owned()],
        expires_s: None,
    };
    let answer = command(hub, clock, Command::Invite(invite))?;
    let ticket = Ticket::parse(answer["ticket"].as_str().context("no ticket")?)?;
    let request = room.join_request(of.1, "bench", &ticket)?;
    let line = hub.connect(clock.now(), room.device(), Dialled::Them, "memory");
    let frame = Outbound::Join(Box::new(request)).encode();
    hub.inbound(clock.now(), line, decoded(&frame)?)?;
    lines.push(line);
    Ok(ticket)
}

/// A ticket, and what the hub answers to whoever brings it.
fn welcomed(hub: &mut Office, room: &Office, of: (&str, Role), clock: Clock) -> Result<(Ticket, Welcome)> {
    let mut lines = Vec::new();
    let ticket = asks_in(hub, room, of, clock, &mut lines)?;
    hub.commit(clock.now())?;
    let mut welcome: Option<Welcome> = None;
    while let Some((_, output)) = hub.next_output() {
        if let Output::Send(frame) = output
            && let Frame::Welcome(found) = decoded(&frame)?
        {
            welcome = Some(found);
        }
    }
    for line in lines {
        hub.disconnected(clock.now(), line);
    }
    Ok((ticket, welcome.context("not welcomed")?))
}

/// Lets a room or a township fetch what everybody must know, and its key. Returns its line.
pub(crate) fn settled(hub: &mut Office, office: &mut Office, clock: Clock) -> Result<Wire> {
    let mut wire = Wire::connect(office, hub, clock);
    for round in 0..20 {
        let clock = clock.ahead(round * 1_500);
        pump::until_silent(&mut wire, office, hub, clock)?;
        if office.is_settled() {
            return Ok(wire);
        }
        hub.tick(clock.now())?;
        office.tick(clock.now())?;
    }
    bail!("{} does not settle", office.device())
}

fn settle(hub: &mut Office, folder: &Folder, at: usize, clock: Clock) -> Result<()> {
    let mut room = folder.open(at as u64, clock)?;
    let wire = settled(hub, &mut room, clock)?;
    wire.part(&mut room, hub, clock);
    while room.apply(clock.now(), 8_192)? > 0 {}
    Ok(room.rest(clock.now())?)
}

/// Reads a frame as it comes from a stream.
pub(crate) fn decoded(frame: &[u8]) -> Result<Inbound> {
    Ok(Inbound::decode(frame[HEADER_LEN - 1], &frame[HEADER_LEN..])?)
}

/// Finds out of a joined room's disk what is needed to write in its name.
fn room(folder: Folder, clock: Clock) -> Result<Room> {
    let office = folder.open(3, clock)?;
    let key = office.signing_key().clone();
    let unit = office.life().context("the room has no life")?.unit;
    let device = office.device();
    drop(office);
    let (store, _) = Store::open(
        Box::new(folder.disk.clone()),
        Box::new(folder.place.clone()),
        &mut |_| {},
    )?;
    let book = Scope::book(unit);
    let epoch = store.fact("epoch").context("no epoch")?;
    let epoch = u64::from_be_bytes(epoch.try_into()?);
    let text = store::disk::read_all(&folder.disk, "unseal.key")?.context("no unsealing key")?;
    let unseal = UnsealKey::from_bytes(hex32(&text)?);
    let (mut scope_key, mut node) = (None, None);
    let mut at = Position::START;
    while at < store.head() {
        let frames = store.frames_after(at, 1_024)?;
        let Some((last, _)) = frames.last() else { break };
        at = *last;
        for (_, frame) in &frames {
            let JournalFrame::Run(run) = frame else { continue };
            for one in run.entries.iter().filter(|e| e.entry.kind == KIND_STATEMENT) {
                match Statement::decode(&one.entry.body)? {
                    Statement::Grant(g) if g.device == device && g.scope == book && !g.hub_only => {
                        let plain = unseal.open(&grant_context(&g.scope, false), &g.sealed)?;
                        scope_key = Some(ScopeKey(plain.as_slice().try_into()?));
                    }
                    Statement::Admit(a) if a.device == device => node = Some(a.node_code),
                    _ => {}
                }
            }
        }
    }
    Ok(Room {
        log: LogId {
            scope: book,
            device,
            epoch,
        },
        key,
        node: node.context("no node code")?,
        scope_key: scope_key.context("no grant")?,
        folder,
    })
}

fn hex32(text: &[u8]) -> Result<[u8; 32]> {
    let text = std::str::from_utf8(text)?.trim();
    let mut out = [0; 32];
    ensure!(text.len() == 64, "a key file has 64 digits");
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16)?;
    }
    Ok(out)
}

/// The end of a log in a store.
pub(crate) fn tip_of(store: &Store, log: &LogId) -> Tip {
    store.logs().tips(log).last().copied().unwrap_or(Tip::START)
}
