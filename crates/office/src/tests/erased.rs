//! 销毁: after an erase statement no byte of the person's key, name or token is left at any tier, in any file, in any backup that
//! is started again, or with whoever comes late.

use ledger::id::{RecordId, Scope};
use store::disk::read_all;
use store::{Batch, Disk, KvPlace, MemDisk, MemPlace, Order, SledPlace};

use crate::command::{CaseErase, Command};
use crate::rig::Seat;
use crate::tests::county::County;
use crate::tests::locked::{new_case, show, text};
use crate::views::row::RecordRef;
use replica::statement::Role;

const LI: &str = "110101199003070038";

/// Byte strings that tell of one person.
struct Traces(Vec<(&'static str, Vec<u8>)>);

impl Traces {
    /// All that a seat holds of a record: its key as it is and as it is wrapped, its token, its masked name, its sealed values stay.
    fn of(county: &mut County, seats: &[Seat], number: &str) -> (Self, RecordRef) {
        let mut traces = Vec::new();
        let mut record = None;
        for seat in seats {
            let office = county.world.office(*seat);
            let (of, row) = office.find(number).unwrap();
            let wrapped = office.store.key(of.scope, &of.record).unwrap();
            let key = office
                .keys
                .record_key(&office.store, &of.scope, &of.record)
                .unwrap()
                .unwrap();
            traces.push(("the wrapped key", wrapped.to_vec()));
            traces.push(("the key", key.0.to_vec()));
            traces.push(("the token", row.summary.token.unwrap().to_vec()));
            traces.push(("the masked name", row.summary.masked_name.unwrap().into_bytes()));
            record = Some(of);
        }
        (Self(traces), record.unwrap())
    }

    fn found(&self, disk: &MemDisk, rows: &MemPlace) -> Vec<String> {
        let mut all: Vec<(String, Vec<u8>)> = Vec::new();
        for name in disk.list().unwrap() {
            if name != "reserve" {
                all.push((name.clone(), read_all(disk, &name).unwrap().unwrap()));
            }
        }
        let kv = rows.clone().open().unwrap();
        for (key, value) in kv.range(&[0], &[0xff; 64], Order::Rising, usize::MAX).unwrap() {
            all.push((
                format!("row {}", String::from_utf8_lossy(&key[..2.min(key.len())])),
                [key, value].concat(),
            ));
        }
        let mut told = Vec::new();
        for (place, bytes) in &all {
            for (what, trace) in &self.0 {
                if bytes.windows(trace.len()).any(|w| w == trace) {
                    told.push(format!("{what} in {place}"));
                }
            }
        }
        told
    }
}

fn left(county: &mut County, seats: &[Seat], traces: &Traces) -> Vec<String> {
    let mut told = Vec::new();
    for seat in seats {
        let (disk, rows) = county.world.backup(*seat);
        told.extend(traces.found(&disk, &rows));
    }
    told
}

fn is_forgotten(county: &mut County, seat: Seat, number: &str) -> bool {
    let shown = show(county, seat, number, false).unwrap();
    let fields = shown["fields"].as_array().unwrap();
    fields
        .iter()
        .filter(|f| f["personal"] == true)
        .all(|f| f["value"].is_null())
}

fn slot_is_wiped(disk: &MemDisk, scope: Scope, record: RecordId) -> bool {
    let vault = read_all(disk, "vault").unwrap().unwrap();
    let name = [scope.to_bytes().as_slice(), &record.0].concat();
    let mut slots = vault.chunks_exact(96).filter(|slot| slot[1..34] == name[..]);
    slots.next().is_some_and(|slot| slot[34..82].iter().all(|b| *b == 0)) && slots.next().is_none()
}

#[test]
fn nothing_of_an_erased_person_is_left_at_any_tier_in_a_restored_backup_or_with_a_late_comer() {
    let mut county = County::new(91, 1, 1);
    let (room, township, top) = (county.rooms[0], county.townships[0], county.hub);
    let code = county.room_codes[0].clone();
    let (colleague, line) = county.admit(township, &code, Role::Node);
    let number = text(&new_case(&mut county, room, "龘靖瑶", LI), "project_no");
    county.world.pass(20_000);
    let tiers = [top, township, room, colleague];
    let (traces, of) = Traces::of(&mut county, &tiers, &number);
    assert!(left(&mut county, &tiers, &traces).len() >= 12, "they can be found");
    // The colleague is away while it happens, and there are backups from before.
    county.world.cut(line);
    let backups = [
        county.world.backup(room),
        county.world.backup(township),
        county.world.backup(top),
    ];

    let erase = CaseErase {
        number: number.clone(),
        reason: "本人申请".to_owned(),
    };
    county.world.run(township, Command::CaseErase(erase));
    county.world.pass(20_000);
    assert_eq!(left(&mut county, &[top, township, room], &traces), Vec::<String>::new());
    assert!(
        !left(&mut county, &[colleague], &traces).is_empty(),
        "who is away still has it"
    );
    county.world.heal(line);
    county.world.pass(20_000);
    assert_eq!(left(&mut county, &tiers, &traces), Vec::<String>::new());

    for (seat, backup) in [room, township, top].into_iter().zip(backups) {
        county.world.restore(seat, backup);
        county.world.pass(30_000);
        assert_eq!(
            left(&mut county, &tiers, &traces),
            Vec::<String>::new(),
            "a backup forgets anew"
        );
    }
    for seat in tiers {
        assert!(is_forgotten(&mut county, seat, &number));
        assert!(slot_is_wiped(county.world.disk(seat), of.scope, of.record));
        assert_eq!(county.world.run(seat, Command::Verify)["clean"], true);
    }
    // Nobody gives the key back, and nobody takes it.
    let (late, _) = county.admit(township, &code, Role::Node);
    county.world.pass(30_000);
    assert!(is_forgotten(&mut county, late, &number));
    assert_eq!(left(&mut county, &[late], &traces), Vec::<String>::new());
}

#[test]
fn an_index_file_is_made_anew_at_the_next_start_after_an_erasure() {
    let mut county = County::new(92, 1, 1);
    let room = county.rooms[0];
    let number = text(&new_case(&mut county, room, "龘靖瑶", LI), "project_no");
    let scrub = |county: &mut County| county.world.office(room).store.fact("scrub").is_some();
    assert!(!scrub(&mut county));
    let erase = CaseErase {
        number: number.clone(),
        reason: "本人申请".to_owned(),
    };
    county.world.run(room, Command::CaseErase(erase));
    assert!(scrub(&mut county));
    county.world.kill(room);
    county.world.start(room);
    county.world.pass(5_000);
    assert!(!scrub(&mut county), "done");
    assert!(is_forgotten(&mut county, room, &number));
    assert_eq!(county.world.run(room, Command::Verify)["clean"], true);
}

/// Why the index is made anew: its files are written at their end, and what a deleted row said stays where it was.
#[test]
fn a_deleted_row_lies_in_the_index_files_until_they_are_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let holds = |token: &[u8]| {
        let mut folders = vec![dir.path().to_owned()];
        let mut found = false;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path => found |= std::fs::read(path).unwrap().windows(token.len()).any(|w| w == token),
                }
            }
        }
        found
    };
    let token = b"a token of a person";
    let mut place = SledPlace::new(dir.path().join("index"));
    {
        let kv = place.open().unwrap();
        let mut batch = Batch::default();
        batch.put(b"row".to_vec(), token.to_vec());
        kv.write(batch).unwrap();
        let mut batch = Batch::default();
        batch.delete(b"row".to_vec());
        kv.write(batch).unwrap();
        kv.sync().unwrap();
    }
    assert!(holds(token), "deleted, and still there");
    place.wipe().unwrap();
    place.open().unwrap();
    assert!(!holds(token));
}
