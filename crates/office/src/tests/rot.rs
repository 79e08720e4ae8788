//! Disks that rot: whatever byte turns, whatever end is cut, a device opens, says so, and gets everything back from its peers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ledger::seed::Seeds;
use replica::time::Now;
use serde_json::Value;
use store::disk::{read_all, replace};
use store::{Disk, Fault, MemDisk, MemPlace, RealDisk, SledPlace};

use super::county::{County, TOWNSHIPS, case};
use crate::command::{CaseShow, Command, Invite};
use crate::office::{Home, Office};
use crate::rig::Seat;

/// After so many places the county begins again from its copy, so that it stays small.
const PLACES_PER_LIFE: usize = 20;

/// A county in step, and a copy of it.
struct Rotting {
    county: County,
    seats: Vec<Seat>,
    copy: Vec<(MemDisk, MemPlace)>,
    seeds: Seeds,
    /// Records and numbers that every tier has to list.
    wanted: BTreeMap<String, String>,
    first: BTreeMap<String, String>,
    person: usize,
}

impl Rotting {
    fn new(seed: u64) -> Self {
        let mut county = County::new(seed, 1, 1);
        let room = county.rooms[0];
        let seats = vec![room, county.townships[0], county.hub];
        for n in 0..4 {
            county.new_case(room, n);
        }
        county.world.pass(10_000);
        county.assert_in_step();
        let copy = seats.iter().map(|seat| county.world.backup(*seat)).collect();
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let mut rotting = Self {
            county,
            seats,
            copy,
            seeds: Seeds::new(bytes),
            first: BTreeMap::new(),
            wanted: BTreeMap::new(),
            person: 100,
        };
        rotting.first = rotting.listed(room);
        rotting.wanted = rotting.first.clone();
        rotting
    }

    /// The county as it was at the beginning.
    fn begin_again(&mut self) {
        for (seat, (disk, rows)) in self.seats.iter().zip(&self.copy) {
            self.county.world.restore(*seat, (disk.copy(), rows.copy()));
        }
        self.wanted = self.first.clone();
        self.county.world.pass(2_000);
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.seeds.u64() % bound
    }

    /// The device goes down, by its switch or by the power.
    fn down(&mut self, seat: Seat) {
        if self.below(2) == 0 {
            self.county.world.stop(seat);
        } else {
            self.county.world.kill(seat);
        }
    }

    fn len(&self, seat: Seat, file: &str) -> u64 {
        self.county.world.disk(seat).len(file).unwrap().unwrap()
    }

    /// The last segment of a device's journal.
    fn segment(&self, seat: Seat) -> String {
        let names = self.county.world.disk(seat).list().unwrap();
        names.into_iter().filter(|n| n.starts_with("journal-")).max().unwrap()
    }

    /// Record and number of every case listed. A room that lost its last case and has no line gives its number once more: such
    /// numbers are listed with `-2` then, the cases stay two.
    fn listed(&mut self, seat: Seat) -> BTreeMap<String, String> {
        let cases = self.county.cases(seat);
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let number = |c: &Value| text(&c["project_no"])[..20].to_owned();
        cases.iter().map(|c| (text(&c["record_id"]), number(c))).collect()
    }

    /// What the device tells about its opening.
    fn told(&mut self, seat: Seat) -> Value {
        let status = self.county.status(seat);
        let mut told = status["opened"].clone();
        told["known"] = status["journal"]["damaged"].as_u64().unwrap().into();
        told["healed"] = status["journal"]["healed"].as_u64().unwrap().into();
        told
    }

    /// The room records a case, whatever its disk or its line is like.
    fn record(&mut self) {
        self.person += 1;
        let room = self.county.rooms[0];
        let made = self.county.world.run(room, Command::CaseNew(case(self.person)));
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        self.wanted.insert(text("record_id"), text("project_no"));
        assert!(self.listed(room).contains_key(&text("record_id")));
    }

    /// Peers talk; then nothing may be missing anywhere and nothing be wrong.
    fn healed(&mut self, seat: Seat, what: &str) {
        self.county.world.pass(8_000);
        for at in self.seats.clone() {
            assert_eq!(self.listed(at), self.wanted, "{what}: the cases of {at:?}");
        }
        self.county.assert_in_step();
        let room = self.county.rooms[0];
        for case in self.county.cases(room) {
            assert_eq!(case["receipt"], "county", "{what}: {case}");
        }
        let verified = self.county.world.run(seat, Command::Verify);
        assert_eq!(verified["clean"], true, "{what}: {verified:#}");
    }
}

/// Whether anything of what is told says that the disk is not as it was left.
fn is_told(told: &Value) -> bool {
    let count = |key: &str| told[key].as_u64().unwrap_or(0);
    // A place inside one that was known before is no news.
    let known = count("known") + count("healed");
    known + count("damaged") + count("torn") + count("keys_damaged") + count("mended") > 0 || !told["rebuilt"].is_null()
}

/// One of the files that hold what cannot be derived: mostly the journal, now and then the vault.
fn file_of(rotting: &mut Rotting, seat: Seat) -> String {
    match rotting.below(8) {
        0 => "vault".to_owned(),
        _ => rotting.segment(seat),
    }
}

#[test]
fn a_byte_flipped_anywhere_is_told_and_what_lay_there_comes_back_from_the_peers() {
    let mut rotting = Rotting::new(71);
    for n in 0..200 {
        if n % PLACES_PER_LIFE == PLACES_PER_LIFE - 1 {
            rotting.begin_again();
        }
        let seat = rotting.seats[n % 3];
        let line = rotting.county.room_lines[0];
        rotting.down(seat);
        let file = file_of(&mut rotting, seat);
        let len = rotting.len(seat, &file);
        let (at, bit) = (rotting.below(len), rotting.below(8) as u8);
        let what = format!("place {n}: byte {at} of {len} in {file} of {seat:?}");
        rotting.county.world.disk(seat).flip(&file, at, bit);
        if rotting.below(2) == 0 {
            rotting.county.world.cut(line);
        }
        rotting.county.world.start(seat);
        let told = rotting.told(seat);
        // A header that is mended carries nothing.
        assert!(is_told(&told) || file == "vault" && at < 96, "{what}: {told}");
        rotting.record();
        rotting.county.world.heal(line);
        rotting.healed(seat, &what);
    }
}

#[test]
fn a_journal_cut_at_any_length_opens_and_gets_back_what_its_peers_hold() {
    let mut rotting = Rotting::new(72);
    for n in 0..200 {
        if n % PLACES_PER_LIFE == PLACES_PER_LIFE - 1 {
            rotting.begin_again();
        }
        let seat = rotting.seats[n % 3];
        let line = rotting.county.room_lines[0];
        rotting.down(seat);
        let segment = rotting.segment(seat);
        let len = rotting.len(seat, &segment);
        let cut = rotting.below(len);
        let what = format!("cut {n}: {segment} of {seat:?} at {cut} of {len}");
        rotting.county.world.disk(seat).cut(&segment, cut);
        if rotting.below(2) == 0 {
            rotting.county.world.cut(line);
        }
        rotting.county.world.start(seat);
        let told = rotting.told(seat);
        assert!(is_told(&told), "{what}: {told}");
        rotting.record();
        rotting.county.world.heal(line);
        rotting.healed(seat, &what);
    }
}

#[test]
fn an_index_or_a_vault_that_is_gone_costs_nothing_that_peers_hold() {
    let mut rotting = Rotting::new(73);
    for n in 0..12 {
        let seat = rotting.seats[n % 3];
        rotting.down(seat);
        let (mut disk, mut rows) = rotting.county.world.backup(seat);
        if n % 2 == 0 {
            rows = MemPlace::default();
        } else {
            let len = disk.len("vault").unwrap().unwrap();
            disk.write_at("vault", 0, &vec![0xa5; usize::try_from(len).unwrap()])
                .unwrap();
            disk.sync_data("vault").unwrap();
        }
        rotting.county.world.restore(seat, (disk, rows));
        let told = rotting.told(seat);
        assert!(is_told(&told), "{n}: {told}");
        rotting.record();
        rotting.healed(seat, &format!("loss {n} of {seat:?}"));
        // Names are sealed: whoever lacks a key shows none.
        for at in rotting.seats.clone() {
            let number = rotting.county.numbers(at)[0].clone();
            let shown = rotting.county.world.run(
                at,
                Command::CaseShow(CaseShow {
                    number,
                    ..CaseShow::default()
                }),
            );
            assert!(shown.to_string().contains('张'), "{n}: {shown}");
        }
    }
}

#[test]
fn a_room_with_no_line_works_on_whatever_statement_its_disk_has_lost() {
    const PLACES: u64 = 60;
    let mut rotting = Rotting::new(74);
    let room = rotting.county.rooms[0];
    let line = rotting.county.room_lines[0];
    rotting.county.world.cut(line);
    for n in 0..PLACES {
        let (disk, rows) = &rotting.copy[0];
        let copy = (disk.copy(), rows.copy());
        let segment = rotting.segment(room);
        let len = copy.0.len(&segment).unwrap().unwrap();
        copy.0.flip(&segment, len * n / PLACES, 3);
        rotting.county.world.restore(room, copy);
        rotting.wanted.clear();
        rotting.record();
        let number = rotting.wanted.values().next().unwrap().clone();
        let listed = rotting
            .county
            .numbers(room)
            .into_iter()
            .find(|shown| shown.starts_with(&number));
        let show = CaseShow {
            number: listed.unwrap(),
            ..CaseShow::default()
        };
        rotting.county.world.run(room, Command::CaseShow(show));
    }
}

#[test]
fn a_hub_that_lost_entries_takes_back_its_receipts_until_it_has_them_again() {
    let mut rotting = Rotting::new(75);
    let (room, township) = (rotting.county.rooms[0], rotting.county.townships[0]);
    let lines = [rotting.county.room_lines[0], rotting.county.township_lines[0]];
    let mut lowered = 0;
    for n in 0..10 {
        rotting.begin_again();
        for line in lines {
            rotting.county.world.cut(line);
        }
        let before = rotting.county.books(township);
        rotting.county.world.stop(township);
        let segment = rotting.segment(township);
        let len = rotting.len(township, &segment);
        rotting
            .county
            .world
            .disk(township)
            .flip(&segment, len / 2 + len * n / 20, 1);
        rotting.county.world.start(township);
        if rotting.county.books(township) != before {
            lowered += 1;
            let own = rotting.county.status(township)["withdrawn"].as_array().unwrap().len();
            assert_eq!(own, 1, "place {n}: what is not held is not vouched for");
            rotting.county.world.heal(lines[0]);
            let shown = rotting.county.status(room)["withdrawn"].as_array().unwrap().len();
            assert_eq!(shown, 1, "place {n}: the room is told");
        }
        for line in lines {
            rotting.county.world.heal(line);
        }
        rotting.healed(township, &format!("place {n}"));
    }
    assert!(lowered > 0, "no place lay in a book");
}

/// All files of one disk, on another.
fn copied(from: &dyn Disk, to: &mut dyn Disk) {
    for name in from.list().unwrap() {
        if name != "lock" && name != "reserve" {
            let bytes = read_all(from, &name).unwrap().unwrap();
            replace(to, &name, &bytes).unwrap();
        }
    }
}

#[test]
fn real_files_and_a_real_index_rot_as_those_in_memory_do() {
    let mut rotting = Rotting::new(76);
    let room = rotting.county.rooms[0];
    for n in 0..12 {
        rotting.down(room);
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path();
        let (mem, _) = rotting.county.world.backup(room);
        let index = folder.join("index");
        let now = rotting.county.world.now(room);
        let mut real = RealDisk::open(folder).unwrap();
        copied(&mem, &mut real);
        // The index is made, then hurt; then a byte or the end of the journal.
        drop(office_in(real, &index, n, now));
        match n % 3 {
            0 => fs::remove_dir_all(&index).unwrap(),
            1 => fs::write(index.join("db"), b"not what was here").unwrap(),
            _ => {}
        }
        let segment = folder.join(rotting.segment(room));
        let mut bytes = fs::read(&segment).unwrap();
        let at = usize::try_from(rotting.below(bytes.len() as u64)).unwrap();
        match n % 3 {
            2 if n % 2 == 0 => bytes.truncate(at),
            2 => bytes[at] ^= 4,
            _ => {}
        }
        fs::write(&segment, &bytes).unwrap();
        let mut office = office_in(RealDisk::open(folder).unwrap(), &index, n + 100, now);
        let run = |office: &mut Office, command| office.command(now, command, &mut |_| {}).unwrap();
        let status = run(&mut office, Command::Status);
        assert!(is_told(&status["opened"]), "{n}: byte {at}: {status}");
        let made = run(&mut office, Command::CaseNew(case(500 + usize::from(n))));
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        rotting.wanted.insert(text("record_id"), text("project_no"));
        drop(office);
        let mut back = MemDisk::new(u64::from(n));
        copied(&RealDisk::open(folder).unwrap(), &mut back);
        rotting.county.world.restore(room, (back, MemPlace::default()));
        rotting.healed(room, &format!("{n}: byte {at}"));
    }
}

fn office_in(disk: RealDisk, index: &Path, seed: u8, now: Now) -> Office {
    let home = Home {
        disk: Box::new(disk),
        place: Box::new(SledPlace::new(index)),
        software: "rig 1".to_owned(),
    };
    Office::open(home, [seed; 32], now, &mut |_| {}).unwrap()
}

#[test]
fn a_key_that_rots_while_the_office_is_open_is_fetched_again() {
    // Seed 7011: a county went on without the names of a room's cases until it was started again.
    let mut county = County::new(58, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    county.new_case(room, 1);
    county.world.pass(10_000);
    let (of, _) = county.world.office(township).record_rows().unwrap()[0].clone();
    let held = |county: &mut County| county.world.office(township).store().key(of.scope, &of.record);
    let before = held(&mut county);
    assert!(before.is_some());
    let disk = county.world.disk(township).clone();
    let len = disk.len("vault").unwrap().unwrap();
    for slot in (64..len).step_by(64) {
        disk.flip("vault", slot, 3);
    }
    assert_eq!(held(&mut county), None);
    county.world.pass(120_000);
    assert_eq!(held(&mut county), before);
    let verified = county.world.run(township, Command::Verify);
    assert_eq!(verified["clean"], true, "{verified:#}");
}

#[test]
fn a_read_that_fails_once_costs_no_event_and_keeps_no_line_silent() {
    // Seeds 7003, 11, 8054, 8093: an event vanished from a case until its index was made anew, or was never sent.
    let mut county = County::new(59, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    let number = county.new_case(room, 1);
    county.world.pass(10_000);
    for reads in 0..24 {
        let seat = [room, township][reads as usize % 2];
        county.world.disk(seat).fault(Fault::ReadFails(reads / 2));
        let said = county.world.command(room, note(&number, reads));
        county.world.pass(5_000);
        county.world.disk(seat).mend();
        // A clerk who is told that it cannot be done just now does it again.
        if said.is_err() {
            county.world.run(room, note(&number, reads));
        }
        county.world.pass(10_000);
        county.assert_in_step();
        for seat in [room, township, county.hub] {
            let shown = county.world.run(seat, show(&number));
            let events = shown["events"].as_array().map_or(0, Vec::len);
            assert_eq!(events as u64, reads + 2, "after {reads} reads, at {seat:?}");
            let verified = county.world.run(seat, Command::Verify);
            assert_eq!(
                verified["clean"], true,
                "after {reads} reads, at {seat:?}: {verified:#}"
            );
        }
    }
}

fn note(number: &str, n: u64) -> Command {
    Command::CaseDo(crate::command::CaseDo {
        number: number.to_owned(),
        event: "note".to_owned(),
        note: Some(format!("记 {n}")),
        ..crate::command::CaseDo::default()
    })
}

fn show(number: &str) -> Command {
    Command::CaseShow(CaseShow {
        number: number.to_owned(),
        ..CaseShow::default()
    })
}

#[test]
fn a_founding_hub_that_lost_its_own_admission_and_its_index_knows_who_it_is() {
    // Seed 8070: the county took nobody's word any more, not even its own, and no room came in.
    let mut county = County::new(60, 1, 1);
    let (room, hub) = (county.rooms[0], county.hub);
    county.new_case(room, 1);
    county.world.pass(10_000);
    let root = county.world.office(hub).life().unwrap().root;
    let frames = county
        .world
        .office(hub)
        .store()
        .frames_after(store::Position::START, 1_000);
    let at = frames.unwrap().into_iter().find_map(|(_, frame)| match frame {
        store::JournalFrame::Run(run) if run.log.device == root => Some(run.entries[0].at),
        _ => None,
    });
    let at = at.unwrap();
    county.world.kill(hub);
    let (disk, _) = county.world.backup(hub);
    disk.flip(&format!("journal-{:08}", at.segment), u64::from(at.offset), 3);
    county.world.restore(hub, (disk, MemPlace::default()));
    county.new_case(room, 2);
    county.world.pass(30_000);
    county.assert_in_step();
    assert_eq!(county.numbers(hub).len(), 2);
}

#[test]
fn a_room_whose_township_was_taken_out_knows_everybody_whatever_statement_its_disk_loses() {
    // Seed 80: it refetched them, and went on as if nobody had ever been let in. Seeds 41 and 185: it let nobody in who could bring them.
    let mut county = County::new(60, 1, 1);
    let (room, hub) = (county.rooms[0], county.hub);
    let number = county.new_case(room, 1);
    county.world.pass(10_000);
    let revoke = crate::command::MemberRevoke {
        device: county.world_device(county.townships[0]).to_string(),
        reason: "电脑报废".to_owned(),
        root_key: None,
    };
    county.world.run(hub, Command::MemberRevoke(revoke));
    let line = county.world.line(room, hub);
    county.world.pass(10_000);
    let known = |county: &mut County| county.world.office(room).authority().members().count();
    let whole = known(&mut county);
    let disk = county.world.disk(room).clone();
    let segment = disk.list().unwrap().into_iter().find(|n| n.starts_with("journal-"));
    let segment = segment.unwrap();
    let len = disk.len(&segment).unwrap().unwrap();
    let mut lost = 0;
    for at in (200..len).step_by(311) {
        disk.flip(&segment, at, 3);
        county.world.cut(line);
        // Whoever reads there meets it.
        county.world.run(room, Command::Verify);
        let lowered = county.status(room)["journal"]["damaged"].as_u64().unwrap_or(0) > 0;
        lost += usize::from(lowered);
        assert_eq!(known(&mut county), whole, "byte {at}, with no line");
        if lost % 2 == 1 {
            county.world.stop(room);
            county.world.start(room);
            assert_eq!(known(&mut county), whole, "byte {at}, started anew with no line");
        }
        county.world.heal(line);
        county.world.pass(20_000);
        assert_eq!(known(&mut county), whole, "byte {at}");
        assert_eq!(county.numbers(room), std::slice::from_ref(&number), "byte {at}");
    }
    assert!(lost > 1, "no statement was lost at all");
}

/// The tables rot, and the index is gone.
pub(super) fn lose_tables(county: &mut County, at: Seat) {
    let frames = county
        .world
        .office(at)
        .store()
        .frames_after(store::Position::START, 1_000);
    let frames = frames.unwrap().into_iter();
    let entries = frames.flat_map(|(_, frame)| match frame {
        store::JournalFrame::Run(run) => run.entries,
        _ => Vec::new(),
    });
    // They are what is large.
    let tables: Vec<store::EntryAt> = entries.map(|e| e.at).filter(|at| at.len > 4_000).collect();
    assert!(!tables.is_empty());
    county.world.kill(at);
    let (disk, _) = county.world.backup(at);
    for at in tables {
        disk.flip(&format!("journal-{:08}", at.segment), u64::from(at.offset), 3);
    }
    county.world.restore(at, (disk, MemPlace::default()));
}

#[test]
fn a_county_that_lost_its_tables_and_its_index_says_so_and_takes_them_back_from_a_room() {
    // Seed 131: the only township's disk was dead as well, and the county said that its table had no such code.
    let mut county = County::new(60, 1, 1);
    let (room, township, hub) = (county.rooms[0], county.townships[0], county.hub);
    let number = county.new_case(room, 1);
    county.world.pass(10_000);
    county.world.kill(township);
    lose_tables(&mut county, hub);
    let invite = Command::Invite(Invite {
        unit: TOWNSHIPS[0].to_owned(),
        addrs: vec!["10.0.0.1:7701".to_owned()],
        expires_s: None,
    });
    let error = county.world.command(hub, invite.clone()).expect_err("no tables");
    assert_eq!(error.code, "no_organisation", "{}", error.message);
    county.world.line(room, hub);
    county.world.pass(30_000);
    county.world.run(hub, invite);
    assert_eq!(county.numbers(hub), [number]);
}
