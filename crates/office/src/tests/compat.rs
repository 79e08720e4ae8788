//! What earlier versions wrote, and what later ones will: both are opened, kept and passed on.

use ledger::form::Form;
use ledger::id::Scope;
use ledger::record::{Creation, Head, NewEvent, actor, create};
use replica::entry::{Entry, KIND_RECORD, RecordBody};
use replica::frame::Frame;
use replica::session::Dialled;
use replica::statement::{Role, Statement};
use serde_json::Value;
use store::{JournalFrame, MemPlace, Position};

use super::county::{case, ticket};
use crate::command::{CaseDo, CaseList, CaseNew, CaseShow, Command};
use crate::rig::fixture::{PLACES, VERSIONS, disk, said};
use crate::rig::{Seat, World};

/// The folders were written on 22 November; the rig's clock begins on 9 October.
const LATER_MS: i64 = 45 * 86_400_000;

/// The county of a version: county, town, room, with all lines up.
struct Old {
    world: World,
    county: Seat,
    town: Seat,
    room: Seat,
}

impl Old {
    fn open(version: &str) -> Self {
        let mut world = World::new(61);
        let seats = PLACES.map(|place| {
            let seat = world.device(place);
            world.set_skew(seat, LATER_MS);
            world.restore(seat, (disk(version, place, 62).unwrap(), MemPlace::default()));
            seat
        });
        let [county, town, room] = seats;
        Self {
            world,
            county,
            town,
            room,
        }
    }

    fn all(&self) -> [Seat; 3] {
        [self.county, self.town, self.room]
    }

    fn catch_up(&mut self) {
        self.world.line(self.room, self.town);
        self.world.line(self.town, self.county);
        self.world.pass(20_000);
        assert_eq!(self.world.faults, vec![]);
    }

    fn status(&mut self, seat: Seat) -> Value {
        self.world.run(seat, Command::Status)
    }

    fn cases(&mut self, seat: Seat) -> Vec<Value> {
        let list = self.world.run(seat, Command::CaseList(CaseList::default()));
        list.as_array().unwrap().clone()
    }
}

/// Unit, kind, digest and entries of what a status says is held.
fn held(status: &Value) -> Vec<[String; 4]> {
    let scopes = status["scopes"].as_array().unwrap().iter();
    let word = |scope: &Value, name: &str| scope[name].to_string();
    let mut held: Vec<_> = scopes
        .map(|s| ["unit_id", "kind", "digest", "entries"].map(|name| word(s, name)))
        .collect();
    held.sort();
    held
}

/// What of a case must be the same whoever reads it.
fn told(case: &Value) -> Vec<String> {
    let names = [
        "project_no",
        "state",
        "matter",
        "on",
        "result",
        "rating",
        "erased",
        "conflicts",
        "set_aside",
        "unrecognised",
        "waiting",
        "closed_on",
        "name",
        "unit",
        "record_id",
        "receipt",
    ];
    names.iter().map(|name| format!("{name}={}", case[*name])).collect()
}

#[test]
fn a_folder_of_an_earlier_version_opens_with_all_that_it_held() {
    for version in VERSIONS {
        let mut old = Old::open(version);
        for (seat, place) in old.all().into_iter().zip(PLACES) {
            let was: Value = serde_json::from_str(&said(version, &format!("{place}.json")).unwrap()).unwrap();
            let now = old.status(seat);
            assert_eq!(held(&now), held(&was), "{version} {place}");
            for name in [
                "device",
                "unit",
                "tier",
                "node_code",
                "conflicts",
                "quarantined",
                "upgrade_needed",
                "pending",
            ] {
                assert_eq!(now[name], was[name], "{version} {place}: {name}");
            }
            let verified = old.world.run(seat, Command::Verify);
            assert_eq!(verified["clean"], true, "{version} {place}: {verified}");
        }
        let was: Value = serde_json::from_str(&said(version, "cases.json").unwrap()).unwrap();
        let was: Vec<_> = was.as_array().unwrap().iter().map(told).collect();
        let now: Vec<_> = old.cases(old.county).iter().map(told).collect();
        assert_eq!(now, was, "{version}");
    }
}

#[test]
fn an_earlier_versions_county_comes_into_step_and_goes_on_working() {
    for version in VERSIONS {
        let mut old = Old::open(version);
        assert_eq!(
            old.cases(old.room).len(),
            old.cases(old.county).len() + 1,
            "one was never sent"
        );
        old.catch_up();
        let pending = old.status(old.room)["pending"].clone();
        assert_eq!(
            (pending["county"].as_u64(), pending["township"].as_u64()),
            (Some(0), Some(0))
        );
        let at_room: Vec<_> = old.cases(old.room).iter().map(told).collect();
        let at_county: Vec<_> = old.cases(old.county).iter().map(told).collect();
        assert_eq!(at_room, at_county);
        assert!(
            at_room
                .iter()
                .flatten()
                .all(|told| !told.starts_with("receipt=") || told == "receipt=\"county\"")
        );
        // The one that is forgotten stays so, and an old case is worked on.
        let erased: Vec<_> = old
            .cases(old.room)
            .into_iter()
            .filter(|case| case["erased"] == true)
            .collect();
        assert_eq!(erased.len(), 1);
        assert_eq!(erased[0]["name"], Value::Null);
        let open = old
            .cases(old.room)
            .into_iter()
            .find(|case| case["state"] == "received")
            .unwrap();
        let note = CaseDo {
            number: open["project_no"].as_str().unwrap().to_owned(),
            event: "note".to_owned(),
            note: Some("新版本上的备注".to_owned()),
            ..CaseDo::default()
        };
        old.world.run(old.room, Command::CaseDo(note));
        old.world.run(
            old.room,
            Command::CaseNew(CaseNew {
                matter: "C06".to_owned(),
                ..case(1)
            }),
        );
        old.world.pass(20_000);
        let show = CaseShow {
            number: open["project_no"].as_str().unwrap().to_owned(),
            ..CaseShow::default()
        };
        let shown = old.world.run(old.county, Command::CaseShow(show));
        assert!(shown["events"].to_string().contains("新版本上的备注"), "{shown}");
        assert_eq!(old.cases(old.county).len(), at_county.len() + 1);
        for seat in old.all() {
            assert_eq!(old.world.run(seat, Command::Verify)["clean"], true);
        }
    }
}

#[test]
fn a_new_member_of_the_county_gets_everything_that_the_earlier_version_wrote() {
    for version in VERSIONS {
        let mut old = Old::open(version);
        old.catch_up();
        // A second hub of the town, which holds nothing yet.
        let invited = ticket(&mut old.world, old.county, "511603102000");
        let fresh = old.world.device("fresh");
        old.world.set_skew(fresh, LATER_MS);
        old.world.join(fresh, old.county, Role::Hub, &invited).unwrap();
        old.world.line(fresh, old.county);
        old.world.pass(20_000);
        let (theirs, ours) = (old.status(old.town), old.status(fresh));
        let books = |status: &Value| -> Vec<_> {
            held(status)
                .into_iter()
                .filter(|scope| scope[1] == "\"book\"")
                .collect()
        };
        assert_eq!(books(&ours), books(&theirs));
        let cases: Vec<_> = old.cases(fresh).iter().map(told).collect();
        assert_eq!(cases, old.cases(old.town).iter().map(told).collect::<Vec<_>>());
        assert_eq!(old.world.run(fresh, Command::Verify)["clean"], true);
        assert_eq!(old.world.faults, vec![]);
    }
}

/// Entries signed by a seat's device, as a later version of it would write them.
fn write(old: &mut Old, seat: Seat, scope: Scope, entries: Vec<Entry>) {
    let now = old.world.now(seat);
    old.world.office(seat).forge(now, scope, entries).unwrap();
}

fn book(old: &mut Old) -> Scope {
    Scope::book(old.world.office(old.room).unit().unwrap())
}

#[test]
fn entries_of_a_later_version_are_kept_and_passed_on_and_said_to_need_an_upgrade() {
    let mut old = Old::open(VERSIONS[0]);
    old.catch_up();
    let cases = old.cases(old.county).len();
    let scope = book(&mut old);
    let later = |kind: u8, text: &str| Entry {
        kind,
        body: text.as_bytes().to_vec(),
    };
    let room = old.room;
    let entries = vec![later(99, "later: one"), later(200, "later: two")];
    write(&mut old, room, scope, entries);
    let note = CaseNew {
        matter: "C06".to_owned(),
        ..case(2)
    };
    old.world.run(old.room, Command::CaseNew(note));
    old.world.pass(20_000);
    for seat in old.all() {
        let aside = old.world.run(seat, Command::QuarantineList).to_string();
        assert_eq!(aside.matches("需升级").count(), 2, "{aside}");
        let frames = old
            .world
            .office(seat)
            .store
            .frames_after(Position::START, usize::MAX)
            .unwrap();
        let kept = frames.iter().filter_map(|(_, frame)| match frame {
            JournalFrame::Run(run) => Some(
                run.entries
                    .iter()
                    .filter(|e| e.entry.body.starts_with(b"later: "))
                    .count(),
            ),
            _ => None,
        });
        assert_eq!(kept.sum::<usize>(), 2, "kept byte for byte");
        assert_eq!(old.world.run(seat, Command::Verify)["clean"], true);
    }
    assert_eq!(old.cases(old.county).len(), cases + 1, "the log beside it goes on");
    assert_eq!(old.status(old.room)["pending"]["county"], 0, "receipted like any other");
}

#[test]
fn a_case_under_a_later_form_waits_for_it_and_counts_when_it_comes() {
    let mut old = Old::open(VERSIONS[0]);
    old.catch_up();
    let text = include_str!("../../../ledger/forms/case.toml").replacen("version = 1", "version = 2", 1);
    let form = Form::parse(&text).unwrap();
    assert_ne!(form.hash(), Form::case().hash());
    let scope = book(&mut old);
    let office = old.world.office(old.room);
    let catalogue = *office.authority.catalogues().keys().next().unwrap();
    let now = ledger::day::Day::of_wall_ms(1_795_000_000_000);
    let record = ledger::id::RecordId([0x5a; 16]);
    let creation = Creation {
        record,
        head: Head {
            form: form.hash(),
            no: "511603099999990000Z".to_owned(),
            matter: "C06".to_owned(),
            catalogue,
            unit: scope.unit,
            clerk: ledger::id::UserId([0; 8]),
            on: now,
            import_key: None,
        },
        fields: Vec::new(),
        items: Vec::new(),
        events: vec![NewEvent::new("receive", now)],
    };
    let change = create(actor(&office.device(), [7; 8]), &creation, &form).unwrap();
    let body = RecordBody {
        record,
        user: ledger::id::UserId([0; 8]),
        wall_ms: 1_795_000_000_000,
        skew_ms: None,
        change,
    };
    let entry = Entry {
        kind: KIND_RECORD,
        body: body.encode(),
    };
    let (room, county) = (old.room, old.county);
    write(&mut old, room, scope, vec![entry]);
    old.world.pass(20_000);
    let state = |old: &mut Old, seat: Seat| {
        let cases = old.cases(seat);
        let found = cases
            .iter()
            .find(|case| case["record_id"] == record.to_string().as_str())
            .cloned();
        found.map(|case| (case["state"].clone(), case["status"].clone()))
    };
    for seat in old.all() {
        let (_, status) = state(&mut old, seat).unwrap();
        assert_eq!(status, "等待模板");
    }
    let now = old.world.now(county);
    let office = old.world.office(county);
    let unit = office.unit().unwrap();
    office.state(unit, Statement::Form(text)).unwrap();
    office.commit(now).unwrap();
    old.world.pass(20_000);
    for seat in old.all() {
        let (state, status) = state(&mut old, seat).unwrap();
        assert_eq!((state.as_str(), status.as_str()), (Some("received"), Some("正常")));
    }
}

#[test]
fn a_frame_of_a_later_version_is_passed_over_and_the_session_goes_on() {
    let mut old = Old::open(VERSIONS[0]);
    old.catch_up();
    let (county, town) = (old.county, old.world.device_of(old.town));
    let now = old.world.now(county);
    let office = old.world.office(county);
    let id = office.connect(now, town, Dialled::Them, "later");
    assert!(office.inbound(now, id, Frame::Unknown(200)).is_ok());
    old.world.pass(5_000);
    assert_eq!(old.world.faults, vec![]);
}
