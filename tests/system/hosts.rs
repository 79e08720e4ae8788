//! A county, a township and a room, each on a host of its own with its own interface, address and routes.
//!
//! Where the machine permits no network namespaces these stories say so and end.

use std::net::IpAddr;

use cunlian_tests::county::{County, PlaceId};
use cunlian_tests::netns::{HostId, Network};
use cunlian_tests::place::Kind;

use crate::rig::{ROOM, TOWNSHIP, any_case, ask, empty, numbers, settle, show, text, verify, wait, wait_for_county};

/// Places in the order county, township, room; each on the host of the same number.
struct Hosts {
    // Before the network: what runs in it ends first.
    county: County,
    places: Vec<PlaceId>,
    network: Network,
    hosts: Vec<HostId>,
}

impl Hosts {
    /// `None` where it is not permitted, with the reason printed.
    fn found() -> Option<Self> {
        let network = match Network::new(3) {
            Ok(network) => network,
            Err(why) => {
                println!("skipped: no network namespaces here: {why:#}");
                return None;
            }
        };
        let hosts: Vec<HostId> = network.ids().collect();
        let mut county = empty();
        let kinds = [("county", Kind::Hub), ("township", Kind::Hub), ("room", Kind::Node)];
        let mut places = Vec::new();
        for ((name, kind), host) in kinds.into_iter().zip(&hosts) {
            let id = county.place(name, kind);
            county[id].put_on(network.netns(*host), IpAddr::V4(host.addr()));
            places.push(id);
        }
        county.found_at(places[0]).expect("a county");
        for (n, unit) in [(1, TOWNSHIP), (2, ROOM)] {
            let above = county[places[n - 1]].listen().expect("it listens").to_string();
            let ticket = ask(&county, places[n - 1], &["invite", "--unit", unit, "--addr", &above]);
            ask(&county, places[n], &["join", &text(&ticket, "ticket")]);
            county.start(places[n]).expect("it starts");
        }
        settle(&county, &places);
        Some(Self {
            county,
            places,
            network,
            hosts,
        })
    }

    fn room(&self) -> PlaceId {
        self.places[2]
    }

    fn receipt(&self, number: &str) -> String {
        text(&show(&self.county, self.room(), number), "receipt")
    }

    fn stands(&self) {
        settle(&self.county, &self.places);
        assert_eq!(
            numbers(&self.county, self.places[0]),
            numbers(&self.county, self.room())
        );
        verify(&self.county, &self.places);
    }

    /// How often the room's connection has ended.
    fn lost(&self) -> usize {
        let log = self.county[self.room()].data().with_extension("log");
        std::fs::read_to_string(log).expect("a log").matches("hub lost").count()
    }
}

#[test]
fn a_room_whose_plug_is_pulled_records_on_and_arrives_once_it_is_back() {
    let Some(hosts) = Hosts::found() else { return };
    let (county, room) = (&hosts.county, hosts.room());
    for n in 0..2 {
        hosts.network.down(hosts.hosts[2]).expect("it goes down");
        let number = any_case(county, room, n);
        assert_eq!(hosts.receipt(&number), "room");
        assert!(ask(county, room, &["status"])["pending"]["township"].as_u64() > Some(0));
        hosts.network.up(hosts.hosts[2]).expect("it comes up");
        wait_for_county(county, room);
    }
    hosts.stands();
}

#[test]
fn a_room_whose_address_changes_keeps_its_connection() {
    let Some(hosts) = Hosts::found() else { return };
    let host = hosts.hosts[2];
    let lost = hosts.lost();
    let mut old = host.addr();
    for n in 0..3 {
        let new = host.at(10 + n);
        hosts.network.readdress(host, old, new).expect("another address");
        old = new;
        any_case(&hosts.county, hosts.room(), u32::from(n));
        wait_for_county(&hosts.county, hosts.room());
    }
    assert_eq!(hosts.lost(), lost, "{}", hosts.county[hosts.room()].log_tail());
    hosts.stands();
}

#[test]
fn a_township_that_the_county_cannot_reach_serves_its_rooms_and_says_how_far_things_are() {
    let Some(hosts) = Hosts::found() else { return };
    // The router answers that there is no way: an error from the system, where a cut cable is silence.
    hosts.network.unroute(hosts.hosts[0]).expect("no route");
    let number = any_case(&hosts.county, hosts.room(), 1);
    wait("the township has it", || hosts.receipt(&number) == "township");
    let status = ask(&hosts.county, hosts.room(), &["status"]);
    assert!(status["pending"]["county"].as_u64() > Some(0), "{status}");
    hosts.network.route(hosts.hosts[0]).expect("a route");
    wait_for_county(&hosts.county, hosts.room());
    hosts.stands();
}

#[test]
fn a_room_behind_a_line_as_narrow_as_the_kernel_makes_it_arrives() {
    let Some(hosts) = Hosts::found() else { return };
    let netem = [
        "netem",
        "delay",
        "120ms",
        "40ms",
        "loss",
        "15%",
        "duplicate",
        "5%",
        "reorder",
        "20%",
    ];
    let narrow = ["tbf", "rate", "128kbit", "burst", "4kb", "latency", "200ms"];
    let shaped = hosts.network.shape(hosts.hosts[2], &netem).or_else(|why| {
        println!("no netem here ({why:#}); a narrow line instead");
        hosts.network.shape(hosts.hosts[2], &narrow)
    });
    if let Err(why) = shaped {
        println!("skipped: no traffic control here: {why:#}");
        return;
    }
    for n in 0..20 {
        any_case(&hosts.county, hosts.room(), n);
    }
    wait_for_county(&hosts.county, hosts.room());
    hosts.stands();
}
