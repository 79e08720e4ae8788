//! A county to tell stories of: real divisions, matters and calendar, one county hub, townships, rooms.

use ledger::id::DeviceId;
use serde_json::Value;

use crate::command::{CaseList, CaseNew, Command, InitCounty, Invite};
use crate::rig::{LineId, Seat, World};
use replica::statement::Role;

pub(super) const DIVISIONS: &str = include_str!("../../../ledger/data/divisions_511603.tsv");
pub(super) const MATTERS: &str = include_str!("../../../ledger/data/matters.tsv");
pub(super) const HOLIDAYS: &str = include_str!("../../../ledger/data/holidays.tsv");

/// Two townships of the real county, and three rooms of each.
pub(super) const TOWNSHIPS: [&str; 2] = ["511603104000", "511603102000"];

pub(super) struct County {
    pub(super) world: World,
    pub(super) hub: Seat,
    pub(super) townships: Vec<Seat>,
    pub(super) township_lines: Vec<LineId>,
    pub(super) rooms: Vec<Seat>,
    pub(super) room_lines: Vec<LineId>,
    pub(super) room_codes: Vec<String>,
}

/// The codes of the first villages or communities below a township.
pub(super) fn rooms_of(township: &str, count: usize) -> Vec<String> {
    let below = DIVISIONS.lines().filter(|line| line.trim_end().ends_with(township));
    below.take(count).map(|line| line[..12].to_owned()).collect()
}

pub(super) fn ticket(world: &mut World, hub: Seat, unit: &str) -> String {
    let invite = Invite {
        unit: unit.to_owned(),
        addrs: vec!["10.0.0.1:7701".to_owned()],
        expires_s: None,
    };
    let made = world.run(hub, Command::Invite(invite));
    made["ticket"].as_str().unwrap().to_owned()
}

pub(super) fn found(world: &mut World, hub: Seat) -> Value {
    world.run(
        hub,
        Command::Init(InitCounty {
            unit: "511603".to_owned(),
            divisions: DIVISIONS.to_owned(),
            matters: MATTERS.to_owned(),
            holidays: HOLIDAYS.to_owned(),
        }),
    )
}

impl County {
    /// A county with so many townships and rooms in each, all lines up and everything in step.
    pub(super) fn new(seed: u64, townships: usize, rooms: usize) -> Self {
        println!("seed {seed}");
        let mut world = World::new(seed);
        let hub = world.device("county");
        found(&mut world, hub);
        let mut county = Self {
            world,
            hub,
            townships: Vec::new(),
            township_lines: Vec::new(),
            rooms: Vec::new(),
            room_lines: Vec::new(),
            room_codes: Vec::new(),
        };
        for code in TOWNSHIPS.iter().take(townships) {
            let (township, line) = county.admit(hub, code, Role::Hub);
            county.townships.push(township);
            county.township_lines.push(line);
            for room_code in rooms_of(code, rooms) {
                let (room, line) = county.admit(township, &room_code, Role::Node);
                county.rooms.push(room);
                county.room_lines.push(line);
                county.room_codes.push(room_code);
            }
        }
        county.world.pass(10_000);
        county
    }

    /// A new device for a unit, joined by ticket, with a line to its hub.
    pub(super) fn admit(&mut self, hub: Seat, code: &str, role: Role) -> (Seat, LineId) {
        let ticket = ticket(&mut self.world, hub, code);
        let seat = self.world.device(code);
        self.world.join(seat, hub, role, &ticket).unwrap();
        let line = self.world.line(seat, hub);
        self.world.pass(3_000);
        (seat, line)
    }

    pub(super) fn new_case(&mut self, seat: Seat, person: usize) -> String {
        let made = self.world.run(seat, Command::CaseNew(case(person)));
        made["project_no"].as_str().unwrap().to_owned()
    }

    pub(super) fn cases(&mut self, seat: Seat) -> Vec<Value> {
        let list = self.world.run(seat, Command::CaseList(CaseList::default()));
        list.as_array().unwrap().clone()
    }

    pub(super) fn numbers(&mut self, seat: Seat) -> Vec<String> {
        let mut numbers: Vec<String> = self
            .cases(seat)
            .iter()
            .map(|c| c["project_no"].as_str().unwrap().to_owned())
            .collect();
        numbers.sort();
        numbers
    }

    pub(super) fn status(&mut self, seat: Seat) -> Value {
        self.world.run(seat, Command::Status)
    }

    /// Digests of all books that a seat holds, by unit.
    pub(super) fn books(&mut self, seat: Seat) -> Vec<(String, String)> {
        let status = self.status(seat);
        let scopes = status["scopes"].as_array().unwrap();
        let books = scopes.iter().filter(|s| s["kind"] == "book");
        let mut books: Vec<(String, String)> = books
            .map(|s| {
                (
                    s["unit_id"].as_str().unwrap().to_owned(),
                    s["digest"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        books.sort();
        books
    }

    /// Every book held by a room or township is held by those above, entry for entry.
    pub(super) fn assert_in_step(&mut self) {
        let county = self.books(self.hub);
        for seat in self.townships.clone().into_iter().chain(self.rooms.clone()) {
            for book in self.books(seat) {
                assert!(county.contains(&book), "a book of {seat:?} differs at the county");
            }
        }
        assert_eq!(self.world.faults, vec![]);
    }

    pub(super) fn world_device(&mut self, seat: Seat) -> DeviceId {
        self.world.device_of(seat)
    }

    pub(super) fn room_states(&mut self, seat: Seat) -> Vec<(String, String)> {
        let rooms = self.world.run(seat, Command::Rooms);
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let rows = rooms.as_array().unwrap().iter();
        rows.filter(|r| r["state"] != "never_seen")
            .map(|r| (text(&r["unit"]), text(&r["state"])))
            .collect()
    }
}

/// A resident number that proves itself, one for every person.
pub(super) fn cert_no(person: usize) -> String {
    let body = format!("51160319800101{:03}", person % 1000);
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: usize = body.bytes().zip(weights).map(|(b, w)| usize::from(b - b'0') * w).sum();
    format!("{body}{}", &"10X98765432"[sum % 11..=sum % 11])
}

pub(super) fn case(person: usize) -> CaseNew {
    CaseNew {
        matter: "B23".to_owned(),
        name: "张三".to_owned(),
        cert_no: cert_no(person),
        mobile: Some("13800138000".to_owned()),
        ..CaseNew::default()
    }
}
