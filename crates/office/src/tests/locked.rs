//! 口令: a locked room goes on recording and syncing, opens nothing, and loses nothing.

use replica::statement::Role;
use serde_json::Value;

use crate::command::{
    CaseEdit, CaseImport, CaseNew, CaseShow, Command, CommandError, Passphrase, PassphraseSet, Reveal, Unlock,
};
use crate::lock::Cost;
use crate::rig::Seat;
use crate::tests::county::County;

const CHEAP: Cost = Cost {
    memory_kib: 64,
    passes: 1,
    lanes: 1,
};
pub(super) const WORDS: &str = "石莲村 2026 春";

pub(super) fn set(county: &mut County, seat: Seat) {
    county.world.office(seat).cost_of_tries(CHEAP);
    let set = PassphraseSet {
        passphrase: Passphrase::new(WORDS),
        ..PassphraseSet::default()
    };
    county.world.run(seat, Command::PassphraseSet(set));
}

pub(super) fn unlock(county: &mut County, seat: Seat, words: &str) -> Result<Value, CommandError> {
    let unlock = Unlock {
        passphrase: Passphrase::new(words),
        user: None,
    };
    county.world.command(seat, Command::Unlock(unlock))
}

pub(super) fn new_case(county: &mut County, seat: Seat, name: &str, cert_no: &str) -> Value {
    let new = CaseNew {
        matter: "B23".to_owned(),
        name: name.to_owned(),
        cert_no: cert_no.to_owned(),
        mobile: Some("13800138000".to_owned()),
        ..CaseNew::default()
    };
    county.world.run(seat, Command::CaseNew(new))
}

pub(super) fn show(county: &mut County, seat: Seat, number: &str, reveal: bool) -> Result<Value, CommandError> {
    let show = CaseShow {
        number: number.to_owned(),
        reveal: reveal.then(|| Reveal {
            reason: "核对".to_owned(),
            ..Reveal::default()
        }),
    };
    county.world.command(seat, Command::CaseShow(show))
}

fn name_of(shown: &Value) -> (Value, Value) {
    let fields = shown["fields"].as_array().unwrap();
    let name = fields.iter().find(|f| f["name"] == "name").unwrap();
    (name["value"].clone(), name["values"][0]["sealed"].clone())
}

pub(super) fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap().to_owned()
}

#[test]
fn a_room_that_starts_locked_records_and_syncs_and_every_tier_reads_what_it_recorded() {
    let mut county = County::new(71, 1, 1);
    let (room, township, top) = (county.rooms[0], county.townships[0], county.hub);
    let before = text(
        &new_case(&mut county, room, "王小明", "11010519491231002X"),
        "project_no",
    );
    set(&mut county, room);
    county.world.stop(room);
    county.world.start(room);
    assert!(county.world.office(room).is_locked());
    let status = county.world.run(room, Command::Status);
    assert_eq!(status["passphrase"]["locked"], true);

    let case = new_case(&mut county, room, "欧阳靖瑶", "110101199003070038");
    assert!(text(&case, "project_no").len() == 20 && case["warnings"][0].as_str().unwrap().contains("没有查重"));
    let number = text(&case, "project_no");
    county.world.pass(20_000);
    for hub in [township, top] {
        let shown = show(&mut county, hub, &number, true).unwrap();
        assert_eq!(name_of(&shown).0, "欧阳靖瑶", "nothing hangs on the room's passphrase");
    }
    for number in [&before, &number] {
        assert_eq!(
            name_of(&show(&mut county, room, number, false).unwrap()),
            (Value::Null, "locked".into())
        );
        assert_eq!(show(&mut county, room, number, true).unwrap_err().code, "locked");
    }
    nothing_is_written_over_what_cannot_be_read(&mut county, room, &number);
    assert_eq!(
        county.world.run(room, Command::Verify)["clean"],
        true,
        "the rows are as they should be"
    );

    assert_eq!(
        unlock(&mut county, room, "石莲村 2026 秋").unwrap_err().code,
        "wrong_passphrase"
    );
    unlock(&mut county, room, WORDS).unwrap();
    county.world.pass(1_000);
    assert_eq!(name_of(&show(&mut county, room, &number, true).unwrap()).0, "欧阳靖瑶");
    county.world.run(room, Command::CaseEdit(phone(&number)));
    let list = county
        .world
        .run(room, Command::CaseList(crate::command::CaseList::default()));
    let names: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|l| l["name"].as_str())
        .collect();
    assert_eq!(names, ["欧*", "王*"]);
    assert_eq!(county.world.run(room, Command::Verify)["clean"], true);
}

fn phone(number: &str) -> CaseEdit {
    CaseEdit {
        number: number.to_owned(),
        field: "mobile".to_owned(),
        value: "13900139000".to_owned(),
        reason: None,
        user: None,
        cover: None,
    }
}

fn nothing_is_written_over_what_cannot_be_read(county: &mut County, room: Seat, number: &str) {
    let import = CaseImport {
        data: b"x".to_vec(),
        ..CaseImport::default()
    };
    for command in [Command::CaseEdit(phone(number)), Command::CaseImport(import)] {
        assert_eq!(county.world.command(room, command).unwrap_err().code, "locked");
    }
}

#[test]
fn a_twin_recorded_behind_the_lock_is_found_once_it_is_open() {
    let mut county = County::new(72, 1, 1);
    let room = county.rooms[0];
    set(&mut county, room);
    new_case(&mut county, room, "王小明", "11010519491231002X");
    county.world.run(room, Command::Lock);
    let behind = text(
        &new_case(&mut county, room, "王小明", "11010519491231002X"),
        "project_no",
    );
    unlock(&mut county, room, WORDS).unwrap();
    county.world.pass(1_000);
    let third = new_case(&mut county, room, "王小明", "11010519491231002X");
    assert!(third["warnings"][0].as_str().unwrap().contains(&behind), "{third}");
}

#[test]
fn an_idle_room_locks_by_itself_and_what_screens_ask_for_keeps_it_open_no_longer() {
    const MINUTE_MS: u64 = 60_000;
    let mut county = County::new(73, 1, 1);
    let room = county.rooms[0];
    set(&mut county, room);
    let number = text(
        &new_case(&mut county, room, "王小明", "11010519491231002X"),
        "project_no",
    );
    let now = county.world.now(room);
    county.world.office(room).lock_after(now, Some(10 * MINUTE_MS));
    county.world.pass(9 * MINUTE_MS);
    show(&mut county, room, &number, true).unwrap();
    county.world.pass(9 * MINUTE_MS);
    assert!(!county.world.office(room).is_locked(), "somebody was at work");
    county.world.run(room, Command::Status);
    county
        .world
        .run(room, Command::CaseList(crate::command::CaseList::default()));
    county.world.pass(2 * MINUTE_MS);
    assert!(county.world.office(room).is_locked());
    assert_eq!(show(&mut county, room, &number, true).unwrap_err().code, "locked");
}

#[test]
fn whoever_guesses_waits_and_a_restart_shortens_nothing() {
    let mut county = County::new(74, 1, 1);
    let room = county.rooms[0];
    set(&mut county, room);
    county.world.run(room, Command::Lock);
    for _ in 0..6 {
        assert_eq!(
            unlock(&mut county, room, "falsch falsch").unwrap_err().code,
            "wrong_passphrase"
        );
    }
    let refused = unlock(&mut county, room, WORDS).unwrap_err();
    assert_eq!(refused.code, "wait", "even the right one");
    assert!(
        refused.message.contains("入网票"),
        "and who forgot it is told the way out: {refused}"
    );
    county.world.kill(room);
    county.world.start(room);
    assert_eq!(unlock(&mut county, room, WORDS).unwrap_err().code, "wait");
    county.world.pass(31_000);
    unlock(&mut county, room, WORDS).unwrap();
}

#[test]
fn a_forgotten_passphrase_costs_a_ticket_and_no_record() {
    let mut county = County::new(75, 1, 1);
    let (room, township) = (county.rooms[0], county.townships[0]);
    set(&mut county, room);
    let before = text(
        &new_case(&mut county, room, "王小明", "11010519491231002X"),
        "project_no",
    );
    county.world.stop(room);
    county.world.start(room);
    let behind = text(
        &new_case(&mut county, room, "欧阳靖瑶", "110101199003070038"),
        "project_no",
    );
    county.world.pass(20_000);
    // Nobody knows the passphrase any more: the old device is taken out, a new one takes its place.
    let device = county.world.device_of(room).to_string();
    county.world.stop(room);
    let revoke = crate::command::MemberRevoke {
        device,
        reason: "忘记口令".to_owned(),
        root_key: None,
    };
    county.world.run(township, Command::MemberRevoke(revoke));
    let code = county.room_codes[0].clone();
    let (fresh, _) = county.admit(township, &code, Role::Node);
    county.world.pass(60_000);
    for (number, name) in [(before, "王小明"), (behind, "欧阳靖瑶")] {
        assert_eq!(name_of(&show(&mut county, fresh, &number, true).unwrap()).0, name);
    }
}
