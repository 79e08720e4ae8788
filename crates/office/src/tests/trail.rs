//! 审计记录: what is done with personal values is written down first, and whoever changes what was written is found out.

use ledger::id::Scope;
use replica::entry::LogId;
use store::disk::read_all;
use store::{Disk, Fault};

use crate::command::{AuditAppend, AuditList, CaseErase, CaseShow, Command, FaceAct, MemberRevoke, Reveal};
use crate::rig::Seat;
use crate::tests::county::County;
use crate::tests::locked::{WORDS, new_case, set, show, text, unlock};

const MINUTE_MS: u64 = 60_000;
const TRAIL: &str = "trail-00000001";
const ZHANG: &str = "11010519491231002X";

fn acts(county: &mut County, seat: Seat) -> Vec<String> {
    let list = county.world.run(seat, Command::AuditList(AuditList::default()));
    let rows = list.as_array().unwrap();
    rows.iter().rev().map(|row| text(row, "act")).collect()
}

fn verify(county: &mut County, seat: Seat) -> (bool, String) {
    let found = county.world.run(seat, Command::Verify);
    (found["clean"].as_bool().unwrap(), found.to_string())
}

/// A room with a case that was looked at.
fn looked_at(seed: u64) -> (County, Seat, String) {
    let mut county = County::new(seed, 1, 1);
    let room = county.rooms[0];
    let number = text(&new_case(&mut county, room, "张三", ZHANG), "project_no");
    for _ in 0..3 {
        show(&mut county, room, &number, true).unwrap();
    }
    (county, room, number)
}

fn put(county: &mut County, seat: Seat, bytes: &[u8]) {
    let mut disk = county.world.disk(seat).clone();
    disk.remove(TRAIL).unwrap();
    disk.create(TRAIL).unwrap();
    disk.append(TRAIL, bytes).unwrap();
    disk.sync_data(TRAIL).unwrap();
    disk.sync_dir().unwrap();
}

#[test]
fn every_act_on_personal_values_keys_and_members_is_written_with_who_which_and_why() {
    let mut county = County::new(81, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    set(&mut county, room);
    let number = text(&new_case(&mut county, room, "张三", ZHANG), "project_no");
    county.world.run(room, Command::Lock);
    unlock(&mut county, room, "falsch falsch").unwrap_err();
    unlock(&mut county, room, WORDS).unwrap();
    show(&mut county, room, &number, false).unwrap();
    show(&mut county, room, &number, true).unwrap();
    let print = AuditAppend {
        act: FaceAct::Print,
        number: Some(number.clone()),
        reason: Some("打印回执".to_owned()),
        user: None,
    };
    county.world.run(room, Command::AuditAppend(print));
    let erase = CaseErase {
        number: number.clone(),
        reason: "本人申请".to_owned(),
    };
    county.world.run(room, Command::CaseErase(erase));
    let wanted = [
        "passphrase_set",
        "lock",
        "unlock_failed",
        "unlock",
        "reveal",
        "print",
        "erase",
    ];
    assert_eq!(acts(&mut county, room), wanted, "a masked look is none of them");
    let list = county.world.run(room, Command::AuditList(AuditList::default()));
    let reveal = list.as_array().unwrap().iter().find(|r| r["act"] == "reveal").unwrap();
    assert_eq!(
        (text(reveal, "project_no"), text(reveal, "reason")),
        (number, "核对".to_owned())
    );
    assert_eq!(text(reveal, "role"), "device");

    let device = county.world.device_of(room).to_string();
    let revoke = MemberRevoke {
        device: device.clone(),
        reason: "电脑丢失".to_owned(),
        root_key: None,
    };
    county.world.run(township, Command::MemberRevoke(revoke));
    assert_eq!(acts(&mut county, township), ["invite", "admit", "revoke"]);
    for seat in [room, township, county.hub] {
        let (clean, told) = verify(&mut county, seat);
        assert!(clean, "{told}");
    }
}

#[test]
fn no_reason_or_one_with_the_persons_name_reveals_nothing_nor_does_a_disk_that_takes_no_record() {
    let (mut county, room, number) = looked_at(82);
    let before = acts(&mut county, room).len();
    let ask = |county: &mut County, reason: &str| {
        let show = CaseShow {
            number: number.clone(),
            reveal: Some(Reveal {
                reason: reason.to_owned(),
                ..Reveal::default()
            }),
        };
        county.world.command(room, Command::CaseShow(show))
    };
    for bad in ["", "  "] {
        assert_eq!(ask(&mut county, bad).unwrap_err().code, "reason_needed", "{bad}");
    }
    for bad in ["张三来电", &format!("核对{ZHANG}")] {
        assert_eq!(ask(&mut county, bad).unwrap_err().code, "reason", "{bad}");
    }
    assert_eq!(acts(&mut county, room).len(), before);
    county.world.disk(room).fault(Fault::SyncFails);
    ask(&mut county, "核对").unwrap_err();
}

#[test]
fn every_flip_and_every_cut_of_the_trail_is_told_by_verify() {
    let (mut county, room, _) = looked_at(83);
    let whole = read_all(county.world.disk(room), TRAIL).unwrap().unwrap();
    assert!(verify(&mut county, room).0);
    for at in (0..whole.len()).step_by(7) {
        let mut changed = whole.clone();
        changed[at] ^= 0x20;
        put(&mut county, room, &changed);
        let (clean, told) = verify(&mut county, room);
        assert!(!clean && told.contains("审计记录第"), "byte {at}: {told}");
        put(&mut county, room, &whole[..at]);
        let (clean, told) = verify(&mut county, room);
        assert!(!clean && told.contains("审计记录第"), "cut to {at}: {told}");
    }
    put(&mut county, room, &whole);
    assert!(verify(&mut county, room).0);
}

#[test]
fn a_thief_who_writes_trail_and_journal_anew_is_found_out_by_what_the_hubs_witnessed() {
    let (mut county, room, number) = looked_at(84);
    // The folder as it was before the looks that are to vanish.
    county.world.stop(room);
    let before = county.world.backup(room);
    county.world.start(room);
    county.world.pass(1_000);
    show(&mut county, room, &number, true).unwrap();
    show(&mut county, room, &number, true).unwrap();
    county.world.pass(10 * MINUTE_MS);
    assert_eq!(acts(&mut county, room).len(), 5);
    // Consistent in itself: nothing on this disk knows of the last two.
    county.world.restore(room, before);
    assert_eq!(acts(&mut county, room).len(), 3);
    county.world.pass(10 * MINUTE_MS);
    let (_, told) = verify(&mut county, room);
    assert!(told.contains("审计记录第 4 至 5 条"), "{told}");
    assert!(county.status(room)["forks"].as_u64().is_some());
}

#[test]
fn the_trail_holds_no_personal_value_and_outlives_a_power_cut() {
    let (mut county, room, _) = looked_at(85);
    county.world.kill(room);
    county.world.start(room);
    assert_eq!(acts(&mut county, room), ["reveal"; 3]);
    let (clean, told) = verify(&mut county, room);
    assert!(clean, "{told}");
    let bytes = read_all(county.world.disk(room), TRAIL).unwrap().unwrap();
    for value in ["张三", ZHANG, "13800138000", &ZHANG[12..]] {
        assert!(!bytes.windows(value.len()).any(|w| w == value.as_bytes()), "{value}");
    }
}

#[test]
fn an_idle_lock_is_written_down_and_the_witness_travels_once() {
    let mut county = County::new(86, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    set(&mut county, room);
    let now = county.world.now(room);
    county.world.office(room).lock_after(now, Some(10 * MINUTE_MS));
    county.world.pass(30 * MINUTE_MS);
    assert_eq!(acts(&mut county, room), ["passphrase_set", "lock_idle"]);
    let office = county.world.office(room);
    let log = LogId {
        scope: Scope::book(office.life().unwrap().unit),
        device: office.device(),
        epoch: office.epoch(),
    };
    let tips = |county: &mut County, seat: Seat| county.world.office(seat).store().logs().tips(&log).to_vec();
    let here = tips(&mut county, room);
    assert_eq!(here.len(), 1);
    assert_eq!(tips(&mut county, township), here, "the witness is at the hub");
    county.world.pass(120 * MINUTE_MS);
    assert_eq!(tips(&mut county, room), here, "nothing to witness, nothing said");
}

#[test]
fn what_was_done_in_a_former_life_is_not_witnessed_as_done_in_this_one() {
    // Seed 1018: a life ended within the five minutes after an act, and `verify` missed the act in the new one.
    let (mut county, room, number) = looked_at(87);
    county.world.office(room).begin_epoch().unwrap();
    county.world.pass(30 * MINUTE_MS);
    let (clean, told) = verify(&mut county, room);
    assert!(clean, "{told}");
    show(&mut county, room, &number, true).unwrap();
    county.world.pass(30 * MINUTE_MS);
    let (clean, told) = verify(&mut county, room);
    assert!(clean, "{told}");
    let witnesses = county.world.run(room, Command::Verify)["trail"]["witnesses"].clone();
    assert_ne!(witnesses, 0, "the next act is witnessed");
}
