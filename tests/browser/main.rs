//! The clerk's desk in a real browser: headless Chromium, real processes of three tiers, by keyboard only.

mod attack;
mod books;
mod case;
mod day;
mod driver;
mod hub;
mod hub_attack;
mod hub_case;
mod hub_conflicts;
mod hub_demo;
mod hub_devices;
mod hub_figures;
mod hub_members;
mod hub_reports;
mod hub_settle;
mod hub_steps;
mod hub_tables;
mod hub_tls;
mod hub_trail;
mod hub_wall;
mod hub_work;
mod lent;
mod lock;
mod papers;
mod readable;
mod search;
mod whole_day;
mod words;

use std::net::SocketAddr;
use std::path::Path;

use cunlian_tests::{County, PlaceId};
use serde_json::Value;

use driver::{Browser, ENTER, until};

const TOWNSHIP: &str = "511603102";
const ROOM: &str = "511603102201";
/// What everybody who tries first does not try.
const PIN: &str = "274951";

/// One county, one township, one room whose desk is open.
struct Desk {
    county: County,
    town: PlaceId,
    room: PlaceId,
    addr: SocketAddr,
}

impl Desk {
    fn open() -> Self {
        Self::open_with("")
    }

    /// With these lines in the room's `config.toml`.
    fn open_with(config: &str) -> Self {
        let mut county = County::new(Path::new(env!("CARGO_BIN_EXE_cunlian-demo"))).expect("a folder");
        let hub = county.found().expect("a county");
        let town = county.township(TOWNSHIP, hub).expect("a township");
        let room = county.room(ROOM, &[town]).expect("a room");
        county[room].stop().expect("it stops");
        county[room].set_env("CUNLIAN_CONSOLE", "127.0.0.1:0");
        if !config.is_empty() {
            std::fs::write(county[room].data().join("config.toml"), config).expect("a file");
        }
        county.start(room).expect("it starts");
        let addr = console(&county, room);
        Self {
            county,
            town,
            room,
            addr,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The township names a clerk; gives the one-time code.
    fn name(&self, name: &str, role: &str) -> String {
        let args = ["user", "add", "--unit", ROOM, "--name", name, "--role", role];
        let made = self.county[self.town].json(&args).expect("a person");
        until("the room knows the person", || {
            let users = self.county[self.room].json(&["user", "list"]).unwrap_or_default();
            users
                .as_array()
                .is_some_and(|all| all.iter().any(|u| u["name"] == name))
        });
        made["code"].as_str().expect("a code").to_owned()
    }

    /// Enrols by keyboard with the code on paper; ends on Today.
    fn enrol(&self, browser: &Browser, code: &str) {
        browser.go(&self.url("/enrol"));
        browser.wait("the code's field", |b| b.focus() == "code");
        browser.keys(&format!("{}{ENTER}", code.to_lowercase()));
        browser.keys(&format!("{PIN}{ENTER}{PIN}{ENTER}{ENTER}"));
        browser.wait("today", |b| b.path() == "/");
    }

    /// Pulls the plug and starts again at the same address.
    fn pull_the_plug(&mut self) {
        self.county[self.room].kill();
        let addr = self.addr.to_string();
        self.county[self.room].set_env("CUNLIAN_CONSOLE", addr);
        self.county.start(self.room).expect("it starts again");
        self.addr = console(&self.county, self.room);
    }

    /// A case that the room has received, by its command line.
    fn receive(&self, matter: &str) -> String {
        let new = [
            "case",
            "new",
            "--matter",
            matter,
            "--name",
            "张三",
            "--cert-no",
            "11010519491231002X",
        ];
        let more = ["--mobile", "13800138000"];
        let made = self.county[self.room]
            .json(&[&new[..], &more[..]].concat())
            .expect("a case");
        made["project_no"].as_str().expect("a number").to_owned()
    }

    /// What the township does with a case.
    fn town(&self, args: &[&str]) -> Value {
        self.county[self.town].json(args).expect("done")
    }

    /// Waits until the township holds what the room has.
    fn sent(&self, number: &str) {
        until("the township has it", || {
            self.county[self.town].json(&["case", "show", number]).is_ok()
        });
    }

    fn cases(&self) -> Vec<Value> {
        let list = self.county[self.room].json(&["case", "list"]).expect("a list");
        list.as_array().cloned().unwrap_or_default()
    }
}

/// Where the desk says it is.
fn console(county: &County, room: PlaceId) -> SocketAddr {
    let file = county[room].data().join("console");
    let mut addr = None;
    until("the desk is open", || {
        addr = std::fs::read_to_string(&file)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        addr.is_some()
    });
    addr.expect("an address")
}
